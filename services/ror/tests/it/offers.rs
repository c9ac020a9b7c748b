//! Offers: codes, references, rules of the exhibition model.

use ror_domaine::liaisons;
use ror_proto::{
    common::v1::{Canal, Issue, Quantite},
    offers::v1::{BatchGetOffersRequest, GetOfferRequest, offer::Ressource},
};

use crate::{
    gabarits::{
        REGION, accepte, code, contact, du_systeme, ecrire, ecrire_offre, ecrire_offres, eg, ej, en_lieu,
        en_offre, lieu, nationale, offre, regles,
    },
    harnais::{Banc, attendre, compter},
};

async fn banc() -> Banc {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    for r in ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "CH"), eg("eg-1", REGION, "ej-1")]).await {
        accepte(r);
    }
    banc
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_name_the_element_the_rule_and_what_would_be_accepted() {
    let banc = banc().await;
    let base = banc.base("offers").await;
    let mut o = offre("1", REGION, "eg-1");
    o.champ_activite = Some(du_systeme(liaisons::TRE_CHAMP, "ZZ"));
    let r = ecrire_offre(&banc, &nationale(), en_offre(o.clone())).await;
    assert_eq!(regles(&r), ["code-inconnu"]);
    let f = &r.fautes[0];
    assert_eq!(f.element, "OffreOperationnelle.champActivite");
    assert!(f.message.contains("ZZ"), "{}", f.message);
    assert!(
        f.attendu.contains("JDV_J20") && f.attendu.contains("01") && f.attendu.contains("05"),
        "{}",
        f.attendu
    );
    o.champ_activite = Some(du_systeme("urn:autre", "01"));
    assert_eq!(regles(&ecrire_offre(&banc, &nationale(), en_offre(o)).await), ["systeme-inconnu"]);

    // Everything wrong at once is told at once.
    let mut o = offre("2", REGION, "jamais-vue");
    o.nom = "  ".into();
    o.identifiant = "sans barre".into();
    o.mode_prise_en_charge = None;
    o.activites_operationnelles = vec![code(liaisons::ACTIVITE_OPERATIONNELLE, 0); 2];
    o.age_max = Some(Quantite { valeur: 3.0, ..o.age_max.take().unwrap() });
    o.lieux_ids = vec!["lieu-inconnu".into()];
    o.date_previsionnelle_reouverture = "2027-13-01".into();
    o.contacts = vec![contact("9")];
    let r = ecrire_offre(&banc, &nationale(), en_offre(o)).await;
    let mut dits: Vec<(&str, &str)> = r
        .fautes
        .iter()
        .map(|f| (f.element.trim_start_matches("OffreOperationnelle."), f.regle.as_str()))
        .collect();
    dits.sort_unstable();
    assert_eq!(
        dits,
        [
            ("activiteOperationnelle", "doublon"),
            ("ageMax", "ordre-des-ages"),
            ("contact.niveauConfidentialite", "code-inconnu"),
            ("datePrevisionnelleReouverture", "date"),
            ("identifiantOffre", "forme-identifiant"),
            ("lieu", "reference-inconnue"),
            ("modePriseEnCharge", "obligatoire"),
            ("nomOffre", "obligatoire"),
            ("porteur", "reference-inconnue"),
        ],
        "{r:?}"
    );
    for f in &r.fautes {
        assert!(!f.message.is_empty() && !f.attendu.is_empty(), "{f:?}");
    }
    assert_eq!(compter(&base, "select count(*) from agregat").await, 0);
    assert_eq!(
        compter(&base, "select count(*) from paquet_refuse").await,
        0,
        "a fault is not a matter of lease"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_and_mode_of_an_offer_never_change_and_the_contact_of_a_sensitive_one_is_hidden() {
    let banc = banc().await;
    let o = offre("1", REGION, "eg-1");
    assert_eq!(accepte(ecrire_offre(&banc, &nationale(), en_offre(o.clone())).await).issue(), Issue::Cree);
    let mut autre = o.clone();
    autre.champ_activite = Some(code(liaisons::CHAMP_ACTIVITE, 1));
    autre.mode_prise_en_charge = Some(code(liaisons::MODE_PRISE_EN_CHARGE, 1));
    assert_ne!(autre.champ_activite, o.champ_activite, "two codes to choose from");
    let r = ecrire_offre(&banc, &nationale(), en_offre(autre)).await;
    assert_eq!(regles(&r), ["RG_EXP_010", "RG_EXP_011"]);
    assert!(r.fautes[0].attendu.contains(&o.champ_activite.as_ref().unwrap().code));
    let renommee = ror_proto::offers::v1::OffreOperationnelle { nom: "Autre nom".into(), ..o.clone() };
    assert_eq!(accepte(ecrire_offre(&banc, &nationale(), en_offre(renommee)).await).version, 2);
    // Its identifier is its own.
    let mut double = offre("2", REGION, "eg-1");
    double.identifiant.clone_from(&o.identifiant);
    assert_eq!(
        regles(&ecrire_offre(&banc, &nationale(), en_offre(double)).await),
        ["identifiant-deja-utilise"]
    );

    let mut sensible = offre("3", REGION, "eg-1");
    sensible.unite_sensible = true;
    for niveau in ["1", "2"] {
        sensible.contacts = vec![contact("3"), contact(niveau)];
        let r = ecrire_offre(&banc, &nationale(), en_offre(sensible.clone())).await;
        assert_eq!(regles(&r), ["contact-unite-sensible"]);
        assert_eq!(r.fautes[0].attendu, "le niveau 3");
    }
    sensible.contacts.truncate(1);
    accepte(ecrire_offre(&banc, &nationale(), en_offre(sensible.clone())).await);
    sensible.contacts = vec![contact("1")];
    sensible.unite_sensible = false;
    accepte(ecrire_offre(&banc, &nationale(), en_offre(sensible)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_known_as_soon_as_its_owner_has_committed_it() {
    let banc = banc().await;
    let base = banc.base("offers").await;
    let r = ecrire_offre(&banc, &nationale(), en_offre(offre("1", REGION, "eg-tardif"))).await;
    assert_eq!(regles(&r), ["reference-inconnue"]);
    assert!(r.fautes[0].message.contains("eg-tardif"));

    // Its event cannot have come: the broker is frozen.
    banc.attendre_publie(&banc.base("structures").await).await;
    banc.embarque.pause_nats();
    accepte(ecrire(&banc, &nationale(), vec![eg("eg-tardif", REGION, "ej-1")]).await.remove(0));
    let r = ecrire_offre(&banc, &nationale(), en_offre(offre("1", REGION, "eg-tardif"))).await;
    let connue = compter(&base, "select count(*) from reference where id = 'eg-tardif'").await;
    banc.embarque.resume_nats();
    assert_eq!(accepte(r).issue(), Issue::Cree);
    assert_eq!(connue, 0, "the owner was asked");
    attendre("the event to follow", async || {
        compter(&base, "select count(*) from reference where id = 'eg-tardif'").await == 1
    })
    .await;

    // Of the right kind, and within one batch.
    let mut l = lieu("lieu-1", REGION);
    l.structure_gestionnaire_id = "ej-1".into();
    assert_eq!(regles(&ecrire_offre(&banc, &nationale(), en_lieu(l)).await), ["reference-genre"]);
    let mut o = offre("2", REGION, "ej-1");
    o.lieux_ids = vec!["lieu-2".into()];
    let mut boucle = lieu("lieu-3", REGION);
    boucle.lieu_parent_id = "lieu-3".into();
    let r = ecrire_offres(
        &banc,
        &nationale(),
        vec![en_lieu(lieu("lieu-2", REGION)), en_offre(o), en_lieu(boucle)],
    )
    .await;
    assert_eq!((r[0].issue(), r[1].issue()), (Issue::Cree, Issue::Cree), "{r:?}");
    assert!(regles(&r[2]).contains(&"boucle"));
    let d = GetOfferRequest { id: "2".into() };
    match banc.offers().get_offer(d).await.unwrap().into_inner().ressource.unwrap().ressource {
        Some(Ressource::Offre(o)) => assert_eq!(o.lieux_ids, ["lieu-2"]),
        autre => panic!("{autre:?}"),
    }
    // A batch get keeps the order asked and leaves the unknown out.
    let ids = ["lieu-2", "inconnue", "1", "2"].map(str::to_owned).to_vec();
    let lues =
        banc.offers().batch_get_offers(BatchGetOffersRequest { ids }).await.unwrap().into_inner().ressources;
    use ror_domaine::ressource::Ressource as _;
    assert_eq!(lues.iter().map(|o| o.id()).collect::<Vec<_>>(), ["lieu-2", "1", "2"]);
}
