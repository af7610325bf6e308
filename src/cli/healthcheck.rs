//! `wstail healthcheck`: asks a server how it is, for images without a shell.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use argh::FromArgs;
use wstail::client::url::Url;
use wstail::client::{Config, connect};
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::values::path;
use super::{Exit, print_error, trust};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Ask a server how it is: 0 when it answers 200 within 2 s, else 1.
#[derive(FromArgs)]
#[argh(subcommand, name = "healthcheck", help_triggers("-h", "--help"))]
pub(super) struct Healthcheck {
    /// what to ask; default http://127.0.0.1:8765/-/healthz
    #[argh(positional, arg_name = "URL", default = "\"http://127.0.0.1:8765/-/healthz\".to_owned()")]
    url: String,

    /// file of the authorities' certificates that are trusted, PEM; default: the system's
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    ca_file: Option<PathBuf>,

    /// trust any certificate
    #[argh(switch)]
    insecure: bool,
}

impl Healthcheck {
    pub(super) fn run(self) -> Result<Exit> {
        let url = Url::page(&self.url)?;
        let config =
            Config { trust: trust::from_options(self.ca_file.as_deref(), self.insecure)?, ..Config::default() };
        // A thread of its own: nothing else bounds the time in which a name is looked up.
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(ask(&url, &config)));
        let complaint = match receiver.recv_timeout(TIMEOUT) {
            Ok(Ok(200)) => return Ok(Exit::Done),
            Ok(Ok(status)) => format!("status {status}"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer within 2 s".to_owned(),
        };
        print_error(&format!("{} is not healthy: {complaint}", escape(&self.url)));
        Ok(Exit::Failed)
    }
}

fn ask(url: &Url, config: &Config) -> Result<u16> {
    let (_trigger, shutdown) = wstail::shutdown().map_err(|error| Error::io("cannot start", error))?;
    connect::status(url, config, &shutdown)
}
