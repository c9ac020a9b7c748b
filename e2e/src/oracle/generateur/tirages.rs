//! Values of criteria, drawn from the data and written in every accepted way.

use super::{Forme, Generateur, Temoin};
use crate::oracle::{
    dates::{self, Intervalle, Precision, Prefixe},
    nombres,
    parametres::{Parametre, Sorte},
    requete::{Cible, Critere, Jeton, Mode, Quantite, Test},
    valeurs::{ANCIENS, FINESS, Valeur, replier, valeur_seule},
};

const ID_NAT_STRUCT: &str = "urn:oid:1.2.250.1.71.4.2.2";

/// Published code systems that the directory carries little or nothing of.
const AUTRES_SYSTEMES: [&str; 4] = [
    "https://mos.esante.gouv.fr/NOS/TRE_R20-Pays/FHIR/TRE-R20-Pays",
    "https://mos.esante.gouv.fr/NOS/TRE_R45-FonctionQualifiee/FHIR/TRE-R45-FonctionQualifiee",
    "https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge",
    "https://mos.esante.gouv.fr/NOS/TRE_R288-TypeProfession/FHIR/TRE-R288-TypeProfession",
];

/// Spellings of the systems of units.
const UNITES: [&str; 3] = [
    "http://unitsofmeasure.org",
    "https://unitsofmeasure.org",
    "https://mos.esante.gouv.fr/NOS/TRE_R247-UcumUniteMesure/FHIR/TRE-R247-UcumUniteMesure",
];

/// Systems that name the type of an identifier rather than its own system.
const TYPES_IDENTIFIANT: [&str; 7] = [
    "https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR",
    "https://mos.esante.gouv.fr/NOS/TRE_R354-TypeIdentifiantRessourceOperationnelle/FHIR/TRE-R354-TypeIdentifiantRessourceOperationnelle",
    "https://mos.esante.gouv.fr/NOS/TRE_R355-TypeIdentifiantOffre/FHIR/TRE-R355-TypeIdentifiantOffre",
    "https://mos.esante.gouv.fr/NOS/TRE_G07-TypeIdentifiantStructure/FHIR/TRE-G07-TypeIdentifiantStructure",
    "https://mos.esante.gouv.fr/NOS/TRE_G08-TypeIdentifiantPersonne/FHIR/TRE-G08-TypeIdentifiantPersonne",
    "https://mos.esante.gouv.fr/NOS/TRE_R345-TypeIdentifiantAutre/FHIR/TRE-R345-TypeIdentifiantAutre",
    "https://mos.esante.gouv.fr/NOS/TRE_R345-TypeIdentifiantAutre/FHIR/TRE_R345-TypeIdentifiantAutre",
];

impl Generateur<'_> {
    /// A criterion of that form; none when the data give nothing to ask, or when the answer would
    /// hang on a hair.
    pub(super) fn critere(
        &mut self,
        p: &'static Parametre,
        forme: Forme,
        temoin: Option<Temoin<'_>>,
    ) -> Option<Critere> {
        let nombre = match forme {
            Forme::Liste => self.h.entre(2, 3),
            Forme::Valeur | Forme::Absent(_) | Forme::Prefixe(_) => 1,
            // Lists under a modifier too.
            _ if self.h.chance(25) => 2,
            _ => 1,
        };
        let test = match forme {
            Forme::Absent(absent) => Test::Absent(absent),
            Forme::Parmi => {
                let jeux = (0..nombre).map(|_| self.jeu(p));
                Test::Parmi(jeux.collect::<Option<_>>()?)
            }
            Forme::Libelle => {
                let libelles = (0..nombre).map(|_| self.libelle(p, temoin));
                Test::Libelles(libelles.collect::<Option<_>>()?)
            }
            _ => match p.sorte {
                Sorte::Id | Sorte::Jeton | Sorte::Identifiant => {
                    Test::Jetons(self.jetons(p, temoin, nombre)?)
                }
                Sorte::Texte => {
                    let mode = match forme {
                        Forme::Contient => Mode::Contient,
                        Forme::Exact => Mode::Exact,
                        _ => Mode::Debut,
                    };
                    let textes = (0..nombre).map(|_| self.texte(p, temoin, mode));
                    Test::Textes(mode, textes.collect::<Option<_>>()?)
                }
                Sorte::Date => {
                    Test::Dates(self.ordonnes(forme, nombre, |g, prefixe| g.date(p, temoin, prefixe))?)
                }
                Sorte::Nombre => Test::Nombres(self.ordonnes(forme, nombre, |g, _| g.nombre(p, temoin))?),
                Sorte::Quantite => {
                    Test::Quantites(self.ordonnes(forme, nombre, |g, _| g.quantite(p, temoin))?)
                }
                Sorte::Reference => {
                    let cibles = (0..nombre).map(|_| self.cible(p, temoin, forme));
                    Test::References(cibles.collect::<Option<_>>()?)
                }
                Sorte::Proche | Sorte::Commune => {
                    let cercles = (0..nombre).map(|_| self.cercle(p, temoin));
                    Test::Cercles(cercles.collect::<Option<_>>()?)
                }
            },
        };
        let mut critere = Critere::nouveau(p, test);
        critere.nie = forme == Forme::Non;
        critere.dessus = forme == Forme::Dessus;
        critere.typee = p.sorte == Sorte::Reference && forme != Forme::Dessus && self.h.chance(20);
        if p.nom == "price-amount-value" && self.h.chance(20) {
            critere.nom = "amount-value";
        }
        Some(critere)
    }

    /// A value of the witness most of the time, else a common or a rare one.
    pub(super) fn valeur(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>) -> Option<Valeur> {
        let (index, rang) = (self.index, p.rang());
        if let Some(t) = temoin
            && self.h.chance(80)
        {
            let valeurs = match t.enregistrement {
                Some(enregistrement) => &enregistrement[rang],
                None => &index.table(p.genre).lignes[t.ligne].valeurs[rang],
            };
            if let Some(valeur) = self.h.un(valeurs) {
                return Some(valeur.clone());
            }
        }
        let frequences = &index.table(p.genre).frequences[rang];
        if self.h.chance(60) {
            let total: usize = frequences.iter().map(|(_, n)| n).sum();
            let mut reste = self.h.borne(total);
            for (valeur, n) in frequences {
                if reste < *n {
                    return Some(valeur.clone());
                }
                reste -= n;
            }
        }
        self.h.un(frequences).map(|(valeur, _)| valeur.clone())
    }

    fn jetons(
        &mut self,
        p: &'static Parametre,
        temoin: Option<Temoin<'_>>,
        nombre: usize,
    ) -> Option<Vec<Jeton>> {
        let mut jetons: Vec<Jeton> = Vec::new();
        for _ in 0..nombre {
            let Valeur::Code { systeme, code, .. } = self.valeur(p, temoin)? else { return None };
            jetons.push(self.jeton(p, &systeme, &code, nombre == 1));
        }
        // A bare idNatStruct after a FINESS number would say two things.
        let finess = |j: &Jeton| j.systeme.as_deref().is_some_and(|s| s.ends_with("//finess.esante.gouv.fr"));
        let nus = jetons.iter().filter(|j| j.systeme.is_none());
        let double = nus.filter_map(|j| j.code.as_deref()).any(|code| valeur_seule(FINESS, Some(code)));
        (!double || !jetons.iter().any(finess)).then_some(jetons)
    }

    fn jeton(&mut self, p: &'static Parametre, systeme: &str, code: &str, seul: bool) -> Jeton {
        let nu = |code: &str| Jeton { systeme: None, code: Some(code.to_owned()), barre: false };
        let complet = |systeme: String, code: &str| Jeton {
            systeme: Some(systeme),
            code: Some(code.to_owned()),
            barre: false,
        };
        if p.nom == "drop-zone" {
            return nu(code);
        }
        let absent = format!("{code}9Z");
        let absent = self.h.chance(6).then_some(absent.as_str());
        if p.sorte == Sorte::Identifiant && self.h.chance(20) {
            let mut jeton = complet(self.h.parmi(&TYPES_IDENTIFIANT).to_owned(), absent.unwrap_or(code));
            // Whoever has an identifier.
            if self.h.chance(10) {
                jeton.code = None;
            }
            return jeton;
        }
        // The idNatStruct that a FINESS number makes, taken for the number.
        if seul && systeme == ID_NAT_STRUCT && valeur_seule(FINESS, Some(code)) && self.h.chance(15) {
            return complet(FINESS.to_owned(), code);
        }
        // A number with a wrong key is one like another.
        let code = absent.unwrap_or(code);
        if p.nomenclature() && self.h.chance(3) {
            return complet(self.h.parmi(&AUTRES_SYSTEMES).to_owned(), code);
        }
        if systeme.is_empty() {
            return nu(code);
        }
        let ecrit = self.systeme(systeme);
        match self.h.borne(100) {
            0..=44 => nu(code),
            45..=52 => Jeton { barre: true, ..nu(code) },
            53..=58 if !valeur_seule(systeme, None) => {
                Jeton { systeme: Some(ecrit), code: None, barre: false }
            }
            _ => complet(ecrit, code),
        }
    }

    /// A system in one of its accepted spellings.
    fn systeme(&mut self, systeme: &str) -> String {
        let mut ecrit = systeme.to_owned();
        if self.h.chance(20) {
            ecrit = ecrit.replacen("https:", "http:", 1);
        }
        if self.h.chance(30) {
            ecrit = ecrit.replace("R13-CommuneOM", "R13-Commune");
            ecrit = ANCIENS.iter().fold(ecrit, |ecrit, (ancien, nom)| ecrit.replace(nom, ancien));
        }
        ecrit
    }

    /// A value set that has something to do with the parameter.
    fn jeu(&mut self, p: &'static Parametre) -> Option<String> {
        let connus = &self.index.contexte.jeux;
        let siens = super::formes::jeux(p.nom);
        // Another one now and then: its codes are of other systems, or nearly so.
        let autre = siens.is_empty() || self.h.chance(10);
        let sien = |c: &&String| siens.iter().any(|nom| c.contains(&format!("/JDV_{nom}-")));
        let candidats: Vec<&String> = connus.keys().filter(|c| autre || sien(c)).collect();
        self.h.un(&candidats).map(|c| (*c).clone())
    }

    fn libelle(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>) -> Option<String> {
        let Valeur::Code { libelle, .. } = self.valeur(p, temoin)? else { return None };
        let longueur = self.h.entre(1, 14);
        self.morceau(&libelle, 0, longueur)
    }

    pub(super) fn texte(
        &mut self,
        p: &'static Parametre,
        temoin: Option<Temoin<'_>>,
        mode: Mode,
    ) -> Option<String> {
        let Valeur::Texte { brut, .. } = self.valeur(p, temoin)? else { return None };
        let taille = brut.chars().count();
        match mode {
            Mode::Exact => {
                let ecrit = if self.h.chance(10) { brut.to_lowercase() } else { brut };
                (ecrit.trim() == ecrit).then_some(ecrit)
            }
            Mode::Debut => {
                let longueur = if self.h.chance(20) { taille } else { self.h.entre(1, 12) };
                self.morceau(&brut, 0, longueur)
            }
            Mode::Contient => {
                let (debut, longueur) = (self.h.borne(taille), self.h.entre(2, 8));
                self.morceau(&brut, debut, longueur)
            }
            Mode::Fin => {
                let longueur = self.h.entre(1, 10).min(taille);
                self.morceau(&brut, taille - longueur, longueur)
            }
        }
    }

    /// Some letters of a text, as they are or written otherwise.
    fn morceau(&mut self, texte: &str, debut: usize, longueur: usize) -> Option<String> {
        let morceau: String = texte.chars().skip(debut).take(longueur).collect();
        // Blanks at the ends are left out: whether they count is nobody's concern.
        let morceau = morceau.trim();
        let ecrit = match self.h.borne(4) {
            0 => morceau.to_uppercase(),
            1 => replier(morceau),
            _ => morceau.to_owned(),
        };
        (!ecrit.is_empty()).then_some(ecrit)
    }

    /// Values with their prefixes: the one asked for, or several for a list.
    fn ordonnes<T>(
        &mut self,
        forme: Forme,
        nombre: usize,
        mut tirer: impl FnMut(&mut Self, Prefixe) -> Option<T>,
    ) -> Option<Vec<(Prefixe, T)>> {
        let mut valeurs = Vec::new();
        for _ in 0..nombre {
            let prefixe = match forme {
                Forme::Prefixe(prefixe) => prefixe,
                _ => self.h.parmi(&[Prefixe::Eq, Prefixe::Eq, Prefixe::Lt, Prefixe::Ge, Prefixe::Sa]),
            };
            valeurs.push((prefixe, tirer(self, prefixe)?));
        }
        Some(valeurs)
    }

    fn date(
        &mut self,
        p: &'static Parametre,
        temoin: Option<Temoin<'_>>,
        prefixe: Prefixe,
    ) -> Option<String> {
        let Valeur::Date(i) = self.valeur(p, temoin)? else { return None };
        let bouts: Vec<i64> = [i.de, i.a.saturating_sub(1)]
            .into_iter()
            .filter(|b| b.unsigned_abs() < 4_000_000_000_000)
            .collect();
        let instant = self.h.un(&bouts).copied()?;
        let precision = if i.a.saturating_sub(i.de) >= 86_400_000 && self.h.chance(80) {
            self.h.parmi(&Precision::TOUTES[..3])
        } else {
            self.h.parmi(&Precision::TOUTES)
        };
        let pas: i64 = match precision {
            Precision::Annee => 366 * 86_400_000,
            Precision::Mois => 31 * 86_400_000,
            Precision::Jour => 86_400_000,
            Precision::Minute => 60_000,
            Precision::Seconde => 1_000,
            Precision::Dixieme => 100,
            Precision::Centieme => 10,
            Precision::Milli => 1,
        };
        let decale = instant + pas * self.h.parmi(&[0, 0, 0, 0, 0, 1, -1, 1, -1, 3]);
        let zone = match precision {
            Precision::Annee | Precision::Mois | Precision::Jour => None,
            _ => self.h.parmi(&[None, None, Some(0), Some(0), Some(120), Some(-300)]),
        };
        let mut ecrite = dates::ecrire(decale, precision, zone);
        // A blank stands for the plus of a zone that nobody encoded.
        if self.h.chance(20) {
            ecrite = ecrite.replace('+', " ");
        }
        let voulu = dates::lire(&ecrite)?;
        (prefixe != Prefixe::Ap || self.tranche(p, voulu)).then_some(ecrite)
    }

    fn tranche(&self, p: &'static Parametre, voulu: Intervalle) -> bool {
        self.index.table(p.genre).frequences[p.rang()].iter().all(|(valeur, _)| match valeur {
            Valeur::Date(r) => dates::tranche(voulu, *r, self.maintenant),
            _ => true,
        })
    }

    fn nombre(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>) -> Option<String> {
        let Valeur::Nombre(n) = self.valeur(p, temoin)? else { return None };
        Some(self.ecrire_nombre(n))
    }

    /// A number or a neighbour, with the precision of chance.
    fn ecrire_nombre(&mut self, n: i128) -> String {
        let ecart = self.h.parmi(&[0, 0, 0, 0, 10, -10, 5, 1]);
        let n = n + ecart * nombres::UN / 10;
        if self.h.chance(8) {
            let exposant = self.h.parmi(&[-1, 0, 1, 2]);
            if let Some(ecrit) = nombres::ecrire_avec_exposant(n, exposant) {
                return if self.h.chance(30) { ecrit.to_uppercase() } else { ecrit };
            }
        }
        let mut ecrit = nombres::ecrire(n);
        if self.h.chance(20) {
            ecrit.push_str(if ecrit.contains('.') { "0" } else { ".0" });
        }
        ecrit
    }

    fn quantite(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>) -> Option<Quantite> {
        let Valeur::Quantite { valeur, unite } = self.valeur(p, temoin)? else { return None };
        if self.h.chance(25) {
            return Some((self.ecrire_nombre(valeur), None));
        }
        let systeme = if self.h.chance(20) { "" } else { self.h.parmi(&UNITES) };
        // Of another kind perhaps: what does not compare satisfies nothing.
        if self.h.chance(6) {
            let autre = self.h.parmi(&["a", "kg", "cm", "[iU]"]);
            return Some((self.ecrire_nombre(valeur), Some((systeme, autre.to_owned()))));
        }
        if let Some((nature, facteur)) = nombres::unite(&unite)
            && self.h.chance(35)
        {
            let autre = self.h.parmi(nombres::unites_de(nature));
            let (base, vers) = (valeur * facteur, nombres::unite(autre)?.1);
            // Only what can be written exactly.
            if base % (vers * 10) == 0 {
                return Some((nombres::ecrire(base / vers), Some((systeme, autre.to_owned()))));
            }
        }
        Some((self.ecrire_nombre(valeur), Some((systeme, unite))))
    }

    fn cible(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>, forme: Forme) -> Option<Cible> {
        let Valeur::Reference { genre, mut id } = self.valeur(p, temoin)? else { return None };
        let relation = p.relation().filter(|r| r.cible == genre)?;
        let cibles = self.index.table(relation.cible);
        if forme == Forme::Dessus
            && let Some(rang) = cibles.rangs.get(&id)
        {
            let lignee = self.index.lignee(*rang);
            id.clone_from(&cibles.lignes[self.h.parmi(&lignee)].id);
        }
        if self.h.chance(6) {
            id = format!("{}-absent", &id[..id.len().min(8)]);
        }
        let avant = match self.h.borne(4) {
            0 => format!("https://exemple.invalid/fhir/{}/", genre.nom()),
            1 => String::new(),
            _ => format!("{}/", genre.nom()),
        };
        Some(Cible { avant, id })
    }
}
