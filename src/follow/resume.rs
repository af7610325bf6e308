//! From a cursor to the file it speaks of, under whatever name that is found now.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::follower::{Follower, Phase, Step};
use super::generations::chain_and_gaps::Between;
use super::generations::list::{self, Sibling, Siblings};
use super::generations::search::{Passage, Search};
use super::held_files::{Ahead, Next, Sighted};
use super::log::fingerprint::holds;
use super::log::open::OpenLog;
use super::log::status::Status;
use super::position::{Identity, Position};
use super::root::Log;
use crate::protocol::event::Missing;

/// How many bytes must speak for a file that does not bear the number it had: a few first lines may be those of every
/// generation. Of a rotated file fewer will do, for it may be the copy of one that is gone.
const ENOUGH: u64 = 256;
const ENOUGH_OF_A_COPY: u64 = 64;

/// Where the log goes on.
pub(super) enum ResumePoint {
    /// In the file that the name leads to.
    Log,
    /// In a file that was rotated away.
    Generation(Arc<File>),
    /// In the copy of a file that was truncated since.
    Copy {
        copy: Arc<File>,
        log: Arc<File>,
    },
    /// At the start of a file that was truncated since.
    Truncated(Arc<File>),
    Nowhere,
}

impl Follower {
    /// Goes on `skip` bytes after `position`, in `file`, which `log` led to, or in one of its generations. What cannot be
    /// found is reported as a gap.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn resume(
        log: Log,
        file: File,
        position: &Position,
        skip: u64,
        tail: bool,
        rotate_wait: Duration,
    ) -> io::Result<Box<Follower>> {
        let mut follower = Follower::at_start(log, file, tail, rotate_wait)?;
        follower.queued.push_back(Step::Started);
        let mut siblings = list(&follower.log)?;
        if let Some(end) = &mut follower.end {
            let newest = siblings.list.iter().map(|sibling| sibling.status.start()).max();
            end.newest = end.newest.max(newest.unwrap_or(i64::MIN));
        }
        let is_it = |status: &Status| is_called(&status.identity, &position.identity);
        follower.memory.are_copies =
            !is_it(&follower.open.status) && !siblings.list.iter().any(|sibling| is_it(&sibling.status));
        let mut point = find(&follower, position, skip, &siblings)?;
        if matches!(point, ResumePoint::Truncated(_)) {
            // The copy is there before the log is truncated, but perhaps not before the siblings were listed.
            siblings = list(&follower.log)?;
            point = find(&follower, position, skip, &siblings)?;
        }
        match follower.through_copies(point, position, &siblings)? {
            ResumePoint::Log => {
                let older = follower.older(&follower.open.file, &follower.open.glance(), &siblings)?;
                follower.memory.note_known(&siblings, older, &follower.log)?;
                follower.open.seek(position.offset + skip)?;
                follower.open.note_was(position.changed, follower.open.offset.max(position.evidence()));
            }
            ResumePoint::Generation(file) => follower.resume_in_generation(file, position, skip, &siblings)?,
            ResumePoint::Copy { copy, log } => follower.resume_in_copy(copy, log, position, skip)?,
            ResumePoint::Truncated(log) => follower.resume_truncated(log, position)?,
            ResumePoint::Nowhere => follower.resume_after(position, &siblings)?,
        }
        if follower.lost().is_some() {
            follower.unreported = Some(Box::new(position.clone()));
        } else {
            follower.open.is_fresh |= position.is_fresh && skip == 0;
        }
        Ok(follower)
    }

    /// Why the place that was asked for is lost, if it is: a gap is reported before anything is read.
    pub(crate) fn lost(&self) -> Option<Missing> {
        self.queued.iter().find_map(|step| if let Step::Gap(missing, _) = step { Some(*missing) } else { None })
    }

    /// A log that was empty may have been filled, copied and truncated since, and nothing but its copies tells.
    fn through_copies(
        &mut self,
        point: ResumePoint,
        position: &Position,
        siblings: &Siblings,
    ) -> io::Result<ResumePoint> {
        let log = match &point {
            ResumePoint::Log => &self.open.file,
            ResumePoint::Truncated(log) => log,
            ResumePoint::Generation(_) | ResumePoint::Copy { .. } | ResumePoint::Nowhere => return Ok(point),
        };
        if position.evidence() > 0 || Status::of(log)?.is_untouched_since(position.changed) {
            return Ok(point);
        }
        let log = log.clone();
        self.open.since = position.changed;
        let between = self.unread_copies(None, &log, siblings)?;
        let Some((first, _)) = between.generations.first() else { return Ok(point) };
        Ok(first.open(&self.log)?.map_or(point, |copy| ResumePoint::Copy { copy: copy.into(), log }))
    }

    fn open_at(&mut self, file: Arc<File>, position: &Position, skip: u64) -> io::Result<()> {
        self.open = OpenLog::new(file)?;
        self.opened = self.open.status.size;
        self.open.seek(position.offset)?;
        self.open.since = position.changed;
        self.skip = skip - self.open.pass(skip)?;
        Ok(())
    }

    fn resume_in_generation(
        &mut self,
        file: Arc<File>,
        position: &Position,
        skip: u64,
        siblings: &Siblings,
    ) -> io::Result<()> {
        let current = self.current_sighted()?;
        self.open_at(file, position, skip)?;
        let mut ahead = self.between(&self.open.file, Passage::default(), current, siblings)?;
        // The last generation before the log may still be written to: it is left as one that is rotated just now.
        if self.end.is_some() || ahead.len() > 1 {
            ahead.hold(&self.log, siblings)?;
            self.phase = Phase::Passing(ahead);
        }
        Ok(())
    }

    fn resume_in_copy(&mut self, copy: Arc<File>, log: Arc<File>, position: &Position, skip: u64) -> io::Result<()> {
        self.open.since = position.changed;
        // What is done to the log after this is found out at the end of the copies.
        let log = self.sight_truncated(log)?;
        let siblings = list(&self.log)?;
        let later = self.after_truncated(&log.file, &siblings)?;
        self.open_at(copy, position, skip)?;
        let between = self.unread_copies(Some(&self.open.file), &log.file, &siblings)?;
        self.note_beside(&log, &siblings)?;
        self.pass_copies(between, log, &siblings)?;
        self.append_ahead(later);
        Ok(())
    }

    /// Begins with the oldest copy that was made since, or with what was written since.
    fn resume_truncated(&mut self, log: Arc<File>, position: &Position) -> io::Result<()> {
        self.queued.push_back(Step::Gap(Missing::Truncated, None));
        self.open.since = position.changed;
        let log = self.sight_truncated(log)?;
        let siblings = list(&self.log)?;
        let later = self.after_truncated(&log.file, &siblings)?;
        let between = self.unread_copies(None, &log.file, &siblings)?;
        let is_direct = between.generations.is_empty();
        self.open = OpenLog::glanced_at(log.file.clone(), log.glance.clone());
        self.opened = self.open.status.size;
        self.open.is_fresh = true;
        if is_direct {
            self.queued.push_back(Step::Truncated);
            if !later.is_empty() {
                self.phase = Phase::Passing(later);
            }
            return Ok(());
        }
        self.note_beside(&log, &siblings)?;
        self.pass_copies(between, log, &siblings)?;
        self.append_ahead(later);
        self.begin_first()
    }

    /// The truncated log as it is now. What was made of it by now comes before the end, where there is one.
    fn sight_truncated(&mut self, log: Arc<File>) -> io::Result<Sighted> {
        let log = Sighted::now(log)?;
        if let Some(end) = &mut self.end {
            end.newest = end.newest.max(log.glance.status.changed);
        }
        Ok(log)
    }

    /// What comes after a truncated log that was rotated away since.
    fn after_truncated(&self, log: &File, siblings: &Siblings) -> io::Result<Ahead> {
        if Status::of(log)?.is_same(&self.open.status) {
            return Ok(Ahead::default());
        }
        self.between(log, Passage::default(), self.current_sighted()?, siblings)
    }

    /// The file that the log's name led to, which is open, as it was then.
    fn current_sighted(&self) -> io::Result<Sighted> {
        Ok(Sighted { file: self.open.file.clone(), glance: self.open.glance() })
    }

    fn append_ahead(&mut self, later: Ahead) {
        if let Phase::Passing(ahead) = &mut self.phase {
            ahead.append(later);
        }
    }

    /// The file is lost: begins with what came after it, as far as the times tell.
    fn resume_after(&mut self, position: &Position, siblings: &Siblings) -> io::Result<()> {
        self.queued.push_back(Step::Gap(Missing::Cursor, None));
        let current = self.current_sighted()?;
        let search = Search { after: Some(position.changed), ..self.search(&current.file, siblings) };
        let Between { generations, gap, .. } = search.run()?;
        if generations.is_empty() {
            return Ok(());
        }
        let mut ahead = Ahead::default();
        generations.into_iter().for_each(|(sibling, gap)| ahead.push(Next::listed(sibling, gap)));
        ahead.push(Next::sighted(current, 0, gap));
        ahead.hold(&self.log, siblings)?;
        self.phase = Phase::Passing(ahead);
        self.begin_first()
    }

    /// Opens the first file ahead at once: the stream begins with it.
    fn begin_first(&mut self) -> io::Result<()> {
        while !self.open_first()? {
            if !matches!(self.phase, Phase::Passing(_)) {
                return Ok(());
            }
        }
        self.enter()?;
        // The stream begins with it, after the gap.
        self.queued.pop_back();
        self.open.is_fresh = false;
        Ok(())
    }
}

/// The siblings of a log that may be rotated at this very moment.
pub(super) fn list(log: &Log) -> io::Result<Siblings> {
    const TRIES: usize = 20;
    let mut tries = (0..TRIES).map(|_| list::list(log));
    let changes = |result: &io::Result<_>| matches!(result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
    tries.find(|result| !changes(result)).unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Fingerprints decide, and the numbers of the files where several hold the same bytes.
pub(super) fn find(
    follower: &Follower,
    position: &Position,
    skip: u64,
    siblings: &Siblings,
) -> io::Result<ResumePoint> {
    let (log, current) = (&follower.log, &follower.open);
    let holds_it = holds(&current.file, position, skip)?;
    let is_current = is_called(&current.status.identity, &position.identity);
    if is_current && holds_it {
        return Ok(ResumePoint::Log);
    }
    let is_it =
        |sibling: &&Sibling| !sibling.rotated.is_compressed && is_called(&sibling.status.identity, &position.identity);
    let called = siblings.list.iter().find(is_it);
    let called: Option<Arc<File>> = called.map(|sibling| sibling.open(log)).transpose()?.flatten().map(Arc::new);
    if let Some(file) = &called
        && holds(file, position, 0)?
    {
        return Ok(ResumePoint::Generation(file.clone()));
    }
    // It was truncated, or its number was given to another file.
    let truncated = if is_current { Some(current.file.clone()) } else { called };
    if holds_it && position.evidence() >= ENOUGH {
        return Ok(ResumePoint::Log);
    }
    let copy = copy_of(log, position, siblings, truncated.is_some())?;
    Ok(match (copy, truncated) {
        (Some(copy), Some(log)) => ResumePoint::Copy { copy: copy.into(), log },
        (Some(copy), None) => ResumePoint::Generation(copy.into()),
        (None, Some(log)) => ResumePoint::Truncated(log),
        (None, None) => ResumePoint::Nowhere,
    })
}

/// A sibling that holds what was read. Of several one with a number or a date, then the longest, and the youngest.
fn copy_of(log: &Log, position: &Position, siblings: &Siblings, is_truncated: bool) -> io::Result<Option<File>> {
    let is_new = |sibling: &Sibling| is_truncated && sibling.status.start() >= position.changed;
    let may_be = |sibling: &&Sibling| {
        let enough = if is_new(sibling) { 1 } else { ENOUGH_OF_A_COPY };
        !sibling.rotated.is_compressed && position.evidence() >= enough
    };
    let mut copies: Vec<_> = siblings.list.iter().filter(may_be).collect();
    copies.sort_by_key(|Sibling { rotated, status, .. }| Reverse((rotated.is_ordered(), status.size, status.begun())));
    for sibling in copies {
        if let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Device numbers change when a machine starts anew, creation times do not.
fn is_called(one: &Identity, other: &Identity) -> bool {
    one.inode == other.inode && one.born == other.born && (one.born.is_some() || one.device == other.device)
}
