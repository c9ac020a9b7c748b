//! Loading an edition: received and checked, read, compared with what is known, judged,
//! then applied whole in one transaction, or not at all.
//!
//! Reading order: [`charger`] here; [`depot`] (the bytes), [`lecture`] (the reader's
//! thread), [`comparaison`] (what is equal stops there), [`nouvelles`] and [`differes`]
//! (what waits for the end of the file), [`application`] (it is written), [`absences`],
//! [`anomalies`], [`jugement`], [`cloture`] (report and record).

mod absences;
mod annulation;
mod anomalies;
mod application;
mod canaux;
mod cloture;
mod comparaison;
mod comptes;
mod connus;
mod decision;
mod depot;
mod differes;
mod jauge;
mod journal;
mod jugement;
mod lecture;
mod nouvelles;
mod proposition;
mod refus;
mod successions;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    magasin::{Bloc, Magasin},
};
use ror_proto::{
    common::v1::{Canal, Faute, Provenance},
    identity::v1::{Avancement, EnTeteEdition, Format, RapportEdition, StatutEdition},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use annulation::annuler;
pub use canaux::etat_des_canaux;
pub use decision::decider;

use crate::{
    difference::plausibilite::rejeter_ancienne,
    formats::{ErreurFichier, Resume, tous},
    store::{
        self,
        editions::{self, Derniere, Etendue, Ouverture},
    },
};
use anomalies::Anomalies;
use application::Application;
use cloture::{Issue, mesurer};
use comparaison::{Bilan, Comparaison, Comparee};
use connus::Connus;
use depot::{Depot, lire_empreinte};
use jauge::{Annonce, Jauge};

/// Loads one edition. `octets` brings the whole file, then closes; `avancement` is told
/// how far the load is, about ten times a second.
///
/// An edition that is rejected or held for a person is a report, not an error. With
/// `essai`, the same is done, then undone, and nothing is recorded.
///
/// # Errors
///
/// A wrong header; [`Erreur::Conflit`] while another load of this service is under way;
/// the database or the temporary folder out of reach. Nothing is then applied.
pub async fn charger(
    magasin: &Magasin,
    mut en_tete: EnTeteEdition,
    octets: mpsc::Receiver<Bytes>,
    avancement: mpsc::Sender<Avancement>,
) -> Resultat<RapportEdition> {
    let debut = Instant::now();
    if en_tete.format() == Format::Unspecified {
        return Err(Erreur::faute(
            "en_tete.format",
            "obligatoire",
            "Le format de l'édition manque.",
            "un format de FINESS, du RPPS ou de l'Annuaire Santé",
        ));
    }
    en_tete.empreinte_attendue = lire_empreinte(&en_tete.empreinte_attendue)?;
    let depot = Depot::recevoir(octets, &en_tete.empreinte_attendue).await?;
    let mut refus = depot.verifier(&en_tete);
    if refus.is_none() {
        match depot.membre().await? {
            Ok(membre) => en_tete.nom = nommer(std::mem::take(&mut en_tete.nom), membre),
            Err(motif) => refus = Some(motif),
        }
    }
    let format = en_tete.format();
    let chargement = Chargement {
        magasin,
        refus,
        format,
        // The directory API only gives what changed.
        partielle: en_tete.partielle || format == Format::AnnuaireFhir,
        serie: serie(format, &en_tete.nom),
        en_tete,
        depot,
        debut,
    };
    let rapport = chargement.mener(avancement).await?;
    tracing::info!(
        edition = %rapport.edition_id, format = format.as_str_name(), status = rapport.statut().as_str_name(),
        refused = rapport.refus.len(), duration_ms = rapport.duree_ms, "edition loaded"
    );
    Ok(rapport)
}

/// The file of an archive names the edition, unless it has no date and the archive has one.
fn nommer(nom: String, membre: Option<String>) -> String {
    match membre {
        Some(m) if tous::cle_du_nom(&m).is_some() || tous::cle_du_nom(&nom).is_none() => m,
        _ => nom,
    }
}

/// Files of one format that do not replace one another, by the beginning of their
/// names; a format of one file has one series.
fn serie(format: Format, nom: &str) -> String {
    if !matches!(format, Format::FinessCsv | Format::FinessXml) {
        return String::new();
    }
    let fin = tous::cle_du_nom(nom).map_or(nom.len(), |(debut, _)| debut);
    nom.get(..fin).unwrap_or_default().to_lowercase()
}

/// One load.
struct Chargement<'m> {
    magasin: &'m Magasin,
    en_tete: EnTeteEdition,
    /// Why the bytes received are not those of an edition.
    refus: Option<Faute>,
    format: Format,
    partielle: bool,
    serie: String,
    depot: Depot,
    debut: Instant,
}

/// What the reading and the writing gave.
struct Acquis {
    application: Application,
    bilan: Bilan,
    resume: Resume,
    erreur: Option<ErreurFichier>,
}

impl Chargement<'_> {
    async fn mener(&self, avancement: mpsc::Sender<Avancement>) -> Resultat<RapportEdition> {
        if let Some(motif) = &self.refus {
            return self.rejeter(motif.clone()).await;
        }
        let (pool, format) = (self.magasin.pool(), self.format as i32);
        if let Some(faite) = editions::deja_appliquee(pool, format, &self.depot.sha256).await? {
            return Ok(self.deja_appliquee(faite.id));
        }
        self.verifier_accord().await?;
        let derniere = editions::derniere(pool, format, &self.serie).await?;
        if let Some(motif) = self.ancienne(&self.cle(), derniere.as_ref()) {
            return self.rejeter(motif).await;
        }
        let edition = self.ouvrir().await?;
        match self.appliquer(edition, derniere, avancement).await {
            Err(e) if !self.en_tete.essai => {
                // Told as it is when it can be; else it stays as being loaded, and nothing of it is applied.
                let motif = faute("edition", "chargement-interrompu", interruption(&e), "un nouvel essai");
                if let Err(autre) = self.inscrire_rejet(Issue::rejet(edition, motif)?).await {
                    tracing::warn!(%edition, error = %autre, "failed load not recorded");
                }
                Err(e)
            }
            resultat => resultat,
        }
    }

    /// Opens the edition; a trial has no record.
    async fn ouvrir(&self) -> Resultat<Uuid> {
        if self.en_tete.essai {
            return Ok(Uuid::now_v7());
        }
        let ouverture = Ouverture {
            format: self.format as i32,
            nom: &self.en_tete.nom,
            serie: &self.serie,
            sha256: &self.depot.sha256,
            operateur: &self.en_tete.operateur,
            interne: false,
            annule: None,
        };
        editions::ouvrir(self.magasin.pool(), ouverture).await
    }

    async fn rejeter(&self, motif: Faute) -> Resultat<RapportEdition> {
        let mut issue = Issue::rejet(self.ouvrir().await?, motif)?;
        issue.resume.cle = self.cle();
        self.inscrire_rejet(issue).await
    }

    /// Edition key told by the name of the file, empty when it tells none.
    fn cle(&self) -> String {
        tous::cle_du_nom(&self.en_tete.nom).unwrap_or_default().1
    }

    async fn inscrire_rejet(&self, issue: Issue) -> Resultat<RapportEdition> {
        let rapport = self.rapport(&issue);
        if !self.en_tete.essai {
            let mut c = self.magasin.pool().acquire().await?;
            issue.inscrire(&mut c, &rapport).await?;
        }
        Ok(rapport)
    }

    fn rapport(&self, issue: &Issue) -> RapportEdition {
        issue.rapport(&self.depot.sha256, self.en_tete.essai, self.debut)
    }

    /// The same bytes stand already: there is nothing to do, nor to record.
    fn deja_appliquee(&self, edition: String) -> RapportEdition {
        RapportEdition {
            edition_id: edition,
            sha256: self.depot.sha256.clone(),
            essai: self.en_tete.essai,
            statut: StatutEdition::DejaAppliquee as i32,
            duree_ms: u64::try_from(self.debut.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..RapportEdition::default()
        }
    }

    /// A person accepts an edition by sending its bytes again.
    async fn verifier_accord(&self) -> Resultat<()> {
        if self.en_tete.accepter.is_empty() {
            return Ok(());
        }
        let id = store::lire_id("en_tete.accepter", &self.en_tete.accepter)?;
        let retenue = editions::lire(self.magasin.pool(), id).await?.is_some_and(|(e, _)| {
            e.statut() == StatutEdition::Retenue
                && e.format == self.format as i32
                && e.sha256 == self.depot.sha256
        });
        if retenue {
            return Ok(());
        }
        Err(Erreur::Regle(vec![faute(
            "en_tete.accepter",
            "edition-non-retenue",
            "Ce fichier n'est pas celui d'une édition retenue de cet identifiant.",
            "le fichier de l'édition retenue, tel qu'il a été envoyé",
        )]))
    }

    fn ancienne(&self, cle: &str, derniere: Option<&Derniere>) -> Option<Faute> {
        derniere.filter(|_| !self.partielle).and_then(|d| rejeter_ancienne(cle, &d.cle))
    }

    /// Everything that happens in the transaction of the load.
    async fn appliquer(
        &self,
        edition: Uuid,
        derniere: Option<Derniere>,
        avancement: mpsc::Sender<Avancement>,
    ) -> Resultat<RapportEdition> {
        let mut bloc = self.magasin.bloc(provenance(edition)).await?;
        let issue = match self.executer(&mut bloc, edition, derniere, avancement).await {
            Ok(issue) => issue,
            Err(e) => return bloc.finir(Err(e)).await,
        };
        let rapport = self.rapport(&issue);
        let appliquee = issue.statut == StatutEdition::Appliquee && !self.en_tete.essai;
        issue.clore(bloc, self.magasin.pool(), &rapport).await?;
        if appliquee {
            mesurer(self.format, &rapport, self.debut);
        }
        Ok(rapport)
    }

    async fn executer(
        &self,
        bloc: &mut Bloc,
        edition: Uuid,
        derniere: Option<Derniere>,
        avancement: mpsc::Sender<Avancement>,
    ) -> Resultat<Issue> {
        let mut acquis = self.lire(bloc, edition, avancement).await?;
        let (statut, motifs) = self.juger(bloc, &mut acquis, derniere.as_ref()).await?;
        let (issue, anomalies, successions) = self.conclure(edition, statut, motifs, acquis)?;
        if statut == StatutEdition::Appliquee {
            let entiere = issue.etendue == Etendue::Entiere && tous::complet(self.format);
            Anomalies::tenir(anomalies, bloc, edition, self.format, entiere).await?;
            Anomalies::proposer(successions.proposer(), successions.rouvertes(), bloc, edition).await?;
        }
        Ok(issue)
    }

    /// Reads and compares the file, and writes what differs.
    async fn lire(
        &self,
        bloc: &mut Bloc,
        edition: Uuid,
        avancement: mpsc::Sender<Avancement>,
    ) -> Resultat<Acquis> {
        let jauge = Arc::new(Jauge::default());
        let _annonce = Annonce::commencer(jauge.clone(), avancement);
        let mut application = Application::nouvelle(edition, self.format)?;
        let fichier = self.depot.lecteur()?;
        let exclues = self.en_tete.exclure.iter().map(|cle| cle.trim().to_uppercase()).collect();
        let nom = self.en_tete.nom.clone();
        let (lue, lots) = lecture::lancer(self.format, nom, fichier, exclues, jauge.clone());
        // Held as long as the comparison is waited for.
        let presence = Arc::new(());
        let comparaison = Comparaison::nouvelle(self.format, jauge.clone(), &presence)?;
        let (envoi, connus) = oneshot::channel();
        let comparee = tokio::task::spawn_blocking(move || comparaison.mener(&lots, connus));
        // A format that tells a part of each record is compared with the records themselves.
        let genres = if tous::complet(self.format) { tous::genres(self.format) } else { &[] };
        // A comparison that stopped says why itself.
        let _ = envoi.send(Connus::charger(bloc, genres).await?);
        let Comparee { bilan, nouvelles, differes } =
            comparee.await.map_err(|e| Erreur::Interne(Box::new(e)))??;
        application.ecrire_nouvelles(bloc, nouvelles, &jauge).await?;
        application.ecrire_differees(bloc, differes.relire()?).await?;
        let (resume, erreur) = match lue.await.map_err(|e| Erreur::Interne(Box::new(e)))? {
            Ok(resume) => (resume, None),
            Err(e) => (Resume::default(), Some(e)),
        };
        Ok(Acquis { application, bilan, resume, erreur })
    }
}

/// Who writes: the edition.
fn provenance(edition: Uuid) -> Provenance {
    Provenance {
        region: String::new(),
        canal: Canal::Referentiel as i32,
        epoque: 0,
        auteur: edition.to_string(),
    }
}

/// Why a load stopped, without what is ours alone to know.
fn interruption(e: &Erreur) -> String {
    match e {
        Erreur::Interne(_) => "Le chargement s'est arrêté sur une erreur interne.".to_owned(),
        autre => autre.phrase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_format_that_do_not_replace_one_another_are_told_apart() {
        let serie_csv = |nom| serie(Format::FinessCsv, nom);
        assert_eq!(
            serie_csv("etalab-cs1100502-stock-20260512-0339.csv"),
            serie_csv("ETALAB-cs1100502-stock-20260513-0400.csv")
        );
        assert_ne!(
            serie_csv("etalab-cs1100502-stock-20260512-0339.csv"),
            serie_csv("etalab-cs1100501-stock-20260512-0338.csv")
        );
        assert_eq!(serie_csv("sans-date.csv"), "sans-date.csv");
        assert_eq!(serie(Format::FinessStructures, "finess-20261001.json"), "");
    }

    #[test]
    fn an_edition_that_comes_in_an_archive_bears_the_name_that_has_a_date() {
        let nom = |archive: &str, membre: &str| nommer(archive.to_owned(), Some(membre.to_owned()));
        assert_eq!(nom("PS_LibreAcces.zip", "PS_202610010830.txt"), "PS_202610010830.txt");
        assert_eq!(nom("PS_202610010830.zip", "PS.txt"), "PS_202610010830.zip");
        assert_eq!(nom("PS.zip", "PS_LibreAcces.txt"), "PS_LibreAcces.txt");
        assert_eq!(nommer("PS.txt".to_owned(), None), "PS.txt");
    }
}
