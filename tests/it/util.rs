//! A log, a server and a client in three lines. Every wait has a deadline.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tungstenite::client::{IntoClientRequest, client};
use tungstenite::{Message, WebSocket};
use wstail::protocol::event::{Event, SUBPROTOCOL};

pub const DEADLINE: Duration = Duration::from_secs(20);

/// A log in a directory of its own.
pub struct Log {
    directory: tempfile::TempDir,
}

impl Log {
    pub fn with(text: impl AsRef<[u8]>) -> Log {
        let log = Log { directory: tempfile::tempdir().unwrap() };
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

/// `wstail serve` on a free port, as long as it or one of its clients is there.
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

/// The same, by a command with an environment of its own.
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
    /// Follows the log from its first line on.
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
        let (socket, _) = client(request, self.connect()).unwrap_or_else(|error| panic!("{target}: {error}"));
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

    /// How many connections are being served: a thread each.
    pub fn connections(&self) -> u64 {
        self.process.threads().iter().filter(|name| name.starts_with("client ")).count() as u64
    }

    /// What the server answers to the bytes, up to the end of the connection.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect();
        // The server may answer and close before it has seen all of a request.
        let _ = stream.write_all(request.as_ref());
        Answer::read(stream)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.ask(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// An open WebSocket, to send any bytes on; what follows the handshake is for the caller.
    pub fn upgraded(&self, target: &str) -> TcpStream {
        self.upgraded_with(target, "").0
    }

    /// The same with more header fields in the request; with the head of the answer.
    pub fn upgraded_with(&self, target: &str, fields: &str) -> (TcpStream, String) {
        let mut stream = self.connect();
        let head = upgrade(&mut stream, target, fields);
        (stream, head)
    }
}

/// Opens a WebSocket over a connection; the head of the answer.
pub fn upgrade(stream: &mut (impl Read + Write), target: &str, fields: &str) -> String {
    write!(
        stream,
        "GET /{target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    String::from_utf8(head).unwrap()
}

/// An HTTP response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            panic!("the answer was cut off: {error} after {:?}", String::from_utf8_lossy(&bytes));
        }
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no head in {:?}", String::from_utf8_lossy(&bytes));
        });
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Answer { status, head, body }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What a chunked body holds, up to its last chunk, behind which nothing may come.
    pub fn chunked(&self) -> Vec<u8> {
        assert!(self.head.to_lowercase().contains("\r\ntransfer-encoding: chunked\r\n"), "{}", self.head);
        let (payload, rest) = dechunk(&self.body);
        assert_eq!(rest, Some(&b""[..]), "the last chunk is the end");
        payload
    }
}

/// What a chunked body holds as far as it has come, and, once it is whole, what comes behind it.
pub fn dechunk(mut body: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut payload = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&body[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap_or_else(|_| panic!("no chunk's length: {length:?}"));
        let Some((chunk, rest)) = body[end + 2..].split_at_checked(length + 2) else { break };
        assert!(chunk.ends_with(b"\r\n"), "a chunk of {length} bytes does not end where it should");
        payload.extend_from_slice(&chunk[..length]);
        body = rest;
        if length == 0 {
            return (payload, Some(body));
        }
    }
    (payload, None)
}

/// A plain WebSocket client that answers text pings.
#[derive(Debug)]
pub struct Client {
    pub socket: WebSocket<TcpStream>,
    _server: Arc<Process>,
}

impl Client {
    /// The next message of the log, or how the stream was closed.
    pub fn next(&mut self) -> Result<String, (u16, String)> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "no message in time");
            match self.raw() {
                Ok(Message::Text(text)) if text == "ping" => self.socket.send(Message::text("pong")).unwrap(),
                Ok(Message::Text(text)) => return Ok(text.to_string()),
                Ok(Message::Close(Some(frame))) => return Err((frame.code.into(), frame.reason.to_string())),
                Ok(Message::Close(None)) => return Err((1005, String::new())),
                Ok(_) => {}
                Err(error) => return Err((1006, error.to_string())),
            }
        }
    }

    /// The next message as it comes, pings too.
    pub fn raw(&mut self) -> Result<Message, tungstenite::Error> {
        self.socket.read()
    }

    pub fn message(&mut self) -> String {
        self.next().unwrap_or_else(|close| panic!("closed with {close:?}"))
    }

    pub fn close(&mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.next() {
                return close;
            }
        }
    }

    /// Reads until that much text has come.
    pub fn read(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text += &self.message();
        }
        text
    }

    /// Reads exactly these lines, in order.
    pub fn expect<const N: usize>(&mut self, lines: [&str; N]) {
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(self.read(expected.len()), expected);
    }
}

/// A client that speaks `wstail.v1`; it remembers what it got.
pub struct EventClient {
    pub socket: WebSocket<TcpStream>,
    deadline: Instant,
    /// All of the log's bytes that came.
    pub bytes: Vec<u8>,
    /// Every cursor that came, and after how many bytes.
    pub cursors: Vec<(String, usize)>,
    _server: Arc<Process>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Bytes(Vec<u8>),
    Event(Event),
    Close(u16, String),
}

impl EventClient {
    /// The next bytes or event, or how the stream was closed.
    pub fn next(&mut self) -> Item {
        loop {
            assert!(Instant::now() < self.deadline, "nothing in time after {} bytes", self.bytes.len());
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => {
                    self.bytes.extend_from_slice(&bytes);
                    return Item::Bytes(bytes.to_vec());
                }
                Ok(Message::Text(text)) => {
                    let event = Event::parse(&text).unwrap_or_else(|| panic!("no event: {text}"));
                    if let Some(cursor) = event.cursor() {
                        self.cursors.push((cursor.to_string(), self.bytes.len()));
                    }
                    return Item::Event(event);
                }
                Ok(Message::Close(Some(frame))) => return Item::Close(frame.code.into(), frame.reason.to_string()),
                Ok(Message::Close(None)) => return Item::Close(1005, String::new()),
                Ok(_) => {}
                Err(error) => return Item::Close(1006, error.to_string()),
            }
        }
    }

    /// What comes, up to and with `end`, as a story: `a\n<rotated>b\n<gap expired><end><1000>`. Cursors are no part of
    /// it, for they come when they like.
    pub fn story(&mut self, end: &str) -> String {
        let mut story = String::new();
        while !story.ends_with(end) {
            match self.next() {
                Item::Bytes(bytes) => story += &String::from_utf8_lossy(&bytes),
                Item::Event(Event::Cursor(_)) => {}
                Item::Event(event) => story += &word(&event),
                Item::Close(code, reason) => {
                    story += &format!("<{code}>");
                    assert!(story.ends_with(end), "closed ({reason}) after {story:?}, expected {end:?}");
                }
            }
        }
        story
    }

    /// The cursor after everything that has come.
    pub fn cursor(&mut self) -> String {
        loop {
            match self.cursors.last() {
                Some((cursor, at)) if *at == self.bytes.len() => return cursor.clone(),
                _ => assert!(!matches!(self.next(), Item::Close(..)), "closed without a last cursor"),
            }
        }
    }
}

fn word(event: &Event) -> String {
    match event {
        Event::Open { .. } => "<open>".to_owned(),
        Event::Cursor(_) => "<cursor>".to_owned(),
        Event::Rotated(_) => "<rotated>".to_owned(),
        Event::Truncated(_) => "<truncated>".to_owned(),
        Event::Gap { reason, bytes: None, .. } => format!("<gap {}>", reason.word()),
        Event::Gap { reason, bytes: Some(bytes), .. } => format!("<gap {} {bytes}>", reason.word()),
        Event::Waiting { .. } => "<waiting>".to_owned(),
        Event::End { .. } => "<end>".to_owned(),
    }
}

pub fn wstail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstail"));
    command
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .env_remove("WSTAIL_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// A child that does not outlive its test.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    pub pid: u32,
    lines: Option<Mutex<mpsc::Receiver<String>>>,
    errors: Mutex<mpsc::Receiver<String>>,
}

impl Process {
    pub fn start(mut command: Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let lines = child.stdout.take().map(|stdout| {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
            Mutex::new(receiver)
        });
        let mut stderr = child.stderr.take().unwrap();
        let (sender, errors) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        Process { child: Mutex::new(child), pid, lines, errors: Mutex::new(errors) }
    }

    /// The next line of its stdout, which must be piped.
    pub fn line(&self) -> String {
        self.lines.as_ref().unwrap().lock().unwrap().recv_timeout(DEADLINE).expect("no line in time")
    }

    /// What is left of its stdout, up to its end.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.as_ref().unwrap().lock().unwrap();
        let next = || match lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("stdout is still open"),
        };
        std::iter::from_fn(next).collect()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.lock().unwrap()), signal).unwrap();
    }

    /// Whether it has a handler for the signal.
    pub fn catches(&self, signal: Signal) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
    }

    /// Waits for its end.
    pub fn wait(&self) -> ExitStatus {
        let mut status = None;
        until("the process ended", || {
            status = self.child.lock().unwrap().try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Waits for its end: its exit code and what it wrote to stderr.
    pub fn end(&self) -> (i32, String) {
        let code = self.wait().code().unwrap_or(-1);
        (code, self.errors.lock().unwrap().recv_timeout(DEADLINE).unwrap())
    }

    /// A number of `/proc/PID/status`: `VmRSS` in KiB, `Threads`.
    pub fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(&format!("{field}:"))).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Its threads' names; a thread that ends meanwhile may be missing.
    pub fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
    }

    /// How often any of its threads was woken from a wait.
    pub fn switches(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        let number = |task: io::Result<fs::DirEntry>| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        tasks.filter_map(number).sum()
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Looks again and again until it is so.
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(within(DEADLINE, is_so), "not in time: {what}");
}

/// Whether it becomes so in time.
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

/// A masked frame, as a client sends it.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads one frame of a server: its first byte and its payload.
pub fn read_frame(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let length = match head[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            u16::from_be_bytes(length).into()
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length)?;
            u64::from_be_bytes(length)
        }
        length => length.into(),
    };
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload)?;
    Ok((head[0], payload))
}

/// The code of the close that comes next, whatever comes before it.
pub fn close_code(stream: &mut impl Read) -> u16 {
    loop {
        let (first, payload) = read_frame(stream).expect("a close frame");
        if first == 0x88 {
            return u16::from_be_bytes([payload[0], payload[1]]);
        }
    }
}
