//! The account the servers run as: ours, or an unprivileged one when we are root.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::ErrorKind,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{Gid, Uid, User};

use crate::error::Error;

/// Debian's `nobody`, for a machine whose account list has none.
const NOBODY: u32 = 65_534;

/// The account of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
    /// We are root, so the servers must be moved to this account (PostgreSQL refuses root).
    switch: bool,
}

impl Account {
    /// Ours; for root, `postgres` if it exists, else `nobody`.
    pub(crate) fn of_servers() -> Self {
        if !Uid::effective().is_root() {
            let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
            return Self { uid, gid, switch: false };
        }
        let known = ["postgres", "nobody"].into_iter().find_map(|name| match User::from_name(name) {
            Ok(Some(user)) if !user.uid.is_root() => Some((user.uid.as_raw(), user.gid.as_raw())),
            _ => None,
        });
        let (uid, gid) = known.unwrap_or((NOBODY, NOBODY));
        Self { uid, gid, switch: true }
    }

    /// Makes the command run as this account (the standard library drops extra groups too).
    pub(crate) fn apply(self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Whether every folder down to this existing, canonical path lets the account through.
    pub(crate) fn reaches(self, path: &Path) -> bool {
        !self.switch
            || path.ancestors().all(|folder| {
                fs::metadata(folder)
                    .is_ok_and(|found| self.may_search(found.mode(), found.uid(), found.gid()))
            })
    }

    /// The kernel's rule: the first class that matches decides alone.
    fn may_search(self, mode: u32, owner: u32, group: u32) -> bool {
        let bit = if owner == self.uid {
            0o100
        } else if group == self.gid {
            0o010
        } else {
            0o001
        };
        mode & bit != 0
    }

    /// A folder owned by the account and closed to others, created if missing.
    pub(crate) fn private_dir(self, path: &Path) -> Result<(), Error> {
        let created = match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => true,
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => false,
            Err(cause) => return Err(Error::io(path, cause)),
        };
        if created && self.switch {
            lchown(path, Some(self.uid), Some(self.gid)).map_err(|cause| Error::io(path, cause))?;
        }
        self.check_owner(path)
    }

    /// Refuses a folder that the servers could not use.
    pub(crate) fn check_owner(self, path: &Path) -> Result<(), Error> {
        let found = fs::symlink_metadata(path).map_err(|cause| Error::io(path, cause))?;
        if found.is_dir() && found.uid() == self.uid {
            Ok(())
        } else {
            Err(Error::ForeignOwner { path: path.to_path_buf() })
        }
    }
}

/// A folder of a shared place such as `/var/tmp`, owned by us and writable by us alone: a name
/// that anybody can guess must not let anybody plant programs or data.
pub(crate) fn owned_dir(path: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o755).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755))
            .map_err(|cause| Error::io(path, cause))?,
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(Error::io(path, cause)),
    }
    let found = fs::symlink_metadata(path).map_err(|cause| Error::io(path, cause))?;
    let ours = found.is_dir() && found.uid() == Uid::effective().as_raw();
    if ours && found.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(Error::ForeignOwner { path: path.to_path_buf() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Account = Account { uid: 101, gid: 104, switch: true };

    #[test]
    fn a_folder_is_searchable_by_the_first_class_that_matches() {
        assert!(ACCOUNT.may_search(0o755, 0, 0));
        assert!(!ACCOUNT.may_search(0o700, 0, 0));
        assert!(ACCOUNT.may_search(0o700, 101, 0));
        assert!(!ACCOUNT.may_search(0o077, 101, 104), "the owner's class decides alone");
        assert!(ACCOUNT.may_search(0o710, 0, 104));
        assert!(!ACCOUNT.may_search(0o701, 0, 104));
    }

    #[test]
    fn a_closed_ancestor_closes_all_below() {
        let top = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let below = top.path().join("below");
        fs::create_dir(&below).expect("a folder");
        fs::set_permissions(&below, Permissions::from_mode(0o755)).expect("its mode");
        let stranger = Account { uid: 4_000_001, gid: 4_000_001, switch: true };

        fs::set_permissions(top.path(), Permissions::from_mode(0o700)).expect("its mode");
        assert!(!stranger.reaches(&below));
        fs::set_permissions(top.path(), Permissions::from_mode(0o755)).expect("its mode");
        assert!(stranger.reaches(&below));
        assert!(!stranger.reaches(&top.path().join("absent")));
    }
}
