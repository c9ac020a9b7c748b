//! The service `structures` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("structures", servir_seul(ror_structures::DEFINITION))
}
