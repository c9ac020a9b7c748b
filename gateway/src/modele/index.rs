//! Postings: for each parameter, code to the rows that carry it, by code system.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use super::colonne::Colonne;

/// Indexed token parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Param {
    /// Systems of the business identifiers, the codes left out.
    SystemeIdentifiant,
    /// Region tag.
    Tag,
    /// Organization.type, Location.type.
    Type,
    /// Offer activities and family.
    Specialty,
    /// typeOffre.
    ServiceCategory,
    /// champActivite.
    ServiceType,
    /// Characteristics every profile that sees the offer sees.
    Characteristic,
    /// Characteristics of the block offre.fine.
    CharacteristicFine,
    /// Commune of a place.
    CommuneCog,
    /// Native status of a place.
    Status,
    /// Operational status of a place.
    StatutLieu,
    /// Kind of closure of a structure.
    TypeFermeture,
    /// Whether a site has a drop zone; of the block structure.recours.
    ZonePoser,
    /// Communes where an offer intervenes.
    ZoneIntervention,
    /// Publics of an offer.
    Public,
    /// Profession of a role.
    Profession,
    /// Know-how and skills of a role.
    SavoirFaire,
}

const PARAMS: usize = 17;

/// One posting of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cle {
    /// Parameter.
    pub param: Param,
    /// Code system, normalised.
    pub systeme: String,
    /// Code.
    pub code: String,
}

/// Ends of code systems that have two names, the second one being kept.
const DEUX_NOMS: [(&str, &str); 2] = [
    ("R350-ProfessionRessource", "R356-ProfessionRessource"),
    ("R237-NiveauDependance", "R237-GroupeTarifaireDependance"),
];

/// Code systems that published requests write in several ways.
pub fn normaliser_systeme(s: &str) -> String {
    let s = s.trim();
    let mut s = s.strip_prefix("http://").map_or_else(|| s.to_owned(), |r| format!("https://{r}"));
    if s.contains("R13-Commune") && !s.contains("R13-CommuneOM") {
        s = s.replace("R13-Commune", "R13-CommuneOM");
    }
    if s.contains("TRE_R345_") {
        s = s.replace("TRE_R345_", "TRE_R345-");
    }
    if let Some((autre, nom)) = DEUX_NOMS.iter().find(|(autre, _)| s.ends_with(autre)) {
        s = s.replace(autre, nom);
    }
    s
}

/// Value sets named as the system of an identifier in published requests: any identifier matches.
pub fn systeme_d_identifiant_quelconque(s: &str) -> bool {
    ["JDV_J236-", "TRE_R354-", "TRE_R355-", "TRE_G08-", "TRE_G07-", "TRE_R345-"].iter().any(|n| s.contains(n))
}

/// The sets of one code, by system.
type Postes = Arc<[(u16, u32)]>;

/// Postings of one table.
#[derive(Clone)]
pub struct Index {
    systemes: Arc<Vec<Box<str>>>,
    codes: [Arc<HashMap<Arc<str>, Postes, RandomState>>; PARAMS],
    ensembles: Colonne<Arc<RoaringBitmap>>,
    nombre: u32,
}

super::image::par_champs!(Index { systemes, codes, ensembles, nombre });

impl Default for Index {
    fn default() -> Self {
        Self {
            systemes: Arc::default(),
            codes: std::array::from_fn(|_| Arc::default()),
            ensembles: Colonne::default(),
            nombre: 0,
        }
    }
}

impl Index {
    fn systeme(&mut self, s: &str) -> u16 {
        if let Some(i) = self.systemes.iter().position(|x| x.as_ref() == s) {
            return i as u16;
        }
        let systemes = Arc::make_mut(&mut self.systemes);
        systemes.push(s.into());
        (systemes.len() - 1) as u16
    }

    /// The set of a posting; made when new. A set left empty keeps its number.
    fn numero(&mut self, cle: &Cle) -> u32 {
        let s = self.systeme(&cle.systeme);
        let codes = &mut self.codes[cle.param as usize];
        let connus = codes.get(cle.code.as_str());
        if let Some((_, n)) = connus.and_then(|p| p.iter().find(|(x, _)| *x == s)) {
            return *n;
        }
        let n = self.nombre;
        self.nombre += 1;
        let postes = connus.into_iter().flat_map(|p| p.iter().copied()).chain([(s, n)]).collect();
        Arc::make_mut(codes).insert(cle.code.as_str().into(), postes);
        n
    }

    /// Moves a row from its former postings to its new ones; both sorted, without doubles.
    pub fn changer(&mut self, rang: u32, anciennes: &[Cle], nouvelles: &[Cle]) {
        for cle in anciennes.iter().filter(|c| nouvelles.binary_search(c).is_err()) {
            let n = self.numero(cle);
            Arc::make_mut(self.ensembles.place(n)).remove(rang);
        }
        for cle in nouvelles.iter().filter(|c| anciennes.binary_search(c).is_err()) {
            let n = self.numero(cle);
            Arc::make_mut(self.ensembles.place(n)).insert(rang);
        }
    }

    /// Codes known of a parameter.
    pub fn nombre(&self, param: Param) -> u64 {
        self.codes[param as usize].len() as u64
    }

    fn ensemble(&self, n: u32) -> Option<&RoaringBitmap> {
        self.ensembles.get(n).map(AsRef::as_ref)
    }

    /// The sets of a code, in any system when none is given; of all codes when none is given.
    pub fn ensembles<'a>(
        &'a self,
        param: Param,
        systeme: Option<&'a str>,
        code: Option<&'a str>,
    ) -> Vec<&'a RoaringBitmap> {
        let voulu = |s: u16| systeme.is_none_or(|x| self.systemes[usize::from(s)].as_ref() == x);
        let codes = &self.codes[param as usize];
        let de = |p: &'a Postes| p.iter().filter(|(s, _)| voulu(*s)).filter_map(|(_, n)| self.ensemble(*n));
        match code {
            Some(code) => codes.get(code).into_iter().flat_map(de).collect(),
            None => codes.values().flat_map(de).collect(),
        }
    }

    /// Rows that carry a code; any system when none is given.
    pub fn chercher(&self, param: Param, systeme: Option<&str>, code: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        self.ensembles(param, systeme, Some(code)).into_iter().for_each(|b| r |= b);
        r
    }

    /// Every code in use of a parameter: system, code, rows.
    pub fn tous(&self, param: Param) -> impl Iterator<Item = (&str, &str, &RoaringBitmap)> {
        self.codes[param as usize].iter().flat_map(|(code, p)| {
            p.iter().filter_map(|(s, n)| {
                let b = self.ensemble(*n).filter(|b| !b.is_empty())?;
                Some((self.systemes[usize::from(*s)].as_ref(), code.as_ref(), b))
            })
        })
    }

    /// Codes of a parameter with how many of these rows carry each, most first.
    pub fn frequences(&self, param: Param, parmi: &RoaringBitmap) -> Vec<(String, u64)> {
        let mut v: Vec<(String, u64)> = self.codes[param as usize]
            .iter()
            .map(|(code, p)| {
                let mut r = RoaringBitmap::new();
                p.iter().filter_map(|(_, n)| self.ensemble(*n)).for_each(|b| r |= b);
                (code.to_string(), r.intersection_len(parmi))
            })
            .filter(|(_, n)| *n > 0)
            .collect();
        v.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_one_system_are_one() {
        let a = normaliser_systeme("https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune");
        let b = normaliser_systeme("https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM");
        assert_eq!(a, b);
        assert_eq!(normaliser_systeme("http://sirene.fr"), "https://sirene.fr");
        let niveau = |s: &str| {
            normaliser_systeme(&format!("http://mos.esante.gouv.fr/NOS/TRE_R237-{s}/FHIR/TRE-R237-{s}"))
        };
        assert_eq!(niveau("NiveauDependance"), niveau("GroupeTarifaireDependance"));
        // Of the two that have one number, one has two names.
        let thematique = "https://x/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie";
        assert_eq!(normaliser_systeme(thematique), thematique);
    }

    #[test]
    fn only_what_differs_moves_and_a_copy_keeps_its_rows() {
        let cle = |s: &str, c: &str| Cle { param: Param::Type, systeme: s.into(), code: c.into() };
        let mut i = Index::default();
        i.changer(3, &[], &[cle("a", "01"), cle("b", "01")]);
        i.changer(4, &[], &[cle("a", "01")]);
        let avant = i.clone();
        i.changer(3, &[cle("a", "01"), cle("b", "01")], &[cle("b", "01"), cle("b", "02")]);
        let rangs = |i: &Index, s, c| i.chercher(Param::Type, s, c).iter().collect::<Vec<_>>();
        assert_eq!((rangs(&i, None, "01"), rangs(&avant, Some("a"), "01")), (vec![3, 4], vec![3, 4]));
        assert_eq!((rangs(&i, Some("a"), "01"), rangs(&i, None, "02")), (vec![4], vec![3]));
        assert_eq!(i.tous(Param::Type).count(), 3);
    }
}
