//! `ror bascule`: leases and transitions.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ror_chassis::bail::nom_canal;
use ror_proto::{
    bascule::v1::{
        Approbation, ApproveTransitionRequest, CancelTransitionRequest, EtatTransition, GetRegionRequest,
        ListRegionsRequest, ListTransitionsRequest, ProposeTransitionRequest, Region, Transition,
        bascule_service_client::BasculeServiceClient,
    },
    capacity::v1::{ListRefusalsRequest as RefusCapacite, capacity_service_client::CapacityServiceClient},
    common::v1::{Canal, PaquetRefuse},
    offers::v1::{ListRefusalsRequest as RefusOffres, offers_service_client::OffersServiceClient},
    structures::v1::{
        ListRefusalsRequest as RefusStructures, structures_service_client::StructuresServiceClient,
    },
};
use serde_json::{Value, json};

use crate::{Cible, maillage::Maillage};

/// Écrivain de chaque région.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    geste: Geste,
}

#[derive(Args)]
struct Commun {
    #[command(flatten)]
    cible: Cible,
    /// Sortie JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Geste {
    /// Montre l'écrivain de chaque domaine.
    Etat {
        /// Code INSEE de la région ; toutes sans lui.
        #[arg(long)]
        region: Option<String>,
        #[command(flatten)]
        commun: Commun,
    },
    /// Propose un changement d'écrivain ; vaut première approbation.
    Proposer {
        /// Code INSEE de la région.
        #[arg(long)]
        region: String,
        /// description ou capacite.
        #[arg(long)]
        domaine: String,
        /// national, regional ou personne.
        #[arg(long)]
        vers: String,
        /// Motif.
        #[arg(long)]
        motif: String,
        /// Nom de qui approuve.
        #[arg(long)]
        nom: String,
        /// ANS, ARS ou GRADeS.
        #[arg(long)]
        role: String,
        #[command(flatten)]
        commun: Commun,
    },
    /// Approuve une proposition ; la seconde personne la fait exécuter.
    Approuver {
        /// Identifiant de la transition.
        id: String,
        /// Nom de qui approuve.
        #[arg(long)]
        nom: String,
        /// ANS, ARS ou GRADeS.
        #[arg(long)]
        role: String,
        #[command(flatten)]
        commun: Commun,
    },
    /// Annule une proposition pas encore exécutée.
    Annuler {
        /// Identifiant de la transition.
        id: String,
        /// Nom de qui annule.
        #[arg(long)]
        nom: String,
        #[command(flatten)]
        commun: Commun,
    },
    /// Liste les transitions, la plus récente d'abord.
    Transitions {
        /// Code INSEE de la région ; toutes sans lui.
        #[arg(long, default_value = "")]
        region: String,
        #[command(flatten)]
        commun: Commun,
    },
    /// Liste les écritures refusées par le bail.
    Refus {
        /// Code INSEE de la région.
        #[arg(long)]
        region: String,
        #[command(flatten)]
        commun: Commun,
    },
}

/// Channel of that name.
pub fn canal(nom: &str) -> anyhow::Result<Canal> {
    match nom {
        "national" => Ok(Canal::National),
        "regional" => Ok(Canal::Regional),
        "personne" => Ok(Canal::Unspecified),
        _ => anyhow::bail!("écrivain « {nom} » inconnu. Attendu : national, regional ou personne"),
    }
}

/// Runs a gesture.
pub async fn executer(o: Options) -> anyhow::Result<ExitCode> {
    match o.geste {
        Geste::Etat { region, commun } => {
            let mut c = client(&commun.cible)?;
            let regions = match region {
                Some(code) => {
                    c.get_region(GetRegionRequest { code }).await?.into_inner().region.into_iter().collect()
                }
                None => {
                    c.list_regions(ListRegionsRequest { page_size: 50, page_token: String::new() })
                        .await?
                        .into_inner()
                        .regions
                }
            };
            afficher(commun.json, &json!(regions.iter().map(region_json).collect::<Vec<_>>()), || {
                for r in &regions {
                    for b in &r.baux {
                        println!(
                            "{}  {:<12} {:<9} époque {:<4} plafond {}",
                            r.code,
                            b.domaine,
                            nom_canal(b.ecrivain()),
                            b.epoque,
                            r.plafond
                        );
                    }
                }
            });
        }
        Geste::Proposer { region, domaine, vers, motif, nom, role, commun } => {
            let demande = ProposeTransitionRequest {
                region,
                domaine,
                vers: canal(&vers)? as i32,
                motif,
                approbation: Some(Approbation { nom, role, date: None }),
            };
            montrer(
                commun.json,
                client(&commun.cible)?.propose_transition(demande).await?.into_inner().transition,
            );
        }
        Geste::Approuver { id, nom, role, commun } => {
            let demande =
                ApproveTransitionRequest { id, approbation: Some(Approbation { nom, role, date: None }) };
            montrer(
                commun.json,
                client(&commun.cible)?.approve_transition(demande).await?.into_inner().transition,
            );
        }
        Geste::Annuler { id, nom, commun } => {
            let demande = CancelTransitionRequest { id, nom };
            montrer(
                commun.json,
                client(&commun.cible)?.cancel_transition(demande).await?.into_inner().transition,
            );
        }
        Geste::Transitions { region, commun } => {
            let t = client(&commun.cible)?
                .list_transitions(ListTransitionsRequest { region, limite: 100 })
                .await?
                .into_inner()
                .transitions;
            afficher(commun.json, &json!(t.iter().map(transition_json).collect::<Vec<_>>()), || {
                t.iter().for_each(ligne)
            });
        }
        Geste::Refus { region, commun } => {
            let paquets = refus(&commun.cible, &region).await?;
            afficher(
                commun.json,
                &json!(paquets.iter().map(|(s, p)| paquet_json(s, p)).collect::<Vec<_>>()),
                || {
                    for (s, p) in &paquets {
                        println!(
                            "{}  {s:<10} {:<20} {}  {}",
                            date(p.date.as_ref()),
                            p.genre,
                            p.agregat_id,
                            p.motif
                        );
                    }
                },
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn client(c: &Cible) -> anyhow::Result<BasculeServiceClient<ror_chassis::client::Canal>> {
    Ok(BasculeServiceClient::new(Maillage::lire(&c.mesh)?.vers("bascule")?))
}

async fn refus(c: &Cible, region: &str) -> anyhow::Result<Vec<(&'static str, PaquetRefuse)>> {
    let m = Maillage::lire(&c.mesh)?;
    let (region, limite) = (region.to_owned(), 500);
    let mut tous = Vec::new();
    let r = StructuresServiceClient::new(m.vers("structures")?)
        .list_refusals(RefusStructures { region: region.clone(), limite, avant: None })
        .await?;
    tous.extend(r.into_inner().paquets.into_iter().map(|p| ("structures", p)));
    let r = OffersServiceClient::new(m.vers("offers")?)
        .list_refusals(RefusOffres { region: region.clone(), limite, avant: None })
        .await?;
    tous.extend(r.into_inner().paquets.into_iter().map(|p| ("offers", p)));
    let r = CapacityServiceClient::new(m.vers("capacity")?)
        .list_refusals(RefusCapacite { region, limite, avant: None })
        .await?;
    tous.extend(r.into_inner().paquets.into_iter().map(|p| ("capacity", p)));
    Ok(tous)
}

fn afficher(en_json: bool, valeur: &Value, texte: impl FnOnce()) {
    if en_json {
        println!("{valeur:#}");
    } else {
        texte();
    }
}

fn montrer(en_json: bool, t: Option<Transition>) {
    let t = t.unwrap_or_default();
    afficher(en_json, &transition_json(&t), || ligne(&t));
}

fn ligne(t: &Transition) {
    println!(
        "{}  {} {:<12} {} → {}  {:<9} époque {}  {}",
        t.id,
        t.region,
        t.domaine,
        nom_canal(t.de()),
        nom_canal(t.vers()),
        etat(t),
        t.epoque,
        t.motif
    );
    for a in &t.approbations {
        println!("    approuvée par {} ({}) le {}", a.nom, a.role, date(a.date.as_ref()));
    }
}

fn etat(t: &Transition) -> &'static str {
    match t.etat() {
        EtatTransition::Proposee => "proposee",
        EtatTransition::EnCours => "en_cours",
        EtatTransition::Faite => "faite",
        EtatTransition::Annulee => "annulee",
        EtatTransition::Unspecified => "inconnu",
    }
}

fn region_json(r: &Region) -> Value {
    json!({
        "region": r.code,
        "plafond": r.plafond,
        "baux": r.baux.iter().map(|b| json!({ "domaine": b.domaine, "ecrivain": nom_canal(b.ecrivain()), "epoque": b.epoque })).collect::<Vec<_>>(),
    })
}

fn transition_json(t: &Transition) -> Value {
    json!({
        "id": t.id, "region": t.region, "domaine": t.domaine, "de": nom_canal(t.de()), "vers": nom_canal(t.vers()),
        "motif": t.motif, "etat": etat(t), "epoque": t.epoque,
        "proposee_le": date(t.proposee_le.as_ref()), "faite_le": date(t.faite_le.as_ref()),
        "approbations": t.approbations.iter().map(|a| json!({ "nom": a.nom, "role": a.role, "date": date(a.date.as_ref()) })).collect::<Vec<_>>(),
    })
}

fn paquet_json(service: &str, p: &PaquetRefuse) -> Value {
    let v = p.provenance.clone().unwrap_or_default();
    json!({
        "id": p.id, "date": date(p.date.as_ref()), "service": service, "genre": p.genre, "agregat_id": p.agregat_id,
        "region": v.region, "canal": nom_canal(v.canal()), "epoque": v.epoque, "auteur": v.auteur, "motif": p.motif,
    })
}

/// RFC 3339 of an instant, empty when absent.
fn date(t: Option<&prost_types::Timestamp>) -> String {
    t.and_then(ror_gateway::fhir::temps::ecrire_instant).unwrap_or_default()
}
