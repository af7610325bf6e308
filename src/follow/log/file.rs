//! A file of a log as the bytes that were written to the log. It may have been compressed since: then they are unpacked
//! when they are read, and offsets are those of the unpacked bytes.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::packed::format::{ArchiveFormat, SIGNATURE};
use super::packed::text::{PackedText, TextEnd};
use super::status::Status;

/// An open file, plain or compressed.
#[derive(Clone, Debug)]
pub struct File {
    raw: Arc<std::fs::File>,
    /// How it is compressed, if it is.
    format: Option<ArchiveFormat>,
    /// What is known of the text of a compressed file that can be read. Shared by all who read it in turn, so that what one of
    /// them has unpacked need not be unpacked again.
    text: Option<Arc<Mutex<PackedText>>>,
}

/// What a compressed file's status says of its size: the text may have any.
pub(in crate::follow) const UNKNOWN_SIZE: u64 = i64::MAX as u64;

impl From<std::fs::File> for File {
    /// The file as it is.
    fn from(raw: std::fs::File) -> File {
        File { raw: Arc::new(raw), format: None, text: None }
    }
}

impl File {
    /// A compressed file, and its text if this program can read it.
    pub(in crate::follow) fn compressed(
        raw: std::fs::File,
        format: ArchiveFormat,
        text: Option<Arc<Mutex<PackedText>>>,
    ) -> File {
        File { raw: Arc::new(raw), format: Some(format), text }
    }

    /// How a file is compressed, if it is.
    pub(in crate::follow) fn format_of(raw: &std::fs::File) -> io::Result<Option<ArchiveFormat>> {
        let (start, length) = signature(raw)?;
        Ok(ArchiveFormat::of(&start[..length]))
    }

    /// When the log was last written to, as far as the file shows, in nanoseconds since the epoch: of a compressed file what
    /// its header says, if that is earlier than its modification time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_write(&self) -> io::Result<i64> {
        let written = Status::of(&self.raw)?.written;
        let Some(format) = self.format else { return Ok(written) };
        let (start, length) = signature(&self.raw)?;
        let said = format.written(&start[..length]).map(|seconds| i64::from(seconds) * 1_000_000_000);
        Ok(said.map_or(written, |said| said.min(written)))
    }

    /// The file itself.
    pub fn raw(&self) -> &std::fs::File {
        &self.raw
    }

    /// The same file, without unpacking it.
    pub fn as_it_is(&self) -> File {
        File { raw: self.raw.clone(), format: None, text: None }
    }

    /// Whether it is compressed, and is unpacked when it is read.
    pub fn is_compressed(&self) -> bool {
        self.text.is_some()
    }

    /// Whether it is compressed in a format that this program cannot read. Then it is read as it is.
    pub fn is_unreadable(&self) -> bool {
        self.format.is_some() && self.text.is_none()
    }

    /// How it is compressed, if it is.
    pub fn format(&self) -> Option<ArchiveFormat> {
        self.format
    }

    /// Reads from `offset` on. Fewer bytes than asked for do not mean that the file ends; none do.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when more has to be unpacked first: ask again. Any other when the file cannot be read.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.text() {
            None => self.raw.read_at(buffer, offset),
            Some(mut text) => text.read_at(&self.raw, buffer, offset),
        }
    }

    /// What the file system says of it. The size of a compressed file is not that of its text, and is left open: it is as
    /// large as can be.
    pub(in crate::follow) fn status(&self) -> io::Result<Status> {
        let status = Status::of(&self.raw)?;
        let size = if self.is_compressed() { UNKNOWN_SIZE } else { status.size };
        Ok(Status { size, ..status })
    }

    /// How many bytes there are.
    ///
    /// # Errors
    /// As for [`File::read_at`].
    pub fn size(&self) -> io::Result<u64> {
        match self.text() {
            None => Ok(Status::of(&self.raw)?.size),
            Some(mut text) => text.find_end(&self.raw).map(|end| end.size),
        }
    }

    /// Where the text of a compressed file ends, if it was unpacked up to there.
    pub(in crate::follow) fn known_end(&self) -> Option<TextEnd> {
        self.text()?.end()
    }

    /// A reader of a compressed file may go back so many bytes at no cost.
    pub(in crate::follow) fn keep(&self, bytes: usize) {
        if let Some(mut text) = self.text() {
            text.keep(bytes);
        }
    }

    /// Nothing reads it for now: gives back the memory that unpacking takes.
    pub(in crate::follow) fn rest(&self) {
        if let Some(mut text) = self.text() {
            text.rest();
        }
    }

    /// Whether this is what is known of its text.
    pub(in crate::follow) fn is_of(&self, text: &Arc<Mutex<PackedText>>) -> bool {
        self.text.as_ref().is_some_and(|own| Arc::ptr_eq(own, text))
    }

    fn text(&self) -> Option<MutexGuard<'_, PackedText>> {
        Some(self.text.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first bytes of a file, and how many there are.
fn signature(raw: &std::fs::File) -> io::Result<([u8; SIGNATURE], usize)> {
    let mut start = [0; SIGNATURE];
    let mut length = 0;
    while length < SIGNATURE {
        match raw.read_at(&mut start[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((start, length))
}
