//! Prints the entries of several logs in the order of their times: `wstail tail --merge`.
//!
//! The threads that read logs hand in what has come, and one more thread prints it. In which order is decided in `order`,
//! and what an entry is in `entries`.

mod entries;
mod order;

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wstail::Shutdown;
use wstail::select::zone::Zone;

use self::entries::Entries;
pub(super) use self::order::Patience;
use self::order::{MOST_HELD, Order, Piece, Queue};
use super::lock;
use super::printer::Printer;

/// How long to wait for room at a time, and between two signs of life.
const PAUSE: Duration = Duration::from_millis(200);
/// How much is printed at once, in bytes.
const PRINTED: usize = 64 * 1024;
/// A log that waits for room goes on when no more than this is held of it.
const HALF: usize = MOST_HELD / 2;
/// For how long after a shutdown what is held is printed.
const GRACE: Duration = Duration::from_millis(500);

/// What all logs have in common.
pub(super) struct Merge<'p> {
    state: Mutex<State<'p>>,
    /// Something has come, or a log has ended.
    arrived: Condvar,
    /// There is more room, or nothing more can be printed.
    printed: Condvar,
}

struct State<'p> {
    order: Order,
    /// One for each queue; `None` while it prints, or if its log is not known yet.
    printers: Vec<Option<Printer<'p>>>,
    /// The queue whose pieces are being printed, and how many bytes.
    printing: (usize, usize),
    /// Nothing more can be printed.
    has_failed: bool,
    /// Nothing more is printed, because of a shutdown.
    is_over: bool,
    /// No log will be added any more.
    is_closed: bool,
}

/// A log whose entries are merged with those of others. Dropping it ends the log.
pub(super) struct Input<'m, 'p> {
    merge: &'m Merge<'p>,
    index: usize,
    entries: Entries,
    /// An unfinished line.
    unfinished: Vec<u8>,
    is_apart: bool,
}

impl<'p> Merge<'p> {
    pub(super) fn new(patience: Patience) -> Merge<'p> {
        let (order, printers) = (Order::new(patience), Vec::new());
        let state = State { order, printers, printing: (0, 0), has_failed: false, is_over: false, is_closed: false };
        Merge { state: Mutex::new(state), arrived: Condvar::new(), printed: Condvar::new() }
    }

    /// Adds a log. `rank` decides between equal times. Without a printer it stands for logs that are not known yet.
    pub(super) fn add(&self, rank: (usize, String), printer: Option<Printer<'p>>) -> Input<'_, 'p> {
        let mut state = lock(&self.state);
        state.order.queues.push(Queue::new(rank));
        state.printers.push(printer);
        let (index, entries) = (state.printers.len() - 1, Entries::new(Zone::utc()));
        Input { merge: self, index, entries, unfinished: Vec::new(), is_apart: false }
    }

    /// Prints until all logs have ended and [`Merge::close`] was called, or nothing more can be printed, or for a moment
    /// after a shutdown. What is not printed then stays held.
    pub(super) fn run(&self, shutdown: &Shutdown) {
        let mut state = lock(&self.state);
        let mut end = None;
        loop {
            if shutdown.is_triggered() {
                let end = *end.get_or_insert_with(|| Instant::now() + GRACE);
                state.is_over |= Instant::now() >= end;
            }
            if state.has_failed || state.is_over {
                self.printed.notify_all();
                return;
            }
            let until = match state.order.take(Instant::now(), PRINTED) {
                Ok((index, pieces)) => {
                    state = self.print(state, index, &pieces);
                    continue;
                }
                Err(None) if state.is_closed && state.order.queues.iter().all(|queue| queue.is_ended) => return,
                Err(until) => until,
            };
            let most = if end.is_some() { PAUSE } else { Duration::MAX };
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None if end.is_none() => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                time => wait(&self.arrived, state, time.unwrap_or(PAUSE).min(most)),
            };
        }
    }

    /// Ends [`Merge::run`] once everything is printed.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.arrived.notify_one();
    }

    fn print<'s>(
        &'s self,
        mut state: MutexGuard<'s, State<'p>>,
        index: usize,
        pieces: &[Piece],
    ) -> MutexGuard<'s, State<'p>> {
        let Some(mut printer) = state.printers[index].take() else { return state };
        let length = pieces.iter().map(|piece| piece.bytes.len()).sum();
        state.printing = (index, length);
        // The others may go on meanwhile.
        drop(state);
        let printed = print(&mut printer, pieces);
        let mut state = lock(&self.state);
        state.printing = (index, 0);
        state.has_failed |= printed.is_err();
        state.printers[index] = Some(printer);
        // A log waits until half of what may be held is printed, or all of it.
        let left = state.held(index);
        if left == 0 || left <= HALF && left + length > HALF || state.has_failed {
            self.printed.notify_all();
        }
        state
    }
}

fn wait<'s, T>(condition: &Condvar, state: MutexGuard<'s, T>, time: Duration) -> MutexGuard<'s, T> {
    condition.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
}

impl State<'_> {
    /// How many bytes of a log are not printed yet.
    fn held(&self, index: usize) -> usize {
        let printing = if self.printing.0 == index { self.printing.1 } else { 0 };
        self.order.queues[index].bytes + printing
    }
}

/// Prints pieces of one log, those that are adjacent at once.
fn print(printer: &mut Printer, pieces: &[Piece]) -> Result<(), ()> {
    for adjacent in pieces.chunk_by(|_, next| !next.is_apart) {
        if adjacent[0].is_apart {
            printer.separate().map_err(|_| ())?;
        }
        let bytes = adjacent.iter().map(|piece| &piece.bytes[..]).collect::<Vec<_>>().concat();
        printer.print(&bytes, &mut || {}).map_err(|_| ())?;
    }
    Ok(())
}

impl Input<'_, '_> {
    /// Sets the zone of the log's times that do not say theirs.
    pub(super) fn set_zone(&mut self, zone: Zone) {
        self.entries.set_zone(zone);
    }

    /// Hands in bytes. `waiting` is called regularly while there is no room for them.
    ///
    /// # Errors
    /// When nothing more can be printed.
    pub(super) fn push(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        let mut whole = memchr::memrchr(b'\n', &self.unfinished).map_or(0, |last| last + 1);
        if self.unfinished.len() - whole > MOST_HELD {
            whole = self.unfinished.len();
        }
        let rest = self.unfinished.split_off(whole);
        let lines = std::mem::replace(&mut self.unfinished, rest);
        self.hand_in(&lines, waiting)
    }

    fn hand_in(&mut self, lines: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let (found, arrived) = (self.entries.find(lines), Instant::now());
        let mut state = lock(&self.merge.state);
        for entry in found {
            let (bytes, is_apart) = (lines[entry.lines].to_vec(), std::mem::take(&mut self.is_apart));
            let piece = Piece { time: entry.time, continues: entry.continues, is_apart, bytes, arrived };
            state.order.queues[self.index].push(piece);
        }
        self.merge.arrived.notify_one();
        let mut since = Instant::now();
        let is_full = state.order.queues[self.index].bytes > MOST_HELD;
        while is_full && state.order.queues[self.index].bytes > HALF && !state.has_failed && !state.is_over {
            state = wait(&self.merge.printed, state, PAUSE);
            if since.elapsed() >= PAUSE {
                drop(state);
                waiting();
                since = Instant::now();
                state = lock(&self.merge.state);
            }
        }
        if state.has_failed { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Lines are left out here.
    pub(super) fn separate(&mut self) -> io::Result<()> {
        self.end_line()?;
        self.is_apart = true;
        Ok(())
    }

    /// Ends an unfinished line, because what comes next does not continue it.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if self.unfinished.is_empty() && !self.entries.is_within_line() {
            return Ok(());
        }
        let mut line = std::mem::take(&mut self.unfinished);
        line.push(b'\n');
        self.hand_in(&line, &mut || {})
    }

    /// How many bytes are not printed yet.
    pub(super) fn held(&self) -> usize {
        self.unfinished.len() + lock(&self.merge.state).held(self.index)
    }

    /// Whether nothing more can be printed.
    pub(super) fn has_failed(&self) -> bool {
        lock(&self.merge.state).has_failed
    }

    /// Waits until everything is printed but an unfinished line, or nothing more is.
    pub(super) fn drain(&self) {
        let mut state = lock(&self.merge.state);
        while state.held(self.index) > 0 && !state.has_failed && !state.is_over {
            state = wait(&self.merge.printed, state, PAUSE);
        }
    }
}

impl Drop for Input<'_, '_> {
    fn drop(&mut self) {
        lock(&self.merge.state).order.queues[self.index].is_ended = true;
        self.merge.arrived.notify_one();
    }
}
