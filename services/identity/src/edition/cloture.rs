//! The end of an edition: its report, and its record, with the lines refused.

use std::time::Instant;

use ror_chassis::{Resultat, erreur::faute, magasin::Bloc};
use ror_proto::{
    common::v1::Faute,
    identity::v1::{
        Changement, Compte, CompteOperation, Constat, Format, Operation, RapportEdition, StatutEdition,
    },
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{application::Application, refus::Refus};
use crate::{
    formats::{Resume, message_constat, tous},
    store::editions::{self, Cloture, Etendue},
};

/// What is told of an edition once read and compared.
#[derive(Debug)]
pub(super) struct Issue {
    /// Edition.
    pub(super) edition: Uuid,
    /// How it ends.
    pub(super) statut: StatutEdition,
    /// Why it is held or rejected.
    pub(super) motifs: Vec<Faute>,
    /// What the file held.
    pub(super) resume: Resume,
    /// How much of the file was read.
    pub(super) etendue: Etendue,
    /// Keys left out by a person, and records left out for them.
    pub(super) exclus: (usize, u64),
    /// Records that nothing known completes.
    pub(super) insuffisants: u64,
    /// Counts by kind.
    pub(super) comptes: Vec<Compte>,
    /// Changes by kind and operation.
    pub(super) operations: Vec<CompteOperation>,
    /// The first changes.
    pub(super) changements: Vec<Changement>,
    /// Lines refused.
    pub(super) refus: Refus,
}

impl Issue {
    /// An edition rejected before it is read.
    pub(super) fn rejet(edition: Uuid, motif: Faute) -> Resultat<Self> {
        Ok(Self {
            edition,
            statut: StatutEdition::Rejetee,
            motifs: vec![motif],
            resume: Resume::default(),
            etendue: Etendue::Entiere,
            exclus: (0, 0),
            insuffisants: 0,
            comptes: Vec::new(),
            operations: Vec::new(),
            changements: Vec::new(),
            refus: Refus::nouveau()?,
        })
    }

    /// What a person had written, no file being behind it.
    pub(super) fn interne(edition: Uuid, application: Application) -> Self {
        Self {
            edition,
            statut: StatutEdition::Appliquee,
            motifs: Vec::new(),
            resume: Resume::default(),
            etendue: Etendue::Partie,
            exclus: (0, 0),
            insuffisants: 0,
            comptes: application.comptes.rapporter(0),
            operations: application.comptes.operations(),
            changements: application.dits,
            refus: application.refus,
        }
    }

    /// The report.
    pub(super) fn rapport(&self, sha256: &str, essai: bool, debut: Instant) -> RapportEdition {
        RapportEdition {
            edition_id: self.edition.to_string(),
            comptes: self.comptes.clone(),
            constats: self.constats(),
            refus: self.refus.dites().to_vec(),
            duree_ms: u64::try_from(debut.elapsed().as_millis()).unwrap_or(u64::MAX),
            sha256: sha256.to_owned(),
            essai,
            statut: self.statut as i32,
            motifs: self.motifs.clone(),
            operations: self.operations.clone(),
            changements: self.changements.clone(),
        }
    }

    /// Warnings with their sentences, then counts without any.
    fn constats(&self) -> Vec<Constat> {
        let constat = |regle: &str, message: &str, nombre: u64| Constat {
            regle: regle.to_owned(),
            message: message.to_owned(),
            nombre,
        };
        let lus = self.resume.constats.iter().map(|(regle, n)| constat(regle, message_constat(regle), *n));
        let comptes = self.resume.comptes.iter().map(|(nom, n)| constat(nom, "", *n));
        let notres = [
            ("exclus", "Enregistrements laissés de côté par une personne.", self.exclus.1),
            (
                "sans-base",
                "Enregistrements laissés : rien n'est connu d'eux, et ce canal ne dit pas tout.",
                self.insuffisants,
            ),
        ];
        let notres = notres.into_iter().filter(|(_, _, n)| *n > 0).map(|(r, m, n)| constat(r, m, n));
        lus.chain(notres).chain(comptes).collect()
    }

    /// Records the edition and its refused lines.
    pub(super) async fn inscrire(self, tx: &mut PgConnection, rapport: &RapportEdition) -> Resultat<()> {
        let cloture = Cloture {
            rapport,
            cle: &self.resume.cle,
            schema: &self.resume.schema,
            taille: self.resume.comptes.get(tous::OCTETS).copied().unwrap_or(0),
            etendue: self.etendue,
            exclues: self.exclus.0,
        };
        editions::clore(&mut *tx, self.edition, cloture).await?;
        self.refus.garder(tx, self.edition).await
    }

    /// Ends a load: everything stays, or nothing but its record.
    pub(super) async fn clore(self, mut bloc: Bloc, pool: &PgPool, rapport: &RapportEdition) -> Resultat<()> {
        if rapport.essai {
            return bloc.abandonner().await;
        }
        if self.statut == StatutEdition::Appliquee {
            self.inscrire(bloc.connexion(), rapport).await?;
            return bloc.valider().await.map(drop);
        }
        bloc.abandonner().await?;
        let mut tx = pool.begin().await?;
        self.inscrire(&mut tx, rapport).await?;
        Ok(tx.commit().await?)
    }
}

/// The file is not what it should be, from there on.
pub(super) fn illisible(message: String) -> Faute {
    faute("fichier", "fichier-illisible", message, "un fichier entier, au format annoncé")
}

/// Counts an edition applied.
pub(super) fn mesurer(format: Format, rapport: &RapportEdition, debut: Instant) {
    let format = format.as_str_name();
    for o in &rapport.operations {
        let operation = Operation::try_from(o.operation).unwrap_or_default().as_str_name();
        metrics::counter!("ror_registry_records_total", "format" => format, "operation" => operation)
            .increment(o.nombre);
    }
    let instant = ror_chassis::conversion::maintenant().unix_timestamp();
    metrics::gauge!("ror_registry_last_edition_timestamp_seconds", "format" => format).set(instant as f64);
    metrics::histogram!("ror_registry_load_duration_seconds", "format" => format)
        .record(debut.elapsed().as_secs_f64());
}
