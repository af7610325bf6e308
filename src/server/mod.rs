//! Serves logs: a listener, and for each connection one thread with one loop and one wait.
//!
//! * `accept`: the addresses to listen on, the limits, and the 503 beyond them; knows no logs
//! * `request`: the request head, access, routes, and answers sent as a whole
//! * `stream`: one log on its way to one client; knows no HTTP requests
//! * `report`: metrics, and the server's own log
//! * `viewer`: the page for browsers
//! * `scans`: how many connections may look through old bytes at a time
//! * `listing` and `list_changes`: the list of logs, and what changes in it
//! * `notifier`: the thread that wakes connections when logs change
//! * `local`: serves logs to this process itself, without a listener

mod accept;
mod config;
mod gzip;
mod handle;
mod list_changes;
mod listing;
pub(crate) mod local;
mod notifier;
mod report;
mod request;
mod scans;
mod shared;
mod short_response;
mod stream;
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::system::uname;

use self::accept::listener::Listener;
pub use self::config::ServerConfig;
pub use self::handle::ServerHandle;
use self::listing::Lists;
use self::report::Reports;
use self::request::access::Access;
use self::request::base::Base;
use self::scans::Scans;
use self::shared::Shared;
use crate::error::{Error, Result};
use crate::follow::root::Roots;
use crate::shutdown::Shutdown;

/// A server that is bound to its addresses: clients that connect from now on wait in the kernel's queue until it runs.
///
/// [`Server::spawn`] runs it in threads of its own; [`Server::run`] runs it in the caller's thread until a [`Shutdown`] is
/// triggered.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Checks the configuration, opens the roots and binds the addresses. Nothing is served yet.
    ///
    /// # Errors
    /// A usage error ([`crate::Error::is_usage`]) when a root does not exist, a time is out of range, an origin, a host name
    /// or the base path is malformed, or only one of certificate and key is given or one cannot be used. Another error when
    /// no socket can listen on an address ([`crate::Error::io_kind`] is `AddrInUse` for a port that is taken).
    pub fn bind(config: ServerConfig) -> Result<Server> {
        config.check()?;
        let acceptor = config.acceptor()?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let access = Access::new(&config, scheme, &uname().nodename().to_string_lossy())?;
        let base = Base::parse(&config.base_path)?;
        let roots = Roots::open(&config.roots, config.hidden)?;
        let watcher = if config.notify { notifier::watcher() } else { None };
        let scans = Arc::new(Scans::new(config.max_scans));
        let zone = config.zone.load().map_err(|error| Error::usage(format!("cannot serve: {error} (see --zone)")))?;
        let shared = Arc::new(Shared {
            config,
            access,
            acceptor,
            base,
            roots: Arc::new(roots),
            watcher,
            reports: Reports::default(),
            lists: Lists::default(),
            scans,
            zone: Arc::new(zone),
        });
        let is_open = shared.config.tokens.is_empty();
        let listener = Listener::bind(shared)?;
        let beyond = listener.addresses().iter().find(|address| !address.ip().to_canonical().is_loopback());
        if let Some(address) = beyond.filter(|_| is_open) {
            log::warn!(
                "{address} is open to the network and no token is required: ANYONE WHO CAN REACH IT CAN READ THE LOGS (see --token-file)"
            );
        }
        Ok(Server { listener })
    }

    /// The addresses the server listens on. If the configured port was 0, they have the port that was picked.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.listener.addresses()
    }

    /// `http`, or `https` with a certificate.
    pub fn scheme(&self) -> &'static str {
        self.listener.shared().access.scheme()
    }

    /// Serves until `shutdown` is triggered. Then every connection is closed with code 1001, and the call returns when all
    /// threads have ended, after 2.5 s at most.
    ///
    /// # Errors
    /// When the process has no file descriptor left to start with.
    pub fn run(self, shutdown: &Shutdown) -> Result<()> {
        self.listener.run(shutdown)
    }

    /// Serves in a thread of its own until the handle is dropped or stopped.
    ///
    /// # Errors
    /// When the process has no descriptor or no thread left.
    pub fn spawn(self) -> Result<ServerHandle> {
        ServerHandle::spawn(self)
    }
}

/// Parses the target and finds the length of a request head, for `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn parse_head(arrived: &[u8]) -> Option<(String, usize)> {
    request::head::parse(arrived).ok().flatten().map(|(head, length)| (head.target, length))
}
