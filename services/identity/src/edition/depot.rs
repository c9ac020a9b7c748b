//! The bytes of an edition, set aside in an anonymous file while they are checked:
//! nothing is compared before the whole file is there and is the one announced.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
};

use bytes::Bytes;
use ror_chassis::{Erreur, Resultat, erreur::faute};
use ror_proto::{common::v1::Faute, identity::v1::EnTeteEdition};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::formats::tous;

const LONGUEUR_SHA1: usize = 40;
const LONGUEUR_SHA256: usize = 64;

/// The bytes received, and their fingerprints.
#[derive(Debug)]
pub(super) struct Depot {
    fichier: File,
    /// Bytes received.
    pub(super) taille: u64,
    /// Hexadecimal.
    pub(super) sha256: String,
    /// Hexadecimal; empty unless the source announced one.
    sha1: String,
}

impl Depot {
    /// Receives every byte.
    ///
    /// # Errors
    ///
    /// When there is no room for them.
    pub(super) async fn recevoir(octets: mpsc::Receiver<Bytes>, empreinte: &str) -> Resultat<Self> {
        let avec_sha1 = empreinte.len() == LONGUEUR_SHA1;
        tokio::task::spawn_blocking(move || ecrire(octets, avec_sha1))
            .await
            .map_err(|e| Erreur::Interne(Box::new(e)))?
            .map_err(|e| sans_place(&e))
    }

    /// Why these bytes are not those announced.
    pub(super) fn verifier(&self, en_tete: &EnTeteEdition) -> Option<Faute> {
        if en_tete.taille != 0 && en_tete.taille != self.taille {
            return Some(faute(
                "en_tete.taille",
                "taille-differente",
                format!("{} octets reçus au lieu de {}.", self.taille, en_tete.taille),
                "le fichier entier",
            ));
        }
        let attendue = normaliser(&en_tete.empreinte_attendue);
        let recue = if attendue.len() == LONGUEUR_SHA1 { &self.sha1 } else { &self.sha256 };
        (!attendue.is_empty() && attendue != *recue).then(|| {
            faute(
                "en_tete.empreinte_attendue",
                "empreinte-differente",
                format!("L'empreinte du fichier reçu est {recue} au lieu de {attendue}."),
                "le fichier tel que la source l'a publié",
            )
        })
    }

    /// Name of the registry file, when the bytes are an archive that brings one; why not,
    /// when it should.
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read again.
    pub(super) async fn membre(&self) -> Resultat<Result<Option<String>, Faute>> {
        let fichier = self.lecteur()?;
        let lu = tokio::task::spawn_blocking(move || tous::membre(fichier))
            .await
            .map_err(|e| Erreur::Interne(Box::new(e)))?;
        Ok(lu.map_err(|e| {
            faute("fichier", "archive-illisible", e.message, "une archive zip d'un seul fichier de registre")
        }))
    }

    /// A reader from the first byte; one at a time.
    pub(super) fn lecteur(&self) -> Resultat<File> {
        let mut fichier = self.fichier.try_clone().map_err(|e| sans_place(&e))?;
        fichier.seek(SeekFrom::Start(0)).map_err(|e| sans_place(&e))?;
        Ok(fichier)
    }
}

/// A fingerprint as we compare it.
fn normaliser(empreinte: &str) -> String {
    empreinte.trim().to_ascii_lowercase()
}

/// The fingerprint announced, normalised.
///
/// # Errors
///
/// A fault when it is neither a SHA-1 nor a SHA-256.
pub(super) fn lire_empreinte(annoncee: &str) -> Resultat<String> {
    let empreinte = normaliser(annoncee);
    let longueur = matches!(empreinte.len(), 0 | LONGUEUR_SHA1 | LONGUEUR_SHA256);
    if longueur && empreinte.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Ok(empreinte);
    }
    Err(Erreur::faute(
        "en_tete.empreinte_attendue",
        "valeur",
        "L'empreinte attendue n'est ni un SHA-1 ni un SHA-256.",
        "40 ou 64 chiffres hexadécimaux",
    ))
}

fn ecrire(mut octets: mpsc::Receiver<Bytes>, avec_sha1: bool) -> std::io::Result<Depot> {
    let mut fichier = tempfile::tempfile()?;
    let (mut sha256, mut sha1) = (Sha256::new(), avec_sha1.then(Sha1::new));
    let mut taille = 0;
    while let Some(morceau) = octets.blocking_recv() {
        sha256.update(&morceau);
        if let Some(sha1) = &mut sha1 {
            sha1.update(&morceau);
        }
        fichier.write_all(&morceau)?;
        taille += morceau.len() as u64;
    }
    let sha256 = hexadecimal(&sha256.finalize());
    let sha1 = sha1.map(|hache| hexadecimal(&hache.finalize())).unwrap_or_default();
    Ok(Depot { fichier, taille, sha256, sha1 })
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A temporary file that cannot be written or read.
pub(super) fn sans_place(cause: &std::io::Error) -> Erreur {
    Erreur::Indisponible(format!(
        "espace temporaire inutilisable dans {} : {cause}",
        std::env::temp_dir().display()
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    async fn depose(morceaux: &[&'static [u8]], empreinte: &str) -> Depot {
        let (envoi, reception) = mpsc::channel(1);
        let envois = async move {
            for morceau in morceaux.iter().copied() {
                envoi.send(Bytes::from_static(morceau)).await.unwrap();
            }
        };
        let (depot, ()) = tokio::join!(Depot::recevoir(reception, empreinte), envois);
        depot.unwrap()
    }

    const ABC_SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[tokio::test]
    async fn what_was_announced_is_what_came() {
        let depot = depose(&[b"a", b"", b"bc"], ABC_SHA1).await;
        assert_eq!((depot.taille, depot.sha256.as_str()), (3, ABC_SHA256));
        let annonce = |taille, empreinte: &str| EnTeteEdition {
            taille,
            empreinte_attendue: empreinte.to_owned(),
            ..EnTeteEdition::default()
        };
        for empreinte in ["", ABC_SHA1, ABC_SHA256, " A9993E364706816ABA3E25717850C26C9CD0D89D "] {
            assert_eq!(depot.verifier(&annonce(3, empreinte)), None, "{empreinte}");
        }
        let regle = |a: &EnTeteEdition| depot.verifier(a).map(|f| f.regle);
        assert_eq!(regle(&annonce(4, "")).as_deref(), Some("taille-differente"));
        let autre = ABC_SHA1.replace('a', "b");
        assert_eq!(regle(&annonce(0, &autre)).as_deref(), Some("empreinte-differente"));
        let mut lu = String::new();
        depot.lecteur().unwrap().read_to_string(&mut lu).unwrap();
        assert_eq!(lu, "abc");
    }

    #[test]
    fn a_fingerprint_of_another_kind_is_refused() {
        assert_eq!(lire_empreinte("").unwrap(), "");
        assert_eq!(lire_empreinte(&ABC_SHA256.to_uppercase()).unwrap(), ABC_SHA256);
        assert!(lire_empreinte("d41d8cd98f00b204e9800998ecf8427e").is_err(), "an MD5");
        assert!(lire_empreinte(&"z".repeat(40)).is_err());
    }
}
