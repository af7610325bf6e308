//! A date and a time of day, as a clock on a wall shows them.

use tz::UtcDateTime;

/// Nanoseconds in a second.
pub const SECOND: i128 = 1_000_000_000;

/// What a clock shows, without its time zone. The date exists, or would in a leap year if the year is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 0 to 9999, or `None` where the text left it out.
    pub year: Option<u16>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: a leap second is the next minute's first.
    pub second: u8,
    /// 0 to 999,999,999.
    pub nanosecond: u32,
}

impl Civil {
    /// What a clock in UTC shows that many seconds after the epoch. Years beyond 0 to 9999 become the nearest of those.
    pub fn at(seconds: i64) -> Civil {
        let time = UtcDateTime::from_timespec(seconds.clamp(FIRST.unix_time(), LAST.unix_time()), 0).unwrap_or(LAST);
        Civil {
            year: u16::try_from(time.year()).ok(),
            month: time.month(),
            day: time.month_day(),
            hour: time.hour(),
            minute: time.minute(),
            second: time.second(),
            nanosecond: 0,
        }
    }

    /// Seconds since the epoch when a clock in UTC shows this, in that year; `None` if the year lacks the date.
    pub fn seconds_in(&self, year: u16) -> Option<i64> {
        let time = UtcDateTime::new(year.into(), self.month, self.day, self.hour, self.minute, self.second, 0);
        time.ok().map(|time| time.unix_time())
    }

    /// Whether the date exists and the numbers are in their ranges.
    pub fn is_valid(&self) -> bool {
        let is_day = |last| (1..=last).contains(&self.day);
        let is_date = match self.month {
            2 => is_day(if self.year.is_none_or(is_leap) { 29 } else { 28 }),
            4 | 6 | 9 | 11 => is_day(30),
            1..=12 => is_day(31),
            _ => false,
        };
        is_date && self.hour < 24 && self.minute < 60 && self.second <= 60 && i128::from(self.nanosecond) < SECOND
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const FIRST: UtcDateTime = match UtcDateTime::new(0, 1, 1, 0, 0, 0, 0) {
    Ok(first) => first,
    Err(_) => panic!("it is a date"),
};

const LAST: UtcDateTime = match UtcDateTime::new(9999, 12, 31, 23, 59, 59, 0) {
    Ok(last) => last,
    Err(_) => panic!("it is a date"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_exist_as_the_calendar_has_them() {
        let date = |year, month, day| Civil { year, month, day, ..Civil::at(0) }.is_valid();
        assert!(date(Some(2024), 2, 29) && date(Some(2000), 2, 29) && date(None, 2, 29) && date(Some(2026), 12, 31));
        assert!(!date(Some(2026), 2, 29) && !date(Some(2100), 2, 29) && !date(None, 2, 30) && !date(None, 4, 31));
        assert!(!date(None, 0, 1) && !date(None, 13, 1) && !date(None, 1, 0) && !date(None, 1, 32));
    }

    #[test]
    fn seconds_and_dates_convert_both_ways() {
        for seconds in [0, 951_782_400, 1_795_397_547, 4_102_444_799, -1] {
            let civil = Civil::at(seconds);
            assert_eq!(civil.seconds_in(civil.year.unwrap()), Some(seconds));
        }
        assert_eq!((Civil::at(i64::MIN).year, Civil::at(i64::MAX).year), (Some(0), Some(9999)));
        let leap_second = Civil { second: 60, ..Civil::at(1_483_228_799) };
        assert_eq!(leap_second.seconds_in(2016), Some(1_483_228_800));
    }
}
