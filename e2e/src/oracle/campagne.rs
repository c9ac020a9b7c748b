//! Many queries against a running mesh, each compared with brute force at the moment of its answer.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Result, bail, ensure};

use super::{
    couverture::Couverture,
    demande::{Reponse, contexte, demander, exporter},
    ecrivain::Ecrivain,
    generateur::{Amorce, amorces, generer},
    index::{Contexte, Index},
    reduction::candidats,
    reponse::{Ecart, verifier},
    requete::Requete,
};
use crate::client::Client;

/// Queries asked at the same time.
const CONCURRENCE: usize = 8;
/// Differences told before a campaign gives up.
const ECARTS: usize = 3;
/// Queries that may be spent on reducing one difference.
const REDUCTIONS: usize = 200;
/// Queries compared with one export while the directory is written to.
const PAR_LOT: u64 = 96;
/// Exports in a row that may lapse before one query is compared.
const PATIENCE: usize = 10;
/// Walks that name no moment, after each lot asked under writes, and their pages, about.
const MARCHES: usize = 4;
const PAGES: usize = 6;

/// The same for all its callers: seed, value sets, counts.
pub struct Campagne {
    graine: u64,
    contexte: Arc<Contexte>,
    amorces: Vec<Amorce>,
    couverture: Mutex<Couverture>,
}

/// Queries of one caller at one moment.
struct Lot {
    campagne: Arc<Campagne>,
    client: Arc<Client>,
    index: Index,
    /// Whether each query names the moment.
    epingle: bool,
    reste: Mutex<Vec<u64>>,
    perime: AtomicBool,
    ecarts: Mutex<Vec<String>>,
}

/// Walks that named no moment: compared, or lapsed before they could be.
#[derive(Debug, Default)]
struct Marches {
    comparees: usize,
    perimees: usize,
}

/// What a comparison says.
enum Jugement {
    Juste(usize),
    Faux(Ecart),
    Perime,
}

impl Campagne {
    /// Reads what is the same for every caller.
    pub async fn preparer(client: &Client, graine: u64) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            graine,
            contexte: Arc::new(contexte(client).await?),
            amorces: amorces(),
            couverture: Mutex::default(),
        }))
    }

    /// Queries of these numbers by one caller, while nothing is written.
    pub async fn lire(self: &Arc<Self>, client: &Arc<Client>, rangs: Range<u64>) -> Result<()> {
        let mut reste: Vec<u64> = rangs.rev().collect();
        let (mut epingle, mut vains) = (false, 0);
        while !reste.is_empty() {
            let avant = reste.len();
            if let Some(index) = exporter(client, &self.contexte, None).await? {
                reste = self.lot(client, index, epingle, reste).await?;
            }
            // Something moved after all: the moment is named from now on.
            epingle = true;
            vains = if reste.len() == avant { vains + 1 } else { 0 };
            ensure!(vains < PATIENCE, "{}: {vains} moments in a row lapsed at once", client.nom);
        }
        Ok(())
    }

    /// Compares what it can at the moment of an export; gives what is left when it lapses.
    async fn lot(
        self: &Arc<Self>,
        client: &Arc<Client>,
        index: Index,
        epingle: bool,
        reste: Vec<u64>,
    ) -> Result<Vec<u64>> {
        self.couverture.lock().unwrap().porter(&index);
        let lot = Arc::new(Lot {
            campagne: self.clone(),
            client: client.clone(),
            index,
            epingle,
            reste: Mutex::new(reste),
            perime: AtomicBool::new(false),
            ecarts: Mutex::default(),
        });
        let taches: Vec<_> = (0..CONCURRENCE).map(|_| tokio::spawn(travailler(lot.clone()))).collect();
        for tache in taches {
            tache.await??;
        }
        let ecarts = std::mem::take(&mut *lot.ecarts.lock().unwrap());
        ensure!(ecarts.is_empty(), "{} differences at least:\n{}", ecarts.len(), ecarts.join("\n\n"));
        let reste = std::mem::take(&mut *lot.reste.lock().unwrap());
        Ok(reste)
    }

    /// Queries of these numbers by several callers in turn, while capacities and descriptions
    /// change: each export and its queries name one moment, and walks that name none are compared
    /// with an export of the moment they say they are of. Most of these must be.
    pub async fn lire_sous_ecritures(
        self: &Arc<Self>,
        clients: &[Arc<Client>],
        ecrivain: Ecrivain,
        rangs: Range<u64>,
    ) -> Result<()> {
        let (mut moments, mut marches) = (BTreeSet::new(), Marches::default());
        let compare = self.tours(clients, rangs, &mut moments, &mut marches).await;
        // The writer ends whatever was found.
        let ecrites = ecrivain.arreter().await;
        compare?;
        let ecrites = ecrites?;
        ensure!(ecrites > 0, "nothing was written meanwhile");
        ensure!(moments.len() > 1, "{ecrites} writes and one moment only: {moments:?}");
        println!("{ecrites} writes during the comparison of {} moments, {marches:?}", moments.len());
        let Marches { comparees, perimees } = marches;
        ensure!(comparees > perimees, "{perimees} walks lapsed, {comparees} were compared");
        Ok(())
    }

    async fn tours(
        self: &Arc<Self>,
        clients: &[Arc<Client>],
        rangs: Range<u64>,
        moments: &mut BTreeSet<u64>,
        marches: &mut Marches,
    ) -> Result<()> {
        let (mut suivant, mut tour, mut vains) = (rangs.start, 0, 0);
        let mut reste: Vec<u64> = Vec::new();
        while suivant < rangs.end || !reste.is_empty() {
            let client = &clients[tour % clients.len()];
            tour += 1;
            let Some(index) = exporter(client, &self.contexte, None).await? else {
                vains += 1;
                ensure!(vains < PATIENCE, "{}: {vains} moments in a row lapsed at once", client.nom);
                continue;
            };
            moments.insert(index.moment);
            let demandees = self.marches(&index, suivant);
            let fin = rangs.end.min(suivant + PAR_LOT);
            reste.extend(suivant..fin);
            suivant = fin;
            let avant = reste.len();
            reste = self.lot(client, index, true, reste).await?;
            vains = if reste.len() == avant { vains + 1 } else { 0 };
            ensure!(vains < PATIENCE, "{}: {vains} moments in a row lapsed at once", client.nom);
            for requete in demandees {
                match self.marche(client, requete).await? {
                    Some(true) => marches.comparees += 1,
                    Some(false) => marches.perimees += 1,
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Queries that find several pages when pages are short.
    fn marches(&self, index: &Index, depuis: u64) -> Vec<Requete> {
        let tirees = (depuis..depuis + PAR_LOT).map(|rang| generer(index, &self.amorces, self.graine, rang));
        let longues = tirees.filter(|r| !r.compte).filter_map(|mut requete| {
            let trouves = index.repondre(&requete).iter().filter(|t| **t).count();
            requete.nombre = Some((trouves / PAGES).clamp(1, 200));
            (trouves > PAGES).then_some(requete)
        });
        longues.take(MARCHES).collect()
    }

    /// A walk of several pages that names no moment; whether it was compared before its moment
    /// lapsed: a slow one may outlive it, and is told so. None when it came as one page, whose moment
    /// nobody keeps.
    async fn marche(&self, client: &Arc<Client>, requete: Requete) -> Result<Option<bool>> {
        let url = requete.url();
        match demander(client, &requete, None).await? {
            Reponse::Pages { moment, pages } => {
                let Some(index) = exporter(client, &self.contexte, Some(moment)).await? else {
                    return Ok((pages.len() > 1).then_some(false));
                };
                if let Some(ecart) = verifier(&index, &requete, &pages).ecart {
                    bail!("{}: a walk while writes go on: {url}\n  {}", client.nom, ecart.0);
                }
                Ok(Some(true))
            }
            Reponse::Perime => Ok(Some(false)),
            Reponse::Refus(refus) => bail!("{}: {url}: {refus}", client.nom),
        }
    }

    /// The counts, and what they lack.
    pub fn bilan(&self) -> Result<()> {
        let couverture = self.couverture.lock().unwrap();
        println!("seed {}: {}", self.graine, couverture.dire());
        let fautes = couverture.fautes();
        ensure!(fautes.is_empty(), "seed {}:\n{}", self.graine, fautes.join("\n"));
        Ok(())
    }
}

async fn travailler(lot: Arc<Lot>) -> Result<()> {
    while !lot.perime.load(Ordering::Relaxed) && lot.ecarts.lock().unwrap().len() < ECARTS {
        let Some(rang) = lot.prochain() else { break };
        let Campagne { graine, amorces, couverture, .. } = &*lot.campagne;
        let requete = generer(&lot.index, amorces, *graine, rang);
        match lot.juger(&requete).await? {
            Jugement::Juste(trouves) => {
                let tous = lot.index.table(requete.genre).lignes.len();
                couverture.lock().unwrap().noter(&requete, trouves, tous);
            }
            Jugement::Perime => {
                lot.reste.lock().unwrap().push(rang);
                lot.perime.store(true, Ordering::Relaxed);
            }
            Jugement::Faux(ecart) => {
                let (reduite, ecart) = lot.reduire(requete, ecart).await?;
                let message = lot.message(&reduite, &ecart, rang);
                lot.ecarts.lock().unwrap().push(message);
            }
        }
    }
    Ok(())
}

impl Lot {
    fn prochain(&self) -> Option<u64> {
        self.reste.lock().unwrap().pop()
    }

    async fn juger(&self, requete: &Requete) -> Result<Jugement> {
        let moment = self.epingle.then_some(self.index.moment);
        Ok(match demander(&self.client, requete, moment).await? {
            Reponse::Perime => Jugement::Perime,
            Reponse::Refus(refus) => Jugement::Faux(Ecart(refus)),
            Reponse::Pages { moment, .. } if moment != self.index.moment => Jugement::Perime,
            Reponse::Pages { pages, .. } => {
                let verdict = verifier(&self.index, requete, &pages);
                verdict.ecart.map_or(Jugement::Juste(verdict.attendus), Jugement::Faux)
            }
        })
    }

    /// The smallest query found in which a difference stays.
    async fn reduire(&self, mut requete: Requete, mut ecart: Ecart) -> Result<(Requete, Ecart)> {
        let mut essais = 0;
        'plus_petite: loop {
            for candidate in candidats(&requete) {
                essais += 1;
                if essais > REDUCTIONS {
                    break 'plus_petite;
                }
                match self.juger(&candidate).await? {
                    Jugement::Faux(trouve) => {
                        (requete, ecart) = (candidate, trouve);
                        continue 'plus_petite;
                    }
                    Jugement::Perime => break 'plus_petite,
                    Jugement::Juste(_) => {}
                }
            }
            break;
        }
        Ok((requete, ecart))
    }

    /// A difference as a request that can be sent again.
    fn message(&self, requete: &Requete, ecart: &Ecart, rang: u64) -> String {
        let entetes: String =
            self.client.entetes.iter().map(|(nom, valeur)| format!(" -H '{nom}: {valeur}'")).collect();
        let lisible: Vec<String> =
            requete.parametres().into_iter().map(|(nom, valeur)| format!("{nom}={valeur}")).collect();
        format!(
            "client {}, seed {}, query {rang}, moment {}: {}\n  {}\n  curl -sgk -H \"Authorization: Bearer $JETON\"{entetes} '{}/{}'",
            self.client.nom,
            self.campagne.graine,
            self.index.moment,
            lisible.join(" & "),
            ecart.0,
            self.client.base,
            requete.url()
        )
    }
}
