//! `wstail demo`: a log writer, a server and a client in one process. It uses the library as any program would, and adds
//! nothing to the three.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use wstail::client::{Received, Stream, Url};
use wstail::produce::{Producer, ProducerConfig};
use wstail::protocol::DEFAULT_PORT;
use wstail::server::{Server, ServerConfig};
use wstail::{Error, Result, Shutdown};

use super::Demo;
use crate::cli::printer::{Form, Printer};
use crate::cli::stdout::Stdout;
use crate::cli::{Exit, print_error, print_line, set_up_log, stop_on_signal};

/// Lines per second.
const RATE: f64 = 2.0;
/// Ports tried after the first, before any free one is taken.
const PORTS: u16 = 20;
const LOG: &str = "demo.log";

impl Demo {
    pub(in crate::cli) fn run(self) -> Result<Exit> {
        set_up_log("warn");
        let (trigger, shutdown) = stop_on_signal()?;
        let directory = TempDir::new()?;
        let mut config = ProducerConfig::default();
        config.rate = RATE;
        let producer = Producer::open(directory.0.join(LOG), config)?;
        let server = bind(&directory.0)?;
        let address = server.addresses()[0];
        print_line(&format!("the log, for a browser:  http://{address}/{LOG}?tail=1"))?;
        print_line(&format!("the log, for a terminal: wstail tail {address}/{LOG}\n"))?;
        let url = format!("{address}/{LOG}").parse()?;
        let stdout = Stdout::new(trigger, shutdown.clone())?;
        play(producer, server, &url, self.seconds, &stdout, &shutdown)?;
        Ok(stdout.closed().unwrap_or(Exit::Done))
    }
}

/// Runs all three until the time is up, a signal comes, or one of them fails.
fn play(
    mut producer: Producer,
    server: Server,
    url: &Url,
    time: Option<Duration>,
    stdout: &Stdout,
    shutdown: &Shutdown,
) -> Result<()> {
    let stop = || stdout.end();
    thread::scope(|scope| {
        let parts = [
            scope.spawn(|| ending(server.run(shutdown), stop)),
            scope.spawn(move || ending(producer.run(shutdown).map(drop), stop)),
            scope.spawn(|| ending(print(url, stdout, shutdown), stop)),
        ];
        if let Some(time) = time {
            shutdown.sleep(time);
            stop();
        }
        let results = parts.map(|part| part.join().expect("no part panics"));
        results.into_iter().collect()
    })
}

/// Ends all parts when one of them ends.
fn ending(result: Result<()>, stop: impl Fn()) -> Result<()> {
    stop();
    result
}

/// Follows the log to stdout; a closed stdout is not an error.
fn print(url: &Url, stdout: &Stdout, shutdown: &Shutdown) -> Result<()> {
    let mut url = url.clone();
    url.set_tail(true);
    let mut stream = Stream::open(&url, &Default::default(), shutdown)?;
    let mut printer = Printer::new(stdout, None, Form::text(true));
    loop {
        let bytes = match stream.read(shutdown) {
            Ok(Received::Bytes(bytes)) => bytes,
            Ok(Received::Event(_)) => continue,
            // The server may close the stream before the client stops.
            Err(_) if shutdown.is_triggered() => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => return Ok(()),
        };
        if printer.print(&bytes, &mut || stream.keep_alive()).is_err() {
            return Ok(());
        }
    }
}

/// The usual port, or the next free one.
fn bind(directory: &Path) -> Result<Server> {
    let bind = |port| {
        let mut config = ServerConfig::new([directory]);
        config.port = port;
        Server::bind(config)
    };
    let is_taken = |error: &Error| error.io_kind() == Some(io::ErrorKind::AddrInUse);
    for port in DEFAULT_PORT..DEFAULT_PORT + PORTS {
        match bind(port) {
            Err(error) if is_taken(&error) => {}
            result => return result,
        }
    }
    bind(0)
}

/// A temporary directory that is removed when the demo ends, however it ends.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Result<TempDir> {
        let mut number = std::process::id();
        loop {
            let path = std::env::temp_dir().join(format!("wstail-demo-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(TempDir(path)),
                // Left by a process that was killed and had the same process id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io(format!("cannot create `{}`", path.display()), error)),
            }
        }
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            print_error(&Error::io(format!("cannot remove `{}`", self.0.display()), error));
        }
    }
}
