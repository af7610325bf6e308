//! `wstail serve`: turns its options into a configuration, runs the server until a signal arrives, and prints where it
//! listens.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use rustix::fs::fstat;
use wstail::server::{Server, ServerConfig};
use wstail::{Error, Result};

use super::Serve;
use crate::cli::{Exit, descriptors, lock, notify, set, set_up_log, stop_on_signal, tokens};

impl Serve {
    pub(in crate::cli) fn run(self) -> Result<Exit> {
        set_up_log("info");
        let config = self.config()?;
        descriptors::allow(config.max_connections);
        let server = Server::bind(config)?;
        // Not earlier: until here, a signal ends the process at once, even while it waits for a file.
        let (trigger, shutdown) = stop_on_signal()?;
        announce(&server);
        let reporter = notify::report(&shutdown);
        let served = server.run(&shutdown);
        // Whatever ended the server, the reporter must end before the process does.
        lock(&trigger).take();
        reporter.into_iter().for_each(|thread| drop(thread.join()));
        served?;
        Ok(Exit::Done)
    }

    fn config(self) -> Result<ServerConfig> {
        let mut config = ServerConfig::new(self.paths);
        set(&mut config.hosts, Some(self.host).filter(|hosts| !hosts.is_empty()));
        set(&mut config.port, self.port);
        set(&mut config.lines, self.lines);
        set(&mut config.heartbeat, self.heartbeat);
        set(&mut config.heartbeat_timeout, self.heartbeat_timeout);
        set(&mut config.poll, self.poll);
        config.notify = super::is_notified();
        set(&mut config.rotate_wait, self.rotate_wait);
        set(&mut config.format, self.format);
        set(&mut config.max_connections, self.max_connections);
        config.max_connections_per_ip = self.max_connections_per_ip.filter(|&number| number > 0);
        config.max_scans = self.max_scans.and_then(NonZeroUsize::new);
        set(&mut config.zone, self.zone);
        config.allow_origin = self.allow_origin;
        config.allow_host = self.allow_host;
        config.tokens = tokens::load(self.token_file.as_deref())?;
        config.tls_cert = self.tls_cert;
        config.tls_key = self.tls_key;
        set(&mut config.base_path, self.base_path);
        set(&mut config.stall_timeout, self.stall_timeout.map(|time| (!time.is_zero()).then_some(time)));
        config.hidden = self.hidden;
        Ok(config)
    }
}

/// Whether stdout and stderr are one terminal, file or pipe, where the same line would appear twice.
fn are_one_file() -> bool {
    match (fstat(io::stdout()), fstat(io::stderr())) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

/// Prints where the server listens. A stdout that is closed or on a full disk does not stop the server.
fn announce(server: &Server) {
    let is_logged = !are_one_file();
    let mut stdout = io::stdout().lock();
    for address in server.addresses() {
        let scheme = server.scheme();
        if is_logged {
            log::info!("listening on {scheme}://{address}/");
        }
        match writeln!(stdout, "listening on {scheme}://{address}/").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                log::warn!("{}", Error::io("cannot write to stdout", error));
            }
            _ => {}
        }
    }
}
