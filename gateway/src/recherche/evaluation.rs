//! Set algebra: a request becomes the set of its rows, starting from what the
//! profile may see, so that nothing hidden can match, count or order.

use roaring::RoaringBitmap;

use super::{
    parametres::Relation,
    requete::{Critere, Intervalle, Jeton, ModeNom, Requete},
};
use crate::modele::{Lien, Modele, Param, Table, TypeFhir};

/// Deepest chain of organisations for `:above`.
const PROFONDEUR: usize = 8;

/// Rows of a request.
pub fn evaluer(m: &Modele, r: &Requete, profil: u8) -> RoaringBitmap {
    let mut rangs = m.table(r.type_fhir).visibles(profil).clone();
    // Postings first, relations then, row scans on what is left.
    let mut criteres: Vec<&Critere> = r.criteres.iter().collect();
    criteres.sort_by_key(|c| match c {
        Critere::Id(_) | Critere::Jeton { .. } | Critere::CodePostal(_) => 0,
        Critere::Reference(..) | Critere::Chaine { .. } => 1,
        Critere::Nom { .. } | Critere::Maj(_) => 2,
    });
    for c in criteres {
        if rangs.is_empty() {
            break;
        }
        appliquer(m, r.type_fhir, c, profil, &mut rangs);
    }
    rangs
}

/// Keeps the rows of a visible set that meet a criterion.
fn appliquer(m: &Modele, t: TypeFhir, c: &Critere, profil: u8, rangs: &mut RoaringBitmap) {
    let table = m.table(t);
    match c {
        Critere::Id(ids) => *rangs &= ids.iter().filter_map(|i| table.rang(i)).collect::<RoaringBitmap>(),
        Critere::Jeton { params, valeurs, non } => {
            let mut trouves = RoaringBitmap::new();
            for p in *params {
                let mut un = jetons(table, *p, valeurs);
                // A hidden attribute neither matches nor excludes.
                if *p == Param::CharacteristicFine {
                    un &= table.fines(profil);
                }
                trouves |= un;
            }
            if *non {
                *rangs -= trouves;
            } else {
                *rangs &= trouves;
            }
        }
        Critere::CodePostal(prefixes) => {
            let mut trouves = RoaringBitmap::new();
            for p in prefixes {
                trouves |= table.index.code_postal(p);
            }
            *rangs &= trouves;
        }
        Critere::Nom { mode, valeurs } => garder(rangs, |r| nom_convient(m, table, t, r, *mode, valeurs)),
        Critere::Maj(intervalles) => {
            garder(rangs, |r| {
                let maj = m.maj(t, r, profil);
                intervalles.iter().any(|i| dans(i, maj))
            });
        }
        Critere::Reference(relation, ids) => {
            let cibles = m.table(relation.cible());
            let visibles = cibles.visibles(profil);
            let cibles: RoaringBitmap =
                ids.iter().filter_map(|i| cibles.rang(i)).filter(|r| visibles.contains(*r)).collect();
            garder_lies(lien(m, *relation), rangs, &cibles);
        }
        Critere::Chaine { relation, critere, au_dessus } => {
            let cible = relation.cible();
            let mut cibles = m.table(cible).visibles(profil).clone();
            appliquer(m, cible, critere, profil, &mut cibles);
            if *au_dessus {
                cibles = descendants(m, cibles);
                cibles &= m.table(cible).visibles(profil);
            }
            garder_lies(lien(m, *relation), rangs, &cibles);
        }
    }
}

/// Keeps the rows that refer to one of these, walking the smaller side.
fn garder_lies(l: &Lien, rangs: &mut RoaringBitmap, cibles: &RoaringBitmap) {
    if rangs.len() <= cibles.len() {
        *rangs = rangs.iter().filter(|r| l.cibles(*r).iter().any(|c| cibles.contains(*c))).collect();
    } else {
        *rangs &= l.sources_de(cibles);
    }
}

fn jetons(table: &Table, p: Param, valeurs: &[Jeton]) -> RoaringBitmap {
    let mut r = RoaringBitmap::new();
    for v in valeurs {
        match (&v.code, &v.systeme) {
            (Some(code), systeme) => r |= table.index.chercher(p, systeme.as_deref(), code),
            (None, Some(systeme)) => r |= table.index.chercher_systeme(p, systeme),
            (None, None) => {}
        }
    }
    r
}

fn garder(rangs: &mut RoaringBitmap, condition: impl Fn(u32) -> bool) {
    *rangs = rangs.iter().filter(|r| condition(*r)).collect();
}

fn nom_convient(
    m: &Modele,
    table: &Table,
    t: TypeFhir,
    rang: u32,
    mode: ModeNom,
    valeurs: &[String],
) -> bool {
    match mode {
        ModeNom::Debut => {
            table.ligne(rang).noms.split('\n').any(|n| valeurs.iter().any(|v| n.starts_with(v.as_str())))
        }
        ModeNom::Contient => {
            table.ligne(rang).noms.split('\n').any(|n| valeurs.iter().any(|v| n.contains(v.as_str())))
        }
        ModeNom::Exact => {
            let plies: Vec<String> = valeurs.iter().map(|v| crate::modele::plier(v)).collect();
            table.ligne(rang).noms.split('\n').any(|n| plies.iter().any(|v| n == v))
                && noms_exacts(m, t, rang).iter().any(|n| valeurs.contains(n))
        }
    }
}

/// The names as written; only rows whose folded name is equal come here.
fn noms_exacts(m: &Modele, t: TypeFhir, rang: u32) -> Vec<String> {
    use ror_proto::{offers::v1::offer, structures::v1::structure};
    let Some(e) = m.extraire(t, rang, 1) else { return Vec::new() };
    match t {
        TypeFhir::Organization => match e.structure().and_then(|s| s.ressource) {
            Some(structure::Ressource::EntiteJuridique(x)) => vec![x.raison_sociale],
            Some(structure::Ressource::EntiteGeographique(x)) => vec![x.denomination, x.nom_operationnel],
            Some(structure::Ressource::OrganisationInterne(x)) => vec![x.nom],
            None => vec![],
        },
        _ => match e.offre().and_then(|s| s.ressource) {
            Some(offer::Ressource::Offre(x)) => vec![x.nom],
            Some(offer::Ressource::Lieu(x)) => vec![x.nom, x.nom_externe_synchro],
            _ => vec![],
        },
    }
}

fn dans(i: &Intervalle, maj: i64) -> bool {
    (i.de <= maj && maj < i.a) != i.exclu
}

/// Organisations and everything below them.
fn descendants(m: &Modele, racines: RoaringBitmap) -> RoaringBitmap {
    let mut tous = racines.clone();
    let mut couche = racines;
    for _ in 0..PROFONDEUR {
        couche = m.liens.parent.sources_de(&couche) - &tous;
        if couche.is_empty() {
            break;
        }
        tous |= &couche;
    }
    tous
}

/// The adjacency of a relation.
pub fn lien(m: &Modele, r: Relation) -> &Lien {
    match r {
        Relation::Parent => &m.liens.parent,
        Relation::Porteur => &m.liens.porteur,
        Relation::Lieux => &m.liens.lieux,
        Relation::Offre => &m.liens.offre,
        Relation::Professionnel => &m.liens.professionnel,
        Relation::Structure => &m.liens.structure,
        Relation::Gestionnaire => &m.liens.gestionnaire,
        Relation::LieuParent => &m.liens.lieu_parent,
    }
}

/// The first `n` rows after an id, in the order of [`crate::modele::ordre`], whatever replica
/// answers; the id to continue from when more follow.
pub fn page(
    table: &Table,
    rangs: &RoaringBitmap,
    apres: Option<&str>,
    n: usize,
) -> (Vec<u32>, Option<String>) {
    let id = |r: u32| table.ligne(r).id.as_ref();
    let apres = apres.map(|a| (crate::modele::ordre(a), a));
    let comparer = |a: &(u64, u32), b: &(u64, u32)| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(id(b.1)));
    let mut premiers: Vec<(u64, u32)> = Vec::with_capacity(2 * (n + 1));
    let mut borne = u64::MAX;
    for r in rangs {
        let o = table.ordre(r);
        if o > borne || apres.is_some_and(|(oa, a)| o < oa || (o == oa && id(r) <= a)) {
            continue;
        }
        premiers.push((o, r));
        // Twice too many: keep the first half, and know what needs no look any more.
        if premiers.len() == 2 * (n + 1) {
            premiers.select_nth_unstable_by(n, comparer);
            premiers.truncate(n + 1);
            borne = premiers[n].0;
        }
    }
    premiers.sort_unstable_by(comparer);
    let suite = (premiers.len() > n).then(|| premiers[..n].last().map(|d| id(d.1).to_owned())).flatten();
    premiers.truncate(n);
    (premiers.into_iter().map(|d| d.1).collect(), suite)
}
