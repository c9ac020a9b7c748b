//! What must hold of any text that comes from outside. `cargo xtask fuzz` runs these checks on texts
//! that it makes up (`e2e/fuzz`), the tests below on those that are kept there.

use std::array;

use crate::{
    export::demande::{Demande, Lecture},
    fhir::{outcome::Issue, xml},
    flux::curseur::Curseur,
    http::page::{Liens, Place},
    modele::TypeFhir,
    recherche::{
        arbre::{Noeud, Requete},
        requete::{self, Codes, LONGUEUR_MAX, Regard, decoder},
        tri::Depart,
    },
    terminologie::demande::de_chaine,
};

/// Deepest condition: parentheses and links are bounded, and so is what evaluates it.
const PROFONDEUR_MAX: usize = 512;
/// Most criteria: each has a value at least.
const CRITERES_MAX: usize = 500;
/// Most faults: those of a `_filter`, after as many before it, and the bounds.
const FAUTES_MAX: usize = 104;
/// The first instant of September 2026.
const MAINTENANT: i64 = 1_788_220_800_000;

fn connu(systeme: &str) -> bool {
    systeme.starts_with("https://x/") || systeme.starts_with("https://mos.esante.gouv.fr/NOS/")
}

fn jeu(canonique: &str) -> Option<Codes> {
    let code = |c: &str| ("https://x/s".to_owned(), c.to_owned());
    (canonique == "https://x/jeu").then(|| vec![code("01"), code("02")])
}

fn lire(t: TypeFhir, q: &str, indulgent: bool) -> Result<Requete, Vec<Issue>> {
    requete::lire(t, q, &Regard { connu: &connu, jeu: &jeu, maintenant: MAINTENANT, indulgent })
}

/// Checks `Type?query`, or a query on every type; whether it is accepted on one of them.
pub fn requete(texte: &str) -> bool {
    chaque_type(texte, une_requete)
}

/// The same for `Type?filter`, the value of a `_filter` before it is encoded.
pub fn filtre(texte: &str) -> bool {
    chaque_type(texte, un_filtre)
}

fn chaque_type(texte: &str, verifier: fn(TypeFhir, &str) -> bool) -> bool {
    let vise = texte.split_once('?').and_then(|(nom, reste)| Some((TypeFhir::de_nom(nom)?, reste)));
    match vise {
        Some((t, reste)) => verifier(t, reste),
        // Every type is tried, whatever the first ones say.
        None => TypeFhir::TOUS.map(|t| verifier(t, texte)).contains(&true),
    }
}

fn une_requete(t: TypeFhir, q: &str) -> bool {
    let [stricte, souple] = [false, true].map(|indulgent| {
        let lue = lire(t, q, indulgent);
        match &lue {
            Ok(r) => relue(r, q, indulgent),
            Err(fautes) => dites(fautes),
        }
        lue
    });
    let Ok(stricte) = stricte else { return false };
    // Who asks for lenience is read no differently where nothing is wrong.
    assert_eq!(souple.ok().as_ref().map(ecrite), Some(ecrite(&stricte)), "{q}");
    true
}

/// An accepted request is bounded, and its `self` link asks the same however it is encoded.
fn relue(r: &Requete, q: &str, indulgent: bool) {
    let (profondeur, criteres) = mesurer(&r.condition);
    assert!(profondeur <= PROFONDEUR_MAX && criteres <= CRITERES_MAX, "{profondeur}, {criteres}: {q}");
    assert!(indulgent || r.ignores.is_empty(), "{q}");
    if !r.ignores.is_empty() {
        dites(&r.ignores);
    }
    let Some(lien) = reecrire(q).filter(|lien| lien.len() <= LONGUEUR_MAX) else { return };
    let sans_page = Requete { page: None, ..r.clone() };
    let relue = lire(r.type_fhir, &lien, indulgent);
    assert_eq!(relue.ok().as_ref().map(ecrite), Some(ecrite(&sans_page)), "{q}\n{lien}");
}

fn ecrite(r: &Requete) -> String {
    format!("{r:?}")
}

/// The same query string without its page, encoded otherwise.
fn reecrire(q: &str) -> Option<String> {
    let mut parties = Vec::new();
    for paire in q.split('&').filter(|p| !p.is_empty()) {
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        let (nom, valeur) = (decoder(nom)?, decoder(valeur)?);
        if nom != "_page" {
            parties.push(format!("{}={}", coder(&nom), coder(&valeur)));
        }
    }
    Some(parties.join("&"))
}

/// Percent-encoding of all but letters and digits.
fn coder(texte: &str) -> String {
    let mut sortie = String::with_capacity(texte.len());
    for b in texte.bytes() {
        if b.is_ascii_alphanumeric() {
            sortie.push(char::from(b));
        } else {
            sortie.push_str(&format!("%{b:02X}"));
        }
    }
    sortie
}

/// Levels and criteria of a condition.
fn mesurer(n: &Noeud) -> (usize, usize) {
    let dessous = match n {
        Noeud::Critere(_) => (0, 1),
        Noeud::Enregistrement(_, criteres) => (0, criteres.len()),
        Noeud::Non(n) | Noeud::Chaine(_, n) | Noeud::AuDessus(_, n) | Noeud::Inverse(_, n) => mesurer(n),
        Noeud::Et(v) | Noeud::Ou(v) => {
            let mesures = v.iter().map(mesurer);
            mesures.fold((0, 0), |(p, c), (profondeur, criteres)| (p.max(profondeur), c + criteres))
        }
    };
    (dessous.0 + 1, dessous.1)
}

/// A refusal says what would be accepted, and is itself bounded.
fn dites(fautes: &[Issue]) {
    assert!((1..=FAUTES_MAX).contains(&fautes.len()), "{fautes:#?}");
    for f in fautes {
        assert!(f.code == "too-long" || f.diagnostics.contains("Attendu : "), "{f:#?}");
    }
}

fn un_filtre(t: TypeFhir, filtre: &str) -> bool {
    let q = format!("_filter={}", coder(filtre));
    let acceptee = une_requete(t, &q);
    if let Err(fautes) = lire(t, &q, false) {
        let fin = filtre.chars().count() + 1;
        for f in fautes {
            // Bounds are of the whole request, and a zero is in no text.
            let ailleurs = matches!(f.code, "too-long" | "too-costly") || filtre.contains('\0');
            assert!(colonne(&f).map_or(ailleurs, |c| (1..=fin).contains(&c)), "{filtre}: {f:#?}");
        }
    }
    acceptee
}

/// Where in the text of a `_filter` a fault is said to stand.
fn colonne(f: &Issue) -> Option<usize> {
    let (_, suite) = f.diagnostics.split_once("colonne ")?;
    suite.split_once(',')?.0.parse().ok()
}

/// Checks page links: these bytes are none, and the link of a place made of them serves its
/// caller, its query and its replica only.
pub fn page(octets: &[u8]) {
    let secret = [3; 32];
    let liens = Liens { secret: &secret, replique: 7, appelant: "app", requete: "Location?type=1" };
    let refuse = |l: &Liens<'_>, lien: &str| {
        let Err(refus) = l.lire(lien) else { return false };
        dites(&refus.1);
        matches!(refus.0.as_u16(), 400 | 410)
    };
    assert!(refuse(&liens, &String::from_utf8_lossy(octets)), "{octets:?}");

    let place = place(octets);
    let lien = liens.ecrire(&place);
    assert_eq!(liens.lire(&lien).ok(), Some(place), "{lien}");
    let ailleurs = [
        Liens { secret: &[4; 32], ..liens },
        Liens { replique: 8, ..liens },
        Liens { appelant: "autre", ..liens },
        Liens { requete: "Location?type=2", ..liens },
    ];
    for autre in &ailleurs {
        assert!(refuse(autre, &lien), "{lien}");
    }
    let i = octets.iter().fold(0, |n: usize, b| n.wrapping_mul(31).wrapping_add((*b).into())) % lien.len();
    let mut faux = lien.clone();
    faux.replace_range(i..=i, if lien[i..].starts_with('A') { "B" } else { "A" });
    assert!(refuse(&liens, &faux), "{faux}");
    assert!(refuse(&liens, &lien[..i]), "{lien}, {i}");
    assert!(refuse(&liens, &format!("{lien}AAAA")), "{lien}");
}

/// A place made of the first bytes.
fn place(octets: &[u8]) -> Place {
    let octet = |i: usize| octets.get(i).copied().unwrap_or_default();
    let huit = |i: usize| u64::from_le_bytes(array::from_fn(|j| octet(i + j)));
    let rang = u32::from_le_bytes(array::from_fn(|j| octet(1 + j)));
    let depart = match octet(0) % 3 {
        0 => Depart::Debut,
        1 => Depart::Apres(rang),
        _ => Depart::Avant(rang),
    };
    Place { moment: huit(5), depart, donnes: huit(13), maintenant: huit(21) as i64, lecture: huit(29) }
}

/// Checks the query string of `$export`, or of `Type/$export` after `Type?`; whether it is accepted.
pub fn export(texte: &str) -> bool {
    let vise = texte.split_once('?').and_then(|(nom, reste)| Some((TypeFhir::de_nom(nom)?, reste)));
    let (seul, chaine) = vise.map_or((None, texte), |(t, reste)| (Some(t), reste));
    let lue = |indulgent: bool| {
        let entrees = de_chaine(chaine)?;
        Demande::lire(entrees, Lecture { seul, ndjson: false, indulgent }, |portee, ecartes| {
            let mut fautes = Vec::new();
            for (t, f) in portee.0.iter().flat_map(|v| v.filtres.iter().map(move |f| (v.type_fhir, f))) {
                match lire(t, f, indulgent) {
                    Ok(requete) => ecartes.extend(requete.ignores),
                    Err(siennes) => fautes.extend(siennes),
                }
            }
            fautes
        })
    };
    let (stricte, souple) = (lue(false), lue(true));
    match &stricte {
        Err(fautes) => {
            assert!(!fautes.is_empty() && fautes.iter().all(|f| !f.diagnostics.is_empty()), "{texte}");
            return false;
        }
        Ok(demande) => {
            assert!(demande.ignores.is_empty() && !demande.portee.0.is_empty(), "{texte}");
            // What waits on the disk is found there as it was asked.
            let ecrite = serde_json::to_string(demande).unwrap_or_default();
            assert_eq!(serde_json::from_str::<Demande>(&ecrite).ok().as_ref(), Some(demande), "{texte}");
        }
    }
    // Who asks for lenience is read no differently where nothing is wrong.
    let souple = souple.ok().map(|d| Demande { indulgent: false, ..d });
    assert_eq!(souple, stricte.ok(), "{texte}");
    true
}

/// Checks cursors of `$changes`: these bytes are none, and one made of them is read with its key
/// and as it was given only.
pub fn curseur(octets: &[u8]) {
    let cle = [3; 32];
    assert_eq!(Curseur::lire(&String::from_utf8_lossy(octets), &cle), None, "{octets:?}");

    let octet = |i: usize| octets.get(i).copied().unwrap_or_default();
    let huit = |i: usize| u64::from_le_bytes(array::from_fn(|j| octet(i + j)));
    let donne = Curseur {
        positions: array::from_fn(|i| huit(8 + 8 * i)),
        date: huit(0).cast_signed(),
        droits: huit(40),
        mots: huit(48),
    };
    let texte = donne.sceller(&cle);
    assert_eq!(Curseur::lire(&texte, &cle), Some(donne), "{texte}");
    assert_eq!(Curseur::lire(&texte, &[4; 32]), None, "{texte}");
    let i = octets.iter().fold(0, |n: usize, b| n.wrapping_mul(31).wrapping_add((*b).into())) % texte.len();
    let mut faux = texte.clone();
    faux.replace_range(i..=i, if texte[i..].starts_with('A') { "B" } else { "A" });
    for autre in [faux, texte[..i].to_owned(), format!("{texte}AAAA")] {
        assert_eq!(Curseur::lire(&autre, &cle), None, "{texte}, {autre}");
    }
}

/// Checks the XML of a JSON: that of a resource, well formed, or none; whether there is one.
pub fn en_xml(texte: &str) -> bool {
    let Some(octets) = xml::de_json(texte.as_bytes()) else { return false };
    let rendu = String::from_utf8_lossy(&octets);
    // A narrative is given as it came.
    let corps = rendu.split_once("?>").map(|(_, corps)| corps);
    assert!(rendu.contains("<div") || corps.is_some_and(bien_forme), "{texte}\n{rendu}");
    true
}

/// Whether elements close as they open, with nothing but attributes in them.
fn bien_forme(corps: &str) -> bool {
    let mut ouverts: Vec<&str> = Vec::new();
    let mut reste = corps;
    while let Some(balise) = reste.strip_prefix('<') {
        let Some((dedans, suite)) = balise.split_once('>') else { return false };
        reste = suite;
        if let Some(nom) = dedans.strip_prefix('/') {
            if ouverts.pop() != Some(nom) {
                return false;
            }
            continue;
        }
        let (dedans, seule) = dedans.strip_suffix('/').map_or((dedans, false), |d| (d, true));
        let nom = dedans.split(' ').next().unwrap_or_default();
        // Quotes stand around values only: an even number, and no bracket among them.
        if nom.is_empty() || !dedans.matches('"').count().is_multiple_of(2) || dedans.contains('<') {
            return false;
        }
        if !seule {
            ouverts.push(nom);
        }
    }
    reste.is_empty() && ouverts.is_empty()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The kept texts of a target, with their names.
    fn gardees(cible: &str) -> Vec<(String, Vec<u8>)> {
        let dossier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/fuzz/corpus").join(cible);
        let fichiers = fs::read_dir(&dossier).unwrap_or_else(|e| panic!("{}: {e}", dossier.display()));
        let lus: Vec<_> = fichiers
            .map(|f| f.unwrap())
            .map(|f| (f.file_name().to_string_lossy().into_owned(), fs::read(f.path()).unwrap()))
            .collect();
        assert!(lus.len() > 5, "{}", dossier.display());
        lus
    }

    /// `bonne-…` is accepted, `fausse-…` is not; the others only have to hold.
    fn rejouer(cible: &str, verifier: fn(&str) -> bool) {
        for (nom, octets) in gardees(cible) {
            let Ok(texte) = str::from_utf8(&octets) else { continue };
            let acceptee = verifier(texte);
            assert!(acceptee || !nom.starts_with("bonne-"), "{nom}: {texte}");
            assert!(!acceptee || !nom.starts_with("fausse-"), "{nom}: {texte}");
        }
    }

    #[test]
    fn kept_requests_hold() {
        rejouer("requete", requete);
    }

    #[test]
    fn kept_filters_hold() {
        rejouer("filtre", filtre);
    }

    #[test]
    fn kept_kick_offs_hold() {
        rejouer("export", export);
    }

    #[test]
    fn kept_resources_hold() {
        rejouer("xml", en_xml);
    }

    #[test]
    fn kept_cursors_hold() {
        for (_, octets) in gardees("curseur") {
            curseur(&octets);
        }
    }

    #[test]
    fn ill_formed_texts_are_told() {
        assert!(bien_forme(r#"<a x="1"><b value="&lt;"/></a>"#));
        for faux in ["<a>", "<a></b>", "</a>", "<a>t</a>", r#"<a x="></a>"#, "<a", "t"] {
            assert!(!bien_forme(faux), "{faux}");
        }
    }

    #[test]
    fn kept_links_hold() {
        for (_, octets) in gardees("page") {
            page(&octets);
        }
    }
}
