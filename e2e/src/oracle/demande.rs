//! Asking the façade: a whole answer, and the whole directory, at one moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{
    generateur::CANONIQUES,
    index::{Contexte, Index},
    parametres::Genre,
    proximite,
    requete::{PAGE, Requete},
    valeurs::systeme,
};
use crate::{
    client::{Client, lien},
    fhir::{tableau, texte},
};

/// Header that tells the moment an answer was computed at.
const MOMENT: &str = "ror-moment";
/// More pages than any answer has.
const PAGES_MAX: usize = 2000;
/// Codes of a page of an expansion.
const CODES: usize = 1000;

/// What came back.
pub enum Reponse {
    /// Every page, all of one moment.
    Pages { moment: u64, pages: Vec<Value> },
    /// The moment is no longer kept.
    Perime,
    /// No answer to a query that has one.
    Refus(String),
}

/// Walks an answer to its end.
pub async fn marcher(client: &Client, genre: &str, parametres: &[(String, String)]) -> Result<Reponse> {
    let empruntes: Vec<(&str, &str)> = parametres.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut reponse = client.chercher(genre, &empruntes).await?;
    let (mut connu, mut pages) = (None, Vec::new());
    loop {
        match reponse.statut {
            200 => {}
            410 => return Ok(Reponse::Perime),
            autre => {
                let debut: String = reponse.texte.chars().take(600).collect();
                return Ok(Reponse::Refus(format!("status {autre}: {debut}")));
            }
        }
        let dit = reponse.entete(MOMENT).with_context(|| format!("{genre}: no {MOMENT} header"))?;
        let moment: u64 = dit.parse().with_context(|| format!("{MOMENT}: {dit:?}"))?;
        if connu.is_some_and(|connu| connu != moment) {
            return Ok(Reponse::Refus(format!("page {}: moment {moment} after {connu:?}", pages.len())));
        }
        connu = Some(moment);
        let suivante = lien(&reponse.corps, "next").map(str::to_owned);
        pages.push(reponse.corps);
        let Some(url) = suivante else { return Ok(Reponse::Pages { moment, pages }) };
        if pages.len() >= PAGES_MAX {
            return Ok(Reponse::Refus(format!("more than {PAGES_MAX} pages")));
        }
        reponse = client.suivre(&url).await?;
    }
}

/// Asks a query, at a moment or at the present one; answers tell little more than ids.
pub async fn demander(client: &Client, requete: &Requete, moment: Option<u64>) -> Result<Reponse> {
    let mut parametres = requete.parametres();
    if !requete.compte {
        if requete.coupe.is_none() {
            parametres.push(("_elements".to_owned(), "id".to_owned()));
        }
        if requete.nombre.is_none() {
            parametres.push(("_count".to_owned(), PAGE.to_string()));
        }
    }
    parametres.extend(moment.map(|m| ("_moment".to_owned(), m.to_string())));
    marcher(client, requete.genre.nom(), &parametres).await
}

/// All that a caller reads at a moment, the present one when none is given; nothing when that moment
/// lapses meanwhile.
pub async fn exporter(
    client: &Client,
    contexte: &Arc<Contexte>,
    moment: Option<u64>,
) -> Result<Option<Index>> {
    let moment = match moment {
        Some(moment) => moment,
        None => {
            let mut une = Requete::nouvelle(Genre::Organization);
            une.compte = true;
            match demander(client, &une, None).await? {
                Reponse::Pages { moment, .. } => moment,
                Reponse::Perime => return Ok(None),
                Reponse::Refus(refus) => bail!("{}: Organization?_summary=count: {refus}", client.nom),
            }
        }
    };
    let mut ressources: Vec<Value> = Vec::new();
    for genre in Genre::TOUS {
        let parametres =
            [("_count".to_owned(), PAGE.to_string()), ("_moment".to_owned(), moment.to_string())];
        let pages = match marcher(client, genre.nom(), &parametres).await? {
            Reponse::Pages { moment: dit, pages } => {
                ensure!(dit == moment, "{}: moment {dit} instead of {moment}", client.nom);
                pages
            }
            Reponse::Perime => return Ok(None),
            Reponse::Refus(refus) => bail!("{}: {}?_moment={moment}: {refus}", client.nom, genre.nom()),
        };
        let (avant, total) = (ressources.len(), pages.first().and_then(|p| p["total"].as_u64()));
        for mut page in pages {
            let Some(entrees) = page.get_mut("entry").and_then(Value::as_array_mut) else { continue };
            ressources.extend(entrees.iter_mut().map(|e| e["resource"].take()));
        }
        let lues = (ressources.len() - avant) as u64;
        ensure!(total == Some(lues), "{}: {lues} {} for a total of {total:?}", client.nom, genre.nom());
    }
    let index = Index::lire(contexte, moment, &ressources);
    for genre in Genre::TOUS {
        let table = index.table(genre);
        ensure!(table.rangs.len() == table.lignes.len(), "{}: a {} twice", client.nom, genre.nom());
    }
    Ok(Some(index))
}

/// The value sets as the façade expands them, and the communes of the project's own table.
pub async fn contexte(client: &Client) -> Result<Contexte> {
    let mut jeux = BTreeMap::new();
    for nom in CANONIQUES {
        let url = format!("https://mos.esante.gouv.fr/NOS/JDV_{nom}/FHIR/JDV-{nom}");
        if let Some(codes) = deplier(client, &url).await? {
            jeux.insert(url, codes);
        }
    }
    ensure!(!jeux.is_empty(), "no value set can be expanded");
    let fichier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/data/communes.tsv");
    Ok(Contexte { jeux, communes: proximite::communes(&fichier) })
}

async fn deplier(client: &Client, url: &str) -> Result<Option<BTreeSet<(String, String)>>> {
    let mut codes = BTreeSet::new();
    let (compte, mut debut) = (CODES.to_string(), 0);
    loop {
        let depuis = debut.to_string();
        let parametres = [("url", url), ("count", compte.as_str()), ("offset", depuis.as_str())];
        let reponse = client.chercher("ValueSet/$expand", &parametres).await?;
        if reponse.statut != 200 {
            return Ok(None);
        }
        let contient = tableau(&reponse.corps["expansion"], "contains");
        codes.extend(contient.iter().map(|c| (systeme(texte(c, "/system")), texte(c, "/code").to_owned())));
        debut += contient.len();
        if contient.len() < CODES {
            return Ok(Some(codes));
        }
    }
}
