use super::*;

/// A raw value is canonical when reading accepts it and changes nothing.
fn canonique(genre: &str, brut: &str) -> bool {
    match genre {
        "finess" => Finess::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        "siren" => Siren::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        "siret" => Siret::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        "rpps" => Rpps::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        "adeli" => Adeli::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        "idnps" => IdNatPs::lire(brut).is_ok_and(|lu| lu.as_str() == brut),
        autre => panic!("genre inconnu : {autre}"),
    }
}

#[test]
fn vecteurs() {
    let vecteurs = [
        ("finess", "010000024", true),
        ("finess", "750712184", true),
        ("finess", "2A0000014", true),
        ("finess", "2B0000020", true),
        ("finess", "970100400", true),
        ("finess", "980600027", true),
        ("finess", "010000025", false),
        ("finess", "2C0000014", false),
        ("finess", "01000002", false),
        ("finess", "2a0000014", false),
        ("finess", " 010000024", false),
        ("finess", "10000024", false),
        ("finess", "", false),
        ("finess", "01000002é", false),
        ("rpps", "10990000019", true),
        ("rpps", "10990000027", true),
        ("rpps", "10990000012", false),
        ("idnps", "810990000019", true),
        ("idnps", "0259001238", true),
        ("idnps", "3019000207/00012", true),
        ("idnps", "3019000207/", false),
        ("idnps", "3019000207", false),
        ("idnps", "810990000019/1", false),
        ("idnps", "é", false),
        ("adeli", "259001238", true),
        ("siren", "990001018", true),
        ("siret", "99000101800128", true),
        ("siret", "99999999999999", false),
        ("siret", "35600000049837", true),
    ];
    for (genre, brut, valide) in vecteurs {
        assert_eq!(canonique(genre, brut), valide, "{genre} {brut:?}");
    }
}

#[test]
fn lecture_normalise_sans_completer() {
    assert_eq!(Finess::lire(" 2a0000014 ").map(|lu| lu.to_string()), Ok("2A0000014".to_owned()));
    assert_eq!(Finess::lire("10000024").map_err(|faute| faute.regle), Err("finess-forme-invalide"));
    assert_eq!("010000025".parse::<Finess>().map_err(|faute| faute.regle), Err("finess-cle-invalide"));
}

#[test]
fn numero_delivre_garde_avec_avertissement() {
    let (lu, avertissement) = Finess::lire_delivre("010000025").unwrap();
    assert_eq!(lu.as_str(), "010000025");
    assert_eq!(avertissement.map(|faute| faute.regle), Some("finess-cle-invalide"));
    let (_, avertissement) = Siret::lire_delivre("99999999999999").unwrap();
    assert_eq!(avertissement.map(|faute| faute.regle), Some("siret-fictif"));
}

#[test]
fn identifications_nationales() {
    let finess = Finess::lire("019000207").unwrap();
    assert_eq!(id_nat_struct_finess(&finess), "1019000207");
    let cas = [
        ("1019000207", NatureStruct::Finess),
        ("12A9000304", NatureStruct::Finess),
        ("2990002040", NatureStruct::Siren),
        ("399000203200029", NatureStruct::Siret),
        ("410990000019001", NatureStruct::RppsRang),
        ("025900123801", NatureStruct::AdeliRang),
    ];
    for (brut, nature) in cas {
        let lu = IdNatStruct::lire(brut).unwrap();
        assert_eq!(lu.nature(), nature, "{brut}");
        assert_eq!(lu.as_str(), brut);
    }
    assert!(IdNatStruct::lire("1019000208").is_err());
    assert!(IdNatStruct::lire("9019000207").is_err());
    assert!(IdNatStruct::lire("").is_err());
    assert_eq!(IdNatPs::lire("810990000019").unwrap().rpps(), Some("10990000019"));
    assert_eq!(IdNatPs::lire("0259001238").unwrap().rpps(), None);
}

#[test]
fn identifiants_techniques_stables() {
    assert_eq!(id_ej("019000108"), "92cf9137-8a45-5eb3-977d-21e3ee38218f");
    assert_eq!(id_eg("019000207"), "fab66d01-2f2f-5eec-8002-6d21561605e7");
    assert_eq!(id_ps("810990000019"), "3848e4d2-7e5c-5b77-be5a-083bcf671307");
}

#[test]
fn a_technical_id_is_the_uuid_v5_of_its_key() {
    let longue = "x".repeat(200);
    for cle in ["", "810990000019", "é", longue.as_str()] {
        let attendu = Uuid::new_v5(&NAMESPACE, format!("ps:{cle}").as_bytes());
        assert_eq!(id_ps(cle), attendu.to_string(), "{cle}");
    }
}
