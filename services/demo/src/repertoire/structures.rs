//! Legal entities, sites with their prices, internal organisations.

use ror_domaine::liaisons::TRE_STATUT_JURIDIQUE;
use ror_proto::{
    common::v1::Code,
    structures::v1::{
        EntiteGeographique, EntiteJuridique, OrganisationInterne, Structure, Tarif, structure::Ressource as R,
    },
};

use super::codes::{Dates, adresse, code, contact, position, telecom};
use super::{Atelier, Fiche, Ressource, Site, region};
use crate::contacts;
use crate::dates::{AUJOURD_HUI, date};
use crate::error::Error;
use crate::ids;
use crate::national::monde::{Cloture, Ej, texte};
use crate::nos::{R66, R202, R207, R228, R237, R240, R241, R242, R246, R250, R264, R284, R286};
use crate::offres::POLES;
use crate::organisations::usuel;
use crate::prng::Prng;

/// Categories whose prices are published: EHPAD and its kind.
const A_TARIFS: [&str; 3] = ["500", "501", "502"];

fn fiche(dates: Dates, r: R) -> Fiche {
    dates.fiche(Ressource::Structure(Structure { ressource: Some(r) }))
}

/// Day and kind of a closure; both empty when open.
fn fermeture(cloture: Option<&Cloture>) -> (String, Option<Code>) {
    match cloture {
        Some(c) => (date(c.jour), code(R286, if c.code == "002" { "CHP" } else { "DEF" })),
        None => (String::new(), None),
    }
}

impl Atelier<'_> {
    pub(super) fn entite_juridique(&self, rang: u32, ej: &Ej) -> Result<Fiche, Error> {
        let monde = self.monde;
        let mut prng = Prng::numerote(self.graine, "ej-repertoire", u64::from(rang));
        let commune = monde.donnees.commune(ej.commune)?;
        let t = monde.texte_ej(rang, ej);
        let finess = texte(&ej.finess);
        let dates = Dates::tirer(&mut prng);
        let (date_fermeture, type_fermeture) = fermeture(ej.fermeture.as_ref());
        let e = EntiteJuridique {
            meta: Some(dates.meta(ids::id_ej(finess), region(commune))),
            id_nat_struct: format!("1{finess}"),
            num_finess: finess.to_owned(),
            num_siren: t.siren.unwrap_or_default(),
            raison_sociale: t.nom,
            statut_juridique: Some(Code {
                systeme: TRE_STATUT_JURIDIQUE.to_owned(),
                code: t.statut.to_owned(),
            }),
            date_creation: date(ej.creation),
            date_fermeture,
            type_fermeture,
            adresse: Some(adresse(&t.voie, commune)),
            commune_cog: commune.insee.to_owned(),
            telecommunications: t.telephone.iter().map(|n| telecom("2", n, "", "1")).collect(),
            ..EntiteJuridique::default()
        };
        Ok(fiche(dates, R::EntiteJuridique(e)))
    }

    pub(super) fn entite_geographique(&self, s: &Site<'_>, prng: &mut Prng) -> Fiche {
        let (c, t) = (s.categorie, &s.texte);
        let dates = Dates::tirer(prng);
        let hospitalier = matches!(c.famille, "SAN" | "PSY");
        let social = matches!(c.famille, "PA" | "PH");
        let (date_fermeture, type_fermeture) = fermeture(s.eg.fermeture.as_ref());
        let mut e = EntiteGeographique {
            meta: Some(dates.meta(s.id.clone(), s.region)),
            entite_juridique_id: s.ej_id.clone(),
            id_nat_struct: format!("1{}", s.finess),
            num_finess: s.finess.to_owned(),
            num_siren: t.siret.as_deref().and_then(|n| n.get(..9)).unwrap_or_default().to_owned(),
            num_siret: t.siret.clone().unwrap_or_default(),
            denomination: t.nom.clone(),
            categorie: code(R66, c.code),
            date_ouverture: date(s.eg.ouverture),
            date_fermeture,
            type_fermeture,
            adresse: Some(adresse(&t.voie, s.commune)),
            commune_cog: s.commune.insee.to_owned(),
            position: t.place.map(|p| position(p, true)),
            telecommunications: t.telephone.iter().map(|n| telecom("2", n, "", "1")).collect(),
            ..EntiteGeographique::default()
        };
        // What the ROR adds to FINESS, where somebody entered it.
        if s.eg.fermeture.is_none() && prng.chance(600) {
            e.nom_operationnel = format!("{} ({})", usuel(&t.nom), s.commune.nom);
            e.accessibilite = code(R202, prng.mot(&["1", "1", "1", "3", "5"]));
            e.zone_poser = hospitalier.then(|| prng.chance(200));
            e.niveau_recours_orsan = code(R284, prng.mot(&["1", "4"])).filter(|_| hospitalier);
            e.aides_financieres = code(R241, "02").filter(|_| social).into_iter().collect();
            e.nb_place_aide_sociale_permanent = social.then(|| prng.entre(0, 40) as u32);
            let tous = contacts::structure(prng, hospitalier, s.region);
            e.contacts = tous.iter().map(contact).collect();
        }
        if s.eg.fermeture.is_none() && A_TARIFS.contains(&c.code) {
            e.tarifs = tarifs(prng);
        }
        fiche(dates, R::EntiteGeographique(e))
    }

    /// The internal organisations of a site; ids of those that carry offers.
    pub(super) fn organisations(
        &self,
        s: &Site<'_>,
        modeles: &[usize],
        prng: &mut Prng,
        fiches: &mut Vec<Fiche>,
    ) -> Vec<String> {
        let nombre = self.plan.ois[s.rang] as usize;
        let poles = if nombre >= 4 { (nombre / 6).max(1) } else { 0 };
        let mut services = Vec::with_capacity(nombre - poles);
        for k in 0..nombre {
            let (genre, nom) = if k < poles {
                ("1", format!("Pôle {}", POLES[(s.rang + k) % POLES.len()]))
            } else {
                let g = &self.modeles.gabarits[modeles[(k - poles) * modeles.len() / (nombre - poles)]];
                let unite = nombre - poles > modeles.len() && k % 2 == 1;
                if unite { ("3", format!("UF {}", g.nom)) } else { ("2", format!("Service {}", g.nom)) }
            };
            let numero = 600_001 + u64::from(self.plan.premiere_oi[s.rang]) + k as u64;
            let identifiant = format!("{}/{numero}", s.region);
            let id = ids::id_oi(&identifiant);
            let dates = Dates::tirer(prng);
            let ferme = k < poles && prng.chance(20);
            let o = OrganisationInterne {
                meta: Some(dates.meta(id.clone(), s.region)),
                entite_geographique_id: s.id.clone(),
                identifiant,
                nom,
                r#type: code(R207, genre),
                date_ouverture: date(s.eg.ouverture + 1 + prng.borne(300) as i64),
                date_fermeture: if ferme { date(AUJOURD_HUI - 30) } else { String::new() },
                type_fermeture: code(R286, "PRO").filter(|_| ferme),
                ..OrganisationInterne::default()
            };
            fiches.push(fiche(dates, R::OrganisationInterne(o)));
            if k >= poles {
                services.push(id);
            }
        }
        services
    }
}

/// Prices of an EHPAD: accommodation, then dependency by GIR.
fn tarifs(prng: &mut Prng) -> Vec<Tarif> {
    let debut = prng.mot(&["2024-01-01", "2025-01-01", "2026-01-01", "2026-01-01", "2026-04-01"]);
    let socle = prng.entre(5_500, 9_800);
    let mut habitations = vec!["02"];
    habitations.extend(["01", "03"].into_iter().filter(|_| prng.chance(250)));
    let mut tous = Vec::new();
    for (k, habitation) in (0_u64..).zip(habitations) {
        tous.push(Tarif {
            moins_60_ans: Some(false),
            prestations_incluses: ["01", "08"]
                .into_iter()
                .filter(|_| prng.chance(600))
                .filter_map(|p| code(R264, p))
                .collect(),
            type_habitation: code(R242, habitation),
            condition_tarifaire: code(R250, prng.mot(&["01", "01", "01", "03"])),
            temporalite_accueil: code(R240, "02"),
            ..tarif("02", socle + 400 * k, debut)
        });
    }
    let gir12 = prng.entre(1_900, 2_400);
    for (niveau, montant) in [("01", gir12), ("02", gir12 * 63 / 100), ("03", gir12 * 27 / 100)] {
        tous.push(Tarif {
            groupe_dependance: code(R237, niveau),
            temporalite_accueil: code(R240, "02"),
            ..tarif("03", montant, debut)
        });
    }
    tous
}

/// Common parts of a daily price.
fn tarif(genre: &str, centimes: u64, debut: &str) -> Tarif {
    Tarif {
        r#type: code(R246, genre),
        unite_prix: code(R228, "2"),
        montant_centimes: i64::try_from(centimes).unwrap_or(i64::MAX),
        devise: "EUR".to_owned(),
        date_debut_validite: debut.to_owned(),
        ..Tarif::default()
    }
}
