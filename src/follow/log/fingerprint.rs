//! What the bytes of a file say: whether two files begin alike, and whether one holds what was read of another.

use std::io;

use super::file::File;
use crate::follow::position::{BEFORE, HEAD, Position, Print};

/// Fingerprints of a file's first bytes at several lengths, so that a shorter file can be compared with it when it is
/// gone: a copy that was made before the last lines were written is shorter than what was read.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::follow) struct HeadPrints([Option<Print>; LENGTHS.len()]);

const LENGTHS: [usize; 7] = [16, 32, 64, 128, 256, 512, HEAD];

impl HeadPrints {
    /// The fingerprints of `head`, the first bytes of a file.
    pub fn of(head: &[u8]) -> HeadPrints {
        HeadPrints(LENGTHS.map(|length| head.get(..length).map(Print::of)))
    }

    /// Whether `file` begins as that file did, as far as the longest fingerprint tells that fits into it. A file that is
    /// shorter than all of them tells nothing.
    pub fn begin(&self, file: &File) -> io::Result<bool> {
        let head = read_up_to(file, 0, HEAD)?;
        let fits = |print: &&Print| usize::from(print.length) <= head.len();
        let longest = self.0.iter().flatten().rfind(fits);
        Ok(longest.is_some_and(|print| Print::of(&head[..print.length.into()]) == *print))
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

/// Whether the file holds what was read up to `position`, and `beyond` bytes more. Of a compressed file the latter is not
/// asked: it would have to be unpacked further than it may be read.
pub(in crate::follow) fn holds(file: &File, position: &Position, beyond: u64) -> io::Result<bool> {
    let size = file.status()?.size;
    if size < position.offset.saturating_add(beyond) || head(file, position.head.length.into())? != position.head {
        return Ok(false);
    }
    let start = position.offset - u64::from(position.before.length);
    Ok(Print::of(&read_up_to(file, start, position.before.length.into())?) == position.before)
}

/// Whether all that `file` holds is also the beginning of `whole`. Only the head and the last bytes are compared.
pub(in crate::follow) fn is_prefix(file: &File, whole: &File) -> io::Result<bool> {
    let first = read_up_to(file, 0, HEAD)?;
    if first.is_empty() || first != read_up_to(whole, 0, first.len())? {
        return Ok(false);
    }
    // A compressed file is unpacked only if the two begin alike, and no further than the other one goes.
    let most = whole.status()?.size;
    if file.is_compressed() && !read_up_to(file, most, 1)?.is_empty() {
        return Ok(false);
    }
    let size = file.size()?;
    Ok(size <= most && before(file, size)? == before(whole, size)?)
}

/// The same where one of the two is compressed, and is not to be unpacked whole: only their first bytes are compared.
pub(in crate::follow) fn is_likely_prefix(file: &File, whole: &File) -> io::Result<bool> {
    const COMPARED: usize = 64 * 1024;
    let first = read_up_to(file, 0, HEAD)?;
    if first.is_empty() || first != read_up_to(whole, 0, first.len())? {
        return Ok(false);
    }
    let more = read_up_to(file, 0, COMPARED)?;
    Ok(more == read_up_to(whole, 0, more.len())?)
}

/// Whether one of the two begins with all that the other holds so far.
pub(in crate::follow) fn agree(one: &File, other: &File) -> io::Result<bool> {
    Ok(is_empty(one)? || is_empty(other)? || is_prefix(one, other)? || is_prefix(other, one)?)
}

/// Whether a file holds nothing.
pub(in crate::follow) fn is_empty(file: &File) -> io::Result<bool> {
    Ok(read_up_to(file, 0, 1)?.is_empty())
}

/// Whether the first bytes of two files are the same, so many of them.
pub(in crate::follow) fn begin_with(one: &File, other: &File, length: usize) -> io::Result<bool> {
    Ok(read_up_to(one, 0, length)? == read_up_to(other, 0, length)?)
}

/// Whether two files begin alike, as far as both go or the first kilobyte.
pub(in crate::follow) fn begin_alike(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (read_up_to(one, 0, HEAD)?, read_up_to(other, 0, HEAD)?);
    let length = one.len().min(other.len());
    Ok(one[..length] == other[..length])
}

/// The file's bytes from `start` on, at most `length`; fewer where it ends.
///
/// # Errors
/// As for [`File::read_at`].
pub(crate) fn read_up_to(file: &File, start: u64, length: usize) -> io::Result<Vec<u8>> {
    // What is unpacked before it has to be tried again is remembered.
    file.keep(length);
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

/// The same, to learn from it. Fewer bytes, too, if a compressed file yields no more for now.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn sample(file: &File, start: u64, length: usize) -> io::Result<Vec<u8>> {
    match read_up_to(file, start, length) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            // The next turn has begun.
            let mut bytes = vec![0; length];
            let read = file.read_at(&mut bytes, start).unwrap_or(0);
            bytes.truncate(read);
            Ok(bytes)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn file(text: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(text, 0).unwrap();
        file.into()
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
        let heads = HeadPrints::of(&(0..100).collect::<Vec<_>>());
        assert!(heads.begin(&file(&(0..70).collect::<Vec<_>>())).unwrap());
        assert!(heads.begin(&file(&(0..200).collect::<Vec<_>>())).unwrap());
        assert!(!heads.begin(&file(&(1..70).collect::<Vec<_>>())).unwrap());
        assert!(!heads.begin(&file(b"short")).unwrap(), "too short to tell");
    }
}
