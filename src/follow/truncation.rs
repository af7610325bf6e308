//! A log that was truncated: what had not been read of it may be in copies, made by who truncated it.

use std::fs::File;
use std::io;
use std::time::Instant;

use super::evidence::{Status, holds};
use super::follower::{Follower, Step};
use super::held::{Glance, Held, Nuls};
use super::position::Position;
use super::root::Log;
use super::siblings::{self, Order, Search, Sibling, Siblings, Successor};
use crate::protocol::event::Missing;

impl Follower {
    /// The held file no longer holds what was read of it: it was truncated.
    pub(super) fn restart(&mut self, now: Instant) -> io::Result<Step> {
        if self.truncated.is_some() {
            return self.leave_copy(Some(Missing::Replaced), now);
        }
        let glance = Glance::at(&self.held.file)?;
        let siblings = siblings::list(&self.log)?;
        let unread = siblings.list.iter().filter(|sibling| !self.late.was_left(&sibling.status.identity));
        if let Some(copy) = copy_of(&self.log, &self.position(), unread)? {
            self.truncated = Some(self.held.replace(copy)?);
            self.opened = 0;
            return Ok(Step::Busy);
        }
        if self.end.is_some() && !self.is_generation {
            self.told.push_back(Step::Ended);
            return Ok(Step::Gap(Missing::Truncated, None));
        }
        let between = self.unread_copy(&self.held.file, &siblings)?;
        self.begin_again(between.file, glance, Some(Missing::Truncated))
    }

    /// The copy is read to its end: another one comes next, or the log itself.
    pub(super) fn leave_copy(&mut self, missing: Option<Missing>, now: Instant) -> io::Result<Step> {
        let log = self.truncated.as_ref().expect("a copy is held");
        let glance = Glance::at(log)?;
        let siblings = siblings::list(&self.log)?;
        let between = self.unread_copy(log, &siblings)?;
        // As copies are deleted, the next one may have been, too.
        let expired = (Status::of(&self.held.file)?.links == 0).then_some(Missing::Expired);
        let left = (self.held.status.identity, self.held.offset);
        let step = self.begin_again(between.file, glance, missing.or(expired).or(between.missing))?;
        self.late.remember(left, now);
        Ok(step)
    }

    /// A log that was empty when it was last looked at may have been filled, copied and truncated since.
    pub(super) fn find_unseen(&mut self) -> io::Result<Option<Step>> {
        let is_quiet = Status::of(&self.held.file)?.written == self.held.status.written;
        let is_rotated = self.is_generation || self.truncated.is_some() || self.end.is_some();
        if is_quiet || is_rotated || self.leads_to(&self.held.file)? != Some(true) {
            return Ok(None);
        }
        let glance = Glance::at(&self.held.file)?;
        let siblings = siblings::list(&self.log)?;
        match self.unread_copy(&self.held.file, &siblings)? {
            Successor { file: None, .. } => Ok(None),
            Successor { file, missing } => self.begin_again(file, glance, missing).map(Some),
        }
    }

    /// The next copy of what the log held before it was truncated. Of a log that is rotated away by now what is named
    /// later, or, where it is deleted, what was begun after its last write, are other generations.
    pub(super) fn unread_copy(&self, log: &File, siblings: &Siblings) -> io::Result<Successor> {
        let status = Status::of(log)?;
        let (order, late) = (Order::After(self.held.since), &self.late);
        let held = self.truncated.as_ref().map(|_| &self.held.file);
        let mut search = Search { order, late, held, current: log, until: self.until() };
        if self.leads_to(log)? == Some(true) {
            return search.run(&self.log, siblings);
        }
        match siblings.list.iter().find(|sibling| sibling.status.is_same(&status)) {
            Some(rotated) => search.run(&self.log, &siblings.named_before(rotated)),
            None => {
                search.until = Some(status.written.saturating_sub(1));
                search.run(&self.log, siblings)
            }
        }
    }

    /// Goes to the start of the truncated log, as it was at a glance before its copies were listed, by way of a copy that
    /// lies between; that may begin with a hole, too.
    fn begin_again(&mut self, between: Option<File>, glance: Glance, missing: Option<Missing>) -> io::Result<Step> {
        match between {
            Some(copy) => {
                let log = self.go_to(Held::new(copy)?, missing, Step::Rotated);
                self.truncated.get_or_insert(log);
            }
            None => {
                let log = self.truncated.as_ref().unwrap_or(&self.held.file);
                let is_generation = self.leads_to(log)? == Some(false);
                let mut log = Held::glanced_at(log.try_clone()?, glance);
                if is_generation {
                    // Its last write may be a late one; what comes after it does so after what was read before it.
                    log.since = self.held.since;
                }
                self.go_to(log, missing, Step::Truncated);
                (self.truncated, self.is_generation) = (None, is_generation);
            }
        }
        self.is_fresh = true;
        Ok(Step::Busy)
    }

    /// A writer that does not append goes on where it was when the log was truncated, and what lies before is no log but
    /// a hole: it is told as a gap.
    pub(super) fn pass_hole(&mut self) -> io::Result<Option<Step>> {
        let (step, is_over) = match self.held.pass_nuls()? {
            Nuls::None => (None, true),
            Nuls::Passed => (Some(Step::Busy), false),
            Nuls::Silent => (None, false),
            Nuls::Before => (Some(Step::Gap(Missing::Truncated, Some(self.held.offset))), true),
        };
        self.is_fresh = !is_over;
        Ok(step)
    }
}

/// The copy, among the siblings, of a log that was truncated: it holds what was read up to `position`, and was made
/// after that was read. Of several the longest.
pub(super) fn copy_of<'s>(
    log: &Log,
    position: &Position,
    siblings: impl Iterator<Item = &'s Sibling>,
) -> io::Result<Option<File>> {
    let mut copies: Vec<_> = siblings.filter(|sibling| sibling.age.start >= position.written).collect();
    copies.sort_by_key(|sibling| std::cmp::Reverse(sibling.status.size));
    for sibling in copies {
        if position.evidence() > 0
            && let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
