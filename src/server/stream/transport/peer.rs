//! A client outside of a stream: answers that are written as a whole, and the end of every connection. Unlike in a
//! stream, there is nothing else to do meanwhile, so these functions wait.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown as Half, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_send_buffer_size;

use crate::server::report::metrics::Ended;
use crate::server::stream::ending::{Linger, Served};
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::{LINGER, LINGER_AT_SHUTDOWN, LONGEST_STALL};
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait};

/// A client: the socket to wait on, and the stream to read from and write to.
pub(in crate::server) struct Peer<'s, S> {
    pub tcp: &'s TcpStream,
    pub stream: S,
}

/// Sends a complete answer. The client may be as slow as with a log.
pub(in crate::server) fn say(
    socket: &mut Peer<'_, impl StreamSocket>,
    answer: &[u8],
    stall: Option<Duration>,
    shutdown: &Shutdown,
) -> Served {
    let (ended, linger) = match write_all(socket, answer, shutdown, stall.unwrap_or(LONGEST_STALL)) {
        Ok(()) => (Ended::Completed, Linger::Usual),
        Err(error) if error.kind() == ErrorKind::TimedOut => (Ended::Stalled, Linger::Until(Instant::now())),
        Err(_) => (Ended::Left, Linger::Until(Instant::now())),
    };
    Served { ended, linger }
}

/// Writes an answer to a client that may be slow to accept it. Fails with `TimedOut` if it accepts nothing for
/// `patience`, or for a shorter time during a shutdown.
pub(in crate::server) fn write_all(
    socket: &mut Peer<'_, impl StreamSocket>,
    mut bytes: &[u8],
    shutdown: &Shutdown,
    mut patience: Duration,
) -> io::Result<()> {
    let (mut taken, mut since, mut shutdown) = (0, Instant::now(), Some(shutdown));
    while !write(&mut socket.stream, &mut bytes)? {
        let (_, now) = socket.stream.count();
        if std::mem::replace(&mut taken, now) != now {
            since = Instant::now();
        }
        let deadline = since + patience;
        if deadline <= Instant::now() {
            return Err(ErrorKind::TimedOut.into());
        }
        let ready = wait(socket.tcp.as_fd(), Interest { read: false, write: true }, shutdown, Some(deadline))?;
        if ready.stop {
            (shutdown, patience) = (None, patience.min(LINGER_AT_SHUTDOWN));
        }
        socket.stream.begin(ready);
    }
    Ok(())
}

/// Writes what the socket accepts now. Returns whether that was everything.
fn write(stream: &mut impl StreamSocket, bytes: &mut &[u8]) -> io::Result<bool> {
    loop {
        let written = if bytes.is_empty() { stream.flush().map(|()| 0) } else { stream.write(bytes) };
        match written {
            Ok(_) if bytes.is_empty() => return Ok(true),
            Ok(written) => *bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Sends what is left, up to `until`, however little the client accepts at a time. Returns whether that was everything.
fn flush(socket: &mut Peer<'_, impl StreamSocket>, shutdown: &Shutdown, mut until: Instant) -> bool {
    let mut shutdown = Some(shutdown);
    loop {
        match write(&mut socket.stream, &mut &[][..]) {
            Ok(false) if Instant::now() < until => {}
            written => return matches!(written, Ok(true)),
        }
        let Ok(ready) = wait(socket.tcp.as_fd(), Interest { read: false, write: true }, shutdown, Some(until)) else {
            return false;
        };
        if ready.stop {
            (shutdown, until) = (None, until.min(Instant::now() + LINGER_AT_SHUTDOWN));
        }
        socket.stream.begin(ready);
    }
}

/// Waits for the client to see the end. Closing while it still sends would reset the connection, and what was written
/// last could be lost on its way.
#[inline(never)]
pub(in crate::server) fn linger(socket: &mut Peer<'_, impl StreamSocket>, shutdown: &Shutdown, how: Linger) {
    let now = Instant::now();
    let (mut is_unread, mut deadline) = match how {
        Linger::Usual => (false, now + LINGER),
        Linger::Reading(time) => (true, now + time),
        Linger::Until(until) => (false, until),
    };
    socket.stream.finish();
    if !flush(socket, shutdown, deadline.min(now + LINGER)) {
        return;
    }
    let mut socket = socket.tcp;
    if is_unread {
        // With the smallest buffer, the socket becomes writable only when hardly anything is left in it.
        let _ = set_socket_send_buffer_size(socket, 0);
    } else if socket.shutdown(Half::Write).is_err() {
        return;
    }
    let (mut shutdown, mut dropped) = (Some(shutdown), [0; 4096]);
    while Instant::now() < deadline {
        let Ok(ready) = wait(socket.as_fd(), Interest { read: true, write: is_unread }, shutdown, Some(deadline))
        else {
            return;
        };
        if ready.read && matches!(socket.read(&mut dropped), Ok(0)) {
            return;
        }
        if is_unread && ready.write {
            is_unread = false;
            deadline = deadline.min(Instant::now() + LINGER);
            if socket.shutdown(Half::Write).is_err() {
                return;
            }
        }
        if ready.stop {
            (shutdown, deadline) = (None, deadline.min(Instant::now() + LINGER_AT_SHUTDOWN));
        }
    }
}
