//! Dates of a search: partial dates, the width of `ap`.

use super::{Rejet, court};
use crate::{fhir::temps::etendue, recherche::arbre::Intervalle};

/// A partial date, as the interval it covers; without zone, UTC.
pub(super) fn lire(v: &str) -> Result<Intervalle, Rejet> {
    let (de, a) = etendue(v).ok_or_else(|| {
        let message = format!("« {} » n'est pas une date.", court(v));
        let attendu = "AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm[:ss][Z ou +hh:mm], après un préfixe s'il le faut (ge2026-01-01)";
        Rejet::new("value", message, attendu)
    })?;
    Ok(Intervalle { de, a })
}

/// For `ap`: wider on both sides by a tenth of the time between now and the nearest end of the
/// interval, not at all when now is inside.
pub(super) fn elargir(i: Intervalle, maintenant: i64) -> Intervalle {
    let ecart = if maintenant < i.de {
        i.de.saturating_sub(maintenant)
    } else {
        maintenant.saturating_sub(i.a).max(0)
    };
    let marge = ecart / 10;
    Intervalle { de: i.de.saturating_sub(marge), a: i.a.saturating_add(marge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_interval_of_its_precision() {
        let lu = |t: &str| lire(t).map(|i| (i.de, i.a)).map_err(|r| r.message);
        assert_eq!(lu("1970-01-01T00:00:00.5Z"), Ok((500, 600)));
        assert_eq!(lu("1970-01-02"), Ok((86_400_000, 172_800_000)));
        assert_eq!(lu("hier").unwrap_err(), "« hier » n'est pas une date.");
    }

    #[test]
    fn about_widens_by_a_tenth_of_the_distance_from_now() {
        let i = Intervalle { de: 1_000, a: 2_000 };
        assert_eq!(elargir(i, 0), Intervalle { de: 900, a: 2_100 });
        assert_eq!(elargir(i, 1_500), i);
        assert_eq!(elargir(i, 3_000), Intervalle { de: 900, a: 2_100 });
    }
}
