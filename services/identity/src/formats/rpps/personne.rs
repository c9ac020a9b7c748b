//! The lines of `Personne_activite` of a person, gathered.

use ror_domaine::identifiants::id_ps;
use ror_proto::common::v1::{Code, Faute, Meta};
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, Professionnel, SavoirFaire};

use super::super::faute;
use super::SYSTEME_CIVILITE;
use super::colonnes::{Champ, Champs};
use super::fusion::{cle, region_retenue, trier_activites, trier_exercices, trier_savoir_faire};
use super::identifiant::Identifiant;
use super::table::{Fiche, Suivi};

/// Everything read of a person so far.
#[derive(Debug)]
pub(super) struct Personne {
    identifiant: Identifiant,
    region: &'static str,
    identite: Option<Identite>,
    divergente: bool,
    exercices: Vec<Exercice>,
}

#[derive(Debug)]
struct Identite {
    nom: String,
    prenom: String,
    civilite: String,
}

#[derive(Debug)]
struct Exercice {
    exercice: ExerciceProfessionnel,
    divergent: bool,
}

impl Fiche for Personne {
    fn nouvelle(identifiant: Identifiant) -> Self {
        Self { identifiant, region: "", identite: None, divergente: false, exercices: Vec::new() }
    }

    fn identifiant(&self) -> &Identifiant {
        &self.identifiant
    }

    fn id(id_nat_ps: &str) -> String {
        id_ps(id_nat_ps)
    }

    fn controler(ligne: &Champs<'_>, fautes: &mut Vec<Faute>) {
        if ligne.valeur(Champ::Nom).is_empty() {
            fautes.push(faute("Nom d'exercice", "nom-absent", "Le nom d'exercice est absent.", "Un nom"));
        }
    }

    fn ajouter(&mut self, ligne: &Champs<'_>, suivi: &mut Suivi) {
        self.identifier(ligne, suivi);
        let exercice = exercice(&mut self.exercices, ligne, suivi);
        exercice.nommer(ligne.valeur(Champ::CiviliteExercice));
        let exercice = &mut exercice.exercice;
        ajouter_savoir_faire(&mut exercice.savoir_faire, ligne);
        let lue = activite(ligne);
        if lue.iter().all(|partie| partie.is_empty()) {
            return;
        }
        let region = suivi.region(ligne.valeur(Champ::Commune), ligne.valeur(Champ::Departement));
        self.region = region_retenue(self.region, region);
        if !exercice.activites.iter().any(|connue| cle(connue) == lue) {
            exercice.activites.push(depuis_cle(lue));
        }
    }

    fn ressource(self, suivi: &mut Suivi) -> Ressource {
        if self.divergente {
            suivi.constater("identite-divergente");
        }
        let mut exercices = Vec::with_capacity(self.exercices.len());
        for Exercice { mut exercice, divergent } in self.exercices {
            if divergent {
                suivi.constater("civilite-exercice-divergente");
            }
            trier_savoir_faire(&mut exercice.savoir_faire);
            trier_activites(&mut exercice.activites);
            exercices.push(exercice);
        }
        trier_exercices(&mut exercices);
        let (nom, prenom, civilite) = match self.identite {
            Some(lue) => (lue.nom, lue.prenom, lue.civilite),
            None => (String::new(), String::new(), String::new()),
        };
        Ressource::Professionnel(Professionnel {
            meta: Some(Meta {
                id: id_ps(&self.identifiant.id_nat_ps),
                region: self.region.to_owned(),
                ..Meta::default()
            }),
            id_nat_ps: self.identifiant.id_nat_ps,
            rpps: self.identifiant.rpps,
            civilite: (!civilite.is_empty())
                .then(|| Code { systeme: SYSTEME_CIVILITE.to_owned(), code: civilite }),
            nom,
            prenom,
            exercices,
            actif: true,
        })
    }
}

impl Personne {
    /// Keeps the smallest of the identities of the lines, one with a civilité first.
    fn identifier(&mut self, ligne: &Champs<'_>, suivi: &mut Suivi) {
        let (nom, prenom) = (ligne.valeur(Champ::Nom), ligne.valeur(Champ::Prenom));
        let civilite = ligne.valeur(Champ::Civilite);
        if prenom.is_empty() {
            suivi.constater("prenom-absent");
        }
        if let Some(connue) = &self.identite {
            let ordre = (connue.civilite.is_empty(), &*connue.nom, &*connue.prenom, &*connue.civilite);
            let lue = (civilite.is_empty(), nom, prenom, civilite);
            self.divergente |= lue != ordre;
            if lue >= ordre {
                return;
            }
        }
        self.identite =
            Some(Identite { nom: nom.to_owned(), prenom: prenom.to_owned(), civilite: civilite.to_owned() });
    }
}

impl Exercice {
    /// Keeps the smallest of the civilités of exercice.
    fn nommer(&mut self, civilite: &str) {
        let connue = &mut self.exercice.civilite_exercice;
        if civilite.is_empty() || civilite == connue.as_str() {
            return;
        }
        self.divergent |= !connue.is_empty();
        if connue.is_empty() || civilite < connue.as_str() {
            *connue = civilite.to_owned();
        }
    }
}

/// The exercice of a line, added when it is new.
fn exercice<'e>(exercices: &'e mut Vec<Exercice>, ligne: &Champs<'_>, suivi: &mut Suivi) -> &'e mut Exercice {
    let rang = exercices.iter().position(|connu| est_exercice(&connu.exercice, ligne));
    let rang = rang.unwrap_or_else(|| {
        exercices.push(Exercice { exercice: nouvel_exercice(ligne), divergent: false });
        exercices.len() - 1
    });
    if ligne.valeur(Champ::Profession).is_empty() {
        suivi.constater("profession-absente");
    }
    &mut exercices[rang]
}

/// True when the line is about this profession in this category.
pub(super) fn est_exercice(exercice: &ExerciceProfessionnel, ligne: &Champs<'_>) -> bool {
    exercice.profession == ligne.valeur(Champ::Profession)
        && exercice.categorie == ligne.valeur(Champ::Categorie)
}

/// The exercice a line names.
pub(super) fn nouvel_exercice(ligne: &Champs<'_>) -> ExerciceProfessionnel {
    ExerciceProfessionnel {
        profession: ligne.valeur(Champ::Profession).to_owned(),
        categorie: ligne.valeur(Champ::Categorie).to_owned(),
        ..ExerciceProfessionnel::default()
    }
}

/// Adds the savoir-faire of a line, when it names one that is not known.
pub(super) fn ajouter_savoir_faire(connus: &mut Vec<SavoirFaire>, ligne: &Champs<'_>) {
    let (genre, code) = (ligne.valeur(Champ::TypeSavoirFaire), ligne.valeur(Champ::SavoirFaire));
    if code.is_empty() || connus.iter().any(|connu| connu.code == code && connu.r#type == genre) {
        return;
    }
    connus.push(SavoirFaire { r#type: genre.to_owned(), code: code.to_owned() });
}

/// What makes an activity, as [`cle`] orders it.
fn activite<'l>(ligne: &Champs<'l>) -> [&'l str; 8] {
    [
        ligne.valeur(Champ::Mode),
        ligne.valeur(Champ::FinessSite),
        ligne.valeur(Champ::FinessEj),
        ligne.valeur(Champ::Siret),
        ligne.valeur(Champ::IdTechnique),
        ligne.valeur(Champ::Secteur),
        ligne.valeur(Champ::Role),
        ligne.valeur(Champ::Genre),
    ]
}

fn depuis_cle(cle: [&str; 8]) -> Activite {
    let [mode_exercice, finess_site, finess_ej, siret, id_technique_structure, secteur, role, genre] =
        cle.map(str::to_owned);
    Activite { mode_exercice, finess_site, finess_ej, siret, id_technique_structure, secteur, role, genre }
}
