//! A log over `wstail.v1`: its bytes as they are in the file, and events that say what became of it.

use std::collections::VecDeque;
use std::fs::File;
use std::time::{Duration, Instant};

use tungstenite::protocol::frame::coding::Data;

use super::connection::{Gone, Sink};
use super::outlet::{Outlet, Socket};
use super::websocket::WebSocket;
use crate::follow::extent::Extent;
use crate::follow::follower::{Follower, Step};
use crate::protocol::close::Close;
use crate::protocol::event::Event;

pub(super) struct Events<S> {
    socket: WebSocket<S>,
    path: String,
    heartbeat: Duration,
    queue: VecDeque<Frame>,
    /// How many bytes the last cursor does not cover, and when it was sent.
    uncovered: u64,
    covered: Instant,
    /// Nothing of the file has come, and the client's cursor may be one of the time when it was empty: once it is
    /// truncated, it could not be told by that from what it was.
    is_bare: bool,
    /// The client goes on from a cursor of its own.
    is_resumed: bool,
}

#[derive(Debug)]
enum Frame {
    Message(Data, Vec<u8>),
    Extent(Extent),
}

/// Messages of up to so many bytes go out along with the next: a line and its cursor are one packet and not two.
const SMALL: usize = 4 * 1024;

/// While bytes flow there is a cursor after so many bytes, or so long.
const CURSOR_BYTES: u64 = 1 << 20;
const CURSOR_TIME: Duration = Duration::from_secs(1);

impl Frame {
    fn event(event: &Event) -> Frame {
        Frame::Message(Data::Text, event.to_string().into_bytes())
    }

    fn is_small(&self) -> bool {
        matches!(self, Frame::Message(_, payload) if payload.len() <= SMALL)
    }
}

impl<S: Socket> Events<S> {
    /// `path` and `heartbeat` are what the client is told; `is_resumed`: it goes on from a cursor.
    pub(super) fn new(
        socket: WebSocket<S>,
        path: String,
        heartbeat: Duration,
        is_resumed: bool,
        now: Instant,
    ) -> Events<S> {
        Events {
            socket,
            path,
            heartbeat,
            queue: VecDeque::new(),
            uncovered: 0,
            covered: now,
            is_bare: false,
            is_resumed,
        }
    }

    fn say(&mut self, event: &Event) {
        self.queue.push_back(Frame::event(event));
    }

    /// Before the first bytes of a file comes a cursor by which that will be known again.
    fn say_start(&mut self, bytes: usize, follower: &Follower) {
        if let Some(start) = follower.position().start(bytes) {
            let before = self.queue.len().saturating_sub(1);
            self.queue.insert(before, Frame::event(&Event::Cursor(start.cursor())));
        }
    }

    fn open(&mut self, follower: &Follower) {
        self.say(&Event::Open {
            path: self.path.clone(),
            size: follower.size(),
            heartbeat: self.heartbeat.as_secs_f64(),
            cursor: follower.position().cursor(),
        });
    }

    fn is_cursor_due(&self, step: &Step, now: Instant) -> bool {
        self.uncovered > 0
            && match step {
                Step::Quiet | Step::Waiting | Step::Ended => true,
                Step::Bytes(_) => self.uncovered >= CURSOR_BYTES || now - self.covered >= CURSOR_TIME,
                _ => false,
            }
    }
}

impl<S: Socket> Sink for Events<S> {
    type Socket = S;

    fn outlet(&mut self) -> &mut Outlet<S> {
        self.socket.outlet()
    }

    fn messages(&self) -> u64 {
        self.socket.messages()
    }

    fn push(&mut self, bytes: &[u8], _more: bool, _now: Instant) {
        if !bytes.is_empty() {
            self.uncovered += bytes.len() as u64;
            self.queue.push_back(Frame::Message(Data::Binary, bytes.to_vec()));
        }
    }

    fn takes_extents(&self) -> bool {
        S::TAKES_FILES
    }

    fn push_extent(&mut self, extent: Extent) {
        self.uncovered += extent.length() as u64;
        self.queue.push_back(Frame::Extent(extent));
    }

    fn tell(&mut self, step: &Step, follower: &Follower, now: Instant) {
        let cursor = || follower.position().cursor();
        match step {
            Step::Bytes(read) if std::mem::take(&mut self.is_bare) => self.say_start(*read, follower),
            Step::Started | Step::Rotated | Step::Truncated | Step::Gap(..) => {
                self.is_bare = self.is_resumed || follower.position().is_bare();
            }
            _ => {}
        }
        if self.is_cursor_due(step, now) {
            self.say(&Event::Cursor(cursor()));
            (self.uncovered, self.covered) = (0, now);
        }
        let event = match step {
            Step::Started => return self.open(follower),
            Step::Rotated => Event::Rotated(cursor()),
            Step::Truncated => Event::Truncated(cursor()),
            Step::Gap(reason, bytes) => Event::Gap { reason: *reason, bytes: *bytes, cursor: cursor() },
            Step::Waiting => Event::Waiting { reason: "the log is gone; it is looked for".to_owned() },
            Step::Busy | Step::Bytes(_) | Step::Quiet | Step::Ended => return,
        };
        if event.cursor().is_some() {
            (self.uncovered, self.covered) = (0, now);
        }
        self.say(&event);
    }

    fn wait(&mut self, reason: &str) {
        self.say(&Event::Waiting { reason: reason.to_owned() });
    }

    fn finish(&mut self) {}

    fn receive(&mut self) -> Result<(), Gone> {
        self.socket.receive()
    }

    fn beat(&mut self, now: Instant, full: bool) -> Result<(), Gone> {
        self.socket.beat(now, full)
    }

    fn flush(&mut self, log: &File, now: Instant) -> Result<bool, Gone> {
        while let Some(is_open) = self.socket.flush(log, now)? {
            while is_open && self.queue.len() > 1 && self.queue[0].is_small() {
                if let Some(Frame::Message(kind, payload)) = self.queue.pop_front() {
                    self.socket.put_before(kind, &payload);
                }
            }
            match self.queue.pop_front().filter(|_| is_open) {
                Some(Frame::Message(kind, payload)) => self.socket.send(kind, payload),
                Some(Frame::Extent(extent)) => self.socket.send_extent(extent),
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn due(&self) -> Option<Instant> {
        Some(self.socket.due())
    }

    fn listens(&self) -> bool {
        true
    }

    fn close(&mut self, close: &Close) {
        self.queue.clear();
        self.socket.close(Some(Event::End { reason: close.reason.to_string() }.to_string()), close);
    }
}
