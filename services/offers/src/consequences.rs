//! What the closure or reopening of a site means for its offers, and the end of a
//! professional for their situations. Rules only: no clock, no table, no network.

use ror_domaine::liaisons::TRE_FERMETURE;
use ror_proto::{
    common::v1::Code,
    offers::v1::{EtatConsequence, OffreOperationnelle},
};

/// Closed for a time.
pub const PRO: &str = "PRO";
/// Closed for good.
pub const DEF: &str = "DEF";
/// Out of the field of FINESS.
const CHP: &str = "CHP";
/// Declared by error: the structure is withdrawn.
pub const ERR: &str = "ERR";

/// Why something may have to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regle {
    /// The site is closed for a time: its open offers are, and reopen with it.
    FermeeProvisoirement,
    /// The site is closed for good.
    FermeeDefinitivement,
    /// The site left the field of FINESS.
    HorsChamp,
    /// FINESS declares that the site was an error.
    DeclareeParErreur,
    /// The site is open again, and a person had closed the offer with it.
    Rouverte,
    /// RPPS no longer knows the professional.
    ProfessionnelInactif,
}

impl Regle {
    const TOUTES: [Self; 6] = [
        Self::FermeeProvisoirement,
        Self::FermeeDefinitivement,
        Self::HorsChamp,
        Self::DeclareeParErreur,
        Self::Rouverte,
        Self::ProfessionnelInactif,
    ];

    /// Stable name.
    pub fn nom(self) -> &'static str {
        match self {
            Self::FermeeProvisoirement => "eg-fermee-provisoirement",
            Self::FermeeDefinitivement => "eg-fermee-definitivement",
            Self::HorsChamp => "eg-hors-champ",
            Self::DeclareeParErreur => "eg-declaree-par-erreur",
            Self::Rouverte => "eg-rouverte",
            Self::ProfessionnelInactif => "professionnel-inactif",
        }
    }

    /// The rule of that name.
    pub fn de_nom(nom: &str) -> Option<Self> {
        Self::TOUTES.into_iter().find(|r| r.nom() == nom)
    }

    /// The rule a closure calls for; `None` for a site that is open.
    pub fn de_fermeture(type_fermeture: &str) -> Option<Self> {
        match type_fermeture {
            "" => None,
            PRO => Some(Self::FermeeProvisoirement),
            CHP => Some(Self::HorsChamp),
            ERR => Some(Self::DeclareeParErreur),
            _ => Some(Self::FermeeDefinitivement),
        }
    }

    /// Closure an offer takes by this rule; empty when it opens, or for a situation.
    fn fermeture(self) -> &'static str {
        match self {
            Self::FermeeProvisoirement => PRO,
            Self::FermeeDefinitivement | Self::HorsChamp | Self::DeclareeParErreur => DEF,
            Self::Rouverte | Self::ProfessionnelInactif => "",
        }
    }

    /// French sentence; `date` is the ISO date of the closure, empty when unknown.
    pub fn message(self, date: &str) -> String {
        let le = if date.is_empty() { String::new() } else { format!(" le {date}") };
        match self {
            Self::FermeeProvisoirement => format!("Le site est fermé provisoirement{le}."),
            Self::FermeeDefinitivement => format!("Le site est fermé définitivement{le}."),
            Self::HorsChamp => format!("Le site est sorti du champ de FINESS{le}."),
            Self::DeclareeParErreur => format!("Le site est retiré{le} : FINESS le déclare par erreur."),
            Self::Rouverte => "Le site est rouvert : l'offre avait été fermée avec lui.".to_owned(),
            Self::ProfessionnelInactif => "Le RPPS ne connaît plus ce professionnel en activité.".to_owned(),
        }
    }
}

/// Who closes the offers of a site that is closed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A person, offer by offer.
    #[default]
    Controle,
    /// The rule.
    Automatique,
}

impl Mode {
    /// The mode of that name.
    pub fn de_nom(nom: &str) -> Option<Self> {
        match nom {
            "controle" => Some(Self::Controle),
            "automatique" => Some(Self::Automatique),
            _ => None,
        }
    }
}

/// A site whose closure just changed.
#[derive(Clone, Debug)]
pub struct Site {
    /// Technical id.
    pub id: String,
    /// Version of the structure that says so.
    pub version: u64,
    /// Who wrote that version.
    pub origine: String,
    /// Rule its closure calls for; `None` when it is open.
    pub regle: Option<Regle>,
    /// Closing date, ISO 8601; empty when unknown.
    pub date: String,
}

/// A consequence whose cause still holds.
#[derive(Clone, Debug)]
pub struct EnCours {
    /// Id.
    pub id: String,
    /// Offer or situation.
    pub ressource_id: String,
    /// Site or professional.
    pub cause_id: String,
    /// Rule.
    pub regle: Regle,
    /// State.
    pub etat: EtatConsequence,
    /// Closure the offer took, or would take.
    pub type_fermeture: String,
    /// Its date.
    pub date_fermeture: String,
    /// Nobody decided: the rule did it alone.
    pub automatique: bool,
}

/// What to keep of what was done or is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Rule.
    pub regle: Regle,
    /// State.
    pub etat: EtatConsequence,
    /// Closure the offer took, or would take.
    pub type_fermeture: &'static str,
    /// Its date.
    pub date_fermeture: String,
}

/// Changes an offer after its site, and tells what to keep of it. `connues` are the
/// consequences of this site on this offer.
pub fn suivre(o: &mut OffreOperationnelle, site: &Site, connues: &[EnCours], mode: Mode) -> Option<Note> {
    match site.regle {
        Some(regle) => fermer(o, regle, &site.date, connues, mode),
        None => rouvrir(o, connues),
    }
}

/// Told once: then the rule only follows the date of what it closed or still asks about.
fn fermer(
    o: &mut OffreOperationnelle,
    regle: Regle,
    date: &str,
    connues: &[EnCours],
    mode: Mode,
) -> Option<Note> {
    let etat = match connues.iter().find(|c| c.regle == regle) {
        Some(c) if c.etat == EtatConsequence::AControler => c.etat,
        Some(c) if c.etat == EtatConsequence::Appliquee && portee(o, c) => c.etat,
        Some(_) => return None,
        None if !concernee(o, regle) => return None,
        None if automatique(regle, mode) => EtatConsequence::Appliquee,
        None => EtatConsequence::AControler,
    };
    if etat == EtatConsequence::Appliquee {
        poser(o, regle.fermeture(), date);
    }
    Some(Note { regle, etat, type_fermeture: regle.fermeture(), date_fermeture: date.to_owned() })
}

/// What the rule alone closed opens; what a person closed is asked about; what was
/// changed since, or closed by anyone else, stays.
fn rouvrir(o: &mut OffreOperationnelle, connues: &[EnCours]) -> Option<Note> {
    let close = connues.iter().find(|c| c.etat == EtatConsequence::Appliquee && portee(o, c))?;
    if close.automatique {
        poser(o, "", "");
        return None;
    }
    let regle = Regle::Rouverte;
    let etat = EtatConsequence::AControler;
    Some(Note { regle, etat, type_fermeture: regle.fermeture(), date_fermeture: String::new() })
}

fn automatique(regle: Regle, mode: Mode) -> bool {
    match regle {
        Regle::FermeeProvisoirement => true,
        Regle::FermeeDefinitivement => mode == Mode::Automatique,
        _ => false,
    }
}

/// A closure for a time only matters to an open offer, the others to one not closed for good.
fn concernee(o: &OffreOperationnelle, regle: Regle) -> bool {
    match regle {
        Regle::FermeeProvisoirement => o.type_fermeture.is_none(),
        _ => code(o) != DEF,
    }
}

fn code(o: &OffreOperationnelle) -> &str {
    o.type_fermeture.as_ref().map_or("", |t| t.code.as_str())
}

/// Whether an offer still is as a consequence left it.
fn portee(o: &OffreOperationnelle, c: &EnCours) -> bool {
    !c.type_fermeture.is_empty() && code(o) == c.type_fermeture && o.date_fermeture == c.date_fermeture
}

/// Closes an offer, or opens it when the type is empty.
pub fn poser(o: &mut OffreOperationnelle, type_fermeture: &str, date: &str) {
    o.type_fermeture = (!type_fermeture.is_empty())
        .then(|| Code { systeme: TRE_FERMETURE.to_owned(), code: type_fermeture.to_owned() });
    date.clone_into(&mut o.date_fermeture);
    if type_fermeture != PRO {
        o.date_previsionnelle_reouverture.clear();
    }
}

/// Whether a consequence of a site ends with its change: all when it opens; when it
/// closes otherwise, what is still asked for another reason.
pub fn levee(c: &EnCours, regle: Option<Regle>) -> bool {
    match regle {
        None => c.regle != Regle::Rouverte,
        Some(_) if c.regle == Regle::Rouverte => true,
        Some(r) => c.etat == EtatConsequence::AControler && c.regle != r,
    }
}

#[cfg(test)]
mod tests;
