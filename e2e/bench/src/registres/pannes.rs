//! Crashes in the middle of a load: the process that loads, or PostgreSQL, is killed at
//! several moments. The former edition must stand, to the row; loading again must leave what
//! a load without a fault leaves.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ror_demo::national::Edition;

use super::{
    chargement::Genre,
    jeu::Jeu,
    seul::{Passage, Seul, etapes},
};
use crate::tableau::{Rapport, secondes};

/// From the start of a load to its first crash.
const ENVOI: Duration = Duration::from_millis(50);
/// Longest wait of an operator for the failure of a load that was killed.
const ECHEC_MAX: Duration = Duration::from_secs(600);

/// When to kill.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The file is being sent.
    Envoi,
    /// The edition is opened: its reading begins.
    Ouverture,
    /// What is known is read, to be compared.
    Comparaison,
    /// Records go in by COPY, from that part of the load on.
    Fiches(f64),
    /// The events of records do, from that part of the load on.
    Evenements(f64),
    /// Everything is written; the edition is about to be closed, then the transaction.
    AvantValidation,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Victime {
    Identity,
    Postgres,
}

type Coup = (Moment, Victime);

const PREMIERE: &[Coup] = &[
    (Moment::Envoi, Victime::Identity),
    (Moment::Ouverture, Victime::Identity),
    (Moment::Fiches(0.3), Victime::Identity),
    (Moment::Evenements(0.6), Victime::Identity),
    (Moment::AvantValidation, Victime::Identity),
    (Moment::Fiches(0.5), Victime::Postgres),
];

const SUIVANTE: &[Coup] = &[
    (Moment::Comparaison, Victime::Identity),
    (Moment::AvantValidation, Victime::Identity),
    (Moment::Comparaison, Victime::Postgres),
];

impl Moment {
    fn nom(self) -> &'static str {
        match self {
            Self::Envoi => "the file is sent",
            Self::Ouverture => "its reading begins",
            Self::Comparaison => "what is known is read to be compared",
            Self::Fiches(_) => "COPY of the records",
            Self::Evenements(_) => "COPY of their events",
            Self::AvantValidation => "before the commit",
        }
    }

    /// Part of the load before it is looked for.
    fn part(self) -> f64 {
        match self {
            Self::Fiches(p) | Self::Evenements(p) => p,
            _ => 0.0,
        }
    }

    /// What tells it in the database, where so many editions were opened before.
    fn condition(self, editions: u64) -> String {
        let occupee = |debut: &str, attente: &str| {
            format!(
                "exists (select from pg_stat_activity where datname = 'ror' and state = 'active' \
                 and query like '{debut}%'{attente})"
            )
        };
        match self {
            Self::Envoi | Self::Ouverture => {
                format!("(select count(*) from identity.edition) > {editions}")
            }
            Self::Comparaison => occupee("select id, retire, etat from agregat", ""),
            Self::Fiches(_) => occupee("copy agregat (", ""),
            Self::Evenements(_) => occupee("copy outbox_event", ""),
            Self::AvantValidation => occupee("update edition set fin", " and wait_event_type = 'Lock'"),
        }
    }
}

impl Victime {
    fn nom(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Kills in the middle of each load, then loads; what each left joins the table. `temoin`
/// are the same loads without a fault.
pub async fn eprouver(seul: &mut Seul<'_>, jeu: &Jeu, temoin: &[Passage], r: &mut Rapport) -> Result<()> {
    for ((quoi, genre, e), reference) in etapes(jeu).into_iter().zip(temoin) {
        let coups = if e.jour == jeu.premiere().jour { PREMIERE } else { SUIVANTE };
        let avant = seul.empreinte().await?;
        let (mut tues, mut entiere) = (0, false);
        for &coup in coups {
            let titre = format!("{} killed, {quoi}: {}", coup.1.nom(), coup.0.nom());
            eprintln!("{titre}…");
            let Some(apres) = frapper(seul, coup, genre, e, reference.engage).await? else {
                r.valeur(titre, "not met: the load ended first");
                entiere = true;
                break;
            };
            tues += 1;
            let lue = seul.empreinte().await?;
            let (tenu, dit) = (lue == avant, lue.ecarts(&avant));
            let dit = if tenu { "as before".to_owned() } else { format!("not the same: {dit}") };
            let texte = format!("after {}; {} records, {dit}", secondes(apres.as_secs_f64()), lue.fiches());
            r.doit(titre, texte, "the former edition, exactly", tenu);
        }
        let debut = Instant::now();
        if !entiere {
            seul.importer(genre, e).await.with_context(|| format!("{quoi}, after {tues} crashes"))?;
        }
        let engage = debut.elapsed();
        seul.attendre_publie().await?;
        let lue = seul.empreinte().await?;
        let (tenu, dit) = (lue == reference.empreinte, lue.ecarts(&reference.empreinte));
        let dit = if tenu { "the same".to_owned() } else { format!("not the same: {dit}") };
        let texte = format!(
            "committed {} ({} without a fault); {} records, {dit}",
            secondes(engage.as_secs_f64()),
            secondes(reference.engage.as_secs_f64()),
            lue.fiches()
        );
        let titre = format!("Loaded again after {tues} crashes, {quoi}");
        r.doit(titre, texte, "what a load without a fault leaves", tenu);
    }
    Ok(())
}

/// Starts a load, kills at that moment, and brings everything back; how long after the start.
/// None when the load ended before the moment.
async fn frapper(
    seul: &mut Seul<'_>,
    (moment, victime): Coup,
    genre: Genre,
    e: &Edition,
    duree: Duration,
) -> Result<Option<Duration>> {
    let editions = seul.editions().await?;
    let debut = Instant::now();
    let mut import = seul.lancer(genre, e)?;
    let vu = tokio::select! {
        fin = &mut import => {
            fin??;
            false
        }
        vu = guetter(seul, moment, editions, duree) => {
            vu?;
            true
        }
    };
    if !vu {
        liberer(seul, moment).await?;
        return Ok(None);
    }
    let apres = debut.elapsed();
    match victime {
        Victime::Identity => seul.tuer()?,
        Victime::Postgres => seul.embarque.kill_postgres(),
    }
    let fin = tokio::time::timeout(ECHEC_MAX, import).await.context("ror import does not end")??;
    match victime {
        Victime::Identity => {
            liberer(seul, moment).await?;
            seul.attendre_seul().await?;
            seul.allumer().await?;
        }
        Victime::Postgres => {
            seul.attendre_base().await?;
            seul.relancer().await?;
        }
    }
    // Killed too late: what was committed is committed.
    Ok(fin.is_err().then_some(apres))
}

/// Waits for a moment.
async fn guetter(seul: &Seul<'_>, moment: Moment, editions: u64, duree: Duration) -> Result<()> {
    match moment {
        Moment::Envoi => {
            tokio::time::sleep(ENVOI).await;
            return Ok(());
        }
        // Too short to be seen: a lock makes it last.
        Moment::AvantValidation => {
            voir(seul, &Moment::Ouverture.condition(editions)).await?;
            let outils = seul.outils.clone();
            tokio::spawn(async move { outils.psql("verrou", VERROU).await });
        }
        _ => tokio::time::sleep(duree.mul_f64(moment.part())).await,
    }
    voir(seul, &moment.condition(editions)).await
}

/// Holds the end of editions, not their beginning, which comes before; ended by [`liberer`].
const VERROU: &str = "set application_name = 'verrou';\nset client_connection_check_interval = 200;\nbegin;\n\
                      lock table identity.edition in share mode;\nselect pg_sleep(3600);\n";

/// Gives back what [`guetter`] holds.
async fn liberer(seul: &Seul<'_>, moment: Moment) -> Result<()> {
    if moment != Moment::AvantValidation {
        return Ok(());
    }
    let sql =
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'verrou';\n";
    // It may be about to connect; where it never will, this is soon over.
    for _ in 0..20 {
        if seul.outils.psql("liberer", sql).await?.trim() != "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Waits until a condition holds, in the server itself: some moments last milliseconds.
async fn voir(seul: &Seul<'_>, condition: &str) -> Result<()> {
    let sql = format!(
        "set client_connection_check_interval = 200;\n\
         do $$\nbegin\n  for i in 1..2000000 loop\n    perform pg_stat_clear_snapshot();\n    \
         if {condition} then\n      return;\n    end if;\n    perform pg_sleep(0.002);\n  end loop;\n  \
         raise exception 'moment not met';\nend $$;\n"
    );
    seul.outils.psql("moment", &sql).await.map(drop)
}
