//! The subset of FHIRPath that designates a capacity record, and nothing else.
//!
//! ```text
//! Location.extension.where(url='<canonical>')
//!   .where(extension.where(url = '<name>' and valueCodeableConcept.coding.code = '<code>') and …)
//! ```

use ror_proto::capacity::v1::CleIndicateur;

use crate::fhir::canoniques::EXT_CAPACITE;

/// Longest path read.
const LONGUEUR_MAX: usize = 4000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Jeton<'a> {
    Mot(&'a str),
    Texte(&'a str),
    Signe(char),
}

/// Reads a path: the criteria that name an indicator, or `None` for the bare path of an add.
/// The fault is a French sentence.
pub(super) fn lire(texte: &str) -> Result<Option<CleIndicateur>, String> {
    if texte.len() > LONGUEUR_MAX {
        return Err(format!("Le chemin dépasse {LONGUEUR_MAX} caractères."));
    }
    let jetons = decouper(texte)?;
    let mut analyse = Analyse { jetons: &jetons };
    analyse.mots(&["Location", "extension", "where"])?;
    analyse.attendre(Jeton::Signe('('))?;
    let url = analyse.egal(&["url"])?;
    analyse.attendre(Jeton::Signe(')'))?;
    if url != EXT_CAPACITE {
        return Err(format!("Le chemin désigne l'extension « {url} » et non « {EXT_CAPACITE} »."));
    }
    if analyse.jetons.is_empty() {
        return Ok(None);
    }
    analyse.attendre(Jeton::Signe('.'))?;
    analyse.mots(&["where"])?;
    analyse.attendre(Jeton::Signe('('))?;
    let mut cle = CleIndicateur::default();
    analyse.clause(&mut cle)?;
    while analyse.suit(Jeton::Mot("and")) {
        analyse.clause(&mut cle)?;
    }
    analyse.attendre(Jeton::Signe(')'))?;
    if analyse.jetons.is_empty() {
        Ok(Some(cle))
    } else {
        Err("Le chemin continue après ses critères.".to_owned())
    }
}

struct Analyse<'a, 'j> {
    jetons: &'j [Jeton<'a>],
}

impl<'a> Analyse<'a, '_> {
    /// Takes the next token when it is that one.
    fn suit(&mut self, attendu: Jeton<'_>) -> bool {
        match self.jetons.split_first() {
            Some((jeton, reste)) if *jeton == attendu => {
                self.jetons = reste;
                true
            }
            _ => false,
        }
    }

    fn attendre(&mut self, attendu: Jeton<'_>) -> Result<(), String> {
        if self.suit(attendu) {
            return Ok(());
        }
        let attendu = match attendu {
            Jeton::Mot(mot) | Jeton::Texte(mot) => mot.to_owned(),
            Jeton::Signe(signe) => signe.to_string(),
        };
        let trouve = match self.jetons.first() {
            None => "la fin du chemin".to_owned(),
            Some(Jeton::Mot(mot)) => format!("« {mot} »"),
            Some(Jeton::Texte(texte)) => format!("le texte « {texte} »"),
            Some(Jeton::Signe(signe)) => format!("« {signe} »"),
        };
        Err(format!("Le chemin n'est pas lisible : « {attendu} » attendu, {trouve} trouvé."))
    }

    /// Words joined by dots.
    fn mots(&mut self, mots: &[&str]) -> Result<(), String> {
        for (rang, &mot) in mots.iter().enumerate() {
            if rang > 0 {
                self.attendre(Jeton::Signe('.'))?;
            }
            self.attendre(Jeton::Mot(mot))?;
        }
        Ok(())
    }

    /// Words, `=`, and a text.
    fn egal(&mut self, mots: &[&str]) -> Result<&'a str, String> {
        self.mots(mots)?;
        self.attendre(Jeton::Signe('='))?;
        match self.jetons.split_first() {
            Some((&Jeton::Texte(texte), reste)) => {
                self.jetons = reste;
                Ok(texte)
            }
            _ => Err("Le chemin n'est pas lisible : un texte entre apostrophes est attendu \
                      après « = »."
                .to_owned()),
        }
    }

    fn clause(&mut self, cle: &mut CleIndicateur) -> Result<(), String> {
        self.mots(&["extension", "where"])?;
        self.attendre(Jeton::Signe('('))?;
        let nom = self.egal(&["url"])?;
        self.attendre(Jeton::Mot("and"))?;
        let code = self.egal(&["valueCodeableConcept", "coding", "code"])?;
        self.attendre(Jeton::Signe(')'))?;
        let case = case(cle, nom).ok_or_else(|| format!("« {nom} » n'est pas un critère d'indicateur."))?;
        if code.is_empty() || !case.is_empty() {
            return Err(format!("Le critère « {nom} » est vide ou donné deux fois."));
        }
        code.clone_into(case);
        Ok(())
    }
}

/// The member of the key an attribute names.
fn case<'c>(cle: &'c mut CleIndicateur, nom: &str) -> Option<&'c mut String> {
    let case = match nom {
        "capacityStatus" => &mut cle.statut,
        "temporalityCapacity" => &mut cle.temporalite,
        "genderCapacityAvailable" => &mut cle.genre,
        "capacityClosingType" => &mut cle.type_fermeture,
        "additionalBedType" => &mut cle.type_lit_supplementaire,
        "crisisType" => &mut cle.type_crise,
        "temporaryAssignement" => &mut cle.affectation_temporaire,
        _ => return None,
    };
    Some(case)
}

/// Cuts a path into tokens; spaces only separate.
fn decouper(texte: &str) -> Result<Vec<Jeton<'_>>, String> {
    let mut jetons = Vec::new();
    let mut reste = texte.trim_start();
    while let Some(premier) = reste.chars().next() {
        let (jeton, suite) = match premier {
            '.' | '(' | ')' | '=' => (Jeton::Signe(premier), &reste[1..]),
            '\'' | '"' => {
                let corps = &reste[1..];
                let fin = corps
                    .find(premier)
                    .ok_or("Le chemin n'est pas lisible : une apostrophe n'est pas fermée.")?;
                (Jeton::Texte(&corps[..fin]), &corps[fin + 1..])
            }
            lettre if lettre.is_ascii_alphanumeric() || lettre == '_' => {
                let hors_mot = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
                let fin = reste.find(hors_mot).unwrap_or(reste.len());
                (Jeton::Mot(&reste[..fin]), &reste[fin..])
            }
            autre => return Err(format!("Le chemin porte un signe inattendu : « {autre} ».")),
        };
        jetons.push(jeton);
        reste = suite.trim_start();
    }
    Ok(jetons)
}
