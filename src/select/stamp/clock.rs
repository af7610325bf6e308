//! The time of day, and the zone behind it.

use super::moment::{Abbreviation, StampZone};
use super::scanner::Scanner;

/// Hour, minute, second and nanosecond.
pub(super) type TimeOfDay = (u8, u8, u8, u32);

/// `01:32:27.123`, `1:32 PM`. The ranges of the numbers are checked with the date, except for a clock of twelve hours.
pub(super) fn time_of_day(scanner: &mut Scanner) -> Option<TimeOfDay> {
    let hour = scanner.short(1, 2)?;
    if !scanner.eat(b':') {
        return None;
    }
    let minute = scanner.short(2, 2)?;
    let mut ahead = *scanner;
    if ahead.eat(b':') && ahead.count_digits(3) == 2 {
        *scanner = ahead;
        let second = scanner.short(2, 2)?;
        return precise_time(scanner, (hour, minute, second));
    }
    if scanner.count_digits(1) == 1 {
        return None;
    }
    Some((half_day(scanner, hour)?, minute, 0, 0))
}

/// What may follow hours, minutes and seconds: a fraction, then `PM`.
pub(super) fn precise_time(scanner: &mut Scanner, (hour, minute, second): (u8, u8, u8)) -> Option<TimeOfDay> {
    let nanosecond = fraction(scanner);
    if scanner.count_digits(1) == 1 {
        return None;
    }
    Some((half_day(scanner, hour)?, minute, second, nanosecond))
}

/// `013227.123`, as in ISO 8601's basic form.
pub(super) fn compact_time(scanner: &mut Scanner) -> Option<TimeOfDay> {
    if scanner.count_digits(7) != 6 {
        return None;
    }
    let (hour, minute, second) = (scanner.short(2, 2)?, scanner.short(2, 2)?, scanner.short(2, 2)?);
    Some((hour, minute, second, scanner.fraction(b".,")))
}

/// A fraction behind a colon has at least three digits: `01:32:27:123`.
fn fraction(scanner: &mut Scanner) -> u32 {
    match scanner.peek() {
        Some(b':') if scanner.rest()[1..].iter().take(3).filter(|byte| byte.is_ascii_digit()).count() < 3 => 0,
        _ => scanner.fraction(b".,:"),
    }
}

/// The hour of a clock of twelve hours, if `AM` or `PM` follows; some locales write a narrow space before that.
fn half_day(scanner: &mut Scanner, hour: u8) -> Option<u8> {
    let skipped = match scanner.peek() {
        Some(b'A' | b'a' | b'P' | b'p') => 0,
        Some(b' ') => 1,
        Some(0xe2) if scanner.rest().starts_with("\u{202f}".as_bytes()) => 3,
        Some(0xc2) if scanner.rest().starts_with("\u{a0}".as_bytes()) => 2,
        _ => return Some(hour),
    };
    let is_afternoon = match scanner.peek_at(skipped) {
        Some(b'A' | b'a') => false,
        Some(b'P' | b'p') => true,
        _ => return Some(hour),
    };
    let mut ahead = Scanner { at: scanner.at + skipped + 1, ..*scanner };
    if ahead.one_of(b"Mm").is_none() || !ahead.is_boundary() {
        return Some(hour);
    }
    *scanner = ahead;
    (1..=12).contains(&hour).then_some(hour % 12 + if is_afternoon { 12 } else { 0 })
}

/// The zone right behind a time, or behind one space. An abbreviation is noted but not skipped: it may be the message's
/// first word.
pub(in crate::select) fn zone(scanner: &mut Scanner) -> StampZone {
    let mut ahead = *scanner;
    let is_apart = ahead.eat(b' ');
    match ahead.peek() {
        Some(b'+' | b'-') => match offset(&mut ahead, is_apart) {
            Some(seconds) => {
                *scanner = ahead;
                StampZone::Offset(seconds)
            }
            None => StampZone::Unknown,
        },
        Some(b'A'..=b'Z' | b'z') => named(scanner, ahead),
        _ => StampZone::Unknown,
    }
}

/// `Z`, `UTC`, `GMT`, `GMT+0100` or an abbreviation.
fn named<'l>(scanner: &mut Scanner<'l>, mut ahead: Scanner<'l>) -> StampZone {
    let word = ahead.word();
    let is_known = matches!(word, b"Z" | b"z" | b"UTC" | b"GMT");
    if is_known {
        let mut behind = ahead;
        let is_signed = word.len() == 3 && matches!(behind.peek(), Some(b'+' | b'-'));
        if let Some(seconds) = is_signed.then(|| offset(&mut behind, true)).flatten() {
            *scanner = behind;
            return StampZone::Offset(seconds);
        }
    }
    if !ahead.is_boundary() {
        return StampZone::Unknown;
    }
    if is_known {
        *scanner = ahead;
        return StampZone::Offset(0);
    }
    Abbreviation::new(word).map_or(StampZone::Unknown, StampZone::Abbreviation)
}

/// `+01`, `+0100`, `+01:00`, `+01:00:00`. Behind a space the minutes are needed: `-5` there is a word of the message.
fn offset(scanner: &mut Scanner, needs_minutes: bool) -> Option<i32> {
    let is_west = scanner.one_of(b"+-")? == b'-';
    let digits = scanner.count_digits(5);
    let hours = scanner.short(2, 2)?;
    let minutes = match digits {
        4 => scanner.short(2, 2)?,
        2 if scanner.eat(b':') => scanner.short(2, 2)?,
        2 if !needs_minutes => 0,
        _ => return None,
    };
    let mut ahead = *scanner;
    if digits == 2 && ahead.eat_text(b":00") && ahead.is_boundary() {
        *scanner = ahead;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    let is_real = hours <= 15 && minutes < 60 && scanner.is_boundary();
    is_real.then_some(if is_west { -seconds } else { seconds })
}
