//! Registry editions: the bytes go to `identity`, which reads, compares and reports.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ror_chassis::serveur::MESSAGE_MAX;
use ror_proto::identity::v1::{
    EnTeteEdition, Format, ImportEditionRequest, RapportEdition, StatutEdition,
    identity_service_client::IdentityServiceClient, import_edition_request, import_edition_response,
};
use tokio::sync::mpsc;

use super::{
    Commun, Rapport,
    rapport::EditionLue,
    reconnaitre::{Registre, cle, nom_format, rang, reconnaitre},
    source::Lieu,
};
use crate::maillage::Maillage;

/// Most bytes of a message.
const MESSAGE: usize = 1024 * 1024;

/// Éditions d'un registre.
#[derive(Args)]
pub struct Options {
    /// Fichiers ou adresses http(s), simples, gzip ou zip (un seul fichier de registre par archive) ;
    /// plusieurs sont chargés dans l'ordre du jour (structures, activités, puis professionnels).
    #[arg(required = true, value_name = "FICHIER|URL")]
    sources: Vec<String>,
    #[command(flatten)]
    commun: Commun,
    /// Accepte l'édition retenue de cet identifiant ; son fichier est renvoyé.
    #[arg(long, value_name = "EDITION")]
    accepter: Option<String>,
    /// Clés (numFINESS, idNat_PS) à laisser de côté.
    #[arg(long, value_name = "CLE", num_args = 1.., value_delimiter = ',')]
    exclure: Vec<String>,
    /// Partie d'une édition (lignes corrigées, delta) : rien n'en est absent.
    #[arg(long)]
    partielle: bool,
    /// SHA-1 ou SHA-256 annoncé par la source, vérifié.
    #[arg(long, value_name = "HEX")]
    empreinte: Option<String>,
    /// Qui charge ; le compte de la session sans lui.
    #[arg(long, value_name = "NOM")]
    operateur: Option<String>,
}

/// A source whose format is known.
struct Prevue {
    ecrit: String,
    lieu: Lieu,
    nom: String,
    /// Day of its edition; empty when not told.
    jour: String,
    format: Format,
}

/// `ror import finess|rpps|annuaire`.
pub async fn executer(o: Options, registre: Registre) -> anyhow::Result<ExitCode> {
    let o = Options { operateur: Some(operateur(o.operateur.as_deref())), ..o };
    let usage = |texte: String| {
        eprintln!("ror : {texte}");
        Ok(ExitCode::from(super::USAGE))
    };
    if o.sources.len() > 1 && (o.accepter.is_some() || o.empreinte.is_some()) {
        return usage("--accepter et --empreinte ne valent que pour un seul fichier à la fois".into());
    }
    let mut prevues = Vec::new();
    for ecrit in &o.sources {
        let lieu = Lieu::lire(ecrit)?;
        let nom = lieu.nom();
        let debut = lieu.entame().await?;
        match reconnaitre(&nom, &debut) {
            Ok(format) if Registre::de(format) == Some(registre) => {
                let jour = cle(&nom, &debut).chars().take(8).collect();
                prevues.push(Prevue { ecrit: ecrit.clone(), lieu, nom, jour, format });
            }
            Ok(format) => {
                let autre = Registre::de(format).map_or("", Registre::nom);
                return usage(format!(
                    "{ecrit} est un fichier {} : lancez « ror import {autre} »",
                    nom_format(format)
                ));
            }
            Err(e) => {
                return usage(format!("{ecrit} : {e}. Attendu : {}", registre.attendu()));
            }
        }
    }
    // The files of a legacy channel are numbered in the order of their references.
    prevues.sort_by_cached_key(|p| (p.jour.clone(), rang(p.format), p.nom.to_lowercase()));
    let m = Maillage::lire(&o.commun.cible.mesh)?;
    let mut rapport = Rapport::default();
    let mut arret = false;
    for p in prevues {
        if arret {
            rapport.laisser(p.nom);
            continue;
        }
        let lue = match envoyer(&m, &p.lieu, o.en_tete(&p), o.commande(registre, &p)).await {
            Ok(lue) => lue,
            Err(e) => {
                // What was loaded before is loaded: it is told.
                if !rapport.est_vide() {
                    super::rendre(&rapport, &o.commun.report);
                }
                return Err(e);
            }
        };
        // What comes later in the day refers to it: without it, it would be compared with the wrong state.
        arret = matches!(lue.rapport.statut(), StatutEdition::Retenue | StatutEdition::Rejetee);
        rapport.ajouter(lue);
    }
    super::rendre(&rapport, &o.commun.report);
    Ok(ExitCode::from(match rapport.statut() {
        StatutEdition::Rejetee => 1,
        StatutEdition::Retenue => super::RETENUE,
        _ if rapport.refus_nombre() > 0 => super::REFUS,
        _ => 0,
    }))
}

/// Name of who acts: the one given, else the account of the session.
pub fn operateur(donne: Option<&str>) -> String {
    let compte = || ["USER", "LOGNAME"].iter().find_map(|v| std::env::var(v).ok()).unwrap_or_default();
    donne.map_or_else(compte, str::to_owned)
}

impl Options {
    fn en_tete(&self, p: &Prevue) -> EnTeteEdition {
        EnTeteEdition {
            format: p.format as i32,
            nom: p.nom.clone(),
            taille: 0,
            essai: self.commun.dry_run,
            empreinte_attendue: self.empreinte.clone().unwrap_or_default(),
            operateur: self.operateur.clone().unwrap_or_default(),
            accepter: self.accepter.clone().unwrap_or_default(),
            exclure: self.exclure.clone(),
            partielle: self.partielle,
        }
    }

    /// The command that sends this file again; the id of the edition comes last.
    fn commande(&self, registre: Registre, p: &Prevue) -> String {
        let mut mots = vec!["ror".to_owned(), "import".into(), registre.nom().into(), p.ecrit.clone()];
        mots.extend(["--mesh".into(), self.commun.cible.mesh.display().to_string()]);
        if self.partielle {
            mots.push("--partielle".into());
        }
        if !self.exclure.is_empty() {
            mots.extend(["--exclure".into(), self.exclure.join(",")]);
        }
        if let Some(o) = self.operateur.as_ref().filter(|o| !o.is_empty()) {
            mots.extend(["--operateur".into(), o.clone()]);
        }
        mots.iter().map(|m| citer(m)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell takes it.
fn citer(mot: &str) -> String {
    let simple = |c: char| c.is_ascii_alphanumeric() || "_./:=,@%+-".contains(c);
    if !mot.is_empty() && mot.chars().all(simple) {
        return mot.to_owned();
    }
    format!("'{}'", mot.replace('\'', r"'\''"))
}

/// Sends a file of a known format and waits for the report; an edition that is not applied is an error.
pub async fn charger(m: &Maillage, format: Format, fichier: &Path, essai: bool) -> anyhow::Result<Rapport> {
    let lieu = Lieu::from(fichier);
    let en_tete = EnTeteEdition { format: format as i32, nom: lieu.nom(), essai, ..Default::default() };
    let mut rapport = Rapport::default();
    rapport.ajouter(envoyer(m, &lieu, en_tete, String::new()).await?);
    anyhow::ensure!(
        !matches!(rapport.statut(), StatutEdition::Retenue | StatutEdition::Rejetee),
        "{} n'est pas appliqué : {}",
        lieu.nom(),
        rapport.motifs()
    );
    Ok(rapport)
}

fn barre(nom: &str, taille: Option<u64>) -> ProgressBar {
    let (barre, forme) = match taille {
        Some(t) => (ProgressBar::new(t), "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} reste {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {msg} {bytes} {bytes_per_sec} depuis {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(forme) {
        barre.set_style(style);
    }
    barre.set_message(nom.to_owned());
    barre.enable_steady_tick(Duration::from_millis(250));
    barre
}

/// Sends one edition. A reading that breaks off breaks the call off too: half a file is never taken
/// for a whole one.
async fn envoyer(
    m: &Maillage,
    lieu: &Lieu,
    en_tete: EnTeteEdition,
    commande: String,
) -> anyhow::Result<EditionLue> {
    let debut = Instant::now();
    let mut source = lieu.ouvrir().await?;
    let (nom, format) = (en_tete.nom.clone(), en_tete.format());
    let barre = barre(&nom, source.taille);
    let en_tete = EnTeteEdition { taille: source.taille.unwrap_or(0), ..en_tete };
    let (envoi, reception) = mpsc::channel::<Option<ImportEditionRequest>>(8);
    let message = |contenu| Some(ImportEditionRequest { contenu: Some(contenu) });
    envoi.send(message(import_edition_request::Contenu::EnTete(en_tete))).await?;
    let suivi = barre.clone();
    let lecture = tokio::spawn(async move {
        while let Some(mut octets) = source.suivant().await? {
            suivi.inc(octets.len() as u64);
            while !octets.is_empty() {
                let piece = octets.split_to(octets.len().min(MESSAGE));
                if envoi.send(message(import_edition_request::Contenu::Octets(piece))).await.is_err() {
                    // The service has its answer already.
                    return anyhow::Ok(());
                }
            }
        }
        let _ = envoi.send(None).await;
        Ok(())
    });
    let flux = futures::stream::unfold(reception, |mut r| async move {
        match r.recv().await {
            Some(Some(m)) => Some((m, r)),
            Some(None) => None,
            // Broken off: the stream must not end as if the file were whole.
            None => std::future::pending().await,
        }
    });
    let mut client = IdentityServiceClient::new(m.vers("identity")?).max_decoding_message_size(MESSAGE_MAX);
    let appel = async {
        let mut reponses = client.import_edition(flux).await?.into_inner();
        let mut rapport: Option<RapportEdition> = None;
        while let Some(r) = reponses.message().await? {
            match r.contenu {
                Some(import_edition_response::Contenu::Rapport(r)) => rapport = Some(r),
                Some(import_edition_response::Contenu::Avancement(a)) => {
                    barre.set_message(format!("{nom} : {} enregistrements", a.enregistrements));
                }
                None => {}
            }
        }
        anyhow::Ok(rapport)
    };
    let interruption = async {
        match lecture.await {
            Ok(Ok(())) => std::future::pending::<anyhow::Error>().await,
            Ok(Err(e)) => e,
            Err(e) => e.into(),
        }
    };
    let rapport = tokio::select! {
        r = appel => r?,
        e = interruption => return Err(e),
    };
    barre.finish_and_clear();
    let rapport = rapport.context("le service n'a pas rendu de rapport")?;
    Ok(EditionLue {
        fichier: nom,
        format,
        envoi_ms: u64::try_from(debut.elapsed().as_millis()).unwrap_or(u64::MAX),
        commande: format!("{commande} --accepter {}", rapport.edition_id),
        rapport,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_space_or_a_quote_is_quoted_for_the_shell() {
        assert_eq!(citer("finess-structures-20261001.json.gz"), "finess-structures-20261001.json.gz");
        assert_eq!(citer("mon fichier"), "'mon fichier'");
        assert_eq!(citer("l'édition"), r"'l'\''édition'");
        assert_eq!(citer(""), "''");
    }

    #[test]
    fn who_acts_is_the_one_named() {
        assert_eq!(operateur(Some("Service")), "Service");
    }
}
