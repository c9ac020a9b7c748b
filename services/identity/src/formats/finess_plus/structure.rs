//! From a `pmej` element to the records of a legal entity and of its sites.

use std::collections::HashMap;

use ror_domaine::identifiants::{Finess, IdentifiantInvalide, Siren, Siret, id_eg, id_ej};
use ror_domaine::territoire::region_de_commune;
use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::{EvenementFiness, StructureFiness};

use super::super::faute;
use super::super::json::{Carnet, Chemin, Enfants, Evenement, Noeud, Vue, lire_evenements};
use super::adresse::{Porteur, lire_adresses};
use super::contact::lire_contact;
use super::fermeture::lire_fermeture;
use super::groupe::Groupes;

const PMEJ: &[&str] = &[
    "informationsGeneralesPMEJ",
    "adresse",
    "contact",
    "engagement",
    "evenement",
    "ege",
    "etatObjet",
    "dateDerniereMaj",
];

const INFORMATIONS_PMEJ: &[&str] = &[
    "pmSmsseId",
    "codeApe",
    "complementAdressePmSmsse",
    "dateCreation",
    "dateFermeture",
    "denominationLonguePmSmsse",
    "denominationPm",
    "numFinessPm",
    "fonctionPublique",
    "categorieentiteGeographiqueExercice",
    "siren",
    "statutJuridique",
    "typeGroupeGco",
    "typePersonneMorale",
];

const EGE: &[&str] = &[
    "informationsGeneralesEGE",
    "categorieentiteGeographiqueExercice",
    "modefixationtarifaire",
    "typeBudget",
    "adresse",
    "contact",
    "engagement",
    "evenement",
    "roleEge",
    "etatObjet",
    "dateDerniereMaj",
];

const INFORMATIONS_EGE: &[&str] = &[
    "egeId",
    "complementDenominationEg",
    "dateFermeture",
    "dateOuverture",
    "datePremiereAutorisation",
    "nomEgeCourt",
    "nomEgeLong",
    "numeroEducationNationale",
    "numeroReferenceExterne",
    "numFinessEge",
    "espic",
    "siret",
];

const ROLE: &[&str] = &["idEgePorteuse", "idEgeNonPorteuse", "roleRelationEge"];
/// Role of a secondary site towards the site that carries it.
const SECONDAIRE: &str = "B";

/// A legal entity and its sites, not yet read.
pub(super) struct Entite<'v> {
    /// The record.
    pub(super) structure: StructureFiness,
    /// True when open.
    pub(super) active: bool,
    /// Its sites.
    pub(super) sites: Enfants<'v>,
}

/// A site.
pub(super) struct Site {
    /// The record.
    pub(super) structure: StructureFiness,
    /// True when open.
    pub(super) active: bool,
    /// How many addresses it has.
    pub(super) adresses: u64,
    /// How many have no coordinates.
    pub(super) sans_coordonnees: u64,
}

/// What a site is read with.
pub(super) struct Contexte<'c> {
    /// FINESS number of its legal entity.
    pub(super) ej: &'c str,
    /// Day of the edition.
    pub(super) jour: &'c str,
    /// FINESS numbers of the sites of the same entity, by their id in FINESS.
    pub(super) numeros: &'c HashMap<&'c str, String>,
    /// Groups of the file.
    pub(super) groupes: &'c Groupes,
}

/// Reads a legal entity; faults go to the notebook.
pub(super) fn lire_pmej<'v>(
    valeur: Noeud<'v>,
    chemin: Chemin<'v>,
    jour: &str,
    groupes: &Groupes,
    carnet: &mut Carnet,
) -> Entite<'v> {
    let vue = Vue::requise(valeur, chemin, PMEJ, carnet);
    let infos = vue.sous("informationsGeneralesPMEJ", INFORMATIONS_PMEJ, carnet);
    let num_finess = infos.finess("numFinessPm", carnet);
    let active = lire_etat(&vue, carnet);
    let evenements = lire_evenements(&vue, carnet);
    let date = infos.date("dateFermeture", carnet);
    let fermeture = lire_fermeture(&evenements, active, date, &["002", "005", "020"], jour, carnet);
    let adresses = lire_adresses(&vue, Porteur::Ej, carnet);
    let (denomination, courte) = lire_noms(&infos, "denominationLonguePmSmsse", "denominationPm", carnet);
    let contact = lire_contact(&vue, carnet);
    let pm = infos.texte("pmSmsseId", carnet);
    let type_groupe = infos.texte("typeGroupeGco", carnet);
    let structure = StructureFiness {
        meta: Some(lire_meta(id_ej(&num_finess), &adresses.commune, carnet)),
        num_finess,
        entite_juridique: true,
        siren: avertir(infos.texte("siren", carnet), Siren::lire_delivre, carnet),
        denomination,
        denomination_courte: courte,
        complement: infos.texte("complementAdressePmSmsse", carnet),
        statut_juridique: infos.texte("statutJuridique", carnet),
        code_ape: infos.texte("codeApe", carnet),
        date_ouverture: infos.date("dateCreation", carnet),
        date_fermeture: fermeture.date,
        type_fermeture: fermeture.genre.to_owned(),
        adresse: adresses.principale,
        commune_cog: adresses.commune,
        position: adresses.position,
        telephone: contact.telephone,
        telecopie: contact.telecopie,
        courriel: contact.courriel,
        date_maj_source: vue.instant("dateDerniereMaj", carnet),
        type_groupe: if type_groupe.is_empty() { groupes.genre(&pm) } else { type_groupe },
        groupes: groupes.de_l_entite(&pm),
        evenements: en_fiche(evenements),
        ..StructureFiness::default()
    };
    Entite { structure, active: fermeture.active, sites: vue.liste("ege", carnet) }
}

/// Reads a site; faults go to the notebook.
pub(super) fn lire_ege(
    valeur: Noeud<'_>,
    chemin: Chemin<'_>,
    contexte: &Contexte<'_>,
    carnet: &mut Carnet,
) -> Site {
    let vue = Vue::requise(valeur, chemin, EGE, carnet);
    let infos = vue.sous("informationsGeneralesEGE", INFORMATIONS_EGE, carnet);
    let num_finess = infos.finess("numFinessEge", carnet);
    let active = lire_etat(&vue, carnet);
    let evenements = lire_evenements(&vue, carnet);
    let date = infos.date("dateFermeture", carnet);
    let fermeture = lire_fermeture(&evenements, active, date, &["005", "038"], contexte.jour, carnet);
    let adresses = lire_adresses(&vue, Porteur::Eg, carnet);
    let (denomination, courte) = lire_noms(&infos, "nomEgeLong", "nomEgeCourt", carnet);
    let contact = lire_contact(&vue, carnet);
    let ege = infos.texte("egeId", carnet);
    let structure = StructureFiness {
        meta: Some(lire_meta(id_eg(&num_finess), &adresses.commune, carnet)),
        num_finess,
        num_finess_ej: contexte.ej.to_owned(),
        siret: avertir(infos.texte("siret", carnet), Siret::lire_delivre, carnet),
        denomination,
        denomination_courte: courte,
        complement: infos.texte("complementDenominationEg", carnet),
        categorie: vue.texte("categorieentiteGeographiqueExercice", carnet),
        mode_tarification: vue.texte("modefixationtarifaire", carnet),
        espic: infos.premier_texte("espic", carnet),
        num_uai: infos.texte("numeroEducationNationale", carnet),
        date_autorisation: infos.date("datePremiereAutorisation", carnet),
        date_ouverture: infos.date("dateOuverture", carnet),
        date_fermeture: fermeture.date,
        type_fermeture: fermeture.genre.to_owned(),
        finess_porteuse: lire_porteuse(&vue, &ege, contexte.numeros, carnet),
        adresse: adresses.principale,
        commune_cog: adresses.commune,
        position: adresses.position,
        telephone: contact.telephone,
        telecopie: contact.telecopie,
        courriel: contact.courriel,
        date_maj_source: vue.instant("dateDerniereMaj", carnet),
        groupes: contexte.groupes.du_site(&ege),
        evenements: en_fiche(evenements),
        ..StructureFiness::default()
    };
    Site {
        structure,
        active: fermeture.active,
        adresses: adresses.nombre,
        sans_coordonnees: adresses.sans_coordonnees,
    }
}

/// FINESS numbers of the sites of an entity, by their id in FINESS.
pub(super) fn numeros(sites: Enfants<'_>) -> HashMap<&str, String> {
    sites
        .filter_map(|site| {
            let infos = site.get("informationsGeneralesEGE")?;
            let id = infos.get("egeId")?.texte()?;
            let (numero, _) = Finess::lire_delivre(infos.get("numFinessEge")?.texte()?).ok()?;
            Some((id.trim(), numero.as_str().to_owned()))
        })
        .collect()
}

/// FINESS number of the site that carries the site `ege`: the relation is written
/// on both. A carrier of another entity is not in reach, and counted.
fn lire_porteuse(vue: &Vue<'_>, ege: &str, numeros: &HashMap<&str, String>, carnet: &mut Carnet) -> String {
    let mut porteuse = String::new();
    for role in vue.vues("roleEge", ROLE, carnet) {
        let portee = role.texte_vu("roleRelationEge", carnet) == SECONDAIRE
            && !ege.is_empty()
            && role.texte_vu("idEgeNonPorteuse", carnet) == ege;
        if !portee {
            continue;
        }
        match numeros.get(&*role.texte_vu("idEgePorteuse", carnet)) {
            None => carnet.constater("site-porteur-inconnu"),
            Some(numero) if porteuse.is_empty() || *numero < porteuse => porteuse.clone_from(numero),
            Some(_) => {}
        }
    }
    porteuse
}

/// The events as they are kept: oldest first, each once.
fn en_fiche(evenements: Vec<Evenement<'_>>) -> Vec<EvenementFiness> {
    let mut fiches: Vec<EvenementFiness> = evenements
        .into_iter()
        .map(|lu| EvenementFiness {
            code: lu.code.into_owned(),
            date: lu.jour.into_owned(),
            etat_objet: lu.etat.into_owned(),
            objet_lie: lu.objet.into_owned(),
        })
        .collect();
    fiches.sort_by(|un, autre| {
        (&un.date, &un.code, &un.etat_objet, &un.objet_lie).cmp(&(
            &autre.date,
            &autre.code,
            &autre.etat_objet,
            &autre.objet_lie,
        ))
    });
    fiches.dedup();
    fiches
}

fn lire_etat(vue: &Vue<'_>, carnet: &mut Carnet) -> bool {
    match &*vue.texte_vu("etatObjet", carnet) {
        "A" => true,
        "I" => false,
        _ => {
            carnet.ajouter_faute(faute(
                &vue.chemin("etatObjet"),
                "etat-inconnu",
                "L'état de la structure est absent ou inconnu.",
                "A (active) ou I (inactive)",
            ));
            false
        }
    }
}

/// Name to show (the long one, or the short), and short name.
fn lire_noms(infos: &Vue<'_>, long: &str, court: &str, carnet: &mut Carnet) -> (String, String) {
    let courte = infos.texte(court, carnet);
    let longue = infos.texte(long, carnet);
    let nom = if longue.is_empty() { courte.clone() } else { longue };
    if nom.is_empty() {
        carnet.ajouter_faute(faute(
            &infos.chemin(long),
            "denomination-absente",
            "La structure n'a ni dénomination longue ni dénomination courte.",
            "Un texte",
        ));
    }
    (nom, courte)
}

/// Keeps a number whatever its key, and counts what is wrong; only the filling
/// value is treated as absent.
fn avertir<T>(
    brut: String,
    lire: impl Fn(&str) -> Result<(T, Option<IdentifiantInvalide>), IdentifiantInvalide>,
    carnet: &mut Carnet,
) -> String {
    super::super::garder_numero(brut, lire, |regle| carnet.constater(regle))
}

fn lire_meta(id: String, commune: &str, carnet: &mut Carnet) -> Meta {
    let region = region_de_commune(commune);
    if region.is_none() && !commune.is_empty() {
        carnet.constater("commune-sans-region");
    }
    Meta { id, region: region.unwrap_or_default().to_owned(), ..Meta::default() }
}
