//! Groups, carrying sites, events, contacts.

use super::*;

fn avec_groupes(gco: Value, gcc: Value, elements: Value) -> String {
    format!(r#"{{"gco":{gco},"gcc":{gcc},"generatedAt":"2026-10-01T02:14:30Z","pmej":{elements}}}"#)
}

fn groupes(structure: &StructureFiness) -> Vec<(&str, &str, &str)> {
    let lus = structure.groupes.iter();
    lus.map(|lu| (lu.identifiant.as_str(), lu.r#type.as_str(), lu.role.as_str())).collect()
}

#[test]
fn les_groupes_vont_a_leurs_membres() {
    let mut entite = pmej("019000108", json!([ege("019000207", "A", Value::Null, json!([]))]));
    entite["informationsGeneralesPMEJ"]["pmSmsseId"] = json!("42");
    let gco = json!([
        {"pmSmsseId": "7", "typeGco": "001", "pmejDuGco": [{"pmSmsseId": "42"}], "egeDuGco": []},
        {"pmSmsseId": "42", "typeGco": "003", "pmejDuGco": null, "egeDuGco": null}
    ]);
    let gcc = json!([
        {"gccId": "9", "numFinessGcc": "99000000001", "typeGcc": "001", "etatObjet": "A",
            "pmejDuGcc": [{"pmSmsseId": "42", "typeRoleEntiteGroupe": "S"}],
            "egeDuGcc": [{"egeId": "1", "typeRoleEntiteGroupe": "M"}]},
        {"gccId": "8", "typeGcc": "002", "etatObjet": "I", "pmejDuGcc": [{"pmSmsseId": "42"}]}
    ]);
    let texte = avec_groupes(gco, gcc, json!([entite]));
    let (lectures, resume) = charger(texte.as_bytes());
    let resume = resume.unwrap();
    let lues = structures(&lectures);
    assert_eq!(groupes(lues[0]), [("7", "001", ""), ("99000000001", "001", "S")]);
    assert_eq!(lues[0].type_groupe, "003");
    assert_eq!(groupes(lues[1]), [("99000000001", "001", "M")]);
    assert_eq!(lues[1].type_groupe, "");
    assert_eq!(comptes(&resume, ["gco", "gcc"]), [2, 2]);
    assert_eq!(resume.constats.get("groupe-apres-structures"), None);
}

#[test]
fn un_groupe_faux_ou_tardif_se_voit() {
    let texte = avec_groupes(json!(["seul", {"pmSmsseId": {}}]), Value::Null, json!([]));
    let (lectures, resume) = charger(texte.as_bytes());
    assert_eq!(
        refus(&lectures),
        [(1, "forme-inattendue", "gco[1]"), (2, "forme-inattendue", "gco[2].pmSmsseId")]
    );
    assert_eq!(comptes(&resume.unwrap(), ["gco"]), [2]);
    let tardif = format!(r#"{{"pmej":[{}],"gcc":[{{"gccId":"9"}}]}}"#, pmej("019000108", json!([])));
    let (lectures, resume) = charger(tardif.as_bytes());
    assert_eq!(structures(&lectures).len(), 1);
    assert_eq!(resume.unwrap().constats.get("groupe-apres-structures"), Some(&1));
}

#[test]
fn un_site_secondaire_connait_son_porteur() {
    let relation = |portee: &str, porteuse: &str| json!({"idEgePorteuse": porteuse, "idEgeNonPorteuse": portee, "roleRelationEge": "B"});
    let mut principal = ege("019000207", "A", Value::Null, json!([]));
    let mut secondaire = ege("019000215", "A", Value::Null, json!([]));
    let mut lointain = ege("019000223", "A", Value::Null, json!([]));
    secondaire["informationsGeneralesEGE"]["egeId"] = json!("2");
    lointain["informationsGeneralesEGE"]["egeId"] = json!("3");
    principal["roleEge"] = json!([relation("2", "1")]);
    secondaire["roleEge"] = json!([relation("2", "1")]);
    lointain["roleEge"] =
        json!([relation("3", "77"), {"idEgePorteuse": "1", "idEgeNonPorteuse": "3", "roleRelationEge": "C"}]);
    let texte = fichier(json!([pmej("019000108", json!([secondaire, principal, lointain]))]));
    let (lectures, resume) = charger(texte.as_bytes());
    let porteuses: Vec<_> = structures(&lectures).iter().map(|lue| lue.finess_porteuse.as_str()).collect();
    assert_eq!(porteuses, ["", "019000207", "", ""]);
    assert_eq!(resume.unwrap().constats.get("site-porteur-inconnu"), Some(&1));
}

#[test]
fn les_evenements_ne_dependent_ni_de_leur_ordre_ni_de_leur_numero() {
    let evenement = |id: &str, code: &str, jour: &str, objet: Value| {
        json!({"evenementId": id,
        "codeEvenement": code, "etatObjet1": code, "dateEvenement": jour, "identifiantObjet2": objet,
        "dateEnregistrement": "2026-02-04 10:00:00"})
    };
    let lus = |evenements: Value| {
        let site = ege("019000207", "A", Value::Null, evenements);
        let texte = fichier(json!([pmej("019000108", json!([site]))]));
        let (lectures, _) = charger(texte.as_bytes());
        structures(&lectures)[1].evenements.clone()
    };
    let hier = lus(json!([
        evenement("1", "018", "2026-09-30", json!("4")),
        evenement("2", "003", "1990-01-01", Value::Null),
        evenement("3", "003", "1990-01-01", Value::Null)
    ]));
    let aujourd_hui = lus(json!([
        evenement("12", "003", "1990-01-01", Value::Null),
        evenement("11", "018", "2026-09-30", json!("4"))
    ]));
    assert_eq!(hier, aujourd_hui);
    let dits: Vec<_> = hier
        .iter()
        .map(|lu| (lu.date.as_str(), lu.code.as_str(), lu.etat_objet.as_str(), lu.objet_lie.as_str()))
        .collect();
    assert_eq!(dits, [("1990-01-01", "003", "003", ""), ("2026-09-30", "018", "018", "4")]);
}

#[test]
fn les_autres_champs_de_la_structure() {
    let mut site = ege("019000207", "A", Value::Null, json!([]));
    site["modefixationtarifaire"] = json!("03");
    site["informationsGeneralesEGE"]["datePremiereAutorisation"] = json!("1978-05-01");
    site["informationsGeneralesEGE"]["numeroEducationNationale"] = json!("0010908G");
    site["contact"] = json!([
        {"telecom": {"telephone": null, "telecopie": "04 00 00 02 03", "courriel": null}},
        {"telecom": {"telephone": "0400000204", "telecopie": "0400000205", "courriel": "a@exemple.invalid"}}
    ]);
    let mut entite = pmej("019000108", json!([site]));
    entite["informationsGeneralesPMEJ"]["codeApe"] = json!("86.10Z");
    entite["informationsGeneralesPMEJ"]["denominationLonguePmSmsse"] = json!("CENTRE HOSPITALIER");
    let (lectures, _) = charger(fichier(json!([entite])).as_bytes());
    let lues = structures(&lectures);
    assert_eq!(
        (lues[0].denomination.as_str(), lues[0].denomination_courte.as_str()),
        ("CENTRE HOSPITALIER", "CH")
    );
    assert_eq!(lues[0].code_ape, "86.10Z");
    let site = lues[1];
    assert_eq!((site.denomination.as_str(), site.denomination_courte.as_str()), ("SITE", "S"));
    assert_eq!(site.mode_tarification, "03");
    assert_eq!(site.date_autorisation, "1978-05-01");
    assert_eq!(site.num_uai, "0010908G");
    assert_eq!((site.telephone.as_str(), site.telecopie.as_str()), ("0400000204", "0400000203"));
    assert_eq!(site.courriel, "a@exemple.invalid");
}
