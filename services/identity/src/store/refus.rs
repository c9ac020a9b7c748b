//! Refused lines.

use prost::Message;
use ror_chassis::{Resultat, page};
use ror_proto::identity::v1::LigneRefusee;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{couper, entier, lire_id};

/// Keeps refused lines, ranked from `premier`.
pub(crate) async fn garder(
    tx: &mut PgConnection,
    edition: Uuid,
    premier: u64,
    lignes: &[LigneRefusee],
) -> Resultat<()> {
    let (mut rangs, mut numeros, mut charges) = (vec![], vec![], vec![]);
    for (i, l) in lignes.iter().enumerate() {
        rangs.push(entier(premier + i as u64));
        numeros.push(entier(l.ligne));
        charges.push(l.encode_to_vec());
    }
    sqlx::query(
        "insert into ligne_refusee (edition_id, rang, ligne, charge)
         select $1, x.* from unnest($2::bigint[], $3::bigint[], $4::bytea[]) as x",
    )
    .bind(edition)
    .bind(rangs)
    .bind(numeros)
    .bind(charges)
    .execute(tx)
    .await?;
    Ok(())
}

/// Refused lines of an edition, in order.
pub(crate) async fn lister(
    pool: &PgPool,
    edition: &str,
    taille: i32,
    jeton: &str,
) -> Resultat<(Vec<LigneRefusee>, String)> {
    let id = lire_id("edition_id", edition)?;
    let taille = page::taille(taille)?;
    let apres: i64 = page::lire(jeton, &[edition])?.parse().unwrap_or(-1);
    let mut rangees: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "select rang, charge from ligne_refusee where edition_id = $1 and rang > $2 order by rang limit $3",
    )
    .bind(id)
    .bind(apres)
    .bind(taille + 1)
    .fetch_all(pool)
    .await?;
    let suite = couper(&mut rangees, taille, &[edition], |(rang, _)| rang.to_string());
    let lignes =
        rangees.iter().map(|(_, o)| Ok(LigneRefusee::decode(o.as_slice())?)).collect::<Resultat<_>>()?;
    Ok((lignes, suite))
}
