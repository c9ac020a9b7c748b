//! Addresses and coordinates.

use ror_domaine::territoire::departement_de_commune;
use ror_proto::common::v1::{Adresse, Position};

use super::super::json::{Carnet, Vue};

const ADRESSE: &[&str] = &[
    "usageAdresse",
    "numeroVoie",
    "typeVoie",
    "libelleVoie",
    "complementVoie",
    "complementPointGeographique",
    "lieuDit",
    "cogCommune",
    "ligneAcheminement",
    "ligneUne",
    "ligneDeux",
    "ligneTrois",
    "ligneQuatre",
    "ligneCinq",
    "ligneSix",
    "codePostal",
    "coordonneesGeographique",
];

const COORDONNEES: &[&str] =
    &["coordonneeX", "coordonneeY", "directionLatitude", "directionLongitude", "cleInInteropBAN", "scoreBAN"];

/// Whose address it is; the rules of legal entities are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Porteur {
    /// A legal entity.
    Ej,
    /// A site.
    Eg,
}

impl Porteur {
    fn usage(self) -> &'static str {
        match self {
            Self::Ej => "02",
            Self::Eg => "03",
        }
    }

    fn regle(self, eg: &'static str, ej: &'static str) -> &'static str {
        match self {
            Self::Ej => ej,
            Self::Eg => eg,
        }
    }
}

/// The addresses of a structure, reduced to the main one.
#[derive(Debug, Default)]
pub(super) struct Adresses {
    /// How many there are.
    pub(super) nombre: u64,
    /// How many have no coordinates.
    pub(super) sans_coordonnees: u64,
    /// The main one.
    pub(super) principale: Option<Adresse>,
    /// Its commune.
    pub(super) commune: String,
    /// Its position.
    pub(super) position: Option<Position>,
}

/// Reads the addresses of a structure and keeps the main one.
pub(super) fn lire_adresses(vue: &Vue<'_>, porteur: Porteur, carnet: &mut Carnet) -> Adresses {
    let mut lues = Adresses::default();
    let mut positions = Vec::new();
    let adresses = vue.vues("adresse", ADRESSE, carnet);
    let mut principale = None;
    for (rang, adresse) in adresses.iter().enumerate() {
        lues.nombre += 1;
        if principale.is_none() && adresse.texte_vu("usageAdresse", carnet) == porteur.usage() {
            principale = Some(rang);
        }
        noter_type_voie(adresse, porteur, carnet);
        let coordonnees = lire_coordonnees(adresse, porteur, carnet);
        if coordonnees.absentes {
            lues.sans_coordonnees += 1;
        }
        positions.push(coordonnees.position);
    }
    if porteur == Porteur::Eg && !adresses.is_empty() {
        match principale {
            None => carnet.constater("adresse-principale-absente"),
            Some(0) => {}
            Some(_) => carnet.constater("adresse-principale-non-premiere"),
        }
    }
    let rang = principale.unwrap_or(0);
    let Some(adresse) = adresses.get(rang) else {
        carnet.constater("adresse-absente");
        return lues;
    };
    lues.commune = adresse.texte("cogCommune", carnet);
    if lues.commune.is_empty() {
        carnet.constater("commune-absente");
    }
    lues.position = positions.into_iter().nth(rang).flatten();
    lues.principale = Some(lire_adresse(adresse, carnet));
    lues
}

fn noter_type_voie(adresse: &Vue<'_>, porteur: Porteur, carnet: &mut Carnet) {
    let brut = adresse.texte_brut("typeVoie", carnet);
    if brut.trim().len() != brut.len() {
        carnet.constater(porteur.regle("type-voie-rembourre", "type-voie-rembourre-ej"));
    }
}

/// The parts as they are: no repair of the wording.
fn lire_adresse(adresse: &Vue<'_>, carnet: &mut Carnet) -> Adresse {
    Adresse {
        point_remise: adresse.texte("ligneDeux", carnet),
        complement_point_geographique: adresse.texte("complementPointGeographique", carnet),
        numero_voie: adresse.texte("numeroVoie", carnet),
        extension: adresse.texte("complementVoie", carnet),
        type_voie: adresse.texte_brut("typeVoie", carnet).trim().to_owned(),
        libelle_voie: adresse.texte("libelleVoie", carnet),
        lieu_dit: adresse.texte("lieuDit", carnet),
        mention_distribution: adresse.texte("ligneCinq", carnet),
        code_postal: adresse.texte("codePostal", carnet),
        localite: adresse.texte("ligneAcheminement", carnet),
    }
}

#[derive(Debug, Default)]
struct Coordonnees {
    absentes: bool,
    position: Option<Position>,
}

/// A pair (longitude, latitude): absent, unreadable, or two numbers.
enum Paire {
    Absente,
    Illisible,
    Lue(f64, f64),
}

fn lire_paire(vue: &Vue<'_>, longitude: &str, latitude: &str, carnet: &mut Carnet) -> Paire {
    let longitude = vue.texte_vu(longitude, carnet);
    let latitude = vue.texte_vu(latitude, carnet);
    if longitude.is_empty() || latitude.is_empty() {
        return Paire::Absente;
    }
    match (longitude.parse::<f64>(), latitude.parse::<f64>()) {
        (Ok(longitude), Ok(latitude)) if longitude.is_finite() && latitude.is_finite() => {
            Paire::Lue(longitude, latitude)
        }
        _ => Paire::Illisible,
    }
}

fn en_degres(paire: &Paire) -> Option<(f64, f64)> {
    match paire {
        Paire::Lue(longitude, latitude) if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 => {
            Some((*longitude, *latitude))
        }
        Paire::Absente | Paire::Illisible | Paire::Lue(..) => None,
    }
}

/// `coordonneeX/Y` should hold degrees and `directionLongitude/Latitude` metres;
/// the range says when they are swapped.
fn lire_coordonnees(adresse: &Vue<'_>, porteur: Porteur, carnet: &mut Carnet) -> Coordonnees {
    let vue = adresse.sous("coordonneesGeographique", COORDONNEES, carnet);
    let premiere = lire_paire(&vue, "coordonneeX", "coordonneeY", carnet);
    let seconde = lire_paire(&vue, "directionLongitude", "directionLatitude", carnet);
    let (longitude, latitude) = match (en_degres(&premiere), en_degres(&seconde)) {
        (Some(degres), _) => degres,
        (None, Some(degres)) => {
            carnet.constater(porteur.regle("coordonnees-permutees", "coordonnees-permutees-ej"));
            degres
        }
        (None, None) => {
            let (eg, ej, absentes) = match (&premiere, &seconde) {
                (Paire::Absente, Paire::Absente) => ("coordonnees-absentes", "coordonnees-absentes-ej", true),
                (Paire::Lue(..), _) | (_, Paire::Lue(..)) => {
                    ("coordonnees-hors-limites", "coordonnees-hors-limites-ej", false)
                }
                (Paire::Illisible, _) | (_, Paire::Illisible) => {
                    ("coordonnees-illisibles", "coordonnees-illisibles-ej", false)
                }
            };
            carnet.constater(porteur.regle(eg, ej));
            return Coordonnees { absentes, position: None };
        }
    };
    let commune = adresse.texte_brut("cogCommune", carnet);
    if !plausible(departement_de_commune(&commune), longitude, latitude) {
        carnet.constater(porteur.regle("coordonnees-hors-limites", "coordonnees-hors-limites-ej"));
        return Coordonnees::default();
    }
    let cle_ban = vue.texte_vu("cleInInteropBAN", carnet);
    Coordonnees {
        absentes: false,
        position: Some(Position {
            latitude,
            longitude,
            // A key without a street part is the centre of the commune.
            fiable: (!cle_ban.is_empty()).then(|| cle_ban.contains('_')),
        }),
    }
}

/// Box (west, east, south, north) of a territory; None: anywhere.
fn boite(departement: &str) -> Option<(f64, f64, f64, f64)> {
    match departement {
        "2A" | "2B" => Some((8.4, 9.7, 41.2, 43.2)),
        "971" | "977" | "978" => Some((-63.3, -60.9, 15.7, 18.3)),
        "972" => Some((-61.4, -60.7, 14.3, 15.0)),
        "973" => Some((-54.8, -51.4, 2.0, 6.0)),
        "974" => Some((55.1, 56.0, -21.5, -20.8)),
        "975" => Some((-56.6, -56.0, 46.6, 47.3)),
        "976" => Some((44.9, 45.4, -13.1, -12.5)),
        "986" => Some((-178.4, -175.9, -14.5, -13.0)),
        "987" => Some((-155.0, -134.0, -28.5, -7.5)),
        "988" => Some((163.0, 169.0, -23.5, -17.5)),
        "984" | "989" => None,
        _ => Some((-5.6, 8.5, 42.2, 51.3)),
    }
}

pub(in crate::formats) fn plausible(departement: Option<&str>, longitude: f64, latitude: f64) -> bool {
    match departement.and_then(boite) {
        Some((ouest, est, sud, nord)) => {
            (ouest..=est).contains(&longitude) && (sud..=nord).contains(&latitude)
        }
        None => longitude != 0.0 || latitude != 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boites() {
        let cas = [
            (Some("01"), 5.2, 46.2, true),
            (Some("01"), 46.2, 5.2, false),
            (Some("2A"), 8.7369, 41.9268, true),
            (Some("971"), -63.0871, 18.0675, true),
            (Some("973"), 5.2, 46.2, false),
            (Some("986"), -176.1745, -13.2816, true),
            (Some("975"), -56.1764, 46.779, true),
            (Some("01"), 0.0, 0.0, false),
            (None, 0.0, 0.0, false),
            (None, 2.0, 48.0, true),
        ];
        for (departement, longitude, latitude, attendu) in cas {
            assert_eq!(
                plausible(departement, longitude, latitude),
                attendu,
                "{departement:?} {longitude} {latitude}"
            );
        }
    }
}
