//! A query out of the names and values of an address, as the published requests write them. What a
//! `_filter` asks is given apart.

use anyhow::{Context, Result, bail};

use super::{
    dates::Prefixe,
    parametres::{Genre, Parametre, RELATIONS, Relation, Sorte, de_genre},
    requete::{
        Centre, Cercle, Cible, Critere, Inclusion, Jeton, Mode, Pas, Quantite, Requete, Suivi, Test, Tri,
    },
};

/// A query, its filters left out.
pub fn lire(genre: Genre, parametres: &[(String, String)]) -> Result<Requete> {
    let mut requete = Requete::nouvelle(genre);
    for (nom, valeur) in parametres {
        let (base, modificateur) = nom.split_once(':').unwrap_or((nom.as_str(), ""));
        match base {
            "_filter" => {}
            "_include" | "_revinclude" => {
                let (source, lien) = valeur.split_once(':').context("a clause without link")?;
                let relation = relation(Genre::de_nom(source).context("a type")?, lien)?;
                let (inverse, itere) = (base == "_revinclude", modificateur == "iterate");
                let suivi = Suivi::Une(relation, false);
                requete.inclusions.push(Inclusion { suivi, inverse, itere, recurse: false });
            }
            "_sort" => {
                let (descendant, nom) =
                    valeur.strip_prefix('-').map_or((false, valeur.as_str()), |nom| (true, nom));
                let (chemin, parametre, _) = chemin(genre, nom)?;
                let suivies = chemin.into_iter().filter_map(|pas| match pas {
                    Pas::Avant(r, _) => Some(r),
                    Pas::Arriere(_) => None,
                });
                requete.tri.push(Tri { chemin: suivies.collect(), parametre, descendant });
            }
            _ => requete.criteres.push(critere(genre, nom, valeur)?),
        }
    }
    Ok(requete)
}

/// A criterion; its prefix, if any, before its value.
pub fn critere(genre: Genre, nom: &str, valeur: &str) -> Result<Critere> {
    let (chemin, parametre, modificateur) = chemin(genre, nom)?;
    let mode = if modificateur == "contains" { Mode::Contient } else { Mode::Debut };
    let mut critere = Critere::nouveau(parametre, test(parametre, mode, valeur).context(nom.to_owned())?);
    critere.chemin = chemin;
    match modificateur {
        "" | "contains" => {}
        "above" => critere.dessus = true,
        "not" => critere.nie = true,
        autre => bail!("{nom}: modifier {autre:?}"),
    }
    Ok(critere)
}

/// Links, parameter and modifier of a name.
fn chemin(genre: Genre, nom: &str) -> Result<(Vec<Pas>, &'static Parametre, &str)> {
    let (mut courant, mut reste, mut chemin) = (genre, nom, Vec::new());
    loop {
        let pas = if let Some(suite) = reste.strip_prefix("_has:") {
            let mut parties = suite.splitn(3, ':');
            let mut partie = || parties.next().with_context(|| nom.to_owned());
            let (source, lien) = (partie()?, partie()?);
            reste = partie()?;
            Pas::Arriere(relation(Genre::de_nom(source).context("a type")?, lien)?)
        } else if let Some((lien, suite)) = reste.split_once('.') {
            reste = suite;
            Pas::Avant(relation(courant, lien)?, false)
        } else {
            break;
        };
        courant = pas.cible();
        chemin.push(pas);
    }
    let (base, modificateur) = reste.split_once(':').unwrap_or((reste, ""));
    let parametre = de_genre(courant).iter().find(|p| p.nom == base);
    Ok((chemin, parametre.with_context(|| format!("{} has no {base}", courant.nom()))?, modificateur))
}

fn relation(source: Genre, nom: &str) -> Result<Relation> {
    let trouvee = RELATIONS.into_iter().find(|r| r.source == source && r.nom == nom);
    trouvee.with_context(|| format!("{} has no link {nom}", source.nom()))
}

fn test(p: &Parametre, mode: Mode, valeur: &str) -> Result<Test> {
    let valeurs = || valeur.split(',');
    Ok(match p.sorte {
        Sorte::Id | Sorte::Jeton | Sorte::Identifiant => Test::Jetons(valeurs().map(jeton).collect()),
        Sorte::Texte => Test::Textes(mode, valeurs().map(str::to_owned).collect()),
        Sorte::Date => Test::Dates(valeurs().map(|v| prefixe(v, str::to_owned)).collect()),
        Sorte::Nombre => Test::Nombres(valeurs().map(|v| prefixe(v, str::to_owned)).collect()),
        Sorte::Quantite => Test::Quantites(valeurs().map(|v| prefixe(v, quantite)).collect()),
        Sorte::Reference => {
            let une =
                |v: &str| Cible { avant: String::new(), id: v.rsplit('/').next().unwrap_or(v).to_owned() };
            Test::References(valeurs().map(une).collect())
        }
        Sorte::Proche | Sorte::Commune => {
            let cercles = valeurs().map(|v| cercle(p, v));
            Test::Cercles(cercles.collect::<Option<_>>().context("a circle")?)
        }
    })
}

fn jeton(valeur: &str) -> Jeton {
    let (systeme, code) = match valeur.split_once('|') {
        Some((systeme, code)) => (Some(systeme.to_owned()), code),
        None => (None, valeur),
    };
    Jeton { systeme, code: (!code.is_empty()).then(|| code.to_owned()), barre: false }
}

fn prefixe<T>(valeur: &str, lire: impl Fn(&str) -> T) -> (Prefixe, T) {
    let dit = Prefixe::TOUS.into_iter().find_map(|p| Some((p, valeur.strip_prefix(p.nom())?)));
    let (prefixe, reste) = dit.unwrap_or((Prefixe::Eq, valeur));
    (prefixe, lire(reste))
}

/// The code of the unit decides, whatever its system.
fn quantite(valeur: &str) -> Quantite {
    let parties: Vec<&str> = valeur.split('|').collect();
    let unite = parties.get(2).map(|code| ("", (*code).to_owned()));
    (parties.first().copied().unwrap_or_default().to_owned(), unite)
}

fn cercle(p: &Parametre, valeur: &str) -> Option<Cercle> {
    let mut parties = valeur.split('|').map(str::to_owned);
    let premier = parties.next()?;
    let centre = if p.sorte == Sorte::Commune {
        Centre::Commune(premier)
    } else {
        Centre::Point(premier, parties.next()?)
    };
    let distance = parties.next();
    let unite = if parties.next().as_deref() == Some("m") { Some("m") } else { None };
    Some(Cercle { centre, distance, unite })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for (genre, nom, valeur) in [
            (Genre::HealthcareService, "organization.identifier:above", "1290004324"),
            (
                Genre::HealthcareService,
                "_has:PractitionerRole:service:practitioner.identifier",
                "810000000001",
            ),
            (Genre::HealthcareService, "location.near-insee-code", "44162|15"),
            (Genre::HealthcareService, "location.near", "47.2|-1.6|15"),
            (Genre::HealthcareService, "location.capacity-status", "urn:s|02,05"),
            (Genre::Organization, "name:contains", "chu"),
            (Genre::Organization, "_lastUpdated", "ge2026-01-01"),
            (Genre::Location, "limit-value", "ge200||kg"),
        ] {
            let lu = critere(genre, nom, valeur).unwrap();
            assert_eq!(lu.ecrire(), (nom.to_owned(), valeur.to_owned()));
        }
        assert!(critere(Genre::Location, "couleur", "bleu").is_err());
    }

    #[test]
    fn what_stands_around_is_read() {
        let paires = [("_revinclude", "HealthcareService:location"), ("_sort", "-_lastUpdated")];
        let paires = paires.map(|(nom, valeur)| (nom.to_owned(), valeur.to_owned()));
        let requete = lire(Genre::Location, &paires).unwrap();
        assert_eq!(requete.parametres(), paires);
    }
}
