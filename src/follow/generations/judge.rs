//! Whether a file beside a log is a generation that comes between two others: by its name, its times and its bytes.

use std::io;

use super::ends::{Ends, Relation};
use super::list::Sibling;
use super::search::Search;
use crate::follow::log::file::File;
use crate::follow::log::fingerprint::{agree, begin_with, is_empty, is_prefix};
use crate::follow::log::status::{Status, TICK};
use crate::follow::position::HEAD;
use crate::rotated_name::NameStamp;

/// How long it may take from the end of one generation to the creation of the next where nothing but that tells that none
/// is missing in between, in nanoseconds: a rotation that is not interrupted takes well below a millisecond.
pub(super) const PAUSE: i64 = 20_000_000;

impl Search<'_> {
    /// Whether a sibling is a generation that was not read, and whether it can be read; `None` when it is not one.
    pub(super) fn judge(&self, sibling: &Sibling, place: Relation, ends: &Ends<'_>) -> io::Result<Option<bool>> {
        let start = sibling.status.start();
        if self.until.is_some_and(|until| start > until) {
            return Ok(None);
        }
        if place != Relation::Between && self.after.is_some_and(|after| self.came_by(sibling, after)) {
            return Ok(None);
        }
        // What was there when the older file was moved away does not come after it.
        let is_moved = self.from.is_some() && self.read.is_none() && !ends.is_deleted;
        let is_moved = is_moved || self.read.is_none() && sibling.rotated.is_compressed;
        if place == Relation::Unordered && is_moved && !self.is_after(sibling, ends) {
            return Ok(None);
        }
        if place == Relation::Unordered && self.read.is_some() && !self.may_follow_copy(sibling, ends) {
            return Ok(None);
        }
        if self.read.is_none() && place != Relation::Between && !self.is_before(sibling, ends) {
            return Ok(None);
        }
        // A copy whose beginning nobody knows is one only if it is named as those before it.
        if self.from.is_none() && self.read.is_some() && !ends.is_named_as_known(self, sibling) {
            return Ok(None);
        }
        // Copies of one log are all named alike; of renamed files one may be named in a new way.
        if place == Relation::Foreign && (self.read.is_some() || !self.is_adjoining(sibling, ends)) {
            return Ok(None);
        }
        if self.memory.has_finished(sibling, self.log)? {
            return Ok(None);
        }
        let Some(file) = sibling.open(self.log)? else { return Ok(Some(false)) };
        Ok(self.is_unread(sibling, &file, place, ends)?.then_some(true))
    }

    /// What its bytes say: a copy of something that was read, or that will be read under another name, is not one more
    /// generation.
    fn is_unread(&self, sibling: &Sibling, file: &File, place: Relation, ends: &Ends<'_>) -> io::Result<bool> {
        let counts_back = matches!(sibling.rotated.stamp, NameStamp::Number { counts_back: true, .. });
        let is_numbered = place == Relation::Between && counts_back;
        let is_rotation = self.from.is_some() && self.read.is_none();
        // Of one that is damaged before its first byte nothing tells what it was: that is a gap.
        if file.is_compressed() && is_empty(file)? && !file.known_end().is_some_and(|end| end.is_damaged) {
            return Ok(false);
        }
        if sibling.status.size == 0 {
            // Either an empty generation, or a copy that has just been begun, or a stranger's.
            let is_sought = place == Relation::Between || self.arrivals.is_some() && self.is_after(sibling, ends);
            return Ok(is_rotation && is_sought && sibling.status.begun() <= ends.to.begun());
        }
        let is_of_to = is_prefix(file, self.to)?;
        let is_of_from = match (self.read, self.from) {
            (_, Some(from)) => is_prefix(file, from)?,
            (Some(read), None) => read.has_read(file)?,
            (None, None) => false,
        };
        Ok(match (is_of_from, is_of_to) {
            // No more than the lines with which every generation begins. A copy made when there were no more looks the same,
            // but to repeat these lines does less harm than to lose them.
            (true, true) => is_rotation && !self.is_rewritten,
            (true, false) if is_rotation && !file.is_compressed() && agree(file, self.to)? => {
                is_numbered || self.is_after(sibling, ends)
            }
            (true, false) => is_numbered,
            // A copy of the younger file that is being made, unless it is older than that.
            (false, true) => {
                let is_older = sibling.status.begun() <= ends.to.begun();
                self.read.is_none() && (is_older || file.is_compressed() && place == Relation::Between)
            }
            // A stranger's copy may have a number, too; so what was compressed may be older than that.
            (false, false) if is_numbered && !(file.is_compressed() && self.read.is_some()) => true,
            (false, false) => {
                !(file.is_compressed() && (self.memory.knows_name(&sibling.rotated) || self.is_known(file)?))
                    && !self.memory.knows_content(file)?
                    && !self.has_older_twin(sibling, file, place, ends)?
            }
        })
    }

    /// Whether a compressed file is what became of one that was read, or that was there before. Some lines may have been
    /// written to that late; but if the younger file begins with all of it, or is still empty, every generation may.
    fn is_known(&self, file: &File) -> io::Result<bool> {
        let is_begun = !is_empty(self.to)?;
        let begins_all =
            |held: u64| Ok(held <= HEAD as u64 && (!is_begun || begin_with(file, self.to, held as usize)?));
        Ok(self.memory.has_read(file)? || self.memory.knows_beginning(file, begins_all)?)
    }

    /// Whether a file that is known to be older holds the same bytes; and perhaps more, written late, where no name says
    /// that the two differ.
    fn has_older_twin(&self, sibling: &Sibling, file: &File, place: Relation, ends: &Ends<'_>) -> io::Result<bool> {
        let (older, size) = (ends.older_files(self)?, sibling.status.size);
        let is_other = |at: usize| !self.siblings.list[at].status.is_same(&sibling.status);
        if !file.is_compressed() && older.equal(file, size)?.iter().any(|at| is_other(*at)) {
            return Ok(true);
        }
        for other in older.alike(file)?.filter(|at| is_other(*at)).map(|at| &self.siblings.list[at]) {
            // The sizes of compressed files are not those of what they hold.
            let is_compressed = file.is_compressed() || other.rotated.is_compressed;
            let may_hold_it = is_compressed || place != Relation::Between && other.status.size > size;
            if may_hold_it
                && let Some(other) = other.open(self.log)?
                && is_prefix(file, &other)?
                && (!is_compressed || place != Relation::Between || file.size()? == other.size()?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it was created, or at least renamed, after the older file departed.
    fn is_after(&self, sibling: &Sibling, ends: &Ends<'_>) -> bool {
        // A compressed file is created and renamed later. It cannot come after if it was last written to before.
        let status = &sibling.status;
        let begun = if sibling.rotated.is_compressed { status.written } else { status.begun() };
        begun + TICK >= ends.departed
    }

    /// Whether it may be a later copy than the older file: one that is compressed not if it was last written to before that.
    fn may_follow_copy(&self, sibling: &Sibling, ends: &Ends<'_>) -> bool {
        let is_older = |from: &Status| sibling.status.written < from.written.min(from.changed);
        !sibling.rotated.is_compressed || !ends.from.as_ref().is_some_and(is_older)
    }

    /// Whether it can have come before the younger file: it was created by the time when that was seen under the log's name.
    /// Where the older file is gone, it also lost that name when the younger file was given it, or is named like one that
    /// did; if none did, its number or date has to tell.
    fn is_before(&self, sibling: &Sibling, ends: &Ends<'_>) -> bool {
        let is_later = |born: i64| !self.memory.are_copies && self.seen.is_some_and(|seen| born > seen);
        if !sibling.rotated.is_compressed && sibling.status.created().is_some_and(is_later) {
            return false;
        }
        let Some(created) = ends.to.created().filter(|_| self.from.is_none() || ends.is_deleted) else { return true };
        let is_last = |sibling: &&Sibling| sibling.status.changed + PAUSE >= created;
        if !sibling.rotated.is_ordered() {
            return is_last(&sibling);
        }
        let mut last = self.siblings.list.iter().filter(is_last).peekable();
        last.peek().is_none() || last.any(|other| other.rotated.is_like(&sibling.rotated))
    }

    /// Whether it was created just when the older file departed, or another like it: no stranger's file is.
    fn is_adjoining(&self, sibling: &Sibling, ends: &Ends<'_>) -> bool {
        let Some(created) = sibling.status.created() else { return false };
        let adjoins = |departed: i64| (0..=PAUSE).contains(&(created - departed));
        let like = |other: &&Sibling| other.rotated.is_like(&sibling.rotated) && !other.status.is_same(&sibling.status);
        adjoins(ends.departed) || self.siblings.list.iter().filter(like).any(|other| adjoins(other.status.changed))
    }
}
