//! The routes from `/` to the roots. They are watched once for all readers, so that a root whose path leads elsewhere
//! is noticed at once.
//!
//! Where a route goes from one directory into the next, the next one is watched, and only for being moved or deleted
//! itself. Whatever else comes and goes above a root (think of `/tmp`) wakes no one. A directory is watched for the
//! name that is looked up in it only if that name is a link, a file or missing.
//!
//! Only an empty directory can be deleted, and the kernel does not report that while the root is held open. A root is
//! therefore watched for names that leave it, and once it is empty, the directory above it is watched for its name.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{self, Mode, OFlags};

use super::route::{ITSELF, RouteId};
use super::waker::Waker;
use super::watcher::Watcher;
use crate::follow::confinement::{ANY_NAME, Directory};
use crate::follow::root::Roots;

/// The routes to all roots, as far as they could be followed.
#[derive(Debug)]
pub(crate) struct RootRoutes {
    watcher: Arc<Watcher>,
    routes: Vec<Option<RouteId>>,
}

/// How many times to follow a route that is a different one each time.
const TRIES: usize = 4;
const FINDING: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl RootRoutes {
    pub(crate) fn new(watcher: Arc<Watcher>) -> RootRoutes {
        RootRoutes { watcher, routes: Vec::new() }
    }

    /// Watches every route whose watches are missing or out of date. Returns whether everything that can happen to the
    /// routes will be reported, except mounts.
    pub(crate) fn follow(&mut self, roots: &Roots) -> bool {
        self.routes.resize(roots.roots.len(), None);
        for (root, route) in roots.roots.iter().zip(&mut self.routes) {
            *route = self.watcher.follow_path((&root.path, &root.walks), &self.watcher.notice, *route);
        }
        let watches = self.watcher.watches();
        self.routes.iter().all(|route| route.is_some_and(|route| watches.routes.is_covered(route)))
    }

    pub(crate) fn leave(&mut self) {
        for route in self.routes.drain(..).flatten() {
            self.watcher.leave(route, &self.watcher.notice);
        }
    }
}

/// An absolute path, and whether paths are walked: see [`Directory::open`].
type WalkedPath<'p> = (&'p Path, &'p Arc<AtomicBool>);

impl Watcher {
    /// Follows the route to a root until it is the same twice in a row: only then was it watched before it was
    /// followed. The waker is woken when the route changes.
    pub(super) fn follow_path(
        &self,
        path: WalkedPath<'_>,
        waker: &Arc<Waker>,
        mut route: Option<RouteId>,
    ) -> Option<RouteId> {
        if route.is_some_and(|route| self.watches().routes.is_current(route)) {
            return route;
        }
        for _ in 0..TRIES {
            let next = self.trace(waker, |show| trace(path, show)).unwrap_or_else(|error| {
                log::debug!("cannot watch the path of a root, polling it instead: {error}");
                None
            });
            let is_same = next == route;
            // Leave the old route only now, so that whatever is on both routes stays watched.
            if let Some(route) = route {
                self.leave(route, waker);
            }
            route = next;
            if is_same {
                return route;
            }
        }
        if let Some(route) = route {
            self.watches().routes.uncover(route);
        }
        route
    }
}

/// Calls `show` with each directory to watch, and the name to watch for.
fn trace(
    (path, walks): WalkedPath<'_>,
    show: &mut dyn FnMut(BorrowedFd<'_>, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let top = Path::new("/");
    let top = Directory::open(top, &[top], walks)?;
    let segments: Vec<_> = path.as_os_str().as_bytes().split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
    // The last directory, and the directory and name under which it was found.
    let (mut last, mut above) = (None, None);
    let traced = top.trace(&segments, |directory, name| {
        match fs::openat(directory, OsStr::from_bytes(name), FINDING, Mode::empty()) {
            Ok(found) => {
                show(found.as_fd(), ITSELF)?;
                (last, above) = (Some(found), Some((directory.try_clone_to_owned()?, name.to_vec())));
                Ok(())
            }
            Err(_) => show(directory, name),
        }
    });
    if traced.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
        return traced;
    }
    let last = last.as_ref().map_or(top.as_fd(), AsFd::as_fd);
    show(last, ANY_NAME)?;
    if let Some((directory, name)) = above.filter(|_| is_empty(last)) {
        show(directory.as_fd(), &name)?;
    }
    traced
}

/// Whether the directory could be deleted. A directory that cannot be read cannot be watched, either.
fn is_empty(directory: BorrowedFd<'_>) -> bool {
    let opened = fs::openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let entries = opened.and_then(fs::Dir::new);
    let is_name = |name: &[u8]| !matches!(name, b"." | b"..");
    entries.is_ok_and(|entries| !entries.flatten().any(|entry| is_name(entry.file_name().to_bytes())))
}
