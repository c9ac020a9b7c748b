//! Searches: who asks, what is asked, at which moment; then a page, written as it is made.

use std::{io, sync::Arc};

use futures::StreamExt as _;

use axum::{
    body::{Body, Bytes},
    extract::{Extension, Path, RawQuery, State},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::sync::Semaphore;

use super::{
    Connexion,
    corps::Entier,
    erreurs::Refus,
    lecture,
    negociation::{self, Empreinte},
    page::{self, Liens, Place},
    traduction,
};
use crate::{
    Lumiere, Partage, Passerelle,
    fhir::outcome::Issue,
    modele::Modele,
    recherche::{self, Page, Trouve, appuis::Appuis, arbre::Requete, evaluation::TropCouteux, tri::Depart},
    rendu::{self, Contexte, Corde, Coupe, Searchset},
};

/// Entries beyond which an answer is sent as it is made.
const ENTIERE: usize = 64;
/// Bytes of the first part of such an answer, sent early.
const PREMIER: usize = 16 * 1024;
/// Bytes of the others, about, and how many are made at once.
const PARTIE: usize = 256 * 1024;
const EN_COURS: usize = 3;
/// Bytes of the text before the entries, then of each one of those sent at once, most of which are ready to be sent.
const TETE: usize = 4096;
const CADRE: usize = 3072;
/// Parameters of a walk, which the parser does not see.
const PAGE: &str = "_page";
const MOMENT: &str = "_moment";

/// GET /{type}?…
pub async fn par_url(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path(nom): Path<String>,
    RawQuery(chaine): RawQuery,
    methode: Method,
    entetes: HeaderMap,
) -> Result<Response, Refus> {
    repondre(&p, &connexion, &nom, &chaine.unwrap_or_default(), &methode, &entetes).await
}

/// POST /{type}/_search: parameters in the body, those of the URL beside them.
pub async fn par_formulaire(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    Path(nom): Path<String>,
    RawQuery(chaine): RawQuery,
    mut entetes: HeaderMap,
    corps: Bytes,
) -> Result<Response, Refus> {
    let (chaine, demande) = traduction::formulaire(&entetes, chaine.as_deref(), &corps)?;
    if demande.is_some() {
        negociation::accepter_json(&mut entetes);
    }
    let reponse = repondre(&p, &connexion, &nom, &chaine, &Method::POST, &entetes).await;
    Ok(traduction::repondre_en(demande, reponse))
}

/// A query string without the parameters of the walk, and these.
#[derive(Debug, Default)]
struct Chaine {
    /// As written.
    criteres: String,
    /// The same decoded: one for all the ways to encode it.
    decodes: String,
    page: Option<String>,
    moment: Option<u64>,
    appuis: Appuis,
}

impl Chaine {
    fn lire(brute: &str) -> Result<Self, Refus> {
        let mut chaine = Self::default();
        let mut criteres: Vec<&str> = Vec::new();
        let mut format = None;
        for paire in brute.split('&').filter(|p| !p.is_empty()) {
            let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
            let (nom, valeur) = (lecture::decode(nom), lecture::decode(valeur));
            match nom.as_str() {
                PAGE => chaine.page = Some(valeur),
                MOMENT => {
                    chaine.moment = Some(valeur.parse().map_err(|_| {
                        Refus::un(
                            StatusCode::BAD_REQUEST,
                            Issue::new("value", "Paramètre « _moment » : ce n'est pas un instant. Attendu : le nombre de l'en-tête Ror-Moment d'une réponse.").sur(MOMENT),
                        )
                    })?);
                }
                lecture::PRETTY => {}
                // A link is of a request whatever the form of its answers. Of those that a client adds to each link it
                // follows the last one stays.
                "_format" => format = Some(paire),
                _ => {
                    chaine.noter(&nom, &valeur);
                    criteres.push(paire);
                }
            }
        }
        criteres.extend(format);
        chaine.criteres = criteres.join("&");
        Ok(chaine)
    }

    fn noter(&mut self, nom: &str, valeur: &str) {
        self.appuis.noter(nom, valeur);
        // A zero is in no name and no value.
        for partie in [nom, valeur] {
            self.decodes.push_str(partie);
            self.decodes.push('\0');
        }
    }

    /// Number of the labels and value sets that decide what is asked; 0 for none.
    fn lecture(&self, p: &Passerelle, contexte: &Contexte, avec: &Lumiere) -> u64 {
        let libelles = if self.appuis.libelles || self.appuis.contenu { contexte.generation() } else { 0 };
        let jeux = if self.appuis.jeux { p.rendues.nomenclatures(&avec.terminologie) } else { 0 };
        (libelles << 32) | jeux
    }
}

async fn repondre(
    p: &Partage,
    connexion: &Connexion,
    nom: &str,
    brute: &str,
    methode: &Method,
    entetes: &HeaderMap,
) -> Result<Response, Refus> {
    let t = lecture::type_fhir(nom)?;
    let lecteur = lecture::lecteur(p, entetes, connexion, *methode != Method::POST).await?;
    let chaine = Chaine::lire(brute)?;
    let preferences = negociation::preferences(entetes);
    let cle = format!("{}?{}", t.nom(), chaine.decodes);
    let liens =
        Liens { secret: &p.secret, replique: p.replique, appelant: &lecteur.client_id, requete: &cle };
    let (place, moment) = situer(p, &chaine, &liens)?;
    // A walk asks to its end what its first page asked: at that moment, at that time, in those words.
    let avec = p.lumiere(moment.clone(), Some(place.maintenant));
    let base = lecture::base(p, entetes, connexion.tls);
    let contexte = Contexte::nouveau(&p.rendues, moment.politique(), &avec.tables, lecteur.profil, &base);
    let lecture = chaine.lecture(p, &contexte, &avec);
    if chaine.page.is_some() && place.lecture != lecture {
        return Err(page::relu());
    }
    let place = Place { lecture, ..place };
    let mut requete = p
        .lire_recherche_a(t, &chaine.criteres, preferences.souple, &avec)
        .map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    // All that decides the answer, but for the time when full text catches up.
    let mut empreinte = Empreinte::nouvelle();
    for n in [u64::from(p.replique), moment.numero(), contexte.generation(), lecture, lecteur.profil.into()] {
        empreinte.ajouter(n.to_le_bytes());
    }
    if chaine.appuis.heure {
        empreinte.ajouter(place.maintenant.to_le_bytes());
    }
    empreinte.ajouter(brute);
    empreinte.ajouter(&base);
    let etiquette = empreinte.etag();
    if negociation::detient(entetes, &etiquette) {
        // The links of the page that the caller has, if it has any, go on from this moment.
        p.annuaire.prolonger(moment.numero());
        return Ok(negociation::inchange(&etiquette));
    }
    // The last page before the cut is short.
    let nombre = requete.nombre;
    if p.reglages.coupe > 0 {
        let reste = p.reglages.coupe.saturating_sub(place.donnes);
        requete.nombre = nombre.min(usize::try_from(reste).unwrap_or(usize::MAX));
    }
    let page = executer(p, &moment, &requete, lecteur.profil, place.depart).await?;
    let racine = format!("{base}/{}", t.nom());
    let url = |suite: Option<&Place>| {
        let lien = suite.map(|s| format!("{PAGE}={}", liens.ecrire(s)));
        let parties: Vec<&str> = [chaine.criteres.as_str(), lien.as_deref().unwrap_or("")]
            .into_iter()
            .filter(|x| !x.is_empty())
            .collect();
        if parties.is_empty() { racine.clone() } else { format!("{racine}?{}", parties.join("&")) }
    };
    let donnes = place.donnes + page.trouves.len() as u64;
    let coupee = p.reglages.coupe > 0 && donnes >= p.reglages.coupe;
    let suivante = page.suivante.filter(|_| !coupee);
    let autre = |depart, donnes| Place { depart, donnes, ..place };
    // Who named a moment stays at it.
    let tenu = chaine.page.is_some() || chaine.moment.is_some();
    let mut navigation = vec![("self", url(tenu.then_some(&place)))];
    if nombre > 0 {
        navigation.push(("first", url(tenu.then(|| autre(Depart::Debut, 0)).as_ref())));
    }
    if let Some(r) = page.precedente {
        let avant = place.donnes.saturating_sub(nombre as u64);
        navigation.push(("previous", url(Some(&autre(Depart::Avant(r), avant)))));
    }
    if let Some(r) = suivante {
        navigation.push(("next", url(Some(&autre(Depart::Apres(r), donnes)))));
    }
    if suivante.is_some() || page.precedente.is_some() || tenu {
        // Naming a moment is not yet walking.
        p.annuaire.garder(&moment, chaine.page.is_some(), &lecteur.client_id);
    }
    let mut dire = requete.ignores.clone();
    if page.tronque {
        dire.push(Issue::new(
            "incomplete",
            format!("Plus de {} ressources liées : les dernières manquent. Attendu : des pages plus petites (_count).", recherche::inclusion::MAX),
        ));
    }
    if coupee && page.suivante.is_some() {
        dire.push(Issue::new(
            "incomplete",
            format!(
                "La recherche est coupée à {} résultats. Attendu : $export pour un grand volume.",
                p.reglages.coupe
            ),
        ));
    }
    let searchset = Searchset::nouveau(moment.clone(), contexte, Coupe::de(&requete));
    let mut reponse = if methode == Method::HEAD {
        super::fhir(StatusCode::OK, negociation::sans_corps())
    } else {
        ecrire(p, searchset, page, &navigation, dire)
    };
    negociation::etiqueter(&mut reponse, &etiquette);
    preferences.annoncer(&mut reponse);
    let nomme = HeaderValue::from(page::nommer(p.replique, moment.numero()));
    reponse.headers_mut().insert(HeaderName::from_static("ror-moment"), nomme);
    Ok(reponse)
}

/// Where in which moment: that of the link, that asked for, or the present.
fn situer(p: &Passerelle, chaine: &Chaine, liens: &Liens<'_>) -> Result<(Place, Arc<Modele>), Refus> {
    if let Some(lien) = &chaine.page {
        let place = liens.lire(lien)?;
        let moment = p.annuaire.moment(place.moment).ok_or_else(|| page::perime(PAGE))?;
        return Ok((place, moment));
    }
    let present = p.annuaire.instant();
    let moment = match chaine.moment {
        None => present,
        Some(nomme) => page::retrouver(p.replique, nomme, present.numero())
            .and_then(|n| p.annuaire.moment(n))
            .ok_or_else(|| page::perime(MOMENT))?,
    };
    let debut = Place {
        moment: moment.numero(),
        depart: Depart::Debut,
        donnes: 0,
        // Only what asks about the present depends on it: the same question has the same links.
        maintenant: if chaine.appuis.heure { crate::maintenant() } else { moment.date() },
        lecture: 0,
    };
    Ok((debut, moment))
}

/// Runs the search: at once when it is cheap, else apart, so that it keeps no other request waiting.
async fn executer(
    p: &Partage,
    moment: &Arc<Modele>,
    requete: &Requete,
    profil: u8,
    depart: Depart,
) -> Result<Page, Refus> {
    let textes = p.textes(profil, [requete]).ok_or_else(texte_en_preparation)?;
    if let Ok(page) =
        recherche::chercher(moment, requete, profil, depart, &textes, recherche::evaluation::LEGER)
    {
        return Ok(page);
    }
    let (moment, requete) = (moment.clone(), requete.clone());
    // One at a time a core at most: the rest wait here, bounded by the deadline of the request.
    let lourde = move || {
        recherche::chercher(&moment, &requete, profil, depart, &textes, recherche::evaluation::BUDGET)
    };
    match a_part(p.lourdes.clone(), lourde).await {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(TropCouteux)) => Err(trop_couteux()),
        Err(_) => Err(interne()),
    }
}

/// Works off the threads that answer, once there is a place; it is given back when the work ends, even if no one waits
/// for it any more.
pub(super) async fn a_part<R: Send + 'static>(
    places: Arc<Semaphore>,
    travail: impl FnOnce() -> R + Send + 'static,
) -> io::Result<R> {
    let permis = places.acquire_owned().await.map_err(io::Error::other)?;
    let fait = tokio::task::spawn_blocking(move || {
        let _permis = permis;
        travail()
    });
    fait.await.map_err(io::Error::other)
}

pub(super) fn interne() -> Refus {
    Refus::un(StatusCode::INTERNAL_SERVER_ERROR, Issue::new("exception", "Erreur interne du serveur."))
}

/// Full text does not know every row yet: some would be missed.
pub(super) fn texte_en_preparation() -> Refus {
    let texte = "Le texte intégral se prépare : recommencez dans un instant, ou cherchez par nom.";
    Refus::un(StatusCode::SERVICE_UNAVAILABLE, Issue::new("transient", texte))
}

/// The budget of one request is spent.
pub(super) fn trop_couteux() -> Refus {
    Refus::un(
        StatusCode::UNPROCESSABLE_ENTITY,
        Issue::new(
            "too-costly",
            "La recherche demande plus de travail qu'une requête n'en peut coûter. Attendu : des critères plus sélectifs (activité, commune, région), ou $export.",
        ),
    )
}

/// Writes the answer: whole when it is small, else part by part, the first one at once.
fn ecrire(
    p: &Partage,
    mut searchset: Searchset,
    page: Page,
    navigation: &[(&str, String)],
    dire: Vec<Issue>,
) -> Response {
    let nombre = page.trouves.len() + page.inclus.len();
    let prevues = nombre.min(ENTIERE);
    let mut tete = Corde::avec_place(TETE + CADRE * prevues, prevues);
    searchset.commencer(&page, navigation, &mut tete);
    let mut entrees =
        page.trouves.into_iter().map(|t| (t, "match")).chain(page.inclus.into_iter().map(|t| (t, "include")));
    if nombre <= ENTIERE {
        for (t, mode) in entrees {
            searchset.entree(&t, mode, &mut tete);
        }
        searchset.finir(&dire, &mut tete);
        return super::fhir(StatusCode::OK, Body::new(Entier::de(tete.pieces())));
    }
    // The first part leaves at once; it has the first entry, so that the others follow one.
    while (tete.longueur() < PREMIER || searchset.vide())
        && let Some((t, mode)) = entrees.next()
    {
        searchset.entree(&t, mode, &mut tete);
    }
    let lots: Vec<_> = decouper(entrees).into_iter().map(|lot| (searchset.suite(), lot)).collect();
    let mut fin = Corde::avec_place(TETE, 1);
    searchset.finir(&dire, &mut fin);
    // Made apart, some at once, in order: neither the searches that wait here nor this answer wait for one core, and
    // many answers leave the others their share of it.
    let atelier = p.atelier.clone();
    let suite = futures::stream::iter(lots).map(move |(s, lot)| atelier.faire(move || rendre(s, lot)));
    let parties = futures::stream::iter([Ok(tete.pieces())])
        .chain(suite.buffered(EN_COURS))
        .chain(futures::stream::iter([Ok(fin.pieces())]));
    let pieces = parties.flat_map(|partie: io::Result<Vec<Bytes>>| {
        futures::stream::iter(match partie {
            Ok(pieces) => pieces.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(e) => vec![Err(e)],
        })
    });
    super::fhir(StatusCode::OK, Body::from_stream(pieces))
}

/// An entry to be made, and why it is there.
type Entree = (Trouve, &'static str);

/// Entries by lots that are made apart.
fn decouper(entrees: impl Iterator<Item = Entree>) -> Vec<Vec<Entree>> {
    let (mut lots, mut place) = (Vec::<Vec<Entree>>::new(), 0);
    for entree in entrees {
        let octets = rendu::environ(entree.0.type_fhir);
        match lots.last_mut().filter(|_| octets <= place) {
            Some(lot) => lot.push(entree),
            None => {
                lots.push(vec![entree]);
                place = PARTIE;
            }
        }
        place -= octets;
    }
    lots
}

fn rendre(mut searchset: Searchset, lot: Vec<Entree>) -> Vec<Bytes> {
    let mut corde = Corde::avec_place(lot.iter().map(|(t, _)| rendu::environ(t.type_fhir)).sum(), lot.len());
    for (t, mode) in lot {
        searchset.entree(&t, mode, &mut corde);
    }
    corde.pieces()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modele::TypeFhir;

    fn lire(brute: &str) -> Chaine {
        Chaine::lire(brute).ok().unwrap()
    }

    #[test]
    fn lots_hold_every_entry_in_order_and_are_of_even_weight() {
        let trouve = |rang: u32| {
            let type_fhir = TypeFhir::TOUS[rang as usize * 7 / 2000 % 5];
            Trouve { type_fhir, rang, distance_km: None, score: None }
        };
        let lots = decouper((0..2000).map(|rang| (trouve(rang), "match")));
        let rangs: Vec<u32> = lots.iter().flatten().map(|(t, _)| t.rang).collect();
        assert_eq!(rangs, (0..2000).collect::<Vec<_>>());
        let poids = |lot: &Vec<Entree>| lot.iter().map(|(t, _)| rendu::environ(t.type_fhir)).sum::<usize>();
        let (dernier, pleins) = lots.split_last().unwrap();
        for plein in pleins {
            assert!((PARTIE - 8_500..=PARTIE).contains(&poids(plein)), "{}", poids(plein));
        }
        assert!(poids(dernier) <= PARTIE && decouper(std::iter::empty()).is_empty());
    }

    #[test]
    fn a_query_is_the_same_however_it_is_encoded() {
        let un = lire("type=s|1,2&name=a+b&_page=A-B&_pretty=true");
        let autre = lire("%74ype=s%7C1%2C2&name=a%20b&%5Fpage=A%2DB&%5Fpretty=false");
        assert_eq!((un.decodes.as_str(), un.page.as_deref()), ("type\0s|1,2\0name\0a b\0", Some("A-B")));
        assert_eq!((&un.decodes, &un.page), (&autre.decodes, &autre.page));
        assert_eq!(autre.criteres, "%74ype=s%7C1%2C2&name=a%20b");
        let suivi = lire("_format=xml&a=b&_format=application/fhir%2Bjson&%5Fformat=json");
        assert_eq!(suivi.criteres, "a=b&%5Fformat=json");
        assert_eq!(lire("a=b&_format=json").decodes, lire("_format=xml&a=b&_format=json").decodes);
        assert_ne!(lire("a=b&c=").decodes, lire("a=b%26c=").decodes);
        assert_eq!(lire("a=%zz").criteres, "a=%zz");
        assert_eq!(lire("_moment=12&x").moment, Some(12));
        assert!(Chaine::lire("_moment=-1").is_err());
    }
}
