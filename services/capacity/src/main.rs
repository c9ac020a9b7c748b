//! The service `capacity` as its own process.

use std::process::ExitCode;

use ror_chassis::processus::{principal, servir_seul};

fn main() -> ExitCode {
    principal("capacity", servir_seul(ror_capacity::DEFINITION))
}
