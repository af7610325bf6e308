//! When to poll a log: what inotify(7) reports about files and directories, and how it wakes a waiting thread.
//!
//! This room shortens waits, and counts the files that are given a log's name. What a woken thread does is up to the
//! follower and the server.

pub(crate) mod path_watch;
pub(crate) mod root_routes;
mod route;
#[cfg(test)]
mod tests;
mod waker;
pub(crate) mod watch;
pub(crate) mod watcher;
