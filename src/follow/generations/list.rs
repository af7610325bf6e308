//! Lists the files beside a log that may be generations of it: those whose names a rotation may have given.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType};

use crate::follow::log::file::File;
use crate::follow::log::fingerprint::{begin_alike, is_empty};
use crate::follow::log::status::Status;
use crate::follow::root::{Log, is_shortage};
use crate::rotated_name::{DatedName, Rotated};

/// A file beside a log, or in a directory below the log's own.
#[derive(Clone, Debug)]
pub(in crate::follow) struct Sibling {
    directory: Vec<Vec<u8>>,
    pub name: OsString,
    pub status: Status,
    pub rotated: Rotated,
}

/// All that were found, in no order.
#[derive(Clone, Debug, Default)]
pub(in crate::follow) struct Siblings {
    pub list: Vec<Sibling>,
    /// Compressed files that are no generations, because the same is there uncompressed.
    pub twins: Vec<Sibling>,
}

/// Directories below the log's own that are looked into for rotated files (logrotate's `olddir`), at most.
const DIRECTORIES: usize = 64;

/// The siblings of a log.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] when rotation goes on too fast to list them; another kind when the directory cannot
/// be read.
pub(in crate::follow) fn list(log: &Log) -> io::Result<Siblings> {
    // A file that is renamed while its directory is read can be missed, or seen twice: only a list that is read twice
    // alike is true.
    const TRIES: usize = 4;
    let mut last = match list_once(log) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // It may be entered, but not listed.
            return Ok(Siblings::default());
        }
        result => result?,
    };
    for _ in 0..TRIES {
        let again = list_once(log)?;
        let is_alike = last.len() == again.len()
            && last.iter().zip(&again).all(|(one, two)| {
                one.name == two.name && one.directory == two.directory && one.status.is_same(&two.status)
            });
        if is_alike {
            return drop_twins(log, again);
        }
        last = again;
    }
    Err(io::ErrorKind::Interrupted.into())
}

/// Of `app.log.1` and `app.log.1.gz` that begin alike the first is the generation: it is being compressed.
fn drop_twins(log: &Log, mut list: Vec<Sibling>) -> io::Result<Siblings> {
    let mut twins = Vec::new();
    for (at, archive) in list.iter().enumerate().filter(|(_, sibling)| sibling.rotated.is_compressed) {
        let is_twin = |plain: &&Sibling| {
            !plain.rotated.is_compressed
                && plain.directory == archive.directory
                && plain.rotated.is_like(&archive.rotated)
                && plain.rotated.stamp == archive.rotated.stamp
        };
        let Some(plain) = list.iter().find(is_twin) else { continue };
        let (archive, plain) = (archive.open(log)?, plain.open(log)?);
        // What cannot be read is judged by its name. One that is still empty begins like any other.
        let is_begun_alike = match (archive, plain) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(archive), Some(plain)) => is_empty(&archive)? || !is_empty(&plain)? && begin_alike(&archive, &plain)?,
        };
        if is_begun_alike {
            twins.push(at);
        }
    }
    let twins = twins.into_iter().rev().map(|at| list.remove(at)).collect();
    Ok(Siblings { list, twins })
}

/// Waits until what was last seen to be done to the log's directory has been reported to those who watch it. A rename shows
/// in lookups a moment before it is reported; the kernel holds the directory's lock over both, and takes it to read the
/// directory.
pub(in crate::follow) fn await_reports(log: &Log) {
    let read = |log: &Log| {
        let segments = log.segments();
        let directory = log.open_directory(&segments[..segments.len().saturating_sub(1)]).ok();
        let _ = directory.and_then(|directory| Dir::new(directory).ok()?.next());
    };
    read(log);
    if let Ok(Some(target)) = log.target() {
        read(&target);
    }
}

fn list_once(log: &Log) -> io::Result<Vec<Sibling>> {
    let mut found = Vec::new();
    let (segments, own_name) = (log.segments().into_owned(), log.name());
    let own = |name: &[u8]| Rotated::parse(own_name.as_bytes(), name);
    list_directory(log, &segments[..segments.len().saturating_sub(1)], &own, true, &mut found)?;
    list_beside_target(log, &mut found)?;
    found.sort_unstable_by(|one, two| (&one.directory, &one.name).cmp(&(&two.directory, &two.name)));
    found.dedup_by(|one, two| one.name == two.name && one.directory == two.directory);
    Ok(found)
}

/// Lists the files around the target of a link, or the files of a dated log.
#[inline(never)]
fn list_beside_target(log: &Log, found: &mut Vec<Sibling>) -> io::Result<()> {
    let Ok(Some(target)) = log.target() else { return Ok(()) };
    let (segments, name) = (target.segments().into_owned(), target.name());
    let own_name = log.name();
    let dated = DatedName::of(own_name.as_bytes());
    let like = |other: &[u8]| match &dated {
        Some(dated) => dated.parse(other),
        None => Rotated::parse_like(name.as_bytes(), other).or_else(|| Rotated::parse(name.as_bytes(), other)),
    };
    list_directory(log, &segments[..segments.len().saturating_sub(1)], &like, true, found)
}

fn list_directory(
    log: &Log,
    directory: &[Vec<u8>],
    parse: &dyn Fn(&[u8]) -> Option<Rotated>,
    goes_below: bool,
    found: &mut Vec<Sibling>,
) -> io::Result<()> {
    let fd = log.open_directory(directory)?;
    let mut below = Vec::new();
    for entry in Dir::read_from(&fd)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if let Some(rotated) = parse(name) {
            let status = Status::at(&fd, entry.file_name(), AtFlags::empty()).ok().filter(|status| status.is_file);
            let (directory, name) = (directory.to_vec(), OsStr::from_bytes(name).to_owned());
            found.extend(status.map(|status| Sibling { directory, name, status, rotated }));
        } else if goes_below
            && matches!(entry.file_type(), FileType::Directory | FileType::Unknown)
            && !name.starts_with(b".")
            && below.len() < DIRECTORIES
        {
            below.push([directory, &[name.to_vec()]].concat());
        }
    }
    for directory in below {
        match list_directory(log, &directory, parse, false, found) {
            Err(error) if is_shortage(&error) => return Err(error),
            // It is gone, may not be read, or is not a directory: it holds nothing.
            _ => {}
        }
    }
    Ok(())
}

impl Siblings {
    /// The name under which a file is found that is held open.
    pub fn find(&self, file: &Status) -> Option<&Sibling> {
        let named = |sibling: &&Sibling| sibling.status.is_same(file);
        self.list.iter().filter(named).max_by_key(|sibling| sibling.rotated.is_ordered())
    }
}

impl Sibling {
    /// Whether it is in the log's own directory.
    pub fn is_beside(&self, log: &Log) -> bool {
        log.segments().split_last().is_some_and(|(_, directory)| *directory == *self.directory)
    }

    /// The file of that name in the log's directory; `None` when it is not there any more.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn named(log: &Log, name: &OsStr) -> io::Result<Option<Sibling>> {
        let segments = log.segments().into_owned();
        let directory = segments[..segments.len().saturating_sub(1)].to_vec();
        let fd = log.open_directory(&directory)?;
        let status = Status::at(&fd, name, AtFlags::empty()).ok().filter(|status| status.is_file);
        let (own_name, name_bytes) = (log.name(), name.as_bytes());
        let own_name = own_name.as_bytes();
        let dated = DatedName::of(own_name).and_then(|log| log.parse(name_bytes));
        let rotated =
            dated.or_else(|| Rotated::parse(own_name, name_bytes)).unwrap_or_else(|| Rotated::any(name_bytes));
        Ok(status.map(|status| Sibling { directory, name: name.to_owned(), status, rotated }))
    }

    /// Opens it; `None` when it may not be read, or is compressed in a format that this program cannot read.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] when it has another name by now, or is gone; another kind when the process has no
    /// descriptor or memory left.
    pub fn open(&self, log: &Log) -> io::Result<Option<Arc<File>>> {
        let segments = [&self.directory[..], &[self.name.as_bytes().to_vec()]].concat();
        match log.at(segments).open() {
            Ok(file) if file.status()?.is_same(&self.status) => {
                // What was not written yet, or is cut off before its first byte, is not known to be compressed.
                let is_unknown = self.rotated.is_compressed && self.status.size == 0;
                Ok((!file.is_unreadable() && !is_unknown).then(|| file.into()))
            }
            Ok(_) => Err(io::ErrorKind::Interrupted.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(io::ErrorKind::Interrupted.into()),
            Err(error) if is_shortage(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }
}
