//! Replaces the reading of local files outside Linux: every use of it fails with a one-line error.

use std::convert::Infallible;
use std::path::Path;

use super::pattern::LogPattern;
use super::url::Url;
use crate::error::{Error, Result};

/// Reads logs of this machine without a server. It needs Linux; here it cannot be made.
#[derive(Clone, Debug)]
pub struct LocalFiles(Infallible);

fn refuse<T>() -> Result<T> {
    Err(Error::usage("cannot read local files: this needs Linux; the logs of a server can be read here, too"))
}

impl LocalFiles {
    /// Fails: this needs Linux.
    ///
    /// # Errors
    /// A usage error.
    pub fn new() -> Result<LocalFiles> {
        refuse()
    }

    /// As [`LocalFiles::new`].
    ///
    /// # Errors
    /// A usage error.
    pub fn polled() -> Result<LocalFiles> {
        refuse()
    }

    /// The address of a log by its path.
    ///
    /// # Errors
    /// A usage error when the path names no file.
    pub fn log(&self, _path: impl AsRef<Path>) -> Result<Url> {
        match self.0 {}
    }

    /// The logs that a path stands for.
    ///
    /// # Errors
    /// A usage error when the path is a malformed glob.
    pub fn pattern(&self, _path: impl AsRef<Path>) -> Result<Option<LogPattern>> {
        match self.0 {}
    }
}
