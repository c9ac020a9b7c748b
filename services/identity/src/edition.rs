//! Loading an edition: the file is read as it arrives, each record compared with
//! what is known, and only differences are written.

use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
    ops::ControlFlow,
    time::Instant,
};

use bytes::Bytes;
use ror_chassis::{
    Erreur, Resultat,
    conversion::horodatage,
    magasin::{Decision, Demande, Identifiant, Ligne, Magasin},
};
use ror_domaine::ressource::Ressource;
use ror_proto::{
    common::v1::{Canal, Issue, Meta, Provenance},
    identity::v1::{
        Avancement, Compte, Constat, EnTeteEdition, Format, Identity, LigneRefusee, RapportEdition, identity,
    },
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    formats::{self, finess_plus, message_constat, rpps},
    store,
};

/// Records written in one transaction.
const LOT: usize = 500;
/// Refused lines told in the report; all are kept.
const REFUS_DITS: usize = 1000;

/// One thing read from the file.
enum Lue {
    Enregistrement { ressource: Box<Identity>, reprise: bool },
    Refus(LigneRefusee),
}

/// What the reading ended with.
struct FinDeLecture {
    comptes: BTreeMap<&'static str, u64>,
    constats: BTreeMap<&'static str, u64>,
    sha256: String,
    erreur: Option<formats::ErreurFichier>,
}

/// Runs one edition. `octets` brings the file, `avancement` tells how far it is.
pub async fn charger(
    magasin: &Magasin,
    en_tete: EnTeteEdition,
    octets: mpsc::Receiver<Bytes>,
    avancement: mpsc::Sender<Avancement>,
) -> Resultat<RapportEdition> {
    let debut = Instant::now();
    let format = en_tete.format();
    let id = if en_tete.essai {
        Uuid::now_v7()
    } else {
        store::ouvrir(magasin.pool(), en_tete.format, &en_tete.nom).await?
    };
    let (envoi, mut reception) = mpsc::channel::<Lue>(4 * LOT);
    let lecture = tokio::task::spawn_blocking(move || lire(format, octets, &envoi));
    let mut bilan = Bilan::nouveau(id, en_tete.essai);
    let mut lot = Vec::with_capacity(LOT);
    while let Some(lue) = reception.recv().await {
        match lue {
            Lue::Refus(l) => bilan.refuser(magasin, l).await?,
            Lue::Enregistrement { ressource, reprise } => {
                // A person met again must meet the state just written, not a neighbour in the batch.
                if reprise && !lot.is_empty() {
                    ecrire(magasin, &mut lot, &mut bilan).await?;
                }
                lot.push((*ressource, reprise));
                if lot.len() == LOT {
                    ecrire(magasin, &mut lot, &mut bilan).await?;
                    let _ = avancement.try_send(Avancement { octets: 0, enregistrements: bilan.lus });
                }
            }
        }
    }
    ecrire(magasin, &mut lot, &mut bilan).await?;
    let fin = lecture.await.map_err(|e| Erreur::Interne(Box::new(e)))?;
    if let Some(e) = &fin.erreur {
        let faute = ror_chassis::erreur::faute(
            "fichier",
            "fichier-illisible",
            e.to_string(),
            "un fichier entier, au format annoncé",
        );
        bilan
            .refuser(magasin, LigneRefusee { ligne: e.ligne, fautes: vec![faute], contenu: String::new() })
            .await?;
    }
    let complet = fin.erreur.is_none();
    let rapport = bilan.rapport(magasin, fin, complet, debut).await?;
    if !en_tete.essai {
        store::fermer(magasin.pool(), id, &rapport).await?;
    }
    tracing::info!(edition = %id, records = rapport.comptes.iter().map(|c| c.lus).sum::<u64>(), duration_ms = rapport.duree_ms, "edition loaded");
    Ok(rapport)
}

/// Bytes from the channel, hashed as they pass.
struct Tuyau {
    octets: mpsc::Receiver<Bytes>,
    courant: Bytes,
    hache: Sha256,
}

impl Read for Tuyau {
    fn read(&mut self, tampon: &mut [u8]) -> std::io::Result<usize> {
        while self.courant.is_empty() {
            match self.octets.blocking_recv() {
                Some(o) => {
                    self.hache.update(&o);
                    self.courant = o;
                }
                None => return Ok(0),
            }
        }
        let n = tampon.len().min(self.courant.len());
        tampon[..n].copy_from_slice(&self.courant.split_to(n));
        Ok(n)
    }
}

fn lire(format: Format, octets: mpsc::Receiver<Bytes>, envoi: &mpsc::Sender<Lue>) -> FinDeLecture {
    let mut tuyau = Tuyau { octets, courant: Bytes::new(), hache: Sha256::new() };
    let suite = |l: Lue| {
        if envoi.blocking_send(l).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let enregistrement =
        |r, reprise| Lue::Enregistrement { ressource: Box::new(Identity { ressource: Some(r) }), reprise };
    let mut comptes = BTreeMap::new();
    let resultat = match format {
        Format::RppsPersonneActivite => rpps::lire(&mut tuyau, &mut |l| match l {
            rpps::Lecture::Enregistrement { professionnel, reprise } => {
                suite(enregistrement(identity::Ressource::Professionnel(professionnel), reprise))
            }
            rpps::Lecture::Refus { ligne, fautes, contenu } => {
                suite(Lue::Refus(LigneRefusee { ligne, fautes, contenu }))
            }
        })
        .map(|r| {
            comptes.extend([("lignes", r.lignes), ("doublons", r.doublons)]);
            r.constats
        }),
        _ => finess_plus::lire(&mut tuyau, &mut |l| match l {
            finess_plus::Lecture::Enregistrement(s) => {
                suite(enregistrement(identity::Ressource::StructureFiness(s), false))
            }
            finess_plus::Lecture::Refus { ordinal, fautes, contenu } => {
                suite(Lue::Refus(LigneRefusee { ligne: ordinal, fautes, contenu }))
            }
        })
        .map(|r| {
            comptes.extend([
                ("gco", r.gco),
                ("gcc", r.gcc),
                ("pmej", r.pmej),
                ("ege", r.ege),
                ("adresses", r.adresses),
                ("adresses-sans-coordonnees", r.adresses_sans_coordonnees),
            ]);
            r.constats
        }),
    };
    // The hash covers what was received, read or not.
    let mut reste = [0u8; 64 * 1024];
    while matches!(tuyau.read(&mut reste), Ok(n) if n > 0) {}
    let sha256 = tuyau.hache.finalize().iter().map(|o| format!("{o:02x}")).collect();
    match resultat {
        Ok(constats) => FinDeLecture { comptes, constats, sha256, erreur: None },
        Err(e) => FinDeLecture { comptes, constats: BTreeMap::new(), sha256, erreur: Some(e) },
    }
}

struct Bilan {
    edition: Uuid,
    essai: bool,
    lus: u64,
    refuses: u64,
    par_genre: BTreeMap<&'static str, Compte>,
    vus: BTreeMap<&'static str, HashSet<Uuid>>,
    dits: Vec<LigneRefusee>,
}

impl Bilan {
    fn nouveau(edition: Uuid, essai: bool) -> Self {
        Self {
            edition,
            essai,
            lus: 0,
            refuses: 0,
            par_genre: BTreeMap::new(),
            vus: BTreeMap::new(),
            dits: Vec::new(),
        }
    }

    async fn refuser(&mut self, magasin: &Magasin, l: LigneRefusee) -> Resultat<()> {
        if !self.essai {
            store::garder_refus(magasin.pool(), self.edition, self.refuses, std::slice::from_ref(&l)).await?;
        }
        self.refuses += 1;
        if self.dits.len() < REFUS_DITS {
            self.dits.push(l);
        }
        Ok(())
    }

    fn compter(&mut self, r: &Identity, issue: Issue, reprise: bool) {
        let (genre, ouvert) = nature(r);
        let c = self
            .par_genre
            .entry(genre)
            .or_insert_with(|| Compte { genre: genre.to_owned(), ..Default::default() });
        if !reprise {
            self.lus += 1;
            c.lus += 1;
            if ouvert {
                c.ouverts += 1
            } else {
                c.fermes += 1
            }
            match issue {
                Issue::Cree => c.crees += 1,
                Issue::Modifie => c.modifies += 1,
                Issue::Inchange => c.inchanges += 1,
                _ => c.refuses += 1,
            }
        }
        if let Ok(id) = Uuid::parse_str(r.id()) {
            self.vus.entry(r.genre().unwrap_or_default()).or_default().insert(id);
        }
    }

    async fn rapport(
        mut self,
        magasin: &Magasin,
        fin: FinDeLecture,
        complet: bool,
        debut: Instant,
    ) -> Resultat<RapportEdition> {
        let mut constats: Vec<Constat> = fin
            .constats
            .iter()
            .map(|(regle, n)| Constat {
                regle: (*regle).to_owned(),
                message: message_constat(regle).to_owned(),
                nombre: *n,
            })
            .collect();
        constats.extend(fin.comptes.iter().map(|(r, n)| Constat {
            regle: (*r).to_owned(),
            message: String::new(),
            nombre: *n,
        }));
        if complet && !self.essai {
            // Known before and not in this edition: told, never closed for that.
            for (genre, vus) in &self.vus {
                let absents = magasin.compter(genre).await?.saturating_sub(vus.len() as u64);
                if absents > 0 {
                    constats.push(Constat {
                        regle: format!("absents-{genre}"),
                        message:
                            "Enregistrements connus, absents de cette édition ; rien n'est fermé pour cela."
                                .into(),
                        nombre: absents,
                    });
                    if let Some(c) = self.par_genre.values_mut().next() {
                        c.absents = absents;
                    }
                }
            }
        }
        if self.refuses > 0 {
            let c = self
                .par_genre
                .entry("refus")
                .or_insert_with(|| Compte { genre: "refus".into(), ..Default::default() });
            c.refuses = self.refuses;
        }
        Ok(RapportEdition {
            edition_id: self.edition.to_string(),
            comptes: self.par_genre.into_values().collect(),
            constats,
            refus: self.dits,
            duree_ms: u64::try_from(debut.elapsed().as_millis()).unwrap_or(u64::MAX),
            sha256: fin.sha256,
            essai: self.essai,
        })
    }
}

/// Name of the kind in reports, and whether the record is open.
fn nature(r: &Identity) -> (&'static str, bool) {
    match &r.ressource {
        Some(identity::Ressource::StructureFiness(s)) => (
            if s.entite_juridique { "entite_juridique" } else { "entite_geographique" },
            s.type_fermeture.is_empty(),
        ),
        Some(identity::Ressource::Professionnel(p)) => ("professionnel", p.actif),
        None => ("inconnu", false),
    }
}

fn identifiants(r: &Identity) -> Vec<Identifiant> {
    let (systeme, valeur) = match &r.ressource {
        Some(identity::Ressource::StructureFiness(s)) => ("finess", &s.num_finess),
        Some(identity::Ressource::Professionnel(p)) => ("idNatPS", &p.id_nat_ps),
        None => return Vec::new(),
    };
    vec![Identifiant { systeme, valeur: valeur.clone(), unique: true }]
}

async fn ecrire(magasin: &Magasin, lot: &mut Vec<(Identity, bool)>, bilan: &mut Bilan) -> Resultat<()> {
    if lot.is_empty() {
        return Ok(());
    }
    let provenance = Provenance {
        region: String::new(),
        canal: Canal::Referentiel as i32,
        epoque: 0,
        auteur: bilan.edition.to_string(),
    };
    let demandes: Vec<Demande> = lot
        .iter()
        .map(|(r, _)| Demande {
            id: r.id().to_owned(),
            genre: r.genre().unwrap_or_default(),
            version_attendue: 0,
            recu: Bytes::new(),
        })
        .collect();
    if bilan.essai {
        let connus = magasin.lire_lot(&demandes.iter().map(|d| d.id.clone()).collect::<Vec<_>>()).await?;
        for (r, reprise) in lot.iter() {
            let courant = connus.iter().find(|l| l.id == r.id());
            let issue = match courant {
                None => Issue::Cree,
                Some(c) if proposer(r, *reprise, Some(c)).etat() == c.etat => Issue::Inchange,
                Some(_) => Issue::Modifie,
            };
            bilan.compter(r, issue, *reprise);
        }
        lot.clear();
        return Ok(());
    }
    let resultats = magasin
        .ecrire(&provenance, None, &demandes, |i, courant| {
            let (r, reprise) = &lot[i];
            let r = proposer(r, *reprise, courant);
            Decision::Ecrire {
                region: r.meta().map(|m| m.region.clone()).unwrap_or_default(),
                etat: r.etat(),
                identifiants: Some(identifiants(&r)),
            }
        })
        .await?;
    for ((r, reprise), res) in lot.iter().zip(&resultats) {
        bilan.compter(r, res.issue(), *reprise);
        if res.issue() == Issue::Refuse {
            bilan
                .refuser(
                    magasin,
                    LigneRefusee { ligne: 0, fautes: res.fautes.clone(), contenu: String::new() },
                )
                .await?;
        }
    }
    lot.clear();
    Ok(())
}

/// The record to keep: its creation date is that of its first load; a person met
/// again in the same file is merged with what was just written.
fn proposer(r: &Identity, reprise: bool, courant: Option<&Ligne>) -> Identity {
    let mut r = r.clone();
    let present = courant.and_then(|c| Identity::depuis(c).ok());
    if reprise
        && let Some(identity::Ressource::Professionnel(base)) =
            present.as_ref().and_then(|p| p.ressource.clone())
        && let Some(identity::Ressource::Professionnel(p)) = r.ressource.take()
    {
        let mut base = base;
        rpps::fusionner(&mut base, p);
        r.ressource = Some(identity::Ressource::Professionnel(base));
    }
    let creation = present.as_ref().and_then(|p| p.meta()).and_then(|m| m.date_creation);
    let meta: &mut Meta = match r.meta_mut() {
        Some(m) => m,
        None => return r,
    };
    meta.date_creation = Some(creation.unwrap_or_else(|| horodatage(ror_chassis::conversion::maintenant())));
    r
}
