//! One connection from its first byte to its last: TLS if the server speaks it, the request's head, and the answer.
//! Then the socket lingers until the client has seen the end. [`super::routes`] decides on the answer.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_send_buffer_size;

use super::head::{self, Head};
use super::routes::{Answer, answer};
use super::tls::{self, Opening};
use crate::bounded_stream::BoundedStream;
use crate::server::report::metrics::Ended;
use crate::server::shared::Shared;
use crate::server::short_response::Refusal;
use crate::server::stream::ending::{Linger, Served};
use crate::server::stream::transport::peer::{self, Peer, write_all};
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::{LINGER, SEND_BUFFER};
use crate::shutdown::Shutdown;
use crate::socket;
use crate::tls::Acceptor;
use crate::wait::{Interest, wait};

/// How long a request head may take, from the moment the connection is accepted.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for the deepest call of a connection with a wide margin: a debug build uses 32 KiB of it.
pub(in crate::server) const STACK: usize = 256 * 1024;

/// How long a connection may be without a request after one was answered.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Serves one client. Returns how its connection ended.
pub(in crate::server) fn serve(tcp: &TcpStream, shared: &Shared, shutdown: &Shutdown) -> io::Result<Ended> {
    socket::prepare(tcp)?;
    set_socket_send_buffer_size(tcp, SEND_BUFFER)?;
    let deadline = Instant::now() + HEAD_TIMEOUT;
    match &shared.acceptor {
        Some(acceptor) => serve_tls(tcp, acceptor, shared, shutdown, deadline),
        None => converse(&mut Peer { tcp, stream: BoundedStream::new(tcp) }, shared, shutdown, deadline),
    }
}

/// Serves one end of [`socket::pair`], whose other end is this process's own.
pub(in crate::server) fn serve_pair(end: &TcpStream, shared: &Shared, shutdown: &Shutdown) -> io::Result<Ended> {
    set_socket_send_buffer_size(end, SEND_BUFFER)?;
    let deadline = Instant::now() + HEAD_TIMEOUT;
    converse(&mut Peer { tcp: end, stream: BoundedStream::new(end) }, shared, shutdown, deadline)
}

// Not inlined: a TLS session takes a kilobyte of stack that a plain one does not need.
#[inline(never)]
fn serve_tls(
    tcp: &TcpStream,
    acceptor: &Acceptor,
    shared: &Shared,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<Ended> {
    let stream = BoundedStream::new(tcp);
    match tls::opening(tcp, deadline, shutdown)? {
        Opening::Nothing => Ok(Ended::Silent),
        Opening::Tls => match acceptor.accept(stream, deadline, shutdown) {
            Ok(stream) => converse(&mut Peer { tcp, stream }, shared, shutdown, deadline),
            Err(error) => tls::ended(error),
        },
        Opening::Plain => {
            let refusal = Refusal::new(400, "this port speaks TLS: use https:// or wss://");
            end(&mut Peer { tcp, stream }, Err(refusal), shutdown)
        }
    }
}

/// Serves a client over a plain or a TLS stream.
fn converse(
    socket: &mut Peer<'_, impl StreamSocket>,
    shared: &Shared,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<Ended> {
    let mut received = read_head(socket, shutdown, deadline)?;
    let served = loop {
        let (head, early) = match received {
            ReceivedHead::Nothing => return Ok(Ended::Silent),
            ReceivedHead::Head(head, early) => (head, early),
            ReceivedHead::Bad(refusal) => break Err(refusal),
        };
        let (method, tcp) = (head.method, socket.tcp);
        let kept = match answer(socket, head, early, shared, shutdown) {
            Ok(Answer::Sent(served)) => break Ok(served),
            Ok(Answer::Stream(mut connection)) => break Ok(connection.run(tcp, shutdown)),
            Ok(Answer::Kept(served)) => served,
            Err(refusal) => break Err(refusal.to(method)),
        };
        // A client that asks for nothing else leaves as others do.
        received = match read_head(socket, shutdown, Instant::now() + KEEP_ALIVE) {
            Ok(received @ (ReceivedHead::Head(..) | ReceivedHead::Bad(_))) => received,
            Ok(ReceivedHead::Nothing) | Err(_) => break Ok(kept),
        };
    };
    end(socket, served, shutdown)
}

/// Sends the refusal to a client that was not served, and ends the connection.
fn end(
    socket: &mut Peer<'_, impl StreamSocket>,
    served: Result<Served, Refusal>,
    shutdown: &Shutdown,
) -> io::Result<Ended> {
    let Served { ended, linger } = match served {
        Ok(served) => served,
        Err(refusal) => {
            // The refusal of a malformed request quotes the client, which may have sent anything, even a token: do not
            // log it.
            let reason = if refusal.status() == 400 { "the request is malformed" } else { refusal.reason() };
            log::debug!("refused with {}: {reason}", refusal.status());
            write_all(socket, &refusal.response(), shutdown, LINGER)?;
            Served { ended: Ended::of_status(refusal.status()), linger: Linger::Usual }
        }
    };
    peer::linger(socket, shutdown, linger);
    Ok(ended)
}

enum ReceivedHead {
    /// The client disconnected or ran out of time, or the server shut down, before a byte arrived.
    Nothing,
    Head(Box<Head>, Vec<u8>),
    Bad(Refusal),
}

// Not inlined, so that its stack frame is gone when the loop of a stream begins.
#[inline(never)]
fn read_head(
    socket: &mut Peer<'_, impl StreamSocket>,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<ReceivedHead> {
    let mut arrived = Vec::new();
    let mut chunk = vec![0; 1024];
    loop {
        // Read before waiting: part of the head may have arrived with the TLS handshake.
        let refusal = match socket.stream.read(&mut chunk) {
            Ok(0) => Refusal::new(400, "the request ended before its head was complete"),
            Ok(read) => {
                arrived.extend_from_slice(&chunk[..read]);
                match head::parse(&arrived) {
                    Ok(None) => continue,
                    Ok(Some((head, length))) => {
                        return Ok(ReceivedHead::Head(Box::new(head), arrived.split_off(length)));
                    }
                    Err(refusal) => refusal,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let interest = Interest { read: true, write: false };
                let ready = wait(socket.tcp.as_fd(), interest, Some(shutdown), Some(deadline))?;
                if ready.stop {
                    Refusal::new(503, "the server is going away")
                } else if Instant::now() >= deadline {
                    Refusal::new(408, "the request head was not complete within 5 s")
                } else {
                    socket.stream.begin(ready);
                    continue;
                }
            }
            Err(error) => return Err(error),
        };
        return Ok(if arrived.is_empty() { ReceivedHead::Nothing } else { ReceivedHead::Bad(refusal) });
    }
}
