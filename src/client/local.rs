//! Paths of this machine as users write them, whose logs are read without a server. `local_path` is the way to what is there.
//! Outside Linux `absent` is in its place.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::local_path::{LocalPath, PathKind};
use super::pattern::LogPattern;
use super::url::Url;
use crate::error::{Error, Result, cause};
use crate::server::local::LocalServer;
use crate::text::sanitize;

/// Reads logs of this machine without a server: with the same [`Url`] and [`Reader`](super::Reader), the same cursors, and
/// the same care for rotations. It needs Linux: elsewhere [`LocalFiles::new`] fails.
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
        let path = self.path(given, PathKind::directory(hidden))?;
        LogPattern::below(Url::of_local(path, b""), glob)
    }

    fn path(&self, given: &Path, kind: PathKind) -> Result<LocalPath> {
        LocalPath::new(&self.server, given, kind).map_err(|error| bad(given, &cause(&error)))
    }
}

fn is_wildcard(byte: &u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[')
}

fn bad(path: &Path, cause: &str) -> Error {
    Error::usage(format!("cannot use the path `{}`: {cause}", sanitize::escape(&path.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The directory and the glob of a pattern, or the log.
    fn meant(path: &Path) -> String {
        let local = LocalFiles::polled().unwrap();
        match local.pattern(path).unwrap() {
            Some(pattern) => {
                let glob = pattern.locate(|base, glob| Ok(format!("{} {glob}", base.place()))).unwrap();
                format!("{pattern} = {glob}")
            }
            None => local.log(path).unwrap().to_string(),
        }
    }

    #[test]
    fn a_path_is_a_file_a_directory_or_a_glob() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().to_str().unwrap();
        fs::write(directory.path().join("a*b"), "").unwrap();
        let meant = |path: &str| meant(&directory.path().join(path)).replace(top, "/top");
        assert_eq!(meant("app.log"), "/top/app.log");
        assert_eq!(meant("a*b"), "/top/a*b", "there is such a file");
        assert_eq!(meant("a*c"), "/top/a*c = /top a*c");
        assert_eq!(meant(""), "/top/** = /top **");
        assert_eq!(meant("missing/"), "/top/missing/** = /top/missing **");
        assert_eq!(meant("x/y?/[z]/100%.log"), "/top/x/y?/[z]/100%.log = /top/x y?/[z]/100%.log");
        assert_eq!(meant("x*/"), "/top/x*/** = /top x*/**");
    }

    #[test]
    fn what_names_no_file_is_refused() {
        let local = LocalFiles::polled().unwrap();
        assert!(local.log("..").unwrap_err().is_usage());
        let bad = local.pattern("./[/x").unwrap_err();
        assert_eq!(bad.to_string(), "cannot use the path `./[/x`: a `[` is not closed");
    }

    #[test]
    fn a_log_has_a_name_and_an_absolute_path() {
        let local = LocalFiles::polled().unwrap();
        let url = local.log("./logs/a%20b.log").unwrap();
        assert_eq!((url.log(), url.to_string()), ("a%20b.log".to_owned(), "./logs/a%20b.log".to_owned()));
        let absolute = std::env::current_dir().unwrap().join("logs/a%20b.log");
        assert_eq!(
            (url.local_path(), url.unique_name()),
            (Some(absolute.clone()), absolute.to_string_lossy().into_owned())
        );
        assert!(url.is_local() && url == local.log(&absolute).unwrap() && url != local.log("./logs/b.log").unwrap());
    }
}
