//! The access policy as data: what a version must be, and the default one.

use std::collections::HashSet;

use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
    erreur::faute,
    magasin::Ligne,
};
use ror_proto::{
    access::v1::{Policy, PolicyRule, access::Ressource},
    common::v1::{Faute, Meta},
};

use crate::domaine::{self, ID_POLITIQUE, PROFIL_MAX};

const DEFAUT: &str = include_str!("../data/politique.tsv");
const VERSION_PAR_DEFAUT: &str = "2026.11";

/// The policy installed when there is none.
pub fn par_defaut() -> Resultat<Policy> {
    let regles = lire_tsv(DEFAUT).map_err(ror_chassis::Erreur::Invalide)?;
    let p = normaliser(Policy { nom_version: VERSION_PAR_DEFAUT.to_owned(), regles, ..Default::default() });
    let fautes = valider(&p);
    if fautes.is_empty() { Ok(p) } else { Err(ror_chassis::Erreur::Invalide(fautes)) }
}

/// Reads rules: block, profile and condition separated by tabs, under a header line;
/// `#` starts a comment.
pub fn lire_tsv(texte: &str) -> Result<Vec<PolicyRule>, Vec<Faute>> {
    let mut regles = Vec::new();
    let mut fautes = Vec::new();
    let mut entete = false;
    for (rang, ligne) in texte.trim_start_matches('\u{feff}').lines().enumerate() {
        let ligne = ligne.trim_end_matches('\r');
        if ligne.trim().is_empty() || ligne.starts_with('#') {
            continue;
        }
        if !entete {
            entete = true;
            if ligne.starts_with("bloc\t") {
                continue;
            }
        }
        let champs: Vec<&str> = ligne.split('\t').map(str::trim).collect();
        match champs[..] {
            [bloc, profil, condition] if profil.parse::<u32>().is_ok() => regles.push(PolicyRule {
                bloc: bloc.to_owned(),
                profil: profil.parse().unwrap_or(u32::MAX),
                condition: condition.to_owned(),
            }),
            _ => fautes.push(faute(
                &format!("ligne {}", rang + 1),
                "ligne",
                "La ligne n'est pas une règle.",
                "bloc, profil et condition séparés par des tabulations",
            )),
        }
    }
    if fautes.is_empty() { Ok(regles) } else { Err(fautes) }
}

/// One form for one content: own metadata.
pub fn normaliser(mut p: Policy) -> Policy {
    let commentaire = p.meta.take().map(|m| m.commentaire).unwrap_or_default();
    p.meta = Some(Meta { id: ID_POLITIQUE.to_owned(), commentaire, ..Default::default() });
    p
}

/// The state to store over the present one: the creation date is that of the first installation.
pub fn etat(p: &Policy, courant: Option<&Ligne>) -> bytes::Bytes {
    let creation = courant
        .and_then(|l| domaine::politique(l).ok())
        .and_then(|ancienne| ancienne.meta)
        .and_then(|m| m.date_creation)
        .unwrap_or_else(|| horodatage(maintenant()));
    let mut p = p.clone();
    p.meta.get_or_insert_default().date_creation = Some(creation);
    domaine::etat(Ressource::Policy(p))
}

/// Every fault of a policy.
pub fn valider(p: &Policy) -> Vec<Faute> {
    let mut f = Vec::new();
    if p.nom_version.trim().is_empty() || p.nom_version.chars().count() > 64 {
        f.push(faute(
            "policy.nom_version",
            "obligatoire",
            "Le nom de la version manque ou dépasse 64 caractères.",
            "un nom tel que 2026.11",
        ));
    }
    if p.regles.is_empty() {
        f.push(faute("policy.regles", "obligatoire", "La politique n'a aucune règle.", "au moins une règle"));
    }
    let mut vues = HashSet::with_capacity(p.regles.len());
    for (rang, r) in p.regles.iter().enumerate() {
        let mut refuser = |champ: &str, regle: &str, message: String, attendu: &str| {
            f.push(faute(&format!("policy.regles[{rang}].{champ}"), regle, message, attendu));
        };
        if r.bloc.trim().is_empty() {
            refuser(
                "bloc",
                "obligatoire",
                "Le bloc d'attributs manque.".into(),
                "un bloc tel que offre.base",
            );
        }
        if r.profil > PROFIL_MAX {
            refuser("profil", "valeur", format!("Profil {} inconnu.", r.profil), "0 à 5");
        }
        if !vues.insert((r.bloc.as_str(), r.profil)) {
            refuser(
                "bloc",
                "doublon",
                format!("Le bloc « {} » a deux règles pour le profil {}.", r.bloc, r.profil),
                "une règle par bloc et profil",
            );
        }
        if let Err(terme) = lire_condition(&r.condition) {
            refuser(
                "condition",
                "condition-illisible",
                format!("Terme « {terme} » inconnu dans la condition « {} ».", r.condition),
                "toujours, jamais, sensible, ms, ville, contact<=n, telecom<=n, statut=nn ; ! & |",
            );
        }
    }
    f
}

/// Whether a condition reads: alternatives joined by `|`, each of terms joined by `&`,
/// a term being an atom or its negation. The fault is the term that does not read.
fn lire_condition(texte: &str) -> Result<(), String> {
    for terme in texte.split(['|', '&']) {
        let terme = terme.trim();
        let atome = terme.strip_prefix('!').map_or(terme, str::trim_start);
        if !est_atome(atome) {
            return Err(terme.to_owned());
        }
    }
    Ok(())
}

fn est_atome(a: &str) -> bool {
    if matches!(a, "toujours" | "jamais" | "sensible" | "ms" | "ville") {
        return true;
    }
    if let Some(code) = a.strip_prefix("statut=") {
        return code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit());
    }
    a.strip_prefix("contact<=")
        .or_else(|| a.strip_prefix("telecom<="))
        .is_some_and(|niveau| matches!(niveau, "1" | "2" | "3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_sound_and_names_every_profile() {
        let p = par_defaut().unwrap();
        let blocs: HashSet<&str> = p.regles.iter().map(|r| r.bloc.as_str()).collect();
        assert_eq!(p.regles.len(), blocs.len() * 6);
        assert!(blocs.contains("offre.base"));
    }

    #[test]
    fn conditions_read_as_at_the_gateway() {
        for bonne in [
            "toujours",
            "!sensible",
            "! sensible & statut=01",
            "ms & contact<=2 & !sensible | contact<=1",
            "telecom<=3|ville",
        ] {
            assert_eq!(lire_condition(bonne), Ok(()), "{bonne}");
        }
        for mauvaise in [
            "",
            "ms &",
            "| ms",
            "contact<=4",
            "contact<= 1",
            "statut=1",
            "statut=ab",
            "(ms)",
            "!!ms",
            "autre",
        ] {
            assert!(lire_condition(mauvaise).is_err(), "{mauvaise}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let regle = |bloc: &str, profil, condition: &str| PolicyRule {
            bloc: bloc.into(),
            profil,
            condition: condition.into(),
        };
        let p = Policy {
            regles: vec![regle("", 0, "ms"), regle("a", 6, "ms"), regle("b", 1, "ms"), regle("b", 1, "non")],
            ..Default::default()
        };
        let regles: Vec<_> = valider(&p).into_iter().map(|f| f.regle).collect();
        assert_eq!(regles, ["obligatoire", "obligatoire", "valeur", "doublon", "condition-illisible"]);
    }

    #[test]
    fn lines_are_read_under_a_header() {
        let regles = lire_tsv("# essai\nbloc\tprofil\tcondition\noffre.base\t0\t!sensible\n").unwrap();
        assert_eq!((regles.len(), regles[0].condition.as_str()), (1, "!sensible"));
        assert_eq!(lire_tsv("bloc\tprofil\tcondition\na\tx\tms\nb\t1\n").unwrap_err().len(), 2);
    }
}
