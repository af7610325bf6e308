//! A file that was trimmed in place to its last lines, or of which a part was cut out: where the bytes that were read last
//! stand in it now.

use std::fs::File;
use std::io;

use memchr::memmem;

use super::log::fingerprint;
use super::log::status::Status;

/// How many of the bytes before the place must be found again at the start of a file that was trimmed.
pub(super) const ENOUGH_OF_A_REST: usize = 4;
/// How many must be found anywhere else in it, or at its start where there is a copy of the whole: then it was more likely
/// truncated.
const ENOUGH_ELSEWHERE: usize = 64;
/// How many of a copy's last bytes are compared.
const COMPARED: u64 = 64 * 1024;
/// How far from its end a file is searched for the place that was reached.
const SEARCHED: u64 = 16 << 20;

/// Where the bytes before a place stand in a file that was trimmed to its last lines, or of which a part was cut out. At
/// least `enough` bytes must be found, whole lines where they are not all that is remembered.
pub(super) fn find_again(file: &File, before: &[u8], enough: usize) -> io::Result<Option<u64>> {
    let size = Status::of(file)?.size;
    if before.len() < enough || size == 0 {
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
/// them. Writers may begin with the line that they ended with, so the first bytes must be nowhere else in what is compared.
pub(super) fn kept(log: &File, copy: &File, end: u64) -> io::Result<Option<u64>> {
    let beginning = fingerprint::read_up_to(log, 0, ENOUGH_ELSEWHERE)?;
    if beginning.len() < ENOUGH_ELSEWHERE {
        return Ok(None);
    }
    let start = end.saturating_sub(COMPARED);
    let last = fingerprint::read_up_to(copy, start, (end - start) as usize)?;
    let mut found = memmem::find_iter(&last, &beginning);
    let (Some(at), None) = (found.next(), found.next()) else { return Ok(None) };
    let (passed, rest) = last.split_at(at);
    // A log that holds all that the copy holds was not trimmed.
    let is_line = passed.last() == Some(&b'\n');
    Ok((is_line && fingerprint::read_up_to(log, 0, rest.len())? == rest).then_some(rest.len() as u64))
}

/// Whether the file holds nothing but a part of the lines before the place, as it does for a moment while it is trimmed.
pub(super) fn is_unfinished(before: &[u8], file: &File) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size > before.len() as u64 {
        return Ok(false);
    }
    let bytes = fingerprint::read_up_to(file, 0, size as usize)?;
    Ok(bytes.is_empty() || memmem::find(before, &bytes).is_some())
}
