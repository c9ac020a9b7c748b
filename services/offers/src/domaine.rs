//! What an offer, a place or a situation must be to be kept. [`verifier`] is the
//! only way in: every fault at once.

use std::collections::HashMap;

use ror_chassis::magasin::Identifiant;
use ror_domaine::{controle::Controle, guichet::Verdict, liaisons, references::Connues, vocabulaire::Tables};
use ror_proto::{
    common::v1::{Code, Provenance},
    offers::v1::{
        FermetureSite, LieuRealisation, Offer, OffreOperationnelle, SituationOperationnelle,
        offer::Ressource as R,
    },
};

/// Closure of the structures that are closed, by the id of what carries the offers.
pub type Sites = HashMap<String, FermetureSite>;

/// Identifier system of the link to a structure.
pub const LIEN_STRUCTURE: &str = "structure";
/// Identifier system of the link to a professional.
pub const LIEN_PROFESSIONNEL: &str = "professionnel";

/// Identifiers of a resource, and what it hangs on: kept beside it, so that a change
/// of a structure or of a professional finds it.
pub fn identifiants(r: &Offer) -> Vec<Identifiant> {
    let tous = match &r.ressource {
        Some(R::Offre(o)) => {
            vec![("offre", &o.identifiant, true), (LIEN_STRUCTURE, &o.porteur_id, false)]
        }
        // Several places may share a bed-zone key: the façade answers 412 for it, the store keeps it.
        Some(R::Lieu(l)) => vec![
            ("lieu", &l.identifiant, true),
            ("zone", &l.id_externe_synchro, false),
            (LIEN_STRUCTURE, &l.structure_gestionnaire_id, false),
        ],
        Some(R::Situation(s)) => vec![
            ("situation", &s.identifiant, true),
            (LIEN_STRUCTURE, &s.structure_id, false),
            (LIEN_PROFESSIONNEL, &s.professionnel_id, false),
        ],
        None => Vec::new(),
    };
    tous.into_iter()
        .filter(|(_, valeur, _)| !valeur.is_empty())
        .map(|(systeme, valeur, unique)| Identifiant { systeme, valeur: valeur.clone(), unique })
        .collect()
}

/// Ids a batch refers to, by who owns them.
#[derive(Default)]
pub struct References {
    /// Offers and places.
    pub ici: Vec<String>,
    /// Structures.
    pub structures: Vec<String>,
    /// Professionals.
    pub professionnels: Vec<String>,
}

impl References {
    /// Adds what one resource refers to.
    pub fn ajouter(&mut self, r: &Offer) {
        match &r.ressource {
            Some(R::Offre(o)) => {
                self.structures.push(o.porteur_id.clone());
                self.ici.extend(o.lieux_ids.iter().cloned());
            }
            Some(R::Lieu(l)) => {
                self.structures.push(l.structure_gestionnaire_id.clone());
                self.ici.push(l.lieu_parent_id.clone());
            }
            Some(R::Situation(s)) => {
                self.ici.push(s.offre_id.clone());
                self.structures.push(s.structure_id.clone());
                self.professionnels.push(s.professionnel_id.clone());
            }
            None => {}
        }
    }
}

/// Checks a resource against its current state.
pub fn verifier(
    recue: &Offer,
    courante: Option<&Offer>,
    provenance: &Provenance,
    tables: &Tables,
    connues: &Connues,
    sites: &Sites,
) -> Verdict<Offer> {
    let courante = courante.and_then(|c| c.ressource.as_ref());
    match &recue.ressource {
        Some(R::Offre(o)) => {
            let present = if let Some(R::Offre(p)) = courante { Some(p) } else { None };
            offre(o, present, provenance, sites, Controle::nouveau(tables, connues, "OffreOperationnelle"))
        }
        Some(R::Lieu(l)) => lieu(l, provenance, Controle::nouveau(tables, connues, "LieuRealisationOffre")),
        Some(R::Situation(s)) => {
            situation(s, provenance, Controle::nouveau(tables, connues, "SituationOperationnelle"))
        }
        None => Err(vec![ror_chassis::erreur::faute(
            "ressource",
            "obligatoire",
            "La ressource manque.",
            "une offre, un lieu ou une situation",
        )]),
    }
}

const STRUCTURES: [&str; 3] = ["entite_juridique", "entite_geographique", "organisation_interne"];

fn verdict(r: R) -> Verdict<Offer> {
    let r = Offer { ressource: Some(r) };
    let identifiants = identifiants(&r);
    Ok((r, identifiants))
}

/// Two digits of a region, a slash, then something.
fn identifiant_regional(c: &mut Controle, element: &str, valeur: &str, requis: bool) {
    c.texte(element, valeur, 128, requis);
    let conforme = valeur
        .split_once('/')
        .is_some_and(|(r, n)| r.len() == 2 && r.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty());
    if !valeur.is_empty() && !conforme {
        c.refuser(
            element,
            "forme-identifiant",
            format!("« {valeur} » n'a pas la forme d'un identifiant régional."),
            "code INSEE de région, barre oblique, numéro : 52/192675",
        );
    }
}

/// A value that never changes once given (RG_EXP_010, RG_EXP_011).
fn immuable(c: &mut Controle, element: &str, regle: &str, nouveau: Option<&Code>, tenu: Option<&Code>) {
    if let Some(t) = tenu
        && nouveau != Some(t)
    {
        c.refuser(
            element,
            regle,
            format!("L'élément {element} ne change jamais."),
            format!("le code {}", t.code),
        );
    }
}

fn offre(
    o: &OffreOperationnelle,
    present: Option<&OffreOperationnelle>,
    provenance: &Provenance,
    sites: &Sites,
    mut c: Controle,
) -> Verdict<Offer> {
    c.meta(o.meta.as_ref(), provenance);
    identifiant_regional(&mut c, "identifiantOffre", &o.identifiant, true);
    c.reference("porteur", &o.porteur_id, &STRUCTURES, true);
    c.texte("nomOffre", &o.nom, 255, true);
    c.code("typeOffre", liaisons::TYPE_OFFRE, o.type_offre.as_ref(), false);
    c.code("champActivite", liaisons::CHAMP_ACTIVITE, o.champ_activite.as_ref(), true);
    c.code("modePriseEnCharge", liaisons::MODE_PRISE_EN_CHARGE, o.mode_prise_en_charge.as_ref(), true);
    if let Some(p) = present {
        immuable(&mut c, "champActivite", "RG_EXP_010", o.champ_activite.as_ref(), p.champ_activite.as_ref());
        immuable(
            &mut c,
            "modePriseEnCharge",
            "RG_EXP_011",
            o.mode_prise_en_charge.as_ref(),
            p.mode_prise_en_charge.as_ref(),
        );
    }
    if o.activites_operationnelles.is_empty() {
        c.code("activiteOperationnelle", liaisons::ACTIVITE_OPERATIONNELLE, None, true);
    }
    c.codes("activiteOperationnelle", liaisons::ACTIVITE_OPERATIONNELLE, &o.activites_operationnelles);
    c.code("familleActiviteOperationnelle", liaisons::FAMILLE_ACTIVITE, o.famille_activite.as_ref(), false);
    c.code("temporaliteAccueil", liaisons::TEMPORALITE_ACCUEIL, o.temporalite_accueil.as_ref(), false);
    c.codes("modaliteAccueil", liaisons::MODALITE_ACCUEIL, &o.modalites_accueil);
    c.codes("modeGestion", liaisons::MODE_GESTION, &o.modes_gestion);
    c.codes("acteSpecifique", liaisons::ACTE_SPECIFIQUE, &o.actes_specifiques);
    c.codes("acteRealiseHorsCabinet", liaisons::ACTE_SPECIFIQUE, &o.actes_hors_cabinet);
    if !o.actes_specifiques.is_empty() && !o.actes_hors_cabinet.is_empty() {
        c.refuser(
            "acteRealiseHorsCabinet",
            "actes-exclusifs",
            "Les actes hors cabinet remplacent les actes spécifiques, ils ne s'y ajoutent pas.",
            "l'un ou l'autre",
        );
    }
    c.codes("specialisationPriseEnCharge", liaisons::SPECIALISATION, &o.specialisations);
    c.code("ouvertureAnnuelle", liaisons::OUVERTURE_ANNUELLE, o.ouverture_annuelle.as_ref(), false);
    c.divisions("zoneIntervention", &o.zones_intervention, "3", "zone-intervention-commune");
    o.secteurs_psychiatriques.iter().for_each(|s| c.texte("secteurPsychiatrique", s, 255, true));
    c.codes("professionRessource", liaisons::PROFESSION_RESSOURCE, &o.professions_ressources);
    c.codes("competenceSpecifique", liaisons::COMPETENCE_SPECIFIQUE, &o.competences_specifiques);
    c.codes("niveauExpertise", liaisons::NIVEAU_EXPERTISE, &o.niveaux_expertise);
    c.fermeture(
        "",
        &o.date_fermeture,
        o.type_fermeture.as_ref(),
        &o.date_previsionnelle_reouverture,
        liaisons::FERMETURE_OFFRE,
    );
    c.codes("publicPrisEnCharge", liaisons::PUBLIC, &o.publics);
    let (min, max) = (c.age("ageMin", o.age_min.as_ref()), c.age("ageMax", o.age_max.as_ref()));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        c.refuser(
            "ageMax",
            "ordre-des-ages",
            "L'âge maximum est inférieur à l'âge minimum.",
            "un âge au moins égal à ageMin",
        );
    }
    c.horaires(&o.horaires);
    c.contacts(&o.contacts, o.unite_sensible);
    c.telecoms("boiteLettreMSS", &o.telecommunications);
    for l in &o.lieux_ids {
        c.reference("lieu", l, &["lieu"], true);
    }
    c.finir()?;
    // Kept current by the events of structures; looked up when the offer comes under another one.
    let fermeture_site = match present.filter(|p| p.porteur_id == o.porteur_id) {
        Some(p) => p.fermeture_site.clone(),
        None => sites.get(&o.porteur_id).cloned(),
    };
    verdict(R::Offre(OffreOperationnelle { fermeture_site, ..o.clone() }))
}

fn lieu(l: &LieuRealisation, provenance: &Provenance, mut c: Controle) -> Verdict<Offer> {
    c.meta(l.meta.as_ref(), provenance);
    identifiant_regional(&mut c, "identifiant", &l.identifiant, false);
    c.texte("idExterneSynchro", &l.id_externe_synchro, 255, false);
    c.texte("nomExterneSynchro", &l.nom_externe_synchro, 255, false);
    c.texte("nom", &l.nom, 255, false);
    c.texte("description", &l.description, 4000, false);
    c.texte("commentaire", &l.commentaire, 4000, false);
    c.code("fonctionLieu", liaisons::FONCTION_LIEU, l.fonction.as_ref(), false);
    c.code("statut", liaisons::STATUT_LIEU, l.statut.as_ref(), false);
    if !matches!(l.status.as_str(), "" | "active" | "suspended" | "inactive") {
        c.refuser(
            "status",
            "valeur",
            format!("Statut « {} » inconnu.", l.status),
            "active, suspended ou inactive",
        );
    }
    c.commune("communeCog", &l.commune_cog, true);
    c.adresse("adresse", l.adresse.as_ref());
    c.position("coordonneeGeographique", l.position.as_ref());
    c.telecoms("telecommunication", &l.telecommunications);
    for e in &l.equipements {
        c.code("equipementSpecifique.typeEquipement", liaisons::EQUIPEMENT, e.r#type.as_ref(), true);
        for limite in &e.limites {
            c.code(
                "equipementSpecifique.typeCaracteristique",
                liaisons::CARACTERISTIQUE_EQUIPEMENT,
                limite.r#type.as_ref(),
                true,
            );
            if limite.valeur.as_ref().is_none_or(|v| !v.valeur.is_finite() || v.valeur < 0.0) {
                c.refuser(
                    "equipementSpecifique.valeurLimite",
                    "obligatoire",
                    "La valeur limite manque ou n'est pas un nombre positif.",
                    "une quantité avec son unité",
                );
            }
        }
    }
    for h in &l.habitations {
        c.code("capaciteHabitation.typeHabitation", liaisons::TYPE_HABITATION, h.r#type.as_ref(), true);
    }
    c.reference("structureGestionnaire", &l.structure_gestionnaire_id, &["entite_geographique"], false);
    c.reference("partOf", &l.lieu_parent_id, &["lieu"], false);
    if l.meta.as_ref().is_some_and(|m| !l.lieu_parent_id.is_empty() && m.id == l.lieu_parent_id) {
        c.refuser("partOf", "boucle", "Un lieu ne se contient pas lui-même.", "un autre lieu");
    }
    c.finir()?;
    verdict(R::Lieu(l.clone()))
}

fn situation(s: &SituationOperationnelle, provenance: &Provenance, mut c: Controle) -> Verdict<Offer> {
    c.meta(s.meta.as_ref(), provenance);
    c.texte("identifiantSituationOperationnelle", &s.identifiant, 128, false);
    c.reference("professionnel", &s.professionnel_id, &["professionnel"], true);
    c.reference("offre", &s.offre_id, &["offre"], true);
    c.reference("structure", &s.structure_id, &STRUCTURES, false);
    c.code("profession", liaisons::PROFESSION_SANTE, s.profession.as_ref(), true);
    for sf in &s.savoir_faire {
        if !liaisons::SAVOIR_FAIRE.contains(&sf.systeme.as_str()) {
            c.refuser(
                "savoirFaire",
                "systeme-inconnu",
                format!("Le système « {} » n'est pas celui d'un savoir-faire.", sf.systeme),
                "un système des savoir-faire (TRE_R38, R39, R40, G13, R43, R44, R42, R97)",
            );
        }
    }
    c.codes("competenceSpecifique", liaisons::COMPETENCE_SPECIFIQUE, &s.competences_specifiques);
    c.code("modeExerciceOffre", liaisons::MODE_EXERCICE, s.mode_exercice.as_ref(), true);
    c.code("civiliteExercice", liaisons::CIVILITE_EXERCICE, s.civilite_exercice.as_ref(), false);
    c.texte("nomExercice", &s.nom_exercice, 255, false);
    c.texte("prenomExercice", &s.prenom_exercice, 255, false);
    c.code(
        "secteurConventionnement",
        liaisons::SECTEUR_CONVENTIONNEMENT,
        s.secteur_conventionnement.as_ref(),
        false,
    );
    c.telecoms("telecommunication", &s.telecommunications);
    c.horaires(&s.horaires);
    c.finir()?;
    verdict(R::Situation(s.clone()))
}
