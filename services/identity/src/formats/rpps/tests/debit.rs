//! Speed on a file of the real shape: 56 columns, about 500 bytes a line.

use std::fmt::Write;
use std::time::Instant;

use ror_domaine::identifiants::Rpps;

use super::*;

const ENTETE: &str = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Code civilité d'exercice|Libellé civilité d'exercice|Code civilité|Libellé civilité|Nom d'exercice|Prénom d'exercice|Code profession|Libellé profession|Code catégorie professionnelle|Libellé catégorie professionnelle|Code type savoir-faire|Libellé type savoir-faire|Code savoir-faire|Libellé savoir-faire|Code mode exercice|Libellé mode exercice|Numéro SIRET site|Numéro SIREN site|Numéro FINESS site|Numéro FINESS établissement juridique|Identifiant technique de la structure|Raison sociale site|Enseigne commerciale site|Complément destinataire (coord. structure)|Complément point géographique (coord. structure)|Numéro Voie (coord. structure)|Indice répétition voie (coord. structure)|Code type de voie (coord. structure)|Libellé type de voie (coord. structure)|Libellé Voie (coord. structure)|Mention distribution (coord. structure)|Bureau cedex (coord. structure)|Code postal (coord. structure)|Code commune (coord. structure)|Libellé commune (coord. structure)|Code pays (coord. structure)|Libellé pays (coord. structure)|Téléphone (coord. structure)|Téléphone 2 (coord. structure)|Télécopie (coord. structure)|Adresse e-mail (coord. structure)|Code Département (structure)|Libellé Département (structure)|Ancien identifiant de la structure|Autorité d'enregistrement|Code secteur d'activité|Libellé secteur d'activité|Code section tableau pharmaciens|Libellé section tableau pharmaciens|Code rôle|Libellé rôle|Code genre activité|Libellé genre activité|";

const LIGNE: &str = "|DR|Docteur|MME|Madame|EXEMPLE-FICTIF|Zoé|10|Médecin|C|Civil|S|Spécialité ordinale|SM53|Spécialiste en Médecine Générale|S|Salarié|99000101800128||019000207|019000108|F019000207|CENTRE HOSPITALIER DU VAL D'ORNAIN||SERVICE DE MEDECINE||12||RTE|Route|DE LA FICTION||01440 VIRIAT|01440|01451|Viriat|||0400000201||0400000202||||1019000207|CNOM/CNOM/ARS|SA01|Etablissement Public de santé|||||GENR01|Activité standard de soin ou de pharmacien|\n";

/// Invented people; one in four has two lines, about as many as in the real file.
fn grand_fichier(personnes: usize) -> String {
    let mut texte = format!("{ENTETE}\n");
    let seconde = LIGNE.replace("|SM53|", "|SM04|");
    let numeros = (10_990_000_000_u64..).map(|numero| numero.to_string());
    for (rang, numero) in numeros.filter(|numero| Rpps::lire(numero).is_ok()).take(personnes).enumerate() {
        write!(texte, "8|{numero}|8{numero}{LIGNE}").unwrap();
        if rang % 4 == 0 {
            write!(texte, "8|{numero}|8{numero}{seconde}").unwrap();
        }
    }
    texte
}

#[test]
#[ignore = "mesure de débit, à lancer seule avec --release"]
fn au_moins_250_mo_par_seconde() {
    let texte = grand_fichier(300_000);
    let debut = Instant::now();
    let mut lues = 0_u64;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    let duree = debut.elapsed();
    assert_eq!((lues, resume.comptes["personnes"], resume.comptes["lignes"]), (300_000, 300_000, 375_000));
    let debit = texte.len() as f64 / duree.as_secs_f64() / 1e6;
    eprintln!("{:.0} Mo en {:.2} s : {debit:.0} Mo/s", texte.len() as f64 / 1e6, duree.as_secs_f64());
    assert!(cfg!(debug_assertions) || debit >= 250.0, "{debit:.0} Mo/s");
}
