//! The mesh as its consumers, its operators and its accidents meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs, reason = "tests")]

mod accueil;
mod bascule;
mod brut;
mod capacite;
mod changements;
mod changements_vus;
mod clients;
mod demarrage;
mod disque;
mod droits;
mod erreurs;
mod export;
mod jetons;
mod lecture;
mod manieres;
mod monde;
mod oracle;
mod paging;
mod pannes;
mod perime;
mod preparees;
mod profils;
mod publiees;
mod recherche;
mod registre;
mod reglages;
mod sante;
mod terminologie;
mod traces;

use ror_e2e::{Mesh, Rapport};

use crate::monde::Monde;

/// One mesh for every check of the public interface: a start costs more than all of them.
#[tokio::test(flavor = "multi_thread")]
async fn one_process_answers_as_documented() {
    let mesh = Mesh::start("small", false).await;
    let monde = Monde::lire(mesh).await.unwrap();
    let mut rapport = Rapport::default();
    monde::tout(&monde, &mut rapport, oracle::Part::Premiere).await;
    clients::tout(&monde, &mut rapport).await;
    capacite::doublon(&monde, &mut rapport).await;
    rapport.finir();
}
