use std::fs::{self, OpenOptions};

use tempfile::TempDir;

use super::*;
use crate::modele::{
    TypeFhir, etat,
    tests::{Hasard, evenement, tirer, vide},
};

const VIGUEUR: u64 = 42;

/// Rows, each with a version and a state of its own.
fn rempli(version: u64) -> Modele {
    let (mut m, mut h) = (vide(), Hasard(7));
    for _ in 0..60 {
        let (source, id, etat) = tirer(&mut h);
        m.appliquer(source, &[evenement(&id, version, &etat, false, source)]);
    }
    m
}

/// Every resource of the model, with what it would be.
fn extraits(m: &Modele) -> Vec<(Extrait<'_>, Vec<u8>)> {
    let de = |t: TypeFhir| m.table(t).presentes().iter().filter_map(move |r| m.extraire(t, r, 1));
    let json =
        |e: &Extrait<'_>| format!("{{\"id\":\"{}\",\"type\":\"{}\"}}", e.id, e.type_fhir.nom()).repeat(40);
    TypeFhir::TOUS.into_iter().flat_map(de).map(|e| (e.clone(), json(&e).into_bytes())).collect()
}

fn cle(e: &Extrait<'_>) -> Cle {
    Cle { type_fhir: e.type_fhir, profil: 1, rang: e.rang }
}

fn lue(r: &Reserve, e: &Extrait<'_>, profil: u8, vigueur: u64) -> Option<Vec<u8>> {
    let mut sortie = b"avant".to_vec();
    let la = r.lire(e, profil, vigueur, &mut sortie);
    assert!(la || sortie == b"avant", "nothing is added when nothing is there");
    la.then(|| sortie.split_off(5))
}

fn dictionnaires() -> Dictionnaires {
    Dictionnaires::nouveaux(TypeFhir::TOUS.map(|_| Dictionnaire::appris(b"", &[], 1).unwrap()))
}

fn ouverte(dossier: &TempDir) -> Arc<Reserve> {
    let r = Reserve::ouvrir(dossier.path(), 1).unwrap();
    // What the system lets go of would not be read.
    r.sans_attendre.store(false, Relaxed);
    Arc::new(r)
}

fn remplir(r: &Arc<Reserve>, m: &Modele) {
    r.recommencer(dictionnaires()).unwrap();
    let mut plume = Plume::nouvelle(r.clone());
    for (e, json) in extraits(m) {
        assert_eq!(plume.poser(cle(&e), temoins(&e), VIGUEUR, &json).unwrap(), Posee::Oui(Vec::new()));
        assert!(lue(r, &e, 1, VIGUEUR).is_none(), "not written yet");
    }
    plume.vider().unwrap();
}

#[test]
fn a_record_serves_what_it_was_made_of_and_nothing_else() {
    let (dossier, m) = (TempDir::new().unwrap(), rempli(1));
    let r = ouverte(&dossier);
    remplir(&r, &m);
    let tous = extraits(&m);
    assert!(tous.len() > 10);
    for (e, json) in &tous {
        assert_eq!(lue(&r, e, 1, VIGUEUR).as_ref(), Some(json));
        assert!(r.a(cle(e), temoins(e), VIGUEUR));
        assert!(lue(&r, e, 2, VIGUEUR).is_none(), "another profile");
        assert!(lue(&r, e, 1, VIGUEUR + 1).is_none(), "another policy or other labels");
        for autre in [
            Extrait { version: e.version + 1, ..e.clone() },
            Extrait { maj: e.maj + 1, ..e.clone() },
            Extrait { id: "autre".into(), ..e.clone() },
            Extrait { capacite: Some(e.etat), ..e.clone() },
            Extrait { faits: crate::fhir::politique::Faits { ms: !e.faits.ms, ..e.faits }, ..e.clone() },
        ] {
            assert!(lue(&r, &autre, 1, VIGUEUR).is_none());
            assert!(!r.a(cle(e), temoins(&autre), VIGUEUR));
        }
    }
    assert_eq!(r.taille().0, tous.len());
    let douteuses = r.douteuses();
    assert!(tous.iter().all(|(e, _)| douteuses.contains(&cle(e))), "what did not serve is looked at");
    assert!(r.douteuses().is_empty());
    r.oublier([cle(&tous[0].0)]);
    assert!(lue(&r, &tous[0].0, 1, VIGUEUR).is_none());
    r.recommencer(dictionnaires()).unwrap();
    assert!(tous.iter().all(|(e, _)| lue(&r, e, 1, VIGUEUR).is_none()), "begun again, nothing is left");
}

#[test]
fn another_life_takes_up_what_is_still_so() {
    let (dossier, m) = (TempDir::new().unwrap(), rempli(1));
    remplir(&ouverte(&dossier), &m);
    let relue = |m: &Modele, vigueur: u64| {
        let r = ouverte(&dossier);
        r.relire(m, vigueur, &CancellationToken::new()).unwrap();
        r
    };
    let r = relue(&m, VIGUEUR);
    for (e, json) in extraits(&m) {
        assert_eq!(lue(&r, &e, 1, VIGUEUR), Some(json));
    }
    assert_eq!(r.profils().collect::<Vec<_>>(), [1], "prepared before, prepared now");
    assert_eq!(relue(&m, VIGUEUR + 1).taille().0, 0, "another policy or other labels");
    assert_eq!(relue(&rempli(2), VIGUEUR).taille().0, 0, "other versions");
    // The same versions may be given again to other states, once everything was lost.
    let mut autre = rempli(1);
    for t in TypeFhir::TOUS {
        let rangs: Vec<u32> = autre.table(t).presentes().iter().collect();
        for rang in rangs {
            autre.table_mut(t).etats.poser(rang, &etat::garder(t.into(), b"other content"));
        }
    }
    assert_eq!(relue(&autre, VIGUEUR).taille().0, 0, "other states");
}

#[test]
fn a_file_may_hold_anything() {
    let (dossier, m) = (TempDir::new().unwrap(), rempli(1));
    let r = ouverte(&dossier);
    remplir(&r, &m);
    let chemin = dossier.path().join(FICHIER);
    let entier = fs::read(&chemin).unwrap();
    let ecrire = OpenOptions::new().write(true).open(&chemin).unwrap();
    // Every byte of the first records, then of the dictionaries.
    for i in (EMPLACEMENT..EMPLACEMENT + 400).chain(0..200) {
        ecrire.write_all_at(&[!entier[i]], i as u64).unwrap();
        for (e, json) in extraits(&m) {
            assert!(lue(&r, &e, 1, VIGUEUR).is_none_or(|lue| lue == json), "byte {i}");
        }
        let autre = ouverte(&dossier);
        autre.relire(&m, VIGUEUR, &CancellationToken::new()).unwrap();
        for (e, json) in extraits(&m) {
            assert!(lue(&autre, &e, 1, VIGUEUR).is_none_or(|lue| lue == json), "byte {i}, read again");
        }
        ecrire.write_all_at(&entier[i..=i], i as u64).unwrap();
    }
    for longueur in [entier.len() - 1, EMPLACEMENT + 100, EMPLACEMENT, 20, 3, 0] {
        ecrire.set_len(longueur as u64).unwrap();
        let autre = ouverte(&dossier);
        autre.relire(&m, VIGUEUR, &CancellationToken::new()).unwrap();
        for (e, json) in extraits(&m) {
            assert!(lue(&autre, &e, 1, VIGUEUR).is_none_or(|lue| lue == json), "{longueur} bytes");
        }
    }
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&chemin).unwrap().permissions()) & 0o777,
        0o600
    );
}

/// Bytes that do not compress.
fn bruit(h: &mut Hasard, n: usize) -> Vec<u8> {
    (0..n).map(|_| h.n(256) as u8).collect()
}

#[test]
fn a_full_file_keeps_what_is_in_use_and_takes_back_what_is_not() {
    let (dossier, m, mut h) = (TempDir::new().unwrap(), rempli(1), Hasard(3));
    let r = ouverte(&dossier);
    r.recommencer(dictionnaires()).unwrap();
    let mut plume = Plume::nouvelle(r.clone());
    let (modele, _) = extraits(&m).into_iter().next().unwrap();
    let de = |rang: u32| Extrait { rang, ..modele.clone() };
    let t = temoins(&modele);
    // Two slots of sixteen megabytes, after the first one.
    let json = bruit(&mut h, 900_000);
    let mut poser = |rang: u32| {
        let dire = [&rang.to_le_bytes()[..], &json].concat();
        plume.poser(cle(&de(rang)), t, VIGUEUR, &dire).unwrap()
    };
    let posees = (0..100).take_while(|rang| poser(*rang) != Posee::Pleine).count() as u32;
    assert!((30..40).contains(&posees), "{posees}");
    assert_eq!(poser(posees), Posee::Pleine, "still");
    assert!(r.douteuses().is_empty());
    let juste = |rang: u32| {
        lue(&r, &de(rang), 1, VIGUEUR)
            .map(|l| assert!(l[..4] == rang.to_le_bytes() && l[4..] == json))
            .is_some()
    };
    assert!((0..posees).all(juste), "nothing in use is driven out");
    // Half of the first slot is of no use any more: the others of that slot are given back.
    r.oublier((0..8).map(|rang| cle(&de(rang))));
    let Posee::Oui(perdues) = poser(200) else { panic!("a slot can be taken back") };
    assert!((1..20).contains(&perdues.len()), "{}", perdues.len());
    assert!(perdues.iter().all(|p| p.rang >= 8 && !juste(p.rang)));
    let reste: Vec<u32> = (8..posees).filter(|n| perdues.iter().all(|p| p.rang != *n)).collect();
    assert!(reste.iter().all(|rang| juste(*rang)) && reste.len() > 10);
    plume.vider().unwrap();
    assert!(juste(200));
    assert!(fs::metadata(dossier.path().join(FICHIER)).unwrap().len() <= 3 * EMPLACEMENT as u64);
}

#[test]
fn what_is_too_long_is_left_out() {
    let (dossier, m) = (TempDir::new().unwrap(), rempli(1));
    let r = ouverte(&dossier);
    r.recommencer(dictionnaires()).unwrap();
    let mut plume = Plume::nouvelle(r.clone());
    let tous = extraits(&m);
    let (longue, courte) = (&tous[0].0, &tous[1]);
    let json = bruit(&mut Hasard(9), 2 << 20);
    assert_eq!(plume.poser(cle(longue), temoins(longue), VIGUEUR, &json).unwrap(), Posee::Oui(Vec::new()));
    plume.poser(cle(&courte.0), temoins(&courte.0), VIGUEUR, &courte.1).unwrap();
    plume.vider().unwrap();
    assert!(lue(&r, longue, 1, VIGUEUR).is_none());
    assert_eq!(lue(&r, &courte.0, 1, VIGUEUR).as_ref(), Some(&courte.1));
}

#[test]
fn a_profile_is_prepared_for_once_it_asks_much() {
    let (dossier, m) = (TempDir::new().unwrap(), rempli(1));
    let r = ouverte(&dossier);
    let (e, _) = &extraits(&m)[0];
    for _ in 0..FROIDES {
        assert_eq!(r.profils().count(), 0);
        assert!(lue(&r, e, 3, VIGUEUR).is_none());
    }
    assert_eq!(r.profils().collect::<Vec<_>>(), [3]);
    assert!(lue(&r, e, 200, VIGUEUR).is_none(), "no such profile");
}
