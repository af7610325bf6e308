//! How a stream ends: one enum, which determines the metrics' label and the close handshake. Clients that never got a
//! stream have no ending, only a [`Served`].

use std::time::{Duration, Instant};

use crate::protocol::close::{self, Close};
use crate::server::report::metrics::Ended;
use crate::server::stream::source::SourceError;

/// Why a stream is over, or about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Ending {
    /// The client has everything it asked for.
    Complete,
    /// The client has everything up to the time that it asked for.
    TimeReached,
    /// The client has as many matching lines as it asked for.
    Matched(u64),
    /// The peer disconnected, or shut down its sending side and has received what the log held. Not an error.
    PeerLeft,
    /// The peer closed the WebSocket. The answer to its close frame is queued.
    PeerClosed,
    /// The log changed while a frame with its bytes was being sent, so the frame can never be completed.
    LogChanged,
    /// The server closes, with this code and reason.
    Closed(Close),
}

impl Ending {
    /// The label in the metrics.
    pub(super) fn ended(&self) -> Ended {
        match self {
            Ending::Complete | Ending::TimeReached | Ending::Matched(_) => Ended::Completed,
            Ending::PeerLeft | Ending::PeerClosed => Ended::Left,
            Ending::LogChanged => Ended::LogChanged,
            Ending::Closed(close) => Ended::of_close(close.code),
        }
    }

    /// The close code and reason, if the server starts the close handshake.
    pub(super) fn close(&self) -> Option<Close> {
        match self {
            Ending::Complete => Some(Close::new(close::END, "the end of the log is reached")),
            Ending::TimeReached => Some(Close::new(close::END, "the time is reached")),
            Ending::Matched(1) => Some(Close::new(close::END, "1 line has matched")),
            Ending::Matched(lines) => Some(Close::new(close::END, format!("{lines} lines have matched"))),
            Ending::Closed(close) => Some(close.clone()),
            Ending::PeerLeft | Ending::PeerClosed | Ending::LogChanged => None,
        }
    }
}

/// A log that could not be read for a minute is given up, and one without times if times are asked for.
impl From<SourceError> for Ending {
    fn from(error: SourceError) -> Ending {
        let code = match &error {
            SourceError::Unreadable(_) => close::UNREADABLE,
            SourceError::NoTimes => close::NO_TIMES,
        };
        Ending::Closed(Close::new(code, error.to_string()))
    }
}

/// How long a closed connection may keep its place, so that the client can read what was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Linger {
    /// The usual time, starting now: the kernel has accepted everything.
    Usual,
    /// The usual time, starting when the kernel has sent what it holds, which may take this long.
    Reading(Duration),
    /// Until this time: the close was decided earlier.
    Until(Instant),
}

/// What became of a client, and how long to linger for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) struct Served {
    pub ended: Ended,
    pub linger: Linger,
}
