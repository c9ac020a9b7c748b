//! Legal entities and sites.

use ror_domaine::identifiants::{Siren, Siret, id_eg, id_ej};
use ror_proto::identity::v1::StructureFiness;

use super::Champs;

/// Reads a legal entity.
pub(in crate::formats) fn lire_ej(champs: &mut Champs<'_>) -> StructureFiness {
    let num_finess = champs.finess("nofiness");
    let (denomination, courte) = lire_noms(champs);
    let commune = champs.commune();
    let (date_fermeture, type_fermeture) = lire_fermeture(champs);
    StructureFiness {
        meta: Some(champs.meta(id_ej(&num_finess), &commune)),
        num_finess,
        entite_juridique: true,
        siren: champs.numero("siren", Siren::lire_delivre),
        denomination,
        denomination_courte: courte,
        complement: champs.texte("complrs"),
        statut_juridique: champs.texte("statutjuridique"),
        code_ape: champs.ape("codeape"),
        date_ouverture: champs.date("datecrea"),
        date_fermeture,
        type_fermeture: type_fermeture.to_owned(),
        adresse: Some(champs.adresse()),
        commune_cog: commune,
        telephone: champs.telephone("telephone"),
        telecopie: champs.telephone("telecopie"),
        date_maj_source: champs.date("datemaj"),
        ..StructureFiness::default()
    }
}

/// Reads a site.
pub(in crate::formats) fn lire_et(champs: &mut Champs<'_>) -> StructureFiness {
    let num_finess = champs.finess("nofinesset");
    let num_finess_ej = champs.finess("nofinessej");
    let (denomination, courte) = lire_noms(champs);
    let commune = champs.commune();
    let (date_fermeture, type_fermeture) = lire_fermeture(champs);
    StructureFiness {
        meta: Some(champs.meta(id_eg(&num_finess), &commune)),
        num_finess,
        num_finess_ej,
        siret: champs.numero("siret", Siret::lire_delivre),
        denomination,
        denomination_courte: courte,
        complement: champs.texte("complrs"),
        categorie: lire_categorie(champs),
        espic: champs.texte("codesph"),
        mode_tarification: champs.texte("codemft"),
        code_ape: champs.ape("codeape"),
        date_ouverture: champs.date("dateouv"),
        date_autorisation: champs.date("dateautor"),
        date_fermeture,
        type_fermeture: type_fermeture.to_owned(),
        caduque: champs.oui("indcaduc"),
        finess_porteuse: lire_porteuse(champs),
        adresse: Some(champs.adresse()),
        commune_cog: commune,
        telephone: champs.telephone("telephone"),
        telecopie: champs.telephone("telecopie"),
        courriel: champs.texte("courriel"),
        num_uai: champs.texte("numuai"),
        date_maj_source: champs.date("datemaj"),
        ..StructureFiness::default()
    }
}

/// Name to show (the long one, or the short), and short name.
fn lire_noms(champs: &mut Champs<'_>) -> (String, String) {
    let courte = champs.texte("rs");
    let longue = champs.texte("rslongue");
    let nom = if longue.is_empty() { courte.clone() } else { longue };
    if nom.is_empty() {
        champs.refuser(
            "rs",
            "denomination-absente",
            "La structure n'a ni dénomination longue ni dénomination courte.",
            "Un texte",
        );
    }
    (nom, courte)
}

/// A code that comes without its label is one the source itself does not know.
fn lire_categorie(champs: &mut Champs<'_>) -> String {
    let categorie = champs.texte("categetab");
    if categorie.is_empty() {
        champs.constater("categorie-absente");
    } else if !champs.present("libcategetab") {
        champs.constater("categorie-sans-libelle");
    }
    categorie
}

/// FINESS number of the principal site, for a secondary one.
fn lire_porteuse(champs: &mut Champs<'_>) -> String {
    if champs.texte("typeet") != "S" {
        return String::new();
    }
    if champs.present("nofinessppal") {
        return champs.finess("nofinessppal");
    }
    champs.constater("site-principal-absent");
    String::new()
}

/// Closing date and kind. The date says that a structure is closed, as for FINESS
/// itself; a date to come announces it.
fn lire_fermeture(champs: &mut Champs<'_>) -> (String, &'static str) {
    let genre = champs.texte("typefermeture");
    let datee = champs.present("datefermeture");
    let date = champs.date("datefermeture");
    if date.is_empty() && (genre.is_empty() || !datee) {
        if !genre.is_empty() {
            champs.constater("fermeture-sans-date");
        }
        return (date, "");
    }
    if !champs.jour().is_empty() && date.as_str() > champs.jour() {
        champs.constater("fermeture-annoncee");
        return (date, "");
    }
    let genre = match genre.as_str() {
        "DEF" => "DEF",
        "PRO" => "PRO",
        "CHP" => "HORS_CHAMP",
        "ERR" => "ERREUR",
        _ => {
            champs.constater("type-fermeture-inconnu");
            "DEF"
        }
    };
    (date, genre)
}

#[cfg(test)]
mod tests {
    use super::super::{Carnet, Fiche};
    use super::*;

    struct Fermee(&'static str, &'static str);

    impl Fiche for Fermee {
        fn champ(&self, nom: &str) -> &str {
            match nom {
                "datefermeture" => self.0,
                "typefermeture" => self.1,
                _ => "",
            }
        }
    }

    #[test]
    fn the_closing_date_decides_and_the_type_tells_the_kind() {
        let cas = [
            ("", "", "", "", None),
            ("2026-05-11", "DEF", "2026-05-11", "DEF", None),
            ("2026-05-12", "DEF", "2026-05-12", "DEF", None),
            ("2026-03-01", "PRO", "2026-03-01", "PRO", None),
            ("2026-03-01", "CHP", "2026-03-01", "HORS_CHAMP", None),
            ("2026-03-01", "ERR", "2026-03-01", "ERREUR", None),
            ("2026-03-01", "NDI", "2026-03-01", "DEF", Some("type-fermeture-inconnu")),
            ("2026-03-01", "", "2026-03-01", "DEF", Some("type-fermeture-inconnu")),
            ("2026-12-31", "DEF", "2026-12-31", "", Some("fermeture-annoncee")),
            ("", "DEF", "", "", Some("fermeture-sans-date")),
            ("1900-01-01", "DEF", "", "DEF", Some("date-inconnue")),
            ("1900-01-01", "", "", "", Some("date-inconnue")),
        ];
        for (date, genre, jour, attendu, constat) in cas {
            let mut carnet = Carnet::default();
            let fiche = Fermee(date, genre);
            let lue = lire_fermeture(&mut Champs::nouveaux(&fiche, &mut carnet, "2026-05-12"));
            assert_eq!(lue, (jour.to_owned(), attendu), "{date} {genre}");
            assert_eq!(carnet.constats().into_keys().next(), constat, "{date} {genre}");
        }
    }
}
