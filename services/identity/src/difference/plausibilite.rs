//! Whether an edition may be applied without a person looking at it.

use std::cmp::Ordering;

use ror_chassis::erreur::faute;
use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::{Changement, Operation};

/// A share of a base, in ten-thousandths, and the number below which it says
/// nothing: a few records are a large share of a small base, on ordinary days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seuil {
    /// Share, in ten-thousandths.
    pub part: u64,
    /// The share counts only above this number.
    pub plancher: u64,
}

impl Seuil {
    fn depasse(self, nombre: u64, base: u64) -> bool {
        nombre > self.plancher && nombre.saturating_mul(UNITE) > self.part.saturating_mul(base)
    }
}

/// Ten-thousandths of a whole.
const UNITE: u64 = 10_000;

/// Thresholds above which an edition waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seuils {
    /// Loss of size of the file; its floor is in the unit of [`Bilan::taille`].
    pub perte_taille: Seuil,
    /// Loss of a collection; its floor is in records.
    pub perte_collection: Seuil,
    /// Loss, in ten-thousandths, that no floor excuses.
    pub perte_forte: u64,
    /// Size under which a collection is too small to lose much.
    pub petite_collection: u64,
    /// Closures of any kind, among known records.
    pub fermetures: Seuil,
    /// Records changed otherwise, among known records.
    pub modifications: Seuil,
    /// Refused lines or elements, among those read.
    pub refus: Seuil,
    /// Refused lines or elements, whatever their share.
    pub refus_max: u64,
}

impl Default for Seuils {
    fn default() -> Self {
        Self {
            perte_taille: Seuil { part: 200, plancher: 100_000 },
            perte_collection: Seuil { part: 100, plancher: 20 },
            perte_forte: 2_000,
            petite_collection: 10,
            fermetures: Seuil { part: 50, plancher: 20 },
            modifications: Seuil { part: 500, plancher: 50 },
            refus: Seuil { part: 10, plancher: 20 },
            refus_max: 100,
        }
    }
}

/// Size of one collection of a file, such as "ege" or "personnes".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// Name.
    pub nom: String,
    /// In the last edition applied.
    pub avant: u64,
    /// In this one.
    pub apres: u64,
}

/// What is known of an edition once compared, and of the last one applied of the
/// same channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bilan {
    /// True when nothing of this channel was applied before: only refusals count.
    pub premiere: bool,
    /// True for a part of an edition: it is smaller than a whole one by nature.
    pub partielle: bool,
    /// Size of this edition: bytes after decompression, so that gzip or not is the same.
    pub taille: u64,
    /// The same for the last one; 0 when not known.
    pub taille_avant: u64,
    /// Collections of the file.
    pub collections: Vec<Collection>,
    /// Version of the schema, empty when the format has none.
    pub schema: String,
    /// The same for the last edition.
    pub schema_avant: String,
    /// Records of the channel known before.
    pub connus: u64,
    /// Records this edition closes, for good or not.
    pub fermetures: u64,
    /// Records this edition changes without closing them; creations do not count.
    pub modifications: u64,
    /// Lines or elements read, refused ones included.
    pub lignes: u64,
    /// Lines or elements refused.
    pub refus: u64,
}

impl Bilan {
    /// Counts the changes of one record, as [`super::comparer`] gives them.
    pub fn compter(&mut self, changements: &[Changement]) {
        let parmi =
            |operations: &[Operation]| changements.iter().any(|c| operations.contains(&c.operation()));
        if parmi(FERMETURES) {
            self.fermetures += 1;
        } else if parmi(MODIFICATIONS) {
            self.modifications += 1;
        }
    }
}

const FERMETURES: &[Operation] =
    &[Operation::Fermee, Operation::FermeeProvisoirement, Operation::HorsChamp, Operation::DeclareeParErreur];

const MODIFICATIONS: &[Operation] = &[Operation::Modifiee, Operation::Transferee, Operation::Rouverte];

/// Why an edition must wait for a person; nothing when it may be applied.
#[must_use]
pub fn juger(bilan: &Bilan, seuils: &Seuils) -> Vec<Faute> {
    let mut motifs = Vec::new();
    if !bilan.premiere {
        if !bilan.partielle {
            motifs.extend(juger_taille(bilan, seuils));
            motifs.extend(bilan.collections.iter().filter_map(|c| juger_collection(c, seuils)));
        }
        motifs.extend(juger_schema(bilan));
        motifs.extend(juger_changements(bilan, seuils));
    }
    motifs.extend(juger_refus(bilan, seuils));
    motifs
}

/// Refuses an edition older than the last one applied. Keys are compared by
/// their digits, as far as both go: a day and an instant of that day are equal.
/// Nothing is said when one of them is empty.
#[must_use]
pub fn rejeter_ancienne(cle: &str, derniere: &str) -> Option<Faute> {
    let (recue, connue) = (chiffres(cle), chiffres(derniere));
    let commun = recue.len().min(connue.len());
    match recue.get(..commun).cmp(&connue.get(..commun)) {
        Ordering::Less => Some(faute(
            "edition",
            "edition-ancienne",
            format!("L'édition {cle} est plus ancienne que la dernière appliquée, {derniere}."),
            format!("une édition du {derniere} ou plus récente"),
        )),
        Ordering::Equal | Ordering::Greater => None,
    }
}

fn chiffres(cle: &str) -> String {
    cle.chars().filter(char::is_ascii_digit).collect()
}

fn juger_taille(bilan: &Bilan, seuils: &Seuils) -> Option<Faute> {
    let (avant, apres) = (bilan.taille_avant, bilan.taille);
    let perte = avant.saturating_sub(apres);
    if !seuils.perte_taille.depasse(perte, avant) && !forte(perte, avant, seuils) {
        return None;
    }
    Some(faute(
        "taille",
        "taille-en-baisse",
        format!(
            "Le fichier a perdu {} de sa taille : {apres} octets au lieu de {avant}.",
            part(perte, avant)
        ),
        accord(format!("au plus {} de moins que l'édition précédente", pour_cent(seuils.perte_taille.part))),
    ))
}

fn juger_collection(collection: &Collection, seuils: &Seuils) -> Option<Faute> {
    let Collection { nom, avant, apres } = collection;
    let perte = avant.saturating_sub(*apres);
    let forte = *avant >= seuils.petite_collection && forte(perte, *avant, seuils);
    if !seuils.perte_collection.depasse(perte, *avant) && !forte {
        return None;
    }
    Some(faute(
        nom,
        "collection-en-baisse",
        format!(
            "La collection « {nom} » a perdu {} de ses éléments : {apres} au lieu de {avant}.",
            part(perte, *avant)
        ),
        accord(format!(
            "au plus {} de moins que l'édition précédente",
            pour_cent(seuils.perte_collection.part)
        )),
    ))
}

fn forte(perte: u64, avant: u64, seuils: &Seuils) -> bool {
    perte > 0 && perte.saturating_mul(UNITE) >= seuils.perte_forte.saturating_mul(avant)
}

fn juger_schema(bilan: &Bilan) -> Option<Faute> {
    if bilan.schema_avant.is_empty() || bilan.schema == bilan.schema_avant {
        return None;
    }
    let schema = if bilan.schema.is_empty() { "absente" } else { bilan.schema.as_str() };
    Some(faute(
        "schemaVersion",
        "schema-change",
        format!("La version du schéma est {schema} ; elle était {}.", bilan.schema_avant),
        accord(format!("la version {}", bilan.schema_avant)),
    ))
}

fn juger_changements(bilan: &Bilan, seuils: &Seuils) -> Vec<Faute> {
    let mesures = [
        ("fermetures", "fermetures-nombreuses", "ferme", bilan.fermetures, seuils.fermetures),
        ("modifications", "modifications-nombreuses", "modifie", bilan.modifications, seuils.modifications),
    ];
    let trop = mesures.into_iter().filter(|(_, _, _, nombre, seuil)| seuil.depasse(*nombre, bilan.connus));
    trop.map(|(element, regle, verbe, nombre, seuil)| {
        faute(
            element,
            regle,
            format!(
                "L'édition {verbe} {nombre} enregistrements sur {} connus ({}).",
                bilan.connus,
                part(nombre, bilan.connus)
            ),
            accord(format!("au plus {} des enregistrements connus", pour_cent(seuil.part))),
        )
    })
    .collect()
}

fn juger_refus(bilan: &Bilan, seuils: &Seuils) -> Option<Faute> {
    if bilan.refus <= seuils.refus_max && !seuils.refus.depasse(bilan.refus, bilan.lignes) {
        return None;
    }
    Some(faute(
        "lignes",
        "refus-nombreux",
        format!(
            "{} lignes ou éléments sont refusés sur {} ({}).",
            bilan.refus,
            bilan.lignes,
            part(bilan.refus, bilan.lignes)
        ),
        accord(format!(
            "au plus {} refus, et {} de ce qui est lu",
            seuils.refus_max,
            pour_cent(seuils.refus.part)
        )),
    ))
}

fn accord(attendu: String) -> String {
    format!("{attendu}, ou l'accord d'une personne")
}

fn part(nombre: u64, base: u64) -> String {
    pour_cent(nombre.saturating_mul(UNITE).checked_div(base).unwrap_or(UNITE))
}

/// Ten-thousandths as a French percentage: 250 is "2,5 %".
fn pour_cent(part: u64) -> String {
    let (entier, centiemes) = (part / 100, part % 100);
    let decimales = match (centiemes / 10, centiemes % 10) {
        (0, 0) => String::new(),
        (dixieme, 0) => format!(",{dixieme}"),
        _ => format!(",{centiemes:02}"),
    };
    format!("{entier}{decimales} %")
}

#[cfg(test)]
mod tests;
