//! The names of rotated files by a pattern: `app.{n}.log`, `archive/app.log.{time}`. The files themselves are renamed and
//! removed in `rotation`. How a follower recognizes rotated files is a different question: see `follow::generations`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::time::Time;

/// A pattern for the names of rotated files, relative to the log's directory. `{n}` is a number that grows by one with each
/// rotation, `{time}` the time of the rotation, `2026-11-23_01-32-27_123456`. It contains at least one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateName {
    is_absolute: bool,
    segments: Vec<Vec<PatternPart>>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternPart {
    Text(String),
    Number,
    Time,
}

/// The maximum number: there is always a next one.
const HIGHEST: u64 = u64::MAX / 2;

/// What stands for the tokens in a name. Rotated files are ordered by it, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Values {
    number: Option<u64>,
    time: Option<String>,
}

impl FromStr for RotateName {
    type Err = String;

    fn from_str(text: &str) -> Result<RotateName, String> {
        let segments: Vec<_> = text.split('/').filter(|part| !matches!(*part, "" | ".")).map(tokens).collect();
        let segments = segments.into_iter().collect::<Result<Vec<_>, String>>()?;
        if text.ends_with('/') || text.contains('\0') {
            return Err("expected the name of a file".to_owned());
        }
        if segments.iter().flatten().all(|token| matches!(token, PatternPart::Text(_))) {
            return Err("expected {n} or {time} in the name".to_owned());
        }
        Ok(RotateName { is_absolute: text.starts_with('/'), segments, text: text.to_owned() })
    }
}

fn tokens(mut segment: &str) -> Result<Vec<PatternPart>, String> {
    let mut tokens = Vec::new();
    while !segment.is_empty() {
        let (text, rest) = segment.split_at(segment.find(['{', '}']).unwrap_or(segment.len()));
        if !text.is_empty() {
            tokens.push(PatternPart::Text(text.to_owned()));
        }
        segment = rest;
        let token = [("{n}", PatternPart::Number), ("{time}", PatternPart::Time)]
            .into_iter()
            .find_map(|(name, token)| Some((segment.strip_prefix(name)?, token)));
        match token {
            Some((rest, token)) => {
                tokens.push(token);
                segment = rest;
            }
            None if segment.is_empty() => {}
            None => return Err("expected only {n} and {time} in braces".to_owned()),
        }
    }
    Ok(tokens)
}

impl fmt::Display for RotateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl RotateName {
    /// Names for the next rotated file, with their numbers: from that number on, or by the time and the microseconds after.
    pub(super) fn candidates(&self, directory: &Path, number: u64) -> impl Iterator<Item = (PathBuf, u64)> {
        let has_number = self.segments.iter().flatten().any(|token| *token == PatternPart::Number);
        let first = (Time::now(), number);
        let next = move |(time, number): &(Time, u64)| {
            Some(if has_number { (*time, number.checked_add(1)?) } else { (time.next(), *number) })
        };
        std::iter::successors(Some(first), next).map(move |(time, number)| (self.fill(directory, time, number), number))
    }

    fn fill(&self, directory: &Path, time: Time, number: u64) -> PathBuf {
        let mut path = self.base(directory);
        for segment in &self.segments {
            let text = |token: &PatternPart| match token {
                PatternPart::Text(text) => text.clone(),
                PatternPart::Number => number.to_string(),
                PatternPart::Time => time.stamp(),
            };
            path.push(segment.iter().map(text).collect::<String>());
        }
        path
    }

    fn base(&self, directory: &Path) -> PathBuf {
        if self.is_absolute { PathBuf::from("/") } else { directory.to_owned() }
    }

    /// The highest number of a rotated file of the log; 0 if there are none.
    pub(super) fn highest(&self, log: &Path, directory: &Path) -> io::Result<u64> {
        let found = self.find(log, directory)?;
        Ok(found.iter().filter_map(|(values, _)| values.number).max().unwrap_or(0))
    }

    /// The rotated files of the log, oldest first.
    pub(super) fn rotated(&self, log: &Path, directory: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.find(log, directory)?.into_iter().map(|(_, path)| path).collect())
    }

    fn find(&self, log: &Path, directory: &Path) -> io::Result<Vec<(Values, PathBuf)>> {
        let mut found = vec![(Values::default(), self.base(directory))];
        for segment in &self.segments {
            let mut below = Vec::new();
            for (values, path) in found {
                if let [PatternPart::Text(name)] = &segment[..] {
                    below.push((values, path.join(name)));
                    continue;
                }
                let entries = match fs::read_dir(&path) {
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                        continue;
                    }
                    result => result?,
                };
                for entry in entries {
                    let entry = entry?;
                    let mut values = values.clone();
                    if entry.file_name().to_str().is_some_and(|name| matches(segment, name, &mut values)) {
                        below.push((values, entry.path()));
                    }
                }
            }
            found = below;
        }
        // The log's own name may fit, too.
        let name = log.file_name();
        found.retain(|(_, path)| path.exists() && !(path.file_name() == name && path.parent() == Some(directory)));
        found.sort();
        Ok(found)
    }
}

/// Whether the name is one of the pattern's; `values` learns what stands for the tokens.
fn matches(tokens: &[PatternPart], name: &str, values: &mut Values) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return name.is_empty() };
    match token {
        PatternPart::Text(text) => name.strip_prefix(text.as_str()).is_some_and(|name| matches(rest, name, values)),
        PatternPart::Time => name.split_at_checked(STAMP.len()).is_some_and(|(time, name)| {
            let known = values.time.get_or_insert_with(|| time.to_owned());
            is_stamp(time) && known == time && matches(rest, name, values)
        }),
        PatternPart::Number => {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            (1..=digits).rev().any(|length| {
                let mut filled = values.clone();
                let Some(number) = name[..length].parse().ok().filter(|number| *number <= HIGHEST) else {
                    return false;
                };
                let is_same = *filled.number.get_or_insert(number) == number;
                let fits = is_same && matches(rest, &name[length..], &mut filled);
                if fits {
                    *values = filled;
                }
                fits
            })
        }
    }
}

/// The shape of a time in a name.
const STAMP: &str = "0000-00-00_00-00-00_000000";

pub(super) fn is_stamp(text: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.len() == STAMP.len() && text.bytes().zip(STAMP.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_a_number_or_a_time_and_no_other_braces() {
        for text in
            ["app.{n}.log", "archive/app.log.{n}", "{time}", "/tmp/x-{time}-{n}.log", "{n}/app.log", "{n}{time}"]
        {
            assert_eq!(text.parse::<RotateName>().unwrap().to_string(), text);
        }
        for text in
            ["", "app.log.1", "app.{N}.log", "{n}.{date}", "{n", "n}{n}", "{}{n}", "{{n}}", "{ n }", "{n}/", "{n}\0"]
        {
            assert!(text.parse::<RotateName>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_known_again() {
        let values = |pattern: &str, name: &str| {
            let mut values = Values::default();
            matches(&tokens(pattern).unwrap(), name, &mut values).then_some(values)
        };
        assert_eq!(values("app.{n}.log", "app.12.log").unwrap().number, Some(12));
        assert_eq!(values("{n}1.log", "121.log").unwrap().number, Some(12));
        assert_eq!(values("{n}-{n}", "3-3").unwrap().number, Some(3));
        let time = "2026-11-23_01-32-27_123456";
        let both = values("{time}.{n}", &format!("{time}.4")).unwrap();
        assert_eq!((both.time.as_deref(), both.number), (Some(time), Some(4)));
        for (pattern, name) in [
            ("app.{n}.log", "app.18446744073709551615.log"),
            ("app.{n}.log", "app..log"),
            ("{n}", "x"),
            ("{n}-{n}", "3-4"),
            ("{time}", "2026"),
            ("{n}", "é"),
        ] {
            assert_eq!(values(pattern, name), None, "{pattern} {name}");
        }
    }
}
