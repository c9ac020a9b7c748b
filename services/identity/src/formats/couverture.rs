//! What each channel of FINESS tells: a record of a narrow channel is completed with
//! what another one told before.

use ror_domaine::territoire::meme_commune;
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ActivitesFiness, Format, StructureFiness};

use super::annuaire::superposer;

/// The record to keep when `recue` comes by a channel and `connue` is known.
///
/// FINESS+ tells everything: what it gives is kept as it is. The CSV files tell no
/// closure, attachment, group, event nor e-mail; the positions of a 507 file, which come
/// apart, touch nothing else. The XML flow tells no group, event nor position. The
/// directory API follows its own rule, [`superposer`].
#[must_use]
pub fn fusionner_structure(
    connue: &StructureFiness,
    recue: StructureFiness,
    format: Format,
) -> StructureFiness {
    match format {
        Format::FinessCsv if recue.denomination.is_empty() => {
            StructureFiness { position: recue.position.or(connue.position), ..connue.clone() }
        }
        Format::FinessCsv => completer(connue.clone(), ouverte(connue, recue)),
        Format::FinessXml => completer(connue.clone(), recue),
        Format::AnnuaireFhir => {
            let base = Ressource::StructureFiness(connue.clone());
            match superposer(Some(&base), Ressource::StructureFiness(recue)) {
                Some(Ressource::StructureFiness(structure)) => structure,
                _ => connue.clone(),
            }
        }
        _ => recue,
    }
}

/// The CSV files hold open structures only, and say nothing of the state: what is known
/// of it stays. Those of legal entities have no fax.
fn ouverte(connue: &StructureFiness, recue: StructureFiness) -> StructureFiness {
    let telecopie = if recue.entite_juridique && recue.telecopie.is_empty() {
        connue.telecopie.clone()
    } else {
        recue.telecopie
    };
    StructureFiness {
        telecopie,
        date_fermeture: connue.date_fermeture.clone(),
        type_fermeture: connue.type_fermeture.clone(),
        caduque: connue.caduque,
        finess_porteuse: connue.finess_porteuse.clone(),
        ..recue
    }
}

/// What neither the CSV files nor the XML flow tell, or not all of them.
fn completer(connue: StructureFiness, recue: StructureFiness) -> StructureFiness {
    let sur_place = meme_commune(&connue.commune_cog, &recue.commune_cog);
    StructureFiness {
        date_ouverture: ouverture(&connue, recue.date_ouverture),
        statut_juridique: garder(recue.statut_juridique, connue.statut_juridique),
        num_uai: garder(recue.num_uai, connue.num_uai),
        courriel: garder(recue.courriel, connue.courriel),
        date_maj_source: garder(recue.date_maj_source, connue.date_maj_source),
        // The position of the place it left is worth nothing.
        position: recue.position.or(connue.position.filter(|_| sur_place)),
        type_groupe: connue.type_groupe,
        groupes: connue.groupes,
        evenements: connue.evenements,
        ..recue
    }
}

/// FINESS+ redefined the opening date (36 % of the values differ): the one it gave is
/// not replaced by the former one. Only FINESS+ tells events, and it gives some for
/// every structure: they show where the known record comes from.
fn ouverture(connue: &StructureFiness, recue: String) -> String {
    if recue.is_empty() || (!connue.evenements.is_empty() && !connue.date_ouverture.is_empty()) {
        return connue.date_ouverture.clone();
    }
    recue
}

fn garder(recue: String, connue: String) -> String {
    if recue.is_empty() { connue } else { recue }
}

/// The activities to keep when `recues` come by a channel and `connues` are known.
///
/// FINESS+ tells all of them. A CSV or XML file tells those of one nature, and replaces
/// the known ones of that nature; with `suite`, it only adds to what it told before.
#[must_use]
pub fn fusionner_activites(
    connues: &ActivitesFiness,
    recues: ActivitesFiness,
    format: Format,
    suite: bool,
) -> ActivitesFiness {
    if !matches!(format, Format::FinessCsv | Format::FinessXml) {
        return recues;
    }
    let mut gardees = connues.clone();
    gardees.activites.retain(|connue| {
        recues.activites.iter().all(|lue| {
            if suite { lue.identifiant != connue.identifiant } else { lue.nature != connue.nature }
        })
    });
    gardees.activites.extend(recues.activites);
    gardees.activites.sort_by(|une, autre| une.identifiant.cmp(&autre.identifiant));
    gardees
}

#[cfg(test)]
mod tests {
    use ror_proto::common::v1::{Meta, Position};
    use ror_proto::identity::v1::{ActiviteFiness, EvenementFiness, GroupeFiness};

    use super::*;

    fn position(longitude: f64) -> Option<Position> {
        Some(Position { latitude: 46.2, longitude, fiable: Some(true) })
    }

    /// A site as FINESS+ tells it.
    fn connue() -> StructureFiness {
        StructureFiness {
            meta: Some(Meta { id: "eg".into(), region: "84".into(), version: 3, ..Meta::default() }),
            num_finess: "019000207".into(),
            num_finess_ej: "019000108".into(),
            denomination: "CENTRE".into(),
            denomination_courte: "C".into(),
            categorie: "355".into(),
            date_ouverture: "1979-02-13".into(),
            date_fermeture: "2026-03-01".into(),
            type_fermeture: "PRO".into(),
            commune_cog: "01451".into(),
            position: position(5.2),
            telephone: "0400000201".into(),
            courriel: "accueil@exemple.fr".into(),
            num_uai: "7200099Z".into(),
            finess_porteuse: "019000215".into(),
            groupes: vec![GroupeFiness { identifiant: "7".into(), r#type: "001".into(), role: "M".into() }],
            evenements: vec![EvenementFiness { code: "003".into(), ..EvenementFiness::default() }],
            ..StructureFiness::default()
        }
    }

    /// The same as a legacy channel tells it, renamed and without phone.
    fn recue() -> StructureFiness {
        StructureFiness {
            meta: Some(Meta { id: "eg".into(), region: "84".into(), ..Meta::default() }),
            num_finess: "019000207".into(),
            num_finess_ej: "019000116".into(),
            denomination: "CENTRE HOSPITALIER".into(),
            categorie: "355".into(),
            date_ouverture: "1980-01-01".into(),
            commune_cog: "01451".into(),
            ..StructureFiness::default()
        }
    }

    #[test]
    fn finess_plus_wins_entirely() {
        assert_eq!(fusionner_structure(&connue(), recue(), Format::FinessStructures), recue());
    }

    #[test]
    fn the_csv_changes_only_what_it_tells() {
        let fusionnee = fusionner_structure(&connue(), recue(), Format::FinessCsv);
        let attendue = StructureFiness {
            meta: recue().meta,
            num_finess_ej: "019000116".into(),
            denomination: "CENTRE HOSPITALIER".into(),
            denomination_courte: String::new(),
            telephone: String::new(),
            ..connue()
        };
        assert_eq!(fusionnee, attendue);
    }

    #[test]
    fn a_fax_of_a_legal_entity_is_not_erased_by_a_file_that_has_none() {
        let connue = StructureFiness { telecopie: "0400000202".into(), ..connue() };
        let site = fusionner_structure(&connue, recue(), Format::FinessCsv);
        assert_eq!(site.telecopie, "");
        let ej = StructureFiness { entite_juridique: true, ..recue() };
        assert_eq!(fusionner_structure(&connue, ej, Format::FinessCsv).telecopie, "0400000202");
    }

    #[test]
    fn the_opening_date_of_finess_plus_is_not_replaced_by_the_former_one() {
        for format in [Format::FinessCsv, Format::FinessXml] {
            assert_eq!(fusionner_structure(&connue(), recue(), format).date_ouverture, "1979-02-13");
            // Told by a legacy channel: a newer one corrects it.
            let ancienne = StructureFiness { evenements: Vec::new(), ..connue() };
            assert_eq!(fusionner_structure(&ancienne, recue(), format).date_ouverture, "1980-01-01");
            let sans_date = StructureFiness { date_ouverture: String::new(), ..connue() };
            assert_eq!(fusionner_structure(&sans_date, recue(), format).date_ouverture, "1980-01-01");
            let inconnue = StructureFiness { date_ouverture: String::new(), ..recue() };
            assert_eq!(fusionner_structure(&ancienne, inconnue, format).date_ouverture, "1979-02-13");
        }
    }

    #[test]
    fn a_position_alone_touches_nothing_else() {
        let seule = StructureFiness {
            num_finess: "019000207".into(),
            commune_cog: "01451".into(),
            position: position(5.3),
            ..StructureFiness::default()
        };
        let fusionnee = fusionner_structure(&connue(), seule, Format::FinessCsv);
        assert_eq!(fusionnee, StructureFiness { position: position(5.3), ..connue() });
    }

    #[test]
    fn a_site_that_moves_loses_the_position_it_had() {
        let ailleurs = StructureFiness { commune_cog: "01053".into(), ..recue() };
        assert_eq!(fusionner_structure(&connue(), ailleurs.clone(), Format::FinessCsv).position, None);
        let situee = StructureFiness { position: position(5.4), ..ailleurs };
        assert_eq!(fusionner_structure(&connue(), situee, Format::FinessCsv).position, position(5.4));
    }

    #[test]
    fn the_xml_flow_tells_the_state_but_no_group_event_nor_position() {
        let rouverte = fusionner_structure(&connue(), recue(), Format::FinessXml);
        assert_eq!((rouverte.type_fermeture.as_str(), rouverte.date_fermeture.as_str()), ("", ""));
        assert_eq!(rouverte.finess_porteuse, "");
        assert_eq!(rouverte.position, connue().position);
        assert_eq!(rouverte.groupes, connue().groupes);
        assert_eq!(rouverte.evenements, connue().evenements);
        assert_eq!(rouverte.courriel, "accueil@exemple.fr");
    }

    #[test]
    fn the_directory_follows_its_own_rule() {
        let lue = StructureFiness { num_finess: "019000207".into(), ..StructureFiness::default() };
        let gardee = fusionner_structure(&connue(), lue, Format::AnnuaireFhir);
        assert_eq!(gardee, connue());
    }

    fn activites(lues: &[(&str, &str)]) -> ActivitesFiness {
        let activites = lues.iter().map(|(identifiant, nature)| ActiviteFiness {
            identifiant: (*identifiant).into(),
            nature: (*nature).into(),
            ..ActiviteFiness::default()
        });
        ActivitesFiness { activites: activites.collect(), ..ActivitesFiness::default() }
    }

    #[test]
    fn a_file_of_activities_replaces_those_of_its_nature() {
        let connues = activites(&[("01-00-01", "AMF"), ("924-11-711", "ASMR"), ("924-21-436", "ASMR")]);
        let recues = activites(&[("358-16-700", "ASMR")]);
        let lues = |format, suite| -> Vec<String> {
            let fusion = fusionner_activites(&connues, recues.clone(), format, suite);
            fusion.activites.into_iter().map(|activite| activite.identifiant).collect()
        };
        assert_eq!(lues(Format::FinessCsv, false), ["01-00-01", "358-16-700"]);
        assert_eq!(lues(Format::FinessXml, true), ["01-00-01", "358-16-700", "924-11-711", "924-21-436"]);
        assert_eq!(lues(Format::FinessActivites, false), ["358-16-700"]);
    }
}
