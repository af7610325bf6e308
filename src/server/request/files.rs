//! The list of logs as the answer to a plain request: `GET /-/files`. A client waits while another one walks the roots.
//! What is listed is decided in `listing`; the list over WebSocket is in `stream`.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::cause;
use crate::follow::root::Roots;
use crate::protocol::list_request::ListParameters;
use crate::server::listing::{Json, List, Lists, Lookup};
use crate::server::short_response::Refusal;
use crate::server::stream::transport::peer::Peer;
use crate::server::stream::transport::socket::StreamSocket;
use crate::shutdown::Shutdown;
use crate::wait::{Interest, wait, wait_beside};

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
        let may_send = interest.read;
        if !is_connected(stream, &mut interest) {
            return Ok(None);
        }
        if may_send && !interest.read {
            until = until.min(Instant::now() + HALF_CLOSED);
        }
    }
}

/// The logs that are wanted, as JSON. `None` if the client disconnected while they were chosen.
///
/// # Errors
/// 503 when it takes too long for a client that may have disconnected, or the server stops.
pub(super) fn choose(
    list: Arc<List>,
    wanted: &ListParameters,
    socket: &mut Peer<'_, impl StreamSocket>,
    shutdown: &Shutdown,
) -> Result<Option<Json>, Refusal> {
    let (mut interest, mut until, mut refusal) = (Interest { read: true, write: false }, None, None);
    let json = list.json(wanted, || {
        let now = Instant::now();
        let Ok(ready) = wait(socket.tcp.as_fd(), interest, Some(shutdown), Some(now)) else { return false };
        if ready.stop {
            refusal = Some("the server is going away");
        } else if until.is_some_and(|until| until <= now) {
            refusal = Some("listing the logs took too long");
        }
        socket.stream.begin(ready);
        let is_connected = is_connected(&mut socket.stream, &mut interest);
        if !interest.read {
            until.get_or_insert(now + HALF_CLOSED);
        }
        is_connected && refusal.is_none()
    });
    refusal.map_or(Ok(json), |reason| Err(Refusal::new(503, reason)))
}

/// Passes over what a client sends. Returns whether it is still connected. One that has shut down its sending side may have
/// disconnected, or only have nothing more to send: there is nothing to read from it any more.
fn is_connected(stream: &mut impl StreamSocket, interest: &mut Interest) -> bool {
    match stream.read(&mut [0; 256]) {
        Ok(0) => std::mem::take(&mut interest.read),
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded_stream::BoundedStream;
    use crate::follow::listing::{Entry, Listing};
    use crate::follow::position::Identity;
    use std::net::{Shutdown as Side, TcpListener};

    #[test]
    fn a_choice_ends_when_its_client_disconnects() {
        let long = "a".repeat(250);
        let entry = |number: usize| {
            let (path, identity) = (format!("{number}{long}"), Identity::default());
            Entry { path, size: 1, modified: std::time::UNIX_EPOCH, identity }
        };
        let listing = Listing { entries: (0..30_000).map(entry).collect(), is_cut: false };
        let list = Arc::new(List::new(listing, Duration::ZERO));
        let wanted = ListParameters::parse(&format!("match={}b", "*a".repeat(500))).unwrap();
        let (_trigger, shutdown) = crate::shutdown::shutdown().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nonblocking(true).unwrap();
        let choose = || {
            let mut socket = Peer { tcp: &tcp, stream: BoundedStream::new(&tcp) };
            choose(list.clone(), &wanted, &mut socket, &shutdown)
        };
        assert!(matches!(choose(), Ok(Some(_))));
        // The connection is reset.
        rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
        drop(client);
        assert!(matches!(choose(), Ok(None)));
    }

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
