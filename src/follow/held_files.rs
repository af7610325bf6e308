//! What comes after the open file: generations and copies in order ([`Ahead`]), up to 16 of them held open.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::compressed::what_became_of;
use super::generations::list::{Sibling, Siblings};
use super::log::file::File;
use super::log::open::{Glance, OpenLog};
use super::log::status::Status;
use super::position::Identity;
use super::root::{Log, is_shortage};
use crate::protocol::event::Missing;

/// A queue of what is read next, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    queue: VecDeque<Next>,
}

/// A file that is read after the open one.
#[derive(Debug)]
pub(super) struct Next {
    source: Source,
    identity: Identity,
    /// Its size when the stream began, if it is known to have been there then.
    pub opened: Option<u64>,
    /// What may be missing before it, and how many bytes if that is known.
    pub gap: Option<(Missing, Option<u64>)>,
    /// The gap is not guessed from names and times: it is known how many files came.
    pub is_certain: bool,
    /// How it follows the file before it.
    pub turn: Turn,
    /// What it was at a later glance, if it was empty at first.
    noted: Option<Box<Glance>>,
}

/// A file that is held, or that can be opened when it is needed.
#[derive(Debug)]
pub(super) enum Source {
    Held(Arc<File>),
    Listed(Box<Sibling>),
}

#[derive(Debug)]
pub(super) enum Turn {
    /// It is another file, read from that offset on; as it was when it was seen under the log's name, if it was.
    Rotated(u64, Option<Box<Glance>>),
    /// It is the log after it was truncated, read from that offset on; as it was before its copies were listed.
    Truncated(u64, Box<Glance>),
}

impl Turn {
    /// How many bytes of a file of that size are still to be read.
    fn left(&self, size: u64) -> u64 {
        let (Turn::Rotated(start, _) | Turn::Truncated(start, _)) = self;
        size.saturating_sub(*start)
    }
}

/// A file to which the log's name was seen to lead, and what it was before its siblings were listed: what is done to it
/// after that is found out by the first read.
#[derive(Clone, Debug)]
pub(super) struct Sighted {
    pub file: Arc<File>,
    pub glance: Glance,
}

impl Sighted {
    pub fn now(file: impl Into<Arc<File>>) -> io::Result<Sighted> {
        let file = file.into();
        let glance = Glance::at(&file)?;
        Ok(Sighted { file, glance })
    }

    /// Whether the file still begins as it did. If not it was truncated meanwhile, and what is beside it now may be a copy
    /// of what it held at that glance.
    pub fn is_as_it_was(&self) -> io::Result<bool> {
        self.glance.is_of(&self.file)
    }
}

/// Bytes that are lost in one place; `None` where their number is unknown.
#[derive(Clone, Copy, Debug)]
struct Lost {
    bytes: Option<u64>,
}

impl Lost {
    /// So many bytes of a file are lost, after those that were lost before and the gap before it.
    fn file(before: Option<Lost>, bytes: Option<u64>, gap: Option<(Missing, Option<u64>)>) -> Lost {
        Lost { bytes }.and(gap).and(before.map(|lost| (Missing::Expired, lost.bytes)))
    }

    /// The sum with a gap, if there is one.
    fn and(self, gap: Option<(Missing, Option<u64>)>) -> Lost {
        let sum = |(_, more): (Missing, Option<u64>)| self.bytes.zip(more).map(|(bytes, more)| bytes + more);
        Lost { bytes: gap.map_or(self.bytes, sum) }
    }
}

/// How many files are held open that are still to be read.
const HELD: usize = 16;

impl Next {
    pub fn sighted(sighted: Sighted, start: u64, gap: Option<Missing>) -> Next {
        let Sighted { file, glance } = sighted;
        let identity = glance.status.identity;
        let gap = gap.map(|gap| (gap, None));
        Next {
            source: Source::Held(file),
            identity,
            opened: None,
            gap,
            is_certain: false,
            turn: Turn::Rotated(start, Some(Box::new(glance))),
            noted: None,
        }
    }

    pub fn listed(sibling: Sibling, gap: Option<Missing>) -> Next {
        let identity = sibling.status.identity;
        let gap = gap.map(|gap| (gap, None));
        Next {
            source: Source::Listed(Box::new(sibling)),
            identity,
            opened: None,
            gap,
            is_certain: false,
            turn: Turn::Rotated(0, None),
            noted: None,
        }
    }

    pub fn truncated(log: Sighted, gap: Option<Missing>) -> Next {
        let turn = Turn::Truncated(0, Box::new(log.glance.clone()));
        Next { turn, ..Next::sighted(log, 0, gap) }
    }

    /// The same file, which had that size when the stream began, if it is known.
    pub fn that_had(self, opened: Option<u64>) -> Next {
        Next { opened, ..self }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The file, if it is held.
    pub fn file(&self) -> Option<&File> {
        match &self.source {
            Source::Held(file) => Some(file),
            Source::Listed(_) => None,
        }
    }

    /// Whether it held something when it was seen last, and was truncated since.
    pub fn was_truncated(&self) -> io::Result<bool> {
        match (&self.noted, self.file()) {
            (Some(noted), Some(file)) => Ok(!noted.is_of(file)?),
            _ => Ok(false),
        }
    }

    /// The bytes of the files before it are lost.
    fn note_lost(&mut self, lost: Option<Lost>) {
        if let Some(lost) = lost {
            self.gap = Some((Missing::Expired, lost.and(self.gap).bytes));
            self.is_certain = true;
        }
    }

    /// How many bytes of it are still to be read; `None` if that is not known.
    fn left(&self) -> Option<u64> {
        let size = match &self.source {
            Source::Held(file) if file.is_compressed() => file.known_end()?.size,
            Source::Held(file) => file.status().map_or(0, |status| status.size),
            Source::Listed(sibling) if sibling.rotated.is_compressed => return None,
            Source::Listed(sibling) => sibling.status.size,
        };
        Some(self.turn.left(size))
    }

    /// Opens it where it is to be read from, as a file that is current or not.
    pub fn open(&self, is_current: bool) -> io::Result<OpenLog> {
        let Source::Held(file) = &self.source else { return Err(io::ErrorKind::Interrupted.into()) };
        let file = file.clone();
        let (start, mut open) = match &self.turn {
            Turn::Truncated(start, glance) => (*start, OpenLog::glanced_at(file, Glance::clone(glance))),
            // What was done to it since is found out by the first read.
            Turn::Rotated(start, Some(glance)) if is_current => {
                (*start, OpenLog::glanced_at(file, Glance::clone(glance)))
            }
            Turn::Rotated(start, _) => (*start, OpenLog::new(file)?),
        };
        // If it was truncated after that glance, the first read finds out.
        if start > 0 && open.begins_as_before()? {
            open.seek(start)?;
        }
        Ok(open)
    }
}

impl Ahead {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// The youngest file; it is always held.
    pub fn newest(&self) -> Option<&File> {
        self.queue.back().and_then(Next::file)
    }

    /// The same, and what it was when it was seen under the log's name.
    pub fn newest_glance(&self) -> Option<(&File, &Glance)> {
        let newest = self.queue.back()?;
        match &newest.turn {
            Turn::Rotated(_, Some(glance)) | Turn::Truncated(_, glance) => Some((newest.file()?, glance)),
            Turn::Rotated(_, None) => None,
        }
    }

    pub fn first(&self) -> Option<&Next> {
        self.queue.front()
    }

    /// Nothing is missing before the first file.
    pub fn clear_first_gap(&mut self) {
        if let Some(next) = self.queue.front_mut() {
            next.gap = None;
        }
    }

    /// Whether the youngest file ahead is that one.
    pub fn leads_to(&self, status: &Status) -> bool {
        self.queue.back().is_some_and(|next| next.identity.is_same_number(&status.identity))
    }

    pub fn identities(&self) -> impl Iterator<Item = Identity> {
        self.queue.iter().map(|next| next.identity)
    }

    /// Whether a file is still to be read.
    pub fn contains(&self, status: &Status) -> bool {
        self.queue.iter().any(|next| next.identity.is_same_number(&status.identity))
    }

    /// Whether a file is the log that is truncated by now, and still to be read.
    pub fn has_truncated(&self, status: &Status) -> bool {
        let is_it = |next: &Next| next.identity.is_same_number(&status.identity);
        self.queue.iter().any(|next| is_it(next) && matches!(next.turn, Turn::Truncated(..)))
    }

    /// The first file was read up to that place before, so it goes on there.
    pub fn skip_in_first(&mut self, place: u64) {
        if let Some(Next { turn: Turn::Rotated(start, _), .. }) = self.queue.front_mut() {
            *start = place.max(*start);
        }
    }

    /// The truncated log, if it comes next, and what it was then.
    pub fn truncated(&self) -> Option<(&Arc<File>, &Glance)> {
        match self.queue.front()? {
            Next { source: Source::Held(file), turn: Turn::Truncated(_, glance), .. } => Some((file, glance)),
            _ => None,
        }
    }

    /// Puts what was found in the place of the first file.
    pub fn replace_first(&mut self, earlier: Ahead) {
        self.queue.pop_front();
        earlier.queue.into_iter().rev().for_each(|next| self.queue.push_front(next));
    }

    /// If the youngest file was empty when it was seen first, notes what it begins with by now: it may be truncated before
    /// it is read.
    pub fn note_newest(&mut self) -> io::Result<()> {
        let Some(Next { source: Source::Held(file), turn: Turn::Rotated(0, Some(seen)), noted, .. }) =
            self.queue.back_mut()
        else {
            return Ok(());
        };
        let last = noted.as_deref().unwrap_or(seen);
        if !seen.is_recognizable() && !file.status()?.is_unchanged(&last.status) && last.is_of(file)? {
            *noted = Some(Box::new(Glance::at(file)?));
        }
        Ok(())
    }

    /// The first file is the log, trimmed to lines that were read, which end at `place`.
    pub fn start_first_at(&mut self, place: u64) {
        if let Some(Next { turn: Turn::Truncated(start, _), gap, .. }) = self.queue.front_mut() {
            (*start, *gap) = (place, Some((Missing::Truncated, None)));
        }
    }

    /// The files, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Next> {
        self.queue.iter()
    }

    /// How many bytes of them were there when the stream began, if that is known.
    pub fn opened(&self) -> Option<u64> {
        self.queue.iter().map(|next| next.opened).sum()
    }

    /// Leaves out all but the first so many.
    pub fn truncate(&mut self, count: usize) {
        self.queue.truncate(count);
    }

    /// Puts a file last that was found just now. As many as are held are opened at once: what becomes of them after this does
    /// not matter.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when it is gone by now, or has another name: the files must be listed again.
    pub fn push_found(&mut self, sibling: Sibling, gap: Option<Missing>, log: &Log) -> io::Result<()> {
        let mut next = Next::listed(sibling.clone(), gap);
        if self.queue.len() < HELD - 1 {
            match sibling.open(log) {
                Ok(Some(file)) => next.source = Source::Held(file),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        self.push(next);
        Ok(())
    }

    pub fn push(&mut self, next: Next) {
        self.queue.push_back(next);
    }

    pub fn pop(&mut self) -> Option<Next> {
        self.queue.pop_front()
    }

    /// Whether a file seems to be missing, as far as names and times tell.
    pub fn has_guessed_gap(&self) -> bool {
        self.queue.iter().any(|next| next.gap.is_some() && !next.is_certain)
    }

    /// It is known how many files came.
    pub fn note_certain(&mut self) {
        self.queue.iter_mut().for_each(|next| next.is_certain = true);
    }

    pub fn append(&mut self, mut later: Ahead) {
        self.queue.append(&mut later.queue);
    }

    /// How many bytes will not be read if all is given up, if that is known; `pass_over` returns it for a file that is held.
    pub fn give_up(&self, mut pass_over: impl FnMut(&File) -> io::Result<Option<u64>>) -> io::Result<Option<u64>> {
        let mut sum = Some(0);
        for next in &self.queue {
            let held = next.file().map_or(Ok(None), &mut pass_over)?;
            let left = [next.left(), held].into_iter().flatten().min();
            sum = sum.zip(left).map(|(sum, left)| sum + left);
        }
        Ok(sum)
    }

    /// Holds the oldest files open, so that they cannot be lost any more, and lets go of what exceeds the bound: it is
    /// found again under its name, or becomes a gap.
    ///
    /// # Errors
    /// When the process has no descriptor or memory left: what is not held then is found again under its name.
    pub fn hold(&mut self, log: &Log, siblings: &Siblings) -> io::Result<()> {
        let last = self.queue.len().saturating_sub(1);
        let mut shortage = Ok(());
        let mut lost: Option<Lost> = None;
        let mut kept = VecDeque::with_capacity(self.queue.len());
        for (at, mut next) in std::mem::take(&mut self.queue).into_iter().enumerate() {
            let left = next.left();
            next.source = match next.source {
                Source::Listed(sibling) if at < HELD - 1 && shortage.is_ok() => match sibling.open(log) {
                    Ok(Some(file)) => Source::Held(file),
                    Err(error) if is_shortage(&error) => {
                        shortage = Err(error);
                        Source::Listed(sibling)
                    }
                    _ => Source::Listed(sibling),
                },
                Source::Held(file) if at >= HELD - 1 && at < last => {
                    let named = file.status().ok().and_then(|status| siblings.find(&status));
                    match named.map_or_else(|| what_became_of(&file, log, siblings), |named| Ok(Some(named))) {
                        Ok(Some(sibling)) => {
                            next.identity = sibling.status.identity;
                            Source::Listed(Box::new(sibling.clone()))
                        }
                        // It is held until that is known.
                        Err(error) => {
                            shortage = Err(error);
                            Source::Held(file)
                        }
                        Ok(None) => {
                            lost = Some(Lost::file(lost, left, next.gap));
                            continue;
                        }
                    }
                }
                source => source,
            };
            if let Source::Held(file) = &next.source {
                file.rest();
            }
            next.note_lost(lost.take());
            kept.push_back(next);
        }
        self.queue = kept;
        shortage
    }

    /// Opens the first file. Those that are gone by now are dropped, and the next one has a gap before it.
    ///
    /// # Errors
    /// When a file cannot be opened for another reason than that it is gone.
    pub fn open_first(&mut self, log: &Log, list: impl FnOnce() -> io::Result<Siblings>) -> io::Result<()> {
        let Some(Next { source: Source::Listed(sibling), .. }) = self.queue.front() else { return Ok(()) };
        match sibling.open(log) {
            Ok(Some(file)) => self.queue[0].source = Source::Held(file),
            Ok(None) => self.drop_first(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.rename(&list()?);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The files that are not held have other names by now, or are gone.
    fn rename(&mut self, siblings: &Siblings) {
        let mut lost: Option<Lost> = None;
        let mut kept = VecDeque::with_capacity(self.queue.len());
        for mut next in std::mem::take(&mut self.queue) {
            if let Source::Listed(old) = &next.source {
                let same = siblings.list.iter().find(|sibling| {
                    sibling.status.identity == old.status.identity && sibling.status.size >= old.status.size
                });
                // A date stays the same when a file is compressed, a number may not.
                let compressed = || siblings.list.iter().find(|sibling| sibling.rotated.is_compressed_of(&old.rotated));
                match same.or_else(compressed) {
                    Some(sibling) => {
                        next.identity = sibling.status.identity;
                        next.source = Source::Listed(Box::new(sibling.clone()));
                    }
                    None => {
                        lost = Some(Lost::file(lost, next.left(), next.gap));
                        continue;
                    }
                }
            }
            next.note_lost(lost.take());
            kept.push_back(next);
        }
        self.queue = kept;
    }

    fn drop_first(&mut self) {
        let first = self.queue.pop_front();
        if let Some((first, next)) = first.zip(self.queue.front_mut()) {
            next.note_lost(Some(Lost::file(None, first.left(), first.gap)));
        }
    }
}
