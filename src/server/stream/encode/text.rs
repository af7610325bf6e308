//! The encoder for WebSocket clients that do not ask for a subprotocol: text messages of whole lines, plain or HTML.
//! Such a client gets only lines: no events, and no mark where bytes are missing.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::protocol::close::Close;
use crate::protocol::criteria::SEPARATOR;
use crate::protocol::log_event::LogEvent;
use crate::server::stream::encode::Encoder;
use crate::server::stream::event::{Content, Data, SourceEvent};
use crate::server::stream::frame::Frame;
use crate::text::lines::LineBuffer;

/// Encodes a log as messages of whole lines.
pub(in crate::server) struct TextEncoder {
    lines: LineBuffer,
    /// The place of the first line is found. Until then a silence does not mean that there is nothing.
    is_opened: bool,
}

impl TextEncoder {
    pub(in crate::server) fn new(lines: LineBuffer) -> TextEncoder {
        TextEncoder { lines, is_opened: false }
    }
}

impl Encoder for TextEncoder {
    fn encode(&mut self, event: SourceEvent<'_>, now: Instant) -> ControlFlow<()> {
        self.is_opened |= matches!(event.what, LogEvent::Opened { .. });
        match event.what {
            LogEvent::Opened { is_awaited: true, .. } => self.lines.skip_first(),
            LogEvent::Data(Data { content: Content::Bytes(bytes), more, is_apart, .. }) => {
                if is_apart {
                    self.lines.break_off();
                }
                self.lines.push(&bytes, more, now);
            }
            LogEvent::Data(Data { content: Content::Range(_), .. }) => {
                unreachable!("a source gives ranges only where they are wanted")
            }
            LogEvent::Quiet | LogEvent::Gone | LogEvent::Unreadable(_) => {
                if self.is_opened {
                    self.lines.push(&[], false, now);
                }
            }
            LogEvent::End => {
                self.lines.finish();
                return ControlFlow::Break(());
            }
            LogEvent::Opened { .. } | LogEvent::Checkpoint => {}
            LogEvent::Skip(_) => self.lines.push(SEPARATOR, true, now),
            // Nothing may have been found; then there is one empty message.
            LogEvent::Progress { done: true, .. } => self.lines.push(&[], false, now),
            LogEvent::Progress { .. } => {}
            LogEvent::Rotated | LogEvent::Truncated | LogEvent::Gap { .. } => {}
            LogEvent::Connected(_) | LogEvent::Lost { .. } => {}
        }
        ControlFlow::Continue(())
    }

    fn next(&mut self, now: Instant) -> Option<Frame> {
        self.lines.next(now).map(|text| Frame::Text(text.into_bytes()))
    }

    fn due(&self) -> Option<Instant> {
        self.lines.due()
    }

    fn close(&mut self, _close: &Close) -> Option<Frame> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::stream::encode::tests::{data, encode_at, frames, opened};
    use crate::text::html::Html;
    use crate::text::lines::UNFINISHED;

    fn encoder(html: Option<Html>) -> (TextEncoder, Instant) {
        (TextEncoder::new(LineBuffer::new(html, true)), Instant::now())
    }

    #[test]
    fn lines_come_whole_and_the_rest_when_it_is_due() {
        let (mut encoder, now) = encoder(None);
        assert!(encode_at(&mut encoder, 0, opened(4, false), now).is_empty());
        assert_eq!(encode_at(&mut encoder, 2, data(b"a\n", false), now), ["text a\n"]);
        assert_eq!(encode_at(&mut encoder, 5, data(b"b\nc", false), now), ["text b\n"]);
        assert_eq!(encoder.due(), Some(now + UNFINISHED));
        assert_eq!(frames(&mut encoder, now + UNFINISHED), ["text c"]);
    }

    #[test]
    fn only_an_empty_log_gives_an_empty_message() {
        let (mut encoder, now) = encoder(None);
        encode_at(&mut encoder, 0, opened(0, false), now);
        assert_eq!(encode_at(&mut encoder, 0, LogEvent::Quiet, now), ["text "]);
        let (mut awaited, now) = self::encoder(None);
        encode_at(&mut awaited, 4, opened(4, true), now);
        assert!(encode_at(&mut awaited, 4, LogEvent::Quiet, now).is_empty());
    }

    #[test]
    fn nothing_is_said_to_be_empty_before_the_place_is_found() {
        let (mut encoder, now) = encoder(None);
        let silences = [LogEvent::Quiet, LogEvent::Unreadable("no".to_owned()), LogEvent::Gone];
        for silence in silences {
            assert!(encode_at(&mut encoder, 0, silence, now).is_empty());
        }
        encode_at(&mut encoder, 0, opened(2, false), now);
        assert_eq!(encode_at(&mut encoder, 2, data(b"a\n", false), now), ["text a\n"]);
    }

    #[test]
    fn colours_begin_anew_after_lines_that_are_left_out() {
        let (mut encoder, now) = encoder(Some(Html::default()));
        encode_at(&mut encoder, 0, opened(4, false), now);
        let first = encode_at(&mut encoder, 2, data(b"\x1b[31ma\n", false), now).concat();
        assert!(first.starts_with("text <span"), "{first}");
        let LogEvent::Data(apart) = data(b"b\n", false) else { unreachable!() };
        let apart = LogEvent::Data(Data { is_apart: true, ..apart });
        assert_eq!(encode_at(&mut encoder, 9, apart, now), ["text b\n"]);
    }

    #[test]
    fn html_is_escaped_and_the_end_is_the_last_message() {
        let (mut encoder, now) = encoder(Some(Html::default()));
        encode_at(&mut encoder, 0, opened(4, false), now);
        assert_eq!(encode_at(&mut encoder, 2, data(b"<\n", false), now), ["text &lt;\n"]);
        assert!(encode_at(&mut encoder, 3, data(b"&", true), now).is_empty());
        assert_eq!(encode_at(&mut encoder, 3, LogEvent::End, now), ["text &amp;"]);
    }
}
