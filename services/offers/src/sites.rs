//! Follows the structures: when a site closes, opens or takes the place of another,
//! the offers it carries follow by the rules of [`crate::consequences`]. Every offer
//! below it tells at once that its site is closed, whatever a person decides later.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use futures::StreamExt;
use ror_chassis::{
    Contexte, Erreur, Resultat,
    magasin::{Decision, Demande, Ligne, Magasin},
    suivi::{Appel, Durable, Effet},
};
use ror_domaine::{references::Suivies, ressource::Ressource as _};
use ror_proto::{
    common::v1::{Canal, Evenement, Provenance},
    offers::v1::{Offer, offer::Ressource as R},
    structures::v1::{SnapshotStructuresRequest, structures_service_client::StructuresServiceClient},
};
use sqlx::PgConnection;

use crate::{
    consequences::{self, EnCours, Mode, Regle, Site},
    domaine::{self, LIEN_STRUCTURE, Sites},
    recue::Recue,
    store::{
        consequences::{self as suites, Nouvelle},
        structures::{self, Structure},
    },
};

/// Resources written in one statement.
const LOT: usize = 500;

/// Follows `structures` twice: which ones exist, and what their changes mean.
pub(crate) fn suivre(c: &Contexte, mode: Mode) -> Resultat<()> {
    let canal = c.vers("structures")?;
    let appel: Appel = Arc::new(move || {
        let mut client = StructuresServiceClient::new(canal.clone());
        Box::pin(async move {
            let flux = client.snapshot_structures(SnapshotStructuresRequest {}).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    });
    demarrer(c, appel.clone(), "structures", Suivies::nouveau("structures"));
    demarrer(c, appel, "consequences", Suites { magasin: c.magasin.clone(), mode });
    Ok(())
}

/// Ready once the follower has caught up.
fn demarrer(c: &Contexte, appel: Appel, condition: &'static str, effet: impl Effet) {
    c.etat.poser(condition, false);
    let etat = c.etat.clone();
    let a_jour = move || etat.poser(condition, true);
    c.suivre("structures", appel, Durable::nouveau(c.magasin.pool().clone(), "structures", effet, a_jour));
}

struct Suites {
    magasin: Magasin,
    mode: Mode,
}

impl Effet for Suites {
    fn nom(&self) -> &'static str {
        "consequences"
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        let mut recues = Recue::lire(lot)?;
        let ids: Vec<String> = recues.iter().map(|r| r.structure.id.clone()).collect();
        let avant = structures::lire(tx, &ids).await?;
        recues.retain(|r| avant.get(&r.structure.id).is_none_or(|a| a.version < r.structure.version));
        if recues.is_empty() {
            return Ok(());
        }
        let gardees: Vec<&Structure> = recues.iter().map(|r| &r.structure).collect();
        structures::garder(tx, &gardees).await?;
        recues.retain(|r| r.touche(avant.get(&r.structure.id)));
        if recues.is_empty() {
            return Ok(());
        }
        suites::verrouiller(tx).await?;
        Changement::preparer(tx, &recues, &avant, self.mode).await?.appliquer(&self.magasin, tx).await
    }

    fn apres(&mut self) {
        self.magasin.reveil().notify_one();
    }
}

/// What a batch of structures changes, gathered before any offer is touched.
struct Changement {
    mode: Mode,
    /// Sites whose closure changed.
    sites: HashMap<String, Site>,
    /// Site of each internal organisation under them.
    site_de: HashMap<String, String>,
    /// Structures withdrawn for another that took their place: what hangs on them moves.
    reprises: HashMap<String, String>,
    fermetures: Sites,
    /// Consequences that hold, by resource and cause.
    connues: HashMap<(String, String), Vec<EnCours>>,
    /// Those that end.
    levees: Vec<String>,
    /// Resources to look at, by who changed their structure.
    a_voir: BTreeMap<String, BTreeMap<String, &'static str>>,
}

impl Changement {
    async fn preparer(
        tx: &mut PgConnection,
        recues: &[Recue],
        avant: &HashMap<String, Structure>,
        mode: Mode,
    ) -> Resultat<Self> {
        let touchees: Vec<String> = recues.iter().map(|r| r.structure.id.clone()).collect();
        let site_de: HashMap<String, String> =
            structures::organisations(tx, &touchees).await?.into_iter().collect();
        let reprises: HashMap<String, String> = recues
            .iter()
            .flat_map(|r| r.reprises.iter().map(|de| (de.clone(), r.structure.id.clone())))
            .collect();
        let sites: HashMap<String, Site> = recues
            .iter()
            .filter(|r| r.est_site() && r.fermeture_change(avant.get(&r.structure.id)))
            .map(|r| (r.structure.id.clone(), r.site()))
            .collect();
        let origines: HashMap<&str, &str> =
            recues.iter().map(|r| (r.structure.id.as_str(), r.origine.as_str())).collect();
        let porteurs: HashSet<&String> =
            touchees.iter().chain(site_de.keys()).chain(reprises.keys()).collect();
        let porteurs: Vec<String> = porteurs.into_iter().cloned().collect();
        let fermetures = structures::fermetures(tx, &porteurs).await?;
        let mut a_voir: BTreeMap<String, BTreeMap<String, &'static str>> = BTreeMap::new();
        for r in structures::rattachees(tx, LIEN_STRUCTURE, &porteurs).await? {
            let Some(genre) = genre(&r.genre).filter(|g| *g == "offre" || reprises.contains_key(&r.a)) else {
                continue;
            };
            let cause = reprises.get(&r.a).or_else(|| site_de.get(&r.a)).unwrap_or(&r.a);
            let origine = origines.get(cause.as_str()).copied().unwrap_or_default();
            a_voir.entry(origine.to_owned()).or_default().insert(r.id, genre);
        }
        let causes: Vec<String> = sites.keys().chain(reprises.keys()).cloned().collect();
        let (mut connues, mut levees) = (HashMap::<_, Vec<EnCours>>::new(), Vec::new());
        for c in suites::en_cours(tx, &causes).await? {
            let site = sites.get(&c.cause_id).filter(|s| !reprises.contains_key(&s.id));
            if site.is_none_or(|s| consequences::levee(&c, s.regle)) {
                levees.push(c.id.clone());
            }
            connues.entry((c.ressource_id.clone(), c.cause_id.clone())).or_default().push(c);
        }
        Ok(Self { mode, sites, site_de, reprises, fermetures, connues, levees, a_voir })
    }

    async fn appliquer(self, magasin: &Magasin, tx: &mut PgConnection) -> Resultat<()> {
        let mut nouvelles = Vec::new();
        for (origine, ressources) in &self.a_voir {
            let provenance = Provenance {
                canal: Canal::Referentiel as i32,
                auteur: origine.clone(),
                ..Provenance::default()
            };
            let demandes: Vec<Demande> = ressources
                .iter()
                .map(|(id, &genre)| Demande {
                    id: id.clone(),
                    genre,
                    version_attendue: 0,
                    recu: Bytes::new(),
                })
                .collect();
            for morceau in demandes.chunks(LOT) {
                let mut decider = |_: usize, courant: Option<&Ligne>| self.decider(courant, &mut nouvelles);
                let ecrit = magasin.ecrire_dans(tx, &provenance, None, morceau, &mut decider).await?;
                if ecrit.is_none() {
                    return Err(Erreur::Conflit("concurrent write on an offer".into()));
                }
            }
        }
        suites::lever(tx, &self.levees).await?;
        suites::noter(tx, &nouvelles).await
    }

    fn decider(&self, courant: Option<&Ligne>, nouvelles: &mut Vec<Nouvelle>) -> Decision {
        let Some((l, mut r)) = courant.filter(|l| !l.retire).and_then(|l| Some((l, Offer::depuis(l).ok()?)))
        else {
            return Decision::Rien;
        };
        match &mut r.ressource {
            Some(R::Offre(o)) => {
                self.reprendre(&mut o.porteur_id);
                o.fermeture_site = self.fermetures.get(&o.porteur_id).cloned();
                let site = self.site_de.get(&o.porteur_id).unwrap_or(&o.porteur_id);
                if let Some(site) = self.sites.get(site) {
                    let connues = self.connues.get(&(l.id.clone(), site.id.clone()));
                    let connues = connues.map(Vec::as_slice).unwrap_or_default();
                    let note = consequences::suivre(o, site, connues, self.mode);
                    nouvelles.extend(note.map(|note| Nouvelle {
                        ressource_id: l.id.clone(),
                        genre: "offre",
                        region: l.region.clone(),
                        cause_id: site.id.clone(),
                        cause_version: site.version,
                        origine: site.origine.clone(),
                        note,
                    }));
                }
            }
            Some(R::Lieu(x)) => self.reprendre(&mut x.structure_gestionnaire_id),
            Some(R::Situation(x)) => self.reprendre(&mut x.structure_id),
            None => return Decision::Rien,
        }
        Decision::Ecrire {
            region: l.region.clone(),
            etat: r.etat(),
            identifiants: Some(domaine::identifiants(&r)),
        }
    }

    /// What referred to a structure refers to the one that took its place.
    fn reprendre(&self, structure: &mut String) {
        if let Some(vers) = self.reprises.get(structure) {
            structure.clone_from(vers);
        }
    }
}

/// A kind the store knows, as a constant.
pub(crate) fn genre(nom: &str) -> Option<&'static str> {
    ["offre", "lieu", "situation"].into_iter().find(|g| *g == nom)
}

impl Recue {
    /// Sites alone have consequences on what they carry: FINESS tells of each of them.
    fn est_site(&self) -> bool {
        self.structure.genre == "entite_geographique"
    }

    fn site(&self) -> Site {
        Site {
            id: self.structure.id.clone(),
            version: self.structure.version,
            origine: self.origine.clone(),
            regle: Regle::de_fermeture(&self.structure.type_fermeture),
            date: self.structure.date_fermeture.clone(),
        }
    }
}
