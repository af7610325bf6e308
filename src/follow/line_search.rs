//! What the searches for the first line have in common: they read a block in each step, and report how far they have come.

use std::fmt;
use std::io;

use memchr::memchr;

use super::log::file::File;
use super::log::fingerprint::read_up_to;

/// How much one step reads backwards.
pub const BLOCK: usize = 64 * 1024;

/// How much of a line is read to judge it.
pub(super) const HEAD: u64 = 4 * BLOCK as u64;

/// What a step of a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchProgress {
    /// Nothing yet; more is to be searched.
    Busy,
    /// The first line asked for begins there.
    Found(u64),
    /// The file ends there, before that line begins; it may come.
    Absent(u64),
}

/// Says which lines match.
pub trait Judge: fmt::Debug + Send {
    /// How many bytes before lines must be known to judge them.
    fn reach(&self) -> usize;

    /// Where the lines of the block begin that match, from the line at `start` on. The last line counts even if it is not
    /// finished. `is_whole`: the block begins where the file begins.
    fn matches(&mut self, block: &[u8], start: usize, is_whole: bool) -> Vec<usize>;

    /// How many bytes before a line must be known to find its context.
    fn context_reach(&self) -> usize;

    /// Where the context of the match at `at` begins.
    fn context(&mut self, block: &[u8], at: usize, is_whole: bool) -> usize;
}

/// Some bytes of the file that begin with a line.
pub(super) struct LineBlock {
    pub bytes: Vec<u8>,
    pub start: u64,
}

/// The lines from `line` to `end`, and those before that begin no further than `reach` bytes before.
pub(super) fn lines(file: &File, line: u64, end: u64, reach: usize) -> io::Result<LineBlock> {
    let start = line.saturating_sub(reach as u64);
    let mut bytes = read_up_to(file, start, (end - start) as usize)?;
    let before = ((line - start) as usize).min(bytes.len());
    let passed = match memchr(b'\n', &bytes[..before]) {
        _ if start == 0 => 0,
        Some(newline) => newline + 1,
        None => before,
    };
    bytes.drain(..passed);
    Ok(LineBlock { bytes, start: start + passed as u64 })
}
