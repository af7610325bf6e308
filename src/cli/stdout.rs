//! Shares stdout between several logs. No log interrupts a line of another, and the process that reads stdout may be
//! slow or go away. It knows only bytes: `printer` makes lines of them.

use std::fs::File;
use std::io::ErrorKind::{BrokenPipe, Interrupted, WouldBlock};
use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use wstail::{Error, Result, Shutdown};

use super::record::{Comparison, OutputFile, Surplus};
use super::{Exit, SharedTrigger, lock, print_error};

/// Stdout, shared by all logs, until it is closed.
pub(super) struct Stdout {
    /// A thread takes the file, writes, and puts it back.
    file: (Sender<File>, Receiver<File>),
    /// Whether it is a file, which never blocks.
    is_file: bool,
    /// What an earlier run already printed.
    surplus: Mutex<Option<Surplus>>,
    /// A line with only its beginning printed.
    open: Mutex<Option<OpenLine>>,
    /// Whole lines that will be written together, see [`Stdout::together`].
    gathered: Mutex<Option<Vec<u8>>>,
    /// The number of logs that print.
    owners: AtomicU64,
    /// How many bytes were written, or were in the output already.
    written: AtomicU64,
    /// How the command ends once nothing more can be written.
    closed: Mutex<Option<Exit>>,
    /// The deadline for writing after a shutdown.
    grace: OnceLock<Instant>,
    trigger: SharedTrigger,
    shutdown: Shutdown,
}

/// A line of one log with only its beginning printed. The other logs wait until it ends.
#[derive(Debug)]
struct OpenLine {
    owner: u64,
    /// The bytes that would end it.
    end: &'static [u8],
    /// When a part of it was last printed.
    since: Instant,
}

/// Bytes of one log to print at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OutputPart<'b> {
    /// The log they belong to, see [`Stdout::owner`].
    pub owner: u64,
    pub bytes: &'b [u8],
    /// Set if the bytes continue a line: printed before them if the line has been ended for another log.
    pub head: Option<&'b [u8]>,
    /// Set if the bytes end within a line: this would end it.
    pub end: Option<&'static [u8]>,
}

/// The owner of lines of several logs.
const GATHERED: u64 = u64::MAX;
/// How long the other logs wait for the rest of a line. Then it is ended for them.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// How long to wait for stdout at a time.
const PATIENCE: Duration = Duration::from_millis(200);
/// A pipe that is ready accepts this much at once (PIPE_BUF, pipe(7)).
const PIPE_ROOM: usize = 4096;

impl Stdout {
    pub(super) fn new(trigger: SharedTrigger, shutdown: Shutdown) -> Result<Stdout> {
        let failed = |error| Error::io("cannot use stdout", error);
        // Not buffered: a line is on the terminal when it is printed.
        let file = File::from(io::stdout().as_fd().try_clone_to_owned().map_err(failed)?);
        let is_file = file.metadata().map_err(failed)?.is_file();
        let (sender, receiver) = crossbeam_channel::bounded(1);
        sender.send(file).expect("there is room for one");
        Ok(Stdout {
            file: (sender, receiver),
            is_file,
            surplus: Mutex::new(None),
            open: Mutex::new(None),
            gathered: Mutex::new(None),
            owners: AtomicU64::new(0),
            written: AtomicU64::new(0),
            closed: Mutex::new(None),
            grace: OnceLock::new(),
            trigger,
            shutdown,
        })
    }

    /// Returns the number for another log.
    pub(super) fn owner(&self) -> u64 {
        self.owners.fetch_add(1, Ordering::Relaxed)
    }

    /// Sets what is in the output already and must not be printed again.
    pub(super) fn pass_over(&self, surplus: Option<Surplus>) {
        *lock(&self.surplus) = surplus;
    }

    /// Whether it is not certain that what was written will stay: it is still being compared with what is in the
    /// output, or the reader of a pipe has left, and nobody knows how much it read.
    pub(super) fn is_unsure(&self) -> bool {
        lock(&self.surplus).is_some() || self.closed().is_some()
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The file that stdout is, as it is now; `None` for a pipe or a terminal.
    pub(super) fn output(&self) -> Option<OutputFile> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().ok()?;
        OutputFile::of(&File::from(stdout)).ok()?
    }

    /// Calls `print`, and writes all whole lines together that it prints, also those of several logs. Nothing else may print
    /// meanwhile.
    pub(super) fn together(&self, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        *lock(&self.gathered) = Some(Vec::new());
        let printed = print();
        let gathered = lock(&self.gathered).take().unwrap_or_default();
        printed?;
        self.write_in_turn(OutputPart { owner: GATHERED, bytes: &gathered, ..OutputPart::default() }, &mut || {})
    }

    /// Writes bytes without anything of another log in between, and not within a line of another log. After an error
    /// nobody reads the output any more.
    pub(super) fn write(&self, part: OutputPart<'_>, waiting: &mut dyn FnMut()) -> io::Result<()> {
        let before = match &mut *lock(&self.gathered) {
            Some(gathered) if part.head.is_none() && part.end.is_none() => {
                gathered.extend_from_slice(part.bytes);
                return Ok(());
            }
            Some(gathered) => std::mem::take(gathered),
            None => Vec::new(),
        };
        self.write_in_turn(OutputPart { owner: GATHERED, bytes: &before, ..OutputPart::default() }, waiting)?;
        self.write_in_turn(part, waiting)
    }

    fn write_in_turn(&self, part: OutputPart<'_>, waiting: &mut dyn FnMut()) -> io::Result<()> {
        if part.bytes.is_empty() && part.head.is_none() {
            return Ok(());
        }
        let mut file = self.acquire(part.owner, waiting)?;
        let result = self.write_part(&mut file, part, waiting);
        match &result {
            Ok(()) => self.file.0.send(file).expect("both ends are here"),
            // Keep the file: half a line may have been written, and nothing of another log must follow it.
            Err(error) if self.shutdown.is_triggered() && matches!(error.kind(), Interrupted | BrokenPipe) => {}
            Err(error) => self.close(error),
        }
        result
    }

    /// Takes the file, once no other log has it or is in the middle of a line.
    fn acquire(&self, owner: u64, waiting: &mut dyn FnMut()) -> io::Result<File> {
        loop {
            match self.file.1.recv_timeout(PATIENCE) {
                Ok(file) if self.is_free(owner) => return Ok(file),
                Ok(file) => {
                    self.file.0.send(file).expect("both ends are here");
                    // At a shutdown, the other log ends its line.
                    if self.shutdown.is_triggered() && self.left().is_zero() {
                        return Err(Interrupted.into());
                    }
                    thread::sleep(PATIENCE / 10);
                }
                Err(_) if self.shutdown.is_triggered() => return Err(Interrupted.into()),
                Err(_) => {}
            }
            waiting();
        }
    }

    fn is_free(&self, owner: u64) -> bool {
        let open = lock(&self.open);
        open.as_ref().is_none_or(|line| line.owner == owner || line.since.elapsed() >= LONGEST_SILENCE)
    }

    fn write_part(&self, file: &mut File, part: OutputPart<'_>, waiting: &mut dyn FnMut()) -> io::Result<()> {
        let OutputPart { owner, bytes, head, end } = part;
        let continues = match lock(&self.open).take() {
            Some(line) if line.owner != owner => {
                self.write_pieces(file, line.end, waiting)?;
                false
            }
            line => line.is_some(),
        };
        if let (Some(head), false) = (head, continues) {
            self.write_pieces(file, head, waiting)?;
        }
        let written = self.write_new(file, bytes, waiting);
        *lock(&self.open) = end.map(|end| OpenLine { owner, end, since: Instant::now() });
        written
    }

    /// Writes those bytes that are not known to be in the output already.
    fn write_new(&self, file: &mut File, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let mut surplus = lock(&self.surplus);
        let comparison = match surplus.as_mut() {
            Some(surplus) => surplus.compare(bytes),
            None => Comparison::Passed(0),
        };
        let there = match comparison {
            Comparison::Same => bytes.len(),
            Comparison::Passed(there) => {
                *surplus = None;
                there
            }
            Comparison::Other => {
                let other = surplus.take().expect("it was compared");
                drop(surplus);
                self.written.fetch_sub(other.same(), Ordering::Relaxed);
                other.pieces().try_for_each(|piece| self.write_pieces(file, &piece?, waiting))?;
                0
            }
        };
        self.written.fetch_add(there as u64, Ordering::Relaxed);
        self.write_pieces(file, &bytes[there..], waiting)
    }

    /// Writes everything. A reader that stopped reading delays neither a shutdown nor the server.
    fn write_pieces(&self, file: &mut File, mut bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        while !bytes.is_empty() {
            if !self.has_room(file)? {
                waiting();
                continue;
            }
            let written = if self.is_file { file.write(bytes) } else { write_now(file, bytes) };
            match written {
                Ok(written) => {
                    self.written.fetch_add(written as u64, Ordering::Relaxed);
                    bytes = &bytes[written..];
                }
                Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether there is room to write. After a shutdown, the reader gets a moment to take what was received.
    fn has_room(&self, file: &File) -> io::Result<bool> {
        let mut fds = [PollFd::new(file, PollFlags::OUT), PollFd::new(&self.shutdown, PollFlags::IN)];
        let is_last = self.shutdown.is_triggered();
        let (fds, left) = if is_last { (&mut fds[..1], self.left()) } else { (&mut fds[..], PATIENCE) };
        match poll(fds, Timespec::try_from(left).ok().as_ref()) {
            Err(Errno::INTR) => return Ok(false),
            result => result?,
        };
        let has_room = !fds[0].revents().is_empty();
        if has_room || !is_last { Ok(has_room) } else { Err(Interrupted.into()) }
    }

    fn left(&self) -> Duration {
        let now = Instant::now();
        self.grace.get_or_init(|| now + PATIENCE).saturating_duration_since(now)
    }

    fn close(&self, error: &io::Error) {
        let mut closed = lock(&self.closed);
        if closed.is_none() {
            let pipe = error.kind() == BrokenPipe;
            if !pipe {
                let error = error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error);
                print_error(&Error::io("cannot write to stdout", error));
            }
            *closed = Some(if pipe { Exit::Done } else { Exit::Failed });
        }
        self.end();
    }

    pub(super) fn closed(&self) -> Option<Exit> {
        *lock(&self.closed)
    }

    /// Ends every thread.
    pub(super) fn end(&self) {
        lock(&self.trigger).take();
    }

    /// Ends every thread when the reader of a pipe has left: at once, as `tail` does, rather than at the next line.
    pub(super) fn watch(&self) {
        let stdout = io::stdout();
        let stdout = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
        let mut fds = [stdout, PollFd::new(&self.shutdown, PollFlags::IN)];
        while poll(&mut fds, None).is_err_and(|errno| errno == Errno::INTR) {}
        if !self.shutdown.is_triggered() {
            self.close(&BrokenPipe.into());
        }
    }
}

/// Writes as much as there is room for, after poll(2) has reported room.
fn write_now(file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    // The current position, which is the only one that a pipe has.
    const NEXT: u64 = u64::MAX;
    match pwritev2(&*file, &[IoSlice::new(bytes)], NEXT, ReadWriteFlags::NOWAIT) {
        // Pipes support this since Linux 6.5, terminals do not.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => file.write(&bytes[..bytes.len().min(PIPE_ROOM)]),
        result => Ok(result?),
    }
}
