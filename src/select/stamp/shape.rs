//! Shapes of what stands before a time: `INFO [main] ` and `WARN [pool-1] ` are learned from a log's lines, so that a date
//! within a message is not taken for the time of its line.

use super::scanner::Scanner;

/// The most bytes that may stand before a time.
pub(super) const MAX_PREFIX: usize = 256;

/// The most bytes between `\x1b[` and the letter that ends a colour code.
const MAX_COLOR: usize = 32;

/// The shape of a line's beginning: letters and digits are collapsed to one, spaces as well, colours are left out, all
/// other characters count. It is a hash: two shapes that share one of 2^64 values would be taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shape(u64);

/// The places of a line at which a time may begin, each with the shape before it.
pub(super) struct Places<'l> {
    line: &'l [u8],
    at: usize,
    shape: Shape,
    /// Of the byte before; none at the line's start.
    class: Option<Class>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Other(u8),
}

impl Class {
    fn of(byte: u8) -> Class {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => Class::Word,
            b' ' | b'\t' => Class::Space,
            other => Class::Other(other),
        }
    }

    /// Whether a time may follow. A slash, a dash, a dot, `=` or `&` before it would make it a part of a path or a URL.
    fn is_before_time(self) -> bool {
        match self {
            Class::Word => false,
            Class::Space => true,
            Class::Other(byte) => b"[](){}<>|:;,*'\"".contains(&byte),
        }
    }
}

impl Shape {
    const EMPTY: Shape = Shape(0xcbf2_9ce4_8422_2325);

    /// FNV-1a, a class at a time.
    fn and(self, class: Class) -> Shape {
        let code = match class {
            Class::Word => b'w',
            Class::Space => b' ',
            Class::Other(byte) => byte,
        };
        Shape((self.0 ^ u64::from(code)).wrapping_mul(0x100_0000_01b3))
    }
}

impl<'l> Places<'l> {
    /// Those in the first bytes of a line, but for its start.
    pub fn new(line: &'l [u8]) -> Places<'l> {
        Places { line: &line[..line.len().min(MAX_PREFIX)], at: 0, shape: Shape::EMPTY, class: None }
    }
}

impl Iterator for Places<'_> {
    type Item = (usize, Shape);

    fn next(&mut self) -> Option<(usize, Shape)> {
        loop {
            self.at = skip_colors(self.line, self.at);
            let byte = *self.line.get(self.at)?;
            let (before, class) = (self.class, Class::of(byte));
            let place = (self.at, self.shape);
            if before != Some(class) || matches!(class, Class::Other(_)) {
                self.shape = self.shape.and(class);
            }
            self.class = Some(class);
            self.at += 1;
            let is_start = class == Class::Word || byte == b'@';
            if is_start && before.is_some_and(Class::is_before_time) {
                return Some(place);
            }
        }
    }
}

/// The first place from `at` on that is not within a colour code (`\x1b[…m`, and its like).
pub(super) fn skip_colors(line: &[u8], at: usize) -> usize {
    let mut scanner = Scanner::new(line, at, false);
    while scanner.peek() == Some(0x1b) && scanner.peek_at(1) == Some(b'[') {
        let codes = &scanner.rest()[2..];
        let codes = &codes[..codes.len().min(MAX_COLOR)];
        let Some(length) = codes.iter().position(|byte| !(0x20..0x40).contains(byte)) else { break };
        scanner.at += 2 + length + 1;
    }
    scanner.at
}
