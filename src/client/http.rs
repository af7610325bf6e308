//! One HTTP request and the head of its answer, up to a deadline.
//! tungstenite's own handshake would log the request, and the token in it.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::time::Instant;

use httparse::{EMPTY_HEADER, Status};
use tungstenite::Error as WsError;
use tungstenite::error::ProtocolError;

use crate::shutdown::Shutdown;
use crate::text::sanitize;
use crate::turn::Turn;
use crate::wait::{Interest, wait};

/// The longest answer that is looked at, in bytes, and how many header fields it may have.
const MAX_ANSWER: usize = 64 * 1024;
const MAX_FIELDS: usize = 128;

/// The beginning of an answer.
pub(super) struct Answer {
    pub status: u16,
    fields: Vec<(String, Vec<u8>)>,
    /// What came behind the head.
    pub rest: Vec<u8>,
}

/// Sends a request and reads the head of the answer; where that is no upgrade, the first line of its body, too, as far as
/// it comes.
///
/// # Errors
/// When the connection is lost, the answer is not HTTP, or time is up.
pub(super) fn ask(
    stream: &mut (impl Turn + AsFd),
    request: &[u8],
    until: Instant,
    shutdown: &Shutdown,
) -> Result<Answer, WsError> {
    let (mut unsent, mut arrived) = (request, Vec::new());
    loop {
        unsent = &unsent[now(stream.write(unsent))?.unwrap_or(0)..];
        let is_sent = now(stream.flush())?.is_some() && unsent.is_empty();
        let ready = wait(stream.as_fd(), Interest { read: true, write: !is_sent }, Some(shutdown), Some(until))?;
        if ready.stop {
            return Err(WsError::Io(ErrorKind::Interrupted.into()));
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
        let is_last = read == Some(0) || is_late || arrived.len() > MAX_ANSWER;
        match parse(&arrived)? {
            Some(answer) if is_last || answer.is_whole() => return Ok(answer),
            None if is_late => return Err(WsError::Io(ErrorKind::TimedOut.into())),
            None if is_last => return Err(WsError::Protocol(ProtocolError::HandshakeIncomplete)),
            _ => {}
        }
    }
}

/// `None` where nothing can be done now.
fn now<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

fn parse(arrived: &[u8]) -> Result<Option<Answer>, WsError> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let Status::Complete(length) = response.parse(arrived)? else { return Ok(None) };
    let fields = response.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
    let status = response.code.unwrap_or_default();
    Ok(Some(Answer { status, fields: fields.collect(), rest: arrived[length..].to_vec() }))
}

impl Answer {
    /// The values of a field, whose name is in small letters.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Whether a field holds a word, in whatever case.
    pub(super) fn holds(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).flat_map(|value| value.split(|&byte| byte == b','));
        words.any(|other| other.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    fn is_whole(&self) -> bool {
        let length = self.values("content-length").next().and_then(|length| str::from_utf8(length).ok()?.parse().ok());
        self.status == 101
            || self.rest.contains(&b'\n')
            || length.is_some_and(|length: usize| self.rest.len() >= length)
    }

    /// The first line of the body, made harmless; none where it is not for people.
    pub(super) fn reason(&self) -> String {
        let is_text = self.values("content-type").all(|kind| kind.starts_with(b"text/plain"));
        if !is_text || self.values("transfer-encoding").next().is_some() {
            return String::new();
        }
        sanitize::escape(String::from_utf8_lossy(&self.rest).lines().next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::shutdown;
    use crate::turn::TurnStream;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    /// What is made of an answer that comes in these pieces, one a turn, and then ends.
    fn answer(pieces: &[&str]) -> Result<Answer, WsError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let (_trigger, shutdown) = shutdown().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask(&mut TurnStream::new(&client), b"GET", until, &shutdown));
            server.read_exact(&mut [0; 3]).unwrap();
            pieces.iter().for_each(|piece| server.write_all(piece.as_bytes()).unwrap());
            drop(server);
            asking.join().unwrap()
        })
    }

    #[test]
    fn a_head_is_read_and_the_reason_behind_it() {
        let refused = answer(&["HTTP/1.1 401 No", "\r\nContent-Type: text/plain\r\n\r\n", "a \u{1b} token\n"]).unwrap();
        assert_eq!((refused.status, refused.reason().as_str()), (401, "a ^[ token"));
        let page = answer(&["HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\n\r\n<html>\n"]).unwrap();
        assert_eq!((page.status, page.reason().as_str()), (502, ""));
        let upgrade = answer(&["HTTP/1.1 101 x\r\nConnection: keep-alive, upgrade\r\n\r\nab"]).unwrap();
        assert!(upgrade.holds("connection", "Upgrade") && upgrade.rest.len() <= 2);
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        for pieces in
            [&["HTTP/1.1 200 OK\r\n"][..], &[], &["hello\r\n"], &["HTTP/1.1 200 OK\r\na: ", &"b".repeat(70_000)]]
        {
            assert!(answer(pieces).is_err(), "{:?}", pieces.first());
        }
    }
}
