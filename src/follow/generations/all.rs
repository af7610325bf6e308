//! All generations of a log that are older than a file of it, for a reader that asks for its history. Unlike a rotation,
//! this needs no proof that none is missing: names and times give the order, and what is there is read.

use std::collections::HashSet;
use std::io;

use super::ends::Ends;
use super::list::{Sibling, Siblings};
use super::memory::Memory;
use super::search::Search;
use crate::follow::log::file::File;
use crate::follow::log::fingerprint::{is_likely_prefix, is_prefix};
use crate::follow::root::Log;

/// The generations that are older than `file`, which is one of the log's, oldest first, and their sizes. Not those that are
/// compressed in a format that this program cannot read.
///
/// # Errors
/// As [`Sibling::open`]; and [`io::ErrorKind::WouldBlock`] when more has to be unpacked first: ask again.
pub(in crate::follow) fn older(log: &Log, file: &File, siblings: &Siblings) -> io::Result<Vec<(Sibling, u64)>> {
    let memory = Memory::default();
    let search = Search::of_all(log, siblings, &memory, file);
    let ends = Ends::of(&search)?;
    let mut seen = HashSet::from([ends.to.identity]);
    let mut found: Vec<(&Sibling, bool)> = Vec::new();
    for sibling in &siblings.list {
        // A file may have several names.
        if sibling.status.size > 0 && seen.insert(sibling.status.identity) {
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
        let size = match sibling.open(log)? {
            Some(file) => file.status()?.size,
            None if sibling.rotated.is_compressed => continue,
            None => sibling.status.size,
        };
        if is_generation(log, sibling, file, &candidates[at + 1..])? {
            generations.push(((*sibling).clone(), size));
        }
    }
    Ok(generations)
}

/// Whether a file is one more generation, and not a copy of a younger file. Of two files that are named alike neither is a
/// copy of the other.
fn is_generation(log: &Log, sibling: &Sibling, youngest: &File, younger: &[&Sibling]) -> io::Result<bool> {
    // One that is older may hold no more than the lines with which every file begins. A compressed file was created when it
    // was compressed, and bears the time of the last write.
    let is_compressed = sibling.rotated.is_compressed;
    let (begun, status) = (youngest.status()?.begun(), &sibling.status);
    let is_older = sibling.rotated.is_ordered() && begun >= if is_compressed { status.written } else { status.begun() };
    let may_be_original = |other: &&&Sibling| {
        let may_have_size = other.status.size == status.size || other.rotated.is_compressed != is_compressed;
        may_have_size && (!other.rotated.is_like(&sibling.rotated) || other.rotated.stamp == sibling.rotated.stamp)
    };
    let originals: Vec<_> = younger.iter().filter(may_be_original).collect();
    if is_older && originals.is_empty() {
        return Ok(true);
    }
    let Some(file) = sibling.open(log)? else { return Ok(false) };
    if !is_older && is_copy(&file, youngest)? {
        return Ok(false);
    }
    for other in originals {
        if let Some(other) = other.open(log)?
            && is_copy(&file, &other)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_copy(file: &File, original: &File) -> io::Result<bool> {
    let is_compressed = file.is_compressed() || original.is_compressed();
    if is_compressed { is_likely_prefix(file, original) } else { is_prefix(file, original) }
}
