//! A thousandth of the country, as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::*;
use crate::cles::luhn_valide;

type Resultat = Result<(), Box<dyn std::error::Error>>;

fn dossier(nom: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ror-demo-national-{}-{nom}", std::process::id()))
}

fn reglages(graine: u64, rythme: Rythme) -> Reglages {
    let suivantes = vec![Suivante { decalage: 1, rythme }];
    Reglages { graine, echelle: 0.002, cibles: Cibles::default(), suivantes }
}

fn gzip(chemin: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut texte = String::new();
    GzDecoder::new(BufReader::new(File::open(chemin)?)).read_to_string(&mut texte)?;
    Ok(texte)
}

fn t<'a>(v: &'a Value, pointeur: &str) -> &'a str {
    v.pointer(pointeur).and_then(Value::as_str).unwrap_or("")
}

/// Without what FINESS changes from one edition to the next for no reason.
fn sans_ids(v: &Value) -> Value {
    let mut v = v.clone();
    for e in v["evenement"].as_array_mut().into_iter().flatten() {
        e["evenementId"] = Value::Null;
    }
    v
}

struct Site {
    ej: String,
    actif: bool,
    contenu: Value,
}

type Lues<T> = Result<T, Box<dyn std::error::Error>>;

/// Legal entities without their sites, and sites, by number.
fn structures(chemin: &Path) -> Lues<(BTreeMap<String, Value>, BTreeMap<String, Site>)> {
    let racine: Value = serde_json::from_str(&gzip(chemin)?)?;
    let (mut ejs, mut egs) = (BTreeMap::new(), BTreeMap::new());
    for pm in racine["pmej"].as_array().into_iter().flatten() {
        let ej = t(pm, "/informationsGeneralesPMEJ/numFinessPm").to_owned();
        assert!(luhn_valide(&ej), "{ej}");
        for eg in pm["ege"].as_array().into_iter().flatten() {
            let numero = t(eg, "/informationsGeneralesEGE/numFinessEge").to_owned();
            assert!(luhn_valide(&numero), "{numero}");
            let actif = t(eg, "/etatObjet") == "A";
            assert!(!actif || t(pm, "/etatObjet") == "A", "open site under a closed legal entity: {numero}");
            assert_eq!(
                actif,
                eg.pointer("/informationsGeneralesEGE/dateFermeture").is_none_or(Value::is_null)
            );
            let site = Site { ej: ej.clone(), actif, contenu: sans_ids(eg) };
            assert!(egs.insert(numero, site).is_none(), "a site twice");
        }
        let mut seul = sans_ids(pm);
        seul["ege"] = Value::Null;
        assert!(ejs.insert(ej, seul).is_none(), "a legal entity twice");
    }
    Ok((ejs, egs))
}

/// Operations found by comparing the two editions of the structures.
fn comparer(d: &Path, m: &Manifeste) -> Result<BTreeMap<(String, String), u64>, Box<dyn std::error::Error>> {
    let [avant, apres] = &m.editions[..] else { return Err("two editions expected".into()) };
    let (ej_avant, eg_avant) = structures(&d.join(&avant.structures))?;
    let (ej_apres, eg_apres) = structures(&d.join(&apres.structures))?;
    let mut trouve: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut noter = |genre: &str, operation: &str| {
        *trouve.entry((genre.to_owned(), operation.to_owned())).or_default() += 1;
    };
    for (numero, ej) in &ej_apres {
        match ej_avant.get(numero) {
            None => noter("entite_juridique", "creee"),
            Some(a) if a == ej => {}
            Some(a) if t(a, "/etatObjet") != t(ej, "/etatObjet") => noter("entite_juridique", "fermee"),
            Some(_) => noter("entite_juridique", "modifiee"),
        }
    }
    for (numero, eg) in &eg_apres {
        let genre = "entite_geographique";
        let dernier = eg.contenu["evenement"].as_array().and_then(|e| e.last());
        let etat = dernier.map_or("", |e| t(e, "/etatObjet1"));
        match eg_avant.get(numero) {
            None => noter(genre, "creee"),
            Some(a) if a.ej != eg.ej => noter(genre, "transferee"),
            Some(a) if a.actif && !eg.actif => noter(
                genre,
                match etat {
                    "103" => "fermee_provisoirement",
                    "102" => "hors_champ",
                    "101" => "declaree_par_erreur",
                    _ => "fermee",
                },
            ),
            Some(a) if !a.actif && eg.actif => noter(genre, "rouverte"),
            Some(a) if a.contenu != eg.contenu => noter(genre, "modifiee"),
            Some(_) => {}
        }
    }
    assert!(ej_avant.keys().all(|k| ej_apres.contains_key(k)), "a legal entity vanished");
    assert!(eg_avant.keys().all(|k| eg_apres.contains_key(k)), "a site vanished");
    Ok(trouve)
}

fn lire_oracle(d: &Path, m: &Manifeste) -> Result<Oracle, Box<dyn std::error::Error>> {
    let nom = m.editions.last().and_then(|e| e.oracle.as_ref()).ok_or("no oracle")?;
    Ok(serde_json::from_str(&std::fs::read_to_string(d.join(nom))?)?)
}

#[test]
fn the_oracle_tells_what_a_comparison_of_the_structures_finds() -> Resultat {
    for (nom, rythme) in [("jour", Rythme::Quotidien), ("taux", Rythme::Taux(0.05))] {
        let d = dossier(nom);
        let m = generer(&reglages(5, rythme), &d)?;
        let o = lire_oracle(&d, &m)?;
        let trouve = comparer(&d, &m)?;
        for genre in ["entite_juridique", "entite_geographique"] {
            let attendu: BTreeMap<(String, String), u64> = o
                .comptes
                .get(genre)
                .into_iter()
                .flatten()
                .map(|(op, n)| ((genre.to_owned(), op.clone()), *n))
                .collect();
            let siennes = trouve.iter().filter(|(k, _)| k.0 == genre);
            let lu: BTreeMap<_, _> = siennes.map(|(k, n)| (k.clone(), *n)).collect();
            assert_eq!(lu, attendu, "{nom} {genre}");
        }
        // An ordinary day of so small a country may change nothing.
        let vives: u64 = o.comptes.get("entite_geographique").into_iter().flatten().map(|(_, n)| n).sum();
        assert!(vives > 0 || nom == "jour");
        std::fs::remove_dir_all(d)?;
    }
    Ok(())
}

/// The lines of each professional, as a set.
fn personnes(chemin: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, Box<dyn std::error::Error>> {
    let mut tous: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ligne in std::fs::read_to_string(chemin)?.lines().skip(1) {
        let champs: Vec<&str> = ligne.split('|').collect();
        assert_eq!(champs.len(), 57, "{ligne}");
        assert!(champs[1].starts_with("109") && luhn_valide(champs[1]));
        // Without the telephone, which changes nothing.
        let cle: Vec<&str> = champs.iter().enumerate().filter(|(i, _)| *i != 40).map(|(_, c)| *c).collect();
        tous.entry(champs[2].to_owned()).or_default().insert(cle.join("|"));
    }
    Ok(tous)
}

#[test]
fn the_oracle_tells_what_a_comparison_of_the_professionals_finds() -> Resultat {
    let d = dossier("ps");
    let m = generer(&reglages(6, Rythme::Taux(0.03)), &d)?;
    let o = lire_oracle(&d, &m)?;
    let [avant, apres] = [personnes(&d.join(&m.editions[0].rpps))?, personnes(&d.join(&m.editions[1].rpps))?];
    let creees = apres.keys().filter(|k| !avant.contains_key(*k)).count() as u64;
    let disparues: BTreeSet<String> = avant.keys().filter(|k| !apres.contains_key(*k)).cloned().collect();
    let changees = apres.iter().filter(|(k, l)| avant.get(*k).is_some_and(|a| a != *l));
    let modifiees: BTreeSet<String> = changees.map(|(k, _)| k.clone()).collect();
    let attendus = |operation: &str| {
        let siens = o.operations.iter().filter(|a| a.genre == "professionnel" && a.operation == operation);
        siens.map(|a| a.cle.clone()).collect::<BTreeSet<String>>()
    };
    assert_eq!(creees, o.nombre("professionnel", "creee"));
    assert_eq!(disparues, attendus("disparue"));
    assert_eq!(modifiees, attendus("modifiee"));
    assert!(creees > 0 && !disparues.is_empty() && modifiees.len() > 50);
    assert!(o.sans_effet.values().all(|n| *n > 0), "{:?}", o.sans_effet);
    assert!(apres.contains_key(&m.editions[1].dernier_professionnel));
    std::fs::remove_dir_all(d)?;
    Ok(())
}

/// What each structure holds in an activities file, ids of events left out.
fn activites(chemin: &Path) -> Result<BTreeMap<String, Value>, Box<dyn std::error::Error>> {
    let racine: Value = serde_json::from_str(&gzip(chemin)?)?;
    let mut tous = BTreeMap::new();
    let liste = |v: &Value| Value::Array(v.as_array().into_iter().flatten().map(sans_ids).collect());
    for pm in racine["pmej"].as_array().into_iter().flatten() {
        tous.insert(t(pm, "/numFiness").to_owned(), liste(&pm["activitesAutorisees"]));
        for eg in pm["ege"].as_array().into_iter().flatten() {
            tous.insert(t(eg, "/numFinessEge").to_owned(), liste(&eg["activitesExercees"]));
        }
    }
    Ok(tous)
}

#[test]
fn the_oracle_tells_what_a_comparison_of_the_activities_finds() -> Resultat {
    let d = dossier("act");
    let m = generer(&reglages(7, Rythme::Taux(0.05)), &d)?;
    let o = lire_oracle(&d, &m)?;
    let avant = activites(&d.join(&m.editions[0].activites))?;
    let apres = activites(&d.join(&m.editions[1].activites))?;
    assert!(avant.keys().all(|k| apres.contains_key(k)));
    let creees = apres.keys().filter(|k| !avant.contains_key(*k)).count() as u64;
    let modifiees = apres.iter().filter(|(k, v)| avant.get(*k).is_some_and(|a| a != *v)).count() as u64;
    assert_eq!(creees, o.nombre("activites_finess", "creee"));
    assert_eq!(modifiees, o.nombre("activites_finess", "modifiee"));
    assert!(modifiees > 10);
    std::fs::remove_dir_all(d)?;
    Ok(())
}

#[test]
fn a_rate_of_zero_changes_bytes_and_nothing_else() -> Resultat {
    let d = dossier("zero");
    let m = generer(&reglages(8, Rythme::Taux(0.0)), &d)?;
    assert!(lire_oracle(&d, &m)?.operations.is_empty());
    assert!(comparer(&d, &m)?.is_empty());
    let [a, b] = [&m.editions[0], &m.editions[1]];
    assert_eq!(personnes(&d.join(&a.rpps))?, personnes(&d.join(&b.rpps))?);
    assert_ne!(gzip(&d.join(&a.structures))?, gzip(&d.join(&b.structures))?);
    std::fs::remove_dir_all(d)?;
    Ok(())
}

#[test]
fn same_seed_same_content_and_the_counts_are_those_asked() -> Resultat {
    let (a, b) = (dossier("a"), dossier("b"));
    let m = generer(&reglages(9, Rythme::Quotidien), &a)?;
    assert_eq!(m, generer(&reglages(9, Rythme::Quotidien), &b)?);
    for e in &m.editions {
        assert_eq!(gzip(&a.join(&e.structures))?, gzip(&b.join(&e.structures))?);
        assert_eq!(gzip(&a.join(&e.activites))?, gzip(&b.join(&e.activites))?);
        for f in [&e.rpps, &e.savoir_faire, &e.diplomes] {
            assert!(std::fs::read(a.join(f))? == std::fs::read(b.join(f))?, "{}", f.display());
        }
    }
    let c = Cibles::default().a_l_echelle(0.002);
    let (ejs, egs) = structures(&a.join(&m.editions[0].structures))?;
    let actifs = egs.values().filter(|e| e.actif).count() as u64;
    assert_eq!((actifs, egs.len() as u64), (c.eg_ouverts, c.eg_ouverts + c.eg_fermes));
    let ouvertes = ejs.values().filter(|e| t(e, "/etatObjet") == "A").count() as u64;
    assert!(ouvertes.abs_diff(c.ej_ouvertes) <= 20, "{ouvertes}");
    let n = |nom: &str| m.editions[0].comptes.get(nom).copied().unwrap_or(0);
    assert_eq!(n("activites"), 2 * c.activites);
    assert_eq!(n("professionnels"), c.professionnels);
    let par_personne = n("lignes_rpps") as f64 / n("professionnels") as f64;
    assert!((1.1..1.35).contains(&par_personne), "{par_personne}");
    assert!(egs.contains_key(&m.editions[0].dernier_eg));
    std::fs::remove_dir_all(a)?;
    std::fs::remove_dir_all(b)?;
    Ok(())
}
