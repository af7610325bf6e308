//! Responses that are sent as a whole, as bytes: each has a status, headers, and a body that gives the reason. A log's
//! response is made in `stream::encode::http_framing`. Nothing here knows requests or sends anything.

use std::borrow::Cow;
use std::fmt::Write;

use crate::server::gzip::gzip;
use crate::server::viewer::ViewerPart;

/// The supported methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Method {
    Get,
    Head,
}

/// What an answer depends on that is sent as a whole and may be known to the client.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Wish<'h> {
    pub method: Method,
    pub if_none_match: Option<&'h str>,
    pub accepts_gzip: bool,
}

/// An answer other than a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Refusal {
    status: u16,
    reason: String,
    method: Method,
}

impl Refusal {
    pub(in crate::server) fn new(status: u16, reason: impl Into<String>) -> Refusal {
        Refusal { status, reason: reason.into(), method: Method::Get }
    }

    /// The same refusal as the answer to `method`: HEAD gets no body.
    pub(in crate::server) fn to(self, method: Method) -> Refusal {
        Refusal { method, ..self }
    }

    pub(in crate::server) fn status(&self) -> u16 {
        self.status
    }

    pub(in crate::server) fn reason(&self) -> &str {
        &self.reason
    }

    /// The refusal as a response.
    pub(in crate::server) fn response(&self) -> Vec<u8> {
        let fields: &[(&str, &str)] = match self.status {
            401 => &[("WWW-Authenticate", "Bearer")],
            405 => &[("Allow", "GET, HEAD")],
            426 => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            503 => &[("Retry-After", "1")],
            _ => &[],
        };
        response(self.status, fields, &format!("{}\n", self.reason), self.method)
    }
}

/// Redirects a client to another path.
pub(in crate::server) fn redirect(path: &str, method: Method) -> Vec<u8> {
    response(301, &[("Location", path)], &format!("moved to {path}\n"), method)
}

/// One of the service's own pages, as text.
pub(in crate::server) fn page(text: &str, method: Method) -> Vec<u8> {
    response(200, &[("Cache-Control", "no-store")], text, method)
}

/// Metrics in Prometheus' text format.
pub(in crate::server) fn metrics(text: &str, method: Method) -> Vec<u8> {
    with_body(passing("text/plain; version=0.0.4; charset=utf-8", text.len()), text, method)
}

/// The head of a response with `json`, which must not be cached, and its body. There is none if the client has it already,
/// or does not ask for it.
pub(in crate::server) fn json_answer<'j>(json: &'j [u8], wish: Wish<'_>) -> (Vec<u8>, Cow<'j, [u8]>) {
    let etag = format!("{:x}-{:08x}", json.len(), crc32fast::hash(json));
    answer("application/json", &etag, json, vec![("Cache-Control", "no-store".to_owned())], wish)
}

/// `etag` is without quotes. An answer that is compressed has another one.
fn answer<'b>(
    kind: &str,
    etag: &str,
    body: &'b [u8],
    mut fields: Vec<(&'static str, String)>,
    wish: Wish<'_>,
) -> (Vec<u8>, Cow<'b, [u8]>) {
    let etags = [format!("\"{etag}\""), format!("\"{etag}-gz\"")];
    let known = wish.if_none_match.and_then(|known| etags.iter().find(|etag| matches(known, etag)));
    fields.push(("Vary", "Accept-Encoding".to_owned()));
    if let Some(known) = known {
        fields.push(("ETag", known.clone()));
        return (head(304, kind, fields), Cow::Borrowed(b""));
    }
    let [plain, compressed] = etags;
    let body = match wish.accepts_gzip.then(|| gzip(body)).flatten() {
        Some(body) => {
            fields.extend([("ETag", compressed), ("Content-Encoding", "gzip".to_owned())]);
            Cow::Owned(body)
        }
        None => {
            fields.push(("ETag", plain));
            Cow::Borrowed(body)
        }
    };
    fields.push(("Content-Length", body.len().to_string()));
    (head(200, kind, fields), if wish.method == Method::Get { body } else { Cow::Borrowed(b"") })
}

fn passing(kind: &str, length: usize) -> Vec<u8> {
    head(200, kind, [("Cache-Control", "no-store".to_owned()), ("Content-Length", length.to_string())])
}

/// A part of the viewer, unless the client has it already.
pub(in crate::server) fn part(part: ViewerPart, wish: Wish<'_>) -> Vec<u8> {
    let ViewerPart { kind, etag, text, fields } = part;
    let (mut response, body) = answer(kind, &etag, text.as_bytes(), fields, wish);
    response.extend_from_slice(&body);
    response
}

/// The same response, after which the connection stays open.
pub(in crate::server) fn keep_alive(response: Vec<u8>) -> Vec<u8> {
    let end = memchr::memmem::find(&response, CLOSE).expect("every head ends so");
    [&response[..end], b"Connection: keep-alive\r\n\r\n", &response[end + CLOSE.len()..]].concat()
}

/// How every head ends.
const CLOSE: &[u8] = b"Connection: close\r\n\r\n";

/// Whether `etag` is one of the entity tags in an `If-None-Match`. A proxy may have made them weak.
fn matches(known: &str, etag: &str) -> bool {
    let mut tags = known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == etag || tag == "*")
}

fn response(status: u16, fields: &[(&'static str, &str)], body: &str, method: Method) -> Vec<u8> {
    let length = ("Content-Length", body.len().to_string());
    let fields = fields.iter().map(|&(name, value)| (name, value.to_owned()));
    with_body(head(status, TEXT, fields.chain([length])), body, method)
}

fn with_body(mut response: Vec<u8>, body: &str, method: Method) -> Vec<u8> {
    if method == Method::Get {
        response.extend_from_slice(body.as_bytes());
    }
    response
}

/// The content type of a log.
pub(in crate::server) const TEXT: &str = "text/plain; charset=utf-8";

/// A response's head, with the fields that every answer has.
pub(in crate::server) fn head(
    status: u16,
    kind: &str,
    fields: impl IntoIterator<Item = (&'static str, String)>,
) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(status));
    for (name, value) in fields {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Type: {kind}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
    head.into_bytes()
}

fn phrase(status: u16) -> &'static str {
    let status = tungstenite::http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_known_again() {
        assert!(matches("\"a\", W/\"b\"", "\"b\"") && matches("*", "\"b\"") && !matches("\"a\"", "\"b\""));
    }

    #[test]
    fn a_response_can_leave_the_connection_open() {
        let kept = String::from_utf8(keep_alive(page("Connection: close\r\n\r\n", Method::Get))).unwrap();
        assert!(kept.contains("nosniff\r\nConnection: keep-alive\r\n\r\nConnection: close\r\n"), "{kept}");
    }

    #[test]
    fn a_refusal_says_why_and_what_would_do() {
        let response = String::from_utf8(Refusal::new(405, "only GET and HEAD are supported").response()).unwrap();
        for part in ["HTTP/1.1 405 Method Not Allowed\r\n", "Allow: GET, HEAD\r\n", "Connection: close\r\n", "nosniff"]
        {
            assert!(response.contains(part), "{part} in {response}");
        }
        assert!(response.ends_with("\r\n\r\nonly GET and HEAD are supported\n"));
    }
}
