//! Wrong requests: everything told at once, the right spelling given, the bounds.

use super::*;
use crate::modele::TypeFhir::{
    HealthcareService as Offre, Location as Lieu, Organization as Orga, Practitioner,
    PractitionerRole as Role,
};

/// The only fault of a request says all this.
fn dit(t: TypeFhir, q: &str, textes: &[&str]) {
    let f = fautes(t, q);
    assert_eq!(f.len(), 1, "{q}: {f:#?}");
    for texte in textes {
        assert!(f[0].contains(*texte), "{q}: {} does not say {texte}", f[0]);
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let q = "nimporte=1&_count=1001&_lastUpdated=xx2024&name:flou=a&_include=A:b&specialty=&_filter=name eq&%zz=1&_sort=bidule";
    let f = fautes(Offre, q);
    let attendus = [
        "« nimporte »",
        "1001",
        "« xx »",
        ":flou",
        "« A:b »",
        "specialty",
        "colonne 8",
        "mal encodé",
        "« bidule »",
    ];
    assert_eq!(f.len(), attendus.len(), "{f:#?}");
    for (dite, attendu) in f.iter().zip(attendus) {
        assert!(dite.contains(attendu) && dite.contains("Attendu : "), "{dite} / {attendu}");
    }
    assert!(f[0].contains("specialty") && f[0].contains("_filter"), "{}", f[0]);
}

#[test]
fn published_misspellings_are_refused_with_the_right_spelling() {
    let cas: &[(TypeFhir, &str, &str)] = &[
        (Lieu, "_revinclude=Healthcareservice:location", "« HealthcareService:location »"),
        (Offre, "__include=HealthcareService:location", "« _include »"),
        (Offre, "_revincluded=PractitionerRole:service", "« _revinclude »"),
        (Offre, "organization:Organization:name=x", "organization:Organization.name"),
        (Offre, "organisation.name=x", "« organization »"),
        (Offre, "focus:HealthcareService:identifier=1", "Task"),
        (Offre, "focus:HealthcareService.identifier=1", "Task"),
        (Offre, "_has:Task:focus:business-status=02", "Task"),
        (Offre, "_has:HealthcareService:focus:business-status=02", "Task"),
        (Offre, "_revinclude=Task:focus", "Task"),
        (Offre, "_filter=_has:Task:focus:business-status eq 02 or 10", "Task"),
        (Lieu, "_has:Healthcareservice:location:name=x", "_has:HealthcareService:location:"),
    ];
    for (t, q, attendu) in cas {
        dit(*t, q, &[*attendu]);
    }
}

#[test]
fn names_that_lead_nowhere_say_what_would() {
    dit(Offre, "organization.bidule=1", &["organization.bidule", "« bidule »", "Organization", "identifier"]);
    dit(Offre, "bidule.name=1", &["« bidule »", "organization, location"]);
    dit(Practitioner, "organization.identifier:above=1", &["organization", "Practitioner"]);
    dit(Role, "_has:HealthcareService:location:name=x", &["rien ne renvoie à PractitionerRole"]);
    dit(Lieu, "_has:HealthcareService:location=x", &["manque", "_has:HealthcareService:location:"]);
    dit(Lieu, "_has=x", &["demande un type", "_has:HealthcareService:location:"]);
    dit(Offre, "organization:Location.name=x", &["mène à Organization", "organization.<paramètre>"]);
    dit(Orga, "identifier:above=1", &[":above", "organization.<paramètre>:above"]);
    dit(Offre, "location.identifier:above=1", &[":above"]);
    dit(Offre, "_id:missing=true", &[":not"]);
    dit(Offre, "_lastUpdated:missing=true", &["aucun modificateur"]);
    dit(Offre, "name:not=x", &[":contains, :exact, :missing"]);
}

#[test]
fn wrong_values_say_what_is_accepted() {
    dit(Offre, "specialty=|", &["specialty", "système|code"]);
    dit(Offre, "specialty=https://y/s|1", &["https://y/s", "TRE"]);
    dit(Offre, "specialty=a|b|c", &["barre"]);
    dit(Offre, "specialty:in=https://y/jeu", &["https://y/jeu", "JDV"]);
    dit(Offre, "specialty:missing=oui", &["true ou false"]);
    dit(Orga, "drop-zone=oui", &["true ou false"]);
    dit(Orga, "identifier=https://y|1", &["https://finess.esante.gouv.fr"]);
    dit(Offre, "organization=Location/x", &["Organization/<id>"]);
    dit(Offre, "_id=pas un id !", &["_id", "tirets"]);
    dit(Lieu, "near=91|0", &["latitude"]);
    dit(Lieu, "near-insee-code=Nantes", &["INSEE"]);
    dit(Lieu, "nb-capacity=beaucoup", &["nombre"]);
    dit(Offre, "age-range-low=le35|a", &["nombre||unité"]);
    for sans_mot in
        ["_content=%20", "_content=l%27+de+la", "_text=-cardio", "_filter=_content eq \"et pour\""]
    {
        dit(Offre, sans_mot, &["pas de mot"]);
    }
    dit(Offre, "name:contains=%CC%81", &["vide"]);
}

#[test]
fn bounds_are_told() {
    let liens = |n| format!("{}name=x", "partof.".repeat(n));
    assert!(lire(Orga, &liens(LIENS_MAX), &regard(false)).is_ok());
    dit(Orga, &liens(LIENS_MAX + 1), &["6 liens"]);
    let emboite = |n| format!("_filter={}name eq x{}", "(".repeat(n), ")".repeat(n));
    assert!(lire(Orga, &emboite(PARENTHESES_MAX), &regard(false)).is_ok());
    dit(Orga, &emboite(PARENTHESES_MAX + 1), &["64 niveaux", "colonne 65"]);
    let valeurs = |n| format!("name={}", vec!["x"; n].join(","));
    assert!(lire(Orga, &valeurs(VALEURS_MAX), &regard(false)).is_ok());
    dit(Orga, &valeurs(VALEURS_MAX + 1), &["501 valeurs", "500"]);
    dit(Orga, &format!("_filter=name eq x{}", " or x".repeat(VALEURS_MAX)), &["501 valeurs"]);
    let inclusions = |n| vec!["_include=*"; n].join("&");
    assert!(lire(Orga, &inclusions(INCLUSIONS_MAX), &regard(false)).is_ok());
    dit(Orga, &inclusions(INCLUSIONS_MAX + 1), &["33 inclusions"]);
    dit(Orga, &format!("_sort={}", ["name"; TRIS_MAX + 1].join(",")), &["8 clés"]);
    let textes = |n: usize| {
        let textes: Vec<String> = (0..n).map(|i| format!("t{i} or t0")).collect();
        format!("_filter=_content eq {}", textes.join(" or "))
    };
    assert!(lire(Orga, &textes(TEXTES_MAX), &regard(false)).is_ok());
    dit(Orga, &textes(TEXTES_MAX + 1), &["17 textes intégraux", "16 au plus"]);
    dit(Orga, &"a".repeat(LONGUEUR_MAX + 1), &["16384"]);
}

#[test]
fn faults_are_told_up_to_a_bound() {
    let f = fautes(Orga, &"a=1&".repeat(1_000));
    assert_eq!(f.len(), FAUTES_MAX + 1);
    assert!(f[FAUTES_MAX].contains("50 fautes"), "{}", f[FAUTES_MAX]);
    assert_eq!(fautes(Orga, &format!("_filter={}name eq x", "a eq 1 or ".repeat(1_000))).len(), FAUTES_MAX);
    assert_eq!(lire(Orga, &"a=1&".repeat(1_000), &regard(true)).unwrap().ignores.len(), FAUTES_MAX);
}

#[test]
fn lenience_leaves_aside_what_is_unknown_and_nothing_else() {
    let q = "nimporte=1&name:flou=a&_include=A:b&_has:Task:focus:code=1&_sort=bidule,-name&name=x";
    let r = lire(Orga, q, &regard(true)).unwrap();
    assert_eq!(r.ignores.len(), 5, "{:#?}", r.ignores);
    assert_eq!(r.condition, un(Orga, "name", debuts(&["x"])));
    assert_eq!(r.tri.len(), 1);
    let r = lire(Orga, "_count=1001", &regard(true)).unwrap();
    assert_eq!((r.nombre, r.ignores.len()), (NOMBRE_MAX, 1));
    assert!(r.ignores[0].diagnostics.contains("1000"), "{}", r.ignores[0].diagnostics);
    dit(Orga, "_count=1001", &["1000 ressources au plus", "un entier de 0 à 1000"]);
    for q in ["_count=x", "_lastUpdated=hier", "_filter=bidule eq 1", "drop-zone=oui", "_total=oui"] {
        assert!(lire(Orga, q, &regard(true)).is_err(), "{q}");
    }
}
