//! What a change of writer is: who may ask for it, and what it goes through.

pub mod gardes;
pub mod plafond;
pub mod region;

use ror_chassis::{Erreur, Resultat, conversion::horodatage, erreur::faute};
use ror_proto::{
    bascule::v1::{self as contrat, EtatTransition, ProposeTransitionRequest},
    common::v1::{Bail, Canal, Faute},
};
use time::OffsetDateTime;
use uuid::Uuid;

const ROLES: [&str; 3] = ["ANS", "ARS", "GRADeS"];

/// What moves as one: a part of the data with one writer a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domaine {
    /// Structures and offers.
    Description,
    /// Beds and places.
    Capacite,
}

impl Domaine {
    /// Both.
    pub const TOUS: [Self; 2] = [Self::Description, Self::Capacite];

    /// Name in the contract.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Capacite => "capacite",
        }
    }

    /// From its name.
    pub fn lire(nom: &str) -> Option<Self> {
        Self::TOUS.into_iter().find(|d| d.nom() == nom)
    }
}

/// A named approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approbation {
    /// Person or account, 3 to 200 characters.
    pub nom: String,
    /// ANS, ARS or GRADeS.
    pub role: String,
    /// When.
    pub date: OffsetDateTime,
}

impl Approbation {
    /// Reads one; every fault at once.
    pub fn lire(a: Option<contrat::Approbation>, date: OffsetDateTime) -> Resultat<Self> {
        let mut fautes = Vec::new();
        let a = Self::controler(a, date, &mut fautes);
        if fautes.is_empty() { Ok(a) } else { Err(Erreur::Invalide(fautes)) }
    }

    fn controler(a: Option<contrat::Approbation>, date: OffsetDateTime, fautes: &mut Vec<Faute>) -> Self {
        let a = a.unwrap_or_default();
        let nom = texte(fautes, "approbation.nom", &a.nom, 200);
        if !ROLES.contains(&a.role.as_str()) {
            let message = format!("Le rôle « {} » n'approuve pas de bascule.", a.role);
            fautes.push(faute("approbation.role", "role", message, "ANS, ARS ou GRADeS"));
        }
        Self { nom, role: a.role, date }
    }

    /// Whether both are of one person: case and spaces do not make another one.
    pub fn meme_personne(&self, autre: &Self) -> bool {
        let cle = |n: &str| n.split_whitespace().collect::<String>().to_lowercase();
        cle(&self.nom) == cle(&autre.nom)
    }
}

/// A change asked for, well formed; the state of the region still has its say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposition {
    /// INSEE code, one of the 18.
    pub region: String,
    /// What moves.
    pub domaine: Domaine,
    /// Writer wanted; unspecified for nobody.
    pub vers: Canal,
    /// Why, 3 to 500 characters.
    pub motif: String,
    /// Of who proposes.
    pub approbation: Approbation,
}

impl Proposition {
    /// Reads a request; every fault at once.
    pub fn lire(r: ProposeTransitionRequest, date: OffsetDateTime) -> Resultat<Self> {
        let mut fautes = Vec::new();
        if region::nom(&r.region).is_none() {
            let message = format!("La région « {} » est inconnue.", r.region);
            fautes.push(faute("region", "region-inconnue", message, "le code INSEE d'une des 18 régions"));
        }
        let domaine = Domaine::lire(&r.domaine);
        if domaine.is_none() {
            let message = format!("Le domaine « {} » est inconnu.", r.domaine);
            fautes.push(faute("domaine", "domaine-inconnu", message, "description ou capacite"));
        }
        // An unknown number must not be read as « nobody ».
        let vers = Canal::try_from(r.vers).ok().filter(|c| *c != Canal::Referentiel);
        if vers.is_none() {
            let message = "Cet écrivain ne peut pas tenir un bail.";
            fautes.push(faute("vers", "ecrivain", message, "regional, national ou personne"));
        }
        let motif = texte(&mut fautes, "motif", &r.motif, 500);
        let approbation = Approbation::controler(r.approbation, date, &mut fautes);
        match (domaine, vers) {
            (Some(domaine), Some(vers)) if fautes.is_empty() => {
                Ok(Self { region: r.region, domaine, vers, motif, approbation })
            }
            _ => Err(Erreur::Invalide(fautes)),
        }
    }
}

/// A text trimmed, 3 to `max` characters.
fn texte(fautes: &mut Vec<Faute>, element: &str, recu: &str, max: usize) -> String {
    let t = recu.trim();
    if !(3..=max).contains(&t.chars().count()) {
        let message = format!("L'élément {element} est trop court ou trop long.");
        fautes.push(faute(element, "longueur", message, format!("3 à {max} caractères")));
    }
    t.to_owned()
}

/// Reads the name of who cancels.
pub fn lire_nom(nom: &str) -> Resultat<String> {
    let mut fautes = Vec::new();
    let nom = texte(&mut fautes, "nom", nom, 200);
    if fautes.is_empty() { Ok(nom) } else { Err(Erreur::Invalide(fautes)) }
}

/// A change of writer of one region and domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Id, UUIDv7.
    pub id: Uuid,
    /// INSEE code.
    pub region: String,
    /// What moves.
    pub domaine: Domaine,
    /// Writer before.
    pub de: Canal,
    /// Writer wanted.
    pub vers: Canal,
    /// Why.
    pub motif: String,
    /// How far it went.
    pub etat: EtatTransition,
    /// Epoch of the lease it starts from; fixed by the second approval, 0 before.
    pub epoque: u64,
    /// Every owning service has acknowledged that nobody writes.
    pub gelee: bool,
    /// When proposed.
    pub proposee_le: OffsetDateTime,
    /// When carried out.
    pub faite_le: Option<OffsetDateTime>,
    /// Approvals so far, in order.
    pub approbations: Vec<Approbation>,
}

impl Transition {
    /// A proposal that begins; `de` is the writer in force.
    pub fn proposee(p: Proposition, de: Canal) -> Self {
        Self {
            id: Uuid::now_v7(),
            region: p.region,
            domaine: p.domaine,
            de,
            vers: p.vers,
            motif: p.motif,
            etat: EtatTransition::Proposee,
            epoque: 0,
            gelee: false,
            proposee_le: p.approbation.date,
            faite_le: None,
            approbations: vec![p.approbation],
        }
    }

    /// First step: nobody writes.
    pub fn bail_de_gel(&self) -> Bail {
        self.bail(Canal::Unspecified, self.epoque + 1)
    }

    /// What stands once the change is carried out; the lease of the first step when
    /// nobody is what was wanted.
    pub fn bail_final(&self) -> Bail {
        match self.vers {
            Canal::Unspecified => self.bail_de_gel(),
            vers => self.bail(vers, self.epoque + 2),
        }
    }

    fn bail(&self, ecrivain: Canal, epoque: u64) -> Bail {
        Bail {
            region: self.region.clone(),
            domaine: self.domaine.nom().to_owned(),
            ecrivain: ecrivain as i32,
            epoque,
        }
    }

    /// As the contract tells it.
    pub fn message(&self) -> contrat::Transition {
        let epoque = match self.etat {
            EtatTransition::Faite => self.bail_final().epoque,
            EtatTransition::EnCours if self.gelee => self.epoque + 1,
            _ => self.epoque,
        };
        let approbation = |a: &Approbation| contrat::Approbation {
            nom: a.nom.clone(),
            role: a.role.clone(),
            date: Some(horodatage(a.date)),
        };
        contrat::Transition {
            id: self.id.to_string(),
            region: self.region.clone(),
            domaine: self.domaine.nom().to_owned(),
            de: self.de as i32,
            vers: self.vers as i32,
            motif: self.motif.clone(),
            etat: self.etat as i32,
            approbations: self.approbations.iter().map(approbation).collect(),
            epoque,
            proposee_le: Some(horodatage(self.proposee_le)),
            faite_le: self.faite_le.map(horodatage),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ror_chassis::conversion::maintenant;

    pub(crate) fn demande(vers: i32) -> ProposeTransitionRequest {
        ProposeTransitionRequest {
            region: "52".into(),
            domaine: "description".into(),
            vers,
            motif: "jour J".into(),
            approbation: Some(contrat::Approbation {
                nom: "Anne Le Goff".into(),
                role: "ANS".into(),
                date: None,
            }),
        }
    }

    pub(crate) fn approbation(nom: &str, role: &str) -> Approbation {
        Approbation { nom: nom.into(), role: role.into(), date: maintenant() }
    }

    #[test]
    fn every_fault_of_a_proposal_is_told_at_once() {
        let vide = ProposeTransitionRequest { vers: 9, ..Default::default() };
        let Err(Erreur::Invalide(f)) = Proposition::lire(vide, maintenant()) else { panic!("accepted") };
        let elements: Vec<&str> = f.iter().map(|f| f.element.as_str()).collect();
        assert_eq!(elements, ["region", "domaine", "vers", "motif", "approbation.nom", "approbation.role"]);
        assert!(Proposition::lire(demande(Canal::Referentiel as i32), maintenant()).is_err());
        for vers in [Canal::Unspecified, Canal::Regional, Canal::National] {
            assert_eq!(Proposition::lire(demande(vers as i32), maintenant()).unwrap().vers, vers);
        }
    }

    #[test]
    fn case_and_spaces_do_not_make_another_person() {
        let a = approbation("Anne Le Goff", "ANS");
        assert!(a.meme_personne(&approbation(" anne  LEGOFF ", "ARS")));
        assert!(!a.meme_personne(&approbation("Anne Legof", "ARS")));
    }

    #[test]
    fn nobody_writes_between_two_writers() {
        let p = Proposition::lire(demande(Canal::National as i32), maintenant()).unwrap();
        let mut t = Transition { epoque: 7, ..Transition::proposee(p, Canal::Regional) };
        assert_eq!((t.bail_de_gel().ecrivain(), t.bail_de_gel().epoque), (Canal::Unspecified, 8));
        assert_eq!((t.bail_final().ecrivain(), t.bail_final().epoque), (Canal::National, 9));
        t.vers = Canal::Unspecified;
        assert_eq!(t.bail_final(), t.bail_de_gel());
    }
}
