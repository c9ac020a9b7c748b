//! Zip archives that bring one registry file.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn archive(fichiers: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (nom, texte) in fichiers {
        zip.start_file(*nom, SimpleFileOptions::default()).unwrap();
        zip.write_all(texte.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

async fn charger(banc: &Banc, format: Format, nom: &str, octets: &[u8]) -> RapportEdition {
    envoyer(banc, en_tete(format, nom), octets).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_one_registry_file_is_loaded_as_that_file() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let format = Format::RppsPersonneActivite;
    let nom = "PS_LibreAcces_Personne_activite_202610010830.txt";
    let fichier = format!("{ENTETE}\n{}\n", personnes(20).join("\n"));
    let octets = archive(&[("notice.pdf", "%PDF"), (nom, fichier.as_str())]);
    let r = charger(&banc, format, "PS_LibreAcces.zip", &octets).await;
    assert_eq!((r.statut(), compte(&r, "professionnel").crees), (StatutEdition::Appliquee, 20), "{r:?}");
    let editions =
        banc.identity().list_editions(ListEditionsRequest::default()).await.unwrap().into_inner().editions;
    assert_eq!((editions[0].nom.as_str(), editions[0].cle.as_str()), (nom, "202610010830"));
    // The same file as it is: nothing to write.
    let avant = traces(&identity).await;
    let r = charger(&banc, format, nom, fichier.as_bytes()).await;
    assert_eq!((r.statut(), compte(&r, "professionnel").inchanges), (StatutEdition::Appliquee, 20));
    assert_eq!(traces(&identity).await, avant);

    let ancienne = archive(&[("PS_LibreAcces_Personne_activite_202609010830.txt", fichier.as_str())]);
    let deux = archive(&[("une.txt", fichier.as_str()), ("autre.txt", fichier.as_str())]);
    let coupee = octets[..octets.len() - 40].to_vec();
    for (octets, regle) in
        [(ancienne, "edition-ancienne"), (deux, "archive-illisible"), (coupee, "archive-illisible")]
    {
        let r = charger(&banc, format, "PS_LibreAcces.zip", &octets).await;
        assert_eq!((r.statut(), r.motifs[0].regle.as_str()), (StatutEdition::Rejetee, regle), "{r:?}");
    }
    assert_eq!(traces(&identity).await, avant);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_file_in_an_archive_makes_the_same_record_as_finess_plus() {
    let banc = Banc::demarrer(&["identity"]).await;
    let texte = format!(
        "finess;etalab;111;2026-05-12\nstructureej;{EJ};CH DE LA BAIE;;;12;R;FICTIVE;;;;451;01000 VILLE;01;\
         AIN;0400000201;13;Etablissement public;;;990001018;8610Z;1950-01-01\n"
    );
    let octets = archive(&[("etalab-cs1100501-stock-20260512-0338.csv", texte.as_str())]);
    let r = charger(&banc, Format::FinessCsv, "etalab.zip", &octets).await;
    assert_eq!((r.statut(), compte(&r, "entite_juridique").crees), (StatutEdition::Appliquee, 1), "{r:?}");
    // FINESS+ then finds the record of that number, and tells more of it.
    let r = finess(&banc, &ordinaire("SITE NORD")).await;
    assert_eq!((compte(&r, "entite_juridique").crees, compte(&r, "entite_geographique").crees), (0, 1));
    assert!(lire(&banc, &id_ej(EJ)).await.is_some());
}
