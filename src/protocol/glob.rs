//! Patterns for the paths of logs: `nginx/*.log`. It compares texts and opens nothing.

use std::fmt;
use std::str::FromStr;

/// The maximum length of a glob, in bytes.
const MAX_GLOB: usize = 1024;

/// A pattern for a path as a list of logs has it. It is parsed from a text in which `*` stands for any characters of a
/// segment, `?` for one, `[a-z]` for one of these, `[!a-z]` for one that is none of these, and a segment `**` for any
/// number of segments. Every other character stands for itself, and `[*]` for a star.
///
/// Whatever the pattern, a comparison takes no more steps than the product of the two lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Any number of segments.
    Any,
    One(Vec<GlobPart>),
}

/// What stands for one character, or for any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum GlobPart {
    Any,
    Every,
    Literal(char),
    Class { is_negated: bool, ranges: Vec<(char, char)> },
}

/// The error for a text that is not a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoGlob(&'static str);

impl fmt::Display for NoGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoGlob {}

impl FromStr for Glob {
    type Err = NoGlob;

    fn from_str(text: &str) -> Result<Glob, NoGlob> {
        if text.len() > MAX_GLOB {
            return Err(NoGlob("it is longer than 1024 bytes"));
        }
        let names = text.split('/').filter(|name| !name.is_empty());
        let mut segments = names.map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
        if segments.is_empty() {
            return Err(NoGlob("it is empty"));
        }
        // What is below a directory is not the directory.
        if segments.last() == Some(&Segment::Any) {
            segments.push(Segment::One(vec![GlobPart::Any]));
        }
        Ok(Glob { text: text.to_owned(), segments })
    }
}

/// The text that it was parsed from.
impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Glob {
    /// Whether it stands for this path.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let is_any = |segment: &Segment| *segment == Segment::Any;
        matches(&self.segments, &names, is_any, |segment, name| segment.matches(name))
    }

    /// A glob that stands for this character alone.
    pub fn literal(character: char) -> String {
        if "*?[".contains(character) { format!("[{character}]") } else { character.into() }
    }
}

impl Segment {
    fn parse(name: &str) -> Result<Segment, NoGlob> {
        if name == "**" {
            return Ok(Segment::Any);
        }
        let (mut parts, mut rest) = (Vec::new(), name);
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            parts.push(match first {
                '*' => GlobPart::Any,
                '?' => GlobPart::Every,
                '[' => class(&mut rest)?,
                literal => GlobPart::Literal(literal),
            });
        }
        Ok(Segment::One(parts))
    }

    fn matches(&self, name: &str) -> bool {
        let Segment::One(parts) = self else { return true };
        let characters: Vec<char> = name.chars().collect();
        matches(parts, &characters, |part| *part == GlobPart::Any, |part, character| part.matches(*character))
    }
}

impl GlobPart {
    fn matches(&self, character: char) -> bool {
        match self {
            GlobPart::Any | GlobPart::Every => true,
            GlobPart::Literal(literal) => *literal == character,
            GlobPart::Class { is_negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&character)) != *is_negated
            }
        }
    }
}

/// The class whose bracket was just read. A bracket that closes it is not its first character.
fn class(rest: &mut &str) -> Result<GlobPart, NoGlob> {
    let inside = rest.strip_prefix(['!', '^']);
    let (is_negated, inside) = (inside.is_some(), inside.unwrap_or(rest));
    let first = inside.chars().next().map_or(0, char::len_utf8);
    let end = inside.get(first..).and_then(|others| others.find(']')).ok_or(NoGlob("a `[` is not closed"))? + first;
    *rest = &inside[end + 1..];
    let mut characters = inside[..end].chars().peekable();
    let mut ranges = Vec::new();
    while let Some(first) = characters.next() {
        let mut ahead = characters.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                characters = ahead;
                last
            }
            _ => first,
        };
        if last < first {
            return Err(NoGlob("a range ends before it begins"));
        }
        ranges.push((first, last));
    }
    Ok(GlobPart::Class { is_negated, ranges })
}

/// Whether a pattern stands for all of `items`. `is_any` tells which of its elements stand for any number of them.
///
/// Only the last such element is ever made longer: whatever an earlier one could take, this one can take, too. So there
/// is one place to go back to, and the time is bounded.
fn matches<P, I>(pattern: &[P], items: &[I], is_any: impl Fn(&P) -> bool, matches: impl Fn(&P, &I) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_any(part) => {
                retry = Some((at + 1, item));
                at += 1;
            }
            Some(part) if matches(part, &items[item]) => (at, item) = (at + 1, item + 1),
            _ => {
                let Some((after, taken)) = retry else { return false };
                retry = Some((after, taken + 1));
                (at, item) = (after, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn is_match(glob: &str, path: &str) -> bool {
        glob.parse::<Glob>().unwrap().matches(path)
    }

    #[test]
    fn a_star_stays_within_its_segment() {
        for (glob, path, expected) in [
            ("*.log", "app.log", true),
            ("*.log", ".log", true),
            ("*.log", "nginx/app.log", false),
            ("nginx/*", "nginx/app.log", true),
            ("nginx/*", "nginx/a/app.log", false),
            ("*/*.log", "nginx/app.log", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbbcd", false),
            ("app.log", "app.log", true),
            ("app.log", "app_log", false),
            ("a?c", "a水c", true),
            ("a?c", "ac", false),
            ("a?c", "a/c", false),
            ("a**c", "abbc", true),
            ("/nginx//*.log", "nginx/app.log", true),
            ("*", "", false),
        ] {
            assert_eq!(is_match(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn two_stars_are_any_number_of_segments() {
        for (glob, path, expected) in [
            ("**", "app.log", true),
            ("**", "a/b/app.log", true),
            ("**/*.log", "app.log", true),
            ("**/*.log", "a/b/app.log", true),
            ("a/**", "a/b/app.log", true),
            ("a/**", "a", false),
            ("a/**", "ab/c", false),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true),
            ("a/**/b/**/c", "a/b/x/b/y/c", true),
            ("a/**/b/**/c", "a/x/y/c", false),
            ("**/error.log", "x/error.log.1", false),
        ] {
            assert_eq!(is_match(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn a_class_is_one_of_its_characters() {
        for (glob, path, expected) in [
            ("app[12].log", "app1.log", true),
            ("app[12].log", "app3.log", false),
            ("app[0-9a].log", "app7.log", true),
            ("app[!0-9].log", "app7.log", false),
            ("app[^0-9].log", "appx.log", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a-]", "-", true),
            ("[*]", "*", true),
            ("[*]", "x", false),
            ("[水-火]x", "火x", true),
        ] {
            assert_eq!(is_match(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        for (text, cause) in [("", "empty"), ("/", "empty"), ("a[b", "not closed"), ("[a/b]", "not closed")] {
            assert!(text.parse::<Glob>().unwrap_err().to_string().contains(cause), "{text}");
        }
        for (text, cause) in [("[]", "not closed"), ("[", "not closed"), ("[!]", "not closed"), ("[z-a]", "range")] {
            assert!(text.parse::<Glob>().unwrap_err().to_string().contains(cause), "{text}");
        }
        assert!("a".repeat(1025).parse::<Glob>().unwrap_err().to_string().contains("1024"));
    }

    #[test]
    fn a_literal_stands_for_itself() {
        for character in "a*?[]水!".chars() {
            assert!(is_match(&Glob::literal(character), &character.to_string()), "{character}");
            assert!(!is_match(&Glob::literal(character), "x"), "{character}");
        }
    }

    #[test]
    fn a_comparison_takes_no_more_steps_than_the_product_of_the_lengths() {
        for (pattern, text) in [("*a".repeat(500) + "b", "a".repeat(4000)), ("*ab".repeat(100) + "c", "ab".repeat(900))]
        {
            let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            let steps = Cell::new(0);
            let is_same = |part: &char, character: &char| {
                steps.set(steps.get() + 1);
                part == character
            };
            assert!(!matches(&pattern, &text, |part| *part == '*', is_same));
            assert!(steps.get() <= pattern.len() * text.len(), "{}", steps.get());
        }
    }
}
