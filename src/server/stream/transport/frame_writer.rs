//! Writes frames to a socket: one large frame at a time, from memory or from a file (sendfile(2)), and small control
//! frames in between through `Write`. tungstenite would copy every frame into a buffer that never shrinks; here a
//! frame's memory is freed once it is sent. The meaning of a frame is not known here.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::unix::fs::FileExt;

use crate::follow::file_range::FileRange;
use crate::server::stream::transport::socket::StreamSocket;
use crate::wait::Ready;

/// Why a frame could not be sent completely.
#[derive(Debug)]
pub(in crate::server) enum WriteError {
    /// The peer is gone.
    Peer(io::Error),
    /// The log cannot be read. The frame is kept: another push may succeed.
    Log(io::Error),
    /// The log no longer holds the bytes of the frame, so the frame can never be completed.
    Changed,
}

#[derive(Debug)]
pub(in crate::server) struct FrameWriter<S> {
    socket: S,
    head: Vec<u8>,
    /// Sent between head and body.
    range: Option<FileRange>,
    body: Vec<u8>,
    /// How much of head and body has been sent.
    sent: usize,
}

impl<S: StreamSocket> FrameWriter<S> {
    pub(in crate::server) fn new(socket: S) -> FrameWriter<S> {
        FrameWriter { socket, head: Vec::new(), range: None, body: Vec::new(), sent: 0 }
    }

    pub(in crate::server) fn begin(&mut self, ready: Ready) {
        self.socket.begin(ready);
    }

    /// Bytes read and bytes written so far, as the kernel counts them.
    pub(in crate::server) fn count(&self) -> (u64, u64) {
        self.socket.count()
    }

    /// Starts sending a frame. The previous one must be sent completely.
    pub(in crate::server) fn send(&mut self, head: Vec<u8>, body: Vec<u8>) {
        debug_assert!(self.is_clear(), "one frame at a time");
        (self.head, self.body, self.sent) = (head, body, 0);
    }

    /// Starts sending a frame whose content is in a file.
    pub(in crate::server) fn send_range(&mut self, head: Vec<u8>, range: FileRange) {
        self.send(head, Vec::new());
        self.range = Some(range);
    }

    /// Writes what the socket accepts. Returns whether the frame is sent completely.
    pub(in crate::server) fn push(&mut self) -> Result<bool, WriteError> {
        while !self.is_clear() {
            let is_range_next = self.range.is_some() && self.sent == self.head.len();
            let written = if is_range_next { self.push_range() } else { self.push_memory().map_err(WriteError::Peer) };
            match written {
                Ok(()) => {}
                Err(WriteError::Peer(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        (self.head, self.body, self.sent) = (Vec::new(), Vec::new(), 0);
        match self.socket.flush() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(WriteError::Peer(error)),
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

    fn push_range(&mut self) -> Result<(), WriteError> {
        let Some(range) = &mut self.range else { return Ok(()) };
        let (start, left) = range.left();
        let mut body = Vec::new();
        if left > 0 {
            match self.socket.write_file(range.file(), start, left) {
                Ok(0) => return Err(WriteError::Changed),
                Ok(moved) => {
                    range.advance(moved);
                    return Ok(());
                }
                // Some file systems do not support sendfile(2) (EINVAL).
                Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                    body = vec![0; left];
                    range.file().read_exact_at(&mut body, start).map_err(read_error)?;
                }
                Err(error) => return Err(sendfile_error(error)),
            }
        }
        body.extend_from_slice(range.finish().map_err(WriteError::Log)?.ok_or(WriteError::Changed)?);
        (self.body, self.range) = (body, None);
        Ok(())
    }

    /// Whether the last frame is sent completely, so that another one may be started.
    pub(in crate::server) fn is_clear(&self) -> bool {
        self.range.is_none() && self.sent == self.head.len() + self.body.len()
    }
}

fn read_error(error: io::Error) -> WriteError {
    if error.kind() == ErrorKind::UnexpectedEof { WriteError::Changed } else { WriteError::Log(error) }
}

/// sendfile(2) does not report which of its two ends failed. These are the errors of a TCP connection, as listed in
/// tcp(7) and ip(7). All others are the file's.
fn sendfile_error(error: io::Error) -> WriteError {
    match error.kind() {
        ErrorKind::WouldBlock
        | ErrorKind::BrokenPipe
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown => WriteError::Peer(error),
        _ => WriteError::Log(error),
    }
}

impl<S: Read> Read for FrameWriter<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buffer)
    }
}

impl<S: StreamSocket> Write for FrameWriter<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // No control frame may be sent in the middle of another frame.
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
    use crate::bounded_stream::BoundedStream;
    use crate::follow::file_range::tests::{bytes, file, range};
    use std::fs::File;

    /// Accepts `share` bytes a call, and bytes of files only if `takes_files`.
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

    impl StreamSocket for BoundedStream<Drip> {
        fn write_file(&mut self, file: &File, start: u64, bytes: usize) -> io::Result<usize> {
            self.write_by(bytes, |drip| drip.write_file(file, start, bytes))
        }
    }

    fn writer(takes_files: bool) -> FrameWriter<BoundedStream<Drip>> {
        let mut writer = FrameWriter::new(BoundedStream::new(Drip { taken: Vec::new(), share: 700, takes_files }));
        writer.begin(Ready { write: true, ..Ready::default() });
        writer
    }

    /// Pushes up to `calls` times. Returns whether the frame was sent completely.
    fn push(writer: &mut FrameWriter<BoundedStream<Drip>>, calls: usize) -> Result<bool, WriteError> {
        for _ in 0..calls {
            writer.begin(Ready { write: true, ..Ready::default() });
            if writer.push()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[test]
    fn what_lies_in_a_file_goes_out_between_head_and_body_however_the_socket_takes_it() {
        let file = file(10_000);
        for takes_files in [true, false] {
            let mut writer = writer(takes_files);
            writer.send_range(b"head".to_vec(), range(&file, 1000, 9000));
            assert!(push(&mut writer, 100).unwrap());
            writer.send(b"next".to_vec(), Vec::new());
            assert!(push(&mut writer, 1).unwrap());
            assert!(writer.socket.socket().taken == [b"head", &bytes(10_000)[1000..9000], b"next"].concat());
        }
    }

    #[test]
    fn no_control_frame_goes_out_in_the_midst_of_it() {
        let file = file(10_000);
        let mut writer = writer(true);
        writer.send_range(Vec::new(), range(&file, 1000, 9000));
        assert!(!push(&mut writer, 3).unwrap());
        writer.begin(Ready { write: true, ..Ready::default() });
        assert_eq!(writer.write(b"ping").unwrap_err().kind(), ErrorKind::WouldBlock);
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
            let mut writer = writer(true);
            writer.send_range(Vec::new(), range(&file, 1000, 9000));
            assert!(!push(&mut writer, calls).unwrap());
            change(file.raw());
            assert!(matches!(push(&mut writer, 100), Err(WriteError::Changed)));
            assert!(writer.socket.socket().taken.len() < 8000);
        }
    }
}
