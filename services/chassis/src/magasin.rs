//! The store of aggregates: one transaction holds the row, its version, its
//! history and its event, so that none can exist without the others.

mod bloc;
mod copie;
mod lecture;
mod vierges;

pub use bloc::{Bloc, Connu, Ecriture, Encodeur, Pretes};
pub use copie::{Copie, copier};

use bytes::Bytes;
use prost::Message;
use ror_proto::common::v1::{Evenement, Faute, Issue, Provenance, ResultatEcriture};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    Erreur, Resultat, bail,
    conversion::{horodatage, maintenant},
    erreur::faute,
    nats,
    telemetrie::traceparent_courant,
};

/// State above which an event names the aggregate without carrying it; the follower asks the owner.
pub const ETAT_MAX_EVENEMENT: usize = 512 * 1024;
/// Most items of one write.
pub const LOT_MAX: usize = 500;
const ESSAIS: usize = 4;
/// Settings of a transaction that looks up or writes many rows at once. Tables fill within it, unseen by the
/// statistics: a plan is good for one call, and rows are looked up by their keys.
pub(crate) const PLANS: &str =
    "set local plan_cache_mode = force_custom_plan; set local random_page_cost = 1;";

/// An aggregate as stored.
#[derive(Clone, Debug)]
pub struct Ligne {
    /// Kind.
    pub genre: String,
    /// Technical id.
    pub id: String,
    /// INSEE region, empty when none.
    pub region: String,
    /// Version, from 1.
    pub version: u64,
    /// Protobuf message, without version and date.
    pub etat: Bytes,
    /// Withdrawn.
    pub retire: bool,
    /// Instant of the first version.
    pub cree_le: OffsetDateTime,
    /// Instant of the last change.
    pub maj_le: OffsetDateTime,
}

/// A business identifier of an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifiant {
    /// What kind of identifier.
    pub systeme: &'static str,
    /// Its value.
    pub valeur: String,
    /// Whether one aggregate alone may hold it.
    pub unique: bool,
}

/// One write asked for.
#[derive(Clone, Debug)]
pub struct Demande {
    /// Technical id.
    pub id: String,
    /// Kind.
    pub genre: &'static str,
    /// Version the caller saw; 0 for any.
    pub version_attendue: u64,
    /// State as received, kept when the lease refuses the write.
    pub recu: Bytes,
}

/// What the domain decides once it has seen the current state.
pub enum Decision {
    /// Every fault.
    Refuser(Vec<Faute>),
    /// The new content; equal content writes nothing.
    Ecrire {
        /// INSEE region.
        region: String,
        /// New state.
        etat: Bytes,
        /// Identifiers; `None` leaves them as they are.
        identifiants: Option<Vec<Identifiant>>,
    },
    /// Withdraw the aggregate.
    Retirer,
    /// Leave it alone.
    Rien,
}

/// The store of one service.
#[derive(Clone)]
pub struct Magasin {
    pool: PgPool,
    service: &'static str,
    reveil: Arc<Notify>,
}

struct Ecrite {
    rang: usize,
    ligne: Ligne,
    nouvelle: bool,
    identifiants: Option<Vec<Identifiant>>,
}

impl Magasin {
    /// A store over a pool whose search_path is the schema of the service.
    pub fn nouveau(pool: PgPool, service: &'static str) -> Self {
        Self { pool, service, reveil: Arc::new(Notify::new()) }
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Name of the service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Woken after each commit that wrote events.
    pub fn reveil(&self) -> &Arc<Notify> {
        &self.reveil
    }

    /// Writes up to [`LOT_MAX`] aggregates in one transaction; each stands or falls
    /// alone. `domaine` names the lease to hold; `None` for areas outside the leases.
    ///
    /// `decider` sees the current state of each, row locked, and may be called again
    /// when a concurrent write forces a retry. `en_plus` runs in the same transaction
    /// before the commit (for a follower's position).
    pub async fn ecrire(
        &self,
        provenance: &Provenance,
        domaine: Option<&str>,
        demandes: &[Demande],
        mut decider: impl FnMut(usize, Option<&Ligne>) -> Decision + Send,
    ) -> Resultat<Vec<ResultatEcriture>> {
        self.conduire(false, provenance, domaine, demandes, &mut decider).await
    }

    /// What [`Self::ecrire`] would do, then undone: same locks, same results, no row, no
    /// event, no refusal kept.
    pub async fn essayer(
        &self,
        provenance: &Provenance,
        domaine: Option<&str>,
        demandes: &[Demande],
        mut decider: impl FnMut(usize, Option<&Ligne>) -> Decision + Send,
    ) -> Resultat<Vec<ResultatEcriture>> {
        self.conduire(true, provenance, domaine, demandes, &mut decider).await
    }

    async fn conduire(
        &self,
        essai: bool,
        provenance: &Provenance,
        domaine: Option<&str>,
        demandes: &[Demande],
        decider: &mut (impl FnMut(usize, Option<&Ligne>) -> Decision + Send),
    ) -> Resultat<Vec<ResultatEcriture>> {
        if demandes.len() > LOT_MAX {
            return Err(Erreur::faute(
                "items",
                "taille-du-lot",
                format!("{} éléments dans le lot.", demandes.len()),
                "500 au plus",
            ));
        }
        for _ in 0..ESSAIS {
            let mut tx = match bail::verrou_partage(provenance, domaine) {
                Some(debut) => self.pool.begin_with(sqlx::AssertSqlSafe(debut)).await?,
                None => self.pool.begin().await?,
            };
            match self.ecrire_dans(&mut tx, provenance, domaine, demandes, decider).await {
                Ok(Some((resultats, _))) if essai => {
                    tx.rollback().await?;
                    return Ok(resultats);
                }
                Ok(Some((resultats, ecrit))) => {
                    tx.commit().await?;
                    if ecrit {
                        self.reveil.notify_one();
                    }
                    return Ok(resultats);
                }
                Ok(None) => tx.rollback().await?,
                Err(Erreur::Regle(fautes)) if fautes.first().is_some_and(|f| f.regle == bail::REGLE) => {
                    tx.rollback().await?;
                    if !essai {
                        self.garder_refus(provenance, demandes, &fautes[0]).await?;
                    }
                    return Ok(demandes.iter().map(|d| refuse(&d.id, 0, fautes.clone())).collect());
                }
                Err(Erreur::Interne(cause)) if est_passager(cause.as_ref()) => tx.rollback().await?,
                Err(e) => return Err(e),
            }
        }
        Err(Erreur::Conflit("écritures simultanées sur la même ressource : recommencez".into()))
    }

    /// As [`Self::ecrire`], inside the caller's transaction. `None`: lost a race, roll back and retry.
    pub async fn ecrire_dans(
        &self,
        tx: &mut PgConnection,
        provenance: &Provenance,
        domaine: Option<&str>,
        demandes: &[Demande],
        decider: &mut (impl FnMut(usize, Option<&Ligne>) -> Decision + Send),
    ) -> Resultat<Option<(Vec<ResultatEcriture>, bool)>> {
        let courants = self.verrouiller(tx, provenance, domaine, demandes).await?;
        let date = maintenant();
        let mut resultats = Vec::with_capacity(demandes.len());
        let mut ecrites: Vec<Ecrite> = Vec::new();
        let mut vus = HashSet::with_capacity(demandes.len());
        for (rang, d) in demandes.iter().enumerate() {
            let courant = courants.get(d.id.as_str());
            let version = courant.map_or(0, |c| c.version);
            if !vus.insert(d.id.as_str()) {
                resultats.push(refuse(
                    &d.id,
                    version,
                    vec![faute(
                        "id",
                        "doublon-dans-le-lot",
                        format!("L'identifiant {} paraît deux fois dans le lot.", d.id),
                        "une fois",
                    )],
                ));
                continue;
            }
            if let Some(c) = courant
                && c.genre != d.genre
            {
                resultats.push(refuse(
                    &d.id,
                    version,
                    vec![faute(
                        "id",
                        "genre-different",
                        format!(
                            "L'identifiant {} est déjà celui d'une autre sorte de ressource ({}).",
                            d.id, c.genre
                        ),
                        "un identifiant libre",
                    )],
                ));
                continue;
            }
            if d.version_attendue != 0 && d.version_attendue != version {
                resultats.push(refuse(
                    &d.id,
                    version,
                    vec![faute(
                        "meta.versionId",
                        "version-depassee",
                        format!("La ressource est en version {version}, pas {}.", d.version_attendue),
                        "relire puis recommencer",
                    )],
                ));
                continue;
            }
            let (ligne, identifiants) = match decider(rang, courant) {
                Decision::Refuser(fautes) => {
                    resultats.push(refuse(&d.id, version, fautes));
                    continue;
                }
                Decision::Rien => {
                    resultats.push(inchange(&d.id, courant));
                    continue;
                }
                Decision::Ecrire { region, etat, identifiants } => {
                    if courant.is_some_and(|c| !c.retire && c.etat == etat) {
                        resultats.push(inchange(&d.id, courant));
                        continue;
                    }
                    (ligne(d, courant, region, version + 1, etat, false, date), identifiants)
                }
                Decision::Retirer => match courant {
                    None => {
                        resultats.push(refuse(
                            &d.id,
                            0,
                            vec![faute(
                                "id",
                                "introuvable",
                                format!("Ressource {} inconnue.", d.id),
                                "une ressource existante",
                            )],
                        ));
                        continue;
                    }
                    Some(c) if c.retire => {
                        resultats.push(inchange(&d.id, courant));
                        continue;
                    }
                    Some(c) => (
                        ligne(d, courant, c.region.clone(), version + 1, c.etat.clone(), true, date),
                        Some(Vec::new()),
                    ),
                },
            };
            resultats.push(ResultatEcriture {
                id: d.id.clone(),
                version: ligne.version,
                issue: if version == 0 { Issue::Cree } else { Issue::Modifie } as i32,
                fautes: Vec::new(),
                date_maj: Some(horodatage(date)),
            });
            ecrites.push(Ecrite { rang, ligne, nouvelle: version == 0, identifiants });
        }
        self.refuser_identifiants_pris(tx, &mut ecrites, &mut resultats).await?;
        if ecrites.is_empty() {
            return Ok(Some((resultats, false)));
        }
        if !self.inserer(tx, provenance, &ecrites, date).await? {
            return Ok(None);
        }
        self.poser_identifiants(tx, &ecrites).await?;
        Ok(Some((resultats, true)))
    }

    /// Locks the rows in id order (so that two batches cannot deadlock) and checks the lease.
    async fn verrouiller(
        &self,
        tx: &mut PgConnection,
        provenance: &Provenance,
        domaine: Option<&str>,
        demandes: &[Demande],
    ) -> Resultat<HashMap<String, Ligne>> {
        let ids: Vec<&str> = demandes.iter().map(|d| d.id.as_str()).collect();
        let rangees = sqlx::query(
            "select genre, id, region, version, etat, retire, cree_le, maj_le,
                    (select ecrivain from bail b where b.region = $2 and b.domaine = $3) as ecrivain,
                    (select epoque from bail b where b.region = $2 and b.domaine = $3) as epoque
             from agregat where id = any($1) order by id for update",
        )
        .bind(&ids)
        .bind(&provenance.region)
        .bind(domaine.unwrap_or(""))
        .fetch_all(&mut *tx)
        .await?;
        if let Some(domaine) = domaine {
            let bail = match rangees.first() {
                Some(r) => {
                    r.try_get::<Option<i32>, _>("ecrivain")?.zip(r.try_get::<Option<i64>, _>("epoque")?)
                }
                None => bail::lire(&mut *tx, &provenance.region, domaine).await?,
            };
            bail::verifier(provenance, domaine, bail)?;
        }
        rangees.iter().map(|r| ligne_lue(r).map(|l| (l.id.clone(), l))).collect()
    }

    async fn refuser_identifiants_pris(
        &self,
        tx: &mut PgConnection,
        ecrites: &mut Vec<Ecrite>,
        resultats: &mut [ResultatEcriture],
    ) -> Resultat<()> {
        let mut proprietaires = Proprietaires::default();
        proprietaires.chercher(tx, uniques(ecrites).collect()).await?;
        ecrites.retain(|e| {
            let fautes = proprietaires.prendre(e);
            if fautes.is_empty() {
                return true;
            }
            resultats[e.rang] = refuse(&e.ligne.id, e.ligne.version - 1, fautes);
            false
        });
        Ok(())
    }

    /// Row, history and event in one statement; false when another write won the race.
    async fn inserer(
        &self,
        tx: &mut PgConnection,
        provenance: &Provenance,
        ecrites: &[Ecrite],
        date: OffsetDateTime,
    ) -> Resultat<bool> {
        let n = ecrites.len();
        let (mut genres, mut ids, mut regions, mut versions) =
            (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut etats, mut retires) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut evenements, mut sujets, mut charges) =
            (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        for e in ecrites {
            let l = &e.ligne;
            let (id, charge) = envoi(self.service, l, provenance);
            genres.push(l.genre.as_str());
            ids.push(l.id.as_str());
            regions.push(l.region.as_str());
            versions.push(entier(l.version));
            etats.push(l.etat.as_ref());
            retires.push(l.retire);
            evenements.push(id);
            sujets.push(nats::sujet(self.service, &l.genre));
            charges.push(charge);
        }
        let ecrits: i64 = sqlx::query_scalar(
            "with e as (
                select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::boolean[])
                    as t(genre, id, region, version, etat, retire)),
             a as (
                insert into agregat (genre, id, region, version, etat, retire, cree_le, maj_le)
                select genre, id, region, version, etat, retire, $7, $7 from e
                on conflict (id) do update
                    set region = excluded.region, version = excluded.version, etat = excluded.etat,
                        retire = excluded.retire, maj_le = excluded.maj_le
                    where agregat.version = excluded.version - 1
                returning 1),
             h as (
                insert into agregat_historique (id, version, etat, retire, provenance, maj_le)
                select id, version, etat, retire, $8, $7 from e on conflict do nothing),
             o as (
                insert into outbox_event (event_id, sujet, charge, traceparent)
                select x.*, $12 from unnest($9::uuid[], $10::text[], $11::bytea[]) as x)
             select count(*) from a",
        )
        .bind(genres)
        .bind(ids)
        .bind(regions)
        .bind(versions)
        .bind(etats)
        .bind(retires)
        .bind(date)
        .bind(provenance.encode_to_vec())
        .bind(evenements)
        .bind(sujets)
        .bind(charges)
        .bind(traceparent_courant())
        .fetch_one(&mut *tx)
        .await?;
        Ok(ecrits == entier(n as u64))
    }

    async fn poser_identifiants(&self, tx: &mut PgConnection, ecrites: &[Ecrite]) -> Resultat<()> {
        let anciens: Vec<&str> = ecrites
            .iter()
            .filter(|e| e.identifiants.is_some() && !e.nouvelle)
            .map(|e| e.ligne.id.as_str())
            .collect();
        let (mut ids, mut systemes, mut valeurs, mut uniques) = (vec![], vec![], vec![], vec![]);
        for e in ecrites {
            for i in e.identifiants.iter().flatten() {
                ids.push(e.ligne.id.as_str());
                systemes.push(i.systeme);
                valeurs.push(i.valeur.as_str());
                uniques.push(i.unique);
            }
        }
        if !anciens.is_empty() {
            sqlx::query(
                "delete from identifiant i where i.id = any($1) and not exists (
                    select 1 from unnest($2::text[], $3::text[], $4::text[]) as d(id, systeme, valeur)
                    where d.id = i.id and d.systeme = i.systeme and d.valeur = i.valeur)",
            )
            .bind(&anciens)
            .bind(&ids)
            .bind(&systemes)
            .bind(&valeurs)
            .execute(&mut *tx)
            .await?;
        }
        if !ids.is_empty() {
            sqlx::query(
                "insert into identifiant (id, systeme, valeur, unique_)
                 select * from unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
                 on conflict (id, systeme, valeur) do nothing",
            )
            .bind(&ids)
            .bind(&systemes)
            .bind(&valeurs)
            .bind(&uniques)
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }

    async fn garder_refus(&self, provenance: &Provenance, demandes: &[Demande], f: &Faute) -> Resultat<()> {
        metrics::counter!("ror_lease_refusals_total", "service" => self.service)
            .increment(demandes.len() as u64);
        tracing::warn!(
            service = self.service, region = %provenance.region, canal = provenance.canal, epoque = provenance.epoque,
            paquets = demandes.len(), "writes refused by the lease"
        );
        let ids: Vec<Uuid> = demandes.iter().map(|_| Uuid::now_v7()).collect();
        let genres: Vec<&str> = demandes.iter().map(|d| d.genre).collect();
        let agregats: Vec<&str> = demandes.iter().map(|d| d.id.as_str()).collect();
        let etats: Vec<&[u8]> = demandes.iter().map(|d| d.recu.as_ref()).collect();
        sqlx::query(
            "insert into paquet_refuse (id, recu_le, region, genre, agregat_id, provenance, etat, motif)
             select x.id, $1, $2, x.genre, x.agregat_id, $3, x.etat, $4
             from unnest($5::uuid[], $6::text[], $7::text[], $8::bytea[]) as x(id, genre, agregat_id, etat)",
        )
        .bind(maintenant())
        .bind(&provenance.region)
        .bind(provenance.encode_to_vec())
        .bind(&f.message)
        .bind(&ids)
        .bind(&genres)
        .bind(&agregats)
        .bind(&etats)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// The unique identifiers of these.
fn uniques(ecrites: &[Ecrite]) -> impl Iterator<Item = &Identifiant> {
    ecrites.iter().flat_map(|e| e.identifiants.iter().flatten()).filter(|i| i.unique)
}

/// Who holds each unique identifier, and who is about to.
#[derive(Default)]
struct Proprietaires(HashMap<(String, String), String>);

impl Proprietaires {
    /// Adds what the store knows of these identifiers.
    async fn chercher(&mut self, tx: &mut PgConnection, identifiants: Vec<&Identifiant>) -> Resultat<()> {
        let (systemes, valeurs): (Vec<&str>, Vec<&str>) =
            identifiants.into_iter().map(|i| (i.systeme, i.valeur.as_str())).unzip();
        if systemes.is_empty() {
            return Ok(());
        }
        let tenus = sqlx::query_as::<_, (String, String, String)>(
            "select i.systeme, i.valeur, i.id from identifiant i
             join unnest($1::text[], $2::text[]) as d(systeme, valeur) on d.systeme = i.systeme and d.valeur = i.valeur
             where i.unique_",
        )
        .bind(&systemes)
        .bind(&valeurs)
        .fetch_all(&mut *tx)
        .await?;
        self.0.extend(tenus.into_iter().map(|(s, v, id)| ((s, v), id)));
        Ok(())
    }

    /// Takes the identifiers of this one; a fault for each that is another's.
    fn prendre(&mut self, e: &Ecrite) -> Vec<Faute> {
        let mut fautes = Vec::new();
        for i in e.identifiants.iter().flatten().filter(|i| i.unique) {
            let proprietaire =
                self.0.entry((i.systeme.to_owned(), i.valeur.clone())).or_insert_with(|| e.ligne.id.clone());
            if *proprietaire != e.ligne.id {
                fautes.push(faute(
                    "identifier",
                    "identifiant-deja-utilise",
                    format!(
                        "L'identifiant {} « {} » est déjà celui de la ressource {proprietaire}.",
                        i.systeme, i.valeur
                    ),
                    "un identifiant libre, ou la même ressource",
                ));
            }
        }
        fautes
    }
}

/// The event of a change, ready for the outbox: its id and its bytes.
fn envoi(service: &str, l: &Ligne, provenance: &Provenance) -> (Uuid, Vec<u8>) {
    let id = Uuid::now_v7();
    let mut evenement = evenement(service, l);
    evenement.id = id.to_string();
    evenement.provenance = Some(provenance.clone());
    if evenement.etat.len() > ETAT_MAX_EVENEMENT {
        evenement.etat = Bytes::new();
    }
    (id, evenement.encode_to_vec())
}

/// The event that tells the present state of an aggregate.
pub fn evenement(service: &str, l: &Ligne) -> Evenement {
    Evenement {
        id: String::new(),
        source: service.to_owned(),
        genre: l.genre.clone(),
        agregat_id: l.id.clone(),
        version: l.version,
        date: Some(horodatage(l.maj_le)),
        region: l.region.clone(),
        retire: l.retire,
        etat: l.etat.clone(),
        provenance: None,
        date_creation: Some(horodatage(l.cree_le)),
    }
}

fn ligne(
    d: &Demande,
    courant: Option<&Ligne>,
    region: String,
    version: u64,
    etat: Bytes,
    retire: bool,
    date: OffsetDateTime,
) -> Ligne {
    let cree_le = courant.map_or(date, |c| c.cree_le);
    Ligne {
        genre: d.genre.to_owned(),
        id: d.id.clone(),
        region,
        version,
        etat,
        retire,
        cree_le,
        maj_le: date,
    }
}

fn ligne_lue(r: &PgRow) -> Resultat<Ligne> {
    Ok(Ligne {
        genre: r.try_get("genre")?,
        id: r.try_get("id")?,
        region: r.try_get("region")?,
        version: naturel(r.try_get("version")?),
        etat: Bytes::copy_from_slice(r.try_get("etat")?),
        retire: r.try_get("retire")?,
        cree_le: r.try_get("cree_le")?,
        maj_le: r.try_get("maj_le")?,
    })
}

/// A refused item.
pub fn refuse(id: &str, version: u64, fautes: Vec<Faute>) -> ResultatEcriture {
    ResultatEcriture { id: id.to_owned(), version, issue: Issue::Refuse as i32, fautes, date_maj: None }
}

fn inchange(id: &str, courant: Option<&Ligne>) -> ResultatEcriture {
    ResultatEcriture {
        id: id.to_owned(),
        version: courant.map_or(0, |c| c.version),
        issue: Issue::Inchange as i32,
        fautes: Vec::new(),
        date_maj: courant.map(|c| horodatage(c.maj_le)),
    }
}

fn entier(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn naturel(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Serialisation failure, deadlock or a lost insertion race: worth another try.
fn est_passager(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(
        cause.downcast_ref::<sqlx::Error>(),
        Some(sqlx::Error::Database(d)) if matches!(d.code().as_deref(), Some("40001" | "40P01" | "23505"))
    )
}
