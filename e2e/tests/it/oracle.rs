//! Generated searches against brute force, by every profile, at rest and while capacities and
//! descriptions change.

use std::{collections::BTreeSet, env, sync::Arc};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Rapport,
    fhir::{tableau, texte},
    oracle::{
        Campagne, Descriptions, Ecrivain,
        parametres::{Genre, de_genre},
    },
};
use serde_json::Value;

use crate::monde::Monde;

/// The clients of the six profiles.
const PROFILS: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
/// Queries in all, each asked of one mesh.
const REQUETES: u64 = 10_000;
/// One query in so many is asked while writes run.
const SOUS_ECRITURES: u64 = 8;

/// Which half of the queries.
#[derive(Clone, Copy)]
pub enum Part {
    Premiere,
    Seconde,
}

pub async fn tout(m: &Monde, r: &mut Rapport, part: Part) {
    let mut campagne = None;
    r.verifier("oracle: the parameters declared are those it knows", declares(m)).await;
    r.verifier("oracle: value sets are read", async {
        campagne = Some(Campagne::preparer(&m.p1, nombre("ROR_ORACLE_GRAINE", 1)?).await?);
        Ok(())
    })
    .await;
    let Some(campagne) = campagne else { return };
    let total = nombre("ROR_ORACLE_REQUETES", REQUETES).unwrap_or(REQUETES).div_ceil(2);
    let ecritures = total / SOUS_ECRITURES;
    let par_profil = (total - ecritures).div_ceil(PROFILS.len() as u64);
    let premiere = match part {
        Part::Premiere => 0,
        Part::Seconde => PROFILS.len() as u64 * par_profil + ecritures,
    };
    for (rang, nom) in PROFILS.into_iter().enumerate() {
        let debut = premiere + rang as u64 * par_profil;
        r.verifier(&format!("oracle: {par_profil} queries of {nom}"), async {
            campagne.lire(&client(m, nom)?, debut..debut + par_profil).await
        })
        .await;
    }
    let debut = premiere + PROFILS.len() as u64 * par_profil;
    r.verifier(&format!("oracle: {ecritures} queries while capacities and descriptions change"), async {
        let clients = PROFILS.into_iter().map(|nom| client(m, nom)).collect::<Result<Vec<_>>>()?;
        let descriptions = Descriptions::choisir(&m.p1, &m.mesh.dossier.donnees(), &m.mesh.demo)
            .await?
            .context("no demo")?;
        let ecrivain = Ecrivain::lancer(m.p1.clone(), client(m, "capacity")?, Some(descriptions)).await?;
        campagne.lire_sous_ecritures(&clients, ecrivain, debut..debut + ecritures).await
    })
    .await;
    r.verifier("oracle: every parameter found something", async { campagne.bilan() }).await;
}

fn client(m: &Monde, nom: &str) -> Result<Arc<Client>> {
    Ok(Arc::new(m.mesh.client(nom)?))
}

fn nombre(nom: &str, defaut: u64) -> Result<u64> {
    match env::var(nom) {
        Ok(texte) => texte.parse().with_context(|| format!("{nom}={texte}")),
        Err(_) => Ok(defaut),
    }
}

/// The list of the oracle is that of the capability statement, full text aside.
async fn declares(m: &Monde) -> Result<()> {
    let enonce = m.p0.lire("metadata").await?.attendre(200)?.corps;
    let ressources = enonce.pointer("/rest/0/resource").and_then(Value::as_array).context("no resource")?;
    for genre in Genre::TOUS {
        let declaree = ressources.iter().find(|r| texte(r, "/type") == genre.nom()).context("a type")?;
        let dits: BTreeSet<&str> =
            tableau(declaree, "searchParam").iter().map(|p| texte(p, "/name")).collect();
        let connus: BTreeSet<&str> = de_genre(genre).iter().map(|p| p.nom).collect();
        let manquants: Vec<&&str> = connus.difference(&dits).collect();
        ensure!(manquants.is_empty(), "{}: undeclared {manquants:?}", genre.nom());
        let special = |nom: &str| nom.starts_with('_') || nom == "amount-value";
        let inconnus: Vec<&&str> = dits.difference(&connus).filter(|nom| !special(nom)).collect();
        ensure!(inconnus.is_empty(), "{}: the oracle ignores {inconnus:?}", genre.nom());
    }
    Ok(())
}
