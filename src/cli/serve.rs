//! The options of `wstail serve`. `server` runs it.

#[cfg(target_os = "linux")]
mod server;

use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use wstail::ZoneName;
use wstail::protocol::request::{Format, Lines};

use super::values::{millis, number, path, port, positive, seconds, seconds_or_zero};

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

#[cfg(not(target_os = "linux"))]
impl Serve {
    pub(super) fn run(self) -> wstail::Result<super::Exit> {
        Err(super::needs_linux("`wstail serve`"))
    }
}

/// With `WSTAIL_NO_NOTIFY=1` in the environment every log is polled, as where inotify(7) is unavailable: for tests and
/// benches, and for file systems that do not report changes although they claim to.
pub(super) fn is_notified() -> bool {
    std::env::var_os("WSTAIL_NO_NOTIFY").is_none_or(|value| value != "1")
}
