//! One log through its life, from a name to its bytes. No socket, no thread, no clock.

pub mod backfill;
pub mod follower;
pub mod root;
mod siblings;
