//! One service as its own process.

use std::process::ExitCode;

use ror_chassis::{
    Definition, processus,
    reglages::{ConfigurationInvalide, Lecteur, Reglages, ReglagesJournal},
    telemetrie,
};

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
    if nom == "gateway" {
        ror_gateway::servir_seule().await?;
    } else {
        processus::servir_seul(definition(nom)?).await?;
    }
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
