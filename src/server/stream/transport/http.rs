//! The HTTP side of a transport: sends the response's bytes as they are. What the client sends is read only to notice
//! that it has left, and then dropped: a connection has no second request.

use std::io::{ErrorKind, Read};

use crate::server::stream::ending::Ending;
use crate::server::stream::frame::Frame;
use crate::server::stream::transport::frame_writer::{FrameWriter, WriteError};
use crate::server::stream::transport::socket::StreamSocket;

pub(super) struct HttpResponse<S> {
    writer: FrameWriter<S>,
    /// The client has shut down its sending side. It gets what the log holds, but the log is not followed for it.
    is_half_closed: bool,
}

impl<S: StreamSocket> HttpResponse<S> {
    pub(super) fn new(socket: S) -> HttpResponse<S> {
        HttpResponse { writer: FrameWriter::new(socket), is_half_closed: false }
    }

    pub(super) fn writer(&mut self) -> &mut FrameWriter<S> {
        &mut self.writer
    }

    pub(super) fn is_half_closed(&self) -> bool {
        self.is_half_closed
    }

    pub(super) fn receive(&mut self) -> Result<(), Ending> {
        loop {
            match self.writer.read(&mut [0; 1024]) {
                Ok(0) => {
                    self.is_half_closed = true;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Ending::PeerLeft),
            }
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.writer.is_clear()
    }

    pub(super) fn send(&mut self, frame: Frame) {
        match frame {
            Frame::Text(bytes) | Frame::Binary(bytes) => self.writer.send(Vec::new(), bytes),
            Frame::Range(range) => self.writer.send_range(Vec::new(), range),
        }
    }

    pub(super) fn flush(&mut self) -> Result<bool, WriteError> {
        self.writer.push()
    }
}
