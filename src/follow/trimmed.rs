//! A file that was trimmed in place to its last lines, or of which a part was cut out: where the bytes that were read last
//! stand in it now.

use std::fs::File;
use std::io;

use memchr::memmem;

use super::log::fingerprint;
use super::log::status::Status;

/// How many of the bytes before the place must be found again in a file that was trimmed. Where there is a copy of the
/// whole, more: then it was more likely truncated.
pub(super) const ENOUGH_OF_A_REST: usize = 4;
pub(super) const ENOUGH_BESIDE_A_COPY: usize = 64;
/// How far from its end a file is searched for the place that was reached.
const SEARCHED: u64 = 16 << 20;

/// Where the bytes before a place stand in a file that was trimmed to its last lines, or of which a part was cut out. At
/// least `enough` bytes must be found, whole lines where they are not all that is remembered.
pub(super) fn find_again(file: &File, before: &[u8], enough: usize) -> io::Result<Option<u64>> {
    let size = Status::of(file)?.size;
    if before.len() < enough || size == 0 {
        return Ok(None);
    }
    if before.len() >= ENOUGH_BESIDE_A_COPY {
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

/// Whether the file holds nothing but a part of the lines before the place, as it does for a moment while it is trimmed.
pub(super) fn is_unfinished(before: &[u8], file: &File) -> io::Result<bool> {
    let size = Status::of(file)?.size;
    if size > before.len() as u64 {
        return Ok(false);
    }
    let bytes = fingerprint::read_up_to(file, 0, size as usize)?;
    Ok(bytes.is_empty() || memmem::find(before, &bytes).is_some())
}
