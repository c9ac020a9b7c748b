//! FHIR R4 in XML.

use super::{Lecture, arbre::Noeud, fhir, xml};

/// Reads one document: a resource or a Bundle.
pub fn lire(octets: &[u8]) -> Lecture {
    match xml::lire(octets) {
        Ok(racine) => lire_arbre(&racine),
        Err(message) => illisible(message),
    }
}

pub(super) fn lire_arbre(racine: &Noeud) -> Lecture {
    fhir::lire(racine)
}

/// A document that is not XML.
pub(super) fn illisible(message: String) -> Lecture {
    let mut l = Lecture::default();
    l.refuser("document", "xml", message, "un document XML entier, en UTF-8");
    l
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{RETIRE, normaliser, regles::valider};
    use ror_proto::nomenclatures::v1::Sorte;

    #[test]
    fn xml_gives_what_json_would() {
        let texte = r#"<?xml version="1.0" encoding="UTF-8"?>
            <Bundle xmlns="http://hl7.org/fhir"><entry><resource>
            <CodeSystem><text><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></text>
              <extension url="http://hl7.org/fhir/StructureDefinition/resource-effectivePeriod">
                <valuePeriod><start value="2020-01-31T12:00:00+01:00"/></valuePeriod></extension>
              <url value="urn:tre"/><identifier><value value="urn:oid:1.2.3"/></identifier>
              <version value="20250131120000"/><name value="TRE_R999_Essai"/><status value="active"/>
              <content value="complete"/>
              <concept><code value="01"/><display value="R&#233;a &amp; co"/>
                <designation><use><code value="long"/></use><value value="Réanimation"/></designation>
                <property><code value="status"/><valueCode value="retired"/></property>
                <concept><code value="01.1"/><display value="Néonatale"/></concept></concept>
            </CodeSystem></resource></entry>
            <entry><resource><ConceptMap><url value="urn:ass"/><sourceUri value="urn:s"/>
              <group><source value="urn:tre"/><target value="urn:t"/>
                <element><code value="01"/><target><code value="A"/><equivalence value="equal"/></target></element>
              </group></ConceptMap></resource></entry></Bundle>"#;
        let l = lire(texte.as_bytes());
        assert!(l.fautes.is_empty(), "{:?}", l.fautes);
        let lues: Vec<_> = l.nomenclatures.into_iter().map(normaliser).collect();
        assert!(lues.iter().all(|n| valider(n).is_empty()), "{lues:?}");
        let (t, a) = (&lues[0], &lues[1]);
        assert_eq!((t.sorte(), t.oid.as_str(), t.valide_du.as_str()), (Sorte::Tre, "1.2.3", "2020-01-31"));
        let c = &t.concepts[0];
        assert_eq!(
            (c.libelle.as_str(), c.libelle_long.as_str(), c.statut.as_str()),
            ("Réa & co", "Réanimation", RETIRE)
        );
        assert_eq!(t.concepts[1].proprietes[0].valeur, "01");
        assert_eq!(
            (a.sorte(), a.source.as_str(), a.associations[0].equivalence.as_str()),
            (Sorte::Ass, "urn:s", "equal")
        );
    }

    #[test]
    fn what_is_not_xml_is_a_fault() {
        let l = lire(b"<CodeSystem><url>");
        assert_eq!((l.fautes[0].regle.as_str(), l.nomenclatures.len()), ("xml", 0));
    }
}
