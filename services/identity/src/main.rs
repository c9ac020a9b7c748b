//! The service `identity` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("identity", servir_seul(ror_identity::DEFINITION))
}
