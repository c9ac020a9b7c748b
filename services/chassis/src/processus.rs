//! How a service lives: connect, migrate or check, follow, serve, drain.

use std::{future::Future, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;

use crate::{
    Erreur, Resultat,
    admin::{self, Etat},
    client::{self, Canal},
    magasin::Magasin,
    nats::{Jet, sans_secret},
    reglages::{ConfigurationInvalide, Lecteur, Reglages, ReglagesJournal, Secret},
    relai, serveur,
    suivi::{self, Appel, Suiveur},
    telemetrie,
};

static MECANISME: Migrator = sqlx::migrate!("./migrations");

/// What a service is.
#[derive(Clone, Copy)]
pub struct Definition {
    /// Name, also its schema.
    pub nom: &'static str,
    /// Its own migrations, after those of the mechanism.
    pub migrations: &'static Migrator,
    /// Builds its gRPC routes and starts its followers.
    pub monter: fn(Contexte) -> BoxFuture<'static, Resultat<Routes>>,
}

/// What a service is given to build itself.
#[derive(Clone)]
pub struct Contexte {
    /// Settings.
    pub reglages: Arc<Reglages>,
    /// Its store.
    pub magasin: Magasin,
    /// JetStream.
    pub jet: Jet,
    /// Readiness conditions.
    pub etat: Etat,
    /// Cancelled when the process stops.
    pub arret: CancellationToken,
    taches: TaskTracker,
}

impl Contexte {
    /// A channel to another service.
    pub fn vers(&self, service: &str) -> Resultat<Canal> {
        client::vers(&self.reglages, service)
    }

    /// Runs a task awaited at the drain.
    pub fn lancer(&self, tache: impl Future<Output = ()> + Send + 'static) {
        self.taches.spawn(tache);
    }

    /// Follows a service until the stop.
    pub fn suivre(&self, service: &'static str, appel: Appel, suiveur: impl Suiveur) {
        self.lancer(suivi::suivre(self.jet.clone(), service, appel, suiveur, self.arret.clone()));
    }
}

/// A service that runs.
pub struct EnMarche {
    /// Where its gRPC listens.
    pub grpc: SocketAddr,
    /// Its readiness.
    pub etat: Etat,
    taches: TaskTracker,
}

impl EnMarche {
    /// Waits for the end of everything it started, within the drain.
    pub async fn attendre(self) {
        self.taches.close();
        let _ = tokio::time::timeout(serveur::VIDANGE + Duration::from_secs(5), self.taches.wait()).await;
    }
}

/// The pool of a service: its schema first in the search path.
pub async fn ouvrir_base(url: &Secret, schema: &str, connexions: u32) -> Resultat<PgPool> {
    let options: PgConnectOptions = url.exposer().parse().map_err(|_| {
        Erreur::faute(
            "database.url",
            "valeur",
            "L'adresse PostgreSQL est illisible.",
            "postgres://utilisateur:secret@hote:5432/base",
        )
    })?;
    let options = options
        .application_name(&format!("ror-{schema}"))
        .options([
            ("search_path", schema),
            // Few statements, run again and again by key: planning each time costs more than running.
            ("plan_cache_mode", "force_generic_plan"),
            ("statement_timeout", "30000"),
            ("idle_in_transaction_session_timeout", "60000"),
        ])
        .log_statements(tracing::log::LevelFilter::Trace)
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(2));
    let fin = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let essai = PgPoolOptions::new()
            .max_connections(connexions)
            .acquire_timeout(Duration::from_secs(5))
            // A connection just used needs no proof of life; one that slept does.
            .test_before_acquire(false)
            .before_acquire(|c, repos| {
                Box::pin(async move {
                    if repos.idle_for > Duration::from_secs(1) {
                        c.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await;
        match essai {
            Ok(pool) => return Ok(pool),
            Err(e) if tokio::time::Instant::now() >= fin => {
                return Err(Erreur::Indisponible(format!(
                    "PostgreSQL ne répond pas à {} ({e}) : démarrez-le ou corrigez database.url (ROR_DATABASE__URL)",
                    sans_secret(url.exposer())
                )));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Creates the schema and runs the migrations of the mechanism, then of the service.
pub async fn migrer(pool: &PgPool, def: &Definition) -> Resultat<()> {
    let migration = |e: sqlx::migrate::MigrateError| {
        Erreur::Indisponible(format!("migration du schéma {} : {e}", def.nom))
    };
    sqlx::query(sqlx::AssertSqlSafe(format!("create schema if not exists {}", def.nom)))
        .execute(pool)
        .await?;
    for m in [&MECANISME, def.migrations] {
        // Both sets share one table of applied versions.
        let mut m = Migrator { migrations: m.migrations.clone(), ..Migrator::DEFAULT };
        m.set_ignore_missing(true).run(pool).await.map_err(migration)?;
    }
    Ok(())
}

async fn verifier_schema(pool: &PgPool, def: &Definition) -> Resultat<()> {
    let attendue = MECANISME.iter().chain(def.migrations.iter()).map(|m| m.version).max().unwrap_or(0);
    let presente: Result<Option<i64>, _> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(pool).await;
    match presente {
        Ok(Some(v)) if v >= attendue => Ok(()),
        _ => Err(Erreur::Indisponible(format!(
            "le schéma {} n'est pas à la version {attendue} : lancez d'abord « ror migrate {} »",
            def.nom, def.nom
        ))),
    }
}

/// Runs `ror migrate`.
pub async fn executer_migration(def: &Definition, reglages: &Reglages) -> Resultat<()> {
    let url = reglages.base.clone().unwrap_or_default();
    let pool = ouvrir_base(&url, def.nom, 2).await?;
    migrer(&pool, def).await
}

/// Starts a service; it stops when `arret` is cancelled.
pub async fn demarrer(def: Definition, reglages: Reglages, arret: CancellationToken) -> Resultat<EnMarche> {
    // The port first: taken, it says so before anything else is touched.
    let ecoute = serveur::ecouter(reglages.grpc, def.nom).await?;
    let grpc = ecoute.local_addr().map_err(|e| Erreur::Interne(Box::new(e)))?;
    let url = reglages.base.clone().unwrap_or_default();
    let pool = ouvrir_base(&url, def.nom, reglages.base_connexions).await?;
    if reglages.migrer {
        migrer(&pool, &def).await?;
    } else {
        verifier_schema(&pool, &def).await?;
    }
    let jet = Jet::connecter(&reglages.nats, &format!("ror-{}", def.nom), reglages.nats_replicas).await?;
    let etat = Etat::default();
    let taches = TaskTracker::new();
    let contexte = Contexte {
        reglages: Arc::new(reglages),
        magasin: Magasin::nouveau(pool, def.nom),
        jet,
        etat: etat.clone(),
        arret: arret.clone(),
        taches: taches.clone(),
    };
    etat.poser("relay", false);
    let pose = etat.clone();
    contexte.lancer(relai::faire_suivre(
        contexte.magasin.clone(),
        contexte.jet.clone(),
        arret.clone(),
        move |v| {
            pose.poser("relay", v);
        },
    ));
    surveiller_base(&contexte);
    let routes = (def.monter)(contexte.clone()).await?;
    let tls = contexte.reglages.tls.clone();
    let fin = arret.clone();
    contexte.lancer(async move {
        if let Err(e) = serveur::servir(ecoute, routes, tls.as_ref(), fin).await {
            tracing::error!(error = %e, "gRPC server ended");
        }
    });
    if let Some(adresse) = contexte.reglages.admin {
        let (etat, arret) = (etat.clone(), arret.clone());
        contexte.lancer(async move {
            if let Err(e) = admin::servir(adresse, etat, arret).await {
                tracing::error!(error = %e, "admin server ended");
            }
        });
    }
    tracing::info!(service = def.nom, %grpc, "service started");
    Ok(EnMarche { grpc, etat, taches })
}

/// Readiness says whether the database answers.
fn surveiller_base(contexte: &Contexte) {
    let (pool, etat, arret) =
        (contexte.magasin.pool().clone(), contexte.etat.clone(), contexte.arret.clone());
    contexte.lancer(async move {
        loop {
            let vivant =
                tokio::time::timeout(Duration::from_secs(3), sqlx::query("select 1").execute(&pool)).await;
            etat.poser("database", matches!(vivant, Ok(Ok(_))));
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
                () = arret.cancelled() => { pool.close().await; return }
            }
        }
    });
}

/// Set by a launcher for the processes it starts: the end of their input ends them.
pub const SOUS_TUTELLE: &str = "ROR_SOUS_TUTELLE";

/// A token cancelled by the first signal (a second one does not wait for the drain),
/// or by the end of the launcher, even one that was killed.
pub fn jeton_d_arret() -> CancellationToken {
    let arret = CancellationToken::new();
    let fin = arret.clone();
    tokio::spawn(async move {
        signal_d_arret().await;
        fin.cancel();
        signal_d_arret().await;
        std::process::exit(130);
    });
    if std::env::var_os(SOUS_TUTELLE).is_some() {
        let fin = arret.clone();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            fin.cancel();
            std::thread::sleep(Duration::from_secs(5));
            std::process::exit(1);
        });
    }
    arret
}

/// One service as its own process, settings read from the file and the environment.
pub async fn servir_seul(def: Definition) -> Result<(), Fin> {
    let mut l = Lecteur::nouveau("")?;
    let journal = ReglagesJournal::lire(&mut l);
    let reglages = Reglages::lire(&mut l, def.nom, true);
    // Read by the service itself; known here so that a file may hold them.
    for cle in ["bascule.file", "offers.fermeture_def"] {
        let _ = l.option::<String>(cle);
    }
    l.reconnaitre("sync.");
    l.finir()?;
    let _garde = telemetrie::installer(&journal, def.nom)?;
    let arret = jeton_d_arret();
    let service = demarrer(def, reglages, arret.clone()).await?;
    arret.cancelled().await;
    service.attendre().await;
    Ok(())
}

/// Why a process ends badly.
#[derive(Debug, thiserror::Error)]
pub enum Fin {
    /// Its settings are wrong.
    #[error(transparent)]
    Configuration(#[from] ConfigurationInvalide),
    /// Something else.
    #[error("{}", .0.phrase())]
    Erreur(#[from] Erreur),
}

/// Body of every `main`: runs, and says in one sentence why it ends. Exit codes:
/// 0 stopped, 1 failed, 64 wrong configuration.
pub fn principal(nom: &str, corps: impl Future<Output = Result<(), Fin>>) -> ExitCode {
    let execution = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let fin = match execution {
        Ok(rt) => rt.block_on(corps),
        Err(e) => Err(Fin::Erreur(Erreur::Interne(Box::new(e)))),
    };
    match fin {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{nom} : {e}");
            ExitCode::from(if matches!(e, Fin::Configuration(_)) { 64 } else { 1 })
        }
    }
}

/// Resolves at SIGINT or SIGTERM.
pub async fn signal_d_arret() {
    let terme = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut s) => {
                s.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terme => {}
    }
}
