//! Full text at a moment: what the index says, corrected by the rows that changed since its last
//! commit or after the moment.

use std::sync::Arc;

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use ror_domaine::vocabulaire::Tables;
use ror_proto::identity::v1::identity;

use super::{
    Analyse, ChampTexte, Demande, Fiche, TexteIntegral, Trouves, d_offre, de_professionnel, de_structure,
};
use crate::{
    fhir::politique::Bloc,
    modele::{Extrait, Modele, TypeFhir},
    recherche::evaluation::Textes,
};

/// Full text for one request.
pub struct TextesDuMoment {
    index: Arc<TexteIntegral>,
    tables: Arc<Tables>,
    profil: u8,
    // A request may ask the same text to filter, to order and to score, row by row.
    trouves: Mutex<Vec<Deja>>,
}

/// What was asked already, and what answers.
type Deja = ((TypeFhir, bool, String), Arc<Trouves>);

/// The texts of a row.
pub fn fiche(e: &Extrait, tables: &Tables) -> Option<Fiche> {
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
        Self { index, tables, profil, trouves: Mutex::default() }
    }

    fn trouver(&self, m: &Modele, t: TypeFhir, narratif: bool, texte: &str) -> Arc<Trouves> {
        let meme = |((dt, dn, dx), _): &&Deja| (*dt, *dn, dx.as_str()) == (t, narratif, texte);
        if let Some((_, trouves)) = self.trouves.lock().iter().find(meme) {
            return trouves.clone();
        }
        let trouves = Arc::new(self.interroger(m, t, narratif, texte));
        self.trouves.lock().push(((t, narratif, texte.to_owned()), trouves.clone()));
        trouves
    }

    fn interroger(&self, m: &Modele, t: TypeFhir, narratif: bool, texte: &str) -> Trouves {
        let Some(demande) = Demande::lire(texte) else { return Trouves::default() };
        let champ = if narratif { ChampTexte::Narratif } else { ChampTexte::Contenu };
        // The block that only some profiles read has an index of its own.
        let bloc = match t {
            TypeFhir::HealthcareService if !narratif => Some(Bloc::OffreFine),
            TypeFhir::Location if !narratif => Some(Bloc::LieuEquipement),
            _ => None,
        };
        let cachees = bloc.map(|b| m.table(t).masquees(m.politique(), b, self.profil, 0));
        let mut trouves = match &cachees {
            None => self.index.repondre(t, champ, &demande, None),
            Some(c) if c.is_empty() => self.index.repondre(t, ChampTexte::ContenuFin, &demande, None),
            Some(cachees) => {
                // A row answers by all that its reader sees of it, exclusions too: by one of the two.
                let mut trouves = self.index.repondre(t, champ, &demande, None);
                trouves.garder(cachees);
                let mut fins = self.index.repondre(t, ChampTexte::ContenuFin, &demande, None);
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
        let touches = self.index.touches_depuis(t, m.texte().min(trouves.numero));
        let corrections: Vec<(u32, Option<f32>)> = touches.iter().map(&mut corriger).collect();
        trouves.corriger(&corrections);
        trouves
    }
}

impl Textes for TextesDuMoment {
    fn corrections(&self, m: &Modele, t: TypeFhir) -> u64 {
        self.index.touches_depuis(t, m.texte().min(self.index.lu())).len()
    }

    fn chercher(
        &self,
        m: &Modele,
        t: TypeFhir,
        narratif: bool,
        texte: &str,
        dans: &RoaringBitmap,
    ) -> RoaringBitmap {
        &self.trouver(m, t, narratif, texte).rangs & dans
    }

    fn score(&self, m: &Modele, t: TypeFhir, texte: &str, rang: u32) -> Option<f32> {
        let content = self.trouver(m, t, false, texte);
        content.score(rang).or_else(|| self.trouver(m, t, true, texte).score(rang))
    }
}
