//! What a structure must be to be kept. [`verifier`] is the only way in: every
//! fault at once, and what FINESS owns stays FINESS's.

mod tarif;
mod verrous;

use ror_chassis::magasin::Identifiant;
use ror_domaine::{
    controle::Controle,
    identifiants::{Finess, IdNatStruct, IdentifiantInvalide, Siren, Siret},
    liaisons,
    references::Connues,
    vocabulaire::Tables,
};
use ror_proto::{
    common::v1::{Canal, Faute, Provenance},
    structures::v1::{
        CorrectionAdresse, EntiteGeographique, EntiteJuridique, OrganisationInterne, Structure,
        structure::Ressource as R,
    },
};

use verrous::DeFiness;
pub(crate) use verrous::accordee;
pub use verrous::{Constat, Divergence, adresse_lisible};

/// A structure that may be kept.
pub struct Verifiee {
    /// As it will be kept.
    pub structure: Structure,
    /// Its identifiers.
    pub identifiants: Vec<Identifiant>,
    /// What the write said of the elements FINESS owns; `None` when FINESS does not own it.
    pub constat: Option<Constat>,
}

/// What a control answers: the structure, or every fault.
pub type Verdict = Result<Verifiee, Vec<Faute>>;

/// Ids of other structures that this one refers to.
pub fn references(s: &Structure) -> Vec<String> {
    match &s.ressource {
        Some(R::EntiteGeographique(e)) => vec![e.entite_juridique_id.clone()],
        Some(R::OrganisationInterne(o)) => vec![o.entite_geographique_id.clone()],
        _ => Vec::new(),
    }
}

/// The elements FINESS owns and their values, as anomalies show them.
pub fn valeurs_finess(s: &Structure) -> Vec<(&'static str, String)> {
    match &s.ressource {
        Some(R::EntiteJuridique(e)) => e.valeurs(),
        Some(R::EntiteGeographique(e)) => e.valeurs(),
        _ => Vec::new(),
    }
}

/// The element of the address, and its correction that FINESS has not taken up yet.
pub fn correction(s: &Structure) -> Option<(&'static str, &CorrectionAdresse)> {
    match &s.ressource {
        Some(R::EntiteJuridique(e)) => e.correction().map(|c| ("adresseEJ", c)),
        Some(R::EntiteGeographique(e)) => e.correction().map(|c| ("adresseEG", c)),
        _ => None,
    }
}

/// The same structure without its correction.
pub fn sans_correction(mut s: Structure) -> Structure {
    match &mut s.ressource {
        Some(R::EntiteJuridique(e)) => e.correction_adresse = None,
        Some(R::EntiteGeographique(e)) => e.correction_adresse = None,
        _ => {}
    }
    s
}

/// Checks a structure and completes it with what FINESS owns.
pub fn verifier(
    recue: &Structure,
    courante: Option<&Structure>,
    provenance: &Provenance,
    tables: &Tables,
    connues: &Connues,
) -> Verdict {
    let courante = courante.and_then(|c| c.ressource.as_ref());
    match &recue.ressource {
        Some(R::EntiteJuridique(e)) => {
            let c = Controle::nouveau(tables, connues, "EntiteJuridique");
            let present = if let Some(R::EntiteJuridique(p)) = courante { Some(p) } else { None };
            entite_juridique(e.clone(), present, provenance, c)
        }
        Some(R::EntiteGeographique(e)) => {
            let c = Controle::nouveau(tables, connues, "EntiteGeographique");
            let present = if let Some(R::EntiteGeographique(p)) = courante { Some(p) } else { None };
            entite_geographique(e.clone(), present, provenance, c)
        }
        Some(R::OrganisationInterne(o)) => organisation_interne(
            o.clone(),
            provenance,
            Controle::nouveau(tables, connues, "OrganisationInterne"),
        ),
        None => Err(vec![ror_chassis::erreur::faute(
            "ressource",
            "obligatoire",
            "La ressource manque.",
            "une structure",
        )]),
    }
}

fn verifiee(r: R, identifiants: Vec<Option<Identifiant>>, constat: Option<Constat>) -> Verdict {
    let identifiants = identifiants.into_iter().flatten().collect();
    Ok(Verifiee { structure: Structure { ressource: Some(r) }, identifiants, constat })
}

fn identifiant(systeme: &'static str, valeur: &str, unique: bool) -> Option<Identifiant> {
    (!valeur.is_empty()).then(|| Identifiant { systeme, valeur: valeur.to_owned(), unique })
}

/// Checks one number; an empty one is absent.
fn numero<T>(
    c: &mut Controle,
    element: &str,
    valeur: &str,
    lire: impl Fn(&str) -> Result<T, IdentifiantInvalide>,
) {
    if !valeur.is_empty()
        && let Err(e) = lire(valeur)
    {
        c.refuser(element, e.regle, e.message.clone(), e.attendu);
    }
}

/// A correction is an address like any other.
fn correction_d_adresse(c: &mut Controle, correction: Option<&CorrectionAdresse>) {
    if let Some(x) = correction {
        c.adresse("correctionAdresse", x.adresse.as_ref());
        c.commune("correctionAdresse.communeCog", &x.commune_cog, false);
    }
}

fn entite_juridique(
    mut e: EntiteJuridique,
    present: Option<&EntiteJuridique>,
    provenance: &Provenance,
    mut c: Controle,
) -> Verdict {
    let constat = verrous::tenir(&mut e, present, provenance, &mut c);
    if provenance.canal() != Canal::Referentiel {
        c.meta(e.meta.as_ref(), provenance);
        c.code("statutJuridique", liaisons::STATUT_JURIDIQUE, e.statut_juridique.as_ref(), false);
        c.code(
            "sousEnsembleAgregatStatutJuridique",
            liaisons::SOUS_ENSEMBLE_STATUT,
            e.sous_ensemble_statut_juridique.as_ref(),
            false,
        );
        c.fermeture(
            &e.date_creation,
            &e.date_fermeture,
            e.type_fermeture.as_ref(),
            "",
            liaisons::FERMETURE_STRUCTURE,
        );
        numero(&mut c, "numFINESS", &e.num_finess, Finess::lire);
        numero(&mut c, "numSIREN", &e.num_siren, Siren::lire);
    }
    c.texte("raisonSociale", &e.raison_sociale, 255, true);
    numero(&mut c, "idNatStruct", &e.id_nat_struct, IdNatStruct::lire);
    c.adresse("adresseEJ", e.adresse.as_ref());
    c.commune("communeCog", &e.commune_cog, false);
    correction_d_adresse(&mut c, e.correction_adresse.as_ref());
    c.contacts(&e.contacts, false);
    c.telecoms("telecommunication", &e.telecommunications);
    c.finir()?;
    let mut identifiants = vec![
        identifiant("finess", &e.num_finess, true),
        identifiant("idNatStruct", &e.id_nat_struct, true),
        identifiant("siren", &e.num_siren, false),
        identifiant("rppsRang", &e.num_rpps_rang, true),
        identifiant("adeliRang", &e.num_adeli_rang, true),
    ];
    identifiants.extend(e.finess_anterieurs.iter().map(|n| identifiant("finess", n, true)));
    verifiee(R::EntiteJuridique(e), identifiants, constat)
}

fn entite_geographique(
    mut e: EntiteGeographique,
    present: Option<&EntiteGeographique>,
    provenance: &Provenance,
    mut c: Controle,
) -> Verdict {
    let constat = verrous::tenir(&mut e, present, provenance, &mut c);
    if constat.is_some()
        && let Some(p) = present
    {
        // The position may be refined in the ROR; without one, or with the same, what stands stays.
        e.position_affinee = p.position_affinee || e.position.is_some_and(|x| Some(x) != p.position);
        e.position = e.position.or(p.position);
    }
    if provenance.canal() != Canal::Referentiel {
        c.meta(e.meta.as_ref(), provenance);
        // FINESS's own link needs no proof here: it is FINESS that gave both ends.
        if constat.is_none() {
            c.reference("partOf", &e.entite_juridique_id, &["entite_juridique"], true);
        }
        c.code("categorieEG", liaisons::CATEGORIE_EG, e.categorie.as_ref(), false);
        c.code("modaliteParticipationSPH", liaisons::ESPIC, e.modalite_participation_sph.as_ref(), false);
        c.fermeture(
            &e.date_ouverture,
            &e.date_fermeture,
            e.type_fermeture.as_ref(),
            "",
            liaisons::FERMETURE_STRUCTURE,
        );
        numero(&mut c, "numFINESS", &e.num_finess, Finess::lire);
        numero(&mut c, "numSIREN", &e.num_siren, Siren::lire);
        numero(&mut c, "numSIRET", &e.num_siret, Siret::lire);
    }
    c.texte("denominationEG", &e.denomination, 255, true);
    c.texte("nomOperationnel", &e.nom_operationnel, 255, false);
    c.texte("commentaire", &e.commentaire, 4000, false);
    numero(&mut c, "idNatStruct", &e.id_nat_struct, IdNatStruct::lire);
    c.codes("aideFinanciere", liaisons::AIDE_FINANCIERE, &e.aides_financieres);
    c.code("accessibiliteLieu", liaisons::ACCESSIBILITE, e.accessibilite.as_ref(), false);
    c.code("niveauRecoursORSAN", liaisons::NIVEAU_ORSAN, e.niveau_recours_orsan.as_ref(), false);
    c.adresse("adresseEG", e.adresse.as_ref());
    c.commune("communeCog", &e.commune_cog, false);
    correction_d_adresse(&mut c, e.correction_adresse.as_ref());
    c.position("coordonneeGeographique", e.position.as_ref());
    c.divisions("territoireSante", &e.territoires_sante, "4", "RG_EXP_030");
    c.contacts(&e.contacts, false);
    c.telecoms("telecommunication", &e.telecommunications);
    e.tarifs.iter().for_each(|t| tarif::verifier(&mut c, t));
    c.finir()?;
    let mut identifiants = vec![
        identifiant("finess", &e.num_finess, true),
        identifiant("idNatStruct", &e.id_nat_struct, true),
        identifiant("siren", &e.num_siren, false),
        identifiant("siret", &e.num_siret, false),
        identifiant("rppsRang", &e.num_rpps_rang, true),
        identifiant("adeliRang", &e.num_adeli_rang, true),
    ];
    identifiants.extend(e.finess_anterieurs.iter().map(|n| identifiant("finess", n, true)));
    verifiee(R::EntiteGeographique(e), identifiants, constat)
}

fn organisation_interne(o: OrganisationInterne, provenance: &Provenance, mut c: Controle) -> Verdict {
    c.meta(o.meta.as_ref(), provenance);
    c.reference("partOf", &o.entite_geographique_id, &["entite_geographique"], true);
    c.texte("nomOI", &o.nom, 255, true);
    c.texte("identifiantOI", &o.identifiant, 128, false);
    c.code("typeOI", liaisons::TYPE_OI, o.r#type.as_ref(), false);
    if o.r#type.as_ref().is_some_and(|t| t.systeme != liaisons::TRE_TYPE_OI) {
        c.refuser(
            "typeOI",
            "systeme-inconnu",
            "Une organisation interne n'est ni une EJ ni une EG.",
            liaisons::TRE_TYPE_OI,
        );
    }
    c.fermeture(
        &o.date_ouverture,
        &o.date_fermeture,
        o.type_fermeture.as_ref(),
        &o.date_previsionnelle_reouverture,
        liaisons::FERMETURE_STRUCTURE,
    );
    c.contacts(&o.contacts, false);
    c.telecoms("boiteLettreMSS", &o.telecommunications);
    c.finir()?;
    let identifiants = vec![identifiant("oi", &o.identifiant, true)];
    verifiee(R::OrganisationInterne(o), identifiants, None)
}

/// Faults as one text, for logs of the registry follower.
pub(crate) fn regles(fautes: &[Faute]) -> String {
    fautes.iter().map(|f| f.regle.as_str()).collect::<Vec<_>>().join(",")
}
