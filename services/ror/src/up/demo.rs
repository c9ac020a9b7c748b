//! What a mesh holds when it starts: nomenclatures, demonstration data by the
//! ordinary path, demonstration clients; and `demo.json`, which tells of them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use ror_chassis::Erreur;
use ror_embedded::Embedded;
use ror_proto::{
    access::v1::{Consumer, CreateConsumerRequest, access_service_client::AccessServiceClient},
    bascule::v1::{
        Approbation, ApproveTransitionRequest, EtatTransition, GetRegionRequest, ListTransitionsRequest,
        ProposeTransitionRequest, bascule_service_client::BasculeServiceClient,
    },
    common::v1::Canal,
    identity::v1::Format,
    nomenclatures::v1::{ListNomenclaturesRequest, nomenclatures_service_client::NomenclaturesServiceClient},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Options, Plan, certificats, enfants::Enfants, lire_si_present, taille};
use crate::{
    acces::empreinte,
    import::{charger_fhir, charger_nomenclatures, charger_registre},
    maillage::Maillage,
};

/// Seed of the demonstration.
const GRAINE: u64 = 2026;
/// The four values registered for the demonstration clients.
const ENTETES: [(&str, &str); 4] = [
    ("Ror-Profil-Utilisateur-Code", "CU20"),
    ("Ror-Profil-Utilisateur-System", "1.2.250.1.213.1.6.1.66"),
    ("Ror-Role-Metier-Code", "AUTOMATE"),
    ("Ror-Role-Metier-System", "1.2.250.1.213.1.1.4.6"),
];

/// The home page is open in a demonstration only, as profile 2 sees the directory.
pub fn profil_accueil(o: &Options) -> Option<u8> {
    (o.demo != "none").then_some(2)
}

/// Waits for a call that fails while its service starts.
async fn insister<T, F, Fut>(quoi: &str, appel: F) -> anyhow::Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = anyhow::Result<T>>,
{
    let fin = Instant::now() + super::PATIENCE;
    loop {
        match appel().await {
            Ok(v) => return Ok(v),
            Err(e) if Instant::now() > fin => return Err(e.context(format!("{quoi} ne répond pas"))),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Loads the product's nomenclatures when this data directory has not these.
pub async fn nomenclatures(m: &Maillage, dossier: &Path) -> anyhow::Result<()> {
    let temoin = dossier.join("nomenclatures.version");
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let client = NomenclaturesServiceClient::new(m.vers("nomenclatures")?);
    insister("le service nomenclatures", || {
        let mut c = client.clone();
        async move { Ok(c.list_nomenclatures(ListNomenclaturesRequest::default()).await?) }
    })
    .await?;
    if lire_si_present(&temoin).is_some_and(|v| v == version) {
        return Ok(());
    }
    let r = charger_nomenclatures(m, ror_nomenclatures::donnees::embarquees().map_err(anyhow::Error::msg)?)
        .await?;
    anyhow::ensure!(r.refus_nombre() == 0, "{} nomenclatures du produit ont été refusées", r.refus_nombre());
    std::fs::write(temoin, version)?;
    Ok(())
}

fn dossier(plan: &Plan) -> PathBuf {
    plan.options.data_dir.join(format!("demo-{}", plan.options.demo))
}

/// Whether the demonstration data of these options are loaded already.
pub fn chargee(plan: &Plan) -> bool {
    dossier(plan).join("charge").exists()
}

/// Loads the demonstration data once, by the ordinary path; its manifest.
pub async fn peupler(plan: &Plan, m: &Maillage) -> anyhow::Result<Option<Value>> {
    let nom = &plan.options.demo;
    if nom == "none" {
        return Ok(None);
    }
    let dossier = dossier(plan);
    let temoin = dossier.join("charge");
    let manifeste = |d: &Path| -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&std::fs::read(d.join("manifest.json"))?)?)
    };
    if chargee(plan) {
        return manifeste(&dossier).map(Some);
    }
    println!("Préparation des données de démonstration « {nom} »…");
    let (t, d) = (taille(nom)?, dossier.clone());
    tokio::task::spawn_blocking(move || ror_demo::generer(t, GRAINE, &d)).await??;
    let contenu = manifeste(&dossier)?;
    let region = contenu["region"].as_str().context("manifeste sans région")?.to_owned();
    for domaine in ["capacite", "description"] {
        basculer(m, &region, domaine).await?;
    }
    let pret = || async {
        // Every part that a write needs must have its codes and leases.
        let r = charger_registre(m, Format::FinessStructures, &dossier.join("finess-structures.json"), false)
            .await?;
        anyhow::ensure!(r.refus_nombre() == 0, "des structures de démonstration ont été refusées");
        Ok(())
    };
    insister("le service identity", pret).await?;
    charger_registre(m, Format::RppsPersonneActivite, &dossier.join("rpps-personne-activite.txt"), false)
        .await?;
    let r = insister("la chaîne d'import", || async {
        charger_fhir(m, &dossier.join("fhir"), &region, Canal::National, None).await
    })
    .await?;
    if r.refus_nombre() > 0 {
        r.afficher();
        anyhow::bail!("{} ressources de démonstration ont été refusées", r.refus_nombre());
    }
    std::fs::write(temoin, "")?;
    Ok(Some(contenu))
}

/// Gives the national ROR the lease, by the two approvals that any region needs.
async fn basculer(m: &Maillage, region: &str, domaine: &str) -> anyhow::Result<()> {
    let client = BasculeServiceClient::new(m.vers("bascule")?);
    let deja = || {
        let mut c = client.clone();
        async move {
            let r = c
                .get_region(GetRegionRequest { code: region.to_owned() })
                .await?
                .into_inner()
                .region
                .unwrap_or_default();
            Ok(r.baux.iter().any(|b| b.domaine == domaine && b.ecrivain() == Canal::National))
        }
    };
    if insister("le service bascule", deja).await? {
        return Ok(());
    }
    let mut c = client.clone();
    let approbation =
        |nom: &str, role: &str| Some(Approbation { nom: nom.into(), role: role.into(), date: None });
    // A run killed between proposal and approval left one open.
    let ouvertes = c
        .list_transitions(ListTransitionsRequest { region: region.to_owned(), limite: 50 })
        .await?
        .into_inner()
        .transitions;
    let ouverte = ouvertes.into_iter().find(|t| {
        t.domaine == domaine && matches!(t.etat(), EtatTransition::Proposee | EtatTransition::EnCours)
    });
    let t = match ouverte {
        Some(t) => t,
        None => {
            let demande = ProposeTransitionRequest {
                region: region.to_owned(),
                domaine: domaine.to_owned(),
                vers: Canal::National as i32,
                motif: "Données de démonstration".into(),
                approbation: approbation("Démonstration nationale", "ANS"),
            };
            c.propose_transition(demande).await?.into_inner().transition.unwrap_or_default()
        }
    };
    if t.etat() == EtatTransition::Proposee {
        let demande = ApproveTransitionRequest {
            id: t.id.clone(),
            approbation: approbation("Démonstration régionale", "ARS"),
        };
        c.approve_transition(demande).await?;
    }
    let fait = insister("la bascule", || async {
        anyhow::ensure!(deja().await?, "bascule en cours");
        Ok(())
    });
    fait.await
}

/// Registers the demonstration clients; secrets are kept beside the data.
pub async fn clients(plan: &Plan, m: &Maillage) -> anyhow::Result<Value> {
    let fichier = plan.options.data_dir.join("clients.json");
    if let Some(octets) = lire_si_present(&fichier) {
        return Ok(serde_json::from_slice(&octets)?);
    }
    let mut client = AccessServiceClient::new(m.vers("access")?);
    let en_tetes: Vec<String> = ENTETES.iter().map(|(_, v)| (*v).to_owned()).collect();
    // A run killed before the file was written left clients whose secret is lost: new names then.
    let suffixe =
        match inscrire(&mut client, consommateur("demo-p0", Some(0), String::new(), &en_tetes)).await? {
            Some(secret) => (String::new(), secret),
            None => {
                let s = format!("-{}", std::process::id());
                let secret = inscrire(
                    &mut client,
                    consommateur(&format!("demo-p0{s}"), Some(0), String::new(), &en_tetes),
                )
                .await?;
                (s, secret.context("client de démonstration déjà pris")?)
            }
        };
    let (suffixe, secret) = suffixe;
    let mut tous = json!({ "p0": { "client_id": format!("demo-p0{suffixe}"), "client_secret": secret } });
    let c = &plan.certificats;
    for (i, nom) in certificats::CLIENTS.iter().enumerate() {
        let id = format!("demo-{nom}{suffixe}");
        let profil = u32::try_from(i + 1).ok();
        inscrire(&mut client, consommateur(&id, profil, empreinte(&c.client_cert(nom))?, &en_tetes)).await?;
        tous[*nom] = json!({ "client_id": id, "certificate": c.client_cert(nom), "key": c.client_cle(nom), "ca": c.ca() });
    }
    let id = format!("demo-capacite{suffixe}");
    let fournisseur =
        Consumer { ecriture_capacite: true, en_tetes: vec![], ..consommateur(&id, None, String::new(), &[]) };
    let secret =
        inscrire(&mut client, fournisseur).await?.context("fournisseur de démonstration déjà pris")?;
    tous["capacity"] = json!({ "client_id": id, "client_secret": secret });
    ecrire_prive(&fichier, &serde_json::to_vec_pretty(&tous)?)?;
    Ok(tous)
}

fn consommateur(id: &str, profil: Option<u32>, certificat: String, en_tetes: &[String]) -> Consumer {
    Consumer {
        client_id: id.to_owned(),
        nom: format!("Démonstration {id}"),
        profil,
        certificat_sha256: certificat,
        en_tetes: en_tetes.to_vec(),
        actif: true,
        ..Default::default()
    }
}

/// The secret, empty with a certificate; `None` when the name is taken.
async fn inscrire(
    client: &mut AccessServiceClient<ror_chassis::client::Canal>,
    consumer: Consumer,
) -> anyhow::Result<Option<String>> {
    match client
        .create_consumer(CreateConsumerRequest { consumer: Some(consumer) })
        .await
        .map_err(Erreur::from)
    {
        Ok(r) => Ok(Some(r.into_inner().client_secret)),
        Err(Erreur::Existe(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Secrets are for this account alone.
fn ecrire_prive(chemin: &Path, octets: &[u8]) -> anyhow::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    // Beside, then in place: a reader never meets half a file.
    let neuf = chemin.with_extension("neuf");
    let mut f =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&neuf)?;
    f.write_all(octets)?;
    f.sync_all()?;
    std::fs::rename(neuf, chemin)?;
    Ok(())
}

/// Writes `demo.json`.
pub fn ecrire(
    plan: &Plan,
    embarque: &Embedded,
    clients: &Value,
    manifeste: Option<&Value>,
    services: &BTreeMap<String, u32>,
) -> anyhow::Result<()> {
    let (http, tls) = (
        format!("http://localhost:{}", plan.options.port),
        format!("https://localhost:{}", plan.options.tls_port),
    );
    let mut pids: BTreeMap<&str, Option<u32>> =
        services.iter().map(|(s, p)| (s.as_str(), Some(*p))).collect();
    pids.insert("ror", Some(std::process::id()));
    pids.insert("postgres", embarque.postgres_pid());
    pids.insert("nats", embarque.nats_pid());
    let entetes: BTreeMap<&str, &str> = ENTETES.into_iter().collect();
    let v = json!({
        "base_url": http,
        "tls_url": tls,
        "fhir_base": format!("{http}{}", ror_gateway::http::DIFFUSION),
        "capacity_base": format!("{http}{}", ror_gateway::http::CAPACITE),
        "token_url": format!("{http}{}", ror_gateway::http::JETON),
        "headers": entetes,
        "clients": clients,
        "region": manifeste.map_or(Value::Null, |m| m["region"].clone()),
        "exemples": manifeste.cloned().unwrap_or(Value::Null),
        "pids": pids,
    });
    ecrire_prive(&plan.options.data_dir.join("demo.json"), &serde_json::to_vec_pretty(&v)?)
}

/// Keeps the pids of `demo.json` true while processes come and go.
pub async fn tenir_a_jour(plan: &Plan, embarque: &Embedded, enfants: &Enfants, arret: &CancellationToken) {
    let fichier = plan.options.data_dir.join("demo.json");
    let mut connus = (enfants.pids(), embarque.postgres_pid(), embarque.nats_pid());
    while !arret.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            () = arret.cancelled() => return,
        }
        let actuels = (enfants.pids(), embarque.postgres_pid(), embarque.nats_pid());
        if actuels == connus {
            continue;
        }
        let mise_a_jour = || -> anyhow::Result<()> {
            let mut v: Value = serde_json::from_slice(&std::fs::read(&fichier)?)?;
            for (s, p) in &actuels.0 {
                v["pids"][s] = json!(p);
            }
            v["pids"]["postgres"] = json!(actuels.1);
            v["pids"]["nats"] = json!(actuels.2);
            ecrire_prive(&fichier, &serde_json::to_vec_pretty(&v)?)
        };
        if let Err(e) = mise_a_jour() {
            tracing::warn!(error = %e, "demo.json not updated");
        }
        connus = actuels;
    }
}

/// Tells what runs and what to try.
pub fn annoncer(plan: &Plan, manifeste: Option<&Value>, debut: Instant) {
    let o = &plan.options;
    println!("\nROR national prêt en {:.1} s.", debut.elapsed().as_secs_f64());
    println!("  Accueil        http://localhost:{}/", o.port);
    println!("  Façade FHIR    http://localhost:{}{}/metadata", o.port, ror_gateway::http::DIFFUSION);
    println!("  Référence      http://localhost:{}/reference", o.port);
    println!("  TLS            https://localhost:{}/", o.tls_port);
    println!("  Adresses, clients et exemples : {}", o.data_dir.join("demo.json").display());
    if let Some(m) = manifeste {
        let total = m["ressources"]["total"].as_u64().unwrap_or(0);
        println!("  Démonstration  région {}, {total} ressources", m["region"].as_str().unwrap_or(""));
    }
    println!("À essayer : la première requête du README. Ctrl-C arrête tout.");
}
