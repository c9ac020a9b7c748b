//! A person decides of a consequence: what they accept is carried out at once.

use bytes::Bytes;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    magasin::{Decision, Demande, Ligne, Magasin},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    common::v1::{Canal, Faute, Provenance},
    offers::v1::{Consequence, DecideConsequenceRequest, EtatConsequence, Offer, offer::Ressource as R},
};

use crate::{
    consequences::{self, Regle},
    sites::genre,
    store::consequences as store,
};

/// Records a decision and carries it out, in one transaction.
pub(crate) async fn decider(magasin: &Magasin, d: DecideConsequenceRequest) -> Resultat<Consequence> {
    let fautes = manques(&d);
    if !fautes.is_empty() {
        return Err(Erreur::Invalide(fautes));
    }
    let mut tx = magasin.pool().begin().await?;
    // Neither a follower nor another person moves it meanwhile.
    store::verrouiller(&mut tx).await?;
    let mut c = store::verrouillee(&mut tx, &d.id)
        .await?
        .ok_or_else(|| Erreur::Introuvable(format!("conséquence {} inconnue", d.id)))?;
    if c.etat() != EtatConsequence::AControler {
        return Err(Erreur::Regle(vec![faute(
            "id",
            "deja-decidee",
            "Cette conséquence n'attend plus de décision.",
            "une conséquence à contrôler",
        )]));
    }
    if d.accepter {
        executer(magasin, &mut tx, &c, &d.operateur).await?;
    }
    c.etat = if d.accepter { EtatConsequence::Appliquee } else { EtatConsequence::Refusee } as i32;
    c.decide_par = d.operateur;
    c.motif = d.motif;
    store::decider(&mut tx, &c).await?;
    let c = store::verrouillee(&mut tx, &d.id).await?.unwrap_or(c);
    tx.commit().await?;
    magasin.reveil().notify_one();
    Ok(c)
}

fn manques(d: &DecideConsequenceRequest) -> Vec<Faute> {
    let mut fautes = Vec::new();
    if d.operateur.trim().is_empty() {
        let message = "Le compte qui décide manque.";
        fautes.push(faute("operateur", "obligatoire", message, "le nom d'un compte"));
    }
    if !d.accepter && d.motif.trim().is_empty() {
        let message = "Un refus dit pourquoi la ressource reste comme elle est.";
        fautes.push(faute("motif", "obligatoire", message, "un motif"));
    }
    fautes
}

async fn executer(
    magasin: &Magasin,
    tx: &mut sqlx::PgConnection,
    c: &Consequence,
    operateur: &str,
) -> Resultat<()> {
    let (Some(regle), Some(genre)) = (Regle::de_nom(&c.regle), genre(&c.genre)) else {
        return Err(Erreur::interne(format!("consequence {} cannot be carried out", c.id)));
    };
    let provenance = Provenance {
        canal: Canal::Referentiel as i32,
        auteur: operateur.to_owned(),
        ..Provenance::default()
    };
    let demande = Demande { id: c.ressource_id.clone(), genre, version_attendue: 0, recu: Bytes::new() };
    let mut decider = |_: usize, courant: Option<&Ligne>| effet(courant, regle, c);
    match magasin.ecrire_dans(tx, &provenance, None, &[demande], &mut decider).await? {
        Some((resultats, _)) if resultats.iter().all(|r| r.fautes.is_empty()) => Ok(()),
        Some((resultats, _)) => Err(Erreur::Regle(resultats.into_iter().flat_map(|r| r.fautes).collect())),
        None => Err(Erreur::Conflit("écriture simultanée sur la même ressource : recommencez".into())),
    }
}

/// A situation leaves the directory, its history stays; an offer closes or opens.
fn effet(courant: Option<&Ligne>, regle: Regle, c: &Consequence) -> Decision {
    let Some(l) = courant.filter(|l| !l.retire) else { return Decision::Rien };
    if regle == Regle::ProfessionnelInactif {
        return Decision::Retirer;
    }
    match Offer::depuis(l).map(|o| o.ressource) {
        Ok(Some(R::Offre(mut o))) => {
            consequences::poser(&mut o, &c.type_fermeture, &c.date_fermeture);
            let etat = Offer { ressource: Some(R::Offre(o)) }.etat();
            Decision::Ecrire { region: l.region.clone(), etat, identifiants: None }
        }
        _ => Decision::Rien,
    }
}
