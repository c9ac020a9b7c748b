//! What changes in the registries do to offers and situations, as `offers` keeps it, and
//! what a person decides of it.

use clap::{Args, Subcommand, ValueEnum};
use ror_chassis::client::Canal;
use ror_proto::offers::v1::{
    Consequence, DecideConsequenceRequest, EtatConsequence, ListConsequencesRequest,
    offers_service_client::OffersServiceClient,
};
use serde_json::{Value, json};

use super::{
    Commun, Liste,
    affichage::{court, instant},
    montrer,
};
use crate::{import::registre::operateur, maillage::Maillage};

#[derive(Clone, Copy, ValueEnum)]
enum Etat {
    AControler,
    Appliquee,
    Refusee,
    Levee,
    Toutes,
}

#[derive(Args)]
pub(super) struct Criteres {
    /// État.
    #[arg(long, value_enum, default_value = "a-controler")]
    etat: Etat,
    /// Code INSEE de la région ; toutes sans lui.
    #[arg(long, default_value = "")]
    region: String,
    /// Identifiant technique de l'offre ou de la situation ; toutes sans lui.
    #[arg(long, default_value = "")]
    ressource: String,
    /// Identifiant technique du site ou du professionnel ; tous sans lui.
    #[arg(long, default_value = "")]
    cause: String,
}

#[derive(Subcommand)]
pub(super) enum Geste {
    /// Tranche une conséquence : l'accepte et l'exécute, ou la refuse.
    #[command(group = clap::ArgGroup::new("sens").required(true).args(["accepter", "refuser"]))]
    Decider {
        /// Identifiant de la conséquence.
        id: String,
        /// L'accepte, et l'exécute aussitôt.
        #[arg(long)]
        accepter: bool,
        /// La refuse : l'offre ou la situation reste comme elle est.
        #[arg(long)]
        refuser: bool,
        /// Motif.
        #[arg(long)]
        motif: String,
        /// Qui décide ; le compte de la session sans lui.
        #[arg(long, value_name = "NOM")]
        operateur: Option<String>,
        #[command(flatten)]
        commun: Commun,
    },
}

fn client(commun: &Commun) -> anyhow::Result<OffersServiceClient<Canal>> {
    Ok(OffersServiceClient::new(Maillage::lire(&commun.cible.mesh)?.vers("offers")?))
}

/// `ror registres consequences`.
pub(super) async fn lister(criteres: Criteres, liste: &Liste) -> anyhow::Result<()> {
    let etat = match criteres.etat {
        Etat::AControler => EtatConsequence::AControler,
        Etat::Appliquee => EtatConsequence::Appliquee,
        Etat::Refusee => EtatConsequence::Refusee,
        Etat::Levee => EtatConsequence::Levee,
        Etat::Toutes => EtatConsequence::Unspecified,
    };
    let mut client = client(&liste.commun)?;
    let (mut toutes, mut page_token) = (Vec::new(), String::new());
    while liste.reste(toutes.len()) > 0 {
        let demande = ListConsequencesRequest {
            etat: etat as i32,
            region: criteres.region.clone(),
            ressource_id: criteres.ressource.clone(),
            cause_id: criteres.cause.clone(),
            page_size: liste.reste(toutes.len()),
            page_token,
        };
        let r = client.list_consequences(demande).await?.into_inner();
        toutes.extend(r.consequences);
        page_token = r.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let valeur = json!(toutes.iter().map(consequence_json).collect::<Vec<_>>());
    montrer(&liste.commun, &valeur, || consequences(&toutes));
    Ok(())
}

/// `ror registres consequence decider`.
pub(super) async fn executer(geste: Geste) -> anyhow::Result<()> {
    let Geste::Decider { id, accepter, refuser: _, motif, operateur: qui, commun } = geste;
    let demande = DecideConsequenceRequest { id, accepter, operateur: operateur(qui.as_deref()), motif };
    let reponse = client(&commun)?.decide_consequence(demande).await?.into_inner();
    let c = reponse.consequence.unwrap_or_default();
    montrer(&commun, &consequence_json(&c), || consequences(std::slice::from_ref(&c)));
    Ok(())
}

fn nom_etat(e: EtatConsequence) -> &'static str {
    match e {
        EtatConsequence::AControler => "a_controler",
        EtatConsequence::Appliquee => "appliquee",
        EtatConsequence::Refusee => "refusee",
        EtatConsequence::Levee => "levee",
        EtatConsequence::Unspecified => "inconnu",
    }
}

/// A consequence for a program.
fn consequence_json(c: &Consequence) -> Value {
    json!({
        "id": c.id, "ressource_id": c.ressource_id, "genre": c.genre, "region": c.region,
        "regle": c.regle, "message": c.message, "cause_id": c.cause_id,
        "cause_version": c.cause_version, "origine": c.origine,
        "type_fermeture": c.type_fermeture, "date_fermeture": c.date_fermeture,
        "vue_le": instant(c.vue_le.as_ref()), "etat": nom_etat(c.etat()), "decide_par": c.decide_par,
        "decide_le": instant(c.decide_le.as_ref()), "motif": c.motif,
        "levee_le": instant(c.levee_le.as_ref()),
    })
}

/// Consequences for a person.
fn consequences(consequences: &[Consequence]) {
    if consequences.is_empty() {
        println!("Aucune conséquence.");
    }
    for c in consequences {
        let etat = nom_etat(c.etat());
        println!("{}  {etat:<11} {:<3} {} {}", c.id, c.region, c.genre, c.ressource_id);
        println!("    [{}] {}", c.regle, c.message);
        let origine = if c.origine.is_empty() { "instantané" } else { &c.origine };
        println!(
            "    cause {} version {}, d'après {origine}, vue le {}",
            c.cause_id,
            c.cause_version,
            court(c.vue_le.as_ref())
        );
        if !c.type_fermeture.is_empty() {
            let quoi = if c.etat() == EtatConsequence::Appliquee { "prise" } else { "proposée" };
            let date = if c.date_fermeture.is_empty() { "date inconnue" } else { &c.date_fermeture };
            println!("    fermeture {quoi} : {}, {date}", c.type_fermeture);
        }
        if !c.decide_par.is_empty() {
            println!("    décidé par {} le {} : {}", c.decide_par, court(c.decide_le.as_ref()), c.motif);
        }
        if c.levee_le.is_some() {
            println!("    cause levée le {}", court(c.levee_le.as_ref()));
        }
    }
}
