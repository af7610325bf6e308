//! A log as it comes: its bytes, and how the stream ended.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::AsFd;

use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error as WsError, Message};

use super::connect::{self, Socket};
use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::{PING, PONG};
use crate::shutdown::Shutdown;
use crate::text::sanitize;
use crate::wait::{Interest, wait};

/// An open stream. It answers heartbeats by itself whenever it is read.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    /// The same socket, to wait on.
    waiting: TcpStream,
    context: String,
}

/// What [`Stream::read`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The log's next bytes.
    Bytes(Vec<u8>),
    /// The end that was asked for is reached.
    End,
    /// The order to stop was given.
    Stopped,
}

impl Stream {
    /// Connects and asks for the log. Each address has 5 s to answer, the handshake 10 s; how long a name takes to be
    /// looked up is the system's affair.
    ///
    /// # Errors
    /// When no address answers in time or the server refuses; [`Error::status`] tells the HTTP status.
    pub fn open(url: &Url, shutdown: &Shutdown) -> Result<Stream> {
        let socket = connect::open(url, shutdown)?;
        let context = format!("lost {url}");
        let waiting = socket.get_ref().socket().try_clone().map_err(|error| Error::io(&context, error))?;
        Ok(Stream { socket, waiting, context })
    }

    /// Waits for the log's next bytes.
    ///
    /// # Errors
    /// When the connection is lost, or the server closes it for another reason than the end.
    pub fn read(&mut self, shutdown: &Shutdown) -> Result<Received> {
        loop {
            match self.socket.read() {
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
        let interest = Interest { read: true, write };
        let ready = wait(self.waiting.as_fd(), interest, Some(shutdown), None)
            .map_err(|error| Error::io(&self.context, error))?;
        self.socket.get_mut().begin(ready);
        Ok(ready.stop)
    }
}
