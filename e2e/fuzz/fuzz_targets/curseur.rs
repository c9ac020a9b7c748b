//! A cursor of the change feed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| ror_gateway::epreuve::curseur(octets));
