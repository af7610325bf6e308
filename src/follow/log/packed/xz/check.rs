//! The checksums of an xz file's blocks.

use sha2::{Digest, Sha256};

/// Which checksum the blocks of a stream have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Crc32,
    Crc64,
    Sha256,
    /// None, or one that nothing makes: so many bytes.
    Other(usize),
}

/// A checksum of what was unpacked.
pub enum Sum {
    Crc32(crc32fast::Hasher),
    Crc64(u64),
    Sha256(Sha256),
    None,
}

impl Check {
    /// The check that the flags of a stream name.
    pub fn of(flags: [u8; 2]) -> Option<Check> {
        Some(match flags {
            [0, 1] => Check::Crc32,
            [0, 4] => Check::Crc64,
            [0, 10] => Check::Sha256,
            [0, 0] => Check::Other(0),
            [0, id @ 2..16] => Check::Other(4 << ((id - 1) / 3)),
            _ => return None,
        })
    }

    /// How many bytes it takes.
    pub fn size(self) -> usize {
        match self {
            Check::Crc32 => 4,
            Check::Crc64 => 8,
            Check::Sha256 => 32,
            Check::Other(size) => size,
        }
    }
}

impl Sum {
    pub fn new(check: Check) -> Sum {
        match check {
            Check::Crc32 => Sum::Crc32(crc32fast::Hasher::new()),
            Check::Crc64 => Sum::Crc64(u64::MAX),
            Check::Sha256 => Sum::Sha256(Sha256::new()),
            Check::Other(_) => Sum::None,
        }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        match self {
            Sum::Crc32(sum) => sum.update(bytes),
            Sum::Crc64(sum) => *sum = bytes.iter().fold(*sum, |sum, byte| step(sum, *byte)),
            Sum::Sha256(sum) => sum.update(bytes),
            Sum::None => {}
        }
    }

    /// Whether it is what the file says.
    pub fn is(self, wanted: &[u8]) -> bool {
        match self {
            Sum::Crc32(sum) => sum.finalize().to_le_bytes() == wanted,
            Sum::Crc64(sum) => (!sum).to_le_bytes() == wanted,
            Sum::Sha256(sum) => sum.finalize()[..] == *wanted,
            Sum::None => true,
        }
    }
}

/// CRC-64 as in ECMA-182, reflected.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;

static TABLE: [u64; 256] = table();

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u64, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

fn step(sum: u64, byte: u8) -> u64 {
    TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_64_has_its_known_value() {
        let mut sum = Sum::new(Check::Crc64);
        sum.add(b"123456789");
        assert!(sum.is(&0x995d_c9bb_df19_39fa_u64.to_le_bytes()));
    }
}
