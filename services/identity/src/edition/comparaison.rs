//! Each record read, compared with the fingerprints of what is known. An equal one
//! stops here; a new one goes to be written; the others wait for the end of the file.

use std::{
    collections::HashSet,
    ops::ControlFlow,
    sync::{Arc, mpsc::Receiver},
};

use ror_chassis::{Erreur, Resultat, erreur::faute};
use ror_proto::{
    common::v1::Faute,
    identity::v1::{Format, Identity, LigneRefusee, StructureFiness, identity::Ressource},
};
use tokio::sync::mpsc;

use super::{
    anomalies::Anomalies,
    comptes::Comptes,
    connus::{self, Cle, Connus, Rencontre, empreinte},
    differes::Differes,
    jauge::Jauge,
    proposition::{Proposition, etat},
    refus::Refus,
    successions::Successions,
};
use crate::{
    difference::{Sujet, divergences},
    formats::{Lecture, tous},
};

/// Records sent at once to be written.
const LOT: usize = 500;

/// What the comparison gathers.
#[derive(Debug)]
pub(super) struct Bilan {
    /// Counts of what was read.
    pub(super) comptes: Comptes,
    /// Lines refused.
    pub(super) refus: Refus,
    /// Structures that contradict themselves.
    pub(super) anomalies: Anomalies,
    /// Sites created.
    pub(super) successions: Successions,
    /// What is known, and what of it the file holds.
    pub(super) connus: Connus,
    /// Records left out by a person.
    pub(super) exclus: u64,
}

/// Compares in a thread of its own.
pub(super) struct Comparaison {
    format: Format,
    /// Keys a person leaves out.
    exclues: HashSet<String>,
    /// True when records of the kind were known before.
    suivie: bool,
    /// The last legal entity read.
    ej: Option<StructureFiness>,
    lot: Vec<Proposition>,
    envoi: mpsc::Sender<Vec<Proposition>>,
    jauge: Arc<Jauge>,
    differes: Differes,
    bilan: Bilan,
}

impl Comparaison {
    /// Ready to compare; new records go to `envoi`.
    pub(super) fn nouvelle(
        format: Format,
        exclues: HashSet<String>,
        connus: Connus,
        envoi: mpsc::Sender<Vec<Proposition>>,
        jauge: Arc<Jauge>,
    ) -> Resultat<Self> {
        let bilan = Bilan {
            comptes: Comptes::default(),
            refus: Refus::nouveau()?,
            anomalies: Anomalies::nouvelles()?,
            successions: Successions::default(),
            connus,
            exclus: 0,
        };
        let suivie = bilan.connus.nombre() > 0;
        let differes = Differes::nouveaux()?;
        Ok(Self { format, exclues, suivie, ej: None, lot: Vec::new(), envoi, jauge, differes, bilan })
    }

    /// Compares what a reader sends, until it ends; what waits comes apart.
    pub(super) fn mener(mut self, lectures: &Receiver<Vec<Lecture>>) -> Resultat<(Bilan, Differes)> {
        for lot in lectures {
            for lecture in lot {
                if self.recevoir(lecture)?.is_break() {
                    return Err(Erreur::interne("chargement interrompu"));
                }
            }
        }
        if self.envoyer().is_break() {
            return Err(Erreur::interne("chargement interrompu"));
        }
        Ok((self.bilan, self.differes))
    }

    fn recevoir(&mut self, lecture: Lecture) -> Resultat<ControlFlow<()>> {
        match lecture {
            Lecture::Refus { ligne, fautes, contenu } => {
                self.bilan.refus.ajouter(LigneRefusee { ligne, fautes, contenu })?;
                Ok(ControlFlow::Continue(()))
            }
            Lecture::Enregistrement { ligne, ressource, suite } => {
                self.jauge.compter();
                self.comparer(ligne, Identity { ressource: Some(*ressource) }, suite)
            }
        }
    }

    fn comparer(&mut self, ligne: u64, mut lue: Identity, suite: bool) -> Resultat<ControlFlow<()>> {
        let etat = etat(&mut lue);
        let Some(sujet) = Sujet::de(&lue) else {
            return Ok(ControlFlow::Continue(()));
        };
        let (genre, cle) = (sujet.genre, connus::cle(sujet.id));
        if self.exclues.contains(sujet.cle) {
            self.bilan.exclus += u64::from(!suite);
            self.bilan.connus.laisser(&cle);
            self.examiner(ligne, lue)?;
            return Ok(ControlFlow::Continue(()));
        }
        if suite {
            self.differes.suite(cle, ligne, &etat)?;
            return Ok(ControlFlow::Continue(()));
        }
        match self.bilan.connus.rencontrer(&cle, &empreinte(&etat)) {
            Rencontre::Encore => {
                self.refuser(ligne, cle, &lue, &etat)?;
                return Ok(ControlFlow::Continue(()));
            }
            Rencontre::Egale => self.bilan.comptes.laisser(genre),
            Rencontre::Nouvelle if tous::complet(self.format) => {
                if let Some(p) = Proposition::creee(&lue, etat, ligne) {
                    if self.suivie {
                        self.bilan.successions.noter(&lue, &p.changements);
                    }
                    self.lot.push(p);
                }
            }
            Rencontre::Nouvelle | Rencontre::Differente => {
                self.differes.premiere(cle, ligne, &etat)?;
            }
        }
        self.bilan.comptes.lire(genre, &lue);
        self.examiner(ligne, lue)?;
        Ok(if self.lot.len() < LOT { ControlFlow::Continue(()) } else { self.envoyer() })
    }

    /// A second record of the same id.
    fn refuser(&mut self, ligne: u64, cle: Cle, lue: &Identity, etat: &[u8]) -> Resultat<()> {
        if matches!(lue.ressource, Some(Ressource::StructureFiness(_))) {
            self.differes.doublon(cle, ligne, etat)?;
        }
        let fautes = vec![en_double()];
        self.bilan.refus.ajouter(LigneRefusee { ligne, fautes, contenu: String::new() })
    }

    /// Looks for structures that contradict themselves: only where an edition gives
    /// each legal entity, then its sites.
    fn examiner(&mut self, ligne: u64, lue: Identity) -> Resultat<()> {
        let (Format::FinessStructures, Some(Ressource::StructureFiness(s))) = (self.format, lue.ressource)
        else {
            return Ok(());
        };
        let ej = self.ej.as_ref().filter(|ej| !s.entite_juridique && ej.num_finess == s.num_finess_ej);
        for anomalie in divergences::structure(&s, ej) {
            self.bilan.anomalies.ajouter(anomalie, ligne)?;
        }
        if s.entite_juridique {
            self.ej = Some(s);
        }
        Ok(())
    }

    fn envoyer(&mut self) -> ControlFlow<()> {
        let lot = std::mem::take(&mut self.lot);
        match self.envoi.blocking_send(lot) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

fn en_double() -> Faute {
    faute(
        "numero",
        "numero-en-double",
        "Ce numéro est celui d'un enregistrement déjà lu dans ce fichier.",
        "un seul enregistrement par numéro",
    )
}
