//! From the elements of the file to records, counted.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use ror_proto::identity::v1::StructureFiness;
use ror_proto::identity::v1::identity::Ressource;
use serde_json::Value;

use super::super::json::{Carnet, Chemin, Contenu, Etat, Noeud, illisible};
use super::super::{Lecture, couper};
use super::groupe::{Forme, GCC, GCO, Groupes};
use super::structure::{Contexte, Site, lire_ege, lire_pmej, numeros};

/// Holds the groups and the counts while the file is read.
pub(super) struct Structures<'s> {
    suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>,
    groupes: Groupes,
    gco: u64,
    gcc: u64,
    pmej: u64,
    ege: u64,
    actifs: u64,
    inactifs: u64,
    adresses: u64,
    sans_coordonnees: u64,
}

impl Contenu for Structures<'_> {
    const FORMAT: &'static str = "FINESS+ Structures";
    const LISTES: &'static [&'static str] = &["pmej", "gco", "gcc"];

    fn element(
        &mut self,
        liste: &'static str,
        brut: &str,
        lu: Option<Noeud<'_>>,
        etat: &mut Etat,
    ) -> ControlFlow<()> {
        match liste {
            "gco" => {
                self.gco += 1;
                self.groupe(&GCO, (liste, self.gco), brut, lu, &mut etat.carnet)
            }
            "gcc" => {
                self.gcc += 1;
                self.groupe(&GCC, (liste, self.gcc), brut, lu, &mut etat.carnet)
            }
            _ => self.entite(brut, lu, etat),
        }
    }
}

impl<'s> Structures<'s> {
    /// Nothing read yet.
    pub(super) fn nouvelles(suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>) -> Self {
        Self {
            suite,
            groupes: Groupes::default(),
            gco: 0,
            gcc: 0,
            pmej: 0,
            ege: 0,
            actifs: 0,
            inactifs: 0,
            adresses: 0,
            sans_coordonnees: 0,
        }
    }

    /// The counts, by name.
    pub(super) fn comptes(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("gco", self.gco),
            ("gcc", self.gcc),
            ("pmej", self.pmej),
            ("ege", self.ege),
            ("actifs", self.actifs),
            ("inactifs", self.inactifs),
            ("adresses", self.adresses),
            ("adresses-sans-coordonnees", self.sans_coordonnees),
        ])
    }

    fn groupe(
        &mut self,
        forme: &Forme,
        (liste, rang): (&'static str, u64),
        brut: &str,
        lu: Option<Noeud<'_>>,
        carnet: &mut Carnet,
    ) -> ControlFlow<()> {
        let chemin = Chemin::Racine(liste, rang);
        if self.pmej > 0 {
            carnet.constater("groupe-apres-structures");
        }
        match lu {
            Some(valeur) => self.groupes.lire(forme, valeur, chemin, carnet),
            None => illisible(chemin, carnet),
        }
        if carnet.a_des_fautes() { self.refuser(rang, brut, carnet) } else { ControlFlow::Continue(()) }
    }

    fn entite(&mut self, brut: &str, lu: Option<Noeud<'_>>, etat: &mut Etat) -> ControlFlow<()> {
        self.pmej += 1;
        let chemin = Chemin::Racine("pmej", self.pmej);
        let (jour, carnet) = etat.jour_et_carnet();
        let Some(valeur) = lu else {
            illisible(chemin, carnet);
            return self.refuser(self.pmej, brut, carnet);
        };
        let entite = lire_pmej(valeur, chemin, jour, &self.groupes, carnet);
        if carnet.a_des_fautes() {
            return self.refuser(self.pmej, brut, carnet);
        }
        let ej = entite.structure.num_finess.clone();
        self.remettre(entite.structure)?;
        let numeros = numeros(entite.sites.clone());
        for (rang, valeur) in entite.sites.enumerate() {
            let chemin = Chemin::Element(&chemin, "ege", rang + 1);
            let contexte = Contexte { ej: &ej, jour, numeros: &numeros, groupes: &self.groupes };
            let site = lire_ege(valeur, chemin, &contexte, carnet);
            self.site(site, valeur, entite.active, carnet)?;
        }
        ControlFlow::Continue(())
    }

    fn site(
        &mut self,
        site: Site,
        valeur: Noeud<'_>,
        ej_active: bool,
        carnet: &mut Carnet,
    ) -> ControlFlow<()> {
        self.ege += 1;
        self.adresses += site.adresses;
        self.sans_coordonnees += site.sans_coordonnees;
        if carnet.a_des_fautes() {
            return self.refuser(self.pmej, &Value::from(valeur).to_string(), carnet);
        }
        if site.active {
            self.actifs += 1;
            if !ej_active {
                carnet.constater("eg-active-sous-ej-inactive");
            }
        } else {
            self.inactifs += 1;
        }
        self.remettre(site.structure)
    }

    fn remettre(&mut self, structure: StructureFiness) -> ControlFlow<()> {
        let ressource = Box::new(Ressource::StructureFiness(structure));
        (self.suite)(Lecture::Enregistrement { ligne: self.pmej, ressource, suite: false })
    }

    fn refuser(&mut self, ligne: u64, contenu: &str, carnet: &mut Carnet) -> ControlFlow<()> {
        (self.suite)(Lecture::Refus {
            ligne,
            fautes: carnet.prendre_fautes(),
            contenu: couper(contenu),
            nommes: Vec::new(),
        })
    }
}
