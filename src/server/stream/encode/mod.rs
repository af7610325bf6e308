//! Turns log events into frames, one encoder for each kind of client. Encoders are pure: they know no socket, file, follower
//! or clock.
//!
//! * [`wstail`]: the log's bytes and events, for clients that speak `wstail.v1`
//! * [`text`]: messages of whole lines, plain or HTML, for any WebSocket client
//! * [`http_framing`]: the body of an HTTP response

pub(in crate::server) mod http_framing;
pub(in crate::server) mod text;
pub(in crate::server) mod wstail;

use std::ops::ControlFlow;
use std::time::Instant;

use crate::protocol::close::Close;
use crate::server::stream::event::SourceEvent;
use crate::server::stream::frame::Frame;

/// Turns events into frames.
pub(in crate::server) trait Encoder {
    /// Takes an event. All frames of the previous event must be taken first; only
    /// [`LogEvent::Unreadable`](crate::LogEvent::Unreadable) may come earlier, and the events that a filter makes of one
    /// block come together. Returns `Break` when the answer is
    /// complete: the client gets the remaining frames and nothing more.
    fn encode(&mut self, event: SourceEvent<'_>, now: Instant) -> ControlFlow<()>;

    /// The next frame to send now.
    fn next(&mut self, now: Instant) -> Option<Frame>;

    /// When a frame will be ready even if nothing happens to the log.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// The last frame before the connection is closed for this reason, if there is one. Frames that were not taken are
    /// dropped.
    fn close(&mut self, close: &Close) -> Option<Frame>;
}

/// Places without a log, for the encoders' tests.
#[cfg(test)]
mod tests {
    use super::*;
    pub(super) use crate::follow::position::tests::place;
    use crate::protocol::log_event::LogEvent;
    use crate::server::stream::event::{Content, Data};

    /// Encodes an event at `offset` bytes into a file, and takes the frames it makes.
    pub(super) fn encode_at(
        encoder: &mut dyn Encoder,
        offset: u64,
        what: LogEvent<Data<'_>>,
        now: Instant,
    ) -> Vec<String> {
        let _ = encoder.encode(SourceEvent { what, place: Some(&place(offset)) }, now);
        frames(encoder, now)
    }

    pub(super) fn frames(encoder: &mut dyn Encoder, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| encoder.next(now)).map(|frame| shown(&frame)).collect()
    }

    pub(super) fn shown(frame: &Frame) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match frame {
            Frame::Text(bytes) => format!("text {}", text(bytes)),
            Frame::Binary(bytes) => text(bytes),
            Frame::Range(range) => format!("range of {}", range.length()),
        }
    }

    pub(super) fn data(bytes: &[u8], more: bool) -> LogEvent<Data<'_>> {
        LogEvent::Data(Data { content: Content::Bytes(bytes.into()), more, is_apart: false, last: None })
    }

    pub(super) fn opened(size: u64, is_awaited: bool) -> LogEvent<Data<'static>> {
        LogEvent::Opened { size, left: Some(size), is_awaited, lost: None }
    }
}
