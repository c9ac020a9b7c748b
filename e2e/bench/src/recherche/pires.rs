//! Rare, skewed and worst-shape requests. Some may be refused as too costly: the statuses
//! are in the table.

use ror_demo::repertoire::il_y_a;

use super::{
    jeu::{Exemple, Jeu},
    scenarios::{PAQUET, Requete, de, p, place, s},
};
use crate::charge::Tirage;

/// Alternatives of the wide trees.
const LARGE: usize = 120;

fn offres(parametre: String) -> String {
    de("HealthcareService", &[parametre, "_count=20".into()])
}

/// `or` between what some offers give.
fn alternatives(j: &Jeu, t: &mut Tirage, une: impl Fn(&Exemple) -> String) -> String {
    let toutes: Vec<String> = (0..LARGE).map(|_| une(j.exemple(t))).collect();
    toutes.join(" or ")
}

/// Every one.
pub const TOUTES: &[Requete] = &[
    ("name:contains=e, offers", |_, _| offres("name:contains=e".into())),
    ("name:contains=e, structures", |_, _| de("Organization", &["name:contains=e&_count=20".into()])),
    ("name:contains that nothing has, places", |_, _| {
        de("Location", &["name:contains=zzyzx&_count=20".into()])
    }),
    ("name=a, sorted by name", |_, _| offres("name=a&_sort=name".into())),
    ("specialty:missing=true", |_, _| offres("specialty:missing=true".into())),
    ("psychiatric-sector:missing=false", |_, _| offres("psychiatric-sector:missing=false".into())),
    ("one psychiatric sector", |j, t| {
        let e = j.tel_que(t, |e| e.secteur.is_some());
        offres(p("psychiatric-sector", e.secteur.as_deref().unwrap_or("75G01")))
    }),
    ("address-city:missing=true, places", |_, _| {
        de("Location", &["address-city:missing=true&_count=20".into()])
    }),
    ("nb-capacity:missing=true, places", |_, _| {
        de("Location", &["nb-capacity:missing=true&_count=20".into()])
    }),
    ("characteristic:not, the most frequent", |_, _| offres("characteristic:not=28".into())),
    ("address-postalcode of one digit, places", |_, t| {
        de("Location", &[format!("address-postalcode={}&_count=20", 1 + t.sous(9))])
    }),
    ("the most frequent activity", |j, _| {
        offres(p("specialty", j.activites.first().map_or("", |(code, _)| code.as_str())))
    }),
    ("the rarest activity in a small commune", |j, t| {
        let rare = j.activites.last().map_or("", |(code, _)| code.as_str());
        offres(format!("{}&{}", p("specialty", rare), p("location.commune-cog", &j.exemple(t).lieu.commune)))
    }),
    ("identifier that nothing has", |_, _| offres(p("identifier", "52/0"))),
    ("_filter, 120 activities", |j, t| {
        let activites = alternatives(j, t, |e| format!("specialty eq {}", e.activite()));
        offres(p("_filter", &format!("({activites})")))
    }),
    ("_filter, 120 communes of places", |j, t| {
        let communes = alternatives(j, t, |e| format!("location.commune-cog eq {}", e.lieu.commune));
        offres(p("_filter", &format!("({communes})")))
    }),
    ("_filter, 120 pairs of criteria", |j, t| {
        let paires = alternatives(j, t, |e| {
            let cp = e.lieu.code_postal.get(..2).unwrap_or("1");
            format!("(specialty eq {} and location.address-postalcode eq {cp})", e.activite())
        });
        offres(p("_filter", &format!("({paires})")))
    }),
    ("_filter, 60 levels of parentheses", |j, t| {
        let fond = format!("specialty eq {}", j.exemple(t).activite());
        offres(p("_filter", &format!("{}{fond}{}", "(".repeat(60), ")".repeat(60))))
    }),
    ("_filter, not of not", |j, t| {
        let e = j.exemple(t);
        let filtre = format!("not(not(specialty eq {}) or not(_tag eq {}))", e.activite(), e.region);
        offres(p("_filter", &filtre))
    }),
    ("chain of four links from the roles", |j, t| {
        let numero = &j.exemple(t).site.id_nat_struct;
        de(
            "PractitionerRole",
            &[p("service.organization.partof.identifier:above", numero), "_count=20".into()],
        )
    }),
    ("roles in offers within 30 km with free beds", |j, t| {
        let (lat, lon) = place(j, t);
        let cercle = p("service.location.near", &format!("{lat}|{lon}|30|km"));
        let lits = "service.location.capacity-status=02&service.location.nb-capacity=gt0";
        de("PractitionerRole", &[cercle, lits.into(), "_count=20".into()])
    }),
    ("professionals who work within 10 km (_has and chain)", |j, t| {
        let (lat, lon) = place(j, t);
        let lien = "_has:PractitionerRole:practitioner:service.location.near";
        de("Practitioner", &[p(lien, &format!("{lat}|{lon}|10|km")), "_count=20".into()])
    }),
    ("places of the offers of a professional (_has of _has)", |j, t| {
        let e = j.tel_que(t, |e| e.role.is_some());
        let lien = "_has:HealthcareService:location:_has:PractitionerRole:service:practitioner.identifier";
        de("Location", &[p(lien, e.role.as_ref().map_or("", |r| r[3].as_str())), "_count=20".into()])
    }),
    ("structures that carry an activity (_has)", |j, t| {
        let lien = "_has:HealthcareService:organization:specialty";
        de("Organization", &[p(lien, j.exemple(t).activite()), "_count=20".into()])
    }),
    ("professionals with a role in the most frequent activity (_has, chain)", |j, _| {
        let lien = "_has:PractitionerRole:practitioner:service.specialty";
        let code = j.activites.first().map_or("", |(code, _)| code.as_str());
        de("Practitioner", &[p(lien, code), "_count=20".into()])
    }),
    ("organization:above of a site", |j, t| offres(p("organization:above", &j.exemple(t).site.id))),
    ("all offers, _sort=-_lastUpdated", |_, _| offres("_sort=-_lastUpdated".into())),
    ("all roles, _sort=-_lastUpdated", |_, _| {
        de("PractitionerRole", &["_sort=-_lastUpdated&_count=20".into()])
    }),
    ("all offers, by the name of their structure", |_, _| offres("_sort=organization.name,-name".into())),
    ("all places within 500 km, nearest first", |j, t| {
        let (lat, lon) = place(j, t);
        de("Location", &[p("near", &format!("{lat}|{lon}|500|km")), "_sort=near&_count=20".into()])
    }),
    ("everything since 1990", |_, _| de("PractitionerRole", &["_lastUpdated=ge1990&_count=20".into()])),
    ("_count=1000", |_, _| de("HealthcareService", &["_count=1000".into()])),
    ("_count=1000 with the package", |j, t| {
        format!(
            "{}&{PAQUET}",
            de("HealthcareService", &[p("_tag", &j.exemple(t).region), "_count=1000".into()])
        )
    }),
    ("every include, iterated", |j, t| {
        let clauses = "_include:iterate=*&_revinclude:iterate=*&_count=20";
        de("HealthcareService", &[p("specialty", j.exemple(t).activite()), clauses.into()])
    }),
    ("_summary=count of everything", |_, _| de("Practitioner", &["_summary=count".into()])),
    ("_content of one letter", |_, _| offres("_content=b".into())),
    ("_content of the most frequent word", |_, _| de("Location", &["_content=service&_count=20".into()])),
    ("_content misspelt, by score", |_, _| {
        offres(format!("{}&_sort=-_score", p("_content", "cardiolgie reanimaton")))
    }),
    ("_content of the roles and a region", |j, t| {
        let region = p("_tag", &s("R30-RegionOM", &j.exemple(t).region));
        de("PractitionerRole", &["_content=infirmier".into(), region, "_count=20".into()])
    }),
    ("prices over everything, latest first", |_, _| {
        de("Organization", &["price-amount-value=gt0&_sort=-price-validity-start-date&_count=20".into()])
    }),
    ("capacities changed since two days, places", |_, _| {
        de("Location", &[p("capacity-update-date", &format!("ge{}", il_y_a(2))), "_count=20".into()])
    }),
];
