//! The WebSocket side of a transport: messages, heartbeats, and the close handshake. It reads what a client sends and
//! ignores everything except pongs and a close. Messages bypass tungstenite, see [`FrameWriter`]; control frames go
//! through it.

use std::io::ErrorKind;
use std::time::Instant;

use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error as WsError, Message, WebSocket as Tungstenite};

use crate::protocol::close::{self, Close};
use crate::protocol::event::Event;
use crate::protocol::request::HeartbeatKind;
use crate::protocol::{MAX_CLIENT_MESSAGE, PING, PONG};
use crate::server::stream::ending::Ending;
use crate::server::stream::frame::Frame;
use crate::server::stream::transport::frame_writer::{FrameWriter, WriteError};
use crate::server::stream::transport::heartbeat::{Due, Heartbeat};
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::{COALESCED, CONTROL, HEARTBEAT};

pub(super) struct WebSocket<S> {
    socket: Tungstenite<FrameWriter<S>>,
    heartbeat: Heartbeat,
    pings: Pings,
    is_closed: bool,
    messages: u64,
    /// How many messages had been sent at the last ping.
    asked_after: Option<u64>,
    /// Small messages that wait to be sent together with the next one.
    pending: Vec<u8>,
}

/// How to ping the client.
#[derive(Debug)]
pub(in crate::server) struct Pings {
    pub kind: HeartbeatKind,
    /// Also sends the event `alive` if nothing else was sent since the last ping: for clients that cannot see Ping
    /// frames, such as those in browsers.
    pub has_alive: bool,
}

impl<S: StreamSocket> WebSocket<S> {
    /// Makes a stream over `socket`, after the handshake. `early` is what the client sent along with it.
    pub(super) fn new(socket: S, early: Vec<u8>, pings: Pings, heartbeat: Heartbeat) -> WebSocket<S> {
        let config = WebSocketConfig::default()
            .read_buffer_size(CONTROL)
            .write_buffer_size(HEARTBEAT)
            .max_write_buffer_size(4 * CONTROL)
            .max_message_size(Some(MAX_CLIENT_MESSAGE))
            .max_frame_size(Some(MAX_CLIENT_MESSAGE));
        let socket = Tungstenite::from_partially_read(FrameWriter::new(socket), early, Role::Server, Some(config));
        let (is_closed, messages, asked_after, pending) = (false, 0, None, Vec::new());
        WebSocket { socket, heartbeat, pings, is_closed, messages, asked_after, pending }
    }

    pub(super) fn writer(&mut self) -> &mut FrameWriter<S> {
        self.socket.get_mut()
    }

    /// How many messages were queued so far.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether there is room for another message: as the next one, or to be sent along with it.
    pub(super) fn has_room(&self) -> bool {
        self.socket.get_ref().is_clear() && self.pending.len() <= COALESCED
    }

    /// Queues a message.
    pub(super) fn send(&mut self, frame: Frame) {
        self.messages += 1;
        let kind = if matches!(frame, Frame::Text(_)) { Data::Text } else { Data::Binary };
        let header = FrameHeader { opcode: OpCode::Data(kind), ..FrameHeader::default() };
        let length = frame.length();
        let copied = if length <= COALESCED { length } else { 0 };
        self.pending.reserve_exact(header.len(length as u64) + copied);
        header.format(length as u64, &mut self.pending).expect("a vector takes all");
        match frame {
            Frame::Text(bytes) | Frame::Binary(bytes) if bytes.len() <= COALESCED => {
                self.pending.extend_from_slice(&bytes);
            }
            Frame::Text(bytes) | Frame::Binary(bytes) => {
                let head = std::mem::take(&mut self.pending);
                self.writer().send(head, bytes);
            }
            Frame::Range(range) => {
                let head = std::mem::take(&mut self.pending);
                self.writer().send_range(head, range);
            }
        }
    }

    /// Reads what the client sent.
    pub(super) fn receive(&mut self) -> Result<(), Ending> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if self.pings.kind == HeartbeatKind::Text && text == PONG => {
                    self.heartbeat.pong();
                }
                Ok(Message::Pong(_)) if self.pings.kind == HeartbeatKind::Frame => self.heartbeat.pong(),
                // tungstenite has queued the answer to a Close, as it does for a Ping.
                Ok(Message::Close(_)) => {
                    self.is_closed = true;
                    return Err(Ending::PeerClosed);
                }
                Ok(_) => {}
                Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    /// The socket is full: no ping can reach the client, so no answer is overdue.
    pub(super) fn hold(&mut self, now: Instant) {
        self.heartbeat.hold(now);
    }

    /// Sends a ping if one is due. Returns whether it was.
    pub(super) fn beat(&mut self, now: Instant) -> Result<bool, Ending> {
        let ping = match (self.heartbeat.check(now), self.pings.kind) {
            (Due::Nothing, _) => return Ok(false),
            (Due::Missed, _) => return Err(Ending::Closed(Close::no_pong(self.heartbeat.timeout()))),
            (Due::Ping, HeartbeatKind::Text) => Message::text(PING),
            (Due::Ping, HeartbeatKind::Frame) => Message::Ping(Vec::new().into()),
        };
        // What did not fit (`WouldBlock`) stays queued in tungstenite.
        self.socket.write(ping).or_else(nothing_now)?;
        if self.pings.has_alive && self.asked_after == Some(self.messages) {
            self.messages += 1;
            self.socket.write(Message::text(Event::Alive.to_string())).or_else(nothing_now)?;
        }
        self.asked_after = Some(self.messages);
        Ok(true)
    }

    /// Writes as much as the kernel accepts. Returns whether nothing is left.
    pub(super) fn flush(&mut self, now: Instant) -> Result<bool, WriteError> {
        if !self.pending.is_empty() && self.writer().is_clear() {
            let head = std::mem::take(&mut self.pending);
            self.writer().send(head, Vec::new());
        }
        if !self.writer().push()? {
            return Ok(false);
        }
        match self.socket.flush() {
            Ok(()) => {}
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(WsError::Io(error)) => return Err(WriteError::Peer(error)),
            Err(_) => return Err(WriteError::Peer(ErrorKind::ConnectionAborted.into())),
        }
        self.heartbeat.handed(now);
        Ok(true)
    }

    /// When to ping the client, or give it up.
    pub(super) fn due(&self) -> Instant {
        self.heartbeat.wake()
    }

    /// Queues the last message, if there is one, and the close frame.
    pub(super) fn close(&mut self, last: Option<Frame>, close: &Close) {
        if let Some(Frame::Text(text)) = last.filter(|_| !self.is_closed)
            && let Ok(text) = String::from_utf8(text)
        {
            let _ = self.socket.write(Message::text(text));
        }
        self.is_closed = true;
        let frame = CloseFrame { code: close.code.into(), reason: close.reason.to_string().into() };
        let _ = self.socket.close(Some(frame));
    }
}

/// How a stream ends after an error that the client caused. A client that disconnects has done nothing wrong.
fn fault(error: &WsError) -> Ending {
    Ending::Closed(match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Ending::PeerLeft,
        WsError::Protocol(fault) => Close::new(close::PROTOCOL, fault.to_string()),
        WsError::Utf8(_) => Close::new(close::NOT_UTF8, "a text message was not valid UTF-8"),
        WsError::Capacity(_) => Close::new(close::TOO_BIG, "a message was larger than 4 KiB"),
        _ => return Ending::PeerLeft,
    })
}

fn nothing_now(error: WsError) -> Result<(), Ending> {
    match error {
        WsError::Io(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        _ => Err(Ending::PeerLeft),
    }
}
