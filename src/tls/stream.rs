//! A TLS connection over a stream that is used turn by turn: what the turn reads is decrypted, what it takes is encrypted.
//! poll(2) does not see bytes that are already decrypted, so a caller must read until `WouldBlock` before each wait.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::time::Instant;

use rustix::fd::AsFd;
use rustls::Connection;

use crate::bounded_stream::Bounded;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, Ready, wait};

/// How much may be encrypted before the kernel has accepted it, in bytes.
const BUFFER: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct TlsStream<T> {
    turn: T,
    session: Box<Connection>,
}

impl<T: Bounded> TlsStream<T> {
    pub(super) fn new(turn: T, session: impl Into<Connection>) -> TlsStream<T> {
        let mut session = Box::new(session.into());
        session.set_buffer_limit(Some(BUFFER));
        TlsStream { turn, session }
    }

    /// Takes turns until the handshake is done. Fails with `TimedOut` at `until`, or `Interrupted` at a shutdown.
    pub(super) fn shake_hands(&mut self, until: Instant, shutdown: &Shutdown) -> io::Result<()>
    where
        T: AsFd,
    {
        loop {
            let full = match self.flush() {
                Ok(()) => false,
                Err(error) if error.kind() == ErrorKind::WouldBlock => true,
                Err(error) => return Err(error),
            };
            if !full && !self.session.is_handshaking() {
                return Ok(());
            }
            let ready = wait(self.turn.as_fd(), Interest { read: true, write: full }, Some(shutdown), Some(until))?;
            if ready.stop {
                return Err(ErrorKind::Interrupted.into());
            }
            if until <= Instant::now() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.turn.begin(ready);
            match self.receive() {
                Ok(0) => return Err(cut_off()),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    /// Decrypts what this turn reads. Returns 0 at the end.
    fn receive(&mut self) -> io::Result<usize> {
        let read = self.session.read_tls(&mut self.turn)?;
        if let Err(fault) = self.session.process_new_packets() {
            // Notifies the peer, if it accepts that now.
            let _ = self.flush();
            return Err(io::Error::new(ErrorKind::InvalidData, fault));
        }
        Ok(read)
    }

    /// Encrypts as much as there is room for and hands it to the kernel. What the kernel does not accept waits for a
    /// flush.
    fn send(&mut self, encrypt: impl FnOnce(&mut Connection) -> io::Result<usize>) -> io::Result<usize> {
        self.flush()?;
        let taken = encrypt(&mut self.session)?;
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the connection was cut off")
}

impl<T: Bounded> Bounded for TlsStream<T> {
    fn begin(&mut self, ready: Ready) {
        self.turn.begin(ready);
    }

    fn count(&self) -> (u64, u64) {
        self.turn.count()
    }

    fn finish(&mut self) {
        self.session.send_close_notify();
    }
}

impl<T: AsFd> AsFd for TlsStream<T> {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.turn.as_fd()
    }
}

impl<T: Bounded> Read for TlsStream<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive()?,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(cut_off()),
                result => return result,
            };
        }
    }
}

impl<T: Bounded> Write for TlsStream<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(|session| session.writer().write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send(|session| session.writer().write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.turn)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}
