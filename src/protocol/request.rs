//! The parameters of a stream, as the query of a request gives them.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::address::decode;
use super::bad_target::BadTarget;
use super::criteria::{Case, Context, Criteria, Level, MAX_PATTERNS};
use super::cursor::{Cursor, Place};

/// How many of the last lines are sent first. It is parsed from `all` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lines {
    /// The whole log.
    All,
    /// That many, from 0; a last line without a newline counts as one.
    Last(u64),
}

/// The form of the text on a plain WebSocket connection. It is parsed from `text` or `html`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// As it is in the file. The default.
    #[default]
    Text,
    /// HTML: escaped, with colours as markup; each message is balanced by itself.
    Html,
}

/// The ping on a plain WebSocket connection. It is parsed from `text` or `frame`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeartbeatKind {
    /// The text message `ping`, which the client answers with `pong`. The default.
    #[default]
    Text,
    /// A Ping frame, which WebSocket libraries answer by themselves.
    Frame,
}

/// The answer to a plain HTTP request for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum View {
    /// The log's lines.
    Text,
    /// The page that shows the log in a browser.
    Page,
}

/// The parameters of a stream; those that a client did not name are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Whether to follow the log, or to close once its end is reached.
    pub tail: Option<bool>,
    /// How many of the last lines are sent first.
    pub lines: Option<Lines>,
    /// The line that is sent first, counted from 1 at the start of the file; not with `lines`, `cursor` or `before`.
    pub from: Option<u64>,
    /// The text or the page, whatever the header field `Accept` prefers.
    pub view: Option<View>,
    /// Where to resume; `lines` is then ignored.
    pub cursor: Option<Place>,
    /// Send the last lines of the same file before that place, then end; not with `tail` or `cursor`.
    pub before: Option<Cursor>,
    /// The form of the text.
    pub format: Option<Format>,
    /// The kind of ping.
    pub heartbeat: Option<HeartbeatKind>,
    /// Begin with the first entry of that time or later. What it means depends on the server's clock and on the log, so it
    /// is text here.
    pub since: Option<String>,
    /// End before the first entry of that time or later; `+` and a duration: so long after `since`. Not with `tail`.
    pub until: Option<String>,
    /// What times without a zone mean.
    pub zone: Option<String>,
    /// Whether rotated files belong to the log. Without it they do if there is `since` or `until`.
    pub history: Option<bool>,
    /// The lines to send.
    pub criteria: Criteria,
}

impl Parameters {
    const NAMES: &str = "tail, lines, from, cursor, before, grep, match, exclude, fixed, ignore-case, context, level, max, \
                         since, until, zone, history, format, heartbeat, view";

    /// Parses a query: `tail=1&lines=10`.
    ///
    /// # Errors
    /// If a parameter is unknown, repeated or malformed, or cannot be combined with another one. The message names it.
    pub fn parse(query: &str) -> Result<Parameters, BadTarget> {
        let (mut parameters, mut filter) = (Parameters::default(), FilterParameters::default());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = word(name).map_err(|reason| BadTarget::because(format!("the query {reason}")))?;
            let bad = |reason| BadTarget::because(format!("the parameter `{}` {reason}", name.escape_debug()));
            let value = word(value).map_err(bad)?;
            if !filter.set(&name, &value)? {
                parameters.set(&name, &value)?;
            }
        }
        parameters.criteria = filter.criteria();
        parameters.check()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), BadTarget> {
        match name {
            "tail" => put(&mut self.tail, name, value, "1 or 0", flag),
            "lines" => put(&mut self.lines, name, value, "a number or `all`", |value| value.parse().ok()),
            "from" => put(&mut self.from, name, value, "a line number, 1 or more", line_number),
            "view" => put(&mut self.view, name, value, "text or page", |value| value.parse().ok()),
            "cursor" => put(&mut self.cursor, name, value, "a cursor of this server", |value| value.parse().ok()),
            "before" => put(&mut self.before, name, value, "a cursor of this server", |value| value.parse().ok()),
            "format" => put(&mut self.format, name, value, "text or html", |value| value.parse().ok()),
            "heartbeat" => put(&mut self.heartbeat, name, value, "text or frame", |value| value.parse().ok()),
            "since" => put(&mut self.since, name, value, "a time", text),
            "until" => put(&mut self.until, name, value, "a time", text),
            "zone" => put(&mut self.zone, name, value, "a time zone", text),
            "history" => put(&mut self.history, name, value, "1 or 0", flag),
            _ => Err(BadTarget::because(format!(
                "unknown parameter `{}`; the parameters are {}",
                name.escape_debug(),
                Parameters::NAMES
            ))),
        }
    }

    fn check(self) -> Result<Parameters, BadTarget> {
        let others = [
            ("from", "lines", self.from.is_some() && self.lines.is_some()),
            ("from", "cursor", self.from.is_some() && self.cursor.is_some()),
            ("from", "before", self.from.is_some() && self.before.is_some()),
            ("before", "tail=1", self.before.is_some() && self.tail == Some(true)),
            ("before", "cursor", self.before.is_some() && self.cursor.is_some()),
            ("before", "max", self.before.is_some() && self.criteria.max.is_some()),
            ("from", "since", self.from.is_some() && self.since.is_some()),
            ("until", "tail=1", self.until.is_some() && self.tail == Some(true)),
        ];
        if let Some((name, other, _)) = others.iter().find(|(.., is_both)| *is_both) {
            return Err(BadTarget::because(format!("the parameters `{name}` and `{other}` cannot be combined")));
        }
        if self.since.is_none() && self.until.as_ref().is_some_and(|until| until.trim_start().starts_with('+')) {
            let reason = "the parameter `until` counts from `since` if it begins with `+`, and `since` is missing";
            return Err(BadTarget::because(reason));
        }
        Ok(self)
    }

    /// Whether rotated files belong to the log that is sent.
    pub fn has_history(&self) -> bool {
        self.history.unwrap_or(self.since.is_some() || self.until.is_some())
    }
}

/// The parameters of a filter, as far as they were named.
#[derive(Default)]
struct FilterParameters {
    grep: Vec<String>,
    exclude: Vec<String>,
    match_all: Option<bool>,
    fixed: Option<bool>,
    case: Option<Case>,
    context: Option<Context>,
    level: Option<Level>,
    max: Option<NonZeroU64>,
}

impl FilterParameters {
    /// Whether it is a parameter of a filter.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, BadTarget> {
        let all = |value: &str| match value {
            "any" => Some(false),
            "all" => Some(true),
            _ => None,
        };
        match name {
            "grep" => add(&mut self.grep, name, value),
            "exclude" => add(&mut self.exclude, name, value),
            "match" => put(&mut self.match_all, name, value, "any or all", all),
            "fixed" => put(&mut self.fixed, name, value, "1 or 0", flag),
            "ignore-case" => put(&mut self.case, name, value, "auto, 1 or 0", |value| value.parse().ok()),
            "context" => put(&mut self.context, name, value, CONTEXT, |value| value.parse().ok()),
            "level" => put(&mut self.level, name, value, LEVELS, |value| value.parse().ok()),
            "max" => put(&mut self.max, name, value, "a number of lines, 1 or more", line_count),
            _ => return Ok(false),
        }
        .map(|()| true)
    }

    fn criteria(self) -> Criteria {
        Criteria {
            grep: self.grep,
            match_all: self.match_all.unwrap_or_default(),
            exclude: self.exclude,
            fixed: self.fixed.unwrap_or_default(),
            case: self.case.unwrap_or_default(),
            context: self.context.unwrap_or_default(),
            level: self.level,
            max: self.max,
        }
    }
}

const CONTEXT: &str = "a number of lines up to 1000, two as `B,A`, or `entry`";
const LEVELS: &str = "trace, debug, info, notice, warn, error or fatal";

/// Adds a pattern. What is wrong with one that is not a valid expression is found out when it is compiled.
fn add(patterns: &mut Vec<String>, name: &str, value: &str) -> Result<(), BadTarget> {
    if patterns.len() == MAX_PATTERNS {
        return Err(BadTarget::because(format!("the parameter `{name}` is named more than {MAX_PATTERNS} times")));
    }
    if value.is_empty() {
        return Err(BadTarget::because(format!("the parameter `{name}` has an empty pattern")));
    }
    patterns.push(value.to_owned());
    Ok(())
}

fn line_count(value: &str) -> Option<NonZeroU64> {
    line_number(value).and_then(NonZeroU64::new)
}

pub(super) fn put<T>(
    slot: &mut Option<T>,
    name: &str,
    value: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<(), BadTarget> {
    if slot.is_some() {
        return Err(BadTarget::because(format!("the parameter `{name}` is repeated")));
    }
    *slot = Some(read(value).ok_or_else(|| BadTarget::bad_value(name, value, expected))?);
    Ok(())
}

pub(super) fn word(text: &str) -> Result<String, &'static str> {
    let bytes = decode(text).ok_or("has a malformed percent escape")?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8; a pattern for other bytes is `\\xFF`")
}

pub(super) fn flag(value: &str) -> Option<bool> {
    match value {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn line_number(value: &str) -> Option<u64> {
    match value.parse() {
        Ok(Lines::Last(line)) if line > 0 => Some(line),
        _ => None,
    }
}

impl FromStr for View {
    type Err = String;

    fn from_str(text: &str) -> Result<View, String> {
        match text {
            "text" => Ok(View::Text),
            "page" => Ok(View::Page),
            _ => Err("expected `text` or `page`".to_owned()),
        }
    }
}

impl FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Lines, String> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "all" => Ok(Lines::All),
            _ if digits => text.parse().map(Lines::Last).map_err(|_| "more lines than can be counted".to_owned()),
            _ => Err("expected a number or `all`".to_owned()),
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lines::All => f.write_str("all"),
            Lines::Last(lines) => write!(f, "{lines}"),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        match text {
            "text" => Ok(Format::Text),
            "html" => Ok(Format::Html),
            _ => Err("expected `text` or `html`".to_owned()),
        }
    }
}

impl fmt::Display for HeartbeatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeartbeatKind::Text => "text",
            HeartbeatKind::Frame => "frame",
        })
    }
}

impl FromStr for HeartbeatKind {
    type Err = String;

    fn from_str(text: &str) -> Result<HeartbeatKind, String> {
        match text {
            "text" => Ok(HeartbeatKind::Text),
            "frame" => Ok(HeartbeatKind::Frame),
            _ => Err("expected `text` or `frame`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let read = Parameters::parse("tail=1&lines=all&format=html&heartbeat=frame&cursor=c.5&").unwrap();
        assert_eq!(read.cursor, Some("c.5".parse().unwrap()));
        assert_eq!(read.tail, Some(true));
        assert_eq!(read.lines, Some(Lines::All));
        assert_eq!((read.format, read.heartbeat), (Some(Format::Html), Some(HeartbeatKind::Frame)));
        let before = Parameters::parse("before=c&tail=0&lines=2").unwrap().before;
        assert_eq!(before, Some("c".parse().unwrap()));
        let from = Parameters::parse("from=18446744073709551615&tail=1&view=page").unwrap();
        assert_eq!((from.from, from.view), (Some(u64::MAX), Some(View::Page)));
        assert_eq!(Parameters::parse("").unwrap(), Parameters::default());
        let range = Parameters::parse("since=2026-11-23%2001:32&until=+5m&zone=UTC").unwrap();
        assert_eq!([range.since, range.until, range.zone].map(Option::unwrap), ["2026-11-23 01:32", "+5m", "UTC"]);
    }

    #[test]
    fn a_range_of_times_is_searched_in_rotated_files_unless_asked_otherwise() {
        for (query, expected) in
            [("", false), ("since=1h", true), ("until=1h", true), ("history=1", true), ("since=1h&history=0", false)]
        {
            assert_eq!(Parameters::parse(query).unwrap().has_history(), expected, "{query}");
        }
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let bad = [
            ("tail=2", "tail"),
            ("tail", "tail"),
            ("lines=-1", "lines"),
            ("lines=%D9%A1", "lines"),
            ("lines=99999999999999999999", "lines"),
            ("lines=1&lines=1", "lines"),
            ("cursor=", "cursor"),
            ("cursor=a.b", "cursor"),
            ("cursor=%C3%A4", "cursor"),
            ("before=a.5", "before"),
            ("before=a&tail=1", "before"),
            ("cursor=a&before=a&tail=0", "before"),
            ("from=0", "from"),
            ("from=-1", "from"),
            ("from=%2B1", "from"),
            ("from=all", "from"),
            ("from=", "from"),
            ("from=1&from=1", "from"),
            ("from=1&lines=1", "from"),
            ("cursor=a&from=1", "from"),
            ("from=1&before=a", "from"),
            ("since=1h&since=2h", "since"),
            ("from=2&since=1h", "since"),
            ("until=1h&tail=1", "until"),
            ("until=%2B5m", "since"),
            ("history=yes", "history"),
            ("view=html", "view"),
            ("view=text&view=page", "view"),
            ("format=HTML", "format"),
            ("colour=1", "colour"),
        ];
        for (query, name) in bad {
            let message = Parameters::parse(query).unwrap_err().to_string();
            assert!(message.contains(&format!("`{name}`")), "{query}: {message}");
        }
        assert!(Parameters::parse("x=1").unwrap_err().to_string().contains(Parameters::NAMES));
    }
}
