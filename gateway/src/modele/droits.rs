//! Who may see which row. Facts flow along the relations: an offer's sensitivity
//! and field reach its places, roles, their professionals and its organisations.

use roaring::RoaringBitmap;
use std::sync::Arc;

use super::{Modele, Sorte, TypeFhir as T};
use crate::fhir::politique::{Bloc, Faits, Politique};

/// Rows whose rights must be computed again.
#[derive(Default)]
pub struct Touches {
    pub(super) offres: RoaringBitmap,
    pub(super) lieux: RoaringBitmap,
    pub(super) roles: RoaringBitmap,
    pub(super) professionnels: RoaringBitmap,
    pub(super) structures: RoaringBitmap,
}

/// Deepest chain of organisations followed.
const PROFONDEUR: usize = 8;

impl Modele {
    /// Changes the policy: everyone's sets are computed again.
    pub fn changer_politique(&mut self, politique: Arc<Politique>) {
        self.politique = politique;
        self.recalculer_tout();
    }

    pub(super) fn recalculer_tout(&mut self) {
        let mut t = Touches {
            offres: self.table(T::HealthcareService).presentes().clone(),
            lieux: self.table(T::Location).presentes().clone(),
            roles: self.table(T::PractitionerRole).presentes().clone(),
            professionnels: self.table(T::Practitioner).presentes().clone(),
            structures: self.table(T::Organization).presentes().clone(),
        };
        self.recalculer(&mut t);
    }

    /// Everything that depends on an offer.
    pub(super) fn toucher_offre(&self, rang: u32, t: &mut Touches) {
        t.offres.insert(rang);
        t.lieux.extend(self.liens.lieux.cibles(rang).iter().copied());
        for r in self.liens.offre.sources(rang) {
            self.toucher_role(*r, t);
        }
        for s in self.liens.porteur.cibles(rang) {
            self.toucher_structure(*s, t);
        }
    }

    pub(super) fn toucher_role(&self, rang: u32, t: &mut Touches) {
        t.roles.insert(rang);
        t.professionnels.extend(self.liens.professionnel.cibles(rang).iter().copied());
    }

    /// An organisation and its ancestors.
    pub(super) fn toucher_structure(&self, rang: u32, t: &mut Touches) {
        let mut courant = vec![rang];
        for _ in 0..PROFONDEUR {
            let mut suivants = Vec::new();
            for r in courant {
                // Walked even when known already: its parents may have changed since.
                t.structures.insert(r);
                suivants.extend_from_slice(self.liens.parent.cibles(r));
            }
            if suivants.is_empty() {
                break;
            }
            courant = suivants;
        }
    }

    /// Computes the rights of the rows touched, in the order of their dependence.
    pub(super) fn recalculer(&mut self, t: &mut Touches) {
        let p = self.politique.clone();
        for r in &t.offres {
            let faits = self.table(T::HealthcareService).ligne(r).faits;
            self.poser(
                T::HealthcareService,
                r,
                faits,
                p.masque(Bloc::OffreBase, &faits),
                p.masque(Bloc::OffreFine, &faits),
            );
        }
        for r in &t.lieux {
            let faits = self.faits_lieu(r);
            self.poser(
                T::Location,
                r,
                faits,
                p.masque(Bloc::LieuBase, &faits),
                p.masque(Bloc::LieuCapacite, &Faits { statut: 1, ..faits }),
            );
        }
        for r in &t.roles {
            let faits = self.faits_role(r);
            self.poser(T::PractitionerRole, r, faits, p.masque(Bloc::SituationBase, &faits), 0);
        }
        for r in &t.professionnels {
            let (faits, masque) = self.droits_professionnel(r, &p);
            self.poser(T::Practitioner, r, faits, masque, 0);
        }
        for r in &t.structures {
            let faits = self.faits_structure(r);
            let mut masque = p.masque(Bloc::StructureBase, &faits);
            if faits.sensible {
                masque &= p.masque(Bloc::OffreBase, &faits);
            }
            self.poser(T::Organization, r, faits, masque, 0);
        }
    }

    fn poser(&mut self, t: T, rang: u32, faits: Faits, masque: u8, fin: u8) {
        let table = self.table_mut(t);
        let (masque, fin) = if table.presentes().contains(rang) { (masque, fin) } else { (0, 0) };
        table.poser_droits(rang, faits, masque, fin & masque);
    }

    /// A place is as sensitive as the least of its offers; its capacities as the most.
    fn faits_lieu(&self, rang: u32) -> Faits {
        let offres = self.table(T::HealthcareService);
        let liees: Vec<Faits> = self
            .liens
            .lieux
            .sources(rang)
            .iter()
            .filter(|o| offres.presentes().contains(**o))
            .map(|o| offres.ligne(*o).faits)
            .collect();
        let au_moins_une = !liees.is_empty();
        Faits {
            sensible: au_moins_une && liees.iter().all(|f| f.sensible),
            sensible_partage: liees.iter().any(|f| f.sensible),
            ms: au_moins_une && liees.iter().all(|f| f.ms),
            ville: au_moins_une && liees.iter().all(|f| f.ville),
            ..Faits::default()
        }
    }

    /// A role without a known offer is treated as sensitive.
    fn faits_role(&self, rang: u32) -> Faits {
        let offres = self.table(T::HealthcareService);
        match self.liens.offre.cibles(rang).first() {
            Some(o) if offres.presentes().contains(*o) => offres.ligne(*o).faits,
            _ => Faits { sensible: true, sensible_partage: true, ..Faits::default() },
        }
    }

    /// A professional is visible through a visible role; without a role, as a person outside any field.
    fn droits_professionnel(&self, rang: u32, p: &Politique) -> (Faits, u8) {
        let roles = self.table(T::PractitionerRole);
        let tous: Vec<_> = self
            .liens
            .professionnel
            .sources(rang)
            .iter()
            .filter(|r| roles.presentes().contains(**r))
            .map(|r| roles.ligne(*r))
            .collect();
        if tous.is_empty() {
            return (Faits::default(), p.masque(Bloc::ProfessionnelBase, &Faits::default()));
        }
        let masque = tous.iter().fold(0, |m, l| m | (l.masque & p.masque(Bloc::ProfessionnelBase, &l.faits)));
        // Elements of the person follow what all the roles that are not sensitive agree on.
        let montres = || tous.iter().map(|l| l.faits).filter(|f| !f.sensible);
        let un = montres().next().is_some();
        let faits = Faits {
            sensible: !un,
            sensible_partage: tous.iter().any(|l| l.faits.sensible),
            ms: un && montres().all(|f| f.ms),
            ville: un && montres().all(|f| f.ville),
            ..Faits::default()
        };
        (faits, masque)
    }

    /// Field of an organisation: that of all its offers, those below it included. An
    /// internal organisation whose only offers are sensitive is sensitive itself.
    fn faits_structure(&self, rang: u32) -> Faits {
        let offres = self.table(T::HealthcareService);
        let (mut nombre, mut sensibles, mut ms, mut ville) = (0u32, 0u32, 0u32, 0u32);
        let mut courants = vec![rang];
        for _ in 0..PROFONDEUR {
            let mut suivants = Vec::new();
            for c in courants {
                for o in self.liens.porteur.sources(c).iter().filter(|o| offres.presentes().contains(**o)) {
                    let f = offres.ligne(*o).faits;
                    nombre += 1;
                    sensibles += u32::from(f.sensible);
                    ms += u32::from(f.ms);
                    ville += u32::from(f.ville);
                }
                suivants.extend_from_slice(self.liens.parent.sources(c));
            }
            if suivants.is_empty() {
                break;
            }
            courants = suivants;
        }
        let interne = self.table(T::Organization).ligne(rang).sorte == Sorte::Oi;
        Faits {
            sensible: interne && nombre > 0 && sensibles == nombre,
            ms: nombre > 0 && ms == nombre,
            ville: nombre > 0 && ville == nombre,
            ..Faits::default()
        }
    }
}
