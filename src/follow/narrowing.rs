//! What a reader asks for besides lines of one file: rotated files, a range of times.

use super::time_range::TimeRange;

#[derive(Debug)]
pub(super) struct Narrowing {
    /// The rotated files belong to the log.
    pub history: bool,
    pub range: Option<Box<dyn TimeRange>>,
}
