//! A log whose bytes were changed in place: truncated, with or without a copy, trimmed to its last lines, or written to
//! before the place that was reached.

use std::io;
use std::time::Instant;

use super::follower::{Follower, GONE, Phase, Step};
use super::generations::list::{self, Siblings};
use super::held_files::Sighted;
use super::log::file::File;
use super::log::fingerprint::holds;
use super::trimmed::{ENOUGH_OF_A_REST, find_again, is_unfinished};
use crate::protocol::event::Missing;

/// How many bytes a file must share with the one whose place it took to be the same log: fewer may be no more than the
/// lines with which every generation begins.
const ENOUGH: u64 = 256;

impl Follower {
    /// The open file no longer holds what was read of it.
    pub(super) fn changed(&mut self, now: Instant) -> io::Result<Step> {
        if let Phase::Passing(ahead) = &mut self.phase {
            self.phase = Phase::Turning(std::mem::take(ahead));
            self.unused = None;
            self.queued.push_back(Step::Gap(Missing::Replaced, None));
            return self.go_on(now);
        }
        let status = self.open.file.status()?;
        let has_shrunk = status.size < self.open.status.size.max(self.open.offset);
        if self.open.offset > 0 && !has_shrunk && self.open.begins_as_before()? {
            // Not truncated: something was written before the place.
            self.go_on_at(self.open.offset)?;
            return Ok(Step::Gap(Missing::Replaced, None));
        }
        let log = Sighted::now(self.open.file.clone())?;
        let siblings = list::list(&self.log)?;
        let copy = self.copy(&siblings)?;
        if copy.is_none()
            && let Some(place) = find_again(&self.open.file, &self.open.before, ENOUGH_OF_A_REST)?
        {
            self.go_on_at(place)?;
            return Ok(Step::Gap(Missing::Truncated, None));
        }
        if copy.is_none() && self.end.is_none() && is_unfinished(&self.open.before, &self.open.file)? {
            let since = match self.phase {
                Phase::Doubtful { since } => since,
                Phase::Leaving { grown, .. } => grown,
                _ => now,
            };
            if now < since + GONE {
                if !matches!(self.phase, Phase::Leaving { .. }) {
                    self.phase = Phase::Doubtful { since };
                }
                return Ok(Step::Quiet);
            }
        }
        match copy {
            Some(copy) => self.go_to_copy(copy, log, &siblings),
            None if self.end.is_some() => {
                self.queued.push_back(Step::Ended);
                Ok(Step::Gap(Missing::Truncated, None))
            }
            None => {
                let between = self.find_unread_copies(None, &log.file, &siblings)?;
                if !log.is_as_it_was()? {
                    return Ok(Step::Busy);
                }
                let gap = if self.has_been_read(&siblings)? { None } else { Some(Missing::Truncated) };
                self.note_beside(&log, &siblings)?;
                self.begin_again(between, log, gap, now)
            }
        }
    }

    /// Goes on in the open file; what was behind that place when it was opened may not be any more.
    fn go_on_at(&mut self, place: u64) -> io::Result<()> {
        self.opened = self.opened.min(place);
        if let Some(end) = &mut self.end {
            end.size = end.size.saturating_sub(self.open.offset.saturating_sub(place));
        }
        // What was not used was not sent, and comes again.
        let place = place.saturating_sub(self.unused() as u64);
        (self.unused, self.unmatched) = (None, Vec::new());
        self.open.find_again(place)
    }

    /// Whether all that the log was seen to hold was read from a copy before it was truncated: of the log itself nothing was.
    fn has_been_read(&self, siblings: &Siblings) -> io::Result<bool> {
        let position = self.open.position();
        if position.offset > 0 {
            return Ok(false);
        }
        for sibling in siblings.list.iter().filter(|sibling| self.memory.may_have_finished(&sibling.status)) {
            if let Some(file) = sibling.open(&self.log)?
                && self.memory.place_in(&file)?.is_some_and(|read| read >= self.open.status.size)
                && holds(&file, &position, 0)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where to go on in a file that took the place of the open one, if it is the same log rewritten, as an editor does it:
    /// what was read is not read again.
    pub(super) fn rewritten(&self, file: &File, siblings: &Siblings) -> io::Result<Option<u64>> {
        if siblings.find(&self.open.file.status()?).is_some_and(|sibling| sibling.rotated.is_ordered()) {
            // It was rotated away.
            return Ok(None);
        }
        let position = self.open.position();
        if position.offset < ENOUGH {
            return Ok(None);
        }
        if holds(file, &position, 0)? {
            return Ok(Some(position.offset));
        }
        find_again(file, &self.open.before, ENOUGH as usize)
    }
}
