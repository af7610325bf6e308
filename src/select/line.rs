//! Where lines begin and end in a block, and what of a line is judged.

use std::ops::Range;

use memchr::{memchr, memrchr};

/// How many bytes of a line are judged. The rest of a longer line follows its beginning. Few in unit tests, so that random
/// logs have such lines.
pub const JUDGED_HEAD: usize = if cfg!(test) { 128 } else { 128 * 1024 };

/// From how many bytes on an unfinished line is certainly longer than [`JUDGED_HEAD`]. The last byte may be the CR of its
/// end.
pub(super) const LONG: usize = JUDGED_HEAD + 2;

/// What is judged of a line: its text without its end, and no more than [`JUDGED_HEAD`] bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'b> {
    /// The text, and one byte more if the line was cut. So no expression takes the cut for the end.
    bytes: &'b [u8],
    len: usize,
}

impl<'b> Line<'b> {
    /// `bytes`: the line with its end, if it has one; or the first bytes of a line, [`LONG`] or more.
    pub(super) fn new(bytes: &'b [u8]) -> Line<'b> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() <= JUDGED_HEAD {
            return Line { bytes: text, len: text.len() };
        }
        Line { bytes: &text[..=JUDGED_HEAD], len: whole_characters(&text[..JUDGED_HEAD]) }
    }

    pub(super) fn text(&self) -> &'b [u8] {
        &self.bytes[..self.len]
    }

    /// The byte after the text, if the line was cut.
    #[cfg(any(feature = "regex", test))]
    pub(super) fn beyond(&self) -> Option<u8> {
        self.bytes.get(self.len).copied()
    }

    /// The text, and a byte more if the line was cut.
    #[cfg(feature = "regex")]
    pub(super) fn bytes(&self) -> &'b [u8] {
        self.bytes
    }
}

/// The line of `block` that begins at `start` and ends before or at `end`.
pub(super) fn line_at(block: &[u8], start: usize, end: usize) -> Range<usize> {
    start..memchr(b'\n', &block[start..end]).map_or(end, |newline| start + newline + 1)
}

/// The line of `block` before `end`, which is where a line begins. It begins at or after `start`.
pub(super) fn line_before(block: &[u8], start: usize, end: usize) -> Range<usize> {
    memrchr(b'\n', &block[start..end - 1]).map_or(start, |newline| start + newline + 1)..end
}

/// The length of `bytes` without a character at its end that is cut.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    let lead = bytes[last..].iter().rposition(|byte| byte & 0xc0 != 0x80);
    match lead.map(|lead| last + lead) {
        Some(lead) if std::str::from_utf8(&bytes[lead..]).is_err_and(|error| error.error_len().is_none()) => lead,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_is_not_judged() {
        for (bytes, text) in [("a\n", "a"), ("a\r\n", "a"), ("a\r", "a"), ("a\r\r\n", "a\r"), ("\n", ""), ("", "")] {
            assert_eq!(Line::new(bytes.as_bytes()).text(), text.as_bytes());
        }
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let exact = [vec![b'a'; JUDGED_HEAD], b"\r\n".to_vec()].concat();
        assert_eq!((Line::new(&exact).text().len(), Line::new(&exact).beyond()), (JUDGED_HEAD, None));
        for (lead, cut) in [("", 0), ("b", 2), ("bb", 1)] {
            let long = [lead, &"水".repeat(50), "\n"].concat();
            let line = Line::new(long.as_bytes());
            assert_eq!(JUDGED_HEAD - line.text().len(), (cut + 2) % 3, "{lead}");
            assert_eq!(line.beyond(), Some("水".as_bytes()[0]));
        }
    }

    #[test]
    fn lines_are_found_forwards_and_backwards() {
        let block = b"ab\n\nc";
        assert_eq!([line_at(block, 0, 5), line_at(block, 3, 5), line_at(block, 4, 5)], [0..3, 3..4, 4..5]);
        assert_eq!([line_before(block, 0, 5), line_before(block, 0, 4), line_before(block, 0, 3)], [4..5, 3..4, 0..3]);
        assert_eq!(line_before(block, 3, 4), 3..4);
    }
}
