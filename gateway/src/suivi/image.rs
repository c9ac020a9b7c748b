//! The image of the read model through the life of a gateway: read before anything is followed, written once
//! the directory is whole, then from time to time, and at the end.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, ErrorKind},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ror_chassis::{nats::Jet, suivi};
use tokio_util::sync::CancellationToken;

use super::{Indexeur, instant_de, micros_de};
use crate::{
    Passerelle, maintenant,
    modele::{Annuaire, Modele, Source, image},
    pairs,
    reglages::ReglagesImage,
    texte,
};

/// Between two looks at the directory, and between two questions to a broker that does not answer.
const PAS: Duration = Duration::from_secs(2);

/// Puts the image of a former life in place of the empty directory, when it serves; else that of another replica. An
/// image that does not serve is deleted, and without one everything comes from the services.
pub async fn restaurer(p: &Passerelle, jet: &Jet) {
    let Some(reglages) = p.reglages.image.clone() else { return };
    let mut lue = relire(p, jet, &reglages).await;
    let mut demandees = BTreeSet::new();
    while lue.is_none()
        && let Some(adresse) = prendre(p, &reglages, &demandees).await
    {
        lue = relire(p, jet, &reglages).await;
        demandees.insert(adresse);
    }
    let texte = lue.and_then(|l| l.texte);
    let indexeur = p.indexeur.clone();
    let restaure = bloquer(move || {
        let copie = texte.as_ref().map(|t| t.dossier.clone());
        let lignes = texte.map(|t| indexeur.reprendre(t)).transpose();
        // One that does not serve goes with those that no image names.
        texte::oublier(&reglages.dossier, copie.as_deref().filter(|_| lignes.is_ok()));
        lignes
    });
    match restaure.await {
        Ok(Some(lignes)) => {
            metrics::gauge!("ror_gateway_image_text_rows").set(lignes as f64);
            tracing::info!(rows = lignes, "full text read from the image");
        }
        Ok(None) => {}
        Err(e) => tracing::warn!(error = %e, "full text of the image not used, every row is fed again"),
    }
}

/// Takes the image of another replica, but for these, when there is one.
async fn prendre(
    p: &Passerelle,
    reglages: &ReglagesImage,
    sauf: &BTreeSet<SocketAddr>,
) -> Option<SocketAddr> {
    let url = p.reglages.pairs.as_deref()?;
    pairs::prendre(url, p.reglages.commun.tls.as_ref(), &reglages.dossier, sauf).await
}

/// An image that serves.
struct Lue {
    texte: Option<image::Texte>,
}

/// Puts the directory of the image in place, when there is one that serves.
async fn relire(p: &Passerelle, jet: &Jet, reglages: &ReglagesImage) -> Option<Lue> {
    let dossier = reglages.dossier.clone();
    let debut = Instant::now();
    let (m, texte) = match bloquer(move || image::lire(&dossier)).await {
        Ok(lus) => lus,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        Err(e) => {
            ecarter(reglages, &e.to_string());
            return None;
        }
    };
    if !memes_vies(jet, &m).await {
        ecarter(reglages, "its streams were made anew");
        return None;
    }
    let secondes = debut.elapsed().as_secs_f64();
    let age = maintenant().saturating_sub(m.date()) as f64 / 1000.0;
    let lignes: u64 = m.comptes().iter().map(|(_, n)| n).sum();
    let date = instant_de(m.date().saturating_mul(1000));
    if let Err(e) = p.annuaire.ecrire_et_publier(move |vide| *vide = m).await {
        tracing::error!(error = %e, "image of the directory not put in place");
        // Another one would not be either.
        return Some(Lue { texte: None });
    }
    metrics::gauge!("ror_gateway_image_read_seconds").set(secondes);
    metrics::gauge!("ror_gateway_image_age_seconds").set(age);
    tracing::info!(date = ?date, rows = lignes, seconds = secondes, "directory read from its image");
    Some(Lue { texte })
}

/// What an image is of: the moment, and the labels of its full text when that is whole.
type Objet = (u64, Option<u64>);

fn present(p: &Passerelle) -> Objet {
    (p.annuaire.instant().numero(), p.indexeur.entier())
}

/// Writes an image when the directory changed since the last one; the last time when told to stop.
pub async fn garder(p: Arc<Passerelle>, arret: CancellationToken) {
    let Some(reglages) = p.reglages.image.clone() else { return };
    // Numbers begin with the first whole directory; that of an image is on disk.
    let mut ecrit = present(&p);
    let mut quand = Instant::now();
    loop {
        let fin = tokio::select! {
            () = tokio::time::sleep(PAS.min(reglages.intervalle)) => false,
            () = arret.cancelled() => true,
        };
        let a_ecrire = present(&p);
        // The first one is not waited for, nor the first one whose full text is whole.
        let premiere = ecrit.0 == 0 || (ecrit.1.is_none() && a_ecrire.1.is_some());
        if a_ecrire != ecrit && (fin || premiere || quand.elapsed() >= reglages.intervalle) {
            // One that fails is not tried again before its time.
            ecrit = a_ecrire;
            ecrire(&p, &reglages).await;
            quand = Instant::now();
        }
        if fin {
            return;
        }
    }
}

async fn ecrire(p: &Arc<Passerelle>, reglages: &ReglagesImage) {
    let (passerelle, dossier) = (p.clone(), reglages.dossier.clone());
    let debut = Instant::now();
    let faire = move || enregistrer(&passerelle.annuaire, &passerelle.indexeur, &dossier);
    match bloquer(faire).await {
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

/// Writes the present moment and its full text in that folder; the bytes of the image.
pub(super) fn enregistrer(annuaire: &Annuaire, indexeur: &Indexeur, dossier: &Path) -> io::Result<u64> {
    // Between two publications the index was told of all that the moment shows, and of nothing more.
    let (moment, copie) = annuaire.entre_publications(|m| (m.clone(), indexeur.demander_copie()));
    let refus = |e: &io::Error| tracing::warn!(error = %e, "full text left out of the image");
    let texte = copie.and_then(|c| c.attendre().inspect_err(refus).ok());
    let ecrit = image::ecrire(&moment, texte.as_ref(), dossier);
    match (&ecrit, texte) {
        // The former image, which names another copy, is no more.
        (Ok(_), texte) => texte::oublier(dossier, texte.as_ref().map(|t| t.dossier.as_str())),
        (Err(_), Some(texte)) => {
            let _ = fs::remove_dir_all(dossier.join(texte.dossier));
        }
        (Err(_), None) => {}
    }
    ecrit
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

/// Runs what waits for a disk.
pub(crate) async fn bloquer<R: Send + 'static>(
    faire: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    tokio::task::spawn_blocking(faire).await.unwrap_or_else(|e| Err(io::Error::other(e)))
}
