//! `rpps-personne-activite.txt`: PS_LibreAcces, 56 columns, `|`, every line
//! ends with a `|`.

use std::path::Path;

use crate::cles;
use crate::donnees::Donnees;
use crate::error::Error;
use crate::monde::{Eg, Monde};
use crate::noms;
use crate::offres::Contenu;
use crate::prng::Prng;
use crate::professionnels::{Activite, Professionnel};
use crate::sortie::Sortie;

pub(crate) const COLONNES: [&str; 56] = [
    "Type d'identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Code civilité d'exercice",
    "Libellé civilité d'exercice",
    "Code civilité",
    "Libellé civilité",
    "Nom d'exercice",
    "Prénom d'exercice",
    "Code profession",
    "Libellé profession",
    "Code catégorie professionnelle",
    "Libellé catégorie professionnelle",
    "Code type savoir-faire",
    "Libellé type savoir-faire",
    "Code savoir-faire",
    "Libellé savoir-faire",
    "Code mode exercice",
    "Libellé mode exercice",
    "Numéro SIRET site",
    "Numéro SIREN site",
    "Numéro FINESS site",
    "Numéro FINESS établissement juridique",
    "Identifiant technique de la structure",
    "Raison sociale site",
    "Enseigne commerciale site",
    "Complément destinataire (coord. structure)",
    "Complément point géographique (coord. structure)",
    "Numéro Voie (coord. structure)",
    "Indice répétition voie (coord. structure)",
    "Code type de voie (coord. structure)",
    "Libellé type de voie (coord. structure)",
    "Libellé Voie (coord. structure)",
    "Mention distribution (coord. structure)",
    "Bureau cedex (coord. structure)",
    "Code postal (coord. structure)",
    "Code commune (coord. structure)",
    "Libellé commune (coord. structure)",
    "Code pays (coord. structure)",
    "Libellé pays (coord. structure)",
    "Téléphone (coord. structure)",
    "Téléphone 2 (coord. structure)",
    "Télécopie (coord. structure)",
    "Adresse e-mail (coord. structure)",
    "Code Département (structure)",
    "Libellé Département (structure)",
    "Ancien identifiant de la structure",
    "Autorité d'enregistrement",
    "Code secteur d'activité",
    "Libellé secteur d'activité",
    "Code section tableau pharmaciens",
    "Libellé section tableau pharmaciens",
    "Code rôle",
    "Libellé rôle",
    "Code genre activité",
    "Libellé genre activité",
];

/// What was written.
pub struct Bilan {
    /// Lines, header excluded.
    pub lignes: u64,
    /// Lines that describe a cabinet unknown to FINESS.
    pub cabinets: u64,
}

/// Writes the whole file.
pub fn ecrire(
    chemin: &Path,
    donnees: &Donnees,
    monde: &Monde,
    contenu: &Contenu,
    professionnels: &[Professionnel],
    graine: u64,
) -> Result<Bilan, Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut prng = Prng::nouveau(graine, "rpps");
    let mut bilan = Bilan { lignes: 0, cabinets: 0 };
    sortie.texte(&ligne(&COLONNES.map(str::to_owned)))?;
    for p in professionnels {
        let mut lignes = Vec::new();
        match p.activite {
            Activite::Aucune => lignes.push(identite(donnees, p)),
            Activite::Inconnue => lignes.push(inconnue(donnees, p, &mut prng)),
            Activite::Sites => {
                let mut vus: Vec<usize> = Vec::new();
                for o in &p.offres {
                    let eg = contenu.offres[*o].eg;
                    if !vus.contains(&eg) {
                        vus.push(eg);
                        lignes.push(site(donnees, monde, p, &monde.egs[eg]));
                    }
                }
            }
        }
        if p.mode == "L" && p.activite == Activite::Sites && prng.chance(80) {
            lignes.push(cabinet(donnees, p, &mut prng));
            bilan.cabinets += 1;
        }
        let doublon = prng.chance(5);
        for champs in &lignes {
            sortie.texte(&ligne(champs))?;
            bilan.lignes += 1;
        }
        if let Some(champs) = lignes.first().filter(|_| doublon) {
            sortie.texte(&ligne(champs))?;
            bilan.lignes += 1;
        }
    }
    sortie.finir()?;
    Ok(bilan)
}

fn ligne(champs: &[String]) -> String {
    let mut texte = String::new();
    for champ in champs {
        texte.push_str(champ);
        texte.push('|');
    }
    texte.push('\n');
    texte
}

/// Puts values in columns numbered from 1, as the documentation does.
fn poser(champs: &mut [String], valeurs: &[(usize, &str)]) {
    for (colonne, valeur) in valeurs {
        if let Some(champ) = champs.get_mut(colonne.saturating_sub(1)) {
            *champ = (*valeur).to_owned();
        }
    }
}

/// Columns of the person, without activity.
fn identite(donnees: &Donnees, p: &Professionnel) -> Vec<String> {
    let mut champs = vec![String::new(); COLONNES.len()];
    let id_nat = p.id_nat();
    let (civilite, libelle) = if p.femme { ("MME", "Madame") } else { ("M", "Monsieur") };
    poser(
        &mut champs,
        &[
            (1, "8"),
            (2, p.rpps.as_str()),
            (3, id_nat.as_str()),
            (6, civilite),
            (7, libelle),
            (8, p.nom.as_str()),
            (9, p.prenom.as_str()),
            (10, p.profession),
            (12, "C"),
            (13, "Civil"),
        ],
    );
    if let Some(profession) = donnees.professions.get(p.profession) {
        poser(&mut champs, &[(11, profession.libelle)]);
        if profession.civilite == "DR" {
            poser(&mut champs, &[(4, "DR"), (5, "Docteur")]);
        }
    }
    if let Some(libelle) = donnees.specialites.get(p.specialite) {
        let valeurs = [(14, "S"), (15, "Spécialité ordinale"), (16, p.specialite), (17, *libelle)];
        poser(&mut champs, &valeurs);
    }
    champs
}

fn exercice(champs: &mut [String], mode: &str) {
    let libelle = if mode == "L" { "Libéral" } else { "Salarié" };
    poser(champs, &[(18, mode), (19, libelle)]);
}

fn autorite(donnees: &Donnees, p: &Professionnel, structure: &str) -> String {
    let ordre = donnees.professions.get(p.profession).map_or("ARS", |x| x.autorite);
    format!("{ordre}/{ordre}/{structure}")
}

/// An activity on a site known to FINESS.
fn site(donnees: &Donnees, monde: &Monde, p: &Professionnel, eg: &Eg) -> Vec<String> {
    let mut champs = identite(donnees, p);
    exercice(&mut champs, p.mode);
    let commune = &donnees.communes[eg.commune];
    let ej = &monde.ejs[eg.ej];
    let technique = format!("F{}", eg.finess);
    let ancien = eg.id_nat();
    let numero = eg.voie.numero.to_string();
    let bureau = format!("{} {}", commune.cp, commune.acheminement);
    let autorite = autorite(donnees, p, "ARS");
    poser(
        &mut champs,
        &[
            (20, eg.siret.as_deref().unwrap_or("")),
            (22, eg.finess.as_str()),
            (23, ej.finess.as_str()),
            (24, technique.as_str()),
            (25, eg.nom.as_str()),
            (29, numero.as_str()),
            (31, eg.voie.abrege),
            (32, eg.voie.genre),
            (33, eg.voie.nom),
            (35, bureau.as_str()),
            (36, commune.cp),
            (37, commune.insee),
            (38, commune.nom),
            (41, eg.telephone.as_str()),
            (47, ancien.as_str()),
            (48, autorite.as_str()),
        ],
    );
    let categorie = &donnees.categories[eg.categorie];
    if ej.statut == "13" && matches!(categorie.famille, "SAN" | "PSY") {
        poser(&mut champs, &[(49, "SA01"), (50, "Etablissement public de santé")]);
    } else if categorie.code == "124" {
        poser(&mut champs, &[(49, "SA05"), (50, "Centre de santé")]);
    }
    genre(&mut champs, p);
    champs
}

fn genre(champs: &mut [String], p: &Professionnel) {
    if matches!(p.profession, "10" | "21") {
        let libelle = "Activité standard de soin ou de pharmacien";
        poser(champs, &[(55, "GENR01"), (56, libelle)]);
    }
}

/// An activity on a site with a valid FINESS number that FINESS ignores.
fn inconnue(donnees: &Donnees, p: &Professionnel, prng: &mut Prng) -> Vec<String> {
    let mut champs = identite(donnees, p);
    exercice(&mut champs, p.mode);
    let departement = donnees.communes.first().map_or("01", |c| c.departement());
    let finess = cles::finess(departement, 99_000 + prng.borne(900));
    let technique = format!("F{finess}");
    let ancien = format!("1{finess}");
    let nom = noms::maison(prng);
    let autorite = autorite(donnees, p, "ARS");
    poser(
        &mut champs,
        &[
            (22, finess.as_str()),
            (24, technique.as_str()),
            (25, nom.as_str()),
            (47, ancien.as_str()),
            (48, autorite.as_str()),
        ],
    );
    champs
}

/// An activity in a cabinet that only the RPPS knows.
fn cabinet(donnees: &Donnees, p: &Professionnel, prng: &mut Prng) -> Vec<String> {
    let mut champs = identite(donnees, p);
    exercice(&mut champs, "L");
    let commune = &donnees.communes[prng.indice(donnees.communes.len())];
    let rang = cles::rpps_rang(&p.rpps);
    let technique = format!("R{rang}");
    let ancien = format!("4{rang}");
    let nom = format!("CABINET {}", p.nom);
    let voie = noms::voie(prng);
    let numero = voie.numero.to_string();
    let bureau = format!("{} {}", commune.cp, commune.acheminement);
    let telephone = noms::telephone(prng, donnees.region);
    let ordre = donnees.professions.get(p.profession).map_or("ARS", |x| x.autorite);
    let autorite = autorite(donnees, p, ordre);
    poser(
        &mut champs,
        &[
            (24, technique.as_str()),
            (25, nom.as_str()),
            (29, numero.as_str()),
            (31, voie.abrege),
            (32, voie.genre),
            (33, voie.nom),
            (35, bureau.as_str()),
            (36, commune.cp),
            (37, commune.insee),
            (38, commune.nom),
            (41, telephone.as_str()),
            (44, "cabinet@exemple.invalid"),
            (47, ancien.as_str()),
            (48, autorite.as_str()),
            (49, "SA07"),
            (50, "Cabinet individuel"),
        ],
    );
    genre(&mut champs, p);
    champs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_56_columns_and_a_trailing_bar() {
        let texte = ligne(&COLONNES.map(str::to_owned));
        assert_eq!(texte.matches('|').count(), 56);
        assert!(texte.ends_with("|\n"));
        assert!(texte.starts_with("Type d'identifiant PP|Identifiant PP|"));
    }
}
