//! Columns found by their name, whatever the case, the accents and the order.

use super::Resume;

/// Columns that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Champ {
    TypeIdentifiant,
    Identifiant,
    IdNatPs,
    CiviliteExercice,
    Civilite,
    Nom,
    Prenom,
    Profession,
    Categorie,
    TypeSavoirFaire,
    SavoirFaire,
    Mode,
    Siret,
    FinessSite,
    FinessEj,
    IdTechnique,
    Secteur,
    Commune,
    Departement,
    Role,
    Genre,
}

/// A column: what it is, its names over the editions, its label, whether the
/// file is refused without it.
type Description = (Champ, &'static [&'static str], &'static str, bool);

const CHAMPS: &[Description] = &[
    (Champ::TypeIdentifiant, &["typedidentifiantpp"], "Type d'identifiant PP", true),
    (Champ::Identifiant, &["identifiantpp"], "Identifiant PP", true),
    (Champ::IdNatPs, &["identificationnationalepp"], "Identification nationale PP", true),
    (Champ::CiviliteExercice, &["codecivilitedexercice"], "Code civilité d'exercice", true),
    (Champ::Civilite, &["codecivilite"], "Code civilité", true),
    (Champ::Nom, &["nomdexercice"], "Nom d'exercice", true),
    (Champ::Prenom, &["prenomdexercice"], "Prénom d'exercice", true),
    (Champ::Profession, &["codeprofession"], "Code profession", true),
    (Champ::Categorie, &["codecategorieprofessionnelle"], "Code catégorie professionnelle", true),
    (Champ::TypeSavoirFaire, &["codetypesavoirfaire"], "Code type savoir-faire", true),
    (Champ::SavoirFaire, &["codesavoirfaire"], "Code savoir-faire", true),
    (Champ::Mode, &["codemodeexercice"], "Code mode exercice", true),
    (Champ::Siret, &["numerosiretsite"], "Numéro SIRET site", true),
    (Champ::FinessSite, &["numerofinesssite"], "Numéro FINESS site", true),
    (Champ::FinessEj, &["numerofinessetablissementjuridique"], "Numéro FINESS établissement juridique", true),
    (
        Champ::IdTechnique,
        &["identifianttechniquedelastructure"],
        "Identifiant technique de la structure",
        true,
    ),
    (Champ::Secteur, &["codesecteurdactivite"], "Code secteur d'activité", true),
    (Champ::Commune, &["codecommunecoordstructure"], "Code commune (coord. structure)", false),
    (
        Champ::Departement,
        &["codedepartementstructure", "codedepartementcoordstructure"],
        "Code Département (structure)",
        false,
    ),
    (Champ::Role, &["coderole", "codefonction"], "Code rôle", false),
    (Champ::Genre, &["codegenreactivite", "codegenredactivite"], "Code genre activité", false),
];

/// Columns known and not read, such as labels and contact data.
const IGNOREES: &[&str] = &[
    "libellecivilitedexercice",
    "libellecivilite",
    "libelleprofession",
    "libellecategorieprofessionnelle",
    "libelletypesavoirfaire",
    "libellesavoirfaire",
    "libellemodeexercice",
    "numerosirensite",
    "raisonsocialesite",
    "enseignecommercialesite",
    "complementdestinatairecoordstructure",
    "complementpointgeographiquecoordstructure",
    "numerovoiecoordstructure",
    "indicerepetitionvoiecoordstructure",
    "codetypedevoiecoordstructure",
    "libelletypedevoiecoordstructure",
    "libellevoiecoordstructure",
    "mentiondistributioncoordstructure",
    "bureaucedexcoordstructure",
    "codepostalcoordstructure",
    "libellecommunecoordstructure",
    "codepayscoordstructure",
    "libellepayscoordstructure",
    "telephonecoordstructure",
    "telephone2coordstructure",
    "telecopiecoordstructure",
    "adresseemailcoordstructure",
    "libelledepartementstructure",
    "libelledepartementcoordstructure",
    "ancienidentifiantdelastructure",
    "autoritedenregistrement",
    "libellesecteurdactivite",
    "codesectiontableaupharmaciens",
    "libellesectiontableaupharmaciens",
    "libellerole",
    "libellefonction",
    "libellegenreactivite",
    "libellegenredactivite",
];

/// Where each column is in this file.
#[derive(Debug, Clone)]
pub(super) struct Colonnes {
    positions: Vec<Option<usize>>,
    nombre: usize,
    barre_finale: bool,
}

impl Colonnes {
    /// Reads the header; the error names the required columns that lack.
    pub(super) fn lire(entete: &str, resume: &mut Resume) -> Result<Self, String> {
        let barre_finale = entete.ends_with('|');
        let entete = entete.strip_suffix('|').unwrap_or(entete);
        let mut positions = vec![None; CHAMPS.len()];
        let mut nombre = 0;
        for (rang, titre) in entete.split('|').enumerate() {
            nombre = rang + 1;
            let titre = normaliser(titre);
            let champ = CHAMPS.iter().find(|(_, noms, _, _)| noms.contains(&titre.as_str()));
            if let Some((champ, ..)) = champ {
                match positions.get_mut(*champ as usize) {
                    Some(place @ None) => *place = Some(rang),
                    Some(Some(_)) | None => resume.constater("colonne-en-double"),
                }
            } else if !IGNOREES.contains(&titre.as_str()) {
                resume.constater("colonne-inconnue");
            }
        }
        let colonnes = Self { positions, nombre, barre_finale };
        let manquantes: Vec<&str> = CHAMPS
            .iter()
            .filter(|(champ, _, _, requise)| *requise && colonnes.rang(*champ).is_none())
            .map(|(_, _, titre, _)| *titre)
            .collect();
        if manquantes.is_empty() {
            return Ok(colonnes);
        }
        Err(format!("Colonnes obligatoires absentes de l'en-tête : {}.", manquantes.join(", ")))
    }

    /// Columns of the header.
    pub(super) fn nombre(&self) -> u64 {
        u64::try_from(self.nombre).unwrap_or(u64::MAX)
    }

    fn rang(&self, champ: Champ) -> Option<usize> {
        self.positions.get(champ as usize).copied().flatten()
    }

    /// Cuts a line into its fields; None when their number is not that of the
    /// header. A quote is an ordinary character.
    pub(super) fn couper<'l>(&self, ligne: &'l str) -> Option<Vec<&'l str>> {
        let ligne = if self.barre_finale { ligne.strip_suffix('|')? } else { ligne };
        let champs: Vec<&str> = ligne.split('|').collect();
        (champs.len() == self.nombre).then_some(champs)
    }

    /// A field without the spaces around it, empty when the column is absent.
    pub(super) fn valeur<'l>(&self, champs: &[&'l str], champ: Champ) -> &'l str {
        self.rang(champ).and_then(|rang| champs.get(rang)).copied().map_or("", str::trim)
    }
}

/// Lower case, no accents, only [a-z0-9].
fn normaliser(titre: &str) -> String {
    let mut sortie = String::with_capacity(titre.len());
    for lettre in titre.chars().flat_map(char::to_lowercase) {
        let simple = match lettre {
            'a'..='z' | '0'..='9' => lettre,
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' | 'ì' => 'i',
            'ñ' => 'n',
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' => 'o',
            'û' | 'ü' | 'ù' | 'ú' => 'u',
            'ÿ' => 'y',
            'œ' => {
                sortie.push('o');
                'e'
            }
            'æ' => {
                sortie.push('a');
                'e'
            }
            // The rest, such as apostrophes and combining accents, says nothing.
            _ => continue,
        };
        sortie.push(simple);
    }
    sortie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titres() {
        assert_eq!(normaliser("Code civilité d’exercice"), "codecivilitedexercice");
        assert_eq!(normaliser("CODE RÔLE"), "coderole");
        assert_eq!(normaliser("Cœur"), "coeur");
        assert_eq!(normaliser("e\u{301}"), "e");
    }

    #[test]
    fn les_champs_sont_dans_l_ordre() {
        for (rang, (champ, ..)) in CHAMPS.iter().enumerate() {
            let attendu = CHAMPS.iter().position(|(autre, ..)| autre == champ).unwrap();
            assert_eq!(rang, attendu);
            assert!((*champ as usize) < CHAMPS.len());
        }
    }

    #[test]
    fn une_ligne_a_le_nombre_de_champs_de_l_en_tete() {
        let colonnes = Colonnes { positions: Vec::new(), nombre: 3, barre_finale: true };
        assert_eq!(colonnes.couper("a|b||"), Some(vec!["a", "b", ""]));
        assert_eq!(colonnes.couper("a|b|c"), None);
        assert_eq!(colonnes.couper("a|b|"), None);
        assert_eq!(colonnes.couper("a|b|c|d|"), None);
        assert_eq!(colonnes.couper(""), None);
    }
}
