//! One service as its own process.

use std::process::ExitCode;

use ror_chassis::{
    Definition,
    processus::{self, signal_d_arret},
    reglages::{ConfigurationInvalide, Lecteur, Reglages, ReglagesJournal},
    telemetrie,
};
use ror_gateway::ReglagesPasserelle;
use tokio_util::sync::CancellationToken;

/// Set by `ror up` for the processes it starts: the end of their input ends them.
pub const SOUS_TUTELLE: &str = "ROR_SOUS_TUTELLE";

/// Stops with the launcher, even one that was killed.
fn suivre_le_lanceur(arret: &CancellationToken) {
    if std::env::var_os(SOUS_TUTELLE).is_none() {
        return;
    }
    let arret = arret.clone();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        arret.cancel();
        std::thread::sleep(std::time::Duration::from_secs(5));
        std::process::exit(1);
    });
}

/// Every service that owns a schema.
pub const DEFINITIONS: [Definition; 7] = [
    ror_nomenclatures::DEFINITION,
    ror_access::DEFINITION,
    ror_identity::DEFINITION,
    ror_structures::DEFINITION,
    ror_offers::DEFINITION,
    ror_capacity::DEFINITION,
    ror_bascule::DEFINITION,
];

fn definition(nom: &str) -> anyhow::Result<Definition> {
    DEFINITIONS.into_iter().find(|d| d.nom == nom).ok_or_else(|| {
        let noms = DEFINITIONS.map(|d| d.nom).join(", ");
        anyhow::anyhow!("service « {nom} » inconnu. Attendu : {noms} ou gateway")
    })
}

/// `ror serve`.
pub async fn executer(nom: &str) -> anyhow::Result<ExitCode> {
    let mut l = Lecteur::nouveau("")?;
    let journal = ReglagesJournal::lire(&mut l);
    let arret = CancellationToken::new();
    let fin = arret.clone();
    tokio::spawn(async move {
        signal_d_arret().await;
        fin.cancel();
        // A second signal does not wait for the drain.
        signal_d_arret().await;
        std::process::exit(130);
    });
    suivre_le_lanceur(&arret);
    if nom == "gateway" {
        let reglages = ReglagesPasserelle::lire(&mut l);
        l.finir()?;
        let _garde = telemetrie::installer(&journal, "ror-gateway")?;
        let p = ror_gateway::demarrer(reglages, arret.clone()).await?;
        arret.cancelled().await;
        p.attendre().await;
        return Ok(ExitCode::SUCCESS);
    }
    let def = definition(nom)?;
    let reglages = Reglages::lire(&mut l, nom, true);
    let _ = l.option::<String>("bascule.file");
    l.finir()?;
    let _garde = telemetrie::installer(&journal, def.nom)?;
    let s = processus::demarrer(def, reglages, arret.clone()).await?;
    arret.cancelled().await;
    s.attendre().await;
    Ok(ExitCode::SUCCESS)
}

/// `ror migrate`.
pub async fn migrer(nom: &str) -> anyhow::Result<ExitCode> {
    let def = definition(nom)?;
    let mut l = Lecteur::nouveau("")?;
    let journal = ReglagesJournal::lire(&mut l);
    let base = l.requis("database.url", "adresse PostgreSQL");
    let _garde = telemetrie::installer(&journal, def.nom)?;
    let reglages = Reglages {
        nom: nom.to_owned(),
        base: Some(base),
        base_connexions: 2,
        nats: String::new(),
        nats_replicas: 1,
        grpc: ([127, 0, 0, 1], 0).into(),
        admin: None,
        tls: None,
        amont: Default::default(),
        migrer: true,
    };
    // Settings of the running service may be given too: they are not this command's.
    if let Err(ConfigurationInvalide(f)) = l.finir()
        && f.iter().any(|f| !f.contains("clé inconnue"))
    {
        return Err(ConfigurationInvalide(f).into());
    }
    processus::executer_migration(&def, &reglages).await?;
    Ok(ExitCode::SUCCESS)
}
