//! What is known while lines are judged, from one block to the next: what the filter needs, and what was found so far.

use std::ops::Range;
use std::sync::Arc;

use super::entry::Section;
use super::filter::{Filter, Memories};
use super::word::Searcher;

/// What judging a line depends on, beside the line.
#[derive(Debug)]
pub(super) struct Judging {
    pub(super) filter: Arc<Filter>,
    pub(super) memories: Memories,
    pub(super) searchers: Searchers,
    /// Where entries begin in the judged part of the block, as far as the filter needs to know. Each ends where the next
    /// begins.
    pub(super) sections: Vec<Section>,
    /// How many bytes of the next block have been sent: the beginning of a line that the place is within.
    pub(super) sent_before: usize,
    pub(super) after: After,
    pub(super) gap: Gap,
    /// How many lines have matched in this stream.
    pub(super) matches: u64,
    /// The last match that was asked for has been found: only its context is still to be sent.
    pub(super) is_closing: bool,
    /// Nothing is sent now, so nothing counts.
    pub(super) is_warming_up: bool,
}

/// What the search for candidates is done with.
#[derive(Debug)]
pub(super) struct Searchers {
    pub(super) grep: Option<Searcher>,
    pub(super) exclude: Option<Searcher>,
}

/// The context that is still to follow a match. Offsets are those of the block.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    Nothing,
    /// So many lines, if they begin no later than this.
    Lines(u32, isize),
    /// The rest of the entry that begins here.
    Entry(isize),
}

/// What lies between the line that was sent last and the block.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// `None`: no line was sent yet, so there is no gap.
    pub(super) bytes: Option<u64>,
    /// Whether a line is among it that is left by the level and by `exclude`.
    pub(super) is_parted: bool,
}

/// What follows a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Follows {
    /// More bytes, now or later.
    Open,
    /// Nothing, because the stream ends here; the log may go on. A line that is not finished is judged as it is. If it is
    /// not selected it is not used, because more of it may be written.
    Stream,
    /// Nothing, because the file ends here for good. A line that is not finished is whole. What comes next belongs to
    /// another file, and context does not reach into it.
    Generation,
}

/// A part of what a block yields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// These bytes of the block are selected: whole lines, or a piece of a line that is longer than the block.
    Lines(Range<usize>),
    /// With context: so many bytes of the log, with a line among them that was not excluded, lie between the lines before
    /// and after this.
    Skip(u64),
}

impl Judging {
    pub(super) fn new(filter: Arc<Filter>) -> Judging {
        Judging {
            searchers: Searchers::new(&filter, b""),
            filter,
            memories: Memories::default(),
            sections: Vec::new(),
            sent_before: 0,
            after: After::Nothing,
            gap: Gap::default(),
            matches: 0,
            is_closing: false,
            is_warming_up: false,
        }
    }

    /// How many matches are still asked for. `None` if there is no limit.
    pub(super) fn matches_left(&self) -> Option<u64> {
        let max = self.filter.max.filter(|_| !self.is_warming_up)?;
        Some(max.get().saturating_sub(self.matches))
    }

    /// Whether nothing more is to be sent. `is_within_line`: the next block begins within a line.
    pub(super) fn is_done(&self, follows: Follows, is_within_line: bool) -> bool {
        let is_after = !matches!(self.after, After::Nothing) && follows != Follows::Generation;
        self.is_closing && !is_after && !is_within_line
    }
}

impl Searchers {
    pub(super) fn new(filter: &Filter, sample: &[u8]) -> Searchers {
        Searchers { grep: filter.grep_searcher(sample), exclude: filter.exclude_searcher(sample) }
    }
}

impl Gap {
    /// So many more bytes are not sent.
    pub(super) fn add(&mut self, bytes: usize) {
        if let Some(sum) = &mut self.bytes {
            *sum += bytes as u64;
        }
    }
}

/// Appends lines, and joins them with those before if they touch.
pub(super) fn push_lines(pieces: &mut Vec<Piece>, lines: Range<usize>) {
    match pieces.last_mut() {
        Some(Piece::Lines(last)) if last.end == lines.start => last.end = lines.end,
        _ => pieces.push(Piece::Lines(lines)),
    }
}
