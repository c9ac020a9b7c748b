//! Settings: compiled defaults, then the file named by `ROR_CONFIG`, then the
//! environment (`ROR_DATABASE__URL` is `database.url`). Every fault is listed at
//! once; secrets never print.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
};

use config::{Config, Environment, File, FileFormat};
use secrecy::{ExposeSecret, SecretString};

/// All the faults of a configuration.
#[derive(Debug, thiserror::Error)]
#[error("configuration invalide :\n{}", .0.iter().map(|f| format!("  - {f}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigurationInvalide(pub Vec<String>);

/// Reads typed settings and gathers faults instead of stopping at the first.
pub struct Lecteur {
    config: Config,
    fautes: Vec<String>,
    lues: BTreeSet<String>,
    du_fichier: BTreeSet<String>,
}

impl Lecteur {
    /// Layers the defaults (TOML), the file named by `ROR_CONFIG` and the environment.
    pub fn nouveau(defauts: &str) -> Result<Self, ConfigurationInvalide> {
        let fichier = std::env::var("ROR_CONFIG").ok();
        Self::avec(
            defauts,
            fichier.as_deref(),
            Environment::with_prefix("ROR").prefix_separator("_").separator("__"),
        )
    }

    fn avec(defauts: &str, fichier: Option<&str>, env: Environment) -> Result<Self, ConfigurationInvalide> {
        let mut base = Config::builder().add_source(File::from_str(defauts, FileFormat::Toml));
        let mut du_fichier = BTreeSet::new();
        if let Some(chemin) = fichier {
            let seul = Config::builder()
                .add_source(File::new(chemin, FileFormat::Toml))
                .build()
                .and_then(|c| c.try_deserialize::<serde_json::Value>())
                .map_err(|e| ConfigurationInvalide(vec![format!("fichier {chemin} : {e}")]))?;
            aplatir("", &seul, &mut du_fichier);
            base = base.add_source(File::new(chemin, FileFormat::Toml));
        }
        let config = base
            .add_source(env)
            .build()
            .map_err(|e| ConfigurationInvalide(vec![format!("lecture impossible : {e}")]))?;
        Ok(Self { config, fautes: Vec::new(), lues: BTreeSet::new(), du_fichier })
    }

    fn brut(&mut self, cle: &str) -> Option<String> {
        self.lues.insert(cle.to_owned());
        let par_fichier = format!("{cle}_file");
        self.lues.insert(par_fichier.clone());
        if let Ok(chemin) = self.config.get_string(&par_fichier) {
            return match std::fs::read_to_string(&chemin) {
                Ok(texte) => Some(texte.trim_end().to_owned()),
                Err(e) => {
                    self.fautes.push(format!("{par_fichier} : {chemin} illisible ({e})"));
                    None
                }
            };
        }
        self.config.get_string(cle).ok().filter(|v| !v.is_empty())
    }

    /// An optional value.
    pub fn option<T: FromStr>(&mut self, cle: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        let brut = self.brut(cle)?;
        match brut.parse() {
            Ok(v) => Some(v),
            Err(e) => {
                // The value itself may be a secret: only the key and the rule are told.
                self.fautes.push(format!("{cle} : valeur refusée ({e})"));
                None
            }
        }
    }

    /// A value, or its default.
    pub fn ou<T: FromStr>(&mut self, cle: &str, defaut: T) -> T
    where
        T::Err: fmt::Display,
    {
        self.option(cle).unwrap_or(defaut)
    }

    /// A required value; a fault stands for it until [`Self::finir`].
    pub fn requis<T: FromStr + Default>(&mut self, cle: &str, pour: &str) -> T
    where
        T::Err: fmt::Display,
    {
        let avant = self.fautes.len();
        match self.option(cle) {
            Some(v) => v,
            None => {
                if self.fautes.len() == avant {
                    let variable = format!("ROR_{}", cle.replace('.', "__").to_uppercase());
                    self.fautes.push(format!("{cle} manque : {pour} (variable {variable})"));
                }
                T::default()
            }
        }
    }

    /// Adds a fault found by a check over several settings.
    pub fn faute(&mut self, texte: impl Into<String>) {
        self.fautes.push(texte.into());
    }

    /// Accepts keys of the file that another reader of the process checks by itself.
    pub fn reconnaitre(&mut self, prefixe: &str) {
        self.lues.extend(self.du_fichier.iter().filter(|c| c.starts_with(prefixe)).cloned());
    }

    /// Ends the reading: every fault at once, unknown keys of the file included.
    pub fn finir(mut self) -> Result<(), ConfigurationInvalide> {
        for cle in &self.du_fichier {
            if !self.lues.contains(cle) {
                self.fautes.push(format!("{cle} : clé inconnue dans le fichier de configuration"));
            }
        }
        if self.fautes.is_empty() { Ok(()) } else { Err(ConfigurationInvalide(self.fautes)) }
    }
}

fn aplatir(prefixe: &str, valeur: &serde_json::Value, cles: &mut BTreeSet<String>) {
    if let serde_json::Value::Object(champs) = valeur {
        for (nom, v) in champs {
            let cle = if prefixe.is_empty() { nom.clone() } else { format!("{prefixe}.{nom}") };
            aplatir(&cle, v, cles);
        }
    } else {
        cles.insert(prefixe.to_owned());
    }
}

/// A secret that never prints.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself, for the call that needs it.
    pub fn exposer(&self) -> &str {
        self.0.expose_secret()
    }
}
impl Default for Secret {
    fn default() -> Self {
        Self(SecretString::from(String::new()))
    }
}
impl From<String> for Secret {
    fn from(v: String) -> Self {
        Self(SecretString::from(v))
    }
}
impl FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self(SecretString::from(s.to_owned())))
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[caché]")
    }
}

/// Certificate files of mutual TLS between services.
#[derive(Clone, Debug)]
pub struct FichiersTls {
    /// PEM certificate chain of this service.
    pub cert: PathBuf,
    /// PEM private key.
    pub cle: PathBuf,
    /// PEM authority that both sides must chain to.
    pub ca: PathBuf,
}

/// Shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatJournal {
    /// For a person at a terminal.
    Texte,
    /// For a log collector.
    Json,
}
impl FromStr for FormatJournal {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "text" | "texte" => Ok(Self::Texte),
            "json" => Ok(Self::Json),
            _ => Err("attendu : json ou text".into()),
        }
    }
}

/// Settings every service has.
#[derive(Clone, Debug)]
pub struct Reglages {
    /// Name of the service, also its schema.
    pub nom: String,
    /// PostgreSQL URL; none for the gateway.
    pub base: Option<Secret>,
    /// Connections of the pool.
    pub base_connexions: u32,
    /// NATS URL.
    pub nats: String,
    /// Replicas of JetStream streams this service creates.
    pub nats_replicas: usize,
    /// gRPC listening address; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Probes and metrics; none inside `ror up`, whose gateway serves them.
    pub admin: Option<SocketAddr>,
    /// Mutual TLS between services.
    pub tls: Option<FichiersTls>,
    /// gRPC URL of each service this one calls.
    pub amont: BTreeMap<String, String>,
    /// Whether the service migrates its schema at start (development) or only checks it.
    pub migrer: bool,
}

/// Telemetry settings of a process.
#[derive(Clone, Debug)]
pub struct ReglagesJournal {
    /// Shape of log lines.
    pub format: FormatJournal,
    /// Filter in the form of `tracing_subscriber::EnvFilter`.
    pub filtre: String,
    /// OTLP endpoint of traces; none exports nothing.
    pub otlp: Option<String>,
}

/// Names of the services that can be called.
pub const SERVICES: [&str; 7] =
    ["structures", "offers", "capacity", "nomenclatures", "identity", "access", "bascule"];

impl Reglages {
    /// Reads what every service needs; `avec_base` for those owning a schema.
    pub fn lire(lecteur: &mut Lecteur, nom: &str, avec_base: bool) -> Self {
        let base = avec_base.then(|| {
            lecteur.requis("database.url", "adresse PostgreSQL, postgres://utilisateur:secret@hote:5432/base")
        });
        let tls = match (
            lecteur.option::<PathBuf>("tls.cert"),
            lecteur.option::<PathBuf>("tls.key"),
            lecteur.option::<PathBuf>("tls.ca"),
        ) {
            (None, None, None) => None,
            (Some(cert), Some(cle), Some(ca)) => Some(FichiersTls { cert, cle, ca }),
            _ => {
                lecteur.faute("tls.cert, tls.key et tls.ca vont ensemble : donnez les trois ou aucun");
                None
            }
        };
        let amont = SERVICES
            .iter()
            .filter_map(|s| {
                lecteur.option::<String>(&format!("upstream.{s}")).map(|url| ((*s).to_owned(), url))
            })
            .collect();
        Self {
            nom: nom.to_owned(),
            base,
            base_connexions: lecteur.ou("database.connections", 16),
            nats: lecteur.requis("nats.url", "adresse NATS, nats://hote:4222"),
            nats_replicas: lecteur.ou("nats.replicas", 1),
            grpc: lecteur.ou("grpc.addr", SocketAddr::from(([0, 0, 0, 0], 50051))),
            admin: Some(lecteur.ou("admin.addr", SocketAddr::from(([0, 0, 0, 0], 9090)))),
            tls,
            amont,
            migrer: lecteur.ou("database.migrate", false),
        }
    }
}

impl ReglagesJournal {
    /// Reads `log.*` and `otlp.endpoint`.
    pub fn lire(lecteur: &mut Lecteur) -> Self {
        Self {
            format: lecteur.ou("log.format", FormatJournal::Json),
            filtre: lecteur.ou("log.filter", "info".to_owned()),
            otlp: lecteur.option("otlp.endpoint"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(paires: &[(&str, &str)]) -> Environment {
        Environment::with_prefix("ROR")
            .prefix_separator("_")
            .separator("__")
            .source(Some(paires.iter().map(|(c, v)| ((*c).to_owned(), (*v).to_owned())).collect()))
    }

    #[test]
    fn every_fault_is_listed_at_once_and_no_secret_is_printed() {
        let mut l =
            Lecteur::avec("", None, env(&[("ROR_GRPC__ADDR", "partout"), ("ROR_TLS__CERT", "/a")])).unwrap();
        let r = Reglages::lire(&mut l, "offers", true);
        let fautes = l.finir().unwrap_err().0;
        assert_eq!(fautes.len(), 4, "{fautes:?}");
        for mot in ["database.url", "nats.url", "grpc.addr", "tls.cert"] {
            assert!(fautes.iter().any(|f| f.contains(mot)), "{mot} is named");
        }
        assert!(!format!("{r:?}").contains("postgres://"));
    }

    #[test]
    fn the_environment_wins_over_the_file_and_an_unknown_key_of_the_file_is_a_fault() {
        let dossier = std::env::temp_dir().join(format!("ror-reglages-{}", std::process::id()));
        std::fs::create_dir_all(&dossier).unwrap();
        let fichier = dossier.join("ror.toml");
        std::fs::write(
            &fichier,
            "[nats]\nurl='nats://a'\nurll='x'\n[database]\nurl='postgres://secret@h/b'\n",
        )
        .unwrap();
        let mut l = Lecteur::avec("", fichier.to_str(), env(&[("ROR_NATS__URL", "nats://b")])).unwrap();
        let r = Reglages::lire(&mut l, "offers", true);
        assert_eq!(r.nats, "nats://b");
        assert_eq!(r.base.as_ref().map(Secret::exposer), Some("postgres://secret@h/b"));
        assert!(!format!("{r:?}").contains("secret"));
        let fautes = l.finir().unwrap_err().0;
        assert!(fautes.len() == 1 && fautes[0].contains("nats.urll"), "{fautes:?}");
        std::fs::remove_dir_all(dossier).unwrap();
    }
}
