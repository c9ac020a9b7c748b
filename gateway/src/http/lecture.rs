//! Reads and searches.

use std::{hash::BuildHasher as _, sync::Arc};

use axum::{
    extract::{Extension, Path, RawQuery, State},
    response::Response,
};
use foldhash::quality::FixedState;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{Connexion, DIFFUSION, erreurs::Refus, negociation};
use crate::{
    Partage, Passerelle,
    acces::Appelant,
    fhir::outcome::Issue,
    modele::TypeFhir,
    recherche::{arbre::Requete, requete::decoder},
    rendu::{self, Contexte, Membres},
};

const ENTETES: [&str; 4] = [
    "ror-profil-utilisateur-code",
    "ror-profil-utilisateur-system",
    "ror-role-metier-code",
    "ror-role-metier-system",
];
const ENTETES_NOMS: [&str; 4] = [
    "Ror-Profil-Utilisateur-Code",
    "Ror-Profil-Utilisateur-System",
    "Ror-Role-Metier-Code",
    "Ror-Role-Metier-System",
];

/// Indented or not, an answer is the same: accepted and left aside.
pub(super) const PRETTY: &str = "_pretty";

/// Bearer token of a request.
pub(super) fn porteur(entetes: &HeaderMap) -> Result<&str, Refus> {
    let refus = |t: &str| Refus::un(StatusCode::UNAUTHORIZED, Issue::new("login", t).sur("Authorization"));
    let v = entetes
        .get(header::AUTHORIZATION)
        .ok_or_else(|| refus("Le jeton manque. Attendu : en-tête Authorization: Bearer <jeton>."))?;
    v.to_str()
        .ok()
        .and_then(|v| v.split_once(' '))
        .filter(|(s, j)| s.eq_ignore_ascii_case("bearer") && !j.trim().is_empty())
        .map(|(_, j)| j.trim())
        .ok_or_else(|| refus("L'en-tête Authorization est illisible. Attendu : Bearer <jeton>."))
}

/// Who reads, under which profile.
pub(super) struct Lecteur {
    /// Application.
    pub client_id: String,
    /// Profile, 0 to 5.
    pub profil: u8,
}

/// Who reads, under which profile, whatever format is asked; the four headers are demanded.
pub(super) async fn consommateur(
    p: &Passerelle,
    entetes: &HeaderMap,
    connexion: &Connexion,
) -> Result<(Arc<Appelant>, u8), Refus> {
    reconnaitre(p, entetes, connexion, true).await
}

async fn reconnaitre(
    p: &Passerelle,
    entetes: &HeaderMap,
    connexion: &Connexion,
    exiges: bool,
) -> Result<(Arc<Appelant>, u8), Refus> {
    pret(p)?;
    let appelant = p.acces.verifier(porteur(entetes)?, connexion.certificat.as_deref()).await?;
    let profil = appelant.profil.ok_or_else(|| {
        Refus::un(StatusCode::FORBIDDEN, Issue::new("forbidden", "Cette application n'a pas de profil de lecture. Attendu : une application consommatrice, profil 0 à 5."))
    })?;
    if exiges {
        complets(entetes)?;
    }
    if let Some(c) = p.acces.consommateur(&appelant.client_id) {
        exacts(entetes, &c.en_tetes)?;
    }
    Ok((appelant, profil))
}

/// The value of one of the four headers; none when it is empty.
fn valeur<'a>(entetes: &'a HeaderMap, nom: &str) -> Option<&'a [u8]> {
    entetes.get(nom).map(HeaderValue::as_bytes).filter(|v| !v.is_empty())
}

/// All four are there.
fn complets(entetes: &HeaderMap) -> Result<(), Refus> {
    let manquants: Vec<Issue> = ENTETES
        .iter()
        .zip(ENTETES_NOMS)
        .filter(|(e, _)| valeur(entetes, e).is_none())
        .map(|(_, nom)| {
            Issue::new(
                "required",
                format!(
                    "L'en-tête {nom} manque. Attendu : la valeur remise à l'inscription, par exemple {}.",
                    exemple(nom)
                ),
            )
            .sur(nom)
        })
        .collect();
    if manquants.is_empty() { Ok(()) } else { Err(Refus(StatusCode::BAD_REQUEST, manquants)) }
}

/// The four values identify the function; they are checked where they are given, they grant nothing.
fn exacts(entetes: &HeaderMap, inscrites: &[String]) -> Result<(), Refus> {
    for ((e, nom), attendue) in ENTETES.iter().zip(ENTETES_NOMS).zip(inscrites) {
        if !attendue.is_empty() && valeur(entetes, e).is_some_and(|v| v != attendue.as_bytes()) {
            return Err(Refus::un(
                StatusCode::FORBIDDEN,
                Issue::new(
                    "forbidden",
                    format!("L'en-tête {nom} n'a pas la valeur inscrite pour cette application."),
                )
                .sur(nom),
            ));
        }
    }
    Ok(())
}

/// Checks who reads; `exiges` demands the four headers, as the reads of the directory do and nothing else.
pub(super) async fn lecteur(
    p: &Passerelle,
    entetes: &HeaderMap,
    connexion: &Connexion,
    exiges: bool,
) -> Result<Lecteur, Refus> {
    let (appelant, profil) = reconnaitre(p, entetes, connexion, exiges).await?;
    negociation::format(entetes, None)?;
    Ok(Lecteur { client_id: appelant.client_id.clone(), profil })
}

fn exemple(nom: &str) -> &'static str {
    match nom {
        "Ror-Profil-Utilisateur-Code" => "CU20",
        "Ror-Profil-Utilisateur-System" => "1.2.250.1.213.1.6.1.66",
        "Ror-Role-Metier-Code" => "AUTOMATE",
        _ => "1.2.250.1.213.1.1.4.6",
    }
}

/// A directory that is not whole is never served as if it were.
pub(super) fn pret(p: &Passerelle) -> Result<(), Refus> {
    if p.etat.pret() {
        return Ok(());
    }
    Err(Refus::un(
        StatusCode::SERVICE_UNAVAILABLE,
        Issue::new("transient", "L'annuaire se charge : recommencez dans un instant."),
    ))
}

pub(super) fn type_fhir(nom: &str) -> Result<TypeFhir, Refus> {
    TypeFhir::de_nom(nom).ok_or_else(|| {
        let nom: String = nom.chars().take(64).collect();
        Refus::un(
            StatusCode::NOT_FOUND,
            Issue::new("not-supported", format!("Le type « {nom} » n'est pas servi. Attendu : Organization, HealthcareService, Location, Practitioner ou PractitionerRole.")),
        )
    })
}

pub(super) fn base(p: &Passerelle, entetes: &HeaderMap, tls: bool) -> String {
    if let Some(u) = &p.reglages.url_publique {
        return format!("{u}{DIFFUSION}");
    }
    let hote = entetes.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let propre =
        hote.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    let schema = if tls { "https" } else { "http" };
    format!("{schema}://{}{DIFFUSION}", if propre { hote } else { "localhost" })
}

/// GET /{type}/{id}: what is hidden is answered as unknown.
pub async fn lire(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path((nom, id)): Path<(String, String)>,
    RawQuery(chaine): RawQuery,
    methode: Method,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let t = type_fhir(&nom)?;
    let lecteur = lecteur(&p, &entetes, &connexion, true).await?;
    let membres = match chaine.as_deref().filter(|c| !c.is_empty()) {
        Some(c) => Membres::de(&reponse_seule(&p, t, c, negociation::preferences(&entetes).souple)?, t),
        None => Membres::Tous,
    };
    let m = p.annuaire.instant();
    let extrait = m.visible(t, &id, lecteur.profil).and_then(|r| m.extraire(t, r, lecteur.profil));
    let Some(e) = extrait else {
        let id: String = id.chars().take(64).collect();
        return Err(Refus::un(
            StatusCode::NOT_FOUND,
            Issue::new("not-found", format!("{} « {id} » n'existe pas.", t.nom())).sur(t.nom()),
        ));
    };
    let tables = p.vocabulaire.tables();
    let base = base(&p, &entetes, connexion.tls);
    let c = Contexte::nouveau(&p.rendues, m.politique(), &tables, lecteur.profil, &base);
    let mut json =
        rendu::octets(&e, &c).ok_or_else(|| ror_chassis::Erreur::interne("resource cannot be rendered"))?;
    if membres != Membres::Tous {
        let mut coupee = Vec::with_capacity(json.len());
        membres.ecrire(&json, &mut coupee);
        json = coupee.into();
    }
    let etag = etag(e.version, &json);
    // Clients of FHIR make a tag of `meta.versionId`: that asks whether the version is another one.
    let version = || membres == Membres::Tous && negociation::detient(&entetes, &e.version.to_string());
    if negociation::detient(&entetes, &etag) || version() {
        return Ok(negociation::inchange(&etag));
    }
    let corps = if methode == Method::HEAD { negociation::sans_corps() } else { json.into() };
    let mut r = super::fhir(StatusCode::OK, corps);
    dater(&mut r, &etag, e.maj);
    Ok(r)
}

/// The tag of a resource: its version, then what its reader gets of it. One version has other bodies under another
/// profile, policy or label, and in part; they are told alike on every replica.
fn etag(version: u64, json: &[u8]) -> String {
    format!("W/\"{version}-{:016x}\"", FixedState::default().hash_one(json))
}

/// A name of a query string, as written when it cannot be decoded: the parser says why.
pub(super) fn decode(ecrit: &str) -> String {
    decoder(ecrit).unwrap_or_else(|| ecrit.to_owned())
}

/// The parameters of a read: those that shape the answer, and no criterion.
fn reponse_seule(p: &Passerelle, t: TypeFhir, chaine: &str, indulgent: bool) -> Result<Requete, Refus> {
    let forme = ["_elements", "_summary", "_format"];
    let paires = chaine.split('&').filter(|x| !x.is_empty());
    let nommees = paires.map(|x| (decode(x.split('=').next().unwrap_or_default()), x));
    let gardees: Vec<(String, &str)> = nommees.filter(|(nom, _)| nom != PRETTY).collect();
    let etrangers: Vec<Issue> = gardees
        .iter()
        .map(|(nom, _)| nom.as_str())
        .filter(|nom| !forme.contains(nom) && !indulgent)
        .map(|nom| {
            let nom: String = nom.chars().take(60).collect();
            let attendu = "_elements, _summary ou _format";
            Issue::new(
                "not-supported",
                format!("Paramètre « {nom} » : il n'a pas de sens sur une lecture. Attendu : {attendu}."),
            )
            .sur(nom)
        })
        .collect();
    if !etrangers.is_empty() {
        return Err(Refus(StatusCode::BAD_REQUEST, etrangers));
    }
    let chaine: Vec<&str> = gardees.iter().map(|(_, x)| *x).collect();
    p.lire_recherche(t, &chaine.join("&"), indulgent).map_err(|i| Refus(StatusCode::BAD_REQUEST, i))
}

/// ETag and Last-Modified.
pub(super) fn dater(r: &mut Response, etag: &str, maj: i64) {
    if let Ok(v) = HeaderValue::from_str(etag) {
        r.headers_mut().insert(header::ETAG, v);
    }
    let quand = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(maj).unwrap_or(0));
    if let Ok(v) = HeaderValue::from_str(&date_http(quand)) {
        r.headers_mut().insert(header::LAST_MODIFIED, v);
    }
}

/// An HTTP date (RFC 9110 §5.6.7).
pub(super) fn date_http(t: std::time::SystemTime) -> String {
    use time::{OffsetDateTime, macros::format_description};
    let f = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    OffsetDateTime::from(t).format(f).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn headers_are_demanded_apart_from_being_right() {
        let inscrites = ["CU20", "a", "", "b"].map(str::to_owned);
        let avec = |valeurs: &[&str]| -> HeaderMap {
            let paires = ENTETES.iter().zip(valeurs);
            paires.map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap())).collect()
        };
        let dit = |r: Result<(), Refus>| r.err().map(|r| (r.0.as_u16(), r.1.len()));
        let tous = avec(&["CU20", "a", "x", "b"]);
        assert_eq!((dit(complets(&tous)), dit(exacts(&tous, &inscrites))), (None, None));
        let moitie = avec(&["CU20", ""]);
        assert_eq!((dit(complets(&moitie)), dit(exacts(&moitie, &inscrites))), (Some((400, 3)), None));
        assert_eq!(dit(exacts(&avec(&["CU23", "a", "x", "b"]), &inscrites)), Some((403, 1)));
    }

    #[test]
    fn a_tag_has_the_version_first_and_is_that_of_the_body() {
        let un = etag(3, b"{}");
        assert!(un.starts_with("W/\"3-") && un.ends_with('"'), "{un}");
        assert_eq!(un, etag(3, b"{}"));
        assert!(un != etag(4, b"{}") && un != etag(3, b"{ }"));
    }
}
