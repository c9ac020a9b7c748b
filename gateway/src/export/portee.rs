//! What an export or a change feed covers: types and, within each, searches of which one must hold.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{
    Passerelle,
    fhir::outcome::Issue,
    modele::{Modele, TypeFhir},
    recherche::{
        appuis::Appuis,
        arbre::{Critere, Noeud, Prefixe, Requete, Test},
        evaluation::{Moteur, Textes, TropCouteux},
        parametres::Relation,
        requete::decoder,
    },
};

/// Rows of each type, in the order of [`TypeFhir::TOUS`].
pub type Ensembles = [RoaringBitmap; 5];

/// Most searches in one request.
const FILTRES_MAX: usize = 50;
/// Longest chain of references followed: internal organisations stand in one another.
const PROFONDEUR: usize = 12;
/// Parameters of the answer of a search: they select nothing.
const DE_LA_REPONSE: [&str; 10] = [
    "_include",
    "_revinclude",
    "_sort",
    "_count",
    "_summary",
    "_total",
    "_elements",
    "_contained",
    "_format",
    "_page",
];

/// One type, and the searches of which one must hold; none: all that the caller sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volet {
    /// Type.
    #[serde(serialize_with = "ecrire_type", deserialize_with = "lire_type")]
    pub type_fhir: TypeFhir,
    /// Query strings.
    pub filtres: Vec<String>,
}

/// Types covered, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portee(pub Vec<Volet>);

fn ecrire_type<S: Serializer>(t: &TypeFhir, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(t.nom())
}

fn lire_type<'de, D: Deserializer<'de>>(d: D) -> Result<TypeFhir, D::Error> {
    let nom = String::deserialize(d)?;
    TypeFhir::de_nom(&nom).ok_or_else(|| D::Error::custom("unknown type"))
}

/// The types served, for a message.
pub fn types_servis() -> String {
    TypeFhir::TOUS.map(TypeFhir::nom).join(", ")
}

impl Portee {
    /// From the values of `_type` and `_typeFilter`, decoded; `seul` is the type of the address. What does not exist is
    /// put apart, in `inconnus`: who is lenient leaves it aside.
    pub fn lire(
        types: &[String],
        filtres: &[String],
        seul: Option<TypeFhir>,
        issues: &mut Vec<Issue>,
        inconnus: &mut Vec<Issue>,
    ) -> Self {
        let mut voulus = BTreeSet::new();
        let mut types_inconnus = Vec::new();
        for nom in types.iter().flat_map(|v| v.split(',')).map(str::trim).filter(|n| !n.is_empty()) {
            match TypeFhir::de_nom(nom) {
                Some(t) if seul.is_some_and(|s| s != t) => issues.push(
                    Issue::new(
                        "value",
                        format!(
                            "_type : « {nom} » n'est pas le type de l'adresse. Attendu : {}.",
                            seul.map_or("", TypeFhir::nom)
                        ),
                    )
                    .sur("_type"),
                ),
                Some(t) => {
                    voulus.insert(t);
                }
                None => types_inconnus.push(
                    Issue::new(
                        "not-supported",
                        format!(
                            "_type : le type « {} » n'est pas servi. Attendu : {}.",
                            court(nom),
                            types_servis()
                        ),
                    )
                    .sur("_type"),
                ),
            }
        }
        // None of the types asked is not all of them.
        let tous_inconnus = voulus.is_empty() && !types_inconnus.is_empty();
        (if tous_inconnus { &mut *issues } else { &mut *inconnus }).extend(types_inconnus);
        if voulus.is_empty() {
            voulus.extend(seul.map_or(TypeFhir::TOUS.to_vec(), |t| vec![t]));
        }
        let mut volets: Vec<Volet> =
            voulus.into_iter().map(|type_fhir| Volet { type_fhir, filtres: Vec::new() }).collect();
        let filtres: Vec<&str> = filtres.iter().flat_map(|v| couper(v)).collect();
        if filtres.len() > FILTRES_MAX {
            issues.push(
                Issue::new(
                    "too-costly",
                    format!("_typeFilter : {} recherches. Attendu : {FILTRES_MAX} au plus.", filtres.len()),
                )
                .sur("_typeFilter"),
            );
            return Self(volets);
        }
        for filtre in filtres {
            let lu = filtre.trim_start_matches('/').split_once('?');
            let Some((t, chaine)) = lu.and_then(|(nom, c)| TypeFhir::de_nom(nom).map(|t| (t, c))) else {
                (if lu.is_some() { &mut *inconnus } else { &mut *issues }).push(
                    Issue::new(
                        "value",
                        format!(
                            "_typeFilter : « {} » n'est pas une recherche. Attendu : <type>?<critères> encodé, par exemple HealthcareService%3F_tag%3D52 ; types : {}.",
                            court(filtre),
                            types_servis()
                        ),
                    )
                    .sur("_typeFilter"),
                );
                continue;
            };
            match volets.iter_mut().find(|v| v.type_fhir == t) {
                Some(v) => v.filtres.push(chaine.to_owned()),
                None => issues.push(
                    Issue::new("value", format!("_typeFilter : « {} » porte sur {}, que _type ne demande pas. Attendu : {} dans _type.", court(filtre), t.nom(), t.nom()))
                        .sur("_typeFilter"),
                ),
            }
        }
        Self(volets)
    }

    /// Whether a type is covered.
    pub fn couvre(&self, t: TypeFhir) -> bool {
        self.0.iter().any(|v| v.type_fhir == t)
    }

    /// What the meaning of its searches depends on.
    pub fn appuis(&self) -> Appuis {
        let mut appuis = Appuis::default();
        for paire in self.0.iter().flat_map(|v| &v.filtres).flat_map(|f| f.split('&')) {
            let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
            appuis.noter(&decoder(nom).unwrap_or_default(), &decoder(valeur).unwrap_or_default());
        }
        appuis
    }

    /// Checks every search: all their faults; `indulgent` leaves aside what does not exist or selects nothing, and tells
    /// it in `ecartes`.
    pub fn compiler(
        &self,
        p: &Passerelle,
        indulgent: bool,
        ecartes: &mut Vec<Issue>,
    ) -> Result<Recherches, Vec<Issue>> {
        let (mut recherches, mut issues) = (Vec::new(), Vec::new());
        for v in &self.0 {
            let mut lues = Vec::new();
            for chaine in &v.filtres {
                (if indulgent { &mut *ecartes } else { &mut issues }).extend(etrangers(chaine));
                match p.lire_recherche(v.type_fhir, chaine, indulgent) {
                    Ok(r) => {
                        ecartes.extend_from_slice(&r.ignores);
                        lues.push(r);
                    }
                    Err(i) => issues.extend(i),
                }
            }
            // A filter without criteria is no filter.
            if v.filtres.iter().any(|c| c.split('&').all(str::is_empty)) {
                lues.clear();
            }
            recherches.push((v.type_fhir, lues));
        }
        if issues.is_empty() { Ok(Recherches(recherches)) } else { Err(issues) }
    }
}

/// Splits a list of searches: a comma parts two of them only before a type.
fn couper(valeur: &str) -> Vec<&str> {
    let mut morceaux = Vec::new();
    let mut debut = 0;
    for (rang, _) in valeur.match_indices(',') {
        let suite = valeur[rang + 1..].trim_start_matches(['/', ' ']);
        let nom = suite.split('?').next().unwrap_or_default();
        if nom.len() < suite.len() && !nom.is_empty() && nom.bytes().all(|o| o.is_ascii_alphabetic()) {
            morceaux.push(&valeur[debut..rang]);
            debut = rang + 1;
        }
    }
    morceaux.push(&valeur[debut..]);
    morceaux.into_iter().map(|m| m.trim_matches([',', ' '])).filter(|m| !m.is_empty()).collect()
}

/// Parameters of a search that have no place among criteria.
fn etrangers(chaine: &str) -> Vec<Issue> {
    let noms = chaine.split('&').filter_map(|p| p.split(['=', ':']).next());
    noms.filter(|n| DE_LA_REPONSE.contains(n))
        .map(|n| {
            let texte = format!("Le paramètre « {n} » ne choisit pas de ressources. Attendu : des critères de recherche seulement.");
            Issue::new("not-supported", texte).sur(n)
        })
        .collect()
}

fn court(texte: &str) -> String {
    texte.chars().take(80).collect()
}

/// Checked searches by type; no search: the whole type.
#[derive(Clone, Debug)]
pub struct Recherches(pub Vec<(TypeFhir, Vec<Requete>)>);

impl Recherches {
    /// Every search.
    pub fn requetes(&self) -> impl Iterator<Item = &Requete> {
        self.0.iter().flat_map(|(_, r)| r)
    }

    /// A date that depends on the time it is asked at: its parameter.
    pub fn a_l_heure(&self) -> Option<&'static str> {
        self.requetes().find_map(|r| a_l_heure(&r.condition))
    }

    /// Rows found, all searches paid for by one engine.
    ///
    /// # Errors
    ///
    /// They cost more than it has.
    pub fn evaluer_par(&self, moteur: &Moteur<'_>) -> Result<Ensembles, TropCouteux> {
        let mut ensembles = Ensembles::default();
        for (t, requetes) in &self.0 {
            let trouves = &mut ensembles[*t as usize];
            if requetes.is_empty() {
                trouves.clone_from(moteur.modele.table(*t).visibles(moteur.profil));
            }
            for r in requetes {
                *trouves |= moteur.rangs(r.type_fhir, &r.condition)?;
            }
        }
        Ok(ensembles)
    }

    /// Rows found at a moment under a profile, whatever it costs: what is followed was measured before.
    pub fn evaluer(&self, m: &Modele, profil: u8, textes: &dyn Textes) -> Ensembles {
        self.evaluer_par(&Moteur::nouveau(m, profil, textes, i64::MAX)).unwrap_or_default()
    }
}

fn a_l_heure(n: &Noeud) -> Option<&'static str> {
    let critere = |c: &Critere| {
        let large = |t: &Test| matches!(t, Test::Date(v) if v.iter().any(|(p, _)| *p == Prefixe::Ap));
        large(&c.test).then_some(c.parametre.nom)
    };
    match n {
        Noeud::Et(v) | Noeud::Ou(v) => v.iter().find_map(a_l_heure),
        Noeud::Non(n) | Noeud::Chaine(_, n) | Noeud::AuDessus(_, n) | Noeud::Inverse(_, n) => a_l_heure(n),
        Noeud::Critere(c) => critere(c),
        Noeud::Enregistrement(_, v) => v.iter().find_map(critere),
    }
}

/// Adds what goes with these rows: the roles of the offers, then all that any of them refers to, as far
/// as the profile sees.
pub fn associer(m: &Modele, ensembles: &mut Ensembles, profil: u8) {
    let visibles = |t: TypeFhir| m.table(t).visibles(profil);
    let mut nouveaux = ensembles.clone();
    let offres = &ensembles[TypeFhir::HealthcareService as usize];
    nouveaux[TypeFhir::PractitionerRole as usize] |=
        m.liens.de(Relation::Offre).sources_de(offres) & visibles(TypeFhir::PractitionerRole);
    for _ in 0..PROFONDEUR {
        let mut suivants = Ensembles::default();
        for r in Relation::TOUTES {
            let depart = &nouveaux[r.source() as usize];
            if !depart.is_empty() {
                let cibles = m.liens.de(r).cibles_de(depart) & visibles(r.cible());
                suivants[r.cible() as usize] |= cibles;
            }
        }
        for t in TypeFhir::TOUS {
            ensembles[t as usize] |= &nouveaux[t as usize];
            suivants[t as usize] -= &ensembles[t as usize];
        }
        if suivants.iter().all(RoaringBitmap::is_empty) {
            return;
        }
        nouveaux = suivants;
    }
    for t in TypeFhir::TOUS {
        ensembles[t as usize] |= &nouveaux[t as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flux::comparaison::tests::requete;

    fn lire(types: &[&str], filtres: &[&str], seul: Option<TypeFhir>) -> (Portee, Vec<String>) {
        let (p, issues, inconnus) = lire_a_part(types, filtres, seul);
        (p, issues.into_iter().chain(inconnus).map(|i| i.diagnostics).collect())
    }

    fn lire_a_part(
        types: &[&str],
        filtres: &[&str],
        seul: Option<TypeFhir>,
    ) -> (Portee, Vec<Issue>, Vec<Issue>) {
        let (mut issues, mut inconnus) = (Vec::new(), Vec::new());
        let textes = |v: &[&str]| v.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let p = Portee::lire(&textes(types), &textes(filtres), seul, &mut issues, &mut inconnus);
        (p, issues, inconnus)
    }

    #[test]
    fn what_does_not_exist_is_apart_unless_nothing_else_is_asked() {
        let (p, i, inconnus) = lire_a_part(&["Patient,Location"], &["Patient?x=1"], None);
        assert_eq!((p.0.len(), i.len(), inconnus.len()), (1, 0, 2), "{i:?} {inconnus:?}");
        let (_, i, inconnus) = lire_a_part(&["Patient"], &["status=active"], None);
        assert_eq!((i.len(), inconnus.len()), (2, 0), "{i:?} {inconnus:?}");
    }

    #[test]
    fn a_comma_parts_searches_only_before_a_type() {
        let un = "HealthcareService?specialty=005,007&_tag=52";
        assert_eq!(couper(un), [un]);
        let deux = "Location?status=active,Organization?name=a,b";
        assert_eq!(couper(deux), ["Location?status=active", "Organization?name=a,b"]);
        assert_eq!(couper(",, "), [] as [&str; 0]);
        // An unknown type is still a search of its own, refused by its name.
        assert_eq!(couper("Location?status=active,Patient?x=1").len(), 2);
    }

    #[test]
    fn types_and_filters_meet() {
        let (p, i) = lire(
            &["Location,HealthcareService"],
            &["HealthcareService?_tag=52", "HealthcareService?_tag=11"],
            None,
        );
        assert!(i.is_empty(), "{i:?}");
        assert_eq!(p.0.len(), 2);
        assert_eq!(p.0[0].filtres, ["_tag=52", "_tag=11"]);
        assert!(p.couvre(TypeFhir::Location) && !p.couvre(TypeFhir::Practitioner));
        let (p, _) = lire(&[], &[], None);
        assert_eq!(p.0.len(), 5);
        let (p, _) = lire(&[], &["Location?status=active"], Some(TypeFhir::Location));
        assert_eq!(p.0, [Volet { type_fhir: TypeFhir::Location, filtres: vec!["status=active".into()] }]);
        let garde: Portee = serde_json::from_str(&serde_json::to_string(&p).unwrap()).unwrap();
        assert_eq!(garde, p);
    }

    #[test]
    fn what_searches_depend_on_is_found_wherever_it_is() {
        let un = |t, criteres| Recherches(vec![(t, vec![requete(t, criteres)])]).a_l_heure();
        assert_eq!(un(TypeFhir::Location, "_lastUpdated=ge2024,ap2025"), Some("_lastUpdated"));
        assert_eq!(un(TypeFhir::Location, "_filter=not(_lastUpdated ap 2024)"), Some("_lastUpdated"));
        let lits = "location.capacity-update-date=ap2024&location.nb-capacity=gt0";
        assert_eq!(un(TypeFhir::HealthcareService, lits), Some("capacity-update-date"));
        // A tenth of a number is that of any hour.
        assert_eq!(un(TypeFhir::Location, "nb-capacity=ap5&_lastUpdated=ge2024"), None);
        let (p, _) = lire(&[], &["Location?type%3Ain=http://x", "Organization?name=a"], None);
        assert!(p.appuis().jeux && p.appuis().nomenclatures());
        let (p, _) = lire(&[], &["Organization?name=a&_lastUpdated=ge2024"], None);
        assert_eq!(p.appuis(), Appuis::default());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let (_, i) =
            lire(&["Patient,Location"], &["Organization?name=a", "status=active", "Patient?x=1"], None);
        assert_eq!(i.len(), 4, "{i:?}");
        assert!(i.iter().all(|d| d.contains("Attendu : ")), "{i:?}");
        let (_, i) = lire(&["Organization"], &[], Some(TypeFhir::Location));
        assert!(i.len() == 1 && i[0].contains("Location"), "{i:?}");
        let (_, i) = lire(&[], &[&"Location?a=1,".repeat(60)], None);
        assert!(i.len() == 1 && i[0].contains("50"), "{i:?}");
        assert_eq!(etrangers("_include=a&_tag=52&_sort:x=1").len(), 2);
    }
}
