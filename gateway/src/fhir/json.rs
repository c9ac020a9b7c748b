//! Small JSON writer over a byte buffer.
//!
//! It never writes an empty object, array or string: a part that stays empty is rolled back,
//! its name and comma included, because FHIR forbids empty elements.

use std::io::Write;

/// Writes one document; nothing at all when the closure writes nothing.
pub fn document(sortie: &mut Vec<u8>, remplir: impl FnOnce(&mut Objet<'_>)) {
    let repere = sortie.len();
    sortie.push(b'{');
    let mut objet = Objet { sortie: &mut *sortie, vide: true };
    remplir(&mut objet);
    let vide = objet.vide;
    clore(sortie, vide, repere, b'}');
}

/// Writes the members of an object, without its braces.
pub fn membres(sortie: &mut Vec<u8>, remplir: impl FnOnce(&mut Objet<'_>)) {
    remplir(&mut Objet { sortie, vide: true });
}

/// An open JSON object.
pub struct Objet<'a> {
    sortie: &'a mut Vec<u8>,
    vide: bool,
}

impl Objet<'_> {
    /// Text member, left out when empty.
    pub fn texte(&mut self, nom: &str, valeur: &str) {
        if !valeur.is_empty() {
            self.cle(nom);
            ecrire_texte(self.sortie, valeur);
            self.vide = false;
        }
    }

    /// Text member made of these one after the other, left out when empty.
    pub fn textes(&mut self, nom: &str, parties: &[&str]) {
        if parties.iter().all(|p| p.is_empty()) {
            return;
        }
        self.cle(nom);
        self.sortie.push(b'"');
        for partie in parties {
            echapper(self.sortie, partie);
        }
        self.sortie.push(b'"');
        self.vide = false;
    }

    /// Text member that is a number.
    pub fn nombre_en_texte(&mut self, nom: &str, valeur: u64) {
        self.cle(nom);
        // Writing to a Vec cannot fail.
        let _ = write!(self.sortie, "\"{valeur}\"");
        self.vide = false;
    }

    /// Members whose JSON is written already, none when it is empty.
    pub fn membres(&mut self, json: &[u8]) {
        if json.is_empty() {
            return;
        }
        if !self.vide {
            self.sortie.push(b',');
        }
        self.sortie.extend_from_slice(json);
        self.vide = false;
    }

    /// Boolean member.
    pub fn booleen(&mut self, nom: &str, valeur: bool) {
        self.cle(nom);
        let texte: &[u8] = if valeur { b"true" } else { b"false" };
        self.sortie.extend_from_slice(texte);
        self.vide = false;
    }

    /// Integer member.
    pub fn entier(&mut self, nom: &str, valeur: i64) {
        self.cle(nom);
        ecrire_entier(self.sortie, valeur);
        self.vide = false;
    }

    /// Decimal member, left out when it is not a finite number.
    pub fn decimal(&mut self, nom: &str, valeur: f64) {
        if valeur.is_finite() {
            self.cle(nom);
            // Writing to a Vec cannot fail.
            let _ = write!(self.sortie, "{valeur}");
            self.vide = false;
        }
    }

    /// Amount in hundredths, as a decimal with two places.
    pub fn centimes(&mut self, nom: &str, valeur: i64) {
        self.cle(nom);
        let signe = if valeur < 0 { "-" } else { "" };
        let absolu = valeur.unsigned_abs();
        // Writing to a Vec cannot fail.
        let _ = write!(self.sortie, "{signe}{}.{:02}", absolu / 100, absolu % 100);
        self.vide = false;
    }

    /// Object member, left out when the closure writes nothing.
    pub fn objet(&mut self, nom: &str, remplir: impl FnOnce(&mut Objet<'_>)) {
        let repere = self.sortie.len();
        self.cle(nom);
        self.sortie.push(b'{');
        let mut interieur = Objet { sortie: &mut *self.sortie, vide: true };
        remplir(&mut interieur);
        let vide = interieur.vide;
        self.vide &= clore(self.sortie, vide, repere, b'}');
    }

    /// Member whose JSON is written already, left out when there is none.
    pub fn brut(&mut self, nom: &str, json: &[u8]) {
        if !json.is_empty() {
            self.cle(nom);
            self.sortie.extend_from_slice(json);
            self.vide = false;
        }
    }

    /// Array member, left out when the closure writes nothing.
    pub fn tableau(&mut self, nom: &str, remplir: impl FnOnce(&mut Tableau<'_>)) {
        let repere = self.sortie.len();
        self.cle(nom);
        self.sortie.push(b'[');
        let mut interieur = Tableau { sortie: &mut *self.sortie, vide: true };
        remplir(&mut interieur);
        let vide = interieur.vide;
        self.vide &= clore(self.sortie, vide, repere, b']');
    }

    fn cle(&mut self, nom: &str) {
        if !self.vide {
            self.sortie.push(b',');
        }
        // Names are ours: nothing in them to escape.
        self.sortie.push(b'"');
        self.sortie.extend_from_slice(nom.as_bytes());
        self.sortie.extend_from_slice(b"\":");
    }
}

/// An open JSON array.
pub struct Tableau<'a> {
    sortie: &'a mut Vec<u8>,
    vide: bool,
}

impl Tableau<'_> {
    /// Text item, left out when empty.
    pub fn texte(&mut self, valeur: &str) {
        if !valeur.is_empty() {
            self.virgule();
            ecrire_texte(self.sortie, valeur);
            self.vide = false;
        }
    }

    /// Object item, left out when the closure writes nothing.
    pub fn objet(&mut self, remplir: impl FnOnce(&mut Objet<'_>)) {
        let repere = self.sortie.len();
        self.virgule();
        self.sortie.push(b'{');
        let mut interieur = Objet { sortie: &mut *self.sortie, vide: true };
        remplir(&mut interieur);
        let vide = interieur.vide;
        self.vide &= clore(self.sortie, vide, repere, b'}');
    }

    /// FHIR extension: left out when the closure adds nothing to its url.
    pub fn extension(&mut self, url: &str, remplir: impl FnOnce(&mut Objet<'_>)) {
        let repere = self.sortie.len();
        self.virgule();
        self.sortie.push(b'{');
        let mut interieur = Objet { sortie: &mut *self.sortie, vide: true };
        interieur.texte("url", url);
        let apres_url = interieur.sortie.len();
        remplir(&mut interieur);
        let vide = interieur.sortie.len() == apres_url;
        self.vide &= clore(self.sortie, vide, repere, b'}');
    }

    fn virgule(&mut self) {
        if !self.vide {
            self.sortie.push(b',');
        }
    }
}

/// Closes a part, or takes it back when it is empty; answers whether it was empty.
fn clore(sortie: &mut Vec<u8>, vide: bool, repere: usize, fin: u8) -> bool {
    if vide {
        sortie.truncate(repere);
    } else {
        sortie.push(fin);
    }
    vide
}

fn ecrire_entier(sortie: &mut Vec<u8>, valeur: i64) {
    // Writing to a Vec cannot fail.
    let _ = write!(sortie, "{valeur}");
}

/// Writes a JSON string, quotes and escapes included.
fn ecrire_texte(sortie: &mut Vec<u8>, texte: &str) {
    sortie.reserve(texte.len() + 2);
    sortie.push(b'"');
    echapper(sortie, texte);
    sortie.push(b'"');
}

/// Writes what is between the quotes of a JSON string.
fn echapper(sortie: &mut Vec<u8>, texte: &str) {
    let octets = texte.as_bytes();
    // Without an early exit the compiler checks many bytes at once; most texts have nothing to escape.
    let a_echapper = octets.iter().fold(false, |e, &o| e | (o < 0x20) | (o == b'"') | (o == b'\\'));
    if !a_echapper {
        sortie.extend_from_slice(octets);
        return;
    }
    let mut debut = 0;
    for (rang, &octet) in octets.iter().enumerate() {
        let court = match octet {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x00..=0x1f => b'u',
            _ => continue,
        };
        sortie.extend_from_slice(&octets[debut..rang]);
        sortie.push(b'\\');
        sortie.push(court);
        if court == b'u' {
            // Writing to a Vec cannot fail.
            let _ = write!(sortie, "{octet:04x}");
        }
        debut = rang + 1;
    }
    sortie.extend_from_slice(&octets[debut..]);
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn empty_parts_are_never_written() {
        let mut sortie = Vec::new();
        document(&mut sortie, |o| {
            o.texte("a", "");
            o.tableau("b", |t| {
                t.texte("");
                t.objet(|_| {});
                t.extension("urn:x", |_| {});
            });
            o.objet("c", |o| o.texte("d", ""));
            o.decimal("e", f64::NAN);
        });
        assert!(sortie.is_empty());
    }

    #[test]
    fn output_is_valid_json() {
        let mut sortie = Vec::new();
        document(&mut sortie, |o| {
            o.texte("texte", "é\"\\\n\u{1}/");
            o.tableau("t", |t| {
                t.objet(|_| {});
                t.texte("x");
                t.extension("u", |o| o.booleen("valueBoolean", false));
            });
            o.entier("n", -3);
            o.decimal("d", 0.5);
            o.centimes("prix", 1205);
            o.textes("joints", &["a\"", "", "/b"]);
            o.textes("rien", &["", ""]);
            o.nombre_en_texte("version", 12);
            o.membres(b"\"x\":1,\"y\":2");
            o.membres(b"");
        });
        let lu: serde_json::Value = serde_json::from_slice(&sortie).unwrap_or_default();
        assert_eq!(lu["texte"], "é\"\\\n\u{1}/");
        assert_eq!(lu["t"][1]["valueBoolean"], false);
        assert_eq!(lu["n"], -3);
        assert_eq!(lu["prix"], 12.05);
        assert_eq!((lu["joints"].as_str(), lu.get("rien")), (Some("a\"/b"), None));
        assert_eq!((lu["version"].as_str(), lu["y"].as_i64()), (Some("12"), Some(2)));
    }
}
