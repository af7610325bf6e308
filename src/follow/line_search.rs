//! What the searches for the first line have in common: they read a block in each step, and report how far they have come.

/// How much one step reads backwards.
pub const BLOCK: usize = 64 * 1024;

/// What a step of a search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchProgress {
    /// Nothing yet; more is to be searched.
    Busy,
    /// The first line asked for begins there.
    Found(u64),
    /// The file ends there, before that line begins; it may come.
    Absent(u64),
}
