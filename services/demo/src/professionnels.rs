//! The professionals of the demo and the offers they take part in.

use crate::cles;
use crate::donnees::Donnees;
use crate::error::Error;
use crate::ids;
use crate::noms;
use crate::offres::Contenu;
use crate::plan::Plan;
use crate::prng::{Prng, Tirage};

/// Where the registry says that a professional works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activite {
    /// On the sites of the offers.
    Sites,
    /// No activity declared.
    Aucune,
    /// A site that FINESS does not know.
    Inconnue,
}

/// A professional.
pub struct Professionnel {
    /// RPPS number.
    pub rpps: String,
    /// Technical id.
    pub id: String,
    /// First name.
    pub prenom: String,
    /// Surname.
    pub nom: String,
    /// True for a woman.
    pub femme: bool,
    /// Profession (G15).
    pub profession: &'static str,
    /// Ordinal specialty (R38), may be empty.
    pub specialite: &'static str,
    /// Mode of exercise: `L` or `S`.
    pub mode: &'static str,
    /// Offers, the first being the main one.
    pub offres: Vec<usize>,
    /// State of the activity.
    pub activite: Activite,
}

impl Professionnel {
    /// idNat_PS: `8` + RPPS.
    pub fn id_nat(&self) -> String {
        format!("8{}", self.rpps)
    }
}

/// Draws the professionals; number 0 works at the reference health house.
pub fn generer(
    plan: &Plan,
    donnees: &Donnees,
    contenu: &Contenu,
    ville: usize,
    graine: u64,
) -> Result<Vec<Professionnel>, Error> {
    let mut prng = Prng::nouveau(graine, "professionnels");
    let tirage = Tirage::nouveau(contenu.offres.iter().map(|o| {
        let g = &donnees.gabarits[o.gabarit];
        match (g.professions.is_empty(), g.champ) {
            (true, _) => 0,
            (_, "05") => 5,
            (_, "04") => 1,
            _ => 2,
        }
    }));
    if tirage.total() == 0 {
        return Err(Error::Absent("offer with professions"));
    }
    let mut resultat = Vec::with_capacity(plan.professionnels as usize);
    for rang in 0..plan.professionnels {
        let principale = if rang == 0 { ville } else { tirage.tirer(&mut prng) };
        let g = &donnees.gabarits[contenu.offres[principale].gabarit];
        let choix = if rang == 0 { 0 } else { prng.indice(g.professions.len()) };
        let Some((profession, specialite)) = g.professions.get(choix).copied() else {
            continue;
        };
        let activite = match prng.borne(100) {
            _ if rang == 0 => Activite::Sites,
            0..=7 => Activite::Aucune,
            8..=10 => Activite::Inconnue,
            _ => Activite::Sites,
        };
        let mut offres = Vec::new();
        if activite == Activite::Sites {
            offres.push(principale);
            autres(&mut offres, profession, donnees, contenu, &tirage, &mut prng);
        }
        let (prenom, nom, femme) = noms::personne(&mut prng);
        let rpps = cles::rpps(rang + 1);
        let liberal = matches!(g.groupe, "msp" | "snp");
        resultat.push(Professionnel {
            id: ids::id_ps(&format!("8{rpps}")),
            rpps,
            prenom,
            nom,
            femme,
            profession,
            specialite,
            mode: if liberal { "L" } else { "S" },
            offres,
            activite,
        });
    }
    Ok(resultat)
}

/// Adds up to two other offers of the same profession: first on the same
/// site, else anywhere.
fn autres(
    offres: &mut Vec<usize>,
    profession: &str,
    donnees: &Donnees,
    contenu: &Contenu,
    tirage: &Tirage,
    prng: &mut Prng,
) {
    let Some(principale) = offres.first().copied() else {
        return;
    };
    let convient = |o: usize| {
        let g = &donnees.gabarits[contenu.offres[o].gabarit];
        g.professions.iter().any(|p| p.0 == profession)
    };
    let site = contenu.par_eg[contenu.offres[principale].eg].clone();
    for part in [600, 100] {
        if !prng.chance(part) {
            continue;
        }
        let depart = prng.indice(site.len());
        let trouvee = (0..site.len())
            .map(|k| site.start + (depart + k) % site.len())
            .find(|o| !offres.contains(o) && convient(*o));
        if let Some(o) = trouvee {
            offres.push(o);
            continue;
        }
        for _ in 0..4 {
            let o = tirage.tirer(prng);
            if !offres.contains(&o) && convient(o) {
                offres.push(o);
                break;
            }
        }
    }
}
