//! How an edition ends: applied, held, rejected, or known already.

use ror_proto::identity::v1::{Edition, EtatCanal, GetSyncStatusRequest};

use super::*;

async fn canal(banc: &Banc, format: Format) -> Option<EtatCanal> {
    let d = GetSyncStatusRequest {};
    let canaux = banc.identity().get_sync_status(d).await.unwrap().into_inner().canaux;
    canaux.into_iter().find(|c| c.format() == format)
}

async fn editions(banc: &Banc) -> Vec<Edition> {
    banc.identity().list_editions(ListEditionsRequest::default()).await.unwrap().into_inner().editions
}

/// The first edition has every site open; the second closes this many.
fn fermetures(jour: &str, nombre: usize) -> String {
    sites_du(jour, 60, |rang, s| Some(if rang < nombre { fermer(s, "100") } else { s }))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlikely_edition_waits_for_a_person_who_accepts_it_or_leaves_records_out() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    assert!(canal(&banc, Format::FinessStructures).await.is_none());
    finess(&banc, &fermetures("2026-10-01", 0)).await;
    let etat = canal(&banc, Format::FinessStructures).await.unwrap();
    assert!(etat.derniere.is_some() && !etat.en_retard && etat.age_s < 60 && etat.retenues.is_empty());

    let avant = traces(&identity).await;
    let seconde = fermetures("2026-10-02", 30);
    let retenue = finess(&banc, &seconde).await;
    assert_eq!(retenue.statut(), StatutEdition::Retenue);
    assert_eq!(retenue.motifs[0].regle, "fermetures-nombreuses");
    assert_eq!((fois(&retenue, Operation::Fermee), retenue.changements.len()), (30, 30), "what it would do");
    assert_eq!(traces(&identity).await, avant, "and nothing was done");
    assert!(fiche(&banc, &numero(0)).await.type_fermeture.is_empty());
    let etat = canal(&banc, Format::FinessStructures).await.unwrap();
    assert_eq!(etat.retenues.iter().map(|e| &e.id).collect::<Vec<_>>(), [&retenue.edition_id]);
    assert_eq!(etat.derniere.unwrap().cle, "20261001");

    // Most of the closures left out by a person: what remains is likely.
    let exclure: Vec<String> = (0..25).map(numero).collect();
    let sans = EnTeteEdition { exclure, ..en_tete(Format::FinessStructures, "edition-it") };
    let r = envoyer(&banc, sans, seconde.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), fois(&r, Operation::Fermee)), (StatutEdition::Appliquee, 5));
    assert!(r.constats.iter().any(|c| c.regle == "exclus" && c.nombre == 25), "{:?}", r.constats);
    assert!(fiche(&banc, &numero(0)).await.type_fermeture.is_empty(), "left as it was");
    assert_eq!(fiche(&banc, &numero(29)).await.type_fermeture, "DEF");
    assert!(changements(&banc, &r.edition_id, "").await.iter().all(|c| c.operation() == Operation::Fermee));

    // Another file is not what the person saw.
    let accord = |id: &str| EnTeteEdition {
        accepter: id.to_owned(),
        operateur: "exploitant".to_owned(),
        ..en_tete(Format::FinessStructures, "edition-it")
    };
    let autre = fermetures("2026-10-02", 40);
    let e = envoyer(&banc, accord(&retenue.edition_id), autre.as_bytes()).await.unwrap_err();
    assert_eq!(e.code(), Code::FailedPrecondition);
    assert_eq!(fautes(e)[0].regle, "edition-non-retenue");
    let r = envoyer(&banc, accord(&retenue.edition_id), seconde.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), fois(&r, Operation::Fermee)), (StatutEdition::Appliquee, 25));
    assert_eq!(fiche(&banc, &numero(0)).await.date_fermeture, "2026-09-30");
    assert_eq!(editions(&banc).await[0].operateur, "exploitant");
    let etat = canal(&banc, Format::FinessStructures).await.unwrap();
    assert!(etat.retenues.is_empty(), "a later edition took its place");
    assert_eq!(finess(&banc, &seconde).await.statut(), StatutEdition::DejaAppliquee);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_the_one_announced_or_is_too_old_is_rejected() {
    const SHA1_DE_ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let fichier = sites_du("2026-10-05", 12, |_, s| Some(s));
    let attendre_rejet = async |en_tete: EnTeteEdition, octets: &str, regle: &str| {
        let r = envoyer(&banc, en_tete, octets.as_bytes()).await.unwrap();
        assert_eq!((r.statut(), r.motifs[0].regle.as_str()), (StatutEdition::Rejetee, regle));
        let editions = editions(&banc).await;
        assert_eq!((&editions[0].id, editions[0].statut()), (&r.edition_id, StatutEdition::Rejetee));
    };
    let base = en_tete(Format::FinessStructures, "edition-it");
    let empreinte = |e: &str| EnTeteEdition { empreinte_attendue: e.to_owned(), ..base.clone() };
    attendre_rejet(empreinte(SHA1_DE_ABC), &fichier, "empreinte-differente").await;
    let tronquee = EnTeteEdition { taille: fichier.len() as u64 + 1, ..base.clone() };
    attendre_rejet(tronquee, &fichier, "taille-differente").await;
    let e = envoyer(&banc, empreinte("abc"), fichier.as_bytes()).await.unwrap_err();
    assert_eq!(fautes(e)[0].element, "en_tete.empreinte_attendue");
    assert_eq!(traces(&identity).await, [0; 5]);

    let r = envoyer(&banc, base.clone(), fichier.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), compte(&r, "entite_geographique").crees), (StatutEdition::Appliquee, 12));
    let ancienne = sites_du("2026-10-04", 12, |_, mut s| {
        s["informationsGeneralesEGE"]["nomEgeLong"] = json!("AVANT");
        Some(s)
    });
    let avant = traces(&identity).await;
    attendre_rejet(base.clone(), &ancienne, "edition-ancienne").await;
    assert_eq!(traces(&identity).await, avant);
    // Its name is enough to say so.
    let nommee = EnTeteEdition { nom: "finess-structures-20261003.json".to_owned(), ..base.clone() };
    attendre_rejet(nommee, &fichier.replace("SITE 1", "SITE I"), "edition-ancienne").await;
    // A part of an edition has no age.
    let partie = EnTeteEdition { partielle: true, ..base };
    let r = envoyer(&banc, partie, ancienne.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), compte(&r, "entite_geographique").modifies), (StatutEdition::Appliquee, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_of_a_change_tells_it_and_leaves_nothing() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    finess(&banc, &sites_du("2026-10-01", 12, |_, s| Some(s))).await;
    let avant = (traces(&identity).await, editions(&banc).await);
    let suivante = sites_du("2026-10-02", 13, |rang, s| Some(if rang == 3 { fermer(s, "103") } else { s }));
    let essai = importer(&banc, Format::FinessStructures, suivante.as_bytes(), true).await;
    assert_eq!((essai.statut(), essai.essai), (StatutEdition::Appliquee, true));
    assert_eq!(
        (fois(&essai, Operation::Creee), fois(&essai, Operation::FermeeProvisoirement)),
        (1, 1),
        "{:?}",
        essai.operations
    );
    assert_eq!((traces(&identity).await, editions(&banc).await), avant);
    let r = finess(&banc, &suivante).await;
    assert_eq!(r.operations, essai.operations, "the trial told the truth");
    let c = compte(&r, "entite_geographique");
    assert_eq!((c.lus, c.crees, c.modifies, c.inchanges, c.fermetures), (13, 1, 1, 11, 1));
    let etats: Vec<(&str, u64)> = c.etats.iter().map(|e| (e.etat.as_str(), e.nombre)).collect();
    assert_eq!(etats, [("ferme_pro", 1), ("ouvert", 12)]);
    // Each change is kept, with where it was read and the version it made.
    let lus = changements(&banc, &r.edition_id, "").await;
    assert_eq!(lus.len(), 2);
    let fermee = lus.iter().find(|c| c.operation() == Operation::FermeeProvisoirement).unwrap();
    assert_eq!((fermee.cle.as_str(), fermee.version, fermee.ligne), (numero(3).as_str(), 2, 1));
    assert_eq!(
        (fermee.date.as_str(), fermee.evenements.as_slice()),
        ("2026-09-30", ["005".to_owned()].as_slice())
    );
    assert!(fermee.connu_le.is_some() && fermee.edition_id == r.edition_id);
    let sienne = changements(&banc, "", &id_eg(&numero(3))).await;
    assert_eq!(sienne.iter().map(|c| c.version).collect::<Vec<_>>(), [1, 2]);
}
