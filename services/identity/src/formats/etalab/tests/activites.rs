use ror_proto::identity::v1::StatutActivite;

use super::super::genre::{EQUIPEMENT, SOIN};
use super::*;

const COURTE: &str = "structureet;019000215;019000108;EHPAD";

const PLACES: &[(&str, &str)] = &[
    ("equipementsocial", "equipementsocial"),
    ("nofinesset", "019000215"),
    ("de", "924"),
    ("ta", "11"),
    ("client", "711"),
    ("capinstot", "78"),
    ("indsupinst", "N"),
    ("datederinst", "2017-01-03"),
    ("datepremautor", "1988-05-02"),
    ("capautot", "80"),
    ("indsupaut", "N"),
    ("dateautor", "2017-01-03"),
];

const SOINS: &[(&str, &str)] = &[
    ("activiteoffresoin", "activiteoffresoin"),
    ("nofinessej", "019000108"),
    ("activite", "01"),
    ("modalite", "00"),
    ("forme", "01"),
    ("dateautor", "2000-06-07"),
    ("nofinesset", "019000207"),
    ("noautorarhgos", "84-82-1"),
    ("datemeo", "2000-06-07"),
    ("datefin", "2029-02-01"),
    ("indcaduc", "N"),
    ("indsupact", "N"),
    ("indsupsite", "N"),
];

fn equipement(changements: &[(&str, &str)]) -> String {
    ligne(EQUIPEMENT, PLACES, changements)
}

fn soin(changements: &[(&str, &str)]) -> String {
    ligne(SOIN, SOINS, changements)
}

fn capacites(activites: &ActivitesFiness, rang: usize) -> Vec<(&str, &str, u32)> {
    let lues = activites.activites[rang].capacites.iter();
    lues.map(|lue| (lue.statut.as_str(), lue.unite.as_str(), lue.nombre)).collect()
}

#[test]
fn equipments_of_a_site_that_follow_make_one_record() {
    let lignes = [
        COURTE.to_owned(),
        equipement(&[("ta", "21"), ("client", "436"), ("capinstot", "6"), ("capautot", "6.0")]),
        equipement(&[]),
        equipement(&[("nofinesset", "019000223"), ("de", "358")]),
        equipement(&[("client", "702")]),
    ];
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let lues = activites(&lectures);
    assert_eq!(
        lues.iter().map(|(ligne, suite, _)| (*ligne, *suite)).collect::<Vec<_>>(),
        [(3, false), (5, false), (6, true)]
    );
    let premiere = &lues[0].2;
    assert_eq!(premiere.num_finess, "019000215");
    let identifiants: Vec<&str> = premiere.activites.iter().map(|a| a.identifiant.as_str()).collect();
    assert_eq!(identifiants, ["924-11-711", "924-21-436"]);
    let hebergement = &premiere.activites[0];
    assert_eq!((hebergement.nature.as_str(), hebergement.date_debut.as_str()), ("ASMR", "1988-05-02"));
    assert_eq!((hebergement.modalite.as_str(), hebergement.public.as_str()), ("11", "711"));
    assert_eq!(hebergement.statut(), StatutActivite::MiseEnOeuvre);
    assert_eq!(capacites(premiere, 0), [("08", "02", 78), ("09", "02", 80)]);
    assert_eq!(capacites(premiere, 1), [("08", "02", 6), ("09", "02", 6)]);
    assert_eq!(lues[2].2.meta, premiere.meta);
    let resume = resume.unwrap();
    assert_eq!(resume.comptes.get("structureet"), Some(&1));
    assert_eq!(resume.comptes.get("equipementsocial"), Some(&4));
    assert_eq!(resume.constats.get("structure-reprise"), Some(&1));
}

/// Status, unit and number of each total.
type Totaux = &'static [(&'static str, &'static str, u32)];
/// Fields changed, and their values.
type Champs = &'static [(&'static str, &'static str)];

#[test]
fn the_state_of_an_equipment_and_what_is_left_of_its_capacity() {
    let cas: [(Champs, StatutActivite, Totaux); 4] = [
        (&[("indsupinst", "O")], StatutActivite::Autorisee, &[("09", "02", 80)]),
        (&[("datederinst", ""), ("capinstot", "0")], StatutActivite::Autorisee, &[("09", "02", 80)]),
        (&[("indsupaut", "O"), ("indsupinst", "O")], StatutActivite::Inactive, &[]),
        (&[("capinstot", ""), ("capautot", "beaucoup")], StatutActivite::MiseEnOeuvre, &[]),
    ];
    for (changements, statut, attendues) in cas {
        let (lectures, _) = charger(fichier(&[equipement(changements)]).as_bytes());
        let lues = activites(&lectures);
        assert_eq!(lues[0].2.activites[0].statut(), statut, "{changements:?}");
        assert_eq!(capacites(&lues[0].2, 0), attendues, "{changements:?}");
    }
}

#[test]
fn the_state_of_a_care_activity() {
    let cas: [(Champs, StatutActivite, &str); 7] = [
        (&[], StatutActivite::MiseEnOeuvre, ""),
        (&[("datemeo", "")], StatutActivite::Autorisee, ""),
        (&[("datemeo", "1900-01-01")], StatutActivite::Autorisee, ""),
        (&[("indcaduc", "O"), ("datelimite", "2014-05-05")], StatutActivite::Inactive, "2014-05-05"),
        (&[("indsupsite", "O")], StatutActivite::Inactive, ""),
        (&[("indsupact", "O")], StatutActivite::Inactive, ""),
        (&[("datefin", "2026-05-12")], StatutActivite::Inactive, "2026-05-12"),
    ];
    for (changements, statut, fin) in cas {
        let (lectures, _) = charger(fichier(&[soin(changements)]).as_bytes());
        let lues = activites(&lectures);
        let lue = &lues[0].2.activites[0];
        assert_eq!((lue.statut(), lue.date_fin_effective.as_str()), (statut, fin), "{changements:?}");
        assert_eq!((lue.nature.as_str(), lue.identifiant.as_str()), ("AMF", "01-00-01-84-82-1"));
    }
}

#[test]
fn a_care_line_may_stop_before_its_state() {
    let (lectures, _) = charger(fichier(&[ligne(&SOIN[..13], SOINS, &[])]).as_bytes());
    let lues = activites(&lectures);
    let lue = &lues[0].2.activites[0];
    assert_eq!((lue.statut(), lue.identifiant.as_str()), (StatutActivite::Unspecified, "01-00-01"));
}

#[test]
fn faulty_activities_are_refused_and_the_rest_goes_on() {
    let lignes = [
        soin(&[]),
        soin(&[("dateautor", "2001-01-01")]),
        soin(&[("activite", "")]),
        soin(&[("nofinesset", "019")]),
        soin(&[("noautorarhgos", "84-82-2")]),
        ligne(&SOIN[..20], SOINS, &[]),
        site(&[]),
        soin(&[]),
    ];
    let (lectures, resume) = charger(fichier(&lignes).as_bytes());
    let refusees = [
        (3, "ligne", "activite-divergente"),
        (4, "activite", "activite-absente"),
        (5, "nofinesset", "finess-forme-invalide"),
        (7, "ligne", "nombre-de-champs"),
        (8, "ligne", "type-inattendu"),
    ];
    assert_eq!(refus(&lectures), attendus(&refusees));
    let lues = activites(&lectures);
    assert_eq!((lues.len(), lues[0].2.activites.len()), (1, 2));
    assert_eq!(constats(resume), [("activite-en-double", 1)]);
}

#[test]
fn a_site_with_countless_activities_is_handed_over_in_several_times() {
    let numeros: Vec<String> = (0..1500).map(|rang| format!("84-82-{rang}")).collect();
    let lignes: Vec<String> =
        numeros.iter().map(|numero| soin(&[("noautorarhgos", numero.as_str())])).collect();
    let (lectures, _) = charger(fichier(&lignes).as_bytes());
    let lues = activites(&lectures);
    let tailles: Vec<(bool, usize)> =
        lues.iter().map(|(_, suite, activites)| (*suite, activites.activites.len())).collect();
    assert_eq!(tailles, [(false, 1000), (true, 500)]);
}
