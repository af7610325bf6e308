//! A log, a server and a client in three lines. Every wait has a deadline.

mod answer;
/// A server that speaks `wstail.v1` as its test says.
pub mod by_hand;
/// Certificates, and both ends of TLS connections with them.
#[cfg(feature = "tls")]
pub mod certificates;
mod client;
mod frame;
mod inotify;
mod mount;
mod process;
/// A proxy that does to connections what networks do: it cuts, resets, stalls, drips and half-cuts them, from a seed.
pub mod proxy;
/// Seeded random numbers, for random tests.
pub mod random;

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind::Interrupted;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tungstenite::HandshakeError;
use tungstenite::client::{IntoClientRequest, client};
use wstail::protocol::event::SUBPROTOCOL;

pub use answer::{Answer, dechunk};
pub use client::{Client, EventClient, Item};
pub use frame::{close_code, frame, read_frame, upgrade};
pub use inotify::Inotify;
pub use mount::Birthless;
pub use process::{Process, wstail};

pub const DEADLINE: Duration = Duration::from_secs(60);

/// A log in its own directory.
pub struct Log {
    directory: tempfile::TempDir,
}

impl Log {
    pub fn with(text: impl AsRef<[u8]>) -> Log {
        Log::within(&std::env::temp_dir(), text)
    }

    /// A log on a file system of the test's choice.
    pub fn within(base: &Path, text: impl AsRef<[u8]>) -> Log {
        let log = Log { directory: tempfile::tempdir_in(base).unwrap() };
        log.append(text);
        log
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self) -> PathBuf {
        self.beside("app.log")
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn append(&self, text: impl AsRef<[u8]>) {
        self.writer().write_all(text.as_ref()).unwrap();
    }

    pub fn writer(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.path()).unwrap()
    }

    /// Renames the log away and begins a new one.
    pub fn rotate(&self, name: &str, text: &str) {
        fs::rename(self.path(), self.beside(name)).unwrap();
        self.append(text);
    }
}

/// `wstail serve` on a free port. It runs as long as this or one of its clients exists.
pub struct Server {
    pub process: Arc<Process>,
    pub address: String,
}

/// Serves the log's directory.
pub fn serve(log: &Log) -> Server {
    serve_with(log, &[])
}

pub fn serve_with(log: &Log, options: &[&str]) -> Server {
    serve_paths(&[log.directory()], options)
}

pub fn serve_paths(paths: &[&Path], options: &[&str]) -> Server {
    serve_by(wstail(), paths, options)
}

/// Like [`serve_paths`], but with a command that has its own environment.
pub fn serve_by(mut command: Command, paths: &[&Path], options: &[&str]) -> Server {
    command.arg("serve").args(paths).args(["--port", "0"]).args(options).stdout(Stdio::piped());
    let process = Process::start(command);
    let line = process.line();
    let place = line.strip_prefix("listening on http://").or(line.strip_prefix("listening on https://"));
    let address = place.and_then(|rest| rest.strip_suffix('/'));
    let address = address.unwrap_or_else(|| panic!("not an address: {line:?}")).to_owned();
    Server { process: Arc::new(process), address }
}

impl Server {
    /// Follows the log from its first line.
    pub fn follow(&self) -> Client {
        self.client("app.log?tail=1&lines=all")
    }

    pub fn client(&self, target: &str) -> Client {
        self.try_client(target).unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    pub fn try_client(&self, target: &str) -> Result<Client, String> {
        let stream = self.connect();
        let (socket, _) =
            client(format!("ws://{}/{target}", self.address), stream).map_err(|error| error.to_string())?;
        Ok(Client { socket, _server: self.process.clone() })
    }

    /// A client that speaks `wstail.v1`.
    pub fn events(&self, target: &str) -> EventClient {
        let mut request = format!("ws://{}/{target}", self.address).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
        let socket = loop {
            match client(request.clone(), self.connect()) {
                Ok((socket, _)) => break socket,
                // If a read has a time limit, a signal may interrupt it: signal(7).
                Err(HandshakeError::Failure(tungstenite::Error::Io(error))) if error.kind() == Interrupted => {}
                Err(error) => panic!("{target}: {error}"),
            }
        };
        EventClient {
            socket,
            deadline: Instant::now() + DEADLINE,
            bytes: Vec::new(),
            cursors: Vec::new(),
            _server: self.process.clone(),
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// How many connections are being served, with one thread each.
    pub fn connections(&self) -> u64 {
        self.process.threads().iter().filter(|name| name.starts_with("client ")).count() as u64
    }

    /// The highest number among their threads, which are numbered as they start.
    pub fn newest(&self) -> u64 {
        let threads = self.process.threads();
        let number = |name: &String| name.strip_prefix("client ")?.trim_end().parse().ok();
        threads.iter().filter_map(number).max().unwrap_or(0)
    }

    /// Sends the bytes and returns what the server answers, up to the end of the connection.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect();
        // The server may answer and close before it has read the whole request.
        let _ = stream.write_all(request.as_ref());
        Answer::read(stream)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.ask(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// An open WebSocket, for sending any bytes. What follows the handshake is left to the caller.
    pub fn upgraded(&self, target: &str) -> TcpStream {
        self.upgraded_with(target, "").0
    }

    /// The same, with more header fields in the request. Also returns the head of the answer.
    pub fn upgraded_with(&self, target: &str, fields: &str) -> (TcpStream, String) {
        let mut stream = self.connect();
        let head = upgrade(&mut stream, target, fields);
        (stream, head)
    }
}

/// Checks repeatedly until `is_so` holds. Panics at the deadline.
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(within(DEADLINE, is_so), "not in time: {what}");
}

/// Checks repeatedly. Returns whether `is_so` holds in time.
pub fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    while !is_so() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}
