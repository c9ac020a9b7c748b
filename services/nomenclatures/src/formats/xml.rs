//! XML as a tree. Text between elements does not matter in these forms: values are
//! attributes. No entity is defined, none is fetched.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::arbre::{IGNORES, Noeud};

/// Elements inside elements, at most.
const PROFONDEUR_MAX: usize = 64;

/// The root of a document, or what is wrong and at which byte.
pub(super) fn lire(octets: &[u8]) -> Result<Noeud, String> {
    let texte = std::str::from_utf8(octets)
        .map_err(|_| "XML illisible : le fichier n'est pas en UTF-8".to_owned())?;
    let mut lecteur = Reader::from_str(texte);
    lecteur.config_mut().expand_empty_elements = true;
    // The elements open, the innermost last, under a bottom that receives the root.
    let mut ouverts = vec![Noeud::default()];
    // Depth inside an element that is dropped; 0 outside.
    let mut ignores = 0usize;
    loop {
        let place = lecteur.buffer_position();
        let refus = |raison: String| format!("XML illisible à l'octet {place} : {raison}");
        match lecteur.read_event().map_err(|e| refus(e.to_string()))? {
            Event::Start(_) if ignores > 0 => ignores += 1,
            Event::End(_) if ignores > 0 => ignores -= 1,
            Event::Start(debut) => {
                let noeud = element(&debut).map_err(refus)?;
                if ouverts.len() > PROFONDEUR_MAX {
                    return Err(refus(format!("plus de {PROFONDEUR_MAX} éléments emboîtés")));
                }
                if IGNORES.contains(&&*noeud.nom) {
                    ignores = 1;
                } else {
                    ouverts.push(noeud);
                }
            }
            Event::End(_) => {
                // The reader has checked that each end closes its beginning.
                if let Some(fini) = ouverts.pop()
                    && let Some(parent) = ouverts.last_mut()
                {
                    parent.enfants.push(fini);
                }
            }
            Event::DocType(_) => return Err(refus("un DTD est déclaré".to_owned())),
            Event::Eof => break,
            _ => {}
        }
    }
    let racine = ouverts.pop().filter(|_| ouverts.is_empty()).and_then(|mut fond| fond.enfants.pop());
    racine.ok_or_else(|| "XML illisible : le document n'est pas entier".to_owned())
}

fn element(debut: &BytesStart<'_>) -> Result<Noeud, String> {
    let mut noeud = Noeud { nom: debut.local_name().into_inner().into(), ..Default::default() };
    for a in debut.attributes() {
        let a = a.map_err(|e| e.to_string())?;
        let valeur = a.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
        let nom = a.key.local_name().into_inner();
        if nom == "value" {
            noeud.valeur = valeur.into();
        } else {
            noeud.enfants.push(Noeud { nom: nom.into(), valeur: valeur.into(), enfants: Vec::new() });
        }
    }
    Ok(noeud)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_attributes_become_a_tree() {
        let texte = r#"<?xml version="1.0" encoding="UTF-8"?>
            <f:A xmlns:f="urn:x"><f:b value="&lt;é&amp;&#233;"/><f:b value="2"><f:c url="u" /></f:b>
            <f:text><div xmlns="y"><p>long</p></div></f:text></f:A>"#;
        let a = lire(texte.as_bytes()).unwrap();
        assert_eq!(&*a.nom, "A");
        assert_eq!(a.tous("b").map(|b| &*b.valeur).collect::<Vec<_>>(), ["<é&é", "2"]);
        assert_eq!(
            a.tous("b").filter_map(|b| b.premier("c")).map(|c| c.texte("url")).collect::<Vec<_>>(),
            ["u"]
        );
        assert!(a.premier("text").is_none());
    }

    #[test]
    fn broken_and_hostile_documents_are_refused() {
        let profond = "<a>".repeat(200);
        for texte in [
            "",
            "<a>",
            "<a></b>",
            "texte",
            "<a x=\"&inconnue;\"/>",
            profond.as_str(),
            "<a x='1' x='2'/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        ] {
            let e = lire(texte.as_bytes()).unwrap_err();
            assert!(e.starts_with("XML illisible"), "{texte}: {e}");
        }
    }
}
