//! What a pattern of a request is: a fixed text or an expression, and whether case counts.

use std::fmt;

#[cfg(feature = "regex")]
use regex_syntax::hir::Hir;

#[cfg(feature = "regex")]
use super::translate;
use super::word::Required;
use crate::protocol::criteria::Case;

/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 1024;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PatternError {
    reason: String,
    place: Option<usize>,
}

/// A pattern that was understood.
#[derive(Debug)]
pub(super) enum Pattern {
    Text {
        text: String,
        ignore_case: bool,
    },
    #[cfg(feature = "regex")]
    Expression {
        hir: Hir,
        /// Whether it matters to it which bytes are not UTF-8.
        minds_utf8: bool,
    },
}

impl PatternError {
    pub(super) fn new(reason: impl Into<String>) -> PatternError {
        PatternError { reason: reason.into(), place: None }
    }

    /// `offset`: of a byte of `pattern`.
    pub(super) fn at(reason: impl Into<String>, pattern: &str, offset: usize) -> PatternError {
        let place = pattern.char_indices().take_while(|(index, _)| *index < offset).count();
        PatternError { reason: reason.into(), place: Some(place + 1) }
    }

    /// The reason, in words. It does not hold the pattern.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The place in the pattern, counted in characters from 1. `None` if it is the whole pattern.
    pub fn place(&self) -> Option<usize> {
        self.place
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{} at character {place}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads `pattern`; as a text if it is `fixed`.
    pub(super) fn parse(pattern: &str, fixed: bool, case: Case) -> Result<Pattern, PatternError> {
        if pattern.is_empty() {
            return Err(PatternError::new("it is empty"));
        }
        if pattern.len() > MAX_PATTERN {
            return Err(PatternError::at(format!("it has more than {MAX_PATTERN} bytes"), pattern, MAX_PATTERN));
        }
        if fixed || !is_expression(pattern) {
            let ignore_case = match case {
                Case::Smart => !pattern.contains(char::is_uppercase),
                Case::Ignored => true,
                Case::Sensitive => false,
            };
            return Ok(Pattern::Text { text: pattern.to_owned(), ignore_case });
        }
        expression(pattern, case)
    }

    /// What every line holds that it matches.
    pub(super) fn required(&self) -> Required {
        match self {
            Pattern::Text { text, ignore_case } => Required::of_text(text, *ignore_case),
            #[cfg(feature = "regex")]
            Pattern::Expression { hir, .. } => Required::of_expression(hir),
        }
    }
}

fn is_expression(pattern: &str) -> bool {
    pattern.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', '{', '^', '$'])
}

#[cfg(feature = "regex")]
fn expression(pattern: &str, case: Case) -> Result<Pattern, PatternError> {
    let (hir, minds_utf8) = translate::translate(pattern, case)?;
    Ok(Pattern::Expression { hir, minds_utf8 })
}

#[cfg(not(feature = "regex"))]
fn expression(_: &str, _: Case) -> Result<Pattern, PatternError> {
    Err(PatternError::new("built without regular expressions: use fixed=1"))
}
