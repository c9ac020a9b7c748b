//! The contract of the mesh, generated from `proto/ror`. Each package is a module
//! of the same path; the protos carry the documentation of every element.
#![allow(missing_docs, clippy::all, reason = "generated code")]

pub mod common {
    pub mod v1 {
        tonic::include_proto!("ror.common.v1");
    }
}
pub mod structures {
    pub mod v1 {
        tonic::include_proto!("ror.structures.v1");
    }
}
pub mod offers {
    pub mod v1 {
        tonic::include_proto!("ror.offers.v1");
    }
}
pub mod capacity {
    pub mod v1 {
        tonic::include_proto!("ror.capacity.v1");
    }
}
pub mod nomenclatures {
    pub mod v1 {
        tonic::include_proto!("ror.nomenclatures.v1");
    }
}
pub mod identity {
    pub mod v1 {
        tonic::include_proto!("ror.identity.v1");
    }
}
pub mod access {
    pub mod v1 {
        tonic::include_proto!("ror.access.v1");
    }
}
pub mod bascule {
    pub mod v1 {
        tonic::include_proto!("ror.bascule.v1");
    }
}
pub mod gateway {
    pub mod v1 {
        tonic::include_proto!("ror.gateway.v1");
    }
}

/// Encoded descriptor set of every proto, for gRPC reflection.
pub const DESCRIPTEURS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ror_descriptor.bin"));
