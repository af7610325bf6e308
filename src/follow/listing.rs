//! All logs below the roots, for those who choose among them. What is listed can be opened by the path it is listed under.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Dir, FileType};

use super::generations::list::Sibling;
use super::generations::{all, list};
use super::log::open::OpenLog;
use super::log::status::Status;
use super::position::Identity;
use super::root::{Root, Roots, is_shortage};
use crate::protocol::address::Address;
use crate::protocol::cursor::Cursor;

/// A log that a request can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What follows the slash of its address, not percent-encoded: relative to its root, or absolute where that is
    /// another log's name.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When it was last written to.
    pub modified: SystemTime,
    /// What it keeps when it is renamed.
    pub(crate) identity: Identity,
}

/// The logs that were found, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Each path once.
    pub entries: Vec<Entry>,
    /// There were more names than are looked at; those nearest to their root were.
    pub is_cut: bool,
}

/// How many names are looked at: 65,536. That takes about half a second, and 20 MB.
pub const MAX_NAMES: usize = 1 << 16;

impl Roots {
    /// Lists the logs. Links to files are followed as they are when they are asked for, links to directories are not.
    /// Names that are no UTF-8 are left out, as are hidden ones unless they are served.
    ///
    /// # Errors
    /// When the process has no descriptor or memory left.
    pub fn list(&self) -> io::Result<Listing> {
        self.list_some(MAX_NAMES)
    }

    /// The place before the first byte of a file that was listed. `None` if its path leads to another one by now, or to none.
    pub(crate) fn start(&self, entry: &Entry) -> Option<Cursor> {
        let address = Address::of(entry.path.split('/').map(|name| name.as_bytes().to_vec()).collect())?;
        let (_, file) = self.find(&address).ok()??;
        let log = in_turns(|| OpenLog::current(file.clone()))?;
        (log.status.identity == entry.identity).then(|| log.position().cursor())
    }

    /// The place before the first byte that was written to a log after a time, in nanoseconds since the epoch, at which there
    /// was no such log: it may have been rotated since. `None` if there is still none that can be read.
    pub(crate) fn start_after(&self, address: &Address, time: i64) -> Option<Cursor> {
        let (log, file) = self.find(address).ok()??;
        let older = in_turns(|| all::older(&log, &file, &list::list(&log)?))?;
        let first = older.iter().find(|(Sibling { status, rotated, .. }, _)| {
            // A file is created once more when it is compressed, but was last written to before that.
            let is_written = !rotated.is_compressed || status.written >= time;
            is_written && status.identity.born.is_some_and(|born| born >= time)
        });
        let file = first.map_or(Some(Arc::new(file)), |(first, _)| first.open(&log).ok()?)?;
        Some(in_turns(|| OpenLog::current(file.clone()))?.position().cursor())
    }

    fn list_some(&self, names: usize) -> io::Result<Listing> {
        let mut walk = Walk { roots: self, names, listing: Listing::default() };
        let mut level = Vec::new();
        for root in &self.roots {
            let Some(opened) = spare(root.current())? else { continue };
            match &opened.file {
                Some(file) => walk.admit(root, vec![file.asked.clone()], Vec::new())?,
                None => level.push((root, Vec::new())),
            }
        }
        // Level by level through all roots, so that what is cut off is what lies deepest.
        while !level.is_empty() {
            let mut below = Vec::new();
            for (root, directory) in &level {
                if walk.listing.is_cut {
                    break;
                }
                below.extend(walk.visit(root, directory)?.into_iter().map(|directory| (*root, directory)));
            }
            level = below;
        }
        let mut listing = walk.listing;
        listing.entries.sort_by(|left, right| right.modified.cmp(&left.modified).then(left.path.cmp(&right.path)));
        Ok(listing)
    }
}

struct Walk<'r> {
    roots: &'r Roots,
    /// How many may still be looked at.
    names: usize,
    listing: Listing,
}

impl Walk<'_> {
    /// Admits a directory's files, and returns its directories. One that cannot be read holds nothing.
    fn visit(&mut self, root: &Arc<Root>, directory: &[Vec<u8>]) -> io::Result<Vec<Vec<Vec<u8>>>> {
        let mut below = Vec::new();
        let Some(entries) = spare(root.open_directory(directory).and_then(|fd| Ok(Dir::read_from(&fd)?)))? else {
            return Ok(below);
        };
        for entry in entries.map_while(Result::ok) {
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") || name.starts_with(b".") && !self.roots.hidden {
                continue;
            }
            let Some(names) = self.names.checked_sub(1) else {
                self.listing.is_cut = true;
                break;
            };
            self.names = names;
            let segments: Vec<_> = directory.iter().cloned().chain([name.to_vec()]).collect();
            match entry.file_type() {
                FileType::Directory => below.push(segments),
                FileType::RegularFile | FileType::Symlink => self.admit(root, segments.clone(), segments)?,
                // Some file systems do not say.
                FileType::Unknown if root.open_directory(&segments).is_ok() => below.push(segments),
                FileType::Unknown => self.admit(root, segments.clone(), segments)?,
                _ => {}
            }
        }
        Ok(below)
    }

    /// Lists a file under the shortest name that leads to it and not to another.
    fn admit(&mut self, root: &Arc<Root>, asked: Vec<Vec<u8>>, opened: Vec<Vec<u8>>) -> io::Result<()> {
        let Some(current) = spare(root.current())? else { return Ok(()) };
        let absolute = current.directory.paths[0].iter().cloned().chain(asked.iter().cloned()).collect();
        for address in [asked, absolute].into_iter().filter_map(Address::of) {
            let Some((log, file)) = spare(self.roots.find(&address))?.flatten() else { continue };
            if !log.is_in(root, &opened) {
                continue;
            }
            let path = address.segments().join(&b'/');
            if let (Ok(path), Some(Status { size, written, identity, .. })) =
                (String::from_utf8(path), spare(Status::of(file.raw()))?)
            {
                let modified = UNIX_EPOCH + Duration::from_nanos(written.try_into().unwrap_or_default());
                self.listing.entries.push(Entry { path, size, modified, identity });
            }
            break;
        }
        Ok(())
    }
}

/// Tries again while compressed files have to be unpacked further, which takes a few turns. `None` if that is not enough, or
/// after any other error.
fn in_turns<T>(try_once: impl Fn() -> io::Result<T>) -> Option<T> {
    const TURNS: usize = 16;
    let is_over = |result: &io::Result<_>| !matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    (0..TURNS).map(|_| try_once()).find(is_over)?.ok()
}

/// What cannot be read is not there; that the process lacks something is another matter.
fn spare<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if is_shortage(&error) => Err(error),
        result => Ok(result.ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_is_replaced_after_it_was_listed_has_no_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        fs::write(path("a.log"), "one\n").unwrap();
        let roots = Roots::open([directory.path()], false).unwrap();
        let entry = &roots.list().unwrap().entries[0];
        assert!(roots.start(entry).is_some());
        fs::rename(path("a.log"), path("a.log.1")).unwrap();
        assert!(roots.start(entry).is_none());
        fs::write(path("a.log"), "two\n").unwrap();
        assert!(roots.start(entry).is_none(), "of another file");
    }

    #[test]
    fn what_is_cut_off_is_what_lies_deepest_in_any_root() {
        let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for (directory, name) in directories.iter().zip(["a", "b"]) {
            fs::create_dir(directory.path().join("deep")).unwrap();
            fs::write(directory.path().join(name), "").unwrap();
            (0..9).for_each(|at| fs::write(directory.path().join(format!("deep/{name}{at}")), "").unwrap());
        }
        let roots = Roots::open(&directories, false).unwrap();
        let names = |most| {
            let listing = roots.list_some(most).unwrap();
            let mut names: Vec<_> = listing.entries.into_iter().map(|entry| entry.path).collect();
            names.sort();
            (names, listing.is_cut)
        };
        assert_eq!(names(4), (vec!["a".to_owned(), "b".to_owned()], true));
        assert!(matches!(names(22), (all, false) if all.len() == 20));
    }
}
