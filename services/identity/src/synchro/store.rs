//! What the synchronisation keeps, and the lock that makes one run a channel.

use std::time::Duration;

use ror_chassis::{Erreur, Resultat};
use ror_proto::identity::v1::{Format, StatutEdition};
use sqlx::{Connection, PgConnection, PgPool, Row};
use time::OffsetDateTime;

/// How often a run checks that it still holds its lock.
const PREUVE: Duration = Duration::from_secs(15);

/// What was last taken of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connu {
    /// Edition key.
    pub(crate) cle: String,
    /// What tells the file apart from another of the same key.
    pub(crate) signature: String,
    /// Instant up to which the source is known.
    pub(crate) reussie_le: OffsetDateTime,
}

/// What was last taken of a channel.
pub(crate) async fn connu(pool: &PgPool, canal: &str) -> Resultat<Option<Connu>> {
    let rangee = sqlx::query("select cle, signature, reussie_le from synchro where canal = $1")
        .bind(canal)
        .fetch_optional(pool)
        .await?;
    let Some(r) = rangee else {
        return Ok(None);
    };
    Ok(Some(Connu {
        cle: r.try_get("cle")?,
        signature: r.try_get("signature")?,
        reussie_le: r.try_get("reussie_le")?,
    }))
}

/// Notes what was taken of a channel.
pub(crate) async fn noter(
    c: &mut PgConnection,
    canal: &str,
    cle: &str,
    signature: &str,
    reussie_le: OffsetDateTime,
) -> Resultat<()> {
    sqlx::query(
        "insert into synchro (canal, cle, signature, reussie_le) values ($1, $2, $3, $4)
         on conflict (canal) do update
            set cle = excluded.cle, signature = excluded.signature, reussie_le = excluded.reussie_le",
    )
    .bind(canal)
    .bind(cle)
    .bind(signature)
    .bind(reussie_le)
    .execute(c)
    .await?;
    Ok(())
}

/// An edition that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appliquee {
    /// When its loading began.
    pub(crate) debut: OffsetDateTime,
    /// When it ended.
    pub(crate) fin: OffsetDateTime,
}

/// The last whole edition of a format that was applied. One whose bytes were already
/// applied does not count: it would hide a source that stopped publishing.
pub(crate) async fn derniere_appliquee(pool: &PgPool, format: Format) -> Resultat<Option<Appliquee>> {
    let rangee = sqlx::query(
        "select debut, fin from edition
         where format = $1 and statut = $2 and etendue = 0 and not interne and fin is not null
         order by debut desc limit 1",
    )
    .bind(format as i32)
    .bind(StatutEdition::Appliquee as i32)
    .fetch_optional(pool)
    .await?;
    let Some(r) = rangee else {
        return Ok(None);
    };
    Ok(Some(Appliquee { debut: r.try_get("debut")?, fin: r.try_get("fin")? }))
}

/// A channel held by this process. The lock is that of a session: it goes with the
/// process or the connection, so that no crash leaves it behind.
pub(super) struct Verrou(PgConnection);

/// Takes a channel; None while another process runs it.
pub(super) async fn verrouiller(pool: &PgPool, canal: &str) -> Resultat<Option<Verrou>> {
    let mut c = pool.acquire().await?.detach();
    let pris: bool =
        sqlx::query_scalar("select pg_try_advisory_lock(hashtext(current_schema()), hashtext($1))")
            .bind(format!("synchro/{canal}"))
            .fetch_one(&mut c)
            .await?;
    if pris {
        return Ok(Some(Verrou(c)));
    }
    let _ = c.close().await;
    Ok(None)
}

impl Verrou {
    /// Ends, with the reason, when the lock is lost.
    pub(super) async fn perdu(&mut self) -> Erreur {
        loop {
            tokio::time::sleep(PREUVE).await;
            let preuve = sqlx::query("select 1").execute(&mut self.0);
            match tokio::time::timeout(PREUVE, preuve).await {
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return e.into(),
                Err(_) => return Erreur::Delai("la base qui tient le verrou ne répond plus".into()),
            }
        }
    }

    /// Gives the channel back.
    pub(super) async fn liberer(self) {
        let _ = self.0.close().await;
    }
}
