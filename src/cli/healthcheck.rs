//! `wstail healthcheck`: asks a server whether it is healthy, for container images without a shell or curl. What healthy means
//! is the server's decision.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use wstail::client::{self, ClientConfig, Url};
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::trust::client_config;
use super::values::path;
use super::{Exit, print_error};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Check that a server answers 200 within 2 s.
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "healthcheck", help_triggers("-h", "--help"))]
pub(super) struct Healthcheck {
    /// URL to check [default: http://127.0.0.1:8765/-/healthz]
    #[argh(positional, arg_name = "URL", default = "\"http://127.0.0.1:8765/-/healthz\".to_owned()")]
    url: String,

    /// trusted certificates (PEM) [default: the system's]
    #[argh(option, arg_name = "FILE", from_str_fn(path))]
    ca_file: Option<PathBuf>,

    /// do not check the server's certificate (unsafe)
    #[argh(switch)]
    insecure: bool,
}

impl Healthcheck {
    pub(super) fn run(self) -> Result<Exit> {
        let url = Url::page(&self.url)?;
        let config = client_config(None, self.ca_file.as_deref(), self.insecure)?;
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

fn ask(url: &Url, config: &ClientConfig) -> Result<u16> {
    let (_trigger, shutdown) = wstail::shutdown().map_err(|error| Error::io("cannot start", error))?;
    client::status(url, config, &shutdown)
}
