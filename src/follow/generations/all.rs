//! All generations of a log that are older than a file of it, for a reader that asks for its history. Unlike a rotation,
//! this needs no proof that none is missing: names and times give the order, and what is there is read.

use std::collections::HashSet;
use std::fs::File;
use std::io;

use super::ends::Ends;
use super::list::{Sibling, Siblings};
use super::memory::Memory;
use super::search::Search;
use crate::follow::log::fingerprint::is_prefix;
use crate::follow::log::status::Status;
use crate::follow::root::Log;

/// The generations that are older than `file`, which is one of the log's, oldest first. Not those that are compressed.
///
/// # Errors
/// As [`Sibling::open`].
pub(in crate::follow) fn older(log: &Log, file: &File, siblings: &Siblings) -> io::Result<Vec<Sibling>> {
    let memory = Memory::default();
    let search = Search::of_all(log, siblings, &memory, file);
    let ends = Ends::of(&search)?;
    let mut seen = HashSet::from([ends.to.identity]);
    let mut found: Vec<(&Sibling, bool)> = Vec::new();
    for sibling in &siblings.list {
        // A file may have several names.
        if !sibling.rotated.is_compressed && sibling.status.size > 0 && seen.insert(sibling.status.identity) {
            found.push((sibling, true));
        }
    }
    let own = siblings.find(&ends.to);
    found.extend(own.map(|own| (own, false)));
    search.sort(&mut found, &ends);
    // If the file has a rotated name itself, younger ones follow it.
    let older = found.iter().position(|(_, is_other)| !is_other).unwrap_or(found.len());
    let candidates: Vec<&Sibling> = found[..older].iter().map(|(sibling, _)| *sibling).collect();
    let mut generations = Vec::new();
    for (at, sibling) in candidates.iter().enumerate() {
        if is_generation(log, sibling, file, &candidates[at + 1..])? {
            generations.push((*sibling).clone());
        }
    }
    Ok(generations)
}

/// Whether a file is one more generation, and not a copy of a younger file. Of two files that are named alike neither is a
/// copy of the other.
fn is_generation(log: &Log, sibling: &Sibling, youngest: &File, younger: &[&Sibling]) -> io::Result<bool> {
    // One that is older may hold no more than the lines with which every file begins.
    let is_older = sibling.rotated.is_ordered() && sibling.status.begun() <= Status::of(youngest)?.begun();
    let may_be_original = |other: &&&Sibling| {
        other.status.size == sibling.status.size
            && (!other.rotated.is_like(&sibling.rotated) || other.rotated.stamp == sibling.rotated.stamp)
    };
    let originals: Vec<_> = younger.iter().filter(may_be_original).collect();
    if is_older && originals.is_empty() {
        return Ok(true);
    }
    let Some(file) = sibling.open(log)? else { return Ok(false) };
    if !is_older && is_prefix(&file, youngest)? {
        return Ok(false);
    }
    for other in originals {
        if let Some(other) = other.open(log)?
            && is_prefix(&file, &other)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}
