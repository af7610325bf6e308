//! From a cursor to the file it speaks of, under whatever name that is found now.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::evidence::{Status, holds};
use super::follower::{Follower, Step, copy_of};
use super::held::Held;
use super::position::{Identity, Position};
use super::root::Log;
use super::siblings::{self, Search, Sibling};
use crate::protocol::event::Missing;

/// How many bytes must speak for a file that is not called by its file system what it was called: a few first lines may
/// be those of every generation. Of a rotated file fewer will do, for it may be the copy of one that is gone.
const ENOUGH: u64 = 256;
const ENOUGH_OF_A_COPY: u64 = 64;

/// Where the log goes on.
enum Way {
    /// In the file that the name leads to.
    Log,
    /// In a file that was rotated away.
    Generation(File),
    /// In a copy of the log, which was truncated since.
    Copy(File),
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
        let siblings = list(&follower.log)?;
        if let (Some(end), Some(sibling)) = (&mut follower.end, siblings.last()) {
            end.newest = end.newest.max(sibling.age.start);
        }
        match find(&follower, position, skip, &siblings)? {
            Way::Log => {
                follower.held.seek(position.offset + skip)?;
                follower.held.note_was(position.written, follower.held.offset.max(position.evidence()));
            }
            Way::Generation(file) => {
                follower.go_back(file, position.offset, skip)?;
                follower.held.since = position.written;
            }
            Way::Copy(file) => {
                follower.truncated = Some(follower.held.file.try_clone()?);
                follower.go_back(file, position.offset, skip)?;
            }
            Way::Nowhere => follower.begin_after(position, &siblings)?,
        }
        Ok(follower)
    }

    fn go_back(&mut self, file: File, offset: u64, skip: u64) -> io::Result<()> {
        self.held = Held::new(file)?;
        self.is_generation = true;
        self.held.seek(offset)?;
        self.skip = skip - self.held.pass(skip)?;
        Ok(())
    }

    /// The file is lost: what came after it, as far as the times tell.
    fn begin_after(&mut self, position: &Position, siblings: &[Sibling]) -> io::Result<()> {
        let copies = is_called(&self.held.status.identity, &position.identity);
        let lost = if copies { Missing::Truncated } else { Missing::Cursor };
        self.told.push_back(Step::Gap(lost, None));
        let search =
            Search { after: position.written, late: &self.late, held: None, current: &self.held.file, until: None };
        if let Some(file) = search.run(&self.log, siblings)? {
            if copies {
                self.truncated = Some(self.held.file.try_clone()?);
            }
            self.go_back(file, 0, 0)?;
        }
        Ok(())
    }
}

/// The siblings of a log that may be rotated at this very moment.
fn list(log: &Log) -> io::Result<Vec<Sibling>> {
    const TRIES: usize = 100;
    let mut tries = (0..TRIES).map(|_| siblings::list(log));
    let changes = |result: &io::Result<_>| matches!(result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
    tries.find(|result| !changes(result)).unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Fingerprints decide, and what the file system calls the files where several bear the same.
fn find(follower: &Follower, position: &Position, skip: u64, siblings: &[Sibling]) -> io::Result<Way> {
    let (log, current) = (&follower.log, &follower.held);
    let is_called_so = is_called(&current.status.identity, &position.identity);
    let holds_it = holds(&current.file, position, skip)?;
    if is_called_so {
        return if holds_it {
            Ok(Way::Log)
        } else {
            Ok(copy_of(log, position, siblings.iter())?.map_or(Way::Nowhere, Way::Copy))
        };
    }
    for sibling in siblings.iter().filter(|sibling| is_called(&sibling.status.identity, &position.identity)) {
        if let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            return Ok(Way::Generation(file));
        }
    }
    if holds_it && is_convincing(position, &current.status, ENOUGH) {
        return Ok(Way::Log);
    }
    for sibling in siblings.iter().filter(|sibling| is_convincing(position, &sibling.status, ENOUGH_OF_A_COPY)) {
        if let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            return Ok(Way::Generation(file));
        }
    }
    Ok(Way::Nowhere)
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
