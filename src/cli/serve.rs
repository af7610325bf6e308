//! `wstail serve`: turns its options into a configuration, runs the server until a signal arrives, and prints where it
//! listens.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use rustix::fs::fstat;
use wstail::protocol::request::{Format, Lines};
use wstail::server::{Server, ServerConfig};
use wstail::{Error, Result, ZoneName};

use super::values::{millis, number, path, port, positive, seconds, seconds_or_zero};
use super::{Exit, descriptors, lock, notify, set, set_up_log, stop_on_signal, tokens};

/// Serve files, or all files in directories, over WebSocket and HTTP.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "serve", help_triggers("-h", "--help"))]
pub(super) struct Serve {
    /// directories (with subdirectories) or files to serve
    #[argh(positional, arg_name = "PATH", from_str_fn(path))]
    paths: Vec<PathBuf>,

    /// address to listen on; repeatable [default: 127.0.0.1]
    #[argh(option, arg_name = "ADDR")]
    host: Vec<String>,

    /// port to listen on; 0 picks a free one [default: 8765]
    #[argh(option, arg_name = "N", from_str_fn(port))]
    port: Option<u16>,

    /// lines to send first (or `all`), unless the client asks
    /// otherwise [default: 1000]
    #[argh(option, arg_name = "N")]
    lines: Option<Lines>,

    /// seconds between heartbeats [default: 10]
    #[argh(option, arg_name = "SECS", from_str_fn(seconds))]
    heartbeat: Option<Duration>,

    /// seconds a client has to answer a heartbeat [default: 5]
    #[argh(option, arg_name = "SECS", from_str_fn(seconds))]
    heartbeat_timeout: Option<Duration>,

    /// check logs on NFS, FUSE etc. every MILLIS [default: 250]
    #[argh(option, arg_name = "MILLIS", from_str_fn(millis))]
    poll: Option<Duration>,

    /// wait for late writes to a rotated file [default: 5]
    #[argh(option, arg_name = "SECS", from_str_fn(seconds_or_zero))]
    rotate_wait: Option<Duration>,

    /// format of WebSocket streams without the subprotocol
    /// wstail.v1: text or html [default: text]
    #[argh(option, arg_name = "FORMAT")]
    format: Option<Format>,

    /// maximum connections; more get 503 [default: 1024]
    #[argh(option, arg_name = "N", from_str_fn(positive))]
    max_connections: Option<usize>,

    /// maximum per IP (IPv6: /64); 0: no limit [default: 0]
    #[argh(option, arg_name = "N", from_str_fn(number))]
    max_connections_per_ip: Option<usize>,

    /// maximum clients that search old data or unpack files at the
    /// same time; the others wait their turn [default: half the cores]
    #[argh(option, arg_name = "N", from_str_fn(positive))]
    max_scans: Option<usize>,

    /// zone of times without one, in logs and requests: local,
    /// UTC, ±HH:MM or a name such as Europe/Berlin
    /// [default: local]
    #[argh(option, arg_name = "ZONE")]
    zone: Option<ZoneName>,

    /// allow web pages from this origin (`*`: any); repeatable
    #[argh(option, arg_name = "ORIGIN")]
    allow_origin: Vec<String>,

    /// accept requests for this host name, besides the names of
    /// the machine; repeatable
    #[argh(option, arg_name = "HOST")]
    allow_host: Vec<String>,

    /// require a token from FILE; or just set $WSTAIL_TOKEN
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    token_file: Option<PathBuf>,

    /// serve TLS only, with this certificate chain (PEM)
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    tls_cert: Option<PathBuf>,

    /// the certificate's private key (PEM)
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    tls_key: Option<PathBuf>,

    /// URL path prefix, behind a reverse proxy [default: /]
    #[argh(option, arg_name = "PATH")]
    base_path: Option<String>,

    /// drop a client that takes no data for SECS [default: 60]
    #[argh(option, arg_name = "SECS", from_str_fn(seconds_or_zero))]
    stall_timeout: Option<Duration>,

    /// also serve hidden files and directories
    #[argh(switch)]
    hidden: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<Exit> {
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
        config.notify = is_notified();
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

/// With `WSTAIL_NO_NOTIFY=1` in the environment every log is polled, as where inotify(7) is unavailable: for tests and
/// benches, and for file systems that do not report changes although they claim to.
pub(super) fn is_notified() -> bool {
    std::env::var_os("WSTAIL_NO_NOTIFY").is_none_or(|value| value != "1")
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
