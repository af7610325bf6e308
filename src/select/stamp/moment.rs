//! What a stamp says, and the instants it may mean.

use crate::civil::{Civil, SECOND};
use crate::select::zone::{Readings, Zone};

/// A time as a line bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant: seconds and nanoseconds since the epoch.
    Instant(i64, u32),
    /// What a clock showed.
    Local(Civil, StampZone),
}

/// The zone of the clock that wrote a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampZone {
    /// The stamp does not say.
    Unknown,
    /// Seconds east of Greenwich.
    Offset(i32),
    /// A word that is an abbreviation only if the log's zone has it. It may as well be the message's first word.
    Abbreviation(Abbreviation),
}

/// Three to five capital letters: `CEST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abbreviation {
    letters: [u8; 5],
    length: u8,
}

impl Abbreviation {
    pub(super) fn new(word: &[u8]) -> Option<Abbreviation> {
        let is_one = (3..=5).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase);
        let mut letters = [0; 5];
        letters.get_mut(..word.len()).filter(|_| is_one)?.copy_from_slice(word);
        Some(Abbreviation { letters, length: word.len() as u8 })
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..self.length.into()]).unwrap_or_default()
    }
}

impl Moment {
    /// The instants that are meant, in the zone of the log. `written` is the log's last write, in nanoseconds since the
    /// epoch: a date without a year is the latest that is not more than a day after it.
    pub fn resolve(&self, zone: &Zone, written: i128) -> Readings {
        match *self {
            Moment::Instant(seconds, nanosecond) => Readings::new((seconds, seconds), nanosecond),
            Moment::Local(civil, stamp_zone) => {
                let read = |seconds| Readings::new(instants(seconds, stamp_zone, zone), civil.nanosecond);
                let dated = civil.year.and_then(|year| civil.seconds_in(year)).map(read);
                dated.unwrap_or_else(|| latest(&civil, zone, written, read))
            }
        }
    }
}

/// The readings in the latest year in which that date is at most a day after `written`.
fn latest(civil: &Civil, zone: &Zone, written: i128, read: impl Fn(i64) -> Readings) -> Readings {
    // Up to eight years lie between two 29 February.
    const SPAN: u16 = 9;
    let limit = written.saturating_add(86_400 * SECOND);
    let year = zone.civil(limit).year.unwrap_or_default();
    let years = (year.saturating_sub(SPAN)..=year.saturating_add(1)).rev();
    let readings = years.filter_map(|year| civil.seconds_in(year)).map(read);
    // Before the year 8 there may not be one.
    readings.into_iter().find(|readings| readings.earliest <= limit).unwrap_or(Readings::one(written))
}

/// The earliest and the latest instant, in seconds, at which a clock shows `local`.
fn instants(local: i64, stamp_zone: StampZone, zone: &Zone) -> (i64, i64) {
    let offset = match stamp_zone {
        StampZone::Unknown => None,
        StampZone::Offset(seconds) => Some(seconds),
        StampZone::Abbreviation(abbreviation) => zone.abbreviated(abbreviation.as_str(), local),
    };
    match offset {
        Some(offset) => (local - i64::from(offset), local - i64::from(offset)),
        None => zone.instants(local),
    }
}
