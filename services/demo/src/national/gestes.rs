//! What can happen to a record between two editions.

use super::monde::{Cloture, Monde};
use super::personnes::{Annuaire, Personne};
use crate::error::Error;
use crate::noms;
use crate::prng::Prng;

/// What happens to a legal entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GesteEj {
    /// Another name.
    Nom,
    /// Another telephone.
    Telephone,
    /// Closed by itself, event 005.
    Fermee,
    /// Closed after the transfer of its only site, event 020.
    FermeeApresTransfert,
}

/// What happens to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GesteEg {
    /// Another name.
    Nom,
    /// Another telephone.
    Telephone,
    /// Another street number.
    Adresse,
    /// Another tariff mode.
    Tarif,
    /// Closed, with that state in the event 005.
    Fermee(&'static str),
    /// Open again, event 039.
    Rouverte,
    /// Moved to another legal entity, events 018 and 019.
    Transferee,
}

/// What happens to an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GesteActivite {
    /// Withdrawn, on both levels.
    Retrait,
    /// One more place installed, at the site only.
    Capacite,
}

/// What happens to a professional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GestePs {
    /// Another surname.
    Nom,
    /// One more activity.
    Ajout,
    /// The last activity ends.
    Retrait,
    /// One more skill.
    SavoirFaire,
    /// Absent from the edition.
    Disparu,
}

/// A change that surely changes that person.
pub fn geste_ps(p: &Personne, monde: &Monde<'_>, tirage: u64) -> GestePs {
    let Some(premier) = p.exercices.first() else { return GestePs::Nom };
    let medecin = monde.donnees.professions[premier.profession].code == "10";
    match tirage {
        0..25 if !premier.activites.is_empty() => GestePs::Retrait,
        25..70 => GestePs::Ajout,
        70..85 if medecin => GestePs::SavoirFaire,
        _ => GestePs::Nom,
    }
}

/// Applies a change to a professional; false when the edition lacks them.
pub fn appliquer_ps(
    annuaire: &Annuaire<'_>,
    rang: u32,
    geste: GestePs,
    p: &mut Personne,
) -> Result<bool, Error> {
    let mut prng = Prng::numerote(annuaire.monde.graine, "geste", u64::from(rang));
    let Some(premier) = p.exercices.first_mut() else { return Ok(geste != GestePs::Disparu) };
    match geste {
        GestePs::Disparu => return Ok(false),
        GestePs::Nom => {
            let (_, autre, _) = noms::personne(&mut prng);
            p.nom = format!("{} {autre}", p.nom);
        }
        GestePs::Retrait => {
            premier.activites.pop();
        }
        GestePs::Ajout => {
            let profession = &annuaire.monde.donnees.professions[premier.profession];
            // Another place than those that are there, however many draws it takes.
            for k in 10..40 {
                let a = annuaire.activite(profession, &p.rpps, p.region, k, &mut prng)?;
                if premier.activites.iter().all(|b| b.lieu != a.lieu) {
                    premier.activites.push(a);
                    break;
                }
            }
        }
        GestePs::SavoirFaire => {
            let autre = annuaire.autre_savoir_faire(&premier.savoir_faire, &mut prng);
            premier.savoir_faire.extend(autre);
        }
    }
    Ok(true)
}

/// A closure on the day of an edition.
pub fn cloture(jour: i64, etat: &'static str) -> Cloture {
    Cloture { jour, code: "005", etat: Some(etat) }
}
