//! The TABS text of the NOS: three lines of heading, then one code or one pair a line.

use ror_proto::nomenclatures::v1::{Association, Concept, Nomenclature, Sorte};

use super::{EnTeteNos, Lecture, concept, jour, par_oid};
use crate::{domaine::LIE, index::filtre::plier};

/// Whether a text begins as this form does.
pub(super) fn reconnait(texte: &str) -> bool {
    let premiere = texte.lines().next().unwrap_or_default();
    premiere.contains(';') && colonnes(premiere).iter().any(|c| c == "type fichier")
}

/// Column names, folded: "Date MàJ" and "<Date MaJ>" are one.
fn colonnes(ligne: &str) -> Vec<String> {
    champs(ligne).iter().map(|c| plier(c).trim_start().to_owned()).collect()
}

fn champs(ligne: &str) -> Vec<&str> {
    ligne.trim_end_matches('\r').split(';').map(str::trim).collect()
}

/// Reads one file.
pub fn lire(octets: &[u8]) -> Lecture {
    let mut l = Lecture::default();
    let Ok(texte) = std::str::from_utf8(octets) else {
        l.refuser("ligne 1", "encodage", "Le fichier n'est pas en UTF-8.", "un fichier UTF-8");
        return l;
    };
    let mut lignes = texte.trim_start_matches('\u{feff}').lines().zip(1u32..);
    let mut suivante = || lignes.next().unwrap_or_default();
    let ((noms, _), (valeurs, rang), (titres, _)) = (suivante(), suivante(), suivante());
    let (noms, valeurs) = (colonnes(noms), champs(valeurs));
    let valeur = |nom: &str| {
        let place = noms.iter().position(|n| n == nom);
        place.and_then(|p| valeurs.get(p)).copied().unwrap_or_default()
    };
    let en_tete = EnTeteNos {
        oid: valeur("oid"),
        sorte: valeur("type fichier"),
        nom: valeur("nom fichier"),
        description: valeur("description"),
        url: valeur("url fichier"),
        valide_du: valeur("date valid"),
        valide_au: valeur("date fin"),
        date_maj: valeur("date maj"),
    };
    let mut n = en_tete.nomenclature();
    let lecteur = match n.sorte() {
        Sorte::Tre | Sorte::Jdv => Lecteur::Codes(colonnes(titres)),
        Sorte::Ass => Lecteur::Paires(champs(titres).iter().map(|t| systeme_du_titre(t)).collect()),
        Sorte::Unspecified => {
            let message = format!("La sorte de « {} » est inconnue.", n.nom);
            l.refuser(&format!("ligne {rang}"), "sorte", message, "TRE, JDV ou ASS en deuxième champ");
            return l;
        }
    };
    if let Err(manque) = lecteur.verifier() {
        l.refuser(
            "ligne 3",
            "colonnes",
            manque,
            "<OID>;<Code>;<Libellé>…, ou les deux TRE d'une association",
        );
        return l;
    }
    for (ligne, rang) in lignes.filter(|(ligne, _)| !ligne.trim().is_empty()) {
        if let Err(message) = lecteur.ajouter(&champs(ligne), &mut n) {
            l.refuser(&format!("ligne {rang}"), "champs", message, "autant de champs que de colonnes");
        }
    }
    l.nomenclatures.push(n);
    l
}

/// The OID of a column of an association: `<1.2.3> TRE_R85-RolePriseCharge`.
fn systeme_du_titre(titre: &str) -> String {
    let oid = titre.strip_prefix('<').and_then(|t| t.split_once('>')).map_or("", |(oid, _)| oid);
    if oid.contains('.') { par_oid(oid) } else { String::new() }
}

enum Lecteur {
    /// Column names.
    Codes(Vec<String>),
    /// Systems of the columns.
    Paires(Vec<String>),
}

impl Lecteur {
    fn verifier(&self) -> Result<(), String> {
        match self {
            Self::Codes(c) if c.iter().any(|n| n == "code") && c.iter().any(|n| n.starts_with("libelle")) => {
                Ok(())
            }
            Self::Codes(_) => Err("Les colonnes du code et du libellé manquent.".to_owned()),
            Self::Paires(s) if s.len() == 2 && s.iter().all(|s| !s.is_empty()) => Ok(()),
            Self::Paires(s) => Err(format!("L'association a {} colonnes, ou ne dit pas leur OID.", s.len())),
        }
    }

    fn ajouter(&self, champs: &[&str], n: &mut Nomenclature) -> Result<(), String> {
        let (Self::Codes(attendues) | Self::Paires(attendues)) = self;
        // Empty last fields may be left out.
        if champs.len() > attendues.len() {
            return Err(format!("La ligne a {} champs pour {} colonnes.", champs.len(), attendues.len()));
        }
        match self {
            Self::Codes(colonnes) => n.concepts.push(code(colonnes, champs, n.sorte())),
            Self::Paires(systemes) => {
                let ([de, vers], [source, cible]) = (systemes.as_slice(), champs) else {
                    return Err("La ligne n'a pas deux codes.".to_owned());
                };
                n.associations.push(Association {
                    systeme_source: de.clone(),
                    code_source: (*source).to_owned(),
                    systeme_cible: vers.clone(),
                    code_cible: (*cible).to_owned(),
                    equivalence: LIE.to_owned(),
                    commentaire: String::new(),
                });
            }
        }
        Ok(())
    }
}

fn code(colonnes: &[String], champs: &[&str], sorte: Sorte) -> Concept {
    let valeur = |noms: &[&str]| {
        let place = colonnes.iter().position(|c| noms.contains(&c.as_str()));
        place.and_then(|p| champs.get(p)).copied().unwrap_or_default()
    };
    let libelle = valeur(&["libelle adapte", "libelle"]);
    let different =
        |noms: &[&str]| Some(valeur(noms)).filter(|v| *v != libelle).unwrap_or_default().to_owned();
    let systeme = if sorte == Sorte::Tre { String::new() } else { par_oid(valeur(&["oid"])) };
    Concept {
        libelle_court: different(&["libelle court"]),
        libelle_long: different(&["libelle long"]),
        valide_du: jour(valeur(&["date valid"])),
        valide_au: jour(valeur(&["date fin"])),
        date_maj: jour(valeur(&["date maj"])),
        ..concept(systeme, valeur(&["code"]), libelle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FICHIER: &str =
        "<OID>;<Type fichier>;<Nom fichier>;<Description>;<URL fichier>;<Date valid>;<Date fin>;<Date MàJ>\n";

    fn seule(suite: &str) -> Nomenclature {
        let texte = format!("\u{feff}{FICHIER}{suite}");
        assert!(reconnait(texte.trim_start_matches('\u{feff}')));
        let mut l = lire(texte.as_bytes());
        assert!(l.fautes.is_empty() && l.nomenclatures.len() == 1, "{l:?}");
        l.nomenclatures.remove(0)
    }

    #[test]
    fn a_code_system_has_three_labels_and_dates() {
        let n = seule(
            "1.2.1;TRE;TRE_R999-Essai.tabs;Essai;https://mos.esante.gouv.fr/NOS/TRE_R999-Essai;20130628000000;;20200424120000\r\n\
             <OID>;<Code>;<Libellé adapté>;<Libellé court>;<Libellé long>;<Date valid>;<Date fin>;<Date MàJ>\r\n\
             1.2.1;01;Monsieur;M;Monsieur;20070725150435;;20070725150435\r\n\
             1.2.1;02;Mademoiselle;MLLE;Mademoiselle;20070725150435;20160901000000\r\n\r\n",
        );
        assert_eq!(
            (n.sorte(), n.nom.as_str(), n.version.as_str()),
            (Sorte::Tre, "TRE_R999-Essai", "20200424120000")
        );
        assert!(
            n.canonique.ends_with("/FHIR/TRE-R999-Essai") && n.oid == "1.2.1" && n.valide_du == "2013-06-28"
        );
        let (un, deux) = (&n.concepts[0], &n.concepts[1]);
        assert_eq!((un.code.as_str(), un.libelle_court.as_str(), un.libelle_long.as_str()), ("01", "M", ""));
        assert_eq!(
            (un.systeme.as_str(), deux.valide_au.as_str(), deux.date_maj.as_str()),
            ("", "2016-09-01", "")
        );
    }

    #[test]
    fn a_value_set_names_its_systems_and_an_association_those_of_its_columns() {
        let j = seule(
            "1.2.2;JDV;JDV_J9-E.tabs;;urn:j;;;20220527120000\n<OID>;<Code>;<Libellé>\n1.2.1;01;Lit\n1.2.5;01;Place\n",
        );
        let lus: Vec<_> = j.concepts.iter().map(|c| (c.systeme.as_str(), c.libelle.as_str())).collect();
        assert_eq!(lus, [("?oid:1.2.1", "Lit"), ("?oid:1.2.5", "Place")]);
        let a = seule(
            "1.2.3;ASS;ASS_A9-E.tabs;;urn:a;;;20220225120000\n<1.2.1> TRE_R1-Role;<1.2.4> TRE_R2-Genre\n312;GENR01\n",
        );
        let p = &a.associations[0];
        assert_eq!(
            (
                p.systeme_source.as_str(),
                p.code_source.as_str(),
                p.systeme_cible.as_str(),
                p.code_cible.as_str()
            ),
            ("?oid:1.2.1", "312", "?oid:1.2.4", "GENR01")
        );
    }

    #[test]
    fn faulty_lines_are_told_and_the_rest_goes_on() {
        let tete = "1.2.2;JDV;JDV_J9-E;;urn:j;;;20220527120000\n<OID>;<Code>;<Libellé>\n";
        let l = lire(format!("{FICHIER}{tete}1.2.1;01;Lit;trop;encore\n1.2.1;02;Place\n").as_bytes());
        assert_eq!((l.fautes[0].element.as_str(), l.nomenclatures[0].concepts.len()), ("ligne 4", 1));
        let regle = |texte: &[u8]| lire(texte).fautes.first().map(|f| f.regle.clone()).unwrap_or_default();
        assert_eq!(regle(b""), "sorte");
        assert_eq!(regle(b"\xff\xfe"), "encodage");
        assert_eq!(regle(format!("{FICHIER}1.2.2;JDV;x;;urn:j;;;1\n<OID>;<Truc>\n").as_bytes()), "colonnes");
        assert_eq!(
            regle(format!("{FICHIER}1.2.3;ASS;x;;urn:a;;;1\nTRE_A;TRE_B\n1;2\n").as_bytes()),
            "colonnes"
        );
        assert!(!reconnait("@\tTRE\tx"));
    }
}
