//! The gateway as its own process.

use std::process::ExitCode;

use ror_chassis::processus::principal;

fn main() -> ExitCode {
    principal("gateway", ror_gateway::servir_seule())
}
