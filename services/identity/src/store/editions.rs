//! Editions.

use prost::Message;
use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
};
use ror_proto::identity::v1::{Edition, RapportEdition, StatutEdition};
use sqlx::{PgExecutor, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::{entier, naturel};

/// How much of a file an edition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Etendue {
    /// All of it.
    Entiere = 0,
    /// A part, by the word of who sent it.
    Partie = 1,
    /// What came before it broke.
    Tronquee = 2,
}

/// What opens an edition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ouverture<'a> {
    /// Format.
    pub format: i32,
    /// File name, or what an internal edition does.
    pub nom: &'a str,
    /// Files of one format that do not replace one another.
    pub serie: &'a str,
    /// SHA-256 of the file.
    pub sha256: &'a str,
    /// Who loads.
    pub operateur: &'a str,
    /// True when no file is behind it.
    pub interne: bool,
    /// The edition it undoes.
    pub annule: Option<Uuid>,
}

impl<'a> Ouverture<'a> {
    /// An edition made by a person, not by a file.
    pub(crate) fn interne(format: i32, nom: &'a str, operateur: &'a str) -> Self {
        Self { format, nom, serie: "", sha256: "", operateur, interne: true, annule: None }
    }
}

/// What closes an edition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cloture<'a> {
    /// Its report, with its state.
    pub rapport: &'a RapportEdition,
    /// Edition key.
    pub cle: &'a str,
    /// Version of the schema.
    pub schema: &'a str,
    /// Bytes after decompression.
    pub taille: u64,
    /// How much of the file it holds.
    pub etendue: Etendue,
    /// Keys left out by a person.
    pub exclues: usize,
}

/// The last whole edition applied of a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Derniere {
    /// Edition key.
    pub cle: String,
    /// Version of the schema.
    pub schema: String,
    /// Bytes after decompression.
    pub taille: u64,
    /// Its report.
    pub rapport: RapportEdition,
}

macro_rules! choisir {
    ($suite:literal) => {
        concat!(
            "select id, format, nom, sha256, debut, fin, rapport, statut, operateur, cle from edition ",
            $suite
        )
    };
}

/// Opens an edition; its id.
pub(crate) async fn ouvrir(base: impl PgExecutor<'_>, o: Ouverture<'_>) -> Resultat<Uuid> {
    let id = Uuid::now_v7();
    ouvrir_sous(base, id, o).await?;
    Ok(id)
}

/// Opens an edition under this id.
pub(crate) async fn ouvrir_sous(base: impl PgExecutor<'_>, id: Uuid, o: Ouverture<'_>) -> Resultat<()> {
    sqlx::query(
        "insert into edition (id, format, nom, serie, sha256, operateur, interne, annule, debut, statut)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id)
    .bind(o.format)
    .bind(o.nom)
    .bind(o.serie)
    .bind(o.sha256)
    .bind(o.operateur)
    .bind(o.interne)
    .bind(o.annule)
    .bind(maintenant())
    .bind(StatutEdition::EnCours as i32)
    .execute(base)
    .await?;
    Ok(())
}

/// Closes an edition with its report.
pub(crate) async fn clore(base: impl PgExecutor<'_>, id: Uuid, c: Cloture<'_>) -> Resultat<()> {
    sqlx::query(
        "update edition set fin = $2, rapport = $3, statut = $4, cle = $5, schema = $6, taille = $7,
             etendue = $8, exclues = $9 where id = $1",
    )
    .bind(id)
    .bind(maintenant())
    .bind(c.rapport.encode_to_vec())
    .bind(c.rapport.statut)
    .bind(c.cle)
    .bind(c.schema)
    .bind(entier(c.taille))
    .bind(c.etendue as i32)
    .bind(i32::try_from(c.exclues).unwrap_or(i32::MAX))
    .execute(base)
    .await?;
    Ok(())
}

/// Changes the state of an edition.
pub(crate) async fn declarer(base: impl PgExecutor<'_>, id: Uuid, statut: StatutEdition) -> Resultat<()> {
    sqlx::query("update edition set statut = $2 where id = $1")
        .bind(id)
        .bind(statut as i32)
        .execute(base)
        .await?;
    Ok(())
}

/// The edition that applied these bytes, none left out, and stands: what a later one changed
/// may well come back.
pub(crate) async fn deja_appliquee(pool: &PgPool, format: i32, sha256: &str) -> Resultat<Option<Edition>> {
    let rangee = sqlx::query(choisir!(
        "where format = $1 and sha256 = $2 and statut = 3 and not interne and etendue <> 2 and exclues = 0
           and not exists (
             select from edition e
             where e.format = edition.format and e.serie = edition.serie and e.statut = 3
               and not e.interne and e.debut > edition.debut)
         order by debut desc limit 1"
    ))
    .bind(format)
    .bind(sha256)
    .fetch_optional(pool)
    .await?;
    rangee.as_ref().map(lire_edition).transpose()
}

/// The last whole edition applied of a series of files.
pub(crate) async fn derniere(pool: &PgPool, format: i32, serie: &str) -> Resultat<Option<Derniere>> {
    let rangee = sqlx::query(
        "select cle, schema, taille, rapport from edition
         where format = $1 and serie = $2 and statut = 3 and not interne and etendue = 0
         order by debut desc limit 1",
    )
    .bind(format)
    .bind(serie)
    .fetch_optional(pool)
    .await?;
    let Some(r) = rangee else {
        return Ok(None);
    };
    let rapport: Option<Vec<u8>> = r.try_get("rapport")?;
    Ok(Some(Derniere {
        cle: r.try_get("cle")?,
        schema: r.try_get("schema")?,
        taille: naturel(r.try_get("taille")?),
        rapport: RapportEdition::decode(rapport.unwrap_or_default().as_slice())?,
    }))
}

/// One edition, and the one it undoes.
pub(crate) async fn lire(base: impl PgExecutor<'_>, id: Uuid) -> Resultat<Option<(Edition, Option<Uuid>)>> {
    let rangee = sqlx::query(
        "select id, format, nom, sha256, debut, fin, rapport, statut, operateur, cle, annule
         from edition where id = $1",
    )
    .bind(id)
    .fetch_optional(base)
    .await?;
    rangee.as_ref().map(|r| Ok((lire_edition(r)?, r.try_get("annule")?))).transpose()
}

/// Editions, newest first.
pub(crate) async fn lister(pool: &PgPool, limite: i32) -> Resultat<Vec<Edition>> {
    let limite = if limite <= 0 { 20 } else { limite.min(100) };
    let rangees = sqlx::query(choisir!("order by debut desc, id desc limit $1"))
        .bind(i64::from(limite))
        .fetch_all(pool)
        .await?;
    rangees.iter().map(lire_edition).collect()
}

/// What the state of the channels is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Canaux {
    /// Last edition applied, one a format.
    pub appliquees: Vec<Edition>,
    /// Editions being loaded, newest first; one that died goes after 12 hours.
    pub en_cours: Vec<Edition>,
    /// Editions held for a person, newest first, that no later one replaced.
    pub retenues: Vec<Edition>,
}

/// The editions that make the state of the channels.
pub(crate) async fn canaux(pool: &PgPool) -> Resultat<Canaux> {
    let lus = [
        choisir!(
            "where id in (select distinct on (format) id from edition
                      where statut = 3 and not interne order by format, debut desc)
                  order by format"
        ),
        choisir!("where statut = 1 and debut > now() - interval '12 hours' order by debut desc limit 100"),
        choisir!(
            "where statut = 2 and not exists (select 1 from edition a where a.format = edition.format
                      and a.statut = 3 and not a.interne and a.debut > edition.debut)
                  order by debut desc limit 100"
        ),
    ];
    let mut editions = Vec::with_capacity(lus.len());
    for requete in lus {
        let rangees = sqlx::query(requete).fetch_all(pool).await?;
        editions.push(rangees.iter().map(lire_edition).collect::<Resultat<Vec<_>>>()?);
    }
    let mut editions = editions.into_iter();
    let mut suivantes = || editions.next().unwrap_or_default();
    Ok(Canaux { appliquees: suivantes(), en_cours: suivantes(), retenues: suivantes() })
}

fn lire_edition(r: &PgRow) -> Resultat<Edition> {
    let rapport: Option<Vec<u8>> = r.try_get("rapport")?;
    Ok(Edition {
        id: r.try_get::<Uuid, _>("id")?.to_string(),
        format: r.try_get("format")?,
        nom: r.try_get("nom")?,
        sha256: r.try_get("sha256")?,
        debut: Some(horodatage(r.try_get("debut")?)),
        fin: r.try_get::<Option<_>, _>("fin")?.map(horodatage),
        rapport: rapport.map(|o| RapportEdition::decode(o.as_slice())).transpose()?,
        statut: r.try_get("statut")?,
        operateur: r.try_get("operateur")?,
        cle: r.try_get("cle")?,
    })
}
