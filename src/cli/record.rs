//! The cursor file: where a log was read to, and how much of it had been printed by then.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use wstail::protocol::cursor::Place;
use wstail::{Error, Result};

/// What is noted, and where: `PLACE` on the first line, and `output DEVICE INODE SIZE` on the second where the output is
/// a file.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    noted: Option<Note>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    place: Place,
    output: Option<Output>,
}

/// A file that is written to, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Output {
    device: u64,
    inode: u64,
    size: u64,
}

impl Output {
    /// `None` where the output is a pipe or a terminal.
    pub(super) fn of(file: &File) -> io::Result<Option<Output>> {
        let metadata = file.metadata()?;
        let output = Output { device: metadata.dev(), inode: metadata.ino(), size: metadata.len() };
        Ok(metadata.is_file().then_some(output))
    }
}

impl Record {
    /// Reads what an earlier run noted; a file that is missing or empty says nothing.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub(super) fn open(path: PathBuf) -> Result<Record> {
        if path.file_name().is_none() {
            return Err(Error::usage("the cursor file has no name (see `wstail tail --help`)"));
        }
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(failed("use", &path, io::Error::other("it is no regular file")));
        }
        // Better now than when there is something to note.
        let (_, new) = places(&path);
        File::create(&new).and_then(|_| fs::remove_file(&new)).map_err(|error| failed("write", &path, error))?;
        let text = read(&path).map_err(|error| failed("read", &path, error))?;
        let noted = match text.trim() {
            "" => None,
            text => Some(parse(text).ok_or_else(|| failed("use", &path, io::Error::other("it holds no cursor")))?),
        };
        Ok(Record { path, noted })
    }

    /// The error with the file's name, where it is a server's that did not know what to do with the cursor.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.noted.is_none() || error.status() != Some(400) || !error.to_string().contains("`cursor`") {
            return error;
        }
        failed("use", &self.path, io::Error::other(error))
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.noted.as_ref().map(|note| &note.place)
    }

    /// What an earlier run had printed to `output` when it ended, and not noted any more.
    pub(super) fn surplus(&self, output: Option<Output>) -> Option<Surplus> {
        let (noted, now) = (self.noted.as_ref()?.output?, output?);
        let is_same = (noted.device, noted.inode) == (now.device, now.inode) && noted.size < now.size;
        // The shell opens files to be written only.
        let file = File::open("/proc/self/fd/1").ok().filter(|_| is_same)?;
        Some(Surplus { file, at: noted.size, end: now.size, held: Vec::new() })
    }

    /// Notes that everything up to `place` is printed. It is replaced as a whole: whoever is killed in between leaves
    /// the old note.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn note(&mut self, place: &Place, output: Option<Output>) -> Result<()> {
        let note = Note { place: place.clone(), output };
        if self.noted.as_ref() == Some(&note) {
            return Ok(());
        }
        let mut text = format!("{place}\n");
        if let Some(Output { device, inode, size }) = output {
            text += &format!("output {device} {inode} {size}\n");
        }
        replace(&self.path, text.as_bytes()).map_err(|error| failed("write", &self.path, error))?;
        self.noted = Some(note);
        Ok(())
    }
}

/// What the file holds, if it is there. A note is short: of what is longer enough is read to see that it is none.
fn read(path: &Path) -> io::Result<String> {
    const LARGEST: u64 = 1024;
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Ok(read) if read as u64 > LARGEST => Ok("no note".to_owned()),
        result => result.map(|_| String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn parse(text: &str) -> Option<Note> {
    let mut lines = text.lines();
    let place = lines.next()?.trim().parse().ok()?;
    let output = lines.next().and_then(|line| {
        let mut numbers = line.strip_prefix("output ")?.split(' ').map(|number| number.parse().ok());
        Some(Output { device: numbers.next()??, inode: numbers.next()??, size: numbers.next()?? })
    });
    Some(Note { place, output })
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let (path, new) = places(path);
    let write = || {
        let mut file = File::create(&new)?;
        if let Ok(old) = fs::metadata(&path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text)?;
        fs::rename(&new, &path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// The file itself, for a link is written through and not replaced, and the one that will take its place. That has one
/// name, so that who is killed in between leaves one behind and not many.
fn places(path: &Path) -> (PathBuf, PathBuf) {
    let linked = || Some(path.with_file_name(fs::read_link(path).ok()?));
    let path = fs::canonicalize(path).ok().or_else(linked).unwrap_or_else(|| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    (path, new)
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} the cursor file `{}`", path.display()), error)
}

/// What an earlier run may have printed after its last note, and what came so far and is the same. It is passed over
/// only if all of it comes again: else somebody else has written to the output, and lines begin alike.
#[derive(Debug)]
pub(super) struct Surplus {
    file: File,
    at: u64,
    end: u64,
    held: Vec<u8>,
}

/// How what came compares with what stands in the output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// So far it is the same.
    Same,
    /// With that many of the bytes everything that stands there has come.
    Passed(usize),
    /// It is something else; what was held back is to be printed.
    Other(Vec<u8>),
}

impl Surplus {
    pub(super) fn compare(&mut self, bytes: &[u8]) -> Comparison {
        let at = self.at + self.held.len() as u64;
        let length = bytes.len().min((self.end - at) as usize);
        let mut there = vec![0; length];
        if self.file.read_exact_at(&mut there, at).is_err() || there != bytes[..length] {
            return Comparison::Other(std::mem::take(&mut self.held));
        }
        if at + length as u64 == self.end {
            return Comparison::Passed(length);
        }
        self.held.extend_from_slice(bytes);
        Comparison::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        let output = Some(Output { device: 1, inode: 2, size: 3 });
        for (place, output) in [("abc.7", output), ("abc", None)] {
            let mut record = Record::open(path.clone()).unwrap();
            record.note(&place.parse().unwrap(), output).unwrap();
            let again = Record::open(path.clone()).unwrap();
            assert_eq!(again.noted, Some(Note { place: place.parse().unwrap(), output }));
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_record_is_refused_and_an_empty_one_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        fs::write(&path, "\n").unwrap();
        assert!(Record::open(path.clone()).unwrap().place().is_none());
        for text in [&b"not a cursor\n"[..], b"\xff\xfe", &[b'\n'; 2000], &[0; 2000]] {
            fs::write(&path, text).unwrap();
            let error = Record::open(path.clone()).unwrap_err().to_string();
            assert!(
                error.starts_with("cannot use the cursor file `") && error.ends_with("it holds no cursor"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_stands_there_is_passed_over_only_if_all_of_it_comes_again() {
        let surplus = || {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"old surplus").unwrap();
            Surplus { file, at: 4, end: 11, held: Vec::new() }
        };
        let mut same = surplus();
        assert_eq!((same.compare(b"sur"), same.compare(b"plus and more")), (Comparison::Same, Comparison::Passed(4)));
        let mut other = surplus();
        assert_eq!(other.compare(b"sur"), Comparison::Same);
        assert_eq!(other.compare(b"plain"), Comparison::Other(b"sur".to_vec()));
    }
}
