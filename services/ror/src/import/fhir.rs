//! FHIR resources in the façade's own form, one a line.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ror_chassis::{client::Canal as Tuyau, erreur::faute};
use ror_gateway::fhir::lecture::{self, Ressource};
use ror_proto::{
    bascule::v1::{GetRegionRequest, bascule_service_client::BasculeServiceClient},
    capacity::v1::{
        Capacity, WriteCapacitiesItem, WriteCapacitiesRequest, capacity,
        capacity_service_client::CapacityServiceClient,
    },
    common::v1::{Canal, Faute, Issue, Provenance, ResultatEcriture},
    offers::v1::{
        Offer, WriteOffersItem, WriteOffersRequest, offer, offers_service_client::OffersServiceClient,
    },
    structures::v1::{
        Structure, WriteStructuresItem, WriteStructuresRequest, structure,
        structures_service_client::StructuresServiceClient,
    },
};

use super::Rapport;
use crate::maillage::Maillage;

const LOT: usize = 400;
/// How long a reference may be late: its owner has it, the event is on its way.
const PATIENCE: Duration = Duration::from_secs(20);
/// Rules that more time may settle.
const PASSAGERES: [&str; 3] = ["reference-inconnue", "structure-inconnue-de-finess", "lieu-inconnu"];

/// Files, in the order their references need.
const FICHIERS: [&str; 4] =
    ["organization.ndjson", "location.ndjson", "healthcareservice.ndjson", "practitionerrole.ndjson"];

#[expect(clippy::large_enum_variant, reason = "one value a line, handed over at once")]
#[derive(Clone)]
enum A {
    Structure(Structure),
    Offre(Offer),
    Capacite(Capacity),
}

#[derive(Clone)]
struct Ligne {
    numero: u64,
    brut: String,
    ressource: A,
}

struct Chargement {
    structures: StructuresServiceClient<Tuyau>,
    offers: OffersServiceClient<Tuyau>,
    capacity: CapacityServiceClient<Tuyau>,
    description: Provenance,
    capacites: Provenance,
    rapport: Rapport,
    /// Dry run: the services check and answer, nothing is written, here or there.
    essai: bool,
    /// Ids a dry run would have written: what refers to them is not wrong.
    promis: HashSet<String>,
}

/// Loads a folder through one channel.
pub async fn charger(
    m: &Maillage,
    dossier: &Path,
    region: &str,
    canal: Canal,
    epoque: Option<u64>,
) -> anyhow::Result<Rapport> {
    conduire(m, dossier, region, canal, epoque, false).await
}

/// What a load would do: every check of the services, nothing written.
pub async fn essayer(
    m: &Maillage,
    dossier: &Path,
    region: &str,
    canal: Canal,
    epoque: Option<u64>,
) -> anyhow::Result<Rapport> {
    conduire(m, dossier, region, canal, epoque, true).await
}

async fn conduire(
    m: &Maillage,
    dossier: &Path,
    region: &str,
    canal: Canal,
    epoque: Option<u64>,
    essai: bool,
) -> anyhow::Result<Rapport> {
    let debut = Instant::now();
    let presents: Vec<PathBuf> = FICHIERS.iter().map(|f| dossier.join(f)).filter(|f| f.exists()).collect();
    anyhow::ensure!(
        !presents.is_empty(),
        "aucun des fichiers {} n'est dans {}",
        FICHIERS.join(", "),
        dossier.display()
    );
    let etat = BasculeServiceClient::new(m.vers("bascule")?)
        .get_region(GetRegionRequest { code: region.to_owned() })
        .await?
        .into_inner();
    let baux = etat.region.map(|r| r.baux).unwrap_or_default();
    let provenance = |domaine: &str| Provenance {
        region: region.to_owned(),
        canal: canal as i32,
        epoque: epoque.unwrap_or_else(|| baux.iter().find(|b| b.domaine == domaine).map_or(0, |b| b.epoque)),
        auteur: "import".into(),
    };
    let mut c = Chargement {
        structures: StructuresServiceClient::new(m.vers("structures")?),
        offers: OffersServiceClient::new(m.vers("offers")?),
        capacity: CapacityServiceClient::new(m.vers("capacity")?),
        description: provenance("description"),
        capacites: provenance("capacite"),
        rapport: Rapport::default(),
        essai,
        promis: HashSet::new(),
    };
    if essai {
        c.rapport.essayer();
    }
    for f in presents {
        c.fichier(&f).await?;
    }
    c.rapport.duree(debut.elapsed());
    Ok(c.rapport)
}

impl Chargement {
    async fn fichier(&mut self, chemin: &Path) -> anyhow::Result<()> {
        let nom = chemin.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let taille = std::fs::metadata(chemin)?.len();
        let barre = ProgressBar::new(taille);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} reste {eta}")
        {
            barre.set_style(style);
        }
        barre.set_message(nom.clone());
        let mut refus = Refuses::nouveaux(chemin, self.essai);
        let mut lecteur = BufReader::with_capacity(1 << 20, File::open(chemin)?);
        let (mut numero, mut octets) = (0u64, Vec::new());
        let (mut principales, mut capacites, mut tardives) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            octets.clear();
            let lus = lecteur.read_until(b'\n', &mut octets)?;
            if lus > 0 {
                numero += 1;
                barre.inc(lus as u64);
                let texte = String::from_utf8_lossy(&octets).trim().to_owned();
                if !texte.is_empty() {
                    self.lire(&nom, numero, texte, &mut principales, &mut capacites, &mut refus)?;
                }
            }
            if principales.len() >= LOT || lus == 0 {
                tardives.extend(self.ecrire(&nom, std::mem::take(&mut principales), &mut refus, true).await?);
            }
            if lus == 0 {
                break;
            }
        }
        self.attendre(&nom, tardives, &mut refus).await?;
        // The places exist now: their capacities can follow.
        let mut tardives = Vec::new();
        for lot in capacites.chunks(LOT) {
            tardives.extend(self.ecrire(&nom, lot.to_vec(), &mut refus, true).await?);
        }
        self.attendre(&nom, tardives, &mut refus).await?;
        barre.finish_and_clear();
        Ok(())
    }

    fn lire(
        &mut self,
        nom: &str,
        numero: u64,
        brut: String,
        principales: &mut Vec<Ligne>,
        capacites: &mut Vec<Ligne>,
        refus: &mut Refuses,
    ) -> anyhow::Result<()> {
        let lue = serde_json::from_str(&brut)
            .map_err(|e: serde_json::Error| {
                vec![faute(
                    "",
                    "json",
                    format!("La ligne n'est pas du JSON : {e}."),
                    "une ressource FHIR par ligne",
                )]
            })
            .and_then(|v: serde_json::Value| lecture::lire(&v));
        let ressource = match lue {
            Ok(r) => r,
            Err(fautes) => {
                self.rapport.compter("illisible", Issue::Refuse);
                return self.refuser(nom, numero, &brut, fautes, refus);
            }
        };
        let structure = |r| A::Structure(Structure { ressource: Some(r) });
        let offre = |r| A::Offre(Offer { ressource: Some(r) });
        let a = match ressource {
            Ressource::Ej(x) => structure(structure::Ressource::EntiteJuridique(x)),
            Ressource::Eg(x) => structure(structure::Ressource::EntiteGeographique(x)),
            Ressource::Oi(x) => structure(structure::Ressource::OrganisationInterne(x)),
            Ressource::Offre(x) => offre(offer::Ressource::Offre(x)),
            Ressource::Situation(x) => offre(offer::Ressource::Situation(x)),
            Ressource::Lieu(x, k) => {
                if let Some(k) = k {
                    let c = Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(k)) };
                    capacites.push(Ligne { numero, brut: brut.clone(), ressource: A::Capacite(c) });
                }
                offre(offer::Ressource::Lieu(x))
            }
            Ressource::Professionnel(_) => {
                self.rapport.compter("professionnel", Issue::Refuse);
                let f = faute(
                    "Practitioner",
                    "referentiel",
                    "Les professionnels viennent du RPPS.",
                    "ror import rpps",
                );
                return self.refuser(nom, numero, &brut, vec![f], refus);
            }
        };
        principales.push(Ligne { numero, brut, ressource: a });
        Ok(())
    }

    /// Writes a batch; what only more time may settle is handed back when `patient`.
    async fn ecrire(
        &mut self,
        nom: &str,
        lignes: Vec<Ligne>,
        refus: &mut Refuses,
        patient: bool,
    ) -> anyhow::Result<Vec<Ligne>> {
        if lignes.is_empty() {
            return Ok(Vec::new());
        }
        let resultats = self.envoyer(&lignes).await?;
        let mut tardives = Vec::new();
        for (l, mut r) in lignes.into_iter().zip(resultats) {
            let passagere =
                !r.fautes.is_empty() && r.fautes.iter().all(|f| PASSAGERES.contains(&f.regle.as_str()));
            if self.essai {
                self.promettre(&mut r, passagere);
            } else if patient && passagere {
                tardives.push(l);
                continue;
            }
            self.rapport.compter(genre(&l.ressource), r.issue());
            if r.issue() == Issue::Refuse {
                self.refuser(nom, l.numero, &l.brut, r.fautes, refus)?;
            }
        }
        Ok(tardives)
    }

    /// In a dry run, what only lacks what the same load would have written is accepted.
    fn promettre(&mut self, r: &mut ResultatEcriture, passagere: bool) {
        let promis = |id: &str| self.promis.contains(id);
        let tenue = |f: &Faute| f.message.split([' ', ',']).any(|mot| promis(mot.trim_end_matches('.')));
        if passagere && (promis(&r.id) || r.fautes.iter().all(tenue)) {
            r.set_issue(Issue::Cree);
            let message = "référence à une ressource du même chargement, à vérifier au chargement réel";
            self.rapport.constater("reference-du-chargement", message.into(), 1);
        }
        if r.issue() != Issue::Refuse {
            self.promis.insert(r.id.clone());
        }
    }

    /// Tries the late ones again until nothing moves any more.
    async fn attendre(
        &mut self,
        nom: &str,
        mut lignes: Vec<Ligne>,
        refus: &mut Refuses,
    ) -> anyhow::Result<()> {
        let mut dernier = Instant::now();
        while !lignes.is_empty() && dernier.elapsed() < PATIENCE {
            let avant = lignes.len();
            let mut restent = Vec::new();
            for lot in lignes.chunks(LOT) {
                restent.extend(self.ecrire(nom, lot.to_vec(), refus, true).await?);
            }
            lignes = restent;
            if lignes.len() < avant {
                dernier = Instant::now();
            } else {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
        for lot in lignes.chunks(LOT) {
            self.ecrire(nom, lot.to_vec(), refus, false).await?;
        }
        Ok(())
    }

    async fn envoyer(&mut self, lignes: &[Ligne]) -> anyhow::Result<Vec<ResultatEcriture>> {
        let mut structures = Vec::new();
        let mut offres = Vec::new();
        let mut capacites = Vec::new();
        for l in lignes {
            match l.ressource.clone() {
                A::Structure(s) => {
                    structures.push(WriteStructuresItem { ressource: Some(s), version_attendue: 0 })
                }
                A::Offre(o) => offres.push(WriteOffersItem { ressource: Some(o), version_attendue: 0 }),
                A::Capacite(c) => {
                    capacites.push(WriteCapacitiesItem { ressource: Some(c), version_attendue: 0 })
                }
            }
        }
        let (description, capacite) = (Some(self.description.clone()), Some(self.capacites.clone()));
        let mut r = Vec::new();
        // A batch holds one kind only: each file is of one type, capacities go apart.
        if !structures.is_empty() {
            let d = WriteStructuresRequest {
                provenance: description.clone(),
                items: structures,
                essai: self.essai,
            };
            r.extend(self.structures.write_structures(d).await?.into_inner().resultats);
        }
        if !offres.is_empty() {
            let d = WriteOffersRequest { provenance: description, items: offres, essai: self.essai };
            r.extend(self.offers.write_offers(d).await?.into_inner().resultats);
        }
        if !capacites.is_empty() {
            let d = WriteCapacitiesRequest { provenance: capacite, items: capacites, essai: self.essai };
            r.extend(self.capacity.write_capacities(d).await?.into_inner().resultats);
        }
        anyhow::ensure!(
            r.len() == lignes.len(),
            "le service a rendu {} résultats pour {} lignes",
            r.len(),
            lignes.len()
        );
        Ok(r)
    }

    fn refuser(
        &mut self,
        nom: &str,
        numero: u64,
        brut: &str,
        fautes: Vec<Faute>,
        refus: &mut Refuses,
    ) -> anyhow::Result<()> {
        refus.garder(numero, brut, &fautes)?;
        self.rapport.refuser(nom, numero, fautes);
        Ok(())
    }
}

fn genre(a: &A) -> &'static str {
    use ror_domaine::ressource::Ressource as _;
    match a {
        A::Structure(s) => s.genre(),
        A::Offre(o) => o.genre(),
        A::Capacite(c) => c.genre(),
    }
    .unwrap_or("inconnu")
}

/// Refused lines beside their file, ready to be corrected and loaded again.
struct Refuses {
    chemin: PathBuf,
    sortie: Option<File>,
    /// Dry run: the report tells them, no file keeps them.
    muet: bool,
}

impl Refuses {
    fn nouveaux(source: &Path, muet: bool) -> Self {
        let chemin = PathBuf::from(format!("{}.refus.ndjson", source.display()));
        if !muet {
            let _ = std::fs::remove_file(&chemin);
        }
        Self { chemin, sortie: None, muet }
    }

    fn garder(&mut self, ligne: u64, brut: &str, fautes: &[Faute]) -> anyhow::Result<()> {
        if self.muet {
            return Ok(());
        }
        if self.sortie.is_none() {
            let f = File::create(&self.chemin)
                .with_context(|| format!("impossible d'écrire {}", self.chemin.display()))?;
            self.sortie = Some(f);
        }
        let v = serde_json::json!({
            "ligne": ligne,
            "fautes": fautes.iter().map(|f| serde_json::json!({ "element": f.element, "regle": f.regle, "message": f.message, "attendu": f.attendu })).collect::<Vec<_>>(),
            "ressource": brut,
        });
        if let Some(f) = self.sortie.as_mut() {
            writeln!(f, "{v}")?;
        }
        Ok(())
    }
}
