//! What the replicas of the gateway give each other: the image of the directory, so that a new one, which has none,
//! starts as one that has lived.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::stream::{self, BoxStream, StreamExt};
use ror_chassis::{
    Erreur,
    admin::Etat,
    client::{self, Canal},
    erreur::faute,
    reglages::FichiersTls,
};
use ror_proto::gateway::v1::{
    CopyImageRequest, CopyImageResponse, FichierImage,
    gateway_service_client::GatewayServiceClient,
    gateway_service_server::{GatewayService, GatewayServiceServer},
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tonic::{Code, Request, Response, Status};

use crate::{modele::image, suivi::bloquer};

/// Replicas that take an image of this one at once.
const PRENEURS: usize = 2;
/// Bytes of a message.
const PIECE: usize = 512 << 10;
/// Messages that wait for the network.
const AVANCE: usize = 4;
/// Longest time without a message, at either end.
const SILENCE: Duration = Duration::from_secs(10);
/// Longest time to give an image, or to look for one, all replicas tried: the services tell everything in as long.
const LIMITE: Duration = Duration::from_secs(60);
/// Between two rounds of replicas of which none has it yet, or a place.
const PAS: Duration = Duration::from_millis(500);

/// Gives the image of that folder, which this replica writes once it is ready, to others that ask for it.
pub fn service(dossier: PathBuf, etat: Etat) -> GatewayServiceServer<Donneur> {
    GatewayServiceServer::new(Donneur::nouveau(dossier, etat))
}

/// Who gives.
pub struct Donneur {
    dossier: PathBuf,
    etat: Etat,
    places: Arc<Semaphore>,
    silence: Duration,
}

impl Donneur {
    fn nouveau(dossier: PathBuf, etat: Etat) -> Self {
        Self { dossier, etat, places: Arc::new(Semaphore::new(PRENEURS)), silence: SILENCE }
    }
}

#[tonic::async_trait]
impl GatewayService for Donneur {
    type CopyImageStream = BoxStream<'static, Result<CopyImageResponse, Status>>;

    async fn copy_image(
        &self,
        demande: Request<CopyImageRequest>,
    ) -> Result<Response<Self::CopyImageStream>, Status> {
        let empreinte = &demande.get_ref().empreinte;
        if *empreinte != image::empreinte() {
            let message = format!("L'image de cette réplique est d'une autre version que {empreinte}.");
            return Err(
                Erreur::Regle(vec![faute("empreinte", "version", message, image::empreinte())]).into()
            );
        }
        let place =
            self.places.clone().try_acquire_owned().map_err(|_| {
                Erreur::Epuise("D'autres répliques prennent déjà l'image de celle-ci.".into())
            })?;
        let dossier = self.dossier.clone();
        let ouverts = bloquer(move || image::ouvrir(&dossier)).await.map_err(|e| match e.kind() {
            ErrorKind::NotFound if self.etat.pret() => {
                Erreur::Epuise("Cette réplique écrit sa première image.".into())
            }
            ErrorKind::NotFound => Erreur::Introuvable("Cette réplique n'a pas d'image.".into()),
            _ => Erreur::Interne(Box::new(e)),
        })?;
        let (vers, mut recues) = mpsc::channel(AVANCE);
        let (handle, silence, fin) = (Handle::current(), self.silence, Instant::now() + LIMITE);
        tokio::task::spawn_blocking(move || {
            envoyer(ouverts, |m| {
                Instant::now() < fin && handle.block_on(vers.send_timeout(m, silence)).is_ok()
            });
            drop(place);
        });
        Ok(Response::new(stream::poll_fn(move |cx| recues.poll_recv(cx)).boxed()))
    }
}

/// Gives the files until the end, or until nobody takes them.
fn envoyer(fichiers: Vec<image::Fichier>, donner: impl Fn(Result<CopyImageResponse, Status>) -> bool) {
    for mut f in fichiers {
        let mut tete = Some(FichierImage { dossier: f.dossier, nom: f.nom, taille: f.taille });
        let mut reste = f.taille;
        while reste > 0 || tete.is_some() {
            let mut octets = vec![0; reste.min(PIECE as u64) as usize];
            if let Err(e) = f.octets.read_exact(&mut octets) {
                donner(Err(Erreur::Interne(Box::new(e)).into()));
                return;
            }
            reste -= octets.len() as u64;
            if !donner(Ok(CopyImageResponse { fichier: tete.take(), octets: octets.into() })) {
                return;
            }
        }
    }
}

/// Puts in that folder the image of a replica behind that URL, but for those whose image did not serve; its address.
pub async fn prendre(
    url: &str,
    tls: Option<&FichiersTls>,
    dossier: &Path,
    sauf: &BTreeSet<SocketAddr>,
) -> Option<SocketAddr> {
    let debut = Instant::now();
    match timeout(LIMITE, demander(url, tls, dossier, sauf)).await {
        Ok(Some((adresse, octets))) => {
            let secondes = debut.elapsed().as_secs_f64();
            metrics::gauge!("ror_gateway_image_taken_bytes").set(octets as f64);
            metrics::gauge!("ror_gateway_image_taken_seconds").set(secondes);
            tracing::info!(%adresse, bytes = octets, seconds = secondes, "image taken from another replica");
            Some(adresse)
        }
        Ok(None) => {
            tracing::info!(url, "no other replica gives an image");
            None
        }
        Err(_) => {
            tracing::warn!(url, seconds = LIMITE.as_secs(), "image of another replica not taken in time");
            None
        }
    }
}

/// Asks each replica, until one gives; the bytes.
async fn demander(
    url: &str,
    tls: Option<&FichiersTls>,
    dossier: &Path,
    sauf: &BTreeSet<SocketAddr>,
) -> Option<(SocketAddr, u64)> {
    loop {
        let canaux = client::repliques(url, tls).await;
        let canaux = canaux.inspect_err(|e| tracing::warn!(error = %e, "other replicas not found")).ok()?;
        let mut occupee = false;
        for (adresse, canal) in canaux.into_iter().filter(|(a, _)| !sauf.contains(a)) {
            match recevoir(canal, dossier).await {
                Ok(octets) => return Some((adresse, octets)),
                Err(e) => {
                    occupee |= e.code() == Code::ResourceExhausted;
                    tracing::info!(%adresse, code = ?e.code(), error = e.message(), "no image from this replica");
                }
            }
        }
        if !occupee {
            return None;
        }
        tokio::time::sleep(PAS).await;
    }
}

async fn recevoir(canal: Canal, dossier: &Path) -> Result<u64, Status> {
    let demande = CopyImageRequest { empreinte: image::empreinte().to_owned() };
    let mut flux = GatewayServiceClient::new(canal).copy_image(demande).await?.into_inner();
    let disque = |e: io::Error| Status::internal(e.to_string());
    let mut reception = image::Reception::nouvelle(dossier).map_err(disque)?;
    let mut recus = 0;
    loop {
        let silence = |_| Status::deadline_exceeded("nothing came");
        let Some(m) = timeout(SILENCE, flux.message()).await.map_err(silence)?? else { break };
        recus += m.octets.len() as u64;
        let poser = move || {
            if let Some(f) = m.fichier {
                reception.commencer(&f.dossier, &f.nom, f.taille)?;
            }
            reception.poser(&m.octets).map(|()| reception)
        };
        reception = bloquer(poser).await.map_err(disque)?;
    }
    reception.finir().map_err(disque)?;
    Ok(recus)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ror_chassis::serveur;
    use tokio_util::sync::CancellationToken;
    use tonic::{Streaming, service::Routes};

    use super::*;
    use crate::modele::{Modele, image::Texte, tests::politique};

    /// A replica that runs; its URL.
    async fn replique(donneur: Donneur, arret: &CancellationToken) -> String {
        let ecoute = serveur::ecouter(([127, 0, 0, 1], 0).into(), "gRPC").await.unwrap();
        let url = format!("http://{}", ecoute.local_addr().unwrap());
        let routes = Routes::new(GatewayServiceServer::new(donneur));
        let arret = arret.clone();
        tokio::spawn(async move { serveur::servir(ecoute, routes, None, arret).await });
        url
    }

    /// The stream of who asks, as that build.
    async fn demande(url: &str, empreinte: &str) -> Result<Streaming<CopyImageResponse>, Code> {
        let mut client = GatewayServiceClient::new(client::canal(url, None).unwrap());
        let demande = CopyImageRequest { empreinte: empreinte.into() };
        client.copy_image(demande).await.map(Response::into_inner).map_err(|e| e.code())
    }

    /// Whether the image there is taken.
    async fn prise(url: &str, dossier: &Path) -> bool {
        prendre(url, None, dossier, &BTreeSet::new()).await.is_some()
    }

    /// An image whose full text is one file, made so.
    fn image_dans(dossier: &Path, texte: impl FnOnce(&Path)) {
        let copie = dossier.join("texte-copie-0");
        fs::create_dir(&copie).unwrap();
        texte(&copie.join("a.store"));
        let texte = Texte {
            dossier: "texte-copie-0".into(),
            fichiers: vec![("a.store".into(), (0, 0))],
            presentes: Default::default(),
            a_nourrir: Default::default(),
            libelles: 0,
        };
        image::ecrire(&Modele::nouveau(politique()), Some(&texte), dossier).unwrap();
    }

    /// More than may be on its way.
    fn gros(f: &Path) {
        fs::File::create(f).unwrap().set_len(64 << 20).unwrap();
    }

    fn vide(dossier: &Path) -> bool {
        fs::read_dir(dossier).unwrap().next().is_none()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_replica_gives_its_image_to_its_own_build_and_to_few_at_once() {
        let (sienne, notre) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (arret, etat) = (CancellationToken::new(), Etat::default());
        let url = replique(Donneur::nouveau(sienne.path().into(), etat.clone()), &arret).await;
        let empreinte = image::empreinte();
        assert_eq!(demande(&url, "0123456789abcdef").await.err(), Some(Code::FailedPrecondition));
        assert_eq!(demande(&url, empreinte).await.err(), Some(Code::NotFound));
        assert!(!prise(&url, notre.path()).await && vide(notre.path()));
        etat.poser("structures", true);
        assert_eq!(
            demande(&url, empreinte).await.err(),
            Some(Code::ResourceExhausted),
            "it is being written"
        );

        image_dans(sienne.path(), gros);
        let lents = [demande(&url, empreinte).await.unwrap(), demande(&url, empreinte).await.unwrap()];
        assert_eq!(demande(&url, empreinte).await.err(), Some(Code::ResourceExhausted));
        drop(lents);
        assert!(prise(&url, notre.path()).await);
        assert_eq!(fs::metadata(notre.path().join("texte-copie-0/a.store")).unwrap().len(), 64 << 20);
        assert!(image::lire(notre.path()).unwrap().1.is_some());
        // One that did not serve is not asked again.
        let sauf = BTreeSet::from([url.trim_start_matches("http://").parse().unwrap()]);
        assert_eq!(prendre(&url, None, notre.path(), &sauf).await, None);
        arret.cancel();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_finds_no_place_asks_again() {
        let (sienne, notre) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let arret = CancellationToken::new();
        let donneur = Donneur::nouveau(sienne.path().into(), Etat::default());
        let places = donneur.places.clone();
        let toutes = places.clone().acquire_many_owned(PRENEURS as u32).await.unwrap();
        let url = replique(donneur, &arret).await;
        image_dans(sienne.path(), |f| fs::write(f, "").unwrap());
        // Refused as long as it is looked for: within one round there is no place.
        let sans = timeout(PAS, prise(&url, notre.path()));
        assert!(sans.await.is_err() && vide(notre.path()));
        drop(toutes);
        assert!(prise(&url, notre.path()).await);
        arret.cancel();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_takes_nothing_loses_the_place() {
        let sienne = tempfile::tempdir().unwrap();
        let arret = CancellationToken::new();
        let impatient = Duration::from_millis(50);
        let donneur =
            Donneur { silence: impatient, ..Donneur::nouveau(sienne.path().into(), Etat::default()) };
        let places = donneur.places.clone();
        let url = replique(donneur, &arret).await;
        image_dans(sienne.path(), gros);
        let mut lents = Vec::new();
        for _ in 0..PRENEURS {
            lents.push(demande(&url, image::empreinte()).await.unwrap());
        }
        let toutes = timeout(LIMITE, places.acquire_many(PRENEURS as u32)).await;
        assert!(toutes.is_ok(), "the places are still held");
        arret.cancel();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_image_that_does_not_come_whole_leaves_nothing() {
        let (sienne, notre) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let arret = CancellationToken::new();
        let url = replique(Donneur::nouveau(sienne.path().into(), Etat::default()), &arret).await;
        // It opens, and cannot be read.
        image_dans(sienne.path(), |f| fs::create_dir(f).unwrap());
        assert!(!prise(&url, notre.path()).await && vide(notre.path()));
        // One whose copy of full text is gone serves without it, whatever a life that was cut short left here.
        fs::remove_dir_all(sienne.path().join("texte-copie-0")).unwrap();
        fs::write(notre.path().join("modele.image.recue"), "half").unwrap();
        assert!(prise(&url, notre.path()).await);
        assert!(image::lire(notre.path()).is_ok() && !notre.path().join("texte-copie-0").exists());
        arret.cancel();
    }
}
