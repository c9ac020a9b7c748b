//! Choosing a free local port that stays ours while its server is down.

use std::{
    collections::BTreeSet,
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
};

use crate::error::Error;

/// Below this live well-known services.
const LOWEST: u16 = 15_000;
/// Linux's default start of the range for outgoing connections.
const EPHEMERAL: u16 = 32_768;
const ATTEMPTS: u32 = 200;

/// A port of 127.0.0.1 that nobody listens on, out of the range of outgoing connections if
/// possible: within it, while a killed server restarts, another program's connection could be
/// given its port, or a client retrying it could even connect to itself.
pub(crate) fn free() -> Result<u16, Error> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let highest = lowest_ephemeral(&range).unwrap_or(EPHEMERAL);
    if let Some(width) = highest.checked_sub(LOWEST).filter(|width| *width > 0) {
        for _ in 0..ATTEMPTS {
            // A fresh `RandomState` is the standard library's source of randomness.
            let random = RandomState::new().build_hasher().finish();
            let offset = u16::try_from(random % u64::from(width)).unwrap_or_default();
            if let Ok(port) = bound(LOWEST + offset) {
                return Ok(port);
            }
        }
    }
    bound(0).map_err(|cause| Error::NoFreePort { cause })
}

/// Several, all different.
pub(crate) fn several(number: usize) -> Result<Vec<u16>, Error> {
    let mut ports = BTreeSet::new();
    while ports.len() < number {
        ports.insert(free()?);
    }
    Ok(ports.into_iter().collect())
}

fn bound(port: u16) -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

fn lowest_ephemeral(range: &str) -> Option<u16> {
    range.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_a_taken_one_is_not_chosen() {
        let port = free().expect("a free port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free");
        assert!(bound(port).is_err());
        drop(listener);
        assert_eq!(several(9).expect("nine ports").len(), 9);
        assert_eq!(lowest_ephemeral("32768\t60999\n"), Some(32_768));
        assert_eq!(lowest_ephemeral(""), None);
    }
}
