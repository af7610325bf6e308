//! A small file that one process at a time uses, and replaces as a whole, on Windows. What it contains is decided in `record`.
//!
//! An open file cannot be replaced there, so the lock is a file beside it, which stays. Windows drops the lock with the
//! process, however that ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use wstail::small_file::read_at_most;

/// ERROR_SHARING_VIOLATION
const SHARING_VIOLATION: i32 = 32;

#[derive(Debug)]
pub(super) struct LockedFile {
    path: PathBuf,
    _lock: File,
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
    /// Locks the file, which need not exist.
    pub(super) fn open(path: &Path) -> Result<LockedFile, Unusable> {
        // Nobody else can open it meanwhile.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).share_mode(0);
        let lock = match options.open(beside(path, ".lock")) {
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => return Err(Unusable::InUse),
            result => result?,
        };
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("not a regular file").into()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(LockedFile { path: path.to_owned(), _lock: lock })
    }

    /// The contents; `None` if they are more than `most` bytes.
    pub(super) fn read(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(Vec::new())),
            file => read_at_most(file?, most),
        }
    }

    /// Replaces the contents. If the process is killed meanwhile, either the old file or the new one remains.
    pub(super) fn replace(&mut self, text: &[u8]) -> io::Result<()> {
        let new = beside(&self.path, ".new");
        let mut file = File::create(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.path)
    }
}

/// The path with an ending behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
