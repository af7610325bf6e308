//! A log's events on their way from the source to the encoder, each with its place in the log.
//!
//! The data of an event borrows from its source: the file is the only buffer, so nothing is copied before an encoder or
//! a filter needs it. How an event looks on the wire is not known here.

use std::borrow::Cow;

use crate::follow::file_range::FileRange;
use crate::follow::follower::Follower;
use crate::follow::position::Position;
use crate::follow::unused::LastOf;
use crate::protocol::log_event::LogEvent;

/// Something that happened to a log, and where in it.
pub(in crate::server) struct SourceEvent<'s> {
    pub what: LogEvent<Data<'s>>,
    /// The place of the byte that follows the event. `None` where no stream can be resumed: between the lines that a
    /// filter selects from one block. Such an event makes no cursor.
    pub place: Option<&'s dyn Locate>,
}

/// A log's next bytes.
#[derive(Debug)]
pub(in crate::server) struct Data<'s> {
    pub content: Content<'s>,
    /// Whether the log is known to hold more bytes.
    pub more: bool,
    /// The bytes do not come right after those that were sent before: a filter has left out what lies between.
    pub is_apart: bool,
    /// What nothing follows in, if these bytes are the last of it.
    pub last: Option<LastOf>,
}

/// The bytes themselves, or where they are.
#[derive(Debug)]
pub(in crate::server) enum Content<'s> {
    Bytes(Cow<'s, [u8]>),
    Range(FileRange),
}

impl Content<'_> {
    pub(super) fn length(&self) -> usize {
        match self {
            Content::Bytes(bytes) => bytes.len(),
            Content::Range(range) => range.length(),
        }
    }
}

/// Something that knows its place in a log. The place is computed on request: its fingerprint hashes 512 bytes, and
/// most events of most streams do not need it.
pub(in crate::server) trait Locate {
    fn position(&self) -> Position;
}

impl Locate for Follower {
    fn position(&self) -> Position {
        Follower::position(self)
    }
}

impl Locate for Position {
    fn position(&self) -> Position {
        self.clone()
    }
}
