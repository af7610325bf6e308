//! One HTTP request and its response, up to a deadline. It follows no redirects.
//!
//! The WebSocket handshake is done here as well: tungstenite's own would log the request, with the token in it.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Status};
use rustix::fd::AsFd;

use super::date;
use crate::bounded_stream::Bounded;
use crate::shutdown::Shutdown;
use crate::text::sanitize;
use crate::wait::{Interest, wait};

/// The longest response whose head is parsed, in bytes, and how many header fields it may have.
const MAX_ANSWER: usize = 64 * 1024;
const MAX_FIELDS: usize = 128;
/// The maximum size of a page: a list of logs has at most 65,536 names.
const MAX_PAGE: usize = 64 << 20;
/// How much of a redirect's target is shown, in characters.
const LONGEST_LOCATION: usize = 1000;

/// Why a request got no usable response.
#[derive(Debug)]
pub(super) enum RequestFault {
    /// The connection was lost, or time was up.
    Io(io::Error),
    /// The connection was closed before the response's head was complete.
    Closed,
    /// The bytes that arrived are not the beginning of an HTTP response.
    NotHttp {
        /// It begins with a TLS alert: that is how TLS servers answer plain HTTP.
        is_tls: bool,
    },
    /// The bytes begin like an HTTP response, but are malformed.
    Malformed(httparse::Error),
}

impl From<io::Error> for RequestFault {
    fn from(error: io::Error) -> RequestFault {
        RequestFault::Io(error)
    }
}

/// The beginning of a response.
pub(super) struct Response {
    pub status: u16,
    fields: Vec<(String, Vec<u8>)>,
    /// The bytes that arrived after the head.
    pub rest: Vec<u8>,
}

/// How much of a response is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyLimit {
    /// Its head, and the first line of its body.
    Head,
    /// All of it.
    Whole,
}

/// Sends a request and reads the whole response, as far as it comes.
///
/// # Errors
/// As [`ask`].
pub(super) fn fetch(
    stream: &mut (impl Bounded + AsFd),
    request: &[u8],
    until: Instant,
    shutdown: &Shutdown,
) -> Result<Response, RequestFault> {
    exchange(stream, request, BodyLimit::Whole, until, shutdown)
}

/// Sends a request and reads the head of the response. If it is not an upgrade, also reads the first line of the body, as far
/// as it arrives.
///
/// # Errors
/// If the connection is lost, the response is not HTTP, or the deadline passes.
pub(super) fn ask(
    stream: &mut (impl Bounded + AsFd),
    request: &[u8],
    until: Instant,
    shutdown: &Shutdown,
) -> Result<Response, RequestFault> {
    exchange(stream, request, BodyLimit::Head, until, shutdown)
}

fn exchange(
    stream: &mut (impl Bounded + AsFd),
    request: &[u8],
    wanted: BodyLimit,
    until: Instant,
    shutdown: &Shutdown,
) -> Result<Response, RequestFault> {
    let most = if wanted == BodyLimit::Whole { MAX_PAGE } else { MAX_ANSWER };
    let (mut unsent, mut arrived) = (request, Vec::new());
    loop {
        unsent = &unsent[now(stream.write(unsent))?.unwrap_or(0)..];
        let is_sent = now(stream.flush())?.is_some() && unsent.is_empty();
        let ready = wait(stream.as_fd(), Interest { read: true, write: !is_sent }, Some(shutdown), Some(until))?;
        if ready.stop {
            return Err(RequestFault::Io(ErrorKind::Interrupted.into()));
        }
        stream.begin(ready);
        let mut chunk = [0; 4096];
        let read = loop {
            match now(stream.read(&mut chunk))? {
                Some(read) if read > 0 => arrived.extend_from_slice(&chunk[..read]),
                read => break read,
            }
        };
        let is_late = until <= Instant::now();
        let is_last = read == Some(0) || is_late || arrived.len() > most;
        match parse(&arrived)? {
            Some(response) if is_last || response.is_enough(wanted) => return Ok(response),
            None if is_late => return Err(RequestFault::Io(ErrorKind::TimedOut.into())),
            None if is_last => return Err(RequestFault::Closed),
            _ => {}
        }
    }
}

/// `None` if nothing can be done now.
fn now<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

fn parse(arrived: &[u8]) -> Result<Option<Response>, RequestFault> {
    const START: &[u8] = b"HTTP/";
    if !arrived.trim_ascii_start().iter().zip(START).all(|(byte, start)| byte == start) {
        // The record type `alert`, then the major version of the protocol (RFC 8446, 5.1).
        let is_tls = arrived.iter().zip([0x15, 0x03]).all(|(byte, start)| *byte == start);
        return Err(RequestFault::NotHttp { is_tls });
    }
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let Status::Complete(length) = response.parse(arrived).map_err(RequestFault::Malformed)? else { return Ok(None) };
    let fields = response.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
    let status = response.code.unwrap_or_default();
    Ok(Some(Response { status, fields: fields.collect(), rest: arrived[length..].to_vec() }))
}

impl Response {
    /// The values of a field. `name` is in lower case.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Whether a field contains a word, in any case.
    pub(super) fn holds(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).flat_map(|value| value.split(|&byte| byte == b','));
        words.any(|other| other.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    fn is_enough(&self, wanted: BodyLimit) -> bool {
        let is_head = wanted == BodyLimit::Head && (self.status == 101 || self.rest.contains(&b'\n'));
        is_head || self.length().is_some_and(|length| self.rest.len() >= length)
    }

    fn length(&self) -> Option<usize> {
        str::from_utf8(self.values("content-length").next()?).ok()?.trim().parse().ok()
    }

    /// The body. `None` if it is incomplete.
    pub(super) fn body(mut self) -> Option<Vec<u8>> {
        if self.holds("transfer-encoding", "chunked") {
            return dechunk(&self.rest);
        }
        if let Some(length) = self.length() {
            if self.rest.len() < length {
                return None;
            }
            self.rest.truncate(length);
        }
        Some(self.rest)
    }

    /// How long the server asks to wait before the next try.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.values(name).next().and_then(|value| str::from_utf8(value).ok()).map(str::trim);
        date::retry_after(text("retry-after")?, text("date"))
    }

    /// The target of a redirect, or the first line of the body, with control characters escaped. Empty if it is not
    /// meant for people.
    pub(super) fn reason(&self) -> String {
        let location = self.values("location").next().filter(|_| (300..400).contains(&self.status));
        if let Some(location) = location {
            let location = sanitize::escape(String::from_utf8_lossy(location).trim());
            let shown: String = location.chars().take(LONGEST_LOCATION).collect();
            return format!("the server redirects to `{shown}`");
        }
        let is_text = self.values("content-type").all(|kind| kind.starts_with(b"text/plain"));
        if !is_text || self.values("transfer-encoding").next().is_some() {
            return String::new();
        }
        sanitize::escape(String::from_utf8_lossy(&self.rest).lines().next().unwrap_or_default())
    }
}

/// The content of a chunked body; `None` when it is incomplete.
fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let Status::Complete((start, length)) = httparse::parse_chunk_size(body).ok()? else { return None };
        let chunk = body.get(start..)?;
        let length = usize::try_from(length).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(chunk.get(..length)?);
        body = chunk.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded_stream::BoundedStream;
    use crate::shutdown::shutdown;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    /// Parses a response that arrives in these pieces, one a turn, and then ends.
    fn response(pieces: &[&str]) -> Result<Response, RequestFault> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let (_trigger, shutdown) = shutdown().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask(&mut BoundedStream::new(&client), b"GET", until, &shutdown));
            server.read_exact(&mut [0; 3]).unwrap();
            pieces.iter().for_each(|piece| server.write_all(piece.as_bytes()).unwrap());
            drop(server);
            asking.join().unwrap()
        })
    }

    #[test]
    fn a_head_is_read_and_the_reason_behind_it() {
        let refused =
            response(&["HTTP/1.1 401 No", "\r\nContent-Type: text/plain\r\n\r\n", "a \u{1b} token\n"]).unwrap();
        assert_eq!((refused.status, refused.reason().as_str()), (401, "a ^[ token"));
        let page = response(&["HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\n\r\n<html>\n"]).unwrap();
        assert_eq!((page.status, page.reason().as_str()), (502, ""));
        let upgrade = response(&["HTTP/1.1 101 x\r\nConnection: keep-alive, upgrade\r\n\r\nab"]).unwrap();
        assert!(upgrade.holds("connection", "Upgrade") && upgrade.rest.len() <= 2);
    }

    #[test]
    fn a_chunked_body_is_joined() {
        assert_eq!(dechunk(b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n").unwrap(), b"abcd");
        for cut in [&b""[..], b"3\r\nab", b"3\r\nabc\r\n", b"x\r\n", b"ffffffffffffffff\r\na"] {
            assert_eq!(dechunk(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn what_is_no_response_is_a_fault() {
        for pieces in
            [&["HTTP/1.1 200 OK\r\n"][..], &[], &["hello\r\n"], &["HTTP/1.1 200 OK\r\na: ", &"b".repeat(70_000)]]
        {
            assert!(response(pieces).is_err(), "{:?}", pieces.first());
        }
    }
}
