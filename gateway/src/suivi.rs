//! How the model follows the services: one follower a source, each a snapshot then
//! live events. Nothing is served as whole before every source is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::StreamExt;
use parking_lot::{Mutex, RwLock};
use ror_chassis::{
    Resultat,
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
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Passerelle, ReglagesPasserelle,
    acces::Acces,
    modele::{Modele, Source},
    rendu::Cache,
    terminologie::SuiviTerminologie,
};

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
    let acces = Acces::nouveau(access.clone());
    let etat = Etat::default();
    let fraicheur = Fraicheur::default();
    let mut sante = Vec::new();
    for s in ror_chassis::reglages::SERVICES {
        if reglages.commun.amont.contains_key(s) {
            sante.push((s.to_owned(), vers(s)?));
        }
    }
    let passerelle = Arc::new(Passerelle {
        modele: RwLock::new(Modele::nouveau(acces.politique_fermee())),
        acces,
        vocabulaire: Vocabulaire::default(),
        terminologie: ArcSwap::default(),
        rendues: Cache::nouveau(reglages.rendues_mo * 1_000_000),
        etat: etat.clone(),
        fraicheur: fraicheur.clone(),
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
                    SnapshotIdentitiesRequest { genre: "professionnel".into() }
                )(vers("identity")?),
                "identity",
            ),
        ),
    ];
    for (source, (service, appel, nom)) in sources {
        let suiveur = SuiviModele { passerelle: passerelle.clone(), source, nom };
        taches.spawn(suivre(jet.clone(), service, appel, suiveur, arret.clone()));
    }
    let (service, appel, nom) = lancer(
        "access",
        appel!(AccessServiceClient, snapshot_access, SnapshotAccessRequest {})(access),
        "access",
    );
    taches.spawn(suivre(
        jet.clone(),
        service,
        appel,
        SuiviAcces { passerelle: passerelle.clone(), nom },
        arret.clone(),
    ));
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
    Ok(passerelle)
}

async fn mesurer(p: Arc<Passerelle>, arret: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = arret.cancelled() => return,
        }
        metrics::gauge!("ror_gateway_lag_seconds").set(p.fraicheur.retard().unwrap_or(f64::INFINITY));
        for (t, n) in p.modele.read().comptes() {
            metrics::gauge!("ror_gateway_resources", "type" => t.nom()).set(n as f64);
        }
    }
}

struct SuiviModele {
    passerelle: Arc<Passerelle>,
    source: Source,
    nom: &'static str,
}

impl Suiveur for SuiviModele {
    fn nom(&self) -> String {
        format!("gateway-{}", self.nom)
    }
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        self.passerelle.modele.write().debut_instantane(self.source);
        Ok(())
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, _: Option<Position>) -> Resultat<()> {
        self.passerelle.modele.write().appliquer(self.source, &lot);
        Ok(())
    }
    async fn fin_instantane(&mut self, _: Position) -> Resultat<()> {
        self.passerelle.modele.write().fin_instantane(self.source);
        Ok(())
    }
    fn a_jour(&mut self) {
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
            if let Some(politique) = self.passerelle.acces.appliquer(e)? {
                self.passerelle.modele.write().changer_politique(politique);
            }
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
