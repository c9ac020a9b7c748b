//! `ror import`: files in the real formats, through the same services and checks as
//! any other write. A refused line is kept with its reason; the rest goes on.

mod fhir;
mod rapport;
mod registre;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use ror_proto::{
    common::v1::{Canal, Issue},
    identity::v1::Format,
    nomenclatures::v1::{
        LoadNomenclatureRequest, Nomenclature, nomenclatures_service_client::NomenclaturesServiceClient,
    },
};

use crate::{Cible, maillage::Maillage};

pub use fhir::charger as charger_fhir;
pub use rapport::Rapport;
pub use registre::charger as charger_registre;

/// Charge un registre, des nomenclatures ou des ressources FHIR.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    quoi: Quoi,
}

#[derive(Args)]
struct Commun {
    #[command(flatten)]
    cible: Cible,
    /// Calcule le rapport sans rien écrire.
    #[arg(long)]
    dry_run: bool,
    /// Forme du rapport : texte ou json.
    #[arg(long, default_value = "texte")]
    report: String,
}

#[derive(Subcommand)]
enum Quoi {
    /// FINESS+ Structures, JSON simple ou gzip.
    Finess {
        /// Fichier.
        fichier: PathBuf,
        #[command(flatten)]
        commun: Commun,
    },
    /// RPPS, extraction en libre accès Personne_activite.
    Rpps {
        /// Fichier.
        fichier: PathBuf,
        #[command(flatten)]
        commun: Commun,
    },
    /// Nomenclatures : celles du produit, ou un fichier dans notre forme TSV.
    Nomenclatures {
        /// Fichier ; sans lui, celles du produit.
        fichier: Option<PathBuf>,
        #[command(flatten)]
        commun: Commun,
    },
    /// Ressources FHIR en NDJSON : organization, location, healthcareservice, practitionerrole.
    Fhir {
        /// Dossier des fichiers .ndjson.
        dossier: PathBuf,
        /// Code INSEE de la région écrite.
        #[arg(long)]
        region: String,
        /// Canal : national ou regional.
        #[arg(long)]
        channel: String,
        /// Époque du bail ; celle en cours sans elle.
        #[arg(long)]
        epoch: Option<u64>,
        #[command(flatten)]
        commun: Commun,
    },
}

/// Runs an import.
pub async fn executer(o: Options) -> anyhow::Result<ExitCode> {
    let (rapport, forme) = match o.quoi {
        Quoi::Finess { fichier, commun } => {
            let m = Maillage::lire(&commun.cible.mesh)?;
            (charger_registre(&m, Format::FinessStructures, &fichier, commun.dry_run).await?, commun.report)
        }
        Quoi::Rpps { fichier, commun } => {
            let m = Maillage::lire(&commun.cible.mesh)?;
            (
                charger_registre(&m, Format::RppsPersonneActivite, &fichier, commun.dry_run).await?,
                commun.report,
            )
        }
        Quoi::Nomenclatures { fichier, commun } => {
            let m = Maillage::lire(&commun.cible.mesh)?;
            let lues = match fichier {
                None => ror_nomenclatures::donnees::embarquees().map_err(anyhow::Error::msg)?,
                Some(f) => ror_nomenclatures::donnees::lire_tsv(&std::fs::read_to_string(f)?)
                    .map_err(ror_chassis::Erreur::Invalide)?,
            };
            anyhow::ensure!(!commun.dry_run, "--dry-run n'existe pas encore pour les nomenclatures");
            (charger_nomenclatures(&m, lues).await?, commun.report)
        }
        Quoi::Fhir { dossier, region, channel, epoch, commun } => {
            let canal = crate::bascule::canal(&channel)?;
            anyhow::ensure!(
                canal != Canal::Unspecified,
                "canal « {channel} » inconnu. Attendu : national ou regional"
            );
            anyhow::ensure!(!commun.dry_run, "--dry-run n'existe pas encore pour les ressources FHIR");
            let m = Maillage::lire(&commun.cible.mesh)?;
            (charger_fhir(&m, &dossier, &region, canal, epoch).await?, commun.report)
        }
    };
    match forme.as_str() {
        "json" => println!("{:#}", rapport.json()),
        _ => rapport.afficher(),
    }
    Ok(if rapport.refus_nombre() > 0 { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

/// Loads nomenclatures; equal ones write nothing.
pub async fn charger_nomenclatures(m: &Maillage, lues: Vec<Nomenclature>) -> anyhow::Result<Rapport> {
    let mut client = NomenclaturesServiceClient::new(m.vers("nomenclatures")?)
        .max_encoding_message_size(ror_chassis::serveur::MESSAGE_MAX);
    let mut rapport = Rapport::default();
    for n in lues {
        let nom = n.nom.clone();
        let r =
            client.load_nomenclature(LoadNomenclatureRequest { nomenclature: Some(n) }).await?.into_inner();
        let resultat = r.resultat.unwrap_or_default();
        rapport.compter("nomenclature", resultat.issue());
        if resultat.issue() == Issue::Refuse {
            rapport.refuser(&nom, 0, resultat.fautes);
        }
    }
    Ok(rapport)
}
