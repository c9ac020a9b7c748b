use std::collections::BTreeMap;

use ror_proto::identity::v1::StatutActivite;

use super::super::super::tests::echantillon;
use super::*;

fn charger_echantillon(nom: &str) -> Option<(Vec<Lecture>, Resume)> {
    let source = echantillon(nom)?;
    let mut lectures = Vec::new();
    let resume = lire(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    Some((lectures, resume.unwrap()))
}

#[test]
fn the_stock_files_are_read_whole() {
    let cas = [
        ("etalab-cs1100501-stock-20260512-0338.csv", 12, "20260512"),
        ("etalab-cs1100502-stock-20260512-0339.csv", 19, "20260512"),
        ("etalab-cs1100502-stock-20201104-0337.latin9.csv", 19, "20201104"),
        ("etalab_stock_et_20201231.csv", 4, ""),
    ];
    for (nom, nombre, cle) in cas {
        let Some((lectures, resume)) = charger_echantillon(nom) else {
            return;
        };
        assert!(refus(&lectures).is_empty(), "{nom}");
        assert_eq!((structures(&lectures).len(), resume.cle.as_str()), (nombre, cle), "{nom}");
        if nom.contains("latin9") {
            let lues = structures(&lectures);
            assert!(lues.iter().any(|(_, _, s)| s.denomination_courte == "FOYER DU SACRÉ-CŒUR À L'ŒUVRE"));
        }
        if nom.contains("1100501") {
            let lues = structures(&lectures);
            let parcelles: Vec<(&str, &str)> =
                lues.iter().map(|(_, _, ej)| (ej.num_finess.as_str(), ej.commune_cog.as_str())).collect();
            assert!(parcelles.contains(&("980699052", "98613")));
            assert!(parcelles.contains(&("970599072", "97502")));
            assert!(lues.iter().any(|(_, _, ej)| ej.denomination == "SELARL PHARMACIE \"DU LAGON\""));
        }
    }
}

/// What the hostile file deserves, line by line.
#[test]
fn the_hostile_file_never_aborts() {
    let Some((lectures, resume)) = charger_echantillon("etalab-cs1100502-hostile.csv") else {
        return;
    };
    let lues: Vec<(u64, String)> =
        structures(&lectures).into_iter().map(|(ligne, _, s)| (ligne, s.num_finess)).collect();
    let attendues = [
        (2, "019000207"),
        (4, "019000216"),
        (5, "2A9000304"),
        (6, "2A9000312"),
        (10, "970499604"),
        (11, "980599708"),
        (14, "970399903"),
    ];
    assert_eq!(lues, attendues.map(|(ligne, numero)| (ligne, numero.to_owned())));
    let refusees = [
        (3, "nofinesset", "numero-en-double"),
        (7, "ligne", "nombre-de-champs"),
        (8, "departement", "departement-inconnu"),
        (9, "ligne", "guillemets-mal-formes"),
        (12, "ligne", "type-inattendu"),
    ];
    assert_eq!(refus(&lectures), attendus(&refusees));
    let vus = BTreeMap::from([
        ("categorie-sans-libelle", 1),
        ("date-inconnue", 1),
        ("date-remise-en-forme", 1),
        ("finess-cle-invalide", 1),
        ("ligne-vide", 1),
        ("siret-forme-invalide", 1),
        ("telephone-remis-en-forme", 1),
        ("texte-rembourre", 1),
    ]);
    assert_eq!(resume.constats, vus);
}

#[test]
fn every_position_is_where_it_should_be() {
    let Some(mut oracle) = echantillon("expected-coordinates.csv") else {
        return;
    };
    let mut texte = String::new();
    oracle.read_to_string(&mut texte).unwrap();
    let mut attendues = BTreeMap::new();
    for ligne in texte.lines().skip(1) {
        let champs: Vec<&str> = ligne.split(',').collect();
        if let (Ok(longitude), Ok(latitude)) = (champs[4].parse::<f64>(), champs[5].parse::<f64>()) {
            attendues.insert(champs[0].to_owned(), (longitude, latitude));
        }
    }
    assert_eq!(attendues.len(), 17);
    let fichiers = [
        ("etalab-cs1100507-stock-20260512-0340.csv", 17, 2),
        ("etalab-cs1100507-stock-20180105-0508.variants.csv", 4, 1),
        ("etalab_stock_et_20201231.csv", 3, 1),
    ];
    for (nom, situees, absentes) in fichiers {
        let Some((lectures, resume)) = charger_echantillon(nom) else {
            return;
        };
        assert!(refus(&lectures).is_empty(), "{nom}");
        let mut vues = 0;
        for (_, suite, structure) in structures(&lectures) {
            assert_eq!(suite, structure.denomination.is_empty());
            let Some(position) = structure.position else {
                continue;
            };
            vues += 1;
            let (longitude, latitude) = attendues[&structure.num_finess];
            assert!(proche(position, longitude, latitude), "{nom} {} : {position:?}", structure.num_finess);
        }
        assert_eq!(vues, situees, "{nom}");
        assert_eq!(resume.constats.get("coordonnees-absentes"), Some(&absentes), "{nom}");
    }
}

#[test]
fn the_activities_are_those_of_the_files() {
    let Some((lectures, resume)) = charger_echantillon("etalab-cs1100505-stock-20260512-0341.csv") else {
        return;
    };
    assert!(refus(&lectures).is_empty());
    let lues = activites(&lectures);
    assert_eq!((lues.len(), lues.iter().map(|(_, _, a)| a.activites.len()).sum::<usize>()), (7, 10));
    assert_eq!(resume.comptes.get("structureet"), Some(&7));
    let (_, _, ehpad) = lues.iter().find(|(_, _, a)| a.num_finess == "019000215").unwrap();
    let installees = ehpad.activites.iter().flat_map(|a| &a.capacites).filter(|c| c.statut == "08");
    assert_eq!(installees.map(|c| c.nombre).sum::<u32>(), 84);

    let Some((lectures, _)) = charger_echantillon("etalab-cs1100503-stock-20260512-0342.csv") else {
        return;
    };
    assert!(refus(&lectures).is_empty());
    let lues = activites(&lectures);
    let statuts: BTreeMap<i32, usize> =
        lues.iter().flat_map(|(_, _, a)| &a.activites).fold(BTreeMap::new(), |mut comptes, lue| {
            *comptes.entry(lue.statut).or_default() += 1;
            comptes
        });
    assert_eq!(lues.len(), 5);
    let comptes = [(StatutActivite::MiseEnOeuvre as i32, 6), (StatutActivite::Inactive as i32, 2)];
    assert_eq!(statuts, BTreeMap::from(comptes));
}
