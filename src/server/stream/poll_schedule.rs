//! When to poll a log: at once while there is more to read, soon after it has fallen silent, and later when its source
//! is woken or an interval is over. It only decides, and never waits. It knows neither the log nor what wakes its
//! source.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct PollSchedule {
    next: Instant,
    /// How many polls in a row found bytes.
    fed: u32,
    /// How long the next pause is.
    pause: Duration,
    /// The longest pause.
    poll: Duration,
    /// How much earlier the log may be polled when the thread is awake anyway.
    slack: Duration,
    /// The log was silent, so a change to it is news.
    is_idle: bool,
    /// When bytes were found last.
    last: Instant,
    /// Those bytes ended a silence, and another silence is likely to follow.
    is_lone: bool,
}

const SHORTEST: Duration = Duration::from_millis(1);
/// How often to poll a silent log whose changes the kernel reports: it does not see all of them, such as writes to
/// mapped memory. A thousand followers that poll every second cost 3 % of a CPU.
const WATCHED: Duration = Duration::from_secs(10);
/// Lets such a poll and a heartbeat share one wake-up.
const SLACK: Duration = Duration::from_secs(2);
/// After this many polls without a silence, no silence is expected soon, and writes need not be reported. Reports of
/// every round of writes cost half as much CPU again as reading them, and they cost the writer a third of its speed:
/// 0.92 million lines a second instead of 1.43. A one-shot watch would spare the writer that, too, but it costs every
/// reader a system call at every lone line.
const BUSY: u32 = 8;
/// Once the pauses are this long, the log has calmed down.
const CALM: Duration = Duration::from_millis(8);

impl PollSchedule {
    /// The longest pause is `poll`, or longer if every change is reported.
    pub(super) fn new(poll: Duration, now: Instant) -> PollSchedule {
        let (fed, pause, slack) = (0, SHORTEST, Duration::ZERO);
        PollSchedule { next: now, fed, pause, poll, slack, is_idle: false, last: now, is_lone: false }
    }

    pub(super) fn due(&self) -> Instant {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next <= now + self.slack
    }

    /// Whether the last poll found silence, so that the caller may wait for a change.
    pub(super) fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// Something has happened to the log: it is due now.
    pub(super) fn wake(&mut self, now: Instant) {
        self.next = self.next.min(now);
    }

    /// Call this before polling the log.
    pub(super) fn begin(&mut self) {
        (self.is_idle, self.is_lone, self.slack) = (false, false, Duration::ZERO);
    }

    /// The poll found bytes; `more` if the log is known to hold more. Returns whether the log has just become so busy
    /// that writes need not be reported.
    pub(super) fn fed(&mut self, more: bool, now: Instant) -> bool {
        self.fed = self.fed.saturating_add(1);
        self.pause = SHORTEST;
        self.is_lone = !more && now >= self.last + CALM;
        self.last = now;
        self.next = if more || self.is_lone { now } else { now + self.pause };
        self.fed == BUSY
    }

    /// Whether a lone line was found. Poll the log again as soon as the line is sent: with a thousand followers, a
    /// second wake-up for that costs as much as the line. Do not poll before: that would delay the line by a tenth of
    /// its time.
    pub(super) fn is_lone(&self) -> bool {
        self.is_lone
    }

    /// Whether the log is quiet enough for reports of its changes to be worth their cost.
    pub(super) fn is_calm(&mut self) -> bool {
        if self.fed >= BUSY && self.pause < CALM.min(self.poll) {
            return false;
        }
        self.fed = 0;
        true
    }

    /// The poll found nothing. `is_reported`: everything that happens to the log from this poll on will be reported.
    /// `sooner`: times at which a poll may find more although nothing happens to the log.
    pub(super) fn silent(&mut self, is_reported: bool, sooner: impl Iterator<Item = Instant>, now: Instant) {
        self.is_idle = true;
        let pause = if is_reported {
            (self.pause, self.slack) = (SHORTEST, SLACK);
            WATCHED.max(self.poll)
        } else {
            let pause = self.pause;
            self.pause = (pause * 2).min(self.poll);
            pause
        };
        let sooner = sooner.filter(|&due| due > now && due < now + pause).min();
        if sooner.is_some() {
            self.slack = Duration::ZERO;
        }
        self.next = sooner.unwrap_or(now + pause);
    }

    /// The log could not be read. It is due again at `at`.
    pub(super) fn retry(&mut self, at: Instant) {
        self.next = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_millis(250);

    fn schedule() -> (PollSchedule, Instant) {
        let now = Instant::now();
        (PollSchedule::new(POLL, now), now)
    }

    /// Polls once, finds nothing, and returns the pause before the next poll.
    fn silence(schedule: &mut PollSchedule, is_reported: bool, now: Instant) -> Duration {
        schedule.begin();
        schedule.silent(is_reported, std::iter::empty(), now);
        schedule.due() - now
    }

    #[test]
    fn a_silent_log_is_polled_more_and_more_rarely() {
        let (mut schedule, now) = schedule();
        let pauses: Vec<_> = (0..10).map(|_| silence(&mut schedule, false, now).as_millis()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 250, 250]);
        assert_eq!(silence(&mut schedule, true, now), WATCHED);
        assert!(!schedule.is_due(now + WATCHED - 2 * SLACK) && schedule.is_due(now + WATCHED - SLACK));
    }

    #[test]
    fn what_a_log_waits_for_is_not_missed() {
        let (mut schedule, now) = schedule();
        let due = now + Duration::from_secs(1);
        schedule.begin();
        schedule.silent(true, [now, due, now + 2 * WATCHED].into_iter(), now);
        assert_eq!(schedule.due(), due);
        assert!(!schedule.is_due(due - Duration::from_millis(1)), "no slack");
    }

    #[test]
    fn a_lone_line_is_followed_by_another_poll_at_once() {
        let (mut schedule, start) = schedule();
        let now = start + CALM;
        schedule.begin();
        schedule.fed(false, now);
        assert!(schedule.is_lone() && schedule.is_due(now));
        schedule.begin();
        schedule.fed(false, now + SHORTEST);
        assert!(!schedule.is_lone() && !schedule.is_due(now + SHORTEST));
    }

    #[test]
    fn a_busy_log_is_not_watched_before_it_calms_down() {
        let (mut schedule, now) = schedule();
        let became_busy: Vec<_> = (0..10).map(|_| schedule.fed(true, now)).collect();
        assert_eq!(became_busy.iter().position(|busy| *busy), Some(BUSY as usize - 1));
        let silences = (1..).take_while(|_| !schedule.is_calm() && silence(&mut schedule, false, now) < POLL).count();
        assert_eq!(silences, 3, "pauses of 1, 2 and 4 ms");
    }
}
