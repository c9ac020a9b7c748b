//! How many changes an edition brings.

use super::Cibles;

/// How many of each.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// Legal entities changed.
    pub ej_modifiees: u64,
    /// Closed.
    pub ej_fermees: u64,
    /// Created, each with a site.
    pub ej_creees: u64,
    /// Sites changed.
    pub eg_modifiees: u64,
    /// Created under a legal entity that is there.
    pub eg_creees: u64,
    /// Closed for good.
    pub eg_fermees: u64,
    /// Closed for a time.
    pub eg_provisoires: u64,
    /// Open again.
    pub eg_rouvertes: u64,
    /// Out of the field.
    pub eg_hors_champ: u64,
    /// Declared by error.
    pub eg_erreurs: u64,
    /// Moved to another legal entity.
    pub eg_transferees: u64,
    /// Activities changed.
    pub activites: u64,
    /// Professionals changed.
    pub ps_modifies: u64,
    /// Created.
    pub ps_crees: u64,
    /// Gone.
    pub ps_disparus: u64,
}

impl Quotas {
    /// An ordinary day, at that scale: at least one of each.
    pub fn quotidien(echelle: f64) -> Self {
        let n = |national: f64| (national * echelle).round().max(1.0) as u64;
        Self {
            ej_modifiees: n(120.0),
            ej_fermees: n(4.0),
            ej_creees: n(3.0),
            eg_modifiees: n(310.0),
            eg_creees: n(5.0),
            eg_fermees: n(5.0),
            eg_provisoires: n(1.0),
            eg_rouvertes: n(1.0),
            eg_hors_champ: n(2.0),
            eg_erreurs: n(1.0),
            eg_transferees: n(2.0),
            activites: n(150.0),
            ps_modifies: n(2600.0),
            ps_crees: n(180.0),
            ps_disparus: n(70.0),
        }
    }

    /// A share of the open records of each kind; nothing at all for 0.
    pub fn au_taux(taux: f64, cibles: &Cibles) -> Self {
        let n = |total: u64, pour_mille: f64| (total as f64 * taux * pour_mille / 1000.0).round() as u64;
        let (ej, eg, ps) = (cibles.ej_ouvertes, cibles.eg_ouverts, cibles.professionnels);
        Self {
            ej_modifiees: n(ej, 950.0),
            ej_fermees: n(ej, 40.0),
            ej_creees: n(ej, 10.0),
            eg_modifiees: n(eg, 900.0),
            eg_creees: n(eg, 40.0),
            eg_fermees: n(eg, 25.0),
            eg_provisoires: n(eg, 5.0),
            eg_rouvertes: n(eg, 5.0),
            eg_hors_champ: n(eg, 8.0),
            eg_erreurs: n(eg, 4.0),
            eg_transferees: n(eg, 13.0),
            activites: n(cibles.activites, 1000.0),
            ps_modifies: n(ps, 930.0),
            ps_crees: n(ps, 40.0),
            ps_disparus: n(ps, 30.0),
        }
    }
}
