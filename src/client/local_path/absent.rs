//! Replaces paths of this machine outside Linux, where there are none that can be read.

use std::convert::Infallible;
use std::fmt;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::protocol::cursor::Cursor;
use crate::shutdown::Shutdown;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalPath(Infallible);

impl LocalPath {
    pub(super) fn connect(&self) -> Result<TcpStream> {
        match self.0 {}
    }

    pub(super) fn is_file(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn machine(&self) -> String {
        match self.0 {}
    }

    pub(super) fn pause(&self, _time: Duration, _shutdown: &Shutdown) {
        match self.0 {}
    }

    pub(super) fn start_after(&self, _time: i64) -> Option<Cursor> {
        match self.0 {}
    }

    pub(super) fn absolute(&self, _log: &str) -> PathBuf {
        match self.0 {}
    }

    pub(super) fn write(&self, _log: &str, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

pub(super) fn is_something_else(_error: &Error) -> bool {
    false
}

/// Nothing compares this time with that of a file.
pub(super) fn now() -> i64 {
    0
}
