//! SQL of identity's own tables; the aggregates are the store's of the mechanism.

pub(crate) mod absences;
pub(crate) mod anomalies;
pub(crate) mod changements;
pub(crate) mod editions;
pub(crate) mod refus;

use ror_chassis::{Erreur, Resultat, page};
use uuid::Uuid;

/// The id of an edition, as a caller gives it.
///
/// # Errors
///
/// A fault on `element` when it is not one.
pub(crate) fn lire_id(element: &str, id: &str) -> Resultat<Uuid> {
    Uuid::parse_str(id).map_err(|_| {
        Erreur::faute(element, "valeur", "L'identifiant est illisible.", "celui d'un rapport ou d'une liste")
    })
}

/// Cuts a list read with one row too many; the token of the next page.
fn couper<T>(lus: &mut Vec<T>, taille: i64, filtre: &[&str], cle: impl Fn(&T) -> String) -> String {
    let taille = usize::try_from(taille).unwrap_or(usize::MAX);
    if lus.len() <= taille {
        return String::new();
    }
    lus.truncate(taille);
    lus.last().map(|dernier| page::jeton(&cle(dernier), filtre)).unwrap_or_default()
}

/// For a bigint column.
fn entier(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// From a bigint column.
fn naturel(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
