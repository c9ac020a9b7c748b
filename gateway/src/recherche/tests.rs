//! Searches over a directory drawn at random: what they find, in which order, is what a look at every row says.

use std::sync::Arc;

use prost::Message as _;
use roaring::RoaringBitmap;
use ror_proto::{
    common::v1::{Evenement, Meta, Position},
    offers::v1::{LieuRealisation, Offer, OffreOperationnelle, SituationOperationnelle, offer},
};

use super::{
    arbre::Requete,
    chercher, communes,
    evaluation::{Moteur, Payeur, Textes, TropCouteux},
    notation::PAR_UN_LIEN,
    parametres::Relation,
    requete::{self, Regard},
    tri::{Cle, Depart, Ordre, Tranche},
};
use crate::{
    fhir::politique::{POLITIQUE_TSV, Politique, politique_par_defaut},
    modele::{Modele, Param, Point, Source, TypeFhir, tests::vide},
    texte::Trouves,
};

const OFFRE: TypeFhir = TypeFhir::HealthcareService;
const LIEU: TypeFhir = TypeFhir::Location;
/// Who reads.
const PROFIL: u8 = 1;
const CENTRE: Point = Point { lat: 46.5, lon: 2.7 };
/// Rows of a page.
const PAGE: usize = 37;

/// No row answers any text.
pub(crate) struct SansTexte;

impl Textes for SansTexte {
    fn trouver(
        &self,
        _: &Modele,
        _: TypeFhir,
        _: bool,
        _: &str,
        _: Payeur<'_>,
    ) -> Result<Arc<Trouves>, TropCouteux> {
        Ok(Arc::default())
    }
}

/// Texts that most rows answer, by their first letter.
struct ParLettre;

impl ParLettre {
    fn note(texte: &str, rang: u32) -> Option<f32> {
        let n = rang * 31 + u32::from(texte.as_bytes()[0]);
        (!n.is_multiple_of(5)).then(|| (n % 97 + 1) as f32 / 98.0)
    }
}

impl Textes for ParLettre {
    fn trouver(
        &self,
        m: &Modele,
        t: TypeFhir,
        _: bool,
        texte: &str,
        payer: Payeur<'_>,
    ) -> Result<Arc<Trouves>, TropCouteux> {
        payer(0)?;
        let mut trouves = Trouves::default();
        let notes = m.table(t).presentes().iter().map(|r| (r, Self::note(texte, r)));
        trouves.corriger(&notes.filter(|(_, n)| n.is_some()).collect::<Vec<_>>());
        Ok(Arc::new(trouves))
    }
}

struct Hasard(u64);

impl Hasard {
    fn n(&mut self, borne: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % borne
    }

    /// Few different ones, which begin alike.
    fn nom(&mut self) -> String {
        let debut = ["Centre hospitalier", "Clinique", "Clinique du parc"][self.n(3) as usize];
        format!("{debut} {}", self.n(9))
    }

    /// Few different ones, or none.
    fn position(&mut self) -> Option<Position> {
        let mut degre = |bas: f64| bas + self.n(30) as f64 / 20.0;
        let (latitude, longitude) = (degre(46.0), degre(2.0));
        (self.n(8) > 0).then(|| Position { latitude, longitude, ..Default::default() })
    }
}

fn evenement(id: &str, h: &mut Hasard, r: offer::Ressource) -> Evenement {
    Evenement {
        agregat_id: id.into(),
        version: 1,
        date: Some(prost_types::Timestamp { seconds: 1_000 + h.n(20) as i64, nanos: 0 }),
        etat: Offer { ressource: Some(r) }.encode_to_vec().into(),
        ..Default::default()
    }
}

fn repertoire() -> Modele {
    let politique = Politique::compiler(&politique_par_defaut(POLITIQUE_TSV).unwrap()).unwrap();
    let mut m = Modele::nouveau(Arc::new(politique));
    for s in [Source::Structures, Source::Offers, Source::Capacity, Source::Identity] {
        m.debut_instantane(s);
        m.fin_instantane(s);
    }
    let mut h = Hasard(9);
    let meta = |id: &str| Some(Meta { id: id.into(), region: "52".into(), ..Default::default() });
    let mut lot = Vec::new();
    for i in 0..600 {
        let id = format!("lieu-{i}");
        let l = LieuRealisation {
            meta: meta(&id),
            nom: h.nom(),
            commune_cog: format!("4400{}", h.n(4)),
            position: h.position(),
            ..Default::default()
        };
        lot.push(evenement(&id, &mut h, offer::Ressource::Lieu(l)));
    }
    for i in 0..1400 {
        let id = format!("offre-{i}");
        let mut lieux_ids: Vec<String> = (0..h.n(4)).map(|_| format!("lieu-{}", h.n(600))).collect();
        lieux_ids.sort();
        lieux_ids.dedup();
        let o = OffreOperationnelle { meta: meta(&id), nom: h.nom(), lieux_ids, ..Default::default() };
        lot.push(evenement(&id, &mut h, offer::Ressource::Offre(o)));
    }
    m.appliquer(Source::Offers, &lot);
    m
}

fn lire(t: TypeFhir, q: &str) -> Requete {
    let regard = Regard { connu: &|_| true, jeu: &|_| None, maintenant: 0, indulgent: false };
    let r = requete::lire(t, q, &regard).unwrap_or_else(|f| panic!("{q}: {f:#?}"));
    Requete { condition: r.condition.reunir(), ..r }
}

/// Visible places of an offer.
fn lieux(m: &Modele, offre: u32) -> Vec<u32> {
    let visibles = m.table(LIEU).visibles(PROFIL);
    let cibles = m.liens.de(Relation::Lieux).cibles(offre).iter().copied();
    cibles.filter(|c| visibles.contains(*c)).collect()
}

#[test]
fn conditions_on_places_hold_of_one_and_the_same() {
    let m = repertoire();
    let moteur = Moteur::nouveau(&m, PROFIL, &SansTexte, i64::MAX);
    let positions = &m.table(LIEU).positions;
    let pres = |lieu: u32, km: u32| positions.point(lieu, false).distance(CENTRE) <= f64::from(km) * 1e3;
    let a =
        |lieu: u32, code: &str| m.table(LIEU).index.chercher(Param::CommuneCog, None, code).contains(lieu);
    let verifier = |q: &str, condition: &dyn Fn(u32) -> bool| {
        let attendues: RoaringBitmap = m
            .table(OFFRE)
            .visibles(PROFIL)
            .iter()
            .filter(|o| lieux(&m, *o).into_iter().any(condition))
            .collect();
        assert_eq!(moteur.rangs(OFFRE, &lire(OFFRE, q).condition).unwrap(), attendues, "{q}");
        attendues.len()
    };
    for km in [10, 20, 50, 60, 90] {
        let proche = format!("location.near=46.5|2.7|{km}|km");
        let tous = verifier(&proche, &|l| pres(l, km));
        let commune =
            verifier(&format!("{proche}&location.commune-cog=44001"), &|l| pres(l, km) && a(l, "44001"));
        let communes = "location.commune-cog eq 44001 or location.commune-cog eq 44002";
        let deux = format!("_filter=(location.near eq 46.5|2.7|{km}|km or {communes})");
        let ou = verifier(&deux, &|l| pres(l, km) || a(l, "44001") || a(l, "44002"));
        assert!(commune < tous && tous < ou, "{km}: {commune}, {tous}, {ou}");
    }
}

#[test]
fn the_best_answers_come_first_by_the_texts_asked_of_them() {
    let m = Arc::new(repertoire());
    let note = |lettre: &str, r: u32| ParLettre::note(lettre, r);
    // The best of the places that are seen.
    let par_lieu = |r: u32| {
        lieux(&m, r).into_iter().filter_map(|l| note("c", l)).reduce(f32::max).map(|s| PAR_UN_LIEN * s)
    };
    let cog = |l: u32| m.table(LIEU).index.chercher(Param::CommuneCog, None, "44001").contains(l);
    type Score<'a> = &'a dyn Fn(u32) -> Option<f32>;
    let cas: [(&str, Score<'_>); 8] = [
        ("_content=alpha", &|r| note("a", r)),
        // What is denied scores nothing, wherever it stands.
        ("_filter=not(_content eq b) and _content eq alpha", &|r| note("a", r)),
        ("_content=alpha&_text=b", &|r| Some((note("a", r)? + note("b", r)?) / 2.0)),
        ("_filter=_content eq alpha or _text eq b", &|r| {
            note("a", r).into_iter().chain(note("b", r)).reduce(f32::max)
        }),
        ("location._content=c", &par_lieu),
        // A place that does not meet all that is asked of it gives nothing.
        ("location._content=c&location.commune-cog=44001", &|r| {
            let la = lieux(&m, r).into_iter().filter(|l| cog(*l));
            la.filter_map(|l| note("c", l)).reduce(f32::max).map(|s| PAR_UN_LIEN * s)
        }),
        ("location._content=c&_content=alpha", &|r| Some((par_lieu(r)? + note("a", r)?) / 2.0)),
        ("_filter=location._content eq c or _content eq alpha", &|r| {
            par_lieu(r).into_iter().chain(note("a", r)).reduce(f32::max)
        }),
    ];
    for (q, score) in cas {
        let requete = lire(OFFRE, &format!("{q}&_sort=-_score&_count=1000"));
        let moteur = Moteur::nouveau(&m, PROFIL, &ParLettre, i64::MAX);
        let rangs = moteur.rangs(OFFRE, &requete.condition).unwrap();
        let mut attendus: Vec<(Option<f32>, u32)> = rangs.iter().map(|r| (score(r), r)).collect();
        assert!(attendus.len() > 50 && attendus.iter().all(|(s, _)| s.is_some()), "{q}");
        attendus.sort_by(|(a, ra), (b, rb)| {
            b.partial_cmp(a).unwrap().then_with(|| m.table(OFFRE).comparer(*ra, *rb))
        });
        attendus.truncate(1000);
        let page = chercher(&m, &requete, PROFIL, Depart::Debut, &ParLettre, i64::MAX).unwrap();
        let vus: Vec<_> = page.trouves.iter().map(|t| (t.score, t.rang)).collect();
        assert_eq!(vus, attendus, "{q}");
    }
}

#[test]
fn what_a_profile_does_not_see_gives_no_score() {
    let mut m = vide();
    let meta = |id: &str| Some(Meta { id: id.into(), region: "52".into(), ..Default::default() });
    let o = OffreOperationnelle { meta: meta("o"), ..Default::default() };
    let s = SituationOperationnelle { meta: meta("s"), offre_id: "o".into(), ..Default::default() };
    let mut h = Hasard(1);
    let lot = [
        evenement("o", &mut h, offer::Ressource::Offre(o)),
        evenement("s", &mut h, offer::Ressource::Situation(s)),
    ];
    m.appliquer(Source::Offers, &lot);
    let m = Arc::new(m);
    let propre = ParLettre::note("a", 0).unwrap();
    let du_role = PAR_UN_LIEN * ParLettre::note("c", 0).unwrap();
    assert!(du_role > propre);
    let requete = lire(OFFRE, "_filter=_content eq alpha or _has:PractitionerRole:service:_content eq c");
    // The fourth profile sees no role.
    for (profil, attendu) in [(PROFIL, du_role), (4, propre)] {
        let page = chercher(&m, &requete, profil, Depart::Debut, &ParLettre, i64::MAX).unwrap();
        let scores: Vec<_> = page.trouves.iter().map(|t| t.score).collect();
        assert_eq!(scores, [Some(attendu)], "{profil}");
    }
}

#[test]
fn answers_to_full_text_are_paid_for() {
    let m = repertoire();
    let question = |budget| Moteur::nouveau(&m, PROFIL, &ParLettre, budget).plein_texte(OFFRE, false, "a");
    assert_eq!(question(20_000).err(), Some(TropCouteux), "nothing is left for what answers");
    assert!(question(22_000).is_ok_and(|t| t.rangs.len() > 1_000));
}

#[test]
fn around_a_commune_a_place_without_position_stands_at_the_centre_of_its_own() {
    let m = Arc::new(repertoire());
    let centre = communes::centre("44001").unwrap();
    let positions = &m.table(LIEU).positions;
    let ou = |lieu: u32| {
        let de = |code: &str| m.table(LIEU).index.chercher(Param::CommuneCog, None, code).contains(lieu);
        let code = ["44001", "44002", "44003"].into_iter().find(|c| de(c));
        let propre = Some(positions.point(lieu, false)).filter(|p| p.lat.is_finite());
        propre.or_else(|| communes::centre(code?))
    };
    let km = |lieu: u32| ou(lieu).map(|p| p.distance(centre) / 1e3);
    let moteur = Moteur::nouveau(&m, PROFIL, &SansTexte, i64::MAX);
    let visibles = |t: TypeFhir| m.table(t).visibles(PROFIL);
    let mut tailles = Vec::new();
    for rayon in [1, 30, 60, 400, 2000] {
        let pres = |l: u32| km(l).is_some_and(|km| km <= f64::from(rayon));
        let q = format!("near-insee-code=44001|{rayon}|km");
        let attendus: RoaringBitmap = visibles(LIEU).iter().filter(|l| pres(*l)).collect();
        assert_eq!(moteur.rangs(LIEU, &lire(LIEU, &q).condition).unwrap(), attendus, "{q}");
        // A link says the same as what it leads to, from all offers or from few.
        for autre in ["", "&name:contains=parc", "&name:contains=3"] {
            let q = format!("location.{q}{autre}");
            let nommees = moteur.rangs(OFFRE, &lire(OFFRE, autre).condition).unwrap();
            let attendues: RoaringBitmap =
                nommees.iter().filter(|o| lieux(&m, *o).into_iter().any(pres)).collect();
            assert_eq!(moteur.rangs(OFFRE, &lire(OFFRE, &q).condition).unwrap(), attendues, "{q}");
        }
        // From a point, a commune is no position.
        let point = format!("near={}|{}|{rayon}|km", centre.lat, centre.lon);
        let propres = moteur.rangs(LIEU, &lire(LIEU, &point).condition).unwrap();
        let attendus: RoaringBitmap =
            attendus.iter().filter(|l| positions.point(*l, false).lat.is_finite()).collect();
        assert_eq!(propres, attendus, "{point}");
        tailles.push(attendus.len());
    }
    assert!(tailles[0] == 0 && tailles[4] > 400, "{tailles:?}");
    let requete = lire(LIEU, "near-insee-code=44001|2000|km&_sort=near-insee-code&_count=1000");
    let page = chercher(&m, &requete, PROFIL, Depart::Debut, &SansTexte, i64::MAX).unwrap();
    let dites: Vec<f64> = page.trouves.iter().filter_map(|t| t.distance_km).collect();
    let voulues = page.trouves.iter().filter_map(|t| km(t.rang));
    assert!(dites.len() == page.trouves.len() && dites.is_sorted() && dites[0] < 1e-3);
    assert!(dites.iter().zip(voulues).all(|(d, v)| (d - v).abs() < 1e-6));
    // Ordered from a point, those that have none come last, and tell none.
    let requete = lire(LIEU, "_filter=near eq 46.5|2.7|9|km or near-insee-code eq 44001|60|km&_sort=near");
    let page = chercher(&m, &requete, PROFIL, Depart::Debut, &SansTexte, i64::MAX).unwrap();
    let sans = page.trouves.iter().skip_while(|t| t.distance_km.is_some());
    assert!(sans.clone().count() > 10 && sans.clone().all(|t| t.distance_km.is_none()));
}

/// What an order reads of a row: the name, the date, the distance or the id.
fn cle(m: &Modele, t: TypeFhir, rang: u32, quoi: &str) -> Option<Cle<'static>> {
    let table = m.table(t);
    match quoi {
        "name" => table.noms(rang).map(|n| Cle::Texte(n.collect::<Vec<_>>().join("\n").into())),
        "_lastUpdated" => Some(Cle::Nombre(m.maj(t, rang, PROFIL) as f64)),
        "near" => {
            let d = table.positions.point(rang, false).distance(CENTRE);
            d.is_finite().then_some(Cle::Nombre(d))
        }
        _ => Some(Cle::Texte(table.id(rang).to_string().into())),
    }
}

#[test]
fn pages_follow_the_order_asked_both_ways() {
    let m = repertoire();
    let moteur = Moteur::nouveau(&m, PROFIL, &SansTexte, i64::MAX);
    let cas = [
        (LIEU, false, "near"),
        (LIEU, false, "name"),
        (LIEU, false, "_id"),
        (OFFRE, false, "_lastUpdated"),
        (OFFRE, true, "near"),
        (OFFRE, true, "name"),
        (OFFRE, true, "_lastUpdated"),
    ];
    for (t, par_lieux, quoi) in cas {
        for sens in ["", "-"] {
            let lien = if t == OFFRE { "location." } else { "" };
            let chemin = if par_lieux { "location." } else { "" };
            // All of them, those that have no key too.
            let filtre = format!("({lien}near eq 46.5|2.7|20|km or name co c)");
            let q = format!("_sort={sens}{chemin}{quoi}&_filter={filtre}");
            let requete = lire(t, &q);
            let rangs = moteur.rangs(t, &requete.condition).unwrap();
            // The key that counts: the first one in the direction asked.
            let dans_le_sens = |a: &Cle<'_>, b: &Cle<'_>| {
                let o = a.partial_cmp(b).unwrap();
                if sens == "-" { o.reverse() } else { o }
            };
            let une = |r: u32| {
                let (arrivee, bouts) = if par_lieux { (LIEU, lieux(&m, r)) } else { (t, vec![r]) };
                bouts.into_iter().filter_map(|x| cle(&m, arrivee, x, quoi)).min_by(dans_le_sens)
            };
            let mut attendus: Vec<(Option<Cle<'_>>, u32)> = rangs.iter().map(|r| (une(r), r)).collect();
            attendus.sort_by(|(a, ra), (b, rb)| {
                let o = match (a, b) {
                    (Some(a), Some(b)) => dans_le_sens(a, b),
                    _ => b.is_some().cmp(&a.is_some()),
                };
                o.then_with(|| m.table(t).comparer(*ra, *rb))
            });
            let attendus: Vec<u32> = attendus.into_iter().map(|(_, r)| r).collect();
            assert!(attendus.len() > 3 * PAGE, "{q}: {}", attendus.len());
            let tranche = |depart: Depart| -> Tranche {
                let depuis = requete.cercle.map(|c| c.centre);
                let ordre = Ordre::nouveau(&moteur, t, &requete.tri, depuis, None, &rangs, depart);
                ordre.and_then(|o| o.tranche(&moteur, &rangs, depart, PAGE)).unwrap()
            };
            let mut pages = vec![tranche(Depart::Debut)];
            while let Some(r) = pages.last().filter(|p| p.apres).and_then(|p| p.rangs.last().copied()) {
                pages.push(tranche(Depart::Apres(r)));
            }
            assert_eq!(pages.iter().flat_map(|p| p.rangs.clone()).collect::<Vec<_>>(), attendus, "{q}");
            for deux in pages.windows(2) {
                let retour = tranche(Depart::Avant(deux[1].rangs[0]));
                assert_eq!(retour.rangs, deux[0].rangs, "{q}");
            }
        }
    }
}
