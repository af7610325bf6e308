//! The server's own log for events that clients can cause as often as they like: a few lines of each topic a minute,
//! then how many more there were. With every topic full, that is 50 lines a minute, and fewer than 100 in any 60 s.
//! Events that happen at most once do not need this and go to [`log`] directly.

use std::fmt;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use log::Level;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Topic {
    Accept,
    Thread,
    Wait,
    Panic,
    Gap,
    Unreadable,
    Closed,
}

/// The period in which lines are counted together. It starts with the first of them.
const PERIOD: Duration = Duration::from_secs(60);

impl Topic {
    const ALL: [Topic; 7] =
        [Topic::Accept, Topic::Thread, Topic::Wait, Topic::Panic, Topic::Gap, Topic::Unreadable, Topic::Closed];

    fn level(self) -> Level {
        match self {
            Topic::Accept | Topic::Thread | Topic::Wait | Topic::Panic => Level::Error,
            Topic::Gap | Topic::Unreadable => Level::Warn,
            Topic::Closed => Level::Info,
        }
    }

    /// How many lines a topic may log in a period. One is enough for a shortage in the system, which is the same for
    /// all clients.
    fn most(self) -> u64 {
        match self {
            Topic::Accept | Topic::Thread | Topic::Wait => 1,
            Topic::Panic | Topic::Gap | Topic::Unreadable | Topic::Closed => 10,
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Topic::Accept => "failed attempts to accept a connection",
            Topic::Thread => "threads that could not be started",
            Topic::Wait => "clients that could not be waited for",
            Topic::Panic => "threads that panicked",
            Topic::Gap => "gaps in streams",
            Topic::Unreadable => "streams of a log that cannot be read",
            Topic::Closed => "streams that were closed",
        }
    }
}

/// Counts what a server's clients cause, and logs some of it.
#[derive(Debug, Default)]
pub(in crate::server) struct RateLimitedLog {
    tallies: Mutex<[Tally; Topic::ALL.len()]>,
    waker: OnceLock<Arc<UnixStream>>,
    /// What was logged about which object, and when.
    logged: Mutex<Vec<(Topic, String, Instant)>>,
    is_silent: bool,
}

impl RateLimitedLog {
    /// A log without lines: for clients that print everything themselves.
    pub(in crate::server) fn silent() -> RateLimitedLog {
        RateLimitedLog { is_silent: true, ..RateLimitedLog::default() }
    }

    /// Like [`RateLimitedLog::log`], but skips the line if one about the same object was logged in the last minute.
    pub(in crate::server) fn log_once(&self, topic: Topic, object: &str, line: fmt::Arguments<'_>, now: Instant) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.retain(|(_, _, at)| now.saturating_duration_since(*at) < PERIOD);
        let is_known = logged.iter().any(|(other, name, _)| *other == topic && name == object);
        if !is_known && self.log(topic, line, now) {
            logged.push((topic, object.to_owned(), now));
        }
    }

    /// Logs the line, or only counts it for [`RateLimitedLog::sum_up`]. Returns whether the line was logged.
    pub(in crate::server) fn log(&self, topic: Topic, line: fmt::Arguments<'_>, now: Instant) -> bool {
        if self.is_silent {
            log::debug!("{line}");
            return false;
        }
        let verdict = self.lock()[topic as usize].add(topic.most(), now);
        if verdict.over > 0 {
            write(topic, verdict.over);
        }
        if verdict.says {
            log::log!(topic.level(), "{line}");
        }
        if let Some(waker) = self.waker.get().filter(|_| verdict.is_first_left_out) {
            // If the socket is full, an earlier wake-up has not been seen yet, so this one is not needed.
            let _ = (&**waker).write(&[0]);
        }
        verdict.says
    }

    /// Sets what to wake when lines were left out and [`RateLimitedLog::sum_up`] has to be called.
    pub(in crate::server) fn wake(&self, waker: Arc<UnixStream>) {
        let _ = self.waker.set(waker);
    }

    /// When there will be something to sum up.
    pub(in crate::server) fn due(&self) -> Option<Instant> {
        self.lock().iter().filter_map(Tally::due).min()
    }

    /// Logs how many lines were left out in the periods that are over, or in all periods if `now` is `None`.
    pub(in crate::server) fn sum_up(&self, now: Option<Instant>) {
        let over = Topic::ALL.map(|topic| self.lock()[topic as usize].close(now));
        Topic::ALL.into_iter().zip(over).filter(|(_, over)| *over > 0).for_each(|(topic, over)| write(topic, over));
    }

    fn lock(&self) -> MutexGuard<'_, [Tally; Topic::ALL.len()]> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(topic: Topic, left_out: u64) {
    log::log!(topic.level(), "{left_out} more in the last minute, not logged: {}", topic.plural());
}

/// The lines of a topic in the current period.
#[derive(Debug, Default)]
struct Tally {
    since: Option<Instant>,
    number: u64,
    most: u64,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    /// How many lines were left out in the period before.
    over: u64,
    says: bool,
    is_first_left_out: bool,
}

impl Tally {
    fn add(&mut self, most: u64, now: Instant) -> Verdict {
        let over = self.close(Some(now));
        self.since.get_or_insert(now);
        (self.number, self.most) = (self.number + 1, most);
        Verdict { over, says: self.number <= most, is_first_left_out: self.number == most + 1 }
    }

    fn left_out(&self) -> u64 {
        self.number.saturating_sub(self.most)
    }

    fn due(&self) -> Option<Instant> {
        self.since.filter(|_| self.left_out() > 0).map(|since| since + PERIOD)
    }

    /// Ends the period if it is over, or in any case if `now` is `None`. Returns how many lines were left out in it.
    fn close(&mut self, now: Option<Instant>) -> u64 {
        let is_over = |since: Instant| now.is_none_or(|now| now.saturating_duration_since(since) >= PERIOD);
        if self.since.is_some_and(is_over) { std::mem::take(self).left_out() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_on_every_topic_is_less_than_a_hundred_lines_in_any_minute_and_all_are_accounted_for() {
        const EACH: u64 = 3000;
        let start = Instant::now();
        let (mut tallies, mut said, mut left_out) =
            ([const { Tally { since: None, number: 0, most: 0 } }; Topic::ALL.len()], Vec::new(), 0);
        for number in 0..EACH {
            // Five minutes of it.
            let now = start + Duration::from_millis(number * 100);
            for topic in Topic::ALL {
                let verdict = tallies[topic as usize].add(topic.most(), now);
                left_out += verdict.over;
                said.extend([verdict.says, verdict.over > 0].into_iter().filter(|line| *line).map(|_| now));
            }
        }
        left_out += tallies.iter_mut().map(|tally| tally.close(None)).sum::<u64>();
        let worst =
            said.iter().map(|from| said.iter().filter(|at| (*from..*from + PERIOD).contains(*at)).count()).max();
        assert!(worst.is_some_and(|worst| worst < 100), "{worst:?}");
        assert_eq!(left_out, Topic::ALL.len() as u64 * EACH - 5 * Topic::ALL.map(Topic::most).iter().sum::<u64>());
    }

    #[test]
    fn what_was_left_out_is_due_a_minute_after_the_first_line() {
        let (mut tally, start) = (Tally::default(), Instant::now());
        let later = start + Duration::from_secs(30);
        assert_eq!(tally.add(1, start), Verdict { over: 0, says: true, is_first_left_out: false });
        assert_eq!((tally.due(), tally.close(Some(later))), (None, 0));
        assert_eq!(tally.add(1, later), Verdict { over: 0, says: false, is_first_left_out: true });
        assert_eq!(tally.add(1, later), Verdict { over: 0, says: false, is_first_left_out: false });
        assert_eq!(tally.due(), Some(start + PERIOD));
        assert_eq!((tally.close(Some(later)), tally.close(Some(start + PERIOD)), tally.due()), (0, 2, None));
        assert_eq!(tally.add(1, start + PERIOD), Verdict { over: 0, says: true, is_first_left_out: false });
    }
}
