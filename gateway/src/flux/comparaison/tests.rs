//! Whoever follows has at each moment what a fresh look gives, whatever it follows and from wherever it
//! resumes, and hears of nothing that it does not read.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use ror_proto::common::v1::Evenement;

use super::*;
use crate::{
    export::portee::Recherches,
    fhir::rendu::{Libelles, Vue},
    modele::{
        Annuaire, Source,
        tests::{
            Hasard, evenement,
            moments::{lieu, lits},
            tirer, vide,
        },
    },
    recherche::{
        arbre::Requete,
        evaluation::Moteur,
        requete::{self, Regard},
        tests::SansTexte,
    },
    rendu,
};

const PROFILS: [u8; 5] = [0, 1, 2, 3, 5];
/// What is followed: whole types first.
const SUIVIS: [(TypeFhir, &str); 13] = [
    (TypeFhir::Organization, ""),
    (TypeFhir::HealthcareService, ""),
    (TypeFhir::Location, ""),
    (TypeFhir::Practitioner, ""),
    (TypeFhir::PractitionerRole, ""),
    (TypeFhir::HealthcareService, "location.commune-cog=44001"),
    (TypeFhir::HealthcareService, "organization:above=ej0"),
    (TypeFhir::HealthcareService, "organization._tag:above=52"),
    (TypeFhir::Location, "_has:HealthcareService:location:service-type=04"),
    (TypeFhir::Location, "_has:HealthcareService:location:organization:above=ej1"),
    (TypeFhir::Location, "_filter=not(_has:HealthcareService:location:service-type eq 01)"),
    (TypeFhir::Location, "capacity-status=02"),
    (TypeFhir::Practitioner, "_has:PractitionerRole:practitioner:service.service-type=05"),
];

struct SansLibelles;

impl Libelles for SansLibelles {
    fn libelle(&self, _: &str, _: &str) -> Option<&str> {
        None
    }
}

pub(crate) fn requete(genre: TypeFhir, criteres: &str) -> Requete {
    let regard = Regard { connu: &|_| true, jeu: &|_| None, maintenant: 0, indulgent: false };
    requete::lire(genre, criteres, &regard).unwrap_or_else(|f| panic!("{criteres}: {f:#?}"))
}

/// What is read of each row, by row.
type Lues = BTreeMap<u32, u64>;

/// A fingerprint of each row that a profile sees.
fn lire(m: &Modele, t: TypeFhir, profil: u8) -> Lues {
    let un = |rang| {
        let e = m.extraire(t, rang, profil).unwrap();
        let vue = Vue { politique: m.politique(), profil, faits: e.faits, libelles: &SansLibelles };
        let mut octets = Vec::new();
        assert!(rendu::rendre(&e, &vue, &mut octets));
        let mut h = DefaultHasher::new();
        octets.hash(&mut h);
        (rang, h.finish())
    };
    m.table(t).visibles(profil).iter().map(un).collect()
}

fn appliquer(copie: &mut Lues, ecarts: &[Ecart], lues: &Lues) {
    for e in ecarts {
        e.otes.iter().for_each(|r| {
            copie.remove(&r);
        });
        copie.extend(e.poses.iter().map(|r| (r, lues[&r])));
    }
}

/// Nothing told is what was read already.
fn utile(copie: &Lues, ecarts: &[Ecart], lues: &Lues) -> bool {
    let neuf = |r: u32| copie.get(&r) != Some(&lues[&r]);
    ecarts.iter().all(|e| e.poses.iter().all(neuf) && e.otes.iter().all(|r| copie.contains_key(&r)))
}

struct Suiveur {
    a: Abonnement,
    genre: TypeFhir,
    entier: bool,
    repere: Repere,
    copie: Lues,
    /// As it was at some moment, to resume from there.
    garde: (u64, Lues),
}

impl Suiveur {
    fn nouveau(profil: u8, (genre, criteres): (TypeFhir, &str), m: &Arc<Modele>) -> Self {
        let requetes = if criteres.is_empty() { Vec::new() } else { vec![requete(genre, criteres)] };
        let entier = requetes.is_empty();
        let a = Abonnement::nouveau(profil, Recherches(vec![(genre, requetes)]), None, String::new());
        let repere = Repere::ici(&a, m.clone(), &SansTexte);
        Self { a, genre, entier, repere, copie: Lues::new(), garde: (m.numero(), Lues::new()) }
    }

    fn voulu(&self, m: &Modele, lues: &Lues) -> Lues {
        let trouves = self.a.recherches.evaluer(m, self.a.profil, &SansTexte);
        trouves[self.genre as usize].iter().map(|r| (r, lues[&r])).collect()
    }

    /// Resumes from a moment that is no longer held.
    fn reprendre(&self, depuis: u64, copie: &Lues, m: &Arc<Modele>, lues: &Lues) -> (Lues, bool) {
        let ecarts = Repere::Numero(depuis).avancer(&self.a, m, &SansTexte).unwrap();
        let mut reprise = copie.clone();
        appliquer(&mut reprise, &ecarts, lues);
        (reprise, utile(copie, &ecarts, lues))
    }
}

/// An event of any source, each version of a row newer than the one before.
fn arriver(h: &mut Hasard, versions: &mut HashMap<(Source, String), u64>) -> (Source, Evenement) {
    let mut suivante = |source, id: &str| {
        let version = versions.entry((source, id.to_owned())).or_default();
        *version += 1;
        *version
    };
    let retire = h.n(8) == 0;
    if h.n(4) == 0 {
        let id = format!("li{}", h.n(4));
        let statuts: &[&str] = [&["01"][..], &["02"], &["06"], &["02", "06"], &[]][h.n(5) as usize];
        let e = lits(&id, suivante(Source::Capacity, &id), statuts);
        return (Source::Capacity, Evenement { retire, ..e });
    }
    let (source, id, etat) = tirer(h);
    let version = suivante(source, &id);
    (source, evenement(&id, version, &etat, retire, source))
}

#[test]
fn a_follower_has_what_a_fresh_look_gives_and_hears_of_what_it_reads_only() {
    for graine in 0..6 {
        let mut h = Hasard(graine);
        let annuaire = Annuaire::nouveau(vide(), Duration::from_secs(60), 2);
        annuaire.ecrire(|_| ());
        let m = annuaire.instant();
        let mut suiveurs = Vec::new();
        for p in PROFILS {
            suiveurs.extend(SUIVIS.map(|s| Suiveur::nouveau(p, s, &m)));
        }
        let mut versions = HashMap::new();
        for pas in 0..45 {
            let avant = annuaire.instant();
            let (source, e) = arriver(&mut h, &mut versions);
            annuaire.ecrire(|m| m.appliquer(source, &[e]));
            let m = annuaire.instant();
            let lues = PROFILS.map(|p| TypeFhir::TOUS.map(|t| lire(&m, t, p)));
            for (i, s) in suiveurs.iter_mut().enumerate() {
                let lues = &lues[i / SUIVIS.len()][s.genre as usize];
                let suivi = SUIVIS[i % SUIVIS.len()];
                let quoi = format!("seed {graine}, step {pas}, profile {}, {suivi:?}", s.a.profil);
                let voulu = s.voulu(&m, lues);
                let (reprise, juste) = s.reprendre(avant.numero(), &s.copie, &m, lues);
                assert_eq!(reprise, voulu, "{quoi}, resumed");
                assert!(juste || !s.entier, "{quoi}, resumed: told for nothing");
                let ecarts = s.repere.avancer(&s.a, &m, &SansTexte).unwrap();
                assert!(utile(&s.copie, &ecarts, lues), "{quoi}: told for nothing");
                appliquer(&mut s.copie, &ecarts, lues);
                assert_eq!(s.copie, voulu, "{quoi}");
                let (depuis, copie) = &s.garde;
                assert_eq!(s.reprendre(*depuis, copie, &m, lues).0, voulu, "{quoi}, resumed from {depuis}");
                if pas % 15 == 14 {
                    s.garde = (m.numero(), s.copie.clone());
                }
            }
        }
    }
}

#[test]
fn the_searches_of_one_request_have_one_budget() {
    let mut m = vide();
    m.appliquer(Source::Offers, &[lieu("li1", 1)]);
    let trouver = |nombre: usize, budget| {
        let requetes = vec![requete(TypeFhir::Location, "commune-cog=44001"); nombre];
        Recherches(vec![(TypeFhir::Location, requetes)])
            .evaluer_par(&Moteur::nouveau(&m, 1, &SansTexte, budget))
            .is_ok()
    };
    let juste = (0..10_000).find(|budget| trouver(1, *budget)).unwrap();
    assert!(juste > 0 && trouver(2, 2 * juste) && !trouver(50, 2 * juste));
}
