//! The measures. Value and floor are run one after the other, several times, and the
//! ratio is the median of those of each time: what else the machine does weighs on both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;

use crate::{
    charge::{Mesure, Tirage, Tour, boucler, histogramme, mediane, noter, quantile, rapport, resumer},
    facade::{DIFFUSION, Facade},
    http::{self, Connexion},
    jeu::Jeu,
    machine,
    plancher::Plancher,
    postgres::{Banc, Geste, Postgres},
    tableau::{Rapport, banc, debit, mesure, ms, octets},
};

/// Run whose figures are thrown away.
const ECHAUFFEMENT: Duration = Duration::from_secs(2);
/// Body of the bare reply that has no size of its own.
const REPONSE_NUE: usize = 2048;
/// Longest wait for a write to be seen.
const VISIBLE_MAX: Duration = Duration::from_secs(20);

/// What the measures share.
pub struct Atelier<'a> {
    /// The mesh from outside.
    pub facade: &'a Facade,
    /// What the requests are made of.
    pub jeu: Arc<Jeu>,
    /// Floors in SQL.
    pub postgres: &'a Postgres,
    /// Bare HTTP server.
    pub nu: &'a Plancher,
    /// One run.
    pub duree: Duration,
    /// Runs of each measure.
    pub runs: usize,
}

/// The runs of a load and of its floors.
struct Serie {
    valeurs: Vec<Mesure>,
    nus: Vec<Mesure>,
    bancs: Vec<Banc>,
}

impl Serie {
    fn valeur(&self) -> Mesure {
        resumer(&self.valeurs)
    }

    fn banc(&self) -> Banc {
        let m = |f: fn(&Banc) -> f64| mediane(self.bancs.iter().map(f).collect());
        Banc { debit: m(|b| b.debit), latence: m(|b| b.latence) }
    }

    fn rapport_banc(&self) -> f64 {
        rapport(&self.valeurs, &self.bancs.iter().map(|b| b.debit).collect::<Vec<_>>())
    }

    fn rapport_nu(&self) -> f64 {
        rapport(&self.valeurs, &self.nus.iter().map(|m| m.debit).collect::<Vec<_>>())
    }
}

/// Who asks.
#[derive(Clone, Copy)]
enum Appelant {
    Lecteur,
    Fournisseur,
}

impl Atelier<'_> {
    async fn communs(&self, a: Appelant) -> Result<String> {
        match a {
            Appelant::Lecteur => self.facade.lecteur().await,
            Appelant::Fournisseur => self.facade.fournisseur().await,
        }
    }

    async fn nu(&self, clients: usize, taille: usize, duree: Duration) -> Result<Mesure> {
        let f =
            move |_: &mut Tour, s: &mut Vec<u8>| http::get(s, &format!("/{taille}"), "Host: localhost\r\n");
        boucler(self.nu.adresse, clients, duree, &Arc::new(f)).await
    }

    /// Warms up, then runs the floors and the load in turn. `nu` is the size of the bare
    /// reply; 0 takes that of the load.
    async fn serie<F>(
        &self,
        clients: usize,
        qui: Appelant,
        nu: Option<usize>,
        sql: Option<Geste>,
        requete: F,
    ) -> Result<Serie>
    where
        F: Fn(&mut Tour, &str, &mut Vec<u8>) + Send + Sync + 'static,
    {
        let requete = Arc::new(requete);
        let charger = async |duree: Duration| {
            // A token lasts five minutes: each run has its own.
            let communs = self.communs(qui).await?;
            let requete = requete.clone();
            let f = move |t: &mut Tour, s: &mut Vec<u8>| requete(t, &communs, s);
            boucler(self.facade.adresse, clients, duree, &Arc::new(f)).await
        };
        let couples = self.jeu.couples.len();
        let chaud = charger(ECHAUFFEMENT).await?;
        let taille = match nu {
            Some(0) => chaud.octets as usize,
            Some(n) => n,
            None => 0,
        };
        if nu.is_some() {
            self.nu(clients, taille, ECHAUFFEMENT).await?;
        }
        if let Some(g) = sql {
            self.postgres.mesurer(g, clients, ECHAUFFEMENT, couples).await?;
        }
        let mut s = Serie { valeurs: Vec::new(), nus: Vec::new(), bancs: Vec::new() };
        for _ in 0..self.runs {
            if nu.is_some() {
                s.nus.push(self.nu(clients, taille, self.duree).await?);
            }
            if let Some(g) = sql {
                s.bancs.push(self.postgres.mesurer(g, clients, self.duree, couples).await?);
            }
            s.valeurs.push(charger(self.duree).await?);
        }
        Ok(s)
    }

    /// Read of a resource by its id.
    pub async fn lecture(&self, r: &mut Rapport) -> Result<()> {
        for clients in [1, 8] {
            eprintln!("read by id, {clients} client(s)…");
            let jeu = self.jeu.clone();
            let requete = move |t: &mut Tour, communs: &str, s: &mut Vec<u8>| {
                let id = &jeu.offres[t.tirage.sous(jeu.offres.len())].id;
                http::get(s, &format!("{DIFFUSION}/HealthcareService/{id}"), communs);
            };
            let s = self
                .serie(clients, Appelant::Lecteur, Some(REPONSE_NUE), Some(Geste::Point), requete)
                .await?;
            let (v, nu) = (s.valeur(), resumer(&s.nus));
            let texte = format!("{} ({})", mesure(&v), octets(v.octets));
            let quoi = format!("Read of a HealthcareService by id, c={clients}");
            r.compare(&quoi, texte, banc("pgbench point read", &s.banc()), s.rapport_banc(), Some(0.3));
            let quoi = format!("The same beside a bare HTTP reply of 2 kB, c={clients}");
            r.compare(quoi, debit(v.debit), format!("bare reply {}", mesure(&nu)), s.rapport_nu(), None);
        }
        Ok(())
    }

    /// Search by activity and department, twenty results.
    pub async fn recherche(&self, r: &mut Rapport) -> Result<()> {
        for clients in [1, 8] {
            eprintln!("two-criteria search, {clients} client(s)…");
            let chemins: Vec<String> =
                self.jeu.couples.iter().map(|c| format!("{DIFFUSION}/{}", c.recherche())).collect();
            ensure!(!chemins.is_empty(), "no couple of criteria in these data");
            let requete = move |t: &mut Tour, communs: &str, s: &mut Vec<u8>| {
                http::get(s, &chemins[t.tirage.sous(chemins.len())], communs);
            };
            let s = self.serie(clients, Appelant::Lecteur, None, Some(Geste::Recherche), requete).await?;
            let v = s.valeur();
            let texte = format!("{} ({})", mesure(&v), octets(v.octets));
            let quoi = format!("Search by activity and department, 20 results and the total, c={clients}");
            r.compare(quoi, texte, banc("SQL with GIN", &s.banc()), s.rapport_banc(), Some(3.0));
        }
        Ok(())
    }

    /// The standard package: 200 offers a page with their five includes.
    pub async fn paquet(&self, r: &mut Rapport) -> Result<()> {
        for clients in [1, 4] {
            eprintln!("standard package, {clients} client(s)…");
            let jeu = self.jeu.clone();
            let requete = move |t: &mut Tour, communs: &str, s: &mut Vec<u8>| {
                http::get(s, &jeu.paquet(t.tirage.sous(jeu.departs())), communs);
            };
            let s = self.serie(clients, Appelant::Lecteur, Some(0), None, requete).await?;
            let (v, nu) = (s.valeur(), resumer(&s.nus));
            let texte =
                format!("{}; {} a page, first byte p50 {}", mesure(&v), octets(v.octets), ms(v.premier));
            let quoi = format!("Standard package, 200 offers a page, 5 includes, c={clients}");
            r.compare(
                quoi,
                texte,
                format!("bare reply of as many bytes {}", mesure(&nu)),
                s.rapport_nu(),
                None,
            );
        }
        Ok(())
    }

    /// Capacity PATCH, each client on places of its own.
    pub async fn patch(&self, r: &mut Rapport) -> Result<()> {
        let n = self.jeu.lieux.len();
        ensure!(n >= 32, "{n} places with free beds: too few for 32 clients");
        let etats: Arc<Vec<AtomicBool>> = Arc::new((0..n).map(|_| AtomicBool::new(false)).collect());
        for clients in [1, 32] {
            eprintln!("capacity PATCH, {clients} client(s)…");
            let (jeu, etats) = (self.jeu.clone(), etats.clone());
            let requete = move |t: &mut Tour, communs: &str, s: &mut Vec<u8>| {
                let i = t.client + clients * t.tirage.sous(n / clients);
                patcher(&jeu, &etats, i, communs, s);
            };
            let s = self.serie(clients, Appelant::Fournisseur, None, Some(Geste::Ecriture), requete).await?;
            let quoi = format!("Capacity PATCH, acknowledged when durable, c={clients}");
            let plancher = banc("pgbench, same statements, durable", &s.banc());
            r.compare(quoi, mesure(&s.valeur()), plancher, s.rapport_banc(), Some(0.4));
        }
        self.remettre(&etats).await
    }

    /// Gives the places back the counts they had.
    async fn remettre(&self, etats: &[AtomicBool]) -> Result<()> {
        let communs = self.facade.fournisseur().await?;
        let mut c = Connexion::ouvrir(self.facade.adresse).await?;
        let mut requete = Vec::new();
        for i in 0..etats.len() {
            if etats[i].load(Ordering::Relaxed) {
                patcher(&self.jeu, etats, i, &communs, &mut requete);
                c.echanger(&requete).await?.exiger(200)?;
            }
        }
        Ok(())
    }

    /// From an acknowledged write to a search that shows it: on the gateway that took the
    /// write, and on another one that learns of it by the events.
    pub async fn visibilite(&self, autre: std::net::SocketAddr, r: &mut Rapport) -> Result<()> {
        let etats: Vec<AtomicBool> = self.jeu.lieux.iter().map(|_| AtomicBool::new(false)).collect();
        for (quoi, cible) in [
            ("Write acknowledged to searchable, same gateway", self.facade.adresse),
            ("Write acknowledged to searchable, another gateway, by the events", autre),
        ] {
            eprintln!("{quoi}…");
            self.une_visibilite(&etats, cible, ECHAUFFEMENT).await?;
            let (mut p50, mut p99, mut envoi, mut nombre) = (Vec::new(), Vec::new(), Vec::new(), 0);
            for _ in 0..self.runs {
                let (apres, depuis) = self.une_visibilite(&etats, cible, self.duree).await?;
                p50.push(quantile(&apres, 0.5));
                p99.push(quantile(&apres, 0.99));
                envoi.push(quantile(&depuis, 0.99));
                nombre += apres.len();
            }
            let (p50, p99, envoi) = (mediane(p50), mediane(p99), mediane(envoi));
            let texte = format!(
                "p50 {}, p99 {} (p99 {} from the sending; {nombre} writes)",
                ms(p50),
                ms(p99),
                ms(envoi)
            );
            r.au_plus(quoi, texte, p99, 50.0, "ms (p99)");
        }
        self.remettre(&etats).await
    }

    async fn une_visibilite(
        &self,
        etats: &[AtomicBool],
        cible: std::net::SocketAddr,
        duree: Duration,
    ) -> Result<(Histogram<u64>, Histogram<u64>)> {
        let (ecrivain, lecteur) = (self.facade.fournisseur().await?, self.facade.lecteur().await?);
        let mut ecriture = Connexion::ouvrir(self.facade.adresse).await?;
        let mut lecture = Connexion::ouvrir(cible).await?;
        let (mut apres, mut depuis) = (histogramme()?, histogramme()?);
        let mut tirage = Tirage::new(duree.as_nanos() as u64);
        let mut requete = Vec::new();
        let fin = Instant::now() + duree;
        while Instant::now() < fin {
            let i = tirage.sous(self.jeu.lieux.len());
            patcher(&self.jeu, etats, i, &ecrivain, &mut requete);
            let envoi = Instant::now();
            let reponse = ecriture.echanger(&requete).await?;
            let acquitte = Instant::now();
            reponse.exiger(200)?;
            let etag = reponse.entete("etag").context("a PATCH without ETag")?;
            let version = etag.trim_start_matches("W/").trim_matches('"').to_owned();
            let attendu = format!("\"versionId\":\"{version}\"");
            http::get(&mut requete, &format!("{DIFFUSION}/Location?_id={}", self.jeu.lieux[i].id), &lecteur);
            loop {
                let vu = lecture.echanger(&requete).await?;
                vu.exiger(200)?;
                if vu.corps.windows(attendu.len()).any(|f| f == attendu.as_bytes()) {
                    break;
                }
                ensure!(
                    acquitte.elapsed() < VISIBLE_MAX,
                    "a write is not seen after {} s",
                    VISIBLE_MAX.as_secs()
                );
            }
            noter(&mut apres, acquitte.elapsed());
            noter(&mut depuis, envoi.elapsed());
        }
        Ok((apres, depuis))
    }

    /// Memory of every process.
    pub fn memoire(&self, quand: &str, r: &mut Rapport) -> Result<()> {
        let ror = machine::memoire(self.facade.pid("ror")?);
        let texte = format!("{:.0} MB resident, {:.0} MB at the highest", ror.residente, ror.sommet);
        r.au_plus(
            format!("Memory of the mesh (one process), idle {quand}"),
            texte,
            ror.residente,
            150.0,
            "MB",
        );
        let postgres = machine::memoire_arbre(self.facade.pid("postgres")?);
        let nats = machine::memoire(self.facade.pid("nats")?).residente;
        r.valeur(
            format!("Memory of PostgreSQL and of NATS, idle {quand}"),
            format!("{postgres:.0} MB (shared pages once), {nats:.0} MB"),
        );
        Ok(())
    }
}

/// Writes the PATCH that changes a place from one of its two counts to the other.
fn patcher(jeu: &Jeu, etats: &[AtomicBool], i: usize, communs: &str, sortie: &mut Vec<u8>) {
    let lieu = &jeu.lieux[i];
    let avant = etats[i].fetch_xor(true, Ordering::Relaxed);
    http::avec_corps(
        sortie,
        "PATCH",
        &lieu.chemin,
        communs,
        "application/fhir+json",
        &lieu.corps[usize::from(avant)],
    );
}
