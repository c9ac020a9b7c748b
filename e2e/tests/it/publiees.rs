//! Every read of the published scenarios as it is written there, dates and examples aside, against
//! brute force.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use ror_e2e::{
    Client, Rapport,
    fhir::{tableau, texte},
    oracle::{
        demande::{Reponse, contexte, exporter, marcher},
        filtre::{Filtre, Noeud},
        index::{Contexte, Index},
        lecture::{critere, lire},
        parametres::Genre::{
            self, HealthcareService as Offre, Location as Lieu, Organization as Structure,
            PractitionerRole as Role,
        },
        reponse::verifier,
    },
};

use crate::{monde::Monde, recherche::PAQUET};

/// Matches of a page, when nothing is said.
const PAGE: usize = 200;
const UCUM: &str = "https://unitsofmeasure.org|a";

/// A request: its type, its criteria as published, what its `_filter` means, includes or sort.
struct Publiee {
    genre: Genre,
    criteres: Vec<(String, String)>,
    filtre: Option<Noeud>,
    suite: Vec<(String, String)>,
}

/// What the demo gives the published requests to look for.
struct Exemples<'m> {
    m: &'m Monde,
    depuis: String,
    jusque: String,
    lieux: [String; 2],
    numeros: [String; 2],
}

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("publiees: every read of the scenarios is answered as brute force says", scenarios(m)).await;
    r.verifier("publiees: full text is accepted as published", plein_texte(m)).await;
}

async fn scenarios(m: &Monde) -> Result<()> {
    let contexte = Arc::new(contexte(&m.p1).await?);
    let publiees = publiees(&Exemples::lire(m)?)?;
    ensure!(publiees.len() > 45, "{} requests only", publiees.len());
    for (client, trouvees_min) in [(m.p1.as_ref(), 15), (&m.p0, 10)] {
        let mut index = exporter(client, &contexte, None).await?.context("the moment lapsed")?;
        let mut trouvees = 0;
        for p in &publiees {
            trouvees += usize::from(comparer(client, &contexte, &mut index, p).await? > 0);
        }
        ensure!(trouvees >= trouvees_min, "{}: {trouvees} requests find something", client.nom);
    }
    Ok(())
}

/// How many are found, after the comparison.
async fn comparer(
    client: &Client,
    contexte: &Arc<Contexte>,
    index: &mut Index,
    publiee: &Publiee,
) -> Result<usize> {
    let parametres: Vec<(String, String)> = publiee.criteres.iter().chain(&publiee.suite).cloned().collect();
    let mut requete = lire(publiee.genre, &parametres)?;
    requete.nombre = Some(PAGE);
    requete.filtres.extend(publiee.filtre.clone().map(|noeud| Filtre {
        noeud,
        majuscules: false,
        entoure: false,
        echappe: false,
    }));
    let dite = format!("{}: {}?{parametres:?}", client.nom, publiee.genre.nom());
    match marcher(client, publiee.genre.nom(), &parametres).await? {
        Reponse::Pages { moment, pages } => {
            if moment != index.moment {
                *index = exporter(client, contexte, Some(moment)).await?.context("the moment lapsed")?;
            }
            let verdict = verifier(index, &requete, &pages);
            if let Some(ecart) = verdict.ecart {
                bail!("{dite}\n  {}", ecart.0);
            }
            Ok(verdict.attendus)
        }
        Reponse::Perime => bail!("{dite}: lapsed"),
        Reponse::Refus(refus) => bail!("{dite}: {refus}"),
    }
}

/// A code with its national system.
fn s(tre: &str, code: &str) -> String {
    format!("https://mos.esante.gouv.fr/NOS/TRE_{tre}/FHIR/TRE-{tre}|{code}")
}

fn activite(code: &str) -> String {
    s("R211-ActiviteOperationnelle", code)
}

fn categorie(code: &str) -> String {
    s("R244-CategorieOrganisation", code)
}

fn commune(code: &str) -> String {
    s("R13-CommuneOM", code)
}

impl<'m> Exemples<'m> {
    fn lire(m: &'m Monde) -> Result<Self> {
        let mut lieux = Vec::new();
        let mut numeros = Vec::new();
        for lieu in m.vue1.tous("Location") {
            let numero =
                tableau(lieu, "identifier").iter().map(|i| texte(i, "/value")).find(|v| v.contains('/'));
            if let Some(numero) = numero {
                lieux.push(texte(lieu, "/id").to_owned());
                numeros.push(numero.to_owned());
            }
        }
        let deux = |v: Vec<String>| -> Result<[String; 2]> {
            let premiers: Vec<String> = v.into_iter().take(2).collect();
            premiers.try_into().ok().context("two places")
        };
        // The dates of the demo, cut in two.
        let mut dates: Vec<&str> =
            m.vue1.tous("HealthcareService").map(|o| texte(o, "/meta/lastUpdated")).collect();
        dates.sort_unstable();
        let minute = |rang: usize| dates.get(rang).and_then(|d| d.get(..16)).map(str::to_owned);
        Ok(Self {
            m,
            depuis: minute(dates.len() / 2).context("a date")?,
            jusque: minute(dates.len().saturating_sub(1)).context("a date")?,
            lieux: deux(lieux)?,
            numeros: deux(numeros)?,
        })
    }

    fn dit(&self, nom: &str) -> Result<&'m str> {
        self.m.exemple(nom)
    }
}

fn une(genre: Genre, criteres: &[(&str, &str)], suite: &[(&str, &str)]) -> Publiee {
    let paires = |liste: &[(&str, &str)]| -> Vec<(String, String)> {
        liste.iter().map(|(nom, valeur)| ((*nom).to_owned(), (*valeur).to_owned())).collect()
    };
    Publiee { genre, criteres: paires(criteres), filtre: None, suite: paires(suite) }
}

impl Publiee {
    /// The same with a filter, and what it means.
    fn filtrer(mut self, ecrit: &str, sens: Noeud) -> Self {
        self.criteres.insert(0, ("_filter".to_owned(), ecrit.to_owned()));
        self.filtre = Some(sens);
        self
    }
}

/// One comparison of a filter, its operator as a prefix.
fn c(genre: Genre, nom: &str, valeur: &str) -> Result<Noeud> {
    Ok(Noeud::Critere(Box::new(critere(genre, nom, valeur)?)))
}

/// The same parameter with one of these values.
fn parmi(genre: Genre, nom: &str, valeurs: &[&str]) -> Result<Noeud> {
    Ok(Noeud::Ou(valeurs.iter().map(|v| c(genre, nom, v)).collect::<Result<_>>()?, false))
}

fn publiees(e: &Exemples<'_>) -> Result<Vec<Publiee>> {
    let mut toutes = capacites(e)?;
    toutes.extend(offres(e)?);
    toutes.extend(criteres_principaux(e)?);
    toutes.extend(donnees_capacitaires());
    toutes.extend(tarifs());
    toutes.extend(autres(e)?);
    Ok(toutes)
}

/// 5.1
fn capacites(e: &Exemples<'_>) -> Result<Vec<Publiee>> {
    let lieux =
        |criteres: &[(&str, &str)]| une(Lieu, criteres, &[("_revinclude", "HealthcareService:location")]);
    let [a, b] = e.lieux.each_ref().map(String::as_str);
    let [n1, n2] = e.numeros.each_ref().map(String::as_str);
    let postaux = ["22", "29", "35", "56"];
    let j236 =
        "https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR";
    Ok(vec![
        lieux(&[]),
        lieux(&[]).filtrer(
            r#"(address-postalcode eq "22" or "29" or "35" or "56")"#,
            parmi(Lieu, "address-postalcode", &postaux)?,
        ),
        lieux(&[("_tag", "52")]),
        lieux(&[("_tag", &s("R30-RegionOM", "52"))]),
        lieux(&[("identifier", n1)]),
        lieux(&[("identifier", &format!("{j236}|{n1}"))]),
        lieux(&[("_id", &format!("{a},{b}"))]),
        lieux(&[]).filtrer(&format!("(_id eq {a} or {b})"), parmi(Lieu, "_id", &[a, b])?),
        lieux(&[("_lastUpdated", &format!("ge{}", &e.depuis[..10]))]),
        lieux(&[("identifier", &format!("{n1},{n2}"))]),
        lieux(&[]).filtrer(&format!("(identifier eq {n1} or {n2})"), parmi(Lieu, "identifier", &[n1, n2])?),
    ])
}

/// 5.2
fn offres(e: &Exemples<'_>) -> Result<Vec<Publiee>> {
    let d = &e.depuis;
    let depuis = format!("ge{d}");
    let delta = Noeud::Ou(
        vec![c(Offre, "_lastUpdated", &depuis)?, c(Offre, "organization._lastUpdated:above", &depuis)?],
        false,
    );
    Ok(vec![
        une(Offre, &[], &PAQUET),
        une(Offre, &[("organization.identifier:above", e.dit("eg_idnatst")?)], &PAQUET),
        une(Offre, &[("organization.identifier:above", e.dit("eg_finess")?)], &PAQUET),
        une(Offre, &[("identifier", e.dit("offre_identifier")?)], &PAQUET),
        une(Offre, &[("_lastUpdated", &depuis)], &PAQUET),
        une(Offre, &[("_lastUpdated", &format!("{depuis}:00+01:00"))], &PAQUET),
        une(
            Offre,
            &[
                ("organization._lastUpdated:above", &depuis),
                ("organization.type", &s("R66-CategorieEtablissement", "124,355")),
            ],
            &PAQUET,
        ),
        une(Offre, &[], &PAQUET)
            .filtrer(&format!("(_lastUpdated ge {d} or organization._lastUpdated:above ge {d})"), delta),
    ])
}

/// 5.3
fn criteres_principaux(e: &Exemples<'_>) -> Result<Vec<Publiee>> {
    let offre = |criteres: &[(&str, &str)]| une(Offre, criteres, &PAQUET);
    let (a005, a481) = (activite("005"), activite("481"));
    let (c102, a233, c62) = (categorie("102"), activite("233"), categorie("62"));
    let (mode, acte) = (s("R213-ModePriseEnCharge", "46"), s("R210-ActeSpecifique", "0626"));
    let eg = s("R66-CategorieEtablissement", "189");
    let age = |nom: &str, prefixe: &str| c(Offre, nom, &format!("{prefixe}35|{UCUM}"));
    let aux_ages = Noeud::Et(vec![
        Noeud::Ou(vec![c(Offre, "service-category", &c102)?, c(Offre, "specialty", &a233)?], false),
        age("age-range-low", "le")?,
        age("age-range-high", "ge")?,
    ]);
    let porteur_ou_type = Noeud::Ou(
        vec![c(Offre, "organization.type:above", &eg)?, c(Offre, "service-category", &c62)?],
        false,
    );
    let postal = "location.address-postalcode";
    let (k1, k2) = (commune("18000"), commune("13013"));
    let deux_communes = parmi(Offre, "location.commune-cog", &[&k1, &k2])?;
    let point = "47.21827323906432|-1.6369631507460436|15|km";
    Ok(vec![
        offre(&[("specialty", &activite("227"))]),
        offre(&[])
            .filtrer(&format!("(specialty eq {a005} or {a481})"), parmi(Offre, "specialty", &[&a005, &a481])?),
        offre(&[("service-category", &categorie("50")), ("characteristic", &s("R338-ModaliteAccueil", "01"))]),
        offre(&[]).filtrer(
            &format!(
                "(((service-category eq {c102}) or (specialty eq {a233})) and (age-range-low le 35|{UCUM} and age-range-high ge 35|{UCUM}))"
            ),
            aux_ages,
        ),
        offre(&[("characteristic", &acte)]).filtrer(
            &format!("((organization.type:above eq {eg}) or (service-category eq {c62}))"),
            porteur_ou_type,
        ),
        offre(&[("specialty", &activite("013")), ("location.near-insee-code", "44162|15|km")]),
        offre(&[("specialty", &activite("013")), ("location.near", point)]),
        offre(&[
            ("intervention-zone", &commune("29151")),
            ("specialty", &activite("293")),
            ("service-category", &categorie("30")),
        ]),
        offre(&[
            (postal, "71"),
            ("service-category", &categorie("21")),
            ("characteristic", &mode),
            ("characteristic", &s("R245-SpecialisationDePriseEnCharge", "24")),
        ]),
        offre(&[("specialty", &activite("017")), ("characteristic", &s("R210-ActeSpecifique", "0529"))])
            .filtrer(
                &format!(r#"({postal} eq "60000" or "76620")"#),
                parmi(Offre, postal, &["60000", "76620"])?,
            ),
        offre(&[("location.commune-cog", &format!("{k1},13013"))]),
        offre(&[]).filtrer(
            &format!("(location.commune-cog eq {k1} OR location.commune-cog eq {k2})"),
            deux_communes,
        ),
        offre(&[("location.commune-cog", &commune(e.dit("commune_cog")?))]),
        offre(&[("characteristic", &s("R243-CompetenceSpecifique", "05"))]),
        offre(&[("_has:PractitionerRole:service:practitioner.identifier", e.dit("professionnel_idnatps")?)]),
    ])
}

/// 5.4
fn donnees_capacitaires() -> Vec<Publiee> {
    let offre =
        |criteres: &[(&str, &str)]| une(Offre, criteres, &[("_include", "HealthcareService:location")]);
    let nature = s("R329-NatureCapacite", "01");
    vec![
        offre(&[
            ("specialty", &activite("356")),
            ("location.capacity-type", &nature),
            ("location.gender-capacity-available", &s("R332-GenreCapacite", "01")),
            ("location.temporality-capacity", &s("R331-TemporaliteCapacite", "01")),
            ("location.capacity-status", &s("R330-TypeStatutCapacite", "02")),
            ("location.nb-capacity", "gt0"),
        ]),
        offre(&[
            ("specialty", &activite("391")),
            ("location.capacity-type", &nature),
            ("location.capacity-closing-type", &s("R333-TypeFermetureCapacite", "01")),
            ("location.capacity-status", &s("R330-TypeStatutCapacite", "05")),
            ("location.nb-capacity", "gt0"),
        ]),
        offre(&[
            ("specialty", &activite("025")),
            ("location.equipment-type", &s("R212-Equipement", "088")),
            ("location.equipment-feature", &s("R340-TypeCaracteristiqueEquipement", "001")),
            ("location.limit-value", "ge200|http://unitsofmeasure.org|kg"),
        ]),
        // The same, whatever the activity.
        offre(&[
            ("location.capacity-type", &nature),
            ("location.capacity-status", &s("R330-TypeStatutCapacite", "02")),
            ("location.nb-capacity", "gt0"),
        ]),
    ]
}

/// 5.5
fn tarifs() -> Vec<Publiee> {
    let (socle, dependance) = (s("R246-TypeTarif", "02"), s("R246-TypeTarif", "03"));
    let offre = |criteres: &[(&str, &str)], suite: &[(&str, &str)]| une(Offre, criteres, suite);
    vec![
        offre(
            &[("organization.price-type", &socle), ("organization.price-amount-value", "lt75")],
            &[("_sort", "-organization.price-validity-start-date")],
        ),
        offre(
            &[
                ("organization.price-type", &socle),
                ("organization.price-amount-value", "le75"),
                ("organization.price-residential-type", &s("R242-TypeHabitation", "03")),
                ("organization.special-price", &s("R250-ConditionTarifaire", "03")),
            ],
            &[],
        ),
        offre(
            &[
                ("organization.price-type", &dependance),
                ("organization.price-amount-value", "lt75"),
                ("organization.price-dependency-level", &s("R237-GroupeTarifaireDependance", "02")),
                ("organization.price-welcome-type", &s("R240-TemporaliteAccueil", "02")),
            ],
            &[],
        ),
    ]
}

/// 5.13
fn autres(e: &Exemples<'_>) -> Result<Vec<Publiee>> {
    let (depuis, jusque) = (format!("ge{}", e.depuis), format!("le{}", e.jusque));
    let partie = [("_include", "Organization:partof")];
    let (cog, point) = (e.dit("commune_cog")?, "47.21827323906432|-1.6369631507460436|15|km");
    Ok(vec![
        une(Structure, &[("identifier", e.dit("eg_idnatst")?)], &partie),
        une(Structure, &[("name:contains", "chu")], &[]),
        une(Structure, &[("name", "Centre")], &partie),
        une(Structure, &[("_lastUpdated", &depuis), ("_lastUpdated", &jusque)], &[]),
        une(Structure, &[("type", &s("R66-CategorieEtablissement", "355"))], &partie),
        une(Structure, &[("type", &s("R207-TypeOrganisationInterne", "2"))], &partie),
        une(Structure, &[("_tag", &s("R30-RegionOM", "52"))], &partie),
        une(Role, &[("_id", e.dit("situation_id")?)], &[]),
        une(Role, &[("identifier", "11102379616")], &[]),
        une(Role, &[("_lastUpdated", &depuis)], &[]),
        une(Role, &[("_tag", &s("R30-RegionOM", "52"))], &[]),
        une(Lieu, &[("status", "active")], &[]),
        une(Lieu, &[("type", &s("R343-FonctionLieu", "001"))], &[]),
        une(Lieu, &[("address-city", e.dit("ville")?)], &[]),
        une(Lieu, &[("commune-cog", &commune(cog))], &[]),
        une(Lieu, &[("near", point)], &[]),
        une(Lieu, &[("near-insee-code", &format!("{cog}|15|km"))], &[]),
        une(Lieu, &[("_lastUpdated", &depuis), ("_lastUpdated", &jusque)], &[("_sort", "_lastUpdated")]),
    ])
}

/// 5.6: how it finds is no matter of brute force, that it is accepted is.
async fn plein_texte(m: &Monde) -> Result<()> {
    let filtre = "(_content=cardio or location._content=cardio)";
    for critere in [("_content", "cardio"), ("_filter", filtre)] {
        let mut parametres = vec![critere];
        parametres.extend(PAQUET);
        m.p1.chercher("HealthcareService", &parametres).await?.attendre(200)?;
    }
    Ok(())
}
