//! Records missing from the last whole editions of a format.

use ror_chassis::Resultat;
use sqlx::PgConnection;

/// An absence that lasts.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Absence {
    /// Technical id.
    pub id: String,
    /// Kind, as changes name it.
    pub genre: String,
    /// numFINESS or idNat_PS.
    pub cle: String,
    /// Key of the last edition it was missing from.
    pub edition: String,
    /// Editions in a row.
    pub nombre: i32,
    /// True once the record was closed for that.
    pub fermee: bool,
}

/// Every absence of a format.
pub(crate) async fn toutes(tx: &mut PgConnection, format: i32) -> Resultat<Vec<Absence>> {
    Ok(sqlx::query_as("select id, genre, cle, edition, nombre, fermee from absence where format = $1")
        .bind(format)
        .fetch_all(tx)
        .await?)
}

/// Notes absences, new or going on.
pub(crate) async fn poser(tx: &mut PgConnection, format: i32, absences: &[Absence]) -> Resultat<()> {
    let textes = |champ: fn(&Absence) -> &str| absences.iter().map(champ).collect::<Vec<&str>>();
    let nombres: Vec<i32> = absences.iter().map(|a| a.nombre).collect();
    let fermees: Vec<bool> = absences.iter().map(|a| a.fermee).collect();
    sqlx::query(
        "insert into absence (format, id, genre, cle, edition, nombre, fermee)
         select $1, x.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::boolean[]) as x
         on conflict (format, id) do update
             set edition = excluded.edition, nombre = excluded.nombre, fermee = excluded.fermee",
    )
    .bind(format)
    .bind(textes(|a| &a.id))
    .bind(textes(|a| &a.genre))
    .bind(textes(|a| &a.cle))
    .bind(textes(|a| &a.edition))
    .bind(nombres)
    .bind(fermees)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets absences of a format, the records being back.
pub(crate) async fn lever(tx: &mut PgConnection, format: i32, ids: &[String]) -> Resultat<()> {
    sqlx::query("delete from absence where format = $1 and id = any($2)")
        .bind(format)
        .bind(ids)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets the absences of records put back as they were, whatever the format.
pub(crate) async fn oublier(tx: &mut PgConnection, ids: &[String]) -> Resultat<()> {
    sqlx::query("delete from absence where id = any($1)").bind(ids).execute(tx).await?;
    Ok(())
}
