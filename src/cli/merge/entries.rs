//! The entries of a log, and their times. It takes whole lines, and keeps none.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memchr_iter;
use wstail::select::stamp::Recogniser;
use wstail::select::zone::Zone;

use super::order::EntryTime;

/// How much of a log teaches how its times look, in bytes.
const SAMPLE: usize = 64 * 1024;

/// Finds where entries begin: an entry is a line that bears a time, and the lines after it that bear none.
pub(super) struct EntryFinder {
    recogniser: Recogniser,
    /// The log's first lines, until there are enough.
    sample: Vec<u8>,
    /// How many bytes of them were learnt from.
    learnt: usize,
    /// The zone of times that do not say theirs.
    zone: Zone,
    /// The time of the last entry.
    time: EntryTime,
    /// The last line was cut off, and its rest is to come.
    is_within_line: bool,
}

/// Lines of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundEntry {
    pub lines: Range<usize>,
    pub time: EntryTime,
    /// They belong to the entry before.
    pub continues: bool,
}

impl EntryFinder {
    pub(super) fn new(zone: Zone) -> EntryFinder {
        EntryFinder {
            recogniser: Recogniser::default(),
            sample: Vec::new(),
            learnt: 0,
            zone,
            time: None,
            is_within_line: false,
        }
    }

    /// Sets the zone of times that do not say theirs.
    pub(super) fn set_zone(&mut self, zone: Zone) {
        self.zone = zone;
    }

    /// Whether the last line has not ended.
    pub(super) fn is_within_line(&self) -> bool {
        self.is_within_line
    }

    /// The entries in lines, of which the last may be cut off.
    pub(super) fn find(&mut self, lines: &[u8]) -> Vec<FoundEntry> {
        self.learn(lines);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().cast_signed();
        let mut found: Vec<FoundEntry> = Vec::new();
        let (mut start, ends) = (0, memchr_iter(b'\n', lines).map(|end| end + 1));
        let cut = lines.last().is_some_and(|last| *last != b'\n').then_some(lines.len());
        for end in ends.chain(cut) {
            let is_new = !std::mem::replace(&mut self.is_within_line, lines[end - 1] != b'\n');
            let stamp = self.recogniser.find(&lines[start..end]).filter(|_| is_new);
            let continues = stamp.is_none();
            if let Some(stamp) = stamp {
                self.time = Some(stamp.resolve(&self.zone, now).earliest);
            }
            match found.last_mut() {
                Some(entry) if continues => entry.lines.end = end,
                // Without a time before it, a line is an entry of its own.
                _ => {
                    let continues = continues && (self.time.is_some() || !is_new);
                    found.push(FoundEntry { lines: start..end, time: self.time, continues });
                }
            }
            start = end;
        }
        found
    }

    /// Learns again whenever there is twice as much to learn from.
    fn learn(&mut self, lines: &[u8]) {
        if self.learnt >= SAMPLE {
            return;
        }
        self.sample.extend_from_slice(&lines[..lines.len().min(SAMPLE - self.sample.len())]);
        if self.sample.len() >= (2 * self.learnt).min(SAMPLE) {
            self.learnt = self.sample.len();
            self.recogniser = Recogniser::trained_on(self.sample.split(|&byte| byte == b'\n'));
        }
        if self.learnt >= SAMPLE {
            self.sample = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;

    fn found(entries: &mut EntryFinder, lines: &str) -> Vec<(String, Option<i128>, bool)> {
        let begun = 1_795_397_521 * SECOND;
        let shown = |found: FoundEntry| {
            let time = found.time.map(|time| (time - begun) / SECOND);
            (lines[found.lines].to_owned(), time, found.continues)
        };
        entries.find(lines.as_bytes()).into_iter().map(shown).collect()
    }

    #[test]
    fn a_stack_trace_belongs_to_its_line() {
        let mut entries = EntryFinder::new(Zone::utc());
        let log = "head\n2026-11-23 01:32:02 ERROR x\n at y\n at z\n2026-11-23 01:32:05 INFO\n";
        assert_eq!(found(&mut entries, log), {
            [
                ("head\n".to_owned(), None, false),
                ("2026-11-23 01:32:02 ERROR x\n at y\n at z\n".to_owned(), Some(1), false),
                ("2026-11-23 01:32:05 INFO\n".to_owned(), Some(4), false),
            ]
        });
        assert_eq!(found(&mut entries, " more\n"), [(" more\n".to_owned(), Some(4), true)]);
        assert_eq!(found(&mut entries, ""), []);
        assert_eq!(found(&mut entries, "cut"), [("cut".to_owned(), Some(4), true)]);
        let rest = "2026-11-23 01:32:09\n";
        assert_eq!(found(&mut entries, rest), [(rest.to_owned(), Some(4), true)]);
    }

    #[test]
    fn times_behind_a_prefix_are_learnt() {
        let line = |second: u8| format!("web{second} app[12]: 2026-11-23 01:32:0{second} x\n");
        let mut entries = EntryFinder::new(Zone::utc());
        let times: Vec<_> =
            found(&mut entries, &(1..6).map(line).collect::<String>()).iter().map(|entry| entry.1).collect();
        assert_eq!(times, [0, 1, 2, 3, 4].map(Some));
    }
}
