//! The server, and how it is reached.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server of the logs in a directory. It ends with its bench.
pub struct Stage {
    pub directory: PathBuf,
    pub rounds: usize,
    /// Of the dense log.
    pub size: u64,
    child: Child,
    address: String,
}

impl Stage {
    pub fn new(directory: &Path, rounds: usize, size: u64) -> Stage {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
        command.args(["serve", "--port", "0", "--heartbeat", "1", "--zone", "UTC"]).arg(directory);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().replace("listening on http://", "").replace('/', "");
        Stage { directory: directory.to_owned(), rounds, size, child, address }
    }

    pub fn url(&self, log: &str) -> String {
        format!("ws://{}/{log}", self.address)
    }

    /// Sends an HTTP request, and returns the connection once the first byte of the body is there.
    pub fn get(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET /{target} HTTP/1.1\r\nHost: {}\r\nAccept: text/plain\r\n\r\n", self.address).unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        stream.read_exact(&mut byte).unwrap();
        stream
    }

    /// The server's memory in KiB that it shares with nobody.
    pub fn memory(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).unwrap();
        let private = text.lines().filter(|line| line.starts_with("Private_"));
        private.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
