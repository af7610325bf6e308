//! The encoder for `wstail.v1`: the log's bytes as they are in the file, and events about what happened to it. It
//! decides when a cursor is due. Heartbeats and the close handshake belong to the transport.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::protocol::close::Close;
use crate::protocol::event::{Event, GONE, OpenTimes};
use crate::protocol::log_event::LogEvent;
use crate::server::stream::encode::Encoder;
use crate::server::stream::event::{Content, Data, Locate, SourceEvent};
use crate::server::stream::frame::Frame;

/// Encodes a log for clients that speak `wstail.v1`.
pub(in crate::server) struct WstailEncoder {
    path: String,
    times: OpenTimes,
    heartbeat: Duration,
    queue: VecDeque<Frame>,
    is_opened: bool,
    /// How many bytes the last cursor does not cover, and when it was sent.
    uncovered: u64,
    covered: Instant,
    /// No byte of the file was sent yet, and the client's cursor may date from when the file was empty. Such a cursor
    /// cannot identify the file: if it is truncated, nothing tells it from what it was.
    is_bare: bool,
    /// The client resumes from a cursor of its own.
    is_resumed: bool,
}

/// How many frames there usually are at a time.
const FEW: usize = 8;
/// While bytes flow, a cursor is sent after this many bytes or this much time.
const CURSOR_BYTES: u64 = 1 << 20;
const CURSOR_TIME: Duration = Duration::from_secs(1);

impl WstailEncoder {
    /// `path`, `times` and `heartbeat` are reported to the client. `is_resumed`: the client resumes from a cursor.
    pub(in crate::server) fn new(
        path: String,
        times: OpenTimes,
        heartbeat: Duration,
        is_resumed: bool,
        now: Instant,
    ) -> WstailEncoder {
        let (queue, uncovered, covered) = (VecDeque::new(), 0, now);
        let (is_opened, is_bare) = (false, false);
        WstailEncoder { path, times, heartbeat, queue, is_opened, uncovered, covered, is_bare, is_resumed }
    }

    fn push_event(&mut self, event: &Event) {
        self.queue.push_back(Frame::Text(event.to_string().into_bytes()));
    }

    /// An event with a cursor, which covers everything before it.
    fn push_place(&mut self, event: &Event, now: Instant) {
        self.push_event(event);
        (self.uncovered, self.covered) = (0, now);
    }

    fn push_data(&mut self, content: Content<'_>, place: Option<&dyn Locate>) {
        let length = content.length();
        // Before the first bytes of a file, send a cursor that identifies it.
        if std::mem::take(&mut self.is_bare)
            && let Some(place) = place
            && let Some(start) = place.position().start(length)
        {
            self.push_event(&Event::Cursor(start.cursor()));
        }
        self.uncovered += length as u64;
        self.queue.push_back(match content {
            Content::Bytes(bytes) => Frame::Binary(bytes.into_owned()),
            Content::Range(range) => Frame::Range(range),
        });
    }

    /// Sends the cursor that comes with an event, or is due at it.
    fn encode_place(&mut self, what: &LogEvent<Data<'_>>, place: &dyn Locate, now: Instant) {
        let is_pause = what.is_pause() || matches!(what, LogEvent::End);
        if is_pause {
            if self.is_cursor_due(true, now) {
                self.push_place(&Event::Cursor(place.position().cursor()), now);
            }
            return;
        }
        let position = place.position();
        let (is_bare, cursor) = (position.is_bare(), position.cursor());
        let event = match *what {
            LogEvent::Opened { size, .. } => {
                self.is_opened = true;
                let (path, heartbeat) = (self.path.clone(), self.heartbeat.as_secs_f64());
                // They are needed once, and a stream may last for weeks.
                let times = std::mem::take(&mut self.times);
                self.is_bare = self.is_resumed || is_bare;
                self.push_event(&Event::Open { path, size, heartbeat, cursor, times });
                return;
            }
            // The client does not count bytes that were skipped.
            LogEvent::Checkpoint => Event::Cursor(cursor),
            LogEvent::Rotated => Event::Rotated(cursor),
            LogEvent::Truncated => Event::Truncated(cursor),
            LogEvent::Gap { reason, bytes } => Event::Gap { reason, bytes, cursor },
            _ => return,
        };
        self.is_bare = self.is_resumed || is_bare;
        self.push_place(&event, now);
    }

    /// Whether a cursor is due: at every pause, and while bytes flow every [`CURSOR_BYTES`] or [`CURSOR_TIME`].
    fn is_cursor_due(&self, is_pause: bool, now: Instant) -> bool {
        let is_much = self.uncovered >= CURSOR_BYTES || now - self.covered >= CURSOR_TIME;
        self.uncovered > 0 && (is_pause || is_much)
    }
}

impl Encoder for WstailEncoder {
    fn encode(&mut self, event: SourceEvent<'_>, now: Instant) -> ControlFlow<()> {
        let SourceEvent { what, place } = event;
        if let LogEvent::Data(data) = what {
            self.push_data(data.content, place);
            if let Some(place) = place.filter(|_| self.is_cursor_due(false, now)) {
                self.push_place(&Event::Cursor(place.position().cursor()), now);
            }
            return ControlFlow::Continue(());
        }
        if let Some(place) = place {
            self.encode_place(&what, place, now);
        }
        match what {
            LogEvent::Gone => self.push_event(&Event::Waiting { reason: GONE.to_owned() }),
            // `open` comes first.
            LogEvent::Unreadable(_) if !self.is_opened => {}
            LogEvent::Unreadable(cause) => {
                self.push_event(&Event::Waiting { reason: format!("the log cannot be read: {cause}") });
            }
            LogEvent::Skip(bytes) => self.push_event(&Event::Skip { bytes }),
            LogEvent::Progress { bytes, total, matches, done } => {
                self.push_event(&Event::Progress { bytes, total, matches, done });
            }
            LogEvent::End => return ControlFlow::Break(()),
            LogEvent::Opened { .. } | LogEvent::Checkpoint | LogEvent::Data(_) | LogEvent::Quiet => {}
            LogEvent::Rotated | LogEvent::Truncated | LogEvent::Gap { .. } => {}
            LogEvent::Connected(_) | LogEvent::Lost { .. } => {}
        }
        ControlFlow::Continue(())
    }

    fn next(&mut self, _now: Instant) -> Option<Frame> {
        let frame = self.queue.pop_front();
        if frame.is_none() {
            // A filter makes many events of one block.
            self.queue.shrink_to(FEW);
        }
        frame
    }

    fn close(&mut self, close: &Close) -> Option<Frame> {
        self.queue.clear();
        Some(Frame::Text(Event::End { reason: close.reason.to_string() }.to_string().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::close;
    use crate::protocol::event::Missing;
    use crate::server::stream::encode::tests::{data, encode_at, frames, opened, place, shown};

    const BEAT: Duration = Duration::from_secs(10);

    fn encoder(is_resumed: bool) -> (WstailEncoder, Instant) {
        let now = Instant::now();
        (WstailEncoder::new("app.log".into(), OpenTimes::default(), BEAT, is_resumed, now), now)
    }

    fn cursor(offset: u64) -> String {
        format!(r#"text {{"event":"cursor","cursor":"{}"}}"#, place(offset).cursor())
    }

    #[test]
    fn open_comes_first_and_a_pause_covers_the_bytes() {
        let (mut encoder, now) = encoder(false);
        let open = encode_at(&mut encoder, 600, opened(602, false), now);
        let expected = format!(
            r#"text {{"event":"open","path":"app.log","size":602,"heartbeat":10,"cursor":"{}"}}"#,
            place(600).cursor()
        );
        assert_eq!(open, [expected]);
        assert_eq!(encode_at(&mut encoder, 602, data(b"a\n", false), now), ["a\n"]);
        assert_eq!(encode_at(&mut encoder, 602, LogEvent::Quiet, now), [cursor(602)]);
        assert!(encode_at(&mut encoder, 602, LogEvent::Quiet, now).is_empty(), "nothing is uncovered");
    }

    #[test]
    fn cursors_come_while_bytes_flow() {
        let (mut encoder, now) = encoder(false);
        encode_at(&mut encoder, 600, opened(9999, false), now);
        assert_eq!(encode_at(&mut encoder, 601, data(b"a", true), now), ["a"]);
        let later = now + CURSOR_TIME;
        assert_eq!(encode_at(&mut encoder, 602, data(b"b", true), later), ["b".to_owned(), cursor(602)]);
        let block = vec![b'x'; CURSOR_BYTES as usize];
        assert_eq!(encode_at(&mut encoder, 9999, data(&block, true), later).last(), Some(&cursor(9999)));
    }

    #[test]
    fn a_file_that_was_empty_is_known_by_a_cursor_before_its_first_bytes() {
        let (mut encoder, now) = encoder(true);
        encode_at(&mut encoder, 0, opened(2, false), now);
        let frames = encode_at(&mut encoder, 2, data(b"a\n", false), now);
        let start = place(2).start(2).unwrap().cursor();
        assert_eq!(frames, [format!(r#"text {{"event":"cursor","cursor":"{start}"}}"#), "a\n".to_owned()]);
    }

    #[test]
    fn each_event_is_sent_with_its_place() {
        let (mut encoder, now) = encoder(false);
        encode_at(&mut encoder, 600, opened(602, false), now);
        let gap = LogEvent::Gap { reason: Missing::Truncated, bytes: Some(7) };
        for (what, name) in [(LogEvent::Rotated, "rotated"), (LogEvent::Truncated, "truncated"), (gap, "gap")] {
            let frames = encode_at(&mut encoder, 5, what, now);
            let is_there = frames[0].starts_with(&format!(r#"text {{"event":"{name}""#));
            assert!(is_there && frames[0].contains(&place(5).cursor().to_string()) && frames.len() == 1, "{frames:?}");
        }
        assert!(encode_at(&mut encoder, 5, LogEvent::Gone, now)[0].contains(r#""event":"waiting""#));
        let unreadable = encode_at(&mut encoder, 5, LogEvent::Unreadable("no such device".into()), now);
        assert_eq!(unreadable, [r#"text {"event":"waiting","reason":"the log cannot be read: no such device"}"#]);
    }

    #[test]
    fn a_close_drops_what_was_not_taken() {
        let (mut encoder, now) = encoder(false);
        let event = SourceEvent { what: data(b"a", true), place: Some(&place(1)) };
        assert!(encoder.encode(event, now).is_continue());
        let last = encoder.close(&Close::new(close::GOING_AWAY, "server is going away"));
        assert_eq!(
            last.map(|last| shown(&last)).as_deref(),
            Some(r#"text {"event":"end","reason":"server is going away"}"#)
        );
        assert!(frames(&mut encoder, now).is_empty());
        assert!(encoder.encode(SourceEvent { what: LogEvent::End, place: Some(&place(1)) }, now).is_break());
    }
}
