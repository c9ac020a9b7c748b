//! A record to be written, with what it changes.

use bytes::Bytes;
use prost::Message;
use ror_chassis::magasin::{Ecriture, Identifiant};
use ror_domaine::ressource::Ressource as _;
use ror_proto::identity::v1::{Changement, Identity, identity::Ressource};

use crate::difference::{Sujet, comparer};

/// A write, and what it tells.
#[derive(Debug)]
pub(super) struct Proposition {
    /// The write.
    pub(super) ecriture: Ecriture,
    /// Kind of the record, as changes name it.
    pub(super) genre: &'static str,
    /// At least one.
    pub(super) changements: Vec<Changement>,
    /// Line of the record in the file; 0 when it is not from a file.
    pub(super) ligne: u64,
}

impl Proposition {
    /// The next version of a record, `tenue` being the present one; None when nothing
    /// changes. A withdrawn record that comes back has none, and is told as a new one.
    pub(super) fn nouvelle(
        tenue: Option<&Identity>,
        version: u64,
        apres: &mut Identity,
        ligne: u64,
    ) -> Option<Self> {
        let changements = comparer(tenue, apres);
        if changements.is_empty() {
            return None;
        }
        let identifiants = tenue.is_none().then(|| identifiants(apres));
        let etat = etat(apres);
        Self::ecrire(apres, etat, version, identifiants, changements, ligne)
    }

    /// A record never seen, and its state; None when it holds nothing.
    pub(super) fn creee(apres: &Identity, etat: Bytes, ligne: u64) -> Option<Self> {
        Self::ecrire(apres, etat, 1, Some(identifiants(apres)), comparer(None, apres), ligne)
    }

    /// A write of this record with these changes; None when it holds nothing.
    pub(super) fn ecrire(
        apres: &Identity,
        etat: Bytes,
        version: u64,
        identifiants: Option<Vec<Identifiant>>,
        changements: Vec<Changement>,
        ligne: u64,
    ) -> Option<Self> {
        let (genre, sujet) = (apres.genre()?, Sujet::de(apres)?);
        let ecriture = Ecriture {
            id: sujet.id.to_owned(),
            genre,
            region: apres.meta().map(|m| m.region.clone()).unwrap_or_default(),
            version,
            etat,
            retire: false,
            identifiants,
        };
        Some(Self { ecriture, genre: sujet.genre, changements, ligne })
    }
}

/// The state the store keeps, and nothing that depends on when it is read: without
/// version nor dates, which are columns.
pub(super) fn etat(i: &mut Identity) -> Bytes {
    if let Some(meta) = i.meta_mut() {
        meta.version = 0;
        meta.date_maj = None;
        meta.date_creation = None;
    }
    i.encode_to_vec().into()
}

/// What a record is found by. A structure or a professional alone holds its number;
/// what hangs on them is found by it too.
pub(super) fn identifiants(i: &Identity) -> Vec<Identifiant> {
    let (systeme, valeur, unique) = match &i.ressource {
        Some(Ressource::StructureFiness(s)) => ("finess", &s.num_finess, true),
        Some(Ressource::Professionnel(p)) => ("idNatPS", &p.id_nat_ps, true),
        Some(Ressource::ActivitesFiness(a)) => ("finess", &a.num_finess, false),
        Some(Ressource::Formation(f)) => ("idNatPS", &f.id_nat_ps, false),
        None => return Vec::new(),
    };
    vec![Identifiant { systeme, valeur: valeur.clone(), unique }]
}

#[cfg(test)]
mod tests {
    use ror_proto::{
        common::v1::Meta,
        identity::v1::{Operation, Professionnel},
    };

    use super::*;

    fn personne(nom: &str) -> Identity {
        let p = Professionnel {
            meta: Some(Meta { id: "x".to_owned(), region: "84".to_owned(), version: 9, ..Meta::default() }),
            id_nat_ps: "810990000019".to_owned(),
            nom: nom.to_owned(),
            actif: true,
            ..Professionnel::default()
        };
        Identity { ressource: Some(Ressource::Professionnel(p)) }
    }

    fn proposer(tenue: Option<&str>, version: u64, apres: &str) -> Option<Proposition> {
        Proposition::nouvelle(tenue.map(personne).as_ref(), version, &mut personne(apres), 7)
    }

    #[test]
    fn an_equal_record_proposes_nothing() {
        assert!(proposer(Some("A"), 4, "A").is_none());
    }

    #[test]
    fn a_changed_record_is_the_next_version_and_keeps_its_identifiers() {
        let p = proposer(Some("A"), 4, "B").unwrap();
        assert_eq!((p.ecriture.version, p.ligne, p.ecriture.region.as_str()), (4, 7, "84"));
        assert_eq!(p.ecriture.identifiants, None);
        assert_eq!(p.changements[0].operation(), Operation::Modifiee);
        let relue = Identity::decode(p.ecriture.etat).unwrap();
        let Some(Ressource::Professionnel(relue)) = relue.ressource else { panic!("another kind") };
        assert_eq!(relue.meta.unwrap().version, 0, "the version is a column");
    }

    #[test]
    fn a_new_record_takes_its_number_and_a_withdrawn_one_takes_it_back() {
        let mut apres = personne("A");
        let etat = etat(&mut apres);
        let creee = Proposition::creee(&apres, etat, 7).unwrap();
        for (p, version) in [(creee, 1), (proposer(None, 4, "A").unwrap(), 4)] {
            assert_eq!((p.ecriture.version, p.ecriture.retire), (version, false));
            assert_eq!(p.changements[0].operation(), Operation::Creee);
            assert_eq!(p.ecriture.identifiants.unwrap()[0].valeur, "810990000019");
        }
    }
}
