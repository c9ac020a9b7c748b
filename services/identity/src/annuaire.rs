//! The delta of the Annuaire Santé FHIR API.
//!
//! A window begins one day before what is known, and must stay within what the API
//! remembers. Each type is asked once, then its pages are followed by their opaque
//! links. A page is kept in the database together with the link of the next one, so
//! that a crash resumes there; once the last page is kept, they are loaded as one
//! partial edition. A resource whose version was loaded before is left out.

mod appels;
mod page;
mod store;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, future::Future, time::Duration};

use reqwest::Url;
use ror_chassis::{Erreur, Resultat, conversion::maintenant, magasin::Magasin, reglages::Secret};
use ror_proto::identity::v1::{EnTeteEdition, Format};
use time::{Date, OffsetDateTime};

use crate::synchro::chargement;
use appels::{Appels, Echec, Rythme};
use page::Page;
use store::Base;

pub(crate) use appels::attente_demandee;

/// Types of a window, in order, with the resources asked beside: those that give an
/// activity its person and its structure, a site its legal entity.
const TYPES: [(&str, &[&str]); 3] = [
    ("Organization", &["Organization:partof"]),
    ("Practitioner", &[]),
    ("PractitionerRole", &["PractitionerRole:practitioner", "PractitionerRole:organization"]),
];
/// Days the API remembers.
const FENETRE_MAX: i64 = 30;
/// A window under way for longer is begun again.
const REPRISE_MAX: Duration = Duration::from_secs(24 * 3600);

/// How to reach the API.
#[derive(Clone, Debug)]
pub struct Acces {
    /// Base URL, such as `https://gateway.api.esante.gouv.fr/fhir/v2`.
    pub base: Url,
    /// Value of the header `ESANTE-API-KEY`.
    pub cle: Secret,
    /// Resources asked a page (`_count`).
    pub taille: u32,
}

/// Where a window stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// First day asked.
    pub depuis: Date,
    /// Instant it began: what it holds is known up to there.
    pub debut: OffsetDateTime,
    /// Rank of the type being read; their number once all are.
    pub etape: usize,
    /// Link of the next page, empty before the first one of a type.
    pub lien: String,
    /// Pages kept.
    pub pages: i64,
}

/// Where windows are kept.
pub(crate) trait Memoire: Send + Sync {
    /// The window under way.
    fn position(&self) -> impl Future<Output = Resultat<Option<Position>>> + Send;
    /// Begins a window; the pages of another one go.
    fn ouvrir(&self, position: &Position) -> impl Future<Output = Resultat<()>> + Send;
    /// Keeps a page, if any, and the position after it, both or neither.
    fn garder(&self, position: &Position, page: Option<&[u8]>) -> impl Future<Output = Resultat<()>> + Send;
}

/// Versions of resources (fingerprints): those loaded, those of the window under way.
/// Kept in memory: what is forgotten is only compared once more.
#[derive(Default)]
pub(crate) struct Versions {
    chargees: HashSet<u64>,
    vues: HashSet<u64>,
}

impl Versions {
    /// The window is loaded. What it did not meet again will not come back.
    fn charger(&mut self) {
        self.chargees = std::mem::take(&mut self.vues);
    }
}

/// First day to ask, one day before what is known. A fault when the API no longer
/// remembers so far.
pub(crate) fn depuis(connu: OffsetDateTime, maintenant: OffsetDateTime) -> Resultat<Date> {
    let jour = connu.date().previous_day().unwrap_or(Date::MIN);
    if (maintenant.date() - jour).whole_days() <= FENETRE_MAX {
        return Ok(jour);
    }
    Err(Erreur::faute(
        "sync.annuaire",
        "fenetre-depassee",
        format!("Le dernier état connu date du {} ; l'API ne garde que {FENETRE_MAX} jours.", connu.date()),
        "une édition complète FINESS ou RPPS, chargée d'abord",
    ))
}

/// Reads a window to its end, or goes on with the one under way.
pub(crate) async fn recuperer(
    acces: &Acces,
    rythme: Rythme,
    memoire: &impl Memoire,
    depuis: Date,
    versions: &mut Versions,
) -> Resultat<Position> {
    let mut appels = Appels::nouveaux(&acces.cle, rythme)?;
    let mut position = match memoire.position().await? {
        Some(p) if maintenant() - p.debut < REPRISE_MAX && p.depuis <= depuis => p,
        _ => ouvrir(memoire, depuis, versions).await?,
    };
    let mut recommencee = false;
    while let Some((genre, inclus)) = TYPES.get(position.etape) {
        let url = if position.lien.is_empty() {
            page::premiere(acces, genre, inclus, position.depuis)?
        } else {
            page::suivante(&acces.base, &position.lien)?
        };
        match appels.lire(&url).await {
            Ok(octets) => {
                let page = page::lire(&octets, &url, &versions.chargees, &mut versions.vues)?;
                position = avancer(position, &page);
                memoire.garder(&position, page.charge.as_deref()).await?;
            }
            // The server has forgotten the link: the window is read again, once.
            Err(Echec::Perdue(_)) if !position.lien.is_empty() && !recommencee => {
                recommencee = true;
                position = ouvrir(memoire, depuis, versions).await?;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(position)
}

async fn ouvrir(memoire: &impl Memoire, depuis: Date, versions: &mut Versions) -> Resultat<Position> {
    versions.vues.clear();
    let position = Position { depuis, debut: maintenant(), etape: 0, lien: String::new(), pages: 0 };
    memoire.ouvrir(&position).await?;
    Ok(position)
}

fn avancer(position: Position, page: &Page) -> Position {
    let etape = if page.suivante.is_none() { position.etape + 1 } else { position.etape };
    let lien = page.suivante.as_ref().map(Url::to_string).unwrap_or_default();
    let pages = position.pages + i64::from(page.charge.is_some());
    Position { etape, lien, pages, ..position }
}

/// Reads what changed since the last time and loads it. False when nothing did.
pub(crate) async fn synchroniser(
    magasin: &Magasin,
    acces: &Acces,
    versions: &mut Versions,
) -> Resultat<bool> {
    let base = Base::nouvelle(magasin.pool().clone());
    let depuis = base.depuis().await?;
    let position = recuperer(acces, Rythme::default(), &base, depuis, versions).await?;
    if position.pages > 0 {
        let pages = base.clone();
        let source = |octets| async move { pages.transmettre(octets).await };
        chargement::charger(magasin, en_tete(&position), source).await?.appliquee()?;
    }
    base.clore(&position).await?;
    versions.charger();
    Ok(position.pages > 0)
}

fn en_tete(position: &Position) -> EnTeteEdition {
    let compact = |jour: Date| jour.to_string().replace('-', "");
    let debut = position.debut;
    EnTeteEdition {
        format: Format::AnnuaireFhir as i32,
        nom: format!(
            "annuaire-{}-{}{:02}{:02}",
            compact(position.depuis),
            compact(debut.date()),
            debut.hour(),
            debut.minute()
        ),
        operateur: chargement::OPERATEUR.to_owned(),
        partielle: true,
        ..Default::default()
    }
}
