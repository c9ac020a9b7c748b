//! The image of the read model through the life of a gateway: read before anything is followed, written once
//! the directory is whole, then from time to time, and at the end.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::{Duration, Instant},
};

use ror_chassis::{nats::Jet, suivi};
use tokio_util::sync::CancellationToken;

use super::{instant_de, micros_de};
use crate::{
    Passerelle, maintenant,
    modele::{Modele, Source, image},
    reglages::ReglagesImage,
};

/// Until the directory is whole, between two looks at it; and between two questions to a broker that does
/// not answer.
const PAS: Duration = Duration::from_secs(2);

/// Puts the image of a former life in place of the empty directory, when it serves. An image that does not
/// is deleted, and everything comes from the services.
pub async fn restaurer(p: &Passerelle, jet: &Jet) {
    let Some(reglages) = p.reglages.image.clone() else { return };
    let dossier = reglages.dossier.clone();
    let debut = Instant::now();
    let m = match bloquer(move || image::lire(&dossier)).await {
        Ok(m) => m,
        Err(e) if e.kind() == ErrorKind::NotFound => return,
        Err(e) => return ecarter(&reglages, &e.to_string()),
    };
    if !memes_vies(jet, &m).await {
        return ecarter(&reglages, "its streams were made anew");
    }
    let secondes = debut.elapsed().as_secs_f64();
    let age = maintenant().saturating_sub(m.date()) as f64 / 1000.0;
    let lignes: u64 = m.comptes().iter().map(|(_, n)| n).sum();
    let date = instant_de(m.date().saturating_mul(1000));
    if let Err(e) = p.annuaire.ecrire_et_publier(move |vide| *vide = m).await {
        tracing::error!(error = %e, "image of the directory not put in place");
        return;
    }
    metrics::gauge!("ror_gateway_image_read_seconds").set(secondes);
    metrics::gauge!("ror_gateway_image_age_seconds").set(age);
    tracing::info!(date = ?date, rows = lignes, seconds = secondes, "directory read from its image");
}

/// Writes an image when the directory changed since the last one; the last time when told to stop.
pub async fn garder(p: Arc<Passerelle>, arret: CancellationToken) {
    let Some(reglages) = p.reglages.image.clone() else { return };
    // Numbers begin with the first whole directory; that of an image is on disk.
    let mut ecrit = p.annuaire.instant().numero();
    loop {
        let attente = if ecrit == 0 { PAS } else { reglages.intervalle };
        let fin = tokio::select! {
            () = tokio::time::sleep(attente) => false,
            () = arret.cancelled() => true,
        };
        let numero = p.annuaire.instant().numero();
        if numero != ecrit {
            // One that fails is not tried again before its time.
            ecrit = numero;
            ecrire(&p, &reglages).await;
        }
        if fin {
            return;
        }
    }
}

async fn ecrire(p: &Passerelle, reglages: &ReglagesImage) {
    let (moment, dossier) = (p.annuaire.instant(), reglages.dossier.clone());
    let debut = Instant::now();
    match bloquer(move || image::ecrire(&moment, &dossier)).await {
        Ok(octets) => {
            let secondes = debut.elapsed().as_secs_f64();
            metrics::gauge!("ror_gateway_image_bytes").set(octets as f64);
            metrics::gauge!("ror_gateway_image_write_seconds").set(secondes);
            tracing::debug!(bytes = octets, seconds = secondes, "image of the directory written");
        }
        Err(e) => {
            let dossier = reglages.dossier.display();
            tracing::warn!(folder = %dossier, error = %e, "image of the directory not written");
        }
    }
}

fn ecarter(reglages: &ReglagesImage, cause: &str) {
    image::oter(&reglages.dossier);
    let dossier = reglages.dossier.display();
    tracing::warn!(folder = %dossier, cause, "image of the directory deleted, reading everything from the services");
}

/// Whether the streams are those that this moment followed. In another life of one, versions may have gone
/// back: only an empty directory takes them.
async fn memes_vies(jet: &Jet, m: &Modele) -> bool {
    for source in Source::TOUTES {
        let naissance = loop {
            match suivi::naissance(jet, source.nom()).await {
                Ok(n) => break micros_de(n),
                Err(e) => tracing::warn!(source = source.nom(), error = %e, "stream not reached"),
            }
            tokio::time::sleep(PAS).await;
        };
        if m.reprise(source).is_none_or(|(_, n)| n != naissance) {
            return false;
        }
    }
    true
}

async fn bloquer<R: Send + 'static>(faire: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<R> {
    tokio::task::spawn_blocking(faire).await.unwrap_or_else(|e| Err(io::Error::other(e)))
}
