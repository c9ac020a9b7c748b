//! Nomenclatures: files of any published form, read here, judged by the service.

use std::{collections::HashMap, path::PathBuf, time::Instant};

use ror_chassis::{client::Canal, erreur::faute, serveur::MESSAGE_MAX};
use ror_nomenclatures::{
    donnees,
    formats::{self, Lecture, paquet},
};
use ror_proto::{
    common::v1::Issue,
    nomenclatures::v1::{
        LoadNomenclatureRequest, Nomenclature, SearchNomenclaturesRequest, Sorte,
        nomenclatures_service_client::NomenclaturesServiceClient,
    },
};
// Of the messages, for their size on the wire.
use prost::Message as _;

use super::Rapport;
use crate::maillage::Maillage;

type Client = NomenclaturesServiceClient<Canal>;

fn client(m: &Maillage) -> anyhow::Result<Client> {
    Ok(NomenclaturesServiceClient::new(m.vers("nomenclatures")?)
        .max_encoding_message_size(MESSAGE_MAX)
        .max_decoding_message_size(MESSAGE_MAX))
}

/// Reads the files (the product's lists when there is none), then loads them; a dry run
/// checks and compares them all, and writes nothing.
pub async fn executer(m: &Maillage, fichiers: Vec<PathBuf>, essai: bool) -> anyhow::Result<Rapport> {
    let debut = Instant::now();
    let mut client = client(m)?;
    let mut rapport = Rapport::default();
    if essai {
        rapport.essayer();
    }
    let listes = if fichiers.is_empty() {
        donnees::embarquees().map_err(anyhow::Error::msg)?
    } else {
        let mut lue = tokio::task::spawn_blocking(move || lire(&fichiers)).await??;
        let connus = oids_connus(&mut client, &lue).await?;
        formats::resoudre(&mut lue, &connus);
        for f in lue.fautes {
            // The place tells the file.
            let fichier = f.element.split(" : ").next().unwrap_or_default().to_owned();
            rapport.compter("nomenclature", Issue::Refuse);
            rapport.refuser(&fichier, 0, vec![f]);
        }
        lue.nomenclatures
    };
    charger_dans(&mut client, listes, essai, &mut rapport).await?;
    rapport.duree(debut.elapsed());
    Ok(rapport)
}

fn lire(chemins: &[PathBuf]) -> anyhow::Result<Lecture> {
    let mut l = Lecture::default();
    for c in chemins {
        let lue = paquet::lire(c)?;
        l.nomenclatures.extend(lue.nomenclatures);
        l.fautes.extend(lue.fautes);
    }
    Ok(l)
}

/// The canonicals of the OIDs that the files use without defining them.
async fn oids_connus(client: &mut Client, l: &Lecture) -> anyhow::Result<HashMap<String, String>> {
    let mut connus = HashMap::new();
    for oid in formats::oids_manquants(l) {
        let d = SearchNomenclaturesRequest {
            sorte: Sorte::Tre as i32,
            oid: oid.clone(),
            courantes: true,
            page_size: 1,
            ..Default::default()
        };
        let trouvees = client.search_nomenclatures(d).await?.into_inner().nomenclatures;
        connus.extend(trouvees.into_iter().next().map(|n| (oid, n.canonique)));
    }
    Ok(connus)
}

/// Loads nomenclatures; equal ones write nothing.
pub async fn charger(m: &Maillage, listes: Vec<Nomenclature>) -> anyhow::Result<Rapport> {
    let mut rapport = Rapport::default();
    charger_dans(&mut client(m)?, listes, false, &mut rapport).await?;
    Ok(rapport)
}

async fn charger_dans(
    client: &mut Client,
    mut listes: Vec<Nomenclature>,
    essai: bool,
    rapport: &mut Rapport,
) -> anyhow::Result<()> {
    // Code systems first, older versions before newer ones, so that each is compared with the one before it.
    listes.sort_by(|a, b| (a.sorte, &a.canonique, &a.version).cmp(&(b.sorte, &b.canonique, &b.version)));
    for n in listes {
        let nom = if n.nom.is_empty() { n.canonique.clone() } else { n.nom.clone() };
        let titre = format!("{nom} {}", n.version).trim_end().to_owned();
        if n.encoded_len() > MESSAGE_MAX / 2 {
            rapport.compter("nomenclature", Issue::Refuse);
            let message = format!("La nomenclature pèse {} Mo.", n.encoded_len() / 1024 / 1024);
            rapport.refuser(&titre, 0, vec![faute("concepts", "taille", message, "moins de 16 Mo")]);
            continue;
        }
        let demande = LoadNomenclatureRequest { nomenclature: Some(n), essai, ..Default::default() };
        let r = client.load_nomenclature(demande).await?.into_inner();
        let resultat = r.resultat.unwrap_or_default();
        rapport.compter("nomenclature", resultat.issue());
        if resultat.issue() == Issue::Refuse {
            rapport.refuser(&titre, 0, resultat.fautes);
        }
        for (regle, nombre) in
            [("codes-ajoutes", r.ajoutes), ("codes-modifies", r.modifies), ("codes-otes", r.retires)]
        {
            if nombre > 0 && !r.version_avant.is_empty() {
                let message = format!("{titre} : {} depuis {}", regle.replace('-', " "), r.version_avant);
                rapport.constater(regle, message, u64::from(nombre));
            }
        }
        for e in r.impacts {
            rapport.constater("codes-utilises", format!("{titre} : {}", e.message), e.usage_total);
        }
    }
    Ok(())
}
