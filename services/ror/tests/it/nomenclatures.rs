//! Nomenclatures: lookup, validation at a date, expansion, loads and the copies kept by others.

use ror_domaine::liaisons;
use ror_proto::common::v1::Canal;
use ror_proto::{
    common::v1::Issue,
    nomenclatures::v1::{
        Concept, ExpandValueSetRequest, ExpandValueSetResponse, GetNomenclatureRequest,
        ListNomenclaturesRequest, LoadNomenclatureRequest, LoadNomenclatureResponse, LookupCodeRequest,
        Nomenclature, Sorte, ValidateCodeRequest,
    },
};
use tonic::Code;

use crate::{
    gabarits::{
        REGION, accepte, du_systeme, ecrire, ecrire_offre, ej, en_offre, fautes, listes, nationale, offre,
        regles,
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
    let d = LoadNomenclatureRequest { nomenclature: Some(n) };
    banc.nomenclatures().load_nomenclature(d).await.unwrap().into_inner()
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
        let d = LookupCodeRequest { code: Some(du_systeme(systeme, code)), date: date.into() };
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
        date: String::new(),
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
