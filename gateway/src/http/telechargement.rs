//! Files of an export: whole or in part, plain or as they lie on disk.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{Extension, Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::{
    Connexion,
    erreurs::{self, Refus},
    export::{inconnu, lisible, sur_disque},
    lecture,
};
use crate::{
    Partage,
    export::{
        disparu,
        fichier::{Lecteur, Scelle},
        tache::{Echec, Etat},
    },
    fhir::outcome::Issue,
};

/// Marks an answer that no layer may compress nor translate: it has its own sizes and fingerprint.
#[derive(Clone, Copy, Debug)]
pub struct TelQuel;

/// GET /$export-file/{export}/{fichier}
pub async fn telecharger(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path((export, nom)): Path<(String, String)>,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    let (appelant, profil) = lecture::consommateur(&p, &entetes, &connexion).await?;
    let t = Uuid::parse_str(&export).ok().and_then(|id| p.exports.trouver(id, &appelant.client_id, profil));
    let t = t.ok_or_else(|| inconnu(&export))?;
    let Etat::Faite(manifeste) = t.etat() else { return Err(inconnu(&export)) };
    lisible(&p, &manifeste, &t.fiche)?;
    let Some(f) = manifeste.fichiers().find(|f| f.nom == nom).cloned() else {
        let nom: String = nom.chars().take(80).collect();
        let texte =
            format!("Le fichier « {nom} » n'est pas de cet export. Attendu : une adresse de son manifeste.");
        return Err(Refus::un(StatusCode::NOT_FOUND, Issue::new("not-found", texte)));
    };
    let choix = Choix::de(&entetes, &f.scelle);
    let (de, a) = match choix.plage {
        Plage::Toute => (0, choix.taille),
        Plage::Partie(de, a) => (de, a),
        Plage::Impossible if choix.connue => (0, 0),
        Plage::Impossible => return Ok(impossible(choix.taille)),
    };
    let partielle = !choix.connue && matches!(choix.plage, Plage::Partie(..));
    let mut r = if choix.connue {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let (chemin, scelle) = (t.dossier.join(f.sur_disque()), f.scelle.clone());
        match sur_disque(move || Lecteur::ouvrir(&chemin, &scelle)).await? {
            Ok(l) => corps(Arc::new(l), choix.serre, de, a).into_response(),
            // Cancelled or out of date since it was found.
            Err(e) if disparu(&e) => return Err(inconnu(&export)),
            Err(e) => return Err(Refus(StatusCode::INTERNAL_SERVER_ERROR, Echec::from(e).issues())),
        }
    };
    let h = r.headers_mut();
    if !choix.connue {
        poser(h, header::CONTENT_TYPE, t.fiche.demande.forme.media());
        poser(h, header::CONTENT_LENGTH, &(a - de).to_string());
        poser(h, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", f.nom));
        if choix.serre {
            poser(h, header::CONTENT_ENCODING, "gzip");
        }
    }
    if partielle {
        poser(h, header::CONTENT_RANGE, &format!("bytes {de}-{}/{}", a - 1, choix.taille));
    }
    poser(h, header::ETAG, &choix.etag);
    poser(h, header::ACCEPT_RANGES, "bytes");
    poser(h, header::CACHE_CONTROL, "private");
    poser(h, header::VARY, "accept-encoding");
    if partielle {
        *r.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    r.extensions_mut().insert(TelQuel);
    Ok(r)
}

fn impossible(taille: u64) -> Response {
    let texte = format!(
        "La plage demandée ne touche pas le fichier. Attendu : des octets de 0 à {}.",
        taille.saturating_sub(1)
    );
    let issue = Issue::new("value", texte).sur("Range");
    let mut r = erreurs::reponse(StatusCode::RANGE_NOT_SATISFIABLE, &[issue]);
    poser(r.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{taille}"));
    r
}

fn poser(h: &mut HeaderMap, nom: header::HeaderName, valeur: &str) {
    if let Ok(v) = HeaderValue::from_str(valeur) {
        h.insert(nom, v);
    }
}

/// Reads as the client takes: nothing ahead of it.
fn corps(lecteur: Arc<Lecteur>, serre: bool, de: u64, a: u64) -> Body {
    Body::from_stream(stream::try_unfold(de, move |de| {
        let lecteur = lecteur.clone();
        async move {
            if de >= a {
                return Ok(None);
            }
            let lus =
                tokio::task::spawn_blocking(
                    move || {
                        if serre { lecteur.serre(de, a) } else { lecteur.clair(de, a) }
                    },
                );
            let octets = lus.await.map_err(io::Error::other)??;
            let suite = de + octets.len() as u64;
            Ok::<_, io::Error>(Some((Bytes::from(octets), suite)))
        }
    }))
}

/// Bytes asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plage {
    Toute,
    /// From, to excluded.
    Partie(u64, u64),
    Impossible,
}

/// Which bytes of which form answer a request.
#[derive(Debug, PartialEq, Eq)]
struct Choix {
    /// As on disk.
    serre: bool,
    taille: u64,
    etag: String,
    /// The client has it already.
    connue: bool,
    plage: Plage,
}

impl Choix {
    /// A part is one of the plain bytes, since that is what clients count, unless the client shows by
    /// `If-Range` that it keeps the packed ones, or takes no others.
    fn de(entetes: &HeaderMap, s: &Scelle) -> Self {
        let texte = |nom: header::HeaderName| entetes.get(nom).and_then(|v: &HeaderValue| v.to_str().ok());
        let etiquette = |sha256: &str| format!("\"{sha256}\"");
        let (gzip, clair) = encodages(entetes);
        let (plage, si) = (texte(header::RANGE), texte(header::IF_RANGE));
        let garde_serre = si.is_some_and(|e| e.trim() == etiquette(&s.sha256_gzip));
        let serre = gzip > 0 && if plage.is_some() { garde_serre || clair == 0 } else { gzip >= clair };
        let (taille, etag) =
            if serre { (s.taille_gzip, etiquette(&s.sha256_gzip)) } else { (s.taille, etiquette(&s.sha256)) };
        let connue = texte(header::IF_NONE_MATCH).is_some_and(|v| {
            v.split(',').map(str::trim).any(|e| e == "*" || e.trim_start_matches("W/") == etag)
        });
        let plage = match plage {
            // A part of another state would spoil what the client has.
            Some(p) if si.is_none_or(|e| e.trim() == etag) => lire_plage(p, taille),
            _ => Plage::Toute,
        };
        Self { serre, taille, etag, connue, plage }
    }
}

/// One range of bytes; several, or what cannot be read, are answered by the whole.
fn lire_plage(texte: &str, taille: u64) -> Plage {
    let Some((debut, fin)) = texte.trim().strip_prefix("bytes=").and_then(|p| p.split_once('-')) else {
        return Plage::Toute;
    };
    let (debut, fin) = (debut.trim(), fin.trim());
    match (debut.parse::<u64>(), fin.parse::<u64>()) {
        (Ok(de), Ok(a)) if de <= a && de < taille => Plage::Partie(de, taille.min(a.saturating_add(1))),
        (Ok(de), Ok(a)) if de <= a => Plage::Impossible,
        (Ok(de), Err(_)) if fin.is_empty() && de < taille => Plage::Partie(de, taille),
        (Ok(_), Err(_)) if fin.is_empty() => Plage::Impossible,
        (Err(_), Ok(n)) if debut.is_empty() && n > 0 && taille > 0 => {
            Plage::Partie(taille.saturating_sub(n), taille)
        }
        (Err(_), Ok(_)) if debut.is_empty() => Plage::Impossible,
        _ => Plage::Toute,
    }
}

/// How much gzip and plain bytes are wanted, in thousandths.
pub(super) fn encodages(entetes: &HeaderMap) -> (u16, u16) {
    let lignes = entetes.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    let (mut gzip, mut clair, mut autres) = (None, None, None);
    for partie in lignes.flat_map(|l| l.split(',')) {
        let mut morceaux = partie.split(';').map(str::trim);
        let nom = morceaux.next().unwrap_or_default().to_ascii_lowercase();
        let q = morceaux.find_map(|m| m.strip_prefix("q=").or_else(|| m.strip_prefix("Q=")));
        let q = q.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0)).clamp(0.0, 1.0);
        let q = (q * 1000.0) as u16;
        match nom.as_str() {
            "gzip" | "x-gzip" => gzip = Some(q),
            "identity" => clair = Some(q),
            "*" => autres = Some(q),
            _ => {}
        }
    }
    // Plain bytes are taken unless refused, and preferred only when named.
    let clair_defaut = if autres == Some(0) { 0 } else { 1 };
    (gzip.or(autres).unwrap_or(0), clair.unwrap_or(clair_defaut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entetes(paires: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut h = HeaderMap::new();
        for (n, v) in paires {
            h.append(*n, HeaderValue::from_static(v));
        }
        h
    }

    fn scelle() -> Scelle {
        Scelle {
            taille: 100,
            sha256: "aa".into(),
            taille_gzip: 10,
            sha256_gzip: "bb".into(),
            morceaux: vec![],
        }
    }

    fn choix(paires: &[(&'static str, &'static str)]) -> (bool, Plage) {
        let c = Choix::de(&entetes(paires), &scelle());
        (c.serre, c.plage)
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (texte, plage) in [
            ("bytes=0-0", Plage::Partie(0, 1)),
            ("bytes=10-", Plage::Partie(10, 100)),
            ("bytes=90-1000", Plage::Partie(90, 100)),
            ("bytes=-30", Plage::Partie(70, 100)),
            ("bytes=-300", Plage::Partie(0, 100)),
            ("bytes=100-", Plage::Impossible),
            ("bytes=100-200", Plage::Impossible),
            ("bytes=-0", Plage::Impossible),
            ("bytes=20-10", Plage::Toute),
            ("bytes=0-1,5-6", Plage::Toute),
            ("lignes=0-1", Plage::Toute),
            ("bytes=a-b", Plage::Toute),
            ("bytes=-", Plage::Toute),
            ("bytes=18446744073709551615-", Plage::Impossible),
            ("bytes=0-18446744073709551615", Plage::Partie(0, 100)),
        ] {
            assert_eq!(lire_plage(texte, 100), plage, "{texte}");
        }
        assert_eq!(lire_plage("bytes=-5", 0), Plage::Impossible);
    }

    #[test]
    fn the_form_follows_what_the_client_takes() {
        assert_eq!(choix(&[]), (false, Plage::Toute));
        assert_eq!(choix(&[("accept-encoding", "gzip, deflate, br")]), (true, Plage::Toute));
        assert_eq!(choix(&[("accept-encoding", "br;q=1.0, *;q=0.1")]), (true, Plage::Toute));
        assert_eq!(choix(&[("accept-encoding", "gzip;q=0")]), (false, Plage::Toute));
        assert_eq!(choix(&[("accept-encoding", "gzip;q=0.5, identity")]), (false, Plage::Toute));
        // Parts are of the plain bytes...
        let plage = ("range", "bytes=4-");
        let gzip = ("accept-encoding", "gzip");
        assert_eq!(choix(&[gzip, plage]), (false, Plage::Partie(4, 100)));
        assert_eq!(choix(&[gzip, plage, ("if-range", "\"aa\"")]), (false, Plage::Partie(4, 100)));
        // ... unless the client has packed ones.
        assert_eq!(choix(&[gzip, plage, ("if-range", "\"bb\"")]), (true, Plage::Partie(4, 10)));
        let seul = ("accept-encoding", "gzip, identity;q=0");
        assert_eq!(choix(&[seul, plage]), (true, Plage::Partie(4, 10)));
        // Another state: the whole.
        assert_eq!(choix(&[plage, ("if-range", "\"cc\"")]), (false, Plage::Toute));
        assert!(Choix::de(&entetes(&[("if-none-match", "\"zz\", \"aa\"")]), &scelle()).connue);
        assert!(!Choix::de(&entetes(&[gzip, ("if-none-match", "\"aa\"")]), &scelle()).connue);
    }
}
