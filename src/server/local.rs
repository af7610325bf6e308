//! Serves logs to this process itself: each connection is a pair of sockets, and a thread serves one end of it as it would
//! serve a client of a network. So a log of this machine is read as one of a server is. There is no listener, no token and
//! no limit, and nothing is logged: whoever reads is told of everything.
//!
//! All connections share one inotify instance, and one thread that waits for it.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::config::ServerConfig;
use super::listing::Lists;
use super::notifier::{self, NewRoots};
use super::report::Reports;
use super::report::rate_limited_log::RateLimitedLog;
use super::request::access::Access;
use super::request::base::Base;
use super::request::session;
use super::scans::Scans;
use super::shared::Shared;
use crate::error::{Error, Result, cause};
use crate::follow::root::Roots;
use crate::protocol::address::Address;
use crate::protocol::cursor::Cursor;
use crate::select::zone::Zone;
use crate::shutdown::{Shutdown, Trigger, shutdown};
use crate::socket;
use crate::wait::{Interest, wait};
use crate::wake::path_watch::PathWatch;
use crate::wake::watcher::Watcher;

/// What all connections share. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct LocalServer {
    config: ServerConfig,
    watcher: Option<Arc<Watcher>>,
    new: Arc<NewRoots>,
    scans: Arc<Scans>,
    zone: Arc<Zone>,
    shutdown: Shutdown,
    trigger: Option<Trigger>,
    /// Started late, so that a program can set up its signals first.
    notifier: OnceLock<Option<JoinHandle<()>>>,
}

/// A directory, or a file, whose logs can be read.
#[derive(Clone, Debug)]
pub(crate) struct LocalRoot(Arc<Shared>);

/// How often to look for a path where the kernel does not report everything that may lead to it.
const PATH_POLL: Duration = Duration::from_millis(250);

impl LocalServer {
    /// With `notify`, a thread waits for changes as soon as there are roots. Otherwise logs are polled.
    ///
    /// # Errors
    /// When the process has no descriptor left, or the machine's zone cannot be read.
    pub(crate) fn start(notify: bool) -> Result<LocalServer> {
        let failed = |error| Error::io("cannot read local files", error);
        let (trigger, shutdown) = shutdown().map_err(failed)?;
        // A client that prints to a terminal may be stopped for a day. It is still there.
        let patience = ServerConfig::LONGEST;
        let config =
            ServerConfig { stall_timeout: None, heartbeat_timeout: patience, notify, ..ServerConfig::default() };
        let zone = config.zone.load();
        let zone = zone.map_err(|error| Error::failed(format!("cannot read local files: {error}")))?;
        let watcher = if notify { notifier::watcher() } else { None };
        let (new, notifier) = Default::default();
        let (scans, zone, trigger) = (Arc::new(Scans::new(None)), Arc::new(zone), Some(trigger));
        Ok(LocalServer { config, watcher, new, scans, zone, shutdown, trigger, notifier })
    }

    /// Opens a directory, or a single file. With `hidden`, what a directory hides can be read, too.
    ///
    /// # Errors
    /// As the system reports them.
    pub(crate) fn open(&self, path: &Path, hidden: bool) -> io::Result<LocalRoot> {
        let roots = Arc::new(Roots::open_one(path, hidden)?);
        if let Some(watcher) = &self.watcher {
            self.new.add(&roots);
            self.start_notifier(watcher);
            watcher.note_roots();
        }
        let broken = |error: Error| io::Error::other(error.to_string());
        let base = Base::parse(&self.config.base_path).map_err(broken)?;
        let access = Access::new(&self.config, "http", "localhost").map_err(broken)?;
        Ok(LocalRoot(Arc::new(Shared {
            config: self.config.clone(),
            access,
            acceptor: None,
            base,
            roots,
            watcher: self.watcher.clone(),
            reports: Reports { own_log: Arc::new(RateLimitedLog::silent()), ..Reports::default() },
            lists: Lists::default(),
            scans: self.scans.clone(),
            zone: self.zone.clone(),
        })))
    }

    fn start_notifier(&self, watcher: &Arc<Watcher>) {
        let start = || notifier::start(watcher, self.new.clone(), self.config.poll, self.shutdown.clone());
        self.notifier.get_or_init(start);
    }

    /// Begins a connection. Its thread ends when the other end is closed.
    ///
    /// # Errors
    /// When the process has no descriptor or no thread left.
    pub(crate) fn connect(&self, root: &LocalRoot) -> io::Result<TcpStream> {
        let (near, far) = socket::pair()?;
        let (shared, shutdown) = (root.0.clone(), self.shutdown.clone());
        let builder = thread::Builder::new().name("local".to_owned()).stack_size(session::STACK);
        builder.spawn(move || {
            if let Err(error) = session::serve_pair(&far, &shared, &shutdown) {
                log::debug!("a connection within this process was lost: {}", cause(&error));
            }
        })?;
        Ok(near)
    }

    /// See [`Roots::start_after`]. `name` is the name of a root that is a file.
    pub(crate) fn start_after(&self, root: &LocalRoot, name: &[u8], time: i64) -> Option<Cursor> {
        root.0.roots.start_after(&Address::of(vec![name.to_vec()])?, time)
    }

    /// Waits until an absolute path leads to anything, but not longer than until `shutdown` is triggered.
    pub(crate) fn wait_for(&self, path: &Path, shutdown: &Shutdown) {
        let watch = self.watcher.as_ref().map(|watcher| {
            self.start_notifier(watcher);
            PathWatch::new(watcher.clone(), path.to_owned())
        });
        let mut watch = watch.and_then(Result::ok);
        loop {
            let is_covered = watch.as_mut().is_some_and(PathWatch::follow);
            let is_missing = path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if !is_missing || shutdown.is_triggered() {
                return;
            }
            let until = (!is_covered).then(|| Instant::now() + PATH_POLL);
            match &watch {
                Some(watch) => {
                    let interest = Interest { read: true, write: false };
                    if wait(watch.as_fd(), interest, Some(shutdown), until).is_err() {
                        shutdown.sleep(PATH_POLL);
                    }
                }
                None => drop(shutdown.sleep(PATH_POLL)),
            }
        }
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.trigger = None;
        self.notifier.take().flatten().into_iter().for_each(|thread| drop(thread.join()));
    }
}
