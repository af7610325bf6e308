//! Logs of this machine that are read without a server. They are served within this process, so everything else in this
//! room treats them as those of a server.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::pattern::LogPattern;
use super::url::Url;
use crate::error::{Error, Result, cause};
use crate::protocol::cursor::Cursor;
use crate::server::local::{LocalRoot, LocalServer};
use crate::shutdown::Shutdown;
use crate::text::sanitize;

/// Reads logs of this machine without a server: with the same [`Url`] and [`Reader`](super::Reader), the same cursors, and
/// the same care for rotations.
///
/// ```
/// use wstail::client::LocalFiles;
/// use wstail::{LogEvent, Reader};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let logs = tempfile::tempdir()?;
/// # let path = logs.path().join("app.log");
/// # std::fs::write(&path, "one\ntwo\n")?;
///
/// let (_trigger, shutdown) = wstail::shutdown()?;
/// let mut url = LocalFiles::new()?.log(&path)?;
/// url.set_lines("all".parse()?);
/// let mut text = Vec::new();
/// for event in Reader::new(url, shutdown) {
///     if let LogEvent::Data(bytes) = event? {
///         text.extend(bytes);
///     }
/// }
/// assert_eq!(text, b"one\ntwo\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LocalFiles {
    server: Arc<LocalServer>,
}

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

enum PathKind {
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

impl LocalFiles {
    /// Starts a thread that waits for the kernel to report changes. It ends with the last of the URLs and patterns that are
    /// made here. All logs share it: one value is enough for a program.
    ///
    /// # Errors
    /// When the process has no descriptor left, or the machine's time zone cannot be read.
    pub fn new() -> Result<LocalFiles> {
        Ok(LocalFiles { server: Arc::new(LocalServer::start(true)?) })
    }

    /// As [`LocalFiles::new`], but without asking the kernel to report changes: every log is polled.
    ///
    /// # Errors
    /// As [`LocalFiles::new`].
    pub fn polled() -> Result<LocalFiles> {
        Ok(LocalFiles { server: Arc::new(LocalServer::start(false)?) })
    }

    /// The address of a log by its path. It need not exist: a [`Reader`](super::Reader) that follows waits for it.
    ///
    /// # Errors
    /// A usage error when the path names no file.
    pub fn log(&self, path: impl AsRef<Path>) -> Result<Url> {
        let given = path.as_ref();
        let Some(name) = given.file_name() else { return Err(bad(given, "it names no file")) };
        Ok(Url::of_local(self.path(given, PathKind::File)?, name.as_bytes()))
    }

    /// The logs that a path stands for: those below a directory, which is one that exists or ends in a slash, or those that
    /// a glob with `*`, `?` or `[` in its path stands for. `None` if it is the path of a single log.
    ///
    /// # Errors
    /// A usage error when the path is a malformed glob.
    pub fn pattern(&self, path: impl AsRef<Path>) -> Result<Option<LogPattern>> {
        let given = path.as_ref();
        let bytes = given.as_os_str().as_bytes();
        if bytes.ends_with(b"/") && !bytes.iter().any(is_wildcard) || given.is_dir() {
            return self.directory(given, "**").map(Some);
        }
        let first = bytes.iter().position(is_wildcard);
        let Some(first) = first.filter(|_| fs::symlink_metadata(given).is_err()) else { return Ok(None) };
        let (directory, glob) = match bytes[..first].iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&bytes[..=slash], &bytes[slash + 1..]),
            None => (&b"."[..], bytes),
        };
        let glob = str::from_utf8(glob).map_err(|_| bad(given, "a pattern has to be UTF-8"))?;
        self.directory(Path::new(OsStr::from_bytes(directory)), glob).map(Some)
    }

    fn directory(&self, given: &Path, glob: &str) -> Result<LogPattern> {
        let hidden = glob.split('/').any(|segment| segment.starts_with('.'));
        let path = self.path(given, PathKind::Directory { hidden, root: Mutex::default() })?;
        LogPattern::below(Url::of_local(path, b""), glob)
    }

    fn path(&self, given: &Path, kind: PathKind) -> Result<LocalPath> {
        let absolute = std::path::absolute(given).map_err(|error| bad(given, &cause(&error)))?;
        // A path is compared without its last slashes.
        let (given, absolute) = (given.components().collect(), absolute.components().collect());
        Ok(LocalPath { inner: Arc::new(Inner { server: self.server.clone(), given, absolute, kind }) })
    }
}

impl LocalPath {
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

/// The time, in nanoseconds since the epoch, by the clock that the kernel takes a file's creation time from: it goes by ticks.
pub(super) fn now() -> i64 {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

fn is_wildcard(byte: &u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[')
}

fn bad(path: &Path, cause: &str) -> Error {
    Error::usage(format!("cannot use the path `{}`: {cause}", sanitize::escape(&path.to_string_lossy())))
}
