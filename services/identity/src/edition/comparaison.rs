//! Each record read, compared with the fingerprints of what is known. An equal one
//! stops here; a new one goes to be written; the others wait for the end of the file.

use std::{
    sync::{
        Arc, Weak,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use prost::Message;
use ror_chassis::{Erreur, Resultat, erreur::faute};
use ror_proto::{
    common::v1::Faute,
    identity::v1::{Format, Identity, LigneRefusee, StructureFiness, identity::Ressource},
};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{
    anomalies::Anomalies,
    comptes::Comptes,
    connus::{Connus, Rencontre},
    differes::Differes,
    jauge::Jauge,
    journal::Journal,
    lecture::{Element, Fiche, elements},
    nouvelles::Nouvelles,
    refus::Refus,
    successions::Successions,
};
use crate::{
    difference::{ENTITE_GEOGRAPHIQUE, ENTITE_JURIDIQUE, divergences},
    formats::tous,
};

/// Between two looks at whether what is known is there, when nothing is read either.
const PATIENCE: Duration = Duration::from_millis(5);

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

/// What the comparison gives.
#[derive(Debug)]
pub(super) struct Comparee {
    /// What was gathered.
    pub(super) bilan: Bilan,
    /// Records never seen.
    pub(super) nouvelles: Nouvelles,
    /// Records to be compared with what is known, whole.
    pub(super) differes: Differes,
}

/// Compares in a thread of its own.
pub(super) struct Comparaison {
    format: Format,
    /// True when records of the kind were known before.
    suivie: bool,
    /// The last legal entity read.
    ej: Option<StructureFiness>,
    jauge: Arc<Jauge>,
    /// Gone when nobody waits for the comparison any more.
    presence: Weak<()>,
    comparee: Comparee,
}

impl Comparaison {
    /// Ready to compare, as long as `presence` is held.
    pub(super) fn nouvelle(format: Format, jauge: Arc<Jauge>, presence: &Arc<()>) -> Resultat<Self> {
        let bilan = Bilan {
            comptes: Comptes::default(),
            refus: Refus::nouveau()?,
            anomalies: Anomalies::nouvelles()?,
            successions: Successions::default(),
            connus: Connus::default(),
            exclus: 0,
        };
        let comparee = Comparee { bilan, nouvelles: Nouvelles::default(), differes: Differes::nouveaux()? };
        let presence = Arc::downgrade(presence);
        Ok(Self { format, suivie: false, ej: None, jauge, presence, comparee })
    }

    /// Compares what a reader sends, until it ends, with what is known, once it is there.
    pub(super) fn mener(
        mut self,
        lots: &Receiver<Vec<u8>>,
        connus: oneshot::Receiver<Connus>,
    ) -> Resultat<Comparee> {
        let mut attente = self.attendre(lots, connus)?.relire()?;
        while let Some((_, lot)) = attente.suivant()? {
            self.recevoir(&lot)?;
        }
        drop(attente);
        for lot in lots {
            self.recevoir(&lot)?;
        }
        Ok(self.comparee)
    }

    /// Takes what is known; what is read before it is there waits on disk, so that neither
    /// waits for the other.
    fn attendre(
        &mut self,
        lots: &Receiver<Vec<u8>>,
        mut reception: oneshot::Receiver<Connus>,
    ) -> Resultat<Journal> {
        let mut attente = Journal::nouveau()?;
        let mut connus = loop {
            match reception.try_recv() {
                Ok(connus) => break connus,
                Err(TryRecvError::Closed) => return Err(interrompu()),
                Err(TryRecvError::Empty) => {}
            }
            match lots.recv_timeout(PATIENCE) {
                Ok(lot) => attente.ajouter(&[&lot]).map(drop)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    break reception.blocking_recv().map_err(|_| interrompu())?;
                }
            }
        };
        connus.ordonner();
        self.suivie = connus.nombre() > 0;
        self.comparee.bilan.connus = connus;
        Ok(attente)
    }

    fn recevoir(&mut self, lot: &[u8]) -> Resultat<()> {
        if self.presence.strong_count() == 0 {
            return Err(interrompu());
        }
        let mut faites = 0;
        for element in elements(lot) {
            match element? {
                Element::Nommee(cle) => self.comparee.bilan.connus.nommer(&cle),
                Element::Refus(refus) => self.comparee.bilan.refus.ajouter(refus)?,
                Element::Fiche(fiche) => faites += u64::from(self.comparer(fiche)?),
            }
        }
        self.jauge.compter(faites);
        Ok(())
    }

    /// Whether there is nothing more to do with the record before the end of the file: a new
    /// one counts when it is written.
    fn comparer(&mut self, f: Fiche<'_>) -> Resultat<bool> {
        let Comparee { bilan, nouvelles, differes } = &mut self.comparee;
        if f.exclue {
            bilan.exclus += u64::from(!f.suite);
            bilan.connus.laisser(&f.cle);
            if let Some(s) = structure(self.format, f.etat)? {
                self.examiner(f.ligne, s)?;
            }
            return Ok(true);
        }
        if f.suite {
            differes.suite(f.cle, f.ligne, f.etat)?;
            return Ok(true);
        }
        let rencontre = bilan.connus.rencontrer(&f.cle, &f.empreinte);
        if rencontre == Rencontre::Encore {
            self.refuser(f)?;
            return Ok(true);
        }
        let lue = structure(self.format, f.etat)?;
        let nouvelle = rencontre == Rencontre::Nouvelle && tous::complet(self.format);
        if nouvelle {
            if let Some(s) = lue.as_ref().filter(|_| self.suivie) {
                bilan.successions.creer(s);
            }
            nouvelles.ajouter(&f.cle, f.ligne, f.etat)?;
        } else if rencontre == Rencontre::Egale {
            bilan.comptes.laisser(f.genre);
        } else {
            differes.premiere(f.cle, f.ligne, f.etat)?;
        }
        bilan.comptes.noter(f.genre, f.situation);
        if let Some(s) = lue {
            self.examiner(f.ligne, s)?;
        }
        Ok(!nouvelle)
    }

    /// A second record of the same id.
    fn refuser(&mut self, f: Fiche<'_>) -> Resultat<()> {
        if matches!(f.genre, ENTITE_JURIDIQUE | ENTITE_GEOGRAPHIQUE) {
            self.comparee.differes.doublon(f.cle, f.ligne, f.etat)?;
        }
        let fautes = vec![en_double()];
        self.comparee.bilan.refus.ajouter(LigneRefusee { ligne: f.ligne, fautes, contenu: String::new() })
    }

    /// Looks for structures that contradict themselves.
    fn examiner(&mut self, ligne: u64, s: StructureFiness) -> Resultat<()> {
        let ej = self.ej.as_ref().filter(|ej| !s.entite_juridique && ej.num_finess == s.num_finess_ej);
        for anomalie in divergences::structure(&s, ej) {
            self.comparee.bilan.anomalies.ajouter(anomalie, ligne)?;
        }
        if s.entite_juridique {
            self.ej = Some(s);
        }
        Ok(())
    }
}

/// The structure a state holds: only of the format that gives each legal entity, then its
/// sites, so that one may be compared with the other.
fn structure(format: Format, etat: &[u8]) -> Resultat<Option<StructureFiness>> {
    if format != Format::FinessStructures {
        return Ok(None);
    }
    Ok(match Identity::decode(etat)?.ressource {
        Some(Ressource::StructureFiness(s)) => Some(s),
        _ => None,
    })
}

fn interrompu() -> Erreur {
    Erreur::interne("chargement interrompu")
}

fn en_double() -> Faute {
    faute(
        "numero",
        "numero-en-double",
        "Ce numéro est celui d'un enregistrement déjà lu dans ce fichier.",
        "un seul enregistrement par numéro",
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::mpsc::sync_channel};

    use ror_chassis::magasin::Connu;
    use ror_proto::{common::v1::Meta, identity::v1::Professionnel};

    use super::*;
    use crate::edition::{
        comptes::Situation,
        connus::{cle, empreinte},
        lecture::{ecrire_fiche, ecrire_refus},
    };

    const FORMAT: Format = Format::RppsPersonneActivite;

    fn etat(id: &str, nom: &str) -> Vec<u8> {
        let p = Professionnel {
            meta: Some(Meta { id: id.to_owned(), ..Meta::default() }),
            nom: nom.to_owned(),
            actif: true,
            ..Professionnel::default()
        };
        Identity { ressource: Some(Ressource::Professionnel(p)) }.encode_to_vec()
    }

    /// A batch of records by their ids and names; an empty name is a refusal.
    fn lot(debut: u64, fiches: &[(&str, &str)]) -> Vec<u8> {
        let mut lot = Vec::new();
        for (ligne, (id, nom)) in (debut..).zip(fiches) {
            if nom.is_empty() {
                ecrire_refus(&mut lot, &LigneRefusee { ligne, ..LigneRefusee::default() });
                continue;
            }
            let etat = etat(id, nom);
            let fiche = Fiche {
                ligne,
                cle: cle(id),
                empreinte: empreinte(&etat),
                genre: "professionnel",
                situation: Situation::de(&Identity::decode(etat.as_slice()).unwrap()),
                suite: id.ends_with("bis"),
                exclue: id.starts_with("exclu"),
                etat: &etat,
            };
            ecrire_fiche(&mut lot, &fiche);
        }
        lot
    }

    fn tenus(fiches: &[(&str, &str)]) -> Connus {
        let mut tenus = Connus::default();
        for (id, nom) in fiches {
            tenus.ajouter(Connu { id, retire: false, etat: &etat(id, nom) });
        }
        tenus
    }

    /// Lines of the new records.
    fn lignes(nouvelles: Nouvelles) -> HashSet<u64> {
        let mut relues = nouvelles.relire();
        std::iter::from_fn(|| relues.suivante().unwrap()).map(|n| n.ligne).collect()
    }

    #[test]
    fn what_is_read_before_what_is_known_is_there_is_compared_all_the_same() {
        for avant in [true, false] {
            // Nothing is sent that is not taken at once.
            let (envoi_lots, lots) = sync_channel(0);
            let (envoi, connus) = oneshot::channel();
            let presence = Arc::new(());
            let comparaison = Comparaison::nouvelle(FORMAT, Arc::default(), &presence).unwrap();
            let comparee = std::thread::spawn(move || comparaison.mener(&lots, connus));
            let lus = [
                lot(2, &[("a", "A"), ("b", "AUTRE"), ("c", "C"), ("", "")]),
                lot(6, &[("exclu", "X"), ("c", "C"), ("a-bis", "A2"), ("d", "D")]),
            ];
            let envoyer = || lus.iter().for_each(|lot| envoi_lots.send(lot.clone()).unwrap());
            if !avant {
                envoyer();
            }
            assert!(envoi.send(tenus(&[("a", "A"), ("b", "B"), ("exclu", "E")])).is_ok());
            if avant {
                envoyer();
            }
            drop(envoi_lots);
            let Comparee { bilan, nouvelles, differes } = comparee.join().unwrap().unwrap();
            assert_eq!(lignes(nouvelles), HashSet::from([4, 9]), "c and d");
            let refus: Vec<u64> = bilan.refus.dites().iter().map(|r| r.ligne).collect();
            assert_eq!(refus, [5, 7], "what was refused, then c again");
            assert_eq!((bilan.exclus, bilan.comptes.lus()), (1, 4));
            assert_eq!(bilan.connus.absents().count(), 0, "what is left out is not absent");
            let mut groupes = differes.relire().unwrap();
            let mut differes = Vec::new();
            while let Some(groupe) = groupes.suivant().unwrap() {
                differes.push(groupe.ligne);
            }
            assert_eq!(differes, [3, 8], "b, and what goes on with a record");
        }
    }

    #[test]
    fn nobody_waiting_ends_the_comparison() {
        let comparer = |lots: &Receiver<Vec<u8>>, connus, presence: Arc<()>| {
            let comparaison = Comparaison::nouvelle(FORMAT, Arc::default(), &presence).unwrap();
            drop(presence);
            comparaison.mener(lots, connus)
        };
        let (envoi_lots, lots) = sync_channel(8);
        envoi_lots.send(lot(2, &[("a", "A")])).unwrap();
        let (envoi, connus) = oneshot::channel::<Connus>();
        drop(envoi);
        let presence = Arc::new(());
        assert!(comparer(&lots, connus, presence.clone()).is_err(), "what is known will not come");
        let (envoi, connus) = oneshot::channel();
        assert!(envoi.send(tenus(&[])).is_ok());
        assert!(comparer(&lots, connus, Arc::new(())).is_err(), "nobody is there any more");
    }
}
