//! Undoing an edition.

use ror_proto::identity::v1::RollbackEditionRequest;

use super::*;

async fn annuler(banc: &Banc, edition: &str, essai: bool) -> Result<RapportEdition, Status> {
    let d = RollbackEditionRequest { edition_id: edition.into(), operateur: "exploitant".into(), essai };
    banc.identity().rollback_edition(d).await.map(|r| r.into_inner().rapport.unwrap())
}

async fn statut(banc: &Banc, edition: &str) -> StatutEdition {
    let d = ListEditionsRequest::default();
    let editions = banc.identity().list_editions(d).await.unwrap().into_inner().editions;
    editions.iter().find(|e| e.id == edition).unwrap().statut()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_edition_wrote_goes_back_to_what_was_and_its_file_may_come_again() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let premiere = finess(&banc, &sites_du("2026-10-01", 15, |_, s| Some(s))).await;
    let fichier = sites_du("2026-10-02", 16, |rang, mut s| {
        if rang == 2 {
            s["informationsGeneralesEGE"]["nomEgeLong"] = json!("RENOMME");
        }
        Some(s)
    });
    let seconde = finess(&banc, &fichier).await;
    assert_eq!((fois(&seconde, Operation::Modifiee), fois(&seconde, Operation::Creee)), (1, 1));

    let avant = traces(&identity).await;
    let essai = annuler(&banc, &seconde.edition_id, true).await.unwrap();
    assert_eq!(fois(&essai, Operation::Annulee), 2);
    assert_eq!(traces(&identity).await, avant);
    let r = annuler(&banc, &seconde.edition_id, false).await.unwrap();
    assert_eq!((fois(&r, Operation::Annulee), r.operations.len()), (2, 1));
    assert_eq!(fiche(&banc, &numero(2)).await.denomination, "SITE 2");
    assert!(lire(&banc, &id_eg(&numero(15))).await.is_none(), "what it created is withdrawn");
    assert_eq!(statut(&banc, &seconde.edition_id).await, StatutEdition::Annulee);
    let dits = changements(&banc, "", &id_eg(&numero(2))).await;
    assert_eq!(dits.iter().map(|c| c.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((dits[2].operation(), &dits[2].edition_id), (Operation::Annulee, &r.edition_id));
    banc.attendre_publie(&identity).await;
    let deposes = banc.deposes("identity").await;
    let retire = deposes.iter().rfind(|d| d.evenement.agregat_id == id_eg(&numero(15))).unwrap();
    assert!(retire.evenement.retire && retire.evenement.version == 2);

    // Neither twice, nor the undoing itself.
    for edition in [&seconde.edition_id, &r.edition_id] {
        let e = annuler(&banc, edition, false).await.unwrap_err();
        assert_eq!(fautes(e)[0].regle, "edition-non-annulable");
    }
    // The same bytes again: what was undone is done.
    let reprise = finess(&banc, &fichier).await;
    assert_eq!(reprise.statut(), StatutEdition::Appliquee);
    assert_eq!((fois(&reprise, Operation::Modifiee), fois(&reprise, Operation::Creee)), (1, 1));
    assert_eq!(fiche(&banc, &numero(2)).await.denomination, "RENOMME");
    let revenue = fiche(&banc, &numero(15)).await;
    assert_eq!(revenue.meta.unwrap().version, 3);
    let d = ListIdentitiesRequest { identifiant: numero(15), ..Default::default() };
    assert_eq!(banc.identity().list_identities(d).await.unwrap().into_inner().ressources.len(), 1);

    // What later editions changed is theirs.
    let e = annuler(&banc, &premiere.edition_id, false).await.unwrap_err();
    assert_eq!(e.code(), Code::FailedPrecondition);
    let fautes = fautes(e);
    assert_eq!(fautes[0].regle, "enregistrements-modifies-depuis");
    assert!(fautes[0].message.starts_with("1 enregistrement"), "{fautes:?}");
    assert_eq!(statut(&banc, &premiere.edition_id).await, StatutEdition::Appliquee);
    assert_eq!(annuler(&banc, "pas-un-id", false).await.unwrap_err().code(), Code::InvalidArgument);
}
