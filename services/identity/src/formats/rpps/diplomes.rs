//! `Dipl_AutExerc`: diplomas and authorisations to practise.

use ror_domaine::identifiants::id_ps;
use ror_domaine::ressource::id_deterministe;
use ror_proto::common::v1::{Faute, Meta};
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{AutorisationExercice, Diplome, Formation};

use super::colonnes::{Champ, Champs};
use super::identifiant::Identifiant;
use super::table::{Fiche, Suivi};

/// The diplomas and authorisations of a person. A line is a diploma or an
/// authorisation.
#[derive(Debug)]
pub(super) struct Diplomes {
    identifiant: Identifiant,
    formation: Formation,
}

impl Fiche for Diplomes {
    fn nouvelle(identifiant: Identifiant) -> Self {
        Self { identifiant, formation: Formation::default() }
    }

    fn identifiant(&self) -> &Identifiant {
        &self.identifiant
    }

    fn id(id_nat_ps: &str) -> String {
        id_formation(id_nat_ps)
    }

    fn controler(_: &Champs<'_>, _: &mut Vec<Faute>) {}

    fn ajouter(&mut self, ligne: &Champs<'_>, suivi: &mut Suivi) {
        let diplome = [ligne.valeur(Champ::TypeDiplome), ligne.valeur(Champ::Diplome)];
        let autorisation = [ligne.valeur(Champ::TypeAutorisation), ligne.valeur(Champ::Discipline)];
        if diplome != ["", ""] {
            let [genre, code] = diplome.map(str::to_owned);
            self.formation.diplomes.push(Diplome { r#type: genre, code });
        }
        if autorisation != ["", ""] {
            let [genre, discipline] = autorisation.map(str::to_owned);
            self.formation.autorisations.push(AutorisationExercice { r#type: genre, discipline });
        }
        if diplome == ["", ""] && autorisation == ["", ""] {
            suivi.constater("formation-absente");
        }
    }

    fn ressource(self, _: &mut Suivi) -> Ressource {
        let Self { identifiant, mut formation } = self;
        formation.meta = Some(Meta { id: id_formation(&identifiant.id_nat_ps), ..Meta::default() });
        formation.id_nat_ps = identifiant.id_nat_ps;
        trier(&mut formation);
        Ressource::Formation(formation)
    }
}

/// Technical id of the diplomas and authorisations of a professional, from that of
/// the professional.
fn id_formation(id_nat_ps: &str) -> String {
    id_deterministe("formation", &id_ps(id_nat_ps))
}

/// Merges a record read again later in the same file into the first one: the
/// result is the record that contiguous lines would have given.
pub fn fusionner_formation(base: &mut Formation, reprise: Formation) {
    base.diplomes.extend(reprise.diplomes);
    base.autorisations.extend(reprise.autorisations);
    trier(base);
}

fn trier(formation: &mut Formation) {
    formation.diplomes.sort_by(|un, autre| (&un.r#type, &un.code).cmp(&(&autre.r#type, &autre.code)));
    formation.diplomes.dedup();
    formation
        .autorisations
        .sort_by(|une, autre| (&une.r#type, &une.discipline).cmp(&(&autre.r#type, &autre.discipline)));
    formation.autorisations.dedup();
}
