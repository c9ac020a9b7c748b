//! Practitioner: Professionnel.

use ror_proto::identity::v1::Professionnel;

use super::Vue;
use super::communs::{entete, extensions_meta};
use crate::fhir::canoniques as c;
use crate::fhir::json;

/// Renders a professional.
pub fn practitioner(professionnel: &Professionnel, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        let meta = professionnel.meta.as_ref();
        entete(o, "Practitioner", c::PROFIL_PRACTITIONER, meta, vue);
        o.tableau("extension", |t| extensions_meta(t, meta, false));
        if !professionnel.id_nat_ps.is_empty() {
            o.tableau("identifier", |t| {
                t.objet(|o| {
                    o.texte("system", c::SYS_ID_NAT_PS);
                    o.texte("value", &professionnel.id_nat_ps);
                });
            });
        }
        o.booleen("active", professionnel.actif);
        o.tableau("name", |t| {
            t.objet(|o| {
                o.texte("family", &professionnel.nom);
                o.tableau("given", |t| t.texte(&professionnel.prenom));
                if let Some(civilite) = &professionnel.civilite {
                    o.tableau("prefix", |t| t.texte(&civilite.code));
                }
            });
        });
    });
}
