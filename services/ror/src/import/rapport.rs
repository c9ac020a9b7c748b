//! The report of an import.

use std::collections::BTreeMap;

use ror_proto::{
    common::v1::{Faute, Issue},
    identity::v1::RapportEdition,
};
use serde_json::{Value, json};

/// Refused lines shown; all are kept.
const MONTRES: usize = 20;

#[derive(Default, Clone)]
struct Compte {
    lus: u64,
    crees: u64,
    modifies: u64,
    inchanges: u64,
    refuses: u64,
    ouverts: Option<(u64, u64)>,
}

struct Refus {
    fichier: String,
    ligne: u64,
    fautes: Vec<Faute>,
}

/// What an import did.
#[derive(Default)]
pub struct Rapport {
    edition: Option<String>,
    comptes: BTreeMap<String, Compte>,
    constats: Vec<(String, String, u64)>,
    refus: Vec<Refus>,
    refus_caches: u64,
    duree_ms: u64,
    essai: bool,
}

impl Rapport {
    /// Counts one result.
    pub fn compter(&mut self, genre: &str, issue: Issue) {
        let c = self.comptes.entry(genre.to_owned()).or_default();
        c.lus += 1;
        match issue {
            Issue::Cree => c.crees += 1,
            Issue::Modifie => c.modifies += 1,
            Issue::Inchange => c.inchanges += 1,
            _ => c.refuses += 1,
        }
    }

    /// Keeps a refusal.
    pub fn refuser(&mut self, fichier: &str, ligne: u64, fautes: Vec<Faute>) {
        if self.refus.len() < 1000 {
            self.refus.push(Refus { fichier: fichier.to_owned(), ligne, fautes });
        } else {
            self.refus_caches += 1;
        }
    }

    /// Notes a duration.
    pub fn duree(&mut self, d: std::time::Duration) {
        self.duree_ms = u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    }

    /// From a registry edition.
    pub fn d_edition(fichier: &str, r: RapportEdition) -> Self {
        let mut s =
            Self { edition: Some(r.edition_id), duree_ms: r.duree_ms, essai: r.essai, ..Self::default() };
        for c in r.comptes {
            s.comptes.insert(
                c.genre,
                Compte {
                    lus: c.lus,
                    crees: c.crees,
                    modifies: c.modifies,
                    inchanges: c.inchanges,
                    refuses: c.refuses,
                    ouverts: Some((c.ouverts, c.fermes)),
                },
            );
        }
        s.constats = r.constats.into_iter().map(|c| (c.regle, c.message, c.nombre)).collect();
        r.refus.into_iter().for_each(|l| s.refuser(fichier, l.ligne, l.fautes));
        s
    }

    /// Refused lines.
    pub fn refus_nombre(&self) -> u64 {
        self.refus.len() as u64 + self.refus_caches
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let comptes: Vec<Value> = self
            .comptes
            .iter()
            .map(|(g, c)| {
                let mut v = json!({ "genre": g, "lus": c.lus, "crees": c.crees, "modifies": c.modifies, "inchanges": c.inchanges, "refuses": c.refuses });
                if let Some((o, f)) = c.ouverts {
                    v["ouverts"] = o.into();
                    v["fermes"] = f.into();
                }
                v
            })
            .collect();
        json!({
            "edition": self.edition,
            "essai": self.essai,
            "duree_ms": self.duree_ms,
            "comptes": comptes,
            "constats": self.constats.iter().map(|(r, m, n)| json!({ "regle": r, "message": m, "nombre": n })).collect::<Vec<_>>(),
            "refus_total": self.refus_nombre(),
            "refus": self.refus.iter().map(|r| json!({
                "fichier": r.fichier,
                "ligne": r.ligne,
                "fautes": r.fautes.iter().map(|f| json!({ "element": f.element, "regle": f.regle, "message": f.message, "attendu": f.attendu })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    /// For a person.
    pub fn afficher(&self) {
        if self.essai {
            println!("Essai : rien n'a été écrit.");
        }
        println!(
            "{:<24} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "", "lus", "créés", "modifiés", "inchangés", "refusés"
        );
        for (g, c) in &self.comptes {
            println!(
                "{g:<24} {:>9} {:>9} {:>9} {:>9} {:>9}",
                c.lus, c.crees, c.modifies, c.inchanges, c.refuses
            );
            if let Some((o, f)) = c.ouverts.filter(|(o, f)| o + f > 0) {
                println!("{:<24} {o} ouverts ou actifs, {f} fermés ou inactifs", "");
            }
        }
        for (regle, message, n) in &self.constats {
            let texte = if message.is_empty() { regle } else { message };
            println!("  {n:>8}  {texte}");
        }
        for r in self.refus.iter().take(MONTRES) {
            for f in &r.fautes {
                println!(
                    "  refus {}:{} {} [{}] {} Attendu : {}",
                    r.fichier, r.ligne, f.element, f.regle, f.message, f.attendu
                );
            }
        }
        if self.refus_nombre() > MONTRES as u64 {
            println!("  … et {} autres refus, tous conservés.", self.refus_nombre() - MONTRES as u64);
        }
        println!("Durée : {:.1} s", self.duree_ms as f64 / 1000.0);
    }
}
