//! `ror`: the operator's command.
//!
//! Exit codes:
//!
//! - 0 done;
//! - 1 failed, or a registry edition was rejected: nothing of it is applied;
//! - 2 wrong usage, or a file that is not what the command loads;
//! - 3 done, but some lines were refused and kept;
//! - 4 a registry edition is held: nothing of it is applied until a person accepts it;
//! - 64 wrong configuration.
#![allow(clippy::print_stdout, reason = "a command prints its results")]

mod acces;
mod bascule;
mod import;
mod maillage;
mod registres;
mod semis;
mod serve;
mod up;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use ror_chassis::reglages::{FormatJournal, ReglagesJournal};

#[global_allocator]
static ALLOCATEUR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// ROR national : le maillage, ses services et les gestes de l'exploitant.
#[derive(Parser)]
#[command(name = "ror", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    commande: Commande,
}

#[derive(Subcommand)]
enum Commande {
    /// Lance tout le maillage sur cette machine (PostgreSQL et NATS compris).
    Up(up::Options),
    /// Lance un service, réglé par le fichier ROR_CONFIG et les variables ROR_*.
    Serve {
        /// structures, offers, capacity, nomenclatures, identity, access, bascule ou gateway.
        service: String,
    },
    /// Met à jour le schéma d'un service, puis rend la main.
    Migrate {
        /// structures, offers, capacity, nomenclatures, identity, access ou bascule.
        service: String,
    },
    /// Charge un registre, des nomenclatures ou des ressources FHIR.
    Import(import::Options),
    /// Registres FINESS et RPPS : éditions, changements, anomalies, conséquences, retour en arrière.
    Registres(registres::Options),
    /// Écrivain de chaque région : état, propositions, approbations, écritures refusées.
    Bascule(bascule::Options),
    /// Applications du cercle de confiance.
    Access(acces::Options),
    /// Données de démonstration.
    Demo {
        #[command(subcommand)]
        geste: Demo,
    },
    /// État de chaque service d'un maillage lancé par « ror up ».
    Status(Cible),
}

#[derive(Subcommand)]
enum Demo {
    /// Écrit des fichiers aux formats réels, toujours les mêmes pour une même graine.
    Generate(Generation),
    /// Remplit un dossier de données d'un annuaire à la taille du pays, pour mesurer : sans passer
    /// par l'import, ni historique ni événements.
    Semer(semis::Options),
}

#[derive(Args)]
struct Generation {
    /// small (environ 2 000 ressources), region (100 000 et plus) ou national (les registres du
    /// pays entier : FINESS+ structures et activités, RPPS).
    #[arg(long, default_value = "small")]
    taille: String,
    /// Graine du tirage.
    #[arg(long, default_value_t = 2026)]
    graine: u64,
    /// national : part du pays, 0.001 pour un essai, 1 pour tout.
    #[arg(long, default_value_t = 1.0)]
    echelle: f64,
    /// national : écrit aussi l'édition du lendemain et l'oracle des opérations attendues.
    #[arg(long)]
    jour_suivant: bool,
    /// national : part des fiches qui changent le lendemain, 0 à 1 ; un jour ordinaire sans elle.
    #[arg(long, requires = "jour_suivant")]
    taux: Option<f64>,
    /// national : nombres et parts à viser (JSON), à la place de ceux du pays.
    #[arg(long, value_name = "FICHIER")]
    cibles: Option<PathBuf>,
    /// Dossier où écrire.
    dossier: PathBuf,
}

/// Le maillage visé.
#[derive(Args, Clone)]
pub struct Cible {
    /// Dossier de données d'un « ror up » en marche.
    #[arg(long, default_value = ".ror")]
    pub mesh: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let execution = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let resultat = match execution {
        Ok(rt) => rt.block_on(executer(cli)),
        Err(e) => Err(e.into()),
    };
    match resultat {
        Ok(code) => code,
        Err(e) => {
            let configuration = e.is::<ror_chassis::reglages::ConfigurationInvalide>()
                || matches!(e.downcast_ref(), Some(ror_chassis::processus::Fin::Configuration(_)));
            if configuration {
                eprintln!("ror : {e}");
                return ExitCode::from(64);
            }
            eprintln!("ror : {}", phrase(&e));
            ExitCode::from(1)
        }
    }
}

/// One sentence for a person; the technical cause is for the log at level debug.
fn phrase(e: &anyhow::Error) -> String {
    use ror_chassis::{Erreur, processus::Fin};
    tracing::debug!(error = ?e, "command failed");
    if let Some(Fin::Erreur(e)) = e.downcast_ref() {
        return e.phrase();
    }
    let status = e.downcast_ref::<tonic::Status>().cloned().map(Erreur::from);
    e.downcast_ref::<Erreur>().or(status.as_ref()).map_or_else(|| e.to_string(), Erreur::phrase)
}

async fn executer(cli: Cli) -> anyhow::Result<ExitCode> {
    if !matches!(cli.commande, Commande::Up(_) | Commande::Serve { .. } | Commande::Migrate { .. }) {
        let journal = ReglagesJournal { format: FormatJournal::Texte, filtre: "warn".into(), otlp: None };
        let _garde = ror_chassis::telemetrie::installer(&journal, "ror")?;
    }
    match cli.commande {
        Commande::Up(o) => up::executer(o).await,
        Commande::Serve { service } => serve::executer(&service).await,
        Commande::Migrate { service } => serve::migrer(&service).await,
        Commande::Import(o) => import::executer(o).await,
        Commande::Bascule(o) => bascule::executer(o).await,
        Commande::Access(o) => acces::executer(o).await,
        Commande::Registres(o) => registres::executer(o).await,
        Commande::Demo { geste: Demo::Generate(g) } => {
            let manifeste = tokio::task::spawn_blocking(move || generer(&g)).await??;
            println!("{manifeste:#}");
            Ok(ExitCode::SUCCESS)
        }
        Commande::Demo { geste: Demo::Semer(o) } => semis::executer(o).await,
        Commande::Status(c) => maillage::etat(&c).await,
    }
}

/// Writes the demo files; answers their description.
fn generer(g: &Generation) -> anyhow::Result<serde_json::Value> {
    use ror_demo::national::{Cibles, Reglages, Rythme, Suivante};
    if g.taille != "national" {
        return Ok(serde_json::to_value(ror_demo::generer(up::taille(&g.taille)?, g.graine, &g.dossier)?)?);
    }
    anyhow::ensure!(g.echelle > 0.0 && g.echelle <= 10.0, "--echelle {} : attendu de 0 à 10", g.echelle);
    anyhow::ensure!(
        g.taux.is_none_or(|t| (0.0..=1.0).contains(&t)),
        "--taux {} : attendu de 0 à 1",
        g.taux.unwrap_or_default()
    );
    let cibles = match &g.cibles {
        None => Cibles::default(),
        Some(f) => {
            let octets = std::fs::read(f).with_context(|| format!("fichier {} illisible", f.display()))?;
            serde_json::from_slice(&octets).with_context(|| format!("{} : cibles illisibles", f.display()))?
        }
    };
    let rythme = g.taux.map_or(Rythme::Quotidien, Rythme::Taux);
    let suivantes = if g.jour_suivant { vec![Suivante { decalage: 1, rythme }] } else { Vec::new() };
    let r = Reglages { graine: g.graine, echelle: g.echelle, cibles, suivantes };
    Ok(serde_json::to_value(ror_demo::national::generer(&r, &g.dossier)?)?)
}
