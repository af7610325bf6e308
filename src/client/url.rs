//! Where a log is to be had: the address a user types, and the request it becomes.

use std::fmt::{self, Write};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::error::Error;
use crate::protocol::cursor::Place;
use crate::protocol::request::{HeartbeatKind, Lines};

/// The address of a log: `ws://HOST:PORT/LOG`, `http://…`, `wss://…`, `https://…`, or `HOST:PORT/LOG`, which is `ws://`.
///
/// What it holds that no URL may, a space or a letter beyond ASCII, is percent-encoded; `%`, `?` and `#` mean what they
/// mean in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_secure: bool,
    host: String,
    port: u16,
    path: String,
    query: Vec<(String, String)>,
}

/// What no request target holds as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'\\');

impl Url {
    /// The host's name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether TLS is to be spoken.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The port; where none is named 80, or 443 with TLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The log's name for people: its path, decoded, without the first slash.
    pub fn log(&self) -> String {
        percent_decode_str(self.path.trim_start_matches('/')).decode_utf8_lossy().into_owned()
    }

    /// Sets the parameter `tail`, whatever the address said.
    pub fn set_tail(&mut self, tail: bool) {
        self.set("tail", if tail { "1" } else { "0" }.to_owned());
    }

    /// Sets the parameter `lines`, whatever the address said.
    pub fn set_lines(&mut self, lines: Lines) {
        self.set("lines", lines.to_string());
    }

    /// Sets the parameter `heartbeat`, whatever the address said.
    pub fn set_heartbeat(&mut self, kind: HeartbeatKind) {
        self.set("heartbeat", kind.to_string());
    }

    /// Sets the parameter `cursor`, whatever the address said.
    pub fn set_cursor(&mut self, place: &Place) {
        self.set("cursor", place.to_string());
    }

    /// Takes the parameter `cursor` out of the address, where it has one that can be one.
    pub fn take_cursor(&mut self) -> Option<Place> {
        let at = self.query.iter().position(|(name, value)| name == "cursor" && value.parse::<Place>().is_ok())?;
        self.query.remove(at).1.parse().ok()
    }

    /// Whether the log is followed, and not read to its end alone.
    pub fn follows(&self) -> bool {
        self.query.iter().any(|(name, value)| name == "tail" && value == "1")
    }

    /// Whether the address names that parameter.
    pub fn names(&self, parameter: &str) -> bool {
        self.query.iter().any(|(name, _)| name == parameter)
    }

    fn set(&mut self, parameter: &str, value: String) {
        self.query.retain(|(name, _)| name != parameter);
        self.query.push((parameter.to_owned(), value));
    }

    /// The host and port as they stand in a request: `logs.example.com:8765`, `[::1]:8765`.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }

    /// The path and query as they stand in a request.
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
        if url.path.trim_matches('/').is_empty() {
            return Err(bad(text, "it names no log"));
        }
        Ok(url)
    }
}

impl Url {
    /// The address of any page of a server's, in the same spellings.
    ///
    /// # Errors
    /// A usage error where it is no such address, or names a user.
    pub fn page(text: &str) -> Result<Url, Error> {
        let bad = |cause: &str| bad(text, cause);
        let (scheme, rest) = text.split_once("://").unwrap_or(("ws", text));
        let named = text.contains("://");
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            // It may hold a password, which is for nobody's log.
            let cause = "it names a user, and there are none: who may read shows a token";
            return Err(Error::usage(format!("cannot use the URL: {cause}")));
        }
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" if cfg!(feature = "tls") => true,
            "wss" | "https" => return Err(bad("this wstail was built without the feature `tls`")),
            _ => return Err(bad("it is none of ws://, wss://, http:// and https://")),
        };
        let (host, port) = split_port(authority).ok_or_else(|| bad("its port is no number from 1 to 65535"))?;
        if host.contains(|c: char| c.is_whitespace() || c.is_control() || "[]\\\"<>^`{|}".contains(c)) {
            return Err(bad("its host is none"));
        }
        if host.is_empty() || (!named && port.is_none()) {
            return Err(bad("it has no host, or no port: HOST:PORT/LOG"));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.is_empty() { "/" } else { path };
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(name), encode(value))
        });
        let port = port.unwrap_or(if is_secure { 443 } else { 80 });
        Ok(Url { is_secure, host: host.to_owned(), port, path: encode(path), query: pairs.collect() })
    }
}

fn bad(text: &str, cause: &str) -> Error {
    if text.contains('@') {
        // Before it may stand a password, whatever else is wrong.
        return Error::usage(format!("cannot use the URL: {cause}"));
    }
    Error::usage(format!("cannot use the URL `{}`: {cause}", text.escape_debug()))
}

/// Splits `host:port`, `[::1]:port` and either without a port; `None` when the port is none.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    match port {
        None => Some((host, None)),
        Some(port) => port.parse().ok().filter(|&port| port > 0).map(|port| (host, Some(port))),
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_is_understood() {
        for text in ["ws://h:8765/a.log", "http://h:8765/a.log", "h:8765/a.log", "WS://h:8765/a.log#x"] {
            let url = url(text);
            assert_eq!((url.authority().as_str(), url.target().as_str()), ("h:8765", "/a.log"), "{text}");
        }
        assert_eq!(url("ws://[::1]:9/x").authority(), "[::1]:9");
        assert_eq!(url("ws://[::1]/x").to_string(), "ws://[::1]:80/x");
    }

    #[test]
    #[cfg(feature = "tls")]
    fn tls_has_a_port_of_its_own() {
        for text in ["wss://h/a", "HTTPS://h/a", "https://h:443/a"] {
            let url = url(text);
            assert!(url.is_secure() && url.to_string() == "wss://h:443/a", "{text}: {url}");
        }
        assert!(!url("http://h/a").is_secure());
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn without_the_feature_there_is_no_tls() {
        assert!("wss://h/a".parse::<Url>().unwrap_err().to_string().ends_with("without the feature `tls`"));
    }

    #[test]
    fn a_path_is_encoded_where_it_must_be() {
        let url = url("h:1//srv/log s/日志%20.log");
        assert_eq!(url.target(), "//srv/log%20s/%E6%97%A5%E5%BF%97%20.log");
        assert_eq!(url.log(), "srv/log s/日志 .log");
    }

    #[test]
    fn parameters_are_kept_and_set_once() {
        let mut url = url("h:1/a?lines=5&format=html");
        assert!(url.names("lines") && !url.names("tail"));
        url.set_tail(true);
        url.set_lines(Lines::All);
        assert_eq!(url.target(), "/a?format=html&tail=1&lines=all");
    }

    #[test]
    fn a_user_is_refused_and_the_password_is_not_told() {
        for text in ["ws://user:s3#cret@h/a", "ws://user:s3/cret@h/a", "ws:/user:s3cret@h/a"] {
            assert!(!Url::page(text).unwrap_err().to_string().contains("s3"), "{text}");
        }
        for text in
            ["ws://user:s3cret@h:1/a", "http://s3cret@h/a", "user:s3cret@h:1/a", "ws://s3cret@/", "x://u:s3cret@h/"]
        {
            let error = text.parse::<Url>().unwrap_err();
            let expected = "cannot use the URL: it names a user, and there are none: who may read shows a token";
            assert!(error.is_usage() && error.to_string() == expected, "{text}: {error}");
        }
        assert_eq!(url("h:1/a@b?c=d@e").target(), "/a@b?c=d@e");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "a.log",
            "h/a.log",
            "ftp://h/a",
            "ws://h:0/a",
            "ws://h:x/a",
            "ws:///a",
            "h:1/",
            "h:1",
            "ws://h o:1/a",
            "ws://[::1/a",
            "ws://[::1]8765/a",
        ] {
            let error = text.parse::<Url>().unwrap_err();
            assert!(error.is_usage() && error.to_string().contains('`'), "{text}: {error}");
        }
    }
}
