//! Consequences of the registries' changes.

use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
    page,
};
use ror_proto::offers::v1::{Consequence, EtatConsequence, ListConsequencesRequest};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};

use super::version;
use crate::consequences::{EnCours, Note, Regle};

macro_rules! consequences {
    ($suite:literal) => {
        concat!(
            "select id, ressource_id, genre, region, regle, cause_id, cause_version, origine, type_fermeture,
                    date_fermeture, vue_le, etat, decide_par, decide_le, motif, levee_le
             from consequence ",
            $suite
        )
    };
}

/// A consequence to keep.
pub(crate) struct Nouvelle {
    pub ressource_id: String,
    pub genre: &'static str,
    pub region: String,
    pub cause_id: String,
    pub cause_version: u64,
    pub origine: String,
    pub note: Note,
}

/// One at a time decides of consequences: the followers of every replica, and the persons.
pub(crate) async fn verrouiller(tx: &mut PgConnection) -> Resultat<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('consequence'))")
        .execute(tx)
        .await?;
    Ok(())
}

/// Consequences of these causes that still hold.
pub(crate) async fn en_cours(tx: &mut PgConnection, causes: &[String]) -> Resultat<Vec<EnCours>> {
    let rangees = sqlx::query(
        "select id, ressource_id, cause_id, regle, etat, type_fermeture, date_fermeture, decide_par
         from consequence where cause_id = any($1) and levee_le is null",
    )
    .bind(causes)
    .fetch_all(tx)
    .await?;
    let mut lues = Vec::with_capacity(rangees.len());
    for r in &rangees {
        // A rule of a later version of the product is not ours to follow.
        let Some(regle) = Regle::de_nom(r.try_get("regle")?) else { continue };
        lues.push(EnCours {
            id: r.try_get("id")?,
            ressource_id: r.try_get("ressource_id")?,
            cause_id: r.try_get("cause_id")?,
            regle,
            etat: EtatConsequence::try_from(r.try_get::<i32, _>("etat")?)
                .unwrap_or(EtatConsequence::Unspecified),
            type_fermeture: r.try_get("type_fermeture")?,
            date_fermeture: r.try_get("date_fermeture")?,
            automatique: r.try_get::<&str, _>("decide_par")?.is_empty(),
        });
    }
    Ok(lues)
}

/// Keeps consequences; one that holds already follows what it tells.
pub(crate) async fn noter(tx: &mut PgConnection, nouvelles: &[Nouvelle]) -> Resultat<()> {
    if nouvelles.is_empty() {
        return Ok(());
    }
    let champs = |lire: fn(&Nouvelle) -> &str| nouvelles.iter().map(lire).collect::<Vec<_>>();
    sqlx::query(
        "insert into consequence (ressource_id, genre, region, regle, cause_id, origine, type_fermeture,
                                  date_fermeture, cause_version, etat, vue_le)
         select x.*, $11
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::bigint[], $10::int[]) as x
         on conflict (ressource_id, regle, cause_id) where levee_le is null do update
            set cause_version = excluded.cause_version, origine = excluded.origine,
                type_fermeture = excluded.type_fermeture, date_fermeture = excluded.date_fermeture",
    )
    .bind(champs(|n| &n.ressource_id))
    .bind(champs(|n| n.genre))
    .bind(champs(|n| &n.region))
    .bind(champs(|n| n.note.regle.nom()))
    .bind(champs(|n| &n.cause_id))
    .bind(champs(|n| &n.origine))
    .bind(champs(|n| n.note.type_fermeture))
    .bind(champs(|n| &n.note.date_fermeture))
    .bind(nouvelles.iter().map(|n| version(n.cause_version)).collect::<Vec<_>>())
    .bind(nouvelles.iter().map(|n| n.note.etat as i32).collect::<Vec<_>>())
    .bind(maintenant())
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends consequences whose cause ended; what nobody had decided is lifted.
pub(crate) async fn lever(tx: &mut PgConnection, ids: &[String]) -> Resultat<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update consequence set levee_le = $2, etat = case when etat = $3 then $4 else etat end
         where id = any($1) and levee_le is null",
    )
    .bind(ids)
    .bind(maintenant())
    .bind(EtatConsequence::AControler as i32)
    .bind(EtatConsequence::Levee as i32)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the consequences of what these resources no longer hang on.
pub(crate) async fn lever_deplacees(tx: &mut PgConnection, ressources: &[&str]) -> Resultat<()> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select c.id from consequence c
         where c.ressource_id = any($1) and c.levee_le is null and not exists (
            select 1 from identifiant i left join structure s on s.id = i.valeur
            where i.id = c.ressource_id and i.systeme in ('structure', 'professionnel')
              and (i.valeur = c.cause_id or s.parent_id = c.cause_id))",
    )
    .bind(ressources)
    .fetch_all(&mut *tx)
    .await?;
    lever(tx, &ids).await
}

/// One consequence, locked.
pub(crate) async fn verrouillee(tx: &mut PgConnection, id: &str) -> Resultat<Option<Consequence>> {
    sqlx::query(consequences!("where id = $1 for update"))
        .bind(id)
        .fetch_optional(tx)
        .await?
        .as_ref()
        .map(consequence)
        .transpose()
}

/// Keeps what a person decided.
pub(crate) async fn decider(tx: &mut PgConnection, c: &Consequence) -> Resultat<()> {
    sqlx::query(
        "update consequence set etat = $2, decide_par = $3, decide_le = $4, motif = $5 where id = $1",
    )
    .bind(&c.id)
    .bind(c.etat)
    .bind(&c.decide_par)
    .bind(maintenant())
    .bind(&c.motif)
    .execute(tx)
    .await?;
    Ok(())
}

/// A page of consequences, newest first; the token of the next one is empty at the end.
pub(crate) async fn lister(
    pool: &PgPool,
    r: &ListConsequencesRequest,
) -> Resultat<(Vec<Consequence>, String)> {
    let etat = r.etat.to_string();
    let filtre = [etat.as_str(), r.region.as_str(), r.ressource_id.as_str(), r.cause_id.as_str()];
    let taille = page::taille(r.page_size)?;
    let apres = page::lire(&r.page_token, &filtre)?;
    let rangees = sqlx::query(consequences!(
        "where ($1 = 0 or etat = $1) and ($2 = '' or region = $2) and ($3 = '' or ressource_id = $3)
           and ($4 = '' or cause_id = $4)
           and ($5 = '' or (vue_le, id) < (select d.vue_le, d.id from consequence d where d.id = $5))
         order by vue_le desc, id desc limit $6"
    ))
    .bind(r.etat)
    .bind(&r.region)
    .bind(&r.ressource_id)
    .bind(&r.cause_id)
    .bind(apres)
    .bind(taille + 1)
    .fetch_all(pool)
    .await?;
    let mut lues = rangees.iter().map(consequence).collect::<Resultat<Vec<_>>>()?;
    let mut suite = String::new();
    if lues.len() as i64 > taille {
        lues.truncate(usize::try_from(taille).unwrap_or(0));
        if let Some(d) = lues.last() {
            suite = page::jeton(&d.id, &filtre);
        }
    }
    Ok((lues, suite))
}

fn consequence(r: &PgRow) -> Resultat<Consequence> {
    let regle: String = r.try_get("regle")?;
    let date_fermeture: String = r.try_get("date_fermeture")?;
    Ok(Consequence {
        id: r.try_get("id")?,
        ressource_id: r.try_get("ressource_id")?,
        genre: r.try_get("genre")?,
        region: r.try_get("region")?,
        message: Regle::de_nom(&regle).map(|r| r.message(&date_fermeture)).unwrap_or_default(),
        regle,
        cause_id: r.try_get("cause_id")?,
        cause_version: u64::try_from(r.try_get::<i64, _>("cause_version")?).unwrap_or(0),
        origine: r.try_get("origine")?,
        type_fermeture: r.try_get("type_fermeture")?,
        date_fermeture,
        vue_le: Some(horodatage(r.try_get("vue_le")?)),
        etat: r.try_get("etat")?,
        decide_par: r.try_get("decide_par")?,
        decide_le: r.try_get::<Option<_>, _>("decide_le")?.map(horodatage),
        motif: r.try_get("motif")?,
        levee_le: r.try_get::<Option<_>, _>("levee_le")?.map(horodatage),
    })
}
