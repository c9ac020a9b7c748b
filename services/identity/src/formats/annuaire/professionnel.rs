//! From Practitioner and PractitionerRole to the record of a professional.

use ror_domaine::identifiants::{Adeli, Rpps, id_ps};
use ror_proto::common::v1::{Code, Faute, Meta};
use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, Professionnel, SavoirFaire};
use serde_json::Value;

use super::super::rpps::{SYSTEME_CIVILITE, fusionner};
use super::super::{Resume, faute};
use super::fhir::{code, code_parmi, identifiant, inactive, liste, par_systeme, premier, texte};
use super::organisation::{Lieu, constater};

const SYSTEME_NATIONAL: &str = "urn:oid:1.2.250.1.71.4.2.1";
const SYSTEME_RPPS: &str = "https://rpps.esante.gouv.fr";

const PROFESSIONS: &[&str] = &["G15", "R94", "R95", "R291"];
const CATEGORIES: &[&str] = &["R09"];
const SAVOIR_FAIRE: &[&str] = &["R38", "R39", "R40", "R42", "R43", "R44", "R45", "R97", "G13"];
const FONCTIONS: &[&str] = &["R21", "R85", "R96"];

/// Reads a Practitioner; no fault quotes a value.
pub(super) fn lire(r: &Value, resume: &mut Resume) -> Result<Professionnel, Vec<Faute>> {
    let national = match (identifiant(r, "IDNPS"), par_systeme(r, SYSTEME_NATIONAL), identifiant(r, "RPPS")) {
        ("", "", rpps) if !rpps.is_empty() => format!("8{rpps}"),
        ("", brut, _) | (brut, _, _) => brut.to_owned(),
    };
    let base = lire_identifiant(&national, "Practitioner.identifier", resume).map_err(|f| vec![f])?;
    if inactive(r) {
        return Ok(Professionnel { actif: false, ..base });
    }
    let noms = liste(r, "name");
    let nom = noms.iter().find(|n| texte(n, "use") == "usual").or_else(|| noms.first());
    let famille = nom.map(|n| texte(n, "family")).unwrap_or_default();
    let (Some(nom), false) = (nom, famille.is_empty()) else {
        return Err(vec![faute(
            "Practitioner.name",
            "nom-absent",
            "Le nom d'exercice est absent.",
            "Un nom",
        )]);
    };
    let prenoms: Vec<&str> = liste(nom, "given").iter().filter_map(Value::as_str).map(str::trim).collect();
    if prenoms.is_empty() {
        constater(resume, "prenom-absent");
    }
    let civilite = premier(nom, "prefix");
    Ok(Professionnel {
        civilite: (!civilite.is_empty())
            .then(|| Code { systeme: SYSTEME_CIVILITE.to_owned(), code: civilite.to_owned() }),
        nom: famille.to_owned(),
        prenom: prenoms.join(" "),
        exercices: exercices(r, premier(nom, "suffix"), resume),
        ..base
    })
}

/// A record that holds the identifiers only.
fn lire_identifiant(brut: &str, element: &str, resume: &mut Resume) -> Result<Professionnel, Faute> {
    let lu = match brut.split_at_checked(1) {
        Some(("8", reste)) => Rpps::lire(reste).map(|n| (format!("8{n}"), n.to_string())),
        Some(("0", reste)) => Adeli::lire_delivre(reste).map(|(n, avertissement)| {
            if avertissement.is_some() {
                constater(resume, "adeli-cle-invalide");
            }
            (format!("0{n}"), String::new())
        }),
        _ => {
            return Err(faute(
                element,
                "type-identifiant-inconnu",
                "L'identification nationale du professionnel est absente ou d'un type inconnu.",
                "8 + RPPS ou 0 + ADELI",
            ));
        }
    };
    let (id_nat_ps, rpps) = lu.map_err(|i| faute(element, i.regle, &i.message, i.attendu))?;
    let meta = Some(Meta { id: id_ps(&id_nat_ps), ..Default::default() });
    Ok(Professionnel { meta, id_nat_ps, rpps, actif: true, ..Default::default() })
}

/// The person a PractitionerRole names by a business identifier; None when it names none.
pub(super) fn nommer(r: &Value, resume: &mut Resume) -> Option<Professionnel> {
    let logique = r.get("practitioner").and_then(|p| p.get("identifier"))?;
    let valeur = texte(logique, "value");
    let national =
        if texte(logique, "system") == SYSTEME_RPPS { format!("8{valeur}") } else { valeur.to_owned() };
    lire_identifiant(&national, "PractitionerRole.practitioner", resume).ok()
}

/// Professions and savoir-faire, sorted. A savoir-faire names no profession: it goes
/// to the first one that is not that of a student.
fn exercices(r: &Value, civilite: &str, resume: &mut Resume) -> Vec<ExerciceProfessionnel> {
    let (mut lus, mut savoirs) = (Vec::<ExerciceProfessionnel>::new(), Vec::new());
    for concept in liste(r, "qualification").iter().filter_map(|q| q.get("code")) {
        let (profession, categorie) = (code(concept, PROFESSIONS), code(concept, CATEGORIES));
        let savoir = code(concept, SAVOIR_FAIRE);
        if !profession.is_empty() {
            lus.push(ExerciceProfessionnel {
                profession: profession.to_owned(),
                categorie: categorie.to_owned(),
                civilite_exercice: if categorie == "E" { String::new() } else { civilite.to_owned() },
                ..Default::default()
            });
        } else if !savoir.is_empty() {
            savoirs.push(SavoirFaire { r#type: code(concept, &["R04"]).to_owned(), code: savoir.to_owned() });
        }
    }
    lus.sort_by(|un, autre| (&un.profession, &un.categorie).cmp(&(&autre.profession, &autre.categorie)));
    lus.dedup_by(|un, autre| un.profession == autre.profession && un.categorie == autre.categorie);
    savoirs.sort_by(|un, autre| (&un.r#type, &un.code).cmp(&(&autre.r#type, &autre.code)));
    savoirs.dedup();
    if lus.is_empty() {
        constater(resume, "profession-absente");
        return lus;
    }
    if lus.len() > 1 && !savoirs.is_empty() {
        constater(resume, "exercice-ambigu");
    }
    if let Some(exercice) = principal(&mut lus) {
        exercice.savoir_faire = savoirs;
    }
    lus
}

/// The first exercise that is not that of a student, else the first.
fn principal(exercices: &mut [ExerciceProfessionnel]) -> Option<&mut ExerciceProfessionnel> {
    let rang = exercices.iter().position(|e| e.categorie != "E").unwrap_or_default();
    exercices.get_mut(rang)
}

/// Adds the activity of a PractitionerRole to a person.
pub(super) fn ajouter_activite(
    personne: &mut Professionnel,
    r: &Value,
    lieu: Option<&Lieu>,
    ej: &str,
    resume: &mut Resume,
) {
    let concepts = liste(r, "code");
    let profession = code_parmi(concepts, PROFESSIONS).to_owned();
    let (profession, categorie) = if profession.is_empty() {
        if personne.exercices.len() > 1 {
            constater(resume, "exercice-ambigu");
        }
        principal(&mut personne.exercices)
            .map(|e| (e.profession.clone(), e.categorie.clone()))
            .unwrap_or_default()
    } else {
        (profession, code_parmi(concepts, CATEGORIES).to_owned())
    };
    let site = lieu.filter(|l| !l.juridique);
    let activite = Activite {
        mode_exercice: code_parmi(concepts, &["R23"]).to_owned(),
        finess_site: site.map(|l| l.finess.clone()).unwrap_or_default(),
        finess_ej: ej.to_owned(),
        siret: lieu.map(|l| l.siret.clone()).unwrap_or_default(),
        id_technique_structure: lieu.map(|l| l.technique.clone()).unwrap_or_default(),
        secteur: lieu.map(|l| l.secteur.clone()).unwrap_or_default(),
        role: code_parmi(concepts, FONCTIONS).to_owned(),
        genre: code_parmi(concepts, &["R22"]).to_owned(),
    };
    // Merged as the lines of a file are, so that both channels give the same record.
    let reprise = Professionnel {
        meta: Some(Meta {
            region: lieu.map(|l| l.region.to_owned()).unwrap_or_default(),
            ..Default::default()
        }),
        civilite: personne.civilite.clone(),
        nom: personne.nom.clone(),
        prenom: personne.prenom.clone(),
        actif: personne.actif,
        exercices: vec![ExerciceProfessionnel {
            profession,
            categorie,
            activites: vec![activite],
            ..Default::default()
        }],
        ..Default::default()
    };
    fusionner(personne, reprise);
}
