//! The search for the last N lines that match in a compressed file. It can only be read forwards: it is read twice, first to
//! count the lines that match, then to find where the last N of them begin. Memory does not depend on the file.

use std::io;

use memchr::{memchr, memrchr};

use super::line_search::{HEAD, Judge, LineBlock, SearchProgress, lines};
use super::log::file::File;

#[derive(Debug)]
pub(super) struct MatchingForwards {
    /// The search ends there, or where the file does.
    end: u64,
    /// A last line that is not finished counts.
    counts_unfinished: bool,
    at: u64,
    /// The rest of a long line is passed over.
    is_within: bool,
    /// How many bytes were read, both times.
    searched: u64,
    pass: ForwardPass,
}

#[derive(Clone, Copy, Debug)]
enum ForwardPass {
    /// So many match up to here.
    Count(u64),
    /// So many that match are still to be passed over.
    Find(u64),
}

impl MatchingForwards {
    pub fn new(end: u64, counts_unfinished: bool) -> MatchingForwards {
        MatchingForwards { end, counts_unfinished, at: 0, is_within: false, searched: 0, pass: ForwardPass::Count(0) }
    }

    /// How many bytes were searched.
    pub fn searched(&self) -> u64 {
        self.searched
    }

    /// Judges the next lines, on the way to the last `wanted` ones. At the end those are taken off that were found.
    /// `block`: how many bytes a step judges; of a long line as many as are judged at all.
    pub fn step(
        &mut self,
        file: &File,
        judge: &mut dyn Judge,
        wanted: &mut u64,
        block: u64,
    ) -> io::Result<SearchProgress> {
        let reach = judge.reach().max(judge.context_reach());
        file.keep(reach + 2 * HEAD as usize);
        let mut to = self.end.min(self.at + block);
        let mut read = lines(file, self.at, to, judge.reach())?;
        if !self.is_within && to < self.end && memchr(b'\n', self.unjudged(&read)).is_none() {
            to = self.end.min(self.at + HEAD);
            read = lines(file, self.at, to, judge.reach())?;
        }
        let new = self.unjudged(&read);
        let is_last = (new.len() as u64) < to - self.at || to == self.end;
        if self.is_within {
            let passed = memchr(b'\n', new).map_or(new.len(), |newline| newline + 1);
            self.is_within = passed == new.len() && new.last() != Some(&b'\n');
            return Ok(self.pass_over(passed, is_last && passed == new.len(), wanted));
        }
        let whole = match memrchr(b'\n', new) {
            _ if is_last && self.counts_unfinished => new.len(),
            Some(newline) => newline + 1,
            None if is_last => return Ok(self.pass_over(0, true, wanted)),
            // Its beginning is judged.
            None => {
                self.is_within = true;
                new.len()
            }
        };
        let LineBlock { bytes, start } = &read;
        let (before, start) = ((self.at - start) as usize, *start);
        let matches = if whole > 0 { judge.matches(&bytes[..before + whole], before, start == 0) } else { Vec::new() };
        let found = matches.len() as u64;
        match &mut self.pass {
            ForwardPass::Count(count) => *count += found,
            ForwardPass::Find(left) if *left < found => {
                let first = start + matches[*left as usize] as u64;
                let place = self.context(file, judge, first)?;
                *wanted = 0;
                return Ok(SearchProgress::Found(place));
            }
            ForwardPass::Find(left) => *left -= found,
        }
        Ok(self.pass_over(whole, is_last, wanted))
    }

    /// The bytes that are to be judged, without those before them.
    fn unjudged<'r>(&self, read: &'r LineBlock) -> &'r [u8] {
        read.bytes.get((self.at - read.start) as usize..).unwrap_or_default()
    }

    fn pass_over(&mut self, bytes: usize, is_last: bool, wanted: &mut u64) -> SearchProgress {
        self.at += bytes as u64;
        self.searched += bytes as u64;
        match self.pass {
            _ if !is_last => SearchProgress::Busy,
            ForwardPass::Count(count) if count > *wanted => {
                (self.at, self.is_within, self.pass) = (0, false, ForwardPass::Find(count - *wanted));
                SearchProgress::Busy
            }
            ForwardPass::Count(count) => {
                *wanted -= count;
                SearchProgress::Found(0)
            }
            // The file has changed: its start is as good a place.
            ForwardPass::Find(_) => {
                *wanted = 0;
                SearchProgress::Found(0)
            }
        }
    }

    /// Where the context of the line begins that begins at `line`.
    fn context(&self, file: &File, judge: &mut dyn Judge, line: u64) -> io::Result<u64> {
        let reach = judge.context_reach();
        if reach == 0 {
            return Ok(line);
        }
        let LineBlock { bytes, start } = lines(file, line, self.end.min(line + HEAD), reach)?;
        if bytes.len() as u64 <= line - start {
            return Ok(line);
        }
        Ok(start + judge.context(&bytes, (line - start) as usize, start == 0) as u64)
    }
}
