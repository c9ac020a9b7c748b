//! Who may change what, and when: states of a version, regional nomenclatures, codes
//! that have ended.

use ror_chassis::erreur::faute;
use ror_proto::{
    common::v1::{Canal, Faute, Provenance},
    nomenclatures::v1::{EtatEdition, Nomenclature, Sorte},
};

use super::{ecarts::comparer, etat_effectif, nom};

/// Rule of an end of codes in use that was not confirmed.
pub const CODES_UTILISES: &str = "codes-utilises";
/// Codes of a fault's message.
const CITES: usize = 10;

/// What is known around a version that is to be loaded. Headers are enough but for `reference`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Autour<'a> {
    /// The same version, when it is already held.
    pub presente: Option<&'a Nomenclature>,
    /// Any version of the same canonical.
    pub parente: Option<&'a Nomenclature>,
    /// The version it is compared with, content included: the same one, else the published one before it.
    pub reference: Option<&'a Nomenclature>,
}

/// Every rule that a load breaks, at an ISO date.
pub fn controler_charge(
    n: &Nomenclature,
    autour: Autour<'_>,
    provenance: Option<&Provenance>,
    jour: &str,
) -> Vec<Faute> {
    let mut fautes: Vec<Faute> = controler_region(n).into_iter().collect();
    fautes.extend(controler_provenance(autour.parente.unwrap_or(n), provenance));
    if let Some(p) = autour.parente {
        if p.sorte != n.sorte {
            let message = format!("{} est déjà d'une autre sorte.", n.canonique);
            fautes.push(faute("sorte", "sorte-differente", message, "la sorte des versions connues"));
        }
        if p.region != n.region {
            let message = format!("{} appartient à {}.", n.canonique, proprietaire(&p.region));
            let attendu = "la même région, ou une promotion";
            fautes.push(faute("region", "region-differente", message, attendu));
        }
    }
    if let Some(p) = autour.presente {
        let etat = etat_effectif(p);
        if n.etat() != EtatEdition::Unspecified && n.etat() != etat {
            let message = format!("Cette version est déjà à l'état {}.", nom_etat(etat));
            fautes.push(faute("etat", "etat", message, "un changement d'état, ou aucun état"));
        }
    }
    fautes.extend(controler_reprises(n, autour.reference, jour));
    fautes
}

/// A code that has ended is never usable again. Value sets may list again what they had dropped.
pub fn controler_reprises(n: &Nomenclature, avant: Option<&Nomenclature>, jour: &str) -> Option<Faute> {
    use ror_proto::nomenclatures::v1::SorteEcart::Reprise;
    let avant = avant.filter(|_| n.sorte() == Sorte::Tre)?;
    let differences = comparer(Some(avant), n, jour);
    let repris: Vec<&str> =
        differences.iter().filter(|d| d.sorte == Reprise).map(|d| d.code(&n.canonique).1).collect();
    let cites = repris.iter().take(CITES).copied().collect::<Vec<_>>().join(", ");
    (!repris.is_empty()).then(|| {
        let message = format!("{} code(s) retirés redeviennent utilisables : {cites}.", repris.len());
        faute("concepts", "code-reactive", message, "un nouveau code : un code retiré ne revient pas")
    })
}

/// The name says the owner: `RR<region>-…` for a region, and for it alone.
fn controler_region(n: &Nomenclature) -> Option<Faute> {
    let nommee = region_du_nom(&n.nom);
    if nommee.unwrap_or_default() == n.region && (n.region.is_empty() || est_region(&n.region)) {
        return None;
    }
    let message =
        format!("Le nom « {} » n'est pas celui d'une nomenclature de {}.", n.nom, proprietaire(&n.region));
    let attendu = "un nom RR<code INSEE de la région>-…, et cette région";
    Some(faute("nom", "nom-regional", message, attendu))
}

/// The region that a name of the form `RR52-…` tells.
fn region_du_nom(nom: &str) -> Option<&str> {
    let (region, _) = nom.strip_prefix("RR")?.split_once('-')?;
    est_region(region).then_some(region)
}

fn est_region(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit())
}

/// The regional channel writes what belongs to its region; the others write all.
pub fn controler_provenance(n: &Nomenclature, provenance: Option<&Provenance>) -> Option<Faute> {
    let p = provenance.filter(|p| p.canal() == Canal::Regional)?;
    if !n.region.is_empty() && n.region == p.region {
        return None;
    }
    let message = format!(
        "{} appartient à {} : la région « {} » ne peut pas l'écrire.",
        nom(n),
        proprietaire(&n.region),
        p.region
    );
    Some(faute("provenance", "region-differente", message, "une nomenclature de la région"))
}

fn proprietaire(region: &str) -> String {
    if region.is_empty() { "la nation".to_owned() } else { format!("la région {region}") }
}

/// Name of a state for people.
pub fn nom_etat(e: EtatEdition) -> &'static str {
    match e {
        EtatEdition::Brouillon => "brouillon",
        EtatEdition::Publiee | EtatEdition::Unspecified => "publiée",
        EtatEdition::Retiree => "retirée",
    }
}

/// The refusal of a change of a retired version: loading it again as it is stays possible.
pub fn version_retiree() -> Faute {
    faute("version", "etat", "Cette version est retirée : elle ne change plus.", "une nouvelle version")
}

/// Whether a version may go from its state to another: forward only.
pub fn controler_passage(n: &Nomenclature, vers: EtatEdition) -> Option<Faute> {
    let depuis = etat_effectif(n);
    let permis = matches!(
        (depuis, vers),
        (EtatEdition::Brouillon, EtatEdition::Publiee | EtatEdition::Retiree)
            | (EtatEdition::Publiee, EtatEdition::Retiree)
    );
    (!permis).then(|| {
        let message = format!("Une version {} ne devient pas {}.", nom_etat(depuis), nom_etat(vers));
        faute("etat", "etat", message, "brouillon puis publiée puis retirée, sans retour")
    })
}

/// The refusal of an end that was not confirmed.
pub fn non_confirmee(nombre: usize) -> Faute {
    let message = format!("{nombre} code(s) utilisés prennent fin.");
    faute("confirme", CODES_UTILISES, message, "confirmer après avoir vu les ressources concernées")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{RETIRE, essais::*};
    use ror_proto::nomenclatures::v1::Concept;

    const JOUR: &str = "2026-11-21";

    fn regles(n: &Nomenclature, autour: Autour<'_>, p: Option<&Provenance>) -> Vec<String> {
        controler_charge(n, autour, p, JOUR).into_iter().map(|f| f.regle).collect()
    }

    fn regionale(nom: &str, region: &str) -> Nomenclature {
        Nomenclature { nom: nom.into(), region: region.into(), ..tre("1", vec![concept("1", "1")]) }
    }

    #[test]
    fn a_regional_name_and_its_region_go_together() {
        let seules = |n: &Nomenclature| regles(n, Autour::default(), None);
        assert!(seules(&regionale("RR52-Secteurs", "52")).is_empty());
        assert!(seules(&regionale("TRE_R211-Activite", "")).is_empty());
        for (nom, region) in
            [("RR52-Secteurs", ""), ("RR52-Secteurs", "84"), ("Secteurs", "52"), ("RRX-S", "RX")]
        {
            assert_eq!(seules(&regionale(nom, region)), ["nom-regional"], "{nom} {region}");
        }
    }

    #[test]
    fn a_region_only_writes_its_own() {
        let p = |canal: Canal| Provenance { region: "52".into(), canal: canal as i32, ..Default::default() };
        let (sienne, nationale) = (regionale("RR52-S", "52"), regionale("TRE_X", ""));
        assert!(regles(&sienne, Autour::default(), Some(&p(Canal::Regional))).is_empty());
        assert_eq!(regles(&nationale, Autour::default(), Some(&p(Canal::Regional))), ["region-differente"]);
        assert!(regles(&nationale, Autour::default(), Some(&p(Canal::National))).is_empty());
        // Taking over the canonical of another is refused whatever is claimed.
        let prise = Autour { parente: Some(&nationale), ..Default::default() };
        assert_eq!(regles(&sienne, prise, None), ["region-differente"]);
        assert_eq!(
            regles(&sienne, prise, Some(&p(Canal::Regional))),
            ["region-differente", "region-differente"]
        );
    }

    #[test]
    fn states_only_go_forward() {
        use EtatEdition::{Brouillon, Publiee, Retiree, Unspecified};
        let permis = |depuis: EtatEdition, vers: EtatEdition| {
            let n = Nomenclature { etat: depuis as i32, ..Default::default() };
            controler_passage(&n, vers).is_none()
        };
        for (depuis, vers) in
            [(Brouillon, Publiee), (Brouillon, Retiree), (Publiee, Retiree), (Unspecified, Retiree)]
        {
            assert!(permis(depuis, vers), "{depuis:?} {vers:?}");
        }
        for (depuis, vers) in
            [(Retiree, Publiee), (Publiee, Brouillon), (Retiree, Brouillon), (Brouillon, Unspecified)]
        {
            assert!(!permis(depuis, vers), "{depuis:?} {vers:?}");
        }
    }

    #[test]
    fn a_load_does_not_change_a_state() {
        let en = |etat: EtatEdition| Nomenclature { etat: etat as i32, ..regionale("T", "") };
        let brouillon = en(EtatEdition::Brouillon);
        let autour = Autour { presente: Some(&brouillon), parente: Some(&brouillon), ..Default::default() };
        assert!(regles(&en(EtatEdition::Unspecified), autour, None).is_empty());
        assert!(regles(&brouillon, autour, None).is_empty());
        assert_eq!(regles(&en(EtatEdition::Publiee), autour, None), ["etat"]);
    }

    #[test]
    fn an_ended_code_never_returns_to_its_code_system() {
        let retire = Concept { statut: RETIRE.into(), ..concept("1", "1") };
        let (avant, apres) = (tre("1", vec![retire]), tre("2", vec![concept("1", "1")]));
        let f = controler_reprises(&apres, Some(&avant), JOUR).unwrap();
        assert!(f.regle == "code-reactive" && f.message.contains(": 1."), "{f:?}");
        assert!(controler_reprises(&avant, Some(&apres), JOUR).is_none());
        let (avant, apres) = (jdv("1", &[("urn:t", "2")]), jdv("2", &[("urn:t", "1")]));
        assert!(controler_reprises(&apres, Some(&avant), JOUR).is_none(), "a value set may list it again");
    }
}
