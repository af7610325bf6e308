//! The time of day as a log writer writes it, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

    /// The civil date of a day number, after Howard Hinnant's `civil_from_days`, and the time of day.
    fn parts(self) -> (String, [u64; 3]) {
        let seconds = self.0.as_secs();
        let shifted = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60];
        (format!("{year:04}-{month:02}-{day:02}"), time)
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
