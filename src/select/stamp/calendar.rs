//! Dates with a time of day, in the forms that loggers write.

use super::clock::{TimeOfDay, compact_time, precise_time, time_of_day, zone};
use super::moment::{Moment, StampZone};
use super::scanner::Scanner;
use crate::civil::Civil;

/// Years in which a log may have been written. What looks like another one is a number.
const YEARS: std::ops::Range<u16> = 1970..2200;

/// Year, month and day.
#[derive(Clone, Copy)]
struct Date(Option<u16>, u8, u8);

/// A date and a time of day; the scanner stands behind them if there are.
pub(super) fn calendar(scanner: &mut Scanner) -> Option<Moment> {
    let start = scanner.at;
    let moment = match scanner.peek()? {
        b'0'..=b'9' => numeric(scanner),
        b'A'..=b'Z' | b'a'..=b'z' => worded(scanner),
        _ => None,
    };
    if moment.is_none() {
        scanner.at = start;
    }
    moment
}

/// What begins with a number: the year, all eight digits of a date, or the day, or the month.
fn numeric(scanner: &mut Scanner) -> Option<Moment> {
    if let Some((date, time)) = fixed(scanner) {
        let time = precise_time(scanner, time)?;
        return moment(scanner, date, time);
    }
    match scanner.count_digits(9) {
        4 => {
            let date = year_first(scanner)?;
            gap(scanner, b"T_ ")?;
            let time = time_of_day(scanner)?;
            moment(scanner, date, time)
        }
        8 => {
            let date = Date(Some(year(scanner)?), scanner.short(2, 2)?, scanner.short(2, 2)?);
            gap(scanner, b"T_ -")?;
            let time = compact_time(scanner).or_else(|| time_of_day(scanner))?;
            moment(scanner, date, time)
        }
        1 | 2 => {
            let date = year_last(scanner)?;
            gap(scanner, b"T_: ")?;
            let time = time_of_day(scanner)?;
            moment(scanner, date, time)
        }
        _ => None,
    }
}

/// `2026-11-23 01:32:27`, with any of the separators and all leading zeros. Most lines of most logs begin with it, so it is
/// read in one piece: that takes a third of the time.
fn fixed(scanner: &mut Scanner) -> Option<(Date, (u8, u8, u8))> {
    let text: &[u8; 19] = scanner.rest().first_chunk()?;
    let separators = [text[4], text[7], text[10], text[13], text[16]];
    let [first @ (b'-' | b'/' | b'.'), second, b'T' | b' ' | b'_', b':', b':'] = separators else { return None };
    let mut is_number = first == second;
    let mut two = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        is_number &= tens <= 9 && ones <= 9;
        tens.wrapping_mul(10).wrapping_add(ones)
    };
    let [century, year, month, day] = [two(0), two(2), two(5), two(8)];
    let time = (two(11), two(14), two(17));
    let year = Some(u16::from(century) * 100 + u16::from(year)).filter(|year| is_number && YEARS.contains(year))?;
    scanner.at += text.len();
    Some((Date(Some(year), month, day), time))
}

/// `2026-11-23`, `2026/11/23`, `2026.11.23`, `2026-Nov-23`, `2026 Nov 23`.
fn year_first(scanner: &mut Scanner) -> Option<Date> {
    let year = year(scanner)?;
    let separator = scanner.one_of(b"-/. ")?;
    let month = match scanner.peek()? {
        b'0'..=b'9' if separator != b' ' => scanner.short(1, 2)?,
        _ => month_name(scanner)?,
    };
    let has_day = scanner.eat(separator);
    scanner.spaces();
    let day = scanner.short(1, 2)?;
    has_day.then_some(Date(Some(year), month, day))
}

/// `23/Nov/2026`, `23-Nov-2026`, `23 Nov 2026`, `23 Nov`, `23.11.2026`, `11/23/2026`.
fn year_last(scanner: &mut Scanner) -> Option<Date> {
    let first = scanner.short(1, 2)?;
    let separator = scanner.one_of(b"/-. ")?;
    if scanner.count_digits(1) == 0 {
        let month = month_name(scanner)?;
        let mut ahead = *scanner;
        if ahead.eat(separator) && ahead.count_digits(5) == 4 {
            let year = year(&mut ahead)?;
            *scanner = ahead;
            return Some(Date(Some(year), month, first));
        }
        return (separator == b' ').then_some(Date(None, month, first));
    }
    if separator == b' ' {
        return None;
    }
    let second = scanner.short(1, 2)?;
    if !scanner.eat(separator) || scanner.count_digits(5) != 4 {
        return None;
    }
    let year = year(scanner)?;
    // Americans write slashes and the month first; those who write dots or dashes write the day first.
    let is_day_first = if separator == b'/' { first > 12 || scanner.day_first && second <= 12 } else { second <= 12 };
    let (month, day) = if is_day_first { (second, first) } else { (first, second) };
    Some(Date(Some(year), month, day))
}

/// What begins with a word: a month, or a day of the week before any of the other forms.
fn worded(scanner: &mut Scanner) -> Option<Moment> {
    let mut ahead = *scanner;
    if is_day_name(ahead.word()) {
        ahead.eat(b',');
        if !ahead.spaces() {
            return None;
        }
        *scanner = ahead;
        if scanner.count_digits(1) == 1 {
            return numeric(scanner);
        }
    }
    month_first(scanner)
}

/// `Nov 23 01:32:27`, `Nov 23 2026 01:32:27`, `Nov 23, 2026 1:32:27 PM`, `Nov 23 01:32:27 UTC 2026`.
fn month_first(scanner: &mut Scanner) -> Option<Moment> {
    let month = month_name(scanner)?;
    if !scanner.spaces() {
        return None;
    }
    let day = scanner.short(1, 2)?;
    gap(scanner, b" ")?;
    if scanner.count_digits(5) == 4 {
        let year = year(scanner)?;
        gap(scanner, b" ")?;
        let time = time_of_day(scanner)?;
        return moment(scanner, Date(Some(year), month, day), time);
    }
    let before = scanner.at;
    let time = time_of_day(scanner)?;
    if scanner.line[before..scanner.at].iter().filter(|byte| **byte == b':').count() < 2 {
        // `Nov 23 01:32` is how ls(1) shows a file's time.
        return None;
    }
    let (mut ahead, mut stamp_zone) = (*scanner, StampZone::Unknown);
    if !has_year(ahead) {
        stamp_zone = zone(&mut ahead);
        if let StampZone::Abbreviation(abbreviation) = stamp_zone {
            ahead.at += 1 + abbreviation.as_str().len();
        }
    }
    let year = if has_year(ahead) {
        ahead.at += 1;
        *scanner = ahead;
        year(scanner)
    } else {
        None
    };
    match (year, stamp_zone) {
        (None, _) => moment(scanner, Date(None, month, day), time),
        (year, StampZone::Unknown) => moment(scanner, Date(year, month, day), time),
        (year, stamp_zone) => civil(Date(year, month, day), time).map(|civil| Moment::Local(civil, stamp_zone)),
    }
}

/// Whether a space and a year follow.
fn has_year(mut ahead: Scanner) -> bool {
    ahead.eat(b' ') && ahead.count_digits(5) == 4 && year(&mut ahead).is_some() && ahead.is_boundary()
}

/// klog's `I1123 01:32:27.123456`, and glog's `I20261123 01:32:27.123456`.
pub(super) fn klog(scanner: &mut Scanner) -> Option<Moment> {
    let mut ahead = *scanner;
    ahead.one_of(b"IWEF")?;
    let year = match ahead.count_digits(9) {
        8 => Some(year(&mut ahead)?),
        4 => None,
        _ => return None,
    };
    let date = Date(year, ahead.short(2, 2)?, ahead.short(2, 2)?);
    if !ahead.spaces() {
        return None;
    }
    let time = time_of_day(&mut ahead)?;
    *scanner = ahead;
    civil(date, time).map(|civil| Moment::Local(civil, StampZone::Unknown))
}

/// The date and the time, and the zone behind them.
fn moment(scanner: &mut Scanner, date: Date, time: TimeOfDay) -> Option<Moment> {
    let civil = civil(date, time)?;
    Some(Moment::Local(civil, zone(scanner)))
}

fn civil(Date(year, month, day): Date, (hour, minute, second, nanosecond): TimeOfDay) -> Option<Civil> {
    Some(Civil { year, month, day, hour, minute, second, nanosecond }).filter(Civil::is_valid)
}

fn year(scanner: &mut Scanner) -> Option<u16> {
    let year = scanner.number(4, 4)?;
    u16::try_from(year).ok().filter(|year| YEARS.contains(year))
}

/// What stands between a date and its time: one of these characters, or spaces, also behind a comma.
fn gap(scanner: &mut Scanner, characters: &[u8]) -> Option<()> {
    scanner.eat(b',');
    match scanner.one_of(characters)? {
        b' ' => _ = scanner.spaces(),
        _ if scanner.count_digits(1) == 0 => return None,
        _ => (),
    }
    Some(())
}

/// The number of a month by its name: three letters, or all of them.
fn month_name(scanner: &mut Scanner) -> Option<u8> {
    let word = scanner.word();
    let (month, rest) = match &first_three(word)? {
        b"jan" => (1, "uary"),
        b"feb" => (2, "ruary"),
        b"mar" => (3, "ch"),
        b"apr" => (4, "il"),
        b"may" => (5, ""),
        b"jun" => (6, "e"),
        b"jul" => (7, "y"),
        b"aug" => (8, "ust"),
        b"sep" => (9, "tember"),
        b"oct" => (10, "ober"),
        b"nov" => (11, "ember"),
        b"dec" => (12, "ember"),
        _ => return None,
    };
    ends_with(word, rest).then_some(month)
}

/// Whether the word is a day of the week: three letters, or all of them.
fn is_day_name(word: &[u8]) -> bool {
    let Some(first) = first_three(word) else { return false };
    let rest = match &first {
        b"mon" | b"fri" | b"sun" => "day",
        b"tue" => "sday",
        b"wed" => "nesday",
        b"thu" => "rsday",
        b"sat" => "urday",
        _ => return false,
    };
    ends_with(word, rest)
}

/// The first three letters, in lower case.
fn first_three(word: &[u8]) -> Option<[u8; 3]> {
    word.first_chunk().map(|letters: &[u8; 3]| letters.map(|letter| letter.to_ascii_lowercase()))
}

/// Whether nothing follows the first three letters, or just that.
fn ends_with(word: &[u8], rest: &str) -> bool {
    word.len() == 3 || word[3..].eq_ignore_ascii_case(rest.as_bytes())
}
