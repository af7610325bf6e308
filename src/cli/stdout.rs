//! Shares stdout between several logs. No log interrupts a line of another, and the process that reads stdout may be
//! slow or go away. It knows only bytes: `printer` makes lines of them.

use std::io;
use std::io::ErrorKind::{BrokenPipe, Interrupted, WouldBlock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use wstail::{Error, Result, Shutdown};

use super::cursor_file::{Comparison, OutputFile, Surplus};
use super::device::{Device, wait_for_reader_to_leave};
use super::{Exit, SharedTrigger, lock, print_error};

/// Stdout, shared by all logs, until it is closed.
pub(super) struct Stdout {
    /// A thread takes the device, writes, and puts it back.
    device: (Sender<Device>, Receiver<Device>),
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

impl Stdout {
    pub(super) fn new(trigger: SharedTrigger, shutdown: Shutdown) -> Result<Stdout> {
        let failed = |error| Error::io("cannot use stdout", error);
        let device = Device::stdout().map_err(failed)?;
        let (sender, receiver) = crossbeam_channel::bounded(1);
        sender.send(device).expect("there is room for one");
        Ok(Stdout {
            device: (sender, receiver),
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
        OutputFile::of(&Device::stdout().ok()?.metadata().ok()?)
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
        let mut device = self.acquire(part.owner, waiting)?;
        let result = self.write_part(&mut device, part, waiting);
        match &result {
            Ok(()) => self.device.0.send(device).expect("both ends are here"),
            // Keep the device: half a line may have been written, and nothing of another log must follow it.
            Err(error) if self.shutdown.is_triggered() && matches!(error.kind(), Interrupted | BrokenPipe) => {}
            Err(error) => self.close(error),
        }
        result
    }

    /// Takes the device, once no other log has it or is in the middle of a line.
    fn acquire(&self, owner: u64, waiting: &mut dyn FnMut()) -> io::Result<Device> {
        loop {
            match self.device.1.recv_timeout(PATIENCE) {
                Ok(device) if self.is_free(owner) => return Ok(device),
                Ok(device) => {
                    self.device.0.send(device).expect("both ends are here");
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

    fn write_part(&self, device: &mut Device, part: OutputPart<'_>, waiting: &mut dyn FnMut()) -> io::Result<()> {
        let OutputPart { owner, bytes, head, end } = part;
        let continues = match lock(&self.open).take() {
            Some(line) if line.owner != owner => {
                self.write_pieces(device, line.end, waiting)?;
                false
            }
            line => line.is_some(),
        };
        if let (Some(head), false) = (head, continues) {
            self.write_pieces(device, head, waiting)?;
        }
        let written = self.write_new(device, bytes, waiting);
        *lock(&self.open) = end.map(|end| OpenLine { owner, end, since: Instant::now() });
        written
    }

    /// Writes those bytes that are not known to be in the output already.
    fn write_new(&self, device: &mut Device, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
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
                other.pieces().try_for_each(|piece| self.write_pieces(device, &piece?, waiting))?;
                0
            }
        };
        self.written.fetch_add(there as u64, Ordering::Relaxed);
        self.write_pieces(device, &bytes[there..], waiting)
    }

    /// Writes everything. A reader that stopped reading delays neither a shutdown nor the server.
    fn write_pieces(&self, device: &mut Device, mut bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        while !bytes.is_empty() {
            if !self.has_room(device)? {
                waiting();
                continue;
            }
            match device.write(bytes) {
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
    fn has_room(&self, device: &Device) -> io::Result<bool> {
        if !self.shutdown.is_triggered() {
            return device.has_room(Some(&self.shutdown), PATIENCE);
        }
        if device.has_room(None, self.left())? { Ok(true) } else { Err(Interrupted.into()) }
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
        wait_for_reader_to_leave(&self.shutdown);
        if !self.shutdown.is_triggered() {
            self.close(&BrokenPipe.into());
        }
    }
}
