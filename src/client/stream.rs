//! A single connection to a log: its bytes, its events, and how the stream ended. It answers heartbeats and notices a server
//! that is gone; it does not connect again.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use rustix::fd::AsFd;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error as WsError, Message, Utf8Bytes};

use super::ClientConfig;
use super::connect::{self, Socket};
use super::url::Url;
use crate::bounded_stream::Bounded;
use crate::error::{Error, Result};
use crate::protocol::close;
use crate::protocol::event::Event;
use crate::protocol::{PING, PONG};
use crate::shutdown::Shutdown;
use crate::text::sanitize;
use crate::wait::{Interest, Ready, wait};

/// One connection to a log, by `wstail.v1` where the server speaks it and by plain text messages otherwise. It answers
/// heartbeats while [`Stream::read`] runs, and only then. [`Reader`](super::Reader) connects again when it is lost.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    context: String,
    /// The server speaks `wstail.v1`.
    has_events: bool,
    /// How long the server may be silent; `None`, without limit, when it does not speak `wstail.v1`, or is this process.
    patience: Option<Duration>,
    /// When bytes last arrived, and how many had arrived by then.
    heard: (Instant, u64),
}

/// The heartbeat interval that is assumed until the server names its own, in seconds: its default.
const HEARTBEAT: f64 = 10.0;
/// How late a heartbeat may arrive from a server that is alive.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// What [`Stream::read`] returns.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Received {
    /// The log's next bytes, cut anywhere.
    Bytes(Vec<u8>),
    /// An event, from a server that speaks `wstail.v1`.
    Event(Event),
    /// The stream is complete: the log was read to its end.
    End,
    /// The shutdown was triggered.
    Stopped,
}

/// A message, before it is known what it means.
pub(super) enum Incoming {
    Text(Utf8Bytes),
    Binary(Vec<u8>),
    End,
    Stopped,
}

impl Stream {
    /// Connects and requests the log. Each address of the host has 5 s to answer, and all handshakes together have 10 s. The
    /// system decides how long it takes to look up a name.
    ///
    /// # Errors
    /// When no address answers in time ([`Error::is_timeout`]), the server's certificate is not trusted
    /// ([`Error::is_untrusted`]), or the server refuses ([`Error::status`]).
    pub fn open(url: &Url, config: &ClientConfig, shutdown: &Shutdown) -> Result<Stream> {
        let (socket, has_events) = connect::open(url, config, shutdown)?;
        let context = if url.is_local() { format!("cannot follow {url}") } else { format!("lost {url}") };
        // Within this process nobody can vanish, and the log's disk may be slow.
        let patience = (has_events && !url.is_local()).then(|| patience(HEARTBEAT));
        Ok(Stream { socket, has_events, context, patience, heard: (Instant::now(), 0) })
    }

    /// Whether the server speaks `wstail.v1`.
    pub(super) fn has_events(&self) -> bool {
        self.has_events
    }

    /// The error for a stream that ended although it follows its log.
    pub(super) fn closed_early(&self) -> Error {
        Error::closed(&self.context, 1000, "the stream has ended")
    }

    /// Blocks until bytes or an event arrive, the stream ends, or `shutdown` is triggered.
    ///
    /// # Errors
    /// When the connection is lost, a server that speaks `wstail.v1` misses two heartbeats ([`Error::is_timeout`]), or the
    /// server closes the stream for any reason but its end.
    pub fn read(&mut self, shutdown: &Shutdown) -> Result<Received> {
        loop {
            match self.receive(shutdown)? {
                Incoming::Text(text) if self.has_events() => {
                    if let Some(event) = self.event(&text) {
                        return Ok(Received::Event(event));
                    }
                }
                Incoming::Text(text) if text == PING => self.answer()?,
                Incoming::Text(text) => return Ok(Received::Bytes(Bytes::from(text).into())),
                Incoming::Binary(bytes) => return Ok(Received::Bytes(bytes)),
                Incoming::End => return Ok(Received::End),
                Incoming::Stopped => return Ok(Received::Stopped),
            }
        }
    }

    /// Blocks until a message arrives, the stream ends, or `shutdown` is triggered. The errors are those of
    /// [`Stream::read`].
    pub(super) fn receive(&mut self, shutdown: &Shutdown) -> Result<Incoming> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Incoming::Text(text)),
                Ok(Message::Binary(bytes)) => return Ok(Incoming::Binary(bytes.into())),
                Ok(Message::Close(frame)) => {
                    let _ = self.socket.flush();
                    return match frame {
                        Some(frame) if frame.code == CloseCode::Normal => Ok(Incoming::End),
                        Some(frame) => Err(self.closed(frame.code.into(), &sanitize::escape(&frame.reason))),
                        None => Err(Error::closed(&self.context, 1005, "")),
                    };
                }
                Ok(_) => {}
                Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    if self.wait(shutdown)? {
                        let _ = self.socket.close(None);
                        return Ok(Incoming::Stopped);
                    }
                }
                Err(error) => return Err(Error::protocol(&self.context, error)),
            }
        }
    }

    /// The error for a stream that the server has closed.
    fn closed(&self, code: u16, reason: &str) -> Error {
        match code {
            // The same answer over HTTP. Another request would get it again.
            close::NO_TIMES => {
                let what = self.context.replacen("lost", "cannot follow", 1);
                Error::refused(what, 422, reason.to_owned(), None)
            }
            _ => Error::closed(&self.context, code, reason),
        }
    }

    /// Sets the interval at which the server sends a heartbeat, in seconds.
    pub(super) fn expect_heartbeat(&mut self, heartbeat: f64) {
        self.patience = self.patience.map(|_| patience(heartbeat));
    }

    /// Sends an unsolicited Pong, which shows the server that this client is alive while it does not read. Call it every few
    /// seconds while you cannot take more bytes. With the parameter `heartbeat=frame` the connection then lasts until the
    /// server's stall timeout.
    pub fn keep_alive(&mut self) {
        if self.socket.flush().is_ok() {
            let _ = self.socket.send(Message::Pong(Vec::new().into()));
        }
    }

    /// An event of a kind that is known here.
    fn event(&mut self, text: &str) -> Option<Event> {
        let mut event = Event::parse(text)?;
        match &mut event {
            Event::Open { heartbeat, .. } => self.expect_heartbeat(*heartbeat),
            // It is for people, and a server may be anyone's.
            Event::Waiting { reason } | Event::End { reason } => *reason = sanitize::escape(reason),
            _ => {}
        }
        Some(event)
    }

    /// What the socket does not take now stays queued; [`Stream::wait`] sees to it.
    fn answer(&mut self) -> Result<()> {
        match self.socket.send(Message::text(PONG)) {
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result.map_err(|error| Error::protocol(&self.context, error)),
        }
    }

    /// Sends queued messages and waits for the server. Returns whether the shutdown was triggered instead.
    fn wait(&mut self, shutdown: &Shutdown) -> Result<bool> {
        let write = match self.socket.flush() {
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => true,
            result => result.map(|()| false).map_err(|error| Error::protocol(&self.context, error))?,
        };
        let brought = self.socket.get_ref().count().0;
        if brought != self.heard.1 {
            self.heard = (Instant::now(), brought);
        }
        let until = self.patience.map(|patience| self.heard.0 + patience);
        let interest = Interest { read: true, write };
        let ready = wait(self.socket.get_ref().as_fd(), interest, Some(shutdown), until)
            .map_err(|error| Error::io(&self.context, error))?;
        if ready == Ready::default() && until.is_some_and(|until| until <= Instant::now()) {
            return Err(Error::timeout(format!("{}: no heartbeat from the server", self.context)));
        }
        self.socket.get_mut().begin(ready);
        Ok(ready.stop)
    }
}

/// A server that sent nothing for two heartbeats, plus the time in which one may be late, is gone.
fn patience(heartbeat: f64) -> Duration {
    const DAY: f64 = 86_400.0;
    let heartbeat = if heartbeat > 0.0 { heartbeat.min(DAY) } else { HEARTBEAT };
    Duration::from_secs_f64(2.0 * heartbeat) + HEARTBEAT_TIMEOUT
}
