//! One log of `wstail tail`, from the first connection to the last: it takes the reader's events, has the bytes printed, and
//! reports the rest on stderr. It does not reconnect, which the library's reader does.

use std::io;
use std::time::Duration;

use wstail::client::{ClientConfig, Reader, Url};
use wstail::produce::verifier::{Report, Verifier};
use wstail::protocol::cursor::Place;
use wstail::protocol::event::{GONE, Missing};
use wstail::text::wide::WideText;
use wstail::{Continuation, Error, LogEvent, Result, Shutdown};

use super::cursor_file::Record;
use super::notices;
use super::printed_places::PrintedPlaces;
use super::refusal::Refusable;
use super::search_report::SearchReport;
use super::sink::Sink;
use super::{Exit, print_error};

/// How long a log that was listed may be missing: it may be being rotated. Without following, it is not worth waiting longer.
const MISSING: Duration = Duration::from_secs(60);
const MISSING_COPY: Duration = Duration::from_secs(5);

pub(super) struct Follow<'m, 't> {
    pub url: Url,
    pub config: ClientConfig,
    /// The options whose values the server may refuse.
    pub refusable: &'m Refusable,
    /// The log's name, if there are several logs.
    pub name: Option<String>,
    pub quiet: bool,
    pub retries: bool,
    /// Where to start, instead of at the last lines.
    pub after: Option<Place>,
    /// It begins with its first byte: it appeared while others were followed.
    pub is_new: bool,
    /// The log was missing when `after` was reached, and its file was read to its end: if that file is not found any more,
    /// nothing of it is lost.
    pub was_missing: bool,
    /// The server has no file of the log.
    pub is_missing: bool,
    /// The log was opened.
    pub was_connected: bool,
    /// The stream has come to its end: as much is printed as was asked for.
    pub is_complete: bool,
    pub record: Option<Record>,
    pub verifier: Option<Verifier>,
    pub sink: Sink<'m, 't>,
    pub progress: PrintedPlaces,
    /// With a filter: what is found.
    pub search: SearchReport,
    /// How many of the last bytes the printer holds back.
    pub held: usize,
    /// Why the last attempts to connect failed. It is reported once, and again after a successful connection.
    pub trouble: Option<String>,
    /// Looks for UTF-16 until it is found.
    pub wide: Option<WideText>,
    /// Whether nothing more can be printed.
    pub has_failed: bool,
    /// Where the log's address comes from.
    pub origin: AddressOrigin,
    /// Ends this log.
    pub shutdown: Shutdown,
    /// Ends all logs.
    pub interrupt: &'m Shutdown,
}

/// Where the address of a log comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressOrigin {
    /// The command line.
    Named,
    /// The server's list, at the beginning.
    Listed,
    /// The server's list, later: the log is new.
    New,
}

/// How it ended.
pub(super) struct Outcome {
    pub exit: Exit,
    /// The place after everything printed.
    pub place: Option<Place>,
    /// The log was missing, and everything that there was of it is printed.
    pub is_missing: bool,
    /// As much of the log is printed as was asked for.
    pub is_complete: bool,
    pub report: Option<Report>,
}

impl Outcome {
    pub(super) fn done() -> Outcome {
        Outcome { exit: Exit::Done, place: None, is_missing: false, is_complete: false, report: None }
    }

    pub(super) fn failed() -> Outcome {
        Outcome { exit: Exit::Failed, ..Outcome::done() }
    }

    /// Adds the outcome of another log: the worse exit, and the sum of the reports.
    pub(super) fn add(&mut self, other: Outcome) {
        self.exit = self.exit.max(other.exit);
        let reports = self.report.take().into_iter().chain(other.report);
        self.report = reports.reduce(|one, two| [one, two].into_iter().sum());
    }
}

impl Follow<'_, '_> {
    pub(super) fn run(mut self) -> Outcome {
        let mut exit = self.follow();
        self.search.clear();
        self.sink.drain();
        if self.sink.is_delayed() {
            self.held = self.sink.held();
        }
        // An unfinished line is printed only now. If the run that resumes from the record will print the whole line, it
        // is left to that run, unless its beginning is printed already.
        let comes_again = self.held > 0 && self.record.is_some() && !self.sink.is_open();
        if !comes_again && !self.has_failed && self.sink.end().is_ok() {
            self.held = 0;
        }
        if exit != Exit::Failed
            && let Err(error) = self.note()
        {
            print_error(&error);
            exit = Exit::Failed;
        }
        let report = self.verifier.map(|mut verifier| {
            verifier.finish();
            verifier.report()
        });
        let place = self.progress.place(self.held);
        Outcome { exit, place, is_missing: self.is_missing, is_complete: self.is_complete, report }
    }

    fn follow(&mut self) -> Exit {
        let mut reader = self.reader();
        if let Some(place) = &self.after {
            self.progress.note(place);
        }
        while let Some(item) = reader.next() {
            let taken = item.and_then(|item| self.take(item, &mut reader));
            match taken {
                Ok(true) => {}
                Ok(false) => return Exit::Interrupted,
                Err(error) => {
                    self.search.clear();
                    let error = match &self.record {
                        Some(record) => record.explain(error),
                        None => error,
                    };
                    // It was listed, but never opened.
                    if self.origin != AddressOrigin::Named && error.status() == Some(404) && !self.was_connected {
                        self.notice(notices::DELETED);
                        return Exit::Done;
                    }
                    let error = self.refusable.explain(error);
                    let error_text = error.to_string();
                    // A proxy, or another kind of server, has a 404 of its own.
                    match error_text.ends_with(": no such log (status 404)") {
                        true => print_error(&format_args!("{error_text}; {}", self.hint())),
                        false => print_error(&error),
                    }
                    return if error.is_usage() { Exit::Usage } else { Exit::Failed };
                }
            }
        }
        if self.interrupt.is_triggered() {
            return Exit::Interrupted;
        }
        if self.shutdown.is_triggered() {
            self.notice(notices::DELETED);
        } else {
            self.is_complete = true;
        }
        Exit::Done
    }

    fn reader(&self) -> Reader {
        let grace = match self.origin {
            AddressOrigin::Named => Duration::ZERO,
            _ if self.url.follows() => MISSING,
            _ => MISSING_COPY,
        };
        let reader = Reader::new(self.url.clone(), self.shutdown.clone()).wait_for_log(grace);
        let reader = reader.config(self.config.clone()).retries(self.retries);
        self.after.iter().fold(reader, |reader, place| reader.after(place.clone()))
    }

    /// Suggests how to find the log that does not exist.
    fn hint(&self) -> String {
        let scheme = if self.url.is_secure() { "https://" } else { "" };
        format!("`wstail ls {scheme}{}` lists the logs", self.url.place())
    }

    /// Prints bytes and notices. Returns whether to continue.
    fn take(&mut self, event: LogEvent, reader: &mut Reader) -> Result<bool> {
        let is_content = matches!(event, LogEvent::Data(_) | LogEvent::Rotated | LogEvent::Truncated);
        self.is_missing &= !is_content;
        self.was_missing &= !is_content;
        match event {
            LogEvent::Data(bytes) => return self.receive(&bytes, reader),
            LogEvent::Connected(continuation) => {
                self.trouble = None;
                let is_first = !std::mem::replace(&mut self.was_connected, true);
                match (self.origin, continuation) {
                    // How many there are is reported once for all.
                    (AddressOrigin::Listed, Continuation::New) => {}
                    _ if is_first && self.is_new => self.notice(notices::NEW),
                    _ => self.notice(&notices::connected(&self.url, continuation)),
                }
            }
            LogEvent::Opened { .. } => {
                if let Err(error) = reader.zone().map_or(Ok(()), |zone| self.sink.set_zone(zone)) {
                    self.notice(&notices::zone(&error));
                }
            }
            LogEvent::Rotated => self.begin_file(),
            LogEvent::Truncated => self.notice(notices::TRUNCATED),
            LogEvent::Gap { reason: Missing::Cursor, .. } if std::mem::take(&mut self.was_missing) => self.break_off(),
            LogEvent::Gap { reason, bytes } => self.gap(reason, bytes),
            LogEvent::Unreadable(reason) => {
                self.is_missing = reason == GONE;
                self.notice(&reason);
            }
            LogEvent::Lost { error, pause } => {
                if reader.place().is_none() {
                    self.break_off();
                }
                let trouble = error.to_string();
                if self.trouble.as_ref() != Some(&trouble) {
                    self.notice(&notices::reconnecting(&self.url, &error, pause));
                    self.trouble = Some(trouble);
                }
                return Ok(!self.has_failed);
            }
            LogEvent::Skip(_) => {
                let separated = self.sink.separate();
                self.ended(separated);
                return Ok(!self.has_failed);
            }
            LogEvent::Progress { bytes, total, matches, done } => {
                // A status would end up in the middle of a line.
                let is_over = done || self.sink.is_in_line();
                self.search.progress(bytes, total, matches, is_over);
                return Ok(!self.has_failed);
            }
            LogEvent::End => {
                // Of the many logs of a pattern, most have nothing to find. And the lines of a range may have come before.
                let is_whole = self.search.has_filter() || self.after.is_none();
                if let Some(notice) = self.search.in_vain().filter(|_| is_whole && self.origin == AddressOrigin::Named)
                {
                    self.notice(notice);
                }
                return Ok(!self.has_failed);
            }
            // It does not move the place, but more may have been printed.
            LogEvent::Quiet if self.sink.is_delayed() => {}
            LogEvent::Quiet => return Ok(!self.has_failed),
            // Nothing to print for a checkpoint; it moves the place that is recorded below.
            _ => {}
        }
        if let Some(place) = reader.place() {
            self.progress.note(place);
            self.note()?;
        }
        Ok(!self.has_failed)
    }

    /// Prints bytes. Returns whether to continue.
    fn receive(&mut self, bytes: &[u8], reader: &mut Reader) -> Result<bool> {
        if self.record.is_some() && reader.place().is_none() {
            let cause = io::Error::other("the server sends no cursors");
            return Err(Error::io(format!("cannot record progress for {}", self.url), cause));
        }
        self.search.clear();
        if self.search.receive(bytes, reader.place().is_some()) {
            self.notice(notices::UNFILTERED);
        }
        if let Some(verifier) = &mut self.verifier {
            verifier.push(bytes);
        }
        if self.wide.as_mut().is_some_and(|wide| wide.push(bytes)) {
            self.wide = None;
            self.notice(notices::UTF_16);
        }
        let printed = self.sink.print(bytes, &mut || reader.keep_alive());
        match printed {
            Ok(()) => {
                self.progress.receive(bytes.len());
                self.held = self.sink.held();
            }
            // What is held back by now is of bytes that do not count.
            Err(part) => {
                self.progress.receive(part);
                self.has_failed = true;
            }
        }
        Ok(!self.has_failed)
    }

    /// Records how much of the log is printed.
    fn note(&mut self) -> Result<()> {
        if self.sink.is_delayed() {
            self.held = self.sink.held();
        }
        let place = self.progress.place(self.held);
        match (&mut self.record, place) {
            (Some(record), Some(place)) if !self.sink.is_unsure() => record.note(&place, self.sink.output()),
            _ => Ok(()),
        }
    }

    fn break_off(&mut self) {
        let broken_off = self.sink.break_off();
        self.ended(broken_off);
    }

    /// Ends the last line of the old file, even without a newline.
    fn begin_file(&mut self) {
        if let Some(verifier) = &mut self.verifier {
            verifier.finish();
        }
        // The lines of a filter are whole, so the next one does not continue the last one of the old file.
        let begun = if self.search.has_filter() { self.sink.break_off() } else { self.sink.begin_file() };
        self.ended(begun);
        self.notice(notices::ROTATED);
    }

    /// Handles the result of ending a line.
    fn ended(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.held = self.sink.held(),
            Err(_) => self.has_failed = true,
        }
    }

    fn gap(&mut self, reason: Missing, bytes: Option<u64>) {
        self.break_off();
        self.notice(&notices::gap(reason, bytes));
    }

    fn notice(&mut self, text: &str) {
        self.search.clear();
        match &self.name {
            _ if self.quiet => {}
            Some(name) => print_error(&format!("{name}: {text}")),
            None => print_error(&text),
        }
    }
}
