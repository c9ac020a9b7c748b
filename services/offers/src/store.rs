//! Tables beside the mechanism: the structures followed and what refers to them
//! ([`structures`]), what their changes mean ([`consequences`]).

pub(crate) mod consequences;
pub(crate) mod structures;

/// A version as the database keeps it.
fn version(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}
