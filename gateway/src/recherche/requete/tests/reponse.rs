//! Parameters of the answer.

use super::*;
use crate::modele::TypeFhir::{
    HealthcareService as Offre, Location as Lieu, Organization as Orga, Practitioner,
    PractitionerRole as Role,
};

#[test]
fn page_summary_elements_total_and_format() {
    let r = lue(
        Offre,
        "_count=0&_total=none&_summary=count&_elements=name,HealthcareService.telecom,name&_format=xml&_page=a%2Bb",
    );
    assert_eq!((r.nombre, r.total, r.resume), (0, Total::Aucun, Resume::Compte));
    assert_eq!(r.elements, ["name", "telecom"]);
    assert_eq!(r.page.as_deref(), Some("a+b"));
    let r = lue(Offre, "_total=estimate&_summary=text&_format=application/fhir+json");
    assert_eq!((r.nombre, r.total, r.resume, r.page), (NOMBRE, Total::Exact, Resume::Texte, None));
    // Every name that turns answers is one.
    for format in ["JSON", "Application/FHIR%2BXML", "application/json;charset=utf-8", "text/xml"] {
        lue(Offre, &format!("_format={format}"));
    }
    for q in [
        "_count=-1",
        "_count=",
        "_count=1&_count=1",
        "_count:x=1",
        "_total=oui",
        "_summary=oui",
        "_format=csv",
        "_elements=",
        "_elements=address.city",
        "_page=",
        "_sort=",
        "_sort:desc=name",
    ] {
        assert_eq!(fautes(Offre, q).len(), 1, "{q}");
    }
}

#[test]
fn sort_keys_follow_references() {
    let cle = |t, nom| CleTri::Parametre(critere(t, nom, Test::Absent(true)).parametre);
    let tri = |chemin: &[Relation], cle, descendant| Tri { chemin: chemin.to_vec(), cle, descendant };
    assert_eq!(
        lue(Offre, "_sort=-organization.price-validity-start-date,name,organization.partof._id").tri,
        [
            tri(&[Relation::Porteur], cle(Orga, "price-validity-start-date"), true),
            tri(&[], cle(Offre, "name"), false),
            tri(&[Relation::Porteur, Relation::Parent], cle(Orga, "_id"), false),
        ]
    );
    assert_eq!(
        lue(Offre, "_sort=location.near,-_score&_content=x&location.near-insee-code=44162").tri,
        [tri(&[Relation::Lieux], CleTri::Distance, false), tri(&[], CleTri::Score, true)]
    );
    for (q, dit) in [
        ("_sort=location.near", "near"),
        ("_sort=near", "near"),
        ("_sort=organization.near&location.near=1|2", "« near »"),
        ("_sort=_score", "_content"),
        ("_sort=_score&organization._content:above=nantes", "hors de not"),
        ("_sort=organization", "organization.<paramètre>"),
        ("_sort=_content", "_score"),
        ("_sort=_has:PractitionerRole:service:role", "rebours"),
        ("_sort=organization.name:above", "modificateur"),
        ("_sort=name,", "manque"),
    ] {
        let f = fautes(Offre, q);
        assert!(f.len() == 1 && f[0].contains(dit), "{q}: {f:#?}");
    }
    // A key given again is the same one; the other way round it looks at other values.
    assert_eq!(
        lue(Role, "_sort=role,role,-role,role&_count=1").tri,
        [tri(&[], cle(Role, "role"), false), tri(&[], cle(Role, "role"), true)]
    );
    // A place is ordered by its own position, an offer by its places; nothing else has one.
    let proche = |chemin: &[Relation]| [tri(chemin, CleTri::Distance, true)];
    assert_eq!(lue(Offre, "_sort=-near&location.near=1|2").tri, proche(&[Relation::Lieux]));
    assert_eq!(
        lue(Offre, "_sort=-location.near&_filter=location.near eq 1|2").tri,
        proche(&[Relation::Lieux])
    );
    assert_eq!(lue(Lieu, "_sort=-near&partof.near=1|2").tri, proche(&[]));
    for (t, q) in [
        (Lieu, "_sort=partof.near&near=1|2"),
        (Role, "_sort=service.location.near&service.location.near=1|2"),
    ] {
        let f = fautes(t, q);
        assert!(f.len() == 1 && f[0].contains("Location ou HealthcareService"), "{q}: {f:#?}");
    }
    // The circle was given, wrongly: its own fault says enough.
    assert_eq!(fautes(Lieu, "near=x&_sort=near").len(), 1);
}

#[test]
fn the_first_circle_is_kept_and_full_text_is_told() {
    let r = lue(Offre, "_content=alpha&location.near=1|2&location.near=3|4&location._content=b");
    assert_eq!(r.cercle.map(|c| c.centre), Some(Centre::Point { lat: 1.0, lon: 2.0 }));
    assert!(r.texte_integral && r.notation.is_some());
    let r = lue(Offre, "_filter=location.near eq 5|6|1|m or _content=c");
    assert_eq!(r.cercle.map(|c| c.rayon_m), Some(1.0));
    assert!(r.texte_integral && r.notation.is_some());
    // A text that scores nothing needs the index all the same.
    let r = lue(Offre, "_filter=not(_content eq b)");
    assert!(r.texte_integral && r.notation.is_none());
    assert!(!lue(Offre, "name=b").texte_integral);
    // The ordinary parameters first, wherever the filter stands; what is denied is no point.
    let rayon = |t, q: &str| lue(t, q).cercle.map(|c| c.rayon_m);
    assert_eq!(rayon(Lieu, "_filter=near eq 5|6|1|m&near=1|2|3|m"), Some(3.0));
    assert_eq!(rayon(Lieu, "_filter=not(near eq 5|6|1|m) and (name eq a or near eq 1|2|3|m)"), Some(3.0));
    assert_eq!(rayon(Lieu, "_filter=near ne 5|6|1|m"), None);
    assert_eq!(rayon(Offre, "_filter=location[near eq 5|6|1|m].near eq 1|2|3|m"), Some(1.0));
    assert_eq!(rayon(Offre, "_filter=name eq a&_filter=location.near eq 5|6|1|m"), Some(1.0));
}

#[test]
fn wildcards_are_spread() {
    let lues = |t, q: &str| -> Vec<Relation> {
        lue(t, q)
            .inclusions
            .iter()
            .inspect(|i| assert_eq!(i.source, i.relation.source()))
            .map(|i| i.relation)
            .collect()
    };
    assert_eq!(lues(Offre, "_include=*"), [Relation::Porteur, Relation::Lieux]);
    // Iterated or not, `*` is told of the type searched.
    assert_eq!(lues(Offre, "_include:iterate=*"), [Relation::Porteur, Relation::Lieux]);
    assert_eq!(lues(Lieu, "_revinclude:iterate=*"), [Relation::Lieux, Relation::LieuParent]);
    assert!(lue(Offre, "_include:iterate=*").inclusions.iter().all(|i| i.repete));
    assert_eq!(lues(Lieu, "_revinclude=*"), [Relation::Lieux, Relation::LieuParent]);
    assert!(lues(Practitioner, "_include=*").is_empty());
    assert_eq!(
        lues(Offre, "_include=PractitionerRole:*"),
        [Relation::Offre, Relation::Professionnel, Relation::Structure]
    );
    assert_eq!(lues(Offre, "_include=PractitionerRole:*:Practitioner"), [Relation::Professionnel]);
    assert_eq!(lues(Offre, "_include:recurse=Organization:partof:Organization"), [Relation::Parent]);
    assert_eq!(
        lues(Offre, "_include=*&_include=HealthcareService:location"),
        [Relation::Porteur, Relation::Lieux]
    );
    for q in [
        "_include=",
        "_include=HealthcareService",
        "_include=HealthcareService:location:Organization",
        "_include=HealthcareService:bidule",
        "_include=Bidule:*",
        "_include=HealthcareService:*:*",
        "_include:bidule=*",
    ] {
        assert_eq!(fautes(Offre, q).len(), 1, "{q}");
    }
}
