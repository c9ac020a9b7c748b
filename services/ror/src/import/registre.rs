//! Registry editions: the bytes go to `identity`, which reads, compares and reports.

use std::{io::Read, path::Path};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ror_proto::identity::v1::{
    EnTeteEdition, Format, ImportEditionRequest, identity_service_client::IdentityServiceClient,
    import_edition_request, import_edition_response,
};
use tokio::sync::mpsc;

use super::Rapport;
use crate::maillage::Maillage;

const MORCEAU: usize = 256 * 1024;

/// Sends a file and waits for the report.
pub async fn charger(m: &Maillage, format: Format, fichier: &Path, essai: bool) -> anyhow::Result<Rapport> {
    let taille = std::fs::metadata(fichier)
        .with_context(|| format!("fichier {} introuvable", fichier.display()))?
        .len();
    let nom = fichier.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let barre = ProgressBar::new(taille);
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} reste {eta}")
    {
        barre.set_style(style);
    }
    barre.set_message(nom.clone());
    let (envoi, reception) = mpsc::channel(8);
    let en_tete = EnTeteEdition { format: format as i32, nom: nom.clone(), taille, essai };
    envoi
        .send(ImportEditionRequest { contenu: Some(import_edition_request::Contenu::EnTete(en_tete)) })
        .await?;
    let chemin = fichier.to_owned();
    let suivi = barre.clone();
    let lecture = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        let mut f = std::fs::File::open(chemin)?;
        let mut tampon = vec![0u8; MORCEAU];
        loop {
            let n = f.read(&mut tampon)?;
            if n == 0 {
                return Ok(());
            }
            let contenu = Some(import_edition_request::Contenu::Octets(tampon[..n].to_vec().into()));
            if envoi.blocking_send(ImportEditionRequest { contenu }).is_err() {
                return Ok(());
            }
            suivi.inc(n as u64);
        }
    });
    let flux = futures::stream::unfold(reception, |mut r| async move { r.recv().await.map(|m| (m, r)) });
    let mut client = IdentityServiceClient::new(m.vers("identity")?);
    let mut reponses = client.import_edition(flux).await?.into_inner();
    let mut rapport = None;
    while let Some(r) = reponses.message().await? {
        match r.contenu {
            Some(import_edition_response::Contenu::Rapport(r)) => rapport = Some(r),
            Some(import_edition_response::Contenu::Avancement(a)) => {
                barre.set_message(format!("{nom} : {} enregistrements", a.enregistrements));
            }
            None => {}
        }
    }
    lecture.await??;
    barre.finish_and_clear();
    Ok(Rapport::d_edition(&nom, rapport.context("le service n'a pas rendu de rapport")?))
}
