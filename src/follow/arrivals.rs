//! What can be reported of the files that are given a log's name, by whoever watches the log's directory.

use std::ffi::OsString;

/// How many files were given the name, after a number that is another one when two counts cannot be compared.
pub(crate) type Count = (u64, u32);

/// Counts the files that are given a log's name, where the kernel reports all of them, also those that come and go between
/// two checks.
pub(crate) trait NameCount: std::fmt::Debug + Send + Sync {
    fn count(&self) -> Option<Count>;
    /// What became by now of the files that were given the name after the count was `since`, and lost it again.
    fn departed(&self, since: u32) -> Option<Vec<Arrival>>;
    /// Whether the file of which the count was `number` lost the name by a rename; otherwise it was deleted, or another file
    /// was moved into its place.
    fn was_renamed(&self, number: u32) -> bool;
}

/// What became of a file that bore the log's name for a while, as it was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is called so now, in the log's directory, or the archive is to which it was compressed.
    Named(OsString),
    Deleted,
    /// It was moved to another directory.
    Moved,
    /// Another file was moved to its name. It may have others.
    Replaced,
}
