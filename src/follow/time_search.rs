//! The search for the place in a file where a time begins: the first line that bears that time or a later one. It needs
//! no index, and reads one block in each step. Which time a line bears is not known here: [`LineTimes`] says it.
//!
//! Where times never decrease, halving finds the place. Lines without a time are passed over to the next one that has
//! one, so it does not matter how many there are, except for the time it takes. Holes of a sparse file are not read.
//!
//! Where times decrease, because a clock was set back, a search that halves may miss an earlier place. So what lies left
//! of the place that was found is probed at doubling distances, up to the start of the file. If a probe finds a line
//! that is not earlier, everything from there on is searched again.

use std::fmt;
use std::io;

use memchr::memchr;
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::line_search::SearchProgress;
use super::log::file::File;
use super::log::fingerprint::read_up_to;

/// One of the two ends of a range of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Where it begins.
    Since,
    /// Where it ends.
    Until,
}

/// Says which lines of one file have reached a time.
pub trait LineTimes: fmt::Debug + Send {
    /// Whether a line bears that time or a later one; `None` if it bears no time. A long line may be cut off.
    fn has_reached(&self, line: &[u8], bound: Bound) -> Option<bool>;
}

/// The first read of a probe. Most lines are shorter.
pub(super) const PROBE: u64 = 4 * 1024;
/// A line is judged by so many of its first bytes.
const HEAD: usize = 128 * 1024;
/// The most that a step reads. A block of newlines alone has as many lines as bytes, and all of them are judged: even
/// then a turn must stay below 20 ms.
const MOST: usize = HEAD;
/// How often a place further left is searched again, in a file whose times decrease again and again.
const MOST_TIMES_AGAIN: u32 = 64;

/// A search in the first `size` bytes of a file.
#[derive(Debug)]
pub(super) struct TimeSearch {
    size: u64,
    bound: Bound,
    stage: SearchStage,
    scan: Scan,
    /// The line after the first one with a time, which is earlier.
    floor: u64,
    /// The last line that is known to be earlier begins before this.
    low: u64,
    /// The first line with a time that begins here or later is `found`.
    high: u64,
    found: Option<u64>,
    times_again: u32,
    /// The file is compressed: going back in it costs as much as reading it from its start.
    is_forward: bool,
}

#[derive(Clone, Copy, Debug)]
enum SearchStage {
    /// Looks for the first line with a time.
    First,
    /// Looks at a line in the middle, which begins at this place or later.
    Middle(u64),
    /// Looks at all lines between `low` and `high`.
    Rest,
    /// Looks left of the place that was found, this far.
    Left(u64),
}

impl TimeSearch {
    pub fn new(size: u64, bound: Bound) -> TimeSearch {
        let scan = Scan::from(0, size, LineKind::Time);
        let (stage, floor, low, high, found, times_again) = (SearchStage::First, 0, 0, size, None, 0);
        TimeSearch { size, bound, stage, scan, floor, low, high, found, times_again, is_forward: false }
    }

    /// The same without going back, line by line.
    pub fn forwards(size: u64, bound: Bound) -> TimeSearch {
        TimeSearch { is_forward: true, ..TimeSearch::new(size, bound) }
    }

    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Reads one block more. [`SearchProgress::Absent`]: no line has reached the time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&mut self, file: &File, times: &dyn LineTimes) -> io::Result<SearchProgress> {
        if self.is_forward {
            // The place that is found lies a block back.
            file.keep(2 * MOST);
        }
        let line = match self.scan.step(file, times, self.bound, self.size)? {
            Scanned::Busy => return Ok(SearchProgress::Busy),
            Scanned::Line(line) => Some(line),
            Scanned::Nothing => None,
        };
        Ok(self.take(line))
    }

    /// Takes what a scan has found, and begins the next one.
    fn take(&mut self, line: Option<TimedLine>) -> SearchProgress {
        match (self.stage, line) {
            (SearchStage::First, None) => return SearchProgress::Absent(self.size),
            // The lines before it have no time, and belong to it.
            (SearchStage::First, Some(TimedLine { has_reached: true, .. })) => return SearchProgress::Found(0),
            (SearchStage::First, Some(TimedLine { start, .. })) => (self.floor, self.low) = (start + 1, start + 1),
            (SearchStage::Middle(middle), None) => self.high = middle,
            (SearchStage::Middle(middle), Some(TimedLine { start, has_reached: true })) => {
                (self.high, self.found) = (middle, Some(start));
            }
            (SearchStage::Middle(_), Some(TimedLine { start, .. })) => self.low = start + 1,
            (SearchStage::Rest, line) => {
                self.found = line.map(|line| line.start).or(self.found);
                return self.look_left(PROBE);
            }
            (SearchStage::Left(_), Some(TimedLine { start, has_reached: true })) => {
                (self.low, self.high, self.found) = (self.floor, self.scan.begun, Some(start));
                self.times_again += 1;
                if self.times_again > MOST_TIMES_AGAIN {
                    return SearchProgress::Found(start);
                }
            }
            (SearchStage::Left(distance), _) => return self.look_left(distance.saturating_mul(2)),
        }
        self.halve()
    }

    fn halve(&mut self) -> SearchProgress {
        (self.stage, self.scan) = if self.high.saturating_sub(self.low) > PROBE && !self.is_forward {
            let middle = self.low + (self.high - self.low) / 2;
            (SearchStage::Middle(middle), Scan::from(middle, self.high, LineKind::Time))
        } else {
            (SearchStage::Rest, Scan::from(self.low, self.high, LineKind::Reached))
        };
        SearchProgress::Busy
    }

    fn look_left(&mut self, distance: u64) -> SearchProgress {
        let Some(found) = self.found else { return SearchProgress::Absent(self.size) };
        // Lines from the last probe on were seen.
        let end = if distance > PROBE { found.saturating_sub(distance / 2) } else { found };
        if end <= self.floor || self.is_forward {
            return SearchProgress::Found(found);
        }
        let from = found.saturating_sub(distance).max(self.floor);
        (self.stage, self.scan) = (SearchStage::Left(distance), Scan::from(from, end, LineKind::Time));
        SearchProgress::Busy
    }
}

/// Looks for a line, from a place on.
#[derive(Debug)]
struct Scan {
    /// Where it began.
    begun: u64,
    /// What is read next.
    at: u64,
    /// The beginning of the line there was passed, or does not count.
    is_within: bool,
    /// Only lines that begin before this count.
    end: u64,
    length: usize,
    wanted: LineKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineKind {
    /// A line that bears a time.
    Time,
    /// A line that has reached the time that is searched for.
    Reached,
}

enum Scanned {
    Busy,
    Line(TimedLine),
    Nothing,
}

/// A line that bears a time.
#[derive(Clone, Copy, Debug)]
struct TimedLine {
    start: u64,
    has_reached: bool,
}

impl Scan {
    /// Of the lines that begin from `from` on and before `end`.
    fn from(from: u64, end: u64, wanted: LineKind) -> Scan {
        // A line begins after a newline.
        let (at, is_within) = (from.saturating_sub(1), from > 0);
        Scan { begun: from, at, is_within, end, length: PROBE as usize, wanted }
    }

    fn step(&mut self, file: &File, times: &dyn LineTimes, bound: Bound, size: u64) -> io::Result<Scanned> {
        match data_from(file, self.at)? {
            Some(data) if data < self.end.max(self.at + 1) => {
                self.is_within |= data > self.at;
                self.at = data;
            }
            _ => return Ok(Scanned::Nothing),
        }
        let room = size.saturating_sub(self.at).min(self.length as u64) as usize;
        let block = read_up_to(file, self.at, room)?;
        let is_last = self.at + block.len() as u64 >= size || block.len() < room;
        let mut place = if self.is_within { after_line(&block) } else { Some(0) };
        while let Some(start) = place.filter(|&start| start < block.len()) {
            if self.at + start as u64 >= self.end {
                return Ok(Scanned::Nothing);
            }
            let rest = &block[start..];
            let length = after_line(rest);
            if length.is_none() && rest.len() < HEAD && !is_last {
                return Ok(self.read_on(self.at + start as u64, false));
            }
            let line = &rest[..length.unwrap_or(rest.len())];
            let start_in_file = self.at + start as u64;
            if let Some(has_reached) = times.has_reached(&line[..line.len().min(HEAD)], bound)
                && (has_reached || self.wanted == LineKind::Time)
            {
                return Ok(Scanned::Line(TimedLine { start: start_in_file, has_reached }));
            }
            place = length.map(|length| start + length);
        }
        if is_last {
            return Ok(Scanned::Nothing);
        }
        let next = self.at + block.len() as u64;
        Ok(if place.is_some() && next >= self.end { Scanned::Nothing } else { self.read_on(next, place.is_none()) })
    }

    /// The next step reads from there on, and more.
    fn read_on(&mut self, at: u64, is_within: bool) -> Scanned {
        (self.at, self.is_within, self.length) = (at, is_within, (self.length * 2).min(MOST));
        if is_within && at >= self.end { Scanned::Nothing } else { Scanned::Busy }
    }
}

/// Where the next line begins; `None` if the line does not end here.
fn after_line(bytes: &[u8]) -> Option<usize> {
    memchr(b'\n', bytes).map(|newline| newline + 1)
}

/// Where data follow, at `at` or after a hole; `None` if none do.
fn data_from(file: &File, at: u64) -> io::Result<Option<u64>> {
    if file.is_compressed() {
        return Ok(Some(at));
    }
    match seek(file.raw(), SeekFrom::Data(at)) {
        Ok(data) => Ok(Some(data.max(at))),
        Err(Errno::NXIO) => Ok(None),
        // The file system does not know holes.
        Err(_) => Ok(Some(at)),
    }
}
