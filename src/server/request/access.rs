//! Access control: a request is allowed or refused by its host, the origin of the page that sent it, its token, and the
//! configuration, and by nothing else. What it asks for matters only in that some pages are public.

use subtle::Choice;

use super::authority_syntax::{Host, Origin, parse_authority};
use crate::error::{Error, Result};
use crate::protocol::token::Token;
use crate::server::config::ServerConfig;
use crate::server::short_response::Refusal;

/// The parts of a request that access depends on. They may hold a token, so they are never printed.
#[derive(Default)]
pub(in crate::server) struct Claims {
    /// The authority of a target in absolute form, or Host; only HTTP/1.0 may have neither.
    pub host: Option<Vec<u8>>,
    pub origins: Vec<Vec<u8>>,
    pub authorizations: Vec<Vec<u8>>,
    /// The subprotocols it offers.
    pub subprotocols: Vec<Vec<u8>>,
}

/// The access rules.
#[derive(Debug)]
pub(in crate::server) struct Access {
    /// The server's scheme: `http`, or `https` if it speaks TLS itself.
    scheme: &'static str,
    tokens: Vec<Token>,
    origins: Vec<Origin>,
    any_origin: bool,
    hosts: Vec<Allowed>,
}

/// A host name that requests may use for the server.
#[derive(Debug)]
enum Allowed {
    Host(Host),
    /// The name and all names below it.
    Below(String),
}

impl Access {
    /// `machine` is the machine's own name.
    pub(in crate::server) fn new(config: &ServerConfig, scheme: &'static str, machine: &str) -> Result<Access> {
        let is_any = |origin: &&String| *origin == "*";
        let origins = config.allow_origin.iter().filter(|origin| !is_any(origin)).map(|text| {
            let bad = "expected SCHEME://HOST or SCHEME://HOST:PORT";
            Origin::parse(text).ok_or_else(|| unusable("origin", text, bad))
        });
        let allowed = config.allow_host.iter().map(|text| {
            let bad =
                "expected a host name or an address without a port, or `.example.com` for that name and all below it";
            Allowed::parse(text).ok_or_else(|| unusable("host", text, bad))
        });
        // Browsers resolve `*.localhost` to this machine, and mDNS calls it by its first label and `.local`.
        let label = machine.split('.').next().unwrap_or_default();
        let own = [".localhost", machine, &format!("{machine}.local"), &format!("{label}.local")];
        let own: Vec<_> = own.into_iter().filter_map(Allowed::parse).map(Ok).collect();
        Ok(Access {
            scheme,
            tokens: config.tokens.clone(),
            origins: origins.collect::<Result<_>>()?,
            any_origin: config.allow_origin.iter().any(|origin| is_any(&origin)),
            hosts: own.into_iter().chain(allowed).collect::<Result<_>>()?,
        })
    }

    /// The server's scheme.
    pub(in crate::server) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Checks whether the request may be answered. `is_public`: what it asks for needs no token.
    pub(in crate::server) fn check(&self, claims: &Claims, is_public: bool) -> Result<(), Refusal> {
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
            _ => Err(Refusal::new(403, "pages of that origin may not read the logs (see --allow-origin)")),
        }
    }

    /// Checks the Host against DNS rebinding: a page whose own name was made to resolve to this machine's address would
    /// have the server's origin. If tokens are required, such a page does not have one.
    fn check_host(&self, authority: Option<&Option<(Host, Option<u16>)>>) -> Result<(), Refusal> {
        match authority {
            // Only an HTTP/1.0 request gets here without a Host, and no browser sends that.
            None | Some(Some((Host::Ip(_), _))) => Ok(()),
            Some(Some((host, _))) if self.hosts.iter().any(|allowed| allowed.is(host)) => Ok(()),
            _ => Err(Refusal::new(
                403,
                "the Host is not an IP address, localhost, this machine's name or another allowed name (see --allow-host)",
            )),
        }
    }

    fn check_token(&self, claims: &Claims) -> Result<(), Refusal> {
        let shown: Vec<&[u8]> = claims.authorizations.iter().filter_map(|value| bearer(value)).collect();
        let offered: Vec<&[u8]> =
            claims.subprotocols.iter().map(Vec::as_slice).filter(|name| name.starts_with(b"bearer.")).collect();
        // Compare each of them with every token, so that the time does not depend on which one matches.
        let valid = self.tokens.iter().fold(Choice::from(0), |valid, token| {
            let shown = shown.iter().map(|shown| token.is(shown));
            let offered = offered.iter().map(|offered| token.is_subprotocol(offered));
            shown.chain(offered).fold(valid, |valid, same| valid | same)
        });
        match bool::from(valid) {
            true => Ok(()),
            false if shown.is_empty() && offered.is_empty() => {
                Err(Refusal::new(401, "a token is needed: Authorization: Bearer TOKEN (see --token-file)"))
            }
            false => Err(Refusal::new(401, "the token is not one of this server's (see --token-file)")),
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

impl Allowed {
    fn parse(text: &str) -> Option<Allowed> {
        match text.strip_prefix('.') {
            None => Host::parse(text).map(Allowed::Host),
            Some(above) => match Host::parse(above)? {
                Host::Name(name) => Some(Allowed::Below(name)),
                Host::Ip(_) => None,
            },
        }
    }

    fn is(&self, host: &Host) -> bool {
        match (self, host) {
            (Allowed::Host(allowed), host) => allowed == host,
            (Allowed::Below(above), Host::Name(name)) => {
                name.strip_suffix(above.as_str()).is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (Allowed::Below(_), Host::Ip(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(scheme: &'static str, config: ServerConfig) -> Access {
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
        let access =
            access("http", ServerConfig { allow_host: words(&["Logs.Example.com"]), ..ServerConfig::default() });
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
    fn a_host_has_local_names_zones_and_what_lies_below_an_allowed_name() {
        let allow_host = words(&[".example.com", "under_score.example.net."]);
        let access = access("http", ServerConfig { allow_host, ..ServerConfig::default() });
        let local = ["web1.local", "WEB1.LOCAL.:8765", "app.localhost", "a.b.localhost:80"];
        let zones = ["[fe80::1%25lo]", "[fe80::1%lo]:8765", "[fe80::1%25eth0.100]", "[fe80::1%2]"];
        let below = ["example.com", "logs.example.com:443", "a.b.Example.com.", "under_score.example.net"];
        for host in local.iter().chain(&zones).chain(&below) {
            assert_eq!(status(&access, &claims(host, None), true), 200, "{host}");
        }
        let other = ["web2.local", "x.web1.local", "notlocalhost", "badexample.com", "example.com.evil", "example.net"];
        let odd = ["[fe80::1%]", "[fe80::1%25]x", "[fe80::1%a b]", "a..example.com", ".example.com", "-.example.com"];
        for host in other.iter().chain(&odd) {
            let refusal = access.check(&claims(host, None), true).unwrap_err();
            assert!(refusal.status() == 403 && refusal.reason().contains("--allow-host"), "{host}");
        }
        let full = Access::new(&ServerConfig::default(), "http", "web1.example.com").unwrap();
        for host in ["web1.example.com", "web1.example.com.local", "web1.local"] {
            assert_eq!(status(&full, &claims(host, None), true), 200, "{host}");
        }
    }

    #[test]
    fn an_origin_is_the_servers_own_or_allowed() {
        let allow_origin = words(&["https://logs.example.com", "http://other:8080", "app://viewer"]);
        let access = access("http", ServerConfig { allow_origin, ..ServerConfig::default() });
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
        let access = access("https", ServerConfig::default());
        assert_eq!(status(&access, &claims("localhost", Some("https://localhost:443")), false), 200);
        assert_eq!(status(&access, &claims("localhost:80", Some("http://localhost")), false), 403);
    }

    #[test]
    fn every_origin_may_be_allowed_but_no_host() {
        let access = access("http", ServerConfig { allow_origin: words(&["*"]), ..ServerConfig::default() });
        for origin in ["null", "http://evil.example"] {
            assert_eq!(status(&access, &claims("localhost", Some(origin)), false), 200, "{origin}");
        }
        assert_eq!(status(&access, &claims("evil.example", Some("http://evil.example")), false), 403);
    }

    #[test]
    fn with_tokens_one_is_needed_and_the_host_is_free() {
        let tokens = vec!["first".parse().unwrap(), "second!".parse().unwrap()];
        let access = access("http", ServerConfig { tokens, ..ServerConfig::default() });
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
            let config = ServerConfig { allow_origin: words(&[text]), ..ServerConfig::default() };
            assert!(Access::new(&config, "http", "x").unwrap_err().is_usage(), "{text}");
        }
        let nonsense = ["", ".", "..", "-", "a..b", "..a", ".-", "a-.b", "*.example.com", ".127.0.0.1", "1.2.3", "é"];
        let long = ["a".repeat(64), "a.".repeat(128)];
        let others = ["*", "example.com:80", "http://example.com", "a b", "[::1%]"];
        for text in nonsense.iter().chain(&others).copied().chain(long.iter().map(String::as_str)) {
            let config = ServerConfig { allow_host: words(&[text]), ..ServerConfig::default() };
            assert!(Access::new(&config, "http", "x").unwrap_err().is_usage(), "{text}");
        }
    }
}
