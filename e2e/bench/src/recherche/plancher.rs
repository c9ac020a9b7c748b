//! The floor in SQL: the offers flattened into one table of the same server, with the
//! indexes that these criteria want (GIN on the tokens, B-trees on order and ages, GiST on
//! the places), asked by pgbench with prepared statements.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    criteres::{RESULTATS, Recherche},
    jeu::Jeu,
};
use crate::postgres::{Banc, Outils};

/// The flattened tables.
pub struct Plancher<'a> {
    outils: &'a Outils,
}

impl<'a> Plancher<'a> {
    /// Copies the rows drawn by the generator, with the states the services keep.
    pub async fn preparer(outils: &'a Outils, jeu: &Jeu) -> Result<Self> {
        eprintln!("copying the rows of the SQL floor…");
        let [offres, lieux] = jeu.rangees.each_ref().map(|f| f.display().to_string());
        let sql = format!(
            "drop schema if exists bench cascade;
create schema bench;
set maintenance_work_mem = '512MB';
create unlogged table recu (ordre bigint, id text, jetons text[], age_bas float8, age_haut float8);
\\copy recu from '{offres}'
create table lieu (ordre bigint not null, place point not null);
\\copy lieu from '{lieux}'
create table offre (ordre bigint not null, id text not null, jetons text[] not null, age_bas float8 not null,
                    age_haut float8 not null, etat bytea not null);
insert into offre select r.ordre, r.id, r.jetons, r.age_bas, r.age_haut, a.etat
from recu r join offers.agregat a on a.id = r.id order by md5(r.id);
drop table recu;
create index offre_jetons_idx on offre using gin (jetons);
create index offre_ordre_idx on offre (ordre, id);
create index offre_age_idx on offre (age_bas, age_haut);
create index lieu_ordre_idx on lieu (ordre);
create index lieu_place_idx on lieu using gist (place);
vacuum analyze offre;
vacuum analyze lieu;
checkpoint;
"
        );
        outils.psql("plat", &sql).await?;
        let n = outils.psql("compte", "select count(*) from offre;\n").await?;
        let attendu = jeu.comptes.get("offre").copied().unwrap_or(0);
        ensure!(
            n.trim().parse() == Ok(attendu),
            "{} offers flattened for {attendu} drawn: was the folder sown with the same generator?",
            n.trim()
        );
        Ok(Self { outils })
    }

    /// The searches that find enough, with their totals.
    pub async fn retenir(&self, tirees: Vec<Recherche>, nombre: usize) -> Result<Vec<(Recherche, u64)>> {
        let sql: String =
            tirees.iter().map(|r| format!("select count(*) from offre o where {};\n", r.condition)).collect();
        let lus = self.outils.psql("totaux", &sql).await?;
        let totaux: Vec<u64> = lus.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        ensure!(totaux.len() == tirees.len(), "{} totals for {} searches", totaux.len(), tirees.len());
        let assez = |(_, n): &(Recherche, u64)| *n >= RESULTATS as u64;
        Ok(tirees.into_iter().zip(totaux).filter(assez).take(nombre).collect())
    }

    /// The ids that each search answers, in order.
    pub async fn ids(&self, recherches: &[Recherche]) -> Result<Vec<Vec<String>>> {
        let sql: String = recherches
            .iter()
            .map(|r| format!("select coalesce(string_agg(x.id, ','), '') from ({}) x;\n", requete(r, "o.id")))
            .collect();
        let lus = self.outils.psql("ids", &sql).await?;
        Ok(lus.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect())
    }

    /// Writes a script a search: the planner knows the values, as it would with plans of its own.
    pub fn scripts(&self, recherches: &[Recherche]) -> Result<Vec<PathBuf>> {
        let un = |(i, r): (usize, &Recherche)| -> Result<PathBuf> {
            let script = self.outils.travail().join(format!("national-{i}.pgbench"));
            fs::write(&script, format!("{};\n", requete(r, "o.id, o.etat")))
                .with_context(|| format!("{} cannot be written", script.display()))?;
            Ok(script)
        };
        recherches.iter().enumerate().map(un).collect()
    }

    /// Runs pgbench over these scripts.
    pub async fn mesurer(&self, scripts: &[PathBuf], clients: usize, duree: Duration) -> Result<Banc> {
        self.outils.pgbench(scripts, clients, duree).await
    }
}

fn requete(r: &Recherche, colonnes: &str) -> String {
    format!("select {colonnes} from offre o where {} order by o.ordre, o.id limit {RESULTATS}", r.condition)
}
