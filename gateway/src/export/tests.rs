//! Jobs: bounds, ownership, what a restart finds again, what goes away.

use std::path::PathBuf;

use super::{
    demande::{Demande, Lecture},
    fichier::Ecrivain,
    manifeste::{Fichier, Manifeste},
    *,
};

/// A folder of its own, deleted at the end.
struct Dossier(PathBuf);

impl Dossier {
    fn nouveau(nom: &str) -> Self {
        let d = std::env::temp_dir().join(format!("ror-exports-{nom}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&d);
        Self(d)
    }

    fn exports(&self) -> Exports {
        let reglages =
            ReglagesExport { octets_max: 10_000, par_client: 2, ..ReglagesExport::dans(self.0.clone()) };
        let e = Exports::nouveau(reglages);
        e.charger();
        e
    }

    fn nombre(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Dossier {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fiche(client_id: &str) -> Fiche {
    fiche_du(client_id, 1)
}

fn fiche_du(client_id: &str, creee: i64) -> Fiche {
    Fiche {
        client_id: client_id.into(),
        profil: 2,
        url: "http://x/$export".into(),
        base: "http://x".into(),
        creee,
        demande: Demande::lire(Vec::new(), Lecture::default(), |_, _| Vec::new()).unwrap(),
    }
}

/// Ends a job with one file.
fn finir(e: &Exports, t: &Tache, fin: i64) {
    let mut f = Fichier {
        nom: "Location.1.json".into(),
        genre: "Location".into(),
        nombre: 1,
        scelle: Default::default(),
    };
    let mut ecrivain = Ecrivain::creer(&t.dossier.join(f.sur_disque())).unwrap();
    ecrivain.ecrire(b"{}").unwrap();
    f.scelle = ecrivain.clore().unwrap();
    t.octets.store(f.scelle.taille_gzip, Ordering::Relaxed);
    e.espace.prendre(f.scelle.taille_gzip);
    t.reussir(Manifeste { fin, sorties: vec![f], ..Default::default() }).unwrap();
}

#[test]
fn a_caller_has_its_bounds_and_sees_its_own_jobs_only() {
    let d = Dossier::nouveau("bornes");
    let e = d.exports();
    let un = e.accepter(fiche("a")).unwrap();
    e.accepter(fiche("a")).unwrap();
    assert!(matches!(e.accepter(fiche("a")), Err(Erreur::Epuise(t)) if t.contains("DELETE")));
    e.accepter(fiche_du("b", 0)).unwrap();
    assert!(e.trouver(un.id, "a", 2).is_some());
    assert!(e.trouver(un.id, "b", 2).is_none(), "another's");
    assert!(e.trouver(un.id, "a", 1).is_none(), "another profile");
    assert!(e.trouver(Uuid::nil(), "a", 2).is_none());
    // The oldest first, each once.
    assert_eq!(e.prochaine().map(|t| t.fiche.client_id.clone()).as_deref(), Some("b"));
    assert_eq!(
        (e.prochaine().is_some(), e.prochaine().is_some(), e.prochaine().is_none()),
        (true, true, true)
    );
    // Cancelled, it makes room.
    let autre = e.taches.lock().values().find(|t| t.fiche.client_id == "a").cloned().unwrap();
    e.retirer(&autre);
    assert!(autre.annulee() && e.trouver(autre.id, "a", 2).is_none());
    e.accepter(fiche("a")).unwrap();
    e.espace.prendre(20_000);
    assert!(matches!(e.accepter(fiche("c")), Err(Erreur::Epuise(_))));
}

#[test]
fn a_restart_keeps_what_is_finished_and_begins_the_rest_again() {
    let d = Dossier::nouveau("reprise");
    let e = d.exports();
    let [faite, echouee, coupee, abimee] = ["a", "b", "c", "d"].map(|c| e.accepter(fiche(c)).unwrap());
    finir(&e, &faite, 5);
    echouee.echouer(Echec::nouveau("no-store", "Le disque est plein."));
    assert!(coupee.commencer());
    fs::write(coupee.dossier.join("Location.1.json.gz"), "half").unwrap();
    finir(&e, &abimee, 5);
    fs::write(abimee.dossier.join("Location.1.json.gz"), "other").unwrap();
    // What is no job of ours: a folder without request goes, anything else stays.
    fs::create_dir(d.0.join(Uuid::new_v4().to_string())).unwrap();
    fs::create_dir(d.0.join("autre")).unwrap();
    drop(e);

    let e = d.exports();
    assert_eq!(d.nombre(), 5);
    let etat = |t: &Tache, c: &str| e.trouver(t.id, c, 2).map(|t| (t.etat(), t.reprise)).unwrap();
    assert!(matches!(etat(&faite, "a"), (Etat::Faite(m), false) if m.sorties.len() == 1 && m.fin == 5));
    assert!(matches!(etat(&echouee, "b"), (Etat::Echouee(x), false) if x.issues()[0].code == "no-store"));
    for (t, c) in [(&coupee, "c"), (&abimee, "d")] {
        assert!(matches!(etat(t, c), (Etat::Attente, true)), "{c}");
        assert_eq!(fs::read_dir(&t.dossier).unwrap().count(), 1, "{c}: only the request is left");
    }
    assert_eq!(e.espace.pris.load(Ordering::Relaxed), faite.octets.load(Ordering::Relaxed));
    assert!(e.prochaine().is_some() && e.prochaine().is_some() && e.prochaine().is_none());
}

#[test]
fn what_other_rights_gave_is_told_so_without_its_files() {
    let d = Dossier::nouveau("droits");
    let e = d.exports();
    let (une, active) = (e.accepter(fiche("a")).unwrap(), e.accepter(fiche("b")).unwrap());
    finir(&e, &une, 5);
    e.perimer(|profil| if profil == 2 { 0 } else { 1 });
    assert!(matches!(une.etat(), Etat::Faite(_)), "by the rules of its profile");
    e.perimer(|_| 1);
    assert!(matches!(une.etat(), Etat::Echouee(x) if x.issues()[0].code == "expired"));
    assert!(matches!(active.etat(), Etat::Attente));
    assert_eq!(fs::read_dir(&une.dossier).unwrap().count(), 2, "the request and why it failed");
    assert_eq!(e.espace.pris.load(Ordering::Relaxed), 0);
}

#[test]
fn what_is_out_of_date_goes_with_its_files_and_its_room() {
    let d = Dossier::nouveau("expiration");
    let e = d.exports();
    let (vieille, neuve, active) =
        (e.accepter(fiche("a")).unwrap(), e.accepter(fiche("b")).unwrap(), e.accepter(fiche("c")).unwrap());
    let heures = 3_600_000 * i64::try_from(e.reglages.heures).unwrap();
    finir(&e, &vieille, 0);
    finir(&e, &neuve, heures);
    e.expirer(heures + 1);
    assert_eq!(d.nombre(), 2);
    assert!(e.trouver(vieille.id, "a", 2).is_none() && e.trouver(neuve.id, "b", 2).is_some());
    assert!(e.trouver(active.id, "c", 2).is_some(), "not ended, not out of date");
    assert_eq!(e.espace.pris.load(Ordering::Relaxed), neuve.octets.load(Ordering::Relaxed));
}
