//! The report of one registry edition.

use ror_proto::identity::v1::{Changement, Format, Operation, RapportEdition, StatutEdition};
use serde_json::{Value, json};

use super::{compte_json, constat_json, fautes_json, milliers, phrase};
use crate::import::reconnaitre::nom_format;

/// An edition as it was sent and what the service says of it.
pub struct EditionLue {
    /// Name of the file.
    pub fichier: String,
    /// Format recognised.
    pub format: Format,
    /// Milliseconds from the first byte sent to the report.
    pub envoi_ms: u64,
    /// Command that accepts it, should it be held.
    pub commande: String,
    /// Report of the service.
    pub rapport: RapportEdition,
}

impl EditionLue {
    /// For a program.
    pub fn json(&self) -> Value {
        let r = &self.rapport;
        let retenue = r.statut() == StatutEdition::Retenue;
        json!({
            "fichier": self.fichier,
            "format": nom_format(self.format),
            "edition": r.edition_id,
            "statut": nom_statut(r.statut()),
            "sha256": r.sha256,
            "essai": r.essai,
            "duree_ms": r.duree_ms,
            "envoi_ms": self.envoi_ms,
            "comptes": r.comptes.iter().map(|c| compte_json(&c.genre, c, true)).collect::<Vec<_>>(),
            "operations": r.operations.iter().map(|o| json!({
                "genre": o.genre, "operation": nom_operation(o.operation()), "nombre": o.nombre,
            })).collect::<Vec<_>>(),
            "constats": r.constats.iter().map(constat_json).collect::<Vec<_>>(),
            "motifs": fautes_json(&r.motifs),
            "commande": retenue.then_some(&self.commande),
            "changements": r.changements.iter().map(changement_json).collect::<Vec<_>>(),
        })
    }

    /// File, edition and how it ended.
    pub fn afficher_titre(&self) {
        let r = &self.rapport;
        println!("{} ({}) : {}", self.fichier, nom_format(self.format), statut_dit(r.statut()));
        if !r.edition_id.is_empty() {
            let empreinte = r.sha256.get(..12).unwrap_or_default();
            println!("  édition {}  sha256 {empreinte}…", r.edition_id);
        }
    }

    /// Operations by kind.
    pub fn afficher_operations(&self) {
        let mut genres: Vec<&str> = self.rapport.operations.iter().map(|o| o.genre.as_str()).collect();
        genres.sort_unstable();
        genres.dedup();
        for g in genres {
            let siennes = self.rapport.operations.iter().filter(|o| o.genre == g);
            let dites: Vec<String> = siennes
                .map(|o| format!("{} {}", milliers(o.nombre), operation_dite(o.operation())))
                .collect();
            println!("  {g} : {}", dites.join(", "));
        }
    }

    /// Why a person must look, and the command that accepts.
    pub fn afficher_retenue(&self) {
        let r = &self.rapport;
        if !matches!(r.statut(), StatutEdition::Retenue | StatutEdition::Rejetee) {
            return;
        }
        println!("{} : {}", self.fichier, statut_dit(r.statut()));
        for f in &r.motifs {
            println!("  motif {}", phrase(f));
        }
        if r.statut() == StatutEdition::Retenue {
            println!("  Pour l'accepter après examen :\n    {}", self.commande);
        }
    }

    /// Time of the service, and with the sending.
    pub fn durees(&self) -> String {
        let (service, envoi) = (self.rapport.duree_ms as f64 / 1000.0, self.envoi_ms as f64 / 1000.0);
        format!("{envoi:.1} s, dont {service:.1} s dans le service")
    }
}

/// A change for a program.
pub fn changement_json(c: &Changement) -> Value {
    json!({
        "operation": nom_operation(c.operation()), "genre": c.genre, "id": c.id, "cle": c.cle,
        "champs": c.champs, "de": c.de, "vers": c.vers, "date": c.date,
        "type_fermeture": c.type_fermeture, "evenements": c.evenements, "ligne": c.ligne,
        "edition": c.edition_id, "version": c.version,
        "connu_le": c.connu_le.as_ref().and_then(ror_gateway::fhir::temps::ecrire_instant),
    })
}

/// Stable name of a state.
pub fn nom_statut(s: StatutEdition) -> &'static str {
    match s {
        StatutEdition::EnCours => "en_cours",
        StatutEdition::Retenue => "retenue",
        StatutEdition::Appliquee => "appliquee",
        StatutEdition::Rejetee => "rejetee",
        StatutEdition::DejaAppliquee => "deja_appliquee",
        StatutEdition::Annulee => "annulee",
        StatutEdition::Unspecified => "inconnu",
    }
}

fn statut_dit(s: StatutEdition) -> &'static str {
    match s {
        StatutEdition::EnCours => "en cours",
        StatutEdition::Retenue => "retenue, une personne doit l'accepter",
        StatutEdition::Appliquee => "appliquée",
        StatutEdition::Rejetee => "rejetée, rien n'en est appliqué",
        StatutEdition::DejaAppliquee => "déjà appliquée, rien à faire",
        StatutEdition::Annulee => "annulée",
        StatutEdition::Unspecified => "terminée",
    }
}

/// Stable name of an operation.
pub fn nom_operation(o: Operation) -> &'static str {
    match o {
        Operation::Creee => "creee",
        Operation::Modifiee => "modifiee",
        Operation::Transferee => "transferee",
        Operation::Fermee => "fermee",
        Operation::FermeeProvisoirement => "fermee_provisoirement",
        Operation::Rouverte => "rouverte",
        Operation::HorsChamp => "hors_champ",
        Operation::DeclareeParErreur => "declaree_par_erreur",
        Operation::Disparue => "disparue",
        Operation::Reapparue => "reapparue",
        Operation::Annulee => "annulee",
        Operation::Unspecified => "inconnue",
    }
}

fn operation_dite(o: Operation) -> &'static str {
    match o {
        Operation::Creee => "créations",
        Operation::Modifiee => "modifications",
        Operation::Transferee => "transferts",
        Operation::Fermee => "fermetures",
        Operation::FermeeProvisoirement => "fermetures provisoires",
        Operation::Rouverte => "réouvertures",
        Operation::HorsChamp => "sorties du champ",
        Operation::DeclareeParErreur => "déclarations par erreur",
        Operation::Disparue => "disparitions sans motif",
        Operation::Reapparue => "réapparitions",
        Operation::Annulee => "retours en arrière",
        Operation::Unspecified => "opérations inconnues",
    }
}
