//! A bench: PostgreSQL and NATS of its own, and the services named, each on its own
//! runtime so that one can be stopped or killed while the others go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use prost::Message;
use ror_chassis::{
    Definition,
    admin::Etat,
    client::{self, Canal},
    nats::{self, Jet},
    processus::{self, EnMarche},
    reglages::{FormatJournal, Reglages, ReglagesJournal, SERVICES, Secret},
    serveur::MESSAGE_MAX,
    telemetrie,
};
use ror_embedded::Embedded;
use ror_proto::{
    access::v1::access_service_client::AccessServiceClient,
    bascule::v1::bascule_service_client::BasculeServiceClient,
    capacity::v1::{self as capacity, capacity_service_client::CapacityServiceClient},
    common::v1::{Bail, Canal as Ecrivain, Evenement, Issue},
    identity::v1::identity_service_client::IdentityServiceClient,
    nomenclatures::v1::{
        LoadNomenclatureRequest, Nomenclature, nomenclatures_service_client::NomenclaturesServiceClient,
    },
    offers::v1::{self as offers, offers_service_client::OffersServiceClient},
    structures::v1::{self as structures, structures_service_client::StructuresServiceClient},
};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{runtime::Runtime, sync::SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::gabarits::listes;

/// How long a condition may take to hold.
pub const LIMITE: Duration = Duration::from_secs(60);
/// Lists above this are the communes: loaded only where a test is about them.
const GRANDE_LISTE: usize = 5_000;
/// Benches at once in this process, whatever the threads of the runner.
static PLACES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(3);

const DEFINITIONS: [Definition; 7] = [
    ror_nomenclatures::DEFINITION,
    ror_access::DEFINITION,
    ror_identity::DEFINITION,
    ror_structures::DEFINITION,
    ror_offers::DEFINITION,
    ror_capacity::DEFINITION,
    ror_bascule::DEFINITION,
];

/// What a service needs of the others to become ready.
fn amonts(service: &str) -> &'static [&'static str] {
    match service {
        "structures" => &["nomenclatures", "identity"],
        "offers" => &["structures"],
        "capacity" => &["offers"],
        "bascule" => &["capacity"],
        _ => &[],
    }
}

/// Waits until the condition holds; says which one never did.
pub async fn attendre(quoi: &str, mut condition: impl AsyncFnMut() -> bool) {
    let fin = Instant::now() + LIMITE;
    while !condition().await {
        assert!(Instant::now() < fin, "after {} s, still waiting: {quoi}", LIMITE.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An event as it lies in the stream.
pub struct Depose {
    /// Stream sequence.
    pub sequence: u64,
    /// `Nats-Msg-Id`.
    pub id: String,
    /// Subject.
    pub sujet: String,
    /// Content.
    pub evenement: Evenement,
}

struct Service {
    etat: Etat,
    arret: CancellationToken,
    marche: Option<EnMarche>,
    moteur: Option<Runtime>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.arret.cancel();
        if let Some(m) = self.moteur.take() {
            m.shutdown_background();
        }
    }
}

/// A folder of `/var/tmp`, removed once its servers are dead.
struct Dossier(PathBuf);

impl Drop for Dossier {
    fn drop(&mut self) {
        for _ in 0..50 {
            if fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What varies between benches.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// PostgreSQL keeps its disk guarantees: for what is about crashes.
    pub durable: bool,
    /// The communes are loaded too.
    pub communes: bool,
}

/// The bench of one test.
pub struct Banc {
    services: Mutex<BTreeMap<&'static str, Service>>,
    /// JetStream.
    pub jet: Jet,
    /// The servers.
    pub embarque: Embedded,
    ports: BTreeMap<String, u16>,
    _dossier: Dossier,
    _place: SemaphorePermit<'static>,
}

impl Banc {
    /// Servers, then these services and all that they need, ready.
    pub async fn demarrer(services: &[&'static str]) -> Self {
        Self::demarrer_avec(Options::default(), services).await
    }

    /// As [`Self::demarrer`], with options.
    pub async fn demarrer_avec(options: Options, services: &[&'static str]) -> Self {
        journal();
        let place = PLACES.acquire().await.unwrap();
        let dossier = tempfile::Builder::new().prefix("ror-it-").tempdir_in("/var/tmp").unwrap().keep();
        // Root's servers run as another account, which must be let through.
        fs::set_permissions(&dossier, fs::Permissions::from_mode(0o755)).unwrap();
        let dossier = Dossier(dossier);
        let embarque = Embedded::start(ror_embedded::Options {
            data_dir: dossier.0.join("data"),
            cache_dir: std::env::var_os("ROR_CACHE_DIR").map(PathBuf::from),
            durable: options.durable,
            max_connections: 200,
        })
        .await
        .expect("both servers");
        let mut c = PgConnection::connect(&embarque.postgres_url("postgres")).await.unwrap();
        sqlx::query("create database ror").execute(&mut c).await.unwrap();
        c.close().await.unwrap();
        let jet = Jet::connecter(&embarque.nats_url(), "it", 1).await.unwrap();
        let banc = Self {
            services: Mutex::default(),
            jet,
            embarque,
            ports: ports(),
            _dossier: dossier,
            _place: place,
        };
        let demandes = fermeture(services);
        if demandes.contains("nomenclatures") {
            banc.allumer("nomenclatures").await;
            banc.charger_nomenclatures(options.communes).await;
        }
        for def in DEFINITIONS.iter().filter(|d| demandes.contains(d.nom) && d.nom != "nomenclatures") {
            banc.allumer(def.nom).await;
        }
        for nom in demandes {
            banc.attendre_pret(nom).await;
        }
        banc
    }

    /// Starts a service; it may not be ready yet.
    pub async fn allumer(&self, nom: &str) {
        let def = *DEFINITIONS.iter().find(|d| d.nom == nom).expect("a known service");
        let moteur =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let arret = CancellationToken::new();
        let demarrage = moteur.spawn(processus::demarrer(def, self.reglages(nom), arret.clone()));
        let marche = demarrage.await.unwrap().unwrap_or_else(|e| panic!("{nom} does not start: {e}"));
        let service =
            Service { etat: marche.etat.clone(), arret, marche: Some(marche), moteur: Some(moteur) };
        self.services.lock().unwrap().insert(def.nom, service);
    }

    /// Settings of a service of this bench.
    pub fn reglages(&self, nom: &str) -> Reglages {
        Reglages {
            nom: nom.to_owned(),
            base: Some(Secret::from(self.embarque.postgres_url("ror"))),
            base_connexions: 16,
            nats: self.embarque.nats_url(),
            nats_replicas: 1,
            grpc: SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[nom])),
            admin: None,
            tls: None,
            amont: self.ports.iter().map(|(s, p)| (s.clone(), format!("http://127.0.0.1:{p}"))).collect(),
            migrer: true,
        }
    }

    /// Stops a service as an orchestrator would: drained.
    pub async fn arreter(&self, nom: &str) {
        let mut service = self.oter(nom);
        service.arret.cancel();
        if let Some(m) = service.marche.take() {
            m.attendre().await;
        }
    }

    /// Kills a service: its tasks end where they are, its connections break.
    pub async fn tuer(&self, nom: &str) {
        let mut service = self.oter(nom);
        let moteur = service.moteur.take().unwrap();
        // Dropped only after the runtime, so that nothing is told to drain.
        tokio::task::spawn_blocking(move || moteur.shutdown_timeout(Duration::from_secs(5))).await.unwrap();
    }

    fn oter(&self, nom: &str) -> Service {
        self.services.lock().unwrap().remove(nom).expect("a running service")
    }

    /// Readiness conditions of a service.
    pub fn etat(&self, nom: &str) -> Etat {
        self.services.lock().unwrap().get(nom).expect("a running service").etat.clone()
    }

    /// Waits until a service says that it is ready.
    pub async fn attendre_pret(&self, nom: &str) {
        let etat = self.etat(nom);
        let fin = Instant::now() + LIMITE;
        while !etat.pret() {
            assert!(Instant::now() < fin, "{nom} is not ready: {:?}", etat.lire());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where a service listens.
    pub fn url(&self, nom: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[nom])
    }

    /// A new channel to a service.
    pub fn canal(&self, nom: &str) -> Canal {
        client::canal(&self.url(nom), None).unwrap()
    }

    /// A pool on the schema of a service.
    pub async fn base(&self, schema: &str) -> PgPool {
        processus::ouvrir_base(&Secret::from(self.embarque.postgres_url("ror")), schema, 4).await.unwrap()
    }

    pub fn structures(&self) -> StructuresServiceClient<Canal> {
        StructuresServiceClient::new(self.canal("structures"))
    }

    pub fn offers(&self) -> OffersServiceClient<Canal> {
        OffersServiceClient::new(self.canal("offers"))
    }

    pub fn capacity(&self) -> CapacityServiceClient<Canal> {
        CapacityServiceClient::new(self.canal("capacity"))
    }

    pub fn nomenclatures(&self) -> NomenclaturesServiceClient<Canal> {
        NomenclaturesServiceClient::new(self.canal("nomenclatures")).max_decoding_message_size(MESSAGE_MAX)
    }

    pub fn identity(&self) -> IdentityServiceClient<Canal> {
        IdentityServiceClient::new(self.canal("identity"))
    }

    pub fn access(&self) -> AccessServiceClient<Canal> {
        AccessServiceClient::new(self.canal("access"))
    }

    pub fn bascule(&self) -> BasculeServiceClient<Canal> {
        BasculeServiceClient::new(self.canal("bascule"))
    }

    /// Loads a nomenclature, which must be taken.
    pub async fn charger(&self, n: Nomenclature) {
        let nom = n.nom.clone();
        let demande = LoadNomenclatureRequest { nomenclature: Some(n), ..Default::default() };
        let r = self.nomenclatures().load_nomenclature(demande).await.unwrap().into_inner().resultat.unwrap();
        assert_ne!(r.issue(), Issue::Refuse, "{nom}: {:?}", r.fautes);
    }

    async fn charger_nomenclatures(&self, communes: bool) {
        for n in listes().iter().filter(|n| communes || n.concepts.len() <= GRANDE_LISTE) {
            self.charger(n.clone()).await;
        }
    }

    /// Installs the description lease of a region where descriptions are written.
    pub async fn bail_description(&self, region: &str, ecrivain: Ecrivain, epoque: u64) {
        let bail = Some(bail(region, "description", ecrivain, epoque));
        let demande = structures::InstallLeaseRequest { bail: bail.clone() };
        self.structures().install_lease(demande).await.unwrap();
        if self.services.lock().unwrap().contains_key("offers") {
            self.offers().install_lease(offers::InstallLeaseRequest { bail }).await.unwrap();
        }
    }

    /// Installs the capacity lease of a region.
    pub async fn bail_capacite(&self, region: &str, ecrivain: Ecrivain, epoque: u64) {
        let bail = Some(bail(region, "capacite", ecrivain, epoque));
        self.capacity().install_lease(capacity::InstallLeaseRequest { bail }).await.unwrap();
    }

    /// Waits until everything a service committed has left for JetStream.
    pub async fn attendre_publie(&self, base: &PgPool) {
        attendre("the outbox to be empty", async || {
            compter(base, "select count(*) from outbox_attente").await == 0
        })
        .await;
    }

    /// Last sequence of the stream of a service; 0 when there is none.
    pub async fn derniere_sequence(&self, service: &str) -> u64 {
        match self.jet.contexte.get_stream(nats::flux(service)).await {
            Ok(mut f) => f.info().await.map_or(0, |i| i.state.last_sequence),
            Err(_) => 0,
        }
    }

    /// Every event of the stream of a service, in order.
    pub async fn deposes(&self, service: &str) -> Vec<Depose> {
        let mut flux = self.jet.contexte.get_stream(nats::flux(service)).await.unwrap();
        let etat = flux.info().await.unwrap().state.clone();
        let mut lus = Vec::new();
        for sequence in etat.first_sequence.max(1)..=etat.last_sequence {
            let m = flux.get_raw_message(sequence).await.unwrap();
            lus.push(Depose {
                sequence: m.sequence,
                id: m.headers.get(async_nats::header::NATS_MESSAGE_ID).unwrap().to_string(),
                sujet: m.subject.to_string(),
                evenement: Evenement::decode(m.payload).unwrap(),
            });
        }
        lus
    }
}

/// A number read by one query.
pub async fn compter(base: &PgPool, requete: &'static str) -> i64 {
    sqlx::query_scalar(requete).fetch_one(base).await.unwrap()
}

/// A lease.
pub fn bail(region: &str, domaine: &str, ecrivain: Ecrivain, epoque: u64) -> Bail {
    Bail { region: region.into(), domaine: domaine.into(), ecrivain: ecrivain as i32, epoque }
}

fn fermeture(services: &[&'static str]) -> BTreeSet<&'static str> {
    let mut tous = BTreeSet::new();
    let mut reste = services.to_vec();
    while let Some(s) = reste.pop() {
        if tous.insert(s) {
            reste.extend(amonts(s));
        }
    }
    tous
}

/// A free port for each service.
fn ports() -> BTreeMap<String, u16> {
    let ports = ror_embedded::free_ports(SERVICES.len()).unwrap();
    SERVICES.iter().map(|s| (*s).to_owned()).zip(ports).collect()
}

/// Logs once for the process; `ROR_LOG__FILTER` shows more.
fn journal() {
    static GARDE: OnceLock<telemetrie::Garde> = OnceLock::new();
    GARDE.get_or_init(|| {
        let filtre = std::env::var("ROR_LOG__FILTER").unwrap_or_else(|_| "error".into());
        let reglages = ReglagesJournal { format: FormatJournal::Texte, filtre, otlp: None };
        telemetrie::installer(&reglages, "ror-it").unwrap()
    });
}
