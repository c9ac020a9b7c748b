//! Editions and refused lines.

use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, maintenant},
    page,
};
use ror_proto::identity::v1::{Edition, LigneRefusee, RapportEdition};
use sqlx::{PgPool, Row};
use uuid::Uuid;

/// Opens an edition.
pub async fn ouvrir(pool: &PgPool, format: i32, nom: &str) -> Resultat<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query("insert into edition (id, format, nom, sha256, debut) values ($1, $2, $3, '', $4)")
        .bind(id)
        .bind(format)
        .bind(nom)
        .bind(maintenant())
        .execute(pool)
        .await?;
    Ok(id)
}

/// Closes an edition with its report.
pub async fn fermer(pool: &PgPool, id: Uuid, rapport: &RapportEdition) -> Resultat<()> {
    sqlx::query("update edition set fin = $2, sha256 = $3, rapport = $4 where id = $1")
        .bind(id)
        .bind(maintenant())
        .bind(&rapport.sha256)
        .bind(rapport.encode_to_vec())
        .execute(pool)
        .await?;
    Ok(())
}

/// Keeps refused lines.
pub async fn garder_refus(
    pool: &PgPool,
    edition: Uuid,
    premier: u64,
    lignes: &[LigneRefusee],
) -> Resultat<()> {
    let (mut rangs, mut numeros, mut charges) = (vec![], vec![], vec![]);
    for (i, l) in lignes.iter().enumerate() {
        rangs.push(i64::try_from(premier + i as u64).unwrap_or(i64::MAX));
        numeros.push(i64::try_from(l.ligne).unwrap_or(i64::MAX));
        charges.push(l.encode_to_vec());
    }
    sqlx::query(
        "insert into ligne_refusee (edition_id, rang, ligne, charge)
         select $1, x.* from unnest($2::bigint[], $3::bigint[], $4::bytea[]) as x on conflict do nothing",
    )
    .bind(edition)
    .bind(rangs)
    .bind(numeros)
    .bind(charges)
    .execute(pool)
    .await?;
    Ok(())
}

/// Editions, newest first.
pub async fn editions(pool: &PgPool, limite: i32) -> Resultat<Vec<Edition>> {
    let limite = if limite <= 0 { 20 } else { limite.min(100) };
    let rangees = sqlx::query(
        "select id, format, nom, sha256, debut, fin, rapport from edition order by debut desc limit $1",
    )
    .bind(i64::from(limite))
    .fetch_all(pool)
    .await?;
    rangees
        .iter()
        .map(|r| {
            let rapport: Option<Vec<u8>> = r.try_get("rapport")?;
            Ok(Edition {
                id: r.try_get::<Uuid, _>("id")?.to_string(),
                format: r.try_get("format")?,
                nom: r.try_get("nom")?,
                sha256: r.try_get("sha256")?,
                debut: Some(horodatage(r.try_get("debut")?)),
                fin: r.try_get::<Option<_>, _>("fin")?.map(horodatage),
                rapport: rapport.map(|o| RapportEdition::decode(o.as_slice())).transpose()?,
            })
        })
        .collect()
}

/// Refused lines of an edition, in order.
pub async fn refus(
    pool: &PgPool,
    edition: &str,
    taille: i32,
    jeton: &str,
) -> Resultat<(Vec<LigneRefusee>, String)> {
    let id = Uuid::parse_str(edition).map_err(|_| {
        Erreur::faute("edition_id", "valeur", "L'identifiant d'édition est illisible.", "celui d'un rapport")
    })?;
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
    let mut suite = String::new();
    if rangees.len() as i64 > taille {
        rangees.truncate(usize::try_from(taille).unwrap_or(0));
        if let Some((rang, _)) = rangees.last() {
            suite = page::jeton(&rang.to_string(), &[edition]);
        }
    }
    let lignes =
        rangees.iter().map(|(_, o)| Ok(LigneRefusee::decode(o.as_slice())?)).collect::<Resultat<_>>()?;
    Ok((lignes, suite))
}
