use std::collections::BTreeMap;

use ror_domaine::identifiants::id_ps;
use ror_proto::identity::v1::Professionnel;
use ror_proto::identity::v1::identity::Ressource;

use super::super::tests::{Hasard, echantillon};
use super::*;

mod autres_fichiers;
mod debit;
mod restreint;

/// The columns that are read, in another order than the published one.
const ENTETE: &str = "TYPE D’IDENTIFIANT PP|Identifiant PP|Identification nationale PP|Code civilité d'exercice|Code civilité|Nom d'exercice|Prénom d'exercice|Code profession|Code catégorie professionnelle|Code type savoir-faire|Code savoir-faire|Code mode exercice|Numéro SIRET site|Numéro FINESS site|Numéro FINESS établissement juridique|Identifiant technique de la structure|Code secteur d'activité|Code commune (coord. structure)|Code Département (structure)|Code fonction|Code genre d'activité|Adresse e-mail (coord. structure)|Libellé profession|";

const PERSONNES: [(&str, &str); 4] =
    [("10990000019", "ALPHA"), ("10990000027", "BETA"), ("10990000035", "GAMMA"), ("10990000043", "DELTA")];

fn ligne(rpps: &str, nom: &str, savoir_faire: &str, site: &str, commune: &str) -> String {
    format!(
        "8|{rpps}|8{rpps}|DR|MME|{nom}|Zoé|10|C|S|{savoir_faire}|S||{site}|||SA01|{commune}||||a@exemple.invalid|Médecin \"|"
    )
}

fn corpus() -> Vec<String> {
    let mut lignes = Vec::new();
    for (rpps, nom) in PERSONNES {
        for savoir_faire in ["SM53", "SM04"] {
            for (site, commune) in [("019000207", "01451"), ("2A9000304", "2A004")] {
                lignes.push(ligne(rpps, nom, savoir_faire, site, commune));
            }
        }
    }
    lignes
}

fn charger(source: impl Read) -> (Vec<Lecture>, Result<Resume, ErreurFichier>) {
    let mut lectures = Vec::new();
    let resume = lire(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume)
}

fn fichier(lignes: &[String]) -> String {
    format!("{ENTETE}\n{}\n", lignes.join("\n"))
}

/// The records, those handed over twice being merged.
fn fiches(lectures: Vec<Lecture>) -> BTreeMap<String, Professionnel> {
    let mut fiches: BTreeMap<String, Professionnel> = BTreeMap::new();
    for lecture in lectures {
        let Lecture::Enregistrement { ressource, suite, .. } = lecture else {
            continue;
        };
        let Ressource::Professionnel(professionnel) = *ressource else {
            panic!("un professionnel");
        };
        match fiches.get_mut(&professionnel.id_nat_ps) {
            Some(connue) => {
                assert!(suite);
                fusionner(connue, professionnel);
            }
            None => {
                assert!(!suite);
                fiches.insert(professionnel.id_nat_ps.clone(), professionnel);
            }
        }
    }
    fiches
}

fn comptes<const N: usize>(resume: &Resume, noms: [&str; N]) -> [u64; N] {
    noms.map(|nom| resume.comptes[nom])
}

/// Line of each record.
fn debuts(lectures: &[Lecture]) -> Vec<u64> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ligne, .. } => Some(*ligne),
            Lecture::Refus { .. } => None,
        })
        .collect()
}

/// Line and rule of the first fault of each refusal; nothing of a person is in them.
fn refus(lectures: &[Lecture]) -> Vec<(u64, &str)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Refus { ligne, fautes, contenu, .. } => {
                assert!(contenu.is_empty());
                let textes = format!("{fautes:?}");
                assert!(!textes.contains("ALPHA") && !textes.contains("109900"), "{textes}");
                Some((*ligne, fautes[0].regle.as_str()))
            }
            Lecture::Enregistrement { .. } => None,
        })
        .collect()
}

#[test]
fn une_personne() {
    let lignes = corpus();
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let resume = resume.unwrap();
    assert_eq!(
        resume.comptes,
        BTreeMap::from([
            ("colonnes", 23),
            ("lignes", 16),
            ("doublons", 0),
            ("personnes", 4),
            ("reprises", 0)
        ])
    );
    assert!(resume.cle.is_empty());
    assert!(refus(&lectures).is_empty());
    assert_eq!(debuts(&lectures), [2, 6, 10, 14]);
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    let fiches = fiches(lectures);
    let fiche = &fiches["810990000019"];
    assert_eq!(fiche.nom, "ALPHA");
    assert_eq!(fiche.rpps, "10990000019");
    assert!(fiche.actif);
    let meta = fiche.meta.as_ref().unwrap();
    assert_eq!(meta.region, "84");
    assert_eq!(meta.id, "3848e4d2-7e5c-5b77-be5a-083bcf671307");
    let civilite = fiche.civilite.as_ref().unwrap();
    assert_eq!(civilite.systeme, SYSTEME_CIVILITE);
    assert_eq!(civilite.code, "MME");
    assert_eq!(fiche.exercices.len(), 1);
    let exercice = &fiche.exercices[0];
    assert_eq!(exercice.profession, "10");
    assert_eq!(exercice.civilite_exercice, "DR");
    let codes: Vec<_> = exercice.savoir_faire.iter().map(|savoir_faire| savoir_faire.code.as_str()).collect();
    assert_eq!(codes, ["SM04", "SM53"]);
    let sites: Vec<_> = exercice.activites.iter().map(|activite| activite.finess_site.as_str()).collect();
    assert_eq!(sites, ["019000207", "2A9000304"]);
}

#[test]
fn l_ordre_des_lignes_ne_change_rien() {
    let mut lignes = corpus();
    lignes.push(ligne("10990000019", "ALPHA-BIS", "SM53", "", "97411"));
    lignes.push("8|10990000027|810990000027|||BETA|Zoé|60|C|||||||||||||||".to_owned());
    let attendues = fiches(charger(fichier(&lignes).as_bytes()).0);
    assert_eq!(attendues.len(), 4);
    assert_eq!(attendues["810990000019"].nom, "ALPHA");
    assert_eq!(attendues["810990000027"].exercices.len(), 2);
    let mut hasard = Hasard(42);
    for _ in 0..200 {
        hasard.melanger(&mut lignes);
        let (lectures, resume) = charger(fichier(&lignes).as_bytes());
        let resume = resume.unwrap();
        assert_eq!(comptes(&resume, ["personnes"]), [4]);
        assert!(refus(&lectures).is_empty());
        assert_eq!(fiches(lectures), attendues);
    }
}

#[test]
fn une_personne_sans_fin_est_remise_par_parties() {
    let lignes: Vec<String> =
        (0..6_000).map(|rang| ligne("10990000019", "ALPHA", &format!("SM{rang}"), "", "01451")).collect();
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let resume = resume.unwrap();
    assert!(lectures.len() > 1);
    let [personnes, reprises] = comptes(&resume, ["personnes", "reprises"]);
    assert_eq!((personnes, reprises), (1, lectures.len() as u64 - 1));
    let fiches = fiches(lectures);
    assert_eq!(fiches["810990000019"].exercices[0].savoir_faire.len(), 6_000);
}

#[test]
fn doublon_exact_lu_une_fois() {
    let mut lignes = corpus();
    lignes.insert(1, lignes[0].clone());
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    assert_eq!(comptes(&resume.unwrap(), ["doublons"]), [1]);
    assert_eq!(fiches(lectures), fiches(charger(fichier(&corpus()).as_bytes()).0));
}

#[test]
fn lignes_refusees_sans_leur_contenu() {
    let bonne = corpus().swap_remove(0);
    let lignes = [
        bonne.clone(),
        bonne.replace("10990000019", "10990000012"),
        bonne.replace("|ALPHA|", "| |"),
        bonne.replace("|ALPHA|", "|"),
        bonne.replace("|810990000019|", "|810990000027|"),
        bonne.replacen('8', "9", 1),
        String::new(),
        format!("{bonne}{}", "x".repeat(200_000)),
        "0|259001238|0259001238|||ANCIEN|Loïc|26|C|||||||||||||||".to_owned(),
        "0|259001239|0259001239|||ANCIEN|Loïc|26|C|||||||||||||||".to_owned(),
    ];
    let mut octets = fichier(&lignes).replace('\n', "\r\n").into_bytes();
    octets.extend_from_slice(b"8|\xff\xfe|\n");
    octets.extend_from_slice(bonne.as_bytes());
    let (lectures, resume) = charger(octets.as_slice());
    let resume = resume.unwrap();
    assert_eq!(
        refus(&lectures),
        [
            (3, "rpps-cle-invalide"),
            (4, "nom-absent"),
            (5, "nombre-de-champs"),
            (6, "idnatps-incoherent"),
            (7, "type-identifiant-inconnu"),
            (9, "ligne-trop-longue"),
            (12, "encodage-invalide"),
        ]
    );
    assert_eq!(comptes(&resume, ["lignes", "personnes", "reprises"]), [11, 3, 1]);
    let attendus = BTreeMap::from([("adeli-cle-invalide", 1), ("ligne-vide", 1), ("personne-reprise", 1)]);
    assert_eq!(resume.constats, attendus);
}

#[test]
fn a_refused_line_names_the_person_as_far_as_it_can_be_read() {
    let bonne = corpus().swap_remove(0);
    let nommes = |ligne: &str| -> Vec<String> {
        let (lectures, _) = charger(fichier(&[ligne.to_owned()]).as_bytes());
        lectures
            .into_iter()
            .flat_map(|lecture| match lecture {
                Lecture::Refus { nommes, .. } => nommes,
                Lecture::Enregistrement { .. } => panic!("refused"),
            })
            .collect()
    };
    let (elle, autre) = (id_ps("810990000019"), id_ps("810990000027"));
    for fausse in [
        bonne.replace("|ALPHA|", "| |"),
        bonne.replace("|ALPHA|", "|"),
        bonne.replace("|S|", "|"),
        bonne.replacen("8|", "8 |", 1).replace("|ALPHA|", "||"),
    ] {
        assert_eq!(nommes(&fausse), std::slice::from_ref(&elle), "{fausse}");
    }
    assert_eq!(nommes(&bonne.replace("|810990000019|", "|810990000027|")), [elle.clone(), autre]);
    // A number that is wrong is one that nobody has; the other one is still theirs.
    let cle_fausse = nommes(&bonne.replace("8|10990000019|", "8|10990000012|"));
    assert_eq!(cle_fausse, [id_ps("810990000012"), elle]);
    assert!(nommes("").is_empty() && nommes("|||").is_empty());
}

#[test]
fn entetes() {
    let sans_nom = fichier(&corpus()).replacen("Nom d'exercice", "Autre", 1);
    let (lectures, resume) = charger(sans_nom.as_bytes());
    assert!(lectures.is_empty());
    let erreur = resume.unwrap_err();
    assert!(erreur.message.contains("Nom d'exercice"), "{erreur}");
    assert!(charger(&b""[..]).1.is_err());
    assert!(charger(&b"\n"[..]).1.is_err());
    assert!(charger(&b"\xff\n"[..]).1.is_err());
    let en_plus = format!("\u{feff}{}", fichier(&[])).replacen("Libellé profession", "Nouveau", 1);
    let resume = charger(en_plus.as_bytes()).1.unwrap();
    assert_eq!(resume.constats.get("colonne-inconnue"), Some(&1));
}

#[test]
fn rien_ne_fait_paniquer() {
    let texte = fichier(&corpus()).into_bytes();
    let mut hasard = Hasard(3);
    for _ in 0..1000 {
        let mut octets = texte.clone();
        for _ in 0..=hasard.jusqu_a(5) {
            let rang = hasard.jusqu_a(octets.len());
            octets[rang] = u8::try_from(hasard.jusqu_a(256)).unwrap();
        }
        octets.truncate(hasard.jusqu_a(octets.len()));
        let _ = charger(octets.as_slice());
    }
}

#[test]
fn arret_demande() {
    let texte = fichier(&corpus());
    let mut lues = 0;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(lues, 1);
    assert_eq!(comptes(&resume, ["personnes", "lignes"]), [1, 5]);
}

#[test]
fn echantillons() {
    let cas = [
        ("PS_LibreAcces_Personne_activite_202211220857.52cols.txt", 52, 10, 5, 1),
        ("PS_LibreAcces_Personne_activite_202610010830.txt", 56, 19, 13, 1),
        ("PS_LibreAcces_Personne_activite_202610020830.txt", 56, 18, 13, 1),
    ];
    for (nom, colonnes, lignes, personnes, doublons) in cas {
        let Some(source) = echantillon(nom) else {
            return;
        };
        let (lectures, resume) = charger(source);
        let resume = resume.unwrap();
        let attendus = [colonnes, lignes, personnes, doublons, 0];
        let lus = comptes(&resume, ["colonnes", "lignes", "personnes", "doublons", "reprises"]);
        assert_eq!(lus, attendus, "{nom}");
        assert!(refus(&lectures).is_empty(), "{nom}");
        assert_eq!(resume.constats.get("colonne-inconnue"), None, "{nom}");
        let fiches = fiches(lectures);
        let outremer = &fiches["810990000050"];
        assert_eq!(outremer.nom, "ÇELIK-ŒUVRARD");
        assert_eq!(outremer.meta.as_ref().unwrap().region, "01");
    }
}

#[test]
fn d_un_jour_a_l_autre() {
    let jours = ["202610010830", "202610020830"].map(|edition| {
        echantillon(&format!("PS_LibreAcces_Personne_activite_{edition}.txt"))
            .map(|source| fiches(charger(source).0))
    });
    let [Some(hier), Some(aujourd_hui)] = jours else {
        return;
    };
    let nouvelles: Vec<_> = aujourd_hui.keys().filter(|cle| !hier.contains_key(*cle)).collect();
    assert_eq!(nouvelles, ["810990000134"]);
    let absentes: Vec<_> = hier.keys().filter(|cle| !aujourd_hui.contains_key(*cle)).collect();
    assert_eq!(absentes, ["0259001238"]);
    let changees: Vec<_> = hier
        .iter()
        .filter(|(cle, fiche)| aujourd_hui.get(*cle).is_some_and(|nouvelle| nouvelle != *fiche))
        .map(|(cle, _)| cle)
        .collect();
    assert_eq!(changees, ["810990000027", "810990000043", "810990000068"]);
}
