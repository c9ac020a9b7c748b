//! Columns found by their name, whatever the case, the accents and the order; lines
//! cut at `|`, only the fields that are read.

use memchr::memchr_iter;
use ror_domaine::texte::lettres;
use ror_proto::common::v1::Faute;

use super::super::faute;
use super::modeles::Modele;
use super::table::Suivi;

/// Columns that are read, of all the files.
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
    TypeDiplome,
    Diplome,
    TypeAutorisation,
    Discipline,
}

const CHAMPS: usize = Champ::Discipline as usize + 1;

/// The fields of a line that are read, without the spaces around them.
#[derive(Debug)]
pub(super) struct Champs<'l>([&'l str; CHAMPS]);

impl<'l> Champs<'l> {
    /// A field, empty when the column is absent.
    pub(super) fn valeur(&self, champ: Champ) -> &'l str {
        self.0[champ as usize]
    }
}

/// Where each column that is read is in this file.
#[derive(Debug)]
pub(super) struct Colonnes {
    /// Rank and meaning, by rank.
    voulues: Vec<(usize, Champ)>,
    nombre: usize,
    barre_finale: bool,
}

impl Colonnes {
    /// Reads the header; the error names the required columns that lack.
    pub(super) fn lire(entete: &str, modele: &Modele, suivi: &mut Suivi) -> Result<Self, String> {
        let barre_finale = entete.ends_with('|');
        let entete = entete.strip_suffix('|').unwrap_or(entete);
        let mut colonnes = Self { voulues: Vec::new(), nombre: 0, barre_finale };
        for (rang, titre) in entete.split('|').enumerate() {
            colonnes.nombre = rang + 1;
            let titre = lettres(titre);
            match modele.champ(&titre) {
                Some(champ) if colonnes.a(champ) => suivi.constater("colonne-en-double"),
                Some(champ) => colonnes.voulues.push((rang, champ)),
                None if modele.ignore(&titre) => {}
                None => suivi.constater("colonne-inconnue"),
            }
        }
        let manquantes: Vec<&str> =
            modele.requis().filter(|(champ, _)| !colonnes.a(*champ)).map(|(_, titre)| titre).collect();
        if manquantes.is_empty() {
            return Ok(colonnes);
        }
        Err(format!("Colonnes obligatoires absentes de l'en-tête : {}.", manquantes.join(", ")))
    }

    fn a(&self, champ: Champ) -> bool {
        self.voulues.iter().any(|(_, voulue)| *voulue == champ)
    }

    /// Columns of the header.
    pub(super) fn nombre(&self) -> usize {
        self.nombre
    }

    /// Cuts a line, which must have as many fields as the header. A quote is an
    /// ordinary character; what is not read is not looked at.
    pub(super) fn couper<'l>(&self, ligne: &'l [u8]) -> Result<Champs<'l>, Faute> {
        let corps = if self.barre_finale { ligne.strip_suffix(b"|") } else { Some(ligne) };
        let Some(corps) = corps else {
            return Err(self.nombre_faux(ligne));
        };
        // One look at the whole line, most often; where it fails, one a field that is read.
        let texte = std::str::from_utf8(corps).ok();
        let mut champs = Champs([""; CHAMPS]);
        let mut voulues = self.voulues.iter();
        let mut voulue = voulues.next();
        let (mut rang, mut debut) = (0, 0);
        for fin in memchr_iter(b'|', corps).chain(std::iter::once(corps.len())) {
            if let Some((colonne, champ)) = voulue
                && *colonne == rang
            {
                let lu = match texte {
                    Some(texte) => texte.get(debut..fin),
                    None => std::str::from_utf8(&corps[debut..fin]).ok(),
                };
                champs.0[*champ as usize] = rogner(lu.ok_or_else(encodage_invalide)?);
                voulue = voulues.next();
            }
            rang += 1;
            debut = fin + 1;
        }
        if rang == self.nombre { Ok(champs) } else { Err(self.nombre_faux(ligne)) }
    }

    /// What can be read of a line that cannot be cut: the fields that are where the header
    /// says and are text.
    pub(super) fn deviner<'l>(&self, ligne: &'l [u8]) -> Champs<'l> {
        let mut champs = Champs([""; CHAMPS]);
        for (rang, octets) in ligne.split(|octet| *octet == b'|').enumerate() {
            let voulue = self.voulues.iter().find(|(colonne, _)| *colonne == rang);
            if let (Some((_, champ)), Ok(texte)) = (voulue, std::str::from_utf8(octets)) {
                champs.0[*champ as usize] = rogner(texte);
            }
        }
        champs
    }

    fn nombre_faux(&self, ligne: &[u8]) -> Faute {
        if std::str::from_utf8(ligne).is_err() {
            return encodage_invalide();
        }
        faute(
            "ligne",
            "nombre-de-champs",
            "La ligne n'a pas autant de champs que l'en-tête.",
            &format!("{} champs, chacun suivi de |", self.nombre),
        )
    }
}

/// Fault of a text that is not UTF-8.
pub(super) fn encodage_invalide() -> Faute {
    faute("ligne", "encodage-invalide", "La ligne n'est pas en UTF-8.", "Un texte UTF-8")
}

/// Nearly no field has spaces around it: looking at its ends is enough.
fn rogner(texte: &str) -> &str {
    let plein = |octet: Option<&u8>| octet.is_none_or(u8::is_ascii_graphic);
    let octets = texte.as_bytes();
    if plein(octets.first()) && plein(octets.last()) { texte } else { texte.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titres() {
        assert_eq!(lettres("Code civilité d’exercice"), "codecivilitedexercice");
        assert_eq!(lettres("CODE RÔLE"), "coderole");
        assert_eq!(lettres("Cœur"), "coeur");
        assert_eq!(lettres("e\u{301}"), "e");
    }

    #[test]
    fn une_ligne_a_le_nombre_de_champs_de_l_en_tete() {
        let voulues = vec![(0, Champ::Identifiant), (2, Champ::Nom)];
        let mut colonnes = Colonnes { voulues, nombre: 3, barre_finale: true };
        let lus = |colonnes: &Colonnes, ligne: &'static str| {
            let champs = colonnes.couper(ligne.as_bytes()).ok()?;
            Some((champs.valeur(Champ::Identifiant), champs.valeur(Champ::Nom)))
        };
        assert_eq!(lus(&colonnes, "a|b||"), Some(("a", "")));
        assert_eq!(lus(&colonnes, " a |b|\u{a0}é |"), Some(("a", "é")));
        for fausse in ["a|b|c", "a|b|", "a|b|c|d|", "", "|"] {
            assert_eq!(lus(&colonnes, fausse), None, "{fausse}");
        }
        colonnes.barre_finale = false;
        assert_eq!(lus(&colonnes, "a|b|c"), Some(("a", "c")));
        assert_eq!(lus(&colonnes, "a|b|c|"), None);
    }

    #[test]
    fn seul_ce_qui_est_lu_doit_etre_en_utf_8() {
        let colonnes = Colonnes { voulues: vec![(0, Champ::Nom)], nombre: 2, barre_finale: true };
        assert!(colonnes.couper(b"a|\xff|").is_ok());
        assert_eq!(colonnes.couper(b"\xff|a|").unwrap_err().regle, "encodage-invalide");
        assert_eq!(colonnes.couper(b"\xff|").unwrap_err().regle, "encodage-invalide");
    }
}
