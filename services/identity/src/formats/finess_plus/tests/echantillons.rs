use super::super::super::tests::echantillon;
use super::*;

#[test]
fn echantillon_reel() {
    let Some(source) = echantillon("finess-structures-mensuel-202607-echantillon.json.gz") else {
        return;
    };
    let mut lues = (0, 0);
    let resume = lire(source, &mut |lecture| {
        match lecture {
            Lecture::Enregistrement(_) => lues.0 += 1,
            Lecture::Refus { .. } => lues.1 += 1,
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(lues, (30 + 1753, 0));
    assert_eq!((resume.gco, resume.gcc, resume.pmej, resume.ege), (3, 1, 30, 1753));
    assert_eq!((resume.actifs, resume.inactifs), (841, 912));
    assert_eq!((resume.adresses, resume.adresses_sans_coordonnees), (2000, 858));
    let attendus = BTreeMap::from([
        ("adresse-principale-non-premiere", 33),
        ("coordonnees-absentes", 858),
        ("coordonnees-absentes-ej", 5),
        ("coordonnees-permutees", 1),
        ("coordonnees-permutees-ej", 1),
        ("date-inconnue", 4),
        ("siret-cle-invalide", 47),
        ("texte-rembourre", 180),
        ("type-voie-rembourre", 116),
    ]);
    assert_eq!(resume.constats, attendus);
}

#[test]
fn echantillons_des_deux_jours() {
    let cas = [("20261001", 11, 18, 15, 3), ("20261002", 12, 19, 16, 3)];
    for (edition, pmej, ege, actifs, inactifs) in cas {
        let nom = format!("finess-structures-journalier-{edition}.json");
        let Some(source) = echantillon(&nom) else {
            return;
        };
        let mut lues = Vec::new();
        let resume = lire(source, &mut |lecture| {
            lues.push(lecture);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((resume.gco, resume.gcc), (1, 1));
        assert_eq!((resume.pmej, resume.ege), (pmej, ege));
        assert_eq!((resume.actifs, resume.inactifs, resume.refus), (actifs, inactifs, 0));
        assert_eq!(resume.constats.get("coordonnees-permutees"), Some(&1));
        assert_eq!(resume.constats.get("siret-fictif"), Some(&1));
        assert_eq!(resume.constats.get("cle-inconnue"), None);
        let par_numero = |numero: &str| {
            structures(&lues).into_iter().find(|structure| structure.num_finess == numero).cloned().unwrap()
        };
        let permute = par_numero("2A9000304").position.unwrap();
        assert!((permute.longitude - 8.7369).abs() < 1e-9);
        assert!((permute.latitude - 41.9268).abs() < 1e-9);
        assert_eq!(par_numero("019000207").commune_cog, "01451");
        assert_eq!(par_numero("970199519").type_fermeture, "ERREUR");
        assert_eq!(par_numero("759907314").type_fermeture, "HORS_CHAMP");
        let provisoire = par_numero("2A9000312").type_fermeture;
        assert_eq!(provisoire, if edition == "20261001" { "PRO" } else { "" });
        if edition == "20261002" {
            assert_eq!(par_numero("2B9000120").type_fermeture, "DEF");
            assert_eq!(par_numero("2B9000401").num_finess_ej, "019000108");
            assert_eq!(par_numero("970299418").type_fermeture, "DEF");
        }
    }
}
