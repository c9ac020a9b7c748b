//! How many offers and internal organisations each site gets.

use crate::donnees::Donnees;
use crate::monde::Monde;
use crate::plan::Plan;
use crate::prng::{Prng, repartir};

/// Number of offers of each site; closed sites have none.
pub fn nombres_par_eg(plan: &Plan, donnees: &Donnees, monde: &Monde, prng: &mut Prng) -> Vec<u64> {
    let mut poids = Vec::with_capacity(monde.egs.len());
    for eg in &monde.egs {
        let moyenne = donnees.categories[eg.categorie].offres;
        let tirage = prng.entre(60, 160);
        poids.push(if eg.fermeture.is_some() { 0 } else { moyenne * tirage });
    }
    let mut nombres = repartir(&poids, plan.offres);
    for (eg, minimum) in [(0, 4), (monde.ehpad, 1), (monde.msp, 1)] {
        nombres[eg] = nombres[eg].max(minimum);
    }
    nombres
}

/// Number of internal organisations of each site.
pub fn ois_par_eg(plan: &Plan, donnees: &Donnees, monde: &Monde, nombres: &[u64]) -> Vec<u64> {
    let mut poids = Vec::with_capacity(nombres.len());
    for (eg, nombre) in monde.egs.iter().zip(nombres) {
        let facteur: u64 = match donnees.categories[eg.categorie].famille {
            "SAN" => 20,
            "PSY" => 14,
            "PA" | "PH" | "ENF" => 3,
            _ => 0,
        };
        poids.push(facteur * *nombre);
    }
    repartir(&poids, plan.oi)
}
