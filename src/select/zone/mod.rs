//! Time zones: what a clock in one shows, and which instants it may mean. Twice a year that is not one instant: an hour
//! comes twice when clocks are set back, and is missing when they are set forward.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::str::FromStr;

use tz::timezone::LocalTimeType;
use tz::{TimeZone, UtcDateTime};

use crate::civil::{Civil, SECOND};

/// Where the system keeps the data of time zones.
const ZONEINFO: &str = "/usr/share/zoneinfo";

/// The maximum length of a zone's name, in bytes. The longest of the IANA database has 32.
const MAX_NAME: usize = 64;

/// A zone as a request names it. It is parsed from `local`, `UTC`, `±HH:MM`, or a name such as `Europe/Berlin`; whether
/// that exists is known once it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneName {
    /// The machine's: `TZ`, else `/etc/localtime`, else UTC, as in the C library. The default.
    #[default]
    Local,
    /// Coordinated universal time.
    Utc,
    /// Seconds east of Greenwich, less than a day.
    Fixed(i32),
    /// A name in the IANA database. It cannot lead out of the database's directory.
    Named(String),
}

/// A time zone, ready to be asked.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    rules: Rules,
}

#[derive(Clone, Debug)]
enum Rules {
    Fixed(i32),
    Table(TimeZone),
}

/// The first and the last instant that a time may mean, in nanoseconds since the epoch. They differ in an hour that comes
/// twice, and in one that is missing: there the clock was not set forward yet, or had been set forward already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// Not later than `latest`.
    pub earliest: i128,
    /// Equal to `earliest` where there is only one reading.
    pub latest: i128,
}

/// The error for a zone that does not exist, or whose data cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneError {
    /// The text is not a zone's name.
    Malformed(String),
    /// The system has no zone of that name.
    Unknown(String),
    /// The data of the zone of that name is not in the format of tzfile(5).
    Damaged(String),
}

impl FromStr for ZoneName {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<ZoneName, ZoneError> {
        match text {
            "local" => return Ok(ZoneName::Local),
            "UTC" => return Ok(ZoneName::Utc),
            _ => (),
        }
        if let Some(seconds) = offset(text.as_bytes()) {
            return Ok(ZoneName::Fixed(seconds));
        }
        // The characters exclude dots, so that no segment leads upwards.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_/".contains(&byte);
        let is_name = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with('/');
        if is_name { Ok(ZoneName::Named(text.to_owned())) } else { Err(ZoneError::Malformed(text.to_owned())) }
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZoneName::Local => f.write_str("local"),
            ZoneName::Utc => f.write_str("UTC"),
            ZoneName::Fixed(seconds) => write_offset(f, *seconds),
            ZoneName::Named(name) => f.write_str(name),
        }
    }
}

/// Seconds of `+01:00` or `-03:30`.
fn offset(text: &[u8]) -> Option<i32> {
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *text else { return None };
    let number = |tens: u8, ones: u8| match (tens, ones) {
        (b'0'..=b'9', b'0'..=b'9') => Some(i32::from(tens - b'0') * 10 + i32::from(ones - b'0')),
        _ => None,
    };
    let (hours, minutes) = (number(h1, h2)?, number(m1, m2)?);
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    Some(if sign == b'-' { -seconds } else { seconds })
}

fn write_offset(f: &mut dyn fmt::Write, seconds: i32) -> fmt::Result {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl ZoneName {
    /// Reads the zone's data from the system.
    ///
    /// # Errors
    /// If the system has no zone of that name, or its data cannot be parsed. `local` never fails.
    pub fn load(&self) -> Result<Zone, ZoneError> {
        match self {
            ZoneName::Local => Ok(Zone { name: local_name(), rules: Rules::Table(local()) }),
            ZoneName::Utc => Ok(Zone::utc()),
            ZoneName::Fixed(seconds) => Ok(Zone { name: self.to_string(), rules: Rules::Fixed(*seconds) }),
            ZoneName::Named(name) => {
                let data = fs::read(format!("{ZONEINFO}/{name}")).map_err(|_| ZoneError::Unknown(name.clone()))?;
                Zone::from_data(name, &data)
            }
        }
    }
}

/// The machine's zone: TZ, else the system's, else UTC, as in the C library.
pub fn local() -> TimeZone {
    let zone = match std::env::var("TZ") {
        Ok(name) if name.is_empty() => Ok(TimeZone::utc()),
        Ok(name) => TimeZone::from_posix_tz(&name),
        Err(_) => TimeZone::local(),
    };
    zone.unwrap_or_else(|_| TimeZone::utc())
}

/// What the machine's zone is called in the IANA database, as other machines may have another one. `local` if it is not in
/// there.
fn local_name() -> String {
    let linked = || Some(fs::read_link("/etc/localtime").ok()?.to_str()?.split_once("zoneinfo/")?.1.to_owned());
    let name = match std::env::var("TZ") {
        Ok(name) if name.is_empty() => Some("UTC".to_owned()),
        Ok(name) => Some(name.trim_start_matches(':').to_owned()),
        Err(_) if !fs::exists("/etc/localtime").unwrap_or(true) => Some("UTC".to_owned()),
        Err(_) => linked(),
    };
    let is_known = |name: &String| match name.parse() {
        Ok(ZoneName::Named(name)) => ZoneName::Named(name).load().is_ok(),
        Ok(name) => name == ZoneName::Utc,
        Err(_) => false,
    };
    name.filter(is_known).unwrap_or_else(|| "local".to_owned())
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone { name: "UTC".to_owned(), rules: Rules::Fixed(0) }
    }

    /// The zone of that name, from data in the format of tzfile(5).
    ///
    /// # Errors
    /// If the data is not in that format.
    pub fn from_data(name: &str, data: &[u8]) -> Result<Zone, ZoneError> {
        match TimeZone::from_tz_data(data) {
            Ok(zone) => Ok(Zone { name: name.to_owned(), rules: Rules::Table(zone) }),
            Err(_) => Err(ZoneError::Damaged(name.to_owned())),
        }
    }

    /// The name by which it was asked for; that of the machine's zone in the IANA database, or `local` if it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of Greenwich that many seconds after the epoch.
    pub fn offset(&self, instant: i64) -> i32 {
        match &self.rules {
            Rules::Fixed(seconds) => *seconds,
            Rules::Table(zone) => type_at(zone, instant).ut_offset(),
        }
    }

    /// The instants at which a clock of this zone shows `local`, given as the seconds after the epoch at which one in UTC
    /// would show it: the earliest and the latest, also in seconds after the epoch.
    pub fn instants(&self, local: i64) -> (i64, i64) {
        const DAY: i64 = 86_400;
        // No zone is a day off Greenwich, so these lie before and after every reading. Two changes within two days would
        // not be told apart. No zone has made them since 1970: around every change in the database this gave the same as
        // tz-rs's own search through the table, which takes 0.9 µs for Europe/Berlin where this takes 36 ns.
        let before = self.offset(local.saturating_sub(DAY));
        let after = self.offset(local.saturating_add(DAY));
        let at = |offset: i32| local.saturating_sub(offset.into());
        if before == after {
            return (at(before), at(before));
        }
        let is_real = |offset: i32| self.offset(at(offset)) == offset;
        match (is_real(before), is_real(after)) {
            (true, false) => (at(before), at(before)),
            (false, true) => (at(after), at(after)),
            // The clock shows it twice, or never.
            _ => (at(before).min(at(after)), at(before).max(at(after))),
        }
    }

    /// The first instant of a day, in seconds after the epoch; `midnight` as in [`instants`](Zone::instants). Some zones
    /// set their clocks forward at midnight: there the day begins with the change.
    pub fn first_instant(&self, midnight: i64) -> i64 {
        let (earliest, latest) = self.instants(midnight);
        let is_of_day = |instant: i64| instant.saturating_add(self.offset(instant).into()) >= midnight;
        if is_of_day(earliest) {
            return earliest;
        }
        let (mut before, mut after) = (earliest, latest);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            *(if is_of_day(middle) { &mut after } else { &mut before }) = middle;
        }
        after
    }

    /// The offset that an abbreviation such as `CEST` stands for, if it is this zone's own. Of several the one in use
    /// around `local` counts, else the latest.
    pub fn abbreviated(&self, abbreviation: &str, local: i64) -> Option<i32> {
        let Rules::Table(zone) = &self.rules else { return None };
        let (earliest, latest) = self.instants(local);
        let is_meant = |kind: &&LocalTimeType| kind.time_zone_designation() == abbreviation;
        let near = [earliest, latest].map(|instant| type_at(zone, instant));
        let known = || zone.as_ref().local_time_types().iter().rev().find(is_meant);
        near.into_iter().find(is_meant).or_else(known).map(LocalTimeType::ut_offset)
    }

    /// What a clock of this zone shows, without the fraction of a second.
    pub fn civil(&self, nanoseconds: i128) -> Civil {
        let seconds = seconds(nanoseconds);
        Civil::at(seconds.saturating_add(self.offset(seconds).into()))
    }

    /// `2026-11-23T01:32:27.123+01:00`, as RFC 3339 has it; the fraction has 0, 3, 6 or 9 digits. Years beyond 0 to 9999
    /// become the nearest of those.
    pub fn rfc3339(&self, nanoseconds: i128) -> String {
        // Before railways, zones had offsets that RFC 3339 cannot express.
        let offset = Some(self.offset(seconds(nanoseconds))).filter(|offset| offset % 60 == 0).unwrap_or(0);
        let local = seconds(nanoseconds).saturating_add(offset.into());
        let Civil { year, month, day, hour, minute, second, .. } = Civil::at(local);
        let year = year.unwrap_or_default();
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        let fraction = nanoseconds.rem_euclid(SECOND);
        if fraction != 0 {
            let digits = format!("{fraction:09}");
            let zeros = digits.len() - digits.trim_end_matches('0').len();
            text += &format!(".{}", &digits[..9 - zeros / 3 * 3]);
        }
        match offset {
            0 => text.push('Z'),
            offset => write_offset(&mut text, offset).expect("a string takes everything"),
        }
        text
    }
}

/// The whole seconds after the epoch, rounded down.
fn seconds(nanoseconds: i128) -> i64 {
    let seconds = nanoseconds.div_euclid(SECOND);
    i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX })
}

/// The rules in force at an instant. Data without a rule for the future, and instants that no calendar reaches, have the
/// rules of the last change.
fn type_at(zone: &TimeZone, instant: i64) -> &LocalTimeType {
    let zone = zone.as_ref();
    let instant = instant.clamp(UtcDateTime::MIN.unix_time() / 2, UtcDateTime::MAX.unix_time() / 2);
    let last = || zone.transitions().last().map_or(0, |last| last.local_time_type_index());
    zone.find_local_time_type(instant).unwrap_or_else(|_| &zone.local_time_types()[last()])
}

impl Readings {
    /// One instant.
    pub fn one(nanoseconds: i128) -> Readings {
        Readings { earliest: nanoseconds, latest: nanoseconds }
    }

    /// Both in seconds after the epoch, and the nanoseconds that belong to both.
    pub fn new((earliest, latest): (i64, i64), nanosecond: u32) -> Readings {
        let at = |seconds: i64| i128::from(seconds) * SECOND + i128::from(nanosecond);
        Readings { earliest: at(earliest), latest: at(latest) }
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZoneError::Malformed(name) => {
                let shown: String = name.chars().take(MAX_NAME).collect();
                let shown = shown.escape_debug();
                write!(
                    f,
                    "`{shown}` is not a time zone: expected `local`, `UTC`, `±HH:MM` or a name as `Europe/Berlin`"
                )
            }
            ZoneError::Unknown(name) => write!(f, "unknown time zone `{name}`"),
            ZoneError::Damaged(name) => write!(f, "cannot use the time zone `{name}`: its data is damaged"),
        }
    }
}

impl std::error::Error for ZoneError {}
