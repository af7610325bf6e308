//! Prints the entries of several logs in the order of their times: `wstail tail --merge`.
//!
//! The threads that read logs hand in what has come, and one more thread prints it. In which order is decided in `order`,
//! and what an entry is in `entries`.

mod entries;
mod order;

use std::collections::HashMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wstail::Shutdown;
use wstail::select::zone::Zone;

use self::entries::EntryFinder;
pub(super) use self::order::Patience;
use self::order::{EntryPiece, Order, Rank};
use super::lock;
use super::printer::Printer;
use super::stdout::Stdout;

/// How long to wait for room at a time, and between two signs of life.
const PAUSE: Duration = Duration::from_millis(200);
/// How much is printed at once, in bytes.
const PRINTED: usize = 64 * 1024;
/// How much of a log is handed in at once, in bytes, and which part of what is held of it.
const HANDED_IN: usize = 64 * 1024;
const PART: usize = 8;
/// For how long after a shutdown what is held is printed.
const GRACE: Duration = Duration::from_millis(500);

/// What all logs have in common.
pub(super) struct Merge<'p> {
    stdout: &'p Stdout,
    state: Mutex<MergeState<'p>>,
    /// Something has come, or a log has ended.
    arrived: Condvar,
    /// There is more room, or nothing more can be printed.
    printed: Condvar,
}

struct MergeState<'p> {
    order: Order,
    /// The printers of logs that were added, for [`Merge::run`].
    added: Vec<(usize, Printer<'p>)>,
    /// Nothing more can be printed.
    has_failed: bool,
    /// Nothing more is printed, because of a shutdown.
    is_over: bool,
    /// No log will be added any more.
    is_closed: bool,
}

/// A log whose entries are merged with those of others. Dropping it ends the log.
pub(super) struct MergeInput<'m, 'p> {
    merge: &'m Merge<'p>,
    index: usize,
    entries: EntryFinder,
    /// An unfinished line.
    unfinished: Vec<u8>,
    is_apart: bool,
}

impl<'p> Merge<'p> {
    pub(super) fn new(patience: Patience, stdout: &'p Stdout) -> Merge<'p> {
        let (order, added) = (Order::new(patience), Vec::new());
        let state = MergeState { order, added, has_failed: false, is_over: false, is_closed: false };
        Merge { stdout, state: Mutex::new(state), arrived: Condvar::new(), printed: Condvar::new() }
    }

    /// Adds a log. `rank` decides between equal times. Without a printer it stands for logs that are not known yet.
    pub(super) fn add(&self, rank: Rank, printer: Option<Printer<'p>>) -> MergeInput<'_, 'p> {
        let mut state = lock(&self.state);
        let index = state.order.add(rank);
        state.added.extend(printer.map(|printer| (index, printer)));
        MergeInput {
            merge: self,
            index,
            entries: EntryFinder::new(Zone::utc()),
            unfinished: Vec::new(),
            is_apart: false,
        }
    }

    /// Prints until all logs have ended and [`Merge::close`] was called, or nothing more can be printed, or for a moment
    /// after a shutdown. What is not printed then stays held.
    pub(super) fn run(&self, shutdown: &Shutdown) {
        // Declared first, so that it is dropped when the lock is free.
        let _end = PrintingEnd { merge: self };
        let mut state = lock(&self.state);
        // By the numbers of their logs. One that has ended is replaced when its number is given to another log.
        let mut printers = HashMap::new();
        let mut end = None;
        loop {
            if shutdown.is_triggered() {
                let end = *end.get_or_insert_with(|| Instant::now() + GRACE);
                state.is_over |= Instant::now() >= end;
            }
            if state.has_failed || state.is_over {
                return;
            }
            printers.extend(state.added.drain(..));
            let until = match state.order.take(Instant::now(), PRINTED) {
                Ok(pieces) => {
                    state = self.print(state, &mut printers, &pieces);
                    continue;
                }
                Err(None) if state.is_closed && state.order.is_over() => return,
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
        state: MutexGuard<'s, MergeState<'p>>,
        printers: &mut HashMap<usize, Printer<'p>>,
        pieces: &[(usize, EntryPiece)],
    ) -> MutexGuard<'s, MergeState<'p>> {
        // The others may go on meanwhile.
        drop(state);
        let printed = self.stdout.together(|| print(printers, pieces));
        let mut state = lock(&self.state);
        state.has_failed |= printed.is_err();
        let mut is_awaited = state.has_failed;
        for (index, piece) in pieces {
            is_awaited |= state.order.note_printed(*index, piece.bytes.len());
        }
        if is_awaited {
            self.printed.notify_all();
        }
        state
    }
}

/// The end of [`Merge::run`], also after a panic: those who wait for room or for the end of printing go on.
struct PrintingEnd<'m, 'p> {
    merge: &'m Merge<'p>,
}

impl Drop for PrintingEnd<'_, '_> {
    fn drop(&mut self) {
        let mut state = lock(&self.merge.state);
        state.is_over = true;
        if thread::panicking() {
            state.has_failed = true;
            self.merge.stdout.end();
        }
        self.merge.printed.notify_all();
    }
}

fn wait<'s, T>(condition: &Condvar, state: MutexGuard<'s, T>, time: Duration) -> MutexGuard<'s, T> {
    condition.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
}

/// Prints pieces, those of one log that are adjacent at once.
fn print(printers: &mut HashMap<usize, Printer<'_>>, pieces: &[(usize, EntryPiece)]) -> io::Result<()> {
    let failed = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    for adjacent in pieces.chunk_by(|one, two| one.0 == two.0 && !two.1.is_apart) {
        let (index, first) = &adjacent[0];
        let Some(printer) = printers.get_mut(index) else { continue };
        if first.is_apart {
            printer.separate()?;
        }
        match adjacent {
            [(_, piece)] => printer.print(&piece.bytes, &mut || {}).map_err(failed)?,
            _ => {
                let bytes = adjacent.iter().map(|(_, piece)| &piece.bytes[..]).collect::<Vec<_>>().concat();
                printer.print(&bytes, &mut || {}).map_err(failed)?;
            }
        }
    }
    Ok(())
}

impl MergeInput<'_, '_> {
    /// Sets the zone of the log's times that do not say theirs.
    pub(super) fn set_zone(&mut self, zone: Zone) {
        self.entries.set_zone(zone);
    }

    /// Hands in bytes. `waiting` is called regularly while there is no room for them.
    ///
    /// # Errors
    /// When nothing more can be printed.
    pub(super) fn push(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let room = lock(&self.merge.state).order.room();
        for bytes in bytes.chunks(HANDED_IN.min(room / PART)) {
            let before = self.unfinished.len();
            self.unfinished.extend_from_slice(bytes);
            let mut whole = memchr::memrchr(b'\n', bytes).map_or(0, |last| before + last + 1);
            if self.unfinished.len() - whole > room {
                whole = self.unfinished.len();
            }
            let rest = self.unfinished.split_off(whole);
            let lines = std::mem::replace(&mut self.unfinished, rest);
            self.hand_in(&lines, waiting)?;
        }
        Ok(())
    }

    fn hand_in(&mut self, lines: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let (found, arrived) = (self.entries.find(lines), Instant::now());
        let mut state = lock(&self.merge.state);
        for entry in found {
            let (bytes, is_apart) = (lines[entry.lines].to_vec(), std::mem::take(&mut self.is_apart));
            let piece = EntryPiece { time: entry.time, continues: entry.continues, is_apart, bytes, arrived };
            state.order.push(self.index, piece);
        }
        self.merge.arrived.notify_one();
        let mut since = Instant::now();
        let is_full = state.order.is_full(self.index);
        while is_full && !state.order.has_room(self.index) && !state.has_failed && !state.is_over {
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
        self.unfinished.len() + lock(&self.merge.state).order.held(self.index)
    }

    /// Whether nothing more can be printed.
    pub(super) fn has_failed(&self) -> bool {
        lock(&self.merge.state).has_failed
    }

    /// Waits until everything is printed but an unfinished line, or nothing more is.
    pub(super) fn drain(&self) {
        let mut state = lock(&self.merge.state);
        while state.order.held(self.index) > 0 && !state.has_failed && !state.is_over {
            state = wait(&self.merge.printed, state, PAUSE);
        }
    }
}

impl Drop for MergeInput<'_, '_> {
    fn drop(&mut self) {
        lock(&self.merge.state).order.end(self.index);
        self.merge.arrived.notify_one();
    }
}
