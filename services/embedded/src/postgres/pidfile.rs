//! `postmaster.pid`: who the postmaster is and how far it has come.

/// Its name in the data directory.
pub(crate) const NAME: &str = "postmaster.pid";

/// What matters of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    /// The postmaster.
    pub pid: i32,
    /// `starting`, `ready`, `stopping` or `standby`; empty in the first moments.
    pub status: String,
}

/// Reads the first line (number) and the eighth (status); `None` while it is half-written.
pub(crate) fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid: i32 = lines.next()?.trim().parse().ok()?;
    // The first line is consumed: the eighth is the seventh of the rest.
    let status = lines.nth(6).unwrap_or_default().trim().to_owned();
    // A single-user server writes its number negated.
    (pid != 0).then(|| PidFile { pid: pid.saturating_abs(), status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_and_the_status_are_read_at_every_stage_of_writing() {
        let full = "5303\n/data\n1795297546\n23456\n\n127.0.0.1\n   754778         4\nready   \n";
        assert_eq!(parse(full), Some(PidFile { pid: 5303, status: "ready".to_owned() }));
        let young = "5303\n/data\n1795297546\n23456\n\n";
        assert_eq!(parse(young), Some(PidFile { pid: 5303, status: String::new() }));
        assert_eq!(parse("-12\n").map(|file| file.pid), Some(12));
        assert_eq!(parse(""), None);
        assert_eq!(parse("\n"), None);
        assert_eq!(parse("0\n"), None);
    }
}
