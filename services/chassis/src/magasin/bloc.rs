//! Bulk writing: one transaction for a whole load, whatever its size. It leaves the
//! rows, versions and events that [`Magasin::ecrire`] would; outside the leases.
//!
//! One bulk load a service at a time, by an advisory lock: what a load reads stays
//! true until it commits, so rows are read without being locked (a row lock is a
//! write, and most of what a load reads it does not change). A version that moved
//! all the same, by an ordinary write, is refused when the row is written.

use std::collections::HashMap;

use bytes::Bytes;
use futures::TryStreamExt;
use prost::Message;
use ror_proto::common::v1::{Provenance, ResultatEcriture};
use sqlx::{PgConnection, Postgres, Row, Transaction};
use time::OffsetDateTime;

use super::{
    Copie, Ecrite, Identifiant, Ligne, Magasin, PLANS, Proprietaires, copier, entier, envoi, ligne_lue,
    naturel, refuse, uniques, vierges::Vierges,
};
use crate::{Erreur, Resultat, conversion::maintenant, nats, telemetrie::traceparent_courant};

/// Rows of one statement.
const MORCEAU: usize = 5_000;

/// Settings of the transaction. A statement may take as long as the load, and a load that
/// does nothing any more is cut.
const REGLAGES: &str =
    "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = '10min';";

/// What a load compares with, of one aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Connu<'a> {
    /// Technical id.
    pub id: &'a str,
    /// Withdrawn.
    pub retire: bool,
    /// Its state.
    pub etat: &'a [u8],
}

/// One write of a bulk load.
#[derive(Clone, Debug)]
pub struct Ecriture {
    /// Technical id.
    pub id: String,
    /// Kind.
    pub genre: &'static str,
    /// INSEE region, empty when none.
    pub region: String,
    /// Version after the write: 1 for a new aggregate.
    pub version: u64,
    /// State after the write.
    pub etat: Bytes,
    /// Withdrawn.
    pub retire: bool,
    /// Identifiers; `None` leaves them as they are.
    pub identifiants: Option<Vec<Identifiant>>,
}

/// Encodes new aggregates apart from their load, in any thread, so that the load only
/// sends them.
#[derive(Clone, Debug)]
pub struct Encodeur {
    service: &'static str,
    provenance: Provenance,
    date: OffsetDateTime,
    traceparent: Option<String>,
}

/// New aggregates ready to be sent, by order of id.
pub struct Pretes {
    ecrites: Vec<Ecrite>,
    rangees: Rangees,
}

/// The rows of new aggregates, by table.
struct Rangees {
    agregats: Copie,
    historique: Copie,
    identifiants: Copie,
    evenements: Copie,
}

/// A bulk load under way; nothing of it is seen, nor stays, before [`Bloc::valider`].
pub struct Bloc {
    tx: Transaction<'static, Postgres>,
    magasin: Magasin,
    provenance: Provenance,
    date: OffsetDateTime,
    ecrites: u64,
    vierges: Vierges,
}

impl Magasin {
    /// Opens a bulk load.
    ///
    /// # Errors
    ///
    /// [`Erreur::Conflit`], at once, when another one is under way.
    pub async fn bloc(&self, provenance: Provenance) -> Resultat<Bloc> {
        let debut = format!("begin; {REGLAGES} {PLANS}");
        let mut tx = self.pool.begin_with(sqlx::AssertSqlSafe(debut)).await?;
        let pris: bool = sqlx::query_scalar(
            "select pg_try_advisory_xact_lock(hashtext(current_schema()), hashtext('bloc'))",
        )
        .fetch_one(&mut *tx)
        .await?;
        if !pris {
            return Err(Erreur::Conflit(
                "un autre chargement est en cours : recommencez quand il sera fini".into(),
            ));
        }
        Ok(Bloc {
            tx,
            magasin: self.clone(),
            provenance,
            date: maintenant(),
            ecrites: 0,
            vierges: Vierges::default(),
        })
    }
}

impl Bloc {
    /// Every aggregate of a kind, withdrawn ones included, in no order; one is held at a time.
    pub async fn connus(&mut self, genre: &str, mut recevoir: impl FnMut(Connu<'_>) + Send) -> Resultat<()> {
        let mut rangees = sqlx::query("select id, retire, etat from agregat where genre = $1")
            .bind(genre)
            .fetch(&mut *self.tx);
        while let Some(r) = rangees.try_next().await? {
            recevoir(Connu { id: r.try_get(0)?, retire: r.try_get(1)?, etat: r.try_get(2)? });
        }
        Ok(())
    }

    /// The known ones among these ids, in no order, withdrawn ones and what this load
    /// wrote included.
    pub async fn etats(&mut self, ids: &[String]) -> Resultat<Vec<Ligne>> {
        let rangees = sqlx::query(
            "select genre, id, region, version, etat, retire, cree_le, maj_le from agregat where id = any($1)",
        )
        .bind(ids)
        .fetch_all(&mut *self.tx)
        .await?;
        rangees.iter().map(ligne_lue).collect()
    }

    /// Past versions, in no order: id, version, state, withdrawn.
    pub async fn versions(&mut self, cles: &[(String, u64)]) -> Resultat<Vec<(String, u64, Bytes, bool)>> {
        let (ids, versions): (Vec<&str>, Vec<i64>) =
            cles.iter().map(|(id, version)| (id.as_str(), entier(*version))).unzip();
        let rangees = sqlx::query(
            "select h.id, h.version, h.etat, h.retire from agregat_historique h
             join unnest($1::text[], $2::bigint[]) as d(id, version) on d.id = h.id and d.version = h.version",
        )
        .bind(&ids)
        .bind(&versions)
        .fetch_all(&mut *self.tx)
        .await?;
        rangees
            .iter()
            .map(|r| {
                let etat = Bytes::copy_from_slice(r.try_get(2)?);
                Ok((r.try_get(0)?, naturel(r.try_get(1)?), etat, r.try_get(3)?))
            })
            .collect()
    }

    /// Writes; an aggregate comes once in a call. The refused ones are handed back:
    /// those whose unique identifier is another's. Large calls are better: rows go in
    /// by order of id, which spares the indexes.
    ///
    /// # Errors
    ///
    /// [`Erreur::Conflit`] when a version moved meanwhile; the load is then lost.
    pub async fn ecrire(&mut self, lot: Vec<Ecriture>) -> Resultat<Vec<ResultatEcriture>> {
        let mut ecrites = ranger(lot, self.date);
        let refusees = self.refuser_identifiants_pris(&mut ecrites).await?;
        let (nouvelles, mut changees): (Vec<Ecrite>, Vec<Ecrite>) =
            ecrites.into_iter().partition(|e| e.nouvelle);
        let encodeur = self.encodeur();
        for morceau in nouvelles.chunks(MORCEAU) {
            self.envoyer(encodeur.encoder(morceau)).await?;
        }
        for morceau in changees.chunks_mut(MORCEAU) {
            self.dater(morceau).await?;
            let ecrit = self.magasin.inserer(&mut self.tx, &self.provenance, morceau, self.date).await?;
            if !ecrit {
                return Err(Erreur::Conflit(
                    "une ressource a changé pendant le chargement : recommencez".into(),
                ));
            }
            self.magasin.poser_identifiants(&mut self.tx, morceau).await?;
        }
        self.ecrites += (nouvelles.len() + changees.len()) as u64;
        Ok(refusees)
    }

    /// What encodes new aggregates for [`Self::ecrire_pretes`].
    pub fn encodeur(&self) -> Encodeur {
        Encodeur {
            service: self.magasin.service,
            provenance: self.provenance.clone(),
            date: self.date,
            traceparent: traceparent_courant(),
        }
    }

    /// As [`Self::ecrire`], of new aggregates that are already encoded.
    ///
    /// # Errors
    ///
    /// Those of the database; the load is then lost.
    pub async fn ecrire_pretes(&mut self, pretes: Pretes) -> Resultat<Vec<ResultatEcriture>> {
        let Pretes { mut ecrites, rangees } = pretes;
        let refusees = self.refuser_identifiants_pris(&mut ecrites).await?;
        // A refusal is rare: the others are then encoded again, without it.
        let rangees = if refusees.is_empty() { rangees } else { self.encodeur().encoder(&ecrites) };
        self.envoyer(rangees).await?;
        self.ecrites += ecrites.len() as u64;
        Ok(refusees)
    }

    /// Takes out those whose unique identifier is another's, and hands them back.
    async fn refuser_identifiants_pris(
        &mut self,
        ecrites: &mut Vec<Ecrite>,
    ) -> Resultat<Vec<ResultatEcriture>> {
        self.vierges.regarder(&mut self.tx, ecrites).await?;
        let mut proprietaires = Proprietaires::default();
        for morceau in ecrites.chunks(MORCEAU) {
            let douteux: Vec<&Identifiant> = uniques(morceau).filter(|i| !self.vierges.libre(i)).collect();
            proprietaires.chercher(&mut self.tx, douteux).await?;
        }
        let mut refusees = Vec::new();
        ecrites.retain(|e| {
            let fautes = proprietaires.prendre(e);
            if fautes.is_empty() {
                return true;
            }
            refusees.push(refuse(&e.ligne.id, e.ligne.version.saturating_sub(1), fautes));
            false
        });
        self.vierges.prendre(ecrites);
        Ok(refusees)
    }

    /// Gives changed aggregates the instant of their first version.
    async fn dater(&mut self, lot: &mut [Ecrite]) -> Resultat<()> {
        let ids: Vec<&str> = lot.iter().map(|e| e.ligne.id.as_str()).collect();
        let dates: HashMap<String, OffsetDateTime> =
            sqlx::query_as("select id, cree_le from agregat where id = any($1)")
                .bind(&ids)
                .fetch_all(&mut *self.tx)
                .await?
                .into_iter()
                .collect();
        for e in lot {
            if let Some(cree_le) = dates.get(&e.ligne.id) {
                e.ligne.cree_le = *cree_le;
            }
        }
        Ok(())
    }

    /// The rows of new aggregates, straight into the tables.
    async fn envoyer(&mut self, rangees: Rangees) -> Resultat<()> {
        let tables = [
            (
                "copy agregat (genre, id, region, version, etat, retire, cree_le, maj_le)
                 from stdin (format binary)",
                rangees.agregats,
            ),
            (
                "copy agregat_historique (id, version, etat, retire, provenance, maj_le)
                 from stdin (format binary)",
                rangees.historique,
            ),
            (
                "copy identifiant (id, systeme, valeur, unique_) from stdin (format binary)",
                rangees.identifiants,
            ),
            (
                "copy outbox_event (event_id, sujet, charge, traceparent) from stdin (format binary)",
                rangees.evenements,
            ),
        ];
        for (instruction, copie) in tables {
            copier(&mut self.tx, instruction, copie).await?;
        }
        Ok(())
    }

    /// The connection, for the service's own tables in the same transaction.
    pub fn connexion(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Instant of every row this load writes.
    pub fn date(&self) -> OffsetDateTime {
        self.date
    }

    /// Commits; how many aggregates were written.
    pub async fn valider(self) -> Resultat<u64> {
        self.tx.commit().await?;
        if self.ecrites > 0 {
            self.magasin.reveil.notify_one();
        }
        Ok(self.ecrites)
    }

    /// Undoes everything. So does dropping, a little later: another load may meanwhile
    /// be told that this one is under way.
    pub async fn abandonner(self) -> Resultat<()> {
        Ok(self.tx.rollback().await?)
    }

    /// Commits, or undoes everything when the result is an error.
    pub async fn finir<T>(self, resultat: Resultat<T>) -> Resultat<T> {
        match resultat {
            Ok(valeur) => self.valider().await.map(|_| valeur),
            Err(e) => {
                // The first error is the one to tell.
                let _ = self.abandonner().await;
                Err(e)
            }
        }
    }
}

impl Encodeur {
    /// Makes new aggregates ready, each of version 1 and once; what is refused is known
    /// when they are sent.
    pub fn preparer(&self, lot: Vec<Ecriture>) -> Pretes {
        let ecrites = ranger(lot, self.date);
        let rangees = self.encoder(&ecrites);
        Pretes { ecrites, rangees }
    }

    fn encoder(&self, lot: &[Ecrite]) -> Rangees {
        let provenance = self.provenance.encode_to_vec();
        let etats: usize = lot.iter().map(|e| e.ligne.etat.len()).sum();
        // What each row holds beside the state, at most nearly always.
        let avec = |reste: usize| Copie::avec_place(etats + lot.len() * reste);
        let (mut agregats, mut historique) = (avec(160), avec(110 + provenance.len()));
        let (mut identifiants, mut evenements) =
            (Copie::avec_place(lot.len() * 120), avec(360 + provenance.len()));
        for e in lot {
            let l = &e.ligne;
            agregats
                .rangee(8)
                .texte(&l.genre)
                .texte(&l.id)
                .texte(&l.region)
                .entier(l.version)
                .octets(&l.etat);
            agregats.booleen(l.retire).instant(self.date).instant(self.date);
            historique.rangee(6).texte(&l.id).entier(l.version).octets(&l.etat).booleen(l.retire);
            historique.octets(&provenance).instant(self.date);
            for i in e.identifiants.iter().flatten() {
                identifiants.rangee(4).texte(&l.id).texte(i.systeme).texte(&i.valeur).booleen(i.unique);
            }
            let (id, charge) = envoi(self.service, l, &self.provenance);
            evenements.rangee(4).uuid(id).texte(&nats::sujet(self.service, &l.genre)).octets(&charge);
            evenements.texte_ou_nul(self.traceparent.as_deref());
        }
        Rangees { agregats, historique, identifiants, evenements }
    }
}

/// Puts writes in order of id.
fn ranger(mut lot: Vec<Ecriture>, date: OffsetDateTime) -> Vec<Ecrite> {
    lot.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    lot.into_iter().enumerate().map(|(rang, e)| ecrite(rang, e, date)).collect()
}

fn ecrite(rang: usize, e: Ecriture, date: OffsetDateTime) -> Ecrite {
    let ligne = Ligne {
        genre: e.genre.to_owned(),
        id: e.id,
        region: e.region,
        version: e.version,
        etat: e.etat,
        retire: e.retire,
        cree_le: date,
        maj_le: date,
    };
    Ecrite { rang, nouvelle: ligne.version == 1, ligne, identifiants: e.identifiants }
}
