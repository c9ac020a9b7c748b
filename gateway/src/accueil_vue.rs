//! What the home page shows: plain values, ready to be written. The template
//! (`templates/accueil.html`) escapes every one of them and takes no decision.

use askama::Template;

/// The home page.
#[derive(Clone, Debug, Template)]
#[template(path = "accueil.html")]
pub struct Accueil {
    /// Version of the program.
    pub version: String,
    /// Whether the directory is whole.
    pub pret: bool,
    /// State of each part of the mesh.
    pub parties: Vec<Partie>,
    /// What the directory holds: label in the plural, number.
    pub compte: Vec<(String, u64)>,
    /// Whether this deployment lets anyone search from this page.
    pub recherche_ouverte: bool,
    /// Activities offered by the form: code, label.
    pub activites: Vec<(String, String)>,
    /// Activity as typed: a label of the list, its code, or free words.
    pub activite: String,
    /// Place as typed.
    pub lieu: String,
    /// Why the search cannot be made, as a French sentence.
    pub message: Option<String>,
    /// Answer of the search; none when nothing was asked.
    pub resultats: Option<Resultats>,
    /// Base of the FHIR facade, without a final slash.
    pub base_fhir: String,
    /// A first request that works here, as a shell command.
    pub exemple: Option<String>,
}

/// One part of the mesh.
#[derive(Clone, Debug)]
pub struct Partie {
    /// French name, such as « Capacités ».
    pub nom: String,
    /// What it is for, in a few words.
    pub role: String,
    /// State.
    pub etat: EtatPartie,
    /// Age of its data, such as « il y a 2 s »; empty when it has none.
    pub detail: String,
}

/// State of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtatPartie {
    /// Answers, data current.
    EnService,
    /// Answers, data older than it should be.
    EnRetard,
    /// Does not answer.
    Arrete,
}

/// Answer of a search.
#[derive(Clone, Debug)]
pub struct Resultats {
    /// How many offers match.
    pub total: u64,
    /// The first of them.
    pub offres: Vec<OffreVue>,
}

/// One offer.
#[derive(Clone, Debug)]
pub struct OffreVue {
    /// Technical id.
    pub id: String,
    /// Name.
    pub nom: String,
    /// Name of the establishment.
    pub structure: String,
    /// Label of the activity.
    pub activite: String,
    /// Town.
    pub ville: String,
    /// Postal code.
    pub code_postal: String,
    /// Free beds, one entry a kind; empty when none is told.
    pub lits: Vec<LitsVue>,
}

/// Free beds of one kind.
#[derive(Clone, Debug)]
pub struct LitsVue {
    /// How many.
    pub nombre: u32,
    /// For whom, such as « indifférencié »; may be empty.
    pub precision: String,
    /// Age of the figure, such as « il y a 12 min »; may be empty.
    pub age: String,
}

impl Accueil {
    /// Title of the document: what happened first, the site last.
    pub fn titre(&self) -> String {
        const SITE: &str = "ROR national – recherche d’offres de santé";
        match (&self.message, &self.resultats) {
            (Some(_), _) => format!("Erreur – {SITE}"),
            (None, Some(r)) => format!("{} – {SITE}", r.trouvees()),
            (None, None) => SITE.to_owned(),
        }
    }

    /// Whether both criteria were given.
    pub fn deux_criteres(&self) -> bool {
        !self.activite.trim().is_empty() && !self.lieu.trim().is_empty()
    }

    /// Counts as written: label, number.
    pub fn comptes(&self) -> Vec<(String, String)> {
        self.compte.iter().map(|(libelle, n)| (libelle.clone(), milliers(*n))).collect()
    }
}

impl Resultats {
    fn trouvees(&self) -> String {
        match self.total {
            0 => "Aucun résultat".to_owned(),
            1 => "1 offre trouvée".to_owned(),
            n => format!("{} offres trouvées", milliers(n)),
        }
    }

    /// The sentence that tells the number found and the number shown.
    pub fn annonce(&self) -> String {
        let trouvees = self.trouvees();
        match u64::try_from(self.offres.len()).unwrap_or(u64::MAX) {
            n if n >= self.total => format!("{trouvees}."),
            0 => format!("{trouvees}. Précisez la recherche pour les voir."),
            1 => {
                format!("{trouvees}. La première est affichée ; précisez la recherche pour voir les autres.")
            }
            n => {
                let n = milliers(n);
                format!(
                    "{trouvees}. Les {n} premières sont affichées ; précisez la recherche pour voir les autres."
                )
            }
        }
    }
}

impl LitsVue {
    /// « 3 lits disponibles ».
    pub fn quantite(&self) -> String {
        match self.nombre {
            0 => "Aucun lit disponible".to_owned(),
            1 => "1 lit disponible".to_owned(),
            n => format!("{} lits disponibles", milliers(u64::from(n))),
        }
    }

    /// « (indifférencié) · mis à jour il y a 12 min », with its leading space.
    pub fn complement(&self) -> String {
        let precision =
            if self.precision.is_empty() { String::new() } else { format!(" ({})", self.precision) };
        let age = if self.age.is_empty() { String::new() } else { format!(" · mis à jour {}", self.age) };
        precision + &age
    }
}

impl EtatPartie {
    /// Word shown.
    pub fn libelle(&self) -> &'static str {
        match self {
            Self::EnService => "En service",
            Self::EnRetard => "En retard",
            Self::Arrete => "Arrêté",
        }
    }

    /// Shape shown before the word, so that colour is never alone.
    pub fn symbole(&self) -> &'static str {
        match self {
            Self::EnService => "●",
            Self::EnRetard => "▲",
            Self::Arrete => "■",
        }
    }

    /// Class of the style sheet.
    pub fn classe(&self) -> &'static str {
        match self {
            Self::EnService => "bon",
            Self::EnRetard => "retard",
            Self::Arrete => "arret",
        }
    }
}

/// French grouping by thousands, with a narrow no-break space.
fn milliers(n: u64) -> String {
    let chiffres = n.to_string();
    let mut texte = String::with_capacity(chiffres.len() * 2);
    for (rang, c) in chiffres.chars().enumerate() {
        if rang > 0 && (chiffres.len() - rang).is_multiple_of(3) {
            texte.push('\u{202f}');
        }
        texte.push(c);
    }
    texte
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accueil() -> Accueil {
        Accueil {
            version: "0.1.0".into(),
            pret: true,
            parties: vec![Partie {
                nom: "Capacités".into(),
                role: "lits et places libres".into(),
                etat: EtatPartie::EnRetard,
                detail: "il y a 40 s".into(),
            }],
            compte: vec![("offres".into(), 27_000)],
            recherche_ouverte: true,
            activites: vec![("017".into(), "Chirurgie \"ambulatoire\"".into())],
            activite: "<b>".into(),
            lieu: "44000".into(),
            message: None,
            resultats: None,
            base_fhir: "http://localhost:8080/ws-diffusion-fhir".into(),
            exemple: None,
        }
    }

    fn offre(lits: Vec<LitsVue>) -> OffreVue {
        OffreVue {
            id: "a-1".into(),
            nom: "Médecine <polyvalente>".into(),
            structure: "CH d’essai".into(),
            activite: "Médecine".into(),
            ville: "Nantes".into(),
            code_postal: "44000".into(),
            lits,
        }
    }

    #[test]
    fn numbers_and_sentences_are_french() {
        assert_eq!(
            [milliers(0), milliers(999), milliers(1_000), milliers(1_234_567)],
            ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]
        );
        let lits = |nombre, precision: &str, age: &str| LitsVue {
            nombre,
            precision: precision.into(),
            age: age.into(),
        };
        assert_eq!(lits(0, "", "").quantite(), "Aucun lit disponible");
        assert_eq!(lits(1, "", "").complement(), "");
        assert_eq!(lits(3, "femme", "il y a 12 min").complement(), " (femme) · mis à jour il y a 12 min");
        let annonce = |total, n| Resultats { total, offres: vec![offre(vec![]); n] }.annonce();
        assert_eq!(annonce(0, 0), "Aucun résultat.");
        assert_eq!(annonce(1, 1), "1 offre trouvée.");
        assert_eq!(annonce(2, 2), "2 offres trouvées.");
        assert!(annonce(2_000, 20).starts_with("2\u{202f}000 offres trouvées. Les 20 premières"));
    }

    #[test]
    fn what_people_typed_and_data_are_escaped() {
        let resultats = Some(Resultats { total: 1, offres: vec![offre(vec![])] });
        let page = Accueil { message: Some("<script>".into()), resultats, ..accueil() }.render().unwrap();
        for brut in ["<script", "<b>", "<polyvalente>", "\"ambulatoire\""] {
            assert!(!page.contains(brut), "{brut}");
        }
        assert!(page.contains("Disponibilité non communiquée"));
    }

    #[test]
    fn state_is_a_word_and_the_page_has_no_script_and_no_style_of_its_own() {
        let page = accueil().render().unwrap();
        assert!(page.contains("En retard") && page.contains("▲"));
        for interdit in ["<script", "<style", " style=", " onclick="] {
            assert!(!page.contains(interdit), "{interdit}");
        }
    }

    #[test]
    fn a_closed_consultation_has_no_form() {
        let page = Accueil { recherche_ouverte: false, ..accueil() }.render().unwrap();
        assert!(!page.contains("<form") && page.contains("réservée aux applications connectées"));
    }

    #[test]
    fn an_empty_answer_offers_to_drop_the_place() {
        let resultats = Some(Resultats { total: 0, offres: vec![] });
        let page = Accueil { resultats, ..accueil() }.render().unwrap();
        assert!(page.contains("Chercher cette activité partout") && page.contains("Aucun résultat."));
    }
}
