//! Numbers that succeed others. When a person accepted that one FINESS number takes
//! the place of another, the structure of the old number keeps its id, hence
//! everything that refers to it, and lives on under the new number; the structure
//! that had been made for the new number is withdrawn, and what hung on it moves.

use std::collections::{HashMap, HashSet};

use ror_chassis::{
    Resultat,
    magasin::{Decision, Ligne},
};
use ror_domaine::{
    identifiants::{id_eg, id_ej},
    ressource::Ressource as _,
};
use ror_proto::structures::v1::{Structure, structure::Ressource as R};
use sqlx::PgConnection;

use super::{Fiche, LOT, Registre, demande, retirer};
use crate::store::{self, Succession};

/// Which structure holds each number of a batch.
#[derive(Default)]
pub(super) struct Successions {
    tenus: HashMap<String, String>,
    depasses: HashSet<String>,
}

impl Successions {
    /// Those the records of a batch take part in.
    pub(super) async fn lire(tx: &mut PgConnection, fiches: &[Fiche]) -> Resultat<Self> {
        let numeros: HashSet<&String> = fiches
            .iter()
            .flat_map(|f| {
                let s = &f.structure;
                [&s.num_finess, &s.num_finess_ej, &s.finess_precedent]
            })
            .filter(|n| !n.is_empty())
            .collect();
        let numeros: Vec<String> = numeros.into_iter().cloned().collect();
        let mut successions = Self::default();
        for s in store::successions(tx, &numeros).await? {
            successions.ajouter(s);
        }
        Ok(successions)
    }

    fn ajouter(&mut self, s: Succession) {
        // What refers to the old number by now means the structure that lives on.
        self.tenus.insert(s.ancien.clone(), s.tenu.clone());
        self.tenus.insert(s.nouveau, s.tenu);
        self.depasses.insert(s.ancien);
    }

    /// Id of the structure that holds a number which took part in a succession.
    pub(super) fn tenu(&self, num_finess: &str) -> Option<String> {
        self.tenus.get(num_finess).cloned()
    }

    /// Whether another number took the place of this one: its record is history.
    pub(super) fn depasse(&self, num_finess: &str) -> bool {
        self.depasses.contains(num_finess)
    }

    /// Id of the structure a record describes.
    pub(super) fn id(&self, f: &Fiche) -> String {
        self.tenu(&f.structure.num_finess).unwrap_or_else(|| f.id.clone())
    }

    /// Carries out what a record says was accepted; once, and never round in a circle.
    pub(super) async fn accepter(
        &mut self,
        registre: &Registre,
        tx: &mut PgConnection,
        f: &Fiche,
    ) -> Resultat<()> {
        let s = &f.structure;
        let (ancien, nouveau) = (&s.finess_precedent, &s.num_finess);
        let vivante = !f.retiree && s.type_fermeture != "ERREUR";
        if !vivante || ancien.is_empty() || ancien == nouveau || self.tenus.contains_key(nouveau) {
            return Ok(());
        }
        if self.depasse(ancien) {
            tracing::warn!(structure = %f.id, "succession ignored: the former number already has a successor");
            return Ok(());
        }
        let propre = if s.entite_juridique { id_ej(ancien) } else { id_eg(ancien) };
        let succession = Succession {
            nouveau: nouveau.clone(),
            ancien: ancien.clone(),
            tenu: self.tenu(ancien).unwrap_or(propre),
        };
        let provenance = f.provenance();
        store::succeder(tx, &succession, &provenance.auteur).await?;
        let fraiche = [demande(f.id.clone(), f.genre())];
        registre.ecrire(tx, &provenance, &fraiche, &mut |_: usize, c: Option<&Ligne>| retirer(c)).await?;
        let dessous = if s.entite_juridique { "entite_geographique" } else { "organisation_interne" };
        let ids = store::qui_nomment(tx, dessous, &f.id).await?;
        for morceau in ids.chunks(LOT) {
            let demandes: Vec<_> = morceau.iter().map(|id| demande(id.clone(), dessous)).collect();
            let mut rattacher = |_: usize, c: Option<&Ligne>| rattacher(c, &f.id, &succession.tenu);
            registre.ecrire(tx, &provenance, &demandes, &mut rattacher).await?;
        }
        self.ajouter(succession);
        Ok(())
    }
}

/// Moves a structure from under one to under another.
fn rattacher(courant: Option<&Ligne>, de: &str, vers: &str) -> Decision {
    let Some((l, mut s)) = courant.and_then(|l| Some((l, Structure::depuis(l).ok()?))) else {
        return Decision::Rien;
    };
    let parent = match &mut s.ressource {
        Some(R::EntiteGeographique(e)) => &mut e.entite_juridique_id,
        Some(R::OrganisationInterne(o)) => &mut o.entite_geographique_id,
        _ => return Decision::Rien,
    };
    if parent.as_str() != de {
        return Decision::Rien;
    }
    vers.clone_into(parent);
    Decision::Ecrire { region: l.region.clone(), etat: s.etat(), identifiants: None }
}
