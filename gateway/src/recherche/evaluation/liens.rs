//! Conditions on what resources refer to, each link walked from the side that has fewer rows.

use roaring::RoaringBitmap;

use super::{Moteur, PEU, Rangs};
use crate::{
    modele::{Bits, TypeFhir},
    recherche::{arbre::Noeud, parametres::Relation},
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
            if dans.len() >= PEU && cibles.len() / 8 < dans.len() {
                let bits = Bits::de(cibles);
                return self.garder(dans, 2, |r| l.cibles(*r).iter().any(|c| bits.contient(*c)));
            }
            return self.garder(dans, 2, |r| l.cibles(*r).iter().any(|c| cibles.contains(*c)));
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
        if self.depuis_ici(t, c, dans) {
            let cibles = self.cibles_de(relation, dans)? & visibles;
            let cibles = self.noeud(t, c, &cibles)?;
            return self.sources(relation, &cibles, dans);
        }
        let cibles = self.noeud(t, c, visibles)?;
        self.sources(relation, &cibles, dans)
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
