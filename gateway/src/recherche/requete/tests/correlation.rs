//! One target, one record, occurrences: rule by rule.

use super::*;
use crate::{
    modele::TypeFhir::{
        HealthcareService as Offre, Location as Lieu, Organization as Orga, Practitioner as Pro,
        PractitionerRole as Role,
    },
    recherche::parametres::Groupe,
};

fn lieu(nom: &str, v: &str) -> Noeud {
    un(Lieu, nom, codes(&[v]))
}

fn fiche(criteres: &[(&str, Test)]) -> Noeud {
    let v = criteres.iter().map(|(nom, test)| critere(Lieu, nom, test.clone())).collect();
    Noeud::Enregistrement(Groupe::Capacite, v)
}

fn lieux(v: Vec<Noeud>) -> Noeud {
    vers(Relation::Lieux, Noeud::Et(v))
}

#[test]
fn criteria_of_one_link_name_one_target() {
    let lits = entier(Prefixe::Gt, 0);
    let proche =
        Test::Proche(vec![Cercle { centre: Centre::Point { lat: 1.0, lon: 2.0 }, rayon_m: 10_000.0 }]);
    assert_eq!(
        condition(Offre, "location.near=1|2&name=x&location.nb-capacity=gt0&location:Location.type=001"),
        Noeud::Et(vec![
            lieux(vec![un(Lieu, "near", proche), fiche(&[("nb-capacity", lits)]), lieu("type", "001")]),
            un(Offre, "name", debuts(&["x"])),
        ])
    );
    // Two links to the same type are two targets.
    assert_eq!(
        condition(Role, "organization.name=a&service.organization.name=b"),
        Noeud::Et(vec![
            vers(Relation::Structure, un(Orga, "name", debuts(&["a"]))),
            vers(Relation::Offre, vers(Relation::Porteur, un(Orga, "name", debuts(&["b"])))),
        ])
    );
}

#[test]
fn the_kth_occurrence_belongs_to_the_kth_target() {
    assert_eq!(
        condition(
            Offre,
            "location.type=001&location.type=002&location.status=active&location.commune-cog=44109&location.commune-cog=44162"
        ),
        Noeud::Et(vec![
            lieux(vec![lieu("type", "001"), lieu("status", "active"), lieu("commune-cog", "44109")]),
            lieux(vec![lieu("type", "002"), lieu("commune-cog", "44162")]),
        ])
    );
    // Each target has its own records.
    let statut = |v: &str| fiche(&[("capacity-status", codes(&[v]))]);
    assert_eq!(
        condition(Offre, "location.capacity-status=01&location.capacity-status=02"),
        Noeud::Et(vec![vers(Relation::Lieux, statut("01")), vers(Relation::Lieux, statut("02"))])
    );
}

#[test]
fn orders_given_again_narrow_the_first_target() {
    assert_eq!(
        condition(Offre, "location.nb-capacity=gt0&location.nb-capacity=lt5&location.type=001"),
        lieux(vec![
            fiche(&[("nb-capacity", entier(Prefixe::Gt, 0)), ("nb-capacity", entier(Prefixe::Lt, 5))]),
            lieu("type", "001"),
        ])
    );
}

#[test]
fn circles_given_again_narrow_the_first_target() {
    let proche = |lat| {
        let cercle = Cercle { centre: Centre::Point { lat, lon: 2.0 }, rayon_m: 10_000.0 };
        un(Lieu, "near", Test::Proche(vec![cercle]))
    };
    assert_eq!(
        condition(Offre, "location.near=1|2&location.near=3|2&location.type=001"),
        lieux(vec![proche(1.0), proche(3.0), lieu("type", "001")])
    );
}

#[test]
fn a_parameter_given_again_belongs_to_the_outermost_link_whatever_its_modifier() {
    let offre = |nom: &str, v: &str| vers(Relation::Porteur, un(Orga, nom, codes(&[v])));
    assert_eq!(
        condition(Role, "service.organization.type=1&service.organization.type=2"),
        Noeud::Et(vec![vers(Relation::Offre, offre("type", "1")), vers(Relation::Offre, offre("type", "2"))])
    );
    assert_eq!(
        condition(Offre, "location.type=001&location.type:text=a"),
        Noeud::Et(vec![
            vers(Relation::Lieux, lieu("type", "001")),
            vers(Relation::Lieux, un(Lieu, "type", Test::Libelle(ids(&["a"])))),
        ])
    );
    // Any identifier is one more occurrence, its absence is none.
    let (j236, present) = ("https://x/JDV_J236-T|", un(Lieu, "identifier", Test::Absent(false)));
    assert_eq!(
        condition(Offre, &format!("location.identifier={j236}&location.identifier=1")),
        Noeud::Et(vec![
            vers(Relation::Lieux, present.clone()),
            vers(Relation::Lieux, lieu("identifier", "1"))
        ])
    );
    assert_eq!(
        condition(Offre, "location.identifier:missing=false&location.identifier=1"),
        lieux(vec![present, lieu("identifier", "1")])
    );
}

#[test]
fn refusals_narrow_the_first_target_and_stand_outside_its_records() {
    let non = |nom, v: &str| Noeud::Non(Box::new(lieu(nom, v)));
    assert_eq!(
        condition(
            Offre,
            "location.capacity-type=01&location.capacity-type:not=02&location.nb-capacity=gt0&location.crisis-type:missing=true&location.type:not=001&location.type:not=002"
        ),
        lieux(vec![
            fiche(&[("capacity-type", codes(&["01"])), ("nb-capacity", entier(Prefixe::Gt, 0))]),
            non("capacity-type", "02"),
            un(Lieu, "crisis-type", Test::Absent(true)),
            non("type", "001"),
            non("type", "002"),
        ])
    );
}

#[test]
fn a_token_given_again_asks_for_another_record_of_the_resource() {
    assert_eq!(
        condition(
            Lieu,
            "capacity-type=01&capacity-type=02&nb-capacity=gt0&capacity-status=02&equipment-type=088&residential-type=03"
        ),
        Noeud::Et(vec![
            fiche(&[
                ("capacity-type", codes(&["01"])),
                ("nb-capacity", entier(Prefixe::Gt, 0)),
                ("capacity-status", codes(&["02"])),
            ]),
            fiche(&[("capacity-type", codes(&["02"]))]),
            Noeud::Enregistrement(Groupe::Equipement, vec![critere(Lieu, "equipment-type", codes(&["088"]))]),
            Noeud::Enregistrement(
                Groupe::Habitation,
                vec![critere(Lieu, "residential-type", codes(&["03"]))]
            ),
        ])
    );
    // Other tokens of the resource are not grouped.
    let code = |v: &str| un(Offre, "characteristic", codes(&[v]));
    assert_eq!(condition(Offre, "characteristic=1&characteristic=2"), Noeud::Et(vec![code("1"), code("2")]));
}

#[test]
fn above_stands_alone_at_its_own_level() {
    let orga = |nom, v: &str| un(Orga, nom, codes(&[v]));
    assert_eq!(
        condition(
            Offre,
            "organization.identifier:above=1&organization.type=2&organization.type:above=3&organization.price-type:above=02"
        ),
        Noeud::Et(vec![
            au_dessus(Relation::Porteur, orga("identifier", "1")),
            vers(Relation::Porteur, orga("type", "2")),
            au_dessus(Relation::Porteur, orga("type", "3")),
            au_dessus(
                Relation::Porteur,
                Noeud::Enregistrement(Groupe::Tarif, vec![critere(Orga, "price-type", codes(&["02"]))])
            ),
        ])
    );
    // The links before the last one are shared.
    assert_eq!(
        condition(Role, "service.organization.identifier:above=1&service.specialty=2"),
        vers(
            Relation::Offre,
            Noeud::Et(vec![
                au_dessus(Relation::Porteur, orga("identifier", "1")),
                un(Offre, "specialty", codes(&["2"])),
            ])
        )
    );
}

#[test]
fn what_refers_here_is_grouped_alike_and_groups_nest() {
    let ps = |v: &str| vers(Relation::Professionnel, un(Pro, "identifier", codes(&[v])));
    assert_eq!(
        condition(
            Offre,
            "_has:PractitionerRole:service:practitioner.identifier=1&_has:PractitionerRole:service:role=60&_has:PractitionerRole:service:practitioner.identifier=2"
        ),
        Noeud::Et(vec![
            depuis(Relation::Offre, Noeud::Et(vec![ps("1"), un(Role, "role", codes(&["60"]))])),
            depuis(Relation::Offre, ps("2")),
        ])
    );
    assert_eq!(
        condition(
            Lieu,
            "_has:HealthcareService:location:organization.type=1&_has:HealthcareService:location:organization.name=a&_has:HealthcareService:location:_has:PractitionerRole:service:role=60"
        ),
        depuis(
            Relation::Lieux,
            Noeud::Et(vec![
                vers(
                    Relation::Porteur,
                    Noeud::Et(vec![un(Orga, "type", codes(&["1"])), un(Orga, "name", debuts(&["a"]))])
                ),
                depuis(Relation::Offre, un(Role, "role", codes(&["60"]))),
            ])
        )
    );
}

#[test]
fn each_and_of_a_filter_is_a_group_of_its_own() {
    let un_lieu = |nom, v: &str| vers(Relation::Lieux, lieu(nom, v));
    assert_eq!(
        condition(
            Offre,
            "_filter=location.type eq 1 and (location.status eq a) or location.type eq 2&location.type=3"
        ),
        Noeud::Et(vec![
            un_lieu("type", "3"),
            Noeud::Ou(vec![lieux(vec![lieu("type", "1"), lieu("status", "a")]), un_lieu("type", "2"),]),
        ])
    );
    assert_eq!(
        condition(
            Offre,
            "_filter=(location.type eq 1 and location.status eq a) and location.commune-cog eq 44109"
        ),
        Noeud::Et(
            vec![lieux(vec![lieu("type", "1"), lieu("status", "a")]), un_lieu("commune-cog", "44109"),]
        )
    );
    // `ne` and not(…) deny the whole comparison.
    let faux = |v| Noeud::Non(Box::new(un_lieu("type", v)));
    assert_eq!(
        condition(Offre, "_filter=location.type ne 1 and not(location.type eq 2)"),
        Noeud::Et(vec![faux("1"), faux("2")])
    );
}

#[test]
fn brackets_group_explicitly() {
    let statut = |v: &str| ("capacity-status", codes(&[v]));
    let lits = || ("nb-capacity", entier(Prefixe::Gt, 0));
    assert_eq!(
        condition(
            Offre,
            "_filter=location[capacity-status eq 02 and type eq 001].nb-capacity gt 0 and location.status eq a"
        ),
        Noeud::Et(vec![
            lieux(vec![fiche(&[statut("02"), lits()]), lieu("type", "001")]),
            vers(Relation::Lieux, lieu("status", "a")),
        ])
    );
    assert_eq!(
        condition(Offre, "_filter=location[capacity-status eq 02 or 05].nb-capacity gt 0"),
        lieux(vec![Noeud::Ou(vec![fiche(&[statut("02")]), fiche(&[statut("05")])]), fiche(&[lits()])])
    );
    let orga = |nom, v: &str| un(Orga, nom, codes(&[v]));
    assert_eq!(
        condition(Role, "_filter=service.organization[type eq 1].identifier:above eq 2"),
        vers(
            Relation::Offre,
            au_dessus(Relation::Porteur, Noeud::Et(vec![orga("type", "1"), orga("identifier", "2")]))
        )
    );
}
