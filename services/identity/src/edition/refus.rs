//! Lines refused along an edition: the first ones told in the report, all of them
//! kept, in the transaction that records the edition.

use prost::Message;
use ror_chassis::Resultat;
use ror_proto::identity::v1::LigneRefusee;
use sqlx::PgConnection;
use uuid::Uuid;

use super::journal::{Journal, par_lots};
use crate::store;

/// Lines told in the report.
const DITES: usize = 1_000;
/// Lines of one statement.
const LOT: usize = 1_000;

/// The refused lines.
#[derive(Debug)]
pub(super) struct Refus {
    dites: Vec<LigneRefusee>,
    journal: Journal,
}

impl Refus {
    /// None yet.
    pub(super) fn nouveau() -> Resultat<Self> {
        Ok(Self { dites: Vec::new(), journal: Journal::nouveau()? })
    }

    /// Adds one.
    pub(super) fn ajouter(&mut self, ligne: LigneRefusee) -> Resultat<()> {
        self.journal.ajouter(&[&ligne.encode_to_vec()])?;
        if self.dites.len() < DITES {
            self.dites.push(ligne);
        }
        Ok(())
    }

    /// How many.
    pub(super) fn nombre(&self) -> u64 {
        self.journal.nombre()
    }

    /// The first ones.
    pub(super) fn dites(&self) -> &[LigneRefusee] {
        &self.dites
    }

    /// Adds those refused elsewhere.
    pub(super) fn absorber(&mut self, autres: Self) -> Resultat<()> {
        let mut relecture = autres.journal.relire()?;
        while let Some((_, octets)) = relecture.suivant()? {
            self.ajouter(LigneRefusee::decode(octets.as_slice())?)?;
        }
        Ok(())
    }

    /// Keeps them all.
    pub(super) async fn garder(self, tx: &mut PgConnection, edition: Uuid) -> Resultat<()> {
        let mut relecture = self.journal.relire()?;
        let mut lots = par_lots(LOT, move || {
            let suivante = relecture.suivant()?;
            Ok(suivante.map(|(_, octets)| LigneRefusee::decode(octets.as_slice())).transpose()?)
        });
        let mut rang = 0;
        while let Some(lot) = lots.recv().await {
            let lot = lot?;
            store::refus::garder(tx, edition, rang, &lot).await?;
            rang += lot.len() as u64;
        }
        Ok(())
    }
}
