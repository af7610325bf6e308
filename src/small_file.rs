//! Files that are read whole and must not be large: tokens, certificates, keys, cursors. Logs are not read this way.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Reads a file of at most 1 MiB whole.
///
/// # Errors
/// When it cannot be opened or read; [`ErrorKind::FileTooLarge`] when it is larger.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = read_at_most(File::open(path)?, 1 << 20)?;
    bytes.ok_or_else(|| io::Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"))
}

/// Reads to the end; `None` when that is more than `most` bytes.
///
/// # Errors
/// When it cannot be read.
pub fn read_at_most(source: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_itself_is_allowed_and_nothing_beyond_it_is_read() {
        assert_eq!(read_at_most(&b"abc"[..], 3).unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(read_at_most(&b"abcd"[..], 3).unwrap(), None);
        assert_eq!(read_at_most(io::repeat(0), 1 << 20).unwrap(), None);
    }
}
