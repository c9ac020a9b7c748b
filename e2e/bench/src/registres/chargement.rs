//! Loads as an operator makes them, and what they leave: rows, memory, what the gateway finds.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use ror_demo::national::Edition;
use serde_json::Value;
use tokio::process::Command;

use super::jeu::Jeu;
use crate::{
    facade::Facade,
    http::Connexion,
    machine,
    mesh::Mesh,
    postgres::Outils,
    tableau::{debit, octets, secondes},
};

/// Longest wait for a record to be found.
const TROUVE_MAX: Duration = Duration::from_secs(3600);
/// A token lasts five minutes.
const JETON: Duration = Duration::from_secs(120);
/// Between two looks.
const PAS: Duration = Duration::from_millis(20);

/// Files that are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Genre {
    /// FINESS+ Structures.
    Structures,
    /// FINESS+ Activités.
    Activites,
    /// RPPS Personne_activite.
    Professionnels,
}

impl Genre {
    /// For the table.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Structures => "FINESS+ structures",
            Self::Activites => "FINESS+ activités",
            Self::Professionnels => "RPPS Personne_activite",
        }
    }

    /// What the bare reading does.
    pub fn plancher(self) -> &'static str {
        match self {
            Self::Structures | Self::Activites => "gunzip alone",
            Self::Professionnels => "lines counted",
        }
    }

    /// Kind of its records in the database.
    pub fn agregat(self) -> &'static str {
        match self {
            Self::Structures => "structure_finess",
            Self::Activites => "activites_finess",
            Self::Professionnels => "professionnel",
        }
    }

    /// Whether a kind of the oracle is of this file.
    pub fn comprend(self, genre: &str) -> bool {
        match self {
            Self::Structures => matches!(genre, "entite_juridique" | "entite_geographique"),
            Self::Activites => genre == "activites_finess",
            Self::Professionnels => genre == "professionnel",
        }
    }

    fn commande(self) -> &'static str {
        match self {
            Self::Structures | Self::Activites => "finess",
            Self::Professionnels => "rpps",
        }
    }

    fn recherche(self) -> &'static str {
        match self {
            Self::Structures | Self::Activites => "Organization",
            Self::Professionnels => "Practitioner",
        }
    }
}

/// A load that was made.
pub struct Mesure {
    /// Records read.
    pub lus: u64,
    /// To the report.
    pub engage: Duration,
    /// To the moment the gateway finds the record; none when nothing was looked for.
    pub trouve: Option<Duration>,
    /// Bytes sent.
    octets: u64,
    sommet: Option<f64>,
    metriques: Vec<String>,
}

impl Mesure {
    /// For the table.
    pub fn texte(&self) -> String {
        let s = self.engage.as_secs_f64();
        let mut t = format!(
            "committed {} (records {}, {} a second)",
            secondes(s),
            debit(self.lus as f64 / s),
            octets(self.octets as f64 / s)
        );
        if let Some(d) = self.trouve {
            t.push_str(&format!(", searchable {}", secondes(d.as_secs_f64())));
        }
        if let Some(m) = self.sommet {
            t.push_str(&format!(", peak {m:.0} MB"));
        }
        for m in &self.metriques {
            t.push_str(&format!(", {m}"));
        }
        t
    }
}

/// Makes loads on a running mesh.
pub struct Chargeur<'a> {
    /// The mesh.
    pub mesh: &'a Mesh,
    /// The same from outside.
    pub facade: &'a Facade,
    /// SQL.
    pub outils: &'a Outils,
    /// Files.
    pub jeu: &'a Jeu,
}

impl Chargeur<'_> {
    /// Loads a file, and waits for the gateway to find `cle` when given.
    pub async fn charger(&self, genre: Genre, e: &Edition, cle: Option<&str>) -> Result<Mesure> {
        eprintln!("loading {} of {}…", genre.nom(), e.jour);
        let fichier = self.jeu.fichier(genre, e);
        let pid = self.facade.pid("identity").or_else(|_| self.facade.pid("ror"))?;
        let oublie = machine::oublier_sommet(pid);
        let debut = Instant::now();
        let rapport = importer(self.mesh.programme(), &self.mesh.dossier, genre, &fichier).await?;
        let engage = debut.elapsed();
        let statut = rapport["statut"].as_str().unwrap_or("");
        ensure!(matches!(statut, "appliquee" | "inconnu"), "{} ended {statut:?}", fichier.display());
        let trouve = match cle {
            Some(c) => {
                self.attendre(genre.recherche(), c).await?;
                Some(debut.elapsed())
            }
            None => None,
        };
        let comptes = rapport["comptes"].as_array().context("a report without counts")?;
        Ok(Mesure {
            lus: comptes.iter().filter_map(|c| c["lus"].as_u64()).sum(),
            engage,
            trouve,
            octets: std::fs::metadata(&fichier)?.len(),
            sommet: oublie.then(|| machine::memoire(pid).sommet),
            metriques: self.metriques().await?,
        })
    }

    /// Sends a file that is already loaded; what it took and that nothing was written.
    pub async fn sans_ecriture(&self, genre: Genre, e: &Edition) -> Result<String> {
        eprintln!("the same file again, {}…", genre.nom());
        let avant = self.ecritures().await?;
        let debut = Instant::now();
        let fichier = self.jeu.fichier(genre, e);
        let rapport = importer(self.mesh.programme(), &self.mesh.dossier, genre, &fichier).await?;
        let duree = debut.elapsed();
        let ecrites = self.ecritures_depuis(avant).await?;
        ensure!(ecrites == 0, "the same file again wrote {ecrites} records");
        let statut = rapport["statut"].as_str().unwrap_or("").to_owned();
        Ok(format!("{}, {statut}, 0 records written", secondes(duree.as_secs_f64())))
    }

    /// Versions written so far in `identity` and in `structures`.
    pub async fn ecritures(&self) -> Result<u64> {
        let sql = "select (select coalesce(sum(version), 0) from identity.agregat) \
                   + (select coalesce(sum(version), 0) from structures.agregat);\n";
        let lu = self.outils.psql("ecritures", sql).await?;
        lu.trim().parse().with_context(|| format!("unexpected answer of psql: {lu:?}"))
    }

    /// Versions of `identity` and of `structures` written since, once what follows has settled.
    pub async fn ecritures_depuis(&self, avant: u64) -> Result<u64> {
        let mut dernier = self.ecritures().await?;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let n = self.ecritures().await?;
            if n == dernier {
                return Ok(n.saturating_sub(avant));
            }
            dernier = n;
        }
    }

    /// Waits until the gateway finds that identifier.
    async fn attendre(&self, genre: &str, cle: &str) -> Result<()> {
        let recherche = format!("{genre}?identifier={cle}");
        let debut = Instant::now();
        let mut c = Connexion::ouvrir(self.facade.adresse).await?;
        while debut.elapsed() < TROUVE_MAX {
            let communs = self.facade.lecteur().await?;
            let jeton = Instant::now();
            while jeton.elapsed() < JETON {
                if self.facade.total(&mut c, &communs, &recherche).await? > 0 {
                    return Ok(());
                }
                tokio::time::sleep(PAS).await;
            }
        }
        bail!("{recherche} finds nothing after {} s", TROUVE_MAX.as_secs())
    }

    /// What the server itself says of the memory of its imports.
    async fn metriques(&self) -> Result<Vec<String>> {
        Ok(memoires(&self.facade.metriques().await?))
    }
}

/// `ror import` of a file to the services of a folder; its report.
pub async fn importer(programme: &Path, mesh: &Path, genre: Genre, fichier: &Path) -> Result<Value> {
    let mut c = Command::new(programme);
    c.args(["import", genre.commande()]).arg(fichier).arg("--mesh").arg(mesh);
    c.args(["--report", "json", "--operateur", "bench"]).stdin(Stdio::null()).kill_on_drop(true);
    let s = c.output().await.context("ror import cannot be run")?;
    let erreurs = String::from_utf8_lossy(&s.stderr);
    let rapport: Value = serde_json::from_slice(&s.stdout).unwrap_or(Value::Null);
    if !s.status.success() {
        bail!("ror import ended {}: {} {}", s.status, erreurs.trim(), rapport["editions"]);
    }
    Ok(rapport)
}

/// Samples of `identity` that are bytes of memory.
fn memoires(texte: &str) -> Vec<String> {
    let mut lues = Vec::new();
    for l in texte.lines().filter(|l| !l.starts_with('#')) {
        let Some((nom, valeur)) = l.rsplit_once(' ') else { continue };
        let memoire = ["peak", "memory", "rss"].iter().any(|m| nom.contains(m)) && nom.contains("bytes");
        let identite = nom.starts_with("ror_identity") || nom.starts_with("ror_import");
        if let (true, true, Ok(v)) = (memoire, identite, valeur.parse::<f64>()) {
            lues.push(format!("{nom} {}", octets(v)));
        }
    }
    lues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_memory_of_identity_is_taken_from_the_metrics() {
        let texte = "# TYPE ror_identity_peak_bytes gauge\nror_identity_peak_bytes 12000000\n\
                     ror_gateway_memory_bytes 5\nror_identity_records_total 7\n";
        assert_eq!(memoires(texte), ["ror_identity_peak_bytes 12.00 MB"]);
    }
}
