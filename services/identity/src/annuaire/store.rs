//! The window under way, its pages, and where the next one begins.

use std::time::Duration;

use bytes::Bytes;
use ror_chassis::{Erreur, Resultat, conversion::maintenant};
use ror_proto::identity::v1::Format;
use sqlx::{PgPool, Row};
use time::Date;
use tokio::sync::mpsc;

use super::{Memoire, Position};
use crate::synchro::store as synchro;

/// Name of the channel in the tables.
pub(crate) const CANAL: &str = "annuaire";
/// Longest wait for one page of the database.
const DELAI: Duration = Duration::from_secs(60);

/// Windows in the database.
#[derive(Clone)]
pub(crate) struct Base(PgPool);

impl Base {
    /// Over the schema of the service.
    pub(crate) fn nouvelle(pool: PgPool) -> Self {
        Self(pool)
    }

    /// First day to ask: from the last window, else from the complete editions.
    pub(crate) async fn depuis(&self) -> Resultat<Date> {
        let delta = synchro::connu(&self.0, CANAL).await?.map(|c| c.reussie_le);
        let mut completes = Vec::new();
        for format in [Format::FinessStructures, Format::RppsPersonneActivite] {
            completes.extend(synchro::derniere_appliquee(&self.0, format).await?.map(|e| e.debut));
        }
        let reperes = delta.into_iter().chain(completes.into_iter().min());
        let mut refus = Erreur::faute(
            "sync.annuaire",
            "edition-complete-absente",
            "Aucune édition complète n'est chargée : un delta n'a rien à compléter.",
            "une édition complète FINESS ou RPPS, chargée d'abord",
        );
        for repere in reperes {
            match super::depuis(repere, maintenant()) {
                Ok(jour) => return Ok(jour),
                Err(e) => refus = e,
            }
        }
        Err(refus)
    }

    /// Sends the pages of the window, in order.
    pub(crate) async fn transmettre(&self, octets: mpsc::Sender<Bytes>) -> Resultat<()> {
        let mut rang = 0_i64;
        loop {
            let lecture = sqlx::query(
                "select rang, charge from synchro_page where canal = $1 and rang > $2 order by rang limit 1",
            )
            .bind(CANAL)
            .bind(rang)
            .fetch_optional(&self.0);
            let page = tokio::time::timeout(DELAI, lecture)
                .await
                .map_err(|_| Erreur::Delai("lecture d'une page gardée".into()))??;
            let Some(page) = page else {
                return Ok(());
            };
            rang = page.try_get("rang")?;
            let charge: Vec<u8> = page.try_get("charge")?;
            if octets.send(Bytes::from(charge)).await.is_err() {
                return Ok(());
            }
        }
    }

    /// The window is loaded: its pages go, the next one begins where it began.
    pub(crate) async fn clore(&self, position: &Position) -> Resultat<()> {
        let mut tx = self.0.begin().await?;
        sqlx::query("delete from synchro_fenetre where canal = $1").bind(CANAL).execute(&mut *tx).await?;
        synchro::noter(&mut tx, CANAL, &position.depuis.to_string(), "", position.debut).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Memoire for Base {
    async fn position(&self) -> Resultat<Option<Position>> {
        let rangee =
            sqlx::query("select depuis, debut, etape, lien, pages from synchro_fenetre where canal = $1")
                .bind(CANAL)
                .fetch_optional(&self.0)
                .await?;
        let Some(r) = rangee else {
            return Ok(None);
        };
        Ok(Some(Position {
            depuis: r.try_get("depuis")?,
            debut: r.try_get("debut")?,
            etape: usize::try_from(r.try_get::<i32, _>("etape")?).unwrap_or(0),
            lien: r.try_get("lien")?,
            pages: r.try_get("pages")?,
        }))
    }

    async fn ouvrir(&self, position: &Position) -> Resultat<()> {
        let mut tx = self.0.begin().await?;
        sqlx::query("delete from synchro_fenetre where canal = $1").bind(CANAL).execute(&mut *tx).await?;
        sqlx::query(
            "insert into synchro_fenetre (canal, depuis, debut, etape, lien, pages)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(CANAL)
        .bind(position.depuis)
        .bind(position.debut)
        .bind(etape(position))
        .bind(&position.lien)
        .bind(position.pages)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn garder(&self, position: &Position, page: Option<&[u8]>) -> Resultat<()> {
        let mut tx = self.0.begin().await?;
        sqlx::query("update synchro_fenetre set etape = $2, lien = $3, pages = $4 where canal = $1")
            .bind(CANAL)
            .bind(etape(position))
            .bind(&position.lien)
            .bind(position.pages)
            .execute(&mut *tx)
            .await?;
        if let Some(page) = page {
            sqlx::query("insert into synchro_page (canal, rang, charge) values ($1, $2, $3)")
                .bind(CANAL)
                .bind(position.pages)
                .bind(page)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn etape(position: &Position) -> i32 {
    i32::try_from(position.etape).unwrap_or(i32::MAX)
}
