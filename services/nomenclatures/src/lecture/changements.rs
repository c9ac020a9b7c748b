//! What changes between versions, and which resources use which codes.

use ror_chassis::{Erreur, Resultat, page};
use ror_domaine::controle::aujourdhui;
use ror_proto::{
    common::v1::Code,
    nomenclatures::v1::{
        DiffVersionsRequest, DiffVersionsResponse, Ecart, GetUsageRequest, GetUsageResponse, SorteEcart,
        Usage, UsageGenre,
    },
};

use super::{Lectures, atteint};
use crate::{
    catalogue::inconnue,
    domaine::ecarts::{self, Difference},
    index::Index,
    usage::Comptes,
};

/// A page by place in a list computed whole: first place, number.
fn rangs(page_size: i32, page_token: &str, filtre: &[&str]) -> Resultat<(usize, usize)> {
    let taille = usize::try_from(page::taille(page_size)?).unwrap_or(50);
    let debut = page::lire(page_token, filtre)?;
    Ok((debut.parse().unwrap_or(0), taille))
}

/// The token of the page that begins there, empty past the end.
fn suite(fin: usize, total: usize, filtre: &[&str]) -> String {
    if fin < total { page::jeton(&fin.to_string(), filtre) } else { String::new() }
}

impl Lectures {
    /// What changes between two versions, and for whom.
    pub async fn comparer(&self, r: DiffVersionsRequest) -> Resultat<DiffVersionsResponse> {
        let index = self.catalogue.index();
        let trouver = |version: &str| {
            index.entete(&r.canonique, version).ok_or_else(|| inconnue(&r.canonique, version))
        };
        let apres = if r.version_apres.is_empty() {
            let defaut = index.brouillon(&r.canonique).or_else(|| index.courante(&r.canonique));
            defaut.ok_or_else(|| inconnue(&r.canonique, ""))?
        } else {
            trouver(&r.version_apres)?
        };
        let avant = if r.version_avant.is_empty() {
            index.precedente(&r.canonique, apres.rang)
        } else {
            Some(trouver(&r.version_avant)?)
        };
        let contenu_apres = self.catalogue.contenu(&r.canonique, &apres.nomenclature.version).await?;
        let contenu_avant = match avant {
            Some(e) => Some(self.catalogue.contenu(&r.canonique, &e.nomenclature.version).await?),
            None => None,
        };
        let differences = ecarts::comparer(contenu_avant.as_ref(), &contenu_apres, &aujourdhui());
        let comptes = self.usages_de(&r.canonique, &differences).await?;
        let usages = |d: &Difference<'_>| usages_du_code(&comptes, d.code(&r.canonique));
        let retenues: Vec<&Difference<'_>> = differences
            .iter()
            .filter(|d| r.sortes.is_empty() || r.sortes.contains(&(d.sorte as i32)))
            .filter(|d| !r.utilises || !usages(d).is_empty())
            .collect();
        let version_avant = avant.map(|e| e.nomenclature.version.clone()).unwrap_or_default();
        let version_apres = apres.nomenclature.version.clone();
        let sortes = format!("{:?} {}", r.sortes, r.utilises);
        let cle: [&str; 4] = [&r.canonique, &version_avant, &version_apres, &sortes];
        let (debut, taille) = rangs(r.page_size, &r.page_token, &cle)?;
        let page: Vec<Ecart> =
            retenues.iter().skip(debut).take(taille).map(|d| d.dire(&r.canonique, usages(d))).collect();
        Ok(DiffVersionsResponse {
            next_page_token: suite(debut.saturating_add(page.len()), retenues.len(), &cle),
            ecarts: page,
            comptes: ecarts::compter(&differences, |d| !usages(d).is_empty()),
            usages_complets: self.usages.complets(),
            version_avant,
            version_apres,
        })
    }

    /// The counts of the codes that change; a new one is not in use.
    async fn usages_de(&self, canonique: &str, differences: &[Difference<'_>]) -> Resultat<Comptes> {
        let codes: Vec<(String, String)> = differences
            .iter()
            .filter(|d| d.sorte != SorteEcart::Ajout)
            .map(|d| d.code(canonique))
            .map(|(s, c)| (s.to_owned(), c.to_owned()))
            .collect();
        self.usages.compter(&codes, "", "").await
    }

    /// How many resources use codes.
    pub async fn usage(&self, r: GetUsageRequest) -> Resultat<GetUsageResponse> {
        let index = self.catalogue.index();
        let code = r.code.clone().unwrap_or_default();
        let (codes, comptes, next_page_token) = if r.canonique.is_empty() {
            self.usage_d_un_systeme(&r, &code).await?
        } else {
            self.usage_d_une_liste(&index, &r).await?
        };
        let usages = codes.into_iter().map(|(systeme, code)| {
            let genres = usages_du_code(&comptes, (&systeme, &code));
            let total = genres.iter().map(|g| g.nombre).sum();
            let (concept, _) = atteint(&index, (&systeme, &code), &aujourdhui());
            Usage { concept: Some(concept), genres, total }
        });
        Ok(GetUsageResponse { usages: usages.collect(), next_page_token, complet: self.usages.complets() })
    }

    async fn usage_d_un_systeme(
        &self,
        r: &GetUsageRequest,
        code: &Code,
    ) -> Resultat<(Vec<(String, String)>, Comptes, String)> {
        if code.systeme.is_empty() {
            let message = "Ni nomenclature ni système.";
            return Err(Erreur::faute("canonique", "obligatoire", message, "canonique, ou code.systeme"));
        }
        let cle: [&str; 4] = [&code.systeme, &code.code, &r.genre, &r.region];
        let taille = page::taille(r.page_size)?;
        let apres = page::lire(&r.page_token, &cle)?;
        let mut codes = if code.code.is_empty() {
            self.usages.codes_utilises(&code.systeme, &r.genre, &r.region, &apres, taille + 1).await?
        } else {
            vec![code.code.clone()]
        };
        let pleine = usize::try_from(taille).unwrap_or(50);
        let encore = codes.len() > pleine;
        codes.truncate(pleine);
        let jeton = codes.last().filter(|_| encore).map_or_else(String::new, |d| page::jeton(d, &cle));
        let codes: Vec<(String, String)> = codes.into_iter().map(|c| (code.systeme.clone(), c)).collect();
        let comptes = self.usages.compter(&codes, &r.genre, &r.region).await?;
        Ok((codes, comptes, jeton))
    }

    async fn usage_d_une_liste(
        &self,
        index: &Index,
        r: &GetUsageRequest,
    ) -> Resultat<(Vec<(String, String)>, Comptes, String)> {
        let vue = index.vue(&r.canonique).ok_or_else(|| inconnue(&r.canonique, ""))?;
        let mut codes = vue.codes();
        codes.sort_unstable();
        codes.dedup();
        let comptes = self.usages.compter(&codes, &r.genre, &r.region).await?;
        if !r.inutilises {
            codes.retain(|c| comptes.contains_key(c));
        }
        let inutilises = if r.inutilises { "1" } else { "" };
        let cle: [&str; 4] = [&r.canonique, &r.genre, &r.region, inutilises];
        let (debut, taille) = rangs(r.page_size, &r.page_token, &cle)?;
        let tous = codes.len();
        let page: Vec<_> = codes.into_iter().skip(debut).take(taille).collect();
        let jeton = suite(debut.saturating_add(page.len()), tous, &cle);
        Ok((page, comptes, jeton))
    }
}

fn usages_du_code(comptes: &Comptes, (systeme, code): (&str, &str)) -> Vec<UsageGenre> {
    comptes.get(&(systeme.to_owned(), code.to_owned())).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_by_place_go_on_to_the_end() {
        let jeton = suite(50, 51, &["a"]);
        assert_eq!(rangs(0, &jeton, &["a"]).unwrap(), (50, 50));
        assert!(rangs(0, &jeton, &["b"]).is_err(), "of another list");
        assert_eq!(suite(51, 51, &["a"]), "");
    }
}
