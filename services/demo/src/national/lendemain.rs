//! What happens between two editions: which structures, activities and professionals
//! change, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::activites;
use super::donnees::NATURES;
use super::gestes::{GesteActivite, GesteEg, GesteEj, GestePs, geste_ps};
use super::monde::{Eg, Ej, Monde, Numeros, texte};
use super::oracle::{Attendu, Oracle};
use super::personnes::Annuaire;
use super::quotas::Quotas;
use crate::dates::{AUJOURD_HUI, date};
use crate::error::Error;
use crate::prng::Prng;

/// The changes of an edition.
pub struct Lendemain {
    /// Day of the edition.
    pub jour: i64,
    /// Of legal entities, by rank.
    pub ej: BTreeMap<u32, GesteEj>,
    /// Of sites, by rank.
    pub eg: BTreeMap<u32, GesteEg>,
    /// Sites that come under a legal entity, created or transferred.
    pub arrivees: BTreeMap<u32, Vec<u32>>,
    /// Legal entities created; their ranks follow those of day J.
    pub ej_creees: Vec<Ej>,
    /// Sites created; their ranks follow those of day J.
    pub eg_creees: Vec<Eg>,
    /// Activity that changes, by rank of site: its position at the site.
    pub activites: BTreeMap<u32, (u32, GesteActivite)>,
    /// Of professionals, by rank.
    pub ps: BTreeMap<u32, GestePs>,
    /// Professionals created; their ranks follow those of day J.
    pub ps_crees: u32,
    /// What must be found.
    pub oracle: Oracle,
}

impl Lendemain {
    /// Draws the changes `decalage` days after day J.
    pub fn generer(annuaire: &Annuaire<'_>, quotas: &Quotas, decalage: i64) -> Result<Self, Error> {
        let monde = annuaire.monde;
        let prng = Prng::numerote(monde.graine, "lendemain", decalage.unsigned_abs());
        let jour = AUJOURD_HUI + decalage;
        let vide = Self {
            jour,
            ej: BTreeMap::new(),
            eg: BTreeMap::new(),
            arrivees: BTreeMap::new(),
            ej_creees: Vec::new(),
            eg_creees: Vec::new(),
            activites: BTreeMap::new(),
            ps: BTreeMap::new(),
            ps_crees: 0,
            oracle: Oracle::default(),
        };
        let mut t = Tri { monde, annuaire, l: vide, prng, numeros: monde.numeros.clone(), le: date(jour) };
        t.transferer(quotas);
        t.fermer(quotas);
        t.modifier(quotas);
        t.creer(quotas)?;
        t.activites(quotas)?;
        t.professionnels(quotas)?;
        Ok(t.l)
    }
}

struct Tri<'a> {
    monde: &'a Monde<'a>,
    annuaire: &'a Annuaire<'a>,
    l: Lendemain,
    prng: Prng,
    numeros: Numeros,
    le: String,
}

/// Distinct ranks below `total` that suit; fewer than wanted when few do.
fn choisir(prng: &mut Prng, total: usize, voulus: u64, mut convient: impl FnMut(u32) -> bool) -> Vec<u32> {
    let mut choisis = BTreeSet::new();
    let mut essais = if voulus == 0 || total == 0 { 0 } else { 400 * voulus + 20_000 };
    while (choisis.len() as u64) < voulus && essais > 0 {
        essais -= 1;
        let Ok(rang) = u32::try_from(prng.indice(total)) else { break };
        if !choisis.contains(&rang) && convient(rang) {
            choisis.insert(rang);
        }
    }
    choisis.into_iter().collect()
}

impl Tri<'_> {
    fn eg(&self, rang: u32) -> &Eg {
        &self.monde.egs[rang as usize]
    }

    fn ej(&self, rang: u32) -> &Ej {
        &self.monde.ejs[rang as usize]
    }

    fn attendre(&mut self, a: Attendu) {
        self.l.oracle.ajouter(a);
    }

    /// Sites that lead a life of their own: open, nothing happens to them yet.
    fn eg_libres(&mut self, voulus: u64, convient: impl Fn(&Monde<'_>, u32) -> bool) -> Vec<u32> {
        let (monde, pris) = (self.monde, &self.l.eg);
        choisir(&mut self.prng, monde.egs.len(), voulus, |r| {
            monde.egs[r as usize].fermeture.is_none() && !pris.contains_key(&r) && convient(monde, r)
        })
    }

    fn transferer(&mut self, q: &Quotas) {
        // Without activities nor attached sites, so that one operation is expected and no more.
        let seuls = self.eg_libres(q.eg_transferees, |m, r| {
            let eg = &m.egs[r as usize];
            let ej = &m.ejs[eg.ej as usize];
            eg.nombre_activites() == 0 && m.egs[en_usize(&ej.eg)].iter().all(|e| !e.secondaire)
        });
        for rang in seuls {
            let (depart, region) = (self.eg(rang).ej, self.ej(self.eg(rang).ej).region);
            let monde = self.monde;
            let pris = &self.l.ej;
            let cible = choisir(&mut self.prng, monde.ejs.len(), 1, |r| {
                let ej = &monde.ejs[r as usize];
                r != depart && ej.region == region && ej.fermeture.is_none() && !pris.contains_key(&r)
            });
            let Some(vers) = cible.first().copied() else { continue };
            if self.l.ej.contains_key(&depart) {
                continue;
            }
            self.l.eg.insert(rang, GesteEg::Transferee);
            self.l.arrivees.entry(vers).or_default().push(rang);
            let cle = texte(&monde.egs[rang as usize].finess);
            let mut a = Attendu::nouveau("transferee", "entite_geographique", cle)
                .champs(&["num_finess_ej"])
                .le(&self.le, &["018", "019"]);
            a.de = texte(&monde.ejs[depart as usize].finess).to_owned();
            a.vers = texte(&monde.ejs[vers as usize].finess).to_owned();
            self.attendre(a);
            let siennes = &monde.egs[en_usize(&monde.ejs[depart as usize].eg)];
            let ouvertes = siennes.iter().filter(|e| e.fermeture.is_none()).count();
            if ouvertes == 1 && !self.l.arrivees.contains_key(&depart) && self.prng.chance(600) {
                self.fermer_ej(depart, GesteEj::FermeeApresTransfert, "020");
            }
        }
    }

    fn fermer_ej(&mut self, rang: u32, geste: GesteEj, evenement: &str) {
        self.l.ej.insert(rang, geste);
        let mut a = Attendu::nouveau("fermee", "entite_juridique", texte(&self.ej(rang).finess))
            .le(&self.le, &[evenement]);
        a.type_fermeture = "DEF".into();
        self.attendre(a);
    }

    fn fermer(&mut self, q: &Quotas) {
        let genres = [
            (q.eg_fermees, "100", "fermee", "DEF"),
            (q.eg_provisoires, "103", "fermee_provisoirement", "PRO"),
            (q.eg_hors_champ, "102", "hors_champ", "HORS_CHAMP"),
            (q.eg_erreurs, "101", "declaree_par_erreur", "ERREUR"),
        ];
        for (voulus, etat, operation, genre) in genres {
            for rang in self.eg_libres(voulus, |_, _| true) {
                self.l.eg.insert(rang, GesteEg::Fermee(etat));
                let mut a = Attendu::nouveau(operation, "entite_geographique", texte(&self.eg(rang).finess))
                    .le(&self.le, &["005"]);
                a.type_fermeture = genre.into();
                self.attendre(a);
            }
        }
        let monde = self.monde;
        let rouvrables = choisir(&mut self.prng, monde.egs.len(), q.eg_rouvertes, |r| {
            let eg = &monde.egs[r as usize];
            eg.fermeture.is_some_and(|f| f.etat == Some("103"))
                && monde.ejs[eg.ej as usize].fermeture.is_none()
        });
        for rang in rouvrables {
            // Its legal entity may have been closed just above.
            if self.l.ej.contains_key(&self.eg(rang).ej) {
                continue;
            }
            self.l.eg.insert(rang, GesteEg::Rouverte);
            let a = Attendu::nouveau("rouverte", "entite_geographique", texte(&self.eg(rang).finess))
                .le(&self.le, &["039"]);
            self.attendre(a);
        }
        let (pris, arrivees, touches) = (&self.l.ej, &self.l.arrivees, &self.l.eg);
        let vides = choisir(&mut self.prng, monde.ejs.len(), q.ej_fermees, |r| {
            let ej = &monde.ejs[r as usize];
            ej.fermeture.is_none()
                && !pris.contains_key(&r)
                && !arrivees.contains_key(&r)
                && ej
                    .eg
                    .clone()
                    .all(|e| monde.egs[e as usize].fermeture.is_some() && !touches.contains_key(&e))
        });
        for rang in vides {
            self.fermer_ej(rang, GesteEj::Fermee, "005");
        }
    }

    fn modifier(&mut self, q: &Quotas) {
        for rang in self.eg_libres(q.eg_modifiees, |_, _| true) {
            let (geste, champs): (_, &[&str]) = match self.prng.borne(100) {
                0..30 => (GesteEg::Nom, &["denomination", "denomination_courte"]),
                30..60 => (GesteEg::Telephone, &["telephone"]),
                60..85 => (GesteEg::Adresse, &["adresse"]),
                _ => (GesteEg::Tarif, &["mode_tarification"]),
            };
            self.l.eg.insert(rang, geste);
            let a = Attendu::nouveau("modifiee", "entite_geographique", texte(&self.eg(rang).finess));
            self.attendre(a.champs(champs));
        }
        let (monde, pris) = (self.monde, &self.l.ej);
        let choisies = choisir(&mut self.prng, monde.ejs.len(), q.ej_modifiees, |r| {
            monde.ejs[r as usize].fermeture.is_none() && !pris.contains_key(&r)
        });
        for rang in choisies {
            let (geste, champs): (_, &[&str]) = if self.prng.chance(500) {
                (GesteEj::Nom, &["denomination", "denomination_courte"])
            } else {
                (GesteEj::Telephone, &["telephone"])
            };
            self.l.ej.insert(rang, geste);
            let a = Attendu::nouveau("modifiee", "entite_juridique", texte(&self.ej(rang).finess));
            self.attendre(a.champs(champs));
        }
    }

    fn creer(&mut self, q: &Quotas) -> Result<(), Error> {
        let donnees = self.monde.donnees;
        let pharmacie = donnees.categories.iter().position(|c| c.code == "620").unwrap_or(0);
        let ehpad = donnees.categories.iter().position(|c| c.code == "500").unwrap_or(0);
        let (monde, pris) = (self.monde, &self.l.ej);
        // Under a legal entity that is there: without activities, so that its own do not change.
        let hotes = choisir(&mut self.prng, monde.ejs.len(), q.eg_creees, |r| {
            monde.ejs[r as usize].fermeture.is_none() && !pris.contains_key(&r)
        });
        for ej in hotes {
            let commune = monde.ejs[ej as usize].commune;
            self.creer_eg(ej, commune, pharmacie, 0)?;
        }
        for _ in 0..q.ej_creees {
            let rang = u32::try_from(monde.ejs.len() + self.l.ej_creees.len()).unwrap_or(u32::MAX);
            // As likely in a region as it has legal entities.
            let region = monde.ejs[self.prng.indice(monde.ejs.len())].region;
            let commune = donnees.regions[region].commune(&mut self.prng);
            let finess = self.numeros.suivant(donnees.commune(commune)?.insee)?;
            self.attendre(Attendu::nouveau("creee", "entite_juridique", texte(&finess)));
            self.attendre(Attendu::nouveau("creee", "activites_finess", texte(&finess)));
            self.l.ej_creees.push(Ej {
                region,
                commune,
                categorie: ehpad,
                finess,
                creation: self.l.jour,
                fermeture: None,
                eg: 0..0,
            });
            self.creer_eg(rang, commune, ehpad, 2)?;
        }
        Ok(())
    }

    fn creer_eg(&mut self, ej: u32, commune: u16, categorie: usize, activites: u16) -> Result<(), Error> {
        let rang = self.monde.egs.len() + self.l.eg_creees.len();
        let rang = u32::try_from(rang).unwrap_or(u32::MAX);
        let finess = self.numeros.suivant(self.monde.donnees.commune(commune)?.insee)?;
        self.attendre(Attendu::nouveau("creee", "entite_geographique", texte(&finess)));
        let mut par_nature = [0; NATURES.len()];
        if activites > 0 {
            self.attendre(Attendu::nouveau("creee", "activites_finess", texte(&finess)));
            par_nature[activites::ASMR] = activites;
        }
        let avant: u32 = self.l.eg_creees.iter().map(Eg::nombre_activites).sum();
        self.l.arrivees.entry(ej).or_default().push(rang);
        self.l.eg_creees.push(Eg {
            ej,
            categorie,
            commune,
            finess,
            ouverture: self.l.jour,
            fermeture: None,
            secondaire: false,
            activites: par_nature,
            premiere: self.monde.activites + avant,
        });
        Ok(())
    }

    fn activites(&mut self, q: &Quotas) -> Result<(), Error> {
        let choisis = self.eg_libres(q.activites, |m, r| m.egs[r as usize].nombre_activites() > 0);
        let mut ej_touchees = BTreeSet::new();
        for rang in choisis {
            let eg = &self.monde.egs[rang as usize];
            let position = self.prng.borne(u64::from(eg.nombre_activites())) as u32;
            let a = activites::tirer(self.monde, eg, position)?;
            let geste = match (a.capacites.is_some(), a.active) {
                (true, _) if self.prng.chance(700) => GesteActivite::Capacite,
                (_, true) => GesteActivite::Retrait,
                (true, false) => GesteActivite::Capacite,
                (false, false) => continue,
            };
            self.l.activites.insert(rang, (position, geste));
            let attendu = Attendu::nouveau("modifiee", "activites_finess", texte(&eg.finess));
            self.attendre(attendu.champs(&["activites"]));
            if geste == GesteActivite::Retrait {
                ej_touchees.insert(eg.ej);
            }
        }
        for ej in ej_touchees {
            let attendu = Attendu::nouveau("modifiee", "activites_finess", texte(&self.ej(ej).finess));
            self.attendre(attendu.champs(&["activites"]));
        }
        Ok(())
    }

    fn professionnels(&mut self, q: &Quotas) -> Result<(), Error> {
        let total = usize::try_from(self.monde.cibles.professionnels).unwrap_or(0);
        let disparus = choisir(&mut self.prng, total, q.ps_disparus, |_| true);
        for rang in disparus {
            let id = self.annuaire.personne(rang)?.id_nat();
            self.l.ps.insert(rang, GestePs::Disparu);
            self.attendre(Attendu::nouveau("disparue", "professionnel", &id));
            self.attendre(Attendu::nouveau("disparue", "formation", &id));
        }
        let pris = &self.l.ps;
        let choisis = choisir(&mut self.prng, total, q.ps_modifies, |r| !pris.contains_key(&r));
        for rang in choisis {
            let p = self.annuaire.personne(rang)?;
            let tirage = self.prng.borne(100);
            let geste = geste_ps(&p, self.monde, tirage);
            self.l.ps.insert(rang, geste);
            let champs: &[&str] = if geste == GestePs::Nom { &["nom"] } else { &["exercices"] };
            self.attendre(Attendu::nouveau("modifiee", "professionnel", &p.id_nat()).champs(champs));
        }
        self.l.ps_crees = u32::try_from(q.ps_crees).unwrap_or(0);
        for k in 0..self.l.ps_crees {
            let rang = u32::try_from(total).unwrap_or(u32::MAX).saturating_add(k);
            let id = self.annuaire.personne(rang)?.id_nat();
            self.attendre(Attendu::nouveau("creee", "professionnel", &id));
            self.attendre(Attendu::nouveau("creee", "formation", &id));
        }
        Ok(())
    }
}

fn en_usize(plage: &std::ops::Range<u32>) -> std::ops::Range<usize> {
    plage.start as usize..plage.end as usize
}
