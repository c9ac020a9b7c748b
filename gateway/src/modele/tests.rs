//! The model after any order of live events equals a model made at once from the
//! final states: rows, rights, postings and relations.

mod image;
pub(crate) mod moments;

use std::{collections::BTreeMap, sync::Arc};

use ror_domaine::{liaisons::TRE_CHAMP, ressource::Ressource as _};
use ror_proto::{
    common::v1::{Code, Evenement, Meta, Position},
    identity::v1::{Identity, Professionnel, identity},
    offers::v1::{LieuRealisation, Offer, OffreOperationnelle, SituationOperationnelle, offer},
    structures::v1::{EntiteGeographique, EntiteJuridique, OrganisationInterne, Structure, structure},
};

use super::{Annuaire, Modele, Param, Source, TypeFhir};
use crate::{
    fhir::politique::{Bloc, Politique, politique_par_defaut},
    recherche::parametres::Relation,
};

pub(crate) struct Hasard(pub u64);
impl Hasard {
    pub fn n(&mut self, borne: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % borne
    }
}

pub(crate) fn politique() -> Arc<Politique> {
    let tsv = include_str!("../../../services/access/data/politique.tsv");
    Arc::new(Politique::compiler(&politique_par_defaut(tsv).unwrap()).unwrap())
}

fn meta(id: &str) -> Option<Meta> {
    Some(Meta { id: id.into(), region: "52".into(), ..Default::default() })
}

/// A random resource: few ids, so that relations form, move and dangle.
pub(crate) fn tirer(h: &mut Hasard) -> (Source, String, Vec<u8>) {
    use prost::Message;
    let structure = |r| Structure { ressource: Some(r) }.encode_to_vec();
    let offre = |r| Offer { ressource: Some(r) }.encode_to_vec();
    match h.n(7) {
        0 => {
            let id = format!("ej{}", h.n(2));
            let e = EntiteJuridique { meta: meta(&id), raison_sociale: "EJ".into(), ..Default::default() };
            (Source::Structures, id, structure(structure::Ressource::EntiteJuridique(e)))
        }
        1 => {
            let id = format!("eg{}", h.n(3));
            let e = EntiteGeographique {
                meta: meta(&id),
                entite_juridique_id: format!("ej{}", h.n(2)),
                ..Default::default()
            };
            (Source::Structures, id, structure(structure::Ressource::EntiteGeographique(e)))
        }
        2 => {
            let id = format!("oi{}", h.n(3));
            let o = OrganisationInterne {
                meta: meta(&id),
                entite_geographique_id: format!("eg{}", h.n(3)),
                ..Default::default()
            };
            (Source::Structures, id, structure(structure::Ressource::OrganisationInterne(o)))
        }
        3 | 4 => {
            let id = format!("of{}", h.n(6));
            let porteur = if h.n(2) == 0 { format!("oi{}", h.n(3)) } else { format!("eg{}", h.n(3)) };
            let champ = ["01", "04", "05"][h.n(3) as usize];
            let o = OffreOperationnelle {
                meta: meta(&id),
                porteur_id: porteur,
                champ_activite: Some(Code { systeme: TRE_CHAMP.into(), code: champ.into() }),
                unite_sensible: h.n(3) == 0,
                lieux_ids: (0..h.n(3))
                    .map(|_| format!("li{}", h.n(4)))
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                ..Default::default()
            };
            (Source::Offers, id, offre(offer::Ressource::Offre(o)))
        }
        5 => {
            if h.n(2) == 0 {
                let id = format!("li{}", h.n(4));
                let l = LieuRealisation {
                    meta: meta(&id),
                    commune_cog: format!("4400{}", h.n(3)),
                    // Of two cells, or nowhere.
                    position: (h.n(3) > 0).then(|| Position {
                        latitude: 47.25,
                        longitude: -1.55 + 0.1 * h.n(2) as f64,
                        ..Default::default()
                    }),
                    ..Default::default()
                };
                return (Source::Offers, id, offre(offer::Ressource::Lieu(l)));
            }
            let id = format!("si{}", h.n(6));
            let s = SituationOperationnelle {
                meta: meta(&id),
                offre_id: format!("of{}", h.n(6)),
                professionnel_id: format!("ps{}", h.n(3)),
                ..Default::default()
            };
            (Source::Offers, id, offre(offer::Ressource::Situation(s)))
        }
        _ => {
            let id = format!("ps{}", h.n(3));
            let p = Professionnel { meta: meta(&id), id_nat_ps: format!("8{id}"), ..Default::default() };
            let i = Identity { ressource: Some(identity::Ressource::Professionnel(p)) };
            (Source::Identity, id, i.encode_to_vec())
        }
    }
}

pub(crate) fn evenement(id: &str, version: u64, etat: &[u8], retire: bool, source: Source) -> Evenement {
    let genre = if source == Source::Identity { "professionnel" } else { "" };
    Evenement {
        agregat_id: id.into(),
        genre: genre.into(),
        version,
        etat: etat.to_vec().into(),
        retire,
        ..Default::default()
    }
}

const SOURCES: [Source; 4] = [Source::Structures, Source::Offers, Source::Capacity, Source::Identity];

pub(crate) fn vide() -> Modele {
    let mut m = Modele::nouveau(politique());
    for s in SOURCES {
        m.debut_instantane(s);
        m.fin_instantane(s);
    }
    m
}

/// Everything that answers can depend on.
fn empreinte(m: &Modele) -> Vec<String> {
    let mut lignes = Vec::new();
    for t in TypeFhir::TOUS {
        let table = m.table(t);
        for r in table.presentes() {
            let vus: Vec<bool> = (0..6).map(|p| table.visibles(p).contains(r)).collect();
            let fins: Vec<bool> =
                (0..6).map(|p| table.masquees(m.politique(), Bloc::OffreFine, p, 0).contains(r)).collect();
            let liens: Vec<String> = Relation::TOUTES
                .into_iter()
                .filter(|x| x.source() == t)
                .map(|x| {
                    let id = |c: &u32| m.table(x.cible()).id(*c).to_string();
                    let mut v: Vec<String> = m.liens.de(x).cibles(r).iter().map(id).collect();
                    v.sort_unstable();
                    v.join("+")
                })
                .collect();
            let postes: Vec<bool> = ["01", "04", "05"]
                .iter()
                .map(|c| table.index.chercher(Param::ServiceType, None, c).contains(r))
                .collect();
            let communes: Vec<bool> = (0..3)
                .map(|c| table.index.chercher(Param::CommuneCog, None, &format!("4400{c}")).contains(r))
                .collect();
            lignes.push(format!(
                "{} {} {vus:?} {fins:?} {liens:?} {postes:?} {communes:?} {:?} {:?} {:?}",
                t.nom(),
                table.id(r),
                table.faits(r),
                table.noms(r).map(|noms| noms.collect::<Vec<_>>()),
                table.etat(r).map(super::Etat::lire)
            ));
        }
    }
    lignes.sort();
    lignes
}

/// Only what differs is worth reading.
fn comparer(vivant: &Modele, neuf: &Modele, quand: &str) {
    let (a, b) = (empreinte(vivant), empreinte(neuf));
    let seuls = |x: &[String], y: &[String]| x.iter().filter(|l| !y.contains(l)).cloned().collect::<Vec<_>>();
    assert!(a == b, "{quand}\nlive only: {:#?}\nfresh only: {:#?}", seuls(&a, &b), seuls(&b, &a));
    let grille = Modele::situer_offres(&vivant.liens, vivant.table(TypeFhir::Location));
    assert_eq!(vivant.alentours, grille, "{quand}");
}

#[test]
fn any_order_of_events_equals_the_final_states_loaded_at_once() {
    for graine in 0..300 {
        let mut h = Hasard(graine);
        let mut vivant = vide();
        let mut etats: BTreeMap<String, (Source, u64, Vec<u8>, bool)> = BTreeMap::new();
        let mut passes: Vec<(Source, Evenement)> = Vec::new();
        for _ in 0..60 {
            let (source, id, etat) = tirer(&mut h);
            let version = etats.get(&id).map_or(1, |e| e.1 + 1);
            let retire = h.n(8) == 0;
            let e = evenement(&id, version, &etat, retire, source);
            vivant.appliquer(source, std::slice::from_ref(&e));
            passes.push((source, e));
            etats.insert(id, (source, version, etat, retire));
            // An old event seen again changes nothing.
            let (s, ancien) = &passes[h.n(passes.len() as u64) as usize];
            vivant.appliquer(*s, std::slice::from_ref(ancien));
        }
        let mut neuf = Modele::nouveau(politique());
        for s in SOURCES {
            neuf.debut_instantane(s);
            let lot: Vec<Evenement> = etats
                .iter()
                .filter(|(_, e)| e.0 == s && !e.3)
                .map(|(id, e)| evenement(id, e.1, &e.2, false, s))
                .collect();
            neuf.appliquer(s, &lot);
            neuf.fin_instantane(s);
        }
        comparer(&vivant, &neuf, &format!("seed {graine}"));
        // A new snapshot over the live model drops what is gone and keeps the rest.
        for s in SOURCES {
            vivant.debut_instantane(s);
            let lot: Vec<Evenement> = etats
                .iter()
                .filter(|(_, e)| e.0 == s && !e.3)
                .map(|(id, e)| evenement(id, e.1, &e.2, false, s))
                .collect();
            vivant.appliquer(s, &lot);
            vivant.fin_instantane(s);
        }
        comparer(&vivant, &neuf, &format!("seed {graine}, after a second snapshot"));
    }
}

#[test]
fn a_hidden_row_is_nowhere_for_who_may_not_see_it() {
    let mut m = vide();
    let o = OffreOperationnelle {
        meta: meta("of1"),
        unite_sensible: true,
        porteur_id: "eg1".into(),
        lieux_ids: vec!["li1".into()],
        ..Default::default()
    };
    let l = LieuRealisation { meta: meta("li1"), commune_cog: "44000".into(), ..Default::default() };
    for (id, r) in [("of1", offer::Ressource::Offre(o)), ("li1", offer::Ressource::Lieu(l))] {
        let etat = Offer { ressource: Some(r) }.etat();
        m.appliquer(Source::Offers, &[evenement(id, 1, &etat, false, Source::Offers)]);
    }
    for (p, vue) in [(0, false), (1, true), (2, false), (3, false), (4, true), (5, false)] {
        assert_eq!(m.visible(TypeFhir::HealthcareService, "of1", p).is_some(), vue, "offer, profile {p}");
        assert_eq!(m.visible(TypeFhir::Location, "li1", p).is_some(), vue, "place, profile {p}");
    }
}

#[test]
fn a_moment_held_never_changes_and_the_journal_tells_what_came_after() {
    let a = Annuaire::nouveau(vide(), std::time::Duration::from_secs(60), 2);
    let poser = |id: &str, version, commune: &str, retire| {
        let l = LieuRealisation { meta: meta(id), commune_cog: commune.into(), ..Default::default() };
        let etat = Offer { ressource: Some(offer::Ressource::Lieu(l)) }.etat();
        a.ecrire(|m| m.appliquer(Source::Offers, &[evenement(id, version, &etat, retire, Source::Offers)]));
    };
    let communes = |m: &Modele, c: &str| {
        let t = m.table(TypeFhir::Location);
        t.index.chercher(Param::CommuneCog, None, c).iter().map(|r| t.id(r).to_string()).collect::<Vec<_>>()
    };
    poser("li1", 1, "44001", false);
    a.ecrire(|m| m.situer(Source::Offers, 10));
    let tenu = a.instant();
    poser("li1", 2, "44002", false);
    poser("li2", 1, "44001", false);
    poser("li1", 3, "", true);
    let present = a.instant();
    assert_eq!(
        (communes(&tenu, "44001"), communes(&present, "44001")),
        (vec!["li1".into()], vec!["li2".into()])
    );
    assert!(tenu.visible(TypeFhir::Location, "li1", 1).is_some());
    assert!(present.visible(TypeFhir::Location, "li1", 1).is_none());
    let touches = present.journal_depuis(tenu.numero()).unwrap();
    let vus: Vec<(String, bool)> = touches
        .iter()
        .map(|t| (present.table(t.type_fhir).id(t.rang).to_string(), t.avant & 2 != 0))
        .collect();
    assert_eq!(vus, [("li1".into(), true), ("li2".into(), false), ("li1".into(), true)]);
    // Positions did not move since: what these moments tell may be new to who comes from elsewhere.
    assert_eq!(present.journal_repere([0, 10, 0, 0]), Some(tenu.numero()));
    assert_eq!(present.journal_repere([0, 9, 0, 0]), Some(tenu.numero() - 1));

    // Two are kept: the one never gone on with leaves first.
    a.garder(&tenu, true, "app");
    a.garder(&present, false, "app");
    poser("li3", 1, "44001", false);
    a.garder(&a.instant(), false, "app");
    assert_eq!(
        (a.gardes(), a.moment(tenu.numero()).is_some(), a.moment(present.numero()).is_some()),
        (2, true, false)
    );
}
