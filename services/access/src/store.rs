//! SQL of what must not travel with the aggregates: fingerprints and signing keys.

use ror_chassis::Resultat;
use sqlx::{PgConnection, PgPool};

/// How long a withdrawn key still verifies: more than the life of a token.
const SURVIE_CLE: &str = "15 minutes";

/// A signing key as kept; it never prints.
pub struct CleGardee {
    /// Key id.
    pub kid: String,
    /// PKCS#8 PEM.
    pub pem: String,
    /// No longer signs.
    pub retiree: bool,
}

/// Fingerprint of a client's secret.
pub async fn empreinte(pool: &PgPool, client_id: &str) -> Resultat<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar::<_, Vec<u8>>("select empreinte from secret where client_id = $1")
        .bind(client_id)
        .fetch_optional(pool)
        .await?)
}

/// Keeps the fingerprint of a new client's secret.
pub async fn poser_empreinte(tx: &mut PgConnection, client_id: &str, empreinte: &[u8]) -> Resultat<()> {
    sqlx::query(
        "insert into secret (client_id, empreinte) values ($1, $2)
         on conflict (client_id) do update set empreinte = excluded.empreinte, cree_le = now()",
    )
    .bind(client_id)
    .bind(empreinte)
    .execute(tx)
    .await?;
    Ok(())
}

/// The keys that still verify, the one that signs first.
pub async fn cles(pool: &PgPool) -> Resultat<Vec<CleGardee>> {
    let lues: Vec<(String, String, bool)> = sqlx::query_as(
        "select kid, pem, retiree_le is not null from cle_signature
         where retiree_le is null or retiree_le > now() - $1::interval
         order by retiree_le is not null, cree_le desc, kid",
    )
    .bind(SURVIE_CLE)
    .fetch_all(pool)
    .await?;
    Ok(lues.into_iter().map(|(kid, pem, retiree)| CleGardee { kid, pem, retiree }).collect())
}

/// Makes the first key when none signs; two replicas that start together make one.
pub async fn assurer_cle(pool: &PgPool, fabriquer: fn() -> Resultat<CleGardee>) -> Resultat<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('cle_signature'))")
        .execute(&mut *tx)
        .await?;
    let presente: bool =
        sqlx::query_scalar("select exists (select 1 from cle_signature where retiree_le is null)")
            .fetch_one(&mut *tx)
            .await?;
    if !presente {
        let cle = fabriquer()?;
        sqlx::query("insert into cle_signature (kid, pem) values ($1, $2)")
            .bind(&cle.kid)
            .bind(&cle.pem)
            .execute(&mut *tx)
            .await?;
        tracing::info!(kid = cle.kid, "signing key created");
    }
    tx.commit().await?;
    Ok(())
}
