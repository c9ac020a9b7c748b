//! Nomenclatures: lookup, validation at a date, expansion, loads, states, differences and
//! their impact, promotions, usage, and the copies kept by others.

use ror_domaine::liaisons;
use ror_proto::{
    common::v1::{Canal, Issue},
    nomenclatures::v1::{
        Association, CodePromu, Concept, DiffVersionsRequest, DiffVersionsResponse, EtatEdition,
        ExpandValueSetRequest, ExpandValueSetResponse, GetNomenclatureRequest, GetUsageRequest,
        ListNomenclaturesRequest, LoadNomenclatureRequest, LoadNomenclatureResponse, LookupCodeRequest, Mode,
        Nomenclature, PromoteRegionalRequest, Rigueur, SearchNomenclaturesRequest, SetStateRequest,
        SetStateResponse, SetStrictnessRequest, Sorte, SorteEcart, TranslateCodeRequest, ValidateCodeRequest,
        ValidateCodeResponse,
    },
    offers::v1::{GetOfferRequest, WriteOffersItem, WriteOffersRequest},
};
use tonic::Code;

use crate::{
    gabarits::{
        REGION, accepte, code, du_systeme, ecrire, ecrire_offre, ej, en_offre, fautes, listes, nationale,
        offre, provenance, regles,
    },
    harnais::{Banc, Options, attendre, compter},
};

const TRE: &str = "urn:it:tre";
const JDV: &str = "urn:it:jdv";

fn concept(code: &str, libelle: &str, du: &str, au: &str) -> Concept {
    Concept {
        code: code.into(),
        libelle: libelle.into(),
        valide_du: du.into(),
        valide_au: au.into(),
        ..Default::default()
    }
}

fn membre(code: &str) -> Concept {
    Concept { systeme: TRE.into(), code: code.into(), ..Default::default() }
}

fn liste(sorte: Sorte, canonique: &str, version: &str, concepts: Vec<Concept>) -> Nomenclature {
    Nomenclature {
        sorte: sorte as i32,
        canonique: canonique.into(),
        version: version.into(),
        nom: canonique.into(),
        complete: true,
        concepts,
        ..Default::default()
    }
}

async fn charger(banc: &Banc, n: Nomenclature) -> LoadNomenclatureResponse {
    let d = LoadNomenclatureRequest { nomenclature: Some(n), ..Default::default() };
    banc.nomenclatures().load_nomenclature(d).await.unwrap().into_inner()
}

/// The same, without writing.
async fn essayer(banc: &Banc, n: Nomenclature) -> LoadNomenclatureResponse {
    let d = LoadNomenclatureRequest { nomenclature: Some(n), essai: true, ..Default::default() };
    banc.nomenclatures().load_nomenclature(d).await.unwrap().into_inner()
}

async fn passer(banc: &Banc, version: &str, etat: EtatEdition, confirme: bool) -> SetStateResponse {
    let d = SetStateRequest {
        canonique: TRE.into(),
        version: version.into(),
        etat: etat as i32,
        confirme,
        ..Default::default()
    };
    banc.nomenclatures().set_state(d).await.unwrap().into_inner()
}

async fn comparer(banc: &Banc, canonique: &str) -> DiffVersionsResponse {
    let d = DiffVersionsRequest { canonique: canonique.into(), ..Default::default() };
    banc.nomenclatures().diff_versions(d).await.unwrap().into_inner()
}

/// The version that answers for a canonical, if any.
async fn courante(banc: &Banc, canonique: &str) -> Option<String> {
    let d = GetNomenclatureRequest { canonique: canonique.into(), version: String::new() };
    let lue = banc.nomenclatures().get_nomenclature(d).await.ok()?;
    lue.into_inner().nomenclature.map(|n| n.version)
}

async fn valider(
    banc: &Banc,
    canonique: &str,
    code: &str,
    version: &str,
    mode: Mode,
) -> ValidateCodeResponse {
    let d = ValidateCodeRequest {
        canonique: canonique.into(),
        code: Some(du_systeme(TRE, code)),
        version: version.into(),
        mode: mode as i32,
        ..Default::default()
    };
    banc.nomenclatures().validate_code(d).await.unwrap().into_inner()
}

/// How many resources of each kind use a code.
async fn usages(banc: &Banc, systeme: &str, code: &str) -> Vec<(String, u64)> {
    let d = GetUsageRequest { code: Some(du_systeme(systeme, code)), ..Default::default() };
    let r = banc.nomenclatures().get_usage(d).await.unwrap().into_inner();
    r.usages.into_iter().flat_map(|u| u.genres).map(|g| (g.genre, g.nombre)).collect()
}

async fn deplier(banc: &Banc, canonique: &str, filtre: &str) -> ExpandValueSetResponse {
    let d =
        ExpandValueSetRequest { canonique: canonique.into(), filtre: filtre.into(), ..Default::default() };
    banc.nomenclatures().expand_value_set(d).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_looked_up_validated_at_a_date_and_expanded_without_accents() {
    let banc = Banc::demarrer_avec(Options { durable: false, communes: true }, &["nomenclatures"]).await;
    let chercher = async |systeme: &str, code: &str, date: &str| {
        let d = LookupCodeRequest {
            code: Some(du_systeme(systeme, code)),
            date: date.into(),
            ..Default::default()
        };
        banc.nomenclatures().lookup_code(d).await.map(tonic::Response::into_inner)
    };
    let nantes = chercher(liaisons::TRE_COMMUNE, "44109", "").await.unwrap();
    assert!(nantes.valide && nantes.concept.unwrap().libelle.to_lowercase().contains("nantes"));
    assert_eq!(chercher(liaisons::TRE_COMMUNE, "00000", "").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(chercher("urn:inconnue", "1", "").await.unwrap_err().code(), Code::NotFound);
    let e = chercher(liaisons::TRE_COMMUNE, "44109", "2026-02-30").await.unwrap_err();
    assert_eq!((e.code(), fautes(e)[0].regle.as_str()), (Code::InvalidArgument, "date"));

    let tre = liste(
        Sorte::Tre,
        TRE,
        "20260101000000",
        vec![
            concept("01", "Réanimation néonatale", "", ""),
            concept("02", "Hospitalisation à domicile", "2020-01-01", "2025-12-31"),
            concept("03", "Élevage", "2030-01-01", ""),
            Concept { statut: "retired".into(), ..concept("04", "Ancien", "", "") },
        ],
    );
    charger(&banc, tre).await;
    charger(&banc, liste(Sorte::Jdv, JDV, "20260101000000", ["01", "02", "03", "04"].map(membre).to_vec()))
        .await;
    let valider = async |canonique: &str, code: &str, date: &str| {
        let d = ValidateCodeRequest {
            canonique: canonique.into(),
            code: Some(du_systeme(TRE, code)),
            date: date.into(),
            ..Default::default()
        };
        banc.nomenclatures().validate_code(d).await.map(tonic::Response::into_inner)
    };
    for (code, date, valide) in [
        ("01", "", true),
        ("02", "2025-12-31", true),
        ("02", "2026-01-01", false),
        ("02", "2019-12-31", false),
        ("03", "2030-01-01", true),
        ("03", "2029-12-31", false),
        ("04", "", false),
        ("99", "", false),
    ] {
        for canonique in [TRE, JDV] {
            let r = valider(canonique, code, date).await.unwrap();
            assert_eq!(r.valide, valide, "{canonique} {code} {date}: {}", r.motif);
            assert_eq!(r.motif.is_empty(), valide, "a reason exactly when it is not");
        }
    }
    assert_eq!(valider(JDV, "01", "").await.unwrap().libelle, "Réanimation néonatale");
    assert_eq!(valider("urn:inconnue", "01", "").await.unwrap_err().code(), Code::NotFound);
    let d = ValidateCodeRequest {
        canonique: JDV.into(),
        code: Some(du_systeme("urn:autre", "01")),
        ..Default::default()
    };
    let r = banc.nomenclatures().validate_code(d).await.unwrap().into_inner();
    assert!(!r.valide && r.motif.contains("urn:autre"), "{}", r.motif);

    // Accents, case and word order do not matter; only what may be used today is shown.
    for filtre in ["reanimation", "NEO rea", "réanimation néo", "01"] {
        let r = deplier(&banc, JDV, filtre).await;
        assert_eq!((r.total, r.concepts[0].code.as_str()), (1, "01"), "{filtre}");
    }
    assert_eq!(deplier(&banc, JDV, "animation").await.total, 0, "the beginning of a word");
    assert_eq!(deplier(&banc, JDV, "").await.total, 1);
    let toutes = deplier(&banc, liaisons::ACTIVITE_OPERATIONNELLE.canonique, "reanimation").await;
    assert!(toutes.total > 3, "{}", toutes.total);
    assert!(
        toutes.concepts.iter().all(|c| c.libelle.to_lowercase().contains("réanimation")),
        "{:?}",
        toutes.concepts
    );
    let d = ExpandValueSetRequest {
        canonique: liaisons::ACTIVITE_OPERATIONNELLE.canonique.into(),
        filtre: "reanimation".into(),
        offset: 1,
        limite: 2,
        ..Default::default()
    };
    let page = banc.nomenclatures().expand_value_set(d).await.unwrap().into_inner();
    assert_eq!((page.total, page.concepts.as_slice()), (toutes.total, &toutes.concepts[1..3]));

    // Headers are listed once each, without their concepts.
    let (mut vues, mut jeton) = (Vec::new(), String::new());
    loop {
        let d = ListNomenclaturesRequest { page_size: 7, page_token: jeton };
        let p = banc.nomenclatures().list_nomenclatures(d).await.unwrap().into_inner();
        assert!(p.nomenclatures.iter().all(|n| n.concepts.is_empty()));
        vues.extend(p.nomenclatures.into_iter().map(|n| (n.canonique, n.version)));
        jeton = p.next_page_token;
        if jeton.is_empty() {
            break;
        }
    }
    assert!(vues.windows(2).all(|v| v[0] < v[1]), "in order, each once");
    assert_eq!(vues.len(), listes().len() + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_tells_its_differences_and_an_equal_one_writes_nothing() {
    let banc = Banc::demarrer(&["nomenclatures"]).await;
    let base = banc.base("nomenclatures").await;
    let un = liste(
        Sorte::Tre,
        TRE,
        "1",
        ["A", "B", "C"].map(|c| concept(c, &format!("Code {c}"), "", "")).to_vec(),
    );
    let r = charger(&banc, un.clone()).await;
    assert_eq!((r.resultat.unwrap().issue(), r.ajoutes, r.modifies, r.retires), (Issue::Cree, 3, 0, 0));
    let avant = compter(&base, "select count(*) from outbox_event").await;
    let r = charger(&banc, un.clone()).await;
    assert_eq!((r.resultat.unwrap().issue(), r.ajoutes, r.modifies, r.retires), (Issue::Inchange, 0, 0, 0));
    assert_eq!(compter(&base, "select count(*) from outbox_event").await, avant);
    let deux = liste(
        Sorte::Tre,
        TRE,
        "2",
        vec![
            concept("A", "Autre libellé", "", ""),
            concept("B", "Code B", "", ""),
            concept("D", "Code D", "", ""),
        ],
    );
    let r = charger(&banc, deux).await;
    assert_eq!((r.resultat.unwrap().issue(), r.ajoutes, r.modifies, r.retires), (Issue::Cree, 1, 1, 1));
    // Both versions are kept; the newest answers.
    let lire = async |version: &str| {
        let d = GetNomenclatureRequest { canonique: TRE.into(), version: version.into() };
        banc.nomenclatures().get_nomenclature(d).await.map(|r| r.into_inner().nomenclature.unwrap())
    };
    assert_eq!(lire("").await.unwrap().version, "2");
    assert_eq!(lire("1").await.unwrap().concepts.len(), 3);
    assert_eq!(lire("3").await.unwrap_err().code(), Code::NotFound);
    // Wrong ones are told fault by fault and change nothing.
    let fausse = liste(
        Sorte::Tre,
        TRE,
        "3|4",
        vec![concept("", "x", "", ""), concept("E", "x", "", ""), concept("E", "y", "2026-02-30", "")],
    );
    let r = charger(&banc, fausse).await.resultat.unwrap();
    let mut dites = regles(&r);
    dites.sort_unstable();
    assert_eq!(dites, ["caractere", "date", "doublon", "obligatoire"]);
    let r = charger(&banc, Nomenclature::default()).await.resultat.unwrap();
    assert!(regles(&r).contains(&"obligatoire"));
    assert_eq!(lire("").await.unwrap().version, "2");
    // After a restart, the index is that of the store.
    banc.tuer("nomenclatures").await;
    banc.allumer("nomenclatures").await;
    assert_eq!(lire("").await.unwrap().version, "2");
    assert_eq!(deplier(&banc, TRE, "autre").await.total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_too_large_for_an_event_reaches_the_copies_of_the_other_services() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    accepte(ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "CH")]).await.remove(0));
    let mut o = offre("1", REGION, "ej-1");
    o.champ_activite = Some(du_systeme(liaisons::TRE_CHAMP, "NOUVEAU-7"));
    assert_eq!(regles(&ecrire_offre(&banc, &nationale(), en_offre(o.clone())).await), ["code-inconnu"]);

    let mut n = listes().iter().find(|n| n.canonique == liaisons::CHAMP_ACTIVITE.canonique).unwrap().clone();
    n.version = "20990101000000".into();
    n.concepts.extend((0..12_000).map(|i| Concept {
        systeme: liaisons::TRE_CHAMP.into(),
        code: format!("NOUVEAU-{i}"),
        ..Default::default()
    }));
    banc.charger(n).await;
    let base = banc.base("nomenclatures").await;
    banc.attendre_publie(&base).await;
    let dernier = banc.deposes("nomenclatures").await.pop().unwrap().evenement;
    assert!(dernier.agregat_id.ends_with("|20990101000000"));
    assert!(dernier.etat.is_empty(), "it names the list without carrying it");
    attendre("offers to accept a code of the new list", async || {
        ecrire_offre(&banc, &nationale(), en_offre(o.clone())).await.issue() == Issue::Cree
    })
    .await;
    // A service that starts later has it from the snapshot.
    banc.tuer("offers").await;
    banc.allumer("offers").await;
    banc.attendre_pret("offers").await;
    o.nom = "Autre nom".into();
    assert_eq!(accepte(ecrire_offre(&banc, &nationale(), en_offre(o)).await).version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_stand_side_by_side_and_only_the_published_ones_answer() {
    let banc = Banc::demarrer(&["nomenclatures"]).await;
    let (v1, v2) = ("20250101120000", "20260101120000");
    let codes = |c: &[(&str, &str)]| -> Vec<Concept> {
        c.iter().map(|(c, fin)| concept(c, &format!("Code {c}"), "", fin)).collect()
    };
    charger(&banc, liste(Sorte::Tre, TRE, v1, codes(&[("A", ""), ("B", ""), ("C", "")]))).await;
    let brouillon = Nomenclature {
        etat: EtatEdition::Brouillon as i32,
        ..liste(Sorte::Tre, TRE, v2, codes(&[("A", ""), ("B", "2020-06-30"), ("D", "")]))
    };
    charger(&banc, brouillon.clone()).await;
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some(v1), "a draft does not answer");
    assert!(!valider(&banc, TRE, "D", "", Mode::Saisie).await.valide);
    let du_brouillon = valider(&banc, TRE, "D", v2, Mode::Saisie).await;
    assert!(!du_brouillon.valide && du_brouillon.motif.contains("brouillon"), "{}", du_brouillon.motif);
    // What publishing it would change, ends first.
    let d = comparer(&banc, TRE).await;
    assert_eq!((d.version_avant.as_str(), d.version_apres.as_str()), (v1, v2));
    let vus: Vec<_> = d
        .ecarts
        .iter()
        .map(|e| (e.sorte(), e.apres.as_ref().or(e.avant.as_ref()).unwrap().code.as_str()))
        .collect();
    assert_eq!(vus, [(SorteEcart::Suppression, "C"), (SorteEcart::Retrait, "B"), (SorteEcart::Ajout, "D")]);
    assert!(d.ecarts[1].message.contains("prend fin le 30/06/2020"), "{}", d.ecarts[1].message);
    // A load does not change the state; publishing does.
    let publiee = Nomenclature { etat: EtatEdition::Publiee as i32, ..brouillon.clone() };
    assert_eq!(regles(&charger(&banc, publiee).await.resultat.unwrap()), ["etat"]);
    accepte(passer(&banc, v2, EtatEdition::Publiee, false).await.resultat.unwrap());
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some(v2));
    assert!(valider(&banc, TRE, "D", "", Mode::Saisie).await.valide);
    let b = LookupCodeRequest {
        code: Some(du_systeme(TRE, "B")),
        date: "2020-06-30".into(),
        ..Default::default()
    };
    let b = banc.nomenclatures().lookup_code(b).await.unwrap().into_inner();
    assert!(b.valide && b.version == v2 && b.nomenclature.unwrap().courante, "its last day");
    // The former version still tells of what it held.
    let ancienne =
        LookupCodeRequest { code: Some(du_systeme(TRE, "C")), version: v1.into(), ..Default::default() };
    assert!(banc.nomenclatures().lookup_code(ancienne).await.is_ok());
    // What has ended does not come back, whatever the version.
    let reprise = liste(Sorte::Tre, TRE, "20270101120000", codes(&[("A", ""), ("B", "")]));
    let r = charger(&banc, reprise).await.resultat.unwrap();
    assert_eq!(regles(&r), ["code-reactive"]);
    // Retired, it leaves its place, stays readable, and changes no more.
    accepte(passer(&banc, v2, EtatEdition::Retiree, false).await.resultat.unwrap());
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some(v1));
    assert_eq!(regles(&passer(&banc, v2, EtatEdition::Publiee, true).await.resultat.unwrap()), ["etat"]);
    let mut change = Nomenclature { etat: 0, ..brouillon };
    assert_eq!(charger(&banc, change.clone()).await.resultat.unwrap().issue(), Issue::Inchange);
    change.concepts.push(concept("E", "Code E", "", ""));
    assert_eq!(regles(&charger(&banc, change).await.resultat.unwrap()), ["etat"]);
    let inconnue = SetStateRequest {
        canonique: TRE.into(),
        version: "x".into(),
        etat: EtatEdition::Retiree as i32,
        ..Default::default()
    };
    assert_eq!(banc.nomenclatures().set_state(inconnue).await.unwrap_err().code(), Code::NotFound);
    // The states survive a restart.
    banc.tuer("nomenclatures").await;
    banc.allumer("nomenclatures").await;
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some(v1));
    accepte(passer(&banc, v1, EtatEdition::Retiree, false).await.resultat.unwrap());
    assert_eq!(courante(&banc, TRE).await, None, "nothing published answers no more");
    let d = SearchNomenclaturesRequest {
        canonique: TRE.into(),
        etat: EtatEdition::Retiree as i32,
        ..Default::default()
    };
    let r = banc.nomenclatures().search_nomenclatures(d).await.unwrap().into_inner();
    assert_eq!((r.total, r.nomenclatures.iter().map(|n| n.nombre).collect::<Vec<_>>()), (2, vec![3, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_everything_and_writes_nothing() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("nomenclatures").await;
    let ecrit = "select (select count(*) from agregat) + (select count(*) from outbox_event)";
    charger(&banc, liste(Sorte::Tre, TRE, "1", vec![concept("A", "a", "", "")])).await;
    let avant = compter(&base, ecrit).await;
    let deux = liste(Sorte::Tre, TRE, "2", vec![concept("B", "b", "", "")]);
    let r = essayer(&banc, deux.clone()).await;
    assert_eq!((r.resultat.unwrap().issue(), r.ajoutes, r.retires), (Issue::Cree, 1, 1));
    let faux = liste(Sorte::Tre, TRE, "3", vec![concept("", "b", "", "")]);
    assert_eq!(regles(&essayer(&banc, faux).await.resultat.unwrap()), ["obligatoire"]);
    let d = SetStateRequest {
        canonique: TRE.into(),
        version: "1".into(),
        etat: EtatEdition::Retiree as i32,
        essai: true,
        ..Default::default()
    };
    accepte(banc.nomenclatures().set_state(d).await.unwrap().into_inner().resultat.unwrap());
    assert_eq!(compter(&base, ecrit).await, avant);
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some("1"));
    assert_eq!(charger(&banc, deux).await.resultat.unwrap().issue(), Issue::Cree, "nothing was in the way");

    // The services that hold resources do the same.
    accepte(ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "CH")]).await.remove(0));
    let offers = banc.base("offers").await;
    let avant = compter(&offers, ecrit).await;
    let ecrire_essai = async |provenance, o| {
        let items = vec![WriteOffersItem { ressource: Some(en_offre(o)), version_attendue: 0 }];
        let d = WriteOffersRequest { provenance: Some(provenance), items, essai: true };
        banc.offers().write_offers(d).await.unwrap().into_inner().resultats.remove(0)
    };
    let r = accepte(ecrire_essai(nationale(), offre("1", REGION, "ej-1")).await);
    assert_eq!((r.issue(), r.version), (Issue::Cree, 1));
    let fausse = ror_proto::offers::v1::OffreOperationnelle {
        champ_activite: Some(du_systeme(liaisons::TRE_CHAMP, "99")),
        ..offre("2", REGION, "ej-1")
    };
    assert_eq!(regles(&ecrire_essai(nationale(), fausse).await), ["code-inconnu"]);
    let d_un_autre = provenance(REGION, Canal::Regional, 1);
    assert_eq!(regles(&ecrire_essai(d_un_autre, offre("1", REGION, "ej-1")).await), ["bail-d-ecriture"]);
    let e = banc.offers().get_offer(GetOfferRequest { id: "1".into() }).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound);
    assert_eq!(compter(&offers, ecrit).await, avant);
    assert_eq!(compter(&offers, "select count(*) from paquet_refuse").await, 0, "no refusal is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_set_is_as_strict_as_it_is_told() {
    let banc = Banc::demarrer(&["nomenclatures"]).await;
    charger(&banc, liste(Sorte::Tre, TRE, "1", vec![concept("A", "a", "", ""), concept("B", "b", "", "")]))
        .await;
    charger(&banc, liste(Sorte::Jdv, JDV, "1", vec![membre("A")])).await;
    let dire = async |mode| {
        let r = valider(&banc, JDV, "B", "", mode).await;
        (r.valide, r.tolere)
    };
    assert_eq!(dire(Mode::Saisie).await, (false, false));
    assert_eq!(dire(Mode::Migration).await, (true, true), "lenient for a migration unless told");
    let regler = async |canonique: &str| {
        let d = SetStrictnessRequest {
            canonique: canonique.into(),
            saisie: Rigueur::Souple as i32,
            migration: Rigueur::Stricte as i32,
            ..Default::default()
        };
        banc.nomenclatures().set_strictness(d).await.map(|r| r.into_inner().resultat.unwrap())
    };
    accepte(regler(JDV).await.unwrap());
    assert_eq!((dire(Mode::Saisie).await, dire(Mode::Migration).await), ((true, true), (false, false)));
    assert_eq!(regler(TRE).await.unwrap_err().code(), Code::InvalidArgument);
    // A later version, which does not say, is as strict.
    charger(&banc, liste(Sorte::Jdv, JDV, "2", vec![membre("A"), membre("C")])).await;
    assert_eq!((dire(Mode::Saisie).await, dire(Mode::Migration).await), ((true, true), (false, false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn regional_codes_are_the_region_s_until_they_are_promoted() {
    let banc = Banc::demarrer(&["nomenclatures"]).await;
    const RR: &str = "urn:it:rr52";
    let regionale = Nomenclature {
        nom: "RR52-Secteurs".into(),
        region: "52".into(),
        ..liste(Sorte::Tre, RR, "1", vec![concept("01", "Nord", "", ""), concept("02", "Sud", "", "")])
    };
    let par = async |region: &str, n: Nomenclature| {
        let provenance = Some(provenance(region, Canal::Regional, 1));
        let d = LoadNomenclatureRequest { nomenclature: Some(n), provenance, essai: false };
        banc.nomenclatures().load_nomenclature(d).await.unwrap().into_inner().resultat.unwrap()
    };
    assert_eq!(regles(&par("84", regionale.clone()).await), ["region-differente"]);
    accepte(par("52", regionale.clone()).await);
    let mal_nommee = Nomenclature { nom: "Secteurs".into(), canonique: "urn:it:x".into(), ..regionale };
    assert_eq!(regles(&par("52", mal_nommee).await), ["nom-regional"]);
    charger(&banc, liste(Sorte::Tre, TRE, "20240101120000", vec![concept("N", "Nord de tout", "", "")]))
        .await;
    let promu = |r: &str, n: &str| CodePromu {
        code_regional: r.into(),
        code_national: n.into(),
        ..Default::default()
    };
    let demande = PromoteRegionalRequest {
        canonique: RR.into(),
        canonique_national: TRE.into(),
        version: "20250601120000".into(),
        codes: vec![promu("01", "N"), promu("02", "S")],
        etat: EtatEdition::Publiee as i32,
        ..Default::default()
    };
    let promouvoir = async |d: PromoteRegionalRequest| {
        banc.nomenclatures().promote_regional(d).await.unwrap().into_inner()
    };
    let incomplete = PromoteRegionalRequest { codes: vec![promu("01", "N")], ..demande.clone() };
    assert_eq!(regles(&promouvoir(incomplete).await.resultats[0]), ["code-sans-correspondance"]);
    let essai = promouvoir(PromoteRegionalRequest { essai: true, ..demande.clone() }).await;
    assert_eq!((essai.resultats.len(), essai.ajoutes), (2, 1));
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some("20240101120000"));
    let faite = promouvoir(demande.clone()).await;
    assert!(faite.resultats.iter().all(|r| r.issue() == Issue::Cree), "{:?}", faite.resultats);
    assert_eq!(courante(&banc, TRE).await.as_deref(), Some("20250601120000"));
    assert!(regles(&promouvoir(demande).await.resultats[0]).contains(&"ordre"), "once");

    // The association leads from the regional codes to the national ones, and back.
    let traduire = async |canonique: &str, systeme: &str, code: &str, inverse: bool| {
        let d = TranslateCodeRequest {
            canonique: canonique.into(),
            code: Some(du_systeme(systeme, code)),
            inverse,
            ..Default::default()
        };
        let r = banc.nomenclatures().translate_code(d).await.map(tonic::Response::into_inner);
        r.map(|r| {
            let vers = |c: ror_proto::nomenclatures::v1::Correspondance| {
                let a = c.association.unwrap();
                let k = c.concept.unwrap();
                format!("{} {} {} {} {}", a.equivalence, k.systeme, k.code, k.libelle, c.valide)
            };
            r.correspondances.into_iter().map(vers).collect::<Vec<_>>()
        })
    };
    assert_eq!(traduire("", RR, "02", false).await.unwrap(), ["equivalent urn:it:tre S Sud true"]);
    let ass = "urn:it:rr52/promotion";
    assert_eq!(traduire(ass, TRE, "N", true).await.unwrap(), ["equivalent urn:it:rr52 01 Nord true"]);
    assert!(traduire(ass, RR, "77", false).await.unwrap().is_empty());
    assert_eq!(traduire("urn:inconnue", RR, "01", false).await.unwrap_err().code(), Code::NotFound);
    let paire = Association { code_source: "01".into(), systeme_source: RR.into(), ..Default::default() };
    let boiteuse =
        Nomenclature { associations: vec![paire], ..liste(Sorte::Ass, "urn:it:ass", "1", Vec::new()) };
    assert_eq!(regles(&charger(&banc, boiteuse).await.resultat.unwrap()), ["obligatoire", "obligatoire"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_follows_the_resources_and_a_new_version_says_whom_it_touches() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    accepte(ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "CH")]).await.remove(0));
    let systeme = code(liaisons::TEMPORALITE_ACCUEIL, 0).systeme;
    let champ = systeme.as_str();
    let ecrire_avec = async |id: &str, code: &str| {
        let mut o = offre(id, REGION, "ej-1");
        o.temporalite_accueil = Some(du_systeme(champ, code));
        accepte(ecrire_offre(&banc, &nationale(), en_offre(o)).await);
    };
    let compte = |n: u64| vec![("offre".to_owned(), n)];
    ecrire_avec("1", "01").await;
    ecrire_avec("2", "01").await;
    attendre("both offers to be counted", async || usages(&banc, champ, "01").await == compte(2)).await;
    ecrire_avec("2", "02").await;
    attendre("the change to be counted", async || {
        usages(&banc, champ, "01").await == compte(1) && usages(&banc, champ, "02").await == compte(1)
    })
    .await;
    let d =
        GetUsageRequest { canonique: liaisons::TEMPORALITE_ACCUEIL.canonique.into(), ..Default::default() };
    let r = banc.nomenclatures().get_usage(d).await.unwrap().into_inner();
    let lus: Vec<_> = r.usages.iter().map(|u| (u.concept.as_ref().unwrap().code.as_str(), u.total)).collect();
    assert_eq!(lus, [("01", 1), ("02", 1)]);
    assert!(r.usages[0].concept.as_ref().unwrap().libelle.contains("Temporaire"), "with its label");
    // A restart counts nothing twice.
    banc.tuer("nomenclatures").await;
    banc.allumer("nomenclatures").await;
    ecrire_avec("3", "02").await;
    attendre("the count to go on", async || usages(&banc, champ, "02").await == compte(2)).await;
    assert_eq!(usages(&banc, champ, "01").await, compte(1));

    let mut suivante = listes().iter().find(|n| n.canonique == champ).unwrap().clone();
    suivante.version = "20990101120000".into();
    suivante.concepts.retain(|c| c.code != "02");
    for c in suivante.concepts.iter_mut().filter(|c| c.code == "01") {
        c.valide_au = "2020-01-31".into();
    }
    let r = essayer(&banc, suivante.clone()).await;
    let dits: Vec<_> = r.impacts.iter().map(|e| (e.sorte(), e.usage_total)).collect();
    assert_eq!(dits, [(SorteEcart::Suppression, 2), (SorteEcart::Retrait, 1)]);
    assert!(r.impacts[0].message.contains("utilisé par 2 offres"), "{}", r.impacts[0].message);
    assert!(r.impacts[1].message.contains("prend fin le 31/01/2020"), "{}", r.impacts[1].message);
    // As a draft, publishing it needs that someone accepts the ends.
    suivante.etat = EtatEdition::Brouillon as i32;
    charger(&banc, suivante).await;
    let d = comparer(&banc, champ).await;
    assert!(
        d.comptes.iter().any(|c| c.sorte() == SorteEcart::Suppression && c.utilises == 1),
        "{:?}",
        d.comptes
    );
    let publier = async |confirme| {
        let d = SetStateRequest {
            canonique: champ.into(),
            version: "20990101120000".into(),
            etat: EtatEdition::Publiee as i32,
            confirme,
            ..Default::default()
        };
        banc.nomenclatures().set_state(d).await.unwrap().into_inner()
    };
    let refus = publier(false).await;
    assert_eq!((regles(refus.resultat.as_ref().unwrap()), refus.impacts.len()), (vec!["codes-utilises"], 2));
    accepte(publier(true).await.resultat.unwrap());
    // The copies of the other services refuse the ended code; what has it keeps it.
    attendre("offers to refuse the ended code", async || {
        let mut o = offre("4", REGION, "ej-1");
        o.temporalite_accueil = Some(du_systeme(champ, "01"));
        let items = vec![WriteOffersItem { ressource: Some(en_offre(o)), version_attendue: 0 }];
        let d = WriteOffersRequest { provenance: Some(nationale()), items, essai: true };
        let r = banc.offers().write_offers(d).await.unwrap().into_inner().resultats.remove(0);
        r.issue() == Issue::Refuse && regles(&r) == ["code-hors-date"]
    })
    .await;
    assert_eq!((usages(&banc, champ, "01").await, usages(&banc, champ, "02").await), (compte(1), compte(2)));
}
