//! The capacity records of one place: a set that cannot be invalid.

pub mod coherence;
pub mod fermeture;
pub mod indicateurs;
pub mod patch;

use std::collections::HashSet;

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, instant},
    magasin::Ligne,
};
use ror_domaine::{
    controle::Controle, liaisons, references::Connues, ressource::Ressource, vocabulaire::Tables,
};
use ror_proto::{
    capacity::v1::{CapaciteLieu, Capacity, EnregistrementCapacite, capacity},
    common::v1::{Faute, Meta, Provenance, ResultatEcriture},
};
use time::{Duration, OffsetDateTime};

use fermeture::Fermeture;

/// Kind of the aggregate.
pub const GENRE: &str = "capacite_lieu";
/// Domain of its writer lease.
pub const BAIL: &str = "capacite";
/// Kind of the resource of `offers` that has capacities.
pub const LIEU: &str = "lieu";

const NOMBRE_MAX: u32 = 9999;
const COMMENTAIRE_MAX: usize = 2000;
/// How far ahead of ours the clock of a source may be.
const AVANCE_MAX: Duration = Duration::minutes(5);
/// Far above what the indicators allow; bounds the work when a list is not loaded whole.
const ENREGISTREMENTS_MAX: usize = 1000;

/// Every capacity record of one place: each tuple an indicator, each indicator once,
/// the counts coherent, the records in the order of their keys so that equal sets are
/// equal bytes. They are those their sources tell; while the place is closed, what is
/// available is served as 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacites {
    meta: Meta,
    enregistrements: Vec<EnregistrementCapacite>,
    fermeture: Option<Fermeture>,
}

impl Capacites {
    /// A place without any record.
    pub fn vide(id: &str, region: &str) -> Self {
        let meta = Meta { id: id.to_owned(), region: region.to_owned(), ..Default::default() };
        Self { meta, enregistrements: Vec::new(), fermeture: None }
    }

    /// Checks a set received whole; every fault at once.
    pub fn valider(
        recu: CapaciteLieu,
        provenance: &Provenance,
        tables: &Tables,
        lieux: &Connues,
        maintenant: OffsetDateTime,
    ) -> Result<Self, Vec<Faute>> {
        let mut c = Controle::nouveau(tables, lieux, "CapaciteLieu");
        c.meta(recu.meta.as_ref(), provenance);
        let meta = recu.meta.unwrap_or_default();
        c.texte("meta.commentaire", &meta.commentaire, COMMENTAIRE_MAX, false);
        c.reference("id", &meta.id, &[LIEU], true);
        if let Some((_, region)) = lieux.get(&meta.id)
            && *region != provenance.region
        {
            let message = format!("Le lieu {} est de la région « {region} ».", meta.id);
            c.refuser("id", "region-du-lieu-differente", message, "une écriture pour la région du lieu");
        }
        let recus = recu.enregistrements;
        if recus.len() > ENREGISTREMENTS_MAX {
            let message = format!("{} enregistrements pour un lieu.", recus.len());
            c.refuser("enregistrements", "taille", message, format!("{ENREGISTREMENTS_MAX} au plus"));
            return Err(c.finir().err().unwrap_or_default());
        }
        for (i, e) in recus.iter().enumerate() {
            controler(&mut c, &format!("enregistrements[{i}]"), e, maintenant);
        }
        doublons(&mut c, &recus);
        for i in coherence::incoherences(&recus) {
            c.refuser("enregistrements", i.regle, i.message, i.attendu);
        }
        c.finir()?;
        Ok(Self::ranger(meta, recus))
    }

    /// Back from the store, where only valid sets are, for a place of this region.
    pub fn relire(l: &Ligne, region: &str) -> Resultat<Self> {
        let c = Capacity::decode(l.etat.clone())?;
        let Some(capacity::Ressource::CapaciteLieu(c)) = c.ressource else {
            return Err(Erreur::interne(format!("capacity {} without content", l.id)));
        };
        let mut meta = c.meta.unwrap_or_default();
        region.clone_into(&mut meta.region);
        let (fermeture, retenus) = match c.fermeture {
            Some(f) => (Some(Fermeture::de(&f)), f.retenus),
            None => (None, Vec::new()),
        };
        Ok(Self { meta, enregistrements: fermeture::rendre(c.enregistrements, retenus), fermeture })
    }

    /// The same records, in a place so closed, or open.
    pub fn fermer(self, fermeture: Option<Fermeture>) -> Self {
        Self { fermeture, ..self }
    }

    /// Closure of the place; none while it is open.
    pub fn fermeture(&self) -> Option<&Fermeture> {
        self.fermeture.as_ref()
    }

    /// Source region.
    pub fn region(&self) -> &str {
        &self.meta.region
    }

    /// The records, in the order of their keys.
    pub fn enregistrements(&self) -> &[EnregistrementCapacite] {
        &self.enregistrements
    }

    /// State kept by the store.
    pub fn etat(&self) -> Bytes {
        union(self.clone().servies()).etat()
    }

    /// The set as it is served.
    fn servies(self) -> CapaciteLieu {
        let Self { meta, enregistrements, fermeture } = self;
        let (enregistrements, fermeture) = match fermeture {
            Some(f) => {
                let (servis, retenus) = fermeture::retenir(enregistrements);
                (servis, Some(f.dire(retenus)))
            }
            None => (enregistrements, None),
        };
        CapaciteLieu { meta: Some(meta), enregistrements, fermeture }
    }

    /// The resource as it stands after this write.
    pub fn apres(self, ecriture: &ResultatEcriture) -> CapaciteLieu {
        let mut lieu = self.servies();
        let meta = lieu.meta.get_or_insert_default();
        meta.version = ecriture.version;
        meta.date_maj = ecriture.date_maj;
        if meta.date_creation.is_none() {
            meta.date_creation = ecriture.date_maj;
        }
        lieu
    }

    fn ranger(meta: Meta, mut enregistrements: Vec<EnregistrementCapacite>) -> Self {
        for e in &mut enregistrements {
            // One spelling of an instant: nanoseconds below one second.
            e.date_maj = e.date_maj.as_ref().and_then(instant).map(horodatage);
        }
        let rang =
            |e: &EnregistrementCapacite| e.cle.as_ref().map(|c| indicateurs::tuple(c).map(str::to_owned));
        enregistrements.sort_by_cached_key(rang);
        Self { meta, enregistrements, fermeture: None }
    }
}

/// One set as a resource of the area.
fn union(lieu: CapaciteLieu) -> Capacity {
    Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(lieu)) }
}

/// The packet that tells one record of a place, kept when the lease refuses it.
pub fn paquet(id: &str, region: &str, enregistrements: Vec<EnregistrementCapacite>) -> Bytes {
    let meta = Meta { id: id.to_owned(), region: region.to_owned(), ..Default::default() };
    union(CapaciteLieu { meta: Some(meta), enregistrements, fermeture: None }).encode_to_vec().into()
}

/// Refuses an indicator told twice.
fn doublons(c: &mut Controle<'_>, enregistrements: &[EnregistrementCapacite]) {
    let mut vus = HashSet::new();
    for (i, e) in enregistrements.iter().enumerate() {
        if let Some(cle) = &e.cle
            && !vus.insert(indicateurs::tuple(cle))
        {
            let message = format!("L'indicateur est répété : {}.", indicateurs::decrire(cle));
            c.refuser(
                &format!("enregistrements[{i}].cle"),
                "doublon",
                message,
                "un enregistrement par indicateur",
            );
        }
    }
}

/// Checks one record; `ici` is its path below the root of the control, empty for the root.
fn controler(c: &mut Controle<'_>, ici: &str, e: &EnregistrementCapacite, maintenant: OffsetDateTime) {
    let element = |nom: &str| indicateurs::sous(ici, nom);
    match &e.cle {
        Some(cle) => indicateurs::controler(c, &element("cle"), cle),
        None => {
            c.refuser(&element("cle"), "obligatoire", "L'indicateur manque.", "les codes de l'indicateur")
        }
    }
    let codes = [
        ("nature", liaisons::NATURE_CAPACITE, liaisons::TRE_NATURE_CAPACITE, &e.nature),
        ("source", liaisons::SOURCE_CAPACITE, liaisons::TRE_SOURCE_CAPACITE, &e.source),
    ];
    for (nom, liaison, systeme, code) in codes {
        indicateurs::controler_code(c, &element(nom), liaison, systeme, code, true);
    }
    if e.nombre > NOMBRE_MAX {
        c.refuser(&element("nombre"), "bornes", format!("{} lits ou places.", e.nombre), "0 à 9999");
    }
    match e.date_maj.as_ref().map(instant) {
        None => c.refuser(
            &element("date_maj"),
            "obligatoire",
            "La date de mise à jour dans la source manque.",
            "un instant",
        ),
        Some(None) => c.refuser(&element("date_maj"), "date", "L'instant est illisible.", "un instant"),
        Some(Some(t)) if t > maintenant + AVANCE_MAX => c.refuser(
            &element("date_maj"),
            "date-future",
            format!("La mise à jour est datée du {t}, dans le futur."),
            "un instant passé, à cinq minutes près",
        ),
        Some(Some(_)) => {}
    }
    c.texte(&element("commentaire"), &e.commentaire, COMMENTAIRE_MAX, false);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ror_chassis::conversion::maintenant;
    use ror_proto::{capacity::v1::CleIndicateur, common::v1::Canal};

    pub(crate) fn cle(statut: &str) -> CleIndicateur {
        CleIndicateur {
            statut: statut.into(),
            temporalite: "01".into(),
            affectation_temporaire: "01".into(),
            ..Default::default()
        }
    }

    pub(crate) fn record(cle: CleIndicateur, nombre: u32) -> EnregistrementCapacite {
        EnregistrementCapacite {
            cle: Some(cle),
            nature: "01".into(),
            nombre,
            source: "02".into(),
            date_maj: Some(horodatage(maintenant())),
            commentaire: String::new(),
        }
    }

    fn valider(enregistrements: Vec<EnregistrementCapacite>) -> Result<Capacites, Vec<Faute>> {
        let meta = Meta { id: "lieu-1".into(), region: "52".into(), ..Default::default() };
        let p = Provenance { region: "52".into(), canal: Canal::National as i32, ..Default::default() };
        let lieux = Connues::from([("lieu-1".to_owned(), (LIEU.to_owned(), "52".to_owned()))]);
        let recu = CapaciteLieu { meta: Some(meta), enregistrements, ..Default::default() };
        Capacites::valider(recu, &p, &Tables::default(), &lieux, maintenant())
    }

    #[test]
    fn equal_sets_are_equal_bytes_whatever_the_order_received() {
        let (a, b) = (record(cle("01"), 20), record(cle("02"), 3));
        let un = valider(vec![b.clone(), a.clone()]).unwrap();
        let deux = valider(vec![a, b]).unwrap();
        assert_eq!(un.etat(), deux.etat());
        assert_eq!(un.enregistrements()[0].nombre, 20);
    }

    #[test]
    fn every_fault_is_told_with_its_path() {
        let mut fautif = record(cle("02"), 10_000);
        fautif.date_maj = Some(horodatage(maintenant() + Duration::minutes(6)));
        fautif.source.clear();
        let mut sans_affectation = record(cle("03"), 1);
        sans_affectation.cle.as_mut().unwrap().affectation_temporaire.clear();
        let f = valider(vec![record(cle("01"), 20_000), fautif, sans_affectation, record(cle("01"), 1)])
            .unwrap_err();
        let dits: Vec<(&str, &str)> = f.iter().map(|f| (f.element.as_str(), f.regle.as_str())).collect();
        for attendu in [
            ("CapaciteLieu.enregistrements[0].nombre", "bornes"),
            ("CapaciteLieu.enregistrements[1].source", "obligatoire"),
            ("CapaciteLieu.enregistrements[1].nombre", "bornes"),
            ("CapaciteLieu.enregistrements[1].date_maj", "date-future"),
            ("CapaciteLieu.enregistrements[2].cle.affectation_temporaire", "obligatoire"),
            ("CapaciteLieu.enregistrements[3].cle", "doublon"),
        ] {
            assert!(dits.contains(&attendu), "{attendu:?} in {dits:?}");
        }
        assert_eq!(dits.len(), 6, "{dits:?}");
    }

    #[test]
    fn a_capacity_stands_on_a_known_place_of_the_region_written() {
        let p = Provenance { region: "52".into(), canal: Canal::National as i32, ..Default::default() };
        let essai = |lieux: Connues| {
            let meta = Meta { id: "lieu-1".into(), region: "52".into(), ..Default::default() };
            let recu = CapaciteLieu { meta: Some(meta), ..Default::default() };
            Capacites::valider(recu, &p, &Tables::default(), &lieux, maintenant()).unwrap_err()[0]
                .regle
                .clone()
        };
        let connue =
            |genre: &str, region: &str| Connues::from([("lieu-1".into(), (genre.into(), region.into()))]);
        assert_eq!(essai(Connues::new()), "reference-inconnue");
        assert_eq!(essai(connue("offre", "52")), "reference-genre");
        assert_eq!(essai(connue(LIEU, "53")), "region-du-lieu-differente");
    }
}
