//! The service `nomenclatures` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("nomenclatures", servir_seul(ror_nomenclatures::DEFINITION))
}
