//! How a file is compressed. Its first bytes tell, and not its name.

/// A format of compressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// gzip.
    Gz,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// bzip2, which is recognized but never read.
    Bzip2,
}

/// How many of a file's first bytes tell its format.
pub const SIGNATURE: usize = 10;

impl ArchiveFormat {
    /// The format of a file that begins with these bytes; `None` if it is not compressed.
    pub fn of(start: &[u8]) -> Option<ArchiveFormat> {
        let is_bzip2 = |rest: &[u8]| {
            let block = rest.get(1..).unwrap_or_default();
            block.starts_with(b"1AY&SY") || block.starts_with(b"\x17\x72\x45\x38\x50\x90")
        };
        match start {
            [0x1f, 0x8b, 8, ..] => Some(ArchiveFormat::Gz),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(ArchiveFormat::Xz),
            // A frame, or one that is to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(ArchiveFormat::Zstd),
            [b'B', b'Z', b'h', rest @ ..] if is_bzip2(rest) => Some(ArchiveFormat::Bzip2),
            _ => None,
        }
    }

    /// When the text was last written to, in seconds since the epoch, if a file that begins with these bytes says so. Only
    /// gzip does.
    pub fn written(self, start: &[u8]) -> Option<u32> {
        let time = u32::from_le_bytes(*start.get(4..)?.first_chunk()?);
        (self == ArchiveFormat::Gz && time != 0).then_some(time)
    }

    /// Whether this program can read it.
    pub fn is_built_in(self) -> bool {
        match self {
            ArchiveFormat::Gz => cfg!(feature = "gz"),
            ArchiveFormat::Xz => cfg!(feature = "xz"),
            ArchiveFormat::Zstd => cfg!(feature = "zstd"),
            ArchiveFormat::Bzip2 => false,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            ArchiveFormat::Gz => "application/gzip",
            ArchiveFormat::Xz => "application/x-xz",
            ArchiveFormat::Zstd => "application/zstd",
            ArchiveFormat::Bzip2 => "application/x-bzip2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_says_when_the_text_was_written() {
        let start = b"\x1f\x8b\x08\x00\x01\x02\x00\x00\x00\x03";
        assert_eq!(ArchiveFormat::Gz.written(start), Some(0x201));
        assert_eq!(ArchiveFormat::Gz.written(&start[..7]), None);
        assert_eq!(ArchiveFormat::Gz.written(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), None);
        assert_eq!(ArchiveFormat::Zstd.written(start), None);
    }

    #[test]
    fn the_first_bytes_tell_the_format() {
        let cases: [(&[u8], Option<ArchiveFormat>); 9] = [
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", Some(ArchiveFormat::Gz)),
            (b"\x28\xb5\x2f\xfd\x04\x58", Some(ArchiveFormat::Zstd)),
            (b"\x50\x2a\x4d\x18\x00", Some(ArchiveFormat::Zstd)),
            (b"\xfd7zXZ\x00\x00\x04", Some(ArchiveFormat::Xz)),
            (b"BZh91AY&SY", Some(ArchiveFormat::Bzip2)),
            (b"BZh9 is no block", None),
            (b"\x1f\x8b", None),
            (b"2026-11-23", None),
            (b"", None),
        ];
        for (start, format) in cases {
            assert_eq!(ArchiveFormat::of(start), format, "{start:?}");
        }
    }
}
