//! What a resource puts in the model: its codes, texts, quantities, periods and records, the
//! ones a reader finds in its FHIR form (docs/recherche.md).

use ror_domaine::liaisons::{TRE_COMMUNE, TRE_REGION};
use ror_proto::{
    capacity::v1::CapaciteLieu,
    common::v1::{Adresse, Code, Meta, Quantite},
    identity::v1::Professionnel,
    offers::v1::{LieuRealisation, OffreOperationnelle, SituationOperationnelle, offer},
    structures::v1::{Tarif, structure},
};

use super::{
    Sorte, TypeFhir as T,
    enregistrements::{CHAMPS, CodeDe, Donnee, UNITE},
    index::{Cle, Param, normaliser_systeme},
    plier,
    positions::Point,
    valeurs::{Valeur, valeur},
};
use crate::{
    fhir::{
        canoniques as c,
        politique::Faits,
        rendu::{fermeture_en_vigueur, statut_capacite, type_fermeture, type_savoir_faire},
        temps::{ecrire_instant, etendue},
    },
    recherche::communes,
};

/// Code system of the native status of a place.
pub const SYSTEME_STATUT_LIEU: &str = "https://hl7.org/fhir/location-status";
/// Identifier system of RPPS numbers.
pub const SYS_RPPS: &str = "https://rpps.esante.gouv.fr";

/// What is searched of a resource.
#[derive(Default)]
pub(super) struct Vue {
    pub sorte: Sorte,
    pub faits: Faits,
    pub cles: Vec<Cle>,
    /// System (normalised) and value.
    pub identifiants: Vec<(String, String)>,
    /// Folded.
    pub noms: Vec<String>,
    pub mots: Vec<String>,
    pub villes: Vec<String>,
    pub codes_postaux: Vec<String>,
    pub secteurs: Vec<String>,
    pub age_bas: Option<Valeur>,
    pub age_haut: Option<Valeur>,
    pub periode: Option<(i64, i64)>,
    pub position: Point,
    pub equipements: Vec<Donnee>,
    pub habitations: Vec<Donnee>,
    pub tarifs: Vec<Donnee>,
}

/// Ages without unit are in years.
const ANNEE: &str = "a";

impl Vue {
    fn brut(&mut self, param: Param, systeme: &str, code: &str) {
        if !code.is_empty() {
            let systeme = normaliser_systeme(systeme);
            self.cles.push(Cle { param, systeme, code: code.to_owned() });
        }
    }

    fn un(&mut self, param: Param, code: Option<&Code>) {
        if let Some(c) = code {
            self.brut(param, &c.systeme, &c.code);
        }
    }

    fn tous(&mut self, param: Param, codes: &[Code]) {
        codes.iter().for_each(|c| self.un(param, Some(c)));
    }

    fn meta(&mut self, m: Option<&Meta>) {
        if let Some(m) = m {
            self.brut(Param::Tag, TRE_REGION, &m.region);
        }
    }

    fn identifiants<'a>(&mut self, numeros: impl IntoIterator<Item = (&'a str, &'a String)>) {
        for (s, n) in numeros.into_iter().filter(|(_, n)| !n.is_empty()) {
            self.identifiants.push((normaliser_systeme(s), n.clone()));
        }
    }

    fn adresse(&mut self, a: Option<&Adresse>) {
        if let Some(a) = a {
            self.villes.extend(texte(&a.localite));
            self.codes_postaux.extend(texte(&a.code_postal));
        }
    }

    fn finir(mut self, noms: &[&String]) -> Self {
        // Kept one a line: a line feed within a name is a blank.
        let une_ligne = |n: &&String| plier(n).replace(['\n', '\u{1}'], " ");
        self.noms = noms.iter().filter(|n| !n.is_empty()).map(une_ligne).collect();
        self.mots = self.noms.iter().flat_map(|n| n.split_whitespace().map(str::to_owned)).collect();
        let systemes: Vec<String> = self.identifiants.iter().map(|(s, _)| s.clone()).collect();
        // The set of a system, so that `system|` needs no walk; the code stands for all.
        systemes.iter().for_each(|s| self.brut(Param::SystemeIdentifiant, s, "*"));
        self.cles.sort_unstable();
        self.cles.dedup();
        for textes in [&mut self.mots, &mut self.villes, &mut self.codes_postaux, &mut self.secteurs] {
            textes.sort_unstable();
            textes.dedup();
        }
        self
    }
}

fn texte(t: &str) -> Option<String> {
    (!t.is_empty()).then(|| plier(t))
}

fn intervalle(debut: &str, fin: &str) -> Option<(i64, i64)> {
    if debut.is_empty() && fin.is_empty() {
        return None;
    }
    let de = etendue(debut).map_or(i64::MIN, |(d, _)| d);
    Some((de, etendue(fin).map_or(i64::MAX, |(_, f)| f)))
}

fn code(c: Option<&Code>) -> CodeDe {
    c.map(|c| (normaliser_systeme(&c.systeme), c.code.clone())).unwrap_or_default()
}

fn de(systeme: &str, c: &str) -> CodeDe {
    if c.is_empty() { CodeDe::default() } else { (normaliser_systeme(systeme), c.to_owned()) }
}

fn donnee<const N: usize>(champs: [CodeDe; N], nombre: f64, date: &str) -> Donnee {
    let mut codes: [CodeDe; CHAMPS] = Default::default();
    champs.into_iter().zip(&mut codes).for_each(|(c, place)| *place = c);
    let date = etendue(date).map_or((0, 0), |(d, f)| (d, u32::try_from(f - d).unwrap_or(u32::MAX)));
    Donnee { codes, statut: 0, nombre, date }
}

fn age(q: Option<&Quantite>) -> Option<Valeur> {
    let q = q?;
    let unite = q.unite.as_ref().map_or("", |u| u.code.as_str());
    Some(valeur(q.valeur, if unite.is_empty() { ANNEE } else { unite }))
}

/// A structure.
pub(super) fn structure(r: &structure::Ressource) -> Vue {
    let mut v = Vue::default();
    match r {
        structure::Ressource::EntiteJuridique(e) => {
            v.sorte = Sorte::Ej;
            v.meta(e.meta.as_ref());
            v.identifiants([
                (c::SYS_ID_NAT_STRUCT, &e.id_nat_struct),
                (c::SYS_FINESS, &e.num_finess),
                (c::SYS_SIRENE, &e.num_siren),
                (c::SYS_RPPS_RANG, &e.num_rpps_rang),
                (c::SYS_ADELI_RANG, &e.num_adeli_rang),
            ]);
            v.identifiants(e.finess_anterieurs.iter().map(|n| (c::SYS_FINESS, n)));
            v.un(Param::Type, e.statut_juridique.as_ref());
            v.un(Param::Type, e.sous_ensemble_statut_juridique.as_ref());
            v.un(Param::TypeFermeture, e.type_fermeture.as_ref());
            v.periode = etendue(&e.date_fermeture);
            v.finir(&[&e.raison_sociale])
        }
        structure::Ressource::EntiteGeographique(e) => {
            v.sorte = Sorte::Eg;
            v.meta(e.meta.as_ref());
            v.identifiants([
                (c::SYS_ID_NAT_STRUCT, &e.id_nat_struct),
                (c::SYS_FINESS, &e.num_finess),
                (c::SYS_SIRENE, &e.num_siren),
                (c::SYS_SIRENE, &e.num_siret),
                (c::SYS_RPPS_RANG, &e.num_rpps_rang),
                (c::SYS_ADELI_RANG, &e.num_adeli_rang),
            ]);
            v.identifiants(e.finess_anterieurs.iter().map(|n| (c::SYS_FINESS, n)));
            v.un(Param::Type, e.categorie.as_ref());
            v.un(Param::Type, e.modalite_participation_sph.as_ref());
            v.un(Param::TypeFermeture, e.type_fermeture.as_ref());
            if let Some(z) = e.zone_poser {
                v.brut(Param::ZonePoser, "", if z { "true" } else { "false" });
            }
            v.periode = etendue(&e.date_fermeture);
            v.tarifs = e.tarifs.iter().map(tarif).collect();
            v.finir(&[&e.denomination, &e.nom_operationnel])
        }
        structure::Ressource::OrganisationInterne(o) => {
            v.sorte = Sorte::Oi;
            v.meta(o.meta.as_ref());
            v.identifiants([(c::SYS_OI, &o.identifiant)]);
            v.un(Param::Type, o.r#type.as_ref());
            v.un(Param::TypeFermeture, o.type_fermeture.as_ref());
            v.periode = etendue(&o.date_fermeture);
            v.finir(&[&o.nom])
        }
    }
}

fn tarif(t: &Tarif) -> Donnee {
    let champs = [
        code(t.r#type.as_ref()),
        code(t.unite_prix.as_ref()),
        code(t.type_habitation.as_ref()),
        code(t.groupe_dependance.as_ref()),
        code(t.temporalite_accueil.as_ref()),
        code(t.condition_tarifaire.as_ref()),
    ];
    donnee(champs, t.montant_centimes as f64 / 100.0, &t.date_debut_validite)
}

/// What an offer, a place or a role is on the façade.
pub(super) fn type_d_offre(r: &offer::Ressource) -> T {
    match r {
        offer::Ressource::Offre(_) => T::HealthcareService,
        offer::Ressource::Lieu(_) => T::Location,
        offer::Ressource::Situation(_) => T::PractitionerRole,
    }
}

/// An offer, a place or a role.
pub(super) fn offre(r: &offer::Ressource) -> Vue {
    match r {
        offer::Ressource::Offre(o) => offre_operationnelle(o),
        offer::Ressource::Lieu(l) => lieu(l),
        offer::Ressource::Situation(s) => situation(s),
    }
}

fn offre_operationnelle(o: &OffreOperationnelle) -> Vue {
    let mut v = Vue::default();
    v.meta(o.meta.as_ref());
    v.identifiants([("", &o.identifiant)]);
    v.tous(Param::Specialty, &o.activites_operationnelles);
    v.un(Param::Specialty, o.famille_activite.as_ref());
    v.un(Param::ServiceCategory, o.type_offre.as_ref());
    v.un(Param::ServiceType, o.champ_activite.as_ref());
    for code in [&o.mode_prise_en_charge, &o.temporalite_accueil, &o.ouverture_annuelle] {
        v.un(Param::Characteristic, code.as_ref());
    }
    v.un(Param::Characteristic, type_fermeture(o));
    v.tous(Param::Characteristic, &o.modalites_accueil);
    v.tous(Param::Characteristic, &o.modes_gestion);
    v.tous(Param::Characteristic, &o.niveaux_expertise);
    for codes in [
        &o.actes_specifiques,
        &o.actes_hors_cabinet,
        &o.specialisations,
        &o.professions_ressources,
        &o.competences_specifiques,
    ] {
        v.tous(Param::CharacteristicFine, codes);
    }
    for zone in &o.zones_intervention {
        v.un(Param::ZoneIntervention, zone.code.as_ref());
    }
    v.tous(Param::Public, &o.publics);
    v.secteurs = o.secteurs_psychiatriques.iter().filter_map(|s| texte(s)).collect();
    (v.age_bas, v.age_haut) = (age(o.age_min.as_ref()), age(o.age_max.as_ref()));
    let (debut, fin) = fermeture_en_vigueur(o);
    v.periode = intervalle(debut, fin);
    let champ = o.champ_activite.as_ref().map_or("", |c| c.code.as_str());
    v.faits = Faits {
        sensible: o.unite_sensible,
        sensible_partage: o.unite_sensible,
        ms: champ == "04",
        ville: champ == "05",
        ..Faits::default()
    };
    v.finir(&[&o.nom])
}

fn lieu(l: &LieuRealisation) -> Vue {
    let mut v = Vue::default();
    v.meta(l.meta.as_ref());
    v.identifiants([("", &l.identifiant), ("", &l.id_externe_synchro)]);
    v.un(Param::Type, l.fonction.as_ref());
    v.brut(Param::CommuneCog, TRE_COMMUNE, &l.commune_cog);
    v.brut(Param::Status, SYSTEME_STATUT_LIEU, &l.status);
    v.un(Param::StatutLieu, l.statut.as_ref());
    v.adresse(l.adresse.as_ref());
    v.position = position(l);
    for e in &l.equipements {
        let genre = code(e.r#type.as_ref());
        if e.limites.is_empty() {
            v.equipements.push(donnee([genre.clone()], f64::NAN, ""));
        }
        for limite in &e.limites {
            let valeur = limite.valeur.as_ref();
            let mut d = donnee(
                [genre.clone(), code(limite.r#type.as_ref())],
                valeur.map_or(f64::NAN, |q| q.valeur),
                "",
            );
            let unite = valeur.and_then(|q| q.unite.as_ref()).map(|u| u.code.clone()).unwrap_or_default();
            d.codes[UNITE] = de("", &unite);
            v.equipements.push(d);
        }
    }
    v.habitations = l
        .habitations
        .iter()
        .map(|h| donnee([code(h.r#type.as_ref())], h.nombre.map_or(f64::NAN, f64::from), ""))
        .collect();
    v.finir(&[&l.nom, &l.nom_externe_synchro])
}

/// Where a place stands: without position of its own, at the centre of its commune.
fn position(l: &LieuRealisation) -> Point {
    let propre = l.position.as_ref().map(|p| Point { lat: p.latitude, lon: p.longitude });
    let commune = || communes::centre(&l.commune_cog).map(Point::de_commune);
    propre.filter(|p| p.connu()).or_else(commune).unwrap_or_default()
}

fn situation(s: &SituationOperationnelle) -> Vue {
    let mut v = Vue::default();
    v.meta(s.meta.as_ref());
    v.identifiants([("", &s.identifiant)]);
    v.un(Param::Profession, s.profession.as_ref());
    if let Some(genre) = type_savoir_faire(&s.savoir_faire) {
        v.brut(Param::SavoirFaire, c::TRE_R04, genre);
    }
    v.tous(Param::SavoirFaire, &s.savoir_faire);
    v.tous(Param::SavoirFaire, &s.competences_specifiques);
    v.finir(&[])
}

/// A professional.
pub(super) fn professionnel(p: &Professionnel) -> Vue {
    let mut v = Vue::default();
    v.meta(p.meta.as_ref());
    v.identifiants([(c::SYS_ID_NAT_PS, &p.id_nat_ps), (SYS_RPPS, &p.rpps)]);
    v.finir(&[])
}

/// Capacity records of a place.
pub(super) fn capacites(k: &CapaciteLieu) -> Vec<Donnee> {
    let un = |e: &ror_proto::capacity::v1::EnregistrementCapacite| {
        let cle = e.cle.clone().unwrap_or_default();
        let champs = [
            de(c::TRE_R329, &e.nature),
            de(c::TRE_R330, &cle.statut),
            de(c::TRE_R331, &cle.temporalite),
            de(c::TRE_R332, &cle.genre),
            de(c::TRE_R333, &cle.type_fermeture),
            de(c::TRE_R334, &cle.type_lit_supplementaire),
            de(c::TRE_R336, &cle.type_crise),
            de(c::TRE_R337, &cle.affectation_temporaire),
        ];
        let date = e.date_maj.as_ref().and_then(ecrire_instant).unwrap_or_default();
        Donnee { statut: statut_capacite(e), ..donnee(champs, f64::from(e.nombre), &date) }
    };
    k.enregistrements.iter().map(un).collect()
}
