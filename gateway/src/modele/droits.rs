//! Who may see which row. Facts flow along the relations: an offer's sensitivity
//! and field reach its places, roles, their professionals and its organisations.

use roaring::RoaringBitmap;
use std::sync::Arc;

use super::{Capacites, Extrait, Modele, Sorte, TypeFhir as T};
use crate::{
    fhir::{
        politique::{Bloc, Faits, PROFILS, Politique},
        rendu::{Libelles, Vue},
    },
    recherche::parametres::Relation as R,
    rendu,
};

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

/// Blocks that a resource of a type is made of.
fn blocs(t: T) -> &'static [Bloc] {
    match t {
        T::Organization => &[
            Bloc::StructureBase,
            Bloc::StructureRecours,
            Bloc::StructureContact,
            Bloc::StructureContactTelecom,
            Bloc::StructureTelecom,
        ],
        T::HealthcareService => &[
            Bloc::OffreBase,
            Bloc::OffreFine,
            Bloc::OffreContact,
            Bloc::OffreContactTelecom,
            Bloc::OffreTelecom,
        ],
        T::Location => &[Bloc::LieuBase, Bloc::LieuTelecom, Bloc::LieuEquipement, Bloc::LieuCapacite],
        T::PractitionerRole => &[Bloc::SituationBase, Bloc::SituationTelecom],
        T::Practitioner => &[Bloc::ProfessionnelBase, Bloc::ProfessionnelTelecom],
    }
}

/// Labels do not depend on who reads.
struct SansLibelles;

impl Libelles for SansLibelles {
    fn libelle(&self, _: &str, _: &str) -> Option<&str> {
        None
    }
}

impl Modele {
    /// Changes the policy: everyone's sets are computed again, once the directory is whole.
    pub fn changer_politique(&mut self, politique: Arc<Politique>) {
        if self.travail.differe {
            self.politique = politique;
            return;
        }
        let lits = (0..self.table(T::Location).nombre()).filter(|r| self.capacite(*r).is_some());
        let regards: Vec<_> = lits.map(|r| (r, self.regard(r))).collect();
        self.politique = politique;
        self.travail.refonte = true;
        self.travail.retrait = true;
        self.recalculer_tout();
        for (rang, avant) in regards {
            self.revoir_capacites(rang, &avant);
        }
    }

    pub(super) fn recalculer_tout(&mut self) {
        self.travail.muet = true;
        self.recalculer_les_presentes();
        self.travail.muet = false;
    }

    fn recalculer_les_presentes(&mut self) {
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
        t.lieux.extend(self.liens.de(R::Lieux).cibles(rang).iter().copied());
        for r in self.liens.de(R::Offre).sources(rang) {
            self.toucher_role(*r, t);
        }
        for s in self.liens.de(R::Porteur).cibles(rang) {
            self.toucher_structure(*s, t);
        }
    }

    pub(super) fn toucher_role(&self, rang: u32, t: &mut Touches) {
        t.roles.insert(rang);
        t.professionnels.extend(self.liens.de(R::Professionnel).cibles(rang).iter().copied());
    }

    /// An organisation and its ancestors.
    pub(super) fn toucher_structure(&self, rang: u32, t: &mut Touches) {
        let mut courant = vec![rang];
        for _ in 0..PROFONDEUR {
            let mut suivants = Vec::new();
            for r in courant {
                // Walked even when known already: its parents may have changed since.
                t.structures.insert(r);
                suivants.extend_from_slice(self.liens.de(R::Parent).cibles(r));
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
            let faits = self.table(T::HealthcareService).faits(r);
            self.poser(T::HealthcareService, r, faits, p.masque(Bloc::OffreBase, &faits));
        }
        for r in &t.lieux {
            let faits = self.faits_lieu(r);
            self.poser(T::Location, r, faits, p.masque(Bloc::LieuBase, &faits));
        }
        for r in &t.roles {
            let faits = self.faits_role(r);
            self.poser(T::PractitionerRole, r, faits, p.masque(Bloc::SituationBase, &faits));
        }
        for r in &t.professionnels {
            let (faits, masque) = self.droits_professionnel(r, &p);
            self.poser(T::Practitioner, r, faits, masque);
        }
        for r in &t.structures {
            let faits = self.faits_structure(r);
            let mut masque = p.masque(Bloc::StructureBase, &faits);
            if faits.sensible {
                masque &= p.masque(Bloc::OffreBase, &faits);
            }
            self.poser(T::Organization, r, faits, masque);
        }
    }

    fn poser(&mut self, t: T, rang: u32, faits: Faits, masque: u8) {
        let lits = t == T::Location && !self.travail.muet && self.capacite(rang).is_some();
        let regard = lits.then(|| self.regard(rang));
        let table = self.table_mut(t);
        let masque = if table.presentes().contains(rang) { masque } else { 0 };
        let (lus, voyaient_la) = table.ligne(rang).map_or((Faits::default(), 0), |l| (l.faits, l.masque));
        if table.poser_droits(rang, faits, masque) {
            if let Some(avant) = &regard {
                self.revoir_capacites(rang, avant);
            }
            let autrement = self.lisent_autrement(t, rang, &lus, voyaient_la & masque);
            self.toucher_journal(t, rang, voyaient_la, (voyaient_la ^ masque) | autrement);
            self.cacher_les_liens(t, rang, voyaient_la & !masque);
        }
    }

    /// What a row refers to is no longer reached by it for who ceased to see it, whatever becomes of its links.
    fn cacher_les_liens(&mut self, t: T, rang: u32, perdent: u8) {
        if self.travail.muet || perdent == 0 {
            return;
        }
        for r in R::TOUTES.into_iter().filter(|r| r.source() == t) {
            for c in self.liens.de(r).cibles(rang).to_vec() {
                self.quitter(r, c, perdent);
            }
        }
    }

    /// Of these profiles, those that read a row otherwise than under former facts: facts that move because of
    /// what a profile does not see may change nothing for it.
    fn lisent_autrement(&self, t: T, rang: u32, avant: &Faits, profils: u8) -> u8 {
        if self.travail.muet || profils == 0 {
            return 0;
        }
        let apres = self.table(t).faits(rang);
        let peut_etre = profils & self.politique.separe(blocs(t), avant, &apres);
        (0..PROFILS as u8)
            .filter(|p| peut_etre & (1 << p) != 0 && !self.lit_pareil(t, rang, *p, [avant, &apres]))
            .fold(0, |m, p| m | (1 << p))
    }

    /// Whether a profile reads the same of a row, as it stands, under these facts and under those.
    pub(crate) fn lit_pareil(&self, t: T, rang: u32, profil: u8, faits: [&Faits; 2]) -> bool {
        let Some(lu) = self.extraire(t, rang, profil) else { return true };
        // All of them: each is shown or not by its own facts.
        let capacite = self.capacite(rang).filter(|_| t == T::Location).and_then(Capacites::etat);
        let e = Extrait { capacite, ..lu };
        let [un, autre] = faits.map(|f| {
            let vue = Vue { politique: &self.politique, profil, faits: *f, libelles: &SansLibelles };
            let mut octets = Vec::new();
            rendu::rendre(&e, &vue, &mut octets);
            octets
        });
        un == autre
    }

    /// A place is as sensitive as the least of its offers; its capacities as the most.
    fn faits_lieu(&self, rang: u32) -> Faits {
        let offres = self.table(T::HealthcareService);
        let liees: Vec<Faits> = self
            .liens
            .de(R::Lieux)
            .sources(rang)
            .iter()
            .filter(|o| offres.presentes().contains(**o))
            .map(|o| offres.faits(*o))
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
        match self.liens.de(R::Offre).cibles(rang).first() {
            Some(o) if offres.presentes().contains(*o) => offres.faits(*o),
            _ => Faits { sensible: true, sensible_partage: true, ..Faits::default() },
        }
    }

    /// A professional is visible through a visible role; without a role, as a person outside any field.
    fn droits_professionnel(&self, rang: u32, p: &Politique) -> (Faits, u8) {
        let roles = self.table(T::PractitionerRole);
        let tous: Vec<_> = self
            .liens
            .de(R::Professionnel)
            .sources(rang)
            .iter()
            .filter(|r| roles.presentes().contains(**r))
            .filter_map(|r| roles.ligne(*r))
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
                for o in
                    self.liens.de(R::Porteur).sources(c).iter().filter(|o| offres.presentes().contains(**o))
                {
                    let f = offres.faits(*o);
                    nombre += 1;
                    sensibles += u32::from(f.sensible);
                    ms += u32::from(f.ms);
                    ville += u32::from(f.ville);
                }
                suivants.extend_from_slice(self.liens.de(R::Parent).sources(c));
            }
            if suivants.is_empty() {
                break;
            }
            courants = suivants;
        }
        let interne = self.table(T::Organization).ligne(rang).is_some_and(|l| l.sorte == Sorte::Oi);
        Faits {
            sensible: interne && nombre > 0 && sensibles == nombre,
            ms: nombre > 0 && ms == nombre,
            ville: nombre > 0 && ville == nombre,
            ..Faits::default()
        }
    }
}
