//! The query string of an export, of the whole directory or of a type.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(texte) = std::str::from_utf8(octets) {
        ror_gateway::epreuve::export(texte);
    }
});
