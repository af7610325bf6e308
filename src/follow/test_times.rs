//! Times for tests of all rooms: a line `t7 text` bears the time 7, and other lines bear none.

use super::time_range::TimeRange;
use super::time_search::{Bound, LineTimes};

/// A range of such times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    pub since: Option<u64>,
    pub until: Option<u64>,
}

/// The time of a line.
pub(crate) fn time(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"t")?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

impl Range {
    fn at(&self, bound: Bound) -> Option<u64> {
        if bound == Bound::Since { self.since } else { self.until }
    }
}

impl TimeRange for Range {
    fn has(&self, bound: Bound) -> bool {
        self.at(bound).is_some()
    }

    fn is_before(&self, _: i128, _: Bound) -> bool {
        false
    }

    fn learn(&self, _: [&[u8]; 2], _: i64) -> Box<dyn LineTimes> {
        Box::new(*self)
    }
}

impl LineTimes for Range {
    fn has_reached(&self, line: &[u8], bound: Bound) -> Option<bool> {
        time(line).map(|time| self.at(bound).is_none_or(|end| time >= end))
    }
}
