//! `$export`: kick-off, poll, cancel. The work is in [`crate::export`].

use std::sync::Arc;

use axum::{
    Router,
    extract::{Extension, Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use ror_chassis::Erreur;
use serde_json::json;
use uuid::Uuid;

use super::{
    Connexion,
    erreurs::{self, Refus},
    lecture, negociation, telechargement,
    terminologie::lire_corps,
};
use crate::{
    Partage,
    export::{
        AUTRES_DROITS,
        demande::{Demande, Lecture},
        manifeste::Manifeste,
        portee::Portee,
        tache::{Etat, Fiche, Tache, maintenant},
    },
    fhir::{outcome::Issue, terminologie::Valeur},
    terminologie::demande::de_chaine,
};

type Suite = (State<Partage>, Extension<Connexion>, RawQuery, HeaderMap);

/// Routes of the exports; a client may encode the `$`.
pub fn routes() -> Router<Partage> {
    ["$", "%24"].into_iter().fold(Router::new(), |routes, dollar| {
        routes
            .route(&format!("/{dollar}export"), get(lancer).post(lancer_corps))
            .route(&format!("/{{type}}/{dollar}export"), get(lancer_type).post(lancer_type_corps))
            .route(&format!("/{dollar}export-poll-status"), get(suivre).delete(annuler))
            .route(&format!("/{dollar}export-file/{{export}}/{{fichier}}"), get(telechargement::telecharger))
    })
}

/// GET /$export
async fn lancer(
    methode: Method,
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
) -> Result<Response, Refus> {
    // A HEAD comes here too, and must start nothing.
    if methode == Method::HEAD {
        return Ok(erreurs::methode_refusee(methode).await);
    }
    accepter(None, (s, c, q, h), None).await
}

/// GET /{type}/$export
async fn lancer_type(
    methode: Method,
    Path(nom): Path<String>,
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
) -> Result<Response, Refus> {
    if methode == Method::HEAD {
        return Ok(erreurs::methode_refusee(methode).await);
    }
    accepter(Some(&nom), (s, c, q, h), None).await
}

/// POST /$export
async fn lancer_corps(
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
    corps: Bytes,
) -> Result<Response, Refus> {
    accepter(None, (s, c, q, h), Some(&corps)).await
}

/// POST /{type}/$export
async fn lancer_type_corps(
    Path(nom): Path<String>,
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
    corps: Bytes,
) -> Result<Response, Refus> {
    accepter(Some(&nom), (s, c, q, h), Some(&corps)).await
}

async fn accepter(
    nom: Option<&str>,
    (State(p), Extension(connexion), RawQuery(chaine), entetes): Suite,
    corps: Option<&Bytes>,
) -> Result<Response, Refus> {
    let (appelant, profil) = lecture::consommateur(&p, &entetes, &connexion).await?;
    let seul = nom.map(lecture::type_fhir).transpose()?;
    let chaine = chaine.unwrap_or_default();
    let mut entrees = de_chaine(&chaine).map_err(mal_forme)?;
    if let Some(corps) = corps {
        entrees.extend(lire_corps(&entetes, corps)?);
    }
    let preferences = negociation::preferences(&entetes);
    let l = Lecture { seul, ndjson: veut_ndjson(&entetes), indulgent: preferences.souple };
    let controler = |portee: &Portee, ecartes: &mut Vec<Issue>| {
        portee.compiler(&p, preferences.souple, ecartes).err().unwrap_or_default()
    };
    let demande = Demande::lire(entrees, l, controler).map_err(mal_forme)?;
    let base = lecture::base(&p, &entetes, connexion.tls);
    let dossier = seul.map(|t| format!("/{}", t.nom())).unwrap_or_default();
    let suite = if chaine.is_empty() { String::new() } else { format!("?{chaine}") };
    let fiche = Fiche {
        client_id: appelant.client_id.clone(),
        profil,
        url: format!("{base}{dossier}/$export{suite}"),
        base: base.clone(),
        creee: maintenant(),
        demande,
    };
    let t = sur_disque(move || p.exports.accepter(fiche)).await??;
    let mut r = super::fhir(
        StatusCode::ACCEPTED,
        information("L'export est accepté : son adresse de suivi est dans l'en-tête Content-Location."),
    );
    if let Ok(v) = HeaderValue::from_str(&format!("{base}/$export-poll-status?_jobId={}", t.id)) {
        r.headers_mut().insert(header::CONTENT_LOCATION, v);
    }
    preferences.annoncer(&mut r);
    Ok(r)
}

/// GET /$export-poll-status
async fn suivre(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    RawQuery(chaine): RawQuery,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let t = sienne(&p, &entetes, &connexion, chaine).await?;
    match t.etat() {
        Etat::Attente | Etat::Cours => Ok(en_cours(&t)),
        Etat::Faite(m) => {
            lisible(&p, &m, &t.fiche)?;
            let base = lecture::base(&p, &entetes, connexion.tls);
            let corps = m.json(t.id, &t.fiche, &base);
            let mut r = (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], corps).into_response();
            let fin = u64::try_from(p.exports.expiration(m.fin)).unwrap_or_default();
            let fin = std::time::UNIX_EPOCH + std::time::Duration::from_millis(fin);
            if let Ok(v) = HeaderValue::from_str(&lecture::date_http(fin)) {
                r.headers_mut().insert(header::EXPIRES, v);
            }
            Ok(r)
        }
        Etat::Echouee(e) => {
            let statut = match e.code.as_str() {
                "too-costly" => StatusCode::UNPROCESSABLE_ENTITY,
                "expired" => StatusCode::GONE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Ok(erreurs::reponse(statut, &e.issues()))
        }
    }
}

fn en_cours(t: &Tache) -> Response {
    let progres = t.progres();
    let reprise = if t.reprise {
        " Il a recommencé après un redémarrage, sur l'état présent de l'annuaire."
    } else {
        ""
    };
    let texte = format!("L'export est en cours : {progres} %.{reprise}");
    let mut r = super::fhir(StatusCode::ACCEPTED, information(&texte));
    let h = r.headers_mut();
    if let Ok(v) = HeaderValue::from_str(&format!("{progres} %")) {
        h.insert("x-progress", v);
    }
    // Long exports are asked about less often.
    let attente = (t.depuis.elapsed().as_secs() / 5).clamp(1, 30);
    h.insert(header::RETRY_AFTER, HeaderValue::from(attente));
    r
}

/// DELETE /$export-poll-status
async fn annuler(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    RawQuery(chaine): RawQuery,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let t = sienne(&p, &entetes, &connexion, chaine).await?;
    sur_disque(move || p.exports.retirer(&t)).await?;
    Ok(super::fhir(StatusCode::ACCEPTED, information("L'export est annulé : ses fichiers sont supprimés.")))
}

/// The caller's export that `_jobId` names.
async fn sienne(
    p: &Partage,
    entetes: &HeaderMap,
    connexion: &Connexion,
    chaine: Option<String>,
) -> Result<Arc<Tache>, Refus> {
    let (appelant, profil) = lecture::consommateur(p, entetes, connexion).await?;
    let mut ids = Vec::new();
    let mut issues = Vec::new();
    for e in de_chaine(chaine.as_deref().unwrap_or_default()).map_err(mal_forme)? {
        match (e.nom.as_str(), e.valeur) {
            ("_jobId", Valeur::Simple(v)) => ids.push(v),
            // Clients of FHIR add it to every request.
            ("_format", _) => {}
            (autre, _) => {
                let autre: String = autre.chars().take(60).collect();
                let texte = format!("Le paramètre « {autre} » n'existe pas ici. Attendu : _jobId.");
                issues.push(Issue::new("not-supported", texte).sur(autre));
            }
        }
    }
    let [id] = ids.as_slice() else {
        let texte = format!(
            "_jobId est donné {} fois. Attendu : une fois, comme dans l'en-tête Content-Location reçu.",
            ids.len()
        );
        issues.push(Issue::new("required", texte).sur("_jobId"));
        return Err(mal_forme(issues));
    };
    if !issues.is_empty() {
        return Err(mal_forme(issues));
    }
    let trouvee = Uuid::parse_str(id).ok().and_then(|id| p.exports.trouver(id, &appelant.client_id, profil));
    trouvee.ok_or_else(|| inconnu(id))
}

/// What an export gave is read under the rights that it was made under, or no more.
pub(super) fn lisible(p: &Partage, m: &Manifeste, fiche: &Fiche) -> Result<(), Refus> {
    if m.droits == p.droits(fiche.profil) {
        return Ok(());
    }
    Err(Refus::un(StatusCode::GONE, Issue::new("expired", AUTRES_DROITS)))
}

/// What is unknown, another's, cancelled or out of date is answered alike.
pub(super) fn inconnu(id: &str) -> Refus {
    let id: String = id.chars().take(64).collect();
    let texte = format!(
        "L'export « {id} » n'existe pas ou plus pour cette application. Attendu : une adresse reçue de $export depuis moins longtemps que la durée de conservation."
    );
    Refus::un(StatusCode::NOT_FOUND, Issue::new("not-found", texte).sur("_jobId"))
}

pub(super) fn mal_forme(issues: Vec<Issue>) -> Refus {
    Refus(StatusCode::BAD_REQUEST, issues)
}

/// What waits for the disk waits off the threads that answer.
pub(super) async fn sur_disque<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refus> {
    tokio::task::spawn_blocking(f).await.map_err(|e| Erreur::Interne(Box::new(e)).into())
}

/// Whether the header `Accept` asks for NDJSON.
fn veut_ndjson(entetes: &HeaderMap) -> bool {
    let lignes = entetes.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    lignes
        .flat_map(|l| l.split(','))
        .any(|m| m.split(';').next().unwrap_or_default().trim().ends_with("ndjson"))
}

/// An OperationOutcome that reports no fault.
fn information(texte: &str) -> Vec<u8> {
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "information", "code": "informational", "diagnostics": texte }],
    })
    .to_string()
    .into_bytes()
}
