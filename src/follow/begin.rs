//! How a stream begins whose places have to be searched for among the generations of its log, and where it ends
//! (`place_search`).

use std::io;
use std::sync::Arc;

use super::candidates::{Candidate, CandidatePlace, CandidateSource, Candidates};
use super::follower::{End, EndKind, Follower, Phase, Step};
use super::generations::all;
use super::generations::list::{self, Sibling, Siblings};
use super::held_files::{Ahead, Next, Sighted, Source};
use super::log::file::File;
use super::log::open::{Glance, OpenLog};
use super::log::status::Status;
use super::narrowing::Narrowing;
use super::place_search::{Begun, PlaceProgress, PlaceSearch};
use super::resume;
use super::time_range::TimeRange;
use super::time_search::Bound;
use crate::protocol::event::Missing;

impl Follower {
    /// Only what is in a range of times is yielded, and with `history` lines are counted from the end, or the start, of
    /// all generations. A follower that resumes, or whose place is lost, begins where it does, and only ends where the
    /// range ends. Call this before the first poll, and before [`Follower::count_matching`].
    ///
    /// # Errors
    /// When the files beside the log cannot be listed or read.
    pub fn narrow(&mut self, history: bool, range: Option<Box<dyn TimeRange>>) -> io::Result<()> {
        self.narrowing = (history || range.is_some()).then(|| Box::new(Narrowing { history, range }));
        match self.narrow_at_place() {
            // It is done with the first polls.
            Err(error) if may_be_tried_again(&error) => Ok(()),
            result => result,
        }
    }

    /// The same, as soon as it is known in which file the reader begins. After an error it can be called again.
    pub(super) fn narrow_at_place(&mut self) -> io::Result<()> {
        if matches!(self.phase, Phase::Resuming(_)) {
            return Ok(());
        }
        let Some(mut narrowing) = self.narrowing.take() else { return Ok(()) };
        let narrowed = self.narrow_by(&mut narrowing);
        if narrowed.is_err() {
            self.narrowing = Some(narrowing);
        }
        narrowed
    }

    // Not inlined, so that the stack frame of a reader that follows stays small.
    #[inline(never)]
    fn narrow_by(&mut self, Narrowing { history, range }: &mut Narrowing) -> io::Result<()> {
        if !matches!(self.phase, Phase::Backfilling(_)) {
            if range.as_ref().is_some_and(|range| range.has(Bound::Until)) {
                // The end is searched for where it was searched for before this reader resumed.
                let (files, begun) = self.files_of_end(*history)?;
                self.places = range.take().map(|range| Box::new(PlaceSearch::of_end(files, range, begun, *history)));
            }
            return Ok(());
        }
        let mut files = if *history { self.older_generations()? } else { Vec::new() };
        let size = self.end.as_ref().map_or(self.opened, |end| end.size);
        files.push(Candidate::held(self.open.file.clone(), size)?);
        if let Phase::Backfilling(backfill) = std::mem::replace(&mut self.phase, Phase::Current) {
            let (files, is_endless) = (Candidates::new(files), self.end.is_none());
            self.places = Some(Box::new(PlaceSearch::new(files, range.take(), backfill, *history, is_endless)));
        }
        Ok(())
    }

    /// A file from which it can be learned what the lines look like that will be yielded: not one with just a few lines, as
    /// the current file after a rotation, if there is another one.
    ///
    /// # Errors
    /// When it cannot be opened now.
    pub fn typical_file(&mut self) -> io::Result<Arc<File>> {
        let typical = match &mut self.places {
            Some(places) => unless_renamed(|| places.candidates.open_typical(&self.log))?,
            None => None,
        };
        Ok(typical.unwrap_or_else(|| self.open.file.clone()))
    }

    fn older_generations(&self) -> io::Result<Vec<Candidate>> {
        let older = unless_renamed(|| {
            let siblings = resume::list(&self.log)?;
            all::older(&self.log, &self.open.file, &siblings)
        })?;
        Ok(older.into_iter().map(|(sibling, size)| Candidate::listed(sibling, size)).collect())
    }

    /// The files in which the end of a stream is searched for that has begun.
    fn files_of_end(&self, history: bool) -> io::Result<(Candidates, Begun)> {
        let log = Glance::at(self.end.as_ref().map_or(&self.open.file, |end| &end.file))?;
        let mut files = if history { self.older_generations()? } else { Vec::new() };
        let open = files.len();
        self.add_ahead(&mut files)?;
        Ok((Candidates::new(files), Begun { open, log }))
    }

    /// Adds the open file and those that come after it.
    fn add_ahead(&self, files: &mut Vec<Candidate>) -> io::Result<()> {
        let size = |status: &Status| match &self.end {
            Some(end) if end.file.status().is_ok_and(|last| last.is_same(status)) => end.size,
            _ => status.size,
        };
        let open = self.open.file.status()?;
        files.push(Candidate::held(self.open.file.clone(), size(&open))?);
        if let Phase::Passing(ahead) | Phase::Turning(ahead) = &self.phase {
            for next in ahead.iter() {
                files.push(match next.source() {
                    Source::Held(file) => Candidate::held(file.clone(), size(&file.status()?))?,
                    Source::Listed(sibling) => {
                        let file = sibling.open(&self.log)?;
                        let size = file.map_or(Ok(sibling.status.size), |file| file.status().map(|status| status.size));
                        Candidate::listed(Sibling::clone(sibling), size?)
                    }
                });
            }
        }
        Ok(())
    }

    /// Searches a little more for the places.
    // Not inlined, so that the stack frame of a reader that follows stays small.
    #[inline(never)]
    pub(super) fn search_places(&mut self) -> io::Result<Step> {
        let Some(mut places) = self.places.take() else { return Ok(Step::Busy) };
        let found = self.step_places(&mut places);
        if !matches!(found, Ok(Some(_))) {
            self.places = Some(places);
        }
        match found {
            // Files were renamed. They were listed once, which is enough for one step.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Step::Busy),
            found => found.map(|step| step.unwrap_or(Step::Busy)),
        }
    }

    /// `None` as long as the places are not known. After an error it can be called again.
    fn step_places(&mut self, places: &mut PlaceSearch) -> io::Result<Option<Step>> {
        match places.step(&self.log)? {
            PlaceProgress::Busy => return Ok(None),
            // Checked last, so that a truncation in any turn of the search is seen.
            _ if !self.is_whole(places)? => return self.search_again(places),
            PlaceProgress::NoTimes => {
                self.lacks_times = true;
                self.queued = [Step::Ended].into();
                return Ok(Some(Step::Busy));
            }
            PlaceProgress::Found => {}
        }
        match places.begun().map(|begun| begun.open) {
            Some(open) => self.end_at_found(places, open).map(Some),
            None => self.begin_at_found(places).map(Some),
        }
    }

    /// Whether the log holds what it held when the search began.
    fn is_whole(&self, places: &PlaceSearch) -> io::Result<bool> {
        if let Some(Begun { log, .. }) = places.begun() {
            let Some(End { file, .. }) = &self.end else { return Ok(true) };
            return Ok(file.status()?.size >= log.status.size && log.is_of(file)?);
        }
        let searched = places.candidates.get(places.candidates.last()).size;
        Ok(self.open.file.status()?.size >= searched && self.open.begins_as_before()?)
    }

    /// The log was truncated while the places were searched for in it. What it held is searched in the copy that was made
    /// of it; without one it is a gap. A stream that does not follow now ends where the log ends now. If this happens again
    /// and again, the stream begins where the log begins now, after a gap.
    fn search_again(&mut self, places: &mut PlaceSearch) -> io::Result<Option<Step>> {
        if places.begun().is_some() {
            return self.search_end_again(places);
        }
        if self.end.as_ref().is_some_and(|end| end.kind == EndKind::Cursor) {
            self.report_lost(Missing::Truncated);
            return Ok(Some(Step::Busy));
        }
        let (open, gives_up) = (OpenLog::current(self.open.file.clone())?, places.is_vain());
        let mut files = Vec::new();
        if places.has_history() && !gives_up {
            // If files are renamed meanwhile, the next turn lists them again.
            let siblings = list::list(&self.log)?;
            let older = all::older(&self.log, &open.file, &siblings)?;
            files.extend(older.into_iter().map(|(sibling, size)| Candidate::listed(sibling, size)));
        }
        let was = places.candidates.get(places.candidates.last()).size;
        let is_lost = gives_up || was > 0 && !self.has_copy(places, &files, was)?;
        files.push(Candidate::held(open.file.clone(), open.status.size)?);
        (self.open, self.opened) = (open, files[files.len() - 1].size);
        if self.end.is_some() {
            self.end = Some(End::of(&self.open)?);
        }
        if is_lost && !self.queued.iter().any(|step| matches!(step, Step::Gap(..))) {
            self.queued.push_back(Step::Gap(Missing::Truncated, None));
        }
        if gives_up {
            places.give_up(Candidates::new(files));
            return self.begin_at_found(places).map(Some);
        }
        places.begin_again(Candidates::new(files), None);
        Ok(None)
    }

    /// Whether one of the files was not there when the search began, and may hold the `was` bytes that the log held then. A
    /// compressed one may as well be what became of an older file, so it has to begin as the log did.
    fn has_copy(&self, places: &PlaceSearch, files: &[Candidate], was: u64) -> io::Result<bool> {
        for file in files.iter().filter(|file| file.size >= was && !places.candidates.has(file)) {
            let is_copy = match &file.source {
                CandidateSource::Listed(sibling) if sibling.rotated.is_compressed => match sibling.open(&self.log)? {
                    Some(archive) => self.open.glance().is_of(&archive)? && archive.size()? >= was,
                    None => false,
                },
                _ => true,
            };
            if is_copy {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same for a stream that has begun: it resumes once more, where its place is now. If this happens again and again,
    /// it ends where the log ends.
    fn search_end_again(&mut self, places: &mut PlaceSearch) -> io::Result<Option<Step>> {
        let Some(end) = self.end.as_ref().filter(|_| !places.is_vain()) else { return Ok(Some(Step::Busy)) };
        let (log, file, position) = (self.log.clone(), File::clone(&end.file), self.position());
        let mut again = Follower::resume(log, file, &position, self.skip, false, self.rotate_wait)?;
        if matches!(again.phase, Phase::Resuming(_)) {
            // A compressed file has to be unpacked further for that, which goes on in the next turn.
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (files, begun) = again.files_of_end(places.has_history())?;
        (again.keeps_unused, again.names) = (self.keeps_unused, self.names.take());
        *self = *again;
        places.begin_again(files, Some(begun));
        Ok(None)
    }

    /// Goes to the place that was found. The files after the first one are ahead. After an error it can be called again: a
    /// compressed file is unpacked further each time.
    fn begin_at_found(&mut self, places: &mut PlaceSearch) -> io::Result<Step> {
        let current = Sighted { file: self.open.file.clone(), glance: self.open.glance() };
        let end = self.find_end(places)?;
        let (start, last) = (places.start(), places.candidates.last());
        let mut first = start;
        let open = loop {
            match places.candidates.open(first.file, &self.log)? {
                _ if first.file == last => break None,
                Some(file) => break Some(OpenLog::new(file)?),
                // It was deleted just now.
                None => first = CandidatePlace { file: first.file + 1, offset: 0 },
            }
        };
        let open = match open {
            Some(mut open) => {
                open.seek(first.offset)?;
                self.log.release(&open.file);
                Some(open)
            }
            None => {
                self.open.seek(first.offset)?;
                // It may be empty still, and begin with a hole.
                self.open.is_fresh = places.has_begun_again() && first.offset == 0;
                None
            }
        };
        let (mut ahead, mut missing) = (Ahead::default(), None);
        for file in first.file + 1..=places.end().file {
            let Candidate { source, .. } = places.candidates.get(file);
            let next = match source {
                CandidateSource::Listed(sibling) => Next::listed(Sibling::clone(sibling), missing.take()),
                CandidateSource::Held(_) => Next::sighted(current.clone(), 0, missing.take()),
                CandidateSource::Gone => {
                    missing = Some(Missing::Expired);
                    continue;
                }
            };
            ahead.push(next.that_had(places.known_size_of(file)));
        }
        ahead.note_certain();
        ahead.hold(&self.log, &Siblings::default())?;
        self.log.rest();
        let mut opened = open.as_ref().map_or(self.opened, |open| open.status.size);
        if let Some(open) = open {
            self.open = open;
        }
        self.end = end.or(self.end.take());
        if let Some(end) = self.end.as_ref().filter(|_| ahead.is_empty()) {
            opened = end.size;
        }
        self.opened = opened;
        self.phase = if ahead.is_empty() { Phase::Current } else { Phase::Passing(ahead) };
        if first == start {
            self.unmatched = places.take_unmatched();
        }
        // What was in a file that is gone may belong to the stream.
        let is_missing = first.offset == 0 && first.file > 0 && places.candidates.get(first.file - 1).is_gone();
        if first != start || is_missing {
            self.queued.push_back(Step::Gap(Missing::Expired, None));
        }
        self.awaited = places.take_awaited();
        Ok(if self.awaited.is_some() { Step::Awaiting } else { Step::Started })
    }

    /// Ends at the place that was found, or at once if that is passed. `open`: the number of the open file.
    fn end_at_found(&mut self, places: &mut PlaceSearch, open: usize) -> io::Result<Step> {
        let Some(mut end) = self.find_end(places)? else { return Ok(Step::Busy) };
        let Some(file) = places.end().file.checked_sub(open) else {
            end.size = self.open.offset;
            return Ok(self.end_in(0, end));
        };
        Ok(self.end_in(file, end))
    }

    /// Ends in the open file, or in one that comes so many files later.
    fn end_in(&mut self, file: usize, end: End) -> Step {
        if let Phase::Passing(ahead) | Phase::Turning(ahead) = &mut self.phase {
            ahead.truncate(file);
            if ahead.is_empty() {
                self.phase = Phase::Current;
            }
        }
        if file == 0 {
            self.opened = self.opened.min(end.size);
        }
        self.end = Some(end);
        Step::Busy
    }

    /// The end, if the range has one that was found.
    fn find_end(&self, places: &mut PlaceSearch) -> io::Result<Option<End>> {
        if !places.ends_at_time() {
            return Ok(None);
        }
        loop {
            let CandidatePlace { file, offset } = places.end();
            if let Some(open) = places.candidates.open(file, &self.log)? {
                let newest = open.status()?.start();
                return Ok(Some(End { file: open, size: offset, newest, kind: EndKind::Time }));
            }
            // It was deleted just now.
            places.end_before(file);
        }
    }
}

/// Tries again as long as files are renamed while they are looked for, but not for ever. For what is done before a stream
/// begins.
pub(super) fn unless_renamed<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const TRIES: usize = 20;
    let mut result = open();
    for _ in 1..TRIES {
        if !matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
            break;
        }
        result = open();
    }
    result
}

/// Files may be renamed while they are opened, and compressed ones may have to be unpacked further.
fn may_be_tried_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
