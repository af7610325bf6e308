//! Waits for a path that leads nowhere to lead somewhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use super::route::RouteId;
use super::waker::Waker;
use super::watcher::Watcher;

/// A watch on the route to a path, as far as it exists.
#[derive(Debug)]
pub(crate) struct PathWatch {
    watcher: Arc<Watcher>,
    path: PathBuf,
    waker: Arc<Waker>,
    route: Option<RouteId>,
}

impl PathWatch {
    /// `path` is absolute.
    pub(crate) fn new(watcher: Arc<Watcher>, path: PathBuf) -> io::Result<PathWatch> {
        let waker = Arc::new(Waker::new()?);
        // As long as a log is waited for, mounts are noticed, too.
        watcher.count(true);
        Ok(PathWatch { watcher, path, waker, route: None })
    }

    /// Watches the route. Call this before looking whether there is anything. Returns whether every change to the route
    /// will be reported.
    pub(crate) fn follow(&mut self) -> bool {
        self.waker.clear();
        self.route = self.watcher.follow_path((&self.path, &Arc::default()), &self.waker, self.route);
        self.route.is_some_and(|route| self.watcher.watches().routes.is_covered(route))
    }
}

impl Drop for PathWatch {
    fn drop(&mut self) {
        if let Some(route) = self.route.take() {
            self.watcher.leave(route, &self.waker);
        }
        self.watcher.count(false);
    }
}

/// Readable when something on the route has changed.
impl AsFd for PathWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }
}
