//! Decides which answer a request gets: whether it is allowed, and whether it is for one of the service's own pages,
//! the viewer, the list of logs, or a log. [`short_response`], [`viewer`], [`files`] and [`super::log`] make the answers.

use std::sync::Arc;
use std::time::Instant;

use super::base::Below;
use super::files;
use super::head::Head;
use super::log::LogRequest;
use crate::protocol::address::Address;
use crate::protocol::bad_target::BadTarget;
use crate::protocol::event::SUBPROTOCOL;
use crate::protocol::list_request::ListParameters;
use crate::protocol::request::{HeartbeatKind, Parameters, View};
use crate::server::listing::List;
use crate::server::report::metrics::Ended;
use crate::server::shared::Shared;
use crate::server::short_response::{self, Refusal};
use crate::server::stream::connection::Connection;
use crate::server::stream::ending::{Linger, Served};
use crate::server::stream::live_list::LiveListStream;
use crate::server::stream::transport::Transport;
use crate::server::stream::transport::heartbeat::Heartbeat;
use crate::server::stream::transport::peer::{Peer, say, write_all};
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::LINGER;
use crate::server::stream::transport::websocket::Pings;
use crate::server::viewer;
use crate::shutdown::Shutdown;

/// The answer to a request.
pub(super) enum Answer<S> {
    /// It was sent.
    Sent(Served),
    /// It was sent, and the client may ask for more over the same connection.
    Kept(Served),
    /// It is a log, and has begun.
    Stream(Box<Connection<S>>),
}

/// Answers a request. Returns the refusal of one that cannot be answered.
// Not inlined, so that its stack frame is gone when the loop of a stream begins.
#[inline(never)]
pub(super) fn answer<'p, S: StreamSocket>(
    socket: &'p mut Peer<'_, S>,
    mut head: Box<Head>,
    early: Vec<u8>,
    shared: &Shared,
    shutdown: &Shutdown,
) -> Result<Answer<&'p mut S>, Refusal> {
    let send = |socket: &mut Peer<'_, S>, bytes: &[u8]| {
        Ok(Answer::Sent(say(socket, bytes, shared.config.stall_timeout, shutdown)))
    };
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    let asked = Address::parse(path);
    let below = asked.as_ref().map(|asked| shared.base.below(path, asked));
    let wants_page = match Parameters::parse(query).ok().and_then(|parameters| parameters.view) {
        Some(view) => view == View::Page,
        None => head.html,
    };
    // Unauthorized requests get 401 or 403, whatever they ask for and whatever else is wrong with them.
    shared.access.check(&head.claims, below.as_ref().is_ok_and(|below| is_public(below, &head, wants_page)))?;
    if let Some(flaw) = &head.flaw {
        return Err(flaw.clone());
    }
    let address = match below.map_err(BadTarget::clone)? {
        Below::Address(address) => address,
        Below::Bare => {
            let place = format!("{}{}", shared.base.path(), &head.target[path.len()..]);
            return send(socket, &short_response::redirect(&place, head.method));
        }
        Below::Outside => return Err(Refusal::new(404, "no such page: everything is below the base path")),
    };
    if address.service().is_some_and(|rest| rest == [b"files"]) {
        let wanted = ListParameters::parse(query)?;
        return list(socket, *head, early, wanted, shared, shutdown).map(Answer::Sent);
    }
    if let Some(page) = page(&address, query, &head, wants_page, shared)? {
        // A browser loads the page's many parts over a few connections.
        let is_viewer = address.service().is_none_or(|rest| rest.first().is_some_and(|name| name == b"viewer"));
        if !(is_viewer && head.keeps_alive && early.is_empty()) {
            return send(socket, &page);
        }
        let served = say(socket, &short_response::keep_alive(page), shared.config.stall_timeout, shutdown);
        return Ok(if served.ended == Ended::Completed { Answer::Kept(served) } else { Answer::Sent(served) });
    }
    let (parameters, upgrade) = (Parameters::parse(query)?, head.upgrade.take());
    let Head { method, http11, events, .. } = *head;
    let is_bare = query.is_empty();
    let request = LogRequest { address, parameters, is_bare, method, http11, upgrade, events, shared };
    let log = request.open()?;
    // Free the head: it is not needed any more, and the stream may last for weeks.
    drop(head);
    Ok(request.begin(socket, early, log, shutdown).map_or_else(Answer::Sent, Answer::Stream))
}

/// The answer if it is sent as a whole, as the service's own pages and the viewer's are. `None` for a log.
fn page(
    address: &Address,
    query: &str,
    head: &Head,
    wants_page: bool,
    shared: &Shared,
) -> Result<Option<Vec<u8>>, Refusal> {
    Ok(Some(match address.service() {
        None if is_page(address, head, wants_page) => {
            Parameters::parse(query)?;
            short_response::part(viewer::page(shared.base.path()), head.wish())
        }
        None => return Ok(None),
        Some([name]) if name == b"healthz" => short_response::page("ok", head.method),
        Some([name]) if name == b"metrics" => short_response::metrics(&shared.reports.metrics.to_string(), head.method),
        Some([name, rest @ ..]) if name == b"viewer" => {
            let part = viewer::asset(rest).ok_or_else(|| Refusal::new(404, "no such part of the viewer"))?;
            short_response::part(part, head.wish())
        }
        Some(_) => return Err(Refusal::new(404, "no such page")),
    }))
}

/// Whether no token is needed, because the answer reveals nothing about the logs: the page, the redirect to it, its
/// parts, and the server's health.
fn is_public(below: &Below, head: &Head, wants_page: bool) -> bool {
    match below {
        Below::Bare => true,
        Below::Outside => false,
        Below::Address(address) => match address.service() {
            Some([name]) => name == b"healthz",
            Some([name, ..]) => name == b"viewer",
            _ => is_page(address, head, wants_page),
        },
    }
}

/// Whether the request gets the page, which does not depend on whether there is such a log.
fn is_page(address: &Address, head: &Head, wants_page: bool) -> bool {
    head.upgrade.is_none() && head.flaw.is_none() && (wants_page || address.segments().is_empty())
}

/// Answers a request for the list of logs, once or for as long as the client wants to hear of changes.
#[inline(never)]
fn list<S: StreamSocket>(
    socket: &mut Peer<'_, S>,
    head: Head,
    early: Vec<u8>,
    wanted: ListParameters,
    shared: &Shared,
    shutdown: &Shutdown,
) -> Result<Served, Refusal> {
    let (left, stall) =
        (Served { ended: Ended::Left, linger: Linger::Until(Instant::now()) }, shared.config.stall_timeout);
    if head.upgrade.is_some() && !head.events {
        return Err(Refusal::new(400, format!("the list over WebSocket needs the subprotocol {SUBPROTOCOL}")));
    }
    let Some(list) = files::get(&shared.lists, &shared.roots, socket.tcp, &mut socket.stream, shutdown)? else {
        return Ok(left);
    };
    if let Some(upgrade) = head.upgrade {
        if write_all(socket, &upgrade, shutdown, LINGER).is_err() {
            return Ok(left);
        }
        let tcp = socket.tcp;
        return Ok(live_list(&mut socket.stream, early, (list, wanted), shared).run(tcp, shutdown));
    }
    // All clients that ask for all logs share one list, so it is not copied for each.
    let Some(json) = files::choose(list, &wanted, socket, shutdown)? else { return Ok(left) };
    let (response, body) = short_response::json_answer(json.as_bytes(), head.wish());
    match say(socket, &response, stall, shutdown) {
        Served { ended: Ended::Completed, .. } => Ok(say(socket, &body, stall, shutdown)),
        other => Ok(other),
    }
}

fn live_list<'s, S: StreamSocket>(
    stream: &'s mut S,
    early: Vec<u8>,
    begun: (Arc<List>, ListParameters),
    shared: &'s Shared,
) -> Box<LiveListStream<'s, &'s mut S>> {
    let (config, now) = (&shared.config, Instant::now());
    let heartbeat = Heartbeat::new(config.heartbeat, config.heartbeat_timeout, now);
    let pings = Pings { kind: HeartbeatKind::Frame, has_alive: true };
    let transport = Transport::websocket(stream, early, pings, heartbeat, shared.reports.metrics.clone());
    let transport = transport.stall_after(config.stall_timeout);
    Box::new(LiveListStream::new((&shared.lists, &*shared.roots), begun, config.heartbeat, transport))
}
