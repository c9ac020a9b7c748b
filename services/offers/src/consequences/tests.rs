use super::*;

fn site(type_fermeture: &str, date: &str) -> Site {
    Site {
        id: "eg-1".into(),
        version: 2,
        origine: String::new(),
        regle: Regle::de_fermeture(type_fermeture),
        date: date.into(),
    }
}

fn offre(type_fermeture: &str, date: &str) -> OffreOperationnelle {
    let mut o = OffreOperationnelle::default();
    poser(&mut o, type_fermeture, date);
    o
}

/// The consequence a note becomes; decided by a person or not.
fn connue(n: &Note, etat: EtatConsequence, automatique: bool) -> EnCours {
    EnCours {
        id: "c".into(),
        ressource_id: "o".into(),
        cause_id: "eg-1".into(),
        regle: n.regle,
        etat,
        type_fermeture: n.type_fermeture.into(),
        date_fermeture: n.date_fermeture.clone(),
        automatique,
    }
}

#[test]
fn a_closure_for_a_time_closes_what_is_open_and_the_reopening_opens_only_that() {
    let mut ouverte = offre("", "");
    let n = suivre(&mut ouverte, &site(PRO, "2026-10-01"), &[], Mode::Controle).expect("a note");
    assert_eq!((n.regle, n.etat), (Regle::FermeeProvisoirement, EtatConsequence::Appliquee));
    assert_eq!(ouverte, offre(PRO, "2026-10-01"));
    let mut fermee = offre(PRO, "2026-09-01");
    assert_eq!(suivre(&mut fermee, &site(PRO, "2026-10-01"), &[], Mode::Controle), None);

    let c = [connue(&n, EtatConsequence::Appliquee, true)];
    // Its date corrected: what the rule closed follows.
    let n = suivre(&mut ouverte, &site(PRO, "2026-10-02"), &c, Mode::Controle).expect("a note");
    assert_eq!(ouverte, offre(PRO, "2026-10-02"));
    let c = [connue(&n, EtatConsequence::Appliquee, true)];
    // Opened by a person meanwhile: left alone, both ways.
    let mut reprise = offre("", "");
    assert_eq!(suivre(&mut reprise, &site(PRO, "2026-10-03"), &c, Mode::Controle), None);
    assert_eq!(reprise, offre("", ""));
    assert_eq!(suivre(&mut ouverte, &site("", ""), &c, Mode::Controle), None);
    assert_eq!(ouverte, offre("", ""));
    assert_eq!(suivre(&mut fermee, &site("", ""), &[], Mode::Controle), None);
    assert_eq!(fermee, offre(PRO, "2026-09-01"));
}

#[test]
fn a_closure_for_good_is_asked_or_done_as_the_setting_says() {
    for (type_fermeture, regle) in
        [(DEF, Regle::FermeeDefinitivement), (CHP, Regle::HorsChamp), (ERR, Regle::DeclareeParErreur)]
    {
        let mut o = offre(PRO, "2026-09-01");
        let n = suivre(&mut o, &site(type_fermeture, "2026-10-01"), &[], Mode::Controle).expect("a note");
        assert_eq!((n.regle, n.etat, n.type_fermeture), (regle, EtatConsequence::AControler, DEF));
        assert_eq!(o, offre(PRO, "2026-09-01"), "nothing changed");
        // Refused: not asked again while the site stays closed.
        let refusee = [connue(&n, EtatConsequence::Refusee, false)];
        assert_eq!(suivre(&mut o, &site(type_fermeture, "2026-10-02"), &refusee, Mode::Controle), None);
    }
    let mut o = offre("", "");
    let n = suivre(&mut o, &site(DEF, "2026-10-01"), &[], Mode::Automatique).expect("a note");
    assert_eq!((n.etat, o.clone()), (EtatConsequence::Appliquee, offre(DEF, "2026-10-01")));
    assert_eq!(suivre(&mut offre(DEF, "2020-01-01"), &site(DEF, "2026-10-01"), &[], Mode::Automatique), None);
    let automatique = [connue(&n, EtatConsequence::Appliquee, true)];
    assert_eq!(suivre(&mut o.clone(), &site("", ""), &automatique, Mode::Automatique), None);
    // Closed by a person with its site: a person is asked before it opens.
    let acceptee = [connue(&n, EtatConsequence::Appliquee, false)];
    let n = suivre(&mut o, &site("", ""), &acceptee, Mode::Controle).expect("a note");
    assert_eq!((n.regle, n.etat), (Regle::Rouverte, EtatConsequence::AControler));
    assert_eq!(o, offre(DEF, "2026-10-01"));
}

#[test]
fn what_is_asked_ends_with_its_reason() {
    let note = |regle: Regle| Note {
        regle,
        etat: EtatConsequence::AControler,
        type_fermeture: "",
        date_fermeture: String::new(),
    };
    let def = connue(&note(Regle::FermeeDefinitivement), EtatConsequence::AControler, true);
    assert!(!levee(&def, Some(Regle::FermeeDefinitivement)));
    assert!(levee(&def, Some(Regle::FermeeProvisoirement)) && levee(&def, None));
    // What was closed for a time is remembered until the site opens.
    let pro = connue(&note(Regle::FermeeProvisoirement), EtatConsequence::Appliquee, true);
    assert!(!levee(&pro, Some(Regle::FermeeDefinitivement)) && levee(&pro, None));
    let rouverte = connue(&note(Regle::Rouverte), EtatConsequence::AControler, true);
    assert!(levee(&rouverte, Some(Regle::FermeeDefinitivement)) && !levee(&rouverte, None));
}

#[test]
fn a_rule_is_known_by_its_name() {
    for r in Regle::TOUTES {
        assert_eq!(Regle::de_nom(r.nom()), Some(r));
        assert!(r.message("2026-10-01").ends_with('.'));
    }
    assert_eq!(Regle::de_nom("autre"), None);
}
