//! Which lines of a log matter: patterns, levels, context. It is pure: no file, no socket, no thread, no clock. It sees
//! bytes and counts positions in them.
//!
//! [`Criteria`](crate::protocol::criteria::Criteria) say what a request asks for. A [`Filter`] is that, compiled. A [`Selector`] applies a filter to one log for
//! one stream, block by block, in this order: the level takes entries away, `exclude` takes lines away, and among those
//! that are left `grep` finds its lines, to which the context is added. Without `grep` everything that is left is found.
//!
//! # Glossary
//!
//! * **Entry**: a line that bears a time, and the lines after it that bear none ([`Entries`]). It has the level of its
//!   first line.
//! * **Gone**: taken away by the level or by `exclude`. A line that is gone does not exist: it is not context, and it does
//!   not part two groups.
//! * **Match**: a line that is not gone and that `grep` finds.
//! * **Context**: the lines before and after a match that come with it, or the rest of its entry. They begin within
//!   128 KiB of the match and in the same file.
//! * **Group**: lines that are sent and that only lines that are gone lie between. Between two groups is a gap
//!   ([`Piece::Skip`]).
//! * **Place**: where a stream can be resumed: every selected line before it has been sent, and none after it.
//!
//! # Nothing is remembered that can be read again
//!
//! A selector does not store lines. It *uses* as much of a block as it is done with, and the next block begins there, so
//! that an unfinished line and the lines that may yet be context are read again. Therefore the place is right by
//! construction, in memory and in cursors alike, and what comes before a match is found by going back from it. Only what
//! is new in a block is judged. At most 128 KiB are read again; then a line has room of which 128 KiB are judged, so that
//! a block of 256 KiB is always large enough.
//!
//! A stream that is resumed has to know which context its last match still has, and to which entry the next line belongs.
//! That is found by judging the 256 KiB before its place once more, without sending them ([`Selector::warm_up`]). The
//! limits on entries and on context are such that no more is needed.
//!
//! # Times
//!
//! [`stamp`] recognizes the time that a line bears, [`when`] reads the times that a request names, and [`zone`] turns local
//! times into instants, of which a local time may have two.
//!
//! # How a line is found
//!
//! Every pattern has words that each line holds that it matches (`word`). A vector search for the rarest finds candidates,
//! and only these are judged: by a search for the text, or by an automaton (`automaton`) that reads a line once.

#[cfg(feature = "regex")]
mod automaton;
#[cfg(not(feature = "regex"))]
#[path = "automaton/absent.rs"]
mod automaton;
mod case;
#[cfg(feature = "regex")]
mod charset;
mod entry;
mod filter;
mod judging;
mod level;
mod line;
mod matcher;
mod pass;
mod pattern;
mod pattern_error;
mod selector;
pub mod stamp;
#[cfg(feature = "regex")]
mod translate;
pub mod when;
mod word;
pub mod zone;

pub use entry::{Entries, FindTime, REACH};
pub use filter::{Filter, FilterError};
pub use judging::{Follows, Piece};
pub use line::JUDGED_HEAD;
pub use pattern::{MAX_COMPILED, MAX_PATTERN};
pub use pattern_error::PatternError;
pub use selector::{Judged, Selector, WARM_UP};
