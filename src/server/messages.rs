//! A log as text messages over WebSocket, without a subprotocol.

use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error as WsError, Message, WebSocket};

use super::connection::{Gone, Sink};
use super::heartbeat::{Due, Heartbeat};
use super::outlet::Outlet;
use crate::protocol::close::{self, Close};
use crate::protocol::request;
use crate::protocol::{MAX_CLIENT_MESSAGE, PING, PONG};
use crate::text::lines::LineBuffer;

pub(super) struct Messages<S> {
    socket: WebSocket<Outlet<S>>,
    lines: LineBuffer,
    kind: request::HeartbeatKind,
    heartbeat: Heartbeat,
    closed: bool,
}

impl<S: Read + Write> Messages<S> {
    /// A stream over `socket`, after the handshake; `early` is what the client sent along with it.
    pub(super) fn new(
        socket: S,
        early: Vec<u8>,
        lines: LineBuffer,
        kind: request::HeartbeatKind,
        heartbeat: Heartbeat,
    ) -> Messages<S> {
        // Log messages go past tungstenite, so its buffers hold control frames and a client's few words only: at most
        // a ping, a pong and a close of 127 bytes each, and one pong more for every read while they wait.
        const SMALL: usize = 1024;
        let config = WebSocketConfig::default()
            .read_buffer_size(SMALL)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * SMALL)
            .max_message_size(Some(MAX_CLIENT_MESSAGE))
            .max_frame_size(Some(MAX_CLIENT_MESSAGE));
        let socket = WebSocket::from_partially_read(Outlet::new(socket), early, Role::Server, Some(config));
        Messages { socket, lines, kind, heartbeat, closed: false }
    }

    fn send(&mut self, text: String) {
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let mut head = Vec::new();
        header.format(text.len() as u64, &mut head).expect("a vector takes all");
        self.socket.get_mut().send(head, text.into_bytes());
    }

    /// What `WouldBlock` could not take stays queued in tungstenite.
    fn queue(&mut self, message: Message) -> Result<(), Gone> {
        match self.socket.write(message) {
            Ok(()) => Ok(()),
            Err(error) => nothing_now(error),
        }
    }
}

impl<S: Read + Write> Sink for Messages<S> {
    type Socket = S;

    fn outlet(&mut self) -> &mut Outlet<S> {
        self.socket.get_mut()
    }

    fn begin(&mut self, _left: Option<u64>) {}

    fn push(&mut self, bytes: &[u8], more: bool, now: Instant) {
        self.lines.push(bytes, more, now);
    }

    fn finish(&mut self) {
        self.lines.finish();
    }

    fn receive(&mut self) -> Result<(), Gone> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if self.kind == request::HeartbeatKind::Text && text == PONG => {
                    self.heartbeat.pong();
                }
                Ok(Message::Pong(_)) if self.kind == request::HeartbeatKind::Frame => self.heartbeat.pong(),
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

    fn beat(&mut self, now: Instant, full: bool) -> Result<(), Gone> {
        match self.heartbeat.check(now, full) {
            Due::Nothing => Ok(()),
            Due::Missed => Err(Gone::Close(Close::no_pong(self.heartbeat.timeout()))),
            Due::Ping => self.queue(match self.kind {
                request::HeartbeatKind::Text => Message::text(PING),
                request::HeartbeatKind::Frame => Message::Ping(Vec::new().into()),
            }),
        }
    }

    fn flush(&mut self, now: Instant) -> Result<bool, Gone> {
        loop {
            if !self.outlet().push()? {
                return Ok(false);
            }
            if let Err(error) = self.socket.flush() {
                nothing_now(error)?;
                return Ok(false);
            }
            self.heartbeat.handed(now);
            if self.closed {
                return Ok(true);
            }
            match self.lines.next(now) {
                Some(text) => self.send(text),
                None => return Ok(true),
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat.wake();
        Some(self.lines.due().map_or(heartbeat, |due| due.min(heartbeat)))
    }

    fn listens(&self) -> bool {
        true
    }

    fn close(&mut self, close: &Close) {
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
