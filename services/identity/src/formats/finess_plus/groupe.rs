//! Groups (GCO, GCC): who belongs to which. They come before the structures.

use std::collections::HashMap;

use ror_proto::identity::v1::GroupeFiness;

use super::super::json::{Carnet, Chemin, Noeud, Vue};

/// Memberships kept; the whole country has some thousands.
const APPARTENANCES_MAX: usize = 200_000;

const MEMBRE: &[&str] = &["pmSmsseId", "egeId", "typeRoleEntiteGroupe"];

/// How a kind of group is written.
pub(super) struct Forme {
    cles: &'static [&'static str],
    /// Keys of its number or id, the best first.
    identifiants: &'static [&'static str],
    genre: &'static str,
    pm: &'static str,
    eg: &'static str,
}

/// Cooperation bodies, which are legal entities themselves.
pub(super) const GCO: Forme = Forme {
    cles: &["pmSmsseId", "typeGco", "pmejDuGco", "egeDuGco", "etatObjet", "dateDerniereMaj"],
    identifiants: &["pmSmsseId"],
    genre: "typeGco",
    pm: "pmejDuGco",
    eg: "egeDuGco",
};

/// Coordination groups, such as GHT.
pub(super) const GCC: Forme = Forme {
    cles: &[
        "gccId",
        "nomGcc",
        "typeGcc",
        "numFinessGcc",
        "engagement",
        "evenement",
        "pmejDuGcc",
        "egeDuGcc",
        "etatObjet",
        "dateDerniereMaj",
    ],
    identifiants: &["numFinessGcc", "gccId"],
    genre: "typeGcc",
    pm: "pmejDuGcc",
    eg: "egeDuGcc",
};

/// The groups read so far, by id of their members in FINESS.
#[derive(Debug, Default)]
pub(super) struct Groupes {
    genres: HashMap<String, String>,
    entites: HashMap<String, Vec<GroupeFiness>>,
    sites: HashMap<String, Vec<GroupeFiness>>,
    nombre: usize,
}

impl Groupes {
    /// Reads a group; faults go to the notebook, and nothing is kept then. A
    /// group that is no longer active has no members.
    pub(super) fn lire(&mut self, forme: &Forme, valeur: Noeud<'_>, chemin: Chemin<'_>, carnet: &mut Carnet) {
        let vue = Vue::requise(valeur, chemin, forme.cles, carnet);
        let mut identifiant = String::new();
        for cle in forme.identifiants {
            if identifiant.is_empty() {
                identifiant = vue.texte(cle, carnet);
            }
        }
        let genre = vue.texte(forme.genre, carnet);
        let actif = vue.texte_vu("etatObjet", carnet) != "I";
        let entites = membres(&vue, forme.pm, "pmSmsseId", carnet);
        let sites = membres(&vue, forme.eg, "egeId", carnet);
        if carnet.a_des_fautes() || !actif || identifiant.is_empty() {
            return;
        }
        self.nombre += 1 + entites.len() + sites.len();
        if self.nombre > APPARTENANCES_MAX {
            carnet.constater("groupe-ecarte");
            return;
        }
        let groupe = GroupeFiness { identifiant, r#type: genre, role: String::new() };
        ajouter(&mut self.entites, entites, &groupe);
        ajouter(&mut self.sites, sites, &groupe);
        // An entity that is a cooperation body is told by its own id; the ids of
        // the other groups are of another kind.
        if forme.identifiants.contains(&"pmSmsseId") {
            self.genres.insert(groupe.identifiant, groupe.r#type);
        }
    }

    /// Type of the cooperation body a legal entity is, empty when it is none.
    pub(super) fn genre(&self, pm: &str) -> String {
        self.genres.get(pm).cloned().unwrap_or_default()
    }

    /// Groups of a legal entity.
    pub(super) fn de_l_entite(&self, pm: &str) -> Vec<GroupeFiness> {
        tries(self.entites.get(pm))
    }

    /// Groups of a site.
    pub(super) fn du_site(&self, ege: &str) -> Vec<GroupeFiness> {
        tries(self.sites.get(ege))
    }
}

/// Ids and roles of the members.
fn membres(vue: &Vue<'_>, liste: &'static str, cle: &str, carnet: &mut Carnet) -> Vec<(String, String)> {
    vue.vues(liste, MEMBRE, carnet)
        .iter()
        .map(|membre| (membre.texte(cle, carnet), membre.texte("typeRoleEntiteGroupe", carnet)))
        .filter(|(id, _)| !id.is_empty())
        .collect()
}

fn ajouter(
    par_membre: &mut HashMap<String, Vec<GroupeFiness>>,
    membres: Vec<(String, String)>,
    groupe: &GroupeFiness,
) {
    for (id, role) in membres {
        par_membre.entry(id).or_default().push(GroupeFiness { role, ..groupe.clone() });
    }
}

fn tries(groupes: Option<&Vec<GroupeFiness>>) -> Vec<GroupeFiness> {
    let mut groupes = groupes.cloned().unwrap_or_default();
    groupes.sort_by(|un, autre| {
        (&un.identifiant, &un.r#type, &un.role).cmp(&(&autre.identifiant, &autre.r#type, &autre.role))
    });
    groupes.dedup();
    groupes
}
