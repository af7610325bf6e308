//! A log whose bytes were changed in place: truncated, with or without a copy, trimmed to its last lines, or written to
//! before the place that was reached.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::time::Instant;

use memchr::memmem;

use super::ahead::{Ahead, Next, Sighted};
use super::follower::{Follower, GONE, Phase, Step};
use super::generations::chain::Between;
use super::generations::list::{self, Sibling, Siblings};
use super::generations::search::Search;
use super::log::fingerprint::{self, holds};
use super::log::open::Glance;
use super::log::status::Status;
use crate::protocol::event::Missing;

/// How many bytes must speak for a copy that was there before the cursor was made.
const ENOUGH_OF_A_COPY: u64 = 64;
/// How many of the bytes before the place must be found again in a file that was trimmed. Where there is a copy of the
/// whole, more: then it was more likely truncated.
const ENOUGH_OF_A_REST: usize = 4;
const ENOUGH_BESIDE_A_COPY: usize = 64;
/// How many bytes a file must share with the one whose place it took to be the same log: fewer may be no more than the
/// lines with which every generation begins.
const ENOUGH: u64 = 256;
/// How far from its end a file is searched for the place that was reached.
const SEARCHED: u64 = 16 << 20;

impl Follower {
    /// The open file no longer holds what was read of it.
    pub(super) fn changed(&mut self, now: Instant) -> io::Result<Step> {
        if let Phase::Passing(ahead) = &mut self.phase {
            self.phase = Phase::Turning(std::mem::take(ahead));
            self.queued.push_back(Step::Gap(Missing::Replaced, None));
            return self.go_on(now);
        }
        let status = Status::of(&self.open.file)?;
        let has_shrunk = status.size < self.open.status.size.max(self.open.offset);
        if self.open.offset > 0 && !has_shrunk && self.open.begins_as_before()? {
            // Not truncated: something was written before the place.
            self.go_on_at(self.open.offset)?;
            return Ok(Step::Gap(Missing::Replaced, None));
        }
        let log = Sighted::now(self.open.file.clone())?;
        let siblings = list::list(&self.log)?;
        let copy = self.copy(&siblings)?;
        let enough = if copy.is_some() { ENOUGH_BESIDE_A_COPY } else { ENOUGH_OF_A_REST };
        if let Some(place) = find_again(&self.open.file, &self.open.before, enough)? {
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
                let between = self.unread_copies(None, &log.file, &siblings)?;
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
        self.open.find_again(place)
    }

    /// The copy of the truncated log: a sibling that holds what was read. If there are several: one that was not there
    /// before, then the longest, then the youngest.
    fn copy(&self, siblings: &Siblings) -> io::Result<Option<File>> {
        let position = self.open.position();
        if position.evidence() == 0 {
            return Ok(None);
        }
        let may_be = |sibling: &&Sibling| {
            let (born, log_born) = (sibling.status.identity.born, self.open.status.identity.born);
            // One that is older than the log may be overwritten with a copy, but a few bytes do not show that.
            if !self.memory.are_copies && born.is_some() && born <= log_born && position.evidence() < ENOUGH_OF_A_COPY {
                return false;
            }
            let is_new = self.memory.is_listed()
                || sibling.status.start() >= position.changed
                || position.evidence() >= ENOUGH_OF_A_COPY;
            is_new && sibling.status.size >= position.offset && !sibling.status.is_same(&self.open.status)
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

    /// The rest is read from the copy, then the copies that were made after it, then the log from its start.
    fn go_to_copy(&mut self, copy: File, log: Sighted, siblings: &Siblings) -> io::Result<Step> {
        let between = self.unread_copies(Some(&copy), &log.file, siblings)?;
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
        let mut ahead = copies_ahead(between, log);
        if let Phase::Leaving { ahead: later, .. } = std::mem::replace(&mut self.phase, Phase::Current) {
            ahead.append(later);
        }
        let held = ahead.hold(&self.log, siblings);
        self.phase = Phase::Passing(ahead);
        held
    }

    /// Where to go on in a file that took the place of the open one, if it is the same log rewritten, as an editor does it:
    /// what was read is not read again.
    pub(super) fn rewritten(&self, file: &File, siblings: &Siblings) -> io::Result<Option<u64>> {
        if siblings.find(&Status::of(&self.open.file)?).is_some_and(|sibling| sibling.rotated.is_ordered()) {
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

    /// At the end of a copy, before the truncated log: while the copy was read the log may have been copied and truncated
    /// again, so its copies are listed once more. And it may have been trimmed, if the copy was made by somebody else.
    /// Returns what to do instead of going on.
    pub(super) fn check_copies(&mut self, now: Instant) -> io::Result<Option<Step>> {
        let Phase::Passing(ahead) = &self.phase else { return Ok(None) };
        let Some((log, glance)) = ahead.truncated() else { return Ok(None) };
        if !glance.is_of(log)? {
            // Its first read finds out, and the copy of what it held then.
            return Ok(None);
        }
        let changed = glance.status.changed;
        let log = Sighted::now(log.clone())?;
        if self.end.is_none() && is_unfinished(&self.open.before, &log.file)? {
            let since = *self.copy_ended.get_or_insert(now);
            if now < since + GONE {
                return Ok(Some(Step::Quiet));
            }
        }
        if log.glance.status.is_untouched_since(changed) {
            return Ok(None);
        }
        let Some(siblings) = self.siblings_if_any()? else { return Ok(None) };
        let between = self.unread_copies(Some(&self.open.file), &log.file, &siblings)?;
        let kept = if between.generations.is_empty() { self.kept(&log.file)? } else { None };
        if !log.is_as_it_was()? {
            // It is truncated at this very moment.
            return Ok(Some(Step::Busy));
        }
        self.note_beside(&log, &siblings)?;
        let mut again = copies_ahead(between, log);
        if let Some(place) = kept {
            again.trim_newest(place);
        }
        if let Phase::Passing(ahead) = &mut self.phase {
            ahead.replace_first(again);
            ahead.hold(&self.log, &siblings)?;
        }
        Ok(None)
    }

    /// Where the last lines of the copy end in the log, if the log was trimmed to them.
    fn kept(&self, log: &File) -> io::Result<Option<u64>> {
        let before = &self.open.before;
        // A log that holds all that the copy holds was not trimmed: every log may begin with these lines.
        let is_all = |place: &u64| self.open.offset == before.len() as u64 && *place == self.open.offset;
        Ok(find_again(log, before, ENOUGH_BESIDE_A_COPY)?.filter(|place| !is_all(place)))
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
        let between = self.unread_copies(None, &log.file, &siblings)?;
        if !log.is_as_it_was()? {
            self.open.unread(empty.clone());
            return Ok(Some(Step::Busy));
        }
        self.note_beside(&log, &siblings)?;
        if between.generations.is_empty() {
            self.open.note(log.glance);
            return Ok(None);
        }
        self.open.seek(0)?;
        self.begin_again(between, log, None, now).map(Some)
    }

    /// The copies of what the log held before it was truncated, after `copy`, which is the first of them, or all that
    /// were not there before.
    pub(super) fn unread_copies(&self, copy: Option<&File>, log: &File, siblings: &Siblings) -> io::Result<Between> {
        let after = Some(self.open.since).filter(|_| copy.is_none());
        let status = Status::of(log)?;
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
    fn note_beside(&mut self, log: &Sighted, siblings: &Siblings) -> io::Result<()> {
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

/// Where the bytes before a place stand in a file that was trimmed to its last lines, or of which a part was cut out. At
/// least `enough` bytes must be found, whole lines where they are not all that is remembered.
fn find_again(file: &File, before: &[u8], enough: usize) -> io::Result<Option<u64>> {
    let size = Status::of(file)?.size;
    if before.len() < enough || size == 0 {
        return Ok(None);
    }
    if before.len() >= ENOUGH_BESIDE_A_COPY {
        let start = size.saturating_sub(SEARCHED);
        let bytes = fingerprint::read_up_to(file, start, (size - start) as usize)?;
        if let Some(found) = memmem::rfind(&bytes, before) {
            return Ok(Some(start + (found + before.len()) as u64));
        }
    }
    let first = fingerprint::read_up_to(file, 0, before.len())?;
    let is_rest = |&length: &usize| {
        let (passed, rest) = before.split_at(before.len() - length);
        first.starts_with(rest) && passed.last().is_none_or(|&byte| byte == b'\n')
    };
    Ok((enough..before.len().min(first.len() + 1)).rev().find(is_rest).map(|length| length as u64))
}

/// Whether the file holds nothing but a part of the lines before the place, as it does for a moment while it is trimmed.
fn is_unfinished(before: &[u8], file: &File) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size > before.len() as u64 {
        return Ok(false);
    }
    let bytes = fingerprint::read_up_to(file, 0, size as usize)?;
    Ok(bytes.is_empty() || memmem::find(before, &bytes).is_some())
}
