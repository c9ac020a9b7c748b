//! The service `offers` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("offers", servir_seul(ror_offers::DEFINITION))
}
