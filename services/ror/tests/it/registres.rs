//! `ror registres`, run to its end, on what the services keep beside the editions.

use std::{collections::BTreeMap, process::Stdio};

use ror_domaine::identifiants::id_eg;
use ror_proto::{common::v1::Canal, offers::v1::EtatConsequence as Etat, structures::v1::EntiteGeographique};
use serde_json::{Value, json};

use crate::{
    fiches::{EG, Scene, fermeture, site_clos},
    gabarits::AUTRE,
    harnais::Banc,
};

/// How a command ended.
struct Sortie {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Sortie {
    /// What it printed, as one JSON value.
    fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Runs `ror registres` against the services of a bench.
async fn registres(banc: &Banc, services: &[&str], arguments: &[&str]) -> Sortie {
    let dossier = tempfile::tempdir().unwrap();
    let mesh: BTreeMap<&str, String> = services.iter().map(|s| (*s, banc.url(s))).collect();
    std::fs::write(dossier.path().join("mesh.json"), json!(mesh).to_string()).unwrap();
    let fini = tokio::process::Command::new(env!("CARGO_BIN_EXE_ror"))
        .arg("registres")
        .args(arguments)
        .arg("--mesh")
        .arg(dossier.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    Sortie {
        code: fini.status.code(),
        stdout: String::from_utf8(fini.stdout).unwrap(),
        stderr: String::from_utf8(fini.stderr).unwrap(),
    }
}

/// `ror registres divergences`.
async fn divergences(s: &Scene, suite: &[&str]) -> Sortie {
    registres(&s.banc, &["structures"], &[&["divergences"][..], suite].concat()).await
}

/// `ror registres consequences`.
async fn consequences(s: &Scene, suite: &[&str]) -> Sortie {
    registres(&s.banc, &["offers"], &[&["consequences"][..], suite].concat()).await
}

/// `ror registres consequence decider`.
async fn decider(s: &Scene, id: &str, suite: &[&str]) -> Sortie {
    let debut = ["consequence", "decider", id, "--operateur", "ars-84"];
    registres(&s.banc, &["offers"], &[&debut[..], suite].concat()).await
}

fn nombre(liste: &Value) -> usize {
    liste.as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_divergence_is_listed_with_both_values_by_region_and_state() {
    let s = Scene::monter(&["structures"], Canal::Regional).await;
    let tenue = s.eg(&id_eg(EG)).await.unwrap();
    s.ecrire_eg(Canal::Regional, EntiteGeographique { denomination: "SITE DU NORD".into(), ..tenue }).await;
    let lues = divergences(&s, &["--region", AUTRE, "--report", "json"]).await.json();
    assert_eq!(nombre(&lues), 1, "{lues}");
    let id = id_eg(EG);
    for (cle, valeur) in [
        ("champ", "denominationEG"),
        ("valeur_ror", "SITE NORD"),
        ("valeur_recue", "SITE DU NORD"),
        ("structure_id", id.as_str()),
        ("region", AUTRE),
        ("etat", "ouverte"),
    ] {
        assert_eq!(lues[0][cle].as_str(), Some(valeur), "{cle}");
    }
    let texte = divergences(&s, &["--structure", &id]).await;
    assert!(texte.stdout.contains("tenu « SITE NORD », reçu « SITE DU NORD »"), "{}", texte.stdout);
    for autre in [["--region", "52"], ["--etat", "resolue"], ["--structure", "inconnue"]] {
        let texte = divergences(&s, &autre).await;
        assert_eq!((texte.code, texte.stdout.as_str()), (Some(0), "Aucune divergence.\n"), "{autre:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consequence_is_listed_then_decided_once_by_a_named_person() {
    let s = Scene::monter(&["offers"], Canal::National).await;
    for id in ["1", "2"] {
        s.creer_offre(id, &id_eg(EG)).await;
    }
    s.dire(site_clos(EG, "DEF", "2026-10-01"), "edition-2").await;
    let regle = "eg-fermee-definitivement";
    let une = s.attendre_consequence("1", regle, Etat::AControler).await.id;
    let autre = s.attendre_consequence("2", regle, Etat::AControler).await.id;
    let lues = consequences(&s, &["--region", AUTRE, "--report", "json"]).await.json();
    assert_eq!(nombre(&lues), 2, "{lues}");
    assert_eq!(nombre(&consequences(&s, &["--limite", "1", "--report", "json"]).await.json()), 1);
    let texte = consequences(&s, &["--ressource", "1", "--cause", &id_eg(EG)]).await.stdout;
    assert!(texte.contains(&une) && texte.contains("fermeture proposée : DEF, 2026-10-01"), "{texte}");

    for manque in [&["--accepter"][..], &["--motif", "vu"][..], &["--accepter", "--refuser"][..]] {
        assert_eq!(decider(&s, &une, manque).await.code, Some(2), "{manque:?}");
    }
    let decidee = decider(&s, &une, &["--accepter", "--motif", "vu", "--report", "json"]).await.json();
    for (cle, valeur) in [("etat", "appliquee"), ("motif", "vu"), ("decide_par", "ars-84")] {
        assert_eq!(decidee[cle].as_str(), Some(valeur), "{decidee}");
    }
    assert_eq!(fermeture(&s.offre("1").await), ("DEF", "2026-10-01"));
    let encore = decider(&s, &une, &["--accepter", "--motif", "vu"]).await;
    assert!(encore.code == Some(1) && encore.stderr.contains("n'attend plus"), "{}", encore.stderr);
    assert_eq!(decider(&s, "inconnue", &["--accepter", "--motif", "vu"]).await.code, Some(1));

    let texte = decider(&s, &autre, &["--refuser", "--motif", "déménage"]).await.stdout;
    assert!(texte.contains("décidé par ars-84") && texte.contains("déménage"), "{texte}");
    assert_eq!(fermeture(&s.offre("2").await), ("", ""));
    assert_eq!(consequences(&s, &[]).await.stdout, "Aucune conséquence.\n");
    let refusees = consequences(&s, &["--etat", "refusee", "--report", "json"]).await.json();
    assert_eq!(refusees[0]["ressource_id"], "2");
}
