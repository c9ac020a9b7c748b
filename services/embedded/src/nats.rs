//! NATS with JetStream: its configuration, its readiness.

pub(crate) mod health;

use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::{Value, json};

use crate::{account::Account, binaries::Binaries, error::Error, place::Place, supervisor::Server};

const MAX_PAYLOAD: u64 = 8 << 20;
const MAX_FILE_STORE: u64 = 10 << 30;

/// One NATS server on one port.
#[derive(Debug)]
pub(crate) struct Nats {
    program: PathBuf,
    directory: PathBuf,
    /// Beside the directory, not in it: the server's account must not choose what we write.
    config: PathBuf,
    log: PathBuf,
    account: Account,
    port: u16,
}

impl Nats {
    /// The server of a place.
    pub(crate) fn new(place: &Place, binaries: &Binaries, port: u16) -> Self {
        Self {
            program: binaries.nats_server.clone(),
            directory: place.server_dir.join("nats"),
            config: place.server_dir.join("nats.conf"),
            log: place.data_dir.join("nats.log"),
            account: place.account,
            port,
        }
    }

    fn ports_file(&self, pid: i32) -> PathBuf {
        // Named after the program's file, whatever that is.
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        self.directory.join(format!("{program}_{pid}.ports"))
    }

    /// Removes the files of former runs: their numbers may come back.
    fn clear_ports_files(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "ports") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn write_config(&self) -> std::io::Result<()> {
        let config = configuration(&self.directory, self.port);
        match fs::remove_file(&self.config) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        fs::write(&self.config, config)?;
        fs::set_permissions(&self.config, fs::Permissions::from_mode(0o644))
    }
}

impl Server for Nats {
    const NAME: &'static str = "NATS";
    const STOP: Signal = Signal::SIGTERM;
    const ABRUPT: Signal = Signal::SIGKILL;

    fn program(&self) -> &Path {
        &self.program
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn log(&self) -> &Path {
        &self.log
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn account(&self) -> Account {
        self.account
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config).arg("--ports_file_dir").arg(&self.directory);
        command
    }

    async fn before_launch(&self) -> Result<(), Error> {
        self.account.private_dir(&self.directory)?;
        self.clear_ports_files().map_err(|cause| Error::io(&self.directory, cause))?;
        self.write_config().map_err(|cause| Error::io(&self.config, cause))
    }

    async fn is_ready(&self, pid: Pid) -> bool {
        let Ok(ports) = fs::read_to_string(self.ports_file(pid.as_raw())) else {
            return false;
        };
        match monitoring(&ports) {
            Some(address) => health::is_ok(address).await,
            None => false,
        }
    }

    fn is_recovering(&self, _pid: Pid) -> bool {
        // Once it has a store it may have streams to load, which it does before it listens.
        self.directory.join("store").is_dir()
    }
}

/// NATS reads JSON as its own format. The monitoring port is the server's choice, told by the
/// ports file; the folder of that file is given on the command line, where it also marks the
/// process as ours.
fn configuration(directory: &Path, port: u16) -> String {
    json!({
        "server_name": "ror-embedded",
        "listen": format!("127.0.0.1:{port}"),
        "http": "127.0.0.1:-1",
        "max_payload": MAX_PAYLOAD,
        "jetstream": {
            "store_dir": directory.join("store").to_string_lossy(),
            "max_file_store": MAX_FILE_STORE,
        },
    })
    .to_string()
}

/// The monitoring address in a ports file; `None` while it is half-written.
fn monitoring(ports: &str) -> Option<SocketAddr> {
    let ports: Value = serde_json::from_str(ports).ok()?;
    let url = ports.get("monitoring")?.get(0)?.as_str()?;
    url.strip_prefix("http://")?.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitoring_address_is_read_from_a_whole_ports_file_only() {
        let whole = r#"{"nats":["nats://127.0.0.1:24567"],"monitoring":["http://127.0.0.1:43635"]}"#;
        assert_eq!(monitoring(whole), Some(SocketAddr::from(([127, 0, 0, 1], 43_635))));
        assert_eq!(monitoring(&whole[..40]), None);
        assert_eq!(monitoring(r#"{"nats":["nats://127.0.0.1:24567"]}"#), None);
        assert_eq!(monitoring(""), None);
    }

    #[test]
    fn the_configuration_quotes_any_path_and_fixes_the_port() {
        let text = configuration(Path::new("/a \"b\"/é"), 24_567);
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["listen"], "127.0.0.1:24567");
        assert_eq!(read["jetstream"]["store_dir"], "/a \"b\"/é/store");
    }
}
