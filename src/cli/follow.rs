//! One log of `wstail tail`, from the first connection to the last.

use std::io;

use wstail::client::Config;
use wstail::client::reader::{Continuation, Item, Reader};
use wstail::client::url::Url;
use wstail::produce::verifier::{Report, Verifier};
use wstail::protocol::cursor::Place;
use wstail::protocol::event::Missing;
use wstail::{Error, Result, Shutdown};

use super::printer::Printer;
use super::progress::Progress;
use super::record::Record;
use super::{Exit, print_error};

pub(super) struct Follow<'t> {
    pub url: Url,
    pub config: Config,
    /// The log's name where there are others.
    pub name: Option<String>,
    pub quiet: bool,
    pub retries: bool,
    /// Where to begin, if not with the last lines.
    pub after: Option<Place>,
    pub record: Option<Record>,
    pub verifier: Option<Verifier>,
    pub printer: Printer<'t>,
    pub progress: Progress,
    /// How many of the bytes that came last are held back by the printer.
    pub held: usize,
    /// Nothing more can be printed.
    pub has_failed: bool,
    pub shutdown: &'t Shutdown,
}

/// What became of it.
pub(super) struct Outcome {
    pub exit: Exit,
    /// Behind everything that was printed.
    pub place: Option<Place>,
    pub report: Option<Report>,
}

impl Follow<'_> {
    pub(super) fn run(mut self) -> Outcome {
        let mut exit = self.follow();
        // A line that is unfinished is printed only now, or as a whole by the run that goes on from the record.
        let comes_again = self.held > 0 && self.record.is_some() && exit != Exit::Done;
        if !comes_again && !self.has_failed && self.printer.end().is_ok() {
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
        Outcome { exit, place: self.progress.place(self.held), report }
    }

    fn follow(&mut self) -> Exit {
        let mut reader =
            Reader::new(self.url.clone(), self.shutdown.clone()).config(self.config.clone()).retries(self.retries);
        if let Some(place) = &self.after {
            self.progress.note(place);
            reader = reader.after(place.clone());
        }
        while let Some(item) = reader.next() {
            let taken = item.and_then(|item| self.take(item, &mut reader));
            match taken {
                Ok(true) => {}
                Ok(false) => return Exit::Interrupted,
                Err(error) => {
                    let error = match &self.record {
                        Some(record) => record.explain(error),
                        None => error,
                    };
                    print_error(&error);
                    return if error.is_usage() { Exit::Usage } else { Exit::Failed };
                }
            }
        }
        if self.shutdown.is_ordered() { Exit::Interrupted } else { Exit::Done }
    }

    /// Prints what came and says what is to be said; whether to go on.
    fn take(&mut self, item: Item, reader: &mut Reader) -> Result<bool> {
        match item {
            Item::Bytes(bytes) => {
                if self.record.is_some() && reader.place().is_none() {
                    let cause = io::Error::other("its server sends no cursors");
                    return Err(Error::io(format!("cannot record how far {} is printed", self.url), cause));
                }
                if let Some(verifier) = &mut self.verifier {
                    verifier.push(&bytes);
                }
                let printed = self.printer.print(&bytes, &mut || reader.keep_alive());
                match printed {
                    Ok(()) => {
                        self.progress.receive(bytes.len());
                        self.held = self.printer.held();
                    }
                    // What is held back by now is of bytes that do not count.
                    Err(part) => {
                        self.progress.receive(part);
                        self.has_failed = true;
                    }
                }
                return Ok(!self.has_failed);
            }
            Item::Connected(continuation) => self.connected(continuation),
            Item::Cursor => {}
            Item::Rotated => self.begin_file(),
            Item::Truncated => self.notice("the log was truncated"),
            Item::Gap { reason, bytes } => self.gap(reason, bytes),
            Item::Waiting(reason) => self.notice(&reason),
            Item::Lost { error, pause } => {
                if reader.place().is_none() {
                    self.break_off();
                }
                self.notice(&format!("{error}; reconnecting in {:.2} s", pause.as_secs_f64()));
                return Ok(!self.has_failed);
            }
        }
        if let Some(place) = reader.place() {
            self.progress.note(place);
            self.note()?;
        }
        Ok(!self.has_failed)
    }

    /// Records how far the log is printed.
    fn note(&mut self) -> Result<()> {
        let place = self.progress.place(self.held);
        match (&mut self.record, place) {
            (Some(record), Some(place)) if !self.printer.is_unsure() => record.note(&place, self.printer.output()),
            _ => Ok(()),
        }
    }

    fn break_off(&mut self) {
        let broken_off = self.printer.break_off();
        self.ended(broken_off);
    }

    /// The old file's last line is over, with or without its end.
    fn begin_file(&mut self) {
        if let Some(verifier) = &mut self.verifier {
            verifier.finish();
        }
        let begun = self.printer.begin_file();
        self.ended(begun);
        self.notice("the log was rotated");
    }

    /// The printer was to end a line.
    fn ended(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.held = self.printer.held(),
            Err(_) => self.has_failed = true,
        }
    }

    fn connected(&self, continuation: Continuation) {
        let url = &self.url;
        self.notice(&match continuation {
            Continuation::New => format!("connected to {url}"),
            Continuation::Exact => format!("connected to {url}: going on by cursor"),
            Continuation::Unknown => format!("reconnected to {url}: lines may be repeated or missing"),
        });
    }

    fn gap(&mut self, reason: Missing, bytes: Option<u64>) {
        self.break_off();
        let bytes = bytes.map_or("an unknown number of bytes".to_owned(), |bytes| format!("{bytes} bytes"));
        let what = match reason {
            Missing::Truncated => "the log was truncated before they were read",
            Missing::Replaced => "the log was replaced before they were read",
            Missing::Expired => "rotated files were deleted before they were read",
            Missing::Cursor => "the place to go on is not to be found any more",
        };
        self.notice(&format!("gap: {bytes} may be missing here: {what}"));
    }

    fn notice(&self, text: &str) {
        match &self.name {
            _ if self.quiet => {}
            Some(name) => print_error(&format!("{name}: {text}")),
            None => print_error(&text),
        }
    }
}
