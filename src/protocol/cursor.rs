//! A cursor as both ends exchange it: opaque text, and a count of the bytes after it. Only the server, in `follow`,
//! knows what the text means.

use std::fmt;
use std::str::FromStr;

/// The maximum length of a cursor, in characters.
pub const MAX_CURSOR: usize = 160;

/// A place in a log, as a server names it: 1 to [`MAX_CURSOR`] ASCII characters that are opaque to clients. It is
/// parsed from a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

/// Where to resume: that many bytes of the log after a cursor. As text it is `CURSOR`, or `CURSOR.N` with a decimal number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last cursor that was received.
    pub cursor: Cursor,
    /// How many bytes of the log were received after it.
    pub skip: u64,
}

/// The error for a text that is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCursor;

impl Cursor {
    /// The cursor's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Cursor, NoCursor> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_one = (1..=MAX_CURSOR).contains(&text.len()) && text.bytes().all(fits);
        if is_one { Ok(Cursor(text.to_owned())) } else { Err(NoCursor) }
    }
}

impl FromStr for Place {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Place, NoCursor> {
        let (cursor, skip) = text.split_once('.').unwrap_or((text, "0"));
        if !skip.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoCursor);
        }
        Ok(Place { cursor: cursor.parse()?, skip: skip.parse().map_err(|_| NoCursor)? })
    }
}

impl From<Cursor> for Place {
    fn from(cursor: Cursor) -> Place {
        Place { cursor, skip: 0 }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.skip {
            0 => self.cursor.fmt(f),
            skip => write!(f, "{}.{skip}", self.cursor),
        }
    }
}

impl fmt::Display for NoCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a cursor: at most {MAX_CURSOR} letters, digits, `-` and `_`, then possibly `.N`")
    }
}

impl std::error::Error for NoCursor {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_cursor_and_a_number_of_bytes() {
        for text in ["abc_-9", "abc.7", "a.18446744073709551615"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("abc.0".parse::<Place>().unwrap().to_string(), "abc");
        let long = "a".repeat(MAX_CURSOR + 1);
        for bad in ["", ".", ".5", "a.", "a.b", "a.1.2", "a.+1", "a b", "ä", "a.18446744073709551616", &long] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
