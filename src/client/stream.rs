//! A log as it comes: its bytes, and how the stream ended.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error as WsError, Message};

use super::Config;
use super::connect::{self, Socket};
use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::event::Event;
use crate::protocol::{PING, PONG};
use crate::shutdown::Shutdown;
use crate::text::sanitize;
use crate::turn::Turn;
use crate::wait::{Interest, Ready, wait};

/// One connection: `wstail.v1` where the server speaks it, else plain text messages. It answers heartbeats by itself whenever it is read.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    context: String,
    /// How long the server may be silent; one that speaks no `wstail.v1` may be for ever.
    patience: Option<Duration>,
    /// When the socket was last seen to bring something, and how much it had brought by then.
    heard: (Instant, u64),
}

/// Until the server says how often it beats, it is taken to do so as often as it does by default.
const HEARTBEAT: f64 = 10.0;
/// How long a server that is alive may take over a heartbeat.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// What [`Stream::read`] returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The log's next bytes.
    Bytes(Vec<u8>),
    /// What became of the log, from a server that speaks `wstail.v1`.
    Event(Event),
    /// The end that was asked for is reached.
    End,
    /// The order to stop was given.
    Stopped,
}

impl Stream {
    /// Connects and asks for the log. Each address has 5 s to answer, the handshakes 10 s together; how long a name takes to be
    /// looked up is the system's affair.
    ///
    /// # Errors
    /// When no address answers in time, the server's certificate is not trusted ([`Error::is_untrusted`]), or the server
    /// refuses; [`Error::status`] tells the HTTP status.
    pub fn open(url: &Url, config: &Config, shutdown: &Shutdown) -> Result<Stream> {
        let (socket, has_events) = connect::open(url, config, shutdown)?;
        let context = format!("lost {url}");
        let patience = has_events.then(|| patience(HEARTBEAT));
        Ok(Stream { socket, context, patience, heard: (Instant::now(), 0) })
    }

    /// Whether the server speaks `wstail.v1`.
    pub(super) fn has_events(&self) -> bool {
        self.patience.is_some()
    }

    /// The stream was ended though its log has no end.
    pub(super) fn closed_early(&self) -> Error {
        Error::closed(&self.context, 1000, "the stream was ended")
    }

    /// Waits for the log's next bytes.
    ///
    /// # Errors
    /// When the connection is lost, or the server closes it for another reason than the end.
    pub fn read(&mut self, shutdown: &Shutdown) -> Result<Received> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if self.patience.is_some() => {
                    if let Some(event) = self.event(&text) {
                        return Ok(Received::Event(event));
                    }
                }
                Ok(Message::Text(text)) if text == PING => self.answer()?,
                Ok(Message::Text(text)) => return Ok(Received::Bytes(tungstenite::Bytes::from(text).into())),
                Ok(Message::Binary(bytes)) => return Ok(Received::Bytes(bytes.into())),
                Ok(Message::Close(frame)) => {
                    let _ = self.socket.flush();
                    return match frame {
                        Some(frame) if frame.code == CloseCode::Normal => Ok(Received::End),
                        Some(frame) => {
                            Err(Error::closed(&self.context, frame.code.into(), &sanitize::escape(&frame.reason)))
                        }
                        None => Err(Error::closed(&self.context, 1005, "")),
                    };
                }
                Ok(_) => {}
                Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    if self.wait(shutdown)? {
                        let _ = self.socket.close(None);
                        return Ok(Received::Stopped);
                    }
                }
                Err(error) => return Err(Error::protocol(&self.context, error)),
            }
        }
    }

    /// Tells the server that its client is there though it reads nothing now: an unasked Pong, which is harmless. To be
    /// called every so often by who cannot take more; with `heartbeat=frame` the connection then stands until the
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
            Event::Open { heartbeat, .. } => self.patience = Some(patience(*heartbeat)),
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

    /// Sends what is queued and waits for the server; whether the order to stop came instead.
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
            return Err(Error::timeout(format!("{}: no heartbeat came", self.context)));
        }
        self.socket.get_mut().begin(ready);
        Ok(ready.stop)
    }
}

/// Who has seen nothing for two heartbeats and the time that an answer to one may take is alone.
fn patience(heartbeat: f64) -> Duration {
    const DAY: f64 = 86_400.0;
    let heartbeat = if heartbeat > 0.0 { heartbeat.min(DAY) } else { HEARTBEAT };
    Duration::from_secs_f64(2.0 * heartbeat) + HEARTBEAT_TIMEOUT
}
