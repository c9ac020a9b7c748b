//! The places of an offer, their equipment, and the capacities of a part of them.

use ror_proto::{
    capacity::v1::{CapaciteLieu, Capacity, CleIndicateur, EnregistrementCapacite, capacity},
    offers::v1::{Equipement, Habitation, LieuRealisation, Limite, Offer, offer::Ressource as R},
};

use super::codes::{Dates, adresse, code, position, quantite, telecom};
use super::offres::Projet;
use super::{Atelier, Fiche, Ressource, Site};
use crate::capacites::{self, Capacite, Zone};
use crate::donnees::Gabarit;
use crate::ids;
use crate::lieux::limite;
use crate::noms;
use crate::nos::{R203, R212, R242, R340, R343};
use crate::prng::Prng;

/// What people write of a place, for the full text.
const DESCRIPTIONS: [&str; 6] = [
    "Bâtiment principal, accueil au rez-de-chaussée.",
    "Pavillon au fond du parc, accès par la rue des Écoles.",
    "Deuxième étage, ascenseurs B et C.",
    "Plateau technique, entrée ambulances côté nord.",
    "Maison de quartier, permanence deux jours par semaine.",
    "Site rénové, stationnement gratuit pour les visiteurs.",
];

/// A place about to be written.
pub(super) struct Place {
    /// Number among those of its offer.
    pub rang: u64,
    /// Beds or places; none when 0.
    pub capacite: u64,
}

impl Atelier<'_> {
    /// Writes a place, and its capacities when they are told; its id.
    pub(super) fn lieu(
        &self,
        s: &Site<'_>,
        p: &Projet<'_>,
        place: &Place,
        prng: &mut Prng,
        fiches: &mut Vec<Fiche>,
    ) -> String {
        let g = p.modele;
        let suffixe = if place.rang == 0 { String::new() } else { format!("-{}", place.rang + 1) };
        let identifiant = format!("{}L{suffixe}", p.identifiant);
        let id = ids::id_lieu(&identifiant);
        let dates = Dates::tirer(prng);
        let zone = format!("UF{:04}{suffixe}", 1001 + p.rang);
        let ferme = prng.chance(12);
        let annexe = if place.rang == 0 { String::new() } else { format!(" - bâtiment {}", place.rang + 1) };
        let mut l = LieuRealisation {
            meta: Some(dates.meta(id.clone(), s.region)),
            identifiant,
            nom: format!("{} - {}{annexe}", p.nom, s.texte.nom),
            description: if prng.chance(200) { prng.mot(&DESCRIPTIONS).to_owned() } else { String::new() },
            fonction: code(R343, "001").filter(|_| matches!(g.mode, "28" | "46" | "13")),
            statut: code(R203, if ferme { "2" } else { "3" }),
            status: if ferme { "suspended" } else { "active" }.to_owned(),
            commune_cog: s.commune.insee.to_owned(),
            adresse: Some(adresse(&s.texte.voie, s.commune)),
            equipements: equipements(g, prng),
            habitations: habitations(g, place.capacite, prng),
            ..LieuRealisation::default()
        };
        if prng.chance(970) {
            let mut ecart = || prng.borne(61) as i64 - 30;
            let (lat, lon) = (s.place.0 + ecart(), s.place.1 + ecart());
            l.position = Some(position((lat, lon), s.texte.place.is_some()));
        }
        if prng.chance(400) {
            let niveau = if p.sensible { "3" } else { prng.mot(&["1", "1", "1", "2", "2", "3"]) };
            l.telecommunications =
                vec![telecom("2", &noms::telephone_zone(prng, s.region), "Ligne du service", niveau)];
        }
        if place.capacite > 0 {
            l.id_externe_synchro = format!("1{}/{zone}", s.finess);
            l.nom_externe_synchro = format!("{} {zone}", p.nom);
        }
        fiches.push(dates.fiche(Ressource::Offre(Offer { ressource: Some(R::Lieu(l)) })));
        if place.capacite > 0 && prng.chance(self.plan.capacites) {
            fiches.push(capacite(&id, s.region, g, place.capacite, prng));
        }
        id
    }
}

/// The capacity records of a place.
fn capacite(lieu: &str, region: &str, g: &Gabarit, installe: u64, prng: &mut Prng) -> Fiche {
    let zone = Zone { nature: g.nature, champ: g.champ, installe, reference: false };
    let dates = Dates::recentes(prng);
    let nature = if g.nature == "L" { "01" } else { "02" };
    let source = match g.champ {
        "04" => "01",
        _ if prng.chance(700) => "02",
        _ => prng.mot(&["01", "03", "04"]),
    };
    let mut enregistrements: Vec<EnregistrementCapacite> = capacites::tirer(&zone, prng)
        .iter()
        .map(|c| EnregistrementCapacite {
            cle: Some(cle(c)),
            nature: nature.to_owned(),
            nombre: u32::try_from(c.nombre).unwrap_or(9999).min(9999),
            source: source.to_owned(),
            date_maj: Some(dates.maj()),
            commentaire: String::new(),
        })
        .collect();
    // In the order of their keys, as the service keeps them.
    enregistrements.sort_by_cached_key(|e| {
        e.cle.clone().map(|c| {
            [
                c.statut,
                c.temporalite,
                c.genre,
                c.type_fermeture,
                c.type_lit_supplementaire,
                c.type_crise,
                c.affectation_temporaire,
            ]
        })
    });
    let lieu = CapaciteLieu {
        meta: Some(dates.meta(lieu.to_owned(), region)),
        enregistrements,
        ..Default::default()
    };
    dates.fiche(Ressource::Capacite(Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(lieu)) }))
}

fn cle(c: &Capacite) -> CleIndicateur {
    CleIndicateur {
        statut: c.statut.to_owned(),
        temporalite: c.temporalite.to_owned(),
        genre: c.genre.to_owned(),
        type_fermeture: c.fermeture.to_owned(),
        type_lit_supplementaire: c.supplement.to_owned(),
        type_crise: c.crise.to_owned(),
        affectation_temporaire: "01".to_owned(),
    }
}

fn equipements(g: &Gabarit, prng: &mut Prng) -> Vec<Equipement> {
    let mut tous = Vec::new();
    for type_equipement in g.valeurs("equ") {
        if !prng.chance(550) {
            continue;
        }
        let limites = limite(type_equipement).map(|(caracteristique, valeur, unite)| Limite {
            r#type: code(R340, caracteristique),
            valeur: Some(quantite(valeur - 10 * prng.borne(7), unite)),
        });
        tous.push(Equipement {
            r#type: code(R212, type_equipement),
            nombre_en_service: Some(prng.entre(1, 4) as u32),
            limites: limites.into_iter().collect(),
        });
    }
    tous
}

/// Rooms (trait 1) or flats (trait 2) of the places where people live.
fn habitations(g: &Gabarit, capacite: u64, prng: &mut Prng) -> Vec<Habitation> {
    let types: [&str; 2] = match g.valeurs("hab").first() {
        Some(&"1") => ["02", "01"],
        Some(&"2") => ["03", "05"],
        _ => return Vec::new(),
    };
    let autres = capacite * prng.borne(16) / 100;
    let comptes = types.into_iter().zip([capacite - autres, autres / 2]).filter(|(_, n)| *n > 0);
    comptes.map(|(t, n)| Habitation { r#type: code(R242, t), nombre: Some(n as u32) }).collect()
}
