//! Finds the time that a line bears, and learns what stands before it.

use std::collections::HashMap;

use memchr::{memchr, memchr2_iter};

use super::Stamp;
use super::calendar::{calendar, klog};
use super::epoch::{audit, epoch, tai64n};
use super::keys;
use super::moment::Moment;
use super::scanner::Scanner;
use super::shape::{Places, Shape, skip_colors};

/// Bytes of a line in which a time in brackets counts wherever it stands: access logs begin with addresses and users.
const BRACKETED: usize = 128;

/// No time is shorter: seconds since the epoch have ten digits. A log may consist of empty lines, which must not cost more
/// than others.
const SHORTEST: usize = 10;

/// The most shapes that are remembered of a log.
const MAX_SHAPES: usize = 32;

/// Finds the time that a line bears: at its start, under a key, in brackets, or behind a prefix as other lines of the log
/// have it. A new one knows no prefixes.
#[derive(Clone, Debug, Default)]
pub struct Recogniser {
    /// Sorted.
    shapes: Vec<Shape>,
    order: DateOrder,
}

/// Which number of a date like `03/04/2026` is the day, as far as a log's lines have shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// No line has such a date. The month comes first.
    #[default]
    Unseen,
    /// Lines have such dates, but none with a number above 12. The month comes first.
    Unclear,
    /// The second number is the day.
    MonthFirst,
    /// The first number is the day.
    DayFirst,
}

/// Learns from a log's lines.
#[derive(Default)]
struct Training {
    /// Lines whose time is found without a shape.
    plain: usize,
    /// Lines with a time behind a prefix, by its shape.
    shaped: HashMap<Shape, usize>,
    /// A line has a date of two numbers and slashes.
    has_order: bool,
    is_day_first: bool,
    is_month_first: bool,
}

impl Recogniser {
    /// Learns from lines of the log: how prefixes are shaped, and whether `03/04/2026` is in March or in April. Two lines
    /// are the least; 64 KiB of them are plenty.
    pub fn trained_on<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Recogniser {
        let mut training = Training::default();
        lines.into_iter().for_each(|line| training.learn(line));
        training.finish()
    }

    /// The time that `line` bears, which has no newline, or ends with it.
    pub fn find(&self, line: &[u8]) -> Option<Stamp> {
        if line.len() < SHORTEST {
            return None;
        }
        self.find_plain(line).or_else(|| self.find_shaped(line))
    }

    /// What was learned of the order of day and month.
    pub fn date_order(&self) -> DateOrder {
        self.order
    }

    /// The same, with the order of day and month that other lines of the log have shown, if they have such dates.
    #[must_use]
    pub fn in_order(self, order: DateOrder) -> Recogniser {
        if order == DateOrder::Unseen { self } else { Recogniser { order, ..self } }
    }

    /// The same, with the order of day and month that `other` has learned, if that is clear.
    #[must_use]
    pub fn ordered_as(self, other: &Recogniser) -> Recogniser {
        match other.order {
            DateOrder::Unseen | DateOrder::Unclear => self,
            order => Recogniser { order, ..self },
        }
    }

    fn is_day_first(&self) -> bool {
        self.order == DateOrder::DayFirst
    }

    fn find_plain(&self, line: &[u8]) -> Option<Stamp> {
        let mut scanner = Scanner::new(line, 0, self.is_day_first());
        // Most lines begin with a digit of the year.
        if !scanner.peek()?.is_ascii_digit() {
            openers(&mut scanner);
        }
        if let Some(stamp) = at_start(scanner) {
            return Some(stamp);
        }
        let start = Scanner { at: skip_colors(line, 0), ..scanner };
        if keys::is_object(&start) {
            return keys::json(start);
        }
        keys::logfmt(start).or_else(|| self.bracketed(line))
    }

    /// `[TIME]` or `audit(TIME)` near the line's beginning.
    fn bracketed(&self, line: &[u8]) -> Option<Stamp> {
        const AUDIT: usize = b"audit".len();
        memchr2_iter(b'[', b'(', &line[..line.len().min(BRACKETED)]).find_map(|found| {
            if line[found] == b'(' {
                let mut scanner = Scanner::new(line, found.checked_sub(AUDIT)?, false);
                let start = scanner.at;
                return audit(&mut scanner).map(|moment| stamp(start, moment, scanner));
            }
            let mut scanner = Scanner::new(line, skip_colors(line, found + 1), self.is_day_first());
            let start = scanner.at;
            calendar(&mut scanner).map(|moment| stamp(start, moment, scanner))
        })
    }

    fn find_shaped(&self, line: &[u8]) -> Option<Stamp> {
        if self.shapes.is_empty() {
            return None;
        }
        let known = Places::new(line).filter(|(_, shape)| self.shapes.binary_search(shape).is_ok());
        known.into_iter().find_map(|(at, _)| behind_prefix(Scanner::new(line, at, self.is_day_first())))
    }
}

fn stamp(start: usize, moment: Moment, scanner: Scanner) -> Stamp {
    Stamp { moment, start, end: scanner.at }
}

/// Skips what may stand before a time at a line's start: a byte order mark, colour codes, brackets and quotes, and syslog's
/// `<165>` with the version behind it.
fn openers(scanner: &mut Scanner) {
    scanner.eat_text(b"\xef\xbb\xbf");
    loop {
        scanner.at = skip_colors(scanner.line, scanner.at);
        let mut ahead = *scanner;
        if ahead.eat(b'<') && ahead.short(1, 3).is_some() && ahead.eat(b'>') {
            *scanner = ahead;
            if ahead.short(1, 2).is_some() && ahead.eat(b' ') && ahead.count_digits(1) == 1 {
                *scanner = ahead;
            }
        } else if scanner.one_of(b"[(<\"").is_none() {
            return;
        }
    }
}

/// The time at which the scanner stands, in any form.
fn at_start(mut scanner: Scanner) -> Option<Stamp> {
    let start = scanner.at;
    let moment = match scanner.peek()? {
        b'0'..=b'9' => calendar(&mut scanner).or_else(|| epoch(&mut scanner)),
        b'@' => tai64n(&mut scanner),
        b'a' => audit(&mut scanner).or_else(|| calendar(&mut scanner)),
        _ => klog(&mut scanner).or_else(|| calendar(&mut scanner)),
    };
    moment.map(|moment| stamp(start, moment, scanner))
}

/// The time at which the scanner stands; numbers alone are none within a line.
fn behind_prefix(mut scanner: Scanner) -> Option<Stamp> {
    let start = scanner.at;
    let moment = match scanner.peek()? {
        b'@' => tai64n(&mut scanner),
        _ => klog(&mut scanner).or_else(|| calendar(&mut scanner)),
    };
    moment.map(|moment| stamp(start, moment, scanner))
}

impl Training {
    fn learn(&mut self, line: &[u8]) {
        if line.len() < SHORTEST {
            return;
        }
        let plain = Recogniser::default().find_plain(line);
        let shaped = || {
            let is_object = keys::is_object(&Scanner::new(line, skip_colors(line, 0), false));
            let mut places = Places::new(line).filter(|_| !is_object);
            places.find_map(|(at, shape)| Some((shape, behind_prefix(Scanner::new(line, at, false))?)))
        };
        let stamp = match plain {
            Some(stamp) => {
                self.plain += 1;
                stamp
            }
            None => {
                let Some((shape, stamp)) = shaped() else { return };
                *self.shaped.entry(shape).or_default() += 1;
                stamp
            }
        };
        self.learn_order(&line[stamp.start..stamp.end]);
    }

    /// Notes which of the numbers of `23/11/2026` is the day.
    fn learn_order(&mut self, stamp: &[u8]) {
        let Some(slash) = memchr(b'/', stamp).filter(|slash| *slash <= 2) else { return };
        let number = |at| Scanner::new(stamp, at, false).short(1, 2);
        let (first, second) = (number(0), number(slash + 1));
        self.has_order |= first.is_some() && second.is_some();
        self.is_day_first |= first.is_some_and(|number| number > 12);
        self.is_month_first |= second.is_some_and(|number| number > 12);
    }

    fn order(&self) -> DateOrder {
        match (self.is_month_first, self.is_day_first) {
            (true, _) => DateOrder::MonthFirst,
            (false, true) => DateOrder::DayFirst,
            (false, false) if self.has_order => DateOrder::Unclear,
            (false, false) => DateOrder::Unseen,
        }
    }

    /// Where lines bear their times at the start, a prefix must be that of a good part of all lines: else the dates of
    /// stack traces would count. Where they do not, only what is rare is left out.
    fn finish(self) -> Recogniser {
        let order = self.order();
        let shaped: usize = self.shaped.values().sum();
        let is_mostly_plain = self.plain >= shaped;
        let is_common = |count: usize| match is_mostly_plain {
            true => count >= 2 && count * 4 >= self.plain + shaped,
            false => count >= 2 && count * 50 >= shaped,
        };
        let mut common: Vec<_> = self.shaped.into_iter().filter(|(_, count)| is_common(*count)).collect();
        common.sort_unstable_by_key(|(shape, count)| (std::cmp::Reverse(*count), *shape));
        common.truncate(MAX_SHAPES);
        let mut shapes: Vec<Shape> = common.into_iter().map(|(shape, _)| shape).collect();
        shapes.sort_unstable();
        Recogniser { shapes, order }
    }
}
