//! The root object, streamed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::source::{Compteur, Jauge, Source, erreur_lecture, sauter_marque};
use super::super::{ErreurFichier, Resume};
use super::arbre::{Arbre, Noeud};
use super::tampon::{Fil, Tampon};
use super::vue::{Carnet, est_date};

/// Longest element of an array; the longest known is below 10 MB.
const ELEMENT_MAX: u64 = 64 * 1024 * 1024;
/// The array every FINESS+ file has.
const PMEJ: &str = "pmej";

/// What a file is made of.
pub(in crate::formats) trait Contenu {
    /// Name of the format, for the error of a file that is not of it.
    const FORMAT: &'static str;
    /// Arrays read element by element; `pmej` is required, the others may be
    /// absent or null.
    const LISTES: &'static [&'static str];
    /// False to have each element copied out of the file before it is read, as those
    /// that cannot be read in place are: slower, and nothing else.
    const EN_PLACE: bool = true;

    /// Reads an element of one of these arrays, `lu` being what its text says, if it
    /// can be told; Break stops the reading.
    fn element(
        &mut self,
        liste: &'static str,
        brut: &str,
        lu: Option<Noeud<'_>>,
        etat: &mut Etat,
    ) -> ControlFlow<()>;
}

/// What is known of the file so far.
#[derive(Debug, Default)]
pub(in crate::formats) struct Etat {
    /// Warnings, repairs, and faults of the element being read.
    pub(in crate::formats) carnet: Carnet,
    schema: String,
    genere_le: String,
}

impl Etat {
    /// Day of the edition (empty when not told yet), and the notebook.
    pub(in crate::formats) fn jour_et_carnet(&mut self) -> (&str, &mut Carnet) {
        (self.genere_le.get(..10).unwrap_or_default(), &mut self.carnet)
    }

    /// What the file held.
    pub(in crate::formats) fn resume(mut self, comptes: BTreeMap<&'static str, u64>) -> Resume {
        let (jour, _) = self.jour_et_carnet();
        let cle = if est_date(jour) { jour.replace('-', "") } else { String::new() };
        Resume { cle, schema: self.schema, comptes, constats: self.carnet.constats() }
    }

    fn entete(&mut self, cle: &str, valeur: &Value) {
        let texte = valeur.as_str().unwrap_or_default().trim().to_owned();
        match cle {
            "schemaVersion" => self.schema = texte,
            "generatedAt" => self.genere_le = texte,
            _ => self.carnet.constater("cle-inconnue"),
        }
    }
}

/// Reads a file, gzip or plain, to its end or until the content stops it.
pub(in crate::formats) fn lire<C: Contenu>(
    source: impl Read,
    contenu: &mut C,
) -> Result<Etat, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let (texte, marque) = sauter_marque(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let jauge = Jauge::nouvelle(marque);
    let tampon = RefCell::new(Tampon::nouveau(Compteur::nouveau(texte, &jauge), &jauge));
    let mut json = serde_json::Deserializer::from_reader(Fil(&tampon));
    let mut lecteur =
        Lecteur { contenu, tampon: &tampon, jauge: &jauge, etat: Etat::default(), pmej: false, arret: false };
    let lu = Deserializer::deserialize_map(&mut json, Racine(&mut lecteur)).and_then(|()| json.end());
    match lu {
        _ if lecteur.arret => Ok(lecteur.etat),
        Ok(()) if lecteur.pmej => Ok(lecteur.etat),
        Ok(()) => Err(ErreurFichier {
            ligne: jauge.ligne(),
            octet: jauge.octets(),
            message: format!("Ce n'est pas un fichier {} : la liste « pmej » manque.", C::FORMAT),
        }),
        Err(erreur) => {
            let colonne = tampon.borrow().colonne(&erreur);
            Err(erreur_json(erreur, colonne, &jauge))
        }
    }
}

struct Lecteur<'c, 'j, C, S> {
    contenu: &'c mut C,
    tampon: &'c RefCell<Tampon<'j, S>>,
    jauge: &'c Jauge,
    etat: Etat,
    /// True once the `pmej` array was met.
    pmej: bool,
    /// True when the content stopped the reading.
    arret: bool,
}

struct Racine<'a, 'c, 'j, C, S>(&'a mut Lecteur<'c, 'j, C, S>);

impl<'de, C: Contenu, S: Read> Visitor<'de> for Racine<'_, '_, '_, C, S> {
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
            let cle = cle.as_str();
            if let Some(liste) = C::LISTES.iter().copied().find(|nom| *nom == cle) {
                lecteur.pmej |= liste == PMEJ;
                acces.next_value_seed(Elements { lecteur: &mut *lecteur, liste })?;
                continue;
            }
            match cle {
                "schemaVersion" | "generatedAt" => {
                    let valeur = acces.next_value::<Value>()?;
                    lecteur.etat.entete(cle, &valeur);
                }
                "metadata" | "metadonnees" | "header" | "entete" => {
                    if let Value::Object(objet) = acces.next_value::<Value>()? {
                        for (cle, valeur) in &objet {
                            lecteur.etat.entete(cle, valeur);
                        }
                    }
                }
                _ => {
                    lecteur.jauge.debrider();
                    lecteur.etat.carnet.constater("cle-inconnue");
                    acces.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

/// An array.
struct Elements<'a, 'c, 'j, C, S> {
    lecteur: &'a mut Lecteur<'c, 'j, C, S>,
    liste: &'static str,
}

impl<'de, C: Contenu, S: Read> DeserializeSeed<'de> for Elements<'_, '_, '_, C, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, entree: D) -> Result<(), D::Error> {
        entree.deserialize_any(self)
    }
}

impl<'de, C: Contenu, S: Read> Visitor<'de> for Elements<'_, '_, '_, C, S> {
    type Value = ();

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(sortie, "la liste {}", self.liste)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut acces: A) -> Result<(), A::Error> {
        let Self { lecteur, liste } = self;
        loop {
            lecteur.jauge.borner(ELEMENT_MAX);
            let Some(suite) = acces.next_element_seed(Element { lecteur: &mut *lecteur, liste })? else {
                return Ok(());
            };
            if suite.is_break() {
                lecteur.arret = true;
                return Err(A::Error::custom("lecture interrompue"));
            }
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.liste == PMEJ {
            return Err(E::custom("liste absente"));
        }
        Ok(())
    }
}

/// An element of an array; the JSON reader has taken its first byte and no more.
struct Element<'a, 'c, 'j, C, S> {
    lecteur: &'a mut Lecteur<'c, 'j, C, S>,
    liste: &'static str,
}

impl<'de, C: Contenu, S: Read> DeserializeSeed<'de> for Element<'_, '_, '_, C, S> {
    type Value = ControlFlow<()>;

    fn deserialize<D: Deserializer<'de>>(self, entree: D) -> Result<ControlFlow<()>, D::Error> {
        let Self { lecteur, liste } = self;
        if C::EN_PLACE {
            let Lecteur { contenu, tampon, etat, .. } = &mut *lecteur;
            // The reader asks the buffer for the last brace: the borrow ends here.
            let vu = tampon
                .borrow_mut()
                .objet(|brut, arbre| contenu.element(liste, brut, Some(arbre.racine()), etat));
            if let Some(suite) = vu {
                if suite.is_continue() {
                    IgnoredAny::deserialize(entree)?;
                }
                return Ok(suite);
            }
        }
        let brut = Box::<RawValue>::deserialize(entree)?;
        let arbre = Arbre::entier(brut.get());
        let lu = arbre.as_ref().map(Arbre::racine);
        Ok(lecteur.contenu.element(liste, brut.get(), lu, &mut lecteur.etat))
    }
}

/// French error for a file the JSON reader gave up.
fn erreur_json(erreur: serde_json::Error, colonne: usize, jauge: &Jauge) -> ErreurFichier {
    let (ligne, octet) = (jauge.ligne(), jauge.octets());
    let message = if jauge.depasse() {
        "Un enregistrement dépasse 64 Mio.".to_owned()
    } else if erreur.is_io() {
        return erreur_lecture(&std::io::Error::from(erreur), ligne, octet);
    } else if erreur.is_eof() {
        "JSON tronqué : le fichier s'arrête avant la fin de l'objet.".to_owned()
    } else if erreur.is_data() {
        "Forme inattendue : la racine doit être un objet, et ses collections des listes.".to_owned()
    } else {
        format!("JSON invalide à la colonne {colonne}.")
    };
    ErreurFichier { ligne, octet, message }
}
