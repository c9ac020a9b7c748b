//! `SavoirFaire`: what each professional is qualified in, by profession.

use ror_domaine::identifiants::id_ps;
use ror_proto::common::v1::{Faute, Meta};
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ExerciceProfessionnel, Professionnel};

use super::colonnes::{Champ, Champs};
use super::fusion::{meme_exercice, trier_exercices, trier_savoir_faire};
use super::identifiant::Identifiant;
use super::personne::{ajouter_savoir_faire, est_exercice, nouvel_exercice};
use super::table::{Fiche, Suivi};

/// The savoir-faire of a person, by profession.
#[derive(Debug)]
pub(super) struct Savoirs {
    identifiant: Identifiant,
    exercices: Vec<ExerciceProfessionnel>,
}

impl Fiche for Savoirs {
    fn nouvelle(identifiant: Identifiant) -> Self {
        Self { identifiant, exercices: Vec::new() }
    }

    fn identifiant(&self) -> &Identifiant {
        &self.identifiant
    }

    fn id(id_nat_ps: &str) -> String {
        id_ps(id_nat_ps)
    }

    fn controler(_: &Champs<'_>, _: &mut Vec<Faute>) {}

    fn ajouter(&mut self, ligne: &Champs<'_>, suivi: &mut Suivi) {
        if ligne.valeur(Champ::Profession).is_empty() {
            suivi.constater("profession-absente");
        }
        if ligne.valeur(Champ::SavoirFaire).is_empty() {
            suivi.constater("savoir-faire-absent");
        }
        let rang = self.exercices.iter().position(|exercice| est_exercice(exercice, ligne));
        let rang = rang.unwrap_or_else(|| {
            self.exercices.push(nouvel_exercice(ligne));
            self.exercices.len() - 1
        });
        ajouter_savoir_faire(&mut self.exercices[rang].savoir_faire, ligne);
    }

    fn ressource(mut self, _: &mut Suivi) -> Ressource {
        for exercice in &mut self.exercices {
            trier_savoir_faire(&mut exercice.savoir_faire);
        }
        trier_exercices(&mut self.exercices);
        Ressource::Professionnel(Professionnel {
            meta: Some(Meta { id: id_ps(&self.identifiant.id_nat_ps), ..Meta::default() }),
            id_nat_ps: self.identifiant.id_nat_ps,
            exercices: self.exercices,
            ..Professionnel::default()
        })
    }
}

/// The known professional with the savoir-faire received: the list of each
/// profession named is replaced, and nothing else. A profession not exercised
/// here is left out: only `Personne_activite` tells who exercises what.
#[must_use]
pub fn poser_savoir_faire(connu: &Professionnel, recu: Professionnel) -> Professionnel {
    completer(connu, recu, |exercice| exercice.savoir_faire.clear())
}

/// The same for the continuation of a person (`suite`): what is received is added
/// to the lists that the first part replaced.
#[must_use]
pub fn completer_savoir_faire(connu: &Professionnel, recu: Professionnel) -> Professionnel {
    completer(connu, recu, |_| {})
}

fn completer(
    connu: &Professionnel,
    recu: Professionnel,
    preparer: impl Fn(&mut ExerciceProfessionnel),
) -> Professionnel {
    let mut pose = connu.clone();
    for nouveau in recu.exercices {
        if let Some(exercice) = pose.exercices.iter_mut().find(|exercice| meme_exercice(exercice, &nouveau)) {
            preparer(exercice);
            exercice.savoir_faire.extend(nouveau.savoir_faire);
            trier_savoir_faire(&mut exercice.savoir_faire);
        }
    }
    pose
}
