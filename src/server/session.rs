//! One connection from its first byte to its last: the head is read, answered, and becomes a stream or not.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::Shared;
use super::body::{Body, Framing};
use super::connection::{Connection, Pace};
use super::heartbeat::Heartbeat;
use super::http::{self, Head, Method, Refusal};
use super::messages::Messages;
use crate::error::cause;
use crate::follow::follower::Follower;
use crate::protocol::request::{Address, BadTarget, Format, Lines, Parameters};
use crate::shutdown::Shutdown;
use crate::socket::{self, is_nothing_now};
use crate::text::ansi::Html;
use crate::text::sanitize;
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

/// Serves one client.
pub(super) fn serve(socket: &TcpStream, shared: &Shared, shutdown: &Shutdown) -> io::Result<()> {
    socket::prepare(socket)?;
    rustix::net::sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)?;
    let deadline = Instant::now() + HEAD_TIMEOUT;
    let served = match read_head(socket, shutdown, deadline)? {
        Arrived::Nothing => return Ok(()),
        Arrived::Head(head, early) => {
            answer(socket, &head, early, shared, shutdown).map_err(|refusal| refusal.to(head.method))
        }
        Arrived::Bad(refusal) => Err(refusal),
    };
    let time = match served {
        Ok(time) => time,
        Err(refusal) => {
            log::debug!("refused with {}: {}", refusal.status(), refusal.reason());
            write_all(socket, &refusal.response(), shutdown)?;
            LINGER.max(deadline.saturating_duration_since(Instant::now()))
        }
    };
    linger(socket, shutdown, time);
    Ok(())
}

enum Arrived {
    /// The client left, or the server stops, before a word was said.
    Nothing,
    Head(Head, Vec<u8>),
    Bad(Refusal),
}

fn read_head(mut socket: &TcpStream, shutdown: &Shutdown, deadline: Instant) -> io::Result<Arrived> {
    let mut arrived = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let ready = wait(socket.as_fd(), Interest { read: true, write: false }, Some(shutdown), Some(deadline))?;
        let refusal = if ready.stop {
            Refusal::new(503, "the server is going away")
        } else if ready.read {
            match socket.read(&mut chunk) {
                Ok(0) => Refusal::new(400, "the request ended before its head was complete"),
                Ok(read) => {
                    arrived.extend_from_slice(&chunk[..read]);
                    match http::parse(&arrived) {
                        Ok(None) => continue,
                        Ok(Some((head, length))) => return Ok(Arrived::Head(head, arrived.split_off(length))),
                        Err(refusal) => refusal,
                    }
                }
                Err(error) if is_nothing_now(&error) => continue,
                Err(error) => return Err(error),
            }
        } else if Instant::now() >= deadline {
            Refusal::new(408, "the request head was not complete within 5 s")
        } else {
            continue;
        };
        return Ok(if arrived.is_empty() { Arrived::Nothing } else { Arrived::Bad(refusal) });
    }
}

/// Answers a request, and says how long to linger then; what cannot be answered with a stream or a body is refused.
fn answer(
    mut socket: &TcpStream,
    head: &Head,
    early: Vec<u8>,
    shared: &Shared,
    shutdown: &Shutdown,
) -> Result<Duration, Refusal> {
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let address = Address::parse(path)?;
    if let Some(service) = address.service() {
        return match service {
            [name] if name == b"healthz" => {
                let _ = write_all(socket, &http::ok(head.method), shutdown);
                Ok(LINGER)
            }
            _ => Err(Refusal::new(404, "no such page")),
        };
    }
    if address.segments().is_empty() {
        return Err(Refusal::new(404, "name a log: its path follows the slash"));
    }
    let parameters = Parameters::parse(query)?;
    let follower = open(&address, &parameters, shared)?;
    let name = sanitize::escape(&address.to_string());
    log::debug!("serving `{name}`");
    let (config, now) = (&shared.config, Instant::now());
    let pace = Pace { poll: config.poll, stall: config.stall_timeout };
    if let Some(upgrade) = &head.upgrade {
        if socket.write_all(upgrade).is_err() {
            return Ok(Duration::ZERO);
        }
        let html = (parameters.format.unwrap_or(config.format) == Format::Html).then(Html::default);
        let lines = crate::text::lines::LineBuffer::new(html, lines(&parameters, shared) != Lines::Last(0));
        let heartbeat = Heartbeat::new(config.heartbeat, config.heartbeat_timeout, now);
        let kind = parameters.heartbeat.unwrap_or_default();
        let messages = Messages::new(socket, early, lines, kind, heartbeat);
        if Connection::new(name, follower, messages, pace, now).run(socket, shutdown) {
            // A word of the client's that meets a closed socket resets the connection, and what it has not read yet is
            // lost: who is still reading is waited for as long as a client may take no byte.
            return Ok(config.stall_timeout.unwrap_or(LONGEST_LINGER));
        }
    } else {
        let framing = match (follower.left(), head.http11) {
            (Some(_), _) => Framing::Sized,
            (None, true) => Framing::Chunked,
            (None, false) => Framing::UntilClose,
        };
        let body = Body::new(socket, framing, head.method == Method::Head);
        Connection::new(name, follower, body, pace, now).run(socket, shutdown);
    }
    Ok(LINGER)
}

fn open(address: &Address, parameters: &Parameters, shared: &Shared) -> Result<Follower, Refusal> {
    let short = |error: io::Error| {
        log::debug!("cannot open `{}`: {}", sanitize::escape(&address.to_string()), cause(&error));
        Refusal::new(503, "the server is short of descriptors or memory")
    };
    let found = shared.roots.find(address).map_err(short)?;
    let (log, file) = found.ok_or_else(|| Refusal::new(404, "no such log"))?;
    Follower::new(log, file, lines(parameters, shared), parameters.tail.unwrap_or(false)).map_err(short)
}

impl From<BadTarget> for Refusal {
    fn from(bad: BadTarget) -> Refusal {
        Refusal::new(if bad == BadTarget::Parent { 403 } else { 400 }, bad.to_string())
    }
}

fn lines(parameters: &Parameters, shared: &Shared) -> Lines {
    parameters.lines.unwrap_or(shared.config.lines)
}

/// Writes a short answer to a client that may be slow to take it.
fn write_all(mut socket: &TcpStream, mut bytes: &[u8], shutdown: &Shutdown) -> io::Result<()> {
    let deadline = Instant::now() + if shutdown.is_ordered() { LAST_LINGER } else { LINGER };
    while !bytes.is_empty() && Instant::now() < deadline {
        match socket.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if is_nothing_now(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits for the client to see the end: closing while it still sends would reset the connection, and what was written
/// last could be lost on its way.
fn linger(mut socket: &TcpStream, shutdown: &Shutdown, time: Duration) {
    if socket.shutdown(Half::Write).is_err() {
        return;
    }
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
