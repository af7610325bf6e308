//! The file that is being read: where in it, and how its place is known again.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;

use rustix::fs::{self, SeekFrom};
use rustix::io::{Errno, preadv};

use super::evidence::{self, Status};
use super::extent::Extent;
use super::position::{BEFORE, HEAD, Position, Print};

#[derive(Debug)]
pub(super) struct Held {
    pub file: File,
    /// As it was when it was last looked at.
    pub status: Status,
    /// What was begun later comes after it.
    pub since: i64,
    pub offset: u64,
    head: Print,
    /// The bytes before `offset`, read again with every read: a file that was truncated and has grown beyond differs.
    before: Vec<u8>,
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Bytes(usize),
    End,
    /// The file no longer holds what was read of it.
    Changed,
}

/// What a file is, before it is gone to: what is copied and truncated after that will be noticed.
#[derive(Debug)]
pub(super) struct Glance {
    status: Status,
    head: Print,
}

impl Glance {
    pub(super) fn at(file: &File) -> io::Result<Glance> {
        Ok(Glance { status: Status::of(file)?, head: evidence::head(file, HEAD)? })
    }
}

/// What stands where the file is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nuls {
    /// No NUL at the file's start.
    None,
    /// NULs that were passed over; more may come.
    Passed,
    /// Nothing, so far.
    Silent,
    /// The first byte that is none.
    Before,
}

impl Held {
    /// A file at its start.
    pub(super) fn new(file: File) -> io::Result<Held> {
        let status = Status::of(&file)?;
        let head = evidence::head(&file, HEAD)?;
        Ok(Held { file, since: status.age().start, status, offset: 0, head, before: Vec::new() })
    }

    /// The file that the log's name leads to, at its start.
    pub(super) fn current(file: File) -> io::Result<Held> {
        let glance = Glance::at(&file)?;
        Ok(Held::glanced_at(file, glance))
    }

    /// The same, as it was at that glance; if it has changed since, the first read will tell.
    pub(super) fn glanced_at(file: File, glance: Glance) -> Held {
        let Glance { status, head } = glance;
        Held { file, since: status.written, status, offset: 0, head, before: Vec::new() }
    }

    /// The log's name leads to it: what comes after it will be begun after the last write that was seen. Its birth
    /// tells less, for a log that is copied and truncated is older than its copies.
    pub(super) fn note_current(&mut self) {
        self.since = self.status.written;
    }

    /// Goes to another place in the file; to its end where it is shorter by now.
    pub(super) fn seek(&mut self, offset: u64) -> io::Result<()> {
        let offset = offset.min(Status::of(&self.file)?.size);
        self.before = evidence::before(&self.file, offset)?;
        // It may shrink in between.
        self.offset = offset.saturating_sub(BEFORE as u64) + self.before.len() as u64;
        Ok(())
    }

    /// The same place in a copy; what it was known by is kept.
    pub(super) fn replace(&mut self, file: File) -> io::Result<File> {
        self.status = Status::of(&file)?;
        self.since = self.status.age().start;
        Ok(std::mem::replace(&mut self.file, file))
    }

    /// It was that large and written to then when a cursor was made.
    pub(super) fn note_was(&mut self, written: i64, size: u64) {
        (self.since, self.status.written, self.status.size) = (written, written, size);
    }

    /// Reads what comes next.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Found> {
        // Before the bytes: should the file be truncated in between, it is not the new head that is remembered.
        let head = if usize::from(self.head.length) < HEAD { evidence::head(&self.file, HEAD)? } else { self.head };
        if self.offset == 0 && evidence::head(&self.file, self.head.length.into())? != self.head {
            return Ok(Found::Changed);
        }
        let mut again = [0; BEFORE];
        let again = &mut again[..self.before.len()];
        let start = self.offset - again.len() as u64;
        let known = again.len();
        let read = preadv(&self.file, &mut [IoSliceMut::new(again), IoSliceMut::new(buffer)], start)?;
        let Some(new) = read.checked_sub(known).filter(|_| *again == self.before[..]) else {
            return Ok(Found::Changed);
        };
        if self.offset == 0 && evidence::head(&self.file, head.length.into())? != head {
            // It is truncated at this very moment: the next look will tell.
            return Err(io::ErrorKind::Interrupted.into());
        }
        if new == 0 {
            return Ok(Found::End);
        }
        self.remember(&buffer[..new]);
        (self.offset, self.head) = (self.offset + new as u64, head);
        Ok(Found::Bytes(new))
    }

    /// Goes beyond the next `length` bytes, which are to be moved from where they lie. `None` when there are fewer, or
    /// when they must be read so that the file will be known again.
    pub(super) fn extent(&mut self, length: u64) -> io::Result<Option<Extent>> {
        let is_known = usize::from(self.head.length) == HEAD && self.before.len() == BEFORE;
        let end = self.offset + length;
        if !is_known || length <= BEFORE as u64 || Status::of(&self.file)?.size < end {
            return Ok(None);
        }
        let extent = Extent::of(&self.file, self.before.clone(), self.offset, end)?;
        if let Some(extent) = &extent {
            extent.last().clone_into(&mut self.before);
            self.offset = end;
        }
        Ok(extent)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(BEFORE)..];
        let surplus = (self.before.len() + kept.len()).saturating_sub(BEFORE);
        self.before.drain(..surplus);
        self.before.extend_from_slice(kept);
    }

    /// Looks at the file; `None` when it has changed in such a way that the next read will tell.
    pub(super) fn look(&mut self) -> io::Result<Option<Status>> {
        let status = Status::of(&self.file)?;
        // What is noted here is how the file was while it still held what was read of it.
        if status.written != self.status.written && self.read(&mut [])? == Found::Changed {
            return Ok(None);
        }
        self.status = status.clone();
        Ok(Some(status))
    }

    /// Passes over as many bytes as there are, up to that many.
    pub(super) fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let from = self.offset;
        if Status::of(&self.file)?.size < from {
            // The next read will tell.
            return Ok(0);
        }
        self.seek(from.saturating_add(bytes))?;
        Ok(self.offset.saturating_sub(from))
    }

    /// Passes over a block of NULs at the file's start, or over the whole of a hole.
    // Seldom called, and it would take a page of every reader's stack.
    #[inline(never)]
    pub(super) fn pass_nuls(&mut self) -> io::Result<Nuls> {
        let mut block = [0; 4096];
        let read = self.file.read_at(&mut block, self.offset)?;
        match block[..read].iter().position(|&byte| byte != 0) {
            Some(0) if self.offset == 0 => Ok(Nuls::None),
            Some(nuls) => self.seek(self.offset + nuls as u64).map(|()| Nuls::Before),
            None if read == 0 => Ok(Nuls::Silent),
            None => {
                // Where the file system knows no holes all of a file is data.
                let end = Status::of(&self.file)?.size;
                let data = fs::seek(&self.file, SeekFrom::Data(self.offset));
                let data = data.unwrap_or_else(|errno| if errno == Errno::NXIO { end } else { 0 });
                self.seek(data.max(self.offset + read as u64)).map(|()| Nuls::Passed)
            }
        }
    }

    /// `is_fresh`: it is at the start of what was written after a truncation.
    pub(super) fn position(&self, is_fresh: bool) -> Position {
        Position {
            identity: self.status.identity,
            written: self.since,
            head: self.head,
            offset: self.offset,
            before: Print::of(&self.before),
            is_fresh,
        }
    }
}
