//! Conditions on what resources refer to, each link walked from the side that has fewer rows.

use std::borrow::Cow;

use roaring::{MultiOps, RoaringBitmap};

use super::{MARQUER, Moteur, PAR_CELLULE, PEU, Rangs, TropCouteux, centre};
use crate::{
    modele::{Bits, Disque, LOT, TypeFhir},
    recherche::{
        arbre::{Cercle, Noeud, Test},
        parametres::Relation,
    },
};

/// Deepest chain of organisations for `:above`.
const PROFONDEUR: usize = 8;

impl Moteur<'_> {
    /// Everything that these rows refer to.
    pub(in crate::recherche) fn cibles_de(&self, relation: Relation, rangs: &RoaringBitmap) -> Rangs {
        let l = self.modele.liens.de(relation);
        self.payer(rangs.len())?;
        l.cibles_payees(rangs, |n| self.payer(n.saturating_mul(2)))
    }

    /// Everything that refers to these rows.
    fn sources_de(&self, relation: Relation, rangs: &RoaringBitmap) -> Rangs {
        let l = self.modele.liens.de(relation);
        self.payer(rangs.len())?;
        l.sources_payees(rangs, |n| self.payer(n.saturating_mul(2)))
    }

    /// Rows of `dans` that refer to one of these, walking the smaller side.
    pub(super) fn sources(&self, relation: Relation, cibles: &RoaringBitmap, dans: &RoaringBitmap) -> Rangs {
        let l = self.modele.liens.de(relation);
        self.payer(dans.len().min(cibles.len()))?;
        // One organisation may be referred to more often than there are rows at hand.
        if dans.len() <= cibles.len() || l.plus_de_sources(dans.len(), cibles) {
            // Many rows ask: each is answered by one bit.
            if dans.len() >= MARQUER && cibles.len() / 8 < dans.len() {
                let bits = Bits::de(cibles);
                return self.garder_par_lots(dans, 2, |lot, verdicts| {
                    l.cibles_par_lot(lot, |i, v| verdicts[i] = v.iter().any(|c| bits.contient(*c)));
                });
            }
            return self.garder_par_lots(dans, 2, |lot, verdicts| {
                l.cibles_par_lot(lot, |i, v| verdicts[i] = v.iter().any(|c| cibles.contains(*c)));
            });
        }
        Ok(self.sources_de(relation, cibles)? & dans)
    }

    /// Whether starting from the rows at hand beats evaluating the other side whole.
    fn depuis_ici(&self, autre: TypeFhir, c: &Noeud, dans: &RoaringBitmap) -> bool {
        dans.len() < PEU || dans.len() < self.estimer(autre, c)
    }

    pub(super) fn chaine(&self, relation: Relation, c: &Noeud, dans: &RoaringBitmap) -> Rangs {
        let t = relation.cible();
        let visibles = self.visibles(t);
        let cercles = proximite(c);
        let proches = match cercles {
            Some(cercles) => self.alentours(relation, cercles, dans)?,
            None => None,
        };
        if proches.is_some() || self.depuis_ici(t, c, dans) {
            let mut dans = proches.map_or(Cow::Borrowed(dans), Cow::Owned);
            if let Some(cercles) = cercles {
                dans = Cow::Owned(self.aux_abords(relation, cercles, &dans)?);
                if matches!(c, Noeud::Critere(_)) {
                    return Ok(dans.into_owned());
                }
            }
            let cibles = self.cibles_de(relation, &dans)? & visibles;
            let cibles = self.noeud(t, c, &cibles)?;
            return self.sources(relation, &cibles, &dans);
        }
        let cibles = self.noeud(t, c, visibles)?;
        self.sources(relation, &cibles, dans)
    }

    /// Rows that may refer to a target within a circle, where the grid tells them for less than looking at each.
    fn alentours(
        &self,
        relation: Relation,
        cercles: &[Cercle],
        dans: &RoaringBitmap,
    ) -> Result<Option<RoaringBitmap>, TropCouteux> {
        if relation != Relation::Lieux {
            return Ok(None);
        }
        let touchees = |c: &Cercle| {
            let alentours = &self.modele.alentours;
            Some(alentours.touchees(centre(&c.centre)?, c.rayon_m, c.centre.par_commune()))
        };
        let cellules: Vec<&RoaringBitmap> = cercles.iter().filter_map(touchees).flatten().collect();
        let prix = cellules.len() as u64 * PAR_CELLULE;
        if prix >= dans.len() {
            return Ok(None);
        }
        self.payer(prix)?;
        Ok(Some(MultiOps::<&RoaringBitmap>::union(cellules) & dans))
    }

    /// Rows that refer to a visible target within a circle: told link by link, no set of targets is made.
    fn aux_abords(&self, relation: Relation, cercles: &[Cercle], dans: &RoaringBitmap) -> Rangs {
        let (l, t) = (self.modele.liens.de(relation), relation.cible());
        let (visibles, positions) = (self.visibles(t), &self.table(t).positions);
        let disque = |c: &Cercle| Some(Disque::nouveau(centre(&c.centre)?, c.rayon_m));
        let disques: Vec<Disque> = cercles.iter().filter_map(disque).collect();
        // They are values of one parameter.
        let par_commune = cercles.iter().any(|c| c.centre.par_commune());
        self.payer(dans.len().saturating_mul(2))?;
        let mut gardes: Vec<u32> = Vec::new();
        let (mut rangs, mut cibles): (Vec<u32>, Vec<u32>) =
            (Vec::with_capacity(LOT), Vec::with_capacity(LOT));
        self.par_lots(dans, |lot| {
            rangs.clear();
            cibles.clear();
            l.cibles_par_lot(lot, |i, v| {
                for c in v {
                    rangs.push(lot[i]);
                    cibles.push(*c);
                }
            });
            positions.dedans(&disques, par_commune, &cibles, |i| {
                // The links of a row follow one another.
                if gardes.last() != Some(&rangs[i]) && visibles.contains(cibles[i]) {
                    gardes.push(rangs[i]);
                }
            });
        })?;
        Ok(Bits::en_ordre(&gardes))
    }

    pub(super) fn au_dessus(&self, relation: Relation, c: &Noeud, dans: &RoaringBitmap) -> Rangs {
        let t = relation.cible();
        let visibles = self.visibles(t);
        let trouvees = if self.depuis_ici(t, c, dans) {
            let toutes = self.ancetres(self.cibles_de(relation, dans)? & visibles)?;
            self.noeud(t, c, &toutes)?.into_owned()
        } else {
            self.noeud(t, c, visibles)?.into_owned()
        };
        let cibles = self.descendants(trouvees)?;
        self.sources(relation, &cibles, dans)
    }

    pub(super) fn inverse(&self, relation: Relation, c: &Noeud, dans: &RoaringBitmap) -> Rangs {
        let t = relation.source();
        let visibles = self.visibles(t);
        let sources = if self.depuis_ici(t, c, dans) {
            let sources = self.sources_de(relation, dans)? & visibles;
            self.noeud(t, c, &sources)?.into_owned()
        } else {
            self.noeud(t, c, visibles)?.into_owned()
        };
        Ok(self.cibles_de(relation, &sources)? & dans)
    }

    /// Visible organisations and everything visible below them.
    pub(super) fn descendants(&self, racines: RoaringBitmap) -> Rangs {
        self.fermer(racines, |couche| self.sources_de(Relation::Parent, couche))
    }

    /// Visible organisations and their visible ancestors.
    fn ancetres(&self, feuilles: RoaringBitmap) -> Rangs {
        self.fermer(feuilles, |couche| self.cibles_de(Relation::Parent, couche))
    }

    fn fermer(&self, depart: RoaringBitmap, suivants: impl Fn(&RoaringBitmap) -> Rangs) -> Rangs {
        let visibles = self.visibles(TypeFhir::Organization);
        let mut tous = depart.clone();
        let mut couche = depart;
        for _ in 0..PROFONDEUR {
            couche = (suivants(&couche)? & visibles) - &tous;
            if couche.is_empty() {
                break;
            }
            tous |= &couche;
        }
        Ok(tous)
    }
}

/// The circles that a condition asks its rows to be in.
fn proximite(c: &Noeud) -> Option<&[Cercle]> {
    match c {
        Noeud::Critere(c) => match &c.test {
            Test::Proche(cercles) => Some(cercles),
            _ => None,
        },
        Noeud::Et(conditions) => conditions.iter().find_map(proximite),
        _ => None,
    }
}
