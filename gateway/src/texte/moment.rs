//! Full text at a moment: what the index says, corrected by the rows that changed since its last
//! commit or after the moment.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use ror_domaine::vocabulaire::Tables;
use ror_proto::identity::v1::identity;

use super::{
    Analyse, ChampTexte, Demande, Fiche, TexteIntegral, Trouves, Vue, d_offre, de_professionnel, de_structure,
};
use crate::{
    fhir::politique::Bloc,
    modele::{Extrait, Modele, TypeFhir},
    recherche::{
        evaluation::{Payeur, Textes, TropCouteux},
        requete::TEXTES_MAX,
    },
};

/// Full text for one request.
pub struct TextesDuMoment {
    index: Arc<TexteIntegral>,
    vue: Arc<Vue>,
    tables: Arc<Tables>,
    profil: u8,
    // A request may ask the same text to filter and to score; a feed has several requests, and the last ones are kept.
    trouves: Mutex<VecDeque<Deja>>,
}

/// What was asked already, and what answers.
type Deja = ((TypeFhir, bool, String), Arc<Trouves>);

/// The texts of a row.
pub fn fiche(e: &Extrait<'_>, tables: &Tables) -> Option<Fiche> {
    match e.type_fhir {
        TypeFhir::Organization => Some(de_structure(e.rang, &e.structure()?.ressource?, tables)),
        TypeFhir::Practitioner => match e.identite()?.ressource? {
            identity::Ressource::Professionnel(p) => Some(de_professionnel(e.rang, &p, tables)),
            _ => None,
        },
        _ => Some(d_offre(e.rang, &e.offre()?.ressource?, tables)),
    }
}

impl TextesDuMoment {
    /// For a caller of that profile.
    pub fn nouveau(index: Arc<TexteIntegral>, tables: Arc<Tables>, profil: u8) -> Self {
        let vue = index.vue();
        Self { index, vue, tables, profil, trouves: Mutex::default() }
    }

    /// Whether every row is known: until then some would be missed.
    pub fn entiers(&self) -> bool {
        self.vue.entiere
    }

    fn interroger(
        &self,
        m: &Modele,
        t: TypeFhir,
        narratif: bool,
        texte: &str,
        touches: &RoaringBitmap,
    ) -> Trouves {
        let Some(demande) = Demande::lire(texte) else { return Trouves::default() };
        let repondre = |champ: ChampTexte| self.index.repondre(&self.vue, t, champ, &demande, None);
        let champ = if narratif { ChampTexte::Narratif } else { ChampTexte::Contenu };
        // The block that only some profiles read has an index of its own.
        let bloc = match t {
            TypeFhir::HealthcareService if !narratif => Some(Bloc::OffreFine),
            TypeFhir::Location if !narratif => Some(Bloc::LieuEquipement),
            _ => None,
        };
        let cachees = bloc.map(|b| m.table(t).masquees(m.politique(), b, self.profil, 0));
        let mut trouves = match &cachees {
            None => repondre(champ),
            Some(c) if c.is_empty() => repondre(ChampTexte::ContenuFin),
            Some(cachees) => {
                // A row answers by all that its reader sees of it, exclusions too: by one of the two.
                let mut trouves = repondre(champ);
                trouves.garder(cachees);
                let mut fins = repondre(ChampTexte::ContenuFin);
                fins.oter(cachees);
                trouves.unir(&fins);
                trouves
            }
        };
        let mut analyse = Analyse::default();
        let mut corriger = |r: u32| {
            let champ = match &cachees {
                Some(c) if !c.contains(r) => ChampTexte::ContenuFin,
                _ => champ,
            };
            let fiche = m.extraire(t, r, self.profil).and_then(|e| fiche(&e, &self.tables));
            (r, fiche.and_then(|f| demande.convient(champ, &f, &mut analyse)))
        };
        let corrections: Vec<(u32, Option<f32>)> = touches.iter().map(&mut corriger).collect();
        trouves.corriger(&corrections);
        trouves
    }
}

impl Textes for TextesDuMoment {
    fn trouver(
        &self,
        m: &Modele,
        t: TypeFhir,
        narratif: bool,
        texte: &str,
        payer: Payeur<'_>,
    ) -> Result<Arc<Trouves>, TropCouteux> {
        let meme = |((dt, dn, dx), _): &&Deja| (*dt, *dn, dx.as_str()) == (t, narratif, texte);
        if let Some((_, trouves)) = self.trouves.lock().iter().find(meme) {
            return Ok(trouves.clone());
        }
        // After the index was taken: what it holds of the changes that come after is among the rows changed since.
        let touches = self.index.touches_depuis(t, m.texte().min(self.vue.numero));
        payer(touches.len())?;
        let trouves = Arc::new(self.interroger(m, t, narratif, texte, &touches));
        let mut deja = self.trouves.lock();
        if deja.len() >= TEXTES_MAX {
            deja.pop_front();
        }
        deja.push_back(((t, narratif, texte.to_owned()), trouves.clone()));
        Ok(trouves)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use prost::Message as _;
    use ror_proto::{
        common::v1::{Evenement, Meta},
        offers::v1::{Offer, OffreOperationnelle, offer},
    };

    use super::*;
    use crate::{
        fhir::politique::PROFILS,
        modele::{Source, tests::vide},
    };

    #[test]
    fn each_row_answers_by_what_its_reader_sees_of_it() {
        let mut m = vide();
        let offre = |id: &str, unite_sensible: bool| {
            let meta = Some(Meta { id: id.into(), ..Default::default() });
            let o = OffreOperationnelle { meta, unite_sensible, ..Default::default() };
            let etat = Offer { ressource: Some(offer::Ressource::Offre(o)) }.encode_to_vec().into();
            Evenement { agregat_id: id.into(), version: 1, etat, ..Default::default() }
        };
        m.appliquer(Source::Offers, &[offre("ordinaire", false), offre("sensible", true)]);
        let t = TypeFhir::HealthcareService;
        let toutes = m.table(t).presentes().clone();
        let fiche = |rang: u32| Fiche {
            type_fhir: t,
            rang,
            narratif: "Unité".to_owned(),
            contenu: "consultation".to_owned(),
            fin: "chirurgie".to_owned(),
        };
        let index = Arc::new(TexteIntegral::nouveau(0, None).unwrap());
        // Not as changes: the index alone answers.
        index.nourrir(toutes.iter().map(fiche).collect(), Vec::new());
        index.achever();
        let mut melees = 0;
        for profil in 0..PROFILS as u8 {
            let cachees = m.table(t).masquees(m.politique(), Bloc::OffreFine, profil, 0);
            let textes = TextesDuMoment::nouveau(index.clone(), Arc::default(), profil);
            let trouver = |narratif: bool, texte: &str| {
                textes.trouver(&m, t, narratif, texte, &|_| Ok(())).unwrap().rangs.clone()
            };
            assert_eq!(trouver(false, "consultation"), toutes, "{profil}");
            assert_eq!(trouver(false, "chirurgie"), &toutes - &cachees, "{profil}");
            // What is hidden excludes nothing.
            assert_eq!(trouver(false, "unité -chirurgie"), cachees, "{profil}");
            assert!(trouver(true, "chirurgie").is_empty(), "{profil}");
            melees += usize::from(cachees.len() == 1);
        }
        assert!(toutes.len() == 2 && melees > 0, "some profile reads the block of one of them only");
    }

    #[test]
    fn rows_read_again_are_paid_for_once_and_before() {
        let m = vide();
        let index = Arc::new(TexteIntegral::nouveau(0, None).unwrap());
        let t = TypeFhir::Organization;
        // The index is ahead of the moment by these three rows, which it does not have.
        let texte = "Clinique".to_owned();
        let fiches = (0..3).map(|rang| Fiche {
            type_fhir: t,
            rang,
            narratif: texte.clone(),
            contenu: String::new(),
            fin: String::new(),
        });
        index.poser(fiches.collect::<Vec<_>>());
        index.achever();
        let textes = TextesDuMoment::nouveau(index, Arc::default(), 1);
        assert!(textes.trouver(&m, t, true, &texte, &|_| Err(TropCouteux)).is_err());
        let payes = RefCell::new(Vec::new());
        let payer = |n: u64| {
            payes.borrow_mut().push(n);
            Ok::<_, TropCouteux>(())
        };
        for _ in 0..2 {
            assert!(textes.trouver(&m, t, true, &texte, &payer).unwrap().rangs.is_empty());
        }
        assert_eq!(payes.borrow().as_slice(), [3]);
        // Answers are kept, but not without bound: the first one asked is the first forgotten.
        for n in 0..TEXTES_MAX {
            textes.trouver(&m, t, true, &format!("mot{n}"), &payer).unwrap();
        }
        textes.trouver(&m, t, true, "mot0", &payer).unwrap();
        assert_eq!((payes.borrow().len(), textes.trouves.lock().len()), (1 + TEXTES_MAX, TEXTES_MAX));
        textes.trouver(&m, t, true, &texte, &payer).unwrap();
        assert_eq!(payes.into_inner().len(), 2 + TEXTES_MAX);
    }
}
