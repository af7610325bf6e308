//! Clients beyond the limits: the 503 that they are sent, and the moment that they get to read it. The accepting thread
//! sends it, so they need no thread of their own. `connections` decides who gets one. Nothing here waits, and whatever
//! these clients send is dropped unread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::time::{Duration, Instant};

use crate::server::request::tls;
use crate::server::short_response::Refusal;

/// Refused clients that may not have read their answer yet.
#[derive(Default)]
pub(super) struct Overload {
    reading: Vec<RefusedClient>,
}

struct RefusedClient {
    socket: TcpStream,
    until: Instant,
}

/// Why a client is refused.
#[derive(Clone, Copy)]
pub(super) enum Refused {
    /// There are as many connections as allowed.
    Connections,
    /// There are as many from its address as allowed.
    Address,
    /// The process cannot start another thread.
    Thread,
}

/// With more refused clients than this, the connection of another one is closed at once.
const MAX_READING: usize = 256;
/// How long a refused client may take to read the answer and disconnect.
const READ: Duration = Duration::from_secs(1);

impl Refused {
    fn text(self) -> &'static str {
        match self {
            Refused::Connections => "too many connections",
            Refused::Address => "too many connections from this address",
            Refused::Thread => "the server cannot start another thread",
        }
    }
}

impl Overload {
    /// Sends as much of the answer as the kernel accepts at once. Where the server speaks TLS, an alert instead.
    pub(super) fn refuse(&mut self, client: TcpStream, reason: Refused, is_tls: bool) {
        let answer = if is_tls { tls::ALERT.to_vec() } else { Refusal::new(503, reason.text()).response() };
        let written = client.set_nonblocking(true).and_then(|()| (&client).write(&answer));
        if written.is_ok() && client.shutdown(Half::Write).is_ok() && self.reading.len() < MAX_READING {
            self.reading.push(RefusedClient { socket: client, until: Instant::now() + READ });
        }
    }

    /// The sockets to wait for, each with its deadline.
    pub(super) fn waits(&self) -> impl Iterator<Item = (&TcpStream, Instant)> {
        self.reading.iter().map(|client| (&client.socket, client.until))
    }

    /// Drops what refused clients still send, because closing with unread bytes would send a reset that can overtake
    /// the answer. Forgets clients that have disconnected or run out of time.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.reading.retain_mut(|client| {
            let open = match (&client.socket).read(&mut [0; 4096]) {
                Ok(read) => read > 0,
                Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
            };
            open && now < client.until
        });
    }
}
