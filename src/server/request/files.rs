//! The list of logs as the answer to a plain request: `GET /-/files`. A client waits while another one walks the roots.
//! What is listed is decided in `listing`; the list over WebSocket is in `stream`.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::cause;
use crate::follow::root::Roots;
use crate::server::listing::{List, Lists, Lookup};
use crate::server::short_response::Refusal;
use crate::server::stream::transport::socket::StreamSocket;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait_beside};

/// How long a client may wait for another one's walk, and how long once it has shut down its sending side: it may have
/// disconnected.
const PATIENCE: Duration = Duration::from_secs(10);
const HALF_CLOSED: Duration = Duration::from_secs(1);

/// The list, at most a second old. `None` if the client disconnected while it waited.
///
/// # Errors
/// 503 when the roots cannot be walked, another client's walk takes too long, or the server stops.
pub(super) fn get(
    lists: &Lists,
    roots: &Roots,
    tcp: &TcpStream,
    stream: &mut impl StreamSocket,
    shutdown: &Shutdown,
) -> Result<Option<Arc<List>>, Refusal> {
    let failed = |error: io::Error| Refusal::new(503, format!("cannot list the logs now: {}", cause(&error)));
    let mut interest = Interest { read: true, write: false };
    let mut until = Instant::now() + PATIENCE;
    loop {
        let walk = match lists.look_up().map_err(failed)? {
            Lookup::List(list) => return Ok(Some(list)),
            Lookup::Walk(walk) => return walk.run(roots).map(Some).map_err(failed),
            Lookup::Wait(walk) => walk,
        };
        let ready = wait_beside(tcp.as_fd(), interest, Some(shutdown), Some(walk.as_fd()), Some(until));
        let ready = ready.map_err(failed)?;
        if ready.stop {
            return Err(Refusal::new(503, "the server is going away"));
        }
        if Instant::now() >= until {
            return Err(Refusal::new(503, "listing the logs took too long"));
        }
        stream.begin(ready);
        match stream.read(&mut [0; 256]) {
            // The client may have disconnected, or only have nothing more to send.
            Ok(0) if interest.read => {
                interest.read = false;
                until = until.min(Instant::now() + HALF_CLOSED);
            }
            Ok(0) => return Ok(None),
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded_stream::BoundedStream;
    use std::net::{Shutdown as Side, TcpListener};

    #[test]
    fn a_client_that_may_have_disconnected_waits_for_a_second_at_most() {
        let (lists, directory) = (Lists::default(), tempfile::tempdir().unwrap());
        let roots = Roots::open([directory.path()], false).unwrap();
        let (_trigger, shutdown) = crate::shutdown::shutdown().unwrap();
        let _walk = lists.look_up();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.shutdown(Side::Write).unwrap();
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nonblocking(true).unwrap();
        let begun = Instant::now();
        let refusal = get(&lists, &roots, &tcp, &mut BoundedStream::new(&tcp), &shutdown).unwrap_err();
        assert_eq!((refusal.status(), refusal.reason()), (503, "listing the logs took too long"));
        assert!((HALF_CLOSED..PATIENCE).contains(&begun.elapsed()));
    }
}
