//! Writing an export: one moment, rendered row by row while another thread compresses and writes, so
//! that memory stays flat whatever the size.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::sync_channel},
    time::{Duration, Instant},
};

use roaring::RoaringBitmap;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    demande::{Demande, Forme},
    manifeste::{Manifeste, ecrire_ms},
    portee::{Ensembles, Recherches, associer},
    sortie::{AVANCE, Arret, Liste, Sortie, ecrire},
    tache::{Echec, Tache, maintenant},
};
use crate::{
    Passerelle,
    flux::{self, touches::Touches},
    modele::{Bits, Modele, TypeFhir},
    recherche::evaluation::{self, Moteur, Textes, TropCouteux},
    rendu::{self, Contexte},
    texte::TextesDuMoment,
};

/// Rows and links that the searches of an export may look at together, and the time of a core they may take:
/// twenty times what a search may.
const BUDGET: i64 = 20 * evaluation::BUDGET;
const DELAI: Duration = Duration::from_secs(60);
/// Deletions of a line.
const PAR_TRANSACTION: usize = 500;
/// Between two looks at full text that is not ready, and how long it is waited for.
const PAS: Duration = Duration::from_millis(200);
const ATTENTE_TEXTES: Duration = Duration::from_secs(600);
/// Between two looks at whether it is still wanted.
const CONTROLE: u64 = 256;
/// A whole walk gains nothing from a cache: it has one of its own, and spoils no other's.
const CACHE: u64 = 64_000;

/// Writes an export; `None` when it was stopped on the way, or rights changed.
///
/// # Errors
///
/// Why it cannot be.
pub fn produire(p: &Passerelle, t: &Tache, arret: &CancellationToken) -> Result<Option<Manifeste>, Echec> {
    let (profil, d) = (t.fiche.profil, &t.fiche.demande);
    // Before the searches are read with them.
    let mots = flux::mots(p);
    let recherches = d.portee.compiler(p, d.indulgent, &mut Vec::new()).map_err(|issues| Echec {
        code: "invalid".to_owned(),
        textes: issues.into_iter().map(|i| i.diagnostics).collect(),
        fin: maintenant(),
    })?;
    let Some(textes) = attendre_les_textes(p, t, &recherches, arret)? else { return Ok(None) };
    // Every source was known to be caught up at that instant, and the moment is taken after it.
    let retard = p.fraicheur.retard().unwrap_or_default();
    let jusqu_a = maintenant() - (retard * 1000.0).ceil() as i64;
    let m = p.annuaire.instant();
    let droits = m.politique().empreinte_pour(profil);
    let voulu = || voulu(p, t, droits, arret);
    let Some(mut ensembles) = chercher(&recherches, (&m, profil), &textes, &voulu)? else { return Ok(None) };
    if d.complet {
        associer(&m, &mut ensembles, profil);
    }
    t.total.store(ensembles.iter().map(RoaringBitmap::len).sum(), Ordering::Relaxed);
    let (ordres, recus) = sync_channel(AVANCE);
    let espace = p.exports.espace();
    let (fini, ecrits) = std::thread::scope(|s| {
        let ecriture = s.spawn(move || ecrire(t, espace, recus));
        let rendu = Rendu { p, t, m: &m, droits, ensembles: &ensembles, arret };
        let fini = rendu.tout(Sortie::nouvelle(ordres, d.forme));
        let ecrits = ecriture.join().unwrap_or_else(|_| {
            Err(Echec::nouveau(
                "exception",
                "L'écriture de l'export s'est interrompue. Attendu : recommencer.",
            ))
        });
        (fini, ecrits)
    });
    let [sorties, suppressions, messages] = ecrits?;
    match fini {
        Ok(()) => {}
        Err(Arret::Voulu) => return Ok(None),
        // The writing thread only stops by itself with a reason, returned above.
        Err(Arret::Ecriture) => return Err(Echec::nouveau("exception", "L'export n'a pas pu être écrit.")),
    }
    let curseur = flux::curseur_de(p, &m, profil, mots);
    Ok(Some(Manifeste { jusqu_a, curseur, droits, fin: maintenant(), sorties, suppressions, messages }))
}

/// Whether what is made under these rights is still to be given.
fn voulu(p: &Passerelle, t: &Tache, droits: u64, arret: &CancellationToken) -> bool {
    !t.annulee() && !arret.is_cancelled() && p.droits(t.fiche.profil) == droits
}

/// Rows of an export; `None` when it is no longer wanted.
fn chercher(
    recherches: &Recherches,
    (m, profil): (&Modele, u8),
    textes: &dyn Textes,
    voulu: &dyn Fn() -> bool,
) -> Result<Option<Ensembles>, Echec> {
    let arret = || !voulu();
    let moteur = Moteur::nouveau(m, profil, textes, BUDGET).patient(DELAI, &arret);
    match recherches.evaluer_par(&moteur) {
        _ if !voulu() => Ok(None),
        Ok(ensembles) => Ok(Some(ensembles)),
        Err(TropCouteux) => {
            let texte = "Les recherches de _typeFilter demandent plus de travail qu'un export n'en peut coûter. Attendu : des critères plus sélectifs (activité, commune, région), plusieurs exports, ou le type entier.";
            Err(Echec::nouveau("too-costly", texte))
        }
    }
}

/// Full text, once it knows every row that these searches ask it for; `None` when the export is no longer wanted.
fn attendre_les_textes(
    p: &Passerelle,
    t: &Tache,
    recherches: &Recherches,
    arret: &CancellationToken,
) -> Result<Option<TextesDuMoment>, Echec> {
    let debut = Instant::now();
    loop {
        if let Some(textes) = p.textes(t.fiche.profil, recherches.requetes()) {
            return Ok(Some(textes));
        }
        if t.annulee() || arret.is_cancelled() {
            return Ok(None);
        }
        if debut.elapsed() >= ATTENTE_TEXTES {
            let texte = "Le texte intégral, que l'export demande, n'est pas prêt. Attendu : recommencer plus tard, ou des critères sans _content ni _text.";
            return Err(Echec::nouveau("transient", texte));
        }
        std::thread::sleep(PAS);
    }
}

/// The rendering side.
struct Rendu<'a> {
    p: &'a Passerelle,
    t: &'a Tache,
    m: &'a Modele,
    /// Of the moment.
    droits: u64,
    ensembles: &'a Ensembles,
    arret: &'a CancellationToken,
}

impl Rendu<'_> {
    fn tout(&self, mut s: Sortie) -> Result<(), Arret> {
        let fiche = &self.t.fiche;
        let d = &fiche.demande;
        let touches = d.depuis.map(|i| self.touches_depuis(i));
        let mut messages: Vec<Vec<u8>> =
            d.ignores.iter().map(|texte| message("warning", "not-supported", texte)).collect();
        if let (Some(None), Some(depuis)) = (&touches, d.depuis) {
            let texte = format!(
                "Le journal des changements ne remonte pas jusqu'à {} : les suppressions ne sont pas données, et ce qui est devenu visible sans être modifié peut manquer. Attendu : un export complet, sans _since.",
                ecrire_ms(depuis)
            );
            messages.push(message("warning", "incomplete", &texte));
        }
        let touches = touches.flatten();
        let donnees = d.depuis.map(|depuis| {
            let touchees = touches.as_ref().map(|x| &x.rangs);
            changees(self.m, fiche.profil, self.ensembles, (depuis, touchees), d.complet)
        });
        let cache = Arc::new(self.p.rendues.a_part(CACHE));
        let tables = self.p.vocabulaire.tables();
        let c = Contexte::nouveau(&cache, self.m.politique(), &tables, fiche.profil, &fiche.base);
        for t in TypeFhir::TOUS {
            s.commencer(Liste::Sorties, t.nom(), t.nom());
            let elements = d.elements.as_ref().map(|e| e.membres(t));
            let mut vus = 0u64;
            for rang in &self.ensembles[t as usize] {
                vus += 1;
                if vus.is_multiple_of(CONTROLE) && !voulu(self.p, self.t, self.droits, self.arret) {
                    return Err(Arret::Voulu);
                }
                if donnees.as_ref().is_some_and(|x| !x[t as usize].contains(rang)) {
                    self.t.fait.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let Some(e) = self.m.extraire(t, rang, fiche.profil) else { continue };
                let mut entier = Vec::new();
                let ecrit = s.ajouter(|sortie| {
                    if d.forme == Forme::Json {
                        let url = format!("{}/{}/{}", fiche.base, t.nom(), e.id);
                        sortie.extend_from_slice(
                            format!("{{\"fullUrl\":{},\"resource\":", json!(url)).as_bytes(),
                        );
                    }
                    let rendue = match &elements {
                        None => rendu::ressource(&e, &c, sortie),
                        Some(gardes) => {
                            let rendue = rendu::ressource(&e, &c, &mut entier);
                            if rendue {
                                gardes.ecrire(&entier, sortie);
                            }
                            rendue
                        }
                    };
                    if d.forme == Forme::Json {
                        sortie.push(b'}');
                    }
                    rendue
                })?;
                if !ecrit {
                    let texte =
                        format!("{}/{} n'a pas pu être produite : elle manque dans l'export.", t.nom(), e.id);
                    messages.push(message("error", "exception", &texte));
                }
            }
            s.clore()?;
        }
        if let Some(touches) = &touches {
            self.suppressions(&mut s, touches, d)?;
        }
        s.commencer(Liste::Messages, "messages", "OperationOutcome");
        for m in &messages {
            s.ajouter(|sortie| {
                let (avant, apres): (&[u8], &[u8]) =
                    if d.forme == Forme::Json { (b"{\"resource\":", b"}") } else { (b"", b"") };
                sortie.extend_from_slice(avant);
                sortie.extend_from_slice(m);
                sortie.extend_from_slice(apres);
                true
            })?;
        }
        s.clore()
    }

    /// Rows touched since an instant; none when the journal does not go back so far.
    fn touches_depuis(&self, instant: i64) -> Option<Touches> {
        let numero = self.p.exports.reperes().au(instant)?;
        let journal = self.m.journal_depuis(numero)?;
        Some(Touches::de(&journal, self.t.fiche.profil))
    }

    /// What the caller saw then and no longer sees.
    fn suppressions(&self, s: &mut Sortie, touches: &Touches, d: &Demande) -> Result<(), Arret> {
        s.commencer(Liste::Suppressions, "deleted", "Bundle");
        let mut requetes: Vec<String> = Vec::new();
        for t in TypeFhir::TOUS {
            if !d.complet && !d.portee.couvre(t) {
                continue;
            }
            let table = self.m.table(t);
            for rang in &touches.vus[t as usize] - table.visibles(self.t.fiche.profil) {
                let url = format!("{}/{}", t.nom(), table.id(rang));
                requetes.push(json!({ "request": { "method": "DELETE", "url": url } }).to_string());
            }
        }
        let ajouter = |s: &mut Sortie, texte: &str| {
            s.ajouter(|sortie| {
                sortie.extend_from_slice(texte.as_bytes());
                true
            })
        };
        match d.forme {
            Forme::Json => {
                for r in &requetes {
                    ajouter(s, r)?;
                }
            }
            Forme::Ndjson => {
                for lot in requetes.chunks(PAR_TRANSACTION) {
                    let entrees = lot.join(",");
                    ajouter(
                        s,
                        &format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entrees}]}}"#),
                    )?;
                }
            }
        }
        s.clore()
    }
}

/// Those of these rows that changed since an instant, or are known to; in the complete form, what goes with them too:
/// what they now lead to may have changed long before.
fn changees(
    m: &Modele,
    profil: u8,
    ensembles: &Ensembles,
    (depuis, touchees): (i64, Option<&Ensembles>),
    complet: bool,
) -> Ensembles {
    let mut changees = Ensembles::default();
    for t in TypeFhir::TOUS {
        let touchees = touchees.map(|x| &x[t as usize]);
        let changee = |r: &u32| m.maj(t, *r, profil) > depuis || touchees.is_some_and(|x| x.contains(*r));
        let rangs: Vec<u32> = ensembles[t as usize].iter().filter(changee).collect();
        changees[t as usize] = Bits::en_ordre(&rangs);
    }
    if complet {
        associer(m, &mut changees, profil);
    }
    changees
}

fn message(severite: &str, code: &str, texte: &str) -> Vec<u8> {
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": severite, "code": code, "diagnostics": texte }],
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::Timestamp;
    use ror_proto::{
        common::v1::{Evenement, Meta},
        offers::v1::{Offer, OffreOperationnelle, offer},
    };

    use super::*;
    use crate::{
        flux::comparaison::tests::requete,
        modele::{
            Source,
            tests::{evenement, moments::lieu, vide},
        },
        recherche::tests::SansTexte,
    };

    #[test]
    fn the_complete_form_since_an_instant_gives_what_a_change_newly_leads_to() {
        let mut m = vide();
        let dater = |e: Evenement, seconds| Evenement { date: Some(Timestamp { seconds, nanos: 0 }), ..e };
        let offre = |lieux: &[&str], version, seconds| {
            let o = OffreOperationnelle {
                meta: Some(Meta { id: "o".into(), ..Default::default() }),
                lieux_ids: lieux.iter().map(|l| (*l).to_owned()).collect(),
                ..Default::default()
            };
            let etat = Offer { ressource: Some(offer::Ressource::Offre(o)) }.encode_to_vec();
            dater(evenement("o", version, &etat, false, Source::Offers), seconds)
        };
        let lieux = ["li1", "li2", "li3"].map(|l| dater(lieu(l, 1), 10));
        m.appliquer(Source::Offers, &lieux);
        m.appliquer(Source::Offers, &[offre(&["li1"], 1, 10)]);
        m.appliquer(Source::Offers, &[offre(&["li1", "li2"], 2, 30)]);
        let tout = TypeFhir::TOUS.map(|t| m.table(t).visibles(1).clone());
        let donnees = |touchees: Option<&Ensembles>, complet| {
            let x = changees(&m, 1, &tout, (20_000, touchees), complet);
            TypeFhir::TOUS
                .map(|t| x[t as usize].iter().map(|r| m.table(t).id(r).to_string()).collect::<Vec<_>>())
        };
        let (o, li) = (TypeFhir::HealthcareService as usize, TypeFhir::Location as usize);
        assert_eq!(donnees(None, false)[o], ["o"]);
        assert!(donnees(None, false)[li].is_empty());
        // The second place is new to it, though it did not change; the third is of no offer.
        assert_eq!(donnees(None, true)[li], ["li1", "li2"]);
        let mut touchees = Ensembles::default();
        touchees[li].extend(m.table(TypeFhir::Location).rang("li3"));
        assert_eq!(donnees(Some(&touchees), false)[li], ["li3"]);
    }

    #[test]
    fn searches_stop_when_nobody_waits_and_when_they_cost_too_much() {
        let mut m = vide();
        m.appliquer(Source::Offers, &[lieu("li1", 1)]);
        let requetes = vec![requete(TypeFhir::Location, "_tag=52"); 5_000];
        let recherches = Recherches(vec![(TypeFhir::Location, requetes)]);
        let trouver = |voulu: &dyn Fn() -> bool| chercher(&recherches, (&m, 1), &SansTexte, voulu);
        assert_eq!(trouver(&|| true).unwrap().unwrap()[TypeFhir::Location as usize].len(), 1);
        // Told to stop on the way: what was found is not all.
        assert!(trouver(&|| false).unwrap().is_none());
        let appels = std::cell::Cell::new(0);
        let un_temps = || {
            appels.set(appels.get() + 1);
            appels.get() == 1
        };
        assert!(trouver(&un_temps).unwrap().is_none());
        assert!(appels.get() < 10, "looked at to its end");
        let peu = Moteur::nouveau(&m, 1, &SansTexte, 1_000);
        assert_eq!(recherches.evaluer_par(&peu).err(), Some(TropCouteux));
        assert_eq!(Echec::nouveau("too-costly", "x").issues()[0].code, "too-costly");
    }
}
