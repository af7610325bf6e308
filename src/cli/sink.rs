//! Where the bytes of one log go: to stdout as they come, or in the order of their times with those of other logs.

use std::io;

use wstail::select::zone::{ZoneError, ZoneName};

use super::cursor_file::OutputFile;
use super::merge::MergeInput;
use super::printer::Printer;

pub(super) enum Sink<'m, 'p> {
    Printer(Printer<'p>),
    Merge(MergeInput<'m, 'p>),
}

impl Sink<'_, '_> {
    /// Sets the zone of the log's times that do not name theirs.
    ///
    /// # Errors
    /// If this machine does not know it, and has to.
    pub(super) fn set_zone(&mut self, name: &str) -> Result<(), ZoneError> {
        if let Sink::Merge(input) = self {
            input.set_zone(name.parse::<ZoneName>().and_then(|name| name.load())?);
        }
        Ok(())
    }

    /// Takes bytes. `waiting` is called regularly while nothing is accepted.
    ///
    /// # Errors
    /// When nothing more can or should be printed. The error is how many of the bytes were printed all the same.
    pub(super) fn print(&mut self, bytes: &[u8], waiting: &mut dyn FnMut()) -> Result<(), usize> {
        match self {
            Sink::Printer(printer) => printer.print(bytes, waiting),
            Sink::Merge(input) => input.push(bytes, waiting).map_err(|_| 0),
        }
    }

    /// Ends a group of lines.
    pub(super) fn separate(&mut self) -> io::Result<()> {
        match self {
            Sink::Printer(printer) => printer.separate(),
            Sink::Merge(input) => input.separate(),
        }
    }

    /// Ends an unfinished line, because the next bytes do not continue it.
    pub(super) fn break_off(&mut self) -> io::Result<()> {
        match self {
            Sink::Printer(printer) => printer.break_off(),
            Sink::Merge(input) => input.end_line(),
        }
    }

    /// Another file begins.
    pub(super) fn begin_file(&mut self) -> io::Result<()> {
        match self {
            Sink::Printer(printer) => printer.begin_file(),
            Sink::Merge(input) => input.end_line(),
        }
    }

    /// Waits until everything is printed but an unfinished line.
    pub(super) fn drain(&self) {
        if let Sink::Merge(input) = self {
            input.drain();
        }
    }

    /// Whether bytes may be printed some time after they came.
    pub(super) fn is_delayed(&self) -> bool {
        matches!(self, Sink::Merge(_))
    }

    /// Ends the stream.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self {
            Sink::Printer(printer) => printer.end(),
            Sink::Merge(input) => input.end_line().map(|()| input.drain()),
        }
    }

    /// How many received bytes are not printed yet.
    pub(super) fn held(&self) -> usize {
        match self {
            Sink::Printer(printer) => printer.held(),
            Sink::Merge(input) => input.held(),
        }
    }

    /// The file that stdout is, as it is now. `None` if other logs print to it, too.
    pub(super) fn output(&self) -> Option<OutputFile> {
        match self {
            Sink::Printer(printer) => printer.output(),
            Sink::Merge(_) => None,
        }
    }

    /// Whether the beginning of a line is printed, but not its end.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Sink::Printer(printer) if printer.is_open())
    }

    /// With a single log: whether the last byte printed did not end a line.
    pub(super) fn is_in_line(&self) -> bool {
        matches!(self, Sink::Printer(printer) if printer.is_in_line())
    }

    /// Whether it is not certain that what was printed will stay where it is, or only part of it was printed.
    pub(super) fn is_unsure(&self) -> bool {
        match self {
            Sink::Printer(printer) => printer.is_unsure(),
            Sink::Merge(input) => input.has_failed(),
        }
    }
}
