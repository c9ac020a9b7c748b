//! Abbreviations of the field and what they stand for. A text that holds one form of a line is indexed under all of
//! them, so that a query written in any form finds it.

use std::{collections::HashMap, sync::LazyLock};

use super::analyse::{mots, racine};

/// Forms that mean the same.
const TABLE: &[&[&str]] = &[
    // Establishments.
    &["chu", "centre hospitalier universitaire"],
    &["chru", "centre hospitalier régional universitaire"],
    &["chr", "centre hospitalier régional"],
    &["chi", "centre hospitalier intercommunal"],
    &["chs", "centre hospitalier spécialisé"],
    &["ch", "centre hospitalier"],
    &["ghu", "groupe hospitalier universitaire"],
    &["ght", "groupement hospitalier de territoire"],
    &["gh", "groupe hospitalier"],
    &["hia", "hôpital d'instruction des armées"],
    &["ehpad", "établissement d'hébergement pour personnes âgées dépendantes"],
    &["ehpa", "établissement d'hébergement pour personnes âgées"],
    &["msp", "maison de santé pluriprofessionnelle"],
    &["cpts", "communauté professionnelle territoriale de santé"],
    &["pmi", "protection maternelle et infantile"],
    // Medico-social.
    &["mas", "maison d'accueil spécialisée"],
    &["fam", "foyer d'accueil médicalisé"],
    &["eam", "établissement d'accueil médicalisé"],
    &["eanm", "établissement d'accueil non médicalisé"],
    &["esat", "établissement et service d'aide par le travail"],
    &["ime", "institut médico-éducatif"],
    &["itep", "institut thérapeutique, éducatif et pédagogique"],
    &["iem", "institut d'éducation motrice"],
    &["sessad", "service d'éducation spéciale et de soins à domicile"],
    &["savs", "service d'accompagnement à la vie sociale"],
    &["samsah", "service d'accompagnement médico-social pour adultes handicapés"],
    &["camsp", "centre d'action médico-sociale précoce"],
    &["pasa", "pôle d'activités et de soins adaptés"],
    &["uhr", "unité d'hébergement renforcée"],
    &["lhss", "lits halte soins santé"],
    // Home.
    &["had", "hospitalisation à domicile"],
    &["ssiad", "service de soins infirmiers à domicile"],
    &["spasad", "service polyvalent d'aide et de soins à domicile"],
    &["saad", "service d'aide et d'accompagnement à domicile"],
    // Mental health, addictions.
    &["cmp", "centre médico-psychologique"],
    &["cmpp", "centre médico-psycho-pédagogique"],
    &["cattp", "centre d'accueil thérapeutique à temps partiel"],
    &["csapa", "centre de soins, d'accompagnement et de prévention en addictologie"],
    // Emergency, critical care.
    &["sau", "service d'accueil des urgences"],
    &["samu", "service d'aide médicale urgente"],
    &["smur", "structure mobile d'urgence et de réanimation", "service mobile d'urgence et de réanimation"],
    &["uhcd", "unité d'hospitalisation de courte durée"],
    &["usi", "unité de soins intensifs"],
    &["usic", "unité de soins intensifs cardiologiques", "unité de soins intensifs de cardiologie"],
    &["usinv", "unité de soins intensifs neurovasculaires"],
    &["usc", "unité de surveillance continue"],
    // Hospital activities.
    &["smr", "ssr", "soins médicaux et de réadaptation", "soins de suite et de réadaptation"],
    &["usld", "unité de soins de longue durée"],
    &["mco", "médecine chirurgie obstétrique"],
    &["irm", "imagerie par résonance magnétique"],
    &["tep", "tomographie par émission de positons"],
    &["pui", "pharmacie à usage intérieur"],
    // Words cut short in registries.
    &["st", "saint"],
    &["ste", "sainte"],
    &["dr", "docteur"],
    &["pr", "professeur"],
    &["hop", "hôpital"],
    &["clin", "clinique"],
    &["ctre", "centre"],
    &["etab", "établissement"],
    &["sce", "service"],
    &["res", "résidence"],
    &["foy", "foyer"],
    &["inst", "institut"],
    &["assoc", "association"],
    &["phie", "pharmacie"],
    &["labo", "laboratoire"],
    &["med", "médecine"],
    &["chir", "chirurgie"],
    &["rea", "réanimation"],
];

/// Words of a form, with their stems.
pub(super) struct Forme {
    pub mots: Vec<String>,
    pub racines: Vec<String>,
}

/// Forms that mean the same.
pub(super) struct Groupe {
    pub formes: Vec<Forme>,
    /// Words of the longest.
    pub etendue: usize,
}

struct Formes {
    groupes: Vec<Groupe>,
    /// Group and form by the first word of the form, longest first.
    debuts: HashMap<String, Vec<(usize, usize)>>,
}

static FORMES: LazyLock<Formes> = LazyLock::new(|| {
    let groupes: Vec<Groupe> = TABLE.iter().map(|ligne| groupe(ligne)).collect();
    let mut debuts: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
    for (g, groupe) in groupes.iter().enumerate() {
        for (f, forme) in groupe.formes.iter().enumerate() {
            if let (Some(m), Some(r)) = (forme.mots.first(), forme.racines.first()) {
                debuts.entry(cle(m, r).to_owned()).or_default().push((g, f));
            }
        }
    }
    for places in debuts.values_mut() {
        places.sort_by_key(|(g, f)| std::cmp::Reverse(groupes[*g].formes[*f].mots.len()));
    }
    Formes { groupes, debuts }
});

fn groupe(ligne: &[&str]) -> Groupe {
    let formes: Vec<Forme> = ligne
        .iter()
        .map(|forme| {
            let mots = mots(forme);
            let racines = mots.iter().map(|m| racine(m).into_owned()).collect();
            Forme { mots, racines }
        })
        .collect();
    let etendue = formes.iter().map(|f| f.mots.len()).max().unwrap_or(0);
    Groupe { formes, etendue }
}

/// What of a word is compared: short words whole (« fame » is not « FAM »), the others by their stem.
fn cle<'a>(mot: &'a str, racine: &'a str) -> &'a str {
    if mot.len() <= 4 { mot } else { racine }
}

/// The longest form that these words begin with, and how many of them it takes.
pub(super) fn trouver(mots: &[String], racines: &[&str]) -> Option<(&'static Groupe, usize)> {
    let premier = cle(mots.first()?, racines.first()?);
    let places = FORMES.debuts.get(premier)?;
    places.iter().find_map(|(g, f)| {
        let groupe = &FORMES.groupes[*g];
        let forme = &groupe.formes[*f];
        let longueur = forme.mots.len();
        let egaux = mots.len() >= longueur
            && (0..longueur).all(|k| cle(&mots[k], racines[k]) == cle(&forme.mots[k], &forme.racines[k]));
        egaux.then_some((groupe, longueur))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouve(texte: &str) -> Option<(String, usize)> {
        let m = mots(texte);
        let r: Vec<String> = m.iter().map(|m| racine(m).into_owned()).collect();
        let r: Vec<&str> = r.iter().map(String::as_str).collect();
        trouver(&m, &r).map(|(g, n)| (g.formes[0].mots.join(" "), n))
    }

    #[test]
    fn the_longest_form_wins() {
        assert_eq!(trouve("Centre hospitalier universitaire de Nantes"), Some(("chu".into(), 3)));
        assert_eq!(trouve("Centre Hospitalier de Cholet"), Some(("ch".into(), 2)));
        assert_eq!(trouve("centres hospitaliers"), Some(("ch".into(), 2)));
        assert_eq!(trouve("Unité de soins intensifs de cardiologie"), Some(("usic".into(), 4)));
        assert_eq!(trouve("Maison d'accueil spécialisée"), Some(("mas".into(), 3)));
        assert_eq!(trouve("SSR polyvalent"), Some(("smr".into(), 1)));
        assert_eq!(trouve("fame"), None);
        assert_eq!(trouve("soins de suite"), None);
        assert_eq!(trouve(""), None);
    }

    #[test]
    fn every_form_has_words_and_none_is_said_twice() {
        let mut vues = std::collections::HashSet::new();
        for g in &FORMES.groupes {
            assert!(g.formes.len() > 1);
            for f in &g.formes {
                assert!(!f.mots.is_empty());
                assert!(vues.insert(f.mots.join(" ")), "{:?}", f.mots);
            }
        }
    }
}
