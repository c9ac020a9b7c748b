//! The questions: lookup, membership, expansion, translation, search; [`changements`]:
//! differences and usage.

mod changements;

use std::sync::Arc;

use ror_chassis::{Erreur, Resultat, page};
use ror_domaine::controle::{aujourdhui, lire_date};
use ror_proto::nomenclatures::v1::{
    Association, Concept, Correspondance, EtatEdition, ExpandValueSetRequest, ExpandValueSetResponse,
    LookupCodeRequest, LookupCodeResponse, Mode, Nomenclature, Rigueur, SearchNomenclaturesRequest,
    SearchNomenclaturesResponse, Sorte, TranslateCodeRequest, TranslateCodeResponse, ValidateCodeRequest,
    ValidateCodeResponse,
};

use crate::{
    catalogue::{Catalogue, inconnue},
    domaine::{self, regles::SANS_CIBLE},
    index::{
        Entete, Index, Vue,
        filtre::{Filtre, plier},
    },
    usage::Usages,
};

/// Answers from a catalogue and the counts of use.
#[derive(Clone)]
pub struct Lectures {
    catalogue: Catalogue,
    usages: Usages,
}

/// Today when empty; a wrong date is a fault.
fn date_ou_jour(date: String) -> Resultat<String> {
    if date.is_empty() {
        return Ok(aujourdhui());
    }
    if lire_date(&date).is_none() {
        return Err(Erreur::faute("date", "date", format!("« {date} » n'est pas une date."), "AAAA-MM-JJ"));
    }
    Ok(date)
}

/// Offset and limit of an expansion: 100 members by default, 1000 at most.
fn fenetre(offset: i32, limite: i32) -> Resultat<(usize, usize)> {
    let debut = usize::try_from(offset)
        .map_err(|_| Erreur::faute("offset", "valeur", "Le début est négatif.", "0 ou plus"))?;
    let limite = usize::try_from(limite)
        .map_err(|_| Erreur::faute("limite", "valeur", "La limite est négative.", "1 à 1000"))?;
    Ok((debut, if limite == 0 { 100 } else { limite.min(1000) }))
}

fn total(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Lectures {
    /// Over a catalogue and the counts of use.
    pub fn nouvelles(catalogue: Catalogue, usages: Usages) -> Self {
        Self { catalogue, usages }
    }

    /// The header a request names: that version, else the one in force at the date.
    fn entete(index: &Index, canonique: &str, version: &str, date: &str) -> Resultat<Arc<Entete>> {
        // The whole of a code system is the code system.
        let seul = canonique.strip_suffix("?vs").filter(|c| index.versions(c).next().is_some());
        let canonique = seul.unwrap_or(canonique);
        let trouve = if version.is_empty() {
            index.en_vigueur(canonique, date, &aujourdhui())
        } else {
            index.entete(canonique, version)
        };
        trouve.cloned().ok_or_else(|| inconnue(canonique, version))
    }

    /// A code in its code system.
    pub async fn chercher(&self, r: LookupCodeRequest) -> Resultat<LookupCodeResponse> {
        let code = r.code.unwrap_or_default();
        let date = date_ou_jour(r.date)?;
        let index = self.catalogue.index();
        let inconnu =
            || Erreur::Introuvable(format!("code « {} » inconnu du système « {} »", code.code, code.systeme));
        let entete = Self::entete(&index, &code.systeme, &r.version, &date)
            .ok()
            .filter(|e| e.nomenclature.sorte() == Sorte::Tre)
            .ok_or_else(inconnu)?;
        let vue = self.catalogue.vue(&index, &entete).await?;
        let concept = index.regard(&vue).lire(&code.systeme, &code.code).ok_or_else(inconnu)?;
        Ok(LookupCodeResponse {
            valide: domaine::utilisable(&concept, &date),
            concept: Some(concept),
            version: entete.nomenclature.version.clone(),
            nomenclature: Some(index.dire(&entete)),
        })
    }

    /// Whether a code is in a value set at a date.
    pub async fn valider(&self, r: ValidateCodeRequest) -> Resultat<ValidateCodeResponse> {
        let mode = r.mode();
        let code = r.code.unwrap_or_default();
        let date = date_ou_jour(r.date)?;
        let index = self.catalogue.index();
        let entete = Self::entete(&index, &r.canonique, &r.version, &date)?;
        let vue = self.catalogue.vue(&index, &entete).await?;
        let a = index.regard(&vue).appartient(&code, &date);
        let n = &entete.nomenclature;
        let mut reponse = ValidateCodeResponse {
            valide: a.valide,
            libelle: a.libelle,
            motif: a.motif,
            ..Default::default()
        };
        reponse.version.clone_from(&n.version);
        match domaine::etat_effectif(n) {
            EtatEdition::Brouillon | EtatEdition::Retiree => {
                let etat = domaine::gouvernance::nom_etat(n.etat());
                reponse.valide = false;
                reponse.motif = format!("La version {} de {} est {etat}.", n.version, domaine::nom(n));
            }
            _ if !a.valide && a.tolerable && souple(&index, n, mode) => {
                (reponse.valide, reponse.tolere) = (true, true);
            }
            _ => {}
        }
        Ok(reponse)
    }

    /// The members of a value set.
    pub async fn deplier(&self, r: ExpandValueSetRequest) -> Resultat<ExpandValueSetResponse> {
        let date = date_ou_jour(r.date)?;
        let (debut, limite) = fenetre(r.offset, r.limite)?;
        let index = self.catalogue.index();
        let entete = Self::entete(&index, &r.canonique, &r.version, &date)?;
        let vue = self.catalogue.vue(&index, &entete).await?;
        let (concepts, tous) = index.regard(&vue).deplier(&r.filtre, &date, r.inactifs, debut, limite);
        Ok(ExpandValueSetResponse {
            concepts,
            total: total(tous),
            version: entete.nomenclature.version.clone(),
            nomenclature: Some(index.dire(&entete)),
        })
    }

    /// A code through association tables.
    pub async fn traduire(&self, r: TranslateCodeRequest) -> Resultat<TranslateCodeResponse> {
        let code = r.code.unwrap_or_default();
        if code.code.is_empty() {
            return Err(Erreur::faute("code", "obligatoire", "Le code manque.", "un système et un code"));
        }
        let date = date_ou_jour(r.date)?;
        let index = self.catalogue.index();
        let tables: Vec<Arc<Vue>> = if r.canonique.is_empty() {
            index.associations().into_iter().cloned().collect()
        } else {
            let entete = Self::entete(&index, &r.canonique, &r.version, &date)?;
            vec![self.catalogue.vue(&index, &entete).await?]
        };
        let mut correspondances = Vec::new();
        for vue in &tables {
            let n = &vue.entete;
            let bornes = if r.inverse { &n.source } else { &n.cible };
            for a in vue.associations() {
                let (de, vers) = cotes(a, r.inverse);
                let vise = r.systeme_cible.is_empty()
                    || r.systeme_cible == vers.0
                    || (!bornes.is_empty() && r.systeme_cible == *bornes);
                if !vise || de.1 != code.code || (!code.systeme.is_empty() && de.0 != code.systeme) {
                    continue;
                }
                let (concept, valide) = atteint(&index, vers, &date);
                correspondances.push(Correspondance {
                    canonique: n.canonique.clone(),
                    version: n.version.clone(),
                    // An inverse question has no code to reach where the table has no target.
                    concept: (a.equivalence != SANS_CIBLE || r.inverse).then_some(concept),
                    valide,
                    association: Some(a.clone()),
                });
            }
        }
        let motif = if correspondances.is_empty() {
            format!("Aucune association ne part du code « {} ».", code.code)
        } else {
            String::new()
        };
        Ok(TranslateCodeResponse { correspondances, motif })
    }

    /// Headers that match.
    pub fn rechercher(&self, r: &SearchNomenclaturesRequest) -> Resultat<SearchNomenclaturesResponse> {
        let (sorte, etat) = (r.sorte.to_string(), r.etat.to_string());
        let courantes = if r.courantes { "1" } else { "" };
        let cle: [&str; 9] =
            [&sorte, &r.nom, &r.canonique, &r.version, &r.oid, &r.region, &etat, courantes, &r.systeme];
        let taille = usize::try_from(page::taille(r.page_size)?).unwrap_or(50);
        let apres = page::lire(&r.page_token, &cle)?;
        let index = self.catalogue.index();
        let critere = Critere { r, filtre: Filtre::lire(&r.nom), index: &index };
        let tous = index.apres("").filter(|e| critere.retient(e)).count();
        let mut suite = index.apres(&apres).filter(|e| critere.retient(e));
        let nomenclatures: Vec<Nomenclature> = suite.by_ref().take(taille).map(|e| index.dire(e)).collect();
        let dernier = nomenclatures.last().filter(|_| suite.next().is_some());
        let next_page_token = dernier.map_or_else(String::new, |n| {
            let id = ror_domaine::ressource::id_nomenclature(&n.canonique, &n.version);
            page::jeton(&id, &cle)
        });
        Ok(SearchNomenclaturesResponse { nomenclatures, next_page_token, total: total(tous) })
    }
}

/// The criteria of a search.
struct Critere<'a> {
    r: &'a SearchNomenclaturesRequest,
    filtre: Filtre<'a>,
    index: &'a Index,
}

impl Critere<'_> {
    fn retient(&self, e: &Entete) -> bool {
        let (r, n) = (self.r, &e.nomenclature);
        let exact = |voulu: &str, lu: &str| voulu.is_empty() || voulu == lu;
        let oid = r.oid.strip_prefix("urn:oid:").unwrap_or(&r.oid);
        let region = if r.region == "-" { n.region.is_empty() } else { exact(&r.region, &n.region) };
        region
            && (r.sorte() == Sorte::Unspecified || r.sorte == n.sorte)
            && (r.etat() == EtatEdition::Unspecified || r.etat() == domaine::etat_effectif(n))
            && exact(&r.canonique, &n.canonique)
            && exact(&r.version, &n.version)
            && exact(oid, &n.oid)
            && (r.systeme.is_empty() || e.systemes.contains(&r.systeme))
            && (r.nom.is_empty()
                || self.filtre.retient_texte(&plier(&[&*n.nom, &*n.titre, &*n.description].join(" "))))
            && (!r.courantes || self.index.est_courante(e))
    }
}

/// Whether a value set is lenient in a mode; a code system never is.
fn souple(index: &Index, n: &Nomenclature, mode: Mode) -> bool {
    // Strictness is that of today, whatever the version that answers.
    let n = index.courante(&n.canonique).map_or(n, |c| &c.nomenclature);
    n.sorte() == Sorte::Jdv
        && match mode {
            Mode::Migration => n.rigueur_migration() != Rigueur::Stricte,
            Mode::Saisie | Mode::Unspecified => n.rigueur_saisie() == Rigueur::Souple,
        }
}

/// Where a pair starts from and leads to: system, code.
fn cotes(a: &Association, inverse: bool) -> ((&str, &str), (&str, &str)) {
    let (source, cible) = ((&*a.systeme_source, &*a.code_source), (&*a.systeme_cible, &*a.code_cible));
    if inverse { (cible, source) } else { (source, cible) }
}

/// A code as its system knows it, and whether it is usable at the date: nothing proves
/// the contrary of a code whose system is not known here.
fn atteint(index: &Index, (systeme, code): (&str, &str), date: &str) -> (Concept, bool) {
    let connu = index.systeme(systeme).and_then(|vue| index.regard(vue).lire(systeme, code));
    match connu {
        Some(c) => {
            let valide = domaine::utilisable(&c, date);
            (c, valide)
        }
        None => {
            let complet = index.systeme(systeme).is_some_and(|v| v.entete.complete);
            (Concept { systeme: systeme.to_owned(), code: code.to_owned(), ..Default::default() }, !complet)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_dates_are_bounded() {
        assert_eq!(fenetre(0, 0).unwrap(), (0, 100));
        assert_eq!(fenetre(7, 5000).unwrap(), (7, 1000));
        assert!(fenetre(-1, 0).is_err() && fenetre(0, -1).is_err());
        assert!(date_ou_jour("2026-02-30".into()).is_err());
        assert_eq!(date_ou_jour("2026-02-28".into()).unwrap(), "2026-02-28");
        assert!(lire_date(&date_ou_jour(String::new()).unwrap()).is_some());
    }
}
