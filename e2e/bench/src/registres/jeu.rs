//! The files of the run: generated once by seed and scale, kept under the build folder.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use ror_demo::national::{self, Cibles, Edition, Manifeste, Oracle, Reglages, Rythme, Suivante, VERSION};

use super::chargement::Genre;
use crate::tableau::{Rapport, octets, secondes};

/// A generated folder: a first edition, one that brings nothing, one with changes.
pub struct Jeu {
    dossier: PathBuf,
    editions: [Edition; 3],
}

/// Finds the files of that seed and scale, or makes them.
pub async fn preparer(cible: &Path, graine: u64, echelle: f64, taux: f64, r: &mut Rapport) -> Result<Jeu> {
    let dossier = cible.join(format!("bench-registres/jeu-v{VERSION}-{graine}-{echelle}-{taux}"));
    let fichier = dossier.join("manifest.json");
    // Written last: when it is there, all the rest is.
    let connu = std::fs::read(&fichier).ok().and_then(|o| serde_json::from_slice::<Manifeste>(&o).ok());
    let (manifeste, duree) = match connu {
        Some(m) => (m, None),
        None => {
            eprintln!("generating the files, scale {echelle}…");
            let reglages = Reglages {
                graine,
                echelle,
                cibles: Cibles::default(),
                suivantes: vec![
                    Suivante { decalage: 1, rythme: Rythme::Taux(0.0) },
                    Suivante { decalage: 2, rythme: Rythme::Taux(taux) },
                ],
            };
            let (debut, d) = (Instant::now(), dossier.clone());
            let m = tokio::task::spawn_blocking(move || national::generer(&reglages, &d)).await??;
            (m, Some(debut.elapsed()))
        }
    };
    let Ok(editions) = <[Edition; 3]>::try_from(manifeste.editions) else {
        bail!("{} does not hold three editions: remove that folder", dossier.display());
    };
    let jeu = Jeu { dossier, editions };
    if let Some(d) = duree {
        let total: u64 = jeu.editions.iter().map(|e| jeu.octets(e)).sum();
        let debit = octets(total as f64 / d.as_secs_f64());
        let texte =
            format!("{} for {} on disk ({debit} a second)", secondes(d.as_secs_f64()), octets(total as f64));
        r.valeur("Generation of the three editions, one core", texte);
    }
    Ok(jeu)
}

impl Jeu {
    /// The three editions, in their order.
    pub fn editions(&self) -> [&Edition; 3] {
        self.editions.each_ref()
    }

    /// The first one.
    pub fn premiere(&self) -> &Edition {
        let [premiere, ..] = self.editions();
        premiere
    }

    /// Where a file of an edition is.
    pub fn fichier(&self, genre: Genre, e: &Edition) -> PathBuf {
        self.dossier.join(match genre {
            Genre::Structures => &e.structures,
            Genre::Activites => &e.activites,
            Genre::Professionnels => &e.rpps,
        })
    }

    /// Bytes on disk of an edition.
    pub fn octets(&self, e: &Edition) -> u64 {
        let fichiers = [&e.structures, &e.activites, &e.rpps, &e.savoir_faire, &e.diplomes];
        fichiers.iter().filter_map(|f| std::fs::metadata(self.dossier.join(f)).ok()).map(|m| m.len()).sum()
    }

    fn oracle(&self) -> Result<Oracle> {
        let [_, _, suivante] = self.editions();
        let nom = suivante.oracle.as_ref().context("the last edition has no oracle")?;
        let octets = std::fs::read(self.dossier.join(nom))?;
        serde_json::from_slice(&octets).with_context(|| format!("{} cannot be read", nom.display()))
    }

    /// Key of the last record that the last edition creates; none at a scale where it creates none.
    pub fn derniere_creation(&self, genre: Genre) -> Result<Option<String>> {
        let oracle = self.oracle()?;
        let cherche = match genre {
            Genre::Structures => "entite_geographique",
            Genre::Activites => return Ok(None),
            Genre::Professionnels => "professionnel",
        };
        let creation = oracle.operations.iter().rfind(|a| a.operation == "creee" && a.genre == cherche);
        Ok(creation.map(|a| a.cle.clone()))
    }

    /// Operations that the last edition must bring.
    pub fn attendues(&self, genre: Genre) -> Result<u64> {
        let oracle = self.oracle()?;
        let siens = oracle.comptes.iter().filter(|(g, _)| genre.comprend(g));
        Ok(siens.flat_map(|(_, c)| c.values()).sum())
    }
}
