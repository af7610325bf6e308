//! Checks a log of stamped lines: which are missing, duplicated or damaged. It does not check lines without a stamp against
//! anything: they are corrupt.

use std::fmt;
use std::iter::Sum;

use memchr::memchr;

use super::numbers::Numbers;
use super::stamp;

/// The maximum length of a line in bytes; a longer one is corrupt.
const LONGEST_LINE: usize = 1 << 20;

/// Reads the lines that a [`Producer`](super::Producer) with [`stamp`](super::ProducerConfig::stamp) wrote, in any pieces.
///
/// It keeps one unfinished line of at most 1 MiB, and one range for each run of consecutive numbers. So a log in order
/// takes the same memory whether it has ten lines or 10⁹.
///
/// ```
/// use wstail::produce::verifier::Verifier;
///
/// let mut verifier = Verifier::new(false);
/// verifier.push(b"2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - seq=1 crc=11b2");
/// verifier.push(b"8b19 x\nsomething else\n");
/// verifier.finish();
/// assert_eq!(verifier.report().to_string(), "verify: 2 lines, 0 lost, 0 duplicated, 1 corrupt");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    /// The first line may be the rest of one.
    may_be_cut: bool,
    line: Unfinished,
    numbers: Numbers,
    lines: u64,
    duplicated: u64,
    corrupt: u64,
}

impl Verifier {
    /// A verifier that has seen nothing. With `after_cursor` the stream may begin in the middle of a line: a first line that
    /// is not whole is then not counted.
    pub fn new(after_cursor: bool) -> Verifier {
        Verifier { may_be_cut: after_cursor, ..Verifier::default() }
    }

    /// Checks the lines that end in `bytes`; the bytes after the last newline are kept for the next call.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            if self.line.is_empty() {
                self.check(&bytes[..end]);
            } else {
                self.line.push(&bytes[..end]);
                self.end_line();
            }
            bytes = &bytes[end + 1..];
        }
        self.line.push(bytes);
    }

    /// Ends a file: a last line without a newline is checked as a line. More may be pushed, from the next file.
    pub fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    /// What was found in the lines that have ended so far.
    pub fn report(&self) -> Report {
        Report {
            lines: self.lines,
            // A corrupt line may be the one that is missing.
            lost: self.numbers.missing().saturating_sub(self.corrupt),
            duplicated: self.duplicated,
            corrupt: self.corrupt,
        }
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        self.check(if line.is_too_long { &[] } else { &line.bytes });
        line.clear();
        self.line = line;
    }

    fn check(&mut self, line: &[u8]) {
        let number = if line.len() <= LONGEST_LINE { stamp::read(line) } else { None };
        let is_rest = std::mem::take(&mut self.may_be_cut) && number.is_none();
        if is_rest {
            return;
        }
        self.lines += 1;
        match number {
            None => self.corrupt += 1,
            Some(number) if self.numbers.insert(number) => {}
            Some(_) => self.duplicated += 1,
        }
    }
}

/// The result of a [`Verifier`]. Sum the reports of several logs with [`Iterator::sum`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many lines there were, of any kind.
    pub lines: u64,
    /// Numbers missing between the first and the highest, minus the corrupt lines, each of which may be one of them.
    pub lost: u64,
    /// Lines with a number that was seen before.
    pub duplicated: u64,
    /// Lines without a stamp, with a wrong checksum, or over 1 MiB long.
    pub corrupt: u64,
}

impl Report {
    /// Whether nothing is lost, duplicated or corrupt.
    pub fn is_clean(&self) -> bool {
        (self.lost, self.duplicated, self.corrupt) == (0, 0, 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { lines, lost, duplicated, corrupt } = self;
        write!(f, "verify: {lines} lines, {lost} lost, {duplicated} duplicated, {corrupt} corrupt")
    }
}

impl Sum for Report {
    fn sum<I: Iterator<Item = Report>>(reports: I) -> Report {
        reports.fold(Report::default(), |sum, report| Report {
            lines: sum.lines + report.lines,
            lost: sum.lost.saturating_add(report.lost),
            duplicated: sum.duplicated + report.duplicated,
            corrupt: sum.corrupt + report.corrupt,
        })
    }
}

/// A line whose end has not come.
#[derive(Clone, Debug, Default)]
struct Unfinished {
    bytes: Vec<u8>,
    /// Its bytes are not held any more.
    is_too_long: bool,
}

impl Unfinished {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_too_long
    }

    fn push(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.bytes.len() + bytes.len() > LONGEST_LINE;
        if self.is_too_long {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::random::{Random, seeds};

    fn line(number: u64) -> Vec<u8> {
        let mut line = b"2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - ".to_vec();
        stamp::write(&mut line, number, "a - seq=1 text").unwrap();
        line.push(b'\n');
        line
    }

    fn log(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        numbers.into_iter().flat_map(line).collect()
    }

    /// Lines, lost, duplicated, corrupt.
    fn counts(report: Report) -> [u64; 4] {
        [report.lines, report.lost, report.duplicated, report.corrupt]
    }

    fn verify(after_cursor: bool, pieces: &[&[u8]]) -> [u64; 4] {
        let mut verifier = Verifier::new(after_cursor);
        pieces.iter().for_each(|piece| verifier.push(piece));
        verifier.finish();
        counts(verifier.report())
    }

    fn verified(log: &[u8]) -> [u64; 4] {
        verify(false, &[log])
    }

    #[test]
    fn a_whole_log_is_clean_wherever_it_begins() {
        assert_eq!(verified(b""), [0, 0, 0, 0]);
        assert_eq!(verified(&log(1..=100)), [100, 0, 0, 0]);
        assert_eq!(verified(&log(4000..=4100)), [101, 0, 0, 0]);
        assert_eq!(verified(&log([u64::MAX - 1, u64::MAX])), [2, 0, 0, 0]);
        assert_eq!(verified(log([1, 2]).trim_ascii_end()), [2, 0, 0, 0], "the last line has no newline");
    }

    #[test]
    fn what_is_missing_is_lost_until_it_comes() {
        assert_eq!(verified(&log([1, 2, 5, 6, 9])), [5, 4, 0, 0]);
        assert_eq!(verified(&log([1, 2, 5, 6, 9, 3, 4, 8, 7])), [9, 0, 0, 0]);
        assert_eq!(verified(&log([0, u64::MAX])), [2, u64::MAX - 1, 0, 0]);
    }

    #[test]
    fn what_came_before_is_duplicated() {
        assert_eq!(verified(&log([1, 2, 2, 3, 1, 4])), [6, 0, 2, 0]);
        assert_eq!(verified(&log([1, 2, 5, 5, 2])), [5, 2, 2, 0]);
    }

    #[test]
    fn a_number_below_the_first_is_neither_lost_nor_duplicated_but_remembered() {
        assert_eq!(verified(&log([10, 11, 4, 7])), [4, 0, 0, 0]);
        assert_eq!(verified(&log([10, 11, 4, 13, 4, 9, 9])), [7, 1, 2, 0]);
    }

    #[test]
    fn a_corrupt_line_is_corrupt_only() {
        let damage = |number: u64, from: &[u8], to: &[u8]| {
            let (line, mut damaged) = (line(number), log(1..=4));
            let place = memchr::memmem::find(&damaged, &line).unwrap();
            let inside = place + memchr::memmem::find(&line, from).unwrap();
            damaged.splice(inside..inside + from.len(), to.iter().copied());
            damaged
        };
        assert_eq!(verified(&damage(3, b"text", b"tex\xff")), [4, 0, 0, 1]);
        assert_eq!(verified(&damage(3, b"seq=3", b"seq=1")), [4, 0, 0, 1], "no duplicate");
        assert_eq!(verified(&damage(2, b"text\n", b"te")), [3, 1, 0, 1], "one line stands for one number");
        assert_eq!(
            verified(&[&log([1])[..], b"\nno stamp\n", &log([3])].concat()),
            [4, 0, 0, 2],
            "nor for less than 0"
        );
    }

    #[test]
    fn after_a_cursor_the_rest_of_a_line_is_not_counted() {
        let log = log(3..=5);
        let rest = &log[70..];
        assert_eq!(verify(true, &[rest]), [2, 0, 0, 0]);
        assert_eq!(verify(true, &[&rest[..5], &rest[5..]]), [2, 0, 0, 0]);
        assert_eq!(verify(false, &[rest]), [3, 0, 0, 1]);
        assert_eq!(verify(true, &[&log]), [3, 0, 0, 0], "it may also begin with a whole one");
        assert_eq!(verify(true, &[rest, b"no stamp\n"]), [3, 0, 0, 1], "the first only");
        assert_eq!(verify(true, &[b"\n", &log]), [3, 0, 0, 0]);
        assert_eq!(verify(true, &[b"rest"]), [0, 0, 0, 0]);
    }

    #[test]
    fn a_line_over_1_mib_is_corrupt_and_not_held() {
        let mut long = line(2);
        long.splice(0..0, vec![b'-'; LONGEST_LINE + 1 - long.len()]);
        assert_eq!(verified(&long), [1, 0, 0, 0], "1 MiB without its newline");
        long.insert(0, b'-');
        let log = [&log([1]), &long[..], &log([3])].concat();
        assert_eq!(verified(&log), [3, 0, 0, 1]);
        let mut verifier = Verifier::new(false);
        for piece in log.chunks(1000) {
            verifier.push(piece);
            assert!(verifier.line.bytes.len() <= LONGEST_LINE);
        }
        assert_eq!(counts(verifier.report()), [3, 0, 0, 1]);
    }

    #[test]
    fn a_report_is_one_line_and_reports_add_up() {
        let dirty = Report { lines: 9, lost: 1, duplicated: 2, corrupt: 3 };
        let clean = Report { lines: 5, ..Report::default() };
        let sum: Report = [dirty, clean].into_iter().sum();
        assert_eq!(sum.to_string(), "verify: 14 lines, 1 lost, 2 duplicated, 3 corrupt");
        assert!(clean.is_clean() && !sum.is_clean());
        for spoil in [|r: &mut Report| r.lost = 1, |r: &mut Report| r.duplicated = 1, |r: &mut Report| r.corrupt = 1] {
            let mut report = clean;
            spoil(&mut report);
            assert!(!report.is_clean());
        }
    }

    /// A log with every kind of damage, and what a set of numbers finds in it.
    fn random_log(random: &mut Random) -> (Vec<u8>, [u64; 4]) {
        let (mut log, mut lines, mut next) = (Vec::new(), 0, 100);
        let (mut seen, mut first, mut duplicated, mut corrupt) = (HashSet::new(), None, 0, 0);
        for _ in 0..random.below(60) {
            next += 1 + random.below(8).saturating_sub(6) as u64;
            let number = if random.below(5) == 0 { 80 + random.below(next as usize - 60) as u64 } else { next };
            let mut line = line(number);
            lines += 1;
            if random.below(8) == 0 {
                line[10 + random.below(60)] = b'~';
            }
            log.extend_from_slice(&line);
            match stamp::read(line.trim_ascii_end()) {
                None => corrupt += 1,
                Some(number) => {
                    first.get_or_insert(number);
                    duplicated += u64::from(!seen.insert(number));
                }
            }
        }
        let highest = seen.iter().copied().max().unwrap_or(0);
        let missing = (first.unwrap_or(1)..=highest).filter(|number| !seen.contains(number)).count() as u64;
        (log, [lines, missing.saturating_sub(corrupt), duplicated, corrupt])
    }

    #[test]
    fn any_log_in_any_pieces_gives_what_a_set_of_numbers_says() {
        for seed in seeds(200) {
            let mut random = Random::new(seed);
            let (log, expected) = random_log(&mut random);
            assert_eq!(verified(&log), expected, "seed {seed}");
            let (mut rest, mut pieces) = (&log[..], Vec::new());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(random.below(200).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(verify(false, &pieces), expected, "seed {seed}");
            assert_eq!(verify(true, &pieces), verify(true, &[&log]), "seed {seed}, after a cursor");
        }
    }
}
