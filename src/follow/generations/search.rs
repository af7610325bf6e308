//! A search for generations: between which files, and what is known of those that come between. How it is carried out is
//! in `chain_and_gaps`.

use std::io;

use super::list::{Sibling, Siblings};
use super::memory::Memory;
use crate::follow::arrivals::Arrival;
use crate::follow::log::file::File;
use crate::follow::log::open::OpenLog;
use crate::follow::log::status::Status;
use crate::follow::position::Identity;
use crate::follow::root::Log;

/// A search for what comes between two files.
#[derive(Clone, Debug)]
pub(in crate::follow) struct Search<'s> {
    pub log: &'s Log,
    pub siblings: &'s Siblings,
    pub memory: &'s Memory,
    /// The older file; `None` when it is lost, or when it is the log itself that was truncated.
    pub from: Option<&'s File>,
    /// How the older file lost the log's name, as far as that was seen.
    pub departure: Option<Departure>,
    /// The files that were given the log's name between the two, where that is known.
    pub arrivals: Option<Vec<Whereabouts>>,
    /// The older file was reported to have been renamed: should it be deleted, too, nothing is lost with it.
    pub was_renamed: bool,
    /// The younger file holds what was read of the older one: an editor has rewritten the log.
    pub is_rewritten: bool,
    /// The younger file: what the log's name leads to.
    pub to: &'s File,
    /// The change time of `to` when the log's name was seen to lead to it.
    pub seen: Option<i64>,
    /// Files that came into being by then are not younger than `from`, unless their names tell.
    pub after: Option<i64>,
    /// Files that came into being later are not searched for.
    pub until: Option<i64>,
    /// Files that are being read, or will be.
    pub pending: Vec<Identity>,
    /// What was read of the log before it was truncated.
    pub read: Option<&'s OpenLog>,
}

/// What became of a file that bore the log's name for a while, as it was found after [`Arrival`] had said where to look.
#[derive(Clone, Debug)]
pub(in crate::follow) enum Whereabouts {
    At(Box<Sibling>),
    /// It was moved to another directory.
    Moved,
    /// Another file was moved to its name. It may have others.
    Replaced,
    /// It was deleted, or is not a file.
    Gone,
}

impl Whereabouts {
    /// # Errors
    /// When the log's directory cannot be opened.
    pub fn find(log: &Log, arrival: &Arrival) -> io::Result<Whereabouts> {
        Ok(match arrival {
            Arrival::Named(name) => {
                Sibling::named(log, name)?.map_or(Whereabouts::Gone, |sibling| Whereabouts::At(Box::new(sibling)))
            }
            Arrival::Moved => Whereabouts::Moved,
            Arrival::Replaced => Whereabouts::Replaced,
            Arrival::Deleted => Whereabouts::Gone,
        })
    }

    pub fn is(&self, status: &Status) -> bool {
        matches!(self, Whereabouts::At(sibling) if sibling.status.is_same(status))
    }
}

/// How one file followed another, as far as that was seen.
#[derive(Debug, Default)]
pub(in crate::follow) struct Passage {
    pub departure: Option<Departure>,
    pub arrivals: Option<Vec<Whereabouts>>,
    /// The older file was reported to have been renamed.
    pub was_renamed: bool,
}

/// How a file was found not to be under the log's name any more.
#[derive(Clone, Copy, Debug)]
pub(in crate::follow) struct Departure {
    /// Its change time then: that of its rename or deletion, or of a late write.
    pub changed: i64,
    /// Nothing was done to the file itself: a link was switched, or a directory replaced.
    pub is_untouched: bool,
}

impl Departure {
    /// `before`: the file's change time when the log's name still led to it. Where times are whole seconds an equal one
    /// tells nothing.
    pub fn of(status: &Status, before: i64) -> Departure {
        Departure { changed: status.changed, is_untouched: status.is_untouched_since(before) }
    }
}

impl<'s> Search<'s> {
    /// A search for all generations that are older than `to`.
    pub fn of_all(log: &'s Log, siblings: &'s Siblings, memory: &'s Memory, to: &'s File) -> Search<'s> {
        Search {
            log,
            siblings,
            memory,
            from: None,
            departure: None,
            arrivals: None,
            was_renamed: false,
            is_rewritten: false,
            to,
            seen: None,
            after: None,
            until: None,
            pending: Vec::new(),
            read: None,
        }
    }
}

impl Search<'_> {
    /// Whether a file came into being by then. Without a creation time, the earlier of its change time and its modification
    /// time counts, so that anyone can rule a file out by setting its modification time back, but not in.
    pub fn came_by(&self, sibling: &Sibling, then: i64) -> bool {
        let status = &sibling.status;
        match status.identity.born {
            // It was created when it was compressed; most tools give it the time of the last write.
            _ if sibling.rotated.is_compressed => status.start() <= then || status.is_set(),
            Some(born) => born <= then,
            None => !self.memory.is_listed() && status.written.min(status.changed) <= then,
        }
    }
}
