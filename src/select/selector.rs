//! Judges a log block by block. What of a log is selected does not depend on how it is cut into blocks, nor on where a
//! stream is broken off and resumed.

use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::entry::{Entries, EntryState};
use super::filter::{Filter, Memories};
use super::judging::{After, Follows, Gap, Judging, Piece, Searchers, push_lines};
use super::line::{JUDGED_HEAD, LONG, Line, line_at};
use super::pass::Pass;
use crate::protocol::criteria::Context;

/// How many bytes before its place a resumed stream needs to judge what follows.
pub const WARM_UP: usize = 2 * JUDGED_HEAD;

/// Judges the lines of one log for one stream.
#[derive(Debug)]
pub struct Selector {
    judging: Judging,
    entries: Entries,
    state: EntryState,
    /// How many bytes of the next block have been judged. They are read again because they may be context.
    judged: usize,
    /// The next block begins within a line of which the head was judged; whether the line is sent.
    inside: Option<bool>,
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
        Selector { judging: Judging::new(filter), entries, state: EntryState::Head(0), judged: 0, inside: None }
    }

    /// Makes the search fit the log, whose first bytes these are. 64 KiB are enough. It changes only how fast it is.
    pub fn sample(&mut self, bytes: &[u8]) {
        self.judging.searchers = Searchers::new(&self.judging.filter, bytes);
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
                (self.state, self.inside) = (EntryState::Rest, (!before.is_empty()).then_some(true));
                return 0;
            }
        };
        self.state = if is_whole { EntryState::Head(0) } else { EntryState::Rest };
        self.judging.is_warming_up = true;
        let matches = self.judging.matches;
        let used = self.judge(lines, Follows::Open).used;
        (self.judging.is_warming_up, self.judging.matches) = (false, matches);
        let unfinished = lines.len() - used - self.judged;
        if self.inside.is_some() && (self.judging.filter.has_context() || self.judging.filter.level.is_some()) {
            // Why it was sent may be too far back, and a stream with this filter has a place within it only if it was.
            self.inside = Some(true);
        }
        self.advance(self.judged);
        (self.judged, self.judging.gap, self.judging.sent_before) = (0, Gap::default(), unfinished);
        unfinished
    }

    /// Where the context of the match begins that begins at `at` in the block, with the lines of the block before it. The
    /// block begins with a line, and where the file begins if it `is_whole`. Nothing is remembered.
    pub fn context_start(&mut self, block: &[u8], at: usize, is_whole: bool) -> usize {
        self.leave_generation();
        self.state = if is_whole { EntryState::Head(0) } else { EntryState::Rest };
        let line = line_at(block, at, block.len());
        self.divide(block, line.end);
        let start =
            Pass::new(&mut self.judging, block, line.end).context_before(&line).last().map_or(at, |first| first.start);
        self.leave_generation();
        start
    }

    /// Where the lines of the block begin that match, from the line at `start` on, each as if it was whole. The block
    /// begins as for [`Selector::context_start`]. Nothing is remembered.
    pub fn matches(&mut self, block: &[u8], start: usize, is_whole: bool) -> Vec<usize> {
        self.leave_generation();
        self.state = if is_whole { EntryState::Head(0) } else { EntryState::Rest };
        self.divide(block, block.len());
        let found = Pass::new(&mut self.judging, block, block.len()).matches(start);
        self.leave_generation();
        found
    }

    /// Judges the lines of a block that begins where the last one was used up to.
    ///
    /// If nothing was used, the next block has to be larger. In a block of 256 KiB something always is.
    pub fn judge(&mut self, block: &[u8], follows: Follows) -> Judged {
        let Some(is_sent) = self.inside else { return self.judge_lines(block, follows) };
        let newline = memchr(b'\n', block);
        let end = newline.map_or(block.len(), |newline| newline + 1);
        let mut pieces = Vec::new();
        if is_sent && end > 0 {
            self.judging.gap = Gap { bytes: Some(0), is_parted: false };
            push_lines(&mut pieces, 0..end);
        } else {
            self.judging.gap.add(end);
        }
        if newline.is_none() && follows != Follows::Generation {
            return Judged { pieces, used: end, ..Judged::default() };
        }
        self.inside = None;
        let mut judged = self.judge_lines(&block[end..], follows);
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
    pub fn judge_known(&mut self, block: &[u8], follows: Follows) -> Judged {
        let matches = self.judging.matches;
        self.judging.is_warming_up = true;
        let judged = self.judge(block, follows);
        (self.judging.is_warming_up, self.judging.matches) = (false, matches);
        Judged { matches: 0, ..judged }
    }

    fn judge_lines(&mut self, block: &[u8], follows: Follows) -> Judged {
        let whole = memrchr(b'\n', block).map_or(0, |newline| newline + 1);
        let is_long = block.len() - whole >= LONG;
        let end = if is_long || follows != Follows::Open { block.len() } else { whole };
        self.divide(block, end);
        let start = self.judged;
        let mut pass = Pass::new(&mut self.judging, block, end);
        pass.run(start);
        if is_long && follows != Follows::Generation {
            self.inside = Some(pass.sent == end);
        } else if follows == Follows::Stream && pass.sent < end {
            pass.end = whole;
        }
        let is_done = pass.judging.is_done(follows, self.inside.is_some());
        let used = match follows {
            _ if is_done => pass.sent,
            Follows::Generation => block.len(),
            Follows::Open | Follows::Stream => pass.context_start(),
        };
        pass.note_gap(used);
        let (end, pieces, matches) = (pass.end, pass.pieces, pass.matches);
        self.judged = end.saturating_sub(used);
        self.advance(used);
        if follows == Follows::Generation {
            self.leave_generation();
        }
        Judged { pieces, used, matches, is_done }
    }

    /// Whether it must be known where entries begin.
    fn needs_sections(&self) -> bool {
        self.judging.filter.has_entries()
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
            let section = self.state.next(bytes, line.start, line.end, &self.entries, self.judging.filter.level);
            let is_entry = self.judging.filter.context == Context::Entry;
            let continues = self.judging.sections.last().is_some_and(|last| match (last.is_entry, section.is_entry) {
                (true, true) if is_entry => last.start == section.start,
                (last_is_entry, is_entry_now) => {
                    last.is_kept == section.is_kept && (!is_entry || last_is_entry == is_entry_now)
                }
            });
            if !continues {
                self.judging.sections.push(section);
            }
            start = line.end;
        }
    }

    /// The next block begins so many bytes further.
    fn advance(&mut self, bytes: usize) {
        let first =
            self.judging.sections.partition_point(|section| section.start <= bytes.cast_signed()).saturating_sub(1);
        self.judging.sections.drain(..first);
        if self.judged == 0 {
            self.judging.sections.clear();
        }
        for section in &mut self.judging.sections {
            section.start -= bytes.cast_signed();
        }
        self.state.advance(bytes);
        self.judging.sent_before = self.judging.sent_before.saturating_sub(bytes);
        match &mut self.judging.after {
            After::Lines(_, offset) | After::Entry(offset) => *offset -= bytes.cast_signed(),
            After::Nothing => (),
        }
    }

    /// Whether bytes may be passed over in which no line matches.
    pub fn may_pass_over(&self) -> bool {
        // Else it would not be known whether a line is among them that is not taken away.
        let is_certain = !self.judging.filter.has_context()
            || !self.judging.filter.has_exclude() && !self.judging.filter.has_level();
        is_certain && matches!(self.judging.after, After::Nothing) && self.inside.is_none() && !self.judging.is_closing
    }

    /// So many bytes are passed over, in which no line matches. More bytes without a match must follow than context can
    /// reach.
    pub fn pass_over(&mut self, bytes: u64) {
        self.leave_generation();
        // The next block may begin within a line.
        (self.state, self.inside) = (EntryState::Rest, Some(false));
        if let Some(sum) = &mut self.judging.gap.bytes {
            *sum += bytes;
        }
        self.judging.gap.is_parted |= self.judging.filter.has_context();
    }

    /// Whether the next block begins within a line longer than [`super::JUDGED_HEAD`]. Its place is not one to resume at,
    /// except if the stream ends there and the line is sent.
    pub fn is_within_line(&self) -> bool {
        self.inside.is_some()
    }

    /// How many bytes after the start of the next block the place is. Not 0 only after [`Selector::warm_up`] has asked for
    /// bytes before it, until the line is used.
    pub fn sent_ahead(&self) -> usize {
        self.judging.sent_before
    }

    /// What comes next belongs to another file. Called for by whoever leaves one before its end.
    pub fn leave_generation(&mut self) {
        self.state = EntryState::Head(0);
        self.judging.sections.clear();
        (self.judged, self.judging.sent_before, self.inside) = (0, 0, None);
        self.judging.after = After::Nothing;
    }

    /// Gives back the memory that makes it fast, up to a megabyte. It is taken again when it is needed.
    pub fn rest(&mut self) {
        self.judging.memories = Memories::default();
        self.judging.sections.shrink_to_fit();
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
