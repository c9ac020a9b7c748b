//! A full text asked: words that must all be answered, phrases, exclusions; and the score of a text that answers.

use super::{
    ChampTexte, Fiche,
    analyse::{Analyse, Occurrence, borner, longueur, mots},
    mot::{Classe, Mot},
};

/// Words of a query that are looked at.
pub const MOTS_MAX: usize = 16;

/// What is found outside of the narrative counts a little less.
const HORS_NARRATIF: f32 = 0.8;
/// Share of the score that the words alone give; the rest tells how much of the name they cover.
const PART_DES_MOTS: f32 = 0.7;

/// A full text asked, read once.
#[derive(Clone, Debug)]
pub struct Demande {
    pub(super) exigences: Vec<Exigence>,
    /// Words, or phrases, that no text of the answer holds.
    pub(super) exclusions: Vec<Vec<Mot>>,
}

/// What a text must hold.
#[derive(Clone, Debug)]
pub(super) enum Exigence {
    /// A word, typing errors allowed.
    Mot(Mot),
    /// Words in a row, or one alone, written so or inflected.
    Suite(Vec<Mot>),
}

impl Exigence {
    fn mots(&self) -> &[Mot] {
        match self {
            Self::Mot(mot) => std::slice::from_ref(mot),
            Self::Suite(mots) => mots,
        }
    }

    fn poids(&self) -> f32 {
        self.mots().iter().map(Mot::poids).sum()
    }
}

/// How a text answers one requirement: the best in its narrative, and beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vu {
    pub narratif: Option<Classe>,
    pub reste: Option<Classe>,
}

impl Vu {
    fn note(self) -> f32 {
        let note = |c: Option<Classe>| c.map_or(0.0, Classe::note);
        note(self.narratif).max(HORS_NARRATIF * note(self.reste))
    }
}

impl Demande {
    /// Reads a text as typed; `None` when it asks for no word.
    pub fn lire(texte: &str) -> Option<Self> {
        let mut demande = Self { exigences: Vec::new(), exclusions: Vec::new() };
        let mut connus: Vec<String> = Vec::new();
        let mut reste = MOTS_MAX;
        for morceau in morceaux(borner(texte)) {
            let mut mots: Vec<Mot> = mots(morceau.texte).into_iter().map(Mot::nouveau).collect();
            mots.truncate(reste);
            reste -= mots.len();
            if mots.is_empty() {
                continue;
            }
            match (morceau.exclu, morceau.suite) {
                (true, _) => demande.exclusions.push(mots),
                (false, true) => demande.exigences.push(Exigence::Suite(mots)),
                (false, false) => {
                    for mot in mots {
                        if !connus.iter().any(|c| c == mot.texte()) {
                            connus.push(mot.texte().to_owned());
                            demande.exigences.push(Exigence::Mot(mot));
                        }
                    }
                }
            }
        }
        (!demande.exigences.is_empty()).then_some(demande)
    }

    /// The score of a text, from how it answers each requirement and the words of its narrative.
    pub(super) fn noter(&self, vus: &[Vu], longueur: u64) -> f32 {
        let (mut obtenu, mut total, mut couverts) = (0.0f32, 0.0f32, 0usize);
        for (exigence, vu) in self.exigences.iter().zip(vus) {
            let poids = exigence.poids();
            obtenu += poids * vu.note();
            total += poids;
            if vu.narratif.is_some() {
                couverts += exigence.mots().len();
            }
        }
        let couverture = (couverts as f32 / longueur.max(1) as f32).min(1.0);
        ((obtenu / total) * (PART_DES_MOTS + (1.0 - PART_DES_MOTS) * couverture)).min(1.0)
    }

    /// Whether a text answers, and its score: what the index says of the same text.
    pub fn convient(&self, champ: ChampTexte, fiche: &Fiche, analyse: &mut Analyse) -> Option<f32> {
        let textes: Vec<Vec<Occurrence>> =
            fiche.textes()[..champ.nombre()].iter().map(|t| analyse.occurrences(t)).collect();
        let (narratif, autres) = textes.split_first()?;
        if self.exclusions.iter().any(|mots| textes.iter().any(|t| suite(mots, t))) {
            return None;
        }
        let mut vus = Vec::with_capacity(self.exigences.len());
        for exigence in &self.exigences {
            let vu = Vu {
                narratif: classe(exigence, narratif),
                reste: autres.iter().filter_map(|t| classe(exigence, t)).min(),
            };
            if vu == Vu::default() {
                return None;
            }
            vus.push(vu);
        }
        Some(self.noter(&vus, longueur(&fiche.narratif)))
    }
}

/// How a text answers a requirement.
fn classe(exigence: &Exigence, texte: &[Occurrence]) -> Option<Classe> {
    match exigence {
        Exigence::Mot(mot) => texte.iter().filter_map(|o| mot.classe(&o.terme)).min(),
        Exigence::Suite(mots) => suite(mots, texte).then_some(Classe::Exacte),
    }
}

/// Whether a text holds these words in a row.
fn suite(mots: &[Mot], texte: &[Occurrence]) -> bool {
    let debuts = |(k, mot): (u32, &Mot)| -> Vec<u32> {
        let places = texte.iter().filter(|o| mot.strict(&o.terme).is_some());
        places.filter_map(|o| o.position.checked_sub(k)).collect()
    };
    let mut restants: Option<Vec<u32>> = None;
    for numerote in (0..).zip(mots) {
        let ici = debuts(numerote);
        restants = Some(match restants {
            None => ici,
            Some(avant) => avant.into_iter().filter(|d| ici.contains(d)).collect(),
        });
    }
    restants.is_some_and(|d| !d.is_empty())
}

/// A part of what was typed.
#[derive(Debug, PartialEq)]
struct Morceau<'a> {
    texte: &'a str,
    suite: bool,
    exclu: bool,
}

fn guillemet(lettre: char) -> bool {
    matches!(lettre, '"' | '«' | '»' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn morceaux(texte: &str) -> Vec<Morceau<'_>> {
    let mut sortie = Vec::new();
    let mut reste = texte.trim_start();
    while !reste.is_empty() {
        let (exclu, suivant) = match reste.strip_prefix('-') {
            Some(suivant) => (true, suivant),
            None => (false, reste),
        };
        let suite = suivant.starts_with(guillemet);
        let (texte, apres) = if suite {
            let mut lettres = suivant.chars();
            lettres.next();
            let dedans = lettres.as_str();
            dedans.split_once(guillemet).unwrap_or((dedans, ""))
        } else {
            let fin = suivant.find(|l: char| l.is_whitespace() || guillemet(l)).unwrap_or(suivant.len());
            suivant.split_at(fin)
        };
        sortie.push(Morceau { texte, suite, exclu });
        reste = apres.trim_start();
    }
    sortie
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoupe(texte: &str) -> Vec<(&str, bool, bool)> {
        morceaux(texte).into_iter().map(|m| (m.texte, m.suite, m.exclu)).collect()
    }

    #[test]
    fn words_phrases_and_exclusions_are_told_apart() {
        assert_eq!(
            decoupe(r#"chu "soins de suite" -psychiatrie -"hôpital de jour" nantes"#),
            [
                ("chu", false, false),
                ("soins de suite", true, false),
                ("psychiatrie", false, true),
                ("hôpital de jour", true, true),
                ("nantes", false, false),
            ]
        );
        assert_eq!(decoupe("« bord de mer » saint-nazaire")[1], ("saint-nazaire", false, false));
        assert_eq!(decoupe("\"jamais clos"), [("jamais clos", true, false)]);
        assert_eq!(decoupe("a\"b\"c").len(), 3);
        assert_eq!(decoupe(" - "), [("", false, true)]);
        assert_eq!(decoupe("\"\" chu"), [("", true, false), ("chu", false, false)]);
        assert!(decoupe("  ").is_empty());
    }

    #[test]
    fn a_text_without_word_asks_nothing() {
        for texte in ["", "  ", "de la", "-chu", "\"\"", "!?", "-", "\"de\""] {
            assert!(Demande::lire(texte).is_none(), "{texte}");
        }
        for texte in ["chu", "de la mer", "\"chu\" -x", "-x chu", "--x chu"] {
            assert!(Demande::lire(texte).is_some(), "{texte}");
        }
        let longue = "mot1 mot2 mot3 ".repeat(100);
        assert_eq!(Demande::lire(&longue).map(|d| d.exigences.len()), Some(3));
        let longue: String = (0..100).map(|i| format!("mot{i} ")).collect();
        assert_eq!(Demande::lire(&longue).map(|d| d.exigences.len()), Some(MOTS_MAX));
    }
}
