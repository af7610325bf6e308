//! One block, line by line.
//!
//! A line is *gone* if the level or `exclude` takes it away; such a line does not exist. What precedes a match is found by
//! going back from it, and the block begins early enough for that. So no line is remembered, and where there are few
//! matches few lines are looked at.

use std::ops::Range;

use memchr::{memchr_iter, memrchr};

use super::entry::{REACH, Section};
use super::judging::{After, Gap, Judging, Piece, push_lines};
use super::line::{Line, line_at, line_before};

use super::word::Searcher;
use crate::protocol::criteria::Context;

pub(super) struct Pass<'s, 'b> {
    pub(super) judging: &'s mut Judging,
    block: &'b [u8],
    /// Where the lines end that can be judged.
    pub(super) end: usize,
    /// Up to where the block has been sent. Every line from here to where it is judged is unsent.
    pub(super) sent: usize,
    pub(super) pieces: Vec<Piece>,
    pub(super) matches: u64,
}

impl<'s, 'b> Pass<'s, 'b> {
    pub(super) fn new(judging: &'s mut Judging, block: &'b [u8], end: usize) -> Pass<'s, 'b> {
        Pass { judging, block, end, sent: 0, pieces: Vec::new(), matches: 0 }
    }

    /// Judges the lines from `at` on, where one begins.
    pub(super) fn run(&mut self, mut at: usize) {
        while at < self.end {
            self.check_after(at);
            let is_after = !matches!(self.judging.after, After::Nothing);
            at = match (is_after, self.judging.is_closing) {
                (true, _) => self.judge_after(at),
                (false, true) => return,
                (false, false) if !self.judging.filter.has_grep() => self.take_run(at),
                (false, false) => match self.next_match(at) {
                    Some(line) => {
                        self.take_match(line.clone());
                        line.end
                    }
                    None => self.end,
                },
            };
        }
    }

    /// Where the next block must begin: before what may be context of a line that comes later.
    pub(super) fn context_start(&mut self) -> usize {
        let (end, sent) = (self.end, self.sent);
        if self.judging.is_closing || !self.judging.filter.has_context() || sent == end {
            return end;
        }
        match self.judging.filter.context {
            Context::Lines { .. } => self.lines_before(end).last().map_or(end, |line| line.start),
            Context::Entry => {
                let is_open = |section: &Section| {
                    section.is_entry && section.is_kept && end.cast_signed() - section.start <= REACH.cast_signed()
                };
                let last = end.checked_sub(1).and_then(|last| self.section(last));
                match last.map(|(section, _)| section).filter(is_open) {
                    Some(section) => usize::try_from(section.start).unwrap_or(0).max(sent),
                    None => end,
                }
            }
        }
    }

    /// The bytes up to `used` are done with.
    pub(super) fn note_gap(&mut self, used: usize) {
        if self.is_parted(used) {
            self.judging.gap.is_parted = true;
        }
        self.judging.gap.add(used - self.sent);
    }

    /// Ends the context of the last match if the line at `at` is not part of it.
    fn check_after(&mut self, at: usize) {
        let is_after = match self.judging.after {
            After::Nothing => false,
            After::Lines(lines, last) => lines > 0 && at.cast_signed() <= last,
            After::Entry(start) => self.section(at).is_some_and(|(section, _)| section.start == start),
        };
        if !is_after {
            self.judging.after = After::Nothing;
        }
    }

    /// Judges a line that is sent even if it does not match. Returns where it ends.
    fn judge_after(&mut self, at: usize) -> usize {
        let line = line_at(self.block, at, self.end);
        if self.is_gone(&line) {
            return line.end;
        }
        if !self.judging.is_closing && self.is_found(&line) {
            self.take_match(line.clone());
            return line.end;
        }
        if let After::Lines(lines, _) = &mut self.judging.after {
            *lines -= 1;
            if *lines == 0 {
                self.judging.after = After::Nothing;
            }
        }
        self.send(line.clone());
        line.end
    }

    /// Where nothing is searched for: sends the lines from `at` to the next that is gone. Returns where it ends.
    fn take_run(&mut self, at: usize) -> usize {
        let section_end = match self.section(at) {
            Some((section, end)) if !section.is_kept => return end,
            Some((_, end)) => end,
            None => self.end,
        };
        let excluded = self.next_excluded(at, section_end);
        let end = excluded.as_ref().map_or(section_end, |line| line.start);
        if at < end {
            let taken = self.count_run(at..end);
            self.send(at..taken);
            if self.judging.is_closing {
                return taken;
            }
        }
        excluded.map_or(section_end, |line| line.end)
    }

    /// Counts lines as matches. Returns where the last one ends that is still asked for.
    fn count_run(&mut self, run: Range<usize>) -> usize {
        // The line that was sent in part was counted then.
        let uncounted = u64::from(run.start < self.judging.sent_before);
        let is_unfinished = self.block[run.end - 1] != b'\n';
        let newlines = memchr_iter(b'\n', &self.block[run.clone()]).count() as u64;
        let lines = (newlines + u64::from(is_unfinished)).saturating_sub(uncounted);
        let left = self.judging.matches_left();
        if left.is_none_or(|left| lines < left) {
            self.count(lines);
            return run.end;
        }
        let left = left.unwrap_or(lines);
        self.count(left);
        self.judging.is_closing = true;
        let last = usize::try_from(left + uncounted - 1).unwrap_or(usize::MAX);
        memchr_iter(b'\n', &self.block[run.clone()]).nth(last).map_or(run.end, |newline| run.start + newline + 1)
    }

    /// Where the lines from `at` on begin that match.
    pub(super) fn matches(&mut self, mut at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        while at < self.end {
            if !self.judging.filter.has_grep() {
                let line = line_at(self.block, at, self.end);
                at = line.end;
                found.extend((!self.is_gone(&line)).then_some(line.start));
                continue;
            }
            let Some(line) = self.next_match(at) else { break };
            at = line.end;
            found.push(line.start);
        }
        found
    }

    fn next_match(&mut self, mut at: usize) -> Option<Range<usize>> {
        while let Some(line) = self.candidate(at, self.end, |selector| selector.searchers.grep.as_ref()) {
            at = match self.section(line.start) {
                Some((section, end)) if !section.is_kept => end,
                _ if self.is_found(&line) && !self.is_excluded(&line) => return Some(line),
                _ => line.end,
            };
        }
        None
    }

    fn next_excluded(&mut self, mut at: usize, end: usize) -> Option<Range<usize>> {
        if !self.judging.filter.has_exclude() {
            return None;
        }
        while let Some(line) = self.candidate(at, end, |selector| selector.searchers.exclude.as_ref()) {
            if self.is_excluded(&line) {
                return Some(line);
            }
            at = line.end;
        }
        None
    }

    /// The next line from `at` to `end` that may be wanted.
    fn candidate(
        &self,
        at: usize,
        end: usize,
        searcher: impl Fn(&Judging) -> Option<&Searcher>,
    ) -> Option<Range<usize>> {
        if at >= end {
            return None;
        }
        let found = match searcher(self.judging) {
            Some(searcher) => searcher.find(self.block, at..end)?,
            None => at,
        };
        let start = memrchr(b'\n', &self.block[at..found]).map_or(at, |newline| at + newline + 1);
        Some(line_at(self.block, start, end))
    }

    /// Sends a match with what comes before it.
    fn take_match(&mut self, line: Range<usize>) {
        let mut before = self.context_before(&line);
        before.reverse();
        self.skip_to(before.first().map_or(line.start, |first| first.start));
        before.into_iter().for_each(|line| self.send(line));
        let is_counted = line.start >= self.judging.sent_before;
        self.send(line.clone());
        self.judging.after = match self.judging.filter.context {
            Context::Lines { after: 0, .. } => After::Nothing,
            Context::Lines { after, .. } => After::Lines(after, (line.start + REACH).cast_signed()),
            Context::Entry => match self.section(line.start) {
                Some((section, _)) if section.is_entry => After::Entry(section.start),
                _ => After::Nothing,
            },
        };
        if is_counted {
            self.count(1);
            self.judging.is_closing = self.judging.matches_left() == Some(0);
        }
    }

    /// The unsent lines that come with a match, from the last to the first.
    pub(super) fn context_before(&mut self, line: &Range<usize>) -> Vec<Range<usize>> {
        if self.judging.filter.context != Context::Entry {
            return self.lines_before(line.start);
        }
        match self.section(line.start) {
            Some((section, _)) if section.is_entry => {
                let start = usize::try_from(section.start).unwrap_or(0).max(self.sent);
                self.lines_back(line.start, start, usize::MAX)
            }
            _ => Vec::new(),
        }
    }

    /// The unsent lines that would come with a match at `end`, from the last to the first.
    fn lines_before(&mut self, end: usize) -> Vec<Range<usize>> {
        let (lines, _) = self.judging.filter.context_lines();
        self.lines_back(end, self.sent, lines as usize)
    }

    /// Up to `limit` lines before `end`, not before `start` nor too far away, from the last to the first.
    fn lines_back(&mut self, end: usize, start: usize, limit: usize) -> Vec<Range<usize>> {
        let (mut found, mut at) = (Vec::new(), end);
        while at > start && found.len() < limit {
            let line = line_before(self.block, start, at);
            if end - line.start > REACH {
                break;
            }
            at = line.start;
            if !self.is_gone(&line) {
                found.push(line);
            }
        }
        found
    }

    /// Reports the gap before a group of lines that begins at `start`.
    fn skip_to(&mut self, start: usize) {
        if self.judging.gap.bytes.is_some() && (self.judging.gap.is_parted || self.is_parted(start)) {
            self.judging.gap.add(start - self.sent);
            self.pieces.extend(self.judging.gap.bytes.map(Piece::Skip));
        }
    }

    /// Whether a line that exists lies between what was sent and `end`.
    fn is_parted(&mut self, end: usize) -> bool {
        let selector = &*self.judging;
        let matters = selector.filter.has_context() && selector.gap.bytes.is_some() && !selector.gap.is_parted;
        let mut at = self.sent;
        while matters && at < end {
            let line = line_at(self.block, at, self.end);
            if !self.is_gone(&line) {
                return true;
            }
            at = line.end;
        }
        false
    }

    pub(super) fn send(&mut self, lines: Range<usize>) {
        self.sent = lines.end;
        let start = lines.start.max(self.judging.sent_before);
        if start < lines.end {
            push_lines(&mut self.pieces, start..lines.end);
        }
        self.judging.gap = Gap { bytes: Some(0), is_parted: false };
    }

    fn count(&mut self, lines: u64) {
        self.matches += lines;
        self.judging.matches += lines;
    }

    /// The section at `at`, and where it ends. `None` where it does not matter.
    fn section(&self, at: usize) -> Option<(Section, usize)> {
        let sections = &self.judging.sections;
        let next = sections.partition_point(|section| section.start <= at.cast_signed());
        let end = sections.get(next).map_or(self.end, |next| usize::try_from(next.start).unwrap_or(0));
        Some((*sections.get(next.checked_sub(1)?)?, end))
    }

    fn is_gone(&mut self, line: &Range<usize>) -> bool {
        self.section(line.start).is_some_and(|(section, _)| !section.is_kept) || self.is_excluded(line)
    }

    fn is_excluded(&mut self, line: &Range<usize>) -> bool {
        let selector = &mut *self.judging;
        selector.filter.has_exclude()
            && selector.filter.is_excluded(Line::new(&self.block[line.clone()]), &mut selector.memories)
    }

    fn is_found(&mut self, line: &Range<usize>) -> bool {
        let selector = &mut *self.judging;
        selector.filter.is_found(Line::new(&self.block[line.clone()]), &mut selector.memories)
    }
}
