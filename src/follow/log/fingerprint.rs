//! What the bytes of a file say: whether two files begin alike, and whether one holds what was read of another.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::status::Status;
use crate::follow::position::{BEFORE, HEAD, Position, Print};

/// Fingerprints of a file's first bytes at several lengths, so that a shorter file can be compared with it when it is
/// gone: a copy that was made before the last lines were written is shorter than what was read.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::follow) struct Heads([Option<Print>; LENGTHS.len()]);

const LENGTHS: [usize; 7] = [16, 32, 64, 128, 256, 512, HEAD];

impl Heads {
    /// The fingerprints of `head`, the first bytes of a file.
    pub fn of(head: &[u8]) -> Heads {
        Heads(LENGTHS.map(|length| head.get(..length).map(Print::of)))
    }

    /// Whether `file` begins as that file did, as far as the longest fingerprint tells that fits into it. A file that is
    /// shorter than all of them tells nothing.
    pub fn begin(&self, file: &File) -> io::Result<bool> {
        let size = Status::of(file)?.size;
        let fits = |print: &&Print| u64::from(print.length) <= size;
        match self.0.iter().flatten().rfind(fits) {
            Some(print) => Ok(head(file, print.length.into())? == *print),
            None => Ok(false),
        }
    }
}

/// The fingerprint of a file's first bytes, of at most `length`.
pub(in crate::follow) fn head(file: &File, length: usize) -> io::Result<Print> {
    Ok(Print::of(&read_up_to(file, 0, length)?))
}

/// The bytes before `offset` by which the place is recognized later.
pub(in crate::follow) fn before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let start = offset.saturating_sub(BEFORE as u64);
    read_up_to(file, start, (offset - start) as usize)
}

/// Whether the file holds what was read up to `position`, and `beyond` bytes more.
pub(in crate::follow) fn holds(file: &File, position: &Position, beyond: u64) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size < position.offset.saturating_add(beyond) || head(file, position.head.length.into())? != position.head {
        return Ok(false);
    }
    let start = position.offset - u64::from(position.before.length);
    Ok(Print::of(&read_up_to(file, start, position.before.length.into())?) == position.before)
}

/// Whether all that `file` holds is also the beginning of `whole`. Only the head and the last bytes are compared.
pub(in crate::follow) fn is_prefix(file: &File, whole: &File) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size == 0 || size > Status::of(whole)?.size {
        return Ok(false);
    }
    Ok(head(file, HEAD)? == head(whole, HEAD.min(size as usize))? && before(file, size)? == before(whole, size)?)
}

/// Whether one of the two begins with all that the other holds so far.
pub(in crate::follow) fn agree(one: &File, other: &File) -> io::Result<bool> {
    let sizes = [Status::of(one)?.size, Status::of(other)?.size];
    Ok(sizes.contains(&0) || is_prefix(one, other)? || is_prefix(other, one)?)
}

/// The file's bytes from `start` on, at most `length`; fewer where it ends.
pub(crate) fn read_up_to(file: &File, start: u64, length: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut read) = (vec![0; length], 0);
    while read < length {
        match file.read_at(&mut bytes[read..], start + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(text, 0).unwrap();
        file
    }

    #[test]
    fn prefixes_are_recognized_by_head_and_end() {
        let long = (0..9000).map(|at| (at % 251) as u8).collect::<Vec<_>>();
        let mut other = long.clone();
        other[4000] = 255;
        let whole = file(&long);
        for length in [1, 15, 700, HEAD, HEAD + 1, 4000, 9000] {
            assert!(is_prefix(&file(&long[..length]), &whole).unwrap(), "{length}");
            assert!(agree(&whole, &file(&long[..length])).unwrap(), "{length}");
        }
        assert!(!is_prefix(&file(b""), &whole).unwrap());
        assert!(!is_prefix(&file(&other[..4100]), &whole).unwrap());
        assert!(!is_prefix(&whole, &file(&long[..8000])).unwrap());
        assert!(agree(&file(b""), &whole).unwrap());
    }

    #[test]
    fn a_shorter_file_is_compared_with_a_head_that_is_gone() {
        let heads = Heads::of(&(0..100).collect::<Vec<_>>());
        assert!(heads.begin(&file(&(0..70).collect::<Vec<_>>())).unwrap());
        assert!(heads.begin(&file(&(0..200).collect::<Vec<_>>())).unwrap());
        assert!(!heads.begin(&file(&(1..70).collect::<Vec<_>>())).unwrap());
        assert!(!heads.begin(&file(b"short")).unwrap(), "too short to tell");
    }
}
