//! Times that are numbers: seconds and their fractions since the epoch, audit stamps, TAI64N.

use super::moment::Moment;
use super::scanner::Scanner;

/// From September 2001, which is when seconds got ten digits, until the year 2100. What looks like another one is some
/// other number.
const SECONDS: std::ops::Range<u64> = 1_000_000_000..4_102_444_800;

/// TAI64 counts from 2^62 seconds before 1970. daemontools, and everyone after it, puts TAI ten seconds before UTC, which
/// was right in 1970, and knows no leap seconds.
const TAI64_EPOCH: u64 = (1 << 62) + 10;

/// Seconds with or without a fraction, milli-, micro- or nanoseconds, told apart by the number of digits.
pub(super) fn epoch(scanner: &mut Scanner) -> Option<Moment> {
    let mut ahead = *scanner;
    // The units in a second, and the nanoseconds in a unit.
    let (in_second, unit) = match ahead.count_digits(20) {
        10 => (1, 1_000_000_000),
        13 => (1_000, 1_000_000),
        16 => (1_000_000, 1_000),
        19 => (1_000_000_000, 1),
        _ => return None,
    };
    let mut value = 0u64;
    while let Some(digit @ b'0'..=b'9') = ahead.peek() {
        value = value * 10 + u64::from(digit - b'0');
        ahead.at += 1;
    }
    let fraction = u64::from(ahead.fraction(b".,")) * unit / 1_000_000_000;
    let nanosecond = value % in_second * unit + fraction;
    moment(scanner, ahead, value / in_second, nanosecond)
}

/// That instant, and behind it the scanner, if a log may have been written then.
fn moment<'l>(scanner: &mut Scanner<'l>, behind: Scanner<'l>, seconds: u64, nanosecond: u64) -> Option<Moment> {
    let is_time = behind.is_boundary() && SECONDS.contains(&seconds) && nanosecond < 1_000_000_000;
    is_time.then(|| {
        *scanner = behind;
        Moment::Instant(seconds as i64, nanosecond as u32)
    })
}

/// `audit(1763861547.123:45)`, as the kernel's audit system writes it.
pub(super) fn audit(scanner: &mut Scanner) -> Option<Moment> {
    let mut ahead = *scanner;
    if !ahead.eat_text(b"audit(") {
        return None;
    }
    let moment = audit_number(&mut ahead)?;
    ahead.eat(b')').then(|| {
        *scanner = ahead;
        moment
    })
}

/// `1763861547.123:45`: the time and the event's number.
fn audit_number(scanner: &mut Scanner) -> Option<Moment> {
    let moment = epoch(scanner)?;
    let is_one = scanner.eat(b':') && scanner.count_digits(1) == 1;
    scanner.at += scanner.count_digits(20);
    is_one.then_some(moment)
}

/// `@400000006922634d0757f3ac`: 16 hexadecimal digits of seconds, 8 of nanoseconds.
pub(super) fn tai64n(scanner: &mut Scanner) -> Option<Moment> {
    let mut ahead = *scanner;
    if !ahead.eat(b'@') {
        return None;
    }
    let digits = ahead.rest().get(..24)?;
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u64, |value, digit| Some(value << 4 | u64::from(char::from(*digit).to_digit(16)?)))
    };
    let (seconds, nanosecond) = (number(&digits[..16])?.checked_sub(TAI64_EPOCH)?, number(&digits[16..])?);
    ahead.at += 24;
    moment(scanner, ahead, seconds, nanosecond)
}
