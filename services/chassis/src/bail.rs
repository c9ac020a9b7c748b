//! Writer leases: the fence that makes "one writer" a database fact.
//!
//! A write holds an advisory lock shared by all writes of its region and domain
//! until it commits; installing a lease takes the same lock alone. So when a new
//! lease stands, no write of the former one is still under way, and none can come.

use ror_proto::common::v1::{Bail, Canal, Provenance};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};

use crate::{Erreur, Resultat, erreur::faute};

/// Rule named by refusals of the lease.
pub const REGLE: &str = "bail-d-ecriture";

fn cle(region: &str, domaine: &str) -> i64 {
    let h = Sha256::digest(format!("bail/{region}/{domaine}"));
    let mut o = [0u8; 8];
    o.copy_from_slice(&h[..8]);
    i64::from_be_bytes(o)
}

/// Statement that opens the transaction of a leased write; `None` outside the leases.
pub fn verrou_partage(p: &Provenance, domaine: Option<&str>) -> Option<String> {
    let domaine = domaine?;
    (p.canal() != Canal::Referentiel)
        .then(|| format!("begin; select pg_advisory_xact_lock_shared({})", cle(&p.region, domaine)))
}

/// The lease in force: writer and epoch.
pub async fn lire(tx: &mut PgConnection, region: &str, domaine: &str) -> Resultat<Option<(i32, i64)>> {
    Ok(sqlx::query_as("select ecrivain, epoque from bail where region = $1 and domaine = $2")
        .bind(region)
        .bind(domaine)
        .fetch_optional(tx)
        .await?)
}

/// Whether this provenance may write under the lease read in its transaction.
pub fn verifier(p: &Provenance, domaine: &str, bail: Option<(i32, i64)>) -> Resultat<()> {
    let refus = |message: String, attendu: &str| {
        Err(Erreur::Regle(vec![faute("provenance", REGLE, message, attendu)]))
    };
    match p.canal() {
        Canal::Unspecified => {
            refus("Le canal d'écriture manque.".into(), "regional, national ou referentiel")
        }
        Canal::Referentiel => Ok(()),
        canal => {
            let Some((ecrivain, epoque)) = bail else {
                return refus(
                    format!("Aucun bail d'écriture n'est posé pour la région {} ({domaine}).", p.region),
                    "un bail posé par bascule",
                );
            };
            if ecrivain != canal as i32 {
                let nom = nom_canal(Canal::try_from(ecrivain).unwrap_or(Canal::Unspecified));
                return refus(
                    format!(
                        "La région {} ({domaine}) a pour écrivain « {nom} » à l'époque {epoque} ; le canal « {} » ne peut pas y écrire.",
                        p.region,
                        nom_canal(canal)
                    ),
                    "une écriture par l'écrivain en titre",
                );
            }
            // Epoch 0 is a caller inside the mesh that follows the lease in force.
            if p.epoque != 0 && i64::try_from(p.epoque).ok() != Some(epoque) {
                return refus(
                    format!(
                        "L'écriture porte l'époque {}, le bail de la région {} ({domaine}) est à l'époque {epoque}.",
                        p.epoque, p.region
                    ),
                    "une écriture à l'époque en cours",
                );
            }
            Ok(())
        }
    }
}

/// Name of a channel for people.
pub fn nom_canal(c: Canal) -> &'static str {
    match c {
        Canal::Unspecified => "personne",
        Canal::Regional => "regional",
        Canal::National => "national",
        Canal::Referentiel => "referentiel",
    }
}

/// Installs a lease once every write of the former one has ended. An older epoch,
/// or another writer at the same epoch, is refused.
pub async fn installer(pool: &PgPool, b: &Bail) -> Resultat<Bail> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(cle(&b.region, &b.domaine))
        .execute(&mut *tx)
        .await?;
    let epoque = i64::try_from(b.epoque)
        .map_err(|_| Erreur::faute("bail.epoque", "valeur", "Époque hors bornes.", "un entier"))?;
    if let Some((ecrivain, actuelle)) = lire(&mut tx, &b.region, &b.domaine).await?
        && (epoque < actuelle || (epoque == actuelle && ecrivain != b.ecrivain))
    {
        return Err(Erreur::Regle(vec![faute(
            "bail.epoque",
            REGLE,
            format!("Le bail de la région {} ({}) est déjà à l'époque {actuelle}.", b.region, b.domaine),
            "une époque plus grande",
        )]));
    }
    sqlx::query(
        "insert into bail (region, domaine, ecrivain, epoque) values ($1, $2, $3, $4)
         on conflict (region, domaine) do update set ecrivain = excluded.ecrivain, epoque = excluded.epoque",
    )
    .bind(&b.region)
    .bind(&b.domaine)
    .bind(b.ecrivain)
    .bind(epoque)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(b.clone())
}
