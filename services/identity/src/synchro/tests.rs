use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use axum::response::{IntoResponse, Response};
use reqwest::Url;
use ror_chassis::{Erreur, Resultat, conversion::maintenant};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use time::macros::datetime;

use super::{
    canal::{Pret, cle_de_serie, series},
    reglages::{CANAUX, Limites, ReglageCanal, Reglages, Source},
    source::{Lieu, choisir, cle, cle_http, nommer},
    store::Connu,
    *,
};
use serveur::{Requete, Serveur, coupee, preparer, statut};

pub(crate) mod serveur;

const MOTIF: &str = "finess-structures-journalier";

fn reglage(source: Source) -> ReglageCanal {
    ReglageCanal {
        canal: CANAUX[0],
        source,
        motifs: vec![MOTIF.to_owned()],
        intervalle: Duration::from_secs(3600),
        seuil: Duration::from_secs(48 * 3600),
    }
}

async fn chercher(r: &ReglageCanal, l: &Limites, connu: Option<&Connu>) -> Resultat<Option<Pret>> {
    canal::chercher(r, &r.motifs[0], l, connu).await
}

fn limites(dossier: &Path) -> Limites {
    Limites { dossier: dossier.to_owned(), attente: Duration::from_millis(1), ..Default::default() }
}

fn connu(pret: &Pret) -> Connu {
    Connu { cle: pret.cle.clone(), signature: pret.signature.clone(), reussie_le: maintenant() }
}

fn somme(octets: &[u8]) -> String {
    Sha1::digest(octets).iter().map(|o| format!("{o:02x}")).collect()
}

fn phrase<T>(r: Resultat<T>) -> String {
    match r {
        Ok(_) => panic!("an error is expected"),
        Err(e) => e.phrase(),
    }
}

fn contenu(pret: &Pret) -> Vec<u8> {
    fs::read(pret.fichier.chemin()).unwrap()
}

/// A file that is no longer being written.
fn deposer(dossier: &Path, nom: &str, texte: &str) -> PathBuf {
    let chemin = dossier.join(nom);
    fs::write(&chemin, texte).unwrap();
    let fichier = fs::File::options().write(true).open(&chemin).unwrap();
    fichier.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    chemin
}

#[test]
fn the_edition_key_is_read_after_the_pattern_whatever_the_case_and_the_dashes() {
    let rpps = "PS_LibreAcces_Personne_activite";
    let cas = [
        ("finess-structures-journalier-20261001.json.gz", MOTIF, Some("20261001")),
        ("finess-structures-mensuel-202609.json.gz", MOTIF, None),
        ("finess-structures-journalier-2026.json.gz", MOTIF, None),
        ("finess-structures-journalier.json.gz", MOTIF, Some("")),
        ("finess-structures-journalier-notice.pdf", MOTIF, None),
        ("PS_LibreAcces_Personne_activite_202610010830.txt", rpps, Some("202610010830")),
        ("ps-libreacces-personne-activite.txt", rpps, Some("")),
        ("PS_LibreAcces_SavoirFaire_202610010830.txt", rpps, None),
        ("", rpps, None),
    ];
    for (nom, motif, attendue) in cas {
        assert_eq!(cle(nom, motif).as_deref(), attendue, "{nom}");
    }
    assert_eq!(nommer("a.txt.gz", "202610010830"), "a_202610010830.txt.gz");
    let midi = datetime!(2026-10-02 12:00 UTC);
    assert_eq!(cle_http("Thu, 01 Oct 2026 08:30:00 GMT", midi), "202610010830");
    assert_eq!(cle_http("", midi), "202610021200");
}

#[tokio::test]
async fn the_newest_file_of_a_folder_is_taken_once() {
    preparer();
    let dossier = tempfile::tempdir().unwrap();
    let r = reglage(Source::Dossier(dossier.path().to_owned()));
    let l = limites(dossier.path());
    assert!(phrase(chercher(&r, &l, None).await).contains("aucun fichier"));
    deposer(dossier.path(), "finess-structures-journalier-20261001.json", "hier");
    deposer(dossier.path(), "finess-structures-journalier-20261002.json", "aujourd'hui");
    deposer(dossier.path(), "finess-structures-journalier-20261003.json.part", "pas fini");
    deposer(dossier.path(), "lisez-moi-20261004.txt", "autre");
    let pret = chercher(&r, &l, None).await.unwrap().unwrap();
    assert_eq!(
        (pret.nom.as_str(), pret.cle.as_str()),
        ("finess-structures-journalier-20261002.json", "20261002")
    );
    assert_eq!((contenu(&pret).as_slice(), pret.taille), ("aujourd'hui".as_bytes(), 11));
    assert_eq!(pret.sha1, somme(b"aujourd'hui"));
    let vu = connu(&pret);
    assert!(chercher(&r, &l, Some(&vu)).await.unwrap().is_none(), "the same file");
    let plus_recent = Connu { cle: "20261009".into(), ..vu.clone() };
    assert!(chercher(&r, &l, Some(&plus_recent)).await.unwrap().is_none(), "an older edition");
    deposer(dossier.path(), "finess-structures-journalier-20261002.json", "corrigé");
    assert!(chercher(&r, &l, Some(&vu)).await.unwrap().is_some(), "the same key, another file");
    fs::write(dossier.path().join("finess-structures-journalier-20261005.json"), "en cours").unwrap();
    assert!(chercher(&r, &l, Some(&vu)).await.unwrap().is_none(), "it may still be being written");
}

#[tokio::test]
async fn each_file_of_a_legacy_channel_is_looked_for_and_an_address_is_one_of_them() {
    preparer();
    let dossier = tempfile::tempdir().unwrap();
    let csv = CANAUX[2];
    let motifs: Vec<String> = csv.motifs.iter().map(|m| (*m).to_owned()).collect();
    let r = ReglageCanal { canal: csv, motifs, ..reglage(Source::Dossier(dossier.path().to_owned())) };
    deposer(dossier.path(), "etalab-cs1100501-stock-20260512-0338.csv", "ej");
    deposer(dossier.path(), "etalab-cs1100502-stock-20260512-0339.zip", "et");
    let l = limites(dossier.path());
    let (mut trouves, mut absents) = (Vec::new(), 0);
    for motif in series(&r) {
        match canal::chercher(&r, motif, &l, None).await {
            Ok(pret) => trouves.push((cle_de_serie(&r, motif), pret.unwrap().nom)),
            Err(e) => {
                assert!(matches!(e, Erreur::Introuvable(_)), "{e}");
                absents += 1;
            }
        }
    }
    assert_eq!(absents, 3);
    let attendus = [
        ("finess_csv/etalab-cs1100501-stock", "etalab-cs1100501-stock-20260512-0338.csv"),
        ("finess_csv/etalab-cs1100502-stock", "etalab-cs1100502-stock-20260512-0339.zip"),
    ];
    assert_eq!(trouves, attendus.map(|(cle, nom)| (cle.to_owned(), nom.to_owned())));
    let adresse = |nom: &str| Source::Fichier(Url::parse(&format!("https://exemple.invalid/{nom}")).unwrap());
    let r = ReglageCanal { source: adresse("etalab-cs1100507-stock.csv"), ..r };
    assert_eq!(series(&r), ["etalab-cs1100507-stock"]);
    let r = ReglageCanal { source: adresse("finess.csv"), ..r };
    assert_eq!(series(&r), ["etalab-cs1100501-stock"]);
    let seul = reglage(Source::Dossier("/depot".into()));
    assert_eq!(cle_de_serie(&seul, MOTIF), "finess_structures", "as it was noted before");
}

fn description(url: &str, taille: u64, sha1: &str) -> Value {
    json!({"id": "finess-structures-1", "resources": [
        {"title": "finess-structures-journalier-20261001.json.gz", "url": format!("{url}/ancien.json.gz"),
            "filesize": 1, "checksum": {"type": "sha1", "value": "0".repeat(40)},
            "last_modified": "2026-10-01T02:14:55.123000+00:00"},
        {"title": "finess-structures-journalier-20261002.json.gz",
            "url": format!("{url}/finess-structures-journalier-20261002.json.gz"), "filesize": taille,
            "checksum": {"type": "sha1", "value": sha1}, "last_modified": "2026-10-02T02:14:55.123000+00:00"},
        {"title": "finess-structures-mensuel-202610.json.gz", "url": format!("{url}/mensuel.json.gz"),
            "filesize": 1, "checksum": null, "last_modified": "2026-10-03T02:14:55+00:00"},
        {"title": null, "url": null}]})
}

/// A dataset of one file, described with this size and sum.
async fn jeu(taille: u64, sha1: String) -> (Serveur, Resultat<Option<Pret>>, tempfile::TempDir) {
    let serveur = Serveur::lancer(move |r| match r.uri.as_str() {
        "/api/1/datasets/finess-structures-1/" => {
            description(&r.lien("/fichiers"), taille, &sha1).to_string().into_response()
        }
        "/fichiers/finess-structures-journalier-20261002.json.gz" => "octets".into_response(),
        _ => statut(404),
    })
    .await;
    let dossier = tempfile::tempdir().unwrap();
    let r = reglage(Source::Jeu(serveur.url("/api/1/datasets/finess-structures-1/")));
    let trouve = chercher(&r, &limites(dossier.path()), None).await;
    (serveur, trouve, dossier)
}

#[tokio::test]
async fn the_newest_daily_file_of_a_dataset_is_downloaded_and_checked() {
    let (serveur, trouve, dossier) = jeu(6, somme(b"octets")).await;
    let pret = trouve.unwrap().unwrap();
    assert_eq!(
        (pret.nom.as_str(), pret.cle.as_str()),
        ("finess-structures-journalier-20261002.json.gz", "20261002")
    );
    assert_eq!(contenu(&pret), b"octets");
    serveur.vues();
    let r = reglage(Source::Jeu(serveur.url("/api/1/datasets/finess-structures-1/")));
    let vu = connu(&pret);
    assert!(chercher(&r, &limites(dossier.path()), Some(&vu)).await.unwrap().is_none());
    assert_eq!(serveur.vues().len(), 1, "only the description is asked again");
    drop(pret);
    assert_eq!(fs::read_dir(dossier.path()).unwrap().count(), 0, "the download is gone");
}

#[tokio::test]
async fn a_wrong_sum_or_size_fails_and_says_so() {
    let (_, trouve, dossier) = jeu(6, "0".repeat(40)).await;
    let phrase_somme = phrase(trouve);
    assert!(phrase_somme.contains("SHA-1") && phrase_somme.contains("20261002"), "{phrase_somme}");
    assert_eq!(fs::read_dir(dossier.path()).unwrap().count(), 0);
    let (_, trouve, _) = jeu(7, somme(b"octets")).await;
    let phrase_taille = phrase(trouve);
    assert!(phrase_taille.contains("6 octets") && phrase_taille.contains('7'), "{phrase_taille}");
}

#[test]
fn the_published_description_is_understood() {
    let Some(dossier) = std::env::var_os("ROR_ECHANTILLONS").map(PathBuf::from) else {
        eprintln!("TEST SAUTÉ : ROR_ECHANTILLONS n'est pas défini");
        return;
    };
    let chemin = dossier.join("samples").join("finess-datagouv-dataset-metadata.json");
    let mut texte = String::new();
    let Ok(mut fichier) = fs::File::open(&chemin) else {
        eprintln!("TEST SAUTÉ : {} est absent", chemin.display());
        return;
    };
    fichier.read_to_string(&mut texte).unwrap();
    let offre = choisir(&serde_json::from_str(&texte).unwrap(), MOTIF, "https").unwrap();
    assert_eq!(
        (offre.nom.as_str(), offre.cle.as_str()),
        ("finess-structures-journalier-20261001.json.gz", "20261001")
    );
    let Lieu::Adresse { taille, somme, .. } = offre.lieu else { panic!("to download") };
    assert_eq!((taille, somme), (Some(50_123_456), "0".repeat(40)));
}

const TEXTE: &[u8] = b"un fichier de quelques octets, servi en plusieurs fois";

/// One file; `repondre` gives its first answer, the next ones are complete.
async fn fichier(repondre: fn(&Requete) -> Option<Response>) -> (Serveur, ReglageCanal, tempfile::TempDir) {
    let serveur = Serveur::lancer(move |r| {
        if let Some(reponse) = repondre(r) {
            return reponse;
        }
        let etag = [("etag", "\"v1\"")];
        let debut = r.entetes.get("range").and_then(|v| v.to_str().ok()).and_then(|v| {
            v.strip_prefix("bytes=").and_then(|v| v.strip_suffix('-')).and_then(|v| v.parse::<usize>().ok())
        });
        match debut {
            Some(debut) => {
                assert_eq!(r.entetes["if-range"], "\"v1\"");
                let plage = format!("bytes {debut}-{}/{}", TEXTE.len() - 1, TEXTE.len());
                let suite = TEXTE[debut..].to_vec();
                (axum::http::StatusCode::PARTIAL_CONTENT, etag, [("content-range", plage)], suite)
                    .into_response()
            }
            None => (etag, TEXTE.to_vec()).into_response(),
        }
    })
    .await;
    let dossier = tempfile::tempdir().unwrap();
    let r = reglage(Source::Fichier(serveur.url("/finess-structures-journalier-20261002.json")));
    (serveur, r, dossier)
}

#[tokio::test]
async fn a_broken_download_resumes_where_it_stopped() {
    let (serveur, r, dossier) = fichier(|r| {
        let entetes = [("etag", "\"v1\"")];
        (r.fois == 1).then(|| (entetes, coupee(&TEXTE[..10])).into_response())
    })
    .await;
    let pret = chercher(&r, &limites(dossier.path()), None).await.unwrap().unwrap();
    assert_eq!(contenu(&pret), TEXTE);
    assert_eq!((pret.sha1.as_str(), pret.taille), (somme(TEXTE).as_str(), TEXTE.len() as u64));
    assert_eq!(serveur.vues().len(), 2);
}

#[tokio::test]
async fn a_broken_download_without_a_version_begins_again_and_a_busy_server_is_asked_later() {
    let (serveur, r, dossier) = fichier(|r| match r.fois {
        1 => Some(statut(503)),
        2 => Some(coupee(&TEXTE[..10])),
        _ => None,
    })
    .await;
    let pret = chercher(&r, &limites(dossier.path()), None).await.unwrap().unwrap();
    assert_eq!((contenu(&pret), pret.sha1.as_str()), (TEXTE.to_vec(), somme(TEXTE).as_str()));
    assert_eq!(serveur.vues().len(), 3);
}

#[tokio::test]
async fn an_unchanged_file_is_not_downloaded_and_a_missing_one_is_said_at_once() {
    let (serveur, r, dossier) = fichier(|r| match r.entetes.get("if-none-match") {
        Some(v) if v == "\"v1\"" => Some(statut(304)),
        _ => None,
    })
    .await;
    let l = limites(dossier.path());
    let pret = chercher(&r, &l, None).await.unwrap().unwrap();
    assert_eq!((pret.cle.as_str(), pret.signature.as_str()), ("20261002", "\"v1\"|"));
    assert!(chercher(&r, &l, Some(&connu(&pret))).await.unwrap().is_none());
    assert_eq!(serveur.vues().len(), 2);
    let (serveur, r, _) = fichier(|_| Some(statut(404))).await;
    assert!(phrase(chercher(&r, &l, None).await).contains("404"));
    assert_eq!(serveur.vues().len(), 1);
}

#[tokio::test]
async fn a_download_beyond_the_bounds_is_cut() {
    let (_serveur, r, dossier) = fichier(|_| None).await;
    let petit = Limites { octets_max: 20, ..limites(dossier.path()) };
    assert!(matches!(chercher(&r, &petit, None).await, Err(Erreur::Epuise(_))));
    let (_serveur, r, dossier) = fichier(|_| Some(coupee(&TEXTE[..10]))).await;
    let presse = Limites { delai: Duration::from_millis(200), ..limites(dossier.path()) };
    assert!(matches!(chercher(&r, &presse, None).await, Err(Erreur::Delai(_))));
    assert_eq!(fs::read_dir(dossier.path()).unwrap().count(), 0);
}

#[test]
fn lateness_begins_after_the_threshold() {
    let seuil = Duration::from_secs(48 * 3600);
    let derniere = datetime!(2026-10-01 12:00 UTC);
    assert!(!retard::en_retard(derniere, datetime!(2026-10-03 12:00 UTC), seuil));
    assert!(retard::en_retard(derniere, datetime!(2026-10-03 12:01 UTC), seuil));
    assert!(!retard::en_retard(derniere, datetime!(2026-09-30 12:00 UTC), seuil), "a clock set back");
}

#[test]
fn waits_grow_up_to_the_interval_and_vary_by_a_tenth() {
    let heure = Duration::from_secs(3600);
    let attentes: Vec<u64> = (0..8).map(|echecs| canal::recul(echecs, heure).as_secs()).collect();
    assert_eq!(attentes, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert_eq!(canal::recul(u32::MAX, heure), heure);
    for _ in 0..100 {
        let attente = gigue(heure);
        assert!(attente >= heure.mul_f64(0.9) && attente <= heure.mul_f64(1.1), "{attente:?}");
    }
}

#[test]
fn the_state_is_shared_and_says_what_failed() {
    let reglages =
        Reglages { canaux: vec![reglage(Source::Dossier("/depot".into()))], limites: Limites::default() };
    let etat = Etat::nouveau(&reglages);
    let autre = etat.clone();
    etat.changer("finess_structures", |c| c.dernier_echec = "dossier illisible".into());
    etat.changer("inconnu", |c| c.dernier_echec = "jamais".into());
    let canaux = autre.etat();
    assert_eq!(canaux.len(), 1);
    assert_eq!(
        (canaux[0].source.as_str(), canaux[0].dernier_echec.as_str()),
        ("/depot", "dossier illisible")
    );
    assert_eq!(canaux[0].format, ror_proto::identity::v1::Format::FinessStructures);
}
