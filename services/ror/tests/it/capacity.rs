//! Capacity: the PATCH of the feeds, its errors, and what many at once leave behind.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use ror_chassis::conversion::{horodatage, maintenant};
use ror_proto::{
    capacity::v1::{
        CapaciteLieu, Capacity, CleIndicateur, EnregistrementCapacite, GetCapacitieRequest,
        GetHistoryRequest, ListRefusalsRequest, PatchCapacityRequest, PatchCapacityResponse, PatchOperation,
        WithdrawCapacitieRequest, WriteCapacitiesItem, WriteCapacitiesRequest, capacity::Ressource,
    },
    common::v1::{Canal, Issue, Meta},
};
use tonic::{Code, Status};

use crate::{
    gabarits::{
        AUTRE, REGION, accepte, cle, ecrire_offres, en_lieu, enregistrement, fautes, lieu, nationale,
        provenance, regles,
    },
    harnais::{Banc, compter},
};

const LIEU: &str = "lieu-1";

async fn banc() -> Banc {
    let banc = Banc::demarrer(&["capacity"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    banc.bail_capacite(REGION, Canal::National, 1).await;
    for r in
        ecrire_offres(&banc, &nationale(), vec![en_lieu(lieu(LIEU, REGION)), en_lieu(lieu("lieu-2", REGION))])
            .await
    {
        accepte(r);
    }
    banc
}

fn demande(
    operation: PatchOperation,
    c: Option<CleIndicateur>,
    e: Option<EnregistrementCapacite>,
) -> PatchCapacityRequest {
    PatchCapacityRequest {
        provenance: Some(nationale()),
        lieu_id: LIEU.into(),
        operation: operation as i32,
        cle: c,
        enregistrement: e,
    }
}

async fn patch(banc: &Banc, d: PatchCapacityRequest) -> Result<PatchCapacityResponse, Status> {
    Ok(banc.capacity().patch_capacity(d).await?.into_inner())
}

async fn ajouter(banc: &Banc, statut: &str, nombre: u32) -> Result<PatchCapacityResponse, Status> {
    patch(banc, demande(PatchOperation::Add, None, Some(enregistrement(statut, nombre)))).await
}

async fn remplacer(banc: &Banc, statut: &str, nombre: u32) -> Result<PatchCapacityResponse, Status> {
    patch(banc, demande(PatchOperation::Replace, Some(cle(statut)), Some(enregistrement(statut, nombre))))
        .await
}

async fn supprimer(banc: &Banc, statut: &str) -> Result<PatchCapacityResponse, Status> {
    patch(banc, demande(PatchOperation::Delete, Some(cle(statut)), None)).await
}

fn nombres(l: &CapaciteLieu) -> BTreeMap<String, u32> {
    l.enregistrements.iter().map(|e| (e.cle.as_ref().unwrap().statut.clone(), e.nombre)).collect()
}

async fn lue(banc: &Banc, id: &str) -> CapaciteLieu {
    let r = banc.capacity().get_capacitie(GetCapacitieRequest { id: id.into() }).await.unwrap().into_inner();
    match r.ressource.unwrap().ressource.unwrap() {
        Ressource::CapaciteLieu(l) => l,
    }
}

fn regle(s: Status) -> (Code, String) {
    let code = s.code();
    (code, fautes(s)[0].regle.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_adds_replaces_and_deletes_one_record() {
    let banc = banc().await;
    let e = remplacer(&banc, "02", 3).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    assert!(e.message().starts_with("indicateur-absent:"), "the feed then sends an add: {}", e.message());
    let r = ajouter(&banc, "02", 3).await.unwrap();
    let (resultat, apres) = (r.resultat.unwrap(), r.capacite_lieu.unwrap());
    assert_eq!((resultat.issue(), resultat.version), (Issue::Cree, 1));
    assert_eq!(apres.meta.as_ref().unwrap().region, REGION, "that of the place");
    assert_eq!(nombres(&apres), BTreeMap::from([("02".to_owned(), 3)]));
    ajouter(&banc, "01", 10).await.unwrap();
    // Adding what is there replaces it; the answer tells every record.
    let r = ajouter(&banc, "02", 4).await.unwrap();
    assert_eq!(r.resultat.unwrap().version, 3);
    assert_eq!(
        nombres(&r.capacite_lieu.unwrap()),
        BTreeMap::from([("01".to_owned(), 10), ("02".to_owned(), 4)])
    );
    remplacer(&banc, "02", 5).await.unwrap();
    let r = supprimer(&banc, "01").await.unwrap();
    assert_eq!(r.resultat.unwrap().version, 5);
    let l = lue(&banc, LIEU).await;
    assert_eq!((nombres(&l), l.meta.unwrap().version), (BTreeMap::from([("02".to_owned(), 5)]), 5));
    let e = supprimer(&banc, "01").await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    assert!(e.message().starts_with("indicateur-absent:"), "{}", e.message());
    // The same record to the byte changes nothing.
    let meme = enregistrement("02", 6);
    let d = demande(PatchOperation::Add, None, Some(meme));
    assert_eq!(patch(&banc, d.clone()).await.unwrap().resultat.unwrap().version, 6);
    let r = patch(&banc, d).await.unwrap().resultat.unwrap();
    assert_eq!((r.issue(), r.version), (Issue::Inchange, 6));
    // An epoch of 0 and no region stand for those in force.
    let mut d = demande(PatchOperation::Add, None, Some(enregistrement("02", 7)));
    d.provenance = Some(provenance("", Canal::National, 0));
    assert_eq!(patch(&banc, d).await.unwrap().resultat.unwrap().version, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_patch_is_told_by_its_kind_and_writes_nothing() {
    let banc = banc().await;
    let base = banc.base("capacity").await;
    ajouter(&banc, "01", 10).await.unwrap();
    ajouter(&banc, "05", 2).await.unwrap();
    ajouter(&banc, "02", 5).await.unwrap();
    let avant = compter(&base, "select count(*) from agregat_historique").await;
    let invalide = |r: &str| (Code::InvalidArgument, r.to_owned());
    let precondition = |r: &str| (Code::FailedPrecondition, r.to_owned());
    let add = |e| demande(PatchOperation::Add, None, Some(e));

    let inconnu = PatchCapacityRequest { lieu_id: "nulle-part".into(), ..add(enregistrement("02", 1)) };
    let e = patch(&banc, inconnu).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    assert!(e.message().starts_with("lieu-inconnu:"), "{}", e.message());
    let d = demande(PatchOperation::Unspecified, None, Some(enregistrement("02", 1)));
    assert_eq!(regle(patch(&banc, d).await.unwrap_err()), invalide("operation"));
    for d in
        [demande(PatchOperation::Add, None, None), demande(PatchOperation::Replace, Some(cle("02")), None)]
    {
        assert_eq!(regle(patch(&banc, d).await.unwrap_err()), invalide("obligatoire"));
    }
    assert_eq!(regle(ajouter(&banc, "02", 10_000).await.unwrap_err()), invalide("bornes"));
    let code = EnregistrementCapacite { source: "99".into(), ..enregistrement("02", 1) };
    let e = patch(&banc, add(code)).await.unwrap_err();
    assert!(fautes(e.clone())[0].message.contains("JDV_J193"), "{e}");
    assert_eq!(regle(e), invalide("code-inconnu"));
    let futur = Some(horodatage(maintenant() + time::Duration::hours(1)));
    let e = EnregistrementCapacite { date_maj: futur, ..enregistrement("02", 1) };
    assert_eq!(regle(patch(&banc, add(e)).await.unwrap_err()), invalide("date-future"));
    let d = demande(PatchOperation::Replace, Some(cle("02")), Some(enregistrement("01", 1)));
    assert_eq!(regle(patch(&banc, d).await.unwrap_err()), invalide("tuple-different"));
    // A tuple that is no indicator, in the path then in the body.
    let genre = CleIndicateur { genre: "01".into(), ..cle("01") };
    let d = demande(PatchOperation::Replace, Some(genre.clone()), Some(enregistrement("01", 1)));
    let e = patch(&banc, d).await.unwrap_err();
    assert_eq!(fautes(e.clone())[0].element, "path");
    assert_eq!(regle(e), precondition("indicateur-invalide"));
    let e = EnregistrementCapacite { cle: Some(genre), ..enregistrement("01", 1) };
    assert_eq!(regle(patch(&banc, add(e)).await.unwrap_err()), precondition("indicateur-invalide"));
    let places = EnregistrementCapacite { nature: "02".into(), ..enregistrement("02", 1) };
    assert_eq!(regle(patch(&banc, add(places)).await.unwrap_err()), precondition("nature-differente"));

    // Hard rules: available, occupied and reserved fit in installed minus closed.
    let e = ajouter(&banc, "02", 9).await.unwrap_err();
    assert!(e.message().contains('9') && e.message().contains("10 installés"), "{}", e.message());
    assert_eq!(regle(e), precondition("capacite-depassee"));
    ajouter(&banc, "02", 8).await.expect("exactly what is open");
    assert_eq!(regle(ajouter(&banc, "05", 3).await.unwrap_err()), precondition("capacite-depassee"));
    assert_eq!(
        regle(remplacer(&banc, "01", 1).await.unwrap_err()),
        precondition("fermes-superieurs-aux-installes")
    );
    supprimer(&banc, "01").await.expect("unknown is not zero");
    ajouter(&banc, "02", 50).await.expect("with nothing installed told, nothing is exceeded");
    assert_eq!(compter(&base, "select count(*) from agregat_historique").await, avant + 3);

    // The lease, and the region of the place.
    assert_eq!(compter(&base, "select count(*) from paquet_refuse").await, 0);
    let mut d = add(enregistrement("02", 1));
    d.provenance = Some(provenance(REGION, Canal::Regional, 0));
    assert_eq!(regle(patch(&banc, d.clone()).await.unwrap_err()), precondition("bail-d-ecriture"));
    let l = ListRefusalsRequest { region: REGION.into(), ..Default::default() };
    let kept = banc.capacity().list_refusals(l).await.unwrap().into_inner().paquets;
    assert_eq!((kept.len(), kept[0].agregat_id.as_str(), kept[0].genre.as_str()), (1, LIEU, "capacite_lieu"));
    match Capacity::decode(kept[0].etat.clone()).unwrap().ressource.unwrap() {
        Ressource::CapaciteLieu(l) => assert_eq!(nombres(&l), BTreeMap::from([("02".to_owned(), 1)])),
    }
    banc.bail_capacite(AUTRE, Canal::National, 1).await;
    d.provenance = Some(provenance(AUTRE, Canal::National, 1));
    assert_eq!(regle(patch(&banc, d.clone()).await.unwrap_err()), precondition("region-differente"));
    d.provenance = Some(provenance(REGION, Canal::Referentiel, 0));
    assert_eq!(regle(patch(&banc, d).await.unwrap_err()), invalide("canal"));
    assert_eq!(nombres(&lue(&banc, LIEU).await)["02"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_sets_are_written_in_a_batch_each_on_its_own() {
    let banc = banc().await;
    let ensemble = |id: &str, region: &str, enregistrements: Vec<EnregistrementCapacite>| {
        let meta = Some(Meta { id: id.into(), region: region.into(), ..Default::default() });
        let l = CapaciteLieu { meta, enregistrements, ..Default::default() };
        WriteCapacitiesItem {
            ressource: Some(Capacity { ressource: Some(Ressource::CapaciteLieu(l)) }),
            version_attendue: 0,
        }
    };
    let ecrire = async |items: Vec<WriteCapacitiesItem>| {
        let d = WriteCapacitiesRequest { provenance: Some(nationale()), items, essai: false };
        banc.capacity().write_capacities(d).await.unwrap().into_inner().resultats
    };
    let (un, deux) = (enregistrement("01", 10), enregistrement("02", 3));
    let r = ecrire(vec![
        ensemble(LIEU, REGION, vec![deux.clone(), un.clone()]),
        ensemble("nulle-part", REGION, vec![un.clone()]),
        ensemble("lieu-2", REGION, vec![un.clone(), un.clone(), enregistrement("02", 11)]),
    ])
    .await;
    assert_eq!(r[0].issue(), Issue::Cree, "{r:?}");
    assert_eq!(regles(&r[1]), ["reference-inconnue"]);
    let dites: BTreeSet<&str> = regles(&r[2]).into_iter().collect();
    assert!(dites.contains("doublon"), "{dites:?}");
    // The order of the records is not content.
    let r = ecrire(vec![ensemble(LIEU, REGION, vec![un, deux])]).await;
    assert_eq!((r[0].issue(), r[0].version), (Issue::Inchange, 1));
    let d = WithdrawCapacitieRequest { provenance: Some(nationale()), id: LIEU.into() };
    let r = banc.capacity().withdraw_capacitie(d).await.unwrap().into_inner().resultat.unwrap();
    assert_eq!(r.version, 2);
    let e = banc.capacity().get_capacitie(GetCapacitieRequest { id: LIEU.into() }).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    // A withdrawn set starts again from nothing.
    let r = ajouter(&banc, "03", 1).await.unwrap();
    assert_eq!(nombres(&r.capacite_lieu.unwrap()), BTreeMap::from([("03".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_patch_of_thirty_two_at_once_is_in_the_history() {
    const CLIENTS: u32 = 32;
    const CHACUN: u32 = 5;
    let banc = banc().await;
    let base = banc.base("capacity").await;
    let taches: Vec<_> = (0..CLIENTS)
        .map(|c| {
            let mut client = banc.capacity();
            tokio::spawn(async move {
                let mut acquittes = Vec::new();
                for n in 0..CHACUN {
                    let nombre = 1 + c * CHACUN + n;
                    let d = demande(PatchOperation::Add, None, Some(enregistrement("02", nombre)));
                    let r = client.patch_capacity(d).await.unwrap().into_inner();
                    let l = r.capacite_lieu.unwrap();
                    assert_eq!(nombres(&l)["02"], nombre, "the answer is of this write");
                    acquittes.push((r.resultat.unwrap().version, nombre));
                }
                acquittes
            })
        })
        .collect();
    let mut acquittes = BTreeMap::new();
    for t in taches {
        for (version, nombre) in t.await.unwrap() {
            assert_eq!(acquittes.insert(version, nombre), None, "two writes told version {version}");
        }
    }
    let n = u64::from(CLIENTS * CHACUN);
    assert_eq!(acquittes.keys().copied().collect::<Vec<_>>(), (1..=n).collect::<Vec<_>>());
    let d = GetHistoryRequest { id: LIEU.into(), limite: 500 };
    let versions = banc.capacity().get_history(d).await.unwrap().into_inner().versions;
    let gardes: BTreeMap<u64, u32> = versions
        .iter()
        .map(|v| match Capacity::decode(v.etat.clone()).unwrap().ressource.unwrap() {
            Ressource::CapaciteLieu(l) => (v.version, nombres(&l)["02"]),
        })
        .collect();
    assert_eq!(gardes, acquittes);
    let l = lue(&banc, LIEU).await;
    assert_eq!((l.meta.as_ref().unwrap().version, nombres(&l)["02"]), (n, acquittes[&n]));
    // And each left its event, in the order of the versions.
    banc.attendre_publie(&base).await;
    let dites: Vec<u64> = banc
        .deposes("capacity")
        .await
        .iter()
        .filter(|d| d.evenement.agregat_id == LIEU)
        .map(|d| d.evenement.version)
        .collect();
    assert_eq!(dites, (1..=n).collect::<Vec<_>>());
}
