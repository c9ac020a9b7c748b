//! Events, of a structure or of an activity.

use super::{Carnet, Vue};

const EVENEMENT: &[&str] = &[
    "evenementId",
    "dateEnregistrement",
    "dateEvenement",
    "etatObjet1",
    "identifiantObjet1",
    "identifiantObjet2",
    "systemeMaitre",
    "typeObjet1",
    "typeObjet2",
    "codeEvenement",
];

/// An event. Its id is not read: FINESS renumbers it between editions.
#[derive(Debug)]
pub(in crate::formats) struct Evenement {
    /// Code, R376.
    pub(in crate::formats) code: String,
    /// Date it takes effect, ISO 8601; empty when unknown.
    pub(in crate::formats) jour: String,
    /// State of the object, R365.
    pub(in crate::formats) etat: String,
    /// Id of the other object.
    pub(in crate::formats) objet: String,
    /// Instant it was recorded, as written.
    enregistre: String,
}

impl Evenement {
    /// Latest last; the content ends the ties, so that the order of the file does
    /// not count.
    fn ordre(&self) -> [&str; 5] {
        [&self.jour, &self.enregistre, &self.code, &self.etat, &self.objet]
    }
}

/// The events of an object, in the order of the file.
pub(in crate::formats) fn lire_evenements(vue: &Vue<'_>, carnet: &mut Carnet) -> Vec<Evenement> {
    vue.vues("evenement", EVENEMENT, carnet)
        .iter()
        .map(|evenement| Evenement {
            code: evenement.texte("codeEvenement", carnet),
            jour: evenement.date("dateEvenement", carnet),
            etat: evenement.texte("etatObjet1", carnet),
            objet: evenement.texte("identifiantObjet2", carnet),
            enregistre: evenement.texte("dateEnregistrement", carnet),
        })
        .collect()
}

/// The latest event of these codes.
pub(in crate::formats) fn dernier<'e>(evenements: &'e [Evenement], codes: &[&str]) -> Option<&'e Evenement> {
    evenements
        .iter()
        .filter(|evenement| codes.contains(&evenement.code.as_str()))
        .max_by(|un, autre| un.ordre().cmp(&autre.ordre()))
}
