//! What each profile may see, and what it must not be able to guess.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Rapport,
    fhir::{CAN, CAPACITE, EQUIPEMENT, cible, codages, code_extension, extensions, issue, tableau, texte},
    patch::{enregistrements, nombre, tuple},
    vue::{Ids, Vue, sensible, ville},
};
use serde_json::Value;

use crate::{monde::Monde, recherche::paquet};

/// Code systems of the fine characteristics of an offer.
const FINES: [&str; 6] = [
    "/TRE_R210-ActeSpecifique/",
    "/TRE_R245-SpecialisationDePriseEnCharge/",
    "/TRE_R350-ProfessionRessource/",
    "/TRE_R356-ProfessionRessource/",
    "/TRE_R94-ProfessionSocial/",
    "/TRE_R243-CompetenceSpecifique/",
];

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("droits: offers seen by each profile", offres(m)).await;
    r.verifier("droits: places seen by each profile", lieux(m)).await;
    r.verifier("droits: roles and professionals seen by each profile", roles(m)).await;
    r.verifier("droits: structures seen by each profile", structures(m)).await;
    r.verifier("droits: a hidden thing reads as one that does not exist", cachees(m)).await;
    r.verifier("droits: a hidden offer is found by no search", introuvable(m)).await;
    r.verifier("droits: packages bring nothing hidden", paquets(m)).await;
    r.verifier("droits: profile 0 sees no fine characteristic", fines(m)).await;
    r.verifier("droits: profile 0 finds nothing by a fine characteristic", recherche_fine(m)).await;
    r.verifier("droits: profile 0 sees no capacity and no equipment", sans_capacite(m)).await;
    r.verifier("droits: profile 2 sees capacities but supplementary ones", capacites(m)).await;
    r.verifier("droits: contacts by their level", contacts(m)).await;
    r.verifier("droits: telecoms by their level", telecoms(m)).await;
    r.verifier("droits: what only profile 1 sees of a site", recours(m)).await;
}

fn sensibles(m: &Monde) -> Ids {
    m.vue1.filtrer("HealthcareService", sensible)
}

/// The view has exactly these of a type.
fn exactement(vue: &Vue, genre: &str, attendus: &Ids, profil: u8) -> Result<()> {
    let vus = vue.ids(genre);
    let manquants: Vec<&String> = attendus.difference(&vus).take(5).collect();
    let intrus: Vec<&String> = vus.difference(attendus).take(5).collect();
    ensure!(
        manquants.is_empty() && intrus.is_empty(),
        "profile {profil}, {genre}: {} seen, {} expected; missing {manquants:?}, too many {intrus:?}",
        vus.len(),
        attendus.len()
    );
    Ok(())
}

async fn offres(m: &Monde) -> Result<()> {
    let sensibles = sensibles(m);
    ensure!(
        sensibles.contains(m.exemple("offre_sensible_id")?),
        "profile 1 does not see the sensitive offer"
    );
    let attendues = m.vue1.ids("HealthcareService").difference(&sensibles).cloned().collect();
    exactement(&m.vue0, "HealthcareService", &attendues, 0)?;
    exactement(&m.vue2, "HealthcareService", &attendues, 2)
}

/// Places all of whose offers are sensitive.
fn lieux_caches(vue: &Vue) -> Ids {
    let par_lieu = vue.offres_par_lieu();
    let tous = par_lieu.into_iter().filter(|(_, offres)| offres.iter().all(|offre| sensible(offre)));
    tous.map(|(id, _)| id.to_owned()).collect()
}

async fn lieux(m: &Monde) -> Result<()> {
    let caches = lieux_caches(&m.vue1);
    ensure!(!caches.is_empty(), "the demo has no place of sensitive offers only");
    let attendus = m.vue1.ids("Location").difference(&caches).cloned().collect();
    exactement(&m.vue0, "Location", &attendus, 0)?;
    exactement(&m.vue2, "Location", &attendus, 2)
}

async fn roles(m: &Monde) -> Result<()> {
    let permis =
        |role: &Value, condition: fn(&Value) -> bool| m.vue1.offre_du_role(role).is_some_and(condition);
    type Regle = fn(&Value) -> bool;
    let profils: [(&Vue, u8, Regle); 2] =
        [(&m.vue0, 0, |offre| ville(offre) && !sensible(offre)), (&m.vue2, 2, |offre| !sensible(offre))];
    for (vue, profil, condition) in profils {
        let attendus = m.vue1.filtrer("PractitionerRole", |role| permis(role, condition));
        ensure!(!attendus.is_empty(), "profile {profil} would see no role");
        exactement(vue, "PractitionerRole", &attendus, profil)?;
        let praticien =
            |role: &Value| role.get("practitioner").and_then(|r| cible(r, "Practitioner")).map(str::to_owned);
        let attendus: Ids = m
            .vue1
            .tous("PractitionerRole")
            .filter(|role| permis(role, condition))
            .filter_map(praticien)
            .collect();
        // Professionals without any role here are told by no rule: leave them out.
        let avec_role: Ids = m.vue1.tous("PractitionerRole").filter_map(praticien).collect();
        let vus: Ids = vue.ids("Practitioner").intersection(&avec_role).cloned().collect();
        let ecarts: Vec<&String> = vus.symmetric_difference(&attendus).take(5).collect();
        ensure!(ecarts.is_empty(), "profile {profil}, Practitioner: {ecarts:?}");
    }
    Ok(())
}

/// EJ and EG are seen by all; an internal organisation whose only offers are sensitive is not.
async fn structures(m: &Monde) -> Result<()> {
    let (mut montrees, mut cachees) = (Ids::new(), Ids::new());
    for offre in m.vue1.tous("HealthcareService") {
        let porteur = m.vue1.porteurs(offre).first().map(|p| texte(p, "/id").to_owned());
        let groupe = if sensible(offre) { &mut cachees } else { &mut montrees };
        groupe.extend(porteur);
    }
    let interne = |id: &&String| {
        m.vue1.un("Organization", id).is_some_and(|o| {
            !texte(o, "/partOf/reference").is_empty()
                && codages(&o["type"]).iter().any(|(systeme, _)| systeme.contains("TRE_R207"))
        })
    };
    let cachees: Ids = cachees.difference(&montrees).filter(interne).cloned().collect();
    ensure!(!cachees.is_empty(), "the demo holds an internal organisation with sensitive offers only");
    let attendus: Ids = m.vue1.ids("Organization").difference(&cachees).cloned().collect();
    exactement(&m.vue0, "Organization", &attendus, 0)?;
    exactement(&m.vue2, "Organization", &attendus, 2)
}

async fn cachees(m: &Monde) -> Result<()> {
    let offre = m.exemple("offre_sensible_id")?.to_owned();
    let lieu = lieux_caches(&m.vue1).into_iter().next().context("no hidden place")?;
    let role = m.vue1.ids("PractitionerRole").difference(&m.vue0.ids("PractitionerRole")).next().cloned();
    let praticien = m.vue1.ids("Practitioner").difference(&m.vue0.ids("Practitioner")).next().cloned();
    let mut cas =
        vec![("HealthcareService", offre, vec![&m.p0, &m.p2]), ("Location", lieu, vec![&m.p0, &m.p2])];
    cas.extend(role.map(|id| ("PractitionerRole", id, vec![&m.p0])));
    cas.extend(praticien.map(|id| ("Practitioner", id, vec![&m.p0])));
    let inconnu = uuid::Uuid::new_v4().to_string();
    for (genre, id, clients) in cas {
        m.p1.lire(&format!("{genre}/{id}")).await?.attendre(200)?;
        for client in clients {
            let cachee = client.lire(&format!("{genre}/{id}")).await?;
            issue(&cachee, 404, "not-found")?;
            let absente = client.lire(&format!("{genre}/{inconnu}")).await?;
            ensure!(
                cachee.texte.replace(&id, "ID") == absente.texte.replace(&inconnu, "ID"),
                "{} can tell a hidden {genre} from none: {} / {}",
                client.nom,
                cachee.texte,
                absente.texte
            );
            ensure!(cachee.entete("etag") == absente.entete("etag"), "{}: an etag", client.nom);
        }
    }
    Ok(())
}

/// A search by that client finds nothing.
async fn rien(client: &Client, genre: &str, parametres: &[(&str, &str)]) -> Result<()> {
    let page = client.chercher(genre, parametres).await?.attendre(200)?;
    let trouves = tableau(&page.corps, "entry").len();
    ensure!(
        page.corps["total"] == 0 && trouves == 0,
        "{}: {genre}?{parametres:?} finds {}",
        client.nom,
        page.corps["total"]
    );
    Ok(())
}

async fn introuvable(m: &Monde) -> Result<()> {
    let id = m.exemple("offre_sensible_id")?;
    let offre = m.vue1.un("HealthcareService", id).context("the sensitive offer")?;
    let identifiant = texte(offre, "/identifier/0/value");
    let lieu = lieux_caches(&m.vue1).into_iter().next().context("no hidden place")?;
    for client in [&m.p0, &m.p2] {
        rien(client, "HealthcareService", &[("_id", id)]).await?;
        rien(client, "HealthcareService", &[("identifier", identifiant)]).await?;
        rien(client, "HealthcareService", &[("identifier", identifiant), ("_count", "0")]).await.or_else(
            |faute| {
                // `_count=0` may be refused, but must not tell.
                if format!("{faute:#}").contains("status 400") { Ok(()) } else { Err(faute) }
            },
        )?;
        rien(client, "Location", &[("_id", &lieu)]).await?;
        let nom = texte(offre, "/name");
        let trouvees = client.pages("HealthcareService", &[("name", &nom.replace(',', "\\,"))]).await?;
        for page in &trouvees {
            let mut ids = tableau(page, "entry").iter().map(|e| texte(e, "/resource/id"));
            ensure!(ids.all(|trouve| trouve != id), "{}: found by its name", client.nom);
        }
    }
    Ok(())
}

async fn paquets(m: &Monde) -> Result<()> {
    let finess = m.exemple("eg_finess")?;
    let criteres = [("organization.identifier:above", finess)];
    for (client, vue) in [(&m.p0, &m.vue0), (&m.p2, &m.vue2)] {
        let porte = |offre: &Value| {
            let porteurs = vue.porteurs(offre);
            porteurs.iter().any(|o| ror_e2e::fhir::identifiants(o).iter().any(|(_, v)| v == finess))
        };
        let attendus = vue.filtrer("HealthcareService", porte);
        ensure!(!attendus.is_empty(), "{} sees nothing of the reference site", client.nom);
        ensure!(
            !attendus.contains(m.exemple("offre_sensible_id")?),
            "{} sees the sensitive offer",
            client.nom
        );
        paquet(client, vue, &criteres, &attendus).await.with_context(|| client.nom.clone())?;
        let id = m.exemple("offre_ville_id")?;
        paquet(client, vue, &[("_id", id)], &Ids::from([id.to_owned()]))
            .await
            .with_context(|| client.nom.clone())?;
    }
    Ok(())
}

/// Whether a code system is one of the fine characteristics.
pub fn fine(systeme: &str) -> bool {
    FINES.iter().any(|morceau| systeme.contains(*morceau))
}

/// Characteristics of an offer, as a set.
fn caracteristiques(offre: &Value) -> BTreeSet<(String, String)> {
    codages(&offre["characteristic"]).into_iter().collect()
}

async fn fines(m: &Monde) -> Result<()> {
    let mut retirees = 0;
    for offre in m.vue0.tous("HealthcareService") {
        let id = texte(offre, "/id");
        let complete = m.vue1.un("HealthcareService", id).context("profile 1 sees less than profile 0")?;
        let attendues: BTreeSet<_> =
            caracteristiques(complete).into_iter().filter(|(s, _)| !fine(s)).collect();
        ensure!(caracteristiques(offre) == attendues, "{id}: {:?}", caracteristiques(offre));
        retirees += caracteristiques(complete).len() - attendues.len();
    }
    ensure!(retirees > 0, "the demo has no fine characteristic");
    for offre in m.vue2.tous("HealthcareService") {
        let complete = m.vue1.un("HealthcareService", texte(offre, "/id")).context("profile 1 sees less")?;
        ensure!(
            caracteristiques(offre) == caracteristiques(complete),
            "profile 2: {}",
            offre["characteristic"]
        );
    }
    Ok(())
}

async fn recherche_fine(m: &Monde) -> Result<()> {
    let mut essayes: BTreeSet<String> = BTreeSet::new();
    for (systeme, code) in m.vue1.tous("HealthcareService").flat_map(|o| codages(&o["characteristic"])) {
        if !fine(&systeme) || !essayes.insert(systeme.clone()) {
            continue;
        }
        let jeton = format!("{systeme}|{code}");
        let vues = m.p1.chercher("HealthcareService", &[("characteristic", &jeton)]).await?.attendre(200)?;
        ensure!(vues.corps["total"].as_u64() > Some(0), "profile 1 finds nothing by {jeton}");
        rien(&m.p0, "HealthcareService", &[("characteristic", &jeton)]).await?;
        // Without system, only what the other systems say of that code remains.
        let autres =
            m.vue0.filtrer("HealthcareService", |o| caracteristiques(o).iter().any(|(_, c)| *c == code));
        let page = m.p0.chercher("HealthcareService", &[("characteristic", &code)]).await?.attendre(200)?;
        ensure!(
            page.corps["total"].as_u64() == Some(autres.len() as u64),
            "{code}: total {}",
            page.corps["total"]
        );
    }
    ensure!(!essayes.is_empty(), "the demo has no fine characteristic");
    Ok(())
}

async fn sans_capacite(m: &Monde) -> Result<()> {
    for lieu in m.vue0.tous("Location") {
        let dites = extensions(lieu, CAPACITE).chain(extensions(lieu, EQUIPEMENT)).count();
        ensure!(dites == 0, "profile 0 sees {lieu}");
    }
    let equipes =
        m.vue1.tous("Location").filter(|lieu| extensions(lieu, EQUIPEMENT).next().is_some()).count();
    ensure!(equipes > 0, "the demo has no equipment");
    Ok(())
}

async fn capacites(m: &Monde) -> Result<()> {
    let par_lieu = m.vue1.offres_par_lieu();
    let (mut vues, mut retirees) = (0, 0);
    for lieu in m.vue2.tous("Location") {
        let id = texte(lieu, "/id");
        let complet = m.vue1.un("Location", id).context("profile 1 sees less")?;
        let partage = par_lieu.get(id).is_some_and(|offres| offres.iter().any(|offre| sensible(offre)));
        let de = |lieu: &Value| -> Vec<([String; 7], i64)> {
            let mut lus: Vec<_> = enregistrements(lieu).into_iter().map(|e| (tuple(e), nombre(e))).collect();
            lus.sort();
            lus
        };
        let tous = de(complet);
        let attendus: Vec<_> = tous
            .iter()
            .filter(|(t, _)| !partage && t[0] != "06" && t[4].is_empty() && t[5].is_empty())
            .cloned()
            .collect();
        ensure!(de(lieu) == attendus, "{id}: profile 2 sees {:?} of {tous:?}", de(lieu));
        vues += attendus.len();
        retirees += tous.len() - attendus.len();
    }
    ensure!(vues > 0 && retirees > 0, "profile 2 sees {vues} records and misses {retirees}");
    Ok(())
}

/// Highest level a profile sees.
fn plafond(profil: u8) -> &'static str {
    match profil {
        0 => "1",
        2 => "2",
        _ => "3",
    }
}

/// Every level of a kind that a view shows, and how many parts carry it.
fn bornes(m: &Monde, lire: fn(&Value) -> Vec<String>, genres: &[&str]) -> Result<()> {
    for (vue, profil) in [(&m.vue0, 0), (&m.vue2, 2), (&m.vue1, 1)] {
        let mut niveaux: BTreeSet<String> = BTreeSet::new();
        for genre in genres {
            for ressource in vue.tous(genre) {
                for niveau in lire(ressource) {
                    ensure!(
                        ("1"..=plafond(profil)).contains(&niveau.as_str()),
                        "profile {profil} sees level {niveau:?} of {genre}/{}",
                        texte(ressource, "/id")
                    );
                    niveaux.insert(niveau);
                }
            }
        }
        ensure!(niveaux.contains("1"), "profile {profil} sees nothing of level 1");
        ensure!(profil == 0 || niveaux.len() >= 2, "profile {profil} sees {niveaux:?} only");
    }
    Ok(())
}

/// Level of confidentiality that an extension of ours tells.
pub fn niveau(valeur: &Value, url: &str) -> String {
    let url = format!("{CAN}{url}");
    code_extension(valeur, &url).unwrap_or_default().to_owned()
}

/// Levels of the contacts of a structure or of an offer, and of their telecoms.
fn niveaux_de_contact(ressource: &Value) -> Vec<String> {
    let mut niveaux = Vec::new();
    for contact in tableau(ressource, "contact") {
        niveaux.push(niveau(contact, "ror-contact-confidentiality-level"));
        let telecoms = tableau(contact, "telecom").iter();
        niveaux.extend(telecoms.map(|t| niveau(t, "ror-telecom-confidentiality-level")));
    }
    let (contact, telecom) = (
        format!("{CAN}ror-healthcareservice-contact"),
        format!("{CAN}ror-healthcareservice-contact-telecom"),
    );
    for contact in extensions(ressource, &contact) {
        niveaux.push(niveau(contact, "ror-confidentiality-level"));
        niveaux.extend(extensions(contact, &telecom).map(|t| niveau(t, "ror-telecom-confidentiality-level")));
    }
    niveaux
}

async fn contacts(m: &Monde) -> Result<()> {
    bornes(m, niveaux_de_contact, &["Organization", "HealthcareService"])
}

fn niveaux_de_telecom(ressource: &Value) -> Vec<String> {
    let telecoms = tableau(ressource, "telecom").iter();
    telecoms.map(|t| niveau(t, "ror-telecom-confidentiality-level")).collect()
}

async fn telecoms(m: &Monde) -> Result<()> {
    bornes(m, niveaux_de_telecom, &["Location"])?;
    bornes(m, niveaux_de_telecom, &["PractitionerRole"])
}

async fn recours(m: &Monde) -> Result<()> {
    for url in ["ror-organization-level-recours-orsan", "ror-organization-drop-zone"] {
        let url = format!("{CAN}{url}");
        for vue in [&m.vue0, &m.vue2] {
            let vus = vue.filtrer("Organization", |o| extensions(o, &url).next().is_some());
            ensure!(vus.is_empty(), "{url} on {vus:?}");
        }
    }
    Ok(())
}
