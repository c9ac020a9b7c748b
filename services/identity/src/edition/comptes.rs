//! What is counted along an edition, by kind.

use std::collections::BTreeMap;

use ror_proto::identity::v1::{
    Changement, Compte, CompteEtat, CompteOperation, Identity, Operation, identity::Ressource,
};

/// Pseudo-kind that counts the refused lines, whose kind is not known.
const REFUS: &str = "refus";

/// State of a record; None for kinds that have none.
pub(super) fn etat(i: &Identity) -> Option<&'static str> {
    match i.ressource.as_ref()? {
        Ressource::StructureFiness(s) => Some(match s.type_fermeture.as_str() {
            "" if s.caduque => "caduc",
            "" if !s.entite_juridique && s.date_ouverture.is_empty() => "autorise",
            "" => "ouvert",
            "PRO" => "ferme_pro",
            "HORS_CHAMP" => "hors_champ",
            "ERREUR" => "erreur",
            _ => "ferme_def",
        }),
        Ressource::Professionnel(p) => Some(if p.actif { "actif" } else { "inactif" }),
        Ressource::ActivitesFiness(_) | Ressource::Formation(_) => None,
    }
}

/// True unless the record is closed or inactive.
pub(super) fn ouverte(i: &Identity) -> bool {
    match &i.ressource {
        Some(Ressource::StructureFiness(s)) => s.type_fermeture.is_empty(),
        Some(Ressource::Professionnel(p)) => p.actif,
        Some(Ressource::ActivitesFiness(_) | Ressource::Formation(_)) | None => true,
    }
}

/// States of records that have one, and whether the record is then open.
const SITUATIONS: [(&str, bool); 9] = [
    ("actif", true),
    ("inactif", false),
    ("ouvert", true),
    ("autorise", true),
    ("caduc", true),
    ("ferme_def", false),
    ("ferme_pro", false),
    ("hors_champ", false),
    ("erreur", false),
];

/// What is counted of a record read, in one byte: its rank in [`SITUATIONS`], beyond them
/// for kinds that have no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Situation(u8);

impl Situation {
    /// Of a record.
    pub(super) fn de(i: &Identity) -> Self {
        let rang = etat(i).and_then(|etat| SITUATIONS.iter().position(|(connu, _)| *connu == etat));
        Self(rang.and_then(|rang| u8::try_from(rang).ok()).unwrap_or(u8::MAX))
    }

    /// As it was written.
    pub(super) fn depuis(octet: u8) -> Self {
        Self(octet)
    }

    /// As it is written.
    pub(super) fn octet(self) -> u8 {
        self.0
    }

    fn lire(self) -> Option<(&'static str, bool)> {
        SITUATIONS.get(usize::from(self.0)).copied()
    }
}

#[derive(Debug, Default)]
struct Compteur {
    compte: Compte,
    etats: BTreeMap<&'static str, u64>,
    operations: BTreeMap<i32, u64>,
}

/// Counts by kind.
#[derive(Debug, Default)]
pub(super) struct Comptes(BTreeMap<&'static str, Compteur>);

impl Comptes {
    fn de(&mut self, genre: &'static str) -> &mut Compteur {
        self.0.entry(genre).or_default()
    }

    /// Counts a record read.
    #[cfg(test)]
    fn lire(&mut self, genre: &'static str, i: &Identity) {
        self.noter(genre, Situation::de(i));
    }

    /// Counts a record read, by its state.
    pub(super) fn noter(&mut self, genre: &'static str, situation: Situation) {
        let compteur = self.de(genre);
        compteur.compte.lus += 1;
        if let Some((etat, ouverte)) = situation.lire() {
            *compteur.etats.entry(etat).or_default() += 1;
            if ouverte {
                compteur.compte.ouverts += 1;
            } else {
                compteur.compte.fermes += 1;
            }
        }
    }

    /// Counts an equal record.
    pub(super) fn laisser(&mut self, genre: &'static str) {
        self.de(genre).compte.inchanges += 1;
    }

    /// Counts a record written, and what happened to it.
    pub(super) fn ecrire(&mut self, genre: &'static str, cree: bool, changements: &[Changement]) {
        let compteur = self.de(genre);
        if cree {
            compteur.compte.crees += 1;
        } else {
            compteur.compte.modifies += 1;
        }
        for c in changements {
            compteur.noter(c.operation());
        }
    }

    /// Counts something told of a record that is not written.
    pub(super) fn signaler(&mut self, genre: &'static str, operation: Operation) {
        self.de(genre).noter(operation);
    }

    /// Counts a known record that the edition does not hold.
    pub(super) fn absent(&mut self, genre: &'static str) {
        self.de(genre).compte.absents += 1;
    }

    /// Counts a record that could not be written.
    pub(super) fn refuser(&mut self, genre: &'static str) {
        self.de(genre).compte.refuses += 1;
    }

    /// Records read.
    pub(super) fn lus(&self) -> u64 {
        self.0.values().map(|c| c.compte.lus).sum()
    }

    /// Adds what was counted elsewhere.
    pub(super) fn absorber(&mut self, autres: Self) {
        for (genre, autre) in autres.0 {
            let compteur = self.de(genre);
            let (c, a) = (&mut compteur.compte, autre.compte);
            for (somme, nombre) in [
                (&mut c.lus, a.lus),
                (&mut c.crees, a.crees),
                (&mut c.modifies, a.modifies),
                (&mut c.inchanges, a.inchanges),
                (&mut c.refuses, a.refuses),
                (&mut c.ouverts, a.ouverts),
                (&mut c.fermes, a.fermes),
                (&mut c.absents, a.absents),
            ] {
                *somme += nombre;
            }
            for (etat, nombre) in autre.etats {
                *compteur.etats.entry(etat).or_default() += nombre;
            }
            for (operation, nombre) in autre.operations {
                *compteur.operations.entry(operation).or_default() += nombre;
            }
        }
    }

    /// One entry a kind, and one for the refused lines when there are some.
    pub(super) fn rapporter(&self, refus: u64) -> Vec<Compte> {
        let mut comptes: Vec<Compte> = self.0.iter().map(|(genre, c)| c.rapporter(genre)).collect();
        if refus > 0 {
            comptes.push(Compte { genre: REFUS.to_owned(), refuses: refus, ..Compte::default() });
        }
        comptes
    }

    /// Changes by kind and operation.
    pub(super) fn operations(&self) -> Vec<CompteOperation> {
        let toutes = self.0.iter().flat_map(|(genre, c)| c.operations.iter().map(move |o| (genre, o)));
        toutes
            .map(|(genre, (operation, nombre))| CompteOperation {
                genre: (*genre).to_owned(),
                operation: *operation,
                nombre: *nombre,
            })
            .collect()
    }
}

impl Compteur {
    fn noter(&mut self, operation: Operation) {
        *self.operations.entry(operation as i32).or_default() += 1;
    }

    fn faites(&self, operations: &[Operation]) -> u64 {
        operations.iter().filter_map(|o| self.operations.get(&(*o as i32))).sum()
    }

    fn rapporter(&self, genre: &str) -> Compte {
        let etats = self.etats.iter().map(|(etat, n)| CompteEtat { etat: (*etat).to_owned(), nombre: *n });
        Compte {
            genre: genre.to_owned(),
            fermetures: self.faites(&[Operation::Fermee, Operation::FermeeProvisoirement]),
            reouvertures: self.faites(&[Operation::Rouverte]),
            transferts: self.faites(&[Operation::Transferee]),
            etats: etats.collect(),
            ..self.compte.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use ror_proto::identity::v1::{Formation, Professionnel, StructureFiness};

    use super::*;

    fn site(type_fermeture: &str, date_ouverture: &str) -> Identity {
        let s = StructureFiness {
            type_fermeture: type_fermeture.to_owned(),
            date_ouverture: date_ouverture.to_owned(),
            ..StructureFiness::default()
        };
        Identity { ressource: Some(Ressource::StructureFiness(s)) }
    }

    #[test]
    fn what_is_counted_apart_is_told_together() {
        let mut comptes = Comptes::default();
        comptes.lire("eg", &site("", "1979-02-13"));
        comptes.lire("eg", &site("", ""));
        comptes.laisser("eg");
        let mut autres = Comptes::default();
        autres.lire("eg", &site("DEF", ""));
        let fermee = Changement { operation: Operation::Fermee as i32, ..Changement::default() };
        autres.ecrire("eg", false, &[fermee]);
        autres.signaler("eg", Operation::Disparue);
        autres.absent("eg");
        comptes.absorber(autres);
        let rapport = comptes.rapporter(2);
        let eg = &rapport[0];
        assert_eq!((eg.lus, eg.ouverts, eg.fermes, eg.inchanges, eg.modifies), (3, 2, 1, 1, 1));
        assert_eq!((eg.fermetures, eg.absents), (1, 1));
        let etats: Vec<(&str, u64)> = eg.etats.iter().map(|e| (e.etat.as_str(), e.nombre)).collect();
        assert_eq!(etats, [("autorise", 1), ("ferme_def", 1), ("ouvert", 1)]);
        assert_eq!((rapport[1].genre.as_str(), rapport[1].refuses), ("refus", 2));
        assert_eq!(comptes.operations().len(), 2);
        assert_eq!(comptes.lus(), 3);
    }

    #[test]
    fn a_state_is_told_by_one_byte() {
        let mut fiches: Vec<Identity> =
            ["", "PRO", "HORS_CHAMP", "ERREUR", "DEF"].map(|fermeture| site(fermeture, "1979-02-13")).into();
        fiches.push(site("", ""));
        let caduque = StructureFiness { caduque: true, ..StructureFiness::default() };
        fiches.push(Identity { ressource: Some(Ressource::StructureFiness(caduque)) });
        for actif in [true, false] {
            let p = Professionnel { actif, ..Professionnel::default() };
            fiches.push(Identity { ressource: Some(Ressource::Professionnel(p)) });
        }
        assert_eq!(fiches.len(), SITUATIONS.len());
        for i in &fiches {
            let situation = Situation::depuis(Situation::de(i).octet());
            assert_eq!(situation.lire(), etat(i).map(|etat| (etat, ouverte(i))));
        }
        let formation = Identity { ressource: Some(Ressource::Formation(Formation::default())) };
        assert_eq!(Situation::de(&formation).lire(), None);
    }

    #[test]
    fn a_professional_is_active_or_not() {
        let de = |actif| Professionnel { actif, ..Professionnel::default() };
        for (actif, attendu) in [(true, "actif"), (false, "inactif")] {
            let i = Identity { ressource: Some(Ressource::Professionnel(de(actif))) };
            assert_eq!((etat(&i), ouverte(&i)), (Some(attendu), actif));
        }
    }
}
