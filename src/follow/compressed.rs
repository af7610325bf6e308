//! Which compressed sibling is what became of a file: of one that a cursor speaks of, or of one that is held and deleted.

use std::io;
use std::sync::Arc;

use super::generations::list::{Sibling, Siblings};
use super::log::file::File;
use super::log::fingerprint::{self, holds};
use super::log::status::TICK;
use super::position::{HEAD, Position};
use super::root::Log;

/// How many bytes must speak for it: a few first lines may be those of every generation.
const ENOUGH: u64 = 64;

/// A compressed sibling that holds what was read. The first kilobyte may be the same in all of them: it decides only if one
/// holds it.
pub(super) fn archive_of(log: &Log, position: &Position, siblings: &Siblings) -> io::Result<Option<Arc<File>>> {
    let mut found = None;
    for sibling in archives(position, siblings) {
        if let Some(file) = sibling.open(log)?
            && holds(&file, position, 0)?
        {
            if position.offset > HEAD as u64 {
                return Ok(Some(file));
            }
            if found.is_some() {
                return Ok(None);
            }
            found = Some(file);
        }
    }
    Ok(found)
}

/// The compressed sibling that begins as the file did, and ends before the place: it is damaged. It was last written to when
/// the file was, or later, and there is only one: older files may have begun like this one.
pub(super) fn cut_off(log: &Log, position: &Position, siblings: &Siblings) -> io::Result<Option<Arc<File>>> {
    let mut found = None;
    for sibling in archives(position, siblings) {
        if sibling.status.written + TICK >= position.changed
            && let Some(file) = sibling.open(log)?
            && fingerprint::head(&file, position.head.length.into())? == position.head
            && !holds(&file, position, 0)?
            && file.known_end().is_some_and(|end| end.size < position.offset)
            && found.replace(file).is_some()
        {
            return Ok(None);
        }
    }
    Ok(found)
}

/// What became of a file that is deleted, if it was compressed: the one archive that begins as it does, in a kilobyte.
///
/// # Errors
/// As [`Sibling::open`] and [`File::read_at`].
pub(super) fn what_became_of<'s>(file: &File, log: &Log, siblings: &'s Siblings) -> io::Result<Option<&'s Sibling>> {
    let head = fingerprint::read_up_to(file, 0, HEAD)?;
    if (head.len() as u64) < ENOUGH {
        return Ok(None);
    }
    let mut found = None;
    for sibling in siblings.list.iter().filter(|sibling| sibling.rotated.is_compressed) {
        if let Some(archive) = sibling.open(log)?
            && fingerprint::read_up_to(&archive, 0, HEAD)? == head
            && found.replace(sibling).is_some()
        {
            return Ok(None);
        }
    }
    Ok(found)
}

/// The compressed siblings that may be what became of the file, the likeliest first: their modification time is that of the
/// last write, unless somebody set it.
fn archives<'s>(position: &Position, siblings: &'s Siblings) -> Vec<&'s Sibling> {
    let may_be = |sibling: &&Sibling| sibling.rotated.is_compressed && position.evidence() >= ENOUGH;
    let mut archives: Vec<_> = siblings.list.iter().filter(may_be).collect();
    archives.sort_by_key(|Sibling { status, .. }| (status.written + TICK < position.changed, status.written));
    archives
}
