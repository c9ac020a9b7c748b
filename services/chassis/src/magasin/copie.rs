//! Rows in the binary format of COPY: the fastest way into PostgreSQL, and without
//! escaping. Columns are written in the order and with the types the statement names.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Resultat;

/// Signature, flags, length of the header extension.
const ENTETE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// 2000-01-01T00:00:00Z, the origin of PostgreSQL's instants, in Unix seconds.
const AN_2000: i128 = 946_684_800;

/// Rows of one COPY, encoded.
#[derive(Debug)]
pub struct Copie {
    octets: Vec<u8>,
    rangees: u64,
}

impl Default for Copie {
    fn default() -> Self {
        Self { octets: ENTETE.to_vec(), rangees: 0 }
    }
}

impl Copie {
    /// No row yet, and room for rows of so many bytes in all.
    pub fn avec_place(octets: usize) -> Self {
        let mut entete = Vec::with_capacity(ENTETE.len() + octets);
        entete.extend_from_slice(ENTETE);
        Self { octets: entete, rangees: 0 }
    }

    /// True when no row was started.
    pub fn est_vide(&self) -> bool {
        self.rangees == 0
    }

    /// Starts a row of so many columns; exactly as many values must follow.
    pub fn rangee(&mut self, colonnes: i16) -> &mut Self {
        self.octets.extend_from_slice(&colonnes.to_be_bytes());
        self.rangees += 1;
        self
    }

    fn valeur(&mut self, octets: &[u8]) -> &mut Self {
        // PostgreSQL refuses a value of 1 GiB: the length always fits.
        let longueur = i32::try_from(octets.len()).unwrap_or(i32::MAX);
        self.octets.extend_from_slice(&longueur.to_be_bytes());
        self.octets.extend_from_slice(octets);
        self
    }

    /// A text.
    pub fn texte(&mut self, texte: &str) -> &mut Self {
        self.valeur(texte.as_bytes())
    }

    /// A bytea.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.valeur(octets)
    }

    /// A bigint; beyond its bounds, the largest.
    pub fn entier(&mut self, n: u64) -> &mut Self {
        self.valeur(&i64::try_from(n).unwrap_or(i64::MAX).to_be_bytes())
    }

    /// An int.
    pub fn entier_court(&mut self, n: i32) -> &mut Self {
        self.valeur(&n.to_be_bytes())
    }

    /// A boolean.
    pub fn booleen(&mut self, b: bool) -> &mut Self {
        self.valeur(&[u8::from(b)])
    }

    /// A uuid.
    pub fn uuid(&mut self, u: Uuid) -> &mut Self {
        self.valeur(u.as_bytes())
    }

    /// A timestamptz, to the microsecond.
    pub fn instant(&mut self, t: OffsetDateTime) -> &mut Self {
        let micros = t.unix_timestamp_nanos().div_euclid(1_000) - AN_2000 * 1_000_000;
        self.valeur(&i64::try_from(micros).unwrap_or(i64::MAX).to_be_bytes())
    }

    /// Null, of any type.
    pub fn nul(&mut self) -> &mut Self {
        self.octets.extend_from_slice(&(-1i32).to_be_bytes());
        self
    }

    /// A text, or null.
    pub fn texte_ou_nul(&mut self, texte: Option<&str>) -> &mut Self {
        match texte {
            Some(t) => self.texte(t),
            None => self.nul(),
        }
    }

    fn finir(mut self) -> Vec<u8> {
        self.octets.extend_from_slice(&(-1i16).to_be_bytes());
        self.octets
    }
}

/// Sends rows by `copy table (columns) from stdin (format binary)`; nothing when there are none.
///
/// # Errors
///
/// Those of the database; the transaction is then lost.
pub async fn copier(tx: &mut PgConnection, instruction: &str, copie: Copie) -> Resultat<()> {
    if copie.est_vide() {
        return Ok(());
    }
    let octets = copie.finir();
    let mut entree = tx.copy_in_raw(instruction).await?;
    entree.send(octets.as_slice()).await?;
    entree.finish().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_encoded_as_postgresql_documents_it() {
        let mut c = Copie::default();
        c.rangee(3).texte("é\t\\").entier(258).nul();
        let octets = c.finir();
        let mut attendu = b"PGCOPY\n\xff\r\n\0".to_vec();
        attendu.extend_from_slice(&[0; 8]);
        attendu.extend_from_slice(&[0, 3]);
        attendu.extend_from_slice(&[0, 0, 0, 4]);
        attendu.extend_from_slice("é\t\\".as_bytes());
        attendu.extend_from_slice(&[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2]);
        attendu.extend_from_slice(&[255, 255, 255, 255]);
        attendu.extend_from_slice(&[255, 255]);
        assert_eq!(octets, attendu);
    }

    #[test]
    fn room_made_beforehand_changes_nothing() {
        let rangee = |mut c: Copie| {
            c.rangee(1).texte("a");
            c.finir()
        };
        assert_eq!(rangee(Copie::avec_place(1_000)), rangee(Copie::default()));
        assert!(Copie::avec_place(1_000).est_vide());
    }

    #[test]
    fn instants_count_microseconds_from_2000() {
        let micros = |t: OffsetDateTime| {
            let mut c = Copie::default();
            c.instant(t);
            i64::from_be_bytes(c.octets[ENTETE.len() + 4..].try_into().unwrap())
        };
        let an_2000 = OffsetDateTime::from_unix_timestamp(946_684_800).unwrap();
        assert_eq!(micros(an_2000), 0);
        assert_eq!(micros(an_2000 + time::Duration::microseconds(1_500_000)), 1_500_000);
        assert_eq!(micros(an_2000 - time::Duration::nanoseconds(1)), -1, "before 2000 too");
    }

    #[test]
    fn each_type_has_its_width() {
        let longueur = |ecrire: fn(&mut Copie) -> &mut Copie| {
            let mut c = Copie::default();
            ecrire(&mut c);
            c.octets.len() - ENTETE.len()
        };
        assert_eq!(longueur(|c| c.booleen(true)), 5);
        assert_eq!(longueur(|c| c.entier_court(-1)), 8);
        assert_eq!(longueur(|c| c.entier(u64::MAX)), 12);
        assert_eq!(longueur(|c| c.uuid(Uuid::nil())), 20);
        assert_eq!(longueur(|c| c.octets(&[0, 10, 92])), 7);
        assert_eq!(longueur(|c| c.texte_ou_nul(None)), 4);
        assert_eq!(longueur(|c| c.texte_ou_nul(Some("a"))), 5);
    }
}
