//! The writes: each call is one transaction of the store.

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::maintenant,
    erreur::faute,
    magasin::{Decision, Demande, LOT_MAX, Ligne},
};
use ror_domaine::{ressource::Ressource, vocabulaire::Vocabulaire};
use ror_proto::{
    capacity::v1::{
        PatchCapacityRequest, PatchCapacityResponse, WithdrawCapacitieRequest, WriteCapacitiesRequest,
        capacity,
    },
    common::v1::{Canal, Faute, Issue, Provenance, ResultatEcriture},
};

use crate::{
    domaine::{BAIL, Capacites, GENRE, LIEU, fermeture::Fermeture, paquet, patch::Patch},
    fermetures,
    store::Store,
};

/// Writes of the service.
#[derive(Clone)]
pub struct Ecritures {
    store: Store,
    vocabulaire: Vocabulaire,
}

impl Ecritures {
    /// Over this store and these nomenclatures.
    pub fn nouveau(store: Store, vocabulaire: Vocabulaire) -> Self {
        Self { store, vocabulaire }
    }

    /// Creates or changes whole sets; each stands or falls alone.
    pub async fn ecrire(&self, r: WriteCapacitiesRequest) -> Resultat<Vec<ResultatEcriture>> {
        let p = provenance(r.provenance)?;
        if r.items.len() > LOT_MAX {
            let message = format!("{} éléments dans le lot.", r.items.len());
            return Err(Erreur::faute("items", "taille-du-lot", message, "500 au plus"));
        }
        let tables = self.vocabulaire.pret()?;
        let ids = r.items.iter().filter_map(|i| i.ressource.as_ref()).map(|c| c.id().to_owned()).collect();
        let lieux = self.store.lieux(ids).await?;
        let jour = maintenant();
        let mut demandes = Vec::with_capacity(r.items.len());
        let mut valides: Vec<Result<Capacites, Vec<Faute>>> = Vec::with_capacity(r.items.len());
        for item in r.items {
            let ressource = item.ressource.unwrap_or_default();
            demandes.push(Demande {
                id: ressource.id().to_owned(),
                genre: GENRE,
                version_attendue: item.version_attendue,
                recu: ressource.encode_to_vec().into(),
            });
            let recu = match ressource.ressource {
                Some(capacity::Ressource::CapaciteLieu(l)) => l,
                None => Default::default(),
            };
            valides.push(Capacites::valider(recu, &p, &tables, &lieux, jour));
        }
        let mut neuves = Vec::new();
        let verdict = |i: usize, courant: Option<&Ligne>| match &valides[i] {
            Ok(c) => {
                if neuve(courant) {
                    neuves.push(demandes[i].id.clone());
                }
                decider(&c.clone().fermer(fermeture(courant)))
            }
            Err(fautes) => Decision::Refuser(fautes.clone()),
        };
        let magasin = self.store.magasin();
        if r.essai {
            return magasin.essayer(&p, Some(BAIL), &demandes, verdict).await;
        }
        let resultats = magasin.ecrire(&p, Some(BAIL), &demandes, verdict).await?;
        if !neuves.is_empty() {
            fermetures::revoir(magasin, &neuves).await?;
        }
        Ok(resultats)
    }

    /// Withdraws the set of a place.
    pub async fn retirer(&self, r: WithdrawCapacitieRequest) -> Resultat<ResultatEcriture> {
        let p = provenance(r.provenance)?;
        let demande = Demande { id: r.id, genre: GENRE, version_attendue: 0, recu: Bytes::new() };
        let resultats = self
            .store
            .magasin()
            .ecrire(&p, Some(BAIL), &[demande], |_: usize, courant: Option<&Ligne>| match courant {
                Some(l) if l.region != p.region => {
                    Decision::Refuser(vec![region_differente(&l.region, &p.region)])
                }
                _ => Decision::Retirer,
            })
            .await?;
        seul(resultats)
    }

    /// Changes one record of a place.
    pub async fn modifier(&self, r: PatchCapacityRequest) -> Resultat<PatchCapacityResponse> {
        let operation = r.operation();
        let mut p = provenance(r.provenance)?;
        let tables = self.vocabulaire.pret()?;
        let lieu = r.lieu_id;
        let region = match self.store.lieux(vec![lieu.clone()]).await?.remove(&lieu) {
            Some((genre, region)) if genre == LIEU => region,
            _ => {
                return Err(Erreur::Introuvable(format!(
                    "lieu-inconnu: aucun lieu n'a l'identifiant {lieu}"
                )));
            }
        };
        if p.region.is_empty() {
            p.region.clone_from(&region);
        }
        if p.region != region {
            return Err(Erreur::Regle(vec![region_differente(&region, &p.region)]));
        }
        let patch = Patch::valider(operation, r.cle, r.enregistrement, &tables, maintenant())?;
        let recu = paquet(&lieu, &region, patch.enregistrement().cloned().into_iter().collect());
        let demande = Demande { id: lieu.clone(), genre: GENRE, version_attendue: 0, recu };
        // The store only knows faults: what exactly was refused, and what was kept, leave by here.
        let mut refus: Option<Erreur> = None;
        let mut retenu: Option<Capacites> = None;
        let mut premiere = false;
        let resultats = self
            .store
            .magasin()
            .ecrire(&p, Some(BAIL), &[demande], |_: usize, courant: Option<&Ligne>| {
                (refus, retenu) = (None, None);
                premiere = neuve(courant);
                let avant = match courant {
                    Some(l) if !l.retire => Capacites::relire(l, &region),
                    _ => Ok(Capacites::vide(&lieu, &region)),
                };
                match avant.and_then(|c| patch.appliquer(c)) {
                    Ok(apres) => {
                        let decision = decider(&apres);
                        retenu = Some(apres);
                        decision
                    }
                    Err(e) => {
                        refus = Some(e);
                        Decision::Refuser(Vec::new())
                    }
                }
            })
            .await?;
        let resultat = seul(resultats)?;
        if resultat.issue() == Issue::Refuse {
            return Err(refus.unwrap_or(Erreur::Regle(resultat.fautes)));
        }
        if premiere {
            fermetures::revoir(self.store.magasin(), std::slice::from_ref(&lieu)).await?;
        }
        let capacite_lieu = retenu.map(|c| c.apres(&resultat));
        Ok(PatchCapacityResponse { resultat: Some(resultat), capacite_lieu })
    }
}

/// Whether the place has no set yet: its closure is not known from it.
fn neuve(courant: Option<&Ligne>) -> bool {
    courant.is_none_or(|l| l.retire)
}

/// Closure of the place, as its set tells it.
fn fermeture(courant: Option<&Ligne>) -> Option<Fermeture> {
    let l = courant.filter(|l| !l.retire)?;
    Capacites::relire(l, &l.region).ok()?.fermeture().cloned()
}

fn decider(c: &Capacites) -> Decision {
    Decision::Ecrire { region: c.region().to_owned(), etat: c.etat(), identifiants: None }
}

/// No registry owns a capacity: the channel outside the leases is refused here.
fn provenance(p: Option<Provenance>) -> Resultat<Provenance> {
    let p = p.ok_or_else(|| {
        Erreur::faute("provenance", "obligatoire", "La provenance manque.", "région et canal")
    })?;
    if p.canal() == Canal::Referentiel {
        let message = "Aucun référentiel ne tient les capacités.";
        return Err(Erreur::faute("provenance.canal", "canal", message, "regional ou national"));
    }
    Ok(p)
}

fn region_differente(du_lieu: &str, ecrite: &str) -> Faute {
    let message =
        format!("Le lieu est de la région « {du_lieu} », l'écriture est faite pour la région « {ecrite} ».");
    faute("provenance.region", "region-differente", message, "la région du lieu")
}

fn seul(resultats: Vec<ResultatEcriture>) -> Resultat<ResultatEcriture> {
    resultats.into_iter().next().ok_or_else(|| Erreur::interne("a write without a result"))
}
