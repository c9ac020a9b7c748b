//! Follows the professionals: those RPPS no longer knows in activity have their
//! situations told to a person, never changed by the rule. Only professionals that a
//! situation refers to are looked at: the others cost one look at an index a batch.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures::StreamExt;
use ror_chassis::{
    Contexte, Resultat,
    suivi::{Appel, Durable, Effet},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    common::v1::Evenement,
    identity::v1::{
        Identity, SnapshotIdentitiesRequest, identity::Ressource,
        identity_service_client::IdentityServiceClient,
    },
    offers::v1::EtatConsequence,
};
use sqlx::PgConnection;

use crate::{
    consequences::{Note, Regle},
    domaine::LIEN_PROFESSIONNEL,
    store::{
        consequences::{self as suites, Nouvelle},
        structures,
    },
};

const GENRE: &str = "professionnel";

/// Follows the RPPS mirror. Not a condition of readiness: nothing that is written waits for it.
pub(crate) fn suivre(c: &Contexte) -> Resultat<()> {
    let canal = c.vers("identity")?;
    let appel: Appel = Arc::new(move || {
        let mut client = IdentityServiceClient::new(canal.clone());
        Box::pin(async move {
            let demande = SnapshotIdentitiesRequest { genre: GENRE.into() };
            let flux = client.snapshot_identities(demande).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    });
    let suiveur = Durable::nouveau(c.magasin.pool().clone(), "identity", Professionnels, || {});
    c.suivre("identity", appel, suiveur);
    Ok(())
}

struct Professionnels;

impl Effet for Professionnels {
    fn nom(&self) -> &'static str {
        "professionnels"
    }

    fn genre(&self) -> Option<&'static str> {
        Some(GENRE)
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        let mut derniers: BTreeMap<&str, &Evenement> = BTreeMap::new();
        for e in lot.iter().filter(|e| e.genre == GENRE) {
            let d = derniers.entry(e.agregat_id.as_str()).or_insert(e);
            if e.version > d.version {
                *d = e;
            }
        }
        if derniers.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = derniers.keys().map(|id| (*id).to_owned()).collect();
        let situations = structures::rattachees(tx, LIEN_PROFESSIONNEL, &ids).await?;
        if situations.is_empty() {
            return Ok(());
        }
        let mut inactifs: HashMap<&str, &Evenement> = HashMap::new();
        for s in &situations {
            if let Some((&id, &e)) = derniers.get_key_value(s.a.as_str())
                && !actif(e)?
            {
                inactifs.insert(id, e);
            }
        }
        suites::verrouiller(tx).await?;
        let finies: Vec<String> = suites::en_cours(tx, &ids)
            .await?
            .into_iter()
            .filter(|c| !inactifs.contains_key(c.cause_id.as_str()))
            .map(|c| c.id)
            .collect();
        suites::lever(tx, &finies).await?;
        let nouvelles: Vec<Nouvelle> = situations
            .into_iter()
            .filter_map(|s| {
                let e = inactifs.get(s.a.as_str())?;
                Some(Nouvelle {
                    ressource_id: s.id,
                    genre: "situation",
                    region: s.region,
                    cause_version: e.version,
                    origine: e.provenance.as_ref().map(|p| format!("rpps:{}", p.auteur)).unwrap_or_default(),
                    note: Note {
                        regle: Regle::ProfessionnelInactif,
                        etat: EtatConsequence::AControler,
                        type_fermeture: "",
                        date_fermeture: String::new(),
                    },
                    cause_id: s.a,
                })
            })
            .collect();
        suites::noter(tx, &nouvelles).await
    }
}

/// Whether RPPS still knows a professional in activity.
fn actif(e: &Evenement) -> Resultat<bool> {
    let lu = Identity::decoder(e.etat.clone(), e.version, e.date.unwrap_or_default())?;
    Ok(!e.retire && matches!(lu.ressource, Some(Ressource::Professionnel(p)) if p.actif))
}
