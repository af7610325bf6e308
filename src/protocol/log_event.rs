//! The events in the life of a log. A server reads them from a local file, and the client's reader yields the same
//! events of a remote log. How they are sent is [`event`](super::event).

use std::time::Duration;

use super::event::Missing;
use crate::error::Error;

/// Something that happened to a log. A local log's events come from the server's follower, and those of a remote log
/// from a [`Reader`](crate::Reader).
///
/// Each event has a place, which is that of the byte that follows it. It is kept beside the event: see
/// [`Reader::place`](crate::Reader::place).
///
/// `D` is how the log's bytes are passed on. A reader yields them in memory. The server also passes on ranges of the
/// file, which it does not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogEvent<D = Vec<u8>> {
    /// A connection was made. Remote logs only. [`Reader::connect`](crate::Reader::connect) makes the first connection
    /// itself, and its reader yields this for later ones only.
    Connected(Continuation),
    /// The log is open, and what comes next is known. A local log yields this once, and only pauses come before it. A
    /// reader yields it after each [`LogEvent::Connected`] if the server speaks `wstail.v1`.
    Opened {
        /// The file's size in bytes.
        size: u64,
        /// How many bytes remain up to the end. `None` if that is not known, as always for a remote log.
        left: Option<u64>,
        /// Whether the log is known to have none of the requested lines yet, although it is not empty. Always `false`
        /// for a remote log, because `wstail.v1` does not report it.
        is_awaited: bool,
        /// Why the requested place is lost: a gap follows. A remote log reports only the gap.
        lost: Option<Missing>,
    },
    /// Every byte before this place was yielded, or skipped because it was not requested: a good moment to store the
    /// place. A local log yields this where the first requested line begins, if that line was written later. A reader
    /// yields it for each event `cursor` of the server.
    Checkpoint,
    /// The log's next bytes, cut anywhere: a line may be split over several of these.
    Data(D),
    /// The log was rotated: the old file has been read to its end, and the next bytes are from the new one.
    Rotated,
    /// The log was truncated: the next bytes are from the start of the file.
    Truncated,
    /// Bytes are missing here.
    Gap {
        /// Why.
        reason: Missing,
        /// How many; `None` if that is not known.
        bytes: Option<u64>,
    },
    /// With a filter that asks for context: so many bytes of the log lie between the lines before and the lines after
    /// this, as `grep` marks with `--`.
    Skip(u64),
    /// With a filter: how far the search through the bytes that were there at the beginning has come.
    Progress {
        /// How many bytes were searched.
        bytes: u64,
        /// How many there were at the beginning. `None` if that is not known.
        total: Option<u64>,
        /// How many lines have matched so far.
        matches: u64,
        /// The search is over.
        done: bool,
    },
    /// There is nothing new. A local log yields this whenever it is read in vain. A reader yields it for each event
    /// `alive` of the server, which comes after a heartbeat interval in which nothing else was sent.
    Quiet,
    /// The log is gone for now, and is looked for. Local logs only: a reader yields [`LogEvent::Unreadable`] instead,
    /// because `wstail.v1` has one event for both.
    Gone,
    /// The log cannot be read for now, for this reason. Reading is retried. The text is for people: the system's error
    /// for a local log, such as `permission denied`, and the server's own sentence for a remote one, whose log may also
    /// be gone.
    Unreadable(String),
    /// The requested end is reached. This is the last event, but a log that is followed has no end. A reader yields it
    /// when the server closes the stream as complete; a reader that is stopped or has failed does not.
    End,
    /// The connection was lost or refused. Remote logs only. The next call of the reader waits for `pause` and tries
    /// again.
    Lost {
        /// What happened.
        error: Error,
        /// From 0.25 s to 15 s, or up to 60 s if the server asks for it with `Retry-After`.
        pause: Duration,
    },
}

/// How a connection continues what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuation {
    /// There was no earlier one.
    New,
    /// Exactly after the last byte, or a gap will report what is missing.
    Exact,
    /// The server does not support cursors: lines may be repeated or missing.
    Unknown,
}

impl<D> LogEvent<D> {
    /// Whether the log had nothing to read.
    pub(crate) fn is_pause(&self) -> bool {
        matches!(self, LogEvent::Quiet | LogEvent::Gone | LogEvent::Unreadable(_))
    }
}
