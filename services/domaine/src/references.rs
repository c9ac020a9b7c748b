//! Which resources of other areas exist: a local table kept by events, so that a
//! reference is checked without a call; an id not yet known there is asked once
//! of its owner, so that a reference never fails only because an event is late.

use std::{collections::HashMap, future::Future};

use ror_chassis::{Resultat, suivi::Effet};
use ror_proto::common::v1::Evenement;
use sqlx::{PgConnection, PgPool};

/// Kind and region by id.
pub type Connues = HashMap<String, (String, String)>;

/// Reads the known ones among these ids.
pub async fn lire(pool: &PgPool, ids: &[String]) -> Resultat<Connues> {
    let lignes: Vec<(String, String, String)> =
        sqlx::query_as("select id, genre, region from reference where id = any($1) and not retire")
            .bind(ids)
            .fetch_all(pool)
            .await?;
    Ok(lignes.into_iter().map(|(id, g, r)| (id, (g, r))).collect())
}

/// Reads the known ones, then asks `demander` for the rest.
pub async fn resoudre<F, Fut>(pool: &PgPool, mut ids: Vec<String>, demander: F) -> Resultat<Connues>
where
    F: FnOnce(Vec<String>) -> Fut,
    Fut: Future<Output = Resultat<Connues>>,
{
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|i| !i.is_empty());
    if ids.is_empty() {
        return Ok(Connues::new());
    }
    let mut connues = lire(pool, &ids).await?;
    ids.retain(|i| !connues.contains_key(i));
    if !ids.is_empty() {
        connues.extend(demander(ids).await?);
    }
    Ok(connues)
}

/// Keeps the table from the events of one service.
pub struct Suivies {
    nom: &'static str,
}

impl Suivies {
    /// Follows under this name.
    pub fn nouveau(nom: &'static str) -> Self {
        Self { nom }
    }
}

impl Effet for Suivies {
    fn nom(&self) -> &'static str {
        self.nom
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        // The last version of each id in the batch: one row may not be touched twice by one statement.
        let mut derniers: HashMap<&str, &Evenement> = HashMap::new();
        for e in lot {
            let d = derniers.entry(&e.agregat_id).or_insert(e);
            if e.version > d.version {
                *d = e;
            }
        }
        let (mut ids, mut genres, mut regions, mut versions, mut retires) =
            (vec![], vec![], vec![], vec![], vec![]);
        for e in derniers.values() {
            ids.push(e.agregat_id.as_str());
            genres.push(e.genre.as_str());
            regions.push(e.region.as_str());
            versions.push(i64::try_from(e.version).unwrap_or(i64::MAX));
            retires.push(e.retire);
        }
        sqlx::query(
            "insert into reference (id, genre, region, version, retire)
             select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[])
             on conflict (id) do update
                set genre = excluded.genre, region = excluded.region, version = excluded.version, retire = excluded.retire
                where reference.version < excluded.version",
        )
        .bind(&ids)
        .bind(&genres)
        .bind(&regions)
        .bind(&versions)
        .bind(&retires)
        .execute(tx)
        .await?;
        Ok(())
    }
}
