//! Records and changes written, in large batches, in the one transaction of the load.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use ror_chassis::{
    Resultat,
    conversion::horodatage,
    magasin::{Bloc, Copie, Ecriture, Encodeur, Ligne, Pretes},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    common::v1::{Faute, ResultatEcriture},
    identity::v1::{Changement, Format, Identity, LigneRefusee, identity::Ressource},
};
use uuid::Uuid;

use super::{
    anomalies::Anomalies,
    comptes::Comptes,
    differes::{Groupe, Groupes},
    jauge::Jauge,
    journal::par_lots,
    nouvelles::{Nouvelles, Relues},
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
/// New records written together: they come by order of id, and a batch is encoded while
/// the one before it is written.
const NOUVELLES: usize = 4_096;
/// Bytes of state of new records written together.
const OCTETS_NOUVELLES: usize = 4 * 1024 * 1024;
/// Records compared together.
const COMPARES: usize = 500;
/// Changes told in the report.
const DITS: usize = 1_000;

/// What became of a record written.
struct Suivi {
    ligne: u64,
    /// Rank of what it tells, where it is known before the writing.
    rang: u64,
    version: u64,
    genre: &'static str,
    /// With version and line.
    changements: Vec<Changement>,
}

/// New records, ready to be written.
struct Lot {
    pretes: Pretes,
    suivis: Vec<Suivi>,
    changements: Copie,
}

/// Lines the store refused, and why.
type Refusees = Vec<(u64, Vec<Faute>)>;

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
        let (suivis, refusees) = self.compter(suivis, refusees);
        for (ligne, fautes) in refusees {
            self.refuser(ligne, fautes)?;
        }
        let mut changements = Vec::with_capacity(suivis.len());
        for c in suivis.into_iter().flat_map(|s| s.changements) {
            changements.push(self.ranger(bloc, c));
        }
        changements.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        store::changements::ajouter(bloc.connexion(), self.edition, changements).await
    }

    /// Counts what was written; what the store refused comes apart.
    fn compter(&mut self, suivis: Vec<Suivi>, refusees: Vec<ResultatEcriture>) -> (Vec<Suivi>, Refusees) {
        let refusees: HashMap<String, ResultatEcriture> =
            refusees.into_iter().map(|r| (r.id.clone(), r)).collect();
        let (mut ecrits, mut refus) = (Vec::with_capacity(suivis.len()), Vec::new());
        for s in suivis {
            let id = s.changements.first().map(|c| c.id.as_str()).unwrap_or_default();
            if let Some(r) = refusees.get(id) {
                self.comptes.refuser(s.genre);
                refus.push((s.ligne, r.fautes.clone()));
                continue;
            }
            self.comptes.ecrire(s.genre, s.version == 1, &s.changements);
            self.juge.compter(&s.changements);
            ecrits.push(s);
        }
        (ecrits, refus)
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
            self.dits.push(self.dit(bloc, &c));
        }
        let rang = self.rang;
        self.rang += 1;
        (rang, c)
    }

    fn refuser(&mut self, ligne: u64, fautes: Vec<Faute>) -> Resultat<()> {
        self.refus.ajouter(LigneRefusee { ligne, fautes, contenu: String::new() })
    }

    /// A change as the report tells it.
    fn dit(&self, bloc: &Bloc, c: &Changement) -> Changement {
        Changement {
            edition_id: self.edition.to_string(),
            connu_le: Some(horodatage(bloc.date())),
            ..c.clone()
        }
    }

    /// Writes the new records, which come first: each is encoded in a thread of its own,
    /// while others are being written. What is told of them is in the order of the file.
    pub(super) async fn ecrire_nouvelles(
        &mut self,
        bloc: &mut Bloc,
        nouvelles: Nouvelles,
        jauge: &Jauge,
    ) -> Resultat<()> {
        self.rang += nouvelles.nombre();
        let (encodeur, edition) = (bloc.encodeur(), self.edition);
        let mut relues = nouvelles.relire();
        let mut lots = par_lots(1, move || preparer(&mut relues, &encodeur, edition));
        let mut premiers = BTreeMap::new();
        let mut refus = Refusees::new();
        while let Some(lots) = lots.recv().await {
            for Lot { pretes, suivis, changements } in lots? {
                let nombre = suivis.len() as u64;
                let refusees = bloc.ecrire_pretes(pretes).await?;
                let tous_ecrits = refusees.is_empty();
                let (suivis, refusees) = self.compter(suivis, refusees);
                refus.extend(refusees);
                let changements = if tous_ecrits {
                    changements
                } else {
                    store::changements::encoder(edition, ranges(&suivis))
                };
                store::changements::copier(bloc.connexion(), changements).await?;
                for (rang, c) in ranges(&suivis) {
                    retenir(&mut premiers, rang, || self.dit(bloc, c));
                }
                jauge.compter(nombre);
            }
        }
        let place = DITS.saturating_sub(self.dits.len());
        self.dits.extend(premiers.into_values().take(place));
        refus.sort_by_key(|(ligne, _)| *ligne);
        for (ligne, fautes) in refus {
            self.refuser(ligne, fautes)?;
        }
        Ok(())
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

/// Makes the next new records ready; None when there are no more.
fn preparer(relues: &mut Relues, encodeur: &Encodeur, edition: Uuid) -> Resultat<Option<Lot>> {
    let (mut ecritures, mut suivis) = (Vec::new(), Vec::new());
    let mut octets = 0;
    while ecritures.len() < NOUVELLES && octets < OCTETS_NOUVELLES {
        let Some(nouvelle) = relues.suivante()? else {
            break;
        };
        octets += nouvelle.etat.len();
        let fiche = Identity::decode(nouvelle.etat.clone())?;
        if let Some(p) = Proposition::creee(&fiche, nouvelle.etat, nouvelle.ligne) {
            let (ecriture, suivi) = separer(p);
            ecritures.push(ecriture);
            suivis.push(Suivi { rang: nouvelle.rang, ..suivi });
        }
    }
    if ecritures.is_empty() {
        return Ok(None);
    }
    let changements = store::changements::encoder(edition, ranges(&suivis));
    Ok(Some(Lot { pretes: encodeur.preparer(ecritures), suivis, changements }))
}

/// What records tell, with the rank of each; a new one tells one thing.
fn ranges(suivis: &[Suivi]) -> impl Iterator<Item = (u64, &Changement)> {
    suivis.iter().flat_map(|s| s.changements.iter().map(|c| (s.rang, c)))
}

/// Keeps the first [`DITS`] changes, in whatever order they come.
fn retenir(premiers: &mut BTreeMap<u64, Changement>, rang: u64, dire: impl FnOnce() -> Changement) {
    let dernier = premiers.last_key_value().map(|(dernier, _)| *dernier);
    if premiers.len() >= DITS && dernier.is_some_and(|dernier| dernier < rang) {
        return;
    }
    premiers.insert(rang, dire());
    if premiers.len() > DITS {
        premiers.pop_last();
    }
}

fn separer(p: Proposition) -> (Ecriture, Suivi) {
    let Proposition { ecriture, genre, mut changements, ligne } = p;
    for c in &mut changements {
        (c.version, c.ligne) = (ecriture.version, ligne);
    }
    let suivi = Suivi { ligne, rang: 0, version: ecriture.version, genre, changements };
    (ecriture, suivi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_changes_are_told_in_the_order_of_the_file() {
        let mut premiers = BTreeMap::new();
        let nombre = 3 * DITS as u64;
        // 7 has no divisor in common: every rank comes, in no order.
        for n in 0..nombre {
            let rang = n * 7 % nombre;
            retenir(&mut premiers, rang, || Changement { ligne: rang + 2, ..Changement::default() });
            assert!(premiers.len() <= DITS);
        }
        let lignes: Vec<u64> = premiers.into_values().map(|c| c.ligne).collect();
        assert_eq!(lignes, (2..DITS as u64 + 2).collect::<Vec<_>>());
    }
}
