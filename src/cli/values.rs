//! Parses the values of options: times, sizes, ports, paths. Types that have a text of their own parse themselves.

use std::ffi::OsString;
use std::num::{IntErrorKind, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use wstail::protocol::criteria::MAX_CONTEXT;
use wstail::select::MAX_PATTERN;
use wstail::select::stamp::Recogniser;
use wstail::select::when::{Until, When};
use wstail::select::zone::ZoneName;

/// A path, from the text of its argument.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    let mut parts = text.split('\0');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or("expected a path")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "expected a path")?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    from_bytes(bytes).ok_or("expected a path".to_owned())
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(<OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into())
}

/// Elsewhere a path is a text.
#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// SECS, more than zero.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match seconds_or_zero(text) {
        Ok(Duration::ZERO) => Err("expected seconds, more than 0".to_owned()),
        result => result,
    }
}

/// SECS, with fractions; at most ten years.
pub(super) fn seconds_or_zero(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 315_360_000.0;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: Option<f64> = text.parse().ok().filter(|_| plain);
    match seconds {
        Some(seconds) if seconds <= LONGEST => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected seconds, for example 5 or 0.5".to_owned()),
    }
}

/// MILLIS, at least 1.
pub(super) fn millis(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(millis) if millis > 0 && digits(text) => Ok(Duration::from_millis(millis.into())),
        _ => Err("expected milliseconds, 1 or more".to_owned()),
    }
}

/// A port; 0 for any free one.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|_| digits(text)).ok_or_else(|| "expected a port from 0 to 65535".to_owned())
}

/// A number, at least 1.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0 && digits(text)).ok_or_else(|| "expected 1 or more".to_owned())
}

/// A number, possibly 0.
pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|_| digits(text)).ok_or_else(|| "expected a number".to_owned())
}

/// SIZE: bytes, or a number with KB, MB, GB or KiB, MiB, GiB.
pub(super) fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 6] =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let with_unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)));
    let (number, factor) = with_unit.unwrap_or((text, 1));
    let bytes = number.parse::<u64>().ok().filter(|_| digits(number)).and_then(|number| number.checked_mul(factor));
    bytes.ok_or_else(|| "expected a size, for example 1000, 100KB or 4MiB".to_owned())
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A pattern. Whether it is a valid expression is for the server to say.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    match text {
        "" => Err("expected a pattern that is not empty".to_owned()),
        _ if text.len() > MAX_PATTERN => Err(format!("expected a pattern of at most {MAX_PATTERN} bytes")),
        // What stands for bytes that are not UTF-8, see `words`.
        _ if text.contains('\0') => Err("expected UTF-8; `\\xFF` in an expression stands for a byte".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A TIME. What it means is for the server to say, which has the log.
pub(super) fn time(text: &str) -> Result<String, String> {
    When::parse(text, &Recogniser::default()).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// A TIME, or `+` and a duration.
pub(super) fn end_time(text: &str) -> Result<String, String> {
    Until::parse(text, &Recogniser::default()).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// A time zone. Whether there is one of that name is for the server to say.
pub(super) fn zone(text: &str) -> Result<String, String> {
    match text.parse::<ZoneName>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected `local`, `UTC`, `±HH:MM` or a name such as `Europe/Berlin`".to_owned()),
    }
}

/// How many lines of context.
pub(super) fn context_lines(text: &str) -> Result<u32, String> {
    let lines = number(text).ok().and_then(|lines| u32::try_from(lines).ok());
    lines.filter(|&lines| lines <= MAX_CONTEXT).ok_or_else(|| format!("expected a number of lines up to {MAX_CONTEXT}"))
}

/// How many matching lines.
pub(super) fn line_count(text: &str) -> Result<NonZeroU64, String> {
    match text.parse::<NonZeroU64>() {
        Ok(count) if digits(text) => Ok(count),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("more lines than can be counted".to_owned()),
        _ => Err("expected 1 or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::super::words::text;
    use super::*;

    #[test]
    fn a_path_may_hold_any_bytes() {
        let name = OsString::from_vec(b"a\xff\xe4\xbdb \xe6\xb0\xb4".to_vec());
        assert_eq!(path(&text(name.clone())).unwrap(), PathBuf::from(name));
    }

    #[test]
    fn times_take_fractions() {
        assert_eq!(seconds("0.5").unwrap(), Duration::from_millis(500));
        assert_eq!(seconds_or_zero("0").unwrap(), Duration::ZERO);
        for bad in ["", "0", "-1", "inf", "1e3", "nan", "5s", "999999999999"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert!(millis("0").is_err() && millis("+5").is_err() && millis("250").is_ok());
    }

    #[test]
    fn sizes_take_units() {
        assert_eq!(["0", "100KB", "100 MB", "4MiB", "2GB"].map(|text| size(text).unwrap()), {
            [0, 100_000, 100_000_000, 4 << 20, 2_000_000_000]
        });
        for bad in ["", "KB", "-1", "1.5MB", "5 XB", "99999999999GB", "1kb"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let long = "é".repeat(512);
        assert!(pattern(&long).is_ok() && pattern(&(long + "x")).is_err());
        assert!(pattern("").is_err() && pattern("a\0ff").is_err() && pattern(" ").is_ok());
        assert!(context_lines("1000").is_ok() && context_lines("0").is_ok());
        assert!(["1001", "-1", "", "x", "4294967296"].iter().all(|text| context_lines(text).is_err()));
        assert!(
            line_count(&u64::MAX.to_string()).is_ok()
                && line_count("18446744073709551616").unwrap_err().contains("more")
        );
        assert!(line_count("1").is_ok() && ["0", "", "x"].iter().all(|text| line_count(text).is_err()));
    }
}
