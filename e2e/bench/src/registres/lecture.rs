//! What is measured in this process: reading a file, validating a code.

use std::{
    collections::HashSet,
    fs::File,
    hint::black_box,
    io::{Read, Seek, SeekFrom},
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use flate2::read::MultiGzDecoder;
use ror_domaine::{
    liaisons::{ACTIVITE_OPERATIONNELLE, Liaison},
    vocabulaire::Vocabulaire,
};
use ror_identity::formats::{ErreurFichier, Lecture, finess_activites, finess_plus, rpps};
use ror_proto::common::v1::Code;

use super::{chargement::Genre, jeu::Jeu};
use crate::tableau::{Rapport, debit, octets, secondes};

/// Validations of one measure.
const VALIDATIONS: u32 = 1_000_000;
/// Date of the validations.
const JOUR: &str = "2026-10-01";

/// Reads each file of the first edition alone.
pub async fn fichiers(jeu: &Jeu, r: &mut Rapport) -> Result<()> {
    for genre in [Genre::Structures, Genre::Activites, Genre::Professionnels] {
        eprintln!("reading {} alone…", genre.nom());
        let chemin = jeu.fichier(genre, jeu.premiere());
        let (mesure, nu) = tokio::task::spawn_blocking(move || un_fichier(genre, &chemin)).await??;
        let (s, t) = (mesure.duree.as_secs_f64(), nu.duree.as_secs_f64());
        let valeur = format!(
            "{} a second, records {} ({}, {} refused)",
            octets(nu.octets as f64 / s),
            debit(mesure.enregistrements as f64 / s),
            secondes(s),
            mesure.refus
        );
        let plancher = format!("{} {} a second", genre.plancher(), octets(nu.octets as f64 / t));
        r.compare(format!("Reading of {}, nothing kept", genre.nom()), valeur, plancher, t / s, None);
    }
    Ok(())
}

struct Mesure {
    enregistrements: u64,
    refus: u64,
    duree: Duration,
}

struct Nu {
    octets: u64,
    duree: Duration,
}

fn un_fichier(genre: Genre, chemin: &Path) -> Result<(Mesure, Nu)> {
    // The bare reading comes first: both then find the file in the page cache.
    nu(chemin)?;
    let nu = nu(chemin)?;
    let (mut enregistrements, mut refus) = (0, 0);
    let mut recevoir = |l: Lecture| {
        match black_box(l) {
            Lecture::Enregistrement { .. } => enregistrements += 1,
            Lecture::Refus { .. } => refus += 1,
        }
        ControlFlow::Continue(())
    };
    let fichier = File::open(chemin)?;
    let debut = Instant::now();
    let lu = match genre {
        Genre::Structures => finess_plus::lire(fichier, &mut recevoir),
        Genre::Activites => finess_activites::lire(fichier, &mut recevoir),
        Genre::Professionnels => rpps::lire(fichier, &mut recevoir),
    };
    let duree = debut.elapsed();
    lu.map_err(|e: ErreurFichier| anyhow!("{}: {e}", chemin.display()))?;
    ensure!(enregistrements > 0, "{} gave no record", chemin.display());
    Ok((Mesure { enregistrements, refus, duree }, nu))
}

/// The bytes and nothing else: decompressed, or their lines counted.
fn nu(chemin: &Path) -> Result<Nu> {
    let mut fichier = File::open(chemin)?;
    let mut magie = [0; 2];
    fichier.read_exact(&mut magie)?;
    fichier.seek(SeekFrom::Start(0))?;
    let debut = Instant::now();
    let octets = if magie == [0x1f, 0x8b] { avaler(MultiGzDecoder::new(fichier))? } else { avaler(fichier)? };
    Ok(Nu { octets, duree: debut.elapsed() })
}

fn avaler(mut source: impl Read) -> Result<u64> {
    let mut tampon = vec![0; 256 * 1024];
    let (mut octets, mut lignes) = (0_u64, 0_usize);
    loop {
        let n = source.read(&mut tampon)?;
        if n == 0 {
            black_box(lignes);
            return Ok(octets);
        }
        octets += n as u64;
        lignes += tampon[..n].iter().filter(|o| **o == b'\n').count();
    }
}

/// Validation of a code in the local copy of the nomenclatures.
pub async fn codes(r: &mut Rapport) -> Result<()> {
    eprintln!("validating codes…");
    let (valide, nu, codes) = tokio::task::spawn_blocking(|| valider(ACTIVITE_OPERATIONNELLE)).await??;
    r.compare(
        format!("$validate-code in process, {codes} codes of {}", ACTIVITE_OPERATIONNELLE.nom),
        format!("{valide:.0} ns"),
        format!("two lookups in a HashSet of the same codes {nu:.0} ns"),
        nu / valide,
        None,
    );
    Ok(())
}

/// Nanoseconds of a validation and of its floor, and how many codes there are.
fn valider(liaison: Liaison) -> Result<(f64, f64, usize)> {
    let nomenclatures = ror_nomenclatures::donnees::embarquees().map_err(|e| anyhow!(e))?;
    let tables = Vocabulaire::fixe(&nomenclatures).tables();
    let jeu = nomenclatures.iter().find(|n| n.canonique == liaison.canonique);
    let concepts = jeu.map(|n| n.concepts.as_slice()).unwrap_or_default();
    ensure!(!concepts.is_empty(), "{} is not among the nomenclatures of the product", liaison.nom);
    let codes: Vec<Code> =
        concepts.iter().map(|c| Code { systeme: c.systeme.clone(), code: c.code.clone() }).collect();
    let mut valides = 0_u32;
    let debut = Instant::now();
    for code in codes.iter().cycle().take(VALIDATIONS as usize) {
        valides += u32::from(tables.valider(liaison, black_box(code), JOUR).is_ok());
    }
    let duree = debut.elapsed();
    ensure!(valides > VALIDATIONS / 2, "most codes of {} are refused: {valides}", liaison.nom);
    let membres: HashSet<(&str, &str)> =
        codes.iter().map(|c| (c.systeme.as_str(), c.code.as_str())).collect();
    let actifs = membres.clone();
    let mut trouves = 0_u32;
    let debut = Instant::now();
    for c in codes.iter().cycle().take(VALIDATIONS as usize) {
        // The list, then the state of the code in its system.
        let cle = black_box((c.systeme.as_str(), c.code.as_str()));
        trouves += u32::from(membres.contains(&cle) && actifs.contains(&cle));
    }
    let nu = debut.elapsed();
    ensure!(trouves == VALIDATIONS, "{trouves} codes found");
    let ns = |d: Duration| d.as_secs_f64() * 1e9 / f64::from(VALIDATIONS);
    Ok((ns(duree), ns(nu), codes.len()))
}
