//! One turn's worth of a socket: one read, and writes up to the first that falls short; then `WouldBlock`.
//! tungstenite reads and writes in loops that a dripping peer can hold for ever; behind this they cannot.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use crate::socket::is_nothing_now;
use crate::wait::Ready;

/// What is read and written turn by turn: until it says `WouldBlock`, then no more before the next turn.
pub(crate) trait Turn: Read + Write {
    /// Begins a turn.
    fn begin(&mut self, ready: Ready);

    /// Bytes read and bytes written so far, as the kernel counts them.
    fn count(&self) -> (u64, u64);

    /// Queues the word that nothing more will be written, where there is one to be said; a flush sends it.
    fn finish(&mut self) {}
}

impl<T: Turn> Turn for &mut T {
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

/// A stream that gives each turn its share. The socket's own timeouts bound a call that misbehaves.
#[derive(Debug)]
pub(crate) struct TurnStream<S> {
    socket: S,
    readable: bool,
    writable: bool,
    /// The last write did not take everything: the next one waits until the socket is ready.
    full: bool,
    bytes_read: u64,
    bytes_written: u64,
}

impl<S> TurnStream<S> {
    pub(crate) fn new(socket: S) -> TurnStream<S> {
        TurnStream { socket, readable: false, writable: true, full: false, bytes_read: 0, bytes_written: 0 }
    }

    #[cfg(test)]
    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    /// Writes `wanted` bytes, or as many as are taken, in a way of the caller's.
    pub(crate) fn write_by(
        &mut self,
        wanted: usize,
        write: impl FnOnce(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if !self.writable {
            return Err(ErrorKind::WouldBlock.into());
        }
        let result = write(&mut self.socket);
        self.full = !matches!(result, Ok(written) if written == wanted);
        self.writable = !self.full;
        let written = nothing_now(result)?;
        self.bytes_written += written as u64;
        Ok(written)
    }
}

impl<S: Read + Write> Turn for TurnStream<S> {
    fn begin(&mut self, ready: Ready) {
        self.readable = ready.read;
        self.writable = ready.write || !self.full;
    }

    fn count(&self) -> (u64, u64) {
        (self.bytes_read, self.bytes_written)
    }
}

impl<S: AsFd> AsFd for TurnStream<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<S: Read> Read for TurnStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !std::mem::take(&mut self.readable) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = nothing_now(self.socket.read(buffer))?;
        self.bytes_read += read as u64;
        Ok(read)
    }
}

impl<S: Write> Write for TurnStream<S> {
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

/// What tungstenite takes for "nothing now" is `WouldBlock` alone.
fn nothing_now<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| if is_nothing_now(&error) { ErrorKind::WouldBlock.into() } else { error })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drips one byte a read, takes two bytes a write.
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
        let mut turn = TurnStream::new(Drip);
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
