//! Hosts and origins as requests and options write them, and which of them are the same. Names are compared, not
//! resolved. [`super::access`] decides who may read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Ip(IpAddr),
    Name(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

impl Host {
    pub(super) fn parse(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            return Some(Host::Ip(parse_ipv6(inner.strip_suffix(']')?)?.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Host::Ip(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        is_name(name).then(|| Host::Name(name.to_ascii_lowercase()))
    }
}

/// Whether it is a host name according to RFC 1123, with underscores allowed.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // A name that ends in a number is taken for an address everywhere.
    let is_number = text.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

/// An address, perhaps with a zone: `fe80::1%25eth0` according to RFC 6874, or `fe80::1%eth0` as people write it.
fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let is_zone = !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    address.parse().ok().filter(|_| is_zone)
}

/// `HOST` or `HOST:PORT`, without a user.
pub(super) fn parse_authority(text: &str) -> Option<(Host, Option<u16>)> {
    let end = text.find(']').map_or(0, |end| end + 1);
    let (host, port) = match text[end..].find(':') {
        Some(colon) => (&text[..end + colon], &text[end + colon + 1..]),
        None => (text, ""),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
    Some((Host::parse(host)?, port))
}

impl Origin {
    pub(super) fn new(scheme: &str, host: Host, port: Option<u16>) -> Origin {
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Origin { scheme, host, port: port.or(usual) }
    }

    pub(super) fn parse(text: &str) -> Option<Origin> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let (host, port) = parse_authority(authority)?;
        (!scheme.is_empty() && scheme.bytes().all(is_scheme)).then(|| Origin::new(scheme, host, port))
    }
}
