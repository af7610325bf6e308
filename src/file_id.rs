//! Which file an open file is, whatever its name.

use std::fs::Metadata;

/// The identity of a file on this machine, as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The file within it.
    pub inode: u64,
}

impl FileId {
    /// `None` where the standard library does not know it: on Windows.
    pub fn of(metadata: &Metadata) -> Option<FileId> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(FileId { device: metadata.dev(), inode: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            None
        }
    }
}
