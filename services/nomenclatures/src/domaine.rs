//! What a version of a nomenclature is, and the one form it is stored in.
//!
//! [`regles`]: what a version must be. [`ecarts`]: what changes from one to the next.
//! [`gouvernance`]: who may change what, and when. [`promotion`]: from regional to national.

pub mod ecarts;
pub mod gouvernance;
pub mod promotion;
pub mod regles;

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, instant, maintenant},
    magasin::Ligne,
};
use ror_domaine::ressource::id_nomenclature;
use ror_proto::{
    common::v1::{Evenement, Meta},
    nomenclatures::v1::{Concept, EtatEdition, Nomenclature, Rigueur, Sorte},
};
use time::OffsetDateTime;

/// Kind of the aggregates.
pub const GENRE: &str = "nomenclature";
/// Status of a code that may be used.
pub const ACTIF: &str = "active";
/// Status of a code that may no longer be entered.
pub const RETIRE: &str = "retired";
/// Every status of a code.
pub const STATUTS: [&str; 4] = ["draft", ACTIF, "deprecated", RETIRE];
/// Equivalence of a pair that does not say.
pub const LIE: &str = "relatedto";

/// A version as stored: its content, and when the store last changed it.
#[derive(Clone, Debug)]
pub struct Edition {
    /// The nomenclature, metadata complete.
    pub nomenclature: Nomenclature,
    /// Version of the aggregate.
    pub version: u64,
}

impl Edition {
    /// From a row of the store.
    pub fn depuis_ligne(l: &Ligne) -> Resultat<Self> {
        Self::decoder(l.etat.clone(), l.version, l.maj_le)
    }

    /// From an event that carries its state.
    pub fn depuis_evenement(e: &Evenement) -> Resultat<Self> {
        let maj_le =
            e.date.as_ref().and_then(instant).ok_or_else(|| Erreur::interne("event without date"))?;
        Self::decoder(e.etat.clone(), e.version, maj_le)
    }

    fn decoder(etat: Bytes, version: u64, maj_le: OffsetDateTime) -> Resultat<Self> {
        let mut nomenclature = Nomenclature::decode(etat)?;
        nomenclature.etat = etat_effectif(&nomenclature) as i32;
        nomenclature.nombre = nombre(&nomenclature);
        let meta = nomenclature.meta.get_or_insert_default();
        meta.version = version;
        meta.date_maj = Some(horodatage(maj_le));
        if meta.date_creation.is_none() {
            meta.date_creation = meta.date_maj;
        }
        Ok(Self { nomenclature, version })
    }
}

/// The nomenclature without its content.
pub fn entete(n: &Nomenclature) -> Nomenclature {
    Nomenclature {
        meta: n.meta.clone(),
        sorte: n.sorte,
        canonique: n.canonique.clone(),
        version: n.version.clone(),
        nom: n.nom.clone(),
        oid: n.oid.clone(),
        valide_du: n.valide_du.clone(),
        valide_au: n.valide_au.clone(),
        complete: n.complete,
        concepts: Vec::new(),
        etat: n.etat,
        region: n.region.clone(),
        titre: n.titre.clone(),
        description: n.description.clone(),
        editeur: n.editeur.clone(),
        date_maj: n.date_maj.clone(),
        associations: Vec::new(),
        source: n.source.clone(),
        cible: n.cible.clone(),
        rigueur_saisie: n.rigueur_saisie,
        rigueur_migration: n.rigueur_migration,
        nombre: n.nombre.max(nombre(n)),
        courante: n.courante,
    }
}

fn nombre(n: &Nomenclature) -> u32 {
    u32::try_from(n.concepts.len().saturating_add(n.associations.len())).unwrap_or(u32::MAX)
}

/// The state of a version; those stored before states existed were all published.
pub fn etat_effectif(n: &Nomenclature) -> EtatEdition {
    match n.etat() {
        EtatEdition::Unspecified => EtatEdition::Publiee,
        dit => dit,
    }
}

/// Name for people: the computer name, or the canonical.
pub fn nom(n: &Nomenclature) -> &str {
    if n.nom.is_empty() { &n.canonique } else { &n.nom }
}

/// One form for one content: metadata reduced to the id, what is left unsaid filled in,
/// the system of a TRE's concepts left implicit, what only answers hold removed.
pub fn normaliser(mut n: Nomenclature) -> Nomenclature {
    n.meta = Some(Meta { id: id_nomenclature(&n.canonique, &n.version), ..Default::default() });
    (n.nombre, n.courante) = (0, false);
    if let Some(oid) = n.oid.strip_prefix("urn:oid:") {
        n.oid = oid.to_owned();
    }
    let tre = n.sorte() == Sorte::Tre;
    for c in &mut n.concepts {
        if c.statut.is_empty() {
            ACTIF.clone_into(&mut c.statut);
        }
        if tre && c.systeme == n.canonique {
            c.systeme.clear();
        }
    }
    for a in n.associations.iter_mut().filter(|a| a.equivalence.is_empty()) {
        LIE.clone_into(&mut a.equivalence);
    }
    n
}

/// The state to store over the present one. The creation date is that of the first load;
/// what a load does not say of state and strictness stays, strictness as the current
/// version of the canonical, `courante`, has it.
pub fn etat(n: &Nomenclature, presente: Option<&Ligne>, courante: Option<&Nomenclature>) -> Bytes {
    let presente = presente.and_then(|l| Nomenclature::decode(l.etat.clone()).ok());
    let creation = presente.as_ref().and_then(|p| p.meta.as_ref()).and_then(|m| m.date_creation);
    let mut n = n.clone();
    n.meta.get_or_insert_default().date_creation = Some(creation.unwrap_or_else(|| horodatage(maintenant())));
    n.etat = match (&presente, n.etat()) {
        (Some(p), EtatEdition::Unspecified) => p.etat,
        // Not rewritten only to say what was unsaid.
        (Some(p), dit) if etat_effectif(p) == dit => p.etat,
        (None, EtatEdition::Unspecified) => EtatEdition::Publiee as i32,
        (_, dit) => dit as i32,
    };
    if n.sorte() == Sorte::Jdv
        && let Some(modele) = presente.as_ref().or(courante)
    {
        if n.rigueur_saisie() == Rigueur::Unspecified {
            n.rigueur_saisie = modele.rigueur_saisie;
        }
        if n.rigueur_migration() == Rigueur::Unspecified {
            n.rigueur_migration = modele.rigueur_migration;
        }
    }
    n.encode_to_vec().into()
}

/// Whether a code may be used at an ISO date. Known dates decide; a code retired
/// without a known end is usable at no date.
pub fn utilisable(c: &Concept, date: &str) -> bool {
    utilisable_entre(&c.statut, &c.valide_du, &c.valide_au, date)
}

/// As [`utilisable`], from its status and its first and last days.
pub fn utilisable_entre(statut: &str, valide_du: &str, valide_au: &str, date: &str) -> bool {
    if !valide_du.is_empty() && date < valide_du {
        return false;
    }
    if valide_au.is_empty() { statut != RETIRE } else { date <= valide_au }
}

/// Whether a code has ended for good at an ISO date: before it, or retired at no known date.
pub fn fini(c: &Concept, date: &str) -> bool {
    if c.valide_au.is_empty() { c.statut == RETIRE } else { c.valide_au.as_str() < date }
}

#[cfg(test)]
pub(crate) mod essais;

#[cfg(test)]
mod tests {
    use super::{essais::*, *};

    #[test]
    fn a_version_has_one_form() {
        let n = tre("1", vec![Concept { systeme: "urn:t".into(), ..concept("1", "x") }]);
        assert_eq!((n.concepts[0].systeme.as_str(), n.concepts[0].statut.as_str()), ("", ACTIF));
        assert_eq!(n.meta.map(|m| m.id), Some("urn:t|1".to_owned()));
        let n = normaliser(Nomenclature { oid: "urn:oid:1.2.3".into(), nombre: 7, ..Default::default() });
        assert_eq!((n.oid.as_str(), n.nombre), ("1.2.3", 0));
    }

    #[test]
    fn a_load_keeps_what_it_does_not_say() {
        let ligne = |n: &Nomenclature| Ligne {
            genre: GENRE.into(),
            id: "i".into(),
            region: String::new(),
            version: 3,
            etat: etat(n, None, None),
            retire: false,
            cree_le: OffsetDateTime::UNIX_EPOCH,
            maj_le: OffsetDateTime::UNIX_EPOCH,
        };
        let lire = |b: Bytes| Nomenclature::decode(b).unwrap();
        let neuve = jdv("1", &[("urn:t", "1")]);
        assert_eq!(lire(etat(&neuve, None, None)).etat(), EtatEdition::Publiee);
        let brouillon = Nomenclature {
            etat: EtatEdition::Brouillon as i32,
            rigueur_saisie: Rigueur::Souple as i32,
            ..neuve.clone()
        };
        let presente = ligne(&brouillon);
        assert_eq!(etat(&neuve, Some(&presente), None), presente.etat, "an equal content is the same bytes");
        let suivante = lire(etat(&jdv("2", &[("urn:t", "1")]), None, Some(&brouillon)));
        assert_eq!(suivante.rigueur_saisie(), Rigueur::Souple, "inherited from the current version");
        assert_eq!(suivante.etat(), EtatEdition::Publiee);
    }

    #[test]
    fn known_dates_decide_and_retirement_without_date_is_final() {
        let c = |statut: &str, du: &str, au: &str| Concept {
            statut: statut.into(),
            valide_du: du.into(),
            valide_au: au.into(),
            ..Default::default()
        };
        assert!(utilisable(&c(RETIRE, "", "2018-01-26"), "2018-01-26"));
        assert!(!utilisable(&c(RETIRE, "", "2018-01-26"), "2018-01-27"));
        assert!(!utilisable(&c(RETIRE, "", ""), "2018-01-26"));
        assert!(utilisable(&c("deprecated", "2015-04-08", ""), "2026-11-21"));
        assert!(!utilisable(&c(ACTIF, "2015-04-08", ""), "2015-04-07"));
        assert!(fini(&c(RETIRE, "", ""), "2018-01-26") && fini(&c(ACTIF, "", "2018-01-25"), "2018-01-26"));
        assert!(!fini(&c(ACTIF, "2030-01-01", ""), "2018-01-26"), "not begun is not ended");
    }
}
