//! What a consumer must be, who is admitted, and what a token grants.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use bytes::Bytes;
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, maintenant},
    erreur::faute,
    magasin::Ligne,
};
use ror_proto::{
    access::v1::{Access, Consumer, Policy, access::Ressource},
    common::v1::{Faute, Meta},
};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Kind of the consumers.
pub const GENRE_CONSOMMATEUR: &str = "consommateur";
/// Kind of the policy.
pub const GENRE_POLITIQUE: &str = "politique";
/// Id of the policy, which no consumer may take.
pub const ID_POLITIQUE: &str = "politique";
/// The one answer to any wrong credential.
pub const REFUS: &str = "client inconnu, révoqué, ou identification refusée";
/// Highest access profile.
pub const PROFIL_MAX: u32 = 5;

/// Whether a text has the form of a client_id: `[A-Za-z0-9._-]{3,64}`.
pub fn est_client_id(id: &str) -> bool {
    (3..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// One form for one content: own metadata, certificate in lower case, active.
pub fn normaliser(mut c: Consumer) -> Consumer {
    let commentaire = c.meta.take().map(|m| m.commentaire).unwrap_or_default();
    c.meta = Some(Meta {
        id: c.client_id.clone(),
        date_creation: Some(horodatage(maintenant())),
        commentaire,
        ..Default::default()
    });
    c.certificat_sha256 = c.certificat_sha256.trim().to_ascii_lowercase();
    c.actif = true;
    c
}

/// Every fault of a normalised consumer.
pub fn valider(c: &Consumer) -> Vec<Faute> {
    let mut f = Vec::new();
    let mut refuser = |element: &str, regle: &str, message: String, attendu: &str| {
        f.push(faute(&format!("consumer.{element}"), regle, message, attendu));
    };
    if !est_client_id(&c.client_id) {
        refuser(
            "client_id",
            "forme-client-id",
            "Le client_id n'a pas la forme attendue.".into(),
            "3 à 64 lettres, chiffres, points, tirets ou soulignés",
        );
    }
    if c.client_id == ID_POLITIQUE {
        refuser(
            "client_id",
            "reserve",
            format!("Le client_id « {ID_POLITIQUE} » est réservé."),
            "un autre nom",
        );
    }
    if c.nom.trim().is_empty() {
        refuser("nom", "obligatoire", "Le nom de l'application manque.".into(), "un nom");
    }
    if c.nom.chars().count() > 255 || c.nom.chars().any(char::is_control) {
        refuser(
            "nom",
            "longueur",
            "Le nom de l'application n'est pas acceptable.".into(),
            "255 caractères lisibles au plus",
        );
    }
    let certificat = &c.certificat_sha256;
    let conforme = certificat.len() == 64 && certificat.bytes().all(|b| b.is_ascii_hexdigit());
    if !certificat.is_empty() && !conforme {
        refuser(
            "certificat_sha256",
            "forme-empreinte",
            "L'empreinte du certificat n'a pas la forme attendue.".into(),
            "64 chiffres hexadécimaux",
        );
    }
    match c.profil {
        None if !c.ecriture_capacite => refuser(
            "profil",
            "obligatoire",
            "Le consommateur n'a ni profil d'accès ni droit d'écriture.".into(),
            "un profil de 0 à 5, ou l'écriture des capacités",
        ),
        Some(0) if !certificat.is_empty() => refuser(
            "certificat_sha256",
            "profil-0-par-secret",
            "Le profil 0 s'identifie par un secret, non par un certificat.".into(),
            "aucun certificat",
        ),
        Some(p @ 1..=PROFIL_MAX) if certificat.is_empty() => refuser(
            "certificat_sha256",
            "certificat-requis",
            format!("Le profil {p} s'identifie par un certificat (RFC 8705)."),
            "l'empreinte SHA-256 du certificat",
        ),
        Some(p) if p > PROFIL_MAX => refuser("profil", "valeur", format!("Profil {p} inconnu."), "0 à 5"),
        _ => {}
    }
    if !c.structures_autorisees.is_empty() && !c.ecriture_capacite {
        refuser(
            "structures_autorisees",
            "sans-ecriture",
            "Des structures sont autorisées sans droit d'écriture.".into(),
            "l'écriture des capacités, ou aucune structure",
        );
    }
    for (rang, s) in c.structures_autorisees.iter().enumerate() {
        if s.trim().is_empty() || s.chars().count() > 64 || s.chars().any(char::is_control) {
            refuser(
                "structures_autorisees",
                "valeur",
                "Un identifiant de structure n'est pas acceptable.".into(),
                "un idNatStruct",
            );
        }
        if c.structures_autorisees[..rang].contains(s) {
            refuser(
                "structures_autorisees",
                "doublon",
                format!("La structure « {s} » est répétée."),
                "chaque structure une fois",
            );
        }
    }
    if !matches!(c.en_tetes.len(), 0 | 4) {
        refuser(
            "en_tetes",
            "valeur",
            format!("{} en-têtes donnés.", c.en_tetes.len()),
            "aucun, ou les quatre en-têtes Ror-*",
        );
    }
    if c.en_tetes.iter().any(|e| e.chars().count() > 255 || e.chars().any(char::is_control)) {
        refuser(
            "en_tetes",
            "longueur",
            "Un en-tête n'est pas acceptable.".into(),
            "255 caractères lisibles au plus",
        );
    }
    f
}

/// Whether the consumer is to be given a secret.
pub fn a_un_secret(c: &Consumer) -> bool {
    c.certificat_sha256.is_empty()
}

/// A new secret: 32 random bytes, as text.
pub fn nouveau_secret() -> String {
    let mut octets = [0u8; 32];
    OsRng.fill_bytes(&mut octets);
    B64.encode(octets)
}

/// SHA-256, the form in which a secret is kept: it is random, so it needs no salt.
pub fn empreinte(texte: &str) -> [u8; 32] {
    let mut octets = [0u8; 32];
    octets.copy_from_slice(&Sha256::digest(texte.as_bytes())[..]);
    octets
}

/// Whether these credentials are those of the client. The work done is the same
/// whatever is missing or wrong.
pub fn admis(client: Option<&Consumer>, garde: Option<&[u8]>, secret: &str, certificat: &str) -> bool {
    static AUCUN: [u8; 64] = [b'x'; 64];
    let presente = empreinte(secret);
    let par_secret = presente.as_slice().ct_eq(garde.unwrap_or(&AUCUN[..32]))
        & oui(garde.is_some())
        & oui(!secret.is_empty());
    let enregistre = client.map_or("", |c| c.certificat_sha256.as_str());
    let vu = certificat.to_ascii_lowercase();
    let compare = if enregistre.is_empty() { AUCUN.as_slice() } else { enregistre.as_bytes() };
    let par_certificat = compare.ct_eq(vu.as_bytes()) & oui(!enregistre.is_empty());
    let actif = oui(client.is_some_and(|c| c.actif));
    // A client registered with a certificate has no other way in.
    let bon = (par_certificat & oui(!enregistre.is_empty())) | (par_secret & oui(enregistre.is_empty()));
    bool::from(bon & actif)
}

fn oui(vrai: bool) -> Choice {
    Choice::from(u8::from(vrai))
}

/// Scopes of a consumer, separated by spaces.
pub fn portee(c: &Consumer) -> String {
    let mut portees = Vec::new();
    if let Some(p) = c.profil {
        portees.push(format!("ror.read.p{p}"));
    }
    if c.ecriture_capacite {
        portees.push("ror.capacity.write".to_owned());
    }
    portees.join(" ")
}

/// The state the store keeps: without version and date, which are its columns.
pub fn etat(mut r: Ressource) -> Bytes {
    let meta = meta_mut(&mut r);
    meta.version = 0;
    meta.date_maj = None;
    Access { ressource: Some(r) }.encode_to_vec().into()
}

fn meta_mut(r: &mut Ressource) -> &mut Meta {
    match r {
        Ressource::Consumer(c) => c.meta.get_or_insert_default(),
        Ressource::Policy(p) => p.meta.get_or_insert_default(),
    }
}

fn lire(l: &Ligne) -> Resultat<Ressource> {
    let mut r =
        Access::decode(l.etat.clone())?.ressource.ok_or_else(|| Erreur::interne("state without resource"))?;
    let meta = meta_mut(&mut r);
    meta.version = l.version;
    meta.date_maj = Some(horodatage(l.maj_le));
    if meta.date_creation.is_none() {
        meta.date_creation = meta.date_maj;
    }
    Ok(r)
}

/// A consumer back from the store.
pub fn consommateur(l: &Ligne) -> Resultat<Consumer> {
    match lire(l)? {
        Ressource::Consumer(c) => Ok(c),
        Ressource::Policy(_) => Err(Erreur::Introuvable(format!("consommateur {} inconnu", l.id))),
    }
}

/// The policy back from the store.
pub fn politique(l: &Ligne) -> Resultat<Policy> {
    match lire(l)? {
        Ressource::Policy(p) => Ok(p),
        Ressource::Consumer(_) => Err(Erreur::interne("a consumer under the id of the policy")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICAT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn consommateur(profil: Option<u32>, ecriture: bool, certificat: &str) -> Consumer {
        normaliser(Consumer {
            client_id: "editeur-1".into(),
            nom: "Éditeur".into(),
            profil,
            ecriture_capacite: ecriture,
            certificat_sha256: certificat.into(),
            ..Default::default()
        })
    }

    fn regles(c: &Consumer) -> Vec<String> {
        valider(c).into_iter().map(|f| f.regle).collect()
    }

    #[test]
    fn the_profile_commands_the_credential() {
        let secret = |p, e| regles(&consommateur(p, e, ""));
        let certificat = |p, e| regles(&consommateur(p, e, CERTIFICAT));
        assert!(secret(Some(0), false).is_empty());
        assert_eq!(certificat(Some(0), false), ["profil-0-par-secret"]);
        assert_eq!(secret(Some(3), true), ["certificat-requis"]);
        assert!(certificat(Some(5), false).is_empty());
        assert!(secret(None, true).is_empty() && certificat(None, true).is_empty());
        assert_eq!(secret(None, false), ["obligatoire"]);
        assert_eq!(certificat(Some(6), false), ["valeur"]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let c = Consumer {
            client_id: "a b".into(),
            certificat_sha256: "zz".into(),
            profil: Some(9),
            structures_autorisees: vec!["1".into(), "1".into(), String::new()],
            en_tetes: vec!["x".into()],
            ..Default::default()
        };
        assert_eq!(
            regles(&c),
            [
                "forme-client-id",
                "obligatoire",
                "forme-empreinte",
                "valeur",
                "sans-ecriture",
                "doublon",
                "valeur",
                "valeur"
            ]
        );
        let reserve = Consumer { client_id: ID_POLITIQUE.into(), ..consommateur(Some(0), false, "") };
        assert_eq!(regles(&reserve), ["reserve"]);
    }

    #[test]
    fn only_the_registered_credential_admits() {
        let secret = nouveau_secret();
        let garde = empreinte(&secret);
        let par_secret = consommateur(Some(0), false, "");
        let par_certificat = consommateur(Some(1), false, CERTIFICAT);
        assert!(admis(Some(&par_secret), Some(&garde), &secret, ""));
        assert!(
            admis(Some(&par_secret), Some(&garde), &secret, CERTIFICAT),
            "a certificate seen besides changes nothing"
        );
        assert!(!admis(Some(&par_secret), Some(&garde), "autre", ""));
        assert!(!admis(Some(&par_secret), Some(&garde), "", ""));
        assert!(!admis(Some(&par_secret), None, "", ""));
        assert!(!admis(None, None, &secret, CERTIFICAT));
        assert!(!admis(None, Some(&garde), &secret, ""));
        assert!(admis(Some(&par_certificat), None, "", &CERTIFICAT.to_uppercase()));
        assert!(!admis(Some(&par_certificat), Some(&garde), &secret, ""));
        assert!(!admis(Some(&par_certificat), None, "", &CERTIFICAT.replace('a', "b")));
        assert!(!admis(Some(&par_certificat), None, "", ""));
        let revoque = Consumer { actif: false, ..par_secret };
        assert!(!admis(Some(&revoque), Some(&garde), &secret, ""));
    }

    #[test]
    fn secrets_differ_and_hold_256_bits() {
        let (a, b) = (nouveau_secret(), nouveau_secret());
        assert_ne!(a, b);
        assert_eq!(B64.decode(a).unwrap().len(), 32);
    }

    #[test]
    fn scopes_follow_the_rights() {
        assert_eq!(portee(&consommateur(Some(3), true, CERTIFICAT)), "ror.read.p3 ror.capacity.write");
        assert_eq!(portee(&consommateur(None, true, "")), "ror.capacity.write");
    }
}
