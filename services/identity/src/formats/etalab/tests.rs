use std::io::Write;

use ror_domaine::identifiants::{id_eg, id_ej};
use ror_proto::common::v1::{Adresse, Meta, Position};
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ActivitesFiness, StructureFiness};

use super::genre::ET;
use super::*;

mod activites;
mod echantillons;
mod hostiles;

const PREMIERE: &str = "finess;etalab;111;2026-05-12";

/// Values of a site; what a test does not change.
const SITE: &[(&str, &str)] = &[
    ("structureet", "structureet"),
    ("nofinesset", "019000207"),
    ("nofinessej", "019000108"),
    ("rs", "CH FICTIF"),
    ("rslongue", "CENTRE HOSPITALIER FICTIF"),
    ("compldistrib", "BATIMENT A"),
    ("numvoie", "12"),
    ("typvoie", "RTE"),
    ("voie", "DE LA FICTION"),
    ("compvoie", "B"),
    ("lieuditbp", "BP 12"),
    ("commune", "451"),
    ("departement", "01"),
    ("libdepartement", "AIN"),
    ("ligneacheminement", "01440 VIRIAT CEDEX"),
    ("telephone", "0400000201"),
    ("telecopie", "0400000202"),
    ("categetab", "355"),
    ("libcategetab", "Centre Hospitalier (C.H.)"),
    ("siret", "99000101800128"),
    ("codeape", "8610Z"),
    ("codemft", "03"),
    ("codesph", "1"),
    ("dateouv", "1979-02-13"),
    ("dateautor", "1979-02-10"),
    ("datemaj", "2026-02-04"),
    ("numuai", "7200099Z"),
];

/// A line: the fields of a type, with values and what a test changes of them.
fn ligne(noms: &[&str], valeurs: &[(&str, &str)], changements: &[(&str, &str)]) -> String {
    let mut champs = Vec::new();
    for nom in noms {
        let dite = changements.iter().chain(valeurs).find(|(connu, _)| connu == nom);
        champs.push(dite.map_or("", |(_, valeur)| *valeur));
    }
    champs.join(";")
}

/// A site of 32 fields.
fn site(changements: &[(&str, &str)]) -> String {
    ligne(ET, SITE, changements)
}

fn fichier(lignes: &[String]) -> String {
    format!("{PREMIERE}\n{}\n", lignes.join("\n"))
}

fn charger(octets: &[u8]) -> (Vec<Lecture>, Result<Resume, ErreurFichier>) {
    let mut lectures = Vec::new();
    let resume = lire(octets, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume)
}

fn structures(lectures: &[Lecture]) -> Vec<(u64, bool, StructureFiness)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ligne, ressource, suite } => match ressource.as_ref() {
                Ressource::StructureFiness(structure) => Some((*ligne, *suite, structure.clone())),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

fn activites(lectures: &[Lecture]) -> Vec<(u64, bool, ActivitesFiness)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ligne, ressource, suite } => match ressource.as_ref() {
                Ressource::ActivitesFiness(activites) => Some((*ligne, *suite, activites.clone())),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

/// Line and first fault (element, rule) of each refusal.
fn refus(lectures: &[Lecture]) -> Vec<(u64, String, String)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { .. } => None,
            Lecture::Refus { ligne, fautes, .. } => {
                let premiere = fautes.first().unwrap();
                assert!(!premiere.message.is_empty() && !premiere.attendu.is_empty(), "{premiere:?}");
                Some((*ligne, premiere.element.clone(), premiere.regle.clone()))
            }
        })
        .collect()
}

fn attendus(lignes: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    lignes.iter().map(|(ligne, champ, regle)| (*ligne, (*champ).into(), (*regle).into())).collect()
}

fn proche(position: Position, longitude: f64, latitude: f64) -> bool {
    (position.longitude - longitude).abs() < 0.000_005 && (position.latitude - latitude).abs() < 0.000_005
}

fn constats(resume: Result<Resume, ErreurFichier>) -> Vec<(&'static str, u64)> {
    resume.unwrap().constats.into_iter().collect()
}

#[test]
fn a_site_is_read_whole() {
    let (lectures, resume) = charger(fichier(&[site(&[])]).as_bytes());
    let attendue = StructureFiness {
        meta: Some(Meta { id: id_eg("019000207"), region: "84".into(), ..Meta::default() }),
        num_finess: "019000207".into(),
        num_finess_ej: "019000108".into(),
        siret: "99000101800128".into(),
        denomination: "CENTRE HOSPITALIER FICTIF".into(),
        denomination_courte: "CH FICTIF".into(),
        categorie: "355".into(),
        espic: "1".into(),
        mode_tarification: "03".into(),
        code_ape: "86.10Z".into(),
        date_ouverture: "1979-02-13".into(),
        date_autorisation: "1979-02-10".into(),
        adresse: Some(Adresse {
            complement_point_geographique: "BATIMENT A".into(),
            numero_voie: "12".into(),
            extension: "B".into(),
            type_voie: "RTE".into(),
            libelle_voie: "DE LA FICTION".into(),
            lieu_dit: "BP 12".into(),
            code_postal: "01440".into(),
            localite: "VIRIAT CEDEX".into(),
            ..Adresse::default()
        }),
        commune_cog: "01451".into(),
        telephone: "0400000201".into(),
        telecopie: "0400000202".into(),
        num_uai: "7200099Z".into(),
        date_maj_source: "2026-02-04".into(),
        ..StructureFiness::default()
    };
    assert_eq!(structures(&lectures), [(2, false, attendue)]);
    let resume = resume.unwrap();
    assert_eq!(resume.cle, "20260512");
    assert_eq!(resume.comptes.get("lignes"), Some(&1));
    assert_eq!(resume.comptes.get("structureet"), Some(&1));
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
}

#[test]
fn a_legal_entity_is_read_whole() {
    let ligne = "structureej;759907132;\"FONDATION; HORIZON\";;COMPL;110;R;DU CHEVALERET;T;ESCALIER 2;\
                 BP 9;113;75013 PARIS;75;PARIS;01 00 00 01 10;63;Fondation;;;990001109;8720A;1921-07-14";
    let (lectures, resume) = charger(fichier(&[ligne.to_owned()]).as_bytes());
    let lues = structures(&lectures);
    let (ligne, suite, ej) = &lues[0];
    assert_eq!((*ligne, *suite, ej.entite_juridique), (2, false, true));
    assert_eq!(ej.meta.as_ref().unwrap().id, id_ej("759907132"));
    assert_eq!(ej.meta.as_ref().unwrap().region, "11");
    assert_eq!(ej.denomination, "FONDATION; HORIZON");
    assert_eq!(ej.denomination_courte, "FONDATION; HORIZON");
    assert_eq!((ej.siren.as_str(), ej.statut_juridique.as_str()), ("990001109", "63"));
    assert_eq!((ej.date_ouverture.as_str(), ej.code_ape.as_str()), ("1921-07-14", "87.20A"));
    assert_eq!((ej.commune_cog.as_str(), ej.telephone.as_str()), ("75113", "0100000110"));
    let adresse = ej.adresse.as_ref().unwrap();
    assert_eq!(adresse.complement_point_geographique, "ESCALIER 2");
    assert_eq!(adresse.lieu_dit, "BP 9");
    assert_eq!(constats(resume), [("telephone-remis-en-forme", 1)]);
}

#[test]
fn the_encodings_of_every_period_give_the_same_records() {
    let texte = fichier(&[site(&[("rs", "FOYER DU SACRÉ-CŒUR"), ("rslongue", "À L'ŒUVRE")])]);
    let (attendues, _) = charger(texte.as_bytes());
    assert_eq!(structures(&attendues)[0].2.denomination, "À L'ŒUVRE");

    let marque = [b"\xef\xbb\xbf".as_slice(), texte.as_bytes()].concat();
    assert_eq!(charger(&marque).0, attendues);

    let texte = texte.replace('\n', "\r\n");
    let (latin9, _, perdue) = encoding_rs::ISO_8859_15.encode(&texte);
    assert!(!perdue);
    assert_ne!(latin9.as_ref(), texte.as_bytes());
    assert_eq!(charger(&latin9).0, attendues);

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(texte.as_bytes()).unwrap();
    assert_eq!(charger(&gzip.finish().unwrap()).0, attendues);
}

#[test]
fn an_annual_file_is_read_by_its_header() {
    let entete = "nofinesset;nofinessej;rs;rslongue;region;departement;cog;codepostal;ligneacheminement;\
                  telephone;categetab;libcategetab;mft;sph;numen;coordx;coordy;sourcegeocod;dategeocod;\
                  dateouvert;datemaj;neuve";
    let lignes = [
        "019000223;019000108;SSIAD;;84;01;01451;01440;01440 VIRIAT;04 00 00 02 01;354;Service;03;1;\
         7200099Z;870332.4;6571288.8;1,ATLASANTE,100,IGN,BD_ADRESSE,V2.2,LAMBERT_93;2021-01-04;\
         1996-01-01;2020-01-15;x",
        "019000215;019000108;SACRÉ-CœUR;;84;01;01053;01000;01000 BOURG;;354;Service;;;;;;;;;2020-01-15;",
        "019000207;019000108;CH;;84;01;99999;;;;354;Service;;;;;;;;;;",
        "970299400;970299012;TROP COURTE",
    ];
    let texte = format!("{entete}\r\n{}\r\n", lignes.join("\r\n"));
    let (octets, _, perdue) = encoding_rs::WINDOWS_1252.encode(&texte);
    assert!(!perdue);
    let (lectures, resume) = charger(&octets);
    let lues = structures(&lectures);
    assert_eq!(lues.len(), 2);
    let ssiad = &lues[0].2;
    assert_eq!((ssiad.commune_cog.as_str(), ssiad.mode_tarification.as_str()), ("01451", "03"));
    assert_eq!((ssiad.espic.as_str(), ssiad.num_uai.as_str()), ("1", "7200099Z"));
    assert_eq!((ssiad.date_ouverture.as_str(), ssiad.telephone.as_str()), ("1996-01-01", "0400000201"));
    let adresse = ssiad.adresse.as_ref().unwrap();
    assert_eq!((adresse.code_postal.as_str(), adresse.localite.as_str()), ("01440", "VIRIAT"));
    let position = ssiad.position.unwrap();
    assert!(proche(position, 5.21, 46.22), "{position:?}");
    assert_eq!(lues[1].2.denomination, "SACRÉ-CœUR");
    assert_eq!(
        refus(&lectures),
        attendus(&[(4, "cog", "commune-inconnue"), (5, "ligne", "nombre-de-champs")])
    );
    let vus = resume.as_ref().unwrap().constats.clone();
    assert_eq!(vus.get("colonne-inconnue"), Some(&1));
    assert_eq!(vus.get("coordonnees-absentes"), Some(&2));
    assert_eq!(resume.unwrap().cle, "");
}

#[test]
fn an_annual_file_of_legal_entities_is_told_from_one_of_sites() {
    let texte = "nofinessej;rs;departement;commune;ligneacheminement;siren;categej;libcategej\n\
                 019000108;CH;01;451;01440 VIRIAT;990001018;1;x\n";
    let (lectures, resume) = charger(texte.as_bytes());
    let ej = &structures(&lectures)[0].2;
    assert!(ej.entite_juridique);
    assert_eq!((ej.num_finess.as_str(), ej.siren.as_str()), ("019000108", "990001018"));
    assert_eq!(resume.unwrap().constats.get("colonne-inconnue"), None);
}

#[test]
fn positions_come_after_the_structures_and_alone() {
    let courte = |changements: &[(&str, &str)]| ligne(&ET[..31], SITE, changements);
    let geo = |suite: &str| format!("geolocalisation;{suite}");
    let saint_martin = [("nofinesset", "970199501"), ("departement", "9A"), ("commune", "127")];
    let lignes = [
        courte(&[]),
        courte(&saint_martin),
        courte(&[("nofinesset", "019000215")]),
        courte(&[("nofinesset", "019000223"), ("categetab", "500")]),
        geo("019000207;870216.1;6571585.5;1,ATLASANTE,96,BAN,EPSG:2154 LABEL;2026-05-04"),
        geo("970199501;490782.9;1997655.7;1;ATLASANTE;61;IGN;BD_ADRESSE;V2.1;UTM_N20;2016-02-29"),
        geo("019000215;0;0;1,ATLASANTE,0,BAN,EPSG:2154 LABEL;1900-01-01"),
        geo("019000223;;;;"),
        geo("019000215;490782.9;1997655.7;1,ATLASANTE,96,BAN,EPSG:5490 LABEL;2026-05-04"),
        geo("019000215;870216.1;6571585.5;1,ATLASANTE,96,BAN,EPSG:9999;2026-05-04"),
        geo("019000215;ici;6571585.5;1,ATLASANTE,96,BAN,EPSG:2154;2026-05-04"),
        geo("759907306;653868.3;6858988.3;1,ATLASANTE,96,BAN,EPSG:2154;2026-05-04"),
        geo("019000215;870216.1"),
    ];
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let lues = structures(&lectures);
    assert_eq!(lues.len(), 6);
    assert!(lues[..4].iter().all(|(_, suite, structure)| !suite && structure.position.is_none()));
    let (ligne, suite, seule) = &lues[4];
    let position = seule.position.unwrap();
    assert!(proche(position, 5.2086, 46.2227), "{position:?}");
    let attendue = StructureFiness {
        meta: Some(Meta { id: id_eg("019000207"), region: "84".into(), ..Meta::default() }),
        num_finess: "019000207".into(),
        commune_cog: "01451".into(),
        position: Some(position),
        ..StructureFiness::default()
    };
    assert_eq!((*ligne, *suite, seule), (6, true, &attendue));
    assert_eq!(position.fiable, Some(true));
    let antilles = lues[5].2.position.unwrap();
    assert!(proche(antilles, -63.0871, 18.0675), "{antilles:?}");
    assert_eq!(antilles.fiable, Some(false));
    assert_eq!(
        refus(&lectures),
        attendus(&[(13, "nofinesset", "site-absent-du-fichier"), (14, "ligne", "nombre-de-champs")])
    );
    let vus = [
        ("coordonnees-absentes", 2),
        ("coordonnees-hors-limites", 1),
        ("coordonnees-illisibles", 1),
        ("projection-inconnue", 1),
    ];
    assert_eq!(constats(resume), vus);
}

#[test]
fn the_caller_can_stop() {
    let texte = fichier(&[site(&[]), site(&[("nofinesset", "019000215")])]);
    let mut lues = 0;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    });
    assert_eq!((lues, resume.unwrap().comptes.get("lignes")), (1, Some(&1)));
}
