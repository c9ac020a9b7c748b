//! The restricted extract.

use super::*;

const ENTETE: &str = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom de famille|Prénoms|Date de naissance|Code commune de naissance|Code pays de naissance|Lieu de naissance|Code sexe|Téléphone (coord. correspondance)|Adresse e-mail (coord. correspondance)|Code civilité|Code profession|Code catégorie professionnelle|Code civilité d'exercice|Nom d'exercice|Prénom d'exercice|Code type savoir-faire|Code savoir-faire|Code mode exercice|Code secteur d'activité|Code section tableau pharmaciens|Code rôle|Numéro SIRET site|Numéro SIREN site|Numéro FINESS site|Numéro FINESS établissement juridique|Identifiant technique de la structure|Raison sociale site|Enseigne commerciale site|Complément destinataire (coord. structure)|Complément point géographique (coord. structure)|Numéro Voie (coord. structure)|Indice répétition voie (coord. structure)|Code type de voie (coord. structure)|Libellé Voie (coord. structure)|Mention distribution (coord. structure)|Bureau cedex (coord. structure)|Code postal (coord. structure)|Code commune (coord. structure)|Code pays (coord. structure)|Téléphone (coord. structure)|Téléphone 2 (coord. structure)|Télécopie (coord. structure)|Adresse e-mail (coord. structure)|Code département (coord. structure)|Ancien identifiant de la structure|Autorité d'enregistrement|";

/// Values of the personal columns, which must never come out.
const PERSONNELLES: [&str; 8] = [
    "NAISSANCE",
    "Prénomdeux",
    "01/02/1963",
    "01999",
    "99435",
    "LIEUNATAL",
    "0600000000",
    "prive@exemple.invalid",
];

fn extrait(source: impl Read) -> (Vec<Lecture>, Resume) {
    let mut lectures = Vec::new();
    let resume = lire_restreint(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume.unwrap())
}

fn ligne_restreinte(rpps: &str, nom: &str) -> String {
    let [famille, prenoms, jour, commune, pays, lieu, telephone, mel] = PERSONNELLES;
    format!(
        "8|{rpps}|8{rpps}|{famille}|Zoé'{prenoms}|{jour}|{commune}|{pays}|{lieu}|F|{telephone}|{mel}|MME|10|C|DR|{nom}|Zoé|S|SM53|S|SA01|||||019000207|||RAISON||||||||||01440|01451||0400000201|||||1019000207|CNOM/CNOM/ARS|"
    )
}

#[test]
fn meme_fiche_que_l_acces_libre_et_rien_de_la_personne() {
    let libre = ligne("10990000019", "ALPHA", "SM53", "019000207", "01451");
    let attendues = fiches(charger(fichier(&[libre]).as_bytes()).0);
    let lignes = [ligne_restreinte("10990000019", "ALPHA"), ligne_restreinte("10990000012", "ALPHA")];
    let (lectures, resume) = extrait(format!("{ENTETE}\n{}\n", lignes.join("\n")).as_bytes());
    assert_eq!(comptes(&resume, ["colonnes", "lignes", "personnes"]), [49, 2, 1]);
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    assert_eq!(refus(&lectures), [(3, "rpps-cle-invalide")]);
    let tout = format!("{lectures:?}{resume:?}");
    for personnelle in PERSONNELLES {
        assert!(!tout.contains(personnelle), "{personnelle}");
    }
    assert_eq!(fiches(lectures), attendues);
}

#[test]
fn editions_suivantes_et_colonne_absente() {
    let entete = format!("{ENTETE}Autres identifiants|Code genre d'activité|");
    let lignes = format!("{}1,2,3|GENR01|", ligne_restreinte("10990000019", "ALPHA"));
    let (lectures, resume) = extrait(format!("{entete}\n{lignes}\n").as_bytes());
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    assert_eq!(fiches(lectures)["810990000019"].exercices[0].activites[0].genre, "GENR01");
    let sans_nom = ENTETE.replace("Nom d'exercice", "Nom");
    let erreur = lire_restreint(sans_nom.as_bytes(), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(erreur.message.contains("Nom d'exercice"), "{erreur}");
}

#[test]
fn echantillon_restreint() {
    let Some(source) = echantillon("Extraction_ProSanteConnect_Personne_activite_202610010512.txt") else {
        return;
    };
    let (lectures, resume) = extrait(source);
    let lus = comptes(&resume, ["colonnes", "lignes", "personnes", "doublons", "reprises"]);
    assert_eq!(lus, [49, 14, 8, 1, 0]);
    assert_eq!(resume.constats, BTreeMap::from([("ligne-en-double", 1)]));
    assert!(refus(&lectures).is_empty());
    let Some(source) = echantillon("PS_LibreAcces_Personne_activite_202610010830.txt") else {
        return;
    };
    let mut libres = fiches(charger(source).0);
    for (id, lue) in fiches(lectures) {
        let mut libre = libres.remove(&id).unwrap();
        // The extract does not tell the genre of an activity.
        for activite in libre.exercices.iter_mut().flat_map(|exercice| &mut exercice.activites) {
            activite.genre.clear();
        }
        assert_eq!(lue, libre, "{id}");
    }
}
