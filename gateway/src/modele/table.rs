//! A table: rows numbered once, what is searched of them, and who sees them. Copying a table
//! costs a few pointers.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::{
    colonne::Colonne, creux::Creux, dictionnaire::Dictionnaire, enregistrements::Enregistrements, etat::Etat,
    ident::Id, image::par_champs, index::Index, paquets::Paquets, positions::Positions,
    repertoire::Repertoire, valeurs::Valeurs,
};
use crate::fhir::politique::{Bloc, Faits, PROFILS, Politique};
use crate::recherche::parametres::Groupe;

/// Kinds within a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorte {
    /// The only kind of its type.
    #[default]
    Unique,
    /// Legal entity.
    Ej,
    /// Site.
    Eg,
    /// Internal organisation.
    Oi,
}

/// A row. A row without state was only referred to so far.
#[derive(Clone, Default)]
pub struct Ligne {
    /// Facts rights depend on.
    pub faits: Faits,
    /// Kind.
    pub sorte: Sorte,
    /// Profiles that see it, one bit each.
    pub masque: u8,
}

par_champs!(Ligne { faits, sorte, masque });

/// What is between the names of a row.
const ENTRE_NOMS: char = '\n';

/// Classes of facts: rows with the same four facts have the same rights.
const CLASSES: usize = 16;

fn classe(f: &Faits) -> usize {
    usize::from(f.sensible)
        | usize::from(f.sensible_partage) << 1
        | usize::from(f.ms) << 2
        | usize::from(f.ville) << 3
}

fn faits_de(classe: usize) -> Faits {
    let bit = |i: u32| classe & (1 << i) != 0;
    Faits { sensible: bit(0), sensible_partage: bit(1), ms: bit(2), ville: bit(3), ..Faits::default() }
}

/// A table.
#[derive(Clone, Default)]
pub struct Table {
    nombre: u32,
    ids: Colonne<Id>,
    repertoire: Repertoire,
    // Beside the rows, so that ordering or dating a page reads nothing else.
    ordres: Colonne<u64>,
    majs: Colonne<i64>,
    versions: Colonne<u64>,
    lignes: Colonne<Ligne>,
    /// States, as they are kept: protobuf unions of their area.
    pub etats: Paquets,
    presentes: Arc<RoaringBitmap>,
    visibles: [Arc<RoaringBitmap>; PROFILS],
    classes: [Arc<RoaringBitmap>; CLASSES],
    /// Postings of codes.
    pub index: Index,
    /// Business identifiers.
    pub identifiants: Repertoire,
    /// Names of each row, folded.
    noms: Paquets,
    /// Words of the names.
    pub mots: Dictionnaire,
    /// Cities.
    pub villes: Dictionnaire,
    /// Postal codes.
    pub codes_postaux: Dictionnaire,
    /// Psychiatric sectors.
    pub secteurs: Dictionnaire,
    /// Lower ages.
    pub ages_bas: Valeurs,
    /// Upper ages.
    pub ages_haut: Valeurs,
    /// Closure of an offer, or end of a structure: first instant, first instant after.
    pub periodes: Creux<(i64, i64)>,
    /// Points of places.
    pub positions: Positions,
    groupes: [Enregistrements; 4],
}

par_champs!(Table {
    nombre,
    ids,
    repertoire,
    ordres,
    majs,
    versions,
    lignes,
    etats,
    presentes,
    visibles,
    classes,
    index,
    identifiants,
    noms,
    mots,
    villes,
    codes_postaux,
    secteurs,
    ages_bas,
    ages_haut,
    periodes,
    positions,
    groupes,
});

fn modifier(ensemble: &mut Arc<RoaringBitmap>, rang: u32, present: bool) {
    if ensemble.contains(rang) != present {
        let e = Arc::make_mut(ensemble);
        if present {
            e.insert(rang)
        } else {
            e.remove(rang)
        };
    }
}

impl Table {
    /// The row of an id, whether present or only referred to.
    pub fn rang(&self, id: &str) -> Option<u32> {
        let cherche = Id::from(id);
        self.repertoire.candidats(id).find(|r| self.ids.get(*r) == Some(&cherche))
    }

    /// The row of an id, numbered when new.
    pub fn numeroter(&mut self, id: &str) -> u32 {
        if let Some(r) = self.rang(id) {
            return r;
        }
        let r = self.nombre;
        self.nombre += 1;
        self.repertoire.ajouter(id, r);
        let id = Id::from(id);
        self.ordres.poser(r, id.ordre());
        *self.ids.place(r) = id;
        r
    }

    /// Rows numbered so far.
    pub fn nombre(&self) -> u32 {
        self.nombre
    }

    /// Technical id of a row.
    pub fn id(&self, rang: u32) -> Id {
        self.ids.get(rang).cloned().unwrap_or_default()
    }

    /// Where a row stands among others: see [`Id::ordre`].
    pub fn ordre(&self, rang: u32) -> u64 {
        self.ordres.valeur(rang)
    }

    /// Where some rows stand, in place of what was there.
    pub fn lire_ordres(&self, rangs: &[u32], ordres: &mut Vec<u64>) {
        self.ordres.lire(rangs, ordres);
    }

    /// Order of two rows: the same on every replica.
    pub fn comparer(&self, a: u32, b: u32) -> std::cmp::Ordering {
        self.ordre(a).cmp(&self.ordre(b)).then_with(|| self.ids.get(a).cmp(&self.ids.get(b)))
    }

    /// Last update of a row, milliseconds.
    pub fn maj(&self, rang: u32) -> i64 {
        self.majs.valeur(rang)
    }

    /// Version of a row at the owning service; none, or 0, for one that is only referred to.
    pub fn version(&self, rang: u32) -> Option<u64> {
        self.versions.get(rang).copied()
    }

    /// Puts a row at a version.
    pub fn poser_version(&mut self, rang: u32, version: u64) {
        self.versions.poser(rang, version);
    }

    /// A row.
    pub fn ligne(&self, rang: u32) -> Option<&Ligne> {
        self.lignes.get(rang)
    }

    /// State of a row that has one.
    pub fn etat(&self, rang: u32) -> Option<Etat<'_>> {
        self.etats.get(rang).map(Etat::de)
    }

    /// Gives back the room made ready for the rows of a first load.
    pub fn tasser(&mut self) {
        self.etats.tasser(self.nombre);
        self.noms.tasser(self.nombre);
    }

    /// Names of a row that has some, folded.
    pub fn noms(&self, rang: u32) -> Option<impl Iterator<Item = &str>> {
        std::str::from_utf8(self.noms.get(rang)?).ok().map(|noms| noms.split(ENTRE_NOMS))
    }

    /// Gives a row its names, none of which holds a line feed.
    pub fn poser_noms(&mut self, rang: u32, noms: &[String]) {
        let mut ensemble = noms.join(ENTRE_NOMS.encode_utf8(&mut [0; 4]));
        // One that folds to nothing is there all the same.
        if ensemble.is_empty() && !noms.is_empty() {
            ensemble.push(ENTRE_NOMS);
        }
        self.noms.poser(rang, ensemble.as_bytes());
    }

    /// Profiles that see a row, one bit each.
    pub fn masque(&self, rang: u32) -> u8 {
        self.ligne(rang).map_or(0, |l| l.masque)
    }

    /// Facts of a row.
    pub fn faits(&self, rang: u32) -> Faits {
        self.ligne(rang).map(|l| l.faits).unwrap_or_default()
    }

    /// A row, to change it.
    pub fn ligne_mut(&mut self, rang: u32) -> &mut Ligne {
        self.lignes.place(rang)
    }

    /// Dates a row.
    pub fn poser_maj(&mut self, rang: u32, maj: i64) {
        self.majs.poser(rang, maj);
    }

    /// Rows that have a state.
    pub fn presentes(&self) -> &RoaringBitmap {
        &self.presentes
    }

    /// Marks a row present or gone.
    pub fn poser_presence(&mut self, rang: u32, presente: bool) {
        modifier(&mut self.presentes, rang, presente);
    }

    /// Rows a profile may see.
    pub fn visibles(&self, profil: u8) -> &RoaringBitmap {
        &self.visibles[usize::from(profil).min(PROFILS - 1)]
    }

    /// Rows of which a profile may not see a block, `statut` being that of a capacity record.
    pub fn masquees(&self, politique: &Politique, bloc: Bloc, profil: u8, statut: u8) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        for (i, b) in self.classes.iter().enumerate().filter(|(_, b)| !b.is_empty()) {
            if !politique.permet(bloc, profil, &Faits { statut, ..faits_de(i) }) {
                r |= b.as_ref();
            }
        }
        r
    }

    /// Sets what may be seen of a row: one bit a profile. Answers whether anything changed.
    pub fn poser_droits(&mut self, rang: u32, faits: Faits, masque: u8) -> bool {
        let presente = self.presentes.contains(rang);
        let memes = match self.lignes.get(rang) {
            Some(l) => (l.faits, l.masque) == (faits, masque),
            None => (faits, masque) == (Faits::default(), 0),
        };
        if memes && self.classes[classe(&faits)].contains(rang) == presente {
            return false;
        }
        if !memes {
            let l = self.lignes.place(rang);
            l.faits = faits;
            l.masque = masque;
        }
        for (p, ensemble) in self.visibles.iter_mut().enumerate() {
            modifier(ensemble, rang, masque & (1 << p) != 0);
        }
        for (c, ensemble) in self.classes.iter_mut().enumerate() {
            modifier(ensemble, rang, presente && c == classe(&faits));
        }
        true
    }

    /// Records of a group.
    pub fn groupe(&self, g: Groupe) -> &Enregistrements {
        &self.groupes[g as usize]
    }

    /// Records of a group, to change them.
    pub fn groupe_mut(&mut self, g: Groupe) -> &mut Enregistrements {
        &mut self.groupes[g as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn names_come_back_even_one_that_folds_to_nothing() {
        let mut t = Table::default();
        let noms = |t: &Table, r| t.noms(r).map(|n| n.map(str::to_owned).collect::<Vec<_>>());
        let deux = ["hopital nord".to_owned(), "nord".to_owned()];
        t.poser_noms(7, &deux);
        t.poser_noms(8, &[String::new()]);
        assert_eq!(noms(&t, 7).as_deref(), Some(&deux[..]));
        assert!(noms(&t, 8).is_some_and(|n| n.iter().all(String::is_empty)));
        t.poser_noms(7, &[]);
        assert_eq!((noms(&t, 7), noms(&t, 9)), (None, None));
    }
}
