//! One log through its life, from a name to its bytes. No socket, no thread, no clock.

pub mod backfill;
mod before;
mod bell;
mod evidence;
pub mod extent;
pub mod follower;
mod held;
mod late;
pub mod listing;
pub mod position;
mod resume;
pub mod root;
mod siblings;
#[cfg(test)]
mod tests;
mod truncation;
pub(crate) mod watch;
