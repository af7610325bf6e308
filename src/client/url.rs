//! The address of a log as a user types it, and the request it becomes.

use std::fmt::{self, Write};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};

use super::authority::Authority;
use super::local_path::LocalPath;
use crate::error::Error;
use crate::protocol::criteria::{self, Criteria};
use crate::protocol::cursor::{Cursor, Place};
use crate::protocol::glob::Glob;
use crate::protocol::request::{HeartbeatKind, Lines, Parameters};
use crate::shutdown::Shutdown;

/// The address of a log: `ws://HOST[:PORT]/LOG`, the same with `http`, `wss` or `https`, or `HOST[:PORT]/LOG`. Without a
/// scheme it is `ws` with the default port 8765; with one, the default port is 80, or 443 with TLS.
///
/// Characters that a URL may not hold, such as a space or a letter beyond ASCII, are percent-encoded; `%`, `?` and `#` mean
/// what they mean in a URL. It is parsed from a string; an error is a usage error ([`Error::is_usage`]), and says what is
/// wrong without repeating a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    origin: Origin,
    /// What the origin is called instead of by its own name.
    name: Option<String>,
    path: String,
    query: Vec<(String, String)>,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Server(Authority),
    /// On this machine, where it is read without a server.
    Local(LocalPath),
}

/// Characters that must be encoded in a request target.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'\\');

/// Characters that mean themselves in a path, whatever they are: all but these are encoded.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Url {
    /// The host name or address, without brackets and zone; `localhost` if the log is read without a server.
    pub fn host(&self) -> &str {
        self.authority_if_any().map_or("localhost", |authority| &authority.host)
    }

    /// The zone of an IPv6 address: the interface to reach it by.
    pub fn zone(&self) -> Option<&str> {
        self.authority_if_any()?.zone.as_deref()
    }

    /// Whether the connection is TLS: `wss` or `https`.
    pub fn is_secure(&self) -> bool {
        self.authority_if_any().is_some_and(|authority| authority.is_secure)
    }

    /// The port, or the default one if the text has none; 0 if the log is read without a server.
    pub fn port(&self) -> u16 {
        self.authority_if_any().map_or(0, |authority| authority.port)
    }

    /// Whether the log is a file of this machine, and is read without a server: see [`LocalFiles`](super::LocalFiles).
    pub fn is_local(&self) -> bool {
        self.authority_if_any().is_none()
    }

    /// Whether the log was named by its own path on this machine, not as one of those below a directory.
    pub(super) fn is_file(&self) -> bool {
        matches!(&self.origin, Origin::Local(path) if path.is_file())
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    fn authority_if_any(&self) -> Option<&Authority> {
        match &self.origin {
            Origin::Server(authority) => Some(authority),
            Origin::Local(_) => None,
        }
    }

    /// The address of what is below a local path, by a name that is not percent-encoded.
    pub(super) fn of_local(path: LocalPath, name: &[u8]) -> Url {
        let name = percent_encode(name, IN_PATH);
        Url { origin: Origin::Local(path), name: None, path: format!("/{name}"), query: Vec::new() }
    }

    /// Sets what the server is called, or this machine, beside other ones.
    pub fn set_name(&mut self, name: String) {
        self.name = Some(name);
    }

    /// What the server is called beside other ones: the name that was set, or its host and port, or the name of this machine.
    pub fn server_name(&self) -> String {
        match (&self.name, &self.origin) {
            (Some(name), _) => name.clone(),
            (None, Origin::Server(authority)) => authority.place(),
            (None, Origin::Local(path)) => path.machine(),
        }
    }

    /// Whether a name was set: see [`Url::set_name`].
    pub fn is_named(&self) -> bool {
        self.name.is_some()
    }

    /// A name for the log that no other log has, for people and programs: `HOST:PORT/PATH`, or an absolute path.
    pub fn unique_name(&self) -> String {
        match &self.origin {
            Origin::Server(authority) => format!("{}/{}", authority.place(), self.log()),
            Origin::Local(path) => path.absolute(&self.log()).to_string_lossy().into_owned(),
        }
    }

    /// The absolute path of a log that is read without a server.
    pub fn local_path(&self) -> Option<PathBuf> {
        match &self.origin {
            Origin::Server(_) => None,
            Origin::Local(path) => Some(path.absolute(&self.log())),
        }
    }

    /// The log's name for people: its path, percent-decoded, without leading slashes. Escape it before printing it.
    pub fn log(&self) -> String {
        percent_decode_str(self.path.trim_start_matches('/')).decode_utf8_lossy().into_owned()
    }

    /// Sets the parameter `tail`: follow the log (`true`), or end at its end.
    pub fn set_tail(&mut self, tail: bool) {
        self.set("tail", if tail { "1" } else { "0" }.to_owned());
    }

    /// Sets the parameter `lines`: how many of the last lines come first. Removes `from`.
    pub fn set_lines(&mut self, lines: Lines) {
        self.remove("from");
        self.set("lines", lines.to_string());
    }

    /// The parameter `lines`; `None` if there is none, or it is malformed.
    pub fn lines(&self) -> Option<Lines> {
        self.query.iter().find(|(name, _)| name == "lines")?.1.parse().ok()
    }

    /// Sets the parameter `from`: the number of the line that comes first, counted from 1. Removes `lines`.
    pub fn set_from(&mut self, line: u64) {
        self.remove("lines");
        self.set("from", line.to_string());
    }

    /// Sets the parameter `heartbeat`: which ping the server sends on a plain connection.
    pub fn set_heartbeat(&mut self, kind: HeartbeatKind) {
        self.set("heartbeat", kind.to_string());
    }

    /// Sets the parameter `cursor`: the place to resume after. Removes `from`.
    pub fn set_cursor(&mut self, place: &Place) {
        self.remove("from");
        self.set("cursor", place.to_string());
    }

    /// Removes the parameter `cursor` and returns it; `None` when there is none, or it is malformed.
    pub fn take_cursor(&mut self) -> Option<Place> {
        let at = self.query.iter().position(|(name, value)| name == "cursor" && value.parse::<Place>().is_ok())?;
        self.query.remove(at).1.parse().ok()
    }

    /// Sets the parameters of a filter: which lines the server sends. Removes those that the query had.
    ///
    /// ```
    /// use wstail::{Criteria, Url};
    ///
    /// let mut criteria = Criteria::default();
    /// criteria.grep.push("timeout|refused".to_owned());
    /// criteria.exclude.push("GET /health".to_owned());
    ///
    /// let mut url: Url = "logs.example.com/app.log?tail=1".parse()?;
    /// url.set_criteria(&criteria);
    /// assert_eq!(url.criteria()?, criteria);
    /// # Ok::<(), wstail::Error>(())
    /// ```
    pub fn set_criteria(&mut self, criteria: &Criteria) {
        self.query.retain(|(name, _)| !criteria::PARAMETERS.contains(&name.as_str()));
        self.query.extend(pairs(&criteria.to_string()));
    }

    /// The filter that the parameters in the query ask for.
    ///
    /// # Errors
    /// A usage error if one of them is malformed or repeated. The server would refuse it, too.
    pub fn criteria(&self) -> Result<Criteria, Error> {
        let of_filter = self.query.iter().filter(|(name, _)| criteria::PARAMETERS.contains(&name.as_str()));
        let pairs: Vec<_> = of_filter.map(|(name, value)| format!("{name}={value}")).collect();
        let parsed = Parameters::parse(&pairs.join("&")).map(|parameters| parameters.criteria);
        parsed.map_err(|error| Error::usage(format!("cannot use the URL `{self}`: {error}")))
    }

    /// Sets the parameter `since`: the stream begins with the first entry of that time or later. The server reads the time,
    /// by its own clock.
    pub fn set_since(&mut self, time: &str) {
        self.set("since", criteria::encoded(time));
    }

    /// Whether there is a parameter `since`.
    pub fn has_since(&self) -> bool {
        self.query.iter().any(|(name, _)| name == "since")
    }

    /// Sets the parameter `until`: the stream ends before the first entry of that time or later. With `+` and a duration the
    /// time is counted from `since`.
    pub fn set_until(&mut self, time: &str) {
        self.set("until", criteria::encoded(time));
    }

    /// Sets the parameter `zone`: what times without a zone mean, in the log and in `since` and `until`.
    pub fn set_zone(&mut self, zone: &str) {
        self.set("zone", criteria::encoded(zone));
    }

    /// Sets the parameter `history`: whether rotated files belong to the log.
    pub fn set_history(&mut self, history: bool) {
        self.set("history", if history { "1" } else { "0" }.to_owned());
    }

    /// Sets the parameter `max`: the stream ends after so many matching lines.
    pub(super) fn set_max(&mut self, max: NonZeroU64) {
        self.set("max", max.to_string());
    }

    /// Whether the log is followed: `tail=1`.
    pub fn follows(&self) -> bool {
        self.query.iter().any(|(name, value)| name == "tail" && value == "1")
    }

    /// Whether the query has a parameter of that name.
    pub fn names(&self, parameter: &str) -> bool {
        self.query.iter().any(|(name, _)| name == parameter)
    }

    fn remove(&mut self, parameter: &str) {
        self.query.retain(|(name, _)| name != parameter);
    }

    fn set(&mut self, parameter: &str, value: String) {
        self.remove(parameter);
        self.query.push((parameter.to_owned(), value));
    }

    /// Whether the path names a log, and is not just the server's root.
    pub fn names_log(&self) -> bool {
        !self.path.trim_matches('/').is_empty()
    }

    /// The host and port as a request names them: `logs.example.com:8765`, `[::1]:8765`.
    pub fn authority(&self) -> String {
        self.authority_if_any().map_or_else(|| "localhost".to_owned(), Authority::requested)
    }

    /// The host and port to show, with the zone: `[fe80::1%eth0]:8765`. If there is no server, the path that was given.
    pub fn place(&self) -> String {
        match &self.origin {
            Origin::Server(authority) => authority.place(),
            Origin::Local(path) => path.to_string(),
        }
    }

    /// The address of a page below this one, without parameters.
    pub(super) fn beneath(&self, page: &str) -> Url {
        let path = format!("{}/{page}", self.path.trim_end_matches('/'));
        Url { path, query: Vec::new(), ..self.clone() }
    }

    /// The address of the list of logs of the server below this one, or of those that a glob stands for.
    pub(super) fn list(&self, glob: Option<&Glob>) -> Url {
        let mut url = self.beneath("-/files");
        if let Some(glob) = glob {
            url.set("match", utf8_percent_encode(&glob.to_string(), IN_PATH).to_string());
        }
        url
    }

    /// The address of a log of the server below this one, by its path in the list. The query stays.
    pub fn of_log(&self, path: &str) -> Url {
        let path = format!("{}/{}", self.path.trim_end_matches('/'), utf8_percent_encode(path, IN_PATH));
        Url { path, ..self.clone() }
    }

    /// The address below this one, by a name that is percent-encoded already. The query stays.
    pub(super) fn of_encoded(&self, name: &str) -> Url {
        Url { path: format!("{}/{}", self.path.trim_end_matches('/'), encode(name)), ..self.clone() }
    }

    /// Waits before another try: for that time, or, if there is no such path on this machine, until there is.
    pub(super) fn pause(&self, time: Duration, shutdown: &Shutdown) {
        match &self.origin {
            Origin::Server(_) => drop(shutdown.sleep(time)),
            Origin::Local(path) => path.pause(time, shutdown),
        }
    }

    /// The place before the first byte that was written to a file of this machine after a time at which there was none. `None`
    /// if the request asks for another beginning.
    pub(super) fn start_after(&self, time: i64) -> Option<Cursor> {
        match &self.origin {
            Origin::Local(path) if path.is_file() && !self.names("from") && !self.has_since() => path.start_after(time),
            _ => None,
        }
    }

    /// The path and query as sent in a request.
    pub(super) fn target(&self) -> String {
        let mut target = self.path.clone();
        for (number, (name, value)) in self.query.iter().enumerate() {
            let _ = write!(target, "{}{name}={value}", if number == 0 { '?' } else { '&' });
        }
        target
    }
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Url, Error> {
        let url = Url::page(text)?;
        if !url.names_log() {
            return Err(bad(text, "it names no log"));
        }
        Ok(url)
    }
}

impl Url {
    /// Parses the address of any page of a server, including its root; parsing a `Url` from a string requires a log.
    ///
    /// # Errors
    /// A usage error when it is not such an address, names a user, or needs TLS in a build without the feature `tls`.
    pub fn page(text: &str) -> Result<Url, Error> {
        let bad = |cause: &str| bad(text, cause);
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            // The text may hold a password, which must not be logged.
            let cause = "it names a user, which is not supported: use --token-file";
            return Err(Error::usage(format!("cannot use the URL: {cause}")));
        }
        let authority = Authority::parse(scheme, authority).map_err(bad)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Url { origin: Origin::Server(authority), name: None, path: encode(path), query: pairs(query).collect() })
    }
}

/// The parameters of a query, as names and values, with those characters encoded that a URL may not hold.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (encode(name), encode(value))
    })
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn bad(text: &str, cause: &str) -> Error {
    if text.contains('@') {
        // Whatever else is wrong, a password may precede it.
        return Error::usage(format!("cannot use the URL: {cause}"));
    }
    Error::usage(format!("cannot use the URL `{}`: {cause}", text.escape_debug()))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Server(authority) => {
                let scheme = if authority.is_secure { "wss" } else { "ws" };
                write!(f, "{scheme}://{}{}", authority.place(), self.path)
            }
            Origin::Local(path) => path.write(&self.log(), f),
        }
    }
}

#[cfg(test)]
mod tests;
