//! The loop of a stream: read what the client sent, read what was added to the log, send what is ready, then wait once.
//! It moves events from the source through selection and encoder to the transport, and keeps track of the
//! [`StreamPhase`]. It does not inspect events or frames, and does not know how much of a frame the socket has
//! accepted.

use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::protocol::close::{self, Close};
use crate::server::stream::encode::Encoder;
use crate::server::stream::ending::{Ending, Linger, Served};
use crate::server::stream::reporter::Reporter;
use crate::server::stream::select::Select;
use crate::server::stream::source::LogSource;
use crate::server::stream::transport::socket::StreamSocket;
use crate::server::stream::transport::timeouts_and_sizes::{CLOSE, CLOSE_AT_SHUTDOWN};
use crate::server::stream::transport::{SendError, Transport};
use crate::shutdown::Shutdown;
use crate::wait::{Interest, Ready, wait_beside};

/// A log on its way to a client.
pub(in crate::server) struct Connection<S> {
    source: LogSource,
    select: Select,
    encoder: Box<dyn Encoder>,
    transport: Transport<S>,
    reporter: Reporter,
    phase: StreamPhase,
}

/// How far a stream has come. It only moves on to later phases.
#[derive(Debug)]
enum StreamPhase {
    /// Events are encoded and their frames sent.
    Streaming,
    /// No more events are wanted. The frames that are left are sent; only the stall timeout limits how long that takes.
    Draining(Ending),
    /// The last frame and the close handshake are being sent.
    Closing(Ending),
    /// There is nothing more to do.
    Over(Ending),
}

/// What to wait for between two turns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub interest: Interest,
    pub until: Option<Instant>,
}

impl<S: StreamSocket> Connection<S> {
    pub(in crate::server) fn new(
        source: LogSource,
        select: Select,
        encoder: Box<dyn Encoder>,
        transport: Transport<S>,
        reporter: Reporter,
    ) -> Connection<S> {
        Connection { source, select, encoder, transport, reporter, phase: StreamPhase::Streaming }
    }

    /// Takes turns until the stream is over. At shutdown, closes the stream first.
    pub(in crate::server) fn run(&mut self, socket: &TcpStream, shutdown: &Shutdown) -> Served {
        let (mut ready, mut shutdown) = (Ready::default(), Some(shutdown));
        while let Some(wait) = self.turn(ready, Instant::now()) {
            let is_listening = matches!(self.phase, StreamPhase::Streaming) && !self.transport.is_blocked();
            let waker = self.source.waker().filter(|_| is_listening);
            ready = match wait_beside(socket.as_fd(), wait.interest, shutdown, waker, wait.until) {
                Ok(ready) => ready,
                Err(error) => {
                    self.reporter.note_broken_wait(&error, Instant::now());
                    return self.served(Linger::Usual);
                }
            };
            if ready.read && wait.interest == Interest::default() {
                // Nothing was asked for, so this reports a broken connection.
                return self.served(Linger::Usual);
            }
            if ready.stop {
                shutdown = None;
                self.shut_down(Instant::now());
            }
        }
        let linger = self.transport.linger();
        self.served(linger)
    }

    fn served(&self, linger: Linger) -> Served {
        let ended = match &self.phase {
            StreamPhase::Streaming => Ending::PeerLeft.ended(),
            StreamPhase::Draining(ending) | StreamPhase::Closing(ending) | StreamPhase::Over(ending) => ending.ended(),
        };
        Served { ended, linger }
    }

    /// One turn of the loop: does what can be done now and returns what to wait for; `None` when the stream is over.
    pub(super) fn turn(&mut self, ready: Ready, now: Instant) -> Option<Wait> {
        self.transport.begin(ready, now);
        if ready.waker {
            self.source.wake(now);
        }
        loop {
            let next = match &self.phase {
                StreamPhase::Streaming => self.stream(now),
                StreamPhase::Draining(ending) => self.drain(ending.clone(), now),
                StreamPhase::Closing(ending) => self.say_farewell(ending.clone(), now),
                StreamPhase::Over(_) => return None,
            };
            self.phase = match next {
                Ok(None) => return Some(self.wait(now)),
                Ok(Some(phase)) => phase,
                Err(ending) => self.end(ending, CLOSE, now),
            };
        }
    }

    /// What to wait for before the next turn. The log is not read while a frame is being sent: the file is the buffer.
    fn wait(&self, now: Instant) -> Wait {
        let is_blocked = self.transport.is_blocked();
        let is_reading = matches!(self.phase, StreamPhase::Streaming) && !is_blocked;
        let log = (is_reading || self.transport.is_unreadable()).then(|| self.source.due());
        let encoder = self.encoder.due().filter(|_| is_reading);
        let until = self.transport.due(now).into_iter().chain(encoder).chain(log).min();
        Wait { interest: self.transport.interest(now), until }
    }

    /// Does what can be done in this phase now. Returns the next phase once this one is over, as do `drain` and
    /// `say_farewell`.
    fn stream(&mut self, now: Instant) -> Result<Option<StreamPhase>, Ending> {
        if self.transport.receive(now)? {
            // The client gets what the log holds now and nothing later, so read the log once more.
            self.source.wake(now);
        }
        let mut ending = None;
        if !self.transport.is_blocked() && self.source.is_due(now) {
            ending = self.read(now)?;
            // Read again at once, to find the silence after a lone line and send its cursor: with a thousand followers,
            // a second wake-up for that costs as much as the line. But send the line first, so that it is not delayed.
            if ending.is_none() && self.source.is_lone() && self.flush(now)? {
                ending = self.read(now)?;
            }
        }
        if ending.is_some() {
            self.transport.stop_listening();
        } else if self.flush(now)? {
            self.transport.beat(now)?;
        } else {
            self.select.pause();
        }
        Ok(ending.map(StreamPhase::Draining))
    }

    #[inline(never)]
    fn drain(&mut self, ending: Ending, now: Instant) -> Result<Option<StreamPhase>, Ending> {
        if !self.flush(now)? {
            return Ok(None);
        }
        let Some(close) = ending.close() else { return Ok(Some(StreamPhase::Over(ending))) };
        self.transport.close(self.encoder.close(&close), &close, None, now);
        Ok(Some(StreamPhase::Closing(ending)))
    }

    #[inline(never)]
    fn say_farewell(&mut self, ending: Ending, now: Instant) -> Result<Option<StreamPhase>, Ending> {
        let is_over = self.push(now)? || self.transport.is_late(now);
        Ok(is_over.then_some(StreamPhase::Over(ending)))
    }

    /// Passes the next event through selection to the encoder, or the events that selection makes of it. Returns how the
    /// stream ends if it was the last one.
    fn read(&mut self, now: Instant) -> Result<Option<Ending>, Ending> {
        loop {
            let Some(event) = self.select.next(&mut self.source, now)? else { return Ok(None) };
            self.reporter.note(&event.what, now);
            let is_pause = event.what.is_pause();
            if self.encoder.encode(event, now).is_break() {
                return Ok(Some(self.select.ending(&self.source)));
            }
            if is_pause && self.transport.is_half_closed() && !self.source.has_more() {
                return Ok(Some(Ending::PeerLeft));
            }
            if !self.select.is_ready() {
                return Ok(None);
            }
        }
    }

    /// Sends what is encoded, as far as the socket accepts it. Returns whether nothing is left.
    fn flush(&mut self, now: Instant) -> Result<bool, Ending> {
        loop {
            if !self.push(now)? {
                return Ok(false);
            }
            let mut is_all = true;
            while self.transport.has_room()
                && let Some(frame) = self.encoder.next(now)
            {
                self.transport.send(frame);
                is_all = false;
            }
            if is_all {
                return Ok(true);
            }
        }
    }

    /// Sends what the transport holds, as far as the socket accepts it. Returns whether nothing is left.
    fn push(&mut self, now: Instant) -> Result<bool, Ending> {
        // A range that could not be read is retried when the log is due: one schedule for both kinds of failure.
        let was_unreadable = self.transport.is_unreadable();
        if was_unreadable && !self.source.is_due(now) {
            return Ok(false);
        }
        match self.transport.flush(now) {
            Ok(is_all) => {
                if was_unreadable {
                    self.source.recover();
                }
                Ok(is_all)
            }
            Err(SendError::Over(ending)) => Err(ending),
            Err(SendError::Log(error)) => {
                let event = self.source.fail(error, now)?;
                self.reporter.note(&event.what, now);
                let _ = self.encoder.encode(event, now);
                Ok(false)
            }
        }
    }

    // Not inlined, so that code that runs once does not enlarge the loop's stack frame.
    /// The one transition for every early end: queues the close handshake, which must be sent within `time`, or ends at
    /// once. If the stream is closing already, the first reason stays, unless the log has changed: then the last frame
    /// can never be completed.
    #[inline(never)]
    fn end(&mut self, ending: Ending, time: Duration, now: Instant) -> StreamPhase {
        match (&self.phase, ending) {
            (StreamPhase::Closing(first), Ending::Closed(_)) => StreamPhase::Over(first.clone()),
            (StreamPhase::Draining(first) | StreamPhase::Closing(first), Ending::PeerLeft) => {
                StreamPhase::Over(first.clone())
            }
            (_, Ending::Closed(close)) => {
                self.reporter.note_close(&close, now);
                self.transport.close(self.encoder.close(&close), &close, Some(time), now);
                StreamPhase::Closing(Ending::Closed(close))
            }
            (_, Ending::PeerClosed) => {
                self.transport.finish(Some(time), now);
                StreamPhase::Closing(Ending::PeerClosed)
            }
            (_, ending) => StreamPhase::Over(ending),
        }
    }

    #[inline(never)]
    fn shut_down(&mut self, now: Instant) {
        if let StreamPhase::Closing(_) = self.phase {
            self.transport.finish(Some(CLOSE_AT_SHUTDOWN), now);
        } else {
            let close = Close::new(close::GOING_AWAY, "server is going away");
            self.phase = self.end(Ending::Closed(close), CLOSE_AT_SHUTDOWN, now);
        }
    }
}
