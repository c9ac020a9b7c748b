//! `finess-structures-journalier-AAAAMMJJ.json.gz`: FINESS+ Structures v1.0.0, every
//! state, one JSON object on one line.

use std::path::Path;

use super::Vue;
use super::gestes::{GesteEg, GesteEj, cloture};
use super::monde::{Cloture, Eg, Ej, texte};
use crate::dates::{date, horodatage};
use crate::error::Error;
use crate::finess::forme::{Ege, Evenement, InfosEge, InfosPm, Pmej, RoleEge};
use crate::finess::{adresse, code_ape, contact};
use crate::noms::{self, tronquer};
use crate::prng::Prng;
use crate::sortie::Sortie;

/// Id of a legal entity in FINESS.
pub fn id_ej(rang: u32) -> String {
    (9_000_000 + rang).to_string()
}

/// Id of a site in FINESS.
pub fn id_eg(rang: u32) -> String {
    (9_500_000 + rang).to_string()
}

/// Writes the whole file; answers the legal entities and the sites.
pub fn ecrire(chemin: &Path, vue: &Vue<'_>) -> Result<(u64, u64), Error> {
    let mut sortie = Sortie::creer_gzip(chemin)?;
    let mut f = Fabrique { vue, evenements: vue.premier_evenement(), sites: 0 };
    sortie.texte(&format!(
        "{{\"schemaVersion\":\"v1.0.0\",\"generatedAt\":\"{}T02:14:30.574916741Z\",\"gco\":[],\"gcc\":[],\"pmej\":[",
        date(vue.jour())
    ))?;
    for rang in 0..vue.nombre_ej() {
        if rang > 0 {
            sortie.texte(",")?;
        }
        sortie.json(&f.pmej(rang)?)?;
    }
    sortie.texte("]}\n")?;
    sortie.finir()?;
    Ok((u64::from(vue.nombre_ej()), f.sites))
}

struct Fabrique<'a> {
    vue: &'a Vue<'a>,
    evenements: u64,
    sites: u64,
}

/// The object of an event: its id and, for some, that of another.
struct Objet<'o> {
    genre: &'static str,
    id: &'o str,
    autre: Option<String>,
}

impl Fabrique<'_> {
    fn pmej(&mut self, rang: u32) -> Result<Pmej, Error> {
        let vue = self.vue;
        let ej = vue.ej(rang)?;
        let geste = vue.lendemain.and_then(|l| l.ej.get(&rang)).copied();
        let t = vue.monde.texte_ej(rang, ej);
        let nom = match geste {
            Some(GesteEj::Nom) => renommer(&t.nom, vue.monde.graine, rang),
            _ => t.nom,
        };
        let telephone = match geste {
            Some(GesteEj::Telephone) => Some(autre_numero(t.telephone.as_deref())),
            _ => t.telephone,
        };
        let fermeture = match geste {
            Some(GesteEj::Fermee) => Some(Cloture { jour: vue.jour(), code: "005", etat: Some("005") }),
            Some(GesteEj::FermeeApresTransfert) => {
                Some(Cloture { jour: vue.jour(), code: "020", etat: Some("020") })
            }
            _ => ej.fermeture,
        };
        let id = id_ej(rang);
        let categorie = &vue.monde.donnees.categories[ej.categorie];
        let objet = |autre| Objet { genre: "PM", id: &id, autre };
        let mut evenement = vec![self.evenement(&objet(None), ej.creation, Some("001"), "001")];
        if let Some(f) = fermeture {
            evenement.push(self.evenement(&objet(None), f.jour, f.etat, f.code));
        }
        let mut ege = Vec::new();
        for site in vue.sites(rang, ej) {
            ege.push(self.ege(site, rang, ej)?);
        }
        self.sites += ege.len() as u64;
        let commune = vue.monde.donnees.commune(ej.commune)?;
        let maj = if geste.is_some() || ej.creation == vue.jour() { vue.jour() } else { t.maj };
        Ok(Pmej {
            informations: InfosPm {
                code_ape: t.siren.as_ref().and_then(|_| code_ape(categorie.famille)),
                pm_smsse_id: id,
                complement_adresse_pm_smsse: None,
                date_creation: date(ej.creation),
                date_fermeture: fermeture.map(|f| date(f.jour)),
                denomination_longue_pm_smsse: tronquer(&nom, 98),
                denomination_pm: tronquer(&nom, 38),
                num_finess_pm: texte(&ej.finess).to_owned(),
                fonction_publique: matches!(t.statut, "13" | "21").then_some("01"),
                categorie: None,
                siren: t.siren,
                statut_juridique: t.statut,
                type_groupe_gco: None,
                type_personne_morale: "01",
            },
            adresse: vec![adresse("02", &t.voie, commune, None)],
            contact: telephone.iter().map(|n| contact(n)).collect(),
            engagement: Vec::new(),
            evenement,
            ege,
            etat_objet: if fermeture.is_some() { "I" } else { "A" },
            date_derniere_maj: horodatage(maj),
        })
    }

    fn ege(&mut self, rang: u32, rang_ej: u32, ej: &Ej) -> Result<Ege, Error> {
        let vue = self.vue;
        let eg = vue.eg(rang)?;
        let geste = vue.lendemain.and_then(|l| l.eg.get(&rang)).copied();
        let donnees = vue.monde.donnees;
        let categorie = &donnees.categories[eg.categorie];
        let mut t = vue.monde.texte_eg(rang, eg, ej.region)?;
        let mut fermeture = eg.fermeture;
        match geste {
            Some(GesteEg::Nom) => t.nom = tronquer(&renommer(&t.nom, vue.monde.graine, rang), 80),
            Some(GesteEg::Telephone) => t.telephone = Some(autre_numero(t.telephone.as_deref())),
            Some(GesteEg::Adresse) => t.voie.numero += 1,
            Some(GesteEg::Tarif) => t.mft = if t.mft == "99" { "08" } else { "99" },
            Some(GesteEg::Fermee(etat)) => fermeture = Some(cloture(vue.jour(), etat)),
            Some(GesteEg::Rouverte) => fermeture = None,
            Some(GesteEg::Transferee) | None => {}
        }
        let id = id_eg(rang);
        let evenement = self.evenements_eg(&id, eg, rang_ej, geste);
        let hospitalier = matches!(categorie.famille, "SAN" | "PSY");
        let commune = donnees.commune(eg.commune)?;
        let maj = if geste.is_some() || eg.ouverture == vue.jour() { vue.jour() } else { t.maj };
        Ok(Ege {
            informations: InfosEge {
                ege_id: id,
                complement_denomination_eg: None,
                date_fermeture: fermeture.map(|f| date(f.jour)),
                date_ouverture: date(eg.ouverture),
                date_premiere_autorisation: date(eg.ouverture),
                nom_ege_court: tronquer(&t.nom, 38),
                nom_ege_long: t.nom,
                numero_education_nationale: None,
                numero_reference_externe: None,
                num_finess_ege: texte(&eg.finess).to_owned(),
                espic: hospitalier.then_some(["1"]),
                siret: t.siret,
            },
            categorie: categorie.code,
            mft: t.mft,
            type_budget: [if hospitalier { "02" } else { "01" }],
            adresse: vec![adresse("03", &t.voie, commune, t.place)],
            contact: t.telephone.iter().map(|n| contact(n)).collect(),
            engagement: Vec::new(),
            evenement,
            role_ege: self.roles(rang, eg),
            etat_objet: if fermeture.is_some() { "I" } else { "A" },
            date_derniere_maj: horodatage(maj),
        })
    }

    fn evenements_eg(&mut self, id: &str, eg: &Eg, rang_ej: u32, geste: Option<GesteEg>) -> Vec<Evenement> {
        let jour = self.vue.jour();
        let objet = |autre| Objet { genre: "EG", id, autre };
        let mut tous = vec![
            self.evenement(&objet(None), eg.ouverture, Some("003"), "003"),
            self.evenement(&objet(None), eg.ouverture, Some("007"), "007"),
        ];
        // A closure stays in the record after the reopening.
        if let Some(f) = eg.fermeture {
            tous.push(self.evenement(&objet(None), f.jour, f.etat, f.code));
        }
        match geste {
            Some(GesteEg::Fermee(etat)) => {
                tous.push(self.evenement(&objet(None), jour, Some(etat), "005"));
            }
            Some(GesteEg::Rouverte) => tous.push(self.evenement(&objet(None), jour, Some("039"), "039")),
            Some(GesteEg::Transferee) => {
                let depart = objet(Some(id_ej(eg.ej)));
                tous.push(self.evenement(&depart, jour, Some("018"), "018"));
                let arrivee = objet(Some(id_ej(rang_ej)));
                tous.push(self.evenement(&arrivee, jour, Some("019"), "019"));
            }
            _ => {}
        }
        tous
    }

    /// Attachment to the first site of the legal entity, told on both.
    fn roles(&self, rang: u32, eg: &Eg) -> Vec<RoleEge> {
        let monde = self.vue.monde;
        let Some(ej) = monde.ejs.get(eg.ej as usize) else { return Vec::new() };
        let role = |secondaire: u32| RoleEge {
            id_ege_non_porteuse: id_eg(secondaire),
            id_ege_porteuse: id_eg(ej.eg.start),
            role_relation_ege: "B",
        };
        if eg.secondaire {
            return vec![role(rang)];
        }
        if rang != ej.eg.start {
            return Vec::new();
        }
        ej.eg.clone().filter(|r| monde.egs[*r as usize].secondaire).map(role).collect()
    }

    fn evenement(
        &mut self,
        objet: &Objet<'_>,
        jour: i64,
        etat: Option<&'static str>,
        code: &'static str,
    ) -> Evenement {
        self.evenements += 1;
        Evenement {
            evenement_id: self.evenements.to_string(),
            date_enregistrement: "2026-07-07 12:22:32",
            date_evenement: date(jour),
            etat_objet1: etat,
            identifiant_objet1: objet.id.to_owned(),
            type_objet2: objet.autre.is_some().then_some("PM"),
            identifiant_objet2: objet.autre.clone(),
            systeme_maitre: "01",
            type_objet1: objet.genre,
            code_evenement: code,
        }
    }
}

/// Another name: its second word is never that of an ordinary one, so that the short name differs too.
fn renommer(nom: &str, graine: u64, rang: u32) -> String {
    let mut prng = Prng::numerote(graine, "renommer", u64::from(rang));
    let debut = nom.split(' ').next().unwrap_or("");
    format!("{debut} NOUVEAU {}", noms::maison(&mut prng))
}

/// Another number of the same range.
fn autre_numero(numero: Option<&str>) -> String {
    let numero = numero.unwrap_or("0199000000");
    let (debut, fin) = numero.split_at_checked(6).unwrap_or(("019900", "0000"));
    let fin: u32 = fin.parse().unwrap_or(0);
    format!("{debut}{:04}", (fin + 1) % 10_000)
}
