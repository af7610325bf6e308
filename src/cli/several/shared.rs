//! What the logs of a `wstail tail` have in common, and what one of them needs in its thread.

use std::sync::Mutex;

use wstail::client::{ClientConfig, Url};
use wstail::produce::verifier::Verifier;
use wstail::protocol::cursor::Place;
use wstail::text::sanitize::escape;
use wstail::text::wide::WideText;
use wstail::{Result, Shutdown};

use super::known::FollowedLogs;
use crate::cli::cursor_dir::CursorDir;
use crate::cli::cursor_file::Record;
use crate::cli::follow::{AddressOrigin, Follow, Outcome};
use crate::cli::merge::Merge;
use crate::cli::names::Names;
use crate::cli::printed_places::PrintedPlaces;
use crate::cli::printer::Printer;
use crate::cli::refusal::Refusable;
use crate::cli::search_report::SearchReport;
use crate::cli::sink::Sink;
use crate::cli::source::is_output;
use crate::cli::stdout::Stdout;
use crate::cli::style::Style;
use crate::cli::{lock, print_error};

/// What all logs have in common.
pub(in crate::cli) struct Several<'t> {
    pub config: &'t ClientConfig,
    pub stdout: &'t Stdout,
    pub shutdown: &'t Shutdown,
    pub style: Style,
    pub quiet: bool,
    pub retries: bool,
    pub verifies: bool,
    /// The options whose values a server may refuse.
    pub refusable: Refusable,
    /// How many logs are followed at a time.
    pub max_logs: usize,
    /// With a single log: where to start.
    pub after: Option<Place>,
    /// Where each log has a cursor file.
    pub cursor_dir: Option<CursorDir>,
    /// Set if entries are printed in the order of their times.
    pub merge: Option<Merge<'t>>,
    pub names: Names,
    pub known: Mutex<FollowedLogs>,
}

/// A log that is about to be followed.
pub(super) struct Task {
    pub url: Url,
    pub log: String,
    pub record: Option<Record>,
    pub origin: AddressOrigin,
    pub start: Start,
}

/// Where a log begins.
pub(super) enum Start {
    /// Where the record says, or the command line.
    Usual,
    /// The log is new: where the record says, or at its first byte.
    First(Place),
    /// Where it was left. It was missing then, see [`Follow::was_missing`].
    Left { place: Place, was_missing: bool },
}

impl<'t> Several<'t> {
    /// The record of a log in the cursor directory, if there is one.
    ///
    /// # Errors
    /// As with [`Record::open`].
    pub(super) fn record(&self, url: &Url) -> Result<Option<Record>> {
        self.cursor_dir.as_ref().map(|dir| dir.record(url)).transpose()
    }

    /// Whether a log below a directory of this machine is not meant, because this program writes it: its output, or a cursor
    /// file.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        let is_cursor = |dir: &CursorDir| url.local_path().is_some_and(|path| dir.contains(&path));
        url.is_local() && (is_output(url) || self.cursor_dir.as_ref().is_some_and(is_cursor))
    }

    /// Where the lines of a log go. `index` is the place of its source on the command line.
    pub(super) fn sink(&self, index: usize, log: &str) -> Sink<'_, 't> {
        let printer = Printer::new(self.stdout, self.style.prefix(log), self.style.form(log));
        match &self.merge {
            Some(merge) => Sink::Merge(merge.add((index, log.to_owned()), Some(printer))),
            None => Sink::Printer(printer),
        }
    }

    /// Follows one log until it ends.
    pub(super) fn follow(&self, task: Task, sink: Sink<'_, 't>, shutdown: Shutdown) -> Outcome {
        let Task { url, log, record, origin, start } = task;
        let recorded = record.as_ref().and_then(Record::place).or(self.after.as_ref()).cloned();
        let is_new = origin == AddressOrigin::New && recorded.is_none() && !matches!(start, Start::Left { .. });
        let (after, was_missing) = match start {
            Start::Usual => (recorded, false),
            Start::First(place) => (recorded.or(Some(place)), false),
            Start::Left { place, was_missing } => (Some(place), was_missing),
        };
        let is_alone = !self.style.is_several;
        let follow = Follow {
            search: SearchReport::of(&url, is_alone && !self.quiet),
            verifier: self.verifies.then(|| Verifier::new(after.is_some() && !is_new)),
            name: (!is_alone).then(|| escape(&log)),
            sink,
            url,
            config: self.config.clone(),
            refusable: &self.refusable,
            quiet: self.quiet,
            retries: self.retries,
            origin,
            after,
            is_new,
            was_missing,
            is_missing: false,
            was_connected: false,
            is_complete: false,
            record,
            progress: PrintedPlaces::default(),
            held: 0,
            trouble: None,
            wide: self.style.warns_of_wide().then(WideText::default),
            has_failed: false,
            shutdown,
            interrupt: self.shutdown,
        };
        let outcome = follow.run();
        lock(&self.known).end(&log);
        outcome
    }

    pub(super) fn notice(&self, text: &str) {
        if !self.quiet {
            print_error(&text);
        }
    }
}
