//! The encoder for HTTP responses: a head, then the log's bytes as they are in the file. The client learns about events
//! only what fits into the head.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::protocol::close::{self, Close};
use crate::protocol::criteria::SEPARATOR;
use crate::protocol::event::Missing;
use crate::protocol::log_event::LogEvent;
use crate::server::short_response::{self, Method, Refusal};
use crate::server::stream::encode::Encoder;
use crate::server::stream::event::{Content, SourceEvent};
use crate::server::stream::frame::Frame;

/// Encodes a log as an HTTP response.
pub(in crate::server) struct BodyEncoder {
    /// HTTP/1.1, which has chunks.
    http11: bool,
    framing: Framing,
    media_type: &'static str,
    method: Method,
    is_begun: bool,
    /// How many bytes of the promised length are still to come.
    left: Option<u64>,
    /// What the last events have made: one frame.
    next: Option<Frame>,
}

/// How the client knows where the response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// By its length, which is known in advance.
    Sized,
    /// By a last chunk, which never comes if the log is followed.
    Chunked,
    /// By the end of the connection, for HTTP/1.0.
    UntilClose,
}

impl BodyEncoder {
    /// The media type is that of text where none is given. With HEAD, the response ends after its head. `http11`: the
    /// client speaks HTTP/1.1 rather than 1.0.
    pub(in crate::server) fn new(http11: bool, media_type: Option<&'static str>, method: Method) -> BodyEncoder {
        let media_type = media_type.unwrap_or(short_response::TEXT);
        let framing = Framing::UntilClose;
        BodyEncoder { http11, framing, media_type, method, is_begun: false, left: None, next: None }
    }

    /// Queues the response's head. `left` is the length of the body, if it is known, and `lost` is why the requested place is.
    fn push_head(&mut self, left: Option<u64>, lost: Option<Missing>) {
        self.framing = match left {
            Some(_) => Framing::Sized,
            None if self.http11 => Framing::Chunked,
            None => Framing::UntilClose,
        };
        let framing = match (self.framing, left) {
            (Framing::Sized, Some(left)) => Some(("Content-Length", left.to_string())),
            (Framing::Chunked, _) => Some(("Transfer-Encoding", "chunked".to_owned())),
            _ => None,
        };
        let lost = lost.map(|missing| ("Wstail-Gap", missing.word().to_owned()));
        let headers = framing.into_iter().chain(lost).chain([("Cache-Control", "no-store".to_owned())]);
        self.push_bytes(short_response::head(200, self.media_type, headers));
        self.is_begun = true;
        self.left = left;
    }

    /// Queues no more than the promised length: a copy of a log that was truncated meanwhile may hold more.
    fn push_data(&mut self, content: Content<'_>) -> ControlFlow<()> {
        let most = self.left.map_or(usize::MAX, |left| left.try_into().unwrap_or(usize::MAX));
        let content = match content {
            Content::Bytes(bytes) if bytes.len() > most => Content::Bytes(bytes[..most].to_vec().into()),
            content => content,
        };
        if most == 0 || content.length() > most {
            return ControlFlow::Break(());
        }
        self.left = self.left.map(|left| left - content.length() as u64);
        match content {
            Content::Range(range) => {
                debug_assert!(self.next.is_none(), "a frame is taken before the next event, except with a filter");
                self.next = Some(Frame::Range(range));
            }
            Content::Bytes(bytes) if self.framing == Framing::Chunked => self.push_bytes(chunk(&bytes)),
            Content::Bytes(bytes) => self.push_bytes(bytes.into_owned()),
        }
        ControlFlow::Continue(())
    }

    fn push_bytes(&mut self, bytes: Vec<u8>) {
        match &mut self.next {
            // A filter makes several events of one block.
            Some(Frame::Binary(before)) => before.extend_from_slice(&bytes),
            _ => self.next = Some(Frame::Binary(bytes)),
        }
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", bytes.len());
    [size.as_bytes(), bytes, b"\r\n"].concat()
}

impl Encoder for BodyEncoder {
    fn encode(&mut self, event: SourceEvent<'_>, _now: Instant) -> ControlFlow<()> {
        match event.what {
            LogEvent::Opened { left, lost, .. } => {
                self.push_head(left, lost);
                if self.method == Method::Head {
                    return ControlFlow::Break(());
                }
            }
            LogEvent::Skip(_) => return self.push_data(Content::Bytes(SEPARATOR.into())),
            LogEvent::Data(data) => return self.push_data(data.content),
            LogEvent::End => {
                if self.framing == Framing::Chunked {
                    self.push_bytes(b"0\r\n\r\n".to_vec());
                }
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn next(&mut self, _now: Instant) -> Option<Frame> {
        self.next.take()
    }

    /// Before the body has begun, answers with a 503, or a 422 if the log has no times. Afterwards there is nothing to send: the missing last chunk, or
    /// the missing bytes, show the client that the log had not come to its end.
    fn close(&mut self, close: &Close) -> Option<Frame> {
        self.next = None;
        let is_unbegun = !std::mem::replace(&mut self.is_begun, true);
        let status = if close.code == close::NO_TIMES { 422 } else { 503 };
        let refusal = || Refusal::new(status, close.reason.clone()).to(self.method);
        is_unbegun.then(|| Frame::Binary(refusal().response()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::stream::encode::tests::{data, encode_at, opened, place, shown};

    fn body(http11: bool, method: Method) -> (BodyEncoder, Instant) {
        (BodyEncoder::new(http11, None, method), Instant::now())
    }

    #[test]
    fn the_framing_tells_the_end() {
        let cases = [
            (true, Some(2), "Content-Length: 2\r\n", &["a\n"][..], &[][..]),
            (true, None, "Transfer-Encoding: chunked\r\n", &["2\r\na\n\r\n"], &["0\r\n\r\n"]),
            (false, None, "Cache-Control: no-store\r\n", &["a\n"], &[]),
        ];
        for (http11, left, field, bytes, end) in cases {
            let (mut body, now) = body(http11, Method::Get);
            let opened = LogEvent::Opened { size: 2, left, is_awaited: false, lost: None };
            let head = encode_at(&mut body, 0, opened, now).concat();
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains(field), "{head}");
            assert_eq!(encode_at(&mut body, 2, data(b"a\n", false), now), bytes);
            assert!(encode_at(&mut body, 2, LogEvent::Quiet, now).is_empty());
            assert_eq!(encode_at(&mut body, 2, LogEvent::End, now), end);
        }
    }

    #[test]
    fn a_sized_body_never_exceeds_its_length() {
        let (mut body, now) = body(true, Method::Get);
        encode_at(&mut body, 0, opened(2, false), now);
        assert_eq!(encode_at(&mut body, 3, data(b"ab\n", false), now), ["ab"]);
        assert!(body.encode(SourceEvent { what: data(b"c\n", false), place: Some(&place(5)) }, now).is_break());
        assert!(body.next(now).is_none());
    }

    #[test]
    fn a_head_request_gets_the_head_alone() {
        let (mut body, now) = body(true, Method::Head);
        assert!(body.encode(SourceEvent { what: opened(2, false), place: Some(&place(0)) }, now).is_break());
        assert!(body.next(now).is_some_and(|head| shown(&head).contains("Content-Length: 2\r\n")));
        assert!(body.next(now).is_none());
    }

    #[test]
    fn a_lost_place_is_said_in_the_head() {
        let (mut body, now) = body(true, Method::Get);
        let opened = LogEvent::Opened { size: 2, left: Some(2), is_awaited: false, lost: Some(Missing::Cursor) };
        let head = encode_at(&mut body, 0, opened, now).concat();
        assert!(head.contains("Wstail-Gap: cursor\r\n"), "{head}");
    }

    #[test]
    fn a_close_is_a_503_only_before_the_head() {
        let away = Close::new(close::GOING_AWAY, "server is going away");
        let (mut unbegun, now) = body(true, Method::Get);
        let refusal = unbegun.close(&away).map(|frame| shown(&frame)).unwrap_or_default();
        assert!(refusal.starts_with("HTTP/1.1 503 ") && refusal.ends_with("server is going away\n"), "{refusal}");
        let (mut begun, _) = body(true, Method::Get);
        encode_at(&mut begun, 0, opened(2, false), now);
        assert!(begun.close(&away).is_none());
    }

    #[test]
    fn a_log_without_times_is_a_422() {
        let (mut body, _) = body(true, Method::Get);
        let answer = body.close(&Close::new(close::NO_TIMES, "no times are recognised in this log"));
        let answer = answer.map(|frame| shown(&frame)).unwrap_or_default();
        assert!(
            answer.starts_with("HTTP/1.1 422 ") && answer.ends_with("\r\n\r\nno times are recognised in this log\n")
        );
    }
}
