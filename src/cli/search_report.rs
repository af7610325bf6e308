//! What `wstail tail` reports of a filter and of a range of times beside the lines: a status line on a terminal while the
//! server searches, and that nothing was found.

use std::io::{self, IsTerminal, Write};

use wstail::client::Url;
use wstail::protocol::request::Lines;

use super::notices;

/// What was found in one log.
pub(super) struct SearchReport {
    has_filter: bool,
    /// A range of times is asked for.
    has_range: bool,
    /// The stream ends, so that there will be an answer.
    is_finite: bool,
    /// A line has come, or has matched.
    has_found: bool,
    /// Whether a status line may be shown.
    has_status: bool,
    /// Whether one is shown.
    is_shown: bool,
}

/// Goes to the start of the terminal's line, and erases it: ECMA-48's EL.
const ERASE: &str = "\r\x1b[K";

impl SearchReport {
    /// `may_show`: whether anybody wants to see a status line.
    pub(super) fn of(url: &Url, may_show: bool) -> SearchReport {
        let has_filter = url.criteria().is_ok_and(|criteria| !criteria.is_everything());
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        SearchReport {
            has_filter,
            has_range: url.names("since") || url.names("until"),
            is_finite: !url.follows() && url.lines() != Some(Lines::Last(0)),
            has_found: false,
            has_status: may_show && has_filter && !is_dumb && io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    /// Whether there is a filter, and the server is not known to ignore it.
    pub(super) fn has_filter(&self) -> bool {
        self.has_filter
    }

    /// Notes that bytes came. Returns, once, whether the server is one that does not filter.
    pub(super) fn receive(&mut self, bytes: &[u8], has_events: bool) -> bool {
        self.has_found |= !bytes.is_empty();
        !has_events && std::mem::take(&mut self.has_filter)
    }

    /// Shows how far the server has searched, or nothing if `is_over`.
    pub(super) fn progress(&mut self, bytes: u64, total: Option<u64>, matches: u64, is_over: bool) {
        self.has_found |= matches > 0;
        if is_over || !self.has_status {
            return self.clear();
        }
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{ERASE}{}", status(bytes, total, matches)).and_then(|()| stderr.flush());
        self.is_shown = true;
    }

    /// Removes the status line. Call this before anything else is printed.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let mut stderr = io::stderr();
            let _ = write!(stderr, "{ERASE}").and_then(|()| stderr.flush());
        }
    }

    /// The notice at the end of the stream that nothing was found, if something was searched for.
    pub(super) fn in_vain(&self) -> Option<&'static str> {
        let what = match self.has_filter {
            true => notices::NO_MATCH,
            false => notices::EMPTY_RANGE,
        };
        ((self.has_filter || self.has_range) && self.is_finite && !self.has_found).then_some(what)
    }
}

/// Short enough for any terminal, because a line that is wrapped is not erased as a whole.
fn status(bytes: u64, total: Option<u64>, matches: u64) -> String {
    let noun = if matches == 1 { "match" } else { "matches" };
    let done = match total {
        Some(total) => {
            let percent = u128::from(bytes) * 100 / u128::from(total.max(1));
            format!("{} % of {}", percent.min(100), size(total))
        }
        None => size(bytes),
    };
    format!("searching: {done}, {matches} {noun}")
}

/// A number of bytes for people: `1.2 GB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    // What is rounded to 1000.0 is shown in the next unit.
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_short_and_exact() {
        assert_eq!(status(444_000_000, Some(1_200_000_000), 3), "searching: 37 % of 1.2 GB, 3 matches");
        assert_eq!(status(999, None, 1), "searching: 999 B, 1 match");
        assert_eq!(status(0, Some(0), 0), "searching: 0 % of 0 B, 0 matches");
        assert_eq!(status(3, Some(2), 0), "searching: 100 % of 2 B, 0 matches");
        assert!(status(u64::MAX, Some(u64::MAX), u64::MAX).len() < 60);
    }

    #[test]
    fn sizes_are_in_powers_of_1000() {
        let cases = [(1000, "1.0 KB"), (999_949, "999.9 KB"), (999_950, "1.0 MB"), (u64::MAX, "18.4 EB")];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn a_search_is_in_vain_if_it_ends_without_a_line() {
        let search = |query: &str| SearchReport::of(&format!("h/a?{query}").parse().unwrap(), false);
        for query in ["grep=x", "max=1", "grep=x&since=1h"] {
            assert_eq!(search(query).in_vain(), Some(notices::NO_MATCH), "{query}");
        }
        for query in ["since=1h", "until=1h"] {
            assert_eq!(search(query).in_vain(), Some(notices::EMPTY_RANGE), "{query}");
        }
        for query in ["", "grep=x&tail=1", "since=1h&tail=1", "grep=x&lines=0", "context=5"] {
            assert_eq!(search(query).in_vain(), None, "{query}");
        }
        for query in ["grep=x", "since=1h"] {
            let mut found = search(query);
            assert!(!found.receive(b"x", true));
            assert_eq!(found.in_vain(), None, "{query}");
        }
        let mut counted = search("grep=x");
        counted.progress(1, None, 1, true);
        assert_eq!(counted.in_vain(), None);
        let mut plain = search("grep=x");
        assert!(plain.receive(b"", false) && !plain.receive(b"", false));
        assert_eq!(plain.in_vain(), None);
    }
}
