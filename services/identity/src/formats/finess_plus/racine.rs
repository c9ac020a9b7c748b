//! The root object, streamed.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::source::{Jauge, erreur_lecture};
use super::super::{ErreurFichier, couper, faute};
use super::structure::{lire_ege, lire_pmej};
use super::vue::Carnet;
use super::{Lecture, Resume};

/// Longest element of the `pmej` array; the longest known is below 10 MB.
const ELEMENT_MAX: u64 = 64 * 1024 * 1024;

/// Holds the counts while the file is read.
pub(super) struct Lecteur<'r> {
    recoit: &'r mut dyn FnMut(Lecture) -> ControlFlow<()>,
    jauge: &'r Jauge,
    resume: Resume,
    carnet: Carnet,
    pmej_vu: bool,
}

impl<'r> Lecteur<'r> {
    /// Nothing read yet.
    pub(super) fn nouveau(recoit: &'r mut dyn FnMut(Lecture) -> ControlFlow<()>, jauge: &'r Jauge) -> Self {
        Self { recoit, jauge, resume: Resume::default(), carnet: Carnet::default(), pmej_vu: false }
    }

    /// Reads the root object to its end.
    pub(super) fn parcourir<R: Read>(
        &mut self,
        json: &mut serde_json::Deserializer<serde_json::de::IoRead<R>>,
    ) -> Result<(), serde_json::Error> {
        json.deserialize_map(Racine(self))
    }

    /// True when the caller stopped.
    pub(super) fn interrompu(&self) -> bool {
        self.resume.interrompu
    }

    /// True when the `pmej` array was there.
    pub(super) fn pmej_vu(&self) -> bool {
        self.pmej_vu
    }

    /// The counts.
    pub(super) fn resume(self) -> Resume {
        Resume { constats: self.carnet.constats(), ..self.resume }
    }

    fn entete(&mut self, cle: &str, valeur: &Value) {
        let texte = valeur.as_str().unwrap_or_default().trim().to_owned();
        match cle {
            "schemaVersion" => self.resume.schema_version = texte,
            "generatedAt" => self.resume.genere_le = texte,
            _ => self.carnet.constater("cle-inconnue"),
        }
    }

    fn remettre(&mut self, lecture: Lecture) -> ControlFlow<()> {
        let suite = (self.recoit)(lecture);
        if suite.is_break() {
            self.resume.interrompu = true;
        }
        suite
    }

    fn refuser(&mut self, contenu: &str) -> ControlFlow<()> {
        self.resume.refus += 1;
        let refus = Lecture::Refus {
            ordinal: self.resume.pmej,
            fautes: self.carnet.prendre_fautes(),
            contenu: couper(contenu),
        };
        self.remettre(refus)
    }

    fn element(&mut self, brut: &str) -> ControlFlow<()> {
        self.resume.pmej += 1;
        let chemin = format!("pmej[{}]", self.resume.pmej);
        let Ok(valeur) = serde_json::from_str::<Value>(brut) else {
            self.carnet.ajouter_faute(faute(
                &chemin,
                "element-illisible",
                "L'élément ne peut pas être lu (imbrication, nombre ou caractère impossible).",
                "Un objet JSON de la forme publiée",
            ));
            return self.refuser(brut);
        };
        let jour = self.resume.genere_le.get(..10).unwrap_or_default();
        let entite = lire_pmej(&valeur, &chemin, jour, &mut self.carnet);
        if self.carnet.a_des_fautes() {
            return self.refuser(brut);
        }
        let ej = entite.structure.num_finess.clone();
        let ej_active = entite.active;
        self.remettre(Lecture::Enregistrement(entite.structure))?;
        for (rang, site) in entite.sites.iter().enumerate() {
            self.site(site, &format!("{chemin}.ege[{}]", rang + 1), &ej, ej_active)?;
        }
        ControlFlow::Continue(())
    }

    fn site(&mut self, site: &Value, chemin: &str, ej: &str, ej_active: bool) -> ControlFlow<()> {
        self.resume.ege += 1;
        let jour = self.resume.genere_le.get(..10).unwrap_or_default();
        let lu = lire_ege(site, chemin, ej, jour, &mut self.carnet);
        self.resume.adresses += lu.adresses;
        self.resume.adresses_sans_coordonnees += lu.sans_coordonnees;
        if self.carnet.a_des_fautes() {
            return self.refuser(&site.to_string());
        }
        if lu.active {
            self.resume.actifs += 1;
            if !ej_active {
                self.carnet.constater("eg-active-sous-ej-inactive");
            }
        } else {
            self.resume.inactifs += 1;
        }
        self.remettre(Lecture::Enregistrement(lu.structure))
    }
}

struct Racine<'a, 'r>(&'a mut Lecteur<'r>);

impl<'de> Visitor<'de> for Racine<'_, '_> {
    type Value = ();

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str("un objet JSON à la racine")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut acces: A) -> Result<(), A::Error> {
        let lecteur = self.0;
        loop {
            lecteur.jauge.borner(ELEMENT_MAX);
            let Some(cle) = acces.next_key::<String>()? else {
                return Ok(());
            };
            match cle.as_str() {
                "pmej" => {
                    lecteur.pmej_vu = true;
                    acces.next_value_seed(Elements(&mut *lecteur))?;
                }
                "gco" => {
                    lecteur.jauge.debrider();
                    lecteur.resume.gco += acces.next_value_seed(Denombrer)?;
                }
                "gcc" => {
                    lecteur.jauge.debrider();
                    lecteur.resume.gcc += acces.next_value_seed(Denombrer)?;
                }
                "schemaVersion" | "generatedAt" => {
                    let valeur = acces.next_value::<Value>()?;
                    lecteur.entete(&cle, &valeur);
                }
                "metadata" | "metadonnees" | "header" | "entete" => {
                    if let Value::Object(objet) = acces.next_value::<Value>()? {
                        for (cle, valeur) in &objet {
                            lecteur.entete(cle, valeur);
                        }
                    }
                }
                _ => {
                    lecteur.jauge.debrider();
                    lecteur.carnet.constater("cle-inconnue");
                    acces.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

/// The `pmej` array.
struct Elements<'a, 'r>(&'a mut Lecteur<'r>);

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, entree: D) -> Result<(), D::Error> {
        entree.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str("la liste pmej")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut acces: A) -> Result<(), A::Error> {
        let lecteur = self.0;
        loop {
            lecteur.jauge.borner(ELEMENT_MAX);
            let Some(brut) = acces.next_element::<Box<RawValue>>()? else {
                return Ok(());
            };
            if lecteur.element(brut.get()).is_break() {
                return Err(A::Error::custom("lecture interrompue"));
            }
        }
    }
}

/// Counts the elements of an array, null counting for an empty one.
struct Denombrer;

impl<'de> DeserializeSeed<'de> for Denombrer {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, entree: D) -> Result<u64, D::Error> {
        entree.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Denombrer {
    type Value = u64;

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str("une liste")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut acces: A) -> Result<u64, A::Error> {
        let mut nombre = 0;
        while acces.next_element::<IgnoredAny>()?.is_some() {
            nombre += 1;
        }
        Ok(nombre)
    }

    fn visit_unit<E: Error>(self) -> Result<u64, E> {
        Ok(0)
    }
}

/// French error for a file the JSON reader gave up.
pub(super) fn erreur_json(erreur: serde_json::Error, jauge: &Jauge) -> ErreurFichier {
    let (ligne, octet) = (jauge.ligne(), jauge.octets());
    let message = if jauge.depasse() {
        "Un enregistrement dépasse 64 Mio.".to_owned()
    } else if erreur.is_io() {
        return erreur_lecture(&std::io::Error::from(erreur), ligne, octet);
    } else if erreur.is_eof() {
        "JSON tronqué : le fichier s'arrête avant la fin de l'objet.".to_owned()
    } else if erreur.is_data() {
        "Forme inattendue : la racine doit être un objet, « pmej », « gco » et « gcc » des listes.".to_owned()
    } else {
        format!("JSON invalide à la colonne {}.", erreur.column())
    };
    ErreurFichier { ligne, octet, message }
}
