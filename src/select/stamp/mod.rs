//! The time that a log's line bears. [`FORMATS`] and [`PREFIXED`] list what is recognised.
//!
//! A line bears a time when one stands at its start, under a key of the JSON object or the logfmt that it is, in brackets
//! within its first 128 bytes, or behind a prefix shaped as in other lines of the log. A date within a message is not the
//! line's time, and neither is a time without a date, or one since the machine's start.

mod calendar;
pub(super) mod clock;
mod epoch;
mod formats;
mod keys;
mod moment;
mod recogniser;
pub(super) mod scanner;
mod shape;
#[cfg(test)]
mod tests;

pub use formats::{FORMATS, LogFormat, PREFIXED};
pub use moment::{Abbreviation, Moment, StampZone};
pub use recogniser::{DateOrder, Recogniser};

use super::zone::{Readings, Zone};

/// A time as a line bears it, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What it says.
    pub moment: Moment,
    /// The offset of its first byte in the line.
    pub start: usize,
    /// The offset behind its last byte. An abbreviation of a zone does not belong to it.
    pub end: usize,
}

impl Stamp {
    /// The instants that are meant, as [`Moment::resolve`] finds them.
    pub fn resolve(&self, zone: &Zone, written: i128) -> Readings {
        self.moment.resolve(zone, written)
    }
}
