//! Tables of the usage of codes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ror_chassis::Resultat;
use ror_proto::nomenclatures::v1::UsageGenre;
use sqlx::{PgConnection, PgPool};

use super::codes::Codes;

/// Codes asked in one statement.
const LOT: usize = 5_000;

/// A resource at one version, with its codes.
pub struct Ressource {
    /// Kind.
    pub genre: String,
    /// Technical id.
    pub id: String,
    /// INSEE region, empty when none.
    pub region: String,
    /// Version.
    pub version: i64,
    /// Codes; none once withdrawn.
    pub codes: Codes,
}

/// Kind and id.
type Cle = (String, String);

/// What the table holds of a resource.
struct Tenue {
    region: String,
    version: i64,
    codes: Vec<i64>,
}

/// Counts resources in place of what they were; one resource at most once in `ressources`.
/// Older versions than those held change nothing.
pub async fn poser(tx: &mut PgConnection, mut ressources: Vec<Ressource>) -> Resultat<()> {
    let tenues = lire_tenues(tx, &ressources).await?;
    ressources.retain(|r| tenues.get(&(r.genre.clone(), r.id.clone())).is_none_or(|t| t.version < r.version));
    if ressources.is_empty() {
        return Ok(());
    }
    let numeros = numeroter(tx, &ressources).await?;
    // Code, kind and region: how many more, or fewer.
    let mut ecarts: BTreeMap<(i64, &str, &str), i64> = BTreeMap::new();
    for r in &ressources {
        if let Some(t) = tenues.get(&(r.genre.clone(), r.id.clone())) {
            for code in &t.codes {
                *ecarts.entry((*code, r.genre.as_str(), t.region.as_str())).or_default() -= 1;
            }
        }
        for code in r.codes.iter().filter_map(|c| numeros.get(c)) {
            *ecarts.entry((*code, r.genre.as_str(), r.region.as_str())).or_default() += 1;
        }
    }
    ecarts.retain(|_, n| *n != 0);
    ecrire_ressources(tx, &ressources, &numeros).await?;
    ecrire_comptes(tx, &ecarts).await
}

async fn lire_tenues(tx: &mut PgConnection, ressources: &[Ressource]) -> Resultat<HashMap<Cle, Tenue>> {
    let genres: Vec<&str> = ressources.iter().map(|r| r.genre.as_str()).collect();
    let ids: Vec<&str> = ressources.iter().map(|r| r.id.as_str()).collect();
    let lignes: Vec<(String, String, String, i64, Vec<i64>)> = sqlx::query_as(
        "select u.genre, u.agregat_id, u.region, u.version, u.codes from usage_ressource u
         join unnest($1::text[], $2::text[]) as d(genre, id) on d.genre = u.genre and d.id = u.agregat_id",
    )
    .bind(&genres)
    .bind(&ids)
    .fetch_all(tx)
    .await?;
    Ok(lignes
        .into_iter()
        .map(|(genre, id, region, version, codes)| ((genre, id), Tenue { region, version, codes }))
        .collect())
}

/// The number of each code, given in the order of the codes so that two followers cannot deadlock.
async fn numeroter(
    tx: &mut PgConnection,
    ressources: &[Ressource],
) -> Resultat<HashMap<(String, String), i64>> {
    let codes: BTreeSet<&(String, String)> = ressources.iter().flat_map(|r| &r.codes).collect();
    let systemes: Vec<&str> = codes.iter().map(|(s, _)| s.as_str()).collect();
    let valeurs: Vec<&str> = codes.iter().map(|(_, c)| c.as_str()).collect();
    sqlx::query(
        "insert into code_utilise (systeme, code)
         select d.systeme, d.code from unnest($1::text[], $2::text[]) with ordinality as d(systeme, code, rang)
         where not exists (select 1 from code_utilise c where c.systeme = d.systeme and c.code = d.code)
         order by d.rang
         on conflict (systeme, code) do nothing",
    )
    .bind(&systemes)
    .bind(&valeurs)
    .execute(&mut *tx)
    .await?;
    let lignes: Vec<(String, String, i64)> = sqlx::query_as(
        "select c.systeme, c.code, c.id from code_utilise c
         join unnest($1::text[], $2::text[]) as d(systeme, code) on d.systeme = c.systeme and d.code = c.code",
    )
    .bind(&systemes)
    .bind(&valeurs)
    .fetch_all(&mut *tx)
    .await?;
    Ok(lignes.into_iter().map(|(s, c, id)| ((s, c), id)).collect())
}

async fn ecrire_ressources(
    tx: &mut PgConnection,
    ressources: &[Ressource],
    numeros: &HashMap<(String, String), i64>,
) -> Resultat<()> {
    let (mut genres, mut ids, mut regions, mut versions) = (vec![], vec![], vec![], vec![]);
    // Which resource each code belongs to, by rank, and the code.
    let (mut rangs, mut codes) = (Vec::<i64>::new(), Vec::<i64>::new());
    for (r, rang) in ressources.iter().zip(1i64..) {
        genres.push(r.genre.as_str());
        ids.push(r.id.as_str());
        regions.push(r.region.as_str());
        versions.push(r.version);
        for code in r.codes.iter().filter_map(|c| numeros.get(c)) {
            rangs.push(rang);
            codes.push(*code);
        }
    }
    sqlx::query(
        "with c as (
             select rang, array_agg(code) as codes from unnest($5::bigint[], $6::bigint[]) as p(rang, code) group by rang
         )
         insert into usage_ressource (genre, agregat_id, region, version, codes)
         select r.genre, r.id, r.region, r.version, coalesce(c.codes, '{}')
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
              with ordinality as r(genre, id, region, version, rang)
         left join c on c.rang = r.rang
         on conflict (genre, agregat_id) do update
             set region = excluded.region, version = excluded.version, codes = excluded.codes",
    )
    .bind(&genres)
    .bind(&ids)
    .bind(&regions)
    .bind(&versions)
    .bind(&rangs)
    .bind(&codes)
    .execute(tx)
    .await?;
    Ok(())
}

async fn ecrire_comptes(tx: &mut PgConnection, ecarts: &BTreeMap<(i64, &str, &str), i64>) -> Resultat<()> {
    let (mut codes, mut genres, mut regions, mut nombres) = (vec![], vec![], vec![], vec![]);
    for ((code, genre, region), nombre) in ecarts {
        codes.push(*code);
        genres.push(*genre);
        regions.push(*region);
        nombres.push(*nombre);
    }
    sqlx::query(
        "insert into usage_compte (code_id, genre, region, nombre)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
         on conflict (code_id, genre, region) do update set nombre = usage_compte.nombre + excluded.nombre",
    )
    .bind(&codes)
    .bind(&genres)
    .bind(&regions)
    .bind(&nombres)
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts by code, kinds most first; codes that nothing uses are left out. Empty `genre` or
/// `region`: all.
pub async fn compter(
    pool: &PgPool,
    codes: &[(String, String)],
    genre: &str,
    region: &str,
) -> Resultat<HashMap<(String, String), Vec<UsageGenre>>> {
    let mut comptes: HashMap<(String, String), Vec<UsageGenre>> = HashMap::new();
    for lot in codes.chunks(LOT) {
        let systemes: Vec<&str> = lot.iter().map(|(s, _)| s.as_str()).collect();
        let valeurs: Vec<&str> = lot.iter().map(|(_, c)| c.as_str()).collect();
        let lignes: Vec<(String, String, String, i64)> = sqlx::query_as(
            "select c.systeme, c.code, u.genre, sum(u.nombre)::bigint from code_utilise c
             join (select distinct systeme, code from unnest($1::text[], $2::text[]) as e(systeme, code)) d
               on d.systeme = c.systeme and d.code = c.code
             join usage_compte u on u.code_id = c.id
             where ($3 = '' or u.genre = $3) and ($4 = '' or u.region = $4)
             group by c.systeme, c.code, u.genre having sum(u.nombre) > 0
             order by 4 desc, 3",
        )
        .bind(&systemes)
        .bind(&valeurs)
        .bind(genre)
        .bind(region)
        .fetch_all(pool)
        .await?;
        for (systeme, code, genre, nombre) in lignes {
            let usage = UsageGenre { genre, nombre: u64::try_from(nombre).unwrap_or(0) };
            comptes.entry((systeme, code)).or_default().push(usage);
        }
    }
    Ok(comptes)
}

/// The codes of a system after `apres` that resources use, in order, at most `limite`.
pub async fn codes_utilises(
    pool: &PgPool,
    systeme: &str,
    genre: &str,
    region: &str,
    apres: &str,
    limite: i64,
) -> Resultat<Vec<String>> {
    Ok(sqlx::query_scalar(
        "select c.code from code_utilise c
         where c.systeme = $1 and c.code > $2 and exists (
             select 1 from usage_compte u
             where u.code_id = c.id and u.nombre > 0 and ($3 = '' or u.genre = $3) and ($4 = '' or u.region = $4)
         )
         order by c.code limit $5",
    )
    .bind(systeme)
    .bind(apres)
    .bind(genre)
    .bind(region)
    .bind(limite)
    .fetch_all(pool)
    .await?)
}
