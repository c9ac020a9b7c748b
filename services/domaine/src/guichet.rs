//! What the read and write RPCs of structures, offers and capacity share: the
//! handlers only name their messages.

use std::{marker::PhantomData, pin::Pin};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use ror_chassis::{
    Erreur, Resultat, bail,
    erreur::faute,
    magasin::{Decision, Demande, Identifiant, LOT_MAX, Ligne, Magasin, refuse},
};
use ror_proto::common::v1::{
    Bail, Canal, Faute, Instantane, PaquetRefuse, Provenance, ResultatEcriture, VersionHistorique,
};
use tonic::Status;

use crate::ressource::Ressource;

/// What a control answers: the resource as it will be kept, and its identifiers.
pub type Verdict<R> = Result<(R, Vec<Identifiant>), Vec<Faute>>;

/// A stream of responses.
pub type Flux<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The counter of one area.
#[derive(Clone)]
pub struct Guichet<R> {
    /// The store.
    pub magasin: Magasin,
    domaine: &'static str,
    sorte: PhantomData<fn() -> R>,
}

impl<R: Ressource> Guichet<R> {
    /// Over a store; `domaine` is the lease its writes need.
    pub fn nouveau(magasin: Magasin, domaine: &'static str) -> Self {
        Self { magasin, domaine, sorte: PhantomData }
    }

    /// One resource.
    pub async fn lire(&self, id: &str) -> Resultat<R> {
        R::depuis(&self.magasin.lire(id).await?)
    }

    /// The known ones.
    pub async fn lire_lot(&self, ids: &[String]) -> Resultat<Vec<R>> {
        self.magasin.lire_lot(ids).await?.iter().map(R::depuis).collect()
    }

    /// A page.
    pub async fn lister(
        &self,
        genre: &str,
        region: &str,
        identifiant: &str,
        page_size: i32,
        page_token: &str,
    ) -> Resultat<(Vec<R>, String)> {
        let (lignes, jeton) = self.magasin.lister(genre, region, identifiant, page_size, page_token).await?;
        Ok((lignes.iter().map(R::depuis).collect::<Resultat<_>>()?, jeton))
    }

    /// Writes a batch: `controler` sees each resource and its current state. With `essai`,
    /// all is decided and nothing is written.
    pub async fn ecrire(
        &self,
        provenance: Option<Provenance>,
        items: Vec<(Option<R>, u64)>,
        essai: bool,
        mut controler: impl FnMut(&R, Option<&R>, &Provenance) -> Verdict<R> + Send,
    ) -> Resultat<Vec<ResultatEcriture>> {
        let provenance = exiger(provenance)?;
        if items.len() > LOT_MAX {
            return Err(Erreur::faute(
                "items",
                "taille-du-lot",
                format!("{} éléments dans le lot.", items.len()),
                "500 au plus",
            ));
        }
        let mut resultats = vec![ResultatEcriture::default(); items.len()];
        let (mut rangs, mut recues, mut demandes) = (Vec::new(), Vec::new(), Vec::new());
        for (rang, (ressource, version_attendue)) in items.into_iter().enumerate() {
            match ressource.as_ref().and_then(|r| r.genre().map(|g| (r, g))) {
                Some((r, genre)) if !r.id().is_empty() => {
                    demandes.push(Demande { id: r.id().to_owned(), genre, version_attendue, recu: r.etat() });
                    rangs.push(rang);
                    recues.extend(ressource);
                }
                _ => {
                    resultats[rang] = refuse(
                        "",
                        0,
                        vec![faute(
                            "id",
                            "obligatoire",
                            "La ressource ou son identifiant technique manque.",
                            "une ressource avec son id",
                        )],
                    );
                }
            }
        }
        let decider =
            |i: usize, courant: Option<&Ligne>| decider(&recues[i], courant, &provenance, &mut controler);
        let ecrits = if essai {
            self.magasin.essayer(&provenance, Some(self.domaine), &demandes, decider).await?
        } else {
            self.magasin.ecrire(&provenance, Some(self.domaine), &demandes, decider).await?
        };
        for (rang, r) in rangs.into_iter().zip(ecrits) {
            resultats[rang] = r;
        }
        Ok(resultats)
    }

    /// Withdraws a resource.
    pub async fn retirer(&self, provenance: Option<Provenance>, id: &str) -> Resultat<ResultatEcriture> {
        let provenance = exiger(provenance)?;
        let courant = self.magasin.lire(id).await?;
        let genre = R::depuis(&courant)?.genre().unwrap_or_default();
        let demande = Demande { id: id.to_owned(), genre, version_attendue: 0, recu: Bytes::new() };
        let mut r = self
            .magasin
            .ecrire(&provenance, Some(self.domaine), &[demande], |_, courant| {
                match region_differente(courant, &provenance) {
                    Some(f) => Decision::Refuser(vec![f]),
                    None => Decision::Retirer,
                }
            })
            .await?;
        r.pop().ok_or_else(|| Erreur::interne("withdrawal without a result"))
    }

    /// The snapshot, each message wrapped by the caller's response.
    pub fn instantane<T: 'static>(&self, envelopper: impl Fn(Instantane) -> T + Send + 'static) -> Flux<T> {
        Box::pin(self.magasin.instantane(String::new()).map(move |m| m.map(&envelopper)))
    }

    /// Past versions.
    pub async fn historique(&self, id: &str, limite: i32) -> Resultat<Vec<VersionHistorique>> {
        let versions = self.magasin.historique(id, limite).await?;
        if versions.is_empty() {
            Err(Erreur::Introuvable(format!("ressource {id} inconnue")))
        } else {
            Ok(versions)
        }
    }

    /// Writes the lease refused.
    pub async fn refus(
        &self,
        region: &str,
        limite: i32,
        avant: Option<&prost_types::Timestamp>,
    ) -> Resultat<Vec<PaquetRefuse>> {
        self.magasin.refus(region, limite, avant).await
    }

    /// Installs a lease of this area's domain.
    pub async fn installer_bail(&self, b: Option<Bail>) -> Resultat<Bail> {
        let b = b.ok_or_else(|| Erreur::faute("bail", "obligatoire", "Le bail manque.", "un bail"))?;
        if b.domaine != self.domaine {
            return Err(Erreur::faute(
                "bail.domaine",
                "domaine",
                format!("Ce service ne tient pas le domaine « {} ».", b.domaine),
                self.domaine,
            ));
        }
        bail::installer(self.magasin.pool(), &b).await
    }
}

fn exiger(p: Option<Provenance>) -> Resultat<Provenance> {
    p.filter(|p| p.canal() != Canal::Unspecified).ok_or_else(|| {
        Erreur::faute(
            "provenance",
            "obligatoire",
            "La provenance (région, canal, époque) manque.",
            "le canal regional, national ou referentiel",
        )
    })
}

/// A lease covers one region: what belongs to another cannot be reached through it.
fn region_differente(courant: Option<&Ligne>, p: &Provenance) -> Option<Faute> {
    let c = courant.filter(|c| p.canal() != Canal::Referentiel && c.region != p.region)?;
    Some(faute(
        "meta.tag",
        "region-differente",
        format!(
            "La ressource {} est de la région « {} », l'écriture est faite pour la région « {} ».",
            c.id, c.region, p.region
        ),
        "une écriture pour la région de la ressource",
    ))
}

fn decider<R: Ressource>(
    recue: &R,
    courant: Option<&Ligne>,
    provenance: &Provenance,
    controler: &mut impl FnMut(&R, Option<&R>, &Provenance) -> Verdict<R>,
) -> Decision {
    if let Some(f) = region_differente(courant, provenance) {
        return Decision::Refuser(vec![f]);
    }
    let present = match courant.filter(|c| !c.retire).map(R::depuis).transpose() {
        Ok(p) => p,
        Err(e) => {
            tracing::error!(error = %e, "stored state cannot be read");
            return Decision::Refuser(vec![faute(
                "",
                "etat-illisible",
                "L'état enregistré est illisible.",
                "une intervention de l'exploitant",
            )]);
        }
    };
    match controler(recue, present.as_ref(), provenance) {
        Ok((r, identifiants)) => {
            let r = r.dater(present.as_ref());
            Decision::Ecrire {
                region: r.meta().map(|m| m.region.clone()).unwrap_or_default(),
                etat: r.etat(),
                identifiants: Some(identifiants),
            }
        }
        Err(fautes) => Decision::Refuser(fautes),
    }
}
