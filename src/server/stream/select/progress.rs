//! How far the search through the bytes has come that were there when the stream began.

use std::time::{Duration, Instant};

use crate::follow::follower::Follower;
use crate::protocol::log_event::LogEvent;

#[derive(Debug)]
pub(super) struct Progress {
    /// Where the search began, and how many bytes there are to search from there.
    start: u64,
    total: Option<u64>,
    /// How many bytes were searched backwards for the first line.
    back: u64,
    next: Instant,
    is_done: bool,
}

const INTERVAL: Duration = Duration::from_secs(1);

impl Progress {
    pub(super) fn new(follower: &Follower, now: Instant) -> Progress {
        let total = follower.bytes_ahead();
        Progress { start: follower.travelled(), total, back: 0, next: now + INTERVAL, is_done: false }
    }

    /// The place of the first line is known. Unless it was found by searching lines that match, the search begins there.
    pub(super) fn begin(&mut self, follower: &Follower) {
        if self.back == 0 {
            (self.start, self.total) = (follower.travelled(), follower.bytes_ahead());
        }
    }

    /// The report that is due now. `is_end`: there is nothing more to read for now.
    pub(super) fn report<D>(
        &mut self,
        follower: &Follower,
        matches: u64,
        is_end: bool,
        now: Instant,
    ) -> Option<LogEvent<D>> {
        self.back = self.back.max(follower.searched_back());
        let done = is_end || !follower.is_searching();
        if self.is_done || !done && now < self.next {
            return None;
        }
        (self.is_done, self.next) = (done, now + INTERVAL);
        let on = (follower.travelled() + follower.unused() as u64).saturating_sub(self.start);
        let searched = if self.back > 0 { self.back } else { on };
        let bytes = self.total.map_or(searched, |total| searched.min(total));
        Some(LogEvent::Progress { bytes, total: self.total, matches, done })
    }
}
