//! Tables and JSON of `ror registres`.

use prost_types::Timestamp;
use ror_gateway::fhir::temps::ecrire_instant;
use ror_proto::identity::v1::{Anomalie, Changement, Edition, EtatCanal, LigneRefusee, StatutAnomalie};
use serde_json::{Value, json};

use crate::import::{
    rapport::{fautes_json, milliers, nom_operation, nom_statut, phrase},
    reconnaitre::nom_format,
};

/// RFC 3339 of an instant, empty when absent.
pub fn instant(t: Option<&Timestamp>) -> String {
    t.and_then(ecrire_instant).unwrap_or_default()
}

/// To the second, for a person.
pub fn court(t: Option<&Timestamp>) -> String {
    let long = instant(t);
    long.get(..19).map_or_else(|| "-".to_owned(), |d| d.replace('T', " "))
}

/// An age as a person says it.
fn age(secondes: u64) -> String {
    match secondes {
        0..120 => format!("{secondes} s"),
        120..7_200 => format!("{} min", secondes / 60),
        7_200..172_800 => format!("{} h", secondes / 3_600),
        _ => format!("{} j", secondes / 86_400),
    }
}

/// A channel for a program.
pub fn canal_json(c: &EtatCanal) -> Value {
    json!({
        "format": nom_format(c.format()),
        "derniere": c.derniere.as_ref().map(edition_json),
        "age_s": c.age_s,
        "en_retard": c.en_retard,
        "en_cours": c.en_cours.as_ref().map(edition_json),
        "retenues": c.retenues.iter().map(edition_json).collect::<Vec<_>>(),
        "source": c.source,
        "prochaine": instant(c.prochaine.as_ref()),
        "dernier_echec": c.dernier_echec,
    })
}

/// Channels for a person.
pub fn canaux(canaux: &[EtatCanal]) {
    if canaux.is_empty() {
        println!("Aucune édition chargée, aucun canal programmé.");
    }
    for c in canaux {
        let derniere = match &c.derniere {
            Some(e) => format!("{} il y a {}", cle_ou_nom(e), age(c.age_s)),
            None => "aucune édition appliquée".to_owned(),
        };
        let retard = if c.en_retard { "  EN RETARD" } else { "" };
        println!("{:<28} {derniere}{retard}", nom_format(c.format()));
        if let Some(e) = &c.en_cours {
            println!("    se charge : {} depuis {}", e.nom, court(e.debut.as_ref()));
        }
        for e in &c.retenues {
            println!("    retenue : {} ({})", e.nom, e.id);
        }
        if !c.source.is_empty() {
            println!("    suivi : {}, prochaine visite {}", c.source, court(c.prochaine.as_ref()));
        }
        if !c.dernier_echec.is_empty() {
            println!("    dernière visite en échec : {}", c.dernier_echec);
        }
    }
}

fn cle_ou_nom(e: &Edition) -> &str {
    if e.cle.is_empty() { &e.nom } else { &e.cle }
}

/// An edition for a program.
pub fn edition_json(e: &Edition) -> Value {
    let r = e.rapport.clone().unwrap_or_default();
    let somme = |f: fn(&ror_proto::identity::v1::Compte) -> u64| r.comptes.iter().map(f).sum::<u64>();
    json!({
        "id": e.id,
        "format": nom_format(e.format()),
        "nom": e.nom,
        "cle": e.cle,
        "sha256": e.sha256,
        "statut": nom_statut(e.statut()),
        "operateur": e.operateur,
        "debut": instant(e.debut.as_ref()),
        "fin": instant(e.fin.as_ref()),
        "duree_ms": r.duree_ms,
        "lus": somme(|c| c.lus),
        "crees": somme(|c| c.crees),
        "modifies": somme(|c| c.modifies),
        "refuses": somme(|c| c.refuses),
        "motifs": fautes_json(&r.motifs),
    })
}

/// Editions for a person.
pub fn editions(editions: &[Edition]) {
    if editions.is_empty() {
        println!("Aucune édition.");
        return;
    }
    println!(
        "{:<37} {:<20} {:<15} {:>11} {:>10} {:>10} {:>8}  nom",
        "édition", "début (UTC)", "statut", "lus", "créés", "modifiés", "refusés"
    );
    for e in editions {
        let v = edition_json(e);
        let n = |cle: &str| milliers(v[cle].as_u64().unwrap_or(0));
        println!(
            "{:<37} {:<20} {:<15} {:>11} {:>10} {:>10} {:>8}  {}",
            e.id,
            court(e.debut.as_ref()),
            nom_statut(e.statut()),
            n("lus"),
            n("crees"),
            n("modifies"),
            n("refuses"),
            e.nom
        );
    }
}

/// Changes for a person.
pub fn changements(changements: &[Changement]) {
    if changements.is_empty() {
        println!("Aucun changement.");
    }
    for c in changements {
        let mut suite = c.champs.join(", ");
        if !c.vers.is_empty() {
            suite = format!("de {} vers {}", c.de, c.vers);
        }
        if !c.type_fermeture.is_empty() {
            suite = format!("{suite} {}", c.type_fermeture).trim_start().to_owned();
        }
        let date = if c.date.is_empty() { "-" } else { &c.date };
        let operation = nom_operation(c.operation());
        println!("{operation:<22} {:<20} {:<13} {date:<10} {suite}", c.genre, c.cle);
    }
}

/// A refused line for a program.
pub fn ligne_json(l: &LigneRefusee) -> Value {
    json!({ "ligne": l.ligne, "fautes": fautes_json(&l.fautes), "contenu": l.contenu })
}

/// Refused lines for a person.
pub fn lignes(lignes: &[LigneRefusee]) {
    if lignes.is_empty() {
        println!("Aucune ligne refusée.");
    }
    for l in lignes {
        for f in &l.fautes {
            println!("{:>9}  {}", l.ligne, phrase(f));
        }
    }
}

fn nom_etat(s: StatutAnomalie) -> &'static str {
    match s {
        StatutAnomalie::Ouverte => "ouverte",
        StatutAnomalie::Acceptee => "acceptee",
        StatutAnomalie::Ecartee => "ecartee",
        StatutAnomalie::Resolue => "resolue",
        StatutAnomalie::Unspecified => "inconnu",
    }
}

/// An anomaly for a program.
pub fn anomalie_json(a: &Anomalie) -> Value {
    json!({
        "id": a.id, "regle": a.regle, "message": a.message, "genre": a.genre,
        "ressource_id": a.ressource_id, "cle": a.cle, "champ": a.champ,
        "valeur_connue": a.valeur_connue, "valeur_recue": a.valeur_recue, "score": a.score,
        "preuves": a.preuves, "edition": a.edition_id, "ligne": a.ligne,
        "vue_le": instant(a.vue_le.as_ref()), "statut": nom_etat(a.statut()),
        "decide_par": a.decide_par, "decide_le": instant(a.decide_le.as_ref()),
    })
}

/// Anomalies for a person.
pub fn anomalies(anomalies: &[Anomalie]) {
    if anomalies.is_empty() {
        println!("Aucune anomalie.");
    }
    for a in anomalies {
        println!("{}  {:<9} {:<13} [{}] {}", a.id, nom_etat(a.statut()), a.cle, a.regle, a.message);
        if !a.champ.is_empty() || !a.valeur_recue.is_empty() {
            println!("    {} : connu « {} », reçu « {} »", a.champ, a.valeur_connue, a.valeur_recue);
        }
        for p in &a.preuves {
            println!("    {p}");
        }
        if !a.decide_par.is_empty() {
            println!("    décidé par {} le {}", a.decide_par, court(a.decide_le.as_ref()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_unit_that_suits() {
        assert_eq!([age(5), age(600), age(90_000), age(864_000)], ["5 s", "10 min", "25 h", "10 j"]);
    }

    #[test]
    fn an_absent_instant_is_a_dash_and_a_present_one_is_cut_to_the_second() {
        assert_eq!(court(None), "-");
        let t = Timestamp { seconds: 0, nanos: 5_000_000 };
        assert_eq!(court(Some(&t)), "1970-01-01 00:00:00");
        assert_eq!(instant(None), "");
    }
}
