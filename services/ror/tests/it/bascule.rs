//! Changes of writer: two persons, guards, both steps in every service, and a record.

use prost::Message;
use ror_proto::{
    bascule::v1::{
        Approbation, ApproveTransitionRequest, CancelTransitionRequest, EtatTransition, GetRegionRequest,
        ListRegionsRequest, ListTransitionsRequest, ProposeTransitionRequest, Region, Transition,
    },
    common::v1::{Bail, Canal},
};
use sqlx::PgPool;
use tonic::{Code, Status};

use crate::{
    gabarits::{AUTRE, REGION, accepte, ecrire_un, ej, fautes, provenance, regles},
    harnais::{Banc, Options, attendre, compter},
};

fn personne(nom: &str, role: &str) -> Option<Approbation> {
    Some(Approbation { nom: nom.into(), role: role.into(), date: None })
}

async fn proposer(banc: &Banc, domaine: &str, vers: Canal) -> Result<Transition, Status> {
    let d = ProposeTransitionRequest {
        region: REGION.into(),
        domaine: domaine.into(),
        vers: vers as i32,
        motif: "jour J".into(),
        approbation: personne("Anne Le Goff", "ANS"),
    };
    Ok(banc.bascule().propose_transition(d).await?.into_inner().transition.unwrap())
}

async fn approuver(banc: &Banc, id: &str, nom: &str, role: &str) -> Result<Transition, Status> {
    let d = ApproveTransitionRequest { id: id.into(), approbation: personne(nom, role) };
    Ok(banc.bascule().approve_transition(d).await?.into_inner().transition.unwrap())
}

/// Proposes and approves; the change is done.
async fn basculer(banc: &Banc, domaine: &str, vers: Canal) -> Transition {
    let t = proposer(banc, domaine, vers).await.unwrap();
    let t = approuver(banc, &t.id, "Paul Martin", "ARS").await.unwrap();
    assert_eq!(t.etat(), EtatTransition::Faite, "{t:?}");
    t
}

fn regle(s: Status) -> (Code, String) {
    let code = s.code();
    (code, fautes(s)[0].regle.clone())
}

fn precondition(regle: &str) -> (Code, String) {
    (Code::FailedPrecondition, regle.to_owned())
}

async fn tenu(base: &PgPool, domaine: &str) -> (i32, i64) {
    sqlx::query_as("select ecrivain, epoque from bail where region = $1 and domaine = $2")
        .bind(REGION)
        .bind(domaine)
        .fetch_one(base)
        .await
        .unwrap()
}

async fn region(banc: &Banc) -> Region {
    let d = GetRegionRequest { code: REGION.into() };
    banc.bascule().get_region(d).await.unwrap().into_inner().region.unwrap()
}

fn bail(r: &Region, domaine: &str) -> Bail {
    r.baux.iter().find(|b| b.domaine == domaine).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_switched_by_two_persons_capacity_first_and_switched_back() {
    let banc = Banc::demarrer(&["bascule"]).await;
    let (bascule, structures, offers, capacity) = (
        banc.base("bascule").await,
        banc.base("structures").await,
        banc.base("offers").await,
        banc.base("capacity").await,
    );
    // The eighteen regions, each written by its regional ROR, and every owner told so.
    let d = ListRegionsRequest { page_size: 50, page_token: String::new() };
    let regions = banc.bascule().list_regions(d).await.unwrap().into_inner().regions;
    assert_eq!(regions.len(), 18);
    for b in regions.iter().flat_map(|r| &r.baux) {
        assert_eq!((b.ecrivain(), b.epoque), (Canal::Regional, 1), "{b:?}");
    }
    for (base, n) in [(&structures, 18), (&offers, 18), (&capacity, 18)] {
        assert_eq!(compter(base, "select count(*) from bail where ecrivain = 1 and epoque = 1").await, n);
    }
    let regionale = provenance(REGION, Canal::Regional, 1);
    accepte(ecrire_un(&banc, &regionale, ej("ej-1", REGION, "Miroir")).await);

    // Guards.
    let e = banc.bascule().get_region(GetRegionRequest { code: "13".into() }).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    let e = proposer(&banc, "description", Canal::National).await.unwrap_err();
    assert_eq!(regle(e), precondition("capacite-non-nationale"));
    let e = proposer(&banc, "capacite", Canal::Regional).await.unwrap_err();
    assert_eq!(regle(e), precondition("meme-ecrivain"));
    let e = proposer(&banc, "offres", Canal::National).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    let e = proposer(&banc, "capacite", Canal::Referentiel).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);

    // One approval does nothing; the same person is not a second one, nor the same role.
    let t = proposer(&banc, "capacite", Canal::National).await.unwrap();
    assert_eq!(
        (t.etat(), t.approbations.len(), t.de(), t.vers()),
        (EtatTransition::Proposee, 1, Canal::Regional, Canal::National)
    );
    assert_eq!(tenu(&capacity, "capacite").await, (Canal::Regional as i32, 1));
    let e = proposer(&banc, "capacite", Canal::National).await.unwrap_err();
    assert_eq!(regle(e), precondition("transition-ouverte"));
    for meme in ["Anne Le Goff", "ANNE LE GOFF", "  anne  LEGOFF "] {
        let e = approuver(&banc, &t.id, meme, "ARS").await.unwrap_err();
        assert_eq!(regle(e), precondition("meme-personne"), "{meme}");
    }
    let e = approuver(&banc, &t.id, "Paul Martin", "ANS").await.unwrap_err();
    assert_eq!(regle(e), precondition("roles-requis"));
    let e = approuver(&banc, &t.id, "P", "maire").await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    let e = approuver(&banc, "0190a000-0000-7000-8000-000000000000", "Paul Martin", "ARS").await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    // Given up, it can no longer be approved; nothing has moved.
    let d = CancelTransitionRequest { id: t.id.clone(), nom: "Anne Le Goff".into() };
    let annulee = banc.bascule().cancel_transition(d).await.unwrap().into_inner().transition.unwrap();
    assert_eq!(annulee.etat(), EtatTransition::Annulee);
    let e = approuver(&banc, &t.id, "Paul Martin", "ARS").await.unwrap_err();
    assert_eq!(regle(e), precondition("etat"));
    assert_eq!(region(&banc).await.meta.unwrap().version, 1);

    // Capacity, then description.
    let t = basculer(&banc, "capacite", Canal::National).await;
    assert_eq!((t.epoque, t.approbations.len()), (3, 2));
    assert!(t.faite_le.is_some() && t.approbations.iter().all(|a| a.date.is_some()));
    assert_eq!(tenu(&capacity, "capacite").await, (Canal::National as i32, 3));
    assert_eq!(
        tenu(&structures, "description").await,
        (Canal::Regional as i32, 1),
        "the other domain has not moved"
    );
    let t = basculer(&banc, "description", Canal::National).await;
    for base in [&structures, &offers] {
        assert_eq!(tenu(base, "description").await, (Canal::National as i32, 3));
    }
    let r = region(&banc).await;
    assert_eq!(
        (bail(&r, "description").ecrivain(), bail(&r, "description").epoque),
        (Canal::National, t.epoque)
    );
    assert_eq!(r.meta.unwrap().version, 3);

    // The mirror is late: refused and kept. The national writer goes on from it.
    let late = ecrire_un(&banc, &regionale, ej("ej-1", REGION, "Paquet tardif")).await;
    assert_eq!(regles(&late), ["bail-d-ecriture"]);
    let nationale = provenance(REGION, Canal::National, 3);
    assert_eq!(accepte(ecrire_un(&banc, &nationale, ej("ej-1", REGION, "National")).await).version, 2);
    assert_eq!(compter(&structures, "select count(*) from paquet_refuse").await, 1);

    // And back.
    basculer(&banc, "description", Canal::Regional).await;
    assert_eq!(tenu(&structures, "description").await, (Canal::Regional as i32, 5));
    assert_eq!(
        regles(&ecrire_un(&banc, &nationale, ej("ej-1", REGION, "Trop tard")).await),
        ["bail-d-ecriture"]
    );
    accepte(ecrire_un(&banc, &provenance(REGION, Canal::Regional, 5), ej("ej-1", REGION, "Reprise")).await);
    // Nobody is one step, one epoch.
    let t = basculer(&banc, "description", Canal::Unspecified).await;
    assert_eq!(t.epoque, 6);
    assert_eq!(tenu(&offers, "description").await, (0, 6));
    let e = ecrire_un(&banc, &provenance(REGION, Canal::Regional, 0), ej("ej-1", REGION, "Gel")).await;
    assert_eq!(regles(&e), ["bail-d-ecriture"]);

    // Records: every change with its two names, newest first; the events tell each lease.
    let d = ListTransitionsRequest { region: REGION.into(), limite: 0 };
    let faites = banc.bascule().list_transitions(d).await.unwrap().into_inner().transitions;
    let etats: Vec<EtatTransition> = faites.iter().map(Transition::etat).collect();
    use EtatTransition::{Annulee, Faite};
    assert_eq!(etats, [Faite, Faite, Faite, Faite, Annulee]);
    for t in faites.iter().filter(|t| t.etat() == Faite) {
        let noms: Vec<&str> = t.approbations.iter().map(|a| a.nom.as_str()).collect();
        assert_eq!(noms, ["Anne Le Goff", "Paul Martin"]);
    }
    let d = ListTransitionsRequest { region: AUTRE.into(), limite: 0 };
    assert!(banc.bascule().list_transitions(d).await.unwrap().into_inner().transitions.is_empty());
    banc.attendre_publie(&bascule).await;
    let epoques: Vec<(u64, u64)> = banc
        .deposes("bascule")
        .await
        .iter()
        .filter(|d| d.evenement.agregat_id == REGION)
        .map(|d| Region::decode(d.evenement.etat.clone()).unwrap())
        .map(|r| (bail(&r, "capacite").epoque, bail(&r, "description").epoque))
        .collect();
    assert_eq!(epoques, [(1, 1), (3, 1), (3, 3), (3, 5), (3, 6)]);
    assert_eq!(compter(&bascule, "select count(*) from agregat_historique where id = '52'").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_change_survives_the_death_of_bascule_and_of_an_owner() {
    let banc = Banc::demarrer_avec(Options { durable: true, communes: false }, &["bascule"]).await;
    let (bascule, capacity) = (banc.base("bascule").await, banc.base("capacity").await);
    let t = proposer(&banc, "capacite", Canal::National).await.unwrap();
    banc.tuer("capacity").await;
    let (mut client, id) = (banc.bascule(), t.id.clone());
    let approbation = tokio::spawn(async move {
        let d = ApproveTransitionRequest { id, approbation: personne("Paul Martin", "GRADeS") };
        client.approve_transition(d).await
    });
    let etat = async || {
        sqlx::query_scalar::<_, i32>("select etat from transition").fetch_one(&bascule).await.unwrap()
    };
    attendre("the second approval to be kept", async || etat().await == EtatTransition::EnCours as i32).await;
    // It dies between the approval and the execution.
    banc.tuer("bascule").await;
    assert!(approbation.await.unwrap().is_err(), "the approver is not told that it is done");
    assert_eq!(etat().await, EtatTransition::EnCours as i32);
    assert_eq!(tenu(&capacity, "capacite").await, (Canal::Regional as i32, 1));

    // Alive again, it goes on trying; the owner is still away and nothing is said to be done.
    banc.allumer("bascule").await;
    let d = ListTransitionsRequest { region: REGION.into(), limite: 1 };
    let liste = banc.bascule().list_transitions(d).await.unwrap().into_inner().transitions;
    assert_eq!((liste[0].etat(), liste[0].approbations.len()), (EtatTransition::EnCours, 2));
    assert_eq!(bail(&region(&banc).await, "capacite").ecrivain(), Canal::Regional);
    // It is no longer to be approved nor cancelled.
    let e = approuver(&banc, &t.id, "Jeanne Petit", "ARS").await.unwrap_err();
    assert_eq!(regle(e), precondition("etat"));
    let d = CancelTransitionRequest { id: t.id.clone(), nom: "Anne Le Goff".into() };
    assert_eq!(regle(banc.bascule().cancel_transition(d).await.unwrap_err()), precondition("etat"));

    banc.allumer("capacity").await;
    attendre("the change to be carried out", async || etat().await == EtatTransition::Faite as i32).await;
    assert_eq!(
        tenu(&capacity, "capacite").await,
        (Canal::National as i32, 3),
        "the epochs fixed by the approval"
    );
    let b = bail(&region(&banc).await, "capacite");
    assert_eq!((b.ecrivain(), b.epoque), (Canal::National, 3));
    assert_eq!(compter(&bascule, "select count(*) from approbation").await, 2);
    assert_eq!(
        compter(&bascule, "select count(*) from agregat_historique where id = '52'").await,
        2,
        "told once"
    );
}
