//! The floors of a load in SQL, on the same server: `COPY` of the same rows into a bare
//! table, and one comparison of the whole file.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::chargement::{Genre, Mesure};
use crate::{
    postgres::Outils,
    tableau::{Rapport, debit, secondes},
};

/// The bare tables.
pub struct Planchers<'a> {
    outils: &'a Outils,
    travail: PathBuf,
}

impl<'a> Planchers<'a> {
    /// Makes an empty scratch schema.
    pub async fn preparer(outils: &'a Outils, travail: &Path) -> Result<Self> {
        outils.psql("schema", "drop schema if exists bench cascade;\ncreate schema bench;\n").await?;
        Ok(Self { outils, travail: travail.to_owned() })
    }

    fn fichier(&self, genre: Genre) -> String {
        self.travail.join(format!("{}.rows", genre.agregat())).display().to_string()
    }

    async fn exporter(&self, genre: Genre) -> Result<String> {
        let fichier = self.fichier(genre);
        let sql = format!(
            "\\copy (select id, region, etat from identity.agregat where genre = '{}') to '{fichier}' (format binary)\n",
            genre.agregat()
        );
        self.outils.psql("export", &sql).await?;
        Ok(fichier)
    }

    /// Exports the rows that a first load left, copies them into a bare table, and tells both.
    pub async fn copier(&self, quoi: &str, genre: Genre, m: &Mesure, r: &mut Rapport) -> Result<()> {
        eprintln!("COPY of the same rows…");
        let fichier = self.exporter(genre).await?;
        let table = genre.agregat();
        let debut = Instant::now();
        let sql = format!(
            "create table {table} (id text not null, region text not null, etat bytea not null, \
             constraint {table}_pkey primary key (id));\n\\copy {table} from '{fichier}' (format binary)\n"
        );
        self.outils.psql("copie", &sql).await?;
        let duree = debut.elapsed();
        let n = self.nombre(table).await?;
        self.outils.psql("vacuum", &format!("vacuum analyze {table};\n")).await?;
        dire(quoi, m, &format!("COPY of {n} rows"), n, duree, r);
        Ok(())
    }

    /// Keeps the rows as they are before an edition: what it must be compared with.
    pub async fn retenir(&self, genre: Genre) -> Result<()> {
        let (fichier, table) = (self.exporter(genre).await?, genre.agregat());
        let sql = format!(
            "truncate {table};\n\\copy {table} from '{fichier}' (format binary)\nvacuum analyze {table};\n"
        );
        self.outils.psql("retenir", &sql).await.map(drop)
    }

    /// Stages the rows that an edition left and compares them all with those kept; tells both.
    pub async fn comparer(&self, quoi: &str, genre: Genre, m: &Mesure, r: &mut Rapport) -> Result<()> {
        eprintln!("SQL comparison of the whole file…");
        let (fichier, table) = (self.exporter(genre).await?, genre.agregat());
        let n = self.nombre(table).await?;
        let sql = format!(
            "create unlogged table etape (id text not null, region text not null, etat bytea not null);\n\
             \\copy etape from 'FICHIER' (format binary)\nanalyze etape;\n\
             select count(*) from etape e left join {table} c on c.id = e.id \
             where c.id is null or c.region <> e.region or c.etat <> e.etat;\n\
             select count(*) from {table} c left join etape e on e.id = c.id where e.id is null;\n\
             drop table etape;\n"
        )
        .replace("FICHIER", &fichier);
        let debut = Instant::now();
        let dit = self.outils.psql("comparaison", &sql).await?;
        let duree = debut.elapsed();
        let comptes: Vec<&str> = dit.split_whitespace().collect();
        let plancher = format!("SQL comparison of {n} rows, {} differ", comptes.join(" + "));
        dire(quoi, m, &plancher, n, duree, r);
        Ok(())
    }

    async fn nombre(&self, table: &str) -> Result<u64> {
        let lu = self.outils.psql("nombre", &format!("select count(*) from {table};\n")).await?;
        lu.trim().parse().with_context(|| format!("unexpected answer of psql: {lu:?}"))
    }

    /// Drops the scratch schema.
    pub async fn nettoyer(&self) -> Result<()> {
        self.outils.psql("fin", "drop schema if exists bench cascade;\n").await.map(drop)
    }
}

fn dire(quoi: &str, m: &Mesure, plancher: &str, rangees: u64, duree: Duration, r: &mut Rapport) {
    let s = duree.as_secs_f64();
    let plancher = format!("{plancher} {} ({})", secondes(s), debit(rangees as f64 / s));
    r.compare(quoi, m.texte(), plancher, s / m.engage.as_secs_f64(), None);
}
