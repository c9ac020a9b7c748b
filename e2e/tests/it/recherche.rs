//! Every search parameter against a brute-force evaluation of what profile 1 sees.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Rapport,
    fhir::{Code, GENRES, REGION, cible, codages, entrees, identifiants, plier, tableau, texte},
    temps,
    vue::{Ids, Vue},
};
use serde_json::Value;

use crate::monde::Monde;

/// The standard offer package.
pub const PAQUET: [(&str, &str); 5] = [
    ("_include", "HealthcareService:organization"),
    ("_include:iterate", "Organization:partof"),
    ("_include", "HealthcareService:location"),
    ("_revinclude", "PractitionerRole:service"),
    ("_include", "PractitionerRole:practitioner"),
];

/// Codes of one criterion of a resource.
type Lecteur = fn(&Value) -> Vec<Code>;

pub async fn tout(m: &Monde, r: &mut Rapport) {
    for genre in GENRES {
        r.verifier(&format!("recherche: {genre} by _id"), par_id(m, genre)).await;
        r.verifier(&format!("recherche: {genre} by _tag"), par_region(m, genre)).await;
        r.verifier(&format!("recherche: {genre} by _lastUpdated"), par_date(m, genre)).await;
        r.verifier(&format!("recherche: {genre} by identifier"), par_identifiant(m, genre)).await;
    }
    let jetons: [(&str, &str, Lecteur); 6] = [
        ("HealthcareService", "specialty", |r| codages(&r["specialty"])),
        ("HealthcareService", "service-category", |r| codages(&r["category"])),
        ("HealthcareService", "service-type", |r| codages(&r["type"])),
        ("HealthcareService", "characteristic", |r| codages(&r["characteristic"])),
        ("Organization", "type", |r| codages(&r["type"])),
        ("Location", "type", |r| codages(&r["type"])),
    ];
    for (genre, nom, lecteur) in jetons {
        r.verifier(&format!("recherche: {genre} by {nom}"), par_code(m, genre, nom, lecteur)).await;
    }
    for genre in ["HealthcareService", "Organization"] {
        r.verifier(&format!("recherche: {genre} by name"), par_nom(m, genre)).await;
    }
    r.verifier("recherche: Location by address-postalcode", par_code_postal(m)).await;
    r.verifier("recherche: published systems that nothing uses", systemes_publies(m)).await;
    r.verifier("recherche: offers under an organization", par_porteur(m)).await;
    r.verifier("recherche: criteria together", ensemble(m)).await;
    r.verifier("recherche: standard offer package of one offer", paquet_d_une_offre(m)).await;
    r.verifier("recherche: standard offer package of a site", paquet_d_un_site(m)).await;
    r.verifier("recherche: standard offer package of everything", paquet_de_tout(m)).await;
}

/// The search finds these, and says so in its total.
async fn comparer(m: &Monde, genre: &str, parametres: &[(&str, &str)], attendus: &Ids) -> Result<()> {
    let requete = ror_e2e::client::requete(parametres);
    let mut trouves = Ids::new();
    for page in m.p1.pages(genre, parametres).await? {
        ensure!(
            page["total"].as_u64() == Some(attendus.len() as u64),
            "{genre}?{requete}: total {} instead of {}",
            page["total"],
            attendus.len()
        );
        trouves.extend(entrees(&page).map(|(_, ressource)| texte(ressource, "/id").to_owned()));
    }
    let manquants: Vec<&String> = attendus.difference(&trouves).take(5).collect();
    let intrus: Vec<&String> = trouves.difference(attendus).take(5).collect();
    ensure!(
        manquants.is_empty() && intrus.is_empty(),
        "{genre}?{requete}: {} found, {} expected; missing {manquants:?}, not expected {intrus:?}",
        trouves.len(),
        attendus.len()
    );
    Ok(())
}

async fn par_id(m: &Monde, genre: &str) -> Result<()> {
    let tous: Vec<String> = m.vue1.ids(genre).into_iter().collect();
    let (premier, dernier) = (tous.first().context("none")?, tous.last().context("none")?);
    let deux = format!("{premier},{dernier}");
    let absent = format!("{dernier},n-existe-pas");
    let ids = |ids: &[&String]| -> Ids { ids.iter().map(|id| (*id).clone()).collect() };
    comparer(m, genre, &[("_id", premier)], &ids(&[premier])).await?;
    comparer(m, genre, &[("_id", &deux)], &ids(&[premier, dernier])).await?;
    comparer(m, genre, &[("_id", &absent)], &ids(&[dernier])).await?;
    comparer(m, genre, &[("_id", "n-existe-pas")], &Ids::new()).await?;
    comparer(m, genre, &[("_id", &deux), ("_id", premier)], &ids(&[premier])).await?;
    let et = [("_id", premier.as_str()), ("_id", dernier.as_str())];
    let attendus = if premier == dernier { ids(&[premier]) } else { Ids::new() };
    comparer(m, genre, &et, &attendus).await
}

async fn par_region(m: &Monde, genre: &str) -> Result<()> {
    let region = m.region()?;
    let de = |code: &str| {
        m.vue1.filtrer(genre, |r| codages(&r["meta"]["tag"]).iter().any(|(s, c)| s == REGION && c == code))
    };
    // A professional may be of no region.
    ensure!(genre == "Practitioner" || !de(region).is_empty(), "no {genre} of region {region}");
    let complet = format!("{REGION}|{region}");
    let ou = format!("{REGION}|06,{REGION}|{region}");
    comparer(m, genre, &[("_tag", region)], &de(region)).await?;
    comparer(m, genre, &[("_tag", &complet)], &de(region)).await?;
    comparer(m, genre, &[("_tag", &ou)], &de("06").union(&de(region)).cloned().collect()).await?;
    comparer(m, genre, &[("_tag", "06")], &de("06")).await?;
    comparer(
        m,
        genre,
        &[("_tag", region), ("_tag", "06")],
        &de("06").intersection(&de(region)).cloned().collect(),
    )
    .await
}

async fn par_date(m: &Monde, genre: &str) -> Result<()> {
    let date = |r: &Value| temps::lire(texte(r, "/meta/lastUpdated")).unwrap_or(0);
    let mut dates: Vec<i64> = m.vue1.tous(genre).map(date).collect();
    dates.sort_unstable();
    let milieu = *dates.get(dates.len() / 2).context("none")?;
    let (instant, jour) = (temps::ecrire(milieu), temps::ecrire(milieu)[..10].to_owned());
    type Comparaison = fn(i64, i64) -> bool;
    let prefixes: [(&str, Comparaison); 8] = [
        ("", |a, b| a == b),
        ("eq", |a, b| a == b),
        ("ne", |a, b| a != b),
        ("gt", |a, b| a > b),
        ("ge", |a, b| a >= b),
        ("sa", |a, b| a > b),
        ("lt", |a, b| a < b),
        ("le", |a, b| a <= b),
    ];
    for (prefixe, compare) in prefixes {
        let attendus = m.vue1.filtrer(genre, |r| compare(date(r), milieu));
        comparer(m, genre, &[("_lastUpdated", &format!("{prefixe}{instant}"))], &attendus).await?;
    }
    // The same instant two hours to the east, as a feed with its own zone writes it.
    let est = temps::ecrire(milieu + 7_200_000).replace('Z', "+02:00");
    let depuis = m.vue1.filtrer(genre, |r| date(r) >= milieu);
    comparer(m, genre, &[("_lastUpdated", &format!("ge{est}"))], &depuis).await?;
    let du_jour = m.vue1.filtrer(genre, |r| texte(r, "/meta/lastUpdated").starts_with(&jour));
    comparer(m, genre, &[("_lastUpdated", &jour)], &du_jour).await?;
    let tous = m.vue1.ids(genre);
    comparer(m, genre, &[("_lastUpdated", "ge2020-01-01T15:00")], &tous).await?;
    comparer(m, genre, &[("_lastUpdated", "lt2020")], &Ids::new()).await?;
    let entre = [("_lastUpdated", format!("ge{instant}")), ("_lastUpdated", format!("le{instant}"))];
    let entre: Vec<(&str, &str)> = entre.iter().map(|(n, v)| (*n, v.as_str())).collect();
    comparer(m, genre, &entre, &m.vue1.filtrer(genre, |r| date(r) == milieu)).await?;
    let ou = format!("lt2020-01-01,gt{instant}");
    comparer(m, genre, &[("_lastUpdated", &ou)], &m.vue1.filtrer(genre, |r| date(r) > milieu)).await
}

async fn par_identifiant(m: &Monde, genre: &str) -> Result<()> {
    let tous: Vec<Code> = m.vue1.tous(genre).flat_map(identifiants).collect();
    ensure!(!tous.is_empty(), "no {genre} has an identifier");
    let ayant = |valeurs: &[&str]| {
        m.vue1.filtrer(genre, |r| identifiants(r).iter().any(|(_, v)| valeurs.contains(&v.as_str())))
    };
    let choisis = [0, tous.len() / 3, tous.len() / 2, tous.len() - 1].map(|rang| &tous[rang]);
    for (systeme, valeur) in choisis {
        comparer(m, genre, &[("identifier", valeur)], &ayant(&[valeur])).await?;
        if !systeme.is_empty() {
            let complet = format!("{systeme}|{valeur}");
            let attendus =
                m.vue1.filtrer(genre, |r| identifiants(r).contains(&(systeme.clone(), valeur.clone())));
            comparer(m, genre, &[("identifier", &complet)], &attendus).await?;
        }
    }
    let (un, deux) = (&choisis[0].1, &choisis[3].1);
    comparer(m, genre, &[("identifier", &format!("{un},{deux}"))], &ayant(&[un, deux])).await?;
    let tous_deux: Ids = ayant(&[un]).intersection(&ayant(&[deux])).cloned().collect();
    comparer(m, genre, &[("identifier", un), ("identifier", deux)], &tous_deux).await?;
    // Two identifiers of one resource, where some resource has two.
    let double = m.vue1.tous(genre).map(identifiants).find(|i| i.len() >= 2);
    if let Some([(_, a), (_, b), ..]) = double.as_deref() {
        let tous_deux: Ids = ayant(&[a]).intersection(&ayant(&[b])).cloned().collect();
        ensure!(!tous_deux.is_empty(), "an oracle that forgets");
        comparer(m, genre, &[("identifier", a), ("identifier", b)], &tous_deux).await?;
    }
    Ok(())
}

/// The resources that carry one of these codes; an empty system is any.
fn portant(vue: &Vue, genre: &str, lecteur: Lecteur, codes: &[(&str, &str)]) -> Ids {
    vue.filtrer(genre, |r| {
        lecteur(r).iter().any(|(s, c)| {
            codes.iter().any(|(systeme, code)| c == code && (systeme.is_empty() || s == systeme))
        })
    })
}

async fn par_code(m: &Monde, genre: &str, nom: &str, lecteur: Lecteur) -> Result<()> {
    let mut frequences: BTreeMap<Code, usize> = BTreeMap::new();
    for code in m.vue1.tous(genre).flat_map(lecteur) {
        *frequences.entry(code).or_default() += 1;
    }
    let mut codes: Vec<(&Code, &usize)> = frequences.iter().collect();
    codes.sort_by_key(|(code, nombre)| (**nombre, *code));
    ensure!(!codes.is_empty(), "no {genre} has a {nom}");
    let choisis = [0, codes.len() / 3, codes.len() / 2, codes.len() - 1].map(|rang| codes[rang].0);
    for (systeme, code) in choisis {
        let complet = format!("{systeme}|{code}");
        comparer(m, genre, &[(nom, &complet)], &portant(&m.vue1, genre, lecteur, &[(systeme, code)])).await?;
        comparer(m, genre, &[(nom, code)], &portant(&m.vue1, genre, lecteur, &[("", code)])).await?;
    }
    let [(s1, c1), .., (s2, c2)] = choisis;
    let ou = format!("{s1}|{c1},{s2}|{c2}");
    comparer(m, genre, &[(nom, &ou)], &portant(&m.vue1, genre, lecteur, &[(s1, c1), (s2, c2)])).await?;
    let ou = format!("{c1},{c2}");
    comparer(m, genre, &[(nom, &ou)], &portant(&m.vue1, genre, lecteur, &[("", c1), ("", c2)])).await?;
    // Two codes of one resource, where some resource has two.
    let double = m.vue1.tous(genre).map(lecteur).find(|codes| codes.len() >= 2);
    let (a, b) = match double.as_deref() {
        Some([a, b, ..]) => (a, b),
        _ => (choisis[0], choisis[3]),
    };
    let (et_a, et_b) = (format!("{}|{}", a.0, a.1), format!("{}|{}", b.0, b.1));
    let avec = |code: &Code| portant(&m.vue1, genre, lecteur, &[(code.0.as_str(), code.1.as_str())]);
    let attendus: Ids = avec(a).intersection(&avec(b)).cloned().collect();
    comparer(m, genre, &[(nom, &et_a), (nom, &et_b)], &attendus).await
}

async fn par_nom(m: &Monde, genre: &str) -> Result<()> {
    let noms: BTreeSet<&str> =
        m.vue1.tous(genre).map(|r| texte(r, "/name")).filter(|n| n.len() >= 8).collect();
    let noms: Vec<&str> = noms.into_iter().collect();
    ensure!(!noms.is_empty(), "no {genre} has a name");
    let accent = noms.iter().find(|nom| nom.chars().take(6).any(|c| !c.is_ascii())).copied();
    let mut choisis = vec![noms[0], noms[noms.len() / 2], noms[noms.len() - 1]];
    choisis.extend(accent);
    let commencant = |debut: &str| {
        let debut = plier(debut);
        // The alias of a site may count as its name or not: only take beginnings where it is the same.
        let par_nom = m.vue1.filtrer(genre, |r| plier(texte(r, "/name")).starts_with(&debut));
        let par_alias = m.vue1.filtrer(genre, |r| {
            let mut alias = tableau(r, "alias").iter().filter_map(Value::as_str);
            alias.any(|a| plier(a).starts_with(&debut))
        });
        par_alias.is_subset(&par_nom).then_some(par_nom)
    };
    let mut faites = 0;
    for nom in choisis {
        let debut: String = nom.chars().take(6).filter(|c| *c != ',').collect();
        for ecrit in [debut.clone(), debut.to_uppercase(), plier(&debut), nom.replace(',', "\\,")] {
            let Some(attendus) = commencant(&ecrit.replace("\\,", ",")) else { continue };
            comparer(m, genre, &[("name", &ecrit)], &attendus).await?;
            faites += 1;
        }
    }
    ensure!(faites > 0, "no beginning to try");
    Ok(())
}

/// What the specification names is a search that finds nothing, not a fault.
async fn systemes_publies(m: &Monde) -> Result<()> {
    let cas = [
        ("HealthcareService", "characteristic", "R350-ProfessionRessource"),
        ("HealthcareService", "characteristic", "R238-OuvertureAnnuelle"),
        ("Organization", "price-dependency-level", "R237-NiveauDependance"),
        ("Organization", "type", "R316-AutreCategorieEtablissement"),
    ];
    for (genre, nom, systeme) in cas {
        let valeur =
            format!("https://mos.esante.gouv.fr/NOS/TRE_{systeme}/FHIR/TRE-{systeme}|nothing-has-it");
        comparer(m, genre, &[(nom, &valeur)], &Ids::new()).await?;
    }
    Ok(())
}

async fn par_code_postal(m: &Monde) -> Result<()> {
    let postal = |r: &Value| texte(r, "/address/postalCode").to_owned();
    let reference = m.exemple("code_postal")?;
    let autre =
        m.vue1.tous("Location").map(postal).find(|p| !p.is_empty() && p != reference).context("one town")?;
    let commencant =
        |debuts: &[&str]| m.vue1.filtrer("Location", |r| debuts.iter().any(|d| postal(r).starts_with(*d)));
    for debut in [reference, &reference[..2], &autre, &autre[..3]] {
        comparer(m, "Location", &[("address-postalcode", debut)], &commencant(&[debut])).await?;
    }
    let ou = format!("{reference},{autre}");
    comparer(m, "Location", &[("address-postalcode", &ou)], &commencant(&[reference, &autre])).await?;
    let et = [("address-postalcode", reference), ("address-postalcode", &reference[..2])];
    comparer(m, "Location", &et, &commencant(&[reference])).await?;
    comparer(m, "Location", &[("address-postalcode", "00000")], &Ids::new()).await
}

/// Offers provided by an organization with this identifier, or by one below it.
fn sous_structure(vue: &Vue, valeur: &str) -> Ids {
    let porte = |o: &Value| identifiants(o).iter().any(|(_, v)| v == valeur);
    vue.filtrer("HealthcareService", |offre| vue.porteurs(offre).into_iter().any(porte))
}

async fn par_porteur(m: &Monde) -> Result<()> {
    let nom = "organization.identifier:above";
    let finess = m.exemple("eg_finess")?;
    let du_site = sous_structure(&m.vue1, finess);
    ensure!(du_site.contains(m.exemple("offre_id")?), "an oracle that forgets");
    let par_oi = du_site.iter().filter_map(|id| m.vue1.un("HealthcareService", id)).any(|offre| {
        let porteur = offre.get("providedBy").and_then(|r| cible(r, "Organization"));
        porteur != m.exemple("eg_id").ok()
    });
    ensure!(par_oi, "no offer of the reference site is carried by an internal organisation");
    comparer(m, "HealthcareService", &[(nom, finess)], &du_site).await?;
    let complet = format!("https://finess.esante.gouv.fr|{finess}");
    comparer(m, "HealthcareService", &[(nom, &complet)], &du_site).await?;
    comparer(m, "HealthcareService", &[(nom, m.exemple("eg_idnatst")?)], &du_site).await?;
    // The legal entity, the site, the internal organisation: each gives its own offers.
    let offre = m.vue1.un("HealthcareService", m.exemple("offre_id")?).context("the reference offer")?;
    for porteur in m.vue1.porteurs(offre) {
        for (_, valeur) in identifiants(porteur) {
            comparer(m, "HealthcareService", &[(nom, &valeur)], &sous_structure(&m.vue1, &valeur)).await?;
        }
    }
    let ehpad = m.vue1.un("Organization", m.exemple("ehpad_id")?).context("the EHPAD")?;
    let (_, autre) = identifiants(ehpad).pop().context("its identifier")?;
    let ou = format!("{finess},{autre}");
    let attendus = du_site.union(&sous_structure(&m.vue1, &autre)).cloned().collect();
    comparer(m, "HealthcareService", &[(nom, &ou)], &attendus).await?;
    comparer(m, "HealthcareService", &[(nom, "000000000")], &Ids::new()).await
}

async fn ensemble(m: &Monde) -> Result<()> {
    let offre = m.vue1.un("HealthcareService", m.exemple("offre_id")?).context("the reference offer")?;
    let premier = |cle: &str| codages(&offre[cle]).into_iter().next().with_context(|| format!("no {cle}"));
    let (activite, champ, mode) = (premier("specialty")?, premier("type")?, premier("characteristic")?);
    let jeton = |code: &Code| format!("{}|{}", code.0, code.1);
    let region = m.region()?;
    let tiennent = |r: &Value| {
        codages(&r["specialty"]).contains(&activite)
            && codages(&r["type"]).contains(&champ)
            && codages(&r["characteristic"]).contains(&mode)
            && codages(&r["meta"]["tag"]).iter().any(|(_, c)| c == region)
    };
    let parametres = [
        ("specialty", jeton(&activite)),
        ("service-type", jeton(&champ)),
        ("characteristic", jeton(&mode)),
        ("_tag", region.to_owned()),
        ("_lastUpdated", "ge2020-01-01".to_owned()),
    ];
    let parametres: Vec<(&str, &str)> = parametres.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let attendus = m.vue1.filtrer("HealthcareService", tiennent);
    ensure!(!attendus.is_empty(), "an oracle that forgets");
    comparer(m, "HealthcareService", &parametres, &attendus).await?;
    let finess = m.exemple("eg_finess")?;
    let mut avec_site = parametres;
    avec_site.push(("organization.identifier:above", finess));
    let attendus = attendus.intersection(&sous_structure(&m.vue1, finess)).cloned().collect();
    comparer(m, "HealthcareService", &avec_site, &attendus).await
}

/// What the package must bring for these offers, as type and id.
pub fn inclus(vue: &Vue, offres: &Ids) -> BTreeSet<(String, String)> {
    let mut ensemble = BTreeSet::new();
    let mut noter = |genre: &str, id: &str| {
        if vue.un(genre, id).is_some() {
            ensemble.insert((genre.to_owned(), id.to_owned()));
        }
    };
    for offre in offres.iter().filter_map(|id| vue.un("HealthcareService", id)) {
        for structure in vue.porteurs(offre) {
            noter("Organization", texte(structure, "/id"));
        }
        for lieu in tableau(offre, "location").iter().filter_map(|r| cible(r, "Location")) {
            noter("Location", lieu);
        }
    }
    for role in vue.tous("PractitionerRole") {
        let offre = vue.offre_du_role(role).map(|o| texte(o, "/id"));
        if offre.is_some_and(|id| offres.contains(id)) {
            noter("PractitionerRole", texte(role, "/id"));
            if let Some(id) = role.get("practitioner").and_then(|r| cible(r, "Practitioner")) {
                noter("Practitioner", id);
            }
        }
    }
    ensemble
}

/// The package of a search brings exactly what one profile may see of it.
pub async fn paquet(
    client: &ror_e2e::Client,
    vue: &Vue,
    criteres: &[(&str, &str)],
    attendus: &Ids,
) -> Result<()> {
    let mut parametres = criteres.to_vec();
    parametres.extend(PAQUET);
    let mut trouves = Ids::new();
    for page in client.pages("HealthcareService", &parametres).await? {
        ensure!(page["total"].as_u64() == Some(attendus.len() as u64), "total {}", page["total"]);
        let (mut de_la_page, mut vus) = (Ids::new(), BTreeSet::new());
        for (mode, ressource) in entrees(&page) {
            let (genre, id) = (texte(ressource, "/resourceType"), texte(ressource, "/id"));
            match mode {
                "match" => {
                    ensure!(genre == "HealthcareService", "{genre}/{id} as a match");
                    ensure!(de_la_page.insert(id.to_owned()), "{id} twice");
                }
                "include" => ensure!(vus.insert((genre.to_owned(), id.to_owned())), "{genre}/{id} twice"),
                autre => anyhow::bail!("search mode {autre:?}"),
            }
            // An entry is what a read of it would give.
            ensure!(vue.un(genre, id) == Some(ressource), "{genre}/{id} is not what {} sees", client.nom);
        }
        let voulus = inclus(vue, &de_la_page);
        let manquants: Vec<_> = voulus.difference(&vus).take(5).collect();
        let intrus: Vec<_> = vus.difference(&voulus).take(5).collect();
        ensure!(
            manquants.is_empty() && intrus.is_empty(),
            "{} matches: not included {manquants:?}, included {intrus:?}",
            de_la_page.len()
        );
        trouves.extend(de_la_page);
    }
    ensure!(&trouves == attendus, "{} matches instead of {}", trouves.len(), attendus.len());
    Ok(())
}

async fn paquet_d_une_offre(m: &Monde) -> Result<()> {
    for nom in ["offre_id", "offre_ville_id", "offre_ehpad_id"] {
        let id = m.exemple(nom)?;
        let attendus = Ids::from([id.to_owned()]);
        let voulus = inclus(&m.vue1, &attendus);
        let genres: BTreeSet<&str> = voulus.iter().map(|(genre, _)| genre.as_str()).collect();
        ensure!(genres.contains("Organization") && genres.contains("Location"), "{nom}: {genres:?}");
        if nom == "offre_ville_id" {
            ensure!(genres.contains("Practitioner"), "{nom} has no professional");
        }
        paquet(&m.p1, &m.vue1, &[("_id", id)], &attendus).await.with_context(|| nom.to_owned())?;
    }
    Ok(())
}

async fn paquet_d_un_site(m: &Monde) -> Result<()> {
    let finess = m.exemple("eg_finess")?;
    let attendus = sous_structure(&m.vue1, finess);
    paquet(&m.p1, &m.vue1, &[("organization.identifier:above", finess)], &attendus).await
}

async fn paquet_de_tout(m: &Monde) -> Result<()> {
    paquet(&m.p1, &m.vue1, &[], &m.vue1.ids("HealthcareService")).await
}
