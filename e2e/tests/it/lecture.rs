//! The capability statement and the reads.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Rapport,
    fhir::{CAN, GENRES, REGION, extensions, tableau, texte},
    temps,
};
use serde_json::Value;

use crate::monde::{Monde, version};

/// Parameters each type must declare.
const PARAMETRES: [(&str, &[&str]); 5] = [
    ("Organization", &["_id", "_lastUpdated", "_tag", "identifier", "name", "type"]),
    (
        "HealthcareService",
        &[
            "_id",
            "_lastUpdated",
            "_tag",
            "identifier",
            "name",
            "specialty",
            "service-category",
            "service-type",
            "characteristic",
        ],
    ),
    ("Location", &["_id", "_lastUpdated", "_tag", "identifier", "type", "address-postalcode"]),
    ("Practitioner", &["_id", "_lastUpdated", "_tag", "identifier"]),
    ("PractitionerRole", &["_id", "_lastUpdated", "_tag", "identifier"]),
];

/// Extensions of the implementation guide, below its root.
const EXTENSIONS: &[&str] = &[
    "ror-act-type",
    "ror-available-time-type-of-time",
    "ror-available-time-effective-opening-closing-date",
    "ror-available-time-number-days-of-week",
    "ror-comment",
    "ror-commune-cog",
    "ror-confidence-geolocation",
    "ror-confidentiality-level",
    "ror-contact-confidentiality-level",
    "ror-contact-description",
    "ror-contact-function-contact",
    "ror-coordinate-reliability",
    "ror-healthcareservice-contact",
    "ror-healthcareservice-contact-telecom",
    "ror-healthcareservice-no-consent-habilitation",
    "ror-healthcareservice-patient-type",
    "ror-healthcareservice-psychiatric-sector",
    "ror-healthcareservice-sensitive-unit",
    "ror-location-equipment",
    "ror-location-equipment-limit",
    "ror-location-residential-capacity",
    "ror-location-supported-capacity",
    "ror-meta-comment",
    "ror-meta-creation-date",
    "ror-meta-questionnaire-used-as-a-template",
    "ror-organization-accessibility-location",
    "ror-organization-accomodation-family",
    "ror-organization-additional-name",
    "ror-organization-closing-type",
    "ror-organization-comment",
    "ror-organization-creation-date",
    "ror-organization-drop-zone",
    "ror-organization-financial-help-type",
    "ror-organization-level-recours-orsan",
    "ror-organization-nb-permanent-social-help-place",
    "ror-organization-nb-temporary-social-help-place",
    "ror-organization-price",
    "ror-organization-reopening-date",
    "ror-practitionerrole-name",
    "ror-practitionerrole-unit-exercise-mode",
    "ror-telecom-communication-channel",
    "ror-telecom-confidentiality-level",
    "ror-telecom-usage",
    "ror-territorial-division",
    "ror-contact-telecom-confidentiality-level",
    "ror-contact-telecom-usage",
];

/// Extensions of others.
const AUTRES: &[&str] = &[
    "http://hl7.org/fhir/StructureDefinition/geolocation",
    "http://hl7.org/fhir/StructureDefinition/organization-period",
    "http://hl7.org/fhir/StructureDefinition/location-distance",
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",
    "http://interopsante.org/fhir/StructureDefinition/FrAddressInseeCode",
    "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-lieu-dit",
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-contracted",
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-hasCAS",
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-vitaleAccepted",
];

/// What stands before the example of a parameter in the capability statement.
const EXEMPLE: &str = " Exemple : ";

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("lecture: capability statement", metadonnees(m)).await;
    r.verifier("lecture: every declared parameter is accepted", parametres(m)).await;
    for genre in GENRES {
        r.verifier(&format!("lecture: {genre} by id"), par_id(m, genre)).await;
        r.verifier(&format!("lecture: every {genre} has its metadata"), communs(m, genre)).await;
        r.verifier(&format!("lecture: extensions of {genre} are published ones"), canoniques(m, genre)).await;
    }
    r.verifier("lecture: the demo's own things are there", exemples(m)).await;
    r.verifier("lecture: the same over TLS and in clear", tls(m)).await;
}

async fn capacites(m: &Monde) -> Result<Value> {
    Ok(m.p0.lire("metadata").await?.attendre(200)?.corps)
}

/// The declared resource of a type.
fn declaree<'a>(enonce: &'a Value, genre: &str) -> Result<&'a Value> {
    let ressources = enonce.pointer("/rest/0/resource").and_then(Value::as_array).context("no resource")?;
    let trouvee = ressources.iter().find(|r| texte(r, "/type") == genre);
    trouvee.with_context(|| format!("{genre} is not declared"))
}

async fn metadonnees(m: &Monde) -> Result<()> {
    let reponse = m.p0.lire("metadata").await?.attendre(200)?;
    let genre = reponse.entete("content-type").unwrap_or_default();
    ensure!(genre.starts_with("application/fhir+json"), "content type {genre:?}");
    let enonce = &reponse.corps;
    let fixes = [
        ("/resourceType", "CapabilityStatement"),
        ("/fhirVersion", "4.0.1"),
        ("/status", "active"),
        ("/kind", "instance"),
        ("/rest/0/mode", "server"),
    ];
    for (pointeur, attendu) in fixes {
        ensure!(texte(enonce, pointeur) == attendu, "{pointeur}: {:?}", enonce.pointer(pointeur));
    }
    ensure!(!texte(enonce, "/date").is_empty(), "no date");
    ensure!(tableau(enonce, "format").iter().any(|f| f == "application/fhir+json"), "format");
    ensure!(enonce.pointer("/rest/0/security/cors") == Some(&Value::Bool(false)), "security.cors");
    for (genre, parametres) in PARAMETRES {
        let ressource = declaree(enonce, genre)?;
        let profil = format!("{CAN}ror-{}", genre.to_lowercase());
        let mut profils: Vec<&Value> = tableau(ressource, "supportedProfile").iter().collect();
        profils.extend(ressource.get("profile"));
        ensure!(profils.iter().any(|p| p.as_str() == Some(profil.as_str())), "{genre}: profiles {profils:?}");
        let codes: Vec<&str> = tableau(ressource, "interaction").iter().map(|i| texte(i, "/code")).collect();
        ensure!(codes.contains(&"read") && codes.contains(&"search-type"), "{genre}: interactions {codes:?}");
        let noms: BTreeSet<&str> =
            tableau(ressource, "searchParam").iter().map(|p| texte(p, "/name")).collect();
        let manquants: Vec<&&str> = parametres.iter().filter(|p| !noms.contains(**p)).collect();
        ensure!(manquants.is_empty(), "{genre}: undeclared {manquants:?}");
    }
    Ok(())
}

async fn parametres(m: &Monde) -> Result<()> {
    let enonce = capacites(m).await?;
    for genre in GENRES {
        for parametre in tableau(declaree(&enonce, genre)?, "searchParam") {
            let (nom, doc) = (texte(parametre, "/name"), texte(parametre, "/documentation"));
            // The statement gives an example of each; that of `_has` is a whole criterion.
            let (_, exemple) = doc.rsplit_once(EXEMPLE).with_context(|| format!("{genre} {nom}: {doc}"))?;
            let (nom, valeur) = match nom {
                "_has" if genre != "HealthcareService" => continue,
                "_has" => exemple.split_once('=').with_context(|| exemple.to_owned())?,
                _ => (nom, exemple),
            };
            let reponse = m.p1.chercher(genre, &[(nom, valeur), ("_count", "1")]).await?;
            reponse.attendre(200).with_context(|| format!("{genre}?{nom}={valeur}"))?;
        }
    }
    Ok(())
}

async fn par_id(m: &Monde, genre: &str) -> Result<()> {
    let cherchee = m.vue1.tous(genre).next().with_context(|| format!("no {genre}"))?;
    let id = texte(cherchee, "/id");
    let lue = m.p1.lire(&format!("{genre}/{id}")).await?.attendre(200)?;
    let type_mime = lue.entete("content-type").unwrap_or_default();
    ensure!(type_mime.starts_with("application/fhir+json"), "content type {type_mime:?}");
    ensure!(&lue.corps == cherchee, "the read is not the entry of the search: {} / {cherchee}", lue.corps);
    Ok(())
}

async fn communs(m: &Monde, genre: &str) -> Result<()> {
    let profil = format!("{CAN}ror-{}", genre.to_lowercase());
    let creation = format!("{CAN}ror-meta-creation-date");
    let mut etiquetees = 0;
    for ressource in m.vue1.tous(genre) {
        let id = texte(ressource, "/id");
        ensure!(texte(ressource, "/resourceType") == genre, "{id}: type");
        ensure!(
            ressource.pointer("/meta/profile") == Some(&Value::from(vec![profil.as_str()])),
            "{id}: profile"
        );
        ensure!(temps::lire(texte(ressource, "/meta/lastUpdated")).is_some(), "{id}: lastUpdated");
        ensure!(version(ressource)? > 0, "{id}: versionId");
        let datees: Vec<&Value> = extensions(ressource, &creation).collect();
        let datee = matches!(datees.as_slice(), [e] if temps::lire(texte(e, "/valueDateTime")).is_some());
        ensure!(datee, "{genre}/{id}: creation date {datees:?}");
        for etiquette in ressource.pointer("/meta/tag").and_then(Value::as_array).into_iter().flatten() {
            ensure!(texte(etiquette, "/system") == REGION, "{id}: tag {etiquette}");
            ensure!(!texte(etiquette, "/code").is_empty(), "{id}: empty tag");
            etiquetees += 1;
        }
        ensure!(ressource.pointer("/meta/security").is_none(), "{id}: a security label");
    }
    // A professional may be of no region.
    ensure!(genre == "Practitioner" || etiquetees > 0, "no {genre} has a region");
    Ok(())
}

async fn canoniques(m: &Monde, genre: &str) -> Result<()> {
    let mut vues: BTreeSet<&str> = BTreeSet::new();
    for ressource in m.vue1.tous(genre) {
        urls(ressource, false, &mut vues);
    }
    let publiee = |url: &str| {
        AUTRES.contains(&url)
            || url.strip_prefix(CAN).is_some_and(|id| EXTENSIONS.contains(&id))
            || url.starts_with("http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-")
    };
    let inconnues: Vec<&&str> = vues.iter().filter(|url| !publiee(url)).collect();
    ensure!(inconnues.is_empty(), "{inconnues:?}");
    Ok(())
}

/// Urls of the extensions of a value; bare names only count outside an extension.
fn urls<'a>(valeur: &'a Value, dans_extension: bool, vues: &mut BTreeSet<&'a str>) {
    match valeur {
        Value::Array(valeurs) => valeurs.iter().for_each(|v| urls(v, dans_extension, vues)),
        Value::Object(membres) => {
            for extension in tableau(valeur, "extension") {
                let url = texte(extension, "/url");
                if !dans_extension || url.contains("://") {
                    vues.insert(url);
                }
                urls(extension, true, vues);
            }
            for (_, membre) in membres.iter().filter(|(cle, _)| *cle != "extension") {
                urls(membre, false, vues);
            }
        }
        _ => {}
    }
}

async fn exemples(m: &Monde) -> Result<()> {
    let cas = [
        ("Organization", "eg_id"),
        ("Organization", "ehpad_id"),
        ("HealthcareService", "offre_id"),
        ("HealthcareService", "offre_reanimation_id"),
        ("HealthcareService", "offre_sensible_id"),
        ("HealthcareService", "offre_ehpad_id"),
        ("HealthcareService", "offre_ville_id"),
        ("Location", "lieu_id"),
        ("Practitioner", "professionnel_id"),
        ("PractitionerRole", "situation_id"),
    ];
    for (genre, nom) in cas {
        let reponse = m.p1.lire(&format!("{genre}/{}", m.exemple(nom)?)).await?;
        reponse.attendre(200).with_context(|| nom.to_owned())?;
    }
    let comptes = m.mesh.demo["exemples"]["ressources"].as_object().context("exemples.ressources")?;
    for genre in ["HealthcareService", "Location", "PractitionerRole"] {
        let (dit, vu) = (comptes.get(genre).and_then(Value::as_u64), m.vue1.ids(genre).len() as u64);
        ensure!(dit == Some(vu), "{genre}: {vu} instead of {dit:?}");
    }
    Ok(())
}

async fn tls(m: &Monde) -> Result<()> {
    let chemin = format!("HealthcareService/{}", m.exemple("offre_id")?);
    let adresse = |cle: &str| m.mesh.demo[cle].as_str().with_context(|| format!("demo.json: no {cle}"));
    let base = m.p0.base.replacen(adresse("base_url")?, adresse("tls_url")?, 1);
    let url = format!("{base}/{chemin}");
    ensure!(url.starts_with("https://"), "tls_url: {url}");
    let porteur = format!("Bearer {}", m.p0.jeton().await?);
    let mut entetes: Vec<(&str, &str)> = m.p0.entetes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    entetes.push(("authorization", &porteur));
    let http = &m.p1.http;
    let par_tls =
        ror_e2e::client::appeler(http, reqwest::Method::GET, &url, &entetes, None).await?.attendre(200)?;
    ensure!(par_tls.corps == m.p0.lire(&chemin).await?.attendre(200)?.corps, "two answers");
    Ok(())
}
