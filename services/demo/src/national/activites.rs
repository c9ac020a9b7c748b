//! `finess-activites-journalier-AAAAMMJJ.json.gz`: FINESS+ Activités v1.0.0, one JSON
//! object on one line.

mod forme;

use std::path::Path;

use super::Vue;
use super::donnees::NATURES;
use super::gestes::GesteActivite;
use super::monde::{Eg, Monde, texte};
use super::structures::{id_eg, id_ej};
use crate::dates::{AUJOURD_HUI, date};
use crate::error::Error;
use crate::finess::forme::Evenement;
use crate::monde::jour;
use crate::prng::Prng;
use crate::sortie::Sortie;
use forme::{
    Capacite, CommuneZone, EgeActivites, Forme, Generiques, Nature, PmejActivites, Specifique, Zone,
};

/// Rank of the nature ASMR.
pub const ASMR: usize = 3;
/// First id of an activity.
const PREMIER_ID: u32 = 80_000_000;

/// An activity, on its two levels.
pub struct Activite<'d> {
    nature: usize,
    codes: &'d [&'static str],
    numero: u32,
    debut: i64,
    mise_en_oeuvre: Option<i64>,
    fin: Option<i64>,
    /// Neither withdrawn nor of a closed site.
    pub active: bool,
    /// Places authorised and installed.
    pub capacites: Option<(u64, u64)>,
    detail: bool,
    zone: Vec<&'static str>,
}

/// The activity at that position of a site.
pub fn tirer<'d>(monde: &Monde<'d>, eg: &Eg, position: u32) -> Result<Activite<'d>, Error> {
    let numero = eg.premiere + position;
    let mut prng = Prng::numerote(monde.graine, "activite", u64::from(numero));
    let mut reste = position;
    let mut nature = NATURES.len() - 1;
    for (k, n) in eg.activites.iter().enumerate() {
        if reste < u32::from(*n) {
            nature = k;
            break;
        }
        reste -= u32::from(*n);
    }
    let donnees = monde.donnees;
    let modele = donnees.tirages[nature].tirer(&mut prng);
    let codes = donnees.activites[nature].get(modele).ok_or(Error::Absent("activity of that nature"))?;
    let borne = eg.fermeture.map_or(AUJOURD_HUI, |f| f.jour);
    let debut = jour(&mut prng, eg.ouverture, borne.max(eg.ouverture + 2) - 1);
    let active = eg.fermeture.is_none() && !prng.chance(200);
    let mise_en_oeuvre = prng.chance(850).then(|| debut + prng.borne(200) as i64);
    let fin = match eg.fermeture {
        Some(f) => Some(f.jour),
        None if !active => Some(debut + 200 + prng.borne(2000) as i64),
        None => None,
    };
    let a_capacite = match NATURES[nature] {
        "ASMR" => prng.chance(930),
        "ASDR" | "ASOCR" => prng.chance(600),
        "AER" => prng.chance(800),
        _ => false,
    };
    let moyenne = match donnees.categories[eg.categorie].famille {
        "PA" => 90,
        "DOM" => 70,
        _ => 40,
    };
    let capacites = a_capacite.then(|| {
        let autorisees = prng.entre(5, 2 * moyenne - 5);
        (autorisees, autorisees - prng.borne(4))
    });
    let detail = prng.chance(40);
    let zone = if nature == ASMR && donnees.categories[eg.categorie].famille == "DOM" {
        let region = &donnees.regions[monde.ejs.get(eg.ej as usize).map_or(0, |e| e.region)];
        let mut codes = Vec::new();
        for _ in 0..prng.entre(4, 20) {
            let insee = donnees.commune(region.commune(&mut prng))?.insee;
            if !codes.contains(&insee) {
                codes.push(insee);
            }
        }
        codes
    } else {
        Vec::new()
    };
    Ok(Activite { nature, codes, numero, debut, mise_en_oeuvre, fin, active, capacites, detail, zone })
}

/// Writes the whole file; answers the activities of one level and the capacities.
pub fn ecrire(chemin: &Path, vue: &Vue<'_>) -> Result<(u64, u64), Error> {
    let mut sortie = Sortie::creer_gzip(chemin)?;
    let mut f = Fabrique { vue, evenements: vue.premier_evenement(), ecrites: 0, capacites: 0 };
    sortie.texte(&format!(
        "{{\"schemaVersion\":\"v1.0.0\",\"generatedAt\":\"{}T02:16:50.691034193Z\",\"pmej\":[",
        date(vue.jour())
    ))?;
    let mut premier = true;
    for rang in 0..vue.nombre_ej() {
        if let Some(pmej) = f.pmej(rang)? {
            if !premier {
                sortie.texte(",")?;
            }
            premier = false;
            sortie.json(&pmej)?;
        }
    }
    sortie.texte("]}\n")?;
    sortie.finir()?;
    Ok((f.ecrites, f.capacites))
}

struct Fabrique<'a> {
    vue: &'a Vue<'a>,
    evenements: u64,
    ecrites: u64,
    capacites: u64,
}

impl<'a> Fabrique<'a> {
    fn pmej(&mut self, rang: u32) -> Result<Option<PmejActivites<'a>>, Error> {
        let vue = self.vue;
        let ej = vue.ej(rang)?;
        let mut autorisees = Vec::new();
        let mut ege = Vec::new();
        for site in vue.sites(rang, ej) {
            let eg = vue.eg(site)?;
            let geste = vue.lendemain.and_then(|l| l.activites.get(&site)).copied();
            let mut exercees = Vec::new();
            for position in 0..eg.nombre_activites() {
                let a = tirer(vue.monde, eg, position)?;
                let geste = geste.and_then(|(p, g)| (p == position).then_some(g));
                autorisees.push(self.forme(&a, geste, rang, None));
                exercees.push(self.forme(&a, geste, rang, Some(site)));
                self.ecrites += 1;
            }
            if !exercees.is_empty() {
                ege.push(EgeActivites {
                    ege_id: id_eg(site),
                    num_finess_ege: texte(&eg.finess).to_owned(),
                    activites_exercees: exercees,
                });
            }
        }
        Ok((!autorisees.is_empty()).then(|| PmejActivites {
            num_finess: texte(&ej.finess).to_owned(),
            pm_smsse_id: id_ej(rang),
            activites_autorisees: autorisees,
            ege,
        }))
    }

    /// One level: authorised without `site`, exercised with it.
    fn forme<'d>(
        &mut self,
        a: &Activite<'d>,
        geste: Option<GesteActivite>,
        ej: u32,
        site: Option<u32>,
    ) -> Forme<'d> {
        let id = PREMIER_ID + 2 * a.numero + u32::from(site.is_some());
        let id = id.to_string();
        let autorisation = (PREMIER_ID + 2 * a.numero).to_string();
        let retrait = (geste == Some(GesteActivite::Retrait)).then(|| self.vue.jour());
        let fin = a.fin.or(retrait);
        let soin = matches!(NATURES[a.nature], "AMM" | "AMF" | "AASA" | "EML");
        let objet = (ej, site);
        let mut evenement = vec![self.evenement(&id, "010", a.debut, objet)];
        if let (Some(j), true) = (a.mise_en_oeuvre, site.is_some()) {
            evenement.push(self.evenement(&id, "012", j, objet));
        }
        if let Some(j) = fin {
            evenement.push(self.evenement(&id, "013", j, objet));
            if site.is_some() && a.mise_en_oeuvre.is_some() {
                evenement.push(self.evenement(&id, "015", j, objet));
            }
        }
        let capacite = self.capacites(a, geste, &id, site.is_some());
        Forme {
            caracteristiques_generiques: Generiques {
                activite_ae_id: id.clone(),
                etat_objet: if a.active && retrait.is_none() { "A" } else { "I" },
                identifiant_autorisation: site.map(|_| autorisation),
                num_autorisation_arhgos: soin.then(|| format!("99-99-{}", a.numero)),
                date_debut_activite_autorisee: date(a.debut),
                date_fin_activite_autorisee: soin.then(|| date(a.debut + 10_950)),
                date_fin_effective_activite: fin.filter(|_| site.is_some()).map(date),
                date_caducite_autorisation: None,
                ege_id: site.map(id_eg),
                type_activite: (10_000 * (a.nature + 1)).to_string(),
                pm_smsse_exploitante_id: site.is_none().then_some(None),
                ege_exploitante_id: site.map(|_| None),
                ege_facturante: site.map(|_| None),
            },
            nature: Nature {
                code_nature: NATURES[a.nature],
                caracteristiques_specifiques: Specifique { nature: a.nature, id: id.clone(), codes: a.codes },
            },
            evenement,
            engagement: [],
            capacite,
            zone_intervention: (site.is_none() && !a.zone.is_empty()).then(|| Zone {
                zone_intervention_autorisee_id: a.numero.to_string(),
                libelle: None,
                activite_ae_id: id,
                communes: a.zone.iter().copied().map(|commune| CommuneZone { commune }).collect(),
            }),
        }
    }

    /// Totals, then now and then a line that breaks one down and must not be added.
    fn capacites(
        &mut self,
        a: &Activite<'_>,
        geste: Option<GesteActivite>,
        id: &str,
        site: bool,
    ) -> Vec<Capacite> {
        let Some((autorisees, installees)) = a.capacites else { return Vec::new() };
        let de_plus = u64::from(geste == Some(GesteActivite::Capacite));
        let ligne = |rang: u32, statut: &'static str, nombre: u64, genre: Option<&'static str>| Capacite {
            id_capacite: (4 * a.numero + rang).to_string(),
            nombre: nombre.to_string(),
            precision: None,
            variation: None,
            activite_ae_id: id.to_owned(),
            engagement_id: None,
            habilitation: None,
            statut_capacite: statut,
            mode_financement: None,
            unite_mesure_capacite: "02",
            type_logement: None,
            genre,
        };
        let mut lignes = vec![ligne(if site { 0 } else { 3 }, "09", autorisees, None)];
        if site {
            lignes.push(ligne(1, "08", installees + de_plus, None));
            if a.detail {
                lignes.push(ligne(2, "08", installees / 2, Some("01")));
            }
        }
        self.capacites += lignes.len() as u64;
        lignes
    }

    fn evenement(&mut self, id: &str, code: &'static str, jour: i64, objet: (u32, Option<u32>)) -> Evenement {
        self.evenements += 1;
        let (ej, site) = objet;
        Evenement {
            evenement_id: self.evenements.to_string(),
            date_enregistrement: "2026-07-07 13:51:16",
            date_evenement: date(jour),
            etat_objet1: Some(code),
            identifiant_objet1: id.to_owned(),
            identifiant_objet2: Some(site.map_or_else(|| id_ej(ej), id_eg)),
            systeme_maitre: "01",
            type_objet1: "AC",
            type_objet2: Some(if site.is_some() { "EG" } else { "PM" }),
            code_evenement: code,
        }
    }
}
