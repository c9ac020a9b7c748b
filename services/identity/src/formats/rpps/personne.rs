//! The lines of a person, gathered; two records of a person, merged.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use ror_domaine::identifiants::id_ps;
use ror_proto::common::v1::{Code, Meta};
use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, Professionnel, SavoirFaire};

use super::ligne::{CleActivite, Identite, Rangee};
use super::{Resume, SYSTEME_CIVILITE};

/// Everything read of a person so far.
#[derive(Debug)]
pub(super) struct Personne {
    id_nat_ps: String,
    rpps: String,
    region: String,
    identites: BTreeSet<Identite>,
    exercices: BTreeMap<(String, String), Exercice>,
    lignes: HashSet<u64>,
}

#[derive(Debug, Default)]
struct Exercice {
    civilites: BTreeSet<String>,
    savoir_faire: BTreeSet<(String, String)>,
    activites: BTreeSet<CleActivite>,
}

impl Personne {
    /// The person of a line; the line itself is not added.
    pub(super) fn nouvelle(rangee: &Rangee) -> Self {
        Self {
            id_nat_ps: rangee.id_nat_ps.clone(),
            rpps: rangee.rpps.clone(),
            region: String::new(),
            identites: BTreeSet::new(),
            exercices: BTreeMap::new(),
            lignes: HashSet::new(),
        }
    }

    /// `idNat_PS`.
    pub(super) fn id(&self) -> &str {
        &self.id_nat_ps
    }

    /// Adds a line; `texte` is the line itself, to know the exact duplicates.
    pub(super) fn ajouter(&mut self, rangee: Rangee, texte: &str, resume: &mut Resume) {
        let mut empreinte = DefaultHasher::new();
        texte.hash(&mut empreinte);
        if !self.lignes.insert(empreinte.finish()) {
            resume.doublons += 1;
            resume.constater("ligne-en-double");
            return;
        }
        self.region = region_retenue(std::mem::take(&mut self.region), rangee.region);
        self.identites.insert(rangee.identite);
        let exercice = self.exercices.entry((rangee.profession, rangee.categorie)).or_default();
        if !rangee.civilite_exercice.is_empty() {
            exercice.civilites.insert(rangee.civilite_exercice);
        }
        exercice.savoir_faire.extend(rangee.savoir_faire);
        exercice.activites.extend(rangee.activite);
    }

    /// The record, sorted.
    pub(super) fn professionnel(self, resume: &mut Resume) -> Professionnel {
        if self.identites.len() > 1 {
            resume.constater("identite-divergente");
        }
        let identite = self.identites.into_iter().next();
        let (nom, prenom, civilite) = match identite {
            Some(identite) => (identite.nom, identite.prenom, identite.civilite),
            None => (String::new(), String::new(), String::new()),
        };
        let mut exercices = Vec::with_capacity(self.exercices.len());
        for ((profession, categorie), exercice) in self.exercices {
            if exercice.civilites.len() > 1 {
                resume.constater("civilite-exercice-divergente");
            }
            exercices.push(ExerciceProfessionnel {
                profession,
                categorie,
                civilite_exercice: exercice.civilites.into_iter().next().unwrap_or_default(),
                savoir_faire: exercice
                    .savoir_faire
                    .into_iter()
                    .map(|(genre, code)| SavoirFaire { r#type: genre, code })
                    .collect(),
                activites: exercice.activites.into_iter().map(CleActivite::activite).collect(),
            });
        }
        Professionnel {
            meta: Some(Meta { id: id_ps(&self.id_nat_ps), region: self.region, ..Meta::default() }),
            id_nat_ps: self.id_nat_ps,
            rpps: self.rpps,
            civilite: (!civilite.is_empty())
                .then(|| Code { systeme: SYSTEME_CIVILITE.to_owned(), code: civilite }),
            nom,
            prenom,
            exercices,
            actif: true,
        }
    }
}

/// The region of a person: the smallest code among those of the activities, so
/// that neither the order of the lines nor a merge changes it.
fn region_retenue(connue: String, autre: &str) -> String {
    if autre.is_empty() || (!connue.is_empty() && connue.as_str() <= autre) {
        connue
    } else {
        autre.to_owned()
    }
}

/// Merges a record read again later in the same file into the first one. The
/// result is the record that contiguous lines would have given; the metadata of
/// `base` stay, except the region.
pub fn fusionner(base: &mut Professionnel, reprise: Professionnel) {
    let region = reprise.meta.as_ref().map_or("", |meta| meta.region.as_str());
    if let Some(meta) = base.meta.as_mut() {
        meta.region = region_retenue(std::mem::take(&mut meta.region), region);
    }
    if identite(&reprise) < identite(base) {
        base.civilite = reprise.civilite;
        base.nom = reprise.nom;
        base.prenom = reprise.prenom;
    }
    base.actif |= reprise.actif;
    for exercice in reprise.exercices {
        let meme = base
            .exercices
            .iter_mut()
            .find(|connu| connu.profession == exercice.profession && connu.categorie == exercice.categorie);
        match meme {
            Some(connu) => fusionner_exercice(connu, exercice),
            None => base.exercices.push(exercice),
        }
    }
    base.exercices
        .sort_by(|une, autre| (&une.profession, &une.categorie).cmp(&(&autre.profession, &autre.categorie)));
}

fn identite(professionnel: &Professionnel) -> (bool, &str, &str, &str) {
    let civilite = professionnel.civilite.as_ref().map_or("", |civilite| civilite.code.as_str());
    (civilite.is_empty(), professionnel.nom.as_str(), professionnel.prenom.as_str(), civilite)
}

fn fusionner_exercice(base: &mut ExerciceProfessionnel, reprise: ExerciceProfessionnel) {
    let autre = reprise.civilite_exercice;
    if !autre.is_empty() && (base.civilite_exercice.is_empty() || autre < base.civilite_exercice) {
        base.civilite_exercice = autre;
    }
    base.savoir_faire.extend(reprise.savoir_faire);
    base.savoir_faire.sort_by(|un, autre| (&un.r#type, &un.code).cmp(&(&autre.r#type, &autre.code)));
    base.savoir_faire.dedup();
    base.activites.extend(reprise.activites);
    base.activites.sort_by(|une, autre| cle(une).cmp(&cle(autre)));
    base.activites.dedup();
}

/// Same order as [`CleActivite`].
fn cle(activite: &Activite) -> [&str; 8] {
    [
        activite.mode_exercice.as_str(),
        activite.finess_site.as_str(),
        activite.finess_ej.as_str(),
        activite.siret.as_str(),
        activite.id_technique_structure.as_str(),
        activite.secteur.as_str(),
        activite.role.as_str(),
        activite.genre.as_str(),
    ]
}
