//! A set of paths that a server names, with an end: what a server sends without end must not fill the memory. Pure.

use std::collections::HashSet;
use std::fmt;

/// How many paths a set takes, and how many bytes they have in all. `wstail serve` lists up to 65,536 logs.
const MAX_PATHS: usize = 1 << 17;
const MAX_BYTES: usize = 32 << 20;

#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    set: HashSet<String>,
    bytes: usize,
}

/// The error for a path that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server lists more than {MAX_PATHS} logs, or more than {} MiB of paths", MAX_BYTES >> 20)
    }
}

impl Paths {
    pub(super) fn contains(&self, path: &str) -> bool {
        self.set.contains(path)
    }

    /// Returns whether it is new.
    ///
    /// # Errors
    /// If there is no room for it.
    pub(super) fn insert(&mut self, path: &str) -> Result<bool, TooMany> {
        if self.contains(path) {
            return Ok(false);
        }
        if self.set.len() >= MAX_PATHS || self.bytes + path.len() > MAX_BYTES {
            return Err(TooMany);
        }
        self.bytes += path.len();
        Ok(self.set.insert(path.to_owned()))
    }

    /// Returns whether it was there.
    pub(super) fn remove(&mut self, path: &str) -> bool {
        let was_there = self.set.remove(path);
        self.bytes -= if was_there { path.len() } else { 0 };
        was_there
    }

    /// Removes and returns those that are not in `others`.
    pub(super) fn retain_common(&mut self, others: &Paths) -> Vec<String> {
        let removed: Vec<_> = self.set.extract_if(|path| !others.contains(path)).collect();
        self.bytes -= removed.iter().map(String::len).sum::<usize>();
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_paths_and_so_many_bytes() {
        let mut paths = Paths::default();
        (0..MAX_PATHS).for_each(|number| assert_eq!(paths.insert(&number.to_string()), Ok(true)));
        assert_eq!(paths.insert("0"), Ok(false));
        assert_eq!(paths.insert("more"), Err(TooMany));
        assert!(paths.remove("7") && !paths.remove("7"));
        assert_eq!(paths.insert("more"), Ok(true));
        let mut long = Paths::default();
        assert_eq!(long.insert(&"x".repeat(MAX_BYTES)), Ok(true));
        assert_eq!(long.insert("y"), Err(TooMany));
        assert_eq!(long.retain_common(&paths).len(), 1);
        assert_eq!(long.insert(&"z".repeat(MAX_BYTES + 1)), Err(TooMany));
        assert_eq!(long.insert("y"), Ok(true));
    }
}
