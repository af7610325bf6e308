//! Decides which of a log's events reach the encoder. It stands between source and encoder and knows neither sockets
//! nor files: events in, events out.
//!
//! At present every event passes. A filter that inspects lines cannot judge a line whose end has not arrived yet.
//! Instead of storing such bytes, it reports their number in [`Selected::unjudged`]. So the file stays the only buffer,
//! and an event's place stays the place of what was passed on.

use crate::server::stream::event::SourceEvent;

/// Decides about events.
#[derive(Debug, Default)]
pub(super) struct Select;

/// The decision about one event.
pub(super) struct Selected<'s> {
    /// What the encoder gets.
    pub event: SourceEvent<'s>,
    /// How many bytes at the end of the event's data were not judged, and must be read again.
    pub unjudged: usize,
}

impl Select {
    pub(super) fn judge<'s>(&mut self, event: SourceEvent<'s>) -> Selected<'s> {
        Selected { event, unjudged: 0 }
    }
}
