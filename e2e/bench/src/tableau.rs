//! The table that is printed, and its figures as people read them.

use std::fmt::Write as _;

use crate::{charge::Mesure, postgres::Banc};

/// A line.
#[derive(Default)]
pub struct Ligne {
    /// What was measured.
    pub quoi: String,
    /// Its value.
    pub valeur: String,
    /// The physical limit beside it.
    pub plancher: String,
    /// Value over limit.
    pub rapport: Option<f64>,
    /// What is aimed at.
    pub but: String,
    /// Whether it is met.
    pub tenu: Option<bool>,
}

/// The whole report.
#[derive(Default)]
pub struct Rapport {
    /// Title of the data.
    pub titre: String,
    /// Where and when.
    pub environnement: String,
    /// Lines.
    pub lignes: Vec<Ligne>,
    /// How it was measured.
    pub notes: Vec<String>,
}

impl Rapport {
    /// A value without limit nor aim.
    pub fn valeur(&mut self, quoi: impl Into<String>, valeur: impl Into<String>) {
        self.lignes.push(Ligne { quoi: quoi.into(), valeur: valeur.into(), ..Ligne::default() });
    }

    /// A value that must stay under an aim.
    pub fn au_plus(&mut self, quoi: impl Into<String>, texte: String, valeur: f64, but: f64, unite: &str) {
        self.lignes.push(Ligne {
            quoi: quoi.into(),
            valeur: texte,
            but: format!("≤ {but} {unite}"),
            tenu: Some(valeur <= but),
            ..Ligne::default()
        });
    }

    /// The physical limit beside the last line.
    pub fn plancher(&mut self, texte: String) {
        if let Some(l) = self.lignes.last_mut() {
            l.plancher = texte;
        }
    }

    /// Something that must hold.
    pub fn doit(&mut self, quoi: impl Into<String>, texte: String, but: &str, tenu: bool) {
        self.lignes.push(Ligne {
            quoi: quoi.into(),
            valeur: texte,
            but: but.to_owned(),
            tenu: Some(tenu),
            ..Ligne::default()
        });
    }

    /// A value that must reach an aim.
    pub fn au_moins(&mut self, quoi: impl Into<String>, texte: String, valeur: f64, but: f64, unite: &str) {
        self.lignes.push(Ligne {
            quoi: quoi.into(),
            valeur: texte,
            but: format!("≥ {but} {unite}"),
            tenu: Some(valeur >= but),
            ..Ligne::default()
        });
    }

    /// A value beside its limit, with the ratio aimed at if any.
    pub fn compare(
        &mut self,
        quoi: impl Into<String>,
        valeur: String,
        plancher: String,
        rapport: f64,
        but: Option<f64>,
    ) {
        self.lignes.push(Ligne {
            quoi: quoi.into(),
            valeur,
            plancher,
            rapport: Some(rapport),
            but: but.map(|b| format!("≥ {b}×")).unwrap_or_default(),
            tenu: but.map(|b| rapport >= b),
        });
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut s = format!("## {}\n\n{}\n\n", self.titre, self.environnement);
        s.push_str("| what | value | floor | ratio | aim | met? |\n|---|---|---|---|---|---|\n");
        for l in &self.lignes {
            let rapport = l.rapport.map(|r| if r >= 10.0 { format!("{r:.0}×") } else { format!("{r:.2}×") });
            let tenu = l.tenu.map_or("", |t| if t { "yes" } else { "**no**" });
            let rapport = rapport.unwrap_or_default();
            // A request may hold the sign that parts the columns.
            let [quoi, valeur, plancher] = [&l.quoi, &l.valeur, &l.plancher].map(|t| t.replace('|', "\\|"));
            // Writing to a string cannot fail.
            let _ = writeln!(s, "| {quoi} | {valeur} | {plancher} | {rapport} | {} | {tenu} |", l.but);
        }
        s.push('\n');
        for n in &self.notes {
            let _ = writeln!(s, "- {n}");
        }
        s
    }
}

/// Milliseconds.
pub fn ms(v: f64) -> String {
    match v {
        v if v < 0.1 => format!("{v:.3} ms"),
        v if v < 10.0 => format!("{v:.2} ms"),
        v => format!("{v:.0} ms"),
    }
}

/// Seconds.
pub fn secondes(v: f64) -> String {
    if v < 1.0 { ms(v * 1000.0) } else { format!("{v:.1} s") }
}

/// A rate, with separated thousands.
pub fn debit(v: f64) -> String {
    if v < 100.0 {
        return format!("{v:.1}/s");
    }
    let chiffres = format!("{v:.0}");
    let mut s = String::new();
    for (i, c) in chiffres.chars().enumerate() {
        if i > 0 && (chiffres.len() - i) % 3 == 0 {
            s.push(',');
        }
        s.push(c);
    }
    s + "/s"
}

/// Bytes.
pub fn octets(v: f64) -> String {
    if v < 1e6 { format!("{:.1} kB", v / 1e3) } else { format!("{:.2} MB", v / 1e6) }
}

/// A load measure.
pub fn mesure(m: &Mesure) -> String {
    format!("{}, p50 {}, p99 {}", debit(m.debit), ms(m.p50), ms(m.p99))
}

/// A pgbench measure.
pub fn banc(quoi: &str, b: &Banc) -> String {
    format!("{quoi} {}, mean {}", debit(b.debit), ms(b.latence))
}
