//! Page links: closed, bound to who asks and to what is asked. A link names a moment of this replica
//! and a row of it, so that a walk sees each resource of its moment exactly once; who holds it reads
//! neither, for the rows between two that it sees are what it may not see.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;

use super::erreurs::Refus;
use crate::{fhir::outcome::Issue, recherche::tri::Depart, sceau::Sceau};

/// The form of the links below.
const FORME: &[u8] = b"ror _page 3";
/// Bytes of a place.
const CORPS: usize = 8 + 1 + 4 + 8 + 8 + 8;
/// Letters of a link beyond which it is not even decoded.
const LONGUEUR_MAX: usize = 200;
/// The part of a named moment that is the number of the moment.
const NUMERO: u64 = 0xFFFF_FFFF;

/// A place in a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the moment.
    pub moment: u64,
    /// From where.
    pub depart: Depart,
    /// Results given before it, forwards.
    pub donnes: u64,
    /// When the walk began, in milliseconds since 1970: what `ap` is measured from.
    pub maintenant: i64,
    /// Number of the labels and value sets the criteria were read with; 0 when they need none.
    pub lecture: u64,
}

/// The name of a moment of a replica, for `Ror-Moment` and `_moment`: a number that means nothing to
/// another replica, or to this one started again.
pub fn nommer(replique: u32, numero: u64) -> u64 {
    (u64::from(replique) << 32) | (numero & NUMERO)
}

/// The number of a named moment of this replica, near that of the present one.
pub fn retrouver(replique: u32, nom: u64, present: u64) -> Option<u64> {
    (nom >> 32 == u64::from(replique)).then_some((present & !NUMERO) | (nom & NUMERO))
}

/// Writes and reads the links of one replica.
pub struct Liens<'a> {
    /// Key.
    pub secret: &'a [u8; 32],
    /// Replica.
    pub replique: u32,
    /// Who asks.
    pub appelant: &'a str,
    /// What is asked: type, names and values decoded, without the link itself.
    pub requete: &'a str,
}

impl Liens<'_> {
    /// What the links are for.
    fn usage<'a>(&'a self, replique: &'a [u8; 4]) -> [&'a [u8]; 4] {
        [FORME, replique, self.appelant.as_bytes(), self.requete.as_bytes()]
    }

    /// The link of a place.
    pub fn ecrire(&self, p: &Place) -> String {
        let (sens, rang) = match p.depart {
            Depart::Debut => (0u8, 0),
            Depart::Apres(r) => (1, r),
            Depart::Avant(r) => (2, r),
        };
        let mut o = Vec::with_capacity(CORPS);
        o.extend_from_slice(&p.moment.to_le_bytes());
        o.push(sens);
        o.extend_from_slice(&rang.to_le_bytes());
        o.extend_from_slice(&p.donnes.to_le_bytes());
        o.extend_from_slice(&p.maintenant.to_le_bytes());
        o.extend_from_slice(&p.lecture.to_le_bytes());
        let replique = self.replique.to_le_bytes();
        let ferme = Sceau::nouveau(self.secret).fermer(&self.usage(&replique), &o);
        URL_SAFE_NO_PAD.encode([&replique[..], &ferme].concat())
    }

    /// The place of a link.
    pub fn lire(&self, lien: &str) -> Result<Place, Refus> {
        if lien.len() > LONGUEUR_MAX {
            return Err(etranger());
        }
        let octets = URL_SAFE_NO_PAD.decode(lien).unwrap_or_default();
        let (replique, ferme) = octets.split_first_chunk::<4>().ok_or_else(etranger)?;
        // Another replica with another key cannot tell a link of this one from a forged one.
        if u32::from_le_bytes(*replique) != self.replique {
            return Err(perime("_page"));
        }
        let clair = Sceau::nouveau(self.secret).ouvrir(&self.usage(replique), ferme).ok_or_else(etranger)?;
        let (moment, reste) = clair.split_first_chunk::<8>().ok_or_else(etranger)?;
        let (sens, reste) = reste.split_first().ok_or_else(etranger)?;
        let (rang, reste) = reste.split_first_chunk::<4>().ok_or_else(etranger)?;
        let (donnes, reste) = reste.split_first_chunk::<8>().ok_or_else(etranger)?;
        let (maintenant, reste) = reste.split_first_chunk::<8>().ok_or_else(etranger)?;
        let lecture = reste.first_chunk::<8>().ok_or_else(etranger)?;
        let rang = u32::from_le_bytes(*rang);
        let depart = match sens {
            0 => Depart::Debut,
            1 => Depart::Apres(rang),
            _ => Depart::Avant(rang),
        };
        Ok(Place {
            moment: u64::from_le_bytes(*moment),
            depart,
            donnes: u64::from_le_bytes(*donnes),
            maintenant: i64::from_le_bytes(*maintenant),
            lecture: u64::from_le_bytes(*lecture),
        })
    }
}

fn etranger() -> Refus {
    Refus::un(
        StatusCode::BAD_REQUEST,
        Issue::new(
            "value",
            "Paramètre « _page » : ce lien n'est pas de cette requête ou de cette application. Attendu : le lien next ou previous d'une réponse, suivi tel quel.",
        )
        .sur("_page"),
    )
}

/// The moment is no longer kept; who asks named it by this parameter.
pub fn perime(parametre: &str) -> Refus {
    Refus::un(
        StatusCode::GONE,
        Issue::new(
            "expired",
            format!("Paramètre « {parametre} » : l'annuaire a changé et son instant n'est plus gardé. Attendu : recommencer la recherche, ou $export pour un grand volume."),
        )
        .sur(parametre),
    )
}

/// The criteria would not mean now what they meant on the first page.
pub fn relu() -> Refus {
    Refus::un(
        StatusCode::GONE,
        Issue::new(
            "expired",
            "Paramètre « _page » : les libellés ou les jeux de valeurs des critères ont changé depuis la première page. Attendu : recommencer la recherche.",
        )
        .sur("_page"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liens<'a>(secret: &'a [u8; 32], appelant: &'a str, requete: &'a str) -> Liens<'a> {
        Liens { secret, replique: 7, appelant, requete }
    }

    #[test]
    fn a_named_moment_is_of_one_replica() {
        for numero in [0, 7, u64::from(u32::MAX)] {
            let nom = nommer(9, numero);
            assert_eq!(retrouver(9, nom, 8), Some(numero));
            assert_eq!(retrouver(8, nom, 8), None);
        }
        assert_eq!(retrouver(9, nommer(9, (3 << 32) + 5), (3 << 32) + 6), Some((3 << 32) + 5));
        assert_eq!(retrouver(9, 5, 6), None);
    }

    #[test]
    fn a_link_serves_its_caller_and_its_query_only() {
        let s = [3u8; 32];
        let place =
            Place { moment: 1234, depart: Depart::Apres(99), donnes: 200, maintenant: -5, lecture: 1 << 40 };
        let lien = liens(&s, "app", "Location?type=1").ecrire(&place);
        assert_eq!(liens(&s, "app", "Location?type=1").lire(&lien).ok(), Some(place));
        let statut = |l: &Liens<'_>, t: &str| l.lire(t).err().map(|r| r.0.as_u16());
        assert_eq!(statut(&liens(&s, "autre", "Location?type=1"), &lien), Some(400));
        assert_eq!(statut(&liens(&s, "app", "Location?type=2"), &lien), Some(400));
        assert_eq!(statut(&liens(&[4; 32], "app", "Location?type=1"), &lien), Some(400));
        let ailleurs = Liens { replique: 8, ..liens(&s, "app", "Location?type=1") };
        assert_eq!(statut(&ailleurs, &lien), Some(410));
        for i in 0..lien.len() {
            let mut faux = lien.clone().into_bytes();
            faux[i] = if faux[i] == b'A' { b'B' } else { b'A' };
            let faux = String::from_utf8(faux).unwrap();
            assert!(liens(&s, "app", "Location?type=1").lire(&faux).is_err() || faux == lien, "{i}");
        }
        // Places that follow each other show nothing of how far they stand.
        let suite = Place { depart: Depart::Apres(100), ..place };
        let suite = liens(&s, "app", "Location?type=1").ecrire(&suite);
        let communs = lien.bytes().zip(suite.bytes()).take_while(|(a, b)| a == b).count();
        assert!(communs < 12 && suite.len() == lien.len(), "{lien} {suite}");
        for faux in ["", "é", "AAAA", &lien[..10], &lien.repeat(4)] {
            assert!(statut(&liens(&s, "app", "Location?type=1"), faux).is_some());
        }
    }
}
