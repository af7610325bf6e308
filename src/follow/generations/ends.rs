//! What is known of the two files between which generations are searched: what they are called, whether their numbers count
//! up or back, and where a third file stands between them by its name.

use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::io;

use super::list::Sibling;
use super::search::Search;
use crate::follow::log::file::File;
use crate::follow::log::fingerprint::{before, head, is_prefix, read_up_to};
use crate::follow::log::status::Status;
use crate::follow::position::{HEAD, Identity, Print};
use crate::rotated_name::{Counting, Rotated};

/// Where a name stands between the names of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Outside,
    /// Strictly between, by number or date.
    Between,
    /// Nothing orders it.
    Unordered,
    /// It is named in another way than the older file.
    Foreign,
}

/// Which way numbers count, and how that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountDirection {
    pub counting: Counting,
    /// It is more than a guess: a number that is missing is a gap.
    pub is_shown: bool,
}

/// What is known of the two files between which is searched.
pub(super) struct Ends<'e> {
    pub from: Option<Status>,
    pub to: Status,
    pub from_name: Option<&'e Rotated>,
    pub to_name: Option<&'e Rotated>,
    pub departed: i64,
    pub is_untouched: bool,
    pub is_deleted: bool,
    /// What became of the older file, if it was compressed and is held.
    archive_of_from: Option<Identity>,
    /// For each sibling, whether it was there while the older file was current.
    pub known: Vec<bool>,
    /// Which way numbers count, by template.
    pub(super) directions: RefCell<Vec<(Rotated, CountDirection)>>,
    older_files: OnceCell<OlderFiles>,
}

/// The siblings that are older, by what they hold, with their places in the list: so a file that holds the same is found
/// without a comparison with each of them.
#[derive(Debug, Default)]
pub(super) struct OlderFiles {
    /// By size and content, of those that need not be unpacked for that.
    whole: HashMap<ContentPrint, Vec<usize>>,
    /// Their first bytes, in order.
    heads: Vec<(Vec<u8>, usize)>,
}

/// The size of a file, and the fingerprints of its first and its last bytes.
type ContentPrint = (u64, Print, Print);

impl OlderFiles {
    fn add(&mut self, at: usize, file: &File, size: u64) -> io::Result<()> {
        let head = read_up_to(file, 0, HEAD)?;
        if !file.is_compressed() {
            let content = (size, Print::of(&head), Print::of(&before(file, size)?));
            self.whole.entry(content).or_default().push(at);
        }
        self.heads.push((head, at));
        Ok(())
    }

    /// The plain ones that hold just what a plain file of that size holds.
    pub fn equal(&self, file: &File, size: u64) -> io::Result<&[usize]> {
        let content = (size, head(file, HEAD)?, Print::of(&before(file, size)?));
        Ok(self.whole.get(&content).map_or(&[], Vec::as_slice))
    }

    /// Those that begin as a file does.
    pub fn alike(&self, file: &File) -> io::Result<impl Iterator<Item = usize>> {
        let head = read_up_to(file, 0, HEAD)?;
        let first = self.heads.partition_point(|(other, _)| *other < head);
        Ok(self.heads[first..].iter().take_while(move |(other, _)| other.starts_with(&head)).map(|(_, at)| *at))
    }
}

impl<'e> Ends<'e> {
    pub fn of(search: &Search<'e>) -> io::Result<Ends<'e>> {
        let from = search.from.map(File::status).transpose()?;
        let to = search.to.status()?;
        let name = |status: &Status| search.siblings.find(status).map(|sibling| &sibling.rotated);
        let is_gone = from.as_ref().is_some_and(|from| from.links == 0);
        let archive = search.from.filter(|_| is_gone).map(|from| archive_of(search, from)).transpose()?.flatten();
        // A compressed file has the times of a later day, but for that of its last write.
        let is_compressed = search.from.is_some_and(File::is_compressed);
        let last_change = |from: &Status| if is_compressed { from.written } else { from.changed };
        Ok(Ends {
            from_name: from.as_ref().and_then(name).or(archive.map(|archive| &archive.rotated)),
            to_name: name(&to),
            departed: search
                .departure
                .map(|departure| departure.changed)
                .or(from.as_ref().map(last_change))
                .unwrap_or(i64::MIN),
            is_untouched: search.departure.is_some_and(|departure| departure.is_untouched),
            is_deleted: is_gone && archive.is_none(),
            archive_of_from: archive.map(|archive| archive.status.identity),
            known: known(search)?,
            directions: RefCell::default(),
            older_files: OnceCell::new(),
            from,
            to,
        })
    }

    /// Whether a file is one of the two, or is being read, or will be.
    pub fn is_end_or_pending(&self, search: &Search<'_>, status: &Status) -> bool {
        search.pending.contains(&status.identity)
            || self.archive_of_from == Some(status.identity)
            || self.from.as_ref().is_some_and(|from| from.is_same(status))
            || self.to.is_same(status)
    }

    pub fn place(&self, search: &Search<'_>, sibling: &Sibling) -> Relation {
        if self.is_end_or_pending(search, &sibling.status) {
            return Relation::Outside;
        }
        let named = &sibling.rotated;
        let is_older = |one: &Rotated, two: &Rotated| self.compare(search, one, two) == Ordering::Less;
        if self.to_name.is_some_and(|to| to.is_like(named) && to.is_ordered() && !is_older(named, to)) {
            return Relation::Outside;
        }
        match self.from_name {
            Some(from) if !from.is_like(named) => Relation::Foreign,
            Some(from) if !from.is_ordered() => Relation::Unordered,
            Some(from) if is_older(from, named) => Relation::Between,
            Some(_) => Relation::Outside,
            None if !named.is_ordered() => Relation::Unordered,
            None => {
                // What is named before a file that is known to be older is older, too. An empty file without a creation
                // time may only have the number of one that is known.
                let is_certain = |status: &Status| status.identity.born.is_some() || status.size > 0;
                let mut known = search.siblings.list.iter().zip(&self.known).filter(|(_, is_known)| **is_known);
                let is_behind = known.any(|(other, _)| {
                    is_certain(&other.status) && other.rotated.is_like(named) && !is_older(&other.rotated, named)
                });
                if is_behind { Relation::Outside } else { Relation::Unordered }
            }
        }
    }

    /// Whether a sibling is older than the older file, whatever it is called.
    pub(super) fn is_older(&self, search: &Search<'_>, sibling: &Sibling, is_known: bool) -> bool {
        is_known
            || search.memory.may_have_finished(&sibling.status)
            || search.after.is_some_and(|after| search.came_by(sibling, after))
    }

    pub fn older_files(&self, search: &Search<'_>) -> io::Result<&OlderFiles> {
        if let Some(files) = self.older_files.get() {
            return Ok(files);
        }
        let mut files = OlderFiles::default();
        for (at, (sibling, is_known)) in search.siblings.list.iter().zip(&self.known).enumerate() {
            let is_older = self.is_older(search, sibling, *is_known)
                || self.place(search, sibling) == Relation::Outside && !sibling.status.is_same(&self.to);
            if is_older
                && sibling.status.size > 0
                && let Some(file) = sibling.open(search.log)?
            {
                files.add(at, &file, sibling.status.size)?;
            }
        }
        files.heads.sort_unstable();
        Ok(self.older_files.get_or_init(|| files))
    }

    /// Whether a sibling is named as one that is older, if any is.
    ///
    /// Not asked of `app.log.old` without a creation time: it has replaced the one before it, and the log may not have been
    /// truncated but be another file, which was given the number of the one that is lost.
    pub fn is_named_as_known(&self, search: &Search<'_>, sibling: &Sibling) -> bool {
        if !sibling.rotated.is_ordered() && sibling.status.identity.born.is_none() {
            return true;
        }
        let older = search.siblings.list.iter().zip(&self.known);
        let mut older = older.filter(|(other, is_known)| self.is_older(search, other, **is_known)).peekable();
        older.peek().is_none() || older.any(|(other, _)| other.rotated.is_like(&sibling.rotated))
    }

    /// Older first, of names that are alike.
    pub fn compare(&self, search: &Search<'_>, one: &Rotated, two: &Rotated) -> Ordering {
        one.stamp.compare(&two.stamp, || self.counting(search, one))
    }
}

/// The compressed sibling that holds what the older file held. Perhaps not all of it: its writer may have gone on.
fn archive_of<'s>(search: &Search<'s>, from: &File) -> io::Result<Option<&'s Sibling>> {
    for sibling in search.siblings.list.iter().filter(|sibling| sibling.rotated.is_compressed) {
        if let Some(archive) = sibling.open(search.log)?
            && is_prefix(&archive, from)?
        {
            return Ok(Some(sibling));
        }
    }
    Ok(None)
}

/// For each sibling, whether it is known to be older than the older file.
fn known(search: &Search<'_>) -> io::Result<Vec<bool>> {
    let mut known = search.memory.knows(search.siblings, search.log)?;
    if let (None, Some(after)) = (search.from, search.after) {
        for (sibling, is_known) in search.siblings.list.iter().zip(&mut known) {
            *is_known |= match sibling.status.identity.born {
                Some(born) => born <= after,
                // What can be set by anyone must not speak for the files with the numbers below.
                None => sibling.status.changed <= after,
            };
        }
    }
    Ok(known)
}
