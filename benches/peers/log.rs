//! The logs: numbered lines of one length that bear the time at which they were written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

/// Bytes of a line with its newline.
pub const LINE: usize = 150;
/// Digits of a line's number and of its time.
pub const NUMBER: usize = 12;
pub const STAMP: usize = 16;

const TEXT: &str = "| INFO     | service.module:function:123 - took 12.3 ms and answered 200 to a request that ";
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since the first call.
pub fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// Where a line has its time.
pub fn stamp(line: &[u8]) -> &[u8] {
    &line[NUMBER + 1..NUMBER + 1 + STAMP]
}

/// A log and the number of its next line.
pub struct Log {
    file: File,
    next: u64,
}

impl Log {
    /// Creates a log with the lines 0 to `lines`, without the last.
    pub fn create(path: &Path, lines: u64) -> io::Result<Log> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut line = line();
        for number in 0..lines {
            fill(&mut line, number, 0);
            file.write_all(&line)?;
        }
        file.flush()?;
        Ok(Log { file: OpenOptions::new().append(true).open(path)?, next: lines })
    }

    /// The number of the line that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Appends `lines` lines with one write.
    pub fn append(&mut self, block: &mut Block) -> io::Result<()> {
        self.file.write_all(block.fill(self.next))?;
        self.next += block.lines();
        Ok(())
    }
}

/// What one write appends.
pub struct Block(Vec<u8>);

impl Block {
    pub fn new(lines: usize) -> Block {
        Block(line().repeat(lines))
    }

    pub fn lines(&self) -> u64 {
        (self.0.len() / LINE) as u64
    }

    /// The lines from `number` on.
    pub fn fill(&mut self, number: u64) -> &[u8] {
        let stamp = now();
        for (line, number) in self.0.chunks_exact_mut(LINE).zip(number..) {
            fill(line, number, stamp);
        }
        &self.0
    }
}

fn line() -> [u8; LINE] {
    let mut line = [b'.'; LINE];
    let text = NUMBER + 1 + STAMP + 1;
    line[text..text + TEXT.len()].copy_from_slice(TEXT.as_bytes());
    (line[NUMBER], line[text - 1], line[LINE - 1]) = (b' ', b' ', b'\n');
    line
}

fn fill(line: &mut [u8], number: u64, stamp: u64) {
    digits(&mut line[..NUMBER], number);
    digits(&mut line[NUMBER + 1..NUMBER + 1 + STAMP], stamp);
}

/// Writes a number with leading zeros.
pub fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
