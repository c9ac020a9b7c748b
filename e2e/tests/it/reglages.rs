//! What an operator may set of the façade: a cut of long searches, moments kept, other origins.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Client, Dossier, Mesh, Options, Rapport,
    client::{appeler, http, lien},
    fhir::{entrees, issue, texte},
};

use crate::monde::Ecriture;

/// Most results of one walk.
const COUPE: usize = 7;
/// A site whose pages call the façade.
const ORIGINE: &str = "https://carte.exemple.fr";

/// A walk ends at the cut: its last page is short, and says so.
async fn coupee(p1: &Client) -> Result<()> {
    let premiere = p1.chercher("Organization", &[("_count", "5")]).await?.attendre(200)?;
    let suivante = lien(&premiere.corps, "next").context("no next link before the cut")?;
    let derniere = p1.suivre(suivante).await?.attendre(200)?;
    let trouvees = |page: &serde_json::Value| entrees(page).filter(|(mode, _)| *mode == "match").count();
    ensure!((trouvees(&premiere.corps), trouvees(&derniere.corps)) == (5, COUPE - 5), "{}", derniere.texte);
    ensure!(lien(&derniere.corps, "next").is_none(), "a next link past the cut");
    let total = derniere.corps["total"].as_u64().context("no total")?;
    ensure!(total > COUPE as u64 && premiere.corps["total"] == total, "the total is cut too: {total}");
    let dites = entrees(&derniere.corps).filter(|(mode, _)| *mode == "outcome");
    let codes: Vec<&str> = dites.map(|(_, o)| texte(o, "/issue/0/code")).collect();
    ensure!(codes == ["incomplete"], "{codes:?}");
    Ok(())
}

/// One moment is kept: a walk that begins after a change makes the former lapse.
async fn perimee(mesh: &Mesh, p1: &Client) -> Result<()> {
    let avant = p1.chercher("Organization", &[("_count", "2")]).await?.attendre(200)?;
    let suivante = lien(&avant.corps, "next").context("no next link")?;
    p1.suivre(suivante).await?.attendre(200)?;
    let ecriture = Ecriture::nouvelle(mesh).await?;
    mesh.client("capacity")?.modifier(&ecriture.identifiant, &ecriture.corps).await?.attendre(200)?;
    p1.chercher("Organization", &[("_count", "3")]).await?.attendre(200)?;
    issue(&p1.suivre(suivante).await?, 410, "expired")?;
    Ok(())
}

async fn origines(mesh: &Mesh) -> Result<()> {
    let (http, url) = (http(None, None)?, format!("{}/ws-diffusion-fhir/metadata", mesh.base()));
    let question = |origine: &'static str| {
        [
            ("origin", origine),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization,ror-role-metier-code,if-none-match"),
        ]
    };
    let r = appeler(&http, Method::OPTIONS, &url, &question(ORIGINE), None).await?.attendre(200)?;
    ensure!(r.entete("access-control-allow-origin") == Some(ORIGINE), "{:?}", r.entetes);
    let permis = r.entete("access-control-allow-headers").unwrap_or_default().to_lowercase();
    for nom in ["authorization", "ror-role-metier-code", "if-none-match", "prefer"] {
        ensure!(permis.contains(nom), "{nom} is not allowed: {permis}");
    }
    let r = appeler(&http, Method::GET, &url, &[("origin", ORIGINE)], None).await?.attendre(200)?;
    let lus = r.entete("access-control-expose-headers").unwrap_or_default().to_lowercase();
    for nom in ["etag", "ror-moment", "content-location", "retry-after"] {
        ensure!(lus.contains(nom), "{nom} is not exposed: {lus}");
    }
    let autre = question("https://ailleurs.exemple.fr");
    let r = appeler(&http, Method::OPTIONS, &url, &autre, None).await?;
    ensure!(r.entete("access-control-allow-origin").is_none(), "another origin is let in");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_of_the_facade_holds() {
    let mut options = Options::new("small", true);
    options.env = vec![
        ("ROR_HTTP__SEARCH_CUT", COUPE.to_string()),
        ("ROR_HTTP__PAGE_MOMENTS", "1".to_owned()),
        ("ROR_HTTP__CORS_ORIGINS", ORIGINE.to_owned()),
    ];
    let mesh = Mesh::relancer(&Dossier::neuf(), options).await;
    let p1 = mesh.client("p1").unwrap();
    let mut rapport = Rapport::default();
    rapport.verifier("reglages: a long search is cut, and says so", coupee(&p1)).await;
    rapport.verifier("reglages: a page of a moment that is kept no more is gone", perimee(&mesh, &p1)).await;
    rapport.verifier("reglages: another origin calls, as allowed", origines(&mesh)).await;
    rapport.finir();
}
