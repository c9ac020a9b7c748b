use super::super::super::tests::echantillon;
use super::*;

fn tout(nom: &str) -> Option<(Vec<Lecture>, Resume)> {
    let mut lectures = Vec::new();
    let resume = lire(echantillon(nom)?, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    Some((lectures, resume.unwrap()))
}

/// Activities by state: of legal entities, then of sites.
fn etats(fiches: &[&ActivitesFiness], ej: &[String]) -> [BTreeMap<&'static str, usize>; 2] {
    let mut etats = [BTreeMap::new(), BTreeMap::new()];
    for fiche in fiches {
        let rang = usize::from(!ej.contains(&fiche.meta.as_ref().unwrap().id));
        for activite in &fiche.activites {
            *etats[rang].entry(activite.statut().as_str_name()).or_default() += 1;
        }
    }
    etats
}

fn ids_ej(fiches: &[&ActivitesFiness]) -> Vec<String> {
    let ids = fiches.iter().map(|fiche| (fiche.meta.as_ref().unwrap().id.clone(), &fiche.num_finess));
    ids.filter(|(id, finess)| *id == id_activites(&id_ej(finess))).map(|(id, _)| id).collect()
}

#[test]
fn echantillon_reel() {
    let Some((lectures, resume)) = tout("finess-activites-mensuel-202607-echantillon.json.gz") else {
        return;
    };
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20260818", "v1.0.0"));
    assert_eq!(
        resume.comptes,
        BTreeMap::from([
            ("pmej", 28),
            ("ege", 1752),
            ("activites-autorisees", 3660),
            ("activites-exercees", 3660),
            ("capacites", 5304),
            ("communes", 7352),
        ])
    );
    assert_eq!(resume.constats, BTreeMap::from([("date-inconnue", 16)]));
    let lues = fiches(&lectures);
    assert_eq!((lues.len(), lectures.len()), (28 + 1752, 28 + 1752));
    assert_eq!(lues.iter().filter(|fiche| fiche.activites.is_empty()).count(), 136);
    let ej = ids_ej(&lues);
    assert_eq!(ej.len(), 28);
    let [entites, sites] = etats(&lues, &ej);
    let attendus = BTreeMap::from([("STATUT_ACTIVITE_AUTORISEE", 1941), ("STATUT_ACTIVITE_INACTIVE", 1719)]);
    assert_eq!(entites, attendus);
    let attendus = BTreeMap::from([
        ("STATUT_ACTIVITE_AUTORISEE", 487),
        ("STATUT_ACTIVITE_INACTIVE", 1719),
        ("STATUT_ACTIVITE_MISE_EN_OEUVRE", 1454),
    ]);
    assert_eq!(sites, attendus);
    let mut natures = BTreeMap::new();
    let mut totaux = BTreeMap::new();
    let mut finies = 0;
    for activite in lues.iter().flat_map(|fiche| &fiche.activites) {
        *natures.entry(activite.nature.as_str()).or_insert(0) += 1;
        finies += usize::from(!activite.date_fin_effective.is_empty());
        for capacite in &activite.capacites {
            *totaux.entry((capacite.statut.as_str(), capacite.unite.as_str())).or_insert(0) +=
                capacite.nombre;
        }
    }
    assert_eq!(
        natures,
        BTreeMap::from([
            ("ASDR", 2280),
            ("ASMR", 2058),
            ("ASOCR", 1360),
            ("AMM", 758),
            ("AER", 636),
            ("AMF", 182),
            ("AASA", 40),
            ("EML", 6),
        ])
    );
    assert_eq!(totaux, BTreeMap::from([(("08", "02"), 60_818), (("09", "02"), 100_472)]));
    assert_eq!(finies, 3438);
}

#[test]
fn echantillon_du_jour() {
    let Some((lectures, resume)) = tout("finess-activites-journalier-20261001.json") else {
        return;
    };
    assert_eq!(resume.cle, "20261001");
    assert_eq!((resume.comptes["pmej"], resume.comptes["ege"]), (7, 9));
    assert_eq!((resume.comptes["activites-autorisees"], resume.comptes["activites-exercees"]), (16, 16));
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    let lues = fiches(&lectures);
    let trouver = |finess: &str, id: &str| {
        let fiche = lues.iter().find(|fiche| fiche.num_finess == finess).unwrap();
        fiche.activites.iter().find(|activite| activite.identifiant == id).cloned().unwrap()
    };
    assert_eq!(trouver("2B9000401", "880039").statut(), StatutActivite::MiseEnOeuvre);
    assert_eq!(trouver("2A9000304", "880035").statut(), StatutActivite::Autorisee);
    let caduque = trouver("019000207", "880012");
    assert_eq!(caduque.statut(), StatutActivite::Inactive);
    assert_eq!(caduque.date_fin_effective, "2014-05-05");
    let places: Vec<_> = trouver("980599708", "880050")
        .capacites
        .iter()
        .map(|capacite| (capacite.statut.clone(), capacite.nombre))
        .collect();
    assert_eq!(places, [("08".to_owned(), 6), ("09".to_owned(), 7)]);
    assert_eq!(trouver("019000108", "880024").communes, ["01004", "01053", "01451"]);
}
