//! HTTP manners shared by the handlers: formats, preferences, entity tags, calls from other
//! origins, compression.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use sha2::{Digest, Sha256};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer, DefaultPredicate, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
    cors::{AllowOrigin, CorsLayer},
};

use super::{erreurs::Refus, telechargement::TelQuel};
use crate::{
    fhir::outcome::Issue,
    recherche::{arbre::Format, requete::decoder},
};

/// Media types of FHIR JSON.
pub(super) const JSON: [&str; 3] = ["application/fhir+json", "application/json", "text/json"];
/// Media types of FHIR XML.
const XML: [&str; 3] = ["application/fhir+xml", "application/xml", "text/xml"];
/// Smaller bodies gain nothing from compression.
const COMPRESSE: u64 = 512;
/// How long a browser keeps the answer to its preliminary question.
const CORS_VALIDE: Duration = Duration::from_secs(3600);

/// The format of that name, as `_format` gives it; a `+` of the query string may have become a blank.
pub(crate) fn format_nomme(v: &str) -> Option<Format> {
    let nom = v.split(';').next().unwrap_or_default().trim().replace(' ', "+").to_ascii_lowercase();
    match nom.as_str() {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        n if JSON.contains(&n) => Some(Format::Json),
        n if XML.contains(&n) => Some(Format::Xml),
        _ => None,
    }
}

/// The format of an answer: that of `_format`, else the best one that `Accept` admits.
pub(super) fn format(entetes: &HeaderMap, demande: Option<Format>) -> Result<Format, Refus> {
    if let Some(f) = demande {
        return Ok(f);
    }
    let lignes = entetes.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let plages: Vec<Plage> = lignes.flat_map(|l| l.split(',')).filter_map(Plage::lire).collect();
    let vide = |v: &HeaderValue| v.as_bytes().trim_ascii().is_empty();
    if plages.is_empty() && entetes.get_all(header::ACCEPT).iter().all(vide) {
        return Ok(Format::Json);
    }
    let (json, xml) = (qualite(&plages, &JSON), qualite(&plages, &XML));
    // A browser asks for XML in general, not for FHIR XML.
    let navigateur = plages.iter().any(|p| p.genre.eq_ignore_ascii_case("text/html"));
    match (json, xml) {
        (0, 0) => Err(Refus::un(
            StatusCode::NOT_ACCEPTABLE,
            Issue::new(
                "not-supported",
                "Aucun format demandé n'est servi. Attendu : application/fhir+json ou application/fhir+xml.",
            )
            .sur("Accept"),
        )),
        (j, x) if x > j && !(navigateur && j > 0) => Ok(Format::Xml),
        _ => Ok(Format::Json),
    }
}

/// A media range of `Accept`.
struct Plage<'a> {
    genre: &'a str,
    /// Thousandths.
    qualite: u16,
}

impl<'a> Plage<'a> {
    fn lire(texte: &'a str) -> Option<Self> {
        let mut parties = texte.split(';').map(str::trim);
        let genre = parties.next().filter(|g| !g.is_empty())?;
        let mut qualite = 1000;
        for (nom, valeur) in parties.filter_map(|p| p.split_once('=')) {
            if nom.eq_ignore_ascii_case("q") {
                let q = valeur.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q));
                qualite = q.map_or(0, |q| (q * 1000.0) as u16);
            } else if nom.eq_ignore_ascii_case("fhirVersion") && !valeur.trim_matches('"').starts_with("4.0")
            {
                return None;
            }
        }
        Some(Self { genre, qualite })
    }

    /// How exactly it names one of these types; none when it does not.
    fn precision(&self, noms: &[&str]) -> Option<u8> {
        match self.genre {
            "*/*" => Some(0),
            "application/*" => Some(1),
            g => noms.iter().any(|n| n.eq_ignore_ascii_case(g)).then_some(2),
        }
    }
}

/// Quality of a format: the most exact range decides.
fn qualite(plages: &[Plage], noms: &[&str]) -> u16 {
    plages.iter().filter_map(|p| Some((p.precision(noms)?, p.qualite))).max().map_or(0, |(_, q)| q)
}

/// The format that a query string or a form asks: the last one, which a client adds to the link it follows.
pub(super) fn format_demande(chaine: &str) -> Option<Format> {
    // Names are seldom encoded, and nothing else is decoded for it.
    let nomme = |nom: &str| {
        nom == "_format" || (nom.contains('%') && decoder(nom).is_some_and(|nom| nom == "_format"))
    };
    let valeurs = chaine.split('&').filter_map(|p| p.split_once('=')).filter(|(nom, _)| nomme(nom));
    valeurs.filter_map(|(_, v)| decoder(v)).filter_map(|v| format_nomme(&v)).next_back()
}

/// What stands for `Accept` once `_format` was read.
pub(super) fn accepter_json(entetes: &mut HeaderMap) {
    entetes.insert(header::ACCEPT, HeaderValue::from_static(JSON[0]));
}

/// The body of an answer to HEAD: none is made, so its length is not told.
pub(super) fn sans_corps() -> Body {
    Body::from_stream(futures::stream::empty::<Result<Bytes, Infallible>>())
}

/// What a write answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retour {
    /// Nothing.
    Minimal,
    /// The resource.
    Representation,
    /// An OperationOutcome.
    Outcome,
}

/// `Prefer` (RFC 7240, FHIR R4 §3.1.0.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `handling=lenient`: unknown search parameters are left aside, and told; strict by default.
    pub souple: bool,
    /// `return`.
    pub retour: Option<Retour>,
}

/// Reads every `Prefer` header; what is unknown is left aside, the first of two stands.
pub(super) fn preferences(entetes: &HeaderMap) -> Preferences {
    let mut p = Preferences::default();
    let mut traitement = None;
    let lignes = entetes.get_all("prefer").iter().filter_map(|v| v.to_str().ok());
    // Some clients part them by semicolons.
    for partie in lignes.flat_map(|l| l.split([',', ';'])) {
        let (nom, valeur) = partie.split_once('=').unwrap_or((partie, ""));
        let (nom, valeur) = (nom.trim().to_ascii_lowercase(), valeur.trim().trim_matches('"'));
        match (nom.as_str(), valeur.to_ascii_lowercase().as_str()) {
            ("handling", v @ ("lenient" | "strict")) => {
                traitement.get_or_insert(v == "lenient");
            }
            ("return", "minimal") => {
                p.retour.get_or_insert(Retour::Minimal);
            }
            ("return", "representation") => {
                p.retour.get_or_insert(Retour::Representation);
            }
            ("return", "operationoutcome") => {
                p.retour.get_or_insert(Retour::Outcome);
            }
            _ => {}
        }
    }
    p.souple = traitement.unwrap_or(false);
    p
}

impl Preferences {
    /// Says in an answer that lenient handling was applied.
    pub(super) fn annoncer(self, r: &mut Response) {
        if self.souple {
            r.headers_mut().insert("preference-applied", HeaderValue::from_static("handling=lenient"));
        }
    }
}

/// Weak entity tag of an answer that is made, not stored: a fingerprint of all that decides it.
pub(super) struct Empreinte(Sha256);

impl Empreinte {
    pub(super) fn nouvelle() -> Self {
        Self(Sha256::new())
    }

    /// The tag of these bytes.
    pub(super) fn de(octets: &[u8]) -> String {
        let mut e = Self::nouvelle();
        e.ajouter(octets);
        e.etag()
    }

    /// Adds one part; its length too, so that two parts never run together.
    pub(super) fn ajouter(&mut self, partie: impl AsRef<[u8]>) {
        let partie = partie.as_ref();
        self.0.update((partie.len() as u64).to_le_bytes());
        self.0.update(partie);
    }

    /// The tag.
    pub(super) fn etag(self) -> String {
        let hexa: String = self.0.finalize().iter().take(12).map(|o| format!("{o:02x}")).collect();
        format!("W/\"{hexa}\"")
    }
}

/// Whether the caller holds the answer of this tag (If-None-Match, RFC 9110 §13.1.2: weak comparison).
/// Some clients send the version without quotes.
pub(super) fn detient(entetes: &HeaderMap, etag: &str) -> bool {
    let nu = |t: &str| t.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    let cherche = nu(etag);
    let lignes = entetes.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    lignes.flat_map(|l| l.split(',')).any(|t| t.trim() == "*" || nu(t) == cherche)
}

/// The answer to who holds it already.
pub(super) fn inchange(etag: &str) -> Response {
    let mut r = StatusCode::NOT_MODIFIED.into_response();
    etiqueter(&mut r, etag);
    r
}

/// A body of FHIR under the tag of its bytes, or nothing to who holds it.
pub(super) fn selon_empreinte(entetes: &HeaderMap, corps: Vec<u8>) -> Response {
    let etag = Empreinte::de(&corps);
    if detient(entetes, &etag) {
        return inchange(&etag);
    }
    let mut r = super::fhir(StatusCode::OK, corps);
    etiqueter(&mut r, &etag);
    r
}

/// Tags an answer. It is the caller's alone, and asked again before use.
pub(super) fn etiqueter(r: &mut Response, etag: &str) {
    if let Ok(v) = HeaderValue::from_str(etag) {
        r.headers_mut().insert(header::ETAG, v);
    }
    r.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

/// Origins of a setting, parted by commas: `*`, or scheme, host and port.
///
/// # Errors
///
/// The origins that are none.
pub(crate) fn origines(texte: &str) -> Result<Vec<HeaderValue>, Vec<String>> {
    let (mut bonnes, mut fautes) = (Vec::new(), Vec::new());
    for o in texte.split(',').map(str::trim).filter(|o| !o.is_empty()) {
        let hote = o.strip_prefix("https://").or_else(|| o.strip_prefix("http://"));
        let propre = hote.is_some_and(|h| {
            let permis = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
            !h.is_empty() && h.bytes().all(permis)
        });
        match HeaderValue::from_str(o) {
            Ok(v) if propre || o == "*" => bonnes.push(v),
            _ => fautes.push(o.to_owned()),
        }
    }
    if fautes.is_empty() { Ok(bonnes) } else { Err(fautes) }
}

/// Calls from the pages of these origins; none, and browsers keep to their own.
pub(super) fn cors(origines: &[HeaderValue]) -> Option<CorsLayer> {
    const PROPRES: [&str; 7] = [
        "prefer",
        "last-event-id",
        "x-request-id",
        "ror-profil-utilisateur-code",
        "ror-profil-utilisateur-system",
        "ror-role-metier-code",
        "ror-role-metier-system",
    ];
    const LUS: [&str; 6] = [
        "ror-retard-secondes",
        "ror-moment",
        "x-progress",
        "x-request-id",
        "preference-applied",
        "content-disposition",
    ];
    if origines.is_empty() {
        return None;
    }
    let permises = if origines.iter().any(|o| o == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origines.iter().cloned())
    };
    let envoyes = [
        header::AUTHORIZATION,
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
        header::RANGE,
    ];
    let recus = [
        header::ETAG,
        header::LAST_MODIFIED,
        header::LOCATION,
        header::CONTENT_LOCATION,
        header::CONTENT_RANGE,
        header::ACCEPT_RANGES,
        header::RETRY_AFTER,
        header::EXPIRES,
        header::WARNING,
        header::WWW_AUTHENTICATE,
    ];
    let noms = |connus: Vec<HeaderName>, autres: &[&'static str]| -> Vec<HeaderName> {
        connus.into_iter().chain(autres.iter().copied().map(HeaderName::from_static)).collect()
    };
    // Tokens travel in a header: no cookie, so no credentials.
    Some(
        CorsLayer::new()
            .allow_origin(permises)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
            .allow_headers(noms(envoyes.into(), &PROPRES))
            .expose_headers(noms(recus.into(), &LUS))
            .max_age(CORS_VALIDE),
    )
}

/// gzip and zstd, at the level where a page costs less to pack than to send. Streams of lines go
/// as they come: a packer would hold them back.
pub(super) fn compression() -> CompressionLayer<impl Predicate> {
    let quand = DefaultPredicate::new()
        .and(SizeAbove::new(COMPRESSE))
        .and(NotForContentType::const_new("application/fhir+ndjson"))
        .and(NotForContentType::const_new("application/x-ndjson"))
        .and(NotForContentType::const_new("application/ndjson"))
        .and(|_: StatusCode, _: Version, _: &HeaderMap, e: &Extensions| e.get::<TelQuel>().is_none());
    CompressionLayer::new().gzip(true).zstd(true).quality(CompressionLevel::Precise(1)).compress_when(quand)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn avec(nom: &'static str, valeurs: &[&'static str]) -> HeaderMap {
        let mut h = HeaderMap::new();
        for v in valeurs {
            h.append(nom, HeaderValue::from_static(v));
        }
        h
    }

    fn choisi(accepte: &'static str) -> Option<Format> {
        format(&avec("accept", &[accepte]), None).ok()
    }

    #[test]
    fn the_best_format_that_is_served_wins() {
        assert_eq!(format(&HeaderMap::new(), None).ok(), Some(Format::Json));
        assert_eq!(format(&avec("accept", &["text/csv"]), Some(Format::Xml)).ok(), Some(Format::Xml));
        for json in [
            "*/*",
            "",
            "application/json",
            "Application/FHIR+JSON; charset=utf-8",
            "application/fhir+xml;q=0.5, application/fhir+json",
            "application/fhir+xml;q=0, */*",
            "application/fhir+json; fhirVersion=4.0",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ] {
            assert_eq!(choisi(json), Some(Format::Json), "{json}");
        }
        for xml in ["application/fhir+xml", "text/xml", "application/json;q=0.1, application/xml;q=0.2"] {
            assert_eq!(choisi(xml), Some(Format::Xml), "{xml}");
        }
        for rien in ["text/csv", "application/json;q=0", "application/fhir+json; fhirVersion=5.0", "a;q=x"] {
            assert_eq!(choisi(rien), None, "{rien}");
        }
    }

    #[test]
    fn formats_have_short_and_long_names() {
        for json in
            ["json", "application/fhir+json", "application/fhir json", "application/json;charset=utf-8"]
        {
            assert_eq!(format_nomme(json), Some(Format::Json), "{json}");
        }
        assert_eq!(format_nomme("application/fhir xml"), Some(Format::Xml));
        assert_eq!(format_nomme("turtle"), None);
    }

    #[test]
    fn a_format_is_asked_by_its_name_however_it_is_written() {
        for xml in [
            "_format=xml",
            "a=b&%5Fformat=application%2Ffhir%2Bxml",
            "_format=json&_format=xml",
            "_format=xml&_format=turtle",
        ] {
            assert_eq!(format_demande(xml), Some(Format::Xml), "{xml}");
        }
        for rien in ["", "format=xml", "_format", "a=_format=xml", "_format=%zz"] {
            assert_eq!(format_demande(rien), None, "{rien}");
        }
    }

    #[test]
    fn preferences_are_read_in_any_writing() {
        assert_eq!(preferences(&HeaderMap::new()), Preferences::default());
        let p = preferences(&avec("prefer", &["respond-async, handling=\"lenient\"", "handling=strict"]));
        assert!(p.souple && p.retour.is_none());
        let p = preferences(&avec("prefer", &["handling=strict; return=OperationOutcome, return=minimal"]));
        assert_eq!(p, Preferences { souple: false, retour: Some(Retour::Outcome) });
        assert_eq!(preferences(&avec("prefer", &["wait=10,=,handling"])), Preferences::default());
    }

    #[test]
    fn a_tag_is_compared_weakly_and_in_any_list() {
        for tenu in ["W/\"3\"", "\"3\"", "3", "*", "\"1\", W/\"3\""] {
            assert!(detient(&avec("if-none-match", &[tenu]), "W/\"3\""), "{tenu}");
        }
        for autre in ["W/\"33\"", "", "\"W/3"] {
            assert!(!detient(&avec("if-none-match", &[autre]), "W/\"3\""), "{autre}");
        }
        assert!(detient(&avec("if-none-match", &["\"1\"", "\"3\""]), "W/\"3\""));
    }

    #[test]
    fn a_fingerprint_keeps_its_parts_apart() {
        let de = |parties: &[&str]| {
            let mut e = Empreinte::nouvelle();
            parties.iter().for_each(|p| e.ajouter(p));
            e.etag()
        };
        assert_eq!(de(&["ab", "c"]), de(&["ab", "c"]));
        assert_ne!(de(&["ab", "c"]), de(&["a", "bc"]));
        assert!(de(&[]).starts_with("W/\"") && de(&[]).len() == 28);
    }

    #[test]
    fn origins_are_schemes_hosts_and_ports() {
        assert!(cors(&[]).is_none());
        assert_eq!(origines(" https://a.fr , http://localhost:3000,").map(|o| o.len()), Ok(2));
        assert_eq!(origines("*").map(|o| o.len()), Ok(1));
        let fautes = origines("https://a.fr/chemin,ftp://b,https://,a b").unwrap_err();
        assert_eq!(fautes.len(), 4, "{fautes:?}");
        assert!(cors(&origines("*,https://a.fr").unwrap()).is_some());
    }
}
