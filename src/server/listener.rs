//! Accepts connections and gives each a thread of its own, as long as there are places left.

use std::convert::Infallible;
use std::io;
use std::net::{Shutdown as Half, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

use super::http::{Method, Refusal};
use super::{Shared, session};
use crate::error::{Error, Result, cause};
use crate::shutdown::Shutdown;
use crate::wait::timeout;

#[derive(Debug)]
pub(super) struct Listener {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Enough for the deepest call of a connection with a wide margin: a debug build uses 40 KiB of it.
const STACK: usize = 256 * 1024;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Between two lines in the log about accepting.
const COMPLAINT: Duration = Duration::from_secs(10);
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

    pub(super) fn run(self, shutdown: &Shutdown) -> Result<()> {
        let mut crowd = Crowd::new(self.shared.clone(), shutdown.clone());
        let mut trouble = Trouble::default();
        loop {
            let ready = self
                .wait(&mut crowd, shutdown)
                .map_err(|errno| Error::io("cannot wait for connections", errno.into()))?;
            if shutdown.is_ordered() {
                break;
            }
            for socket in ready {
                match socket.accept() {
                    Ok((client, from)) => {
                        trouble = Trouble::default();
                        crowd.admit(client, from);
                    }
                    Err(error) if is_passing(&error) => {}
                    Err(error) => trouble.pause(&error, shutdown),
                }
            }
        }
        drop(self.sockets);
        crowd.join();
        Ok(())
    }

    /// Waits for a connection to accept; meanwhile the refused ones see their end.
    fn wait(&self, crowd: &mut Crowd, shutdown: &Shutdown) -> Result<Vec<&TcpListener>, Errno> {
        let flags = PollFlags::IN;
        let mut fds = vec![PollFd::from_borrowed_fd(shutdown.as_fd(), flags)];
        fds.extend(self.sockets.iter().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), flags)));
        fds.extend(crowd.refused.iter().map(|refused| PollFd::from_borrowed_fd(refused.socket.as_fd(), flags)));
        let until = crowd.refused.iter().map(|refused| refused.until).min();
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
        let is_ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        crowd.tidy();
        Ok(self.sockets.iter().zip(is_ready).filter(|(_, ready)| *ready).map(|(socket, _)| socket).collect())
    }
}

/// Both families on one socket where the address is `::`, whatever the system's default.
fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
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

/// Accepting fails: out of descriptors or memory. It goes on, more and more slowly, and says so now and then.
#[derive(Default)]
struct Trouble {
    pause: Option<Duration>,
    said: Option<Instant>,
}

impl Trouble {
    fn pause(&mut self, error: &io::Error, shutdown: &Shutdown) {
        if self.said.is_none_or(|said| said.elapsed() >= COMPLAINT) {
            log::error!("cannot accept connections: {}", cause(error));
            self.said = Some(Instant::now());
        }
        let pause = self.pause.map_or(SHORTEST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        shutdown.sleep(pause);
    }
}

/// The connections being served, and those that were refused and have not seen it yet.
struct Crowd {
    shared: Arc<Shared>,
    shutdown: Shutdown,
    places: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
    /// Every thread holds a sender: when the last is dropped, all are done.
    present: Sender<Infallible>,
    done: Receiver<Infallible>,
    refused: Vec<Refused>,
    number: u64,
}

struct Refused {
    socket: TcpStream,
    until: Instant,
}

/// A place among the connections, given back when it is dropped, whatever happened.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Crowd {
    fn new(shared: Arc<Shared>, shutdown: Shutdown) -> Crowd {
        let (present, done) = crossbeam_channel::bounded(0);
        let places = Arc::new(AtomicUsize::new(0));
        Crowd { shared, shutdown, places, threads: Vec::new(), present, done, refused: Vec::new(), number: 0 }
    }

    fn admit(&mut self, client: TcpStream, from: SocketAddr) {
        self.reap();
        let taken = self.places.fetch_add(1, Ordering::AcqRel);
        let place = Place(self.places.clone());
        if taken >= self.shared.config.max_connections {
            drop(place);
            return self.refuse(client, "too many connections");
        }
        let client = Arc::new(client);
        if let Err(error) = self.spawn(client.clone(), from, place) {
            log::error!("cannot start a thread: {}", cause(&error));
            if let Some(client) = Arc::into_inner(client) {
                self.refuse(client, "no thread to be had");
            }
        }
    }

    fn spawn(&mut self, client: Arc<TcpStream>, from: SocketAddr, place: Place) -> io::Result<()> {
        let (shared, shutdown, present) = (self.shared.clone(), self.shutdown.clone(), self.present.clone());
        self.number += 1;
        let builder = thread::Builder::new().name(format!("client {}", self.number)).stack_size(STACK);
        self.threads.push(builder.spawn(move || {
            let _held = (place, present);
            log::debug!("{from} connected");
            match session::serve(&client, &shared, &shutdown) {
                Ok(()) => log::debug!("{from} is gone"),
                Err(error) => log::debug!("{from} is gone: {}", cause(&error)),
            }
        })?);
        Ok(())
    }

    /// Answers 503 from here, without a thread and without waiting.
    fn refuse(&mut self, client: TcpStream, reason: &str) {
        /// More than that see their connection closed at once.
        const MAX_REFUSED: usize = 256;
        const LINGER: Duration = Duration::from_secs(1);
        let answer = Refusal::new(503, reason).response(Method::Get);
        let written = client.set_nonblocking(true).and_then(|()| io::Write::write(&mut &client, &answer));
        if written.is_ok() && client.shutdown(Half::Write).is_ok() && self.refused.len() < MAX_REFUSED {
            self.refused.push(Refused { socket: client, until: Instant::now() + LINGER });
        }
    }

    /// Drops what the refused still send, so that no reset overtakes their answer, and forgets who has seen it.
    fn tidy(&mut self) {
        let now = Instant::now();
        self.refused.retain_mut(|refused| {
            let read = io::Read::read(&mut &refused.socket, &mut [0; 4096]);
            let open = match read {
                Ok(read) => read > 0,
                Err(error) => is_passing(&error),
            };
            open && now < refused.until
        });
    }

    fn reap(&mut self) {
        let (ended, running) = std::mem::take(&mut self.threads).into_iter().partition(JoinHandle::is_finished);
        self.threads = running;
        ended.into_iter().for_each(join);
    }

    fn join(mut self) {
        drop(self.present);
        if let Err(RecvTimeoutError::Timeout) = self.done.recv_timeout(FAREWELL) {
            log::warn!("some connections did not end in time");
            self.threads.retain(JoinHandle::is_finished);
        }
        self.threads.into_iter().for_each(join);
    }
}

/// A panic ends its connection alone.
fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    if thread.join().is_err() {
        log::error!("the thread `{name}` panicked");
    }
}
