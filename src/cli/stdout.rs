//! Stdout, which several logs share: nothing of one comes in the middle of another's, and a reader may be slow or leave.

use std::borrow::Cow;
use std::fs::File;
use std::io::ErrorKind::{BrokenPipe, Interrupted, WouldBlock};
use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use wstail::{Error, Result, Shutdown};

use super::record::{Comparison, Output, Surplus};
use super::{Exit, Trigger, lock, print_error};

/// Stdout, shared by all logs, until it is closed.
pub(super) struct Stdout {
    /// Whoever holds the file writes, and hands it back.
    file: (Sender<File>, Receiver<File>),
    /// It takes everything at any time.
    is_file: bool,
    /// What an earlier run has printed of what comes now.
    surplus: Mutex<Option<Surplus>>,
    /// How many bytes were written, or stood there already.
    written: AtomicU64,
    /// How the command ends now that nothing more can be written.
    closed: Mutex<Option<Exit>>,
    /// Until when room is waited for after the order to stop.
    grace: OnceLock<Instant>,
    trigger: Trigger,
    shutdown: Shutdown,
}

/// How long one waits for stdout before something else is done.
const PATIENCE: Duration = Duration::from_millis(200);
/// A pipe that is ready takes that much at once (PIPE_BUF, pipe(7)).
const PIPE_ROOM: usize = 4096;

impl Stdout {
    pub(super) fn new(trigger: Trigger, shutdown: Shutdown) -> Result<Stdout> {
        let failed = |error| Error::io("cannot use stdout", error);
        // Written to without a buffer: a line is on the terminal when it is printed.
        let file = File::from(io::stdout().as_fd().try_clone_to_owned().map_err(failed)?);
        let is_file = file.metadata().map_err(failed)?.is_file();
        let (sender, receiver) = crossbeam_channel::bounded(1);
        sender.send(file).expect("there is room for one");
        let (surplus, closed) = (Mutex::new(None), Mutex::new(None));
        let written = AtomicU64::new(0);
        let grace = OnceLock::new();
        Ok(Stdout { file: (sender, receiver), is_file, surplus, written, closed, grace, trigger, shutdown })
    }

    /// What stands in the output already is not printed again.
    pub(super) fn pass_over(&self, surplus: Option<Surplus>) {
        *lock(&self.surplus) = surplus;
    }

    /// Whether what was written is not known to be where it shall stay: it is still compared with what stands in the
    /// output, or the reader of a pipe has left, and nobody knows how much it took.
    pub(super) fn is_unsure(&self) -> bool {
        lock(&self.surplus).is_some() || self.closed().is_some()
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The file that stdout is, as it is now; `None` for a pipe or a terminal.
    pub(super) fn output(&self) -> Option<Output> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().ok()?;
        Output::of(&File::from(stdout)).ok()?
    }

    /// Writes with nothing of another log in between. After an error nobody is left to write for.
    pub(super) fn write(&self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let new = self.unwritten(bytes);
        if new.is_empty() {
            return Ok(());
        }
        let mut file = loop {
            match self.file.1.recv_timeout(PATIENCE) {
                Ok(file) => break file,
                Err(_) if self.shutdown.is_ordered() => return Err(Interrupted.into()),
                Err(_) => waiting(),
            }
        };
        let result = self.write_pieces(&mut file, &new, waiting);
        match &result {
            Ok(()) => self.file.0.send(file).expect("both ends are here"),
            // The file is not handed back: half a line may stand there, and nothing of another log is to follow it.
            Err(error) if self.shutdown.is_ordered() && matches!(error.kind(), Interrupted | BrokenPipe) => {}
            Err(error) => self.close(error),
        }
        result
    }

    /// What of the bytes does not stand in the output yet, as far as that is known.
    fn unwritten<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let mut surplus = lock(&self.surplus);
        let Some(held) = surplus.as_mut() else { return bytes.into() };
        match held.compare(bytes) {
            Comparison::Same => {
                self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Cow::Borrowed(&[])
            }
            Comparison::Passed(there) => {
                *surplus = None;
                self.written.fetch_add(there as u64, Ordering::Relaxed);
                bytes[there..].into()
            }
            Comparison::Other(mut held) => {
                *surplus = None;
                self.written.fetch_sub(held.len() as u64, Ordering::Relaxed);
                held.extend_from_slice(bytes);
                held.into()
            }
        }
    }

    /// A reader that has stopped reading keeps neither the order to stop nor the server waiting.
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

    /// After the order to stop whoever reads has a moment left to take what had come.
    fn has_room(&self, file: &File) -> io::Result<bool> {
        let mut fds = [PollFd::new(file, PollFlags::OUT), PollFd::new(&self.shutdown, PollFlags::IN)];
        let is_last = self.shutdown.is_ordered();
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

    /// Every thread is to end.
    pub(super) fn end(&self) {
        lock(&self.trigger).take();
    }

    /// Ends every thread when the reader of a pipe has left: at once, as `tail` does, and not only at the next line.
    pub(super) fn watch(&self) {
        let stdout = io::stdout();
        let stdout = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
        let mut fds = [stdout, PollFd::new(&self.shutdown, PollFlags::IN)];
        while poll(&mut fds, None).is_err_and(|errno| errno == Errno::INTR) {}
        if !self.shutdown.is_ordered() {
            self.close(&BrokenPipe.into());
        }
    }
}

/// Writes to what poll(2) says has room, as much as there is room for.
fn write_now(file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    // At the end of what was written before, which is all that a pipe knows.
    const NEXT: u64 = u64::MAX;
    match pwritev2(&*file, &[IoSlice::new(bytes)], NEXT, ReadWriteFlags::NOWAIT) {
        // Pipes know it since Linux 6.5, terminals do not.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => file.write(&bytes[..bytes.len().min(PIPE_ROOM)]),
        result => Ok(result?),
    }
}
