//! Access policy: what each profile (0 to 5) may see of each block of attributes.
//!
//! The policy is data (`services/access/data/politique.tsv`): for a block and a profile, a
//! condition over the facts of the resource. A policy that leaves out a block or a profile, or that
//! holds a condition it cannot read, is refused as a whole: nothing is ever granted by default.

mod condition;

use prost::Message as _;
use ror_proto::access::v1::{Policy, PolicyRule};
use sha2::{Digest as _, Sha256};

use condition::Condition;

/// Number of access profiles.
pub const PROFILS: usize = 6;

/// The default policy, as the access service installs it.
#[cfg(test)]
pub(crate) const POLITIQUE_TSV: &str = include_str!("../../../services/access/data/politique.tsv");

/// A block of attributes that is shown or hidden as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bloc {
    /// EJ, EG and OI, all that no other block holds.
    StructureBase,
    /// niveauRecoursORSAN and zonePoser.
    StructureRecours,
    /// Contacts of a structure.
    StructureContact,
    /// Telecommunications of these contacts.
    StructureContactTelecom,
    /// Telecommunications of a structure.
    StructureTelecom,
    /// Offer, all that no other block holds.
    OffreBase,
    /// Acts, specialisations, professions and skills of an offer.
    OffreFine,
    /// Contacts of an offer.
    OffreContact,
    /// Telecommunications of these contacts.
    OffreContactTelecom,
    /// MSS mailboxes of an offer.
    OffreTelecom,
    /// Place, all that no other block holds.
    LieuBase,
    /// Telecommunications of a place.
    LieuTelecom,
    /// Equipment of a place.
    LieuEquipement,
    /// Capacity records of a place.
    LieuCapacite,
    /// Situation opérationnelle.
    SituationBase,
    /// Telecommunications of a situation.
    SituationTelecom,
    /// Professional.
    ProfessionnelBase,
    /// Telecommunications of a professional.
    ProfessionnelTelecom,
}

impl Bloc {
    /// Every block, in the order of its discriminant.
    pub const TOUS: [Self; 18] = [
        Self::StructureBase,
        Self::StructureRecours,
        Self::StructureContact,
        Self::StructureContactTelecom,
        Self::StructureTelecom,
        Self::OffreBase,
        Self::OffreFine,
        Self::OffreContact,
        Self::OffreContactTelecom,
        Self::OffreTelecom,
        Self::LieuBase,
        Self::LieuTelecom,
        Self::LieuEquipement,
        Self::LieuCapacite,
        Self::SituationBase,
        Self::SituationTelecom,
        Self::ProfessionnelBase,
        Self::ProfessionnelTelecom,
    ];

    /// Stable name, as the policy file writes it.
    #[must_use]
    pub const fn nom(self) -> &'static str {
        match self {
            Self::StructureBase => "structure.base",
            Self::StructureRecours => "structure.recours",
            Self::StructureContact => "structure.contact",
            Self::StructureContactTelecom => "structure.contact.telecom",
            Self::StructureTelecom => "structure.telecom",
            Self::OffreBase => "offre.base",
            Self::OffreFine => "offre.fine",
            Self::OffreContact => "offre.contact",
            Self::OffreContactTelecom => "offre.contact.telecom",
            Self::OffreTelecom => "offre.telecom",
            Self::LieuBase => "lieu.base",
            Self::LieuTelecom => "lieu.telecom",
            Self::LieuEquipement => "lieu.equipement",
            Self::LieuCapacite => "lieu.capacite",
            Self::SituationBase => "situation.base",
            Self::SituationTelecom => "situation.telecom",
            Self::ProfessionnelBase => "professionnel.base",
            Self::ProfessionnelTelecom => "professionnel.telecom",
        }
    }

    /// The block of that name.
    #[must_use]
    pub fn de_nom(nom: &str) -> Option<Self> {
        Self::TOUS.into_iter().find(|bloc| bloc.nom() == nom)
    }
}

/// What a condition is decided on.
///
/// For a place shared by several offers the caller gives: `sensible` when **every** linked offer is
/// sensitive, `sensible_partage` when **some** linked offer is, `ms` and `ville` when some linked
/// offer that is not sensitive is. A place or a structure without offer has none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faits {
    /// The offer is sensitive; of a place, all its offers are.
    pub sensible: bool,
    /// Some offer of the place is sensitive; only hides capacities.
    pub sensible_partage: bool,
    /// champActivite is médico-social (04).
    pub ms: bool,
    /// champActivite is ville (05).
    pub ville: bool,
    /// Level of the contact, 1 to 3; 0 (unknown) satisfies no upper bound.
    pub niveau_contact: u8,
    /// Level of the telecommunication, 1 to 3; 0 (unknown) satisfies no upper bound.
    pub niveau_telecom: u8,
    /// statutCapacite as a number, 1 to 6; 0 when there is none.
    pub statut: u8,
}

/// Classes of facts: all that is decided on but levels and status.
const CLASSES: usize = 16;
/// Statuses decided beforehand.
const STATUTS: usize = 16;

impl Faits {
    fn classe(&self) -> usize {
        usize::from(self.sensible)
            | usize::from(self.sensible_partage) << 1
            | usize::from(self.ms) << 2
            | usize::from(self.ville) << 3
    }

    fn de_classe(classe: usize, statut: u8) -> Self {
        let bit = |i: u32| classe & (1 << i) != 0;
        Self {
            sensible: bit(0),
            sensible_partage: bit(1),
            ms: bit(2),
            ville: bit(3),
            statut,
            ..Self::default()
        }
    }
}

/// A compiled policy.
#[derive(Clone, Debug)]
pub struct Politique {
    // As it came, without what dates it.
    source: Policy,
    empreinte: u64,
    // Of the rules of each profile.
    empreintes: [u64; PROFILS],
    // One line a block, in the order of `Bloc::TOUS`; one condition a profile.
    conditions: Vec<[Condition; PROFILS]>,
    // What the conditions say without levels, decided once: profiles by block, class and status.
    masques: Vec<[[u8; STATUTS]; CLASSES]>,
    // What each profile is shown of a block under a class: one bit a pair of levels, then one a status.
    lectures: Vec<[[u32; PROFILS]; CLASSES]>,
}

impl Politique {
    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// Every fault, in French: unknown block or profile, unreadable condition, rule given twice,
    /// block and profile without rule.
    pub fn compiler(politique: &Policy) -> Result<Self, Vec<String>> {
        let mut fautes = Vec::new();
        let mut lignes: Vec<[Option<Condition>; PROFILS]> =
            Bloc::TOUS.iter().map(|_| Default::default()).collect();
        for regle in &politique.regles {
            match compiler_regle(regle) {
                Err(faute) => fautes.push(faute),
                Ok((bloc, profil, condition)) => {
                    let case = lignes.get_mut(bloc as usize).and_then(|l| l.get_mut(profil));
                    if let Some(case) = case
                        && case.replace(condition).is_some()
                    {
                        let nom = bloc.nom();
                        fautes.push(format!("{nom}, profil {profil} : règle donnée deux fois"));
                    }
                }
            }
        }
        let mut conditions = Vec::with_capacity(lignes.len());
        for (bloc, ligne) in Bloc::TOUS.into_iter().zip(lignes) {
            for (profil, case) in ligne.iter().enumerate() {
                if case.is_none() {
                    fautes.push(format!("{}, profil {profil} : règle absente", bloc.nom()));
                }
            }
            conditions.push(ligne.map(Option::unwrap_or_default));
        }
        if fautes.is_empty() {
            let source = Policy { meta: None, ..politique.clone() };
            let empreinte = abreger(&source.encode_to_vec());
            let empreintes = std::array::from_fn(|profil| des_regles(&source, profil));
            let (masques, lectures) = (Vec::new(), Vec::new());
            let mut p = Self { source, empreinte, empreintes, conditions, masques, lectures };
            p.masques = Bloc::TOUS.into_iter().map(|bloc| p.decider(bloc)).collect();
            p.lectures = Bloc::TOUS.into_iter().map(|bloc| p.montrer(bloc)).collect();
            Ok(p)
        } else {
            Err(fautes)
        }
    }

    /// Version name of the policy.
    #[must_use]
    pub fn nom_version(&self) -> &str {
        &self.source.nom_version
    }

    /// What it was compiled from, without what dates it: equal ones grant the same.
    #[must_use]
    pub fn source(&self) -> &Policy {
        &self.source
    }

    /// What tells it from another one, alike on every replica.
    #[must_use]
    pub const fn empreinte(&self) -> u64 {
        self.empreinte
    }

    /// What tells the rules of a profile from others, those of another profile among them: alike on every replica.
    #[must_use]
    pub fn empreinte_pour(&self, profil: u8) -> u64 {
        self.empreintes.get(usize::from(profil)).copied().unwrap_or_default()
    }

    fn decider(&self, bloc: Bloc) -> [[u8; STATUTS]; CLASSES] {
        let mut masques = [[0; STATUTS]; CLASSES];
        for (classe, statuts) in masques.iter_mut().enumerate() {
            for (statut, masque) in (0_u8..).zip(statuts) {
                let faits = Faits::de_classe(classe, statut);
                *masque = (0..6_u8)
                    .filter(|profil| self.evaluer(bloc, *profil, &faits))
                    .fold(0, |masque, profil| masque | (1_u8 << profil));
            }
        }
        masques
    }

    fn montrer(&self, bloc: Bloc) -> [[u32; PROFILS]; CLASSES] {
        let un = |classe, profil| {
            let niveaux = (0..16_u8).map(|n| Faits {
                niveau_contact: n / 4,
                niveau_telecom: n % 4,
                ..Faits::de_classe(classe, 0)
            });
            let statuts = (0..16_u8).map(|statut| Faits::de_classe(classe, statut));
            let tous = niveaux.chain(statuts);
            tous.fold(0_u32, |lus, f| (lus << 1) | u32::from(self.evaluer(bloc, profil, &f)))
        };
        std::array::from_fn(|classe| std::array::from_fn(|profil| un(classe, profil as u8)))
    }

    /// Profiles for whom some of these blocks may be shown otherwise under some facts than under others, whatever
    /// the levels and the status of what it holds; one bit each.
    #[must_use]
    pub fn separe(&self, blocs: &[Bloc], avant: &Faits, apres: &Faits) -> u8 {
        let (avant, apres) = (avant.classe(), apres.classe());
        let lus = blocs.iter().filter_map(|bloc| self.lectures.get(*bloc as usize));
        lus.flat_map(|lu| (0..PROFILS).filter(move |profil| lu[avant][*profil] != lu[apres][*profil]))
            .fold(0, |masque, profil| masque | (1 << profil))
    }

    /// Whether a profile may see a block, given the facts. An unknown profile sees nothing.
    #[must_use]
    pub fn permet(&self, bloc: Bloc, profil: u8, faits: &Faits) -> bool {
        match self.decide(bloc, faits) {
            Some(masque) => 1_u8.checked_shl(u32::from(profil)).is_some_and(|bit| masque & bit != 0),
            None => self.evaluer(bloc, profil, faits),
        }
    }

    /// The profiles decided beforehand; `None` when levels or an unusual status come in.
    fn decide(&self, bloc: Bloc, faits: &Faits) -> Option<u8> {
        if faits.niveau_contact != 0 || faits.niveau_telecom != 0 {
            return None;
        }
        self.masques.get(bloc as usize)?[faits.classe()].get(usize::from(faits.statut)).copied()
    }

    fn evaluer(&self, bloc: Bloc, profil: u8, faits: &Faits) -> bool {
        let Some(condition) =
            self.conditions.get(bloc as usize).and_then(|ligne| ligne.get(usize::from(profil)))
        else {
            return false;
        };
        if bloc == Bloc::LieuCapacite && faits.sensible_partage {
            condition.vraie(&Faits { sensible: true, ..*faits })
        } else {
            condition.vraie(faits)
        }
    }

    /// The profiles that may see a block, one bit each (bit 0 is profile 0).
    #[must_use]
    pub fn masque(&self, bloc: Bloc, faits: &Faits) -> u8 {
        self.decide(bloc, faits).unwrap_or_else(|| {
            (0..6_u8)
                .filter(|profil| self.evaluer(bloc, *profil, faits))
                .fold(0, |masque, profil| masque | (1_u8 << profil))
        })
    }
}

fn abreger(octets: &[u8]) -> u64 {
    let somme = Sha256::digest(octets);
    somme.iter().take(8).fold(0_u64, |e, octet| (e << 8) | u64::from(*octet))
}

/// Whatever the order of the rules, and the name of the policy.
fn des_regles(source: &Policy, profil: usize) -> u64 {
    let siennes = source.regles.iter().filter(|r| usize::try_from(r.profil).is_ok_and(|p| p == profil));
    let mut lignes: Vec<String> =
        siennes.map(|r| format!("{profil}\t{}\t{}\n", r.bloc, r.condition.trim())).collect();
    lignes.sort_unstable();
    abreger(lignes.concat().as_bytes())
}

fn compiler_regle(regle: &PolicyRule) -> Result<(Bloc, usize, Condition), String> {
    let (nom, profil) = (&regle.bloc, regle.profil);
    let bloc = Bloc::de_nom(nom).ok_or_else(|| format!("{nom} : bloc inconnu"))?;
    let rang = usize::try_from(profil)
        .ok()
        .filter(|rang| *rang < PROFILS)
        .ok_or_else(|| format!("{nom}, profil {profil} : profil inconnu (0 à 5)"))?;
    let condition =
        Condition::lire(&regle.condition).map_err(|faute| format!("{nom}, profil {profil} : {faute}"))?;
    Ok((bloc, rang, condition))
}

/// Reads the policy file: columns bloc, profil, condition; `#` starts a comment line.
///
/// # Errors
///
/// Every line that is not three columns with a numeric profile, in French.
pub fn politique_par_defaut(tsv: &str) -> Result<Policy, Vec<String>> {
    let mut fautes = Vec::new();
    let mut regles = Vec::new();
    for (rang, ligne) in tsv.lines().enumerate() {
        let ligne = ligne.trim_end();
        if ligne.is_empty() || ligne.starts_with('#') || ligne == "bloc\tprofil\tcondition" {
            continue;
        }
        let mut colonnes = ligne.split('\t');
        let lue = (colonnes.next(), colonnes.next(), colonnes.next(), colonnes.next());
        match lue {
            (Some(bloc), Some(profil), Some(condition), None) => match profil.trim().parse::<u32>() {
                Ok(profil) => regles.push(PolicyRule {
                    bloc: bloc.trim().to_owned(),
                    profil,
                    condition: condition.trim().to_owned(),
                }),
                Err(_) => fautes.push(format!("ligne {} : profil « {profil} » illisible", rang + 1)),
            },
            _ => fautes.push(format!("ligne {} : trois colonnes attendues", rang + 1)),
        }
    }
    if fautes.is_empty() {
        Ok(Policy { meta: None, nom_version: "défaut".to_owned(), regles })
    } else {
        Err(fautes)
    }
}

#[cfg(test)]
mod tests;
