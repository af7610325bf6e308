//! Judges a log block by block. What of a log is selected does not depend on how it is cut into blocks, nor on where a
//! stream is broken off and resumed.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::entry::{Entries, Section, State};
use super::filter::{Filter, Memories};
use super::line::{JUDGED_HEAD, LONG, Line, line_at};
use super::pass::Pass;
use super::word::Searcher;
use crate::protocol::criteria::Context;

/// How many bytes before its place a resumed stream needs to judge what follows.
pub const WARM_UP: usize = 2 * JUDGED_HEAD;

/// Judges the lines of one log for one stream.
#[derive(Debug)]
pub struct Selector {
    pub(super) filter: Arc<Filter>,
    pub(super) memories: Memories,
    pub(super) searchers: Searchers,
    entries: Entries,
    state: State,
    /// Where entries begin in the judged part of the block, as far as the filter needs to know. Each ends where the next
    /// begins.
    pub(super) sections: Vec<Section>,
    /// How many bytes of the next block have been judged. They are read again because they may be context.
    judged: usize,
    /// How many bytes of the next block have been sent: the beginning of a line that the place is within.
    pub(super) sent_before: usize,
    /// The next block begins within a line of which the head was judged; whether the line is sent.
    inside: Option<bool>,
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
pub enum Ending {
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

/// What a block yields.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct Judged {
    /// In order.
    pub pieces: Vec<Piece>,
    /// How many bytes of the block are done with. The next block must begin after them: what follows is an unfinished
    /// line or may yet be context. The place after them is one to resume at, unless [`Selector::is_within_line`].
    pub used: usize,
    /// How many lines of the block matched.
    pub matches: u64,
    /// As many lines as asked for have matched, and their context has been sent.
    pub is_done: bool,
}

impl Selector {
    /// For a stream that begins where the log begins, or where nothing is known of what was before.
    pub fn new(filter: Arc<Filter>, entries: Entries) -> Selector {
        Selector {
            searchers: Searchers::new(&filter, b""),
            filter,
            memories: Memories::default(),
            entries,
            state: State::Head(0),
            sections: Vec::new(),
            judged: 0,
            sent_before: 0,
            inside: None,
            after: After::Nothing,
            gap: Gap::default(),
            matches: 0,
            is_closing: false,
            is_warming_up: false,
        }
    }

    /// Makes the search fit the log, whose first bytes these are. 64 KiB are enough. It changes only how fast it is.
    pub fn sample(&mut self, bytes: &[u8]) {
        self.searchers = Searchers::new(&self.filter, bytes);
    }

    /// What was learned about entries since, from a log of which nearly nothing was there.
    pub fn learn_entries(&mut self, entries: Entries) {
        if let Entries::Timed(_) = entries {
            self.entries = entries;
        }
    }

    /// Prepares for a stream that begins within a log. `before` is what comes before its place in the same file:
    /// [`WARM_UP`] bytes, or everything, and then `is_whole`.
    ///
    /// Returns how many bytes the first block must begin before the place. They are the beginning of a line that the
    /// place is within, and are not sent again.
    #[must_use]
    pub fn warm_up(&mut self, before: &[u8], is_whole: bool) -> usize {
        self.leave_generation();
        let lines = match memchr(b'\n', before) {
            _ if is_whole => before,
            Some(newline) => &before[newline + 1..],
            // The line began so long ago that its beginning is unknown. What of it was asked for is sent.
            None => {
                (self.state, self.inside) = (State::Rest, (!before.is_empty()).then_some(true));
                return 0;
            }
        };
        self.state = if is_whole { State::Head(0) } else { State::Rest };
        self.is_warming_up = true;
        let matches = self.matches;
        let used = self.judge(lines, Ending::Open).used;
        (self.is_warming_up, self.matches) = (false, matches);
        let unfinished = lines.len() - used - self.judged;
        if self.inside.is_some() && (self.filter.has_context() || self.filter.level.is_some()) {
            // Why it was sent may be too far back, and a stream with this filter has a place within it only if it was.
            self.inside = Some(true);
        }
        self.advance(self.judged);
        (self.judged, self.gap, self.sent_before) = (0, Gap::default(), unfinished);
        unfinished
    }

    /// Where the context of the match begins that begins at `at` in the block, with the lines of the block before it. The
    /// block begins with a line, and where the file begins if it `is_whole`. Nothing is remembered.
    pub fn context_start(&mut self, block: &[u8], at: usize, is_whole: bool) -> usize {
        self.leave_generation();
        self.state = if is_whole { State::Head(0) } else { State::Rest };
        let line = line_at(block, at, block.len());
        self.divide(block, line.end);
        let start = Pass::new(self, block, line.end).context_before(&line).last().map_or(at, |first| first.start);
        self.leave_generation();
        start
    }

    /// Where the lines of the block begin that match, from the line at `start` on, each as if it was whole. The block
    /// begins as for [`Selector::context_start`]. Nothing is remembered.
    pub fn matches(&mut self, block: &[u8], start: usize, is_whole: bool) -> Vec<usize> {
        self.leave_generation();
        self.state = if is_whole { State::Head(0) } else { State::Rest };
        self.divide(block, block.len());
        let found = Pass::new(self, block, block.len()).matches(start);
        self.leave_generation();
        found
    }

    /// Judges the lines of a block that begins where the last one was used up to.
    ///
    /// If nothing was used, the next block has to be larger. In a block of 256 KiB something always is.
    pub fn judge(&mut self, block: &[u8], ending: Ending) -> Judged {
        let Some(is_sent) = self.inside else { return self.judge_lines(block, ending) };
        let newline = memchr(b'\n', block);
        let end = newline.map_or(block.len(), |newline| newline + 1);
        let mut pieces = Vec::new();
        if is_sent && end > 0 {
            self.gap = Gap { bytes: Some(0), is_parted: false };
            push_lines(&mut pieces, 0..end);
        } else {
            self.gap.add(end);
        }
        if newline.is_none() && ending != Ending::Generation {
            return Judged { pieces, used: end, ..Judged::default() };
        }
        self.inside = None;
        let mut judged = self.judge_lines(&block[end..], ending);
        judged.used += end;
        for piece in judged.pieces.drain(..) {
            match piece {
                Piece::Lines(lines) => push_lines(&mut pieces, lines.start + end..lines.end + end),
                Piece::Skip(_) => pieces.push(piece),
            }
        }
        Judged { pieces, ..judged }
    }

    /// The same for a block that begins with lines that do not count as matches, because the client has them.
    pub fn judge_known(&mut self, block: &[u8], ending: Ending) -> Judged {
        let matches = self.matches;
        self.is_warming_up = true;
        let judged = self.judge(block, ending);
        (self.is_warming_up, self.matches) = (false, matches);
        Judged { matches: 0, ..judged }
    }

    fn judge_lines(&mut self, block: &[u8], ending: Ending) -> Judged {
        let whole = memrchr(b'\n', block).map_or(0, |newline| newline + 1);
        let is_long = block.len() - whole >= LONG;
        let end = if is_long || ending != Ending::Open { block.len() } else { whole };
        self.divide(block, end);
        let start = self.judged;
        let mut pass = Pass::new(self, block, end);
        pass.run(start);
        if is_long && ending != Ending::Generation {
            pass.selector.inside = Some(pass.sent == end);
        } else if ending == Ending::Stream && pass.sent < end {
            pass.end = whole;
        }
        let is_done = pass.selector.is_done(ending);
        let used = match ending {
            _ if is_done => pass.sent,
            Ending::Generation => block.len(),
            Ending::Open | Ending::Stream => pass.context_start(),
        };
        pass.note_gap(used);
        let (end, pieces, matches) = (pass.end, pass.pieces, pass.matches);
        self.judged = end.saturating_sub(used);
        self.advance(used);
        if ending == Ending::Generation {
            self.leave_generation();
        }
        Judged { pieces, used, matches, is_done }
    }

    /// How many matches are still asked for. `None` if there is no limit.
    pub(super) fn matches_left(&self) -> Option<u64> {
        let max = self.filter.max.filter(|_| !self.is_warming_up)?;
        Some(max.get().saturating_sub(self.matches))
    }

    fn is_done(&self, ending: Ending) -> bool {
        let is_after = !matches!(self.after, After::Nothing) && ending != Ending::Generation;
        self.is_closing && !is_after && self.inside.is_none()
    }

    /// Whether it must be known where entries begin.
    fn needs_sections(&self) -> bool {
        self.filter.has_entries()
    }

    /// Finds the sections of what has not been judged yet, up to `end`.
    fn divide(&mut self, block: &[u8], end: usize) {
        if !self.needs_sections() {
            return;
        }
        let mut start = self.judged;
        while start < end {
            let line = line_at(block, start, end);
            let bytes = Line::new(&block[line.clone()]);
            let section = self.state.next(bytes, line.start, line.end, &self.entries, self.filter.level);
            let is_entry = self.filter.context == Context::Entry;
            let continues = self.sections.last().is_some_and(|last| match (last.is_entry, section.is_entry) {
                (true, true) if is_entry => last.start == section.start,
                (last_is_entry, is_entry_now) => {
                    last.is_kept == section.is_kept && (!is_entry || last_is_entry == is_entry_now)
                }
            });
            if !continues {
                self.sections.push(section);
            }
            start = line.end;
        }
    }

    /// The next block begins so many bytes further.
    fn advance(&mut self, bytes: usize) {
        let first = self.sections.partition_point(|section| section.start <= bytes.cast_signed()).saturating_sub(1);
        self.sections.drain(..first);
        if self.judged == 0 {
            self.sections.clear();
        }
        for section in &mut self.sections {
            section.start -= bytes.cast_signed();
        }
        self.state.advance(bytes);
        self.sent_before = self.sent_before.saturating_sub(bytes);
        match &mut self.after {
            After::Lines(_, offset) | After::Entry(offset) => *offset -= bytes.cast_signed(),
            After::Nothing => (),
        }
    }

    /// Whether bytes may be passed over in which no line matches.
    pub fn may_pass_over(&self) -> bool {
        // Else it would not be known whether a line is among them that is not taken away.
        let is_certain = !self.filter.has_context() || !self.filter.has_exclude() && !self.filter.has_level();
        is_certain && matches!(self.after, After::Nothing) && self.inside.is_none() && !self.is_closing
    }

    /// So many bytes are passed over, in which no line matches. More bytes without a match must follow than context can
    /// reach.
    pub fn pass_over(&mut self, bytes: u64) {
        self.leave_generation();
        // The next block may begin within a line.
        (self.state, self.inside) = (State::Rest, Some(false));
        if let Some(sum) = &mut self.gap.bytes {
            *sum += bytes;
        }
        self.gap.is_parted |= self.filter.has_context();
    }

    /// Whether the next block begins within a line longer than [`super::JUDGED_HEAD`]. Its place is not one to resume at,
    /// except if the stream ends there and the line is sent.
    pub fn is_within_line(&self) -> bool {
        self.inside.is_some()
    }

    /// How many bytes after the start of the next block the place is. Not 0 only after [`Selector::warm_up`] has asked for
    /// bytes before it, until the line is used.
    pub fn sent_ahead(&self) -> usize {
        self.sent_before
    }

    /// What comes next belongs to another file. Called for by whoever leaves one before its end.
    pub fn leave_generation(&mut self) {
        self.state = State::Head(0);
        self.sections.clear();
        (self.judged, self.sent_before, self.inside) = (0, 0, None);
        self.after = After::Nothing;
    }

    /// Gives back the memory that makes it fast, up to a megabyte. It is taken again when it is needed.
    pub fn rest(&mut self) {
        self.memories = Memories::default();
        self.sections.shrink_to_fit();
    }
}

impl Searchers {
    fn new(filter: &Filter, sample: &[u8]) -> Searchers {
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

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
