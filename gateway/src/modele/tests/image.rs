//! An image read back is the model that was written; one that is not as it was written is refused.

use std::{
    fs,
    io::{ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ror_proto::{
    common::v1::{Adresse, Position, Quantite},
    offers::v1::{Equipement, Habitation, Limite},
    structures::v1::Tarif,
};

use super::{
    moments::{LIEU, MINUTE, lieu, lits},
    *,
};
use crate::{
    modele::{Point, image},
    recherche::parametres::Groupe,
};

/// A folder of its own, gone at the end.
struct Dossier(PathBuf);

impl Dossier {
    fn nouveau(nom: &str) -> Self {
        Self(std::env::temp_dir().join(format!("ror-image-{}-{nom}", std::process::id())))
    }

    fn fichier(&self) -> PathBuf {
        self.0.join("modele.image")
    }
}

impl Drop for Dossier {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SITE: &str = "206950cc-fcc6-5cf8-a079-16d9be9c4d56";

fn code(c: &str) -> Option<Code> {
    Some(Code { systeme: TRE_CHAMP.into(), code: c.into() })
}

/// Rows of every kind, with something in every structure.
fn rempli() -> Modele {
    let mut m = vide();
    agiter(&mut [&mut m], 7, 1);
    let tarif = Tarif {
        r#type: code("07"),
        montant_centimes: 4200,
        date_debut_validite: "2026-01-01".into(),
        ..Default::default()
    };
    let site = EntiteGeographique {
        meta: meta(SITE),
        denomination: "Hôpital Nord".into(),
        num_finess: "750000001".into(),
        date_fermeture: "2026-05-02".into(),
        tarifs: vec![tarif],
        ..Default::default()
    };
    let etat = Structure { ressource: Some(structure::Ressource::EntiteGeographique(site)) }.etat();
    m.appliquer(Source::Structures, &[evenement(SITE, 1, &etat, false, Source::Structures)]);
    let quantite = |valeur, unite| Some(Quantite { valeur, unite });
    let offre = OffreOperationnelle {
        meta: meta("of100"),
        nom: "Cardiologie".into(),
        porteur_id: SITE.into(),
        lieux_ids: vec!["li100".into()],
        secteurs_psychiatriques: vec!["75G01".into()],
        age_min: quantite(18.0, None),
        age_max: quantite(90.5, code("mo")),
        ..Default::default()
    };
    let equipement = Equipement {
        r#type: code("02"),
        limites: vec![Limite { r#type: code("03"), valeur: quantite(250.0, code("kg")) }],
        ..Default::default()
    };
    let place = LieuRealisation {
        meta: meta("li100"),
        nom: "Bâtiment A".into(),
        adresse: Some(Adresse {
            localite: "Nantes".into(),
            code_postal: "44000".into(),
            ..Default::default()
        }),
        position: Some(Position { latitude: 47.2, longitude: -1.55, fiable: None }),
        equipements: vec![equipement],
        habitations: vec![Habitation { r#type: code("05"), nombre: Some(3) }],
        ..Default::default()
    };
    for (id, r) in [("of100", offer::Ressource::Offre(offre)), ("li100", offer::Ressource::Lieu(place))] {
        let etat = Offer { ressource: Some(r) }.etat();
        m.appliquer(Source::Offers, &[evenement(id, 1, &etat, false, Source::Offers)]);
    }
    // Those who saw the first beds see none of the second, and remember.
    for e in [lits("li100", 1, &["01"]), lits("li100", 2, &["06"]), lits("li1", 3, &["02"])] {
        m.appliquer(Source::Capacity, &[e]);
    }
    m.resituer(Source::Offers, 12, 1_700_000_000_000_001);
    m
}

/// The same random events on every model.
fn agiter(modeles: &mut [&mut Modele], graine: u64, versions: u64) {
    let mut h = Hasard(graine);
    for version in versions..versions + 300 {
        let (source, id, etat) = tirer(&mut h);
        let e = evenement(&id, version, &etat, h.n(8) == 0, source);
        for m in modeles.iter_mut() {
            m.appliquer(source, std::slice::from_ref(&e));
        }
    }
}

/// What only one row answers.
fn trouves(m: &Modele) -> Vec<String> {
    let (sites, offres, lieux) =
        (m.table(TypeFhir::Organization), m.table(TypeFhir::HealthcareService), m.table(LIEU));
    let nantes = Point { lat: 47.21, lon: -1.56 };
    let mut trouves = vec![
        format!("{:?}", sites.rang(SITE)),
        format!("{:?}", m.par_identifiant(TypeFhir::Organization, None, "750000001")),
        format!("{:?}", sites.mots.egal("nord")),
        format!("{:?}", sites.periodes.iter().collect::<Vec<_>>()),
        format!("{:?}", offres.secteurs.debut("75g")),
        format!("{:?}", offres.ages_bas.toutes().collect::<Vec<_>>()),
        format!("{:?}", offres.ages_haut.toutes().collect::<Vec<_>>()),
        format!("{:?}", lieux.villes.egal("nantes")),
        format!("{:?}", lieux.codes_postaux.egal("44000")),
        format!("{:?}", lieux.positions.grille().alentour(nantes, 3_000.0, false)),
    ];
    for (table, groupe) in [
        (sites, Groupe::Tarif),
        (lieux, Groupe::Equipement),
        (lieux, Groupe::Habitation),
        (lieux, Groupe::Capacite),
    ] {
        let groupe = table.groupe(groupe);
        let s = groupe.signatures().last().unwrap();
        let n = groupe.signatures().len() as u32 - 1;
        trouves.push(format!("{:?} {:?} {:?}", s, groupe.ensemble(n, true), groupe.ensemble(n, false)));
        let rang = groupe.ensemble(n, false).and_then(|e| e.min()).unwrap();
        trouves.push(format!("{:?}", groupe.de(rang)));
    }
    let rang = lieux.rang("li100").unwrap();
    trouves.extend((0..6).map(|p| {
        let e = m.extraire(LIEU, rang, p);
        format!("{:?}", e.map(|e| (e.version, e.maj, e.capacite().is_some(), e.offre())))
    }));
    trouves
}

#[test]
fn an_image_read_back_is_the_model_that_was_written() {
    let d = Dossier::nouveau("relue");
    let mut m = rempli();
    let octets = image::ecrire(&m, None, &d.0).unwrap();
    let ecrits = fs::read(d.fichier()).unwrap();
    assert_eq!(octets, ecrits.len() as u64);
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&d.0), mode(&d.fichier())), (0o700, 0o600));
    assert_eq!(fs::read_dir(&d.0).unwrap().count(), 1, "nothing is left beside it");
    let (mut lu, _) = image::lire(&d.0).unwrap();
    comparer(&m, &lu, "read back");
    assert_eq!(trouves(&m), trouves(&lu));
    assert_eq!((m.politique().source(), m.positions()), (lu.politique().source(), lu.positions()));
    assert_eq!(lu.reprise(Source::Offers), Some((12, 1_700_000_000_000_001)));
    image::ecrire(&lu, None, &d.0).unwrap();
    assert!(fs::read(d.fichier()).unwrap() == ecrits, "written again, the same bytes");
    agiter(&mut [&mut m, &mut lu], 9, 1000);
    for s in SOURCES {
        for m in [&mut m, &mut lu] {
            m.debut_instantane(s);
            if s == Source::Offers {
                m.appliquer(s, &[lieu("li200", 1)]);
            }
            m.fin_instantane(s);
        }
        comparer(&m, &lu, "after events, then the snapshot of a source");
    }
}

#[test]
fn who_resumes_finds_its_place_in_the_next_life() {
    let d = Dossier::nouveau("reprise");
    let suivre = |a: &Annuaire, id: &str, sequence| {
        let e = lieu(id, 1);
        a.ecrire(|m| {
            m.appliquer(Source::Offers, &[e]);
            m.situer(Source::Offers, sequence);
        });
    };
    let touches = |a: &Annuaire, depuis| {
        let m = a.instant();
        let noms = |t: &crate::modele::Touche| m.table(t.type_fhir).id(t.rang).to_string();
        Some(m.journal_depuis(depuis)?.iter().map(noms).collect::<Vec<_>>())
    };
    let a = Annuaire::nouveau(vide(), MINUTE, 2);
    a.ecrire(|m| m.resituer(Source::Offers, 10, 77));
    let avant = a.instant().numero();
    suivre(&a, "li1", 11);
    let moment = a.instant();
    // Noted in the journal that the moment shares, and not of the moment.
    suivre(&a, "li2", 12);
    image::ecrire(&moment, None, &d.0).unwrap();

    let b = Annuaire::nouveau(Modele::nouveau(politique()), MINUTE, 2);
    let (lu, _) = image::lire(&d.0).unwrap();
    b.ecrire(|m| *m = lu);
    let m = b.instant();
    assert!(m.numero() > moment.numero());
    assert_eq!((m.reprise(Source::Offers), m.reprise(Source::Identity)), (Some((11, 77)), None));
    assert_eq!(touches(&b, avant), Some(vec!["li1".to_owned()]));
    suivre(&b, "li2", 12);
    let repere = b.instant().journal_repere([0, 11, 0, 0]).unwrap();
    assert_eq!(touches(&b, repere), Some(vec!["li2".to_owned()]));
    b.ecrire(|m| m.resituer(Source::Offers, 30, 78));
    assert_eq!(touches(&b, avant), None, "another life of the stream");
}

#[test]
fn an_image_that_is_not_as_it_was_written_is_refused() {
    let d = Dossier::nouveau("refusee");
    assert_eq!(image::lire(&d.0).err().map(|e| e.kind()), Some(ErrorKind::NotFound));
    image::ecrire(&rempli(), None, &d.0).unwrap();
    let ecrits = fs::read(d.fichier()).unwrap();
    let refus = |octets: &[u8]| {
        fs::write(d.fichier(), octets).unwrap();
        image::lire(&d.0).err().map(|e| e.to_string())
    };
    assert_eq!(refus(&ecrits), None);
    for i in 0..50 {
        assert!(refus(&ecrits[..ecrits.len() * i / 50]).is_some(), "cut at {i}/50");
    }
    for i in 0..24 {
        let mut octets = ecrits.clone();
        octets[ecrits.len() * i / 24] ^= 1 << (i % 8);
        assert!(refus(&octets).is_some(), "one bit at {i}/24");
    }
    assert!(refus(&[&ecrits[..], &[0]].concat()).is_some(), "longer");
    let mut ailleurs = ecrits.clone();
    ailleurs[10] ^= 1;
    assert_eq!(refus(&ailleurs).as_deref(), Some("written by another build"));
    image::oter(&d.0);
    assert_eq!(image::lire(&d.0).err().map(|e| e.kind()), Some(ErrorKind::NotFound));
}

/// Gives to `vers` what was opened, but for what `sauf` changes.
fn donner(
    ouverts: Vec<image::Fichier>,
    vers: &Path,
    sauf: impl Fn(&str, &mut String, &mut String, &mut u64),
) -> std::io::Result<()> {
    let mut reception = image::Reception::nouvelle(vers)?;
    for mut f in ouverts {
        let mut octets = Vec::new();
        f.octets.read_to_end(&mut octets)?;
        let nom = f.nom.clone();
        sauf(&nom, &mut f.dossier, &mut f.nom, &mut f.taille);
        reception.commencer(&f.dossier, &f.nom, f.taille)?;
        octets.chunks(1000).try_for_each(|morceau| reception.poser(morceau))?;
    }
    reception.finir()
}

#[test]
fn an_image_is_given_as_it_was_opened_and_taken_whole_or_not_at_all() {
    let (d, autre) = (Dossier::nouveau("donnee"), Dossier::nouveau("prise"));
    let ecrire = |m: &Modele, copie: &str| {
        fs::create_dir_all(d.0.join(copie)).unwrap();
        fs::write(d.0.join(copie).join("a.idx"), copie.repeat(500)).unwrap();
        let texte = image::Texte {
            dossier: copie.into(),
            fichiers: vec![("a.idx".into(), (0, 0))],
            presentes: Default::default(),
            a_nourrir: Default::default(),
            libelles: 7,
        };
        image::ecrire(m, Some(&texte), &d.0).unwrap();
    };
    let m = rempli();
    ecrire(&m, "texte-copie-1");
    let rien = |_: &str, _: &mut String, _: &mut String, _: &mut u64| {};
    let ouverts = image::ouvrir(&d.0).unwrap();
    // Replaced meanwhile, its full text deleted.
    ecrire(&vide(), "texte-copie-2");
    fs::remove_dir_all(d.0.join("texte-copie-1")).unwrap();
    donner(ouverts, &autre.0, rien).unwrap();
    let (lu, texte) = image::lire(&autre.0).unwrap();
    assert_eq!(trouves(&lu), trouves(&m));
    assert_eq!(texte.map(|t| t.libelles), Some(7));
    assert_eq!(
        fs::read(autre.0.join("texte-copie-1/a.idx")).unwrap(),
        "texte-copie-1".repeat(500).as_bytes()
    );
    fs::remove_dir_all(&autre.0).unwrap();

    type Faute = fn(&mut String, &mut String, &mut u64);
    let refusees: [Faute; 8] = [
        |dossier, _, _| *dossier = "ailleurs".into(),
        |dossier, _, _| *dossier = "texte-copie-/../../x".into(),
        |_, nom, _| *nom = "../a".into(),
        |_, nom, _| *nom = ".a".into(),
        |_, nom, _| nom.clear(),
        |dossier, _, _| dossier.clear(),
        |_, _, taille| *taille += 1,
        |_, _, taille| *taille -= 1,
    ];
    for (i, refusee) in refusees.iter().enumerate() {
        let sauf = |quel: &str, dossier: &mut String, nom: &mut String, taille: &mut u64| {
            if quel == "a.idx" {
                refusee(dossier, nom, taille);
            }
        };
        assert!(donner(image::ouvrir(&d.0).unwrap(), &autre.0, sauf).is_err(), "{i}");
        assert_eq!(fs::read_dir(&autre.0).unwrap().count(), 0, "{i}: something of it stays");
    }
    let mut sans_fin = image::ouvrir(&d.0).unwrap();
    sans_fin.pop();
    assert!(donner(sans_fin, &autre.0, rien).is_err(), "without the image");
    assert_eq!(fs::read_dir(&autre.0).unwrap().count(), 0);
    let mut deux = image::ouvrir(&d.0).unwrap();
    deux.extend(image::ouvrir(&d.0).unwrap());
    assert!(donner(deux, &autre.0, rien).is_err(), "something after the image");
}
