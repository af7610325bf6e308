//! A run of a file's bytes that the kernel moves to a socket (sendfile(2)), so that they are never read into this process.
//! The range holds its file: whatever the follower opens next, the bytes are moved out of the file they were found in.
//! It moves nothing itself and knows no socket.
//!
//! The file may be truncated or rewritten while its bytes are moved, and nothing shows that but reading them. So the last
//! bytes of the range are kept back, and are compared once all others are out: only if the file still holds what it held
//! before both ends of the range are they handed over. A frame of a file that has changed never becomes complete.

use std::io;
use std::sync::Arc;

use super::log::file::File;
use super::log::fingerprint;
use super::position::BEFORE;

/// The bytes from one place of a file to another, and what stood before both.
#[derive(Debug)]
pub struct FileRange {
    file: Arc<File>,
    next: u64,
    end: u64,
    start: u64,
    before: Vec<u8>,
    last: Vec<u8>,
}

impl FileRange {
    /// The bytes of `file` from `start`, before which stands `before`, up to `end`. `None` when it does not stand there
    /// any more.
    pub(super) fn of(file: &Arc<File>, before: Vec<u8>, start: u64, end: u64) -> io::Result<Option<FileRange>> {
        let last = fingerprint::before(file, end)?;
        let is_there = last.len() == BEFORE && fingerprint::before(file, start)? == before;
        Ok(is_there.then_some(FileRange {
            file: file.clone(),
            next: start,
            end: end - BEFORE as u64,
            start,
            before,
            last,
        }))
    }

    /// The file that holds the bytes.
    pub fn file(&self) -> &std::fs::File {
        self.file.raw()
    }

    /// Where the next byte to be moved stands, and how many there are.
    pub fn left(&self) -> (u64, usize) {
        (self.next, (self.end - self.next) as usize)
    }

    /// So many bytes were moved.
    pub fn advance(&mut self, moved: usize) {
        self.next += moved as u64;
    }

    /// How many bytes there are in all, those that are kept back included.
    pub fn length(&self) -> usize {
        (self.end - self.start) as usize + BEFORE
    }

    /// Those of the bytes that are kept back.
    pub(super) fn last(&self) -> &[u8] {
        &self.last
    }

    /// The bytes that come after those that are moved, if the file still holds what it held: then what was moved was it.
    /// `None` if the file holds something else by now.
    ///
    /// # Errors
    /// When the file cannot be read; asking again may succeed.
    pub fn finish(&self) -> io::Result<Option<&[u8]>> {
        let end = self.end + BEFORE as u64;
        let holds = |place, bytes: &[u8]| Ok::<_, io::Error>(fingerprint::before(&self.file, place)? == bytes);
        let is_same = holds(self.start, &self.before)? && holds(end, &self.last)?;
        Ok(is_same.then_some(&self.last))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    /// Bytes that differ from place to place.
    pub(crate) fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    pub(crate) fn file(length: usize) -> Arc<File> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes(length), 0).unwrap();
        Arc::new(file.into())
    }

    pub(crate) fn range(file: &Arc<File>, start: u64, end: u64) -> FileRange {
        let before = fingerprint::before(file, start).unwrap();
        FileRange::of(file, before, start, end).unwrap().expect("it is there")
    }

    #[test]
    fn the_last_bytes_are_kept_back_until_the_others_were_moved() {
        let file = file(10_000);
        let mut range = range(&file, 1000, 9000);
        assert_eq!((range.length(), range.left()), (8000, (1000, 7488)));
        range.advance(7488);
        assert_eq!(range.left(), (8488, 0));
        assert_eq!(range.finish().unwrap(), Some(&bytes(9000)[8488..]));
    }

    #[test]
    fn a_place_that_is_not_there_any_more_has_none() {
        let file = file(10_000);
        let before = fingerprint::before(&file, 1000).unwrap();
        assert!(FileRange::of(&file, before.clone(), 1001, 9000).unwrap().is_none());
        assert!(FileRange::of(&file, before, 1000, 11_000).unwrap().is_none());
    }
}
