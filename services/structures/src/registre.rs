//! What FINESS says becomes structures: created, changed, closed, reopened, moved
//! to another EJ, withdrawn when FINESS declares an error. Only what FINESS owns is
//! overwritten; what the ROR owns stays.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures::StreamExt;
use ror_chassis::{
    Contexte, Resultat,
    magasin::{Decision, Demande, Ligne, Magasin},
    suivi::{Appel, Durable, Effet},
};
use ror_domaine::{
    identifiants::{Finess, id_ej, id_nat_struct_finess},
    liaisons::{TRE_CANAL, TRE_CATEGORIE, TRE_ESPIC, TRE_FERMETURE, TRE_NIVEAU, TRE_STATUT_JURIDIQUE},
    references::Connues,
    ressource::Ressource as _,
    vocabulaire::Tables,
};
use ror_proto::{
    common::v1::{Canal, Code, Evenement, Provenance, Telecommunication},
    identity::v1::{
        Identity, SnapshotIdentitiesRequest, StructureFiness, identity::Ressource,
        identity_service_client::IdentityServiceClient,
    },
    structures::v1::{EntiteGeographique, EntiteJuridique, Structure, structure::Ressource as R},
};
use sqlx::PgConnection;

use crate::domaine;

/// Follows the FINESS mirror for the life of the process.
pub fn suivre(c: &Contexte) -> Resultat<()> {
    let canal = c.vers("identity")?;
    let appel: Appel = Arc::new(move || {
        let mut client = IdentityServiceClient::new(canal.clone());
        Box::pin(async move {
            let demande = SnapshotIdentitiesRequest { genre: "structure_finess".into() };
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

struct Registre {
    magasin: Magasin,
}

impl Effet for Registre {
    fn nom(&self) -> &'static str {
        "finess"
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        let mut derniers: HashMap<&str, (u64, StructureFiness)> = HashMap::new();
        for e in lot.iter().filter(|e| e.genre == "structure_finess" && !e.retire) {
            if derniers.get(e.agregat_id.as_str()).is_some_and(|d| d.0 >= e.version) {
                continue;
            }
            if let Identity { ressource: Some(Ressource::StructureFiness(s)) } =
                Identity::decoder(e.etat.clone(), e.version, e.date.unwrap_or_default())?
            {
                derniers.insert(&e.agregat_id, (e.version, s));
            }
        }
        let mut structures: Vec<(&str, StructureFiness)> =
            derniers.into_iter().map(|(id, (_, s))| (id, s)).collect();
        structures.sort_by(|a, b| a.0.cmp(b.0));
        let provenance = Provenance {
            region: String::new(),
            canal: Canal::Referentiel as i32,
            epoque: 0,
            auteur: "finess".into(),
        };
        for morceau in structures.chunks(500) {
            let demandes: Vec<Demande> = morceau
                .iter()
                .map(|(id, s)| Demande {
                    id: (*id).to_owned(),
                    genre: if s.entite_juridique { "entite_juridique" } else { "entite_geographique" },
                    version_attendue: 0,
                    recu: Bytes::new(),
                })
                .collect();
            let mut decider =
                |i: usize, courant: Option<&Ligne>| decider(&morceau[i].1, courant, &provenance);
            let ecrit = self.magasin.ecrire_dans(tx, &provenance, None, &demandes, &mut decider).await?;
            let Some((resultats, _)) = ecrit else {
                return Err(ror_chassis::Erreur::Conflit("concurrent write on a structure".into()));
            };
            for r in resultats.iter().filter(|r| !r.fautes.is_empty()) {
                tracing::warn!(structure = %r.id, rules = domaine::regles(&r.fautes), "FINESS structure refused");
            }
        }
        Ok(())
    }

    fn apres(&mut self) {
        self.magasin.reveil().notify_one();
    }
}

fn decider(s: &StructureFiness, courant: Option<&Ligne>, provenance: &Provenance) -> Decision {
    if s.type_fermeture == "ERREUR" {
        return if courant.is_some_and(|c| !c.retire) { Decision::Retirer } else { Decision::Rien };
    }
    let present = courant.and_then(|c| Structure::depuis(c).ok());
    let propose = if s.entite_juridique {
        entite_juridique(s, present.as_ref())
    } else {
        entite_geographique(s, present.as_ref())
    };
    // FINESS's own codes are taken as they come: its nomenclatures run ahead of ours.
    match domaine::verifier(&propose, present.as_ref(), provenance, &Tables::default(), &Connues::new()) {
        Ok((r, identifiants)) => Decision::Ecrire {
            region: r.meta().map(|m| m.region.clone()).unwrap_or_default(),
            etat: r.etat(),
            identifiants: Some(identifiants),
        },
        Err(fautes) => Decision::Refuser(fautes),
    }
}

fn code(systeme: &str, code: &str) -> Option<Code> {
    (!code.is_empty()).then(|| Code { systeme: systeme.to_owned(), code: code.to_owned() })
}

fn fermeture(s: &StructureFiness) -> Option<Code> {
    let type_fermeture = match s.type_fermeture.as_str() {
        "HORS_CHAMP" => "CHP",
        autre => autre,
    };
    code(TRE_FERMETURE, type_fermeture)
}

fn id_nat_struct(s: &StructureFiness) -> String {
    Finess::lire_delivre(&s.num_finess).map(|(f, _)| id_nat_struct_finess(&f)).unwrap_or_default()
}

/// The phone is pre-filled once; the ROR owns it afterwards.
fn telephone(s: &StructureFiness) -> Vec<Telecommunication> {
    if s.telephone.is_empty() {
        return Vec::new();
    }
    vec![Telecommunication {
        canal: code(TRE_CANAL, "2"),
        adresse: s.telephone.clone(),
        utilisation: String::new(),
        niveau_confidentialite: code(TRE_NIVEAU, "1"),
    }]
}

fn entite_juridique(s: &StructureFiness, present: Option<&Structure>) -> Structure {
    let mut e = match present.and_then(|p| p.ressource.as_ref()) {
        Some(R::EntiteJuridique(p)) => p.clone(),
        _ => EntiteJuridique { meta: s.meta.clone(), telecommunications: telephone(s), ..Default::default() },
    };
    meta(&mut e.meta, s);
    e.id_nat_struct = id_nat_struct(s);
    e.num_finess.clone_from(&s.num_finess);
    e.num_siren.clone_from(&s.siren);
    e.raison_sociale.clone_from(&s.denomination);
    e.complement_raison_sociale.clone_from(&s.complement);
    e.statut_juridique = code(TRE_STATUT_JURIDIQUE, &s.statut_juridique);
    e.date_creation.clone_from(&s.date_ouverture);
    e.date_fermeture.clone_from(&s.date_fermeture);
    e.type_fermeture = fermeture(s);
    e.adresse.clone_from(&s.adresse);
    e.commune_cog.clone_from(&s.commune_cog);
    Structure { ressource: Some(R::EntiteJuridique(e)) }
}

fn entite_geographique(s: &StructureFiness, present: Option<&Structure>) -> Structure {
    let mut e = match present.and_then(|p| p.ressource.as_ref()) {
        Some(R::EntiteGeographique(p)) => p.clone(),
        _ => EntiteGeographique {
            meta: s.meta.clone(),
            telecommunications: telephone(s),
            position: s.position,
            ..Default::default()
        },
    };
    meta(&mut e.meta, s);
    e.entite_juridique_id = id_ej(&s.num_finess_ej);
    e.id_nat_struct = id_nat_struct(s);
    e.num_finess.clone_from(&s.num_finess);
    e.num_siren.clone_from(&s.siren);
    e.num_siret.clone_from(&s.siret);
    e.denomination.clone_from(&s.denomination);
    e.complement_denomination.clone_from(&s.complement);
    e.categorie = code(TRE_CATEGORIE, &s.categorie);
    e.modalite_participation_sph = code(TRE_ESPIC, &s.espic);
    e.date_ouverture.clone_from(&s.date_ouverture);
    e.date_fermeture.clone_from(&s.date_fermeture);
    e.type_fermeture = fermeture(s);
    e.adresse.clone_from(&s.adresse);
    e.commune_cog.clone_from(&s.commune_cog);
    if e.position.is_none() {
        e.position = s.position;
    }
    Structure { ressource: Some(R::EntiteGeographique(e)) }
}

/// The commune commands the region; the creation date is that of the first load.
fn meta(m: &mut Option<ror_proto::common::v1::Meta>, s: &StructureFiness) {
    let m = m.get_or_insert_default();
    if let Some(source) = &s.meta {
        m.id.clone_from(&source.id);
        if !source.region.is_empty() {
            m.region.clone_from(&source.region);
        }
    }
}
