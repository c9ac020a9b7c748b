//! What FINESS owns of a structure. A person who enters another value is told so; a
//! regional feed, which repeats what its own ROR holds, is taken without it and the
//! two values become an anomaly.

use ror_chassis::bail::nom_canal;
use ror_domaine::controle::{Controle, aujourdhui};
use ror_proto::{
    common::v1::{Adresse, Canal, Code, Meta, Provenance},
    structures::v1::{CorrectionAdresse, EntiteGeographique, EntiteJuridique},
};

/// A value that was received and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Element.
    pub champ: &'static str,
    /// Value of FINESS, kept.
    pub tenue: String,
    /// Value received.
    pub recue: String,
}

/// What a write said of the elements FINESS owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constat {
    /// Who said it: channel and account.
    pub source: String,
    /// Elements given with another value than FINESS's.
    pub divergences: Vec<Divergence>,
    /// Elements given with FINESS's value.
    pub accords: Vec<&'static str>,
}

/// A value as anomalies show it; equal texts are equal values.
trait Valeur: Clone + PartialEq + Default {
    fn lisible(&self) -> String;
}

impl Valeur for String {
    fn lisible(&self) -> String {
        self.clone()
    }
}

impl Valeur for Option<Code> {
    fn lisible(&self) -> String {
        self.as_ref().map(|c| format!("{}|{}", c.systeme, c.code)).unwrap_or_default()
    }
}

impl Valeur for Option<Adresse> {
    fn lisible(&self) -> String {
        self.as_ref().map(adresse_lisible).unwrap_or_default()
    }
}

/// Address and commune on one line, each part in its place.
pub fn adresse_lisible(a: &Adresse) -> String {
    [
        &a.point_remise,
        &a.complement_point_geographique,
        &a.numero_voie,
        &a.extension,
        &a.type_voie,
        &a.libelle_voie,
        &a.lieu_dit,
        &a.mention_distribution,
        &a.code_postal,
        &a.localite,
    ]
    .map(String::as_str)
    .join("|")
}

/// Compares the elements of one write with what FINESS holds.
pub(super) struct Verrou<'c, 'a> {
    controle: &'c mut Controle<'a>,
    tolerant: bool,
    constat: Constat,
}

impl Verrou<'_, '_> {
    /// FINESS's value stays, whatever was received.
    fn champ<T: Valeur>(&mut self, element: &'static str, propose: &mut T, tenu: &T) {
        if *propose == T::default() {
            propose.clone_from(tenu);
        } else if propose == tenu {
            self.constat.accords.push(element);
        } else if self.tolerant {
            self.constat.divergences.push(Divergence {
                champ: element,
                tenue: tenu.lisible(),
                recue: propose.lisible(),
            });
            propose.clone_from(tenu);
        } else {
            self.controle.refuser(
                element,
                "champ-verrouille",
                format!("L'élément {element} appartient à FINESS et ne se modifie pas dans le ROR."),
                "la valeur de FINESS, ou l'élément absent ; une erreur se signale à FINESS",
            );
            propose.clone_from(tenu);
        }
    }
}

/// A structure FINESS describes.
pub(super) trait DeFiness: Default {
    /// Its number.
    fn num_finess(&self) -> &str;
    /// Its number, to complete it.
    fn num_finess_mut(&mut self) -> &mut String;
    /// Keeps what FINESS owns, and what a write does not say.
    fn tenir(&mut self, tenue: &Self, auteur: &str, v: &mut Verrou<'_, '_>);
    /// The elements FINESS owns, as anomalies show them.
    fn valeurs(&self) -> Vec<(&'static str, String)>;
    /// The correction of its address.
    fn correction(&self) -> Option<&CorrectionAdresse>;
}

macro_rules! de_finess {
    ($type:ty; $($element:literal => $champ:ident),+ $(,)?) => {
        impl DeFiness for $type {
            fn num_finess(&self) -> &str {
                &self.num_finess
            }
            fn num_finess_mut(&mut self) -> &mut String {
                &mut self.num_finess
            }
            fn tenir(&mut self, tenue: &Self, auteur: &str, v: &mut Verrou<'_, '_>) {
                oublier_echo(&mut self.adresse, &mut self.commune_cog, tenue.correction_adresse.as_ref());
                $( v.champ($element, &mut self.$champ, &tenue.$champ); )+
                corriger(
                    &mut self.correction_adresse,
                    tenue.correction_adresse.as_ref(),
                    self.adresse.as_ref(),
                    &self.commune_cog,
                    auteur,
                );
                self.finess_anterieurs.clone_from(&tenue.finess_anterieurs);
                conserver_meta(&mut self.meta, tenue.meta.as_ref());
            }
            fn valeurs(&self) -> Vec<(&'static str, String)> {
                vec![$( ($element, self.$champ.lisible()) ),+]
            }
            fn correction(&self) -> Option<&CorrectionAdresse> {
                self.correction_adresse.as_ref()
            }
        }
    };
}

de_finess!(EntiteJuridique;
    "numFINESS" => num_finess,
    "idNatStruct" => id_nat_struct,
    "numSIREN" => num_siren,
    "raisonSociale" => raison_sociale,
    "complementRaisonSociale" => complement_raison_sociale,
    "statutJuridique" => statut_juridique,
    "dateCreation" => date_creation,
    "dateFermeture" => date_fermeture,
    "typeFermeture" => type_fermeture,
    "adresseEJ" => adresse,
    "communeCog" => commune_cog,
);

de_finess!(EntiteGeographique;
    "numFINESS" => num_finess,
    "idNatStruct" => id_nat_struct,
    "numSIREN" => num_siren,
    "numSIRET" => num_siret,
    "entiteJuridique" => entite_juridique_id,
    "denominationEG" => denomination,
    "complementDenominationEG" => complement_denomination,
    "categorieEG" => categorie,
    "modaliteParticipationSPH" => modalite_participation_sph,
    "dateOuverture" => date_ouverture,
    "dateFermeture" => date_fermeture,
    "typeFermeture" => type_fermeture,
    "adresseEG" => adresse,
    "communeCog" => commune_cog,
);

/// Keeps what FINESS owns of a structure written by another channel; `None` when
/// FINESS does not own it. A structure with a FINESS number is created by FINESS only.
pub(super) fn tenir<T: DeFiness>(
    e: &mut T,
    present: Option<&T>,
    provenance: &Provenance,
    c: &mut Controle<'_>,
) -> Option<Constat> {
    if provenance.canal() == Canal::Referentiel {
        return None;
    }
    if let Some(p) = present
        && e.num_finess().is_empty()
    {
        p.num_finess().clone_into(e.num_finess_mut());
    }
    if e.num_finess().is_empty() {
        return None;
    }
    let Some(p) = present.filter(|p| !p.num_finess().is_empty()) else {
        c.refuser(
            "numFINESS",
            "structure-inconnue-de-finess",
            format!(
                "La structure FINESS {} n'est pas connue : elle se crée par une édition de FINESS.",
                e.num_finess()
            ),
            "une structure de la dernière édition chargée",
        );
        return None;
    };
    let source = format!("{} ({})", nom_canal(provenance.canal()), provenance.auteur);
    let mut v = Verrou {
        controle: c,
        tolerant: provenance.canal() == Canal::Regional,
        constat: Constat { source, ..Constat::default() },
    };
    e.tenir(p, &provenance.auteur, &mut v);
    Some(v.constat)
}

/// Who reads a corrected address and writes it back does not contradict FINESS.
fn oublier_echo(adresse: &mut Option<Adresse>, commune: &mut String, correction: Option<&CorrectionAdresse>) {
    let Some(c) = correction else { return };
    if *adresse == c.adresse {
        *adresse = None;
    }
    if *commune == c.commune_cog {
        commune.clear();
    }
}

/// Whether FINESS gives what a correction asks for.
pub(crate) fn accordee(c: &CorrectionAdresse, adresse: Option<&Adresse>, commune: &str) -> bool {
    c.adresse.as_ref() == adresse && (c.commune_cog.is_empty() || c.commune_cog == commune)
}

/// The correction that stands after a write: left out it stays, the same one keeps its day.
fn corriger(
    propose: &mut Option<CorrectionAdresse>,
    tenue: Option<&CorrectionAdresse>,
    adresse: Option<&Adresse>,
    commune: &str,
    auteur: &str,
) {
    let Some(mut recue) = propose.take().filter(|p| p.adresse.is_some()) else {
        *propose = tenue.cloned();
        return;
    };
    if accordee(&recue, adresse, commune) {
        return;
    }
    if recue.commune_cog.is_empty() {
        commune.clone_into(&mut recue.commune_cog);
    }
    *propose = Some(match tenue {
        Some(t) if t.adresse == recue.adresse && t.commune_cog == recue.commune_cog => t.clone(),
        _ => CorrectionAdresse { demandee_le: aujourdhui(), demandee_par: auteur.to_owned(), ..recue },
    });
}

/// Creation date and region of a structure are those of its first write.
fn conserver_meta(meta: &mut Option<Meta>, present: Option<&Meta>) {
    if let (Some(m), Some(p)) = (meta.as_mut(), present) {
        m.date_creation = p.date_creation;
        if m.region.is_empty() {
            m.region.clone_from(&p.region);
        }
    }
}

#[cfg(test)]
mod tests;
