//! The texts of each resource, from its state: what the façade renders of it, labels included, but for the blocks that
//! some profiles do not see. Labels are those of the nomenclatures at hand: when these change, the rows are fed again.

use ror_domaine::vocabulaire::Tables;
use ror_proto::{
    common::v1::{Adresse, Code, Meta},
    identity::v1::Professionnel,
    offers::v1::{LieuRealisation, OffreOperationnelle, SituationOperationnelle, offer},
    structures::v1::{
        CorrectionAdresse, EntiteGeographique, EntiteJuridique, OrganisationInterne, structure,
    },
};

use super::Fiche;
use crate::{
    fhir::{canoniques as c, rendu::type_fermeture},
    modele::TypeFhir,
};

/// The texts of a structure.
pub fn de_structure(rang: u32, ressource: &structure::Ressource, tables: &Tables) -> Fiche {
    let mut t = Textes::nouveau(TypeFhir::Organization, rang, tables);
    match ressource {
        structure::Ressource::EntiteJuridique(ej) => t.ej(ej),
        structure::Ressource::EntiteGeographique(eg) => t.eg(eg),
        structure::Ressource::OrganisationInterne(oi) => t.oi(oi),
    }
    t.fiche
}

/// The texts of an offer, a place or a situation.
pub fn d_offre(rang: u32, ressource: &offer::Ressource, tables: &Tables) -> Fiche {
    let texte = |t| Textes::nouveau(t, rang, tables);
    match ressource {
        offer::Ressource::Offre(o) => {
            let mut t = texte(TypeFhir::HealthcareService);
            t.offre(o);
            t.fiche
        }
        offer::Ressource::Lieu(l) => {
            let mut t = texte(TypeFhir::Location);
            t.lieu(l);
            t.fiche
        }
        offer::Ressource::Situation(s) => {
            let mut t = texte(TypeFhir::PractitionerRole);
            t.situation(s);
            t.fiche
        }
    }
}

/// The texts of a professional: what is rendered, so neither professions nor know-how.
pub fn de_professionnel(rang: u32, p: &Professionnel, tables: &Tables) -> Fiche {
    let mut t = Textes::nouveau(TypeFhir::Practitioner, rang, tables);
    ajouter(&mut t.fiche.narratif, &p.nom);
    ajouter(&mut t.fiche.narratif, &p.prenom);
    t.region(p.meta.as_ref());
    t.fiche
}

/// One text a line.
fn ajouter(texte: &mut String, ligne: &str) {
    let ligne = ligne.trim();
    if ligne.is_empty() {
        return;
    }
    if !texte.is_empty() {
        texte.push('\n');
    }
    texte.push_str(ligne);
}

/// Gathers the texts of a row.
struct Textes<'a> {
    fiche: Fiche,
    tables: &'a Tables,
}

impl<'a> Textes<'a> {
    fn nouveau(type_fhir: TypeFhir, rang: u32, tables: &'a Tables) -> Self {
        let vide = String::new;
        Self { fiche: Fiche { type_fhir, rang, narratif: vide(), contenu: vide(), fin: vide() }, tables }
    }

    fn nom(&mut self, texte: &str) {
        ajouter(&mut self.fiche.narratif, texte);
    }

    fn contenu(&mut self, texte: &str) {
        ajouter(&mut self.fiche.contenu, texte);
    }

    fn libelle(&mut self, systeme: &str, code: &str) {
        if let Some(libelle) = self.tables.libelle(systeme, code) {
            ajouter(&mut self.fiche.contenu, libelle);
        }
    }

    fn codes<'c>(&mut self, codes: impl IntoIterator<Item = &'c Code>) {
        for code in codes {
            self.libelle(&code.systeme, &code.code);
        }
    }

    fn fins<'c>(&mut self, codes: impl IntoIterator<Item = &'c Code>) {
        for code in codes {
            if let Some(libelle) = self.tables.libelle(&code.systeme, &code.code) {
                ajouter(&mut self.fiche.fin, libelle);
            }
        }
    }

    fn region(&mut self, meta: Option<&Meta>) {
        if let Some(meta) = meta {
            self.libelle(c::TRE_R30, &meta.region);
        }
    }

    /// Region, and comment where the resource shows it.
    fn meta(&mut self, meta: Option<&Meta>) {
        self.region(meta);
        if let Some(meta) = meta {
            self.contenu(&meta.commentaire);
        }
    }

    fn adresse(&mut self, adresse: Option<&Adresse>) {
        let Some(a) = adresse else { return };
        self.contenu(&a.point_remise);
        self.contenu(&a.complement_point_geographique);
        let voie = self.tables.libelle(c::TRE_R35, &a.type_voie).unwrap_or_default();
        self.contenu(&format!("{voie} {}", a.libelle_voie));
        self.contenu(&a.lieu_dit);
        self.contenu(&a.mention_distribution);
        self.contenu(&format!("{} {}", a.code_postal, a.localite));
    }

    /// The address served: the correction that awaits FINESS, else FINESS's.
    fn adresse_servie(&mut self, correction: Option<&CorrectionAdresse>, adresse: Option<&Adresse>) {
        self.adresse(correction.map_or(adresse, |x| x.adresse.as_ref()));
    }

    fn ej(&mut self, ej: &EntiteJuridique) {
        self.nom(&ej.raison_sociale);
        self.nom(&ej.complement_raison_sociale);
        self.codes(&ej.statut_juridique);
        self.codes(&ej.sous_ensemble_statut_juridique);
        self.codes(&ej.type_fermeture);
        self.adresse_servie(ej.correction_adresse.as_ref(), ej.adresse.as_ref());
        self.meta(ej.meta.as_ref());
    }

    fn eg(&mut self, eg: &EntiteGeographique) {
        self.nom(&eg.denomination);
        self.nom(&eg.complement_denomination);
        self.nom(&eg.nom_operationnel);
        self.codes(&eg.categorie);
        self.codes(&eg.modalite_participation_sph);
        self.codes(&eg.accessibilite);
        self.codes(&eg.aides_financieres);
        self.codes(&eg.type_fermeture);
        self.codes(eg.territoires_sante.iter().filter_map(|d| d.code.as_ref()));
        self.adresse_servie(eg.correction_adresse.as_ref(), eg.adresse.as_ref());
        self.contenu(&eg.commentaire);
        self.meta(eg.meta.as_ref());
    }

    fn oi(&mut self, oi: &OrganisationInterne) {
        self.nom(&oi.nom);
        self.codes(&oi.r#type);
        self.codes(&oi.type_fermeture);
        self.meta(oi.meta.as_ref());
    }

    /// Zones of intervention stay out: hundreds of communes an offer, and a parameter of their own.
    fn offre(&mut self, o: &OffreOperationnelle) {
        self.nom(&o.nom);
        self.codes(&o.type_offre);
        self.codes(&o.champ_activite);
        self.codes(&o.activites_operationnelles);
        self.codes(&o.famille_activite);
        self.codes(&o.mode_prise_en_charge);
        self.codes(&o.temporalite_accueil);
        self.codes(&o.modalites_accueil);
        self.codes(&o.modes_gestion);
        self.codes(&o.ouverture_annuelle);
        self.codes(&o.niveaux_expertise);
        self.codes(&o.publics);
        self.codes(type_fermeture(o));
        for secteur in &o.secteurs_psychiatriques {
            self.contenu(secteur);
        }
        self.meta(o.meta.as_ref());
        self.fins(&o.actes_specifiques);
        self.fins(&o.actes_hors_cabinet);
        self.fins(&o.specialisations);
        self.fins(&o.professions_ressources);
        self.fins(&o.competences_specifiques);
    }

    fn lieu(&mut self, l: &LieuRealisation) {
        self.nom(&l.nom);
        self.nom(&l.nom_externe_synchro);
        self.nom(&l.description);
        self.codes(&l.fonction);
        self.codes(&l.statut);
        self.codes(l.habitations.iter().filter_map(|h| h.r#type.as_ref()));
        self.libelle(c::TRE_R13, &l.commune_cog);
        self.adresse(l.adresse.as_ref());
        self.contenu(&l.commentaire);
        self.region(l.meta.as_ref());
        for equipement in &l.equipements {
            self.fins(&equipement.r#type);
            self.fins(equipement.limites.iter().filter_map(|l| l.r#type.as_ref()));
        }
    }

    fn situation(&mut self, s: &SituationOperationnelle) {
        self.nom(&s.nom_exercice);
        self.nom(&s.prenom_exercice);
        self.codes(&s.civilite_exercice);
        self.codes(&s.profession);
        self.codes(&s.savoir_faire);
        self.codes(&s.competences_specifiques);
        self.codes(&s.mode_exercice);
        self.codes(&s.secteur_conventionnement);
        self.meta(s.meta.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use ror_domaine::vocabulaire::Vocabulaire;
    use ror_proto::{
        common::v1::{Contact, Telecommunication},
        nomenclatures::v1::{Concept, Nomenclature, Sorte},
    };

    use super::*;

    fn tables() -> std::sync::Arc<Tables> {
        let concepts = [("a", "Cardiologie"), ("b", "Thrombolyse"), ("c", "Scanner")];
        Vocabulaire::fixe(&[Nomenclature {
            canonique: "tre".into(),
            sorte: Sorte::Tre as i32,
            concepts: concepts
                .map(|(code, libelle)| Concept {
                    systeme: "tre".into(),
                    code: code.into(),
                    libelle: libelle.into(),
                    ..Concept::default()
                })
                .to_vec(),
            ..Nomenclature::default()
        }])
        .tables()
    }

    fn code(code: &str) -> Code {
        Code { systeme: "tre".into(), code: code.into() }
    }

    #[test]
    fn labels_go_where_their_block_is_seen_and_contacts_nowhere() {
        let offre = OffreOperationnelle {
            nom: " Cardiologie  de garde ".into(),
            activites_operationnelles: vec![code("a"), code("inconnu")],
            actes_specifiques: vec![code("b")],
            contacts: vec![Contact { nom: "Secret".into(), ..Contact::default() }],
            telecommunications: vec![Telecommunication {
                adresse: "secret@exemple.invalid".into(),
                ..Telecommunication::default()
            }],
            meta: Some(Meta { commentaire: "Sur rendez-vous".into(), ..Meta::default() }),
            ..OffreOperationnelle::default()
        };
        let fiche = d_offre(7, &offer::Ressource::Offre(offre), &tables());
        assert_eq!(
            fiche,
            Fiche {
                type_fhir: TypeFhir::HealthcareService,
                rang: 7,
                narratif: "Cardiologie  de garde".into(),
                contenu: "Cardiologie\nSur rendez-vous".into(),
                fin: "Thrombolyse".into(),
            }
        );
    }

    #[test]
    fn a_corrected_address_is_the_one_searched() {
        let adresse = |localite: &str| Adresse {
            code_postal: "44000".into(),
            localite: localite.into(),
            ..Adresse::default()
        };
        let eg = EntiteGeographique {
            denomination: "Clinique".into(),
            adresse: Some(adresse("Avant")),
            correction_adresse: Some(CorrectionAdresse {
                adresse: Some(adresse("Après")),
                ..CorrectionAdresse::default()
            }),
            ..EntiteGeographique::default()
        };
        let fiche = de_structure(1, &structure::Ressource::EntiteGeographique(eg), &tables());
        assert_eq!((fiche.narratif.as_str(), fiche.contenu.as_str()), ("Clinique", "44000 Après"));
    }
}
