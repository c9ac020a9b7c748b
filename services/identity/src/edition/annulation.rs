//! Undoing an edition: every record it wrote goes back to the state it had before, as
//! versions of their own, in one transaction. Its file may then be loaded again.

use std::{collections::HashMap, time::Instant};

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    magasin::{Bloc, Ligne, Magasin},
};
use ror_proto::identity::v1::{Changement, Edition, Identity, Operation, RapportEdition, StatutEdition};
use uuid::Uuid;

use super::{
    application::Application,
    cloture::Issue,
    proposition::{Proposition, identifiants},
    provenance,
};
use crate::{
    difference::Sujet,
    store::{
        self, absences, anomalies,
        changements::{Ecrit, ecrits},
        editions::{self, Ouverture},
    },
};

/// Records put back together.
const LOT: usize = 500;

/// Undoes an edition that was applied. With `essai`, tells what it would do.
///
/// # Errors
///
/// [`Erreur::Introuvable`]; [`Erreur::Regle`] when the edition does not stand, or when a
/// record it wrote was changed since; [`Erreur::Conflit`] while a load is under way.
pub async fn annuler(
    magasin: &Magasin,
    edition: &str,
    operateur: &str,
    essai: bool,
) -> Resultat<RapportEdition> {
    let debut = Instant::now();
    let visee = store::lire_id("edition_id", edition)?;
    let nouvelle = Uuid::now_v7();
    let mut bloc = magasin.bloc(provenance(nouvelle)).await?;
    let issue = match defaire(&mut bloc, visee, nouvelle, operateur).await {
        Ok(issue) => issue,
        Err(e) => return bloc.finir(Err(e)).await,
    };
    let rapport = issue.rapport("", essai, debut);
    issue.clore(bloc, magasin.pool(), &rapport).await?;
    tracing::info!(edition = %visee, by = %nouvelle, trial = essai, duration_ms = rapport.duree_ms, "edition undone");
    Ok(rapport)
}

async fn defaire(bloc: &mut Bloc, visee: Uuid, nouvelle: Uuid, operateur: &str) -> Resultat<Issue> {
    let annulee = verifier(bloc, visee).await?;
    let nom = format!("annulation de {visee}");
    let ouverture = Ouverture { annule: Some(visee), ..Ouverture::interne(annulee.format, &nom, operateur) };
    editions::ouvrir_sous(bloc.connexion(), nouvelle, ouverture).await?;
    let mut application = Application::nouvelle(nouvelle, annulee.format())?;
    let mut depassees = 0;
    let ecrits = ecrits(bloc.connexion(), visee).await?;
    for lot in ecrits.chunks(LOT) {
        depassees += retablir(bloc, &mut application, lot).await?;
    }
    if depassees > 0 {
        return Err(Erreur::Regle(vec![faute(
            "edition_id",
            "enregistrements-modifies-depuis",
            format!("{depassees} enregistrement(s) de cette édition ont changé depuis."),
            "annuler d'abord les éditions plus récentes",
        )]));
    }
    application.vider(bloc).await?;
    anomalies::resoudre_edition(bloc.connexion(), visee).await?;
    editions::declarer(bloc.connexion(), visee, StatutEdition::Annulee).await?;
    Ok(Issue::interne(nouvelle, application))
}

/// The edition, if it stands and undoes no other.
async fn verifier(bloc: &mut Bloc, visee: Uuid) -> Resultat<Edition> {
    let Some((edition, annule)) = editions::lire(bloc.connexion(), visee).await? else {
        return Err(Erreur::Introuvable(format!("édition {visee} inconnue")));
    };
    if edition.statut() == StatutEdition::Appliquee && annule.is_none() {
        return Ok(edition);
    }
    Err(Erreur::Regle(vec![faute(
        "edition_id",
        "edition-non-annulable",
        "Cette édition n'est pas en vigueur, ou elle en annule une autre.",
        "une édition appliquée et non annulée",
    )]))
}

/// Puts records back; how many were changed since.
async fn retablir(bloc: &mut Bloc, application: &mut Application, lot: &[Ecrit]) -> Resultat<u64> {
    let ids: Vec<String> = lot.iter().map(|e| e.id.clone()).collect();
    let courantes: HashMap<String, Ligne> =
        bloc.etats(&ids).await?.into_iter().map(|l| (l.id.clone(), l)).collect();
    let cles: Vec<(String, u64)> =
        lot.iter().filter(|e| e.premiere > 1).map(|e| (e.id.clone(), e.premiere - 1)).collect();
    let anciennes: HashMap<String, (Bytes, bool)> =
        bloc.versions(&cles).await?.into_iter().map(|(id, _, etat, retire)| (id, (etat, retire))).collect();
    let mut depassees = 0;
    for ecrit in lot {
        let courante = courantes.get(&ecrit.id).filter(|l| l.version == ecrit.derniere);
        let Some(courante) = courante else {
            depassees += 1;
            continue;
        };
        let ancienne = anciennes.get(&ecrit.id);
        if ancienne.is_none() && ecrit.premiere > 1 {
            return Err(Erreur::interne("version absente de l'historique"));
        }
        if let Some(p) = restitution(courante, ancienne)? {
            application.ajouter(bloc, p).await?;
        }
    }
    absences::oublier(bloc.connexion(), &ids).await?;
    Ok(depassees)
}

/// The record as it was: withdrawn when the edition had created it.
fn restitution(courante: &Ligne, ancienne: Option<&(Bytes, bool)>) -> Resultat<Option<Proposition>> {
    let (etat, retire) = match ancienne {
        Some((etat, retire)) => (etat.clone(), *retire),
        None => (courante.etat.clone(), true),
    };
    let fiche = Identity::decode(etat.clone())?;
    let changements: Vec<Changement> =
        Sujet::de(&fiche).map(|s| s.changement(Operation::Annulee)).into_iter().collect();
    let numeros = match (retire, courante.retire) {
        (true, _) => Some(Vec::new()),
        (false, true) => Some(identifiants(&fiche)),
        (false, false) => None,
    };
    let proposition = Proposition::ecrire(&fiche, etat, courante.version + 1, numeros, changements, 0);
    Ok(proposition.map(|mut p| {
        p.ecriture.retire = retire;
        p
    }))
}
