//! What a request asks for, prepared for one log.

use std::io;
use std::sync::Arc;

use crate::follow::matching_lines::Judge;
use crate::follow::{File, sample};
use crate::select::stamp::Recogniser;
use crate::select::{Entries, Filter, Selector, WARM_UP};

/// A filter, and what was learned from the log's first bytes to apply it.
#[derive(Debug)]
pub(in crate::server) struct Query {
    filter: Arc<Filter>,
    sample: Vec<u8>,
    entries: Entries,
    /// How many bytes of the selected lines the client has after its cursor.
    pub(super) skip: u64,
    /// Whether lines are passed on apart if others lie between them in the log.
    pub(super) tells_apart: bool,
}

/// How many bytes of a log are enough to learn from.
pub(super) const SAMPLE: usize = 64 * 1024;

impl Query {
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::server) fn new(filter: Filter, file: &File, skip: u64) -> io::Result<Query> {
        let first = sample(file, 0, SAMPLE)?;
        let mut entries = if filter.has_entries() { entries(&first) } else { Entries::Lines };
        let is_plain = !file.is_compressed();
        if filter.has_entries() && is_plain && matches!(entries, Entries::Lines) && first.len() == SAMPLE {
            let end = file.size()?;
            entries = self::entries(&sample(file, end.saturating_sub(SAMPLE as u64), SAMPLE)?);
        }
        Ok(Query { filter: Arc::new(filter), sample: first, entries, skip, tells_apart: false })
    }

    /// From now on, lines are passed on apart if others lie between them.
    pub(in crate::server) fn tell_apart(&mut self) {
        self.tells_apart = true;
    }

    /// A selector that has not seen anything yet.
    pub(super) fn selector(&self) -> Selector {
        let mut selector = Selector::new(self.filter.clone(), self.entries.clone());
        selector.sample(&self.sample);
        selector
    }

    /// Finds the lines that match, for a follower that counts them.
    pub(in crate::server) fn judge(&self) -> Box<dyn Judge> {
        Box::new(LineJudge { selector: self.selector(), filter: self.filter.clone() })
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Forgets the log's first bytes, which are large. Selectors that are made later are slower.
    pub(super) fn forget_sample(&mut self) {
        self.sample = Vec::new();
    }

    /// How many bytes were learned from.
    pub(super) fn sampled(&self) -> usize {
        self.sample.len()
    }
}

#[derive(Debug)]
struct LineJudge {
    selector: Selector,
    filter: Arc<Filter>,
}

impl Judge for LineJudge {
    fn reach(&self) -> usize {
        if self.filter.has_level() { WARM_UP } else { 0 }
    }

    fn matches(&mut self, block: &[u8], start: usize, is_whole: bool) -> Vec<usize> {
        self.selector.matches(block, start, is_whole)
    }

    fn context_reach(&self) -> usize {
        if self.filter.has_context() { WARM_UP } else { 0 }
    }

    fn context(&mut self, block: &[u8], at: usize, is_whole: bool) -> usize {
        self.selector.context_start(block, at, is_whole)
    }
}

/// How the lines of a log make entries, as far as these bytes of it show.
pub(super) fn entries(sample: &[u8]) -> Entries {
    let lines = || sample.split_inclusive(|&byte| byte == b'\n');
    let recogniser = Recogniser::trained_on(lines());
    if lines().all(|line| recogniser.find(line).is_none()) {
        return Entries::Lines;
    }
    Entries::Timed(Arc::new(move |line: &[u8]| recogniser.find(line).map(|stamp| stamp.end)))
}
