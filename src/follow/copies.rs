//! What `copytruncate` leaves: copies of what the log held before it was truncated. How they are recognized, in which order
//! they are read, and how the follower comes back to the log.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::follower::{Follower, GONE, LastCopy, Phase, Step};
use super::generations::chain_and_gaps::Between;
use super::generations::list::{self, Sibling, Siblings};
use super::generations::search::Search;
use super::held_files::{Ahead, Next, Sighted};
use super::log::file::File;
use super::log::fingerprint::holds;
use super::log::open::Glance;
use super::log::status::TICK;
use super::trimmed::{is_beginning, is_unfinished, kept};
use crate::protocol::event::Missing;

/// How many bytes must speak for a copy that may have been there before.
const ENOUGH_OF_A_COPY: u64 = 64;

impl Follower {
    /// The copy of the truncated log: a sibling that holds what was read. If there are several: one that was not there
    /// before, then the longest, then the youngest.
    pub(super) fn copy(&self, siblings: &Siblings) -> io::Result<Option<Arc<File>>> {
        let position = self.open.position();
        if position.evidence() == 0 {
            return Ok(None);
        }
        let may_be = |sibling: &&Sibling| {
            // What was last written to before the log was is older, whenever it was compressed. And a few bytes may be those
            // of any archive.
            let is_older = sibling.status.written + TICK < position.changed;
            if sibling.rotated.is_compressed && (is_older || position.evidence() < ENOUGH_OF_A_COPY) {
                return false;
            }
            let (begun, log_born) = (sibling.status.start(), self.open.status.identity.born);
            let born = sibling.status.identity.born;
            let born = if sibling.rotated.is_compressed { born.map(|_| begun) } else { born };
            // One that is older than the log may be overwritten with a copy, but a few bytes do not show that.
            if !self.memory.are_copies && born.is_some() && born <= log_born && position.evidence() < ENOUGH_OF_A_COPY {
                return false;
            }
            let is_new = self.memory.is_listed()
                || sibling.status.start() >= position.changed
                || position.evidence() >= ENOUGH_OF_A_COPY;
            // The size of a compressed file is not that of what it holds.
            let is_long = sibling.rotated.is_compressed || sibling.status.size >= position.offset;
            is_new && is_long && !sibling.status.is_same(&self.open.status)
        };
        let mut copies = Vec::new();
        for sibling in siblings.list.iter().filter(may_be) {
            copies.push((self.memory.knows_unchanged(sibling, &self.log)?, sibling));
        }
        copies.sort_by_key(|(is_known, sibling)| {
            (*is_known, Reverse(sibling.status.size), Reverse(sibling.status.begun()))
        });
        for (is_known, sibling) in copies {
            // It may be listed before the log is truncated; but few bytes may be those of any older generation.
            if (position.evidence() >= ENOUGH_OF_A_COPY || !is_known)
                && let Some(file) = sibling.open(&self.log)?
                && self.memory.place_in(&file)?.is_none()
                && holds(&file, &position, 0)?
            {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// The rest is read from the copy, then the copies that were made after it, then the log from its start. An end in the
    /// log is in the copy now.
    pub(super) fn go_to_copy(&mut self, copy: Arc<File>, log: Sighted, siblings: &Siblings) -> io::Result<Step> {
        if let Some(end) = self.end.as_mut().filter(|_| matches!(self.phase, Phase::Current)) {
            self.open.replace(copy)?;
            end.file = self.open.file.clone();
            return Ok(Step::Busy);
        }
        let between = self.find_unread_copies(Some(&copy), &log.file, siblings)?;
        if !log.is_as_it_was()? {
            return Ok(Step::Busy);
        }
        self.note_beside(&log, siblings)?;
        self.open.replace(copy)?;
        self.opened = 0;
        self.pass_copies(between, log, siblings)?;
        Ok(Step::Busy)
    }

    /// The open file is a copy of `log`, which comes after it by way of other copies.
    pub(super) fn pass_copies(&mut self, between: Between, log: Sighted, siblings: &Siblings) -> io::Result<()> {
        self.last_copy = between.generations.is_empty().then(LastCopy::default);
        let mut ahead = copies_ahead(between, log);
        if let Phase::Leaving { ahead: later, .. } = std::mem::replace(&mut self.phase, Phase::Current) {
            ahead.append(later);
        }
        let held = ahead.hold(&self.log, siblings);
        self.phase = Phase::Passing(ahead);
        held
    }

    /// At the end of a copy, before the truncated log: while the copy was read the log may have been copied and truncated
    /// again, so its copies are listed once more if anything was done to it. And it may have been trimmed, if the copy was
    /// made by somebody else. Returns what to do instead of going on.
    pub(super) fn check_copies(&mut self, now: Instant) -> io::Result<Option<Step>> {
        let Phase::Passing(ahead) = &self.phase else { return Ok(None) };
        let Some((log, glance)) = ahead.truncated() else { return Ok(None) };
        if !glance.is_of(log)? {
            // Its first read finds out, and the copy of what it held then.
            return Ok(None);
        }
        let (changed, is_guess) = (glance.status.changed, ahead.has_guessed_gap());
        let log = Sighted::now(log.clone())?;
        if let Some(copy) = &mut self.last_copy
            && self.end.is_none()
            && (is_unfinished(&self.open.before, &log.file)?
                || is_beginning(&log.file, &self.open.file, self.open.offset)?)
            && now < *copy.ended.get_or_insert(now) + GONE
        {
            return Ok(Some(Step::Quiet));
        }
        if (is_guess || !log.glance.status.is_untouched_since(changed))
            && let Some(siblings) = self.siblings_if_any()?
        {
            let copy = self.open.file.clone();
            let between = self.find_unread_copies(Some(&copy), &log.file, &siblings)?;
            if !log.is_as_it_was()? {
                // It is truncated at this very moment.
                return Ok(Some(Step::Busy));
            }
            self.note_beside(&log, &siblings)?;
            self.last_copy = self.last_copy.take().filter(|_| between.generations.is_empty());
            let again = copies_ahead(between, log);
            if let Phase::Passing(ahead) = &mut self.phase {
                ahead.replace_first(again);
                ahead.hold(&self.log, &siblings)?;
            }
        }
        if let Phase::Passing(ahead) = &mut self.phase
            && self.last_copy.is_some()
            && let Some((log, _)) = ahead.truncated()
            && let Some(kept) = kept(log, &self.open.file, self.open.offset, &self.open.before)?
        {
            ahead.start_first_at(kept);
        }
        Ok(None)
    }

    /// A log that was empty when it was last checked may have been filled, copied and truncated since.
    pub(super) fn find_unseen(&mut self, empty: &Glance, now: Instant) -> io::Result<Option<Step>> {
        let log = Sighted::now(self.open.file.clone())?;
        if log.glance.status.is_untouched_since(self.open.status.changed) {
            return Ok(None);
        }
        let is_current = matches!(self.phase, Phase::Current) && self.end.is_none();
        if !is_current || self.leads_to(&log.file)? != Some(true) {
            self.open.note(log.glance);
            return Ok(None);
        }
        let siblings = list::list(&self.log)?;
        let between = self.find_unread_copies(None, &log.file, &siblings)?;
        // If it was rotated meanwhile, what is beside it now may have come after it.
        if !log.is_as_it_was()? || self.leads_to(&log.file)? != Some(true) {
            self.open.unread(empty.clone());
            return Ok(Some(Step::Busy));
        }
        self.note_beside(&log, &siblings)?;
        let was_truncated = std::mem::take(&mut self.was_truncated);
        if between.generations.is_empty() {
            if was_truncated {
                self.open.unread(log.glance);
                return Ok(Some(Step::Gap(Missing::Truncated, None)));
            }
            self.open.note(log.glance);
            return Ok(None);
        }
        self.open.seek(0)?;
        self.begin_again(between, log, None, now).map(Some)
    }

    /// The same as [`Follower::unread_copies`].
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when one seems to be missing, which may only be under its next name in a moment: the
    /// files must be listed again.
    pub(super) fn find_unread_copies(
        &mut self,
        copy: Option<&File>,
        log: &File,
        siblings: &Siblings,
    ) -> io::Result<Between> {
        let between = self.unread_copies(copy, log, siblings)?;
        if between.misses_number && !between.has_unreadable {
            self.doubt()?;
        }
        Ok(between)
    }

    /// The copies of what the log held before it was truncated, after `copy`, which is the first of them, or all that
    /// were not there before.
    pub(super) fn unread_copies(&self, copy: Option<&File>, log: &File, siblings: &Siblings) -> io::Result<Between> {
        let after = Some(self.open.since).filter(|_| copy.is_none());
        let status = log.status()?;
        let mut search = Search { from: copy, after, read: Some(&self.open), ..self.search(log, siblings) };
        if siblings.find(&status).is_none() && self.leads_to(log)? != Some(true) {
            // The log was deleted since: what came into being after its last write are other generations.
            let last = status.written.saturating_sub(1);
            search.until = Some(search.until.map_or(last, |until| until.min(last)));
        }
        search.run()
    }

    /// The copies of what the log held are found, so nothing that is beside it now holds more; unless it was written to,
    /// copied and truncated again meanwhile.
    pub(super) fn note_beside(&mut self, log: &Sighted, siblings: &Siblings) -> io::Result<()> {
        let older = self.older(&log.file, &log.glance, siblings)?;
        self.memory.note_known(siblings, older, &self.log)
    }

    /// Goes to the start of the truncated log, by way of copies that lie between.
    pub(super) fn begin_again(
        &mut self,
        between: Between,
        log: Sighted,
        gap: Option<Missing>,
        now: Instant,
    ) -> io::Result<Step> {
        let mut ahead = copies_ahead(between, log);
        if let Phase::Leaving { ahead: later, .. } = std::mem::replace(&mut self.phase, Phase::Current) {
            ahead.append(later);
        }
        self.queued.extend(gap.map(|missing| Step::Gap(missing, None)));
        self.phase = Phase::Turning(ahead);
        self.go_on(now)
    }
}

fn copies_ahead(between: Between, log: Sighted) -> Ahead {
    let mut ahead = Ahead::default();
    between.generations.into_iter().for_each(|(sibling, gap)| ahead.push(Next::listed(sibling, gap)));
    ahead.push(Next::truncated(log, between.gap));
    ahead
}
