//! The listening sockets, and the thread that accepts from them until the server shuts down. [`Connections::admit`]
//! decides whether a client is served.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::bind::{ListeningSockets, bind_hosts};
use super::connections::{Connections, join};
use crate::error::{Error, Result, cause};
use crate::server::notifier::{self, NewRoots};
use crate::server::report::rate_limited_log::{RateLimitedLog, Topic};
use crate::server::shared::Shared;
use crate::shutdown::Shutdown;
use crate::wait::timeout;

#[derive(Debug)]
pub(in crate::server) struct Listener {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

/// The pause before the next attempt after accepting has failed.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Listener {
    pub(in crate::server) fn bind(shared: Arc<Shared>) -> Result<Listener> {
        let ListeningSockets { sockets, addresses, .. } = bind_hosts(&shared.config.hosts, shared.config.port)?;
        Ok(Listener { sockets, addresses, shared })
    }

    pub(in crate::server) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(in crate::server) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(in crate::server) fn run(self, shutdown: &Shutdown) -> Result<()> {
        let connections = Connections::new(self.shared.clone(), shutdown.clone());
        let mut connections = connections.map_err(|error| Error::io("cannot start the server", error))?;
        let notifier = self.notify(shutdown);
        let mut backoff = AcceptBackoff::default();
        loop {
            let ready = self.wait(&mut connections, shutdown).unwrap_or_else(|errno| {
                backoff.pause(&errno.into(), &self.shared.reports.own_log, shutdown);
                Vec::new()
            });
            if shutdown.is_triggered() {
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
                        self.shared.reports.metrics.accept_errors.add(1);
                        backoff.pause(&error, &self.shared.reports.own_log, shutdown);
                    }
                }
            }
        }
        drop(self.sockets);
        connections.join();
        notifier.into_iter().for_each(|thread| join(thread, &self.shared.reports.own_log));
        self.shared.reports.own_log.sum_up(None);
        Ok(())
    }

    fn notify(&self, shutdown: &Shutdown) -> Option<JoinHandle<()>> {
        let Shared { watcher, roots, config, .. } = &*self.shared;
        let new = Arc::new(NewRoots::default());
        new.add(roots);
        notifier::start(watcher.as_ref()?, new, config.poll, shutdown.clone())
    }

    /// Waits for a connection to accept. Meanwhile, joins ended threads and disconnects refused clients.
    fn wait(&self, connections: &mut Connections, shutdown: &Shutdown) -> Result<Vec<&TcpListener>, Errno> {
        let flags = PollFlags::IN;
        let mut fds = vec![PollFd::new(shutdown, flags), PollFd::new(&connections.wakeups, flags)];
        fds.extend(self.sockets.iter().map(|socket| PollFd::new(socket, flags)));
        fds.extend(connections.overload.waits().map(|(socket, _)| PollFd::new(socket, flags)));
        let refused = connections.overload.waits().map(|(_, until)| until);
        let until = refused.chain(self.shared.reports.own_log.due()).min();
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
        let is_ready: Vec<bool> = fds[2..].iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        connections.reap();
        connections.overload.tidy();
        self.shared.reports.own_log.sum_up(Some(Instant::now()));
        Ok(self.sockets.iter().zip(is_ready).filter(|(_, ready)| *ready).map(|(socket, _)| socket).collect())
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}

/// Accepting fails when descriptors or memory run out. Keep trying, with longer and longer pauses.
#[derive(Default)]
struct AcceptBackoff {
    pause: Option<Duration>,
}

impl AcceptBackoff {
    fn pause(&mut self, error: &io::Error, own_log: &RateLimitedLog, shutdown: &Shutdown) {
        own_log.log(Topic::Accept, format_args!("cannot accept connections: {}", cause(error)), Instant::now());
        let pause = self.pause.map_or(SHORTEST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        shutdown.sleep(pause);
    }
}
