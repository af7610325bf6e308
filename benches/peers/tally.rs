//! Checks what a peer delivers, line by line: nothing lost, nothing twice, nothing damaged, and how late.

use super::log::{self, LINE, NUMBER};

/// What came over one connection.
pub struct Tally {
    /// The number of the line that comes next, and the same as it stands in the line.
    next: u64,
    expected: [u8; NUMBER],
    partial: Vec<u8>,
    pub bytes: u64,
    pub lines: u64,
    /// Lines that were skipped.
    pub lost: u64,
    /// Lines that came again or too late.
    pub disordered: u64,
    /// Lines that are none.
    pub damaged: u64,
    /// Nanoseconds from a line's writing to `arrival`, of each line while they are kept.
    pub delays: Option<Vec<u64>>,
    /// Whether the numbers begin anew at 0 now and then.
    pub cycles: bool,
    /// When what is fed arrived, after [`log::now`].
    pub arrival: u64,
}

impl Tally {
    /// Expects the line `first`.
    pub fn from(first: u64) -> Tally {
        let mut tally = Tally {
            next: 0,
            expected: [b'0'; NUMBER],
            partial: Vec::new(),
            bytes: 0,
            lines: 0,
            lost: 0,
            disordered: 0,
            damaged: 0,
            delays: None,
            cycles: false,
            arrival: 0,
        };
        tally.expect(first);
        tally
    }

    /// The number of the line that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether a line is missing, came twice or was damaged.
    pub fn faults(&self) -> u64 {
        self.lost + self.disordered + self.damaged
    }

    pub fn feed(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if !self.partial.is_empty() {
            let mut partial = std::mem::take(&mut self.partial);
            let (rest, whole) = split(bytes);
            partial.extend_from_slice(rest);
            if !whole {
                self.partial = partial;
                return;
            }
            self.line(&partial);
            bytes = &bytes[rest.len()..];
        }
        while !bytes.is_empty() {
            if self.delays.is_none() && self.is_expected(bytes) {
                self.step();
                bytes = &bytes[LINE..];
                continue;
            }
            let (line, whole) = split(bytes);
            if whole {
                self.line(line);
            } else {
                self.partial.extend_from_slice(line);
            }
            bytes = &bytes[line.len()..];
        }
    }

    /// Costs a few nanoseconds, so that at gigabytes a second it is not the check that is measured.
    fn is_expected(&self, bytes: &[u8]) -> bool {
        bytes.len() >= LINE && bytes[LINE - 1] == b'\n' && bytes[..NUMBER] == self.expected
    }

    fn line(&mut self, line: &[u8]) {
        let number = (line.len() == LINE).then(|| number(&line[..NUMBER])).flatten();
        match number {
            None => return self.damaged += 1,
            Some(number) if self.cycles => log::digits(&mut self.expected, number),
            Some(number) if number < self.next => return self.disordered += 1,
            Some(number) if number > self.next => {
                self.lost += number - self.next;
                self.expect(number);
            }
            Some(_) => {}
        }
        if let (Some(delays), Some(stamp)) = (&mut self.delays, self::number(log::stamp(line))) {
            delays.push(self.arrival.saturating_sub(stamp));
        }
        self.step();
    }

    fn expect(&mut self, number: u64) {
        self.next = number;
        log::digits(&mut self.expected, number);
    }

    fn step(&mut self) {
        self.lines += 1;
        self.next += 1;
        for digit in self.expected.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }
}

/// Up to the first newline, and whether there is one.
fn split(bytes: &[u8]) -> (&[u8], bool) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..=end], true),
        None => (bytes, false),
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
