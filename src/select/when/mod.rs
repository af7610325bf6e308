//! The times that `since` and `until` take, as people type and paste them: a time as a log writes it, one with parts left
//! out, a duration back from now.

#[cfg(test)]
mod tests;

use std::fmt;

use super::stamp::clock;
use super::stamp::scanner::Scanner;
use super::stamp::{Moment, Recogniser, StampZone};
use super::zone::{Readings, Zone};
use crate::civil::{Civil, SECOND};

const DAY: i64 = 86_400;

/// A time that someone asked for. What it means depends on the clock and the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// `now`, or a duration back from it such as `1h30m`, in nanoseconds.
    Back(i128),
    /// The first instant of today, or of the day so many days before it.
    DaysBack(u8),
    /// The latest time that has passed at which a clock showed this; its date does not count.
    TimeOfDay(Civil),
    /// The first instant of a date; its time of day does not count.
    Date(Civil),
    /// A time with its date, or since the epoch.
    Moment(Moment),
}

/// The end of what someone asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// A time.
    At(When),
    /// `+5m`: that many nanoseconds after `since`.
    AfterSince(i128),
}

/// What times are read by. All are of the machine that has the log.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'z> {
    /// The current time, in nanoseconds since the epoch.
    pub now: i128,
    /// The last write to the log, in nanoseconds since the epoch: a date without a year is read as in the log's lines.
    pub written: i128,
    /// The zone of times that name none.
    pub zone: &'z Zone,
}

/// The error for a text that is not a time, with the place of the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhenError {
    /// What is wrong, for people.
    pub reason: &'static str,
    /// The first character that cannot be used, counted from 0.
    pub place: usize,
}

/// What is wrong from which byte on.
type Misreading = (&'static str, usize);

impl When {
    /// Parses a time. `recogniser` knows how the log writes its own; a new one knows all forms, but neither prefixes nor
    /// the order of day and month.
    ///
    /// # Errors
    /// If the text is not a time.
    pub fn parse(text: &str, recogniser: &Recogniser) -> Result<When, WhenError> {
        parse(text, recogniser).map_err(|fault| WhenError::new(text, fault))
    }

    /// The instant from which a stream begins: the earliest that may be meant, in nanoseconds since the epoch.
    pub fn since(&self, clock: &Clock) -> i128 {
        self.readings(clock).earliest
    }

    /// The instant before which a stream ends: the latest that may be meant, in nanoseconds since the epoch.
    pub fn until(&self, clock: &Clock) -> i128 {
        self.readings(clock).latest
    }

    fn readings(&self, clock: &Clock) -> Readings {
        let first_instant = |midnight| i128::from(clock.zone.first_instant(midnight)) * SECOND;
        match *self {
            When::Back(nanoseconds) => Readings::one(clock.now.saturating_sub(nanoseconds)),
            When::DaysBack(days) => Readings::one(first_instant(clock.midnight() - i64::from(days) * DAY)),
            When::TimeOfDay(time) => clock.last(&time),
            When::Date(date) => {
                let midnight = Civil { hour: 0, minute: 0, second: 0, ..date };
                let seconds = date.year.and_then(|year| midnight.seconds_in(year));
                Readings::one(seconds.map_or(clock.now, first_instant))
            }
            When::Moment(moment) => moment.resolve(clock.zone, clock.written),
        }
    }
}

impl Until {
    /// Parses a time, or `+` and a duration.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse(text: &str, recogniser: &Recogniser) -> Result<Until, WhenError> {
        let start = text.len() - text.trim_start().len();
        match text.trim().strip_prefix('+') {
            Some(rest) => match duration(rest) {
                Ok(nanoseconds) => Ok(Until::AfterSince(nanoseconds)),
                Err((reason, place)) => Err(WhenError::new(text, (reason, start + 1 + place))),
            },
            None => When::parse(text, recogniser).map(Until::At),
        }
    }

    /// The instant before which the stream ends, in nanoseconds since the epoch; `None` if it counts from a `since` that
    /// is missing.
    pub fn resolve(&self, since: Option<i128>, clock: &Clock) -> Option<i128> {
        match *self {
            Until::At(when) => Some(when.until(clock)),
            Until::AfterSince(nanoseconds) => since.map(|since| since.saturating_add(nanoseconds)),
        }
    }
}

impl Clock<'_> {
    /// The last midnight, as a clock in UTC would show it.
    fn midnight(&self) -> i64 {
        let now = self.zone.civil(self.now);
        let today = Civil { hour: 0, minute: 0, second: 0, ..now };
        today.year.and_then(|year| today.seconds_in(year)).unwrap_or_default()
    }

    /// The latest instant that has passed at which a clock showed that time of day. In an hour that comes twice both may
    /// have passed.
    fn last(&self, time: &Civil) -> Readings {
        let of_day = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
        // Today, or else yesterday.
        let days = (0..=1)
            .map(|days| Readings::new(self.zone.instants(self.midnight() - days * DAY + of_day), time.nanosecond));
        let Readings { earliest, latest } =
            days.into_iter().find(|day| day.earliest <= self.now).unwrap_or(Readings::one(self.now));
        Readings { earliest, latest: if latest <= self.now { latest } else { earliest } }
    }
}

impl WhenError {
    fn new(text: &str, (reason, byte): Misreading) -> WhenError {
        WhenError { reason, place: text.char_indices().take_while(|(at, _)| *at < byte).count() }
    }
}

fn parse(text: &str, recogniser: &Recogniser) -> Result<When, Misreading> {
    let start = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let at = |(reason, place): Misreading| (reason, start + place);
    match trimmed {
        "" => return Err(("a time is missing", 0)),
        "now" => return Ok(When::Back(0)),
        "today" => return Ok(When::DaysBack(0)),
        "yesterday" => return Ok(When::DaysBack(1)),
        _ => (),
    }
    if trimmed.starts_with('+') {
        return Err(at(("only `until` counts from `since`", 0)));
    }
    let unsigned = trimmed.strip_prefix('-').unwrap_or(trimmed);
    let sign = trimmed.len() - unsigned.len();
    if sign > 0 || is_duration(unsigned) {
        return duration(unsigned).map(When::Back).map_err(|(reason, place)| at((reason, sign + place)));
    }
    if let Some(digits) = trimmed.strip_prefix('@').filter(|digits| digits.len() != 24) {
        return since_epoch(digits).map_err(|(reason, place)| at((reason, place + 1)));
    }
    let scanner = Scanner::new(trimmed.as_bytes(), 0, false);
    match scanner.count_digits(5) {
        1 | 2 if scanner.peek_at(scanner.count_digits(2)) == Some(b':') => time_of_day(scanner).map_err(at),
        digits => match pasted(trimmed, recogniser) {
            Err(_) if digits == 4 => date(scanner).map_err(at),
            result => result.map_err(at),
        },
    }
}

/// A time in any form that a log may have, with what stands around it.
fn pasted(text: &str, recogniser: &Recogniser) -> Result<When, Misreading> {
    let Some(stamp) = recogniser.find(text.as_bytes()) else { return Err(("this is not a time", 0)) };
    let mut scanner = Scanner::new(text.as_bytes(), stamp.end, false);
    match stamp.moment {
        Moment::Local(_, StampZone::Abbreviation(abbreviation)) => {
            let mut ahead = scanner;
            if ahead.eat(b' ') && ahead.eat_text(abbreviation.as_str().as_bytes()) {
                scanner = ahead;
            }
        }
        // The number of an audit event.
        Moment::Instant(..) if scanner.eat(b':') => scanner.at += scanner.count_digits(20),
        _ => (),
    }
    while scanner.one_of(b"])>\":,|- ").is_some() {}
    end(scanner).map(|()| When::Moment(stamp.moment))
}

/// Nothing may follow a time.
fn end(mut scanner: Scanner) -> Result<(), Misreading> {
    scanner.spaces();
    if scanner.peek().is_none() { Ok(()) } else { Err(("the time ends before this", scanner.at)) }
}

/// `2026-11-23`, `2026-11-23T01:32`, `2026-11-23 01:32:27.123 +01:00`, in any year.
fn date(mut scanner: Scanner) -> Result<When, Misreading> {
    let year = scanner.number(4, 4).and_then(|year| u16::try_from(year).ok());
    let Some(separator) = scanner.one_of(b"-/.") else { return Err(("expected `-` and the month", scanner.at)) };
    let month = number(&mut scanner, 1..=12, "expected a month, 01 to 12")?;
    if !scanner.eat(separator) {
        return Err(("expected `-` and the day", scanner.at));
    }
    let place = scanner.at;
    let day = number(&mut scanner, 1..=31, "expected a day, 01 to 31")?;
    let date = Civil { year, month, day, hour: 0, minute: 0, second: 0, nanosecond: 0 };
    if !date.is_valid() {
        return Err(("the month has no such day", place));
    }
    if scanner.peek().is_none() {
        return Ok(When::Date(date));
    }
    if scanner.one_of(b"Tt_ ").is_none() {
        return Err(("expected `T` or a space, and the time of day", scanner.at));
    }
    let civil = hours(&mut scanner, date)?;
    let stamp_zone = clock::zone(&mut scanner);
    if let StampZone::Abbreviation(abbreviation) = stamp_zone {
        scanner.spaces();
        scanner.eat_text(abbreviation.as_str().as_bytes());
    }
    end(scanner).map(|()| When::Moment(Moment::Local(civil, stamp_zone)))
}

/// `01:32`, `01:32:27`.
fn time_of_day(mut scanner: Scanner) -> Result<When, Misreading> {
    let time = hours(&mut scanner, Civil::at(0))?;
    end(scanner).map(|()| When::TimeOfDay(time))
}

/// `01:32`, `01:32:27.123`, on that day.
fn hours(scanner: &mut Scanner, date: Civil) -> Result<Civil, Misreading> {
    let hour = number(scanner, 0..=23, "expected an hour, 00 to 23")?;
    if !scanner.eat(b':') {
        return Err(("expected `:` and the minute", scanner.at));
    }
    let minute = number(scanner, 0..=59, "expected a minute, 00 to 59")?;
    let (mut second, mut nanosecond) = (0, 0);
    if scanner.eat(b':') {
        second = number(scanner, 0..=60, "expected a second, 00 to 59")?;
        nanosecond = scanner.fraction(b".,");
    }
    Ok(Civil { hour, minute, second, nanosecond, ..date })
}

/// A number of one or two digits.
fn number(scanner: &mut Scanner, range: std::ops::RangeInclusive<u8>, reason: &'static str) -> Result<u8, Misreading> {
    let place = scanner.at;
    scanner.short(1, 2).filter(|number| range.contains(number)).ok_or((reason, place))
}

/// Seconds with or without a fraction, milli-, micro- or nanoseconds since the epoch, told apart by their digits.
fn since_epoch(text: &str) -> Result<When, Misreading> {
    const EXPECTED: &str = "expected seconds since the epoch, or 13, 16 or 19 digits";
    let mut scanner = Scanner::new(text.as_bytes(), 0, false);
    let in_second: u64 = match scanner.count_digits(20) {
        1..=11 => 1,
        13 => 1_000,
        16 => 1_000_000,
        19 => 1_000_000_000,
        digits => return Err((EXPECTED, digits)),
    };
    let digits = scanner.count_digits(20);
    let value: u64 = text[..digits].parse().map_err(|_| (EXPECTED, 0))?;
    scanner.at = digits;
    let fraction = if in_second == 1 { scanner.fraction(b".,") } else { 0 };
    if scanner.peek().is_some() {
        return Err((EXPECTED, scanner.at));
    }
    let nanosecond = value % in_second * (1_000_000_000 / in_second);
    Ok(When::Moment(Moment::Instant((value / in_second) as i64, nanosecond as u32 + fraction)))
}

/// Whether a number and a unit begin the text.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    unit.len() < text.len() && unit.starts_with(['m', 's', 'h', 'd', 'w'])
}

/// `1h30m`, in nanoseconds.
fn duration(text: &str) -> Result<i128, Misreading> {
    let (mut scanner, mut total) = (Scanner::new(text.as_bytes(), 0, false), 0i128);
    if text.is_empty() {
        return Err(("expected a duration such as 1h30m", 0));
    }
    while scanner.peek().is_some() {
        let start = scanner.at;
        scanner.at += scanner.count_digits(usize::MAX);
        if scanner.at == start {
            return Err(("expected a number", start));
        }
        let Ok(number) = text[start..scanner.at].parse::<u32>() else { return Err(("the number is too large", start)) };
        let place = scanner.at;
        let unit = match scanner.word() {
            b"ms" => 1_000_000,
            b"s" => SECOND,
            b"m" => 60 * SECOND,
            b"h" => 3600 * SECOND,
            b"d" => i128::from(DAY) * SECOND,
            b"w" => 7 * i128::from(DAY) * SECOND,
            _ => return Err(("expected a unit: ms, s, m, h, d or w", place)),
        };
        total = total.saturating_add(i128::from(number) * unit);
    }
    Ok(total)
}

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at character {}", self.reason, self.place + 1)
    }
}

impl std::error::Error for WhenError {}
