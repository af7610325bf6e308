//! The texts of the notices that `wstail tail` prints on stderr while it follows a log. When one is printed is decided in
//! `follow`.

use std::io::ErrorKind;
use std::time::Duration;

use wstail::client::{LogPattern, Url};
use wstail::select::zone::ZoneError;
use wstail::text::sanitize::escape;
use wstail::{Continuation, Error, Missing};

pub(super) const ROTATED: &str = "the log was rotated";
pub(super) const NEW: &str = "a new log";
pub(super) const NO_MATCH: &str = "no lines match";
pub(super) const EMPTY_RANGE: &str = "no lines are in this range of times";
pub(super) const UNFILTERED: &str = "the server does not speak wstail.v1: lines that do not match may come, too";
pub(super) const CUT: &str = "the list is incomplete: the server has more logs";
pub(super) const DELETED: &str = "the log was deleted";
pub(super) const TRUNCATED: &str = "the log was truncated";
pub(super) const UTF_16: &str = "the log looks like UTF-16; `-o raw` prints its bytes as they are, for iconv(1)";

pub(super) fn connected(url: &Url, continuation: Continuation) -> String {
    match continuation {
        Continuation::New if url.is_local() => format!("following {url}"),
        _ if url.is_local() => format!("following {url}: resuming at the cursor"),
        Continuation::New => format!("connected to {url}"),
        Continuation::Exact => format!("connected to {url}: resuming at the cursor"),
        _ => format!("reconnected to {url}: lines may be repeated or missing"),
    }
}

/// The times of the log are read in another zone than the server's.
pub(super) fn zone(error: &ZoneError) -> String {
    format!("times that name no zone are taken for UTC: {}", escape(&error.to_string()))
}

/// How many logs a pattern stands for at the beginning.
pub(super) fn listed(pattern: &LogPattern, count: usize) -> String {
    match count {
        0 => format!("no log matches {pattern}"),
        1 => format!("1 log matches {pattern}"),
        _ => format!("{count} logs match {pattern}"),
    }
}

/// A new log that is not followed.
pub(super) fn left_out(log: &str) -> String {
    format!("{} is left out: as many logs are followed as --max-logs allows", escape(log))
}

pub(super) fn reconnecting(url: &Url, trouble: &Error, pause: Duration) -> String {
    match trouble.io_kind() {
        Some(ErrorKind::NotFound) if url.is_local() => format!("{trouble}; waiting for it"),
        _ if url.is_local() => format!("{trouble}; trying again"),
        _ => format!("{trouble}; reconnecting in {:.2} s", pause.as_secs_f64()),
    }
}

pub(super) fn gap(reason: Missing, bytes: Option<u64>) -> String {
    let bytes = bytes.map_or("an unknown number of bytes".to_owned(), |bytes| format!("{bytes} bytes"));
    let what = match reason {
        Missing::Truncated => "the log was truncated before they were read",
        Missing::Replaced => "the log was replaced before they were read",
        Missing::Damaged => "the rest of a compressed file cannot be read: it is damaged",
        Missing::Expired => "rotated files were deleted before they were read, or cannot be read",
        _ => "the place to resume at was not found",
    };
    format!("gap: {bytes} may be missing: {what}")
}
