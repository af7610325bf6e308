//! A socket's way out: one large frame at a time, as it lies in memory or in a file, and small ones in between through
//! `Write`. tungstenite would copy a frame into a buffer that never shrinks; here its memory goes back when it is sent.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;

use rustix::fs::sendfile;

use crate::follow::extent::Extent;
use crate::tls::TlsStream;
use crate::turn::{Turn, TurnStream};
use crate::wait::Ready;

/// What a connection runs over.
pub(super) trait Socket: Turn {
    /// Whether it takes bytes of a file without their passing through this process.
    const TAKES_FILES: bool = false;

    /// Takes up to `bytes` bytes of `file` from `start` on; none when the file ends there.
    fn write_file(&mut self, _file: &File, _start: u64, _bytes: usize) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Socket for TurnStream<&TcpStream> {
    const TAKES_FILES: bool = true;

    fn write_file(&mut self, file: &File, mut start: u64, bytes: usize) -> io::Result<usize> {
        self.write_by(bytes, |socket| Ok(sendfile(*socket, file, Some(&mut start), bytes)?))
    }
}

impl<T: Turn> Socket for TlsStream<T> {}

impl<S: Socket> Socket for &mut S {
    const TAKES_FILES: bool = S::TAKES_FILES;

    fn write_file(&mut self, file: &File, start: u64, bytes: usize) -> io::Result<usize> {
        (**self).write_file(file, start, bytes)
    }
}

#[derive(Debug)]
pub(super) struct Outlet<S> {
    socket: S,
    head: Vec<u8>,
    /// What comes between head and body.
    extent: Option<Extent>,
    body: Vec<u8>,
    /// How much of head and body is out.
    sent: usize,
}

impl<S: Socket> Outlet<S> {
    pub(super) fn new(socket: S) -> Outlet<S> {
        Outlet { socket, head: Vec::new(), extent: None, body: Vec::new(), sent: 0 }
    }

    pub(super) fn begin(&mut self, ready: Ready) {
        self.socket.begin(ready);
    }

    /// Bytes read and bytes written so far, as the kernel counts them.
    pub(super) fn count(&self) -> (u64, u64) {
        self.socket.count()
    }

    /// Puts a frame on its way; the one before it must be out.
    pub(super) fn send(&mut self, head: Vec<u8>, body: Vec<u8>) {
        debug_assert!(self.is_clear(), "one frame at a time");
        (self.head, self.body, self.sent) = (head, body, 0);
    }

    /// The same with what lies in the file that [`Outlet::push`] will be called with.
    pub(super) fn send_extent(&mut self, head: Vec<u8>, extent: Extent) {
        self.send(head, Vec::new());
        self.extent = Some(extent);
    }

    /// Writes what the socket takes; whether the frame is out. After an error it can never be.
    pub(super) fn push(&mut self, log: &File) -> io::Result<bool> {
        while !self.is_clear() {
            let is_extent_next = self.extent.is_some() && self.sent == self.head.len();
            let written = if is_extent_next { self.push_extent(log) } else { self.push_memory() };
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        (self.head, self.body, self.sent) = (Vec::new(), Vec::new(), 0);
        match self.socket.flush() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn push_memory(&mut self) -> io::Result<()> {
        let head = &self.head[self.sent.min(self.head.len())..];
        let body = &self.body[self.sent.saturating_sub(self.head.len())..];
        match self.socket.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])? {
            0 => Err(ErrorKind::WriteZero.into()),
            written => {
                self.sent += written;
                Ok(())
            }
        }
    }

    fn push_extent(&mut self, log: &File) -> io::Result<()> {
        let Some(extent) = &mut self.extent else { return Ok(()) };
        let (start, left) = extent.left();
        if left > 0 {
            match self.socket.write_file(log, start, left) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the log has shrunk while it was sent")),
                Ok(moved) => {
                    extent.advance(moved);
                    return Ok(());
                }
                // Some file systems do not know how to (EINVAL).
                Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                    self.body = vec![0; left];
                    log.read_exact_at(&mut self.body, start)?;
                }
                Err(error) => return Err(error),
            }
        }
        let extent = self.extent.take().expect("it was there");
        self.body.append(&mut extent.finish(log)?);
        Ok(())
    }

    fn is_clear(&self) -> bool {
        self.extent.is_none() && self.sent == self.head.len() + self.body.len()
    }
}

impl<S: Read> Read for Outlet<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buffer)
    }
}

impl<S: Socket> Write for Outlet<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // No control frame goes out in the middle of another frame.
        if !self.is_clear() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::extent::tests::{bytes, extent, file};

    /// Takes so many bytes a call, of files only if it may.
    struct Drip {
        taken: Vec<u8>,
        share: usize,
        takes_files: bool,
    }

    impl Read for Drip {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Drip {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.share);
            self.taken.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drip {
        fn write_file(&mut self, file: &File, start: u64, bytes: usize) -> io::Result<usize> {
            if !self.takes_files {
                return Err(ErrorKind::InvalidInput.into());
            }
            let mut share = vec![0; bytes.min(self.share)];
            let read = file.read_at(&mut share, start)?;
            self.write(&share[..read])
        }
    }

    impl Socket for TurnStream<Drip> {
        fn write_file(&mut self, file: &File, start: u64, bytes: usize) -> io::Result<usize> {
            self.write_by(bytes, |drip| drip.write_file(file, start, bytes))
        }
    }

    fn outlet(takes_files: bool) -> Outlet<TurnStream<Drip>> {
        let mut outlet = Outlet::new(TurnStream::new(Drip { taken: Vec::new(), share: 700, takes_files }));
        outlet.begin(Ready { write: true, ..Ready::default() });
        outlet
    }

    /// Pushes until it is out, or until something happens after so many calls; what became of it.
    fn push(outlet: &mut Outlet<TurnStream<Drip>>, file: &File, calls: usize) -> io::Result<bool> {
        for _ in 0..calls {
            outlet.begin(Ready { write: true, ..Ready::default() });
            if outlet.push(file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[test]
    fn what_lies_in_a_file_goes_out_between_head_and_body_however_the_socket_takes_it() {
        let file = file(10_000);
        for takes_files in [true, false] {
            let mut outlet = outlet(takes_files);
            outlet.send_extent(b"head".to_vec(), extent(&file, 1000, 9000));
            assert!(push(&mut outlet, &file, 100).unwrap());
            outlet.send(b"next".to_vec(), Vec::new());
            assert!(push(&mut outlet, &file, 1).unwrap());
            assert!(outlet.socket.socket().taken == [b"head", &bytes(10_000)[1000..9000], b"next"].concat());
        }
    }

    #[test]
    fn no_control_frame_goes_out_in_the_midst_of_it() {
        let file = file(10_000);
        let mut outlet = outlet(true);
        outlet.send_extent(Vec::new(), extent(&file, 1000, 9000));
        assert!(!push(&mut outlet, &file, 3).unwrap());
        outlet.begin(Ready { write: true, ..Ready::default() });
        assert_eq!(outlet.write(b"ping").unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_file_that_changes_meanwhile_never_ends_the_frame() {
        let changes: [fn(&File); 3] = [
            |file| file.set_len(0).unwrap(),
            |file| file.set_len(5000).unwrap(),
            |file| file.set_len(0).and_then(|()| file.write_all_at(&[b'x'; 20_000], 0)).unwrap(),
        ];
        for (change, calls) in changes.iter().flat_map(|change| [(change, 3), (change, 9)]) {
            let file = file(10_000);
            let mut outlet = outlet(true);
            outlet.send_extent(Vec::new(), extent(&file, 1000, 9000));
            assert!(!push(&mut outlet, &file, calls).unwrap());
            change(&file);
            assert!(push(&mut outlet, &file, 100).is_err());
            assert!(outlet.socket.socket().taken.len() < 8000);
        }
    }
}
