//! Registries: editions of FINESS and RPPS, what they create, and what they own.

mod absences;
mod annulation;
mod anomalies;
mod archives;
mod bloc;
mod statuts;
mod surete;

use std::path::PathBuf;

use prost::Message;
use ror_domaine::identifiants::{id_eg, id_ej, id_ps};
use ror_proto::{
    common::v1::Canal,
    identity::v1::{
        Changement, Compte, EnTeteEdition, Format, GetIdentityRequest, Identity, ImportEditionRequest,
        LigneRefusee, ListChangesRequest, ListEditionsRequest, ListIdentitiesRequest,
        ListRefusedLinesRequest, Operation, RapportEdition, StatutEdition, StructureFiness, identity,
        import_edition_request, import_edition_response,
    },
    structures::v1::{EntiteGeographique, GetStructureRequest, Structure, structure::Ressource},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tonic::{Code, Status};

use crate::{
    gabarits::{AUTRE, accepte, ecrire_un, fautes, provenance, regles},
    harnais::{Banc, attendre, compter},
};

const EJ: &str = "019000108";
const EG: &str = "019000207";
/// A gzip member that holds nothing: added to a file, other bytes of the same content.
const GZIP_VIDE: [u8; 20] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Sends a file as the operator's command does; the report.
async fn envoyer(banc: &Banc, en_tete: EnTeteEdition, octets: &[u8]) -> Result<RapportEdition, Status> {
    let en_tete = EnTeteEdition {
        taille: if en_tete.taille == 0 { octets.len() as u64 } else { en_tete.taille },
        ..en_tete
    };
    let premier = ImportEditionRequest { contenu: Some(import_edition_request::Contenu::EnTete(en_tete)) };
    let suite: Vec<ImportEditionRequest> = octets
        .chunks(64 * 1024)
        .map(|m| ImportEditionRequest {
            contenu: Some(import_edition_request::Contenu::Octets(m.to_vec().into())),
        })
        .collect();
    let flux = futures::stream::iter(std::iter::once(premier).chain(suite));
    let mut reponses = banc.identity().import_edition(flux).await?.into_inner();
    let mut rapport = None;
    while let Some(r) = reponses.message().await? {
        if let Some(import_edition_response::Contenu::Rapport(r)) = r.contenu {
            assert!(rapport.is_none(), "one report");
            rapport = Some(r);
        }
    }
    Ok(rapport.expect("a report"))
}

fn en_tete(format: Format, nom: &str) -> EnTeteEdition {
    EnTeteEdition { format: format as i32, nom: nom.to_owned(), ..Default::default() }
}

async fn importer(banc: &Banc, format: Format, octets: &[u8], essai: bool) -> RapportEdition {
    envoyer(banc, EnTeteEdition { essai, ..en_tete(format, "edition-it") }, octets).await.unwrap()
}

async fn finess(banc: &Banc, fichier: &str) -> RapportEdition {
    importer(banc, Format::FinessStructures, fichier.as_bytes(), false).await
}

async fn rpps(banc: &Banc, cle: &str, lignes: &[String]) -> RapportEdition {
    let fichier = format!("{ENTETE}\n{}\n", lignes.join("\n"));
    let nom = format!("PS_LibreAcces_Personne_activite_{cle}.txt");
    envoyer(banc, en_tete(Format::RppsPersonneActivite, &nom), fichier.as_bytes()).await.unwrap()
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

/// Closes a site for good, or for the reason of this state.
fn fermer(mut site: Value, etat: &str) -> Value {
    site["etatObjet"] = json!("I");
    site["informationsGeneralesEGE"]["dateFermeture"] = json!("2026-09-30");
    site["evenement"] = json!([{"evenementId": "1", "dateEnregistrement": "2026-09-30 10:00:00",
        "dateEvenement": "2026-09-30", "etatObjet1": etat, "codeEvenement": "005",
        "systemeMaitre": "01", "typeObjet1": "EG"}]);
    site
}

fn edition_du(jour: &str, entites: Vec<Value>) -> String {
    json!({"schemaVersion": "v1.0.0", "generatedAt": format!("{jour}T02:14:30Z"), "gco": [], "gcc": [],
        "pmej": entites})
    .to_string()
}

fn edition(entites: Vec<Value>) -> String {
    edition_du("2026-10-01", entites)
}

fn ordinaire(nom_du_site: &str) -> String {
    edition(vec![entite(EJ, "CH DE LA BAIE", vec![site(EG, nom_du_site)])])
}

/// Number of the site of this rank.
fn numero(rang: usize) -> String {
    format!("0190{rang:05}")
}

/// An edition of one legal entity and so many sites, each passed by its rank.
fn sites_du(jour: &str, nombre: usize, mut modifier: impl FnMut(usize, Value) -> Option<Value>) -> String {
    let sites = (0..nombre).filter_map(|rang| modifier(rang, site(&numero(rang), &format!("SITE {rang}"))));
    edition_du(jour, vec![entite(EJ, "CH DE LA BAIE", sites.collect())])
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

async fn changements(banc: &Banc, edition_id: &str, id: &str) -> Vec<Changement> {
    let d = ListChangesRequest { edition_id: edition_id.into(), id: id.into(), ..Default::default() };
    banc.identity().list_changes(d).await.unwrap().into_inner().changements
}

async fn lire(banc: &Banc, id: &str) -> Option<identity::Ressource> {
    match banc.identity().get_identity(GetIdentityRequest { id: id.into() }).await {
        Ok(r) => r.into_inner().ressource.unwrap().ressource,
        Err(e) => {
            assert_eq!(e.code(), Code::NotFound, "{e}");
            None
        }
    }
}

async fn fiche(banc: &Banc, finess: &str) -> StructureFiness {
    match lire(banc, &id_eg(finess)).await {
        Some(identity::Ressource::StructureFiness(s)) => s,
        autre => panic!("{autre:?}"),
    }
}

/// Rows that a load leaves behind: aggregates, versions, identifiers, events, changes.
async fn traces(identity: &PgPool) -> [i64; 5] {
    [
        compter(identity, "select count(*) from agregat").await,
        compter(identity, "select count(*) from agregat_historique").await,
        compter(identity, "select count(*) from identifiant").await,
        compter(identity, "select count(*) from outbox_event").await,
        compter(identity, "select count(*) from changement").await,
    ]
}

/// How many times an operation is told.
fn fois(r: &RapportEdition, operation: Operation) -> u64 {
    r.operations.iter().filter(|o| o.operation() == operation).map(|o| o.nombre).sum()
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
    let suivies = async || {
        (
            compter(&identity, "select count(*) from outbox_event").await,
            compter(&structures, "select count(*) from outbox_event").await,
            compter(&structures, "select count(*) from agregat_historique").await,
            compter(&structures, "select (extract(epoch from max(maj_le)) * 1000)::int8 from agregat").await,
        )
    };
    let avant = suivies().await;
    assert_eq!((avant.0, avant.1, avant.2), (2, 2, 2));
    // Other bytes of the same content: nothing, down to the identifiers and the changes.
    let miroir = traces(&identity).await;
    let r2 = finess(&banc, &format!("{fichier}\n")).await;
    for genre in ["entite_juridique", "entite_geographique"] {
        let c = compte(&r2, genre);
        assert_eq!((c.lus, c.inchanges, c.crees, c.modifies), (1, 1, 0, 0), "{genre}");
    }
    assert_eq!((r2.statut(), r2.operations.len()), (StatutEdition::Appliquee, 0));
    assert_eq!(traces(&identity).await, miroir);
    // The same bytes: there is not even something to compare.
    let r3 = finess(&banc, &format!("{fichier}\n")).await;
    assert_eq!(r3.statut(), StatutEdition::DejaAppliquee);
    assert_eq!((r3.edition_id.as_str(), r3.comptes.len()), (r2.edition_id.as_str(), 0));
    attendre_suivi(&banc, &identity, &structures).await;
    assert_eq!(suivies().await, avant);
    // Nor when structures reads the whole mirror again, having lost its position.
    banc.tuer("structures").await;
    sqlx::query("delete from suivi where nom = 'finess'").execute(&structures).await.unwrap();
    banc.allumer("structures").await;
    banc.attendre_pret("structures").await;
    assert_eq!(suivies().await, avant);
    let editions =
        banc.identity().list_editions(ListEditionsRequest::default()).await.unwrap().into_inner().editions;
    assert_eq!(editions.len(), 2, "neither the trial nor the repetition is recorded");
    assert!(editions.iter().all(|e| e.fin.is_some() && e.rapport.is_some()));
    assert!(editions.iter().all(|e| e.statut() == StatutEdition::Appliquee && e.cle == "20261001"));
    assert_eq!(editions[0].id, r2.edition_id, "the newest first");
    // No state depends on when it was written.
    let etats: Vec<Vec<u8>> =
        sqlx::query_scalar("select etat from agregat").fetch_all(&identity).await.unwrap();
    for etat in etats {
        match Identity::decode(etat.as_slice()).unwrap().ressource {
            Some(identity::Ressource::StructureFiness(s)) => {
                let meta = s.meta.unwrap();
                assert_eq!((meta.date_creation, meta.date_maj, meta.version), (None, None, 0));
            }
            autre => panic!("{autre:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_record_is_refused_alone_and_a_wrong_file_whole() {
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

    // Not a file of this format at all; no header; no format.
    let r = finess(&banc, "<html>").await;
    assert_eq!(r.statut(), StatutEdition::Rejetee);
    assert_eq!(r.motifs[0].regle, "fichier-illisible");
    assert_eq!(lignes_refusees(&banc, &r.edition_id).await, r.refus, "kept though nothing is applied");
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

/// RPPS number of the person of this rank.
fn numero_rpps(rang: u32) -> String {
    let racine = format!("1099{rang:06}");
    let somme: u32 = racine
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, octet)| match u32::from(octet - b'0') {
            chiffre if place % 2 == 1 => chiffre,
            chiffre if chiffre > 4 => chiffre * 2 - 9,
            chiffre => chiffre * 2,
        })
        .sum();
    format!("{racine}{}", (10 - somme % 10) % 10)
}

/// So many persons, a line each.
fn personnes(nombre: u32) -> Vec<String> {
    (0..nombre).map(|rang| personne(&numero_rpps(rang), &format!("NOM{rang}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_file_that_breaks_keeps_what_came_before_and_says_where_it_broke() {
    let banc = Banc::demarrer(&["identity"]).await;
    let fichier =
        edition(vec![entite("2A0000014", "PREMIERE", vec![]), entite("2B0000020", "SECONDE", vec![])]);
    // Cut in the middle of the second entity.
    let coupe = &fichier[..fichier.len() - 40];
    let r = finess(&banc, coupe).await;
    assert_eq!((r.statut(), compte(&r, "entite_juridique").crees), (StatutEdition::Appliquee, 1));
    let lignes = lignes_refusees(&banc, &r.edition_id).await;
    assert_eq!(lignes.len(), 1);
    assert_eq!(lignes[0].fautes[0].regle, "fichier-illisible");
    assert!(lignes[0].fautes[0].message.contains("tronqué"), "{:?}", lignes[0]);
    assert_eq!(lignes, r.refus);
    assert!(lire(&banc, &id_ej("2A0000014")).await.is_some());
    assert!(lire(&banc, &id_ej("2B0000020")).await.is_none());
    // Whole again, though of the same day, the rest comes.
    let r = finess(&banc, &fichier).await;
    assert_eq!((compte(&r, "entite_juridique").crees, compte(&r, "entite_juridique").inchanges), (1, 1));
    // Once a whole edition is known, one that breaks waits for a person.
    let avant = traces(&banc.base("identity").await).await;
    let coupe = fichier.replace("PREMIERE", "RENOMMEE");
    let coupe = &coupe[..coupe.len() - 40];
    let r = finess(&banc, coupe).await;
    assert_eq!((r.statut(), r.motifs[0].regle.as_str()), (StatutEdition::Retenue, "fichier-illisible"));
    assert_eq!(lignes_refusees(&banc, &r.edition_id).await.len(), 1);
    assert_eq!(traces(&banc.base("identity").await).await, avant);
    let accord = EnTeteEdition { accepter: r.edition_id, ..en_tete(Format::FinessStructures, "edition-it") };
    let r = envoyer(&banc, accord, coupe.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), compte(&r, "entite_juridique").modifies), (StatutEdition::Appliquee, 1));
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
    assert_eq!(r.statut(), StatutEdition::Rejetee);
    assert!(r.motifs[0].message.contains("Nom d'exercice"), "{r:?}");
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
    let autres = [octets.as_slice(), &GZIP_VIDE].concat();
    let r = importer(&banc, Format::FinessStructures, &autres, false).await;
    assert_eq!(
        (compte(&r, "entite_juridique").inchanges, compte(&r, "entite_geographique").inchanges),
        (30, 1753)
    );
    assert_eq!(compter(&identity, "select count(*) from outbox_event").await, 1783);
    attendre_suivi(&banc, &identity, &structures).await;
    assert_eq!(compter(&structures, "select count(*) from outbox_event").await, avant);
}
