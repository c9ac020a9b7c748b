//! A file that was fetched goes the way of any edition.

use std::{future::Future, path::PathBuf};

use bytes::{Bytes, BytesMut};
use ror_chassis::{Erreur, Resultat, erreur::faute, magasin::Magasin};
use ror_proto::identity::v1::{EnTeteEdition, RapportEdition, StatutEdition};
use tokio::{fs::File, io::AsyncReadExt, sync::mpsc};

use crate::edition;

/// Who loads, in the editions.
pub(crate) const OPERATEUR: &str = "synchronisation";
/// Bytes sent at once.
const MORCEAU: usize = 1024 * 1024;

/// How an edition ended.
#[derive(Debug)]
pub(crate) struct Fin(RapportEdition);

/// Loads an edition whose bytes `source` sends. A source that fails fails the call,
/// whatever became of the bytes sent before.
pub(crate) async fn charger<F, S>(magasin: &Magasin, en_tete: EnTeteEdition, source: F) -> Resultat<Fin>
where
    F: FnOnce(mpsc::Sender<Bytes>) -> S,
    S: Future<Output = Resultat<()>> + Send + 'static,
{
    let (octets, reception) = mpsc::channel(4);
    let (avancement, mut avancements) = mpsc::channel(8);
    let envoi = tokio::spawn(source(octets));
    tokio::spawn(async move { while avancements.recv().await.is_some() {} });
    let rapport = edition::charger(magasin, en_tete, reception, avancement).await?;
    envoi.await.map_err(|e| Erreur::Interne(Box::new(e)))??;
    Ok(Fin(rapport))
}

impl Fin {
    /// An error unless the edition, or the same bytes before, was applied.
    pub(crate) fn appliquee(self) -> Resultat<()> {
        match self.0.statut() {
            StatutEdition::Retenue => {
                Err(self.refus("L'édition est retenue : une personne doit l'accepter."))
            }
            _ => self.lue(),
        }
    }

    /// An error when the edition was refused; held for a person, it is done here.
    pub(crate) fn lue(self) -> Resultat<()> {
        match self.0.statut() {
            StatutEdition::Rejetee => Err(self.refus("L'édition est rejetée.")),
            _ => Ok(()),
        }
    }

    fn refus(self, message: &str) -> Erreur {
        let mut motifs = self.0.motifs;
        if motifs.is_empty() {
            motifs.push(faute("edition", "edition-non-appliquee", message, ""));
        }
        Erreur::Regle(motifs)
    }
}

/// Sends a file.
pub(super) async fn transmettre(chemin: PathBuf, octets: mpsc::Sender<Bytes>) -> Resultat<()> {
    let illisible =
        |e: std::io::Error| Erreur::Indisponible(format!("lecture de {} impossible : {e}", chemin.display()));
    let mut fichier = File::open(&chemin).await.map_err(illisible)?;
    loop {
        let mut tampon = BytesMut::with_capacity(MORCEAU);
        if fichier.read_buf(&mut tampon).await.map_err(illisible)? == 0 {
            return Ok(());
        }
        if octets.send(tampon.freeze()).await.is_err() {
            return Ok(());
        }
    }
}
