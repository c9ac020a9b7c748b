//! Which codes a resource holds, read from its encoded state by the descriptors of the
//! contract: a new coded field is counted without a line here.

use std::collections::{BTreeSet, HashMap};

use bytes::Buf;
use prost::{
    Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use ror_chassis::{Erreur, Resultat};
use ror_domaine::liaisons as l;
use ror_proto::common::v1::Code;

const CODE: &str = ".ror.common.v1.Code";
/// Deeper than any message of the contract: a state that goes on is not one of ours.
const PROFONDEUR_MAX: u32 = 32;

/// Fields that hold a code without its system, which they imply.
const IMPLICITES: [(&str, &str, &str); 12] = [
    (".ror.capacity.v1.CleIndicateur", "statut", l::TRE_STATUT_CAPACITE),
    (".ror.capacity.v1.CleIndicateur", "temporalite", l::TRE_TEMPORALITE_CAPACITE),
    (".ror.capacity.v1.CleIndicateur", "genre", l::TRE_GENRE_CAPACITE),
    (".ror.capacity.v1.CleIndicateur", "type_fermeture", l::TRE_FERMETURE_CAPACITE),
    (".ror.capacity.v1.CleIndicateur", "type_lit_supplementaire", l::TRE_LIT_SUPPLEMENTAIRE),
    (".ror.capacity.v1.CleIndicateur", "type_crise", l::TRE_TYPE_CRISE),
    (".ror.capacity.v1.CleIndicateur", "affectation_temporaire", l::TRE_AFFECTATION),
    (".ror.capacity.v1.EnregistrementCapacite", "nature", l::TRE_NATURE_CAPACITE),
    (".ror.capacity.v1.EnregistrementCapacite", "source", l::TRE_SOURCE_CAPACITE),
    (".ror.structures.v1.EntiteJuridique", "commune_cog", l::TRE_COMMUNE),
    (".ror.structures.v1.EntiteGeographique", "commune_cog", l::TRE_COMMUNE),
    (".ror.offers.v1.LieuRealisation", "commune_cog", l::TRE_COMMUNE),
];

/// The codes of a resource, each once: system, code.
pub type Codes = BTreeSet<(String, String)>;

#[derive(Clone, Copy, Debug)]
enum Champ {
    /// A `ror.common.v1.Code`.
    Code,
    /// A text of this system.
    Texte(&'static str),
    /// A message that may hold codes: its rank.
    Message(usize),
}

/// Where the codes are in the messages below one root.
#[derive(Debug)]
pub struct Plan {
    /// By message, the fields worth reading; the first is the root.
    messages: Vec<HashMap<u32, Champ>>,
}

impl Plan {
    /// The plan of a root message, by full name (".ror.offers.v1.Offer"). Fails only if
    /// the descriptors shipped with the program are damaged or do not know it.
    pub fn nouveau(racine: &str) -> Resultat<Self> {
        let descripteurs = FileDescriptorSet::decode(ror_proto::DESCRIPTEURS)?;
        let mut connus: HashMap<String, &DescriptorProto> = HashMap::new();
        for f in &descripteurs.file {
            for m in &f.message_type {
                connus.insert(format!(".{}.{}", f.package(), m.name()), m);
            }
        }
        let mut plan = Self { messages: Vec::new() };
        plan.ajouter(racine, &connus, &mut HashMap::new());
        Ok(plan)
    }

    fn ajouter(
        &mut self,
        nom: &str,
        connus: &HashMap<String, &DescriptorProto>,
        faits: &mut HashMap<String, usize>,
    ) -> Option<usize> {
        if let Some(rang) = faits.get(nom) {
            return Some(*rang);
        }
        let message = connus.get(nom)?;
        let rang = self.messages.len();
        // Held before its fields are read: a message may hold itself.
        self.messages.push(HashMap::new());
        faits.insert(nom.to_owned(), rang);
        for c in &message.field {
            let champ = match c.r#type() {
                Type::Message if c.type_name() == CODE => Some(Champ::Code),
                Type::Message => self.ajouter(c.type_name(), connus, faits).map(Champ::Message),
                Type::String => IMPLICITES
                    .iter()
                    .find(|(m, champ, _)| *m == nom && *champ == c.name())
                    .map(|(_, _, systeme)| Champ::Texte(systeme)),
                _ => None,
            };
            if let (Some(champ), Ok(numero)) = (champ, u32::try_from(c.number()))
                && let Some(champs) = self.messages.get_mut(rang)
            {
                champs.insert(numero, champ);
            }
        }
        Some(rang)
    }

    /// The codes of an encoded state.
    pub fn lire(&self, etat: &[u8]) -> Resultat<Codes> {
        let mut codes = Codes::new();
        self.parcourir(0, etat, PROFONDEUR_MAX, &mut codes)?;
        Ok(codes)
    }

    fn parcourir(&self, message: usize, mut octets: &[u8], reste: u32, codes: &mut Codes) -> Resultat<()> {
        let Some(champs) = self.messages.get(message).filter(|_| reste > 0) else { return Ok(()) };
        while octets.has_remaining() {
            let (numero, nature) = decode_key(&mut octets)?;
            let champ = champs.get(&numero).filter(|_| nature == WireType::LengthDelimited);
            let Some(champ) = champ else {
                skip_field(nature, numero, &mut octets, DecodeContext::default())?;
                continue;
            };
            let valeur = couper(&mut octets)?;
            match champ {
                Champ::Code => {
                    let c = Code::decode(valeur)?;
                    retenir(codes, c.systeme, c.code);
                }
                Champ::Texte(systeme) => {
                    retenir(codes, (*systeme).to_owned(), String::from_utf8_lossy(valeur).into_owned());
                }
                Champ::Message(rang) => self.parcourir(*rang, valeur, reste - 1, codes)?,
            }
        }
        Ok(())
    }
}

/// A code without its system says nothing of its use.
fn retenir(codes: &mut Codes, systeme: String, code: String) {
    if !systeme.is_empty() && !code.is_empty() {
        codes.insert((systeme, code));
    }
}

/// The bytes of a length-delimited field.
fn couper<'o>(octets: &mut &'o [u8]) -> Resultat<&'o [u8]> {
    let longueur = usize::try_from(decode_varint(octets)?).unwrap_or(usize::MAX);
    let tous: &'o [u8] = octets;
    let (valeur, suite) =
        tous.split_at_checked(longueur).ok_or_else(|| Erreur::interne("field longer than its message"))?;
    *octets = suite;
    Ok(valeur)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::Timestamp;
    use ror_proto::{
        capacity::v1::{CapaciteLieu, Capacity, CleIndicateur, EnregistrementCapacite, capacity},
        common::v1::{Contact, Meta, Quantite, Telecommunication},
        offers::v1::{Offer, OffreOperationnelle, offer},
    };

    fn code(systeme: &str, code: &str) -> Code {
        Code { systeme: systeme.into(), code: code.into() }
    }

    fn lus(racine: &str, etat: &[u8]) -> Vec<String> {
        let codes = Plan::nouveau(racine).unwrap().lire(etat).unwrap();
        codes.into_iter().map(|(s, c)| format!("{s}|{c}")).collect()
    }

    #[test]
    fn every_code_of_an_offer_is_found_once_however_deep() {
        let age = Quantite { valeur: 18.0, unite: Some(code("ucum", "a")) };
        let telecom = Telecommunication { canal: Some(code("canal", "2")), ..Default::default() };
        let contact = Contact { telecommunications: vec![telecom], ..Default::default() };
        let o = OffreOperationnelle {
            meta: Some(Meta { id: "o-1".into(), version: 3, ..Default::default() }),
            nom: "Offre".into(),
            champ_activite: Some(code("champ", "01")),
            activites_operationnelles: vec![
                code("act", "1"),
                code("act", "2"),
                code("act", "1"),
                code("", "3"),
            ],
            age_min: Some(age.clone()),
            age_max: Some(age),
            contacts: vec![contact],
            ..Default::default()
        };
        let etat = Offer { ressource: Some(offer::Ressource::Offre(o)) }.encode_to_vec();
        assert_eq!(lus(".ror.offers.v1.Offer", &etat), ["act|1", "act|2", "canal|2", "champ|01", "ucum|a"]);
    }

    #[test]
    fn codes_whose_system_is_implied_count_too() {
        let e = EnregistrementCapacite {
            cle: Some(CleIndicateur { statut: "02".into(), ..Default::default() }),
            nature: "01".into(),
            nombre: 4,
            date_maj: Some(Timestamp { seconds: 1, nanos: 2 }),
            ..Default::default()
        };
        let lieu = CapaciteLieu { enregistrements: vec![e], ..Default::default() };
        let etat = Capacity { ressource: Some(capacity::Ressource::CapaciteLieu(lieu)) }.encode_to_vec();
        let attendus = [format!("{}|01", l::TRE_NATURE_CAPACITE), format!("{}|02", l::TRE_STATUT_CAPACITE)];
        assert_eq!(lus(".ror.capacity.v1.Capacity", &etat), attendus);
    }

    #[test]
    fn a_damaged_state_is_an_error_not_a_panic() {
        let plan = Plan::nouveau(".ror.offers.v1.Offer").unwrap();
        assert!(plan.lire(&[]).unwrap().is_empty());
        for etat in [&[0x0a, 0x7f][..], &[0x0a, 0x02, 0xff, 0xff], &[0xff; 12], &[0x0a]] {
            assert!(plan.lire(etat).is_err(), "{etat:?}");
        }
        assert!(Plan::nouveau(".ror.rien").unwrap().lire(&[1, 2, 3]).unwrap().is_empty());
    }

    #[test]
    fn fields_of_implied_systems_exist_in_the_contract() {
        let descripteurs = FileDescriptorSet::decode(ror_proto::DESCRIPTEURS).unwrap();
        for (message, champ, _) in IMPLICITES {
            let existe = descripteurs.file.iter().any(|f| {
                let de = |m: &&DescriptorProto| format!(".{}.{}", f.package(), m.name()) == message;
                f.message_type.iter().find(de).is_some_and(|m| m.field.iter().any(|c| c.name() == champ))
            });
            assert!(existe, "{message}.{champ}");
        }
    }
}
