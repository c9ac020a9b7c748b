//! One change of one record: the capacity PATCH of the feeds.

use ror_chassis::{Erreur, Resultat, erreur::faute};
use ror_domaine::{controle::Controle, references::Connues, vocabulaire::Tables};
use ror_proto::{
    capacity::v1::{CleIndicateur, EnregistrementCapacite, PatchOperation},
    common::v1::Faute,
};
use time::OffsetDateTime;

use super::{Capacites, coherence, controler, indicateurs};

/// Begins the message told when the place has not this indicator: the feed then sends an add.
pub const INDICATEUR_ABSENT: &str = "indicateur-absent:";

/// A change that can be applied: its path and its record are valid and name one indicator.
#[derive(Clone, Debug)]
pub struct Patch(Action);

#[derive(Clone, Debug)]
enum Action {
    Ajouter(EnregistrementCapacite),
    Remplacer(EnregistrementCapacite),
    Supprimer(CleIndicateur),
}

impl Patch {
    /// Checks the path and the record, separately and both. Adding names its indicator
    /// by the record alone, deleting by the path alone.
    pub fn valider(
        operation: PatchOperation,
        cle: Option<CleIndicateur>,
        enregistrement: Option<EnregistrementCapacite>,
        tables: &Tables,
        maintenant: OffsetDateTime,
    ) -> Resultat<Self> {
        match operation {
            PatchOperation::Unspecified => {
                Err(Erreur::faute("type", "operation", "L'opération est inconnue.", "add, replace ou delete"))
            }
            PatchOperation::Add => {
                let e = present(enregistrement)?;
                refuser_si(corps(&e, tables, maintenant))?;
                Ok(Self(Action::Ajouter(e)))
            }
            PatchOperation::Delete => {
                let cle = cle.unwrap_or_default();
                refuser_si(chemin(&cle, tables))?;
                Ok(Self(Action::Supprimer(cle)))
            }
            PatchOperation::Replace => {
                let (cle, e) = (cle.unwrap_or_default(), present(enregistrement)?);
                let mut fautes = chemin(&cle, tables);
                fautes.extend(corps(&e, tables, maintenant));
                if fautes.is_empty() && e.cle.as_ref() != Some(&cle) {
                    fautes.push(faute(
                        "enregistrement.cle",
                        "tuple-different",
                        "L'indicateur du corps n'est pas celui du chemin : un remplacement ne change pas d'indicateur.",
                        indicateurs::decrire(&cle),
                    ));
                }
                refuser_si(fautes)?;
                Ok(Self(Action::Remplacer(e)))
            }
        }
    }

    /// The record wanted; none when deleting.
    pub fn enregistrement(&self) -> Option<&EnregistrementCapacite> {
        match &self.0 {
            Action::Ajouter(e) | Action::Remplacer(e) => Some(e),
            Action::Supprimer(_) => None,
        }
    }

    fn cle(&self) -> Option<&CleIndicateur> {
        match &self.0 {
            Action::Ajouter(e) | Action::Remplacer(e) => e.cle.as_ref(),
            Action::Supprimer(cle) => Some(cle),
        }
    }

    /// The set after the change. Adding an indicator that is there replaces it, so that
    /// a feed may repeat a call whose answer it lost.
    pub fn appliquer(&self, avant: Capacites) -> Resultat<Capacites> {
        let Capacites { meta, mut enregistrements, fermeture } = avant;
        let cle = self.cle();
        let rang = enregistrements.iter().position(|e| e.cle.as_ref() == cle);
        match (&self.0, rang) {
            (Action::Remplacer(_) | Action::Supprimer(_), None) => {
                let dit = cle.map(indicateurs::decrire).unwrap_or_default();
                return Err(Erreur::Introuvable(format!(
                    "{INDICATEUR_ABSENT} le lieu n'a pas l'indicateur {dit}"
                )));
            }
            (Action::Supprimer(_), Some(i)) => {
                enregistrements.remove(i);
            }
            (Action::Ajouter(e) | Action::Remplacer(e), Some(i)) => {
                let connue = &enregistrements[i].nature;
                if *connue != e.nature {
                    return Err(Erreur::Regle(vec![faute(
                        "enregistrement.nature",
                        "nature-differente",
                        format!("La nature « {} » n'est pas celle de cet indicateur.", e.nature),
                        format!("la nature {connue}"),
                    )]));
                }
                enregistrements[i] = e.clone();
            }
            (Action::Ajouter(e), None) => enregistrements.push(e.clone()),
        }
        let fautes: Vec<Faute> = coherence::incoherences(&enregistrements)
            .into_iter()
            .map(|i| faute("enregistrement.nombre", i.regle, i.message, i.attendu))
            .collect();
        if !fautes.is_empty() {
            return Err(Erreur::Regle(fautes));
        }
        Ok(Capacites::ranger(meta, enregistrements).fermer(fermeture))
    }
}

fn present(e: Option<EnregistrementCapacite>) -> Resultat<EnregistrementCapacite> {
    e.ok_or_else(|| Erreur::faute("enregistrement", "obligatoire", "L'enregistrement manque.", "une valeur"))
}

/// A tuple that is no indicator is a rule broken; anything else is a wrong request.
fn refuser_si(fautes: Vec<Faute>) -> Resultat<()> {
    if fautes.is_empty() {
        return Ok(());
    }
    let regle = fautes.iter().any(|f| f.regle == indicateurs::REGLE);
    Err(if regle { Erreur::Regle(fautes) } else { Erreur::Invalide(fautes) })
}

/// Whatever is wrong with the path is one fault on the path.
fn chemin(cle: &CleIndicateur, tables: &Tables) -> Vec<Faute> {
    let references = Connues::new();
    let mut c = Controle::nouveau(tables, &references, "path");
    indicateurs::controler(&mut c, "cle", cle);
    let Err(fautes) = c.finir() else { return Vec::new() };
    let detail = fautes.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" ");
    let attendu = fautes.first().map(|f| f.attendu.clone()).unwrap_or_default();
    let message = format!(
        "Les critères du chemin ne désignent pas un indicateur : {}. {detail}",
        indicateurs::decrire(cle)
    );
    vec![faute("path", indicateurs::REGLE, message, attendu)]
}

fn corps(e: &EnregistrementCapacite, tables: &Tables, maintenant: OffsetDateTime) -> Vec<Faute> {
    let references = Connues::new();
    let mut c = Controle::nouveau(tables, &references, "enregistrement");
    controler(&mut c, "", e, maintenant);
    c.finir().err().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::tests::{cle, record};
    use ror_chassis::conversion::{horodatage, maintenant};

    fn patch(
        op: PatchOperation,
        c: Option<CleIndicateur>,
        e: Option<EnregistrementCapacite>,
    ) -> Resultat<Patch> {
        Patch::valider(op, c, e, &Tables::default(), maintenant())
    }

    fn add(e: EnregistrementCapacite) -> Patch {
        patch(PatchOperation::Add, None, Some(e)).unwrap()
    }

    fn premiere(r: Resultat<impl std::fmt::Debug>) -> (String, String) {
        match r {
            Err(Erreur::Regle(f) | Erreur::Invalide(f)) => (f[0].element.clone(), f[0].regle.clone()),
            autre => panic!("{autre:?}"),
        }
    }

    #[test]
    fn replace_needs_the_indicator_and_add_may_be_repeated() {
        let vide = Capacites::vide("lieu-1", "52");
        let replace = patch(PatchOperation::Replace, Some(cle("02")), Some(record(cle("02"), 4))).unwrap();
        assert!(
            matches!(replace.appliquer(vide.clone()), Err(Erreur::Introuvable(m)) if m.starts_with(INDICATEUR_ABSENT))
        );
        let un = add(record(cle("02"), 3)).appliquer(vide).unwrap();
        let deux = add(record(cle("02"), 3)).appliquer(un).unwrap();
        assert_eq!(deux.enregistrements().len(), 1);
        let trois = replace.appliquer(deux).unwrap();
        assert_eq!(trois.enregistrements()[0].nombre, 4);
        let delete = patch(PatchOperation::Delete, Some(cle("02")), None).unwrap();
        let quatre = delete.appliquer(trois).unwrap();
        assert!(quatre.enregistrements().is_empty());
        assert!(matches!(delete.appliquer(quatre), Err(Erreur::Introuvable(_))));
    }

    #[test]
    fn a_new_date_alone_changes_the_state() {
        let jour = record(cle("02"), 3);
        let mut hier = jour.clone();
        hier.date_maj = Some(horodatage(maintenant() - time::Duration::minutes(1)));
        let avant = add(hier).appliquer(Capacites::vide("lieu-1", "52")).unwrap();
        let apres = add(jour).appliquer(avant.clone()).unwrap();
        assert_ne!(avant.etat(), apres.etat());
    }

    #[test]
    fn the_path_and_the_body_are_judged_apart() {
        let mut mauvais = cle("01");
        mauvais.genre = "01".into();
        let r = patch(PatchOperation::Replace, Some(mauvais.clone()), Some(record(cle("01"), 1)));
        assert_eq!(premiere(r), ("path".into(), "indicateur-invalide".into()));
        let r = patch(PatchOperation::Replace, Some(cle("01")), Some(record(mauvais, 1)));
        assert_eq!(premiere(r), ("enregistrement.cle".into(), "indicateur-invalide".into()));
        let r = patch(PatchOperation::Replace, Some(cle("01")), Some(record(cle("02"), 1)));
        assert_eq!(premiere(r), ("enregistrement.cle".into(), "tuple-different".into()));
        let r = patch(PatchOperation::Add, None, Some(record(cle("02"), 10_000)));
        assert_eq!(premiere(r), ("enregistrement.nombre".into(), "bornes".into()));
        assert!(patch(PatchOperation::Delete, None, None).is_err(), "no path names no indicator");
    }

    #[test]
    fn a_change_keeps_the_nature_and_the_coherence() {
        let avant = add(record(cle("01"), 10)).appliquer(Capacites::vide("lieu-1", "52")).unwrap();
        let mut places = record(cle("01"), 10);
        places.nature = "02".into();
        assert_eq!(premiere(add(places).appliquer(avant.clone())).1, "nature-differente");
        assert_eq!(premiere(add(record(cle("02"), 11)).appliquer(avant)).1, "capacite-depassee");
    }
}
