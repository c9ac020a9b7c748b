//! Conditions of the policy: `toujours`, `jamais`, or atoms joined by `!`, `&` and `|`.
//!
//! There are no parentheses: `|` binds least, so a condition is a list of alternatives, each a list
//! of atoms that must all hold.

use super::Faits;

/// A condition in alternatives; without alternative it never holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    alternatives: Vec<Vec<Litteral>>,
}

#[derive(Clone, Copy, Debug)]
struct Litteral {
    nie: bool,
    atome: Atome,
}

#[derive(Clone, Copy, Debug)]
enum Atome {
    Toujours,
    Jamais,
    Sensible,
    Ms,
    Ville,
    ContactAuPlus(u8),
    TelecomAuPlus(u8),
    Statut(u8),
}

impl Condition {
    /// Reads a condition; the fault is a French sentence.
    pub(super) fn lire(texte: &str) -> Result<Self, String> {
        let alternatives = texte
            .split('|')
            .map(|alternative| alternative.split('&').map(lire_litteral).collect::<Result<Vec<_>, String>>())
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self { alternatives })
    }

    /// Whether the condition holds.
    pub(super) fn vraie(&self, faits: &Faits) -> bool {
        self.alternatives.iter().any(|alternative| alternative.iter().all(|litteral| litteral.vrai(faits)))
    }
}

impl Litteral {
    fn vrai(self, faits: &Faits) -> bool {
        let valeur = match self.atome {
            Atome::Toujours => true,
            Atome::Jamais => false,
            Atome::Sensible => faits.sensible,
            Atome::Ms => faits.ms,
            Atome::Ville => faits.ville,
            Atome::ContactAuPlus(niveau) => (1..=niveau).contains(&faits.niveau_contact),
            Atome::TelecomAuPlus(niveau) => (1..=niveau).contains(&faits.niveau_telecom),
            Atome::Statut(statut) => faits.statut == statut,
        };
        valeur != self.nie
    }
}

fn lire_litteral(texte: &str) -> Result<Litteral, String> {
    let texte = texte.trim();
    let (nie, nom) = match texte.strip_prefix('!') {
        Some(reste) => (true, reste.trim_start()),
        None => (false, texte),
    };
    Ok(Litteral { nie, atome: lire_atome(nom)? })
}

fn lire_atome(nom: &str) -> Result<Atome, String> {
    let atome = match nom {
        "toujours" => Some(Atome::Toujours),
        "jamais" => Some(Atome::Jamais),
        "sensible" => Some(Atome::Sensible),
        "ms" => Some(Atome::Ms),
        "ville" => Some(Atome::Ville),
        _ => None,
    };
    atome
        .or_else(|| niveau(nom, "contact<=").map(Atome::ContactAuPlus))
        .or_else(|| niveau(nom, "telecom<=").map(Atome::TelecomAuPlus))
        .or_else(|| statut(nom).map(Atome::Statut))
        .ok_or_else(|| format!("terme « {nom} » inconnu"))
}

fn niveau(nom: &str, prefixe: &str) -> Option<u8> {
    let niveau: u8 = nom.strip_prefix(prefixe)?.parse().ok()?;
    (1..=3).contains(&niveau).then_some(niveau)
}

fn statut(nom: &str) -> Option<u8> {
    let code = nom.strip_prefix("statut=")?;
    let chiffres = code.len() == 2 && code.bytes().all(|octet| octet.is_ascii_digit());
    if chiffres { code.parse().ok() } else { None }
}
