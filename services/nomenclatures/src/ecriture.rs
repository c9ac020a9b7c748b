//! The writes: loads, states, strictness, promotions. Each is one transaction of the
//! store; a dry run is the same, undone.

mod decision;

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    magasin::{Decision, Demande, Ligne, refuse},
};
use ror_domaine::{controle::aujourdhui, ressource::id_nomenclature};
use ror_proto::{
    common::v1::{Faute, Issue, Provenance, ResultatEcriture},
    nomenclatures::v1::{
        Ecart, EtatEdition, LoadNomenclatureRequest, LoadNomenclatureResponse, Nomenclature,
        PromoteRegionalRequest, PromoteRegionalResponse, Rigueur, SetStateRequest, SetStateResponse,
        SetStrictnessRequest, SetStrictnessResponse, Sorte, SorteEcart,
    },
};

use crate::{
    catalogue::{Catalogue, inconnue},
    domaine::{
        self, GENRE,
        ecarts::{self, Difference, comparer},
        gouvernance, promotion, regles,
    },
    index::{Entete, Index},
    usage::Usages,
};

use decision::{autour, charger, modifier, promotion_refusee, provenance, rang_a_naitre};

/// Most impacts told by a write.
const IMPACTS_MAX: usize = 500;

/// The writes of the service.
#[derive(Clone)]
pub struct Ecritures {
    catalogue: Catalogue,
    usages: Usages,
}

impl Ecritures {
    /// Over a catalogue, telling impacts from these counts.
    pub fn nouveau(catalogue: Catalogue, usages: Usages) -> Self {
        Self { catalogue, usages }
    }

    /// Loads a version.
    pub async fn charger(&self, r: LoadNomenclatureRequest) -> Resultat<LoadNomenclatureResponse> {
        let n = domaine::normaliser(r.nomenclature.ok_or_else(|| {
            Erreur::faute("nomenclature", "obligatoire", "La nomenclature manque.", "une version entière")
        })?);
        let (id, jour, index) =
            (id_nomenclature(&n.canonique, &n.version), aujourdhui(), self.catalogue.index());
        let reference = self.reference(&index, &n).await?;
        let mut fautes = regles::valider(&n);
        if fautes.is_empty() {
            let autour = autour(&index, &n, reference.as_ref());
            fautes = gouvernance::controler_charge(&n, autour, r.provenance.as_ref(), &jour);
        }
        let version_avant = reference.as_ref().map(|a| a.version.clone()).unwrap_or_default();
        if !fautes.is_empty() {
            let resultat = Some(refuse(&id, 0, fautes));
            return Ok(LoadNomenclatureResponse { resultat, version_avant, ..Default::default() });
        }
        let courante = index.courante(&n.canonique);
        let decider =
            |_: usize, presente: Option<&Ligne>| charger(&n, presente, courante.map(|c| &c.nomenclature));
        let resultat =
            self.ecrire(r.essai, &provenance(r.provenance), &id, n.encode_to_vec().into(), decider).await?;
        let mut reponse = LoadNomenclatureResponse { version_avant, ..Default::default() };
        if matches!(resultat.issue(), Issue::Cree | Issue::Modifie) {
            let differences = comparer(reference.as_ref(), &n, &jour);
            reponse.ajoutes = ecarts::nombre(&differences, |s| s == SorteEcart::Ajout);
            reponse.retires = ecarts::nombre(&differences, |s| s == SorteEcart::Suppression);
            reponse.modifies = ecarts::nombre(&differences, |_| true) - reponse.ajoutes - reponse.retires;
            // An older version than the current one takes nothing from anybody.
            if courante.is_none_or(|c| c.rang <= rang_a_naitre(&n)) {
                reponse.impacts = self.impacts(&n.canonique, &differences).await?;
            }
            if !r.essai {
                self.catalogue.relire(&id).await?;
                tracing::info!(
                    id,
                    added = reponse.ajoutes,
                    changed = reponse.modifies,
                    removed = reponse.retires,
                    "nomenclature loaded"
                );
            }
        }
        reponse.resultat = Some(resultat);
        Ok(reponse)
    }

    /// The content a load is compared with: the same version, else the published one before it.
    async fn reference(&self, index: &Index, n: &Nomenclature) -> Resultat<Option<Nomenclature>> {
        let presente = index.entete(&n.canonique, &n.version);
        match presente.or_else(|| index.precedente(&n.canonique, rang_a_naitre(n))) {
            Some(e) => self.catalogue.contenu(&n.canonique, &e.nomenclature.version).await.map(Some),
            None => Ok(None),
        }
    }

    /// Moves a version along its states.
    pub async fn changer_etat(&self, r: SetStateRequest) -> Resultat<SetStateResponse> {
        let vers = r.etat();
        if !matches!(vers, EtatEdition::Publiee | EtatEdition::Retiree) {
            return Err(Erreur::faute("etat", "valeur", "L'état voulu manque.", "publiée ou retirée"));
        }
        let (index, jour) = (self.catalogue.index(), aujourdhui());
        let entete = index
            .entete(&r.canonique, &r.version)
            .cloned()
            .ok_or_else(|| inconnue(&r.canonique, &r.version))?;
        let id = id_nomenclature(&r.canonique, &r.version);
        let n = self.catalogue.contenu(&r.canonique, &r.version).await?;
        let change = domaine::etat_effectif(&n) != vers;
        let mut fautes: Vec<Faute> =
            gouvernance::controler_provenance(&n, r.provenance.as_ref()).into_iter().collect();
        let mut impacts = Vec::new();
        if change {
            fautes.extend(gouvernance::controler_passage(&n, vers));
            if vers == EtatEdition::Publiee {
                let avant = self.contenu_de(index.precedente(&r.canonique, entete.rang)).await?;
                fautes.extend(gouvernance::controler_reprises(&n, avant.as_ref(), &jour));
            }
            impacts = self.impacts_du_passage(&index, &entete, &n, vers, &jour).await?;
            if !impacts.is_empty() && !r.confirme {
                fautes.push(gouvernance::non_confirmee(impacts.len()));
            }
        }
        if !fautes.is_empty() {
            let resultat = Some(refuse(&id, entete.revision, fautes));
            return Ok(SetStateResponse { resultat, nomenclature: None, impacts });
        }
        let decider = |_: usize, presente: Option<&Ligne>| {
            modifier(presente, |p| {
                if domaine::etat_effectif(p) != vers {
                    gouvernance::controler_passage(p, vers).map_or(Ok(()), Err)?;
                    p.etat = vers as i32;
                }
                Ok(())
            })
        };
        let resultat = self.ecrire(r.essai, &provenance(r.provenance), &id, Bytes::new(), decider).await?;
        if !r.essai && resultat.issue() == Issue::Modifie {
            self.catalogue.relire(&id).await?;
            tracing::info!(id, state = vers.as_str_name(), "nomenclature state changed");
        }
        let index = self.catalogue.index();
        let nomenclature = index.entete(&r.canonique, &r.version).map(|e| index.dire(e));
        Ok(SetStateResponse { resultat: Some(resultat), nomenclature, impacts })
    }

    /// Sets how strictly the current version of a value set is checked.
    pub async fn regler(&self, r: SetStrictnessRequest) -> Resultat<SetStrictnessResponse> {
        let index = self.catalogue.index();
        let courante = index.courante(&r.canonique).ok_or_else(|| inconnue(&r.canonique, ""))?;
        let n = &courante.nomenclature;
        if n.sorte() != Sorte::Jdv {
            let message = format!("{} n'est pas un jeu de valeurs.", domaine::nom(n));
            return Err(Erreur::faute("canonique", "sorte", message, "un JDV"));
        }
        let id = id_nomenclature(&r.canonique, &n.version);
        if let Some(f) = gouvernance::controler_provenance(n, r.provenance.as_ref()) {
            return Ok(SetStrictnessResponse { resultat: Some(refuse(&id, courante.revision, vec![f])) });
        }
        let (saisie, migration) = (r.saisie(), r.migration());
        let decider = |_: usize, presente: Option<&Ligne>| {
            modifier(presente, |p| {
                if saisie != Rigueur::Unspecified {
                    p.rigueur_saisie = saisie as i32;
                }
                if migration != Rigueur::Unspecified {
                    p.rigueur_migration = migration as i32;
                }
                Ok(())
            })
        };
        let resultat = self.ecrire(false, &provenance(r.provenance), &id, Bytes::new(), decider).await?;
        if resultat.issue() == Issue::Modifie {
            self.catalogue.relire(&id).await?;
        }
        Ok(SetStrictnessResponse { resultat: Some(resultat) })
    }

    /// Makes national the codes of a regional code system.
    pub async fn promouvoir(&self, r: PromoteRegionalRequest) -> Resultat<PromoteRegionalResponse> {
        let (index, jour) = (self.catalogue.index(), aujourdhui());
        let regionale =
            self.contenu_de(index.courante(&r.canonique)).await?.ok_or_else(|| inconnue(&r.canonique, ""))?;
        let nationale = self.contenu_de(index.courante(&r.canonique_national)).await?;
        let faite = match promotion::promouvoir(&r, &regionale, nationale.as_ref(), &jour) {
            Ok(p) => p,
            Err(fautes) => return Ok(promotion_refusee(&r, fautes)),
        };
        let mut fautes = Vec::new();
        for n in [&faite.nationale, &faite.association] {
            fautes.extend(regles::valider(n));
            fautes.extend(gouvernance::controler_charge(n, autour(&index, n, None), None, &jour));
            if index.entete(&n.canonique, &n.version).is_some() {
                let message = format!("{} a déjà une version {}.", n.canonique, n.version);
                fautes.push(faute("version", "existe", message, "une version nouvelle"));
            }
        }
        if !fautes.is_empty() {
            return Ok(promotion_refusee(&r, fautes));
        }
        let editions = [&faite.nationale, &faite.association];
        let resultats = self.ecrire_ensemble(r.essai, &provenance(r.provenance), editions).await?;
        if !r.essai {
            for resultat in &resultats {
                self.catalogue.relire(&resultat.id).await?;
            }
            tracing::info!(from = r.canonique, to = r.canonique_national, "regional codes promoted");
        }
        Ok(PromoteRegionalResponse {
            resultats,
            nationale: Some(domaine::entete(&faite.nationale)),
            association: Some(domaine::entete(&faite.association)),
            ajoutes: faite.ajoutes,
        })
    }

    async fn contenu_de(&self, e: Option<&Arc<Entete>>) -> Resultat<Option<Nomenclature>> {
        match e {
            Some(e) => {
                let n = &e.nomenclature;
                self.catalogue.contenu(&n.canonique, &n.version).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The codes in use that a change of state ends.
    async fn impacts_du_passage(
        &self,
        index: &Index,
        entete: &Entete,
        n: &Nomenclature,
        vers: EtatEdition,
        jour: &str,
    ) -> Resultat<Vec<Ecart>> {
        let courante = index.courante(&n.canonique);
        if vers == EtatEdition::Publiee {
            if courante.is_some_and(|c| c.rang > entete.rang) {
                return Ok(Vec::new());
            }
            let avant = self.contenu_de(courante).await?;
            return self.impacts(&n.canonique, &comparer(avant.as_ref(), n, jour)).await;
        }
        if courante.is_none_or(|c| c.nomenclature.version != n.version) {
            return Ok(Vec::new());
        }
        let suivante = self.contenu_de(index.precedente(&n.canonique, entete.rang)).await?;
        let differences = match &suivante {
            Some(s) => comparer(Some(n), s, jour),
            None => ecarts::elements(n).map(Difference::suppression).collect(),
        };
        self.impacts(&n.canonique, &differences).await
    }

    async fn impacts<'a>(&self, canonique: &'a str, differences: &[Difference<'a>]) -> Resultat<Vec<Ecart>> {
        let fins: Vec<&Difference<'a>> = differences.iter().filter(|d| d.est_fin()).collect();
        let codes: Vec<(String, String)> =
            fins.iter().map(|d| d.code(canonique)).map(|(s, c)| (s.to_owned(), c.to_owned())).collect();
        let comptes = self.usages.compter(&codes, "", "").await?;
        let dire = |(d, cle): (&Difference<'a>, (String, String))| {
            comptes.get(&cle).map(|usages| d.dire(canonique, usages.clone()))
        };
        Ok(fins.into_iter().zip(codes).filter_map(dire).take(IMPACTS_MAX).collect())
    }

    async fn ecrire(
        &self,
        essai: bool,
        provenance: &Provenance,
        id: &str,
        recu: Bytes,
        decider: impl FnMut(usize, Option<&Ligne>) -> Decision + Send,
    ) -> Resultat<ResultatEcriture> {
        let demandes = [Demande { id: id.to_owned(), genre: GENRE, version_attendue: 0, recu }];
        let magasin = self.catalogue.magasin();
        let resultats = if essai {
            magasin.essayer(provenance, None, &demandes, decider).await?
        } else {
            magasin.ecrire(provenance, None, &demandes, decider).await?
        };
        resultats.into_iter().next().ok_or_else(|| Erreur::interne("write without result"))
    }

    /// New versions, all or none.
    async fn ecrire_ensemble(
        &self,
        essai: bool,
        provenance: &Provenance,
        editions: [&Nomenclature; 2],
    ) -> Resultat<Vec<ResultatEcriture>> {
        let demande = |n: &Nomenclature| Demande {
            id: id_nomenclature(&n.canonique, &n.version),
            genre: GENRE,
            version_attendue: 0,
            recu: n.encode_to_vec().into(),
        };
        let demandes = editions.map(demande);
        let mut decider = |rang: usize, presente: Option<&Ligne>| match (presente, editions.get(rang)) {
            (None, Some(n)) => charger(n, None, None),
            _ => Decision::Refuser(Vec::new()),
        };
        let magasin = self.catalogue.magasin();
        let mut tx = magasin.pool().begin().await?;
        let ecrites = magasin.ecrire_dans(&mut tx, provenance, None, &demandes, &mut decider).await?;
        let entieres = ecrites.filter(|(r, _)| r.iter().all(|r| r.issue() == Issue::Cree));
        let Some((resultats, _)) = entieres else {
            tx.rollback().await?;
            return Err(Erreur::Conflit("une de ces versions vient d'être chargée : recommencez".into()));
        };
        if essai {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
            magasin.reveil().notify_one();
        }
        Ok(resultats)
    }
}
