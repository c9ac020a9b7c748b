//! Certificates of a demonstration mesh: one authority, the server's, one a client.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// Clients that have a certificate.
pub const CLIENTS: [&str; 5] = ["p1", "p2", "p3", "p4", "p5"];

/// Where the PEM files are.
#[derive(Clone)]
pub struct Dossier(PathBuf);

impl Dossier {
    /// Authority of the server and of the clients.
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }
    /// Certificate of the façade.
    pub fn serveur_cert(&self) -> PathBuf {
        self.0.join("serveur.pem")
    }
    /// Key of the façade.
    pub fn serveur_cle(&self) -> PathBuf {
        self.0.join("serveur.key")
    }
    /// Text that signs the page links and cursors of the façade, so that they outlive a restart.
    pub fn signature(&self) -> PathBuf {
        self.0.join("signature.key")
    }
    /// Certificate of a client.
    pub fn client_cert(&self, nom: &str) -> PathBuf {
        self.0.join(format!("{nom}.pem"))
    }
    /// Key of a client.
    pub fn client_cle(&self, nom: &str) -> PathBuf {
        self.0.join(format!("{nom}.key"))
    }
}

/// Makes the files once; they are kept with the data.
pub fn preparer(dossier: &Path) -> anyhow::Result<Dossier> {
    let d = Dossier(dossier.to_owned());
    std::fs::create_dir_all(dossier).with_context(|| format!("impossible de créer {}", dossier.display()))?;
    // Data of before this file had none.
    if !d.signature().exists() {
        ecrire(&d.signature(), &KeyPair::generate()?.serialize_pem())?;
    }
    // The last file written tells that all are there.
    if d.client_cle("p5").exists() {
        return Ok(d);
    }
    let ca_cle = KeyPair::generate()?;
    let mut ca = parametres("Autorité de démonstration du ROR", &[])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_cert = ca.self_signed(&ca_cle)?;
    ecrire(&d.ca(), &ca_cert.pem())?;
    let emetteur = Issuer::new(ca, ca_cle);
    let signer =
        |nom: &str, noms: &[&str], usage, cert: PathBuf, cle_fichier: PathBuf| -> anyhow::Result<()> {
            let cle = KeyPair::generate()?;
            let mut p = parametres(nom, noms)?;
            p.extended_key_usages = vec![usage];
            let c = p.signed_by(&cle, &emetteur)?;
            ecrire(&cert, &c.pem())?;
            ecrire(&cle_fichier, &cle.serialize_pem())
        };
    signer(
        "localhost",
        &["localhost", "127.0.0.1", "::1"],
        ExtendedKeyUsagePurpose::ServerAuth,
        d.serveur_cert(),
        d.serveur_cle(),
    )?;
    for c in CLIENTS {
        signer(
            &format!("demo-{c}"),
            &[],
            ExtendedKeyUsagePurpose::ClientAuth,
            d.client_cert(c),
            d.client_cle(c),
        )?;
    }
    Ok(d)
}

fn parametres(nom: &str, noms: &[&str]) -> anyhow::Result<CertificateParams> {
    let mut p = CertificateParams::new(noms.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())?;
    p.distinguished_name.push(DnType::CommonName, nom);
    p.distinguished_name.push(DnType::OrganizationName, "ROR démonstration");
    p.not_before = OffsetDateTime::now_utc() - Duration::days(1);
    p.not_after = OffsetDateTime::now_utc() + Duration::days(3650);
    Ok(p)
}

/// Keys are for this account alone.
fn ecrire(chemin: &Path, texte: &str) -> anyhow::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut f =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(chemin)?;
    f.write_all(texte.as_bytes())?;
    Ok(())
}
