//! What editions changed.

use futures::TryStreamExt;
use prost::Message;
use ror_chassis::{
    Resultat,
    conversion::horodatage,
    magasin::{self, Copie},
    page,
};
use ror_proto::identity::v1::Changement;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::{couper, lire_id, naturel};

/// Rows of one statement.
const MORCEAU: usize = 5_000;

/// Adds the changes of an edition with their ranks.
pub(crate) async fn ajouter(
    tx: &mut PgConnection,
    edition: Uuid,
    changements: Vec<(u64, Changement)>,
) -> Resultat<()> {
    for morceau in changements.chunks(MORCEAU) {
        copier(tx, encoder(edition, morceau.iter().map(|(rang, c)| (*rang, c)))).await?;
    }
    Ok(())
}

/// The rows of changes, with their ranks. What the columns hold is left out of the message.
pub(crate) fn encoder<'c>(
    edition: Uuid,
    changements: impl IntoIterator<Item = (u64, &'c Changement)>,
) -> Copie {
    let mut copie = Copie::default();
    for (rang, c) in changements {
        let charge = Changement {
            id: String::new(),
            version: 0,
            edition_id: String::new(),
            connu_le: None,
            ..c.clone()
        };
        copie.rangee(5).uuid(edition).entier(rang).texte(&c.id).entier(c.version);
        copie.octets(&charge.encode_to_vec());
    }
    copie
}

/// Adds such rows.
pub(crate) async fn copier(tx: &mut PgConnection, rangees: Copie) -> Resultat<()> {
    let instruction = "copy changement (edition_id, rang, id, version, charge) from stdin (format binary)";
    magasin::copier(tx, instruction, rangees).await
}

/// A page of the changes that answer a condition; a plan is good for any value: one condition a way to
/// find them.
macro_rules! page {
    ($condition:literal) => {
        concat!(
            "select c.edition_id, c.rang, c.id, c.version, c.charge, coalesce(e.fin, e.debut) as connu_le
             from changement c join edition e on e.id = c.edition_id
             where ($1::uuid is null or c.edition_id = $1) and ",
            $condition,
            " and (c.edition_id, c.rang) > ($3, $4)
             order by c.edition_id, c.rang limit $5"
        )
    };
}

/// Changes in the order they were applied: of an edition, of a record, or all.
pub(crate) async fn lister(
    pool: &PgPool,
    edition: &str,
    id: &str,
    taille: i32,
    jeton: &str,
) -> Resultat<(Vec<Changement>, String)> {
    let voulue = if edition.is_empty() { None } else { Some(lire_id("edition_id", edition)?) };
    let taille = page::taille(taille)?;
    let filtre = [edition, id];
    let (apres_edition, apres_rang) = lire_cle(&page::lire(jeton, &filtre)?);
    let requete = if id.is_empty() { page!("$2 = ''") } else { page!("c.id = $2") };
    let rangees = sqlx::query(requete)
        .bind(voulue)
        .bind(id)
        .bind(apres_edition)
        .bind(apres_rang)
        .bind(taille + 1)
        .fetch_all(pool)
        .await?;
    let mut lus = rangees
        .iter()
        .map(|r| {
            let edition: Uuid = r.try_get("edition_id")?;
            let mut c = Changement::decode(r.try_get::<&[u8], _>("charge")?)?;
            c.id = r.try_get("id")?;
            c.version = naturel(r.try_get("version")?);
            c.edition_id = edition.to_string();
            c.connu_le = Some(horodatage(r.try_get("connu_le")?));
            Ok((r.try_get::<i64, _>("rang")?, c))
        })
        .collect::<Resultat<Vec<_>>>()?;
    let suite = couper(&mut lus, taille, &filtre, |(rang, c)| format!("{}/{rang}", c.edition_id));
    Ok((lus.into_iter().map(|(_, c)| c).collect(), suite))
}

/// Edition and rank of the last change of a page.
fn lire_cle(cle: &str) -> (Uuid, i64) {
    let (edition, rang) = cle.split_once('/').unwrap_or_default();
    (Uuid::parse_str(edition).unwrap_or_default(), rang.parse().unwrap_or(-1))
}

/// What an edition wrote of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ecrit {
    /// Technical id.
    pub id: String,
    /// First version it wrote.
    pub premiere: u64,
    /// Last version it wrote.
    pub derniere: u64,
}

/// Every record an edition wrote.
pub(crate) async fn ecrits(tx: &mut PgConnection, edition: Uuid) -> Resultat<Vec<Ecrit>> {
    let mut rangees = sqlx::query(
        "select id, min(version), max(version) from changement
         where edition_id = $1 and version > 0 group by id",
    )
    .bind(edition)
    .fetch(tx);
    let mut ecrits = Vec::new();
    while let Some(r) = rangees.try_next().await? {
        ecrits.push(Ecrit {
            id: r.try_get(0)?,
            premiere: naturel(r.try_get(1)?),
            derniere: naturel(r.try_get(2)?),
        });
    }
    Ok(ecrits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_key_is_read_back() {
        let edition = Uuid::now_v7();
        assert_eq!(lire_cle(&format!("{edition}/12")), (edition, 12));
        assert_eq!(lire_cle(""), (Uuid::nil(), -1));
    }
}
