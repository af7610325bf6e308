//! The list of logs over WebSocket, which goes on: the logs that are there, then those that come and go. It has a loop of
//! its own, as a log's connection has, over the same transport.

use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::follow::root::Roots;
use crate::protocol::close::{self, Close};
use crate::protocol::list_event::ListEvent;
use crate::protocol::list_request::ListParameters;
use crate::server::list_changes::{Changes, FoundLogs};
use crate::server::listing::{List, Lists, Lookup, TURN, seconds};
use crate::server::stream::ending::{Ending, Linger, Served};
use crate::server::stream::frame::Frame;
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::{CLOSE, CLOSE_AT_SHUTDOWN};
use crate::server::stream::transport::{SendError, Transport};
use crate::shutdown::Shutdown;
use crate::wait::{Interest, Ready, wait_beside};

/// How long to wait after a walk that failed, for want of descriptors or memory.
const RETRY: Duration = Duration::from_secs(1);

/// A live list on its way to a client.
pub(in crate::server) struct LiveListStream<'s, S> {
    lists: &'s Lists,
    roots: &'s Roots,
    /// While it has anything that is not sent yet, nothing more is looked for.
    changes: Changes,
    /// What follows the logs that were there at the beginning.
    listed: Option<ListEvent>,
    /// When to look for changes.
    due: Instant,
    /// Another client's walk, whose end is waited for.
    walk: Option<Arc<UnixStream>>,
    transport: Transport<S>,
    /// Set once the close handshake has begun.
    ending: Option<Ending>,
}

impl<'s, S: StreamSocket> LiveListStream<'s, S> {
    /// Begins with the logs of `list` that are `wanted`.
    pub(in crate::server) fn new(
        (lists, roots): (&'s Lists, &'s Roots),
        (list, wanted): (Arc<List>, ListParameters),
        heartbeat: Duration,
        transport: Transport<S>,
    ) -> LiveListStream<'s, S> {
        let (due, heartbeat) = (list.next_walk(), heartbeat.as_secs_f64());
        let listed = Some(ListEvent::Listed { is_cut: list.is_cut(), heartbeat });
        let changes = Changes::new(wanted, list);
        LiveListStream { lists, roots, changes, listed, due, walk: None, transport, ending: None }
    }

    /// Takes turns until the client has left. At shutdown, closes the stream first.
    pub(in crate::server) fn run(&mut self, socket: &TcpStream, shutdown: &Shutdown) -> Served {
        let (mut ready, mut shutdown) = (Ready::default(), Some(shutdown));
        loop {
            let now = Instant::now();
            let over = match self.turn(ready, now) {
                Ok(is_over) => is_over,
                Err(ending) => self.end(ending, CLOSE, now),
            };
            if over {
                return self.served(self.transport.linger());
            }
            let (interest, until) = (self.transport.interest(now), self.until(now));
            let walk = self.walk.as_deref().filter(|_| self.is_looking()).map(AsFd::as_fd);
            ready = match wait_beside(socket.as_fd(), interest, shutdown, walk, until) {
                Ok(ready) => ready,
                Err(_) => return self.served(Linger::Usual),
            };
            if ready.read && interest == Interest::default() {
                // Nothing was asked for, so this reports a broken connection.
                return self.served(Linger::Usual);
            }
            if ready.stop {
                shutdown = None;
                self.shut_down(Instant::now());
            }
        }
    }

    fn served(&self, linger: Linger) -> Served {
        Served { ended: self.ending.as_ref().unwrap_or(&Ending::PeerLeft).ended(), linger }
    }

    /// Does what can be done now. Returns whether the connection is over.
    fn turn(&mut self, ready: Ready, now: Instant) -> Result<bool, Ending> {
        self.transport.begin(ready, now);
        if self.ending.is_some() {
            return Ok(self.push(now)? || self.transport.is_late(now));
        }
        self.transport.receive(now)?;
        if self.is_looking() && (ready.waker || self.walk.is_none() && self.due <= now) {
            self.look(now);
        }
        if self.flush(now)? {
            self.transport.beat(now)?;
        }
        Ok(false)
    }

    /// Whether everything is sent, so that there is room for more.
    fn is_looking(&self) -> bool {
        self.ending.is_none() && self.is_told() && !self.transport.is_blocked()
    }

    fn is_told(&self) -> bool {
        self.changes.is_over() && self.listed.is_none()
    }

    fn until(&self, now: Instant) -> Option<Instant> {
        let due = Some(self.due).filter(|_| self.is_looking() && self.walk.is_none());
        // The next turn follows at once.
        let next = Some(now).filter(|_| self.ending.is_none() && !self.is_told() && !self.transport.is_blocked());
        self.transport.due(now).into_iter().chain(due).chain(next).min()
    }

    /// Looks for changes, unless another client is just doing that.
    fn look(&mut self, now: Instant) {
        self.walk = None;
        let list = match self.lists.look_up() {
            Ok(Lookup::List(list)) => Ok(list),
            Ok(Lookup::Walk(walk)) => walk.run(self.roots),
            Ok(Lookup::Wait(walk)) => {
                self.walk = Some(walk);
                return;
            }
            Err(error) => Err(error),
        };
        self.due = now + RETRY;
        if let Ok(list) = list {
            self.due = list.next_walk();
            self.changes.go_on(list, now);
        }
    }

    /// Sends events for a turn, as far as the socket accepts them. Returns whether everything is sent that was found so far.
    fn flush(&mut self, now: Instant) -> Result<bool, Ending> {
        let until = Instant::now() + TURN;
        loop {
            if !self.push(now)? {
                return Ok(false);
            }
            if self.is_told() || Instant::now() >= until {
                return Ok(true);
            }
            while self.transport.has_room() && !self.is_told() && Instant::now() < until {
                let event = match self.changes.step() {
                    FoundLogs::Gone(path) => Some(ListEvent::Gone { path }),
                    FoundLogs::Log(entry, first) => {
                        let (modified, cursor) = (seconds(&entry), first.and_then(|first| self.roots.start(&first)));
                        Some(ListEvent::File { path: entry.path, size: entry.size, modified, cursor })
                    }
                    FoundLogs::Nothing => None,
                    FoundLogs::Over => self.listed.take(),
                };
                if let Some(event) = event {
                    self.transport.send(Frame::Text(event.to_string().into_bytes()));
                }
            }
        }
    }

    fn push(&mut self, now: Instant) -> Result<bool, Ending> {
        self.transport.flush(now).map_err(|error| match error {
            SendError::Over(ending) => ending,
            SendError::Log(_) => unreachable!("no file is sent"),
        })
    }

    /// Queues the close handshake, which must be sent within `time`. Returns whether the connection is over at once.
    fn end(&mut self, ending: Ending, time: Duration, now: Instant) -> bool {
        match (&self.ending, ending) {
            (None, Ending::Closed(close)) => {
                let end = ListEvent::End { reason: close.reason.to_string() };
                let last = Frame::Text(end.to_string().into_bytes());
                self.transport.close(Some(last), &close, Some(time), now);
                self.ending = Some(Ending::Closed(close));
            }
            (None, Ending::PeerClosed) => {
                self.transport.finish(Some(time), now);
                self.ending = Some(Ending::PeerClosed);
            }
            _ => return true,
        }
        false
    }

    fn shut_down(&mut self, now: Instant) {
        if self.ending.is_some() {
            return self.transport.finish(Some(CLOSE_AT_SHUTDOWN), now);
        }
        let close = Close::new(close::GOING_AWAY, "server is going away");
        self.end(Ending::Closed(close), CLOSE_AT_SHUTDOWN, now);
    }
}
