//! The XML of the NOS, of the IHE SVS kind.

use ror_proto::nomenclatures::v1::{Association, Concept, Nomenclature, Sorte};

use super::{EnTeteNos, Lecture, arbre::Noeud, concept, fhir_xml, jour, par_oid, statut, xml};
use crate::domaine::LIE;

/// Root elements of this form.
const RACINES: [&str; 2] = ["RetrieveValueSetResponse", "RetrieveMultipleValueSetsResponse"];

/// Reads one document.
pub fn lire(octets: &[u8]) -> Lecture {
    match xml::lire(octets) {
        Ok(racine) => lire_arbre(&racine),
        Err(message) => fhir_xml::illisible(message),
    }
}

/// Whether a document is of this form.
pub(super) fn reconnait(racine: &Noeud) -> bool {
    RACINES.contains(&&*racine.nom)
}

pub(super) fn lire_arbre(racine: &Noeud) -> Lecture {
    let mut l = Lecture::default();
    let listes = racine.tous("ValueSet").chain(racine.tous("DescribedValueSet"));
    for (rang, v) in listes.enumerate() {
        liste(v, &format!("ValueSet[{rang}]"), &mut l);
    }
    if l == Lecture::default() {
        l.refuser("document", "contenu-absent", "Le document n'a aucune liste.", "un élément ValueSet");
    }
    l
}

fn liste(v: &Noeud, place: &str, l: &mut Lecture) {
    let maj = ["dateMaj", "revisionDate", "version"].iter().map(|a| v.texte(a)).find(|t| !t.is_empty());
    let en_tete = EnTeteNos {
        oid: v.texte("id"),
        sorte: v.texte("typeFichier"),
        nom: v.texte("displayName"),
        description: v.texte("description"),
        url: v.texte("urlFichier"),
        valide_du: v.texte("dateValid"),
        valide_au: v.texte("dateFin"),
        date_maj: maj.unwrap_or_default(),
    };
    let mut n = en_tete.nomenclature();
    match n.sorte() {
        Sorte::Tre | Sorte::Jdv => codes(v, &mut n),
        Sorte::Ass => paires(v, place, &mut n, l),
        Sorte::Unspecified => {
            let message = format!("La sorte de « {} » est inconnue.", n.nom);
            return l.refuser(place, "sorte", message, "typeFichier TRE, JDV ou ASS");
        }
    }
    l.nomenclatures.push(n);
}

fn codes(v: &Noeud, n: &mut Nomenclature) {
    let tre = n.sorte() == Sorte::Tre;
    let lus = v.tous("ConceptList").flat_map(|l| l.tous("Concept")).map(|c| {
        let systeme = if tre { String::new() } else { par_oid(c.texte("codeSystem")) };
        Concept {
            libelle_court: different(c, "shortDesignation"),
            libelle_long: different(c, "longDesignation"),
            valide_du: jour(c.texte("dateValid")),
            valide_au: jour(c.texte("dateFin")),
            date_maj: jour(c.texte("dateMaj")),
            statut: statut(c.texte("status")).to_owned(),
            ..concept(systeme, c.texte("code"), c.texte("displayName"))
        }
    });
    n.concepts = lus.collect();
}

/// A designation, where it differs from the label.
fn different(c: &Noeud, nom: &str) -> String {
    Some(c.texte(nom)).filter(|t| *t != c.texte("displayName")).unwrap_or_default().to_owned()
}

fn paires(v: &Noeud, place: &str, n: &mut Nomenclature, l: &mut Lecture) {
    let tous = v.tous("MappedConceptList").flat_map(|l| l.tous("MappedConcept"));
    for (rang, p) in tous.enumerate() {
        let cotes: Vec<&Noeud> = p.tous("Concept").collect();
        let [source, cible] = cotes.as_slice() else {
            let message = format!("L'association a {} codes.", cotes.len());
            l.refuser(&format!("{place}.MappedConcept[{rang}]"), "association", message, "deux codes");
            continue;
        };
        n.associations.push(Association {
            systeme_source: par_oid(source.texte("codeSystem")),
            code_source: source.texte("code").to_owned(),
            systeme_cible: par_oid(cible.texte("codeSystem")),
            code_cible: cible.texte("code").to_owned(),
            equivalence: LIE.to_owned(),
            commentaire: String::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_sets_code_systems_and_associations_are_read() {
        let texte = r#"<?xml version="1.0" encoding="UTF-8"?>
          <RetrieveMultipleValueSetsResponse xmlns="urn:ihe:iti:svs:2008">
            <ValueSet id="1.2.1" displayName="TRE_R999-Essai.tabs" typeFichier="TRE" description="d"
                urlFichier="https://mos.esante.gouv.fr/NOS/TRE_R999-Essai" dateValid="20200131120000" dateFin=""
                dateMaj="20250131120000"><ConceptList>
              <Concept code="01" codeSystem="1.2.1" displayName="Réanimation" shortDesignation="Réa"
                longDesignation="Réanimation" dateValid="20200131120000" dateFin="20221231000000" dateMaj=""/>
            </ConceptList></ValueSet>
            <ValueSet id="1.2.2" displayName="JDV_J999-Essai-ROR" urlFichier="https://mos.esante.gouv.fr/NOS/JDV_J999-Essai-ROR"
                dateMaj="20250131"><ConceptList><Concept code="01" displayName="Réa" codeSystem="1.2.1"/></ConceptList></ValueSet>
            <ValueSet id="1.2.3" displayName="ASS_A999-Essai" typeFichier="ASS" urlFichier="urn:a" dateMaj="20250131120000">
              <MappedConceptList><MappedConcept><Concept code="01" codeSystem="1.2.1"/><Concept code="A" codeSystem="1.2.9"/></MappedConcept>
              <MappedConcept><Concept code="02" codeSystem="1.2.1"/></MappedConcept></MappedConceptList></ValueSet>
            <ValueSet id="1.2.4" displayName="Autre"/>
          </RetrieveMultipleValueSetsResponse>"#;
        let l = lire(texte.as_bytes());
        let [t, j, a] = l.nomenclatures.as_slice() else { panic!("{l:?}") };
        assert_eq!(t.canonique, "https://mos.esante.gouv.fr/NOS/TRE_R999-Essai/FHIR/TRE-R999-Essai");
        assert_eq!(
            (t.nom.as_str(), t.version.as_str(), t.oid.as_str()),
            ("TRE_R999-Essai", "20250131120000", "1.2.1")
        );
        let c = &t.concepts[0];
        assert_eq!((c.systeme.as_str(), c.libelle_court.as_str(), c.libelle_long.as_str()), ("", "Réa", ""));
        assert_eq!((c.valide_du.as_str(), c.valide_au.as_str()), ("2020-01-31", "2022-12-31"));
        assert_eq!((j.sorte(), j.version.as_str()), (Sorte::Jdv, "20250131120000"));
        assert_eq!(j.concepts[0].systeme, "?oid:1.2.1");
        let p = &a.associations[0];
        assert_eq!(
            (p.systeme_source.as_str(), p.systeme_cible.as_str(), p.code_cible.as_str()),
            ("?oid:1.2.1", "?oid:1.2.9", "A")
        );
        let places: Vec<_> = l.fautes.iter().map(|f| f.element.as_str()).collect();
        assert_eq!(places, ["ValueSet[2].MappedConcept[1]", "ValueSet[3]"]);
    }

    #[test]
    fn a_document_without_list_or_cut_is_a_fault() {
        assert_eq!(lire(b"<RetrieveValueSetResponse/>").fautes[0].regle, "contenu-absent");
        assert_eq!(lire(b"<RetrieveValueSetResponse><ValueSet").fautes[0].regle, "xml");
    }
}
