//! What must hold before a change is proposed, and again before it is carried out.

use ror_chassis::{Resultat, bail::nom_canal, erreur::faute};
use ror_proto::{
    bascule::v1::{EtatTransition, Region},
    common::v1::{Canal, Faute},
};

use super::{
    Approbation, Domaine, Transition,
    plafond::{Plafond, Plafonds},
    region,
};

/// The reasons not to make this change now; `ouvertes` are the open changes of the region.
///
/// Nothing but the present writer stands in the way back to the regional ROR: neither a
/// ceiling lowered meanwhile nor a pause.
pub fn avancer(
    plafonds: &Plafonds,
    r: &Region,
    domaine: Domaine,
    vers: Canal,
    ouvertes: &[Transition],
) -> Resultat<Vec<Faute>> {
    let mut fautes = Vec::new();
    if region::bail(r, domaine)?.ecrivain() == vers {
        let message = format!("« {} » est déjà l'écrivain de {}.", nom_canal(vers), nomme(r, domaine));
        fautes.push(faute("vers", "meme-ecrivain", message, "un autre écrivain"));
    }
    if vers == Canal::Regional {
        return Ok(fautes);
    }
    let reglage = plafonds.de(&r.code);
    if reglage.pause {
        let message = format!("La bascule de la région {} est en pause.", r.code);
        fautes.push(faute("region", "region-en-pause", message, "hold: false dans les valeurs Helm"));
    }
    let minimum = plafond_requis(domaine, vers);
    if reglage.plafond < minimum {
        let message = format!("Le plafond de la région {} est {}.", r.code, reglage.plafond.nom());
        let attendu = format!("un plafond {} au moins dans les valeurs Helm", minimum.nom());
        fautes.push(faute("vers", "plafond", message, attendu));
    }
    if domaine == Domaine::Description && vers == Canal::National && !capacite_nationale(r, ouvertes)? {
        let message =
            format!("Les capacités de la région {} ne sont pas encore écrites au national.", r.code);
        fautes.push(faute("vers", "capacite-non-nationale", message, "basculer d'abord le domaine capacite"));
    }
    Ok(fautes)
}

fn capacite_nationale(r: &Region, ouvertes: &[Transition]) -> Resultat<bool> {
    let bouge = ouvertes.iter().any(|t| t.domaine == Domaine::Capacite && t.etat == EtatTransition::EnCours);
    Ok(!bouge && region::bail(r, Domaine::Capacite)?.ecrivain() == Canal::National)
}

/// The lowest ceiling that allows this change. Capacity is switched alone, any time
/// from MIRRORED on.
fn plafond_requis(domaine: Domaine, vers: Canal) -> Plafond {
    match (vers, domaine) {
        (Canal::National, Domaine::Description) => Plafond::NationalPrimary,
        (Canal::National, Domaine::Capacite) => Plafond::Mirrored,
        (Canal::Unspecified, _) => Plafond::Frozen,
        (Canal::Regional | Canal::Referentiel, _) => Plafond::Registered,
    }
}

/// One open change a region and domain.
pub fn seule(domaine: Domaine, r: &Region, ouvertes: &[Transition]) -> Option<Faute> {
    ouvertes.iter().find(|t| t.domaine == domaine).map(|t| {
        let message = format!("Un changement est déjà ouvert pour {} : {}.", nomme(r, domaine), t.id);
        faute("region", "transition-ouverte", message, "l'approuver, l'annuler ou attendre sa fin")
    })
}

/// The second approval: another person; towards or away from the national writer, ANS
/// together with ARS or GRADeS.
pub fn seconde(t: &Transition, a: &Approbation) -> Vec<Faute> {
    let mut fautes = Vec::new();
    if t.approbations.iter().any(|p| p.meme_personne(a)) {
        let message = format!("« {} » a déjà approuvé ce changement.", a.nom);
        fautes.push(faute("approbation.nom", "meme-personne", message, "une autre personne"));
    }
    let nationale = t.de == Canal::National || t.vers == Canal::National;
    let roles = || t.approbations.iter().chain([a]).map(|p| p.role.as_str());
    if nationale && !(roles().any(|r| r == "ANS") && roles().any(|r| r == "ARS" || r == "GRADeS")) {
        let message = "Les deux approbations ne réunissent pas les rôles requis.";
        fautes.push(faute("approbation.role", "roles-requis", message, "l'ANS, et l'ARS ou le GRADeS"));
    }
    fautes
}

/// The change must still wait for its second approval.
pub fn proposee(t: &Transition) -> Option<Faute> {
    let etat = match t.etat {
        EtatTransition::Proposee => return None,
        EtatTransition::EnCours => "en cours",
        EtatTransition::Faite => "fait",
        EtatTransition::Annulee | EtatTransition::Unspecified => "annulé",
    };
    Some(faute("id", "etat", format!("Ce changement est {etat}."), "un changement proposé"))
}

fn nomme(r: &Region, domaine: Domaine) -> String {
    format!("{} ({}, {})", region::nom(&r.code).unwrap_or("région"), r.code, domaine.nom())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{
        Proposition,
        tests::{approbation, demande},
    };
    use ror_chassis::conversion::maintenant;

    fn regles(fichier: &str, r: &Region, domaine: Domaine, vers: Canal) -> Vec<String> {
        let plafonds = Plafonds::lire(fichier).unwrap();
        avancer(&plafonds, r, domaine, vers, &[]).unwrap().into_iter().map(|f| f.regle).collect()
    }

    fn fichier(plafond: &str, pause: bool) -> String {
        format!(r#"{{"regions": {{"52": {{"ceiling": "{plafond}", "hold": {pause}}}}}}}"#)
    }

    fn nationale(domaine: Domaine) -> Region {
        let mut r = region::nouvelle("52", Plafond::Closed);
        let bail = ror_proto::common::v1::Bail {
            region: "52".into(),
            domaine: domaine.nom().into(),
            ecrivain: Canal::National as i32,
            epoque: 3,
        };
        region::poser(&mut r, &bail);
        r
    }

    #[test]
    fn the_ceiling_bounds_what_is_ahead_and_never_the_way_back() {
        use Domaine::{Capacite, Description};
        let neuve = region::nouvelle("52", Plafond::Closed);
        let prete = nationale(Capacite);
        assert_eq!(regles(&fichier("LOADED", false), &prete, Description, Canal::National), ["plafond"]);
        assert!(regles(&fichier("NATIONAL_PRIMARY", false), &prete, Description, Canal::National).is_empty());
        assert_eq!(regles(&fichier("READY", false), &prete, Description, Canal::Unspecified), ["plafond"]);
        assert!(regles(&fichier("FROZEN", false), &prete, Description, Canal::Unspecified).is_empty());
        assert!(regles(&fichier("MIRRORED", false), &neuve, Capacite, Canal::National).is_empty());
        assert_eq!(
            regles(&fichier("CLOSED", true), &prete, Description, Canal::National),
            ["region-en-pause"]
        );
        assert!(
            regles(&fichier("REGISTERED", true), &nationale(Description), Description, Canal::Regional)
                .is_empty()
        );
        assert_eq!(
            regles(&fichier("CLOSED", false), &neuve, Description, Canal::Regional),
            ["meme-ecrivain"]
        );
    }

    #[test]
    fn capacity_is_national_before_the_description() {
        let neuve = region::nouvelle("52", Plafond::Closed);
        let f = fichier("CLOSED", false);
        assert_eq!(regles(&f, &neuve, Domaine::Description, Canal::National), ["capacite-non-nationale"]);
        let mut p = Proposition::lire(demande(Canal::Regional as i32), maintenant()).unwrap();
        p.domaine = Domaine::Capacite;
        let mut part = Transition::proposee(p, Canal::National);
        let r = nationale(Domaine::Capacite);
        assert!(capacite_nationale(&r, std::slice::from_ref(&part)).unwrap());
        part.etat = EtatTransition::EnCours;
        assert!(!capacite_nationale(&r, &[part]).unwrap(), "it is leaving");
    }

    #[test]
    fn the_second_approval_is_another_person_with_the_other_role() {
        let regle = |t: &Transition, nom: &str, role: &str| {
            seconde(t, &approbation(nom, role)).into_iter().map(|f| f.regle).collect::<Vec<_>>()
        };
        let p = |vers: Canal| Proposition::lire(demande(vers as i32), maintenant()).unwrap();
        let t = Transition::proposee(p(Canal::National), Canal::Regional);
        assert_eq!(regle(&t, "ANNE LE GOFF", "ARS"), ["meme-personne"]);
        assert_eq!(regle(&t, "Paul Martin", "ANS"), ["roles-requis"]);
        assert!(regle(&t, "Paul Martin", "ARS").is_empty());
        assert!(regle(&t, "Paul Martin", "GRADeS").is_empty());
        let retour = Transition::proposee(p(Canal::Regional), Canal::National);
        assert_eq!(regle(&retour, "Paul Martin", "ANS"), ["roles-requis"]);
        let gel = Transition::proposee(p(Canal::Unspecified), Canal::Regional);
        assert!(regle(&gel, "Paul Martin", "ANS").is_empty());
    }
}
