//! From a cursor to the file it speaks of, under whatever name that is found now.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::evidence::{Status, holds};
use super::follower::{Follower, Step};
use super::held::Held;
use super::position::{Identity, Position};
use super::root::Log;
use super::siblings::{self, Order, Search, Siblings};
use super::truncation::copy_of;
use crate::protocol::event::Missing;

/// How many bytes must speak for a file that is not called by its file system what it was called: a few first lines may
/// be those of every generation. Of a rotated file fewer will do, for it may be the copy of one that is gone.
const ENOUGH: u64 = 256;
const ENOUGH_OF_A_COPY: u64 = 64;

/// Where the log goes on.
pub(super) enum Way {
    /// In the file that the name leads to.
    Log,
    /// In a file that was rotated away.
    Generation(File),
    /// In the copy of a file that was truncated since.
    Copy {
        copy: File,
        log: File,
    },
    /// At the start of a file that was truncated since.
    Truncated(File),
    Nowhere,
}

impl Follower {
    /// Goes on `skip` bytes after `position`, in `file`, which `log` led to, or in one of its generations. What cannot be
    /// found is told as a gap.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn resume(
        log: Log,
        file: File,
        (position, skip): (&Position, u64),
        tail: bool,
        rotate_wait: Duration,
    ) -> io::Result<Follower> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.told.push_back(Step::Started);
        let mut siblings = list(&follower.log)?;
        if let (Some(end), Some(sibling)) = (&mut follower.end, siblings.list.last()) {
            end.newest = end.newest.max(sibling.age.start);
        }
        follower.is_fresh = position.is_fresh && skip == 0;
        let mut way = find(&follower, position, skip, &siblings)?;
        if matches!(way, Way::Truncated(_)) {
            // The copy is there before the log is truncated, but perhaps not before the siblings were listed.
            siblings = list(&follower.log)?;
            way = find(&follower, position, skip, &siblings)?;
        }
        match follower.through_copies(way, position, &siblings)? {
            Way::Log => {
                follower.held.seek(position.offset + skip)?;
                follower.held.note_was(position.written, follower.held.offset.max(position.evidence()));
            }
            Way::Generation(file) => {
                let current = follower.held.file.try_clone()?;
                follower.go_back(file, position.offset, skip)?;
                follower.held.since = position.written;
                // The last one before the log may still be written to.
                let next = follower.search(&current, Order::After(position.written), &siblings)?;
                follower.is_generation = follower.end.is_some() || next.file.is_some();
            }
            Way::Copy { copy, log } => {
                follower.truncated = Some(log);
                follower.go_back(copy, position.offset, skip)?;
            }
            Way::Truncated(log) => follower.begin_truncated(log, position, &siblings)?,
            Way::Nowhere => follower.begin_after(position, &siblings)?,
        }
        Ok(follower)
    }

    /// Why the place that was asked for is lost, if it is: a gap is told before anything is read.
    pub(crate) fn lost(&self) -> Option<Missing> {
        self.told.iter().find_map(|step| if let Step::Gap(missing, _) = step { Some(*missing) } else { None })
    }

    /// A log that was empty may have been filled, copied and truncated since, and nothing but its copies tells.
    fn through_copies(&mut self, way: Way, position: &Position, siblings: &Siblings) -> io::Result<Way> {
        let log = match &way {
            Way::Log => &self.held.file,
            Way::Truncated(log) => log,
            Way::Generation(_) | Way::Copy { .. } | Way::Nowhere => return Ok(way),
        };
        if position.evidence() > 0 {
            return Ok(way);
        }
        let log = log.try_clone()?;
        self.held.since = position.written;
        Ok(self.unread_copy(&log, siblings)?.file.map_or(way, |copy| Way::Copy { copy, log }))
    }

    fn go_back(&mut self, file: File, offset: u64, skip: u64) -> io::Result<()> {
        self.held = Held::new(file)?;
        self.is_generation = true;
        self.held.seek(offset)?;
        self.skip = skip - self.held.pass(skip)?;
        Ok(())
    }

    /// Begins with the oldest copy that was made since, or with what was written since.
    fn begin_truncated(&mut self, log: File, position: &Position, siblings: &Siblings) -> io::Result<()> {
        self.told.push_back(Step::Gap(Missing::Truncated, None));
        let current = self.held.file.try_clone()?;
        self.held.since = position.written;
        self.is_fresh = true;
        if let Some(copy) = self.unread_copy(&log, siblings)?.file {
            self.truncated = Some(log);
            return self.go_back(copy, 0, 0);
        }
        if !Status::of(&log)?.is_same(&Status::of(&current)?) {
            self.go_back(log, 0, 0)?;
            self.held.since = position.written;
            return Ok(());
        }
        self.held.note_current();
        self.told.push_back(Step::Truncated);
        Ok(())
    }

    /// The file is lost: begins with what came after it, as far as the times tell.
    fn begin_after(&mut self, position: &Position, siblings: &Siblings) -> io::Result<()> {
        self.told.push_back(Step::Gap(Missing::Cursor, None));
        self.is_fresh = false;
        let (late, current, order) = (&self.late, &self.held.file, Order::After(position.written));
        let siblings = siblings.clone().before(&self.held.status, order);
        let search = Search { order, late, held: None, current, until: self.until() };
        match search.run(&self.log, &siblings)?.file {
            Some(file) => self.go_back(file, 0, 0),
            None => Ok(()),
        }
    }
}

/// The siblings of a log that may be rotated at this very moment.
pub(super) fn list(log: &Log) -> io::Result<Siblings> {
    const TRIES: usize = 20;
    let mut tries = (0..TRIES).map(|_| siblings::list(log));
    let changes = |result: &io::Result<_>| matches!(result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
    tries.find(|result| !changes(result)).unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Fingerprints decide, and what the file system calls the files where several bear the same.
pub(super) fn find(follower: &Follower, position: &Position, skip: u64, siblings: &Siblings) -> io::Result<Way> {
    let (log, current) = (&follower.log, &follower.held);
    let holds_it = holds(&current.file, position, skip)?;
    if is_called(&current.status.identity, &position.identity) {
        return if holds_it { Ok(Way::Log) } else { find_copy(log, current.file.try_clone()?, position, siblings) };
    }
    let called = siblings.list.iter().find(|sibling| is_called(&sibling.status.identity, &position.identity));
    if let Some(file) = called.map(|sibling| sibling.open(log)).transpose()?.flatten() {
        let is_whole = holds(&file, position, 0)?;
        return if is_whole { Ok(Way::Generation(file)) } else { find_copy(log, file, position, siblings) };
    }
    if holds_it && is_convincing(position, &current.status, ENOUGH) {
        return Ok(Way::Log);
    }
    for sibling in siblings.list.iter().filter(|sibling| is_convincing(position, &sibling.status, ENOUGH_OF_A_COPY)) {
        if let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            return Ok(Way::Generation(file));
        }
    }
    Ok(Way::Nowhere)
}

fn find_copy(log: &Log, truncated: File, position: &Position, siblings: &Siblings) -> io::Result<Way> {
    Ok(match copy_of(log, position, siblings.list.iter())? {
        Some(copy) => Way::Copy { copy, log: truncated },
        None => Way::Truncated(truncated),
    })
}

/// Device numbers change when a machine starts anew, times of birth do not.
fn is_called(one: &Identity, other: &Identity) -> bool {
    one.inode == other.inode && one.born == other.born && (one.born.is_some() || one.device == other.device)
}

/// Whether bytes alone may decide: there are enough, or the file is older than its inode, as one that was moved here is.
fn is_convincing(position: &Position, status: &Status, enough: u64) -> bool {
    let is_moved = status.identity.born.is_some_and(|born| status.written < born);
    position.evidence() >= if is_moved { 1 } else { enough }
}
