//! Compiles the protos in pure Rust (no `protoc` on the machine) and keeps the
//! descriptor set for gRPC reflection.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 9] = [
    "ror/common/v1/common.proto",
    "ror/structures/v1/structures_service.proto",
    "ror/offers/v1/offers_service.proto",
    "ror/capacity/v1/capacity_service.proto",
    "ror/nomenclatures/v1/nomenclatures_service.proto",
    "ror/identity/v1/identity_service.proto",
    "ror/access/v1/access_service.proto",
    "ror/bascule/v1/bascule_service.proto",
    "ror/gateway/v1/gateway_service.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=ror");
    let descripteurs = protox::compile(FILES, ["."])?;
    let sortie = PathBuf::from(env::var("OUT_DIR")?).join("ror_descriptor.bin");
    fs::write(&sortie, descripteurs.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").compile_fds(descripteurs)?;
    Ok(())
}
