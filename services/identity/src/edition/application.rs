//! Records and changes written, in large batches, in the one transaction of the load.

use std::collections::HashMap;

use ror_chassis::{
    Resultat,
    conversion::horodatage,
    magasin::{Bloc, Ecriture, Ligne},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    common::v1::{Faute, ResultatEcriture},
    identity::v1::{Changement, Format, Identity, LigneRefusee, identity::Ressource},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    anomalies::Anomalies,
    comptes::Comptes,
    differes::{Groupe, Groupes},
    journal::par_lots,
    proposition::Proposition,
    refus::Refus,
    successions::Successions,
};
use crate::{
    difference::{Sujet, divergences, plausibilite},
    formats::tous,
    store,
};

/// Records written together: rows go in by order of id, and the larger the batch the
/// fewer pages of index it touches. About 1 kB each.
const LOT: usize = 65_536;
/// Bytes of state written together.
const OCTETS: usize = 48 * 1024 * 1024;
/// Records compared together.
const COMPARES: usize = 500;
/// Changes told in the report.
const DITS: usize = 1_000;

/// What became of a record written.
struct Suivi {
    ligne: u64,
    version: u64,
    genre: &'static str,
    changements: Vec<Changement>,
}

/// The writing of one edition.
pub(super) struct Application {
    edition: Uuid,
    format: Format,
    lot: Vec<Proposition>,
    octets: usize,
    rang: u64,
    /// Counts of what was written.
    pub(super) comptes: Comptes,
    /// Records refused by the store.
    pub(super) refus: Refus,
    /// Numbers delivered twice, absences.
    pub(super) anomalies: Anomalies,
    /// Sites closed and created.
    pub(super) successions: Successions,
    /// What the plausibility is judged on.
    pub(super) juge: plausibilite::Bilan,
    /// The first changes.
    pub(super) dits: Vec<Changement>,
    /// Records that nothing known completes.
    pub(super) insuffisants: u64,
}

impl Application {
    /// Nothing written yet.
    pub(super) fn nouvelle(edition: Uuid, format: Format) -> Resultat<Self> {
        Ok(Self {
            edition,
            format,
            lot: Vec::new(),
            octets: 0,
            rang: 0,
            comptes: Comptes::default(),
            refus: Refus::nouveau()?,
            anomalies: Anomalies::nouvelles()?,
            successions: Successions::default(),
            juge: plausibilite::Bilan::default(),
            dits: Vec::new(),
            insuffisants: 0,
        })
    }

    /// Adds a record to be written; an id comes once between two [`Self::vider`].
    pub(super) async fn ajouter(&mut self, bloc: &mut Bloc, p: Proposition) -> Resultat<()> {
        self.octets += p.ecriture.etat.len();
        self.lot.push(p);
        if self.lot.len() >= LOT || self.octets >= OCTETS {
            self.vider(bloc).await?;
        }
        Ok(())
    }

    /// Writes what was added.
    pub(super) async fn vider(&mut self, bloc: &mut Bloc) -> Resultat<()> {
        self.octets = 0;
        let (ecritures, suivis): (Vec<Ecriture>, Vec<Suivi>) = self.lot.drain(..).map(separer).unzip();
        if ecritures.is_empty() {
            return Ok(());
        }
        let refusees = bloc.ecrire(ecritures).await?;
        let refusees: HashMap<String, ResultatEcriture> =
            refusees.into_iter().map(|r| (r.id.clone(), r)).collect();
        let mut changements = Vec::with_capacity(suivis.len());
        for s in suivis {
            let id = s.changements.first().map(|c| c.id.as_str()).unwrap_or_default();
            if let Some(r) = refusees.get(id) {
                self.comptes.refuser(s.genre);
                self.refuser(s.ligne, r.fautes.clone())?;
                continue;
            }
            self.comptes.ecrire(s.genre, s.version == 1, &s.changements);
            self.juge.compter(&s.changements);
            for mut c in s.changements {
                (c.version, c.ligne) = (s.version, s.ligne);
                changements.push(self.ranger(bloc, c));
            }
        }
        changements.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        store::changements::ajouter(bloc.connexion(), self.edition, changements).await
    }

    /// Records changes of records that are not written.
    pub(super) async fn signaler(
        &mut self,
        bloc: &mut Bloc,
        changements: Vec<(&'static str, Changement)>,
    ) -> Resultat<()> {
        let mut ranges = Vec::with_capacity(changements.len());
        for (genre, c) in changements {
            self.comptes.signaler(genre, c.operation());
            ranges.push(self.ranger(bloc, c));
        }
        store::changements::ajouter(bloc.connexion(), self.edition, ranges).await
    }

    /// Gives a change its rank, and tells it when it is among the first.
    fn ranger(&mut self, bloc: &Bloc, c: Changement) -> (u64, Changement) {
        if self.dits.len() < DITS {
            self.dits.push(Changement {
                edition_id: self.edition.to_string(),
                connu_le: Some(horodatage(bloc.date())),
                ..c.clone()
            });
        }
        let rang = self.rang;
        self.rang += 1;
        (rang, c)
    }

    fn refuser(&mut self, ligne: u64, fautes: Vec<Faute>) -> Resultat<()> {
        self.refus.ajouter(LigneRefusee { ligne, fautes, contenu: String::new() })
    }

    /// Writes what comes, until nothing comes any more.
    pub(super) async fn ecrire_nouvelles(
        &mut self,
        bloc: &mut Bloc,
        mut lots: mpsc::Receiver<Vec<Proposition>>,
    ) -> Resultat<()> {
        while let Some(lot) = lots.recv().await {
            for p in lot {
                self.ajouter(bloc, p).await?;
            }
        }
        self.vider(bloc).await
    }

    /// Compares what waited with what is known, and writes what differs.
    pub(super) async fn ecrire_differees(&mut self, bloc: &mut Bloc, mut groupes: Groupes) -> Resultat<()> {
        let mut lots = par_lots(COMPARES, move || groupes.suivant());
        while let Some(lot) = lots.recv().await {
            let lot = lot?;
            let ids: Vec<String> = lot.iter().filter_map(|g| g.id().map(str::to_owned)).collect();
            let lues = bloc.etats(&ids).await?;
            let connues: HashMap<&str, &Ligne> = lues.iter().map(|l| (l.id.as_str(), l)).collect();
            for groupe in lot {
                let connue = groupe.id().and_then(|id| connues.get(id).copied());
                if let Some(p) = self.comparer(groupe, connue)? {
                    self.ajouter(bloc, p).await?;
                }
            }
        }
        self.vider(bloc).await
    }

    /// The record of a group, laid over what is known.
    fn comparer(&mut self, groupe: Groupe, connue: Option<&Ligne>) -> Resultat<Option<Proposition>> {
        let tenue = connue.filter(|l| !l.retire).map(Identity::depuis).transpose()?;
        let base = tenue.as_ref().and_then(|t| t.ressource.as_ref());
        if groupe.doublon {
            self.doubler(base, &groupe)?;
            return Ok(None);
        }
        let entier = groupe.parties.first().is_some_and(|(suite, _)| !suite);
        let mut superposee = None;
        for (suite, partie) in groupe.parties {
            if let Some(lue) = partie.ressource {
                let dessous = superposee.as_ref().or(base);
                superposee = tous::superposer(self.format, dessous, lue, suite).or(superposee);
            }
        }
        let mut apres = Identity { ressource: superposee };
        let Some(genre) = Sujet::de(&apres).map(|s| s.genre) else {
            self.insuffisants += u64::from(tenue.is_none());
            return Ok(None);
        };
        let version = connue.map_or(0, |l| l.version) + 1;
        let proposition = Proposition::nouvelle(tenue.as_ref(), version, &mut apres, groupe.ligne);
        match &proposition {
            Some(p) => self.successions.noter(&apres, &p.changements),
            // The first part of the others was counted when it was read.
            None if entier => self.comptes.laisser(genre),
            None => {}
        }
        Ok(proposition)
    }

    fn doubler(&mut self, connue: Option<&Ressource>, groupe: &Groupe) -> Resultat<()> {
        let seconde = groupe.parties.first().and_then(|(_, i)| i.ressource.as_ref());
        if let (Some(Ressource::StructureFiness(premiere)), Some(Ressource::StructureFiness(seconde))) =
            (connue, seconde)
            && let Some(anomalie) = divergences::doublon(premiere, seconde)
        {
            self.anomalies.ajouter(anomalie, groupe.ligne)?;
        }
        Ok(())
    }
}

fn separer(p: Proposition) -> (Ecriture, Suivi) {
    let suivi =
        Suivi { ligne: p.ligne, version: p.ecriture.version, genre: p.genre, changements: p.changements };
    (p.ecriture, suivi)
}
