//! Renumberings: a site closed for good and another created at the same place,
//! about the same day. Never applied by itself: a person decides.

use std::collections::{BTreeSet, HashMap};

use ror_domaine::{territoire::commune_canonique, texte::lettres};
use ror_proto::identity::v1::{Anomalie, StructureFiness};
use time::{Date, Month};

use super::Sujet;

/// Days between the closure and the creation.
const ECART_MAX_JOURS: i32 = 60;

/// Sites of one side that share a SIRET or an address: beyond, it identifies
/// nothing (and pairs stay fewer than this for each site).
const GROUPE_MAX: usize = 16;

/// Weights of the score; they add up to 1.
const POIDS_SIRET: f64 = 0.5;
const POIDS_ADRESSE: f64 = 0.35;
const POIDS_NOM: f64 = 0.1;
const POIDS_DATES: f64 = 0.05;

/// A closed site and the one that would succeed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposition {
    /// numFINESS of the closed site.
    pub ancien: String,
    /// Technical id of the closed site.
    pub ancien_id: String,
    /// numFINESS of the created site.
    pub nouveau: String,
    /// Technical id of the created site.
    pub nouveau_id: String,
    /// 0 to 1.
    pub score: f64,
    /// French sentences.
    pub preuves: Vec<String>,
}

impl Proposition {
    /// As an anomaly of the closed site; id, edition and date are left to the caller.
    #[must_use]
    pub fn anomalie(&self) -> Anomalie {
        let sujet = Sujet { genre: super::ENTITE_GEOGRAPHIQUE, id: &self.ancien_id, cle: &self.ancien };
        Anomalie {
            valeur_connue: self.ancien.clone(),
            valeur_recue: self.nouveau.clone(),
            score: self.score,
            preuves: self.preuves.clone(),
            ..sujet.anomalie("successeur-presume", "Un site créé semble succéder à un site fermé.")
        }
    }
}

/// Pairs closed sites with created ones of the same SIRET, or of the same address
/// and category, within 60 days; best scores first. Anything that is not a site
/// closed for good, or an open site, is passed over, and so is what has no date.
/// Time and memory grow with the number of sites, not with their product.
#[must_use]
pub fn proposer(fermees: &[StructureFiness], creees: &[StructureFiness]) -> Vec<Proposition> {
    let closes = fermees.iter().filter(|s| s.type_fermeture == "DEF");
    let anciens: Vec<Indices<'_>> = closes.filter_map(|s| Indices::de(s, &s.date_fermeture)).collect();
    let ouvertes = creees.iter().filter(|s| s.type_fermeture.is_empty());
    let nouveaux: Vec<Indices<'_>> = ouvertes.filter_map(|s| Indices::de(s, creation(s))).collect();
    let mut paires = BTreeSet::new();
    rapprocher(&anciens, &nouveaux, |indices| indices.structure.siret.as_str(), &mut paires);
    rapprocher(&anciens, &nouveaux, |indices| indices.adresse.as_str(), &mut paires);
    let mut propositions: Vec<Proposition> = paires
        .into_iter()
        .filter_map(|(ancien, nouveau)| evaluer(anciens.get(ancien)?, nouveaux.get(nouveau)?))
        .collect();
    propositions.sort_by(|une, autre| {
        autre
            .score
            .total_cmp(&une.score)
            .then_with(|| une.ancien.cmp(&autre.ancien))
            .then_with(|| une.nouveau.cmp(&autre.nouveau))
    });
    propositions
}

/// What a site is paired by.
struct Indices<'s> {
    structure: &'s StructureFiness,
    date: &'s str,
    jour: i32,
    adresse: String,
}

impl<'s> Indices<'s> {
    fn de(structure: &'s StructureFiness, date: &'s str) -> Option<Self> {
        if structure.entite_juridique {
            return None;
        }
        Some(Self { structure, date, jour: jour(date)?, adresse: cle_adresse(structure) })
    }
}

/// Date of the first creation event, else of the opening.
fn creation(s: &StructureFiness) -> &str {
    let evenements = s.evenements.iter().filter(|e| e.code == "003" && !e.date.is_empty());
    evenements.map(|e| e.date.as_str()).min().unwrap_or(s.date_ouverture.as_str())
}

/// Adds the pairs of sites that share a key.
fn rapprocher<'i>(
    anciens: &'i [Indices<'i>],
    nouveaux: &'i [Indices<'i>],
    cle: fn(&'i Indices<'i>) -> &'i str,
    paires: &mut BTreeSet<(usize, usize)>,
) {
    let mut groupes: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (rang, indices) in anciens.iter().enumerate() {
        groupes.entry(cle(indices)).or_default().0.push(rang);
    }
    for (rang, indices) in nouveaux.iter().enumerate() {
        groupes.entry(cle(indices)).or_default().1.push(rang);
    }
    groupes.remove("");
    for (anciens, nouveaux) in groupes.into_values() {
        if anciens.len() > GROUPE_MAX || nouveaux.len() > GROUPE_MAX {
            continue;
        }
        for ancien in anciens {
            paires.extend(nouveaux.iter().map(|nouveau| (ancien, *nouveau)));
        }
    }
}

fn evaluer(ancien: &Indices<'_>, nouveau: &Indices<'_>) -> Option<Proposition> {
    let ecart = (nouveau.jour - ancien.jour).abs();
    let (a, b) = (ancien.structure, nouveau.structure);
    if ecart > ECART_MAX_JOURS || a.num_finess == b.num_finess {
        return None;
    }
    let mut score = POIDS_DATES * (1.0 - f64::from(ecart) / f64::from(ECART_MAX_JOURS));
    let mut preuves = Vec::new();
    if !a.siret.is_empty() && a.siret == b.siret {
        score += POIDS_SIRET;
        preuves.push(format!("Même SIRET : {}.", a.siret));
    }
    if !ancien.adresse.is_empty() && ancien.adresse == nouveau.adresse {
        score += POIDS_ADRESSE;
        preuves.push(format!("Même adresse et même catégorie ({}).", a.categorie));
    }
    if lettres(&a.denomination) == lettres(&b.denomination) {
        score += POIDS_NOM;
        preuves.push("Même dénomination.".to_owned());
    }
    preuves.push(format!(
        "Fermeture le {}, création le {} : {ecart} jour(s) d'écart.",
        ancien.date, nouveau.date
    ));
    let sujets = (Sujet::structure(a), Sujet::structure(b));
    Some(Proposition {
        ancien: a.num_finess.clone(),
        ancien_id: sujets.0.id.to_owned(),
        nouveau: b.num_finess.clone(),
        nouveau_id: sujets.1.id.to_owned(),
        score: (score * 100.0).round() / 100.0,
        preuves,
    })
}

/// Commune, number, way and category; empty when there is no way or no category.
/// The type of way is left out: editions abbreviate it in several manners.
fn cle_adresse(s: &StructureFiness) -> String {
    let Some(adresse) = s.adresse.as_ref() else {
        return String::new();
    };
    let voie = lettres(&adresse.libelle_voie);
    let voie = if voie.is_empty() { lettres(&adresse.lieu_dit) } else { voie };
    if voie.is_empty() || s.commune_cog.is_empty() || s.categorie.is_empty() {
        return String::new();
    }
    format!(
        "{}|{}|{}|{voie}|{}",
        commune_canonique(&s.commune_cog),
        lettres(&adresse.numero_voie),
        lettres(&adresse.extension),
        s.categorie
    )
}

/// Number of a day, to count days between two; `None` when it is not a date.
fn jour(date: &str) -> Option<i32> {
    let annee: i32 = date.get(..4)?.parse().ok()?;
    let mois: u8 = date.get(5..7)?.parse().ok()?;
    let jour: u8 = date.get(8..10)?.parse().ok()?;
    Some(Date::from_calendar_date(annee, Month::try_from(mois).ok()?, jour).ok()?.to_julian_day())
}

#[cfg(test)]
mod tests;
