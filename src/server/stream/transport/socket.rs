//! What a connection runs over: plain TCP, which can send a file's bytes with sendfile(2), or TLS, which cannot because
//! it has to encrypt them. Nothing is decided here.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpStream;

use rustix::fs::sendfile;

use crate::bounded_stream::{Bounded, BoundedStream};
use crate::tls::TlsStream;

/// What a connection runs over.
pub(in crate::server) trait StreamSocket: Bounded {
    /// Whether it can send a file's bytes without passing them through this process.
    const TAKES_FILES: bool = false;

    /// Sends up to `bytes` bytes of `file` from `start` on. Returns 0 if the file ends there.
    fn write_file(&mut self, _file: &File, _start: u64, _bytes: usize) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl StreamSocket for BoundedStream<&TcpStream> {
    const TAKES_FILES: bool = true;

    fn write_file(&mut self, file: &File, mut start: u64, bytes: usize) -> io::Result<usize> {
        self.write_by(bytes, |socket| Ok(sendfile(*socket, file, Some(&mut start), bytes)?))
    }
}

impl<T: Bounded> StreamSocket for TlsStream<T> {}

impl<S: StreamSocket> StreamSocket for &mut S {
    const TAKES_FILES: bool = S::TAKES_FILES;

    fn write_file(&mut self, file: &File, start: u64, bytes: usize) -> io::Result<usize> {
        (**self).write_file(file, start, bytes)
    }
}
