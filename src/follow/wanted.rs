//! A place that is still looked for: in a compressed file that has to be unpacked up to there first.

use super::held_files::Sighted;
use super::position::Position;
use crate::protocol::request::Lines;

/// What a reader asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// What the log's name led to then.
    pub log: Sighted,
    pub position: Position,
    pub way: Way,
}

/// Where the stream goes from the place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// On, after so many bytes that the client has already.
    On(u64),
    /// Back: the last lines before it, and nothing else.
    Back(Lines),
}
