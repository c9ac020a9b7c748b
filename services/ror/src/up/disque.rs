//! A disk that refuses is told as such, whatever part of the mesh met it first.

use std::{
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

use ror_embedded::{Embedded, Error};

/// Between two looks at the servers' logs.
const PAS: Duration = Duration::from_secs(1);

/// The disk's refusal behind a failure of a start in that folder, told by the servers or carried
/// by the failure itself; else the failure as it is.
pub fn expliquer(e: anyhow::Error, dossier: &Path, plein: Option<Error>) -> anyhow::Error {
    if let Some(plein) = plein {
        return plein.into();
    }
    let refuse = |k: &ErrorKind| {
        matches!(k, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
    };
    let refus = e.chain().filter_map(|c| c.downcast_ref::<io::Error>()).map(io::Error::kind).find(refuse);
    match refus {
        Some(k) => Error::io(dossier, k.into()).into(),
        None => e,
    }
}

/// Resolves once the disk is full: what insists until a service answers would insist in vain.
pub async fn plein(embarque: &Embedded) -> Error {
    loop {
        tokio::time::sleep(PAS).await;
        if let Some(e) = embarque.disk_full() {
            return e;
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_refusal_of_the_disk_is_told_with_the_folder_and_nothing_else_is() {
        let dit = |e, plein| expliquer(e, Path::new("/srv/ror"), plein).to_string();
        let avec = |k: ErrorKind| Err::<(), _>(io::Error::from(k)).context("écriture").unwrap_err();
        let phrase = dit(avec(ErrorKind::StorageFull), None);
        assert!(phrase.contains("disque est plein sous /srv/ror"), "{phrase}");
        let phrase = dit(avec(ErrorKind::ReadOnlyFilesystem), None);
        assert!(phrase.contains("refusée dans /srv/ror"), "{phrase}");
        assert_eq!(dit(avec(ErrorKind::NotFound), None), "écriture");
        let phrase = dit(anyhow::anyhow!("autre"), Some(Error::DiskFull { path: "/var".into() }));
        assert!(phrase.contains("plein sous /var"), "{phrase}");
    }
}
