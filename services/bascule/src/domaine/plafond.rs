//! Ceilings: the highest state the deployment allows each region, given by the Helm
//! values. The database holds the state; a ceiling alone never moves a region.

use std::collections::BTreeMap;

use ror_chassis::{Erreur, Resultat};
use serde::Deserialize;

use super::region;

/// Environment variable that names the file.
pub const VARIABLE: &str = "ROR_BASCULE__FILE";

/// States of a region, in their order; the transient ones are no ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plafond {
    /// Known.
    Registered,
    /// The national copy follows.
    Mirrored,
    /// Regional spaces and nomenclatures mapped.
    Enriched,
    /// Rehearsal tenant.
    Rehearsing,
    /// Writes compared.
    Shadowing,
    /// Go signed.
    Ready,
    /// Nobody writes.
    Frozen,
    /// Loaded and reconciled.
    Loaded,
    /// The national ROR writes.
    NationalPrimary,
    /// Past the point of no return.
    Stabilised,
    /// Regional ROR off.
    LegacyRetired,
    /// Finished.
    Closed,
}

impl Plafond {
    /// Name in the Helm values.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Registered => "REGISTERED",
            Self::Mirrored => "MIRRORED",
            Self::Enriched => "ENRICHED",
            Self::Rehearsing => "REHEARSING",
            Self::Shadowing => "SHADOWING",
            Self::Ready => "READY",
            Self::Frozen => "FROZEN",
            Self::Loaded => "LOADED",
            Self::NationalPrimary => "NATIONAL_PRIMARY",
            Self::Stabilised => "STABILISED",
            Self::LegacyRetired => "LEGACY_RETIRED",
            Self::Closed => "CLOSED",
        }
    }
}

/// What the deployment allows one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reglage {
    /// Highest state that may be reached by proposal.
    pub plafond: Plafond,
    /// No forward change while set.
    pub pause: bool,
}

/// What the deployment allows every region.
#[derive(Clone, Debug)]
pub struct Plafonds {
    regions: BTreeMap<String, Reglage>,
    /// For a region the file does not name.
    defaut: Reglage,
}

/// The part of the values that is read here; the rest is for others.
#[derive(Deserialize)]
struct Fichier {
    regions: BTreeMap<String, RegionDuFichier>,
}

#[derive(Deserialize)]
struct RegionDuFichier {
    ceiling: Plafond,
    #[serde(default)]
    hold: bool,
}

impl Plafonds {
    /// Without a file (development): everything is allowed.
    pub fn ouverts() -> Self {
        Self { regions: BTreeMap::new(), defaut: Reglage { plafond: Plafond::Closed, pause: false } }
    }

    /// From the text of the file, JSON (which is also YAML). A region it does not name
    /// is allowed nothing.
    pub fn lire(texte: &str) -> Result<Self, String> {
        let f: Fichier = serde_json::from_str(texte).map_err(|e| format!("JSON attendu : {e}"))?;
        if let Some(code) = f.regions.keys().find(|c| region::nom(c).is_none()) {
            return Err(format!("regions.{code} n'est pas une des 18 régions"));
        }
        let regions =
            f.regions.into_iter().map(|(c, r)| (c, Reglage { plafond: r.ceiling, pause: r.hold })).collect();
        Ok(Self { regions, defaut: Reglage { plafond: Plafond::Registered, pause: false } })
    }

    /// From the file named by [`VARIABLE`], if any.
    pub fn de_l_environnement() -> Resultat<Self> {
        let Some(chemin) = std::env::var(VARIABLE).ok().filter(|c| !c.is_empty()) else {
            tracing::info!("no ceilings file: every region may be switched");
            return Ok(Self::ouverts());
        };
        std::fs::read_to_string(&chemin).map_err(|e| e.to_string()).and_then(|t| Self::lire(&t)).map_err(
            |e| Erreur::Indisponible(format!("fichier des plafonds {chemin} ({VARIABLE}) refusé : {e}")),
        )
    }

    /// Of one region.
    pub fn de(&self, region: &str) -> Reglage {
        self.regions.get(region).copied().unwrap_or(self.defaut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_chart_is_read_and_a_region_left_out_is_allowed_nothing() {
        let p = Plafonds::lire(
            r#"{"policyVersion": "2026.05", "defaults": {"freezeMaxHours": 48}, "regions": {
                "52": {"name": "Pays de la Loire", "ceiling": "NATIONAL_PRIMARY", "hold": true},
                "53": {"name": "Bretagne", "ceiling": "READY"}}}"#,
        )
        .unwrap();
        assert_eq!(p.de("52"), Reglage { plafond: Plafond::NationalPrimary, pause: true });
        assert_eq!(p.de("53"), Reglage { plafond: Plafond::Ready, pause: false });
        assert_eq!(p.de("94").plafond, Plafond::Registered);
        assert!(Plafonds::lire(r#"{"regions": {"13": {"ceiling": "READY"}}}"#).is_err());
        assert!(Plafonds::lire(r#"{"regions": {"52": {"ceiling": "ROLLING_BACK"}}}"#).is_err());
        assert!(Plafonds::lire("regions: {}").is_err());
        assert_eq!(Plafonds::ouverts().de("52").plafond, Plafond::Closed);
    }

    #[test]
    fn names_are_those_of_the_values() {
        for p in [Plafond::Registered, Plafond::NationalPrimary, Plafond::LegacyRetired, Plafond::Closed] {
            let lu: Plafond = serde_json::from_str(&format!("\"{}\"", p.nom())).unwrap();
            assert_eq!(lu, p);
        }
    }
}
