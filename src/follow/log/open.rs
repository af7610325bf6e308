//! The file that is being read: where in it, how the place is recognized, and which of its bytes are not data yet.

use std::io::{self, IoSliceMut};
use std::sync::Arc;

use memchr::memchr;
use rustix::fs::{self, SeekFrom};
use rustix::io::{Errno, preadv};

use super::file::File;
use super::fingerprint::{self, HeadPrints};
use super::status::Status;
use crate::follow::file_range::FileRange;
use crate::follow::position::{BEFORE, HEAD, Position, Print};

#[derive(Debug)]
pub(in crate::follow) struct OpenLog {
    /// Shared with the ranges of it that are on their way to a client.
    pub file: Arc<File>,
    /// As of the last check.
    pub status: Status,
    /// What came into being later comes after it. It is the file's change time when the log's name was last seen to lead to
    /// it; of a file that was never seen there, or has lost the name, when it came into being, as far as is known.
    pub since: i64,
    pub offset: u64,
    head: Print,
    heads: HeadPrints,
    /// The bytes before `offset`, read again with every read: a file that was truncated and has grown beyond differs.
    pub before: Vec<u8>,
    /// Nothing was read since the file was truncated, or it comes after other files and nothing was read of it: NULs at its
    /// start are a hole that a writer without `O_APPEND` left.
    pub is_fresh: bool,
    /// It was reported that the file is damaged.
    is_damage_reported: bool,
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::follow) enum Reading {
    Bytes(usize),
    End,
    /// There are only NULs, and they may not be data yet.
    Nuls,
    /// The file no longer holds what was read of it.
    Changed,
}

/// Which NULs are not taken for data. A file that is preallocated, or written to out of order (NFS, pwrite), holds NULs
/// where bytes will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::follow) enum Hold {
    /// None: every byte is data.
    Nothing,
    /// Those at the end of the file.
    Trailing,
    /// Those at the end and, from this offset on, those at the place and runs of 32 or more.
    From(u64),
}

/// What a file is before its siblings are listed: what is copied and truncated after that will be noticed.
#[derive(Clone, Debug)]
pub(in crate::follow) struct Glance {
    pub status: Status,
    head: Print,
    heads: HeadPrints,
}

impl Glance {
    pub fn at(file: &File) -> io::Result<Glance> {
        let status = file.status()?;
        let head = fingerprint::read_up_to(file, 0, HEAD)?;
        // All that is compressed is data.
        let head = if file.is_compressed() { head } else { cut_nuls(head) };
        Ok(Glance { status, head: Print::of(&head), heads: HeadPrints::of(&head) })
    }

    /// Whether there was anything by which the file can be recognized.
    pub fn is_recognizable(&self) -> bool {
        self.head.length > 0
    }

    /// Whether the file still begins as it did then.
    pub fn is_of(&self, file: &File) -> io::Result<bool> {
        Ok(fingerprint::head(file, self.head.length.into())? == self.head)
    }
}

/// What stands where a truncated file is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::follow) enum Hole {
    /// The file does not begin with NULs.
    None,
    /// NULs that were written, and may still be replaced.
    Doubtful,
    /// NULs that were passed over; more may follow.
    Passed,
    /// Nothing but NULs so far, or nothing at all.
    Open,
    /// The first byte behind the NULs.
    Before,
}

/// A file's first bytes, up to NULs that may not be data yet.
fn cut_nuls(mut head: Vec<u8>) -> Vec<u8> {
    head.truncate(held_nuls(&head, true).unwrap_or(head.len()));
    head.truncate(head.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
    head
}

/// Where the first NULs stand that may not be data yet: at the place that was reached, where they begin what a writer has
/// put behind the end, or a run of them. One NUL within a line is data.
fn held_nuls(bytes: &[u8], is_at_place: bool) -> Option<usize> {
    const RUN: usize = 32;
    if is_at_place && bytes.first() == Some(&0) {
        return Some(0);
    }
    let mut from = 0;
    while let Some(at) = memchr(0, &bytes[from..]) {
        let run = bytes[from + at..].iter().take_while(|&&byte| byte == 0).count();
        if run >= RUN {
            return Some(from + at);
        }
        from += at + run;
    }
    None
}

/// How much is searched for the first byte behind NULs.
const SEARCHED: u64 = 1 << 20;

impl OpenLog {
    /// A file at its start.
    pub fn new(file: impl Into<Arc<File>>) -> io::Result<OpenLog> {
        let file = file.into();
        let glance = Glance::at(&file)?;
        let since = glance.status.start();
        Ok(OpenLog { since, ..OpenLog::glanced_at(file, glance) })
    }

    /// The file that the log's name leads to, at its start.
    pub fn current(file: impl Into<Arc<File>>) -> io::Result<OpenLog> {
        let file = file.into();
        let glance = Glance::at(&file)?;
        Ok(OpenLog::glanced_at(file, glance))
    }

    /// The same, as it was at that glance; if it has changed since, the first read finds out.
    pub fn glanced_at(file: impl Into<Arc<File>>, glance: Glance) -> OpenLog {
        let Glance { status, head, heads } = glance;
        let file = file.into();
        let (since, before) = (status.changed, Vec::new());
        OpenLog { file, since, status, offset: 0, head, heads, before, is_fresh: false, is_damage_reported: false }
    }

    /// The log's name leads to this file: what comes after it will come into being after the last write that was seen.
    /// The file's creation tells less, for a log that is copied and truncated is older than its copies.
    pub fn note_current(&mut self) {
        self.since = self.status.changed;
    }

    /// Goes to another place in the file, or to its end where it is shorter by now.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        let mut offset = offset.min(self.file.status()?.size);
        let mut before = fingerprint::before(&self.file, offset)?;
        if let Some(end) = self.file.known_end().filter(|end| end.size < offset) {
            offset = end.size;
            before = fingerprint::before(&self.file, offset)?;
        }
        // It may shrink in between.
        self.offset = offset.saturating_sub(BEFORE as u64) + before.len() as u64;
        self.before = before;
        Ok(())
    }

    /// What the file was when it was last checked.
    pub fn glance(&self) -> Glance {
        Glance { status: self.status.clone(), head: self.head, heads: self.heads }
    }

    /// What the file is now, while nothing of it was read: should it be truncated before that, it begins differently.
    pub fn note(&mut self, glance: Glance) {
        if self.offset == 0 {
            (self.head, self.heads) = (glance.head, glance.heads);
        }
        self.status = glance.status;
    }

    /// What was just read is not taken for read: the file is as it was at that glance, when nothing of it was.
    pub fn unread(&mut self, glance: Glance) {
        self.offset = 0;
        self.before.clear();
        self.note(glance);
    }

    /// What was read was found again at `offset` of the changed file.
    pub fn find_again(&mut self, offset: u64) -> io::Result<()> {
        let Glance { status, head, heads } = Glance::at(&self.file)?;
        (self.status, self.head, self.heads) = (status, head, heads);
        self.seek(offset)
    }

    /// The same place in a copy; the fingerprints stay.
    pub fn replace(&mut self, file: Arc<File>) -> io::Result<()> {
        self.status = file.status()?;
        self.since = self.status.start();
        self.file = file;
        Ok(())
    }

    /// Takes the file's times and size for those it had when a cursor was made, so that the next check reads it again.
    pub fn note_was(&mut self, changed: i64, size: u64) {
        (self.since, self.status.written, self.status.changed, self.status.size) = (changed, changed, changed, size);
    }

    /// Reads what comes next.
    pub fn read(&mut self, buffer: &mut [u8], hold: Hold) -> io::Result<Reading> {
        if self.file.is_compressed() {
            return self.read_compressed(buffer);
        }
        // Before the bytes: should the file be truncated in between, it is not the new head that is remembered.
        let new_head = if usize::from(self.head.length) < HEAD {
            let head = fingerprint::read_up_to(&self.file, 0, HEAD)?;
            if (head.len() as u64) < self.offset.min(HEAD as u64) {
                return Ok(Reading::Changed);
            }
            let head = cut_nuls(head);
            Some((Print::of(&head), HeadPrints::of(&head)))
        } else {
            None
        };
        // A file that was truncated and begins differently may still hold the few bytes that were read.
        if self.offset < u64::from(self.head.length) && !self.begins_as_before()? {
            return Ok(Reading::Changed);
        }
        let mut again = [0; BEFORE];
        let again = &mut again[..self.before.len()];
        let start = self.offset - again.len() as u64;
        let known = again.len();
        let read = preadv(self.file.raw(), &mut [IoSliceMut::new(again), IoSliceMut::new(buffer)], start)?;
        let Some(new) = read.checked_sub(known).filter(|_| *again == self.before[..]) else {
            return Ok(Reading::Changed);
        };
        if let Some((head, _)) = new_head
            && self.offset == 0
            && fingerprint::head(&self.file, head.length.into())? != head
        {
            // It is truncated at this very moment: the next read finds out.
            return Err(io::ErrorKind::Interrupted.into());
        }
        if new == 0 {
            return Ok(Reading::End);
        }
        let data = self.data(&buffer[..new], hold);
        if data == 0 {
            return Ok(Reading::Nuls);
        }
        if let Some((head, heads)) = new_head {
            (self.head, self.heads) = (head, heads);
            if self.offset == 0 && head.length == 0 && buffer[0] != 0 {
                // The file was still empty when its head was read.
                let head = &buffer[..data.min(HEAD)];
                (self.head, self.heads) = (Print::of(head), HeadPrints::of(head));
            }
        }
        self.remember(&buffer[..data]);
        self.offset += data as u64;
        Ok(Reading::Bytes(data))
    }

    /// Whether the file was read up to where it is damaged, and this is still to be reported. Then it counts as reported.
    pub fn owes_damage(&mut self) -> bool {
        let is_damaged = self.file.known_end().is_some_and(|end| end.is_damaged && end.size <= self.offset);
        is_damaged && !std::mem::replace(&mut self.is_damage_reported, true)
    }

    /// Reads what comes next in a compressed file: nobody writes to it.
    fn read_compressed(&mut self, buffer: &mut [u8]) -> io::Result<Reading> {
        let read = self.file.read_at(buffer, self.offset)?;
        if read == 0 {
            return Ok(Reading::End);
        }
        self.remember(&buffer[..read]);
        self.offset += read as u64;
        Ok(Reading::Bytes(read))
    }

    /// How many of the bytes at `offset` are data.
    fn data(&self, bytes: &[u8], hold: Hold) -> usize {
        let from = match hold {
            Hold::Nothing => return bytes.len(),
            Hold::Trailing => bytes.len(),
            Hold::From(from) => (from.saturating_sub(self.offset)).min(bytes.len() as u64) as usize,
        };
        let first_held = held_nuls(&bytes[from..], from == 0).map_or(bytes.len(), |at| from + at);
        let trailing = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        first_held.min(bytes.len() - trailing)
    }

    /// Whether the file still begins as it did.
    pub fn begins_as_before(&self) -> io::Result<bool> {
        Ok(fingerprint::head(&self.file, self.head.length.into())? == self.head)
    }

    /// Whether all that the other file holds was read of this one, though this one may not hold it any more.
    pub fn has_read(&self, other: &File) -> io::Result<bool> {
        if self.offset == self.before.len() as u64 {
            // Everything that was read is remembered.
            return Ok(self.before.starts_with(&fingerprint::read_up_to(other, 0, self.before.len() + 1)?));
        }
        Ok(self.heads.begin(other)? && fingerprint::read_up_to(other, self.offset, 1)?.is_empty())
    }

    /// Where the first byte that is not NUL stands, if one follows within a megabyte of data.
    pub fn behind_nuls(&self) -> io::Result<Option<u64>> {
        let end = self.file.size()?;
        // Holes are skipped where the file system knows them.
        let mut at = match fs::seek(self.file.raw(), SeekFrom::Data(self.offset)) {
            Ok(data) => data.max(self.offset),
            Err(Errno::NXIO) => return Ok(None),
            Err(_) => self.offset,
        };
        let stop = end.min(at + SEARCHED);
        while at < stop {
            let block = fingerprint::read_up_to(&self.file, at, 64 * 1024)?;
            if let Some(found) = block.iter().position(|&byte| byte != 0) {
                return Ok(Some(at + found as u64));
            }
            if block.is_empty() {
                break;
            }
            at += block.len() as u64;
        }
        Ok(None)
    }

    /// Passes over the next `length` bytes, which are to be moved from where they lie. `None` when there are fewer, or
    /// when they must be read so that the file will be recognized.
    pub fn file_range(&mut self, length: u64) -> io::Result<Option<FileRange>> {
        let is_known = usize::from(self.head.length) == HEAD && self.before.len() == BEFORE;
        let end = self.offset + length;
        if !is_known || self.file.is_compressed() || length <= BEFORE as u64 || self.file.size()? < end {
            return Ok(None);
        }
        let range = FileRange::of(&self.file, self.before.clone(), self.offset, end)?;
        // A NUL at its end may stand for bytes to come.
        let range = range.filter(|range| range.last().last() != Some(&0));
        if let Some(range) = &range {
            range.last().clone_into(&mut self.before);
            self.offset = end;
        }
        Ok(range)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(BEFORE)..];
        let surplus = (self.before.len() + kept.len()).saturating_sub(BEFORE);
        self.before.drain(..surplus);
        self.before.extend_from_slice(kept);
    }

    /// Checks the file; `None` when it has changed in such a way that the next read will find out.
    pub fn check(&mut self) -> io::Result<Option<Status>> {
        let status = self.file.status()?;
        if self.is_empty() && status.changed != self.status.changed {
            // It may have been filled, copied and truncated.
            return Ok(None);
        }
        // What is noted here is how the file was while it still held what was read of it.
        if status.written != self.status.written && self.read(&mut [], Hold::Nothing)? == Reading::Changed {
            return Ok(None);
        }
        self.status = status.clone();
        Ok(Some(status))
    }

    /// Whether nothing was read, and there was nothing to read when it was last checked, or only NULs.
    pub fn is_empty(&self) -> bool {
        self.offset == 0 && self.head.length == 0
    }

    /// Passes over as many bytes as there are, up to that many.
    pub fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let from = self.offset;
        if self.file.status()?.size < from {
            // The next read finds out.
            return Ok(0);
        }
        self.seek(from.saturating_add(bytes))?;
        Ok(self.offset.saturating_sub(from))
    }

    /// Whether nothing was read yet, and the file begins with a NUL.
    pub fn begins_with_nul(&self) -> bool {
        let mut first = [1];
        self.offset == 0 && self.file.read_at(&mut first, 0).is_ok() && first == [0]
    }

    /// Whether the file begins with NULs that take space and other bytes follow: not a hole of the file system.
    fn begins_with_written_nuls(&self) -> io::Result<bool> {
        let mut first = [1];
        let is_nul = self.file.read_at(&mut first, 0)? == 1 && first == [0];
        Ok(is_nul && !matches!(fs::seek(self.file.raw(), SeekFrom::Data(0)), Ok(1..)) && self.behind_nuls()?.is_some())
    }

    /// Passes over a block of the hole at the start of a truncated file, once data follow it. NULs that were written are one
    /// if `is_hole` says so.
    // Seldom called, and it would take a page of every reader's stack.
    #[inline(never)]
    pub fn pass_hole(&mut self, is_hole: impl FnOnce() -> bool) -> io::Result<Hole> {
        if self.file.is_compressed() {
            return self.pass_packed_hole();
        }
        let mut first = [0];
        match self.file.read_at(&mut first, self.offset)? {
            0 => Ok(Hole::Open),
            _ if first != [0] && self.offset == 0 => Ok(Hole::None),
            _ if first != [0] => Ok(Hole::Before),
            _ if self.offset == 0 && self.begins_with_written_nuls()? && !is_hole() => Ok(Hole::Doubtful),
            _ => match self.behind_nuls()? {
                Some(data) => self.seek(data).map(|()| Hole::Passed),
                None => self.pass_data_block(),
            },
        }
    }

    /// The same in a compressed file. What is in it will not be replaced; but if nothing follows the NULs, they are data.
    fn pass_packed_hole(&mut self) -> io::Result<Hole> {
        let mut block = vec![0; 64 * 1024];
        let read = self.file.read_at(&mut block, self.offset)?;
        let nuls = block[..read].iter().take_while(|&&byte| byte == 0).count();
        match (read, nuls) {
            (0, _) => self.seek(0).map(|()| Hole::None),
            (_, 0) if self.offset == 0 => Ok(Hole::None),
            (_, 0) => Ok(Hole::Before),
            _ => {
                self.remember(&block[..nuls]);
                self.offset += nuls as u64;
                Ok(Hole::Passed)
            }
        }
    }

    /// Passes over NULs that were written, where more than a search's worth of them comes before the first byte.
    fn pass_data_block(&mut self) -> io::Result<Hole> {
        let last = self.file.size()?.saturating_sub(1);
        let mut byte = [0];
        if last < self.offset + SEARCHED || self.file.read_at(&mut byte, last)? == 0 || byte == [0] {
            return Ok(Hole::Open);
        }
        self.seek(self.offset + SEARCHED).map(|()| Hole::Passed)
    }

    pub fn position(&self) -> Position {
        Position {
            identity: self.status.identity,
            changed: self.since,
            head: self.head,
            offset: self.offset,
            before: Print::of(&self.before),
            is_fresh: self.is_fresh,
        }
    }
}
