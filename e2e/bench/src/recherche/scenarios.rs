//! The reads of the published scenarios (notes on the FHIR API, §5), each with values drawn
//! from the directory. Left out: writes, and what asks for Task, Questionnaire or Measure.

use ror_demo::repertoire::il_y_a;

use super::jeu::{Exemple, Jeu};
use crate::{charge::Tirage, facade::DIFFUSION, http::encoder};

/// A name, and the path of a request.
pub type Requete = (&'static str, fn(&Jeu, &mut Tirage) -> String);

/// The standard package of an offer.
pub const PAQUET: &str = "_include=HealthcareService:organization&_include:iterate=Organization:partof\
    &_include=HealthcareService:location&_revinclude=PractitionerRole:service&_include=PractitionerRole:practitioner";

/// A code with its national system.
pub fn s(tre: &str, code: &str) -> String {
    format!("https://mos.esante.gouv.fr/NOS/TRE_{tre}/FHIR/TRE-{tre}|{code}")
}

/// A parameter, its value encoded.
pub fn p(nom: &str, valeur: &str) -> String {
    format!("{nom}={}", encoder(valeur))
}

/// A search of that type.
pub fn de(genre: &str, parametres: &[String]) -> String {
    format!("{DIFFUSION}/{genre}?{}", parametres.join("&"))
}

fn offres(parametres: &[String]) -> String {
    format!("{}&{PAQUET}", de("HealthcareService", parametres))
}

fn lieux(parametres: &[String]) -> String {
    format!("{}&_revinclude=HealthcareService:location", de("Location", parametres))
}

fn activite(e: &Exemple) -> String {
    s("R211-ActiviteOperationnelle", e.activite())
}

fn categorie(e: &Exemple) -> String {
    s("R244-CategorieOrganisation", &e.type_offre)
}

fn mode(e: &Exemple) -> String {
    s("R213-ModePriseEnCharge", &e.mode)
}

fn a_lits(e: &Exemple) -> bool {
    e.lieu.capacites.iter().any(|c| c[0] == "02" && c[1] == "01")
}

fn departement(e: &Exemple) -> &str {
    e.lieu.code_postal.get(..2).unwrap_or("75")
}

/// A place that has a position.
pub fn place(jeu: &Jeu, t: &mut Tirage) -> (f64, f64) {
    jeu.tel_que(t, |e| e.lieu.position.is_some()).lieu.position.unwrap_or((46.5, 2.5))
}

/// Two offers that tell their type.
fn paire(jeu: &Jeu, t: &mut Tirage) -> [Exemple; 2] {
    [jeu.tel_que(t, a_type).clone(), jeu.tel_que(t, a_type).clone()]
}

fn a_type(e: &Exemple) -> bool {
    !e.type_offre.is_empty()
}

/// Every read of the scenarios.
pub const TOUS: &[Requete] = &[
    ("5.1 1 places, all", |_, _| lieux(&["_count=200".into()])),
    ("5.1 1bis places of four départements (_filter)", |_, _| {
        lieux(&[p("_filter", "(address-postalcode eq \"22\" or \"29\" or \"35\" or \"56\")")])
    }),
    ("5.1 1ter places of a region", |j, t| lieux(&[p("_tag", &j.exemple(t).region)])),
    ("5.1 2 place by identifier", |j, t| lieux(&[p("identifier", &j.exemple(t).lieu.numero)])),
    ("5.1 3 two places by _id", |j, t| {
        let [a, b] = paire(j, t);
        lieux(&[format!("_id={},{}", a.lieu.id, b.lieu.id)])
    }),
    ("5.1 3 two places by _id (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        lieux(&[p("_filter", &format!("(_id eq {} or {})", a.lieu.id, b.lieu.id))])
    }),
    ("5.1 4 places changed since two days", |_, _| lieux(&[p("_lastUpdated", &format!("ge{}", il_y_a(2)))])),
    ("5.1 5 two places by identifier", |j, t| {
        let [a, b] = paire(j, t);
        lieux(&[format!("identifier={},{}", encoder(&a.lieu.numero), encoder(&b.lieu.numero))])
    }),
    ("5.1 5 two places by identifier (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        lieux(&[p("_filter", &format!("(identifier eq {} or {})", a.lieu.numero, b.lieu.numero))])
    }),
    ("5.2 1 offers, all, package", |_, _| offres(&["_count=200".into()])),
    ("5.2 2 offers of an establishment (organization.identifier:above)", |j, t| {
        offres(&[p("organization.identifier:above", &j.exemple(t).site.id_nat_struct)])
    }),
    ("5.2 3 offer by identifier", |j, t| offres(&[p("identifier", &j.exemple(t).numero)])),
    ("5.2 4 offers changed since two days", |_, _| {
        offres(&[p("_lastUpdated", &format!("ge{}T15:00", il_y_a(2)))])
    }),
    ("5.2 5 offers whose site changed (organization._lastUpdated:above and type)", |j, t| {
        let e = j.exemple(t);
        offres(&[
            p("organization._lastUpdated:above", &format!("ge{}", il_y_a(30))),
            p("organization.type", &s("R66-CategorieEtablissement", &e.site.categorie)),
        ])
    }),
    ("5.2 delta, the offer or its structures (_filter)", |_, _| {
        let d = il_y_a(2);
        offres(&[p("_filter", &format!("(_lastUpdated ge {d} or organization._lastUpdated:above ge {d})"))])
    }),
    ("5.3 1 one activity", |j, t| offres(&[p("specialty", &activite(j.exemple(t)))])),
    ("5.3 2 one of two activities (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        offres(&[p("_filter", &format!("(specialty eq {} or {})", activite(&a), activite(&b)))])
    }),
    ("5.3 3 type and mode", |j, t| {
        let e = j.tel_que(t, a_type);
        offres(&[p("service-category", &categorie(e)), p("characteristic", &mode(e))])
    }),
    ("5.3 4 type or activity, at an age (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        let (bas, haut) = ("35|https://unitsofmeasure.org|a", "35|https://unitsofmeasure.org|a");
        offres(&[p(
            "_filter",
            &format!(
                "(((service-category eq {}) or (specialty eq {})) and (age-range-low le {bas} and age-range-high ge {haut}))",
                categorie(&a),
                activite(&b)
            ),
        )])
    }),
    ("5.3 5 category above or type, and a mode (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        let categorie_eg = s("R66-CategorieEtablissement", &a.site.categorie);
        let filtre = format!(
            "((organization.type:above eq {categorie_eg}) or (service-category eq {}))",
            categorie(&b)
        );
        offres(&[p("_filter", &filtre), p("characteristic", &mode(&a))])
    }),
    ("5.3 6 activity within 15 km of a commune", |j, t| {
        let e = j.exemple(t);
        offres(&[
            p("specialty", &activite(e)),
            p("location.near-insee-code", &format!("{}|15|km", e.lieu.commune)),
        ])
    }),
    ("5.3 6 activity within 15 km of a point", |j, t| {
        let (lat, lon) = place(j, t);
        let e = j.exemple(t);
        offres(&[p("specialty", &activite(e)), p("location.near", &format!("{lat}|{lon}|15|km"))])
    }),
    ("5.3 7 commune served, activity, type", |j, t| {
        let e = j.tel_que(t, |e| a_type(e) && e.zone.is_some());
        offres(&[
            p("intervention-zone", &s("R13-CommuneOM", e.zone.as_deref().unwrap_or_default())),
            p("specialty", &activite(e)),
            p("service-category", &categorie(e)),
        ])
    }),
    ("5.3 8 département, type, two characteristics", |j, t| {
        let e = j.tel_que(t, |e| a_type(e) && e.caracteristiques.len() > 1);
        let [premiere, .., derniere] = &e.caracteristiques[..] else {
            return offres(&[p("characteristic", &mode(e))]);
        };
        offres(&[
            p("location.address-postalcode", departement(e)),
            p("service-category", &categorie(e)),
            p("characteristic", premiere),
            p("characteristic", derniere),
        ])
    }),
    ("5.3 9 two postal codes, activity, mode (_filter)", |j, t| {
        let [a, b] = paire(j, t);
        let filtre = format!(
            "(location.address-postalcode eq \"{}\" or \"{}\")",
            a.lieu.code_postal, b.lieu.code_postal
        );
        offres(&[p("_filter", &filtre), p("specialty", &activite(&a)), p("characteristic", &mode(&a))])
    }),
    ("5.3 10 two communes and an activity", |j, t| {
        let [a, b] = paire(j, t);
        let communes = format!("{},{}", s("R13-CommuneOM", &a.lieu.commune), b.lieu.commune);
        // The comma parts the values: it is not encoded.
        let communes = communes.split(',').map(encoder).collect::<Vec<_>>().join(",");
        offres(&[format!("location.commune-cog={communes}"), p("specialty", &activite(&a))])
    }),
    ("5.3 10 two communes and an activity (_filter, OR)", |j, t| {
        let [a, b] = paire(j, t);
        let commune = |e: &Exemple| s("R13-CommuneOM", &e.lieu.commune);
        let filtre =
            format!("(location.commune-cog eq {} OR location.commune-cog eq {})", commune(&a), commune(&b));
        offres(&[p("_filter", &filtre), p("specialty", &activite(&a))])
    }),
    ("5.3 11 one characteristic", |j, t| {
        let e = j.exemple(t);
        let code = &e.caracteristiques[t.sous(e.caracteristiques.len())];
        offres(&[p("characteristic", code)])
    }),
    ("5.3 13 offers of a professional (_has)", |j, t| {
        let e = j.tel_que(t, |e| e.role.is_some());
        let numero = e.role.as_ref().map_or("", |r| r[3].as_str());
        offres(&[p("_has:PractitionerRole:service:practitioner.identifier", numero)])
    }),
    ("5.4 1 free beds of a gender", |j, t| {
        let e = j.tel_que(t, a_lits);
        let genre = e.lieu.capacites.iter().find(|c| c[0] == "02").map_or("03", |c| c[2].as_str());
        de(
            "HealthcareService",
            &[
                p("specialty", &activite(e)),
                "location.capacity-type=01".into(),
                p("location.gender-capacity-available", genre),
                "location.temporality-capacity=01&location.capacity-status=02&location.nb-capacity=gt0"
                    .into(),
                "_include=HealthcareService:location".into(),
            ],
        )
    }),
    ("5.4 2 closed beds", |j, t| {
        let e = j.tel_que(t, |e| e.lieu.capacites.iter().any(|c| c[0] == "05"));
        de(
            "HealthcareService",
            &[
                p("specialty", &activite(e)),
                "location.capacity-type=01&location.capacity-closing-type=01&location.capacity-status=05"
                    .into(),
                "location.nb-capacity=gt0&_include=HealthcareService:location".into(),
            ],
        )
    }),
    ("5.4 3 equipment with its limit", |j, t| {
        let e = j.tel_que(t, |e| e.lieu.equipement.is_some());
        let (genre, limite, valeur, unite) = e.lieu.equipement.clone().unwrap_or_default();
        de(
            "HealthcareService",
            &[
                p("specialty", &activite(e)),
                p("location.equipment-type", &genre),
                p("location.equipment-feature", &limite),
                p("location.limit-value", &format!("ge{valeur}|http://unitsofmeasure.org|{unite}")),
                "_include=HealthcareService:location".into(),
            ],
        )
    }),
    ("5.5 1 price under an amount, latest first", |_, t| {
        offres(&[
            p("organization.price-type", &s("R246-TypeTarif", "02")),
            format!("organization.price-amount-value=lt{}", 58 + t.sous(40)),
            "_sort=-organization.price-validity-start-date".into(),
        ])
    }),
    ("5.5 2 price, dwelling, condition", |_, t| {
        offres(&[
            p("organization.price-type", &s("R246-TypeTarif", "02")),
            format!("organization.price-amount-value=le{}", 58 + t.sous(40)),
            p("organization.price-residential-type", &s("R242-TypeHabitation", "03")),
            p("organization.special-price", &s("R250-ConditionTarifaire", "03")),
        ])
    }),
    ("5.5 3 price by dependency", |_, t| {
        offres(&[
            p("organization.price-type", &s("R246-TypeTarif", "03")),
            format!("organization.price-amount-value=lt{}", 12 + t.sous(4)),
            p("organization.price-dependency-level", &s("R237-GroupeTarifaireDependance", "02")),
            p("organization.price-welcome-type", &s("R240-TemporaliteAccueil", "02")),
        ])
    }),
    ("5.6 1 full text", |_, t| offres(&[p("_content", MOTS[t.sous(MOTS.len())])])),
    ("5.6 2 full text of the offer or its place (_filter)", |_, t| {
        let mot = MOTS[t.sous(MOTS.len())];
        offres(&[p("_filter", &format!("(_content={mot} or location._content={mot})"))])
    }),
    ("5.13 structure by identifier", |j, t| {
        de("Organization", &[p("identifier", &j.exemple(t).site.id_nat_struct)])
    }),
    ("5.13 structures, name:contains", |_, t| {
        de("Organization", &[p("name:contains", ["chu", "tilleuls", "clinique", "parc"][t.sous(4)])])
    }),
    ("5.13 structures by name", |j, t| {
        let nom = &j.exemple(t).site.nom;
        de("Organization", &[p("name", nom.get(..12).unwrap_or(nom))])
    }),
    ("5.13 structures changed in a month", |_, _| {
        let bornes = [
            p("_lastUpdated", &format!("ge{}", il_y_a(60))),
            p("_lastUpdated", &format!("le{}", il_y_a(30))),
        ];
        de("Organization", &bornes)
    }),
    ("5.13 structures by type and region, with their parents", |j, t| {
        let e = j.exemple(t);
        de(
            "Organization",
            &[
                p("type", &s("R66-CategorieEtablissement", &e.site.categorie)),
                p("_tag", &s("R30-RegionOM", &e.region)),
                "_include=Organization:partof".into(),
            ],
        )
    }),
    ("5.13 role by _id", |j, t| {
        let e = j.tel_que(t, |e| e.role.is_some());
        de("PractitionerRole", &[p("_id", e.role.as_ref().map_or("", |r| r[0].as_str()))])
    }),
    ("5.13 role by identifier", |j, t| {
        let e = j.tel_que(t, |e| e.role.is_some());
        de("PractitionerRole", &[p("identifier", e.role.as_ref().map_or("", |r| r[2].as_str()))])
    }),
    ("5.13 roles changed since two days", |_, _| {
        de("PractitionerRole", &[p("_lastUpdated", &format!("ge{}", il_y_a(2)))])
    }),
    ("5.13 roles of a region", |j, t| {
        de("PractitionerRole", &[p("_tag", &s("R30-RegionOM", &j.exemple(t).region))])
    }),
    ("5.13 active places of a kind", |_, _| {
        de("Location", &["status=active".into(), p("type", &s("R343-FonctionLieu", "001"))])
    }),
    ("5.13 places of a city", |j, t| de("Location", &[p("address-city", &j.exemple(t).lieu.ville)])),
    ("5.13 places of a commune", |j, t| {
        de("Location", &[p("commune-cog", &s("R13-CommuneOM", &j.exemple(t).lieu.commune))])
    }),
    ("5.13 places within 10 km of a point", |j, t| {
        let (lat, lon) = place(j, t);
        de("Location", &[p("near", &format!("{lat}|{lon}|10|km"))])
    }),
    ("5.13 places within 10 km of a commune", |j, t| {
        de("Location", &[p("near-insee-code", &format!("{}|10|km", j.exemple(t).lieu.commune))])
    }),
    ("5.13 places changed in a month, in order", |_, _| {
        de(
            "Location",
            &[
                p("_lastUpdated", &format!("ge{}", il_y_a(60))),
                p("_lastUpdated", &format!("le{}", il_y_a(30))),
                "_sort=_lastUpdated".into(),
            ],
        )
    }),
];

/// Words that people look for.
const MOTS: [&str; 8] = [
    "cardio",
    "gériatrie",
    "urgences",
    "rééducation",
    "psychiatrie",
    "domicile",
    "kinésithérapie",
    "chirurgie",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_a_path_without_a_blank() {
        let dossier = std::env::temp_dir().join(format!("ror-bench-scenarios-{}", std::process::id()));
        std::fs::create_dir_all(&dossier).unwrap();
        let jeu = Jeu::tirer(7, 0.002, &dossier).unwrap();
        std::fs::remove_dir_all(&dossier).unwrap();
        let mut t = Tirage::new(1);
        for (nom, chemin) in TOUS.iter().chain(super::super::pires::TOUTES) {
            for _ in 0..20 {
                let c = chemin(&jeu, &mut t);
                assert!(c.starts_with(DIFFUSION) && c.len() < 16_000, "{nom}: {c}");
                assert!(c.bytes().all(|o| o.is_ascii_graphic() && o != b'"'), "{nom}: {c}");
            }
        }
    }
}
