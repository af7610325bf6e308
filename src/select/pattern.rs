//! What a pattern of a request is: a fixed text or an expression, and whether case counts.

#[cfg(feature = "regex")]
use regex_syntax::hir::{Hir, HirKind};

use super::pattern_error::PatternError;
#[cfg(feature = "regex")]
use super::translate;
use super::word::Required;
use crate::protocol::criteria::Case;

/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 1024;

/// How much all patterns of a filter may take when they are compiled, in bytes.
pub const MAX_COMPILED: usize = 1024 * 1024;

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
            if let Some(newline) = pattern.find('\n') {
                return Err(PatternError::at(NEWLINE, pattern, newline));
            }
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

/// Why a pattern that needs a newline is refused, though it may be well-formed: it could not match.
const NEWLINE: &str = "no line contains the newline";

fn is_expression(pattern: &str) -> bool {
    pattern.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', '{', '^', '$'])
}

#[cfg(feature = "regex")]
fn expression(pattern: &str, case: Case) -> Result<Pattern, PatternError> {
    let (hir, minds_utf8) = translate::translate(pattern, case)?;
    if needs_newline(&hir) {
        let place = pattern.find('\n').or_else(|| pattern.find("\\n"));
        return Err(place.map_or(PatternError::new(NEWLINE), |place| PatternError::at(NEWLINE, pattern, place)));
    }
    Ok(Pattern::Expression { hir, minds_utf8 })
}

/// Whether whatever it matches contains a newline. As deep as the expression.
#[cfg(feature = "regex")]
fn needs_newline(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Repetition(repetition) => repetition.min > 0 && needs_newline(&repetition.sub),
        HirKind::Capture(capture) => needs_newline(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(needs_newline),
        HirKind::Alternation(parts) => parts.iter().all(needs_newline),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

#[cfg(not(feature = "regex"))]
fn expression(_: &str, _: Case) -> Result<Pattern, PatternError> {
    Err(PatternError::new("built without regular expressions: use fixed=1"))
}
