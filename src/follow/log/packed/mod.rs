//! Compressed files, read as what was compressed: at any offset of the *text*, the unpacked bytes. Nothing is unpacked to
//! disk, and memory does not depend on the size of a file.
//!
//! * [`budget`]: how much may be unpacked in one turn.
//! * [`format`]: how a file is compressed, told by its first bytes.
//! * [`input`]: the file's own bytes, a limited number at a time.
//! * `gz`, `xz`, `zst`: one `Unpack` each, in the crate feature of that name.
//! * [`text`]: the text at an offset, and how far it has been unpacked.
//!
//! A file that was damaged has a text, too: what comes before the damage.

pub mod budget;
pub mod format;
#[cfg(feature = "gz")]
mod gz;
pub mod input;
#[cfg(all(test, feature = "gz"))]
mod tests;
pub mod text;
#[cfg(feature = "xz")]
mod xz;
#[cfg(feature = "zstd")]
mod zst;

use std::fmt;
use std::io;

use self::format::ArchiveFormat;
use self::input::PackedInput;

/// Unpacks a file from its start to its end.
trait Unpack: fmt::Debug + Send {
    /// Unpacks what comes next into `buffer`, which is not empty. Each call does a limited amount of work: it takes a few
    /// kilobytes more of the file than what they yield.
    ///
    /// # Errors
    /// An error of the system if the file cannot be read; any other error if it is damaged.
    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<Unpacked>;
}

/// What a call of [`Unpack::unpack`] did.
#[cfg_attr(
    not(any(feature = "gz", feature = "xz", feature = "zstd")),
    expect(dead_code, reason = "no format is built in")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unpacked {
    /// There are so many bytes, at least one.
    Bytes(usize),
    /// None yet.
    Nothing,
    /// The same, and it took as long as to unpack so many bytes.
    #[cfg_attr(not(any(feature = "xz", feature = "zstd")), expect(dead_code, reason = "gzip prepares nothing"))]
    Prepared(u64),
    /// The file was read to its end, and it is sound.
    End,
}

/// What may come where a part of a file has ended: a member, or a frame.
#[cfg(any(feature = "gz", feature = "zstd"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Following {
    /// None has been there: one must come.
    First,
    /// Another one, NULs, or the end of the file.
    Another,
    /// There were NULs: more of them, or the end of the file.
    Padding,
}

fn unpacker(format: ArchiveFormat, input: PackedInput) -> Box<dyn Unpack> {
    match format {
        #[cfg(feature = "gz")]
        ArchiveFormat::Gz => Box::new(gz::Members::new(input)),
        #[cfg(feature = "xz")]
        ArchiveFormat::Xz => Box::new(xz::Streams::new(input)),
        #[cfg(feature = "zstd")]
        ArchiveFormat::Zstd => Box::new(zst::Frames::new(input)),
        _ => Box::new(NotBuiltIn(input)),
    }
}

/// A format that this program cannot read.
#[derive(Debug)]
struct NotBuiltIn(#[expect(dead_code, reason = "it is shown when debugging")] PackedInput);

impl Unpack for NotBuiltIn {
    fn unpack(&mut self, _: &mut [u8]) -> io::Result<Unpacked> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What is wrong with a file that is not what its format demands.
#[cfg(any(feature = "gz", feature = "xz", feature = "zstd"))]
fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
