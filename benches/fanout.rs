//! What a follower costs: the server's memory with none, with 100 and with 1000 idle followers of one log. What each of
//! them costs is the difference to the row above: the first 100 include what the process needs only once, such as the
//! allocator's arenas. `cargo bench --bench fanout`; it counts and does not time.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// Lines of 100 bytes; each follower gets the last 1000 first, as it does by default.
const LINES: usize = 10_000;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let lines: String = (0..LINES).map(|number| format!("{number:>99}\n")).collect();
    fs::write(directory.path().join("app.log"), lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
    command.args(["serve", "--port", "0", "--heartbeat", "600"]).arg(directory.path());
    let server = Server(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    run(server);
}

/// Ends with its bench.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(mut server: Server) {
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().replace("listening on http://", "");
    let address = address.trim_end_matches('/');
    let memory = || (number(&server.0, "status", "VmRSS"), number(&server.0, "smaps_rollup", "Pss"));
    drop(follow(address));
    let idle = memory();
    println!("{:>9} {:>10} {:>10} {:>16} {:>16}", "followers", "RSS KiB", "PSS KiB", "RSS KiB each", "PSS KiB each");
    println!("{:>9} {:>10} {:>10}", 0, idle.0, idle.1);
    let (mut followers, mut before) = (Vec::new(), idle);
    for count in [100, 1000] {
        let more = count - followers.len();
        followers.extend((0..more).map(|_| follow(address)));
        let (rss, pss) = memory();
        let each = |now: u64, then: u64| now.saturating_sub(then) as f64 / more as f64;
        println!("{count:>9} {rss:>10} {pss:>10} {:>16.1} {:>16.1}", each(rss, before.0), each(pss, before.1));
        before = (rss, pss);
    }
}

/// A follower that has got its first lines and now waits.
fn follow(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /app.log?tail=1 HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let last = format!(" {}\n", LINES - 1);
    let mut seen = Vec::new();
    while !seen.ends_with(last.as_bytes()) {
        let mut chunk = [0; 65_536];
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the server closed: {}", String::from_utf8_lossy(&seen));
        seen.extend(&chunk[..read]);
    }
    stream
}

/// A number in KiB from a file of `/proc/PID`.
fn number(process: &Child, file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/{file}", process.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
