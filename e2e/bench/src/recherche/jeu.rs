//! What the requests are made of: a sample of the offers with what surrounds them, and the
//! flattened rows for SQL, both drawn again from the generator that sowed the folder.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use ror_demo::repertoire::{self, Fiche, Ressource};
use ror_domaine::ressource::Ressource as Union;
use ror_proto::{
    capacity::v1::{CapaciteLieu, capacity},
    common::v1::{Code, Quantite},
    offers::v1::{LieuRealisation, OffreOperationnelle, SituationOperationnelle, offer},
    structures::v1::{EntiteGeographique, structure},
};

use super::criteres::ordre;
use crate::charge::Tirage;

/// Offers kept to make requests of.
const EXEMPLES: f64 = 20_000.0;
/// Offers of a page of the standard package.
pub const PAGE: u32 = 200;

/// A place.
#[derive(Clone, Default)]
pub struct Lieu {
    pub id: String,
    pub numero: String,
    pub code_postal: String,
    pub ville: String,
    pub commune: String,
    /// Latitude, longitude.
    pub position: Option<(f64, f64)>,
    /// Equipment with a limit: type, characteristic, value, unit.
    pub equipement: Option<(String, String, f64, String)>,
    /// Status, temporality and gender of its capacity records.
    pub capacites: Vec<[String; 3]>,
}

/// A site.
#[derive(Clone, Default)]
pub struct Site {
    pub id: String,
    pub id_nat_struct: String,
    pub nom: String,
    pub categorie: String,
}

/// An offer and what surrounds it.
#[derive(Clone, Default)]
pub struct Exemple {
    pub id: String,
    pub numero: String,
    pub region: String,
    pub activites: Vec<String>,
    pub type_offre: String,
    pub mode: String,
    pub caracteristiques: Vec<String>,
    pub zone: Option<String>,
    pub secteur: Option<String>,
    pub site: Site,
    pub lieu: Lieu,
    /// A role in it, and its professional: ids, then identifiers.
    pub role: Option<[String; 4]>,
}

impl Exemple {
    /// Its first activity.
    pub fn activite(&self) -> &str {
        self.activites.first().map_or("", String::as_str)
    }
}

/// Everything the requests need.
pub struct Jeu {
    /// Offers, drawn evenly.
    pub exemples: Vec<Exemple>,
    /// Activity and region with enough offers for a page of the package.
    pub pages: Vec<(String, String)>,
    /// Activities, by how many offers have them, most first.
    pub activites: Vec<(String, u32)>,
    /// Resources by kind.
    pub comptes: BTreeMap<&'static str, u64>,
    /// Rows of the offers, then of their places, for COPY.
    pub rangees: [PathBuf; 2],
}

impl Jeu {
    /// Draws the directory again.
    pub fn tirer(graine: u64, echelle: f64, travail: &Path) -> Result<Self> {
        let rangees = ["offres.tsv", "lieux.tsv"].map(|nom| travail.join(nom));
        let mut l = Lecture {
            sorties: [ouvrir(&rangees[0])?, ouvrir(&rangees[1])?],
            // One offer in so many is kept.
            pas: (510_000.0 * echelle / EXEMPLES).ceil().max(1.0) as usize,
            tirage: Tirage::new(graine),
            site: Site::default(),
            lieux: HashMap::new(),
            du_site: HashMap::new(),
            exemples: Vec::new(),
            par_region: HashMap::new(),
            activites: BTreeMap::new(),
            comptes: BTreeMap::new(),
        };
        repertoire::parcourir(graine, echelle, |f| l.voir(&f))?;
        for s in &mut l.sorties {
            s.flush()?;
        }
        ensure!(!l.exemples.is_empty(), "a directory without offers");
        let mut pages: Vec<(String, String)> =
            l.par_region.into_iter().filter(|(_, n)| *n >= PAGE).map(|(cle, _)| cle).collect();
        pages.sort_unstable();
        let mut activites: Vec<(String, u32)> = l.activites.into_iter().collect();
        activites.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        Ok(Self { exemples: l.exemples, pages, activites, comptes: l.comptes, rangees })
    }

    /// An offer drawn.
    pub fn exemple(&self, t: &mut Tirage) -> &Exemple {
        &self.exemples[t.sous(self.exemples.len())]
    }

    /// An offer drawn among those that have something; any one when none has.
    pub fn tel_que(&self, t: &mut Tirage, convient: impl Fn(&Exemple) -> bool) -> &Exemple {
        let depart = t.sous(self.exemples.len());
        let (avant, apres) = self.exemples.split_at(depart);
        apres.iter().chain(avant).find(|e| convient(e)).unwrap_or(&self.exemples[depart])
    }
}

fn ouvrir(chemin: &Path) -> Result<BufWriter<File>> {
    let f = File::create(chemin).with_context(|| format!("{} cannot be written", chemin.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, f))
}

struct Lecture {
    sorties: [BufWriter<File>; 2],
    pas: usize,
    tirage: Tirage,
    site: Site,
    /// Places of the site.
    lieux: HashMap<String, Lieu>,
    /// Examples of the site, by id of the offer.
    du_site: HashMap<String, usize>,
    exemples: Vec<Exemple>,
    par_region: HashMap<(String, String), u32>,
    activites: BTreeMap<String, u32>,
    comptes: BTreeMap<&'static str, u64>,
}

impl Lecture {
    fn voir(&mut self, f: &Fiche) -> Result<()> {
        let genre = match &f.ressource {
            Ressource::Identite(r) => r.genre(),
            Ressource::Structure(r) => {
                if let Some(structure::Ressource::EntiteGeographique(e)) = &r.ressource {
                    self.site(e);
                }
                r.genre()
            }
            Ressource::Offre(r) => {
                match &r.ressource {
                    Some(offer::Ressource::Lieu(l)) => self.lieu(l),
                    Some(offer::Ressource::Offre(o)) => self.offre(o)?,
                    Some(offer::Ressource::Situation(s)) => self.role(s),
                    None => {}
                }
                r.genre()
            }
            Ressource::Capacite(r) => {
                if let Some(capacity::Ressource::CapaciteLieu(c)) = &r.ressource {
                    self.capacites(c);
                }
                r.genre()
            }
        };
        *self.comptes.entry(genre.unwrap_or_default()).or_default() += 1;
        Ok(())
    }

    fn site(&mut self, e: &EntiteGeographique) {
        self.lieux.clear();
        self.du_site.clear();
        self.site = Site {
            id: e.meta.as_ref().map(|m| m.id.clone()).unwrap_or_default(),
            id_nat_struct: e.id_nat_struct.clone(),
            nom: e.denomination.clone(),
            categorie: code(e.categorie.as_ref()),
        };
    }

    fn lieu(&mut self, l: &LieuRealisation) {
        let adresse = l.adresse.as_ref();
        let limite = l.equipements.iter().find_map(|e| {
            let limite = e.limites.first()?;
            let valeur = limite.valeur.as_ref()?;
            let unite = code(valeur.unite.as_ref());
            Some((code(e.r#type.as_ref()), code(limite.r#type.as_ref()), valeur.valeur, unite))
        });
        let id = l.meta.as_ref().map(|m| m.id.clone()).unwrap_or_default();
        let lieu = Lieu {
            id: id.clone(),
            numero: l.identifiant.clone(),
            code_postal: adresse.map(|a| a.code_postal.clone()).unwrap_or_default(),
            ville: adresse.map(|a| a.localite.clone()).unwrap_or_default(),
            commune: l.commune_cog.clone(),
            position: l.position.as_ref().map(|p| (p.latitude, p.longitude)),
            equipement: limite,
            capacites: Vec::new(),
        };
        self.lieux.insert(id, lieu);
    }

    fn capacites(&mut self, c: &CapaciteLieu) {
        let Some(meta) = &c.meta else { return };
        let Some(lieu) = self.lieux.get_mut(&meta.id) else { return };
        let libres = c.enregistrements.iter().filter(|e| e.nombre > 0).filter_map(|e| e.cle.as_ref());
        lieu.capacites = libres.map(|c| [c.statut.clone(), c.temporalite.clone(), c.genre.clone()]).collect();
    }

    fn offre(&mut self, o: &OffreOperationnelle) -> Result<()> {
        let meta = o.meta.clone().unwrap_or_default();
        let activites: Vec<String> = o.activites_operationnelles.iter().map(|c| c.code.clone()).collect();
        let caracteristiques = caracteristiques(o);
        let lieux: Vec<&Lieu> = o.lieux_ids.iter().filter_map(|l| self.lieux.get(l)).collect();
        let mut jetons: Vec<String> = Vec::new();
        let mut ajouter = |cle: &str, code: &str| {
            if !code.is_empty() {
                jetons.push(format!("{cle}|{code}"));
            }
        };
        activites.iter().for_each(|a| ajouter("s", a));
        ajouter("s", &code(o.famille_activite.as_ref()));
        ajouter("c", &code(o.type_offre.as_ref()));
        ajouter("t", &code(o.champ_activite.as_ref()));
        ajouter("r", &meta.region);
        caracteristiques.iter().for_each(|c| ajouter("k", c));
        o.publics.iter().for_each(|p| ajouter("p", &p.code));
        lieux.iter().for_each(|l| ajouter("d", l.code_postal.get(..2).unwrap_or("")));
        jetons.sort_unstable();
        jetons.dedup();
        let rang = ordre(&meta.id);
        let (bas, haut) = (annees(o.age_min.as_ref()), annees(o.age_max.as_ref()));
        let jetons: Vec<String> = jetons.iter().map(|j| format!("\"{j}\"")).collect();
        let [sortie, places] = &mut self.sorties;
        writeln!(sortie, "{rang}\t{}\t{{{}}}\t{bas}\t{haut}", meta.id, jetons.join(","))?;
        for (lat, lon) in lieux.iter().filter_map(|l| l.position) {
            writeln!(places, "{rang}\t({lon},{lat})")?;
        }
        for a in &activites {
            *self.activites.entry(a.clone()).or_default() += 1;
            *self.par_region.entry((a.clone(), meta.region.clone())).or_default() += 1;
        }
        if self.tirage.sous(self.pas) == 0 {
            let lieu = lieux.first().map(|l| (*l).clone()).unwrap_or_default();
            self.du_site.insert(meta.id.clone(), self.exemples.len());
            self.exemples.push(Exemple {
                id: meta.id,
                numero: o.identifiant.clone(),
                region: meta.region,
                activites,
                type_offre: code(o.type_offre.as_ref()),
                mode: code(o.mode_prise_en_charge.as_ref()),
                caracteristiques,
                zone: o.zones_intervention.first().map(|z| code(z.code.as_ref())),
                secteur: o.secteurs_psychiatriques.first().cloned(),
                site: self.site.clone(),
                lieu,
                role: None,
            });
        }
        Ok(())
    }

    fn role(&mut self, s: &SituationOperationnelle) {
        let Some(i) = self.du_site.get(&s.offre_id) else { return };
        let id = s.meta.as_ref().map(|m| m.id.clone()).unwrap_or_default();
        let id_nat = s.identifiant.rsplit('/').next().unwrap_or_default().to_owned();
        self.exemples[*i].role = Some([id, s.professionnel_id.clone(), s.identifiant.clone(), id_nat]);
    }
}

/// Every code that `characteristic` looks at.
fn caracteristiques(o: &OffreOperationnelle) -> Vec<String> {
    let seuls = [&o.temporalite_accueil, &o.mode_prise_en_charge, &o.ouverture_annuelle, &o.type_fermeture];
    let listes = [
        &o.modalites_accueil,
        &o.modes_gestion,
        &o.actes_specifiques,
        &o.actes_hors_cabinet,
        &o.specialisations,
        &o.professions_ressources,
        &o.competences_specifiques,
        &o.niveaux_expertise,
    ];
    let tous = seuls.into_iter().flatten().chain(listes.into_iter().flatten());
    tous.map(|c: &Code| c.code.clone()).collect()
}

fn code(c: Option<&Code>) -> String {
    c.map(|c| c.code.clone()).unwrap_or_default()
}

/// An age in years.
fn annees(q: Option<&Quantite>) -> f64 {
    let Some(q) = q else { return 0.0 };
    match q.unite.as_ref().map(|u| u.code.as_str()) {
        Some("mo") => q.valeur * 30.4375 / 365.25,
        _ => q.valeur,
    }
}
