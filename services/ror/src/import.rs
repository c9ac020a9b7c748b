//! `ror import`: files in the real formats, through the same services and checks as
//! any other write. A refused line is kept with its reason; the rest goes on.

mod fhir;
mod nomenclatures;
pub mod rapport;
pub mod reconnaitre;
pub mod registre;
mod source;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use ror_proto::common::v1::Canal;

use crate::{Cible, maillage::Maillage};
use reconnaitre::Registre;

pub use fhir::charger as charger_fhir;
pub use nomenclatures::charger as charger_nomenclatures;
pub use rapport::Rapport;
pub use registre::charger as charger_registre;

/// Exit code: wrong usage.
pub const USAGE: u8 = 2;
/// Exit code: done, but some lines were refused and kept.
pub const REFUS: u8 = 3;
/// Exit code: an edition is held until a person accepts it.
pub const RETENUE: u8 = 4;

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
    /// FINESS : structures et activités FINESS+ (JSON), etalab (CSV), flux standard (XML).
    Finess(registre::Options),
    /// RPPS : Personne_activite, SavoirFaire, Dipl_AutExerc, extraction restreinte.
    Rpps(registre::Options),
    /// Annuaire Santé FHIR, un Bundle de recherche par ligne (NDJSON).
    Annuaire(registre::Options),
    /// Nomenclatures : celles du produit, ou FHIR (JSON, XML, paquet), TABS, SVS, TSV.
    Nomenclatures {
        /// Fichiers, dossiers, archives .zip ou paquets .tgz ; sans eux, celles du produit.
        fichiers: Vec<PathBuf>,
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
        Quoi::Finess(o) => return registre::executer(o, Registre::Finess).await,
        Quoi::Rpps(o) => return registre::executer(o, Registre::Rpps).await,
        Quoi::Annuaire(o) => return registre::executer(o, Registre::Annuaire).await,
        Quoi::Nomenclatures { fichiers, commun } => {
            let m = Maillage::lire(&commun.cible.mesh)?;
            (nomenclatures::executer(&m, fichiers, commun.dry_run).await?, commun.report)
        }
        Quoi::Fhir { dossier, region, channel, epoch, commun } => {
            let canal = crate::bascule::canal(&channel)?;
            anyhow::ensure!(
                canal != Canal::Unspecified,
                "canal « {channel} » inconnu. Attendu : national ou regional"
            );
            let m = Maillage::lire(&commun.cible.mesh)?;
            let rapport = if commun.dry_run {
                fhir::essayer(&m, &dossier, &region, canal, epoch).await?
            } else {
                charger_fhir(&m, &dossier, &region, canal, epoch).await?
            };
            (rapport, commun.report)
        }
    };
    rendre(&rapport, &forme);
    Ok(if rapport.refus_nombre() > 0 { ExitCode::from(REFUS) } else { ExitCode::SUCCESS })
}

/// Prints a report for a program or for a person.
pub fn rendre(rapport: &Rapport, forme: &str) {
    match forme {
        "json" => println!("{:#}", rapport.json()),
        _ => rapport.afficher(),
    }
}
