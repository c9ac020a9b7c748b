//! The report of an import.

mod edition;

use std::collections::BTreeMap;

use ror_proto::{
    common::v1::{Faute, Issue},
    identity::v1::{Compte, Constat, StatutEdition},
};
use serde_json::{Value, json};

pub use edition::{EditionLue, changement_json, nom_operation, nom_statut};

/// Refused lines shown; all are kept.
const MONTRES: usize = 20;
/// Refused lines told in JSON.
const DITS: usize = 1000;

struct Refus {
    fichier: String,
    ligne: u64,
    fautes: Vec<Faute>,
}

/// What an import did.
#[derive(Default)]
pub struct Rapport {
    comptes: BTreeMap<String, Compte>,
    constats: BTreeMap<String, Constat>,
    refus: Vec<Refus>,
    refus_caches: u64,
    duree_ms: u64,
    essai: bool,
    editions: Vec<EditionLue>,
    non_charges: Vec<String>,
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
        if self.refus.len() < DITS {
            self.refus.push(Refus { fichier: fichier.to_owned(), ligne, fautes });
        } else {
            self.refus_caches += 1;
        }
    }

    /// Says that nothing was written.
    pub fn essayer(&mut self) {
        self.essai = true;
    }

    /// Notes something met `nombre` times that refuses nothing; one line a message.
    pub fn constater(&mut self, regle: &str, message: String, nombre: u64) {
        let neuf = || Constat { regle: regle.to_owned(), message: message.clone(), nombre: 0 };
        self.constats.entry(format!("{regle} {message}")).or_insert_with(neuf).nombre += nombre;
    }

    /// Notes a duration.
    pub fn duree(&mut self, d: std::time::Duration) {
        self.duree_ms = u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    }

    /// Adds a registry edition.
    pub fn ajouter(&mut self, e: EditionLue) {
        self.duree_ms += e.envoi_ms;
        self.essai |= e.rapport.essai;
        for c in &e.rapport.comptes {
            additionner(self.comptes.entry(c.genre.clone()).or_default(), c);
        }
        for c in &e.rapport.constats {
            let connu =
                self.constats.entry(c.regle.clone()).or_insert_with(|| Constat { nombre: 0, ..c.clone() });
            connu.nombre += c.nombre;
        }
        for l in &e.rapport.refus {
            self.refuser(&e.fichier, l.ligne, l.fautes.clone());
        }
        self.editions.push(e);
    }

    /// Notes a file that was left out, because one before it in the day stopped there.
    pub fn laisser(&mut self, fichier: String) {
        self.non_charges.push(fichier);
    }

    /// Whether nothing was loaded at all.
    pub fn est_vide(&self) -> bool {
        self.editions.is_empty() && self.comptes.is_empty()
    }

    /// Refused lines.
    pub fn refus_nombre(&self) -> u64 {
        let comptes: u64 = self.comptes.values().map(|c| c.refuses).sum();
        comptes.max(self.refus.len() as u64 + self.refus_caches)
    }

    /// How the last edition ended.
    pub fn statut(&self) -> StatutEdition {
        self.editions.last().map_or(StatutEdition::Unspecified, |e| e.rapport.statut())
    }

    /// Why the last edition was held or rejected, in one French sentence.
    pub fn motifs(&self) -> String {
        let motifs = self.editions.last().map(|e| e.rapport.motifs.as_slice()).unwrap_or_default();
        motifs.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// For a program. The keys are stable; those of the whole sum up `editions`.
    pub fn json(&self) -> Value {
        let registre = !self.editions.is_empty();
        json!({
            "edition": self.editions.last().map(|e| &e.rapport.edition_id),
            "statut": registre.then(|| nom_statut(self.statut())),
            "essai": self.essai,
            "duree_ms": self.duree_ms,
            "comptes": self.comptes.iter().map(|(g, c)| compte_json(g, c, registre)).collect::<Vec<_>>(),
            "constats": self.constats.values().map(constat_json).collect::<Vec<_>>(),
            "refus_total": self.refus_nombre(),
            "refus": self.refus.iter().map(|r| json!({
                "fichier": r.fichier,
                "ligne": r.ligne,
                "fautes": fautes_json(&r.fautes),
            })).collect::<Vec<_>>(),
            "editions": self.editions.iter().map(EditionLue::json).collect::<Vec<_>>(),
            "non_charges": self.non_charges,
        })
    }

    /// For a person.
    pub fn afficher(&self) {
        if self.essai {
            println!("Essai : rien n'a été écrit.");
        }
        for e in &self.editions {
            e.afficher_titre();
        }
        self.afficher_comptes();
        for e in &self.editions {
            e.afficher_operations();
        }
        for c in self.constats.values() {
            let texte = if c.message.is_empty() { &c.regle } else { &c.message };
            println!("  {:>9}  {texte}", milliers(c.nombre));
        }
        for r in self.refus.iter().take(MONTRES) {
            for f in &r.fautes {
                println!("  refus {}:{} {}", r.fichier, r.ligne, phrase(f));
            }
        }
        let caches = self.refus_nombre().saturating_sub(MONTRES as u64);
        if caches > 0 {
            println!("  … et {} autres refus, tous conservés.", milliers(caches));
        }
        for e in &self.editions {
            e.afficher_retenue();
        }
        if !self.non_charges.is_empty() {
            println!("Non chargés, car la suite du jour en dépend : {}.", self.non_charges.join(", "));
        }
        for e in &self.editions {
            println!("  {} : {}", e.fichier, e.durees());
        }
        println!("Durée : {:.1} s", self.duree_ms as f64 / 1000.0);
    }

    fn afficher_comptes(&self) {
        if self.comptes.is_empty() {
            return;
        }
        let registre = !self.editions.is_empty();
        print!("{:<22} {:>10} {:>9} {:>9} {:>10}", "", "lus", "créés", "modifiés", "inchangés");
        if registre {
            print!(" {:>8} {:>8} {:>8}", "fermés", "rouverts", "déplacés");
        }
        print!(" {:>8}", "refusés");
        println!("{}", if registre { format!(" {:>8}", "absents") } else { String::new() });
        for (g, c) in &self.comptes {
            let n = milliers;
            print!("{g:<22} {:>10} {:>9} {:>9} {:>10}", n(c.lus), n(c.crees), n(c.modifies), n(c.inchanges));
            if registre {
                print!(" {:>8} {:>8} {:>8}", n(c.fermetures), n(c.reouvertures), n(c.transferts));
            }
            print!(" {:>8}", n(c.refuses));
            println!("{}", if registre { format!(" {:>8}", n(c.absents)) } else { String::new() });
            let etats = etats(c);
            if !etats.is_empty() {
                println!("{:<22} {}", "", etats.join(" · "));
            }
        }
    }
}

/// States of the records read; open and closed when the service tells no more.
fn etats(c: &Compte) -> Vec<String> {
    if !c.etats.is_empty() {
        return c.etats.iter().map(|e| format!("{} {}", e.etat, milliers(e.nombre))).collect();
    }
    if c.ouverts + c.fermes == 0 {
        return Vec::new();
    }
    vec![format!("ouvert {}", milliers(c.ouverts)), format!("fermé {}", milliers(c.fermes))]
}

fn additionner(total: &mut Compte, c: &Compte) {
    total.genre.clone_from(&c.genre);
    for (t, n) in [
        (&mut total.lus, c.lus),
        (&mut total.crees, c.crees),
        (&mut total.modifies, c.modifies),
        (&mut total.inchanges, c.inchanges),
        (&mut total.refuses, c.refuses),
        (&mut total.ouverts, c.ouverts),
        (&mut total.fermes, c.fermes),
        (&mut total.absents, c.absents),
        (&mut total.fermetures, c.fermetures),
        (&mut total.reouvertures, c.reouvertures),
        (&mut total.transferts, c.transferts),
    ] {
        *t += n;
    }
    for e in &c.etats {
        match total.etats.iter_mut().find(|t| t.etat == e.etat) {
            Some(t) => t.nombre += e.nombre,
            None => total.etats.push(e.clone()),
        }
    }
}

fn compte_json(genre: &str, c: &Compte, registre: bool) -> Value {
    let mut v = json!({
        "genre": genre, "lus": c.lus, "crees": c.crees, "modifies": c.modifies,
        "inchanges": c.inchanges, "refuses": c.refuses,
    });
    if registre {
        v["ouverts"] = c.ouverts.into();
        v["fermes"] = c.fermes.into();
        v["absents"] = c.absents.into();
        v["fermetures"] = c.fermetures.into();
        v["reouvertures"] = c.reouvertures.into();
        v["transferts"] = c.transferts.into();
        v["etats"] = c.etats.iter().map(|e| json!({ "etat": e.etat, "nombre": e.nombre })).collect();
    }
    v
}

fn constat_json(c: &Constat) -> Value {
    json!({ "regle": c.regle, "message": c.message, "nombre": c.nombre })
}

/// Faults for a program.
pub fn fautes_json(fautes: &[Faute]) -> Value {
    fautes
        .iter()
        .map(
            |f| json!({ "element": f.element, "regle": f.regle, "message": f.message, "attendu": f.attendu }),
        )
        .collect()
}

/// A fault for a person: place, rule, sentence, what would be accepted.
pub fn phrase(f: &Faute) -> String {
    let attendu = if f.attendu.is_empty() { String::new() } else { format!(" Attendu : {}", f.attendu) };
    format!("{} [{}] {}{attendu}", f.element, f.regle, f.message)
}

/// A number with its thousands apart.
pub fn milliers(n: u64) -> String {
    let chiffres = n.to_string();
    let mut s = String::with_capacity(chiffres.len() + chiffres.len() / 3);
    for (i, c) in chiffres.chars().enumerate() {
        if i > 0 && (chiffres.len() - i).is_multiple_of(3) {
            s.push(' ');
        }
        s.push(c);
    }
    s
}

#[cfg(test)]
mod tests {
    use ror_proto::identity::v1::{
        CompteEtat, CompteOperation, Format, LigneRefusee, Operation, RapportEdition,
    };

    use super::*;

    fn faute(regle: &str) -> Faute {
        ror_chassis::erreur::faute("siren", regle, "Le numéro manque.", "9 chiffres")
    }

    fn edition(fichier: &str, statut: StatutEdition) -> EditionLue {
        let compte = Compte {
            genre: "entite_geographique".into(),
            lus: 10,
            crees: 2,
            refuses: 1,
            fermetures: 1,
            etats: vec![CompteEtat { etat: "ouvert".into(), nombre: 9 }],
            ..Default::default()
        };
        EditionLue {
            fichier: fichier.into(),
            format: Format::FinessStructures,
            envoi_ms: 40,
            commande: format!("ror import finess {fichier} --accepter e1"),
            rapport: RapportEdition {
                edition_id: "e1".into(),
                comptes: vec![compte],
                constats: vec![Constat { regle: "r".into(), message: "m".into(), nombre: 3 }],
                refus: vec![LigneRefusee { ligne: 7, fautes: vec![faute("absent")], ..Default::default() }],
                motifs: vec![faute("baisse")],
                operations: vec![CompteOperation {
                    genre: "entite_geographique".into(),
                    operation: Operation::Creee as i32,
                    nombre: 2,
                }],
                statut: statut as i32,
                ..Default::default()
            },
        }
    }

    #[test]
    fn two_editions_add_up_and_keep_their_own_part() {
        let mut r = Rapport::default();
        r.ajouter(edition("a", StatutEdition::Appliquee));
        r.ajouter(edition("b", StatutEdition::Retenue));
        r.laisser("c".into());
        let v = r.json();
        assert_eq!(v["comptes"][0]["lus"], 20);
        assert_eq!(v["comptes"][0]["etats"][0]["nombre"], 18);
        assert_eq!(v["constats"][0]["nombre"], 6);
        assert_eq!(v["refus_total"], 2);
        assert_eq!(v["refus"][1]["fichier"], "b");
        assert_eq!((v["statut"].as_str(), v["duree_ms"].as_u64()), (Some("retenue"), Some(80)));
        assert_eq!(v["editions"][1]["motifs"][0]["regle"], "baisse");
        assert_eq!(v["editions"][1]["commande"], "ror import finess b --accepter e1");
        assert_eq!(v["editions"][0]["commande"], Value::Null, "only a held edition awaits someone");
        assert_eq!(v["editions"][0]["operations"][0]["operation"], "creee");
        assert_eq!(v["non_charges"][0], "c");
    }

    #[test]
    fn a_report_without_edition_keeps_its_plain_counts() {
        let mut r = Rapport::default();
        r.compter("offre", Issue::Cree);
        r.compter("offre", Issue::Refuse);
        r.refuser("f", 3, vec![faute("x")]);
        let v = r.json();
        assert_eq!((v["comptes"][0]["lus"].as_u64(), v["refus_total"].as_u64()), (Some(2), Some(1)));
        assert!(v["comptes"][0].get("absents").is_none());
        assert_eq!(v["statut"], Value::Null);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([milliers(0), milliers(999), milliers(1_830_000)], ["0", "999", "1 830 000"]);
    }
}
