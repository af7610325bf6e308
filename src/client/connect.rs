//! From an address to an open stream, each step with a deadline of its own.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{connect as start, sockopt};
use tungstenite::error::{ProtocolError, SubProtocolError};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::http::Uri;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error as WsError, WebSocket};

use super::Config;
use super::http::{self, Answer};
use super::url::Url;
use super::wire::Wire;
use crate::error::{Error, Result};
use crate::protocol::event::SUBPROTOCOL;
use crate::shutdown::Shutdown;
use crate::socket;
use crate::turn::TurnStream;
use crate::wait::{Interest, wait};

/// How long connecting to one address may take, and how long the handshakes may that follow.
const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A server of another make may send all that was missed in one message.
const MAX_MESSAGE: usize = 64 << 20;

pub(super) type Socket = WebSocket<Wire>;

/// Connects to the first of the host's addresses that answers, and asks for the log; says whether the server speaks
/// `wstail.v1`.
///
/// # Errors
/// When no address answers in time, or the server refuses; [`Error::status`] tells its status.
pub(super) fn open(url: &Url, config: &Config, shutdown: &Shutdown) -> Result<(Socket, bool)> {
    let what = || format!("cannot follow {url}");
    let key = generate_key();
    let request = request(url, config, &key)?;
    let (mut wire, until) = reach(url, config, shutdown)?;
    let answer = http::ask(&mut wire, request.as_bytes(), until, shutdown);
    let answer = answer.map_err(|error| failure(what(), error))?;
    if answer.status != 101 {
        return Err(Error::refused(what(), answer.status, &answer.reason()));
    }
    let has_events = verify(&answer, &key).map_err(|fault| Error::protocol(what(), WsError::Protocol(fault)))?;
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    Ok((WebSocket::from_partially_read(wire, answer.rest, Role::Client, Some(limits)), has_events))
}

/// Asks for a page by HTTP, without a token; the status of the answer. The address's parameters go along.
///
/// # Errors
/// When no address answers in time, its certificate is not trusted, or what answers speaks no HTTP.
pub fn status(url: &Url, config: &Config, shutdown: &Shutdown) -> Result<u16> {
    let what = || format!("cannot ask {}", url.authority());
    let (target, authority) = (url.target(), url.authority());
    let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    let (mut wire, until) = reach(url, config, shutdown)?;
    let answer = http::ask(&mut wire, request.as_bytes(), until, shutdown);
    answer.map(|answer| answer.status).map_err(|error| failure(what(), error))
}

/// Connects as the URL says; with the time until which the rest of the handshakes must be done.
fn reach(url: &Url, config: &Config, shutdown: &Shutdown) -> Result<(Wire, Instant)> {
    let connector = if url.is_secure() { Some(config.trust.connector()?) } else { None };
    let turn = TurnStream::new(find(url, shutdown)?);
    let until = Instant::now() + HANDSHAKE;
    let wire = match connector {
        None => Wire::Plain(turn),
        Some(connector) => {
            let what = format!("cannot connect to {url}");
            Wire::Tls(connector.connect(turn, (url.host(), &what), until, shutdown)?)
        }
    };
    Ok((wire, until))
}

fn find(url: &Url, shutdown: &Shutdown) -> Result<TcpStream> {
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

fn request(url: &Url, config: &Config, key: &str) -> Result<String> {
    let (target, authority) = (url.target(), url.authority());
    format!("ws://{authority}{target}")
        .parse::<Uri>()
        .map_err(|error| Error::usage(format!("cannot use the URL `{url}`: {error}")))?;
    let mut request = format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"
    );
    if let Some(token) = &config.token {
        request += &format!("Authorization: {}\r\n", token.authorization());
    }
    Ok(request + "\r\n")
}

/// Whether the server speaks `wstail.v1`; one that knows none answers as if nothing had been offered.
fn verify(answer: &Answer, key: &str) -> Result<bool, ProtocolError> {
    if !answer.holds("upgrade", "websocket") {
        return Err(ProtocolError::MissingUpgradeWebSocketHeader);
    }
    if !answer.holds("connection", "upgrade") {
        return Err(ProtocolError::MissingConnectionUpgradeHeader);
    }
    if answer.values("sec-websocket-accept").next() != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(ProtocolError::SecWebSocketAcceptKeyMismatch);
    }
    match answer.values("sec-websocket-protocol").next() {
        None => Ok(false),
        Some(picked) if picked == SUBPROTOCOL.as_bytes() => Ok(true),
        Some(_) => Err(ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::InvalidSubProtocol)),
    }
}

fn failure(what: String, error: WsError) -> Error {
    match error {
        WsError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Error::timeout(format!("{what}: no answer was complete within 10 s"))
        }
        error => Error::protocol(what, error),
    }
}
