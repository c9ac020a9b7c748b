//! What a whole edition no longer holds.

use ror_proto::identity::v1::Professionnel;

use super::{anomalies::ouvertes, *};

const ADELI: &str = "0259001238";

fn adeli() -> String {
    let modele = personne("259001238", "ADELI");
    modele.replacen("8|259001238|8259001238|", "0|259001238|0259001238|", 1)
}

async fn professionnel(banc: &Banc, id_nat_ps: &str) -> Professionnel {
    match lire(banc, &id_ps(id_nat_ps)).await {
        Some(identity::Ressource::Professionnel(p)) => p,
        autre => panic!("{autre:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_professional_leaves_at_the_second_absence_and_comes_back() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let partie = format!("8{}", numero_rpps(5));
    let mut tous = personnes(20);
    tous.push(adeli());
    let mut reste = personnes(20);
    reste.remove(5);
    rpps(&banc, "202610010830", &tous).await;

    let avant = traces(&identity).await;
    let r = rpps(&banc, "202610020830", &reste).await;
    assert_eq!((r.statut(), fois(&r, Operation::Disparue)), (StatutEdition::Appliquee, 2), "{r:?}");
    assert_eq!(compte(&r, "professionnel").absents, 2);
    let [a, h, i, o, c] = avant;
    assert_eq!(traces(&identity).await, [a, h, i, o, c + 2], "told, and nothing written");
    assert!(changements(&banc, &r.edition_id, "").await.iter().all(|c| c.version == 0));
    assert!(professionnel(&banc, &partie).await.actif);
    // The same edition in other bytes is not a second absence.
    let mut ordre = reste.clone();
    ordre.reverse();
    let r = rpps(&banc, "202610020830", &ordre).await;
    assert_eq!((r.operations.len(), compte(&r, "professionnel").absents), (0, 2), "{r:?}");
    assert!(professionnel(&banc, &partie).await.actif);

    ordre.rotate_left(3);
    let r = rpps(&banc, "202610030830", &ordre).await;
    assert_eq!((fois(&r, Operation::Fermee), fois(&r, Operation::Disparue)), (1, 0));
    let fermee = &changements(&banc, "", &id_ps(&partie)).await[2];
    assert_eq!((fermee.operation(), fermee.date.as_str()), (Operation::Fermee, "2026-10-03"));
    assert!(!professionnel(&banc, &partie).await.actif);
    // A number of the closed register is never closed for that: a person is told.
    assert!(professionnel(&banc, ADELI).await.actif);
    let anomalies = ouvertes(&banc, "adeli-absent").await;
    assert_eq!(anomalies.iter().map(|a| a.cle.as_str()).collect::<Vec<_>>(), [ADELI]);
    let ferme = traces(&identity).await;
    ordre.rotate_left(3);
    let r = rpps(&banc, "202610040830", &ordre).await;
    assert_eq!(r.operations.len(), 0, "closed once");
    assert_eq!(traces(&identity).await, ferme);

    let r = rpps(&banc, "202610050830", &tous).await;
    assert_eq!((fois(&r, Operation::Rouverte), fois(&r, Operation::Reapparue)), (1, 1));
    assert!(professionnel(&banc, &partie).await.actif);
    assert!(ouvertes(&banc, "adeli-absent").await.is_empty(), "no longer true");
    assert_eq!(compter(&identity, "select count(*) from absence").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_professional_whose_line_is_refused_is_not_absent() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let cle = format!("8{}", numero_rpps(5));
    let tous = personnes(20);
    let avec = |ligne: Option<String>| {
        let mut lignes = personnes(20);
        drop(lignes.splice(5..6, ligne));
        lignes
    };
    rpps(&banc, "202610010830", &tous).await;
    let avant = traces(&identity).await;
    // Without its name, then with a field too few: the line is refused, the person is there.
    let sans_nom = tous[5].replace("|NOM5|", "||");
    let courte = tous[5].replace("|Zoé|", "|");
    for (jour, ligne) in [("202610020830", &sans_nom), ("202610030830", &courte), ("202610040830", &sans_nom)]
    {
        let r = rpps(&banc, jour, &avec(Some(ligne.clone()))).await;
        assert_eq!(
            (r.statut(), r.refus.len(), r.operations.len()),
            (StatutEdition::Appliquee, 1, 0),
            "{r:?}"
        );
        assert_eq!(compte(&r, "professionnel").absents, 0);
    }
    assert_eq!(traces(&identity).await, avant);
    assert!(professionnel(&banc, &cle).await.actif);

    // Absent, refused, absent: never twice in a row.
    for (jour, ligne, operation) in [
        ("202610050830", None, Operation::Disparue),
        ("202610060830", Some(courte), Operation::Reapparue),
        ("202610070830", None, Operation::Disparue),
    ] {
        let r = rpps(&banc, jour, &avec(ligne)).await;
        assert_eq!((fois(&r, operation), r.operations.len()), (1, 1), "{jour}: {r:?}");
    }
    assert!(professionnel(&banc, &cle).await.actif);
    // A wrong line beside the right one takes nothing from it.
    let mut deux = personnes(20);
    deux.insert(5, sans_nom);
    let r = rpps(&banc, "202610080830", &deux).await;
    assert_eq!((r.refus.len(), compte(&r, "professionnel").inchanges), (1, 20), "{r:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_structure_that_vanishes_is_told_and_never_closed_and_a_part_says_nothing_of_the_others() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    finess(&banc, &sites_du("2026-10-01", 15, |_, s| Some(s))).await;
    // A part of an edition holds what it holds.
    let partie = EnTeteEdition { partielle: true, ..en_tete(Format::FinessStructures, "edition-it") };
    let fichier = sites_du("2026-10-01", 2, |_, s| Some(s));
    let r = envoyer(&banc, partie, fichier.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), r.operations.len()), (StatutEdition::Appliquee, 0));
    let sans = |jour: &str| sites_du(jour, 15, |rang, s| (rang != 4).then_some(s));
    for (jour, disparues) in [("2026-10-02", 1), ("2026-10-03", 0), ("2026-10-04", 0), ("2026-10-05", 0)] {
        let r = finess(&banc, &sans(jour)).await;
        assert_eq!(
            (r.statut(), fois(&r, Operation::Disparue)),
            (StatutEdition::Appliquee, disparues),
            "{jour}"
        );
        assert_eq!(compte(&r, "entite_geographique").absents, 1);
    }
    assert!(fiche(&banc, &numero(4)).await.type_fermeture.is_empty());
    let anomalies = ouvertes(&banc, "disparue-sans-evenement").await;
    assert_eq!(anomalies.len(), 1, "one, however long it lasts");
    assert_eq!(anomalies[0].preuves, ["Absent de 4 édition(s) complète(s) de suite."]);
    let avant = traces(&identity).await;
    let r = finess(&banc, &sites_du("2026-10-06", 15, |_, s| Some(s))).await;
    assert_eq!(fois(&r, Operation::Reapparue), 1);
    let [a, h, i, o, c] = avant;
    assert_eq!(traces(&identity).await, [a, h, i, o, c + 1]);
    assert!(ouvertes(&banc, "disparue-sans-evenement").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_whose_lines_are_apart_is_compared_once_and_whole() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let autre = |rang: u32| personne(&numero_rpps(rang), &format!("NOM{rang}")).replace("|SM53|", "|SM04|");
    let mut contigues = Vec::new();
    for rang in 0..12 {
        contigues.extend([personne(&numero_rpps(rang), &format!("NOM{rang}")), autre(rang)]);
    }
    let r = rpps(&banc, "202610010830", &contigues).await;
    assert_eq!(compte(&r, "professionnel").crees, 12);
    let avant = traces(&identity).await;
    let mut separees = personnes(12);
    separees.extend((0..12).map(autre));
    let r = rpps(&banc, "202610020830", &separees).await;
    let c = compte(&r, "professionnel");
    assert_eq!((c.lus, c.inchanges, c.modifies), (12, 12, 0), "{r:?}");
    assert_eq!(traces(&identity).await, avant);
    // And a new person in two parts is the same as in one.
    separees.insert(0, personne(&numero_rpps(20), "NEUVE"));
    separees.push(personne(&numero_rpps(20), "NEUVE").replace("|SM53|", "|SM04|"));
    rpps(&banc, "202610030830", &separees).await;
    let neuve = professionnel(&banc, &format!("8{}", numero_rpps(20))).await;
    assert_eq!(neuve.exercices[0].savoir_faire.len(), 2);
}
