//! Moments kept and published, what the journal tells, what capacities add for each profile.

use std::time::Duration;

use ror_proto::capacity::v1::{CapaciteLieu, Capacity, CleIndicateur, EnregistrementCapacite, capacity};

use super::*;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const LIEU: TypeFhir = TypeFhir::Location;

pub(crate) fn lieu(id: &str, version: u64) -> Evenement {
    let l = LieuRealisation { meta: meta(id), ..Default::default() };
    let etat = Offer { ressource: Some(offer::Ressource::Lieu(l)) }.etat();
    evenement(id, version, &etat, false, Source::Offers)
}

pub(crate) fn lits(id: &str, version: u64, statuts: &[&str]) -> Evenement {
    let un = |s: &&str| {
        let cle = Some(CleIndicateur { statut: (*s).to_owned(), ..Default::default() });
        EnregistrementCapacite { cle, nombre: 3, ..Default::default() }
    };
    let k = CapaciteLieu {
        meta: meta(id),
        enregistrements: statuts.iter().map(un).collect(),
        ..Default::default()
    };
    let etat = Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(k)) }.etat();
    evenement(id, version, &etat, false, Source::Capacity)
}

fn dater(e: Evenement, seconds: i64) -> Evenement {
    Evenement { date: Some(prost_types::Timestamp { seconds, nanos: 0 }), ..e }
}

#[test]
fn capacities_show_in_the_version_and_the_journal_to_who_sees_one_only() {
    let a = Annuaire::nouveau(vide(), MINUTE, 4);
    a.ecrire(|m| m.appliquer(Source::Offers, &[lieu("li1", 1)]));
    // Who is told of a change, and the version that each profile then reads.
    let poser = |e: Evenement| {
        let avant = a.instant().numero();
        a.ecrire(|m| m.appliquer(Source::Capacity, &[e]));
        let m = a.instant();
        let pour = m.journal_depuis(avant).unwrap().iter().fold(0, |p, t| p | t.pour);
        let versions: Vec<u64> = (0..6)
            .map(|p| m.extraire(LIEU, m.visible(LIEU, "li1", p).unwrap(), p).unwrap().version)
            .collect();
        (pour, versions)
    };
    assert_eq!(poser(lits("li1", 3, &["06"])), (0b01_0010, vec![1, 4, 1, 1, 4, 1]));
    assert_eq!(poser(lits("li1", 4, &["02"])), (0b01_0110, vec![1, 5, 5, 1, 5, 1]));
    assert_eq!(poser(lits("li1", 5, &["01"])), (0b11_0110, vec![1, 6, 6, 1, 6, 6]));
    assert_eq!(poser(lits("li1", 6, &[])), (0b11_0110, vec![1, 7, 7, 1, 7, 7]), "gone, and never back");
    assert_eq!(poser(lits("li1", 7, &["06"])), (0b01_0010, vec![1, 8, 7, 1, 8, 7]));
    assert_eq!(poser(lits("li1", 2, &["01"])), (0, vec![1, 8, 7, 1, 8, 7]), "an old event");
    assert_eq!(poser(lits("li1", 7, &["06"])), (0b01_0010, vec![1, 8, 7, 1, 8, 7]), "told again");
    let retrait = || evenement("li1", 8, &[], true, Source::Capacity);
    assert_eq!(poser(retrait()), (0b01_0010, vec![1, 9, 7, 1, 9, 7]));
    assert_eq!(poser(lits("li1", 5, &["01"])), (0, vec![1, 9, 7, 1, 9, 7]), "withdrawn beds stay so");
    assert_eq!(poser(retrait()), (0b01_0010, vec![1, 9, 7, 1, 9, 7]), "told again");
}

#[test]
fn what_moves_because_of_a_hidden_offer_is_told_to_who_reads_it_only() {
    let a = Annuaire::nouveau(vide(), MINUTE, 4);
    let offre = |id: &str, version, unite_sensible, retire| {
        let o = OffreOperationnelle {
            meta: meta(id),
            unite_sensible,
            lieux_ids: vec!["li1".into()],
            ..Default::default()
        };
        let etat = Offer { ressource: Some(offer::Ressource::Offre(o)) }.etat();
        evenement(id, version, &etat, retire, Source::Offers)
    };
    // For whom each row changed, and who saw one that no longer refers to it.
    let touches = |source, e: Evenement| {
        let avant = a.instant().numero();
        a.ecrire(|m| m.appliquer(source, &[e]));
        let m = a.instant();
        let un =
            |t: &crate::modele::Touche| (m.table(t.type_fhir).id(t.rang).to_string(), t.pour, t.quittent);
        m.journal_depuis(avant).unwrap().iter().map(un).collect::<Vec<_>>()
    };
    let de = |id: &str, pour: u8, quittent: u8| (id.to_owned(), pour, quittent);
    let (tous, un_et_quatre) = (0b11_1111, 0b01_0010);
    a.ecrire(|_| ());
    assert_eq!(touches(Source::Offers, lieu("li1", 1)), [de("li1", tous, 0)]);
    assert_eq!(touches(Source::Offers, offre("of1", 1, false, false)), [de("of1", tous, 0)]);
    // Its place is now shared, which hides beds: it has none.
    assert_eq!(touches(Source::Offers, offre("of2", 1, true, false)), [de("of2", un_et_quatre, 0)]);
    assert_eq!(touches(Source::Offers, offre("of2", 2, true, false)), [de("of2", un_et_quatre, 0)]);
    assert_eq!(touches(Source::Capacity, lits("li1", 3, &["02"])), [de("li1", un_et_quatre, 0)]);
    let retrait = touches(Source::Offers, offre("of2", 3, true, true));
    assert_eq!(retrait, [de("of2", un_et_quatre, 0), de("li1", 0b00_0100, un_et_quatre)]);
    // Hidden from most, its place with it.
    let cachee = touches(Source::Offers, offre("of1", 2, true, false));
    let autres = tous ^ un_et_quatre;
    assert_eq!(cachee, [de("of1", tous, 0), de("li1", autres, autres)]);
}

#[test]
fn a_date_is_decided_as_if_it_were_read() {
    let mut m = vide();
    m.appliquer(Source::Offers, &[dater(lieu("li1", 1), 50)]);
    let mut lues = Vec::new();
    for (version, statuts, secondes) in [(2, &["06"][..], 100), (3, &["06"], 20), (4, &[], 200)] {
        m.appliquer(Source::Capacity, &[dater(lits("li1", version, statuts), secondes)]);
        let rang = m.table(LIEU).rang("li1").unwrap();
        for p in 0..6 {
            let maj = m.maj(LIEU, rang, p);
            assert_eq!(m.extraire(LIEU, rang, p).map(|e| e.maj), Some(maj), "{version} {p}");
            for borne in [20_000, 50_000, 100_000, 200_000] {
                let apres = m.maj_convient(LIEU, rang, p, |d| d >= borne);
                assert_eq!(apres, maj >= borne, "{version} {p} {borne}");
            }
        }
        lues.push([0, 1].map(|p| m.maj(LIEU, rang, p) / 1000));
    }
    // The same records again, though dated before, are no change.
    assert_eq!(lues, [[50, 100], [50, 100], [50, 200]]);
}

#[test]
fn hidden_capacities_move_neither_the_version_nor_the_date_of_their_place() {
    let vus = |m: &Modele| {
        let rang = m.table(LIEU).rang("li1").unwrap();
        [1, 2, 5].map(|p| m.extraire(LIEU, rang, p).map(|e| (e.version, e.maj / 1000)).unwrap())
    };
    let mut m = vide();
    m.appliquer(Source::Offers, &[dater(lieu("li1", 1), 50)]);
    let mut lus = Vec::new();
    for (version, statuts, secondes) in
        [(2, &["01"][..], 100), (3, &["01", "02"], 200), (4, &["01", "02", "06"], 300)]
    {
        m.appliquer(Source::Capacity, &[dater(lits("li1", version, statuts), secondes)]);
        lus.push(vus(&m));
    }
    assert_eq!(
        lus,
        [[(3, 100), (3, 100), (3, 100)], [(4, 200), (4, 200), (3, 100)], [(5, 300), (4, 200), (3, 100)]]
    );

    // All at once: who reads some only dates them by what they say themselves.
    let mut neuf = Modele::nouveau(politique());
    let un = |(statut, seconds): (&str, i64)| EnregistrementCapacite {
        cle: Some(CleIndicateur { statut: statut.into(), ..Default::default() }),
        date_maj: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..Default::default()
    };
    let enregistrements = [("01", 100), ("02", 200), ("06", 250)].map(un).to_vec();
    let k = CapaciteLieu { meta: meta("li1"), enregistrements, ..Default::default() };
    let etat = Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(k)) }.etat();
    let k = dater(evenement("li1", 4, &etat, false, Source::Capacity), 300);
    for s in SOURCES {
        neuf.debut_instantane(s);
        match s {
            Source::Offers => neuf.appliquer(s, &[dater(lieu("li1", 1), 50)]),
            Source::Capacity => neuf.appliquer(s, std::slice::from_ref(&k)),
            _ => {}
        }
        neuf.fin_instantane(s);
    }
    assert_eq!(vus(&neuf), [(5, 300), (5, 200), (5, 100)]);
}

#[test]
fn a_walk_that_begins_finds_a_place_and_none_outlives_the_rights_it_shows() {
    let a = Annuaire::nouveau(vide(), MINUTE, 2);
    let suivant = |version| {
        a.ecrire(|m| m.appliquer(Source::Offers, &[lieu("li1", version)]));
        a.instant()
    };
    let moments: Vec<Arc<Modele>> = (1..=3).map(suivant).collect();
    a.garder(&moments[0], true, "app");
    a.garder(&moments[1], true, "app");
    a.garder(&moments[2], false, "app");
    suivant(4);
    let gardes = |m: &[Arc<Modele>]| m.iter().map(|m| a.moment(m.numero()).is_some()).collect::<Vec<_>>();
    assert_eq!(gardes(&moments), [false, true, true]);
    a.ecrire(|m| m.changer_politique(politique()));
    assert_eq!((gardes(&moments), a.gardes()), (vec![false; 3], 0));
    a.garder(&moments[2], true, "app");
    assert_eq!(a.gardes(), 0, "an answer still on its way");
}

#[test]
fn a_caller_that_walks_everywhere_makes_its_own_walks_lapse() {
    let a = Annuaire::nouveau(vide(), MINUTE, 4);
    let suivant = |version| {
        a.ecrire(|m| m.appliquer(Source::Offers, &[lieu("li1", version)]));
        a.instant()
    };
    let moments: Vec<Arc<Modele>> = (1..=8).map(suivant).collect();
    a.garder(&moments[0], false, "calme");
    a.garder(&moments[1], true, "avide");
    a.garder(&moments[1], false, "autre");
    for m in &moments[2..] {
        a.garder(m, true, "avide");
    }
    suivant(9);
    let gardes: Vec<bool> = moments.iter().map(|m| a.moment(m.numero()).is_some()).collect();
    assert_eq!(gardes, [true, true, false, false, false, false, true, true]);
}

#[test]
fn an_answer_is_told_until_its_event_comes_and_no_more_when_it_came_first() {
    let a = Annuaire::nouveau(vide(), MINUTE, 4);
    a.ecrire(|m| m.appliquer(Source::Offers, &[lieu("li1", 1)]));
    // What who resumes at the present positions hears of.
    let dits = || {
        let m = a.instant();
        m.journal_depuis(m.journal_repere(m.positions()).unwrap()).unwrap().len()
    };
    let change = |version| lits("li1", version, [&["01"], &["02"]][version as usize % 2]);
    let evenement = |version| {
        a.ecrire(|m| {
            m.appliquer(Source::Capacity, &[change(version)]);
            m.situer(Source::Capacity, version);
        });
        dits()
    };
    let reponse = |version| {
        a.ecrire(|m| m.appliquer_reponse(&change(version)));
        dits()
    };
    assert_eq!((evenement(3), reponse(4), evenement(4)), (0, 1, 0));
    assert_eq!((evenement(5), reponse(5)), (0, 0), "its event came first");
}

#[test]
fn no_one_resumes_across_what_was_not_told() {
    let a = Annuaire::nouveau(vide(), MINUTE, 2);
    let situer = |sequence, naissance| {
        let avant = a.instant().numero();
        a.ecrire(|m| m.resituer(Source::Offers, sequence, naissance));
        a.instant().journal_depuis(avant).is_some()
    };
    a.ecrire(|m| m.appliquer(Source::Offers, &[lieu("li1", 1), lieu("li2", 1)]));
    assert!(situer(20, 1));
    assert!(!situer(30, 2), "another life");
    assert!(!situer(5, 2), "back");
    let m = a.instant();
    assert_eq!((m.positions()[1], m.journal_repere([0, 4, 0, 0])), (5, None));
    assert_eq!(m.journal_repere([0, 7, 9, 0]), Some(m.numero()));
    let instantane = |lot: &[Evenement]| {
        let avant = a.instant().numero();
        a.ecrire(|m| m.debut_instantane(Source::Offers));
        a.ecrire(|m| m.appliquer(Source::Offers, lot));
        a.ecrire(|m| m.fin_instantane(Source::Offers));
        a.instant().journal_depuis(avant)
    };
    assert_eq!(instantane(&[lieu("li1", 1), lieu("li2", 1)]), Some(Vec::new()), "the same again");
    assert_eq!(instantane(&[lieu("li1", 2), lieu("li2", 1)]), None, "changed");
    assert_eq!(instantane(&[lieu("li1", 2)]), None, "gone");
}

#[tokio::test]
async fn moments_are_few_but_who_waits_for_one_reads_its_own_write() {
    let a = Annuaire::nouveau(vide(), MINUTE, 2);
    let debut = std::time::Instant::now();
    for version in 1..=300 {
        let e = lieu("li1", version);
        a.ecrire_async(move |m| m.appliquer(Source::Offers, &[e])).await.unwrap();
    }
    a.ecrire_et_publier(|m| m.appliquer(Source::Offers, &[lieu("li2", 1)])).await.unwrap();
    let m = a.instant();
    assert!(m.visible(LIEU, "li2", 1).is_some());
    let au_plus = debut.elapsed().as_millis() / 50 + 2;
    assert!(u128::from(m.numero()) <= au_plus, "{} moments, {au_plus} at most", m.numero());
    // Nothing more is written: what waits is published all the same.
    a.ecrire_async(|m| m.appliquer(Source::Offers, &[lieu("li3", 1)])).await.unwrap();
    let mut avis = a.abonner();
    avis.wait_for(|n| *n > m.numero()).await.unwrap();
    assert!(a.instant().visible(LIEU, "li3", 1).is_some());
    assert!(a.ecrire_async::<()>(|_| panic!("wanted")).await.is_err());
    a.ecrire_et_publier(|m| m.situer(Source::Offers, 7)).await.unwrap();
    assert_eq!(a.instant().positions()[1], 7, "one failed write does not end the others");
}

#[test]
fn an_identifier_of_two_systems_and_a_name_of_two_lines_are_one() {
    let mut m = vide();
    for (version, id_nat_struct) in [(1, "750000001"), (2, "")] {
        let e = EntiteGeographique {
            meta: meta("eg1"),
            id_nat_struct: id_nat_struct.into(),
            num_finess: "750000001".into(),
            denomination: "Hôpital\nNord".into(),
            ..Default::default()
        };
        let etat = Structure { ressource: Some(structure::Ressource::EntiteGeographique(e)) }.etat();
        m.appliquer(Source::Structures, &[evenement("eg1", version, &etat, false, Source::Structures)]);
        assert_eq!(m.par_identifiant(TypeFhir::Organization, None, "750000001").len(), 1, "{version}");
    }
    let rang = m.table(TypeFhir::Organization).rang("eg1").unwrap();
    let noms: Vec<&str> = m.table(TypeFhir::Organization).noms(rang).unwrap().collect();
    assert_eq!(noms, ["hopital nord"]);
}
