//! Accepts connections and gives each a thread of its own, as long as there are slots left.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown as Half, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{bind, listen, sockopt};

use super::complaints::{Complaints, Topic};
use super::http::Refusal;
use super::metrics::{Metrics, Outcome};
use super::quota::Quota;
use super::{Shared, notifier, secure, session};
use crate::error::{Error, Result, cause};
use crate::shutdown::Shutdown;
use crate::socket;
use crate::wait::timeout;

#[derive(Debug)]
pub(super) struct Listener {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Enough for the deepest call of a connection with a wide margin: a debug build uses 32 KiB of it.
const STACK: usize = 256 * 1024;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long the threads have to say farewell.
const FAREWELL: Duration = Duration::from_millis(2500);

impl Listener {
    /// Binds every address of every host. With port 0 the first picks the port for all.
    pub(super) fn bind(shared: Arc<Shared>) -> Result<Listener> {
        let mut port = shared.config.port;
        let mut listener = Listener { sockets: Vec::new(), addresses: Vec::new(), shared: shared.clone() };
        for host in &shared.config.hosts {
            let name = host.trim_start_matches('[').trim_end_matches(']');
            let failed = |place: &str, error| Error::io(format!("cannot listen on {place}"), error);
            let found = (name, port).to_socket_addrs().map_err(|error| failed(host, error))?;
            for address in found {
                if listener.addresses.iter().any(|known| known.ip() == address.ip()) {
                    continue;
                }
                let socket = open(address).map_err(|error| failed(&address.to_string(), error))?;
                let address = socket.local_addr().map_err(|error| failed(&address.to_string(), error))?;
                port = address.port();
                listener.sockets.push(socket);
                listener.addresses.push(address);
            }
        }
        Ok(listener)
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn run(self, shutdown: &Shutdown) -> Result<()> {
        let connections = Connections::new(self.shared.clone(), shutdown.clone());
        let mut connections = connections.map_err(|error| Error::io("cannot start to serve", error))?;
        let watcher = self.shared.watcher.clone();
        let notifier = watcher.and_then(|watcher| notifier::start(watcher, shutdown.clone()));
        let mut backoff = AcceptBackoff::default();
        loop {
            let ready = self.wait(&mut connections, shutdown).unwrap_or_else(|errno| {
                backoff.pause(&errno.into(), &self.shared.complaints, shutdown);
                Vec::new()
            });
            if shutdown.is_ordered() {
                break;
            }
            for socket in ready {
                match socket.accept() {
                    Ok((client, from)) => {
                        backoff.pause = None;
                        connections.admit(client, from);
                    }
                    Err(error) if is_passing(&error) => {}
                    Err(error) => {
                        self.shared.metrics.accept_errors.add(1);
                        backoff.pause(&error, &self.shared.complaints, shutdown);
                    }
                }
            }
        }
        drop(self.sockets);
        connections.join();
        notifier.into_iter().for_each(|thread| join(thread, &self.shared.complaints));
        self.shared.complaints.sum_up(None);
        Ok(())
    }

    /// Waits for a connection to accept; meanwhile ended threads are joined and refused clients see their end.
    fn wait(&self, connections: &mut Connections, shutdown: &Shutdown) -> Result<Vec<&TcpListener>, Errno> {
        let flags = PollFlags::IN;
        let mut fds = vec![PollFd::new(shutdown, flags), PollFd::new(&connections.wakeups, flags)];
        fds.extend(self.sockets.iter().map(|socket| PollFd::new(socket, flags)));
        fds.extend(connections.refused.iter().map(|refused| PollFd::new(&refused.socket, flags)));
        let refused = connections.refused.iter().map(|refused| refused.until);
        let until = refused.chain(self.shared.complaints.due()).min();
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
        let is_ready: Vec<bool> = fds[2..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        connections.reap();
        connections.tidy();
        self.shared.complaints.sum_up(Some(Instant::now()));
        Ok(self.sockets.iter().zip(is_ready).filter(|(_, ready)| *ready).map(|(socket, _)| socket).collect())
    }
}

/// Both families on one socket where the address is `::`, whatever the system's default.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket::open(&address)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}

/// Accepting fails: out of descriptors or memory. It goes on, more and more slowly.
#[derive(Default)]
struct AcceptBackoff {
    pause: Option<Duration>,
}

impl AcceptBackoff {
    fn pause(&mut self, error: &io::Error, complaints: &Complaints, shutdown: &Shutdown) {
        complaints.log(Topic::Accept, format_args!("cannot accept connections: {}", cause(error)), Instant::now());
        let pause = self.pause.map_or(SHORTEST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        shutdown.sleep(pause);
    }
}

/// The connections being served, and those that were refused and have not seen it yet.
struct Connections {
    shared: Arc<Shared>,
    shutdown: Shutdown,
    threads: HashMap<u64, (JoinHandle<()>, IpAddr)>,
    quota: Quota,
    last: u64,
    sender: Sender<u64>,
    waker: Arc<UnixStream>,
    /// Numbers of threads that are at their end; disconnected when there is none left.
    ended: Receiver<u64>,
    /// Readable when a number may have come.
    wakeups: UnixStream,
    refused: Vec<Refused>,
}

struct Refused {
    socket: TcpStream,
    until: Instant,
}

/// A connection's place among the others, given back when it is dropped, whatever happened.
struct Slot {
    number: u64,
    metrics: Arc<Metrics>,
    outcome: Outcome,
    sender: Sender<u64>,
    waker: Arc<UnixStream>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.metrics.end(self.outcome);
        let _ = self.sender.send(self.number);
        // Where there is no room for one more wake-up, one is on its way.
        let _ = (&*self.waker).write(&[0]);
    }
}

impl Connections {
    fn new(shared: Arc<Shared>, shutdown: Shutdown) -> io::Result<Connections> {
        let (sender, ended) = crossbeam_channel::unbounded();
        let (waker, wakeups) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        wakeups.set_nonblocking(true)?;
        let waker = Arc::new(waker);
        shared.complaints.wake(waker.clone());
        let (threads, refused) = (HashMap::new(), Vec::new());
        let quota = Quota::new(shared.config.max_connections_per_ip);
        Ok(Connections { shared, shutdown, threads, quota, last: 0, sender, waker, ended, wakeups, refused })
    }

    fn admit(&mut self, client: TcpStream, from: SocketAddr) {
        self.reap();
        if self.threads.len() >= self.shared.config.max_connections {
            return self.turn_away(client, "too many connections");
        }
        if !self.quota.has_room(from.ip()) {
            return self.turn_away(client, "too many connections from this address");
        }
        let client = Arc::new(client);
        if let Err(error) = self.serve(client.clone(), from) {
            let line = format_args!("cannot start a thread: {}", cause(&error));
            self.shared.complaints.log(Topic::Thread, line, Instant::now());
            if let Some(client) = Arc::into_inner(client) {
                self.refuse(client, "no thread to be had");
            }
        }
    }

    fn serve(&mut self, client: Arc<TcpStream>, from: SocketAddr) -> io::Result<()> {
        let (shared, shutdown) = (self.shared.clone(), self.shutdown.clone());
        self.spawn(from.ip(), move || {
            log::debug!("{from} connected");
            match session::serve(&client, &shared, &shutdown) {
                Ok(outcome) => {
                    log::debug!("{from} is gone");
                    outcome
                }
                Err(error) => {
                    log::debug!("{from} is gone: {}", cause(&error));
                    Outcome::Left
                }
            }
        })
    }

    fn spawn(&mut self, from: IpAddr, serve: impl FnOnce() -> Outcome + Send + 'static) -> io::Result<()> {
        self.last += 1;
        let (sender, waker, metrics) = (self.sender.clone(), self.waker.clone(), self.shared.metrics.clone());
        metrics.begin();
        // Where there is no thread to be had it is dropped as it is.
        let slot = Slot { number: self.last, metrics, outcome: Outcome::Overloaded, sender, waker };
        let builder = thread::Builder::new().name(format!("client {}", self.last)).stack_size(STACK);
        let thread = builder.spawn(move || {
            let mut slot = slot;
            slot.outcome = Outcome::Panicked;
            slot.outcome = serve();
        })?;
        self.threads.insert(self.last, (thread, from));
        self.quota.enter(from);
        Ok(())
    }

    fn turn_away(&mut self, client: TcpStream, reason: &str) {
        self.shared.metrics.begin();
        self.shared.metrics.end(Outcome::Overloaded);
        self.refuse(client, reason);
    }

    /// Answers 503 from here, without a thread and without waiting.
    fn refuse(&mut self, client: TcpStream, reason: &str) {
        /// More than that see their connection closed at once.
        const MAX_REFUSED: usize = 256;
        const LINGER: Duration = Duration::from_secs(1);
        let answer = match self.shared.acceptor {
            Some(_) => secure::ALERT.to_vec(),
            None => Refusal::new(503, reason).response(),
        };
        let written = client.set_nonblocking(true).and_then(|()| (&client).write(&answer));
        if written.is_ok() && client.shutdown(Half::Write).is_ok() && self.refused.len() < MAX_REFUSED {
            self.refused.push(Refused { socket: client, until: Instant::now() + LINGER });
        }
    }

    /// Drops what the refused still send, so that no reset overtakes their answer, and forgets who has seen it.
    fn tidy(&mut self) {
        let now = Instant::now();
        self.refused.retain_mut(|refused| {
            let read = (&refused.socket).read(&mut [0; 4096]);
            let open = match read {
                Ok(read) => read > 0,
                Err(error) => is_passing(&error),
            };
            open && now < refused.until
        });
    }

    /// Joins the threads that are at their end.
    fn reap(&mut self) {
        while matches!((&self.wakeups).read(&mut [0; 64]), Ok(read) if read > 0) {}
        for (thread, from) in self.ended.try_iter().filter_map(|number| self.threads.remove(&number)) {
            self.quota.leave(from);
            join(thread, &self.shared.complaints);
        }
    }

    /// Joins them all, as far as they end in time.
    fn join(self) {
        let Connections { shared, mut threads, sender, ended, .. } = self;
        let deadline = Instant::now() + FAREWELL;
        drop(sender);
        while let Ok(number) = ended.recv_deadline(deadline) {
            threads.remove(&number).into_iter().for_each(|(thread, _)| join(thread, &shared.complaints));
        }
        if !threads.is_empty() {
            log::warn!("{} connections did not end in time", threads.len());
        }
    }
}

/// A panic ends its connection alone.
fn join(thread: JoinHandle<()>, complaints: &Complaints) {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    if thread.join().is_err() {
        complaints.log(Topic::Panic, format_args!("the thread `{name}` panicked"), Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::server::Config;
    use crate::server::access::Access;
    use crate::server::base::Base;

    #[test]
    fn a_panic_ends_its_connection_alone_and_gives_its_place_back() {
        let roots = tempfile::tempdir().unwrap();
        let roots = Roots::open([roots.path()], false).unwrap();
        let (config, base) = (Config::default(), Base::parse("/").unwrap());
        let access = Access::new(&config, "http", "here").unwrap();
        let (metrics, complaints, listing) = (Arc::default(), Arc::default(), Default::default());
        let shared =
            Shared { config, access, acceptor: None, base, roots, watcher: None, metrics, complaints, listing };
        let (_trigger, shutdown) = crate::shutdown().unwrap();
        let mut connections = Connections::new(Arc::new(shared), shutdown.clone()).unwrap();
        let (sender, receiver) = crossbeam_channel::bounded(0);
        let here = IpAddr::from([127, 0, 0, 1]);
        connections.spawn(here, move || receiver.recv().unwrap()).unwrap();
        connections.spawn(here, || panic!("on purpose")).unwrap();
        let deadline = Instant::now() + FAREWELL;
        while connections.threads.len() > 1 && Instant::now() < deadline {
            poll(&mut [PollFd::new(&connections.wakeups, PollFlags::IN)], timeout(Some(deadline)).as_ref()).unwrap();
            connections.reap();
        }
        let told = connections.shared.metrics.to_string();
        assert!(told.contains("{outcome=\"panicked\"} 1\n") && told.contains("wstail_connections_open 1\n"), "{told}");
        sender.send_timeout(Outcome::Completed, FAREWELL).expect("the other one goes on");
        connections.join();
    }
}
