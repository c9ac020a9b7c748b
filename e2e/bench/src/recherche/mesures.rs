//! The measures on the running mesh.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    criteres::{self, FAMILLES, RESULTATS, Recherche},
    ecrivain::Ecrivain,
    jeu::{Exemple, Jeu, PAGE},
    plancher::Plancher,
    scenarios::{PAQUET, Requete},
};
use crate::{
    charge::{Mesure, Tirage, boucler, mediane, rapport, resumer},
    facade::{DIFFUSION, Facade},
    http::{self, Connexion, encoder},
    mesh::Mesh,
    ouverte::{Cadence, Releve, soumettre},
    plancher::Plancher as ReponseNue,
    postgres::{Banc, Outils, table_point},
    tableau::{Rapport, banc, debit, mesure, ms, octets},
};

/// Run whose figures are thrown away.
const ECHAUFFEMENT: Duration = Duration::from_secs(3);
/// Searches of each family.
const PAR_FAMILLE: usize = 24;
/// Clients of the comparisons at full speed.
const CLIENTS: [usize; 2] = [8, 32];
/// Connections of an open loop, at most.
const CONNEXIONS: usize = 64;
/// Changes a second of the writer.
const ECRITURES: f64 = 1000.0;
/// How answers are asked for: what the table says of it, and the header.
const FORMES: [(&str, &str); 2] = [("", ""), (", in gzip", "Accept-Encoding: gzip\r\n")];
/// Pages of a deep walk.
const PAGES: usize = 10;

/// What the measures share.
pub struct Atelier<'a> {
    /// The mesh from outside.
    pub facade: &'a Facade,
    /// Its processes.
    pub mesh: &'a Mesh,
    /// What the requests are made of.
    pub jeu: Arc<Jeu>,
    /// PostgreSQL.
    pub outils: &'a Outils,
    /// One run.
    pub duree: Duration,
    /// Runs of each comparison.
    pub runs: usize,
    /// Requests at even distances.
    pub reguliere: bool,
}

impl Atelier<'_> {
    fn cadence(&self, taux: f64, duree: Duration) -> Cadence {
        // A connection that is seldom used would be closed as idle.
        let connexions = (taux.ceil() as usize).clamp(8, CONNEXIONS);
        Cadence { taux, reguliere: self.reguliere, duree, connexions }
    }

    /// Open loop of requests that a function names, with one more header or none, after a warm-up of the same.
    async fn ouvrir(
        &self,
        taux: f64,
        entete: &str,
        chemin: impl Fn(&Jeu, &mut Tirage) -> String + Clone + Send + Sync + 'static,
    ) -> Result<Releve> {
        let mut dernier = None;
        for duree in [ECHAUFFEMENT, self.duree] {
            // A token lasts five minutes: each run has its own.
            let communs = self.facade.lecteur().await? + entete;
            let (jeu, chemin) = (self.jeu.clone(), chemin.clone());
            let f = move |t: &mut Tirage, s: &mut Vec<u8>| http::get(s, &chemin(&jeu, t), &communs);
            dernier = Some(soumettre(self.facade.adresse, self.cadence(taux, duree), f).await?);
        }
        dernier.context("no run")
    }

    /// As [`Self::ouvrir`], beside bare replies of as many bytes at the same rate.
    async fn ouvrir_sur_plancher(
        &self,
        taux: f64,
        entete: &str,
        chemin: impl Fn(&Jeu, &mut Tirage) -> String + Clone + Send + Sync + 'static,
    ) -> Result<(Releve, Releve)> {
        let mesure = self.ouvrir(taux, entete, chemin).await?;
        let nue = ReponseNue::demarrer()?;
        let chemin = format!("/{:.0}", mesure.corps());
        let communs = format!("Host: {}\r\n", nue.adresse);
        let f = move |_: &mut Tirage, s: &mut Vec<u8>| http::get(s, &chemin, &communs);
        let plancher = soumettre(nue.adresse, self.cadence(taux, self.duree), f).await?;
        Ok((mesure, plancher))
    }

    /// Closed loop of one of these paths.
    async fn fermer(&self, chemins: &Arc<Vec<String>>, clients: usize, duree: Duration) -> Result<Mesure> {
        let (communs, chemins) = (self.facade.lecteur().await?, chemins.clone());
        let f = move |t: &mut crate::charge::Tour, s: &mut Vec<u8>| {
            http::get(s, &chemins[t.tirage.sous(chemins.len())], &communs);
        };
        boucler(self.facade.adresse, clients, duree, &Arc::new(f)).await
    }

    /// (a) Two to four criteria: at a given rate, then at full speed beside SQL.
    pub async fn recherches(&self, plancher: &Plancher<'_>, taux: f64, r: &mut Rapport) -> Result<()> {
        let mut toutes: Vec<Recherche> = Vec::new();
        let mut tirage = Tirage::new(3);
        for (nom, famille) in FAMILLES {
            let tirees = criteres::tirer(&self.jeu, famille, 5 * PAR_FAMILLE, &mut tirage);
            let retenues = plancher.retenir(tirees, PAR_FAMILLE).await?;
            if retenues.is_empty() {
                r.notes.push(format!("No search by {nom} finds {RESULTATS} offers in this directory."));
            }
            let ecarts = self.comparer(plancher, &retenues).await?;
            r.notes.push(format!("Searches by {nom}: {}; {ecarts}.", retenues.len()));
            toutes.extend(retenues.into_iter().map(|(recherche, _)| recherche));
        }
        ensure!(!toutes.is_empty(), "no search finds {RESULTATS} offers: take a larger scale");
        let chemins: Arc<Vec<String>> = Arc::new(toutes.iter().map(|x| x.chemin.clone()).collect());
        self.outils.apaiser().await?;
        for (forme, entete) in FORMES {
            let tous = chemins.clone();
            let chemin = move |_: &Jeu, t: &mut Tirage| tous[t.sous(tous.len())].clone();
            let (o, nue) = self.ouvrir_sur_plancher(taux, entete, chemin).await?;
            let texte = format!(
                "{}, {}, p99.9 {}; {} a page{}",
                debit(o.debit),
                o.texte(),
                ms(o.q(0.999)),
                octets(o.corps()),
                o.ecarts(200)
            );
            let quoi =
                format!("Search, 2 to 4 criteria, {RESULTATS} results, open loop at {}{forme}", debit(taux));
            r.au_plus(quoi, texte, o.q(0.99), 5.0, "ms (p99)");
            r.plancher(nue_texte(&nue));
        }
        let scripts = plancher.scripts(&toutes)?;
        for clients in CLIENTS {
            self.fermer(&chemins, clients, ECHAUFFEMENT).await?;
            plancher.mesurer(&scripts, clients, ECHAUFFEMENT).await?;
            let (mut valeurs, mut bancs) = (Vec::new(), Vec::new());
            for _ in 0..self.runs {
                bancs.push(plancher.mesurer(&scripts, clients, self.duree).await?);
                valeurs.push(self.fermer(&chemins, clients, self.duree).await?);
            }
            let quoi = format!("The same at full speed, {clients} clients");
            comparer_bancs(quoi, "SQL, same criteria and ids", &valeurs, &bancs, 5.0, r);
        }
        Ok(())
    }

    /// How many of these searches have on the façade another total, or other ids, than in SQL.
    async fn comparer(&self, plancher: &Plancher<'_>, retenues: &[(Recherche, u64)]) -> Result<String> {
        let recherches: Vec<Recherche> = retenues.iter().map(|(x, _)| x.clone()).collect();
        let attendus = plancher.ids(&recherches).await?;
        let communs = self.facade.lecteur().await?;
        let mut c = Connexion::ouvrir(self.facade.adresse).await?;
        let (mut totaux, mut ids, mut requete) = (0, 0, Vec::new());
        for ((recherche, total), attendu) in retenues.iter().zip(&attendus) {
            http::get(&mut requete, &recherche.chemin, &communs);
            let reponse = c.echanger(&requete).await?;
            reponse.exiger(200).with_context(|| recherche.chemin.clone())?;
            let page: Value = serde_json::from_slice(reponse.corps)?;
            totaux += usize::from(page["total"].as_u64() != Some(*total));
            let lus = page["entry"].as_array().into_iter().flatten();
            let lus: Vec<&str> = lus.filter_map(|e| e["resource"]["id"].as_str()).collect();
            ids += usize::from(lus != *attendu);
        }
        ensure!(
            totaux + ids <= retenues.len() / 10,
            "of {} searches {totaux} have another total on the façade than in SQL, {ids} other ids: it does not hold \
             what was sown, or it is wrong",
            retenues.len()
        );
        Ok(format!("{totaux} have another total on the façade than in SQL, {ids} other ids or another order"))
    }

    /// One line a request, at a low rate.
    pub async fn lignes(
        &self,
        titre: &str,
        requetes: &[Requete],
        taux: f64,
        but: Option<f64>,
        r: &mut Rapport,
    ) -> Result<()> {
        for (nom, chemin) in requetes {
            let o = self.ouvrir(taux, "", *chemin).await?;
            let quoi = format!("{titre}{nom}");
            eprintln!("  {quoi}: {}{}", o.texte(), o.ecarts(200));
            let texte = format!("{}; {}{}", o.texte(), octets(o.corps()), o.ecarts(200));
            match but {
                // A refusal is not an answer that was fast.
                Some(but) if o.net(200) => r.au_plus(quoi, texte, o.q(0.99), but, "ms (p99)"),
                Some(but) => r.au_plus(quoi, texte, f64::INFINITY, but, "ms (p99)"),
                None => r.valeur(quoi, texte),
            }
        }
        Ok(())
    }

    /// (c) The standard package, 200 offers a page, once what can be is rendered beforehand.
    pub async fn paquet(&self, r: &mut Rapport) -> Result<()> {
        self.paquet_sous(&FORMES, r).await
    }

    /// The same by a gateway that rendered nothing yet.
    pub async fn paquet_froid(&self, r: &mut Rapport) -> Result<()> {
        self.paquet_sous(&[(", nothing rendered beforehand", "")], r).await
    }

    async fn paquet_sous(&self, formes: &[(&str, &'static str)], r: &mut Rapport) -> Result<()> {
        if self.jeu.pages.is_empty() {
            r.notes
                .push(format!("No activity has {PAGE} offers in a region: no page of the package is full."));
            return Ok(());
        }
        let chemin = |jeu: &Jeu, t: &mut Tirage| {
            let (activite, region) = &jeu.pages[t.sous(jeu.pages.len())];
            let criteres = format!("specialty={}&_tag={region}", encoder(activite));
            format!("{DIFFUSION}/HealthcareService?{criteres}&_count={PAGE}&{PAQUET}")
        };
        for &(forme, entete) in formes {
            let (o, nue) = self.ouvrir_sur_plancher(10.0, entete, chemin).await?;
            let quoi =
                format!("Standard package, {PAGE} offers a page, 5 includes, open loop at 10/s{forme}");
            let texte = format!("{}; {} a page{}", o.texte(), octets(o.corps()), o.ecarts(200));
            r.au_plus(&quoi, texte, o.q(0.99), 15.0, "ms (p99)");
            r.plancher(nue_texte(&nue));
            let texte = format!("p50 {}, p99 {}", ms(o.premier(0.5)), ms(o.premier(0.99)));
            r.au_plus("The same, first byte after the sending", texte, o.premier(0.99), 5.0, "ms (p99)");
            r.plancher(format!("bare reply p50 {}, p99 {}", ms(nue.premier(0.5)), ms(nue.premier(0.99))));
        }
        Ok(())
    }

    /// (d) Activity, proximity and free beds, the nearest first.
    pub async fn proximite(&self, r: &mut Rapport) -> Result<()> {
        let mut refus = String::new();
        for tri in ["near", "location.near"] {
            let chemin = move |jeu: &Jeu, t: &mut Tirage| {
                let libres =
                    |e: &Exemple| e.lieu.position.is_some() && e.lieu.capacites.iter().any(|c| c[0] == "02");
                let e = jeu.tel_que(t, libres);
                let (lat, lon) = e.lieu.position.unwrap_or((46.5, 2.5));
                format!(
                    "{DIFFUSION}/HealthcareService?specialty={}&location.near={}&location.capacity-status=02&\
                     location.nb-capacity=gt0&_sort={tri}&_count={RESULTATS}&_include=HealthcareService:location",
                    encoder(e.activite()),
                    encoder(&format!("{lat}|{lon}|50|km"))
                )
            };
            if let Some(dit) = self.refus(&chemin(&self.jeu, &mut Tirage::new(1))).await? {
                refus = dit;
                continue;
            }
            for (forme, entete) in FORMES {
                let (o, nue) = self.ouvrir_sur_plancher(200.0, entete, chemin).await?;
                let texte = format!("{}; {}{}", o.texte(), octets(o.corps()), o.ecarts(200));
                let quoi = format!(
                    "Activity, 50 km, free beds, sorted by distance (`_sort={tri}`), {RESULTATS} results, open loop at 200/s{forme}"
                );
                r.au_plus(quoi, texte, o.q(0.99), 5.0, "ms (p99)");
                r.plancher(nue_texte(&nue));
            }
            return Ok(());
        }
        r.valeur("Activity, 50 km, free beds, sorted by distance", refus);
        Ok(())
    }

    /// The status of a request that is refused.
    async fn refus(&self, chemin: &str) -> Result<Option<String>> {
        let mut requete = Vec::new();
        http::get(&mut requete, chemin, &self.facade.lecteur().await?);
        let mut c = Connexion::ouvrir(self.facade.adresse).await?;
        let reponse = c.echanger(&requete).await?;
        Ok((reponse.statut != 200).then(|| format!("**refused, status {}**", reponse.statut)))
    }

    /// (e) Read of a resource by its id beside a read by key in SQL.
    pub async fn lecture(&self, r: &mut Rapport) -> Result<()> {
        let sql = format!(
            "create schema if not exists bench;\ndrop table if exists point;\n{}vacuum analyze point;\n",
            table_point()
        );
        self.outils.psql("point-national", &sql).await?;
        let lus = self.outils.psql("points", "select count(*) from point;\n").await?;
        let scripts = [self.outils.script_point(lus.trim().parse().context("no count of the offers")?)?];
        let chemin = |e: &Exemple| format!("{DIFFUSION}/HealthcareService/{}", e.id);
        let chemins: Arc<Vec<String>> = Arc::new(self.jeu.exemples.iter().map(chemin).collect());
        for clients in [1, 8] {
            self.fermer(&chemins, clients, ECHAUFFEMENT).await?;
            self.outils.pgbench(&scripts, clients, ECHAUFFEMENT).await?;
            let (mut valeurs, mut bancs) = (Vec::new(), Vec::new());
            for _ in 0..self.runs {
                bancs.push(self.outils.pgbench(&scripts, clients, self.duree).await?);
                valeurs.push(self.fermer(&chemins, clients, self.duree).await?);
            }
            let quoi = format!("Read of a HealthcareService by id, c={clients}");
            comparer_bancs(quoi, "pgbench point read", &valeurs, &bancs, 0.5, r);
        }
        Ok(())
    }

    /// (g) The searches of (a) without a writer, then under one.
    pub async fn sous_ecriture(&self, taux: f64, r: &mut Rapport) -> Result<()> {
        let mut tirage = Tirage::new(3);
        let tirees =
            FAMILLES.into_iter().flat_map(|(_, f)| criteres::tirer(&self.jeu, f, PAR_FAMILLE, &mut tirage));
        let chemins: Arc<Vec<String>> = Arc::new(tirees.map(|x| x.chemin).collect());
        let chemin = move |_: &Jeu, t: &mut Tirage| chemins[t.sous(chemins.len())].clone();
        let mut ecrivain = Ecrivain::nouveau(self.mesh).await?;
        self.outils.apaiser().await?;
        let seuls = self.ouvrir(taux, "", chemin.clone()).await?;
        let travail = ecrivain.lancer(ECRITURES);
        let ensemble = self.ouvrir(taux, "", chemin).await;
        let (ecrites, secondes) = travail.finir().await?;
        let ensemble = ensemble?;
        let visible = ecrivain.visible(self.facade).await?;
        let lignes = [("without a writer", &seuls), ("under the writer", &ensemble)];
        for (quand, o) in lignes {
            let texte = format!("{}, p99.9 {}{}", o.texte(), ms(o.q(0.999)), o.ecarts(200));
            r.valeur(format!("Searches at {}, {quand}", debit(taux)), texte);
        }
        let rapport = ensemble.q(0.99) / seuls.q(0.99).max(1e-6);
        let texte = format!(
            "p99 × {rapport:.2}; {} changes a second acknowledged, the last one seen {} after",
            debit(ecrites as f64 / secondes),
            ms(visible.as_secs_f64() * 1000.0)
        );
        let quoi = format!("Readers while a writer applies {ECRITURES} changes a second");
        r.au_plus(quoi, texte, rapport, 2.0, "× (p99)");
        Ok(())
    }

    /// A walk of pages of a thousand, by the links of the answers.
    pub async fn marche(&self, r: &mut Rapport) -> Result<()> {
        let mut c = Connexion::ouvrir(self.facade.adresse).await?;
        let communs = self.facade.lecteur().await?;
        let mut chemin = format!("{DIFFUSION}/HealthcareService?_sort=-_lastUpdated&_count=1000");
        let (mut durees, mut total, mut requete) = (Vec::new(), 0.0, Vec::new());
        while durees.len() < PAGES {
            http::get(&mut requete, &chemin, &communs);
            let debut = std::time::Instant::now();
            let reponse = c.echanger(&requete).await?;
            if reponse.statut != 200 {
                let texte = format!("**status {} at page {}**", reponse.statut, durees.len() + 1);
                r.valeur("Worst: walk of pages of 1,000, most recent first", texte);
                return Ok(());
            }
            durees.push(debut.elapsed().as_secs_f64() * 1000.0);
            total += reponse.corps.len() as f64;
            match suivant(reponse.corps)? {
                Some(url) => chemin = url,
                None => break,
            }
        }
        let pire = durees.iter().copied().fold(0.0, f64::max);
        let texte = format!(
            "{} pages, {} a page; median {}, slowest {}",
            durees.len(),
            octets(total / durees.len().max(1) as f64),
            ms(mediane(durees)),
            ms(pire)
        );
        r.valeur("Worst: walk of pages of 1,000, most recent first", texte);
        Ok(())
    }
}

fn nue_texte(o: &Releve) -> String {
    format!("bare reply of as many bytes {}, p99.9 {}", o.texte(), ms(o.q(0.999)))
}

fn comparer_bancs(
    quoi: String,
    plancher: &str,
    valeurs: &[Mesure],
    bancs: &[Banc],
    but: f64,
    r: &mut Rapport,
) {
    let m = |f: fn(&Banc) -> f64| mediane(bancs.iter().map(f).collect());
    let median = Banc { debit: m(|b| b.debit), latence: m(|b| b.latence) };
    let debits: Vec<f64> = bancs.iter().map(|b| b.debit).collect();
    let v = resumer(valeurs);
    let texte = format!("{} ({})", mesure(&v), octets(v.octets));
    r.compare(quoi, texte, banc(plancher, &median), rapport(valeurs, &debits), Some(but));
}

/// Path and query of the next page. Links come before the entries, which are not parsed.
fn suivant(corps: &[u8]) -> Result<Option<String>> {
    let coupe = corps.windows(9).position(|f| f == b",\"entry\":");
    let tete = coupe.map(|i| [&corps[..i], b"}"].concat());
    let lien = |octets: &[u8]| -> Option<String> {
        let v: Value = serde_json::from_slice(octets).ok()?;
        let liens = v["link"].as_array()?.iter();
        let url = liens.filter(|l| l["relation"] == "next").find_map(|l| l["url"].as_str())?;
        url.find(DIFFUSION).map(|i| url[i..].to_owned())
    };
    Ok(tete.as_deref().and_then(lien).or_else(|| lien(corps)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_before_or_after_the_entries() {
        let avec = |t: &str| suivant(t.as_bytes()).unwrap();
        let lien = r#""link":[{"relation":"self","url":"http://h/ws-diffusion-fhir/L?a=1"},{"relation":"next","url":"http://h/ws-diffusion-fhir/L?_page=x"}]"#;
        let attendu = Some("/ws-diffusion-fhir/L?_page=x".to_owned());
        assert_eq!(avec(&format!(r#"{{"total":3,{lien},"entry":[{{"resource":{{}}}}]}}"#)), attendu);
        assert_eq!(avec(&format!(r#"{{"total":3,"entry":[],{lien}}}"#)), attendu);
        assert_eq!(avec(r#"{"total":0,"link":[]}"#), None);
    }
}
