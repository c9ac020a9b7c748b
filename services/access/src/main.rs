//! The service `access` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("access", servir_seul(ror_access::DEFINITION))
}
