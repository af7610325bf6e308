//! What comes before the first word of HTTP where the server speaks TLS, and what is said to those who do not.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Instant;

use super::metrics::Outcome;
use crate::error::cause;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait};

/// To a client that is refused without a thread, and so without a handshake: a fatal alert, internal_error, for TLS has no
/// word for "come again".
pub(super) const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 80];

/// What a TLS handshake begins with.
const HANDSHAKE: u8 = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Nothing,
    Tls,
    Plain,
}

/// How a client begins to speak; nothing is taken from the socket.
pub(super) fn opening(socket: &TcpStream, until: Instant, shutdown: &Shutdown) -> io::Result<Opening> {
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

/// What became of a client whose handshake was not finished.
pub(super) fn outcome(error: io::Error) -> io::Result<Outcome> {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(Outcome::Silent),
        ErrorKind::InvalidData => {
            log::debug!("refused a TLS handshake: {}", cause(&error));
            Ok(Outcome::Fault)
        }
        _ => Err(error),
    }
}
