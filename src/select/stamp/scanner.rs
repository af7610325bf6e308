//! Steps through the bytes of a line. Nothing here reads beyond its end.

/// A place in a line. It is copied before an attempt that may fail.
#[derive(Clone, Copy, Debug)]
pub(in crate::select) struct Scanner<'l> {
    pub line: &'l [u8],
    /// Not beyond the line's end.
    pub at: usize,
    /// Of two numbers with slashes that may both be a month, the first is the day.
    pub day_first: bool,
}

impl<'l> Scanner<'l> {
    pub fn new(line: &'l [u8], at: usize, day_first: bool) -> Scanner<'l> {
        Scanner { line, at: at.min(line.len()), day_first }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    #[inline]
    pub fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.line.get(self.at + ahead).copied()
    }

    #[inline]
    pub fn rest(&self) -> &'l [u8] {
        &self.line[self.at..]
    }

    /// Goes on if `byte` is next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes on if `text` is next.
    pub fn eat_text(&mut self, text: &[u8]) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Takes the next byte if it is one of these.
    #[inline]
    pub fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// Skips spaces; whether there was one.
    pub fn spaces(&mut self) -> bool {
        let start = self.at;
        while self.eat(b' ') {}
        self.at > start
    }

    /// The number of digits that are next, up to `max`.
    #[inline]
    pub fn count_digits(&self, max: usize) -> usize {
        self.rest().iter().take(max).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A number of `min` to `max` digits; a digit after those is not looked at.
    #[inline]
    pub fn number(&mut self, min: usize, max: usize) -> Option<u32> {
        let (mut value, start) = (0u32, self.at);
        while self.at - start < max
            && let Some(digit @ b'0'..=b'9') = self.peek()
        {
            value = value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        (self.at - start >= min).then_some(value)
    }

    /// The same, of at most two digits.
    #[inline]
    pub fn short(&mut self, min: usize, max: usize) -> Option<u8> {
        self.number(min, max).and_then(|value| u8::try_from(value).ok())
    }

    /// Takes the letters that are next.
    pub fn word(&mut self) -> &'l [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        self.at += length;
        &rest[..length]
    }

    /// Whether a word or a number ends here.
    pub fn is_boundary(&self) -> bool {
        !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The nanoseconds of `.123` or `,123`, 0 without one. Digits beyond nine are skipped.
    #[inline]
    pub fn fraction(&mut self, separators: &[u8]) -> u32 {
        let is_one = self.peek().is_some_and(|byte| separators.contains(&byte));
        if !is_one || !self.peek_at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            return 0;
        }
        self.at += 1;
        let (mut value, mut unit) = (0, 1_000_000_000);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            unit /= 10;
            value += u32::from(digit - b'0') * unit;
            self.at += 1;
        }
        value
    }
}
