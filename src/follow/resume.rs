//! From a cursor to the file it speaks of, under whatever name that is found now.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::compressed::{archive_of, cut_off};
use super::follower::{Follower, Phase, Step};
use super::generations::chain_and_gaps::Between;
use super::generations::list::{self, Sibling, Siblings};
use super::generations::search::{Passage, Search};
use super::held_files::{Ahead, Next, Sighted};
use super::log::file::File;
use super::log::fingerprint::{holds, is_prefix};
use super::log::open::OpenLog;
use super::position::{Identity, Position};
use super::root::Log;
use super::wanted::{Wanted, Way};
use crate::protocol::event::Missing;

/// How many bytes must speak for a file that does not bear the number it had: a few first lines may be those of every
/// generation. Of a rotated file fewer will do, for it may be the copy of one that is gone.
const ENOUGH: u64 = 256;
const ENOUGH_OF_A_COPY: u64 = 64;
/// How often the place is looked for before the first poll. Each time a compressed file is unpacked a megabyte further.
const TRIES_AT_ONCE: usize = 4;

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
    /// After a compressed file that ends before the place. What was written to it last is lost.
    CutOff(Arc<File>),
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
        follower.look_for(position.clone(), Way::On(skip))?;
        Ok(follower)
    }

    /// Begins at a place as soon as that is found. If a compressed file has to be unpacked far for that, it goes on with the
    /// next polls.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn look_for(&mut self, position: Position, way: Way) -> io::Result<()> {
        self.unreported = Some(Box::new(position.clone()));
        self.phase = Phase::Resuming(Box::new(Wanted { log: self.current_sighted()?, position, way }));
        for _ in 0..TRIES_AT_ONCE {
            self.go_to_wanted()?;
        }
        Ok(())
    }

    /// Looks for the place once more. Whatever is found of the files meanwhile, it begins anew each time, but for what is
    /// unpacked by now.
    // Not inlined, so that the stack frame of a reader that follows stays small.
    #[inline(never)]
    pub(super) fn go_to_wanted(&mut self) -> io::Result<()> {
        let Phase::Resuming(wanted) = &self.phase else { return Ok(()) };
        let Wanted { log, position, way } = Wanted::clone(wanted);
        let open = OpenLog::glanced_at(log.file, log.glance);
        let mut follower = Follower::at(self.log.clone(), open, self.end.clone(), self.rotate_wait);
        let found = match way {
            Way::On(skip) => follower.resume_at(&position, skip),
            Way::Back(lines) => follower.back_from(&position, lines),
        };
        match found {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                follower.log.release(&follower.open.file);
                follower.log.rest();
                (follower.keeps_unused, follower.names) = (self.keeps_unused, self.names.take());
                follower.narrowing = self.narrowing.take();
                if let Some(judge) = self.judge.take() {
                    follower.count_matching(judge);
                }
                *self = *follower;
                Ok(())
            }
        }
    }

    fn resume_at(&mut self, position: &Position, skip: u64) -> io::Result<()> {
        self.queued.push_back(Step::Started);
        let mut siblings = list(&self.log)?;
        if let Some(end) = &mut self.end {
            let newest = siblings.list.iter().map(|sibling| sibling.status.start()).max();
            end.newest = end.newest.max(newest.unwrap_or(i64::MIN));
        }
        let is_log = is_called(&self.open.status.identity, &position.identity);
        self.memory.are_copies = !is_log && !siblings.list.iter().any(|sibling| is_it(sibling, position));
        let mut point = find(self, position, skip, &siblings)?;
        if matches!(point, ResumePoint::Truncated(_)) {
            // The copy is there before the log is truncated, but perhaps not before the siblings were listed.
            siblings = list(&self.log)?;
            point = find(self, position, skip, &siblings)?;
        }
        if matches!(&point, ResumePoint::Generation(file) | ResumePoint::CutOff(file) if file.is_compressed()) {
            // No file has the number because it was compressed. Files that are older than the cursor were not copied since.
            let is_older = |sibling: &Sibling| sibling.status.identity.born.is_some_and(|born| born < position.changed);
            self.memory.are_copies &= !siblings.list.iter().any(is_older);
        }
        match self.through_copies(point, position, &siblings)? {
            ResumePoint::Log => {
                let older = self.older(&self.open.file, &self.open.glance(), &siblings)?;
                self.memory.note_known(&siblings, older, &self.log)?;
                self.open.seek(position.offset + skip)?;
                self.open.note_was(position.changed, self.open.offset.max(position.evidence()));
            }
            ResumePoint::Generation(file) => self.resume_in_generation(file, position, skip, &siblings)?,
            ResumePoint::Copy { copy, log } => self.resume_in_copy(copy, log, position, skip)?,
            ResumePoint::Truncated(log) => self.resume_truncated(log, position)?,
            ResumePoint::CutOff(file) => {
                let end = file.known_end();
                let missing = if end.is_some_and(|end| end.is_damaged) { Missing::Damaged } else { Missing::Expired };
                self.queued.push_back(Step::Gap(missing, None));
                self.resume_in_generation(file, position, 0, &siblings)?;
                self.open.owes_damage();
            }
            ResumePoint::Nowhere => self.resume_after(position, &siblings)?,
        }
        if self.lost().is_some() {
            self.unreported = Some(Box::new(position.clone()));
        } else {
            self.open.is_fresh |= position.is_fresh && skip == 0;
        }
        Ok(())
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
            _ => return Ok(point),
        };
        if position.evidence() > 0 || log.status()?.is_untouched_since(position.changed) {
            return Ok(point);
        }
        let log = log.clone();
        self.open.since = position.changed;
        let between = self.unread_copies(None, &log, siblings)?;
        let Some((first, _)) = between.generations.first() else { return Ok(point) };
        Ok(first.open(&self.log)?.map_or(point, |copy| ResumePoint::Copy { copy, log }))
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
        // The last generation before the log may still be written to: it is left as one that is rotated just now. Not so one
        // that is compressed.
        if self.end.is_some() || ahead.len() > 1 || self.open.file.is_compressed() {
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
        if log.status()?.is_same(&self.open.status) {
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
    let called = siblings.list.iter().find(|sibling| is_it(sibling, position));
    let called: Option<Arc<File>> = called.map(|sibling| sibling.open(log)).transpose()?.flatten();
    if let Some(file) = &called
        && holds(file, position, 0)?
    {
        return Ok(ResumePoint::Generation(file.clone()));
    }
    // It was truncated, or its number was given to another file.
    let truncated = if is_current { Some(current.file.clone()) } else { called.filter(|file| !file.is_compressed()) };
    if holds_it && position.evidence() >= ENOUGH {
        return Ok(ResumePoint::Log);
    }
    let copy = copy_of(log, position, siblings, truncated.is_some())?;
    let copy = match (copy, archive_of(log, position, siblings)?) {
        // Somebody has copied it before the last lines were written.
        (Some(copy), Some(archive)) if is_prefix(&copy, &archive)? => Some(archive),
        (copy, archive) => copy.or(archive),
    };
    Ok(match (copy, truncated) {
        (Some(copy), Some(log)) => ResumePoint::Copy { copy, log },
        (Some(copy), None) => ResumePoint::Generation(copy),
        (None, Some(log)) => ResumePoint::Truncated(log),
        (None, None) => match cut_off(log, position, siblings)? {
            Some(file) => ResumePoint::CutOff(file),
            None => ResumePoint::Nowhere,
        },
    })
}

/// A sibling that holds what was read. Of several one with a number or a date, then the longest, and the youngest.
fn copy_of(log: &Log, position: &Position, siblings: &Siblings, is_truncated: bool) -> io::Result<Option<Arc<File>>> {
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

/// Whether a sibling has the number of the place's file. An archive was created later, and its number alone shows nothing.
fn is_it(sibling: &Sibling, position: &Position) -> bool {
    let identity = &sibling.status.identity;
    is_called(identity, &position.identity) && (!sibling.rotated.is_compressed || identity.born.is_some())
}

/// Device numbers change when a machine starts anew, creation times do not.
fn is_called(one: &Identity, other: &Identity) -> bool {
    one.inode == other.inode && one.born == other.born && (one.born.is_some() || one.device == other.device)
}
