//! A small file that one process at a time uses, and replaces as a whole. What it contains is decided in `record`.
//!
//! The lock is on the file itself, not on one beside it. It moves along when the file is replaced: the new file is locked
//! before it takes the old one's name. A process that had opened the old file meanwhile sees that the name now belongs to
//! another one, and tries again. The kernel drops the lock with the process, however that ends.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use wstail::small_file::read_at_most;

#[derive(Debug)]
pub(super) struct LockedFile {
    /// Its path, with links resolved.
    path: PathBuf,
    /// Holds the lock.
    file: File,
    /// Whether it was created here and not written to yet.
    is_new: bool,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// Another process uses it.
    InUse,
    /// It cannot be opened or replaced.
    Io(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Unusable {
        Unusable::Io(error)
    }
}

impl LockedFile {
    /// Opens and locks the file, and creates it if it is missing. A link to it stays a link.
    pub(super) fn open(path: &Path) -> Result<LockedFile, Unusable> {
        let path = resolve(path);
        loop {
            let Some((file, is_new)) = open(&path)? else { continue };
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("not a regular file").into());
            }
            lock(&file)?;
            if is_at(&file, &path)? {
                let locked = LockedFile { path, file, is_new };
                locked.remove_leftovers();
                // Better now than when there is something to write.
                let (_, probe) = locked.create()?;
                fs::remove_file(probe)?;
                return Ok(locked);
            }
        }
    }

    /// The contents; `None` if they are more than `most` bytes.
    pub(super) fn read(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        read_at_most(&self.file, most)
    }

    /// Replaces the contents. If the process is killed meanwhile, or the machine loses power, either the old file or
    /// the new one remains.
    pub(super) fn replace(&mut self, text: &[u8]) -> io::Result<()> {
        let mode = fs::metadata(&self.path).map_or(0o600, |old| old.mode() & 0o7777);
        let (mut file, name) = self.create()?;
        let replaced = (|| {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.write_all(text)?;
            file.sync_all()?;
            let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
            fs::rename(&name, &self.path)
        })();
        if replaced.is_err() {
            let _ = fs::remove_file(&name);
        }
        replaced?;
        (self.file, self.is_new) = (file, false);
        match File::open(self.directory()).and_then(|directory| directory.sync_all()) {
            // Some file systems cannot sync a directory, and some directories cannot be read.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::PermissionDenied) => Ok(()),
            result => result,
        }
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Creates a new file beside it that only the owner can read.
    fn create(&self) -> io::Result<(File, PathBuf)> {
        loop {
            let random = RandomState::new().hash_one(std::process::id());
            let name = self.directory().join(format!("{}{random:016x}", self.prefix()));
            // Neither overwrites a file nor follows a link.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                result => return result.map(|file| (file, name)),
            }
        }
    }

    /// What the names of new files begin with; 16 hexadecimal digits follow.
    fn prefix(&self) -> String {
        format!(".{}.wstail-", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    /// Removes the new files of processes that were killed before they renamed them. While the lock is held, no process
    /// uses them.
    fn remove_leftovers(&self) {
        let Ok(entries) = fs::read_dir(self.directory()) else { return };
        let prefix = self.prefix();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            if digits.is_some_and(|digits| digits.len() == 16 && u64::from_str_radix(digits, 16).is_ok()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        let is_empty = self.file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        if self.is_new && is_empty && is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The file that a link leads to, even if it does not exist yet.
fn resolve(path: &Path) -> PathBuf {
    let linked = || Some(path.with_file_name(fs::read_link(path).ok()?));
    fs::canonicalize(path).ok().or_else(linked).unwrap_or_else(|| path.to_owned())
}

/// The file, and whether it was created; `None` if it appeared or disappeared meanwhile.
fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
    // A FIFO without a reader would block.
    const FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK);
    let options = |write| OpenOptions::new().read(true).write(write).custom_flags(FLAGS.bits() as i32).open(path);
    let opened = match options(true) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => options(false),
        result => result,
    };
    match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        result => return result.map(|file| Some((file, false))),
    }
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        result => result.map(|file| Some((file, true))),
    }
}

fn lock(file: &File) -> Result<(), Unusable> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Unusable::InUse),
        // The file system has no locks: going on without one is better than failing.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOLCK | Errno::BADF) | Ok(()) => Ok(()),
        Err(errno) => Err(Unusable::Io(errno.into())),
    }
}

/// Whether the name still belongs to this file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let file = file.metadata()?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        result => result.map(|found| (found.dev(), found.ino()) == (file.dev(), file.ino())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_new_file_has_a_name_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let locked = LockedFile::open(&directory.path().join("cursor")).unwrap();
        // Removed at once, so that only chance keeps the names apart.
        let create = |_| {
            let (_, name) = locked.create().unwrap();
            fs::remove_file(&name).unwrap();
            name
        };
        assert_eq!((0..100).map(create).collect::<HashSet<_>>().len(), 100);
    }
}
