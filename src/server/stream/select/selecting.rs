//! Selects lines: judges the log's blocks, passes on what is selected, and decides when a cursor is due.
//!
//! A cursor of a filtered stream is a place where every selected line before it has been sent and none after it. That is
//! so after what a block has used, when all that was selected in it has been passed on. So no event of a block has a
//! place; a [`LogEvent::Checkpoint`] that follows them has. None comes as long as the client has selected bytes after its
//! own cursor that were not found again, nor within a line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::block_size::BlockSize;
use super::progress::Progress;
use super::query::Query;
use crate::follow::position::Position;
use crate::follow::unused::LastOf;
use crate::protocol::event::Missing;
use crate::protocol::log_event::LogEvent;
use crate::select::{Follows, Judged, Piece, Selector};
use crate::server::scans::ScanPermit;
use crate::server::stream::event::{Content, Data, Locate, SourceEvent};
use crate::server::stream::source::{LogSource, SourceError};

pub(super) type OwnedEvent = LogEvent<Data<'static>>;

pub(in crate::server) struct Selecting {
    pub(super) query: Query,
    pub(super) selector: Selector,
    /// Events for the encoder, each with its place, if it has one.
    pub(super) ready: VecDeque<(OwnedEvent, Option<Position>)>,
    /// The place of the event that was taken last.
    place: Option<Position>,
    /// How many selected bytes the client has already.
    pub(super) skip: u64,
    /// The event `Opened`, until its place is known.
    pub(super) opened: Option<OwnedEvent>,
    /// What comes before the place has not been judged yet.
    pub(super) is_cold: bool,
    /// Lines were passed on, so that there can be a gap between them and others.
    has_sent: bool,
    /// What comes next continues what was passed on last.
    pub(super) is_cut: bool,
    /// The next data does not.
    is_apart: bool,
    covered: Covered,
    pub(super) pace: BlockSize,
    progress: Progress,
    matches: u64,
    /// How many bytes were learned from about times.
    pub(super) learned: usize,
    is_done: bool,
    pub(super) scan: ScanPermit,
    /// How many bytes were searched backwards so far.
    pub(super) searched: u64,
}

/// What the last cursor covers.
struct Covered {
    at: Instant,
    /// How many bytes were sent since.
    sent: u64,
    /// The place has moved since.
    has_moved: bool,
    /// The last cursor cannot identify its file, which was empty.
    is_bare: bool,
}

/// While bytes flow, a cursor is sent after this many bytes or this much time.
const CURSOR_BYTES: u64 = 1 << 20;
const CURSOR_TIME: Duration = Duration::from_secs(1);
/// How many events there are at a time while the log is quiet.
const FEW: usize = 4;

impl Selecting {
    pub(super) fn new(mut query: Query, source: &mut LogSource, scan: ScanPermit, now: Instant) -> Selecting {
        let (pace, selector, learned) = (BlockSize::default(), query.selector(), query.sampled());
        query.forget_sample();
        source.expect_use(pace.block());
        Selecting {
            selector,
            ready: VecDeque::new(),
            place: None,
            skip: query.skip,
            opened: None,
            is_cold: false,
            has_sent: false,
            is_cut: false,
            is_apart: false,
            covered: Covered { at: now, sent: 0, has_moved: false, is_bare: false },
            pace,
            progress: Progress::new(source.follower(), now),
            matches: 0,
            learned,
            is_done: false,
            scan,
            searched: 0,
            query,
        }
    }

    /// The next event for the encoder. `None` if there is none yet.
    ///
    /// # Errors
    /// When the log could not be read for a minute.
    pub(super) fn next<'s>(
        &'s mut self,
        source: &'s mut LogSource,
        now: Instant,
    ) -> Result<Option<SourceEvent<'s>>, SourceError> {
        if self.ready.is_empty() {
            self.read(source, now)?;
        }
        let Some((what, place)) = self.ready.pop_front() else { return Ok(None) };
        self.place = place;
        Ok(Some(SourceEvent { what, place: self.place.as_ref().map(|place| place as &dyn Locate) }))
    }

    /// The stream does nothing for now: it gives back its memory, and its permit to look through old bytes.
    pub(super) fn pause(&mut self) {
        self.scan.stop();
        self.selector.rest();
        self.ready.shrink_to(FEW);
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many lines have matched, if no more are asked for.
    pub(super) fn matched(&self) -> Option<u64> {
        self.is_done.then_some(self.matches)
    }

    /// Passes on an event that is no data.
    pub(super) fn pass(&mut self, what: OwnedEvent, source: &mut LogSource, now: Instant) {
        match what {
            LogEvent::Opened { size, is_awaited, lost, .. } => {
                self.is_cold = true;
                self.progress.begin(source.follower());
                self.opened = Some(LogEvent::Opened { size, left: None, is_awaited, lost });
                if self.skip == 0 {
                    self.open(source);
                }
            }
            LogEvent::Checkpoint => {
                self.is_cold = true;
                self.cover(what, source, now);
            }
            LogEvent::Rotated | LogEvent::Truncated | LogEvent::Gap { .. } => self.leave_file(what, source, now),
            LogEvent::Quiet | LogEvent::Gone | LogEvent::Unreadable(_) => {
                self.open(source);
                self.give_up_known(source, now);
                self.cover_if_due(source, true, now);
                self.report_progress(source, false, now);
                self.pause();
                self.push(what);
            }
            LogEvent::End => self.end(source, now),
            what => self.push(what),
        }
    }

    /// Judges a block of this length, the last that the source has yielded.
    pub(super) fn judge(&mut self, source: &mut LogSource, length: usize, last: Option<LastOf>, now: Instant) {
        self.learn(source);
        self.identify(source, now);
        let ending = match last {
            None => Follows::Open,
            Some(LastOf::Generation) => Follows::Generation,
            Some(LastOf::Stream) => Follows::Stream,
        };
        if self.skip > 0 {
            self.skip_known(source, length, ending);
            return;
        }
        let begun = Instant::now();
        let Judged { pieces, used, matches, is_done } = self.selector.judge(source.bytes(0..length), ending);
        let took = begun.elapsed();
        self.pace.note(took);
        source.expect_use(self.pace.block());
        self.scan.note(used, took);
        self.matches += matches;
        let is_cut = matches!(pieces.last(), Some(Piece::Lines(lines)) if lines.end == used);
        self.take(pieces, source);
        // Where nothing was used, nothing has changed.
        self.is_cut = if used > 0 { is_cut } else { self.is_cut };
        source.use_up(0..used);
        self.covered.has_moved |= used > 0;
        if is_done {
            self.is_done = true;
            self.end(source, now);
            return;
        }
        self.report_progress(source, false, now);
        self.cover_if_due(source, false, now);
    }

    /// Finds where what the client has ends. The stream begins anew there, so that what comes before does not count.
    fn skip_known(&mut self, source: &mut LogSource, length: usize, ending: Follows) {
        let begun = Instant::now();
        let Judged { pieces, used, .. } = self.selector.judge_known(source.bytes(0..length), ending);
        let took = begun.elapsed();
        self.pace.note(took);
        source.expect_use(self.pace.block());
        self.scan.note(used, took);
        for piece in pieces {
            let Piece::Lines(lines) = piece else { continue };
            let known = self.skip.min(lines.len() as u64);
            self.skip -= known;
            if self.skip == 0 {
                source.use_up(0..lines.start + known as usize);
                source.follower_mut().yield_again();
                self.selector.leave_generation();
                self.is_cold = true;
                self.open(source);
                return;
            }
        }
        source.use_up(0..used);
    }

    /// At the end of the log: what the client has of it is not there, unless it is in the unfinished last line.
    fn give_up_known(&mut self, source: &LogSource, now: Instant) {
        let follower = source.follower();
        if self.skip > follower.unused() as u64 && !source.has_more() && !follower.is_searching() {
            (self.skip, self.is_cold) = (0, true);
            self.selector.leave_generation();
            self.cover(LogEvent::Gap { reason: Missing::Cursor, bytes: None }, source, now);
        }
    }

    /// Passes on what is selected.
    fn take(&mut self, pieces: Vec<Piece>, source: &LogSource) {
        let mut bytes = Vec::new();
        // Where the lines end that were sent last.
        let mut end = if self.is_cut { Some(0) } else { None };
        for piece in pieces {
            let lines = match piece {
                Piece::Lines(lines) => lines,
                Piece::Skip(skipped) => {
                    self.push_data(&mut bytes, true);
                    if self.has_sent {
                        self.push(LogEvent::Skip(skipped));
                    }
                    continue;
                }
            };
            if self.query.tells_apart && end != Some(lines.start) {
                self.push_data(&mut bytes, true);
                self.is_apart = true;
            }
            end = Some(lines.end);
            self.has_sent |= !lines.is_empty();
            bytes.extend_from_slice(source.bytes(lines));
        }
        self.push_data(&mut bytes, false);
    }

    fn push_data(&mut self, bytes: &mut Vec<u8>, more: bool) {
        if !bytes.is_empty() {
            self.covered.sent += bytes.len() as u64;
            let content = Content::Bytes(std::mem::take(bytes).into());
            let is_apart = std::mem::take(&mut self.is_apart);
            self.push(LogEvent::Data(Data { content, more, is_apart, last: None }));
        }
    }

    pub(super) fn push(&mut self, what: OwnedEvent) {
        self.ready.push_back((what, None));
    }

    /// Passes on an event that bears a cursor.
    fn cover(&mut self, what: OwnedEvent, source: &LogSource, now: Instant) {
        let place = source.follower().position();
        let is_bare = place.is_bare();
        self.covered = Covered { at: now, sent: 0, has_moved: false, is_bare };
        self.ready.push_back((what, Some(place)));
    }

    /// Passes on a cursor if one is due: while bytes flow or are passed over, and as soon as there are no more.
    fn cover_if_due(&mut self, source: &LogSource, is_pause: bool, now: Instant) {
        let is_due = is_pause || self.covered.sent >= CURSOR_BYTES || now - self.covered.at >= CURSOR_TIME;
        if self.covered.has_moved && is_due && self.can_resume() {
            self.cover(LogEvent::Checkpoint, source, now);
        }
    }

    /// Whether every selected line before the place was sent, and nothing after it.
    fn can_resume(&self) -> bool {
        self.skip == 0 && self.opened.is_none() && !self.selector.is_within_line()
    }

    /// Passes on that the log is open, if that was not done yet.
    fn open(&mut self, source: &LogSource) {
        if let Some(opened) = self.opened.take() {
            let place = source.follower().position();
            self.covered.is_bare = place.is_bare();
            self.ready.push_back((opened, Some(place)));
        }
    }

    /// Before the first bytes of a file that was empty, passes on a cursor that identifies it.
    fn identify(&mut self, source: &LogSource, now: Instant) {
        if self.covered.is_bare && self.skip == 0 && source.follower().place() == 0 {
            self.cover(LogEvent::Checkpoint, source, now);
        }
        self.covered.is_bare = false;
    }

    /// What comes next does not continue what was read.
    fn leave_file(&mut self, what: OwnedEvent, source: &LogSource, now: Instant) {
        let judged = self.selector.judge(b"", Follows::Generation);
        self.open(source);
        if std::mem::take(&mut self.skip) > 0 {
            self.cover(LogEvent::Gap { reason: Missing::Cursor, bytes: None }, source, now);
        }
        self.is_cut = false;
        // The next file is usually read from its start; after a gap the place may be anywhere.
        self.is_cold = matches!(what, LogEvent::Gap { .. }) || source.follower().place() > 0;
        self.cover(what, source, now);
        if judged.is_done {
            self.is_done = true;
            self.end(source, now);
        }
    }

    /// Ends the stream: with the last cursor, which may be within a line whose beginning was sent.
    fn end(&mut self, source: &LogSource, now: Instant) {
        self.open(source);
        self.report_progress(source, true, now);
        if self.skip > 0 {
            self.cover(LogEvent::Gap { reason: Missing::Cursor, bytes: None }, source, now);
        } else if self.covered.has_moved && (self.is_cut || !self.selector.is_within_line()) {
            self.cover(LogEvent::Checkpoint, source, now);
        }
        self.pause();
        self.push(LogEvent::End);
    }

    pub(super) fn report_progress(&mut self, source: &LogSource, is_end: bool, now: Instant) {
        let report = self.progress.report(source.follower(), self.matches, is_end, now);
        self.ready.extend(report.map(|report| (report, None)));
    }
}
