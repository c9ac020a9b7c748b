//! A word of a query, and how well a term of a text answers it. One decision for the index, which walks its dictionary
//! with the automaton, and for a text alone, which is asked term by term.

use tantivy_fst::Automaton;

use super::analyse::{MARQUE, MOT_OCTETS, racine};

/// How a term answers a word, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Classe {
    /// The same word.
    Exacte,
    /// The same stem.
    Racine,
    /// The word begins the term.
    Debut,
    /// One letter apart.
    Faute,
    /// Two letters apart.
    DeuxFautes,
}

impl Classe {
    /// How many there are.
    pub(super) const NOMBRE: usize = 5;
    /// Every class, best first.
    pub(super) const TOUTES: [Self; Self::NOMBRE] =
        [Self::Exacte, Self::Racine, Self::Debut, Self::Faute, Self::DeuxFautes];

    /// What it is worth in a score.
    pub(super) fn note(self) -> f32 {
        [1.0, 0.95, 0.8, 0.65, 0.5][self as usize]
    }
}

/// A word asked.
#[derive(Clone, Debug)]
pub(super) struct Mot {
    texte: String,
    racine: String,
    /// Whether the stem is a word that is its own stem, so indexed without a mark.
    propre: bool,
    automate: Option<Automate>,
    /// Of its letters, once for all the texts that are scored.
    poids: f32,
}

impl Mot {
    /// A word as the analysis gives it.
    pub(super) fn nouveau(texte: String) -> Self {
        let racine = racine(&texte).into_owned();
        let propre = self::racine(&racine) == racine;
        let automate = Automate::nouveau(&texte);
        let poids = (2.0 + texte.chars().count() as f32).ln();
        Self { texte, racine, propre, automate, poids }
    }

    /// What it weighs in a score: long words tell more.
    pub(super) fn poids(&self) -> f32 {
        self.poids
    }

    /// The word, for comparison.
    pub(super) fn texte(&self) -> &str {
        &self.texte
    }

    /// Whether a term is the same word or has the same stem.
    pub(super) fn strict(&self, terme: &str) -> Option<Classe> {
        if terme == self.texte {
            return Some(Classe::Exacte);
        }
        let meme_racine = match terme.strip_prefix(MARQUE) {
            Some(racine) => racine == self.racine,
            None => self.propre && terme == self.racine,
        };
        meme_racine.then_some(Classe::Racine)
    }

    /// How a term answers the word.
    pub(super) fn classe(&self, terme: &str) -> Option<Classe> {
        self.strict(terme).or_else(|| self.automate?.classe(terme.as_bytes()))
    }

    /// The only terms that [`Self::strict`] accepts.
    pub(super) fn stricts(&self) -> Vec<String> {
        let mut termes = vec![self.texte.clone(), format!("{MARQUE}{}", self.racine)];
        if self.propre && self.racine != self.texte {
            termes.push(self.racine.clone());
        }
        termes
    }

    /// What accepts the other terms that answer the word.
    pub(super) fn automate(&self) -> Option<Automate> {
        self.automate
    }
}

/// Accepts the terms that begin with a word of at least three letters, and those a typing error or two away: one from
/// four letters, two from eight, the first letter being right. Two letters swapped are one error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Automate {
    mot: [u8; MOT_OCTETS],
    longueur: usize,
    tolerance: u8,
}

/// What was read of a term, and the last two rows of the table of distances.
#[derive(Clone)]
pub(super) struct Lu {
    octets: u8,
    egal: bool,
    dernier: u8,
    ligne: [u8; MOT_OCTETS + 1],
    avant: [u8; MOT_OCTETS + 1],
}

/// A distance out of reach.
const LOIN: u8 = u8::MAX;

impl Automate {
    fn nouveau(texte: &str) -> Option<Self> {
        let octets = texte.as_bytes();
        if texte.chars().count() < 3 || octets.len() > MOT_OCTETS {
            return None;
        }
        let mut mot = [0; MOT_OCTETS];
        mot[..octets.len()].copy_from_slice(octets);
        let tolerance = match octets.len() {
            // A number with a wrong digit is another number.
            _ if !octets.iter().all(u8::is_ascii_lowercase) => 0,
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        };
        Some(Self { mot, longueur: octets.len(), tolerance })
    }

    fn commence(&self, lu: &Lu) -> bool {
        lu.egal && usize::from(lu.octets) >= self.longueur
    }

    fn distance(&self, lu: &Lu) -> Option<u8> {
        let distance = lu.ligne[self.longueur];
        (distance <= self.tolerance).then_some(distance)
    }

    fn classe(&self, terme: &[u8]) -> Option<Classe> {
        let mut lu = self.start();
        for octet in terme {
            if !self.can_match(&lu) {
                return None;
            }
            lu = self.accept(&lu, *octet);
        }
        if self.commence(&lu) {
            return Some(Classe::Debut);
        }
        self.distance(&lu).map(|d| if d < 2 { Classe::Faute } else { Classe::DeuxFautes })
    }
}

impl Automaton for Automate {
    type State = Lu;

    fn start(&self) -> Lu {
        let mut ligne = [LOIN; MOT_OCTETS + 1];
        if self.tolerance > 0 {
            for (case, distance) in ligne.iter_mut().zip(0..) {
                *case = distance;
            }
        }
        Lu { octets: 0, egal: true, dernier: 0, ligne, avant: [LOIN; MOT_OCTETS + 1] }
    }

    fn is_match(&self, lu: &Lu) -> bool {
        self.commence(lu) || self.distance(lu).is_some()
    }

    fn can_match(&self, lu: &Lu) -> bool {
        lu.egal || lu.ligne[..=self.longueur].iter().any(|d| *d <= self.tolerance)
    }

    fn accept(&self, lu: &Lu, octet: u8) -> Lu {
        let rang = usize::from(lu.octets);
        let mut suite = Lu {
            octets: lu.octets.saturating_add(1),
            egal: lu.egal && (rang >= self.longueur || self.mot[rang] == octet),
            dernier: octet,
            ligne: [LOIN; MOT_OCTETS + 1],
            avant: lu.ligne,
        };
        // A wrong first letter leaves every distance out of reach, for good.
        if lu.ligne[0] == LOIN || (rang == 0 && octet != self.mot[0]) {
            return suite;
        }
        suite.ligne[0] = suite.octets;
        for j in 1..=self.longueur {
            let lettre = self.mot[j - 1];
            let mut d = lu.ligne[j - 1].saturating_add(u8::from(lettre != octet));
            d = d.min(lu.ligne[j].saturating_add(1)).min(suite.ligne[j - 1].saturating_add(1));
            if rang > 0 && j > 1 && lettre == lu.dernier && self.mot[j - 2] == octet {
                d = d.min(lu.avant[j - 2].saturating_add(1));
            }
            suite.ligne[j] = d;
        }
        suite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classe(mot: &str, terme: &str) -> Option<Classe> {
        Mot::nouveau(mot.to_owned()).classe(terme)
    }

    #[test]
    fn each_way_of_answering() {
        for (mot, terme, attendue) in [
            ("nantes", "nantes", Some(Classe::Exacte)),
            ("cardiologie", "=cardiolog", Some(Classe::Racine)),
            ("cardiologies", "=cardiolog", Some(Classe::Racine)),
            ("martine", "martin", Some(Classe::Racine)),
            ("cardio", "cardiologie", Some(Classe::Debut)),
            ("chu", "chute", Some(Classe::Debut)),
            ("ch", "chu", None),
            ("44", "44000", None),
            ("440", "44000", Some(Classe::Debut)),
            ("44000", "44100", None),
            ("nante", "nantes", Some(Classe::Debut)),
            ("nanets", "nantes", Some(Classe::Faute)),
            ("natnes", "nantes", Some(Classe::Faute)),
            ("mantes", "nantes", None),
            ("cardiolgie", "cardiologie", Some(Classe::Faute)),
            ("cardolgie", "cardiologie", Some(Classe::DeuxFautes)),
            ("cradiolgie", "cardiologie", Some(Classe::DeuxFautes)),
            ("cradolgie", "cardiologie", None),
            ("chu", "chi", None),
            ("xycardiologie", "cardiologie", None),
            ("cardiologie", "xycardiologie", None),
            ("soin", "loin", None),
            ("élan", "élans", Some(Classe::Debut)),
        ] {
            assert_eq!(classe(mot, terme), attendue, "{mot} {terme}");
        }
    }

    #[test]
    fn distances_are_those_of_a_plain_table() {
        fn attendue(a: &[u8], b: &[u8]) -> usize {
            let mut t = vec![vec![0; b.len() + 1]; a.len() + 1];
            for i in 0..=a.len() {
                for j in 0..=b.len() {
                    t[i][j] = if i == 0 || j == 0 {
                        i.max(j)
                    } else {
                        let mut d = (t[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                            .min(t[i - 1][j] + 1)
                            .min(t[i][j - 1] + 1);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            d = d.min(t[i - 2][j - 2] + 1);
                        }
                        d
                    };
                }
            }
            t[a.len()][b.len()]
        }
        let mut graine = 1u64;
        let mut tirer = |n: u64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (graine >> 33) % n
        };
        for _ in 0..20_000 {
            let mut mot =
                |n: u64| -> String { (0..n).map(|_| char::from(b'a' + tirer(3) as u8)).collect::<String>() };
            let (a, b) = (mot(9), mot(9));
            let tolerance = |m: &str| if m.len() < 8 { 1 } else { 2 };
            for (a, b) in [(&a[..], &b[..]), (&a[..6], &b[..5]), (&a[..5], &b[..6])] {
                let d = attendue(a.as_bytes(), b.as_bytes());
                let proche = a.as_bytes()[0] == b.as_bytes()[0] && d <= tolerance(a);
                let automate = Automate::nouveau(a).unwrap();
                assert_eq!(automate.classe(b.as_bytes()).is_some(), proche || b.starts_with(a), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_the_automaton_accepts_is_what_the_class_says() {
        let mot = Mot::nouveau("cardiologie".to_owned());
        let automate = mot.automate().unwrap();
        for terme in ["cardiologies", "cardiolgie", "cardio", "zut", "", "cardiologue"] {
            let lu = terme.bytes().fold(automate.start(), |lu, o| automate.accept(&lu, o));
            assert_eq!(automate.is_match(&lu), automate.classe(terme.as_bytes()).is_some(), "{terme}");
        }
    }
}
