//! Many followers of one log, read by one thread with epoll(7).

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::Outcome;
use super::load::{BUFFER, Connection, Found};
use super::peer::{Lines, Server};
use super::tally::Tally;

/// Lines that each follower gets first.
pub const FIRST: u64 = 10;
/// Events taken at once, and the longest wait for one.
const EVENTS: usize = 256;
const TURN: Duration = Duration::from_millis(50);
/// How often one looks whose heartbeat is due.
const LOOK: Duration = Duration::from_millis(100);
/// Connections made before those that are there are read again; a listener's backlog is short.
const BATCH: usize = 50;

pub struct Crowd {
    members: Vec<(Connection, Tally)>,
    looked: Instant,
    epoll: OwnedFd,
    buffer: Vec<u8>,
    /// The lines that all have got together.
    lines: u64,
    /// Connections that the server closed.
    pub closed: usize,
}

impl Crowd {
    pub fn new() -> Outcome<Crowd> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Crowd { members: Vec::new(), looked: Instant::now(), epoll, buffer: vec![0; BUFFER], lines: 0, closed: 0 })
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Connects until there are `size` followers, and returns once each has the last lines of a log of `written`.
    pub fn grow(&mut self, size: usize, server: &mut Server, written: u64, deadline: Instant) -> Outcome<()> {
        while self.len() < size {
            for _ in 0..BATCH.min(size - self.len()) {
                let connection = server.connect(Lines::Last(FIRST))?;
                let id = epoll::EventData::new_u64(self.len() as u64);
                epoll::add(&self.epoll, &connection, id, epoll::EventFlags::IN)?;
                self.members.push((connection, Tally::from(written - FIRST)));
            }
            if !self.run(self.lines_up_to(written), deadline)? {
                let missing = self.members.iter().filter(|(_, tally)| tally.next() < written).count();
                return Err(format!("{missing} of {} followers did not get their first lines", self.len()).into());
            }
        }
        Ok(())
    }

    /// Keeps every line's delay from now on.
    pub fn time(&mut self) {
        for (_, tally) in &mut self.members {
            tally.delays = Some(Vec::new());
        }
    }

    /// The delays kept, in nanoseconds.
    pub fn delays(&mut self) -> Vec<u64> {
        self.members.iter_mut().flat_map(|(_, tally)| tally.delays.take().unwrap_or_default()).collect()
    }

    /// Lines of `written` that are missing, came twice or were damaged, at all followers together.
    pub fn faults(&self, written: u64) -> u64 {
        self.members.iter().map(|(_, tally)| tally.faults() + written.saturating_sub(tally.next())).sum()
    }

    /// Heartbeats answered so far.
    pub fn heartbeats(&self) -> u64 {
        self.members.iter().map(|(connection, _)| connection.decoder.heartbeats).sum()
    }

    /// Reads and answers heartbeats until every follower has the line before `written` or `deadline` has come; whether
    /// they have.
    pub fn follow(&mut self, written: u64, deadline: Instant) -> Outcome<bool> {
        self.run(self.lines_up_to(written), deadline)
    }

    /// Reads and answers heartbeats for so long.
    pub fn idle(&mut self, time: Duration) -> Outcome<()> {
        self.run(u64::MAX, Instant::now() + time).map(drop)
    }

    fn lines_up_to(&self, written: u64) -> u64 {
        self.lines + self.members.iter().map(|(_, tally)| written.saturating_sub(tally.next())).sum::<u64>()
    }

    fn run(&mut self, lines: u64, deadline: Instant) -> Outcome<bool> {
        let mut events = Vec::with_capacity(EVENTS);
        while self.lines < lines {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.closed == self.len() {
                return Ok(false);
            }
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                self.members.iter_mut().for_each(|(connection, _)| connection.beat());
            }
            events.clear();
            let most = Timespec::try_from(left.min(TURN))?;
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&most))?;
            for event in &events {
                self.receive(event.data.u64() as usize)?;
            }
        }
        Ok(true)
    }

    fn receive(&mut self, member: usize) -> Outcome<()> {
        let (connection, tally) = &mut self.members[member];
        let before = tally.next();
        if !matches!(connection.receive(&mut self.buffer, tally), Ok(Found::Bytes | Found::Nothing)) {
            epoll::delete(&self.epoll, &*connection)?;
            self.closed += 1;
        }
        self.lines += tally.next() - before;
        Ok(())
    }
}
