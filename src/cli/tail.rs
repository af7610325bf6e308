//! `wstail tail`: logs to the terminal, each from its own thread.

use std::thread;

use argh::{FromArgValue, FromArgs};
use wstail::client::reconnect::Backoff;
use wstail::client::stream::{Received, Stream};
use wstail::client::url::Url;
use wstail::protocol::request::{HeartbeatKind, Lines};
use wstail::{Result, Shutdown};

use super::printer::{Printer, Stdout};
use super::{Exit, print_error, set_up_log, stop_on_signal};

/// How many lines a new connection asks for after a loss.
const AFTER_LOSS: Lines = Lines::Last(10);

/// Follow logs that `wstail serve` serves.
#[derive(FromArgs)]
#[argh(subcommand, name = "tail", help_triggers("-h", "--help"))]
pub(super) struct Tail {
    /// logs: ws://HOST:PORT/LOG, http://HOST:PORT/LOG or HOST:PORT/LOG
    #[argh(positional, arg_name = "URL")]
    urls: Vec<String>,

    /// last lines shown first, or `all`; default 10, and after a loss always 10
    #[argh(option, short = 'n', arg_name = "N")]
    lines: Option<Lines>,

    /// stop when the end is reached
    #[argh(switch)]
    no_follow: bool,

    /// text or raw; text cleans control characters on a terminal; what is no UTF-8 comes as U+FFFD; default text
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
        let stdout = Stdout::new(trigger, shutdown.clone())?;
        let names = names(&urls);
        let worst = thread::scope(|scope| {
            scope.spawn(|| stdout.watch());
            let follow = |(url, name): (Url, Option<String>)| {
                let printer = Printer::new(&stdout, name.clone(), self.output == Output::Raw, self.color());
                Follow { tail: &self, url, name, printer, shutdown: &shutdown }
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
            // Its answers can be given while nothing can be read: see `Stream::keep_alive`.
            if !url.names("heartbeat") {
                url.set_heartbeat(HeartbeatKind::Frame);
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
    /// The log's name where there are others.
    name: Option<String>,
    printer: Printer<'t>,
    shutdown: &'t Shutdown,
}

impl Follow<'_> {
    fn run(mut self) -> Exit {
        let mut backoff = Backoff::default();
        let retries = self.tail.retry == Retry::Auto;
        loop {
            let error = match self.connect(&mut backoff) {
                Ok(exit) => return exit,
                Err(error) => error,
            };
            if self.shutdown.is_ordered() {
                return Exit::Interrupted;
            }
            // What answers, but not with a stream, will not do so the next time; of a copy that was cut off in the
            // middle, the rest cannot be had by asking for the last lines again.
            let refused = error.status().is_some_and(|status| status < 500);
            let cut_off = self.tail.no_follow && self.printer.has_begun();
            if error.is_usage() || refused || cut_off || !retries {
                print_error(&error);
                return if error.is_usage() { Exit::Usage } else { Exit::Failed };
            }
            self.printer.break_off();
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
        self.notice(&match self.printer.has_begun() {
            false => format!("connected to {}", self.url),
            true => format!("reconnected to {}: lines may be repeated or missing", self.url),
        });
        self.printer.begin();
        self.url.set_lines(AFTER_LOSS);
        loop {
            match stream.read(self.shutdown)? {
                Received::Bytes(bytes) => {
                    backoff.reset();
                    if self.printer.print(&bytes, &mut || stream.keep_alive()).is_err() {
                        return Ok(Exit::Interrupted);
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
        match &self.name {
            _ if self.tail.quiet => {}
            Some(name) => print_error(&format!("{name}: {text}")),
            None => print_error(&text),
        }
    }
}
