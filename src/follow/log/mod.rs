//! One open file of a log: what the file system says of it, what its bytes say, and the place in it that is read next.

pub(super) mod archives;
pub(super) mod file;
pub(super) mod fingerprint;
pub(super) mod open;
pub mod packed;
pub(super) mod status;
