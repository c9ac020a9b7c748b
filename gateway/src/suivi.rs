//! How the model follows the services: one follower a source, each a snapshot then
//! live events, or the events that an image of the model does not hold. Nothing is served as whole
//! before every source is.

mod image;
mod indexeur;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::{StreamExt, future::try_join_all};
use parking_lot::Mutex;
use ror_chassis::{
    Erreur, Resultat,
    admin::Etat,
    client::{self, Canal},
    nats::Jet,
    suivi::{Appel, Instantanes, Position, Suiveur, suivre},
};
use ror_domaine::vocabulaire::{self, Vocabulaire};
use ror_proto::{
    access::v1::{SnapshotAccessRequest, access_service_client::AccessServiceClient},
    capacity::v1::{SnapshotCapacitiesRequest, capacity_service_client::CapacityServiceClient},
    common::v1::Evenement,
    identity::v1::{SnapshotIdentitiesRequest, identity_service_client::IdentityServiceClient},
    offers::v1::{SnapshotOffersRequest, offers_service_client::OffersServiceClient},
    structures::v1::{SnapshotStructuresRequest, structures_service_client::StructuresServiceClient},
};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Passerelle, ReglagesPasserelle,
    acces::Acces,
    export::{self, Exports},
    flux::Abonnes,
    modele::{self, Annuaire, Lu, Modele, Source},
    rendu::{Atelier, Cache, Reserve, preparation},
    terminologie::SuiviTerminologie,
    texte::TexteIntegral,
};

pub(crate) use image::bloquer;
pub use indexeur::Indexeur;

/// Bytes the writer of the full text may hold.
const TEXTE_OCTETS: usize = 50_000_000;

/// When each source was last known to be caught up.
#[derive(Clone, Default)]
pub struct Fraicheur(Arc<Mutex<Vec<Battement>>>);

/// A source and when it was last known to be caught up.
type Battement = (&'static str, Option<Instant>);

impl Fraicheur {
    fn declarer(&self, nom: &'static str) {
        self.0.lock().push((nom, None));
    }
    fn battre(&self, nom: &'static str) {
        for (n, t) in self.0.lock().iter_mut() {
            if *n == nom {
                *t = Some(Instant::now());
            }
        }
    }
    /// Seconds since the most late source was known to be caught up; `None` before all have been.
    pub fn retard(&self) -> Option<f64> {
        let mut pire = 0.0f64;
        for (_, t) in self.0.lock().iter() {
            pire = pire.max((*t)?.elapsed().as_secs_f64());
        }
        Some(pire)
    }
    /// Seconds of one source.
    pub fn de(&self, nom: &str) -> Option<f64> {
        self.0.lock().iter().find(|(n, _)| *n == nom)?.1.map(|t| t.elapsed().as_secs_f64())
    }
}

macro_rules! appel {
    ($client:ident, $methode:ident, $demande:expr) => {
        |canal: Canal| -> Appel {
            Arc::new(move || {
                let mut client =
                    $client::new(canal.clone()).max_decoding_message_size(ror_chassis::serveur::MESSAGE_MAX);
                Box::pin(async move {
                    let flux = client.$methode($demande).await?.into_inner();
                    let flux: Instantanes = flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed();
                    Ok(flux)
                })
            })
        }
    };
}

/// Builds the shared state and starts the followers.
pub fn demarrer(
    reglages: ReglagesPasserelle,
    jet: &Jet,
    taches: &TaskTracker,
    arret: &CancellationToken,
) -> Resultat<Arc<Passerelle>> {
    let vers = |s: &str| client::vers(&reglages.commun, s);
    let access = vers("access")?;
    let acces = Acces::nouveau(access.clone(), reglages.exiger_certificat);
    let etat = Etat::default();
    let fraicheur = Fraicheur::default();
    let mut sante = Vec::new();
    for s in ror_chassis::reglages::SERVICES {
        if reglages.commun.amont.contains_key(s) {
            sante.push((s.to_owned(), vers(s)?));
        }
    }
    let vocabulaire = Vocabulaire::default();
    let dossier = reglages.image.as_ref().map(|i| i.dossier.as_path());
    let texte = Arc::new(TexteIntegral::nouveau(TEXTE_OCTETS, dossier)?);
    let indexeur = Arc::new(Indexeur::nouveau(texte.clone(), vocabulaire.clone()));
    let reserve = ouvrir_reserve(&reglages);
    let coeurs = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let passerelle = Arc::new(Passerelle {
        annuaire: Annuaire::nouveau(
            Modele::nouveau(acces.politique_fermee()),
            Duration::from_secs(reglages.page_minutes * 60),
            reglages.page_moments,
        )
        .avec_temoin(indexeur.clone()),
        acces,
        vocabulaire,
        texte,
        indexeur,
        terminologie: ArcSwap::default(),
        rendues: Arc::new(Cache::nouveau(reglages.rendues_mo * 1_000_000, reserve)),
        secret: reglages.secret(),
        replique: uuid::Uuid::new_v4().as_fields().0,
        exports: Exports::nouveau(reglages.exports.clone()),
        abonnes: Abonnes::nouveau(reglages.flux, arret.clone()),
        etat: etat.clone(),
        fraicheur: fraicheur.clone(),
        lourdes: Arc::new(tokio::sync::Semaphore::new(coeurs)),
        atelier: Arc::new(Atelier::nouveau(coeurs)?),
        capacity: vers("capacity")?,
        access: access.clone(),
        sante,
        reglages: reglages.clone(),
    });
    let lancer = |service: &'static str, appel: Appel, nom: &'static str| {
        etat.poser(nom, false);
        fraicheur.declarer(nom);
        (service, appel, nom)
    };
    let sources = [
        (
            Source::Structures,
            lancer(
                "structures",
                appel!(StructuresServiceClient, snapshot_structures, SnapshotStructuresRequest {})(vers(
                    "structures",
                )?),
                "structures",
            ),
        ),
        (
            Source::Offers,
            lancer(
                "offers",
                appel!(OffersServiceClient, snapshot_offers, SnapshotOffersRequest {})(vers("offers")?),
                "offers",
            ),
        ),
        (
            Source::Capacity,
            lancer(
                "capacity",
                appel!(CapacityServiceClient, snapshot_capacities, SnapshotCapacitiesRequest {})(vers(
                    "capacity",
                )?),
                "capacity",
            ),
        ),
        (
            Source::Identity,
            lancer(
                "identity",
                appel!(
                    IdentityServiceClient,
                    snapshot_identities,
                    SnapshotIdentitiesRequest { genre: Source::Identity.genre().unwrap_or_default().into() }
                )(vers("identity")?),
                "identity",
            ),
        ),
    ];
    let droits = lancer(
        "access",
        appel!(AccessServiceClient, snapshot_access, SnapshotAccessRequest {})(access),
        "access",
    );
    taches.spawn({
        let (p, jet, taches, arret) = (passerelle.clone(), jet.clone(), taches.clone(), arret.clone());
        async move {
            tokio::select! {
                () = image::restaurer(&p, &jet) => {}
                () = arret.cancelled() => return,
            }
            // What the directory holds tells where to go on: followed before it is there, nothing would.
            for (source, (service, appel, nom)) in sources {
                let suiveur = SuiviModele::nouveau(p.clone(), source, nom);
                taches.spawn(suivre(jet.clone(), service, appel, suiveur, arret.clone()));
            }
            let (service, appel, nom) = droits;
            let suiveur = SuiviAcces { passerelle: p.clone(), nom };
            taches.spawn(suivre(jet, service, appel, suiveur, arret.clone()));
            image::garder(p, arret).await;
        }
    });
    etat.poser("vocabulary", false);
    fraicheur.declarer("nomenclatures");
    let (etat_voc, frais_voc) = (etat.clone(), fraicheur.clone());
    let canal = vers("nomenclatures")?;
    let suiveur = passerelle.vocabulaire.suiveur(canal.clone(), move || {
        etat_voc.poser("vocabulary", true);
        frais_voc.battre("nomenclatures");
    });
    taches.spawn(suivre(
        jet.clone(),
        "nomenclatures",
        vocabulaire::appel(canal.clone()),
        suiveur,
        arret.clone(),
    ));
    etat.poser("terminology", false);
    fraicheur.declarer("terminology");
    let suiveur = SuiviTerminologie::nouveau(passerelle.clone(), canal.clone(), move || {
        etat.poser("terminology", true);
        fraicheur.battre("terminology");
    });
    taches.spawn(suivre(jet.clone(), "nomenclatures", vocabulaire::appel(canal), suiveur, arret.clone()));
    taches.spawn(mesurer(passerelle.clone(), arret.clone()));
    taches.spawn(indexeur::tourner(passerelle.clone(), arret.clone()));
    export::demarrer(&passerelle, taches, arret);
    preparation::demarrer(&passerelle, arret)?;
    Ok(passerelle)
}

/// The reserve of the settings, beside the image. Without it, everything is rendered when asked.
fn ouvrir_reserve(reglages: &ReglagesPasserelle) -> Option<Arc<Reserve>> {
    let image = reglages.image.as_ref().filter(|_| reglages.reserve_mo > 0)?;
    let ouverte = Reserve::ouvrir(&image.dossier, reglages.reserve_mo * 1_000_000);
    let ouverte = ouverte.inspect_err(|e| tracing::warn!(error = %e, "no reserve of rendered resources"));
    ouverte.ok().map(Arc::new)
}

async fn mesurer(p: Arc<Passerelle>, arret: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = arret.cancelled() => return,
        }
        metrics::gauge!("ror_gateway_lag_seconds").set(p.fraicheur.retard().unwrap_or(f64::INFINITY));
        p.annuaire.nettoyer();
        metrics::gauge!("ror_gateway_moments").set(p.annuaire.gardes() as f64);
        for (t, n) in p.annuaire.instant().comptes() {
            metrics::gauge!("ror_gateway_resources", "type" => t.nom()).set(n as f64);
        }
    }
}

/// Microseconds since 1970: births of streams are cut there.
fn micros_de(t: OffsetDateTime) -> i64 {
    i64::try_from(t.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

fn instant_de(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
}

struct SuiviModele {
    passerelle: Arc<Passerelle>,
    source: Source,
    nom: &'static str,
    /// Where the image of a former life ends.
    reprise: Option<Position>,
    /// Whether it caught up once.
    a_jour: bool,
    /// The last write of a snapshot, until another one is to follow it.
    ecriture: Option<JoinHandle<Resultat<()>>>,
}

/// Events that one thread reads at once.
const LECTURE: usize = 32;

impl SuiviModele {
    fn nouveau(passerelle: Arc<Passerelle>, source: Source, nom: &'static str) -> Self {
        let position = |(sequence, naissance)| Some(Position { cree_le: instant_de(naissance)?, sequence });
        let reprise = passerelle.annuaire.instant().reprise(source).and_then(position);
        Self { passerelle, source, nom, reprise, a_jour: false, ecriture: None }
    }

    /// Reads a batch apart, by some threads at once. Those make answers too: only while there are none.
    async fn lire(&self, lot: Vec<Evenement>) -> Resultat<Vec<Lu>> {
        let (source, lot) = (self.source, Arc::<[Evenement]>::from(lot));
        let parts = (0..lot.len()).step_by(LECTURE).map(|debut| {
            let lot = lot.clone();
            let fin = lot.len().min(debut + LECTURE);
            self.passerelle.atelier.faire(move || modele::lire_evenements(source, &lot[debut..fin]))
        });
        let lus = try_join_all(parts).await.map_err(|e| {
            tracing::error!(source = source.nom(), error = %e, "events not read");
            Erreur::interne(e.to_string())
        });
        Ok(lus?.into_iter().flatten().collect())
    }

    /// Waits for the last write of a snapshot.
    async fn attendre(&mut self) -> Resultat<()> {
        match self.ecriture.take() {
            Some(ecriture) => ecriture.await.map_err(|e| Erreur::interne(e.to_string()))?,
            None => Ok(()),
        }
    }
}

impl Suiveur for SuiviModele {
    fn nom(&self) -> String {
        format!("gateway-{}", self.nom)
    }
    fn genre(&self) -> Option<&'static str> {
        self.source.genre()
    }
    /// Once: a stream made anew meanwhile begins by a snapshot.
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(self.reprise.take())
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        let source = self.source;
        // That of one cut short, whatever became of it, is not to come after this.
        let _ = self.attendre().await;
        self.passerelle.annuaire.ecrire_async(move |m| m.debut_instantane(source)).await
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        let (source, passerelle) = (self.source, self.passerelle.clone());
        if position.is_none() && !self.a_jour {
            let lus = self.lire(lot).await?;
            self.attendre().await?;
            // Written while the next ones are read.
            let ecriture =
                async move { passerelle.annuaire.ecrire_async(move |m| m.appliquer_lus(source, lus)).await };
            self.ecriture = Some(tokio::spawn(ecriture));
            return Ok(());
        }
        self.attendre().await?;
        let ecriture = move |m: &mut Modele| {
            m.appliquer(source, &lot);
            if let Some(p) = position {
                m.situer(source, p.sequence);
            }
        };
        // Who says that it caught up must show it.
        if position.is_some() && !self.a_jour {
            passerelle.annuaire.ecrire_et_publier(ecriture).await
        } else {
            passerelle.annuaire.ecrire_async(ecriture).await
        }
    }
    async fn fin_instantane(&mut self, position: Position) -> Resultat<()> {
        self.attendre().await?;
        let (source, naissance) = (self.source, micros_de(position.cree_le));
        let ecriture = self.passerelle.annuaire.ecrire_et_publier(move |m| {
            m.resituer(source, position.sequence, naissance);
            m.fin_instantane(source);
        });
        ecriture.await
    }
    fn a_jour(&mut self) {
        self.a_jour = true;
        self.passerelle.fraicheur.battre(self.nom);
        self.passerelle.etat.poser(self.nom, true);
    }
}

struct SuiviAcces {
    passerelle: Arc<Passerelle>,
    nom: &'static str,
}

impl Suiveur for SuiviAcces {
    fn nom(&self) -> String {
        "gateway-access".into()
    }
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        Ok(())
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, _: Option<Position>) -> Resultat<()> {
        for e in &lot {
            let Some(politique) = self.passerelle.acces.appliquer(e)? else { continue };
            let ecriture = move |m: &mut Modele| {
                // A snapshot brings the same again, as an image does: nothing to compute, and walks go on.
                if m.politique().source() != politique.source() {
                    m.changer_politique(politique);
                }
            };
            // Shown before anyone is told that it is there.
            self.passerelle.annuaire.ecrire_et_publier(ecriture).await?;
        }
        Ok(())
    }
    async fn fin_instantane(&mut self, _: Position) -> Resultat<()> {
        Ok(())
    }
    fn a_jour(&mut self) {
        self.passerelle.fraicheur.battre(self.nom);
        // Without a policy nobody sees anything: not ready.
        self.passerelle.etat.poser(self.nom, self.passerelle.acces.a_une_politique());
    }
}
