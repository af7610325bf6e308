//! The loop of a connection: what the client sent, what the log gained, what is due; then one wait.
//! It is the same for every sink; a sink says how bytes are wrapped for its kind of client.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::complaints::{Complaints, Topic};
use super::lookout::Lookout;
use super::metrics::{Metrics, Outcome};
use super::outlet::{Outlet, Socket};
use crate::error::cause;
use crate::follow::extent::Extent;
use crate::follow::follower::{Follower, Step};
use crate::protocol::MAX_MESSAGE;
use crate::protocol::close::{self, Close};
use crate::shutdown::Shutdown;
use crate::wait::{Interest, Ready, wait_beside};

/// Where a log's bytes go.
pub(super) trait Sink {
    type Socket: Socket;

    fn outlet(&mut self) -> &mut Outlet<Self::Socket>;
    /// How many WebSocket messages were put on their way.
    fn messages(&self) -> u64 {
        0
    }
    /// What became of the log, after its bytes were pushed.
    fn tell(&mut self, _step: &Step, _follower: &Follower, _now: Instant) {}
    /// The log cannot be read for now.
    fn wait(&mut self, _reason: &str) {}
    /// Takes what was read; `more` when the log is known to hold more. Only called when everything before it is out.
    fn push(&mut self, bytes: &[u8], more: bool, now: Instant);
    /// Whether it takes bytes that were not read.
    fn takes_extents(&self) -> bool {
        false
    }
    /// Takes them; called as [`Sink::push`] is.
    fn push_extent(&mut self, _extent: Extent) {}
    /// There will be no more bytes.
    fn finish(&mut self);
    /// Reads what the client sent.
    fn receive(&mut self) -> Result<(), Gone>;
    /// Does what time demands. `full`: the socket takes nothing more.
    fn beat(&mut self, now: Instant, full: bool) -> Result<(), Gone>;
    /// Hands to the kernel what it takes, extents out of `log`; whether that is all there is to send.
    fn flush(&mut self, log: &File, now: Instant) -> Result<bool, Gone>;
    /// When [`Sink::beat`] or [`Sink::flush`] will have something to do.
    fn due(&self) -> Option<Instant>;
    /// Whether anything the client may still send is of interest.
    fn listens(&self) -> bool;
    /// Queues the farewell.
    fn close(&mut self, close: &Close);
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub(super) enum Gone {
    /// The client has left, which is its right.
    Disconnected,
    /// The client has got what it is to get.
    Served,
    /// The client said farewell; what it is answered with is queued.
    ClosedByPeer,
    Close(Close),
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Gone {
        Gone::Disconnected
    }
}

pub(super) struct Connection<K> {
    /// The log's address, escaped, for our own log.
    log: String,
    /// In a place of its own, for it would lie on the stack several times.
    follower: Box<Follower>,
    sink: K,
    lookout: Lookout,
    /// How long the client may take no byte.
    stall: Option<Duration>,
    buffer: Vec<u8>,
    /// When the client is read from next.
    next_read: Instant,
    full: Option<Full>,
    failing: Option<Failing>,
    closing: Option<Closing>,
    outcome: Outcome,
    metrics: Arc<Metrics>,
    complaints: Arc<Complaints>,
    /// How many bytes and messages are counted there.
    counted: (u64, u64),
}

/// The socket takes nothing more.
struct Full {
    since: Instant,
    /// How much it had taken by then.
    written: u64,
    /// When a write is tried though poll(2) does not ask for one: it does so only once a third of the kernel's buffer is
    /// free, and a slow reader may take longer for that than a client may stall.
    probe: Instant,
}

/// The log cannot be read.
struct Failing {
    since: Instant,
    pause: Duration,
}

/// The connection is to end.
struct Closing {
    /// What is said when everything before it is out; `None` once it is said.
    close: Option<Close>,
    /// How long that may take; without a bound the stall timeout judges.
    until: Option<Instant>,
}

/// What a turn ends with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Wait(Interest, Option<Instant>),
    Over,
}

const SMALL: usize = 4 * 1024;
/// How long a log may be unreadable, and the shortest and longest pause between two tries.
const UNREADABLE: Duration = Duration::from_secs(60);
const SHORTEST_RETRY: Duration = Duration::from_millis(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15);
/// How long a farewell may take, and how long it may when the whole server stops.
const FAREWELL: Duration = Duration::from_secs(5);
const LAST_FAREWELL: Duration = Duration::from_secs(1);
/// How often within the stall timeout a write is tried.
const PROBES: u32 = 8;
/// A client is read at 1 MB/s at most: a flood is left to its own kernel.
const PER_BYTE: Duration = Duration::from_micros(1);
/// What is less, as for a pong, is over before it could be waited for.
const LEAST: u64 = 100;

impl<K: Sink> Connection<K> {
    pub(super) fn new(
        log: String,
        follower: Box<Follower>,
        sink: K,
        lookout: Lookout,
        stall: Option<Duration>,
        (metrics, complaints): (Arc<Metrics>, Arc<Complaints>),
        now: Instant,
    ) -> Connection<K> {
        Connection {
            log,
            follower,
            sink,
            lookout,
            stall,
            buffer: vec![0; SMALL],
            next_read: now,
            full: None,
            failing: None,
            closing: None,
            outcome: Outcome::Left,
            metrics,
            complaints,
            counted: (0, 0),
        }
    }

    /// Takes turns until the connection is over, or the server stops and the client was told. Says what became of it, and
    /// whether the client may still be reading what was sent.
    pub(super) fn run(mut self, socket: &TcpStream, shutdown: &Shutdown) -> (Outcome, bool) {
        let (mut ready, mut shutdown) = (Ready::default(), Some(shutdown));
        while let Next::Wait(interest, until) = self.turn(ready, Instant::now()) {
            let bell = self.lookout.bell().filter(|_| self.full.is_none() && self.closing.is_none());
            ready = match wait_beside(socket.as_fd(), interest, shutdown, bell, until) {
                Ok(ready) => ready,
                Err(error) => {
                    let line = format_args!("cannot wait for a client: {}", cause(&error));
                    self.complaints.log(Topic::Wait, line, Instant::now());
                    return (self.outcome, false);
                }
            };
            if ready.read && interest == Interest::default() {
                // Nothing was asked for, so the connection is broken.
                return (self.outcome, false);
            }
            if ready.stop {
                shutdown = None;
                let until = Instant::now() + LAST_FAREWELL;
                self.close(Close::new(close::GOING_AWAY, "server is going away"), until);
            }
        }
        (self.outcome, self.closing.is_some_and(|closing| closing.until.is_none()))
    }

    /// One turn: does what can be done now and says what to wait for.
    pub(super) fn turn(&mut self, mut ready: Ready, now: Instant) -> Next {
        ready.write |= self.full.as_ref().is_some_and(|full| full.probe <= now);
        self.sink.outlet().begin(ready);
        if ready.bell {
            self.lookout.wake(now);
        }
        let next = if self.closing.is_some() { self.say_farewell(now) } else { self.stream(now) };
        match next {
            Ok(next) => next,
            Err(Gone::Disconnected) => Next::Over,
            Err(Gone::Served) => {
                self.outcome = Outcome::Completed;
                Next::Over
            }
            Err(Gone::ClosedByPeer) => {
                self.end(now + FAREWELL);
                self.say_farewell(now).unwrap_or(Next::Over)
            }
            Err(Gone::Close(close)) => {
                self.close(close, now + FAREWELL);
                self.say_farewell(now).unwrap_or(Next::Over)
            }
        }
    }

    fn stream(&mut self, now: Instant) -> Result<Next, Gone> {
        self.receive(now)?;
        if self.full.is_none() && self.lookout.is_due(now) {
            self.read_log(now)?;
            if self.lookout.is_lone() {
                self.flush(now)?;
                if self.full.is_none() {
                    self.read_log(now)?;
                }
            }
        }
        self.sink.beat(now, self.full.is_some())?;
        self.flush(now)?;
        if self.closing.is_some() {
            return self.say_farewell(now);
        }
        let until = match self.full {
            Some(_) => self.stalls_at(),
            None => earlier(self.sink.due(), Some(self.lookout.due())),
        };
        Ok(self.wait(until, now))
    }

    fn wait(&self, until: Option<Instant>, now: Instant) -> Next {
        let until = earlier(until, self.full.as_ref().map(|full| full.probe));
        let listens = self.sink.listens();
        let throttled = listens && now < self.next_read;
        let until = earlier(until, throttled.then_some(self.next_read));
        Next::Wait(Interest { read: listens && !throttled, write: self.full.is_some() }, until)
    }

    fn receive(&mut self, now: Instant) -> Result<(), Gone> {
        let ((before, _), listened) = (self.sink.outlet().count(), self.sink.listens());
        self.sink.receive()?;
        if listened && !self.sink.listens() {
            // It gets what is there, and that is looked for now.
            self.lookout.wake(now);
        }
        let (after, _) = self.sink.outlet().count();
        if after - before >= LEAST {
            self.next_read = now + PER_BYTE * (after - before) as u32;
        }
        Ok(())
    }

    fn flush(&mut self, now: Instant) -> Result<(), Gone> {
        let flushed = self.sink.flush(self.follower.file(), now);
        self.count();
        if flushed? {
            self.full = None;
            return Ok(());
        }
        let (_, written) = self.sink.outlet().count();
        let since = self.full.as_ref().filter(|full| full.written == written).map_or(now, |full| full.since);
        let probe = self.full.as_ref().map(|full| full.probe).filter(|&probe| probe > now);
        let probe = probe.unwrap_or(now + self.stall.map_or(FAREWELL, |stall| stall / PROBES));
        self.full = Some(Full { since, written, probe });
        match (self.stalls_at(), self.stall) {
            (Some(at), Some(stall)) if at <= now => Err(Gone::Close(Close::stalled(stall))),
            _ => Ok(()),
        }
    }

    /// What was sent since the last time goes into the metrics.
    fn count(&mut self) {
        let sent = (self.sink.outlet().count().1, self.sink.messages());
        if sent != self.counted {
            self.metrics.sent_bytes.add(sent.0 - self.counted.0);
            self.metrics.sent_messages.add(sent.1 - self.counted.1);
            self.counted = sent;
        }
    }

    /// When the client will have taken no byte for too long; a farewell that has a bound of its own needs no other.
    fn stalls_at(&self) -> Option<Instant> {
        let bounded = self.closing.as_ref().is_some_and(|closing| closing.until.is_some());
        if bounded { None } else { Some(self.full.as_ref()?.since + self.stall?) }
    }

    fn read_log(&mut self, now: Instant) -> Result<(), Gone> {
        self.lookout.begin(&mut self.follower);
        let step = match self.pass_extent(now) {
            Ok(true) => return Ok(()),
            Ok(false) => self.follower.poll(&mut self.buffer, now),
            Err(error) => Err(error),
        };
        match step {
            Ok(step) => {
                self.failing = None;
                self.take(step, now);
                Ok(())
            }
            Err(error) => self.retry(&error, now),
        }
    }

    /// To a reader that is far behind a message's worth of the file is passed on without being read; whether it was.
    fn pass_extent(&mut self, now: Instant) -> io::Result<bool> {
        if self.buffer.len() < MAX_MESSAGE || !self.sink.takes_extents() {
            return Ok(false);
        }
        let Some(extent) = self.follower.extent(MAX_MESSAGE, now)? else { return Ok(false) };
        let step = Step::Bytes(extent.length());
        self.failing = None;
        self.sink.push_extent(extent);
        self.lookout.fed(&self.follower, true, now);
        self.sink.tell(&step, &self.follower, now);
        Ok(true)
    }

    fn take(&mut self, step: Step, now: Instant) {
        match step {
            Step::Bytes(read) => {
                let filled = read == self.buffer.len();
                let more = filled || self.follower.is_behind();
                self.sink.push(&self.buffer[..read], more, now);
                if filled {
                    self.buffer.resize(MAX_MESSAGE, 0);
                }
                self.lookout.fed(&self.follower, more, now);
            }
            Step::Quiet | Step::Waiting => {
                self.sink.push(&[], false, now);
                if self.buffer.len() > SMALL {
                    self.buffer = vec![0; SMALL];
                }
                self.lookout.silent(&self.follower, now);
            }
            Step::Ended => {
                self.sink.finish();
                let close = Close::new(close::END, "the end of the log is reached");
                self.outcome = Outcome::Completed;
                self.closing = Some(Closing { close: Some(close), until: None });
            }
            Step::Gap(missing, bytes) => {
                self.metrics.gap(missing, bytes);
                let bytes = bytes.map_or("an unknown number of".to_owned(), |bytes| bytes.to_string());
                let line = format_args!("a reader of `{}` misses {bytes} bytes ({})", self.log, missing.word());
                self.complaints.log(Topic::Gap, line, now);
            }
            Step::Rotated => {
                self.metrics.rotations.add(1);
                log::debug!("`{}` was rotated", self.log);
            }
            Step::Truncated => {
                self.metrics.truncations.add(1);
                log::debug!("`{}` was truncated", self.log);
            }
            Step::Busy | Step::Started => {}
        }
        self.sink.tell(&step, &self.follower, now);
    }

    /// The log cannot be read: it is tried again, more and more rarely, for a minute.
    fn retry(&mut self, error: &io::Error, now: Instant) -> Result<(), Gone> {
        let failing = self.failing.get_or_insert_with(|| {
            let line = format_args!("cannot read `{}`, trying again: {}", self.log, cause(error));
            self.complaints.log(Topic::Unreadable, line, now);
            self.sink.tell(&Step::Quiet, &self.follower, now);
            self.sink.wait(&format!("the log cannot be read: {}", cause(error)));
            Failing { since: now, pause: SHORTEST_RETRY }
        });
        let end = failing.since + UNREADABLE;
        if end <= now {
            let reason = format!("the log could not be read for a minute: {}", cause(error));
            return Err(Gone::Close(Close::new(close::UNREADABLE, reason)));
        }
        self.sink.push(&[], false, now);
        self.lookout.retry((now + failing.pause).min(end));
        failing.pause = (failing.pause * 2).min(LONGEST_RETRY);
        Ok(())
    }

    /// Says farewell now, whatever lies ahead.
    fn close(&mut self, close: Close, until: Instant) {
        if matches!(close.code, close::HEARTBEAT | close::STALLED | close::UNREADABLE) {
            let line = format_args!("closing a stream of `{}` with {}: {}", self.log, close.code, close.reason);
            self.complaints.log(Topic::Closed, line, Instant::now());
        }
        self.sink.close(&close);
        self.outcome = Outcome::of_close(close.code);
        self.end(until);
    }

    /// Nothing more is said; what is queued has until then to go out.
    fn end(&mut self, until: Instant) {
        self.closing = Some(Closing { close: None, until: Some(until) });
        self.full = None;
    }

    /// Sends what is still to be sent, then it is over.
    fn say_farewell(&mut self, now: Instant) -> Result<Next, Gone> {
        self.flush(now)?;
        let closing = self.closing.as_mut().expect("called when closing");
        if self.full.is_none() {
            let Some(close) = closing.close.take() else { return Ok(Next::Over) };
            self.sink.close(&close);
            return self.say_farewell(now);
        }
        if closing.until.is_some_and(|until| until <= now) {
            return Ok(Next::Over);
        }
        let until = closing.until.or_else(|| self.stalls_at());
        let until = earlier(until, self.full.as_ref().map(|full| full.probe));
        Ok(Next::Wait(Interest { read: false, write: true }, until))
    }
}

fn earlier(left: Option<Instant>, right: Option<Instant>) -> Option<Instant> {
    left.into_iter().chain(right).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::root::Roots;
    use crate::protocol::request::{Address, HeartbeatKind, Lines};
    use crate::server::events::Events;
    use crate::server::heartbeat::Heartbeat;
    use crate::server::messages::Messages;
    use crate::server::websocket::WebSocket;
    use crate::text::lines::LineBuffer;
    use crate::turn::TurnStream;
    use std::cell::RefCell;
    use std::fs;
    use std::io::{Read, Write};
    use std::rc::Rc;

    /// A client that takes everything as long as it is open, and says nothing.
    #[derive(Clone, Default)]
    struct Memory {
        taken: Rc<RefCell<Vec<u8>>>,
        writes: Rc<RefCell<usize>>,
        shut: Rc<RefCell<bool>>,
    }

    impl Socket for TurnStream<Memory> {}

    impl Read for Memory {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if *self.shut.borrow() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.taken.borrow_mut().extend(bytes);
            *self.writes.borrow_mut() += 1;
            Ok(bytes.len())
        }

        fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const SECOND: Duration = Duration::from_secs(1);
    const POLL: Duration = Duration::from_millis(250);
    const STALL: Option<Duration> = Some(Duration::from_secs(60));

    struct Place<K = Messages<TurnStream<Memory>>> {
        directory: tempfile::TempDir,
        client: Memory,
        connection: Connection<K>,
        now: Instant,
    }

    impl Place {
        fn with(text: &str) -> Place {
            Place::to(text, |socket, _| Messages::new(socket, LineBuffer::new(None, true)))
        }
    }

    impl<K: Sink> Place<K> {
        fn to(text: &str, sink: impl FnOnce(WebSocket<TurnStream<Memory>>, Instant) -> K) -> Place<K> {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("app.log"), text).unwrap();
            let (client, now) = (Memory::default(), Instant::now());
            let roots = Roots::open([directory.path()], false).unwrap();
            let (log, file) = roots.find(&Address::parse("/app.log").unwrap()).unwrap().unwrap();
            let follower = Follower::new(log, file, Lines::All, true, SECOND).unwrap();
            let heartbeat = Heartbeat::new(1000 * SECOND, SECOND, now);
            let socket = WebSocket::new(TurnStream::new(client.clone()), Vec::new(), HeartbeatKind::Text, heartbeat);
            let (name, follower, lookout) = ("app.log".into(), Box::new(follower), Lookout::new(POLL, None, now));
            let connection =
                Connection::new(name, follower, sink(socket, now), lookout, STALL, Default::default(), now);
            Place { directory, client, connection, now }
        }

        /// Takes turns until that much time has passed; whether the connection is over.
        fn pass(&mut self, time: Duration) -> bool {
            let end = self.now + time;
            loop {
                let ready = Ready { write: true, ..Ready::default() };
                let Next::Wait(_, until) = self.connection.turn(ready, self.now) else { return true };
                self.now = until.map_or(end, |until| until.max(self.now));
                if self.now >= end {
                    self.now = end;
                    return false;
                }
            }
        }

        fn taken(&self) -> String {
            String::from_utf8_lossy(&self.client.taken.borrow_mut().split_off(0)).into_owned()
        }
    }

    #[test]
    fn lines_come_and_a_silent_log_is_looked_at_every_so_often() {
        let mut place = Place::with("a\n");
        assert!(!place.pass(SECOND));
        assert_eq!(place.taken(), "\u{fffd}\u{2}a\n");
        fs::write(place.directory.path().join("app.log"), "a\nb\n").unwrap();
        assert!(!place.pass(POLL));
        assert_eq!(place.taken(), "\u{fffd}\u{2}b\n");
    }

    #[test]
    fn a_lone_line_is_followed_by_its_cursor_in_the_same_turn() {
        let mut place = Place::to("a\n", |socket, now| Events::new(socket, "/app.log".into(), SECOND, false, now));
        assert!(!place.pass(SECOND));
        // The first cursor is due by time, and goes out with the line; the second is not.
        for (text, writes) in [("a\nb\n", 1), ("a\nb\nc\n", 2)] {
            place.taken();
            *place.client.writes.borrow_mut() = 0;
            fs::write(place.directory.path().join("app.log"), text).unwrap();
            place.now += POLL;
            place.connection.turn(Ready { write: true, ..Ready::default() }, place.now);
            let taken = place.taken();
            assert!(taken.starts_with("\u{fffd}\u{2}") && taken.contains("\"event\":\"cursor\""), "{taken}");
            assert_eq!(*place.client.writes.borrow(), writes);
        }
    }

    #[test]
    fn a_log_unreadable_for_a_minute_is_closed_with_4500() {
        let mut place = Place::with("a\n");
        place.pass(SECOND);
        fs::remove_file(place.directory.path().join("app.log")).unwrap();
        fs::create_dir(place.directory.path().join("app.log")).unwrap();
        assert!(!place.pass(59 * SECOND));
        place.taken();
        assert!(place.pass(3 * SECOND));
        let farewell = place.taken();
        assert!(farewell.ends_with("the log could not be read for a minute: not a regular file"), "{farewell}");
    }

    #[test]
    fn a_log_that_becomes_readable_again_goes_on() {
        let mut place = Place::with("a\n");
        place.pass(SECOND);
        place.taken();
        let path = place.directory.path().join("app.log");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(!place.pass(50 * SECOND));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "b\n").unwrap();
        assert!(!place.pass(LONGEST_RETRY));
        assert_eq!(place.taken(), "\u{fffd}\u{2}b\n");
    }

    #[test]
    fn a_client_that_takes_nothing_is_given_up_after_the_stall_timeout_and_its_farewell() {
        let mut place = Place::with("a\n");
        *place.client.shut.borrow_mut() = true;
        assert!(!place.pass(59 * SECOND));
        assert!(!place.pass(SECOND + FAREWELL / 2));
        assert!(place.pass(FAREWELL));
    }
}
