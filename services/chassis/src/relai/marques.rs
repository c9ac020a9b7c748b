//! What is published, by ranges of positions: marking an event does not write its row again.
//!
//! Positions are given in order, and committed in any: below those that are published there may be holes,
//! each of events not committed yet, or of a transaction that was undone and leaves nothing. A hole is looked
//! into as long as somebody may fill it.

use std::collections::{BTreeMap, HashSet};

use sqlx::PgConnection;

use crate::Resultat;

/// Positions that follow one another, and so do their sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plage {
    pub de: i64,
    pub a: i64,
    /// From a position to its sequence.
    pub ecart: i64,
}

/// Rows to write, by their first position: the last one, and from a position to its sequence; none for a
/// hole.
pub(super) type Lignes = BTreeMap<i64, (i64, Option<i64>)>;

/// The ranges, as far as the relay needs them. It alone writes them: read once, then kept.
#[derive(Debug, Default)]
pub(super) struct Marques {
    /// Last position published: all that follows it is not.
    haut: i64,
    /// First position of the range that ends there, and from a position of it to its sequence.
    derniere: Option<(i64, i64)>,
    /// First and last positions of the holes.
    trous: BTreeMap<i64, i64>,
    guet: Option<Guet>,
}

/// Holes, and the transactions that may still fill them.
#[derive(Debug)]
struct Guet {
    trous: Vec<(i64, i64)>,
    porteurs: HashSet<String>,
}

impl Marques {
    pub(super) async fn lire(tx: &mut PgConnection) -> Resultat<Self> {
        let trous: Vec<(i64, i64)> =
            sqlx::query_as("select de, a from outbox_publication where ecart is null")
                .fetch_all(&mut *tx)
                .await?;
        let derniere: Option<(i64, i64, Option<i64>)> =
            sqlx::query_as("select de, a, ecart from outbox_publication order by de desc limit 1")
                .fetch_optional(tx)
                .await?;
        Ok(Self {
            haut: derniere.map_or(0, |(_, a, _)| a),
            derniere: derniere.and_then(|(de, _, ecart)| Some((de, ecart?))),
            trous: trous.into_iter().collect(),
            guet: None,
        })
    }

    /// First and last positions of the ranges where an event is not published, in order, without those of
    /// `en_vol`.
    pub(super) fn libres(&self, en_vol: Option<(i64, i64)>) -> Vec<(i64, i64)> {
        let trous = self.trous.iter().map(|(de, a)| (*de, *a));
        let libres = trous.chain([(self.haut + 1, i64::MAX)]);
        let Some((premier, dernier)) = en_vol else { return libres.collect() };
        libres
            .flat_map(|(de, a)| [(de, a.min(premier - 1)), (de.max(dernier + 1), a)])
            .filter(|(de, a)| de <= a)
            .collect()
    }

    /// Every event below this position is published.
    pub(super) fn certaines(&self) -> i64 {
        self.trous.first_key_value().map_or(self.haut + 1, |(de, _)| *de)
    }

    /// Notes a range that is published, and what to write of it.
    pub(super) fn noter(&mut self, p: Plage, lignes: &mut Lignes) {
        if p.de <= self.haut {
            self.entamer(p, lignes);
            return;
        }
        if p.de > self.haut + 1 {
            self.trous.insert(self.haut + 1, p.de - 1);
            lignes.insert(self.haut + 1, (p.de - 1, None));
        }
        let suite = self.derniere.filter(|(_, ecart)| p.de == self.haut + 1 && *ecart == p.ecart);
        let (de, ecart) = suite.unwrap_or((p.de, p.ecart));
        lignes.insert(de, (p.a, Some(ecart)));
        self.derniere = Some((de, ecart));
        self.haut = p.a;
    }

    /// Takes a range out of the hole it fills, whole or in part.
    fn entamer(&mut self, p: Plage, lignes: &mut Lignes) {
        let trou = self.trous.range(..=p.de).next_back().map(|(de, a)| (*de, *a));
        let Some((de, a)) = trou.filter(|(_, a)| p.a <= *a) else { return };
        self.trous.remove(&de);
        lignes.insert(p.de, (p.a, Some(p.ecart)));
        for (de, a) in [(de, p.de - 1), (p.a + 1, a)].into_iter().filter(|(de, a)| de <= a) {
            self.trous.insert(de, a);
            lignes.insert(de, (a, None));
        }
    }

    /// Closes the holes that nobody can fill any more.
    ///
    /// A position is taken by a statement that already holds its lock on the table, and holds it until its
    /// transaction ends. A hole is known by a later position: whoever may fill it held that lock by then.
    /// Once those who held it when the hole was first watched have ended, what they committed is seen, and a
    /// hole where nothing is seen stays empty. The order matters: the locks first, then the events.
    pub(super) async fn combler(&mut self, tx: &mut PgConnection) -> Resultat<()> {
        if self.trous.is_empty() {
            self.guet = None;
            return Ok(());
        }
        let porteurs = porteurs(tx).await?;
        let guet = match self.guet.take() {
            Some(mut g) => {
                g.porteurs.retain(|p| porteurs.contains(p));
                g
            }
            None => Guet { trous: self.trous.iter().map(|(de, a)| (*de, *a)).collect(), porteurs },
        };
        if !guet.porteurs.is_empty() {
            self.guet = Some(guet);
            return Ok(());
        }
        // Those filled in part meanwhile are watched anew, as smaller ones.
        let (debuts, fins): (Vec<i64>, Vec<i64>) =
            guet.trous.into_iter().filter(|(de, a)| self.trous.get(de) == Some(a)).unzip();
        let vides: Vec<i64> = sqlx::query_scalar(
            "delete from outbox_publication p using unnest($1::bigint[], $2::bigint[]) as t(de, a)
             where p.de = t.de and p.a = t.a and p.ecart is null
               and (select e.position from outbox_event e where e.position between t.de and t.a
                    order by e.position limit 1) is null
             returning p.de",
        )
        .bind(debuts)
        .bind(fins)
        .fetch_all(tx)
        .await?;
        for de in vides {
            self.trous.remove(&de);
        }
        Ok(())
    }
}

/// Transactions, those prepared included, that may have taken a position and not told of it.
async fn porteurs(tx: &mut PgConnection) -> Resultat<HashSet<String>> {
    let lus: Vec<String> = sqlx::query_scalar(
        "select virtualtransaction from pg_locks
         where locktype = 'relation' and relation = 'outbox_event'::regclass
           and database = (select oid from pg_database where datname = current_database())
           and mode = 'RowExclusiveLock' and granted",
    )
    .fetch_all(tx)
    .await?;
    Ok(lus.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plage(de: i64, a: i64, ecart: i64) -> Plage {
        Plage { de, a, ecart }
    }

    /// Notes these ranges; what there is to write of them.
    fn noter(marques: &mut Marques, plages: &[Plage]) -> Vec<(i64, i64, Option<i64>)> {
        let mut lignes = Lignes::new();
        plages.iter().for_each(|p| marques.noter(*p, &mut lignes));
        lignes.into_iter().map(|(de, (a, ecart))| (de, a, ecart)).collect()
    }

    #[test]
    fn what_follows_the_last_range_lengthens_it() {
        let mut m = Marques::default();
        assert_eq!(noter(&mut m, &[plage(1, 3, 0)]), [(1, 3, Some(0))]);
        assert_eq!(noter(&mut m, &[plage(4, 6, 0)]), [(1, 6, Some(0))]);
        // Another went into the stream meanwhile.
        assert_eq!(noter(&mut m, &[plage(7, 8, 1)]), [(7, 8, Some(1))]);
        assert_eq!(noter(&mut m, &[plage(9, 9, 1)]), [(7, 9, Some(1))]);
        assert_eq!((m.libres(None), m.certaines()), (vec![(10, i64::MAX)], 10));
    }

    #[test]
    fn what_is_passed_over_is_a_hole_until_it_is_filled() {
        let mut m = Marques::default();
        let ecrites = noter(&mut m, &[plage(3, 4, -2), plage(8, 8, -5)]);
        assert_eq!(ecrites, [(1, 2, None), (3, 4, Some(-2)), (5, 7, None), (8, 8, Some(-5))]);
        assert_eq!((m.libres(None), m.certaines()), (vec![(1, 2), (5, 7), (9, i64::MAX)], 1));
        // In the middle of one, then its two ends.
        assert_eq!(noter(&mut m, &[plage(6, 6, -2)]), [(5, 5, None), (6, 6, Some(-2)), (7, 7, None)]);
        assert_eq!(noter(&mut m, &[plage(7, 7, -2)]), [(7, 7, Some(-2))]);
        assert_eq!(noter(&mut m, &[plage(1, 2, 5), plage(5, 5, 3)]), [(1, 2, Some(5)), (5, 5, Some(3))]);
        assert_eq!((m.libres(None), m.certaines()), (vec![(9, i64::MAX)], 9));
    }

    #[test]
    fn what_is_noted_twice_changes_nothing() {
        let mut m = Marques::default();
        noter(&mut m, &[plage(1, 2, 0), plage(5, 9, -2)]);
        assert!(noter(&mut m, &[plage(5, 6, -2)]).is_empty());
        assert_eq!(m.libres(None), [(3, 4), (10, i64::MAX)]);
    }

    #[test]
    fn what_is_in_flight_is_left_aside_and_nothing_else() {
        let mut m = Marques::default();
        noter(&mut m, &[plage(1, 2, 0), plage(11, 20, -8)]);
        assert_eq!(m.libres(Some((21, 30))), [(3, 10), (31, i64::MAX)]);
        assert_eq!(m.libres(Some((25, 30))), [(3, 10), (21, 24), (31, i64::MAX)]);
        assert_eq!(m.libres(Some((5, 6))), [(3, 4), (7, 10), (21, i64::MAX)]);
        assert_eq!(m.libres(Some((3, 10))), [(21, i64::MAX)]);
    }
}
