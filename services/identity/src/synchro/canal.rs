//! The life of one channel: look, fetch, load, wait.

use std::{path::PathBuf, time::Duration};

use reqwest::{Client, Url};
use ror_chassis::{Contexte, Erreur, Resultat, conversion::maintenant, erreur::faute, magasin::Magasin};
use ror_proto::identity::v1::{EnTeteEdition, Format};
use sha1::{Digest, Sha1};
use tempfile::TempPath;

use super::{
    Etat, REDIRECTIONS, chargement, client, gigue,
    reglages::{Limites, ReglageCanal, Source},
    source::{self, Lieu, Offre},
    store::{self, Connu},
    telechargement::{Version, telecharger},
    tirer,
};
use crate::annuaire::{self, Versions};

/// Longest first wait, in milliseconds: replicas that start together do not all look
/// at once.
const PREMIERE: u32 = 30_000;
/// Wait after a first failure; it doubles, up to the interval.
const ECHEC: Duration = Duration::from_secs(60);
/// Longest run of a channel.
const DUREE_MAX: Duration = Duration::from_secs(12 * 3600);

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Regard {
    /// An edition, that was loaded.
    Charge,
    /// Nothing new.
    RienDeNeuf,
    /// Another process runs the channel.
    Occupe,
}

/// A channel and what is remembered of it between two looks.
pub(super) struct Suivi {
    c: Contexte,
    reglage: ReglageCanal,
    limites: Limites,
    etat: Etat,
    versions: Versions,
}

impl Suivi {
    /// Not looked at yet.
    pub(super) fn nouveau(c: Contexte, reglage: ReglageCanal, limites: Limites, etat: Etat) -> Self {
        Self { c, reglage, limites, etat, versions: Versions::default() }
    }

    /// Looks again and again, until the process stops.
    pub(super) async fn suivre(mut self) {
        let nom = self.reglage.canal.nom;
        metrics::counter!("ror_registry_sync_failures_total", "channel" => nom).absolute(0);
        let mut attente = Duration::from_millis(u64::from(tirer(PREMIERE)));
        let mut echecs = 0_u32;
        let arret = self.c.arret.clone();
        loop {
            let prochaine = maintenant() + attente;
            self.etat.changer(nom, |canal| canal.prochaine = Some(prochaine));
            tokio::select! {
                () = tokio::time::sleep(attente) => {}
                () = arret.cancelled() => return,
            }
            self.etat.changer(nom, |canal| canal.prochaine = None);
            let regard = tokio::select! {
                r = self.regarder() => r,
                () = arret.cancelled() => return,
            };
            attente = gigue(self.reglage.intervalle);
            match regard {
                Ok(regard) => {
                    echecs = 0;
                    self.etat.changer(nom, |canal| canal.dernier_echec.clear());
                    tracing::info!(channel = nom, outcome = ?regard, "registry source looked at");
                }
                Err(e) => {
                    attente = gigue(recul(echecs, self.reglage.intervalle));
                    echecs = echecs.saturating_add(1);
                    let phrase = e.phrase();
                    tracing::warn!(channel = nom, failures = echecs, reason = %phrase, "registry synchronisation failed");
                    metrics::counter!("ror_registry_sync_failures_total", "channel" => nom).increment(1);
                    self.etat.changer(nom, |canal| canal.dernier_echec = phrase);
                }
            }
        }
    }

    /// One look, alone in the deployment.
    async fn regarder(&mut self) -> Resultat<Regard> {
        let pool = self.c.magasin.pool().clone();
        let Some(mut verrou) = store::verrouiller(&pool, self.reglage.canal.nom).await? else {
            return Ok(Regard::Occupe);
        };
        let resultat = tokio::select! {
            r = tokio::time::timeout(DUREE_MAX, self.travailler()) => {
                r.unwrap_or_else(|_| Err(Erreur::Delai("synchronisation de plus de 12 heures".into())))
            }
            e = verrou.perdu() => Err(e),
        };
        verrou.liberer().await;
        resultat
    }

    async fn travailler(&mut self) -> Resultat<Regard> {
        if let Source::Annuaire(acces) = &self.reglage.source {
            let neuf = annuaire::synchroniser(&self.c.magasin, acces, &mut self.versions).await?;
            return Ok(if neuf { Regard::Charge } else { Regard::RienDeNeuf });
        }
        let (mut regard, mut absence, mut presents) = (Regard::RienDeNeuf, None, 0_usize);
        for motif in series(&self.reglage) {
            let cle = cle_de_serie(&self.reglage, motif);
            let connu = store::connu(self.c.magasin.pool(), &cle).await?;
            let pret = match chercher(&self.reglage, motif, &self.limites, connu.as_ref()).await {
                // A source may hold some of the files of a channel only.
                Err(e @ Erreur::Introuvable(_)) => {
                    absence = Some(e);
                    continue;
                }
                trouve => trouve?,
            };
            presents += 1;
            if let Some(pret) = pret {
                charger(&self.c.magasin, self.reglage.canal.format, &cle, pret).await?;
                regard = Regard::Charge;
            }
        }
        match absence {
            Some(e) if presents == 0 => Err(e),
            _ => Ok(regard),
        }
    }
}

/// The files to look for, by the beginnings of their names. A file by its address is one of them.
pub(super) fn series(reglage: &ReglageCanal) -> &[String] {
    let Source::Fichier(url) = &reglage.source else { return &reglage.motifs };
    let nom = source::fichier(url);
    let rang = reglage.motifs.iter().position(|motif| source::cle(nom, motif).is_some()).unwrap_or(0);
    reglage.motifs.get(rang..=rang).unwrap_or_default()
}

/// Under which what was last taken of a file is noted.
pub(super) fn cle_de_serie(reglage: &ReglageCanal, motif: &str) -> String {
    let nom = reglage.canal.nom;
    if reglage.canal.motifs.len() > 1 { format!("{nom}/{motif}") } else { nom.to_owned() }
}

/// Loads a file that was fetched, and notes it.
async fn charger(magasin: &Magasin, format: Format, serie: &str, pret: Pret) -> Resultat<()> {
    let en_tete = EnTeteEdition {
        format: format as i32,
        nom: pret.nom,
        taille: pret.taille,
        empreinte_attendue: pret.sha1,
        operateur: chargement::OPERATEUR.to_owned(),
        ..Default::default()
    };
    let fichier = pret.fichier;
    let chemin = fichier.chemin();
    let source = |octets| chargement::transmettre(chemin, octets);
    let fin = chargement::charger(magasin, en_tete, source).await?;
    // A refused edition is not tried again: the same bytes would be refused again.
    let mut c = magasin.pool().acquire().await?;
    store::noter(&mut c, serie, &pret.cle, &pret.signature, maintenant()).await?;
    fin.lue()?;
    drop(fichier);
    Ok(())
}

/// Wait after so many failures in a row.
pub(super) fn recul(echecs: u32, intervalle: Duration) -> Duration {
    ECHEC.saturating_mul(2_u32.saturating_pow(echecs)).min(intervalle.max(ECHEC))
}

/// A file ready to be loaded.
pub(super) struct Pret {
    pub(super) nom: String,
    pub(super) cle: String,
    pub(super) signature: String,
    pub(super) taille: u64,
    pub(super) sha1: String,
    pub(super) fichier: Fichier,
}

/// Where it is; what was downloaded goes when dropped.
pub(super) enum Fichier {
    Depose(PathBuf),
    Telecharge(TempPath),
}

impl Fichier {
    pub(super) fn chemin(&self) -> PathBuf {
        match self {
            Self::Depose(chemin) => chemin.clone(),
            Self::Telecharge(chemin) => chemin.to_path_buf(),
        }
    }
}

/// The file to load, fetched and checked; None when there is nothing new.
pub(super) async fn chercher(
    reglage: &ReglageCanal,
    motif: &str,
    limites: &Limites,
    connu: Option<&Connu>,
) -> Resultat<Option<Pret>> {
    let http = client(REDIRECTIONS)?;
    let offre = match &reglage.source {
        Source::Fichier(url) => return fichier_unique(&http, url, motif, limites, connu).await,
        Source::Dossier(dossier) => source::du_dossier(dossier, motif).await?,
        Source::Jeu(jeu) => Some(source::du_jeu(&http, jeu, motif).await?),
        Source::Annuaire(_) => None,
    };
    let Some(Offre { nom, cle, signature, lieu }) = offre else {
        return Ok(None);
    };
    if connu.is_some_and(|c| c.signature == signature || c.cle > cle) {
        return Ok(None);
    }
    let (taille, sha1, fichier) = match lieu {
        Lieu::Chemin(chemin) => {
            let lu = chemin.clone();
            let (taille, sha1) = tokio::task::spawn_blocking(move || hacher(&lu))
                .await
                .map_err(|e| Erreur::Interne(Box::new(e)))?
                .map_err(|e| Erreur::Indisponible(format!("fichier {nom} illisible : {e}")))?;
            (taille, sha1, Fichier::Depose(chemin))
        }
        Lieu::Adresse { url, taille, somme } => {
            let recu = telecharger(&http, &url, &Version::default(), limites).await?;
            let Some(recu) = recu else {
                return Err(Erreur::Indisponible(format!("le serveur ne donne pas le fichier {nom}")));
            };
            verifier(&nom, taille, &somme, recu.taille, &recu.sha1)?;
            // A SHA-256 is checked as the bytes are loaded.
            let empreinte = if somme.is_empty() { recu.sha1 } else { somme };
            (recu.taille, empreinte, Fichier::Telecharge(recu.fichier.into_temp_path()))
        }
    };
    Ok(Some(Pret { nom, cle, signature, taille, sha1, fichier }))
}

/// Size and SHA-1 told by the source must be those received.
fn verifier(nom: &str, taille: Option<u64>, somme: &str, recue: u64, sha1: &str) -> Resultat<()> {
    let mut fautes = Vec::new();
    if let Some(annoncee) = taille.filter(|t| *t != recue) {
        fautes.push(faute(
            "fichier",
            "taille-differente",
            format!("Le fichier {nom} fait {recue} octets, la source en annonce {annoncee}."),
            "le fichier entier",
        ));
    }
    if somme.len() == sha1.len() && somme != sha1 {
        fautes.push(faute(
            "fichier",
            "empreinte-differente",
            format!("Le SHA-1 du fichier {nom} n'est pas celui que la source annonce."),
            somme,
        ));
    }
    if fautes.is_empty() { Ok(()) } else { Err(Erreur::Regle(fautes)) }
}

/// A file always at the same address: its server says whether it has changed.
async fn fichier_unique(
    http: &Client,
    url: &Url,
    motif: &str,
    limites: &Limites,
    connu: Option<&Connu>,
) -> Resultat<Option<Pret>> {
    let connue = connu
        .and_then(|c| c.signature.split_once('|'))
        .map(|(etag, modifie)| Version { etag: etag.to_owned(), modifie: modifie.to_owned() });
    let Some(recu) = telecharger(http, url, &connue.unwrap_or_default(), limites).await? else {
        return Ok(None);
    };
    let Version { etag, modifie } = &recu.version;
    let sans_version = etag.is_empty() && modifie.is_empty();
    let signature = if sans_version { recu.sha1.clone() } else { format!("{etag}|{modifie}") };
    if connu.is_some_and(|c| c.signature == signature) {
        return Ok(None);
    }
    let nom = source::fichier(url);
    let nom = if nom.is_empty() { motif } else { nom };
    let dite = source::cle(nom, motif).filter(|cle| !cle.is_empty());
    let (nom, cle) = match dite {
        Some(cle) => (nom.to_owned(), cle),
        None => {
            let cle = source::cle_http(modifie, maintenant());
            (source::nommer(nom, &cle), cle)
        }
    };
    Ok(Some(Pret {
        nom,
        cle,
        signature,
        taille: recu.taille,
        sha1: recu.sha1,
        fichier: Fichier::Telecharge(recu.fichier.into_temp_path()),
    }))
}

/// Size and SHA-1 of a file.
fn hacher(chemin: &std::path::Path) -> std::io::Result<(u64, String)> {
    let mut fichier = std::fs::File::open(chemin)?;
    let mut somme = Sha1::new();
    let mut tampon = vec![0_u8; 256 * 1024];
    let mut taille = 0;
    loop {
        let lus = std::io::Read::read(&mut fichier, &mut tampon)?;
        if lus == 0 {
            let sha1 = somme.finalize().iter().map(|o| format!("{o:02x}")).collect();
            return Ok((taille, sha1));
        }
        taille += lus as u64;
        somme.update(tampon.get(..lus).unwrap_or_default());
    }
}
