//! Phone, fax, e-mail.

use super::super::json::{Carnet, Vue};

const CONTACT: &[&str] = &["typeContact", "telecom"];
const TELECOM: &[&str] = &["telephone", "telecopie", "courriel"];

/// The first of each that the contacts of a structure give.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// Phone.
    pub(super) telephone: String,
    /// Fax.
    pub(super) telecopie: String,
    /// E-mail.
    pub(super) courriel: String,
}

/// Reads the contacts of a structure.
pub(super) fn lire_contact(vue: &Vue<'_>, carnet: &mut Carnet) -> Contact {
    let mut lu = Contact::default();
    for contact in vue.vues("contact", CONTACT, carnet) {
        let telecom = contact.sous("telecom", TELECOM, carnet);
        for (cle, place) in [
            ("telephone", &mut lu.telephone),
            ("telecopie", &mut lu.telecopie),
            ("courriel", &mut lu.courriel),
        ] {
            let texte = telecom.texte_vu(cle, carnet);
            if place.is_empty() {
                *place = texte.into_owned();
            }
        }
    }
    Contact {
        telephone: premier_numero(lu.telephone, carnet),
        telecopie: premier_numero(lu.telecopie, carnet),
        courriel: lu.courriel,
    }
}

/// Ten digits whatever the separators; the first number when there are two.
fn premier_numero(brut: String, carnet: &mut Carnet) -> String {
    let connu = |lettre: char| matches!(lettre, '0'..='9' | ' ' | '.' | '-' | '/' | ',' | ';');
    if !brut.chars().all(connu) {
        return brut;
    }
    let mut chiffres: String = brut.chars().filter(char::is_ascii_digit).collect();
    match chiffres.len() {
        10 => chiffres,
        20 => {
            carnet.constater("telephones-multiples");
            chiffres.truncate(10);
            chiffres
        }
        _ => brut,
    }
}
