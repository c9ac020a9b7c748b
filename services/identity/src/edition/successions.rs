//! Sites closed and sites created by the same edition: one may take the place of the
//! other.

use ror_proto::identity::v1::{
    Anomalie, Changement, Identity, Operation, StructureFiness, identity::Ressource,
};

use crate::difference::successeurs::proposer;

/// Sites of one side that are looked at; an edition with more is not an ordinary one.
const SITES_MAX: usize = 20_000;

/// Both sides.
#[derive(Debug, Default)]
pub(super) struct Successions {
    fermees: Vec<StructureFiness>,
    creees: Vec<StructureFiness>,
    rouvertes: Vec<String>,
}

impl Successions {
    /// Notes what happened to a record.
    pub(super) fn noter(&mut self, apres: &Identity, changements: &[Changement]) {
        let Some(Ressource::StructureFiness(s)) = &apres.ressource else {
            return;
        };
        if s.entite_juridique {
            return;
        }
        for c in changements {
            match c.operation() {
                Operation::Fermee if self.fermees.len() < SITES_MAX => self.fermees.push(s.clone()),
                Operation::Creee => self.creer(s),
                Operation::Rouverte if self.rouvertes.len() < SITES_MAX => self.rouvertes.push(c.id.clone()),
                _ => {}
            }
        }
    }

    /// Notes a record that is created.
    pub(super) fn creer(&mut self, s: &StructureFiness) {
        if !s.entite_juridique && self.creees.len() < SITES_MAX {
            self.creees.push(s.clone());
        }
    }

    /// Adds what was noted elsewhere.
    pub(super) fn absorber(&mut self, autres: Self) {
        self.fermees.extend(autres.fermees);
        self.creees.extend(autres.creees);
        self.rouvertes.extend(autres.rouvertes);
    }

    /// Sites open again: nothing succeeds them any more.
    pub(super) fn rouvertes(&self) -> &[String] {
        &self.rouvertes
    }

    /// The proposals, the best of each closed site.
    pub(super) fn proposer(&self) -> Vec<Anomalie> {
        let mut vues = std::collections::HashSet::new();
        let toutes = proposer(&self.fermees, &self.creees).into_iter();
        toutes.filter(|p| vues.insert(p.ancien_id.clone())).map(|p| p.anomalie()).collect()
    }
}
