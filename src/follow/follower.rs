//! Follows one log: what is appended, across rotation, truncation, deletion and re-creation, from the last lines or from
//! a cursor on. It never sleeps and never sends; the caller says what time it is and decides when to ask again.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use super::backfill::Backfill;
use super::evidence::Status;
use super::extent::Extent;
use super::held::{Found, Held};
use super::late::Late;
use super::position::{Identity, Position};
use super::root::{Log, is_shortage};
use super::siblings::{self, Order, Search, Siblings, Successor};
use crate::protocol::event::Missing;
use crate::protocol::request::Lines;

/// One reader's place in a log. The file is the only buffer: nothing is read before it is asked for.
#[derive(Debug)]
pub struct Follower {
    pub(super) log: Log,
    pub(super) held: Held,
    rotate_wait: Duration,
    pub(super) backfill: Option<Backfill>,
    /// The size the log had when it was opened.
    pub(super) opened: u64,
    /// Where a reader that does not follow stops.
    pub(super) end: Option<End>,
    /// Bytes that are still to be passed over: they had come before.
    pub(super) skip: u64,
    /// What is told before anything more is read.
    pub(super) told: VecDeque<Step>,
    /// The name leads elsewhere; the held file is still read for late writes.
    leaving: Option<Leaving>,
    /// A writer was seen to close the held file.
    closed: Closed,
    /// The held file had been rotated away when it was come to: it is not waited for.
    pub(super) is_generation: bool,
    /// The log itself, which was truncated, while its copies are read.
    pub(super) truncated: Option<File>,
    /// The held file is at the start of what was written after a truncation.
    pub(super) is_fresh: bool,
    pub(super) late: Late,
    is_gone: bool,
    /// The last look found the held file in its place, with no link before it, or what comes after it.
    is_settled: bool,
}

/// The file, and its size, at which a reader that does not follow stops.
#[derive(Debug)]
pub(super) struct End {
    pub file: File,
    pub size: u64,
    /// Generations that were begun after that time come after the end.
    pub newest: i64,
}

/// Whether a writer was seen to close the held file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    No,
    /// What is read next may have been written before.
    Just,
    /// What is read next was written by another.
    Before,
}

/// The name leads elsewhere, or nowhere.
#[derive(Debug)]
struct Leaving {
    noticed: Instant,
    /// When the held file was last seen to grow.
    grown: Instant,
    next: Option<Next>,
}

/// What comes after the held file. It is held open from the moment it is known, so that it cannot be lost any more.
#[derive(Debug)]
struct Next {
    held: Held,
    /// What may have been lost between the two.
    missing: Option<Missing>,
}

/// What one call of [`Follower::poll`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done that shows nothing yet; ask again at once.
    Busy,
    /// The place of the first line was found; bytes come next.
    Started,
    /// That many bytes stand at the head of the buffer.
    Bytes(usize),
    /// The old file is read to its end; what follows is the next file's.
    Rotated,
    /// The file has shrunk; what follows is from its start.
    Truncated,
    /// Bytes are missing here, and how many if that is known.
    Gap(Missing, Option<u64>),
    /// The log is gone; it is looked for.
    Waiting,
    /// There is nothing new; ask again later, and not later than [`Follower::due`].
    Quiet,
    /// The end that was to be reached is reached.
    Ended,
}

/// How long a file that its writer has closed must be silent to be left.
pub(super) const SILENCE: Duration = Duration::from_secs(1);
/// How long a log must be missing to be told to be gone.
const GONE: Duration = Duration::from_millis(100);

impl End {
    fn of(held: &Held) -> io::Result<End> {
        Ok(End { file: held.file.try_clone()?, size: held.status.size, newest: held.status.age().start })
    }
}

impl Follower {
    /// Starts at the last `lines` lines of `file`, which `log` led to. With `tail` there is no end; a rotated file is
    /// read for late writes for as long as `rotate_wait`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(log: Log, file: File, lines: Lines, tail: bool, rotate_wait: Duration) -> io::Result<Follower> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.backfill = Some(Backfill::new(lines, follower.opened));
        Ok(follower)
    }

    pub(super) fn at_start(log: Log, file: File, tail: bool, rotate_wait: Duration) -> io::Result<Follower> {
        let held = Held::current(file)?;
        let size = held.status.size;
        let end = if tail { None } else { Some(End::of(&held)?) };
        Ok(Follower {
            log,
            held,
            rotate_wait,
            backfill: None,
            opened: size,
            end,
            skip: 0,
            told: VecDeque::new(),
            leaving: None,
            closed: Closed::No,
            is_generation: false,
            truncated: None,
            is_fresh: false,
            late: Late::default(),
            is_gone: false,
            is_settled: false,
        })
    }

    /// Reads what comes next into `buffer`, or looks whether the name now leads elsewhere.
    ///
    /// # Errors
    /// When the log cannot be read. The follower stays where it is: asking again may succeed.
    pub fn poll(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        self.is_settled = false;
        match self.step(buffer, now) {
            // Files are renamed while they are looked at, or the process is short of descriptors: what is held can be
            // read all the same, later.
            Err(error) if error.kind() == io::ErrorKind::Interrupted || is_shortage(&error) => Ok(Step::Quiet),
            result => result,
        }
    }

    /// Goes beyond the next `length` bytes without reading them. `None` when there are fewer, or when something else is
    /// to be done first: then [`Follower::poll`] does it. Until they are moved the follower must not be asked again.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn extent(&mut self, length: usize, now: Instant) -> io::Result<Option<Extent>> {
        let is_plain = self.told.is_empty() && self.backfill.is_none() && self.skip == 0 && !self.is_fresh;
        if !is_plain || self.before_end().is_some_and(|left| left < length as u64) {
            return Ok(None);
        }
        let extent = self.held.extent(length as u64)?;
        if extent.is_some() {
            self.is_settled = false;
            self.note_bytes(true, now);
        }
        Ok(extent)
    }

    fn step(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        if let Some(step) = self.told.pop_front() {
            return Ok(step);
        }
        if let Some(backfill) = &mut self.backfill {
            let Some(start) = backfill.step(&self.held.file)? else { return Ok(Step::Busy) };
            self.held.seek(start)?;
            self.backfill = None;
            return Ok(Step::Started);
        }
        if self.skip > 0 {
            let passed = self.held.pass(self.skip)?;
            (self.skip, self.is_fresh) = (self.skip - passed, self.is_fresh && passed == 0);
        }
        if self.is_fresh
            && let Some(step) = self.pass_hole()?
        {
            return Ok(step);
        }
        let was_empty = self.held.offset == 0 && self.held.status.size == 0;
        let room = self.before_end().map_or(buffer.len(), |left| left.min(buffer.len() as u64) as usize);
        let found = self.held.read(&mut buffer[..room])?;
        // Only now: what is copied and truncated after this look is what was read.
        if was_empty && let Some(step) = self.find_unseen().or_else(|error| self.held.seek(0).and(Err(error)))? {
            return Ok(step);
        }
        match found {
            Found::Bytes(read) => {
                self.note_bytes(read == room, now);
                Ok(Step::Bytes(read))
            }
            Found::End => {
                if self.closed == Closed::Just {
                    self.closed = Closed::Before;
                }
                self.look(now)
            }
            Found::Changed => self.restart(now),
        }
    }

    /// There were bytes; `filled`: more of them may have been written at the same time.
    fn note_bytes(&mut self, filled: bool, now: Instant) {
        if let Some(leaving) = &mut self.leaving {
            leaving.grown = now;
        }
        self.closed = match self.closed {
            Closed::Just if filled => Closed::Just,
            Closed::Just => Closed::Before,
            Closed::Before | Closed::No => Closed::No,
        };
    }

    /// Whether bytes lie ahead that were there when the log was opened.
    pub fn is_behind(&self) -> bool {
        self.held.offset < self.opened
    }

    /// How many bytes remain up to the end, where that is known: to a reader that does not follow, is in its last file,
    /// and has no hole before it.
    pub fn left(&self) -> Option<u64> {
        self.before_end().filter(|_| !self.is_fresh)
    }

    fn before_end(&self) -> Option<u64> {
        let end = self.end.as_ref().filter(|_| !self.is_generation)?;
        Some(end.size.saturating_sub(self.held.offset))
    }

    /// The size of the file that is being read, in bytes, when it was last looked at.
    pub fn size(&self) -> u64 {
        self.held.status.size
    }

    /// The file that is being read.
    pub fn file(&self) -> &File {
        &self.held.file
    }

    /// Where the next byte comes from.
    pub fn position(&self) -> Position {
        self.held.position(self.is_fresh)
    }

    /// A writer was seen to close the held file, or to write to it after another one's close. A file whose last writer
    /// has closed it need not be waited for any longer, once it is rotated, than it takes to see that no other goes on.
    pub fn writer_closed(&mut self, is_closed: bool) {
        self.closed = if is_closed { Closed::Just } else { Closed::No };
    }

    /// When asking again may find more though nothing was written: a rotated file is left then, or a log that is gone
    /// is told to be.
    pub fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.as_ref()?;
        if leaving.next.is_none() {
            return (!self.is_gone).then_some(leaving.noticed + GONE);
        }
        let end = leaving.noticed + self.rotate_wait;
        Some(if self.closed != Closed::No { end.min(leaving.grown + SILENCE) } else { end })
    }

    /// When files that were left are looked at for late writes, if the log is still silent then.
    pub(crate) fn late_due(&self) -> Option<Instant> {
        self.late.due()
    }

    pub(super) fn identity(&self) -> Identity {
        self.held.status.identity
    }

    /// Whether whatever happens to the log next is something done to the held file. Not so when the name leads nowhere,
    /// or may lead elsewhere by the switch of a link.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// At the end of the held file: is it still the one the name leads to?
    fn look(&mut self, now: Instant) -> io::Result<Step> {
        if self.end.is_some() && !self.is_generation {
            return Ok(self.ended());
        }
        if self.truncated.is_some() {
            return self.leave_copy(None, now);
        }
        let knows_next = self.leaving.as_ref().is_some_and(|leaving| leaving.next.is_some());
        if let Some(due) = self.due().filter(|_| knows_next) {
            if self.is_generation || due <= now {
                return self.leave(now);
            }
            self.is_settled = true;
            return Ok(Step::Quiet);
        }
        let Some(held) = self.held.look()? else { return Ok(Step::Busy) };
        let (current, is_direct) = match self.current() {
            Ok(current) => current,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.miss(now)),
            Err(error) => return Err(error),
        };
        self.is_gone = false;
        if held.is_same(&Status::of(&current)?) {
            return self.stay(is_direct, now);
        }
        let next = Some(self.next(&held, current)?);
        // Between the last read and now the old file may have grown: it is read to its end once more.
        let noticed = self.leaving.as_ref().map_or(now, |leaving| leaving.noticed);
        self.leaving = Some(Leaving { noticed, grown: now, next });
        Ok(Step::Busy)
    }

    /// The end is reached; perhaps it was passed by what is to be passed over.
    fn ended(&mut self) -> Step {
        if std::mem::take(&mut self.skip) == 0 {
            return Step::Ended;
        }
        self.told.push_back(Step::Ended);
        Step::Gap(Missing::Cursor, None)
    }

    /// What the name leads to, and whether it does so without a link; for a reader that does not follow, what it led to
    /// in the beginning.
    fn current(&self) -> io::Result<(File, bool)> {
        match &self.end {
            Some(end) => Ok((end.file.try_clone()?, false)),
            None => self.log.reopen(),
        }
    }

    pub(super) fn until(&self) -> Option<i64> {
        self.end.as_ref().map(|end| end.newest)
    }

    /// Whether the log's name leads to that file, or to another one; `None` when it leads nowhere.
    pub(super) fn leads_to(&self, file: &File) -> io::Result<Option<bool>> {
        match self.current() {
            Ok((current, _)) => Ok(Some(Status::of(file)?.is_same(&Status::of(&current)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name leads nowhere, as it does for a moment in every rotation.
    fn miss(&mut self, now: Instant) -> Step {
        let leaving = self.leaving.get_or_insert(Leaving { noticed: now, grown: now, next: None });
        if self.is_gone || now < leaving.noticed + GONE {
            return Step::Quiet;
        }
        self.is_gone = true;
        Step::Waiting
    }

    /// The name leads to the held file, and there is nothing new in it.
    fn stay(&mut self, is_direct: bool, now: Instant) -> io::Result<Step> {
        self.leaving = None;
        self.is_settled = is_direct;
        self.held.note_current();
        if std::mem::take(&mut self.skip) > 0 {
            // What had come is not there any more.
            return Ok(Step::Gap(Missing::Cursor, None));
        }
        if self.late.is_due(now) {
            let siblings = siblings::list(&self.log)?;
            self.tell_late(&siblings);
        }
        Ok(self.told.pop_front().unwrap_or(Step::Quiet))
    }

    fn tell_late(&mut self, siblings: &Siblings) {
        if let Some(bytes) = self.late.grown(&siblings.list) {
            self.told.push_back(Step::Gap(Missing::Replaced, Some(bytes)));
        }
    }

    /// What comes after the held file, now that the name leads to `current`.
    fn next(&mut self, held: &Status, current: File) -> io::Result<Next> {
        let siblings = siblings::list(&self.log)?;
        self.tell_late(&siblings);
        let status = Status::of(&current)?;
        let order = Order::of(self.held.since, &status);
        let between = self.search(&current, order, &siblings.before(&status, order))?;
        // Of a file that is deleted, what came after it may have been deleted, too.
        let missing = match between.file {
            _ if held.links > 0 => between.missing,
            Some(_) => Some(Missing::Expired),
            None => Some(Missing::Replaced),
        };
        let held = match between.file {
            Some(generation) => Held::new(generation)?,
            None => Held::current(current)?,
        };
        Ok(Next { held, missing })
    }

    pub(super) fn search(&self, current: &File, order: Order, siblings: &Siblings) -> io::Result<Successor> {
        let (late, held) = (&self.late, Some(&self.held.file));
        Search { order, late, held, current, until: self.until() }.run(&self.log, siblings)
    }

    /// Goes on to the next file, unless the name leads to the held one again.
    fn leave(&mut self, now: Instant) -> io::Result<Step> {
        if !self.is_generation && self.leads_to(&self.held.file)? == Some(true) {
            return self.stay(false, now);
        }
        let next = self.leaving.as_ref().and_then(|leaving| leaving.next.as_ref());
        let is_generation = self.leads_to(&next.expect("it is known when it is due").held.file)? == Some(false);
        let next = self.leaving.as_mut().and_then(|leaving| leaving.next.take()).expect("it was there");
        let left = (self.held.status.identity, self.held.offset);
        // A copy that was come to by a cursor may be followed by a hole.
        let may_be_hole = self.is_generation;
        self.go_to(next.held, next.missing, Step::Rotated);
        self.late.remember(left, now);
        (self.is_generation, self.is_fresh) = (is_generation, may_be_hole);
        Ok(Step::Busy)
    }

    /// Goes to another file; the one that was held is returned.
    pub(super) fn go_to(&mut self, held: Held, missing: Option<Missing>, turn: Step) -> File {
        self.told.extend(missing.map(|missing| Step::Gap(missing, None)));
        self.told.push_back(turn);
        (self.opened, self.leaving, self.closed, self.is_fresh) = (0, None, Closed::No, false);
        std::mem::replace(&mut self.held, held).file
    }
}
