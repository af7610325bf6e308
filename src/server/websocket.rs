//! A WebSocket as both kinds of stream use it: what the client says, heartbeats, and the farewell.
//! Log data goes past tungstenite, see [`Outlet`].

use std::fs::File;
use std::io::ErrorKind;
use std::time::Instant;

use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error as WsError, Message, WebSocket as Tungstenite};

use super::connection::Gone;
use super::heartbeat::{Due, Heartbeat};
use super::outlet::{Outlet, Socket};
use crate::follow::extent::Extent;
use crate::protocol::close::{self, Close};
use crate::protocol::request::HeartbeatKind;
use crate::protocol::{MAX_CLIENT_MESSAGE, PING, PONG};

pub(super) struct WebSocket<S> {
    socket: Tungstenite<Outlet<S>>,
    kind: HeartbeatKind,
    heartbeat: Heartbeat,
    closed: bool,
    messages: u64,
    /// Messages that go out along with the next.
    before: Vec<u8>,
}

impl<S: Socket> WebSocket<S> {
    /// A stream over `socket`, after the handshake; `early` is what the client sent along with it.
    pub(super) fn new(socket: S, early: Vec<u8>, kind: HeartbeatKind, heartbeat: Heartbeat) -> WebSocket<S> {
        // Log messages go past tungstenite, so its buffers hold control frames and a client's few words only: at most
        // a ping, a pong and a close of 127 bytes each, and one pong more for every read while they wait.
        const SMALL: usize = 1024;
        let config = WebSocketConfig::default()
            .read_buffer_size(SMALL)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * SMALL)
            .max_message_size(Some(MAX_CLIENT_MESSAGE))
            .max_frame_size(Some(MAX_CLIENT_MESSAGE));
        let socket = Tungstenite::from_partially_read(Outlet::new(socket), early, Role::Server, Some(config));
        WebSocket { socket, kind, heartbeat, closed: false, messages: 0, before: Vec::new() }
    }

    pub(super) fn outlet(&mut self) -> &mut Outlet<S> {
        self.socket.get_mut()
    }

    /// Puts a message on its way; the one before it must be out.
    pub(super) fn send(&mut self, kind: Data, payload: Vec<u8>) {
        let head = self.head(kind, payload.len());
        self.outlet().send(head, payload);
    }

    /// A small message before the next one, which must come at once.
    pub(super) fn put_before(&mut self, kind: Data, payload: &[u8]) {
        self.before = self.head(kind, payload.len());
        self.before.extend_from_slice(payload);
    }

    /// The same with a binary message that lies in the log.
    pub(super) fn send_extent(&mut self, extent: Extent) {
        let head = self.head(Data::Binary, extent.length());
        self.outlet().send_extent(head, extent);
    }

    /// The head of the next message, behind what goes out along with it.
    fn head(&mut self, kind: Data, length: usize) -> Vec<u8> {
        self.messages += 1;
        let header = FrameHeader { opcode: OpCode::Data(kind), ..FrameHeader::default() };
        let mut head = std::mem::take(&mut self.before);
        header.format(length as u64, &mut head).expect("a vector takes all");
        head
    }

    /// How many messages were put on their way.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// Reads what the client sent.
    pub(super) fn receive(&mut self) -> Result<(), Gone> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if self.kind == HeartbeatKind::Text && text == PONG => self.heartbeat.pong(),
                Ok(Message::Pong(_)) if self.kind == HeartbeatKind::Frame => self.heartbeat.pong(),
                // tungstenite has queued the answer to a Close, as it does with a Ping.
                Ok(Message::Close(_)) => {
                    self.closed = true;
                    return Err(Gone::ClosedByPeer);
                }
                Ok(_) => {}
                Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    pub(super) fn beat(&mut self, now: Instant, full: bool) -> Result<(), Gone> {
        let ping = match (self.heartbeat.check(now, full), self.kind) {
            (Due::Nothing, _) => return Ok(()),
            (Due::Missed, _) => return Err(Gone::Close(Close::no_pong(self.heartbeat.timeout()))),
            (Due::Ping, HeartbeatKind::Text) => Message::text(PING),
            (Due::Ping, HeartbeatKind::Frame) => Message::Ping(Vec::new().into()),
        };
        // What `WouldBlock` could not take stays queued in tungstenite.
        self.socket.write(ping).or_else(nothing_now)
    }

    /// Hands to the kernel what it takes. `Some(true)` when that was all and another message may be sent, `Some(false)`
    /// when nothing may be sent any more, `None` when the socket is full.
    pub(super) fn flush(&mut self, log: &File, now: Instant) -> Result<Option<bool>, Gone> {
        if !self.outlet().push(log)? {
            return Ok(None);
        }
        if let Err(error) = self.socket.flush() {
            nothing_now(error)?;
            return Ok(None);
        }
        self.heartbeat.handed(now);
        Ok(Some(!self.closed))
    }

    /// When the heartbeat wants to be looked at.
    pub(super) fn due(&self) -> Instant {
        self.heartbeat.wake()
    }

    /// Queues a last word, if there is one, and the farewell.
    pub(super) fn close(&mut self, word: Option<String>, close: &Close) {
        if let Some(word) = word.filter(|_| !self.closed) {
            let _ = self.socket.write(Message::text(word));
        }
        self.closed = true;
        let frame = CloseFrame { code: close.code.into(), reason: close.reason.to_string().into() };
        let _ = self.socket.close(Some(frame));
    }
}

/// What a client did that ends its stream; to leave is no fault.
fn fault(error: &WsError) -> Gone {
    Gone::Close(match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Gone::Disconnected,
        WsError::Protocol(fault) => Close::new(close::PROTOCOL, fault.to_string()),
        WsError::Utf8(_) => Close::new(close::NOT_UTF8, "a text message was no UTF-8"),
        WsError::Capacity(_) => Close::new(close::TOO_BIG, "a message was larger than 4 KiB"),
        _ => return Gone::Disconnected,
    })
}

fn nothing_now(error: WsError) -> Result<(), Gone> {
    match error {
        WsError::Io(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        _ => Err(Gone::Disconnected),
    }
}
