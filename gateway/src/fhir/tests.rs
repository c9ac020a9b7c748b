//! Rendering and reading back, together.

mod aller_retour;
mod exemples;
mod masques;
mod patch;
mod robustesse;
