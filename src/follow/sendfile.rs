//! When bytes may be passed on as a range of the file, unread, for the kernel to move (sendfile(2)). What a range is, is in
//! `file_range`.

use std::io;
use std::time::Instant;

use super::file_range::FileRange;
use super::follower::{Follower, Phase};

impl Follower {
    /// Passes over the next `length` bytes without reading them. `None` when there are fewer, or when something else is
    /// to be done first: then [`Follower::poll`] does it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn file_range(&mut self, length: usize, now: Instant) -> io::Result<Option<FileRange>> {
        let is_plain = self.queued.is_empty()
            && self.places.is_none()
            && self.awaited.is_none()
            && self.skip == 0
            && !self.open.is_fresh
            && !self.nuls.is_waiting();
        let is_reading = !matches!(self.phase, Phase::Backfilling(_) | Phase::Doubtful { .. } | Phase::Turning(_));
        let end = self.open.offset + length as u64;
        // What was written since the file was opened must be read: it may hold NULs that stand for bytes to come.
        let is_data = !self.may_be_written_to() || end <= self.opened;
        if !is_plain || !is_reading || !is_data || self.before_end().is_some_and(|left| left < length as u64) {
            return Ok(None);
        }
        let range = self.open.file_range(length as u64)?;
        if range.is_some() {
            self.is_settled = false;
            self.note_bytes(true, now);
        }
        Ok(range)
    }
}
