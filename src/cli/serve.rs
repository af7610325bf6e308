//! `wstail serve`: roots and options to a server, and the line that says where it listens.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use argh::FromArgs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wstail::protocol::request::{Format, Lines};
use wstail::server::{Config, Server};
use wstail::{Error, Result};

use super::values::{millis, number, path, port, positive, seconds, seconds_or_zero};
use super::{Exit, set_up_log, stop_on_signal, tokens};

/// Serve the logs in directories, or single files, over WebSocket and HTTP.
#[derive(FromArgs)]
#[argh(subcommand, name = "serve", help_triggers("-h", "--help"))]
pub(super) struct Serve {
    /// directories whose regular files may be read, or single files
    #[argh(positional, arg_name = "PATH", from_str_fn(path))]
    paths: Vec<PathBuf>,

    /// address to listen on; repeatable; `::` for both families; default 127.0.0.1
    #[argh(option, arg_name = "ADDR")]
    host: Vec<String>,

    /// port to listen on; 0 picks a free one; default 8765
    #[argh(option, arg_name = "N", from_str_fn(port))]
    port: Option<u16>,

    /// lines sent first when a client names none, or `all`; default 1000
    #[argh(option, arg_name = "N")]
    lines: Option<Lines>,

    /// seconds between two heartbeats; default 10
    #[argh(option, arg_name = "SECS", from_str_fn(seconds))]
    heartbeat: Option<Duration>,

    /// seconds that the answer to a heartbeat may take; default 5
    #[argh(option, arg_name = "SECS", from_str_fn(seconds))]
    heartbeat_timeout: Option<Duration>,

    /// longest time between two looks at a file, in milliseconds, unless the kernel tells of its changes; default 250
    #[argh(option, arg_name = "MILLIS", from_str_fn(millis))]
    poll: Option<Duration>,

    /// seconds for which a rotated file is still read for late writes, 1 s of silence being enough once its writer was seen to close it; 0 for not at all; default 5
    #[argh(option, arg_name = "SECS", from_str_fn(seconds_or_zero))]
    rotate_wait: Option<Duration>,

    /// what plain connections get when they name no format: text or html; default text
    #[argh(option, arg_name = "FORMAT")]
    format: Option<Format>,

    /// connections served at a time; beyond it a client gets 503; default 1024
    #[argh(option, arg_name = "N", from_str_fn(positive))]
    max_connections: Option<usize>,

    /// of these, connections from one address, or one /64 of IPv6; 0 for as many as there are; default 0
    #[argh(option, arg_name = "N", from_str_fn(number))]
    max_connections_per_ip: Option<usize>,

    /// origin whose pages may read, beside the server's own: https://example.com, or `*` for all; repeatable
    #[argh(option, arg_name = "ORIGIN")]
    allow_origin: Vec<String>,

    /// name by which clients without a token may ask, beside addresses, localhost and this machine's own name; repeatable
    #[argh(option, arg_name = "HOST")]
    allow_host: Vec<String>,

    /// file of bearer tokens, one a line, of which readers must show one; WSTAIL_TOKEN in the environment is one more; read once, at the start
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    token_file: Option<PathBuf>,

    /// file of the server's certificate, PEM, with those that lead to its root behind it: then only TLS is spoken
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    tls_cert: Option<PathBuf>,

    /// file of the certificate's key, PEM
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    tls_key: Option<PathBuf>,

    /// path beneath which all is answered, behind a reverse proxy; default /
    #[argh(option, arg_name = "PATH")]
    base_path: Option<String>,

    /// seconds after which a client that takes no byte is closed; 0 for never; default 60
    #[argh(option, arg_name = "SECS", from_str_fn(seconds_or_zero))]
    stall_timeout: Option<Duration>,

    /// also serve names that begin with a dot
    #[argh(switch)]
    hidden: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<Exit> {
        set_up_log("info");
        let config = self.config()?;
        allow_descriptors(config.max_connections);
        let server = Server::bind(config)?;
        // Only now: until then a signal is to end it at once, whatever file it waits for.
        let (_trigger, shutdown) = stop_on_signal()?;
        announce(&server);
        server.run(&shutdown)?;
        Ok(Exit::Done)
    }

    fn config(self) -> Result<Config> {
        let default = Config::default();
        Ok(Config {
            roots: self.paths,
            hosts: if self.host.is_empty() { default.hosts } else { self.host },
            port: self.port.unwrap_or(default.port),
            lines: self.lines.unwrap_or(default.lines),
            heartbeat: self.heartbeat.unwrap_or(default.heartbeat),
            heartbeat_timeout: self.heartbeat_timeout.unwrap_or(default.heartbeat_timeout),
            poll: self.poll.unwrap_or(default.poll),
            notify: is_notified(),
            rotate_wait: self.rotate_wait.unwrap_or(default.rotate_wait),
            format: self.format.unwrap_or(default.format),
            max_connections: self.max_connections.unwrap_or(default.max_connections),
            max_connections_per_ip: self.max_connections_per_ip.filter(|&number| number > 0),
            allow_origin: self.allow_origin,
            allow_host: self.allow_host,
            tokens: tokens::load(self.token_file.as_deref())?,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            base_path: self.base_path.unwrap_or(default.base_path),
            stall_timeout: self.stall_timeout.map_or(default.stall_timeout, |time| (!time.is_zero()).then_some(time)),
            hidden: self.hidden,
        })
    }
}

/// With `WSTAIL_NO_NOTIFY=1` in the environment every log is polled, as where inotify(7) is not to be had: for tests and
/// benches, and for file systems that do not say that they say nothing.
fn is_notified() -> bool {
    std::env::var_os("WSTAIL_NO_NOTIFY").is_none_or(|value| value != "1")
}

/// A connection holds a socket, a file and what wakes it, another file while its log rotates, and a directory to see what
/// lies between: the soft limit of 1024 that is common would not do for as many connections.
fn allow_descriptors(connections: usize) {
    const OTHERS: u64 = 64;
    let wanted = (connections as u64).saturating_mul(5).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
        if let Err(errno) = setrlimit(Resource::Nofile, raised) {
            log::warn!("cannot raise the limit of open files to {allowed}: {errno}");
        }
    }
}

/// Says where the server listens. Nobody need read it: a server whose stdout is closed, or on a full disk, serves on.
fn announce(server: &Server) {
    let mut stdout = io::stdout().lock();
    for address in server.addresses() {
        let scheme = server.scheme();
        log::info!("listening on {scheme}://{address}/");
        match writeln!(stdout, "listening on {scheme}://{address}/").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                log::warn!("{}", Error::io("cannot write to stdout", error));
            }
            _ => {}
        }
    }
}
