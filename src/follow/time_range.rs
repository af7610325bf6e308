//! Where a range of times begins and ends among the generations of a log.
//!
//! A generation that was last written to more than an hour before a time does not hold it. Of the others the oldest
//! whose last time is not earlier does, and there `time_search` finds the place. A generation without times counts as
//! one whose last time is that of its last write, and no range ends in it: so more is sent rather than less.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::candidates::{Candidate, CandidatePlace, Candidates};
use super::line_search::SearchProgress;
use super::log::file::File;
use super::root::Log;
use super::survey::{Survey, Surveyed};
use super::time_search::{Bound, LineTimes, TimeSearch};

/// A range of times, as the caller understands it.
pub trait TimeRange: fmt::Debug + Send {
    /// Whether the range has this end.
    fn has(&self, bound: Bound) -> bool;

    /// Whether an instant is before that end, in nanoseconds since the epoch.
    fn is_before(&self, instant: i128, bound: Bound) -> bool;

    /// Learns from the first and the last lines of a file how its lines bear times. `written` is its modification time,
    /// in nanoseconds since the epoch. The samples may begin and end within a line.
    fn learn(&self, samples: [&[u8]; 2], written: i64) -> Box<dyn LineTimes>;
}

#[derive(Debug)]
pub(super) struct RangeSearch {
    range: Box<dyn TimeRange>,
    stage: RangeStage,
    since: Sought,
    until: Sought,
    /// A line with a time was seen.
    has_times: bool,
    /// The generations that were passed over for the time of their last write.
    passed_over: Vec<usize>,
}

/// One end of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sought {
    /// It is not asked for.
    No,
    Yes,
    Found(CandidatePlace),
}

#[derive(Debug)]
enum RangeStage {
    /// Generations are looked at from this one on.
    Next(usize),
    /// The ends of this generation are looked at, and then the generations from `next` on.
    Survey { file: usize, open: Arc<File>, survey: Survey, bounds: Vec<Bound>, next: usize },
    /// This generation is searched for the ends of the range.
    Search { file: usize, open: Arc<File>, times: Box<dyn LineTimes>, search: TimeSearch, next: Option<Bound> },
    /// No time was seen, and the generations that were passed over are left.
    PassedOver,
}

/// What a step has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RangeProgress {
    Busy,
    /// `None`: no line is of that time or later, or this end is not asked for.
    Found {
        since: Option<CandidatePlace>,
        until: Option<CandidatePlace>,
    },
    /// There are bytes enough, but no times.
    NoTimes,
}

const HOUR: i128 = 3_600_000_000_000;
/// A log without times has none if it has so many bytes; else there may just be too few lines.
const ENOUGH: u64 = 4 * 1024;

impl RangeSearch {
    /// A search for those of the ends that the range has.
    pub fn new(range: Box<dyn TimeRange>, ends: &[Bound]) -> RangeSearch {
        let sought = |bound| if ends.contains(&bound) && range.has(bound) { Sought::Yes } else { Sought::No };
        let (since, until) = (sought(Bound::Since), sought(Bound::Until));
        RangeSearch { range, stage: RangeStage::Next(0), since, until, has_times: false, passed_over: Vec::new() }
    }

    /// Searches from the beginning, because the generations are others than those that were searched.
    pub fn begin_again(&mut self) {
        for sought in [&mut self.since, &mut self.until] {
            if let Sought::Found(_) = sought {
                *sought = Sought::Yes;
            }
        }
        (self.stage, self.has_times) = (RangeStage::Next(0), false);
        self.passed_over.clear();
    }

    /// Whether it is sought where the range begins.
    pub fn has_since(&self) -> bool {
        self.since != Sought::No
    }

    /// Reads a little more.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn step(&mut self, candidates: &mut Candidates, log: &Log) -> io::Result<RangeProgress> {
        match &mut self.stage {
            RangeStage::Next(file) => {
                let file = *file;
                self.open_next(file, candidates, log)
            }
            RangeStage::Survey { file, open, survey, bounds, next } => {
                let learn = |samples: [&[u8]; 2], written| self.range.learn(samples, written);
                let Some(surveyed) = survey.step(open, learn)? else { return Ok(RangeProgress::Busy) };
                let (file, open, bounds) = (*file, open.clone(), std::mem::take(bounds));
                self.stage = RangeStage::Next(*next);
                self.take_survey(file, open, surveyed, bounds, candidates);
                Ok(RangeProgress::Busy)
            }
            RangeStage::Search { file, open, times, search, next } => {
                let place = match search.step(open, &**times)? {
                    SearchProgress::Busy => return Ok(RangeProgress::Busy),
                    SearchProgress::Found(offset) => Some(CandidatePlace { file: *file, offset }),
                    SearchProgress::Absent(_) => None,
                };
                let (file, bound) = (*file, search.bound());
                match next.take() {
                    Some(other) => *search = search_in(open, candidates.get(file).size, other),
                    None => self.stage = RangeStage::Next(file + 1),
                }
                self.note(place, bound);
                Ok(RangeProgress::Busy)
            }
            RangeStage::PassedOver => self.open_passed_over(candidates, log),
        }
    }

    fn note(&mut self, place: Option<CandidatePlace>, bound: Bound) {
        if let Some(place) = place {
            *(if bound == Bound::Since { &mut self.since } else { &mut self.until }) = Sought::Found(place);
        }
    }

    fn is_sought(&self, bound: Bound) -> bool {
        *(if bound == Bound::Since { &self.since } else { &self.until }) == Sought::Yes
    }

    /// Opens the next generation that may hold an end of the range.
    fn open_next(&mut self, file: usize, candidates: &mut Candidates, log: &Log) -> io::Result<RangeProgress> {
        let is_found = self.has_times && !self.is_sought(Bound::Since) && !self.is_sought(Bound::Until);
        if is_found {
            return Ok(self.result(candidates));
        }
        if file == candidates.len() {
            self.stage = RangeStage::PassedOver;
            return Ok(RangeProgress::Busy);
        }
        let written = candidates.get(file).written;
        // The youngest may be written to at any time.
        let may_hold = |bound| {
            let is_over = file < candidates.last() && self.range.is_before(i128::from(written) + HOUR, bound);
            self.is_sought(bound) && !is_over
        };
        let bounds: Vec<Bound> = [Bound::Since, Bound::Until].into_iter().filter(|bound| may_hold(*bound)).collect();
        if bounds.is_empty() && (self.has_times || file < candidates.last()) {
            self.passed_over.push(file);
            self.stage = RangeStage::Next(file + 1);
            return Ok(RangeProgress::Busy);
        }
        let open = candidates.open(file, log)?;
        self.survey(file, open, bounds, file + 1, candidates);
        Ok(RangeProgress::Busy)
    }

    /// Opens one of the generations that were passed over: if there is no time in the whole log, its times are of no use.
    fn open_passed_over(&mut self, candidates: &mut Candidates, log: &Log) -> io::Result<RangeProgress> {
        let Some(file) = self.passed_over.last().copied().filter(|_| !self.has_times) else {
            return Ok(self.result(candidates));
        };
        let open = candidates.open(file, log)?;
        self.passed_over.pop();
        self.survey(file, open, Vec::new(), candidates.len(), candidates);
        Ok(RangeProgress::Busy)
    }

    /// Looks at the ends of a generation next, unless it is gone.
    fn survey(
        &mut self,
        file: usize,
        open: Option<Arc<File>>,
        bounds: Vec<Bound>,
        next: usize,
        candidates: &Candidates,
    ) {
        let candidate = candidates.get(file);
        let survey = Survey::new(candidate.size, candidate.written);
        self.stage = match open {
            Some(open) => RangeStage::Survey { file, open, survey, bounds, next },
            None => RangeStage::Next(next),
        };
    }

    /// Searches a generation for those ends of the range that it may hold.
    fn take_survey(
        &mut self,
        file: usize,
        open: Arc<File>,
        surveyed: Surveyed,
        bounds: Vec<Bound>,
        candidates: &mut Candidates,
    ) {
        let Surveyed { times, has_times, last } = surveyed;
        candidates.note_size(file, &open);
        let Candidate { size, written, .. } = *candidates.get(file);
        self.has_times |= has_times;
        if !has_times {
            // Its lines are of unknown times, but none is later than its last write.
            if bounds.contains(&Bound::Since) && !self.range.is_before(written.into(), Bound::Since) {
                self.note(Some(CandidatePlace { file, offset: 0 }), Bound::Since);
            }
            return;
        }
        let mut bounds = bounds.into_iter().filter(|bound| last.is_none_or(|last| last.has(*bound)));
        if let Some(bound) = bounds.next() {
            let (search, next) = (search_in(&open, size, bound), bounds.next());
            self.stage = RangeStage::Search { file, open, times, search, next };
        }
    }

    fn result(&self, candidates: &Candidates) -> RangeProgress {
        let place = |sought| if let Sought::Found(place) = sought { Some(place) } else { None };
        match self.has_times {
            true => RangeProgress::Found { since: place(self.since), until: place(self.until) },
            false if candidates.total().is_none_or(|total| total >= ENOUGH) => RangeProgress::NoTimes,
            // Everything may be in the range.
            false => RangeProgress::Found { since: Some(CandidatePlace { file: 0, offset: 0 }), until: None },
        }
    }
}

fn search_in(file: &File, size: u64, bound: Bound) -> TimeSearch {
    if file.is_compressed() { TimeSearch::forwards(size, bound) } else { TimeSearch::new(size, bound) }
}
