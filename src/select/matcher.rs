//! Judges whether a line matches one of several patterns.

use memchr::memmem;

use super::automaton::{Automaton, Budget, Cache};
use super::case;
use super::line::Line;
use super::pattern::Pattern;
use super::pattern_error::PatternError;
use super::word::Required;

/// Patterns of which a line has to match one.
#[derive(Debug)]
pub(super) struct Matcher {
    kind: MatcherKind,
    required: Required,
}

#[derive(Debug)]
enum MatcherKind {
    Texts(Vec<TextPattern>),
    Automaton(Box<Automaton>),
}

#[derive(Debug)]
struct TextPattern {
    finder: memmem::Finder<'static>,
    ignore_case: bool,
}

/// What a matcher remembers between two lines, to be faster. It can be dropped at any time.
#[derive(Debug, Default)]
pub(super) struct MatcherCache {
    buffer: Vec<u8>,
    cache: Option<Cache>,
}

impl Matcher {
    /// # Errors
    /// With the index of the pattern that does not fit into the budget.
    pub(super) fn any(patterns: &[Pattern], budget: &mut Budget) -> Result<Matcher, (usize, PatternError)> {
        let required = Required::Any(patterns.iter().map(Pattern::required).collect());
        let texts: Option<Vec<TextPattern>> = patterns.iter().map(TextPattern::new).collect();
        if let Some(texts) = texts {
            return Ok(Matcher { kind: MatcherKind::Texts(texts), required });
        }
        let automaton = Automaton::new(patterns, budget)?;
        Ok(Matcher { kind: MatcherKind::Automaton(Box::new(automaton)), required })
    }

    /// What every line holds that matches.
    pub(super) fn required(&self) -> &Required {
        &self.required
    }

    pub(super) fn is_match(&self, line: Line<'_>, memory: &mut MatcherCache) -> bool {
        match &self.kind {
            MatcherKind::Texts(texts) => {
                memory.buffer.clear();
                if texts.iter().any(|text| text.ignore_case) {
                    case::fold(line.text(), &mut memory.buffer);
                }
                texts.iter().any(|text| {
                    let line = if text.ignore_case { memory.buffer.as_slice() } else { line.text() };
                    text.finder.find(line).is_some()
                })
            }
            MatcherKind::Automaton(automaton) => {
                let cache = memory.cache.get_or_insert_with(|| automaton.cache());
                automaton.is_match(line, cache, &mut memory.buffer)
            }
        }
    }
}

impl TextPattern {
    /// `None` for an expression; and for a text whose case is ignored if there are automata, which read a line faster
    /// than it can be folded.
    fn new(pattern: &Pattern) -> Option<TextPattern> {
        match pattern {
            Pattern::Text { text, ignore_case: false } => {
                Some(TextPattern { finder: memmem::Finder::new(text).into_owned(), ignore_case: false })
            }
            #[cfg(not(feature = "regex"))]
            Pattern::Text { text, ignore_case: true } => {
                let mut folded = Vec::new();
                case::fold(text.as_bytes(), &mut folded);
                Some(TextPattern { finder: memmem::Finder::new(&folded).into_owned(), ignore_case: true })
            }
            #[cfg(feature = "regex")]
            _ => None,
        }
    }
}
