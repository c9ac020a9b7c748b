//! The rows of each table, gathered into packets of COPY.

use std::collections::BTreeMap;

use anyhow::Context;
use ror_chassis::magasin::{Copie, Identifiant};
use ror_demo::repertoire::{Fiche, Ressource};
use ror_domaine::ressource::Ressource as Union;
use ror_proto::{
    identity::v1::identity,
    structures::v1::{Structure, structure},
};
use time::OffsetDateTime;
use tokio::sync::mpsc;

/// Bytes of a packet.
const PAQUET: usize = 8 * 1024 * 1024;

/// Schema of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schema {
    Structures,
    Offers,
    Capacity,
    Identity,
}

impl Schema {
    /// Every one that is sown.
    pub const TOUS: [Self; 4] = [Self::Structures, Self::Offers, Self::Capacity, Self::Identity];

    /// Name of the service.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Structures => "structures",
            Self::Offers => "offers",
            Self::Capacity => "capacity",
            Self::Identity => "identity",
        }
    }

    /// Tables that are filled.
    pub fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Structures | Self::Identity => &["agregat", "identifiant"],
            Self::Capacity => &["agregat", "reference"],
            Self::Offers => &["agregat", "identifiant", "reference", "structure"],
        }
    }
}

/// A table that rows are copied into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// The resources.
    Agregat(Schema),
    /// What they are found by.
    Identifiant(Schema),
    /// What offers keep of the structures.
    Structure,
}

impl Table {
    /// Its schema.
    pub fn schema(self) -> Schema {
        match self {
            Self::Agregat(s) | Self::Identifiant(s) => s,
            Self::Structure => Schema::Offers,
        }
    }

    /// Its statement.
    pub fn instruction(self) -> &'static str {
        match self {
            Self::Agregat(_) => {
                "copy agregat (genre, id, region, version, etat, retire, cree_le, maj_le) from stdin (format binary)"
            }
            Self::Identifiant(_) => {
                "copy identifiant (id, systeme, valeur, unique_) from stdin (format binary)"
            }
            Self::Structure => {
                "copy structure (id, version, genre, parent_id, type_fermeture, date_fermeture)
                 from stdin (format binary)"
            }
        }
    }
}

/// Rows of one table.
pub struct Paquet {
    /// Where they go.
    pub table: Table,
    /// The rows.
    pub copie: Copie,
}

/// Packets being filled.
pub struct Lots {
    envoi: mpsc::Sender<Paquet>,
    ouverts: BTreeMap<Table, (Copie, usize)>,
    comptes: BTreeMap<String, u64>,
}

impl Lots {
    /// Full ones leave by this channel.
    pub fn nouveau(envoi: mpsc::Sender<Paquet>) -> Self {
        Self { envoi, ouverts: BTreeMap::new(), comptes: BTreeMap::new() }
    }

    /// Adds the rows of a resource; waits while the database is behind.
    pub fn ajouter(&mut self, f: Fiche) -> anyhow::Result<()> {
        match &f.ressource {
            Ressource::Identite(r) => self.ranger(Schema::Identity, r, &identite(r), &f),
            Ressource::Structure(r) => {
                self.ranger(Schema::Structures, r, &structure(r), &f)?;
                self.suivre(r, f.version)
            }
            Ressource::Offre(r) => self.ranger(Schema::Offers, r, &ror_offers::domaine::identifiants(r), &f),
            Ressource::Capacite(r) => self.ranger(Schema::Capacity, r, &[], &f),
        }
    }

    fn ranger<R: Union>(
        &mut self,
        schema: Schema,
        r: &R,
        identifiants: &[Identifiant],
        f: &Fiche,
    ) -> anyhow::Result<()> {
        let genre = r.genre().context("a resource without kind")?;
        let meta = r.meta().context("a resource without metadata")?;
        let etat = r.encode_to_vec();
        let copie = self.ouvrir(Table::Agregat(schema), etat.len() + 140);
        copie.rangee(8).texte(genre).texte(&meta.id).texte(&meta.region).entier(f.version).octets(&etat);
        copie.booleen(false).instant(instant(f.creation)?).instant(instant(f.maj)?);
        for i in identifiants {
            let copie = self.ouvrir(Table::Identifiant(schema), 100);
            copie.rangee(4).texte(&meta.id).texte(i.systeme).texte(&i.valeur).booleen(i.unique);
        }
        *self.comptes.entry(genre.to_owned()).or_default() += 1;
        self.expedier(PAQUET)
    }

    /// What offers keep of a structure.
    fn suivre(&mut self, r: &Structure, version: u64) -> anyhow::Result<()> {
        let (parent, fermeture, date) = match &r.ressource {
            Some(structure::Ressource::EntiteJuridique(e)) => ("", &e.type_fermeture, &e.date_fermeture),
            Some(structure::Ressource::EntiteGeographique(e)) => {
                (e.entite_juridique_id.as_str(), &e.type_fermeture, &e.date_fermeture)
            }
            Some(structure::Ressource::OrganisationInterne(o)) => {
                (o.entite_geographique_id.as_str(), &o.type_fermeture, &o.date_fermeture)
            }
            None => return Ok(()),
        };
        let copie = self.ouvrir(Table::Structure, 160);
        copie.rangee(6).texte(r.id()).entier(version).texte(r.genre().unwrap_or_default()).texte(parent);
        copie.texte(fermeture.as_ref().map_or("", |c| c.code.as_str())).texte(date);
        self.expedier(PAQUET)
    }

    fn ouvrir(&mut self, table: Table, octets: usize) -> &mut Copie {
        let (copie, taille) = self.ouverts.entry(table).or_default();
        *taille += octets;
        copie
    }

    /// Sends the packets that hold at least so much.
    fn expedier(&mut self, minimum: usize) -> anyhow::Result<()> {
        for (table, (copie, taille)) in &mut self.ouverts {
            if *taille >= minimum && !copie.est_vide() {
                *taille = 0;
                let paquet = Paquet { table: *table, copie: std::mem::take(copie) };
                self.envoi.blocking_send(paquet).ok().context("l'écriture s'est arrêtée")?;
            }
        }
        Ok(())
    }

    /// Sends what is left; counts by kind.
    pub fn finir(mut self) -> anyhow::Result<BTreeMap<String, u64>> {
        self.expedier(0)?;
        Ok(self.comptes)
    }
}

fn instant(secondes: i64) -> anyhow::Result<OffsetDateTime> {
    Ok(OffsetDateTime::from_unix_timestamp(secondes)?)
}

fn identifiant(systeme: &'static str, valeur: &str, unique: bool) -> Option<Identifiant> {
    (!valeur.is_empty()).then(|| Identifiant { systeme, valeur: valeur.to_owned(), unique })
}

/// What a structure is found by, as its service keeps it.
fn structure(s: &Structure) -> Vec<Identifiant> {
    let tous = match &s.ressource {
        Some(structure::Ressource::EntiteJuridique(e)) => vec![
            identifiant("finess", &e.num_finess, true),
            identifiant("idNatStruct", &e.id_nat_struct, true),
            identifiant("siren", &e.num_siren, false),
        ],
        Some(structure::Ressource::EntiteGeographique(e)) => vec![
            identifiant("finess", &e.num_finess, true),
            identifiant("idNatStruct", &e.id_nat_struct, true),
            identifiant("siren", &e.num_siren, false),
            identifiant("siret", &e.num_siret, false),
        ],
        Some(structure::Ressource::OrganisationInterne(o)) => vec![identifiant("oi", &o.identifiant, true)],
        None => Vec::new(),
    };
    tous.into_iter().flatten().collect()
}

/// What a professional is found by, as the mirror keeps it.
fn identite(i: &ror_proto::identity::v1::Identity) -> Vec<Identifiant> {
    match &i.ressource {
        Some(identity::Ressource::Professionnel(p)) => {
            identifiant("idNatPS", &p.id_nat_ps, true).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
