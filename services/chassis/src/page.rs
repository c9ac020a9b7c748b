//! Keyset page tokens: opaque, and refused with another filter than the one they come from.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use sha2::{Digest, Sha256};

use crate::{Erreur, Resultat};

/// Page size asked, bounded to 1–500, 50 by default; negative is refused.
pub fn taille(demandee: i32) -> Resultat<i64> {
    match demandee {
        0 => Ok(50),
        n if n < 0 => Err(Erreur::faute("page_size", "valeur", "La taille de page est négative.", "1 à 500")),
        n => Ok(i64::from(n.min(500))),
    }
}

fn empreinte(filtre: &[&str]) -> Vec<u8> {
    let mut h = Sha256::new();
    for f in filtre {
        h.update(f.as_bytes());
        h.update([0]);
    }
    h.finalize()[..6].to_vec()
}

/// Token of the page after `dernier`.
pub fn jeton(dernier: &str, filtre: &[&str]) -> String {
    let mut octets = empreinte(filtre);
    octets.extend_from_slice(dernier.as_bytes());
    B64.encode(octets)
}

/// Last key of the former page; empty for the first.
pub fn lire(jeton: &str, filtre: &[&str]) -> Resultat<String> {
    if jeton.is_empty() {
        return Ok(String::new());
    }
    let refus = || {
        Erreur::faute(
            "page_token",
            "jeton-de-page",
            "Ce jeton de page n'est pas de cette liste.",
            "le jeton reçu avec la page précédente, avec les mêmes critères",
        )
    };
    let octets = B64.decode(jeton).map_err(|_| refus())?;
    let (tete, cle) = octets.split_at_checked(6).ok_or_else(refus)?;
    if tete != empreinte(filtre) {
        return Err(refus());
    }
    String::from_utf8(cle.to_vec()).map_err(|_| refus())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_only_serves_its_own_filter() {
        let j = jeton("abc", &["52", "lieu"]);
        assert_eq!(lire(&j, &["52", "lieu"]).unwrap(), "abc");
        assert!(lire(&j, &["53", "lieu"]).is_err());
        assert!(lire("%%", &[]).is_err());
        assert!(taille(-1).is_err());
        assert_eq!(taille(9999).unwrap(), 500);
    }
}
