//! Capacity PATCH: the place is found by its identifier in the read model, the
//! record changed by its owner, and the answer already stands in this replica.

use axum::{
    extract::{Extension, Path, RawQuery, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use ror_chassis::Erreur;
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    capacity::v1::{
        CapaciteLieu, Capacity, PatchCapacityRequest, capacity,
        capacity_service_client::CapacityServiceClient,
    },
    common::v1::{Canal, Evenement, Provenance},
};

use super::{
    Connexion,
    erreurs::Refus,
    lecture,
    negociation::{Retour, preferences},
};
use crate::{
    Partage, Passerelle,
    acces::Appelant,
    fhir::{canoniques::EXT_CAPACITE, json, lecture as fhir_lecture, outcome::Issue},
    modele::TypeFhir,
    recherche::requete::decoder,
};

/// A place that may be written.
struct Place {
    id: String,
    region: String,
    identifiant: String,
}

/// PATCH /Location?identifier=…
pub async fn patcher(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    RawQuery(chaine): RawQuery,
    entetes: HeaderMap,
    corps: Bytes,
) -> Result<Response, Refus> {
    let appelant = fournisseur(&p, &entetes, &connexion).await?;
    let identifiant = identifiant(chaine.as_deref().unwrap_or(""))?;
    let place = trouver(&p, &identifiant)?;
    executer(&p, &appelant, place, &entetes, &corps).await
}

/// PATCH /Location/{id}
pub async fn patcher_par_id(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path(id): Path<String>,
    entetes: HeaderMap,
    corps: Bytes,
) -> Result<Response, Refus> {
    let appelant = fournisseur(&p, &entetes, &connexion).await?;
    let place = {
        let m = p.annuaire.instant();
        m.table(TypeFhir::Location).rang(&id).and_then(|r| place(&m, r))
    };
    let place = place.ok_or_else(|| lieu_inconnu(&id))?;
    executer(&p, &appelant, place, &entetes, &corps).await
}

async fn fournisseur(
    p: &Passerelle,
    entetes: &HeaderMap,
    connexion: &Connexion,
) -> Result<std::sync::Arc<Appelant>, Refus> {
    lecture::pret(p)?;
    let appelant = p.acces.verifier(lecture::porteur(entetes)?, connexion.certificat.as_deref()).await?;
    if !appelant.ecriture_capacite {
        return Err(Refus::un(
            StatusCode::FORBIDDEN,
            Issue::new(
                "forbidden",
                "Cette application n'est pas habilitée à écrire des capacités. Attendu : une application fournisseur.",
            ),
        ));
    }
    let interdits: Vec<Issue> = entetes
        .keys()
        .filter(|k| k.as_str().starts_with("ror-"))
        .map(|k| Issue::new("not-supported", format!("L'en-tête {k} ne doit pas être envoyé ici. Attendu : Authorization et Content-Type seulement.")).sur(k.as_str()))
        .collect();
    if !interdits.is_empty() {
        return Err(Refus(StatusCode::BAD_REQUEST, interdits));
    }
    Ok(appelant)
}

fn identifiant(chaine: &str) -> Result<String, Refus> {
    let mut trouve = None;
    let mut issues = Vec::new();
    for paire in chaine.split('&').filter(|p| !p.is_empty()) {
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        match (nom, decoder(valeur)) {
            ("identifier", Some(v)) if !v.is_empty() && trouve.is_none() => trouve = Some(v),
            ("identifier", _) => issues.push(Issue::new("value", "Le paramètre identifier est illisible ou répété. Attendu : <idNatStruct de l'EG>/<code externe du lieu>.").sur("identifier")),
            _ => issues.push(Issue::new("not-supported", format!("Paramètre « {} » inconnu. Attendu : identifier.", nom.chars().take(60).collect::<String>())).sur(nom)),
        }
    }
    if trouve.is_none() && issues.is_empty() {
        issues.push(
            Issue::new(
                "required",
                "Le paramètre identifier manque. Attendu : <idNatStruct de l'EG>/<code externe du lieu>.",
            )
            .sur("identifier"),
        );
    }
    match trouve {
        Some(v) if issues.is_empty() => Ok(v.rsplit_once('|').map_or(v.clone(), |(_, code)| code.to_owned())),
        _ => Err(Refus(StatusCode::BAD_REQUEST, issues)),
    }
}

fn trouver(p: &Passerelle, identifiant: &str) -> Result<Place, Refus> {
    let m = p.annuaire.instant();
    let rangs = m.par_identifiant(TypeFhir::Location, None, identifiant);
    match rangs.len() {
        0 => Err(lieu_inconnu(identifiant)),
        1 => rangs.min().and_then(|r| place(&m, r)).ok_or_else(|| lieu_inconnu(identifiant)),
        n => Err(Refus::un(
            StatusCode::PRECONDITION_FAILED,
            Issue::new("multiple-matches", format!("{n} lieux portent l'identifiant « {identifiant} ». Attendu : un seul ; signalez-le au GRADeS.")).sur("Location"),
        )),
    }
}

fn place(m: &crate::modele::Modele, rang: u32) -> Option<Place> {
    // Whoever may write a place's beds knows the place: no profile cuts it here.
    let e = m.extraire(TypeFhir::Location, rang, 1)?;
    match e.offre()?.ressource? {
        ror_proto::offers::v1::offer::Ressource::Lieu(l) => {
            let identifiant =
                if l.id_externe_synchro.is_empty() { l.identifiant } else { l.id_externe_synchro };
            Some(Place { id: e.id.to_string(), region: l.meta.unwrap_or_default().region, identifiant })
        }
        _ => None,
    }
}

fn lieu_inconnu(identifiant: &str) -> Refus {
    let identifiant: String = identifiant.chars().take(120).collect();
    Refus::un(
        StatusCode::NOT_FOUND,
        Issue::new("not-found", format!("Aucun lieu ne porte l'identifiant « {identifiant} ». Attendu : un code posé par le GRADeS dans le ROR.")).sur("Location"),
    )
}

async fn executer(
    p: &Passerelle,
    appelant: &Appelant,
    place: Place,
    entetes: &HeaderMap,
    corps: &Bytes,
) -> Result<Response, Refus> {
    if let Some(c) = p.acces.consommateur(&appelant.client_id) {
        let structure = place.identifiant.split('/').next().unwrap_or_default();
        if !c.structures_autorisees.is_empty() && !c.structures_autorisees.iter().any(|s| s == structure) {
            return Err(Refus::un(StatusCode::FORBIDDEN, Issue::new("forbidden", "Cette application n'est pas habilitée pour l'établissement de ce lieu. Attendu : un établissement de la liste transmise à l'ANS.").sur("Location")));
        }
    }
    let type_ok = entetes.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
        matches!(v.split(';').next().unwrap_or("").trim(), "application/fhir+json" | "application/json")
    });
    if !type_ok {
        return Err(Refus::un(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Issue::new(
                "not-supported",
                "Le type du corps n'est pas admis. Attendu : Content-Type: application/fhir+json.",
            )
            .sur("Content-Type"),
        ));
    }
    let json: serde_json::Value = serde_json::from_slice(corps).map_err(|e| {
        Refus::un(
            StatusCode::BAD_REQUEST,
            Issue::new(
                "structure",
                format!(
                    "Le corps n'est pas du JSON (ligne {}, colonne {}). Attendu : une ressource Parameters.",
                    e.line(),
                    e.column()
                ),
            ),
        )
    })?;
    let mut patchs =
        fhir_lecture::lire_patch_capacite(&json).map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    let (Some(patch), true) = (patchs.pop(), patchs.is_empty()) else {
        return Err(Refus::un(
            StatusCode::BAD_REQUEST,
            Issue::new(
                "business-rule",
                "Une requête change un seul indicateur. Attendu : un paramètre « operation ».",
            )
            .sur("Parameters.parameter"),
        ));
    };
    let demande = PatchCapacityRequest {
        provenance: Some(Provenance {
            region: place.region.clone(),
            canal: Canal::National as i32,
            epoque: 0,
            auteur: appelant.client_id.clone(),
        }),
        lieu_id: place.id.clone(),
        operation: patch.operation as i32,
        cle: Some(patch.cle),
        enregistrement: patch.enregistrement,
    };
    let reponse = CapacityServiceClient::new(p.capacity.clone())
        .patch_capacity(demande)
        .await
        .map_err(|s| refus_capacite(Erreur::from(s), &place))?
        .into_inner();
    let capacites = reponse.capacite_lieu.unwrap_or_default();
    let mut r = confirmer(p, &place, &capacites).await;
    if preferences(entetes).retour == Some(Retour::Minimal) {
        *r.body_mut() = axum::body::Body::empty();
        r.headers_mut().remove(header::CONTENT_TYPE);
    }
    Ok(r)
}

/// The façade's documented answers (fhir-api notes, §6).
fn refus_capacite(e: Erreur, place: &Place) -> Refus {
    let extension = format!("Location.extension.where(url='{EXT_CAPACITE}')");
    match e {
        Erreur::Introuvable(t) if t.starts_with("indicateur-absent:") => {
            let texte = t.trim_start_matches("indicateur-absent:").trim();
            Refus::un(StatusCode::NOT_FOUND, Issue::new("not-found", texte).sur(extension))
        }
        Erreur::Introuvable(_) => lieu_inconnu(&place.identifiant),
        Erreur::Invalide(f) | Erreur::Regle(f) => {
            if f.iter().any(|f| f.regle == ror_chassis::bail::REGLE) {
                return Refus(StatusCode::CONFLICT, f.iter().map(Issue::from).collect());
            }
            let issues = f
                .iter()
                .map(|f| {
                    let i = Issue { code: "business-rule", expression: Vec::new(), ..Issue::from(f) };
                    // Wrong path criteria blame no element; wrong values blame the record.
                    if f.element.starts_with("path") { i } else { i.sur(extension.clone()) }
                })
                .collect();
            Refus(StatusCode::BAD_REQUEST, issues)
        }
        autre => autre.into(),
    }
}

/// Puts the acknowledged state in this replica, then answers with it.
async fn confirmer(p: &Passerelle, place: &Place, capacites: &CapaciteLieu) -> Response {
    let meta = capacites.meta.clone().unwrap_or_default();
    let union = Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(capacites.clone())) };
    let evenement = Evenement {
        source: "capacity".into(),
        genre: "capacite_lieu".into(),
        agregat_id: place.id.clone(),
        version: meta.version,
        date: meta.date_maj,
        region: place.region.clone(),
        etat: union.etat(),
        ..Default::default()
    };
    let ecriture = p.annuaire.ecrire_et_publier(move |m| m.appliquer_reponse(&evenement));
    if let Err(e) = ecriture.await {
        // Its owner has it: the event will bring it.
        tracing::error!(error = %e, place = %place.id, "a capacity that was written is not shown yet");
    }
    let (version, maj) = {
        let m = p.annuaire.instant();
        let rang = m.table(TypeFhir::Location).rang(&place.id);
        let montre = rang.and_then(|r| m.extraire(TypeFhir::Location, r, 1));
        montre.map_or((meta.version, 0), |e| (e.version, e.maj))
    };
    let mut corps = Vec::with_capacity(512);
    json::document(&mut corps, |o| {
        o.texte("resourceType", "OperationOutcome");
        o.tableau("issue", |t| {
            t.objet(|i| {
                i.texte("severity", "information");
                i.texte("code", "informational");
                i.texte("diagnostics", &format!("Capacité du lieu {} enregistrée.", place.identifiant));
                i.tableau("expression", |e| e.texte(&format!("Location/{}", place.id)));
            });
        });
    });
    let mut r = super::fhir(StatusCode::OK, corps);
    lecture::dater(&mut r, &format!("W/\"{version}\""), maj);
    if let Ok(v) = http::HeaderValue::from_str(&format!("{}/Location/{}", super::DIFFUSION, place.id)) {
        r.headers_mut().insert(header::CONTENT_LOCATION, v);
    }
    r
}
