//! Where the ROR and a source disagree. Neither value overwrites the other: the one
//! kept and the one received are told until they agree again.

use std::{collections::HashMap, time::Duration};

use ror_chassis::{
    Contexte, Resultat,
    magasin::{Decision, Demande, Ligne, Magasin},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    common::v1::{Canal, Provenance, ResultatEcriture},
    structures::v1::{EtatAnomalie, Structure},
};
use sqlx::PgConnection;

use crate::{
    domaine::{self, Constat},
    store::{self, Constatee, Ouverte},
};

/// A feed gave another value than FINESS's.
pub(crate) const DIVERGENCE: &str = "divergence-finess";
/// The ROR corrects an address that FINESS still gives otherwise.
pub(crate) const CORRECTION: &str = "correction-en-attente";
/// Between two looks at the corrections that waited too long.
const RONDE: Duration = Duration::from_secs(3600);

/// What one write says of a structure that FINESS owns.
pub(crate) struct Dit {
    /// What was said.
    pub constat: Constat,
    /// Region of the structure.
    pub region: String,
    /// Element, corrected value and FINESS's, while a correction stands.
    pub correction: Option<(&'static str, String, String)>,
}

impl Dit {
    /// From the structure as it was kept.
    pub fn nouveau(s: &Structure, constat: Constat) -> Self {
        Self {
            constat,
            region: s.meta().map(|m| m.region.clone()).unwrap_or_default(),
            correction: correction(s),
        }
    }

    fn constatees(&self, id: &str) -> Vec<Constatee> {
        let une = |regle, champ, valeur_ror: &str, valeur_recue: &str| Constatee {
            structure_id: id.to_owned(),
            region: self.region.clone(),
            regle,
            champ,
            valeur_ror: valeur_ror.to_owned(),
            valeur_recue: valeur_recue.to_owned(),
            source: self.constat.source.clone(),
        };
        let divergences = self.constat.divergences.iter();
        let mut toutes: Vec<Constatee> =
            divergences.map(|d| une(DIVERGENCE, d.champ, &d.tenue, &d.recue)).collect();
        toutes.extend(
            self.correction.as_ref().map(|(champ, ror, finess)| une(CORRECTION, *champ, ror, finess)),
        );
        toutes
    }

    /// Whether this write ends an open disagreement.
    fn clot(&self, regle: &str, champ: &str) -> bool {
        match regle {
            CORRECTION => self.correction.is_none(),
            _ => self.constat.accords.contains(&champ),
        }
    }
}

/// Element, corrected value and FINESS's, while a correction stands.
fn correction(s: &Structure) -> Option<(&'static str, String, String)> {
    let (champ, c) = domaine::correction(s)?;
    let corrigee = c.adresse.as_ref().map(domaine::adresse_lisible).unwrap_or_default();
    Some((champ, corrigee, valeur(s, champ)))
}

fn valeur(s: &Structure, champ: &str) -> String {
    domaine::valeurs_finess(s).into_iter().find(|(c, _)| *c == champ).map(|(_, v)| v).unwrap_or_default()
}

/// Keeps what a batch of writes said; refused items said nothing.
pub(crate) async fn noter(
    magasin: &Magasin,
    resultats: &[ResultatEcriture],
    mut dits: HashMap<String, Dit>,
) -> Resultat<()> {
    for r in resultats.iter().filter(|r| !r.fautes.is_empty()) {
        dits.remove(&r.id);
    }
    if dits.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = dits.keys().cloned().collect();
    let constatees: Vec<Constatee> = dits.iter().flat_map(|(id, d)| d.constatees(id)).collect();
    let mut tx = magasin.pool().begin().await?;
    let closes: Vec<String> = store::ouvertes(&mut tx, &ids)
        .await?
        .into_iter()
        .filter(|o| dits.get(&o.structure_id).is_some_and(|d| d.clot(&o.regle, &o.champ)))
        .map(|o| o.id)
        .collect();
    store::clore(&mut tx, &closes, EtatAnomalie::Resolue).await?;
    store::constater(&mut tx, &constatees).await?;
    tx.commit().await?;
    Ok(())
}

/// Looks again at the open disagreements about structures that FINESS just changed.
pub(crate) async fn revoir(tx: &mut PgConnection, structures: &HashMap<String, Structure>) -> Resultat<()> {
    let ids: Vec<String> = structures.keys().cloned().collect();
    let (mut closes, mut deplacees) = (Vec::new(), Vec::new());
    for o in store::ouvertes(tx, &ids).await? {
        let Some(s) = structures.get(&o.structure_id) else { continue };
        let finess = valeur(s, &o.champ);
        let (ror, recue) = match o.regle.as_str() {
            CORRECTION => match correction(s) {
                Some((_, corrigee, finess)) => (corrigee, finess),
                None => (finess.clone(), finess),
            },
            _ => (finess, o.valeur_recue.clone()),
        };
        if ror == recue {
            closes.push(o.id);
        } else if ror != o.valeur_ror || recue != o.valeur_recue {
            deplacees.push(Ouverte { valeur_ror: ror, valeur_recue: recue, ..o });
        }
    }
    store::actualiser(tx, &deplacees).await?;
    store::clore(tx, &closes, EtatAnomalie::Resolue).await
}

/// Ends the corrections that waited too long, now and each hour.
pub(crate) fn surveiller(c: &Contexte) {
    let (magasin, arret) = (c.magasin.clone(), c.arret.clone());
    c.lancer(async move {
        loop {
            if let Err(e) = echoir(&magasin).await {
                tracing::warn!(error = %e, "corrections not looked at, trying again later");
            }
            tokio::select! {
                () = tokio::time::sleep(RONDE) => {}
                () = arret.cancelled() => return,
            }
        }
    });
}

/// FINESS's address is served again once a correction waited too long.
async fn echoir(magasin: &Magasin) -> Resultat<()> {
    let provenance = Provenance {
        canal: Canal::Referentiel as i32,
        auteur: "correction-echue".into(),
        ..Provenance::default()
    };
    loop {
        let echues = store::echues(magasin.pool(), CORRECTION).await?;
        if echues.is_empty() {
            return Ok(());
        }
        let (anomalies, ids): (Vec<String>, Vec<String>) = echues.into_iter().unzip();
        let lignes = magasin.lire_lot(&ids).await?;
        let demandes: Vec<Demande> = lignes.iter().filter_map(demande).collect();
        let resultats = magasin.ecrire(&provenance, None, &demandes, |_, courant| retablir(courant)).await?;
        for r in resultats.iter().filter(|r| !r.fautes.is_empty()) {
            tracing::warn!(structure = %r.id, rules = domaine::regles(&r.fautes), "correction not ended");
        }
        let mut tx = magasin.pool().begin().await?;
        store::clore(&mut tx, &anomalies, EtatAnomalie::Expiree).await?;
        tx.commit().await?;
    }
}

fn demande(l: &Ligne) -> Option<Demande> {
    let genre = Structure::depuis(l).ok()?.genre()?;
    Some(Demande { id: l.id.clone(), genre, version_attendue: 0, recu: bytes::Bytes::new() })
}

fn retablir(courant: Option<&Ligne>) -> Decision {
    match courant.filter(|l| !l.retire).and_then(|l| Some((l, Structure::depuis(l).ok()?))) {
        Some((l, s)) => Decision::Ecrire {
            region: l.region.clone(),
            etat: domaine::sans_correction(s).etat(),
            identifiants: None,
        },
        None => Decision::Rien,
    }
}
