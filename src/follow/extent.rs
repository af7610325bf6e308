//! A run of a file's bytes that the kernel moves to a socket, so that they are not read here.
//! They can be checked only after they were moved, so the last of them are kept back until then.

use std::fs::File;
use std::io;

use super::evidence;
use super::position::BEFORE;

/// The bytes from one place to another, and what stood before both.
#[derive(Debug)]
pub struct Extent {
    next: u64,
    end: u64,
    start: u64,
    before: Vec<u8>,
    last: Vec<u8>,
}

impl Extent {
    /// The bytes of `file` from `start`, before which stands `before`, up to `end`. `None` when it does not stand there
    /// any more.
    pub(super) fn of(file: &File, before: Vec<u8>, start: u64, end: u64) -> io::Result<Option<Extent>> {
        let last = evidence::before(file, end)?;
        let is_there = last.len() == BEFORE && evidence::before(file, start)? == before;
        Ok(is_there.then_some(Extent { next: start, end: end - BEFORE as u64, start, before, last }))
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

    /// The bytes that come after those that are moved, if `file` still holds what it held: then what was moved was it.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn finish(self, file: &File) -> io::Result<Vec<u8>> {
        let end = self.end + BEFORE as u64;
        let is_same = evidence::before(file, self.start)? == self.before && evidence::before(file, end)? == self.last;
        if is_same { Ok(self.last) } else { Err(io::Error::other("the log was changed while it was sent")) }
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

    pub(crate) fn file(length: usize) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes(length), 0).unwrap();
        file
    }

    pub(crate) fn extent(file: &File, start: u64, end: u64) -> Extent {
        let before = evidence::before(file, start).unwrap();
        Extent::of(file, before, start, end).unwrap().expect("it is there")
    }

    #[test]
    fn the_last_bytes_are_kept_back_until_the_others_were_moved() {
        let file = file(10_000);
        let mut extent = extent(&file, 1000, 9000);
        assert_eq!((extent.length(), extent.left()), (8000, (1000, 7488)));
        extent.advance(7488);
        assert_eq!(extent.left(), (8488, 0));
        assert_eq!(extent.finish(&file).unwrap(), bytes(9000)[8488..]);
    }

    #[test]
    fn a_place_that_is_not_there_any_more_has_none() {
        let file = file(10_000);
        let before = evidence::before(&file, 1000).unwrap();
        assert!(Extent::of(&file, before.clone(), 1001, 9000).unwrap().is_none());
        assert!(Extent::of(&file, before, 1000, 11_000).unwrap().is_none());
    }
}
