//! The local copy of the nomenclatures: validation and labels in process, no call
//! on any write path. Hydrated by the snapshot of `nomenclatures`, followed live.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use prost::Message;
use ror_chassis::{
    Contexte, Erreur, Resultat,
    client::Canal,
    suivi::{Appel, Position, Suiveur},
};
use ror_proto::{
    common::v1::{Code, Evenement},
    nomenclatures::v1::{
        GetNomenclatureRequest, Nomenclature, SnapshotNomenclaturesRequest, Sorte,
        nomenclatures_service_client::NomenclaturesServiceClient,
    },
};

use crate::liaisons::Liaison;

/// Looked up for each code written or rendered: a fast hash, of our own keys only.
type HashMap<C, V> = std::collections::HashMap<C, V, foldhash::fast::FixedState>;

/// A concept as kept in memory.
#[derive(Clone, Debug, Default)]
pub struct Concept {
    /// French label.
    pub libelle: Box<str>,
    /// First day of validity, ISO date, empty when unknown.
    pub valide_du: Box<str>,
    /// Last day of validity, empty when still valid.
    pub valide_au: Box<str>,
    /// Retired by its code system.
    pub retire: bool,
}

#[derive(Clone, Debug, Default)]
struct Jeu {
    complete: bool,
    version: String,
    /// System to codes.
    membres: HashMap<Box<str>, std::collections::HashSet<Box<str>>>,
}

/// The tables at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    systemes: HashMap<Box<str>, Arc<Systeme>>,
    jeux: HashMap<Box<str>, Arc<Jeu>>,
}

/// One code system.
#[derive(Clone, Debug, Default)]
pub struct Systeme {
    complete: bool,
    version: String,
    concepts: HashMap<Box<str>, Concept>,
}

/// Why a code is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motif {
    /// Stable rule id.
    pub regle: &'static str,
    /// French sentence.
    pub message: String,
}

impl Tables {
    /// Adds or replaces a nomenclature; an older version does not replace a newer one.
    pub fn poser(&mut self, n: &Nomenclature) {
        match n.sorte() {
            Sorte::Tre => {
                if self
                    .systemes
                    .get(n.canonique.as_str())
                    .is_some_and(|s| plus_recente(&s.version, &n.version))
                {
                    return;
                }
                let concepts = n
                    .concepts
                    .iter()
                    .map(|c| {
                        (
                            c.code.as_str().into(),
                            Concept {
                                libelle: c.libelle.as_str().into(),
                                valide_du: c.valide_du.as_str().into(),
                                valide_au: c.valide_au.as_str().into(),
                                retire: c.statut == "retired",
                            },
                        )
                    })
                    .collect();
                let s = Systeme { complete: n.complete, version: n.version.clone(), concepts };
                self.systemes.insert(n.canonique.as_str().into(), Arc::new(s));
            }
            Sorte::Jdv => {
                if self.jeux.get(n.canonique.as_str()).is_some_and(|s| plus_recente(&s.version, &n.version)) {
                    return;
                }
                let mut jeu = Jeu { complete: n.complete, version: n.version.clone(), ..Default::default() };
                for c in &n.concepts {
                    jeu.membres.entry(c.systeme.as_str().into()).or_default().insert(c.code.as_str().into());
                }
                self.jeux.insert(n.canonique.as_str().into(), Arc::new(jeu));
            }
            Sorte::Unspecified => {}
        }
    }

    /// French label of a code.
    pub fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        self.systemes.get(systeme)?.concepts.get(code).map(|c| c.libelle.as_ref())
    }

    /// Codes of a system with their labels.
    pub fn concepts(&self, systeme: &str) -> impl Iterator<Item = (&str, &Concept)> {
        self.systemes.get(systeme).into_iter().flat_map(|s| s.concepts.iter().map(|(k, v)| (k.as_ref(), v)))
    }

    /// Whether anything was loaded.
    pub fn est_vide(&self) -> bool {
        self.systemes.is_empty()
    }

    /// Whether the code belongs to the value set at the date (ISO). A list that was
    /// not read whole never proves a code wrong.
    pub fn valider(&self, liaison: Liaison, code: &Code, date: &str) -> Result<(), Motif> {
        let motif = |regle, message| Err(Motif { regle, message });
        if code.code.is_empty() {
            return motif("code-manquant", "Le code manque.".into());
        }
        let Some(jeu) = self.jeux.get(liaison.canonique) else { return Ok(()) };
        let membre = jeu.membres.get(code.systeme.as_str()).map(|codes| codes.contains(code.code.as_str()));
        match membre {
            Some(true) => {}
            Some(false) if jeu.complete => {
                return motif(
                    "code-inconnu",
                    format!("Le code « {} » n'est pas dans {}.", code.code, liaison.nom),
                );
            }
            None if !jeu.membres.is_empty() => {
                return motif(
                    "systeme-inconnu",
                    format!("Le système « {} » n'est pas une source de {}.", code.systeme, liaison.nom),
                );
            }
            _ => return Ok(()),
        }
        if let Some(c) =
            self.systemes.get(code.systeme.as_str()).and_then(|s| s.concepts.get(code.code.as_str()))
        {
            let hors = |borne: &str, apres: bool| {
                !borne.is_empty() && if apres { date > borne } else { date < borne }
            };
            if c.retire || hors(&c.valide_au, true) || hors(&c.valide_du, false) {
                return motif(
                    "code-hors-date",
                    format!("Le code « {} » de {} n'est pas valide le {date}.", code.code, liaison.nom),
                );
            }
        }
        Ok(())
    }

    /// The members of a value set, at most `n`, for "what would be accepted".
    pub fn exemples(&self, liaison: Liaison, n: usize) -> String {
        let Some(jeu) = self.jeux.get(liaison.canonique) else {
            return format!("un code de {}", liaison.nom);
        };
        let mut codes: Vec<&str> = jeu.membres.values().flatten().map(AsRef::as_ref).collect();
        codes.sort_unstable();
        let reste = codes.len().saturating_sub(n);
        codes.truncate(n);
        let suite = if reste > 0 { format!(" et {reste} autres") } else { String::new() };
        format!("un code de {} : {}{suite}", liaison.nom, codes.join(", "))
    }

    /// Completeness and version of a code system.
    pub fn systeme(&self, canonique: &str) -> Option<(bool, &str)> {
        self.systemes.get(canonique).map(|s| (s.complete, s.version.as_str()))
    }
}

/// Versions compare only when both are 14-digit timestamps; else the last loaded wins.
fn plus_recente(connue: &str, nouvelle: &str) -> bool {
    let date = |v: &str| v.len() == 14 && v.bytes().all(|b| b.is_ascii_digit());
    date(connue) && date(nouvelle) && connue > nouvelle
}

/// A shared, live copy.
#[derive(Clone, Default)]
pub struct Vocabulaire(Arc<Partage>);

#[derive(Default)]
struct Partage {
    tables: ArcSwap<Tables>,
    pret: AtomicBool,
}

impl Vocabulaire {
    /// A fixed copy, for tests and tools.
    pub fn fixe(nomenclatures: &[Nomenclature]) -> Self {
        let mut t = Tables::default();
        nomenclatures.iter().for_each(|n| t.poser(n));
        let v = Self::default();
        v.0.tables.store(Arc::new(t));
        v.0.pret.store(true, Ordering::Release);
        v
    }

    /// The tables now.
    pub fn tables(&self) -> Arc<Tables> {
        self.0.tables.load_full()
    }

    /// The tables, or "not yet" while the first copy is not whole.
    pub fn pret(&self) -> Resultat<Arc<Tables>> {
        if self.0.pret.load(Ordering::Acquire) {
            Ok(self.tables())
        } else {
            Err(Erreur::Indisponible("les nomenclatures se chargent : recommencez dans un instant".into()))
        }
    }

    /// Follows the service `nomenclatures` for the life of the process.
    pub fn suivre(contexte: &Contexte) -> Resultat<Self> {
        let v = Self::default();
        let canal = contexte.vers("nomenclatures")?;
        contexte.etat.poser("vocabulary", false);
        let etat = contexte.etat.clone();
        contexte.suivre(
            "nomenclatures",
            appel(canal.clone()),
            v.suiveur(canal, move || etat.poser("vocabulary", true)),
        );
        Ok(v)
    }

    /// The follower that keeps this copy; `pret` is called when the copy is whole.
    pub fn suiveur(&self, canal: Canal, pret: impl Fn() + Send + 'static) -> impl Suiveur {
        Suivi { voc: self.clone(), neuf: Tables::default(), client: client(canal), pret: Box::new(pret) }
    }
}

fn client(canal: Canal) -> NomenclaturesServiceClient<Canal> {
    NomenclaturesServiceClient::new(canal).max_decoding_message_size(ror_chassis::serveur::MESSAGE_MAX)
}

/// The snapshot call of `nomenclatures`.
pub fn appel(canal: Canal) -> Appel {
    Arc::new(move || {
        let mut client = client(canal.clone());
        Box::pin(async move {
            use futures::StreamExt;
            let flux = client.snapshot_nomenclatures(SnapshotNomenclaturesRequest {}).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    })
}

struct Suivi {
    voc: Vocabulaire,
    neuf: Tables,
    client: NomenclaturesServiceClient<Canal>,
    pret: Box<dyn Fn() + Send>,
}

impl Suivi {
    async fn lire(&mut self, e: &Evenement) -> Resultat<Nomenclature> {
        let n = Nomenclature::decode(e.etat.clone())?;
        // An event too large to carry its state names it only.
        if e.etat.is_empty() {
            let (canonique, version) = crate::ressource::cle_nomenclature(&e.agregat_id);
            let lue = self
                .client
                .get_nomenclature(GetNomenclatureRequest { canonique, version })
                .await?
                .into_inner();
            return Ok(lue.nomenclature.unwrap_or_default());
        }
        Ok(n)
    }
}

impl Suiveur for Suivi {
    fn nom(&self) -> String {
        "vocabulary".into()
    }
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        self.neuf = Tables::default();
        Ok(())
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        for e in &lot {
            let n = self.lire(e).await?;
            self.neuf.poser(&n);
        }
        if position.is_some() {
            self.voc.0.tables.store(Arc::new(self.neuf.clone()));
        }
        Ok(())
    }
    async fn fin_instantane(&mut self, _: Position) -> Resultat<()> {
        self.voc.0.tables.store(Arc::new(self.neuf.clone()));
        // An empty copy would accept any code: it counts as whole once something is there.
        if !self.neuf.est_vide() {
            self.annoncer();
        }
        Ok(())
    }
    fn a_jour(&mut self) {
        if !self.neuf.est_vide() {
            self.annoncer();
        }
    }
}

impl Suivi {
    fn annoncer(&self) {
        self.voc.0.pret.store(true, Ordering::Release);
        (self.pret)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liaisons::{ACTE_SPECIFIQUE, CHAMP_ACTIVITE, TRE_CHAMP};
    use ror_proto::nomenclatures::v1::Concept as C;

    fn concept(systeme: &str, code: &str, valide_au: &str) -> C {
        C {
            systeme: systeme.into(),
            code: code.into(),
            libelle: "x".into(),
            valide_au: valide_au.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_complete_list_refuses_what_it_does_not_hold_and_a_date_ends_a_code() {
        let tre = Nomenclature {
            sorte: Sorte::Tre as i32,
            canonique: TRE_CHAMP.into(),
            concepts: vec![concept("", "01", ""), concept("", "02", "2020-01-01")],
            ..Default::default()
        };
        let jdv = Nomenclature {
            sorte: Sorte::Jdv as i32,
            canonique: CHAMP_ACTIVITE.canonique.into(),
            complete: true,
            concepts: vec![concept(TRE_CHAMP, "01", ""), concept(TRE_CHAMP, "02", "")],
            ..Default::default()
        };
        let v = Vocabulaire::fixe(&[tre, jdv]).pret().unwrap();
        let code = |s: &str, c: &str| Code { systeme: s.into(), code: c.into() };
        let regle = |c: &Code| v.valider(CHAMP_ACTIVITE, c, "2026-11-21").map_err(|m| m.regle);
        assert_eq!(regle(&code(TRE_CHAMP, "01")), Ok(()));
        assert_eq!(regle(&code(TRE_CHAMP, "02")), Err("code-hors-date"));
        assert_eq!(regle(&code(TRE_CHAMP, "99")), Err("code-inconnu"));
        assert_eq!(regle(&code("autre", "01")), Err("systeme-inconnu"));
        assert_eq!(v.valider(CHAMP_ACTIVITE, &code(TRE_CHAMP, "02"), "2019-06-01"), Ok(()));
        assert_eq!(
            v.valider(ACTE_SPECIFIQUE, &code("x", "y"), "2026-11-21"),
            Ok(()),
            "a list not loaded proves nothing"
        );
    }
}
