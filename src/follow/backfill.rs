//! Where the last N lines of a file begin, read backwards in blocks: neither time nor memory depends on its size.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memrchr_iter;

use crate::protocol::request::Lines;

/// How much one step reads.
pub const BLOCK: usize = 64 * 1024;

/// A search that goes on block by block, so that its caller can do other things in between.
#[derive(Debug)]
pub struct Backfill {
    /// Newlines still to be passed before the first line asked for begins.
    newlines: u64,
    /// Everything from here on was searched.
    searched: u64,
    size: u64,
}

impl Backfill {
    /// A search in the first `size` bytes of a file.
    pub fn new(lines: Lines, size: u64) -> Backfill {
        let (newlines, searched) = match lines {
            Lines::All => (0, 0),
            Lines::Last(lines) => (lines, size),
        };
        Backfill { newlines, searched, size }
    }

    /// Searches one block more; the offset of the first line asked for, once it is found.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&mut self, file: &File) -> io::Result<Option<u64>> {
        if self.newlines == 0 || self.searched == 0 {
            return Ok(Some(self.searched));
        }
        let start = self.searched.saturating_sub(BLOCK as u64);
        let mut block = vec![0; (self.searched - start) as usize];
        match file.read_exact_at(&mut block, start) {
            // The file has shrunk below what was its size: the follower will notice; here its start is as good a place.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(0)),
            result => result?,
        }
        // The newline at the very end closes the last line, it does not begin another.
        let last = self.size - 1;
        for newline in memrchr_iter(b'\n', &block).map(|at| start + at as u64).filter(|&at| at != last) {
            self.newlines -= 1;
            if self.newlines == 0 {
                return Ok(Some(newline + 1));
            }
        }
        self.searched = start;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn start(text: &[u8], lines: Lines) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut backfill = Backfill::new(lines, text.len() as u64);
        loop {
            if let Some(start) = backfill.step(&file).unwrap() {
                return start;
            }
        }
    }

    #[test]
    fn the_last_lines_begin_where_they_should() {
        let cases: [(&[u8], u64, u64); 9] = [
            (b"a\nb\nc\n", 2, 2),
            (b"a\nb\nc", 2, 2),
            (b"a\nb\nc", 1, 4),
            (b"a\nb\nc\n", 0, 6),
            (b"a\nb\nc\n", 3, 0),
            (b"a\nb\nc\n", 99, 0),
            (b"", 5, 0),
            (b"\n\n\n", 2, 1),
            (b"one", 1, 0),
        ];
        for (text, lines, expected) in cases {
            assert_eq!(start(text, Lines::Last(lines)), expected, "{text:?} {lines}");
        }
        assert_eq!(start(b"a\nb\n", Lines::All), 0);
    }

    #[test]
    fn blocks_make_no_difference() {
        let line = "x".repeat(999) + "\n";
        let text = line.repeat(500);
        for lines in [1, 65, 66, 67, 131, 132, 499, 500] {
            assert_eq!(start(text.as_bytes(), Lines::Last(lines)), (500 - lines) * 1000);
        }
    }
}
