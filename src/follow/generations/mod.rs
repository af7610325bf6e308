//! The generations of a log: the files beside it, which of them come between two that are known, and what was read.

pub(super) mod all;
pub(super) mod chain_and_gaps;
mod counting;
mod ends;
mod judge;
pub(super) mod list;
pub(super) mod memory;
pub(super) mod search;
