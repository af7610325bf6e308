//! The cursor file: how far a log was read, and how large the output was by then. `locked` locks and replaces the file.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use wstail::file_id::FileId;
use wstail::protocol::criteria::{Case, Context, SEPARATOR};
use wstail::protocol::cursor::Place;
use wstail::text::sanitize::escape;
use wstail::{Criteria, Error, Result};

use super::locked::{LockedFile, Unusable};

/// What is recorded, and where: `PLACE` on the first line, then `output DEVICE INODE SIZE` if the output is a file, then
/// `filter FINGERPRINT` if there is a filter.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    file: LockedFile,
    /// The filter of this run, and of the place.
    filter: Option<String>,
    noted: Option<Note>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    place: Place,
    output: Option<OutputFile>,
}

/// A file that is written to, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutputFile {
    id: FileId,
    size: u64,
}

impl OutputFile {
    /// `None` if the output is a pipe or a terminal, or the system does not say which file it is.
    pub(super) fn of(metadata: &Metadata) -> Option<OutputFile> {
        let output = FileId::of(metadata).map(|id| OutputFile { id, size: metadata.len() });
        output.filter(|_| metadata.is_file())
    }
}

impl Record {
    /// Reads the record of an earlier run. A missing or empty file has none. `filter` is the fingerprint of this run's
    /// filter.
    ///
    /// # Errors
    /// If the file cannot be read or replaced, contains something else, or is in use by another process. A usage error if
    /// the earlier run had another filter: lines would be missing that this one selects.
    pub(super) fn open(path: PathBuf, filter: Option<String>) -> Result<Record> {
        if path.file_name().is_none() {
            return Err(Error::usage("--cursor-file needs the name of a file (see `wstail tail --help`)"));
        }
        let file = LockedFile::open(&path).map_err(|unusable| match unusable {
            Unusable::InUse => Error::failed(format!("cursor file {} is in use", escape(&path.to_string_lossy()))),
            Unusable::Io(error) => failed("write", &path, error),
        })?;
        let text = read(&file).map_err(|error| failed("read", &path, error))?;
        let noted = match text.trim() {
            "" => None,
            text => {
                let (note, noted) =
                    parse(text).ok_or_else(|| failed("use", &path, io::Error::other("it contains no cursor")))?;
                if noted != filter {
                    let name = escape(&path.to_string_lossy());
                    return Err(Error::usage(format!("cannot use `{name}`: the cursor file is of another filter")));
                }
                Some(note)
            }
        };
        Ok(Record { path, file, filter, noted })
    }

    /// Adds the file's name to the error of a server that rejected the cursor.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.noted.is_none() || error.status() != Some(400) || !error.to_string().contains("`cursor`") {
            return error;
        }
        failed("use", &self.path, io::Error::other(error))
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.noted.as_ref().map(|note| &note.place)
    }

    /// What an earlier run printed to `output` after its last record.
    pub(super) fn surplus(&self, output: Option<OutputFile>) -> Option<Surplus> {
        let (noted, now) = (self.noted.as_ref()?.output?, output?);
        let is_same = noted.id == now.id && noted.size < now.size;
        // The shell opens the file for writing only, so open it again for reading.
        let file = File::open("/proc/self/fd/1").ok().filter(|_| is_same)?;
        Some(Surplus { file, at: noted.size, end: now.size, same: 0 })
    }

    /// Records that everything up to `place` is printed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn note(&mut self, place: &Place, output: Option<OutputFile>) -> Result<()> {
        let note = Note { place: place.clone(), output };
        if self.noted.as_ref() == Some(&note) {
            return Ok(());
        }
        let mut text = format!("{place}\n");
        if let Some(OutputFile { id: FileId { device, inode }, size }) = output {
            text += &format!("output {device} {inode} {size}\n");
        }
        if let Some(filter) = &self.filter {
            text += &format!("filter {filter}\n");
        }
        self.file.replace(text.as_bytes()).map_err(|error| failed("write", &self.path, error))?;
        self.noted = Some(note);
        Ok(())
    }
}

/// Reads the record. A record is at most 1024 bytes long: anything longer is something else.
fn read(file: &LockedFile) -> io::Result<String> {
    let bytes = file.read(1024)?;
    Ok(bytes.map_or("no note".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The note, and the filter's fingerprint.
fn parse(text: &str) -> Option<(Note, Option<String>)> {
    let place = text.lines().next()?.trim().parse().ok()?;
    let find = |name: &str| text.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let output = find("output").and_then(|line| {
        let mut numbers = line.split(' ').map(|number| number.parse().ok());
        let id = FileId { device: numbers.next()??, inode: numbers.next()?? };
        Some(OutputFile { id, size: numbers.next()?? })
    });
    Some((Note { place, output }, find("filter").map(str::to_owned)))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} the cursor file `{}`", path.display()), error)
}

/// What an earlier run may have printed after its last record, compared with what is received now. It is skipped only
/// if all of it is received again. Otherwise something else wrote to the output, and only the beginnings are equal.
#[derive(Debug)]
pub(super) struct Surplus {
    file: File,
    at: u64,
    end: u64,
    /// How many bytes of it have been received again.
    same: u64,
}

/// How the received bytes compare with the output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Equal so far.
    Same,
    /// Equal up to the end of the output: this many of the bytes are printed already.
    Passed(usize),
    /// Different: what was equal so far must be printed all the same.
    Other,
}

impl Surplus {
    pub(super) fn compare(&mut self, bytes: &[u8]) -> Comparison {
        let is_first = self.same == 0;
        match self.compare_next(bytes) {
            // A separator before the first group does not come again.
            Comparison::Other if is_first && self.is_next(SEPARATOR) => {
                self.at += SEPARATOR.len() as u64;
                self.compare_next(bytes)
            }
            comparison => comparison,
        }
    }

    fn is_next(&self, bytes: &[u8]) -> bool {
        let mut next = vec![0; bytes.len()];
        let fits = self.at + bytes.len() as u64 <= self.end;
        fits && self.read(&mut next, self.at).is_ok() && next == bytes
    }

    fn read(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(buffer)
    }

    fn compare_next(&mut self, bytes: &[u8]) -> Comparison {
        let at = self.at + self.same;
        let length = bytes.len().min((self.end - at) as usize);
        let mut there = vec![0; length];
        if self.read(&mut there, at).is_err() || there != bytes[..length] {
            return Comparison::Other;
        }
        self.same += length as u64;
        if at + length as u64 == self.end { Comparison::Passed(length) } else { Comparison::Same }
    }

    /// How many received bytes equal the output.
    pub(super) fn same(&self) -> u64 {
        self.same
    }

    /// The received bytes that equal the output, in pieces.
    pub(super) fn pieces(&self) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        const PIECE: u64 = 64 * 1024;
        (0..self.same).step_by(PIECE as usize).map(|start| {
            let mut piece = vec![0; PIECE.min(self.same - start) as usize];
            self.read(&mut piece, self.at + start).map(|()| piece)
        })
    }
}

/// Tells filters apart in a cursor file: two that select the same lines for the same reason have the same, in every
/// version and on every machine. `None` if all lines are selected. `max` is left out: it says how many lines to send, and
/// not which.
pub(super) fn fingerprint(criteria: &Criteria) -> Option<String> {
    let mut criteria = criteria.clone();
    for patterns in [&mut criteria.grep, &mut criteria.exclude] {
        patterns.sort();
        patterns.dedup();
    }
    criteria.match_all &= criteria.grep.len() > 1;
    criteria.max = None;
    if !criteria.has_context() {
        criteria.context = Context::default();
    }
    if criteria.grep.is_empty() && criteria.exclude.is_empty() {
        (criteria.fixed, criteria.case) = (false, Case::default());
    }
    if criteria.is_everything() {
        return None;
    }
    // Its text as a request has it, which is the same in every version because servers understand it.
    let text = criteria.to_string();
    Some(format!("{:08x}", crc32fast::hash(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use wstail::client::Url;

    use super::*;

    #[test]
    fn what_is_noted_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        let output = Some(OutputFile { id: FileId { device: 1, inode: 2 }, size: 3 });
        let filter = Some("0123abcd".to_owned());
        for (place, output, filter) in
            [("abc.7", output, None), ("abc", None, None), ("abc.7", output, filter.clone()), ("abc", None, filter)]
        {
            let mut record = Record::open(path.clone(), filter.clone()).unwrap();
            record.note(&place.parse().unwrap(), output).unwrap();
            drop(record);
            let again = Record::open(path.clone(), filter).unwrap();
            assert_eq!(again.noted, Some(Note { place: place.parse().unwrap(), output }));
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn the_place_of_another_filter_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        let filter = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        for (noted, of_run, is_same) in [
            ("abc.7\n", "", true),
            ("abc.7\noutput 1 2 3\n", "", true),
            ("abc.7\noutput 1 2 3\nfilter 1\n", "1", true),
            ("abc.7\nfilter 1\n", "1", true),
            ("", "1", true),
            ("abc.7\noutput 1 2 3\n", "1", false),
            ("abc.7\noutput 1 2 3\nfilter 1\n", "2", false),
            ("abc.7\nfilter 1\n", "", false),
        ] {
            fs::write(&path, noted).unwrap();
            let opened = Record::open(path.clone(), filter(of_run));
            match opened {
                Ok(_) => assert!(is_same, "{noted:?} {of_run:?}"),
                Err(error) => {
                    let expected = format!("cannot use `{}`: the cursor file is of another filter", path.display());
                    assert!(!is_same && error.is_usage() && error.to_string() == expected, "{noted:?} {of_run:?}");
                }
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), noted);
        }
    }

    #[test]
    fn what_is_no_record_is_refused_and_an_empty_one_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        fs::write(&path, "\n").unwrap();
        assert!(Record::open(path.clone(), None).unwrap().place().is_none());
        for text in [&b"not a cursor\n"[..], b"\xff\xfe", &[b'\n'; 2000], &[0; 2000]] {
            fs::write(&path, text).unwrap();
            let error = Record::open(path.clone(), None).unwrap_err().to_string();
            assert!(
                error.starts_with("cannot use the cursor file `") && error.ends_with("it contains no cursor"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_stands_there_is_passed_over_only_if_all_of_it_comes_again() {
        let surplus_of = |text: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"old ").unwrap();
            file.write_all(text).unwrap();
            Surplus { file, at: 4, end: 4 + text.len() as u64, same: 0 }
        };
        let surplus = || surplus_of(b"surplus");
        let mut same = surplus();
        assert_eq!((same.compare(b"sur"), same.compare(b"plus and more")), (Comparison::Same, Comparison::Passed(4)));
        let mut other = surplus();
        assert_eq!(other.compare(b"sur"), Comparison::Same);
        assert_eq!(other.compare(b"plain"), Comparison::Other);
        let mut apart = surplus_of(b"--\nnew");
        assert_eq!((apart.compare(b"n"), apart.compare(b"ew\n")), (Comparison::Same, Comparison::Passed(2)));
        assert_eq!(surplus_of(b"--\n").compare(b"new"), Comparison::Passed(0));
        assert_eq!(surplus_of(b"--\nnew").compare(b"other"), Comparison::Other);
        let again: Vec<u8> = other.pieces().flat_map(Result::unwrap).collect();
        assert_eq!((again.as_slice(), other.same()), (&b"sur"[..], 3));
    }

    #[test]
    fn filters_with_the_same_meaning_have_the_same_fingerprint() {
        let of = |query: &str| fingerprint(&format!("h/a?{query}").parse::<Url>().unwrap().criteria().unwrap());
        for everything in ["", "max=5", "context=2", "fixed=1&ignore-case=0", "match=all"] {
            assert_eq!(of(everything), None, "{everything}");
        }
        // It is in files, so it must not change.
        assert_eq!(of("grep=a").unwrap(), "2f755bff");
        for same in ["grep=a&max=3", "grep=a&grep=a&match=all", "grep=%61", "grep=a&lines=5", "grep=a&context=0"] {
            assert_eq!(of(same), of("grep=a"), "{same}");
        }
        assert_eq!(of("grep=b&grep=a&exclude=d&exclude=c"), of("grep=a&grep=b&exclude=c&exclude=d"));
        assert_eq!(of("level=warn&context=3&fixed=1&ignore-case=1"), of("level=warn"));
        let different = ["grep=a", "grep=b", "grep=a&grep=b", "grep=a&grep=b&match=all", "exclude=a", "grep=a&fixed=1"]
            .into_iter()
            .chain(["grep=a&ignore-case=0", "grep=a&context=1", "grep=a&context=entry", "level=info", "level=warn"]);
        let mut found: Vec<_> = different.map(of).collect();
        let count = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count);
    }
}
