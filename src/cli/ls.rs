//! `wstail ls`: lists the logs of a server, or those that `serve` would serve. It sorts and filters nothing: the server does.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use argh::{ArgsInfo, FromArgValue, FromArgs};
use tz::{DateTime, TimeZone};
use wstail::client::{self, ClientConfig, LogFile, LogList, Url};
use wstail::select::zone;
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::json::write_string;
use super::trust::client_config;
use super::values::path;
use super::{Exit, print_error, print_line, tokens};

/// List the logs of a server, the most recently written first.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "ls", help_triggers("-h", "--help"))]
pub(super) struct Ls {
    /// a server, or a path as given to `serve`
    #[argh(positional, arg_name = "HOST[:PORT]", from_str_fn(path))]
    server: PathBuf,

    /// text, or json (one object per line) [default: text]
    #[argh(option, short = 'o', arg_name = "FORM", default = "ListFormat::Text")]
    output: ListFormat,

    /// file with the server's token (else $WSTAIL_TOKEN)
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    token_file: Option<PathBuf>,

    /// trusted certificates (PEM) [default: the system's]
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    ca_file: Option<PathBuf>,

    /// do not check the server's certificate (unsafe)
    #[argh(switch)]
    insecure: bool,
}

/// How a listing is printed.
#[derive(Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(super) enum ListFormat {
    Text,
    Json,
}

impl Ls {
    pub(super) fn run(self) -> Result<Exit> {
        let text = self.server.to_string_lossy();
        if is_local(&self.server) {
            return print(&local(&self.server)?, self.output);
        }
        let url = Url::page(&text)?;
        let token = tokens::load(self.token_file.as_deref())?.into_iter().next();
        let config = client_config(token, self.ca_file.as_deref(), self.insecure)?;
        list(&url, &config, self.output)
    }
}

/// Lists the logs of the server at `url`. A signal ends it at once.
pub(super) fn list(url: &Url, config: &ClientConfig, form: ListFormat) -> Result<Exit> {
    let (_trigger, shutdown) = wstail::shutdown().map_err(|error| Error::io("cannot start", error))?;
    print(&client::list(url, config, &shutdown)?, form)
}

/// Whether the text is meant as a local path, or is one.
pub(super) fn is_local(server: &Path) -> bool {
    let begins = |prefix| server.as_os_str().as_encoded_bytes().starts_with(prefix);
    let is_path =
        [&b"/"[..], b"./", b"../"].into_iter().any(begins) || server == Path::new(".") || server == Path::new("..");
    is_path || fs::symlink_metadata(server).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn local(_path: &Path) -> Result<LogList> {
    Err(super::needs_linux("`wstail ls` of a local path"))
}

#[cfg(target_os = "linux")]
fn local(path: &Path) -> Result<LogList> {
    use wstail::follow::root::Roots;
    let listing = Roots::open([path], false)?.list();
    let listing = listing.map_err(|error| Error::io(format!("cannot list `{}`", path.display()), error))?;
    let mut logs = LogList::default();
    logs.is_cut = listing.is_cut;
    logs.files.extend(listing.entries.into_iter().map(|entry| {
        let modified = entry.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        LogFile::new(entry.path, entry.size, modified)
    }));
    Ok(logs)
}

fn print(listing: &LogList, form: ListFormat) -> Result<Exit> {
    if listing.is_cut {
        print_error(&"the list is incomplete: the server has more logs");
    }
    let text = match form {
        ListFormat::Text => columns(&listing.files, &zone::local()),
        ListFormat::Json => objects(&listing.files),
    };
    if text.is_empty() { Ok(Exit::Done) } else { print_line(text.trim_end_matches('\n')) }
}

fn columns(files: &[LogFile], zone: &TimeZone) -> String {
    let width = files.iter().map(|file| file.size.to_string().len()).max().unwrap_or(0);
    let mut text = String::new();
    for LogFile { path, size, modified, .. } in files {
        let _ = writeln!(text, "{size:>width$}  {}  {}", local_time(*modified, zone), escape(path));
    }
    text
}

fn objects(files: &[LogFile]) -> String {
    let mut text = Vec::new();
    for LogFile { path, size, modified, .. } in files {
        text.extend_from_slice(b"{\"path\":");
        write_string(&mut text, path);
        text.extend_from_slice(format!(",\"size\":{size},\"modified\":{modified}}}\n").as_bytes());
    }
    String::from_utf8(text).expect("it is made of text")
}

/// `2026-11-23 01:32:27`
fn local_time(seconds: u64, zone: &TimeZone) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    match DateTime::from_timespec(seconds, 0, zone.as_ref()) {
        Ok(time) => {
            let (year, month, day) = (time.year(), time.month(), time.month_day());
            format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
        }
        Err(_) => format!("@{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_bytes_local_time_and_path() {
        let files = [LogFile::new("sub/a b.log", 1234, 1_795_397_547), LogFile::new("\u{9b}2J", 5, 0)];
        let zone = TimeZone::from_posix_tz("CET-1").unwrap();
        assert_eq!(columns(&files, &zone), {
            "1234  2026-11-23 02:32:27  sub/a b.log\n   5  1970-01-01 01:00:00  \\x9b2J\n"
        });
        assert_eq!(local_time(u64::MAX, &zone), format!("@{}", i64::MAX));
    }
}
