//! What a person decides of an anomaly. An accepted successor carries the number it
//! took the place of: who follows the record moves what hung on it.

use std::time::Instant;

use ror_chassis::{
    Erreur, Resultat,
    conversion::maintenant,
    erreur::faute,
    magasin::{Bloc, Magasin},
};
use ror_domaine::{identifiants::id_eg, ressource::Ressource as _};
use ror_proto::identity::v1::{
    Anomalie, Changement, Format, Identity, Operation, StatutAnomalie, identity::Ressource,
};
use uuid::Uuid;

use super::{
    anomalies::SUCCESSEUR,
    application::Application,
    cloture::Issue,
    proposition::{Proposition, etat},
    provenance,
};
use crate::{
    difference::Sujet,
    store::{
        self,
        anomalies::{self, Decision},
        editions::{self, Ouverture},
    },
};

/// Field that holds the former number.
const PRECEDENT: &str = "finess_precedent";

/// Records a decision, and carries out what is accepted.
///
/// # Errors
///
/// [`Erreur::Introuvable`]; [`Erreur::Regle`] when the anomaly awaits nobody, or when
/// the proposed record cannot succeed; [`Erreur::Conflit`] while a load is under way.
pub async fn decider(
    magasin: &Magasin,
    id: &str,
    accepter: bool,
    operateur: &str,
    motif: &str,
) -> Resultat<Anomalie> {
    let id = store::lire_id("id", id)?;
    if operateur.trim().is_empty() {
        return Err(Erreur::faute(
            "operateur",
            "obligatoire",
            "Une décision est celle de quelqu'un.",
            "le compte de la personne qui décide",
        ));
    }
    let edition = Uuid::now_v7();
    let mut bloc = magasin.bloc(provenance(edition)).await?;
    let decidee = inscrire(&mut bloc, edition, id, accepter, operateur, motif).await;
    let decidee = bloc.finir(decidee).await?;
    tracing::info!(anomaly = %id, rule = %decidee.regle, accepted = accepter, "anomaly decided");
    Ok(decidee)
}

/// The anomaly after the decision.
async fn inscrire(
    bloc: &mut Bloc,
    edition: Uuid,
    id: Uuid,
    accepter: bool,
    operateur: &str,
    motif: &str,
) -> Resultat<Anomalie> {
    let inconnue = || Erreur::Introuvable(format!("anomalie {id} inconnue"));
    let anomalie = anomalies::verrouiller(bloc.connexion(), id).await?.ok_or_else(inconnue)?;
    if anomalie.statut() != StatutAnomalie::Ouverte {
        return Err(refus("anomalie-close", "Cette anomalie n'attend plus de décision."));
    }
    let statut = if accepter { StatutAnomalie::Acceptee } else { StatutAnomalie::Ecartee };
    if accepter && anomalie.regle == SUCCESSEUR {
        succeder(bloc, edition, &anomalie, operateur).await?;
    }
    let decision = Decision { statut, operateur, motif, date: maintenant() };
    anomalies::decider(bloc.connexion(), id, decision).await?;
    anomalies::verrouiller(bloc.connexion(), id).await?.ok_or_else(inconnue)
}

fn refus(regle: &str, message: &str) -> Erreur {
    Erreur::Regle(vec![faute("id", regle, message, "une anomalie ouverte, dont le site proposé est connu")])
}

/// Writes the former number on the record that succeeds, as an edition of its own.
async fn succeder(bloc: &mut Bloc, edition: Uuid, a: &Anomalie, operateur: &str) -> Resultat<()> {
    let debut = Instant::now();
    let ligne = bloc.etats(&[id_eg(&a.valeur_recue)]).await?.pop().filter(|l| !l.retire);
    let Some(ligne) = ligne else {
        return Err(refus("successeur-inconnu", "Le site proposé comme successeur n'est plus connu."));
    };
    let mut fiche = Identity::depuis(&ligne)?;
    if let Some(Ressource::StructureFiness(s)) = &mut fiche.ressource {
        if !s.finess_precedent.is_empty() && s.finess_precedent != a.cle {
            return Err(refus("successeur-deja-pris", "Le site proposé succède déjà à un autre site."));
        }
        s.finess_precedent.clone_from(&a.cle);
    }
    let changements: Vec<Changement> = Sujet::de(&fiche)
        .map(|s| Changement { champs: vec![PRECEDENT.to_owned()], ..s.changement(Operation::Modifiee) })
        .into_iter()
        .collect();
    let nom = format!("décision sur l'anomalie {}", a.id);
    let ouverture = Ouverture::interne(Format::FinessStructures as i32, &nom, operateur);
    editions::ouvrir_sous(bloc.connexion(), edition, ouverture).await?;
    let mut application = Application::nouvelle(edition, Format::FinessStructures)?;
    let etat = etat(&mut fiche);
    if let Some(p) = Proposition::ecrire(&fiche, etat, ligne.version + 1, None, changements, 0) {
        application.ajouter(bloc, p).await?;
    }
    application.vider(bloc).await?;
    let issue = Issue::interne(edition, application);
    let rapport = issue.rapport("", false, debut);
    issue.inscrire(bloc.connexion(), &rapport).await
}
