//! The head of a request: what it asks for, and what is wrong with it. It parses bytes that have arrived, and neither
//! waits nor answers.

use httparse::Status;
use tungstenite::error::ProtocolError;
use tungstenite::handshake::server::{Request, create_response, write_response};
use tungstenite::http::HeaderValue;

use super::negotiation;
use crate::protocol::cursor::MAX_CURSOR;
use crate::protocol::event::SUBPROTOCOL;
use crate::server::request::access::Claims;
use crate::server::short_response::{Method, Refusal, Wish};

/// The longest request line, in bytes.
const MAX_LINE: usize = 8 * 1024;
/// The maximum size of all header fields in bytes, and their maximum number.
const MAX_FIELDS: usize = 16 * 1024;
const MAX_COUNT: usize = 64;

/// The contents of a request's head.
pub(in crate::server) struct Head {
    /// The target in origin form, beginning with the slash.
    pub target: String,
    pub method: Method,
    /// HTTP/1.1 rather than 1.0.
    pub http11: bool,
    /// The client asks for more over the same connection, and has sent no body that would have to be skipped.
    pub keeps_alive: bool,
    pub accepts_gzip: bool,
    /// The answer to a WebSocket handshake, if the request is one.
    pub upgrade: Option<Vec<u8>>,
    /// The refusal for a malformed request, whatever it asks for. Access is checked first: unauthorized requests get
    /// 401 or 403.
    pub flaw: Option<Refusal>,
    /// The client speaks `wstail.v1`.
    pub events: bool,
    pub claims: Claims,
    /// The client is a browser that navigates to a page.
    pub html: bool,
    /// The field `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// Reads a head from what has arrived: `None` while it is incomplete, else the head and its length in bytes.
///
/// # Errors
/// As soon as no further bytes can turn the input into a request that is answered with a stream.
pub(in crate::server) fn parse(arrived: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let is_head = arrived.trim_ascii_start().starts_with(b"HEAD ");
    parse_any(arrived).map_err(|refusal| refusal.to(if is_head { Method::Head } else { Method::Get }))
}

fn parse_any(arrived: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let start = arrived.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let line = memchr::memchr(b'\n', &arrived[start..]);
    if line.unwrap_or(arrived.len() - start) > MAX_LINE + 1 {
        return Err(too_long(&arrived[start..]));
    }
    // Not on the stack, whose pages a connection keeps.
    let mut fields = vec![httparse::EMPTY_HEADER; MAX_COUNT];
    let mut request = httparse::Request::new(&mut fields);
    let status = request.parse(arrived).map_err(|error| match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, "the request has more than 64 header fields"),
        error => Refusal::new(400, format!("the request is malformed: {error}")),
    })?;
    let (length, blank) = match status {
        Status::Complete(length) => (length, if arrived[..length].ends_with(b"\r\n") { 2 } else { 1 }),
        Status::Partial => (arrived.len(), 2),
    };
    if line.is_some_and(|line| length - start - line - 1 > MAX_FIELDS + blank) || start > MAX_FIELDS {
        return Err(Refusal::new(431, "the header fields are longer than 16 KiB"));
    }
    match status {
        Status::Complete(length) => Ok(Some((Head::check(&request)?, length))),
        Status::Partial => Ok(None),
    }
}

/// The refusal of a line that is too long. If a cursor makes it too long, the cursor is reported.
fn too_long(line: &[u8]) -> Refusal {
    let (_, query) = line.split_at(memchr::memchr(b'?', line).unwrap_or(line.len()));
    let mut values = query[query.len().min(1)..]
        .split(|&byte| byte == b'&')
        .filter_map(|pair| pair.strip_prefix(b"cursor=").or_else(|| pair.strip_prefix(b"before=")));
    if values.any(|value| value.len() > MAX_CURSOR + 1 + 20) {
        return Refusal::new(400, format!("the parameters `cursor` and `before` take {MAX_CURSOR} characters at most"));
    }
    Refusal::new(414, "the request line is longer than 8 KiB")
}

impl Head {
    pub fn wish(&self) -> Wish<'_> {
        Wish { method: self.method, if_none_match: self.if_none_match.as_deref(), accepts_gzip: self.accepts_gzip }
    }

    fn check(request: &httparse::Request<'_, '_>) -> Result<Head, Refusal> {
        let http11 = request.version == Some(1);
        let (authority, target) = split_target(request.path.unwrap_or_default());
        match values(request, "host").count() {
            0 if http11 && authority.is_none() => return Err(Refusal::new(400, "the request has no Host")),
            0 | 1 => {}
            _ => return Err(Refusal::new(400, "the request has more than one Host")),
        }
        let (method, other) = match request.method {
            Some("GET") => (Method::Get, None),
            Some("HEAD") => (Method::Head, None),
            _ => (Method::Get, Some(Refusal::new(405, "only GET and HEAD are supported"))),
        };
        let Some(target) = target else {
            return Err(other.unwrap_or_else(|| Refusal::new(400, "the request names no path")));
        };
        let asks = values(request, "upgrade").any(|value| has_token(value, "websocket"));
        let upgrade = (asks && http11 && method == Method::Get).then(|| upgrade(request)).transpose();
        let (upgrade, bad) = upgrade.map_or_else(|refusal| (None, Some(refusal)), |upgrade| (upgrade, None));
        let events = offers_events(request);
        let claims = claims(request, authority);
        let html = negotiation::wants_page(values(request, "sec-fetch-mode"), values(request, "accept"));
        let if_none_match = values(request, "if-none-match").next();
        let if_none_match = if_none_match.map(|value| String::from_utf8_lossy(value).into_owned());
        let has_body =
            ["content-length", "transfer-encoding"].iter().any(|name| values(request, name).next().is_some());
        let accepts_gzip = negotiation::accepts_gzip(values(request, "accept-encoding"));
        let keeps_alive =
            http11 && !has_body && values(request, "connection").any(|value| has_token(value, "keep-alive"));
        Ok(Head {
            target,
            method,
            http11,
            keeps_alive,
            accepts_gzip,
            upgrade,
            flaw: other.or(bad),
            events,
            claims,
            html,
            if_none_match,
        })
    }
}

/// The authority of a target in absolute form, and the target in origin form.
fn split_target(target: &str) -> (Option<&str>, Option<String>) {
    if target.starts_with('/') {
        return (None, Some(target.to_owned()));
    }
    let Some((scheme, rest)) = target.split_once("://") else { return (None, None) };
    let known = ["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !known || authority.is_empty() {
        return (None, None);
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    (Some(authority), Some(format!("{slash}{path}")))
}

/// The answer to a WebSocket handshake, or the refusal of a malformed one.
fn upgrade(request: &httparse::Request<'_, '_>) -> Result<Vec<u8>, Refusal> {
    let only = |name: &'static str| {
        let mut values = values(request, name);
        values.next().filter(|_| values.next().is_none()).unwrap_or_default()
    };
    if only("sec-websocket-version") != b"13" {
        return Err(Refusal::new(426, "only version 13 of WebSocket is supported"));
    }
    if !values(request, "connection").any(|value| has_token(value, "upgrade")) {
        return Err(Refusal::new(400, "the Connection field does not ask for an upgrade"));
    }
    let handshake = Request::builder()
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", only("sec-websocket-key"))
        .body(())
        .map_err(|_| Refusal::new(400, "the handshake is malformed"))?;
    let mut response = create_response(&handshake).map_err(|error| match error {
        tungstenite::Error::Protocol(ProtocolError::InvalidSecWebSocketKey) => {
            Refusal::new(400, "Sec-WebSocket-Key is missing or malformed")
        }
        error => Refusal::new(400, format!("the handshake is malformed: {error}")),
    })?;
    if offers_events(request) {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    }
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response).map_err(|_| Refusal::new(400, "the handshake is malformed"))?;
    Ok(bytes)
}

/// Whether the client offers `wstail.v1`. Names of subprotocols are case-sensitive.
fn offers_events(request: &httparse::Request<'_, '_>) -> bool {
    offers(request).any(|offer| offer == SUBPROTOCOL.as_bytes())
}

fn offers<'r>(request: &'r httparse::Request<'_, '_>) -> impl Iterator<Item = &'r [u8]> {
    let values = values(request, "sec-websocket-protocol");
    values.flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

fn claims(request: &httparse::Request<'_, '_>, authority: Option<&str>) -> Claims {
    let all = |name| values(request, name).map(<[u8]>::to_vec).collect();
    Claims {
        host: authority.map(str::as_bytes).or(values(request, "host").next()).map(<[u8]>::to_vec),
        origins: all("origin"),
        authorizations: all("authorization"),
        subprotocols: offers(request).map(<[u8]>::to_vec).collect(),
    }
}

fn values<'r>(request: &'r httparse::Request<'_, '_>, name: &'static str) -> impl Iterator<Item = &'r [u8]> {
    request.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

fn has_token(value: &[u8], token: &str) -> bool {
    value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const UPGRADE: &str = "Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";

    fn status(request: &str) -> u16 {
        match parse(request.as_bytes()) {
            Ok(Some((head, _))) => head.flaw.map_or(200, |flaw| flaw.status()),
            Ok(None) => 100,
            Err(refusal) => refusal.status(),
        }
    }

    #[test]
    fn the_head_is_read_as_it_arrives() {
        let whole = "GET /a%20b?tail=1 HTTP/1.1\r\nHost: x\r\n\r\nrest";
        let end = whole.len() - 4;
        for arrived in 0..end {
            assert_eq!(status(&whole[..arrived]), 100, "{arrived}");
        }
        let (head, length) = parse(whole.as_bytes()).unwrap().unwrap();
        assert_eq!((head.target.as_str(), length), ("/a%20b?tail=1", end));
        assert!(head.upgrade.is_none() && head.http11);
    }

    #[test]
    fn every_bad_request_has_its_status() {
        let fields = |count: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(count));
        let long = |length: usize| format!("GET / HTTP/1.1\r\nHost: x\r\na: {}\r\n\r\n", "b".repeat(length));
        let line = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length - 14));
        let cases = [
            ("nonsense\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/9\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), 200),
            ("GET http://x/a HTTP/1.1\r\n\r\n".to_owned(), 200),
            ("GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400),
            ("GET * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400),
            ("POST / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 405),
            ("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 200),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 200),
            (fields(63), 200),
            (fields(64), 431),
            // `Host: x` and the field's own name and ends take 14 bytes of the 16 KiB.
            (long(16 * 1024 - 14), 200),
            (long(16 * 1024 - 13), 431),
            ("GET / HTTP/1.1\r\nHost: x\r\na: ".to_owned() + &"b".repeat(17_000), 431),
            (line(8192), 200),
            (line(8193), 414),
            ("GET /".to_owned() + &"a".repeat(9000), 414),
        ];
        for (request, expected) in cases {
            let start: String = request.chars().take(60).collect();
            assert_eq!(status(&request), expected, "{start:?} of {}", request.len());
        }
    }

    #[test]
    fn a_websocket_handshake_is_checked() {
        let version = "Sec-WebSocket-Version: 13\r\n";
        let get = |fields: &[&str]| format!("GET /a HTTP/1.1\r\n{}\r\n", fields.concat());
        let good = get(&[UPGRADE, version, KEY]);
        let (head, _) = parse(good.as_bytes()).unwrap().unwrap();
        let answer = String::from_utf8(head.upgrade.unwrap()).unwrap().to_lowercase();
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{answer}");
        assert_eq!(status(&get(&[UPGRADE, "Sec-WebSocket-Version: 8\r\n", KEY])), 426);
        assert_eq!(status(&get(&[UPGRADE, KEY])), 426);
        assert_eq!(status(&get(&[UPGRADE, version])), 400);
        assert_eq!(status(&get(&[UPGRADE, version, KEY, KEY])), 400);
        assert_eq!(status(&get(&[UPGRADE, version, "Sec-WebSocket-Key: short\r\n"])), 400);
        assert_eq!(status(&get(&["Host: x\r\nUpgrade: websocket\r\n", version, KEY])), 400);
        let ignored = get(&["Host: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"]);
        assert!(parse(ignored.as_bytes()).unwrap().unwrap().0.upgrade.is_none());
    }
}
