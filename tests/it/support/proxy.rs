//! A seeded proxy that cuts, resets, stalls and drips connections as networks do. What it forwards arrives unchanged
//! and in order.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use crate::support::random::Random;
use crate::support::{DEADLINE, until};

/// The longest wait of a thread before it checks whether the test is over.
const TICK: Duration = Duration::from_millis(10);

/// Ends its connections and threads when it is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Forwards connections to its address to the target, `HOST:PORT`. If the target refuses, the client is dropped.
    pub fn start(target: String, seed: u64) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { target: Mutex::new(target), ..State::default() });
        let shared = state.clone();
        let listener = Some(thread::spawn(move || listen(&listener, &shared, seed)));
        FaultProxy { address, state, listener }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Sets where the next connections go: a restarted server may have another port.
    pub fn set_target(&self, target: String) {
        *self.state.target.lock().unwrap() = target;
    }

    /// Stops all faults, including those in progress.
    pub fn calm(&self) {
        self.state.calm.store(true, Ordering::Relaxed);
    }

    /// How many faults there were.
    pub fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        // Wakes the listener. If it has ended already, there is nothing to wake.
        let _ = TcpStream::connect(self.address);
        let ended = self.listener.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the proxy panicked");
    }
}

#[derive(Default)]
struct State {
    target: Mutex<String>,
    calm: AtomicBool,
    over: AtomicBool,
    faults: AtomicU64,
}

fn listen(listener: &TcpListener, state: &State, seed: u64) {
    thread::scope(|scope| {
        for count in 0.. {
            let Ok((client, _)) = listener.accept() else { continue };
            if state.over.load(Ordering::Relaxed) {
                break;
            }
            scope.spawn(move || forward(client, state, Random::new(seed.wrapping_add(count))));
        }
    });
}

fn forward(client: TcpStream, state: &State, random: Random) {
    let target = state.target.lock().unwrap().clone();
    let Ok(server) = TcpStream::connect(target) else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TICK)).unwrap();
        stream.set_write_timeout(Some(TICK)).unwrap();
    }
    let link = Link { client, server, state, over: AtomicBool::new(false), gate: Mutex::new(()) };
    thread::scope(|scope| {
        scope.spawn(|| link.up());
        Down::new(&link, random).run();
    });
}

/// A client's two connections. Both are closed only after both of its threads have ended: a reset needs the last handle
/// closed.
struct Link<'s> {
    client: TcpStream,
    server: TcpStream,
    state: &'s State,
    over: AtomicBool,
    /// Held while nothing is forwarded.
    gate: Mutex<()>,
}

impl Link<'_> {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || self.state.over.load(Ordering::Relaxed)
    }

    fn is_calm(&self) -> bool {
        self.state.calm.load(Ordering::Relaxed)
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Client to server, without faults of its own.
    fn up(&self) {
        let mut buffer = [0; 65_536];
        while !self.is_over() {
            match read(&self.client, &mut buffer) {
                Ok(None) => {}
                Ok(Some(0)) => return drop(self.server.shutdown(Shutdown::Write)),
                Ok(Some(length)) => {
                    drop(self.gate.lock().unwrap());
                    // This also fails after half a cut: the client must still get what the server sends then.
                    if self.write(&self.server, &buffer[..length]).is_err() {
                        return;
                    }
                }
                Err(_) => return self.end(),
            }
        }
    }

    fn write(&self, mut stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && !self.is_over() {
            match stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Reads what has arrived, or returns `None` if nothing has yet.
fn read(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match stream.read(buffer) {
        Ok(length) => Ok(Some(length)),
        Err(error) if is_pause(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Server to client, with the faults.
struct Down<'l> {
    link: &'l Link<'l>,
    random: Random,
    /// The next fault comes after this many bytes or at this time, whichever is first.
    bytes: usize,
    time: Instant,
    /// How many bytes are still to be dripped.
    drip: usize,
    /// The client has seen the end of the connection: the server's further bytes are dropped.
    is_cut: bool,
}

impl Down<'_> {
    fn new<'l>(link: &'l Link<'l>, random: Random) -> Down<'l> {
        let mut down = Down { link, random, bytes: 0, time: Instant::now(), drip: 0, is_cut: false };
        down.plan();
        down
    }

    /// As many faults fall within the first 1 KiB, where the handshake is, as between 1 KiB and 1 MiB.
    fn plan(&mut self) {
        let magnitude = 1 << self.random.below(20);
        self.bytes = magnitude + self.random.below(magnitude);
        self.time = Instant::now() + self.millis(50, 3000);
    }

    fn millis(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis((least + self.random.below(most - least + 1)) as u64)
    }

    fn run(mut self) {
        let mut buffer = [0; 65_536];
        while !self.link.is_over() {
            if self.is_due() {
                self.fault();
                self.plan();
                continue;
            }
            let most = self.most().min(buffer.len());
            match read(&self.link.server, &mut buffer[..most]) {
                Ok(None) => {}
                Ok(Some(0)) => return drop(self.link.client.shutdown(Shutdown::Write)),
                Ok(Some(length)) => self.forward(&buffer[..length]),
                Err(_) => self.link.end(),
            }
        }
    }

    fn is_due(&self) -> bool {
        !self.link.is_calm() && (self.bytes == 0 || self.time <= Instant::now())
    }

    fn most(&self) -> usize {
        match (self.link.is_calm(), self.drip) {
            (true, _) => usize::MAX,
            (false, 0) => self.bytes,
            (false, _) => 1,
        }
    }

    fn forward(&mut self, bytes: &[u8]) {
        if !self.is_cut && self.link.write(&self.link.client, bytes).is_err() {
            self.link.end();
        }
        self.bytes = self.bytes.saturating_sub(bytes.len());
        if self.drip > 0 && !self.link.is_calm() {
            self.drip -= 1;
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn fault(&mut self) {
        self.link.state.faults.fetch_add(1, Ordering::Relaxed);
        match self.random.below(6) {
            0 => self.cut(),
            1 => self.reset(),
            2 => self.stall(),
            3 => self.drip = 200,
            4 => self.cut_down(),
            _ => drop(self.link.server.shutdown(Shutdown::Write)),
        }
    }

    fn cut(&self) {
        for stream in [&self.link.client, &self.link.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.link.end();
    }

    fn reset(&self) {
        for stream in [&self.link.client, &self.link.server] {
            let _ = set_socket_linger(stream, Some(Duration::ZERO));
        }
        self.link.end();
    }

    fn stall(&mut self) {
        let end = Instant::now() + self.millis(50, 1500);
        let _gate = self.link.gate.lock().unwrap();
        while Instant::now() < end && !self.link.is_calm() && !self.link.is_over() {
            thread::sleep(TICK.min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn cut_down(&mut self) {
        let _ = self.link.client.shutdown(Shutdown::Write);
        self.is_cut = true;
    }
}

/// A server that sends back what it receives.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || io::copy(&mut &stream, &mut &stream));
        }
    });
    address
}

/// What comes back, and how the connection ended.
fn echoed(address: &str, sent: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut received = Vec::new();
    let end = thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(sent).and_then(|()| stream.shutdown(Shutdown::Write)));
        let end = (&stream).read_to_end(&mut received).map(drop);
        // Nobody reads any more, so do not let the sender wait.
        let _ = stream.shutdown(Shutdown::Both);
        end
    });
    (received, end)
}

fn megabytes(count: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    (0..count * 1_000_000).map(|_| random.below(256) as u8).collect()
}

#[test]
fn a_calm_proxy_changes_nothing() {
    let proxy = FaultProxy::start(echo(), 1);
    proxy.calm();
    let sent = megabytes(5);
    let (received, end) = echoed(&proxy.address(), &sent);
    end.unwrap();
    assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    assert_eq!(proxy.faults(), 0);
}

#[test]
fn a_faulty_proxy_delivers_a_prefix() {
    let (target, sent) = (echo(), megabytes(5));
    let (mut shorter, mut resets) = (0, 0);
    thread::scope(|scope| {
        let play = |seed| {
            let proxy = FaultProxy::start(target.clone(), seed);
            let (received, end) = echoed(&proxy.address(), &sent);
            assert!(sent.starts_with(&received), "seed {seed}: {} bytes", received.len());
            let is_timeout = end.as_ref().is_err_and(is_pause);
            assert!(!is_timeout, "seed {seed}: neither byte nor end after {} bytes", received.len());
            assert!(received.len() == sent.len() || proxy.faults() > 0, "seed {seed}");
            (received.len() < sent.len(), end.is_err())
        };
        let threads: Vec<_> = (0..40).map(|seed| scope.spawn(move || play(seed))).collect();
        for (is_shorter, is_reset) in threads.into_iter().map(|thread| thread.join().unwrap()) {
            shorter += usize::from(is_shorter);
            resets += usize::from(is_reset);
        }
    });
    assert!(shorter > 20 && (1..shorter).contains(&resets), "{shorter} ended early, {resets} of them reset");
}

#[test]
fn a_silent_connection_meets_faults_too() {
    let proxy = FaultProxy::start(echo(), 2);
    let _streams = [(); 10].map(|()| TcpStream::connect(proxy.address()).unwrap());
    until("all had a fault", || proxy.faults() >= 10);
    proxy.calm();
    assert_eq!(echoed(&proxy.address(), b"as it is").0, b"as it is");
}

#[test]
fn a_refusing_target_is_replaced_by_another() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = FaultProxy::start(unused.to_string(), 3);
    proxy.calm();
    assert_eq!(echoed(&proxy.address(), b"").0, b"");
    proxy.set_target(echo());
    assert_eq!(echoed(&proxy.address(), b"here").0, b"here");
}
