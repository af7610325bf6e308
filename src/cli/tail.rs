//! `wstail tail`: prints logs, which are followed by `several`. This file has its options, which of them exclude each other,
//! and the exit code.

use std::fmt::Display;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use argh::{ArgsInfo, FromArgValue, FromArgs};
use wstail::client::Url;
use wstail::produce::verifier::Report;
use wstail::protocol::criteria::Level;
use wstail::protocol::cursor::Place;
use wstail::protocol::request::{HeartbeatKind, Lines};
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::cursor_dir::CursorDir;
use super::cursor_file::{self, Record};
use super::follow::Outcome;
use super::ls;
use super::merge::{Merge, Patience};
use super::names::{NamedSource, Names};
use super::several::{FollowedLogs, Several};
use super::source::{self, SourceParser};
use super::stdout::Stdout;
use super::style::{Output, Style, UseWhen};
use super::trust::client_config;
use super::values::{context_lines, end_time, line_count, path, pattern, positive, seconds_or_zero, time, zone};
use super::{Exit, descriptors, print_error, set_up_log, stop_on_signal, tokens};

/// Print the last lines of logs, on a server or on this machine, and follow them.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "tail", help_triggers("-h", "--help"))]
pub(super) struct Tail {
    /// a path on this machine that begins with ./, ../ or /, HOST[:PORT]/LOG, or a ws://, wss://, http:// or https:// URL; with *, ?, [ or a final slash: all such logs, also later ones; NAME=URL names the server; HOST[:PORT] lists the logs
    #[argh(positional, arg_name = "URL")]
    urls: Vec<String>,

    /// last N lines, `all`, or +N: from line N on; with -S, -U, or a filter and --no-follow the default is all [default: 10]
    #[argh(option, short = 'n', arg_name = "N")]
    lines: Option<StartOptions>,

    /// follow the log (the default; also -F)
    #[argh(switch, short = 'f')]
    pub(super) follow: bool,

    /// stop at the end of the log
    #[argh(switch)]
    no_follow: bool,

    /// print only lines that match; repeatable: any of them
    #[argh(option, short = 'g', arg_name = "PATTERN", from_str_fn(pattern))]
    pub(super) grep: Vec<String>,

    /// a line must match every -g, not just one
    #[argh(switch)]
    pub(super) all_match: bool,

    /// leave out lines that match, also from those that -g finds (grep's -v inverts -g instead); repeatable
    #[argh(option, short = 'v', arg_name = "PATTERN", from_str_fn(pattern))]
    pub(super) exclude: Vec<String>,

    /// patterns are texts, not regular expressions
    #[argh(switch)]
    pub(super) fixed_strings: bool,

    /// ignore case also in patterns with capital letters
    #[argh(switch, short = 'i')]
    pub(super) ignore_case: bool,

    /// never ignore case (grep's -s hides errors instead)
    #[argh(switch, short = 's')]
    pub(super) case_sensitive: bool,

    /// also print N lines after each match
    #[argh(option, short = 'A', arg_name = "N", from_str_fn(context_lines))]
    pub(super) after_context: Option<u32>,

    /// also print N lines before each match
    #[argh(option, short = 'B', arg_name = "N", from_str_fn(context_lines))]
    pub(super) before_context: Option<u32>,

    /// also print N lines before and after each match
    #[argh(option, short = 'C', arg_name = "N", from_str_fn(context_lines))]
    pub(super) context: Option<u32>,

    /// also print the rest of each match's entry (stack traces)
    #[argh(switch)]
    pub(super) entry: bool,

    /// print entries of this level or a graver one: trace, debug, info, notice, warn, error, fatal
    #[argh(option, short = 'l', arg_name = "LEVEL")]
    pub(super) level: Option<Level>,

    /// stop after N matching lines, of each log as grep does of each file
    #[argh(option, short = 'm', arg_name = "N", from_str_fn(line_count))]
    pub(super) max: Option<NonZeroU64>,

    /// start at TIME, also in rotated files: 2026-11-23, 01:32, yesterday, 10m (ago), or as the log writes it
    #[argh(option, short = 'S', arg_name = "TIME", from_str_fn(time))]
    pub(super) since: Option<String>,

    /// stop before the first line at TIME (journalctl prints it), or +DURATION after --since; implies --no-follow
    #[argh(option, short = 'U', arg_name = "TIME", from_str_fn(end_time))]
    pub(super) until: Option<String>,

    /// zone of times that name none: local, UTC, ±HH:MM or a name such as Europe/Berlin [default: the server's]
    #[argh(option, arg_name = "ZONE", from_str_fn(zone))]
    pub(super) zone: Option<String>,

    /// also print lines of rotated files (-S and -U always do)
    #[argh(switch)]
    pub(super) history: bool,

    /// resume from the cursor in FILE, and save new ones there
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    cursor_file: Option<PathBuf>,

    /// resume each log from its cursor file in DIR, and save new cursors there
    #[argh(option, arg_name = "DIR", from_str_fn(path))]
    cursor_dir: Option<PathBuf>,

    /// resume after CURSOR, if --cursor-file has none
    #[argh(option, arg_name = "CURSOR", from_str_fn(cursor))]
    after_cursor: Option<Place>,

    /// print `-- cursor: CURSOR` on stderr at exit
    #[argh(switch)]
    show_cursor: bool,

    /// print the entries of all logs in the order of their times
    #[argh(switch)]
    merge: bool,

    /// with --merge, hold each entry of a followed log for SECS [default: 0.5]
    #[argh(option, arg_name = "SECS", default = "Duration::from_millis(500)", from_str_fn(seconds_or_zero))]
    merge_wait: Duration,

    /// check lines of `produce --stamp`; exit 1 on any fault
    #[argh(switch)]
    pub(super) verify: bool,

    /// text, raw, or json (one object per line) [default: text]
    #[argh(option, short = 'o', arg_name = "FORM", default = "Output::Text")]
    output: Output,

    /// colours of the log: auto, always, never [default: auto]
    #[argh(option, arg_name = "WHEN", default = "UseWhen::Auto")]
    color: UseWhen,

    /// the log's name before each line: auto (if there are several logs), always, never [default: auto]
    #[argh(option, arg_name = "WHEN", default = "UseWhen::Auto")]
    prefix: UseWhen,

    /// follow N logs at most; exit 1 if there are more [default: 50]
    #[argh(option, arg_name = "N", default = "50", from_str_fn(positive))]
    max_logs: usize,

    /// reconnect: auto (until Ctrl-C) or never [default: auto]
    #[argh(option, arg_name = "WHEN", default = "Retry::Auto")]
    retry: Retry,

    /// file with the server's token (else $WSTAIL_TOKEN)
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    token_file: Option<PathBuf>,

    /// trusted certificates (PEM) [default: the system's]
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    ca_file: Option<PathBuf>,

    /// do not check the server's certificate (unsafe)
    #[argh(switch)]
    insecure: bool,

    /// print no notices on stderr
    #[argh(switch, short = 'q')]
    quiet: bool,
}

/// Where to start in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StartOptions {
    Last(Lines),
    From(u64),
}

impl FromStr for StartOptions {
    type Err = String;

    fn from_str(text: &str) -> Result<StartOptions, String> {
        let Some(number) = text.strip_prefix('+') else {
            let lines = text.parse().map(StartOptions::Last);
            return lines.map_err(|_| "expected a number of lines, `all`, or +N for all from line N on".to_owned());
        };
        match positive(number) {
            Ok(number) => Ok(StartOptions::From(number as u64)),
            Err(_) => Err("expected +1 or more: lines are counted from 1".to_owned()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
enum Retry {
    Auto,
    Never,
}

impl Tail {
    pub(super) fn run(mut self) -> Result<Exit> {
        set_up_log("warn");
        self.check_filter()?;
        let listed = self.listed()?;
        let sources = if listed.is_some() { Vec::new() } else { self.sources()? };
        // A token of the file takes precedence over WSTAIL_TOKEN.
        let token = tokens::load(self.token_file.as_deref())?.into_iter().next();
        let config = client_config(token, self.ca_file.as_deref(), self.insecure)?;
        if self.insecure && !self.quiet && sources.iter().any(|source| source.server().is_secure()) {
            print_error(
                &"certificates are not checked: anyone between client and server can read and change everything",
            );
        }
        if let Some(url) = listed {
            let form = if self.output == Output::Json { ls::ListFormat::Json } else { ls::ListFormat::Text };
            return ls::list(&url, &config, form);
        }
        let is_open = sources.iter().any(|source| matches!(source, NamedSource::Pattern(_)));
        let local = sources.iter().filter(|source| source.server().is_local()).count();
        // A local log has both ends of its connection.
        descriptors::allow(match is_open {
            true => self.max_logs * if local > 0 { 2 } else { 1 },
            false => sources.len() + local,
        });
        let criteria = sources.first().map(|source| source.server().criteria()).transpose()?;
        let filter = criteria.as_ref().and_then(cursor_file::fingerprint);
        let cursor_dir = self.cursor_dir.take().map(|path| CursorDir::open(path, filter.clone())).transpose()?;
        let record = self.cursor_file.take().map(|path| Record::open(path, filter)).transpose()?;
        let (trigger, shutdown) = stop_on_signal()?;
        let stdout = Stdout::new(trigger, shutdown.clone())?;
        if let Some(record) = &record {
            stdout.pass_over(record.surplus(stdout.output()));
        }
        let several = Several {
            config: &config,
            stdout: &stdout,
            shutdown: &shutdown,
            style: self.style(&sources),
            quiet: self.quiet,
            retries: self.retry == Retry::Auto,
            verifies: self.verify,
            refusable: self.refusable(),
            max_logs: self.max_logs,
            after: self.after_cursor.clone(),
            cursor_dir,
            merge: self.merge.then(|| Merge::new(self.patience(&sources), &stdout)),
            names: Names::of(&sources),
            known: Mutex::new(FollowedLogs::default()),
        };
        let outcomes = several.run(sources, record)?;
        self.report(&outcomes, stdout.closed())
    }

    /// How long entries are held with --merge.
    fn patience(&self, sources: &[NamedSource]) -> Patience {
        let follows = sources.iter().any(|source| source.server().follows());
        if follows { Patience::Limited(self.merge_wait) } else { Patience::Unlimited }
    }

    fn style(&self, sources: &[NamedSource]) -> Style {
        let is_several = !matches!(sources, [NamedSource::Log(_)]);
        Style { output: self.output, color: self.color, prefix: self.prefix, is_several }
    }

    /// Prints the reports that were requested, and returns how the command ends.
    fn report(&self, outcomes: &[Outcome], closed: Option<Exit>) -> Result<Exit> {
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

    /// What the URLs stand for.
    fn sources(&self) -> Result<Vec<NamedSource>> {
        if self.urls.is_empty() {
            return Err(super::usage(
                "no URL or path was given, for example `wstail tail ./app.log` or `wstail tail HOST/app.log`",
            ));
        }
        if matches!(self.lines, Some(StartOptions::From(_))) && self.after_cursor.is_some() {
            return Err(super::usage("-n +N and --after-cursor cannot be combined"));
        }
        if matches!(self.lines, Some(StartOptions::From(_))) && self.since.is_some() {
            return Err(super::usage("-n +N and --since cannot be combined"));
        }
        let parser = SourceParser::default();
        let source = |text: &String| {
            let mut source = parser.parse(text)?;
            self.request(source.server_mut()).map(|()| source)
        };
        let sources = self.urls.iter().map(source).collect::<Result<Vec<_>>>()?;
        let has_cursor = self.cursor_file.is_some() || self.after_cursor.is_some() || self.show_cursor;
        if self.cursor_dir.is_some() && (self.cursor_file.is_some() || self.after_cursor.is_some()) {
            return Err(super::usage("--cursor-dir cannot be combined with --cursor-file or --after-cursor"));
        }
        if has_cursor && !matches!(sources[..], [NamedSource::Log(_)]) {
            return Err(super::usage("--cursor-file, --after-cursor and --show-cursor work with one log only"));
        }
        if let Some(source) = sources.iter().find(|source| source::is_output(source.server())) {
            return Err(Error::failed(format!("cannot follow `{}`: it is also the output", source.server())));
        }
        if sources.len() > self.max_logs {
            let (count, max) = (sources.len(), self.max_logs);
            return Err(Error::failed(format!("cannot follow {count} logs: --max-logs allows {max}")));
        }
        Ok(sources)
    }

    /// Sets the parameters that the options stand for.
    fn request(&self, url: &mut Url) -> Result<()> {
        self.add_times(url)?;
        if self.no_follow || !url.names("tail") {
            url.set_tail(!(self.no_follow || url.names("until")));
        }
        // This heartbeat can be answered while nothing can be read, see `Stream::keep_alive`.
        if !url.names("heartbeat") {
            url.set_heartbeat(HeartbeatKind::Frame);
        }
        let has_filter = !self.add_filter(url)?.is_everything();
        match self.lines {
            Some(StartOptions::From(line)) => url.set_from(line),
            Some(StartOptions::Last(lines)) => url.set_lines(lines),
            None if url.names("lines") || url.names("from") => {}
            // A search is not cut to its last lines unless that is asked for.
            None if has_filter && !url.follows() => url.set_lines(Lines::All),
            None if url.names("since") || url.names("until") => url.set_lines(Lines::All),
            None => url.set_lines(Lines::Last(10)),
        }
        Ok(())
    }

    /// The server whose logs to list: a host without a slash.
    fn listed(&self) -> Result<Option<Url>> {
        let Some(text) = self.urls.iter().find(|text| source::is_host(text)) else { return Ok(None) };
        if self.urls.len() > 1 {
            return Err(super::usage(format!("`{}` names no log: HOST[:PORT]/LOG", escape(text))));
        }
        Url::page(text).map(Some)
    }
}

fn cursor(text: &str) -> Result<Place, String> {
    text.parse().map_err(|error: wstail::protocol::cursor::NoCursor| error.to_string())
}

/// Prints one line on stderr, without a prefix.
fn print_line(line: &dyn Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
