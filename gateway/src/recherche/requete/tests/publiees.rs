//! The requests of the published scenarios (fhir-api notes, §5).

use super::*;
use crate::{
    modele::TypeFhir::{
        HealthcareService as Offre, Location as Lieu, Organization as Orga, PractitionerRole as Role,
    },
    recherche::parametres::Groupe,
};

/// The standard package of an offer.
const PAQUET: &str = "_include=HealthcareService:organization&_include:iterate=Organization:partof&_include=HealthcareService:location&_revinclude=PractitionerRole:service&_include=PractitionerRole:practitioner";

fn verifier(t: TypeFhir, suite: &str, cas: Vec<(&str, Noeud)>) {
    for (q, attendue) in cas {
        let q = q.replace("S|", "https://x/s|");
        assert_eq!(condition(t, &format!("{q}&{suite}")), attendue, "{q}");
    }
}

#[test]
fn consultation_of_capacity() {
    let identifiants = |v: &[&str]| un(Lieu, "identifier", codes(v));
    let postal = |v: &str| un(Lieu, "address-postalcode", debuts(&[v]));
    let id = |v: &str| un(Lieu, "_id", Test::Id(ids(&[v])));
    verifier(
        Lieu,
        "_revinclude=HealthcareService:location",
        vec![
            ("", Noeud::Et(vec![])),
            (
                r#"_filter=(address-postalcode eq "22" or "29" or "35")"#,
                Noeud::Ou(vec![postal("22"), postal("29"), postal("35")]),
            ),
            ("_tag=52", un(Lieu, "_tag", codes(&["52"]))),
            ("identifier=52/192675", identifiants(&["52/192675"])),
            ("_id=140,141", un(Lieu, "_id", Test::Id(ids(&["140", "141"])))),
            ("_filter=(_id eq 140 or 141)", Noeud::Ou(vec![id("140"), id("141")])),
            ("_id:not=140", Noeud::Non(Box::new(id("140")))),
            (
                "_lastUpdated=ge2023-08-02",
                un(Lieu, "_lastUpdated", date(Prefixe::Ge, datetime!(2023-08-02 0:00 UTC), 1440)),
            ),
            ("identifier=11/339772,11/347254", identifiants(&["11/339772", "11/347254"])),
            (
                "_filter=(identifier eq 11/339772 or 11/347254)",
                Noeud::Ou(vec![identifiants(&["11/339772"]), identifiants(&["11/347254"])]),
            ),
            (
                "identifier=https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR|IdNatStruct/SSR38888",
                identifiants(&["IdNatStruct/SSR38888"]),
            ),
        ],
    );
}

#[test]
fn identifiers_are_looked_for_as_they_are_shown() {
    const FINESS: &str = "https://finess.esante.gouv.fr";
    let un_de = |systeme: Option<&str>, code: &str| Jeton {
        systeme: systeme.map(str::to_owned),
        code: Some(code.to_owned()),
    };
    let demande = |q: &str| condition(Orga, &q.replace("F|", &format!("{FINESS}|")));
    let attendue = |v: Vec<Jeton>| un(Orga, "identifier", Test::Jeton(v));
    // A wrong key is shown as it came.
    assert_eq!(demande("identifier=F|010000025"), attendue(vec![un_de(Some(FINESS), "010000025")]));
    // What is published as a FINESS number and is an idNatStruct.
    assert_eq!(demande("identifier=F|1290004324"), attendue(vec![un_de(None, "1290004324")]));
    assert_eq!(
        demande("identifier=F|290004324,1290004324,010000025"),
        attendue(vec![
            un_de(Some(FINESS), "290004324"),
            un_de(None, "1290004324"),
            un_de(Some(FINESS), "010000025"),
        ])
    );
    let national = "urn:oid:1.2.250.1.71.4.2.2";
    assert_eq!(
        demande(&format!("identifier={national}|1290004324")),
        attendue(vec![un_de(Some(national), "1290004324")])
    );
}

#[test]
fn consultation_of_offers() {
    let minute = |nom| un(nom, "_lastUpdated", date(Prefixe::Ge, datetime!(2022-11-06 15:00 UTC), 1));
    verifier(
        Offre,
        PAQUET,
        vec![
            (
                "organization.identifier:above=1910800002",
                au_dessus(Relation::Porteur, un(Orga, "identifier", codes(&["1910800002"]))),
            ),
            ("identifier=06/0099999", un(Offre, "identifier", codes(&["06/0099999"]))),
            ("_lastUpdated=ge2022-11-06T15:00", minute(Offre)),
            (
                "organization._lastUpdated:above=ge2022-11-06T15:00&organization.type=S|124,189",
                Noeud::Et(vec![
                    au_dessus(Relation::Porteur, minute(Orga)),
                    vers(Relation::Porteur, un(Orga, "type", codes(&["S|124", "S|189"]))),
                ]),
            ),
            (
                "_filter=(_lastUpdated ge 2022-11-06T15:00 or organization._lastUpdated:above ge 2022-11-06T15:00)",
                Noeud::Ou(vec![minute(Offre), au_dessus(Relation::Porteur, minute(Orga))]),
            ),
            (
                "_lastUpdated=ge2024-01-01T00:00:00%2B01:00",
                un(
                    Offre,
                    "_lastUpdated",
                    Test::Date(vec![(
                        Prefixe::Ge,
                        Intervalle {
                            de: ms(datetime!(2023-12-31 23:00 UTC)),
                            a: ms(datetime!(2023-12-31 23:00 UTC)) + 1000,
                        },
                    )]),
                ),
            ),
        ],
    );
}

#[test]
fn offers_by_main_criteria() {
    let code = |nom, v: &str| un(Offre, nom, codes(&[v]));
    let postal = |v| vers(Relation::Lieux, un(Lieu, "address-postalcode", debuts(&[v])));
    let commune = |v| vers(Relation::Lieux, un(Lieu, "commune-cog", codes(&[v])));
    let age = |nom, p| un(Offre, nom, quantite(p, 35, "a"));
    let proche = |nom, centre| {
        vers(Relation::Lieux, un(Lieu, nom, Test::Proche(vec![Cercle { centre, rayon_m: 15_000.0 }])))
    };
    let point = Centre::Point { lat: 47.218_273_239_064_32, lon: -1.636_963_150_746_043_6 };
    verifier(
        Offre,
        PAQUET,
        vec![
            ("specialty=S|227", code("specialty", "S|227")),
            (
                "_filter=(specialty eq S|005 or S|481)",
                Noeud::Ou(vec![code("specialty", "S|005"), code("specialty", "S|481")]),
            ),
            (
                "service-category=S|50&characteristic=S|01",
                Noeud::Et(vec![code("service-category", "S|50"), code("characteristic", "S|01")]),
            ),
            (
                "_filter=(((service-category eq S|102) or (specialty eq S|233)) and (age-range-low le 35|https://unitsofmeasure.org|a and age-range-high ge 35|https://unitsofmeasure.org|a))",
                Noeud::Et(vec![
                    Noeud::Ou(vec![code("service-category", "S|102"), code("specialty", "S|233")]),
                    age("age-range-low", Prefixe::Le),
                    age("age-range-high", Prefixe::Ge),
                ]),
            ),
            (
                "_filter=((organization.type:above eq S|189) or (service-category eq S|62))&characteristic=S|0626",
                Noeud::Et(vec![
                    code("characteristic", "S|0626"),
                    Noeud::Ou(vec![
                        au_dessus(Relation::Porteur, un(Orga, "type", codes(&["S|189"]))),
                        code("service-category", "S|62"),
                    ]),
                ]),
            ),
            (
                "specialty=S|013&location.near-insee-code=44162|15|km",
                Noeud::Et(vec![
                    code("specialty", "S|013"),
                    proche("near-insee-code", Centre::Commune(*b"44162")),
                ]),
            ),
            (
                "specialty=S|013&location.near=47.21827323906432|-1.6369631507460436|15|km",
                Noeud::Et(vec![code("specialty", "S|013"), proche("near", point)]),
            ),
            (
                "intervention-zone=S|29151&specialty=S|293&service-category=S|30",
                Noeud::Et(vec![
                    code("intervention-zone", "S|29151"),
                    code("specialty", "S|293"),
                    code("service-category", "S|30"),
                ]),
            ),
            (
                "location.address-postalcode=71&service-category=S|21&characteristic=S|46&characteristic=S|24",
                Noeud::Et(vec![
                    postal("71"),
                    code("service-category", "S|21"),
                    code("characteristic", "S|46"),
                    code("characteristic", "S|24"),
                ]),
            ),
            (
                r#"_filter=(location.address-postalcode eq "60000" or "76620")&specialty=S|017&characteristic=S|0529"#,
                Noeud::Et(vec![
                    code("specialty", "S|017"),
                    code("characteristic", "S|0529"),
                    Noeud::Ou(vec![postal("60000"), postal("76620")]),
                ]),
            ),
            (
                "location.commune-cog=S|18000,13013",
                vers(Relation::Lieux, un(Lieu, "commune-cog", codes(&["S|18000", "S|13013"]))),
            ),
            (
                "_filter=(location.commune-cog eq S|18000 OR location.commune-cog eq S|13013)",
                Noeud::Ou(vec![commune("S|18000"), commune("S|13013")]),
            ),
            ("characteristic=S|05", code("characteristic", "S|05")),
            (
                "_has:PractitionerRole:service:practitioner.identifier=810000000001",
                depuis(
                    Relation::Offre,
                    vers(
                        Relation::Professionnel,
                        un(TypeFhir::Practitioner, "identifier", codes(&["810000000001"])),
                    ),
                ),
            ),
        ],
    );
}

#[test]
fn offers_by_capacity_equipment_and_price() {
    let code = |nom, v: &str| critere(Lieu, nom, codes(&[v]));
    let prix = |nom, v: &str| critere(Orga, nom, codes(&[v]));
    let specialite = |v| un(Offre, "specialty", codes(&[v]));
    let lieu = |g, v| vers(Relation::Lieux, Noeud::Enregistrement(g, v));
    let tarif = |v| vers(Relation::Porteur, Noeud::Enregistrement(Groupe::Tarif, v));
    let lits = critere(Lieu, "nb-capacity", entier(Prefixe::Gt, 0));
    let montant = |p| critere(Orga, "price-amount-value", entier(p, 60));
    verifier(
        Offre,
        "_include=HealthcareService:location",
        vec![
            (
                "specialty=S|356&location.capacity-type=S|01&location.gender-capacity-available=S|01&location.temporality-capacity=S|01&location.capacity-status=S|02&location.nb-capacity=gt0",
                Noeud::Et(vec![
                    specialite("S|356"),
                    lieu(
                        Groupe::Capacite,
                        vec![
                            code("capacity-type", "S|01"),
                            code("gender-capacity-available", "S|01"),
                            code("temporality-capacity", "S|01"),
                            code("capacity-status", "S|02"),
                            lits.clone(),
                        ],
                    ),
                ]),
            ),
            (
                "specialty=S|391&location.capacity-type=S|01&location.capacity-closing-type=S|01&location.capacity-status=S|05&location.nb-capacity=gt0",
                Noeud::Et(vec![
                    specialite("S|391"),
                    lieu(
                        Groupe::Capacite,
                        vec![
                            code("capacity-type", "S|01"),
                            code("capacity-closing-type", "S|01"),
                            code("capacity-status", "S|05"),
                            lits,
                        ],
                    ),
                ]),
            ),
            (
                "specialty=S|025&location.equipment-type=S|088&location.equipment-feature=S|001&location.limit-value=ge200|http://unitsofmeasure.org|kg",
                Noeud::Et(vec![
                    specialite("S|025"),
                    lieu(
                        Groupe::Equipement,
                        vec![
                            code("equipment-type", "S|088"),
                            code("equipment-feature", "S|001"),
                            critere(Lieu, "limit-value", quantite(Prefixe::Ge, 200, "kg")),
                        ],
                    ),
                ]),
            ),
            (
                "organization.price-type=S|02&organization.price-amount-value=lt60&_sort=-organization.price-validity-start-date",
                tarif(vec![prix("price-type", "S|02"), montant(Prefixe::Lt)]),
            ),
            (
                "organization.price-type=S|02&organization.amount-value=le60&organization.price-residential-type=S|03&organization.special-price=S|03",
                tarif(vec![
                    prix("price-type", "S|02"),
                    montant(Prefixe::Le),
                    prix("price-residential-type", "S|03"),
                    prix("special-price", "S|03"),
                ]),
            ),
            (
                "organization.price-type=S|03&organization.price-amount-value=lt60&organization.price-dependency-level=S|02&organization.price-welcome-type=S|02",
                tarif(vec![
                    prix("price-type", "S|03"),
                    montant(Prefixe::Lt),
                    prix("price-dependency-level", "S|02"),
                    prix("price-welcome-type", "S|02"),
                ]),
            ),
        ],
    );
}

#[test]
fn full_text_and_other_resources() {
    let texte = |t| un(t, "_content", Test::Contenu("cardio".to_owned()));
    let contient = |v: &str| Test::Texte(ModeTexte::Contient, ids(&[v]));
    let mois = |p, d| un(Orga, "_lastUpdated", date(p, d, 1440));
    verifier(
        Offre,
        PAQUET,
        vec![
            ("_content=cardio", texte(Offre)),
            (
                "_filter=(_content=cardio or location._content=cardio)",
                Noeud::Ou(vec![texte(Offre), vers(Relation::Lieux, texte(Lieu))]),
            ),
        ],
    );
    verifier(
        Orga,
        "_include=Organization:partof",
        vec![
            ("name:contains=CHÛ", un(Orga, "name", contient("chu"))),
            ("name=Cœur d’Été", un(Orga, "name", debuts(&["coeur d'ete"]))),
            (
                "_lastUpdated=ge2023-01-01&_lastUpdated=le2023-02-01",
                Noeud::Et(vec![
                    mois(Prefixe::Ge, datetime!(2023-01-01 0:00 UTC)),
                    mois(Prefixe::Le, datetime!(2023-02-01 0:00 UTC)),
                ]),
            ),
            ("drop-zone=true", un(Orga, "drop-zone", codes(&["true"]))),
        ],
    );
    verifier(
        Role,
        "",
        vec![
            ("_id=753", un(Role, "_id", Test::Id(ids(&["753"])))),
            ("identifier=11102379616", un(Role, "identifier", codes(&["11102379616"]))),
            ("_tag=S|52", un(Role, "_tag", codes(&["S|52"]))),
        ],
    );
    verifier(
        Lieu,
        "_sort=_lastUpdated",
        vec![
            ("status=active", un(Lieu, "status", codes(&["active"]))),
            ("address-city=Nantes", un(Lieu, "address-city", debuts(&["nantes"]))),
            (
                "_has:HealthcareService:location:specialty=S|005",
                depuis(Relation::Lieux, un(Offre, "specialty", codes(&["S|005"]))),
            ),
        ],
    );
}

#[test]
fn the_package_is_five_clauses() {
    let clause =
        |r: Relation, inverse, repete| Inclusion { source: r.source(), relation: r, inverse, repete };
    assert_eq!(
        lue(Offre, PAQUET).inclusions,
        [
            clause(Relation::Porteur, false, false),
            clause(Relation::Parent, false, true),
            clause(Relation::Lieux, false, false),
            clause(Relation::Offre, true, false),
            clause(Relation::Professionnel, false, false),
        ]
    );
}

/// A value set that stands for the system of any identifier.
const J236: &str =
    "https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR|";

#[test]
fn modifiers_of_tokens_strings_and_references() {
    let q = |t, q: &str| condition(t, &q.replace("S|", "https://x/s|"));
    assert_eq!(
        q(Offre, "specialty:not=S|005,481,|7"),
        Noeud::Non(Box::new(un(Offre, "specialty", codes(&["S|005", "S|481", "S|7"]))))
    );
    assert_eq!(
        q(Offre, "specialty=https%3A%2F%2Fx%2Fs%7C"),
        un(Offre, "specialty", Test::Jeton(vec![Jeton { systeme: Some(S.to_owned()), code: None }]))
    );
    let tout = |v: &str| un(Offre, "specialty", codes(&[v]));
    assert_eq!(q(Offre, "specialty=|7"), tout("7"));
    // Any identifier of a list of types, and no value: whoever has one.
    for v in [J236, &format!("{J236},12"), &format!("https://finess.esante.gouv.fr|,{J236}")] {
        assert_eq!(q(Orga, &format!("identifier={v}")), un(Orga, "identifier", Test::Absent(false)), "{v}");
        let sans = Noeud::Non(Box::new(un(Orga, "identifier", Test::Absent(false))));
        assert_eq!(q(Orga, &format!("identifier:not={v}")), sans, "{v}");
    }
    assert_eq!(q(Orga, &format!("identifier={J236}12,34")), un(Orga, "identifier", codes(&["12", "34"])));
    assert_eq!(q(Offre, "specialty:in=https://x/jeu"), un(Offre, "specialty", codes(&["S|01", "S|02"])));
    assert_eq!(
        q(Offre, "specialty:text=Médecine"),
        un(Offre, "specialty", Test::Libelle(ids(&["medecine"])))
    );
    assert_eq!(q(Offre, "specialty:missing=true"), un(Offre, "specialty", Test::Absent(true)));
    assert_eq!(
        q(Offre, r"name:exact=Été\, hiver,b"),
        un(Offre, "name", Test::Texte(ModeTexte::Exact, ids(&["Été, hiver", "b"])))
    );
    for v in ["x-1", "Organization/x-1", "https://ror.exemple.invalid/Organization/x-1"] {
        let attendue = un(Offre, "organization", Test::Reference(ids(&["x-1"])));
        assert_eq!(q(Offre, &format!("organization={v}")), attendue);
        assert_eq!(q(Offre, &format!("organization:Organization={v}")), attendue);
    }
    assert_eq!(
        q(Offre, "organization:above=x-1"),
        un(Offre, "organization", Test::ReferenceAuDessus(ids(&["x-1"])))
    );
    assert_eq!(
        q(Role, "service.organization:Organization.name=a"),
        vers(Relation::Offre, vers(Relation::Porteur, un(Orga, "name", debuts(&["a"]))))
    );
    // `ap`: a tenth of the 242 days between the end of the day and now, on both sides.
    let (de, marge) = (ms(datetime!(2026-01-01 0:00 UTC)), 242 * 8_640_000);
    assert_eq!(
        q(Offre, "notavailable-closing-reopeningdate=ap2026-01-01"),
        un(
            Offre,
            "notavailable-closing-reopeningdate",
            Test::Date(vec![(Prefixe::Ap, Intervalle { de: de - marge, a: de + 86_400_000 + marge })])
        )
    );
}

#[test]
fn values_that_a_client_escaped_as_plain_text_are_read() {
    let deux = r"https://x/s\|1\,https://x/s\|2";
    verifier(
        Offre,
        "",
        vec![
            (
                r"location.near-insee-code=44162\|15\|km",
                condition(Offre, "location.near-insee-code=44162|15|km"),
            ),
            (r"location.near=47.2\|-1.6\|15\|km", condition(Offre, "location.near=47.2|-1.6|15|km")),
            (r"age-range-low=le35\|http://unitsofmeasure.org\|a", condition(Offre, "age-range-low=le35||a")),
            (
                &format!("specialty={}", deux.replace(r"\,", ",")),
                un(Offre, "specialty", codes(&["S|1", "S|2"])),
            ),
            (&format!("specialty={deux}"), un(Offre, "specialty", codes(&["S|1", "S|2"]))),
            (&format!("_filter=(specialty eq {deux})"), un(Offre, "specialty", codes(&["S|1", "S|2"]))),
            (r"location.near=47.2\|-1.6\|15\|km,1\|2", condition(Offre, "location.near=47.2|-1.6|15|km,1|2")),
            // A bar of a code, of a name.
            (r"specialty=a\|b", un(Offre, "specialty", codes(&["a|b"]))),
            (r"_filter=name eq a\,b", un(Offre, "name", debuts(&["a,b"]))),
        ],
    );
}

#[test]
fn an_rpps_number_is_found_under_the_system_of_the_id_nat_ps() {
    let personne = |q: &str| condition(TypeFhir::Practitioner, q);
    let oid = "identifier=urn:oid:1.2.250.1.71.4.2.1";
    let attendue = personne(&format!("{oid}|810001234567,810001234568"));
    assert_eq!(personne(&format!("{oid}|10001234567,10001234568")), attendue);
    assert_eq!(
        personne(r"_filter=(identifier eq urn:oid:1.2.250.1.71.4.2.1\|10001234567)"),
        personne(&format!("{oid}|810001234567"))
    );
    // Neither a number of another length nor one alone is another number.
    for autre in [format!("{oid}|1000123456"), "identifier=10001234567".to_owned()] {
        assert_ne!(personne(&autre), personne(&format!("{oid}|81000123456")), "{autre}");
    }
}
