//! Clients beyond the limits, which have been sent a 503 and get a moment to read it. The accepting thread sends it, so
//! they need no thread of their own. `connections` decides who gets one and what it says. Nothing here waits, and
//! whatever these clients send is dropped unread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::time::{Duration, Instant};

/// Refused clients that may not have read their answer yet.
#[derive(Default)]
pub(super) struct Overload {
    refused: Vec<Refused>,
}

struct Refused {
    socket: TcpStream,
    until: Instant,
}

/// With more refused clients than this, the connection of another one is closed at once.
const MAX_REFUSED: usize = 256;
/// How long a refused client may take to read the answer and disconnect.
const REFUSED: Duration = Duration::from_secs(1);

impl Overload {
    /// Sends as much of the answer as the kernel accepts at once.
    pub(super) fn refuse(&mut self, client: TcpStream, answer: &[u8]) {
        let written = client.set_nonblocking(true).and_then(|()| (&client).write(answer));
        if written.is_ok() && client.shutdown(Half::Write).is_ok() && self.refused.len() < MAX_REFUSED {
            self.refused.push(Refused { socket: client, until: Instant::now() + REFUSED });
        }
    }

    /// The sockets to wait for, each with its deadline.
    pub(super) fn waits(&self) -> impl Iterator<Item = (&TcpStream, Instant)> {
        self.refused.iter().map(|refused| (&refused.socket, refused.until))
    }

    /// Drops what refused clients still send, because closing with unread bytes would send a reset that can overtake
    /// the answer. Forgets clients that have disconnected or run out of time.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.refused.retain_mut(|refused| {
            let open = match (&refused.socket).read(&mut [0; 4096]) {
                Ok(read) => read > 0,
                Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
            };
            open && now < refused.until
        });
    }
}
