//! Registries: editions of FINESS and RPPS, what they create, and what they own.

use std::path::PathBuf;

use prost::Message;
use ror_domaine::identifiants::{id_eg, id_ej, id_ps};
use ror_proto::{
    common::v1::Canal,
    identity::v1::{
        Compte, EnTeteEdition, Format, GetIdentityRequest, Identity, ImportEditionRequest, LigneRefusee,
        ListEditionsRequest, ListIdentitiesRequest, ListRefusedLinesRequest, RapportEdition, identity,
        import_edition_request, import_edition_response,
    },
    structures::v1::{EntiteGeographique, GetStructureRequest, Structure, structure::Ressource},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tonic::Code;

use crate::{
    gabarits::{AUTRE, accepte, ecrire_un, fautes, provenance, regles},
    harnais::{Banc, attendre, compter},
};

const EJ: &str = "019000108";
const EG: &str = "019000207";

/// Sends a file as the operator's command does; the report.
async fn importer(banc: &Banc, format: Format, octets: &[u8], essai: bool) -> RapportEdition {
    let taille = octets.len() as u64;
    let en_tete = EnTeteEdition { format: format as i32, nom: "edition-it".into(), taille, essai };
    let premier = ImportEditionRequest { contenu: Some(import_edition_request::Contenu::EnTete(en_tete)) };
    let suite: Vec<ImportEditionRequest> = octets
        .chunks(64 * 1024)
        .map(|m| ImportEditionRequest {
            contenu: Some(import_edition_request::Contenu::Octets(m.to_vec().into())),
        })
        .collect();
    let flux = futures::stream::iter(std::iter::once(premier).chain(suite));
    let mut reponses = banc.identity().import_edition(flux).await.unwrap().into_inner();
    let mut rapport = None;
    while let Some(r) = reponses.message().await.unwrap() {
        if let Some(import_edition_response::Contenu::Rapport(r)) = r.contenu {
            assert!(rapport.is_none(), "one report");
            rapport = Some(r);
        }
    }
    rapport.expect("a report")
}

async fn finess(banc: &Banc, fichier: &str) -> RapportEdition {
    importer(banc, Format::FinessStructures, fichier.as_bytes(), false).await
}

fn compte(r: &RapportEdition, genre: &str) -> Compte {
    r.comptes.iter().find(|c| c.genre == genre).cloned().unwrap_or_default()
}

fn adresse(usage: &str) -> Value {
    json!({"usageAdresse": usage, "numeroVoie": "12", "typeVoie": "R", "libelleVoie": "FICTIVE",
        "cogCommune": "01451", "codePostal": "01000", "ligneAcheminement": "VILLE",
        "coordonneesGeographique": {"coordonneeX": "5.2086", "coordonneeY": "46.2227"}})
}

fn site(finess: &str, nom: &str) -> Value {
    json!({"informationsGeneralesEGE": {"nomEgeLong": nom, "numFinessEge": finess, "siret": "99000101800128",
            "espic": ["1"], "dateOuverture": "1979-02-13"},
        "categorieentiteGeographiqueExercice": "355", "adresse": [adresse("03")],
        "contact": [{"telecom": {"telephone": "0400000201"}}],
        "evenement": [], "etatObjet": "A", "dateDerniereMaj": "2026-02-04 10:00:01"})
}

fn entite(finess: &str, nom: &str, sites: Vec<Value>) -> Value {
    json!({"informationsGeneralesPMEJ": {"numFinessPm": finess, "denominationPm": nom, "siren": "990001018",
            "statutJuridique": "13", "dateCreation": "1950-01-01"},
        "adresse": [adresse("02")], "etatObjet": "A", "ege": sites})
}

fn edition(entites: Vec<Value>) -> String {
    json!({"schemaVersion": "v1.0.0", "generatedAt": "2026-10-01T02:14:30Z", "gco": [], "gcc": [], "pmej": entites})
        .to_string()
}

fn ordinaire(nom_du_site: &str) -> String {
    edition(vec![entite(EJ, "CH DE LA BAIE", vec![site(EG, nom_du_site)])])
}

async fn structure(banc: &Banc, id: &str) -> Option<Ressource> {
    match banc.structures().get_structure(GetStructureRequest { id: id.into() }).await {
        Ok(r) => r.into_inner().ressource.unwrap().ressource,
        Err(e) => {
            assert_eq!(e.code(), Code::NotFound, "{e}");
            None
        }
    }
}

async fn eg(banc: &Banc) -> EntiteGeographique {
    match structure(banc, &id_eg(EG)).await {
        Some(Ressource::EntiteGeographique(e)) => e,
        autre => panic!("{autre:?}"),
    }
}

/// Waits until `structures` has applied every event of `identity`.
async fn attendre_suivi(banc: &Banc, identity: &PgPool, structures: &PgPool) {
    banc.attendre_publie(identity).await;
    let derniere = i64::try_from(banc.derniere_sequence("identity").await).unwrap();
    attendre("structures to have followed", async || {
        compter(structures, "select coalesce(max(sequence), 0)::int8 from suivi where nom = 'finess'").await
            >= derniere
    })
    .await;
}

async fn lignes_refusees(banc: &Banc, edition_id: &str) -> Vec<LigneRefusee> {
    let d = ListRefusedLinesRequest { edition_id: edition_id.into(), ..Default::default() };
    banc.identity().list_refused_lines(d).await.unwrap().into_inner().lignes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_creates_structures_through_events_and_the_same_one_again_writes_nothing() {
    let banc = Banc::demarrer(&["structures"]).await;
    let (identity, structures) = (banc.base("identity").await, banc.base("structures").await);
    let fichier = ordinaire("SITE NORD");
    // A trial tells what would happen and writes nothing.
    let essai = importer(&banc, Format::FinessStructures, fichier.as_bytes(), true).await;
    assert_eq!(
        (compte(&essai, "entite_juridique").crees, compte(&essai, "entite_geographique").crees),
        (1, 1)
    );
    assert!(essai.essai);
    assert_eq!(compter(&identity, "select count(*) from agregat").await, 0);
    assert_eq!(compter(&identity, "select count(*) from edition").await, 0);

    let r = finess(&banc, &fichier).await;
    assert_eq!((compte(&r, "entite_juridique").crees, compte(&r, "entite_geographique").crees), (1, 1));
    assert!(r.refus.is_empty() && !r.essai && r.sha256.len() == 64, "{r:?}");
    attendre("both structures", async || {
        structure(&banc, &id_ej(EJ)).await.is_some() && structure(&banc, &id_eg(EG)).await.is_some()
    })
    .await;
    match structure(&banc, &id_ej(EJ)).await {
        Some(Ressource::EntiteJuridique(e)) => {
            assert_eq!(
                (e.raison_sociale.as_str(), e.num_finess.as_str(), e.num_siren.as_str()),
                ("CH DE LA BAIE", EJ, "990001018")
            );
            assert_eq!(e.id_nat_struct, format!("1{EJ}"));
            assert_eq!(e.meta.unwrap().region, AUTRE, "the region of the commune");
        }
        autre => panic!("{autre:?}"),
    }
    let e = eg(&banc).await;
    assert_eq!((e.denomination.as_str(), e.entite_juridique_id), ("SITE NORD", id_ej(EJ)));
    assert_eq!(e.categorie.unwrap().code, "355");
    assert_eq!(e.telecommunications.len(), 1, "the phone is pre-filled");
    assert!(e.position.is_some());

    attendre_suivi(&banc, &identity, &structures).await;
    let traces = async || {
        (
            compter(&identity, "select count(*) from outbox_event").await,
            compter(&structures, "select count(*) from outbox_event").await,
            compter(&structures, "select count(*) from agregat_historique").await,
            compter(&structures, "select (extract(epoch from max(maj_le)) * 1000)::int8 from agregat").await,
        )
    };
    let avant = traces().await;
    assert_eq!((avant.0, avant.1, avant.2), (2, 2, 2));
    let r2 = finess(&banc, &fichier).await;
    for genre in ["entite_juridique", "entite_geographique"] {
        let c = compte(&r2, genre);
        assert_eq!((c.lus, c.inchanges, c.crees, c.modifies), (1, 1, 0, 0), "{genre}");
    }
    assert_eq!(r2.sha256, r.sha256);
    attendre_suivi(&banc, &identity, &structures).await;
    assert_eq!(traces().await, avant);
    // Nor when structures reads the whole mirror again, having lost its position.
    banc.tuer("structures").await;
    sqlx::query("delete from suivi where nom = 'finess'").execute(&structures).await.unwrap();
    banc.allumer("structures").await;
    banc.attendre_pret("structures").await;
    assert_eq!(traces().await, avant);
    let editions =
        banc.identity().list_editions(ListEditionsRequest::default()).await.unwrap().into_inner().editions;
    assert_eq!(editions.len(), 2);
    assert!(editions.iter().all(|e| e.fin.is_some() && e.sha256 == r.sha256 && e.rapport.is_some()));
    assert_eq!(editions[0].id, r2.edition_id, "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_keeps_what_came_before_and_says_where_it_broke() {
    let banc = Banc::demarrer(&["identity"]).await;
    // One record wrong: the others are taken.
    let fichier = edition(vec![
        entite("12", "SANS NUMERO", vec![]),
        entite(EJ, "CH DE LA BAIE", vec![json!(42), site(EG, "SITE NORD")]),
    ]);
    let r = finess(&banc, &fichier).await;
    assert_eq!((compte(&r, "entite_juridique").crees, compte(&r, "entite_geographique").crees), (1, 1));
    assert_eq!(compte(&r, "refus").refuses, 2);
    let lignes = lignes_refusees(&banc, &r.edition_id).await;
    assert_eq!(lignes, r.refus);
    assert_eq!(lignes.iter().map(|l| l.ligne).collect::<Vec<_>>(), [1, 2], "ordinals of the records");
    assert_eq!(lignes[0].fautes[0].regle, "finess-forme-invalide");
    assert!(lignes[0].fautes[0].element.contains("numFinessPm"), "{:?}", lignes[0]);
    assert!(lignes[0].contenu.contains("SANS NUMERO"), "the record itself is kept");

    // Cut in the middle of the second entity.
    let fichier =
        edition(vec![entite("2A0000014", "PREMIERE", vec![]), entite("2B0000020", "SECONDE", vec![])]);
    let coupe = &fichier[..fichier.len() - 40];
    let r = finess(&banc, coupe).await;
    assert_eq!(compte(&r, "entite_juridique").crees, 1);
    let lignes = lignes_refusees(&banc, &r.edition_id).await;
    assert_eq!(lignes.len(), 1);
    assert_eq!(lignes[0].fautes[0].regle, "fichier-illisible");
    assert!(lignes[0].fautes[0].message.contains("tronqué"), "{:?}", lignes[0]);
    assert_eq!(lignes, r.refus);
    let present = banc.identity().get_identity(GetIdentityRequest { id: id_ej("2A0000014") }).await;
    assert!(present.is_ok());
    let absent =
        banc.identity().get_identity(GetIdentityRequest { id: id_ej("2B0000020") }).await.unwrap_err();
    assert_eq!(absent.code(), Code::NotFound);
    // Whole again, the rest comes.
    let r = finess(&banc, &fichier).await;
    assert_eq!((compte(&r, "entite_juridique").crees, compte(&r, "entite_juridique").inchanges), (1, 1));

    // Not a file of this format at all; no header; no format.
    let r = finess(&banc, "<html>").await;
    assert_eq!(r.refus[0].fautes[0].regle, "fichier-illisible");
    let e = banc
        .identity()
        .import_edition(futures::stream::iter([ImportEditionRequest::default()]))
        .await
        .unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    let en_tete = import_edition_request::Contenu::EnTete(EnTeteEdition::default());
    let d = ImportEditionRequest { contenu: Some(en_tete) };
    let e = banc.identity().import_edition(futures::stream::iter([d])).await.unwrap_err();
    assert_eq!(fautes(e)[0].element, "en_tete.format");
    let d = ListRefusedLinesRequest { edition_id: "pas-un-id".into(), ..Default::default() };
    let e = banc.identity().list_refused_lines(d).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
}

const ENTETE: &str = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Code civilité d'exercice|Code civilité|Nom d'exercice|Prénom d'exercice|Code profession|Code catégorie professionnelle|Code type savoir-faire|Code savoir-faire|Code mode exercice|Numéro SIRET site|Numéro FINESS site|Numéro FINESS établissement juridique|Identifiant technique de la structure|Code secteur d'activité|Code commune (coord. structure)|Code Département (structure)|Code fonction|Code genre d'activité|Adresse e-mail (coord. structure)|Libellé profession|";

fn personne(rpps: &str, nom: &str) -> String {
    format!(
        "8|{rpps}|8{rpps}|DR|MME|{nom}|Zoé|10|C|S|SM53|S||{EG}|||SA01|01451||||a@exemple.invalid|Médecin|"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_line_of_the_rpps_is_refused_by_its_number_without_its_content() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let lignes = [
        ENTETE.to_owned(),
        personne("10990000019", "ALPHA"),
        personne("10990000012", "FAUSSECLE"),
        personne("10990000027", "BETA"),
    ];
    let fichier = format!("{}\n", lignes.join("\n"));
    let r = importer(&banc, Format::RppsPersonneActivite, fichier.as_bytes(), false).await;
    let c = compte(&r, "professionnel");
    assert_eq!((c.lus, c.crees, c.ouverts), (2, 2, 2), "{r:?}");
    let refusees = lignes_refusees(&banc, &r.edition_id).await;
    assert_eq!(refusees, r.refus);
    assert_eq!(refusees.len(), 1);
    assert_eq!((refusees[0].ligne, refusees[0].fautes[0].regle.as_str()), (3, "rpps-cle-invalide"));
    assert_eq!(refusees[0].contenu, "");
    // No trace of the person anywhere in what is kept.
    let dites: Vec<Vec<u8>> =
        sqlx::query_scalar("select charge from ligne_refusee").fetch_all(&identity).await.unwrap();
    let rapports: Vec<Vec<u8>> =
        sqlx::query_scalar("select rapport from edition").fetch_all(&identity).await.unwrap();
    for octets in dites.iter().chain(&rapports) {
        let texte = String::from_utf8_lossy(octets);
        assert!(!texte.contains("FAUSSECLE") && !texte.contains("10990000012"), "{texte}");
    }
    let d = GetIdentityRequest { id: id_ps("810990000019") };
    let lue = banc.identity().get_identity(d).await.unwrap().into_inner().ressource.unwrap();
    match lue.ressource {
        Some(identity::Ressource::Professionnel(p)) => {
            assert_eq!((p.nom.as_str(), p.rpps.as_str(), p.actif), ("ALPHA", "10990000019", true));
            assert_eq!(p.exercices[0].activites[0].finess_site, EG);
            let octets = Identity { ressource: Some(identity::Ressource::Professionnel(p)) }.encode_to_vec();
            assert!(
                !String::from_utf8_lossy(&octets).contains("exemple.invalid"),
                "contact data is not kept"
            );
        }
        autre => panic!("{autre:?}"),
    }
    let d = ListIdentitiesRequest {
        genre: "professionnel".into(),
        identifiant: "810990000027".into(),
        ..Default::default()
    };
    assert_eq!(banc.identity().list_identities(d).await.unwrap().into_inner().ressources.len(), 1);
    // The same again in another order: nothing.
    let avant = compter(&identity, "select count(*) from outbox_event").await;
    let fichier =
        format!("{ENTETE}\n{}\n{}\n", personne("10990000027", "BETA"), personne("10990000019", "ALPHA"));
    let r = importer(&banc, Format::RppsPersonneActivite, fichier.as_bytes(), false).await;
    assert_eq!(compte(&r, "professionnel").inchanges, 2);
    assert_eq!(compter(&identity, "select count(*) from outbox_event").await, avant);
    // A required column missing: the file is refused, nothing is lost.
    let sans_nom = fichier.replacen("Nom d'exercice", "Autre", 1);
    let r = importer(&banc, Format::RppsPersonneActivite, sans_nom.as_bytes(), false).await;
    assert!(r.refus[0].fautes[0].message.contains("Nom d'exercice"), "{r:?}");
    assert_eq!(compter(&identity, "select count(*) from agregat where not retire").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn finess_owns_its_fields_and_the_ror_keeps_its_own_through_the_next_edition() {
    let banc = Banc::demarrer(&["structures"]).await;
    let (identity, structures) = (banc.base("identity").await, banc.base("structures").await);
    banc.bail_description(AUTRE, Canal::National, 1).await;
    let nationale = provenance(AUTRE, Canal::National, 1);
    finess(&banc, &ordinaire("SITE NORD")).await;
    attendre_suivi(&banc, &identity, &structures).await;
    let tenue = eg(&banc).await;
    let en = |e: EntiteGeographique| Structure { ressource: Some(Ressource::EntiteGeographique(e)) };

    let renommee = EntiteGeographique {
        denomination: "SITE SUD".into(),
        num_siret: "99000203200029".into(),
        ..tenue.clone()
    };
    let r = ecrire_un(&banc, &nationale, en(renommee)).await;
    assert_eq!(regles(&r), ["champ-verrouille", "champ-verrouille"]);
    let elements: Vec<&str> = r.fautes.iter().map(|f| f.element.as_str()).collect();
    assert_eq!(elements, ["EntiteGeographique.numSIRET", "EntiteGeographique.denominationEG"]);
    assert_eq!(eg(&banc).await.denomination, "SITE NORD");
    // A structure that FINESS does not know is not made by hand with a FINESS number.
    let mut inventee = EntiteGeographique { num_finess: "2A0000014".into(), ..tenue.clone() };
    inventee.meta.as_mut().unwrap().id = "inventee".into();
    let r = ecrire_un(&banc, &nationale, en(inventee)).await;
    assert!(regles(&r).contains(&"structure-inconnue-de-finess"), "{r:?}");

    // What the ROR owns.
    let enrichie =
        EntiteGeographique { nom_operationnel: "Urgences Nord".into(), telecommunications: vec![], ..tenue };
    assert_eq!(accepte(ecrire_un(&banc, &nationale, en(enrichie)).await).version, 2);
    let r = finess(&banc, &ordinaire("SITE NORD RENOVE")).await;
    assert_eq!(
        (compte(&r, "entite_geographique").modifies, compte(&r, "entite_juridique").inchanges),
        (1, 1)
    );
    attendre("the new name", async || eg(&banc).await.denomination == "SITE NORD RENOVE").await;
    let e = eg(&banc).await;
    assert_eq!(e.nom_operationnel, "Urgences Nord");
    assert!(e.telecommunications.is_empty(), "the phone is pre-filled once, then the ROR's");
    assert_eq!(e.meta.unwrap().version, 3);
    let auteurs: Vec<i64> =
        sqlx::query_scalar("select version from agregat_historique where id = $1 order by version")
            .bind(id_eg(EG))
            .fetch_all(&structures)
            .await
            .unwrap();
    assert_eq!(auteurs, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_finess_owns_may_be_left_out() {
    let banc = Banc::demarrer(&["structures"]).await;
    let (identity, structures) = (banc.base("identity").await, banc.base("structures").await);
    banc.bail_description(AUTRE, Canal::National, 1).await;
    finess(&banc, &ordinaire("SITE NORD")).await;
    attendre_suivi(&banc, &identity, &structures).await;
    let tenue = eg(&banc).await;
    let seule = EntiteGeographique {
        meta: tenue.meta.clone(),
        nom_operationnel: "Urgences Nord".into(),
        ..Default::default()
    };
    let ecrite = Structure { ressource: Some(Ressource::EntiteGeographique(seule)) };
    accepte(ecrire_un(&banc, &provenance(AUTRE, Canal::National, 1), ecrite).await);
    let e = eg(&banc).await;
    assert_eq!(e.nom_operationnel, "Urgences Nord");
    assert_eq!(
        (e.denomination, e.entite_juridique_id, e.adresse),
        (tenue.denomination, tenue.entite_juridique_id, tenue.adresse)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_genuine_sample_gives_the_counts_its_readme_tells() {
    const NOM: &str = "real/finess-structures-mensuel-202607-echantillon.json.gz";
    let Some(chemin) =
        std::env::var_os("ROR_ECHANTILLONS").map(|d| PathBuf::from(d).join(NOM)).filter(|c| c.exists())
    else {
        eprintln!("TEST SKIPPED: {NOM} is not in the folder named by ROR_ECHANTILLONS");
        return;
    };
    let octets = std::fs::read(chemin).unwrap();
    let banc = Banc::demarrer(&["structures"]).await;
    let (identity, structures) = (banc.base("identity").await, banc.base("structures").await);
    let r = importer(&banc, Format::FinessStructures, &octets, false).await;
    assert!(r.refus.is_empty(), "{:?}", r.refus);
    let (ej, eg) = (compte(&r, "entite_juridique"), compte(&r, "entite_geographique"));
    assert_eq!((ej.lus, ej.crees), (30, 30));
    assert_eq!((eg.lus, eg.crees), (1753, 1753));
    assert_eq!((eg.ouverts, eg.fermes), (841, 912));
    attendre_suivi(&banc, &identity, &structures).await;
    // All of them become structures, but those that FINESS declares to be errors.
    let etats: Vec<Vec<u8>> =
        sqlx::query_scalar("select etat from agregat").fetch_all(&identity).await.unwrap();
    let (mut juridiques, mut geographiques) = (0, 0);
    for e in &etats {
        match Identity::decode(e.as_slice()).unwrap().ressource {
            Some(identity::Ressource::StructureFiness(s)) if s.type_fermeture == "ERREUR" => {}
            Some(identity::Ressource::StructureFiness(s)) if s.entite_juridique => juridiques += 1,
            Some(identity::Ressource::StructureFiness(_)) => geographiques += 1,
            autre => panic!("{autre:?}"),
        }
    }
    assert_eq!(
        (
            compter(
                &structures,
                "select count(*) from agregat where genre = 'entite_juridique' and not retire"
            )
            .await,
            compter(
                &structures,
                "select count(*) from agregat where genre = 'entite_geographique' and not retire"
            )
            .await,
        ),
        (juridiques, geographiques)
    );
    let avant = compter(&structures, "select count(*) from outbox_event").await;
    let r = importer(&banc, Format::FinessStructures, &octets, false).await;
    assert_eq!(
        (compte(&r, "entite_juridique").inchanges, compte(&r, "entite_geographique").inchanges),
        (30, 1753)
    );
    assert_eq!(compter(&identity, "select count(*) from outbox_event").await, 1783);
    attendre_suivi(&banc, &identity, &structures).await;
    assert_eq!(compter(&structures, "select count(*) from outbox_event").await, avant);
}
