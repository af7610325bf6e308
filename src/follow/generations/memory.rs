//! What a follower remembers of files that it does not read any more, or never did: which it has read, how far, and which
//! were there before. Those that it will read are in `held_files`.
//!
//! Memory is bounded. File numbers alone prove nothing once a file is closed: where a file system has no creation times,
//! the bytes decide as well.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::list::{Sibling, Siblings};
use crate::follow::log::file::File;
use crate::follow::log::fingerprint::{before, head, holds, read_up_to};
use crate::follow::log::open::OpenLog;
use crate::follow::log::status::Status;
use crate::follow::position::{HEAD, Identity, Position, Print};
use crate::follow::root::Log;
use crate::rotated_name::Rotated;

#[derive(Debug, Default)]
pub(in crate::follow) struct Memory {
    /// The files that were finished last, and up to where they were read.
    finished: VecDeque<Position>,
    /// Those that were deleted when they were finished. They may have been compressed.
    deleted: VecDeque<Position>,
    /// Those of the former that have no creation time, and too few bytes to be recognized by. While a file is open its inode number
    /// is not reused.
    held: VecDeque<(Identity, Arc<File>)>,
    /// The siblings that were there while the youngest file that was seen under the log's name was current. None of them
    /// comes after it.
    known: Vec<Known>,
    is_listed: bool,
    /// Those that were there before and are not any more. They may have been compressed.
    vanished: VecDeque<Known>,
    /// The files are copies, made later, of those that a cursor speaks of: their creation says nothing of their age.
    pub are_copies: bool,
    /// When the log's directory was checked for changes, and its change time then.
    refreshed: Option<Instant>,
    directory: Option<i64>,
    /// When the files that were finished are checked for late writes though nothing was rotated, and the pause before that.
    check: Option<(Instant, Duration)>,
}

/// A sibling in 40 bytes.
#[derive(Clone, Copy, Debug)]
struct Known {
    key: u64,
    size: u64,
    /// A fingerprint of its first and last bytes, by which it is recognized when it is copied or restored.
    content: Option<u64>,
    /// A hash of its name, if that has a date: no other file is given it.
    name: Option<u64>,
}

/// Which siblings are older than a log.
#[derive(Clone, Copy, Debug)]
pub(in crate::follow) enum Older {
    All,
    /// Those that came into being before the log did, or were last changed before it was last seen to change, then. While
    /// its name leads to it, also those that came into being before then.
    Than {
        born: Option<i64>,
        changed: i64,
        is_current: bool,
    },
}

impl Older {
    fn holds(&self, status: &Status) -> bool {
        let Older::Than { born: log, changed, is_current } = *self else { return true };
        match status.identity.born {
            Some(born) => {
                // Clocks are coarse: what was born just then and changed later may be a copy of what was written later.
                let is_before = || born < changed || born == changed && status.changed == changed;
                Some(born) <= log || status.changed < changed || is_current && is_before()
            }
            None => status.changed < changed,
        }
    }
}

/// Of so many siblings the content is remembered: each costs an open file for a moment.
const CONTENTS: usize = 64;

/// How many of the files that were finished are remembered.
const FINISHED: usize = 64;
/// How many bytes must be known of a file without a creation time to recognize it by its number.
const ENOUGH: u64 = 64;
/// How many are held open of which fewer are known.
const HELD: usize = 8;
/// The shortest time between two checks of the directory.
const REFRESH: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_secs(1);
/// After that they are checked when the log is rotated again, and not before.
const LONGEST: Duration = Duration::from_secs(32);

impl Memory {
    /// A file was read to its end, and the follower went on.
    /// `is_ahead`: it was given the log's name once more, and its turn comes again.
    pub fn finish(&mut self, open: &OpenLog, is_ahead: bool, now: Instant) {
        let position = open.position();
        self.forget(position.identity);
        if !is_ahead && open.file.status().is_ok_and(|status| status.links == 0) {
            // It cannot come back, except compressed, but another file may get its inode number.
            if self.deleted.len() == FINISHED {
                self.deleted.pop_front();
            }
            self.deleted.push_back(position);
            return;
        }
        if self.finished.len() == FINISHED {
            self.forget(self.finished[0].identity);
        }
        if position.identity.born.is_none() && position.evidence() < ENOUGH {
            if self.held.len() == HELD {
                self.forget(self.held[0].0);
            }
            self.held.push_back((position.identity, open.file.clone()));
        }
        self.finished.push_back(position);
        self.check = Some((now + SHORTEST, SHORTEST));
    }

    fn forget(&mut self, identity: Identity) {
        self.finished.retain(|finished| finished.identity != identity);
        self.held.retain(|(held, _)| *held != identity);
    }

    /// Up to where a file was read before it was finished, if it was.
    pub fn read_of(&self, file: &File) -> io::Result<Option<u64>> {
        let status = file.status()?;
        match self.finished_as(&status).next() {
            Some(finished) if status.identity.born.is_some() => Ok(Some(finished.offset)),
            _ => self.place_in(file),
        }
    }

    /// The same, if the file still holds what was read.
    pub fn place_in(&self, file: &File) -> io::Result<Option<u64>> {
        for finished in self.finished_as(&file.status()?) {
            if holds(file, finished, 0)? {
                return Ok(Some(finished.offset));
            }
        }
        Ok(None)
    }

    /// What comes after that place in a file is not read any more. Returns how many bytes these are, if it need not be
    /// unpacked for that.
    pub fn pass_over(&mut self, file: &File) -> io::Result<Option<u64>> {
        let status = file.status()?;
        if file.is_compressed() {
            return Ok(self.may_have_finished(&status).then_some(0));
        }
        let Status { identity, size, .. } = status;
        let Some(place) = self.place_in(file)? else { return Ok(Some(size)) };
        if let Some(finished) = self.finished.iter_mut().rfind(|finished| finished.identity == identity) {
            advance(finished, file, size)?;
        }
        Ok(Some(size.saturating_sub(place)))
    }

    /// The files that were finished and bore that number, the last one first.
    fn finished_as(&self, status: &Status) -> impl Iterator<Item = &Position> {
        let identity = status.identity;
        self.finished.iter().rev().filter(move |finished| finished.identity == identity)
    }

    /// Whether a compressed file holds all that was read of a file that was finished: it is what became of it.
    pub fn has_read(&self, archive: &File) -> io::Result<bool> {
        for finished in self.finished.iter().chain(&self.deleted).rev() {
            if finished.offset > 0 && finished.evidence() >= ENOUGH && holds(archive, finished, 0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a file bears the number of one that was finished. Its bytes may have to decide whether it is that one.
    pub fn may_have_finished(&self, status: &Status) -> bool {
        self.finished.iter().any(|finished| finished.identity == status.identity)
    }

    /// Whether a sibling was finished before.
    pub fn has_finished(&self, sibling: &Sibling, log: &Log) -> io::Result<bool> {
        if sibling.status.identity.born.is_some() || !self.may_have_finished(&sibling.status) {
            return Ok(self.may_have_finished(&sibling.status));
        }
        let Some(file) = sibling.open(log)? else { return Ok(false) };
        Ok(self.read_of(&file)?.is_some())
    }

    /// For each sibling, whether it was there before.
    pub fn knows(&self, siblings: &Siblings, log: &Log) -> io::Result<Vec<bool>> {
        siblings.list.iter().map(|sibling| Ok(self.known(sibling, log)?.is_some())).collect()
    }

    /// Whether a sibling was there before and had the same size. A copy that is being made grows.
    pub fn knows_unchanged(&self, sibling: &Sibling, log: &Log) -> io::Result<bool> {
        Ok(self.known(sibling, log)?.is_some_and(|known| known.size == sibling.status.size))
    }

    fn known(&self, sibling: &Sibling, log: &Log) -> io::Result<Option<Known>> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let key = key(sibling, log)?;
        let known = self.known.binary_search_by_key(&key, |known| known.key).ok().map(|at| self.known[at]);
        match known {
            Some(Known { size, content: Some(before), .. }) if sibling.status.identity.born.is_none() => {
                // Its number may be that of a file that is gone, and all files may begin with the same line.
                let file = if size <= sibling.status.size { sibling.open(log)? } else { None };
                let is_same = file.map(|file| Ok::<_, io::Error>(content(&file, size)? == before)).transpose()?;
                Ok(known.filter(|_| is_same == Some(true)))
            }
            known => Ok(known),
        }
    }

    /// Notes which siblings are older than the log. Siblings that were noted before and are still listed stay noted.
    pub fn note_known(&mut self, siblings: &Siblings, older: Older, log: &Log) -> io::Result<()> {
        let mut known = Vec::with_capacity(siblings.list.len());
        for sibling in siblings.list.iter().chain(&siblings.twins) {
            let (key, size) = (key(sibling, log)?, sibling.status.size);
            let before = self.known.binary_search_by_key(&key, |known| known.key).ok().map(|at| self.known[at]);
            if before.is_none() && !older.holds(&sibling.status) {
                continue;
            }
            let content = match before.filter(|before| before.size == size).and_then(|before| before.content) {
                None if known.len() < CONTENTS && size > 0 => {
                    let file = sibling.open(log)?;
                    file.map(|file| content(&file, size)).transpose()?
                }
                content => content,
            };
            known.push(Known { key, size, content, name: sibling.rotated.dated_name() });
        }
        known.sort_unstable_by_key(|known| known.key);
        let is_there = |key: u64| known.binary_search_by_key(&key, |known| known.key).is_ok();
        self.vanished.extend(self.known.iter().filter(|before| !is_there(before.key)));
        self.vanished.drain(..self.vanished.len().saturating_sub(CONTENTS));
        (self.known, self.is_listed) = (known, true);
        Ok(())
    }

    /// Whether a file holds the same bytes as one that was there before.
    pub fn knows_content(&self, file: &File) -> io::Result<bool> {
        let file = file.as_it_is();
        let size = file.size()?;
        let mut same_size = self.known.iter().filter(|known| known.size == size && known.content.is_some()).peekable();
        if same_size.peek().is_none() {
            return Ok(false);
        }
        let content = content(&file, size)?;
        Ok(same_size.any(|known| known.content == Some(content)))
    }

    /// Whether a compressed file has the name of one that was there before, which has a date.
    pub fn knows_name(&self, rotated: &Rotated) -> bool {
        let name = rotated.dated_name();
        name.is_some() && self.known.iter().chain(&self.vanished).any(|known| known.name == name)
    }

    /// Whether a compressed file holds all that one held that was there before, and perhaps more, which was written late. So
    /// few bytes as `is_common` says of that many show nothing.
    pub fn knows_beginning(&self, archive: &File, is_common: impl Fn(u64) -> io::Result<bool>) -> io::Result<bool> {
        let mut known: Vec<_> =
            self.known.iter().chain(&self.vanished).filter_map(|known| Some((known.size, known.content?))).collect();
        // It can only be unpacked forwards.
        known.sort_unstable();
        let head = read_up_to(archive, 0, HEAD)?;
        for (size, content) in known {
            let begins = |size: usize| head.get(..size).is_some_and(|head| first_half(head) == content >> 32);
            if begins((HEAD as u64).min(size) as usize)
                && second_half(&before(archive, size)?) == content & u64::from(u32::MAX)
                && (!is_common(size)? || read_up_to(archive, size, 1)?.is_empty())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the siblings were noted at all.
    pub fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Whether the log's directory is to be checked for changes now.
    pub fn is_refresh_due(&mut self, now: Instant) -> bool {
        let is_due = self.refreshed.is_none_or(|refreshed| now >= refreshed + REFRESH);
        if is_due {
            self.refreshed = Some(now);
        }
        is_due
    }

    /// Whether the directory has changed since this was asked last.
    pub fn has_changed(&mut self, changed: i64) -> bool {
        self.directory.replace(changed) != Some(changed) || Status::is_coarse(changed)
    }

    /// The directory could not be listed: it has to be checked again.
    pub fn forget_directory(&mut self) {
        self.directory = None;
    }

    /// Whether it is time to check the files that were finished.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let Some((_, pause)) = self.check.filter(|(due, _)| *due <= now) else { return false };
        self.check = Some((now + pause * 2, pause * 2)).filter(|(_, pause)| *pause <= LONGEST);
        true
    }

    /// When it will be.
    pub fn due(&self) -> Option<Instant> {
        self.check.map(|(due, _)| due)
    }

    /// How much the files that were finished have grown since, or since this was asked last; but for those that are being
    /// read again, or will be.
    pub fn grown(&mut self, siblings: &Siblings, log: &Log, pending: &[Identity]) -> io::Result<Option<u64>> {
        let mut sum = 0;
        for finished in self.finished.iter_mut().filter(|finished| !pending.contains(&finished.identity)) {
            let same = siblings.list.iter().find(|sibling| sibling.status.identity == finished.identity);
            let has_grown = |sibling: &&Sibling| sibling.status.size > finished.offset;
            let Some(sibling) = same.filter(has_grown).filter(|sibling| !sibling.rotated.is_compressed) else {
                continue;
            };
            // Another file may bear its number by now.
            let file = match sibling.open(log) {
                // It is renamed at this moment, and is checked later.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                file => file?,
            };
            if let Some(file) = file.filter(|file| !file.is_compressed())
                && holds(&file, finished, 0)?
            {
                sum += sibling.status.size - finished.offset;
                advance(finished, &file, sibling.status.size)?;
                if finished.evidence() >= ENOUGH {
                    self.held.retain(|(held, _)| *held != finished.identity);
                }
            }
        }
        Ok((sum > 0).then_some(sum))
    }
}

/// The file is not read any more up to that place.
fn advance(finished: &mut Position, file: &File, place: u64) -> io::Result<()> {
    finished.before = Print::of(&before(file, place)?);
    finished.offset = place;
    Ok(())
}

/// Of the file itself: one that is compressed is not unpacked for that.
fn content(file: &File, size: u64) -> io::Result<u64> {
    let file = file.as_it_is();
    let head = read_up_to(&file, 0, (HEAD as u64).min(size) as usize)?;
    Ok(first_half(&head) << 32 | second_half(&before(&file, size)?))
}

/// The first bytes, as many as are compared, in 32 bits.
fn first_half(head: &[u8]) -> u64 {
    Print::of(head).hash >> 32
}

/// The last bytes, likewise.
fn second_half(last: &[u8]) -> u64 {
    Print::of(last).hash >> 32
}

/// By what a file is recognized: number and creation time; where there are no creation times, its first bytes instead.
fn key(sibling: &Sibling, log: &Log) -> io::Result<u64> {
    const FIRST: usize = 64;
    let identity = sibling.status.identity;
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    if identity.born.is_none()
        && let Some(file) = sibling.open(log)?
    {
        head(&file.as_it_is(), FIRST)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}
