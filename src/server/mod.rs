//! Serves logs: the listener, the request head, and one loop a connection.

mod access;
mod base;
mod body;
mod complaints;
mod connection;
mod events;
mod files;
mod heartbeat;
mod http;
mod listener;
mod lookout;
mod messages;
mod metrics;
mod notifier;
mod outlet;
mod process;
mod quota;
mod secure;
mod session;
mod viewer;
mod websocket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::system::uname;

use self::access::Access;
use self::base::Base;
use self::complaints::Complaints;
use self::metrics::Metrics;
use crate::error::{Error, Result};
use crate::follow::root::Roots;
use crate::follow::watch::Watcher;
use crate::protocol::DEFAULT_PORT;
use crate::protocol::request::{Format, Lines};
use crate::protocol::token::Token;
use crate::shutdown::Shutdown;
use crate::tls::Acceptor;

/// What a server serves, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directories whose regular files may be read, or single files. At least one is needed.
    pub roots: Vec<PathBuf>,
    /// Addresses to listen on; `::` for both families. Default: `127.0.0.1`.
    pub hosts: Vec<String>,
    /// The port to listen on; 0 picks a free one. Default: 8765.
    pub port: u16,
    /// Lines sent first when a client names none. Default: 1000.
    pub lines: Lines,
    /// The time between two heartbeats, from 1 ms to ten years, as all times here. Default: 10 s.
    pub heartbeat: Duration,
    /// How long the answer to a heartbeat may take. Default: 5 s.
    pub heartbeat_timeout: Duration,
    /// The longest time between two looks at a file. Where the kernel tells of all changes a silent file is looked at
    /// every 10 s only, or as rarely as this if that is longer. Default: 250 ms.
    pub poll: Duration,
    /// Whether the kernel is asked, by inotify(7), to tell of changes, so that lines come at once. It does not tell of all
    /// on network file systems, FUSE and the like, nor when a symbolic link is switched. Default: yes.
    pub notify: bool,
    /// How long a rotated file is still read for late writes, from zero, for not at all; one second of silence is enough
    /// once a writer was seen to close it. Default: 5 s.
    pub rotate_wait: Duration,
    /// What plain connections get when they name no format. Default: text.
    pub format: Format,
    /// How many connections are served at a time; beyond it a client gets 503. Default: 1024.
    pub max_connections: usize,
    /// How many of them may come from one address, IPv6 addresses being one where their first 64 bits are; `None` for as
    /// many as there are places. Default: `None`.
    pub max_connections_per_ip: Option<usize>,
    /// Origins whose pages may read, beside the server's own: `https://example.com`, `*` for all. Default: none.
    pub allow_origin: Vec<String>,
    /// Names, without ports, by which clients may ask when there are no tokens, beside addresses, `localhost` and this
    /// machine's own name. Default: none.
    pub allow_host: Vec<String>,
    /// One of these must be shown by who wants to read, if there are any. Default: none.
    pub tokens: Vec<Token>,
    /// The server's certificate, PEM, with those that lead to its root behind it; with it all speak TLS. Default: none.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM: PKCS #8, PKCS #1 or SEC 1, without a pass phrase. Default: none.
    pub tls_key: Option<PathBuf>,
    /// The path beneath which the service answers. Default: `/`.
    pub base_path: String,
    /// How long a client may take no byte; `None` for as long as it likes. Default: 60 s.
    pub stall_timeout: Option<Duration>,
    /// Whether names that begin with a dot are served, too. Default: no.
    pub hidden: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
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

impl Config {
    const LONGEST: Duration = Duration::from_secs(315_360_000);

    fn check(&self) -> Result<()> {
        let times = [
            ("heartbeat", self.heartbeat),
            ("heartbeat timeout", self.heartbeat_timeout),
            ("poll", self.poll),
            ("rotate wait", self.rotate_wait.max(Duration::from_millis(1))),
            ("stall timeout", self.stall_timeout.unwrap_or(Duration::from_secs(1))),
        ];
        let allowed = Duration::from_millis(1)..=Config::LONGEST;
        match times.iter().find(|(_, time)| !allowed.contains(time)) {
            Some((name, _)) => {
                Err(Error::usage(format!("cannot serve: the {name} must be 1 ms or more, and at most ten years")))
            }
            None => Ok(()),
        }
    }

    fn acceptor(&self) -> Result<Option<Acceptor>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Acceptor::load(cert, key).map(Some),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::usage("cannot serve TLS: there is a certificate, but no key")),
            (None, Some(_)) => Err(Error::usage("cannot serve TLS: there is a key, but no certificate")),
        }
    }
}

/// A server that is bound to its addresses: who connects from now on will be answered.
#[derive(Debug)]
pub struct Server {
    listener: listener::Listener,
}

/// What every connection shares.
#[derive(Debug)]
struct Shared {
    config: Config,
    access: Access,
    /// None when HTTP is spoken as it is.
    acceptor: Option<Acceptor>,
    base: Base,
    roots: Roots,
    /// None when files are polled.
    watcher: Option<Arc<Watcher>>,
    metrics: Arc<Metrics>,
    complaints: Arc<Complaints>,
    /// Held by who lists the logs.
    listing: Mutex<()>,
}

impl Server {
    /// Opens the roots and binds the addresses.
    ///
    /// # Errors
    /// A usage error ([`crate::Error::is_usage`]) when a root does not exist, a time is out of range, an origin, a host or
    /// the base path is none, or certificate and key are not usable, or not both there; another when an address cannot be listened on.
    pub fn bind(config: Config) -> Result<Server> {
        config.check()?;
        let acceptor = config.acceptor()?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let access = Access::new(&config, scheme, &uname().nodename().to_string_lossy())?;
        let base = Base::parse(&config.base_path)?;
        let roots = Roots::open(&config.roots, config.hidden)?;
        let watcher = if config.notify { notifier::watcher() } else { None };
        let shared = Arc::new(Shared {
            config,
            access,
            acceptor,
            base,
            roots,
            watcher,
            metrics: Arc::default(),
            complaints: Arc::default(),
            listing: Mutex::default(),
        });
        let is_open = shared.config.tokens.is_empty();
        let listener = listener::Listener::bind(shared)?;
        let beyond = listener.addresses().iter().find(|address| !address.ip().to_canonical().is_loopback());
        if let Some(address) = beyond.filter(|_| is_open) {
            log::warn!("{address} is open to others and no token is asked for: WHOEVER REACHES IT CAN READ THE LOGS");
        }
        Ok(Server { listener })
    }

    /// The addresses it listens on, with the real port.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.listener.addresses()
    }

    /// What it speaks: `http`, or `https` with a certificate.
    pub fn scheme(&self) -> &'static str {
        self.listener.shared().access.scheme()
    }

    /// Serves until the order to stop is given. Then every client is told (close code 1001), and the threads are joined as
    /// they end; that takes 2.5 s at most.
    ///
    /// # Errors
    /// When the process has no descriptor left to begin with.
    pub fn run(self, shutdown: &Shutdown) -> Result<()> {
        self.listener.run(shutdown)
    }
}

/// The target and the length of a request head: the way in for `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn parse_head(arrived: &[u8]) -> Option<(String, usize)> {
    http::parse(arrived).ok().flatten().map(|(head, length)| (head.target, length))
}
