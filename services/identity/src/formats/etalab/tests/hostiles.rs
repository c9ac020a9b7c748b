use super::*;

#[test]
fn each_faulty_line_has_its_own_fate() {
    let numero = |numero: &'static str| ("nofinesset", numero);
    let lignes = [
        site(&[]),
        site(&[("rs", "LE MEME NUMERO")]),
        site(&[numero("019000216")]),
        site(&[numero("2A9000312"), ("libcategetab", ""), ("categetab", "999")]),
        site(&[numero("2B9000401")]).split_at(60).0.to_owned(),
        site(&[numero("970299400"), ("departement", "97"), ("commune", "222")]),
        site(&[numero("970199501"), ("rs", "\"PHARMACIE \"DU LAGON\"\"")]),
        site(&[numero("970499604"), ("dateouv", "1900-01-01"), ("datemaj", "13/11/2023")]),
        site(&[numero("980599708"), ("telephone", "02 69 00 08 01")]),
        "structureej;980699052;LIGNE DU MAUVAIS TYPE".to_owned(),
        String::new(),
        site(&[numero("970399903"), ("rs", "  EHPAD  "), ("siret", "123")]),
        site(&[numero("759907306"), ("rs", ""), ("rslongue", ""), ("nofinessej", "x")]),
        site(&[numero("759907314"), ("rs", "\"jamais fermé")]),
        site(&[numero("699907408"), ("siret", "99999999999999")]),
        format!("structureet;{}", "x".repeat(100_000)),
        "structureet;019000223;019000108;TRONQUEE".to_owned(),
        site(&[numero("970599916")]),
    ];
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let lues = structures(&lectures);
    assert_eq!(
        lues.iter().map(|(ligne, _, structure)| (*ligne, structure.num_finess.as_str())).collect::<Vec<_>>(),
        [
            (2, "019000207"),
            (4, "019000216"),
            (5, "2A9000312"),
            (9, "970499604"),
            (10, "980599708"),
            (13, "970399903"),
            (16, "699907408"),
            (19, "970599916"),
        ]
    );
    assert_eq!(
        refus(&lectures),
        attendus(&[
            (3, "nofinesset", "numero-en-double"),
            (6, "ligne", "nombre-de-champs"),
            (7, "departement", "departement-inconnu"),
            (8, "ligne", "guillemets-mal-formes"),
            (11, "ligne", "type-inattendu"),
            (14, "nofinessej", "finess-forme-invalide"),
            (15, "ligne", "guillemets-mal-formes"),
            (17, "ligne", "ligne-trop-longue"),
            (18, "ligne", "nombre-de-champs"),
        ])
    );
    assert_eq!(lues[3].2.date_maj_source, "2023-11-13");
    assert_eq!((lues[5].2.denomination_courte.as_str(), lues[5].2.siret.as_str()), ("EHPAD", "123"));
    assert_eq!(lues[6].2.siret, "");
    let vus = [
        ("categorie-sans-libelle", 1),
        ("date-inconnue", 1),
        ("date-remise-en-forme", 1),
        ("finess-cle-invalide", 1),
        ("ligne-vide", 1),
        ("siret-fictif", 1),
        ("siret-forme-invalide", 1),
        ("telephone-remis-en-forme", 1),
        ("texte-rembourre", 1),
    ];
    assert_eq!(constats(resume), vus);
}

#[test]
fn a_refused_line_keeps_every_fault_and_its_text_to_be_replayed() {
    let fautive = site(&[("rs", ""), ("rslongue", ""), ("nofinessej", "x")]);
    let (lectures, _) = charger(fichier(std::slice::from_ref(&fautive)).as_bytes());
    let [Lecture::Refus { ligne: 2, fautes, contenu, .. }] = lectures.as_slice() else {
        panic!("{lectures:?}");
    };
    let regles: Vec<&str> = fautes.iter().map(|faute| faute.regle.as_str()).collect();
    assert_eq!(regles, ["finess-forme-invalide", "denomination-absente"]);
    assert_eq!(*contenu, fautive);
}

#[test]
fn a_line_of_another_encoding_is_refused_alone() {
    let texte = fichier(&[site(&[("rs", "ÉTOILE")]), site(&[("nofinesset", "019000215"), ("rs", "#TOILE")])]);
    let octets: Vec<u8> = texte.bytes().map(|octet| if octet == b'#' { 0xc9 } else { octet }).collect();
    let (lectures, _) = charger(&octets);
    assert_eq!(structures(&lectures).len(), 1);
    assert_eq!(refus(&lectures), attendus(&[(3, "ligne", "encodage-invalide")]));
}

#[test]
fn a_file_that_is_something_else_is_refused_whole() {
    let inconnues = format!("{PREMIERE}\n{}", "equipementmateriellourd;019000207;x\n".repeat(30));
    let courte = format!("{PREMIERE}\ndisciplineequipement;019000207;x\n");
    let cas = [
        ("", 1, "Le fichier est vide."),
        ("Type d'identifiant PP|Identifiant PP\n", 1, FORMAT_INCONNU),
        ("finess;autre;1;2026-05-12\n", 1, FORMAT_INCONNU),
        ("{\"pmej\":[]}", 1, FORMAT_INCONNU),
        ("nofinesset;nofinessej;cog\n", 1, "Colonnes obligatoires absentes de l'en-tête : rs, categetab."),
        ("nofinessej;rs;commune\n", 1, "Colonnes obligatoires absentes de l'en-tête : cog."),
        (inconnues.as_str(), 21, TYPES_INCONNUS),
        (courte.as_str(), 2, TYPES_INCONNUS),
    ];
    for (texte, ligne, attendu) in cas {
        let erreur = charger(texte.as_bytes()).1.unwrap_err();
        assert_eq!((erreur.ligne, erreur.message.as_str()), (ligne, attendu), "{texte}");
    }
}

#[test]
fn a_file_without_data_is_read_and_says_so() {
    let (lectures, resume) = charger(format!("{PREMIERE}\n").as_bytes());
    assert!(lectures.is_empty());
    let resume = resume.unwrap();
    assert_eq!((resume.cle.as_str(), resume.comptes.is_empty()), ("20260512", true));
}
