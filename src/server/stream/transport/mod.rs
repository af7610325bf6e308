//! The transport of a stream: everything that knows the socket, and nothing that knows the log.
//!
//! It takes [`Frame`]s and writes as much of them as the kernel accepts, with sendfile(2) if they are in a file. It
//! sends heartbeats, closes a client that accepts nothing for too long, counts what was sent, and does the close
//! handshake. It never waits: [`Transport::interest`] and [`Transport::due`] are what the connection's single wait is
//! for.

pub(in crate::server) mod frame_writer;
pub(in crate::server) mod heartbeat;
mod http;
pub(in crate::server) mod peer;
pub(in crate::server) mod socket;
pub(in crate::server) mod timeouts_and_sizes;
pub(in crate::server) mod websocket;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::frame_writer::{FrameWriter, WriteError};
use self::heartbeat::Heartbeat;
use self::http::HttpResponse;
use self::socket::StreamSocket;
use self::timeouts_and_sizes::{CLOSE, LONGEST_STALL, PROBES, READ_PACE, UNPACED};
use self::websocket::{Pings, WebSocket};
use crate::protocol::close::Close;
use crate::server::report::metrics::Metrics;
use crate::server::stream::ending::{Ending, Linger};
use crate::server::stream::frame::Frame;
use crate::wait::{Interest, Ready};

/// A client's end of a stream.
pub(in crate::server) struct Transport<S> {
    protocol: Protocol<S>,
    /// How long the client may go without accepting a byte before the connection is closed.
    stall: Option<Duration>,
    blocked: Option<Blocked>,
    /// Whether the client is still read from and sent heartbeats.
    listens: bool,
    /// When to read from the client next.
    next_read: Instant,
    closing: Option<Closing>,
    metrics: Arc<Metrics>,
    /// How many bytes and messages the metrics have counted already.
    counted: (u64, u64),
}

// The stack of a connection has room for the larger variant; boxing it would cost half a kilobyte of heap for each.
#[expect(clippy::large_enum_variant)]
enum Protocol<S> {
    WebSocket(WebSocket<S>),
    Http(HttpResponse<S>),
}

/// Why the current frame cannot be sent completely.
enum Blocked {
    /// The socket's buffer is full.
    Full(Full),
    /// The file that holds the frame's range cannot be read.
    Unreadable,
}

struct Full {
    since: Instant,
    /// How many bytes the socket had accepted by then.
    written: u64,
    /// When to try a write without waiting for poll(2), see [`PROBES`].
    probe: Instant,
}

/// The last frames are queued. They must be sent by `until`; if it is `None`, the stall timeout is the only limit.
struct Closing {
    until: Option<Instant>,
}

/// Why frames could not be handed over.
#[derive(Debug)]
pub(super) enum SendError {
    /// The stream is over.
    Over(Ending),
    /// The log cannot be read. The current frame is kept: another flush may succeed.
    Log(io::Error),
}

impl From<WriteError> for SendError {
    fn from(error: WriteError) -> SendError {
        match error {
            WriteError::Peer(_) => SendError::Over(Ending::PeerLeft),
            WriteError::Changed => SendError::Over(Ending::LogChanged),
            WriteError::Log(error) => SendError::Log(error),
        }
    }
}

impl<S: StreamSocket> Transport<S> {
    /// Sends WebSocket messages over `socket`, after the handshake. `early` is what the client sent along with it.
    pub(in crate::server) fn websocket(
        socket: S,
        early: Vec<u8>,
        pings: Pings,
        heartbeat: Heartbeat,
        metrics: Arc<Metrics>,
    ) -> Transport<S> {
        let socket = WebSocket::new(socket, early, pings, heartbeat);
        Transport::new(Protocol::WebSocket(socket), metrics)
    }

    /// Sends an HTTP response over `socket`.
    pub(in crate::server) fn http(socket: S, metrics: Arc<Metrics>) -> Transport<S> {
        Transport::new(Protocol::Http(HttpResponse::new(socket)), metrics)
    }

    fn new(protocol: Protocol<S>, metrics: Arc<Metrics>) -> Transport<S> {
        let (stall, blocked, closing, counted) = (None, None, None, (0, 0));
        Transport { protocol, stall, blocked, listens: true, next_read: Instant::now(), closing, metrics, counted }
    }

    /// Sets how long the client may go without accepting a byte; `None` for no limit.
    pub(in crate::server) fn stall_after(self, stall: Option<Duration>) -> Transport<S> {
        Transport { stall, ..self }
    }

    /// Begins a turn.
    pub(super) fn begin(&mut self, mut ready: Ready, now: Instant) {
        ready.write |= self.full().is_some_and(|full| full.probe <= now);
        if let (Some(_), Protocol::WebSocket(socket)) = (&self.blocked, &mut self.protocol) {
            socket.hold(now);
        }
        self.writer().begin(ready);
    }

    /// Reads what the client sent. Returns whether the client has just shut down its sending side of an HTTP
    /// connection.
    pub(super) fn receive(&mut self, now: Instant) -> Result<bool, Ending> {
        let (before, _) = self.writer().count();
        match &mut self.protocol {
            Protocol::WebSocket(socket) => socket.receive()?,
            Protocol::Http(response) => response.receive()?,
        }
        let (after, _) = self.writer().count();
        if after - before >= UNPACED {
            self.next_read = now + READ_PACE * (after - before) as u32;
        }
        let is_ended = self.is_half_closed() && self.listens;
        self.listens &= !is_ended;
        Ok(is_ended)
    }

    /// Whether the client has shut down its sending side. It may still be reading.
    pub(super) fn is_half_closed(&self) -> bool {
        matches!(&self.protocol, Protocol::Http(response) if response.is_half_closed())
    }

    /// Stops reading from the client and sending heartbeats.
    pub(super) fn stop_listening(&mut self) {
        self.listens = false;
    }

    /// Whether there is room for another frame.
    pub(super) fn has_room(&self) -> bool {
        match &self.protocol {
            Protocol::WebSocket(socket) => socket.has_room(),
            Protocol::Http(response) => response.has_room(),
        }
    }

    /// Takes a frame to send; see [`Transport::has_room`].
    pub(super) fn send(&mut self, frame: Frame) {
        match &mut self.protocol {
            Protocol::WebSocket(socket) => socket.send(frame),
            Protocol::Http(response) => response.send(frame),
        }
    }

    /// Writes as much as the kernel accepts. Returns whether nothing is left.
    pub(super) fn flush(&mut self, now: Instant) -> Result<bool, SendError> {
        let flushed = match &mut self.protocol {
            Protocol::WebSocket(socket) => socket.flush(now),
            Protocol::Http(response) => response.flush(),
        };
        self.count();
        match flushed {
            Ok(true) => self.blocked = None,
            Ok(false) => self.note_full(now)?,
            Err(error @ WriteError::Log(_)) => {
                self.blocked = Some(Blocked::Unreadable);
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.blocked.is_none())
    }

    fn note_full(&mut self, now: Instant) -> Result<(), SendError> {
        let (_, written) = self.writer().count();
        let since = self.full().filter(|full| full.written == written).map_or(now, |full| full.since);
        let probe = self.full().map(|full| full.probe).filter(|&probe| probe > now);
        let probe = probe.unwrap_or(now + self.stall.map_or(CLOSE, |stall| stall / PROBES));
        self.blocked = Some(Blocked::Full(Full { since, written, probe }));
        match (self.stalls_at(), self.stall) {
            (Some(at), Some(stall)) if at <= now => Err(SendError::Over(Ending::Closed(Close::stalled(stall)))),
            _ => Ok(()),
        }
    }

    /// Adds what was sent since the last call to the metrics.
    fn count(&mut self) {
        let messages = if let Protocol::WebSocket(socket) = &self.protocol { socket.messages() } else { 0 };
        let sent = (self.writer().count().1, messages);
        if sent != self.counted {
            self.metrics.sent_bytes.add(sent.0 - self.counted.0);
            self.metrics.sent_messages.add(sent.1 - self.counted.1);
            self.counted = sent;
        }
    }

    /// Sends a heartbeat if one is due, or ends the stream if one was not answered in time. Call this when everything
    /// else is sent.
    pub(super) fn beat(&mut self, now: Instant) -> Result<(), Ending> {
        if let Protocol::WebSocket(socket) = &mut self.protocol
            && socket.beat(now)?
            && let Err(SendError::Over(ending)) = self.flush(now)
        {
            return Err(ending);
        }
        Ok(())
    }

    /// Queues the last frame, if there is one, and the close handshake. They must be sent within `time`; if it is
    /// `None`, the stall timeout is the only limit.
    pub(super) fn close(&mut self, last: Option<Frame>, close: &Close, time: Option<Duration>, now: Instant) {
        match &mut self.protocol {
            Protocol::WebSocket(socket) => socket.close(last, close),
            Protocol::Http(response) => {
                if let Some(last) = last {
                    response.send(last);
                }
            }
        }
        self.finish(time, now);
    }

    /// Declares what is queued to be the last. It must be sent within `time`, if that is given.
    pub(super) fn finish(&mut self, time: Option<Duration>, now: Instant) {
        self.listens = false;
        let known = self.closing.as_ref().and_then(|closing| closing.until);
        self.closing = Some(Closing { until: known.into_iter().chain(time.map(|time| now + time)).min() });
        self.blocked = None;
    }

    /// Whether the time for sending the last frames is over.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.closing.as_ref().and_then(|closing| closing.until).is_some_and(|until| until <= now)
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    /// Whether the current frame waits for the log rather than the socket.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.blocked, Some(Blocked::Unreadable))
    }

    /// What to wait for on the socket.
    pub(super) fn interest(&self, now: Instant) -> Interest {
        Interest { read: self.listens && now >= self.next_read, write: self.full().is_some() }
    }

    /// When there is something to do even if nothing happens on the socket.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let next_read = Some(self.next_read).filter(|&next| self.listens && now < next);
        let own = match (&self.blocked, &self.protocol) {
            (Some(Blocked::Full(full)), _) => Some(full.probe).into_iter().chain(self.stalls_at()).min(),
            (None, Protocol::WebSocket(socket)) if self.listens => Some(socket.due()),
            _ => None,
        };
        let until = self.closing.as_ref().and_then(|closing| closing.until);
        next_read.into_iter().chain(own).chain(until).min()
    }

    /// When the stall timeout will be over. It does not apply to a close that has a time limit of its own.
    fn stalls_at(&self) -> Option<Instant> {
        let is_bounded = self.closing.as_ref().is_some_and(|closing| closing.until.is_some());
        if is_bounded { None } else { Some(self.full()?.since + self.stall?) }
    }

    fn full(&self) -> Option<&Full> {
        match &self.blocked {
            Some(Blocked::Full(full)) => Some(full),
            _ => None,
        }
    }

    /// How long to linger once everything is handed over, or the client is given up.
    pub(super) fn linger(&self) -> Linger {
        match (&self.closing, &self.protocol) {
            (Some(Closing { until: Some(until) }), _) => Linger::Until(*until),
            (Some(_), Protocol::WebSocket(_)) => Linger::Reading(self.stall.unwrap_or(LONGEST_STALL)),
            // An HTTP client is not expected to send anything more, so no reset can take what it has not read yet.
            (Some(_), Protocol::Http(_)) | (None, _) => Linger::Usual,
        }
    }

    fn writer(&mut self) -> &mut FrameWriter<S> {
        match &mut self.protocol {
            Protocol::WebSocket(socket) => socket.writer(),
            Protocol::Http(response) => response.writer(),
        }
    }
}
