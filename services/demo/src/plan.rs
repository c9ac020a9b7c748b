//! How much to generate.

/// Size of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taille {
    /// About 2,000 resources, region 52 (Pays de la Loire).
    Small,
    /// More than 100,000 resources, region 84 (Auvergne-Rhône-Alpes).
    Region,
}

/// Targets of a generation.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// INSEE code of the region.
    pub region: &'static str,
    /// Legal entities.
    pub ej: usize,
    /// Geographic entities, closed ones included.
    pub eg: usize,
    /// Internal organisations.
    pub oi: u64,
    /// Operational offers.
    pub offres: u64,
    /// Professionals.
    pub professionnels: u64,
    /// Weights of the legal entities by number of sites: 1, 2, 3–4, 5–9,
    /// 10–19, 20 and more (January 2021).
    pub tailles_ej: [u64; 6],
    /// Highest number of sites of one legal entity.
    pub eg_max: u64,
}

impl Plan {
    pub(crate) fn nouveau(taille: Taille) -> Self {
        match taille {
            Taille::Small => Self {
                region: "52",
                ej: 90,
                eg: 200,
                oi: 105,
                offres: 490,
                professionnels: 290,
                tailles_ej: [2394, 158, 112, 82, 45, 28],
                eg_max: 25,
            },
            Taille::Region => Self {
                region: "84",
                ej: 5_624,
                eg: 11_540,
                oi: 6_000,
                offres: 27_000,
                professionnels: 16_500,
                tailles_ej: [4742, 352, 237, 143, 83, 67],
                eg_max: 90,
            },
        }
    }

    /// Bounds of the number of sites of a size class.
    pub(crate) fn bornes(&self, classe: usize) -> (u64, u64) {
        match classe {
            0 => (1, 1),
            1 => (2, 2),
            2 => (3, 4),
            3 => (5, 9),
            4 => (10, 19),
            _ => (20, self.eg_max),
        }
    }
}
