//! What precedes HTTP if the server speaks TLS, and what clients get that do not speak it. The handshake itself is in
//! [`crate::tls`].

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Instant;

use crate::error::cause;
use crate::server::report::metrics::Ended;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait};

/// Sent to a client that is refused without a thread, and so without a handshake: a fatal alert, internal_error,
/// because TLS has no alert for "try again".
pub(in crate::server) const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 80];

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Opening {
    Nothing,
    Tls,
    Plain,
}

/// How the client's first byte begins. It is not taken from the socket.
pub(in crate::server) fn opening(socket: &TcpStream, until: Instant, shutdown: &Shutdown) -> io::Result<Opening> {
    let ready = wait(socket.as_fd(), Interest { read: true, write: false }, Some(shutdown), Some(until))?;
    if ready.stop || !ready.read {
        return Ok(Opening::Nothing);
    }
    let mut first = [0];
    Ok(match socket.peek(&mut first)? {
        0 => Opening::Nothing,
        _ if first[0] == HANDSHAKE => Opening::Tls,
        _ => Opening::Plain,
    })
}

/// How the connection ended of a client that did not finish its handshake.
pub(in crate::server) fn ended(error: io::Error) -> io::Result<Ended> {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(Ended::Silent),
        ErrorKind::InvalidData => {
            log::debug!("refused a TLS handshake: {}", cause(&error));
            Ok(Ended::Fault)
        }
        _ => Err(error),
    }
}
