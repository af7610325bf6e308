//! What a peer sends, taken apart: plain bytes, WebSocket messages, or frontail's lines in socket.io's packets.

use super::tally::Tally;

/// How a peer wraps the log's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Not at all.
    Bytes,
    /// As text messages; a message `ping` among them is answered.
    Text,
    /// As text messages, a line each without its newline.
    Lines,
    /// As binary messages; text messages are events.
    Binary,
    /// As socket.io's events of the name `line`.
    SocketIo,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// The most that a frame's head has: two bytes and a length of eight.
const HEAD: usize = 10;

pub struct Decoder {
    dialect: Dialect,
    head: Vec<u8>,
    /// Bytes of the payload that are to come; `None` while the head is.
    left: Option<u64>,
    opcode: u8,
    /// The opcode of the message that a continuation belongs to.
    message: u8,
    is_last: bool,
    /// The payload, where it is looked at as a whole.
    payload: Option<Vec<u8>>,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
    /// What is to be sent.
    pub replies: Vec<u8>,
}

impl Decoder {
    pub fn new(dialect: Dialect) -> Decoder {
        Decoder {
            dialect,
            head: Vec::with_capacity(HEAD),
            left: None,
            opcode: 0,
            message: 0,
            is_last: true,
            payload: None,
            heartbeats: 0,
            replies: Vec::new(),
        }
    }

    pub fn feed(&mut self, mut bytes: &[u8], tally: &mut Tally) {
        if self.dialect == Dialect::Bytes {
            return tally.feed(bytes);
        }
        while !bytes.is_empty() {
            let used = match self.left {
                None => self.begin(bytes[0], tally),
                Some(left) => {
                    let (piece, _) = bytes.split_at(left.min(bytes.len() as u64) as usize);
                    self.piece(piece, tally);
                    piece.len()
                }
            };
            bytes = &bytes[used..];
        }
    }

    /// Takes one more byte of a frame's head.
    fn begin(&mut self, byte: u8, tally: &mut Tally) -> usize {
        self.head.push(byte);
        let Some(length) = length(&self.head) else { return 1 };
        self.is_last = self.head[0] & 0x80 != 0;
        self.opcode = self.head[0] & 0x0f;
        if let TEXT | BINARY = self.opcode {
            self.message = self.opcode;
        }
        self.head.clear();
        self.left = Some(length);
        let is_whole = self.payload.is_none() && (self.opcode >= CLOSE || self.is_small(length));
        if is_whole {
            self.payload = Some(Vec::new());
        }
        if length == 0 {
            self.end(tally);
        }
        1
    }

    /// Whether a message is looked at as a whole.
    fn is_small(&self, length: u64) -> bool {
        self.dialect == Dialect::SocketIo || (self.dialect == Dialect::Text && self.is_last && length == 4)
    }

    fn piece(&mut self, piece: &[u8], tally: &mut Tally) {
        let is_log = self.is_log();
        match &mut self.payload {
            Some(payload) => payload.extend_from_slice(piece),
            None if is_log => tally.feed(piece),
            None => {}
        }
        let left = self.left.unwrap_or(0) - piece.len() as u64;
        self.left = Some(left);
        if left == 0 {
            self.end(tally);
        }
    }

    fn is_log(&self) -> bool {
        match self.dialect {
            Dialect::Text | Dialect::Lines => self.message == TEXT,
            Dialect::Binary => self.message == BINARY,
            _ => false,
        }
    }

    fn end(&mut self, tally: &mut Tally) {
        self.left = None;
        if self.dialect == Dialect::Lines && self.is_last && self.opcode < CLOSE {
            tally.feed(b"\n");
        }
        if self.dialect == Dialect::SocketIo && !self.is_last {
            return;
        }
        let Some(payload) = self.payload.take() else { return };
        match self.opcode {
            PING => {
                self.heartbeats += 1;
                self.send(PONG, &payload);
            }
            CLOSE | PONG => {}
            _ if self.dialect == Dialect::SocketIo => self.packet(&payload, tally),
            _ if payload == b"ping" => {
                self.heartbeats += 1;
                self.send(TEXT, b"pong");
            }
            _ => tally.feed(&payload),
        }
    }

    /// `42/namespace,["line","TEXT"]`; no line here has a character that JSON would escape.
    fn packet(&mut self, packet: &[u8], tally: &mut Tally) {
        let line = memchr::memmem::find(packet, b",[\"line\",\"").map(|at| &packet[at + 10..]);
        if let Some(text) = line.and_then(|rest| rest.strip_suffix(b"\"]")) {
            tally.feed(text);
            tally.feed(b"\n");
        }
    }

    /// Queues the heartbeat that a client of socket.io has to send; whether there is one.
    pub fn beat(&mut self) -> bool {
        let has_one = self.dialect == Dialect::SocketIo;
        if has_one {
            self.say("2");
        }
        has_one
    }

    /// Queues a frame; its mask is zero.
    pub fn send(&mut self, opcode: u8, payload: &[u8]) {
        self.replies.extend([0x80 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0]);
        self.replies.extend(payload);
    }

    /// Queues a text message.
    pub fn say(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes());
    }
}

/// The payload's length, once the head is complete.
fn length(head: &[u8]) -> Option<u64> {
    let short = *head.get(1)? & 0x7f;
    let digits = match short {
        126 => head.get(2..4)?,
        127 => head.get(2..10)?,
        _ => return Some(short.into()),
    };
    Some(digits.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)))
}
