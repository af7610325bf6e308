//! Follows one log: what is appended, across rotation, truncation, deletion and re-creation, from the last lines or from
//! a cursor on. It never sleeps and never sends; the caller says what time it is and decides when to poll again.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::arrivals::{Count, NameCount};
use super::backfill::Backfill;
use super::generations::memory::Memory;
use super::generations::search::Departure;
use super::held_files::{Ahead, Sighted};
use super::line_search::SearchProgress;
use super::log::file::File;
use super::log::open::{Hole, OpenLog, Reading};
use super::matching_lines::Judge;
use super::narrowing::Narrowing;
use super::nuls::Nuls;
use super::place_search::PlaceSearch;
use super::position::{Identity, Position};
use super::root::{Log, is_shortage};
use super::unused::{LastOf, Unused};
use super::wanted::Wanted;
use crate::protocol::event::Missing;
use crate::protocol::request::Lines;

/// One reader's place in a log. The file is the only buffer: nothing is read before it is asked for.
#[derive(Debug)]
pub struct Follower {
    pub(super) log: Log,
    pub(super) open: OpenLog,
    pub(super) phase: Phase,
    pub(super) memory: Memory,
    pub(super) rotate_wait: Duration,
    /// The size the open file had when it was opened.
    pub(super) opened: u64,
    /// Where a reader that does not follow stops.
    pub(super) end: Option<End>,
    /// As long as it is not known where the reader begins and stops, nothing is read.
    pub(super) places: Option<Box<PlaceSearch>>,
    /// What is asked for of the log, once the place is found where the reader goes on.
    pub(super) narrowing: Option<Box<Narrowing>>,
    /// A range of times was asked for, but the log has none.
    pub(super) lacks_times: bool,
    /// How many bytes were read of files that were left.
    pub(super) passed: u64,
    /// Bytes that are still to be passed over: the client has them already.
    pub(super) skip: u64,
    /// What is read must be used, or it comes again.
    pub(super) keeps_unused: bool,
    pub(super) unused: Option<Box<Unused>>,
    /// Where the open file is known to have no line that matches, the last range first.
    pub(super) unmatched: Vec<Range<u64>>,
    /// What is reported before anything more is read.
    pub(super) queued: VecDeque<Step>,
    /// Where the reader went on from, until it is reported that something is missing there.
    pub(super) unreported: Option<Box<Position>>,
    /// The lines that are counted, once the place is found before which they stand.
    pub(super) judge: Option<Box<dyn Judge>>,
    /// The first line asked for is not there yet: what comes before it is passed over.
    pub(super) awaited: Option<Backfill>,
    /// The open file held something before it was opened, and was truncated since: if there is no copy, that is a gap.
    pub(super) was_truncated: bool,
    /// The open file is the log's last copy: the truncated log comes next.
    pub(super) last_copy: Option<LastCopy>,
    pub(super) writer: Writer,
    pub(super) nuls: Nuls,
    /// The last check found the open file in its place, with no link before it.
    pub(super) is_settled: bool,
    pub(super) names: Option<Arc<dyn NameCount>>,
    /// The count when the youngest file that was seen under the log's name was seen.
    pub(super) counted: Option<Count>,
    pub(super) doubted: Option<Box<Doubted>>,
    /// How often the files after the open one were listed because one of them seemed to be missing.
    pub(super) doubts: u32,
}

/// Where the open file stands in the log's life, as far as is known.
#[derive(Debug)]
pub(super) enum Phase {
    /// The place to begin at is being looked for.
    Resuming(Box<Wanted>),
    /// The first line is being searched for.
    Backfilling(Backfill),
    /// The log's name led to the open file when it was last checked.
    Current,
    /// The file was emptied, or holds the beginning of what it held before: more must be written before it can be decided
    /// whether it was truncated or trimmed.
    Doubtful { since: Instant },
    /// The name leads nowhere, as it does for a moment in every rotation, or to a file before which one seems to be missing.
    Missing { noticed: Noticed, is_reported: bool },
    /// The name leads to another file. The open one is read for late writes until it is left.
    Leaving { noticed: Noticed, grown: Instant, ahead: Ahead },
    /// A generation that had been rotated away when it was opened, or a copy: it is left at its end.
    Passing(Ahead),
    /// The open file is not read any further: the first file ahead is opened as soon as it can be.
    Turning(Ahead),
}

/// When the open file was found not to be under the log's name any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noticed {
    pub at: Instant,
    pub departure: Departure,
}

/// A file to which the log's name led while one before it seemed to be missing, or was still searched for in archives.
#[derive(Debug)]
pub(super) struct Doubted {
    pub sighted: Sighted,
    pub counted: Option<Count>,
    /// How often the files were listed because one seemed to be missing.
    pub tries: u32,
    /// Archives have to be unpacked further to find what comes before it.
    pub is_unpacking: bool,
}

/// A copy of what the log held before it was truncated.
#[derive(Debug, Default)]
pub(super) struct LastCopy {
    /// When its end was reached though the log was still empty, or perhaps being trimmed.
    pub ended: Option<Instant>,
}

/// The file, and its size, at which a reader that does not follow stops.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub file: Arc<File>,
    pub size: u64,
    /// Generations that were begun after that time come after the end.
    pub newest: i64,
    pub kind: EndKind,
}

/// What a reader that does not follow stops at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndKind {
    /// The end that the log had.
    Log,
    /// The place of a cursor: what comes before it is asked for.
    Cursor,
    /// A line of a time that is not asked for any more.
    Time,
}

/// Whether a writer was seen to close the open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Writes,
    /// What is read next may have been written before.
    JustClosed,
    /// What is read next was written by another.
    Closed,
}

/// What one call of [`Follower::poll`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done that shows nothing yet; ask again at once.
    Busy,
    /// The first line asked for is not there yet. What comes before it is passed over, up to [`Step::Started`].
    Awaiting,
    /// The place of the first line was found; bytes come next.
    Started,
    /// That many bytes stand at the head of the buffer.
    Bytes(usize),
    /// The same, but all of them were yielded before and were not used: nothing follows them.
    Last(usize, LastOf),
    /// The old file is read to its end, or lost; what follows is the next file's.
    Rotated,
    /// The file was truncated, or trimmed to its last bytes; what follows is what was written to it since.
    Truncated,
    /// Bytes are missing here, and how many if that is known.
    Gap(Missing, Option<u64>),
    /// The log is gone; the follower keeps looking for it.
    Waiting,
    /// There is nothing new; ask again later, and not later than [`Follower::due`].
    Quiet,
    /// The end that was to be reached is reached.
    Ended,
}

/// How long a file that its writer has closed must be silent to be left.
pub(super) const SILENCE: Duration = Duration::from_secs(1);
/// How far back the unused bytes of a compressed file, and what comes before them, are asked for.
const UNUSED: usize = 512 * 1024;
/// How long a log must be missing to be reported as gone, and how long an emptied one is given to be filled again.
pub(super) const GONE: Duration = Duration::from_millis(100);

impl End {
    pub(super) fn of(open: &OpenLog) -> io::Result<End> {
        Ok(End { file: open.file.clone(), size: open.status.size, newest: open.status.start(), kind: EndKind::Log })
    }
}

impl Follower {
    /// Starts at the last `lines` lines of `file`, which `log` led to. With `tail` there is no end; a rotated file is
    /// read for late writes for as long as `rotate_wait`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(log: Log, file: File, lines: Lines, tail: bool, rotate_wait: Duration) -> io::Result<Box<Follower>> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.note_first()?;
        follower.phase = Phase::Backfilling(Backfill::new(lines, follower.opened));
        Ok(follower)
    }

    /// Starts at line `line`, counted from 1. With `tail` a line that is not there yet is waited for, and nothing comes before
    /// it; but a file that comes after a rotation comes from its start.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_line(log: Log, file: File, line: u64, tail: bool, rotate_wait: Duration) -> io::Result<Box<Follower>> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.note_first()?;
        follower.phase = Phase::Backfilling(Backfill::from_line(line, (!tail).then_some(follower.opened)));
        Ok(follower)
    }

    /// Boxed, so that the stack of a thread that follows a log stays small.
    pub(super) fn at_start(log: Log, file: File, tail: bool, rotate_wait: Duration) -> io::Result<Box<Follower>> {
        let open = OpenLog::current(file)?;
        let end = if tail { None } else { Some(End::of(&open)?) };
        Ok(Follower::at(log, open, end, rotate_wait))
    }

    /// The same, with a file that was opened before.
    pub(super) fn at(log: Log, open: OpenLog, end: Option<End>, rotate_wait: Duration) -> Box<Follower> {
        log.release(&open.file);
        Box::new(Follower {
            log,
            phase: Phase::Current,
            memory: Memory::default(),
            rotate_wait,
            opened: open.status.size,
            open,
            end,
            places: None,
            narrowing: None,
            lacks_times: false,
            passed: 0,
            skip: 0,
            keeps_unused: false,
            unused: None,
            unmatched: Vec::new(),
            queued: VecDeque::new(),
            unreported: None,
            judge: None,
            awaited: None,
            was_truncated: false,
            last_copy: None,
            writer: Writer::Writes,
            nuls: Nuls::default(),
            is_settled: false,
            names: None,
            counted: None,
            doubted: None,
            doubts: 0,
        })
    }

    /// Reads what comes next into `buffer`, or checks whether the name now leads elsewhere.
    ///
    /// # Errors
    /// When the log cannot be read. The follower stays where it is: asking again may succeed.
    pub fn poll(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        self.is_settled = false;
        let mut result = self.step(buffer, now);
        let is_silent = matches!((&result, &self.phase), (Ok(Step::Quiet), Phase::Current));
        if is_silent && self.memory.is_refresh_due(now) {
            result = self.refresh().map(|()| Step::Quiet);
            if result.is_ok() {
                self.log.rest();
            }
        }
        match result {
            // Files are renamed while they are listed, or the process is short of descriptors: what is open can be read
            // all the same, later.
            Err(error) if error.kind() == io::ErrorKind::Interrupted || is_shortage(&error) => Ok(Step::Quiet),
            // A compressed file has to be unpacked further: it goes on from there.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::Busy),
            result => result,
        }
    }

    // Not inlined, so that its stack frame is gone when the siblings are listed.
    #[inline(never)]
    fn step(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        self.narrow_at_place()?;
        if self.places.is_some() {
            let step = self.search_places()?;
            // What any other generation begins with may be a hole as well.
            self.open.is_fresh |= step == Step::Started && self.open.begins_with_nul();
            return Ok(step);
        }
        if let Some(step) = self.queued.pop_front() {
            if matches!(step, Step::Gap(..)) {
                self.unreported = None;
            }
            return Ok(step);
        }
        if let Phase::Resuming(_) = self.phase {
            self.go_to_wanted()?;
            return self.narrow_at_place().map(|()| Step::Busy);
        }
        if let Phase::Backfilling(backfill) = &mut self.phase {
            match backfill.step(&self.open.file)? {
                SearchProgress::Busy => return Ok(Step::Busy),
                SearchProgress::Found(start) => {
                    self.unmatched = backfill.take_unmatched();
                    self.open.seek(start)?;
                    self.phase = Phase::Current;
                    return Ok(Step::Started);
                }
                SearchProgress::Absent(end) => {
                    self.open.seek(end)?;
                    if let Phase::Backfilling(backfill) = std::mem::replace(&mut self.phase, Phase::Current) {
                        self.awaited = Some(backfill);
                    }
                    return Ok(Step::Awaiting);
                }
            }
        }
        if let Phase::Turning(_) = self.phase {
            return self.go_on(now);
        }
        if let Some(step) = self.yield_unused(buffer, now)? {
            return Ok(step);
        }
        if self.skip > 0 {
            let passed = self.open.pass(self.skip)?;
            self.skip -= passed;
            self.open.is_fresh &= passed == 0;
        }
        if self.open.is_fresh
            && let Some(step) = self.pass_hole(now)?
        {
            return Ok(step);
        }
        self.read_on(buffer, now)
    }

    /// Reads what comes next in the open file.
    fn read_on(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Step> {
        let empty = self.open.is_empty().then(|| self.open.glance());
        let hole = self.open.is_fresh.then_some(self.open.offset);
        let room = self.room(buffer);
        let new = &mut buffer[room.at..];
        let found = self.read(new)?;
        // Only now: what is copied and truncated after this check is what was read.
        if let Some(empty) = empty {
            match self.find_unseen(&empty, now) {
                Ok(None) => {}
                Ok(Some(step)) => return Ok(step),
                Err(error) => {
                    self.open.unread(empty);
                    return Err(error);
                }
            }
        }
        match found {
            Reading::Bytes(_) if hole.is_some_and(|end| end > 0) && new[0] != 0 => {
                // They were not there yet when the hole before them was looked for.
                self.open.seek(hole.unwrap_or_default())?;
                Ok(Step::Busy)
            }
            Reading::Bytes(read) => {
                self.open.is_fresh &= new[0] == 0;
                self.note_bytes(read == new.len(), now);
                if matches!(self.phase, Phase::Doubtful { .. }) {
                    self.phase = Phase::Current;
                }
                if let Some(backfill) = &mut self.awaited {
                    let Some(start) = backfill.pass(&new[..read]) else { return Ok(Step::Busy) };
                    self.awaited = None;
                    self.open.seek(start)?;
                    return Ok(Step::Started);
                }
                self.join_unused(buffer, room, read, now)
            }
            Reading::Nuls => {
                self.opened = self.opened.min(self.open.offset);
                if self.nuls.wait(&self.open, now)? { self.check_name(now) } else { Ok(Step::Busy) }
            }
            Reading::End => {
                if self.writer == Writer::JustClosed {
                    self.writer = Writer::Closed;
                }
                // What was waited for was cut off.
                self.nuls.note_bytes();
                self.check_name(now)
            }
            Reading::Changed => self.changed(now),
        }
    }

    /// Reads up to the end, if there is one, and leaves out NULs that may not be data yet.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Reading> {
        let left = self.before_end();
        let (hold, most) = self.nuls.hold(self.may_be_written_to(), self.open.offset, self.opened);
        let room = left.unwrap_or(u64::MAX).min(most).min(buffer.len() as u64) as usize;
        if self.keeps_unused {
            self.open.file.keep(UNUSED);
        }
        self.open.read(&mut buffer[..room], hold)
    }

    /// There were bytes; `filled`: more of them may have been written at the same time.
    pub(super) fn note_bytes(&mut self, filled: bool, now: Instant) {
        if let Phase::Leaving { grown, .. } = &mut self.phase {
            *grown = now;
        }
        self.nuls.note_bytes();
        self.writer = match self.writer {
            Writer::JustClosed if filled => Writer::JustClosed,
            Writer::JustClosed => Writer::Closed,
            Writer::Closed | Writer::Writes => Writer::Writes,
        };
    }

    /// A writer that does not append goes on where it was when the log was truncated, and what lies before is not the
    /// log's but a hole: it is reported as a gap.
    fn pass_hole(&mut self, now: Instant) -> io::Result<Option<Step>> {
        let (step, is_over) = match self.open.pass_hole(|| self.nuls.is_hole(now))? {
            Hole::None => (None, true),
            Hole::Doubtful => (Some(Step::Quiet), false),
            Hole::Passed => (Some(Step::Busy), false),
            Hole::Open => (None, false),
            Hole::Before => (Some(Step::Gap(Missing::Truncated, Some(self.open.offset))), true),
        };
        self.open.is_fresh = !is_over;
        Ok(step)
    }

    /// Whether bytes lie ahead that were there when the log was opened, in this file or in later ones.
    pub fn is_behind(&self) -> bool {
        self.open.offset < self.opened || matches!(self.phase, Phase::Passing(_) | Phase::Turning(_))
    }

    /// How many bytes lie ahead that were there when the stream began, later files included. `None` if their sizes are
    /// not known.
    pub fn bytes_ahead(&self) -> Option<u64> {
        let later = match &self.phase {
            _ if self.places.is_some() => return self.places.as_ref().and_then(|places| places.total()),
            Phase::Resuming(_) => return None,
            Phase::Passing(ahead) | Phase::Turning(ahead) => ahead.opened()?,
            _ => 0,
        };
        let is_known = !self.open.file.is_compressed();
        is_known.then(|| self.opened.saturating_sub(self.place()) + later)
    }

    /// How many bytes were passed since the stream began, or lie before it in its first file.
    pub fn travelled(&self) -> u64 {
        self.passed + self.place()
    }

    /// Whether the place is before bytes that were there when the log was opened, or is still searched for.
    pub fn is_searching(&self) -> bool {
        match &self.phase {
            Phase::Resuming(_) => true,
            Phase::Backfilling(search) if !search.is_over() => true,
            _ => self.is_behind() || self.places.is_some() || self.narrowing.is_some(),
        }
    }

    /// Whether the reader unpacks compressed files before it yields anything more.
    pub(crate) fn is_unpacking(&self) -> bool {
        let is_searching = self.doubted.as_ref().is_some_and(|doubted| doubted.is_unpacking);
        self.open.file.is_compressed() || is_searching || matches!(self.phase, Phase::Resuming(_))
    }

    /// How many bytes were searched backwards for the first line, as long as this goes on.
    pub fn searched_back(&self) -> u64 {
        match (&self.phase, &self.places) {
            (_, Some(places)) => places.searched_back(),
            (Phase::Backfilling(backfill), None) => backfill.searched_back(),
            _ => 0,
        }
    }

    /// Whether it is still searched for where to begin, or to end, among the generations of the log.
    pub fn is_placing(&self) -> bool {
        self.places.is_some()
    }

    /// Whether a range of times was asked for, and the log has none.
    pub fn lacks_times(&self) -> bool {
        self.lacks_times
    }

    /// Whether the end is where a range of times ends, and not that of the log.
    pub fn ends_at_time(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.kind == EndKind::Time)
    }

    /// Whether more comes though nothing is written any more: up to the end, or from other files.
    pub fn has_more(&self) -> bool {
        let is_on_its_way =
            matches!(self.phase, Phase::Resuming(_) | Phase::Leaving { .. } | Phase::Passing(_) | Phase::Turning(_));
        self.end.is_some() || self.places.is_some() || is_on_its_way || self.open.file.is_compressed()
    }

    /// How many bytes remain up to the end, where that is known: to a reader that does not follow, has no hole before it, and
    /// ends in the open file. What comes of a file after it is not known before: it may be written to until then, or be
    /// unreadable.
    pub fn remaining(&self) -> Option<u64> {
        let is_searching = self.places.is_some() || self.narrowing.is_some();
        let is_known = !is_searching && !self.open.is_fresh && !self.open.file.is_compressed();
        self.before_end().filter(|_| is_known)
    }

    /// Whether what is read now may still be written to. Not so up to a known end, and in a generation in between.
    pub(super) fn may_be_written_to(&self) -> bool {
        self.before_end().is_none() && !matches!(self.phase, Phase::Passing(_)) && !self.open.file.is_compressed()
    }

    pub(super) fn before_end(&self) -> Option<u64> {
        let is_later = matches!(self.phase, Phase::Passing(_) | Phase::Turning(_) | Phase::Resuming(_));
        let end = self.end.as_ref().filter(|_| self.places.is_none() && !is_later)?;
        Some(end.size.saturating_sub(self.open.offset))
    }

    /// The size of the file that is being read, in bytes, as of the last check. That of a compressed file is not known until
    /// it is unpacked: until then it is the size of the file itself.
    pub fn size(&self) -> u64 {
        if !self.open.file.is_compressed() {
            return self.open.status.size;
        }
        let raw = || self.open.file.raw().metadata().map_or(0, |metadata| metadata.len());
        self.open.file.known_end().map_or_else(raw, |end| end.size)
    }

    /// The file that is being read.
    pub fn file(&self) -> &File {
        &self.open.file
    }

    /// The log that is followed.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Where the next byte comes from, or the first that was not used; before a gap that is still to be reported, where the
    /// reader went on from.
    pub fn position(&self) -> Position {
        self.unreported.as_ref().map_or_else(|| self.place_position(), |position| Position::clone(position))
    }

    /// A writer was seen to close the open file, or to write to it after another one's close. A file whose last writer
    /// has closed it need not be waited for any longer, once it is rotated, than it takes to see that no other goes on.
    pub fn writer_closed(&mut self, is_closed: bool) {
        self.writer = if is_closed { Writer::JustClosed } else { Writer::Writes };
    }

    /// When polling again may find more though nothing was written: a wait is over, for late writes to a rotated file, for
    /// a log that is gone or empty, or for bytes in the place of NULs.
    pub fn due(&self) -> Option<Instant> {
        let due = match &self.phase {
            Phase::Missing { noticed, is_reported: false } => Some(noticed.at + GONE),
            Phase::Doubtful { since } => Some(*since + GONE),
            Phase::Passing(_) => self.last_copy.as_ref().and_then(|copy| copy.ended).map(|ended| ended + GONE),
            Phase::Leaving { noticed, grown, .. } => {
                let end = noticed.at + self.rotate_wait;
                Some(if self.writer == Writer::Writes { end } else { end.min(*grown + SILENCE) })
            }
            _ => None,
        };
        due.into_iter().chain(self.nuls.due()).min()
    }

    /// When files that were left are checked for late writes, if the log is still silent then.
    pub(crate) fn late_due(&self) -> Option<Instant> {
        self.memory.due()
    }

    pub(crate) fn identity(&self) -> Identity {
        self.open.status.identity
    }

    /// Whether whatever happens to the log next is something done to the open file. Not so when the name leads nowhere or
    /// to another file, or may lead elsewhere by the switch of a link.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }
}
