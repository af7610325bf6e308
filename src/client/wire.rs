//! What a client reads and writes: TCP as it is, or TLS over it.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use crate::tls::TlsStream;
use crate::turn::{Turn, TurnStream};
use crate::wait::Ready;

#[derive(Debug)]
pub(super) enum Wire {
    Plain(TurnStream<TcpStream>),
    Tls(TlsStream<TurnStream<TcpStream>>),
}

/// Who leaves says so, as far as the socket takes that at once: else the server cannot tell it from one that was cut off.
impl Drop for Wire {
    fn drop(&mut self) {
        if let Wire::Tls(stream) = self {
            stream.begin(Ready { write: true, ..Ready::default() });
            stream.finish();
            let _ = stream.flush();
        }
    }
}

impl Turn for Wire {
    fn begin(&mut self, ready: Ready) {
        match self {
            Wire::Plain(stream) => stream.begin(ready),
            Wire::Tls(stream) => stream.begin(ready),
        }
    }

    fn count(&self) -> (u64, u64) {
        match self {
            Wire::Plain(stream) => stream.count(),
            Wire::Tls(stream) => stream.count(),
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Wire::Plain(stream) => stream.as_fd(),
            Wire::Tls(stream) => stream.as_fd(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.read(buffer),
            Wire::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.write(bytes),
            Wire::Tls(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.write_vectored(slices),
            Wire::Tls(stream) => stream.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.flush(),
            Wire::Tls(stream) => stream.flush(),
        }
    }
}
