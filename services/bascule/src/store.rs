//! Tables of the service: the regions as aggregates, the transitions and their approvals.

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::maintenant,
    magasin::{Decision, Demande, Ligne, Magasin},
    page,
};
use ror_proto::{
    bascule::v1::{EtatTransition, Region},
    common::v1::{Canal, Issue, Provenance},
};
use sqlx::{PgConnection, Postgres, Row, Transaction, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domaine::{
    Approbation, Domaine, Transition,
    plafond::Plafonds,
    region::{self, GENRE, REGIONS},
};

macro_rules! transitions {
    ($suite:literal) => {
        concat!(
            "select id, region, domaine, de, vers, motif, etat, epoque, gelee_le is not null as gelee,
                    proposee_le, faite_le
             from transition ",
            $suite
        )
    };
}

/// Reads and writes of the service.
#[derive(Clone)]
pub struct Store {
    magasin: Magasin,
}

impl Store {
    /// Over the store of the process.
    pub fn nouveau(magasin: Magasin) -> Self {
        Self { magasin }
    }

    /// The aggregates.
    pub fn magasin(&self) -> &Magasin {
        &self.magasin
    }

    /// A transaction.
    pub async fn debut(&self) -> Resultat<Transaction<'static, Postgres>> {
        Ok(self.magasin.pool().begin().await?)
    }

    /// Creates the regions that are missing and tells the ceilings of today; a region
    /// that stands keeps its leases.
    pub async fn semer(&self, plafonds: &Plafonds) -> Resultat<()> {
        let demandes = REGIONS.map(|(code, _)| demande(code));
        self.magasin
            .ecrire(&provenance(""), None, &demandes, |rang: usize, courant: Option<&Ligne>| {
                let code = REGIONS[rang].0;
                let plafond = plafonds.de(code).plafond;
                let r = match courant.map(|l| Region::decode(l.etat.clone())) {
                    None => region::nouvelle(code, plafond),
                    Some(Ok(r)) => Region { plafond: plafond.nom().to_owned(), ..r },
                    Some(Err(e)) => {
                        tracing::error!(region = code, error = %e, "region kept as it is: unreadable");
                        return Decision::Rien;
                    }
                };
                Decision::Ecrire { region: code.to_owned(), etat: region::etat(&r), identifiants: None }
            })
            .await?;
        Ok(())
    }

    /// The 18 regions.
    pub async fn regions(&self) -> Resultat<Vec<Region>> {
        let (lignes, _) = self.magasin.lister(GENRE, "", "", 500, "").await?;
        lignes.iter().map(region::depuis).collect()
    }

    /// One transition.
    pub async fn transition(&self, id: Uuid) -> Resultat<Transition> {
        let mut c = self.magasin.pool().acquire().await?;
        lire(&mut c, id).await
    }

    /// Transitions, newest first.
    pub async fn transitions(&self, region: &str, limite: i32) -> Resultat<Vec<Transition>> {
        let limite = page::taille(limite)?;
        let mut c = self.magasin.pool().acquire().await?;
        let rangees = sqlx::query(transitions!(
            "where ($1 = '' or region = $1) order by proposee_le desc, id desc limit $2"
        ))
        .bind(region)
        .bind(limite)
        .fetch_all(&mut *c)
        .await?;
        lues(&mut c, &rangees).await
    }

    /// Transitions approved twice and not yet carried out.
    pub async fn en_cours(&self) -> Resultat<Vec<Transition>> {
        let mut c = self.magasin.pool().acquire().await?;
        let rangees = sqlx::query(transitions!("where etat = $1 order by proposee_le"))
            .bind(EtatTransition::EnCours as i32)
            .fetch_all(&mut *c)
            .await?;
        lues(&mut c, &rangees).await
    }

    /// Remembers that nobody writes any more, before a new writer is installed.
    pub async fn geler(&self, id: Uuid) -> Resultat<()> {
        sqlx::query("update transition set gelee_le = $2 where id = $1 and gelee_le is null")
            .bind(id)
            .bind(maintenant())
            .execute(self.magasin.pool())
            .await?;
        Ok(())
    }

    /// The end of a transition: its state, the lease of the region and the event are one.
    pub async fn achever(&self, t: &Transition) -> Resultat<()> {
        let mut tx = self.debut().await?;
        let mut r = verrouiller(&mut tx, &t.region).await?;
        let faites =
            sqlx::query("update transition set etat = $2, faite_le = $3 where id = $1 and etat = $4")
                .bind(t.id)
                .bind(EtatTransition::Faite as i32)
                .bind(maintenant())
                .bind(EtatTransition::EnCours as i32)
                .execute(&mut *tx)
                .await?
                .rows_affected();
        if faites == 0 {
            // Another replica has ended it.
            return Ok(());
        }
        region::poser(&mut r, &t.bail_final());
        let etat = region::etat(&r);
        let mut decider = |_: usize, _: Option<&Ligne>| Decision::Ecrire {
            region: t.region.clone(),
            etat: etat.clone(),
            identifiants: None,
        };
        let ecriture = self
            .magasin
            .ecrire_dans(&mut tx, &provenance(&t.region), None, &[demande(&t.region)], &mut decider)
            .await?;
        match ecriture {
            Some((resultats, _)) if resultats.iter().all(|r| r.issue() != Issue::Refuse) => {}
            _ => return Err(Erreur::Conflit(format!("la région {} change en même temps", t.region))),
        }
        tx.commit().await?;
        self.magasin.reveil().notify_one();
        Ok(())
    }

    /// Since when the description of each region is frozen; `None` where someone writes.
    pub async fn gels(&self) -> Resultat<Vec<(String, Option<OffsetDateTime>)>> {
        Ok(sqlx::query_as(
            "select distinct on (region) region, case when vers = 0 then faite_le end
             from transition where domaine = 'description' and etat = $1
             order by region, faite_le desc",
        )
        .bind(EtatTransition::Faite as i32)
        .fetch_all(self.magasin.pool())
        .await?)
    }
}

/// Locks a region and reads it: one change of a region is decided at a time.
pub async fn verrouiller(tx: &mut PgConnection, code: &str) -> Resultat<Region> {
    let etat: Option<Vec<u8>> =
        sqlx::query_scalar("select etat from agregat where id = $1 and genre = $2 for update")
            .bind(code)
            .bind(GENRE)
            .fetch_optional(tx)
            .await?;
    let etat = etat.ok_or_else(|| Erreur::Introuvable(format!("région {code} inconnue")))?;
    Ok(Region::decode(etat.as_slice())?)
}

/// One transition, inside a transaction.
pub async fn lire(tx: &mut PgConnection, id: Uuid) -> Resultat<Transition> {
    let rangees = sqlx::query(transitions!("where id = $1")).bind(id).fetch_all(&mut *tx).await?;
    lues(tx, &rangees)
        .await?
        .pop()
        .ok_or_else(|| Erreur::Introuvable(format!("changement d'écrivain {id} inconnu")))
}

/// The open transitions of a region.
pub async fn ouvertes(tx: &mut PgConnection, region: &str) -> Resultat<Vec<Transition>> {
    let rangees = sqlx::query(transitions!("where region = $1 and etat in ($2, $3)"))
        .bind(region)
        .bind(EtatTransition::Proposee as i32)
        .bind(EtatTransition::EnCours as i32)
        .fetch_all(&mut *tx)
        .await?;
    lues(tx, &rangees).await
}

/// Writes a proposal with its first approval.
pub async fn proposer(tx: &mut PgConnection, t: &Transition) -> Resultat<()> {
    sqlx::query(
        "insert into transition (id, region, domaine, de, vers, motif, etat, proposee_le)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(t.id)
    .bind(&t.region)
    .bind(t.domaine.nom())
    .bind(t.de as i32)
    .bind(t.vers as i32)
    .bind(&t.motif)
    .bind(t.etat as i32)
    .bind(t.proposee_le)
    .execute(&mut *tx)
    .await?;
    for a in &t.approbations {
        approuver(tx, t.id, 1, a).await?;
    }
    Ok(())
}

/// Writes an approval.
pub async fn approuver(tx: &mut PgConnection, id: Uuid, rang: i32, a: &Approbation) -> Resultat<()> {
    sqlx::query("insert into approbation (transition_id, rang, nom, role, date) values ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(rang)
        .bind(&a.nom)
        .bind(&a.role)
        .bind(a.date)
        .execute(tx)
        .await?;
    Ok(())
}

/// From proposed to under way, the epochs fixed.
pub async fn lancer(tx: &mut PgConnection, id: Uuid, epoque: u64) -> Resultat<()> {
    sqlx::query("update transition set etat = $2, epoque = $3 where id = $1")
        .bind(id)
        .bind(EtatTransition::EnCours as i32)
        .bind(i64::try_from(epoque).map_err(|_| Erreur::interne("epoch out of range"))?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives a proposal up.
pub async fn annuler(tx: &mut PgConnection, id: Uuid, nom: &str) -> Resultat<()> {
    sqlx::query("update transition set etat = $2, annulee_par = $3, annulee_le = $4 where id = $1")
        .bind(id)
        .bind(EtatTransition::Annulee as i32)
        .bind(nom)
        .bind(maintenant())
        .execute(tx)
        .await?;
    Ok(())
}

async fn lues(c: &mut PgConnection, rangees: &[PgRow]) -> Resultat<Vec<Transition>> {
    let mut transitions = rangees.iter().map(lue).collect::<Resultat<Vec<_>>>()?;
    let ids: Vec<Uuid> = transitions.iter().map(|t| t.id).collect();
    let approbations: Vec<(Uuid, String, String, OffsetDateTime)> = sqlx::query_as(
        "select transition_id, nom, role, date from approbation
         where transition_id = any($1) order by transition_id, rang",
    )
    .bind(&ids)
    .fetch_all(c)
    .await?;
    for (id, nom, role, date) in approbations {
        if let Some(t) = transitions.iter_mut().find(|t| t.id == id) {
            t.approbations.push(Approbation { nom, role, date });
        }
    }
    Ok(transitions)
}

fn lue(r: &PgRow) -> Resultat<Transition> {
    let nombre = |n: i32| Erreur::interne(format!("number {n} unknown in table transition"));
    let canal = |n: i32| Canal::try_from(n).map_err(|_| nombre(n));
    let etat: i32 = r.try_get("etat")?;
    let domaine: String = r.try_get("domaine")?;
    let epoque: i64 = r.try_get("epoque")?;
    Ok(Transition {
        id: r.try_get("id")?,
        region: r.try_get("region")?,
        domaine: Domaine::lire(&domaine)
            .ok_or_else(|| Erreur::interne(format!("domain {domaine} unknown")))?,
        de: canal(r.try_get("de")?)?,
        vers: canal(r.try_get("vers")?)?,
        motif: r.try_get("motif")?,
        etat: EtatTransition::try_from(etat).map_err(|_| nombre(etat))?,
        epoque: u64::try_from(epoque).unwrap_or(0),
        gelee: r.try_get("gelee")?,
        proposee_le: r.try_get("proposee_le")?,
        faite_le: r.try_get("faite_le")?,
        approbations: Vec::new(),
    })
}

/// The service writes its own aggregates: no lease covers them.
fn provenance(region: &str) -> Provenance {
    Provenance {
        region: region.to_owned(),
        canal: Canal::Referentiel as i32,
        epoque: 0,
        auteur: "bascule".to_owned(),
    }
}

fn demande(code: &str) -> Demande {
    Demande { id: code.to_owned(), genre: GENRE, version_attendue: 0, recu: Bytes::new() }
}
