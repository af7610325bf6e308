//! The client's end of a connection: plain TCP, or TLS over it. Everything above reads and writes it the same way.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use rustix::fd::{AsFd, BorrowedFd};

use crate::bounded_stream::{Bounded, BoundedStream};
use crate::tls::TlsStream;
use crate::wait::Ready;

#[derive(Debug)]
pub(super) enum Wire {
    Plain(BoundedStream<TcpStream>),
    Tls(TlsStream<BoundedStream<TcpStream>>),
}

/// Ends TLS properly, if the socket takes that at once: otherwise the server cannot tell this from a lost connection.
impl Drop for Wire {
    fn drop(&mut self) {
        if let Wire::Tls(stream) = self {
            stream.begin(Ready { write: true, ..Ready::default() });
            stream.finish();
            let _ = stream.flush();
        }
    }
}

impl Bounded for Wire {
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
