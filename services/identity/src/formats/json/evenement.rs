//! Events, of a structure or of an activity.

use std::borrow::Cow;

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
pub(in crate::formats) struct Evenement<'v> {
    /// Code, R376.
    pub(in crate::formats) code: Cow<'v, str>,
    /// Date it takes effect, ISO 8601; empty when unknown.
    pub(in crate::formats) jour: Cow<'v, str>,
    /// State of the object, R365.
    pub(in crate::formats) etat: Cow<'v, str>,
    /// Id of the other object.
    pub(in crate::formats) objet: Cow<'v, str>,
    /// Instant it was recorded, as written.
    enregistre: Cow<'v, str>,
}

impl Evenement<'_> {
    /// Latest last; the content ends the ties, so that the order of the file does
    /// not count.
    fn ordre(&self) -> [&str; 5] {
        [&self.jour, &self.enregistre, &self.code, &self.etat, &self.objet]
    }
}

/// The events of an object, in the order of the file.
pub(in crate::formats) fn lire_evenements<'v>(vue: &'v Vue<'_>, carnet: &mut Carnet) -> Vec<Evenement<'v>> {
    vue.vues("evenement", EVENEMENT, carnet)
        .iter()
        .map(|evenement| Evenement {
            code: evenement.texte_vu("codeEvenement", carnet),
            jour: evenement.date_vue("dateEvenement", carnet),
            etat: evenement.texte_vu("etatObjet1", carnet),
            objet: evenement.texte_vu("identifiantObjet2", carnet),
            enregistre: evenement.texte_vu("dateEnregistrement", carnet),
        })
        .collect()
}

/// The latest event of these codes.
pub(in crate::formats) fn dernier<'e, 'v>(
    evenements: &'e [Evenement<'v>],
    codes: &[&str],
) -> Option<&'e Evenement<'v>> {
    evenements
        .iter()
        .filter(|evenement| codes.contains(&&*evenement.code))
        .max_by(|un, autre| un.ordre().cmp(&autre.ordre()))
}
