//! Sets of characters and of bytes that are not UTF-8, and how an automaton that reads bytes matches them.
//!
//! A `.` is one character, or one byte where the text is not UTF-8. But an automaton cannot look ahead, and so it cannot
//! know whether the byte 0xC3 begins a character: if a `.` could be any byte, `^..$` would match the two bytes of `é`.
//! So an expression never reads bytes that are not UTF-8. In a line that has any, each is replaced by an *escape* of
//! three bytes that do not occur in UTF-8, and the expression has an alternative for it. Most lines are UTF-8 and are read
//! as they are.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir};

/// The first byte of an escape.
const ESCAPE: u8 = 0xff;

/// The others. Two of them say which of 128 bytes is meant.
const DIGITS: [u8; 12] = [0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe];

/// A set of characters and of bytes from 0x80 on.
#[derive(Clone, Debug)]
pub(super) struct CharSet {
    chars: ClassUnicode,
    /// A bit for each byte, from 0x80 on.
    bytes: u128,
}

impl CharSet {
    pub(super) fn new(ranges: impl IntoIterator<Item = (char, char)>) -> CharSet {
        let ranges = ranges.into_iter().map(|(first, last)| ClassUnicodeRange::new(first, last));
        CharSet { chars: ClassUnicode::new(ranges), bytes: 0 }
    }

    /// The bytes from `first` to `last`. Those of ASCII are characters.
    pub(super) fn of_bytes(first: u8, last: u8) -> CharSet {
        let mut set = CharSet::new(first.is_ascii().then_some((char::from(first), char::from(last.min(0x7f)))));
        set.bytes = (first.max(0x80)..=last).map(|byte| 1 << (byte - 0x80)).sum();
        set
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = (char, char)> {
        self.chars.iter().map(|range| (range.start(), range.end()))
    }

    pub(super) fn union(&mut self, other: &CharSet) {
        self.chars.union(&other.chars);
        self.bytes |= other.bytes;
    }

    pub(super) fn intersect(&mut self, other: &CharSet) {
        self.chars.intersect(&other.chars);
        self.bytes &= other.bytes;
    }

    pub(super) fn subtract(&mut self, other: &CharSet) {
        self.chars.difference(&other.chars);
        self.bytes &= !other.bytes;
    }

    pub(super) fn subtract_each_other(&mut self, other: &CharSet) {
        self.chars.symmetric_difference(&other.chars);
        self.bytes ^= other.bytes;
    }

    pub(super) fn negate(&mut self) {
        self.chars.negate();
        self.bytes = !self.bytes;
    }

    /// An expression that matches one of the set, and whether it matters to it which bytes are not UTF-8.
    pub(super) fn into_hir(self) -> (Hir, bool) {
        let mut choices = Vec::new();
        // A set of nothing but bytes also finds them within characters: `\xC3\xA9` is the two bytes of `é`, and
        // `[\x80-\xFF]` finds lines beyond ASCII.
        if self.bytes != 0 && self.chars.is_ascii() {
            let within = self.bytes().filter(|byte| !DIGITS.contains(byte) && *byte != ESCAPE);
            choices.extend(within.map(|byte| byte_class([byte])));
        }
        if !self.chars.ranges().is_empty() {
            choices.push(Hir::class(Class::Unicode(self.chars.clone())));
        }
        choices.extend(self.escapes());
        (Hir::alternation(choices), self.bytes != 0)
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        (0x80..=0xff).filter(|byte| self.bytes & (1 << (byte - 0x80)) != 0)
    }

    fn escapes(&self) -> Vec<Hir> {
        if self.bytes == u128::MAX {
            return vec![escape(byte_class(DIGITS), byte_class(DIGITS))];
        }
        let with = |first| self.bytes().map(digits).filter(move |digits| digits.0 == first).map(|digits| digits.1);
        let firsts = DIGITS.into_iter().filter(|&first| with(first).next().is_some());
        firsts.map(|first| escape(byte_class([first]), byte_class(with(first)))).collect()
    }
}

/// Appends `line` to `out`, with an escape for each byte that is not UTF-8.
pub(super) fn escape_invalid(line: &[u8], out: &mut Vec<u8>) {
    for chunk in line.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for &byte in chunk.invalid() {
            let (first, second) = digits(byte);
            out.extend_from_slice(&[ESCAPE, first, second]);
        }
    }
}

fn digits(byte: u8) -> (u8, u8) {
    let index = usize::from(byte & 0x7f);
    (DIGITS[index / DIGITS.len()], DIGITS[index % DIGITS.len()])
}

fn escape(first: Hir, second: Hir) -> Hir {
    Hir::concat(vec![Hir::literal([ESCAPE]), first, second])
}

fn byte_class(bytes: impl IntoIterator<Item = u8>) -> Hir {
    let ranges = bytes.into_iter().map(|byte| ClassBytesRange::new(byte, byte));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}
