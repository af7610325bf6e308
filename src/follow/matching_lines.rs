//! The search for the last N lines that match, backwards and block by block. What matches is not known here: a
//! [`Judge`] says it.
//!
//! Where nothing was found is noted, so that it need not be read again when the lines are sent: one range for each run of
//! blocks, so no more ranges than lines were asked for.
//!
//! A step looks at whole lines: those that begin in the block before what was searched. If none begins there, the line
//! is a long one, and its beginning is searched for first.

use std::io;
use std::ops::Range;

use memchr::{memchr, memrchr};

pub use super::line_search::Judge;
use super::line_search::{BLOCK, HEAD, LineBlock, SearchProgress, lines};
use super::log::file::File;
use super::log::fingerprint::read_up_to;
use super::matching_forwards::MatchingForwards;

#[derive(Debug)]
pub(super) struct MatchingLines {
    judge: Box<dyn Judge>,
    size: u64,
    /// How many bytes of other files were searched before.
    earlier: u64,
    /// Everything from here on was searched; a line begins here, except at the end.
    searched: u64,
    /// No line begins from here up to there.
    low: u64,
    /// A last line that is not finished counts.
    counts_unfinished: bool,
    unmatched: Vec<Range<u64>>,
    /// How many bytes a step searches.
    block: u64,
    /// The search in a compressed file, which can only be read forwards.
    forwards: Option<MatchingForwards>,
}

/// Shorter ranges without a match are not remembered.
const SHORTEST: u64 = 512 * 1024;

impl MatchingLines {
    pub fn new(judge: Box<dyn Judge>, size: u64, counts_unfinished: bool) -> MatchingLines {
        MatchingLines {
            judge,
            size,
            earlier: 0,
            searched: size,
            low: size,
            counts_unfinished,
            unmatched: Vec::new(),
            block: BLOCK as u64,
            forwards: None,
        }
    }

    /// Goes on in another file, of this size. `counts_unfinished`: a last line that is not finished counts.
    pub fn go_on_in(&mut self, size: u64, counts_unfinished: bool) {
        self.earlier = self.searched();
        (self.size, self.searched, self.low, self.counts_unfinished) = (size, size, size, counts_unfinished);
        (self.forwards, self.unmatched) = (None, Vec::new());
    }

    /// Everything from here on was searched.
    pub fn searched_to(&self) -> u64 {
        self.searched
    }

    /// How many bytes were searched.
    pub fn searched(&self) -> u64 {
        self.earlier + self.forwards.as_ref().map_or(self.size - self.searched, MatchingForwards::searched)
    }

    /// Searches one block more for the last `wanted` lines, and takes off those that it finds.
    pub fn step(&mut self, file: &File, wanted: &mut u64) -> io::Result<SearchProgress> {
        if file.is_compressed() {
            let new = || MatchingForwards::new(self.size, self.counts_unfinished);
            return self.forwards.get_or_insert_with(new).step(file, &mut *self.judge, wanted, self.block);
        }
        if self.searched == 0 {
            return Ok(SearchProgress::Found(0));
        }
        let start = self.low.saturating_sub(self.block);
        let block = read_up_to(file, start, (self.low - start) as usize)?;
        if (block.len() as u64) < self.low - start {
            // The file has shrunk: the follower will notice.
            return Ok(SearchProgress::Found(0));
        }
        if self.searched == self.size && !self.counts_unfinished && !self.leave_unfinished(&block, start) {
            return Ok(SearchProgress::Busy);
        }
        let Some(line) = self.first_line(&block[..(self.low - start) as usize], start) else {
            self.low = start;
            return Ok(SearchProgress::Busy);
        };
        let end = self.searched.min(line + HEAD);
        let LineBlock { bytes, start } = lines(file, line, end, self.judge.reach())?;
        if bytes.len() as u64 <= line - start {
            return Ok(SearchProgress::Found(0));
        }
        let matches = self.judge.matches(&bytes, (line - start) as usize, start == 0);
        let found = matches.len() as u64;
        if found >= *wanted {
            let first = start + matches[(found - *wanted) as usize] as u64;
            *wanted = 0;
            return self.context(file, first).map(SearchProgress::Found);
        }
        *wanted -= found;
        if found == 0 {
            self.note_unmatched(line);
        }
        (self.searched, self.low) = (line, line);
        Ok(SearchProgress::Busy)
    }

    /// A step searches so many bytes from now on, 256 KiB at most.
    pub fn set_block(&mut self, block: usize) {
        self.block = (block as u64).clamp(1, HEAD);
    }

    /// Where no line matches, the last range first.
    pub fn take_unmatched(&mut self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.unmatched)
    }

    fn note_unmatched(&mut self, start: u64) {
        match self.unmatched.last_mut() {
            Some(last) if last.start == self.searched => last.start = start,
            // To read so little again costs less than to remember it.
            Some(last) if last.end - last.start < SHORTEST => *last = start..self.searched,
            _ => self.unmatched.push(start..self.searched),
        }
    }

    /// Leaves out a last line that is not finished. Whether its beginning was found.
    fn leave_unfinished(&mut self, block: &[u8], start: u64) -> bool {
        let end = memrchr(b'\n', block).map(|newline| start + newline as u64 + 1);
        self.counts_unfinished = end.is_some() || start == 0;
        self.low = end.unwrap_or(start);
        if self.counts_unfinished {
            self.searched = self.low;
        }
        self.low > 0 && self.counts_unfinished
    }

    /// Where the first line begins in the bytes before what was searched; of a long line only its own beginning counts.
    fn first_line(&self, block: &[u8], start: u64) -> Option<u64> {
        let newline = match block.split_last() {
            _ if self.low < self.searched => memrchr(b'\n', block),
            Some(_) if start == 0 => return Some(0),
            Some((_, before)) => memchr(b'\n', before),
            None => None,
        };
        newline.map(|newline| start + newline as u64 + 1).or_else(|| (start == 0).then_some(0))
    }

    /// Where the context of the line begins that begins at `line`.
    fn context(&mut self, file: &File, line: u64) -> io::Result<u64> {
        let reach = self.judge.context_reach();
        if reach == 0 {
            return Ok(line);
        }
        let LineBlock { bytes, start } = lines(file, line, (line + HEAD).min(self.size), reach)?;
        if bytes.len() as u64 <= line - start {
            // The file has shrunk: the follower will notice.
            return Ok(line);
        }
        Ok(start + self.judge.context(&bytes, (line - start) as usize, start == 0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// LineBlock with an `x` match, and one line is the context.
    #[derive(Debug)]
    struct Xs;

    impl Judge for Xs {
        fn reach(&self) -> usize {
            0
        }

        fn matches(&mut self, block: &[u8], start: usize, _: bool) -> Vec<usize> {
            let mut at = start;
            let lines = block[start..].split_inclusive(|&byte| byte == b'\n');
            let starts = lines.map(|line| {
                at += line.len();
                (at - line.len(), line.contains(&b'x'))
            });
            starts.filter(|(_, is_match)| *is_match).map(|(at, _)| at).collect()
        }

        fn context_reach(&self) -> usize {
            10
        }

        fn context(&mut self, block: &[u8], at: usize, _: bool) -> usize {
            memrchr(b'\n', &block[..at.saturating_sub(1)]).map_or(0, |newline| newline + 1)
        }
    }

    /// Notes how much is judged at most.
    #[derive(Debug, Default)]
    struct Meter(usize);

    impl Judge for Meter {
        fn reach(&self) -> usize {
            1000
        }

        fn matches(&mut self, block: &[u8], start: usize, is_whole: bool) -> Vec<usize> {
            self.0 = self.0.max(block.len() - start);
            Xs.matches(block, start, is_whole)
        }

        fn context_reach(&self) -> usize {
            0
        }

        fn context(&mut self, _: &[u8], at: usize, _: bool) -> usize {
            at
        }
    }

    /// Where the last lines begin that match, searched forwards, and how much is judged at once.
    fn start_forwards(text: &[u8], mut lines: u64, block: u64) -> (u64, usize) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let (file, mut meter) = (file.into(), Meter::default());
        let mut search = MatchingForwards::new(text.len() as u64, true);
        loop {
            match search.step(&file, &mut meter, &mut lines, block).unwrap() {
                SearchProgress::Busy => {}
                SearchProgress::Found(start) => return (start, meter.0),
                SearchProgress::Absent(_) => unreachable!(),
            }
        }
    }

    #[test]
    fn a_step_forwards_judges_no_more_than_a_block_and_long_lines_as_far_as_any() {
        let short = "short\nx\n".repeat(20_000);
        for block in [1000, 4096, BLOCK as u64, HEAD] {
            let (start, most) = start_forwards(short.as_bytes(), 3, block);
            assert_eq!(start, short.len() as u64 - 18);
            assert!(most as u64 <= block, "{most} bytes in blocks of {block}");
        }
        let long = "y".repeat(3 * BLOCK);
        let text = format!("{short}{long}x\n{long}{long}x\n{short}");
        let expected = (short.len(), short.len() + long.len() + 2);
        for block in [1000, 4096, BLOCK as u64, HEAD] {
            // The second is so long that its end is not judged.
            let (start, most) = start_forwards(text.as_bytes(), 20_001, block);
            assert_eq!((start, most <= HEAD as usize), (expected.0 as u64, true), "{block}");
        }
    }

    fn start(text: &[u8], mut lines: u64, counts_unfinished: bool) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let file = file.into();
        let mut search = MatchingLines::new(Box::new(Xs), text.len() as u64, counts_unfinished);
        loop {
            match search.step(&file, &mut lines).unwrap() {
                SearchProgress::Busy => {}
                SearchProgress::Found(start) => return start,
                SearchProgress::Absent(_) => unreachable!(),
            }
        }
    }

    #[test]
    fn the_last_matching_lines_begin_with_their_context() {
        let text = b"x\na\nb\nx\nc\nx\nd\n";
        let cases = [(1, 8), (2, 4), (3, 0), (4, 0)];
        for (lines, expected) in cases {
            assert_eq!(start(text, lines, true), expected, "{lines}");
        }
        assert_eq!(start(b"a\nx\nb\nx", 1, true), 4);
        assert_eq!(start(b"a\nx\nb\nx", 1, false), 0);
        assert_eq!([start(b"x", 1, true), start(b"x", 1, false), start(b"", 1, true)], [0; 3]);
    }

    #[test]
    fn matching_lines_are_found_across_blocks_and_long_lines() {
        let long = "y".repeat(3 * BLOCK);
        let text = format!("x\nshort\n{long}x\nshort\nx{long}\nmore\n{long}");
        let third = text.len() - long.len() - 5 - 1 - long.len() - 1;
        assert_eq!(start(text.as_bytes(), 1, true), third as u64 - 6);
        assert_eq!(start(text.as_bytes(), 1, false), third as u64 - 6);
        let many = format!("{}x\n{}", "a\n".repeat(BLOCK), "b\n".repeat(2 * BLOCK));
        assert_eq!(start(many.as_bytes(), 1, true), 2 * BLOCK as u64 - 2);
    }
}
