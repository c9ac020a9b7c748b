//! `ror access`: applications of the circle of trust.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use ror_proto::access::v1::{
    Consumer, CreateConsumerRequest, ListConsumersRequest, RevokeConsumerRequest,
    access_service_client::AccessServiceClient,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};

use crate::{Cible, maillage::Maillage};

/// Applications du cercle de confiance.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    geste: Geste,
    #[command(flatten)]
    cible: Cible,
}

#[derive(Subcommand)]
enum Geste {
    /// Inscrit une application ; son secret n'est montré qu'une fois.
    Creer {
        /// Identifiant de l'application.
        #[arg(long)]
        client_id: String,
        /// Nom de l'application.
        #[arg(long)]
        nom: String,
        /// Profil de lecture, 0 à 5 ; aucun pour un fournisseur.
        #[arg(long)]
        profil: Option<u32>,
        /// Habilite à écrire des capacités.
        #[arg(long)]
        capacite: bool,
        /// Certificat client (PEM).
        #[arg(long)]
        certificat: Option<PathBuf>,
        /// idNatStruct d'un établissement dont les lieux peuvent être écrits ; répétable.
        #[arg(long)]
        structure: Vec<String>,
    },
    /// Liste les applications.
    Lister,
    /// Révoque une application.
    Revoquer {
        /// Identifiant de l'application.
        client_id: String,
    },
}

/// SHA-256 (hexadecimal) of a PEM certificate.
pub fn empreinte(chemin: &std::path::Path) -> anyhow::Result<String> {
    let c = CertificateDer::from_pem_file(chemin)
        .map_err(|e| anyhow::anyhow!("{e:?}"))
        .with_context(|| format!("certificat {} illisible", chemin.display()))?;
    Ok(Sha256::digest(c.as_ref()).iter().map(|o| format!("{o:02x}")).collect())
}

/// Runs a gesture.
pub async fn executer(o: Options) -> anyhow::Result<ExitCode> {
    let mut client = AccessServiceClient::new(Maillage::lire(&o.cible.mesh)?.vers("access")?);
    match o.geste {
        Geste::Creer { client_id, nom, profil, capacite, certificat, structure } => {
            let consumer = Consumer {
                client_id: client_id.clone(),
                nom,
                profil,
                ecriture_capacite: capacite,
                structures_autorisees: structure,
                certificat_sha256: certificat.as_deref().map(empreinte).transpose()?.unwrap_or_default(),
                actif: true,
                ..Default::default()
            };
            let r = client
                .create_consumer(CreateConsumerRequest { consumer: Some(consumer) })
                .await?
                .into_inner();
            println!("client_id={client_id}");
            if !r.client_secret.is_empty() {
                println!("client_secret={}", r.client_secret);
            }
        }
        Geste::Lister => {
            let mut page_token = String::new();
            loop {
                let r = client
                    .list_consumers(ListConsumersRequest { page_size: 200, page_token })
                    .await?
                    .into_inner();
                for c in &r.consumers {
                    let profil = c.profil.map_or("-".to_owned(), |p| p.to_string());
                    println!(
                        "{:<28} profil {profil:<2} {} {}  {}",
                        c.client_id,
                        if c.ecriture_capacite { "écrit " } else { "lit   " },
                        if c.actif { "actif  " } else { "révoqué" },
                        c.nom
                    );
                }
                if r.next_page_token.is_empty() {
                    break;
                }
                page_token = r.next_page_token;
            }
        }
        Geste::Revoquer { client_id } => {
            client.revoke_consumer(RevokeConsumerRequest { client_id: client_id.clone() }).await?;
            println!("{client_id} révoqué");
        }
    }
    Ok(ExitCode::SUCCESS)
}
