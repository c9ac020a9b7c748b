use ror_domaine::{references::Connues, vocabulaire::Tables};

use super::*;

const NUMERO: &str = "019000207";

fn adresse(libelle: &str) -> Option<Adresse> {
    Some(Adresse { libelle_voie: libelle.into(), code_postal: "01000".into(), ..Default::default() })
}

fn site() -> EntiteGeographique {
    EntiteGeographique {
        num_finess: NUMERO.into(),
        denomination: "SITE NORD".into(),
        adresse: adresse("FICTIVE"),
        commune_cog: "01451".into(),
        ..Default::default()
    }
}

fn provenance(canal: Canal) -> Provenance {
    Provenance { canal: canal as i32, auteur: "essai".into(), ..Default::default() }
}

/// What is kept of a write, what was said of it, and the rules broken.
fn ecrire(
    mut e: EntiteGeographique,
    tenue: &EntiteGeographique,
    canal: Canal,
) -> (EntiteGeographique, Option<Constat>, Vec<String>) {
    let (tables, connues) = (Tables::default(), Connues::new());
    let mut c = Controle::nouveau(&tables, &connues, "EntiteGeographique");
    let constat = tenir(&mut e, Some(tenue), &provenance(canal), &mut c);
    let regles = c.finir().err().unwrap_or_default().into_iter().map(|f| f.regle).collect();
    (e, constat, regles)
}

#[test]
fn a_person_is_refused_and_a_feed_is_taken_with_both_values_told() {
    let autre = EntiteGeographique { denomination: "SITE SUD".into(), ..site() };
    let (_, _, regles) = ecrire(autre.clone(), &site(), Canal::National);
    assert_eq!(regles, ["champ-verrouille"]);
    let (gardee, constat, regles) = ecrire(autre, &site(), Canal::Regional);
    let constat = constat.expect("FINESS owns it");
    assert!(regles.is_empty());
    assert_eq!(gardee.denomination, "SITE NORD");
    assert_eq!(
        constat.divergences,
        [Divergence { champ: "denominationEG", tenue: "SITE NORD".into(), recue: "SITE SUD".into() }]
    );
    assert_eq!(constat.source, "regional (essai)");
    assert!(constat.accords.contains(&"adresseEG") && !constat.accords.contains(&"numSIRET"));
}

#[test]
fn a_correction_stays_when_left_out_keeps_its_day_and_ends_when_finess_agrees() {
    let voulue = CorrectionAdresse { adresse: adresse("JUSTE"), ..Default::default() };
    let demande = EntiteGeographique { correction_adresse: Some(voulue.clone()), ..site() };
    let (corrigee, _, regles) = ecrire(demande, &site(), Canal::National);
    assert!(regles.is_empty());
    let c = corrigee.correction_adresse.clone().expect("a correction");
    assert_eq!((c.commune_cog.as_str(), c.demandee_par.as_str()), ("01451", "essai"));
    assert_eq!(c.demandee_le, aujourdhui());
    assert_eq!(corrigee.adresse, adresse("FICTIVE"), "FINESS's stays beside it");

    let ancienne = EntiteGeographique {
        correction_adresse: Some(CorrectionAdresse { demandee_le: "2026-01-01".into(), ..c }),
        ..site()
    };
    // Left out, asked for again, read and written back as the address: the same correction.
    let encore = EntiteGeographique { correction_adresse: Some(voulue), ..site() };
    let echo = EntiteGeographique { adresse: adresse("JUSTE"), ..site() };
    for ecrite in [site(), encore, echo] {
        for canal in [Canal::National, Canal::Regional] {
            let (e, constat, regles) = ecrire(ecrite.clone(), &ancienne, canal);
            assert!(regles.is_empty() && constat.is_some_and(|c| c.divergences.is_empty()));
            assert_eq!(e, ancienne);
        }
    }
    let fin = CorrectionAdresse { adresse: adresse("FICTIVE"), ..Default::default() };
    let finie = EntiteGeographique { correction_adresse: Some(fin), ..site() };
    assert_eq!(ecrire(finie, &ancienne, Canal::National).0, site());
}

#[test]
fn a_number_that_finess_does_not_know_is_refused_by_any_channel_but_its_own() {
    let inconnue = EntiteGeographique { num_finess: String::new(), ..site() };
    for canal in [Canal::National, Canal::Regional] {
        let (_, constat, regles) = ecrire(site(), &inconnue, canal);
        assert_eq!((constat, regles), (None, vec!["structure-inconnue-de-finess".to_owned()]));
    }
    let (_, constat, regles) = ecrire(site(), &inconnue, Canal::Referentiel);
    assert!(constat.is_none() && regles.is_empty());
}
