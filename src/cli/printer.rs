//! What `wstail tail` and `wstail demo` print: the lines of each log, and nothing of one in the middle of another's.

use std::borrow::Cow;
use std::fs::File;
use std::io::ErrorKind::{BrokenPipe, Interrupted, WouldBlock};
use std::io::{self, IoSlice, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use wstail::text::sanitize::Terminal;
use wstail::text::utf8::Decoder;
use wstail::{Error, Result, Shutdown};

use super::json::JsonLines;
use super::record::{Comparison, Output, Surplus};
use super::{Exit, Trigger, lock, print_error};

/// Beside other logs a longer line is printed in pieces of this size, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// What one log's bytes look like on stdout.
pub(super) struct Printer<'p> {
    stdout: &'p Stdout,
    name: Option<String>,
    form: Form,
    /// With other logs beside it: the beginning of a line whose end has not come.
    unfinished: Vec<u8>,
    /// Alone on stdout: the last byte printed ended no line.
    in_line: bool,
}

/// What is made of a log's bytes.
pub(super) enum Form {
    /// They stay what they are.
    Raw,
    /// They stay what they are where no terminal reads them.
    Piped,
    /// They are decoded, and cleaned of control characters.
    Terminal(Decoder, Terminal),
    /// One object a line.
    Json(JsonLines),
}

impl Form {
    pub(super) fn raw() -> Form {
        Form::Raw
    }

    /// `color`: whether the log's own colours reach a terminal.
    pub(super) fn text(color: bool) -> Form {
        match io::stdout().is_terminal() {
            true => Form::Terminal(Decoder::default(), Terminal::new(color)),
            false => Form::Piped,
        }
    }

    pub(super) fn json(log: &str) -> Form {
        Form::Json(JsonLines::new(log))
    }
}

impl<'p> Printer<'p> {
    /// `name` goes before each line of text where there are other logs.
    pub(super) fn new(stdout: &'p Stdout, name: Option<String>, form: Form) -> Printer<'p> {
        Printer { stdout, name, form, unfinished: Vec::new(), in_line: false }
    }

    /// What comes next does not continue what was printed last: its line is ended.
    pub(super) fn break_off(&mut self) -> io::Result<()> {
        self.end()?;
        if std::mem::take(&mut self.in_line) && !matches!(self.form, Form::Raw) {
            self.stdout.write(b"\n", &mut || {})?;
        }
        Ok(())
    }

    /// Another file begins: where lines are made of the bytes, the old one's last line ends here.
    pub(super) fn begin_file(&mut self) -> io::Result<()> {
        let makes_lines = match self.form {
            Form::Raw => false,
            Form::Piped | Form::Terminal(..) => self.name.is_some(),
            Form::Json(_) => true,
        };
        if makes_lines { self.end() } else { Ok(()) }
    }

    /// How many bytes of the log came and are not printed yet.
    pub(super) fn held(&self) -> usize {
        match &self.form {
            Form::Json(lines) => lines.held(),
            _ => self.unfinished.len(),
        }
    }

    /// The file that stdout is, as it is now.
    pub(super) fn output(&self) -> Option<Output> {
        self.stdout.output()
    }

    /// Whether what was printed is not known to be where it shall stay: it is still compared with what stands in the
    /// output, or the reader of a pipe has left, and nobody knows how much it took.
    pub(super) fn is_unsure(&self) -> bool {
        lock(&self.stdout.surplus).is_some() || self.stdout.closed().is_some()
    }

    /// Prints what came; `waiting` is called every so often while stdout takes nothing.
    ///
    /// # Errors
    /// When nothing more can be printed, or is to be: how many of the bytes are printed all the same.
    pub(super) fn print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> Result<(), usize> {
        let before = self.stdout.written();
        self.form_and_print(bytes, waiting).map_err(|_| match self.form {
            Form::Raw | Form::Piped if self.name.is_none() => self.stdout.written().saturating_sub(before) as usize,
            _ => 0,
        })
    }

    fn form_and_print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        let formed;
        let bytes = match &mut self.form {
            Form::Raw | Form::Piped => bytes,
            Form::Terminal(decoder, terminal) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.decode(bytes, &mut text);
                terminal.clean(&text, &mut clean);
                formed = clean.into_bytes();
                &formed
            }
            Form::Json(lines) => {
                let mut objects = Vec::new();
                lines.push(bytes, &mut objects);
                return self.stdout.write(&objects, waiting);
            }
        };
        if self.name.is_some() { self.print_beside_others(bytes, waiting) } else { self.put(bytes, waiting) }
    }

    fn put(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        if let Some(last) = bytes.last() {
            self.in_line = *last != b'\n';
            self.stdout.write(bytes, waiting)?;
        }
        Ok(())
    }

    /// Whole lines only, each with the log's name before it.
    fn print_beside_others(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        let whole = memchr::memrchr(b'\n', &self.unfinished).map_or(0, |last| last + 1);
        let rest = self.unfinished.split_off(whole);
        let mut lines = std::mem::replace(&mut self.unfinished, rest);
        if self.unfinished.len() > LONGEST_LINE {
            lines.append(&mut self.unfinished);
            lines.push(b'\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.stdout.write(&self.prefixed(lines), waiting)
    }

    fn prefixed(&self, lines: Vec<u8>) -> Vec<u8> {
        let is_raw = matches!(self.form, Form::Raw);
        let Some(name) = self.name.as_ref().filter(|_| !is_raw) else { return lines };
        let mut out = Vec::with_capacity(lines.len() * 2);
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(line);
        }
        out
    }

    /// The stream is over: what is unfinished stays so, alone; beside others its line is ended.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Raw | Form::Piped => {}
            Form::Terminal(decoder, terminal) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.finish(&mut text);
                terminal.clean(&text, &mut clean);
                terminal.finish(&mut clean);
                if self.name.is_some() {
                    self.unfinished.extend_from_slice(clean.as_bytes());
                } else {
                    self.stdout.write(clean.as_bytes(), &mut || {})?;
                }
            }
            Form::Json(lines) => {
                let mut objects = Vec::new();
                lines.finish(&mut objects);
                return self.stdout.write(&objects, &mut || {});
            }
        }
        if self.unfinished.is_empty() {
            return Ok(());
        }
        self.print_beside_others(b"\n", &mut || {})
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

    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The file that stdout is, as it is now; `None` for a pipe or a terminal.
    pub(super) fn output(&self) -> Option<Output> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().ok()?;
        Output::of(&File::from(stdout)).ok()?
    }

    /// Writes with nothing of another log in between. After an error nobody is left to write for.
    fn write(&self, bytes: &[u8], waiting: &mut dyn FnMut()) -> io::Result<()> {
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
