//! How long `Retry-After` asks to wait: a number of seconds, or an HTTP date (RFC 9110, 10.2.3 and 5.6.7). The longest pause
//! that is kept is decided in `reader`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tz::UtcDateTime;

/// The time until `value`. A date counts from the answer's own `Date` where it has one: the clocks of the two machines may
/// differ.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = seconds(value)?;
    let system = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let now = date.and_then(seconds).unwrap_or_else(system);
    Some(Duration::from_secs(at.saturating_sub(now)))
}

/// Seconds since the epoch of `Sun, 06 Nov 1994 08:49:37 GMT`, and of the two older forms,
/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
fn seconds(text: &str) -> Option<u64> {
    let words: Vec<_> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words[..] {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u8 + 1;
    let is_short = year.len() == 2;
    let year = match number(year)? {
        year @ 70..100 if is_short => 1900 + year,
        year if is_short => 2000 + year,
        year @ 1970..=9999 => year,
        _ => return None,
    };
    let mut parts = time.split(':').map(|part| number(part)?.try_into().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let time = UtcDateTime::new(year, month, number(day)?.try_into().ok()?, hour, minute, second, 0).ok()?;
    time.unix_time().try_into().ok()
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn number(text: &str) -> Option<i32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_date_is_the_same_instant() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        for text in ["", "Sun", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "1 2 3 4 5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_counts_from_the_servers_own_clock() {
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:20 GMT", date), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:20 GMT", None), Some(Duration::ZERO));
        assert_eq!(retry_after("120", date), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
        for text in ["", "-1", "soon", "1.5"] {
            assert_eq!(retry_after(text, None), None, "{text}");
        }
    }
}
