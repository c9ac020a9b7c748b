//! `ror registres`: what came from FINESS and RPPS, what it changed, what awaits a person.

mod affichage;
mod consequences;
mod divergences;

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use ror_chassis::serveur::MESSAGE_MAX;
use ror_proto::identity::v1::{
    DecideAnomalyRequest, GetSyncStatusRequest, ListAnomaliesRequest, ListChangesRequest,
    ListEditionsRequest, ListRefusedLinesRequest, RollbackEditionRequest, StatutAnomalie, StatutEdition,
    identity_service_client::IdentityServiceClient,
};
use serde_json::{Value, json};
use tonic::transport::{Channel, Endpoint};

use crate::{
    Cible,
    import::{
        self, Rapport,
        rapport::{EditionLue, changement_json},
        registre::operateur,
    },
    maillage::Maillage,
};

/// Records asked in one call.
const PAGE: i32 = 500;

/// Registres FINESS et RPPS : état, éditions, changements, anomalies, conséquences.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    geste: Geste,
}

#[derive(Args)]
struct Commun {
    #[command(flatten)]
    cible: Cible,
    /// Forme de la sortie : texte ou json.
    #[arg(long, default_value = "texte")]
    report: String,
}

#[derive(Args)]
struct Liste {
    /// Nombre de lignes au plus.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limite: u32,
    #[command(flatten)]
    commun: Commun,
}

#[derive(Clone, Copy, ValueEnum)]
enum Etat {
    Ouverte,
    Acceptee,
    Ecartee,
    Resolue,
    Toutes,
}

#[derive(Subcommand)]
enum Geste {
    /// Montre, par canal, la dernière édition, son âge, ce qui se charge et ce qui est retenu.
    Etat {
        #[command(flatten)]
        commun: Commun,
    },
    /// Liste les éditions chargées, la plus récente d'abord.
    Editions {
        #[command(flatten)]
        liste: Liste,
    },
    /// Liste les changements d'une édition, ou toute l'histoire d'une fiche.
    Changements {
        /// Identifiant de l'édition ; toutes sans lui.
        #[arg(long, default_value = "")]
        edition: String,
        /// Identifiant technique de la fiche ; toutes sans lui.
        #[arg(long, default_value = "")]
        fiche: String,
        #[command(flatten)]
        liste: Liste,
    },
    /// Liste les lignes refusées d'une édition.
    Refus {
        /// Identifiant de l'édition.
        edition: String,
        #[command(flatten)]
        liste: Liste,
    },
    /// Liste les anomalies et les propositions, la plus récente d'abord.
    Anomalies {
        /// État.
        #[arg(long, value_enum, default_value = "ouverte")]
        etat: Etat,
        /// Règle, telle que successeur-presume ; toutes sans elle.
        #[arg(long, default_value = "")]
        regle: String,
        /// numFINESS ou idNat_PS ; tous sans lui.
        #[arg(long, default_value = "")]
        cle: String,
        #[command(flatten)]
        liste: Liste,
    },
    /// Tranche une anomalie : accepte ou écarte ce qu'elle propose.
    #[command(group = clap::ArgGroup::new("sens").required(true).args(["accepter", "ecarter"]))]
    Decider {
        /// Identifiant de l'anomalie.
        id: String,
        /// Accepte ce qu'elle propose, et l'exécute.
        #[arg(long)]
        accepter: bool,
        /// L'écarte.
        #[arg(long)]
        ecarter: bool,
        /// Motif.
        #[arg(long)]
        motif: String,
        /// Qui décide ; le compte de la session sans lui.
        #[arg(long, value_name = "NOM")]
        operateur: Option<String>,
        #[command(flatten)]
        commun: Commun,
    },
    /// Liste les désaccords entre le ROR et une source sur une structure, le plus récent d'abord.
    Divergences {
        #[command(flatten)]
        criteres: divergences::Criteres,
        #[command(flatten)]
        liste: Liste,
    },
    /// Liste ce que les registres changent aux offres et aux situations, ou proposent d'y changer.
    Consequences {
        #[command(flatten)]
        criteres: consequences::Criteres,
        #[command(flatten)]
        liste: Liste,
    },
    /// Décide d'une conséquence.
    Consequence {
        #[command(subcommand)]
        geste: consequences::Geste,
    },
    /// Annule une édition : ce qu'elle a écrit revient à ce qui précédait, par une édition de plus.
    Annuler {
        /// Identifiant de l'édition.
        edition: String,
        /// Calcule le rapport sans rien écrire.
        #[arg(long)]
        dry_run: bool,
        /// Qui annule ; le compte de la session sans lui.
        #[arg(long, value_name = "NOM")]
        operateur: Option<String>,
        #[command(flatten)]
        commun: Commun,
    },
}

type Client = IdentityServiceClient<Channel>;

/// No deadline of its own: undoing an edition lasts as long as loading it.
fn client(mesh: &Path) -> anyhow::Result<Client> {
    let m = Maillage::lire(mesh)?;
    let url = m.0.get("identity").context("le service identity manque dans mesh.json")?;
    let canal = Endpoint::from_shared(url.clone())
        .with_context(|| format!("adresse {url} illisible"))?
        .connect_timeout(std::time::Duration::from_secs(3))
        .connect_lazy();
    Ok(Client::new(canal).max_decoding_message_size(MESSAGE_MAX))
}

/// Runs a gesture.
pub async fn executer(o: Options) -> anyhow::Result<ExitCode> {
    match o.geste {
        Geste::Etat { commun } => {
            let mut c = client(&commun.cible.mesh)?;
            let canaux = c.get_sync_status(GetSyncStatusRequest {}).await?.into_inner().canaux;
            let valeur = json!(canaux.iter().map(affichage::canal_json).collect::<Vec<_>>());
            montrer(&commun, &valeur, || affichage::canaux(&canaux));
        }
        Geste::Editions { liste } => {
            let limite = i32::try_from(liste.limite.min(100)).unwrap_or(100);
            let mut c = client(&liste.commun.cible.mesh)?;
            let editions = c.list_editions(ListEditionsRequest { limite }).await?.into_inner().editions;
            let valeur = json!(editions.iter().map(affichage::edition_json).collect::<Vec<_>>());
            montrer(&liste.commun, &valeur, || affichage::editions(&editions));
        }
        Geste::Changements { edition, fiche, liste } => changements(edition, fiche, &liste).await?,
        Geste::Refus { edition, liste } => refus(edition, &liste).await?,
        Geste::Anomalies { etat, regle, cle, liste } => anomalies(etat, regle, cle, &liste).await?,
        Geste::Decider { id, accepter, ecarter: _, motif, operateur: qui, commun } => {
            let demande = DecideAnomalyRequest { id, accepter, operateur: operateur(qui.as_deref()), motif };
            let reponse = client(&commun.cible.mesh)?.decide_anomaly(demande).await?.into_inner();
            let a = reponse.anomalie.unwrap_or_default();
            montrer(&commun, &affichage::anomalie_json(&a), || {
                affichage::anomalies(std::slice::from_ref(&a))
            });
        }
        Geste::Divergences { criteres, liste } => divergences::lister(criteres, &liste).await?,
        Geste::Consequences { criteres, liste } => consequences::lister(criteres, &liste).await?,
        Geste::Consequence { geste } => consequences::executer(geste).await?,
        Geste::Annuler { edition, dry_run, operateur: qui, commun } => {
            return annuler(edition, dry_run, operateur(qui.as_deref()), &commun).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn montrer(commun: &Commun, valeur: &Value, texte: impl FnOnce()) {
    match commun.report.as_str() {
        "json" => println!("{valeur:#}"),
        _ => texte(),
    }
}

impl Liste {
    /// How many more to ask for, when that many are there already.
    fn reste(&self, lues: usize) -> i32 {
        let manquent = usize::try_from(self.limite).unwrap_or(usize::MAX).saturating_sub(lues);
        i32::try_from(manquent).unwrap_or(PAGE).min(PAGE)
    }
}

async fn changements(edition_id: String, id: String, liste: &Liste) -> anyhow::Result<()> {
    let mut c = client(&liste.commun.cible.mesh)?;
    let (mut tous, mut page_token) = (Vec::new(), String::new());
    while liste.reste(tous.len()) > 0 {
        let demande = ListChangesRequest {
            edition_id: edition_id.clone(),
            id: id.clone(),
            page_size: liste.reste(tous.len()),
            page_token,
        };
        let r = c.list_changes(demande).await?.into_inner();
        tous.extend(r.changements);
        page_token = r.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let valeur = json!(tous.iter().map(changement_json).collect::<Vec<_>>());
    montrer(&liste.commun, &valeur, || affichage::changements(&tous));
    Ok(())
}

async fn refus(edition_id: String, liste: &Liste) -> anyhow::Result<()> {
    let mut c = client(&liste.commun.cible.mesh)?;
    let (mut toutes, mut page_token) = (Vec::new(), String::new());
    while liste.reste(toutes.len()) > 0 {
        let page_size = liste.reste(toutes.len());
        let demande = ListRefusedLinesRequest { edition_id: edition_id.clone(), page_size, page_token };
        let r = c.list_refused_lines(demande).await?.into_inner();
        toutes.extend(r.lignes);
        page_token = r.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let valeur = json!(toutes.iter().map(affichage::ligne_json).collect::<Vec<_>>());
    montrer(&liste.commun, &valeur, || affichage::lignes(&toutes));
    Ok(())
}

async fn anomalies(etat: Etat, regle: String, cle: String, liste: &Liste) -> anyhow::Result<()> {
    let statut = match etat {
        Etat::Ouverte => StatutAnomalie::Ouverte,
        Etat::Acceptee => StatutAnomalie::Acceptee,
        Etat::Ecartee => StatutAnomalie::Ecartee,
        Etat::Resolue => StatutAnomalie::Resolue,
        Etat::Toutes => StatutAnomalie::Unspecified,
    };
    let mut c = client(&liste.commun.cible.mesh)?;
    let (mut toutes, mut page_token) = (Vec::new(), String::new());
    while liste.reste(toutes.len()) > 0 {
        let demande = ListAnomaliesRequest {
            statut: statut as i32,
            regle: regle.clone(),
            cle: cle.clone(),
            page_size: liste.reste(toutes.len()),
            page_token,
        };
        let r = c.list_anomalies(demande).await?.into_inner();
        toutes.extend(r.anomalies);
        page_token = r.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let valeur = json!(toutes.iter().map(affichage::anomalie_json).collect::<Vec<_>>());
    montrer(&liste.commun, &valeur, || affichage::anomalies(&toutes));
    Ok(())
}

async fn annuler(
    edition_id: String,
    essai: bool,
    operateur: String,
    commun: &Commun,
) -> anyhow::Result<ExitCode> {
    let debut = std::time::Instant::now();
    let mut c = client(&commun.cible.mesh)?;
    let demande = RollbackEditionRequest { edition_id: edition_id.clone(), operateur, essai };
    let rendu = c.rollback_edition(demande).await?.into_inner().rapport;
    let lu = rendu.context("le service n'a pas rendu de rapport")?;
    // It bears the format of the edition that it undoes.
    let editions = c.list_editions(ListEditionsRequest { limite: 100 }).await?.into_inner().editions;
    let format = editions.iter().find(|e| e.id == edition_id).map(|e| e.format()).unwrap_or_default();
    let mut rapport = Rapport::default();
    rapport.ajouter(EditionLue {
        fichier: format!("annulation de {edition_id}"),
        format,
        envoi_ms: u64::try_from(debut.elapsed().as_millis()).unwrap_or(u64::MAX),
        commande: String::new(),
        rapport: lu,
    });
    import::rendre(&rapport, &commun.report);
    let rejetee = rapport.statut() == StatutEdition::Rejetee;
    Ok(if rejetee { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
