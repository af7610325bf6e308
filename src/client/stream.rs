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
    name: String,
}

/// What [`Stream::read`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The log's next bytes.
    Bytes(Vec<u8>),
    /// The end that was asked for is reached.
    End,
    /// The order to stop was given.
    Stopped,
}

impl Stream {
    /// Connects and asks for the log. Each address has 5 s to answer, the handshake 10 s.
    ///
    /// # Errors
    /// When no address answers in time or the server refuses; [`Error::status`] tells the HTTP status.
    pub fn open(url: &Url, shutdown: &Shutdown) -> Result<Stream> {
        let socket = connect::open(url, shutdown)?;
        let name = format!("lost {url}");
        let waiting = socket.get_ref().socket().try_clone().map_err(|error| Error::io(&name, error))?;
        Ok(Stream { socket, waiting, name })
    }

    /// Waits for the log's next bytes.
    ///
    /// # Errors
    /// When the connection is lost, or the server closes it for another reason than the end.
    pub fn read(&mut self, shutdown: &Shutdown) -> Result<Read> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if text == PING => self.answer()?,
                Ok(Message::Text(text)) => return Ok(Read::Bytes(tungstenite::Bytes::from(text).into())),
                Ok(Message::Binary(bytes)) => return Ok(Read::Bytes(bytes.into())),
                Ok(Message::Close(frame)) => {
                    let _ = self.socket.flush();
                    return match frame {
                        Some(frame) if frame.code == CloseCode::Normal => Ok(Read::End),
                        Some(frame) => {
                            Err(Error::closed(&self.name, frame.code.into(), &sanitize::word(&frame.reason)))
                        }
                        None => Err(Error::closed(&self.name, 1005, "")),
                    };
                }
                Ok(_) => {}
                Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    if self.wait(shutdown)? {
                        let _ = self.socket.close(None);
                        return Ok(Read::Stopped);
                    }
                }
                Err(error) => return Err(Error::protocol(&self.name, error)),
            }
        }
    }

    fn answer(&mut self) -> Result<()> {
        match self.socket.send(Message::text(PONG)) {
            // It is queued; the next read sends it.
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result.map_err(|error| Error::protocol(&self.name, error)),
        }
    }

    /// Waits for the server; whether the order to stop came instead.
    fn wait(&mut self, shutdown: &Shutdown) -> Result<bool> {
        let interest = Interest { read: true, write: false };
        let ready =
            wait(self.waiting.as_fd(), interest, Some(shutdown), None).map_err(|error| Error::io(&self.name, error))?;
        self.socket.get_mut().begin(ready);
        Ok(ready.stop)
    }
}
