//! The terminology service: reads, searches and operations on CodeSystem, ValueSet, ConceptMap.
//! Answered from this replica's own copy; every profile sees all of it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Extension, Path, RawQuery, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use ror_domaine::controle::aujourdhui;

use super::{
    Connexion,
    erreurs::{self, Refus},
    lecture, negociation, traduction,
};
use crate::{
    Partage,
    fhir::{
        json,
        outcome::Issue,
        terminologie::{self as fhir, Entree},
    },
    terminologie::{
        Edition, Genre, Terminologie,
        demande::{Demande, de_chaine},
        jour,
        operations::Echec,
        parametres::{Operation, operations_de},
        recherche::{self, Page, Resume},
    },
};

type Suite = (State<Partage>, Extension<Connexion>, RawQuery, HeaderMap);

/// Routes of the three types. An operation stands where an id does: a client may encode its
/// `$`, which no static route would match.
pub fn routes() -> Router<Partage> {
    Genre::TOUS.into_iter().fold(Router::new(), |routes, genre| {
        let racine = format!("/{}", genre.nom());
        let chercher = move |s: State<Partage>, c: Extension<Connexion>, q: RawQuery, h: HeaderMap| {
            chercher(genre, (s, c, q, h))
        };
        let lire =
            move |id: Path<String>, s: State<Partage>, c: Extension<Connexion>, q: RawQuery, h: HeaderMap| {
                lire(genre, id, (s, c, q, h))
            };
        let poster = move |id: Path<String>,
                           s: State<Partage>,
                           c: Extension<Connexion>,
                           q: RawQuery,
                           h: HeaderMap,
                           b: Bytes| poster(genre, id, (s, c, q, h), b);
        let lire_op = move |p: Path<(String, String)>,
                            s: State<Partage>,
                            c: Extension<Connexion>,
                            q: RawQuery,
                            h: HeaderMap| operer(genre, p, (s, c, q, h), None);
        let poster_op = move |p: Path<(String, String)>,
                              s: State<Partage>,
                              c: Extension<Connexion>,
                              q: RawQuery,
                              h: HeaderMap,
                              b: Bytes| operer(genre, p, (s, c, q, h), Some(b));
        routes
            .route(&racine, get(chercher))
            .route(&format!("{racine}/{{id}}"), get(lire).post(poster))
            .route(&format!("{racine}/{{id}}/{{operation}}"), get(lire_op).post(poster_op))
    })
}

/// GET /{type}?…
async fn chercher(
    genre: Genre,
    (State(p), Extension(connexion), RawQuery(chaine), entetes): Suite,
) -> Result<Response, Refus> {
    lecture::lecteur(&p, &entetes, &connexion, false).await?;
    let chaine = chaine.unwrap_or_default();
    let r = recherche::lire(genre, &chaine, false).map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    let t = p.terminologie.load_full();
    let page = recherche::chercher(&t, genre, &r);
    let racine = format!("{}/{}", lecture::base(&p, &entetes, connexion.tls), genre.nom());
    Ok(negociation::selon_empreinte(&entetes, bundle(&t, &page, &racine, &chaine, r.resume)))
}

fn bundle(t: &Terminologie, page: &Page, racine: &str, chaine: &str, resume: Resume) -> Vec<u8> {
    let soi = if chaine.is_empty() { racine.to_owned() } else { format!("{racine}?{chaine}") };
    let suivant = page.suite.as_ref().map(|dernier| {
        let reste: Vec<&str> =
            chaine.split('&').filter(|p| !p.is_empty() && !p.starts_with("_apres=")).collect();
        let separateur = if reste.is_empty() { "" } else { "&" };
        format!("{racine}?{}{separateur}_apres={dernier}", reste.join("&"))
    });
    let mut corps = Vec::with_capacity(4096);
    json::document(&mut corps, |o| {
        o.texte("resourceType", "Bundle");
        o.texte("type", "searchset");
        o.entier("total", i64::try_from(page.total).unwrap_or(i64::MAX));
        o.tableau("link", |l| {
            for (relation, url) in [("self", Some(&soi)), ("next", suivant.as_ref())] {
                if let Some(url) = url {
                    l.objet(|o| {
                        o.texte("relation", relation);
                        o.texte("url", url);
                    });
                }
            }
        });
        o.tableau("entry", |l| {
            for e in &page.editions {
                let id = t.id(e);
                l.objet(|o| {
                    o.texte("fullUrl", &format!("{racine}/{id}"));
                    o.objet("resource", |o| fhir::ressource(o, e, &id, resume == Resume::Oui));
                    o.objet("search", |o| o.texte("mode", "match"));
                });
            }
        });
    });
    corps
}

/// GET /{type}/{id}, or GET /{type}/$operation.
async fn lire(genre: Genre, Path(id): Path<String>, suite: Suite) -> Result<Response, Refus> {
    if id.starts_with('$') {
        return operer(genre, Path((String::new(), id)), suite, None).await;
    }
    let (State(p), Extension(connexion), RawQuery(chaine), entetes) = suite;
    lecture::lecteur(&p, &entetes, &connexion, false).await?;
    let r = recherche::lire(genre, chaine.as_deref().unwrap_or_default(), true)
        .map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    let t = p.terminologie.load_full();
    let e = par_id(&t, genre, &id)?;
    let resume = if r.resume == Resume::Oui { "-resume" } else { "" };
    let etag = format!("W/\"{}{resume}\"", e.etiquette());
    if negociation::detient(&entetes, &etag) {
        return Ok(negociation::inchange(&etag));
    }
    let mut corps = Vec::with_capacity(4096);
    json::document(&mut corps, |o| fhir::ressource(o, &e, &id, r.resume == Resume::Oui));
    let mut reponse = super::fhir(StatusCode::OK, corps);
    lecture::dater(&mut reponse, &etag, e.maj());
    Ok(reponse)
}

/// POST /{type}/_search, or POST /{type}/$operation.
async fn poster(genre: Genre, Path(id): Path<String>, suite: Suite, corps: Bytes) -> Result<Response, Refus> {
    if id.starts_with('$') {
        return operer(genre, Path((String::new(), id)), suite, Some(corps)).await;
    }
    if id != "_search" {
        return Ok(erreurs::methode_refusee(Method::POST).await);
    }
    let (p, connexion, RawQuery(chaine), mut entetes) = suite;
    let (chaine, demande) = traduction::formulaire(&entetes, chaine.as_deref(), &corps)?;
    if demande.is_some() {
        negociation::accepter_json(&mut entetes);
    }
    let trouvees = chercher(genre, (p, connexion, RawQuery(Some(chaine)), entetes)).await;
    Ok(traduction::repondre_en(demande, trouvees))
}

/// An operation, on the resource of an id unless it is empty; values come from the query string,
/// and from the body of a POST.
async fn operer(
    genre: Genre,
    Path((id, nom)): Path<(String, String)>,
    (State(p), Extension(connexion), RawQuery(chaine), entetes): Suite,
    corps: Option<Bytes>,
) -> Result<Response, Refus> {
    lecture::lecteur(&p, &entetes, &connexion, false).await?;
    let operation = trouver(genre, &nom)?;
    let mut entrees = de_chaine(chaine.as_deref().unwrap_or_default()).map_err(mal_forme)?;
    if let Some(corps) = corps {
        entrees.extend(lire_corps(&entetes, &corps)?);
    }
    let t = p.terminologie.load_full();
    let instance = if id.is_empty() { None } else { Some(par_id(&t, genre, &id)?) };
    let demande = Demande::lire(operation, instance, entrees, jour(&aujourdhui())).map_err(mal_forme)?;
    match (operation.executer)(&t, &demande) {
        Ok(corps) => Ok(super::fhir(StatusCode::OK, corps)),
        Err(Echec::Introuvable(i)) => Err(Refus::un(StatusCode::NOT_FOUND, i)),
        Err(Echec::TropLong(i)) => Err(Refus::un(StatusCode::UNPROCESSABLE_ENTITY, i)),
    }
}

fn mal_forme(issues: Vec<Issue>) -> Refus {
    Refus(StatusCode::BAD_REQUEST, issues)
}

fn trouver(genre: Genre, nom: &str) -> Result<&'static Operation, Refus> {
    let connue = nom.strip_prefix('$').and_then(|n| operations_de(genre).find(|o| o.nom == n));
    connue.ok_or_else(|| {
        let connues: Vec<String> = operations_de(genre).map(|o| format!("${}", o.nom)).collect();
        let nom: String = nom.chars().take(60).collect();
        let texte = format!(
            "L'opération « {nom} » n'existe pas sur {}. Attendu : {}.",
            genre.nom(),
            connues.join(", ")
        );
        Refus::un(StatusCode::NOT_FOUND, Issue::new("not-supported", texte))
    })
}

fn par_id(t: &Terminologie, genre: Genre, id: &str) -> Result<Arc<Edition>, Refus> {
    t.par_id(genre, id).cloned().ok_or_else(|| {
        let id: String = id.chars().take(64).collect();
        let texte = format!("{} « {id} » n'existe pas.", genre.nom());
        Refus::un(StatusCode::NOT_FOUND, Issue::new("not-found", texte).sur(genre.nom()))
    })
}

/// The values of a body; an empty one has none.
pub(super) fn lire_corps(entetes: &HeaderMap, corps: &Bytes) -> Result<Vec<Entree>, Refus> {
    if corps.is_empty() {
        return Ok(Vec::new());
    }
    let nature = entetes.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !matches!(nature.split(';').next().unwrap_or("").trim(), "application/fhir+json" | "application/json")
    {
        let texte = "Le type du corps n'est pas admis. Attendu : Content-Type: application/fhir+json.";
        let issue = Issue::new("not-supported", texte).sur("Content-Type");
        return Err(Refus::un(StatusCode::UNSUPPORTED_MEDIA_TYPE, issue));
    }
    let json: serde_json::Value = serde_json::from_slice(corps).map_err(|e| {
        let (ligne, colonne) = (e.line(), e.column());
        let texte = format!(
            "Le corps n'est pas du JSON (ligne {ligne}, colonne {colonne}). Attendu : une ressource Parameters."
        );
        Refus::un(StatusCode::BAD_REQUEST, Issue::new("structure", texte))
    })?;
    fhir::lire(&json).map_err(mal_forme)
}
