//! The text of a cursor: a [`Position`] as hexadecimal digits, with a version and a checksum.

use data_encoding::HEXLOWER;

use super::position::{BEFORE, HEAD, Identity, Position, Print};
use crate::protocol::cursor::Cursor;

const VERSION: u8 = 1;
const LENGTH: usize = 66;

impl Position {
    /// The cursor that names this place.
    pub fn cursor(&self) -> Cursor {
        let mut bytes = vec![VERSION];
        let numbers = [
            self.identity.device,
            self.identity.inode,
            self.identity.born.unwrap_or(0) as u64,
            self.changed as u64,
            self.offset,
            self.head.hash,
            self.before.hash,
        ];
        numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes.extend(self.head.length.to_be_bytes());
        bytes.extend(self.before.length.to_be_bytes());
        bytes.push(self.is_fresh.into());
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        HEXLOWER.encode(&bytes).parse().expect("hexadecimal digits are allowed, and they are few")
    }

    /// The place that a cursor names; `None` if no server of this kind has made it.
    pub fn parse(cursor: &Cursor) -> Option<Position> {
        let digits = cursor.as_str().as_bytes();
        // data-encoding would decode this, too, with 10 KB of code that nothing else needs.
        let digit = |byte: u8| (byte as char).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
        let byte = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
        if digits.len() != 2 * LENGTH {
            return None;
        }
        let bytes: Vec<u8> = digits.chunks_exact(2).map(byte).collect::<Option<_>>()?;
        let (bytes, sum) = bytes.split_last_chunk()?;
        if bytes[0] != VERSION || u32::from_be_bytes(*sum) != crc32fast::hash(bytes) {
            return None;
        }
        let number = |at: usize| u64::from_be_bytes(*bytes[1 + 8 * at..].first_chunk().expect("the length is checked"));
        let length = |at: usize| u16::from_be_bytes([bytes[57 + 2 * at], bytes[58 + 2 * at]]);
        let born = Some(number(2) as i64).filter(|&born| born != 0);
        let position = Position {
            identity: Identity { device: number(0), inode: number(1), born },
            changed: number(3) as i64,
            offset: number(4),
            head: Print { length: length(0), hash: number(5) },
            before: Print { length: length(1), hash: number(6) },
            is_fresh: bytes[61] == 1,
        };
        let is_sound = bytes[61] <= 1
            && i64::try_from(position.offset).is_ok()
            && usize::from(position.head.length) <= HEAD
            && u64::from(position.before.length) <= position.offset.min(BEFORE as u64);
        is_sound.then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::position::tests::position;

    #[test]
    fn a_cursor_names_the_place_it_came_from() {
        for born in [None, Some(i64::MAX)] {
            let mut position = position();
            position.identity.born = born;
            position.is_fresh = born.is_some();
            let cursor = position.cursor();
            assert!(cursor.as_str().len() <= crate::protocol::cursor::MAX_CURSOR);
            assert_eq!(Position::parse(&cursor), Some(position));
        }
    }

    #[test]
    fn what_no_server_made_is_none() {
        let good = position().cursor().to_string();
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'0' { b'1' } else { b'0' };
            let bad = String::from_utf8(bad).unwrap().parse().unwrap();
            assert_eq!(Position::parse(&bad), None, "{at}");
        }
        for bad in [&good[..good.len() - 2], "abc", &format!("{good}00"), &good.to_uppercase()] {
            assert_eq!(Position::parse(&bad.parse().unwrap()), None, "{bad}");
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let mut far = position();
        far.offset = u64::MAX;
        let mut before = position();
        before.offset = 3;
        let mut head = position();
        head.head.length = HEAD as u16 + 1;
        for bad in [far, before, head] {
            assert_eq!(Position::parse(&bad.cursor()), None);
        }
    }
}
