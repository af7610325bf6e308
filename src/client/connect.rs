//! From an address to an open stream, each step with a deadline of its own. It tries once: [`Reader`](super::Reader)
//! decides whether to try again.

use std::io;
use std::net::{SocketAddr, SocketAddrV6, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{connect as start, sockopt};
use tungstenite::error::{ProtocolError, SubProtocolError};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::http::Uri;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error as WsError, WebSocket};

use super::ClientConfig;
use super::authority::Authority;
use super::http::{self, RequestFault, Response};
use super::url::{Origin, Url};
use super::wire::Wire;
use crate::bounded_stream::BoundedStream;
use crate::error::{Error, Result};
use crate::protocol::event::SUBPROTOCOL;
use crate::shutdown::Shutdown;
use crate::socket;
use crate::wait::{Interest, wait};

/// The deadline for connecting to one address, and that for the handshakes after it.
const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The additional time for a whole page.
const PAGE: Duration = Duration::from_secs(50);
/// Other servers may send everything that was missed in one message.
const MAX_MESSAGE: usize = 64 << 20;

/// What the system answers when it has begun to connect.
const STARTED: Errno = if cfg!(windows) { Errno::WOULDBLOCK } else { Errno::INPROGRESS };

pub(super) type Socket = WebSocket<Wire>;

/// Connects to the first of the host's addresses that answers, and requests the log. The flag is whether the server speaks
/// `wstail.v1`.
///
/// # Errors
/// When no address answers in time, or the server refuses ([`Error::status`]).
pub(super) fn open(url: &Url, config: &ClientConfig, shutdown: &Shutdown) -> Result<(Socket, bool)> {
    let what = || format!("cannot follow {url}");
    let key = generate_key();
    let request = request(url, config, &key)?;
    let (mut wire, until) = reach(url, config, shutdown)?;
    let response = http::ask(&mut wire, request.as_bytes(), until, shutdown);
    let response = response.map_err(|fault| failure(what(), url, fault))?;
    if response.status != 101 {
        return Err(Error::refused(what(), response.status, response.reason(), response.retry_after()));
    }
    let has_events = verify(&response, &key).map_err(|fault| Error::protocol(what(), WsError::Protocol(fault)))?;
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    Ok((WebSocket::from_partially_read(wire, response.rest, Role::Client, Some(limits)), has_events))
}

/// Requests a page by HTTP, without a token, and returns the status of the response, such as 200 for `/-/healthz`. `url` is
/// any page of the server's, from [`Url::page`], with its query. Each address of the host has 5 s to
/// answer, and the rest 10 s.
///
/// # Errors
/// When no address answers in time ([`Error::is_timeout`]), the certificate is not trusted ([`Error::is_untrusted`]), or the
/// response is not HTTP.
pub fn status(url: &Url, config: &ClientConfig, shutdown: &Shutdown) -> Result<u16> {
    let what = || format!("cannot ask {}", url.place());
    let (target, authority) = (url.target(), url.authority());
    let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    let (mut wire, until) = reach(url, config, shutdown)?;
    let response = http::ask(&mut wire, request.as_bytes(), until, shutdown);
    response.map(|response| response.status).map_err(|fault| failure(what(), url, fault))
}

/// Requests a page by HTTP, with the token, and returns its body when the status is 200. An error begins with `what`.
pub(super) fn page(
    url: &Url,
    config: &ClientConfig,
    what: impl Fn() -> String,
    shutdown: &Shutdown,
) -> Result<Vec<u8>> {
    let (target, authority) = (url.target(), url.authority());
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    if let Some(token) = &config.token {
        request += &format!("Authorization: {}\r\n", token.authorization());
    }
    let (mut wire, until) = reach(url, config, shutdown)?;
    let response = http::fetch(&mut wire, (request + "\r\n").as_bytes(), until + PAGE, shutdown);
    let response = response.map_err(|fault| failure(what(), url, fault))?;
    if response.status != 200 {
        return Err(Error::refused(what(), response.status, response.reason(), response.retry_after()));
    }
    response.body().ok_or_else(|| Error::failed(format!("{}: the answer was cut off", what())))
}

/// Connects as the URL says. Returns the connection, and the deadline for the remaining handshakes.
fn reach(url: &Url, config: &ClientConfig, shutdown: &Shutdown) -> Result<(Wire, Instant)> {
    let connector = if url.is_secure() { Some(config.trust.connector()?) } else { None };
    let turn = BoundedStream::new(find(url, shutdown)?);
    let until = Instant::now() + HANDSHAKE;
    let wire = match connector {
        None => Wire::Plain(turn),
        Some(connector) => {
            let what = format!("cannot connect to {url}");
            Wire::Tls(connector.connect(turn, url.host(), &what, until, shutdown)?)
        }
    };
    Ok((wire, until))
}

fn find(url: &Url, shutdown: &Shutdown) -> Result<TcpStream> {
    let authority = match url.origin() {
        Origin::Server(authority) => authority,
        Origin::Local(path) => return path.connect(),
    };
    let what = || format!("cannot connect to {}", url.place());
    let addresses = addresses(authority).map_err(|error| Error::io(what(), error))?;
    let mut last = io::Error::other("the name has no address");
    for address in addresses {
        match connect(address, shutdown) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
        if shutdown.is_triggered() {
            break;
        }
    }
    Err(Error::io(what(), last))
}

fn addresses(authority: &Authority) -> io::Result<Vec<SocketAddr>> {
    let Authority { host, port, .. } = authority;
    if let (Some(zone), Ok(address)) = (&authority.zone, host.parse()) {
        let scope = match zone.parse() {
            Ok(index) => index,
            Err(_) => interface(zone)?,
        };
        return Ok(vec![SocketAddrV6::new(address, *port, 0, scope).into()]);
    }
    (host.as_str(), *port).to_socket_addrs().map(Iterator::collect)
}

/// The number of a network interface.
#[cfg(target_os = "linux")]
fn interface(name: &str) -> io::Result<u32> {
    use rustix::net::{AddressFamily, SocketType};
    let socket = rustix::net::socket(AddressFamily::INET6, SocketType::DGRAM, None)?;
    let missing = |_| io::Error::other(format!("there is no network interface `{}`", name.escape_debug()));
    rustix::net::netdevice::name_to_index(socket, name).map_err(missing)
}

#[cfg(not(target_os = "linux"))]
fn interface(name: &str) -> io::Result<u32> {
    let name = name.escape_debug();
    Err(io::Error::other(format!("cannot look up the network interface `{name}` here: give its number")))
}

/// Connects, unless the shutdown is triggered first.
fn connect(address: SocketAddr, shutdown: &Shutdown) -> io::Result<TcpStream> {
    let socket = socket::open(&address)?;
    match start(&socket, &address) {
        Ok(()) => {}
        Err(STARTED) => {
            let until = Instant::now() + CONNECT;
            let interest = Interest { read: false, write: true };
            while !wait(socket.as_fd(), interest, Some(shutdown), Some(until))?.write {
                if shutdown.is_triggered() {
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

fn request(url: &Url, config: &ClientConfig, key: &str) -> Result<String> {
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

/// Whether the server speaks `wstail.v1`. A server that does not know it answers as if nothing had been offered.
fn verify(response: &Response, key: &str) -> Result<bool, ProtocolError> {
    if !response.holds("upgrade", "websocket") {
        return Err(ProtocolError::MissingUpgradeWebSocketHeader);
    }
    if !response.holds("connection", "upgrade") {
        return Err(ProtocolError::MissingConnectionUpgradeHeader);
    }
    if response.values("sec-websocket-accept").next() != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(ProtocolError::SecWebSocketAcceptKeyMismatch);
    }
    match response.values("sec-websocket-protocol").next() {
        None => Ok(false),
        Some(picked) if picked == SUBPROTOCOL.as_bytes() => Ok(true),
        Some(_) => Err(ProtocolError::SecWebSocketSubProtocolError(SubProtocolError::InvalidSubProtocol)),
    }
}

fn failure(what: String, url: &Url, fault: RequestFault) -> Error {
    let broken = |cause: &str| Error::io(&what, io::Error::other(cause));
    match fault {
        RequestFault::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Error::timeout(format!("{what}: no complete answer within 10 s"))
        }
        RequestFault::Io(error) => Error::io(what, error),
        RequestFault::Closed => broken("the server closed the connection without an answer"),
        RequestFault::NotHttp { is_tls: true } => {
            broken(&format!("the server does not speak HTTP: it looks like TLS, try wss://{}", url.place()))
        }
        RequestFault::NotHttp { is_tls: false } => broken("the server does not speak HTTP"),
        RequestFault::Malformed(fault) => broken(&format!("the server's answer is malformed: {fault}")),
    }
}
