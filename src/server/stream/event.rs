//! The events that a log's source yields, one at a time, each with its place in the log.
//!
//! They are named like the items of the client's reader, which describe the same log from the other end of the wire. An
//! event borrows from its source: the file is the only buffer, so nothing is copied before an encoder needs it. How an
//! event looks on the wire is not known here.

use crate::follow::file_range::FileRange;
use crate::follow::follower::Follower;
use crate::follow::position::Position;
use crate::protocol::event::Missing;

/// Something that happened to a log, and where in it.
pub(in crate::server) struct SourceEvent<'s> {
    pub what: What<'s>,
    /// The place of the byte that follows the event.
    pub place: &'s dyn Locate,
}

/// What happened.
#[derive(Debug)]
pub(in crate::server) enum What<'s> {
    /// The log is open, and what comes next is known. Only pauses come before this event.
    Opened {
        /// The file's size in bytes.
        size: u64,
        /// How many bytes remain up to the end, if that is known.
        left: Option<u64>,
        /// The log is not empty, but has none of the requested lines yet.
        is_awaited: bool,
    },
    /// The first requested line begins here. What was added to the log before it was skipped.
    Started,
    /// The log's next bytes.
    Data {
        data: Data<'s>,
        /// Whether the log is known to hold more bytes.
        more: bool,
    },
    /// The old file has been read to its end. What follows is from the next file.
    Rotated,
    /// The file has shrunk. What follows is from its start.
    Truncated,
    /// Bytes are missing here; `bytes` is how many, if that is known.
    Gap { reason: Missing, bytes: Option<u64> },
    /// There is nothing new.
    Quiet,
    /// The log is gone for now. The follower keeps looking for it.
    Gone,
    /// The log cannot be read, for this reason. Reading is retried.
    Unreadable(String),
    /// The requested end is reached. Always the last event, but not every stream has one.
    End,
}

/// A log's bytes.
#[derive(Debug)]
pub(in crate::server) enum Data<'s> {
    Bytes(&'s [u8]),
    Range(FileRange),
}

impl Data<'_> {
    pub(super) fn length(&self) -> usize {
        match self {
            Data::Bytes(bytes) => bytes.len(),
            Data::Range(range) => range.length(),
        }
    }
}

impl What<'_> {
    /// Whether the log had nothing to read.
    pub(super) fn is_pause(&self) -> bool {
        matches!(self, What::Quiet | What::Gone | What::Unreadable(_))
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
