//! Structures as offers need them, and what refers to them.

use std::collections::HashMap;

use prost::Message;
use ror_chassis::Resultat;
use ror_domaine::liaisons::TRE_FERMETURE;
use ror_proto::{
    common::v1::Code,
    offers::v1::{FermetureSite, Offer},
};
use sqlx::{PgConnection, PgPool, Row};

use super::version;
use crate::{
    consequences::DEF,
    domaine::{LIEN_STRUCTURE, Sites, identifiants},
};

/// What offers need of a structure.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub id: String,
    pub version: u64,
    pub genre: String,
    /// What it hangs on; empty for none.
    pub parent: String,
    /// Empty when open.
    pub type_fermeture: String,
    pub date_fermeture: String,
}

/// Something that refers to a structure or a professional.
pub(crate) struct Rattachee {
    pub id: String,
    pub genre: String,
    pub region: String,
    /// What it refers to.
    pub a: String,
}

/// The known ones among these structures, by id.
pub(crate) async fn lire(tx: &mut PgConnection, ids: &[String]) -> Resultat<HashMap<String, Structure>> {
    let rangees = sqlx::query(
        "select id, version, genre, parent_id, type_fermeture, date_fermeture from structure where id = any($1)",
    )
    .bind(ids)
    .fetch_all(tx)
    .await?;
    rangees
        .iter()
        .map(|r| {
            let s = Structure {
                id: r.try_get("id")?,
                version: u64::try_from(r.try_get::<i64, _>("version")?).unwrap_or(0),
                genre: r.try_get("genre")?,
                parent: r.try_get("parent_id")?,
                type_fermeture: r.try_get("type_fermeture")?,
                date_fermeture: r.try_get("date_fermeture")?,
            };
            Ok((s.id.clone(), s))
        })
        .collect()
}

/// Keeps structures, each once.
pub(crate) async fn garder(tx: &mut PgConnection, structures: &[&Structure]) -> Resultat<()> {
    let champs = |lire: fn(&Structure) -> &str| structures.iter().map(|s| lire(s)).collect::<Vec<_>>();
    sqlx::query(
        "insert into structure (id, version, genre, parent_id, type_fermeture, date_fermeture)
         select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
         on conflict (id) do update
            set version = excluded.version, genre = excluded.genre, parent_id = excluded.parent_id,
                type_fermeture = excluded.type_fermeture, date_fermeture = excluded.date_fermeture
            where structure.version < excluded.version",
    )
    .bind(champs(|s| &s.id))
    .bind(structures.iter().map(|s| version(s.version)).collect::<Vec<_>>())
    .bind(champs(|s| &s.genre))
    .bind(champs(|s| &s.parent))
    .bind(champs(|s| &s.type_fermeture))
    .bind(champs(|s| &s.date_fermeture))
    .execute(tx)
    .await?;
    Ok(())
}

/// Internal organisations of these sites: id of the organisation, id of its site.
pub(crate) async fn organisations(
    tx: &mut PgConnection,
    sites: &[String],
) -> Resultat<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "select id, parent_id from structure where parent_id = any($1) and genre = 'organisation_interne'",
    )
    .bind(sites)
    .fetch_all(tx)
    .await?)
}

/// Closure in force for the offers these structures carry: theirs, or that of their site.
pub(crate) async fn fermetures(tx: &mut PgConnection, porteurs: &[String]) -> Resultat<Sites> {
    let mut lues: Vec<(String, String, String, String)> = sqlx::query_as(
        "select s.id, s.id, s.type_fermeture, s.date_fermeture from structure s
         where s.id = any($1) and s.type_fermeture <> ''
         union all
         select s.id, f.id, f.type_fermeture, f.date_fermeture
         from structure s join structure f on f.id = s.parent_id
         where s.id = any($1) and s.genre = 'organisation_interne' and f.type_fermeture <> ''",
    )
    .bind(porteurs)
    .fetch_all(tx)
    .await?;
    let mut sites = Sites::new();
    // The closure of the site wins, but what is closed for good below it stays so.
    lues.sort_by_key(|(porteur, structure, ..)| porteur != structure);
    for (porteur, structure_id, code, date) in lues {
        let definitive = |f: &FermetureSite| f.r#type.as_ref().is_some_and(|t| t.code == DEF);
        if !sites.get(&porteur).is_some_and(definitive) {
            let r#type = Some(Code { systeme: TRE_FERMETURE.to_owned(), code });
            sites.insert(porteur, FermetureSite { structure_id, r#type, date });
        }
    }
    Ok(sites)
}

/// What refers to these structures or professionals, each once a reference. A link is never unique.
pub(crate) async fn rattachees(
    tx: &mut PgConnection,
    lien: &str,
    cibles: &[String],
) -> Resultat<Vec<Rattachee>> {
    let lues: Vec<(String, String, String, String)> = sqlx::query_as(
        "select a.id, a.genre, a.region, i.valeur from identifiant i join agregat a on a.id = i.id
         where i.systeme = $1 and i.valeur = any($2) and not i.unique_ and not a.retire order by a.id",
    )
    .bind(lien)
    .bind(cibles)
    .fetch_all(tx)
    .await?;
    Ok(lues.into_iter().map(|(id, genre, region, a)| Rattachee { id, genre, region, a }).collect())
}

/// Keeps what resources hang on that were written before that was kept. Once: then
/// every write does, and there is something to find.
pub(crate) async fn completer_liens(pool: &PgPool) -> Resultat<()> {
    let mut tx = pool.begin().await?;
    let complets: bool = sqlx::query_scalar("select exists (select 1 from identifiant where systeme = $1)")
        .bind(LIEN_STRUCTURE)
        .fetch_one(&mut *tx)
        .await?;
    if complets {
        return Ok(());
    }
    let mut apres = String::new();
    loop {
        let rangees: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "select id, etat from agregat where id > $1 and not retire order by id limit 1000",
        )
        .bind(&apres)
        .fetch_all(&mut *tx)
        .await?;
        let Some((derniere, _)) = rangees.last() else { break };
        apres.clone_from(derniere);
        let (mut ids, mut systemes, mut valeurs) = (vec![], vec![], vec![]);
        for (id, etat) in rangees {
            let Ok(offre) = Offer::decode(etat.as_slice()) else { continue };
            for i in identifiants(&offre).into_iter().filter(|i| !i.unique) {
                ids.push(id.clone());
                systemes.push(i.systeme);
                valeurs.push(i.valeur);
            }
        }
        sqlx::query(
            "insert into identifiant (id, systeme, valeur, unique_)
             select x.*, false from unnest($1::text[], $2::text[], $3::text[]) as x
             on conflict (id, systeme, valeur) do nothing",
        )
        .bind(&ids)
        .bind(&systemes)
        .bind(&valeurs)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
