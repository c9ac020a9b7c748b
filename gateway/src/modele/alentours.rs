//! Offers by the cells of their places, kept as links and places change.

use super::{Grille, Liens, Modele, Table, TypeFhir, grille::Cellule};
use crate::recherche::parametres::Relation;

impl Modele {
    /// Every offer by the cells of its places.
    pub(super) fn situer_offres(liens: &Liens, lieux: &Table) -> Grille {
        let l = liens.de(Relation::Lieux);
        let liens = l.lignes().flat_map(|(offre, cibles)| cibles.iter().map(move |c| (offre, *c)));
        Grille::de(liens.filter_map(|(offre, lieu)| Some((offre, lieux.positions.cellule(lieu)?))))
    }

    /// One of the places of an offer left a cell and entered another.
    pub(super) fn resituer_offre(&mut self, offre: u32, avant: Option<Cellule>, apres: Option<Cellule>) {
        // Before the links are closed, there is no grid to keep.
        if self.travail.differe {
            return;
        }
        let (liens, positions) = (&self.liens, &self.tables[TypeFhir::Location as usize].positions);
        let reste =
            |c| liens.de(Relation::Lieux).cibles(offre).iter().any(|l| positions.cellule(*l) == Some(c));
        if let Some(c) = avant
            && !reste(c)
        {
            self.alentours.oter(c, offre);
        }
        if let Some(c) = apres {
            self.alentours.ajouter(c, offre);
        }
    }
}
