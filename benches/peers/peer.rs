//! The peers: how each is started, when it is ready, and how a client reaches it.

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Outcome;
use super::dialect::Dialect;
use super::load::{self, BUFFER, Connection};
use super::log::{Block, LINE};
use super::process::Tree;
use super::tools::Tools;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Wstail,
    WstailText,
    /// With a filter that every line passes.
    WstailFilter,
    Websocketd,
    Websocat,
    Frontail,
    Seed,
    Netcat,
    Pipe,
    /// No peer: what a TCP connection of this machine carries.
    Loopback,
}

/// Those that many clients can reach over the network.
pub const SERVERS: [Peer; 5] = [Peer::Wstail, Peer::Websocketd, Peer::Websocat, Peer::Frontail, Peer::Seed];
/// All that follow a log.
pub const FOLLOWERS: [Peer; 9] = [
    Peer::Wstail,
    Peer::WstailText,
    Peer::WstailFilter,
    Peer::Websocketd,
    Peer::Websocat,
    Peer::Frontail,
    Peer::Seed,
    Peer::Netcat,
    Peer::Pipe,
];

/// The lines that a client gets first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    Last(u64),
    All,
}

const READY: Duration = Duration::from_secs(20);
/// The most that websocat reads and sends at once, in bytes, as binary messages: 64 KiB and lines are its defaults.
const CHUNK: &str = "262144";
/// More clients than any row has.
const CONNECTIONS: &str = "20000";

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Peer::Wstail => "wstail",
            Peer::WstailText => "wstail, plain text",
            Peer::WstailFilter => "wstail, filtered",
            Peer::Websocketd => "websocketd + tail",
            Peer::Websocat => "websocat -B + tail",
            Peer::Frontail => "frontail",
            Peer::Seed => "seed.py (asyncio)",
            Peer::Netcat => "tail \\| nc",
            Peer::Pipe => "tail into a pipe",
            Peer::Loopback => "loopback TCP",
        }
    }

    pub fn is_wstail(self) -> bool {
        matches!(self, Peer::Wstail | Peer::WstailText | Peer::WstailFilter)
    }

    /// Whether it serves one client after the other; `tail | nc` and a pipe have one and no more.
    pub fn serves_many(self) -> bool {
        !matches!(self, Peer::Netcat | Peer::Pipe | Peer::Loopback)
    }

    /// The programs it is made of.
    pub fn needs(self) -> &'static [&'static str] {
        match self {
            Peer::Wstail | Peer::WstailText | Peer::WstailFilter | Peer::Loopback => &[],
            Peer::Websocketd => &["websocketd", "tail"],
            Peer::Websocat => &["websocat", "tail"],
            Peer::Frontail => &["frontail", "tail"],
            Peer::Seed => &["python3"],
            Peer::Netcat => &["nc", "tail"],
            Peer::Pipe => &["tail"],
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            Peer::Wstail | Peer::WstailFilter | Peer::Websocat => Dialect::Binary,
            Peer::WstailText | Peer::Seed => Dialect::Text,
            Peer::Websocketd => Dialect::Lines,
            Peer::Frontail => Dialect::SocketIo,
            Peer::Netcat | Peer::Pipe | Peer::Loopback => Dialect::Bytes,
        }
    }

    /// The command that serves `log` on `port`.
    fn command(self, tools: &Tools, log: &Path, lines: Lines, port: u16) -> Command {
        let path = |name| tools.path(name).unwrap_or(Path::new(name));
        let count = match lines {
            Lines::Last(count) => count.to_string(),
            Lines::All => "+1".to_owned(),
        };
        let port = port.to_string();
        let tail = [path("tail").as_os_str(), "-n".as_ref(), count.as_ref(), "-F".as_ref(), log.as_os_str()];
        let program = match self {
            Peer::Wstail | Peer::WstailText | Peer::WstailFilter => Path::new(env!("CARGO_BIN_EXE_wstail")),
            Peer::Netcat => Path::new("sh"),
            _ => path(self.needs().first().unwrap_or(&"")),
        };
        let mut command = Command::new(program);
        match self {
            Peer::Wstail | Peer::WstailText | Peer::WstailFilter => {
                command.args(["serve", "--port", &port, "--max-connections", CONNECTIONS]).arg(log)
            }
            Peer::Websocketd => {
                let port = format!("--port={port}");
                command.args(["--loglevel=fatal", "--address=127.0.0.1", &port]).args(tail)
            }
            Peer::Websocat => {
                let (listen, exec) = (format!("ws-l:127.0.0.1:{port}"), format!("exec:{}", path("tail").display()));
                command.args(["-b", "-B", CHUNK, &listen, &exec, "--exec-args"]).args(&tail[1..])
            }
            Peer::Frontail => command
                .args(["--disable-usage-stats", "--host", "127.0.0.1", "--port", &port, "--number", &count])
                .arg(log),
            Peer::Seed => command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/seed.py")).arg(port),
            Peer::Netcat => {
                let script = r#"port=$1 nc=$2; shift 2; "$@" | "$nc" -l 127.0.0.1 "$port""#;
                command.args(["-c", script, "sh", &port]).arg(path("nc")).args(tail)
            }
            Peer::Pipe => command.args(&tail[1..]),
            Peer::Loopback => unreachable!("it has no command"),
        };
        let output = if self == Peer::Pipe { Stdio::piped() } else { Stdio::null() };
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).env_remove("RUST_LOG");
        command
    }
}

/// A peer that serves one log.
pub struct Server {
    peer: Peer,
    port: u16,
    log: String,
    tree: Option<Tree>,
    /// Of frontail's events.
    namespace: String,
}

impl Server {
    /// Starts a peer; returns once it listens.
    pub fn start(peer: Peer, tools: &Tools, log: &Path, lines: Lines) -> Outcome<Server> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut tree = Tree::new(peer.command(tools, log, lines, port).spawn()?);
        if peer != Peer::Pipe {
            wait_until_listening(tree.child(), port)?;
        }
        let log = log.to_str().ok_or("a temporary directory whose path is no UTF-8")?.to_owned();
        let mut server = Server { peer, port, log, tree: Some(tree), namespace: String::new() };
        if peer == Peer::Frontail {
            server.namespace = server.find_namespace()?;
        }
        Ok(server)
    }

    /// A thread that sends `lines` lines out of memory, the same block over and over.
    pub fn loopback(lines: u64) -> Outcome<Server> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || -> io::Result<()> {
            let (mut socket, _) = listener.accept()?;
            let mut block = Block::new(BUFFER / LINE);
            let bytes = block.fill(0);
            for sent in (0..lines).step_by(BUFFER / LINE) {
                let left = (lines - sent) * LINE as u64;
                socket.write_all(&bytes[..bytes.len().min(left as usize)])?;
            }
            Ok(())
        });
        Ok(Server { peer: Peer::Loopback, port, log: String::new(), tree: None, namespace: String::new() })
    }

    pub fn connect(&mut self, lines: Lines) -> Outcome<Connection> {
        let lines = match lines {
            Lines::Last(count) => count.to_string(),
            Lines::All => "all".to_owned(),
        };
        let target = match self.peer {
            Peer::Wstail | Peer::WstailText => format!("{}?tail=1&lines={lines}", self.log),
            Peer::WstailFilter => format!("{}?tail=1&lines={lines}&grep=answered%20[0-9]%2B", self.log),
            Peer::Seed => format!("{}?lines={lines}", self.log),
            Peer::Frontail => "/socket.io/?EIO=3&transport=websocket".to_owned(),
            _ => "/".to_owned(),
        };
        match self.peer {
            Peer::Netcat | Peer::Loopback => Ok(Connection::tcp(self.port)?),
            Peer::Pipe => {
                let output = self.tree.as_mut().and_then(|tree| tree.child().stdout.take());
                Ok(Connection::pipe(output.ok_or("a pipe has one reader")?))
            }
            peer => {
                let subprotocol = matches!(peer, Peer::Wstail | Peer::WstailFilter).then_some("wstail.v1");
                let mut connection = Connection::websocket(self.port, &target, peer.dialect(), subprotocol)?;
                if peer == Peer::Frontail {
                    connection.decoder.say(&format!("40{},", self.namespace));
                    connection.flush()?;
                }
                Ok(connection)
            }
        }
    }

    /// Seconds of CPU since the start.
    pub fn cpu(&self) -> f64 {
        self.tree.as_ref().map_or(0.0, Tree::cpu)
    }

    /// In bytes.
    pub fn pss(&self) -> u64 {
        self.tree.as_ref().map_or(0, Tree::pss)
    }

    pub fn wakeups(&self) -> u64 {
        self.tree.as_ref().map_or(0, Tree::wakeups)
    }

    /// frontail's page tells it: `io.connect('/NAMESPACE', {`.
    fn find_namespace(&self) -> Outcome<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port);
        socket.write_all(request.as_bytes())?;
        load::head(&mut socket)?;
        let page = io::read_to_string(socket)?;
        let found = page.split_once("io.connect('").and_then(|(_, rest)| rest.split_once('\''));
        Ok(found.ok_or("frontail's page names no namespace")?.0.to_owned())
    }
}

/// No connection is made for it: `tail | nc` has one, and the first is the warm-up.
fn wait_until_listening(child: &mut Child, port: u16) -> Outcome<()> {
    let deadline = Instant::now() + READY;
    while !is_listening(port) {
        if let Some(status) = child.try_wait()? {
            return Err(format!("ended at once: {status}").into());
        }
        if Instant::now() >= deadline {
            return Err(format!("did not listen within {} s", READY.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn is_listening(port: u16) -> bool {
    let local = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|path| fs::read_to_string(path).ok()).any(|table| {
        table.lines().any(|line| {
            let mut fields = line.split_whitespace();
            // The local address is the second field, the state the fourth: 0A is LISTEN, of proc_net(5).
            fields.nth(1).is_some_and(|address| address.ends_with(&local)) && fields.nth(1) == Some("0A")
        })
    })
}
