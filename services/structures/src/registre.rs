//! What FINESS says becomes structures: created, changed, closed, reopened, moved
//! to another EJ, withdrawn when FINESS declares an error, renumbered when a person
//! accepted it. Only what FINESS owns is overwritten; what the ROR owns stays.

mod canonique;
mod successions;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use futures::StreamExt;
use ror_chassis::{
    Contexte, Erreur, Resultat,
    magasin::{Decision, Demande, Ligne, Magasin},
    suivi::{Appel, Durable, Effet},
};
use ror_domaine::{references::Connues, ressource::Ressource as _, vocabulaire::Tables};
use ror_proto::{
    common::v1::{Canal, Evenement, Provenance},
    identity::v1::{
        Identity, SnapshotIdentitiesRequest, StructureFiness, identity::Ressource,
        identity_service_client::IdentityServiceClient,
    },
    structures::v1::Structure,
};
use sqlx::PgConnection;

use crate::{anomalies, domaine};
use successions::Successions;

/// What is followed of the mirror.
const GENRE: &str = "structure_finess";
/// Structures written in one statement: as many as a follower is given at once.
const LOT: usize = 1_024;

/// Follows the FINESS mirror for the life of the process.
pub fn suivre(c: &Contexte) -> Resultat<()> {
    let canal = c.vers("identity")?;
    let appel: Appel = Arc::new(move || {
        let mut client = IdentityServiceClient::new(canal.clone());
        Box::pin(async move {
            let demande = SnapshotIdentitiesRequest { genre: GENRE.into() };
            let flux = client.snapshot_identities(demande).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    });
    c.etat.poser("finess", false);
    let etat = c.etat.clone();
    let effet = Registre { magasin: c.magasin.clone() };
    c.suivre(
        "identity",
        appel,
        Durable::nouveau(c.magasin.pool().clone(), "identity", effet, move || etat.poser("finess", true)),
    );
    Ok(())
}

/// A record of the mirror, and the edition that wrote it.
struct Fiche {
    /// Technical id its number gives.
    id: String,
    /// Id of the edition; empty in a snapshot.
    edition: String,
    /// The mirror itself withdrew it: the edition that brought it was undone.
    retiree: bool,
    structure: StructureFiness,
}

impl Fiche {
    fn genre(&self) -> &'static str {
        if self.structure.entite_juridique { "entite_juridique" } else { "entite_geographique" }
    }

    /// The history of a structure names the edition, whose changes tell the line and the time.
    fn provenance(&self) -> Provenance {
        let auteur =
            if self.edition.is_empty() { "finess".to_owned() } else { format!("finess:{}", self.edition) };
        Provenance { region: String::new(), canal: Canal::Referentiel as i32, epoque: 0, auteur }
    }
}

/// The last version of each record in a batch, ordered by id.
fn fiches(lot: &[Evenement]) -> Resultat<Vec<Fiche>> {
    let mut dernieres: BTreeMap<&str, &Evenement> = BTreeMap::new();
    for e in lot.iter().filter(|e| e.genre == GENRE) {
        let d = dernieres.entry(e.agregat_id.as_str()).or_insert(e);
        if e.version > d.version {
            *d = e;
        }
    }
    let mut fiches = Vec::with_capacity(dernieres.len());
    for (id, e) in dernieres {
        if let Identity { ressource: Some(Ressource::StructureFiness(structure)) } =
            Identity::decoder(e.etat.clone(), e.version, e.date.unwrap_or_default())?
        {
            let edition = e.provenance.as_ref().map(|p| p.auteur.clone()).unwrap_or_default();
            fiches.push(Fiche { id: id.to_owned(), edition, retiree: e.retire, structure });
        }
    }
    Ok(fiches)
}

struct Registre {
    magasin: Magasin,
}

impl Effet for Registre {
    fn nom(&self) -> &'static str {
        "finess"
    }

    fn genre(&self) -> Option<&'static str> {
        Some(GENRE)
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        let fiches = fiches(lot)?;
        if fiches.is_empty() {
            return Ok(());
        }
        let mut successions = Successions::lire(tx, &fiches).await?;
        for f in &fiches {
            successions.accepter(self, tx, f).await?;
        }
        // One provenance a write: the records of one edition together.
        let mut par_edition: BTreeMap<&str, Vec<&Fiche>> = BTreeMap::new();
        for f in fiches.iter().filter(|f| !successions.depasse(&f.structure.num_finess)) {
            par_edition.entry(f.edition.as_str()).or_default().push(f);
        }
        for groupe in par_edition.values() {
            for morceau in groupe.chunks(LOT) {
                self.ecrire_fiches(tx, morceau, &successions).await?;
            }
        }
        Ok(())
    }

    fn apres(&mut self) {
        self.magasin.reveil().notify_one();
    }
}

impl Registre {
    async fn ecrire_fiches(
        &self,
        tx: &mut PgConnection,
        fiches: &[&Fiche],
        successions: &Successions,
    ) -> Resultat<()> {
        let Some(premiere) = fiches.first() else { return Ok(()) };
        let provenance = premiere.provenance();
        let demandes: Vec<Demande> = fiches.iter().map(|f| demande(successions.id(f), f.genre())).collect();
        let mut ecrites: HashMap<String, Structure> = HashMap::new();
        let mut decider = |i: usize, courant: Option<&Ligne>| {
            let (decision, structure) =
                decider(fiches[i], &demandes[i].id, courant, &provenance, successions);
            ecrites.extend(structure.map(|s| (demandes[i].id.clone(), s)));
            decision
        };
        self.ecrire(tx, &provenance, &demandes, &mut decider).await?;
        anomalies::revoir(tx, &ecrites).await
    }

    /// Writes under the registry channel; what is refused is told and left as it was.
    async fn ecrire(
        &self,
        tx: &mut PgConnection,
        provenance: &Provenance,
        demandes: &[Demande],
        decider: &mut (impl FnMut(usize, Option<&Ligne>) -> Decision + Send),
    ) -> Resultat<()> {
        let ecrit = self.magasin.ecrire_dans(tx, provenance, None, demandes, decider).await?;
        let Some((resultats, _)) = ecrit else {
            return Err(Erreur::Conflit("concurrent write on a structure".into()));
        };
        for r in resultats.iter().filter(|r| !r.fautes.is_empty()) {
            tracing::warn!(structure = %r.id, rules = domaine::regles(&r.fautes), "FINESS structure refused");
        }
        Ok(())
    }
}

fn demande(id: String, genre: &'static str) -> Demande {
    Demande { id, genre, version_attendue: 0, recu: Bytes::new() }
}

fn retirer(courant: Option<&Ligne>) -> Decision {
    if courant.is_some_and(|c| !c.retire) { Decision::Retirer } else { Decision::Rien }
}

/// What becomes of a structure, and the structure when it is kept. One that was
/// withdrawn comes back with what the ROR owned of it.
fn decider(
    fiche: &Fiche,
    id: &str,
    courant: Option<&Ligne>,
    provenance: &Provenance,
    successions: &Successions,
) -> (Decision, Option<Structure>) {
    if fiche.retiree || fiche.structure.type_fermeture == "ERREUR" {
        return (retirer(courant), None);
    }
    let present = courant.and_then(|c| Structure::depuis(c).ok());
    let propose =
        canonique::structure(&fiche.structure, id, present.as_ref(), successions).dater(present.as_ref());
    // FINESS's own codes are taken as they come: its nomenclatures run ahead of ours.
    match domaine::verifier(&propose, present.as_ref(), provenance, &Tables::default(), &Connues::new()) {
        Ok(v) => (
            Decision::Ecrire {
                region: v.structure.meta().map(|m| m.region.clone()).unwrap_or_default(),
                etat: v.structure.etat(),
                identifiants: Some(v.identifiants),
            },
            Some(v.structure),
        ),
        Err(fautes) => (Decision::Refuser(fautes), None),
    }
}
