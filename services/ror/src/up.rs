//! `ror up`: the whole mesh on one machine, PostgreSQL and NATS included.

mod certificats;
mod demo;
mod disque;
mod enfants;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use ror_chassis::{
    Erreur,
    processus::{self, jeton_d_arret},
    reglages::{FormatJournal, Reglages, ReglagesJournal, SERVICES, Secret},
    serveur, telemetrie,
};
use ror_embedded::Embedded;
use ror_gateway::{
    ReglagesPasserelle,
    reglages::{Delais, ReglagesExport, ReglagesFlux, ReglagesImage, TlsPublic},
};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use crate::{
    maillage::{self, Maillage},
    serve::DEFINITIONS,
};

/// Lance tout le maillage sur cette machine.
#[derive(Args, Clone)]
pub struct Options {
    /// Port HTTP de la façade et de la page d'accueil.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port TLS : la même API, certificats clients demandés au point de jeton.
    #[arg(long, default_value_t = 8443)]
    tls_port: u16,
    /// Dossier des données.
    #[arg(long, default_value = ".ror")]
    data_dir: PathBuf,
    /// Données de démonstration : none, small ou region.
    #[arg(long, default_value = "small")]
    demo: String,
    /// Un processus par service, relancé s'il meurt.
    #[arg(long)]
    processes: bool,
}

/// Size of that name.
pub fn taille(nom: &str) -> anyhow::Result<ror_demo::Taille> {
    match nom {
        "small" => Ok(ror_demo::Taille::Small),
        "region" => Ok(ror_demo::Taille::Region),
        _ => anyhow::bail!("taille « {nom} » inconnue. Attendu : small ou region"),
    }
}

/// How long the mesh may take to be whole.
const PATIENCE: Duration = Duration::from_secs(180);

/// The addresses of a mesh.
pub(crate) struct Plan {
    pub options: Options,
    pub http: SocketAddr,
    pub tls: SocketAddr,
    pub grpc: BTreeMap<String, u16>,
    pub certificats: certificats::Dossier,
    pub base: String,
    pub nats: String,
    /// Folder of the viewer of the reference, there or on its way.
    pub reference: Option<PathBuf>,
}

impl Plan {
    /// gRPC URL by service.
    pub fn amont(&self) -> BTreeMap<String, String> {
        self.grpc.iter().map(|(s, p)| (s.clone(), format!("http://127.0.0.1:{p}"))).collect()
    }

    /// Where the gateway writes its exports.
    pub fn dossier_exports(&self) -> PathBuf {
        self.options.data_dir.join("exports")
    }

    /// Where the gateway keeps the image of its directory.
    pub fn dossier_image(&self) -> PathBuf {
        dossier_image(&self.options.data_dir)
    }
}

/// Where the gateway of a data directory keeps the image of its directory.
pub fn dossier_image(donnees: &Path) -> PathBuf {
    donnees.join("image")
}

/// Runs until a signal.
pub async fn executer(options: Options) -> anyhow::Result<ExitCode> {
    if options.demo != "none" {
        taille(&options.demo).map_err(|_| {
            anyhow::anyhow!("--demo « {} » inconnu. Attendu : none, small ou region", options.demo)
        })?;
    }
    let journal = ReglagesJournal {
        format: FormatJournal::Texte,
        filtre: std::env::var("ROR_LOG__FILTER").unwrap_or_else(|_| "warn,ror_embedded=info".into()),
        otlp: std::env::var("ROR_OTLP__ENDPOINT").ok(),
    };
    let _garde = telemetrie::installer(&journal, "ror")?;
    let debut = Instant::now();
    let creation = std::fs::create_dir_all(&options.data_dir).with_context(|| {
        format!(
            "impossible de créer le dossier de données {} : choisissez-en un autre avec --data-dir",
            options.data_dir.display()
        )
    });
    creation.map_err(|e| disque::expliquer(e, &options.data_dir, None))?;
    let mut options = options;
    options.data_dir = options.data_dir.canonicalize()?;
    // Both ports first: taken, nothing has been started for nothing.
    let http = SocketAddr::from((Ipv4Addr::UNSPECIFIED, options.port));
    let tls = SocketAddr::from((Ipv4Addr::UNSPECIFIED, options.tls_port));
    drop(serveur::ecouter(http, "HTTP, --port").await?);
    drop(serveur::ecouter(tls, "TLS, --tls-port").await?);
    let ancien = options.data_dir.join("demo.json");
    let embarque = Embedded::start(ror_embedded::Options {
        data_dir: options.data_dir.clone(),
        cache_dir: std::env::var_os("ROR_CACHE_DIR").map(PathBuf::from),
        durable: true,
        max_connections: 200,
    })
    .await
    .map_err(|e| anyhow::anyhow!("{e}"))?;
    // Only now is the folder surely ours; its file is written again once all is ready.
    let _ = std::fs::remove_file(ancien);
    let arret = jeton_d_arret();
    let dossier = options.data_dir.clone();
    let resultat = faire_tourner(options, &embarque, arret.clone(), debut).await;
    arret.cancel();
    let resultat = resultat.map_err(|e| disque::expliquer(e, &dossier, embarque.disk_full()));
    embarque.stop().await;
    resultat
}

async fn faire_tourner(
    options: Options,
    embarque: &Embedded,
    arret: CancellationToken,
    debut: Instant,
) -> anyhow::Result<ExitCode> {
    creer_base(embarque).await?;
    let plan = Plan {
        http: SocketAddr::from((Ipv4Addr::UNSPECIFIED, options.port)),
        tls: SocketAddr::from((Ipv4Addr::UNSPECIFIED, options.tls_port)),
        grpc: ports()?,
        certificats: certificats::preparer(&options.data_dir.join("tls"))?,
        base: embarque.postgres_url("ror"),
        nats: embarque.nats_url(),
        reference: lecteur_de_reference(),
        options,
    };
    std::fs::write(plan.options.data_dir.join(maillage::FICHIER), serde_json::to_vec_pretty(&plan.amont())?)?;
    if plan.options.processes {
        let enfants = enfants::lancer(&plan, arret.clone())?;
        let prets = attendre_et_peupler(&plan, embarque, || enfants.pids(), &arret, debut).await;
        if let Ok(true) = prets {
            demo::tenir_a_jour(&plan, embarque, &enfants, &arret).await;
        }
        arret.cancel();
        enfants.arreter().await;
        prets?;
    } else {
        let mut services = Vec::new();
        for def in DEFINITIONS {
            services.push(processus::demarrer(def, reglages(&plan, def.nom), arret.clone()).await?);
        }
        let passerelle = ror_gateway::demarrer(passerelle(&plan), arret.clone()).await?;
        let prets = attendre_et_peupler(&plan, embarque, BTreeMap::new, &arret, debut).await;
        if let Ok(true) = prets {
            arret.cancelled().await;
        }
        arret.cancel();
        passerelle.attendre().await;
        for s in services {
            s.attendre().await;
        }
        prets?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder that the settings name, or the one of the cache that is filled beside us.
fn lecteur_de_reference() -> Option<PathBuf> {
    let dossier = |nom: &str| std::env::var_os(nom).map(PathBuf::from);
    dossier("ROR_HTTP__REFERENCE_DIR")
        .or_else(|| ror_embedded::fetch_viewer(dossier("ROR_CACHE_DIR").as_deref()))
}

/// Waits for the mesh, loads what it must hold, and tells what to try. False when stopped meanwhile.
async fn attendre_et_peupler(
    plan: &Plan,
    embarque: &Embedded,
    pids: impl Fn() -> BTreeMap<String, u32>,
    arret: &CancellationToken,
    debut: Instant,
) -> anyhow::Result<bool> {
    let travail = async {
        let mesh = Maillage(plan.amont());
        demo::nomenclatures(&mesh, &plan.options.data_dir).await?;
        let neuf = !demo::chargee(plan);
        let manifeste = demo::peupler(plan, &mesh).await?;
        attendre_pret(plan.options.port).await?;
        // Kept data may have lost what its manifest counts: a snapshot is whole by itself.
        if let Some(m) = manifeste.as_ref().filter(|_| neuf) {
            attendre_visibles(plan.options.port, embarque, m).await?;
        }
        let clients = demo::clients(plan, &mesh).await?;
        demo::ecrire(plan, embarque, &clients, manifeste.as_ref(), &pids())?;
        demo::annoncer(plan, manifeste.as_ref(), debut);
        Ok(())
    };
    tokio::select! {
        r = travail => r.map(|()| true),
        e = disque::plein(embarque) => Err(e.into()),
        () = arret.cancelled() => Ok(false),
    }
}

async fn creer_base(embarque: &Embedded) -> anyhow::Result<()> {
    let mut c = sqlx::PgConnection::connect(&embarque.postgres_url("postgres"))
        .await
        .context("PostgreSQL embarqué injoignable")?;
    let existe: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = 'ror')")
        .fetch_one(&mut c)
        .await?;
    if !existe {
        sqlx::query("create database ror").execute(&mut c).await?;
    }
    c.close().await?;
    Ok(())
}

/// A free port for each service and for the gateway.
fn ports() -> anyhow::Result<BTreeMap<String, u16>> {
    let ports = ror_embedded::free_ports(SERVICES.len() + 1)?;
    Ok(SERVICES.into_iter().chain(["gateway"]).map(str::to_owned).zip(ports).collect())
}

fn reglages(plan: &Plan, nom: &str) -> Reglages {
    Reglages {
        nom: nom.to_owned(),
        base: Some(Secret::from(plan.base.clone())),
        base_connexions: 16,
        nats: plan.nats.clone(),
        nats_replicas: 1,
        grpc: (Ipv4Addr::LOCALHOST, plan.grpc.get(nom).copied().unwrap_or(0)).into(),
        admin: None,
        tls: None,
        amont: plan.amont(),
        migrer: true,
    }
}

fn passerelle(plan: &Plan) -> ReglagesPasserelle {
    let c = &plan.certificats;
    ReglagesPasserelle {
        commun: Reglages { base: None, ..reglages(plan, "gateway") },
        http: plan.http,
        tls: Some(TlsPublic {
            adresse: plan.tls,
            cert: c.serveur_cert(),
            cle: c.serveur_cle(),
            ca_clients: c.ca(),
        }),
        exiger_certificat: false,
        delais: Delais::default(),
        url_publique: None,
        origines: Vec::new(),
        reference: plan.reference.clone(),
        metriques: true,
        profil_accueil: demo::profil_accueil(&plan.options),
        retard_max_s: 10.0,
        rendues_mo: 32,
        reserve_mo: 4096,
        page_minutes: 10,
        page_moments: 64,
        coupe: 0,
        cle_des_pages: std::fs::read_to_string(c.signature()).ok().map(Into::into),
        image: Some(ReglagesImage::dans(plan.dossier_image())),
        pairs: None,
        aux_pairs: Some(reglages(plan, "gateway").grpc),
        exports: ReglagesExport::dans(plan.dossier_exports()),
        flux: ReglagesFlux::default(),
    }
}

/// Waits until the façade says that its directory is whole.
async fn attendre_pret(port: u16) -> anyhow::Result<()> {
    let fin = Instant::now() + PATIENCE;
    let mut dernier = String::new();
    while Instant::now() < fin {
        match http_get(port, "/ready").await {
            Ok((200, _)) => return Ok(()),
            Ok((_, corps)) => dernier = corps,
            Err(e) => dernier = e.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Erreur::Indisponible(format!(
        "le maillage n'est pas prêt après {} s : {dernier}",
        PATIENCE.as_secs()
    ))
    .into())
}

/// Waits until what was loaded is what the façade shows: its directory was whole, and empty, before
/// the events of the load reached it.
async fn attendre_visibles(
    port: u16,
    embarque: &Embedded,
    manifeste: &serde_json::Value,
) -> anyhow::Result<()> {
    let fin = Instant::now() + PATIENCE;
    let mut base = sqlx::PgConnection::connect(&embarque.postgres_url("ror")).await?;
    loop {
        let mut en_route = 0;
        for service in ["structures", "offers", "capacity", "identity"] {
            // The schema is the service's name: none of it comes from outside.
            let requete = format!("select count(*) from {service}.outbox_attente");
            let n: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(requete)).fetch_one(&mut base).await?;
            en_route += n;
        }
        let (_, mesures) = http_get(port, "/metrics").await?;
        let montrees = |genre: &str| -> u64 {
            let ligne = format!("ror_gateway_resources{{type=\"{genre}\"}} ");
            let valeur = mesures.lines().find_map(|l| l.strip_prefix(&ligne));
            valeur.and_then(|v| v.parse::<f64>().ok()).map_or(0, |v| v as u64)
        };
        let attendues = manifeste["ressources"].as_object().context("manifeste sans ressources")?;
        let manque = attendues
            .iter()
            .filter(|(genre, n)| *genre != "total" && n.as_u64().unwrap_or(0) > montrees(genre))
            .count();
        if en_route == 0 && manque == 0 {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < fin,
            "les données de démonstration ne sont pas toutes visibles après {} s : {en_route} événements en route, {manque} types incomplets",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A bare HTTP/1.0 GET on this machine: not worth a client library.
async fn http_get(port: u16, chemin: &str) -> anyhow::Result<(u16, String)> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let echange = async {
        let mut s = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        s.write_all(format!("GET {chemin} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
        let mut r = Vec::new();
        s.take(4 * 1024 * 1024).read_to_end(&mut r).await?;
        anyhow::Ok(String::from_utf8_lossy(&r).into_owned())
    };
    let r = tokio::time::timeout(Duration::from_secs(5), echange).await??;
    let code = r.split(' ').nth(1).and_then(|c| c.parse().ok()).context("réponse HTTP illisible")?;
    Ok((code, r.split_once("\r\n\r\n").map_or("", |(_, c)| c).to_owned()))
}

/// Reads a file when it is there.
fn lire_si_present(chemin: &Path) -> Option<Vec<u8>> {
    std::fs::read(chemin).ok()
}
