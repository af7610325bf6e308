//! What a request asks for, compiled.

use std::fmt;
use std::num::NonZeroU64;

use super::automaton::Budget;
use super::line::Line;
use super::matcher::{Matcher, MatcherCache};
use super::pattern::Pattern;
use super::pattern_error::PatternError;
use super::word::{Required, Searcher};
use crate::protocol::criteria::{Context, Criteria, Level, MAX_PATTERNS};

/// [`Criteria`], compiled. It does not change; streams that ask for the same can share one.
#[derive(Debug)]
pub struct Filter {
    /// A line has to match each of them.
    grep: Vec<Matcher>,
    exclude: Option<Matcher>,
    pub(super) context: Context,
    pub(super) level: Option<Level>,
    pub(super) max: Option<NonZeroU64>,
}

/// Why [`Criteria`] cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilterError {
    parameter: &'static str,
    /// Which of its patterns, if it has more than one.
    index: Option<usize>,
    error: PatternError,
}

/// What the matchers of a filter remember.
#[derive(Debug, Default)]
pub(super) struct Memories {
    grep: Vec<MatcherCache>,
    exclude: MatcherCache,
}

impl FilterError {
    /// The parameter with the pattern: `grep` or `exclude`.
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// Which of the parameter's patterns cannot be used, counted from 0.
    pub fn index(&self) -> usize {
        self.index.unwrap_or(0)
    }

    /// What is wrong, and where in the pattern.
    pub fn error(&self) -> &PatternError {
        &self.error
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "pattern {} of the parameter `{}`", index + 1, self.parameter)?,
            None => write!(f, "the pattern of the parameter `{}`", self.parameter)?,
        }
        write!(f, " cannot be used: {}", self.error)
    }
}

impl std::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl Filter {
    /// Compiles what a request asks for. This takes milliseconds, whatever the patterns are.
    ///
    /// # Errors
    /// If there are more than [`MAX_PATTERNS`], or one is empty, longer than [`super::MAX_PATTERN`], malformed or too
    /// large when compiled ([`super::MAX_COMPILED`], all patterns together).
    pub fn new(criteria: &Criteria) -> Result<Filter, FilterError> {
        let grep = parse("grep", &criteria.grep, criteria)?;
        let exclude = parse("exclude", &criteria.exclude, criteria)?;
        let groups: Vec<&[Pattern]> = match grep.as_slice() {
            [] => Vec::new(),
            all if criteria.match_all => all.chunks(1).collect(),
            any => vec![any],
        };
        let mut budget = Budget::new(groups.len() + usize::from(!exclude.is_empty()));
        let mut compile = |parameter, first, patterns: &[Pattern], total: usize| {
            Matcher::any(patterns, &mut budget).map_err(|(index, error)| FilterError {
                parameter,
                index: (total > 1).then_some(first + index),
                error,
            })
        };
        let matchers = groups.iter().enumerate().map(|(index, patterns)| compile("grep", index, patterns, grep.len()));
        Ok(Filter {
            grep: matchers.collect::<Result<_, _>>()?,
            exclude: match exclude.as_slice() {
                [] => None,
                any => Some(compile("exclude", 0, any, any.len())?),
            },
            // Every line is a match where there is nothing to match, so none is its context.
            context: if criteria.grep.is_empty() { Context::default() } else { criteria.context },
            level: criteria.level,
            max: criteria.max,
        })
    }

    /// Whether it must be known where entries begin.
    pub fn has_entries(&self) -> bool {
        self.level.is_some() || self.context == Context::Entry
    }

    /// Whether what is sent of a line may depend on the lines before it.
    pub fn has_history(&self) -> bool {
        self.has_context() || self.has_entries()
    }

    /// How many lines come before and after a match. None where the context is its entry.
    pub(super) fn context_lines(&self) -> (u32, u32) {
        match self.context {
            Context::Lines { before, after } => (before, after),
            Context::Entry => (0, 0),
        }
    }

    /// Whether entries are taken away for their level.
    pub fn has_level(&self) -> bool {
        self.level.is_some()
    }

    /// Whether groups of lines are told apart.
    pub fn has_context(&self) -> bool {
        self.context != Context::default()
    }

    pub(super) fn has_grep(&self) -> bool {
        !self.grep.is_empty()
    }

    pub(super) fn has_exclude(&self) -> bool {
        self.exclude.is_some()
    }

    pub(super) fn is_excluded(&self, line: Line<'_>, memories: &mut Memories) -> bool {
        self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(line, &mut memories.exclude))
    }

    /// Whether `grep` finds the line.
    pub(super) fn is_found(&self, line: Line<'_>, memories: &mut Memories) -> bool {
        memories.grep.resize_with(self.grep.len(), MatcherCache::default);
        self.grep.iter().zip(&mut memories.grep).all(|(matcher, memory)| matcher.is_match(line, memory))
    }

    /// Finds where lines are that `grep` may find.
    pub(super) fn grep_searcher(&self, sample: &[u8]) -> Option<Searcher> {
        Required::All(self.grep.iter().map(|matcher| matcher.required().clone()).collect()).searcher(sample)
    }

    /// Finds where lines are that may be excluded.
    pub(super) fn exclude_searcher(&self, sample: &[u8]) -> Option<Searcher> {
        self.exclude.as_ref()?.required().searcher(sample)
    }
}

fn parse(parameter: &'static str, patterns: &[String], criteria: &Criteria) -> Result<Vec<Pattern>, FilterError> {
    if patterns.len() > MAX_PATTERNS {
        let error = PatternError::new(format!("there are more than {MAX_PATTERNS}"));
        return Err(FilterError { parameter, index: Some(MAX_PATTERNS), error });
    }
    let parse = |(index, pattern): (usize, &String)| {
        Pattern::parse(pattern, criteria.fixed, criteria.case).map_err(|error| {
            let index = (patterns.len() > 1).then_some(index);
            FilterError { parameter, index, error }
        })
    };
    patterns.iter().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests;
