//! Which server a URL names: its scheme, host and port.

use percent_encoding::percent_decode_str;

use crate::protocol::DEFAULT_PORT;
use crate::text::sanitize::is_invisible;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub is_secure: bool,
    pub host: String,
    /// The interface of a link-local IPv6 address.
    pub zone: Option<String>,
    pub port: u16,
}

impl Authority {
    /// Parses `HOST[:PORT]`. Without a scheme it is that of `ws` with a port of its own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(scheme: Option<&str>, text: &str) -> Result<Authority, &'static str> {
        let is_secure = match scheme.unwrap_or("ws").to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" if cfg!(feature = "tls") => true,
            "wss" | "https" => return Err("this wstail was built without the feature `tls`"),
            _ => return Err("expected ws://, wss://, http:// or https://"),
        };
        let (host, port) = split_port(text)?;
        let (host, zone) = split_zone(host).ok_or("its IPv6 zone is not the name of an interface")?;
        if host.contains(|c: char| c.is_whitespace() || is_invisible(c) || "[]\\\"<>^`{|}".contains(c)) {
            return Err("it has no valid host");
        }
        if host.is_empty() {
            return Err("it has no host: HOST[:PORT]/LOG");
        }
        let port = port.unwrap_or(match is_secure {
            _ if scheme.is_none() => DEFAULT_PORT,
            true => 443,
            false => 80,
        });
        Ok(Authority { is_secure, host: host.to_owned(), zone, port })
    }

    /// As a request names it, without the zone.
    pub(super) fn requested(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }

    /// As it is shown, with the zone.
    pub(super) fn place(&self) -> String {
        match &self.zone {
            Some(zone) => format!("[{}%{zone}]:{}", self.host, self.port),
            None => self.requested(),
        }
    }
}

/// Splits `host:port`, `[::1]:port` and either without a port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    const BAD_PORT: &str = "its port is not a number from 1 to 65535";
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or(BAD_PORT)?)),
        None if authority.matches(':').count() > 1 => return Err("an IPv6 address needs brackets: [::1]:8765"),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    match port {
        None => Ok((host, None)),
        Some(port) => port.parse().ok().filter(|&port| port > 0).map(|port| (host, Some(port))).ok_or(BAD_PORT),
    }
}

/// Splits an IPv6 address from its zone, `fe80::1%25eth0` as a URL has it (RFC 6874) or `fe80::1%eth0` as people write it;
/// `None` if the zone is malformed.
fn split_zone(host: &str) -> Option<(&str, Option<String>)> {
    let Some((address, zone)) = host.split_once('%').filter(|(address, _)| address.contains(':')) else {
        return Some((host, None));
    };
    let zone = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
    let zone = percent_decode_str(zone).decode_utf8().ok()?.into_owned();
    let is_bad = |c: char| c.is_whitespace() || is_invisible(c) || matches!(c, '/' | '%' | '[' | ']');
    (!zone.is_empty() && !zone.contains(is_bad)).then_some((address, Some(zone)))
}
