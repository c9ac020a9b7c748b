//! The link of a page.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| ror_gateway::epreuve::page(octets));
