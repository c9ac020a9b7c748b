use super::super::super::tests::echantillon;
use super::*;

#[test]
fn echantillon_reel() {
    let Some(source) = echantillon("finess-structures-mensuel-202607-echantillon.json.gz") else {
        return;
    };
    let mut lectures = Vec::new();
    let resume = lire(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    })
    .unwrap();
    let lues = structures(&lectures);
    assert_eq!((lues.len(), lectures.len()), (30 + 1753, 30 + 1753));
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20260813", "v1.0.0"));
    assert_eq!(
        resume.comptes,
        BTreeMap::from([
            ("gco", 3),
            ("gcc", 1),
            ("pmej", 30),
            ("ege", 1753),
            ("actifs", 841),
            ("inactifs", 912),
            ("adresses", 2000),
            ("adresses-sans-coordonnees", 858),
        ])
    );
    let attendus = BTreeMap::from([
        ("adresse-principale-non-premiere", 33),
        ("coordonnees-absentes", 858),
        ("coordonnees-absentes-ej", 5),
        ("coordonnees-permutees", 1),
        ("coordonnees-permutees-ej", 1),
        ("date-inconnue", 14),
        ("siret-cle-invalide", 47),
        ("site-porteur-inconnu", 19),
        ("texte-rembourre", 254),
        ("type-voie-rembourre", 116),
    ]);
    assert_eq!(resume.constats, attendus);
    let compter = |dit: fn(&StructureFiness) -> bool| lues.iter().filter(|lue| dit(lue)).count();
    assert_eq!(compter(|lue| !lue.denomination_courte.is_empty()), 1783);
    assert_eq!(compter(|lue| !lue.code_ape.is_empty()), 30);
    assert_eq!(compter(|lue| !lue.mode_tarification.is_empty()), 1753);
    assert_eq!(compter(|lue| !lue.date_autorisation.is_empty()), 1697);
    assert_eq!(compter(|lue| !lue.finess_porteuse.is_empty()), 221);
    assert_eq!(compter(|lue| !lue.num_uai.is_empty()), 75);
    assert_eq!(compter(|lue| !lue.telecopie.is_empty()), 604);
    assert_eq!(compter(|lue| !lue.courriel.is_empty()), 2);
    assert_eq!(compter(|lue| lue.groupes.iter().any(|groupe| groupe.identifiant == "49824516535")), 9);
    assert_eq!(lues.iter().map(|lue| lue.evenements.len()).sum::<usize>(), 4403);
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
        assert_eq!(resume.cle, edition);
        assert_eq!(comptes(&resume, ["gco", "gcc"]), [1, 1]);
        assert_eq!(comptes(&resume, ["pmej", "ege"]), [pmej, ege]);
        assert_eq!(comptes(&resume, ["actifs", "inactifs"]), [actifs, inactifs]);
        assert!(refus(&lues).is_empty());
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
        let portee = par_numero("019000215");
        assert_eq!(portee.finess_porteuse, "019000207");
        let cooperation = par_numero("699907143");
        assert_eq!(cooperation.type_groupe, "003");
        let soutien = &par_numero("019000108").groupes;
        assert_eq!((soutien.len(), soutien[0].identifiant.as_str()), (1, "99000000001"));
        assert_eq!((soutien[0].r#type.as_str(), soutien[0].role.as_str()), ("001", "S"));
        assert_eq!(par_numero("970199519").type_fermeture, "ERREUR");
        assert_eq!(par_numero("759907314").type_fermeture, "HORS_CHAMP");
        let provisoire = par_numero("2A9000312").type_fermeture;
        assert_eq!(provisoire, if edition == "20261001" { "PRO" } else { "" });
        if edition == "20261002" {
            assert_eq!(par_numero("2B9000120").type_fermeture, "DEF");
            let transfere = par_numero("2B9000401");
            assert_eq!(transfere.num_finess_ej, "019000108");
            let nouveaux = transfere.evenements.iter().filter(|lu| lu.date.as_str() > "2026-09");
            let nouveaux: Vec<_> = nouveaux.map(|lu| (lu.code.as_str(), lu.objet_lie.as_str())).collect();
            assert_eq!(nouveaux, [("018", "990002"), ("019", "990000")]);
            assert_eq!(par_numero("970299418").type_fermeture, "DEF");
        }
    }
}
