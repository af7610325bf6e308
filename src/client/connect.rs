//! From an address to an open stream, each step with a deadline of its own.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{connect as start, sockopt};
use tungstenite::error::{ProtocolError, SubProtocolError};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::generate_key;
use tungstenite::http::Request;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error as WsError, WebSocket, client::client_with_config};

use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::event::SUBPROTOCOL;
use crate::shutdown::Shutdown;
use crate::socket;
use crate::text::sanitize;
use crate::turn::TurnStream;
use crate::wait::{Interest, wait};

/// How long connecting to one address may take, and how long the handshake may.
const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A server of another make may send all that was missed in one message.
const MAX_MESSAGE: usize = 64 << 20;

pub(super) type Socket = WebSocket<TurnStream<TcpStream>>;

/// Connects to the first of the host's addresses that answers, and asks for the log; says whether the server speaks
/// `wstail.v1`.
///
/// # Errors
/// When no address answers in time, or the server refuses; [`Error::status`] tells its status.
pub(super) fn open(url: &Url, shutdown: &Shutdown) -> Result<(Socket, bool)> {
    // A server that knows none answers as if nothing had been offered, and tungstenite takes that for a fault.
    match shake_hands(url, reach(url, shutdown)?, true, shutdown)? {
        Some(socket) => Ok((socket, true)),
        None => {
            let socket = shake_hands(url, reach(url, shutdown)?, false, shutdown)?;
            Ok((socket.expect("nothing was offered"), false))
        }
    }
}

fn reach(url: &Url, shutdown: &Shutdown) -> Result<TcpStream> {
    let what = || format!("cannot connect to {}", url.authority());
    let addresses = (url.host(), url.port()).to_socket_addrs().map_err(|error| Error::io(what(), error))?;
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match connect(address, shutdown) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
        if shutdown.is_ordered() {
            break;
        }
    }
    Err(Error::io(what(), last))
}

/// A connect that the order to stop cuts short.
fn connect(address: SocketAddr, shutdown: &Shutdown) -> io::Result<TcpStream> {
    let socket = socket::open(&address)?;
    match start(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            let until = Instant::now() + CONNECT;
            let interest = Interest { read: false, write: true };
            while !wait(socket.as_fd(), interest, Some(shutdown), Some(until))?.write {
                if shutdown.is_ordered() {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                if until <= Instant::now() {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"));
                }
            }
            sockopt::socket_error(&socket)??;
        }
        Err(errno) => return Err(errno.into()),
    }
    let socket = TcpStream::from(socket);
    socket::prepare(&socket)?;
    Ok(socket)
}

/// `None` when the subprotocol that was offered is not spoken.
fn shake_hands(url: &Url, socket: TcpStream, offers: bool, shutdown: &Shutdown) -> Result<Option<Socket>> {
    let what = || format!("cannot follow {url}");
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let deadline = Instant::now() + HANDSHAKE;
    let fd = socket.try_clone().map_err(|error| Error::io(what(), error))?;
    let mut shaking = client_with_config(request(url, offers)?, TurnStream::new(socket), Some(config));
    loop {
        let mut middle = match shaking {
            Ok((socket, _)) => return Ok(Some(socket)),
            Err(HandshakeError::Failure(WsError::Protocol(NOT_SPOKEN))) if offers => return Ok(None),
            Err(HandshakeError::Failure(error)) => return Err(refusal(what(), error)),
            Err(HandshakeError::Interrupted(middle)) => middle,
        };
        let interest = Interest { read: true, write: false };
        let ready =
            wait(fd.as_fd(), interest, Some(shutdown), Some(deadline)).map_err(|error| Error::io(what(), error))?;
        if ready.stop {
            return Err(Error::io(what(), io::ErrorKind::Interrupted.into()));
        }
        if deadline <= Instant::now() {
            return Err(Error::timeout(format!("{}: the handshake was not complete within 10 s", what())));
        }
        middle.get_mut().get_mut().begin(ready);
        shaking = middle.handshake();
    }
}

const NOT_SPOKEN: ProtocolError = ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::NoSubProtocol);

fn request(url: &Url, offers: bool) -> Result<Request<()>> {
    let authority = url.authority();
    let mut request = Request::builder();
    if offers {
        request = request.header("Sec-WebSocket-Protocol", SUBPROTOCOL);
    }
    request
        .uri(format!("ws://{authority}{}", url.target()))
        .header("Host", &authority)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|error| Error::usage(format!("cannot use the URL `{url}`: {error}")))
}

fn refusal(what: String, error: WsError) -> Error {
    match error {
        WsError::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let reason = String::from_utf8_lossy(body);
            let reason = sanitize::escape(reason.lines().next().unwrap_or_default());
            Error::refused(what, response.status().as_u16(), &reason)
        }
        error => Error::protocol(what, error),
    }
}
