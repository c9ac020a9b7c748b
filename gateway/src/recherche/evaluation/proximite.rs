//! Places within circles: by the cells of the grid, or each looked at.

use roaring::RoaringBitmap;

use super::{Moteur, PAR_CELLULE, Rangs};
use crate::{
    modele::{Bits, Disque, Point, Positions, TypeFhir},
    recherche::{
        arbre::{Centre, Cercle},
        communes,
    },
};

/// Below this many places, looking at each is cheaper than walking the grid.
const PEU_DE_LIEUX: u64 = 128;

impl Moteur<'_> {
    pub(super) fn proche(&self, t: TypeFhir, cercles: &[Cercle], dans: &RoaringBitmap) -> Rangs {
        let positions = &self.table(t).positions;
        let mut r = RoaringBitmap::new();
        for c in cercles {
            let Some(centre) = centre(&c.centre) else { continue };
            // Cells of the grid that the circle touches, about.
            let cellules = ((c.rayon_m / 5_000.0).powi(2) as u64).min(16_384);
            let (disque, par_commune) = (Disque::nouveau(centre, c.rayon_m), c.centre.par_commune());
            r |= if dans.len() < PEU_DE_LIEUX.max(cellules * PAR_CELLULE) {
                self.dedans(positions, disque, par_commune, dans)?
            } else {
                self.payer(16 + cellules)?;
                let alentour = positions.grille().alentour(centre, c.rayon_m, par_commune);
                self.dedans(positions, disque, par_commune, &(alentour & dans))?
            };
        }
        Ok(r)
    }

    /// Rows of a set that are in a disk.
    fn dedans(
        &self,
        positions: &Positions,
        disque: Disque,
        par_commune: bool,
        rangs: &RoaringBitmap,
    ) -> Rangs {
        self.payer(rangs.len().saturating_mul(2))?;
        let (disque, mut gardes) = ([disque], Vec::new());
        self.par_lots(rangs, |lot| positions.dedans(&disque, par_commune, lot, |i| gardes.push(lot[i])))?;
        Ok(Bits::en_ordre(&gardes))
    }
}

/// The point a distance is measured from.
pub fn centre(c: &Centre) -> Option<Point> {
    match c {
        Centre::Point { lat, lon } => Some(Point { lat: *lat, lon: *lon }),
        Centre::Commune(code) => communes::centre(std::str::from_utf8(code).ok()?),
    }
}
