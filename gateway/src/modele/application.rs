//! Applying events: decode, ignore what is not newer, move the postings and the
//! relations, then compute the rights of what was touched.

use prost::Message;
use roaring::RoaringBitmap;
use ror_chassis::conversion::instant;
use ror_domaine::liaisons::{self, TRE_COMMUNE, TRE_REGION};
use ror_proto::{
    common::v1::{Code, Evenement, Meta},
    identity::v1::{Identity, identity},
    offers::v1::{Offer, offer},
    structures::v1::{Structure, structure},
};

use super::{
    Capacites, Modele, Sorte, TypeFhir as T,
    droits::Touches,
    etat::Etat,
    index::{Cle, Param, normaliser_systeme},
};
use crate::fhir::{canoniques as c, politique::Faits, rendu::type_fermeture};

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// structures.
    Structures,
    /// offers.
    Offers,
    /// capacity.
    Capacity,
    /// identity.
    Identity,
}

/// How many there are.
const SOURCES: usize = 4;

impl Source {
    /// Name of the service.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Structures => "structures",
            Self::Offers => "offers",
            Self::Capacity => "capacity",
            Self::Identity => "identity",
        }
    }

    fn types(self) -> &'static [T] {
        match self {
            Self::Structures => &[T::Organization],
            Self::Offers => &[T::HealthcareService, T::Location, T::PractitionerRole],
            Self::Identity => &[T::Practitioner],
            Self::Capacity => &[],
        }
    }
}

/// What a resource puts in the model.
struct Vue {
    type_fhir: T,
    sorte: Sorte,
    cles: Vec<Cle>,
    noms: Vec<String>,
    code_postal: String,
    faits: Faits,
}

impl Modele {
    /// A snapshot of this source begins.
    pub fn debut_instantane(&mut self, source: Source) {
        let types: &[T] = if source == Source::Capacity { &[T::Location] } else { source.types() };
        self.vus.insert(source, types.iter().map(|t| (*t, RoaringBitmap::new())).collect());
    }

    /// The snapshot is whole: what it did not hold is gone.
    pub fn fin_instantane(&mut self, source: Source) {
        let mut touches = Touches::default();
        for (t, vus) in self.vus.remove(&source).unwrap_or_default() {
            if source == Source::Capacity {
                self.capacites.retain(|r, _| vus.contains(*r));
                continue;
            }
            for rang in self.table(t).presentes() - &vus {
                self.toucher(t, rang, &mut touches);
                let version = self.table(t).ligne(rang).version;
                self.retirer(t, rang, version);
            }
        }
        if !self.hydratees.contains(&source) {
            self.hydratees.push(source);
        }
        if self.differe && self.hydratees.len() == SOURCES {
            // The first time, the rights of all rows are computed at once.
            self.differe = false;
            self.recalculer_tout();
        } else if !self.differe {
            self.recalculer(&mut touches);
        }
    }

    /// Applies a batch of one source.
    pub fn appliquer(&mut self, source: Source, lot: &[Evenement]) {
        let mut touches = Touches::default();
        for e in lot {
            if let Err(erreur) = self.appliquer_un(source, e, &mut touches) {
                tracing::error!(source = source.nom(), id = %e.agregat_id, version = e.version, error = %erreur, "event not applied");
            }
        }
        if !self.differe {
            self.recalculer(&mut touches);
        }
    }

    fn appliquer_un(
        &mut self,
        source: Source,
        e: &Evenement,
        t: &mut Touches,
    ) -> Result<(), prost::DecodeError> {
        let maj =
            e.date.as_ref().and_then(instant).map_or(0, |d| (d.unix_timestamp_nanos() / 1_000_000) as i64);
        match source {
            Source::Capacity => {
                let rang = self.table_mut(T::Location).numeroter(&e.agregat_id);
                self.noter(source, T::Location, rang);
                if e.retire {
                    self.capacites.remove(&rang);
                } else if self.capacites.get(&rang).is_none_or(|c| c.version < e.version) {
                    self.capacites
                        .insert(rang, Capacites { version: e.version, maj, etat: Etat::garder(&e.etat) });
                }
                return Ok(());
            }
            Source::Structures => {
                let Some(r) = Structure::decode(e.etat.clone())?.ressource else { return Ok(()) };
                self.poser_ligne(source, e, maj, vue_structure(&r), t, |m, rang| {
                    m.relier_structure(rang, &r)
                });
            }
            Source::Offers => {
                let Some(r) = Offer::decode(e.etat.clone())?.ressource else { return Ok(()) };
                self.poser_ligne(source, e, maj, vue_offre(&r), t, |m, rang| m.relier_offre(rang, &r));
            }
            Source::Identity => {
                if e.genre != "professionnel" {
                    return Ok(());
                }
                let Some(identity::Ressource::Professionnel(mut p)) =
                    Identity::decode(e.etat.clone())?.ressource
                else {
                    return Ok(());
                };
                // The mirror's states do not depend on time; the façade shows the date.
                let meta = p.meta.get_or_insert_default();
                meta.date_creation = meta.date_creation.or(e.date_creation);
                let vue = vue_professionnel(&p);
                let etat = Identity { ressource: Some(identity::Ressource::Professionnel(p)) };
                let e = Evenement { etat: etat.encode_to_vec().into(), ..e.clone() };
                self.poser_ligne(source, &e, maj, vue, t, |_, _| {});
            }
        }
        Ok(())
    }

    fn noter(&mut self, source: Source, t: T, rang: u32) {
        if let Some(vus) = self.vus.get_mut(&source).and_then(|v| v.get_mut(&t)) {
            vus.insert(rang);
        }
    }

    fn poser_ligne(
        &mut self,
        source: Source,
        e: &Evenement,
        maj: i64,
        vue: Vue,
        touches: &mut Touches,
        relier: impl FnOnce(&mut Self, u32),
    ) {
        let t = vue.type_fhir;
        let rang = self.table_mut(t).numeroter(&e.agregat_id);
        self.noter(source, t, rang);
        if self.table(t).ligne(rang).version >= e.version {
            return;
        }
        self.toucher(t, rang, touches);
        self.oter_index(t, rang);
        if e.retire {
            self.retirer(t, rang, e.version);
            return;
        }
        let table = self.table_mut(t);
        for cle in &vue.cles {
            table.index.ajouter(cle, rang);
        }
        table.index.poser_code_postal(&vue.code_postal, rang, true);
        let l = table.ligne_mut(rang);
        l.sorte = vue.sorte;
        l.version = e.version;
        l.maj = maj;
        l.etat = Some(Etat::garder(&e.etat));
        l.noms = vue.noms.iter().map(|n| plier(n)).collect::<Vec<_>>().join("\n").into();
        l.faits = vue.faits;
        table.poser_presence(rang, true);
        relier(self, rang);
        self.toucher(t, rang, touches);
    }

    /// Both the old and the new neighbours of a row depend on it.
    fn toucher(&self, t: T, rang: u32, touches: &mut Touches) {
        match t {
            T::HealthcareService => self.toucher_offre(rang, touches),
            T::PractitionerRole => self.toucher_role(rang, touches),
            T::Organization => self.toucher_structure(rang, touches),
            T::Location => {
                touches.lieux.insert(rang);
            }
            T::Practitioner => {
                touches.professionnels.insert(rang);
            }
        }
    }

    fn retirer(&mut self, t: T, rang: u32, version: u64) {
        self.oter_index(t, rang);
        let table = self.table_mut(t);
        let l = table.ligne_mut(rang);
        l.etat = None;
        l.version = version;
        l.noms = "".into();
        table.poser_presence(rang, false);
        table.poser_droits(rang, Faits::default(), 0, 0);
        match t {
            T::HealthcareService => {
                self.liens.porteur.poser(rang, vec![]);
                self.liens.lieux.poser(rang, vec![]);
            }
            T::PractitionerRole => {
                self.liens.offre.poser(rang, vec![]);
                self.liens.professionnel.poser(rang, vec![]);
                self.liens.structure.poser(rang, vec![]);
            }
            T::Organization => self.liens.parent.poser(rang, vec![]),
            T::Location => {
                self.liens.gestionnaire.poser(rang, vec![]);
                self.liens.lieu_parent.poser(rang, vec![]);
            }
            T::Practitioner => {}
        }
    }

    /// The postings of a row are those of its present state: read it again to remove them.
    fn oter_index(&mut self, t: T, rang: u32) {
        let Some(etat) = self.table(t).ligne(rang).etat.as_ref().map(Etat::lire) else { return };
        let vue = match t {
            T::Organization => {
                Structure::decode(etat.clone()).ok().and_then(|s| s.ressource).map(|r| vue_structure(&r))
            }
            T::Practitioner => match Identity::decode(etat.clone()).ok().and_then(|s| s.ressource) {
                Some(identity::Ressource::Professionnel(p)) => Some(vue_professionnel(&p)),
                _ => None,
            },
            _ => Offer::decode(etat).ok().and_then(|s| s.ressource).map(|r| vue_offre(&r)),
        };
        let Some(vue) = vue else { return };
        let index = &mut self.table_mut(t).index;
        for cle in &vue.cles {
            index.retirer(cle, rang);
        }
        index.poser_code_postal(&vue.code_postal, rang, false);
    }

    fn relier_structure(&mut self, rang: u32, r: &structure::Ressource) {
        let parent = match r {
            structure::Ressource::EntiteGeographique(e) => &e.entite_juridique_id,
            structure::Ressource::OrganisationInterne(o) => &o.entite_geographique_id,
            structure::Ressource::EntiteJuridique(_) => "",
        };
        let parents = self.rangs(T::Organization, [parent]);
        self.liens.parent.poser(rang, parents);
    }

    fn relier_offre(&mut self, rang: u32, r: &offer::Ressource) {
        match r {
            offer::Ressource::Offre(o) => {
                let porteur = self.rangs(T::Organization, [&o.porteur_id]);
                let lieux = self.rangs(T::Location, o.lieux_ids.iter());
                self.liens.porteur.poser(rang, porteur);
                self.liens.lieux.poser(rang, lieux);
            }
            offer::Ressource::Lieu(l) => {
                let gestionnaire = self.rangs(T::Organization, [&l.structure_gestionnaire_id]);
                let parent = self.rangs(T::Location, [&l.lieu_parent_id]);
                self.liens.gestionnaire.poser(rang, gestionnaire);
                self.liens.lieu_parent.poser(rang, parent);
            }
            offer::Ressource::Situation(s) => {
                let offre = self.rangs(T::HealthcareService, [&s.offre_id]);
                let professionnel = self.rangs(T::Practitioner, [&s.professionnel_id]);
                let structure = self.rangs(T::Organization, [&s.structure_id]);
                self.liens.offre.poser(rang, offre);
                self.liens.professionnel.poser(rang, professionnel);
                self.liens.structure.poser(rang, structure);
            }
        }
    }

    fn rangs<'a, S: AsRef<str> + ?Sized + 'a>(
        &mut self,
        t: T,
        ids: impl IntoIterator<Item = &'a S>,
    ) -> Vec<u32> {
        let table = self.table_mut(t);
        ids.into_iter().map(AsRef::as_ref).filter(|i| !i.is_empty()).map(|i| table.numeroter(i)).collect()
    }
}

/// Folds a text for comparison: lower case, without accents, œ and æ spelled out.
pub fn plier(texte: &str) -> String {
    let mut s = String::with_capacity(texte.len());
    for ch in texte.chars().flat_map(char::to_lowercase) {
        match ch {
            'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' => s.push('a'),
            'é' | 'è' | 'ê' | 'ë' => s.push('e'),
            'î' | 'ï' | 'í' | 'ì' => s.push('i'),
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' => s.push('o'),
            'û' | 'ü' | 'ù' | 'ú' => s.push('u'),
            'ÿ' | 'ý' => s.push('y'),
            'ç' => s.push('c'),
            'ñ' => s.push('n'),
            'œ' => s.push_str("oe"),
            'æ' => s.push_str("ae"),
            '’' => s.push('\''),
            // Combining marks of a decomposed text.
            '\u{300}'..='\u{36f}' => {}
            autre => s.push(autre),
        }
    }
    s
}

/// Gathers the postings of one resource.
#[derive(Default)]
struct Cles(Vec<Cle>);

impl Cles {
    fn brut(&mut self, param: Param, systeme: &str, code: &str) {
        if !code.is_empty() {
            let cle = Cle { param, systeme: normaliser_systeme(systeme), code: code.to_owned() };
            if !self.0.contains(&cle) {
                self.0.push(cle);
            }
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
    fn anterieurs(&mut self, numeros: &[String]) {
        numeros.iter().for_each(|n| self.brut(Param::Identifier, c::SYS_FINESS, n));
    }
    fn numeros(&mut self, numeros: &[(&str, &String)]) {
        numeros.iter().for_each(|(s, n)| self.brut(Param::Identifier, s, n));
    }
}

fn vue_structure(r: &structure::Ressource) -> Vue {
    let mut k = Cles::default();
    let (sorte, noms) = match r {
        structure::Ressource::EntiteJuridique(e) => {
            k.meta(e.meta.as_ref());
            k.numeros(&[
                (c::SYS_ID_NAT_STRUCT, &e.id_nat_struct),
                (c::SYS_FINESS, &e.num_finess),
                (c::SYS_SIRENE, &e.num_siren),
                (c::SYS_RPPS_RANG, &e.num_rpps_rang),
                (c::SYS_ADELI_RANG, &e.num_adeli_rang),
            ]);
            k.anterieurs(&e.finess_anterieurs);
            k.un(Param::Type, e.statut_juridique.as_ref());
            k.un(Param::Type, e.sous_ensemble_statut_juridique.as_ref());
            (Sorte::Ej, vec![e.raison_sociale.clone()])
        }
        structure::Ressource::EntiteGeographique(e) => {
            k.meta(e.meta.as_ref());
            k.numeros(&[
                (c::SYS_ID_NAT_STRUCT, &e.id_nat_struct),
                (c::SYS_FINESS, &e.num_finess),
                (c::SYS_SIRENE, &e.num_siren),
                (c::SYS_SIRENE, &e.num_siret),
                (c::SYS_RPPS_RANG, &e.num_rpps_rang),
                (c::SYS_ADELI_RANG, &e.num_adeli_rang),
            ]);
            k.anterieurs(&e.finess_anterieurs);
            k.un(Param::Type, e.categorie.as_ref());
            k.un(Param::Type, e.modalite_participation_sph.as_ref());
            (Sorte::Eg, vec![e.denomination.clone(), e.nom_operationnel.clone()])
        }
        structure::Ressource::OrganisationInterne(o) => {
            k.meta(o.meta.as_ref());
            k.numeros(&[(c::SYS_OI, &o.identifiant)]);
            k.un(Param::Type, o.r#type.as_ref());
            (Sorte::Oi, vec![o.nom.clone()])
        }
    };
    Vue {
        type_fhir: T::Organization,
        sorte,
        cles: k.0,
        noms,
        code_postal: String::new(),
        faits: Faits::default(),
    }
}

fn vue_offre(r: &offer::Ressource) -> Vue {
    let mut k = Cles::default();
    match r {
        offer::Ressource::Offre(o) => {
            k.meta(o.meta.as_ref());
            k.numeros(&[("", &o.identifiant)]);
            k.tous(Param::Specialty, &o.activites_operationnelles);
            k.un(Param::Specialty, o.famille_activite.as_ref());
            k.un(Param::ServiceCategory, o.type_offre.as_ref());
            k.un(Param::ServiceType, o.champ_activite.as_ref());
            for code in [&o.mode_prise_en_charge, &o.temporalite_accueil, &o.ouverture_annuelle] {
                k.un(Param::Characteristic, code.as_ref());
            }
            k.un(Param::Characteristic, type_fermeture(o));
            k.tous(Param::Characteristic, &o.modalites_accueil);
            k.tous(Param::Characteristic, &o.modes_gestion);
            k.tous(Param::Characteristic, &o.niveaux_expertise);
            for codes in [
                &o.actes_specifiques,
                &o.actes_hors_cabinet,
                &o.specialisations,
                &o.professions_ressources,
                &o.competences_specifiques,
            ] {
                k.tous(Param::CharacteristicFine, codes);
            }
            let champ = o.champ_activite.as_ref().map_or("", |c| c.code.as_str());
            let faits = Faits {
                sensible: o.unite_sensible,
                sensible_partage: o.unite_sensible,
                ms: champ == "04",
                ville: champ == "05",
                ..Faits::default()
            };
            let noms = vec![o.nom.clone()];
            Vue {
                type_fhir: T::HealthcareService,
                sorte: Sorte::Unique,
                cles: k.0,
                noms,
                code_postal: String::new(),
                faits,
            }
        }
        offer::Ressource::Lieu(l) => {
            k.meta(l.meta.as_ref());
            k.numeros(&[("", &l.identifiant), ("", &l.id_externe_synchro)]);
            k.un(Param::Type, l.fonction.as_ref());
            k.brut(Param::CommuneCog, TRE_COMMUNE, &l.commune_cog);
            k.brut(Param::Status, SYSTEME_STATUT_LIEU, &l.status);
            let code_postal = l.adresse.as_ref().map(|a| a.code_postal.clone()).unwrap_or_default();
            let noms = vec![l.nom.clone(), l.nom_externe_synchro.clone()];
            Vue {
                type_fhir: T::Location,
                sorte: Sorte::Unique,
                cles: k.0,
                noms,
                code_postal,
                faits: Faits::default(),
            }
        }
        offer::Ressource::Situation(s) => {
            k.meta(s.meta.as_ref());
            k.numeros(&[("", &s.identifiant)]);
            Vue {
                type_fhir: T::PractitionerRole,
                sorte: Sorte::Unique,
                cles: k.0,
                noms: vec![],
                code_postal: String::new(),
                faits: Faits::default(),
            }
        }
    }
}

fn vue_professionnel(p: &ror_proto::identity::v1::Professionnel) -> Vue {
    let mut k = Cles::default();
    k.meta(p.meta.as_ref());
    k.numeros(&[(c::SYS_ID_NAT_PS, &p.id_nat_ps), ("https://rpps.esante.gouv.fr", &p.rpps)]);
    Vue {
        type_fhir: T::Practitioner,
        sorte: Sorte::Unique,
        cles: k.0,
        noms: vec![],
        code_postal: String::new(),
        faits: Faits::default(),
    }
}

/// Value sets named as the system of an identifier in published requests: any identifier matches.
pub fn systeme_d_identifiant_quelconque(s: &str) -> bool {
    s.contains("JDV_J236-")
        || s.contains("TRE_R354-")
        || s.contains("TRE_R355-")
        || s.contains("TRE_G08-")
        || s.contains("TRE_G07-")
        || s.contains("TRE_R345-")
}

/// Code system of the native status of a place.
pub const SYSTEME_STATUT_LIEU: &str = "https://hl7.org/fhir/location-status";

/// Canonical of the activity code system, for the home page.
pub const ACTIVITES: &str = liaisons::TRE_ACTIVITE;
