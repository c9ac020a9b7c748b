//! FINESS+ Activités: what each legal entity is authorised to do and what each
//! of its sites exercises, one `pmej` element at a time.

mod activite;
mod capacite;
mod nature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;

use ror_domaine::identifiants::{id_eg, id_ej};
use ror_domaine::ressource::id_deterministe;
use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ActiviteFiness, ActivitesFiness};
use serde_json::Value;

use super::json::{self, Carnet, Chemin, Contenu, Etat, Noeud, Vue, illisible};
use super::{ErreurFichier, Lecture, Resume, couper};
use activite::lire_activites;

const PMEJ: &[&str] = &["numFiness", "pmSmsseId", "activitesAutorisees", "ege"];
const EGE: &[&str] = &["egeId", "numFinessEge", "activitesExercees"];

/// Reads a file, gzip or plain, and hands over one record a structure: those of a
/// legal entity (authorised), then those of each of its sites (exercised), also
/// when they have none. Lines are ordinals of `pmej` elements. A structure is
/// refused alone: the others of the element are read.
///
/// Counts: `pmej`, `ege`, `activites-autorisees`, `activites-exercees`, `capacites`
/// (totals kept), `communes`.
///
/// # Errors
///
/// When the file is not readable, not JSON, truncated, or not of this format.
/// What came before was handed over.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let mut activites = Activites::nouvelles(suite);
    let etat = json::lire(source, &mut activites)?;
    Ok(etat.resume(activites.comptes()))
}

/// Technical id of the activities of a structure, from that of the structure.
fn id_activites(structure: &str) -> String {
    id_deterministe("activites_finess", structure)
}

/// Holds the counts while the file is read.
struct Activites<'s> {
    suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>,
    pmej: u64,
    ege: u64,
    autorisees: u64,
    exercees: u64,
    capacites: u64,
    communes: u64,
}

impl Contenu for Activites<'_> {
    const FORMAT: &'static str = "FINESS+ Activités";
    const LISTES: &'static [&'static str] = &["pmej"];

    fn element(
        &mut self,
        _: &'static str,
        brut: &str,
        lu: Option<Noeud<'_>>,
        etat: &mut Etat,
    ) -> ControlFlow<()> {
        self.pmej += 1;
        let chemin = Chemin::Racine("pmej", self.pmej);
        let carnet = &mut etat.carnet;
        let Some(valeur) = lu else {
            illisible(chemin, carnet);
            return self.refuser(brut, carnet);
        };
        let vue = Vue::requise(valeur, chemin, PMEJ, carnet);
        let num_finess = vue.finess("numFiness", carnet);
        let activites = lire_activites(&vue, "activitesAutorisees", carnet);
        let sites = vue.liste("ege", carnet);
        self.autorisees += nombre(activites.len());
        if carnet.a_des_fautes() {
            self.refuser(brut, carnet)?;
        } else {
            self.remettre(id_ej(&num_finess), num_finess, activites)?;
        }
        for (rang, site) in sites.enumerate() {
            self.site(site, Chemin::Element(&chemin, "ege", rang + 1), carnet)?;
        }
        ControlFlow::Continue(())
    }
}

impl<'s> Activites<'s> {
    /// Nothing read yet.
    fn nouvelles(suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>) -> Self {
        Self { suite, pmej: 0, ege: 0, autorisees: 0, exercees: 0, capacites: 0, communes: 0 }
    }

    fn comptes(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("pmej", self.pmej),
            ("ege", self.ege),
            ("activites-autorisees", self.autorisees),
            ("activites-exercees", self.exercees),
            ("capacites", self.capacites),
            ("communes", self.communes),
        ])
    }

    fn site(&mut self, valeur: Noeud<'_>, chemin: Chemin<'_>, carnet: &mut Carnet) -> ControlFlow<()> {
        self.ege += 1;
        let vue = Vue::requise(valeur, chemin, EGE, carnet);
        let num_finess = vue.finess("numFinessEge", carnet);
        let activites = lire_activites(&vue, "activitesExercees", carnet);
        self.exercees += nombre(activites.len());
        if carnet.a_des_fautes() {
            return self.refuser(&Value::from(valeur).to_string(), carnet);
        }
        self.remettre(id_eg(&num_finess), num_finess, activites)
    }

    fn remettre(
        &mut self,
        structure: String,
        num_finess: String,
        activites: Vec<ActiviteFiness>,
    ) -> ControlFlow<()> {
        for activite in &activites {
            self.capacites += nombre(activite.capacites.len());
            self.communes += nombre(activite.communes.len());
        }
        let meta = Some(Meta { id: id_activites(&structure), ..Meta::default() });
        let ressource = Ressource::ActivitesFiness(ActivitesFiness { meta, num_finess, activites });
        (self.suite)(Lecture::Enregistrement {
            ligne: self.pmej,
            ressource: Box::new(ressource),
            suite: false,
        })
    }

    fn refuser(&mut self, contenu: &str, carnet: &mut Carnet) -> ControlFlow<()> {
        let fautes = carnet.prendre_fautes();
        let contenu = couper(contenu);
        (self.suite)(Lecture::Refus { ligne: self.pmej, fautes, contenu, nommes: Vec::new() })
    }
}

fn nombre(longueur: usize) -> u64 {
    u64::try_from(longueur).unwrap_or(u64::MAX)
}
