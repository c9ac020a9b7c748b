//! From changed rows to the bytes of an answer: lines of JSON, or server-sent events.
//!
//! A line that is not the last of its step carries the cursor of the step before: whoever resumes from
//! it gets the whole step again. The cursor that ends the step comes alone, after it.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    Abonnement, Place,
    comparaison::{Ecart, Perime, Repere},
    curseur_de, mots,
};
use crate::{
    Partage, Passerelle,
    export::manifeste::ecrire_ms,
    modele::{Modele, TypeFhir},
    rendu::{self, Contexte},
    texte::TextesDuMoment,
};

/// Bytes handed over at once, about.
const TRANCHE: usize = 64 * 1024;
/// Slices that wait for a slow client, at most.
const TAMPON: usize = 8;
/// How long a client may leave them there.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two signs of life of an answer that stays open.
const BATTEMENT: Duration = Duration::from_secs(15);
/// Least time between two steps of one subscriber.
const PAS: Duration = Duration::from_millis(200);
/// A subscriber takes one part in so many of the time of a thread, at most.
const PART: u32 = 10;

/// Form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forme {
    /// One JSON object a line.
    Lignes,
    /// Server-sent events.
    Evenements,
}

enum Morceau {
    Octets(Bytes),
    /// Nothing follows: without it the answer was cut.
    Fin,
}

/// The writing end of an answer.
pub struct Sortie {
    forme: Forme,
    envoi: mpsc::Sender<Morceau>,
}

/// The client left, or reads too slowly.
struct Parti;

impl Sortie {
    /// An answer, and where to write it.
    pub fn ouvrir(forme: Forme) -> (Self, Body) {
        let (envoi, reception) = mpsc::channel(TAMPON);
        let corps =
            stream::unfold(Some(reception), |reception: Option<mpsc::Receiver<Morceau>>| async move {
                let mut reception = reception?;
                match reception.recv().await {
                    Some(Morceau::Octets(o)) => Some((Ok(o), Some(reception))),
                    Some(Morceau::Fin) => None,
                    // Cut short: the client must not take it for whole.
                    None => Some((Err(io::Error::from(ErrorKind::ConnectionAborted)), None)),
                }
            });
        (Self { forme, envoi }, Body::from_stream(corps.fuse()))
    }

    async fn passer(&self, octets: Vec<u8>) -> Result<(), Parti> {
        if octets.is_empty() {
            return Ok(());
        }
        self.envoi.send_timeout(Morceau::Octets(octets.into()), PATIENCE).await.map_err(|_| Parti)
    }

    async fn finir(&self) {
        let _ = self.envoi.send_timeout(Morceau::Fin, PATIENCE).await;
    }

    /// A cursor alone: everything before it was told.
    async fn dire_curseur(&self, curseur: &str, m: &Modele) -> Result<(), Parti> {
        let json = json!({ "cursor": curseur, "moment": ecrire_ms(m.date()) }).to_string();
        let texte = match self.forme {
            Forme::Lignes => format!("{json}\n"),
            Forme::Evenements => format!("event: cursor\nid: {curseur}\ndata: {json}\n\n"),
        };
        self.passer(texte.into_bytes()).await
    }

    /// Every row of a step; `curseur` is where the step began.
    async fn dire(
        &self,
        p: &Passerelle,
        a: &Abonnement,
        m: &Arc<Modele>,
        ecarts: Vec<Ecart>,
        curseur: &str,
    ) -> Result<(), Parti> {
        let mut lignes = Lignes::de(ecarts);
        loop {
            let mut tranche = Vec::with_capacity(TRANCHE + TRANCHE / 4);
            lignes.ecrire(p, a, m, curseur, self.forme, &mut tranche);
            if tranche.is_empty() {
                return Ok(());
            }
            self.passer(tranche).await?;
        }
    }
}

/// Rows still to be written.
struct Lignes(VecDeque<(TypeFhir, bool, roaring::bitmap::IntoIter)>);

impl Lignes {
    /// What is there first, in the order in which types refer to one another; then what is gone.
    fn de(ecarts: Vec<Ecart>) -> Self {
        let (mut poses, mut otes) = (VecDeque::new(), Vec::new());
        for e in ecarts {
            poses.push_back((e.type_fhir, true, e.poses.into_iter()));
            otes.push((e.type_fhir, false, e.otes.into_iter()));
        }
        poses.extend(otes.into_iter().rev());
        Self(poses)
    }

    /// Appends rows until the slice is full or none is left.
    fn ecrire(
        &mut self,
        p: &Passerelle,
        a: &Abonnement,
        m: &Modele,
        curseur: &str,
        forme: Forme,
        sortie: &mut Vec<u8>,
    ) {
        let tables = p.vocabulaire.tables();
        let c = Contexte::nouveau(&p.rendues, m.politique(), &tables, a.profil, &a.base);
        let moment = ecrire_ms(m.date());
        while sortie.len() < TRANCHE {
            let Some((t, pose, rangs)) = self.0.front_mut() else { return };
            let Some(rang) = rangs.next() else {
                self.0.pop_front();
                continue;
            };
            let debut = sortie.len();
            if forme == Forme::Evenements {
                sortie.extend_from_slice(format!("event: change\nid: {curseur}\ndata: ").as_bytes());
            }
            let id = json!(m.table(*t).id(rang).to_string());
            let change = if *pose { "upsert" } else { "delete" };
            let nom = t.nom();
            let tete = format!(
                r#"{{"cursor":"{curseur}","moment":"{moment}","type":"{nom}","id":{id},"change":"{change}""#
            );
            sortie.extend_from_slice(tete.as_bytes());
            if *pose {
                sortie.extend_from_slice(b",\"resource\":");
                if !ressource(m, *t, rang, a, &c, sortie) {
                    sortie.truncate(debut);
                    continue;
                }
            }
            sortie.extend_from_slice(if forme == Forme::Evenements { "}\n\n" } else { "}\n" }.as_bytes());
        }
    }
}

fn ressource(m: &Modele, t: TypeFhir, rang: u32, a: &Abonnement, c: &Contexte, sortie: &mut Vec<u8>) -> bool {
    let Some(e) = m.extraire(t, rang, a.profil) else { return false };
    match &a.elements {
        None => rendu::ressource(&e, c, sortie),
        Some(elements) => {
            let mut entiere = Vec::with_capacity(4096);
            let rendue = rendu::ressource(&e, c, &mut entiere);
            if rendue {
                elements.membres(t).ecrire(&entiere, sortie);
            }
            rendue
        }
    }
}

/// A subscriber on its way.
pub struct Suivi {
    /// As whom, and what.
    pub abonnement: Arc<Abonnement>,
    repere: Repere,
    /// The moment reached.
    moment: Arc<Modele>,
    /// What is to be told of it.
    ecarts: Vec<Ecart>,
    /// Where the step began, then where it ends.
    curseurs: (String, String),
}

impl Suivi {
    /// From now on.
    pub fn maintenant(p: &Passerelle, abonnement: Arc<Abonnement>, textes: &TextesDuMoment) -> Self {
        let moment = p.annuaire.instant();
        let curseur = curseur_de(p, &moment, abonnement.profil, abonnement.mots);
        let repere = Repere::ici(&abonnement, moment.clone(), textes);
        Self { abonnement, repere, moment, ecarts: Vec::new(), curseurs: (curseur.clone(), curseur) }
    }

    /// From a place on, up to now.
    ///
    /// # Errors
    ///
    /// [`Perime`].
    pub fn depuis(
        p: &Passerelle,
        abonnement: Arc<Abonnement>,
        mut repere: Repere,
        curseur: String,
        textes: &TextesDuMoment,
    ) -> Result<Self, Perime> {
        let moment = p.annuaire.instant();
        let ecarts = repere.avancer(&abonnement, &moment, textes)?;
        let fin = curseur_de(p, &moment, abonnement.profil, abonnement.mots);
        Ok(Self { abonnement, repere, moment, ecarts, curseurs: (curseur, fin) })
    }

    /// One step more, up to now.
    fn avancer(&mut self, p: &Passerelle) -> Result<(), Perime> {
        self.abonnement.lire_encore(mots(p))?;
        let moment = p.annuaire.instant();
        if moment.numero() == self.moment.numero() {
            return Ok(());
        }
        // What would be missed would be told as gone: the step waits.
        let a = &self.abonnement;
        let Some(textes) = p.textes(a.profil, a.recherches.requetes()) else { return Ok(()) };
        self.ecarts = self.repere.avancer(a, &moment, &textes)?;
        let debut = std::mem::replace(&mut self.curseurs.1, curseur_de(p, &moment, a.profil, a.mots));
        self.curseurs.0 = debut;
        self.moment = moment;
        Ok(())
    }

    async fn dire(&mut self, p: &Passerelle, s: &Sortie) -> Result<(), Parti> {
        let ecarts = std::mem::take(&mut self.ecarts);
        s.dire(p, &self.abonnement, &self.moment, ecarts, &self.curseurs.0).await
    }
}

/// Comparing takes a while: off the threads that answer.
async fn avancer(p: &Partage, mut suivi: Suivi) -> Option<Suivi> {
    let p = p.clone();
    let fait = tokio::task::spawn_blocking(move || suivi.avancer(&p).map(|()| suivi));
    fait.await.ok()?.ok()
}

/// How long a subscriber leaves the others the machine after a step that took so long.
fn pause(pris: Duration) -> Duration {
    PAS.max(pris * (PART - 1))
}

/// A bounded answer: all changes up to now, then the cursor. With nothing to tell, it waits for
/// something until `attente` has passed.
pub async fn repondre(p: Partage, mut suivi: Suivi, attente: Duration, neuf: bool, s: Sortie, _place: Place) {
    let fin = Instant::now() + attente;
    let mut avis = p.annuaire.abonner();
    if neuf && s.dire_curseur(&suivi.curseurs.1, &suivi.moment).await.is_err() {
        return;
    }
    let mut dit = false;
    loop {
        dit |= !suivi.ecarts.is_empty();
        if suivi.dire(&p, &s).await.is_err() {
            return;
        }
        if dit || Instant::now() >= fin || !attendre(&p, &suivi, &mut avis, &s, fin).await {
            break;
        }
        let debut = Instant::now();
        let Some(suite) = avancer(&p, suivi).await else { return };
        suivi = suite;
        if suivi.ecarts.is_empty() {
            let reste = fin.saturating_duration_since(Instant::now());
            tokio::time::sleep(pause(debut.elapsed()).min(reste)).await;
        }
    }
    // Given already, and still the place where the client stands.
    let rien_de_neuf = neuf && attente.is_zero() && !dit;
    if rien_de_neuf || s.dire_curseur(&suivi.curseurs.1, &suivi.moment).await.is_ok() {
        s.finir().await;
    }
}

/// Waits for another moment; false when the process ends or the client leaves. At `fin` it is true.
async fn attendre(
    p: &Partage,
    suivi: &Suivi,
    avis: &mut watch::Receiver<u64>,
    s: &Sortie,
    fin: Instant,
) -> bool {
    // One may have come before we listened.
    if *avis.borrow_and_update() != suivi.moment.numero() {
        return true;
    }
    tokio::select! {
        r = avis.changed() => r.is_ok(),
        () = tokio::time::sleep_until(fin) => true,
        () = p.abonnes.arret.cancelled() => false,
        () = s.envoi.closed() => false,
    }
}

/// An answer that stays open. `toujours` says whether the caller may still read.
pub async fn suivre<F>(p: Partage, mut suivi: Suivi, toujours: impl Fn() -> F, s: Sortie, _place: Place)
where
    F: Future<Output = bool>,
{
    let mut avis = p.annuaire.abonner();
    if s.passer(b"retry: 2000\n\n".to_vec()).await.is_err()
        || suivi.dire(&p, &s).await.is_err()
        || s.dire_curseur(&suivi.curseurs.1, &suivi.moment).await.is_err()
    {
        return;
    }
    // The last cursor that the client has.
    let mut dit = suivi.curseurs.1.clone();
    let mut battement = Instant::now() + BATTEMENT;
    loop {
        if !attendre(&p, &suivi, &mut avis, &s, battement).await {
            break;
        }
        if !toujours().await {
            break;
        }
        let debut = Instant::now();
        // Too far behind what the journal keeps: it will be told so when it comes back.
        let Some(suite) = avancer(&p, suivi).await else { return };
        suivi = suite;
        let pris = debut.elapsed();
        let a_dire = !suivi.ecarts.is_empty();
        if suivi.dire(&p, &s).await.is_err() {
            return;
        }
        let a_battre = Instant::now() >= battement;
        let envoi = match (a_dire || a_battre, dit == suivi.curseurs.1) {
            (true, false) => {
                dit.clone_from(&suivi.curseurs.1);
                s.dire_curseur(&dit, &suivi.moment).await
            }
            (true, true) => s.passer(b": \n\n".to_vec()).await,
            (false, _) => Ok(()),
        };
        if envoi.is_err() {
            return;
        }
        if a_dire || a_battre {
            battement = Instant::now() + BATTEMENT;
        }
        tokio::select! {
            () = tokio::time::sleep(pause(pris)) => {}
            () = p.abonnes.arret.cancelled() => break,
        }
    }
    s.finir().await;
}
