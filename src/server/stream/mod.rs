//! One log on its way to one client, in one direction:
//!
//! ```text
//! follower ──source──> log events ──select──> log events ──encode──> frames ──transport──> socket
//! ```
//!
//! Each stage knows only its neighbour's data. [`source`] owns what reads the log, and [`transport`] owns the socket;
//! between them nothing reads, writes, waits or looks at a clock. [`connection`] is the loop that moves data from stage
//! to stage, in one thread, with one wait a turn. [`ending`] is how it ends. [`live_list`] is the list of logs over the same
//! transport. How the request was read is not known
//! here.

pub(in crate::server) mod connection;
pub(in crate::server) mod encode;
pub(in crate::server) mod ending;
pub(in crate::server) mod event;
mod frame;
pub(in crate::server) mod live_list;
mod poll_schedule;
pub(in crate::server) mod reporter;
pub(in crate::server) mod select;
pub(in crate::server) mod source;
#[cfg(test)]
mod tests;
pub(in crate::server) mod transport;
