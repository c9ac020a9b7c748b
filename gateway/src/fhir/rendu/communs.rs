//! Parts shared by every resource: metadata, codes, extensions, telecoms, addresses, slots.

use prost_types::Timestamp;
use ror_proto::common::v1::{
    Adresse, Code, DivisionTerritoriale, Horaire, Meta, Position, Quantite, Telecommunication,
};

use super::Vue;
use crate::fhir::canoniques as c;
use crate::fhir::json::{self, Objet, Tableau};
use crate::fhir::politique::{Bloc, Faits};
use crate::fhir::temps::Instant;

/// resourceType, id and meta.
pub(super) fn entete(o: &mut Objet<'_>, genre: &str, profil: &str, meta: Option<&Meta>, vue: &Vue<'_>) {
    o.texte("resourceType", genre);
    let Some(meta) = meta else { return };
    o.texte("id", &meta.id);
    o.objet("meta", |o| {
        if meta.version > 0 {
            o.nombre_en_texte("versionId", meta.version);
        }
        if let Some(date) = meta.date_maj.as_ref().and_then(Instant::de) {
            o.texte("lastUpdated", date.as_str());
        }
        o.tableau("profile", |t| t.texte(profil));
        o.tableau("tag", |t| t.objet(|o| coding(o, c::TRE_R30, &meta.region, vue)));
    });
}

/// Creation date, then entry template where the profile has one.
pub(super) fn extensions_meta(t: &mut Tableau<'_>, meta: Option<&Meta>, modele: bool) {
    let Some(meta) = meta else { return };
    ext_instant(t, c::EXT_META_CREATION, meta.date_creation.as_ref());
    if modele {
        t.extension(c::EXT_META_MODELE, |o| o.texte("valueCanonical", &meta.modele_saisie));
    }
}

/// Appends the members of a Coding, without the braces.
pub fn codage(systeme: &str, code: &str, libelle: &str, sortie: &mut Vec<u8>) {
    json::membres(sortie, |o| {
        o.texte("system", systeme);
        o.texte("code", code);
        o.texte("display", libelle);
    });
}

/// The members of a Coding; nothing when there is no code.
pub(super) fn coding(o: &mut Objet<'_>, systeme: &str, code: &str, vue: &Vue<'_>) {
    if code.is_empty() {
        return;
    }
    if let Some(membres) = vue.libelles.codage(systeme, code) {
        o.membres(membres);
        return;
    }
    o.texte("system", systeme);
    o.texte("code", code);
    if let Some(libelle) = vue.libelles.libelle(systeme, code) {
        o.texte("display", libelle);
    }
}

/// CodeableConcept member.
pub(super) fn concept(o: &mut Objet<'_>, nom: &str, code: Option<&Code>, vue: &Vue<'_>) {
    if let Some(code) = code {
        o.objet(nom, |o| corps_concept(o, code, vue));
    }
}

/// CodeableConcept member of a code kept without its system.
pub(super) fn concept_de(o: &mut Objet<'_>, nom: &str, systeme: &str, code: &str, vue: &Vue<'_>) {
    o.objet(nom, |o| {
        o.tableau("coding", |t| t.objet(|o| coding(o, systeme, code, vue)));
    });
}

/// The members of a CodeableConcept.
pub(super) fn corps_concept(o: &mut Objet<'_>, code: &Code, vue: &Vue<'_>) {
    o.tableau("coding", |t| t.objet(|o| coding(o, &code.systeme, &code.code, vue)));
}

/// Array of CodeableConcept.
pub(super) fn concepts<'c>(t: &mut Tableau<'_>, codes: impl IntoIterator<Item = &'c Code>, vue: &Vue<'_>) {
    for code in codes {
        t.objet(|o| corps_concept(o, code, vue));
    }
}

pub(super) fn ext_code(t: &mut Tableau<'_>, url: &str, code: Option<&Code>, vue: &Vue<'_>) {
    t.extension(url, |o| concept(o, "valueCodeableConcept", code, vue));
}

pub(super) fn ext_texte(t: &mut Tableau<'_>, url: &str, texte: &str) {
    t.extension(url, |o| o.texte("valueString", texte));
}

pub(super) fn ext_date(t: &mut Tableau<'_>, url: &str, date: &str) {
    t.extension(url, |o| o.texte("valueDate", date));
}

pub(super) fn ext_instant(t: &mut Tableau<'_>, url: &str, instant: Option<&Timestamp>) {
    if let Some(date) = instant.and_then(Instant::de) {
        t.extension(url, |o| o.texte("valueDateTime", date.as_str()));
    }
}

pub(super) fn ext_booleen(t: &mut Tableau<'_>, url: &str, valeur: Option<bool>) {
    if let Some(valeur) = valeur {
        t.extension(url, |o| o.booleen("valueBoolean", valeur));
    }
}

pub(super) fn ext_entier(t: &mut Tableau<'_>, url: &str, valeur: Option<u32>) {
    if let Some(valeur) = valeur {
        t.extension(url, |o| o.entier("valueInteger", i64::from(valeur)));
    }
}

pub(super) fn ext_periode(t: &mut Tableau<'_>, url: &str, debut: &str, fin: &str) {
    t.extension(url, |o| periode(o, "valuePeriod", debut, fin));
}

/// Period member.
pub(super) fn periode(o: &mut Objet<'_>, nom: &str, debut: &str, fin: &str) {
    o.objet(nom, |o| {
        o.texte("start", debut);
        o.texte("end", fin);
    });
}

/// Quantity member.
pub(super) fn quantite(o: &mut Objet<'_>, nom: &str, quantite: Option<&Quantite>, vue: &Vue<'_>) {
    let Some(quantite) = quantite else { return };
    o.objet(nom, |o| {
        o.decimal("value", quantite.valeur);
        if let Some(unite) = &quantite.unite {
            if let Some(libelle) = vue.libelles.libelle(&unite.systeme, &unite.code) {
                o.texte("unit", libelle);
            }
            o.texte("system", &unite.systeme);
            o.texte("code", &unite.code);
        }
    });
}

/// Reference member to a resource of the facade.
pub(super) fn reference(o: &mut Objet<'_>, nom: &str, genre: &str, id: &str) {
    o.objet(nom, |o| corps_reference(o, genre, id));
}

pub(super) fn corps_reference(o: &mut Objet<'_>, genre: &str, id: &str) {
    if !id.is_empty() {
        o.textes("reference", &[genre, "/", id]);
    }
}

/// Identifier with its type; nothing without value.
pub(super) fn identifiant(t: &mut Tableau<'_>, genre: (&str, &str), systeme: &str, valeur: &str) {
    if valeur.is_empty() {
        return;
    }
    t.objet(|o| {
        o.objet("type", |o| {
            o.tableau("coding", |t| {
                t.objet(|o| {
                    o.texte("system", genre.0);
                    o.texte("code", genre.1);
                });
            });
        });
        o.texte("system", systeme);
        o.texte("value", valeur);
    });
}

/// Confidentiality level of a code; an absent or unknown one is the most restricted.
pub(super) fn niveau(code: Option<&Code>) -> u8 {
    match code.map(|code| code.code.as_str()) {
        Some("1") => 1,
        Some("2") => 2,
        _ => 3,
    }
}

/// The telecommunications the profile may see, as ROR telecoms. The level of the contact that
/// holds them, if any, is already in `faits`.
pub(super) fn telecoms(
    o: &mut Objet<'_>,
    telecoms: &[Telecommunication],
    bloc: Bloc,
    faits: &Faits,
    vue: &Vue<'_>,
) {
    o.tableau("telecom", |t| {
        for telecom in visibles(telecoms, bloc, faits, vue) {
            t.objet(|o| {
                o.tableau("extension", |t| extensions_telecom(t, telecom, vue));
                o.texte("system", systeme_natif(telecom));
                o.texte("value", &telecom.adresse);
            });
        }
    });
}

/// The telecommunications the profile may see.
pub(super) fn visibles<'t>(
    telecoms: &'t [Telecommunication],
    bloc: Bloc,
    faits: &Faits,
    vue: &Vue<'_>,
) -> impl Iterator<Item = &'t Telecommunication> {
    telecoms.iter().filter(move |telecom| {
        let niveau_telecom = niveau(telecom.niveau_confidentialite.as_ref());
        vue.permet_avec(bloc, &Faits { niveau_telecom, ..*faits })
    })
}

/// Channel, usage and level of a telecommunication.
pub(super) fn extensions_telecom(t: &mut Tableau<'_>, telecom: &Telecommunication, vue: &Vue<'_>) {
    ext_code(t, c::EXT_TELECOM_CANAL, telecom.canal.as_ref(), vue);
    ext_texte(t, c::EXT_TELECOM_UTILISATION, &telecom.utilisation);
    ext_code(t, c::EXT_TELECOM_NIVEAU, telecom.niveau_confidentialite.as_ref(), vue);
}

/// ContactPoint.system where the channel (TRE_R200) leaves no doubt, else empty.
fn systeme_natif(telecom: &Telecommunication) -> &'static str {
    match telecom.canal.as_ref() {
        Some(canal) if canal.systeme == c::TRE_R200 => match canal.code.as_str() {
            "1" | "2" | "8" => "phone",
            "3" | "9" => "email",
            "4" => "url",
            "6" => "fax",
            _ => "",
        },
        _ => "",
    }
}

/// Address member, with the INSEE code and the position where the resource carries them there.
pub(super) fn adresse(
    o: &mut Objet<'_>,
    adresse: Option<&Adresse>,
    commune: &str,
    position: Option<&Position>,
    liste: bool,
    vue: &Vue<'_>,
) {
    let corps = |o: &mut Objet<'_>| {
        o.tableau("extension", |t| {
            t.extension(c::EXT_INSEE, |o| {
                o.objet("valueCoding", |o| coding(o, c::TRE_R13, commune, vue));
            });
            if let Some(position) = position {
                geolocation(t, position);
            }
        });
        let Some(adresse) = adresse else { return };
        o.tableau("line", |t| t.texte(&ligne(adresse, vue)));
        o.tableau("_line", |t| {
            t.objet(|o| o.tableau("extension", |t| extensions_ligne(t, adresse)));
        });
        o.texte("city", &adresse.localite);
        o.texte("postalCode", &adresse.code_postal);
    };
    // Organization.address is a list in FHIR R4, Location.address is not.
    if liste {
        o.tableau("address", |t| t.objet(corps));
    } else {
        o.objet("address", corps);
    }
}

fn geolocation(t: &mut Tableau<'_>, position: &Position) {
    t.extension(c::EXT_GEOLOCATION, |o| {
        o.tableau("extension", |t| {
            t.extension("latitude", |o| o.decimal("valueDecimal", position.latitude));
            t.extension("longitude", |o| o.decimal("valueDecimal", position.longitude));
            ext_booleen(t, c::EXT_GEO_FIABLE_ADRESSE, position.fiable);
        });
    });
}

fn extensions_ligne(t: &mut Tableau<'_>, adresse: &Adresse) {
    ext_texte(t, c::EXT_ADXP_CARE_OF, &adresse.point_remise);
    ext_texte(t, c::EXT_ADXP_ADDITIONAL_LOCATOR, &adresse.complement_point_geographique);
    ext_texte(t, c::EXT_ADXP_HOUSE_NUMBER, &adresse.numero_voie);
    ext_texte(t, c::EXT_ADXP_BUILDING_NUMBER_SUFFIX, &adresse.extension);
    ext_texte(t, c::EXT_ADXP_STREET_NAME_TYPE, &adresse.type_voie);
    ext_texte(t, c::EXT_ADXP_STREET_NAME_BASE, &adresse.libelle_voie);
    ext_texte(t, c::EXT_ADXP_POST_BOX, &adresse.mention_distribution);
    ext_texte(t, c::EXT_LIEU_DIT, &adresse.lieu_dit);
}

/// The street as one line; the other parts when there is no street.
fn ligne(adresse: &Adresse, vue: &Vue<'_>) -> String {
    let voie = vue.libelles.libelle(c::TRE_R35, &adresse.type_voie);
    let rue = [
        adresse.numero_voie.as_str(),
        adresse.extension.as_str(),
        voie.unwrap_or(&adresse.type_voie),
        adresse.libelle_voie.as_str(),
    ];
    let reste = [
        adresse.point_remise.as_str(),
        adresse.complement_point_geographique.as_str(),
        adresse.lieu_dit.as_str(),
        adresse.mention_distribution.as_str(),
    ];
    let joindre = |parties: [&str; 4]| -> String {
        let pleines: Vec<&str> = parties.into_iter().filter(|partie| !partie.is_empty()).collect();
        pleines.join(" ")
    };
    let rue = joindre(rue);
    if rue.is_empty() { joindre(reste) } else { rue }
}

/// availableTime entries.
pub(super) fn horaires(o: &mut Objet<'_>, horaires: &[Horaire], vue: &Vue<'_>) {
    o.tableau("availableTime", |t| {
        for horaire in horaires {
            t.objet(|o| {
                o.tableau("extension", |t| {
                    ext_code(t, c::EXT_HORAIRE_TYPE, horaire.r#type.as_ref(), vue);
                    let (debut, fin) = (&horaire.debut_date_effective, &horaire.fin_date_effective);
                    ext_periode(t, c::EXT_HORAIRE_PERIODE, debut, fin);
                    let jour = (horaire.jour_semaine > 0).then_some(horaire.jour_semaine);
                    ext_entier(t, c::EXT_HORAIRE_JOUR, jour);
                });
                o.texte("availableStartTime", &horaire.heure_debut);
                o.texte("availableEndTime", &horaire.heure_fin);
            });
        }
    });
}

/// ror-territorial-division entries.
pub(super) fn divisions(t: &mut Tableau<'_>, divisions: &[DivisionTerritoriale], vue: &Vue<'_>) {
    for division in divisions {
        t.extension(c::EXT_DIVISION, |o| {
            o.tableau("extension", |t| {
                ext_code(t, "typeTerritorialDivision", division.r#type.as_ref(), vue);
                ext_code(t, "codeTerritorialDivision", division.code.as_ref(), vue);
            });
        });
    }
}
