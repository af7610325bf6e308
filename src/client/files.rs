//! The logs of a server: `GET /-/files`. It parses the list; what is printed of it is the caller's part.

use serde_json::Value;

use super::ClientConfig;
use super::connect;
use super::url::Url;
use crate::error::{Error, Result};
use crate::protocol::cursor::Cursor;
use crate::shutdown::Shutdown;

/// A log in a server's list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFile {
    /// Its path relative to the server's base path, not percent-encoded. A server chooses it: escape it before printing it.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to, in seconds since 1970-01-01 00:00 UTC.
    pub modified: u64,
    /// If a live list reports it as new: the place before its first byte, also if it was rotated since.
    pub start: Option<Cursor>,
}

impl LogFile {
    /// A log with these fields.
    pub fn new(path: impl Into<String>, size: u64, modified: u64) -> LogFile {
        LogFile { path: path.into(), size, modified, start: None }
    }
}

/// The logs of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogList {
    /// Newest first.
    pub files: Vec<LogFile>,
    /// Whether the server has more logs than it lists: it stops after 65,536 names.
    pub is_cut: bool,
}

/// Lists the logs of a server. `url` is the server's base path, from [`Url::page`]: `HOST[:PORT]` or `HOST[:PORT]/BASE`.
/// Each address of the host has 5 s to answer, and the list 60 s to arrive.
///
/// # Errors
/// When no address answers in time ([`Error::is_timeout`]), the server's certificate is not trusted
/// ([`Error::is_untrusted`]), the server refuses ([`Error::status`]), or its answer is not a list of logs.
pub fn list(url: &Url, config: &ClientConfig, shutdown: &Shutdown) -> Result<LogList> {
    let url = url.list(None);
    let what = || format!("cannot list the logs of {}", url.place());
    let page = connect::page(&url, config, what, shutdown)?;
    let not_a_list = || Error::failed(format!("{}: the answer is not a list of logs", what()));
    let answer: Value = serde_json::from_slice(&page).map_err(|_| not_a_list())?;
    let files = answer["files"].as_array().ok_or_else(not_a_list)?;
    let file = |file: &Value| {
        let (path, size) = (file["path"].as_str()?, file["size"].as_u64()?);
        Some(LogFile::new(path, size, file["modified"].as_u64()?))
    };
    let files = files.iter().map(file).collect::<Option<_>>().ok_or_else(not_a_list)?;
    Ok(LogList { files, is_cut: answer["cut"] == Value::Bool(true) })
}
