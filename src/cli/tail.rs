//! `wstail tail`: logs to the terminal, each from its own thread.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::thread;

use argh::{FromArgValue, FromArgs};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use wstail::client::reconnect::Backoff;
use wstail::client::stream::{Received, Stream};
use wstail::client::url::Url;
use wstail::protocol::request::Lines;
use wstail::text::sanitize::Terminal;
use wstail::text::utf8::Decoder;
use wstail::{Error, Result, Shutdown};

use super::{Exit, Trigger, lock, print_error, set_up_log, stop_on_signal};

/// How many lines a new connection asks for after a loss.
const AFTER_LOSS: Lines = Lines::Last(10);

/// Beside other logs a longer line is printed in pieces of this size, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Follow logs that `wstail serve` serves.
#[derive(FromArgs)]
#[argh(subcommand, name = "tail", help_triggers("-h", "--help"))]
pub(super) struct Tail {
    /// logs: ws://HOST:PORT/LOG, http://HOST:PORT/LOG or HOST:PORT/LOG
    #[argh(positional, arg_name = "URL")]
    urls: Vec<String>,

    /// last lines shown first, or `all`; default 10
    #[argh(option, short = 'n', arg_name = "N")]
    lines: Option<Lines>,

    /// stop when the end is reached
    #[argh(switch)]
    no_follow: bool,

    /// text or raw; text cleans control characters on a terminal; default text
    #[argh(option, short = 'o', arg_name = "FORM", default = "Output::Text")]
    output: Output,

    /// whether the log's own colours reach a terminal: auto, always or never; default auto
    #[argh(option, arg_name = "WHEN", default = "Color::Auto")]
    color: Color,

    /// after a loss: auto connects again until Ctrl-C, never ends with 1; default auto
    #[argh(option, arg_name = "WHEN", default = "Retry::Auto")]
    retry: Retry,

    /// no notices on stderr
    #[argh(switch, short = 'q')]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
enum Output {
    Text,
    Raw,
}

#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
enum Retry {
    Auto,
    Never,
}

impl Tail {
    pub(super) fn run(self) -> Result<Exit> {
        set_up_log("warn");
        let urls = self.urls()?;
        let (trigger, shutdown) = stop_on_signal()?;
        let stdout = Stdout::new(trigger)?;
        let names = names(&urls);
        let worst = thread::scope(|scope| {
            scope.spawn(|| stdout.watch(&shutdown));
            let follow = |(url, name)| {
                let printer = Printer::new(&self, name, &stdout);
                Follow { tail: &self, url, printer, shutdown: &shutdown }
            };
            let follows: Vec<_> = urls.into_iter().zip(names).map(follow).collect();
            let threads: Vec<_> = follows.into_iter().map(|follow| scope.spawn(|| follow.run())).collect();
            let exits = threads.into_iter().map(|thread| thread.join().unwrap_or(Exit::Failed));
            let worst = exits.max().unwrap_or(Exit::Done);
            stdout.end();
            worst
        });
        Ok(stdout.closed().unwrap_or(worst))
    }

    fn urls(&self) -> Result<Vec<Url>> {
        if self.urls.is_empty() {
            return Err(super::usage("no URL was given"));
        }
        let urls = self.urls.iter().map(|text| {
            let mut url: Url = text.parse()?;
            if self.no_follow || !url.names("tail") {
                url.set_tail(!self.no_follow);
            }
            if self.lines.is_some() || !url.names("lines") {
                url.set_lines(self.lines.unwrap_or(Lines::Last(10)));
            }
            Ok(url)
        });
        urls.collect()
    }

    fn color(&self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// The prefix of each log's lines: none for a single one, more than its name where two have the same.
fn names(urls: &[Url]) -> Vec<Option<String>> {
    let logs: Vec<String> = urls.iter().map(Url::log).collect();
    let is_unique = |log: &String| logs.iter().filter(|other| *other == log).count() == 1;
    let name = |(url, log): (&Url, &String)| if is_unique(log) { log.clone() } else { url.to_string() };
    urls.iter().zip(&logs).map(|pair| (urls.len() > 1).then(|| name(pair))).collect()
}

/// One log, from the first connection to the last.
struct Follow<'t> {
    tail: &'t Tail,
    url: Url,
    printer: Printer<'t>,
    shutdown: &'t Shutdown,
}

impl Follow<'_> {
    fn run(mut self) -> Exit {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.connect(&mut backoff) {
                Ok(exit) => return exit,
                Err(error) => error,
            };
            if self.shutdown.is_ordered() {
                return Exit::Interrupted;
            }
            let refused = error.status().is_some_and(|status| (300..500).contains(&status));
            if error.is_usage() || refused || self.tail.retry == Retry::Never {
                print_error(&error);
                return Exit::Failed;
            }
            let pause = backoff.pause();
            self.notice(&format!("{error}; reconnecting in {:.2} s", pause.as_secs_f64()));
            if self.shutdown.sleep(pause) {
                return Exit::Interrupted;
            }
        }
    }

    /// One connection; an error when it is lost.
    fn connect(&mut self, backoff: &mut Backoff) -> Result<Exit> {
        let mut stream = Stream::open(&self.url, self.shutdown)?;
        let again = self.printer.begin();
        self.notice(&match again {
            false => format!("connected to {}", self.url),
            true => format!("reconnected to {}: lines may be repeated or missing", self.url),
        });
        self.url.set_lines(AFTER_LOSS);
        loop {
            match stream.read(self.shutdown)? {
                Received::Bytes(bytes) => {
                    backoff.reset();
                    if self.printer.print(&bytes).is_err() {
                        return Ok(Exit::Done);
                    }
                }
                Received::End => {
                    let _ = self.printer.end();
                    return Ok(Exit::Done);
                }
                Received::Stopped => {
                    let _ = self.printer.end();
                    return Ok(Exit::Interrupted);
                }
            }
        }
    }

    fn notice(&self, text: &str) {
        if !self.tail.quiet {
            print_error(&text);
        }
    }
}

/// What one log's bytes look like on stdout.
struct Printer<'p> {
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
    fn new(tail: &Tail, name: Option<String>, stdout: &'p Stdout) -> Printer<'p> {
        let raw = tail.output == Output::Raw;
        let clean = (!raw && io::stdout().is_terminal()).then(|| (Decoder::default(), Terminal::new(tail.color())));
        Printer { stdout, name, clean, raw, unfinished: Vec::new(), in_line: false, begun: false }
    }

    /// A connection stands; whether it is another one than the first.
    fn begin(&mut self) -> bool {
        if self.begun {
            let _ = self.end();
            if std::mem::take(&mut self.in_line) && !self.raw {
                let _ = self.stdout.write(b"\n");
            }
        }
        std::mem::replace(&mut self.begun, true)
    }

    fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
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
    fn end(&mut self) -> io::Result<()> {
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
struct Stdout {
    stdout: Mutex<File>,
    /// How the command ends now that nothing more can be written.
    closed: Mutex<Option<Exit>>,
    trigger: Trigger,
}

impl Stdout {
    fn new(trigger: Trigger) -> Result<Stdout> {
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

    fn closed(&self) -> Option<Exit> {
        *lock(&self.closed)
    }

    /// Every thread is to end.
    fn end(&self) {
        lock(&self.trigger).take();
    }

    /// Ends every thread when the reader of a pipe has left: at once, as `tail` does, and not only at the next line.
    fn watch(&self, shutdown: &Shutdown) {
        let stdout = io::stdout();
        let stdout = PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty());
        let mut fds = [stdout, PollFd::new(shutdown, PollFlags::IN)];
        while poll(&mut fds, None).is_err_and(|errno| errno == Errno::INTR) {}
        if !shutdown.is_ordered() {
            self.close(&io::ErrorKind::BrokenPipe.into());
        }
    }
}
