//! Which lines of a log matter: patterns and levels. It is pure: no file, no socket, no thread, no clock.

#[cfg(feature = "regex")]
mod automaton;
#[cfg(not(feature = "regex"))]
#[path = "automaton/absent.rs"]
mod automaton;
mod case;
#[cfg(feature = "regex")]
mod charset;
mod filter;
mod level;
mod line;
mod matcher;
mod pattern;
#[cfg(feature = "regex")]
mod translate;
mod word;

pub use filter::{Context, Criteria, Filter, FilterError, MAX_CONTEXT, MAX_PATTERNS};
pub use level::Level;
pub use line::JUDGED_HEAD;
pub use matcher::MAX_COMPILED;
pub use pattern::{Case, MAX_PATTERN, PatternError};
