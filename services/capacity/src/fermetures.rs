//! Follows the offers: a place whose offers are all closed has nothing available, until one
//! opens. What its sources tell meanwhile is kept aside ([`crate::domaine::fermeture`]).

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use prost::Message as _;
use ror_chassis::{
    Contexte, Erreur, Resultat,
    conversion::maintenant,
    magasin::{Decision, Demande, LOT_MAX, Ligne, Magasin},
    suivi::{Appel, Durable, Effet},
};
use ror_proto::{
    common::v1::{Canal, Evenement, Provenance},
    offers::v1::{Offer, offer::Ressource},
};
use sqlx::PgConnection;

use crate::{
    domaine::{
        Capacites, GENRE,
        fermeture::{self, Fermeture, Offre},
    },
    store::fermetures::{self as store, Recue},
};

/// Kind of the resources that close places.
const OFFRE: &str = "offre";
/// Who writes when no event of an offer does.
const AUTEUR: &str = "fermeture-des-offres";
/// Between two looks at the closures that were announced.
const RONDE: Duration = Duration::from_secs(3600);
/// Days looked back at: a stop shorter than that misses no closure.
const RECUL: time::Duration = time::Duration::days(30);

/// Follows `offers`, and looks at the closures whose day comes. Not a condition of readiness:
/// no write waits for it.
pub(crate) fn suivre(c: &Contexte, appel: Appel) {
    let pool = c.magasin.pool().clone();
    let suites = Suites { magasin: c.magasin.clone() };
    c.suivre("offers", appel, Durable::nouveau(pool, "offers", suites, || {}));
    let (magasin, arret) = (c.magasin.clone(), c.arret.clone());
    c.lancer(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RONDE) => {}
                () = arret.cancelled() => return,
            }
            if let Err(e) = echoir(&magasin).await {
                tracing::warn!(error = %e, "announced closures not looked at, trying again later");
            }
        }
    });
}

struct Suites {
    magasin: Magasin,
}

impl Effet for Suites {
    fn nom(&self) -> &'static str {
        store::SUIVEUR
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        let mut derniers: BTreeMap<&str, &Evenement> = BTreeMap::new();
        for e in lot.iter().filter(|e| e.genre == OFFRE) {
            let d = derniers.entry(e.agregat_id.as_str()).or_insert(e);
            if e.version > d.version {
                *d = e;
            }
        }
        if derniers.is_empty() {
            return Ok(());
        }
        let recues = derniers.values().map(|e| recue(e)).collect::<Resultat<Vec<_>>>()?;
        let mut lieux: BTreeMap<String, String> = BTreeMap::new();
        for (offre, lieu) in store::garder(tx, &recues).await? {
            let auteur = derniers.get(offre.as_str()).and_then(|e| e.provenance.as_ref());
            let auteur = auteur.map(|p| p.auteur.as_str()).filter(|a| !a.is_empty()).unwrap_or(AUTEUR);
            lieux.insert(lieu, auteur.to_owned());
        }
        juger(&self.magasin, tx, &lieux).await
    }

    fn apres(&mut self) {
        self.magasin.reveil().notify_one();
    }
}

/// An offer as its event tells it.
fn recue(e: &Evenement) -> Resultat<Recue> {
    let (mut fermeture, mut lieux) = (Offre::default(), Vec::new());
    if let Some(Ressource::Offre(o)) = Offer::decode(e.etat.clone())?.ressource {
        fermeture.type_fermeture = o.type_fermeture.map(|t| t.code).unwrap_or_default();
        fermeture.date = o.date_fermeture;
        lieux = o.lieux_ids;
    }
    if e.retire {
        lieux.clear();
    }
    Ok(Recue { id: e.agregat_id.clone(), version: e.version, fermeture, lieux })
}

/// Decides of these places anew; those whose closure changed are written by who changed it.
async fn juger(magasin: &Magasin, tx: &mut PgConnection, lieux: &BTreeMap<String, String>) -> Resultat<()> {
    if lieux.is_empty() {
        return Ok(());
    }
    let jour = maintenant().date().to_string();
    let ids: Vec<String> = lieux.keys().cloned().collect();
    let offres = store::offres(tx, &ids).await?;
    let connus = store::fermes(tx, &ids).await?;
    let decides: BTreeMap<String, Option<Fermeture>> = ids
        .into_iter()
        .map(|id| {
            let decide = offres.get(&id).and_then(|o| fermeture::du_lieu(o, &jour));
            (id, decide)
        })
        .filter(|(id, decide)| decide.as_ref() != connus.get(id))
        .collect();
    if decides.is_empty() {
        return Ok(());
    }
    store::decider(tx, &decides).await?;
    let mut par_auteur: BTreeMap<&str, Vec<(String, Option<Fermeture>)>> = BTreeMap::new();
    for (id, decide) in decides {
        let auteur = lieux.get(&id).map_or(AUTEUR, String::as_str);
        par_auteur.entry(auteur).or_default().push((id, decide));
    }
    for (auteur, decides) in par_auteur {
        ecrire(magasin, tx, auteur, &decides).await?;
    }
    Ok(())
}

/// Writes the closure of places in their capacities; a place without any is left alone.
async fn ecrire(
    magasin: &Magasin,
    tx: &mut PgConnection,
    auteur: &str,
    decides: &[(String, Option<Fermeture>)],
) -> Resultat<()> {
    let provenance =
        Provenance { canal: Canal::Referentiel as i32, auteur: auteur.to_owned(), ..Provenance::default() };
    for lot in decides.chunks(LOT_MAX) {
        let demandes: Vec<Demande> = lot
            .iter()
            .map(|(id, _)| Demande { id: id.clone(), genre: GENRE, version_attendue: 0, recu: Bytes::new() })
            .collect();
        let mut decider = |rang: usize, courant: Option<&Ligne>| poser(courant, lot[rang].1.as_ref());
        if magasin.ecrire_dans(tx, &provenance, None, &demandes, &mut decider).await?.is_none() {
            return Err(Erreur::Conflit("concurrent write on a capacity".into()));
        }
    }
    Ok(())
}

fn poser(courant: Option<&Ligne>, fermeture: Option<&Fermeture>) -> Decision {
    let Some(l) = courant.filter(|l| !l.retire) else { return Decision::Rien };
    match Capacites::relire(l, &l.region) {
        Ok(c) => Decision::Ecrire {
            region: l.region.clone(),
            etat: c.fermer(fermeture.cloned()).etat(),
            identifiants: None,
        },
        Err(e) => {
            tracing::error!(place = %l.id, error = %e, "capacity unreadable, closure not applied");
            Decision::Rien
        }
    }
}

/// Applies the closure of places whose capacities were just written for the first time.
pub(crate) async fn revoir(magasin: &Magasin, lieux: &[String]) -> Resultat<()> {
    let mut tx = magasin.pool().begin().await?;
    store::verrouiller(&mut tx).await?;
    let fermes = store::fermes(&mut tx, lieux).await?;
    if fermes.is_empty() {
        return Ok(());
    }
    let decides: Vec<(String, Option<Fermeture>)> = fermes.into_iter().map(|(id, f)| (id, Some(f))).collect();
    ecrire(magasin, &mut tx, AUTEUR, &decides).await?;
    tx.commit().await?;
    magasin.reveil().notify_one();
    Ok(())
}

/// The day of closures that were announced.
async fn echoir(magasin: &Magasin) -> Resultat<()> {
    let jour = maintenant().date();
    let mut tx = magasin.pool().begin().await?;
    store::verrouiller(&mut tx).await?;
    let lieux = store::echeances(&mut tx, &(jour - RECUL).to_string(), &jour.to_string()).await?;
    let lieux = lieux.into_iter().map(|id| (id, AUTEUR.to_owned())).collect();
    juger(magasin, &mut tx, &lieux).await?;
    tx.commit().await?;
    magasin.reveil().notify_one();
    Ok(())
}
