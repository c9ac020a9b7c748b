//! A life that goes on from the image of another one finds what that one found, and what one that read everything would.

use std::{fs, path::Path};

use prost::Message as _;
use ror_proto::{
    common::v1::{Code, Evenement, Meta},
    nomenclatures::v1::{Concept, Nomenclature, Sorte},
    offers::v1::{Offer, OffreOperationnelle, offer},
};

use super::*;
use crate::{
    fhir::politique::{Politique, politique_par_defaut},
    modele::Source,
    recherche::evaluation::Textes as _,
    suivi::image::enregistrer,
    texte::{ChampTexte, TextesDuMoment},
};

const T: TypeFhir = TypeFhir::HealthcareService;

/// Code « a » under that label.
fn vocabulaire(libelle: &str) -> Vocabulaire {
    let concept = Concept { code: "a".into(), libelle: libelle.into(), ..Default::default() };
    Vocabulaire::fixe(&[Nomenclature {
        canonique: "tre".into(),
        sorte: Sorte::Tre as i32,
        concepts: vec![concept],
        ..Default::default()
    }])
}

/// An offer of activity « a ».
fn offre(id: &str, version: u64, nom: &str) -> Evenement {
    let o = OffreOperationnelle {
        meta: Some(Meta { id: id.into(), region: "52".into(), ..Default::default() }),
        nom: nom.into(),
        activites_operationnelles: vec![Code { systeme: "tre".into(), code: "a".into() }],
        ..Default::default()
    };
    let etat = Offer { ressource: Some(offer::Ressource::Offre(o)) }.encode_to_vec();
    Evenement { agregat_id: id.into(), version, etat: etat.into(), ..Default::default() }
}

fn retrait(id: &str, version: u64) -> Evenement {
    Evenement { retire: true, ..offre(id, version, "") }
}

/// What a gateway has of the directory and of its full text.
struct Vie {
    texte: Arc<TexteIntegral>,
    indexeur: Arc<Indexeur>,
    annuaire: Annuaire,
}

impl Vie {
    fn nouvelle(dossier: &Path, vocabulaire: Vocabulaire) -> Self {
        let tsv = include_str!("../../../../services/access/data/politique.tsv");
        let politique = Politique::compiler(&politique_par_defaut(tsv).unwrap()).unwrap();
        let mut m = Modele::nouveau(Arc::new(politique));
        for s in Source::TOUTES {
            m.debut_instantane(s);
            m.fin_instantane(s);
        }
        let texte = Arc::new(TexteIntegral::nouveau(0, Some(dossier)).unwrap());
        let indexeur = Arc::new(Indexeur::nouveau(texte.clone(), vocabulaire));
        let annuaire = Annuaire::nouveau(m, Duration::from_secs(60), 2).avec_temoin(indexeur.clone());
        Self { texte, indexeur, annuaire }
    }

    /// From the image of that folder; whether its full text served.
    fn restauree(dossier: &Path, vocabulaire: Vocabulaire) -> (Self, bool) {
        let vie = Self::nouvelle(dossier, vocabulaire);
        let (m, texte) = image::lire(dossier).unwrap();
        vie.annuaire.ecrire(|vide| *vide = m);
        let sert = vie.indexeur.reprendre(texte.unwrap()).is_ok();
        (vie, sert)
    }

    fn suivre(&self, evenements: &[Evenement]) {
        self.annuaire.ecrire(|m| m.appliquer(Source::Offers, evenements));
    }

    fn nourrir(&self) {
        assert!(self.indexeur.nourrir(&self.annuaire, &self.indexeur.libelles(), &CancellationToken::new()));
        assert_eq!(self.indexeur.entier(), Some(self.indexeur.libelles().1));
    }

    /// Rows that wait to be fed.
    fn reste(&self) -> u64 {
        self.indexeur.nourri.lock().reste.iter().map(RoaringBitmap::len).sum()
    }

    /// What is found by each of these words.
    fn trouves(&self, mots: &[&str]) -> Vec<String> {
        self.texte.achever();
        let m = self.annuaire.instant();
        let un = |mot: &&str| {
            let trouves = self.texte.chercher(T, ChampTexte::Contenu, mot, None).unwrap_or_default();
            let mut ids: Vec<String> = trouves.rangs.iter().map(|r| m.table(T).id(r).to_string()).collect();
            ids.sort();
            ids.join(" ")
        };
        mots.iter().map(un).collect()
    }

    /// What a search finds by each of these words, commits or not; `None` while full text is being made.
    fn lus(&self, mots: &[&str]) -> Option<Vec<String>> {
        let textes = TextesDuMoment::nouveau(self.texte.clone(), self.indexeur.libelles().0, 1);
        let m = self.annuaire.instant();
        let un = |mot: &&str| {
            let trouves = textes.trouver(&m, T, false, mot, &|_| Ok(())).unwrap();
            let trouves = &trouves.rangs & m.table(T).presentes();
            let mut ids: Vec<String> = trouves.iter().map(|r| m.table(T).id(r).to_string()).collect();
            ids.sort();
            ids.join(" ")
        };
        textes.entiers().then(|| mots.iter().map(un).collect())
    }
}

const MOTS: [&str; 6] = ["cardiologie", "dialyse", "maternite", "scanner", "thrombolyse", "imagerie"];

/// Three offers, all of them fed, and the second one changed since.
fn premiere(dossier: &Path) -> Vie {
    let vie = Vie::nouvelle(dossier, vocabulaire("Thrombolyse"));
    vie.suivre(&[offre("of1", 1, "Cardiologie"), offre("of2", 1, "Dialyse"), offre("of3", 1, "Dialyse")]);
    vie.nourrir();
    vie.suivre(&[offre("of2", 2, "Maternité")]);
    vie
}

#[test]
fn a_life_goes_on_from_the_full_text_of_the_former_one_and_feeds_nothing() {
    let dossier = tempfile::tempdir().unwrap();
    let avant = premiere(dossier.path());
    enregistrer(&avant.annuaire, &avant.indexeur, dossier.path()).unwrap();
    let image = avant.trouves(&MOTS);
    assert_eq!(image, ["of1", "of3", "of2", "", "of1 of2 of3", ""]);
    // No part of the image, which the index must not tell.
    let manques = [offre("of3", 2, "Scanner"), offre("of4", 1, "Dialyse"), retrait("of1", 2)];
    avant.suivre(&manques);
    let present = avant.trouves(&MOTS);
    assert_eq!(present, ["", "of4", "of2", "of3", "of2 of3 of4", ""]);
    drop(avant);

    let (apres, sert) = Vie::restauree(dossier.path(), vocabulaire("Thrombolyse"));
    assert!(sert);
    assert_eq!((apres.indexeur.entier(), apres.reste()), (Some(apres.indexeur.libelles().1), 0));
    assert_eq!(apres.trouves(&MOTS), image);
    apres.suivre(&manques);
    assert_eq!(apres.trouves(&MOTS), present);
    // Again, over what was taken up.
    enregistrer(&apres.annuaire, &apres.indexeur, dossier.path()).unwrap();
    drop(apres);
    let (encore, sert) = Vie::restauree(dossier.path(), vocabulaire("Thrombolyse"));
    assert!(sert);
    assert_eq!((encore.trouves(&MOTS), encore.reste()), (present, 0));
}

#[test]
fn rows_told_without_their_labels_are_told_again_by_the_next_life() {
    let dossier = tempfile::tempdir().unwrap();
    let vie = premiere(dossier.path());
    enregistrer(&vie.annuaire, &vie.indexeur, dossier.path()).unwrap();
    drop(vie);
    // Labels come after the rows.
    let (sans, _) = Vie::restauree(dossier.path(), Vocabulaire::default());
    sans.suivre(&[offre("of3", 2, "Scanner")]);
    assert_eq!((sans.reste(), sans.indexeur.entier()), (1, None));
    assert_eq!(sans.trouves(&["thrombolyse"]), ["of1 of2"]);
    enregistrer(&sans.annuaire, &sans.indexeur, dossier.path()).unwrap();
    drop(sans);
    let (avec, sert) = Vie::restauree(dossier.path(), vocabulaire("Thrombolyse"));
    assert_eq!((sert, avec.reste()), (true, 1));
    avec.nourrir();
    assert_eq!(avec.trouves(&MOTS), ["of1", "", "of2", "of3", "of1 of2 of3", ""]);
}

#[test]
fn other_labels_feed_every_row_again() {
    let dossier = tempfile::tempdir().unwrap();
    let vie = premiere(dossier.path());
    enregistrer(&vie.annuaire, &vie.indexeur, dossier.path()).unwrap();
    drop(vie);
    let (autre, sert) = Vie::restauree(dossier.path(), vocabulaire("Imagerie"));
    assert!(sert && !autre.indexeur.porte(autre.indexeur.libelles().1));
    autre.nourrir();
    assert_eq!(autre.trouves(&MOTS), ["of1", "of3", "of2", "", "", "of1 of2 of3"]);
}

#[test]
fn a_feeding_cut_short_goes_on_in_the_next_life() {
    let dossier = tempfile::tempdir().unwrap();
    let vie = premiere(dossier.path());
    let arret = CancellationToken::new();
    arret.cancel();
    let autres = vocabulaire("Imagerie");
    let libelles = (autres.tables(), autres.tables().empreinte_libelles());
    assert!(!vie.indexeur.nourrir(&vie.annuaire, &libelles, &arret));
    assert_eq!(vie.reste(), 3);
    enregistrer(&vie.annuaire, &vie.indexeur, dossier.path()).unwrap();
    drop(vie);
    let (suite, sert) = Vie::restauree(dossier.path(), autres);
    assert_eq!((sert, suite.reste(), suite.indexeur.entier()), (true, 3, None));
    suite.nourrir();
    assert_eq!(suite.trouves(&MOTS), ["of1", "of3", "of2", "", "", "of1 of2 of3"]);
}

#[test]
fn a_damaged_full_text_is_fed_anew_and_the_rest_of_the_image_serves() {
    let dossier = tempfile::tempdir().unwrap();
    let vie = premiere(dossier.path());
    enregistrer(&vie.annuaire, &vie.indexeur, dossier.path()).unwrap();
    let attendus = vie.trouves(&MOTS);
    drop(vie);
    let copie = image::lire(dossier.path()).unwrap().1.unwrap();
    fs::remove_file(dossier.path().join(&copie.dossier).join(&copie.fichiers[0].0)).unwrap();
    let (vie, sert) = Vie::restauree(dossier.path(), vocabulaire("Thrombolyse"));
    assert_eq!((sert, vie.indexeur.entier()), (false, None));
    assert_eq!(vie.trouves(&MOTS), [""; 6]);
    vie.nourrir();
    assert_eq!(vie.trouves(&MOTS), attendus);
    // The image that follows has one that serves, and nothing is left of the other.
    enregistrer(&vie.annuaire, &vie.indexeur, dossier.path()).unwrap();
    assert!(!dossier.path().join(copie.dossier).exists());
    drop(vie);
    let (vie, sert) = Vie::restauree(dossier.path(), vocabulaire("Thrombolyse"));
    assert!(sert);
    assert_eq!(vie.trouves(&MOTS), attendus);
}

#[test]
fn an_index_that_fails_misses_nothing_and_is_made_again() {
    let dossier = tempfile::tempdir().unwrap();
    let image = dossier.path().join("image");
    fs::create_dir(&image).unwrap();
    let vie = premiere(&image);
    assert_eq!(vie.lus(&MOTS).unwrap(), ["of1", "of3", "of2", "", "of1 of2 of3", ""]);
    // Its folder goes, under its hands.
    let vif = fs::read_dir(&image).unwrap().next().unwrap().unwrap().path();
    fs::rename(vif, dossier.path().join("ailleurs")).unwrap();
    vie.suivre(&[offre("of3", 2, "Scanner")]);
    assert!(!vie.texte.achever());
    // Who waited learns it first.
    let limite = Instant::now() + Duration::from_secs(30);
    while !vie.texte.en_panne() {
        assert!(Instant::now() < limite, "the failure is not told");
        std::thread::yield_now();
    }
    vie.suivre(&[offre("of4", 1, "Dialyse")]);
    let present = ["of1", "of4", "of2", "of3", "of1 of2 of3 of4", ""];
    assert_eq!(vie.lus(&MOTS).unwrap(), present);
    enregistrer(&vie.annuaire, &vie.indexeur, &image).unwrap();
    assert!(image::lire(&image).unwrap().1.is_none());
    // No place for another one: it answers as before.
    fs::remove_dir_all(&image).unwrap();
    fs::write(&image, "").unwrap();
    assert!(vie.indexeur.refaire().is_err() && vie.texte.en_panne());
    assert_eq!(vie.lus(&MOTS).unwrap(), present);
    fs::remove_file(&image).unwrap();
    vie.indexeur.refaire().unwrap();
    // Nothing is answered, nor kept as whole, before every row is fed.
    assert_eq!((vie.lus(&MOTS), vie.indexeur.entier()), (None, None));
    enregistrer(&vie.annuaire, &vie.indexeur, &image).unwrap();
    assert!(image::lire(&image).unwrap().1.is_none());
    vie.suivre(&[retrait("of1", 2)]);
    vie.nourrir();
    let present = ["", "of4", "of2", "of3", "of2 of3 of4", ""];
    assert_eq!(vie.lus(&MOTS).unwrap(), present);
    assert_eq!(vie.trouves(&MOTS), present);
    enregistrer(&vie.annuaire, &vie.indexeur, &image).unwrap();
    drop(vie);
    let (vie, sert) = Vie::restauree(&image, vocabulaire("Thrombolyse"));
    assert!(sert);
    assert_eq!(vie.trouves(&MOTS), present);
}
