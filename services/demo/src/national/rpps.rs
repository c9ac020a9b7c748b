//! The three files of PS_LibreAcces: `|`, every line ends with a `|`.

use std::path::Path;

use super::Vue;
use super::gestes::{GestePs, appliquer_ps};
use super::monde::Monde;
use super::personnes::{Activite, Annuaire, Exercice, Personne, SavoirFaire};
use super::texte_lieu::TexteLieu;
use crate::error::Error;
use crate::prng::Prng;
use crate::rpps::COLONNES;
use crate::sortie::Sortie;

const IDENTITE: [&str; 5] = [
    "Type d'identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Nom d'exercice",
    "Prénom d'exercice",
];
const SAVOIR_FAIRE: [&str; 8] = [
    "Code profession",
    "Libellé profession",
    "Code catégorie professionnelle",
    "Libellé catégorie professionnelle",
    "Code type savoir-faire",
    "Libellé type savoir-faire",
    "Code savoir-faire",
    "Libellé savoir-faire",
];
const DIPLOMES: [&str; 8] = [
    "Code type diplôme obtenu",
    "Libellé type diplôme obtenu",
    "Code diplôme obtenu",
    "Libellé diplôme obtenu",
    "Code type autorisation",
    "Libellé type autorisation",
    "Code discipline autorisation",
    "Libellé discipline autorisation",
];

/// Kind and discipline of an authorisation to practise.
const AUTORISATION: [&str; 4] =
    ["AUT1", "Autorisation ministérielle d'exercice", "SM02", "Anesthésie-réanimation"];

/// The three paths.
pub struct Chemins<'p> {
    /// Personne_activite.
    pub activites: &'p Path,
    /// SavoirFaire.
    pub savoir_faire: &'p Path,
    /// Dipl_AutExerc.
    pub diplomes: &'p Path,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bilan {
    /// Professionals.
    pub personnes: u64,
    /// Lines of Personne_activite, header excluded.
    pub lignes: u64,
    /// Lines of SavoirFaire.
    pub savoir_faire: u64,
    /// Lines of Dipl_AutExerc.
    pub diplomes: u64,
    /// Lines twice in Personne_activite.
    pub doublons: u64,
    /// Professionals whose lines are in another order than the day before.
    pub inversees: u64,
    /// Professionals whose activities have another telephone than the day before.
    pub telephones: u64,
}

/// Writes the three files, one professional after the other.
pub fn ecrire(chemins: &Chemins<'_>, annuaire: &Annuaire<'_>, vue: &Vue<'_>) -> Result<Bilan, Error> {
    let mut e = Ecrivain {
        annuaire,
        monde: annuaire.monde,
        suivant: vue.lendemain.is_some(),
        activites: Sortie::creer(chemins.activites)?,
        savoir_faire: Sortie::creer(chemins.savoir_faire)?,
        diplomes: Sortie::creer(chemins.diplomes)?,
        tampon: String::with_capacity(64 * 1024),
        bilan: Bilan::default(),
    };
    e.activites.texte(&entete(&COLONNES))?;
    e.savoir_faire.texte(&entete(&[&IDENTITE[..], &SAVOIR_FAIRE[..]].concat()))?;
    e.diplomes.texte(&entete(&[&IDENTITE[..], &DIPLOMES[..]].concat()))?;
    let total = u32::try_from(annuaire.monde.cibles.professionnels).unwrap_or(u32::MAX);
    let crees = vue.lendemain.map_or(0, |l| l.ps_crees);
    for rang in 0..total.saturating_add(crees) {
        let mut p = annuaire.personne(rang)?;
        let geste: Option<GestePs> = vue.lendemain.and_then(|l| l.ps.get(&rang)).copied();
        let present = match geste {
            Some(g) => appliquer_ps(annuaire, rang, g, &mut p)?,
            None => true,
        };
        if present {
            e.personne(rang, &p, geste.is_none())?;
        }
    }
    let Ecrivain { activites, savoir_faire, diplomes, bilan, .. } = e;
    activites.finir()?;
    savoir_faire.finir()?;
    diplomes.finir()?;
    Ok(bilan)
}

fn entete(colonnes: &[&str]) -> String {
    let mut texte = String::new();
    for c in colonnes {
        texte.push_str(c);
        texte.push('|');
    }
    texte.push('\n');
    texte
}

struct Ecrivain<'a> {
    annuaire: &'a Annuaire<'a>,
    monde: &'a Monde<'a>,
    suivant: bool,
    activites: Sortie,
    savoir_faire: Sortie,
    diplomes: Sortie,
    tampon: String,
    bilan: Bilan,
}

impl Ecrivain<'_> {
    /// `pareille` when nothing happens to this person between the editions.
    fn personne(&mut self, rang: u32, p: &Personne, pareille: bool) -> Result<(), Error> {
        let mut prng = Prng::numerote(self.monde.graine, "lignes", u64::from(rang));
        let doublon = prng.chance(self.monde.cibles.doublons);
        // What changes the bytes and nothing else, the day after.
        let inversee = prng.chance(50) && self.suivant && pareille && p.lignes() > 1;
        let autre_telephone = prng.chance(5) && self.suivant && pareille;
        let id_nat = p.id_nat();
        let mut lignes: Vec<(&Exercice, Option<&SavoirFaire>, Option<&Activite>)> = Vec::new();
        for e in &p.exercices {
            for a in un_au_moins(&e.activites) {
                for s in un_au_moins(&e.savoir_faire) {
                    lignes.push((e, s, a));
                }
            }
        }
        if inversee {
            lignes.reverse();
        }
        if doublon && let Some(premiere) = lignes.first().copied() {
            lignes.push(premiere);
            self.bilan.doublons += 1;
        }
        self.tampon.clear();
        for (e, s, a) in &lignes {
            self.ligne(p, &id_nat, e, *s, *a, autre_telephone)?;
        }
        self.activites.texte(&self.tampon)?;
        self.bilan.personnes += 1;
        self.bilan.lignes += lignes.len() as u64;
        self.bilan.inversees += u64::from(inversee);
        self.bilan.telephones += u64::from(autre_telephone);
        self.savoirs(p, &id_nat)?;
        self.diplomes(p, &id_nat)
    }

    fn ligne(
        &mut self,
        p: &Personne,
        id_nat: &str,
        e: &Exercice,
        s: Option<&SavoirFaire>,
        a: Option<&Activite>,
        autre_telephone: bool,
    ) -> Result<(), Error> {
        let profession = &self.monde.donnees.professions[e.profession];
        let mut c = [""; COLONNES.len()];
        let (civilite, libelle) = if p.femme { ("MME", "Madame") } else { ("M", "Monsieur") };
        poser(&mut c, 1, &["8", &p.rpps, id_nat]);
        if profession.civilite == "DR" {
            poser(&mut c, 4, &["DR", "Docteur"]);
        }
        poser(&mut c, 6, &[civilite, libelle, &p.nom, &p.prenom, profession.code, profession.libelle]);
        poser(&mut c, 12, &[e.categorie.0, e.categorie.1]);
        if let Some(s) = s {
            poser(&mut c, 14, &[s.genre.0, s.genre.1, s.code.0, s.code.1]);
        }
        let lieu = match a {
            Some(a) => Some(TexteLieu::nouveau(self.annuaire, a, autre_telephone)?),
            None => None,
        };
        let autorite = lieu.as_ref().map(|l| l.autorite(profession.autorite)).unwrap_or_default();
        if let (Some(a), Some(l)) = (a, &lieu) {
            poser(&mut c, 18, &[a.mode, if a.mode == "L" { "Libéral" } else { "Salarié" }]);
            poser(&mut c, 20, &[&l.siret, "", &l.finess, &l.finess_ej, &l.technique, &l.nom]);
            poser(&mut c, 29, &[&l.numero, "", l.voie.abrege, l.voie.genre, l.voie.nom, "", &l.bureau]);
            poser(&mut c, 36, &[l.cp, l.insee, l.commune]);
            poser(&mut c, 41, &[&l.telephone]);
            poser(&mut c, 47, &[&l.ancien, &autorite, a.secteur.0, a.secteur.1]);
            poser(&mut c, 51, &[a.section.0, a.section.1, a.role.0, a.role.1]);
            if matches!(profession.code, "10" | "21") {
                poser(&mut c, 55, &["GENR01", "Activité standard de soin ou de pharmacien"]);
            }
        }
        ecrire_ligne(&mut self.tampon, &c);
        Ok(())
    }

    fn savoirs(&mut self, p: &Personne, id_nat: &str) -> Result<(), Error> {
        self.tampon.clear();
        for e in &p.exercices {
            let profession = &self.monde.donnees.professions[e.profession];
            for s in &e.savoir_faire {
                let (categorie, genre, code) = (e.categorie, s.genre, s.code);
                let champs: [&str; IDENTITE.len() + SAVOIR_FAIRE.len()] = [
                    "8",
                    &p.rpps,
                    id_nat,
                    &p.nom,
                    &p.prenom,
                    profession.code,
                    profession.libelle,
                    categorie.0,
                    categorie.1,
                    genre.0,
                    genre.1,
                    code.0,
                    code.1,
                ];
                ecrire_ligne(&mut self.tampon, &champs);
                self.bilan.savoir_faire += 1;
            }
        }
        self.savoir_faire.texte(&self.tampon)
    }

    fn diplomes(&mut self, p: &Personne, id_nat: &str) -> Result<(), Error> {
        self.tampon.clear();
        let debut: [&str; IDENTITE.len()] = ["8", &p.rpps, id_nat, &p.nom, &p.prenom];
        for e in &p.exercices {
            let profession = &self.monde.donnees.professions[e.profession];
            let (code, libelle) = (profession.diplome, profession.libelle_diplome);
            let mut suite: [&str; DIPLOMES.len()] = [""; DIPLOMES.len()];
            if p.autorise {
                suite[4..].copy_from_slice(&AUTORISATION);
            } else {
                let genre = match code.get(..2) {
                    Some("DE") => ("DE", "Diplôme d'Etat français"),
                    Some("EE") => ("EE", "Diplôme Européen"),
                    _ => ("DZ", "Autre diplôme obtenu"),
                };
                suite[..4].copy_from_slice(&[genre.0, genre.1, code, libelle]);
            }
            ecrire_ligne(&mut self.tampon, &[&debut[..], &suite[..]].concat());
            self.bilan.diplomes += 1;
        }
        // The speciality a doctor started with; later skills bring no diploma.
        let premier = p.exercices.first().and_then(|e| e.savoir_faire.first());
        if let Some(s) = premier.filter(|s| s.code.0.starts_with("SM")) {
            let (code, libelle) = (format!("D{}", s.code.0), format!("DES {}", s.code.1));
            let suite: [&str; DIPLOMES.len()] =
                ["DES", "Diplôme d'études spécialisées", &code, &libelle, "", "", "", ""];
            ecrire_ligne(&mut self.tampon, &[&debut[..], &suite[..]].concat());
            self.bilan.diplomes += 1;
        }
        self.diplomes.texte(&self.tampon)
    }
}

/// Each element, or nothing once when there is none.
fn un_au_moins<T>(elements: &[T]) -> Vec<Option<&T>> {
    if elements.is_empty() { vec![None] } else { elements.iter().map(Some).collect() }
}

/// Puts values in columns from one numbered from 1, as the documentation does.
fn poser<'v>(champs: &mut [&'v str], colonne: usize, valeurs: &[&'v str]) {
    for (champ, valeur) in champs.iter_mut().skip(colonne.saturating_sub(1)).zip(valeurs) {
        *champ = *valeur;
    }
}

fn ecrire_ligne(sortie: &mut String, champs: &[&str]) {
    for c in champs {
        sortie.push_str(c);
        sortie.push('|');
    }
    sortie.push('\n');
}
