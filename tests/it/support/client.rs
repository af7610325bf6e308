//! Test clients, one for each kind of stream.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use tungstenite::{Message, WebSocket};
use wstail::protocol::event::Event;

use super::{DEADLINE, Process};

/// A plain WebSocket client that answers text pings.
#[derive(Debug)]
pub struct Client {
    pub socket: WebSocket<TcpStream>,
    pub(super) _server: Arc<Process>,
}

impl Client {
    /// The next message of the log, or how the stream was closed.
    pub fn next(&mut self) -> Result<String, (u16, String)> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "no message in time");
            match self.raw() {
                Ok(Message::Text(text)) if text == "ping" => self.socket.send(Message::text("pong")).unwrap(),
                Ok(Message::Text(text)) => return Ok(text.to_string()),
                Ok(Message::Close(Some(frame))) => return Err((frame.code.into(), frame.reason.to_string())),
                Ok(Message::Close(None)) => return Err((1005, String::new())),
                Ok(_) => {}
                Err(error) => return Err((1006, error.to_string())),
            }
        }
    }

    /// The next message as it arrives, pings included.
    pub fn raw(&mut self) -> Result<Message, tungstenite::Error> {
        self.socket.read()
    }

    pub fn message(&mut self) -> String {
        self.next().unwrap_or_else(|close| panic!("closed with {close:?}"))
    }

    pub fn close(&mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.next() {
                return close;
            }
        }
    }

    /// Reads until `length` bytes of text have arrived.
    pub fn read(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text += &self.message();
        }
        text
    }

    /// Reads exactly these lines, in order.
    pub fn expect<const N: usize>(&mut self, lines: [&str; N]) {
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(self.read(expected.len()), expected);
    }
}

/// A client that speaks `wstail.v1`, and records what it receives.
pub struct EventClient {
    pub socket: WebSocket<TcpStream>,
    pub deadline: Instant,
    /// All bytes of the log that arrived.
    pub bytes: Vec<u8>,
    /// Every cursor that arrived, with the number of bytes before it.
    pub cursors: Vec<(String, usize)>,
    pub(super) _server: Arc<Process>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Bytes(Vec<u8>),
    Event(Event),
    Close(u16, String),
}

impl EventClient {
    /// The next bytes or event, or how the stream was closed.
    pub fn next(&mut self) -> Item {
        loop {
            assert!(Instant::now() < self.deadline, "nothing in time after {} bytes", self.bytes.len());
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => {
                    self.bytes.extend_from_slice(&bytes);
                    return Item::Bytes(bytes.to_vec());
                }
                Ok(Message::Text(text)) => {
                    let event = Event::parse(&text).unwrap_or_else(|| panic!("no event: {text}"));
                    if let Some(cursor) = event.cursor() {
                        self.cursors.push((cursor.to_string(), self.bytes.len()));
                    }
                    return Item::Event(event);
                }
                Ok(Message::Close(Some(frame))) => return Item::Close(frame.code.into(), frame.reason.to_string()),
                Ok(Message::Close(None)) => return Item::Close(1005, String::new()),
                Ok(_) => {}
                Err(error) => return Item::Close(1006, error.to_string()),
            }
        }
    }

    /// Everything up to and including `end`, as a story: `a\n<rotated>b\n<gap expired><end><1000>`. Cursors, `alive` and
    /// `progress` are left out, because they may arrive at any time.
    pub fn story(&mut self, end: &str) -> String {
        let mut story = String::new();
        while !story.ends_with(end) {
            match self.next() {
                Item::Bytes(bytes) => story += &String::from_utf8_lossy(&bytes),
                Item::Event(Event::Cursor(_) | Event::Alive | Event::Progress { .. }) => {}
                Item::Event(event) => story += &word(&event),
                Item::Close(code, reason) => {
                    story += &format!("<{code}>");
                    assert!(story.ends_with(end), "closed ({reason}) after {story:?}, expected {end:?}");
                }
            }
        }
        story
    }

    /// The cursor after everything that has arrived.
    pub fn cursor(&mut self) -> String {
        loop {
            match self.cursors.last() {
                Some((cursor, at)) if *at == self.bytes.len() => return cursor.clone(),
                _ => assert!(!matches!(self.next(), Item::Close(..)), "closed without a last cursor"),
            }
        }
    }
}

fn word(event: &Event) -> String {
    match event {
        Event::Open { .. } => "<open>".to_owned(),
        Event::Cursor(_) => "<cursor>".to_owned(),
        Event::Rotated(_) => "<rotated>".to_owned(),
        Event::Truncated(_) => "<truncated>".to_owned(),
        Event::Gap { reason, bytes: None, .. } => format!("<gap {}>", reason.word()),
        Event::Gap { reason, bytes: Some(bytes), .. } => format!("<gap {} {bytes}>", reason.word()),
        Event::Skip { bytes } => format!("<skip {bytes}>"),
        Event::Alive => "<alive>".to_owned(),
        Event::Waiting { .. } => "<waiting>".to_owned(),
        Event::End { .. } => "<end>".to_owned(),
        other => panic!("an event that no test knows: {other}"),
    }
}
