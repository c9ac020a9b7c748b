//! The nomenclatures in memory: every version, and a view of the newest of each
//! canonical with its labels folded, ready for lookup, validation and expansion.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use ror_domaine::ressource::{cle_nomenclature, id_nomenclature};
use ror_proto::{
    common::v1::Code,
    nomenclatures::v1::{Concept, Nomenclature, Sorte},
};

use crate::domaine::{ACTIF, Edition, utilisable};

/// Every version by canonical and version, and a view of the newest ones.
#[derive(Clone, Default)]
pub struct Index {
    editions: BTreeMap<(String, String), Arc<Edition>>,
    vues: HashMap<String, Arc<Vue>>,
}

/// What is known of a membership question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appartenance {
    /// Whether the code is a member at the date.
    pub valide: bool,
    /// Label, empty when unknown.
    pub libelle: String,
    /// French reason when not valid, or when a partial list cannot tell.
    pub motif: String,
}

impl Index {
    /// Versions held.
    pub fn nombre(&self) -> usize {
        self.editions.len()
    }

    /// Adds a version without renewing the views; its canonical when it is news.
    pub fn accueillir(&mut self, e: Arc<Edition>) -> Option<String> {
        let cle = (e.nomenclature.canonique.clone(), e.nomenclature.version.clone());
        if self.editions.get(&cle).is_some_and(|connue| connue.version >= e.version) {
            return None;
        }
        let canonique = cle.0.clone();
        self.editions.insert(cle, e);
        Some(canonique)
    }

    /// Adds versions and renews the views they change; false when none was news.
    pub fn poser(&mut self, editions: Vec<Arc<Edition>>) -> bool {
        let touches: BTreeSet<String> = editions.into_iter().filter_map(|e| self.accueillir(e)).collect();
        self.refaire(&touches);
        !touches.is_empty()
    }

    /// Renews every view.
    pub fn refaire_tout(&mut self) {
        let touches = self.canoniques();
        self.vues.clear();
        self.refaire(&touches);
    }

    fn canoniques(&self) -> BTreeSet<String> {
        self.editions.keys().map(|(c, _)| c.clone()).collect()
    }

    /// Code systems first: the views of value sets take labels and dates from them.
    fn refaire(&mut self, touches: &BTreeSet<String>) {
        if touches.is_empty() {
            return;
        }
        let mut jeux = Vec::new();
        for canonique in self.canoniques() {
            let Some(e) = self.courante(&canonique) else { continue };
            let touche = touches.contains(&canonique);
            match e.nomenclature.sorte() {
                Sorte::Tre if touche => {
                    let vue = Arc::new(Vue::systeme(e));
                    self.vues.insert(canonique, vue);
                }
                Sorte::Jdv
                    if touche || e.nomenclature.concepts.iter().any(|c| touches.contains(&c.systeme)) =>
                {
                    jeux.push((canonique, e));
                }
                _ => {}
            }
        }
        for (canonique, e) in jeux {
            let vue = Arc::new(Vue::jeu(e, &self.vues));
            self.vues.insert(canonique, vue);
        }
    }

    fn versions(&self, canonique: &str) -> Vec<Arc<Edition>> {
        self.editions
            .range((canonique.to_owned(), String::new())..)
            .take_while(|((c, _), _)| c == canonique)
            .map(|(_, e)| e.clone())
            .collect()
    }

    /// The newest version: the greater of two timestamps, otherwise the last loaded.
    pub fn courante(&self, canonique: &str) -> Option<Arc<Edition>> {
        let mut versions = self.versions(canonique);
        versions.sort_by_key(|e| e.maj_le);
        versions
            .into_iter()
            .reduce(|a, b| if plus_recente(&a.nomenclature.version, &b.nomenclature.version) { a } else { b })
    }

    /// A version by name; the newest when `version` is empty.
    pub fn edition(&self, canonique: &str, version: &str) -> Option<Arc<Edition>> {
        if version.is_empty() {
            return self.courante(canonique);
        }
        self.editions.get(&(canonique.to_owned(), version.to_owned())).cloned()
    }

    /// Headers after the id `apres`, at most `n`, ordered by canonical; the last id when more follow.
    pub fn entetes(&self, apres: &str, n: usize) -> (Vec<Nomenclature>, Option<String>) {
        let debut =
            if apres.is_empty() { Bound::Unbounded } else { Bound::Excluded(cle_nomenclature(apres)) };
        let mut suite = self.editions.range((debut, Bound::Unbounded));
        let page: Vec<_> = suite.by_ref().take(n).collect();
        let dernier = page.last().filter(|_| suite.next().is_some()).map(|((c, v), _)| id_nomenclature(c, v));
        (page.into_iter().map(|(_, e)| e.entete()).collect(), dernier)
    }

    /// The view of a canonical; `<canonical>?vs` names the whole of a code system.
    pub fn vue(&self, canonique: &str) -> Option<&Arc<Vue>> {
        self.vues.get(canonique).or_else(|| self.vues.get(canonique.strip_suffix("?vs")?))
    }

    /// A code in its code system.
    pub fn chercher(&self, systeme: &str, code: &str) -> Option<(&Vue, &Concept)> {
        let vue = self.vues.get(systeme).filter(|v| v.edition.nomenclature.sorte() == Sorte::Tre)?;
        Some((vue.as_ref(), vue.concept(systeme, code)?))
    }

    /// Whether a code belongs to a value set or code system at a date; `None` when that is unknown.
    pub fn appartient(&self, canonique: &str, code: &Code, date: &str) -> Option<Appartenance> {
        let vue = self.vue(canonique)?;
        let nom = vue.nom();
        let refus = |libelle: &str, motif: String| {
            Some(Appartenance { valide: false, libelle: libelle.to_owned(), motif })
        };
        if code.code.is_empty() {
            return refus("", "Le code manque.".to_owned());
        }
        let systeme = match (code.systeme.as_str(), vue.systemes.as_slice()) {
            ("", [seul]) => seul.as_str(),
            ("", _) => return refus("", format!("Le système du code manque : {nom} en a plusieurs.")),
            (donne, _) => donne,
        };
        if !vue.systemes.is_empty() && !vue.systemes.iter().any(|s| s == systeme) {
            return refus("", format!("Le système « {systeme} » n'est pas une source de {nom}."));
        }
        let Some(c) = vue.concept(systeme, &code.code) else {
            let libelle = self.chercher(systeme, &code.code).map_or("", |(_, c)| c.libelle.as_str());
            if vue.edition.nomenclature.complete {
                return refus(libelle, format!("Le code « {} » n'est pas dans {nom}.", code.code));
            }
            return Some(Appartenance {
                valide: true,
                libelle: libelle.to_owned(),
                motif: format!(
                    "Le code « {} » n'est pas dans {nom}, mais cette liste n'est pas complète.",
                    code.code
                ),
            });
        };
        if !utilisable(c, date) {
            return refus(&c.libelle, format!("Le code « {} » de {nom} n'est pas valide le {date}.", c.code));
        }
        Some(Appartenance { valide: true, libelle: c.libelle.clone(), motif: String::new() })
    }
}

/// Versions compare only when both are 14-digit timestamps; else the last loaded wins.
fn plus_recente(connue: &str, nouvelle: &str) -> bool {
    let horodatee = |v: &str| v.len() == 14 && v.bytes().all(|b| b.is_ascii_digit());
    horodatee(connue) && horodatee(nouvelle) && connue > nouvelle
}

struct Membre {
    concept: Concept,
    plie: Box<str>,
}

/// The newest version of a nomenclature, its members completed and folded.
pub struct Vue {
    edition: Arc<Edition>,
    /// Code systems in the order they first appear.
    systemes: Vec<String>,
    membres: Vec<Membre>,
    rangs: HashMap<String, HashMap<Box<str>, usize>>,
}

impl Vue {
    fn systeme(edition: Arc<Edition>) -> Self {
        let canonique = edition.nomenclature.canonique.clone();
        let concepts = edition
            .nomenclature
            .concepts
            .iter()
            .map(|c| Concept { systeme: canonique.clone(), ..c.clone() })
            .collect();
        Self::nouvelle(edition, concepts)
    }

    fn jeu(edition: Arc<Edition>, vues: &HashMap<String, Arc<Self>>) -> Self {
        let concepts = edition
            .nomenclature
            .concepts
            .iter()
            .map(|c| match vues.get(&c.systeme).and_then(|v| v.concept(&c.systeme, &c.code)) {
                Some(source) => completer(c, source),
                None => c.clone(),
            })
            .collect();
        Self::nouvelle(edition, concepts)
    }

    fn nouvelle(edition: Arc<Edition>, concepts: Vec<Concept>) -> Self {
        let mut systemes: Vec<String> = Vec::new();
        let mut ranges = Vec::with_capacity(concepts.len());
        for c in concepts {
            let rang = systemes.iter().position(|s| *s == c.systeme).unwrap_or_else(|| {
                systemes.push(c.systeme.clone());
                systemes.len() - 1
            });
            ranges.push((rang, c));
        }
        // Stable: within a code system, as published.
        ranges.sort_by_key(|(rang, _)| *rang);
        let membres: Vec<Membre> = ranges
            .into_iter()
            .map(|(_, concept)| Membre { plie: plier(&concept.libelle).into(), concept })
            .collect();
        let mut rangs: HashMap<String, HashMap<Box<str>, usize>> = HashMap::with_capacity(systemes.len());
        for (rang, m) in membres.iter().enumerate() {
            if let Some(codes) = rangs.get_mut(&m.concept.systeme) {
                codes.insert(m.concept.code.as_str().into(), rang);
            } else {
                let codes = HashMap::from([(m.concept.code.as_str().into(), rang)]);
                rangs.insert(m.concept.systeme.clone(), codes);
            }
        }
        Self { edition, systemes, membres, rangs }
    }

    /// Version this view shows.
    pub fn version(&self) -> &str {
        &self.edition.nomenclature.version
    }

    /// Name for people: the computer name, or the canonical.
    fn nom(&self) -> &str {
        let n = &self.edition.nomenclature;
        if n.nom.is_empty() { &n.canonique } else { &n.nom }
    }

    fn concept(&self, systeme: &str, code: &str) -> Option<&Concept> {
        let rang = *self.rangs.get(systeme)?.get(code)?;
        self.membres.get(rang).map(|m| &m.concept)
    }

    /// Members usable at the date and matching the filter: those from `debut`, at most
    /// `limite`, and how many there are in all.
    pub fn deplier(&self, filtre: &str, date: &str, debut: usize, limite: usize) -> (Vec<Concept>, usize) {
        let filtre = Filtre::lire(filtre);
        let mut page = Vec::new();
        let mut total = 0;
        for m in &self.membres {
            if utilisable(&m.concept, date) && filtre.retient(m) {
                if total >= debut && page.len() < limite {
                    page.push(m.concept.clone());
                }
                total += 1;
            }
        }
        (page, total)
    }
}

/// A member of a value set completed from its code system, which alone dates its codes.
fn completer(c: &Concept, source: &Concept) -> Concept {
    fn ou<'a>(a: &'a str, b: &'a str) -> &'a str {
        if a.is_empty() { b } else { a }
    }
    let statut = if c.statut == ACTIF { "" } else { c.statut.as_str() };
    Concept {
        systeme: c.systeme.clone(),
        code: c.code.clone(),
        libelle: ou(&c.libelle, &source.libelle).to_owned(),
        statut: ou(statut, &source.statut).to_owned(),
        valide_du: ou(&c.valide_du, &source.valide_du).to_owned(),
        valide_au: ou(&c.valide_au, &source.valide_au).to_owned(),
    }
}

/// A text filter: every word starts a word of the label, or the text starts the code.
struct Filtre<'a> {
    texte: &'a str,
    mots: Vec<String>,
}

impl<'a> Filtre<'a> {
    fn lire(texte: &'a str) -> Self {
        let texte = texte.trim();
        let mots = plier(texte).split_whitespace().map(|m| format!(" {m}")).collect();
        Self { texte, mots }
    }

    fn retient(&self, m: &Membre) -> bool {
        if self.texte.is_empty() {
            return true;
        }
        let par_libelle = !self.mots.is_empty() && self.mots.iter().all(|mot| m.plie.contains(mot.as_str()));
        par_libelle
            || m.concept
                .code
                .as_bytes()
                .get(..self.texte.len())
                .is_some_and(|debut| debut.eq_ignore_ascii_case(self.texte.as_bytes()))
    }
}

/// Lower case, without accents, each word after one space: " l abergement clemenciat".
fn plier(texte: &str) -> String {
    let mut plie = String::with_capacity(texte.len() + 1);
    let mut dans_un_mot = false;
    for c in texte.chars().flat_map(char::to_lowercase) {
        let mut tampon = [0u8; 4];
        let lettres: &str = match c {
            // Combining accents.
            '\u{300}'..='\u{36f}' => continue,
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'ç' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'æ' => "ae",
            'œ' => "oe",
            'ß' => "ss",
            c if c.is_alphanumeric() => &*c.encode_utf8(&mut tampon),
            _ => {
                dans_un_mot = false;
                continue;
            }
        };
        if !dans_un_mot {
            plie.push(' ');
            dans_un_mot = true;
        }
        plie.push_str(lettres);
    }
    plie
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{RETIRE, normaliser};
    use time::{Duration, OffsetDateTime};

    const DATE: &str = "2026-11-21";

    fn concept(systeme: &str, code: &str, libelle: &str) -> Concept {
        Concept { systeme: systeme.into(), code: code.into(), libelle: libelle.into(), ..Default::default() }
    }

    fn edition(
        sorte: Sorte,
        canonique: &str,
        version: &str,
        rang: i64,
        concepts: Vec<Concept>,
    ) -> Arc<Edition> {
        Arc::new(Edition {
            nomenclature: normaliser(Nomenclature {
                sorte: sorte as i32,
                canonique: canonique.into(),
                version: version.into(),
                complete: true,
                concepts,
                ..Default::default()
            }),
            version: 1,
            maj_le: OffsetDateTime::UNIX_EPOCH + Duration::seconds(rang),
        })
    }

    fn exemple() -> Index {
        let tre = edition(
            Sorte::Tre,
            "urn:t",
            "20250101120000",
            1,
            vec![
                concept("", "01", "L'Abergement-Clémenciat"),
                concept("", "02", "Saint-Étienne"),
                Concept {
                    statut: RETIRE.into(),
                    valide_au: "2020-12-31".into(),
                    ..concept("", "03", "Œuvre fermée")
                },
            ],
        );
        let autre =
            edition(Sorte::Tre, "urn:u", "", 2, vec![concept("", "A", "Autre"), concept("", "Z", "Zone")]);
        let jdv = edition(
            Sorte::Jdv,
            "urn:j",
            "",
            3,
            vec![
                concept("urn:t", "02", ""),
                concept("urn:u", "A", ""),
                concept("urn:t", "01", ""),
                concept("urn:t", "03", ""),
            ],
        );
        let mut i = Index::default();
        // The value set before its code systems: its labels must come all the same.
        assert!(i.poser(vec![jdv]));
        assert!(i.poser(vec![tre.clone(), autre]));
        assert!(!i.poser(vec![tre]), "a version held is no news");
        i
    }

    #[test]
    fn folding_drops_case_accents_and_signs() {
        assert_eq!(plier("L'Abergement-CLÉMENCIAT  (Ain)"), " l abergement clemenciat ain");
        assert_eq!(plier("Œdème e\u{301}"), " oedeme e");
        assert_eq!(plier("-- "), "");
    }

    #[test]
    fn a_filter_starts_words_or_the_code() {
        let i = exemple();
        let codes = |filtre: &str| {
            let (page, total) = i.vue("urn:t").unwrap().deplier(filtre, DATE, 0, 10);
            assert_eq!(page.len(), total);
            page.into_iter().map(|c| c.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(""), ["01", "02"]);
        assert_eq!(codes("clem ABER"), ["01"]);
        assert_eq!(codes("tienne"), Vec::<String>::new());
        assert_eq!(codes("saint-éti"), ["02"]);
        assert_eq!(codes("0"), ["01", "02"]);
        assert_eq!(codes("02"), ["02"]);
        assert_eq!(codes("--"), Vec::<String>::new());
    }

    #[test]
    fn a_value_set_is_ordered_by_system_completed_and_paged() {
        let i = exemple();
        let vue = i.vue("urn:j").unwrap();
        let (page, total) = vue.deplier("", DATE, 0, 10);
        let vus: Vec<_> =
            page.iter().map(|c| (c.systeme.as_str(), c.code.as_str(), c.libelle.as_str())).collect();
        assert_eq!(total, 3);
        assert_eq!(
            vus,
            [
                ("urn:t", "02", "Saint-Étienne"),
                ("urn:t", "01", "L'Abergement-Clémenciat"),
                ("urn:u", "A", "Autre")
            ]
        );
        let (page, total) = vue.deplier("", "2020-06-01", 1, 2);
        assert_eq!((page.len(), total, page[1].code.as_str()), (2, 4, "03"));
        assert!(vue.deplier("", DATE, 50, 10).0.is_empty());
    }

    #[test]
    fn membership_says_why_not() {
        let i = exemple();
        let dire = |canonique: &str, systeme: &str, code: &str, date: &str| {
            i.appartient(canonique, &Code { systeme: systeme.into(), code: code.into() }, date)
        };
        assert!(dire("urn:j", "urn:t", "01", DATE).unwrap().valide);
        assert!(dire("urn:t?vs", "", "01", DATE).unwrap().valide, "one system needs no naming");
        assert!(dire("urn:j", "urn:t", "03", "2019-01-01").unwrap().valide);
        let hors_date = dire("urn:j", "urn:t", "03", DATE).unwrap();
        assert_eq!((hors_date.valide, hors_date.libelle.as_str()), (false, "Œuvre fermée"));
        let absent = dire("urn:j", "urn:u", "Z", DATE).unwrap();
        assert_eq!((absent.valide, absent.libelle.as_str()), (false, "Zone"));
        assert!(dire("urn:j", "urn:x", "01", DATE).unwrap().motif.contains("source"));
        assert!(!dire("urn:j", "", "01", DATE).unwrap().valide);
        assert_eq!(dire("urn:inconnu", "urn:t", "01", DATE), None);
    }

    #[test]
    fn a_partial_list_never_proves_a_code_wrong() {
        let mut partielle = edition(Sorte::Tre, "urn:p", "", 1, vec![concept("", "1", "Un")]);
        if let Some(e) = Arc::get_mut(&mut partielle) {
            e.nomenclature.complete = false;
        }
        let mut i = Index::default();
        i.poser(vec![partielle]);
        let a = i.appartient("urn:p", &Code { systeme: "urn:p".into(), code: "2".into() }, DATE).unwrap();
        assert!(a.valide && a.motif.contains("complète"));
    }

    #[test]
    fn the_newest_is_the_greater_timestamp_or_the_last_loaded() {
        let v = |version: &str, rang| {
            edition(Sorte::Tre, "urn:t", version, rang, vec![concept("", "1", version)])
        };
        let newest = |editions: Vec<Arc<Edition>>| {
            let mut i = Index::default();
            i.poser(editions);
            i.vue("urn:t").map(|v| v.version().to_owned())
        };
        let jeune = Some("20250101120000".to_owned());
        assert_eq!(newest(vec![v("20250101120000", 1), v("20240101120000", 2)]), jeune);
        assert_eq!(newest(vec![v("INSEE", 2), v("20250101120000", 3)]), jeune);
        assert_eq!(newest(vec![v("20250101120000", 1), v("INSEE", 2)]), Some("INSEE".to_owned()));
    }

    #[test]
    fn headers_are_paged_without_concepts() {
        let i = exemple();
        let (premiers, jeton) = i.entetes("", 2);
        let noms = |p: &[Nomenclature]| p.iter().map(|n| n.canonique.clone()).collect::<Vec<_>>();
        assert_eq!(noms(&premiers), ["urn:j", "urn:t"]);
        assert!(premiers.iter().all(|n| n.concepts.is_empty()));
        let (suite, fin) = i.entetes(&jeton.unwrap(), 2);
        assert_eq!((noms(&suite), fin), (vec!["urn:u".to_owned()], None));
    }

    #[test]
    fn lookup_needs_a_code_system() {
        let i = exemple();
        assert_eq!(
            i.chercher("urn:t", "02").map(|(v, c)| (v.version(), c.libelle.as_str())),
            Some(("20250101120000", "Saint-Étienne"))
        );
        assert!(i.chercher("urn:j", "02").is_none());
        assert!(i.chercher("urn:t", "99").is_none());
    }
}
