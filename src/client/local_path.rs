//! A path of this machine, and the way to its logs. They are served within this process, so everything else in this room
//! treats them as those of a server.
//! Outside Linux `absent` is in its place.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::system::uname;
use rustix::time::{ClockId, clock_gettime};

use crate::error::{Error, Result};
use crate::protocol::cursor::Cursor;
use crate::server::local::{LocalRoot, LocalServer};
use crate::shutdown::Shutdown;
use crate::text::sanitize;

/// A path on this machine, and the way to what is there.
#[derive(Clone)]
pub(super) struct LocalPath {
    inner: Arc<Inner>,
}

struct Inner {
    server: Arc<LocalServer>,
    /// As it was given, without slashes at its end.
    given: PathBuf,
    absolute: PathBuf,
    kind: PathKind,
}

pub(super) enum PathKind {
    File,
    Directory {
        /// What it hides can be read, too.
        hidden: bool,
        /// Set when it was opened. What is found out about its logs is shared by all connections.
        root: Mutex<Option<LocalRoot>>,
    },
}

/// The longest pause before a path is tried again that exists, but cannot be opened.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl PathKind {
    /// With `hidden`, what it hides can be read, too.
    pub(super) fn directory(hidden: bool) -> PathKind {
        PathKind::Directory { hidden, root: Mutex::default() }
    }
}

impl LocalPath {
    /// # Errors
    /// When the path is empty, or the current directory is gone.
    pub(super) fn new(server: &Arc<LocalServer>, given: &Path, kind: PathKind) -> io::Result<LocalPath> {
        // A path is compared without its last slashes.
        let absolute = std::path::absolute(given)?.components().collect();
        let given = given.components().collect();
        Ok(LocalPath { inner: Arc::new(Inner { server: server.clone(), given, absolute, kind }) })
    }

    /// Connects to what serves the path within this process.
    ///
    /// # Errors
    /// When the path cannot be opened: see [`Error::io_kind`].
    pub(super) fn connect(&self) -> Result<TcpStream> {
        let failed = |error| Error::io(format!("cannot open `{self}`"), error);
        self.root().and_then(|root| self.inner.server.connect(&root)).map_err(failed)
    }

    fn root(&self) -> io::Result<LocalRoot> {
        let Inner { server, absolute, kind, .. } = &*self.inner;
        let is_directory = absolute.metadata()?.is_dir();
        match kind {
            // It is opened anew for each connection, because it may have become a link, or have ceased to be one.
            PathKind::File if is_directory => Err(io::ErrorKind::IsADirectory.into()),
            PathKind::File => server.open(absolute, false),
            PathKind::Directory { .. } if !is_directory => Err(io::ErrorKind::NotADirectory.into()),
            PathKind::Directory { hidden, root } => {
                let mut root = root.lock().unwrap_or_else(PoisonError::into_inner);
                let opened = match &*root {
                    Some(opened) => opened.clone(),
                    None => server.open(absolute, *hidden)?,
                };
                Ok(root.insert(opened).clone())
            }
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.inner.kind, PathKind::File)
    }

    /// The name of this machine.
    pub(super) fn machine(&self) -> String {
        uname().nodename().to_string_lossy().into_owned()
    }

    /// Waits before the path is tried again: until there is something, or for a while if it cannot be opened.
    pub(super) fn pause(&self, time: Duration, shutdown: &Shutdown) {
        let Inner { server, absolute, .. } = &*self.inner;
        match absolute.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => server.wait_for(absolute, shutdown),
            _ => drop(shutdown.sleep(time.min(LONGEST_PAUSE))),
        }
    }

    /// The place before the first byte that was written to the file after a time at which there was none.
    pub(super) fn start_after(&self, time: i64) -> Option<Cursor> {
        let name = self.inner.absolute.file_name()?.as_bytes();
        self.inner.server.start_after(&self.root().ok()?, name, time)
    }

    /// The absolute path of a log, which is the file itself, or lies below the directory.
    pub(super) fn absolute(&self, log: &str) -> PathBuf {
        match self.inner.kind {
            PathKind::File => self.inner.absolute.clone(),
            PathKind::Directory { .. } => self.inner.absolute.join(log),
        }
    }

    /// Writes the path of a log as the user would.
    pub(super) fn write(&self, log: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner.kind {
            PathKind::File => write!(f, "{self}"),
            PathKind::Directory { .. } => {
                let path = self.to_string();
                write!(f, "{}/{}", path.trim_end_matches('/'), sanitize::escape(log))
            }
        }
    }
}

/// The path as it was given, escaped.
impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitize::escape(&self.inner.given.to_string_lossy()))
    }
}

impl fmt::Debug for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalPath").field(&self.inner.given).finish()
    }
}

impl PartialEq for LocalPath {
    fn eq(&self, other: &LocalPath) -> bool {
        self.inner.absolute == other.inner.absolute
    }
}

impl Eq for LocalPath {}

/// Whether there is something of that name, but not what is asked for: another try would find the same.
pub(super) fn is_something_else(error: &Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, Other};
    matches!(error.io_kind(), Some(IsADirectory | NotADirectory | Other))
}

/// The time, in nanoseconds since the epoch, by the clock that the kernel takes a file's creation time from: it goes by ticks.
pub(super) fn now() -> i64 {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}
