//! Smaller queries that a difference may survive in.

use super::requete::{Coupe, Requete};

/// What a query could be reduced to by one step, the largest steps first.
pub fn candidats(requete: &Requete) -> Vec<Requete> {
    let mut tous = Vec::new();
    let mut essayer = |changer: &dyn Fn(&mut Requete)| {
        let mut reduite = requete.clone();
        changer(&mut reduite);
        // A sort by distance is refused without a point to count from.
        if reduite.premier_cercle().is_none() {
            reduite.tri.retain(|t| !t.parametre.situe());
        }
        if reduite != *requete {
            tous.push(reduite);
        }
    };
    essayer(&|r| r.inclusions.clear());
    essayer(&|r| r.tri.clear());
    essayer(&|r| r.filtres.clear());
    essayer(&|r| r.criteres.clear());
    essayer(&|r| r.nombre = None);
    essayer(&|r| r.total = None);
    essayer(&|r| r.compte = false);
    essayer(&|r| r.coupe = None);
    if let Some(Coupe::Elements(noms)) = &requete.coupe
        && noms.len() > 1
    {
        for nom in noms {
            essayer(&|r| r.coupe = Some(Coupe::Elements(vec![*nom])));
        }
    }
    for rang in 0..requete.criteres.len() {
        essayer(&|r| drop(r.criteres.remove(rang)));
    }
    for rang in 0..requete.inclusions.len() {
        essayer(&|r| {
            r.inclusions.remove(rang);
        });
    }
    for rang in 0..requete.tri.len() {
        essayer(&|r| drop(r.tri.remove(rang)));
    }
    for (rang, filtre) in requete.filtres.iter().enumerate() {
        essayer(&|r| drop(r.filtres.remove(rang)));
        for noeud in filtre.noeud.reduits() {
            essayer(&|r| r.filtres[rang].noeud = noeud.clone());
        }
        essayer(&|r| {
            let filtre = &mut r.filtres[rang];
            (filtre.majuscules, filtre.entoure, filtre.echappe) = (false, false, false);
        });
    }
    for (rang, critere) in requete.criteres.iter().enumerate() {
        for valeur in 0..critere.test.nombre() {
            if critere.test.nombre() > 1 {
                essayer(&|r| r.criteres[rang].test = critere.test.sans(valeur));
            }
        }
    }
    tous
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{
        parametres::{Genre, parametre},
        requete::{Critere, Jeton, Test},
    };

    #[test]
    fn a_query_is_reduced_to_one_value_of_one_criterion() {
        let jeton = |code: &str| Jeton { systeme: None, code: Some(code.to_owned()), barre: false };
        let p = parametre(Genre::Location, "type");
        let mut requete = Requete::nouvelle(Genre::Location);
        requete.criteres.push(Critere::nouveau(p, Test::Jetons(vec![jeton("1"), jeton("2")])));
        requete.criteres.push(Critere::nouveau(p, Test::Absent(false)));
        requete.nombre = Some(7);
        // The fault is in the second value.
        let fautive = |r: &Requete| r.url().contains('2');
        while let Some(plus_petite) = candidats(&requete).into_iter().find(fautive) {
            requete = plus_petite;
        }
        assert_eq!(requete.url(), "Location?type=2");
    }
}
