use std::os::unix::fs::PermissionsExt;

use super::*;

const T: TypeFhir = TypeFhir::Organization;

fn fiche(rang: u32, narratif: &str, contenu: &str) -> Fiche {
    Fiche {
        type_fhir: T,
        rang,
        narratif: narratif.to_owned(),
        contenu: contenu.to_owned(),
        fin: String::new(),
    }
}

fn index(fiches: &[Fiche]) -> TexteIntegral {
    let texte = TexteIntegral::nouveau(0, None).unwrap();
    texte.poser(fiches);
    texte.achever();
    texte
}

fn rangs(texte: &TexteIntegral, champ: ChampTexte, cherche: &str) -> Vec<u32> {
    texte.chercher(T, champ, cherche, None).unwrap_or_default().rangs.iter().collect()
}

fn exemple() -> Vec<Fiche> {
    vec![
        fiche(0, "Centre hospitalier universitaire de Nantes", "Établissement public\nNantes"),
        fiche(1, "CHU d'Angers", "Angers"),
        fiche(2, "EHPAD St-Joseph", "Hébergement pour personnes âgées\nSaint-Nazaire"),
        fiche(3, "Maison d'accueil spécialisée Les Œillets", "Handicap\nCholet"),
        fiche(4, "Clinique de l'Archet", "Chirurgie cardiaque\nCardiologie interventionnelle\nNice"),
        fiche(5, "Cabinet du Dr Lefèvre", "Médecins généralistes\n44000 Nantes"),
    ]
}

#[test]
fn french_texts_are_found_as_people_write() {
    let texte = index(&exemple());
    let cas: &[(&str, &[u32])] = &[
        ("chu nantes", &[0]),
        ("CHU", &[0, 1]),
        ("centre hospitalier universitaire angers", &[1]),
        ("hopital", &[]),
        ("nantes", &[0, 5]),
        ("nanets", &[0, 5]),
        ("NANTES chu", &[0]),
        ("ehpad saint joseph", &[2]),
        ("établissement d'hébergement pour personnes âgées dépendantes", &[2]),
        ("st nazaire", &[2]),
        ("MAS oeillet", &[3]),
        ("cardio", &[4]),
        ("cardiolgie", &[4]),
        ("cardiologies interventionnelles", &[4]),
        ("docteur lefevre", &[5]),
        ("lefebvre", &[5]),
        ("generaliste medecin", &[5]),
        ("44000", &[5]),
        ("44100", &[]),
        ("nantes -chu", &[5]),
        ("nantes -\"centre hospitalier\"", &[5]),
        ("\"chirurgie cardiaque\"", &[4]),
        ("\"cardiaque chirurgie\"", &[]),
        ("\"cardiaque cardiologie\"", &[]),
        ("\"chu de nantes\"", &[0]),
        ("\"universitaire nantes\"", &[0]),
        ("\"chu angers\"", &[1]),
        ("\"nante\"", &[0, 5]),
        ("\"nanets\"", &[]),
        ("l'archet", &[4]),
        ("L ARCHET", &[4]),
        ("nantes cardiologie", &[]),
    ];
    for (cherche, attendus) in cas {
        assert_eq!(rangs(&texte, ChampTexte::Contenu, cherche), *attendus, "{cherche}");
    }
    assert_eq!(rangs(&texte, ChampTexte::Narratif, "nantes"), [0]);
    assert_eq!(rangs(&texte, ChampTexte::Narratif, "-chu ehpad"), [2]);
    assert!(texte.chercher(T, ChampTexte::Contenu, "de la", None).is_none());
    assert!(
        texte.chercher(TypeFhir::Location, ChampTexte::Contenu, "nantes", None).unwrap().rangs.is_empty()
    );
}

#[test]
fn the_fine_text_is_read_only_when_asked() {
    let fin = Fiche { fin: "Thrombolyse".to_owned(), ..fiche(3, "Neurologie", "Plein temps") };
    let texte = index(&[fin]);
    assert!(rangs(&texte, ChampTexte::Contenu, "thrombolyse").is_empty());
    assert_eq!(rangs(&texte, ChampTexte::ContenuFin, "thrombolyse neurologie"), [3]);
}

#[test]
fn better_answers_have_better_scores() {
    let texte = index(&[
        fiche(0, "Clinique du Château", ""),
        fiche(1, "Clinique du Château d'Eau de la Plaine", ""),
        fiche(2, "Cliniques des Châteaux", ""),
        fiche(3, "Clinique Chateaubriand", ""),
        fiche(4, "Clinique du Chateua", ""),
        fiche(5, "Maison de retraite", "Clinique du Château"),
    ]);
    let trouves = texte.chercher(T, ChampTexte::Contenu, "clinique château", None).unwrap();
    let scores: Vec<f32> = (0..6).map(|r| trouves.score(r).unwrap()).collect();
    assert!((scores[0] - 1.0).abs() < 1e-6, "{scores:?}");
    assert!(scores.iter().all(|s| 0.0 < *s && *s <= 1.0), "{scores:?}");
    for (mieux, moins) in [(0, 1), (0, 2), (2, 3), (3, 4), (4, 5)] {
        assert!(scores[mieux] > scores[moins], "{mieux} {moins} {scores:?}");
    }
    let deux = texte.chercher(T, ChampTexte::Contenu, "clinique château", Some(2)).unwrap();
    assert_eq!(deux.rangs.iter().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(deux.score(2), trouves.score(2));
    assert_eq!(deux.score(1), None);
}

#[test]
fn rows_are_replaced_and_taken_out() {
    let texte = index(&exemple());
    assert_eq!(texte.numero(), 1);
    texte.poser(vec![fiche(0, "Clinique Jules Verne", "Nantes")]);
    texte.retirer(&[(T, 1), (T, 99), (TypeFhir::Location, 4)]);
    // Not committed: the answer is the former one, and says so.
    let avant = texte.chercher(T, ChampTexte::Contenu, "chu", None).unwrap();
    assert_eq!(avant.rangs.iter().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(avant.numero, 1);
    let touches = texte.touches_depuis(T, avant.numero);
    assert!([0, 1, 99].into_iter().all(|r| touches.contains(r)));
    texte.achever();
    let apres = texte.chercher(T, ChampTexte::Contenu, "chu", None).unwrap();
    assert!(apres.rangs.is_empty());
    assert_eq!(apres.numero, 3);
    assert!(texte.touches_depuis(T, apres.numero).is_empty());
    assert_eq!(rangs(&texte, ChampTexte::Contenu, "jules verne"), [0]);
    texte.poser(vec![fiche(1, "a", ""), fiche(1, "CHU", ""), fiche(1, "Hôpital", "")]);
    texte.achever();
    assert_eq!(rangs(&texte, ChampTexte::Contenu, "hopital"), [1]);
    assert!(rangs(&texte, ChampTexte::Contenu, "chu").is_empty());
}

#[test]
fn a_commit_asked_for_comes() {
    let texte = TexteIntegral::nouveau(0, None).unwrap();
    texte.poser(vec![fiche(4, "Clinique", "")]);
    texte.valider();
    let limite = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while rangs(&texte, ChampTexte::Narratif, "clinique").is_empty() {
        assert!(std::time::Instant::now() < limite);
        std::thread::yield_now();
    }
}

#[test]
fn corrections_put_rows_in_and_out() {
    let mut t = Trouves::default();
    t.corriger(&[(5, Some(0.5))]);
    t.corriger(&[(2, Some(0.25)), (9, None)]);
    assert_eq!((t.rangs.iter().collect::<Vec<_>>(), t.score(5)), (vec![2, 5], Some(0.5)));
    let mut autre = Trouves { numero: 3, ..Trouves::default() };
    autre.corriger(&[(1, Some(0.1)), (5, Some(0.75)), (7, Some(1.0))]);
    autre.corriger(&[(1, None), (5, Some(0.75))]);
    t.unir(&autre);
    assert_eq!((t.score(2), t.score(5), t.score(7)), (Some(0.25), Some(0.75), Some(1.0)));
    t.corriger(&[(2, None)]);
    assert_eq!(t.rangs.iter().collect::<Vec<_>>(), [5, 7]);
    assert_eq!(t.score(2), None);
    t.corriger(&[(3, Some(0.5)), (6, None), (9, Some(0.5))]);
    let mut garde = t.clone();
    garde.garder(&RoaringBitmap::from([3, 4, 7]));
    t.oter(&RoaringBitmap::from([3, 4, 7]));
    assert_eq!((garde.rangs.iter().collect::<Vec<_>>(), garde.scores.len()), (vec![3, 7], 2));
    assert_eq!((t.rangs.iter().collect::<Vec<_>>(), t.scores.len()), (vec![5, 9], 2));
}

/// Draws texts and queries that resemble each other.
struct Hasard(u64);

impl Hasard {
    fn jusqu_a(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn un<'a>(&mut self, parmi: &[&'a str]) -> &'a str {
        parmi[self.jusqu_a(parmi.len())]
    }

    fn fiches(&mut self, nombre: u32) -> Vec<Fiche> {
        (0..nombre)
            .map(|rang| Fiche {
                type_fhir: T,
                rang,
                narratif: self.texte(5),
                contenu: self.texte(9),
                fin: self.texte(4),
            })
            .collect()
    }

    /// A word, sometimes cut, mistyped or inflected.
    fn mot(&mut self) -> String {
        let mot = self.un(MOTS);
        let mut lettres: Vec<char> = mot.chars().collect();
        match self.jusqu_a(9) {
            0 => lettres.truncate(1 + self.jusqu_a(lettres.len())),
            1 => lettres.push('s'),
            2 => {
                let k = self.jusqu_a(lettres.len());
                lettres.remove(k);
            }
            3 if lettres.len() > 2 => {
                let k = self.jusqu_a(lettres.len() - 1);
                lettres.swap(k, k + 1);
            }
            4 => {
                let k = self.jusqu_a(lettres.len());
                lettres[k] = 'e';
            }
            _ => {}
        }
        lettres.into_iter().collect()
    }

    fn texte(&mut self, mots: usize) -> String {
        let mut texte = String::new();
        for _ in 0..self.jusqu_a(mots) {
            texte.push_str(&self.mot());
            texte.push_str(self.un(&[" ", " ", " de ", "-", "\n", ". ", " l'", " / "]));
        }
        texte
    }

    fn demande(&mut self) -> String {
        let mut demande = String::new();
        for _ in 0..=self.jusqu_a(3) {
            let texte = self.mot();
            let autre = self.mot();
            match self.jusqu_a(8) {
                0 => demande.push_str(&format!("\"{texte} {autre}\" ")),
                1 => demande.push_str(&format!("-{texte} ")),
                2 => demande.push_str(&format!("-\"{texte} {autre}\" ")),
                3 => demande.push_str(&format!("{texte}-{autre} ")),
                _ => demande.push_str(&format!("{texte} ")),
            }
        }
        demande
    }
}

const MOTS: &[&str] = &[
    "CHU",
    "centre",
    "hospitalier",
    "universitaire",
    "Nantes",
    "Saint",
    "st",
    "Nazaire",
    "cardiologie",
    "cardiologue",
    "Médecine",
    "médical",
    "médicaux",
    "SSR",
    "soins",
    "suite",
    "réadaptation",
    "EHPAD",
    "unité",
    "intensifs",
    "USIC",
    "clinique",
    "Château",
    "44000",
    "C.H.",
    "Œuvre",
    "martin",
    "martine",
    "dupont",
    "psychiatrie",
    "psychiatrique",
    "infirmière",
    "infirmiers",
    "hôpital",
    "jour",
    "a",
    "le",
];

#[test]
fn the_index_and_the_text_alone_agree() {
    let mut hasard = Hasard(42);
    let mut fiches = hasard.fiches(100);
    let texte = index(&fiches);
    // Several segments, with deletions.
    for tour in 0..4 {
        for rang in (tour..100).step_by(7) {
            fiches[rang].narratif = hasard.texte(5);
            texte.poser(&fiches[rang..=rang]);
        }
        texte.achever();
    }
    let mut reponses = 0;
    for _ in 0..250 {
        let cherche = hasard.demande();
        let champ = [ChampTexte::Narratif, ChampTexte::Contenu, ChampTexte::ContenuFin][hasard.jusqu_a(3)];
        let Some(trouves) = texte.chercher(T, champ, &cherche, None) else {
            assert_eq!(texte.convient(champ, &cherche, &fiches[0]), None, "{cherche}");
            continue;
        };
        reponses += trouves.rangs.len();
        let demande = Demande::lire(&cherche).unwrap();
        for f in &fiches {
            let seul = demande.convient(champ, f, &mut Analyse::default());
            assert_eq!(trouves.score(f.rang), seul, "{cherche:?} {champ:?} {f:?}");
            assert!(seul.is_none_or(|s| 0.0 < s && s <= 1.0));
        }
    }
    assert!(reponses > 100, "{reponses}");
}

fn sur_disque(dossier: &tempfile::TempDir) -> TexteIntegral {
    TexteIntegral::nouveau(0, Some(dossier.path())).unwrap()
}

/// A copy of all that was handed over, as an image tells it.
fn copier(texte: &TexteIntegral) -> image::Texte {
    texte.demander_copie().unwrap().attendre(0, Default::default()).unwrap()
}

/// Folders whose name begins so.
fn dossiers(dossier: &tempfile::TempDir, debut: &str) -> Vec<PathBuf> {
    let tous = fs::read_dir(dossier.path()).unwrap().map(|e| e.unwrap().path());
    tous.filter(|c| c.file_name().unwrap().to_string_lossy().starts_with(debut)).collect()
}

/// Rows and scores of every answer.
fn reponses(texte: &TexteIntegral, demandes: &[String]) -> Vec<Vec<(u32, f32)>> {
    let champs = [ChampTexte::Narratif, ChampTexte::Contenu, ChampTexte::ContenuFin];
    let une = |d: &String| champs.map(|c| texte.chercher(T, c, d, None).unwrap_or_default().scores);
    demandes.iter().flat_map(une).collect()
}

#[test]
fn a_copy_taken_up_answers_as_the_index_did_and_as_one_made_from_scratch() {
    let dossier = tempfile::tempdir().unwrap();
    let mut hasard = Hasard(11);
    let mut fiches = hasard.fiches(100);
    let demandes: Vec<String> = (0..150).map(|_| hasard.demande()).collect();
    let texte = sur_disque(&dossier);
    texte.poser(&fiches[..]);
    texte.achever();
    for tour in 0..4 {
        for rang in (tour..100).step_by(7) {
            fiches[rang].contenu = hasard.texte(9);
            texte.poser(&fiches[rang..=rang]);
        }
        texte.achever();
    }
    // Handed over and not committed, it is in the copy; what comes after is not.
    texte.retirer(&[(T, 3), (T, 50)]);
    fiches.retain(|f| ![3, 50].contains(&f.rang));
    let copie = copier(&texte);
    let avant = reponses(&texte, &demandes);
    texte.poser(vec![fiche(3, "CHU Nantes", "cardiologie"), fiche(200, "Saint Nazaire", "soins")]);
    texte.retirer(&[(T, 10)]);
    texte.achever();
    drop(texte);

    let texte = sur_disque(&dossier);
    assert_eq!(texte.reprendre(&copie).unwrap(), 98);
    let neuf = index(&fiches);
    let lus = reponses(&texte, &demandes);
    assert!(lus.iter().any(|r| !r.is_empty()));
    assert!(lus == avant && lus == reponses(&neuf, &demandes));
    // A row is replaced, not doubled, and its change has a number.
    for texte in [&texte, &neuf] {
        texte.poser(vec![fiche(0, "CHU", "soins"), fiche(3, "Clinique", "Nantes")]);
        texte.retirer(&[(T, 1), (T, 50)]);
        texte.achever();
    }
    assert_eq!((texte.numero(), texte.vue().numero), (2, 2));
    assert!(reponses(&texte, &demandes) == reponses(&neuf, &demandes));
    assert!(texte.reprendre(&copie).is_err(), "rows were handed over");
    assert!(reponses(&texte, &demandes) == reponses(&neuf, &demandes));
}

#[test]
fn a_copy_that_is_not_as_it_was_made_is_refused_and_rows_are_fed_instead() {
    let dossier = tempfile::tempdir().unwrap();
    let texte = sur_disque(&dossier);
    texte.poser(exemple());
    texte.achever();
    texte.retirer(&[(T, 0)]);
    let copie = copier(&texte);
    drop(texte);
    let texte = sur_disque(&dossier);
    for (nom, _) in &copie.fichiers {
        let chemin = dossier.path().join(&copie.dossier).join(nom);
        let octets = fs::read(&chemin).unwrap();
        let mut change = octets.clone();
        change[octets.len() / 2] ^= 1;
        for faux in [None, Some(&octets[..octets.len() / 2]), Some(&change[..])] {
            fs::remove_file(&chemin).unwrap();
            if let Some(faux) = faux {
                fs::write(&chemin, faux).unwrap();
            }
            assert!(texte.reprendre(&copie).is_err(), "{nom}");
            fs::write(&chemin, &octets).unwrap();
        }
    }
    let autre = image::Texte {
        dossier: copie.dossier.clone(),
        fichiers: copie.fichiers.clone(),
        presentes: Default::default(),
        a_nourrir: Default::default(),
        libelles: 0,
    };
    assert!(texte.reprendre(&autre).is_err(), "other rows");
    assert_eq!(dossiers(&dossier, "texte-vif-").len(), 1, "nothing is left of what was refused");
    texte.poser(exemple());
    texte.achever();
    assert_eq!(rangs(&texte, ChampTexte::Contenu, "chu"), [0, 1]);
    drop(texte);
    let texte = sur_disque(&dossier);
    assert_eq!(texte.reprendre(&copie).unwrap(), 5);
    assert_eq!(rangs(&texte, ChampTexte::Contenu, "chu"), [1]);
}

#[test]
fn copies_in_use_are_left_and_nothing_of_former_lives() {
    let dossier = tempfile::tempdir().unwrap();
    let texte = sur_disque(&dossier);
    texte.poser(exemple());
    let copies = [copier(&texte), copier(&texte)];
    assert_eq!(dossiers(&dossier, "texte-copie-").len(), 2);
    oublier(dossier.path(), Some(&copies[1].dossier));
    assert_eq!(dossiers(&dossier, "texte-copie-"), [dossier.path().join(&copies[1].dossier)]);
    let vif = dossiers(&dossier, "texte-vif-");
    for chemin in dossiers(&dossier, "texte-") {
        assert_eq!(fs::metadata(chemin).unwrap().permissions().mode() & 0o777, 0o700);
    }
    drop(texte);
    let texte = sur_disque(&dossier);
    assert_eq!(dossiers(&dossier, "texte-vif-").len(), 1);
    assert_ne!(dossiers(&dossier, "texte-vif-"), vif);
    texte.reprendre(&copies[1]).unwrap();
    assert_eq!(dossiers(&dossier, "texte-vif-").len(), 1);
    oublier(dossier.path(), None);
    assert!(dossiers(&dossier, "texte-copie-").is_empty());
    assert_eq!(rangs(&texte, ChampTexte::Contenu, "chu"), [0, 1], "links of its own");
    assert!(TexteIntegral::nouveau(0, None).unwrap().demander_copie().is_none());
}

#[test]
fn any_text_and_any_query_are_taken() {
    let mut hasard = Hasard(7);
    let lettres: Vec<char> = "aé\"-' .\n\u{0}\u{301}’«»œ=😀\u{10ffff}\tÉ1²ßﬁİı漢".chars().collect();
    let mut suite = |n: usize| -> String {
        (0..hasard.jusqu_a(n)).map(|_| lettres[hasard.jusqu_a(lettres.len())]).collect()
    };
    let mut fiches: Vec<Fiche> = (0..100).map(|r| fiche(r, &suite(40), &suite(400))).collect();
    fiches.push(fiche(100, &"x".repeat(100_000), &"œ ".repeat(100_000)));
    let texte = index(&fiches);
    let mut demandes: Vec<String> = (0..300).map(|_| suite(30)).collect();
    demandes.push("-".repeat(50_000));
    demandes.push("\"".repeat(50_000));
    demandes.push("é".repeat(50_000));
    demandes.push("mot ".repeat(50_000));
    for cherche in &demandes {
        let trouves = texte.chercher(T, ChampTexte::Contenu, cherche, Some(50));
        for f in fiches.iter().step_by(10) {
            let seul = texte.convient(ChampTexte::Contenu, cherche, f);
            if trouves.as_ref().is_none_or(|t| t.rangs.len() < 50) {
                assert_eq!(trouves.as_ref().and_then(|t| t.score(f.rang)), seul, "{cherche:?}");
            }
        }
    }
}
