//! Two states of a structure of FINESS.

use ror_proto::identity::v1::{Changement, Operation, StructureFiness};

use super::evenements::{Ecart, presents};
use super::{Sujet, different, modifiee, region, retenir};

/// Field that moves with a transfer: in FINESS, the EJ that holds the site.
const EJ: &str = "numFinessPm";
/// Field of the events.
const EVENEMENT: &str = "evenement";

const CREATION: &[&str] = &["001", "003", "007", "034", "035"];
const TRANSFERT: &[&str] = &["018", "019"];
const CLOTURE: &[&str] = &["002", "005", "020", "038"];
const REOUVERTURE: &[&str] = &["001", "039"];

/// The creation of a structure, whatever the state it is first seen in.
pub(super) fn creer(sujet: Sujet<'_>, apres: &StructureFiness) -> Changement {
    Changement {
        date: apres.date_ouverture.clone(),
        type_fermeture: apres.type_fermeture.clone(),
        evenements: presents(&apres.evenements, CREATION, None),
        ..sujet.changement(Operation::Creee)
    }
}

/// From a known structure to the new one. What a closure, a reopening or a
/// transfer changes by itself (state, closing date, EJ, its events) is not told
/// again among the fields.
pub(super) fn comparer(
    sujet: Sujet<'_>,
    avant: &StructureFiness,
    apres: &StructureFiness,
) -> Vec<Changement> {
    let ecart = Ecart::entre(&avant.evenements, &apres.evenements);
    let etat_change = avant.type_fermeture != apres.type_fermeture;
    let ej_change = avant.num_finess_ej != apres.num_finess_ej;
    // A link that was not known is found, not moved.
    let transferee = ej_change
        && !apres.entite_juridique
        && !avant.num_finess_ej.is_empty()
        && !apres.num_finess_ej.is_empty();
    let mut expliques: Vec<&str> = Vec::new();
    let mut changements = Vec::new();
    if etat_change {
        expliques.extend_from_slice(CLOTURE);
        expliques.extend_from_slice(REOUVERTURE);
        if apres.type_fermeture.is_empty() {
            changements.push(rouvrir(sujet, &ecart));
        }
    }
    if transferee {
        expliques.extend_from_slice(TRANSFERT);
        changements.push(transferer(sujet, avant, apres, &ecart));
    }
    let mut champs = champs(avant, apres);
    champs.extend(retenir([
        (EJ, ej_change && !transferee),
        ("dateFermeture", avant.date_fermeture != apres.date_fermeture && !etat_change),
        (EVENEMENT, ecart.autres_que(&expliques)),
    ]));
    changements.extend(modifiee(sujet, champs).map(|c| Changement {
        type_fermeture: apres.type_fermeture.clone(),
        evenements: ecart.codes_sauf(&expliques),
        ..c
    }));
    if etat_change && !apres.type_fermeture.is_empty() {
        changements.push(fermer(sujet, apres, &ecart));
    }
    changements
}

fn rouvrir(sujet: Sujet<'_>, ecart: &Ecart<'_>) -> Changement {
    Changement {
        date: ecart.derniere_date(REOUVERTURE),
        evenements: ecart.codes(REOUVERTURE),
        ..sujet.changement(Operation::Rouverte)
    }
}

fn transferer(
    sujet: Sujet<'_>,
    avant: &StructureFiness,
    apres: &StructureFiness,
    ecart: &Ecart<'_>,
) -> Changement {
    // The entry under the new EJ is when the transfer takes effect.
    let entree = ecart.derniere_date(&["019"]);
    Changement {
        de: avant.num_finess_ej.clone(),
        vers: apres.num_finess_ej.clone(),
        date: if entree.is_empty() { ecart.derniere_date(&["018"]) } else { entree },
        type_fermeture: apres.type_fermeture.clone(),
        evenements: ecart.codes(TRANSFERT),
        ..sujet.changement(Operation::Transferee)
    }
}

fn fermer(sujet: Sujet<'_>, apres: &StructureFiness, ecart: &Ecart<'_>) -> Changement {
    let operation = match apres.type_fermeture.as_str() {
        "PRO" => Operation::FermeeProvisoirement,
        "HORS_CHAMP" => Operation::HorsChamp,
        "ERREUR" => Operation::DeclareeParErreur,
        _ => Operation::Fermee,
    };
    let date = if apres.date_fermeture.is_empty() {
        ecart.derniere_date(CLOTURE)
    } else {
        apres.date_fermeture.clone()
    };
    let mut evenements = ecart.codes(CLOTURE);
    if evenements.is_empty() && !date.is_empty() {
        // A closure that was announced: its event was known before it took effect.
        evenements = presents(&apres.evenements, CLOTURE, Some(date.as_str()));
    }
    Changement {
        date,
        type_fermeture: apres.type_fermeture.clone(),
        evenements,
        ..sujet.changement(operation)
    }
}

/// Fields that differ, by their FINESS names, which are not those of an EJ for
/// an EG. State, closing date, EJ and events are looked at by the caller.
fn champs(a: &StructureFiness, b: &StructureFiness) -> Vec<&'static str> {
    let selon = |ej: &'static str, eg: &'static str| if b.entite_juridique { ej } else { eg };
    let commune = a.commune_cog != b.commune_cog;
    retenir([
        (selon("denominationLonguePmSmsse", "nomEgeLong"), a.denomination != b.denomination),
        (selon("denominationPm", "nomEgeCourt"), a.denomination_courte != b.denomination_courte),
        (selon("complementAdressePmSmsse", "complementDenominationEg"), a.complement != b.complement),
        ("siren", a.siren != b.siren),
        ("siret", a.siret != b.siret),
        ("statutJuridique", a.statut_juridique != b.statut_juridique),
        ("categorieentiteGeographiqueExercice", a.categorie != b.categorie),
        ("espic", a.espic != b.espic),
        ("modefixationtarifaire", a.mode_tarification != b.mode_tarification),
        ("codeApe", a.code_ape != b.code_ape),
        (selon("dateCreation", "dateOuverture"), a.date_ouverture != b.date_ouverture),
        ("datePremiereAutorisation", a.date_autorisation != b.date_autorisation),
        ("indcaduc", a.caduque != b.caduque),
        ("roleEge", a.finess_porteuse != b.finess_porteuse),
        ("numeroEducationNationale", a.num_uai != b.num_uai),
        ("adresse", a.adresse != b.adresse),
        ("cogCommune", commune),
        // The region follows from the commune: told alone only when it moves alone.
        ("region", !commune && region(a.meta.as_ref()) != region(b.meta.as_ref())),
        ("coordonneesGeographique", a.position != b.position),
        ("telephone", a.telephone != b.telephone),
        ("telecopie", a.telecopie != b.telecopie),
        ("courriel", a.courriel != b.courriel),
        ("typeGroupeGco", a.type_groupe != b.type_groupe),
        (selon("pmejDuGcc", "egeDuGcc"), a.groupes != b.groupes && different(groupes(a), groupes(b))),
    ])
}

fn groupes(s: &StructureFiness) -> impl Iterator<Item = [&str; 3]> {
    s.groupes.iter().map(|g| [g.identifiant.as_str(), g.r#type.as_str(), g.role.as_str()])
}
