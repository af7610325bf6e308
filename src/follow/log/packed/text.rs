//! The text of a compressed file at any offset. It can only be unpacked from its start on, so what lies far ahead, or behind
//! what is remembered, takes time: that is spent in limited steps. A read that finds the reader's [`TurnBudget`] spent fails with
//! [`io::ErrorKind::WouldBlock`], and goes on from there when it is tried again.
//!
//! What is asked for again and again is remembered: the first kilobyte, the last bytes, and the few bytes before each of the
//! places that were asked for last. Otherwise two such questions in turn would unpack the file again and again.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::TurnBudget;
use super::format::ArchiveFormat;
use super::input::PackedInput;
use super::{Unpack, Unpacked, unpacker};

/// How many of the first bytes are remembered, and how many of the last or before a place; and of how many places.
const HEAD: usize = 1024;
const LAST: usize = 512;
const PLACES: usize = 8;
/// How many bytes before the place are remembered for readers that may go back a little.
const KEPT: usize = 16 * 1024;
/// How much is unpacked at a time.
const CHUNK: usize = 16 * 1024;
/// What a step costs besides the bytes that it unpacks: 1 µs.
const STEP: u64 = 512;

/// What is known of the text of a compressed file, and where it is unpacked.
#[derive(Debug)]
pub struct PackedText {
    format: ArchiveFormat,
    budget: Arc<TurnBudget>,
    head: Vec<u8>,
    /// The head is as long as it will be.
    has_head: bool,
    last: Vec<u8>,
    /// What stands before the places that were asked for, the last one last.
    asked: VecDeque<(u64, Vec<u8>)>,
    end: Option<TextEnd>,
    unpacking: Option<Unpacking>,
    kept: usize,
    /// What its reader had spent when it was unpacked last.
    spent: u64,
}

/// Where the text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextEnd {
    /// How long it is, in bytes.
    pub size: u64,
    /// The file is damaged there: more is missing.
    pub is_damaged: bool,
}

#[derive(Debug)]
struct Unpacking {
    unpacker: Box<dyn Unpack>,
    /// The last bytes that were unpacked.
    recent: Vec<u8>,
    /// Where they end.
    offset: u64,
    /// How many bytes of the file were taken, and how many of them are paid for.
    taken: Arc<AtomicU64>,
    paid: u64,
}

impl Unpacking {
    fn new(format: ArchiveFormat, file: &Arc<File>) -> Unpacking {
        let input = PackedInput::new(file.clone());
        let taken = input.taken();
        Unpacking { unpacker: unpacker(format, input), recent: Vec::new(), offset: 0, taken, paid: 0 }
    }

    /// What a step has cost that has yielded so many bytes.
    fn cost(&mut self, format: ArchiveFormat, read: u64) -> u64 {
        let taken = self.taken.load(Ordering::Relaxed);
        let empty = (taken - self.paid).saturating_sub(read);
        self.paid = taken;
        match format {
            // It is slow, and reads far ahead of what it yields.
            ArchiveFormat::Xz => STEP + 4 * read + empty,
            // The file may have tables of codes that are never used.
            _ => STEP + read + 8 * empty,
        }
    }

    fn start(&self) -> u64 {
        self.offset - self.recent.len() as u64
    }
}

impl PackedText {
    /// The text of a file of that format, nothing of which is known, or only its head.
    pub fn new(format: ArchiveFormat, head: Option<&[u8]>, budget: Arc<TurnBudget>) -> PackedText {
        PackedText {
            format,
            budget,
            has_head: head.is_some(),
            head: head.unwrap_or_default().to_vec(),
            last: Vec::new(),
            asked: VecDeque::new(),
            end: None,
            unpacking: None,
            kept: KEPT,
            spent: 0,
        }
    }

    /// The first bytes, if they are known: a kilobyte, or the whole text.
    pub fn head(&self) -> Option<&[u8]> {
        self.has_head.then_some(&self.head[..])
    }

    /// Where the text ends, if that is known.
    pub fn end(&self) -> Option<TextEnd> {
        self.end
    }

    /// This many bytes before the place are remembered from now on, if these are more.
    pub fn keep(&mut self, bytes: usize) {
        self.kept = self.kept.max(bytes);
    }

    /// Gives back the memory that unpacking takes. It begins anew when it is needed.
    pub fn rest(&mut self) {
        (self.unpacking, self.kept) = (None, KEPT);
    }

    /// If it takes memory to unpack it: what its reader had spent when it was unpacked last.
    pub fn unpacked_at(&self) -> Option<u64> {
        self.unpacking.as_ref().map(|_| self.spent)
    }

    /// Reads the text from `offset` on, out of `file`. Fewer bytes than asked for do not mean that it ends; none do.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when more has to be unpacked first: ask again. An error of the system when the file cannot
    /// be read.
    pub fn read_at(&mut self, file: &Arc<File>, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let (mut filled, mut has_unpacked) = (0, false);
        while filled < buffer.len() {
            let at = offset + filled as u64;
            if let Some(bytes) = self.remembered(at) {
                let more = bytes.len().min(buffer.len() - filled);
                buffer[filled..filled + more].copy_from_slice(&bytes[..more]);
                filled += more;
                continue;
            }
            if self.end.is_some_and(|end| end.size <= at) {
                break;
            }
            if self.budget.is_spent() && filled > 0 {
                break;
            }
            match self.step(file, at) {
                Ok(()) => has_unpacked = true,
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            }
        }
        if has_unpacked && buffer.len() <= LAST {
            if self.asked.len() == PLACES {
                self.asked.pop_front();
            }
            self.asked.push_back((offset, buffer[..filled].to_vec()));
        }
        Ok(filled)
    }

    /// Finds the end of the text.
    ///
    /// # Errors
    /// As for [`PackedText::read_at`].
    pub fn find_end(&mut self, file: &Arc<File>) -> io::Result<TextEnd> {
        loop {
            match self.end {
                Some(end) => return Ok(end),
                None => self.step(file, u64::MAX)?,
            }
        }
    }

    /// The bytes from there on, as far as they are remembered.
    fn remembered(&self, at: u64) -> Option<&[u8]> {
        let recent = self.unpacking.as_ref().map(|unpacking| (unpacking.start(), &unpacking.recent));
        let last = self.end.map(|end| (end.size - self.last.len() as u64, &self.last));
        let head = self.has_head.then_some((0, &self.head));
        let asked = self.asked.iter().map(|(start, bytes)| (*start, bytes));
        let known = [head, recent, last].into_iter().flatten().chain(asked);
        let mut found = known.filter_map(|(start, bytes)| {
            let from = usize::try_from(at.checked_sub(start)?).ok()?;
            bytes.get(from..).filter(|bytes| !bytes.is_empty())
        });
        found.next()
    }

    /// Unpacks a little more on the way to a place.
    fn step(&mut self, file: &Arc<File>, place: u64) -> io::Result<()> {
        if self.budget.is_spent() {
            self.budget.renew();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.unpacking.as_ref().is_none_or(|unpacking| unpacking.start() > place) {
            if !self.has_head {
                self.head.clear();
            }
            self.unpacking = None;
        }
        let unpacking = self.unpacking.get_or_insert_with(|| Unpacking::new(self.format, file));
        let Unpacking { unpacker, recent, offset, .. } = unpacking;
        if recent.len() > self.kept {
            recent.drain(..recent.len() - self.kept);
        }
        let known = recent.len();
        recent.resize(known + CHUNK, 0);
        let unpacked = unpacker.unpack(&mut recent[known..]);
        let read = if let Ok(Unpacked::Bytes(read)) = unpacked { read } else { 0 };
        recent.truncate(known + read);
        if !self.has_head && *offset <= HEAD as u64 {
            let more = read.min(HEAD - self.head.len());
            self.head.extend_from_slice(&recent[known..known + more]);
            self.has_head = self.head.len() == HEAD;
        }
        *offset += read as u64;
        let extra = match unpacked {
            Ok(Unpacked::Prepared(cost)) => cost,
            _ => 0,
        };
        self.spent = self.budget.spend(unpacking.cost(self.format, read as u64) + extra);
        let Unpacking { recent, offset, .. } = unpacking;
        let end = match unpacked {
            Ok(Unpacked::Bytes(_) | Unpacked::Nothing | Unpacked::Prepared(_)) => return Ok(()),
            Ok(Unpacked::End) => TextEnd { size: *offset, is_damaged: false },
            Err(error) if error.raw_os_error().is_some() => {
                self.unpacking = None;
                return Err(error);
            }
            Err(_) => TextEnd { size: *offset, is_damaged: true },
        };
        self.last = recent[recent.len().saturating_sub(LAST)..].to_vec();
        (self.end, self.has_head) = (Some(end), true);
        Ok(())
    }
}
