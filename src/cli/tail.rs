//! `wstail tail`: logs to the terminal, each from its own thread.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;

use argh::{FromArgValue, FromArgs};
use wstail::client::Config;
use wstail::client::url::Url;
use wstail::produce::verifier::{Report, Verifier};
use wstail::protocol::cursor::Place;
use wstail::protocol::request::{HeartbeatKind, Lines};
use wstail::{Result, Shutdown};

use super::follow::{Follow, Outcome};
use super::names::names;
use super::printer::{Form, Printer};
use super::progress::Progress;
use super::record::Record;
use super::stdout::Stdout;
use super::values::path;
use super::{Exit, print_error, set_up_log, stop_on_signal, tokens, trust};

/// Follow logs that `wstail serve` serves.
#[derive(FromArgs)]
#[argh(subcommand, name = "tail", help_triggers("-h", "--help"))]
pub(super) struct Tail {
    /// logs: ws://HOST:PORT/LOG, also wss://, http:// and https://, or HOST:PORT/LOG
    #[argh(positional, arg_name = "URL")]
    urls: Vec<String>,

    /// last lines shown first, or `all`; default 10
    #[argh(option, short = 'n', arg_name = "N")]
    lines: Option<Lines>,

    /// stop when the end is reached
    #[argh(switch)]
    no_follow: bool,

    /// continue after what FILE records, and record progress there
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    cursor_file: Option<PathBuf>,

    /// continue after CURSOR, unless the cursor file records one
    #[argh(option, arg_name = "CURSOR", from_str_fn(cursor))]
    after_cursor: Option<Place>,

    /// last line on stderr at exit: `-- cursor: CURSOR`
    #[argh(switch)]
    show_cursor: bool,

    /// check the lines of `produce --stamp`: at exit says how many are lost, duplicated or corrupt; ends with 1 if any are
    #[argh(switch)]
    verify: bool,

    /// text, raw or json; text cleans control characters on a terminal; json is one object a line; default text
    #[argh(option, short = 'o', arg_name = "FORM", default = "Output::Text")]
    output: Output,

    /// whether the log's own colours reach a terminal: auto, always or never; default auto
    #[argh(option, arg_name = "WHEN", default = "Color::Auto")]
    color: Color,

    /// after a loss: auto connects again until Ctrl-C, never ends with 1; default auto
    #[argh(option, arg_name = "WHEN", default = "Retry::Auto")]
    retry: Retry,

    /// file whose first line is the token for servers that ask for one; default: what WSTAIL_TOKEN holds
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    token_file: Option<PathBuf>,

    /// file of the authorities' certificates that are trusted with wss://, PEM; default: the system's
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    ca_file: Option<PathBuf>,

    /// trust any certificate: who sits between can read and change everything
    #[argh(switch)]
    insecure: bool,

    /// no notices on stderr
    #[argh(switch, short = 'q')]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
enum Output {
    Text,
    Raw,
    Json,
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
    pub(super) fn run(mut self) -> Result<Exit> {
        set_up_log("warn");
        let urls = self.urls()?;
        // The file's come first.
        let token = tokens::load(self.token_file.as_deref())?.into_iter().next();
        let config = Config { token, trust: trust::from_options(self.ca_file.as_deref(), self.insecure)? };
        if self.insecure && !self.quiet && urls.iter().any(Url::is_secure) {
            print_error(&"no certificate is checked: who sits between can read and change everything");
        }
        let record = self.cursor_file.take().map(Record::open).transpose()?;
        let (trigger, shutdown) = stop_on_signal()?;
        let stdout = Stdout::new(trigger, shutdown.clone())?;
        if let Some(record) = &record {
            stdout.pass_over(record.surplus(stdout.output()));
        }
        let outcomes = self.follow(urls, &config, record, &stdout, &shutdown);
        self.tell(&outcomes, stdout.closed())
    }

    /// Follows each log in a thread of its own.
    fn follow(
        &self,
        urls: Vec<Url>,
        config: &Config,
        mut record: Option<Record>,
        stdout: &Stdout,
        shutdown: &Shutdown,
    ) -> Vec<Outcome> {
        let is_one_of_many = urls.len() > 1;
        let names = names(&urls);
        thread::scope(|scope| {
            scope.spawn(|| stdout.watch());
            let follow = |(url, log): (Url, String)| {
                let form = self.form(&log);
                let name = is_one_of_many.then_some(log);
                let record = record.take();
                let after = record.as_ref().and_then(Record::place).or(self.after_cursor.as_ref()).cloned();
                Follow {
                    printer: Printer::new(stdout, name.clone(), form),
                    verifier: self.verify.then(|| Verifier::new(after.is_some())),
                    url,
                    config: config.clone(),
                    name,
                    quiet: self.quiet,
                    retries: self.retry == Retry::Auto,
                    after,
                    record,
                    progress: Progress::default(),
                    held: 0,
                    has_failed: false,
                    shutdown,
                }
            };
            let follows: Vec<_> = urls.into_iter().zip(names).map(follow).collect();
            let threads: Vec<_> = follows.into_iter().map(|follow| scope.spawn(|| follow.run())).collect();
            let panicked = |_| Outcome { exit: Exit::Failed, place: None, report: None };
            let outcomes = threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect();
            stdout.end();
            outcomes
        })
    }

    /// Says at the end what was asked for; how the command ends.
    fn tell(&self, outcomes: &[Outcome], closed: Option<Exit>) -> Result<Exit> {
        let worst = outcomes.iter().map(|outcome| outcome.exit).max().unwrap_or(Exit::Done);
        let mut exit = closed.unwrap_or(worst);
        if self.verify {
            let report: Report = outcomes.iter().filter_map(|outcome| outcome.report).sum();
            print_line(&report);
            exit = if report.is_clean() { exit } else { exit.max(Exit::Failed) };
        }
        if self.show_cursor
            && let Some(place) = outcomes.iter().find_map(|outcome| outcome.place.as_ref())
        {
            print_line(&format!("-- cursor: {place}"));
        }
        Ok(exit)
    }

    fn form(&self, log: &str) -> Form {
        match self.output {
            Output::Raw => Form::raw(),
            Output::Text => Form::text(self.color()),
            Output::Json => Form::json(log),
        }
    }

    fn urls(&self) -> Result<Vec<Url>> {
        if self.urls.is_empty() {
            return Err(super::usage("no URL was given"));
        }
        let has_cursor = self.cursor_file.is_some() || self.after_cursor.is_some() || self.show_cursor;
        if has_cursor && self.urls.len() > 1 {
            return Err(super::usage("a cursor is one log's: with the options for it give one URL"));
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

fn cursor(text: &str) -> Result<Place, String> {
    text.parse().map_err(|error: wstail::protocol::cursor::NoCursor| error.to_string())
}

/// One line on stderr, as it is.
fn print_line(line: &dyn Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
