//! One reader's registration with the [watcher](super::watcher): which file and which route it waits for, and whether
//! every change to them is reported.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::route::RouteId;
use super::waker::Waker;
use super::watcher::{Watcher, is_local};
use crate::follow::arrivals::{Arrival, Count, NameCount};
use crate::follow::follower::Follower;
use crate::follow::position::Identity;

/// One reader's registration with the watcher: for at most one file and one route at a time.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: Arc<Watcher>,
    pub(super) waker: Option<Arc<Waker>>,
    watched: Option<Watched>,
    route: Option<RouteId>,
    /// Counts the files that are given the log's name.
    names: Option<Arc<dyn NameCount>>,
}

#[derive(Debug)]
struct Watched {
    descriptor: i32,
    file: Identity,
    /// Every change to the file is reported, as far as is known: see [`is_local`].
    is_local: bool,
    /// Every write is reported.
    is_listening: bool,
}

impl Watch {
    pub(crate) fn new(watcher: Arc<Watcher>) -> Watch {
        Watch { watcher, waker: None, watched: None, route: None, names: None }
    }

    /// Watches the open file and the route to the log, unless both are watched already. Returns whether they were: if
    /// not, changes made until now may have gone unreported.
    pub(crate) fn follow(&mut self, follower: &Follower) -> bool {
        let is_watched = self.follow_file(follower);
        self.follow_route(follower) && is_watched
    }

    fn follow_route(&mut self, follower: &Follower) -> bool {
        if self.route.is_some_and(|route| self.watcher.watches().routes.is_current(route)) {
            return true;
        }
        let Some(waker) = &self.waker else { return false };
        let route = self.watcher.trace(waker, |show| follower.log().trace(show)).unwrap_or_else(|error| {
            self.watcher.complain(&error);
            None
        });
        if route.is_some() {
            self.watcher.count(true);
        }
        // Leave the old route only now, so that directories on both routes stay watched.
        self.leave_route();
        self.route = route;
        let names = |route| -> Arc<dyn NameCount> { Arc::new(RouteNames { watcher: self.watcher.clone(), route }) };
        self.names = self.route.map(names);
        false
    }

    fn follow_file(&mut self, follower: &Follower) -> bool {
        let is_listening = self.watched(follower).map(|watched| watched.is_listening);
        if is_listening == Some(true) {
            return true;
        }
        if is_listening.is_some() && self.listen(follower, true) {
            return false;
        }
        self.leave();
        if let Err(error) = self.begin(follower) {
            self.watcher.complain(&error);
        }
        false
    }

    /// Stops the reports of writes while the reader polls anyway: each report costs the writer time, and the server,
    /// too.
    pub(crate) fn rest(&mut self, follower: &Follower) {
        if self.watched(follower).is_some_and(|watched| watched.is_listening) {
            self.listen(follower, false);
        }
    }

    fn begin(&mut self, follower: &Follower) -> io::Result<()> {
        let waker = match &self.waker {
            Some(waker) => waker,
            None => self.waker.insert(Arc::new(Waker::new()?)),
        };
        let descriptor = self.watcher.add(follower.file().raw().as_fd(), waker)?;
        let (file, is_local) = (follower.identity(), is_local(follower.file().raw()));
        self.watched = Some(Watched { descriptor, file, is_local, is_listening: true });
        Ok(())
    }

    /// Turns reports of writes on or off for the watched file. Returns whether that worked.
    fn listen(&mut self, follower: &Follower, more: bool) -> bool {
        let Some(watched) = &mut self.watched else { return false };
        let is_done = self.watcher.listen(follower.file().raw().as_fd(), watched.descriptor, more).is_ok();
        if is_done {
            watched.is_listening = more;
        }
        is_done
    }

    fn leave(&mut self) {
        if let (Some(watched), Some(waker)) = (self.watched.take(), &self.waker) {
            self.watcher.remove(watched.descriptor, watched.is_listening, waker);
        }
    }

    fn leave_route(&mut self) {
        if let (Some(route), Some(waker)) = (self.route.take(), &self.waker) {
            self.watcher.leave(route, waker);
            self.watcher.count(false);
        }
    }

    /// The watch on the follower's open file.
    fn watched(&self, follower: &Follower) -> Option<&Watched> {
        let is_lost = self.waker.as_ref().is_none_or(|waker| waker.is_lost());
        self.watched.as_ref().filter(|watched| !is_lost && watched.file == follower.identity())
    }

    /// Whether everything that can happen to the log next will be reported.
    pub(crate) fn reports_all(&self, follower: &Follower) -> bool {
        let watched = self.watched(follower).filter(|watched| watched.is_listening && watched.is_local);
        let is_covered = |route| self.watcher.watches().routes.is_covered(route);
        watched.is_some() && follower.is_settled() && self.route.is_some_and(is_covered)
    }

    /// Readable when something has happened.
    pub(crate) fn waker(&self) -> Option<BorrowedFd<'_>> {
        self.waker.as_ref().map(|waker| waker.as_fd())
    }

    /// Resets the waker. Call this before polling the log: the poll then finds whatever happened before.
    pub(crate) fn clear(&self, follower: &mut Follower) {
        let Some(waker) = &self.waker else { return };
        follower.count_names(self.names.clone());
        waker.clear();
        if self.watched(follower).is_some()
            && let Some(is_closed) = waker.take_closed()
        {
            follower.writer_closed(is_closed);
        }
    }
}

/// Counts the files that are given the name at the end of a route.
#[derive(Debug)]
struct RouteNames {
    watcher: Arc<Watcher>,
    route: RouteId,
}

impl NameCount for RouteNames {
    fn count(&self) -> Option<Count> {
        self.watcher.pass_on_all().ok()?;
        self.watcher.watches().routes.arrivals(self.route)
    }

    fn departed(&self, since: u32) -> Option<Vec<Arrival>> {
        self.watcher.pass_on_all().ok()?;
        self.watcher.watches().routes.departed(self.route, since)
    }

    fn was_renamed(&self, number: u32) -> bool {
        self.watcher.watches().routes.was_renamed(self.route, number)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave();
        self.leave_route();
    }
}
