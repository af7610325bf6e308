//! The source of a stream: reads one log when it is due and turns it into a sequence of events.
//!
//! It alone owns the follower, the watch on its files and the poll schedule, and decides how long to retry a log that
//! cannot be read. It knows neither clients nor what becomes of its events.

use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::error::cause;
use crate::follow::file_range::FileRange;
use crate::follow::follower::{Follower, Step};
use crate::protocol::MAX_MESSAGE;
use crate::protocol::log_event::LogEvent;
use crate::server::stream::event::{Content, Data, SourceEvent};
use crate::server::stream::poll_schedule::PollSchedule;
use crate::wake::watch::Watch;

/// One log, as a sequence of events.
pub(in crate::server) struct LogSource {
    /// Boxed, because moving it would leave copies of it in several stack frames.
    follower: Box<Follower>,
    /// `None` if files are only polled.
    watch: Option<Watch>,
    schedule: PollSchedule,
    /// When large data may be passed on as ranges of the file, unread.
    ranges: Ranges,
    /// Whether the number of bytes to come was known when the log was opened.
    is_sized: bool,
    is_opened: bool,
    /// A read has filled the buffer, and no silence has followed yet.
    is_behind: bool,
    /// How much is read at a time for a filter, which may not use all that is read. `None` without one.
    block: Option<usize>,
    buffer: Vec<u8>,
    /// How much of the buffer the last read could fill.
    room: usize,
    failing: Option<Failing>,
}

/// When large amounts of data may be yielded as ranges of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Ranges {
    Never,
    /// If the number of bytes to come was known when the log was opened.
    IfSized,
    Always,
}

/// The log cannot be read.
struct Failing {
    since: Instant,
    pause: Duration,
}

/// Why there are no more events.
#[derive(Debug)]
pub(in crate::server) enum SourceError {
    /// The log could not be read for a minute.
    Unreadable(io::Error),
    /// A range of times is asked for, and the log has none.
    NoTimes,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceError::Unreadable(error) => {
                write!(f, "the log could not be read for a minute: {}", cause(error))
            }
            SourceError::NoTimes => f.write_str("no times are recognised in this log"),
        }
    }
}

/// What the follower returned.
enum Polled {
    Step(Step),
    Range(FileRange),
}

/// The size of the read buffer as long as it suffices. Every idle follower keeps one.
const SMALL: usize = 2 * 1024;
/// More bytes than this are passed on together with their buffer: a new one costs less than a copy of them.
const FEW: usize = 16 * 1024;
/// How long a log may be unreadable, and the shortest and longest pause between two attempts.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORTEST_RETRY: Duration = Duration::from_millis(1);
pub(super) const LONGEST_RETRY: Duration = Duration::from_secs(15);

impl LogSource {
    /// Makes a source of what `follower` finds. It is polled at least every `poll`, or less often if every change is
    /// reported.
    pub(in crate::server) fn new(
        follower: Box<Follower>,
        watch: Option<Watch>,
        poll: Duration,
        now: Instant,
    ) -> LogSource {
        LogSource {
            is_sized: false,
            follower,
            watch,
            schedule: PollSchedule::new(poll, now),
            ranges: Ranges::Never,
            is_opened: false,
            is_behind: false,
            block: None,
            buffer: vec![0; SMALL],
            room: SMALL,
            failing: None,
        }
    }

    /// When large amounts of data may be yielded as ranges of the file.
    pub(in crate::server) fn give_ranges(&mut self, ranges: Ranges) {
        self.ranges = ranges;
    }

    /// From now on every byte must be used with [`LogSource::use_up`], or it comes again. While there is more, `block`
    /// bytes are read at a time.
    pub(super) fn expect_use(&mut self, block: usize) {
        self.follower.expect_use();
        (self.ranges, self.is_sized) = (Ranges::Never, false);
        self.block = Some(block);
    }

    /// Bytes of the block that was yielded last.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// These bytes of the block are used. They must be the next.
    pub(super) fn use_up(&mut self, range: Range<usize>) {
        self.follower.use_up(&self.buffer[range]);
    }

    pub(super) fn follower(&self) -> &Follower {
        &self.follower
    }

    pub(super) fn follower_mut(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// Whether the log held more than the last read could take.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// The log is not read before `until`.
    pub(super) fn delay(&mut self, until: Instant) {
        self.schedule.retry(until);
    }

    /// Whether more will come even if nothing is written any more.
    pub(super) fn has_more(&self) -> bool {
        self.follower.has_more()
    }

    /// When to ask for the next event.
    pub(super) fn due(&self) -> Instant {
        self.schedule.due()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.schedule.is_due(now)
    }

    /// Whether the last event was a single line after a silence. It is best to read the log again as soon as the line
    /// is sent.
    pub(super) fn is_lone(&self) -> bool {
        self.schedule.is_lone()
    }

    /// Readable when the log should be read before it is due.
    pub(super) fn waker(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().filter(|_| self.schedule.is_idle())?.waker()
    }

    /// The log is due now, because the waker has become readable or for another reason.
    pub(super) fn wake(&mut self, now: Instant) {
        self.schedule.wake(now);
    }

    /// The next event, or `None` if the poll had no visible result yet.
    ///
    /// # Errors
    /// When the log has no times although they are needed, or could not be read for a minute. The first failure is the
    /// event [`LogEvent::Unreadable`]; after it, reading is retried.
    pub(super) fn next(&mut self, now: Instant) -> Result<Option<SourceEvent<'_>>, SourceError> {
        self.schedule.begin();
        if let Some(watch) = &self.watch {
            watch.clear(&mut self.follower);
        }
        match self.poll(now) {
            Ok(Polled::Step(Step::Ended)) if self.follower.lacks_times() => Err(SourceError::NoTimes),
            Ok(polled) => {
                self.failing = None;
                Ok(self.event(polled, now))
            }
            Err(error) => self.fail(error, now).map(Some),
        }
    }

    /// Records that a range of the log could not be sent because it could not be read. The log becomes due when it is
    /// time to retry.
    ///
    /// # Errors
    /// As for [`LogSource::next`].
    #[inline(never)]
    pub(super) fn fail(&mut self, error: io::Error, now: Instant) -> Result<SourceEvent<'_>, SourceError> {
        let is_first = self.failing.is_none();
        let failing = self.failing.get_or_insert(Failing { since: now, pause: SHORTEST_RETRY });
        let end = failing.since + PATIENCE;
        if end <= now {
            return Err(SourceError::Unreadable(error));
        }
        self.schedule.retry((now + failing.pause).min(end));
        failing.pause = (failing.pause * 2).min(LONGEST_RETRY);
        let what = if is_first { LogEvent::Unreadable(cause(&error).to_string()) } else { LogEvent::Quiet };
        Ok(SourceEvent { what, place: Some(&*self.follower) })
    }

    /// The range that could not be read has been sent after all.
    pub(super) fn recover(&mut self) {
        self.failing = None;
    }

    /// Polls the follower. A reader that is far behind gets up to a message's worth of the file as a range, which is
    /// not read here.
    fn poll(&mut self, now: Instant) -> io::Result<Polled> {
        let may_be_range = match self.ranges {
            Ranges::Never => false,
            // Where the number of bytes was promised but is not known any more, an encoder has to cut what comes.
            Ranges::IfSized => self.is_sized && self.follower.remaining().is_some(),
            Ranges::Always => !self.is_sized || self.follower.remaining().is_some(),
        };
        if self.is_behind
            && may_be_range
            && let Some(range) = self.follower.file_range(MAX_MESSAGE, now)?
        {
            return Ok(Polled::Range(range));
        }
        let size = self.read_size();
        if self.buffer.len() < size {
            self.buffer = vec![0; size];
        }
        self.room = size;
        self.follower.poll(&mut self.buffer[..size], now).map(Polled::Step)
    }

    /// How much to read. Bytes that come again need room, too; while the log is silent only their number is known, and
    /// news is read alone.
    fn read_size(&self) -> usize {
        match self.block {
            None if self.is_behind => MAX_MESSAGE,
            None => self.buffer.len().max(SMALL),
            Some(block) if self.is_behind || self.follower.wants_room() => {
                (self.follower.unused() + block).min(MAX_MESSAGE)
            }
            Some(_) => SMALL,
        }
    }

    fn event(&mut self, polled: Polled, now: Instant) -> Option<SourceEvent<'_>> {
        let what = match polled {
            Polled::Range(range) => {
                self.note_data(true, now);
                LogEvent::Data(Data { content: Content::Range(range), more: true, is_apart: false, last: None })
            }
            Polled::Step(step @ (Step::Awaiting | Step::Started)) if !self.is_opened => {
                self.is_opened = true;
                self.opened(&step)
            }
            Polled::Step(Step::Busy | Step::Awaiting) => return None,
            Polled::Step(Step::Started) => LogEvent::Checkpoint,
            Polled::Step(Step::Bytes(read)) => {
                let is_filled = read == self.room;
                let more = is_filled || self.follower.is_behind();
                self.is_behind |= is_filled;
                self.note_data(more, now);
                let content = content(&mut self.buffer, read, self.block.is_some());
                LogEvent::Data(Data { content, more, is_apart: false, last: None })
            }
            Polled::Step(Step::Last(read, last)) => {
                self.note_data(true, now);
                let content = content(&mut self.buffer, read, self.block.is_some());
                LogEvent::Data(Data { content, more: true, is_apart: false, last: Some(last) })
            }
            Polled::Step(Step::Rotated) => LogEvent::Rotated,
            Polled::Step(Step::Truncated) => LogEvent::Truncated,
            Polled::Step(Step::Gap(reason, bytes)) => LogEvent::Gap { reason, bytes },
            Polled::Step(step @ (Step::Quiet | Step::Waiting)) => {
                self.note_silence(now);
                if step == Step::Quiet { LogEvent::Quiet } else { LogEvent::Gone }
            }
            Polled::Step(Step::Ended) => LogEvent::End,
        };
        Some(SourceEvent { what, place: Some(&*self.follower) })
    }

    fn opened(&mut self, step: &Step) -> LogEvent<Data<'static>> {
        let (size, left) = (self.follower.size(), self.follower.remaining());
        self.is_sized = left.is_some() && self.block.is_none();
        // The log is not empty, but it has no line yet that could come first.
        let is_awaited = *step == Step::Awaiting || !self.follower.is_behind() && size > 0;
        LogEvent::Opened { size, left, is_awaited, lost: self.follower.lost() }
    }

    fn note_data(&mut self, more: bool, now: Instant) {
        let is_busy = self.schedule.fed(more, now);
        if let Some(watch) = self.watch.as_mut().filter(|_| is_busy) {
            watch.rest(&self.follower);
        }
    }

    fn note_silence(&mut self, now: Instant) {
        self.is_behind = false;
        if self.buffer.len() > SMALL {
            self.buffer = vec![0; SMALL];
        }
        let (follower, is_calm) = (&self.follower, self.schedule.is_calm());
        let watch = self.watch.as_mut().filter(|_| is_calm);
        let is_reported = watch.is_some_and(|watch| watch.follow(follower) && watch.reports_all(follower));
        let sooner = follower.due().into_iter().chain(follower.late_due());
        self.schedule.silent(is_reported, sooner, now);
    }
}

/// The bytes that were read. If `is_kept`, they stay in the buffer.
fn content(buffer: &mut Vec<u8>, read: usize, is_kept: bool) -> Content<'_> {
    if is_kept || read <= FEW {
        return Content::Bytes(buffer[..read].into());
    }
    let mut bytes = std::mem::take(buffer);
    bytes.truncate(read);
    Content::Bytes(bytes.into())
}
