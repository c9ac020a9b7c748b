//! Rendering and reading back, together.

mod aller_retour;
pub(crate) mod exemples;
mod masques;
mod patch;
mod registres;
mod robustesse;
