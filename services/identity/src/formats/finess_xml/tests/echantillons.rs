use super::super::super::tests::echantillon;
use super::*;

#[test]
fn the_samples_are_read_with_their_states() {
    let cas = [
        ("finess_cs1400101_stock_20260512-0130.xml", "structureej", 4),
        ("finess_cs1400102_stock_20260512-0130.xml", "structureet", 7),
    ];
    for (nom, genre, nombre) in cas {
        let Some(source) = echantillon(nom) else {
            return;
        };
        let mut lectures = Vec::new();
        let resume = lire(source, &mut |lecture| {
            lectures.push(lecture);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(refus(&lectures).is_empty(), "{nom}");
        assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20260512", "1"));
        assert_eq!(resume.comptes.get(genre), Some(&nombre));
        let lues = structures(&lectures);
        let par_numero = |numero: &str| lues.iter().find(|lue| lue.num_finess == numero).unwrap();
        if genre == "structureej" {
            let fermee = par_numero("2B9000120");
            assert_eq!(fermee.type_fermeture, "DEF");
            assert_eq!(fermee.date_fermeture, "2026-05-11");
            assert_eq!(par_numero("759907132").denomination, "FONDATION HORIZON; SOLIDARITÉS & ACCUEIL");
            assert_eq!(par_numero("980599047").meta.as_ref().unwrap().region, "06");
            continue;
        }
        assert_eq!(par_numero("2B9000401").type_fermeture, "DEF");
        assert_eq!(par_numero("2A9000312").type_fermeture, "PRO");
        assert_eq!(par_numero("2A9000312").denomination, "SERVICE D'AIDE À DOMICILE \"A CASA\"");
        assert!(par_numero("970299418").caduque);
        assert_eq!(par_numero("970299418").siret, "");
        assert_eq!(par_numero("019000215").finess_porteuse, "019000207");
        assert_eq!(par_numero("759907314").date_ouverture, "");
        assert_eq!(par_numero("970499604").type_fermeture, "");
    }
}
