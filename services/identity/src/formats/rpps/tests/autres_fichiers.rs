//! SavoirFaire and Dipl_AutExerc.

use ror_proto::identity::v1::{Formation, SavoirFaire};

use super::*;

const SAVOIRS: &str = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom d'exercice|Prénom d'exercice|Code profession|Libellé profession|Code catégorie professionnelle|Libellé catégorie professionnelle|Code type savoir-faire|Libellé type savoir-faire|Code savoir-faire|Libellé savoir-faire|";
const DIPLOMES: &str = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom d'exercice|Prénom d'exercice|Code type diplôme obtenu|Libellé type diplôme obtenu|Code diplôme obtenu|Libellé diplôme obtenu|Code type autorisation|Libellé type autorisation|Code discipline autorisation|Libellé discipline autorisation|";

fn savoirs(source: impl Read) -> (Vec<Lecture>, Resume) {
    let mut lectures = Vec::new();
    let resume = lire_savoir_faire(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume.unwrap())
}

fn diplomes(source: impl Read) -> (Vec<Lecture>, Resume) {
    let mut lectures = Vec::new();
    let resume = lire_diplomes(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume.unwrap())
}

/// The records of a person, those handed over twice being merged.
fn formations(lectures: Vec<Lecture>) -> BTreeMap<String, Formation> {
    let mut formations: BTreeMap<String, Formation> = BTreeMap::new();
    for lecture in lectures {
        let Lecture::Enregistrement { ressource, suite, .. } = lecture else {
            continue;
        };
        let Ressource::Formation(formation) = *ressource else {
            panic!("une formation");
        };
        match formations.get_mut(&formation.id_nat_ps) {
            Some(connue) => {
                assert!(suite);
                fusionner_formation(connue, formation);
            }
            None => {
                assert!(!suite);
                formations.insert(formation.id_nat_ps.clone(), formation);
            }
        }
    }
    formations
}

fn savoir(rpps: &str, profession: &str, genre: &str, code: &str) -> String {
    format!("8|{rpps}|8{rpps}|ALPHA|Zoé|{profession}|Libellé|C|Civil|{genre}|Libellé|{code}|Libellé|")
}

fn diplome(rpps: &str, diplome: [&str; 2], autorisation: [&str; 2]) -> String {
    let [type_diplome, code] = diplome;
    let [type_autorisation, discipline] = autorisation;
    format!("8|{rpps}|8{rpps}|ALPHA|Zoé|{type_diplome}|L|{code}|L|{type_autorisation}|L|{discipline}|L|")
}

fn texte(entete: &str, lignes: &[String]) -> String {
    format!("{entete}\n{}\n", lignes.join("\n"))
}

fn codes(savoir_faire: &[SavoirFaire]) -> Vec<(&str, &str)> {
    savoir_faire.iter().map(|lu| (lu.r#type.as_str(), lu.code.as_str())).collect()
}

#[test]
fn savoir_faire_par_profession() {
    let mut lignes = vec![
        savoir("10990000019", "10", "S", "SM53"),
        savoir("10990000019", "10", "C", "C06"),
        savoir("10990000019", "10", "S", "SM53"),
        savoir("10990000019", "60", "", ""),
        savoir("10990000027", "10", "S", "SM04"),
    ];
    let (lectures, resume) = savoirs(texte(SAVOIRS, &lignes).as_bytes());
    assert_eq!(comptes(&resume, ["colonnes", "lignes", "doublons", "personnes"]), [13, 5, 1, 2]);
    assert_eq!(resume.constats, BTreeMap::from([("ligne-en-double", 1), ("savoir-faire-absent", 1)]));
    let attendues = fiches(lectures);
    let fiche = &attendues["810990000019"];
    assert_eq!(fiche.meta.as_ref().unwrap().id, "3848e4d2-7e5c-5b77-be5a-083bcf671307");
    assert_eq!((fiche.nom.as_str(), fiche.rpps.as_str(), fiche.actif), ("", "", false));
    let professions: Vec<_> = fiche.exercices.iter().map(|lu| lu.profession.as_str()).collect();
    assert_eq!(professions, ["10", "60"]);
    assert_eq!(codes(&fiche.exercices[0].savoir_faire), [("C", "C06"), ("S", "SM53")]);
    assert!(fiche.exercices[1].savoir_faire.is_empty());
    let mut hasard = Hasard(23);
    for _ in 0..50 {
        hasard.melanger(&mut lignes);
        assert_eq!(fiches(savoirs(texte(SAVOIRS, &lignes).as_bytes()).0), attendues);
    }
}

#[test]
fn seuls_les_savoir_faire_des_professions_dites_changent() {
    let lignes = [
        ligne("10990000019", "ALPHA", "SM53", "019000207", "01451"),
        ligne("10990000019", "ALPHA", "SM04", "019000207", "01451"),
        "8|10990000019|810990000019||MME|ALPHA|Zoé|60|C|Q|SQ1||||||||||||Infirmier|".to_owned(),
    ];
    let connu = fiches(charger(fichier(&lignes).as_bytes()).0).remove("810990000019").unwrap();
    assert_eq!(connu.exercices.len(), 2);
    let recu = |lignes: &[String]| {
        fiches(savoirs(texte(SAVOIRS, lignes).as_bytes()).0).remove("810990000019").unwrap()
    };
    let pose = poser_savoir_faire(
        &connu,
        recu(&[savoir("10990000019", "10", "S", "SM26"), savoir("10990000019", "40", "S", "SCD01")]),
    );
    let mut attendu = connu.clone();
    attendu.exercices[0].savoir_faire = vec![SavoirFaire { r#type: "S".to_owned(), code: "SM26".to_owned() }];
    assert_eq!(pose, attendu);
    let complete = completer_savoir_faire(&pose, recu(&[savoir("10990000019", "10", "C", "C06")]));
    assert_eq!(codes(&complete.exercices[0].savoir_faire), [("C", "C06"), ("S", "SM26")]);
    assert_eq!(complete.exercices[1], connu.exercices[1]);
    let mut fusionne = connu.clone();
    fusionner(&mut fusionne, recu(&[savoir("10990000019", "10", "C", "C06")]));
    assert_eq!((fusionne.nom, fusionne.civilite), (connu.nom, connu.civilite));
}

#[test]
fn diplomes_et_autorisations() {
    let mut lignes = vec![
        diplome("10990000019", ["DE", "DE09"], ["", ""]),
        diplome("10990000019", ["DES", "DSM53"], ["", ""]),
        diplome("10990000019", ["", ""], ["AUT1", "SM02"]),
        diplome("10990000027", ["DZ", ""], ["", ""]),
        diplome("10990000027", ["", ""], ["", ""]),
    ];
    let (lectures, resume) = diplomes(texte(DIPLOMES, &lignes).as_bytes());
    assert_eq!(comptes(&resume, ["colonnes", "lignes", "personnes"]), [13, 5, 2]);
    assert_eq!(resume.constats, BTreeMap::from([("formation-absente", 1)]));
    let attendues = formations(lectures);
    let formation = &attendues["810990000019"];
    assert_ne!(formation.meta.as_ref().unwrap().id, "3848e4d2-7e5c-5b77-be5a-083bcf671307");
    let diplomes_lus: Vec<_> =
        formation.diplomes.iter().map(|lu| (lu.r#type.as_str(), lu.code.as_str())).collect();
    assert_eq!(diplomes_lus, [("DE", "DE09"), ("DES", "DSM53")]);
    assert_eq!(formation.autorisations.len(), 1);
    assert_eq!(formation.autorisations[0].discipline, "SM02");
    assert_eq!(attendues["810990000027"].diplomes[0].code, "");
    let mut hasard = Hasard(29);
    for _ in 0..50 {
        hasard.melanger(&mut lignes);
        assert_eq!(formations(diplomes(texte(DIPLOMES, &lignes).as_bytes()).0), attendues);
    }
}

#[test]
fn colonnes_obligatoires_et_lignes_fausses() {
    let ignorer = &mut |_: Lecture| ControlFlow::<()>::Continue(());
    let sans_code = SAVOIRS.replace("Code savoir-faire", "Autre");
    let erreur = lire_savoir_faire(sans_code.as_bytes(), ignorer).unwrap_err();
    assert!(erreur.message.contains("Code savoir-faire"), "{erreur}");
    let sans_discipline = DIPLOMES.replace("Code discipline autorisation", "Autre");
    let erreur = lire_diplomes(sans_discipline.as_bytes(), ignorer).unwrap_err();
    assert!(erreur.message.contains("Code discipline autorisation"), "{erreur}");
    let lignes = [
        savoir("10990000019", "10", "S", "SM53"),
        savoir("10990000012", "10", "S", "SM53"),
        savoir("10990000019", "10", "S", "SM53").replace("|10|", "|"),
    ];
    let (lectures, _) = savoirs(texte(SAVOIRS, &lignes).as_bytes());
    assert_eq!(refus(&lectures), [(3, "rpps-cle-invalide"), (4, "nombre-de-champs")]);
    assert_eq!(fiches(lectures).len(), 1);
}

#[test]
fn echantillon_savoir_faire() {
    let Some(source) = echantillon("PS_LibreAcces_SavoirFaire_202610010830.txt") else {
        return;
    };
    let (lectures, resume) = savoirs(source);
    assert_eq!(comptes(&resume, ["colonnes", "lignes", "personnes", "doublons"]), [13, 7, 6, 0]);
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    let lues = fiches(lectures);
    assert_eq!(codes(&lues["810990000019"].exercices[0].savoir_faire), [("C", "C06"), ("S", "SM53")]);
    let Some(source) = echantillon("PS_LibreAcces_Personne_activite_202610010830.txt") else {
        return;
    };
    for (id, connu) in fiches(charger(source).0) {
        if let Some(recu) = lues.get(&id) {
            assert_eq!(poser_savoir_faire(&connu, recu.clone()), connu, "{id}");
        }
    }
}

#[test]
fn echantillon_diplomes() {
    let Some(source) = echantillon("PS_LibreAcces_Dipl_AutExerc_202610010830.txt") else {
        return;
    };
    let (lectures, resume) = diplomes(source);
    assert_eq!(comptes(&resume, ["colonnes", "lignes", "personnes", "doublons"]), [13, 10, 9, 0]);
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    let lues = formations(lectures);
    assert_eq!(lues["810990000019"].diplomes.len(), 2);
    let autorisee = &lues["810990000092"];
    assert!(autorisee.diplomes.is_empty());
    assert_eq!(autorisee.autorisations[0].r#type, "AUT1");
    let autre = &lues["810990000126"].diplomes[0];
    assert_eq!((autre.r#type.as_str(), autre.code.as_str()), ("DZ", ""));
}
