//! A bench whose FINESS and RPPS mirrors say what a test wants, as if an edition had brought it.

use ror_chassis::magasin::{Decision, Demande, Magasin};
use ror_domaine::{
    identifiants::{id_eg, id_ej, id_ps},
    ressource::Ressource as _,
};
use ror_proto::{
    common::v1::{Adresse, Canal, Meta, Provenance},
    identity::v1::{Identity, Professionnel, StructureFiness, identity},
    offers::v1::{
        Consequence, EtatConsequence, GetOfferRequest, ListConsequencesRequest, OffreOperationnelle, offer,
    },
    structures::v1::{EntiteGeographique, GetStructureRequest, Structure, structure},
};
use sqlx::PgPool;
use tonic::Code;

use crate::{
    gabarits::{AUTRE, accepte, ecrire_offre, ecrire_un, en_offre, offre, provenance},
    harnais::{Banc, attendre},
};

pub const EJ: &str = "019000108";
pub const EG: &str = "019000207";
/// A legal entity and a site that come later.
pub const AUTRE_EJ: &str = "019000306";
pub const AUTRE_EG: &str = "019000405";

/// The bench and the mirrors.
pub struct Scene {
    pub banc: Banc,
    identity: PgPool,
}

impl Scene {
    /// One legal entity, one site, and the writer of their region.
    pub async fn monter(services: &[&'static str], ecrivain: Canal) -> Self {
        let banc = Banc::demarrer(services).await;
        banc.bail_description(AUTRE, ecrivain, 1).await;
        let scene = Self { identity: banc.base("identity").await, banc };
        scene.dire(entite(EJ), "edition-1").await;
        scene.dire(site(EG), "edition-1").await;
        scene.attendre_eg("the site", EG, |_| true).await;
        scene
    }

    /// FINESS says this of a structure.
    pub async fn dire(&self, s: StructureFiness, edition: &str) {
        self.ecrire(identity::Ressource::StructureFiness(s), edition).await;
    }

    /// RPPS says whether a professional is in activity.
    pub async fn dire_professionnel(&self, id_nat_ps: &str, actif: bool, edition: &str) {
        let meta = Some(Meta { id: id_ps(id_nat_ps), ..Default::default() });
        let p = Professionnel { meta, id_nat_ps: id_nat_ps.into(), actif, ..Default::default() };
        self.ecrire(identity::Ressource::Professionnel(p), edition).await;
    }

    async fn ecrire(&self, r: identity::Ressource, edition: &str) {
        let r = Identity { ressource: Some(r) };
        let p = Provenance { auteur: edition.into(), ..provenance("", Canal::Referentiel, 0) };
        let demande = Demande {
            id: r.id().to_owned(),
            genre: r.genre().unwrap(),
            version_attendue: 0,
            recu: Default::default(),
        };
        let region = r.meta().unwrap().region.clone();
        let mut resultats = Magasin::nouveau(self.identity.clone(), "identity")
            .ecrire(&p, None, &[demande], |_, _| Decision::Ecrire {
                region: region.clone(),
                etat: r.etat(),
                identifiants: None,
            })
            .await
            .unwrap();
        accepte(resultats.remove(0));
    }

    /// A site as `structures` holds it; none when unknown or withdrawn.
    pub async fn eg(&self, id: &str) -> Option<EntiteGeographique> {
        match self.banc.structures().get_structure(GetStructureRequest { id: id.into() }).await {
            Ok(r) => match r.into_inner().ressource.unwrap().ressource {
                Some(structure::Ressource::EntiteGeographique(e)) => Some(e),
                autre => panic!("{autre:?}"),
            },
            Err(e) => {
                assert_eq!(e.code(), Code::NotFound, "{e}");
                None
            }
        }
    }

    /// Waits until the site made for a number meets a condition.
    pub async fn attendre_eg(
        &self,
        quoi: &str,
        numero: &str,
        condition: impl Fn(&EntiteGeographique) -> bool,
    ) -> EntiteGeographique {
        attendre(quoi, async || self.eg(&id_eg(numero)).await.is_some_and(|e| condition(&e))).await;
        self.eg(&id_eg(numero)).await.unwrap()
    }

    /// Writes a site, which must be taken.
    pub async fn ecrire_eg(&self, canal: Canal, e: EntiteGeographique) {
        let s = Structure { ressource: Some(structure::Ressource::EntiteGeographique(e)) };
        accepte(ecrire_un(&self.banc, &provenance(AUTRE, canal, 0), s).await);
    }

    /// Writes an offer of a structure, which must be taken.
    pub async fn creer_offre(&self, id: &str, porteur: &str) {
        self.ecrire_offre(offre(id, AUTRE, porteur)).await;
    }

    pub async fn ecrire_offre(&self, o: OffreOperationnelle) {
        accepte(ecrire_offre(&self.banc, &provenance(AUTRE, Canal::National, 0), en_offre(o)).await);
    }

    pub async fn offre(&self, id: &str) -> OffreOperationnelle {
        let d = GetOfferRequest { id: id.into() };
        match self.banc.offers().get_offer(d).await.unwrap().into_inner().ressource.unwrap().ressource {
            Some(offer::Ressource::Offre(o)) => o,
            autre => panic!("{autre:?}"),
        }
    }

    /// Waits until an offer meets a condition.
    pub async fn attendre_offre(
        &self,
        quoi: &str,
        id: &str,
        condition: impl Fn(&OffreOperationnelle) -> bool,
    ) -> OffreOperationnelle {
        attendre(quoi, async || condition(&self.offre(id).await)).await;
        self.offre(id).await
    }

    /// Consequences on one resource, newest first.
    pub async fn consequences(&self, ressource_id: &str) -> Vec<Consequence> {
        let d = ListConsequencesRequest { ressource_id: ressource_id.into(), ..Default::default() };
        self.banc.offers().list_consequences(d).await.unwrap().into_inner().consequences
    }

    /// Waits for a consequence of that rule in that state.
    pub async fn attendre_consequence(&self, id: &str, regle: &str, etat: EtatConsequence) -> Consequence {
        let lire = async || {
            let toutes = self.consequences(id).await;
            toutes.into_iter().find(|c| c.regle == regle && c.etat() == etat)
        };
        attendre(&format!("{regle} on {id}, {etat:?}"), async || lire().await.is_some()).await;
        lire().await.unwrap()
    }
}

/// Own closure of an offer: kind and date.
pub fn fermeture(o: &OffreOperationnelle) -> (&str, &str) {
    (o.type_fermeture.as_ref().map_or("", |t| t.code.as_str()), &o.date_fermeture)
}

/// Kind of closure of the site of an offer; empty when it is open.
pub fn site_ferme(o: &OffreOperationnelle) -> &str {
    let t = o.fermeture_site.as_ref().and_then(|f| f.r#type.as_ref());
    t.map_or("", |t| t.code.as_str())
}

/// A postal address.
pub fn adresse(voie: &str) -> Option<Adresse> {
    Some(Adresse {
        numero_voie: "12".into(),
        libelle_voie: voie.into(),
        code_postal: "01000".into(),
        localite: "VILLE".into(),
        ..Default::default()
    })
}

/// A legal entity as FINESS describes it.
pub fn entite(numero: &str) -> StructureFiness {
    StructureFiness {
        meta: Some(Meta { id: id_ej(numero), region: AUTRE.into(), ..Default::default() }),
        num_finess: numero.into(),
        entite_juridique: true,
        denomination: format!("CH {numero}"),
        commune_cog: "01451".into(),
        ..Default::default()
    }
}

/// An open site as FINESS describes it.
pub fn site(numero: &str) -> StructureFiness {
    StructureFiness {
        meta: Some(Meta { id: id_eg(numero), region: AUTRE.into(), ..Default::default() }),
        num_finess: numero.into(),
        num_finess_ej: EJ.into(),
        denomination: "SITE NORD".into(),
        categorie: "355".into(),
        date_ouverture: "1979-02-13".into(),
        adresse: adresse("FICTIVE"),
        commune_cog: "01451".into(),
        telephone: "0400000201".into(),
        ..Default::default()
    }
}

/// The same, closed.
pub fn site_clos(numero: &str, type_fermeture: &str, date: &str) -> StructureFiness {
    StructureFiness { type_fermeture: type_fermeture.into(), date_fermeture: date.into(), ..site(numero) }
}
