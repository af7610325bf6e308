//! When to ping the client, and when to give it up. It only decides, and neither waits nor sends. Both times come from
//! the configuration, `server::config`.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(in crate::server) struct Heartbeat {
    every: Duration,
    timeout: Duration,
    next: Instant,
    /// A ping is queued, but not yet handed to the kernel.
    queued: bool,
    /// When the client must have answered. One answer counts for all pings before it.
    due: Option<Instant>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    Missed,
}

impl Heartbeat {
    pub(in crate::server) fn new(every: Duration, timeout: Duration, now: Instant) -> Heartbeat {
        Heartbeat { every, timeout, next: now + every, queued: false, due: None }
    }

    /// The socket is full. That time does not count, and the client must still read what was queued before the ping, so
    /// it gets the whole timeout again.
    pub(super) fn hold(&mut self, now: Instant) {
        self.due = self.due.map(|_| now + self.timeout);
    }

    /// What to do now. Call this only while the socket is not full.
    pub(super) fn check(&mut self, now: Instant) -> Due {
        if self.due.is_some_and(|due| due <= now) {
            return Due::Missed;
        }
        if self.queued || now < self.next {
            return Due::Nothing;
        }
        self.next = if self.next + self.every > now { self.next + self.every } else { now + self.every };
        self.queued = true;
        Due::Ping
    }

    /// The kernel has accepted everything that was queued so far.
    pub(super) fn handed(&mut self, now: Instant) {
        if std::mem::take(&mut self.queued) {
            self.due.get_or_insert(now + self.timeout);
        }
    }

    pub(super) fn pong(&mut self) {
        self.due = None;
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When to call [`Heartbeat::check`] next, if the socket is not full.
    pub(super) fn wake(&self) -> Instant {
        self.due.map_or(self.next, |due| due.min(self.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn beating() -> (Heartbeat, Instant) {
        let now = Instant::now();
        (Heartbeat::new(10 * SECOND, 5 * SECOND, now), now)
    }

    #[test]
    fn a_ping_is_due_every_so_often_and_answered() {
        let (mut heartbeat, start) = beating();
        for beat in 1..4 {
            let now = start + beat * 10 * SECOND;
            assert_eq!(heartbeat.check(now - SECOND), Due::Nothing);
            assert_eq!(heartbeat.check(now), Due::Ping);
            heartbeat.handed(now);
            assert_eq!(heartbeat.check(now + 4 * SECOND), Due::Nothing);
            heartbeat.pong();
        }
        heartbeat.pong();
    }

    #[test]
    fn an_unanswered_ping_is_missed_after_the_timeout() {
        let (mut heartbeat, start) = beating();
        let asked = start + 10 * SECOND;
        assert_eq!(heartbeat.check(asked), Due::Ping);
        assert_eq!(heartbeat.check(asked + 9 * SECOND), Due::Nothing, "not handed over yet");
        heartbeat.handed(asked + 9 * SECOND);
        assert_eq!(heartbeat.wake(), start + 20 * SECOND);
        assert_eq!(heartbeat.check(asked + 14 * SECOND), Due::Missed);
    }

    #[test]
    fn time_in_which_the_socket_was_full_does_not_count() {
        let (mut heartbeat, start) = beating();
        let asked = start + 10 * SECOND;
        heartbeat.check(asked);
        heartbeat.handed(asked);
        assert_eq!(heartbeat.check(asked + 2 * SECOND), Due::Nothing);
        heartbeat.hold(asked + 9 * SECOND);
        assert_eq!(heartbeat.check(asked + 9 * SECOND), Due::Nothing);
        assert_eq!(heartbeat.check(asked + 13 * SECOND), Due::Ping);
        assert_eq!(heartbeat.check(asked + 14 * SECOND), Due::Missed);
    }

    #[test]
    fn pings_go_on_while_an_answer_is_awaited() {
        let now = Instant::now();
        let mut heartbeat = Heartbeat::new(SECOND, 5 * SECOND, now);
        for beat in 1..6 {
            assert_eq!(heartbeat.check(now + beat * SECOND), Due::Ping);
            heartbeat.handed(now + beat * SECOND);
        }
        assert_eq!(heartbeat.check(now + 6 * SECOND), Due::Missed);
    }
}
