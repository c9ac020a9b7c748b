//! Reads and searches.

use axum::{
    extract::{Extension, Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{Connexion, DIFFUSION, erreurs::Refus};
use crate::{
    Partage, Passerelle,
    fhir::outcome::Issue,
    modele::TypeFhir,
    recherche::{self, requete},
    rendu::{self, Contexte},
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
pub(super) async fn lecteur(p: &Passerelle, entetes: &HeaderMap, connexion: &Connexion) -> Result<u8, Refus> {
    pret(p)?;
    let appelant = p.acces.verifier(porteur(entetes)?, connexion.certificat.as_deref()).await?;
    let profil = appelant.profil.ok_or_else(|| {
        Refus::un(StatusCode::FORBIDDEN, Issue::new("forbidden", "Cette application n'a pas de profil de lecture. Attendu : une application consommatrice, profil 0 à 5."))
    })?;
    let manquants: Vec<Issue> = ENTETES
        .iter()
        .zip(ENTETES_NOMS)
        .filter(|(e, _)| entetes.get(**e).is_none_or(|v| v.as_bytes().is_empty()))
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
    if !manquants.is_empty() {
        return Err(Refus(StatusCode::BAD_REQUEST, manquants));
    }
    // The four values identify the function; they are checked, they grant nothing.
    if let Some(c) = p.acces.consommateur(&appelant.client_id) {
        for ((e, nom), attendu) in ENTETES.iter().zip(ENTETES_NOMS).zip(&c.en_tetes) {
            if !attendu.is_empty() && entetes.get(*e).is_none_or(|v| v.as_bytes() != attendu.as_bytes()) {
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
    }
    if let Some(a) = entetes.get(header::ACCEPT)
        && !accepte_json(a)
    {
        return Err(Refus::un(
            StatusCode::NOT_ACCEPTABLE,
            Issue::new(
                "not-supported",
                "Aucun format demandé n'est servi. Attendu : application/fhir+json ou application/json.",
            )
            .sur("Accept"),
        ));
    }
    Ok(profil)
}

fn exemple(nom: &str) -> &'static str {
    match nom {
        "Ror-Profil-Utilisateur-Code" => "CU20",
        "Ror-Profil-Utilisateur-System" => "1.2.250.1.213.1.6.1.66",
        "Ror-Role-Metier-Code" => "AUTOMATE",
        _ => "1.2.250.1.213.1.1.4.6",
    }
}

fn accepte_json(v: &HeaderValue) -> bool {
    v.to_str().is_ok_and(|v| {
        v.is_empty()
            || v.split(',').any(|m| {
                let m = m.split(';').next().unwrap_or("").trim();
                matches!(m, "*/*" | "application/*" | "application/json" | "application/fhir+json")
            })
    })
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

fn type_fhir(nom: &str) -> Result<TypeFhir, Refus> {
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

/// GET /{type}?…
pub async fn chercher(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path(nom): Path<String>,
    RawQuery(chaine): RawQuery,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let t = type_fhir(&nom)?;
    let profil = lecteur(&p, &entetes, &connexion).await?;
    let chaine = chaine.unwrap_or_default();
    let tables = p.vocabulaire.tables();
    let connu = |s: &str| tables.systeme(s).is_some() || p.modele.read().systeme_connu(s);
    let r = requete::lire(t, &chaine, &connu).map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    let (page, politique) = {
        let m = p.modele.read();
        (recherche::chercher(&m, &r, profil), m.politique().clone())
    };
    let base = base(&p, &entetes, connexion.tls);
    let c = Contexte::nouveau(&p.rendues, &politique, &tables, profil, &base);
    let racine = format!("{base}/{}", t.nom());
    let soi = if chaine.is_empty() { racine.clone() } else { format!("{racine}?{chaine}") };
    let suivant = page.suite.as_ref().map(|dernier| {
        let reste: Vec<&str> =
            chaine.split('&').filter(|p| !p.is_empty() && !p.starts_with("_apres=")).collect();
        let separateur = if reste.is_empty() { "" } else { "&" };
        format!("{racine}?{}{separateur}_apres={dernier}", reste.join("&"))
    });
    let corps = rendu::bundle(&page, &c, &soi, suivant.as_deref());
    Ok(super::fhir(StatusCode::OK, corps))
}

/// GET /{type}/{id}: what is hidden is answered as unknown.
pub async fn lire(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path((nom, id)): Path<(String, String)>,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let t = type_fhir(&nom)?;
    let profil = lecteur(&p, &entetes, &connexion).await?;
    let (extrait, politique) = {
        let m = p.modele.read();
        let e = m.visible(t, &id, profil).and_then(|r| m.extraire(t, r, profil));
        (e, m.politique().clone())
    };
    let Some(e) = extrait else {
        let id: String = id.chars().take(64).collect();
        return Err(Refus::un(
            StatusCode::NOT_FOUND,
            Issue::new("not-found", format!("{} « {id} » n'existe pas.", t.nom())).sur(t.nom()),
        ));
    };
    let etag = format!("W/\"{}\"", e.version);
    if entetes.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let tables = p.vocabulaire.tables();
    let base = base(&p, &entetes, connexion.tls);
    let c = Contexte::nouveau(&p.rendues, &politique, &tables, profil, &base);
    let mut corps = Vec::with_capacity(4096);
    if !rendu::ressource(&e, &c, &mut corps) {
        return Err(ror_chassis::Erreur::interne("resource cannot be rendered").into());
    }
    let mut r = super::fhir(StatusCode::OK, corps);
    dater(&mut r, &etag, e.maj);
    Ok(r)
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
fn date_http(t: std::time::SystemTime) -> String {
    use time::{OffsetDateTime, macros::format_description};
    let f = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    OffsetDateTime::from(t).format(f).unwrap_or_default()
}
