//! Bytes that were read and not used. A reader that filters lines cannot judge a line before its end has arrived, and
//! lines that were judged may yet be context. It stores neither: what it did not use is read again together with what
//! follows, so that the file stays the only buffer.
//!
//! The open file is then read ahead of the *place*, which is where the unused bytes begin. Whether the file was truncated
//! is still decided by the bytes before the offset up to which it was read. Bytes that were seen before are no news: at
//! the end of the file its name is checked although there are unused bytes. Before the follower leaves a file, or ends,
//! it yields them once more, as the last.

use std::io;
use std::time::Instant;

use super::follower::{Follower, Phase, Step};
use super::log::file::File;
use super::log::fingerprint;
use super::log::open::{Hold, Reading};
use super::matching_lines::Judge;
use super::position::{BEFORE, Position, Print};
use super::unused::{Last, LastOf, Room, Unused};

impl Follower {
    /// From now on every byte that is yielded must be used with [`Follower::use_up`], or it comes again.
    pub fn expect_use(&mut self) {
        self.keeps_unused = true;
    }

    /// The last lines that come first are those that match. Call this before the first poll.
    pub fn count_matching(&mut self, judge: Box<dyn Judge>) {
        let counts_unfinished = self.end.is_some();
        if let Some(places) = &mut self.places {
            places.count_matching(judge);
            return;
        }
        match &mut self.phase {
            Phase::Backfilling(backfill) => backfill.count_matching(judge, counts_unfinished),
            Phase::Resuming(_) => self.judge = Some(judge),
            _ => {}
        }
    }

    /// While lines that match are searched for, a poll searches so many bytes from now on.
    pub fn pace_search(&mut self, block: usize) {
        if let Some(places) = &mut self.places {
            places.set_block(block);
        } else if let Phase::Backfilling(backfill) = &mut self.phase {
            backfill.set_block(block);
        }
    }

    /// These bytes, the next after the place, are used: the place is now after them.
    pub fn use_up(&mut self, bytes: &[u8]) {
        let Some(unused) = &mut self.unused else { return };
        unused.start += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(BEFORE)..];
        let surplus = (unused.before.len() + kept.len()).saturating_sub(BEFORE);
        unused.before.drain(..surplus);
        unused.before.extend_from_slice(kept);
        unused.ahead = unused.ahead.filter(|(offset, _)| *offset > unused.start);
        if unused.start >= self.open.offset && unused.last == Last::No {
            self.unused = None;
        }
    }

    /// Passes over bytes that are known to have no line that matches, if there are more than twice `kept`: all but the last
    /// `kept` of them. Returns how many.
    ///
    /// # Errors
    /// When the file cannot be read. The place is as before.
    pub fn pass_unmatched(&mut self, kept: u64) -> io::Result<u64> {
        let place = self.place();
        while self.unmatched.last().is_some_and(|unmatched| unmatched.end <= place) {
            self.unmatched.pop();
        }
        let is_ahead = |end: u64| place < end && end - place > 2 * kept;
        let Some(unmatched) =
            self.unmatched.last().filter(|unmatched| unmatched.start <= place && is_ahead(unmatched.end))
        else {
            return Ok(0);
        };
        let end = unmatched.end - kept;
        let (offset, before) = (self.open.offset, self.open.before.clone());
        // The file may have been truncated. Then the place must not be moved, or it would never be found out.
        let is_passed = self.open.read(&mut [], Hold::Nothing)? != Reading::Changed
            && self.open.seek(end).is_ok()
            && self.open.offset == end
            && matches!(self.open.begins_as_before(), Ok(true));
        if !is_passed {
            (self.open.offset, self.open.before) = (offset, before);
            self.unmatched.clear();
            return Ok(0);
        }
        self.unused = None;
        Ok(end - place)
    }

    /// What is left of the block that was yielded last comes again.
    pub fn yield_again(&mut self) {
        if let Some(unused) = &mut self.unused {
            unused.come_again();
        }
    }

    /// How many bytes come again.
    pub fn unused(&self) -> usize {
        self.unused.as_ref().map_or(0, |unused| self.open.offset.saturating_sub(unused.start) as usize)
    }

    /// Whether the next poll needs a buffer for all bytes that come again, and not only for news.
    pub fn wants_room(&self) -> bool {
        self.unused.as_ref().is_some_and(|unused| unused.wants_room)
    }

    /// The `length` bytes before the block that was yielded last, or fewer at the start of the file. `None` if the file was
    /// changed since: the block must not be used, and the next poll finds out.
    ///
    /// # Errors
    /// When the file cannot be read; the block comes again.
    pub fn bytes_before(&mut self, length: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(unused) = &mut self.unused else { return Ok(None) };
        let (seen, last) = (unused.seen, unused.last);
        unused.come_again();
        let start = unused.start.saturating_sub(length as u64);
        let bytes = fingerprint::read_up_to(&self.open.file, start, (unused.start - start) as usize)?;
        let compared = unused.before.len().min(length);
        if !bytes.ends_with(&unused.before[unused.before.len() - compared..]) {
            return Ok(None);
        }
        (unused.seen, unused.last) = (seen, last);
        Ok(Some(bytes))
    }

    /// The block that was yielded last comes again, together with so many bytes before it, which are not sent. The place
    /// that is reported stays.
    ///
    /// # Errors
    /// When the file cannot be read; the block comes again.
    pub fn go_back(&mut self, bytes: usize) -> io::Result<()> {
        let Some(unused) = &mut self.unused else { return Ok(()) };
        unused.come_again();
        let start = unused.start.saturating_sub(bytes as u64);
        let before = fingerprint::before(&self.open.file, start)?;
        let ahead = Some((unused.start, Print::of(&unused.before)));
        (unused.start, unused.seen, unused.before, unused.ahead) = (start, start, before, ahead);
        Ok(())
    }

    /// Whether more than so many bytes lie ahead in the open file.
    pub fn is_far_behind(&self, bytes: u64) -> bool {
        self.open.file.status().is_ok_and(|status| status.size > self.open.offset.saturating_add(bytes))
    }

    /// The offset of the place.
    pub fn place(&self) -> u64 {
        self.unused.as_ref().map_or(self.open.offset, |unused| unused.start)
    }

    /// The place in the open file.
    pub(super) fn place_position(&self) -> Position {
        let position = self.open.position();
        let Some(unused) = &self.unused else { return position };
        let (offset, before) = unused.ahead.unwrap_or_else(|| (unused.start, Print::of(&unused.before)));
        Position { offset, before, ..position }
    }

    /// Where the next bytes are read to.
    pub(super) fn room(&self, buffer: &[u8]) -> Room {
        let unused = self.unused();
        let before = self.keeps_unused.then(|| self.open.before.clone());
        Room { at: if unused < buffer.len() { unused } else { 0 }, before }
    }

    /// So many new bytes were read. Puts the unused ones before them.
    pub(super) fn join_unused(&mut self, buffer: &mut [u8], room: Room, read: usize, now: Instant) -> io::Result<Step> {
        let Some(before) = room.before else { return Ok(Step::Bytes(read)) };
        let offset = self.open.offset;
        let Some(unused) = &mut self.unused else {
            let start = offset - read as u64;
            let (last, wants_room, ahead) = (Last::No, false, None);
            self.unused = Some(Box::new(Unused { start, before, seen: offset, last, wants_room, ahead }));
            return Ok(Step::Bytes(read));
        };
        if room.at == 0 {
            unused.wants_room = true;
            return Ok(Step::Busy);
        }
        let again = &mut buffer[..room.at];
        let compared = before.len().min(again.len());
        if !read_again(&self.open.file, again, unused.start)?
            || again[again.len() - compared..] != before[before.len() - compared..]
        {
            return self.changed(now);
        }
        unused.seen = offset;
        Ok(Step::Bytes(room.at + read))
    }

    /// Yields unused bytes that were not seen yet, or all if they are the last; and goes on from these.
    pub(super) fn yield_unused(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Option<Step>> {
        let Some(unused) = &mut self.unused else { return Ok(None) };
        match unused.last {
            Last::Yielded(LastOf::Stream) => return Ok(Some(self.ended())),
            Last::Yielded(LastOf::Generation) => {
                if matches!(self.phase, Phase::Leaving { .. } | Phase::Passing(_)) {
                    return self.go_on(now).map(Some);
                }
                self.unused = None;
                return Ok(None);
            }
            Last::No if unused.seen >= self.open.offset => return Ok(None),
            Last::No | Last::Due(_) => {}
        }
        let length = self.open.offset.saturating_sub(unused.start) as usize;
        if length > buffer.len() && !unused.wants_room {
            unused.wants_room = true;
            return Ok(Some(Step::Busy));
        }
        let length = length.min(buffer.len());
        let is_whole = read_again(&self.open.file, &mut buffer[..length], unused.start)?;
        if !is_whole || self.open.read(&mut [], Hold::Nothing)? == Reading::Changed {
            return self.changed(now).map(Some);
        }
        unused.seen = unused.start + length as u64;
        unused.wants_room = false;
        Ok(Some(match unused.last {
            Last::Due(of) if unused.seen == self.open.offset => {
                unused.last = Last::Yielded(of);
                Step::Last(length, of)
            }
            _ => Step::Bytes(length),
        }))
    }

    /// Nothing follows the unused bytes. Whether they are still to be yielded as the last.
    pub(super) fn owes_last(&mut self, of: LastOf) -> bool {
        match &mut self.unused {
            Some(unused) if unused.last == Last::No => {
                unused.last = Last::Due(of);
                true
            }
            _ => false,
        }
    }
}

/// Reads bytes that were read before. Whether they are still there.
fn read_again(file: &File, buffer: &mut [u8], start: u64) -> io::Result<bool> {
    let bytes = fingerprint::read_up_to(file, start, buffer.len())?;
    let is_whole = bytes.len() == buffer.len();
    if is_whole {
        buffer.copy_from_slice(&bytes);
    }
    Ok(is_whole)
}
