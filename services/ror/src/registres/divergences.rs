//! Where the ROR and a source disagree on a structure, as `structures` keeps it.

use clap::{Args, ValueEnum};
use ror_proto::structures::v1::{
    Anomalie, EtatAnomalie, ListAnomaliesRequest, structures_service_client::StructuresServiceClient,
};
use serde_json::{Value, json};

use super::{
    Liste,
    affichage::{court, instant},
    montrer,
};
use crate::maillage::Maillage;

#[derive(Clone, Copy, ValueEnum)]
enum Etat {
    Ouverte,
    Resolue,
    Expiree,
    Toutes,
}

#[derive(Args)]
pub(super) struct Criteres {
    /// État.
    #[arg(long, value_enum, default_value = "ouverte")]
    etat: Etat,
    /// Code INSEE de la région ; toutes sans lui.
    #[arg(long, default_value = "")]
    region: String,
    /// Identifiant technique de la structure ; toutes sans lui.
    #[arg(long, default_value = "")]
    structure: String,
}

/// `ror registres divergences`.
pub(super) async fn lister(criteres: Criteres, liste: &Liste) -> anyhow::Result<()> {
    let etat = match criteres.etat {
        Etat::Ouverte => EtatAnomalie::Ouverte,
        Etat::Resolue => EtatAnomalie::Resolue,
        Etat::Expiree => EtatAnomalie::Expiree,
        Etat::Toutes => EtatAnomalie::Unspecified,
    };
    let canal = Maillage::lire(&liste.commun.cible.mesh)?.vers("structures")?;
    let mut client = StructuresServiceClient::new(canal);
    let (mut toutes, mut page_token) = (Vec::new(), String::new());
    while liste.reste(toutes.len()) > 0 {
        let demande = ListAnomaliesRequest {
            etat: etat as i32,
            structure_id: criteres.structure.clone(),
            region: criteres.region.clone(),
            page_size: liste.reste(toutes.len()),
            page_token,
        };
        let r = client.list_anomalies(demande).await?.into_inner();
        toutes.extend(r.anomalies);
        page_token = r.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let valeur = json!(toutes.iter().map(divergence_json).collect::<Vec<_>>());
    montrer(&liste.commun, &valeur, || divergences(&toutes));
    Ok(())
}

fn nom_etat(e: EtatAnomalie) -> &'static str {
    match e {
        EtatAnomalie::Ouverte => "ouverte",
        EtatAnomalie::Resolue => "resolue",
        EtatAnomalie::Expiree => "expiree",
        EtatAnomalie::Unspecified => "inconnu",
    }
}

/// A disagreement for a program.
fn divergence_json(a: &Anomalie) -> Value {
    json!({
        "id": a.id, "structure_id": a.structure_id, "region": a.region, "regle": a.regle,
        "champ": a.champ, "valeur_ror": a.valeur_ror, "valeur_recue": a.valeur_recue, "source": a.source,
        "vue_le": instant(a.vue_le.as_ref()), "revue_le": instant(a.revue_le.as_ref()),
        "etat": nom_etat(a.etat()), "close_le": instant(a.close_le.as_ref()),
    })
}

/// Disagreements for a person.
fn divergences(divergences: &[Anomalie]) {
    if divergences.is_empty() {
        println!("Aucune divergence.");
    }
    for a in divergences {
        let etat = nom_etat(a.etat());
        println!("{}  {etat:<9} {:<3} [{}] {}", a.structure_id, a.region, a.regle, a.champ);
        println!("    tenu « {} », reçu « {} » de {}", a.valeur_ror, a.valeur_recue, a.source);
        println!("    vue le {}, revue le {}", court(a.vue_le.as_ref()), court(a.revue_le.as_ref()));
        if a.close_le.is_some() {
            println!("    close le {}", court(a.close_le.as_ref()));
        }
    }
}
