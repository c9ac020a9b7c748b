//! The operational offers of a site.

use ror_proto::{
    common::v1::{Code, DivisionTerritoriale, Horaire, Quantite, Telecommunication},
    offers::v1::{Offer, OffreOperationnelle, offer::Ressource as R},
};

use super::codes::{Dates, code, contact, quantite, telecom};
use super::lieux::Place;
use super::{Atelier, Fiche, Ressource, Site};
use crate::contacts;
use crate::dates::{AUJOURD_HUI, date};
use crate::donnees::Gabarit;
use crate::ids;
use crate::nos::{
    R13, R201, R210, R211, R213, R227, R236, R239, R240, R243, R244, R245, R252, R253, R265, R266, R286,
    R338, R344, R356,
};
use crate::offres::quantile;
use crate::prng::Prng;

/// What people write of an offer, for the full text.
const COMMENTAIRES: [&str; 8] = [
    "Consultations sur rendez-vous, délai moyen de trois semaines.",
    "Avis téléphonique possible pour les médecins correspondants, du lundi au vendredi.",
    "Admission sur dossier, après commission d'orientation.",
    "Accueil des aidants et visite préalable possibles.",
    "Prise en charge pluridisciplinaire : kinésithérapie, orthophonie, ergothérapie.",
    "Accès direct par le service des urgences, filière courte.",
    "Intervention à domicile sept jours sur sept, astreinte infirmière la nuit.",
    "Unité renforcée, chambres individuelles, jardin thérapeutique.",
];

/// An offer that was written, as its roles need it.
pub(super) struct Projet<'a> {
    /// `<region>/<number>`.
    pub identifiant: String,
    /// Technical id.
    pub id: String,
    /// Its template.
    pub modele: &'a Gabarit,
    /// Display name.
    pub nom: String,
    /// Number of its site, from 0.
    pub rang: usize,
    /// uniteSensible.
    pub sensible: bool,
}

impl<'a> Atelier<'a> {
    /// Writes the offers of a site, each after its places.
    pub(super) fn offres(
        &self,
        s: &Site<'_>,
        modeles: &[usize],
        services: &[String],
        prng: &mut Prng,
        fiches: &mut Vec<Fiche>,
    ) -> Vec<Projet<'a>> {
        let capacites = self.capacites(modeles, prng);
        let mut projets = Vec::with_capacity(modeles.len());
        let mut partage: Option<String> = None;
        for (rang, (i, capacite)) in modeles.iter().zip(capacites).enumerate() {
            let modele = &self.modeles.gabarits[*i];
            let numero = 1_000_001 + u64::from(self.plan.premiere_offre[s.rang]) + rang as u64;
            let identifiant = format!("{}/{numero}", s.region);
            let deja = modeles[..rang].iter().filter(|autre| *autre == i).count();
            let nom = if deja == 0 {
                modele.nom.to_owned()
            } else {
                format!("{} - unité {}", modele.nom, deja + 1)
            };
            let sensible = modele.champ != "05" && prng.chance(23);
            let id = ids::id_offre(&identifiant);
            let p = Projet { identifiant, id, modele, nom, rang, sensible };
            let lieux = match partage.clone().filter(|_| capacite == 0 && prng.chance(130)) {
                Some(commun) => vec![commun],
                None => self.lieux_de(s, &p, capacite, prng, fiches),
            };
            if capacite == 0 {
                partage = lieux.first().cloned();
            }
            let service = services.get(rang * services.len() / modeles.len()).filter(|_| prng.chance(850));
            let offre = self.offre(s, &p, service.unwrap_or(&s.id), lieux, prng);
            fiches.push(offre);
            projets.push(p);
        }
        projets
    }

    /// The places of an offer: one, for some two or three.
    fn lieux_de(
        &self,
        s: &Site<'_>,
        p: &Projet<'_>,
        capacite: u64,
        prng: &mut Prng,
        fiches: &mut Vec<Fiche>,
    ) -> Vec<String> {
        let nombre = if prng.chance(910) { 1 } else { prng.entre(2, 3) };
        let parts = (0..nombre).map(|rang| Place { rang, capacite: capacite.div_ceil(rang + 1) });
        parts.map(|place| self.lieu(s, p, &place, prng, fiches)).collect()
    }

    /// Beds or places of each offer: one draw per discipline of the site, shared between its units.
    fn capacites(&self, modeles: &[usize], prng: &mut Prng) -> Vec<u64> {
        let gabarits: Vec<&Gabarit> = modeles.iter().map(|i| &self.modeles.gabarits[*i]).collect();
        let mut sites: Vec<(&str, u64)> = Vec::new();
        let mut resultat = Vec::with_capacity(modeles.len());
        for g in &gabarits {
            if g.nature == "-" {
                resultat.push(0);
                continue;
            }
            let connu = sites.iter().find(|s| s.0 == g.discipline).map(|s| s.1);
            let total = match connu {
                Some(total) => total,
                None => {
                    let total = quantile(self.modeles, g.discipline, prng);
                    sites.push((g.discipline, total));
                    total
                }
            };
            let unites = gabarits.iter().filter(|autre| autre.discipline == g.discipline).count() as u64;
            resultat.push((total / unites.max(1)).clamp(2, 160));
        }
        resultat
    }

    fn offre(
        &self,
        s: &Site<'_>,
        p: &Projet<'_>,
        porteur: &str,
        lieux: Vec<String>,
        prng: &mut Prng,
    ) -> Fiche {
        let g = p.modele;
        let dates = Dates::tirer(prng);
        let mut meta = dates.meta(p.id.clone(), s.region);
        if prng.chance(150) {
            meta.commentaire = prng.mot(&COMMENTAIRES).to_owned();
        }
        let fermee = !p.sensible && prng.chance(12);
        let provisoire = fermee && prng.chance(700);
        let depuis = prng.entre(5, 60) as i64;
        let (age_min, age_max) = ages(g);
        let secteur = |prng: &mut Prng| format!("{}G{:02}", s.commune.departement(), prng.entre(1, 20));
        let o = OffreOperationnelle {
            meta: Some(meta),
            identifiant: p.identifiant.clone(),
            porteur_id: porteur.to_owned(),
            nom: p.nom.clone(),
            type_offre: code(R244, g.type_offre),
            champ_activite: code(R227, g.champ),
            mode_prise_en_charge: code(R213, g.mode),
            activites_operationnelles: self.activites(g, prng),
            famille_activite: code(if g.famille.len() == 3 { R265 } else { R266 }, g.famille),
            temporalite_accueil: code(R240, g.temporalite),
            modalites_accueil: trait_de(g, "acc", R338, 900, prng),
            modes_gestion: trait_de(g, "ges", R236, 1000, prng),
            unite_sensible: p.sensible,
            actes_specifiques: trait_de(g, "acte", R210, 600, prng),
            specialisations: trait_de(g, "esp", R245, 800, prng),
            habilitation_soins_sans_consentement: g.a("nsc").then(|| prng.chance(400)),
            zones_intervention: if g.a("zone") { self.zones(s, prng) } else { Vec::new() },
            secteurs_psychiatriques: (g.a("sec") && prng.chance(700))
                .then(|| secteur(prng))
                .into_iter()
                .collect(),
            professions_ressources: trait_de(g, "res", R356, 700, prng),
            competences_specifiques: trait_de(g, "comp", R243, 600, prng),
            niveaux_expertise: expertise(g, prng),
            type_fermeture: code(R286, if provisoire { "PRO" } else { "DEF" }).filter(|_| fermee),
            date_fermeture: if fermee { date(AUJOURD_HUI - depuis) } else { String::new() },
            date_previsionnelle_reouverture: if provisoire {
                date(AUJOURD_HUI + depuis + 10)
            } else {
                String::new()
            },
            publics: uniques(g.publics.iter().copied()).filter_map(|c| code(R239, c)).collect(),
            age_min,
            age_max,
            horaires: horaires(g, prng),
            contacts: contacts::offre(prng, g.champ, p.sensible, s.region).iter().map(contact).collect(),
            telecommunications: messagerie(p, prng),
            lieux_ids: lieux,
            ..OffreOperationnelle::default()
        };
        dates.fiche(Ressource::Offre(Offer { ressource: Some(R::Offre(o)) }))
    }

    /// The activity of the template, for a few another one of its group too.
    fn activites(&self, g: &Gabarit, prng: &mut Prng) -> Vec<Code> {
        let mut activites = vec![g.activite];
        if prng.chance(60) {
            let voisins: Vec<&Gabarit> =
                self.modeles.gabarits.iter().filter(|a| a.groupe == g.groupe).collect();
            activites.push(voisins[prng.indice(voisins.len())].activite);
        }
        uniques(activites.into_iter()).filter_map(|c| code(R211, c)).collect()
    }

    /// Communes served: that of the site and others of its département, for a few many more.
    fn zones(&self, s: &Site<'_>, prng: &mut Prng) -> Vec<DivisionTerritoriale> {
        let toutes = &self.monde.donnees.communes;
        let departement = s.commune.departement();
        let debut = toutes.partition_point(|c| c.departement() < departement);
        let fin = toutes.partition_point(|c| c.departement() <= departement);
        let nombre = if prng.chance(40) { prng.entre(20, 60) } else { prng.entre(3, 8) };
        let mut communes = vec![s.commune.insee];
        for _ in 0..nombre {
            let insee = toutes[debut + prng.indice(fin - debut)].insee;
            if !communes.contains(&insee) {
                communes.push(insee);
            }
        }
        let division = |insee| DivisionTerritoriale { r#type: code(R201, "3"), code: code(R13, insee) };
        communes.into_iter().map(division).collect()
    }
}

/// Each once, in the order given.
fn uniques<'c>(codes: impl Iterator<Item = &'c str>) -> impl Iterator<Item = &'c str> {
    let mut vus: Vec<&'c str> = Vec::new();
    codes.filter(move |c| {
        let neuf = !vus.contains(c);
        vus.push(*c);
        neuf
    })
}

/// Codes of a trait, each stated by a share of the offers.
fn trait_de(g: &Gabarit, cle: &str, systeme: &str, part: u64, prng: &mut Prng) -> Vec<Code> {
    let retenus = uniques(g.valeurs(cle).iter().copied()).filter(|_| prng.chance(part));
    retenus.filter_map(|c| code(systeme, c)).collect()
}

fn expertise(g: &Gabarit, prng: &mut Prng) -> Vec<Code> {
    let mut niveaux = trait_de(g, "exp", R344, 250, prng);
    if g.a("mat") {
        niveaux.extend(code(R253, prng.mot(&["01", "01", "02", "03", "04"])));
    }
    niveaux
}

/// Bounds in years; in months where years would say nothing.
fn ages(g: &Gabarit) -> (Option<Quantite>, Option<Quantite>) {
    if g.age_max <= 2 {
        return (Some(quantite(12 * g.age_min, "mo")), Some(quantite(12 * g.age_max, "mo")));
    }
    (Some(quantite(g.age_min, "a")), Some(quantite(g.age_max, "a")))
}

/// Secure mail box of the offer.
fn messagerie(p: &Projet<'_>, prng: &mut Prng) -> Vec<Telecommunication> {
    if !prng.chance(450) {
        return Vec::new();
    }
    let adresse = format!("offre-{}@mss.exemple.invalid", p.identifiant.replace('/', "-"));
    vec![telecom("3", &adresse, "MSSanté", if p.sensible { "3" } else { "1" })]
}

fn horaires(g: &Gabarit, prng: &mut Prng) -> Vec<Horaire> {
    let horaire = |genre: &str, jour: u32, debut: &str, fin: &str| Horaire {
        r#type: code(R252, genre),
        jour_semaine: jour,
        heure_debut: debut.to_owned(),
        heure_fin: fin.to_owned(),
        ..Horaire::default()
    };
    match g.mode {
        "28" | "46" | "13" | "30" => Vec::new(),
        "33" | "59" => (1..=7).map(|jour| horaire("02", jour, "00:00:00", "23:59:00")).collect(),
        _ => {
            let genre = match g.champ {
                "05" if g.mode == "56" => "06",
                "05" => "07",
                _ => "01",
            };
            let debut = prng.mot(&["08:00:00", "08:30:00", "09:00:00"]);
            let fin = prng.mot(&["17:00:00", "18:00:00", "19:00:00"]);
            let mut tous: Vec<Horaire> = (1..=5).map(|jour| horaire(genre, jour, debut, fin)).collect();
            if prng.chance(150) {
                tous.push(horaire(genre, 6, debut, "12:00:00"));
            }
            tous
        }
    }
}
