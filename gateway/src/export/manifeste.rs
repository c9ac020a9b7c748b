//! What an export gave: its files, and how a client is told of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{fichier::Scelle, tache::Fiche};
use crate::fhir::temps::ecrire_instant;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fichier {
    /// Name, below the address of the export.
    pub nom: String,
    /// Type of the resources inside.
    pub genre: String,
    /// How many.
    pub nombre: u64,
    /// Sizes and fingerprints.
    pub scelle: Scelle,
}

impl Fichier {
    /// Name on disk.
    pub fn sur_disque(&self) -> String {
        format!("{}.gz", self.nom)
    }
}

/// All of an export that ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifeste {
    /// Everything up to this instant is in it, milliseconds since 1970.
    pub jusqu_a: i64,
    /// Place of the change feed from which to go on.
    pub curseur: String,
    /// What tells the rules by which it was read; 0, which none has, in those of former builds.
    #[serde(default)]
    pub droits: u64,
    /// When it ended.
    pub fin: i64,
    /// Resources.
    pub sorties: Vec<Fichier>,
    /// Bundles of what the caller no longer sees.
    pub suppressions: Vec<Fichier>,
    /// OperationOutcomes.
    pub messages: Vec<Fichier>,
}

impl Manifeste {
    /// Every file.
    pub fn fichiers(&self) -> impl Iterator<Item = &Fichier> {
        self.sorties.iter().chain(&self.suppressions).chain(&self.messages)
    }

    /// The manifest as a client reads it; `base` is the URL of the façade.
    pub fn json(&self, id: Uuid, fiche: &Fiche, base: &str) -> Vec<u8> {
        let liste = |fichiers: &[Fichier]| -> Vec<Value> {
            fichiers
                .iter()
                .map(|f| {
                    json!({
                        "type": f.genre,
                        "url": format!("{base}/$export-file/{id}/{}", f.nom),
                        "count": f.nombre,
                        "extension": {
                            "size": f.scelle.taille,
                            "sha256": f.scelle.sha256,
                            "gzip": { "size": f.scelle.taille_gzip, "sha256": f.scelle.sha256_gzip },
                        },
                    })
                })
                .collect()
        };
        json!({
            "transactionTime": ecrire_ms(self.jusqu_a),
            "request": fiche.url,
            "requiresAccessToken": true,
            "output": liste(&self.sorties),
            "deleted": liste(&self.suppressions),
            "error": liste(&self.messages),
            "extension": { "cursor": self.curseur },
        })
        .to_string()
        .into_bytes()
    }
}

/// An instant, from milliseconds since 1970.
pub fn ecrire_ms(ms: i64) -> String {
    let nanos = i32::try_from(ms.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    ecrire_instant(&prost_types::Timestamp { seconds: ms.div_euclid(1000), nanos }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::demande::{Demande, Lecture};

    #[test]
    fn a_manifest_has_every_part_even_when_empty() {
        let fiche = Fiche {
            client_id: "c".into(),
            profil: 2,
            url: "https://x/ws-diffusion-fhir/$export".into(),
            base: "https://x/ws-diffusion-fhir".into(),
            creee: 0,
            demande: Demande::lire(Vec::new(), Lecture::default(), |_, _| Vec::new()).unwrap(),
        };
        let scelle = Scelle {
            taille: 10,
            sha256: "aa".into(),
            taille_gzip: 5,
            sha256_gzip: "bb".into(),
            morceaux: vec![3],
        };
        let f = Fichier { nom: "Location.1.json".into(), genre: "Location".into(), nombre: 2, scelle };
        let m = Manifeste { jusqu_a: 1500, sorties: vec![f], ..Default::default() };
        let lu: Value = serde_json::from_slice(&m.json(Uuid::nil(), &fiche, "https://y")).unwrap();
        assert_eq!(lu["transactionTime"], "1970-01-01T00:00:01.500Z");
        assert_eq!(lu["request"], fiche.url.as_str());
        assert_eq!(lu["requiresAccessToken"], true);
        let url = format!("https://y/$export-file/{}/Location.1.json", Uuid::nil());
        assert_eq!(lu["output"][0]["url"], url.as_str());
        assert_eq!(
            (&lu["output"][0]["count"], &lu["output"][0]["extension"]["size"]),
            (&json!(2), &json!(10))
        );
        assert_eq!((&lu["deleted"], &lu["error"]), (&json!([]), &json!([])));
        let garde: Manifeste = serde_json::from_slice(&serde_json::to_vec(&m).unwrap()).unwrap();
        assert_eq!(garde, m);
    }
}
