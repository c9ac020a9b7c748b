//! The cut itself: what each of the six profiles sees, computed from what profile 1 sees and from
//! the access matrix.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use ror_e2e::{
    Rapport,
    fhir::{CAN, EQUIPEMENT, GENRES, cible, codages, extensions, tableau, texte},
    patch::{enregistrements, tuple},
    vue::{Ids, Vue, sensible, ville},
};
use serde_json::Value;

use crate::{
    droits::{fine, niveau},
    export::tout_exporter,
    monde::Monde,
};

/// Structures followed below one another.
const PROFONDEUR: usize = 8;
/// Status that stands for a supplementary capacity.
const SUPPLEMENTAIRE: u8 = 6;

pub async fn tout(m: &Monde, r: &mut Rapport) {
    for profil in 0..6 {
        r.verifier(&format!("profils: {profil} sees what the matrix says"), coupe(m, profil)).await;
    }
}

/// Conditions by block and profile, as the file of the matrix writes them.
struct Matrice(BTreeMap<(String, u8), String>);

/// What a condition is decided on.
#[derive(Clone, Copy, Default)]
struct Faits {
    sensible: bool,
    /// Some offer of the place is sensitive: its capacities are hidden as if all were.
    partage: bool,
    ms: bool,
    ville: bool,
    contact: u8,
    telecom: u8,
    statut: u8,
}

impl Matrice {
    fn lire() -> Result<Self> {
        let fichier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/access/data/politique.tsv");
        let lue = std::fs::read_to_string(&fichier).with_context(|| fichier.display().to_string())?;
        let mut regles = BTreeMap::new();
        for ligne in lue.lines().filter(|l| !l.starts_with('#') && !l.starts_with("bloc\t")) {
            if let [bloc, profil, condition] = ligne.split('\t').collect::<Vec<_>>()[..] {
                regles.insert((bloc.to_owned(), profil.parse::<u8>()?), condition.to_owned());
            }
        }
        ensure!(regles.len() >= 100, "{} rules", regles.len());
        Ok(Self(regles))
    }

    fn permet(&self, bloc: &str, profil: u8, faits: &Faits) -> Result<bool> {
        let condition =
            self.0.get(&(bloc.to_owned(), profil)).with_context(|| format!("{bloc}, {profil}"))?;
        let faits = match bloc {
            "lieu.capacite" => Faits { sensible: faits.sensible || faits.partage, ..*faits },
            _ => *faits,
        };
        for alternative in condition.split('|') {
            let mut tient = true;
            for terme in alternative.split('&').map(str::trim) {
                let (nie, atome) = terme.strip_prefix('!').map_or((false, terme), |a| (true, a.trim()));
                tient &= faits.vaut(atome)? != nie;
            }
            if tient {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Faits {
    fn vaut(&self, atome: &str) -> Result<bool> {
        let borne =
            |niveau: u8, max: &str| -> Result<bool> { Ok((1..=max.parse::<u8>()?).contains(&niveau)) };
        Ok(match atome {
            "toujours" => true,
            "jamais" => false,
            "sensible" => self.sensible,
            "ms" => self.ms,
            "ville" => self.ville,
            _ => match atome.split_once('=') {
                Some(("contact<", max)) => borne(self.contact, max)?,
                Some(("telecom<", max)) => borne(self.telecom, max)?,
                Some(("statut", code)) => self.statut == code.parse::<u8>()?,
                _ => bail!("atom {atome:?}"),
            },
        })
    }

    fn de_offre(offre: &Value) -> Self {
        let ms = codages(&offre["type"]).iter().any(|(_, code)| code == "04");
        let sensible = sensible(offre);
        Self { sensible, partage: sensible, ms, ville: ville(offre), ..Self::default() }
    }

    /// What several offers say together: a field that all are of, a sensitivity that all have.
    fn ensemble(offres: &[Self]) -> Self {
        let tous = |de: fn(&Self) -> bool| !offres.is_empty() && offres.iter().all(de);
        Self {
            sensible: tous(|f| f.sensible),
            partage: offres.iter().any(|f| f.sensible),
            ms: tous(|f| f.ms),
            ville: tous(|f| f.ville),
            ..Self::default()
        }
    }
}

/// The facts of every resource, out of the view that hides nothing.
struct Monde1<'v> {
    vue: &'v Vue,
    offres: BTreeMap<&'v str, Faits>,
    par_lieu: BTreeMap<&'v str, Vec<Faits>>,
    par_structure: BTreeMap<&'v str, Vec<Faits>>,
    filles: BTreeMap<&'v str, Vec<&'v str>>,
    par_praticien: BTreeMap<&'v str, Vec<Faits>>,
}

fn id(ressource: &Value) -> &str {
    texte(ressource, "/id")
}

impl<'v> Monde1<'v> {
    fn lire(vue: &'v Vue) -> Self {
        let mut monde = Self {
            vue,
            offres: BTreeMap::new(),
            par_lieu: BTreeMap::new(),
            par_structure: BTreeMap::new(),
            filles: BTreeMap::new(),
            par_praticien: BTreeMap::new(),
        };
        for offre in vue.tous("HealthcareService") {
            let faits = Faits::de_offre(offre);
            monde.offres.insert(id(offre), faits);
            for lieu in tableau(offre, "location").iter().filter_map(|r| cible(r, "Location")) {
                monde.par_lieu.entry(lieu).or_default().push(faits);
            }
            if let Some(porteur) = cible(&offre["providedBy"], "Organization") {
                monde.par_structure.entry(porteur).or_default().push(faits);
            }
        }
        for structure in vue.tous("Organization") {
            if let Some(parent) = cible(&structure["partOf"], "Organization") {
                monde.filles.entry(parent).or_default().push(id(structure));
            }
        }
        for role in vue.tous("PractitionerRole") {
            if let Some(praticien) = cible(&role["practitioner"], "Practitioner") {
                let faits = monde.du_role(role);
                monde.par_praticien.entry(praticien).or_default().push(faits);
            }
        }
        monde
    }

    /// A role of no offer is as one of a sensitive offer.
    fn du_role(&self, role: &Value) -> Faits {
        let offre = tableau(role, "healthcareService").first().and_then(|r| cible(r, "HealthcareService"));
        let inconnue = Faits { sensible: true, partage: true, ..Faits::default() };
        offre.and_then(|offre| self.offres.get(offre)).copied().unwrap_or(inconnue)
    }

    fn du_lieu(&self, lieu: &Value) -> Faits {
        Faits::ensemble(self.par_lieu.get(id(lieu)).map_or(&[], Vec::as_slice))
    }

    /// Offers of a structure and of those below it; only an internal organisation is sensitive.
    fn de_la_structure(&self, structure: &Value) -> Faits {
        let (mut faits, mut courantes) = (Vec::new(), vec![id(structure)]);
        for _ in 0..PROFONDEUR {
            let offres = courantes.iter().filter_map(|c| self.par_structure.get(c));
            faits.extend(offres.flatten().copied());
            courantes = courantes.iter().filter_map(|c| self.filles.get(c)).flatten().copied().collect();
        }
        let interne = codages(&structure["type"]).iter().any(|(systeme, _)| systeme.contains("TRE_R207"));
        let ensemble = Faits::ensemble(&faits);
        Faits { sensible: ensemble.sensible && interne, partage: false, ..ensemble }
    }

    fn faits(&self, genre: &str, ressource: &Value) -> Faits {
        match genre {
            "Organization" => self.de_la_structure(ressource),
            "HealthcareService" => Faits::de_offre(ressource),
            "Location" => self.du_lieu(ressource),
            "PractitionerRole" => self.du_role(ressource),
            _ => Faits::default(),
        }
    }

    fn visible(&self, genre: &str, r: &Value, profil: u8, matrice: &Matrice) -> Result<bool> {
        let permet = |bloc: &str, faits: &Faits| matrice.permet(bloc, profil, faits);
        let faits = self.faits(genre, r);
        match genre {
            // An internal organisation of sensitive offers only is hidden as they are.
            "Organization" if faits.sensible => {
                Ok(permet("structure.base", &faits)? && permet("offre.base", &faits)?)
            }
            "Organization" => permet("structure.base", &faits),
            "HealthcareService" => permet("offre.base", &faits),
            "Location" => permet("lieu.base", &faits),
            "PractitionerRole" => permet("situation.base", &faits),
            // By one of its roles; without any, as a person of no field.
            _ => match self.par_praticien.get(id(r)) {
                None => permet("professionnel.base", &faits),
                Some(roles) => {
                    for role in roles {
                        if permet("situation.base", role)? && permet("professionnel.base", role)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
            },
        }
    }
}

async fn coupe(m: &Monde, profil: u8) -> Result<()> {
    let client = m.mesh.client(&format!("p{profil}"))?;
    let (matrice, complete) = (Matrice::lire()?, Vue::lire(&m.p1).await?);
    let monde = Monde1::lire(&complete);
    let vue = Vue::lire(&client).await?;
    let (export, _) = tout_exporter(&client).await?;
    let mut parties = 0;
    for genre in GENRES {
        let mut attendus = Ids::new();
        for r in complete.tous(genre) {
            if monde.visible(genre, r, profil, &matrice)? {
                attendus.insert(id(r).to_owned());
            }
        }
        let (tous, vus) = (complete.ids(genre).len(), vue.ids(genre));
        let exportes: Ids = export.keys().filter(|(g, _)| g == genre).map(|(_, id)| id.clone()).collect();
        for (voie, ids) in [("walk", &vus), ("export", &exportes)] {
            let manquants: Vec<&String> = attendus.difference(ids).take(5).collect();
            let intrus: Vec<&String> = ids.difference(&attendus).take(5).collect();
            ensure!(
                manquants.is_empty() && intrus.is_empty(),
                "{genre}, {voie}: {} of {tous} expected, {} seen; missing {manquants:?}, not expected {intrus:?}",
                attendus.len(),
                ids.len()
            );
        }
        let compte = client.chercher(genre, &[("_summary", "count")]).await?.attendre(200)?;
        ensure!(
            compte.corps["total"].as_u64() == Some(attendus.len() as u64),
            "{genre}: total {} instead of {}",
            compte.corps["total"],
            attendus.len()
        );
        for r in vue.tous(genre) {
            let entiere = monde.vue.un(genre, id(r)).context("profile 1 sees less")?;
            let faits = monde.faits(genre, entiere);
            let permises = montrees(genre, entiere, &faits, &|bloc, f| matrice.permet(bloc, profil, f))?;
            let dites = montrees(genre, r, &faits, &|_, _| Ok(true))?;
            ensure!(dites == permises, "{genre}/{}: {dites:?} instead of {permises:?}", id(r));
            parties += dites.len();
        }
    }
    ensure!(parties > 0, "no masked part is ever seen");
    Ok(())
}

type Permet<'p> = &'p dyn Fn(&str, &Faits) -> Result<bool>;

/// The parts of a resource that the matrix shows or hides by themselves, those permitted.
fn montrees(genre: &str, r: &Value, faits: &Faits, permet: Permet<'_>) -> Result<BTreeSet<String>> {
    let mut parties = BTreeSet::new();
    let mut noter = |bloc: &str, faits: &Faits, dite: String| -> Result<()> {
        if permet(bloc, faits)? {
            parties.insert(format!("{bloc} {dite}"));
        }
        Ok(())
    };
    match genre {
        "Organization" => {
            for nom in ["ror-organization-level-recours-orsan", "ror-organization-drop-zone"] {
                for e in extensions(r, &format!("{CAN}{nom}")) {
                    noter("structure.recours", faits, e.to_string())?;
                }
            }
            for contact in tableau(r, "contact") {
                let niveaux = Faits { contact: rang(contact, "ror-contact-confidentiality-level"), ..*faits };
                noter("structure.contact", &niveaux, texte(contact, "/name/text").to_owned())?;
                if permet("structure.contact", &niveaux)? {
                    telecoms(contact, "structure.contact.telecom", &niveaux, &mut noter)?;
                }
            }
            telecoms(r, "structure.telecom", faits, &mut noter)?;
        }
        "HealthcareService" => {
            for (systeme, code) in codages(&r["characteristic"]) {
                if fine(&systeme) {
                    noter("offre.fine", faits, format!("{systeme}|{code}"))?;
                }
            }
            let url = format!("{CAN}ror-healthcareservice-contact");
            let adresses = format!("{url}-telecom");
            for contact in extensions(r, &url) {
                let niveaux = Faits { contact: rang(contact, "ror-confidentiality-level"), ..*faits };
                let nom = extensions(contact, "name").map(Value::to_string).collect();
                noter("offre.contact", &niveaux, nom)?;
                if permet("offre.contact", &niveaux)? {
                    for t in extensions(contact, &adresses) {
                        let niveaux =
                            Faits { telecom: rang(t, "ror-telecom-confidentiality-level"), ..niveaux };
                        noter("offre.contact.telecom", &niveaux, t.to_string())?;
                    }
                }
            }
            telecoms(r, "offre.telecom", faits, &mut noter)?;
        }
        "Location" => {
            for e in extensions(r, EQUIPEMENT) {
                noter("lieu.equipement", faits, e.to_string())?;
            }
            for e in enregistrements(r) {
                let cle = tuple(e);
                let supplementaire = !cle[4].is_empty() || !cle[5].is_empty();
                let statut = if supplementaire { SUPPLEMENTAIRE } else { cle[0].parse::<u8>()? };
                noter("lieu.capacite", &Faits { statut, ..*faits }, cle.join(" "))?;
            }
            telecoms(r, "lieu.telecom", faits, &mut noter)?;
        }
        "PractitionerRole" => telecoms(r, "situation.telecom", faits, &mut noter)?,
        _ => {}
    }
    Ok(parties)
}

fn telecoms(
    porteur: &Value,
    bloc: &str,
    faits: &Faits,
    noter: &mut impl FnMut(&str, &Faits, String) -> Result<()>,
) -> Result<()> {
    for t in tableau(porteur, "telecom") {
        let telecom = rang(t, "ror-telecom-confidentiality-level");
        noter(bloc, &Faits { telecom, ..*faits }, t.to_string())?;
    }
    Ok(())
}

/// A level as a number; 0 when none is told.
fn rang(valeur: &Value, url: &str) -> u8 {
    niveau(valeur, url).parse().unwrap_or_default()
}
