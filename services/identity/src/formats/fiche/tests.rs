use super::*;

/// The same text for every field.
struct Partout(&'static str);

impl Fiche for Partout {
    fn champ(&self, _nom: &str) -> &str {
        self.0
    }
}

/// A département and a commune.
struct Lieu(&'static str, &'static str);

impl Fiche for Lieu {
    fn champ(&self, nom: &str) -> &str {
        match nom {
            "departement" => self.0,
            "commune" => self.1,
            _ => "",
        }
    }
}

fn lu<T>(texte: &'static str, lire: impl Fn(&mut Champs<'_>) -> T) -> (T, Vec<&'static str>) {
    let mut carnet = Carnet::default();
    let valeur = lire(&mut Champs::nouveaux(&Partout(texte), &mut carnet, ""));
    (valeur, carnet.constats().into_keys().collect())
}

#[test]
fn a_date_is_read_put_right_or_dropped_with_a_word() {
    let cas: [(&str, &str, &[&str]); 9] = [
        ("2026-05-12", "2026-05-12", &[]),
        ("2026-05-12Z", "2026-05-12", &[]),
        ("", "", &[]),
        ("1900-01-01", "", &["date-inconnue"]),
        ("13/11/2023", "2023-11-13", &["date-remise-en-forme"]),
        ("01/01/1900", "", &["date-inconnue"]),
        ("31/02/2023", "", &["date-invalide"]),
        ("2023-02-30", "", &["date-invalide"]),
        ("hier", "", &["date-invalide"]),
    ];
    for (texte, attendu, constats) in cas {
        let (date, vus) = lu(texte, |champs| champs.date("datemaj"));
        assert_eq!((date.as_str(), vus.as_slice()), (attendu, constats), "{texte}");
    }
}

#[test]
fn a_phone_keeps_its_digits_only() {
    let cas: [(&str, &str, &[&str]); 5] = [
        ("0400000201", "0400000201", &[]),
        ("04 00 00 02 01", "0400000201", &["telephone-remis-en-forme"]),
        ("0400000201 / 0400000202", "0400000201", &["telephones-multiples"]),
        ("3114", "3114", &[]),
        ("+33 4 00 00 02 01", "+33 4 00 00 02 01", &[]),
    ];
    for (texte, attendu, constats) in cas {
        let (telephone, vus) = lu(texte, |champs| champs.telephone("telephone"));
        assert_eq!((telephone.as_str(), vus.as_slice()), (attendu, constats), "{texte}");
    }
}

#[test]
fn numbers_and_codes_take_one_form() {
    assert_eq!(lu("8610Z", |champs| champs.ape("codeape")).0, "86.10Z");
    assert_eq!(lu("86.10Z", |champs| champs.ape("codeape")).0, "86.10Z");
    assert_eq!(lu("", |champs| champs.ape("codeape")).0, "");
    assert_eq!(lu("78", |champs| champs.nombre("capinstot")), (Some(78), vec![]));
    assert_eq!(lu("78.00", |champs| champs.nombre("capinstot")), (Some(78), vec![]));
    assert_eq!(lu("", |champs| champs.nombre("capinstot")), (None, vec![]));
    assert_eq!(lu("7,5", |champs| champs.nombre("capinstot")), (None, vec!["nombre-illisible"]));
    assert_eq!(lu("-3", |champs| champs.nombre("capinstot")), (None, vec!["nombre-illisible"]));
}

#[test]
fn a_commune_is_found_from_the_departements_of_finess() {
    let cas = [
        ("01", "451", Some("01451")),
        ("2A", "004", Some("2A004")),
        ("9A", "127", Some("97127")),
        ("9B", "207", Some("97207")),
        ("9F", "606", Some("97606")),
        ("9J", "613", Some("98613")),
        ("99", "138", Some("99138")),
        ("01", "", Some("")),
        ("97", "222", None),
        ("20", "004", None),
        ("9Z", "101", None),
        ("1", "451", None),
        ("01", "45", None),
    ];
    for (departement, commune, attendu) in cas {
        let mut carnet = Carnet::default();
        let lue = Champs::nouveaux(&Lieu(departement, commune), &mut carnet, "").commune();
        let lue = (!carnet.a_des_fautes()).then_some(lue);
        assert_eq!(lue.as_deref(), attendu, "{departement} {commune}");
    }
}
