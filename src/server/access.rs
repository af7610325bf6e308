//! Decides who may read: the request's host, the page it comes from, and the token it shows.
//! It looks at nothing but the request's head and the configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subtle::Choice;

use super::Config;
use super::http::Refusal;
use crate::error::{Error, Result};
use crate::protocol::token::Token;

/// What a request says of itself. It may hold a token, so it is printed nowhere.
#[derive(Default)]
pub(super) struct Claims {
    /// The authority of a target in absolute form, or Host; only HTTP/1.0 may have neither.
    pub host: Option<Vec<u8>>,
    pub origins: Vec<Vec<u8>>,
    pub authorizations: Vec<Vec<u8>>,
    /// The subprotocols it offers.
    pub subprotocols: Vec<Vec<u8>>,
}

/// Who may read.
#[derive(Debug)]
pub(super) struct Access {
    /// What the server speaks: `http`, or `https` when it speaks TLS itself.
    scheme: &'static str,
    tokens: Vec<Token>,
    origins: Vec<Origin>,
    any_origin: bool,
    /// This machine's name, and what else it is known by.
    hosts: Vec<Host>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

impl Access {
    /// `machine`: its own name.
    pub(super) fn new(config: &Config, scheme: &'static str, machine: &str) -> Result<Access> {
        let is_any = |origin: &&String| *origin == "*";
        let origins = config.allow_origin.iter().filter(|origin| !is_any(origin)).map(|text| {
            let bad = "it is no SCHEME://HOST or SCHEME://HOST:PORT";
            Origin::parse(text).ok_or_else(|| unusable("origin", text, bad))
        });
        let allowed = config.allow_host.iter().map(|text| {
            let bad = "it is no name, without a port, nor an address";
            Host::parse(text).ok_or_else(|| unusable("host", text, bad))
        });
        let own = [Host::parse("localhost"), Host::parse(machine)].into_iter().flatten().map(Ok);
        Ok(Access {
            scheme,
            tokens: config.tokens.clone(),
            origins: origins.collect::<Result<_>>()?,
            any_origin: config.allow_origin.iter().any(|origin| is_any(&origin)),
            hosts: own.chain(allowed).collect::<Result<_>>()?,
        })
    }

    /// What the server speaks.
    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Whether the request may be answered; `is_public`: what it asks for needs no token.
    pub(super) fn check(&self, claims: &Claims, is_public: bool) -> Result<(), Refusal> {
        let authority = claims.host.as_deref().map(|host| str::from_utf8(host).ok().and_then(parse_authority));
        if self.tokens.is_empty() {
            self.check_host(authority.as_ref())?;
        } else if !is_public {
            self.check_token(claims)?;
        }
        match claims.origins.as_slice() {
            [] => Ok(()),
            _ if self.any_origin => Ok(()),
            [origin] if self.allows(origin, authority.flatten()) => Ok(()),
            _ => Err(Refusal::new(403, "pages of that origin may not read here, unless it is allowed")),
        }
    }

    /// A page that had its own name resolved to this machine's address would be of the same origin. Where there are tokens
    /// it has none.
    fn check_host(&self, authority: Option<&Option<(Host, Option<u16>)>>) -> Result<(), Refusal> {
        match authority {
            // Only HTTP/1.0 comes as far as this without: no browser.
            None | Some(Some((Host::Ip(_), _))) => Ok(()),
            Some(Some((host, _))) if self.hosts.contains(host) => Ok(()),
            _ => Err(Refusal::new(403, "the Host is no address, nor a name that is allowed")),
        }
    }

    fn check_token(&self, claims: &Claims) -> Result<(), Refusal> {
        let shown: Vec<&[u8]> = claims.authorizations.iter().filter_map(|value| bearer(value)).collect();
        let offered: Vec<&[u8]> =
            claims.subprotocols.iter().map(Vec::as_slice).filter(|name| name.starts_with(b"bearer.")).collect();
        // Every one is compared with every token: which one it was takes no other time.
        let valid = self.tokens.iter().fold(Choice::from(0), |valid, token| {
            let shown = shown.iter().map(|shown| token.is(shown));
            let offered = offered.iter().map(|offered| token.is_subprotocol(offered));
            shown.chain(offered).fold(valid, |valid, same| valid | same)
        });
        match bool::from(valid) {
            true => Ok(()),
            false if shown.is_empty() && offered.is_empty() => {
                Err(Refusal::new(401, "a token is needed: Authorization: Bearer TOKEN"))
            }
            false => Err(Refusal::new(401, "the token is none of this server's")),
        }
    }

    fn allows(&self, origin: &[u8], authority: Option<(Host, Option<u16>)>) -> bool {
        let Some(origin) = str::from_utf8(origin).ok().and_then(Origin::parse) else { return false };
        let own = authority.map(|(host, port)| Origin::new(self.scheme, host, port));
        own.as_ref() == Some(&origin) || self.origins.contains(&origin)
    }
}

fn unusable(what: &str, text: &str, cause: &str) -> Error {
    Error::usage(format!("cannot allow the {what} `{}`: {cause}", text.escape_debug()))
}

/// The token of `Bearer TOKEN`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.trim_ascii().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii_start())
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            return Some(Host::Ip(inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Host::Ip(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (!name.is_empty() && name.bytes().all(is_name)).then(|| Host::Name(name.to_ascii_lowercase()))
    }
}

/// `HOST` or `HOST:PORT`; no user has a place in it.
fn parse_authority(text: &str) -> Option<(Host, Option<u16>)> {
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
    fn new(scheme: &str, host: Host, port: Option<u16>) -> Origin {
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Origin { scheme, host, port: port.or(usual) }
    }

    fn parse(text: &str) -> Option<Origin> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let (host, port) = parse_authority(authority)?;
        (!scheme.is_empty() && scheme.bytes().all(is_scheme)).then(|| Origin::new(scheme, host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(scheme: &'static str, config: Config) -> Access {
        Access::new(&config, scheme, "Web1").unwrap()
    }

    fn claims(host: &str, origin: Option<&str>) -> Claims {
        let origins = origin.into_iter().map(|origin| origin.as_bytes().to_vec()).collect();
        Claims { host: Some(host.into()), origins, ..Claims::default() }
    }

    fn status(access: &Access, claims: &Claims, is_public: bool) -> u16 {
        access.check(claims, is_public).map_or_else(|refusal| refusal.status(), |()| 200)
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_host_is_an_address_or_a_known_name() {
        let access = access("http", Config { allow_host: words(&["Logs.Example.com"]), ..Config::default() });
        let good = ["127.0.0.1", "10.0.0.1:8765", "[::1]", "[fe80::1]:80", "localhost", "LOCALHOST.:9", "localhost:"];
        let known = ["web1:8765", "logs.example.com", "logs.example.com:443"];
        for host in good.iter().chain(&known) {
            assert_eq!(status(&access, &claims(host, None), true), 200, "{host}");
        }
        let users = ["localhost@evil.example", "user@localhost", "user:x@127.0.0.1", "evil.example:x@localhost"];
        let evil = ["evil.example", "", ":80", "localhost.evil.example", "127.0.0.1.evil.example", "web1.evil"];
        let odd =
            ["::1", "[::1", "[::1]x", "[127.0.0.1]", "[::1]:x", "localhost:99999", "localhost/", "2130706433", "é"];
        for host in users.iter().chain(&evil).chain(&odd) {
            assert_eq!(status(&access, &claims(host, None), true), 403, "{host:?}");
        }
        assert_eq!(status(&access, &Claims::default(), false), 200, "no browser speaks HTTP/1.0 without Host");
    }

    #[test]
    fn an_origin_is_the_servers_own_or_allowed() {
        let allow_origin = words(&["https://logs.example.com", "http://other:8080", "app://viewer"]);
        let access = access("http", Config { allow_origin, ..Config::default() });
        let good = [
            ("localhost:8765", "http://localhost:8765"),
            ("LocalHost", "HTTP://localhost:80"),
            ("localhost:80", "http://localhost"),
            ("[::1]:8765", "http://[0:0:0:0:0:0:0:1]:8765"),
            ("localhost", "https://logs.example.com:443"),
            ("localhost", "http://other:8080"),
            ("localhost", "app://viewer"),
        ];
        for (host, origin) in good {
            assert_eq!(status(&access, &claims(host, Some(origin)), false), 200, "{host} {origin}");
        }
        let bad = [
            ("localhost:8765", "http://localhost"),
            ("localhost:8765", "https://localhost:8765"),
            ("localhost:8765", "http://127.0.0.1:8765"),
            ("localhost:8765", "http://evil.example"),
            ("localhost:8765", "http://localhost:8765/"),
            ("localhost:8765", "http://localhost:8765 http://evil.example"),
            ("localhost:8765", "http://evil@localhost:8765"),
            ("localhost", "null"),
            ("localhost", ""),
            ("localhost", "*"),
            ("localhost", "http://logs.example.com"),
        ];
        for (host, origin) in bad {
            assert_eq!(status(&access, &claims(host, Some(origin)), true), 403, "{host} {origin}");
        }
        let mut two = claims("localhost", Some("http://localhost"));
        two.origins.push(b"http://localhost".to_vec());
        assert_eq!(status(&access, &two, false), 403);
    }

    #[test]
    fn with_tls_the_own_origin_is_https() {
        let access = access("https", Config::default());
        assert_eq!(status(&access, &claims("localhost", Some("https://localhost:443")), false), 200);
        assert_eq!(status(&access, &claims("localhost:80", Some("http://localhost")), false), 403);
    }

    #[test]
    fn every_origin_may_be_allowed_but_no_host() {
        let access = access("http", Config { allow_origin: words(&["*"]), ..Config::default() });
        for origin in ["null", "http://evil.example"] {
            assert_eq!(status(&access, &claims("localhost", Some(origin)), false), 200, "{origin}");
        }
        assert_eq!(status(&access, &claims("evil.example", Some("http://evil.example")), false), 403);
    }

    #[test]
    fn with_tokens_one_is_needed_and_the_host_is_free() {
        let tokens = vec!["first".parse().unwrap(), "second!".parse().unwrap()];
        let access = access("http", Config { tokens, ..Config::default() });
        let with = |authorization: &str, subprotocols: &[&str]| Claims {
            authorizations: vec![authorization.into()],
            subprotocols: subprotocols.iter().map(|name| name.as_bytes().to_vec()).collect(),
            ..claims("logs.example.com", None)
        };
        for value in ["Bearer first", "bearer  second!", "BEARER first "] {
            assert_eq!(status(&access, &with(value, &[]), false), 200, "{value}");
        }
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer firs",
            "Bearer first second!",
            "Basic first",
            "Digest first",
            "first",
            "Bearer x",
        ] {
            assert_eq!(status(&access, &with(value, &[]), false), 401, "{value}");
            assert_eq!(status(&access, &with(value, &[]), true), 200, "{value}");
        }
        for (offers, expected) in [
            (&["wstail.v1", "bearer.Zmlyc3Q"][..], 200),
            (&["bearer.eA", "bearer.c2Vjb25kIQ"], 200),
            (&["bearer.Zmlyc3Q="], 401),
            (&["bearer.first"], 401),
            (&["bearer."], 401),
            (&["Bearer.Zmlyc3Q"], 401),
        ] {
            assert_eq!(status(&access, &with("", offers), false), expected, "{offers:?}");
        }
        let evil = claims("evil.example:8765", Some("null"));
        assert_eq!((status(&access, &evil, false), status(&access, &evil, true)), (401, 403));
        let evil = Claims { authorizations: vec![b"Bearer first".to_vec()], ..evil };
        assert_eq!(status(&access, &evil, false), 403, "a token opens no page's way");
    }

    #[test]
    fn what_cannot_be_allowed_is_refused() {
        for text in ["example.com", "https://example.com/", "null", "https://*.example.com", "https://", "http://x:0x"]
        {
            let config = Config { allow_origin: words(&[text]), ..Config::default() };
            assert!(Access::new(&config, "http", "x").unwrap_err().is_usage(), "{text}");
        }
        for text in ["", "*", "example.com:80", "http://example.com", "a b"] {
            let config = Config { allow_host: words(&[text]), ..Config::default() };
            assert!(Access::new(&config, "http", "x").unwrap_err().is_usage(), "{text}");
        }
    }
}
