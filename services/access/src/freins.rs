//! Slows down who guesses secrets: after ten failures of a client_id within a minute,
//! nobody gets a token for it until the minute has passed.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

const ECHECS_MAX: u32 = 10;
const FENETRE: Duration = Duration::from_secs(60);
/// Clients watched at once; the least suspect and oldest leaves first.
const SUIVIS_MAX: usize = 10_000;

struct Echecs {
    depuis: Instant,
    nombre: u32,
}

/// Failures of the last minute, by client_id.
#[derive(Default)]
pub struct Freins(Mutex<HashMap<String, Echecs>>);

impl Freins {
    /// Whether this client_id may try now.
    pub fn permet(&self, client_id: &str, maintenant: Instant) -> bool {
        self.0.lock().get(client_id).is_none_or(|e| e.nombre < ECHECS_MAX || est_passe(e, maintenant))
    }

    /// Notes a failure; true when it is the one that blocks.
    pub fn echec(&self, client_id: &str, maintenant: Instant) -> bool {
        let mut suivis = self.0.lock();
        if let Some(e) = suivis.get_mut(client_id) {
            if est_passe(e, maintenant) {
                *e = Echecs { depuis: maintenant, nombre: 0 };
            }
            e.nombre = e.nombre.saturating_add(1);
            return e.nombre == ECHECS_MAX;
        }
        if suivis.len() >= SUIVIS_MAX {
            suivis.retain(|_, e| !est_passe(e, maintenant));
        }
        if suivis.len() >= SUIVIS_MAX
            && let Some(moindre) =
                suivis.iter().min_by_key(|(_, e)| (e.nombre, e.depuis)).map(|(id, _)| id.clone())
        {
            suivis.remove(&moindre);
        }
        suivis.insert(client_id.to_owned(), Echecs { depuis: maintenant, nombre: 1 });
        false
    }

    /// Forgets the failures of a client that proved itself.
    pub fn succes(&self, client_id: &str) {
        self.0.lock().remove(client_id);
    }
}

fn est_passe(e: &Echecs, maintenant: Instant) -> bool {
    maintenant.saturating_duration_since(e.depuis) >= FENETRE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_block_one_client_for_the_rest_of_the_minute() {
        let f = Freins::default();
        let t = Instant::now();
        for n in 1..=10 {
            assert!(f.permet("a", t));
            assert_eq!(f.echec("a", t + Duration::from_secs(n)), n == 10);
        }
        assert!(!f.permet("a", t + Duration::from_secs(59)));
        assert!(f.permet("b", t));
        assert!(f.permet("a", t + Duration::from_secs(61)));
        assert!(!f.echec("a", t + Duration::from_secs(61)), "a new minute counts anew");
        assert!(f.permet("a", t + Duration::from_secs(62)));
    }

    #[test]
    fn a_success_forgets() {
        let f = Freins::default();
        let t = Instant::now();
        (0..9).for_each(|_| assert!(!f.echec("a", t)));
        f.succes("a");
        assert!(!f.echec("a", t) && f.permet("a", t));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_most_suspect() {
        let f = Freins::default();
        let t = Instant::now();
        for _ in 0..10 {
            f.echec("cible", t);
        }
        for n in 0..SUIVIS_MAX + 50 {
            f.echec(&format!("client-{n}"), t + Duration::from_secs(1));
        }
        assert_eq!(f.0.lock().len(), SUIVIS_MAX);
        assert!(!f.permet("cible", t + Duration::from_secs(2)));
    }
}
