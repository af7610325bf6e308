//! Where entries begin, and which of them are grave enough.
//!
//! An entry is a line that bears a time and the lines after it that bear none, 128 KiB at most. What is beyond that are
//! entries of their own without a level. The lines before the first time of a log are entries of their own, too; if there
//! are more than 128 KiB of them, those after that have no level. So it takes no more than 128 KiB to find out to which
//! entry a line belongs.

use std::fmt;
use std::sync::Arc;

use super::level::level_of;
use super::line::{JUDGED_HEAD, Line};
use crate::protocol::criteria::Level;

/// How large an entry may be, and how far from its match context may begin. A little less than 128 KiB, so that a block of
/// 256 KiB has room for that and for a line of which the first 128 KiB are judged.
pub const REACH: usize = JUDGED_HEAD - 4;

/// Returns where the time of a line ends, if it bears one. The line comes without its end, and only its first 128 KiB.
pub type FindTime = dyn Fn(&[u8]) -> Option<usize> + Send + Sync;

/// How the lines of a log make entries.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Entries {
    /// The log has no times: every line is an entry.
    #[default]
    Lines,
    /// An entry begins with a line in which this finds a time.
    Timed(Arc<FindTime>),
}

/// Lines that are treated alike: the lines of one entry, or some entries of one line each. It ends where the next begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Section {
    /// Where it begins in the block. Before the block if it is negative.
    pub(super) start: isize,
    /// Whether the level leaves it.
    pub(super) is_kept: bool,
    /// Whether its lines are one entry.
    pub(super) is_entry: bool,
}

/// To which entry the next line belongs.
#[derive(Clone, Copy, Debug)]
pub(super) enum EntryState {
    /// Before the first time of a log that begins at this offset from the block.
    Head(isize),
    Entry(Section),
    /// More than an entry may have since the last time.
    Rest,
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Entries::Lines => "Lines",
            Entries::Timed(_) => "Timed",
        })
    }
}

impl EntryState {
    /// The section of the line that begins at `start` and ends at `end`, which comes next.
    pub(super) fn next(
        &mut self,
        line: Line<'_>,
        start: usize,
        end: usize,
        entries: &Entries,
        lowest: Option<Level>,
    ) -> Section {
        let is_kept = |after_time| lowest.is_none_or(|lowest| level_of(line.text(), after_time) >= Some(lowest));
        let (start, end) = (start.cast_signed(), end.cast_signed());
        let single = |is_kept| Section { start, is_kept, is_entry: false };
        let Entries::Timed(find_time) = entries else { return single(is_kept(0)) };
        if let Some(after_time) = find_time(line.text()) {
            let section = Section { start, is_kept: is_kept(after_time), is_entry: true };
            *self = EntryState::Entry(section);
            return section;
        }
        match *self {
            EntryState::Entry(section) if end - section.start <= REACH.cast_signed() => section,
            EntryState::Head(log) if end - log <= REACH.cast_signed() => single(is_kept(0)),
            _ => {
                *self = EntryState::Rest;
                single(lowest.is_none())
            }
        }
    }

    /// The block now begins `bytes` further.
    pub(super) fn advance(&mut self, bytes: usize) {
        match self {
            EntryState::Head(start) | EntryState::Entry(Section { start, .. }) => *start -= bytes.cast_signed(),
            EntryState::Rest => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(log: &str, lowest: Level) -> Vec<(isize, bool, bool)> {
        let time: Arc<FindTime> = Arc::new(|line| line.starts_with(b"@").then_some(1));
        let (entries, mut state, mut at) = (Entries::Timed(time), EntryState::Head(0), 0);
        let mut section = |line: &str| {
            let section = state.next(Line::new(line.as_bytes()), at, at + line.len(), &entries, Some(lowest));
            at += line.len();
            (section.start, section.is_kept, section.is_entry)
        };
        log.split_inclusive('\n').map(&mut section).collect()
    }

    #[test]
    fn an_entry_has_the_level_of_its_first_line() {
        let log = "panic: x\nINFO\n@ ERROR\n at x\n@ INFO\n - error: nested\n";
        let (head, info) = ([(0, true, false), (9, false, false)], [(28, false, true); 2]);
        assert_eq!(sections(log, Level::Error), [&head[..], &[(14, true, true); 2], &info].concat());
    }

    #[test]
    fn the_rest_of_a_large_entry_has_no_level() {
        let log = format!("@ ERROR\n{}\n\nERROR\n@ ERROR\n", "x".repeat(REACH - 9));
        let found: Vec<_> = sections(&log, Level::Error).iter().map(|section| section.1).collect();
        assert_eq!(found, [true, true, false, false, true]);
        let head = format!("ERROR\n{}\nERROR\n", "x".repeat(REACH - 12));
        assert!(!sections(&head, Level::Error).last().unwrap().1);
        let head = format!("ERROR\n{}\nERROR\n", "x".repeat(REACH - 13));
        assert!(sections(&head, Level::Error).last().unwrap().1);
    }
}
