//! FHIR R4 in JSON.

use super::{Lecture, arbre, fhir};

/// Reads one document: a resource, a Bundle, or an array of them.
pub fn lire(octets: &[u8]) -> Lecture {
    let mut l = Lecture::default();
    match arbre::de_json(octets) {
        Ok(documents) => documents.iter().for_each(|d| l.absorber(fhir::lire(d))),
        Err(e) => {
            let place = format!("ligne {}, colonne {}", e.line(), e.column());
            l.refuser(&place, "json", format!("JSON illisible : {e}."), "une ressource FHIR en JSON");
        }
    }
    l
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{RETIRE, normaliser, regles::valider};
    use ror_proto::nomenclatures::v1::{EtatEdition, Nomenclature, Sorte};

    const CODE_SYSTEM: &str = r#"{
        "resourceType": "CodeSystem", "id": "TRE-R999-Essai",
        "text": {"status": "generated", "div": "<div>…</div>"},
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ressource-effectivePeriod",
                       "valuePeriod": {"start": "2020-01-31T12:00:00+01:00"}}],
        "url": "urn:tre", "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}],
        "version": "20250131120000", "name": "TRE_R999_Essai", "title": "Essai", "status": "active",
        "date": "2025-01-31T12:00:00+01:00", "publisher": "Nous", "description": "Pour les tests",
        "caseSensitive": false, "content": "complete",
        "concept": [
            {"code": "01", "display": "Réanimation",
             "designation": [{"use": {"code": "LibelleCourt"}, "value": "Réa"},
                             {"use": {"code": "LibelleAdapte"}, "value": "Réanimation (adultes)"},
                             {"use": {"code": "OID"}, "value": "urn:oid:1.2.3"},
                             {"language": "fr-FR", "value": "Réanimation des adultes, toutes spécialités"}],
             "property": [{"code": "status", "valueCode": "active"},
                          {"code": "dateValid", "valueDateTime": "2020-01-31T12:00:00+01:00"},
                          {"code": "niveau", "valueInteger": 2},
                          {"code": "voir", "valueCoding": {"system": "urn:x", "code": "9"}}],
             "concept": [{"code": "01.1", "display": "Néonatale"}]},
            {"code": "02", "display": "Ancien",
             "property": [{"code": "status", "valueCode": "retired"},
                          {"code": "dateFin", "valueDateTime": "2022-06-30"}]},
            {"code": "03", "display": "Inactif", "property": [{"code": "inactive", "valueBoolean": true}]}
        ]}"#;

    fn seule(texte: &str) -> Nomenclature {
        let mut l = lire(texte.as_bytes());
        assert!(l.fautes.is_empty() && l.nomenclatures.len() == 1, "{l:?}");
        let n = normaliser(l.nomenclatures.remove(0));
        assert!(valider(&n).is_empty(), "{:?}", valider(&n));
        n
    }

    #[test]
    fn a_code_system_keeps_everything_of_its_codes() {
        let n = seule(CODE_SYSTEM);
        assert_eq!((n.sorte(), n.canonique.as_str(), n.oid.as_str()), (Sorte::Tre, "urn:tre", "1.2.3"));
        assert_eq!(
            (n.version.as_str(), n.nom.as_str(), n.complete),
            ("20250131120000", "TRE_R999_Essai", true)
        );
        assert_eq!(
            (n.valide_du.as_str(), n.date_maj.as_str(), n.editeur.as_str()),
            ("2020-01-31", "2025-01-31", "Nous")
        );
        assert_eq!(n.etat(), EtatEdition::Unspecified);
        let c = &n.concepts;
        assert_eq!(c.iter().map(|c| c.code.as_str()).collect::<Vec<_>>(), ["01", "01.1", "02", "03"]);
        assert_eq!((c[0].libelle_court.as_str(), c[0].valide_du.as_str()), ("Réa", "2020-01-31"));
        assert!(c[0].libelle_long.ends_with("spécialités"));
        let proprietes: Vec<_> =
            c[0].proprietes.iter().map(|p| (p.code.as_str(), p.valeur.as_str(), p.r#type.as_str())).collect();
        assert_eq!(proprietes, [("niveau", "2", "integer"), ("voir", "urn:x|9", "Coding")]);
        assert_eq!((c[1].proprietes[0].code.as_str(), c[1].proprietes[0].valeur.as_str()), ("parent", "01"));
        assert_eq!((c[2].statut.as_str(), c[2].valide_au.as_str()), (RETIRE, "2022-06-30"));
        assert_eq!(c[3].statut, RETIRE);
    }

    #[test]
    fn a_value_set_lists_codes_of_several_systems_less_those_excluded() {
        let n = seule(
            r#"{"resourceType":"ValueSet","url":"urn:jdv","version":"1","status":"draft","compose":{
                "include":[{"system":"urn:a","concept":[{"code":"1","display":"Un"},{"code":"2"}]},
                           {"system":"urn:b","concept":[{"code":"1"}]}],
                "exclude":[{"system":"urn:a","concept":[{"code":"2"}]}]}}"#,
        );
        let membres: Vec<_> = n.concepts.iter().map(|c| (c.systeme.as_str(), c.code.as_str())).collect();
        assert_eq!((membres, n.etat()), (vec![("urn:a", "1"), ("urn:b", "1")], EtatEdition::Brouillon));
        let depliee = seule(
            r#"{"resourceType":"ValueSet","url":"urn:jdv","status":"active",
                "compose":{"include":[{"system":"urn:a"}]},
                "expansion":{"contains":[{"system":"urn:a","abstract":true,"contains":[{"system":"urn:a","code":"1"}]}]}}"#,
        );
        assert_eq!(depliee.concepts.len(), 1);
    }

    #[test]
    fn a_concept_map_gives_its_pairs() {
        let n = seule(
            r#"{"resourceType":"ConceptMap","url":"urn:ass","version":"1","status":"active",
                "sourceUri":"urn:jdv:s","targetCanonical":"urn:jdv:t",
                "group":[{"source":"urn:s","target":"urn:t","element":[
                    {"code":"1","target":[{"code":"A","equivalence":"wider","comment":"à revoir"},{"code":"B"}]},
                    {"code":"2"}]}]}"#,
        );
        let paires: Vec<_> = n
            .associations
            .iter()
            .map(|a| (a.code_source.as_str(), a.code_cible.as_str(), a.equivalence.as_str()))
            .collect();
        assert_eq!(paires, [("1", "A", "wider"), ("1", "B", "relatedto"), ("2", "", "unmatched")]);
        assert_eq!((n.source.as_str(), n.cible.as_str()), ("urn:jdv:s", "urn:jdv:t"));
        assert_eq!((n.sorte(), n.associations[0].commentaire.as_str()), (Sorte::Ass, "à revoir"));
    }

    #[test]
    fn a_bundle_is_read_through_and_what_is_not_ours_is_passed_over() {
        let texte = format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{CODE_SYSTEM}}},{{"resource":{{"resourceType":"Patient"}}}},
                {{"resource":{{"resourceType":"ValueSet","url":"urn:vide","compose":{{"include":[{{"system":"urn:a"}}]}}}}}}]}}"#
        );
        let l = lire(texte.as_bytes());
        assert_eq!(l.nomenclatures.len(), 1);
        assert_eq!(
            (l.fautes[0].element.as_str(), l.fautes[0].regle.as_str()),
            ("entry[2].compose.include", "inclusion-sans-codes")
        );
        assert_eq!(lire(br#"{"name":"ans.fr.nos"}"#), Lecture::default(), "a package's own file");
        let tronque = lire(&CODE_SYSTEM.as_bytes()[..200]);
        assert!(
            tronque.fautes[0].regle == "json" && tronque.fautes[0].element.starts_with("ligne "),
            "{tronque:?}"
        );
    }
}
