//! Which logs are followed, so that no two sources follow the same, and not too many are. Pure.

use std::collections::{HashMap, HashSet};

/// The logs that are followed, or were, by their names.
#[derive(Default)]
pub(in crate::cli) struct FollowedLogs {
    /// Each with the place of its source on the command line.
    sources: HashMap<String, usize>,
    followed: HashSet<String>,
}

/// Whether a source may follow a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes, and it counts as followed now.
    Admitted,
    /// Another source follows it.
    Taken,
    /// As many logs are followed as may be.
    Full,
}

impl FollowedLogs {
    /// A log that is named on the command line.
    pub(super) fn begin(&mut self, log: &str, source: usize) {
        self.sources.insert(log.to_owned(), source);
        self.followed.insert(log.to_owned());
    }

    /// A log that the source at this place on the command line has found.
    pub(super) fn admit(&mut self, log: &str, source: usize, max: usize) -> Admission {
        if self.sources.get(log).is_some_and(|other| *other != source) {
            return Admission::Taken;
        }
        if self.followed.len() >= max {
            return Admission::Full;
        }
        self.begin(log, source);
        Admission::Admitted
    }

    pub(super) fn end(&mut self, log: &str) {
        self.followed.remove(log);
    }

    /// How many logs would be followed with these.
    pub(super) fn count_with(&self, logs: &[String]) -> usize {
        self.followed.len() + logs.iter().filter(|log| !self.followed.contains(*log)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_one_source_and_its_place_is_free_when_it_ends() {
        let mut known = FollowedLogs::default();
        known.begin("a", 0);
        assert_eq!(known.admit("a", 1, 9), Admission::Taken);
        assert_eq!(known.count_with(&["a".to_owned(), "b".to_owned()]), 2);
        assert_eq!(known.admit("b", 1, 2), Admission::Admitted);
        assert_eq!(known.admit("c", 1, 2), Admission::Full);
        known.end("b");
        assert_eq!(known.admit("c", 1, 2), Admission::Admitted);
        known.end("a");
        assert_eq!(known.admit("a", 1, 9), Admission::Taken, "it was named");
    }
}
