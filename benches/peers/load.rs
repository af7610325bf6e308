//! The one load client: a connection that is read with big buffers, whatever the peer speaks.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::dialect::{Decoder, Dialect};
use super::log;
use super::tally::Tally;

/// Bytes asked for at once.
pub const BUFFER: usize = 256 * 1024;
/// The longest wait of one read.
const TURN: Duration = Duration::from_millis(100);
/// socket.io's own interval; 5 s more of silence and the server closes.
const BEAT: Duration = Duration::from_secs(25);
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Connection {
    source: Source,
    pub decoder: Decoder,
    beaten: Instant,
}

enum Source {
    Socket(TcpStream),
    Pipe(ChildStdout),
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Bytes,
    Nothing,
    End,
}

impl Connection {
    fn new(source: Source, dialect: Dialect) -> Connection {
        Connection { source, decoder: Decoder::new(dialect), beaten: Instant::now() }
    }

    pub fn pipe(output: ChildStdout) -> Connection {
        Connection::new(Source::Pipe(output), Dialect::Bytes)
    }

    pub fn tcp(port: u16) -> io::Result<Connection> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(TURN))?;
        Ok(Connection::new(Source::Socket(socket), Dialect::Bytes))
    }

    /// Opens a WebSocket. What follows the answer's head stays in the socket.
    pub fn websocket(port: u16, target: &str, dialect: Dialect, subprotocol: Option<&str>) -> io::Result<Connection> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        let subprotocol = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{subprotocol}\r\n"
        );
        socket.write_all(request.as_bytes())?;
        socket.set_read_timeout(Some(HEAD_TIMEOUT))?;
        let head = head(&mut socket)?;
        if !head.starts_with("HTTP/1.1 101") {
            return Err(io::Error::other(format!("answered `{}`", head.lines().next().unwrap_or_default())));
        }
        socket.set_read_timeout(Some(TURN))?;
        Ok(Connection::new(Source::Socket(socket), dialect))
    }

    /// Reads once, for 100 ms at most, and answers heartbeats.
    pub fn receive(&mut self, buffer: &mut [u8], tally: &mut Tally) -> io::Result<Found> {
        let read = match &mut self.source {
            Source::Socket(socket) => socket.read(buffer),
            Source::Pipe(pipe) => {
                if !is_readable(pipe.as_fd(), TURN)? {
                    return Ok(Found::Nothing);
                }
                pipe.read(buffer)
            }
        };
        tally.arrival = log::now();
        match read {
            Ok(0) => return Ok(Found::End),
            Ok(read) => self.decoder.feed(&buffer[..read], tally),
            Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::Interrupted => {
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(error),
        }
        self.flush()?;
        Ok(Found::Bytes)
    }

    /// Reads until the line before `next` has come, the peer closes or `deadline` has come; whether it came.
    pub fn receive_until(
        &mut self,
        next: u64,
        deadline: Instant,
        buffer: &mut [u8],
        tally: &mut Tally,
    ) -> io::Result<bool> {
        while tally.next() < next {
            if self.receive(buffer, tally)? == Found::End || Instant::now() >= deadline {
                return Ok(tally.next() >= next);
            }
        }
        Ok(true)
    }

    /// Sends the heartbeat that is due where it is the client's to send. A connection that breaks is found out by reading.
    pub fn beat(&mut self) {
        if self.beaten.elapsed() >= BEAT && self.decoder.beat() {
            self.beaten = Instant::now();
            let _ = self.flush();
        }
    }

    /// Sends what the decoder has queued.
    pub fn flush(&mut self) -> io::Result<()> {
        if let (Source::Socket(socket), false) = (&mut self.source, self.decoder.replies.is_empty()) {
            socket.write_all(&self.decoder.replies)?;
            self.decoder.replies.clear();
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::Socket(socket) => socket.as_fd(),
            Source::Pipe(pipe) => pipe.as_fd(),
        }
    }
}

/// Reads an answer's head and nothing behind it.
pub fn head(socket: &mut TcpStream) -> io::Result<String> {
    let mut seen = [0; 4096];
    loop {
        let there = socket.peek(&mut seen)?;
        if there == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = memchr::memmem::find(&seen[..there], b"\r\n\r\n") {
            socket.read_exact(&mut seen[..end + 4])?;
            return Ok(String::from_utf8_lossy(&seen[..end]).into_owned());
        }
        if there == seen.len() {
            return Err(io::Error::other("an endless head"));
        }
    }
}

fn is_readable(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    Ok(poll(&mut fds, Timespec::try_from(time).ok().as_ref())? > 0)
}
