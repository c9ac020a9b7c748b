//! What the FINESS+ files share: a root object whose arrays are read element by
//! element, so that memory holds one of them at most, and a tolerant view of each.

mod evenement;
mod racine;
mod vue;

pub(super) use evenement::{Evenement, dernier, lire_evenements};
pub(super) use racine::{Contenu, Etat, lire};
pub(super) use vue::{Carnet, Vue};

use serde_json::Value;

use super::faute;

/// Parses an element; None when it cannot be, the fault being in the notebook.
pub(super) fn analyser(brut: &str, chemin: &str, carnet: &mut Carnet) -> Option<Value> {
    let lu = serde_json::from_str(brut).ok();
    if lu.is_none() {
        carnet.ajouter_faute(faute(
            chemin,
            "element-illisible",
            "L'élément ne peut pas être lu (imbrication, nombre ou caractère impossible).",
            "Un objet JSON de la forme publiée",
        ));
    }
    lu
}
