use ror_proto::access::v1::{Policy, PolicyRule};

use super::{Bloc, Faits, POLITIQUE_TSV, Politique, politique_par_defaut};

fn politique() -> Politique {
    let regles = politique_par_defaut(POLITIQUE_TSV).expect("default policy reads");
    Politique::compiler(&regles).expect("default policy compiles")
}

fn tous_les_faits() -> Vec<Faits> {
    let mut tous = Vec::new();
    let booleens = [false, true];
    for sensible in booleens {
        for sensible_partage in booleens {
            for (ms, ville) in [(false, false), (true, false), (false, true), (true, true)] {
                for niveau_contact in 0..=3 {
                    for niveau_telecom in 0..=3 {
                        for statut in 0..=6 {
                            tous.push(Faits {
                                sensible,
                                sensible_partage,
                                ms,
                                ville,
                                niveau_contact,
                                niveau_telecom,
                                statut,
                            });
                        }
                    }
                }
            }
        }
    }
    tous
}

#[test]
fn what_is_decided_beforehand_is_what_the_conditions_say() {
    let politique = politique();
    let rares = [15, 16, 255].map(|statut| Faits { statut, ms: true, ..Faits::default() });
    for faits in tous_les_faits().into_iter().chain(rares) {
        for bloc in Bloc::TOUS {
            for profil in [0, 1, 2, 3, 4, 5, 6, 7, 8, 255] {
                let dit = politique.evaluer(bloc, profil, &faits);
                assert_eq!(politique.permet(bloc, profil, &faits), dit, "{} {profil} {faits:?}", bloc.nom());
            }
        }
    }
}

#[test]
fn profiles_include_one_another() {
    let politique = politique();
    for faits in tous_les_faits() {
        for bloc in Bloc::TOUS {
            let vu = |profil: u8| politique.permet(bloc, profil, &faits);
            for (petit, grand) in [(0, 3), (3, 2), (2, 1), (5, 2), (4, 1)] {
                assert!(!vu(petit) || vu(grand), "{} {petit} ⊄ {grand} {faits:?}", bloc.nom());
            }
            assert!(vu(1), "profile 1 sees everything");
        }
    }
}

#[test]
fn no_profile_but_1_and_4_sees_a_sensitive_offer() {
    let politique = politique();
    for faits in tous_les_faits().into_iter().filter(|faits| faits.sensible) {
        for bloc in Bloc::TOUS.into_iter().filter(|bloc| !bloc.nom().starts_with("structure.")) {
            assert_eq!(politique.masque(bloc, &faits) & 0b10_1101, 0, "{} {faits:?}", bloc.nom());
        }
    }
}

#[test]
fn published_cells_hold() {
    let politique = politique();
    let vu = |bloc, profil, faits: Faits| politique.permet(bloc, profil, &faits);
    let normal = Faits { niveau_contact: 1, niveau_telecom: 1, statut: 1, ..Faits::default() };
    assert_eq!(politique.masque(Bloc::StructureRecours, &normal), 0b01_0010);
    assert_eq!(politique.masque(Bloc::StructureContact, &normal), 0b10_1111);
    assert_eq!(politique.masque(Bloc::LieuCapacite, &normal), 0b11_0110);
    assert_eq!(politique.masque(Bloc::LieuEquipement, &normal), 0b11_0110);
    assert_eq!(politique.masque(Bloc::SituationBase, &normal), 0b10_0110);
    let disponible = Faits { statut: 2, ..normal };
    assert!(!vu(Bloc::LieuCapacite, 5, disponible) && vu(Bloc::LieuCapacite, 2, disponible));
    let partage = Faits { sensible_partage: true, ..normal };
    assert!(vu(Bloc::LieuBase, 0, partage));
    assert_eq!(politique.masque(Bloc::LieuCapacite, &partage), 0b01_0010);
    let restreint = Faits { niveau_contact: 2, ms: true, ..normal };
    assert_eq!(politique.masque(Bloc::OffreContact, &restreint), 0b10_1110);
    let ville = Faits { ville: true, ..normal };
    assert_eq!(politique.masque(Bloc::ProfessionnelBase, &ville), 0b10_1111);
}

#[test]
fn a_policy_is_refused_with_all_its_faults() {
    let regle = |bloc: &str, profil, condition: &str| PolicyRule {
        bloc: bloc.to_owned(),
        profil,
        condition: condition.to_owned(),
    };
    let mut politique = politique_par_defaut(POLITIQUE_TSV).expect("default policy reads");
    politique.regles.remove(0);
    politique.regles.push(regle("offre.base", 0, "toujours"));
    politique.regles.push(regle("inconnu", 0, "toujours"));
    politique.regles.push(regle("offre.base", 6, "toujours"));
    politique.regles.push(regle("offre.base", 1, "ms & (ville)"));
    let fautes = Politique::compiler(&politique).expect_err("refused");
    assert_eq!(fautes.len(), 5, "{fautes:?}");
    assert!(Politique::compiler(&Policy::default()).is_err());
    assert!(politique_par_defaut("a\tb\tc\nseul").is_err());
    for faux in ["", "ms &", "| ms", "contact<=4", "contact<=0", "statut=1", "! ", "!!ms"] {
        assert!(super::Condition::lire(faux).is_err(), "{faux}");
    }
}
