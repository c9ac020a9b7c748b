//! The structures of the country, compact: some tens of bytes each. Their texts are
//! drawn again, always the same, when they are written.

use std::collections::BTreeMap;

use ror_domaine::territoire::departement_de_commune;

use super::Cibles;
use super::donnees::{Donnees, NATURES, Region};
use super::fabrique::{Atelier, PlanRegion};
use crate::cles;
use crate::error::Error;
use crate::monde::{prefixe_juridique, statut};
use crate::noms::{self, Voie};
use crate::prng::{Prng, Tirage, repartir};

/// Activities of one level by nature, in the order of [`NATURES`].
const PAR_NATURE: [u64; NATURES.len()] = [31_463, 6_872, 2_192, 113_420, 45_758, 87_205, 5_895, 68];

/// How a structure closed.
#[derive(Debug, Clone, Copy)]
pub struct Cloture {
    /// Day.
    pub jour: i64,
    /// Code of the event.
    pub code: &'static str,
    /// State of the object in it, unknown for a few.
    pub etat: Option<&'static str>,
}

/// A legal entity.
pub struct Ej {
    /// Index of the region.
    pub region: usize,
    /// Index of the commune.
    pub commune: u16,
    /// Index of the category of its first site.
    pub categorie: usize,
    /// Number, ASCII.
    pub finess: [u8; 9],
    /// Day of creation.
    pub creation: i64,
    /// When closed.
    pub fermeture: Option<Cloture>,
    /// Its sites, in the list of all.
    pub eg: std::ops::Range<u32>,
}

/// A site.
pub struct Eg {
    /// Index of the legal entity.
    pub ej: u32,
    /// Index of the category.
    pub categorie: usize,
    /// Index of the commune.
    pub commune: u16,
    /// Number, ASCII.
    pub finess: [u8; 9],
    /// Opening day.
    pub ouverture: i64,
    /// When closed.
    pub fermeture: Option<Cloture>,
    /// Attached to the first site of its legal entity.
    pub secondaire: bool,
    /// Activities by nature.
    pub activites: [u16; NATURES.len()],
    /// Number of the first of them, over the country.
    pub premiere: u32,
}

impl Eg {
    /// How many activities.
    pub fn nombre_activites(&self) -> u32 {
        self.activites.iter().map(|n| u32::from(*n)).sum()
    }
}

/// A FINESS number as text.
pub fn texte(finess: &[u8; 9]) -> &str {
    std::str::from_utf8(finess).unwrap_or("")
}

/// Gives numbers of the reserved ranges.
#[derive(Clone, Default)]
pub struct Numeros(BTreeMap<&'static str, u64>);

impl Numeros {
    /// The next number registered in the département of a commune.
    pub fn suivant(&mut self, insee: &'static str) -> Result<[u8; 9], Error> {
        let departement = insee.get(..2).unwrap_or("");
        let quatre = match departement_de_commune(insee) {
            Some("971" | "977" | "978") => "9701",
            Some("972") => "9702",
            Some("973") => "9703",
            Some("974") => "9704",
            Some("975") => "9705",
            Some("976") => "9805",
            Some("986") => "9806",
            _ => return en_octets(&cles::finess(departement, self.compter(departement))),
        };
        let rang = self.compter(quatre);
        if rang < 100 {
            return en_octets(&cles::finess_outremer(quatre, rang));
        }
        // The hundred reserved numbers of the territory are used up: 97 and 98 have their own.
        let deux = if quatre.starts_with("97") { "97" } else { "98" };
        en_octets(&cles::finess(deux, self.compter(deux)))
    }

    fn compter(&mut self, prefixe: &'static str) -> u64 {
        let n = self.0.entry(prefixe).or_insert(0);
        *n += 1;
        *n
    }
}

fn en_octets(numero: &str) -> Result<[u8; 9], Error> {
    numero.as_bytes().try_into().map_err(|_| Error::Absent("FINESS number of nine characters"))
}

/// What is told of a legal entity and not kept.
pub struct TexteEj {
    /// SIREN, unknown for some.
    pub siren: Option<String>,
    /// Legal status.
    pub statut: &'static str,
    /// Name.
    pub nom: String,
    /// Address.
    pub voie: Voie,
    /// Telephone, unknown for some.
    pub telephone: Option<String>,
    /// Day of its last change in FINESS.
    pub maj: i64,
}

/// What is told of a site and not kept.
pub struct TexteEg {
    /// SIRET, unknown for some.
    pub siret: Option<String>,
    /// Name.
    pub nom: String,
    /// Tariff mode.
    pub mft: &'static str,
    /// Address.
    pub voie: Voie,
    /// Latitude and longitude in 1e-5 degrees, unknown for a third.
    pub place: Option<(i64, i64)>,
    /// Telephone, unknown for some.
    pub telephone: Option<String>,
    /// Day of its last change in FINESS.
    pub maj: i64,
}

/// All the structures.
pub struct Monde<'a> {
    /// Data files.
    pub donnees: &'a Donnees,
    /// Seed.
    pub graine: u64,
    /// Targets.
    pub cibles: &'a Cibles,
    /// Legal entities, open ones first in each region.
    pub ejs: Vec<Ej>,
    /// Sites, grouped by legal entity, open ones first.
    pub egs: Vec<Eg>,
    /// Numbers given.
    pub numeros: Numeros,
    /// Activities of one level.
    pub activites: u32,
}

impl<'a> Monde<'a> {
    /// Draws the structures.
    pub fn generer(donnees: &'a Donnees, cibles: &'a Cibles, graine: u64) -> Result<Self, Error> {
        let poids = |f: fn(&Region) -> u64| donnees.regions.iter().map(f).collect::<Vec<_>>();
        let ej_ouvertes = repartir(&poids(|r| r.ej), cibles.ej_ouvertes);
        let ej_fermees = repartir(&poids(|r| r.ej), cibles.ej_fermees);
        let eg_ouverts = repartir(&poids(|r| r.eg), cibles.eg_ouverts);
        let eg_fermes = repartir(&poids(|r| r.eg), cibles.eg_fermes);
        let monde = Self {
            donnees,
            graine,
            cibles,
            ejs: Vec::with_capacity(usize::try_from(cibles.ej_ouvertes + cibles.ej_fermees).unwrap_or(0)),
            egs: Vec::with_capacity(usize::try_from(cibles.eg_ouverts + cibles.eg_fermes).unwrap_or(0)),
            numeros: Numeros::default(),
            activites: 0,
        };
        let fermes = Tirage::nouveau(donnees.categories.iter().map(|c| c.fermes));
        let mut atelier = Atelier { monde, prng: Prng::nouveau(graine, "national"), fermes };
        for (i, region) in donnees.regions.iter().enumerate() {
            let plan = PlanRegion {
                ej_ouvertes: ej_ouvertes[i].max(u64::from(eg_ouverts[i] > 0)),
                ej_fermees: ej_fermees[i].max(u64::from(eg_fermes[i] > 0 && eg_ouverts[i] == 0)),
                eg_ouverts: eg_ouverts[i],
                eg_fermes: eg_fermes[i],
            };
            atelier.region(i, region, &plan)?;
        }
        let mut monde = atelier.monde;
        monde.donner_activites();
        Ok(monde)
    }

    /// Shares the activities over the sites, nature by nature; the totals are exact.
    fn donner_activites(&mut self) {
        let parts = repartir(&PAR_NATURE, self.cibles.activites);
        let mut prng = Prng::nouveau(self.graine, "activites");
        for (nature, part) in parts.into_iter().enumerate() {
            let poids: Vec<u64> = self
                .egs
                .iter()
                .map(|eg| {
                    let c = &self.donnees.categories[eg.categorie];
                    poids_activite(nature, c.famille, c.code) * prng.entre(50, 150)
                })
                .collect();
            for (eg, n) in self.egs.iter_mut().zip(repartir(&poids, part)) {
                eg.activites[nature] = u16::try_from(n).unwrap_or(u16::MAX);
            }
        }
        for eg in &mut self.egs {
            eg.premiere = self.activites;
            self.activites += eg.nombre_activites();
        }
    }

    /// What is told of the legal entity of that rank.
    pub fn texte_ej(&self, rang: u32, ej: &Ej) -> TexteEj {
        let mut prng = Prng::numerote(self.graine, "ej", u64::from(rang));
        let categorie = &self.donnees.categories[ej.categorie];
        let region = self.donnees.regions[ej.region].code;
        let statut = statut(categorie.code, categorie.famille, &mut prng);
        TexteEj {
            siren: prng.chance(833).then(|| cles::siren(u64::from(rang) + 1)),
            statut,
            nom: format!("{} {}", prefixe_juridique(statut), noms::maison(&mut prng)),
            voie: noms::voie(&mut prng),
            telephone: prng.chance(880).then(|| noms::telephone_zone(&mut prng, region)),
            maj: 20_000 + prng.borne(700) as i64,
        }
    }

    /// What is told of the site of that rank.
    pub fn texte_eg(&self, rang: u32, eg: &Eg, region: usize) -> Result<TexteEg, Error> {
        let mut prng = Prng::numerote(self.graine, "eg", u64::from(rang));
        let categorie = &self.donnees.categories[eg.categorie];
        let commune = self.donnees.commune(eg.commune)?;
        let siren = cles::siren(u64::from(eg.ej) + 1);
        let siret = prng.chance(1000 - self.cibles.sans_siret).then(|| cles::siret(&siren, u64::from(rang)));
        let maison = noms::maison(&mut prng);
        let voie = noms::voie(&mut prng);
        let (lat, lon) =
            (commune.lat + prng.borne(1401) as i64 - 700, commune.lon + prng.borne(1401) as i64 - 700);
        Ok(TexteEg {
            siret,
            nom: noms::tronquer(&format!("{} {maison}", categorie.prefixe), 80),
            mft: categorie.mft,
            voie,
            place: prng.chance(1000 - self.cibles.sans_coordonnees).then_some((lat, lon)),
            telephone: prng
                .chance(880)
                .then(|| noms::telephone_zone(&mut prng, self.donnees.regions[region].code)),
            maj: 20_000 + prng.borne(700) as i64,
        })
    }
}

/// Weight of a site for a nature of activity.
fn poids_activite(nature: usize, famille: &str, categorie: &str) -> u64 {
    let taille = match categorie {
        "101" => 6,
        "355" | "365" => 3,
        _ => 1,
    };
    match (NATURES[nature], famille) {
        ("AMM", "SAN") => 10 * taille,
        ("AMM", "PSY") => 2,
        ("AMM", "LBM") | ("AASA" | "EML", "SAN") | ("ASDR", "VIL") | ("AER", "DIV") => 1,
        ("AMF", "SAN") => 3 * taille,
        ("ASMR", "PA" | "PH") => 3,
        ("ASMR", "ENF" | "DOM") => 4,
        ("ASOCR", "SOC") => 5,
        ("ASDR", "SAN") => 12 * taille,
        ("ASDR", "PSY") => 8,
        _ => 0,
    }
}
