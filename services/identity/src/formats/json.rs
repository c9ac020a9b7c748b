//! What the FINESS+ files share: a root object whose arrays are read element by
//! element, so that memory holds one of them at most, and a tolerant view of each.

mod arbre;
mod evenement;
mod racine;
mod tampon;
#[cfg(test)]
pub(super) mod tests;
mod vue;

pub(super) use arbre::{Enfants, Noeud};
pub(super) use evenement::{Evenement, dernier, lire_evenements};
pub(super) use racine::{Contenu, Etat, lire};
pub(super) use vue::{Carnet, Chemin, Vue};

use super::faute;

/// Notes that an element is not one that can be read.
pub(super) fn illisible(chemin: Chemin<'_>, carnet: &mut Carnet) {
    carnet.ajouter_faute(faute(
        &chemin.to_string(),
        "element-illisible",
        "L'élément ne peut pas être lu (imbrication, nombre ou caractère impossible).",
        "Un objet JSON de la forme publiée",
    ));
}
