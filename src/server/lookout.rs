//! When a log is looked at: at once as long as there is more, soon after it fell silent, and then when the kernel tells
//! of a change or every so often. It decides, it never waits.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::follow::follower::Follower;
use crate::follow::watch::Watch;

#[derive(Debug)]
pub(super) struct Lookout {
    next: Instant,
    /// How often it was looked at without a silence.
    fed: u32,
    /// How long the next pause is.
    pause: Duration,
    /// The longest one.
    poll: Duration,
    /// How much earlier it may be looked at when there is something else to do, too.
    slack: Duration,
    watch: Option<Watch>,
    /// The log was silent: what happens to it is news.
    is_idle: bool,
    /// When there were bytes last.
    last: Instant,
    /// They came out of a silence, and it is likely to last.
    is_lone: bool,
}

const SHORTEST: Duration = Duration::from_millis(1);
/// How often a silent log is looked at of which the kernel tells all changes: some writers, those to mapped memory, it
/// does not see. A thousand followers that look every second cost 3 % of a CPU.
const WATCHED: Duration = Duration::from_secs(10);
/// So that such a look and a heartbeat cost one wake-up and not two.
const SLACK: Duration = Duration::from_secs(2);
/// After so many looks without a silence the next is not expected soon. To be told of every round of writes meanwhile
/// costs half as much CPU again as to read them, and the writer a third of its speed: 0.92 million lines a second, 1.43
/// unwatched. A one-shot watch spares it that, too, for a system call of every reader at every lone line.
const BUSY: u32 = 8;
/// And once the pauses are that long it has calmed down.
const CALM: Duration = Duration::from_millis(8);

impl Lookout {
    pub(super) fn new(poll: Duration, watch: Option<Watch>, now: Instant) -> Lookout {
        let (fed, pause, slack) = (0, SHORTEST, Duration::ZERO);
        Lookout { next: now, fed, pause, poll, slack, watch, is_idle: false, last: now, is_lone: false }
    }

    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Whether it is to be looked at now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next <= now + self.slack
    }

    /// What becomes readable when the log is to be looked at before that.
    pub(super) fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().filter(|_| self.is_idle)?.bell()
    }

    /// The bell has rung.
    pub(super) fn wake(&mut self, now: Instant) {
        self.next = self.next.min(now);
    }

    /// The log is looked at now.
    pub(super) fn begin(&mut self, follower: &mut Follower) {
        (self.is_idle, self.is_lone, self.slack) = (false, false, Duration::ZERO);
        if let Some(watch) = &self.watch {
            watch.hush(follower);
        }
    }

    /// There were bytes; `more` when the log is known to hold more.
    pub(super) fn fed(&mut self, follower: &Follower, more: bool, now: Instant) {
        self.fed = self.fed.saturating_add(1);
        if self.fed == BUSY
            && let Some(watch) = &mut self.watch
        {
            watch.rest(follower);
        }
        self.pause = SHORTEST;
        self.is_lone = !more && now >= self.last + CALM;
        self.last = now;
        self.next = if more || self.is_lone { now } else { now + self.pause };
    }

    /// Whether there was a lone line. The log is best looked at again as soon as it is out: with a thousand followers a
    /// second wake-up for that costs as much as the line. Not before: it would be late by a tenth of its time.
    pub(super) fn is_lone(&self) -> bool {
        self.is_lone
    }

    /// There was nothing.
    pub(super) fn silent(&mut self, follower: &Follower, now: Instant) {
        self.is_idle = true;
        let pause = if self.is_told(follower) {
            (self.pause, self.slack) = (SHORTEST, SLACK);
            WATCHED.max(self.poll)
        } else {
            let pause = self.pause;
            self.pause = (pause * 2).min(self.poll);
            pause
        };
        let due = follower.due().filter(|&due| due > now);
        let late = follower.late_due().filter(|&due| due > now);
        let sooner = due.into_iter().chain(late).min().filter(|&sooner| sooner < now + pause);
        if sooner.is_some() {
            self.slack = Duration::ZERO;
        }
        self.next = sooner.unwrap_or(now + pause);
    }

    /// Whether all that happens to the log from the last look on will be told.
    fn is_told(&mut self, follower: &Follower) -> bool {
        if self.fed >= BUSY && self.pause < CALM.min(self.poll) {
            return false;
        }
        self.fed = 0;
        let Some(watch) = &mut self.watch else { return false };
        watch.follow(follower) && watch.tells_all(follower)
    }

    /// It could not be read, and is tried again then.
    pub(super) fn retry(&mut self, at: Instant) {
        self.next = at;
    }
}
