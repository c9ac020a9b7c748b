//! `$changes`: the change feed over HTTP. The work is in [`crate::flux`].

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Method, StatusCode, header};

use super::{
    Connexion, chercher,
    erreurs::{self, Refus},
    export::mal_forme,
    lecture,
};
use crate::{
    Partage, Passerelle,
    export::{
        portee::{Portee, Volet},
        reduction::Elements,
    },
    fhir::outcome::Issue,
    flux::{
        self, Abonnement,
        comparaison::Perime,
        curseur::Curseur,
        curseur_de,
        emission::{Forme, Sortie, Suivi, repondre, suivre},
        retrouver,
    },
    modele::TypeFhir,
    recherche::{
        evaluation::{BUDGET, Moteur, TropCouteux},
        requete::{LONGUEUR_MAX, decoder},
    },
};

/// Longest wait for something to tell, seconds.
const ATTENTE_MAX: u64 = 30;

type Suite = (State<Partage>, Extension<Connexion>, RawQuery, HeaderMap);

/// Routes of the feed; a client may encode the `$`.
pub fn routes() -> Router<Partage> {
    ["$", "%24"].into_iter().fold(Router::new(), |routes, dollar| {
        routes
            .route(&format!("/{dollar}changes"), get(tous))
            .route(&format!("/{{type}}/{dollar}changes"), get(de_type))
    })
}

/// GET /$changes
async fn tous(
    methode: Method,
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
) -> Result<Response, Refus> {
    donner(methode, None, (s, c, q, h)).await
}

/// GET /{type}/$changes
async fn de_type(
    methode: Method,
    Path(nom): Path<String>,
    s: State<Partage>,
    c: Extension<Connexion>,
    q: RawQuery,
    h: HeaderMap,
) -> Result<Response, Refus> {
    donner(methode, Some(&nom), (s, c, q, h)).await
}

async fn donner(
    methode: Method,
    nom: Option<&str>,
    (State(p), Extension(connexion), RawQuery(chaine), entetes): Suite,
) -> Result<Response, Refus> {
    // A HEAD comes here too: there is no telling what a GET would give without giving it.
    if methode == Method::HEAD {
        return Ok(erreurs::methode_refusee(methode).await);
    }
    let (appelant, profil) = lecture::consommateur(&p, &entetes, &connexion).await?;
    let seul = nom.map(lecture::type_fhir).transpose()?;
    let forme = forme(&entetes)?;
    let mut lue = Lue::lire(seul, chaine.as_deref().unwrap_or_default(), forme, &p.secret);
    // What a client says on its own when it comes back wins over what the address says.
    if let Some(v) = entetes.get("last-event-id").filter(|v| !v.is_empty()) {
        lue.curseur("Last-Event-ID", v.to_str().unwrap_or_default(), &p.secret);
    }
    let (mots, appuis) = (flux::mots(&p), lue.portee.appuis());
    let recherches = match lue.portee.compiler(&p, false, &mut Vec::new()) {
        Ok(r) if lue.issues.is_empty() => r,
        Ok(_) => return Err(mal_forme(lue.issues)),
        Err(i) => return Err(mal_forme(lue.issues.into_iter().chain(i).collect())),
    };
    if let Some(parametre) = recherches.a_l_heure() {
        return Err(mal_forme(vec![a_l_heure(parametre)]));
    }
    let place = p.abonnes.prendre(&appelant.client_id)?;
    let base = lecture::base(&p, &entetes, connexion.tls);
    let textes = p.textes(profil, recherches.requetes()).ok_or_else(chercher::texte_en_preparation)?;
    let abonnement = Abonnement::nouveau(profil, recherches, lue.elements, base);
    let suivis = lue.depuis.as_ref().map_or(mots, |(c, _)| c.mots);
    let abonnement = Arc::new(abonnement.avec_les_mots(suivis, appuis.nomenclatures()));
    if let Err(cause) = abonnement.lire_encore(mots) {
        return Ok(perime(&p, profil, cause));
    }
    let neuf = lue.depuis.is_none();
    let (q, depuis) = (p.clone(), lue.depuis);
    let ouvrir = move || -> Result<_, TropCouteux> {
        let m = q.annuaire.instant();
        // All searches together: a feed runs them again and again.
        abonnement.recherches.evaluer_par(&Moteur::nouveau(&m, profil, &textes, BUDGET))?;
        Ok(match depuis {
            None => Ok(Suivi::maintenant(&q, abonnement, &textes)),
            Some((c, texte)) => retrouver(&q, &m, profil, &c)
                .and_then(|repere| Suivi::depuis(&q, abonnement, repere, texte, &textes)),
        })
    };
    let suivi = match chercher::a_part(p.lourdes.clone(), ouvrir).await {
        Ok(Ok(Ok(s))) => s,
        Ok(Ok(Err(cause))) => return Ok(perime(&p, profil, cause)),
        Ok(Err(TropCouteux)) => return Err(chercher::trop_couteux()),
        Err(_) => return Err(chercher::interne()),
    };
    let (sortie, corps) = Sortie::ouvrir(forme);
    match forme {
        Forme::Lignes => {
            tokio::spawn(repondre(p, suivi, lue.attente, neuf, sortie, place));
        }
        Forme::Evenements => {
            let jeton = lecture::porteur(&entetes)?.to_owned();
            let (q, certificat) = (p.clone(), connexion.certificat.clone());
            let toujours = move || autorise(q.clone(), jeton.clone(), certificat.clone(), profil);
            tokio::spawn(suivre(p, suivi, toujours, sortie, place));
        }
    }
    Ok(reponse(forme, corps))
}

/// Whether the token still gives that profile.
async fn autorise(p: Partage, jeton: String, certificat: Option<String>, profil: u8) -> bool {
    let appelant = p.acces.verifier(&jeton, certificat.as_deref()).await;
    appelant.is_ok_and(|a| a.profil == Some(profil))
}

fn reponse(forme: Forme, corps: Body) -> Response {
    let media = match forme {
        Forme::Lignes => "application/x-ndjson",
        Forme::Evenements => "text/event-stream",
    };
    // No proxy may keep it, nor hold it back.
    let entetes =
        [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-store"), (header::VARY, "accept")];
    (StatusCode::OK, [("x-accel-buffering", "no")], entetes, corps).into_response()
}

/// What changed since cannot be told: a copy must be made anew.
fn perime(p: &Passerelle, profil: u8, cause: Perime) -> Response {
    let curseur = curseur_de(p, &p.annuaire.instant(), profil, flux::mots(p));
    let cause = match cause {
        Perime::Journal => {
            "Le curseur est trop ancien : les changements gardés ne remontent plus jusqu'à lui."
        }
        Perime::Droits => {
            "Le curseur est d'avant la politique d'accès, ou le profil de l'application, en vigueur : ce qu'elle peut lire n'est plus le même."
        }
        Perime::Mots => {
            "Les nomenclatures ont changé depuis ce curseur : les critères qui s'y lisent (:in, :text, _content) ne retiennent plus les mêmes ressources."
        }
    };
    let texte = format!(
        "{cause} Attendu : refaire un export complet par $export, puis reprendre au curseur de son manifeste (extension.cursor), ou à celui-ci si l'export est demandé maintenant : {curseur}."
    );
    let issue = Issue::new("expired", texte).sur("since").avec_details(curseur);
    erreurs::reponse(StatusCode::GONE, &[issue])
}

/// What comes in and goes out with the hour is touched by no change.
fn a_l_heure(parametre: &str) -> Issue {
    let texte = format!(
        "Paramètre « {parametre} » : le préfixe ap dépend de l'heure, et aucun changement ne dirait ce qu'elle fait entrer ou sortir. Attendu : ge ou le avec une date, les deux pour un intervalle."
    );
    Issue::new("not-supported", texte).sur(parametre)
}

/// The form that the header `Accept` asks for.
fn forme(entetes: &HeaderMap) -> Result<Forme, Refus> {
    let lignes = entetes.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let medias: Vec<&str> =
        lignes.flat_map(|l| l.split(',')).map(|m| m.split(';').next().unwrap_or_default().trim()).collect();
    if medias.contains(&"text/event-stream") {
        return Ok(Forme::Evenements);
    }
    let admis = |m: &&str| {
        m.is_empty()
            || m.ends_with("ndjson")
            || matches!(*m, "*/*" | "application/*" | "application/json" | "application/fhir+json")
    };
    if medias.is_empty() || medias.iter().any(admis) {
        return Ok(Forme::Lignes);
    }
    let texte = "Aucun format demandé n'est servi. Attendu : application/x-ndjson ou text/event-stream.";
    Err(Refus::un(StatusCode::NOT_ACCEPTABLE, Issue::new("not-supported", texte).sur("Accept")))
}

/// What is asked, with all that is wrong in it.
#[derive(Debug, Default)]
struct Lue {
    portee: Portee,
    elements: Option<Elements>,
    attente: Duration,
    /// A cursor, and as it was given.
    depuis: Option<(Curseur, String)>,
    issues: Vec<Issue>,
}

impl Lue {
    fn lire(seul: Option<TypeFhir>, chaine: &str, forme: Forme, cle: &[u8; 32]) -> Self {
        let mut l = Self::default();
        if chaine.len() > LONGUEUR_MAX {
            let texte = format!("La requête dépasse {LONGUEUR_MAX} caractères.");
            l.issues.push(Issue::new("too-long", texte));
            return l;
        }
        let (mut types, mut filtres, mut elements, mut criteres) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for paire in chaine.split('&').filter(|p| !p.is_empty()) {
            let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
            let (Some(nom), Some(valeur)) = (decoder(nom), decoder(valeur)) else {
                let nom: String = nom.chars().take(60).collect();
                l.issues.push(Issue::new("invalid", format!("Le paramètre « {nom} » est mal encodé.")));
                continue;
            };
            match nom.as_str() {
                "since" => l.curseur("since", &valeur, cle),
                "wait" => l.attendre(&valeur, forme),
                "_elements" => elements.push(valeur),
                // The criteria of the type, as a search would have them.
                _ if seul.is_some() => criteres.push(paire),
                "_type" => types.push(valeur),
                "_typeFilter" => filtres.push(valeur),
                autre => {
                    let autre: String = autre.chars().take(60).collect();
                    let texte = format!(
                        "Le paramètre « {autre} » n'existe pas ici. Attendu : since, wait, _elements, _type ou _typeFilter ; les critères de recherche vont à <type>/$changes."
                    );
                    l.issues.push(Issue::new("not-supported", texte).sur(autre));
                }
            }
        }
        l.portee = match seul {
            None => {
                let mut inconnus = Vec::new();
                let portee = Portee::lire(&types, &filtres, None, &mut l.issues, &mut inconnus);
                l.issues.extend(inconnus);
                portee
            }
            Some(type_fhir) => {
                let filtres = if criteres.is_empty() { Vec::new() } else { vec![criteres.join("&")] };
                Portee(vec![Volet { type_fhir, filtres }])
            }
        };
        l.elements = Elements::lire(&elements, &mut l.issues);
        l
    }

    fn curseur(&mut self, nom: &'static str, valeur: &str, cle: &[u8; 32]) {
        match Curseur::lire(valeur, cle) {
            Some(c) => self.depuis = Some((c, valeur.to_owned())),
            None => {
                let texte = format!(
                    "{nom} : le curseur n'a pas été donné par ce service. Attendu : un curseur reçu dans une ligne, un événement ou un manifeste d'export, sans rien y changer."
                );
                self.issues.push(Issue::new("value", texte).sur(nom));
            }
        }
    }

    fn attendre(&mut self, valeur: &str, forme: Forme) {
        let secondes = valeur.parse::<u64>().ok().filter(|s| *s <= ATTENTE_MAX);
        match secondes {
            Some(s) if forme == Forme::Lignes => self.attente = Duration::from_secs(s),
            Some(_) => {
                let texte =
                    "wait : un flux d'événements reste ouvert. Attendu : pas de wait avec text/event-stream.";
                self.issues.push(Issue::new("not-supported", texte).sur("wait"));
            }
            None => {
                let valeur: String = valeur.chars().take(60).collect();
                let texte = format!(
                    "wait : « {valeur} » n'est pas une attente. Attendu : un nombre de secondes, de 0 à {ATTENTE_MAX}."
                );
                self.issues.push(Issue::new("value", texte).sur("wait"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const CLE: [u8; 32] = [3; 32];

    fn lire(seul: Option<TypeFhir>, chaine: &str) -> Lue {
        Lue::lire(seul, chaine, Forme::Lignes, &CLE)
    }

    #[test]
    fn a_type_takes_its_criteria_and_the_whole_takes_filters() {
        let c = Curseur { positions: [1, 2, 3, 4], date: 5, droits: 6, mots: 7 };
        let l = lire(
            Some(TypeFhir::Location),
            &format!(
                "since={}&wait=5&status=active&_elements=name&address-city%3Aexact=Le%20Mans",
                c.sceller(&CLE)
            ),
        );
        assert!(l.issues.is_empty(), "{:?}", l.issues);
        assert_eq!(l.portee.0[0].filtres, ["status=active&address-city%3Aexact=Le%20Mans"]);
        assert_eq!((l.attente, l.depuis.map(|d| d.0)), (Duration::from_secs(5), Some(c)));
        let l = lire(None, "_type=Location,Organization&_typeFilter=Location%3Fstatus%3Dactive");
        assert!(l.issues.is_empty(), "{:?}", l.issues);
        assert_eq!((l.portee.0.len(), l.depuis.is_none()), (2, true));
        assert_eq!(lire(Some(TypeFhir::Location), "").portee.0[0].filtres.len(), 0);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let l = lire(None, "since=x&wait=31&_elements=A.b.c&_type=Patient&status=active&a%zz=1");
        assert_eq!(l.issues.len(), 6, "{:?}", l.issues);
        assert_eq!(lire(None, &"a=1&".repeat(10_000)).issues.len(), 1);
        let l = Lue::lire(None, "wait=3", Forme::Evenements, &CLE);
        assert_eq!(l.issues.len(), 1);
    }

    #[test]
    fn the_form_is_that_of_accept() {
        let de = |v: &'static str| {
            let mut h = HeaderMap::new();
            h.insert(header::ACCEPT, HeaderValue::from_static(v));
            forme(&h).ok()
        };
        for v in ["*/*", "", "application/x-ndjson", "application/fhir+ndjson;q=1", "application/fhir+json"] {
            assert_eq!(de(v), Some(Forme::Lignes), "{v}");
        }
        assert_eq!(de("text/event-stream"), Some(Forme::Evenements));
        assert_eq!(de("text/csv"), None);
        assert_eq!(forme(&HeaderMap::new()).ok(), Some(Forme::Lignes));
    }
}
