//! The cursor files of several logs, one for each in a directory: `wstail tail --cursor-dir`. What a file contains is decided
//! in `record`.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wstail::client::Url;
use wstail::text::sanitize::escape;
use wstail::{Error, Result};

use super::cursor_file::Record;

/// The longest name that is used as it is, in bytes. A file system takes 255, and the file that replaces a cursor file has a
/// longer name.
const MAX_NAME: usize = 200;

/// Characters that a file's name does not have here: a slash, and what a shell or a terminal would not show as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub(super) struct CursorDir {
    path: PathBuf,
    /// The fingerprint of this run's filter.
    filter: Option<String>,
}

impl CursorDir {
    /// Creates the directory if it is missing.
    ///
    /// # Errors
    /// When it cannot be created, or is something else.
    pub(super) fn open(path: PathBuf, filter: Option<String>) -> Result<CursorDir> {
        let created = match private().create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        };
        let what = || format!("cannot use the cursor directory `{}`", escape(&path.to_string_lossy()));
        created.map_err(|error| Error::io(what(), error))?;
        Ok(CursorDir { path, filter })
    }

    /// Whether the file is one of those in the directory, under whatever path.
    pub(super) fn contains(&self, file: &Path) -> bool {
        match (self.path.canonicalize(), file.canonicalize()) {
            (Ok(directory), Ok(file)) => file.starts_with(directory),
            _ => false,
        }
    }

    /// The record of a log.
    ///
    /// # Errors
    /// As with [`Record::open`].
    pub(super) fn record(&self, url: &Url) -> Result<Record> {
        Record::open(self.path.join(file_name(&url.unique_name())), self.filter.clone())
    }
}

/// Creates a directory that only its owner can read.
fn private() -> DirBuilder {
    #[cfg(unix)]
    {
        let mut builder = DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
    }
    #[cfg(not(unix))]
    DirBuilder::new()
}

/// A name for the file of a log, which no other log has.
fn file_name(log: &str) -> String {
    let mut name = utf8_percent_encode(log, ENCODED).to_string();
    if name.len() > MAX_NAME {
        name.truncate(MAX_NAME);
        name += &format!("~{:08x}-{}", crc32fast::hash(log.as_bytes()), log.len());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_slash_and_is_unlike_all_others() {
        assert_eq!(file_name("logs.example.com:8765/nginx/access.log"), "logs.example.com%3A8765%2Fnginx%2Faccess.log");
        assert_ne!(file_name("h:1/a/b"), file_name("h:1/a%2Fb"));
        assert_eq!(file_name("h:1/../\u{1b}~"), "h%3A1%2F..%2F%1B%7E");
        let long = |end: &str| file_name(&format!("h:1/{}{end}", "水".repeat(100)));
        assert!(long("a").len() <= 230 && long("a") != long("b") && long("a") == long("a"));
    }

    #[test]
    fn a_directory_is_created_and_nothing_else_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursors");
        let url: Url = "h:1/a/b.log".parse().unwrap();
        for _ in 0..2 {
            let dir = CursorDir::open(path.clone(), None).unwrap();
            let mut record = dir.record(&url).unwrap();
            record.note(&"abc".parse().unwrap(), None).unwrap();
            assert!(dir.record(&url).unwrap_err().to_string().ends_with("h%3A1%2Fa%2Fb.log is in use"));
        }
        assert_eq!(std::fs::read_to_string(path.join("h%3A1%2Fa%2Fb.log")).unwrap(), "abc\n");
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        for bad in [file, directory.path().join("missing/cursors")] {
            let error = CursorDir::open(bad, None).err().unwrap().to_string();
            assert!(error.starts_with("cannot use the cursor directory `"), "{error}");
        }
    }
}
