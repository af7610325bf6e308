//! Times as a log writer writes them, always in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::civil::Civil;

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
        let Civil { year, month, day, hour, minute, second, .. } = Civil::at(seconds);
        (format!("{:04}-{month:02}-{day:02}", year.unwrap_or_default()), [hour, minute, second])
    }
}

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
