//! The owners of the data, which hold the leases they are given.

use ror_chassis::{Contexte, Erreur, Resultat, client::Canal};
use ror_proto::{
    capacity::v1::{self as capacity, capacity_service_client::CapacityServiceClient},
    common::v1::Bail,
    offers::v1::{self as offers, offers_service_client::OffersServiceClient},
    structures::v1::{self as structures, structures_service_client::StructuresServiceClient},
};

use crate::domaine::Domaine;

/// A service that owns data under leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Structures.
    Structures,
    /// Offers and places.
    Offers,
    /// Beds and places.
    Capacity,
}

impl Service {
    /// All of them.
    pub const TOUS: [Self; 3] = [Self::Structures, Self::Offers, Self::Capacity];

    /// Those that own a domain.
    pub fn de(domaine: Domaine) -> &'static [Self] {
        match domaine {
            Domaine::Description => &[Self::Structures, Self::Offers],
            Domaine::Capacite => &[Self::Capacity],
        }
    }

    /// Name of the service.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Structures => "structures",
            Self::Offers => "offers",
            Self::Capacity => "capacity",
        }
    }
}

/// A client of each.
#[derive(Clone)]
pub struct Services {
    structures: StructuresServiceClient<Canal>,
    offers: OffersServiceClient<Canal>,
    capacity: CapacityServiceClient<Canal>,
}

impl Services {
    /// Channels to each; they connect at the first call.
    pub fn nouveau(c: &Contexte) -> Resultat<Self> {
        Ok(Self {
            structures: StructuresServiceClient::new(c.vers(Service::Structures.nom())?),
            offers: OffersServiceClient::new(c.vers(Service::Offers.nom())?),
            capacity: CapacityServiceClient::new(c.vers(Service::Capacity.nom())?),
        })
    }

    /// Installs a lease in one service; answered once no write of the former one is under way.
    pub async fn installer(&self, service: Service, bail: &Bail) -> Resultat<()> {
        let bail = Some(bail.clone());
        match service {
            Service::Structures => {
                self.structures.clone().install_lease(structures::InstallLeaseRequest { bail }).await?;
            }
            Service::Offers => {
                self.offers.clone().install_lease(offers::InstallLeaseRequest { bail }).await?;
            }
            Service::Capacity => {
                self.capacity.clone().install_lease(capacity::InstallLeaseRequest { bail }).await?;
            }
        }
        Ok(())
    }

    /// Installs a lease in every owner of its domain; fails unless all have acknowledged.
    pub async fn installer_partout(&self, domaine: Domaine, bail: &Bail) -> Resultat<()> {
        let appels =
            Service::de(domaine).iter().copied().map(|s| async move { (s, self.installer(s, bail).await) });
        for (service, resultat) in futures::future::join_all(appels).await {
            if let Err(e) = resultat {
                let texte = match &e {
                    Erreur::Regle(f) => f.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" ; "),
                    autre => autre.to_string(),
                };
                return Err(Erreur::Indisponible(format!(
                    "bail non installé dans {} : {texte}",
                    service.nom()
                )));
            }
        }
        Ok(())
    }
}
