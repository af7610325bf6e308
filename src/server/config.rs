//! The configuration of a server: every field with its default, and the values that are refused before anything is
//! bound.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::protocol::DEFAULT_PORT;
use crate::protocol::request::{Format, Lines};
use crate::protocol::token::Token;
use crate::select::zone::ZoneName;
use crate::tls::Acceptor;

/// What a server serves, and how. Start from [`ServerConfig::new`] and set the fields that should differ.
///
/// All times are from 1 ms to ten years, except where 0 is mentioned; [`Server::bind`](super::Server::bind) refuses others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Directories whose regular files may be read, and single files; at least one. When a path leads to another directory
    /// later, that one is served: to followers at once, or within [`poll`](ServerConfig::poll) where the kernel does not
    /// report it. Default: none.
    pub roots: Vec<PathBuf>,
    /// Addresses and host names to listen on; `::` for IPv4 and IPv6. A host name stands for each of its addresses that can
    /// be bound. Default: `127.0.0.1`.
    pub hosts: Vec<String>,
    /// The port to listen on; 0 picks a free one. Default: 8765.
    pub port: u16,
    /// How many lines are sent first when a client does not ask for a number. Default: 1000.
    pub lines: Lines,
    /// The time between two heartbeats. Default: 10 s.
    pub heartbeat: Duration,
    /// How long a client may take to answer a heartbeat before the server closes its connection. Default: 5 s.
    pub heartbeat_timeout: Duration,
    /// How often a file is checked where the kernel does not report changes. Where it does, a silent file is checked
    /// every 10 s, or at this interval if it is longer. Default: 250 ms.
    pub poll: Duration,
    /// Whether to ask the kernel to report changes, through inotify(7), so that lines are sent at once. Network file
    /// systems, FUSE and the like do not report all changes, so their logs are always polled. Default: yes.
    pub notify: bool,
    /// How long a rotated file is still read for late writes; 0 to stop at once. One second of silence is enough if its
    /// writer was seen to close it. Default: 5 s.
    pub rotate_wait: Duration,
    /// The format for plain connections that do not ask for one. Default: text.
    pub format: Format,
    /// How many connections are served at a time; further clients get 503. Default: 1024.
    pub max_connections: usize,
    /// How many connections may come from one IPv4 address or one IPv6 /64; `None` for no limit. Default: `None`.
    pub max_connections_per_ip: Option<usize>,
    /// How many connections with a filter may look through old bytes of logs at a time; the others take turns. Streams
    /// without a filter, and those that have reached the end of their log, do not count. `None` for half of the cores, but
    /// at least 1. Default: `None`.
    pub max_scans: Option<NonZeroUsize>,
    /// The zone of times that name none, in logs and in the parameters `since` and `until`, unless a client names another
    /// one. Default: the machine's.
    pub zone: ZoneName,
    /// Origins whose pages may read logs, besides the server's own: `https://example.com`, or `*` for all. Default:
    /// none.
    pub allow_origin: Vec<String>,
    /// Host names, without ports, that clients without a token may use, besides IP addresses, `localhost`,
    /// `*.localhost`, and this machine's own name, also with `.local`. `.example.com` means that name and all names
    /// below it. Default: none.
    pub allow_host: Vec<String>,
    /// The accepted tokens: a client must send one of them. Without any, the server is open to everyone who can reach
    /// it. Default: none.
    pub tokens: Vec<Token>,
    /// PEM file with the server's certificate, followed by those that lead to its root. With it, all connections use
    /// TLS. It needs [`tls_key`](ServerConfig::tls_key). Default: none.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key: PKCS #8, PKCS #1 or SEC 1, without a pass phrase. Default: none.
    pub tls_key: Option<PathBuf>,
    /// The path below which everything is served, for a reverse proxy that passes it on. Default: `/`.
    pub base_path: String,
    /// How long a client may go without accepting a byte before the server closes its connection; `None` for no limit.
    /// Default: 60 s.
    pub stall_timeout: Option<Duration>,
    /// Whether names that begin with a dot are served, too. Default: no.
    pub hidden: bool,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            roots: Vec::new(),
            hosts: vec!["127.0.0.1".to_owned()],
            port: DEFAULT_PORT,
            lines: Lines::Last(1000),
            heartbeat: Duration::from_secs(10),
            heartbeat_timeout: Duration::from_secs(5),
            poll: Duration::from_millis(250),
            notify: true,
            rotate_wait: Duration::from_secs(5),
            format: Format::Text,
            max_connections: 1024,
            max_connections_per_ip: None,
            max_scans: None,
            zone: ZoneName::Local,
            allow_origin: Vec::new(),
            allow_host: Vec::new(),
            tokens: Vec::new(),
            tls_cert: None,
            tls_key: None,
            base_path: "/".to_owned(),
            stall_timeout: Some(Duration::from_secs(60)),
            hidden: false,
        }
    }
}

impl ServerConfig {
    /// Serves these directories and single files, with the default of every other field.
    pub fn new<P: Into<PathBuf>>(roots: impl IntoIterator<Item = P>) -> ServerConfig {
        ServerConfig { roots: roots.into_iter().map(Into::into).collect(), ..ServerConfig::default() }
    }

    pub(super) const LONGEST: Duration = Duration::from_secs(315_360_000);

    pub(super) fn check(&self) -> Result<()> {
        let times = [
            ("heartbeat", self.heartbeat),
            ("heartbeat timeout", self.heartbeat_timeout),
            ("poll", self.poll),
            ("rotate wait", self.rotate_wait.max(Duration::from_millis(1))),
            ("stall timeout", self.stall_timeout.unwrap_or(Duration::from_secs(1))),
        ];
        let allowed = Duration::from_millis(1)..=ServerConfig::LONGEST;
        match times.iter().find(|(_, time)| !allowed.contains(time)) {
            Some((name, _)) => {
                Err(Error::usage(format!("cannot serve: the {name} must be 1 ms or more, and at most ten years")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn acceptor(&self) -> Result<Option<Acceptor>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Acceptor::load(cert, key).map(Some),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::usage("cannot serve TLS: no key was given (see --tls-key)")),
            (None, Some(_)) => Err(Error::usage("cannot serve TLS: no certificate was given (see --tls-cert)")),
        }
    }
}
