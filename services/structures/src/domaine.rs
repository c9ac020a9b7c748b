//! What a structure must be to be kept. [`verifier`] is the only way in: every
//! fault at once, and what FINESS owns stays FINESS's.

use ror_chassis::magasin::Identifiant;
use ror_domaine::{
    controle::Controle,
    guichet::Verdict,
    identifiants::{Finess, IdNatStruct, IdentifiantInvalide, Siren, Siret},
    liaisons,
    references::Connues,
    vocabulaire::Tables,
};
use ror_proto::{
    common::v1::{Canal, Faute, Provenance},
    structures::v1::{
        EntiteGeographique, EntiteJuridique, OrganisationInterne, Structure, Tarif, structure::Ressource as R,
    },
};

/// Ids of other structures that this one refers to.
pub fn references(s: &Structure) -> Vec<String> {
    match &s.ressource {
        Some(R::EntiteGeographique(e)) => vec![e.entite_juridique_id.clone()],
        Some(R::OrganisationInterne(o)) => vec![o.entite_geographique_id.clone()],
        _ => Vec::new(),
    }
}

/// Checks a structure and completes it with what FINESS owns.
pub fn verifier(
    recue: &Structure,
    courante: Option<&Structure>,
    provenance: &Provenance,
    tables: &Tables,
    connues: &Connues,
) -> Verdict<Structure> {
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

fn structure(r: R, identifiants: Vec<Identifiant>) -> Verdict<Structure> {
    Ok((Structure { ressource: Some(r) }, identifiants))
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

/// A field that FINESS owns: another channel may repeat its value or leave it out, never change it.
fn verrouiller<T: Clone + PartialEq + Default>(c: &mut Controle, element: &str, propose: &mut T, tenu: &T) {
    if *propose != T::default() && propose != tenu {
        c.refuser(
            element,
            "champ-verrouille",
            format!("L'élément {element} appartient à FINESS et ne se modifie pas dans le ROR."),
            "la valeur de FINESS, ou l'élément absent ; une erreur se signale à FINESS",
        );
    }
    propose.clone_from(tenu);
}

/// A structure with a FINESS number is created by FINESS only.
fn exiger_finess(c: &mut Controle, num_finess: &str, present: bool, provenance: &Provenance) -> bool {
    let tenue = !num_finess.is_empty() && provenance.canal() != Canal::Referentiel;
    if tenue && !present {
        c.refuser(
            "numFINESS",
            "structure-inconnue-de-finess",
            format!(
                "La structure FINESS {num_finess} n'est pas connue : elle se crée par une édition de FINESS."
            ),
            "une structure de la dernière édition chargée",
        );
    }
    tenue && present
}

fn entite_juridique(
    mut e: EntiteJuridique,
    present: Option<&EntiteJuridique>,
    provenance: &Provenance,
    mut c: Controle,
) -> Verdict<Structure> {
    if e.num_finess.is_empty()
        && let Some(p) = present
    {
        e.num_finess.clone_from(&p.num_finess);
    }
    if exiger_finess(&mut c, &e.num_finess, present.is_some(), provenance)
        && let Some(p) = present
    {
        verrouiller(&mut c, "numFINESS", &mut e.num_finess, &p.num_finess);
        verrouiller(&mut c, "idNatStruct", &mut e.id_nat_struct, &p.id_nat_struct);
        verrouiller(&mut c, "numSIREN", &mut e.num_siren, &p.num_siren);
        verrouiller(&mut c, "raisonSociale", &mut e.raison_sociale, &p.raison_sociale);
        verrouiller(
            &mut c,
            "complementRaisonSociale",
            &mut e.complement_raison_sociale,
            &p.complement_raison_sociale,
        );
        verrouiller(&mut c, "statutJuridique", &mut e.statut_juridique, &p.statut_juridique);
        verrouiller(&mut c, "dateCreation", &mut e.date_creation, &p.date_creation);
        verrouiller(&mut c, "dateFermeture", &mut e.date_fermeture, &p.date_fermeture);
        verrouiller(&mut c, "typeFermeture", &mut e.type_fermeture, &p.type_fermeture);
        verrouiller(&mut c, "adresseEJ", &mut e.adresse, &p.adresse);
        verrouiller(&mut c, "communeCog", &mut e.commune_cog, &p.commune_cog);
        conserver_meta(&mut e.meta, p.meta.as_ref());
    }
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
    c.contacts(&e.contacts, false);
    c.telecoms("telecommunication", &e.telecommunications);
    c.finir()?;
    let identifiants = [
        identifiant("finess", &e.num_finess, true),
        identifiant("idNatStruct", &e.id_nat_struct, true),
        identifiant("siren", &e.num_siren, false),
        identifiant("rppsRang", &e.num_rpps_rang, true),
        identifiant("adeliRang", &e.num_adeli_rang, true),
    ];
    structure(R::EntiteJuridique(e), identifiants.into_iter().flatten().collect())
}

/// Creation date and region of a structure are those of its first write.
fn conserver_meta(
    meta: &mut Option<ror_proto::common::v1::Meta>,
    present: Option<&ror_proto::common::v1::Meta>,
) {
    if let (Some(m), Some(p)) = (meta.as_mut(), present) {
        m.date_creation = p.date_creation;
        if m.region.is_empty() {
            m.region.clone_from(&p.region);
        }
    }
}

fn entite_geographique(
    mut e: EntiteGeographique,
    present: Option<&EntiteGeographique>,
    provenance: &Provenance,
    mut c: Controle,
) -> Verdict<Structure> {
    if e.num_finess.is_empty()
        && let Some(p) = present
    {
        e.num_finess.clone_from(&p.num_finess);
    }
    let tenue = exiger_finess(&mut c, &e.num_finess, present.is_some(), provenance);
    if tenue && let Some(p) = present {
        verrouiller(&mut c, "numFINESS", &mut e.num_finess, &p.num_finess);
        verrouiller(&mut c, "idNatStruct", &mut e.id_nat_struct, &p.id_nat_struct);
        verrouiller(&mut c, "numSIREN", &mut e.num_siren, &p.num_siren);
        verrouiller(&mut c, "numSIRET", &mut e.num_siret, &p.num_siret);
        verrouiller(&mut c, "entiteJuridique", &mut e.entite_juridique_id, &p.entite_juridique_id);
        verrouiller(&mut c, "denominationEG", &mut e.denomination, &p.denomination);
        verrouiller(
            &mut c,
            "complementDenominationEG",
            &mut e.complement_denomination,
            &p.complement_denomination,
        );
        verrouiller(&mut c, "categorieEG", &mut e.categorie, &p.categorie);
        verrouiller(
            &mut c,
            "modaliteParticipationSPH",
            &mut e.modalite_participation_sph,
            &p.modalite_participation_sph,
        );
        verrouiller(&mut c, "dateOuverture", &mut e.date_ouverture, &p.date_ouverture);
        verrouiller(&mut c, "dateFermeture", &mut e.date_fermeture, &p.date_fermeture);
        verrouiller(&mut c, "typeFermeture", &mut e.type_fermeture, &p.type_fermeture);
        verrouiller(&mut c, "adresseEG", &mut e.adresse, &p.adresse);
        verrouiller(&mut c, "communeCog", &mut e.commune_cog, &p.commune_cog);
        // The position may be refined in the ROR; without one, FINESS's stays.
        if e.position.is_none() {
            e.position = p.position;
        }
        conserver_meta(&mut e.meta, p.meta.as_ref());
    }
    if provenance.canal() != Canal::Referentiel {
        c.meta(e.meta.as_ref(), provenance);
        // FINESS's own link needs no proof here: it is FINESS that gave both ends.
        if !tenue {
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
    c.position("coordonneeGeographique", e.position.as_ref());
    c.divisions("territoireSante", &e.territoires_sante, "4", "RG_EXP_030");
    c.contacts(&e.contacts, false);
    c.telecoms("telecommunication", &e.telecommunications);
    e.tarifs.iter().for_each(|t| tarif(&mut c, t));
    c.finir()?;
    let identifiants = [
        identifiant("finess", &e.num_finess, true),
        identifiant("idNatStruct", &e.id_nat_struct, true),
        identifiant("siren", &e.num_siren, false),
        identifiant("siret", &e.num_siret, false),
        identifiant("rppsRang", &e.num_rpps_rang, true),
        identifiant("adeliRang", &e.num_adeli_rang, true),
    ];
    structure(R::EntiteGeographique(e), identifiants.into_iter().flatten().collect())
}

fn tarif(c: &mut Controle, t: &Tarif) {
    c.code("tarif.typeTarif", liaisons::TYPE_TARIF, t.r#type.as_ref(), true);
    c.code("tarif.unitePrix", liaisons::UNITE_PRIX, t.unite_prix.as_ref(), true);
    c.codes(
        "tarif.prestationsNonObligatoiresIncluses",
        liaisons::PRESTATION_INCLUSE,
        &t.prestations_incluses,
    );
    c.code("tarif.typeHabitation", liaisons::TYPE_HABITATION, t.type_habitation.as_ref(), false);
    c.code("tarif.conditionTarifaire", liaisons::CONDITION_TARIFAIRE, t.condition_tarifaire.as_ref(), false);
    c.code("tarif.temporaliteAccueil", liaisons::TEMPORALITE_ACCUEIL, t.temporalite_accueil.as_ref(), false);
    c.code(
        "tarif.groupeTarifaireDependance",
        liaisons::GROUPE_DEPENDANCE,
        t.groupe_dependance.as_ref(),
        false,
    );
    c.code("tarif.modeGestion", liaisons::MODE_GESTION, t.mode_gestion.as_ref(), false);
    c.code(
        "tarif.nomPrestationSupp",
        liaisons::PRESTATION_INCLUSE,
        t.prestation_supplementaire.as_ref(),
        false,
    );
    c.date("tarif.dateDebutValiditeTarif", &t.date_debut_validite);
    if !(0..=100_000_000).contains(&t.montant_centimes) {
        c.refuser(
            "tarif.montantTarif",
            "bornes",
            format!("Montant {} centimes hors bornes.", t.montant_centimes),
            "0 à 1 000 000 euros",
        );
    }
    let devise = t.devise.len() == 3 && t.devise.bytes().all(|b| b.is_ascii_uppercase());
    if !t.devise.is_empty() && !devise {
        c.refuser("tarif.devise", "devise", format!("« {} » n'est pas une devise.", t.devise), "EUR");
    }
    // RG_EXP_029: supplément tarif hébergement (01) bears on a single room (02).
    let type_ = t.r#type.as_ref().map_or("", |t| t.code.as_str());
    if type_ == "01" && t.type_habitation.as_ref().is_some_and(|h| h.code != "02") {
        c.refuser(
            "tarif.typeHabitation",
            "RG_EXP_029",
            "Un supplément de tarif d'hébergement porte sur la chambre simple.",
            "le code 02",
        );
    }
    if type_ == "06" && t.mode_gestion.is_none() {
        c.refuser(
            "tarif.modeGestion",
            "obligatoire",
            "Un tarif d'aides humaines dit son mode de gestion.",
            "01 prestataire ou 02 mandataire",
        );
    }
}

fn organisation_interne(
    o: OrganisationInterne,
    provenance: &Provenance,
    mut c: Controle,
) -> Verdict<Structure> {
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
    let identifiants = identifiant("oi", &o.identifiant, true).into_iter().collect();
    structure(R::OrganisationInterne(o), identifiants)
}

/// Faults as one text, for logs of the registry follower.
pub(crate) fn regles(fautes: &[Faute]) -> String {
    fautes.iter().map(|f| f.regle.as_str()).collect::<Vec<_>>().join(",")
}
