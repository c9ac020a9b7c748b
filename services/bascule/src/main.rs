//! The service `bascule` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("bascule", servir_seul(ror_bascule::DEFINITION))
}
