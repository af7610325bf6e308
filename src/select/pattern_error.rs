//! Why a pattern cannot be used.

use std::fmt;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PatternError {
    reason: String,
    place: Option<usize>,
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
