use std::io::Write;

use ror_domaine::identifiants::id_eg;
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ActivitesFiness, StatutActivite, StructureFiness};

use super::*;

mod echantillons;

const SITE: &[(&str, &str)] = &[
    ("nofinesset", "019000207"),
    ("nofinessej", "019000108"),
    ("rs", "CH FICTIF"),
    ("rslongue", ""),
    ("commune", "451"),
    ("departement", "01"),
    ("codepostal", "01440"),
    ("ligneacheminement", "01440 VIRIAT"),
    ("courriel", "accueil@exemple.fr"),
    ("categetab", "355"),
    ("libcategetab", "Centre Hospitalier (C.H.)"),
    ("typeet", "P"),
    ("nofinessppal", ""),
    ("codeape", "8610Z"),
    ("dateouv", "1979-02-13"),
    ("indcaduc", "N"),
    ("typefermeture", ""),
    ("datefermeture", ""),
    ("datemaj", "2026-02-04"),
];

/// A record: its fields, and what a test changes of them. Empty ones are nil.
fn enregistrement(nom: &str, champs: &[(&str, &str)], changements: &[(&str, &str)]) -> String {
    let mut texte = format!("<{nom}>");
    for (champ, valeur) in champs {
        let change = changements.iter().find(|(autre, _)| autre == champ);
        let valeur = change.map_or(*valeur, |(_, valeur)| *valeur);
        if valeur.is_empty() {
            texte.push_str(&format!("<{champ} xsi:nil=\"true\"/>"));
        } else {
            texte.push_str(&format!("<{champ}>{valeur}</{champ}>"));
        }
    }
    format!("{texte}</{nom}>\n")
}

fn site(changements: &[(&str, &str)]) -> String {
    enregistrement("structureet", SITE, changements)
}

fn flux(enregistrements: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <fluxfiness xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
         <horodatage><emetteur>FINESS</emetteur><versionmessage>1</versionmessage>\
         <datemaj>2026-05-12</datemaj></horodatage>\n<!-- essai -->{enregistrements}</fluxfiness>\n"
    )
}

fn charger(octets: &[u8]) -> (Vec<Lecture>, Result<Resume, ErreurFichier>) {
    let mut lectures = Vec::new();
    let resume = lire(octets, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume)
}

fn structures(lectures: &[Lecture]) -> Vec<StructureFiness> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ressource, .. } => match ressource.as_ref() {
                Ressource::StructureFiness(structure) => Some(structure.clone()),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

fn activites(lectures: &[Lecture]) -> Vec<(bool, ActivitesFiness)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ressource, suite, .. } => match ressource.as_ref() {
                Ressource::ActivitesFiness(activites) => Some((*suite, activites.clone())),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

/// Ordinal and rules of each refusal.
fn refus(lectures: &[Lecture]) -> Vec<(u64, Vec<String>)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { .. } => None,
            Lecture::Refus { ligne, fautes, .. } => {
                Some((*ligne, fautes.iter().map(|faute| faute.regle.clone()).collect()))
            }
        })
        .collect()
}

#[test]
fn a_site_is_read_with_its_state() {
    let closes = [
        site(&[]),
        site(&[("nofinesset", "2B9000401"), ("typefermeture", "DEF"), ("datefermeture", "2026-05-11")]),
        site(&[("nofinesset", "2A9000312"), ("typefermeture", "PRO"), ("datefermeture", "2026-03-01")]),
        site(&[("nofinesset", "970299418"), ("dateouv", ""), ("indcaduc", "O")]),
        site(&[("nofinesset", "019000215"), ("typeet", "S"), ("nofinessppal", "019000207")]),
        site(&[("nofinesset", "019000223"), ("typeet", "S")]),
    ];
    let (lectures, resume) = charger(flux(&closes.concat()).as_bytes());
    let lues = structures(&lectures);
    let etats: Vec<(&str, &str, bool, &str)> = lues
        .iter()
        .map(|s| (&*s.type_fermeture, &*s.date_fermeture, s.caduque, &*s.finess_porteuse))
        .collect();
    assert_eq!(
        etats,
        [
            ("", "", false, ""),
            ("DEF", "2026-05-11", false, ""),
            ("PRO", "2026-03-01", false, ""),
            ("", "", true, ""),
            ("", "", false, "019000207"),
            ("", "", false, ""),
        ]
    );
    let premiere = &lues[0];
    assert_eq!(premiere.meta.as_ref().unwrap().id, id_eg("019000207"));
    assert_eq!(premiere.denomination, "CH FICTIF");
    assert_eq!(premiere.courriel, "accueil@exemple.fr");
    assert_eq!((premiere.code_ape.as_str(), premiere.commune_cog.as_str()), ("86.10Z", "01451"));
    assert_eq!(premiere.adresse.as_ref().unwrap().localite, "VIRIAT");
    let resume = resume.unwrap();
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20260512", "1"));
    assert_eq!(resume.comptes.get("structureet"), Some(&6));
    assert_eq!(resume.constats.into_iter().collect::<Vec<_>>(), [("site-principal-absent", 1)]);
}

#[test]
fn references_and_cdata_are_text() {
    let texte = flux(&site(&[("rs", "L&apos;&#201;TOILE <![CDATA[& <FILS>]]>")]));
    let (lectures, _) = charger(texte.as_bytes());
    assert_eq!(structures(&lectures)[0].denomination, "L'ÉTOILE & <FILS>");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"\xef\xbb\xbf").unwrap();
    gzip.write_all(texte.as_bytes()).unwrap();
    assert_eq!(charger(&gzip.finish().unwrap()).0, lectures);
}

#[test]
fn faulty_records_are_refused_and_the_rest_goes_on() {
    let longue = "x".repeat(5000);
    let enregistrements = [
        site(&[]),
        site(&[]),
        site(&[("nofinesset", "019"), ("rs", "")]),
        site(&[("nofinesset", "2B9000401"), ("rs", "&inconnue;")]),
        site(&[("nofinesset", "2B9000401"), ("rs", "<b><c/></b>")]),
        site(&[("nofinesset", "2B9000401"), ("rslongue", longue.as_str())]),
        site(&[("nofinesset", "2B9000401"), ("courriel", "a</courriel><courriel>b")]),
        "<structureet>perdu<rs>A &lt; B</rs></structureet>".to_owned(),
        site(&[("nofinesset", "2A9000312")]),
    ];
    let (lectures, resume) = charger(flux(&enregistrements.concat()).as_bytes());
    resume.unwrap();
    assert_eq!(structures(&lectures).len(), 2);
    let attendus: [(u64, &[&str]); 7] = [
        (2, &["numero-en-double"]),
        (3, &["finess-forme-invalide", "denomination-absente"]),
        (4, &["entite-inconnue", "denomination-absente"]),
        (5, &["forme-inattendue", "forme-inattendue", "denomination-absente"]),
        (6, &["texte-trop-long"]),
        (7, &["champ-en-double"]),
        (8, &["forme-inattendue", "finess-forme-invalide", "finess-forme-invalide"]),
    ];
    let vus = refus(&lectures);
    assert_eq!(vus.len(), attendus.len(), "{vus:?}");
    for ((ordinal, regles), (attendu, attendues)) in vus.iter().zip(attendus) {
        assert_eq!((*ordinal, regles.join(" ")), (attendu, attendues.join(" ")));
    }
    let perdue = lectures.iter().find_map(|lecture| match lecture {
        Lecture::Refus { ligne: 8, contenu, .. } => Some(contenu.as_str()),
        _ => None,
    });
    assert_eq!(perdue, Some("<structureet><rs>A &lt; B</rs></structureet>"));
}

#[test]
fn a_legal_entity_is_read_with_its_closure() {
    let champs = [
        ("nofiness", "2B9000120"),
        ("rs", "SAS FICTIVE"),
        ("commune", "033"),
        ("departement", "2B"),
        ("statutjuridique", "95"),
        ("siren", "990001034"),
        ("telecopie", "0495000402"),
        ("datecrea", "1995-01-01"),
        ("datefermeture", "2026-12-31"),
        ("typefermeture", "DEF"),
    ];
    let (lectures, resume) = charger(flux(&enregistrement("structureej", &champs, &[])).as_bytes());
    let lue = &structures(&lectures)[0];
    assert!(lue.entite_juridique);
    assert_eq!((lue.statut_juridique.as_str(), lue.siren.as_str()), ("95", "990001034"));
    assert_eq!((lue.date_ouverture.as_str(), lue.telecopie.as_str()), ("1995-01-01", "0495000402"));
    // After the day of the flow: announced only.
    assert_eq!((lue.date_fermeture.as_str(), lue.type_fermeture.as_str()), ("2026-12-31", ""));
    assert_eq!(resume.unwrap().constats.get("fermeture-annoncee"), Some(&1));
}

#[test]
fn activities_come_with_short_structures() {
    let equipement = [
        ("nofinesset", "019000215"),
        ("de", "924"),
        ("ta", "11"),
        ("client", "711"),
        ("capinstot", "78.0"),
        ("indsupinst", "N"),
        ("datederinst", "2017-01-03"),
        ("capautot", "80"),
        ("indsupaut", "N"),
    ];
    let courte = [("nofinesset", "019000215"), ("nofinessej", "019000108"), ("rs", "EHPAD")];
    let texte = [
        enregistrement("structureet", &courte, &[]),
        enregistrement("equipementsocial", &equipement, &[]),
        enregistrement("equipementsocial", &equipement, &[("client", "436")]),
        enregistrement("equipementsocial", &equipement, &[("nofinesset", "019000223")]),
        enregistrement("equipementsocial", &equipement, &[("de", "657")]),
    ];
    let (lectures, resume) = charger(flux(&texte.concat()).as_bytes());
    let lues = activites(&lectures);
    let vues: Vec<(bool, &str, usize)> =
        lues.iter().map(|(suite, a)| (*suite, a.num_finess.as_str(), a.activites.len())).collect();
    assert_eq!(vues, [(false, "019000215", 2), (false, "019000223", 1), (true, "019000215", 1)]);
    assert_eq!(lues[0].1.activites[0].statut(), StatutActivite::MiseEnOeuvre);
    assert_eq!(lues[0].1.activites[0].capacites.iter().map(|c| c.nombre).collect::<Vec<_>>(), [78, 80]);
    assert!(structures(&lectures).is_empty());
    let resume = resume.unwrap();
    assert_eq!(resume.comptes.get("structureet"), Some(&1));
    assert_eq!(resume.comptes.get("equipementsocial"), Some(&4));
}

#[test]
fn care_activities_are_read() {
    let soin = [
        ("nofinessej", "019000108"),
        ("activite", "15"),
        ("modalite", "09"),
        ("forme", "00"),
        ("indnatlien", "F"),
        ("nofinesset", "019000207"),
        ("noautorarhgos", "84-82-1"),
        ("datemeo", "2010-01-01"),
        ("datefin", "2027-01-01"),
        ("indcaduc", "N"),
    ];
    let (lectures, _) = charger(flux(&enregistrement("activiteoffresoin", &soin, &[])).as_bytes());
    let lues = activites(&lectures);
    let lue = &lues[0].1.activites[0];
    assert_eq!((lue.identifiant.as_str(), lue.num_arhgos.as_str()), ("15-09-00-84-82-1", "84-82-1"));
    assert_eq!((lue.statut(), lue.date_fin.as_str()), (StatutActivite::MiseEnOeuvre, "2027-01-01"));
}

#[test]
fn a_file_that_is_something_else_or_dangerous_is_refused_whole() {
    let entier = flux(&site(&[]));
    let profond = format!("<rs>{}", "<a>".repeat(100));
    let long = format!("<rs>{}</rs>", "x".repeat(600_000));
    let pas_le_flux = "Ce n'est pas le flux XML de FINESS : la racine doit être fluxfiness.";
    let inconnu = "Enregistrement inconnu ; sont lus structureej, structureet, equipementsocial et \
                   activiteoffresoin.";
    let tronque = "XML tronqué : le fichier s'arrête avant la fin de son dernier élément.";
    let dtd = "<!DOCTYPE fluxfiness [<!ENTITY a \"b\">]><fluxfiness/>";
    let cas = [
        (String::new(), pas_le_flux),
        ("<autre/>".to_owned(), pas_le_flux),
        ("{\"pmej\":[]}".to_owned(), pas_le_flux),
        (flux("<convention><numero>1</numero></convention>"), inconnu),
        (dtd.to_owned(), "Le fichier déclare un DTD ; il est refusé."),
        (flux(&format!("<structureet>{profond}")), "Trop d'éléments sont imbriqués."),
        (flux(&format!("<structureet>{long}</structureet>")), "Un élément dépasse 256 Kio."),
        (flux("perdu"), "Texte inattendu entre deux enregistrements."),
        (format!("{entier}<fluxfiness/>"), "Du contenu suit la fin de fluxfiness."),
        (entier.split_once("<rs>").unwrap().0.to_owned(), tronque),
    ];
    for (texte, attendu) in cas {
        let erreur = charger(texte.as_bytes()).1.unwrap_err();
        assert_eq!(erreur.message, attendu);
    }
    let invalide = charger(flux("<structureet></structureej>").as_bytes()).1.unwrap_err();
    assert!(invalide.message.starts_with("XML invalide"), "{invalide}");
    assert!(invalide.ligne >= 3, "{invalide}");
    let marque = entier.replace("CH FICTIF", "#");
    let latin: Vec<u8> = marque.bytes().map(|octet| if octet == b'#' { 0xc9 } else { octet }).collect();
    assert_eq!(charger(&latin).1.unwrap_err().message, "Le fichier n'est pas en UTF-8.");
}

#[test]
fn what_came_before_an_error_was_handed_over() {
    let texte = flux(&[site(&[]), "<inconnu/>".to_owned()].concat());
    let (lectures, resume) = charger(texte.as_bytes());
    assert_eq!(structures(&lectures).len(), 1);
    assert!(resume.is_err());
}

#[test]
fn the_caller_can_stop() {
    let texte = flux(&[site(&[]), site(&[("nofinesset", "019000215")])].concat());
    let mut lues = 0;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    });
    assert_eq!((lues, resume.unwrap().comptes.get("structureet")), (1, Some(&1)));
}
