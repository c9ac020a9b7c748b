//! The services on real PostgreSQL and NATS: what the mechanism, the leases, the
//! registries and each area promise. No mock anywhere; each test has its own servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by failing")]

mod access;
mod bascule;
mod baux;
mod capacites_fermees;
mod capacity;
mod consequences;
mod divergences;
mod fiches;
mod gabarits;
mod grpc;
mod harnais;
mod identity;
mod instantane;
mod magasin;
mod nomenclatures;
mod offers;
mod registres;
mod relais;
mod tls;
