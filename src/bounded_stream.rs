//! Limits what a socket does in one turn: one read, and writes until one is incomplete; then `WouldBlock`. tungstenite
//! reads and writes in loops that a slow peer can keep going forever, one byte at a time. This ends them.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use rustix::fd::{AsFd, BorrowedFd};

use crate::socket::is_nothing_now;
use crate::wait::Ready;

/// A stream that is used turn by turn: after `WouldBlock` it does nothing more before the next turn.
pub(crate) trait Bounded: Read + Write {
    /// Begins a turn.
    fn begin(&mut self, ready: Ready);

    /// Bytes read and bytes written so far, as the kernel counts them.
    fn count(&self) -> (u64, u64);

    /// Queues a message that nothing more will be written, if the protocol has one. A flush sends it.
    fn finish(&mut self) {}
}

impl<T: Bounded> Bounded for &mut T {
    fn begin(&mut self, ready: Ready) {
        (**self).begin(ready);
    }

    fn count(&self) -> (u64, u64) {
        (**self).count()
    }

    fn finish(&mut self) {
        (**self).finish();
    }
}

/// A stream with a limit for each turn. The socket's own timeouts limit a single call that blocks.
#[derive(Debug)]
pub(crate) struct BoundedStream<S> {
    socket: S,
    readable: bool,
    writable: bool,
    /// The last write was incomplete: the next one waits until the socket is ready.
    full: bool,
    bytes_read: u64,
    bytes_written: u64,
}

impl<S> BoundedStream<S> {
    pub(crate) fn new(socket: S) -> BoundedStream<S> {
        BoundedStream { socket, readable: false, writable: true, full: false, bytes_read: 0, bytes_written: 0 }
    }

    #[cfg(test)]
    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    /// Writes up to `wanted` bytes with the caller's `write`.
    pub(crate) fn write_by(
        &mut self,
        wanted: usize,
        write: impl FnOnce(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if !self.writable {
            return Err(ErrorKind::WouldBlock.into());
        }
        let result = write(&mut self.socket);
        // Any other error may come from the file that is written: then the socket is as ready as before.
        self.full = match &result {
            Ok(written) => *written != wanted,
            Err(error) => is_nothing_now(error),
        };
        self.writable = !self.full;
        let written = nothing_now(result)?;
        self.bytes_written += written as u64;
        Ok(written)
    }
}

impl<S: Read + Write> Bounded for BoundedStream<S> {
    fn begin(&mut self, ready: Ready) {
        self.readable = ready.read;
        self.writable = ready.write || !self.full;
    }

    fn count(&self) -> (u64, u64) {
        (self.bytes_read, self.bytes_written)
    }
}

impl<S: AsFd> AsFd for BoundedStream<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<S: Read> Read for BoundedStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !std::mem::take(&mut self.readable) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = nothing_now(self.socket.read(buffer))?;
        self.bytes_read += read as u64;
        Ok(read)
    }
}

impl<S: Write> Write for BoundedStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_by(bytes.len(), |socket| socket.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        self.write_by(wanted, |socket| socket.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// tungstenite treats only `WouldBlock` as "nothing now".
fn nothing_now<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| if is_nothing_now(&error) { ErrorKind::WouldBlock.into() } else { error })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte a read, and accepts two bytes a write.
    struct Drip;

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer[0] = b'x';
            Ok(1)
        }
    }

    impl Write for Drip {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len().min(2))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_turn_has_one_read_and_one_short_write() {
        let mut turn = BoundedStream::new(Drip);
        let would_block = |error: io::Error| error.kind() == ErrorKind::WouldBlock;
        assert!(turn.read(&mut [0; 9]).is_err_and(would_block));
        turn.begin(Ready { read: true, ..Ready::default() });
        assert_eq!(turn.read(&mut [0; 9]).unwrap(), 1);
        assert!(turn.read(&mut [0; 9]).is_err_and(would_block));
        assert_eq!((turn.write(b"ab").unwrap(), turn.write(b"abc").unwrap()), (2, 2));
        assert!(turn.write(b"c").is_err_and(would_block));
        turn.begin(Ready { read: true, ..Ready::default() });
        assert!(turn.write(b"c").is_err_and(would_block));
        turn.begin(Ready { write: true, ..Ready::default() });
        assert_eq!(turn.write(b"c").unwrap(), 1);
        assert_eq!(turn.count(), (1, 5));
    }
}
