//! A file that was trimmed in place to its last lines, or of which a part was cut out: where the bytes that were read last
//! stand in it now. If there is a copy of the whole, it was more likely truncated, and more must speak for it.

use std::io;

use memchr::memmem;

use super::log::file::File;
use super::log::fingerprint;
use super::position::BEFORE;

/// How many of the bytes before the place must be found again at the start of a file that was trimmed.
pub(super) const ENOUGH_OF_A_REST: usize = 4;
/// How many must be found anywhere else in it, or at its start where there is a copy of the whole.
const ENOUGH_ELSEWHERE: usize = 64;
/// How many of a copy's last bytes are searched.
const COMPARED: u64 = 64 * 1024;
/// How much is read at a time.
const BLOCK: usize = 64 * 1024;
/// How far from its end a file is searched for the place that was reached.
const SEARCHED: u64 = 16 << 20;

/// Where the bytes before a place stand in a file that was trimmed to its last lines, or of which a part was cut out. At
/// least `enough` bytes must be found, whole lines where they are not all that is remembered.
pub(super) fn find_again(file: &File, before: &[u8], enough: usize) -> io::Result<Option<u64>> {
    let size = file.status()?.size;
    if before.len() < enough || size == 0 || file.is_compressed() {
        return Ok(None);
    }
    if before.len() >= ENOUGH_ELSEWHERE {
        let start = size.saturating_sub(SEARCHED);
        let bytes = fingerprint::read_up_to(file, start, (size - start) as usize)?;
        if let Some(found) = memmem::rfind(&bytes, before) {
            return Ok(Some(start + (found + before.len()) as u64));
        }
    }
    let first = fingerprint::read_up_to(file, 0, before.len())?;
    let is_rest = |&length: &usize| {
        let (passed, rest) = before.split_at(before.len() - length);
        first.starts_with(rest) && passed.last().is_none_or(|&byte| byte == b'\n')
    };
    Ok((enough..before.len().min(first.len() + 1)).rev().find(is_rest).map(|length| length as u64))
}

/// How many of the last bytes of a copy, which ends at `end`, the log begins with, if it was not truncated but trimmed to
/// them. `before`: the last of these bytes, as many as are remembered. Writers may begin with the lines that they ended
/// with, so what is found must not be there twice; and a log that holds all that the copy holds was not trimmed.
pub(super) fn kept(log: &File, copy: &File, end: u64, before: &[u8]) -> io::Result<Option<u64>> {
    let place = if before.len() == BEFORE { find_only(log, before)? } else { None };
    if let Some(place) = place.map(|at| at + BEFORE as u64).filter(|&place| place < end)
        && is_alike(log, copy, end - place, place)?
    {
        return Ok(Some(place));
    }
    let beginning = fingerprint::read_up_to(log, 0, ENOUGH_ELSEWHERE)?;
    let last = last_of(copy, end)?;
    let mut found = memmem::find_iter(&last, &beginning);
    let (Some(at), None) = (found.next(), found.next()) else { return Ok(None) };
    let (passed, rest) = last.split_at(at);
    let is_rest = beginning.len() == ENOUGH_ELSEWHERE && rest.len() < BEFORE && passed.last() == Some(&b'\n');
    Ok((is_rest && fingerprint::read_up_to(log, 0, rest.len())? == rest).then_some(rest.len() as u64))
}

/// Whether the log holds nothing but a part of a copy's last bytes, and more of them may be about to be written to it.
pub(super) fn is_beginning(log: &File, copy: &File, end: u64) -> io::Result<bool> {
    let size = log.status()?.size;
    if size == 0 || size > COMPARED || log.is_compressed() {
        return Ok(false);
    }
    let (bytes, last) = (fingerprint::read_up_to(log, 0, size as usize)?, last_of(copy, end)?);
    Ok(memmem::find(&last, &bytes).is_some_and(|at| at + bytes.len() < last.len()))
}

/// The last bytes of a copy, as many as are compared.
fn last_of(copy: &File, end: u64) -> io::Result<Vec<u8>> {
    let start = end.saturating_sub(COMPARED);
    copy.keep(COMPARED as usize);
    fingerprint::read_up_to(copy, start, (end - start) as usize)
}

/// Where the bytes stand in a file, if they are there and not once more close behind.
fn find_only(file: &File, bytes: &[u8]) -> io::Result<Option<u64>> {
    let end = file.status()?.size.min(SEARCHED);
    let mut start = 0;
    while start < end {
        // Two blocks: what begins in the first may end in the second.
        let block = fingerprint::read_up_to(file, start, 2 * BLOCK)?;
        if let Some(at) = memmem::find(&block, bytes) {
            let is_only = memmem::find(&block[at + 1..], bytes).is_none();
            return Ok(is_only.then_some(start + at as u64));
        }
        start += BLOCK as u64;
    }
    Ok(None)
}

/// Whether the first `length` bytes of the log are those of the copy from `start` on.
fn is_alike(log: &File, copy: &File, start: u64, length: u64) -> io::Result<bool> {
    let mut at = 0;
    while at < length {
        let most = BLOCK.min((length - at) as usize);
        let block = fingerprint::read_up_to(log, at, most)?;
        if block.len() < most || block != fingerprint::read_up_to(copy, start + at, most)? {
            return Ok(false);
        }
        at += most as u64;
    }
    Ok(true)
}

/// Whether the file holds nothing but a part of the lines before the place, as it does for a moment while it is trimmed.
pub(super) fn is_unfinished(before: &[u8], file: &File) -> io::Result<bool> {
    let size = file.status()?.size;
    if size > before.len() as u64 {
        return Ok(false);
    }
    let bytes = fingerprint::read_up_to(file, 0, size as usize)?;
    Ok(bytes.is_empty() || memmem::find(before, &bytes).is_some())
}
