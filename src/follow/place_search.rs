//! Where a stream begins and ends among the generations of a log, if more is asked for than some lines of the current
//! file: a range of times (`time_range`), or lines of all generations. Of two places where it may begin the later one
//! counts.

use std::io;
use std::ops::Range;

use memchr::memrchr;

use super::backfill::Backfill;
use super::candidates::{CandidatePlace, Candidates};
use super::line_search::SearchProgress;
use super::log::file::{File, UNKNOWN_SIZE};
use super::log::fingerprint::read_up_to;
use super::log::open::Glance;
use super::matching_lines::Judge;
use super::root::Log;
use super::time_range::{RangeProgress, RangeSearch, TimeRange};
use super::time_search::Bound;

/// The search for both places.
#[derive(Debug)]
pub(super) struct PlaceSearch {
    pub candidates: Candidates,
    range: Option<RangeSearch>,
    /// The range that was found.
    found: Option<RangeSearch>,
    /// Counts lines.
    backfill: Option<Backfill>,
    /// Where the stream stands, if it has begun already.
    begun: Option<Begun>,
    /// Rotated files are searched, too.
    history: bool,
    /// The file in which lines are counted.
    counted: Option<usize>,
    start: CandidatePlace,
    end: CandidatePlace,
    /// The stream ends before a time.
    ends_at_time: bool,
    /// The log is followed, so a line that is counted from the start may still come.
    is_endless: bool,
    /// The first line has not come yet.
    is_awaited: bool,
    /// Both places are known.
    is_found: bool,
    /// How often it began again.
    times_again: u32,
}

/// A stream that has begun, and whose end is searched for.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    /// The number of the open file.
    pub open: usize,
    /// What the log was when the search began.
    pub log: Glance,
}

/// What a step has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceProgress {
    Busy,
    /// Both places.
    Found,
    NoTimes,
}

impl PlaceSearch {
    /// A search for both places.
    pub fn new(
        candidates: Candidates,
        range: Option<Box<dyn TimeRange>>,
        backfill: Backfill,
        history: bool,
        is_endless: bool,
    ) -> PlaceSearch {
        let range = range.map(|range| RangeSearch::new(range, &[Bound::Since, Bound::Until]));
        PlaceSearch { backfill: Some(backfill), range, history, is_endless, ..PlaceSearch::among(candidates) }
    }

    /// A search for the end of a stream that has begun in one of these files.
    pub fn of_end(candidates: Candidates, range: Box<dyn TimeRange>, begun: Begun, history: bool) -> PlaceSearch {
        let range = Some(RangeSearch::new(range, &[Bound::Until]));
        PlaceSearch { range, begun: Some(begun), history, ..PlaceSearch::among(candidates) }
    }

    fn among(candidates: Candidates) -> PlaceSearch {
        let (start, end) = (CandidatePlace { file: 0, offset: 0 }, candidates.end());
        PlaceSearch {
            range: None,
            found: None,
            candidates,
            backfill: None,
            begun: None,
            history: false,
            counted: None,
            start,
            end,
            ends_at_time: false,
            is_endless: false,
            is_awaited: false,
            is_found: false,
            times_again: 0,
        }
    }

    /// Only lines that match are counted, if lines are counted from the end.
    pub fn count_matching(&mut self, judge: Box<dyn Judge>) {
        let counts_unfinished = !self.is_endless;
        if let Some(backfill) = &mut self.backfill {
            backfill.count_matching(judge, counts_unfinished);
        }
    }

    /// A step of a search for lines that match searches so many bytes from now on.
    pub fn set_block(&mut self, block: usize) {
        if let Some(backfill) = &mut self.backfill {
            backfill.set_block(block);
        }
    }

    /// How many bytes were searched for lines that match.
    pub fn searched_back(&self) -> u64 {
        self.backfill.as_ref().filter(|_| self.counted.is_some()).map_or(0, Backfill::searched_back)
    }

    /// How many bytes there are to send at most, if that is known.
    pub fn total(&self) -> Option<u64> {
        self.candidates.total()
    }

    /// Searches one block more. What was found stays found.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn step(&mut self, log: &Log) -> io::Result<PlaceProgress> {
        if self.is_found {
            return Ok(PlaceProgress::Found);
        }
        let progress = self.search(log)?;
        self.is_found = progress == PlaceProgress::Found;
        Ok(progress)
    }

    /// Searches for the places among other files.
    pub fn begin_again(&mut self, candidates: Candidates, begun: Option<Begun>) {
        let (mut range, mut backfill) = (self.range.take().or(self.found.take()), self.backfill.take());
        range.iter_mut().for_each(RangeSearch::begin_again);
        backfill.iter_mut().for_each(Backfill::begin_again);
        let PlaceSearch { history, is_endless, .. } = *self;
        let times_again = self.times_again + 1;
        *self =
            PlaceSearch { range, backfill, begun, history, is_endless, times_again, ..PlaceSearch::among(candidates) };
    }

    /// Whether the log was truncated while places were searched for in it.
    pub fn has_begun_again(&self) -> bool {
        self.times_again > 0
    }

    /// Whether it has begun again so often that it may never end.
    pub fn is_vain(&self) -> bool {
        const MOST_TIMES_AGAIN: u32 = 5;
        self.times_again >= MOST_TIMES_AGAIN
    }

    /// Gives up: everything in these files counts.
    pub fn give_up(&mut self, candidates: Candidates) {
        let PlaceSearch { history, is_endless, times_again, .. } = *self;
        *self = PlaceSearch { history, is_endless, times_again, is_found: true, ..PlaceSearch::among(candidates) };
    }

    fn search(&mut self, log: &Log) -> io::Result<PlaceProgress> {
        if let Some(range) = &mut self.range {
            match range.step(&mut self.candidates, log)? {
                RangeProgress::Busy => return Ok(PlaceProgress::Busy),
                RangeProgress::NoTimes => return Ok(PlaceProgress::NoTimes),
                RangeProgress::Found { since: None, until } if self.is_endless => {
                    // The last line may have got only a part of its time.
                    let since = self.unfinished_line(log)?;
                    self.take_range(since, until);
                }
                RangeProgress::Found { since, until } => self.take_range(since, until),
            }
            return Ok(PlaceProgress::Busy);
        }
        match &self.backfill {
            Some(backfill) if backfill.counts_back() || backfill.counts_on() => self.count(log),
            _ => Ok(PlaceProgress::Found),
        }
    }

    /// Where the last line of the youngest file begins, if it is not finished.
    fn unfinished_line(&mut self, log: &Log) -> io::Result<Option<CandidatePlace>> {
        let CandidatePlace { file, offset } = self.end;
        let Some(open) = self.candidates.open(file, log)? else { return Ok(None) };
        let start = offset.saturating_sub(LONGEST_LINE);
        let bytes = read_up_to(&open, start, (offset - start) as usize)?;
        let line = match memrchr(b'\n', &bytes) {
            Some(newline) => start + newline as u64 + 1,
            None if start == 0 => 0,
            None => return Ok(None),
        };
        Ok(Some(CandidatePlace { file, offset: line }))
    }

    fn take_range(&mut self, since: Option<CandidatePlace>, until: Option<CandidatePlace>) {
        self.found = self.range.take();
        let has_since = self.found.as_ref().is_some_and(RangeSearch::has_since);
        self.ends_at_time = until.is_some();
        self.end = match until {
            // Nothing of that file is asked for, so the stream need not go there.
            Some(CandidatePlace { file: file @ 1.., offset: 0 }) => {
                CandidatePlace { file: file - 1, offset: self.candidates.get(file - 1).size }
            }
            until => until.unwrap_or(self.end),
        };
        if has_since {
            self.start = since.unwrap_or(self.end).min(self.end);
        }
    }

    /// Counts lines in one block more.
    fn count(&mut self, log: &Log) -> io::Result<PlaceProgress> {
        let Some(backfill) = &mut self.backfill else { return Ok(PlaceProgress::Found) };
        let counts_back = backfill.counts_back();
        let Some(file) = self.counted else {
            let (file, has_end) = (if counts_back { self.end.file } else { 0 }, !self.is_endless);
            let size = size_of(&self.candidates, self.end, file);
            backfill.go_on_in(size, false, has_end || file < self.candidates.last());
            self.counted = Some(file);
            return Ok(PlaceProgress::Busy);
        };
        let found = match self.candidates.open(file, log)? {
            Some(open) => {
                let found = backfill.step(&open)?;
                self.note_size(file, &open);
                found
            }
            None => SearchProgress::Found(0),
        };
        match found {
            SearchProgress::Busy if counts_back && self.is_passed(file) => Ok(PlaceProgress::Found),
            SearchProgress::Busy => Ok(PlaceProgress::Busy),
            SearchProgress::Absent(offset) => {
                self.start = self.start.max(CandidatePlace { file, offset });
                self.is_awaited = true;
                Ok(PlaceProgress::Found)
            }
            SearchProgress::Found(offset) => self.count_on(file, offset, log),
        }
    }

    /// A compressed file may have been unpacked to its end.
    fn note_size(&mut self, file: usize, open: &File) {
        self.candidates.note_size(file, open);
        if self.end.file == file {
            self.end.offset = self.end.offset.min(self.candidates.get(file).size);
        }
    }

    /// Whether lines were counted back beyond the start of the range, which is the later place then.
    fn is_passed(&self, file: usize) -> bool {
        let searched = self.backfill.as_ref().map_or(0, Backfill::searched_to);
        CandidatePlace { file, offset: searched } < self.start
    }

    /// The count has come to this place: it is over, or goes on in the next file.
    fn count_on(&mut self, file: usize, offset: u64, log: &Log) -> io::Result<PlaceProgress> {
        let Some(backfill) = &self.backfill else { return Ok(PlaceProgress::Found) };
        let counts_back = backfill.counts_back();
        let last = if counts_back { self.start.file } else { self.end.file };
        let next = if counts_back { file.saturating_sub(1) } else { file + 1 };
        if backfill.is_over() || file == last {
            let is_border = !counts_back && file < last && self.is_at_end(file, offset, log)?;
            let (file, offset) = if is_border { (next, 0) } else { (file, offset) };
            self.start = self.start.max(CandidatePlace { file, offset }).min(self.end);
            return Ok(PlaceProgress::Found);
        }
        let has_line = match counts_back {
            // The first line of a file needs no newline before it.
            true => !backfill.counts_matching() && size_of(&self.candidates, self.end, file) > 0,
            false => match self.candidates.open(file, log)? {
                Some(open) => is_unfinished(&open, self.candidates.get(file).size)?,
                None => false,
            },
        };
        let has_end = !self.is_endless || next < self.candidates.last();
        let Some(backfill) = &mut self.backfill else { return Ok(PlaceProgress::Found) };
        backfill.go_on_in(size_of(&self.candidates, self.end, next), has_line, has_end);
        self.counted = Some(next);
        if backfill.is_over() {
            // The border was the last line that was to be passed.
            let border =
                if counts_back { CandidatePlace { file, offset: 0 } } else { CandidatePlace { file: next, offset: 0 } };
            self.start = self.start.max(border).min(self.end);
            return Ok(PlaceProgress::Found);
        }
        Ok(PlaceProgress::Busy)
    }

    /// Whether nothing follows in a file.
    fn is_at_end(&mut self, file: usize, offset: u64, log: &Log) -> io::Result<bool> {
        if self.candidates.get(file).known_size().is_none()
            && let Some(open) = self.candidates.open(file, log)?
            && read_up_to(&open, offset, 1)?.is_empty()
        {
            self.note_size(file, &open);
        }
        Ok(offset == self.size_of(file))
    }

    /// Where the stream begins.
    pub fn start(&self) -> CandidatePlace {
        self.start
    }

    /// Where it ends.
    pub fn end(&self) -> CandidatePlace {
        self.end
    }

    /// How many bytes of a file come before the end.
    fn size_of(&self, file: usize) -> u64 {
        size_of(&self.candidates, self.end, file)
    }

    /// The same, if it is known.
    pub fn known_size_of(&self, file: usize) -> Option<u64> {
        Some(self.size_of(file)).filter(|&size| size != UNKNOWN_SIZE)
    }

    /// Whether it ends there because of a time.
    pub fn ends_at_time(&self) -> bool {
        self.ends_at_time
    }

    /// Whether rotated files are searched, too.
    pub fn has_history(&self) -> bool {
        self.history
    }

    /// Where the stream stands, if it has begun already.
    pub fn begun(&self) -> Option<&Begun> {
        self.begun.as_ref()
    }

    /// The file in which the stream was to end is gone: it ends before that.
    pub fn end_before(&mut self, file: usize) {
        self.end = match file.checked_sub(1) {
            Some(file) => CandidatePlace { file, offset: self.candidates.get(file).size },
            None => {
                // Everything else comes after the end.
                self.start = CandidatePlace { file: self.candidates.last(), offset: 0 };
                self.start
            }
        };
        self.start = self.start.min(self.end);
    }

    /// Where the first file has no line that matches, the last range first.
    pub fn take_unmatched(&mut self) -> Vec<Range<u64>> {
        let is_of_first = self.counted.is_none_or(|counted| counted == self.start.file);
        self.backfill.as_mut().filter(|_| is_of_first).map_or_else(Vec::new, Backfill::take_unmatched)
    }

    /// What counts the lines that may still come, if the first one has not come.
    pub fn take_awaited(&mut self) -> Option<Backfill> {
        self.backfill.take().filter(|_| self.is_awaited)
    }
}

/// How far the beginning of an unfinished line is looked for. A line is judged by so many of its first bytes.
const LONGEST_LINE: u64 = 128 * 1024;

/// How many bytes of a file come before the end.
fn size_of(candidates: &Candidates, end: CandidatePlace, file: usize) -> u64 {
    if file == end.file { end.offset } else { candidates.get(file).size }
}

/// Whether the last line has no newline.
fn is_unfinished(file: &File, size: u64) -> io::Result<bool> {
    let last = read_up_to(file, size.saturating_sub(1), 1)?;
    Ok(size > 0 && last != b"\n")
}
