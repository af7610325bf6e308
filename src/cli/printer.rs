//! What `wstail tail` prints: the lines of each log, and nothing of one in the middle of another's.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use wstail::text::sanitize::Terminal;
use wstail::text::utf8::Decoder;
use wstail::{Error, Result, Shutdown};

use super::{Exit, Trigger, lock, print_error};

/// Beside other logs a longer line is printed in pieces of this size, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// What one log's bytes look like on stdout.
pub(super) struct Printer<'p> {
    stdout: &'p Stdout,
    name: Option<String>,
    /// Text is decoded and cleaned for a terminal; everywhere else bytes stay what they are.
    clean: Option<(Decoder, Terminal)>,
    raw: bool,
    /// With other logs beside it: the beginning of a line whose end has not come.
    unfinished: Vec<u8>,
    /// Alone on stdout: the last byte printed ended no line.
    in_line: bool,
    begun: bool,
}

impl<'p> Printer<'p> {
    /// `name` goes before each line where there are other logs; `color`: whether the log's own colours reach a terminal.
    pub(super) fn new(stdout: &'p Stdout, name: Option<String>, raw: bool, color: bool) -> Printer<'p> {
        let clean = (!raw && io::stdout().is_terminal()).then(|| (Decoder::default(), Terminal::new(color)));
        Printer { stdout, name, clean, raw, unfinished: Vec::new(), in_line: false, begun: false }
    }

    /// A connection stands; whether it is another one than the first.
    pub(super) fn begin(&mut self) -> bool {
        if self.begun {
            let _ = self.end();
            if std::mem::take(&mut self.in_line) && !self.raw {
                let _ = self.stdout.write(b"\n");
            }
        }
        std::mem::replace(&mut self.begun, true)
    }

    pub(super) fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
        let cleaned;
        let bytes = match &mut self.clean {
            None => bytes,
            Some((decoder, terminal)) => {
                let (mut text, mut clean) = (String::new(), String::new());
                decoder.decode(bytes, &mut text);
                terminal.clean(&text, &mut clean);
                cleaned = clean;
                cleaned.as_bytes()
            }
        };
        if self.name.is_some() { self.print_beside_others(bytes) } else { self.put(bytes) }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(last) = bytes.last() {
            self.in_line = *last != b'\n';
            self.stdout.write(bytes)?;
        }
        Ok(())
    }

    /// Whole lines only, each with the log's name before it.
    fn print_beside_others(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        if self.unfinished.len() > LONGEST_LINE {
            self.unfinished.push(b'\n');
        }
        let Some(last) = memchr::memrchr(b'\n', &self.unfinished) else { return Ok(()) };
        let rest = self.unfinished.split_off(last + 1);
        let lines = std::mem::replace(&mut self.unfinished, rest);
        let lines = self.prefixed(&lines);
        self.stdout.write(&lines)
    }

    fn prefixed(&self, lines: &[u8]) -> Vec<u8> {
        let Some(name) = self.name.as_ref().filter(|_| !self.raw) else { return lines.to_vec() };
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
        if let Some((decoder, terminal)) = &mut self.clean {
            let (mut text, mut clean) = (String::new(), String::new());
            decoder.finish(&mut text);
            terminal.clean(&text, &mut clean);
            terminal.finish(&mut clean);
            if self.name.is_some() {
                self.unfinished.extend_from_slice(clean.as_bytes());
            } else {
                self.stdout.write(clean.as_bytes())?;
            }
        }
        if self.unfinished.is_empty() {
            return Ok(());
        }
        self.print_beside_others(b"\n")
    }
}

/// Stdout, shared by all logs, until it is closed.
pub(super) struct Stdout {
    stdout: Mutex<File>,
    /// How the command ends now that nothing more can be written.
    closed: Mutex<Option<Exit>>,
    trigger: Trigger,
}

impl Stdout {
    pub(super) fn new(trigger: Trigger) -> Result<Stdout> {
        // Written to without a buffer: a line is on the terminal when it is printed.
        let stdout = io::stdout().as_fd().try_clone_to_owned();
        let stdout = stdout.map_err(|error| Error::io("cannot use stdout", error))?;
        Ok(Stdout { stdout: Mutex::new(File::from(stdout)), closed: Mutex::new(None), trigger })
    }

    /// Writes in one piece; after an error nobody is left to write for.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let result = lock(&self.stdout).write_all(bytes);
        if let Err(error) = &result {
            self.close(error);
        }
        result
    }

    fn close(&self, error: &io::Error) {
        let mut closed = lock(&self.closed);
        if closed.is_none() {
            let pipe = error.kind() == io::ErrorKind::BrokenPipe;
            if !pipe {
                print_error(&format!("cannot write to stdout: {error}"));
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
    pub(super) fn watch(&self, shutdown: &Shutdown) {
        let stdout = io::stdout();
        let stdout = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
        let mut fds = [stdout, PollFd::new(shutdown, PollFlags::IN)];
        while poll(&mut fds, None).is_err_and(|errno| errno == Errno::INTR) {}
        if !shutdown.is_ordered() {
            self.close(&io::ErrorKind::BrokenPipe.into());
        }
    }
}
