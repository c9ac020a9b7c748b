//! Parts shared by every resource, read back: metadata, codes, extensions, telecoms, slots.

use prost_types::Timestamp;
use ror_proto::common::v1::{Code, DivisionTerritoriale, Faute, Horaire, Meta, Quantite, Telecommunication};

use super::outils::{Extensions, Noeud, faute, seul};
use crate::fhir::canoniques as c;
use crate::fhir::temps::{date_valide, heure_valide, lire_instant};

/// What a date must be.
const DATE: &str = "une date AAAA-MM-JJ (ou AAAA-MM, ou AAAA)";

/// Longest technical id.
const ID_MAX: usize = 64;

fn id_valide(id: &str) -> bool {
    id.len() <= ID_MAX
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'.')
}

/// id, region; the service owns versionId and lastUpdated, which are not read.
pub(super) fn meta(n: &Noeud<'_>, profil: &str, f: &mut Vec<Faute>) -> Meta {
    let attendu = "1 à 64 caractères parmi A-Z, a-z, 0-9, « - » et « . »";
    let mut meta = Meta { id: n.texte_tel("id", id_valide, attendu, f), ..Meta::default() };
    let Some(m) = n.objet("meta", f) else {
        return meta;
    };
    m.borner(&["versionId", "lastUpdated", "profile", "tag"], f);
    let profils = m.textes("profile", f);
    let connu = |lu: &String| lu.split('|').next() == Some(profil);
    if !profils.is_empty() && !profils.iter().any(connu) {
        let message = "Le profil du ROR n'est pas cité.";
        f.push(faute(m.sous("profile"), "profil-inattendu", message, profil));
    }
    for tag in m.objets("tag", f) {
        match coding(&tag, f) {
            Some(code) if code.systeme == c::TRE_R30 && meta.region.is_empty() => {
                meta.region = code.code;
            }
            Some(_) => {
                let message = "Seule la région source (une fois) est admise ici.";
                f.push(faute(tag.sous("system"), "systeme-inattendu", message, c::TRE_R30));
            }
            None => {}
        }
    }
    meta
}

/// Creation date, then entry template where the profile has one.
pub(super) fn extensions_meta(meta: &mut Meta, e: &mut Extensions<'_>, modele: bool, f: &mut Vec<Faute>) {
    meta.date_creation = ext_instant(e, c::EXT_META_CREATION, f);
    if modele {
        meta.modele_saisie = valeur(e, c::EXT_META_MODELE, "valueCanonical", f)
            .map(|n| n.texte("valueCanonical", f))
            .unwrap_or_default();
    }
}

/// A fault when a member is missing.
pub(super) fn exiger(n: &Noeud<'_>, nom: &str, f: &mut Vec<Faute>) {
    if !n.a(nom) {
        let message = format!("L'élément « {nom} » est obligatoire.");
        f.push(faute(n.sous(nom), "requis", message, "une valeur"));
    }
}

/// A Coding: system and code both wanted.
pub(super) fn coding(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<Code> {
    n.borner(&["id", "system", "version", "code", "display", "userSelected"], f);
    exiger(n, "system", f);
    exiger(n, "code", f);
    let (systeme, code) = (n.texte("system", f), n.texte("code", f));
    if systeme.is_empty() || code.is_empty() {
        return None;
    }
    Some(Code { systeme: c::systeme_retenu(&systeme).to_owned(), code })
}

/// A CodeableConcept with one Coding.
pub(super) fn corps_concept(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<Code> {
    n.borner(&["id", "coding", "text"], f);
    coding_de_concept(n, f)
}

/// The only Coding of a CodeableConcept whose other members are already checked.
pub(super) fn coding_de_concept(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<Code> {
    exiger(n, "coding", f);
    let seul = n.seul_objet("coding", f)?;
    coding(&seul, f)
}

/// CodeableConcept member.
pub(super) fn concept(n: &Noeud<'_>, nom: &str, f: &mut Vec<Faute>) -> Option<Code> {
    let membre = n.objet(nom, f)?;
    corps_concept(&membre, f)
}

/// Member array that may hold one CodeableConcept only.
pub(super) fn seul_concept(n: &Noeud<'_>, nom: &str, f: &mut Vec<Faute>) -> Option<Code> {
    let membre = n.seul_objet(nom, f)?;
    corps_concept(&membre, f)
}

/// Takes an extension that carries one value and checks that it carries that one.
pub(super) fn valeur<'a>(
    e: &mut Extensions<'a>,
    url: &str,
    champ: &str,
    f: &mut Vec<Faute>,
) -> Option<Noeud<'a>> {
    let n = e.une(url, f)?;
    borner_valeur(&n, champ, f);
    Some(n)
}

fn borner_valeur(n: &Noeud<'_>, champ: &str, f: &mut Vec<Faute>) {
    n.borner(&["id", "url", champ], f);
    exiger(n, champ, f);
}

/// Takes an extension made of sub-extensions.
pub(super) fn complexe<'a>(e: &mut Extensions<'a>, url: &str, f: &mut Vec<Faute>) -> Option<Extensions<'a>> {
    let n = e.une(url, f)?;
    Some(sous_extensions(&n, f))
}

/// Takes every extension of that url made of sub-extensions.
pub(super) fn complexes<'a>(e: &mut Extensions<'a>, url: &str, f: &mut Vec<Faute>) -> Vec<Extensions<'a>> {
    let toutes = e.toutes(url);
    toutes.iter().map(|n| sous_extensions(n, f)).collect()
}

/// The sub-extensions of an extension.
pub(super) fn sous_extensions<'a>(n: &Noeud<'a>, f: &mut Vec<Faute>) -> Extensions<'a> {
    n.borner(&["id", "url", "extension"], f);
    exiger(n, "extension", f);
    Extensions::de(n, f)
}

pub(super) fn ext_code(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Option<Code> {
    let n = valeur(e, url, "valueCodeableConcept", f)?;
    concept(&n, "valueCodeableConcept", f)
}

pub(super) fn ext_codes(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Vec<Code> {
    let mut codes = Vec::new();
    for n in e.toutes(url) {
        borner_valeur(&n, "valueCodeableConcept", f);
        codes.extend(concept(&n, "valueCodeableConcept", f));
    }
    codes
}

/// Code of one system, kept without it; empty when absent or faulty.
pub(super) fn ext_code_de(e: &mut Extensions<'_>, url: &str, systeme: &str, f: &mut Vec<Faute>) -> String {
    let Some(n) = valeur(e, url, "valueCodeableConcept", f) else {
        return String::new();
    };
    let Some(code) = concept(&n, "valueCodeableConcept", f) else {
        return String::new();
    };
    code_de(code, systeme, &n.sous("valueCodeableConcept"), f)
}

/// The code, when it is of that system.
pub(super) fn code_de(code: Code, systeme: &str, chemin: &str, f: &mut Vec<Faute>) -> String {
    if code.systeme == systeme {
        return code.code;
    }
    let message = format!("Le système « {} » n'est pas admis ici.", code.systeme);
    f.push(faute(chemin, "systeme-inattendu", message, systeme));
    String::new()
}

pub(super) fn ext_texte(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> String {
    match valeur(e, url, "valueString", f) {
        Some(n) => n.texte("valueString", f),
        None => String::new(),
    }
}

pub(super) fn ext_textes(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Vec<String> {
    let mut textes = Vec::new();
    for n in e.toutes(url) {
        borner_valeur(&n, "valueString", f);
        let texte = n.texte("valueString", f);
        if !texte.is_empty() {
            textes.push(texte);
        }
    }
    textes
}

pub(super) fn ext_date(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> String {
    match valeur(e, url, "valueDate", f) {
        Some(n) => n.texte_tel("valueDate", date_valide, DATE, f),
        None => String::new(),
    }
}

pub(super) fn ext_instant(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Option<Timestamp> {
    let n = valeur(e, url, "valueDateTime", f)?;
    let valide = |texte: &str| lire_instant(texte).is_some();
    let attendu = "un instant, tel que 2026-03-16T10:00:00+01:00";
    let texte = n.texte_tel("valueDateTime", valide, attendu, f);
    lire_instant(&texte)
}

pub(super) fn ext_booleen(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Option<bool> {
    let n = valeur(e, url, "valueBoolean", f)?;
    n.booleen("valueBoolean", f)
}

pub(super) fn ext_entier(e: &mut Extensions<'_>, url: &str, max: u32, f: &mut Vec<Faute>) -> Option<u32> {
    let n = valeur(e, url, "valueInteger", f)?;
    n.entier("valueInteger", max, f)
}

/// Start and end of a period extension.
pub(super) fn ext_periode(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> (String, String) {
    match valeur(e, url, "valuePeriod", f) {
        Some(n) => periode(&n, "valuePeriod", f),
        None => (String::new(), String::new()),
    }
}

/// Start and end of a Period member; a date, or an instant kept as it is written.
pub(super) fn periode(n: &Noeud<'_>, nom: &str, f: &mut Vec<Faute>) -> (String, String) {
    let Some(p) = n.objet(nom, f) else {
        return (String::new(), String::new());
    };
    p.borner(&["id", "start", "end"], f);
    let valide = |texte: &str| lire_instant(texte).is_some();
    (p.texte_tel("start", valide, DATE, f), p.texte_tel("end", valide, DATE, f))
}

/// Quantity member. The spellings of UCUM are one system; a quantity without unit takes the
/// default, which the ages have and the limits have not.
pub(super) fn quantite(
    n: &Noeud<'_>,
    nom: &str,
    defaut: Option<&str>,
    f: &mut Vec<Faute>,
) -> Option<Quantite> {
    let q = n.objet(nom, f)?;
    q.borner(&["id", "value", "unit", "system", "code"], f);
    exiger(&q, "value", f);
    let valeur = q.decimal("value", f)?;
    let (systeme, code) = (q.texte("system", f), q.texte("code", f));
    if code.is_empty() && (q.a("unit") || q.a("system")) {
        exiger(&q, "code", f);
    }
    let systeme = if systeme.is_empty() { c::TRE_R247 } else { c::systeme_retenu(&systeme) };
    let code = if code.is_empty() { defaut.map(str::to_owned) } else { Some(code) };
    let unite = code.map(|code| Code { systeme: systeme.to_owned(), code });
    Some(Quantite { valeur, unite })
}

/// Technical id a Reference member points to.
pub(super) fn reference(n: &Noeud<'_>, nom: &str, genre: &str, f: &mut Vec<Faute>) -> String {
    match n.objet(nom, f) {
        Some(r) => corps_reference(&r, genre, f),
        None => String::new(),
    }
}

/// Technical id a Reference points to: `<genre>/<id>`.
pub(super) fn corps_reference(r: &Noeud<'_>, genre: &str, f: &mut Vec<Faute>) -> String {
    r.borner(&["id", "reference", "type", "display"], f);
    exiger(r, "reference", f);
    let texte = r.texte("reference", f);
    if texte.is_empty() {
        return texte;
    }
    let id = texte.strip_prefix(genre).and_then(|reste| reste.strip_prefix('/'));
    if let Some(id) = id.filter(|id| !id.is_empty() && id_valide(id)) {
        return id.to_owned();
    }
    let message = format!("La référence « {texte} » n'est pas du type attendu.");
    f.push(faute(r.sous("reference"), "reference", message, format!("{genre}/<id>")));
    String::new()
}

/// ROR telecoms.
pub(super) fn telecoms(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Vec<Telecommunication> {
    let mut telecoms = Vec::new();
    for t in n.objets("telecom", f) {
        t.borner(&["id", "extension", "system", "value"], f);
        let mut e = Extensions::de(&t, f);
        let mut telecom = extensions_telecom(&mut e, f);
        e.fin(f);
        // The native system derives from the channel: checked, not kept.
        t.texte("system", f);
        exiger(&t, "value", f);
        telecom.adresse = t.texte("value", f);
        telecoms.push(telecom);
    }
    telecoms
}

/// Channel, usage and level of a telecommunication.
pub(super) fn extensions_telecom(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Telecommunication {
    Telecommunication {
        canal: ext_code(e, c::EXT_TELECOM_CANAL, f),
        adresse: String::new(),
        utilisation: ext_texte(e, c::EXT_TELECOM_UTILISATION, f),
        niveau_confidentialite: ext_code(e, c::EXT_TELECOM_NIVEAU, f),
    }
}

/// Name of a contact, in a HumanName.
pub(super) fn nom_humain(n: &Noeud<'_>, nom: &str, f: &mut Vec<Faute>) -> String {
    let Some(h) = n.objet(nom, f) else {
        return String::new();
    };
    h.borner(&["id", "use", "text", "family", "given", "prefix"], f);
    let entier = h.texte("text", f);
    if !entier.is_empty() {
        return entier;
    }
    // The model has one name: the parts are joined in their usual order.
    let mut parties = h.textes("prefix", f);
    parties.extend(h.textes("given", f));
    parties.push(h.texte("family", f));
    parties.retain(|p| !p.is_empty());
    if parties.is_empty() {
        exiger(&h, "text", f);
    }
    parties.join(" ")
}

/// availableTime entries.
pub(super) fn horaires(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Vec<Horaire> {
    let heure = "une heure hh:mm:ss";
    let mut horaires = Vec::new();
    for h in n.objets("availableTime", f) {
        h.borner(&["id", "extension", "daysOfWeek", "availableStartTime", "availableEndTime"], f);
        let mut e = Extensions::de(&h, f);
        let r#type = ext_code(&mut e, c::EXT_HORAIRE_TYPE, f);
        let (debut, fin) = ext_periode(&mut e, c::EXT_HORAIRE_PERIODE, f);
        let jour = ext_entier(&mut e, c::EXT_HORAIRE_JOUR, 7, f).filter(|jour| *jour > 0);
        e.fin(f);
        let natif = jour_natif(&h, f);
        horaires.push(Horaire {
            r#type,
            jour_semaine: jour.or(natif).unwrap_or_default(),
            heure_debut: h.texte_tel("availableStartTime", heure_valide, heure, f),
            heure_fin: h.texte_tel("availableEndTime", heure_valide, heure, f),
            debut_date_effective: debut,
            fin_date_effective: fin,
        });
    }
    horaires
}

/// Day number of daysOfWeek, of which the profile admits one.
fn jour_natif(h: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<u32> {
    let jours = h.textes("daysOfWeek", f);
    let jour = seul(jours, &h.sous("daysOfWeek"), f)?;
    let noms = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let numero = (1..).zip(noms).find(|(_, nom)| *nom == jour).map(|(numero, _)| numero);
    if numero.is_none() {
        let message = format!("Le jour « {jour} » est inconnu.");
        f.push(faute(h.sous("daysOfWeek"), "valeur", message, noms.join(", ")));
    }
    numero
}

/// ror-territorial-division entries.
pub(super) fn divisions(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Vec<DivisionTerritoriale> {
    let mut divisions = Vec::new();
    for mut sous in complexes(e, c::EXT_DIVISION, f) {
        divisions.push(DivisionTerritoriale {
            r#type: ext_code(&mut sous, "typeTerritorialDivision", f),
            code: ext_code(&mut sous, "codeTerritorialDivision", f),
        });
        sous.fin(f);
    }
    divisions
}
