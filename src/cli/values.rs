//! How options and their values are written.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use wstail::text::sanitize::escape;
use wstail::{Error, Result};

/// Options that take no value.
const SWITCHES: [&str; 9] =
    ["--help", "--version", "--hidden", "--insecure", "--no-follow", "--quiet", "--stamp", "--show-cursor", "--verify"];
/// Options with a short name that takes a value.
const SHORT: [&str; 2] = ["-n", "-o"];

/// Splits `--option=value` and `-n5`: argh knows only the form with a space.
pub(super) fn split(arguments: Vec<String>) -> Result<Vec<String>> {
    let mut split = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            split.push(argument);
            break;
        }
        if takes_value(&argument) {
            split.push(argument);
            split.extend(arguments.next());
            continue;
        }
        let long = argument.split_once('=').filter(|(option, _)| option.starts_with("--"));
        let short = SHORT.iter().find_map(|short| Some((*short, argument.strip_prefix(short)?)));
        match long.or(short.filter(|(_, value)| !value.is_empty())) {
            Some((option, _)) if SWITCHES.contains(&option) => {
                return Err(Error::usage(format!("the option `{option}` takes no value")));
            }
            Some((option, value)) => split.extend([option.to_owned(), value.to_owned()]),
            None => split.push(argument),
        }
    }
    split.extend(arguments);
    Ok(split)
}

/// Whether the next argument is its value.
fn takes_value(argument: &str) -> bool {
    let is_long = argument.starts_with("--") && !argument.contains('=');
    is_long && !SWITCHES.contains(&argument) || SHORT.contains(&argument)
}

/// Puts `help COMMAND`, and `--help` and `--version` among other options, as argh knows them.
pub(super) fn reorder<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    match arguments {
        _ if asks(arguments, &["-V", "--version"]) => vec!["--version"],
        ["help" | "--help" | "-h", command, ..] if !command.starts_with('-') && *command != "help" => {
            vec![*command, "--help"]
        }
        ["help" | "--help" | "-h", ..] => vec!["--help"],
        [command, rest @ ..] if asks(rest, &["-h", "--help"]) => vec![*command, "--help"],
        _ => arguments.to_vec(),
    }
}

/// Whether one of these options is there, and is not another one's value.
fn asks(arguments: &[&str], options: &[&str]) -> bool {
    let mut arguments = arguments.iter().take_while(|argument| **argument != "--");
    while let Some(argument) = arguments.next() {
        if options.contains(argument) {
            return true;
        }
        if takes_value(argument) {
            arguments.next();
        }
    }
    false
}

/// An argument as the text that argh takes. A byte that is no UTF-8 becomes NUL, which no argument holds, and its two
/// hexadecimal digits.
pub(super) fn text(argument: OsString) -> String {
    let mut text = String::new();
    for chunk in argument.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\0{byte:02x}")));
    }
    text
}

/// A path, from the text of its argument.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    let mut parts = text.split('\0');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or("expected a path")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "expected a path")?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Ok(OsString::from_vec(bytes).into())
}

/// What argh complains about, on one line.
pub(super) fn one_line(complaint: &str) -> String {
    let joined = escape(&complaint.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut characters = joined.trim_end_matches('.').chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// SECS, more than zero.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match seconds_or_zero(text) {
        Ok(Duration::ZERO) => Err("expected more than 0 seconds".to_owned()),
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

/// A port, 0 for any that is free.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|_| digits(text)).ok_or_else(|| "expected a port from 0 to 65535".to_owned())
}

/// A number of things, at least 1.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0 && digits(text)).ok_or_else(|| "expected 1 or more".to_owned())
}

/// A number of things, 0 for none.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(arguments: &[&str]) -> Vec<String> {
        split(arguments.iter().map(|argument| (*argument).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_value_may_follow_an_equals_sign() {
        assert_eq!(words(&["serve", "--port=0", "a=b"]), ["serve", "--port", "0", "a=b"]);
        assert_eq!(words(&["--message=a=b", "--", "--x=y"]), ["--message", "a=b", "--", "--x=y"]);
        assert_eq!(words(&["-n5", "-oraw", "-n", "3", "-q"]), ["-n", "5", "-o", "raw", "-n", "3", "-q"]);
        assert_eq!(words(&["--message", "--a=b", "-n", "-nx"]), ["--message", "--a=b", "-n", "-nx"]);
        assert!(split(vec!["--hidden=1".to_owned()]).unwrap_err().to_string().contains("`--hidden`"));
    }

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
}
