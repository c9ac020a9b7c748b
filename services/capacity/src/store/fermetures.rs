//! Offers as the closure of places needs them, and the places that are closed.

use std::collections::{BTreeMap, HashSet};

use ror_chassis::Resultat;
use sqlx::PgConnection;

use crate::domaine::fermeture::{Fermeture, Offre};

/// Name of the follower: who holds its lock decides of places.
pub(crate) const SUIVEUR: &str = "capacity-fermetures";

/// An offer received.
pub(crate) struct Recue {
    pub id: String,
    pub version: u64,
    pub fermeture: Offre,
    /// Places it uses; none when it is withdrawn.
    pub lieux: Vec<String>,
}

/// One at a time decides of places: the follower of every replica, and first writes.
pub(crate) async fn verrouiller(tx: &mut PgConnection) -> Resultat<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext(current_schema()), hashtext($1))")
        .bind(SUIVEUR)
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps offers, each once; couples of an offer that changed and a place it uses, or used.
pub(crate) async fn garder(tx: &mut PgConnection, offres: &[Recue]) -> Resultat<Vec<(String, String)>> {
    let champs = |lire: fn(&Recue) -> &str| offres.iter().map(lire).collect::<Vec<_>>();
    let avancees: Vec<String> = sqlx::query_scalar(
        "insert into offre (id, version, type_fermeture, date_fermeture)
         select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
         on conflict (id) do update
            set version = excluded.version, type_fermeture = excluded.type_fermeture,
                date_fermeture = excluded.date_fermeture
            where offre.version < excluded.version
         returning id",
    )
    .bind(champs(|o| &o.id))
    .bind(offres.iter().map(|o| i64::try_from(o.version).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .bind(champs(|o| &o.fermeture.type_fermeture))
    .bind(champs(|o| &o.fermeture.date))
    .fetch_all(&mut *tx)
    .await?;
    if avancees.is_empty() {
        return Ok(Vec::new());
    }
    let mut couples: Vec<(String, String)> =
        sqlx::query_as("delete from offre_lieu where offre_id = any($1) returning offre_id, lieu_id")
            .bind(&avancees)
            .fetch_all(&mut *tx)
            .await?;
    let avancees: HashSet<String> = avancees.into_iter().collect();
    let (mut de, mut vers) = (Vec::new(), Vec::new());
    for o in offres.iter().filter(|o| avancees.contains(&o.id)) {
        for lieu in &o.lieux {
            de.push(o.id.clone());
            vers.push(lieu.clone());
        }
    }
    sqlx::query(
        "insert into offre_lieu (offre_id, lieu_id) select * from unnest($1::text[], $2::text[])
         on conflict (offre_id, lieu_id) do nothing",
    )
    .bind(&de)
    .bind(&vers)
    .execute(&mut *tx)
    .await?;
    couples.extend(de.into_iter().zip(vers));
    Ok(couples)
}

/// Closures of the offers that use these places, by place.
pub(crate) async fn offres(
    tx: &mut PgConnection,
    lieux: &[String],
) -> Resultat<BTreeMap<String, Vec<Offre>>> {
    let lues: Vec<(String, String, String)> = sqlx::query_as(
        "select l.lieu_id, o.type_fermeture, o.date_fermeture
         from offre_lieu l join offre o on o.id = l.offre_id where l.lieu_id = any($1)",
    )
    .bind(lieux)
    .fetch_all(tx)
    .await?;
    let mut par_lieu: BTreeMap<String, Vec<Offre>> = BTreeMap::new();
    for (lieu, type_fermeture, date) in lues {
        par_lieu.entry(lieu).or_default().push(Offre { type_fermeture, date });
    }
    Ok(par_lieu)
}

/// The closed ones among these places.
pub(crate) async fn fermes(tx: &mut PgConnection, lieux: &[String]) -> Resultat<BTreeMap<String, Fermeture>> {
    let lus: Vec<(String, String, String)> = sqlx::query_as(
        "select lieu_id, type_fermeture, date_fermeture from lieu_ferme where lieu_id = any($1)",
    )
    .bind(lieux)
    .fetch_all(tx)
    .await?;
    Ok(lus.into_iter().map(|(id, type_fermeture, date)| (id, Fermeture { type_fermeture, date })).collect())
}

/// Keeps what was decided of places: closed, or open again.
pub(crate) async fn decider(
    tx: &mut PgConnection,
    decides: &BTreeMap<String, Option<Fermeture>>,
) -> Resultat<()> {
    let lieux: Vec<&str> = decides.keys().map(String::as_str).collect();
    sqlx::query("delete from lieu_ferme where lieu_id = any($1)").bind(&lieux).execute(&mut *tx).await?;
    let fermes: Vec<(&str, &Fermeture)> =
        decides.iter().filter_map(|(id, f)| Some((id.as_str(), f.as_ref()?))).collect();
    sqlx::query(
        "insert into lieu_ferme (lieu_id, type_fermeture, date_fermeture)
         select * from unnest($1::text[], $2::text[], $3::text[])",
    )
    .bind(fermes.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(fermes.iter().map(|(_, f)| f.type_fermeture.as_str()).collect::<Vec<_>>())
    .bind(fermes.iter().map(|(_, f)| f.date.as_str()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Places of the offers whose closure, announced, begins between two ISO days.
pub(crate) async fn echeances(tx: &mut PgConnection, de: &str, a: &str) -> Resultat<Vec<String>> {
    Ok(sqlx::query_scalar(
        "select distinct l.lieu_id from offre o join offre_lieu l on l.offre_id = o.id
         where o.type_fermeture <> '' and o.date_fermeture between $1 and $2 order by l.lieu_id",
    )
    .bind(de)
    .bind(a)
    .fetch_all(tx)
    .await?)
}
