//! The capacity feed: PATCH of a place, and what it shows at once.

use std::fs;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Rapport, Reponse,
    client::{appeler, requete},
    commande::ror,
    fhir::{CAPACITE, code_extension, entrees, extensions, issue, issues, tableau, texte},
    patch::{
        avec_code, avec_nombre, chemin, chemin_de, corps, disponibles, enregistrements, nombre, plafond,
        remplacer, sans_libelles, systeme, tuple,
    },
    temps,
};
use serde_json::{Value, json};

use crate::monde::{Monde, externe, version};

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("capacite: replace is durable, dated and seen at once", remplacement(m)).await;
    r.verifier("capacite: the unique identifier of the place serves too", identifiant_unique(m)).await;
    r.verifier("capacite: the same again changes nothing", repetition(m)).await;
    r.verifier("capacite: profiles see the change as they see capacities", vue_par_profil(m)).await;
    r.verifier("capacite: replace of an absent indicator", indicateur_absent(m)).await;
    r.verifier("capacite: add, then delete", ajout_puis_retrait(m)).await;
    r.verifier("capacite: unknown identifier", identifiant_inconnu(m)).await;
    r.verifier("capacite: invalid tuples", tuples_invalides(m)).await;
    r.verifier("capacite: wrong capacity type", mauvaise_nature(m)).await;
    r.verifier("capacite: wrong bodies", corps_faux(m)).await;
    r.verifier("capacite: a refused request changes nothing of the place", atomique(m)).await;
    r.verifier("capacite: Ror-* headers are refused", entetes(m)).await;
    r.verifier("capacite: who may not write", droits(m)).await;
}

/// The reference place: its id, its synchronisation identifier.
fn reference(m: &Monde) -> Result<(&str, &str)> {
    Ok((m.exemple("lieu_id")?, m.exemple("lieu_id_externe")?))
}

/// The free beds of the reference place as they are now.
async fn libres(m: &Monde) -> Result<Value> {
    let lieu = m.lieu(reference(m)?.0).await?;
    disponibles(&lieu).cloned().context("the reference place says no free bed")
}

fn autre_nombre(lieu: &Value, actuel: i64) -> i64 {
    if actuel < plafond(lieu) { actuel + 1 } else { actuel - 1 }
}

/// The place as a search finds it.
async fn trouve(m: &Monde, id: &str) -> Result<Value> {
    let page = m.p1.chercher("Location", &[("_id", id)]).await?.attendre(200)?;
    let ressource = entrees(&page.corps).map(|(_, r)| r.clone()).next();
    ressource.with_context(|| format!("{id} is not found"))
}

/// ETag and Last-Modified of a PATCH that was done.
fn fait(reponse: Reponse) -> Result<u64> {
    let reponse = reponse.attendre(200)?;
    let etag = reponse.entete("etag").context("no ETag")?;
    let numero = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    let date = reponse.entete("last-modified").context("no Last-Modified")?;
    ensure!(date.ends_with("GMT"), "Last-Modified {date:?}");
    numero.parse().with_context(|| format!("ETag {etag:?}"))
}

async fn remplacement(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let avant = m.lieu(id).await?;
    let enregistrement = disponibles(&avant).context("no free bed")?;
    let n = autre_nombre(&avant, nombre(enregistrement));
    let numero = fait(m.flux.modifier(identifiant, &remplacer(enregistrement, n)).await?)?;
    for apres in [m.lieu(id).await?, trouve(m, id).await?] {
        ensure!(disponibles(&apres).map(nombre) == Some(n), "not seen at once: {apres}");
        ensure!(version(&apres)? == numero, "ETag {numero}, versionId {}", apres["meta"]["versionId"]);
        ensure!(numero == version(&avant)? + 1, "versionId {} then {numero}", version(&avant)?);
        let dates = [&avant, &apres].map(|l| temps::lire(texte(l, "/meta/lastUpdated")));
        ensure!(dates[0].is_some() && dates[0] < dates[1], "lastUpdated {dates:?}");
        ensure!(enregistrements(&apres).len() == enregistrements(&avant).len(), "records appear or vanish");
        let reste = |lieu: &Value| {
            let mut reste = lieu.clone();
            if let Some(membres) = reste.as_object_mut() {
                membres.remove("meta");
                membres.remove("extension");
            }
            reste
        };
        ensure!(reste(&avant) == reste(&apres), "the rest of the place changed");
    }
    // An offer's package shows the same.
    let criteres = [("_id", m.exemple("offre_id")?), ("_include", "HealthcareService:location")];
    let page = m.p1.chercher("HealthcareService", &criteres).await?.attendre(200)?;
    let inclus = entrees(&page.corps).find(|(_, r)| texte(r, "/id") == id).map(|(_, r)| r);
    ensure!(inclus.and_then(disponibles).map(nombre) == Some(n), "not seen in the package of the offer");
    // And so does a search since the change.
    let depuis = format!("gt{}", texte(&avant, "/meta/lastUpdated"));
    let page = m.p1.chercher("Location", &[("_lastUpdated", &depuis), ("_id", id)]).await?.attendre(200)?;
    ensure!(page.corps["total"] == 1, "not found by its new date");
    Ok(())
}

async fn identifiant_unique(m: &Monde) -> Result<()> {
    let (id, avant) = (reference(m)?.0, libres(m).await?);
    let n = autre_nombre(&m.lieu(id).await?, nombre(&avant));
    fait(m.flux.modifier(m.exemple("lieu_identifier")?, &remplacer(&avant, n)).await?)?;
    ensure!(disponibles(&trouve(m, id).await?).map(nombre) == Some(n), "not seen");
    Ok(())
}

async fn repetition(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let lieu = m.lieu(id).await?;
    let enregistrement = disponibles(&lieu).context("no free bed")?;
    let corps = remplacer(enregistrement, autre_nombre(&lieu, nombre(enregistrement)));
    let premier = fait(m.flux.modifier(identifiant, &corps).await?)?;
    let avant = m.lieu(id).await?;
    let second = fait(m.flux.modifier(identifiant, &corps).await?)?;
    ensure!(premier == second, "version {premier} then {second}");
    ensure!(m.lieu(id).await? == avant, "an unchanged record moved the place");
    Ok(())
}

async fn vue_par_profil(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let lieu = m.lieu(id).await?;
    let avant = disponibles(&lieu).context("no free bed")?;
    let n = autre_nombre(&lieu, nombre(avant));
    fait(m.flux.modifier(identifiant, &remplacer(avant, n)).await?)?;
    let p2 = crate::monde::lire_lieu(&m.p2, id).await?;
    ensure!(disponibles(&p2).map(nombre) == Some(n), "profile 2 does not see it: {p2}");
    let p0 = crate::monde::lire_lieu(&m.p0, id).await?;
    ensure!(extensions(&p0, CAPACITE).next().is_none(), "profile 0 sees it: {p0}");
    Ok(())
}

/// The forecast of the free beds, which the reference place has not.
fn prevision(libres: &Value) -> Value {
    avec_code(libres, "temporalityCapacity", &systeme("R331-TemporaliteCapacite"), "03")
}

async fn indicateur_absent(m: &Monde) -> Result<()> {
    let absent = prevision(&libres(m).await?);
    for operation in ["replace", "delete"] {
        let valeur = (operation == "replace").then_some(&absent);
        let corps = corps(operation, &chemin_de(&absent), valeur);
        let issue = issue(&m.flux.modifier(reference(m)?.1, &corps).await?, 404, "not-found")?;
        ensure!(issue["expression"] == json!([chemin()]), "{operation}: expression {}", issue["expression"]);
        ensure!(
            texte(&issue, "/diagnostics").contains("null"),
            "{operation}: the absent members are not told"
        );
    }
    Ok(())
}

/// Two closed beds, which the reference place has not.
fn fermes(libres: &Value) -> Value {
    let ferme = avec_code(libres, "capacityStatus", &systeme("R330-TypeStatutCapacite"), "05");
    let ferme = avec_code(&ferme, "genderCapacityAvailable", "", "");
    avec_nombre(&avec_code(&ferme, "capacityClosingType", &systeme("R333-TypeFermetureCapacite"), "01"), 2)
}

async fn ajout_puis_retrait(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let ferme = fermes(&libres(m).await?);
    let cherche =
        |lieu: &Value| enregistrements(lieu).into_iter().find(|e| tuple(e) == tuple(&ferme)).map(nombre);
    ensure!(cherche(&m.lieu(id).await?).is_none(), "closed beds already");
    let avant = version(&m.lieu(id).await?)?;
    let ajoute = fait(m.flux.modifier(identifiant, &corps("add", &chemin(), Some(&ferme))).await?)?;
    ensure!(cherche(&m.lieu(id).await?) == Some(2), "the added record is not read");
    ensure!(cherche(&trouve(m, id).await?) == Some(2), "the added record is not found");
    let retire = fait(m.flux.modifier(identifiant, &corps("delete", &chemin_de(&ferme), None)).await?)?;
    ensure!(cherche(&m.lieu(id).await?).is_none(), "the record is still read");
    ensure!(cherche(&trouve(m, id).await?).is_none(), "the record is still found");
    ensure!(avant < ajoute && ajoute < retire, "versions {avant}, {ajoute}, {retire}");
    let encore = m.flux.modifier(identifiant, &corps("delete", &chemin_de(&ferme), None)).await?;
    issue(&encore, 404, "not-found").map(|_| ())
}

async fn identifiant_inconnu(m: &Monde) -> Result<()> {
    let corps = remplacer(&libres(m).await?, 1);
    for identifiant in ["1999999999/UF0000", "52/0", "n'importe quoi"] {
        let issue = issue(&m.flux.modifier(identifiant, &corps).await?, 404, "not-found")?;
        ensure!(issue["expression"] == json!(["Location"]), "expression {}", issue["expression"]);
    }
    for requete in [String::new(), requete(&[("identifier", "")]), requete(&[("nom", "x")])] {
        let url = format!("{}/Location?{requete}", m.flux.base_capacite);
        let reponse = m.flux.modifier_brut(&url, &corps.to_string(), &[]).await?;
        issues(&reponse, &[400]).with_context(|| format!("?{requete}"))?;
    }
    Ok(())
}

async fn tuples_invalides(m: &Monde) -> Result<()> {
    let libres = libres(m).await?;
    // A gender says who may take a free bed, nothing else.
    let installe = avec_code(&libres, "capacityStatus", &systeme("R330-TypeStatutCapacite"), "01");
    let lit_libre_ferme =
        avec_code(&libres, "capacityClosingType", &systeme("R333-TypeFermetureCapacite"), "01");
    let statut = avec_code(&libres, "capacityStatus", &systeme("R330-TypeStatutCapacite"), "99");
    let identifiant = reference(m)?.1;
    for invalide in [&installe, &lit_libre_ferme] {
        for corps in [
            corps("add", &chemin(), Some(invalide)),
            corps("replace", &chemin_de(invalide), Some(invalide)),
            corps("replace", &chemin_de(invalide), Some(&sans_libelles(&libres))),
            corps("delete", &chemin_de(invalide), None),
        ] {
            issue(&m.flux.modifier(identifiant, &corps).await?, 400, "business-rule")
                .with_context(|| corps.to_string())?;
        }
    }
    let inconnu = m.flux.modifier(identifiant, &corps("add", &chemin(), Some(&statut))).await?;
    issues(&inconnu, &[400])?;
    // The path and the body name two indicators.
    let deux = corps("replace", &chemin_de(&libres), Some(&prevision(&libres)));
    issues(&m.flux.modifier(identifiant, &deux).await?, &[400]).map(|_| ())
}

async fn mauvaise_nature(m: &Monde) -> Result<()> {
    let libres = libres(m).await?;
    let autre = if code_extension(&libres, "capacityType") == Some("01") { "02" } else { "01" };
    let places = avec_code(&libres, "capacityType", &systeme("R329-NatureCapacite"), autre);
    let corps = corps("replace", &chemin_de(&places), Some(&places));
    issue(&m.flux.modifier(reference(m)?.1, &corps).await?, 400, "business-rule").map(|_| ())
}

async fn corps_faux(m: &Monde) -> Result<()> {
    let libres = sans_libelles(&libres(m).await?);
    let bon = remplacer(&libres, 1);
    let sans_nombre = avec_code(&libres, "nbCapacity", "", "");
    let mut en_texte = bon.clone();
    let nombre = en_texte
        .pointer_mut("/parameter/0/part/2/part/0/extension/0/extension")
        .and_then(Value::as_array_mut);
    for partie in nombre.context("the shape of a body")?.iter_mut().filter(|p| p["url"] == "nbCapacity") {
        partie["valueInteger"] = json!("trois");
    }
    let trop = (i64::from(u32::MAX) + 1).to_string();
    let negatif = bon.to_string().replace("\"valueInteger\":1", "\"valueInteger\":-1");
    let enorme = bon.to_string().replace("\"valueInteger\":1", &format!("\"valueInteger\":{trop}"));
    let chemins = [
        "Location.name".to_owned(),
        chemin(),
        chemin_de(&libres).replace("capacityStatus", "capacityType"),
        chemin_de(&libres).replace(" and ", " or "),
        chemin_de(&libres).replace(')', ""),
        "(".repeat(5000),
    ];
    let mut cas = vec![
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{\"resourceType\":\"Location\"}".to_owned(),
        "{\"resourceType\":\"Parameters\"}".to_owned(),
        json!({"resourceType": "Parameters", "parameter": []}).to_string(),
        corps("remove", &chemin_de(&libres), None).to_string(),
        corps("delete", &chemin_de(&libres), Some(&libres)).to_string(),
        corps("replace", &chemin_de(&libres), None).to_string(),
        corps("replace", &chemin_de(&libres), Some(&sans_nombre)).to_string(),
        corps("add", &chemin_de(&libres), Some(&libres)).to_string(),
        en_texte.to_string(),
        negatif,
        enorme,
        "[".repeat(100_000),
    ];
    cas.extend(chemins.iter().map(|c| corps("replace", c, Some(&libres)).to_string()));
    let avant = m.lieu(reference(m)?.0).await?;
    let url = format!("{}/Location?{}", m.flux.base_capacite, requete(&[("identifier", reference(m)?.1)]));
    for corps in cas {
        let debut: String = corps.chars().take(300).collect();
        let reponse = m.flux.modifier_brut(&url, &corps, &[]).await?;
        issues(&reponse, &[400]).with_context(|| debut)?;
    }
    ensure!(m.lieu(reference(m)?.0).await? == avant, "a refused body changed the place");
    Ok(())
}

async fn atomique(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let avant = m.lieu(id).await?;
    let libres = disponibles(&avant).context("no free bed")?;
    let bonne = remplacer(libres, autre_nombre(&avant, nombre(libres)));
    let absente = corps("delete", &chemin_de(&prevision(libres)), None);
    let mut deux = bonne.clone();
    let operations = deux["parameter"].as_array_mut().context("operations")?;
    operations.extend(tableau(&absente, "parameter").iter().cloned());
    let reponse = m.flux.modifier(identifiant, &deux).await?;
    issues(&reponse, &[400, 404])?;
    ensure!(m.lieu(id).await? == avant, "half a request was done");
    Ok(())
}

async fn entetes(m: &Monde) -> Result<()> {
    let url = format!("{}/Location?{}", m.flux.base_capacite, requete(&[("identifier", reference(m)?.1)]));
    let corps = remplacer(&libres(m).await?, 1).to_string();
    for un in &m.p1.entetes {
        let reponse = m.flux.modifier_brut(&url, &corps, std::slice::from_ref(un)).await?;
        let issues = issues(&reponse, &[400]).with_context(|| un.0.clone())?;
        let dit =
            issues.iter().any(|i| texte(i, "/diagnostics").to_lowercase().contains(&un.0.to_lowercase()));
        ensure!(dit, "the header {} is not named: {issues:?}", un.0);
    }
    Ok(())
}

async fn droits(m: &Monde) -> Result<()> {
    let (id, identifiant) = reference(m)?;
    let avant = m.lieu(id).await?;
    let corps = remplacer(disponibles(&avant).context("no free bed")?, 1);
    for client in [&m.p0, &*m.p1, &m.p2] {
        issue(&client.modifier(identifiant, &corps).await?, 403, "forbidden")
            .with_context(|| client.nom.clone())?;
    }
    let url = format!("{}/Location?{}", m.flux.base_capacite, requete(&[("identifier", identifiant)]));
    for porteur in [None, Some("Bearer n-importe-quoi")] {
        let mut entetes = vec![("content-type", "application/fhir+json")];
        entetes.extend(porteur.map(|p| ("authorization", p)));
        let reponse = appeler(&m.flux.http, Method::PATCH, &url, &entetes, Some(&corps.to_string())).await?;
        issues(&reponse, &[401])?;
        ensure!(
            reponse.entete("www-authenticate").is_some_and(|v| v.starts_with("Bearer")),
            "www-authenticate"
        );
    }
    ensure!(m.lieu(id).await? == avant, "a refused client changed the place");
    Ok(())
}

/// Two places with one synchronisation identifier; adds places, so it comes after every oracle.
pub async fn doublon(m: &Monde, r: &mut Rapport) {
    r.verifier("capacite: an identifier of two places", deux_lieux(m)).await;
}

async fn deux_lieux(m: &Monde) -> Result<()> {
    let source = m.lieu(reference(m)?.0).await?;
    let (region, zone) = (m.region()?, format!("{}/E2E-DOUBLE", m.exemple("eg_idnatst")?));
    let lignes: Vec<String> = ["990001", "990002"]
        .map(|numero| {
            let mut lieu = sans_libelles(&source);
            lieu["id"] = json!(uuid::Uuid::new_v4().to_string());
            lieu["managingOrganization"] =
                json!({"reference": format!("Organization/{}", m.exemple("eg_id").unwrap())});
            let membres = lieu.as_object_mut().expect("a place");
            if let Some(meta) = membres.get_mut("meta").and_then(Value::as_object_mut) {
                meta.remove("versionId");
            }
            if let Some(liste) = membres.get_mut("extension").and_then(Value::as_array_mut) {
                liste.retain(|e| e["url"] != CAPACITE);
            }
            for identifiant in
                membres.get_mut("identifier").and_then(Value::as_array_mut).expect("identifiers")
            {
                let externe = texte(identifiant, "/type/coding/0/code") == "26";
                identifiant["value"] =
                    json!(if externe { zone.clone() } else { format!("{region}/{numero}") });
            }
            lieu.to_string()
        })
        .to_vec();
    ensure!(externe(&source).is_some(), "the reference place has no synchronisation identifier");
    let dossier = m.mesh.dossier.chemin("doublon");
    fs::create_dir_all(&dossier)?;
    for nom in ["organization", "healthcareservice", "practitionerrole"] {
        fs::write(dossier.join(format!("{nom}.ndjson")), "")?;
    }
    fs::write(dossier.join("location.ndjson"), format!("{}\n", lignes.join("\n")))?;
    let (dossier, donnees) = (dossier.display().to_string(), m.mesh.donnees());
    let arguments = [
        "import",
        "fhir",
        &dossier,
        "--region",
        region,
        "--channel",
        "national",
        "--mesh",
        &donnees,
        "--report",
        "json",
    ];
    ror(&arguments).await?.attendre(0)?;
    let corps = remplacer(&libres(m).await?, 1);
    let limite = std::time::Duration::from_secs(20);
    // The import answers once it is durable; the gateway follows.
    let reponse = ror_e2e::attendre("both places are known", limite, async || -> Result<Option<Reponse>> {
        let reponse = m.flux.modifier(&zone, &corps).await?;
        Ok((reponse.statut == 412).then_some(reponse))
    })
    .await?;
    let issue = issue(&reponse, 412, "multiple-matches")?;
    ensure!(issue["expression"] == json!(["Location"]), "expression {}", issue["expression"]);
    ensure!(texte(&issue, "/diagnostics").contains('2'), "the count is not told: {issue}");
    Ok(())
}
