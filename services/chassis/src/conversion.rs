//! Instants between PostgreSQL, protobuf and text.

use prost_types::Timestamp;
use time::OffsetDateTime;

/// Now, to the millisecond: the precision of the façade's `lastUpdated`.
pub fn maintenant() -> OffsetDateTime {
    let t = OffsetDateTime::now_utc();
    t.replace_millisecond(t.millisecond()).unwrap_or(t)
}

/// To protobuf.
pub fn horodatage(t: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: t.unix_timestamp(), nanos: i32::try_from(t.nanosecond()).unwrap_or(0) }
}

/// From protobuf; `None` outside the years 1 to 9999.
pub fn instant(t: &Timestamp) -> Option<OffsetDateTime> {
    let nanos = i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}
