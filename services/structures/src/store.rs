//! Tables beside the mechanism: anomalies, and numbers that succeed others.

use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
    page,
};
use ror_proto::structures::v1::{Anomalie, EtatAnomalie, ListAnomaliesRequest};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};

/// Days a correction of an address waits for FINESS.
const PATIENCE: &str = "180 days";

/// A disagreement to keep.
pub(crate) struct Constatee {
    pub structure_id: String,
    pub region: String,
    pub regle: &'static str,
    pub champ: &'static str,
    pub valeur_ror: String,
    pub valeur_recue: String,
    pub source: String,
}

/// A disagreement still open.
pub(crate) struct Ouverte {
    pub id: String,
    pub structure_id: String,
    pub regle: String,
    pub champ: String,
    pub valeur_ror: String,
    pub valeur_recue: String,
}

/// A number that succeeds another.
pub(crate) struct Succession {
    pub nouveau: String,
    pub ancien: String,
    pub tenu: String,
}

/// Keeps disagreements; one already open is seen again, and counts from now when what is kept changed.
pub(crate) async fn constater(tx: &mut PgConnection, constatees: &[Constatee]) -> Resultat<()> {
    if constatees.is_empty() {
        return Ok(());
    }
    let champs = |lire: fn(&Constatee) -> &str| constatees.iter().map(lire).collect::<Vec<_>>();
    sqlx::query(
        "insert into anomalie as a
            (structure_id, region, regle, champ, valeur_ror, valeur_recue, source, vue_le, revue_le, etat)
         select x.*, $8, $8, $9
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as x
         on conflict (structure_id, regle, champ) where etat = 1 do update
            set valeur_ror = excluded.valeur_ror, valeur_recue = excluded.valeur_recue,
                source = excluded.source, revue_le = excluded.revue_le,
                vue_le = case when a.valeur_ror = excluded.valeur_ror then a.vue_le else excluded.vue_le end",
    )
    .bind(champs(|c| &c.structure_id))
    .bind(champs(|c| &c.region))
    .bind(champs(|c| c.regle))
    .bind(champs(|c| c.champ))
    .bind(champs(|c| &c.valeur_ror))
    .bind(champs(|c| &c.valeur_recue))
    .bind(champs(|c| &c.source))
    .bind(maintenant())
    .bind(EtatAnomalie::Ouverte as i32)
    .execute(tx)
    .await?;
    Ok(())
}

/// Disagreements open about these structures.
pub(crate) async fn ouvertes(tx: &mut PgConnection, structures: &[String]) -> Resultat<Vec<Ouverte>> {
    let rangees = sqlx::query(
        "select id, structure_id, regle, champ, valeur_ror, valeur_recue from anomalie
         where structure_id = any($1) and etat = 1",
    )
    .bind(structures)
    .fetch_all(tx)
    .await?;
    rangees
        .iter()
        .map(|r| {
            Ok(Ouverte {
                id: r.try_get("id")?,
                structure_id: r.try_get("structure_id")?,
                regle: r.try_get("regle")?,
                champ: r.try_get("champ")?,
                valeur_ror: r.try_get("valeur_ror")?,
                valeur_recue: r.try_get("valeur_recue")?,
            })
        })
        .collect()
}

/// The values of open disagreements that moved without agreeing.
pub(crate) async fn actualiser(tx: &mut PgConnection, deplacees: &[Ouverte]) -> Resultat<()> {
    if deplacees.is_empty() {
        return Ok(());
    }
    let champs = |lire: fn(&Ouverte) -> &str| deplacees.iter().map(lire).collect::<Vec<_>>();
    sqlx::query(
        "update anomalie a set valeur_ror = x.valeur_ror, valeur_recue = x.valeur_recue, revue_le = $4
         from unnest($1::text[], $2::text[], $3::text[]) as x(id, valeur_ror, valeur_recue)
         where a.id = x.id",
    )
    .bind(champs(|o| &o.id))
    .bind(champs(|o| &o.valeur_ror))
    .bind(champs(|o| &o.valeur_recue))
    .bind(maintenant())
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends open disagreements.
pub(crate) async fn clore(tx: &mut PgConnection, ids: &[String], etat: EtatAnomalie) -> Resultat<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("update anomalie set etat = $2, close_le = $3 where id = any($1) and etat = 1")
        .bind(ids)
        .bind(etat as i32)
        .bind(maintenant())
        .execute(tx)
        .await?;
    Ok(())
}

/// Corrections that waited too long, oldest first: id of the anomaly, id of the structure.
pub(crate) async fn echues(pool: &PgPool, regle: &str) -> Resultat<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "select id, structure_id from anomalie
         where regle = $1 and etat = 1 and vue_le < now() - $2::interval order by vue_le limit 500",
    )
    .bind(regle)
    .bind(PATIENCE)
    .fetch_all(pool)
    .await?)
}

/// A page of anomalies, newest first; the token of the next one is empty at the end.
pub(crate) async fn lister(pool: &PgPool, r: &ListAnomaliesRequest) -> Resultat<(Vec<Anomalie>, String)> {
    let etat = r.etat.to_string();
    let filtre = [etat.as_str(), r.structure_id.as_str(), r.region.as_str()];
    let taille = page::taille(r.page_size)?;
    let apres = page::lire(&r.page_token, &filtre)?;
    let rangees = sqlx::query(
        "select id, structure_id, region, regle, champ, valeur_ror, valeur_recue, source, vue_le, revue_le,
                etat, close_le
         from anomalie
         where ($1 = 0 or etat = $1) and ($2 = '' or structure_id = $2) and ($3 = '' or region = $3)
           and ($4 = '' or (vue_le, id) < (select d.vue_le, d.id from anomalie d where d.id = $4))
         order by vue_le desc, id desc limit $5",
    )
    .bind(r.etat)
    .bind(&r.structure_id)
    .bind(&r.region)
    .bind(apres)
    .bind(taille + 1)
    .fetch_all(pool)
    .await?;
    let mut anomalies = rangees.iter().map(anomalie).collect::<Resultat<Vec<_>>>()?;
    let mut suite = String::new();
    if anomalies.len() as i64 > taille {
        anomalies.truncate(usize::try_from(taille).unwrap_or(0));
        if let Some(d) = anomalies.last() {
            suite = page::jeton(&d.id, &filtre);
        }
    }
    Ok((anomalies, suite))
}

fn anomalie(r: &PgRow) -> Resultat<Anomalie> {
    Ok(Anomalie {
        id: r.try_get("id")?,
        structure_id: r.try_get("structure_id")?,
        region: r.try_get("region")?,
        regle: r.try_get("regle")?,
        champ: r.try_get("champ")?,
        valeur_ror: r.try_get("valeur_ror")?,
        valeur_recue: r.try_get("valeur_recue")?,
        source: r.try_get("source")?,
        vue_le: Some(horodatage(r.try_get("vue_le")?)),
        revue_le: Some(horodatage(r.try_get("revue_le")?)),
        etat: r.try_get("etat")?,
        close_le: r.try_get::<Option<_>, _>("close_le")?.map(horodatage),
    })
}

/// Successions these numbers take part in, on either side.
pub(crate) async fn successions(tx: &mut PgConnection, numeros: &[String]) -> Resultat<Vec<Succession>> {
    let lues: Vec<(String, String, String)> = sqlx::query_as(
        "select finess_nouveau, finess_ancien, id_tenu from succession
         where finess_nouveau = any($1) or finess_ancien = any($1)",
    )
    .bind(numeros)
    .fetch_all(tx)
    .await?;
    Ok(lues.into_iter().map(|(nouveau, ancien, tenu)| Succession { nouveau, ancien, tenu }).collect())
}

/// Keeps a succession.
pub(crate) async fn succeder(tx: &mut PgConnection, s: &Succession, origine: &str) -> Resultat<()> {
    sqlx::query(
        "insert into succession (finess_nouveau, finess_ancien, id_tenu, origine, faite_le)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(&s.nouveau)
    .bind(&s.ancien)
    .bind(&s.tenu)
    .bind(origine)
    .bind(maintenant())
    .execute(tx)
    .await?;
    Ok(())
}

/// Structures of a kind whose state names an id: candidates for a reference to it. The
/// states are scanned, since a person's decision that needs it is rare.
pub(crate) async fn qui_nomment(tx: &mut PgConnection, genre: &str, id: &str) -> Resultat<Vec<String>> {
    Ok(sqlx::query_scalar(
        "select id from agregat where genre = $1 and not retire and position($2::bytea in etat) > 0 order by id",
    )
    .bind(genre)
    .bind(id.as_bytes())
    .fetch_all(tx)
    .await?)
}
