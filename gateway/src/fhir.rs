//! FHIR R4 mechanics of the facade: canonicals, access policy, rendering of the ROR resources and
//! their reading back. Pure code: no clock, no network, no shared state.

pub mod canoniques;
pub mod json;
pub mod lecture;
pub mod outcome;
pub mod politique;
pub mod rendu;
pub mod temps;
pub mod terminologie;
pub mod xml;

#[cfg(test)]
pub(crate) mod tests;
