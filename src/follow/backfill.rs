//! Where a stream's first line begins: the last N lines of a file, searched backwards, or from line K on, searched
//! forwards. Both go block by block: memory does not depend on the file's size, nor time where it is searched backwards.

use std::io;
use std::ops::Range;

use memchr::{memchr_iter, memrchr_iter};

use super::line_search::BLOCK;
pub use super::line_search::SearchProgress;
use super::log::file::File;
use super::log::fingerprint::read_up_to;
use super::matching_lines::{Judge, MatchingLines};
use crate::protocol::request::Lines;

/// How much one step reads forwards: 30 µs for what is in the page cache.
const FORWARD: usize = 4 * BLOCK;

/// A search that goes on block by block, so that its caller can do other things in between.
#[derive(Debug)]
pub struct Backfill {
    /// Newlines before the first line asked for.
    asked: u64,
    /// Newlines still to be passed before the first line asked for begins.
    newlines: u64,
    /// Everything on this side of the place was searched.
    searched: u64,
    direction: Direction,
}

#[derive(Debug)]
enum Direction {
    /// The first line is that of the file.
    Whole,
    /// From a file's size back to its start.
    Back { size: u64 },
    /// The same, for lines that match.
    BackMatching(Box<MatchingLines>),
    /// The same in a compressed file, which can only be read forwards: so many newlines were counted in the bytes that were
    /// searched, of which this is the last.
    Count { size: u64, newlines: u64, last: u8 },
    /// After that: so many newlines are still to be passed, from the start on.
    Pass { newlines: u64 },
    /// From a file's start on, up to its end, or for ever.
    On { end: Option<u64> },
}

impl Backfill {
    /// A search in the first `size` bytes of a file.
    pub fn new(lines: Lines, size: u64) -> Backfill {
        match lines {
            Lines::All => Backfill::of(0, 0, Direction::Whole),
            Lines::Last(lines) => Backfill::of(lines, size, Direction::Back { size }),
        }
    }

    /// A search for line `line`, which the first one is 1 of; with an `end` it is found there at the latest.
    pub fn from_line(line: u64, end: Option<u64>) -> Backfill {
        Backfill::of(line.saturating_sub(1), 0, Direction::On { end })
    }

    fn of(asked: u64, searched: u64, direction: Direction) -> Backfill {
        Backfill { asked, newlines: asked, searched, direction }
    }

    /// Counts all lines again, in the file with which it goes on next.
    pub(super) fn begin_again(&mut self) {
        self.newlines = self.asked;
    }

    /// Whether lines are counted from the end back.
    pub(super) fn counts_back(&self) -> bool {
        use Direction::{Back, BackMatching, Count, Pass};
        matches!(self.direction, Back { .. } | BackMatching(_) | Count { .. } | Pass { .. })
    }

    /// Lines that are counted from the end were counted from here on. Where this is done forwards it is not known before the
    /// search is over.
    pub(super) fn searched_to(&self) -> u64 {
        match &self.direction {
            Direction::BackMatching(search) => search.searched_to(),
            Direction::Count { .. } | Direction::Pass { .. } => u64::MAX,
            _ => self.searched,
        }
    }

    /// Whether only lines that match are counted.
    pub(super) fn counts_matching(&self) -> bool {
        matches!(self.direction, Direction::BackMatching(_))
    }

    /// Whether lines are counted from the start on.
    pub(super) fn counts_on(&self) -> bool {
        matches!(self.direction, Direction::On { .. })
    }

    /// Goes on with another file, of this size: where lines are counted from the end, with the one before the file that
    /// was searched, otherwise with the one after it. `has_line`: at the border one line more was passed than there are
    /// newlines. `has_end`: nothing is added to the file, so that its last line is whole.
    pub(super) fn go_on_in(&mut self, size: u64, has_line: bool, has_end: bool) {
        match &mut self.direction {
            Direction::Whole => {}
            Direction::Back { .. } | Direction::Count { .. } | Direction::Pass { .. } => {
                (self.searched, self.direction) = (size, Direction::Back { size });
            }
            Direction::BackMatching(search) => return search.go_on_in(size, has_end),
            Direction::On { end } => (*end, self.searched) = (has_end.then_some(size), 0),
        }
        self.newlines = self.newlines.saturating_sub(has_line.into());
    }

    /// Whether nothing is to be searched: no line, or no more.
    pub(super) fn is_over(&self) -> bool {
        self.newlines == 0
    }

    /// How many bytes were searched for lines that match.
    pub(super) fn searched_back(&self) -> u64 {
        if let Direction::BackMatching(search) = &self.direction { search.searched() } else { 0 }
    }

    /// Where no line matches, the last range first.
    pub(super) fn take_unmatched(&mut self) -> Vec<Range<u64>> {
        if let Direction::BackMatching(search) = &mut self.direction { search.take_unmatched() } else { Vec::new() }
    }

    /// A step of a search for lines that match searches so many bytes from now on.
    pub(super) fn set_block(&mut self, block: usize) {
        if let Direction::BackMatching(search) = &mut self.direction {
            search.set_block(block);
        }
    }

    /// Only lines that match are counted, if lines are counted from the end. `counts_unfinished`: so is a last line that
    /// is not finished.
    pub(super) fn count_matching(&mut self, judge: Box<dyn Judge>, counts_unfinished: bool) {
        if let Direction::Back { size } = self.direction {
            let search = MatchingLines::new(judge, size, counts_unfinished);
            self.direction = Direction::BackMatching(Box::new(search));
        }
    }

    fn step_matching(&mut self, file: &File) -> io::Result<SearchProgress> {
        match &mut self.direction {
            Direction::BackMatching(search) => search.step(file, &mut self.newlines),
            _ => Ok(SearchProgress::Busy),
        }
    }

    /// Searches one block more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&mut self, file: &File) -> io::Result<SearchProgress> {
        match &self.direction {
            _ if self.newlines == 0 => Ok(SearchProgress::Found(self.searched)),
            &Direction::Back { size } if file.is_compressed() => {
                (self.searched, self.direction) = (0, Direction::Count { size, newlines: 0, last: b'\n' });
                Ok(SearchProgress::Busy)
            }
            &Direction::Back { size } => self.step_back(file, size),
            &Direction::Count { size, newlines, last } => self.step_count(file, size, newlines, last),
            &Direction::Pass { newlines } => self.step_pass(file, newlines),
            Direction::BackMatching(_) => self.step_matching(file),
            &Direction::On { end } => self.step_on(file, end),
            Direction::Whole => Ok(SearchProgress::Found(0)),
        }
    }

    fn step_back(&mut self, file: &File, size: u64) -> io::Result<SearchProgress> {
        if self.searched == 0 {
            return Ok(SearchProgress::Found(0));
        }
        let start = self.searched.saturating_sub(BLOCK as u64);
        let block = read_up_to(file, start, (self.searched - start) as usize)?;
        if (block.len() as u64) < self.searched - start {
            // The file has shrunk below what was its size: the follower will notice; here its start is as good a place.
            return Ok(SearchProgress::Found(0));
        }
        // The newline at the very end closes the last line, it does not begin another.
        let last = size - 1;
        for newline in memrchr_iter(b'\n', &block).map(|at| start + at as u64).filter(|&at| at != last) {
            self.newlines -= 1;
            if self.newlines == 0 {
                return Ok(SearchProgress::Found(newline + 1));
            }
        }
        self.searched = start;
        Ok(SearchProgress::Busy)
    }

    /// Counts the lines in the next block. At the end it is known which line is to come first.
    fn step_count(&mut self, file: &File, size: u64, newlines: u64, last: u8) -> io::Result<SearchProgress> {
        let mut block = vec![0; (size - self.searched).min(FORWARD as u64) as usize];
        let read = if block.is_empty() { 0 } else { file.read_at(&mut block, self.searched)? };
        let Some(&newest) = block[..read].last() else {
            let lines = newlines + u64::from(last != b'\n');
            if let Some(newlines @ 1..) = lines.checked_sub(self.newlines) {
                (self.searched, self.direction) = (0, Direction::Pass { newlines });
                return Ok(SearchProgress::Busy);
            }
            // The first line has no newline before it.
            self.newlines -= lines.saturating_sub(1);
            (self.searched, self.direction) = (0, Direction::Back { size: self.searched });
            return Ok(SearchProgress::Found(0));
        };
        self.searched += read as u64;
        let newlines = newlines + memchr_iter(b'\n', &block[..read]).count() as u64;
        self.direction = Direction::Count { size, newlines, last: newest };
        Ok(SearchProgress::Busy)
    }

    /// Passes the lines before the first one that is asked for.
    fn step_pass(&mut self, file: &File, newlines: u64) -> io::Result<SearchProgress> {
        file.keep(2 * BLOCK);
        let mut block = vec![0; BLOCK];
        let read = file.read_at(&mut block, self.searched)?;
        let mut places = memchr_iter(b'\n', &block[..read]);
        let found = places.nth(newlines as usize - 1);
        if let Some(last) = found {
            (self.newlines, self.searched) = (0, self.searched + last as u64 + 1);
            return Ok(SearchProgress::Found(self.searched));
        }
        if read == 0 {
            // The file has changed: its end is as good a place.
            self.newlines = 0;
            return Ok(SearchProgress::Found(self.searched));
        }
        self.searched += read as u64;
        self.direction = Direction::Pass { newlines: newlines - memchr_iter(b'\n', &block[..read]).count() as u64 };
        Ok(SearchProgress::Busy)
    }

    fn step_on(&mut self, file: &File, end: Option<u64>) -> io::Result<SearchProgress> {
        file.keep(2 * FORWARD);
        let room = end.map_or(FORWARD as u64, |end| end.saturating_sub(self.searched).min(FORWARD as u64));
        let mut block = vec![0; room as usize];
        let read = if room == 0 { 0 } else { file.read_at(&mut block, self.searched)? };
        let block = &block[..read];
        if read == 0 {
            // What a reader that does not follow asks for is found at the end, where there is nothing.
            let place = if end.is_some() { SearchProgress::Found } else { SearchProgress::Absent };
            return Ok(place(self.searched));
        }
        Ok(self.pass(block).map_or(SearchProgress::Busy, SearchProgress::Found))
    }

    /// Passes over the next bytes of the file; where the line asked for begins, if it does so in them or right behind.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<u64> {
        let newlines = memchr_iter(b'\n', bytes).count() as u64;
        if newlines < self.newlines {
            self.newlines -= newlines;
            self.searched += bytes.len() as u64;
            return None;
        }
        let last = memchr_iter(b'\n', bytes).nth(self.newlines as usize - 1).expect("there are as many");
        self.newlines = 0;
        self.searched += last as u64 + 1;
        Some(self.searched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn start(text: &[u8], lines: Lines) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut backfill = Backfill::new(lines, text.len() as u64);
        end(&mut backfill, &file.into())
    }

    fn end(backfill: &mut Backfill, file: &File) -> u64 {
        loop {
            match backfill.step(file).unwrap() {
                SearchProgress::Busy => {}
                SearchProgress::Found(start) => return start,
                SearchProgress::Absent(end) => panic!("awaited at {end}"),
            }
        }
    }

    #[test]
    fn the_last_lines_begin_where_they_should() {
        let cases: [(&[u8], u64, u64); 9] = [
            (b"a\nb\nc\n", 2, 2),
            (b"a\nb\nc", 2, 2),
            (b"a\nb\nc", 1, 4),
            (b"a\nb\nc\n", 0, 6),
            (b"a\nb\nc\n", 3, 0),
            (b"a\nb\nc\n", 99, 0),
            (b"", 5, 0),
            (b"\n\n\n", 2, 1),
            (b"one", 1, 0),
        ];
        for (text, lines, expected) in cases {
            assert_eq!(start(text, Lines::Last(lines)), expected, "{text:?} {lines}");
        }
        assert_eq!(start(b"a\nb\n", Lines::All), 0);
    }

    #[test]
    fn blocks_make_no_difference() {
        let line = "x".repeat(999) + "\n";
        let text = line.repeat(500);
        for lines in [1, 65, 66, 67, 131, 132, 499, 500] {
            assert_eq!(start(text.as_bytes(), Lines::Last(lines)), (500 - lines) * 1000);
        }
    }

    #[test]
    fn a_line_is_found_from_the_start_or_the_end_is() {
        let cases: [(&[u8], u64, u64); 8] = [
            (b"a\nb\nc\n", 1, 0),
            (b"a\nb\nc\n", 2, 2),
            (b"a\nb\nc\n", 4, 6),
            (b"a\nb\nc\n", 5, 6),
            (b"a\nb", 2, 2),
            (b"a\nb", 3, 3),
            (b"", 1, 0),
            (b"", u64::MAX, 0),
        ];
        for (text, line, expected) in cases {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text).unwrap();
            let mut backfill = Backfill::from_line(line, Some(text.len() as u64));
            assert_eq!(end(&mut backfill, &file.into()), expected, "{text:?} {line}");
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all("1234567\n".repeat(100_000).as_bytes()).unwrap();
        let file = file.into();
        for line in [1, 2, 32_768, 32_769, 32_770, 99_999, 100_000, 100_001] {
            assert_eq!(end(&mut Backfill::from_line(line, None), &file), (line - 1) * 8);
        }
    }

    #[test]
    fn a_line_that_is_not_there_yet_is_awaited() {
        let file = tempfile::tempfile().unwrap().into();
        let mut backfill = Backfill::from_line(3, None);
        assert_eq!(backfill.step(&file).unwrap(), SearchProgress::Absent(0));
        assert_eq!([&b"1\n2"[..], b"2", b"\n3"].map(|bytes| backfill.pass(bytes)), [None, None, Some(5)]);
    }
}
