//! The bytes of a compressed file itself, read through a small buffer.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads a file from its start on. The descriptor is held, so it does not matter what becomes of the file's name.
#[derive(Debug)]
pub struct PackedInput {
    file: Arc<File>,
    /// Where the bytes after those in the buffer stand in the file.
    offset: u64,
    buffer: Box<[u8]>,
    /// What was read and not taken yet.
    at: usize,
    end: usize,
    /// How many bytes were taken.
    taken: Arc<AtomicU64>,
    /// How many bytes may still be read from the file in this turn. `None` if a turn does not end here.
    allowance: Option<usize>,
}

const BUFFER: usize = 8 * 1024;

impl PackedInput {
    /// Reads `file` from its start on.
    pub fn new(file: Arc<File>) -> PackedInput {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        PackedInput { file, offset: 0, buffer, at: 0, end: 0, taken: Arc::default(), allowance: None }
    }

    /// How many bytes were taken, also by those who have got the input since.
    pub fn taken(&self) -> Arc<AtomicU64> {
        self.taken.clone()
    }

    /// How many bytes were taken.
    #[cfg(feature = "xz")]
    pub fn position(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// After so many bytes more, or a few thousand above, reading fails with [`io::ErrorKind::WouldBlock`].
    #[cfg(feature = "gz")]
    pub fn allow(&mut self, bytes: usize) {
        self.allowance = Some(bytes);
    }
}

impl BufRead for PackedInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.end {
            if self.allowance == Some(0) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let read = match self.file.read_at(&mut self.buffer, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            self.offset += read as u64;
            (self.at, self.end) = (0, read);
            self.allowance = self.allowance.map(|bytes| bytes.saturating_sub(read));
            if read == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        let amount = amount.min(self.end - self.at);
        self.at += amount;
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
    }
}

impl Read for PackedInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.consume(read);
        Ok(read)
    }
}
