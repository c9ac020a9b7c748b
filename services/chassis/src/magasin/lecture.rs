//! Reading the store: by id, by page, by history, and the snapshot that followers start from.

use std::collections::HashMap;

use bytes::Bytes;
use futures::TryStreamExt;
use prost::Message;
use ror_proto::common::v1::{Instantane, PaquetRefuse, Provenance, Repere, VersionHistorique, instantane};
use sqlx::Row;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use uuid::Uuid;

use super::{LOT_MAX, Ligne, Magasin, evenement, ligne_lue, naturel};
use crate::{
    Erreur, Resultat,
    conversion::{horodatage, instant},
    nats,
};

impl Magasin {
    /// One aggregate, withdrawn ones excepted.
    pub async fn lire(&self, id: &str) -> Resultat<Ligne> {
        self.lire_lot(&[id.to_owned()])
            .await?
            .pop()
            .ok_or_else(|| Erreur::Introuvable(format!("ressource {id} inconnue")))
    }

    /// The known ones among at most 500 ids, in the order asked.
    pub async fn lire_lot(&self, ids: &[String]) -> Resultat<Vec<Ligne>> {
        if ids.len() > LOT_MAX {
            return Err(Erreur::faute(
                "ids",
                "taille-du-lot",
                format!("{} identifiants demandés.", ids.len()),
                "500 au plus",
            ));
        }
        let rangees = sqlx::query(
            "select genre, id, region, version, etat, retire, cree_le, maj_le from agregat where id = any($1) and not retire",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        let mut par_id = rangees
            .iter()
            .map(|r| ligne_lue(r).map(|l| (l.id.clone(), l)))
            .collect::<Resultat<HashMap<_, _>>>()?;
        Ok(ids.iter().filter_map(|id| par_id.remove(id)).collect())
    }

    /// A keyset page ordered by id; the token of the next page is empty at the end.
    pub async fn lister(
        &self,
        genre: &str,
        region: &str,
        identifiant: &str,
        page_size: i32,
        page_token: &str,
    ) -> Resultat<(Vec<Ligne>, String)> {
        let filtre = [genre, region, identifiant];
        let taille = crate::page::taille(page_size)?;
        let apres = crate::page::lire(page_token, &filtre)?;
        // Who has an identifier is found by it: asked of every row, as a part of one condition, all would be read.
        let porteurs = match identifiant {
            "" => "$4 = ''",
            _ => {
                "id in (select i.id from identifiant i where i.valeur = $4 and i.unique_
                        union all select i.id from identifiant i where i.valeur = $4 and not i.unique_)"
            }
        };
        let rangees = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select genre, id, region, version, etat, retire, cree_le, maj_le from agregat a
             where not retire and id > $1 and ($2 = '' or genre = $2) and ($3 = '' or region = $3) and {porteurs}
             order by id limit $5"
        )))
        .bind(apres)
        .bind(genre)
        .bind(region)
        .bind(identifiant)
        .bind(taille + 1)
        .fetch_all(&self.pool)
        .await?;
        let mut lignes = rangees.iter().map(ligne_lue).collect::<Resultat<Vec<_>>>()?;
        let mut jeton = String::new();
        if lignes.len() as i64 > taille {
            lignes.truncate(taille as usize);
            if let Some(d) = lignes.last() {
                jeton = crate::page::jeton(&d.id, &filtre);
            }
        }
        Ok((lignes, jeton))
    }

    /// Past versions, newest first.
    pub async fn historique(&self, id: &str, limite: i32) -> Resultat<Vec<VersionHistorique>> {
        let limite = crate::page::taille(limite)?;
        let rangees = sqlx::query(
            "select version, etat, retire, provenance, maj_le from agregat_historique
             where id = $1 order by version desc limit $2",
        )
        .bind(id)
        .bind(limite)
        .fetch_all(&self.pool)
        .await?;
        rangees
            .iter()
            .map(|r| {
                Ok(VersionHistorique {
                    version: naturel(r.try_get("version")?),
                    date: Some(horodatage(r.try_get("maj_le")?)),
                    provenance: Some(Provenance::decode(r.try_get::<&[u8], _>("provenance")?)?),
                    etat: Bytes::copy_from_slice(r.try_get("etat")?),
                    retire: r.try_get("retire")?,
                })
            })
            .collect()
    }

    /// Writes refused by the lease, newest first.
    pub async fn refus(
        &self,
        region: &str,
        limite: i32,
        avant: Option<&prost_types::Timestamp>,
    ) -> Resultat<Vec<PaquetRefuse>> {
        let limite = crate::page::taille(limite)?;
        let rangees = sqlx::query(
            "select id, recu_le, provenance, genre, agregat_id, etat, motif from paquet_refuse
             where ($1 = '' or region = $1) and ($2::timestamptz is null or recu_le < $2)
             order by recu_le desc, id desc limit $3",
        )
        .bind(region)
        .bind(avant.and_then(instant))
        .bind(limite)
        .fetch_all(&self.pool)
        .await?;
        rangees
            .iter()
            .map(|r| {
                Ok(PaquetRefuse {
                    id: r.try_get::<Uuid, _>("id")?.to_string(),
                    date: Some(horodatage(r.try_get("recu_le")?)),
                    provenance: Some(Provenance::decode(r.try_get::<&[u8], _>("provenance")?)?),
                    genre: r.try_get("genre")?,
                    agregat_id: r.try_get("agregat_id")?,
                    etat: Bytes::copy_from_slice(r.try_get("etat")?),
                    motif: r.try_get("motif")?,
                })
            })
            .collect()
    }

    /// Aggregates of one kind, or all, not withdrawn.
    pub async fn compter(&self, genre: &str) -> Resultat<u64> {
        let n: i64 =
            sqlx::query_scalar("select count(*) from agregat where not retire and ($1 = '' or genre = $1)")
                .bind(genre)
                .fetch_one(&self.pool)
                .await?;
        Ok(naturel(n))
    }

    /// Watermark first, then every aggregate of one moment. The watermark is read
    /// before the moment is fixed: every event up to it is in the snapshot.
    pub fn instantane(&self, genre: String) -> ReceiverStream<Result<Instantane, Status>> {
        let (envoi, reception) = mpsc::channel(512);
        let magasin = self.clone();
        tokio::spawn(async move {
            if let Err(e) = magasin.emettre_instantane(&genre, &envoi).await {
                let _ = envoi.send(Err(e.into())).await;
            }
        });
        ReceiverStream::new(reception)
    }

    async fn emettre_instantane(
        &self,
        genre: &str,
        envoi: &mpsc::Sender<Result<Instantane, Status>>,
    ) -> Resultat<()> {
        let flux = nats::flux(self.service);
        let sequence: Option<i64> = sqlx::query_scalar("select sequence from relai where flux = $1")
            .bind(&flux)
            .fetch_optional(&self.pool)
            .await?;
        let mut tx = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        // As long as the follower takes to read it; the channel between us is bounded.
        sqlx::query("set local statement_timeout = 0").execute(&mut *tx).await?;
        let estimation: i64 =
            sqlx::query_scalar("select count(*) from agregat where not retire and ($1 = '' or genre = $1)")
                .bind(genre)
                .fetch_one(&mut *tx)
                .await?;
        let repere =
            Repere { flux, sequence: naturel(sequence.unwrap_or(0)), estimation: naturel(estimation) };
        let message = |contenu| Ok(Instantane { contenu: Some(contenu) });
        if envoi.send(message(instantane::Contenu::Repere(repere))).await.is_err() {
            return Ok(());
        }
        let mut rangees = sqlx::query(
            "select genre, id, region, version, etat, retire, cree_le, maj_le from agregat
             where not retire and ($1 = '' or genre = $1)",
        )
        .bind(genre)
        .fetch(&mut *tx);
        while let Some(r) = rangees.try_next().await? {
            let e = evenement(self.service, &ligne_lue(&r)?);
            if envoi.send(message(instantane::Contenu::Evenement(e))).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}
