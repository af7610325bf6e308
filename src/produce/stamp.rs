//! The stamp of a line, `seq=N crc=HHHHHHHH TEXT`: the number shows which lines are missing, the checksum which are damaged.
//! Writing and parsing are side by side here, so that they agree; counting is done in `verifier`.

use std::io::{self, Write};
use std::str;

use memchr::{memchr, memmem};

/// What stands before the number: the end of the line's head, and the stamp's beginning.
const MARK: &[u8] = b" - seq=";

/// Writes the stamp and the text.
pub(super) fn write(out: &mut Vec<u8>, number: u64, text: &str) -> io::Result<()> {
    let checksum = checksum(number.to_string().as_bytes(), text.as_bytes());
    write!(out, "seq={number} crc={checksum:08x} {text}")
}

/// The number of a line, given without its newline; `None` when it has no stamp or is not what was stamped.
pub(super) fn read(line: &[u8]) -> Option<u64> {
    // The first one: a text may hold whatever it likes.
    let stamp = &line[memmem::find(line, MARK)? + MARK.len()..];
    let (number, rest) = stamp.split_at(memchr(b' ', stamp)?);
    let (digits, text) = rest.strip_prefix(b" crc=")?.split_at_checked(8)?;
    let is_whole = checksum_of(digits)? == checksum(number, text.strip_prefix(b" ")?);
    let is_number = number.iter().all(u8::is_ascii_digit);
    (is_whole && is_number).then(|| str::from_utf8(number).ok()?.parse().ok()).flatten()
}

/// CRC-32 (IEEE) of `N TEXT`.
fn checksum(number: &[u8], text: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    [number, b" ", text].into_iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

fn checksum_of(digits: &[u8]) -> Option<u32> {
    let is_lower_hex = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u32::from_str_radix(str::from_utf8(digits).ok().filter(|_| is_lower_hex)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, text: &str) -> Vec<u8> {
        let mut line = b"2026-11-23 01:32:27.123 | INFO     | wstail:produce:1 - ".to_vec();
        write(&mut line, number, text).unwrap();
        line
    }

    #[test]
    fn a_stamp_is_a_number_and_a_checksum() {
        let line = String::from_utf8(line(1, "x")).unwrap();
        assert!(line.ends_with(&format!(" - seq=1 crc={:08x} x", crc32fast::hash(b"1 x"))), "{line}");
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
    }

    #[test]
    fn what_is_written_is_read() {
        for number in [1, 10, 4_294_967_296, u64::MAX] {
            for text in ["你好aaa", "", " ", "a - seq=7 crc=00000000 b", "\r", " - ", "\0\u{1b}[0m"] {
                assert_eq!(read(&line(number, text)), Some(number), "{text:?}");
            }
        }
    }

    #[test]
    fn any_byte_that_is_not_what_was_written_is_noticed() {
        let line = line(4711, "你好aaa");
        let stamp = memmem::find(&line, MARK).unwrap();
        for place in stamp..line.len() {
            for mask in [0x01, 0x10, 0x20, 0x80] {
                let mut damaged = line.clone();
                damaged[place] ^= mask;
                assert_eq!(read(&damaged), None, "{:?}", String::from_utf8_lossy(&damaged));
            }
            assert_eq!(read(&line[..place]), None);
        }
        assert_eq!(read(&line[stamp..]), Some(4711), "the head is not covered");
    }

    #[test]
    fn a_number_is_digits_and_a_checksum_lower_case() {
        let stamped = |number: &str, text: &str| {
            let crc = crc32fast::hash(format!("{number} {text}").as_bytes());
            format!(" - seq={number} crc={crc:08x} {text}")
        };
        assert_eq!(read(stamped("7", "x").as_bytes()), Some(7));
        for number in ["", "+7", "-7", "7.0", "x", "18446744073709551616"] {
            assert_eq!(read(stamped(number, "x").as_bytes()), None, "{number}");
        }
        let upper = stamped("7", "x").replace(|c: char| ('a'..='f').contains(&c), "A");
        assert_eq!(read(upper.as_bytes()), None);
    }
}
