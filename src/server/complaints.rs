//! What clients can bring about as often as they like, in our own log: some lines of each topic a minute, and how many
//! more there were. With every topic full that is 50 lines a minute, and less than 100 in any 60 s.

use std::fmt;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use log::Level;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Accept,
    Thread,
    Wait,
    Panic,
    Gap,
    Unreadable,
    Closed,
}

/// The time for which lines are counted together, from the first of them on.
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

    /// How many lines there are in a period: one where it is a shortage of the system's, the same for all.
    fn most(self) -> u64 {
        match self {
            Topic::Accept | Topic::Thread | Topic::Wait => 1,
            Topic::Panic | Topic::Gap | Topic::Unreadable | Topic::Closed => 10,
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Topic::Accept => "failed tries to accept a connection",
            Topic::Thread => "threads that could not be started",
            Topic::Wait => "clients that could not be waited for",
            Topic::Panic => "threads that panicked",
            Topic::Gap => "readers that miss bytes",
            Topic::Unreadable => "readers of a log that cannot be read",
            Topic::Closed => "streams that were closed",
        }
    }
}

/// What a server's clients have brought about.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    tallies: Mutex<[Tally; Topic::ALL.len()]>,
    waker: OnceLock<Arc<UnixStream>>,
}

impl Complaints {
    /// Logs the line, or counts it, for [`Complaints::sum_up`].
    pub(super) fn log(&self, topic: Topic, line: fmt::Arguments<'_>, now: Instant) {
        let verdict = self.lock()[topic as usize].add(topic.most(), now);
        if verdict.over > 0 {
            tell(topic, verdict.over);
        }
        if verdict.says {
            log::log!(topic.level(), "{line}");
        }
        if let Some(waker) = self.waker.get().filter(|_| verdict.is_first_left_out) {
            // Where there is no room for one more wake-up, one is on its way.
            let _ = (&**waker).write(&[0]);
        }
    }

    /// What wakes whoever is to sum up, when something was left out.
    pub(super) fn wake(&self, waker: Arc<UnixStream>) {
        let _ = self.waker.set(waker);
    }

    /// When there will be something to sum up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.lock().iter().filter_map(Tally::due).min()
    }

    /// Says how many lines were left out in the periods that are over; in all of them where there is no `now`.
    pub(super) fn sum_up(&self, now: Option<Instant>) {
        let over = Topic::ALL.map(|topic| self.lock()[topic as usize].close(now));
        Topic::ALL.into_iter().zip(over).filter(|(_, over)| *over > 0).for_each(|(topic, over)| tell(topic, over));
    }

    fn lock(&self) -> MutexGuard<'_, [Tally; Topic::ALL.len()]> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(topic: Topic, left_out: u64) {
    log::log!(topic.level(), "and {left_out} more in the last minute, left out here: {}", topic.plural());
}

/// The lines of a topic in its period.
#[derive(Debug, Default)]
struct Tally {
    since: Option<Instant>,
    number: u64,
    most: u64,
}

/// What is to be done about a line.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    /// How many were left out in the period before.
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

    /// Ends the period if it is over, or in any case; how many lines were left out in it.
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
        let worst = said.iter().map(|from| said.iter().filter(|at| (*from..*from + PERIOD).contains(at)).count()).max();
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
