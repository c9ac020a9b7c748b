use super::*;

fn evenement(code: &str, date: &str, etat_objet: &str) -> EvenementFiness {
    EvenementFiness {
        code: code.to_owned(),
        date: date.to_owned(),
        etat_objet: etat_objet.to_owned(),
        objet_lie: String::new(),
    }
}

fn eg() -> StructureFiness {
    StructureFiness {
        meta: meta("eg"),
        num_finess: "019000207".to_owned(),
        num_finess_ej: "019000108".to_owned(),
        denomination: "CENTRE HOSPITALIER".to_owned(),
        denomination_courte: "CH".to_owned(),
        date_ouverture: "1979-02-13".to_owned(),
        date_maj_source: "2026-05-11T00:00:00".to_owned(),
        evenements: vec![evenement("003", "1979-02-13", "003"), evenement("007", "1979-02-13", "007")],
        ..StructureFiness::default()
    }
}

fn ej() -> StructureFiness {
    StructureFiness {
        meta: meta("ej"),
        num_finess: "019000108".to_owned(),
        num_finess_ej: String::new(),
        entite_juridique: true,
        evenements: vec![evenement("001", "1972-03-01", "001")],
        ..eg()
    }
}

fn fermee(genre: &str, code: &str, etat: &str) -> StructureFiness {
    let mut structure = eg();
    structure.type_fermeture = genre.to_owned();
    structure.date_fermeture = "2026-10-01".to_owned();
    structure.evenements.push(evenement(code, "2026-10-01", etat));
    structure
}

fn entre(avant: StructureFiness, apres: StructureFiness) -> Vec<Changement> {
    comparer(Some(&identite(Ressource::StructureFiness(avant))), &identite(Ressource::StructureFiness(apres)))
}

fn changer(mut structure: StructureFiness, changement: fn(&mut StructureFiness)) -> Vec<Changement> {
    let avant = structure.clone();
    changement(&mut structure);
    entre(avant, structure)
}

#[test]
fn a_structure_first_seen_is_created_with_its_date_state_and_events() {
    let creees = comparer(None, &identite(Ressource::StructureFiness(fermee("DEF", "005", "100"))));
    assert_eq!(operations(&creees), [(Operation::Creee, vec![])]);
    let creee = &creees[0];
    assert_eq!((creee.genre.as_str(), creee.id.as_str()), (ENTITE_GEOGRAPHIQUE, "eg"));
    assert_eq!((creee.cle.as_str(), creee.date.as_str()), ("019000207", "1979-02-13"));
    assert_eq!(creee.type_fermeture, "DEF");
    assert_eq!(creee.evenements, ["003", "007"]);
    let ej = comparer(None, &identite(Ressource::StructureFiness(ej())));
    assert_eq!(ej[0].genre, ENTITE_JURIDIQUE);
}

#[test]
fn each_field_has_its_finess_name() {
    type Cas = (fn(&mut StructureFiness), &'static str, &'static str);
    let cas: [Cas; 26] = [
        (|s| s.denomination.push('X'), "denominationLonguePmSmsse", "nomEgeLong"),
        (|s| s.denomination_courte.push('X'), "denominationPm", "nomEgeCourt"),
        (|s| s.complement.push('X'), "complementAdressePmSmsse", "complementDenominationEg"),
        (|s| s.siren.push('X'), "siren", "siren"),
        (|s| s.siret.push('X'), "siret", "siret"),
        (|s| s.statut_juridique.push('X'), "statutJuridique", "statutJuridique"),
        (
            |s| s.categorie.push('X'),
            "categorieentiteGeographiqueExercice",
            "categorieentiteGeographiqueExercice",
        ),
        (|s| s.espic.push('X'), "espic", "espic"),
        (|s| s.mode_tarification.push('X'), "modefixationtarifaire", "modefixationtarifaire"),
        (|s| s.code_ape.push('X'), "codeApe", "codeApe"),
        (|s| s.date_ouverture.push('X'), "dateCreation", "dateOuverture"),
        (|s| s.date_autorisation.push('X'), "datePremiereAutorisation", "datePremiereAutorisation"),
        (|s| s.date_fermeture.push('X'), "dateFermeture", "dateFermeture"),
        (|s| s.caduque = true, "indcaduc", "indcaduc"),
        (|s| s.finess_porteuse.push('X'), "roleEge", "roleEge"),
        (|s| s.num_uai.push('X'), "numeroEducationNationale", "numeroEducationNationale"),
        (|s| s.adresse = Some(Adresse::default()), "adresse", "adresse"),
        (|s| s.commune_cog.push('X'), "cogCommune", "cogCommune"),
        (|s| s.meta = None, "region", "region"),
        (|s| s.position = Some(Position::default()), "coordonneesGeographique", "coordonneesGeographique"),
        (|s| s.telephone.push('X'), "telephone", "telephone"),
        (|s| s.telecopie.push('X'), "telecopie", "telecopie"),
        (|s| s.courriel.push('X'), "courriel", "courriel"),
        (|s| s.type_groupe.push('X'), "typeGroupeGco", "typeGroupeGco"),
        (|s| s.groupes.push(GroupeFiness::default()), "pmejDuGcc", "egeDuGcc"),
        (|s| s.evenements.clear(), "evenement", "evenement"),
    ];
    for (changement, nom_ej, nom_eg) in cas {
        assert_eq!(operations(&changer(ej(), changement)), [(Operation::Modifiee, vec![nom_ej])]);
        assert_eq!(operations(&changer(eg(), changement)), [(Operation::Modifiee, vec![nom_eg])]);
    }
}

#[test]
fn a_date_of_record_the_order_of_events_and_an_event_told_twice_are_no_difference() {
    let changements = changer(eg(), |s| {
        s.date_maj_source = "2026-10-01T00:00:00".to_owned();
        s.evenements.reverse();
        s.evenements.push(evenement("003", "1979-02-13", "003"));
        s.meta.get_or_insert_default().version = 7;
        s.meta.get_or_insert_default().date_maj = Some(prost_types::Timestamp::default());
    });
    assert!(changements.is_empty(), "{changements:?}");
}

#[test]
fn a_new_event_alone_is_a_change_that_names_it() {
    let changements = changer(eg(), |s| s.evenements.push(evenement("016", "2026-10-01", "003")));
    assert_eq!(operations(&changements), [(Operation::Modifiee, vec!["evenement"])]);
    assert_eq!(changements[0].evenements, ["016"]);
}

#[test]
fn the_region_is_not_told_beside_its_commune() {
    let changements = changer(eg(), |s| {
        s.commune_cog = "2A004".to_owned();
        s.meta.get_or_insert_default().region = "94".to_owned();
    });
    assert_eq!(operations(&changements), [(Operation::Modifiee, vec!["cogCommune"])]);
}

#[test]
fn each_closure_is_one_operation_with_its_date_and_its_events() {
    let cas = [
        ("DEF", "005", "100", Operation::Fermee),
        ("PRO", "005", "103", Operation::FermeeProvisoirement),
        ("PRO", "038", "", Operation::FermeeProvisoirement),
        ("HORS_CHAMP", "005", "102", Operation::HorsChamp),
        ("HORS_CHAMP", "002", "002", Operation::HorsChamp),
        ("ERREUR", "005", "101", Operation::DeclareeParErreur),
        ("DEF", "020", "020", Operation::Fermee),
    ];
    for (genre, code, etat, operation) in cas {
        let changements = entre(eg(), fermee(genre, code, etat));
        assert_eq!(operations(&changements), [(operation, vec![])]);
        assert_eq!(changements[0].date, "2026-10-01");
        assert_eq!(changements[0].type_fermeture, genre);
        assert_eq!(changements[0].evenements, [code]);
    }
}

#[test]
fn a_closure_without_date_takes_that_of_its_event_and_without_event_has_none() {
    let sans_date = StructureFiness { date_fermeture: String::new(), ..fermee("DEF", "005", "100") };
    assert_eq!(entre(eg(), sans_date)[0].date, "2026-10-01");
    let nue = StructureFiness { type_fermeture: "DEF".to_owned(), ..eg() };
    let changements = entre(eg(), nue);
    assert_eq!(operations(&changements), [(Operation::Fermee, vec![])]);
    assert_eq!((changements[0].date.as_str(), changements[0].evenements.len()), ("", 0));
}

#[test]
fn an_announced_closure_is_a_change_then_a_closure_that_finds_its_event() {
    let annoncee = StructureFiness { type_fermeture: String::new(), ..fermee("DEF", "005", "100") };
    let annonce = entre(eg(), annoncee.clone());
    assert_eq!(operations(&annonce), [(Operation::Modifiee, vec!["dateFermeture", "evenement"])]);
    let effet = entre(annoncee, fermee("DEF", "005", "100"));
    assert_eq!(operations(&effet), [(Operation::Fermee, vec![])]);
    assert_eq!(effet[0].date, "2026-10-01");
    assert_eq!(effet[0].evenements, ["005"]);
}

#[test]
fn other_fields_of_a_closed_structure_are_told_before_the_closure() {
    let mut apres = fermee("DEF", "005", "100");
    apres.denomination_courte = "EX CH".to_owned();
    apres.evenements.push(evenement("017", "2026-10-01", ""));
    let changements = entre(eg(), apres);
    let attendues = [(Operation::Modifiee, vec!["nomEgeCourt", "evenement"]), (Operation::Fermee, vec![])];
    assert_eq!(operations(&changements), attendues);
    assert_eq!(changements[0].evenements, ["017"]);
    assert_eq!(changements[1].evenements, ["005"]);
}

#[test]
fn a_closure_may_become_another() {
    let changements = entre(fermee("PRO", "005", "103"), fermee("DEF", "005", "100"));
    assert_eq!(operations(&changements), [(Operation::Fermee, vec![])]);
    assert_eq!(changements[0].evenements, ["005"]);
    let datee = StructureFiness { date_fermeture: "2026-09-30".to_owned(), ..fermee("DEF", "005", "100") };
    let changements = entre(fermee("DEF", "005", "100"), datee);
    assert_eq!(operations(&changements), [(Operation::Modifiee, vec!["dateFermeture"])]);
}

#[test]
fn a_reopening_takes_the_date_of_its_event_or_none() {
    let mut rouverte = eg();
    rouverte.evenements.push(evenement("005", "2026-10-01", "103"));
    rouverte.evenements.push(evenement("039", "2026-10-05", "039"));
    let changements = entre(fermee("PRO", "005", "103"), rouverte);
    assert_eq!(operations(&changements), [(Operation::Rouverte, vec![])]);
    assert_eq!((changements[0].date.as_str(), changements[0].type_fermeture.as_str()), ("2026-10-05", ""));
    assert_eq!(changements[0].evenements, ["039"]);
    let retire = entre(fermee("PRO", "005", "103"), eg());
    assert_eq!(operations(&retire), [(Operation::Rouverte, vec![])]);
    assert_eq!((retire[0].date.as_str(), retire[0].evenements.len()), ("", 0));
}

#[test]
fn a_transfer_names_both_ej_and_rests_on_its_events_when_there_are() {
    let mut transferee = StructureFiness { num_finess_ej: "2A9000114".to_owned(), ..eg() };
    let nu = entre(eg(), transferee.clone());
    assert_eq!(operations(&nu), [(Operation::Transferee, vec![])]);
    assert_eq!((nu[0].de.as_str(), nu[0].vers.as_str()), ("019000108", "2A9000114"));
    assert_eq!((nu[0].date.as_str(), nu[0].evenements.len()), ("", 0));
    transferee.evenements.push(evenement("018", "2026-09-30", "018"));
    let sortie = entre(eg(), transferee.clone());
    assert_eq!(sortie[0].date, "2026-09-30");
    assert_eq!(sortie[0].evenements, ["018"]);
    transferee.evenements.push(evenement("019", "2026-10-01", "019"));
    let complet = entre(eg(), transferee);
    assert_eq!(operations(&complet), [(Operation::Transferee, vec![])]);
    assert_eq!(complet[0].date, "2026-10-01");
    assert_eq!(complet[0].evenements, ["018", "019"]);
}

#[test]
fn an_ej_found_or_lost_is_not_a_transfer() {
    let orpheline = StructureFiness { num_finess_ej: String::new(), ..eg() };
    let trouvee = entre(orpheline.clone(), eg());
    assert_eq!(operations(&trouvee), [(Operation::Modifiee, vec!["numFinessPm"])]);
    let perdue = entre(eg(), orpheline);
    assert_eq!(operations(&perdue), [(Operation::Modifiee, vec!["numFinessPm"])]);
}

#[test]
fn everything_at_once_is_told_in_order() {
    let mut apres = StructureFiness { num_finess_ej: "2A9000114".to_owned(), ..fermee("DEF", "005", "100") };
    apres.telephone = "0400000000".to_owned();
    let ops: Vec<Operation> = entre(eg(), apres).iter().map(Changement::operation).collect();
    assert_eq!(ops, [Operation::Transferee, Operation::Modifiee, Operation::Fermee]);
    let mut rouverte = StructureFiness { num_finess_ej: "2A9000114".to_owned(), ..eg() };
    rouverte.siret = "99000101800128".to_owned();
    let ops: Vec<Operation> =
        entre(fermee("PRO", "005", "103"), rouverte).iter().map(Changement::operation).collect();
    assert_eq!(ops, [Operation::Rouverte, Operation::Transferee, Operation::Modifiee]);
}
