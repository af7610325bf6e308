//! Which lines of a log a client asks for. What that means for a line is `select`'s question.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The lines that a client asks for. The default is all of them.
///
/// A filter is applied in this order: [`level`](Criteria::level) takes entries away, [`exclude`](Criteria::exclude) takes
/// lines away, and among those that are left [`grep`](Criteria::grep) finds its lines, to which the context is added.
/// Without `grep`, every line that is left is sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Criteria {
    /// Only lines that match one of these patterns; at most [`MAX_PATTERNS`].
    pub grep: Vec<String>,
    /// A line must match every pattern of `grep`, not just one.
    pub match_all: bool,
    /// Lines that match one of these patterns do not exist for the stream; at most [`MAX_PATTERNS`].
    pub exclude: Vec<String>,
    /// The patterns are texts, not regular expressions.
    pub fixed: bool,
    /// Whether case counts.
    pub case: Case,
    /// What is sent along with a line that matches.
    pub context: Context,
    /// Only entries of this level or a graver one.
    pub level: Option<Level>,
    /// The stream ends with this matching line and its context.
    pub max: Option<NonZeroU64>,
}

/// How many patterns `grep` may have, and as many `exclude`.
pub const MAX_PATTERNS: usize = 16;

/// How many lines of context there may be on each side.
pub const MAX_CONTEXT: u32 = 1000;

/// The names of the parameters that [`Criteria`] stand for.
pub(crate) const PARAMETERS: [&str; 8] =
    ["grep", "match", "exclude", "fixed", "ignore-case", "context", "level", "max"];

/// Characters that must be encoded in the value of a parameter. Proxies and libraries disagree on what `+` means there, so
/// it is encoded, too.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');

/// The value of a parameter, percent-encoded.
pub(crate) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

/// The line between two groups of lines, where there are no events: as in grep.
pub const SEPARATOR: &[u8] = b"--\n";

/// Whether a pattern also matches letters of the other case. It is parsed from `auto`, `1` or `0`, the values of the
/// parameter `ignore-case`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Case {
    /// It does unless it has a capital letter. Letters after a backslash do not count.
    #[default]
    Smart,
    /// It does.
    Ignored,
    /// It does not, except where an expression has `(?i)`.
    Sensitive,
}

/// What is sent along with a line that matches. It is parsed from `2` (lines on both sides), `2,5` (before and after) or
/// `entry`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Context {
    /// Lines around it.
    Lines {
        /// How many before it, up to [`MAX_CONTEXT`].
        before: u32,
        /// How many after it, up to [`MAX_CONTEXT`].
        after: u32,
    },
    /// The rest of its entry.
    Entry,
}

/// How grave an entry is, the least grave first. It is parsed from the variant's name in lower case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Level {
    /// The finest detail.
    Trace,
    /// For developers.
    Debug,
    /// What usually happens.
    Info,
    /// What is worth a look.
    Notice,
    /// What may become an error.
    Warn,
    /// Something failed.
    Error,
    /// The program cannot go on.
    Fatal,
}

impl Criteria {
    /// Whether every line is asked for.
    pub fn is_everything(&self) -> bool {
        self.grep.is_empty() && self.exclude.is_empty() && self.level.is_none() && self.max.is_none()
    }

    /// Whether lines are sent that do not match themselves. Without `grep` every line matches that is left, so there is
    /// no context.
    pub fn has_context(&self) -> bool {
        !self.grep.is_empty() && self.context != Context::default()
    }

    /// The parameters of a request for these lines, as names and values. Those that have their defaults are left out.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        parameters.extend(self.grep.iter().map(|pattern| ("grep", pattern.clone())));
        parameters.extend(self.match_all.then(|| ("match", "all".to_owned())));
        parameters.extend(self.exclude.iter().map(|pattern| ("exclude", pattern.clone())));
        parameters.extend(self.fixed.then(|| ("fixed", "1".to_owned())));
        parameters.extend((self.case != Case::default()).then(|| ("ignore-case", self.case.to_string())));
        parameters.extend((self.context != Context::default()).then(|| ("context", self.context.to_string())));
        parameters.extend(self.level.map(|level| ("level", level.to_string())));
        parameters.extend(self.max.map(|max| ("max", max.to_string())));
        parameters
    }
}

/// The parameters of a request for these lines, percent-encoded and joined by `&`. Those that have their defaults are left
/// out, so it is empty for all lines.
impl fmt::Display for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, value)) in self.parameters().iter().enumerate() {
            let separator = if number == 0 { "" } else { "&" };
            write!(f, "{separator}{name}={}", encoded(value))?;
        }
        Ok(())
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::Lines { before: 0, after: 0 }
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Case, String> {
        match text {
            "auto" => Ok(Case::Smart),
            "1" => Ok(Case::Ignored),
            "0" => Ok(Case::Sensitive),
            _ => Err("expected `auto`, `1` or `0`".to_owned()),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Case::Smart => "auto",
            Case::Ignored => "1",
            Case::Sensitive => "0",
        })
    }
}

impl FromStr for Context {
    type Err = String;

    fn from_str(text: &str) -> Result<Context, String> {
        if text == "entry" {
            return Ok(Context::Entry);
        }
        let (before, after) = text.split_once(',').unwrap_or((text, text));
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|&lines| is_number && lines <= MAX_CONTEXT)
        };
        match (number(before), number(after)) {
            (Some(before), Some(after)) => Ok(Context::Lines { before, after }),
            _ => Err(format!("expected a number up to {MAX_CONTEXT}, two of them as `B,A`, or `entry`")),
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Context::Lines { before, after } if before == after => write!(f, "{before}"),
            Context::Lines { before, after } => write!(f, "{before},{after}"),
            Context::Entry => f.write_str("entry"),
        }
    }
}

impl Level {
    const ALL: [(&str, Level); 7] = [
        ("trace", Level::Trace),
        ("debug", Level::Debug),
        ("info", Level::Info),
        ("notice", Level::Notice),
        ("warn", Level::Warn),
        ("error", Level::Error),
        ("fatal", Level::Fatal),
    ];
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let found = Level::ALL.into_iter().find(|(word, _)| *word == text).map(|(_, level)| level);
        found.ok_or_else(|| "expected trace, debug, info, notice, warn, error or fatal".to_owned())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Level::ALL.into_iter().find(|(_, level)| level == self).map(|(word, _)| word);
        f.write_str(word.unwrap_or_default())
    }
}
