//! One connection from its first byte to its last: the head is read, answered, and becomes a stream or not.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown as Half, TcpStream};
use std::os::fd::AsFd;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::base::Below;
use super::body::{Body, Framing};
use super::connection::{Connection, Sink};
use super::events::Events;
use super::heartbeat::Heartbeat;
use super::http::{self, Head, Method, Refusal};
use super::lookout::Lookout;
use super::messages::Messages;
use super::metrics::Outcome;
use super::outlet::Socket;
use super::secure::{self, Opening};
use super::websocket::WebSocket;
use super::{Shared, files, viewer};
use crate::error::cause;
use crate::follow::follower::Follower;
use crate::follow::position::Position;
use crate::follow::watch::Watch;
use crate::protocol::cursor::Cursor;
use crate::protocol::request::{Address, BadTarget, Format, HeartbeatKind, Lines, Parameters};
use crate::shutdown::Shutdown;
use crate::socket;
use crate::text::ansi::Html;
use crate::text::lines::LineBuffer;
use crate::text::sanitize;
use crate::tls::Acceptor;
use crate::turn::TurnStream;
use crate::wait::{Interest, wait};

/// How long a request head may take, from the moment the connection is accepted.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take to see the end, and how long it may when the whole server stops.
const LINGER: Duration = Duration::from_secs(2);
const LAST_LINGER: Duration = Duration::from_millis(500);
const LONGEST_LINGER: Duration = Duration::from_secs(60);

/// What the kernel holds for a client, in bytes; it doubles that for its own needs. Left to itself it takes 4 MB for one
/// that does not read, and a heartbeat would wait behind as much.
const SEND_BUFFER: usize = 256 * 1024;

/// A client: what is waited on, and what is read from and written to.
struct Peer<'s, S> {
    tcp: &'s TcpStream,
    stream: S,
}

/// Serves one client; says what became of it.
pub(super) fn serve(tcp: &TcpStream, shared: &Shared, shutdown: &Shutdown) -> io::Result<Outcome> {
    socket::prepare(tcp)?;
    rustix::net::sockopt::set_socket_send_buffer_size(tcp, SEND_BUFFER)?;
    let deadline = Instant::now() + HEAD_TIMEOUT;
    match &shared.acceptor {
        Some(acceptor) => serve_tls(tcp, acceptor, shared, shutdown, deadline),
        None => converse(&mut Peer { tcp, stream: TurnStream::new(tcp) }, shared, shutdown, deadline),
    }
}

// A TLS session takes a kilobyte of the stack that a plain one does not need.
#[inline(never)]
fn serve_tls(
    tcp: &TcpStream,
    acceptor: &Acceptor,
    shared: &Shared,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<Outcome> {
    let turn = TurnStream::new(tcp);
    match secure::opening(tcp, deadline, shutdown)? {
        Opening::Nothing => Ok(Outcome::Silent),
        Opening::Tls => match acceptor.accept(turn, deadline, shutdown) {
            Ok(stream) => converse(&mut Peer { tcp, stream }, shared, shutdown, deadline),
            Err(error) => secure::outcome(error),
        },
        Opening::Plain => {
            let refusal = Refusal::new(400, "this port speaks TLS: use https:// or wss://");
            end(&mut Peer { tcp, stream: turn }, Err(refusal), shutdown, deadline)
        }
    }
}

/// Serves a client over whatever it has agreed to.
fn converse(
    socket: &mut Peer<'_, impl Socket>,
    shared: &Shared,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<Outcome> {
    let served = match read_head(socket, shutdown, deadline)? {
        Arrived::Nothing => return Ok(Outcome::Silent),
        Arrived::Head(head, early) => {
            answer(socket, &head, early, shared, shutdown).map_err(|refusal| refusal.to(head.method))
        }
        Arrived::Bad(refusal) => Err(refusal),
    };
    end(socket, served, shutdown, deadline)
}

/// Says what is to be said to a client that was not served, and ends the connection.
fn end(
    socket: &mut Peer<'_, impl Socket>,
    served: Result<(Outcome, Duration), Refusal>,
    shutdown: &Shutdown,
    deadline: Instant,
) -> io::Result<Outcome> {
    let (outcome, time) = match served {
        Ok(served) => served,
        Err(refusal) => {
            // What is malformed is told to the client with its own words, and they may be anything, a token, too.
            let reason = if refusal.status() == 400 { "the request is malformed" } else { refusal.reason() };
            log::debug!("refused with {}: {reason}", refusal.status());
            write_all(socket, &refusal.response(), shutdown, LINGER)?;
            (Outcome::of_status(refusal.status()), LINGER.max(deadline.saturating_duration_since(Instant::now())))
        }
    };
    linger(socket, shutdown, time);
    Ok(outcome)
}

enum Arrived {
    /// The client left, or the server stops, before a word was said.
    Nothing,
    Head(Head, Vec<u8>),
    Bad(Refusal),
}

// What it needs of the stack is not to lie below the loop's for as long as the connection stands.
#[inline(never)]
fn read_head(socket: &mut Peer<'_, impl Socket>, shutdown: &Shutdown, deadline: Instant) -> io::Result<Arrived> {
    let mut arrived = Vec::new();
    let mut chunk = vec![0; 1024];
    loop {
        // Part of it may have come with the TLS handshake: it is read before it is waited for.
        let refusal = match socket.stream.read(&mut chunk) {
            Ok(0) => Refusal::new(400, "the request ended before its head was complete"),
            Ok(read) => {
                arrived.extend_from_slice(&chunk[..read]);
                match http::parse(&arrived) {
                    Ok(None) => continue,
                    Ok(Some((head, length))) => return Ok(Arrived::Head(head, arrived.split_off(length))),
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
        return Ok(if arrived.is_empty() { Arrived::Nothing } else { Arrived::Bad(refusal) });
    }
}

/// Answers a request, and says what became of it and how long to linger then; what cannot be answered is refused.
fn answer(
    socket: &mut Peer<'_, impl Socket>,
    head: &Head,
    early: Vec<u8>,
    shared: &Shared,
    shutdown: &Shutdown,
) -> Result<(Outcome, Duration), Refusal> {
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let asked = Address::parse(path);
    let below = asked.as_ref().map(|asked| shared.base.below(path, asked));
    // Who may not read is told so, whatever is asked for.
    shared.access.check(&head.claims, below.as_ref().is_ok_and(|below| is_public(below, head)))?;
    if let Some(flaw) = &head.flaw {
        return Err(flaw.clone());
    }
    let address = match below.map_err(BadTarget::clone)? {
        Below::Address(address) => address,
        Below::Bare => {
            let place = format!("{}{}", shared.base.path(), &head.target[path.len()..]);
            return Ok(say(socket, &http::redirect(&place, head.method), shared, shutdown));
        }
        Below::Outside => return Err(Refusal::new(404, "no such page: all is beneath the base path")),
    };
    if let Some(page) = page(&address, query, head, shared)? {
        return Ok(say(socket, &page, shared, shutdown));
    }
    let parameters = Parameters::parse(query)?;
    let follower = open(&address, &parameters, shared)?;
    log::debug!("serving `{}`", sanitize::escape(&address.to_string()));
    let stream = Stream { tcp: socket.tcp, address, parameters, follower, shared, shutdown };
    match &head.upgrade {
        Some(upgrade) => Ok(stream.answer(socket, upgrade, early, head.events)),
        None => Ok(stream.body(socket, head)),
    }
}

/// What is answered as a whole, the service's own pages and the viewer's; `None` for a log.
fn page(address: &Address, query: &str, head: &Head, shared: &Shared) -> Result<Option<Vec<u8>>, Refusal> {
    Ok(Some(match address.service() {
        None if is_page(address, head) => {
            Parameters::parse(query)?;
            http::part(head, viewer::page(shared.base.path()))
        }
        None => return Ok(None),
        Some([name]) if name == b"healthz" => http::page("ok", head.method),
        Some([name]) if name == b"metrics" => http::metrics(&shared.metrics.to_string(), head.method),
        Some([name]) if name == b"files" => http::json(head.method, &list(shared)?),
        Some([name, rest @ ..]) if name == b"viewer" => {
            let part = viewer::asset(rest).ok_or_else(|| Refusal::new(404, "no such part of the viewer"))?;
            http::part(head, part)
        }
        Some(_) => return Err(Refusal::new(404, "no such page")),
    }))
}

/// What needs no token, for it tells nothing of the logs: the page, what leads to it, its parts, and the server's health.
fn is_public(below: &Below, head: &Head) -> bool {
    match below {
        Below::Bare => true,
        Below::Outside => false,
        Below::Address(address) => match address.service() {
            Some([name]) => name == b"healthz",
            Some([name, ..]) => name == b"viewer",
            _ => is_page(address, head),
        },
    }
}

/// What a browser goes to, whether there is such a log or not.
fn is_page(address: &Address, head: &Head) -> bool {
    head.upgrade.is_none() && head.flaw.is_none() && (head.html || address.segments().is_empty())
}

fn list(shared: &Shared) -> Result<String, Refusal> {
    // However many ask at once, one walk's worth of memory and of a core is all it takes.
    let _turn = shared.listing.lock().unwrap_or_else(PoisonError::into_inner);
    let listing = shared.roots.list();
    let listing = listing.map_err(|error| Refusal::new(503, format!("cannot list the logs now: {}", cause(&error))))?;
    Ok(files::json(&listing))
}

/// A log and where it is to go.
struct Stream<'s> {
    tcp: &'s TcpStream,
    address: Address,
    parameters: Parameters,
    follower: Box<Follower>,
    shared: &'s Shared,
    shutdown: &'s Shutdown,
}

impl Stream<'_> {
    /// Over WebSocket; says what became of it and how long to linger then.
    fn answer(
        self,
        socket: &mut Peer<'_, impl Socket>,
        upgrade: &[u8],
        early: Vec<u8>,
        events: bool,
    ) -> (Outcome, Duration) {
        let (config, now) = (&self.shared.config, Instant::now());
        if write_all(socket, upgrade, self.shutdown, LINGER).is_err() {
            return (Outcome::Left, Duration::ZERO);
        }
        let heartbeat = Heartbeat::new(config.heartbeat, config.heartbeat_timeout, now);
        let kind = if events { HeartbeatKind::Frame } else { self.parameters.heartbeat.unwrap_or_default() };
        let socket = WebSocket::new(&mut socket.stream, early, kind, heartbeat);
        let (outcome, is_unread) = if events { self.events(socket, now) } else { self.messages(socket, now) };
        // A word of the client's that meets a closed socket resets the connection, and what it has not read yet is lost:
        // who is still reading is waited for as long as a client may take no byte.
        (outcome, if is_unread { config.stall_timeout.unwrap_or(LONGEST_LINGER) } else { LINGER })
    }

    // Frames of their own, of the size that this kind of sink needs.
    #[inline(never)]
    fn events(self, socket: WebSocket<impl Socket>, now: Instant) -> (Outcome, bool) {
        let (path, is_resumed) = (self.address.to_string(), self.parameters.cursor.is_some());
        let events = Events::new(socket, path, self.shared.config.heartbeat, is_resumed, now);
        self.run(events, now)
    }

    #[inline(never)]
    fn messages(self, socket: WebSocket<impl Socket>, now: Instant) -> (Outcome, bool) {
        let format = self.parameters.format.unwrap_or(self.shared.config.format);
        let html = (format == Format::Html).then(Html::default);
        let backfill = self.parameters.cursor.is_none() && lines(&self.parameters, self.shared) != Lines::Last(0);
        self.run(Messages::new(socket, LineBuffer::new(html, backfill)), now)
    }

    /// As the body of a response; says what became of it and how long to linger then.
    fn body(self, socket: &mut Peer<'_, impl Socket>, head: &Head) -> (Outcome, Duration) {
        let framing = match (self.follower.left(), head.http11) {
            (Some(_), _) => Framing::Sized,
            (None, true) => Framing::Chunked,
            (None, false) => Framing::UntilClose,
        };
        let lost = self.follower.lost();
        let body = Body::new(&mut socket.stream, framing, lost, head.method == Method::Head);
        let (outcome, _) = self.run(body, Instant::now());
        (outcome, LINGER)
    }

    fn run(self, sink: impl Sink, now: Instant) -> (Outcome, bool) {
        let name = sanitize::escape(&self.address.to_string());
        let config = &self.shared.config;
        let lookout = Lookout::new(config.poll, self.shared.watcher.clone().map(Watch::new), now);
        let records = (self.shared.metrics.clone(), self.shared.complaints.clone());
        let connection = Connection::new(name, self.follower, sink, lookout, config.stall_timeout, records, now);
        connection.run(self.tcp, self.shutdown)
    }
}

fn open(address: &Address, parameters: &Parameters, shared: &Shared) -> Result<Box<Follower>, Refusal> {
    let failed = |error: io::Error| {
        log::debug!("cannot open `{}`: {}", sanitize::escape(&address.to_string()), cause(&error));
        Refusal::new(503, format!("the log cannot be opened now: {}", cause(&error)))
    };
    let from = parameters.cursor.as_ref().map(|place| position("cursor", &place.cursor)).transpose()?;
    let before = parameters.before.as_ref().map(|cursor| position("before", cursor)).transpose()?;
    let found = shared.roots.find(address).map_err(failed)?;
    let (log, file) = found.ok_or_else(|| Refusal::new(404, "no such log"))?;
    let (tail, wait) = (parameters.tail.unwrap_or(false), shared.config.rotate_wait);
    let follower = match (&from, &before) {
        (Some(position), _) => {
            let skip = parameters.cursor.as_ref().map_or(0, |place| place.skip);
            Follower::resume(log, file, (position, skip), tail, wait)
        }
        (None, Some(position)) => Follower::before(log, file, position, lines(parameters, shared)),
        (None, None) => Follower::new(log, file, lines(parameters, shared), tail, wait),
    };
    let follower = follower.map_err(failed)?;
    if from.is_some() {
        shared.metrics.resume(follower.lost().is_none());
    }
    Ok(Box::new(follower))
}

fn position(name: &str, cursor: &Cursor) -> Result<Position, Refusal> {
    let position = Position::parse(cursor);
    Ok(position.ok_or_else(|| BadTarget::bad_value(name, cursor.as_str(), "a cursor of this server"))?)
}

impl From<BadTarget> for Refusal {
    fn from(bad: BadTarget) -> Refusal {
        Refusal::new(if bad == BadTarget::Parent { 403 } else { 400 }, bad.to_string())
    }
}

fn lines(parameters: &Parameters, shared: &Shared) -> Lines {
    parameters.lines.unwrap_or(shared.config.lines)
}

/// Answers a request as a whole; says what became of it and how long to linger then. A client may be as slow as with a log.
fn say(socket: &mut Peer<'_, impl Socket>, answer: &[u8], shared: &Shared, shutdown: &Shutdown) -> (Outcome, Duration) {
    let patience = shared.config.stall_timeout.unwrap_or(LONGEST_LINGER);
    match write_all(socket, answer, shutdown, patience) {
        Ok(()) => (Outcome::Completed, LINGER),
        Err(error) if error.kind() == ErrorKind::TimedOut => (Outcome::Stalled, Duration::ZERO),
        Err(_) => (Outcome::Left, Duration::ZERO),
    }
}

/// Writes an answer to a client that may be slow to take it. `TimedOut` when it takes nothing for as long as `patience`;
/// the order to stop shortens that.
fn write_all(
    socket: &mut Peer<'_, impl Socket>,
    mut bytes: &[u8],
    shutdown: &Shutdown,
    mut patience: Duration,
) -> io::Result<()> {
    let (mut taken, mut since, mut shutdown) = (0, Instant::now(), Some(shutdown));
    while !write(&mut socket.stream, &mut bytes)? {
        let (_, now) = socket.stream.count();
        if std::mem::replace(&mut taken, now) != now {
            since = Instant::now();
        }
        let deadline = since + patience;
        if deadline <= Instant::now() {
            return Err(ErrorKind::TimedOut.into());
        }
        let ready = wait(socket.tcp.as_fd(), Interest { read: false, write: true }, shutdown, Some(deadline))?;
        if ready.stop {
            (shutdown, patience) = (None, patience.min(LAST_LINGER));
        }
        socket.stream.begin(ready);
    }
    Ok(())
}

/// Writes what the socket takes now; whether that is all.
fn write(stream: &mut impl Socket, bytes: &mut &[u8]) -> io::Result<bool> {
    loop {
        let written = if bytes.is_empty() { stream.flush().map(|()| 0) } else { stream.write(bytes) };
        match written {
            Ok(_) if bytes.is_empty() => return Ok(true),
            Ok(written) => *bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the client to see the end: closing while it still sends would reset the connection, and what was written
/// last could be lost on its way.
#[inline(never)]
fn linger(socket: &mut Peer<'_, impl Socket>, shutdown: &Shutdown, time: Duration) {
    socket.stream.finish();
    if write_all(socket, &[], shutdown, LINGER).is_err() || socket.tcp.shutdown(Half::Write).is_err() {
        return;
    }
    let mut socket = socket.tcp;
    let (mut shutdown, mut deadline) = (Some(shutdown), Instant::now() + time);
    let mut dropped = [0; 4096];
    while Instant::now() < deadline {
        let Ok(ready) = wait(socket.as_fd(), Interest { read: true, write: false }, shutdown, Some(deadline)) else {
            return;
        };
        if ready.read && matches!(socket.read(&mut dropped), Ok(0)) {
            return;
        }
        if ready.stop {
            (shutdown, deadline) = (None, deadline.min(Instant::now() + LAST_LINGER));
        }
    }
}
