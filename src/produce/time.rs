//! Times as a log writer writes them, always in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tz::UtcDateTime;

/// A time since the epoch, shown in UTC.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl Time {
    pub(super) fn now() -> Time {
        Time(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// A microsecond later.
    pub(super) fn next(self) -> Time {
        Time(self.0 + Duration::from_micros(1))
    }

    /// `2026-11-23 01:32:27.123`
    pub(super) fn clock(self) -> String {
        let (date, [hour, minute, second]) = self.parts();
        format!("{date} {hour:02}:{minute:02}:{second:02}.{:03}", self.0.subsec_millis())
    }

    /// `2026-11-23_01-32-27_123456`
    pub(super) fn stamp(self) -> String {
        let (date, [hour, minute, second]) = self.parts();
        format!("{date}_{hour:02}-{minute:02}-{second:02}_{:06}", self.0.subsec_micros())
    }

    /// The date, and the time of day.
    fn parts(self) -> (String, [u8; 3]) {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        let time = UtcDateTime::from_timespec(seconds, 0).unwrap_or(LAST);
        let date = format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.month_day());
        (date, [time.hour(), time.minute(), time.second()])
    }
}

/// For a clock that is set beyond all years.
const LAST: UtcDateTime = match UtcDateTime::new(9999, 12, 31, 23, 59, 59, 0) {
    Ok(last) => last,
    Err(_) => panic!("it is a date"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_in_leap_years_and_at_year_ends() {
        let date = |seconds| Time(Duration::from_secs(seconds)).parts().0;
        assert_eq!((date(0), date(951_782_400), date(951_868_800)), {
            ("1970-01-01".into(), "2000-02-29".into(), "2000-03-01".into())
        });
        assert_eq!((date(1_735_689_599), date(1_735_689_600)), ("2024-12-31".into(), "2025-01-01".into()));
    }
}
