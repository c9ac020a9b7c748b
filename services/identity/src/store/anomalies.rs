//! What a person should look at.

use futures::TryStreamExt;
use prost::Message;
use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
    page,
};
use ror_proto::identity::v1::{Anomalie, StatutAnomalie};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::couper;

/// Half a SHA-256 of texts.
pub(crate) type Empreinte = [u8; 16];

fn empreinte(textes: [&str; 3]) -> Empreinte {
    let mut hache = Sha256::new();
    for texte in textes {
        hache.update(texte.as_bytes());
        hache.update([0]);
    }
    let mut moitie = Empreinte::default();
    moitie.copy_from_slice(&hache.finalize()[..16]);
    moitie
}

/// What an anomaly is about: rule, record and field.
pub(crate) fn objet(a: &Anomalie) -> Empreinte {
    empreinte([&a.regle, &a.ressource_id, &a.champ])
}

/// What it says of it.
pub(crate) fn valeurs(a: &Anomalie) -> Empreinte {
    empreinte([&a.valeur_connue, &a.valeur_recue, ""])
}

/// An anomaly that stands: open, or decided by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connue {
    /// Id.
    pub id: Uuid,
    /// See [`objet`].
    pub objet: Empreinte,
    /// See [`valeurs`].
    pub valeurs: Empreinte,
    /// True while it awaits a person.
    pub ouverte: bool,
}

/// Those that stand of these rules and kinds, oldest first.
pub(crate) async fn connues(
    tx: &mut PgConnection,
    regles: &[&str],
    genres: &[&str],
) -> Resultat<Vec<Connue>> {
    let mut rangees = sqlx::query(
        "select id, regle, ressource_id, champ, valeurs, statut from anomalie
         where regle = any($1) and genre = any($2) and statut in (1, 2, 3) order by id",
    )
    .bind(regles)
    .bind(genres)
    .fetch(tx);
    let mut connues = Vec::new();
    while let Some(r) = rangees.try_next().await? {
        connues.push(Connue {
            id: r.try_get(0)?,
            objet: empreinte([r.try_get(1)?, r.try_get(2)?, r.try_get(3)?]),
            valeurs: r.try_get::<&[u8], _>(4)?.try_into().unwrap_or_default(),
            ouverte: r.try_get::<i32, _>(5)? == StatutAnomalie::Ouverte as i32,
        });
    }
    Ok(connues)
}

/// Opens anomalies, those already open for the same rule, record and field left as they are.
pub(crate) async fn ouvrir(tx: &mut PgConnection, edition: Uuid, anomalies: &[Anomalie]) -> Resultat<()> {
    let ids: Vec<Uuid> = anomalies.iter().map(|_| Uuid::now_v7()).collect();
    let textes = |champ: fn(&Anomalie) -> &str| anomalies.iter().map(champ).collect::<Vec<&str>>();
    let valeurs: Vec<Vec<u8>> = anomalies.iter().map(|a| valeurs(a).to_vec()).collect();
    let charges: Vec<Vec<u8>> = anomalies.iter().map(Message::encode_to_vec).collect();
    sqlx::query(
        "insert into anomalie (edition_id, vue_le, statut, id, regle, genre, ressource_id, cle, champ, valeurs, charge)
         select $1, $2, $3, x.* from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::bytea[], $11::bytea[]) as x
         on conflict do nothing",
    )
    .bind(edition)
    .bind(maintenant())
    .bind(StatutAnomalie::Ouverte as i32)
    .bind(&ids)
    .bind(textes(|a| &a.regle))
    .bind(textes(|a| &a.genre))
    .bind(textes(|a| &a.ressource_id))
    .bind(textes(|a| &a.cle))
    .bind(textes(|a| &a.champ))
    .bind(&valeurs)
    .bind(&charges)
    .execute(tx)
    .await?;
    Ok(())
}

/// Open anomalies that now say something else.
pub(crate) async fn actualiser(
    tx: &mut PgConnection,
    edition: Uuid,
    anomalies: &[(Uuid, Anomalie)],
) -> Resultat<()> {
    let ids: Vec<Uuid> = anomalies.iter().map(|(id, _)| *id).collect();
    let valeurs: Vec<Vec<u8>> = anomalies.iter().map(|(_, a)| valeurs(a).to_vec()).collect();
    let charges: Vec<Vec<u8>> = anomalies.iter().map(|(_, a)| a.encode_to_vec()).collect();
    sqlx::query(
        "update anomalie set edition_id = $1, valeurs = x.valeurs, charge = x.charge
         from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as x(id, valeurs, charge) where anomalie.id = x.id",
    )
    .bind(edition)
    .bind(&ids)
    .bind(&valeurs)
    .bind(&charges)
    .execute(tx)
    .await?;
    Ok(())
}

/// These are no longer true.
pub(crate) async fn resoudre(tx: &mut PgConnection, ids: &[Uuid]) -> Resultat<()> {
    sqlx::query("update anomalie set statut = $2 where id = any($1) and statut = 1")
        .bind(ids)
        .bind(StatutAnomalie::Resolue as i32)
        .execute(tx)
        .await?;
    Ok(())
}

/// The open ones of a rule about these records are no longer true.
pub(crate) async fn resoudre_selon(
    tx: &mut PgConnection,
    regle: &str,
    ressources: &[String],
) -> Resultat<()> {
    sqlx::query("update anomalie set statut = $3 where regle = $1 and ressource_id = any($2) and statut = 1")
        .bind(regle)
        .bind(ressources)
        .bind(StatutAnomalie::Resolue as i32)
        .execute(tx)
        .await?;
    Ok(())
}

/// What an edition that is undone showed is no longer true.
pub(crate) async fn resoudre_edition(tx: &mut PgConnection, edition: Uuid) -> Resultat<()> {
    sqlx::query("update anomalie set statut = $2 where edition_id = $1 and statut = 1")
        .bind(edition)
        .bind(StatutAnomalie::Resolue as i32)
        .execute(tx)
        .await?;
    Ok(())
}

/// Anomalies, newest first.
pub(crate) async fn lister(
    pool: &PgPool,
    statut: StatutAnomalie,
    regle: &str,
    cle: &str,
    taille: i32,
    jeton: &str,
) -> Resultat<(Vec<Anomalie>, String)> {
    let taille = page::taille(taille)?;
    let filtre = [statut.as_str_name(), regle, cle];
    let avant = Uuid::parse_str(&page::lire(jeton, &filtre)?).unwrap_or(Uuid::max());
    let rangees = sqlx::query(
        "select id, edition_id, vue_le, statut, decide_par, decide_le, charge from anomalie
         where id < $1 and ($2 = 0 or statut = $2) and ($3 = '' or regle = $3) and ($4 = '' or cle = $4)
         order by id desc limit $5",
    )
    .bind(avant)
    .bind(statut as i32)
    .bind(regle)
    .bind(cle)
    .bind(taille + 1)
    .fetch_all(pool)
    .await?;
    let mut anomalies = rangees.iter().map(lire_anomalie).collect::<Resultat<Vec<_>>>()?;
    let suite = couper(&mut anomalies, taille, &filtre, |a| a.id.clone());
    Ok((anomalies, suite))
}

/// One anomaly, locked until the end of the transaction.
pub(crate) async fn verrouiller(tx: &mut PgConnection, id: Uuid) -> Resultat<Option<Anomalie>> {
    let rangee = sqlx::query(
        "select id, edition_id, vue_le, statut, decide_par, decide_le, charge from anomalie
         where id = $1 for update",
    )
    .bind(id)
    .fetch_optional(tx)
    .await?;
    rangee.as_ref().map(lire_anomalie).transpose()
}

/// What a person decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision<'a> {
    /// State after it.
    pub statut: StatutAnomalie,
    /// Who.
    pub operateur: &'a str,
    /// Why.
    pub motif: &'a str,
    /// When.
    pub date: OffsetDateTime,
}

/// Records a decision.
pub(crate) async fn decider(tx: &mut PgConnection, id: Uuid, d: Decision<'_>) -> Resultat<()> {
    sqlx::query("update anomalie set statut = $2, decide_par = $3, decide_le = $4, motif = $5 where id = $1")
        .bind(id)
        .bind(d.statut as i32)
        .bind(d.operateur)
        .bind(d.date)
        .bind(d.motif)
        .execute(tx)
        .await?;
    Ok(())
}

fn lire_anomalie(r: &PgRow) -> Resultat<Anomalie> {
    let mut a = Anomalie::decode(r.try_get::<&[u8], _>("charge")?)?;
    a.id = r.try_get::<Uuid, _>("id")?.to_string();
    a.edition_id = r.try_get::<Uuid, _>("edition_id")?.to_string();
    a.vue_le = Some(horodatage(r.try_get("vue_le")?));
    a.statut = r.try_get("statut")?;
    a.decide_par = r.try_get("decide_par")?;
    a.decide_le = r.try_get::<Option<_>, _>("decide_le")?.map(horodatage);
    Ok(a)
}
