//! The connections being served: each has a thread, and their number is limited. A client is admitted or refused here.
//! What happens on an admitted client's thread is not known here.
//!
//! A thread that ends sends its number and wakes the accepting thread, which joins it. So no thread is left behind, and
//! its place is free again even after a panic.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::overload::{Overload, Refused};
use super::quota::Quota;
use crate::error::cause;
use crate::server::report::metrics::{Ended, Metrics};
use crate::server::report::rate_limited_log::{RateLimitedLog, Topic};
use crate::server::request::session;
use crate::server::shared::Shared;
use crate::shutdown::Shutdown;

/// How long the threads may take to end when the server shuts down.
const JOIN: Duration = Duration::from_millis(2500);

/// The connections being served, and the refused clients.
pub(super) struct Connections {
    shared: Arc<Shared>,
    shutdown: Shutdown,
    threads: HashMap<u64, (JoinHandle<()>, IpAddr)>,
    quota: Quota,
    last: u64,
    sender: Sender<u64>,
    waker: Arc<UnixStream>,
    /// The numbers of threads that are about to end. Disconnected when no thread is left.
    ended: Receiver<u64>,
    /// Readable when a number may have arrived.
    pub wakeups: UnixStream,
    pub overload: Overload,
}

/// A connection's place among the limited number. Dropping it gives the place back.
struct Slot {
    number: u64,
    metrics: Arc<Metrics>,
    ended: Ended,
    sender: Sender<u64>,
    waker: Arc<UnixStream>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.metrics.end(self.ended);
        let _ = self.sender.send(self.number);
        // If the socket is full, the accepting thread has not seen an earlier wake-up yet, so this one is not needed.
        let _ = (&*self.waker).write(&[0]);
    }
}

impl Connections {
    pub(super) fn new(shared: Arc<Shared>, shutdown: Shutdown) -> io::Result<Connections> {
        let (sender, ended) = crossbeam_channel::unbounded();
        let (waker, wakeups) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        wakeups.set_nonblocking(true)?;
        let waker = Arc::new(waker);
        shared.reports.own_log.wake(waker.clone());
        let (threads, overload) = (HashMap::new(), Overload::default());
        let quota = Quota::new(shared.config.max_connections_per_ip);
        Ok(Connections { shared, shutdown, threads, quota, last: 0, sender, waker, ended, wakeups, overload })
    }

    /// Gives a client a thread, or refuses it.
    pub(super) fn admit(&mut self, client: TcpStream, from: SocketAddr) {
        self.reap();
        if self.threads.len() >= self.shared.config.max_connections {
            return self.turn_away(client, Refused::Connections);
        }
        if !self.quota.has_room(from.ip()) {
            return self.turn_away(client, Refused::Address);
        }
        let client = Arc::new(client);
        if let Err(error) = self.serve(client.clone(), from) {
            let line = format_args!("cannot start a thread: {}", cause(&error));
            self.shared.reports.own_log.log(Topic::Thread, line, Instant::now());
            if let Some(client) = Arc::into_inner(client) {
                self.refuse(client, Refused::Thread);
            }
        }
    }

    fn serve(&mut self, client: Arc<TcpStream>, from: SocketAddr) -> io::Result<()> {
        let (shared, shutdown) = (self.shared.clone(), self.shutdown.clone());
        self.spawn(from.ip(), move || {
            log::debug!("{from} connected");
            match session::serve(&client, &shared, &shutdown) {
                Ok(ended) => {
                    log::debug!("{from} is gone");
                    ended
                }
                Err(error) => {
                    log::debug!("{from} is gone: {}", cause(&error));
                    Ended::Left
                }
            }
        })
    }

    fn spawn(&mut self, from: IpAddr, serve: impl FnOnce() -> Ended + Send + 'static) -> io::Result<()> {
        self.last += 1;
        let (sender, waker, metrics) = (self.sender.clone(), self.waker.clone(), self.shared.reports.metrics.clone());
        metrics.begin();
        // If no thread can be started, the slot is dropped with this value: the server is overloaded.
        let slot = Slot { number: self.last, metrics, ended: Ended::Overloaded, sender, waker };
        let builder = thread::Builder::new().name(format!("client {}", self.last)).stack_size(session::STACK);
        let thread = builder.spawn(move || {
            let mut slot = slot;
            slot.ended = Ended::Panicked;
            slot.ended = serve();
        })?;
        self.threads.insert(self.last, (thread, from));
        self.quota.enter(from);
        Ok(())
    }

    fn turn_away(&mut self, client: TcpStream, reason: Refused) {
        self.shared.reports.metrics.begin();
        self.shared.reports.metrics.end(Ended::Overloaded);
        self.refuse(client, reason);
    }

    fn refuse(&mut self, client: TcpStream, reason: Refused) {
        self.overload.refuse(client, reason, self.shared.acceptor.is_some());
    }

    /// Joins the threads that are about to end.
    pub(super) fn reap(&mut self) {
        while matches!((&self.wakeups).read(&mut [0; 64]), Ok(read) if read > 0) {}
        for (thread, from) in self.ended.try_iter().filter_map(|number| self.threads.remove(&number)) {
            self.quota.leave(from);
            join(thread, &self.shared.reports.own_log);
        }
    }

    /// Joins all threads that end in time.
    pub(super) fn join(self) {
        let Connections { shared, mut threads, sender, ended, .. } = self;
        let deadline = Instant::now() + JOIN;
        drop(sender);
        while let Ok(number) = ended.recv_deadline(deadline) {
            threads.remove(&number).into_iter().for_each(|(thread, _)| join(thread, &shared.reports.own_log));
        }
        if !threads.is_empty() {
            log::warn!("{} connections did not end in time", threads.len());
        }
    }
}

/// Joins a thread. A panic ends only its own connection.
pub(super) fn join(thread: JoinHandle<()>, own_log: &RateLimitedLog) {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    if thread.join().is_err() {
        own_log.log(Topic::Panic, format_args!("the thread `{name}` panicked"), Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::select::zone::Zone;
    use crate::server::config::ServerConfig;
    use crate::server::request::access::Access;
    use crate::server::request::base::Base;
    use crate::server::scans::Scans;
    use crate::wait::timeout;
    use rustix::event::{PollFd, PollFlags, poll};

    #[test]
    fn a_panic_ends_its_connection_alone_and_gives_its_place_back() {
        let roots = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::open([roots.path()], false).unwrap());
        let (config, base) = (ServerConfig::default(), Base::parse("/").unwrap());
        let access = Access::new(&config, "http", "here").unwrap();
        let (reports, lists) = Default::default();
        let scans = Arc::new(Scans::new(None));
        let zone = Arc::new(Zone::utc());
        let shared = Shared { config, access, acceptor: None, base, roots, watcher: None, reports, lists, scans, zone };
        let (_trigger, shutdown) = crate::shutdown().unwrap();
        let mut connections = Connections::new(Arc::new(shared), shutdown.clone()).unwrap();
        let (sender, receiver) = crossbeam_channel::bounded(0);
        let here = IpAddr::from([127, 0, 0, 1]);
        connections.spawn(here, move || receiver.recv().unwrap()).unwrap();
        connections.spawn(here, || panic!("on purpose")).unwrap();
        let deadline = Instant::now() + JOIN;
        while connections.threads.len() > 1 && Instant::now() < deadline {
            poll(&mut [PollFd::new(&connections.wakeups, PollFlags::IN)], timeout(Some(deadline)).as_ref()).unwrap();
            connections.reap();
        }
        let metrics = connections.shared.reports.metrics.to_string();
        assert!(
            metrics.contains("{outcome=\"panicked\"} 1\n") && metrics.contains("wstail_connections_open 1\n"),
            "{metrics}"
        );
        sender.send_timeout(Ended::Completed, JOIN).expect("the other one goes on");
        connections.join();
    }
}
