//! What an edition shows a person: opened when it is new, left when it is known or was
//! decided, resolved when a whole edition no longer shows it.

use std::collections::HashMap;

use prost::Message;
use ror_chassis::{Resultat, magasin::Bloc};
use ror_proto::identity::v1::{Anomalie, Format};
use uuid::Uuid;

use super::journal::{Journal, par_lots};
use crate::{
    difference::{ACTIVITES, ENTITE_GEOGRAPHIQUE, ENTITE_JURIDIQUE, FORMATION, PROFESSIONNEL},
    store::anomalies::{self as store, Empreinte, objet, valeurs},
};

/// Anomalies of one statement.
const LOT: usize = 500;

/// Rules that every whole edition looks at again.
const REGLES: &[&str] = &[
    "adeli-absent",
    "cessation-insee",
    "disparue-sans-evenement",
    "eg-active-sous-ej-inactive",
    "ej-absente",
    "fermee-sans-date",
    "numero-en-double",
    "ouverte-avec-date-de-fermeture",
];
/// Rule of the proposals, which stand until somebody decides.
pub(super) const SUCCESSEUR: &str = "successeur-presume";

/// Kinds a format tells about, as anomalies name them.
fn genres(format: Format) -> &'static [&'static str] {
    match format {
        Format::FinessStructures | Format::FinessCsv | Format::FinessXml => {
            &[ENTITE_JURIDIQUE, ENTITE_GEOGRAPHIQUE]
        }
        Format::FinessActivites => &[ACTIVITES],
        Format::RppsPersonneActivite | Format::RppsRestreint | Format::RppsSavoirFaire => &[PROFESSIONNEL],
        Format::RppsDiplomes => &[FORMATION],
        Format::AnnuaireFhir | Format::Unspecified => &[],
    }
}

/// Those an edition shows.
#[derive(Debug)]
pub(super) struct Anomalies(Journal);

impl Anomalies {
    /// None yet.
    pub(super) fn nouvelles() -> Resultat<Self> {
        Ok(Self(Journal::nouveau()?))
    }

    /// Adds one.
    pub(super) fn ajouter(&mut self, anomalie: Anomalie, ligne: u64) -> Resultat<()> {
        self.0.ajouter(&[&Anomalie { ligne, ..anomalie }.encode_to_vec()]).map(drop)
    }

    /// Records them. With `entiere`, those of [`REGLES`] that were open and are not
    /// among them are resolved.
    pub(super) async fn tenir(
        journaux: Vec<Self>,
        bloc: &mut Bloc,
        edition: Uuid,
        format: Format,
        entiere: bool,
    ) -> Resultat<()> {
        let mut registre = Registre::charger(bloc, REGLES, genres(format)).await?;
        for Self(journal) in journaux {
            let mut relecture = journal.relire()?;
            let mut lots = par_lots(LOT, move || {
                let suivante = relecture.suivant()?;
                Ok(suivante.map(|(_, octets)| Anomalie::decode(octets.as_slice())).transpose()?)
            });
            while let Some(lot) = lots.recv().await {
                registre.montrer(bloc, edition, lot?).await?;
            }
        }
        if entiere {
            registre.resoudre(bloc).await?;
        }
        Ok(())
    }

    /// Records proposals of a successor; those about sites open again are resolved.
    pub(super) async fn proposer(
        propositions: Vec<Anomalie>,
        rouvertes: &[String],
        bloc: &mut Bloc,
        edition: Uuid,
    ) -> Resultat<()> {
        if !rouvertes.is_empty() {
            store::resoudre_selon(bloc.connexion(), SUCCESSEUR, rouvertes).await?;
        }
        if propositions.is_empty() {
            return Ok(());
        }
        let mut registre = Registre::charger(bloc, &[SUCCESSEUR], &[ENTITE_GEOGRAPHIQUE]).await?;
        for lot in propositions.chunks(LOT) {
            registre.montrer(bloc, edition, lot.to_vec()).await?;
        }
        Ok(())
    }
}

/// What stands about one rule, record and field.
#[derive(Debug, Default)]
struct Tenues {
    /// The open one, and its values.
    ouverte: Option<(Uuid, Empreinte)>,
    /// Values a person decided of.
    decidees: Vec<Empreinte>,
    /// True when the edition shows it.
    montree: bool,
}

/// What stood before the edition.
struct Registre(HashMap<Empreinte, Tenues>);

impl Registre {
    async fn charger(bloc: &mut Bloc, regles: &[&str], genres: &[&str]) -> Resultat<Self> {
        let mut tenues: HashMap<Empreinte, Tenues> = HashMap::new();
        for connue in store::connues(bloc.connexion(), regles, genres).await? {
            let tenue = tenues.entry(connue.objet).or_default();
            if connue.ouverte {
                tenue.ouverte = Some((connue.id, connue.valeurs));
            } else {
                tenue.decidees.push(connue.valeurs);
            }
        }
        Ok(Self(tenues))
    }

    async fn montrer(&mut self, bloc: &mut Bloc, edition: Uuid, lot: Vec<Anomalie>) -> Resultat<()> {
        let (mut nouvelles, mut changees) = (Vec::new(), Vec::new());
        for anomalie in lot {
            let tenue = self.0.entry(objet(&anomalie)).or_default();
            let (dites, deja) = (valeurs(&anomalie), std::mem::replace(&mut tenue.montree, true));
            if deja || tenue.decidees.contains(&dites) {
                continue;
            }
            match tenue.ouverte {
                None => nouvelles.push(anomalie),
                // What it rests on changes with each edition.
                Some((id, connues)) if connues != dites || !anomalie.preuves.is_empty() => {
                    changees.push((id, anomalie));
                }
                Some(_) => {}
            }
        }
        if !nouvelles.is_empty() {
            store::ouvrir(bloc.connexion(), edition, &nouvelles).await?;
        }
        if !changees.is_empty() {
            store::actualiser(bloc.connexion(), edition, &changees).await?;
        }
        Ok(())
    }

    async fn resoudre(&self, bloc: &mut Bloc) -> Resultat<()> {
        let perdues = self.0.values().filter(|t| !t.montree).filter_map(|t| Some(t.ouverte?.0));
        let perdues: Vec<Uuid> = perdues.collect();
        for lot in perdues.chunks(LOT) {
            store::resoudre(bloc.connexion(), lot).await?;
        }
        Ok(())
    }
}
