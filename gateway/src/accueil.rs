//! The home page: what this is, the state of each part, a search of offers by
//! activity and place with their free beds. Server-rendered, no script.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use ror_proto::{capacity::v1::capacity, offers::v1::offer, structures::v1::structure};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    Partage, Passerelle,
    accueil_vue::{Accueil, EtatPartie, LitsVue, OffreVue, Partie, Resultats},
    fhir::politique::{Bloc, Faits},
    modele::{ACTIVITES, Modele, Param, TypeFhir, plier},
    recherche::{parametres::Relation, requete::decoder},
};

/// Code system of the départements.
const TRE_DEPARTEMENT: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_G09-DepartementOM/FHIR/TRE-G09-DepartementOM";
/// Results shown.
const MONTRES: usize = 20;
/// Activities proposed.
const PROPOSEES: usize = 600;

const ROLES: [(&str, &str, &str); 7] = [
    ("structures", "Structures", "Entités juridiques, établissements, organisations internes"),
    ("offers", "Offres", "Offres, lieux, situations opérationnelles"),
    ("capacity", "Capacités", "Lits et places"),
    ("nomenclatures", "Nomenclatures", "Codes et libellés"),
    ("identity", "Identités", "Miroirs FINESS et RPPS"),
    ("access", "Accès", "Habilitations et jetons"),
    ("bascule", "Bascule", "Écrivain de chaque région"),
];

/// GET /accueil.css
pub async fn style() -> Response {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")],
        include_str!("../templates/accueil.css"),
    )
        .into_response()
}

/// GET /
pub async fn page(State(p): State<Partage>, RawQuery(chaine): RawQuery) -> Response {
    let (mut activite, mut lieu) = (String::new(), String::new());
    for (nom, valeur) in chaine.as_deref().unwrap_or("").split('&').filter_map(|c| c.split_once('=')) {
        let valeur: String = decoder(valeur).unwrap_or_default().trim().chars().take(120).collect();
        match nom {
            "activite" => activite = valeur,
            "lieu" => lieu = valeur,
            _ => {}
        }
    }
    let parties = parties(&p).await;
    let vue = construire(&p, parties, activite, lieu);
    match vue.render() {
        Ok(html) => (
            StatusCode::OK,
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            html,
        )
            .into_response(),
        Err(e) => {
            tracing::error!(error = %e, "home page not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn parties(p: &Passerelle) -> Vec<Partie> {
    let controles = ROLES.iter().map(|(nom, titre, role)| async move {
        let canal = p.sante.iter().find(|(n, _)| n == nom).map(|(_, c)| c.clone());
        let repond = match canal {
            Some(c) => {
                let appel =
                    async { HealthClient::new(c).check(HealthCheckRequest { service: String::new() }).await };
                matches!(tokio::time::timeout(Duration::from_millis(500), appel).await, Ok(Ok(_)))
            }
            None => false,
        };
        let retard = p.fraicheur.de(nom);
        let (etat, detail) = match (repond, retard) {
            (true, Some(s)) if s > p.reglages.retard_max_s => {
                (EtatPartie::EnRetard, format!("données d'il y a {}", duree(s)))
            }
            (true, Some(_)) => (EtatPartie::EnService, "données à jour".to_owned()),
            (true, None) => (EtatPartie::EnService, "répond".to_owned()),
            (false, Some(s)) => (
                EtatPartie::Arrete,
                format!("ne répond pas ; la recherche sert les données d'il y a {}", duree(s)),
            ),
            (false, None) => (EtatPartie::Arrete, "ne répond pas".to_owned()),
        };
        Partie { nom: (*titre).to_owned(), role: (*role).to_owned(), etat, detail }
    });
    futures::future::join_all(controles).await
}

fn duree(s: f64) -> String {
    match s as u64 {
        s if s < 60 => format!("{s} s"),
        s if s < 3600 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} j", s / 86_400),
    }
}

fn construire(p: &Passerelle, parties: Vec<Partie>, activite: String, lieu: String) -> Accueil {
    let tables = p.vocabulaire.tables();
    let m = p.annuaire.instant();
    let profil = p.reglages.profil_accueil.filter(|_| p.etat.pret());
    let mut activites = Vec::new();
    let mut resultats = None;
    let mut message = None;
    let mut exemple = None;
    if let Some(profil) = profil {
        let visibles = m.table(TypeFhir::HealthcareService).visibles(profil);
        activites = m
            .table(TypeFhir::HealthcareService)
            .index
            .frequences(Param::Specialty, visibles)
            .into_iter()
            .filter_map(|(code, _)| tables.libelle(ACTIVITES, &code).map(|l| (code.clone(), l.to_owned())))
            .take(PROPOSEES)
            .collect();
        activites.sort_by_key(|a| plier(&a.1));
        exemple = activites.first().map(|a| a.0.clone());
        if !activite.is_empty() || !lieu.is_empty() {
            match chercher(&m, &tables, profil, &activites, &activite, &lieu) {
                Ok(r) => resultats = Some(r),
                Err(e) => message = Some(e),
            }
        }
    }
    let noms = [
        (TypeFhir::Organization, "Structures"),
        (TypeFhir::HealthcareService, "Offres"),
        (TypeFhir::Location, "Lieux"),
        (TypeFhir::Practitioner, "Professionnels"),
        (TypeFhir::PractitionerRole, "Situations opérationnelles"),
    ];
    // What its profile sees; without one it searches nothing, and counts nothing.
    let nombre = |t: TypeFhir| profil.map(|p| m.table(t).visibles(p).len());
    Accueil {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pret: p.etat.pret(),
        parties,
        compte: noms.iter().filter_map(|(t, n)| Some(((*n).to_owned(), nombre(*t)?))).collect(),
        recherche_ouverte: p.reglages.profil_accueil.is_some(),
        activites,
        activite,
        lieu,
        message,
        resultats,
        base_fhir: super::http::DIFFUSION.to_owned(),
        exemple,
    }
}

fn chercher(
    m: &Modele,
    tables: &ror_domaine::vocabulaire::Tables,
    profil: u8,
    activites: &[(String, String)],
    activite: &str,
    lieu: &str,
) -> Result<Resultats, String> {
    let offres = m.table(TypeFhir::HealthcareService);
    let mut rangs = offres.visibles(profil).clone();
    if !activite.is_empty() {
        let cherche = plier(activite);
        let egale = activites.iter().find(|(c, l)| c == activite || plier(l) == cherche);
        // A free word stands for every activity whose label holds it.
        let codes: Vec<&str> = match egale {
            Some((c, _)) => vec![c],
            None => activites
                .iter()
                .filter(|(_, l)| plier(l).contains(&cherche))
                .map(|(c, _)| c.as_str())
                .collect(),
        };
        if codes.is_empty() {
            return Err(format!(
                "Aucune activité ne correspond à « {activite} ». Choisissez-en une dans la liste proposée."
            ));
        }
        let mut trouvees = roaring::RoaringBitmap::new();
        for c in codes {
            trouvees |= offres.index.chercher(Param::Specialty, None, c);
        }
        rangs &= trouvees;
    }
    if !lieu.is_empty() {
        let lieux = m.table(TypeFhir::Location);
        let mut places = if lieu.bytes().all(|b| b.is_ascii_alphanumeric())
            && lieu.bytes().any(|b| b.is_ascii_digit())
        {
            lieux.codes_postaux.debut(lieu)
        } else {
            let cherche = plier(lieu);
            let mut r = roaring::RoaringBitmap::new();
            for (code, c) in tables.concepts(ror_domaine::liaisons::TRE_COMMUNE) {
                let nom = plier(c.libelle);
                if nom == cherche || nom.replace('-', " ") == cherche {
                    r |= lieux.index.chercher(Param::CommuneCog, None, code);
                }
            }
            for (code, _) in tables.concepts(TRE_DEPARTEMENT).filter(|(_, c)| plier(c.libelle) == cherche) {
                r |= lieux.codes_postaux.debut(code);
            }
            r
        };
        places &= lieux.visibles(profil);
        if places.is_empty() {
            return Err(format!(
                "Aucun lieu ne correspond à « {lieu} ». Donnez un code postal, un département (deux chiffres) ou le nom d'une commune."
            ));
        }
        rangs &= m.liens.de(Relation::Lieux).sources_de(&places);
    }
    let total = rangs.len();
    let mut vues: Vec<OffreVue> =
        rangs.iter().take(2000).filter_map(|r| offre_vue(m, tables, r, profil)).collect();
    // Offers with free beds first, then by name: the same question gives the same list.
    vues.sort_by(|a, b| {
        let libres = |v: &OffreVue| v.lits.iter().map(|l| l.nombre).sum::<u32>();
        libres(b).cmp(&libres(a)).then_with(|| a.nom.cmp(&b.nom)).then_with(|| a.id.cmp(&b.id))
    });
    vues.truncate(MONTRES);
    Ok(Resultats { total, offres: vues })
}

fn offre_vue(
    m: &Modele,
    tables: &ror_domaine::vocabulaire::Tables,
    rang: u32,
    profil: u8,
) -> Option<OffreVue> {
    let e = m.extraire(TypeFhir::HealthcareService, rang, profil)?;
    let Some(offer::Ressource::Offre(o)) = e.offre()?.ressource else { return None };
    let structure = m
        .liens
        .de(Relation::Porteur)
        .cibles(rang)
        .first()
        .and_then(|s| m.extraire(TypeFhir::Organization, *s, profil))
        .and_then(|s| s.structure()?.ressource)
        .map(|s| match s {
            structure::Ressource::EntiteJuridique(x) => x.raison_sociale,
            structure::Ressource::EntiteGeographique(x) => {
                if x.nom_operationnel.is_empty() {
                    x.denomination
                } else {
                    x.nom_operationnel
                }
            }
            structure::Ressource::OrganisationInterne(x) => x.nom,
        })
        .unwrap_or_default();
    let activite = o
        .activites_operationnelles
        .first()
        .map(|a| tables.libelle(&a.systeme, &a.code).unwrap_or(&a.code).to_owned())
        .unwrap_or_default();
    let (mut ville, mut code_postal, mut lits) = (String::new(), String::new(), Vec::new());
    for l in m.liens.de(Relation::Lieux).cibles(rang) {
        let Some(x) = m.extraire(TypeFhir::Location, *l, profil) else { continue };
        if let Some(offer::Ressource::Lieu(lieu)) = x.offre().and_then(|o| o.ressource)
            && ville.is_empty()
            && let Some(a) = lieu.adresse
        {
            (ville, code_postal) = (a.localite, a.code_postal);
        }
        if let Some(capacity::Ressource::CapaciteLieu(k)) = x.capacite().and_then(|k| k.ressource) {
            let visible = m.politique().permet(Bloc::LieuCapacite, profil, &Faits { statut: 2, ..x.faits });
            lits.extend(k.enregistrements.iter().filter(|_| visible).filter_map(|r| lits_vue(tables, r)));
        }
    }
    Some(OffreVue { id: e.id.to_string(), nom: o.nom, structure, activite, ville, code_postal, lits })
}

/// A current, available quantity.
fn lits_vue(
    tables: &ror_domaine::vocabulaire::Tables,
    r: &ror_proto::capacity::v1::EnregistrementCapacite,
) -> Option<LitsVue> {
    let cle = r.cle.as_ref().filter(|c| c.statut == "02" && c.temporalite == "01")?;
    let nature = if r.nature == "02" { "places" } else { "lits" };
    let genre = tables.libelle(ror_domaine::liaisons::TRE_GENRE_CAPACITE, &cle.genre).map(str::to_lowercase);
    let precision = genre.map_or_else(|| nature.to_owned(), |g| format!("{nature}, {g}"));
    let age = r.date_maj.as_ref().and_then(ror_chassis::conversion::instant).map_or_else(
        || "date inconnue".to_owned(),
        |d| format!("il y a {}", duree((time::OffsetDateTime::now_utc() - d).as_seconds_f64().max(0.0))),
    );
    Some(LitsVue { nombre: r.nombre, precision, age })
}
