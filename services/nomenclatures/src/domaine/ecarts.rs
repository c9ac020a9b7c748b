//! What changes from one version to the next, and for whom.

use std::collections::{HashMap, HashSet};

use ror_proto::nomenclatures::v1::{
    Association, CompteEcart, Concept, Ecart, Nomenclature, SorteEcart, UsageGenre,
};

use super::{fini, utilisable};

/// What two versions are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element<'a> {
    /// A code of a TRE or JDV.
    Concept(&'a Concept),
    /// A pair of an ASS.
    Paire(&'a Association),
}

/// What makes two elements the same one.
type Cle<'a> = (&'a str, &'a str, &'a str, &'a str);

impl<'a> Element<'a> {
    fn cle(self) -> Cle<'a> {
        match self {
            Self::Concept(c) => (&c.systeme, &c.code, "", ""),
            Self::Paire(a) => (&a.systeme_source, &a.code_source, &a.systeme_cible, &a.code_cible),
        }
    }

    /// System and code, the system of a TRE being its canonical; of a pair, its source.
    pub fn code(self, canonique: &'a str) -> (&'a str, &'a str) {
        let (systeme, code, ..) = self.cle();
        (if systeme.is_empty() { canonique } else { systeme }, code)
    }

    fn libelle(self) -> &'a str {
        match self {
            Self::Concept(c) => &c.libelle,
            Self::Paire(a) => &a.code_cible,
        }
    }
}

/// Every element of a version.
pub fn elements(n: &Nomenclature) -> impl Iterator<Item = Element<'_>> {
    n.concepts.iter().map(Element::Concept).chain(n.associations.iter().map(Element::Paire))
}

/// One difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference<'a> {
    /// Its kind.
    pub sorte: SorteEcart,
    avant: Option<Element<'a>>,
    apres: Option<Element<'a>>,
}

/// The differences at an ISO date, removals and ends first, then by system and code.
/// Without a former version, everything is new.
pub fn comparer<'a>(
    avant: Option<&'a Nomenclature>,
    apres: &'a Nomenclature,
    jour: &str,
) -> Vec<Difference<'a>> {
    let anciens: HashMap<Cle<'a>, Element<'a>> =
        avant.into_iter().flat_map(elements).map(|e| (e.cle(), e)).collect();
    let mut gardes = HashSet::with_capacity(anciens.len());
    let mut differences = Vec::new();
    for e in elements(apres) {
        let ancien = anciens.get(&e.cle()).copied();
        if ancien.is_some() {
            gardes.insert(e.cle());
        }
        let sorte = match ancien {
            None => Some(SorteEcart::Ajout),
            Some(ancien) => changement(ancien, e, jour),
        };
        differences.extend(sorte.map(|sorte| Difference { sorte, avant: ancien, apres: Some(e) }));
    }
    let partis = avant.into_iter().flat_map(elements).filter(|e| !gardes.contains(&e.cle()));
    differences.extend(partis.map(Difference::suppression));
    differences.sort_by_key(|d| d.ordre());
    differences
}

fn changement(avant: Element<'_>, apres: Element<'_>, jour: &str) -> Option<SorteEcart> {
    if avant == apres {
        return None;
    }
    let (Element::Concept(a), Element::Concept(b)) = (avant, apres) else {
        return Some(SorteEcart::Modification);
    };
    let prend_fin = |c: &Concept| !c.valide_au.is_empty() || fini(c, jour);
    Some(if prend_fin(b) && !prend_fin(a) {
        SorteEcart::Retrait
    } else if fini(a, jour) && utilisable(b, jour) {
        SorteEcart::Reprise
    } else if sans_libelles(a) == sans_libelles(b) {
        SorteEcart::Libelle
    } else {
        SorteEcart::Modification
    })
}

fn sans_libelles(c: &Concept) -> Concept {
    Concept {
        libelle: String::new(),
        libelle_court: String::new(),
        libelle_long: String::new(),
        definition: String::new(),
        // Moves with any change.
        date_maj: String::new(),
        ..c.clone()
    }
}

impl<'a> Difference<'a> {
    /// The end of an element that no version lists any more.
    pub fn suppression(e: Element<'a>) -> Self {
        Self { sorte: SorteEcart::Suppression, avant: Some(e), apres: None }
    }

    /// Whether what used the code loses it.
    pub fn est_fin(&self) -> bool {
        matches!(self.sorte, SorteEcart::Suppression | SorteEcart::Retrait)
    }

    fn ordre(&self) -> (u8, Cle<'a>) {
        let rang = match self.sorte {
            SorteEcart::Suppression => 0,
            SorteEcart::Retrait => 1,
            SorteEcart::Reprise => 2,
            SorteEcart::Modification => 3,
            SorteEcart::Libelle => 4,
            SorteEcart::Ajout | SorteEcart::Unspecified => 5,
        };
        (rang, self.element().map(Element::cle).unwrap_or_default())
    }

    fn element(&self) -> Option<Element<'a>> {
        self.apres.or(self.avant)
    }

    /// System and code whose users it concerns.
    pub fn code(&self, canonique: &'a str) -> (&'a str, &'a str) {
        self.element().map(|e| e.code(canonique)).unwrap_or_default()
    }

    /// As told to the caller.
    pub fn dire(&self, canonique: &str, usages: Vec<UsageGenre>) -> Ecart {
        let concept = |e: Option<Element<'_>>| match e {
            Some(Element::Concept(c)) if c.systeme.is_empty() => {
                Some(Concept { systeme: canonique.to_owned(), ..c.clone() })
            }
            Some(Element::Concept(c)) => Some(c.clone()),
            _ => None,
        };
        let paire = |e: Option<Element<'_>>| match e {
            Some(Element::Paire(a)) => Some(a.clone()),
            _ => None,
        };
        Ecart {
            sorte: self.sorte as i32,
            avant: concept(self.avant),
            apres: concept(self.apres),
            association_avant: paire(self.avant),
            association_apres: paire(self.apres),
            usage_total: usages.iter().map(|u| u.nombre).sum(),
            message: self.phrase(&usages),
            usages,
        }
    }

    fn phrase(&self, usages: &[UsageGenre]) -> String {
        let Some(e) = self.element() else { return String::new() };
        let (_, code, ..) = e.cle();
        let sujet = match (e, e.libelle()) {
            (Element::Paire(_), "") => format!("Le code « {code} », sans correspondance,"),
            (Element::Paire(_), cible) => format!("L'association de « {code} » à « {cible} »"),
            (Element::Concept(_), "") => format!("Le code « {code} »"),
            (Element::Concept(_), libelle) => format!("Le code « {code} » ({libelle})"),
        };
        format!("{sujet} {}, {}.", self.verbe(), emploi(usages))
    }

    fn verbe(&self) -> String {
        match (self.sorte, self.apres) {
            (SorteEcart::Suppression, _) => "n'est plus dans la liste".to_owned(),
            (SorteEcart::Retrait, Some(Element::Concept(c))) if !c.valide_au.is_empty() => {
                format!("prend fin le {}", date_francaise(&c.valide_au))
            }
            (SorteEcart::Retrait, _) => "est retiré".to_owned(),
            (SorteEcart::Reprise, _) => "redevient utilisable".to_owned(),
            (SorteEcart::Libelle, _) => "change de libellé".to_owned(),
            (SorteEcart::Ajout, _) => "est nouveau".to_owned(),
            (SorteEcart::Modification | SorteEcart::Unspecified, _) => "change".to_owned(),
        }
    }
}

/// "utilisé par 312 offres et 4 lieux".
pub fn emploi(usages: &[UsageGenre]) -> String {
    let dits: Vec<String> =
        usages.iter().filter(|u| u.nombre > 0).map(|u| format!("{} {}", u.nombre, genre(u))).collect();
    match dits.as_slice() {
        [] => "sans utilisation".to_owned(),
        [seul] => format!("utilisé par {seul}"),
        [debut @ .., dernier] => format!("utilisé par {} et {dernier}", debut.join(", ")),
    }
}

fn genre(u: &UsageGenre) -> &str {
    let (un, plusieurs) = match u.genre.as_str() {
        "entite_juridique" => ("entité juridique", "entités juridiques"),
        "entite_geographique" => ("entité géographique", "entités géographiques"),
        "organisation_interne" => ("organisation interne", "organisations internes"),
        "offre" => ("offre", "offres"),
        "lieu" => ("lieu", "lieux"),
        "situation" => ("situation opérationnelle", "situations opérationnelles"),
        "capacite_lieu" => ("lieu avec capacités", "lieux avec capacités"),
        autre => (autre, autre),
    };
    if u.nombre > 1 { plusieurs } else { un }
}

/// 2026-12-31 as 31/12/2026.
fn date_francaise(iso: &str) -> String {
    match iso.split('-').collect::<Vec<_>>().as_slice() {
        [annee, mois, jour] => format!("{jour}/{mois}/{annee}"),
        _ => iso.to_owned(),
    }
}

/// How many of each kind, and of those how many `utilisee` says are of a code in use.
pub fn compter(
    differences: &[Difference<'_>],
    utilisee: impl Fn(&Difference<'_>) -> bool,
) -> Vec<CompteEcart> {
    let mut comptes: Vec<CompteEcart> = Vec::new();
    for d in differences {
        let sorte = d.sorte as i32;
        let rang = comptes.iter().position(|c| c.sorte == sorte).unwrap_or_else(|| {
            comptes.push(CompteEcart { sorte, ..Default::default() });
            comptes.len() - 1
        });
        if let Some(c) = comptes.get_mut(rang) {
            c.nombre += 1;
            c.utilises += u32::from(utilisee(d));
        }
    }
    comptes
}

/// Differences of these kinds.
pub fn nombre(differences: &[Difference<'_>], parmi: impl Fn(SorteEcart) -> bool) -> u32 {
    u32::try_from(differences.iter().filter(|d| parmi(d.sorte)).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{RETIRE, essais::*};

    const JOUR: &str = "2026-11-21";

    fn au(code: &str, fin: &str) -> Concept {
        Concept { valide_au: fin.into(), ..concept(code, code) }
    }

    #[test]
    fn each_difference_has_its_kind_and_ends_come_first() {
        let retire = |code: &str| Concept { statut: RETIRE.into(), ..concept(code, code) };
        let avant = tre(
            "1",
            vec![
                concept("ôté", "ôté"),
                concept("fini", "fini"),
                concept("sans-date", "sans-date"),
                retire("repris"),
                au("prolongé", "2027-01-01"),
                concept("renommé", "avant"),
                concept("pareil", "pareil"),
            ],
        );
        let apres = tre(
            "2",
            vec![
                concept("pareil", "pareil"),
                concept("neuf", "neuf"),
                concept("renommé", "après"),
                au("prolongé", "2028-01-01"),
                concept("repris", "repris"),
                retire("sans-date"),
                au("fini", "2026-12-31"),
            ],
        );
        let vus: Vec<_> = comparer(Some(&avant), &apres, JOUR)
            .iter()
            .map(|d| (d.sorte, d.code("urn:t").1.to_owned()))
            .collect();
        let attendus = [
            (SorteEcart::Suppression, "ôté"),
            (SorteEcart::Retrait, "fini"),
            (SorteEcart::Retrait, "sans-date"),
            (SorteEcart::Reprise, "repris"),
            (SorteEcart::Modification, "prolongé"),
            (SorteEcart::Libelle, "renommé"),
            (SorteEcart::Ajout, "neuf"),
        ]
        .map(|(s, c)| (s, c.to_owned()));
        assert_eq!(vus, attendus);
        assert_eq!(comparer(None, &avant, JOUR).len(), 7);
        assert!(comparer(Some(&avant), &avant, JOUR).is_empty());
    }

    #[test]
    fn an_end_says_when_and_for_whom() {
        let (avant, apres) =
            (tre("1", vec![concept("02", "Ancien")]), tre("2", vec![au("02", "2026-12-31")]));
        let differences = comparer(Some(&avant), &apres, JOUR);
        let usage = |genre: &str, nombre| UsageGenre { genre: genre.into(), nombre };
        let e = differences[0].dire("urn:t", vec![usage("offre", 312), usage("lieu", 1)]);
        assert_eq!(
            e.message,
            "Le code « 02 » (02) prend fin le 31/12/2026, utilisé par 312 offres et 1 lieu."
        );
        assert_eq!((e.usage_total, e.apres.unwrap().systeme.as_str()), (313, "urn:t"));
        let e = Difference::suppression(Element::Concept(&avant.concepts[0])).dire("urn:t", Vec::new());
        assert_eq!(e.message, "Le code « 02 » (Ancien) n'est plus dans la liste, sans utilisation.");
    }

    #[test]
    fn pairs_are_compared_by_both_codes() {
        let (avant, apres) = (ass("1", &[("1", "A"), ("2", "B")]), ass("2", &[("1", "A"), ("2", "C")]));
        let differences = comparer(Some(&avant), &apres, JOUR);
        let sortes: Vec<_> = differences.iter().map(|d| d.sorte).collect();
        assert_eq!(sortes, [SorteEcart::Suppression, SorteEcart::Ajout]);
        assert_eq!(differences[0].code("urn:a"), ("urn:t", "2"));
        assert!(differences[1].dire("urn:a", Vec::new()).message.contains("« 2 » à « C »"));
    }

    #[test]
    fn kinds_are_counted_and_those_in_use_among_them() {
        let (avant, apres) =
            (tre("1", vec![concept("1", "1"), concept("2", "2")]), tre("2", vec![concept("3", "3")]));
        let comptes = compter(&comparer(Some(&avant), &apres, JOUR), |d| d.code("urn:t").1 == "2");
        let vus: Vec<_> = comptes.iter().map(|c| (c.sorte(), c.nombre, c.utilises)).collect();
        assert_eq!(vus, [(SorteEcart::Suppression, 2, 1), (SorteEcart::Ajout, 1, 0)]);
    }
}
