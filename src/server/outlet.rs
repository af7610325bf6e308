//! A socket's way out: one large frame at a time, as it lies in memory, and small ones in between through `Write`.
//! tungstenite would copy a frame into a buffer that never shrinks; here its memory goes back when it is sent.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use crate::turn::TurnStream;
use crate::wait::Ready;

#[derive(Debug)]
pub(super) struct Outlet<S> {
    turn: TurnStream<S>,
    head: Vec<u8>,
    body: Vec<u8>,
    sent: usize,
}

impl<S: Read + Write> Outlet<S> {
    pub(super) fn new(socket: S) -> Outlet<S> {
        Outlet { turn: TurnStream::new(socket), head: Vec::new(), body: Vec::new(), sent: 0 }
    }

    pub(super) fn begin(&mut self, ready: Ready) {
        self.turn.begin(ready);
    }

    /// Bytes read and bytes written so far.
    pub(super) fn count(&self) -> (u64, u64) {
        (self.turn.bytes_read(), self.turn.bytes_written())
    }

    /// Puts a frame on its way; the one before it must be out.
    pub(super) fn send(&mut self, head: Vec<u8>, body: Vec<u8>) {
        debug_assert!(self.is_clear(), "one frame at a time");
        (self.head, self.body, self.sent) = (head, body, 0);
    }

    /// Writes what the socket takes; whether the frame is out.
    pub(super) fn push(&mut self) -> io::Result<bool> {
        while !self.is_clear() {
            let head = &self.head[self.sent.min(self.head.len())..];
            let body = &self.body[self.sent.saturating_sub(self.head.len())..];
            match self.turn.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        (self.head, self.body, self.sent) = (Vec::new(), Vec::new(), 0);
        Ok(true)
    }

    fn is_clear(&self) -> bool {
        self.sent == self.head.len() + self.body.len()
    }
}

impl<S: Read> Read for Outlet<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn.read(buffer)
    }
}

impl<S: Read + Write> Write for Outlet<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // No control frame goes out in the middle of another frame.
        if !self.push()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.turn.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.turn.flush()
    }
}
